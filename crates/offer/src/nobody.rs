//! Somebody of whom nothing is known: who is no member, or is not said to be one.

use zhiyin_condition::{Facts, LeafStates};

/// Somebody of whom nothing is known.
#[derive(Clone, Debug, Default)]
pub struct Nobody {
    leaves: LeafStates,
}

impl Facts for Nobody {
    fn leaves(&self) -> &LeafStates {
        &self.leaves
    }
}
