//! What spares looking at codes and rows: who has a value, value by value, and about when each of them had it last. All of it
//! only narrows; what it leaves is asked as ever.

use crate::bits::{Kept, Mask};
use crate::buf::Buf;
use crate::dict::Dict;

/// The members who have each value, value after value: two bytes a member that has any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Postings {
    /// Where those of each code begin, and where the last one's end; code 0 is no value.
    starts: Buf<u32>,
    places: Buf<u16>,
}

/// Blocks of fewer members are read as quickly as they are pointed into.
const MEMBERS_MIN: usize = 4_096;
/// So many different values at most: beyond that most have a few members a block.
const VALUES_MAX: usize = 16_384;
/// Of fewer different values most have a long list.
const VALUES_MIN: usize = 8;

impl Postings {
    /// Of the codes of members, where that is worth it.
    pub(crate) fn of(codes: impl Iterator<Item = u32> + Clone, members: usize, dict: &Dict) -> Option<Self> {
        if members < MEMBERS_MIN || dict.len() > VALUES_MAX || dict.len() < VALUES_MIN {
            return None;
        }
        let mut starts = vec![0u32; dict.len() + 2];
        codes.clone().for_each(|code| starts[code as usize + 1] += 1);
        for code in 1..starts.len() {
            starts[code] += starts[code - 1];
        }
        let mut next = starts.clone();
        let mut places = vec![0u16; members];
        for (place, code) in codes.enumerate() {
            let at = &mut next[code as usize];
            places[*at as usize] = u16::try_from(place).unwrap_or(u16::MAX);
            *at += 1;
        }
        Some(Self { starts: starts.into(), places: places.into() })
    }

    /// Who has a code, ascending.
    pub(crate) fn of_code(&self, code: u32) -> Option<&[u16]> {
        let (from, to) = (self.starts.get(code as usize)?, self.starts.get(code as usize + 1)?);
        self.places.get(*from as usize..*to as usize)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.starts.len() * 4 + self.places.len() * 2
    }
}

/// About when each owner of a value had it last: a byte each, in steps of so many days that all of the block's days fit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latest {
    /// The first day of all.
    pub(crate) base: i64,
    /// A step is 2^`shift` days.
    pub(crate) shift: u32,
    /// Where the owners of each value begin, and where the last one's end.
    pub(crate) starts: Buf<u32>,
    /// The step of each.
    pub(crate) steps: Buf<u8>,
}

impl Latest {
    /// Of the latest day of each owner of each value.
    pub(crate) fn of(days: &[Vec<i64>]) -> Self {
        let all = || days.iter().flatten();
        let (base, last) = (all().min().copied().unwrap_or(0), all().max().copied().unwrap_or(0));
        let span = last.abs_diff(base);
        let shift = (0..64).find(|shift| span >> shift <= 0xff).unwrap_or(63);
        let mut starts = vec![0u32];
        for days in days {
            let before = starts.last().copied().unwrap_or(0);
            starts.push(before + u32::try_from(days.len()).unwrap_or(u32::MAX - before));
        }
        // What fits is what was measured above.
        let step = |day: &i64| u8::try_from(day.abs_diff(base) >> shift).unwrap_or(u8::MAX);
        Self { base, shift, starts: starts.into(), steps: all().map(step).collect::<Vec<_>>().into() }
    }

    /// Puts into a mask the owners of a value who may have had it on a day or later.
    pub(crate) fn put_since(&self, value: usize, owners: &Kept, first: i64, mask: &mut Mask) {
        let (Some(from), Some(to)) = (self.starts.get(value), self.starts.get(value + 1)) else { return };
        let steps = &self.steps[*from as usize..*to as usize];
        let step = if first <= self.base { 0 } else { first.abs_diff(self.base) >> self.shift };
        let Ok(step) = u8::try_from(step) else { return };
        match owners {
            Kept::None => {}
            Kept::Few(places) => {
                let late = places.iter().zip(steps).filter(|(_, of)| **of >= step);
                late.for_each(|(place, _)| mask.put(usize::from(*place)));
            }
            Kept::Many(words) => crate::wide::put_late(words, steps, step, mask.words_mut()),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.starts.len() * 4 + self.steps.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use zhiyin_model::scalar::Scalar;

    use super::*;

    #[test]
    fn postings_name_whom_codes_name() {
        const N: usize = 5_000;
        let values: Vec<Scalar> = (0..300).map(|n| Scalar::Number(n.into())).collect();
        let dict = Dict::Scalars(values.into());
        let codes: Vec<u32> = (0..N).map(|n| u32::try_from(n * n * 31 % 301).unwrap()).collect();
        let postings = Postings::of(codes.iter().copied(), N, &dict).unwrap();
        for code in [0, 1, 7, 299, 300] {
            let expected: Vec<u16> =
                (0..5_000u16).filter(|place| codes[usize::from(*place)] == code).collect();
            assert_eq!(postings.of_code(code), Some(&expected[..]), "{code}");
        }
        assert_eq!(postings.of_code(301), None);
    }

    #[test]
    fn nobody_who_had_it_late_enough_is_left_out() {
        for (n, every, step) in [(1_000, 1, 1), (1_000, 3, 5), (1_000, 40, 7), (64, 2, 300), (130, 1, 0)] {
            let places: Vec<u16> = (0..n).step_by(every).collect();
            let day = |place: u16| 19_000 + i64::from(place) * 37 % 500 * step;
            let owners = Kept::of(&places, usize::from(n));
            let days = vec![vec![1], places.iter().map(|place| day(*place)).collect()];
            let latest = Latest::of(&days);
            for first in [i64::MIN, 0, 18_999, 19_000, 19_123, 19_700, 21_000, 1 << 40] {
                let mut mask = Mask::none(usize::from(n));
                latest.put_since(1, &owners, first, &mut mask);
                let found: BTreeSet<usize> = mask.places().collect();
                let late = |least: i64| -> BTreeSet<usize> {
                    places
                        .iter()
                        .filter(|place| day(**place) >= least)
                        .map(|place| usize::from(*place))
                        .collect()
                };
                assert!(found.is_superset(&late(first)), "{n} {every} {step} {first}");
                let coarse = first.saturating_sub((1 << latest.shift) - 1).max(0);
                assert!(found.is_subset(&late(coarse)), "{n} {every} {step} {first}");
            }
        }
    }
}
