//! Draws: which orders give chances, what there is to win, and who comes next where a prize is not claimed.

use serde::Serialize;

use super::names::Names;
use super::offer::UseLimit;
use super::{ConditionText, canonical};
use crate::money::Money;
use crate::time::Day;

/// A draw.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Draw {
    /// What people call it.
    pub name: Names,
    /// The first day on which an order gives a chance.
    #[serde(serialize_with = "canonical::day")]
    pub from: Option<Day>,
    /// The last one.
    #[serde(serialize_with = "canonical::day")]
    pub until: Option<Day>,
    /// Members whose orders give chances; all, where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<ConditionText>,
    /// Orders for which at least this was paid.
    pub spend: Money,
    /// How many chances a member gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<UseLimit>,
    /// What there is to win; the first drawn get the first.
    pub prizes: Vec<DrawPrize>,
    /// How many are drawn after them, in order, for prizes that are not claimed.
    pub alternates: u32,
    /// In words, which public value will be taken that nobody can know before the list is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_source: Option<String>,
}

/// One kind of prize: coupons of an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrawPrize {
    /// Of which offer: winners are issued its coupon.
    pub offer: String,
    /// How many there are.
    pub pieces: u32,
}
