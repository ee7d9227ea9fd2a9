//! Until when a value holds. Days are turned into instants only where an instant is needed: that asks the
//! zone's rules.

use zhiyin_model::time::{Day, Ts};

use super::Instant;
use crate::value::Val;

/// A value, and until when time alone cannot change it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Held<'a> {
    pub(crate) val: Val<'a>,
    pub(crate) until: Until,
}

impl<'a> Held<'a> {
    /// Only an event can change it.
    pub(crate) const fn ever(val: Val<'a>) -> Self {
        Self { val, until: Until::EVER }
    }

    /// Another value for as long.
    pub(crate) fn then<'b>(self, change: impl FnOnce(Val<'a>) -> Val<'b>) -> Held<'b> {
        Held { val: change(self.val), until: self.until }
    }
}

/// The first instant at which something may be otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// 00:00 of a day.
    Day(Day),
    At(Ts),
}

/// 9999-12-31. No day beyond it can be written, so none is waited for.
const LAST_DAY: Day = Day(2_932_896);
/// 0000-01-01. No day before it can be written.
const FIRST_DAY: Day = Day(-719_528);

impl Until {
    /// Never.
    pub(crate) const EVER: Self = Self::At(Ts::FOREVER);

    /// 00:00 of a day, or never.
    pub(crate) fn of_day(day: Option<Day>) -> Self {
        day.map_or(Self::EVER, Self::Day)
    }

    /// A day counted from the epoch in a wider type; never if it is beyond the calendar.
    pub(crate) fn of_wide_day(day: i64) -> Self {
        i32::try_from(day).map_or(Self::EVER, |day| Self::Day(Day(day)))
    }
}

impl Instant<'_> {
    /// The instant of an until; never before the present.
    pub(super) fn resolve(&self, until: Until) -> Ts {
        match until {
            Until::At(at) => at,
            Until::Day(day) if day > LAST_DAY => Ts::FOREVER,
            Until::Day(day) if day < FIRST_DAY => self.now.plus_us(1),
            Until::Day(day) => self.zone.start(day),
        }
    }

    pub(super) fn sooner(&self, a: Until, b: Until) -> Until {
        match (a, b) {
            (Until::EVER, other) | (other, Until::EVER) => other,
            (Until::Day(x), Until::Day(y)) => Until::Day(x.min(y)),
            _ => Until::At(self.resolve(a).min(self.resolve(b))),
        }
    }

    pub(super) fn later(&self, a: Until, b: Until) -> Until {
        match (a, b) {
            (Until::EVER, _) | (_, Until::EVER) => Until::EVER,
            (Until::Day(x), Until::Day(y)) => Until::Day(x.max(y)),
            _ => Until::At(self.resolve(a).max(self.resolve(b))),
        }
    }
}
