//! Birthdays and ages. A birthday of 29 February is kept on 28 February in common years; one of the lunar calendar on that
//! calendar's day.

use jiff::civil::Date;
use zhiyin_model::lunar::{LunarDay, MARK};
use zhiyin_model::time::{Day, Ts, Zone};

/// A birthday as an attribute writes it: `YYYY-MM-DD`, `MM-DD` or `--MM-DD`; or of the lunar calendar, `lunar:MM-DD` or
/// `lunar:YYYY-MM-DD` ([`LunarDay`]).
///
/// One of the lunar calendar is kept on its day of each lunar year. Ages count from the day of the common calendar on which
/// somebody was born, whichever they keep: where its year is known, that is known too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birthday {
    born: Option<Born>,
    lunar: Option<LunarDay>,
}

/// A day of the common calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Born {
    /// Not known for `MM-DD`.
    year: Option<i16>,
    month: i8,
    day: i8,
}

/// When somebody who was born on a day, as the attribute `birthday` writes it, reaches an age: at 00:00 of that birthday.
/// `None` where the year of birth is not known.
pub fn of_age(birthday: &str, years: u8, zone: &Zone) -> Option<Ts> {
    Birthday::parse(birthday)?.day_of_age(years.into()).map(|day| zone.start(day))
}

impl Born {
    fn parse(text: &str) -> Option<Self> {
        let (year, rest) = match text.len() {
            10 => (Some(Day::parse(text)?.date().year()), text.get(5..)?),
            7 => (None, text.strip_prefix("--")?),
            5 => (None, text),
            _ => return None,
        };
        let digits = |at: usize| -> Option<i8> {
            let part = rest.get(at..at + 2)?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
        };
        let (month, day) = (digits(0)?, digits(3)?);
        // 2000 was a leap year, so that 02-29 is a day.
        let is_day = rest.get(2..3) == Some("-") && Date::new(2000, month, day).is_ok();
        is_day.then_some(Self { year, month, day })
    }

    fn of(day: Day) -> Self {
        let date = day.date();
        Self { year: Some(date.year()), month: date.month(), day: date.day() }
    }

    /// The day it is kept in a year; none outside of the calendar.
    fn kept_in(self, year: i16) -> Option<Day> {
        let first = Date::new(year, self.month, 1).ok()?;
        let date = Date::new(year, self.month, self.day.min(first.days_in_month())).ok()?;
        Some(Day::from_date(date))
    }
}

impl Birthday {
    /// Reads a birthday; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with(MARK) {
            let lunar = LunarDay::parse(text)?;
            return Some(Self { born: lunar.born().map(Born::of), lunar: Some(lunar) });
        }
        Some(Self { born: Some(Born::parse(text)?), lunar: None })
    }

    /// The year of birth, if it is known.
    pub fn year(self) -> Option<i16> {
        self.born?.year
    }

    /// The month of birth, 1 to 12, if it is known.
    pub fn month(self) -> Option<i8> {
        Some(self.born?.month)
    }

    /// The day of the month as it was written, 29 February too, if it is known.
    pub fn day_of_month(self) -> Option<i8> {
        Some(self.born?.day)
    }

    /// The lunar day that is kept, where one is, as one number ([`LunarDay::code`]).
    pub fn lunar(self) -> Option<u16> {
        self.lunar.map(LunarDay::code)
    }

    /// The day it is kept in a year of the calendar by which it is kept.
    fn kept_in(self, year: i16) -> Option<Day> {
        match (self.lunar, self.born) {
            (Some(lunar), _) => lunar.kept_in(year),
            (None, born) => born?.kept_in(year),
        }
    }

    /// Whether it is kept on a day.
    pub(crate) fn is_on(self, today: Day) -> bool {
        // A lunar year ends in the next one of the common calendar.
        let year = today.date().year();
        [year - 1, year].into_iter().any(|year| self.kept_in(year) == Some(today))
    }

    /// The next day it is kept on, after a day.
    pub fn next_after(self, today: Day) -> Option<Day> {
        let year = today.date().year();
        (year - 1..=year + 1).filter_map(|year| self.kept_in(year)).find(|day| *day > today)
    }

    /// Days from a day to the next one it is kept on; 0 on the day.
    pub(crate) fn days_to(self, today: Day) -> Option<i32> {
        self.next_after(today.plus(-1)).map(|day| day.0 - today.0)
    }

    /// Days from the last one it was kept on to a day; 0 on the day.
    pub(crate) fn days_since(self, today: Day) -> Option<i32> {
        let year = today.date().year();
        let last = (year - 2..=year).rev().filter_map(|year| self.kept_in(year)).find(|day| *day <= today);
        last.map(|day| today.0 - day.0)
    }

    /// Whole years at a day; `None` without a year of birth, or before birth.
    pub(crate) fn age(self, today: Day) -> Option<i64> {
        let born = self.born?;
        let year = today.date().year();
        let not_yet = today < born.kept_in(year)?;
        let years = i64::from(year) - i64::from(born.year?) - i64::from(not_yet);
        (years >= 0).then_some(years)
    }

    /// The next day, after a day, on which somebody is a year older, if its day is known.
    pub(crate) fn older_after(self, today: Day) -> Option<Day> {
        let (born, year) = (self.born?, today.date().year());
        born.kept_in(year).filter(|day| *day > today).or_else(|| born.kept_in(year + 1))
    }

    /// The day an age is reached.
    pub(crate) fn day_of_age(self, age: i64) -> Option<Day> {
        let born = self.born?;
        let year = i64::from(born.year?).checked_add(age)?;
        born.kept_in(i16::try_from(year).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birthday_of_29_february_is_kept_on_28_february_in_common_years() {
        let day = |text: &str| Day::parse(text).unwrap();
        let leapling = Birthday::parse("2000-02-29").unwrap();
        for (today, is_on, age) in [
            ("2017-02-27", false, 16),
            ("2017-02-28", true, 17),
            ("2017-03-01", false, 17),
            ("2020-02-28", false, 19),
            ("2020-02-29", true, 20),
        ] {
            assert_eq!((leapling.is_on(day(today)), leapling.age(day(today))), (is_on, Some(age)), "{today}");
        }
        assert_eq!(leapling.next_after(day("2020-02-28")), Some(day("2020-02-29")));
        assert_eq!(leapling.next_after(day("2020-02-29")), Some(day("2021-02-28")));
        for (today, to, since) in
            [("2017-02-25", 3, 362), ("2017-02-28", 0, 0), ("2017-03-03", 362, 3), ("2020-03-03", 362, 3)]
        {
            let days = (leapling.days_to(day(today)), leapling.days_since(day(today)));
            assert_eq!(days, (Some(to), Some(since)), "{today}");
        }
        assert_eq!(leapling.day_of_age(18), Some(day("2018-02-28")));
        assert_eq!(leapling.age(day("2000-02-28")), None);
    }

    #[test]
    fn a_birthday_may_lack_its_year_and_must_be_a_day() {
        for text in ["05-23", "--05-23"] {
            let born = Born { year: None, month: 5, day: 23 };
            assert_eq!(Birthday::parse(text), Some(Birthday { born: Some(born), lunar: None }), "{text}");
        }
        for text in ["", "5-23", "13-01", "02-30", "2017-02-29", "+5-23", "05/23", "é-0é", "2017-1é-1"] {
            assert_eq!(Birthday::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_lunar_birthday_is_kept_by_the_moon_and_counts_years_by_the_sun() {
        let day = |text: &str| Day::parse(text).unwrap();
        let mid_autumn = Birthday::parse("lunar:1990-08-15").unwrap();
        // Born on 3 October 1990.
        for (today, is_on, age, to, since) in [
            ("2020-09-30", false, 29, 1, 383),
            ("2020-10-01", true, 29, 0, 0),
            ("2020-10-03", false, 30, 353, 2),
            ("2021-09-21", true, 30, 0, 0),
        ] {
            let today = day(today);
            let says = (mid_autumn.is_on(today), mid_autumn.age(today), mid_autumn.days_to(today));
            assert_eq!(says, (is_on, Some(age), Some(to)), "{today}");
            assert_eq!(mid_autumn.days_since(today), Some(since), "{today}");
        }
        assert_eq!(mid_autumn.day_of_age(18), Some(day("2008-10-03")));
        assert_eq!(mid_autumn.older_after(day("2020-10-01")), Some(day("2020-10-03")));
        // Of the last month: in some years of the common calendar it is kept twice, in others never.
        let late = Birthday::parse("lunar:12-08").unwrap();
        assert_eq!((late.year(), late.age(day("2020-01-02")), late.lunar()), (None, None, Some(12 * 32 + 8)));
        let kept = |year: &str| {
            let (first, last) = (day(&format!("{year}-01-01")), day(&format!("{year}-12-31")));
            (first.0..=last.0).filter(|today| late.is_on(Day(*today))).count()
        };
        assert_eq!((kept("2019"), kept("2020"), kept("2021"), kept("2022")), (1, 1, 1, 2));
        assert_eq!(
            (late.next_after(day("2022-01-10")), late.next_after(day("2022-12-30"))),
            (Some(day("2022-12-30")), Some(day("2024-01-18")))
        );
        assert_eq!(late.days_since(day("2024-01-17")), Some(day("2024-01-17").0 - day("2022-12-30").0));
        // Beyond what is known nothing is kept.
        assert_eq!((late.is_on(day("2150-01-01")), late.next_after(day("2150-01-01"))), (false, None));
        assert_eq!(Birthday::parse("lunar:13-08"), None);
    }
}
