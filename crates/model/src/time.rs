//! Instants, calendar days and the brand's zone.
//!
//! An instant is integer microseconds since 1970-01-01 UTC; a day is a calendar day in a zone. Nothing
//! here reads a clock: *now* is always given.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ts(pub i64);

/// A calendar day: days since 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub i32);

/// Microseconds of an hour.
pub const HOUR_US: i64 = 3_600_000_000;
/// Microseconds of a day of 24 hours.
pub const DAY_US: i64 = 24 * HOUR_US;

impl Ts {
    /// Before everything.
    pub const MIN: Self = Self(i64::MIN);
    /// After everything: "holds for ever".
    pub const FOREVER: Self = Self(i64::MAX);

    /// Parses RFC 3339 (`2017-01-01T11:53:26Z`, any offset, up to nanoseconds, cut to microseconds).
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<Timestamp>().ok().map(|ts| Self(ts.as_microsecond()))
    }

    /// This instant moved by microseconds, held within the representable.
    pub const fn plus_us(self, us: i64) -> Self {
        Self(self.0.saturating_add(us))
    }

    /// The instant a month of the calendar begins at, in UTC; [`Ts::FOREVER`] beyond it.
    pub fn of_month(year: i16, month: i8) -> Self {
        let begins = Date::new(year, month, 1)
            .ok()
            .and_then(|date| TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok());
        begins.map_or(Self::FOREVER, |begins| Self(begins.as_microsecond()))
    }

    /// Year and month in UTC; `None` beyond the calendar.
    pub fn year_and_month(self) -> Option<(i16, i8)> {
        let date = TimeZone::UTC.to_datetime(Timestamp::from_microsecond(self.0).ok()?);
        Some((date.year(), date.month()))
    }

    /// RFC 3339 in UTC; `forever` beyond the calendar.
    pub fn rfc3339(self) -> String {
        Timestamp::from_microsecond(self.0).map_or_else(|_| "forever".to_owned(), |ts| ts.to_string())
    }
}

impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl Day {
    /// The day of a civil date.
    pub fn from_date(date: Date) -> Self {
        let epoch = Date::constant(1970, 1, 1);
        Self(i32::try_from(date.duration_since(epoch).as_hours() / 24).unwrap_or(i32::MAX))
    }

    /// Its civil date. Days outside the calendar are held at its ends.
    pub fn date(self) -> Date {
        let epoch = Date::constant(1970, 1, 1);
        epoch.checked_add(SignedDuration::from_hours(i64::from(self.0) * 24)).unwrap_or(if self.0 < 0 {
            Date::MIN
        } else {
            Date::MAX
        })
    }

    /// Parses `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 10).then(|| text.parse::<Date>().ok().map(Self::from_date)).flatten()
    }

    /// This day moved by a number of days.
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date())
    }
}

/// A time zone of the IANA database, with its days.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    rules: TimeZone,
    /// Set where the zone has one offset for all time, in microseconds: no look-up is needed then.
    fixed_us: Option<i64>,
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Zone {
    /// The zone of this IANA name (`Asia/Shanghai`, `UTC`), from the database shipped in the binary.
    pub fn named(name: &str) -> Option<Self> {
        let rules = TimeZone::get(name).ok()?;
        let fixed_us = rules.to_fixed_offset().ok().map(|o| i64::from(o.seconds()) * 1_000_000);
        Some(Self { name: name.to_owned(), rules, fixed_us })
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC, fixed_us: Some(0) }
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The difference between the zone's wall clock and UTC at an instant, in microseconds.
    pub fn offset_us(&self, at: Ts) -> i64 {
        self.fixed_us.unwrap_or_else(|| {
            let at = Timestamp::from_microsecond(at.0).unwrap_or(if at.0 < 0 {
                Timestamp::MIN
            } else {
                Timestamp::MAX
            });
            i64::from(self.rules.to_offset(at).seconds()) * 1_000_000
        })
    }

    /// The instants after one and before another at which clocks are set, ascending.
    pub fn changes(&self, after: Ts, before: Ts) -> Vec<Ts> {
        let Ok(from) = Timestamp::from_microsecond(after.0) else { return Vec::new() };
        if self.fixed_us.is_some() {
            return Vec::new();
        }
        let set = self.rules.following(from).map(|set| Ts(set.timestamp().as_microsecond()));
        set.take_while(|at| *at < before).collect()
    }

    /// The calendar day of an instant.
    pub fn day(&self, at: Ts) -> Day {
        let local = at.0.saturating_add(self.offset_us(at));
        Day(i32::try_from(local.div_euclid(DAY_US)).unwrap_or(i32::MAX))
    }

    /// Microseconds since local midnight by the wall clock of the zone.
    pub fn time_of_day_us(&self, at: Ts) -> i64 {
        at.0.saturating_add(self.offset_us(at)).rem_euclid(DAY_US)
    }

    /// The first instant of a day: its 00:00, or the first moment after a gap that swallows it.
    pub fn start(&self, day: Day) -> Ts {
        if let Some(offset_us) = self.fixed_us {
            return Ts((i64::from(day.0) * DAY_US).saturating_sub(offset_us));
        }
        self.rules
            .to_ambiguous_zoned(day.date().at(0, 0, 0, 0))
            .compatible()
            .map_or(Ts::FOREVER, |zoned| Ts(zoned.timestamp().as_microsecond()))
    }

    /// The instant of a day's wall clock, so many minutes after 00:00; of two the first, and where clocks are set ahead over it, as
    /// much later.
    pub fn at_minute(&self, day: Day, minute: u16) -> Ts {
        if let Some(offset_us) = self.fixed_us {
            let us = i64::from(day.0) * DAY_US + i64::from(minute) * 60_000_000;
            return Ts(us.saturating_sub(offset_us));
        }
        let part = |part: u16| i8::try_from(part).unwrap_or(0);
        self.rules
            .to_ambiguous_zoned(day.date().at(part(minute / 60 % 24), part(minute % 60), 0, 0))
            .compatible()
            .map_or(Ts::FOREVER, |zoned| Ts(zoned.timestamp().as_microsecond()))
    }

    /// The last microsecond of a day.
    pub fn end(&self, day: Day) -> Ts {
        self.start(day.plus(1)).plus_us(-1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_calendar_days_in_the_zone() {
        let shanghai = Zone::named("Asia/Shanghai").unwrap();
        let new_york = Zone::named("America/New_York").unwrap();
        let at = Ts::parse("2017-01-01T16:30:00Z").unwrap();
        assert_eq!(shanghai.day(at).to_string(), "2017-01-02");
        assert_eq!(new_york.day(at).to_string(), "2017-01-01");
        assert_eq!(Zone::utc().day(Ts(-1)).to_string(), "1969-12-31");
    }

    #[test]
    fn a_day_of_23_hours_is_one_day() {
        let zone = Zone::named("America/New_York").unwrap();
        let day = Day::parse("2024-03-10").unwrap();
        assert_eq!(zone.start(day.plus(1)).0 - zone.start(day).0, 23 * HOUR_US);
        // In Beirut 2024-03-31 begins at 01:00: its midnight does not exist.
        let beirut = Zone::named("Asia/Beirut").unwrap();
        let day = Day::parse("2024-03-31").unwrap();
        assert_eq!(beirut.day(beirut.start(day)), day);
        assert_eq!(beirut.day(beirut.start(day).plus_us(-1)), day.plus(-1));
    }

    #[test]
    fn days_and_dates_agree() {
        for text in ["1969-12-31", "1970-01-01", "2000-02-29", "2018-01-01", "9999-12-31", "0001-01-01"] {
            assert_eq!(Day::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Day::parse("2017-02-29"), None);
        assert_eq!(Day::parse("20170101"), None);
    }
}
