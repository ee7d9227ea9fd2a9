//! Tills that work without a network: what of all that is bounded is leased to one, and until when.
//!
//! A lease moves what it takes from the pools that all share into pools of its own ([`pool_of`]); a sale under it moves from there
//! to the sale's checkout; what is left when it ends comes back. So at any time a pool's total is what checkouts took and what
//! leases still have. Coupons and the uses that a member has left are held by a checkout of the lease's own ([`holder`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{CheckoutId, CouponId, IdKey, MemberId};
use crate::playbook::offer::Within;
use crate::time::{Day, Ts};

/// The most offers of which one lease has something.
pub const LEASED_OFFERS_MAX: usize = 200;
/// The most coupons of one member that a lease holds.
pub const LEASED_COUPONS_MAX: usize = 20;
/// The most members whom any playbook lets a lease name.
pub const LEASED_MEMBERS_MAX: i64 = 1_000;
/// How far a till's clock may lag behind the home's, in microseconds.
pub const CLOCK_LAG_US: i64 = 5 * 60 * 1_000_000;

/// What a brand lets one lease have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TillLimits {
    /// For how many hours at most.
    pub hours: u32,
    /// How many hours after its end what is left comes back: until then sales may be told that were made in time.
    pub grace_hours: u32,
    /// For how many members at most.
    pub members: u32,
    /// Uses, or pieces, of one offer at most.
    pub uses: i64,
    /// Money of one offer's budget at most, in whole major units.
    pub budget: i64,
}

impl Default for TillLimits {
    fn default() -> Self {
        Self { hours: 12, grace_hours: 24, members: 200, uses: 500, budget: 10_000 }
    }
}

/// A lease, as it lies in the record. Nothing in it is personal, and nothing comes from the home's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its name: one lease in the home.
    pub name: String,
    /// The till it is for.
    pub till: String,
    /// The store that the till stands in.
    pub store: String,
    /// The store's time zone.
    pub zone: String,
    /// From when.
    pub from: Ts,
    /// Until when the till may sell under it.
    pub until: Ts,
    /// When what is left comes back.
    pub back_at: Ts,
    /// The day, in the store's zone, for which uses count that the lease has, whenever they are sold.
    pub day: Day,
    /// The version of the playbook it was made under.
    pub version: i64,
    /// Who asked for it.
    pub by: String,
    /// All offers of that playbook that a sale may have, by id.
    pub offers: BTreeMap<String, LeasedOffer>,
    /// When what was left came back, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ts>,
}

/// What a lease has of an offer, and what a sale must have for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeasedOffer {
    /// What bounds it for all together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<LeasedPool>,
    /// How often a member may use it; nothing for offers with coupons, whose limits count what is issued.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub per_member: Vec<(u64, Within)>,
    /// Whether it takes a coupon.
    #[serde(default, skip_serializing_if = "is_false")]
    pub coupon: bool,
    /// Of an order it gives no more than so many pieces, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pieces_most: Option<u32>,
    /// By how much it multiplies points, in thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points_times: Option<u32>,
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// What a lease has of a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeasedPool {
    /// The pool that all share.
    pub pool: String,
    /// What of a sale it counts.
    pub of: PoolOf,
    /// How much there is in all.
    pub size: i64,
    /// How much of it the lease was given.
    pub amount: i64,
}

/// What of a sale a pool counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolOf {
    /// That the offer was used.
    Uses,
    /// Money taken off.
    Money,
    /// Pieces given, or of lines that money is taken off.
    Pieces,
}

/// Whom a lease is for beside the till: the record's, never the digest's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeasedMember {
    /// As they were when it was asked for: in hex.
    pub id: String,
    /// Coupons that were named, in hex; all that can be used, where none was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coupons: Vec<String>,
}

impl LeasedMember {
    /// Their id.
    pub fn member(&self) -> Option<MemberId> {
        MemberId::from_hex(&self.id)
    }

    /// Coupons that were named.
    pub fn named(&self) -> Vec<CouponId> {
        self.coupons.iter().filter_map(|id| CouponId::from_hex(id)).collect()
    }
}

impl Lease {
    /// Pools of its own, with those they were filled from and how much of it.
    pub fn pools(&self) -> impl Iterator<Item = (String, &LeasedPool)> {
        let pools = self.offers.values().flat_map(|offer| &offer.pools);
        pools.filter(|pool| pool.amount > 0).map(|pool| (pool_of(&self.name, &pool.pool), pool))
    }
}

/// The pool of what a lease still has of a pool. Names of leases have no `|`.
pub fn pool_of(lease: &str, pool: &str) -> String {
    format!("lease/{lease}|{pool}")
}

/// The pool that a lease's pool was filled from; `None` for one that is no lease's.
pub fn pool_leased(pool: &str) -> Option<&str> {
    pool.strip_prefix("lease/")?.split_once('|').map(|(_, pool)| pool)
}

/// The checkout that holds what a lease has of a member: no checkout that anybody can name.
pub fn holder(key: &IdKey, lease: &str, member: MemberId) -> CheckoutId {
    key.derive("lease of a member", &[lease.as_bytes(), member.bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkout::uses_of;

    #[test]
    fn a_pool_of_a_lease_names_the_one_it_was_filled_from() {
        for name in ["s1/till-2", "a", "offer/x#1"] {
            let shared = uses_of("offer", "2024-05-03");
            let own = pool_of(name, &shared);
            assert_eq!(pool_leased(&own), Some(shared.as_str()), "{own}");
            assert_eq!(pool_leased(&shared), None);
        }
    }

    #[test]
    fn a_holder_is_of_one_lease_and_one_member_and_no_checkout_of_a_name() {
        let key = IdKey::from_bytes([7; 32]);
        let (one, two) = (MemberId::from_bytes([1; 16]), MemberId::from_bytes([2; 16]));
        assert_eq!(holder(&key, "a", one), holder(&key, "a", one));
        assert_ne!(holder(&key, "a", one), holder(&key, "a", two));
        assert_ne!(holder(&key, "a", one), holder(&key, "b", one));
        assert_ne!(holder(&key, "a", one), crate::checkout::id(&key, "a", &one.to_string()));
    }
}
