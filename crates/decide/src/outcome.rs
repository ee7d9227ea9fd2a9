//! What a decision says, and what it may answer instead: a refusal, or what it still needs to know.

use std::collections::BTreeMap;

use zhiyin_condition::{EventRow, OrderRow};
use zhiyin_model::effect::{
    Allocation, Hold, Lot, Order, OrderChange, PartnerMove, PastTransfer, StageMove, TagMove, Transfer,
};
use zhiyin_model::event::{Event, Identifier, Refusal};
use zhiyin_model::id::{OrderId, TransferId};
use zhiyin_model::member::Term;
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
