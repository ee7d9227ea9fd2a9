//! Keys that were opened, as many as are needed again and again: bounded, and wiped when they go.

use std::collections::BTreeMap;

use super::envelope::{Key, Subject};

/// How many keys of each of the two halves are kept.
const HALF_MAX: usize = 32_768;

/// Keys in two halves: when the younger is full, the elder goes. What is asked for again becomes young.
#[derive(Default)]
pub(super) struct Opened {
    young: BTreeMap<Subject, Key>,
    elder: BTreeMap<Subject, Key>,
    /// How often something had been erased when this was last sure.
    pub(super) epoch: i64,
}

impl Opened {
    pub(super) fn get(&mut self, subject: &Subject) -> Option<Key> {
        if let Some(key) = self.young.get(subject) {
            return Some(key.clone());
        }
        let key = self.elder.remove(subject)?;
        self.put(*subject, key.clone());
        Some(key)
    }

    pub(super) fn put(&mut self, subject: Subject, key: Key) {
        if self.young.len() >= HALF_MAX {
            self.elder = std::mem::take(&mut self.young);
        }
        self.young.insert(subject, key);
    }

    /// The same for a key that was found when so much had been erased; what was found before something else was erased may be
    /// gone.
    pub(super) fn put_as_of(&mut self, epoch: i64, subject: Subject, key: Key) {
        if epoch == self.epoch {
            self.put(subject, key);
        }
    }

    /// Believes nothing any more.
    pub(super) fn forget(&mut self, epoch: i64) {
        *self = Self { epoch, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_again_stays_and_the_rest_is_bounded() {
        let mut opened = Opened::default();
        let subject = |n: u32| {
            let mut subject = [0; 16];
            subject[..4].copy_from_slice(&n.to_be_bytes());
            subject
        };
        for n in 0..200_000 {
            opened.put(subject(n), Key::from_bytes([1; 32]));
            assert!(opened.get(&subject(0)).is_some(), "{n}");
        }
        assert!(opened.young.len() + opened.elder.len() <= 2 * HALF_MAX + 1);
        assert!(opened.get(&subject(1)).is_none());
    }
}
