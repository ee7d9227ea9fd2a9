//! What is known of one member's history: a state per leaf, kept up to date row by row.

use serde::{Deserialize, Serialize};
use zhiyin_model::time::{HOUR_US, Ts};

use crate::cell::{Cell, Count, Entry, Extreme, Picked, Side, Sum};
use crate::days::{Always, Days};
use crate::kept::{Gaps, Kept};
use crate::leaf::Leaves;
use crate::program::{LeafSpec, Measure};
use crate::row::Row;
use crate::value::Val;

/// What is known of one member's history. Equal histories under equal [`Leaves`] are equal states and the
/// same JSON, in whatever order the rows came; it grows with the windows of the conditions, not with the
/// history.
///
/// States belong to the leaves that made them: keep [`Leaves::fingerprint`] beside them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeafStates {
    states: Vec<LeafState>,
}

/// Whether a row could be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Retract {
    /// It is as if the row had never been.
    Done,
    /// The states cannot know what would be there instead: make them again by [`Leaves::fresh`] and
    /// [`LeafStates::observe`] over the whole history. Until then they are of no use.
    Rebuild,
}

/// The state of a leaf. Capitals are per day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum LeafState {
    #[serde(rename = "n")]
    Count(Always<Count>),
    #[serde(rename = "N")]
    CountDays(Days<Count>),
    #[serde(rename = "s")]
    Sum(Always<Sum>),
    #[serde(rename = "S")]
    SumDays(Days<Sum>),
    #[serde(rename = "x")]
    Extreme(Always<Extreme>),
    #[serde(rename = "X")]
    ExtremeDays(Days<Extreme>),
    #[serde(rename = "p")]
    Picked(Always<Picked>),
    #[serde(rename = "P")]
    PickedDays(Days<Picked>),
    #[serde(rename = "g")]
    Gaps(Gaps),
    #[serde(rename = "r")]
    Kept(Kept),
}

impl LeafState {
    /// The state of a leaf without any row.
    pub(crate) fn fresh(spec: &LeafSpec) -> Self {
        let per_day = spec.window.days.is_some();
        match (&spec.measure, per_day) {
            (Measure::Count, false) => Self::Count(Always::default()),
            (Measure::Count, true) => Self::CountDays(Days::default()),
            (Measure::Sum(_), false) => Self::Sum(Always::default()),
            (Measure::Sum(_), true) => Self::SumDays(Days::default()),
            (Measure::Least(_) | Measure::Greatest(_), false) => Self::Extreme(Always::default()),
            (Measure::Least(_) | Measure::Greatest(_), true) => Self::ExtremeDays(Days::default()),
            (Measure::First(_) | Measure::Last(_), false) => Self::Picked(Always::default()),
            (Measure::First(_) | Measure::Last(_), true) => Self::PickedDays(Days::default()),
            (Measure::Gaps, _) => Self::Gaps(Gaps::default()),
            (Measure::Rows(_), _) => Self::Kept(Kept::default()),
        }
    }

    fn add(&mut self, entry: &Entry<'_>, side: Side) {
        match self {
            Self::Count(cell) => cell.0.add(entry, side),
            Self::CountDays(days) => days.add(entry, side),
            Self::Sum(cell) => cell.0.add(entry, side),
            Self::SumDays(days) => days.add(entry, side),
            Self::Extreme(cell) => cell.0.add(entry, side),
            Self::ExtremeDays(days) => days.add(entry, side),
            Self::Picked(cell) => cell.0.add(entry, side),
            Self::PickedDays(days) => days.add(entry, side),
            Self::Gaps(gaps) => gaps.add(entry),
            // Rows are kept with their slots, by `observe`.
            Self::Kept(_) => {}
        }
    }

    fn remove(&mut self, entry: &Entry<'_>, side: Side) -> Retract {
        match self {
            Self::Count(cell) => cell.0.remove(entry, side),
            Self::CountDays(days) => days.remove(entry, side),
            Self::Sum(cell) => cell.0.remove(entry, side),
            Self::SumDays(days) => days.remove(entry, side),
            Self::Extreme(cell) => cell.0.remove(entry, side),
            Self::ExtremeDays(days) => days.remove(entry, side),
            Self::Picked(cell) => cell.0.remove(entry, side),
            Self::PickedDays(days) => days.remove(entry, side),
            Self::Gaps(gaps) => gaps.remove(entry),
            Self::Kept(kept) => kept.remove(entry),
        }
    }
}

impl LeafStates {
    pub(crate) fn fresh(specs: &[LeafSpec]) -> Self {
        Self { states: specs.iter().map(LeafState::fresh).collect() }
    }

    /// Takes a row in, in any order.
    pub fn observe(&mut self, leaves: &Leaves, row: Row<'_>) {
        let done = leaves.entries(row, &mut |number, spec, entry| {
            match (self.states.get_mut(number), &spec.measure) {
                (Some(LeafState::Kept(kept)), Measure::Rows(slots)) => {
                    kept.add(entry, || {
                        slots.iter().map(|slot| leaves.slot(slot, entry).to_value()).collect()
                    });
                }
                (Some(state), measure) => state.add(entry, measure.side()),
                (None, _) => {}
            }
            Retract::Done
        });
        debug_assert_eq!(done, Retract::Done, "taking a row in never fails");
    }

    /// Takes back a row that was taken in, as it was then.
    pub fn retract(&mut self, leaves: &Leaves, row: Row<'_>) -> Retract {
        leaves.entries(row, &mut |number, spec, entry| {
            self.states
                .get_mut(number)
                .map_or(Retract::Rebuild, |state| state.remove(entry, spec.measure.side()))
        })
    }

    /// Forgets what no window can see at `now` or later. Evaluations at an earlier instant are no longer
    /// right; rows that come late still are, as far as windows go.
    pub fn prune(&mut self, leaves: &Leaves, now: Ts) {
        let today = leaves.zone().day(now);
        for (state, spec) in self.states.iter_mut().zip(leaves.specs()) {
            let first_day = spec.window.days.map(|days| today.plus(-days.cast_signed()));
            match (state, first_day) {
                (LeafState::CountDays(days), Some(first)) => days.forget_before(first),
                (LeafState::SumDays(days), Some(first)) => days.forget_before(first),
                (LeafState::ExtremeDays(days), Some(first)) => days.forget_before(first),
                (LeafState::PickedDays(days), Some(first)) => days.forget_before(first),
                (LeafState::Kept(kept), first) => {
                    let by_days = first.map(|first| leaves.zone().start(first));
                    let by_hours = spec.window.hours.map(|hours| now.plus_us(-i64::from(hours) * HOUR_US));
                    if let Some(first) = by_days.max(by_hours) {
                        kept.forget_before(first);
                    }
                }
                _ => {}
            }
        }
    }

    /// The states as bytes (MessagePack): equal states are equal bytes.
    pub fn pack(&self) -> Vec<u8> {
        // Writing to memory cannot fail, and nothing in a state refuses to be written.
        rmp_serde::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`LeafStates::pack`] wrote; `Err` says what is wrong with it.
    pub fn unpack(bytes: &[u8]) -> Result<Self, String> {
        rmp_serde::from_slice(bytes).map_err(|error| error.to_string())
    }

    /// Whether these states have the shape of these leaves. States kept under another
    /// [`Leaves::fingerprint`] may have the shape and yet mean something else.
    pub fn fits(&self, leaves: &Leaves) -> bool {
        let fresh = leaves.fresh();
        self.states.len() == fresh.states.len()
            && self
                .states
                .iter()
                .zip(&fresh.states)
                .all(|(a, b)| std::mem::discriminant(a) == std::mem::discriminant(b))
    }

    pub(crate) fn get(&self, number: usize) -> Option<&LeafState> {
        self.states.get(number)
    }
}

/// What is measured of a row where only its being there is.
pub(crate) const PRESENT: Val<'static> = Val::Unknown;
