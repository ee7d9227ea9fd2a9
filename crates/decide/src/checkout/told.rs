//! A quote as programs read it, and as it is kept with its checkout.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zhiyin_model::money::{Currency, Money};
use zhiyin_model::playbook::{Language, Names};
use zhiyin_offer::{Given, Missing, Mode, Paid, Quote, Reason};

/// A quote. Amounts are in minor units.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuoteTold {
    /// The currency.
    pub currency: String,
    /// The lines, in the order of the cart.
    pub lines: Vec<LineTold>,
    /// What they cost by list prices.
    pub list: i64,
    /// What is taken off them.
    pub discount: i64,
    /// What is left to pay of them.
    pub payable: i64,
    /// Shipping.
    pub shipping: ShippingTold,
    /// What is to be paid in all.
    pub total: i64,
    /// Offers that apply.
    pub applied: Vec<AppliedTold>,
    /// By how much points are multiplied, such as `2` or `1.5`.
    pub points_times: String,
    /// Points that exchanges cost.
    pub points_spent: i64,
    /// The other offers, and why not.
    pub not_applied: Vec<NotAppliedTold>,
    /// `best` or `greedy`.
    pub mode: String,
    /// Whether no combination leaves less to pay. Never said of `greedy`.
    pub exact: bool,
    /// No combination leaves less of the lines to pay than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<i64>,
    /// What somebody who is no member would have saved as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership_saves: Option<i64>,
    /// What returns of the order will need to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub paid: Option<Paid>,
}

/// A line of a quote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineTold {
    /// As the cart calls it.
    pub id: String,
    /// How many pieces.
    pub quantity: u32,
    /// What it costs by its list price.
    pub list: i64,
    /// What each offer takes off it, in the order of lanes.
    pub discounts: Vec<DiscountTold>,
    /// What is left to pay of it.
    pub payable: i64,
    /// It may not be bought yet: the offers of early access that are of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_yet_for: Vec<String>,
}

/// What an offer takes off a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DiscountTold {
    /// The offer.
    pub offer: String,
    /// How much.
    pub amount: i64,
}

/// Shipping.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShippingTold {
    /// What it costs.
    pub list: i64,
    /// What is taken off it.
    pub discount: i64,
    /// What is left to pay of it.
    pub payable: i64,
}

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Both {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// An offer that applies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppliedTold {
    /// The offer.
    pub offer: String,
    /// What people call it.
    pub name: Both,
    /// What it takes off lines.
    pub amount: i64,
    /// The coupon it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<String>,
    /// What it gives beside money off lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives: Option<GivenTold>,
}

/// What an offer gives beside money off lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GivenTold {
    /// A gift line.
    Gift {
        /// The product.
        product: String,
        /// How many pieces.
        pieces: u32,
    },
    /// So much off shipping.
    Shipping(i64),
    /// Points, so many times.
    PointsTimes(String),
    /// A service.
    Service(Both),
    /// A coupon of an offer.
    Coupon(String),
    /// Its items may be bought already.
    Access,
}

/// An offer that does not apply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotAppliedTold {
    /// The offer.
    pub offer: String,
    /// What people call it.
    pub name: Both,
    /// Why not.
    pub reason: String,
    /// How much of what is wanting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingTold>,
    /// The offer that applies instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// Why not, in words.
    pub words: Both,
}

impl GivenTold {
    /// In words, in English.
    pub fn words(&self, currency: &Currency) -> String {
        match self {
            Self::Gift { product, pieces } => format!("{pieces} × {product}"),
            Self::Shipping(off) => format!("{} off shipping", currency.to_major(Money(*off))),
            Self::PointsTimes(times) => format!("{times} times the points"),
            Self::Service(what) => what.en.clone(),
            Self::Coupon(offer) => format!("a coupon of {offer}"),
            Self::Access => "its items may be bought already".to_owned(),
        }
    }
}

/// How much of what is wanting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingTold {
    /// Money, in minor units.
    Money(i64),
    /// Pieces.
    Pieces(u64),
    /// Points.
    Points(i64),
}

impl From<Missing> for MissingTold {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Money(money) => Self::Money(money.0),
            Missing::Pieces(pieces) => Self::Pieces(pieces),
            Missing::Points(points) => Self::Points(points),
        }
    }
}

/// The stable name of a reason.
fn named(reason: &Reason) -> String {
    // It is an enum of names alone: it serializes to one.
    let named = serde_json::to_value(reason).ok();
    named.and_then(|named| named.as_str().map(str::to_owned)).unwrap_or_default()
}

fn both(id: &str, names: &Names) -> Both {
    Both {
        zh: names.in_language(Language::Zh, id).to_owned(),
        en: names.in_language(Language::En, id).to_owned(),
    }
}

impl QuoteTold {
    /// A quote, told.
    pub fn of(quote: &Quote<'_>, currency: &Currency, mode: Mode) -> Self {
        let lines = quote.lines.iter().map(|line| LineTold {
            id: line.id.to_owned(),
            quantity: line.pieces,
            list: line.list.0,
            discounts: line
                .discounts
                .iter()
                .map(|one| DiscountTold { offer: one.offer.to_owned(), amount: one.amount.0 })
                .collect(),
            payable: line.payable.0,
            not_yet_for: line.not_yet_for.iter().map(|id| (*id).to_owned()).collect(),
        });
        let applied = quote.applied.iter().map(|one| AppliedTold {
            offer: one.offer.to_owned(),
            name: both(one.offer, one.name),
            amount: one.amount.0,
            coupon: one.coupon.map(str::to_owned),
            gives: one.gives.map(|gives| match gives {
                Given::Gift(product, pieces) => GivenTold::Gift { product: product.to_owned(), pieces },
                Given::Shipping(off) => GivenTold::Shipping(off.0),
                Given::Points(times) => GivenTold::PointsTimes(times.to_string()),
                Given::Service(what) => GivenTold::Service(both("service", what)),
                Given::Coupon(offer) => GivenTold::Coupon(offer.to_owned()),
                Given::Access => GivenTold::Access,
            }),
        });
        let not_applied = quote.not_applied.iter().map(|not| {
            let words = |language| not.reason.words(not.missing, not.within, language, currency);
            NotAppliedTold {
                offer: not.offer.to_owned(),
                name: both(not.offer, not.name),
                reason: named(&not.reason),
                missing: not.missing.map(MissingTold::from),
                instead: not.instead.map(str::to_owned),
                words: Both { zh: words(Language::Zh), en: words(Language::En) },
            }
        });
        let shipping = quote.shipping.0 - quote.shipping_discount.0;
        Self {
            currency: currency.code.clone(),
            lines: lines.collect(),
            list: quote.list.0,
            discount: quote.discount.0,
            payable: quote.payable.0,
            shipping: ShippingTold {
                list: quote.shipping.0,
                discount: quote.shipping_discount.0,
                payable: shipping,
            },
            total: quote.payable.0 + shipping,
            applied: applied.collect(),
            points_times: quote.points_times.to_string(),
            points_spent: quote.points_spent,
            not_applied: not_applied.collect(),
            mode: if mode == Mode::Greedy { "greedy" } else { "best" }.to_owned(),
            exact: quote.exact,
            bound: (mode != Mode::Greedy).then_some(quote.bound.0),
            membership_saves: None,
            paid: None,
        }
    }
}
