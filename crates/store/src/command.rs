//! What became of one item of a source: asked by who sent it and waits for it.

use zhiyin_model::id::MemberId;

use crate::read::TransferLine;

/// How the sources of commands begin. What they were refused they were told at once, so it is never put back to be tried again.
pub const COMMANDS: &str = "command:";

/// An item that came.
#[derive(Clone, Debug)]
pub struct Came {
    /// Keyed hash of its body, or of what was asked.
    pub body_hash: [u8; 16],
    /// What became of it.
    pub fate: Fate,
}

/// What became of an item.
#[derive(Clone, Debug)]
pub enum Fate {
    /// It waits to be decided.
    Waits,
    /// It was refused.
    Refused {
        /// By what name.
        code: String,
        /// The field at fault.
        field: String,
        /// A sentence.
        message: String,
    },
    /// It was decided.
    Decided {
        /// For whom.
        member: MemberId,
        /// What was booked for it, in its order.
        transfers: Vec<TransferLine>,
    },
}
