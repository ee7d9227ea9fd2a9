//! Marks: on which lists a member is, and in which standing audiences the record has them. They lie among the bitmaps of tags,
//! under names that no tag can have, and are counted as they change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bits::{Kept, Mask};
use crate::block::Block;
use crate::person::Person;
use crate::population::Seen;
use crate::set::MemberSet;

/// What every mark's name begins with: no tag is called so, an id having no such character.
const BEGINS: char = '\u{1}';
const LIST: &str = "\u{1}list ";
const STANDING: &str = "\u{1}standing ";

/// Something that a member bears beside tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark<'n> {
    /// The list of this name.
    List(&'n str),
    /// The standing audience of this name, as the record has it.
    Standing(&'n str),
}

impl Mark<'_> {
    /// Among the bitmaps of tags.
    pub(crate) fn key(self) -> String {
        match self {
            Self::List(name) => format!("{LIST}{name}"),
            Self::Standing(name) => format!("{STANDING}{name}"),
        }
    }
}

/// Whether a bitmap is no tag's.
pub(crate) fn is_mark(key: &str) -> bool {
    key.starts_with(BEGINS)
}

/// The marks of a person, as bitmaps are called.
pub(crate) fn of(person: &Person) -> impl Iterator<Item = String> + '_ {
    let lists = person.lists.iter().map(|name| Mark::List(name).key());
    lists.chain(person.standing.iter().map(|name| Mark::Standing(name).key()))
}

/// Tags, lists and standing audiences of bitmaps, in their order.
pub(crate) fn told<'k>(keys: impl Iterator<Item = &'k String>) -> [Vec<String>; 3] {
    let mut told: [Vec<String>; 3] = Default::default();
    for key in keys {
        match (key.strip_prefix(LIST), key.strip_prefix(STANDING)) {
            (Some(list), _) => told[1].push(list.to_owned()),
            (_, Some(standing)) => told[2].push(standing.to_owned()),
            _ => told[0].push(key.clone()),
        }
    }
    told
}

fn n(kept: &Kept) -> i64 {
    i64::try_from(kept.count()).unwrap_or(i64::MAX)
}

fn marks(block: &Block) -> impl Iterator<Item = (&String, &Kept)> {
    block.tags.iter().take_while(|(key, _)| is_mark(key))
}

/// How many bear each mark: reckoned along with changes, so that reading it costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Mutex<BTreeMap<String, i64>>,
}

impl Tally {
    /// What new blocks move, each member being in one of them; to be taken before they are shown.
    pub(crate) fn moved(&self, before: &Seen, built: &[Arc<Block>]) -> BTreeMap<String, i64> {
        let mut moved: BTreeMap<String, i64> = BTreeMap::new();
        for block in built {
            for (key, kept) in marks(block) {
                *moved.entry(key.clone()).or_default() += n(kept);
            }
        }
        let nobody = self.counts.lock().unwrap_or_else(PoisonError::into_inner).values().all(|n| *n == 0);
        if nobody {
            return moved;
        }
        let ordinals = built.iter().flat_map(|block| (0..block.len()).map(|place| block.ordinal(place)));
        for ordinal in ordinals.filter(|ordinal| *ordinal < before.ordinals()) {
            let Some((block, place)) = before.newest(ordinal) else { continue };
            for (key, _) in marks(block).filter(|(_, kept)| kept.has(place)) {
                *moved.entry(key.clone()).or_default() -= 1;
            }
        }
        moved
    }

    /// They are shown.
    pub(crate) fn add(&self, moved: BTreeMap<String, i64>) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, by) in moved {
            *counts.entry(key).or_default() += by;
        }
        counts.retain(|_, n| *n != 0);
    }

    /// Begins from blocks over which nothing lies.
    pub(crate) fn begin(&self, base: &[Arc<Block>]) {
        let mut counts = BTreeMap::new();
        for (key, kept) in base.iter().flat_map(|block| marks(block)) {
            *counts.entry(key.clone()).or_default() += n(kept);
        }
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
    }

    pub(crate) fn count(&self, mark: Mark<'_>) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&mark.key()).copied().unwrap_or(0).unsigned_abs()
    }
}

impl Seen {
    /// Who bears a mark.
    pub fn marked(&self, mark: Mark<'_>) -> MemberSet {
        let key = mark.key();
        let answer = |mask: &mut Mask, (at, block): (usize, &Block), into: &mut [u64]| {
            let Some(kept) = block.tags.get(&key) else { return };
            self.told_by(at, block, mask);
            kept.keep(mask);
            mask.put_into(into);
        };
        self.laid_over(|| Mask::none(0), answer).0
    }
}
