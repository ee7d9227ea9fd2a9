//! What a decision says, and what it may answer instead: a refusal, or what it still needs to know.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhiyin_condition::{EventRow, OrderRow};
use zhiyin_model::checkout::{Checkout, CheckoutSet};
use zhiyin_model::coupon::CouponEffects;
use zhiyin_model::coupon::codes::CodeLot;
use zhiyin_model::effect::{
    Allocation, Hold, Lot, Order, OrderChange, PartnerMove, PastTransfer, StageMove, TagMove, Transfer,
};
use zhiyin_model::event::{Event, Identifier, Refusal};
use zhiyin_model::id::{CheckoutId, OrderId, TransferId};
use zhiyin_model::member::Term;
use zhiyin_model::run::RunEffects;
use zhiyin_model::till::Lease;
use zhiyin_model::time::Ts;

/// What must become true. The member's own state is changed in place; these are the rows beside it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Business time of the decision.
    pub at: Ts,
    /// Transfers, in order.
    pub transfers: Vec<Transfer>,
    /// Lots that are new or changed, whole; the last of an id counts.
    pub lots: Vec<Lot>,
    /// What transfers took from which lots.
    pub allocations: Vec<Allocation>,
    /// Holds that are new or changed.
    pub holds: Vec<Hold>,
    /// The order, if it is new or changed.
    pub order: Option<Order>,
    /// How an order stood from an instant on.
    pub order_changes: Vec<OrderChange>,
    /// New terms.
    pub terms: Vec<Term>,
    /// Lifecycle moves.
    pub stages: Vec<StageMove>,
    /// Tags put on and taken off.
    pub tags: Vec<TagMove>,
    /// What passed between the brand and a partner.
    pub partners: Vec<PartnerMove>,
    /// Coupons, and what is taken of pools.
    pub coupons: CouponEffects,
    /// Checkouts that are new or changed.
    pub checkouts: Vec<CheckoutSet>,
    /// What campaigns did.
    pub runs: RunEffects,
    /// Facts that were derived, about this member.
    pub facts: Vec<Said>,
    /// Events for other members: they are reached through the inbox, in the same transaction.
    pub emitted: Vec<Emitted>,
}

/// A derived event about the member at hand.
#[derive(Clone, Debug)]
pub struct Said {
    /// Event name.
    pub name: &'static str,
    /// Its properties.
    pub properties: Vec<(&'static str, String)>,
}

/// A derived event for someone else.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// Event name.
    pub name: &'static str,
    /// For whom.
    pub to: Identifier,
    /// Its properties.
    pub properties: Vec<(&'static str, String)>,
}

/// What has been looked up for the decision at hand.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The order the event speaks of, if it exists.
    pub order: Option<Order>,
    /// The event whose lines are that order's.
    pub order_event: Option<Event>,
    /// Lots of the member that were looked up.
    pub lots: BTreeMap<TransferId, Lot>,
    /// Which look-ups of lots were made.
    pub lots_asked: Vec<LotsAsked>,
    /// Terms of the member, oldest first.
    pub terms: Option<Vec<Term>>,
    /// Holds that were looked up.
    pub holds: BTreeMap<TransferId, Option<Hold>>,
    /// Past transfers that were looked up.
    pub past: BTreeMap<TransferId, Option<PastTransfer>>,
    /// All that counts of the member's history, without the event at hand.
    pub history: Option<History>,
    /// What is taken of pools, by the batch at hand too.
    pub pools: Arc<BTreeMap<String, i64>>,
    /// Uploads of partners' codes that have some left, by offer, in the order in which they are handed out; how much of each is
    /// gone is among the pools.
    pub codes: Arc<BTreeMap<String, Vec<CodeLot>>>,
    /// Checkouts that were looked up.
    pub checkouts: BTreeMap<CheckoutId, Option<KnownCheckout>>,
    /// Leases of tills that were looked up; with each what its pools have left is in `pools`.
    pub leases: BTreeMap<String, Option<Arc<Lease>>>,
    /// The order that the checkout at hand was made, if it exists; which was looked up.
    pub linked: Option<(OrderId, Option<Order>)>,
    /// Since when the home acts for real; what happened before sets no campaign off.
    pub live_since: Option<Ts>,
}

/// A checkout that was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCheckout {
    /// As it stands.
    pub checkout: Checkout,
    /// Its body; `None` where that was erased.
    pub body: Option<String>,
}

/// A member's history, to rebuild aggregates from.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Orders that count.
    pub orders: Vec<(OrderId, OrderRow)>,
    /// Events that conditions look back on.
    pub events: Vec<EventRow>,
}

/// A look-up of lots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LotsAsked {
    /// Open lots in spending order until they cover this much.
    Covering(i64),
    /// Open lots that expire at this instant.
    ExpiringAt(Ts),
    /// Open lots that become active at this instant.
    ActiveAt(Ts),
    /// These.
    These(Vec<TransferId>),
}

/// What a decision still needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The event that this order's lines came with.
    OrderLines(OrderId),
    /// Lots.
    Lots(LotsAsked),
    /// Terms of past tiers.
    Terms,
    /// A hold.
    Hold(TransferId),
    /// A past transfer.
    Past(TransferId),
    /// The whole history.
    History,
    /// What is taken of a pool.
    Pool(String),
    /// The same of several.
    Pools(Vec<String>),
    /// Uploads of codes for an offer, and what is taken of them.
    Codes(String),
    /// A checkout.
    Checkout(CheckoutId),
    /// A lease of a till by its name, and what its pools have left.
    Lease(String),
    /// The order that a checkout was made.
    Linked(OrderId),
}

/// Why a decision was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It will not be made: the event becomes a dead letter.
    Refused(Refusal),
    /// It can be made once this is known.
    Missing(Missing),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Stop {
    /// A refusal of this name.
    pub fn refused(code: &'static str, field: &str, message: impl Into<String>) -> Self {
        Self::Refused(Refusal::new(code, field, message))
    }
}

impl Outcome {
    /// True when nothing but the member's own state and timers changed.
    pub fn is_empty(&self) -> bool {
        self.transfers.is_empty()
            && self.lots.is_empty()
            && self.order.is_none()
            && self.terms.is_empty()
            && self.stages.is_empty()
            && self.tags.is_empty()
            && self.partners.is_empty()
            && self.coupons.is_empty()
            && self.checkouts.is_empty()
            && self.runs.is_empty()
            && self.facts.is_empty()
            && self.emitted.is_empty()
    }
}

impl Known {
    /// Asks for lots unless that was done.
    pub fn ask_lots(&self, asked: LotsAsked) -> Result<(), Stop> {
        let covered = self.lots_asked.iter().any(|done| match (done, &asked) {
            (LotsAsked::Covering(done), LotsAsked::Covering(asked)) => done >= asked,
            (done, asked) => done == asked,
        });
        if covered { Ok(()) } else { Err(Stop::Missing(Missing::Lots(asked))) }
    }
}
