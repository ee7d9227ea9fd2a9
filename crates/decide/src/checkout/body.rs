//! What is kept of a checkout beside what it takes: the cart as asked, the quote as told, what came back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zhiyin_model::checkout::{CartFacts, CouponTaken};

use super::told::{AppliedTold, GivenTold, QuoteTold};

/// The body of a checkout. Nothing in it comes from the home's own keys, so that two homes say the same of the same checkout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// Whose naming it is.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The cart as asked.
    pub cart: CartFacts,
    /// The quote as told; coupons of it are named by what the checkout takes.
    pub quote: QuoteTold,
    /// The order that was made of it: namespace and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<(String, String)>,
    /// What the last judgement changed, where it was judged before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Changed>,
    /// Points that were exchanged for pieces of lines: line and points.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<(u32, i64)>,
    /// Pieces of each line that came back; nothing, where none did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returned: Vec<u32>,
    /// What was given back for them, in minor units.
    #[serde(default)]
    pub refunded: i64,
    /// Points of exchanges that were given back.
    #[serde(default)]
    pub points_back: i64,
    /// What came back of the order for them.
    #[serde(default)]
    pub order_refunded: i64,
    /// Each return.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<ReturnDone>,
    /// The lease of a till under which it was sold, or whose share of the member it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
}

/// What judging a cart again changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    /// What was payable of the lines before, in minor units.
    pub payable_before: i64,
    /// And what is now.
    pub payable_after: i64,
    /// Offers that apply now, and did not.
    pub added: Vec<String>,
    /// Offers that applied, and do no longer.
    pub removed: Vec<String>,
}

/// One return.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnDone {
    /// What its event is called: source and message id.
    pub cause: String,
    /// When, in business time.
    pub at: String,
    /// Pieces that came back, by line.
    pub lines: Vec<LineBack>,
    /// What is given back in all, in minor units.
    pub refund: i64,
    /// Points of exchanges that are given back.
    pub points: i64,
    /// What is taken back of discounts on what stays, as of this return, by offer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_back: Vec<super::told::DiscountTold>,
}

/// Pieces of a line that come back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineBack {
    /// The line, as the cart calls it.
    pub id: String,
    /// How many pieces.
    pub pieces: u32,
    /// What was paid for them, in minor units.
    pub paid: i64,
}

impl Body {
    /// Of a cart that was judged, and of which nothing came back.
    pub fn new((namespace, name): (&str, &str), cart: CartFacts, quote: QuoteTold) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            cart,
            quote,
            order: None,
            changed: None,
            exchanges: Vec::new(),
            returned: Vec::new(),
            refunded: 0,
            points_back: 0,
            order_refunded: 0,
            returns: Vec::new(),
            lease: None,
        }
    }

    /// Whether it is what a lease holds of a member: that has no cart.
    pub fn is_holder(&self) -> bool {
        self.lease.is_some() && self.cart.lines.is_empty()
    }

    /// As text.
    pub fn text(&self) -> String {
        // Plain data: it serializes.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads [`Body::text`].
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// What the coupons that a checkout takes take off, each in minor units: off lines, and off shipping.
    pub fn given(&self, coupons: &[CouponTaken]) -> Vec<i64> {
        // An offer that a coupon is of applies by its coupons alone.
        let mut applied: Vec<&AppliedTold> = self.quote.applied.iter().collect();
        let of = |coupon: &CouponTaken| {
            let place = applied.iter().position(|applied| applied.offer == coupon.offer)?;
            let applied = applied.remove(place);
            let shipping = if let Some(GivenTold::Shipping(off)) = applied.gives { off } else { 0 };
            Some(applied.amount + shipping)
        };
        coupons.iter().map(of).map(Option::unwrap_or_default).collect()
    }

    /// Pieces of a line that did not come back yet.
    pub fn left(&self, line: usize) -> u32 {
        let quantity = self.cart.lines.get(line).map_or(0, |line| line.quantity);
        quantity.saturating_sub(self.returned.get(line).copied().unwrap_or(0))
    }

    /// What a judgement changes of what was told before.
    pub fn changed(before: &QuoteTold, after: &QuoteTold) -> Changed {
        let only = |of: &QuoteTold, other: &QuoteTold| {
            let has = |offer: &str| other.applied.iter().any(|one| one.offer == offer);
            let of = of.applied.iter().map(|one| one.offer.clone());
            of.filter(|offer| !has(offer)).collect()
        };
        Changed {
            payable_before: before.payable,
            payable_after: after.payable,
            added: only(after, before),
            removed: only(before, after),
        }
    }
}
