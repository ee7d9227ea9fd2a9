//! The normal distribution, as far as it is needed.

use std::f64::consts::SQRT_2;

use statrs::function::erf::{erfc, erfc_inv};

/// The chance that a standard normal lies further from 0 than this, on either side.
pub(crate) fn two_sided(z: f64) -> f64 {
    erfc(z.abs() / SQRT_2)
}

/// Beyond what a standard normal lies, on either side, with this chance.
pub(crate) fn beyond(alpha: f64) -> f64 {
    SQRT_2 * erfc_inv(alpha)
}
