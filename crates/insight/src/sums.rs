//! What members of an arm came to, added up: exact, so no order of adding changes anything, and parts of an arm can be added.

use serde::{Deserialize, Serialize};

/// Sums over the members of an arm. `y` is what is measured of each (minor units, pieces, 0 or 1), `x` what belongs to it: what the
/// member came to before (for CUPED), or what `y` is a ratio to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sums {
    /// How many members.
    pub n: u64,
    /// Σ y.
    pub y: i128,
    /// Σ y².
    #[serde(default)]
    pub yy: i128,
    /// Σ x.
    #[serde(default)]
    pub x: i128,
    /// Σ x².
    #[serde(default)]
    pub xx: i128,
    /// Σ x·y.
    #[serde(default)]
    pub xy: i128,
}

/// A sum has more digits than there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sums are too large to be reckoned with exactly")]
pub struct TooLarge;

impl Sums {
    /// Adds a member.
    pub fn add(&mut self, y: i64, x: i64) -> Result<(), TooLarge> {
        let (y, x) = (i128::from(y), i128::from(x));
        let one = Self { n: 1, y, yy: y * y, x, xx: x * x, xy: x * y };
        *self = self.and(&one)?;
        Ok(())
    }

    /// Both together.
    pub fn and(&self, other: &Self) -> Result<Self, TooLarge> {
        let plus = |a: i128, b: i128| a.checked_add(b).ok_or(TooLarge);
        Ok(Self {
            n: self.n.checked_add(other.n).ok_or(TooLarge)?,
            y: plus(self.y, other.y)?,
            yy: plus(self.yy, other.yy)?,
            x: plus(self.x, other.x)?,
            xx: plus(self.xx, other.xx)?,
            xy: plus(self.xy, other.xy)?,
        })
    }

    /// Mean of y.
    pub fn mean_y(&self) -> f64 {
        over(self.y, i128::from(self.n))
    }

    /// Mean of x.
    pub(crate) fn mean_x(&self) -> f64 {
        over(self.x, i128::from(self.n))
    }

    /// Sample variance of y; 0 of fewer than two.
    pub(crate) fn variance_y(&self) -> Result<f64, TooLarge> {
        self.about(self.yy, self.y, self.y)
    }

    /// Sample variance of x.
    pub(crate) fn variance_x(&self) -> Result<f64, TooLarge> {
        self.about(self.xx, self.x, self.x)
    }

    /// Sample covariance.
    pub(crate) fn covariance(&self) -> Result<f64, TooLarge> {
        self.about(self.xy, self.x, self.y)
    }

    /// (n·Σab − Σa·Σb) / (n·(n − 1)), its numerator exact: nothing is lost where both terms are large and alike.
    fn about(&self, ab: i128, a: i128, b: i128) -> Result<f64, TooLarge> {
        if self.n < 2 {
            return Ok(0.0);
        }
        let n = i128::from(self.n);
        let all = n.checked_mul(ab).ok_or(TooLarge)?;
        let square = a.checked_mul(b).ok_or(TooLarge)?;
        Ok(over(all.checked_sub(square).ok_or(TooLarge)?, n * (n - 1)))
    }
}

/// A quotient; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "the nearest number that there is")]
pub(crate) fn over(a: i128, b: i128) -> f64 {
    if b == 0 { 0.0 } else { a as f64 / b as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(i64, i64)]) -> Sums {
        let mut sums = Sums::default();
        pairs.iter().for_each(|(y, x)| sums.add(*y, *x).unwrap());
        sums
    }

    #[test]
    fn moments_are_those_of_the_numbers_however_large_they_are() {
        for far in [0, 1_000_000_000_000_000] {
            let sums = of(&[(far + 2, 1), (far + 4, 2), (far + 4, 3), (far + 10, 6)]);
            assert_eq!(sums.variance_y().unwrap(), 12.0, "{far}");
            assert_eq!(sums.variance_x().unwrap(), 14.0 / 3.0);
            assert_eq!(sums.covariance().unwrap(), 22.0 / 3.0);
        }
    }

    #[test]
    fn parts_come_to_the_whole_and_too_large_is_said() {
        let (a, b) = (of(&[(3, 1), (5, 9)]), of(&[(-7, 2)]));
        assert_eq!(a.and(&b).unwrap(), of(&[(5, 9), (-7, 2), (3, 1)]));
        let huge = Sums { n: 2, y: i128::MAX, ..Sums::default() };
        assert_eq!(huge.and(&huge), Err(TooLarge));
        assert_eq!(huge.variance_y(), Err(TooLarge));
    }
}
