//! Two arms, compared: a difference, and how far it may be from the truth.

use serde::Serialize;

use crate::ratio::count;
use crate::sums::{Sums, TooLarge, over};
use crate::{normal, student};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// A share: `y` is 1 of whoever did it, 0 of whoever did not.
    Share,
    /// A mean: `y` is how much; `x`, where `adjusted`, is how much it was before.
    Mean {
        /// Whether what members came to before is taken out (CUPED).
        adjusted: bool,
    },
    /// Σ y / Σ x, such as what was paid for each order: members are drawn, not orders, so its variance is the delta method's.
    Ratio,
}

/// How sure it shall be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Terms {
    /// The chance of missing the truth.
    pub alpha: f64,
    /// At how many members, both arms together, the sequential interval is about the narrowest.
    pub tuned_to: f64,
}

impl Default for Terms {
    fn default() -> Self {
        Self { alpha: 0.05, tuned_to: 5_000.0 }
    }
}

/// An estimate, and between what the truth is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The estimate.
    pub at: f64,
    /// From here.
    pub low: f64,
    /// To here.
    pub high: f64,
    /// The chance of an estimate as far from 0, if there were no difference.
    pub p_value: f64,
}

impl Interval {
    /// Whether 0 is not in it.
    pub fn excludes_zero(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// An effect: all in units of `y`, but what is `relative`, in parts of the control arm's mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// What the control arm came to.
    pub control: f64,
    /// What the treated arm came to.
    pub treated: f64,
    /// The difference, as it is when it is looked at once, at a time that was fixed before (Welch's t).
    pub fixed: Interval,
    /// The difference, as it is however often it is looked at, and whenever one stops (an asymptotic confidence sequence).
    pub sequential: Interval,
    /// As `fixed`, in parts of the control arm's mean; nothing where that is 0.
    pub relative: Option<Interval>,
    /// As `sequential`, in parts of the control arm's mean.
    pub relative_sequential: Option<Interval>,
    /// Which part of the variance was left after what was before was taken out; nothing where nothing was.
    pub variance_left: Option<f64>,
}

/// Why no effect can be stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEffect {
    /// An arm has fewer than two members.
    #[error("an arm has fewer than two members")]
    TooFew,
    /// All members of an arm came to the same.
    #[error("all members of an arm came to the same")]
    NoVariance,
    /// Sums have more digits than there is room for.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The chance of missing the truth must lie between 0 and 1, and what is tuned to above 0.
    #[error("alpha lies between 0 and 1, and what is tuned to above 0")]
    BadTerms,
}

/// An arm in moments.
#[derive(Clone, Copy)]
struct Arm {
    n: f64,
    mean: f64,
    /// Before what was before is taken out.
    plain: f64,
    variance: f64,
}

/// Compares a treated arm with the control arm. Members count as they were assigned, whatever became of them (intention to treat).
///
/// Formulas: Welch's t with the degrees of freedom of Welch and Satterthwaite; relative differences by the delta method; CUPED with
/// θ = cov(x, y) / var(x) of both arms together (Deng et al. 2013); sequential intervals by Waudby-Smith et al.,
/// arXiv 2103.06476v7, equations 9, 155 and 161.
pub fn effect(metric: Metric, control: &Sums, treated: &Sums, terms: Terms) -> Result<Effect, NoEffect> {
    if !(terms.alpha > 0.0 && terms.alpha < 1.0 && terms.tuned_to > 0.0) {
        return Err(NoEffect::BadTerms);
    }
    if control.n < 2 || treated.n < 2 {
        return Err(NoEffect::TooFew);
    }
    let theta = match metric {
        Metric::Mean { adjusted: true } => theta(control, treated)?,
        _ => None,
    };
    let (a, b) = (arm(metric, control, theta)?, arm(metric, treated, theta)?);
    if !(a.variance > 0.0 && b.variance > 0.0) {
        return Err(NoEffect::NoVariance);
    }
    let variance_left = match theta {
        Some(_) => {
            let plain = control.variance_y()? / a.n + treated.variance_y()? / b.n;
            Some((a.variance / a.n + b.variance / b.n) / plain)
        }
        None => None,
    };
    let difference = b.mean - a.mean;
    let variance = a.variance / a.n + b.variance / b.n;
    let relative = (a.plain != 0.0).then(|| {
        let square = a.plain * a.plain;
        let of_a = a.variance * b.plain * b.plain / (square * square * a.n);
        (difference / a.plain, b.variance / (square * b.n) + of_a)
    });
    let dof = freedom(&a, &b);
    let fixed = |(at, variance): (f64, f64)| fixed(at, variance, dof, terms);
    let sequential = |(at, variance): (f64, f64)| sequential(at, variance, a.n + b.n, terms);
    Ok(Effect {
        control: a.plain,
        treated: b.plain,
        fixed: fixed((difference, variance)),
        sequential: sequential((difference, variance)),
        relative: relative.map(fixed),
        relative_sequential: relative.map(sequential),
        variance_left,
    })
}

/// How much of y a unit of x explains, of both arms together; `None` where there is nothing to explain.
fn theta(a: &Sums, b: &Sums) -> Result<Option<f64>, TooLarge> {
    let both = a.and(b)?;
    let (x, y) = (both.variance_x()?, both.variance_y()?);
    let theta = if x > 0.0 && y > 0.0 { both.covariance()? / x } else { 0.0 };
    Ok((theta != 0.0).then_some(theta))
}

fn arm(metric: Metric, of: &Sums, theta: Option<f64>) -> Result<Arm, TooLarge> {
    let n = count(of.n);
    let plain = of.mean_y();
    Ok(match (metric, theta) {
        (Metric::Share, _) => Arm { n, mean: plain, plain, variance: plain * (1.0 - plain) },
        (Metric::Mean { .. }, None) => Arm { n, mean: plain, plain, variance: of.variance_y()? },
        (Metric::Mean { .. }, Some(theta)) => {
            let explained = theta * theta * of.variance_x()? - 2.0 * theta * of.covariance()?;
            let mean = plain - theta * of.mean_x();
            Arm { n, mean, plain, variance: of.variance_y()? + explained }
        }
        (Metric::Ratio, _) => {
            let mean = over(of.y, of.x);
            let (m, d) = (plain, of.mean_x());
            if d == 0.0 {
                return Ok(Arm { n, mean, plain: mean, variance: 0.0 });
            }
            let of_y = of.variance_y()? / (d * d);
            let of_both = 2.0 * of.covariance()? * m / (d * d * d);
            let of_x = m * m * of.variance_x()? / (d * d * d * d);
            Arm { n, mean, plain: mean, variance: of_y - of_both + of_x }
        }
    })
}

/// Degrees of freedom by Welch and Satterthwaite.
fn freedom(a: &Arm, b: &Arm) -> f64 {
    let (of_a, of_b) = (a.variance / a.n, b.variance / b.n);
    (of_a + of_b) * (of_a + of_b) / (of_a * of_a / (a.n - 1.0) + of_b * of_b / (b.n - 1.0))
}

fn fixed(at: f64, variance: f64, dof: f64, terms: Terms) -> Interval {
    let width = student::beyond(terms.alpha, dof) * variance.sqrt();
    let p_value = student::two_sided(at / variance.sqrt(), dof);
    Interval { at, low: at - width, high: at + width, p_value }
}

fn sequential(at: f64, variance: f64, n: f64, terms: Terms) -> Interval {
    let log = -2.0 * terms.alpha.ln();
    let rho_square = (log + (log + 1.0).ln()) / terms.tuned_to;
    let m = n * rho_square + 1.0;
    let width =
        (variance * n).sqrt() * (2.0 * m * (m.sqrt() / terms.alpha).ln() / (n * n * rho_square)).sqrt();
    let square = at * at * n / variance;
    let e_value = (rho_square * square / (2.0 * m)).exp() / m.sqrt();
    Interval { at, low: at - width, high: at + width, p_value: (1.0 / e_value).min(1.0) }
}

/// Of weighted differences whose variances are known: as [`Effect::fixed`] of many members.
pub(crate) fn of_normal(at: f64, variance: f64, alpha: f64) -> Interval {
    let width = normal::beyond(alpha) * variance.sqrt();
    Interval { at, low: at - width, high: at + width, p_value: normal::two_sided(at / variance.sqrt()) }
}
