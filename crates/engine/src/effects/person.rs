//! What one member did, out of the record: their orders as they stood, events, and what the campaign gave them.

use std::collections::BTreeMap;

use zhiyin_model::effect::Order;
use zhiyin_model::event::names;
use zhiyin_model::id::{OrderId, RunId};
use zhiyin_model::run::{NOBODY, RunMoveKind};
use zhiyin_model::time::Ts;
use zhiyin_store::campaigns::Assigned;
use zhiyin_store::crowd::{OrderThen, Whole};
use zhiyin_store::{PastEvent, seal};

use super::tally::{Bought, Facts};
use crate::{Result, rebuild};

/// What is looked for.
pub(super) struct Looked<'a> {
    /// As of when.
    pub(super) as_of: Ts,
    /// Orders that changed after it, as they stood then.
    pub(super) then: &'a BTreeMap<OrderId, OrderThen>,
    /// The event that is the goal.
    pub(super) goal: &'a str,
    /// The category that the campaign is after.
    pub(super) category: Option<&'a str>,
    /// Offers whose coupons the campaign gives.
    pub(super) offers: &'a [String],
}

impl Looked<'_> {
    /// An order as it stood; none that came after.
    fn bought(&self, order: &Order, lines: &PastEvent) -> Result<Option<Bought>> {
        if order.time > self.as_of {
            return Ok(None);
        }
        let (paid, refunded, counts) = match self.then.get(&order.id) {
            Some(then) => (then.paid, then.refunded, then.counts),
            None => (order.paid, order.refunded, order.counts()),
        };
        let is_target = match self.category {
            Some(category) if counts => is_of(lines, category)?,
            _ => false,
        };
        // What was cancelled was not paid.
        let net = if counts { paid.0 - refunded.0 } else { 0 };
        Ok(Some(Bought { at: order.time, net, counts, is_target }))
    }

    /// What a member did, and what the campaign gave them.
    pub(super) fn facts(&self, one: &Assigned, whole: Option<&Whole>) -> Result<Facts> {
        let mut facts = Facts { by_orders: self.goal == names::ORDER_COMPLETED, ..Facts::default() };
        for (order, lines) in whole.into_iter().flat_map(|whole| &whole.orders) {
            facts.orders.extend(self.bought(order, lines)?);
        }
        let events = whole.into_iter().flat_map(|whole| &whole.events);
        facts.reached.extend(events.filter(|event| event.name == self.goal).map(|event| event.time));
        let mut sent: Vec<(RunId, &str, Ts)> = Vec::new();
        for moved in one.moves.iter().filter(|moved| moved.at <= self.as_of) {
            match moved.kind {
                // What is only said of members by other events is known where it ended a run.
                RunMoveKind::Goal => facts.reached.push(moved.at),
                RunMoveKind::Sent => sent.push((moved.run, &moved.place, moved.at)),
                RunMoveKind::NotSent if moved.why.ends_with(NOBODY) => {
                    let it =
                        sent.iter().rposition(|(run, place, _)| *run == moved.run && *place == moved.place);
                    it.map(|it| sent.remove(it));
                }
                RunMoveKind::Points => facts.points.push((moved.at, moved.why.parse().unwrap_or(0))),
                _ => {}
            }
        }
        facts.sent.extend(sent.into_iter().map(|(_, _, at)| at));
        let given =
            one.given.iter().filter(|given| given.at <= self.as_of && self.offers.contains(&given.offer));
        facts.given.extend(given.map(|given| (given.at, given.off)));
        Ok(facts)
    }
}

/// Whether an order has something of a category; of what is forgotten nobody knows.
fn is_of(lines: &PastEvent, category: &str) -> Result<bool> {
    if seal::is_erased(&lines.body) {
        return Ok(false);
    }
    let order = rebuild::read(lines)?.order;
    let mut lines = order.iter().flat_map(|order| &order.lines);
    Ok(lines.any(|line| line.category.as_deref() == Some(category)))
}
