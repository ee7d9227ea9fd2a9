//! What one column of a block says of a test of it: who passes, in the form that is read soonest.

#![allow(clippy::useless_conversion, reason = "loops are written once for numbers of every width")]

use crate::bits::{Kept, Mask, retain_places};
use crate::coded::{Chosen, Coded};
use crate::ints::{Ints, Stored, by_width};

/// Who of a block passes a test of one column.
#[derive(Clone, Debug)]
pub(crate) enum Operand<'b> {
    Everybody,
    Nobody,
    /// A bit each.
    Bits(&'b [u64]),
    /// These places, ascending.
    List(&'b [u16]),
    /// Whose stored number lies within.
    Within(&'b Ints, (i64, i64)),
    /// Whose code is chosen: the sets of all of them are read sooner than the codes.
    Sets(&'b Coded, Chosen),
    /// Whose code is chosen: the sets of all others are read sooner than the codes.
    AllBut(&'b Coded, Chosen),
    /// Whose code is chosen.
    Codes(&'b Coded, Chosen),
}

impl<'b> Operand<'b> {
    /// Of a set.
    pub(crate) fn of(kept: &'b Kept) -> Self {
        match kept {
            Kept::None => Self::Nobody,
            Kept::Few(places) => Self::List(places),
            Kept::Many(words) => Self::Bits(words),
        }
    }

    /// Of who has one of `low..=high`.
    pub(crate) fn within(numbers: &'b Ints, low: i64, high: i64) -> Self {
        match numbers.stored_range(low, high) {
            None => Self::Nobody,
            Some(range) if numbers.is_all(range) => Self::Everybody,
            Some(range) => Self::Within(numbers, range),
        }
    }

    /// The list of who passes, where there is one.
    pub(crate) const fn list(&self) -> Option<&'b [u16]> {
        match self {
            Self::List(places) => Some(places),
            _ => None,
        }
    }

    /// Takes out of a mask whoever does not pass.
    pub(crate) fn keep(&self, mask: &mut Mask) {
        match self {
            Self::Everybody => {}
            Self::Nobody => mask.words_mut().fill(0),
            Self::Bits(words) => mask.and_words(words),
            Self::List(places) => mask.keep_places(places),
            Self::Within(numbers, range) => numbers.keep_stored(*range, mask),
            Self::Sets(coded, chosen) => {
                let mut kept = Mask::none(mask.len());
                coded.sets_of(chosen, true).for_each(|set| set.put_into(&mut kept));
                mask.and(&kept);
            }
            Self::AllBut(coded, chosen) => coded.sets_of(chosen, false).for_each(|set| set.take_out_of(mask)),
            Self::Codes(coded, chosen) => coded.keep_codes(chosen, mask),
        }
    }

    /// Keeps of places, which ascend, those of who passes: only they are looked at.
    pub(crate) fn keep_of(&self, places: &mut Vec<u16>) {
        match self {
            Self::Everybody => {}
            Self::Nobody => places.clear(),
            Self::Bits(words) => retain_places(places, |place| {
                let place = usize::from(place);
                words.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
            }),
            Self::List(list) => {
                let mut rest = list.iter().copied().peekable();
                retain_places(places, |place| {
                    while rest.next_if(|other| *other < place).is_some() {}
                    rest.peek() == Some(&place)
                });
            }
            Self::Within(numbers, (from, to)) => by_width!(&numbers.stored, x => {
                let x = &x[..];
                let within = |x: i64| (*from <= x) & (x <= *to);
                retain_places(places, |place| x.get(usize::from(place)).is_some_and(|x| within(i64::from(*x))));
            }, {}),
            Self::Sets(coded, chosen) | Self::AllBut(coded, chosen) | Self::Codes(coded, chosen) => {
                retain_places(places, |place| chosen.has(coded.code(usize::from(place))));
            }
        }
    }
}

/// Who has one code.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Set<'b> {
    /// A bit each.
    Bits(&'b [u64]),
    /// These places, ascending.
    List(&'b [u16]),
}

impl<'b> Set<'b> {
    pub(crate) fn of(kept: &'b Kept) -> Self {
        match kept {
            Kept::None => Self::List(&[]),
            Kept::Few(places) => Self::List(places),
            Kept::Many(words) => Self::Bits(words),
        }
    }

    /// What reading it costs, in bytes of codes that are read meanwhile.
    pub(crate) const fn cost(self) -> usize {
        match self {
            Self::Bits(words) => words.len() * 8,
            Self::List(places) => places.len() * 16,
        }
    }

    fn put_into(self, mask: &mut Mask) {
        match self {
            Self::Bits(words) => mask.words_mut().iter_mut().zip(words).for_each(|(word, own)| *word |= own),
            Self::List(places) => places.iter().for_each(|place| mask.put(usize::from(*place))),
        }
    }

    fn take_out_of(self, mask: &mut Mask) {
        match self {
            Self::Bits(words) => mask.and_not_words(words),
            Self::List(places) => places.iter().for_each(|place| mask.take(usize::from(*place))),
        }
    }
}
