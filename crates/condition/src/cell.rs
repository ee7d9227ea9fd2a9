//! Cells: what is known of a set of rows, to which rows can be added and from which most can be taken.

use std::cmp::Ordering;
use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer};
use zhiyin_model::time::{Day, Ts};

use crate::element::Element;
use crate::state::Retract;
use crate::value::{Val, Value, addend};

/// A row on its way into a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) time: Ts,
    pub(crate) day: Day,
    /// The row itself.
    pub(crate) row: Element<'a>,
    /// What it became after the steps of its leaf.
    pub(crate) element: Element<'a>,
    /// What is measured of it.
    pub(crate) value: Val<'a>,
}

/// Which end of an order is wanted: the least or first, or the greatest or last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The least or first.
    Low,
    /// The greatest or last.
    High,
}

impl Side {
    /// Whether `new` is further to this side than `old`.
    fn prefers(self, order_of_new_and_old: Ordering) -> bool {
        match self {
            Self::Low => order_of_new_and_old.is_lt(),
            Self::High => order_of_new_and_old.is_gt(),
        }
    }
}

/// What is known of a set of rows.
pub(crate) trait Cell: Clone + Default {
    /// Whether a row makes any difference.
    fn counts(entry: &Entry<'_>) -> bool;
    /// Takes a row in.
    fn add(&mut self, entry: &Entry<'_>, side: Side);
    /// Takes a row out.
    fn remove(&mut self, entry: &Entry<'_>, side: Side) -> Retract;
    /// Whether it holds nothing.
    fn is_empty(&self) -> bool;
    /// Writes its fields, one after the other.
    fn write<S: SerializeSeq>(&self, seq: &mut S) -> Result<(), S::Error>;
    /// Reads the fields that [`Cell::write`] wrote.
    fn read<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<Self, A::Error>;
}

fn next<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(seq: &mut A) -> Result<T, A::Error> {
    seq.next_element()?.ok_or_else(|| A::Error::custom("a state ends too early"))
}

/// How many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Count(pub(crate) u64);

impl Cell for Count {
    fn counts(_: &Entry<'_>) -> bool {
        true
    }
    fn add(&mut self, _: &Entry<'_>, _: Side) {
        self.0 += 1;
    }
    fn remove(&mut self, _: &Entry<'_>, _: Side) -> Retract {
        match self.0.checked_sub(1) {
            Some(rest) => {
                self.0 = rest;
                Retract::Done
            }
            None => Retract::Rebuild,
        }
    }
    fn is_empty(&self) -> bool {
        self.0 == 0
    }
    fn write<S: SerializeSeq>(&self, seq: &mut S) -> Result<(), S::Error> {
        seq.serialize_element(&self.0)
    }
    fn read<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<Self, A::Error> {
        next(seq).map(Self)
    }
}

/// The sum of known numbers, and how many they are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    pub(crate) known: u64,
    /// In units of 10⁻⁹, see [`addend`].
    pub(crate) sum: i128,
}

impl Sum {
    fn of(value: Val<'_>) -> Option<i128> {
        match value {
            Val::Number(number) => addend(number),
            _ => None,
        }
    }

    pub(crate) const fn plus(&mut self, other: Self) {
        self.known += other.known;
        self.sum += other.sum;
    }

    pub(crate) const fn minus(&mut self, other: Self) {
        self.known -= other.known;
        self.sum -= other.sum;
    }

    /// Takes a value in, if it is a number with room.
    pub(crate) fn add_value(&mut self, value: Val<'_>) {
        if let Some(sum) = Self::of(value) {
            self.plus(Self { known: 1, sum });
        }
    }
}

impl Cell for Sum {
    fn counts(entry: &Entry<'_>) -> bool {
        Self::of(entry.value).is_some()
    }
    fn add(&mut self, entry: &Entry<'_>, _: Side) {
        self.add_value(entry.value);
    }
    fn remove(&mut self, entry: &Entry<'_>, _: Side) -> Retract {
        match Self::of(entry.value) {
            Some(_) if self.known == 0 => Retract::Rebuild,
            Some(sum) => {
                self.minus(Self { known: 1, sum });
                Retract::Done
            }
            None => Retract::Done,
        }
    }
    fn is_empty(&self) -> bool {
        self.known == 0
    }
    fn write<S: SerializeSeq>(&self, seq: &mut S) -> Result<(), S::Error> {
        let (mantissa, places) = shortest(self.sum);
        seq.serialize_element(&self.known)?;
        seq.serialize_element(&places)?;
        match i64::try_from(mantissa) {
            Ok(mantissa) => seq.serialize_element(&mantissa),
            Err(_) => seq.serialize_element(&mantissa.to_string()),
        }
    }
    fn read<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<Self, A::Error> {
        let (known, places, Mantissa(mantissa)) = (next(seq)?, next::<_, u32>(seq)?, next(seq)?);
        let unit = PLACES.checked_sub(places).map(|zeros| 10i128.pow(zeros));
        let sum = unit.and_then(|unit| mantissa.checked_mul(unit));
        // One form only: equal states are equal bytes.
        let sum = sum.filter(|_| places == 0 || !ends_in_zero(mantissa));
        Ok(Self { known, sum: sum.ok_or_else(|| A::Error::custom("a state has a sum that is none"))? })
    }
}

/// Decimal places that a sum is kept to.
const PLACES: u32 = 9;

/// Whether a number is divisible by ten. Numbers of more than 64 bits are rare, and dividing them is slow.
fn ends_in_zero(number: i128) -> bool {
    i64::try_from(number).map_or_else(|_| number % 10 == 0, |number| number % 10 == 0)
}

/// A sum in units of 10⁻⁹ as a whole number and how many of its digits stand behind the point: 12.5 is (125, 1).
fn shortest(sum: i128) -> (i128, u32) {
    let (mut mantissa, mut places) = (sum, PLACES);
    // Most sums are whole, or of cents.
    if let Ok(short) = i64::try_from(sum) {
        for (unit, zeros) in [(1_000_000_000, 9), (10_000_000, 7)] {
            if short % unit == 0 {
                (mantissa, places) = (i128::from(short / unit), PLACES - zeros);
                break;
            }
        }
    }
    while places > 0 && ends_in_zero(mantissa) {
        mantissa /= 10;
        places -= 1;
    }
    (mantissa, places)
}

/// A whole number, written as a text where it has more than 64 bits.
struct Mantissa(i128);

impl<'de> Deserialize<'de> for Mantissa {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;
        impl Visitor<'_> for Reading {
            type Value = Mantissa;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sum")
            }
            fn visit_i64<E: Error>(self, whole: i64) -> Result<Mantissa, E> {
                Ok(Mantissa(i128::from(whole)))
            }
            fn visit_u64<E: Error>(self, whole: u64) -> Result<Mantissa, E> {
                Ok(Mantissa(i128::from(whole)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Mantissa, E> {
                text.parse().map(Mantissa).map_err(|_| E::custom("a state has a sum that is none"))
            }
        }
        deserializer.deserialize_any(Reading)
    }
}

/// The least or greatest known value, and of how many.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Extreme(pub(crate) Option<(u64, Value)>);

/// The order of two values that `min` and `max` look at; texts and the like are none of them.
fn measured_order(a: Val<'_>, b: Val<'_>) -> Option<Ordering> {
    match (a, b) {
        (Val::Number(a), Val::Number(b)) => Some(a.cmp(&b)),
        (Val::Date(a), Val::Date(b)) => Some(a.cmp(&b)),
        (Val::Time(a), Val::Time(b)) => Some(a.cmp(&b)),
        _ => None,
    }
}

/// The one of two values that is further to a side; what cannot be measured is passed over.
pub(crate) fn further<'v>(a: Val<'v>, b: Val<'v>, side: Side) -> Val<'v> {
    if measured_order(a, a).is_none() {
        return if measured_order(b, b).is_some() { b } else { Val::Unknown };
    }
    match measured_order(b, a) {
        Some(order) if side.prefers(order) => b,
        _ => a,
    }
}

impl Cell for Extreme {
    fn counts(entry: &Entry<'_>) -> bool {
        measured_order(entry.value, entry.value).is_some()
    }
    fn add(&mut self, entry: &Entry<'_>, side: Side) {
        if !Self::counts(entry) {
            return;
        }
        match &mut self.0 {
            Some((known, value)) => {
                *known += 1;
                if measured_order(entry.value, value.as_val()).is_some_and(|order| side.prefers(order)) {
                    *value = entry.value.to_value();
                }
            }
            None => self.0 = Some((1, entry.value.to_value())),
        }
    }
    fn remove(&mut self, entry: &Entry<'_>, side: Side) -> Retract {
        if !Self::counts(entry) {
            return Retract::Done;
        }
        let Some((known, value)) = &mut self.0 else {
            return Retract::Rebuild;
        };
        let order = measured_order(entry.value, value.as_val());
        match order {
            Some(Ordering::Equal) if *known == 1 => {
                self.0 = None;
                Retract::Done
            }
            // Another row may or may not have the same value: only the history knows.
            None | Some(Ordering::Equal) => Retract::Rebuild,
            Some(order) if side.prefers(order) || *known == 1 => Retract::Rebuild,
            Some(_) => {
                *known -= 1;
                Retract::Done
            }
        }
    }
    fn is_empty(&self) -> bool {
        self.0.is_none()
    }
    fn write<S: SerializeSeq>(&self, seq: &mut S) -> Result<(), S::Error> {
        let Some((known, value)) = &self.0 else {
            return Ok(());
        };
        seq.serialize_element(known)?;
        seq.serialize_element(value)
    }
    fn read<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<Self, A::Error> {
        Ok(Self(Some((next(seq)?, next(seq)?))))
    }
}

/// The first or last row: of how many, when, which, and what was asked of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Picked(pub(crate) Option<Pick>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pick {
    rows: u64,
    time: Ts,
    /// The hash of the row's content breaks ties.
    key: u64,
    pub(crate) value: Value,
}

impl Cell for Picked {
    fn counts(_: &Entry<'_>) -> bool {
        true
    }
    fn add(&mut self, entry: &Entry<'_>, side: Side) {
        match &mut self.0 {
            Some(pick) => {
                pick.rows += 1;
                let order = entry.time.cmp(&pick.time);
                // The key is worked out only where a time ties or wins.
                if side.prefers(order) || (order.is_eq() && side.prefers(entry.row.key().cmp(&pick.key))) {
                    pick.time = entry.time;
                    pick.key = entry.row.key();
                    pick.value = entry.value.to_value();
                }
            }
            None => {
                let (time, key, value) = (entry.time, entry.row.key(), entry.value.to_value());
                self.0 = Some(Pick { rows: 1, time, key, value });
            }
        }
    }
    fn remove(&mut self, entry: &Entry<'_>, side: Side) -> Retract {
        let Some(pick) = &mut self.0 else {
            return Retract::Rebuild;
        };
        let order = entry.time.cmp(&pick.time).then_with(|| entry.row.key().cmp(&pick.key));
        match (order, pick.rows) {
            (Ordering::Equal, 1) => {
                self.0 = None;
                Retract::Done
            }
            // Which row comes next, only the history knows.
            (Ordering::Equal, _) | (_, 1) => Retract::Rebuild,
            (order, _) if side.prefers(order) => Retract::Rebuild,
            _ => {
                pick.rows -= 1;
                Retract::Done
            }
        }
    }
    fn is_empty(&self) -> bool {
        self.0.is_none()
    }
    fn write<S: SerializeSeq>(&self, seq: &mut S) -> Result<(), S::Error> {
        let Some(pick) = &self.0 else { return Ok(()) };
        seq.serialize_element(&pick.rows)?;
        seq.serialize_element(&pick.time)?;
        seq.serialize_element(&pick.key)?;
        seq.serialize_element(&pick.value)
    }
    fn read<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<Self, A::Error> {
        let (rows, time, key, value) = (next(seq)?, next(seq)?, next(seq)?, next(seq)?);
        Ok(Self(Some(Pick { rows, time, key, value })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::days::Always;

    #[test]
    fn a_sum_is_written_short_and_read_back() {
        let written = |sum| serde_json::to_string(&Always(Sum { known: 2, sum })).unwrap();
        let read = |json: &str| serde_json::from_str::<Always<Sum>>(json);
        let fine = 10i128.pow(PLACES);
        for sum in [0, 1, -1, fine, -fine, 1_500_000_000, -1_500_000_000, i128::from(i64::MAX) * fine * 7 + 1]
        {
            assert_eq!(read(&written(sum)).unwrap().0, Sum { known: 2, sum }, "{sum}");
        }
        assert_eq!(written(-12_340_000_000), "[null,2,2,-1234]");
        assert_eq!(written(7 * fine), "[null,2,0,7]");
        for sum in ["10,1", "9,\"\"", "0,\"x\"", "1,1.5", "2,120", "0"] {
            assert!(read(&format!("[null,2,{sum}]")).is_err(), "{sum}");
        }
    }
}
