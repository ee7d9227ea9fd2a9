//! Statistics: what a campaign changed, and how sure that is.
//!
//! [`Sums`] add up what each member of an arm came to, exactly. [`effect()`] compares two arms: a difference with an interval
//! that holds when it is looked at once ([`Effect::fixed`]), and one that holds however often it is looked at
//! ([`Effect::sequential`]); where it is known what members came to before, what that explains is taken out (CUPED).
//! [`sample_ratio`] says whether arms are as large as they were drawn, [`matched()`] compares whoever was chosen by people, not by
//! chance, with others who were alike before. [`affinity`] says of which category a member will buy next, and why.
//!
//! Nothing here ever does I/O, waits, reads a clock or draws chance. Formulas and their sources are at the functions, and in
//! `docs/effects.md`.

#![allow(clippy::float_arithmetic, reason = "statistics are estimates: no money is made of them")]

pub mod affinity;
pub mod effect;
pub mod matched;
mod normal;
pub mod ratio;
mod student;
pub mod sums;
pub mod verdict;
pub mod words;

pub use effect::{Effect, Interval, Metric, NoEffect, Terms, effect};
pub use matched::{Matched, Stratum, matched};
pub use ratio::{Drawn, sample_ratio, sample_ratio_of};
pub use sums::Sums;
pub use verdict::{Verdict, verdict};
