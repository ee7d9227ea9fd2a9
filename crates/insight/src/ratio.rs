//! Whether arms are as large as they were drawn.

use statrs::function::gamma::gamma_ur;

/// The chance that arms that were drawn with these weights differ in size as much as these, or more (Pearson's χ²). Below 0.001
/// something else than chance decided who is in which (a sample-ratio mismatch), and no effect should be read of them. 1 where nobody
/// is in any, or there is nothing to compare. Arms of weight 0 are left out.
pub fn sample_ratio(arms: &[(u64, f64)]) -> f64 {
    let arms: Vec<(f64, f64)> =
        arms.iter().filter(|(_, weight)| *weight > 0.0).map(|(n, weight)| (count(*n), *weight)).collect();
    let (members, weights) = arms.iter().fold((0.0, 0.0), |(a, b), (n, weight)| (a + n, b + weight));
    if members <= 0.0 || arms.len() < 2 {
        return 1.0;
    }
    let squares = arms.iter().map(|(n, weight)| {
        let expected = weight / weights * members;
        (n - expected) * (n - expected) / expected
    });
    let chi = squares.sum::<f64>();
    if chi <= 0.0 { 1.0 } else { gamma_ur((count(arms.len() as u64) - 1.0) / 2.0, chi / 2.0) }
}

/// Members who were assigned while they were drawn by these weights, one an arm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// How many are in each.
    pub found: Vec<u64>,
    /// How often each is drawn.
    pub weights: Vec<u64>,
}

/// As [`sample_ratio`], where the weights changed on the way: what is expected of each arm is added up over all of them.
pub fn sample_ratio_of(drawn: &[Drawn]) -> f64 {
    let arms = drawn.iter().map(|one| one.found.len().max(one.weights.len())).max().unwrap_or(0);
    let mut all: Vec<(u64, f64)> = vec![(0, 0.0); arms];
    for Drawn { found, weights } in drawn {
        let members = count(found.iter().sum());
        let whole = count(weights.iter().sum());
        found.iter().zip(&mut all).for_each(|(n, arm)| arm.0 += n);
        if whole > 0.0 {
            weights.iter().zip(&mut all).for_each(|(weight, arm)| arm.1 += members * count(*weight) / whole);
        }
    }
    sample_ratio(&all)
}

/// Below this, arms are not as they were drawn.
pub const MISMATCH: f64 = 0.001;

#[expect(clippy::cast_precision_loss, reason = "members are fewer than 2^53")]
pub(crate) const fn count(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_as_they_were_drawn_are_likely_and_others_are_not() {
        for (arms, expected) in [
            (&[(500, 0.5), (500, 0.5)][..], 1.0),
            (&[(0, 0.5), (0, 0.5)], 1.0),
            (&[(7, 1.0)], 1.0),
            (&[(1_000, 0.5), (1_100, 0.5)], 0.029_096_331_741),
            (&[(900, 0.9), (130, 0.1), (5, 0.0)], 0.005_042_654_208),
        ] {
            let found = sample_ratio(arms);
            assert!((found - expected).abs() < 1e-9, "{arms:?}: {found}");
        }
        assert!(sample_ratio(&[(1_000, 1.0), (1_300, 1.0)]) < MISMATCH);
    }

    #[test]
    fn weights_that_changed_on_the_way_are_no_mismatch() {
        let drawn = [
            Drawn { found: vec![100, 900], weights: vec![1, 9] },
            Drawn { found: vec![500, 500], weights: vec![1, 1] },
        ];
        assert!((sample_ratio_of(&drawn) - 1.0).abs() < 1e-12);
        assert!(sample_ratio_of(&[Drawn { found: vec![600, 1_400], weights: vec![1, 9] }]) < MISMATCH);
        assert_eq!(sample_ratio_of(&[]), 1.0);
    }
}
