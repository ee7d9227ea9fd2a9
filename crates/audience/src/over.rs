//! What lies over what: of whom a newer block tells, and which members each block has to tell of.

use std::sync::{Arc, OnceLock};

use crate::bits::{BLOCK, Mask};
use crate::block::{Block, Ordinals};
use crate::population::Seen;
use crate::set::MemberSet;

/// Of whom newer blocks tell. Made once for all questions of a moment.
#[derive(Debug, Default)]
pub(crate) struct Over {
    /// A bit for each ordinal of whom some block of changes tells; none where there are no such blocks.
    covered: Vec<u64>,
    /// Of whom each of those blocks is the newest that tells, the oldest block first.
    newest: Vec<Mask>,
}

impl Over {
    /// Of changes, the oldest first, over so many ordinals.
    pub(crate) fn of(deltas: &[Arc<Block>], ordinals: u32) -> Self {
        if deltas.is_empty() {
            return Self::default();
        }
        let mut covered = vec![0u64; (ordinals as usize).div_ceil(64)];
        let mut of_block = |delta: &Block| {
            let mut newest = Mask::none(delta.len());
            let words = newest.words_mut();
            for place in 0..delta.len() {
                let ordinal = delta.ordinal(place) as usize;
                let Some(word) = covered.get_mut(ordinal / 64) else { continue };
                words[place / 64] |= (!*word >> (ordinal % 64) & 1) << (place % 64);
                *word |= 1 << (ordinal % 64);
            }
            newest
        };
        let mut newest: Vec<Mask> = deltas.iter().rev().map(|delta| of_block(delta)).collect();
        newest.reverse();
        Self { covered, newest }
    }

    /// Of the moment after another: who asked of that one will ask of this one, and is not to wait.
    pub(crate) fn after(before: &Seen, deltas: &[Arc<Block>], ordinals: u32) -> OnceLock<Arc<Self>> {
        let over = OnceLock::new();
        if let Some(known) = before.over.get() {
            let mut pairs = before.deltas.iter().zip(deltas);
            let same = before.n_ordinals == ordinals
                && before.deltas.len() == deltas.len()
                && pairs.all(|(a, b)| Arc::ptr_eq(a, b));
            drop(over.set(if same { known.clone() } else { Arc::new(Self::of(deltas, ordinals)) }));
        }
        over
    }

    /// Of whom of a block of the base something newer is told.
    fn of_base(&self, at: usize) -> &[u64] {
        let from = (at * BLOCK / 64).min(self.covered.len());
        &self.covered[from..(from + BLOCK / 64).min(self.covered.len())]
    }
}

impl Seen {
    /// Whether all places of a block are of members, of whom no newer block tells.
    pub(crate) fn is_of_all(&self, at: usize, block: &Block) -> bool {
        let newest = match at.checked_sub(self.base.len()) {
            None => self.over().of_base(at).iter().all(|word| *word == 0),
            Some(delta) => self.over().newest.get(delta).is_none_or(|mask| mask.count() == mask.len()),
        };
        newest && block.n_alive == block.len()
    }

    /// The members of whom a block is the newest that tells.
    pub(crate) fn told_by(&self, at: usize, block: &Block, mask: &mut Mask) {
        mask.reset(block.len());
        if block.n_alive < block.len() {
            block.alive.keep(mask);
        }
        match at.checked_sub(self.base.len()) {
            None => mask.and_not_words(self.over().of_base(at)),
            Some(delta) => {
                if let Some(newest) = self.over().newest.get(delta) {
                    mask.and(newest);
                }
            }
        }
    }
}

impl MemberSet {
    /// Takes out of a mask over a block whoever is not in the set.
    pub(crate) fn keep(&self, block: &Block, mask: &mut Mask) {
        match &block.ordinals {
            Ordinals::From(first) if first.is_multiple_of(64) => {
                let words = self.words();
                let own = words.get(*first as usize / 64..).unwrap_or_default();
                mask.and_words(own);
                // Nobody is in beyond the end.
                if let Some(rest) = mask.words_mut().get_mut(own.len()..) {
                    rest.fill(0);
                }
            }
            _ => mask.retain(|place| self.contains(block.ordinal(place))),
        }
    }
}
