//! Coupons: what is issued to a member and can be redeemed once, where each stands, and how often offers were whose.
//!
//! A coupon lies in one account at a time, and every step is a move from one account to another, written once: per offer all
//! accounts sum to zero, and where a coupon stands is what its moves come to. What a brand has bounded (so many pieces, so much
//! money) is a pool, of which only what is taken is kept; how much there is in all the playbook says.

pub mod codes;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::id::{CheckoutId, CouponId, EventId, IdKey, MemberId, OrderId, TransferId};
use crate::time::{Day, Ts};

/// Where a coupon stands: an account of its offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CouponAccount {
    /// With the brand: it was not issued yet.
    Stock,
    /// With a member, to be used.
    Held,
    /// With a member, promised to a checkout.
    Locked,
    /// Used.
    Redeemed,
    /// Its time is over.
    Expired,
    /// Taken back, by a person or because it was not used in its time: its piece is there for others.
    Withdrawn,
}

impl CouponAccount {
    /// All of them, in the order of their stored numbers.
    pub const ALL: [Self; 6] =
        [Self::Stock, Self::Held, Self::Locked, Self::Redeemed, Self::Expired, Self::Withdrawn];

    /// Its stable number, as stored.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// The account of a stored number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|account| account.code() == code)
    }

    /// How the state of a coupon in it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::Held => "active",
            Self::Locked => "locked",
            Self::Redeemed => "redeemed",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether the coupon is a member's still.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Held | Self::Locked)
    }
}

/// Why a coupon moved. Both accounts follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CouponMoveKind {
    /// It was given to a member.
    Issue,
    /// A checkout holds it.
    Lock,
    /// A checkout let go of it.
    Unlock,
    /// It was used.
    Redeem,
    /// What it was used for came back, and its time is not over.
    Return,
    /// What it was used for came back, and its time is over.
    Lapse,
    /// Its time is over.
    Expire,
    /// It was taken back: by a person, or because it was not used in its time.
    Withdraw,
}

impl CouponMoveKind {
    /// All of them, in the order of their stored numbers.
    pub const ALL: [Self; 8] = [
        Self::Issue,
        Self::Lock,
        Self::Unlock,
        Self::Redeem,
        Self::Return,
        Self::Lapse,
        Self::Expire,
        Self::Withdraw,
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
            Self::Issue => "issue",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Redeem => "redeem",
            Self::Return => "return",
            Self::Lapse => "lapse",
            Self::Expire => "expire",
            Self::Withdraw => "withdraw",
        }
    }

    /// The account that gives, and the one that takes.
    pub const fn sides(self) -> (CouponAccount, CouponAccount) {
        use CouponAccount::{Expired, Held, Locked, Redeemed, Stock, Withdrawn};
        match self {
            Self::Issue => (Stock, Held),
            Self::Lock => (Held, Locked),
            Self::Unlock => (Locked, Held),
            Self::Redeem => (Locked, Redeemed),
            Self::Return => (Redeemed, Held),
            Self::Lapse => (Redeemed, Expired),
            Self::Expire => (Held, Expired),
            Self::Withdraw => (Held, Withdrawn),
        }
    }
}

/// A coupon as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon {
    /// Hash of its code.
    pub id: CouponId,
    /// Whose.
    pub member: MemberId,
    /// Of which offer.
    pub offer: String,
    /// Hash of the terms under which it was issued: they stand, whatever the playbook says by then.
    pub terms: [u8; 16],
    /// Where it stands.
    pub account: CouponAccount,
    /// From when it can be used.
    pub valid_from: Ts,
    /// From when it no longer can; [`Ts::FOREVER`] if never.
    pub valid_until: Ts,
    /// When it was issued, in business time.
    pub at: Ts,
    /// The event that issued it.
    pub cause: EventId,
    /// Its number among the coupons of that event and offer.
    pub ordinal: u32,
}

impl Coupon {
    /// What people show or type.
    pub fn code(&self, key: &IdKey) -> CouponCode {
        CouponCode::of(key, self.cause, &self.offer, self.ordinal)
    }
}

/// A movement of a coupon between two accounts of its offer. Written once, never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponMove {
    /// Which.
    pub coupon: CouponId,
    /// Whose it was.
    pub member: MemberId,
    /// Of which offer.
    pub offer: String,
    /// Why.
    pub kind: CouponMoveKind,
    /// When, in business time.
    pub at: Ts,
    /// The event that caused it.
    pub event: EventId,
    /// Its number among the moves of that event.
    pub ordinal: u32,
    /// What it took off when it was used, in minor units; below zero where that came back.
    pub given: i64,
}

/// The terms of an offer in canonical form, kept once for all coupons that were issued under them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CouponTerms {
    /// Hash of the text.
    pub hash: [u8; 16],
    /// Of which offer.
    pub offer: String,
    /// The text.
    pub text: String,
}

/// What is taken of a pool, and how much there may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolTake {
    /// Which ([`stock_of`]).
    pub pool: String,
    /// How much; below zero where it is given back.
    pub amount: i64,
    /// Of how much in all; `None` where that is not bounded.
    pub size: Option<i64>,
}

/// A coupon in another account than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CouponChange {
    /// Which.
    pub id: CouponId,
    /// Whose.
    pub member: MemberId,
    /// Where it stands from now on.
    pub account: CouponAccount,
    /// Until when it can be used.
    pub valid_until: Ts,
}

/// What decisions say of coupons and pools.
#[derive(Clone, Debug, Default)]
pub struct CouponEffects {
    /// Coupons that are new.
    pub issued: Vec<Coupon>,
    /// Coupons that are in another account than before; the last of an id counts.
    pub changed: Vec<CouponChange>,
    /// How they moved, in order.
    pub moves: Vec<CouponMove>,
    /// Terms under which new ones were issued, each once; they may be known.
    pub terms: Vec<Arc<CouponTerms>>,
    /// What is taken of pools, each once.
    pub pools: Vec<PoolTake>,
    /// Coupons that bear codes of uploads, in order.
    pub codes: Vec<codes::CodeTake>,
}

impl CouponEffects {
    /// Whether they say nothing.
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty() && self.pools.is_empty()
    }

    /// Adds to what is taken of a pool.
    pub fn take(&mut self, take: PoolTake) {
        match self.pools.iter_mut().find(|known| known.pool == take.pool) {
            Some(known) => {
                known.amount += take.amount;
                known.size = take.size.or(known.size);
            }
            None => self.pools.push(take),
        }
    }

    /// Adds what another decision says.
    pub fn extend(&mut self, other: Self) {
        self.issued.extend(other.issued);
        self.changed.extend(other.changed);
        self.moves.extend(other.moves);
        for terms in other.terms {
            if self.terms.iter().all(|known| known.hash != terms.hash) {
                self.terms.push(terms);
            }
        }
        other.pools.into_iter().for_each(|take| self.take(take));
        self.codes.extend(other.codes);
    }

    /// What was taken of a pool so far.
    pub fn took(&self, pool: &str) -> i64 {
        self.pools.iter().find(|take| take.pool == pool).map_or(0, |take| take.amount)
    }

    /// Pools of which something is taken or given back, in the order of their names: so that two batches that take of the same
    /// ones wait for each other and never in a circle.
    pub fn taken(&self) -> Vec<&PoolTake> {
        let mut pools: Vec<&PoolTake> = self.pools.iter().filter(|pool| pool.amount != 0).collect();
        pools.sort_by(|a, b| a.pool.cmp(&b.pool));
        pools
    }

    /// Coupons that are in another account than before, each once as it stands in the end. What is new is written as it
    /// stands at once.
    pub fn settled(&self) -> (Vec<Coupon>, Vec<CouponChange>) {
        let last: BTreeMap<CouponId, &CouponChange> =
            self.changed.iter().map(|change| (change.id, change)).collect();
        let mut issued = self.issued.clone();
        let mut new = std::collections::BTreeSet::new();
        for coupon in &mut issued {
            new.insert(coupon.id);
            if let Some(change) = last.get(&coupon.id) {
                coupon.account = change.account;
                coupon.valid_until = change.valid_until;
            }
        }
        let changed = last.into_values().filter(|change| !new.contains(&change.id)).copied();
        (issued, changed.collect())
    }
}

/// How many of an issue to many came to something: a pool that is not bounded, by what it came to.
pub fn issue_count(no: i64, what: &str) -> String {
    format!("issue/{no}/{what}")
}

/// What an issue came to for a member to whom it was issued.
pub const ISSUED: &str = "issued";

/// The pool of an offer's pieces.
pub fn stock_of(offer: &str) -> String {
    format!("offer/{offer}/stock")
}

/// As what chances of a draw are kept: coupons of this offer, which is no offer of the playbook.
pub fn chance_of(draw: &str) -> String {
    format!("draw:{draw}")
}

/// How many symbols a code has.
pub const CODE_SYMBOLS: usize = 16;
/// Crockford's: no I, L, O, U.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What people show or type: 80 bits, unguessable without the home's id key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CouponCode([u8; 10]);

impl CouponCode {
    /// The code of a coupon by its cause, so that a retry and a replay arrive at the same.
    pub fn of(key: &IdKey, cause: EventId, offer: &str, ordinal: u32) -> Self {
        let hash = key.digest_wide("coupon code", &[cause.bytes(), offer.as_bytes(), &ordinal.to_le_bytes()]);
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&hash[..10]);
        Self(bytes)
    }

    /// By what a member's entry in a draw is known: it tells nobody who they are.
    pub fn of_entry(key: &IdKey, draw: &str, member: MemberId) -> Self {
        let hash = key.digest_wide("draw entry", &[draw.as_bytes(), member.bytes()]);
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&hash[..10]);
        Self(bytes)
    }

    /// A code as somebody typed it: small letters, dashes and blanks do not matter, nor does whether O is a zero, or I and L a
    /// one. `None` if it is none.
    pub fn typed(text: &str) -> Option<Self> {
        let mut bits: u128 = 0;
        let mut n = 0;
        for symbol in text.chars().filter(|c| !matches!(c, '-' | ' ')) {
            let symbol = match symbol.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let value = SYMBOLS.iter().position(|known| char::from(*known) == symbol)?;
            n += 1;
            if n > CODE_SYMBOLS {
                return None;
            }
            bits = bits << 5 | u128::try_from(value).ok()?;
        }
        if n != CODE_SYMBOLS {
            return None;
        }
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&bits.to_be_bytes()[6..]);
        Some(Self(bytes))
    }

    /// By what the coupon is found.
    pub fn id(&self, key: &IdKey) -> CouponId {
        key.derive("coupon", &[&self.0])
    }
}

impl fmt::Display for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0.iter().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
        for i in (0..CODE_SYMBOLS).rev() {
            let value = (bits >> (5 * i)) & 31;
            f.write_str(if i % 4 == 3 && i + 1 < CODE_SYMBOLS { "-" } else { "" })?;
            write!(
                f,
                "{}",
                SYMBOLS.get(usize::try_from(value).unwrap_or(0)).map_or('?', |s| char::from(*s))
            )?;
        }
        Ok(())
    }
}

impl fmt::Debug for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CouponCode(…)")
    }
}

/// A coupon that a member holds, as it lies in the member's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldCoupon {
    /// Of which offer.
    pub offer: String,
    /// When it was issued.
    pub at: Ts,
    /// Held or locked.
    pub account: CouponAccount,
    /// From when it can be used.
    pub valid_from: Ts,
    /// From when it no longer can; [`Ts::FOREVER`] if never.
    pub valid_until: Ts,
    /// Until when a checkout holds it, where one does.
    pub locked_until: Option<Ts>,
    /// When the member is still to be reminded, the first first.
    pub remind: Vec<Ts>,
    /// Where it is not used in its time, its piece is there for others again.
    pub gives_back: bool,
    /// What its member paid for it in points.
    pub paid: Option<PaidPoints>,
    /// The order that gave it, where it goes back with the order.
    pub order: Option<OrderId>,
}

/// What a coupon cost in points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaidPoints {
    /// The spend, which may be for several coupons.
    pub spend: TransferId,
    /// Points of it that are this coupon's, above zero.
    pub points: i64,
}

/// How often something was a member's: in all, and by day as far back as a limit looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// In all.
    pub total: u32,
    /// By day in the brand's zone, sorted, no zeros.
    pub days: Vec<(Day, u32)>,
}

/// How many days back a tally looks: no limit but that in all is longer than a month.
pub const TALLY_DAYS: i32 = 31;

impl Tally {
    /// Counts one more on a day, and forgets days that no limit can see.
    pub fn add(&mut self, day: Day, n: u32) {
        self.total = self.total.saturating_add(n);
        match self.days.binary_search_by_key(&day, |(day, _)| *day) {
            Ok(i) => self.days[i].1 = self.days[i].1.saturating_add(n),
            Err(i) => self.days.insert(i, (day, n)),
        }
        let last = self.days.last().map_or(day, |(day, _)| *day);
        self.days.retain(|(day, n)| *n > 0 && last.0 - day.0 <= TALLY_DAYS);
    }

    /// Counts one less on a day.
    pub fn take_back(&mut self, day: Day, n: u32) {
        self.total = self.total.saturating_sub(n);
        if let Ok(i) = self.days.binary_search_by_key(&day, |(day, _)| *day) {
            self.days[i].1 = self.days[i].1.saturating_sub(n);
            self.days.retain(|(_, n)| *n > 0);
        }
    }

    /// Adds what another tally counts.
    pub fn join(&mut self, other: &Self) {
        for (day, n) in &other.days {
            self.add(*day, *n);
        }
        let days: u32 = other.days.iter().map(|(_, n)| n).sum();
        self.total = self.total.saturating_add(other.total.saturating_sub(days));
    }

    /// How often on a day.
    pub fn on(&self, day: Day) -> u32 {
        self.days.binary_search_by_key(&day, |(day, _)| *day).map_or(0, |at| self.days[at].1)
    }

    /// How often since a day.
    pub fn since(&self, day: Day) -> u32 {
        self.days.iter().filter(|(on, _)| *on >= day).map(|(_, n)| n).sum()
    }
}

/// The most coupons that a member holds at once.
pub const HELD_MAX: usize = 500;

/// Coupons that a member holds, and how often offers were theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// What they hold, by id.
    pub coupons: BTreeMap<CouponId, HeldCoupon>,
    /// Coupons that were issued to them and not taken back, by offer.
    pub issued: BTreeMap<String, Tally>,
    /// Offers that they used, by offer.
    pub used: BTreeMap<String, Tally>,
    /// Checkouts that hold something for them, and until when.
    pub checkouts: BTreeMap<CheckoutId, Ts>,
}

impl Holdings {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.coupons.is_empty() && self.issued.is_empty() && self.used.is_empty() && self.checkouts.is_empty()
    }

    /// The next instant at which something of it is due: a reminder, an end, or that of a checkout's hold. What a checkout
    /// holds is let go of with it.
    pub fn next_due(&self) -> Option<Ts> {
        let dues = self.coupons.values().flat_map(|held| {
            let end = (held.account == CouponAccount::Held).then_some(held.valid_until);
            held.remind.first().copied().into_iter().chain(end)
        });
        dues.chain(self.checkouts.values().copied()).filter(|due| *due < Ts::FOREVER).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_is_shown_however_it_is_typed() {
        let key = IdKey::from_bytes([7; 32]);
        for n in 0..200 {
            let code = CouponCode::of(&key, EventId::from_bytes([1; 16]), "welcome", n);
            let shown = code.to_string();
            assert_eq!(shown.len(), CODE_SYMBOLS + 3, "{shown}");
            let sloppy = shown.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            for typed in [shown.as_str(), &sloppy, &shown.replace('-', "")] {
                assert_eq!(CouponCode::typed(typed), Some(code), "{typed}");
            }
        }
        for wrong in
            ["", "ABCD", "ABCD-EFGH-JKMN-PQR", "ABCD-EFGH-JKMN-PQRU", "ABCD-EFGH-JKMN-PQRS-T", "优惠券"]
        {
            assert_eq!(CouponCode::typed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_code_and_an_id_come_from_the_cause_and_the_key() {
        let (key, other) = (IdKey::from_bytes([7; 32]), IdKey::from_bytes([8; 32]));
        let cause = EventId::from_bytes([1; 16]);
        let code = CouponCode::of(&key, cause, "a", 0);
        assert_eq!(code, CouponCode::of(&key, cause, "a", 0));
        assert_ne!(code, CouponCode::of(&key, cause, "a", 1));
        assert_ne!(code, CouponCode::of(&key, cause, "b", 0));
        assert_ne!(code, CouponCode::of(&other, cause, "a", 0));
        assert_ne!(code.id(&key), code.id(&other));
    }

    #[test]
    fn every_move_takes_from_one_account_and_gives_to_another() {
        for kind in CouponMoveKind::ALL {
            let (gives, takes) = kind.sides();
            assert_ne!(gives, takes, "{}", kind.name());
            assert_eq!(CouponMoveKind::from_code(kind.code()), Some(kind));
        }
    }

    #[test]
    fn a_tally_counts_in_all_and_as_far_back_as_a_month() {
        let mut tally = Tally::default();
        for day in [100, 100, 110, 131, 132] {
            tally.add(Day(day), 1);
        }
        assert_eq!((tally.total, tally.since(Day(110)), tally.since(Day(132))), (5, 3, 1));
        assert_eq!(tally.days, [(Day(110), 1), (Day(131), 1), (Day(132), 1)]);
        tally.take_back(Day(132), 1);
        // Of a day that is forgotten only what is in all is left.
        tally.take_back(Day(100), 1);
        assert_eq!((tally.total, tally.since(Day(0))), (3, 2));
    }
}
