//! What was taken over from an old system, as the record has it: to be laid beside the file it came from.

use std::collections::BTreeMap;

use zhiyin_model::time::Ts;

/// What one source of a take-over came to. Sums are of what the take-over itself booked: what members did since does not
/// change them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenOver {
    /// Members taken over: rows that were not refused. Once nothing waits, these are the decided ones.
    pub members: i64,
    /// Rows that are in the inbox, decided or not.
    pub rows: i64,
    /// Points.
    pub points: i64,
    /// Growth.
    pub growth: i64,
    /// Points by when they expire.
    pub expiring: BTreeMap<Ts, i64>,
    /// Members by the tier with which they came.
    pub tiers: BTreeMap<String, i64>,
    /// Members who came without a term of their own: they had a better one here.
    pub kept_tier: i64,
    /// Members who stood higher at once, since their growth holds a better tier than the one they came with.
    pub raised: i64,
    /// Members by tag that was put on.
    pub tags: BTreeMap<String, i64>,
    /// Rows that could not be decided, by the name of why.
    pub refused: BTreeMap<String, i64>,
}
