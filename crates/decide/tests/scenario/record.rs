//! The rows a store would keep of one member, and the look-ups it would answer, no more generously than it would.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhiyin_decide::outcome::{History, Known, KnownCheckout, LotsAsked, Missing, Outcome};
use zhiyin_decide::rules::Rules;
use zhiyin_decide::{event_row, order};
use zhiyin_model::coupon::CouponEffects;
use zhiyin_model::coupon::codes::CodeLot;
use zhiyin_model::effect::{Allocation, Lot, Order, PartnerMove, StageMove, TagMove, Transfer, TransferKind};
use zhiyin_model::effect::{Hold, PastTransfer};
use zhiyin_model::event::Event;
use zhiyin_model::id::{CheckoutId, EventId, OrderId, TransferId};
use zhiyin_model::member::Term;
use zhiyin_model::till::Lease;

/// All rows of one member.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The journal; only ever longer.
    pub transfers: Vec<Transfer>,
    /// What transfers took from lots and debt.
    pub allocations: Vec<Allocation>,
    /// Lots as they stand.
    pub lots: BTreeMap<TransferId, Lot>,
    /// Holds as they stand.
    pub holds: BTreeMap<TransferId, Hold>,
    /// Orders as they stand.
    pub orders: BTreeMap<OrderId, Order>,
    /// Terms, oldest first.
    pub terms: Vec<Term>,
    /// Lifecycle moves.
    pub stages: Vec<StageMove>,
    /// Tags put on and taken off.
    pub tags: Vec<TagMove>,
    /// What passed with partners.
    pub partners: Vec<PartnerMove>,
    /// Coupons, as batches would write them.
    pub coupons: CouponEffects,
    /// Uploads of codes, by offer.
    pub codes: BTreeMap<String, Vec<CodeLot>>,
    /// Leases of tills, by name.
    pub leases: BTreeMap<String, Arc<Lease>>,
    /// Checkouts as they stand.
    pub checkouts: BTreeMap<CheckoutId, KnownCheckout>,
    /// Events that were decided.
    pub events: BTreeMap<EventId, Event>,
    /// Whether look-ups of lots answer with all there are, whatever was asked.
    pub generous: bool,
    /// Names that tables give to the last transfer of a step.
    pub labels: BTreeMap<&'static str, TransferId>,
}

impl Record {
    /// Writes what a decision said.
    pub fn write(&mut self, outcome: &Outcome, label: Option<&'static str>) {
        for transfer in &outcome.transfers {
            assert!(transfer.amount > 0, "a transfer of nothing: {transfer:?}");
            assert!(
                self.transfers.iter().all(|known| known.id != transfer.id),
                "written twice: {transfer:?}"
            );
            self.transfers.push(transfer.clone());
        }
        self.allocations.extend(outcome.allocations.iter().cloned());
        for lot in &outcome.lots {
            if let Some(before) = self.lots.insert(lot.id, lot.clone()) {
                let kept = |lot: &Lot| (lot.member, lot.granted, lot.active_at, lot.expires_at);
                assert_eq!(kept(&before), kept(lot), "a lot's origin changed");
            }
        }
        self.holds.extend(outcome.holds.iter().map(|hold| (hold.id, hold.clone())));
        self.partners.extend(outcome.partners.iter().cloned());
        self.coupons.extend(outcome.coupons.clone());
        for set in &outcome.checkouts {
            let before = self.checkouts.get(&set.checkout.id).and_then(|known| known.body.clone());
            let body = set.body.clone().or(before);
            self.checkouts.insert(set.checkout.id, KnownCheckout { checkout: set.checkout.clone(), body });
        }
        self.orders.extend(outcome.order.iter().map(|order| (order.id, order.clone())));
        self.terms.extend(outcome.terms.iter().cloned());
        self.stages.extend(outcome.stages.iter().cloned());
        self.tags.extend(outcome.tags.iter().cloned());
        if let (Some(label), Some(transfer)) = (label, outcome.transfers.last()) {
            self.labels.insert(label, transfer.id);
        }
    }

    /// Lots with something left, in spending order.
    pub fn open_lots(&self) -> Vec<&Lot> {
        let mut lots: Vec<&Lot> = self.lots.values().filter(|lot| lot.remaining > 0).collect();
        lots.sort_by_key(|lot| lot.spending_key());
        lots
    }

    /// Adds what was missing to what is known.
    pub fn look_up(&self, rules: &Rules, known: &mut Known, missing: &Missing) {
        match missing {
            Missing::OrderLines(id) => known.order_event = Some(self.events[&self.orders[id].event].clone()),
            Missing::Lots(asked) => {
                known.lots.extend(self.lots_for(asked).into_iter().map(|lot| (lot.id, lot)));
                known.lots_asked.push(asked.clone());
            }
            Missing::Terms => {
                let mut terms = self.terms.clone();
                terms.sort_by_key(|term| term.from);
                known.terms = Some(terms);
            }
            Missing::Hold(id) => {
                known.holds.insert(*id, self.holds.get(id).cloned());
            }
            Missing::Past(id) => {
                known.past.insert(*id, self.past(*id));
            }
            Missing::Pool(pool) => {
                Arc::make_mut(&mut known.pools).insert(pool.clone(), self.taken(pool));
            }
            Missing::Pools(pools) => {
                Arc::make_mut(&mut known.pools)
                    .extend(pools.iter().map(|pool| (pool.clone(), self.taken(pool))));
            }
            Missing::Codes(offer) => {
                let lots = self.codes.get(offer).cloned().unwrap_or_default();
                Arc::make_mut(&mut known.pools)
                    .extend(lots.iter().map(|lot| (lot.pool.clone(), self.taken(&lot.pool))));
                Arc::make_mut(&mut known.codes).insert(offer.clone(), lots);
            }
            Missing::Checkout(id) => {
                known.checkouts.insert(*id, self.checkouts.get(id).cloned());
            }
            Missing::Lease(name) => {
                known.leases.insert(name.clone(), self.leases.get(name).cloned());
            }
            Missing::Linked(id) => known.linked = Some((*id, self.orders.get(id).cloned())),
            Missing::History => known.history = Some(self.history(rules)),
        }
    }

    /// What is taken of a pool.
    pub fn taken(&self, pool: &str) -> i64 {
        self.coupons.pools.iter().find(|take| take.pool == *pool).map_or(0, |take| take.amount)
    }

    fn lots_for(&self, asked: &LotsAsked) -> Vec<Lot> {
        let open = self.open_lots().into_iter();
        match asked {
            _ if self.generous => self.lots.values().cloned().collect(),
            LotsAsked::Covering(amount) => {
                let mut covered = 0;
                let mut lots = Vec::new();
                for lot in open {
                    if covered >= *amount {
                        break;
                    }
                    covered += if lot.active { lot.remaining } else { 0 };
                    lots.push(lot.clone());
                }
                lots
            }
            LotsAsked::ExpiringAt(at) => open.filter(|lot| lot.expires_at == *at).cloned().collect(),
            LotsAsked::ActiveAt(at) => open.filter(|lot| lot.active_at == *at).cloned().collect(),
            LotsAsked::These(ids) => ids.iter().filter_map(|id| self.lots.get(id)).cloned().collect(),
        }
    }

    /// Only spends are found, as in a store.
    fn past(&self, id: TransferId) -> Option<PastTransfer> {
        let spend = |transfer: &&Transfer| transfer.id == id && transfer.kind == TransferKind::Spend;
        let transfer = self.transfers.iter().find(spend)?.clone();
        let of_it = self.allocations.iter().filter(|allocation| allocation.transfer == id);
        let undone = self.transfers.iter().filter(|transfer| transfer.reverses == Some(id));
        Some(PastTransfer {
            transfer,
            allocations: of_it.map(|allocation| (allocation.lot, allocation.amount)).collect(),
            undone: undone.map(|transfer| transfer.amount).sum(),
        })
    }

    /// Everything that counts of the member's history, as a rebuild would read it.
    pub fn history(&self, rules: &Rules) -> History {
        let row = |order: &Order| {
            let row = order::row(&rules.currency, order, &self.events[&order.event]);
            (order.id, row.unwrap_or_else(|stop| panic!("{stop:?}")))
        };
        let events = self.events.values().filter(|event| rules.events_used.contains(&event.name));
        History {
            orders: self.orders.values().filter(|order| order.counts()).map(row).collect(),
            events: events.map(event_row).collect(),
        }
    }
}
