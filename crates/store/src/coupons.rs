//! Coupons as stores keep them: what a batch writes of them, what is read of them, and issues to many.
//!
//! A member's open coupons lie in the member's row ([`pack_holdings`]), so a decision needs no look-up; beside it each coupon
//! has a row of its own, found by the hash of its code, and every step is a move. What a brand has bounded is a pool: a batch
//! takes all that it needs of one with one statement, which holds what is there now against what there may be.

pub mod codes;

use std::collections::BTreeMap;

use async_trait::async_trait;
use zhiyin_model::checkout::{Checkout, CheckoutState};
use zhiyin_model::coupon::{
    Coupon, CouponAccount, CouponMoveKind, HeldCoupon, Holdings, PaidPoints, Tally, stock_of,
};
use zhiyin_model::id::{CheckoutId, CouponId, MemberId, OrderId, TransferId};
use zhiyin_model::till::pool_leased;
use zhiyin_model::time::{Day, Ts};

use crate::checkouts::StoredCheckout;
use crate::{Result, StoreError};

/// What a batch writes of coupons and pools. A store refuses the flush as [`StoreError::Short`] where less than nothing, or more
/// than there may be, would be taken of a pool.
pub use zhiyin_model::coupon::CouponEffects as CouponFlush;

/// A move as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveLine {
    /// Why.
    pub kind: CouponMoveKind,
    /// When.
    pub at: Ts,
    /// Under which version of the playbook.
    pub version: i64,
}

/// An issue to many: asked for once, by a name that tells it from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIssue {
    /// What it is known by when it is asked for again.
    pub name: String,
    /// Of which offer.
    pub offer: String,
    /// To whom, in the words of who asked.
    pub audience: String,
    /// Who asked.
    pub by: String,
    /// When, in business time.
    pub at: Ts,
}

/// An issue to many, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Its number.
    pub no: i64,
    /// What was asked.
    pub asked: NewIssue,
    /// How many members it is for, in how many parts; `None` until all of them are written down.
    pub listed: Option<(i64, i64)>,
}

/// The most members of one part of an issue.
pub const PART_MEMBERS_MAX: usize = 4096;

/// What is read of coupons, and issues to many.
#[async_trait]
pub trait Coupons: codes::Codes + Send + Sync {
    /// What it keeps of campaigns, which share pools with coupons.
    fn campaigns(&self) -> &dyn crate::campaigns::Campaigns;
    /// What is taken of these pools; those of which nothing ever was are left out.
    async fn pools(&self, pools: Vec<String>) -> Result<BTreeMap<String, i64>>;
    /// A coupon by the hash of its code.
    async fn coupon(&self, id: CouponId) -> Result<Option<Coupon>>;
    /// A member's coupons, newest first; at most `limit`.
    async fn coupons_of(&self, member: MemberId, limit: usize) -> Result<Vec<Coupon>>;
    /// How a coupon moved, oldest first.
    async fn coupon_moves(&self, id: CouponId) -> Result<Vec<MoveLine>>;
    /// The text of terms by its hash.
    async fn coupon_terms(&self, hash: [u8; 16]) -> Result<Option<String>>;
    /// A checkout by the hash of its name.
    async fn checkout(&self, id: CheckoutId) -> Result<Option<StoredCheckout>>;
    /// A member's checkouts, newest first; at most `limit`.
    async fn checkouts_of(&self, member: MemberId, limit: usize) -> Result<Vec<StoredCheckout>>;
    /// Begins an issue, or finds the one of this name.
    async fn begin_issue(&self, new: NewIssue) -> Result<Issue>;
    /// An issue by its number.
    async fn issue(&self, no: i64) -> Result<Option<Issue>>;
    /// Issues, newest first; at most `limit`.
    async fn issues(&self, limit: usize) -> Result<Vec<Issue>>;
    /// Writes down whom a part of an issue is for; a part that is written down stays as it is.
    async fn put_issue_part(&self, no: i64, part: i64, members: Vec<MemberId>) -> Result<()>;
    /// All members of an issue are written down: so many, in so many parts.
    async fn issue_listed(&self, no: i64, members: i64, parts: i64) -> Result<()>;
    /// Whom a part of an issue is for; `None` if it is not written down.
    async fn issue_part(&self, no: i64, part: i64) -> Result<Option<Vec<MemberId>>>;
}

type PackedHeld = (Vec<u8>, String, i64, i16, i64, i64, Option<i64>, Vec<i64>);

/// What of a member's row says what they hold, as it is read: checkouts came later, and what was claimed after them.
#[derive(serde::Deserialize)]
struct PackedHoldings {
    held: Vec<PackedHeld>,
    issued: PackedTallies,
    used: PackedTallies,
    #[serde(default)]
    open: Vec<(Vec<u8>, i64)>,
    #[serde(default)]
    claimed: Vec<PackedClaimed>,
}

type PackedTallies = BTreeMap<String, (u32, Vec<(i32, u32)>)>;
/// Of a coupon: its id, whether it gives back, the spend and its points, the order that it goes back with.
type PackedClaimed = (Vec<u8>, bool, Option<(Vec<u8>, i64)>, Option<Vec<u8>>);

// As they are written, for each member who is: the same, borrowed.
type LentHeld<'h> = (&'h [u8], &'h str, i64, i16, i64, i64, Option<i64>, Vec<i64>);
type LentTallies<'h> = BTreeMap<&'h str, (u32, Vec<(i32, u32)>)>;

fn lent(tallies: &BTreeMap<String, Tally>) -> LentTallies<'_> {
    let days = |tally: &Tally| tally.days.iter().map(|(day, n)| (day.0, *n)).collect();
    tallies.iter().map(|(offer, tally)| (offer.as_str(), (tally.total, days(tally)))).collect()
}

/// What a member holds, as it lies in the member's row; nothing of who holds nothing and never did.
pub fn pack_holdings(holdings: &Holdings) -> Result<Option<Vec<u8>>> {
    if holdings.is_empty() {
        return Ok(None);
    }
    let held: Vec<LentHeld<'_>> = holdings
        .coupons
        .iter()
        .map(|(id, held)| {
            let remind = held.remind.iter().map(|at| at.0).collect();
            let locked = held.locked_until.map(|at| at.0);
            let (offer, from, until) = (held.offer.as_str(), held.valid_from.0, held.valid_until.0);
            (id.bytes().as_slice(), offer, held.at.0, held.account.code(), from, until, locked, remind)
        })
        .collect();
    let claimed = holdings
        .coupons
        .iter()
        .filter(|(_, held)| held.gives_back || held.paid.is_some() || held.order.is_some());
    let claimed = claimed.map(|(id, held)| {
        let paid = held.paid.map(|paid| (paid.spend.bytes().to_vec(), paid.points));
        let order = held.order.map(|order| order.bytes().to_vec());
        (id.bytes().to_vec(), held.gives_back, paid, order)
    });
    let claimed: Vec<PackedClaimed> = claimed.collect();
    let (issued, used) = (lent(&holdings.issued), lent(&holdings.used));
    let open: Vec<(Vec<u8>, i64)> =
        holdings.checkouts.iter().map(|(id, until)| (id.bytes().to_vec(), until.0)).collect();
    let mut packed = Vec::with_capacity(64 + 96 * held.len());
    let done = match (open.is_empty(), claimed.is_empty()) {
        (true, true) => rmp_serde::encode::write(&mut packed, &(held, issued, used)),
        (false, true) => rmp_serde::encode::write(&mut packed, &(held, issued, used, open)),
        (_, false) => rmp_serde::encode::write(&mut packed, &(held, issued, used, open, claimed)),
    };
    done.map(|()| Some(packed)).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// Reads what [`pack_holdings`] wrote.
pub fn unpack_holdings(bytes: Option<&[u8]>) -> Result<Holdings> {
    let Some(bytes) = bytes else { return Ok(Holdings::default()) };
    let damaged = || StoreError::Damaged("what a member holds".to_owned());
    let PackedHoldings { held, issued, used, open, claimed } =
        rmp_serde::from_slice(bytes).map_err(|_| damaged())?;
    let tallies = |packed: PackedTallies| {
        let days = |days: Vec<(i32, u32)>| days.into_iter().map(|(day, n)| (Day(day), n)).collect();
        packed.into_iter().map(|(offer, (total, n))| (offer, Tally { total, days: days(n) })).collect()
    };
    let mut coupons = BTreeMap::new();
    for (id, offer, at, account, from, until, locked, remind) in held {
        let account = CouponAccount::from_code(account).filter(|account| account.is_open());
        let held = HeldCoupon {
            offer,
            at: Ts(at),
            account: account.ok_or_else(damaged)?,
            valid_from: Ts(from),
            valid_until: Ts(until),
            locked_until: locked.map(Ts),
            remind: remind.into_iter().map(Ts).collect(),
            gives_back: false,
            paid: None,
            order: None,
        };
        coupons.insert(CouponId::from_slice(&id).ok_or_else(damaged)?, held);
    }
    for (id, gives_back, paid, order) in claimed {
        let id = CouponId::from_slice(&id).ok_or_else(damaged)?;
        let held: &mut HeldCoupon = coupons.get_mut(&id).ok_or_else(damaged)?;
        held.gives_back = gives_back;
        held.paid = match paid {
            Some((spend, points)) => {
                Some(PaidPoints { spend: TransferId::from_slice(&spend).ok_or_else(damaged)?, points })
            }
            None => None,
        };
        held.order = match order {
            Some(order) => Some(OrderId::from_slice(&order).ok_or_else(damaged)?),
            None => None,
        };
    }
    let open = open.into_iter().map(|(id, until)| Some((CheckoutId::from_slice(&id)?, Ts(until))));
    let checkouts = open.collect::<Option<_>>().ok_or_else(damaged)?;
    Ok(Holdings { coupons, issued: tallies(issued), used: tallies(used), checkouts })
}

/// What the digest says of how often offers were a member's. Their coupons have rows of their own.
pub fn tallies_said(holdings: &Holdings) -> String {
    let said = |what: &str, tallies: &BTreeMap<String, Tally>| {
        let each = tallies.iter().map(|(offer, tally)| {
            let days: Vec<String> = tally.days.iter().map(|(day, n)| format!("{}:{n}", day.0)).collect();
            format!("|{what} {offer}={}@{}", tally.total, days.join(","))
        });
        each.collect::<String>()
    };
    said("issued", &holdings.issued) + &said("used", &holdings.used)
}

/// Looks whether what members' rows say that they hold is what the rows of coupons say.
#[derive(Debug, Default)]
pub struct Holders {
    open: BTreeMap<CouponId, (MemberId, CouponAccount)>,
    /// Coupons that checkouts took, and where these put them.
    taken: BTreeMap<CouponId, (MemberId, CouponAccount)>,
    /// Checkouts that hold something, and until when.
    locked: BTreeMap<CheckoutId, (MemberId, Ts)>,
    broken: Vec<String>,
}

impl Holders {
    /// A checkout; these are said first.
    pub fn checkout(&mut self, checkout: &Checkout) {
        let member = checkout.member;
        let account = match checkout.state {
            CheckoutState::Locked => CouponAccount::Locked,
            CheckoutState::Redeemed => CouponAccount::Redeemed,
            _ => return,
        };
        for coupon in &checkout.takes.coupons {
            if self.taken.insert(coupon.id, (member, account)).is_some() {
                self.broken.push(format!("coupon {} was taken by two checkouts", coupon.id));
            }
        }
        if checkout.state == CheckoutState::Locked {
            self.locked.insert(checkout.id, (member, checkout.until));
        }
    }

    /// A row of a coupon that is held, locked or redeemed, once all checkouts were said.
    pub fn coupon(&mut self, id: CouponId, member: MemberId, account: CouponAccount) {
        let taken = self.taken.remove(&id);
        let is_right = match account {
            CouponAccount::Locked => taken == Some((member, account)),
            // One that was redeemed by its code alone went through no checkout.
            CouponAccount::Redeemed => taken.is_none_or(|taken| taken == (member, account)),
            _ => taken.is_none(),
        };
        if !is_right {
            self.broken.push(format!("coupon {id} is not where its checkout puts it"));
        }
        if account.is_open() {
            self.open.insert(id, (member, account));
        }
    }

    /// A member's row, once all coupons were said.
    pub fn member(&mut self, member: MemberId, packed: Option<&[u8]>) -> Result<()> {
        let held = unpack_holdings(packed)?;
        for (id, held) in held.coupons {
            if self.open.remove(&id) != Some((member, held.account)) {
                self.broken.push(format!("coupon {id} is not what member {member} holds"));
            }
        }
        for (id, until) in held.checkouts {
            if self.locked.remove(&id) != Some((member, until)) {
                self.broken.push(format!("checkout {id} is not what member {member} has open"));
            }
        }
        Ok(())
    }

    /// What is wrong, a few of each.
    pub fn broken(self) -> Vec<String> {
        let lost = self.open.keys().map(|id| format!("coupon {id} is open and nobody holds it"));
        let gone = self.taken.keys().map(|id| format!("coupon {id} is not where its checkout puts it"));
        let nobodys =
            self.locked.keys().map(|id| format!("checkout {id} holds something and nobody has it open"));
        self.broken.into_iter().chain(lost).chain(gone).chain(nobodys).take(5).collect()
    }
}

/// Looks whether what is taken of offers' pools is what moves of coupons and checkouts took.
#[derive(Debug, Default)]
pub struct OfferPools(BTreeMap<String, i64>);

impl OfferPools {
    /// What is taken of a pool. What a lease of a till has left was taken of the one that all share.
    pub fn pool(&mut self, pool: &str, taken: i64) {
        match pool_leased(pool) {
            Some(shared) => *self.0.entry(shared.to_owned()).or_default() -= taken,
            None => *self.0.entry(pool.to_owned()).or_default() += taken,
        }
    }

    /// What issues of an offer's coupons took, less what came back.
    pub fn moved(&mut self, offer: &str, taken: i64) {
        *self.0.entry(stock_of(offer)).or_default() -= taken;
    }

    /// What a checkout takes.
    pub fn checkout(&mut self, checkout: &Checkout) {
        for (pool, amount) in &checkout.takes.pools {
            *self.0.entry(pool.clone()).or_default() -= amount;
        }
    }

    /// What is wrong, a few of it.
    pub fn broken(self) -> Vec<String> {
        let off = self.0.into_iter().filter(|(_, n)| *n != 0);
        off.map(|(pool, n)| format!("{pool} is off by {n}")).take(5).collect()
    }
}

/// Members of a part, as they are stored.
pub fn pack_members(members: &[MemberId]) -> Result<Vec<u8>> {
    if members.len() > PART_MEMBERS_MAX {
        return Err(StoreError::Damaged(format!("a part has at most {PART_MEMBERS_MAX} members")));
    }
    Ok(members.iter().flat_map(|member| *member.bytes()).collect())
}

/// Reads what [`pack_members`] wrote.
pub fn unpack_members(bytes: &[u8]) -> Result<Vec<MemberId>> {
    let (ids, rest) = bytes.as_chunks::<16>();
    if !rest.is_empty() {
        return Err(StoreError::Damaged("members of an issue".to_owned()));
    }
    Ok(ids.iter().map(|id| MemberId::from_bytes(*id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holdings_are_read_as_they_were_written_and_damage_says_so() {
        let held = HeldCoupon {
            offer: "welcome".to_owned(),
            at: Ts(-7),
            account: CouponAccount::Locked,
            valid_from: Ts(-5),
            valid_until: Ts::FOREVER,
            locked_until: Some(Ts(7)),
            remind: vec![Ts(1), Ts(2)],
            gives_back: false,
            paid: None,
            order: None,
        };
        let paid = PaidPoints { spend: TransferId::from_bytes([8; 16]), points: 500 };
        let claimed = HeldCoupon {
            gives_back: true,
            paid: Some(paid),
            order: Some(OrderId::from_bytes([7; 16])),
            ..held.clone()
        };
        let tally = Tally { total: 7, days: vec![(Day(-1), 1), (Day(3), 2)] };
        for holdings in [
            Holdings::default(),
            Holdings {
                coupons: BTreeMap::from([(CouponId::from_bytes([9; 16]), held.clone())]),
                ..Holdings::default()
            },
            Holdings {
                coupons: BTreeMap::from([
                    (CouponId::from_bytes([8; 16]), claimed),
                    (CouponId::from_bytes([9; 16]), held),
                ]),
                ..Holdings::default()
            },
            Holdings {
                issued: BTreeMap::from([("a".to_owned(), tally.clone())]),
                used: BTreeMap::from([("b".to_owned(), tally)]),
                ..Holdings::default()
            },
            Holdings {
                checkouts: BTreeMap::from([(CheckoutId::from_bytes([3; 16]), Ts(7))]),
                ..Holdings::default()
            },
        ] {
            let packed = pack_holdings(&holdings).unwrap();
            assert_eq!(packed.is_none(), holdings.is_empty());
            assert_eq!(unpack_holdings(packed.as_deref()).unwrap(), holdings);
        }
        for bytes in [&[][..], &[0xc0], &[0x93, 0x90, 0x80]] {
            assert!(matches!(unpack_holdings(Some(bytes)), Err(StoreError::Damaged(_))), "{bytes:?}");
        }
    }
}
