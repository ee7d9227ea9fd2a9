//! Leaves that must keep what is latest: rows, and days with rows.
//!
//! Both hold a bounded number and remember the latest that they had to drop: nothing at or before it is
//! known for certain any more.

use serde::{Deserialize, Serialize};
use zhiyin_model::time::{Day, Ts};

use crate::bounds::{GAP_DAYS_MAX, KEPT_ROWS_MAX};
use crate::cell::{Count, Entry, Side};
use crate::days::Days;
use crate::state::Retract;
use crate::value::Value;

/// A kept row: when, which, and what a condition asks of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptRow {
    #[serde(rename = "t")]
    pub(crate) time: Ts,
    #[serde(rename = "k")]
    key: u64,
    #[serde(rename = "v", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) values: Vec<Value>,
}

/// The latest rows, by time and content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    rows: Vec<KeptRow>,
    /// The latest row dropped for want of room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dropped: Option<(Ts, u64)>,
}

impl Kept {
    pub(crate) fn add(&mut self, entry: &Entry<'_>, values: impl FnOnce() -> Vec<Value>) {
        let place = (entry.time, entry.row.key());
        if self.dropped.is_some_and(|dropped| place <= dropped) {
            return;
        }
        let at = self.rows.partition_point(|row| (row.time, row.key) <= place);
        self.rows.insert(at, KeptRow { time: place.0, key: place.1, values: values() });
        if self.rows.len() > KEPT_ROWS_MAX {
            let row = self.rows.remove(0);
            self.dropped = self.dropped.max(Some((row.time, row.key)));
        }
    }

    pub(crate) fn remove(&mut self, entry: &Entry<'_>) -> Retract {
        let place = (entry.time, entry.row.key());
        match self.rows.binary_search_by_key(&place, |row| (row.time, row.key)) {
            // The row that would take its place was dropped.
            Ok(_) if self.dropped.is_some() => Retract::Rebuild,
            Ok(at) => {
                self.rows.remove(at);
                Retract::Done
            }
            Err(_) if self.dropped == Some(place) => Retract::Rebuild,
            Err(_) => Retract::Done,
        }
    }

    /// Forgets the rows before an instant.
    pub(crate) fn forget_before(&mut self, time: Ts) {
        let n = self.rows.partition_point(|row| row.time < time);
        self.rows.drain(..n);
        self.dropped = self.dropped.filter(|(dropped, _)| *dropped >= time);
    }

    pub(crate) fn as_slice(&self) -> &[KeptRow] {
        &self.rows
    }
}

/// The latest days with rows, and how many.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gaps {
    days: Days<Count>,
    /// The latest day dropped for want of room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dropped: Option<Day>,
}

impl Gaps {
    pub(crate) fn add(&mut self, entry: &Entry<'_>) {
        if self.dropped.is_some_and(|dropped| entry.day <= dropped) {
            return;
        }
        self.days.add(entry, Side::High);
        if self.days.as_slice().len() > GAP_DAYS_MAX {
            self.dropped = self.dropped.max(self.days.forget_first());
        }
    }

    pub(crate) fn remove(&mut self, entry: &Entry<'_>) -> Retract {
        if self.dropped == Some(entry.day) {
            return Retract::Rebuild;
        }
        let was_there = self.days.has(entry.day);
        match self.days.remove(entry, Side::High) {
            Retract::Done if was_there && self.dropped.is_some() && !self.days.has(entry.day) => {
                // The day that would take its place was dropped.
                Retract::Rebuild
            }
            done => done,
        }
    }

    pub(crate) fn as_slice(&self) -> &[(Day, Count)] {
        self.days.as_slice()
    }
}

/// The median of the gaps in days between days that ascend; of two in the middle, the lower. Looks at the
/// latest [`GAP_DAYS_MAX`] days; `None` for fewer than two.
pub fn median_gap(days: impl DoubleEndedIterator<Item = Day>) -> Option<i64> {
    let mut gaps: Vec<i64> = Vec::new();
    let mut later: Option<Day> = None;
    for day in days.rev().take(GAP_DAYS_MAX) {
        if let Some(later) = later {
            gaps.push(i64::from(later.0) - i64::from(day.0));
        }
        later = Some(day);
    }
    if gaps.is_empty() {
        return None;
    }
    let middle = (gaps.len() - 1) / 2;
    Some(*gaps.select_nth_unstable(middle).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_middle_gaps_the_lower_is_the_median() {
        let of = |days: &[i32]| median_gap(days.iter().copied().map(Day));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[5]), None);
        assert_eq!(of(&[5, 12]), Some(7));
        assert_eq!(of(&[5, 12, 15]), Some(3));
        assert_eq!(of(&[0, 10, 15, 16]), Some(5));
    }
}
