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
}
