//! The change feed: what a batch changed, written in its transaction, for whoever follows the record (audiences, webhooks,
//! an analytic store).
//!
//! One entry a batch: who changed and which events were decided; what they are now the record says. A reader sees
//! entries in one order and never skips one: an entry shows only when no transaction that could still come before it
//! is running. Each consumer keeps its own position; what all are done with is forgotten.

use zhiyin_model::id::MemberId;

/// A place in the feed: first by the transaction that wrote it, then by its own number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Transactions that were begun before.
    pub tx: i64,
    /// Its number.
    pub no: i64,
}

/// How far transactions hold the feed back: what one of them writes shows once all that began before it are over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Horizon {
    /// All that began before this one are over.
    pub running: i64,
    /// The first that has not begun. Where it is no more than `running`, nothing is held back.
    pub next: i64,
}

/// What one batch changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub position: Position,
    /// Members that are new or changed, or ended because they are others.
    pub members: Vec<MemberId>,
    /// Places of the events that were decided or derived.
    pub events: Vec<i64>,
}
