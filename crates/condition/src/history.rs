//! reference
use zhiyin_model::time::{Ts, Zone};

use crate::condition::Condition;
use crate::facts::{Facts, Judged};
use crate::row::{EventRow, OrderRow};

/// The whole history of a member.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// Orders that count, in any order.
    pub orders: &'a [OrderRow],
    /// Events, in any order.
    pub events: &'a [EventRow],
    /// The zone of days.
    pub zone: &'a Zone,
    /// Minor digits of the currency.
    pub currency_exponent: u32,
}

/// Evaluates over the whole history, without leaves.
pub fn evaluate_history(_c: &Condition, _facts: &dyn Facts, _history: &History<'_>, now: Ts) -> Judged {
    Judged {
        value: false,
        until: now.plus_us(1),
    }
}
