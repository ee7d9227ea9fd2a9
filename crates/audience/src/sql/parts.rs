//! What of a member may stay away from the tables: whoever keeps it where it is asks for less, never wrongly.
//!
//! A part that stays away is taken out of each row before it is written ([`Tables::trimmed`]), and what asks for it is refused
//! by name.

use std::collections::BTreeSet;

use super::{NotInSql, Tables};
use crate::Person;

/// A part of a member that a home may keep to itself. Attributes are named one by one ([`Tables::attributes`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The home store.
    Store,
    /// What they said yes and no to.
    Consents,
    /// Whom they care for.
    Dependants,
    /// When they were born: the attribute `birthday`, and what follows from it.
    Birthday,
    /// The lines of orders.
    Items,
    /// What events say beside their name, time and place.
    Properties,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Store, Self::Consents, Self::Dependants, Self::Birthday, Self::Items, Self::Properties];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Consents => "consents",
            Self::Dependants => "dependants",
            Self::Birthday => "birthday",
            Self::Items => "items",
            Self::Properties => "properties",
        }
    }

    /// The part of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

impl Tables {
    /// Refuses what asks for a part that is not there.
    pub(super) fn has_part(&self, part: Part) -> Result<(), NotInSql> {
        if !self.without.contains(&part) {
            return Ok(());
        }
        Err(NotInSql::new(part.name(), "this home keeps it to itself (--clickhouse-clear allows it)"))
    }

    /// A member without what stays away.
    pub fn trimmed(&self, mut person: Person) -> Person {
        let without = |part| self.without.contains(&part);
        if without(Part::Store) {
            person.store = None;
        }
        if without(Part::Consents) {
            person.consents = Default::default();
        }
        if without(Part::Dependants) {
            person.dependants = Default::default();
        }
        if without(Part::Birthday) {
            person.attributes.remove("birthday");
        }
        if without(Part::Items) {
            person.orders.iter_mut().for_each(|order| order.items.clear());
        }
        if without(Part::Properties) {
            person.events.iter_mut().for_each(|event| event.properties.clear());
        }
        person
    }

    /// Names of the parts that stay away, for the fingerprint.
    pub(super) fn parts_away(without: &BTreeSet<Part>) -> String {
        let names: Vec<&str> = without.iter().map(|part| part.name()).collect();
        names.join("+")
    }
}
