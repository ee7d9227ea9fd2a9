//! Asking member by member: what every other way of answering must agree with.

use zhiyin_audience::Person;
use zhiyin_condition::{Facts, LeafStates, Leaves, Row};
use zhiyin_model::consent::Consents;
use zhiyin_model::dependant::Dependant;
use zhiyin_model::id::MemberId;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

/// One person with what conditions keep of their history.
pub(crate) struct One<'p> {
    person: &'p Person,
    leaves: LeafStates,
}

impl<'p> One<'p> {
    /// A person, for conditions whose leaves these are.
    pub(crate) fn of(person: &'p Person, leaves: &Leaves) -> Self {
        let mut states = leaves.fresh();
        if !leaves.is_empty() {
            person.orders.iter().for_each(|row| states.observe(leaves, Row::Order(row)));
            let used = leaves.events_used();
            let counted = person.events.iter().filter(|row| used.contains(&*row.name));
            counted.for_each(|row| states.observe(leaves, Row::Event(row)));
        }
        Self { person, leaves: states }
    }
}

impl Facts for One<'_> {
    fn member_id(&self) -> MemberId {
        self.person.id
    }

    fn attribute(&self, name: &str) -> Option<&Scalar> {
        self.person.attributes.get(name)
    }

    fn has_tag(&self, tag: &str) -> bool {
        self.person.tags.iter().any(|held| held == tag)
    }

    fn tags(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.person.tags.iter().map(String::as_str))
    }

    fn tier(&self) -> Option<&str> {
        self.person.tier.as_deref()
    }

    fn lifecycle(&self) -> Option<&str> {
        self.person.lifecycle.as_deref()
    }

    fn store(&self) -> Option<&str> {
        self.person.store.as_deref()
    }

    fn points(&self) -> i64 {
        self.person.points
    }

    fn enrolled_at(&self) -> Option<Ts> {
        self.person.enrolled_at
    }

    fn consents(&self) -> Option<&Consents> {
        Some(&self.person.consents)
    }

    fn dependants(&self) -> Box<dyn Iterator<Item = Dependant<'_>> + '_> {
        Box::new(self.person.dependants.known())
    }

    fn is_listed(&self, list: &str) -> bool {
        self.person.lists.iter().any(|held| held == list)
    }

    fn leaves(&self) -> &LeafStates {
        &self.leaves
    }
}
