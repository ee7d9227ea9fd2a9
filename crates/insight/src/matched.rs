//! Whoever was chosen by people, compared with others who were alike before.
//!
//! Nobody drew lots, so what is found may be of how they were chosen: it is shown with that warning, never as an effect that
//! was measured.

use serde::Serialize;

use crate::effect::{Interval, NoEffect, of_normal};
use crate::ratio::count;
use crate::sums::Sums;

/// Members who were alike before: those who were chosen, and those who were not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stratum {
    /// Those who were chosen.
    pub chosen: Sums,
    /// The others.
    pub others: Sums,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Matched {
    /// The difference between the chosen and others like them: each stratum weighs as many as were chosen of it.
    pub difference: Interval,
    /// What the chosen came to, those who could be compared.
    pub chosen: f64,
    /// What others came to, weighed as the chosen are.
    pub others: f64,
    /// How many of the chosen were compared.
    pub compared: u64,
    /// How many were not: too few others, or too few of their own, were alike.
    pub alone: u64,
}

/// Compares by strata (exact stratification, the average effect on those who were chosen): Σ w·(ȳ₁ − ȳ₀) with w the stratum's
/// share of the chosen, and variance Σ w²·(s₁²/n₁ + s₀²/n₀). A stratum with fewer than two on a side is left out and counted.
pub fn matched(strata: &[Stratum], alpha: f64) -> Result<Matched, NoEffect> {
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(NoEffect::BadTerms);
    }
    let (usable, rest): (Vec<&Stratum>, Vec<&Stratum>) =
        strata.iter().partition(|stratum| stratum.chosen.n >= 2 && stratum.others.n >= 2);
    let members = |strata: &[&Stratum]| strata.iter().map(|stratum| stratum.chosen.n).sum::<u64>();
    let (compared, alone) = (members(&usable), members(&rest));
    if compared == 0 {
        return Err(NoEffect::TooFew);
    }
    let (mut chosen, mut others, mut variance) = (0.0, 0.0, 0.0);
    for stratum in usable {
        let weight = count(stratum.chosen.n) / count(compared);
        chosen += weight * stratum.chosen.mean_y();
        others += weight * stratum.others.mean_y();
        let of = |sums: &Sums| Ok::<_, NoEffect>(sums.variance_y()? / count(sums.n));
        variance += weight * weight * (of(&stratum.chosen)? + of(&stratum.others)?);
    }
    if variance <= 0.0 || variance.is_nan() {
        return Err(NoEffect::NoVariance);
    }
    Ok(Matched { difference: of_normal(chosen - others, variance, alpha), chosen, others, compared, alone })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ys: &[i64]) -> Sums {
        let mut sums = Sums::default();
        ys.iter().for_each(|y| sums.add(*y, 0).unwrap());
        sums
    }

    #[test]
    fn who_spends_much_anyway_is_compared_with_who_does_too() {
        // The chosen spend more because they are mostly of those who always did.
        let strata = [
            Stratum { chosen: of(&[10, 12]), others: of(&[9, 11, 10, 10]) },
            Stratum { chosen: of(&[100, 104, 102, 98, 101, 101]), others: of(&[99, 103]) },
            Stratum { chosen: of(&[7]), others: of(&[1, 2, 3]) },
        ];
        let found = matched(&strata, 0.05).unwrap();
        assert_eq!((found.compared, found.alone), (8, 1));
        assert!((found.difference.at - (0.25 * 1.0 + 0.75 * 0.0)).abs() < 1e-12);
        assert!(!found.difference.excludes_zero());
        let alone = [Stratum { chosen: of(&[1]), others: of(&[1, 2]) }];
        assert_eq!(matched(&alone, 0.05), Err(NoEffect::TooFew));
        assert_eq!(matched(&strata, 1.0), Err(NoEffect::BadTerms));
    }
}
