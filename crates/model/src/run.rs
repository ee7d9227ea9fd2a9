//! Runs: where a member stands in campaigns, what was sent to them, and what happened on the way.
//!
//! All that decides lies in the member's row and is bounded ([`Runs`]); what happened is written once and never changed
//! ([`RunMove`]). What is said to a member, or asked of their advisor, is a [`Note`]: a row that its channel reads.

mod hours;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use hours::{HOUR_COUNT_MAX, Hours, SLOTS, hour_of, slot_of};

use crate::id::{EventId, MemberId, NoteId, RunId};
use crate::time::Ts;

/// The most runs of a member that are open at once.
pub const OPEN_MAX: usize = 32;
/// How many keys of a campaign are remembered for a member.
pub const KEYS_MAX: usize = 64;
/// How many runs of a member that are over are watched for their goal.
pub const OVER_MAX: usize = 64;
/// How many sends to a member are remembered, for caps: more than that are not made within the longest of them.
pub const SENT_MAX: usize = 128;
/// How long sends are remembered, in days: no cap looks further back.
pub const SENT_DAYS: i64 = 31;
/// Members fall into so many buckets, of which some are held out.
pub const BUCKETS: u32 = 10_000;

/// Where a member stands in all campaigns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runs {
    /// Runs that are open, the oldest first.
    pub open: Vec<Run>,
    /// What is over, by campaign.
    pub past: BTreeMap<String, Past>,
    /// What was sent, or would have been to who is held out, the oldest first.
    pub sent: Vec<Sent>,
    /// When they first saw something that sells nothing.
    pub touched: Option<Ts>,
    /// In which bucket they are for what everybody is held out by; it stays.
    pub bucket: Option<u32>,
    /// Runs that are over, whose goal counts for a while yet; the first that ended first.
    #[serde(default)]
    pub over: Vec<Over>,
    /// How much of what was sent they saw, by time of day.
    #[serde(default)]
    pub hours: Hours,
}

/// A run: one way of a member through a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Hash of (member, campaign, key).
    pub id: RunId,
    /// The campaign.
    pub campaign: String,
    /// What it is about, such as an order: once for each; empty where there is none.
    pub key: String,
    /// When it began.
    pub since: Ts,
    /// The step at which it stands, by its place in the playbook.
    pub place: String,
    /// Since when it stands there; `None` where it has yet to begin it.
    pub waits: Option<Ts>,
    /// When it goes on by itself at the latest; [`Ts::FOREVER`] where only something that happens moves it.
    pub due: Ts,
    /// They are held out: they go the same way, and get nothing.
    pub held: bool,
    /// In which two hours of the day what is to be sent at this step is best sent, once that was drawn.
    #[serde(default)]
    pub hour: Option<u8>,
}

/// A run that is over, whose goal still counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Over {
    /// Which run it was.
    pub id: RunId,
    /// Of which campaign.
    pub campaign: String,
    /// When it began.
    pub since: Ts,
    /// The last instant at which its goal counts.
    pub until: Ts,
}

/// What is known of a member's runs of a campaign, over or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// How often it began.
    pub begun: u32,
    /// When it last began.
    pub last: Ts,
    /// The bucket by which they are held out, or not; it stays.
    pub bucket: u32,
    /// Two people met in them, of whom one was held out: they measure nothing.
    pub mixed: bool,
    /// Hashes of the last keys.
    pub keys: Vec<u64>,
    /// Which way they go at each split, by its place, from 0: drawn once, it stays. (Of splits there are as many as steps.)
    #[serde(default)]
    pub ways: BTreeMap<String, u16>,
}

/// Something that was sent, or would have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Which.
    pub id: NoteId,
    /// When.
    pub at: Ts,
    /// On which channel.
    pub channel: String,
    /// For which purpose.
    pub purpose: String,
    /// Whether it sells something.
    pub sells: bool,
    /// Whether caps count it: not what was promised.
    pub counts: bool,
    /// It was only counted: they are held out.
    pub held: bool,
    /// They saw it soon enough for its time of day to have been a good one.
    #[serde(default)]
    pub seen: bool,
}

impl Runs {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// When the next of them is due.
    pub fn next_due(&self) -> Ts {
        self.open.iter().map(|run| run.due).min().unwrap_or(Ts::FOREVER)
    }
}

/// What happened in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunMoveKind {
    /// It began.
    Began,
    /// It did not begin, and why.
    NotBegun,
    /// A message went out.
    Sent,
    /// It would have: they are held out.
    HeldOut,
    /// It waits for a time at which it may be sent, or for room.
    Delayed,
    /// It was not sent, and why.
    NotSent,
    /// A coupon was issued.
    Coupon,
    /// It was not, or points were not, and why.
    NoCoupon,
    /// Points were given.
    Points,
    /// A tag or an attribute changed, or a webhook is told.
    Marked,
    /// The goal was reached.
    Goal,
    /// It ended, and why.
    Ended,
    /// Two people who turned out to be one were in both arms.
    Mixed,
    /// It went one of the ways of a split: an arm of an experiment, by its number from 1.
    Arm,
}

impl RunMoveKind {
    /// All of them, in the order of their stored numbers.
    pub const ALL: [Self; 14] = [
        Self::Began,
        Self::NotBegun,
        Self::Sent,
        Self::HeldOut,
        Self::Delayed,
        Self::NotSent,
        Self::Coupon,
        Self::NoCoupon,
        Self::Points,
        Self::Marked,
        Self::Goal,
        Self::Ended,
        Self::Mixed,
        Self::Arm,
    ];

    /// Its stable number, as stored.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// The kind of a stored number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::NotBegun => "not_begun",
            Self::Sent => "sent",
            Self::HeldOut => "held_out",
            Self::Delayed => "delayed",
            Self::NotSent => "not_sent",
            Self::Coupon => "coupon",
            Self::NoCoupon => "no_coupon",
            Self::Points => "points",
            Self::Marked => "marked",
            Self::Goal => "goal",
            Self::Ended => "ended",
            Self::Mixed => "mixed",
            Self::Arm => "arm",
        }
    }
}

/// So ends why something was not sent ([`RunMoveKind::NotSent`]) of which it was told before that it was ([`RunMoveKind::Sent`], of
/// the same run and step), where it turned out that nobody got it: then that counts for nothing.
pub const NOBODY: &str = "; nobody got it";

/// Something that happened in a run. Written once, never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunMove {
    /// Whose.
    pub member: MemberId,
    /// Of which campaign.
    pub campaign: String,
    /// Which run.
    pub run: RunId,
    /// What.
    pub kind: RunMoveKind,
    /// At which step, by its place; empty where it is about none.
    pub place: String,
    /// Why: a name, or each guard-rail in its order with what it said.
    pub why: String,
    /// When, in business time.
    pub at: Ts,
    /// The event that caused it.
    pub event: EventId,
}

/// Where something that was said stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoteState {
    /// Nobody saw it yet.
    Open,
    /// It was seen.
    Seen,
    /// What it asks for was done.
    Done,
}

impl NoteState {
    /// All of them, in the order of their stored numbers.
    pub const ALL: [Self; 3] = [Self::Open, Self::Seen, Self::Done];

    /// Its stable number, as stored.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// The state of a stored number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Seen => "seen",
            Self::Done => "done",
        }
    }
}

/// Something said to a member on a channel, or asked of their advisor: a row of the outbox. Its id is its idempotency key: of a
/// step of a run there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Begins as the member's id does; then a hash of (run, step).
    pub id: NoteId,
    /// Whose.
    pub member: MemberId,
    /// On which channel.
    pub channel: String,
    /// Of which campaign.
    pub campaign: String,
    /// Which message of the playbook.
    pub message: String,
    /// When it was said.
    pub at: Ts,
    /// Where it stands.
    pub state: NoteState,
    /// The event that caused it.
    pub cause: EventId,
}

/// Something that a decision says, with what its text is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// What, to whom, on which channel.
    pub note: Note,
    /// The variables of its text.
    pub variables: BTreeMap<String, String>,
    /// Channels to be tried next, in order, where it does not arrive.
    pub others: Vec<String>,
    /// In which run.
    pub run: RunId,
    /// At which step of it.
    pub place: String,
}

/// What decisions say of campaigns.
#[derive(Clone, Debug, Default)]
pub struct RunEffects {
    /// What happened, in order.
    pub moves: Vec<RunMove>,
    /// What is said.
    pub notes: Vec<Saying>,
    /// Where what was said before stands from now on.
    pub changed: Vec<(NoteId, MemberId, NoteState)>,
}

impl RunEffects {
    /// Whether they say nothing.
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty() && self.notes.is_empty() && self.changed.is_empty()
    }
}

/// The pool that says whether a campaign is paused (1) or stopped (2).
pub fn halt_of(campaign: &str) -> String {
    format!("campaign/{campaign}/halt")
}

/// The pool that says whether any campaign was ever halted: where none was, nobody needs to look for each of them.
pub const HALTED: &str = "campaigns/halted";

/// The pool that counts what a campaign's runs came to.
pub fn count_of(campaign: &str, what: &str) -> String {
    format!("campaign/{campaign}/{what}")
}

/// The pool of what a campaign's coupons and points cost at most, in minor units.
pub fn cost_of(campaign: &str) -> String {
    count_of(campaign, "cost")
}

/// The pool of what a campaign's messages on a channel came to that cost something: `taken` (how many), `parts` (as how many they were
/// billed) or `cost` (in ten-thousandths of the brand's money).
pub fn spent_of(campaign: &str, channel: &str, what: &str) -> String {
    count_of(campaign, &format!("{channel}/{what}"))
}

/// The pool of what a channel takes in a day.
pub fn quota_of(channel: &str, day: impl std::fmt::Display) -> String {
    format!("channel/{channel}/{day}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_numbers_stay() {
        for (code, kind) in RunMoveKind::ALL.into_iter().enumerate() {
            assert_eq!(RunMoveKind::from_code(i16::try_from(code).unwrap()), Some(kind), "{}", kind.name());
        }
        for (code, state) in NoteState::ALL.into_iter().enumerate() {
            assert_eq!(NoteState::from_code(i16::try_from(code).unwrap()), Some(state), "{}", state.name());
        }
    }
}
