//! Somebody of whom nothing is known: who is no member, or is not said to be one.

use zhiyin_condition::{EventRow, Facts, LeafStates, OrderRow};
use zhiyin_model::id::MemberId;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

/// Somebody of whom nothing is known.
#[derive(Clone, Debug, Default)]
pub struct Nobody {
    leaves: LeafStates,
}

impl Facts for Nobody {
    fn member_id(&self) -> MemberId {
        MemberId::from_bytes([0; 16])
    }
    fn attribute(&self, _: &str) -> Option<&Scalar> {
        None
    }
    fn has_tag(&self, _: &str) -> bool {
        false
    }
    fn tags(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(std::iter::empty())
    }
    fn tier(&self) -> Option<&str> {
        None
    }
    fn lifecycle(&self) -> Option<&str> {
        None
    }
    fn store(&self) -> Option<&str> {
        None
    }
    fn points(&self) -> i64 {
        0
    }
    fn enrolled_at(&self) -> Option<Ts> {
        None
    }
    fn leaves(&self) -> &LeafStates {
        &self.leaves
    }
    fn event(&self) -> Option<&EventRow> {
        None
    }
    fn order(&self) -> Option<&OrderRow> {
        None
    }
}
