//! A member's state as decisions hold it, and what conditions may ask of it.

use zhiyin_condition::{EventRow, Facts, LeafStates, OrderRow};
use zhiyin_model::consent::Consents;
use zhiyin_model::dependant::Dependant;
use zhiyin_model::effect::Asset;
use zhiyin_model::id::MemberId;
use zhiyin_model::member::Member;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

use crate::rules::Rules;

/// A member and what conditions keep of their history.
#[derive(Clone, Debug)]
pub struct State {
    /// The member.
    pub member: Member,
    /// Aggregates over their history.
    pub leaves: LeafStates,
}

impl State {
    /// Someone we have just heard of.
    pub fn new(rules: &Rules, id: MemberId, known_since: Ts) -> Self {
        Self { member: Member::new(id, known_since), leaves: rules.leaves.fresh() }
    }
}

/// What conditions see: the member, and the event and order at hand.
pub struct View<'a> {
    /// The member.
    pub state: &'a State,
    /// The tier to go by, where it is not the one held now.
    pub tier: Option<&'a str>,
    /// The event at hand.
    pub event: Option<&'a EventRow>,
    /// The order at hand.
    pub order: Option<&'a OrderRow>,
}

impl<'a> View<'a> {
    /// The member alone.
    pub fn of(state: &'a State) -> Self {
        Self { state, tier: None, event: None, order: None }
    }
}

impl Facts for View<'_> {
    fn member_id(&self) -> MemberId {
        self.state.member.id
    }

    fn attribute(&self, name: &str) -> Option<&Scalar> {
        self.state.member.attributes.get(name)
    }

    fn has_tag(&self, tag: &str) -> bool {
        self.state.member.tags.contains_key(tag)
    }

    fn tags(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.state.member.tags.keys().map(String::as_str))
    }

    fn tier(&self) -> Option<&str> {
        self.tier.or_else(|| self.state.member.term.as_ref().map(|term| term.level.as_str()))
    }

    fn lifecycle(&self) -> Option<&str> {
        self.state.member.stage.as_ref().map(|held| held.stage.as_str())
    }

    fn store(&self) -> Option<&str> {
        self.state.member.touches.store.as_ref().map(|(_, store)| store.as_str())
    }

    fn points(&self) -> i64 {
        self.state.member.account(Asset::Points).shown()
    }

    fn enrolled_at(&self) -> Option<Ts> {
        self.state.member.enrolled_at
    }

    fn consents(&self) -> Option<&Consents> {
        Some(&self.state.member.personal.consents)
    }

    fn dependants(&self) -> Box<dyn Iterator<Item = Dependant<'_>> + '_> {
        Box::new(self.state.member.personal.dependants.known())
    }

    fn leaves(&self) -> &LeafStates {
        &self.state.leaves
    }

    fn event(&self) -> Option<&EventRow> {
        self.event
    }

    fn order(&self) -> Option<&OrderRow> {
        self.order
    }
}
