//! How far names are believed at the door: what a playbook says of them, asked of items and of who sends them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zhiyin_model::event::{Identifier, Refusal, nobody};
use zhiyin_model::id::IdKey;
use zhiyin_model::identifier::{is_blocked, kind, normalise};
use zhiyin_model::playbook::Identity;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_store::seal::{self, LookupHash};
use zhiyin_store::{NewEvent, settle};

use crate::accept::{Source, Ties};
use crate::{Engine, Result, clock};

impl Engine {
    /// How far the live playbook believes names; the house's rules where there is none.
    pub fn identity(&self) -> Arc<Identity> {
        self.live().map(|live| live.identity.clone()).unwrap_or_default()
    }

    /// Whose these names are now: in the order asked, without those that nobody bears or that ended by themselves.
    pub(crate) async fn borne(
        &self,
        identifiers: &[Identifier],
    ) -> Result<Vec<(usize, zhiyin_model::id::MemberId)>> {
        let home = self.home().await?;
        let (identity, now) = (self.identity(), clock::now(&home));
        let hashes: Vec<LookupHash> =
            identifiers.iter().map(|identifier| seal::lookup(&home.id_key, identifier)).collect();
        let found = self.store().borne(hashes.clone()).await?;
        let mut borne = Vec::with_capacity(found.len());
        for (n, (identifier, hash)) in identifiers.iter().zip(&hashes).enumerate() {
            let rule = identity.rule(&identifier.namespace);
            let whose = found.iter().find(|(found, ..)| found == hash);
            if let Some((_, member, _)) = whose.filter(|(.., seen)| settle::holds(&rule, *seen, now)) {
                borne.push((n, *member));
            }
        }
        Ok(borne)
    }
}

/// An identifier that somebody asks for, as it is kept.
pub(crate) fn as_kept(identifier: &Identifier, field: &str) -> std::result::Result<Identifier, Refusal> {
    let Identifier { namespace, value } = identifier;
    if is_blocked(namespace, value) {
        return Err(nobody(field, namespace));
    }
    match normalise(namespace, value) {
        Ok(value) => Ok(Identifier { namespace: namespace.clone(), value }),
        Err(refusal) => Err(Refusal { field: field.to_owned(), ..refusal }),
    }
}

impl Source {
    /// Who sends with a key. Where the playbook trusts the source it shows who is one person; but only with a key that may
    /// send items of any kind: one that lies open in a page never does, whatever source it says it is, and hangs nobody's phone
    /// on who is known already.
    pub fn speaking(grant: &Grant, name: &str, user_namespace: &str, identity: &Identity) -> Self {
        let ties = match grant.may(Operation::IngestWrite) {
            Err(_) => Ties::Open,
            Ok(_) if identity.is_trusted(name) => Ties::Merge,
            Ok(_) => Ties::Keep,
        };
        Self { name: name.to_owned(), user_namespace: user_namespace.to_owned(), replay: false, ties }
    }
}

/// Values that a playbook says name nobody, by their hashes: an item's values are sealed by now.
pub(crate) struct Blocked<'i> {
    key: &'i IdKey,
    identity: &'i Identity,
    of: BTreeMap<String, BTreeSet<LookupHash>>,
}

impl<'i> Blocked<'i> {
    /// `None` where the playbook blocks nothing.
    pub(crate) fn new(key: &'i IdKey, identity: &'i Identity) -> Option<Self> {
        let any = identity.namespaces.values().any(|said| !said.blocked.is_empty());
        any.then(|| Self { key, identity, of: BTreeMap::new() })
    }

    fn is_blocked(&mut self, namespace: &str, hash: &LookupHash) -> bool {
        if let Some(hashes) = self.of.get(namespace) {
            return hashes.contains(hash);
        }
        let said = [kind(namespace), namespace].map(|name| self.identity.namespaces.get(name));
        let values = said.into_iter().flatten().flat_map(|said| &said.blocked);
        let hashes = values.map(|value| {
            let identifier = Identifier { namespace: namespace.to_owned(), value: value.clone() };
            seal::lookup(self.key, &identifier)
        });
        let hashes: BTreeSet<LookupHash> = hashes.collect();
        let is_blocked = hashes.contains(hash);
        self.of.insert(namespace.to_owned(), hashes);
        is_blocked
    }

    /// Passes over the names of an item that name nobody; refuses one that names nobody else.
    pub(crate) fn passed_over(&mut self, mut event: NewEvent) -> std::result::Result<NewEvent, Refusal> {
        // Whom a person speaks of was named like this before.
        if event.ties == Ties::Insist || !event.parts.is_empty() {
            return Ok(event);
        }
        if let Some(reach) = &event.reach
            && self.is_blocked(&reach.named.namespace, &reach.named.hash)
        {
            return Err(nobody("properties.to_value", &reach.named.namespace));
        }
        let first = event.names.first().map(|named| named.namespace.clone());
        event.names.retain(|named| !self.is_blocked(&named.namespace, &named.hash));
        match first.filter(|_| event.names.is_empty()) {
            Some(namespace) => Err(nobody(field(&namespace), &namespace)),
            None => Ok(event),
        }
    }
}

/// Puts the most telling name first: what an item says is sealed for whoever bears that. Who speaks of people says first who
/// they all are.
pub(crate) fn most_telling_first(identity: &Identity, event: &mut NewEvent) {
    if event.names.len() > 1 && event.ties != Ties::Insist && event.parts.is_empty() {
        event.names.sort_by_cached_key(|named| identity.rule(&named.namespace).priority);
    }
}

/// Where an item bears a name of a namespace.
fn field(namespace: &str) -> &'static str {
    if namespace == "anonymous" { "anonymousId" } else { "userId or context.externalIds" }
}
