//! Checkouts: a cart that is priced for a member and holds what its discounts take, until it is paid or let go.
//!
//! A checkout is named by whoever begins it, so a retry and a replay arrive at the same one. What it takes of coupons, pools, a
//! member's uses and points lies beside its body, in the clear: it names no person and no product, and is given back even where
//! the body was erased.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{CheckoutId, CouponId, EventId, IdKey, MemberId, OrderId, TransferId};
use crate::time::{Day, Ts};

/// The most lines of a checkout's cart. (A quote alone takes more.)
pub const CHECKOUT_LINES_MAX: usize = 200;
/// The most checkouts that a member has open at once.
pub const OPEN_MAX: usize = 20;
/// For how many seconds a lock holds where nobody says.
pub const HOLD_SECONDS: u32 = 15 * 60;
/// The least and the most seconds for which a lock holds.
pub const HOLD_SECONDS_BOUNDS: (u32, u32) = (10, 24 * 60 * 60);

/// Where a checkout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckoutState {
    /// It holds what it takes, until an instant.
    Locked,
    /// It was paid: what it takes is used.
    Redeemed,
    /// All of it came back.
    Returned,
    /// Whoever began it let go of it.
    Cancelled,
    /// Its time was over.
    Released,
}

impl CheckoutState {
    /// All of them, in the order of their stored numbers.
    pub const ALL: [Self; 5] =
        [Self::Locked, Self::Redeemed, Self::Returned, Self::Cancelled, Self::Released];

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
            Self::Locked => "locked",
            Self::Redeemed => "redeemed",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
            Self::Released => "released",
        }
    }

    /// Whether what it takes is taken.
    pub const fn takes(self) -> bool {
        matches!(self, Self::Locked | Self::Redeemed)
    }
}

/// A checkout, as far as stores know it; its body lies beside it, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Hash of its name.
    pub id: CheckoutId,
    /// Whose.
    pub member: MemberId,
    /// Where it stands.
    pub state: CheckoutState,
    /// When it was last judged, in business time.
    pub at: Ts,
    /// Until when it holds what it takes, while it is locked.
    pub until: Ts,
    /// The event that began it.
    pub cause: EventId,
    /// The order that was made of it.
    pub order: Option<OrderId>,
    /// What it takes.
    pub takes: Takes,
}

/// What a checkout takes of what is bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Takes {
    /// Of which pools how much, each once; nothing once it was given back.
    pub pools: Vec<(String, i64)>,
    /// Uses of which offers count for the member, on which day; nothing once they were given back.
    pub uses: Vec<(String, Day)>,
    /// Coupons, at most one an offer. They stay written down.
    pub coupons: Vec<CouponTaken>,
    /// Points that are held for exchanges: the hold, and how many.
    pub hold: Option<(TransferId, i64)>,
    /// Points that were spent for exchanges: the spend, and how many.
    pub spend: Option<(TransferId, i64)>,
}

/// A coupon that a checkout takes, as it was held: so that it can come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponTaken {
    /// Which.
    pub id: CouponId,
    /// Of which offer.
    pub offer: String,
    /// When it was issued.
    pub at: Ts,
    /// From when it can be used.
    pub valid_from: Ts,
    /// From when it no longer can.
    pub valid_until: Ts,
}

/// A checkout that is new or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckoutSet {
    /// As it is from now on.
    pub checkout: Checkout,
    /// Its body, as text; the one that is there stays where this is none.
    pub body: Option<String>,
}

/// A checkout's id.
pub fn id(key: &IdKey, namespace: &str, name: &str) -> CheckoutId {
    key.derive("checkout", &[namespace.as_bytes(), name.as_bytes()])
}

/// The pool of what an offer may cost in money.
pub fn money_of(offer: &str) -> String {
    format!("offer/{offer}/money")
}

/// The pool of how many pieces an offer may give.
pub fn pieces_of(offer: &str) -> String {
    format!("offer/{offer}/pieces")
}

/// The pool of how often an offer may be used by all together, within a time that is called so.
pub fn uses_of(offer: &str, within: &str) -> String {
    format!("offer/{offer}/uses/{within}")
}

/// A cart as programs send it. Amounts are whole minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CartFacts {
    /// The currency, where it is said: another than the brand's is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// Its region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The store's time zone; the brand's where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Through which channel: `store`, `mini_program` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// How it will be paid: `wechat`, `alipay`, `cash` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// What shipping costs, in minor units.
    #[serde(default)]
    pub shipping: i64,
    /// Codes of partners that were shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// Exchanges for points that are asked for: offer and pieces.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exchange: BTreeMap<String, u32>,
    /// Coupons that are to be considered, by id or code; all that the member holds, where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupons: Option<Vec<String>>,
    /// The lines.
    pub lines: Vec<CartLine>,
}

/// A line of a cart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CartLine {
    /// As whoever asks calls it; its place, from 1 on, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The product's id.
    pub product: String,
    /// Its category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Its department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Its brand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Where in the shop it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What a piece costs, in minor units, taxes included.
    pub price: i64,
    /// How many pieces.
    pub quantity: u32,
    /// The least a piece may be sold for, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<i64>,
    /// What else is known of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, serde_json::Value>,
}

impl CartFacts {
    /// What a line is called.
    pub fn line_id(&self, line: usize) -> String {
        let said = self.lines.get(line).and_then(|line| line.id.clone());
        said.unwrap_or_else(|| (line + 1).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_stable_numbers_and_what_is_taken_is_taken_while_locked_or_redeemed() {
        for (n, (state, name, takes)) in [
            (CheckoutState::Locked, "locked", true),
            (CheckoutState::Redeemed, "redeemed", true),
            (CheckoutState::Returned, "returned", false),
            (CheckoutState::Cancelled, "cancelled", false),
            (CheckoutState::Released, "released", false),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!((usize::try_from(state.code()), state.name(), state.takes()), (Ok(n), name, takes));
            assert_eq!(CheckoutState::from_code(state.code()), Some(state));
        }
    }

    #[test]
    fn a_checkout_is_called_by_its_namespace_and_its_name() {
        let key = IdKey::from_bytes([7; 32]);
        assert_eq!(id(&key, "", "1"), id(&key, "", "1"));
        assert_ne!(id(&key, "", "1"), id(&key, "shop", "1"));
        assert_ne!(id(&key, "", "1"), id(&key, "", "2"));
    }
}
