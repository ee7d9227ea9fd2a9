//! Items at the door that cannot stay under the key they were sealed under on their way in, before anybody knew whose their names
//! are.
//!
//! An item is sealed under the first of its names, and a name under itself. That holds as long as the name is of whom the item
//! is about, and was nobody's before. A name that comes into *other hands* is sealed under a key of its own from then on, with
//! what is said by it: so that the key of before can be destroyed with who bore it before. And an item whose first name was
//! given up is sealed under the first that was not.

use std::sync::atomic::Ordering;

use super::envelope::{Subject, What, subject_of};
use super::keystore::Found;
use super::personal::Ring;
use super::vault::{Keys, Vault};
use super::{LookupHash, Sealed};
use crate::settle::Fate;
use crate::{Append, Named, NewEvent, Result};

/// Under what a name is sealed that was in so many hands before.
fn hand(keys: &Keys, name: &LookupHash, hands: u32) -> Subject {
    if hands == 0 { *name } else { keys.id_key.digest("hand", &[name, &hands.to_le_bytes()]) }
}

/// The first of an item's names that is of whom it is about.
fn under(fates: &[Fate]) -> usize {
    fates.iter().position(|fate| !matches!(fate, Fate::GivenUp(_))).unwrap_or(0)
}

/// Whether an item must be sealed anew: by what becomes of its names, and in how many hands each of them was before, whom it
/// reaches last.
pub fn must_be_anew(fates: &[Fate], hands: &[u32]) -> bool {
    under(fates) > 0 || hands.iter().any(|hands| *hands > 0)
}

impl Vault {
    /// Seals an item anew. [`crate::StoreError::Erased`] where its key is gone.
    pub fn seal_anew(&self, event: &NewEvent, fates: &[Fate], hands: &[u32]) -> Result<NewEvent> {
        let mut event = event.clone();
        let Some(keys) = self.keys() else { return Ok(event) };
        let of = |n: usize, named: &Named| hand(keys, &named.hash, hands.get(n).copied().unwrap_or_default());
        let names = event.names.iter().chain(event.reach.as_ref().map(|reach| &reach.named));
        let subjects: Vec<Subject> = names.enumerate().map(|(n, named)| of(n, named)).collect();
        let ring = Ring(keys.to_seal(subjects.iter().copied())?);
        let anew = |subject: &Subject, what, value: &mut Sealed| {
            value.0 = ring.seal(subject, what, &self.opened(&value.0, what)?)?;
            Ok::<_, crate::StoreError>(())
        };
        if let Some(subject) = subjects.get(under(fates)).filter(|_| !event.names.is_empty()) {
            anew(subject, What::Body, &mut event.body)?;
            event.called.as_mut().map_or(Ok(()), |called| anew(subject, What::Called, called))?;
        }
        let reached = event.reach.as_mut().map(|reach| &mut reach.named);
        for (named, subject) in event.names.iter_mut().chain(reached).zip(&subjects) {
            if named.hash != *subject {
                anew(subject, What::Identifier, &mut named.value)?;
            }
        }
        Ok(event)
    }

    /// Whether all keys are still there that an append was sealed under, where a home knows of so many erasures now.
    pub fn outlived(&self, append: &Append, erasures: i64) -> Result<bool> {
        let Some(keys) = self.keys() else { return Ok(true) };
        keys.erasures.store(erasures, Ordering::Relaxed);
        if append.erasures == erasures {
            return Ok(true);
        }
        let mut subjects: Vec<Subject> = Vec::new();
        for event in &append.events {
            let reached = event.reach.iter().map(|reach| &reach.named);
            let values = event.names.iter().chain(reached).map(|named| &named.value);
            let values = values.chain([&event.body]).chain(&event.called);
            subjects.extend(values.filter_map(|value| subject_of(&value.0)));
        }
        subjects.sort_unstable();
        subjects.dedup();
        Ok(keys.store.find(&subjects)?.iter().all(|found| *found != Found::Gone))
    }
}
