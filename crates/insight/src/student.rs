//! Student's t distribution, both tails: the chance of lying further out, and how far out a chance is.

use statrs::function::beta::beta_reg;
use statrs::function::gamma::ln_gamma;

use crate::normal;

/// From here on the continued fraction of the incomplete beta function needs more terms than the library takes.
const LARGE: f64 = 5_000.0;

/// The chance that t with so many degrees of freedom lies further from 0 than this, on either side. Above 5,000 degrees by G. W.
/// Hill's expansion ("Student's t-distribution", Algorithm 395, 1970), exact to 1e-13 there.
pub(crate) fn two_sided(t: f64, dof: f64) -> f64 {
    if dof < LARGE {
        return beta_reg(dof / 2.0, 0.5, dof / t.mul_add(t, dof));
    }
    let a = dof - 0.5;
    let b = 48.0 * a * a;
    let y = a * (t * t / dof).ln_1p();
    let series = (((-0.4 * y - 3.3) * y - 24.0) * y - 85.5) / (0.8 * y * y + 100.0 + b);
    normal::two_sided(((series + y + 3.0) / b + 1.0) * y.sqrt())
}

/// Beyond what t lies, on either side, with this chance.
pub(crate) fn beyond(alpha: f64, dof: f64) -> f64 {
    // Out there the chance falls with t, and t is further out than a normal.
    let (mut low, mut high) = (0.0, normal::beyond(alpha).max(1.0));
    while two_sided(high, dof) > alpha {
        low = high;
        high *= 2.0;
    }
    let mut t = f64::midpoint(low, high);
    for _ in 0..200 {
        let over = two_sided(t, dof) - alpha;
        if over > 0.0 {
            low = t;
        } else {
            high = t;
        }
        // Newton's step, where it stays between what is known.
        let next = t + over / (2.0 * density(t, dof));
        let next = if next > low && next < high { next } else { f64::midpoint(low, high) };
        if (next - t).abs() <= 1e-14 * t {
            return next;
        }
        t = next;
    }
    t
}

fn density(t: f64, dof: f64) -> f64 {
    let half = dof / 2.0;
    let log = ln_gamma(half + 0.5) - ln_gamma(half) - 0.5 * (std::f64::consts::PI * dof).ln();
    (log - (half + 0.5) * (t * t / dof).ln_1p()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_reckoning_meet_and_a_chance_comes_back() {
        for t in [0.1, 1.0, 1.96, 4.0, 8.0] {
            let (below, above) = (two_sided(t, LARGE * (1.0 - 1e-12)), two_sided(t, LARGE));
            assert!(((below - above) / above).abs() < 1e-9, "{t}: {below} {above}");
        }
        for dof in [1.0, 2.5, 30.0, 900.0, 4_999.0, 6_000.0, 1e8] {
            for alpha in [0.5, 0.1, 0.05, 0.001, 1e-9] {
                let back = two_sided(beyond(alpha, dof), dof);
                assert!((back / alpha - 1.0).abs() < 1e-9, "{dof} {alpha}: {back}");
            }
        }
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (alpha, dof, expected) in [
            (0.05, 1.0, 12.706_204_736),
            (0.05, 10.0, 2.228_138_852),
            (0.01, 30.0, 2.749_995_654),
            (0.05, 120.0, 1.979_930_405),
        ] {
            assert!((beyond(alpha, dof) - expected).abs() < 1e-8, "{alpha} {dof}");
        }
        assert!((beyond(0.05, 1e12) - 1.959_963_985).abs() < 1e-8);
    }
}
