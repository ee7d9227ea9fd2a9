//! Comparisons followed to the instant at which they turn: of what grows by the day, of ages, of the
//! clock, of windows from which days fall out.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use zhiyin_model::time::{Day, Ts};

use super::history::{Seen, sum_or_mean};
use super::{Frame, Held, Instant, Until, eval, weekday};
use crate::cell::{Cell, Count, Extreme, Side, Sum, further};
use crate::program::{Field, LeafUse, Member, Node, View};
use crate::state::LeafState;
use crate::tree::Operator;
use crate::value::{Val, satisfies};

/// Microseconds of a minute.
const MINUTE_US: i64 = 60_000_000;
const MINUTES_OF_DAY: i64 = 24 * 60;

/// The next whole number above `value` at which `value op bound` turns, as `value` grows.
pub(super) fn turns_at(value: i64, op: Operator, bound: Decimal) -> Option<i64> {
    let whole = |bound: Decimal| bound.to_i64();
    let candidate = match op {
        Operator::Less | Operator::GreaterEqual => whole(bound.ceil())?,
        Operator::LessEqual | Operator::Greater => whole(bound.floor())?.checked_add(1)?,
        Operator::Equal | Operator::NotEqual if bound.fract().is_zero() => {
            let bound = whole(bound)?;
            if value == bound { bound.checked_add(1)? } else { bound }
        }
        _ => return None,
    };
    (candidate > value).then_some(candidate)
}

impl<'a> Instant<'a> {
    pub(super) fn compare(
        &self,
        op: Operator,
        left: &'a Node,
        right: &'a Node,
        frame: Option<&Frame<'_, 'a>>,
    ) -> Held<'a> {
        let moved = match self.moving(op, left, right, frame) {
            None => self.moving(op.mirrored(), right, left, frame),
            held => held,
        };
        moved.unwrap_or_else(|| {
            let (left, right) = (eval(self, left, frame), eval(self, right, frame));
            let val = Val::Bool(satisfies(left.val.order(right.val, self.zone), op));
            Held { val, until: self.sooner(left.until, right.until) }
        })
    }

    /// A comparison whose left side time moves in a known way. `None` if it does not.
    fn moving(
        &self,
        op: Operator,
        left: &'a Node,
        right: &'a Node,
        frame: Option<&Frame<'_, 'a>>,
    ) -> Option<Held<'a>> {
        match left {
            Node::DaysSince(of) => {
                let (of, bound) = (eval(self, of, frame), eval(self, right, frame));
                let both = self.sooner(of.until, bound.until);
                let (Some(day), Val::Number(number)) = (self.day_of(of.val), bound.val) else {
                    return Some(Held { val: Val::Bool(false), until: both });
                };
                let days = i64::from(self.today.0) - i64::from(day.0);
                let turn = turns_at(days, op, number).and_then(|days| days.checked_add(i64::from(day.0)));
                Some(self.turning(
                    days,
                    op,
                    number,
                    self.sooner(both, turn.map_or(Until::EVER, Until::of_wide_day)),
                ))
            }
            Node::Member(Member::Age) => {
                let bound = eval(self, right, frame);
                let birthday = self.birthday()?;
                let (Some(age), Val::Number(number)) = (birthday.age(self.today), bound.val) else {
                    return None;
                };
                let turn = turns_at(age, op, number).and_then(|age| birthday.day_of_age(age));
                Some(self.turning(age, op, number, self.sooner(bound.until, Until::of_day(turn))))
            }
            Node::Field(element, Field::Stage(stage)) => {
                let (dependant, bound) = (self.dependant(*element, frame)?, eval(self, right, frame));
                Some(self.stage_turn(*stage, &dependant, op, bound))
            }
            Node::Weekday(_) if matches!(op, Operator::Equal | Operator::NotEqual) => {
                let equal = self.weekday_turn(left, std::slice::from_ref(right))?;
                Some(equal.then(|val| Val::Bool(val.is_true() == (op == Operator::Equal))))
            }
            Node::Hour(of) | Node::Clock(of) if **of == Node::Now => self.clock_turn(op, left, right),
            Node::Leaf(_) => self.leaf_turn(op, left, right, frame),
            _ => None,
        }
    }

    pub(super) fn turning(&self, value: i64, op: Operator, bound: Decimal, until: Until) -> Held<'a> {
        Held { val: Val::Bool(satisfies(Some(Decimal::from(value).cmp(&bound)), op)), until }
    }

    /// Whether today's weekday is one of some constants. `None` if that is not what is asked.
    pub(super) fn weekday_turn(&self, needle: &Node, candidates: &[Node]) -> Option<Held<'a>> {
        let Node::Weekday(of) = needle else { return None };
        let constant = candidates.iter().all(|candidate| matches!(candidate, Node::Const(_)));
        if **of != Node::Now || !constant {
            return None;
        }
        let is_one = |day: Day| {
            let today = weekday(day);
            candidates.iter().any(|candidate| match candidate {
                Node::Const(value) => value.as_val() == today,
                _ => false,
            })
        };
        let value = is_one(self.today);
        let turn = (1..7).map(|days| self.today.plus(days)).find(|day| is_one(*day) != value);
        Some(Held { val: Val::Bool(value), until: Until::of_day(turn) })
    }

    /// A comparison of the present hour or time of day with a constant.
    fn clock_turn(&self, op: Operator, clock: &Node, bound: &Node) -> Option<Held<'a>> {
        let Node::Const(bound) = bound else { return None };
        let minutes = self.zone.time_of_day_us(self.now) / MINUTE_US;
        let (value, bound, unit) = match (clock, bound.as_val()) {
            (Node::Hour(_), Val::Number(bound)) => (minutes / 60, bound, 60),
            (Node::Clock(_), Val::Clock(bound)) => (minutes, Decimal::from(bound), 1),
            _ => return None,
        };
        let turn = turns_at(value, op, bound).and_then(|value| value.checked_mul(unit));
        let until = self.when_clock_shows(turn.unwrap_or(MINUTES_OF_DAY));
        Some(self.turning(value, op, bound, until))
    }

    /// When today's clock will show a later minute; 00:00 if that is not today. Where the clock is put
    /// forward or back before that, an earlier instant: the next quarter of an hour, or the next minute.
    fn when_clock_shows(&self, minute: i64) -> Until {
        let from = self.zone.time_of_day_us(self.now);
        let passes = minute.min(MINUTES_OF_DAY).saturating_mul(MINUTE_US) - from;
        let to_next = |unit_us: i64| unit_us - self.now.0.rem_euclid(unit_us);
        let runs_untouched = |passes: &i64| {
            let before = self.now.plus_us(passes - 1);
            self.zone.time_of_day_us(before) - from == passes - 1
        };
        let quarter = to_next(15 * MINUTE_US).min(passes);
        let passes = [passes, quarter].into_iter().find(runs_untouched).unwrap_or(to_next(MINUTE_US));
        Until::At(self.now.plus_us(passes))
    }

    /// The hour or time of day of a time; of the present where it is [`Node::Now`].
    pub(super) fn clock_of(
        &self,
        of: &'a Node,
        frame: Option<&Frame<'_, 'a>>,
        shown: impl Fn(u16) -> Val<'a>,
        unit: i64,
    ) -> Held<'a> {
        let minutes = |time: Ts| u16::try_from(self.zone.time_of_day_us(time) / MINUTE_US).unwrap_or(0);
        if *of == Node::Now {
            let now = minutes(self.now);
            let next = (i64::from(now) / unit + 1) * unit;
            return Held { val: shown(now), until: self.when_clock_shows(next) };
        }
        eval(self, of, frame).then(|val| match val {
            Val::Time(time) => shown(minutes(time)),
            _ => Val::Unknown,
        })
    }

    /// A comparison of what a window of days holds. `None` if the node is no such leaf.
    fn leaf_turn(
        &self,
        op: Operator,
        left: &'a Node,
        right: &'a Node,
        frame: Option<&Frame<'_, 'a>>,
    ) -> Option<Held<'a>> {
        let (leaf, state) = self.leaf_state(left)?;
        let follows = match state {
            LeafState::CountDays(_) => leaf.view == View::Plain,
            LeafState::SumDays(_) | LeafState::ExtremeDays(_) => true,
            _ => false,
        };
        if !follows {
            return None;
        }
        let bound = eval(self, right, frame);
        let holds = |val: Val<'_>| satisfies(val.order(bound.val, self.zone), op);
        let (value, turn) = match state {
            LeafState::CountDays(days) => follow_count(&self.seen(days, leaf.window), holds),
            LeafState::SumDays(days) => follow_sum(&self.seen(days, leaf.window), leaf, holds),
            LeafState::ExtremeDays(days) => follow_extreme(&self.seen(days, leaf.window), leaf.side, holds),
            _ => return None,
        };
        Some(Held { val: Val::Bool(value), until: self.sooner(turn, bound.until) })
    }
}

/// Follows a window from today on, day by day, until what is asked of its content turns.
fn follow<C: Cell, T>(
    seen: &Seen<'_, C>,
    mut total: T,
    add: impl Fn(&mut T, &C),
    remove: impl Fn(&mut T, &C),
    holds: impl Fn(&T) -> bool,
) -> (bool, Until) {
    seen.inside.iter().for_each(|(_, cell)| add(&mut total, cell));
    let value = holds(&total);
    // Days that are to come enter at the end and leave after all that are inside.
    let mut leaving = seen.inside.iter().chain(seen.to_come).peekable();
    let mut entering = seen.to_come.iter().peekable();
    loop {
        let enters = entering.peek().map(|(day, _)| i64::from(day.0));
        let leaves = leaving.peek().map(|(day, _)| seen.leaves_on(*day));
        let Some(day) = enters.into_iter().chain(leaves).min() else {
            return (value, Until::EVER);
        };
        while let Some((_, cell)) = entering.next_if(|(enters, _)| i64::from(enters.0) <= day) {
            add(&mut total, cell);
        }
        while let Some((_, cell)) = leaving.next_if(|(left, _)| seen.leaves_on(*left) <= day) {
            remove(&mut total, cell);
        }
        if holds(&total) != value {
            return (value, Until::of_wide_day(day));
        }
    }
}

fn follow_count(seen: &Seen<'_, Count>, holds: impl Fn(Val<'_>) -> bool) -> (bool, Until) {
    let add = |total: &mut u64, count: &Count| *total += count.0;
    let remove = |total: &mut u64, count: &Count| *total -= count.0;
    follow(seen, 0, add, remove, |total| holds(Val::Number(Decimal::from(*total))))
}

fn follow_sum(seen: &Seen<'_, Sum>, leaf: &LeafUse, holds: impl Fn(Val<'_>) -> bool) -> (bool, Until) {
    let add = |total: &mut Sum, cell: &Sum| total.plus(*cell);
    let remove = |total: &mut Sum, cell: &Sum| total.minus(*cell);
    follow(seen, Sum::default(), add, remove, |total| holds(sum_or_mean(*total, &leaf.view)))
}

/// As days fall out from the left, the extreme of what remains is that of each tail: one pass from the
/// right finds the first tail for which the answer is another. Days to come end what is known.
fn follow_extreme(seen: &Seen<'_, Extreme>, side: Side, holds: impl Fn(Val<'_>) -> bool) -> (bool, Until) {
    let mut tail = Val::Unknown;
    let mut answers = vec![holds(tail)];
    for (_, cell) in seen.inside.iter().rev() {
        let val = cell.0.as_ref().map_or(Val::Unknown, |(_, value)| value.as_val());
        tail = further(tail, val, side);
        answers.push(holds(tail));
    }
    let value = answers.last().copied().unwrap_or(false);
    let n_left = answers.iter().rev().position(|answer| *answer != value);
    let leaves = n_left.and_then(|n| seen.inside.get(n - 1)).map(|(day, _)| seen.leaves_on(*day));
    let enters = seen.to_come.first().map(|(day, _)| i64::from(day.0));
    (value, leaves.into_iter().chain(enters).min().map_or(Until::EVER, Until::of_wide_day))
}
