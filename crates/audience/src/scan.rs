//! Members by their rows, many at a time: the loops that decide how long a question of history takes.
//!
//! They are written for the width of the days they read, and read ahead: what 64 members need is touched before anything is
//! decided by it, so that memory fetches it all at once.

#![allow(clippy::useless_conversion, reason = "loops are written once for numbers of every width")]

use zhiyin_condition::program::Field;

use crate::bits::Mask;
use crate::bound::{Bound, Leaf};
use crate::coded::Chosen;
use crate::history::Numbers;
use crate::ints::{Ints, Stored, by_width};
use crate::table::Table;

impl Leaf<'_> {
    /// Keeps whoever's count of passing rows, up to a limit, is as wanted.
    pub(crate) fn retain_counted(
        &self,
        mask: &mut Mask,
        limit: i64,
        touched: &mut u64,
        holds: impl Fn(i64) -> bool,
    ) {
        let Some(flat) = self.flat() else {
            mask.retain(|member| holds(self.count(member, limit, touched)));
            return;
        };
        if matches!(flat, Flat::Every) && !matches!(self.table, Table::Items(_)) {
            mask.retain(|member| holds(self.count_all(member, limit, touched)));
            return;
        }
        self.retain_ranged(mask, touched, |at| flat.touch(at), |from, to| holds(flat.count(from, to)));
    }

    /// Keeps whoever has at least so many rows in the window, or (`wanted` false) whoever has fewer, where all rows pass: the
    /// row that would be the last one needed tells. False where it cannot.
    pub(crate) fn retain_reached(&self, mask: &mut Mask, n: i64, wanted: bool, touched: &mut u64) -> bool {
        let rows = self.table.rows();
        let every = matches!(&self.passes, Bound::All(none) if none.is_empty());
        let Ok(n) = usize::try_from(n) else { return false };
        if !every || n == 0 || matches!(self.table, Table::Items(_)) {
            return false;
        }
        if self.plan.hours.is_some() {
            // Nearly everybody who may have any has rows of today, some of which may be yet to come.
            let limit = i64::try_from(n).unwrap_or(i64::MAX);
            mask.retain(|member| (self.count_all(member, limit, touched) >= limit) == wanted);
        } else if i64::from(rows.latest) > self.last_day {
            // Whoever has rows that are yet to come is counted apart.
            let mut ahead = mask.clone();
            rows.last_day.keep_range(self.last_day.saturating_add(1), i64::MAX, &mut ahead);
            mask.and_not(&ahead);
            self.reach(mask, n, wanted, touched);
            let limit = i64::try_from(n).unwrap_or(i64::MAX);
            ahead.retain(|member| (self.count_all(member, limit, touched) >= limit) == wanted);
            mask.or(&ahead);
        } else {
            self.reach(mask, n, wanted, touched);
        }
        true
    }

    fn reach(&self, mask: &mut Mask, n: usize, wanted: bool, touched: &mut u64) {
        let rows = self.table.rows();
        let starts: &[u32] = &rows.starts;
        let Some((first, _)) = self.by.stored_range(self.first, i64::MAX) else {
            mask.retain(|_| !wanted);
            return;
        };
        *touched += mask.count() as u64;
        // Where a member has fewer rows, some row is looked at that decides nothing.
        let place = |member: usize| (starts[member + 1] as usize).saturating_sub(n);
        let enough = |member: usize| (starts[member + 1] - starts[member]) as usize >= n;
        by_width!(&self.by.stored, days => {
            let days = &days[..];
            mask.retain_touched(
                |member| days.get(place(member)).map_or(0, |day| i64::from(*day)),
                |member| (enough(member) & days.get(place(member)).is_some_and(|day| i64::from(*day) >= first)) == wanted,
            );
        }, mask.retain(|member| enough(member) == wanted));
    }

    /// Keeps whoever's sum over passing rows is as wanted.
    pub(crate) fn retain_summed(&self, mask: &mut Mask, touched: &mut u64, holds: impl Fn(i128) -> bool) {
        let values = match (self.plan.value.field(), self.table) {
            (Some(Field::Paid), Table::Orders(orders)) => Some(&orders.paid),
            (Some(Field::Paid), Table::Items(orders)) => {
                orders.item_paid.as_ref().or(orders.of_one_item().then_some(&orders.paid))
            }
            (Some(Field::Quantity), Table::Items(orders)) => match &orders.quantity {
                Numbers::Scaled(ints, _) => Some(ints),
                Numbers::Wide(_) => None,
            },
            _ => None,
        };
        let (Some(flat), Some(values)) = (self.flat(), values) else {
            mask.retain(|member| holds(self.sum(member, touched).0));
            return;
        };
        let touch = |at: usize| flat.touch(at) ^ values.stored_at(at);
        self.retain_ranged(mask, touched, touch, |from, to| holds(flat.sum(values, from, to)));
    }

    /// The one question that all rows are asked, where it is of a code of the row (or the item) alone.
    fn flat(&self) -> Option<Flat<'_>> {
        let items = matches!(self.table, Table::Items(_));
        let of_one = |of_item: &bool| {
            *of_item == items || matches!(self.table, Table::Items(orders) if orders.of_one_item())
        };
        match &self.passes {
            Bound::All(none) if none.is_empty() => Some(Flat::Every),
            Bound::Code(column, of_item, Chosen::Range(low, high)) if of_one(of_item) => {
                let range = column.codes.stored_range(i64::from(*low), i64::from(*high));
                Some(range.map_or(Flat::Never, |(low, high)| Flat::Within(&column.codes, low, high)))
            }
            Bound::Range(column, of_item, (low, high), true) if of_one(of_item) => Some(
                column
                    .stored_range(*low, *high)
                    .map_or(Flat::Never, |(low, high)| Flat::Within(column, low, high)),
            ),
            Bound::Never => Some(Flat::Never),
            _ => None,
        }
    }

    /// Asks each member's rows (or items) within the window, which lie side by side.
    fn retain_ranged(
        &self,
        mask: &mut Mask,
        touched: &mut u64,
        touch: impl Fn(usize) -> i64,
        mut holds: impl FnMut(usize, usize) -> bool,
    ) {
        let rows = self.table.rows();
        let items = match self.table {
            Table::Items(orders) if !orders.of_one_item() => Some(orders),
            _ => None,
        };
        let starts: &[u32] = &rows.starts;
        if self.first == i64::MIN {
            let starts: &[u32] = items.map_or(starts, |orders| &orders.item_starts);
            mask.retain(|member| {
                let (from, to) = (starts[member] as usize, starts[member + 1] as usize);
                *touched += (to - from) as u64;
                holds(from, to)
            });
            return;
        }
        let Some((first, last)) = self.by.stored_range(self.first, self.last) else {
            mask.retain(|_| holds(0, 0));
            return;
        };
        by_width!(&self.by.stored, days => {
            let days = &days[..];
            let touch = |member: usize| {
                let last = (starts[member + 1] as usize).saturating_sub(1);
                let item = items.map_or(last, |orders| (orders.item_starts[member + 1] as usize).saturating_sub(1));
                days.get(last).map_or(0, |day| i64::from(*day)) ^ touch(item)
            };
            mask.retain_touched(touch, |member| {
                let (from, mut to) = (starts[member] as usize, starts[member + 1] as usize);
                let days = &days[from..to];
                let mut item_to = items.map_or(0, |orders| orders.item_starts[member + 1] as usize);
                let after = days.iter().rev().take_while(|day| i64::from(**day) > last).count();
                let within = days[..days.len() - after].iter().rev().take_while(|day| i64::from(**day) >= first).count();
                *touched += (after + within) as u64;
                to -= after;
                match items {
                    None => holds(to - within, to),
                    Some(orders) => {
                        let n = |from: usize, to: usize| (from..to).map(|row| usize::try_from(orders.n_items.get(row)).unwrap_or(0)).sum::<usize>();
                        item_to -= n(to, to + after);
                        holds(item_to - n(to - within, to), item_to)
                    }
                }
            });
        }, {
            // All rows are of one day (or instant), which is within.
            let starts: &[u32] = items.map_or(starts, |orders| &orders.item_starts);
            mask.retain(|member| holds(starts[member] as usize, starts[member + 1] as usize));
        });
    }
}

/// What rows that lie side by side are asked, where one column answers.
enum Flat<'b> {
    Every,
    Never,
    /// What is stored lies within.
    Within(&'b Ints, i64, i64),
}

impl Flat<'_> {
    fn touch(&self, at: usize) -> i64 {
        match self {
            Self::Every | Self::Never => 0,
            Self::Within(column, ..) => column.stored_at(at),
        }
    }

    fn count(&self, from: usize, to: usize) -> i64 {
        let n = match self {
            Self::Every => to - from,
            Self::Never => 0,
            Self::Within(column, low, high) => by_width!(&column.stored, x => {
                x[from..to].iter().filter(|x| (*low..=*high).contains(&i64::from(**x))).count()
            }, to - from),
        };
        i64::try_from(n).unwrap_or(i64::MAX)
    }

    fn sum(&self, values: &Ints, from: usize, to: usize) -> i128 {
        let (mut stored, mut n) = (0i128, 0i128);
        let mut take = |x: i64| {
            stored += i128::from(x);
            n += 1;
        };
        match self {
            Self::Never => {}
            Self::Every => {
                by_width!(&values.stored, v => v[from..to].iter().for_each(|v| take(i64::from(*v))), n = i128::try_from(to - from).unwrap_or(0))
            }
            Self::Within(column, low, high) => by_width!(&column.stored, x => {
                let chosen = x[from..to].iter().enumerate().filter(|(_, x)| (*low..=*high).contains(&i64::from(**x)));
                chosen.for_each(|(at, _)| take(values.stored_at(from + at)));
            }, (from..to).for_each(|at| take(values.stored_at(at)))),
        }
        stored * i128::from(values.unit) + n * i128::from(values.base)
    }
}
