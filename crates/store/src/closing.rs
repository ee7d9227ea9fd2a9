//! The books by month: what was owed to members at its beginning, what moved, what is owed at its end; and months that are
//! closed, and stay what they were.
//!
//! A transfer belongs to the month of the instant at which it was booked (`at`). Where that month is closed by then it belongs to
//! the first that is open (*late*): the databases see to that by a trigger, whoever books. A closed month is read from its
//! lines, which are one chain of hashes. [`Closing`] is what a store keeps of it; what is asked of lines that people look at
//! is made in the engine.

mod audit;
mod coupons;

use async_trait::async_trait;
use zhiyin_model::effect::{Asset, House, TransferKind};
use zhiyin_model::id::IdKey;
use zhiyin_model::month::Month;
use zhiyin_model::time::Ts;

use crate::Result;

pub use audit::{Booked, Late, MonthLines, checks, coupon_late, said};
pub use coupons::{CouponFlow, CouponLine, CouponMoves, CouponStand, CouponSums, CouponsBooked};

/// By what lines tell members apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// Not at all.
    All,
    /// By their home store: where they ordered last.
    Store,
    /// By their tier.
    Tier,
}

impl Cut {
    /// All of them, in the order of their stored numbers.
    pub const ALL: [Self; 3] = [Self::All, Self::Store, Self::Tier];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Store => "store",
            Self::Tier => "tier",
        }
    }

    /// Its stable number, as stored.
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The cut of a stored number.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|cut| cut.code() == code)
    }
}

/// What moved, by column of the books; above zero where more is owed for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// For orders.
    pub earned: i64,
    /// Spent.
    pub spent: i64,
    /// Expired.
    pub expired: i64,
    /// Taken back with orders, and spends that came back.
    pub reversed: i64,
    /// Given and taken by hand, gifts between members, debt written off.
    pub adjusted: i64,
    /// Owed by an old system.
    pub taken_over: i64,
    /// Between members who were merged or parted; and, in a cut, what went elsewhere with its member.
    pub moved: i64,
}

impl Moves {
    /// Adds what transfers of a kind come to.
    pub fn add(&mut self, kind: TransferKind, amount: i64) {
        let (house, side) = kind.sides();
        let column = match (house, kind) {
            (_, TransferKind::TakeBack | TransferKind::Return) => &mut self.reversed,
            (House::Issued, _) => &mut self.earned,
            (House::Spent, _) => &mut self.spent,
            (House::Expired, _) => &mut self.expired,
            (House::Adjusted, _) => &mut self.adjusted,
            (House::TakenOver, _) => &mut self.taken_over,
            (House::Moved, _) => &mut self.moved,
        };
        *column += side * amount;
    }

    /// All columns, in their order.
    pub const fn columns(&self) -> [i64; 7] {
        [self.earned, self.spent, self.expired, self.reversed, self.adjusted, self.taken_over, self.moved]
    }

    /// From all columns.
    pub const fn of(columns: [i64; 7]) -> Self {
        let [earned, spent, expired, reversed, adjusted, taken_over, moved] = columns;
        Self { earned, spent, expired, reversed, adjusted, taken_over, moved }
    }

    /// What they come to.
    pub fn sum(&self) -> i64 {
        self.columns().iter().sum()
    }
}

/// A line of a month: `opening` and what moved is `closing`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of what.
    pub asset: Asset,
    /// By what it is told apart.
    pub cut: Cut,
    /// A store or a tier; empty for all, and for members who have none.
    pub value: String,
    /// Owed at the beginning.
    pub opening: i64,
    /// What moved.
    pub moves: Moves,
    /// Owed at the end.
    pub closing: i64,
    /// What that is worth, in minor units; nothing where the playbook says no worth.
    pub liability_minor: Option<i64>,
}

impl Line {
    /// The opening, what moved, the closing.
    pub const fn columns(&self) -> [i64; 9] {
        let [a, b, c, d, e, f, g] = self.moves.columns();
        [self.opening, a, b, c, d, e, f, g, self.closing]
    }

    /// From its columns, what they are of, and what they are worth.
    pub fn of(
        (asset, cut, value): (Asset, Cut, String),
        columns: [i64; 9],
        liability_minor: Option<i64>,
    ) -> Self {
        let [opening, a, b, c, d, e, f, g, closing] = columns;
        Self { asset, cut, value, opening, moves: Moves::of([a, b, c, d, e, f, g]), closing, liability_minor }
    }
}

/// A month that is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Which.
    pub month: Month,
    /// Its first instant.
    pub start: Ts,
    /// The first instant after it.
    pub until: Ts,
    /// When it was closed, in business time.
    pub closed_at: Ts,
    /// By whom.
    pub closed_by: String,
    /// The version of the playbook that was live then.
    pub version: i64,
    /// What was worth what then: minor units of money for points.
    pub worth: Option<(i64, i64)>,
    /// The chain up to here; nothing while its lines are not written down yet.
    pub hash: Option<[u8; 32]>,
    /// Whether coupons are among what it says: not of a month that was closed before they were.
    pub coupons: bool,
}

impl Closed {
    /// The chain up to it as 64 hexadecimal digits; nothing while its lines are not written down yet.
    pub fn hash_text(&self) -> String {
        let hash = self.hash.map(|hash| hash.map(|byte| format!("{byte:02x}")).concat());
        hash.unwrap_or_default()
    }
}

/// What was owed to members who have a store and a tier in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// Where they ordered last by then.
    pub store: Option<String>,
    /// Their tier then.
    pub tier: Option<String>,
    /// How much, less debt.
    pub amount: i64,
}

/// What transfers of a kind came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Where the member had ordered last by the end.
    pub store: Option<String>,
    /// Their tier when it was booked.
    pub tier: Option<String>,
    /// Of which kind.
    pub kind: TransferKind,
    /// How much.
    pub amount: i64,
}

/// Sums of an asset over spans of time that follow each other, of one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// What was owed at the first bound, of what counts before it; nothing where it was not asked.
    pub opening: Vec<Stand>,
    /// From each bound to the next.
    pub spans: Vec<Spanned>,
}

/// Sums of an asset over a span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spanned {
    /// What moved.
    pub flows: Vec<Flow>,
    /// What was owed at its end, of what counts before it.
    pub closing: Vec<Stand>,
}

/// What became of closing a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// It is closed from now on.
    Done,
    /// It is closed already, another has no lines yet, or it begins before the last one's end.
    Passed,
    /// History is coming in, which is booked at its own time.
    Importing,
    /// None is closed yet, and something was booked before it.
    NotFirst,
    /// Batches under way did not end in time: it may be tried again.
    Busy,
}

/// What a home keeps of its books by month.
#[async_trait]
pub trait Closing: Send + Sync {
    /// Months that are closed, the first first.
    async fn closed(&self) -> Result<Vec<Closed>>;
    /// The lines of a closed month, by asset, cut and value.
    async fn lines(&self, month: Month) -> Result<Vec<Line>>;
    /// From now on a month is closed (its `hash` is ignored): what is booked with an instant before its end comes later. Where
    /// it is not [`Close::Done`] nothing is written. Whether it may be closed is looked at in the same transaction.
    async fn close(&self, month: Closed) -> Result<Close>;
    /// Writes down the lines of a closed month and the chain up to it. False, and nothing is written, where they are there.
    async fn write_down(&self, month: Month, lines: Vec<Line>, hash: [u8; 32]) -> Result<bool>;
    /// When the first member is to be woken, of all shares.
    async fn first_wake(&self) -> Result<Option<Ts>>;
    /// When the first transfer of an asset that moves something was booked.
    async fn begins(&self, asset: Asset) -> Result<Option<Ts>>;
    /// Sums of an asset between bounds, which rise; at the first of them only where asked.
    async fn sums(&self, asset: Asset, bounds: Vec<Ts>, at_first: bool) -> Result<Sums>;
    /// The lines of coupons of a closed month, by offer, cut and value.
    async fn coupon_lines(&self, month: Month) -> Result<Vec<CouponLine>>;
    /// Writes down the lines of coupons of a closed month, before [`Closing::write_down`]; those that are there stay.
    async fn put_coupon_lines(&self, month: Month, lines: Vec<CouponLine>) -> Result<()>;
    /// When the first coupon was issued.
    async fn coupons_begin(&self) -> Result<Option<Ts>>;
    /// Sums of coupons between bounds, which rise; at the first of them only where asked.
    async fn coupon_sums(&self, bounds: Vec<Ts>, at_first: bool) -> Result<CouponSums>;
}

/// What comes before the first month.
pub const BEGINNING: [u8; 32] = [0; 32];

/// The chain up to a month: a hash, keyed by the home, over the one before and all that the month says.
pub fn chained(
    key: &IdKey,
    before: &[u8; 32],
    closed: &Closed,
    (lines, coupons): (&[Line], &[CouponLine]),
) -> [u8; 32] {
    let numbers = |numbers: &[i64]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    let (minor, points) = closed.worth.unwrap_or_default();
    let head = [
        i64::from(closed.month.code()),
        closed.start.0,
        closed.until.0,
        closed.closed_at.0,
        closed.version,
        minor,
        points,
    ];
    let mut parts: Vec<Vec<u8>> =
        vec![before.to_vec(), numbers(&head), closed.closed_by.clone().into_bytes()];
    for line in lines {
        let mut said = vec![line.asset.code(), line.cut.code()];
        said.extend(line.columns());
        said.extend([i64::from(line.liability_minor.is_some()), line.liability_minor.unwrap_or(0)]);
        parts.extend([numbers(&said), line.value.clone().into_bytes()]);
    }
    parts.extend(coupons::said(closed, coupons));
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    key.digest_wide("books", &parts)
}
