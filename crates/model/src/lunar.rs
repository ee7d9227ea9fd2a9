//! Days of the Chinese lunar calendar, as people in China keep their birthdays: what is written of one, and the day of the common
//! calendar on which it is kept in a lunar year.
//!
//! Years are those in which lunar years begin, 1901 to 2100: what the calendar's keeper ([`icu_calendar`]) has as the Hong Kong
//! Observatory publishes it. A day of a leap month is kept in the plain month of the same number, also in years that have that
//! leap month; the 30th of a month that has 29 days on its 29th.

use std::ops::RangeInclusive;

use icu_calendar::cal::ChineseTraditional;
use icu_calendar::types::Month;
use icu_calendar::{Date, Gregorian};

use crate::time::Day;

/// What a day of the lunar calendar begins with, where it is written as a text.
pub const MARK: &str = "lunar:";
/// Lunar years that are known, by the year of the common calendar in which each begins.
pub const YEARS: RangeInclusive<i16> = 1901..=2100;
/// The first of January 1970, counted from the first day of the year 1.
const EPOCH: i64 = 719_163;

/// A day of the lunar calendar as it is written: `lunar:08-15`, `lunar:1990-08-15`, `lunar:2020-L04-08` (of the leap month).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LunarDay {
    year: Option<i16>,
    month: u8,
    leap: bool,
    day: u8,
}

fn chinese(year: i16, month: Month, day: u8) -> Option<Date<ChineseTraditional>> {
    Date::try_new(i32::from(year).into(), month, day, ChineseTraditional::new()).ok()
}

fn common(date: Date<ChineseTraditional>) -> Option<Day> {
    i32::try_from(date.to_rata_die().to_i64_date() - EPOCH).ok().map(Day)
}

fn digits(text: &str, n: usize) -> Option<i16> {
    (text.len() == n && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

impl LunarDay {
    /// Reads one; `None` if it is none. One with a year is a day that this year had.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(MARK)?.trim_start();
        let parts: Vec<&str> = rest.split('-').collect();
        let (year, month, day) = match parts.as_slice() {
            [month, day] => (None, *month, *day),
            [year, month, day] => (Some(digits(year, 4)?), *month, *day),
            _ => return None,
        };
        let (leap, month) = month.strip_prefix('L').map_or((false, month), |month| (true, month));
        let (month, day) = (u8::try_from(digits(month, 2)?).ok()?, u8::try_from(digits(day, 2)?).ok()?);
        let lunar = Self { year, month, leap, day };
        let fits = (1..=12).contains(&month) && (1..=30).contains(&day);
        (fits && (year.is_none() || lunar.born().is_some())).then_some(lunar)
    }

    /// The day of the common calendar that it was; `None` without its year.
    pub fn born(self) -> Option<Day> {
        let year = self.year.filter(|year| YEARS.contains(year))?;
        let month = if self.leap { Month::leap(self.month) } else { Month::new(self.month) };
        chinese(year, month, self.day).and_then(common)
    }

    /// The day of the common calendar on which it is kept in a lunar year; `None` of one that is not known.
    pub fn kept_in(self, year: i16) -> Option<Day> {
        if !YEARS.contains(&year) {
            return None;
        }
        let month = Month::new(self.month);
        chinese(year, month, self.day).or_else(|| chinese(year, month, self.day.min(29))).and_then(common)
    }

    /// Its month and day as one number, whatever its year: those that are kept on one day are in [`kept_on`].
    pub const fn code(self) -> u16 {
        self.month as u16 * 32 + self.day as u16
    }
}

/// Codes of the days that are kept on a day of the common calendar; none in a leap month, nor where the year is not known.
pub fn kept_on(day: Day) -> Vec<u16> {
    let date = day.date();
    let number = |of: i8| u8::try_from(of).unwrap_or(0);
    let common = Date::try_new_gregorian(date.year().into(), number(date.month()), number(date.day()));
    let Ok(common) = common else { return Vec::new() };
    let lunar: Date<ChineseTraditional> = common.to_calendar(ChineseTraditional::new());
    let _: &Date<Gregorian> = &common;
    let month = lunar.month().to_input();
    let year = i16::try_from(lunar.year().extended_year()).unwrap_or(0);
    if month.is_leap() || !YEARS.contains(&year) {
        return Vec::new();
    }
    let day = lunar.day_of_month().0;
    let code = |day: u8| u16::from(month.number()) * 32 + u16::from(day);
    match day == 29 && lunar.days_in_month() == 29 {
        true => vec![code(29), code(30)],
        false => vec![code(day)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn a_lunar_day_is_kept_on_its_day_of_each_year() {
        for (text, year, kept) in [
            // The New Year, the Dragon Boat, the Mid-Autumn and the Double Ninth.
            ("lunar:01-01", 2020, "2020-01-25"),
            ("lunar:01-01", 2023, "2023-01-22"),
            ("lunar:05-05", 2020, "2020-06-25"),
            ("lunar:08-15", 2020, "2020-10-01"),
            ("lunar:08-15", 2024, "2024-09-17"),
            ("lunar:09-09", 2025, "2025-10-29"),
            // The twelfth month mostly lies in the next year.
            ("lunar:12-08", 2023, "2024-01-18"),
            // 2020 had a leap fourth month, which a plain one comes before.
            ("lunar:04-08", 2020, "2020-04-30"),
            ("lunar:L04-08", 2020, "2020-04-30"),
            ("lunar:2020-L04-08", 2021, "2021-05-19"),
            // The twelfth month of 2024 had 29 days.
            ("lunar:12-30", 2024, "2025-01-28"),
            ("lunar:12-30", 2023, "2024-02-09"),
        ] {
            assert_eq!(LunarDay::parse(text).unwrap().kept_in(year), Some(day(kept)), "{text} {year}");
        }
        assert_eq!(LunarDay::parse("lunar:01-01").unwrap().kept_in(1900), None);
        assert_eq!(LunarDay::parse("lunar:01-01").unwrap().kept_in(2101), None);
    }

    #[test]
    fn a_birth_is_the_day_it_was_also_in_a_leap_month() {
        for (text, born) in [
            ("lunar:1990-08-15", Some("1990-10-03")),
            ("lunar:2020-L04-08", Some("2020-05-30")),
            ("lunar: 2020-04-08", Some("2020-04-30")),
            ("lunar:04-08", None),
        ] {
            assert_eq!(LunarDay::parse(text).unwrap().born(), born.map(day), "{text}");
        }
        for text in [
            "",
            "08-15",
            "lunar:",
            "lunar:8-15",
            "lunar:13-01",
            "lunar:00-01",
            "lunar:01-31",
            "lunar:01-00",
            "lunar:2021-L04-08",
            "lunar:2024-12-30",
            "lunar:1900-01-01",
            "lunar:2020-4-8",
            "lunar:+2-01",
            "Lunar:08-15",
        ] {
            assert_eq!(LunarDay::parse(text), None, "{text}");
        }
    }

    /// Every day of every year is kept where the codes of that day say so, and nowhere else.
    #[test]
    fn what_is_kept_on_a_day_is_what_falls_on_it() {
        let all: Vec<LunarDay> = (1..=12u8)
            .flat_map(|month| (1..=30).map(move |day| LunarDay { year: None, month, leap: false, day }))
            .collect();
        for year in YEARS {
            for lunar in &all {
                let kept = lunar.kept_in(year).unwrap();
                assert!(kept_on(kept).contains(&lunar.code()), "{lunar:?} {year}");
            }
        }
        let (first, last) = (day("2019-02-05"), day("2026-02-16"));
        for today in first.0..=last.0 {
            let codes = kept_on(Day(today));
            let found =
                all.iter().filter(|lunar| (2018..=2026).any(|year| lunar.kept_in(year) == Some(Day(today))));
            assert_eq!(codes, found.map(|lunar| lunar.code()).collect::<Vec<_>>(), "{today}");
        }
    }
}
