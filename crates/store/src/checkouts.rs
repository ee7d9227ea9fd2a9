//! Checkouts as stores keep them: a row each, found by the hash of its name. What it takes of what is bounded lies in the clear,
//! so that the doctor can hold it against pools and coupons, and so that it is given back even where its member was erased; its body
//! is sealed under the member like that of an event.

use zhiyin_model::checkout::{Checkout, Takes};

use crate::seal::Sealed;
use crate::{Result, StoreError};

/// A checkout with its body, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckout {
    /// The checkout.
    pub checkout: Checkout,
    /// Its body.
    pub body: Sealed,
}

/// A checkout that a batch writes. A store refuses the flush as [`StoreError::Stale`] where it is another member's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckoutSet {
    /// As it is from now on.
    pub checkout: Checkout,
    /// Its body; the one that is there stays where this is none.
    pub body: Option<Sealed>,
}

/// What a checkout takes, as it is stored.
pub fn pack_takes(takes: &Takes) -> Result<Vec<u8>> {
    rmp_serde::to_vec(takes).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// Reads what [`pack_takes`] wrote.
pub fn unpack_takes(bytes: &[u8]) -> Result<Takes> {
    rmp_serde::from_slice(bytes).map_err(|_| StoreError::Damaged("what a checkout takes".to_owned()))
}

/// What the digest says of what a checkout takes: nothing that comes from the home's keys.
pub fn takes_said(takes: &Takes) -> String {
    let mut said = String::new();
    for (pool, amount) in &takes.pools {
        said += &format!("|{pool}={amount}");
    }
    for (offer, day) in &takes.uses {
        said += &format!("|uses {offer}@{}", day.0);
    }
    for coupon in &takes.coupons {
        said += &format!("|coupon of {} of {}", coupon.offer, coupon.at.0);
    }
    for (what, points) in [("holds", takes.hold), ("spent", takes.spend)] {
        said += &points.map_or_else(String::new, |(_, points)| format!("|{what} {points}"));
    }
    said
}

#[cfg(test)]
mod tests {
    use zhiyin_model::checkout::CouponTaken;
    use zhiyin_model::id::{CouponId, TransferId};
    use zhiyin_model::time::{Day, Ts};

    use super::*;

    #[test]
    fn what_a_checkout_takes_is_read_as_it_was_written_and_damage_says_so() {
        let coupon = CouponTaken {
            id: CouponId::from_bytes([9; 16]),
            offer: "welcome".to_owned(),
            at: Ts(1),
            valid_from: Ts(1),
            valid_until: Ts::FOREVER,
        };
        let takes = Takes {
            pools: vec![("offer/a/stock".to_owned(), 1)],
            uses: vec![("a".to_owned(), Day(-3))],
            coupons: vec![coupon],
            hold: Some((TransferId::from_bytes([1; 16]), 500)),
            spend: None,
        };
        for takes in [Takes::default(), takes] {
            assert_eq!(unpack_takes(&pack_takes(&takes).unwrap()).unwrap(), takes);
            assert!(!takes_said(&takes).contains(&CouponId::from_bytes([9; 16]).to_string()));
        }
        assert!(matches!(unpack_takes(&[0xc0]), Err(StoreError::Damaged(_))));
    }
}
