//! What a decision says must become true: rows of the ledger, orders, terms, moves, timers. A flush writes
//! them in one transaction; a simulation only counts them.

use serde::{Deserialize, Serialize};

use crate::id::{EventId, MemberId, OrderId, TransferId};
use crate::money::Money;
use crate::time::{Day, Ts};

/// What can be earned or spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asset {
    /// Points: spent, expire, have lots.
    Points,
    /// Growth: what tiers are judged by. It is neither spent nor does it expire, so its parts are the
    /// orders it came from and it has no lots.
    Growth,
}

impl Asset {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Points, Self::Growth];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Points => "points",
            Self::Growth => "growth",
        }
    }

    /// Its stable number, as stored.
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The asset of a stored number.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|asset| asset.code() == code)
    }

    /// Whether the brand owes it to members: what the books of a month speak of. Growth is a measure, nobody can claim it.
    pub const fn is_owed(self) -> bool {
        matches!(self, Self::Points)
    }

    /// Whether what is earned is kept in lots.
    pub const fn has_lots(self) -> bool {
        matches!(self, Self::Points)
    }
}

/// Why a transfer was made. The brand's own account on its other side follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferKind {
    /// issued → member, for an order.
    Earn,
    /// member → issued, because the order came back.
    TakeBack,
    /// member → spent.
    Spend,
    /// spent → member: a spend comes back into its very lots.
    Return,
    /// member → expired.
    Expire,
    /// adjusted → member, by a person.
    Give,
    /// member → adjusted, by a person.
    Withdraw,
    /// A promise to spend: moves nothing, lowers what can be spent.
    Hold,
    /// The end of a hold without a spend: moves nothing.
    Release,
    /// member → moved: what was theirs is another's from now on, who is the same person or was taken for them.
    MoveOut,
    /// moved → member.
    MoveIn,
    /// taken over → member: what an old system owed them, owed here from the first day.
    TakeOver,
}

/// The brand's side of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum House {
    /// What members earned.
    Issued,
    /// What they spent.
    Spent,
    /// What expired.
    Expired,
    /// What people gave or took.
    Adjusted,
    /// Between two members that were merged or parted: always empty.
    Moved,
    /// What members had in an old system.
    TakenOver,
}

impl House {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Spent => "spent",
            Self::Expired => "expired",
            Self::Adjusted => "adjusted",
            Self::Moved => "moved",
            Self::TakenOver => "taken_over",
        }
    }
}

impl TransferKind {
    /// All of them, in the order of their stored numbers.
    pub const ALL: [Self; 12] = [
        Self::Earn,
        Self::TakeBack,
        Self::Spend,
        Self::Return,
        Self::Expire,
        Self::Give,
        Self::Withdraw,
        Self::Hold,
        Self::Release,
        Self::MoveOut,
        Self::MoveIn,
        Self::TakeOver,
    ];

    /// Its stable number, as stored.
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The kind of a stored number.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Earn => "earn",
            Self::TakeBack => "take_back",
            Self::Spend => "spend",
            Self::Return => "return",
            Self::Expire => "expire",
            Self::Give => "give",
            Self::Withdraw => "withdraw",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::MoveOut => "move_out",
            Self::MoveIn => "move_in",
            Self::TakeOver => "take_over",
        }
    }

    /// The brand's account on the other side, and whether the member receives (+1), gives (−1) or neither (0).
    pub const fn sides(self) -> (House, i64) {
        match self {
            Self::Earn => (House::Issued, 1),
            Self::TakeBack => (House::Issued, -1),
            Self::Spend => (House::Spent, -1),
            Self::Return => (House::Spent, 1),
            Self::Expire => (House::Expired, -1),
            Self::Give => (House::Adjusted, 1),
            Self::Withdraw => (House::Adjusted, -1),
            Self::Hold | Self::Release => (House::Spent, 0),
            Self::MoveOut => (House::Moved, -1),
            Self::MoveIn => (House::Moved, 1),
            Self::TakeOver => (House::TakenOver, 1),
        }
    }
}

/// One movement between a member's account and one of the brand's. Written once, never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Hash of (event, rule, ordinal).
    pub id: TransferId,
    /// Whose account.
    pub member: MemberId,
    /// Of what.
    pub asset: Asset,
    /// Why.
    pub kind: TransferKind,
    /// How much; above zero.
    pub amount: i64,
    /// The event that caused it.
    pub event: EventId,
    /// Its number among the transfers of that event.
    pub ordinal: u32,
    /// When it was booked, in business time.
    pub at: Ts,
    /// The day it counts for: the order's, for growth.
    pub day: Day,
    /// The transfer it undoes, posts or releases.
    pub reverses: Option<TransferId>,
    /// The order it belongs to.
    pub order: Option<OrderId>,
}

/// What one earning left, and until when it can be spent. Named by the transfer that opened it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// The transfer that opened it.
    pub id: TransferId,
    /// Whose.
    pub member: MemberId,
    /// Of what.
    pub asset: Asset,
    /// How much it was.
    pub granted: i64,
    /// How much is left.
    pub remaining: i64,
    /// From when it can be spent.
    pub active_at: Ts,
    /// From when it no longer can; [`Ts::FOREVER`] if never.
    pub expires_at: Ts,
    /// False while it waits for `active_at`.
    pub active: bool,
}

impl Lot {
    /// The spending order (semantics 9).
    pub fn spending_key(&self) -> (Ts, Ts, TransferId) {
        (self.expires_at, self.active_at, self.id)
    }
}

/// How much a transfer took from (below zero: gave back to) a lot; without a lot, from debt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The transfer.
    pub transfer: TransferId,
    /// The lot, or `None` for debt.
    pub lot: Option<TransferId>,
    /// How much; below zero when it was given back.
    pub amount: i64,
}

/// A promise to spend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The transfer that opened it.
    pub id: TransferId,
    /// Whose.
    pub member: MemberId,
    /// Of what.
    pub asset: Asset,
    /// How much.
    pub amount: i64,
    /// False once posted or voided.
    pub open: bool,
}

/// A past transfer with its allocations, and what has come back of it.
#[derive(Clone, Debug)]
pub struct PastTransfer {
    /// The transfer.
    pub transfer: Transfer,
    /// (lot or debt, amount) it took.
    pub allocations: Vec<(Option<TransferId>, i64)>,
    /// What later transfers that name it have undone.
    pub undone: i64,
}

/// How an order stood from an instant on: for reports as of a past date.
#[derive(Clone, Debug)]
pub struct OrderChange {
    /// The order.
    pub order: OrderId,
    /// From when.
    pub at: Ts,
    /// What was paid.
    pub paid: Money,
    /// What had come back.
    pub refunded: Money,
    /// Whether it counted.
    pub counts: bool,
    /// True for how it stood at first: written unless something stands there already.
    pub first: bool,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// A payment notice came before the order itself: known, not yet earning.
    Announced,
    /// Placed and paid.
    Placed,
    /// Never was.
    Cancelled,
    /// No order: it stands for the growth that a member brought from an old system, since growth is what orders keep of it.
    /// It never counts, and goes wherever the member's orders go.
    TakenOver,
}

impl OrderStatus {
    /// Its stable number, as stored.
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The status of a stored number.
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::Announced, Self::Placed, Self::Cancelled, Self::TakenOver]
            .into_iter()
            .find(|status| status.code() == code)
    }
}

/// What an order earned by, and how much of it is still kept. Kept with the order, so that a refund uses the
/// order's own terms whatever the playbook says by then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderTerms {
    /// Base earning rules as (points, per whole major units).
    pub points: Vec<(i64, i64)>,
    /// The order's own multiplier, in thousandths.
    pub times: u32,
    /// Base growth rules as (growth, per whole major units).
    pub growth: Vec<(i64, i64)>,
    /// Points of it that were granted and not taken back.
    pub points_kept: i64,
    /// Growth of it that was granted and not taken back.
    pub growth_kept: i64,
    /// Lots it opened.
    pub lots: Vec<TransferId>,
    /// When its points expire.
    pub expires_at: Ts,
    /// Pieces that came back, by line, in thousandths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returned: Vec<(u32, i64)>,
    /// How it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The highest version that its source told of it, where that counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// An order, as far as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Hash of (namespace, number).
    pub id: OrderId,
    /// Whose.
    pub member: MemberId,
    /// When it was placed.
    pub time: Ts,
    /// Where.
    pub store: Option<String>,
    /// Through what.
    pub channel: Option<String>,
    /// What was paid.
    pub paid: Money,
    /// What came back of it.
    pub refunded: Money,
    /// Where it stands.
    pub status: OrderStatus,
    /// The event whose lines are the order's.
    pub event: EventId,
    /// What it earned by.
    pub terms: OrderTerms,
}

impl Order {
    /// Whether it counts in history (semantics 11).
    pub fn counts(&self) -> bool {
        self.status == OrderStatus::Placed && (self.refunded.0 == 0 || self.refunded < self.paid)
    }
}

/// A lifecycle move, with its date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageMove {
    /// Who.
    pub member: MemberId,
    /// From where; `None` at first.
    pub from: Option<String>,
    /// To where.
    pub to: String,
    /// When.
    pub at: Ts,
    /// Why.
    pub event: EventId,
}

/// A tag that was put on or taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagMove {
    /// Who.
    pub member: MemberId,
    /// Which.
    pub tag: String,
    /// On or off.
    pub on: bool,
    /// When.
    pub at: Ts,
    /// Why.
    pub event: EventId,
}

/// What passes between a brand and a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartnerDeed {
    /// The partner's code brought somebody whom nobody knew.
    BroughtNew,
    /// The partner's code brought somebody who was here already.
    BroughtKnown,
    /// We gave a member the partner's code.
    Sent,
    /// The partner says that a member used it.
    Redeemed,
}

impl PartnerDeed {
    /// All of them, in the order of their stored numbers.
    pub const ALL: [Self; 4] = [Self::BroughtNew, Self::BroughtKnown, Self::Sent, Self::Redeemed];

    /// Its stable number, as stored.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// The deed of a stored number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| deed.code() == code)
    }
}

/// Something passed between the brand and a partner, about a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerMove {
    /// Whom it is about.
    pub member: MemberId,
    /// The partner's code.
    pub partner: String,
    /// What.
    pub deed: PartnerDeed,
    /// When it happened.
    pub at: Ts,
    /// Why.
    pub event: EventId,
}

/// What a timer is for, in the order in which timers of one instant fire (semantics 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// Held-back points become spendable.
    Activate,
    /// A tier's term ends.
    Tier,
    /// Points expire.
    Expire,
    /// A lifecycle stage can no longer be taken for granted.
    Lifecycle,
    /// A tag can no longer be taken for granted.
    Tags,
}

impl TimerKind {
    /// All of them, in firing order.
    pub const ALL: [Self; 5] = [Self::Activate, Self::Tier, Self::Expire, Self::Lifecycle, Self::Tags];

    /// Its stable number, as stored.
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The kind of a stored number.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Tier => "tier",
            Self::Expire => "expire",
            Self::Lifecycle => "lifecycle",
            Self::Tags => "tags",
        }
    }
}

/// A member's timer: its kind, and which one of that kind (0, or the instant for activation and expiry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerKey {
    /// What for.
    pub kind: TimerKind,
    /// Which.
    pub which: i64,
}

/// A fact that a decision states: it goes to the log, and into the inbox when it is about someone else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// Event name.
    pub name: &'static str,
    /// About whom.
    pub member: MemberId,
    /// When.
    pub at: Ts,
    /// What caused it.
    pub cause: EventId,
    /// Its number among those of its cause.
    pub ordinal: u32,
    /// Its properties, as canonical JSON.
    pub body: String,
}
