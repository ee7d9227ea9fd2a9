//! Offers: what a member, a cart and a moment are given, in which lane, how often, and out of which budget.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::claim::{Claim, Validity};
use super::names::Names;
use super::{ConditionText, Ratio, canonical};
use crate::money::{Currency, Money};
use crate::time::Day;

/// What is offered, and the order in which it applies.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Offering {
    /// Lanes, in the order in which they apply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<Lane>,
    /// The least that products may be sold for, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub floors: BTreeMap<String, Floor>,
    /// Offers, in the playbook's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<Offer>,
}

impl Offering {
    /// Whether the playbook says nothing of it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The offer of an id.
    pub fn offer(&self, id: &str) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.id == id)
    }
}

/// A lane: of the offers in it, only so many apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lane {
    /// As offers name it.
    pub id: String,
    /// What people call it.
    pub name: Names,
    /// How many of its offers apply.
    pub per: Per,
}

/// What at most one offer of a lane applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each line of the order.
    Line,
    /// The order.
    Order,
}

/// The least that pieces may be sold for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Floor {
    /// Which items.
    pub of: ConditionText,
    /// A piece costs at least this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// A piece costs at least so much of its list price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pay: Option<Percent>,
}

/// A percentage, in hundredths of one per cent: 88% is 8800.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Percent(pub u32);

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}%"),
            (whole, rest) => write!(f, "{whole}.{}%", format!("{rest:02}").trim_end_matches('0')),
        }
    }
}

/// An offer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Offer {
    /// As others name it.
    pub id: String,
    /// What people call it.
    pub name: Names,
    /// Its first day.
    #[serde(serialize_with = "canonical::day", skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// Its last day.
    #[serde(serialize_with = "canonical::day", skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
    /// Members whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<ConditionText>,
    /// Carts and moments that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<ConditionText>,
    /// Items that it is of; all, where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<ConditionText>,
    /// So many pieces of these must be in the cart.
    #[serde(skip_serializing_if = "is_zero")]
    pub at_least_pieces: u32,
    /// The lane it applies in, if it takes money off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// Offers it does not go with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excludes: Vec<String>,
    /// It goes with no other offer that takes money off.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// How often it may be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<UseLimit>,
    /// How often in all, as stock that is counted down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock: Option<u64>,
    /// What it may cost in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// It takes a coupon, which is used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon: Option<CouponTerms>,
    /// Members take its coupon themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// It is for whoever brings the code of this partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner: Option<String>,
    /// What becomes of the discount when pieces come back and its threshold is no longer met.
    #[serde(skip_serializing_if = "Returns::is_default")]
    pub returns: Returns,
    /// What it gives.
    pub effect: OfferEffect,
}

impl Offer {
    /// What it gives, in words for those who get it.
    pub fn gives(&self, currency: &Currency) -> Names {
        super::diff::gives(self, currency)
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// How often an offer may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct UseLimit {
    /// So often.
    pub times: u64,
    /// By one member, and not by all together.
    pub per_member: bool,
    /// Within which time.
    pub within: Within,
}

/// Within which time uses count together. Days and weeks are those of the store's zone; weeks begin on Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Within {
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month of the calendar.
    Month,
    /// From the offer's first day to its last.
    Campaign,
    /// For ever.
    Ever,
}

/// What an offer may cost in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// Money taken off.
    Money(Money),
    /// Pieces given.
    Pieces(u64),
}

/// How a coupon of an offer is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CouponTerms {
    /// For how long it may be used.
    #[serde(flatten)]
    pub valid: Validity,
    /// So many days before it ends its member is reminded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remind_days: Option<u16>,
    /// One that was not used in its time is there for others again, and does not count for its member's limit.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gives_back: bool,
    /// Each bears a code of this partner: one of those that were uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codes: Option<String>,
}

/// What becomes of a discount when pieces come back and its threshold is no longer met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Returns {
    /// The pieces that stay keep theirs.
    #[default]
    #[serde(rename = "keep")]
    Keep,
    /// The pieces that stay lose theirs: the refund is less by it.
    #[serde(rename = "take back")]
    TakeBack,
}

impl Returns {
    fn is_default(&self) -> bool {
        *self == Self::Keep
    }
}

/// What a threshold counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Counts {
    /// What is left to pay after the lanes before.
    #[default]
    #[serde(rename = "to pay")]
    ToPay,
    /// List prices.
    #[serde(rename = "list price")]
    ListPrice,
}

/// An amount, or one for each tier.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// The same for everybody.
    Fixed(Money),
    /// By the tier held; nothing for others.
    ByTier(BTreeMap<String, Money>),
}

/// A threshold and what is taken off when it is met.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfferStep {
    /// The items come to this much.
    pub spend: Money,
    /// They are so many pieces.
    pub pieces: u32,
    /// What is taken off.
    pub gain: StepGain,
}

/// What a step takes off.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepGain {
    /// So much.
    Off(Amount),
    /// Only so much of it is paid; at most so much is taken off.
    Pay(Percent, Option<Money>),
}

/// What becomes of the price of pieces.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pricing {
    /// Only so much of it is paid.
    Pay(Percent),
    /// So much less, a piece.
    OffPiece(Amount),
    /// So much less, a line.
    OffLine(Amount),
    /// It is this.
    Price(Money),
}

/// A part of a bundle.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BundlePart {
    /// Which items.
    pub of: ConditionText,
    /// How many pieces.
    pub pieces: u32,
}

/// What an offer gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferEffect {
    /// Off the order: the best of the steps that are reached.
    Steps {
        /// From the lowest.
        steps: Vec<OfferStep>,
        /// What thresholds count.
        counts: Counts,
    },
    /// Off the order: so much for every so much.
    Every {
        /// For every.
        every: Money,
        /// So much.
        off: Money,
        /// At most so much.
        at_most: Option<Money>,
        /// What counts.
        counts: Counts,
    },
    /// Off each line apart.
    Each {
        /// How.
        price: Pricing,
        /// Of at most so many pieces of a line.
        per_line: Option<u32>,
    },
    /// N pieces for a part of their price, or for a price.
    NFor {
        /// N.
        pieces: u32,
        /// How.
        price: Pricing,
        /// At most so often an order.
        per_order: Option<u32>,
    },
    /// Buy some, get some.
    BuyGet {
        /// So many bought.
        buy: u32,
        /// So many got.
        get: u32,
        /// Of these; of the same, where it does not say.
        get_of: Option<ConditionText>,
        /// What is paid of those that are got.
        pay: Percent,
        /// At most so often an order.
        per_order: Option<u32>,
    },
    /// A set at a price.
    Bundle {
        /// What is in it.
        parts: Vec<BundlePart>,
        /// What a set costs.
        price: Money,
        /// At most so many sets an order.
        per_order: Option<u32>,
    },
    /// With an order, so many pieces more at a price.
    AddOn {
        /// What a piece costs.
        price: Money,
        /// So many pieces an order.
        per_order: u32,
    },
    /// Pieces for points, where the member asks for it.
    Exchange {
        /// Points a piece.
        points: i64,
        /// Money a piece.
        price: Money,
        /// So many pieces an order.
        per_order: u32,
    },
    /// A gift line.
    Gift {
        /// The product.
        product: String,
        /// How many pieces.
        pieces: u32,
        /// From this much on.
        spend: Money,
    },
    /// Shipping.
    Shipping {
        /// At most so much is taken off it; all, where it does not say.
        at_most: Option<Money>,
        /// From this much on.
        spend: Money,
    },
    /// More points.
    Points {
        /// So many times.
        times: Ratio,
        /// From this much on.
        spend: Money,
    },
    /// A service.
    Service {
        /// What.
        what: Names,
        /// From this much on.
        spend: Money,
    },
    /// A coupon of another offer.
    Give {
        /// Of which.
        coupon: String,
        /// From this much on.
        spend: Money,
    },
    /// Its items may be bought, which nobody else may yet.
    Access,
}

impl Amount {
    /// The largest of it.
    fn most(&self) -> Option<Money> {
        match self {
            Self::Fixed(amount) => Some(*amount),
            Self::ByTier(amounts) => amounts.values().max().copied(),
        }
    }
}

impl OfferEffect {
    /// What one use takes off at most, where that does not depend on the cart.
    pub fn most(&self) -> Option<Money> {
        match self {
            Self::Steps { steps, .. } => {
                let gains = steps.iter().map(|step| match &step.gain {
                    StepGain::Off(amount) => amount.most(),
                    StepGain::Pay(_, most) => *most,
                });
                gains.collect::<Option<Vec<Money>>>()?.into_iter().max()
            }
            Self::Every { at_most, .. } | Self::Shipping { at_most, .. } => *at_most,
            _ => None,
        }
    }

    /// Whether it takes money off lines, and so needs a lane; of which kind.
    pub fn lane(&self) -> Option<Per> {
        match self {
            Self::Steps { .. } | Self::Every { .. } => Some(Per::Order),
            Self::Each { .. } | Self::NFor { .. } | Self::BuyGet { .. } => Some(Per::Line),
            Self::Bundle { .. } | Self::AddOn { .. } | Self::Exchange { .. } => Some(Per::Line),
            _ => None,
        }
    }
}
