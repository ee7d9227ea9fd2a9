//! Sets of places within a block: masks while a question is answered, and the form in which a block keeps one.

use std::sync::Arc;

/// Members of a block at most: places fit 16 bits.
pub const BLOCK: usize = 65_536;

/// Which members of a block are still in: a bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    words: Vec<u64>,
    len: usize,
}

impl Mask {
    /// Nobody of `len`.
    pub fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], len }
    }

    /// All of `len`.
    pub fn all(len: usize) -> Self {
        let mut mask = Self { words: vec![u64::MAX; len.div_ceil(64)], len };
        mask.trim();
        mask
    }

    /// From words; bits beyond `len` are dropped.
    pub fn from_words(words: Vec<u64>, len: usize) -> Self {
        let mut mask = Self { words, len };
        mask.words.resize(len.div_ceil(64), 0);
        mask.trim();
        mask
    }

    /// Becomes all of `len`, in the memory that it has.
    pub(crate) fn reset(&mut self, len: usize) {
        self.words.clear();
        self.words.resize(len.div_ceil(64), u64::MAX);
        self.len = len;
        self.trim();
    }

    /// Becomes nobody of `len`, in the memory that it has.
    pub(crate) fn reset_none(&mut self, len: usize) {
        self.words.clear();
        self.words.resize(len.div_ceil(64), 0);
        self.len = len;
    }

    fn trim(&mut self) {
        let rest = self.len % 64;
        if let (Some(last), true) = (self.words.last_mut(), rest != 0) {
            *last &= (1 << rest) - 1;
        }
    }

    /// Out of how many.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it is a mask over nobody at all.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many are in.
    pub fn count(&self) -> usize {
        crate::wide::ones(&self.words)
    }

    /// Whether nobody is in.
    pub fn is_none(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Whether a place is in.
    pub fn has(&self, place: usize) -> bool {
        self.words.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// Puts a place in.
    pub fn put(&mut self, place: usize) {
        self.words[place / 64] |= 1 << (place % 64);
    }

    /// Takes a place out.
    pub fn take(&mut self, place: usize) {
        self.words[place / 64] &= !(1 << (place % 64));
    }

    /// Its words, 64 places each.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Its words, to be changed.
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// As words, 64 places each, of which there may be more than its own.
    pub(crate) fn put_into(&self, words: &mut [u64]) {
        words.iter_mut().zip(&self.words).for_each(|(to, word)| *to = *word);
    }

    /// Those in both.
    pub fn and(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// Those in both, the others being words.
    pub(crate) fn and_words(&mut self, others: &[u64]) {
        self.words.iter_mut().zip(others).for_each(|(word, other)| *word &= other);
    }

    /// Those not among others, which are words.
    pub(crate) fn and_not_words(&mut self, others: &[u64]) {
        self.words.iter_mut().zip(others).for_each(|(word, other)| *word &= !other);
    }

    /// Those of a list of places.
    pub(crate) fn keep_places(&mut self, places: &[u16]) {
        let mut kept = places.to_vec();
        retain_places(&mut kept, |place| self.has(usize::from(place)));
        self.words.fill(0);
        kept.iter().for_each(|place| self.put(usize::from(*place)));
    }

    /// Those in either.
    pub fn or(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Those not in the other.
    pub fn and_not(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
    }

    /// Keeps those for whom it holds, asking only those who are in.
    pub fn retain(&mut self, mut holds: impl FnMut(usize) -> bool) {
        for (at, word) in self.words.iter_mut().enumerate() {
            let mut left = *word;
            let mut kept = *word;
            while left != 0 {
                let bit = left.trailing_zeros() as usize;
                left &= left - 1;
                // Without a branch: which way it goes cannot be foretold.
                kept &= !(u64::from(!holds(at * 64 + bit)) << bit);
            }
            *word = kept;
        }
    }

    /// As [`Mask::retain`], after `touch` was called for 64 places at a time: whoever reads there what `holds` will read next,
    /// without deciding anything by it, lets the memory fetch all of it at once.
    pub(crate) fn retain_touched(
        &mut self,
        touch: impl Fn(usize) -> i64,
        mut holds: impl FnMut(usize) -> bool,
    ) {
        let mut together = [0usize; 64];
        let mut n = 0;
        for at in 0..self.words.len() {
            let mut left = self.words[at];
            // Where few of a word are in, those of several words are touched together.
            while left != 0 {
                together[n] = at * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                n += 1;
                if n == together.len() {
                    self.retain_these(&together, &touch, &mut holds);
                    n = 0;
                }
            }
        }
        self.retain_these(&together[..n], &touch, &mut holds);
    }

    /// Keeps, of these places, those for whom it holds.
    #[inline]
    fn retain_these(
        &mut self,
        places: &[usize],
        touch: &impl Fn(usize) -> i64,
        holds: &mut impl FnMut(usize) -> bool,
    ) {
        std::hint::black_box(places.iter().fold(0, |touched, place| touched ^ touch(*place)));
        // The word at hand stays out of memory until the next one's turn.
        let (mut at, mut out) = (0, 0);
        for place in places {
            if place / 64 != at {
                self.words[at] &= !out;
                (at, out) = (place / 64, 0);
            }
            out |= u64::from(!holds(*place)) << (place % 64);
        }
        if let Some(word) = self.words.get_mut(at) {
            *word &= !out;
        }
    }

    /// Places that are in, ascending.
    pub fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros() as usize;
                    left &= left - 1;
                    at * 64 + bit
                })
            })
        })
    }
}

/// Keeps the places for which it holds: without a branch, since which way it goes cannot be foretold, and what is read for the
/// next ones need not wait for it.
#[inline]
pub(crate) fn retain_places(places: &mut Vec<u16>, mut holds: impl FnMut(u16) -> bool) {
    let mut n = 0;
    for at in 0..places.len() {
        let place = places[at];
        places[n] = place;
        n += usize::from(holds(place));
    }
    places.truncate(n);
}

/// A set of places as a block keeps it: as a list where few are in, as bits where many are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    /// Nobody.
    #[default]
    None,
    /// These places, ascending.
    Few(Arc<[u16]>),
    /// A bit each.
    Many(Arc<[u64]>),
}

impl Kept {
    /// Of places, ascending, out of `len`.
    pub fn of(places: &[u16], len: usize) -> Self {
        if places.is_empty() {
            return Self::None;
        }
        // A list takes two bytes a place, bits an eighth of one for each of all.
        if places.len() * 16 <= len {
            return Self::Few(places.into());
        }
        let mut words = vec![0u64; len.div_ceil(64)];
        places.iter().for_each(|place| words[usize::from(*place) / 64] |= 1 << (place % 64));
        Self::Many(words.into())
    }

    /// Whether a place is in.
    pub fn has(&self, place: usize) -> bool {
        match self {
            Self::None => false,
            Self::Few(places) => u16::try_from(place).is_ok_and(|place| places.binary_search(&place).is_ok()),
            Self::Many(words) => words.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1),
        }
    }

    /// Takes out of a mask whoever is not in.
    pub fn keep(&self, mask: &mut Mask) {
        match self {
            Self::None => mask.words_mut().fill(0),
            Self::Few(places) => mask.keep_places(places),
            Self::Many(words) => mask.and_words(words),
        }
    }

    /// Puts into a mask whoever is in.
    pub(crate) fn put_into(&self, mask: &mut Mask) {
        match self {
            Self::None => {}
            Self::Few(places) => places.iter().for_each(|place| mask.put(usize::from(*place))),
            Self::Many(words) => {
                mask.words_mut().iter_mut().zip(words.iter()).for_each(|(word, kept)| *word |= kept);
            }
        }
    }

    /// Places that are in, ascending.
    pub fn places(&self) -> Vec<u16> {
        match self {
            Self::None => Vec::new(),
            Self::Few(places) => places.to_vec(),
            Self::Many(words) => {
                let mask = Mask::from_words(words.to_vec(), words.len() * 64);
                mask.places().map(|place| u16::try_from(place).unwrap_or(u16::MAX)).collect()
            }
        }
    }

    /// How many are in.
    pub fn count(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Few(places) => places.len(),
            Self::Many(words) => crate::wide::ones(words),
        }
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Few(places) => places.len() * 2,
            Self::Many(words) => words.len() * 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_those_of_it_who_were_in() {
        for len in [0u16, 1, 63, 64, 65, 1_000] {
            for every in [1, 2, 61, 64, 130, 2_000] {
                for from in [0, 1, 63, 64, 700] {
                    let places: Vec<u16> = (from..len).step_by(every).collect();
                    let mut mask = Mask::all(usize::from(len));
                    (0..usize::from(len)).step_by(3).for_each(|place| mask.take(place));
                    let expected: Vec<usize> = places
                        .iter()
                        .map(|place| usize::from(*place))
                        .filter(|place| mask.has(*place))
                        .collect();
                    mask.keep_places(&places);
                    assert_eq!(mask.places().collect::<Vec<_>>(), expected, "{len} {every} {from}");
                }
            }
        }
    }

    #[test]
    fn a_mask_is_made_anew_in_the_memory_that_it_has() {
        let mut mask = Mask::none(300);
        for len in [65, 64, 0, 1, 300] {
            mask.reset(len);
            assert_eq!(mask, Mask::all(len));
            mask.reset_none(len);
            assert_eq!(mask, Mask::none(len));
        }
    }
}
