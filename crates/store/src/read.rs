//! What people ask of the record: reports, one member whole, the overview, the doctor.

use std::collections::BTreeMap;

use serde::Serialize;
use zhiyin_model::effect::{Asset, TransferKind};
use zhiyin_model::id::{MemberId, TransferId};
use zhiyin_model::member::Member;
use zhiyin_model::time::{Day, Ts};

use crate::settle::Reason;

/// An instant a report is asked for, and what it needs to judge by it.
#[derive(Clone, Copy, Debug)]
pub struct AsOf {
    /// The last instant that counts.
    pub at: Ts,
    /// Its day in the brand's zone.
    pub day: Day,
    /// How far back growth counts, in days.
    pub over_days: i32,
}

/// One member in a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberLine {
    /// Who.
    pub member: MemberId,
    /// Their identifiers, by namespace, sorted.
    pub identifiers: Vec<(String, String)>,
    /// Orders that counted.
    pub orders: i64,
    /// What was paid for them and did not come back, in minor units.
    pub paid: i64,
    /// Points as shown to the member.
    pub points: i64,
    /// Growth of the last `over_days` days.
    pub growth: i64,
    /// Tier level, if enrolled by then.
    pub tier: Option<String>,
    /// Lifecycle stage, if judged by then.
    pub stage: Option<String>,
}

/// What one kind of transfer of one asset came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerLine {
    /// Of what.
    pub asset: Asset,
    /// Why.
    pub kind: TransferKind,
    /// How many transfers.
    pub transfers: i64,
    /// How much in all.
    pub amount: i64,
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its place in the inbox.
    pub seq: i64,
    /// Who sent it.
    pub source: String,
    /// Its message id.
    pub message_id: String,
    /// Event name.
    pub name: String,
    /// When it happened.
    pub time: Ts,
    /// Why it could not be decided: name.
    pub code: String,
    /// The field at fault.
    pub field: String,
    /// A sentence.
    pub message: String,
    /// When it was given up, in business time.
    pub at: Ts,
}

/// A name of an item that was given up at the door. Its value is in the item only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// Place of the item.
    pub seq: i64,
    /// Who sent it.
    pub source: String,
    /// What the source calls it; forgotten with its month.
    pub message_id: String,
    /// When it happened.
    pub time: Ts,
    /// Whom it is about.
    pub member: Option<MemberId>,
    /// Namespace of the name.
    pub namespace: String,
    /// Why.
    pub reason: Reason,
}

/// One member whole.
#[derive(Clone, Debug)]
pub struct MemberWhole {
    /// The member.
    pub member: Member,
    /// (namespace, value), sorted.
    pub identifiers: Vec<(String, String)>,
    /// Orders that count, and what was paid for them.
    pub orders: (i64, i64),
    /// Open lots: (remaining, granted, active from, expires).
    pub lots: Vec<(i64, i64, Ts, Ts)>,
    /// Terms, oldest first: (level, from, ends).
    pub terms: Vec<(String, Ts, Day)>,
    /// Lifecycle moves, oldest first: (from, to, at).
    pub stages: Vec<(Option<String>, String, Ts)>,
    /// The latest events: (time, name, source), newest first.
    pub timeline: Vec<(Ts, String, String)>,
    /// The latest names that events of theirs gave up: (time, namespace, why), newest first.
    pub given_up: Vec<(Ts, String, Reason)>,
    /// The latest transfers, newest first.
    pub transfers: Vec<TransferLine>,
}

/// A transfer as people see it.
#[derive(Clone, Debug)]
pub struct TransferLine {
    /// Its id: what a return or a posting names.
    pub id: TransferId,
    /// When it was booked.
    pub at: Ts,
    /// Of what.
    pub asset: Asset,
    /// Why.
    pub kind: TransferKind,
    /// How much.
    pub amount: i64,
}

/// What the overview asks for.
#[derive(Clone, Copy, Debug)]
pub struct OverviewAsk {
    /// Where the lifecycle flow begins: stages as of this instant…
    pub flow_from: Ts,
    /// …against stages now.
    pub now: Ts,
    /// Difference between the brand's zone and UTC now, in microseconds: weeks and months are the brand's.
    pub zone_offset_us: i64,
}

/// What the record holds for the overview; names and words are added above.
#[derive(Clone, Debug, Default)]
pub struct OverviewRecord {
    /// Members known; enrolled; with an order.
    pub members: (i64, i64, i64),
    /// Orders that count, and what was paid for them.
    pub orders: (i64, i64),
    /// Sums of active + pending points, and of debt.
    pub points: (i64, i64),
    /// Sum of points by kind of transfer.
    pub points_by_kind: BTreeMap<&'static str, i64>,
    /// Members and their paid sum by tier.
    pub tiers: BTreeMap<String, (i64, i64)>,
    /// Members by stage.
    pub stages: BTreeMap<String, i64>,
    /// Members by (stage at `flow_from`, stage now); those unknown then have an empty first stage.
    pub flow: BTreeMap<(String, String), i64>,
    /// Orders and paid sum by the Monday of their week.
    pub weeks: BTreeMap<Day, (i64, i64)>,
    /// Points left by their last day.
    pub liability: BTreeMap<Option<Day>, i64>,
    /// Members by tag.
    pub tags: BTreeMap<String, i64>,
    /// Rows that wait, and when the oldest of them was accepted (business time).
    pub waiting: (i64, Option<Ts>),
    /// Time of the latest event.
    pub last_event: Option<Ts>,
    /// Dead letters.
    pub dead_letters: i64,
    /// Open timers, and when the next is due.
    pub timers: (i64, Option<Ts>),
}

/// One invariant, and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What must be true, as a sentence.
    pub invariant: String,
    /// What breaks it; empty when it holds.
    pub broken: Vec<String>,
}

/// How the work of a home stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Each share, by number.
    pub shares: Vec<Share>,
    /// Derived events and dead letters put back that wait.
    pub queued: i64,
    /// Dead letters.
    pub dead_letters: i64,
    /// Consumers of the change feed, and how many entries each has before it.
    pub feed: Vec<(String, i64)>,
    /// Copies of the database that follow it, and how many bytes each is behind.
    pub replicas: Vec<(String, i64)>,
}

/// One share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its number.
    pub slot: i32,
    /// Who holds it.
    pub holder: Option<String>,
    /// How often it was taken.
    pub token: i64,
    /// Batches flushed in it.
    pub batch: i64,
    /// Rows of the inbox that wait in it.
    pub waiting: i64,
    /// When the oldest of them was accepted, in business time.
    pub oldest: Option<Ts>,
}
