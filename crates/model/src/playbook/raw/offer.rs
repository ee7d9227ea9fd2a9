//! Offers as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::playbook::offer::{Counts, Per, Returns};
use crate::playbook::words::offer::{
    AtMostPhrase, BudgetPhrase, MomentPhrase, MoneyPhrase, PercentPhrase, RawLimits, RawOff, ShippingPhrase,
    ValidPhrase,
};
use crate::playbook::words::{Condition, DayPhrase, DaysPhrase, RawNames, TimesNumber};

/// A lane: the order of lanes is the order in which offers apply.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a lane such as `{ per: order }`")]
#[schemars(rename = "Lane")]
pub(in crate::playbook) struct RawLane {
    /// What people call it.
    pub name: Option<RawNames>,
    /// What at most one of its offers applies to.
    pub per: Option<Per>,
}

/// The least that pieces may be sold for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a floor such as `{ of: …, price: 5 }`")]
#[schemars(rename = "Floor")]
pub(in crate::playbook) struct RawFloor {
    /// Which items.
    pub of: Option<Condition>,
    /// A piece costs at least this.
    pub price: Option<MoneyPhrase>,
    /// A piece costs at least so much of its list price.
    pub pay: Option<PercentPhrase>,
}

/// An offer.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an offer such as `{ lane: order, spend: 68, off: 8 }`")]
#[schemars(rename = "Offer")]
pub(in crate::playbook) struct RawOffer {
    /// What people call it.
    pub name: Option<RawNames>,
    /// Its first day.
    pub from: Option<DayPhrase>,
    /// Its last day.
    pub until: Option<DayPhrase>,
    /// Members whom it is for.
    pub who: Option<Condition>,
    /// Carts and moments that it is for.
    pub when: Option<Condition>,
    /// Items that it is of.
    pub of: Option<Condition>,
    /// So many pieces of these must be in the cart.
    pub at_least: Option<i64>,
    /// The lane it applies in.
    pub lane: Option<String>,
    /// Offers it does not go with.
    pub excludes: Option<Vec<String>>,
    /// It goes with no other offer that takes money off.
    pub alone: Option<bool>,
    /// How often it may be used.
    pub limit: Option<RawLimits>,
    /// How often in all.
    pub stock: Option<i64>,
    /// What it may cost in all: money, or pieces.
    pub budget: Option<BudgetPhrase>,
    /// It takes a coupon.
    pub coupon: Option<RawCoupon>,
    /// Members take its coupon themselves.
    pub claim: Option<RawClaim>,
    /// It is for whoever brings the code of this partner.
    pub partner: Option<String>,
    /// What becomes of the discount when its threshold is no longer met after a return.
    pub returns: Option<Returns>,
    /// What a threshold counts.
    pub counts: Option<Counts>,
    /// From this much on.
    pub spend: Option<MoneyPhrase>,
    /// Money off: an amount, or one for each tier.
    pub off: Option<RawOff>,
    /// Money off each piece, each line or the order.
    pub per: Option<RawPer>,
    /// What is still paid.
    pub pay: Option<PercentPhrase>,
    /// The most that is taken off.
    pub at_most: Option<AtMostPhrase>,
    /// Several thresholds.
    pub steps: Option<Vec<RawStep>>,
    /// For every so much.
    pub every: Option<MoneyPhrase>,
    /// So many pieces for a part of their price, or for a price.
    pub pieces: Option<i64>,
    /// What a piece, N pieces or a set costs.
    pub price: Option<MoneyPhrase>,
    /// Of at most so many pieces of a line.
    pub per_line: Option<i64>,
    /// At most so often, or so many pieces, an order.
    pub per_order: Option<i64>,
    /// So many bought.
    pub buy: Option<i64>,
    /// So many got.
    pub get: Option<i64>,
    /// Of these.
    pub get_of: Option<Condition>,
    /// A set.
    pub bundle: Option<Vec<RawPart>>,
    /// With an order, pieces at this price.
    pub add_on: Option<MoneyPhrase>,
    /// For so many points a piece.
    pub exchange: Option<i64>,
    /// A gift line.
    pub gift: Option<RawGift>,
    /// Shipping: free, or so much off it.
    pub shipping: Option<ShippingPhrase>,
    /// Points, so many times.
    pub points_times: Option<TimesNumber>,
    /// A service.
    pub service: Option<RawNames>,
    /// A coupon of another offer.
    pub give: Option<String>,
    /// Its items may be bought by those it is for, and by nobody else yet.
    pub access: Option<bool>,
}

/// How a coupon is held.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "terms such as `{ valid: 7d }`")]
#[schemars(rename = "Coupon")]
pub(in crate::playbook) struct RawCoupon {
    /// For how many days, hours or minutes it may be used.
    pub valid: Option<ValidPhrase>,
    /// How many days before it ends its member is reminded.
    pub remind: Option<DaysPhrase>,
    /// One that was not used in its time is there for others again.
    pub gives_back: Option<bool>,
    /// Each bears a code of this partner, of those that were uploaded.
    pub codes: Option<String>,
}

/// How members take a coupon themselves.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a claim such as `{ from: 2020-06-01 10:00, points: 500 }`")]
#[schemars(rename = "Claim")]
pub(in crate::playbook) struct RawClaim {
    /// Members who may, beside those whom the offer is for.
    pub who: Option<Condition>,
    /// From when: a day, or a day and a time.
    pub from: Option<MomentPhrase>,
    /// Until when: a day is the last one; a time ends it.
    pub until: Option<MomentPhrase>,
    /// What it costs in points.
    pub points: Option<i64>,
}

/// Of what money is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::playbook) enum RawPer {
    /// The order.
    Order,
    /// Each line.
    Line,
    /// Each piece.
    Piece,
}

/// A threshold and what is taken off.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a step such as `{ spend: 100, off: 10 }`")]
#[schemars(rename = "Step")]
pub(in crate::playbook) struct RawStep {
    /// The items come to this much.
    pub spend: Option<MoneyPhrase>,
    /// They are so many pieces.
    pub pieces: Option<i64>,
    /// Money off.
    pub off: Option<RawOff>,
    /// What is still paid.
    pub pay: Option<PercentPhrase>,
    /// The most that is taken off.
    pub at_most: Option<MoneyPhrase>,
}

/// A part of a set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a part such as `{ of: …, pieces: 1 }`")]
#[schemars(rename = "Part")]
pub(in crate::playbook) struct RawPart {
    /// Which items.
    pub of: Option<Condition>,
    /// How many pieces.
    pub pieces: Option<i64>,
}

/// A gift line.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a gift such as `{ product: tote }`")]
#[schemars(rename = "Gift")]
pub(in crate::playbook) struct RawGift {
    /// The product.
    pub product: Option<String>,
    /// How many pieces.
    pub pieces: Option<i64>,
}
