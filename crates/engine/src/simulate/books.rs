//! What a member has, in memory: it answers what decisions ask for as the record would.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhiyin_condition::EventRow;
use zhiyin_decide::is_counted;
use zhiyin_decide::order::row;
use zhiyin_decide::outcome::{History, Known, LotsAsked, Missing, Outcome};
use zhiyin_decide::rules::Rules;
use zhiyin_model::coupon::codes::{CodeLot, codes_of};
use zhiyin_model::effect::{Hold, Lot, Order, PastTransfer, Transfer, TransferKind};
use zhiyin_model::event::Event;
use zhiyin_model::id::{EventId, OrderId, TransferId};
use zhiyin_model::member::Term;
use zhiyin_model::time::Ts;
use zhiyin_store::StoreError;

use crate::Result;

/// What a transfer took from which lots; without a lot, as debt.
type Taken = Vec<(Option<TransferId>, i64)>;

/// The rows beside a member.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    lots: BTreeMap<TransferId, Lot>,
    holds: BTreeMap<TransferId, Hold>,
    /// Spends, with what they took from which lots: only these can come back.
    spends: BTreeMap<TransferId, (Transfer, Taken)>,
    undone: BTreeMap<TransferId, i64>,
    /// Orders, each with the event of its lines.
    orders: BTreeMap<OrderId, (Order, Arc<Event>)>,
    terms: Vec<Term>,
    events: Vec<EventRow>,
}

impl Books {
    /// An order.
    pub(super) fn order(&self, id: OrderId) -> Option<&Order> {
        self.orders.get(&id).map(|(order, _)| order)
    }

    /// All orders.
    pub(super) fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().map(|(order, _)| order)
    }

    /// The tier that was held at an instant before the running term.
    pub(super) fn tier_at(&self, at: Ts) -> Option<&str> {
        let held = self.terms.iter().rev().find(|term| term.from <= at).or(self.terms.first());
        held.map(|term| term.level.as_str())
    }

    /// Takes note of an event that conditions look back on.
    pub(super) fn note(&mut self, row: EventRow) {
        self.events.push(row);
    }

    /// Takes what a decision said. `cause` is the event that made it, if it was one.
    pub(super) fn absorb(&mut self, outcome: &Outcome, cause: Option<(EventId, &Arc<Event>)>) {
        for transfer in &outcome.transfers {
            if let Some(reversed) = transfer.reverses {
                *self.undone.entry(reversed).or_default() += transfer.amount;
            }
            if transfer.kind == TransferKind::Spend {
                self.spends.insert(transfer.id, (transfer.clone(), Vec::new()));
            }
        }
        for allocation in &outcome.allocations {
            if let Some((_, taken)) = self.spends.get_mut(&allocation.transfer) {
                taken.push((allocation.lot, allocation.amount));
            }
        }
        self.lots.extend(outcome.lots.iter().map(|lot| (lot.id, lot.clone())));
        self.holds.extend(outcome.holds.iter().map(|hold| (hold.id, hold.clone())));
        self.terms.extend(outcome.terms.iter().cloned());
        if let Some(order) = &outcome.order {
            let told = cause.filter(|(id, _)| *id == order.event).map(|(_, event)| event);
            let lines = told.or(self.orders.get(&order.id).map(|(_, lines)| lines)).cloned();
            if let Some(lines) = lines {
                self.orders.insert(order.id, (order.clone(), lines));
            }
        }
    }

    /// Adds what was missing to what is known.
    pub(super) fn answer(&self, rules: &Rules, known: &mut Known, missing: Missing) -> Result<()> {
        match missing {
            Missing::OrderLines(id) => {
                let lines = self.orders.get(&id).map(|(_, lines)| Event::clone(lines));
                known.order_event =
                    Some(lines.ok_or_else(|| StoreError::Damaged(format!("no lines of order {id}")))?);
            }
            Missing::Lots(asked) => {
                let wanted = |lot: &&Lot| match &asked {
                    LotsAsked::Covering(_) => lot.remaining > 0,
                    LotsAsked::ExpiringAt(at) => lot.remaining > 0 && lot.expires_at == *at,
                    LotsAsked::ActiveAt(at) => lot.remaining > 0 && lot.active_at == *at,
                    LotsAsked::These(ids) => ids.contains(&lot.id),
                };
                known.lots.extend(self.lots.values().filter(wanted).map(|lot| (lot.id, lot.clone())));
                known.lots_asked.push(asked);
            }
            Missing::Terms => known.terms = Some(self.terms.clone()),
            Missing::Hold(id) => drop(known.holds.insert(id, self.holds.get(&id).cloned())),
            Missing::Past(id) => {
                let past = self.spends.get(&id).map(|(transfer, taken)| PastTransfer {
                    transfer: transfer.clone(),
                    allocations: taken.clone(),
                    undone: self.undone.get(&id).copied().unwrap_or(0),
                });
                known.past.insert(id, past);
            }
            // Pools are of all members, who are replayed apart.
            Missing::Pool(pool) => drop(Arc::make_mut(&mut known.pools).insert(pool, 0)),
            Missing::Pools(pools) => {
                Arc::make_mut(&mut known.pools).extend(pools.into_iter().map(|pool| (pool, 0)))
            }
            // So are uploads of codes, of which there are enough here.
            Missing::Codes(offer) => {
                let partner =
                    rules.coupons.get(&offer).and_then(|rule| rule.codes.clone()).unwrap_or_default();
                let (pool, codes, valid_until) = (codes_of(&offer), i64::MAX, Ts::FOREVER);
                let lot = CodeLot { upload: 0, partner, pool, codes, valid_until };
                Arc::make_mut(&mut known.pools).insert(lot.pool.clone(), 0);
                Arc::make_mut(&mut known.codes).insert(offer, vec![lot]);
            }
            // What was a checkout's is not asked here: it is passed over.
            Missing::Checkout(id) => drop(known.checkouts.insert(id, None)),
            Missing::Lease(name) => drop(known.leases.insert(name, None)),
            Missing::Linked(id) => {
                known.linked = Some((id, self.orders.get(&id).map(|(order, _)| order.clone())));
            }
            Missing::History => known.history = Some(self.history(rules)?),
        }
        Ok(())
    }

    /// All that counts of the history.
    pub(super) fn history(&self, rules: &Rules) -> Result<History> {
        let mut history = History::default();
        for (order, lines) in self.orders.values().filter(|(order, _)| order.counts()) {
            let row = row(&rules.currency, order, lines)
                .map_err(|stop| StoreError::Damaged(format!("order {}: {stop:?}", order.id)))?;
            history.orders.push((order.id, row));
        }
        let used = |row: &&EventRow| is_counted(&row.name) && rules.events_used.contains(&*row.name);
        history.events = self.events.iter().filter(used).cloned().collect();
        Ok(history)
    }

    /// The same with every event that was noted, whoever asks about them.
    pub(super) fn all_history(&self, rules: &Rules) -> Result<History> {
        Ok(History { events: self.events.clone(), ..self.history(rules)? })
    }
}
