//! From what a home remembers of a member to what audiences look at: as it is now, or as it was at an instant.
//!
//! Of an instant that has passed are orders with what had come back of them, events, tier, lifecycle and points; attributes,
//! tags, the home store, consents and dependants are those of now (semantics 2).

use std::collections::BTreeMap;

use zhiyin_audience::Person;
use zhiyin_condition::OrderRow;
use zhiyin_decide::order;
use zhiyin_decide::outcome::History;
use zhiyin_decide::rules::Rules;
use zhiyin_model::effect::{Asset, Order};
use zhiyin_model::event::Event;
use zhiyin_model::event::names::ORDER_REFUNDED;
use zhiyin_model::id::{IdKey, MemberId, OrderId};
use zhiyin_model::member::Member;
use zhiyin_model::time::Ts;
use zhiyin_store::crowd::{OrderThen, Whole};
use zhiyin_store::read::{AsOf, MemberLine};
use zhiyin_store::{PastEvent, PastOf, Store, StoreError, seal};

use crate::{Result, rebuild};

/// What is known of a member now.
pub(crate) fn now(rules: &Rules, whole: Whole) -> Result<Person> {
    let Whole { member, orders, events, lists } = whole;
    let history = rebuild::of(rules, &PastOf { orders, events })?;
    Ok(of(member, lists, history))
}

fn of(member: Member, lists: Vec<String>, history: History) -> Person {
    let points = member.account(Asset::Points).shown();
    Person {
        id: member.id,
        attributes: member.attributes,
        tags: member.tags.into_keys().collect(),
        lists,
        standing: member.audiences.since.into_keys().collect(),
        tier: member.term.map(|term| term.level),
        lifecycle: member.stage.map(|held| held.stage),
        store: member.touches.store.map(|(_, store)| store),
        points,
        enrolled_at: member.enrolled_at,
        consents: member.personal.consents,
        dependants: member.personal.dependants,
        orders: history.orders.into_iter().map(|(_, row)| row).collect(),
        events: history.events,
    }
}

/// What is not in the rows of members, of an instant that has passed.
pub(crate) struct Then {
    at: Ts,
    id_key: IdKey,
    /// Who was known by then, with tier, stage and points.
    lines: BTreeMap<MemberId, MemberLine>,
    /// Orders that changed since.
    orders: BTreeMap<OrderId, OrderThen>,
}

impl Then {
    /// Reads it.
    pub(crate) async fn read(store: &dyn Store, id_key: IdKey, as_of: AsOf) -> Result<Self> {
        let lines = store.member_lines(as_of).await?;
        let orders = store.crowd().orders_then(as_of.at).await?;
        Ok(Self {
            at: as_of.at,
            id_key,
            lines: lines.into_iter().map(|line| (line.member, line)).collect(),
            orders: orders.into_iter().map(|order| (order.order, order)).collect(),
        })
    }

    /// What was known of a member; `None` if they were not known by then.
    pub(crate) fn person(&self, rules: &Rules, whole: Whole) -> Result<Option<Person>> {
        let Some(line) = self.lines.get(&whole.member.id) else { return Ok(None) };
        let Whole { member, mut orders, mut events, lists } = whole;
        orders.retain(|(order, lines)| order.time <= self.at && !seal::is_erased(&lines.body));
        events.retain(|event| event.time <= self.at);
        let (changed, stayed): (Vec<_>, Vec<_>) =
            orders.into_iter().partition(|(order, _)| self.orders.contains_key(&order.id));
        let refunds = match changed.is_empty() {
            true => Vec::new(),
            false => refunds(&events)?,
        };
        let mut history = rebuild::of(rules, &PastOf { orders: stayed, events })?;
        for (order, lines) in changed {
            if let Some(row) = self.row(rules, &order, &lines, &refunds)? {
                history.orders.push((order.id, row));
            }
        }
        let mut person = of(member, lists, history);
        person.tier.clone_from(&line.tier);
        person.lifecycle.clone_from(&line.stage);
        person.points = line.points;
        person.enrolled_at = person.enrolled_at.filter(|at| *at <= self.at);
        Ok(Some(person))
    }

    /// An order that changed since, as it stood; `None` where it did not count.
    fn row(
        &self,
        rules: &Rules,
        order: &Order,
        lines: &PastEvent,
        refunds: &[Event],
    ) -> Result<Option<OrderRow>> {
        let Some(stood) = self.orders.get(&order.id).filter(|stood| stood.counts) else { return Ok(None) };
        let speaks_of = |refund: &&Event| {
            refund.order.as_ref().is_some_and(|facts| order::id(&self.id_key, facts) == order.id)
        };
        let refunds: Vec<&Event> = refunds.iter().filter(speaks_of).collect();
        let then = Order { paid: stood.paid, refunded: stood.refunded, ..order.clone() };
        let row = order::row_then(&rules.currency, &then, &rebuild::read(lines)?, &refunds);
        let row = row.map_err(|stop| StoreError::Damaged(format!("order {}: {stop:?}", order.id)))?;
        Ok(Some(row))
    }
}

/// What events told of refunds, in the order in which they were decided.
fn refunds(events: &[PastEvent]) -> Result<Vec<Event>> {
    let told = |event: &&PastEvent| event.name == ORDER_REFUNDED && !seal::is_erased(&event.body);
    let mut refunds: Vec<&PastEvent> = events.iter().filter(told).collect();
    refunds.sort_by_key(|event| event.seq);
    refunds.into_iter().map(rebuild::read).collect()
}
