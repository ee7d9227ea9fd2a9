//! Draws as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::playbook::words::offer::{MoneyPhrase, RawLimits};
use crate::playbook::words::{Condition, DayPhrase, RawNames};

/// A draw.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a draw such as `{ from: 2020-06-01, until: 2020-06-30, prizes: [{ offer: ticket, pieces: 300 }] }`"
)]
#[schemars(rename = "Draw")]
pub(in crate::playbook) struct RawDraw {
    /// What people call it.
    pub name: Option<RawNames>,
    /// The first day on which an order gives a chance.
    pub from: Option<DayPhrase>,
    /// The last one.
    pub until: Option<DayPhrase>,
    /// Members whose orders give chances.
    pub who: Option<Condition>,
    /// Orders for which at least this was paid.
    pub spend: Option<MoneyPhrase>,
    /// How many chances a member gets.
    pub limit: Option<RawLimits>,
    /// What there is to win; the first drawn get the first.
    pub prizes: Option<Vec<RawPrize>>,
    /// How many are drawn after the winners.
    pub alternates: Option<i64>,
    /// In words, which public value will be taken.
    pub public_source: Option<String>,
}

/// One kind of prize.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a prize such as `{ offer: ticket, pieces: 300 }`")]
#[schemars(rename = "Prize")]
pub(in crate::playbook) struct RawPrize {
    /// The offer whose coupon winners are issued.
    pub offer: Option<String>,
    /// How many there are.
    pub pieces: Option<i64>,
}
