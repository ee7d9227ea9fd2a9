//! states
use serde::{Deserialize, Serialize};
use zhiyin_model::time::Ts;

use crate::leaf::Leaves;
use crate::row::Row;

/// What is known of one member's history: a state per leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeafStates {
    states: Vec<()>,
}

/// Whether a row could be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Retract {
    /// It is as if the row had never been.
    Done,
    /// The states cannot know: rebuild them from the whole history.
    Rebuild,
}

impl LeafStates {
    /// Takes a row in.
    pub fn observe(&mut self, _leaves: &Leaves, _row: Row<'_>) {}
    /// Takes a row back.
    pub fn retract(&mut self, _leaves: &Leaves, _row: Row<'_>) -> Retract {
        Retract::Rebuild
    }
    /// Forgets what no window can see as of `now` or later.
    pub fn prune(&mut self, _leaves: &Leaves, _now: Ts) {}
}
