//! Birthdays and ages. A birthday of 29 February is kept on 28 February in common years.

use jiff::civil::Date;
use zhiyin_model::time::{Day, Ts, Zone};

/// A birthday as an attribute writes it: `YYYY-MM-DD`, `MM-DD` or `--MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birthday {
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

impl Birthday {
    /// Reads a birthday; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
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

    /// The year of birth, if it is known.
    pub const fn year(self) -> Option<i16> {
        self.year
    }

    /// The month, 1 to 12.
    pub const fn month(self) -> i8 {
        self.month
    }

    /// The day of the month as it was written, 29 February too.
    pub const fn day_of_month(self) -> i8 {
        self.day
    }

    /// The day it is kept in a year; none outside of the calendar.
    fn kept_in(self, year: i16) -> Option<Day> {
        let first = Date::new(year, self.month, 1).ok()?;
        let date = Date::new(year, self.month, self.day.min(first.days_in_month())).ok()?;
        Some(Day::from_date(date))
    }

    /// Whether it is kept on a day.
    pub(crate) fn is_on(self, today: Day) -> bool {
        self.kept_in(today.date().year()) == Some(today)
    }

    /// The next day it is kept on, after a day.
    pub(crate) fn next_after(self, today: Day) -> Option<Day> {
        let year = today.date().year();
        self.kept_in(year).filter(|day| *day > today).or_else(|| self.kept_in(year + 1))
    }

    /// Days from a day to the next one it is kept on; 0 on the day.
    pub(crate) fn days_to(self, today: Day) -> Option<i32> {
        self.next_after(today.plus(-1)).map(|day| day.0 - today.0)
    }

    /// Days from the last one it was kept on to a day; 0 on the day.
    pub(crate) fn days_since(self, today: Day) -> Option<i32> {
        let year = today.date().year();
        let last = self.kept_in(year).filter(|day| *day <= today).or_else(|| self.kept_in(year - 1));
        last.map(|day| today.0 - day.0)
    }

    /// Whole years at a day; `None` without a year of birth, or before birth.
    pub(crate) fn age(self, today: Day) -> Option<i64> {
        let year = today.date().year();
        let not_yet = today < self.kept_in(year)?;
        let years = i64::from(year) - i64::from(self.year?) - i64::from(not_yet);
        (years >= 0).then_some(years)
    }

    /// The day an age is reached.
    pub(crate) fn day_of_age(self, age: i64) -> Option<Day> {
        let year = i64::from(self.year?).checked_add(age)?;
        self.kept_in(i16::try_from(year).ok()?)
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
            assert_eq!(Birthday::parse(text), Some(Birthday { year: None, month: 5, day: 23 }), "{text}");
        }
        for text in ["", "5-23", "13-01", "02-30", "2017-02-29", "+5-23", "05/23", "é-0é", "2017-1é-1"] {
            assert_eq!(Birthday::parse(text), None, "{text}");
        }
    }
}
