//! Rows of history, as decisions know them.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use zhiyin_model::money::Money;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

/// An order that counts in history (semantics: not cancelled, not wholly refunded; items net of returns).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    /// When it was placed.
    pub time: Ts,
    /// What was paid, in minor units; a condition sees major units.
    pub paid: Money,
    /// Where.
    pub store: Option<Arc<str>>,
    /// Through which channel.
    pub channel: Option<Arc<str>>,
    /// Its lines.
    pub items: Vec<ItemRow>,
}

/// A line of an order. It inherits the order's time, store and channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemRow {
    /// The product's id.
    pub product: Arc<str>,
    /// Its category.
    pub category: Option<Arc<str>>,
    /// Its department.
    pub department: Option<Arc<str>>,
    /// Pieces, or a weight.
    pub quantity: Decimal,
    /// What was paid for the line, in minor units.
    pub paid: Money,
}

/// An event that conditions may count: `events("Name")`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRow {
    /// Its name.
    pub name: Arc<str>,
    /// When it happened.
    pub time: Ts,
    /// Where.
    pub store: Option<Arc<str>>,
    /// Through which channel.
    pub channel: Option<Arc<str>>,
    /// What it says.
    pub properties: BTreeMap<String, Scalar>,
}

/// A row of history. Items are reached through their order.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// An order with its items.
    Order(&'a OrderRow),
    /// An event.
    Event(&'a EventRow),
}

impl Row<'_> {
    /// When it happened.
    pub fn time(&self) -> Ts {
        match self {
            Self::Order(order) => order.time,
            Self::Event(event) => event.time,
        }
    }
}
