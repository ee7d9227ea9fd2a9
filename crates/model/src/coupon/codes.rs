//! Codes of partners that were uploaded, as decisions see them: how many an upload has, and until when they are good.
//!
//! An upload's codes have places from 0 on, and they are handed out in that order: the pool of an upload ([`codes_of`]) says
//! how many are gone. A decision knows of which upload a coupon's code is, and never which one: that the store says when it
//! writes the batch, so that nobody waits for anybody while deciding.

use crate::id::CouponId;
use crate::time::Ts;

/// The pool of an upload's codes. What is taken of it was handed out, or withdrawn, and never comes back.
pub fn codes_of(upload: &str) -> String {
    format!("codes/{upload}")
}

/// An upload of which something may be left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeLot {
    /// Its number.
    pub upload: i64,
    /// Whose codes they are: they go with coupons that name this partner.
    pub partner: String,
    /// Its pool ([`codes_of`]).
    pub pool: String,
    /// How many codes it has in all.
    pub codes: i64,
    /// From when on they are no longer good; [`Ts::FOREVER`] if they always are.
    pub valid_until: Ts,
}

/// A coupon that bears a code of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeTake {
    /// Which coupon.
    pub coupon: CouponId,
    /// Of which upload.
    pub upload: i64,
    /// Its pool, of which one is taken for it.
    pub pool: String,
}
