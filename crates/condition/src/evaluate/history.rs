//! Reading leaves: what the days of a window make together, and when that may change.

use rust_decimal::Decimal;
use zhiyin_model::time::{Day, HOUR_US};

use super::fold::Folding;
use super::{Frame, Held, Instant, Until, eval};
use crate::cell::{Count, Extreme, Picked, Side, Sum, further};
use crate::days::Days;
use crate::element::Element;
use crate::kept::{Kept, KeptRow, median_gap};
use crate::program::{Fold, LeafUse, Node, RowsFold, Step, View, Window};
use crate::state::LeafState;
use crate::value::{Val, mean, total};

fn number<'a>(count: u64) -> Val<'a> {
    Val::Number(Decimal::from(count))
}

fn gap<'a>(days: impl DoubleEndedIterator<Item = Day>) -> Val<'a> {
    median_gap(days).map_or(Val::Unknown, |gap| Val::Number(Decimal::from(gap)))
}

fn extreme(cell: &Extreme) -> Val<'_> {
    cell.0.as_ref().map_or(Val::Unknown, |(_, value)| value.as_val())
}

fn picked(cell: &Picked) -> Val<'_> {
    cell.0.as_ref().map_or(Val::Unknown, |pick| pick.value.as_val())
}

pub(super) fn sum_or_mean<'a>(sum: Sum, view: &View) -> Val<'a> {
    if *view == View::Mean { mean(sum.sum, sum.known) } else { total(sum.sum) }
}

/// The days of a window: those inside as of today, and the first that is yet to come.
pub(super) struct Seen<'a, C> {
    pub(super) inside: &'a [(Day, C)],
    pub(super) to_come: &'a [(Day, C)],
    pub(super) window_days: u32,
}

impl<C> Seen<'_, C> {
    /// The day on which a day falls out of the window.
    pub(super) fn leaves_on(&self, day: Day) -> i64 {
        i64::from(day.0) + i64::from(self.window_days) + 1
    }

    /// The next day on which the window has another content.
    fn until(&self) -> Until {
        let leaves = self.inside.first().map(|(day, _)| self.leaves_on(*day));
        self.until_leaving(leaves)
    }

    fn until_leaving(&self, leaves: Option<i64>) -> Until {
        let enters = self.to_come.first().map(|(day, _)| i64::from(day.0));
        leaves.into_iter().chain(enters).min().map_or(Until::EVER, Until::of_wide_day)
    }
}

impl<'a> Instant<'a> {
    pub(super) fn seen<C: crate::cell::Cell>(&self, days: &'a Days<C>, window: Window) -> Seen<'a, C> {
        let all = days.as_slice();
        let window_days = window.days.unwrap_or(0);
        let first = self.today.plus(-window_days.cast_signed());
        let to = all.partition_point(|(day, _)| *day <= self.today);
        let from = all[..to].partition_point(|(day, _)| *day < first);
        Seen { inside: &all[from..to], to_come: &all[to..], window_days }
    }

    /// The value of a leaf.
    pub(super) fn leaf(&self, leaf: &'a LeafUse) -> Held<'a> {
        if let Some(facts) = self.facts().filter(|facts| facts.measures(leaf)) {
            return Held::ever(facts.measured(leaf));
        }
        let Some(state) = self.state(leaf.leaf) else {
            return Held::ever(Val::Unknown);
        };
        match state {
            LeafState::Count(cell) => Held::ever(number(cell.0.0)),
            LeafState::Sum(cell) => Held::ever(sum_or_mean(cell.0, &leaf.view)),
            LeafState::Extreme(cell) => Held::ever(extreme(&cell.0)),
            LeafState::Picked(cell) => Held::ever(picked(&cell.0)),
            LeafState::Gaps(gaps) => Held::ever(gap(gaps.as_slice().iter().map(|(day, _)| *day))),
            LeafState::CountDays(days) => self.counted(&self.seen(days, leaf.window), &leaf.view),
            LeafState::SumDays(days) => {
                let seen = self.seen(days, leaf.window);
                let mut sum = Sum::default();
                seen.inside.iter().for_each(|(_, cell)| sum.plus(*cell));
                Held { val: sum_or_mean(sum, &leaf.view), until: seen.until() }
            }
            LeafState::ExtremeDays(days) => {
                let seen = self.seen(days, leaf.window);
                let cells = seen.inside.iter().map(|(_, cell)| extreme(cell));
                let val = cells.fold(Val::Unknown, |so_far, val| further(so_far, val, leaf.side));
                Held { val, until: seen.until() }
            }
            LeafState::PickedDays(days) => {
                let seen = self.seen(days, leaf.window);
                let pick = if leaf.side == Side::Low { seen.inside.first() } else { seen.inside.last() };
                match pick {
                    Some((day, cell)) => {
                        Held { val: picked(cell), until: seen.until_leaving(Some(seen.leaves_on(*day))) }
                    }
                    None => Held { val: Val::Unknown, until: seen.until() },
                }
            }
            LeafState::Kept(kept) => match &leaf.view {
                View::Rows(steps, fold) => self.rows(kept, leaf.window, steps, fold),
                _ => Held::ever(Val::Unknown),
            },
        }
    }

    fn counted(&self, seen: &Seen<'a, Count>, view: &View) -> Held<'a> {
        let val = match view {
            View::MedianGap => gap(seen.inside.iter().map(|(day, _)| *day)),
            _ => number(seen.inside.iter().map(|(_, count)| count.0).sum()),
        };
        Held { val, until: seen.until() }
    }

    /// Whether a kept row is in a window, and until when that is so.
    fn sees(&self, window: Window, row: &KeptRow) -> (bool, Until) {
        let by_days = window.days.map(|days| {
            let day = self.zone.day(row.time);
            let since = i64::from(self.today.0) - i64::from(day.0);
            match since {
                ..0 => (false, Until::Day(day)),
                _ if since <= i64::from(days) => {
                    (true, Until::of_wide_day(i64::from(day.0) + i64::from(days) + 1))
                }
                _ => (false, Until::EVER),
            }
        });
        let by_hours = window.hours.map(|hours| {
            let leaves = row.time.plus_us(i64::from(hours) * HOUR_US).plus_us(1);
            match self.now {
                now if now < row.time => (false, Until::At(row.time)),
                now if now < leaves => (true, Until::At(leaves)),
                _ => (false, Until::EVER),
            }
        });
        match (by_days, by_hours) {
            (None, None) => (true, Until::EVER),
            (Some(seen), None) | (None, Some(seen)) => seen,
            (Some((true, a)), Some((true, b))) => (true, self.sooner(a, b)),
            (Some((false, a)), Some((false, b))) => (false, self.later(a, b)),
            (Some((false, until)), _) | (_, Some((false, until))) => (false, until),
        }
    }

    /// Goes through kept rows.
    fn rows(&self, kept: &'a Kept, window: Window, steps: &'a [Step], fold: &'a RowsFold) -> Held<'a> {
        let mut until = Until::EVER;
        let mut folding = Folding::new(if let RowsFold::Fold(fold) = fold { *fold } else { Fold::Count });
        let mut days = Vec::new();
        let mut pick: Option<Held<'a>> = None;
        for row in kept.as_slice() {
            let (seen, holds) = self.sees(window, row);
            until = self.sooner(until, holds);
            if !seen {
                continue;
            }
            let (element, holds) = self.steps(steps, Element::Kept(row), None);
            until = self.sooner(until, holds);
            let Some(element) = element else { continue };
            match fold {
                RowsFold::Fold(_) => {
                    if folding.take(element).is_break() {
                        break;
                    }
                }
                RowsFold::First(_) if pick.is_some() => {}
                RowsFold::First(node) | RowsFold::Last(node) => {
                    pick = Some(eval(self, node, Some(&Frame::around(element))));
                }
                RowsFold::MedianGap => {
                    let day = self.zone.day(row.time);
                    if days.last() != Some(&day) {
                        days.push(day);
                    }
                }
            }
        }
        let val = match fold {
            RowsFold::Fold(_) => folding.result(),
            RowsFold::First(_) | RowsFold::Last(_) => pick.map_or(Val::Unknown, |held| held.val),
            RowsFold::MedianGap => gap(days.into_iter()),
        };
        Held { val, until: pick.map_or(until, |held| self.sooner(until, held.until)) }
    }

    /// A leaf's state, if the node is a leaf.
    pub(super) fn leaf_state(&self, node: &'a Node) -> Option<(&'a LeafUse, &'a LeafState)> {
        match node {
            // What was measured without a state has none to follow.
            Node::Leaf(leaf) if !self.facts()?.measures(leaf) => Some((leaf, self.state(leaf.leaf)?)),
            _ => None,
        }
    }
}
