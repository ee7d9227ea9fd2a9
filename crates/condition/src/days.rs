//! Cells per calendar day, and one cell for all time; how they are written.
//!
//! Days are written as one flat list: the days since the entry before, then the cell's fields, and so on.
//! Equal states are the same bytes.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zhiyin_model::time::Day;

use crate::cell::{Cell, Entry, Side};
use crate::state::Retract;

/// A cell per day, by day; none is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Days<C>(Vec<(Day, C)>);

impl<C: Cell> Days<C> {
    pub(crate) fn add(&mut self, entry: &Entry<'_>, side: Side) {
        if !C::counts(entry) {
            return;
        }
        let at = match self.find(entry.day) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (entry.day, C::default()));
                at
            }
        };
        self.0[at].1.add(entry, side);
    }

    /// A day that is not there was pruned: no window sees it, nothing is to be done.
    pub(crate) fn remove(&mut self, entry: &Entry<'_>, side: Side) -> Retract {
        if !C::counts(entry) {
            return Retract::Done;
        }
        let Ok(at) = self.find(entry.day) else {
            return Retract::Done;
        };
        let done = self.0[at].1.remove(entry, side);
        if self.0[at].1.is_empty() {
            self.0.remove(at);
        }
        done
    }

    /// Most rows come in order, so the last day is looked at first.
    fn find(&self, day: Day) -> Result<usize, usize> {
        match self.0.last() {
            Some((last, _)) if *last == day => Ok(self.0.len() - 1),
            Some((last, _)) if *last > day => self.0.binary_search_by_key(&day, |(day, _)| *day),
            _ => Err(self.0.len()),
        }
    }

    pub(crate) fn has(&self, day: Day) -> bool {
        self.find(day).is_ok()
    }

    /// Forgets the days before one.
    pub(crate) fn forget_before(&mut self, day: Day) {
        let n = self.0.partition_point(|(known, _)| *known < day);
        if n > 0 {
            self.0.drain(..n);
        }
    }

    /// Forgets the first day, and says which it was.
    pub(crate) fn forget_first(&mut self) -> Option<Day> {
        (!self.0.is_empty()).then(|| self.0.remove(0).0)
    }

    pub(crate) fn as_slice(&self) -> &[(Day, C)] {
        &self.0
    }
}

impl<C: Cell> Serialize for Days<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        let mut before = 0;
        for (day, cell) in &self.0 {
            seq.serialize_element(&(i64::from(day.0) - before))?;
            cell.write(&mut seq)?;
            before = i64::from(day.0);
        }
        seq.end()
    }
}

impl<'de, C: Cell> Deserialize<'de> for Days<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading<C>(PhantomData<C>);
        impl<'de, C: Cell> Visitor<'de> for Reading<C> {
            type Value = Days<C>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("days and cells")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Days<C>, A::Error> {
                let mut days: Vec<(Day, C)> = Vec::new();
                let mut before: i64 = 0;
                while let Some(passed) = seq.next_element::<i64>()? {
                    let sorted = days.is_empty() || passed > 0;
                    let day = before.checked_add(passed).and_then(|day| i32::try_from(day).ok());
                    let Some(day) = day.filter(|_| sorted) else {
                        return Err(serde::de::Error::custom("the days of a state must ascend"));
                    };
                    before = i64::from(day);
                    days.push((Day(day), C::read(&mut seq)?));
                }
                Ok(Days(days))
            }
        }
        deserializer.deserialize_seq(Reading(PhantomData))
    }
}

/// One cell for all time; an empty list where it is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Always<C>(pub(crate) C);

impl<C: Cell> Serialize for Always<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        if !self.0.is_empty() {
            seq.serialize_element(&())?;
            self.0.write(&mut seq)?;
        }
        seq.end()
    }
}

impl<'de, C: Cell> Deserialize<'de> for Always<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading<C>(PhantomData<C>);
        impl<'de, C: Cell> Visitor<'de> for Reading<C> {
            type Value = Always<C>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a cell")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Always<C>, A::Error> {
                Ok(match seq.next_element::<()>()? {
                    Some(()) => Always(C::read(&mut seq)?),
                    None => Always(C::default()),
                })
            }
        }
        deserializer.deserialize_seq(Reading(PhantomData))
    }
}
