//! A column of values as codes into a dictionary.

#![allow(clippy::useless_conversion, reason = "loops are written once for numbers of every width")]

use std::collections::HashMap;
use std::sync::Arc;

use zhiyin_model::scalar::Scalar;

use crate::bits::{Kept, Mask};
use crate::dict::{Dict, Dicts};
use crate::ints::{Ints, Stored, by_width, pack64};
use crate::operand::{Operand, Set};
use crate::postings::{Latest, Postings};

/// Values by their codes: 0 where there is none, else the place in the dictionary + 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coded {
    pub(crate) codes: Ints,
    pub(crate) dict: Arc<Dict>,
    /// Who has each value, where values are few: of members, or of members with such a row.
    pub(crate) owners: Option<Arc<[Kept]>>,
    /// About when each of them had it last, where rows have days.
    pub(crate) latest: Option<Latest>,
    /// The members who have each value, of a column of one value a member that has more of them.
    pub(crate) postings: Option<Postings>,
}

/// So many different values at most have a set of owners each.
pub(crate) const OWNED_MAX: usize = 64;
/// A list of more than this part of all is no shorter than the codes.
const PART: usize = 8;
/// Of more different values it is not added up who has which.
const ADDED_MAX: usize = 1_024;

impl Coded {
    /// The code at a place.
    #[inline]
    pub fn code(&self, place: usize) -> u32 {
        u32::try_from(self.codes.get(place)).unwrap_or(0)
    }

    /// The text at a place.
    #[inline]
    pub fn text(&self, place: usize) -> Option<&str> {
        self.dict.text((self.code(place) as usize).checked_sub(1)?)
    }

    /// The value at a place.
    pub fn scalar(&self, place: usize) -> Option<Scalar> {
        self.dict.scalar((self.code(place) as usize).checked_sub(1)?)
    }

    /// The value at a place, where the dictionary can lend it.
    pub fn lent(&self, place: usize) -> Option<&Scalar> {
        self.dict.lent((self.code(place) as usize).checked_sub(1)?)
    }

    /// Bytes it takes, without a dictionary that others use too.
    pub fn bytes(&self) -> usize {
        let owners = self.owners.as_deref().unwrap_or_default();
        self.codes.bytes()
            + self.dict.bytes() / Arc::strong_count(&self.dict).max(1)
            + owners.iter().map(Kept::bytes).sum::<usize>()
            + self.latest.as_ref().map_or(0, Latest::bytes)
            + self.postings.as_ref().map_or(0, Postings::bytes)
    }

    /// Itself, a column of one value a member, with who has each.
    pub(crate) fn posted(mut self) -> Self {
        if self.owners.is_none() {
            let codes = (0..self.codes.len()).map(|place| self.code(place));
            self.postings = Postings::of(codes, self.codes.len(), &self.dict);
        }
        self
    }

    /// Who has one of these codes, one place a value: in the form that is read soonest.
    pub(crate) fn operand(&self, chosen: &Chosen) -> Operand<'_> {
        match chosen {
            Chosen::None => return Operand::Nobody,
            Chosen::All => return Operand::Everybody,
            Chosen::Range(low, high) if low == high => match self.set_of(*low) {
                Some(Set::Bits(words)) => return Operand::Bits(words),
                // A long list is no shorter than the codes.
                Some(Set::List(places)) if places.len() * PART <= self.codes.len() => {
                    return Operand::List(places);
                }
                _ => {}
            },
            _ => {}
        }
        let codes = self.codes.bytes();
        if self.costs_less(chosen, true, codes) {
            return Operand::Sets(self, chosen.clone());
        }
        if self.costs_less(chosen, false, codes) {
            return Operand::AllBut(self, chosen.clone());
        }
        match chosen {
            Chosen::Range(low, high) => Operand::within(&self.codes, (*low).into(), (*high).into()),
            _ => Operand::Codes(self, chosen.clone()),
        }
    }

    /// Who has a code, where that is known without looking at codes.
    fn set_of(&self, code: u32) -> Option<Set<'_>> {
        if let Some(postings) = &self.postings {
            return postings.of_code(code).map(Set::List);
        }
        let owners = self.owners.as_deref()?;
        match (code as usize).checked_sub(1) {
            Some(value) => owners.get(value).map(Set::of),
            // Where the least code of all is a value's, everybody has one.
            None => (self.codes.base > 0).then_some(Set::List(&[])),
        }
    }

    /// Codes that are chosen, or (`wanted` false) that are not.
    fn codes_of(&self, chosen: &Chosen, wanted: bool) -> impl Iterator<Item = u32> {
        let last = u32::try_from(self.dict.len()).unwrap_or(u32::MAX);
        let (low, high) = match chosen {
            Chosen::Range(low, high) if wanted => (*low, *high),
            _ => (0, last),
        };
        (low..=high).filter(move |code| chosen.has(*code) == wanted)
    }

    /// The sets of codes that are chosen, or (`wanted` false) that are not.
    pub(crate) fn sets_of(&self, chosen: &Chosen, wanted: bool) -> impl Iterator<Item = Set<'_>> {
        self.codes_of(chosen, wanted).filter_map(|code| self.set_of(code))
    }

    /// Whether reading those sets costs less than so many bytes of codes.
    fn costs_less(&self, chosen: &Chosen, wanted: bool, bytes: usize) -> bool {
        // Where there are very many values it would take as long to find out.
        if self.dict.len() > ADDED_MAX || (self.owners.is_none() && self.postings.is_none()) {
            return false;
        }
        let mut cost = 0;
        self.codes_of(chosen, wanted).all(|code| {
            cost += self.set_of(code).map_or(bytes, Set::cost);
            cost < bytes
        })
    }

    /// Takes out of a mask, by looking at codes, whoever's is not chosen.
    pub(crate) fn keep_codes(&self, chosen: &Chosen, mask: &mut Mask) {
        let all: Vec<u8>;
        let table: &[u8] = match chosen {
            Chosen::Table(table) => table,
            _ => {
                let codes = 0..=u32::try_from(self.dict.len()).unwrap_or(u32::MAX);
                all = codes.map(|code| u8::from(chosen.has(code))).collect();
                &all
            }
        };
        let (base, unit) = (self.codes.base, self.codes.unit);
        // A code is a place in the table, which has one for each.
        let at =
            |x: i64| usize::try_from(base + unit * x).ok().and_then(|at| table.get(at)).copied().unwrap_or(0);
        if let Stored::U8(codes) = &self.codes.stored {
            let mut set = [0u8; 32];
            (0..=u8::MAX).for_each(|x| set[usize::from(x) / 8] |= at(x.into()) << (x % 8));
            crate::wide::keep_among(codes, &set, mask.words_mut());
            return;
        }
        by_width!(&self.codes.stored, x => {
            let (chunks, rest) = x.as_chunks::<64>();
            for (word, chunk) in mask.words_mut().iter_mut().zip(chunks) {
                if *word != 0 {
                    let mut answers = [0u8; 64];
                    for (answer, x) in answers.iter_mut().zip(chunk) {
                        *answer = at(i64::from(*x));
                    }
                    *word &= pack64(&answers);
                }
            }
            if let Some(word) = mask.words_mut().get_mut(chunks.len()) {
                for (bit, x) in rest.iter().enumerate() {
                    *word &= !(u64::from(at(i64::from(*x)) == 0) << bit);
                }
            }
        }, if at(0) == 0 { mask.words_mut().fill(0) });
    }
}

/// Which codes are chosen. Code 0, no value, may be one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// None.
    None,
    /// All.
    All,
    /// From the first to the last of these.
    Range(u32, u32),
    /// Those with a 1: one for each code.
    Table(Arc<[u8]>),
}

impl Chosen {
    /// Of an answer for each code, the first of them for no value.
    pub fn of(table: Vec<u8>) -> Self {
        let first = table.iter().position(|answer| *answer == 1);
        let Some(first) = first else { return Self::None };
        let last = table.iter().rposition(|answer| *answer == 1).unwrap_or(first);
        if table[first..=last].contains(&0) {
            return Self::Table(table.into());
        }
        if first == 0 && last + 1 == table.len() {
            return Self::All;
        }
        match (u32::try_from(first), u32::try_from(last)) {
            (Ok(first), Ok(last)) => Self::Range(first, last),
            _ => Self::Table(table.into()),
        }
    }

    /// Whether a code is chosen.
    #[inline]
    pub fn has(&self, code: u32) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Range(low, high) => (*low..=*high).contains(&code),
            Self::Table(table) => table.get(code as usize).is_some_and(|answer| *answer == 1),
        }
    }
}

/// Builds a column of texts.
#[derive(Debug, Default)]
pub struct TextsBuilder {
    codes: Vec<u32>,
    known: HashMap<Arc<str>, u32>,
    in_order: Vec<Arc<str>>,
}

impl TextsBuilder {
    /// The next text, if there is one.
    pub fn push(&mut self, text: Option<&str>) {
        let code = text.map_or(0, |text| self.code(text));
        self.codes.push(code);
    }

    fn code(&mut self, text: &str) -> u32 {
        if let Some(code) = self.known.get(text) {
            return *code;
        }
        let one: Arc<str> = text.into();
        self.in_order.push(one.clone());
        let code = u32::try_from(self.in_order.len()).unwrap_or(u32::MAX);
        self.known.insert(one, code);
        code
    }

    /// The column.
    pub fn build(self, dicts: &Dicts) -> Coded {
        let mut order: Vec<usize> = (0..self.in_order.len()).collect();
        order.sort_unstable_by(|a, b| self.in_order[*a].cmp(&self.in_order[*b]));
        let dict = Dict::texts(order.iter().map(|at| &*self.in_order[*at]));
        Coded { codes: recoded(&self.codes, &order), dict: dicts.one(dict), ..Coded::default() }
    }
}

/// Builds a column of values of any kind.
#[derive(Debug, Default)]
pub struct ScalarsBuilder {
    codes: Vec<u32>,
    known: HashMap<Scalar, u32>,
    in_order: Vec<Scalar>,
}

impl ScalarsBuilder {
    /// The next value, if there is one.
    pub fn push(&mut self, value: Option<&Scalar>) {
        let code = value.map_or(0, |value| match self.known.get(value) {
            Some(code) => *code,
            None => {
                self.in_order.push(value.clone());
                let code = u32::try_from(self.in_order.len()).unwrap_or(u32::MAX);
                self.known.insert(value.clone(), code);
                code
            }
        });
        self.codes.push(code);
    }

    /// Fills up with no value.
    pub fn fill_to(&mut self, len: usize) {
        self.codes.resize(len, 0);
    }

    /// The column. Where all values are texts it keeps them close together.
    pub fn build(self, dicts: &Dicts) -> Coded {
        let mut order: Vec<usize> = (0..self.in_order.len()).collect();
        order.sort_unstable_by(|a, b| self.in_order[*a].cmp(&self.in_order[*b]));
        let sorted = || order.iter().map(|at| &self.in_order[*at]);
        let dict = if sorted().all(|value| value.text().is_some()) && order.len() > 1024 {
            Dict::texts(sorted().filter_map(Scalar::text))
        } else {
            Dict::Scalars(sorted().cloned().collect())
        };
        Coded { codes: recoded(&self.codes, &order), dict: dicts.one(dict), ..Coded::default() }
    }
}

/// Codes in the order of values, from codes in the order of coming; `order` names for each place who came when.
fn recoded(codes: &[u32], order: &[usize]) -> Ints {
    let mut new_codes = vec![0i64; order.len() + 1];
    for (place, came) in order.iter().enumerate() {
        new_codes[came + 1] = i64::try_from(place + 1).unwrap_or(0);
    }
    let codes: Vec<i64> = codes.iter().map(|code| new_codes[*code as usize]).collect();
    Ints::of(&codes)
}
