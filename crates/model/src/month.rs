//! Calendar months, as books are kept by them.

use std::fmt;

use jiff::civil::Date;

use crate::time::{Day, Ts, Zone};

/// A month of the calendar, such as 2017-03.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month of a day.
    pub fn of(day: Day) -> Self {
        let date = day.date();
        Self { year: date.year(), month: date.month() }
    }

    /// Parses `YYYY-MM`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) =
            text.split_once('-').filter(|(year, month)| (year.len(), month.len()) == (4, 2))?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(year) || !digits(month) {
            return None;
        }
        Self::new(year.parse().ok()?, month.parse().ok()?)
    }

    fn new(year: i16, month: i8) -> Option<Self> {
        ((1..=9998).contains(&year) && (1..=12).contains(&month)).then_some(Self { year, month })
    }

    /// Its number as stored: 201703 for 2017-03.
    pub fn code(self) -> i32 {
        i32::from(self.year) * 100 + i32::from(self.month)
    }

    /// The month of a stored number.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::new(i16::try_from(code.div_euclid(100)).ok()?, i8::try_from(code.rem_euclid(100)).ok()?)
    }

    /// The month after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year.saturating_add(1), month: 1 },
            month => Self { month: month + 1, ..self },
        }
    }

    /// The month before it.
    #[must_use]
    pub fn previous(self) -> Self {
        match self.month {
            1 => Self { year: self.year.saturating_sub(1), month: 12 },
            month => Self { month: month - 1, ..self },
        }
    }

    /// Its first day.
    pub fn first_day(self) -> Day {
        Day::from_date(Date::new(self.year, self.month, 1).unwrap_or(Date::MAX))
    }

    /// Its first instant in a zone: 00:00 of its first day.
    pub fn start(self, zone: &Zone) -> Ts {
        zone.start(self.first_day())
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_as_they_are_written() {
        for text in ["2017-03", "0001-01", "9998-12"] {
            let month = Month::parse(text).unwrap();
            assert_eq!(month.to_string(), text);
            assert_eq!(Month::from_code(month.code()), Some(month));
            assert_eq!(month.next().previous(), month);
        }
        for text in [
            "",
            "2017",
            "2017-3",
            "2017-13",
            "2017-00",
            "17-03",
            "2017-03-01",
            "+017-03",
            "0000-01",
            "9999-01",
        ] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_month_begins_in_the_brands_zone() {
        let shanghai = Zone::named("Asia/Shanghai").unwrap();
        let march = Month::parse("2017-03").unwrap();
        assert_eq!(march.start(&shanghai).rfc3339(), "2017-02-28T16:00:00Z");
        assert_eq!(Month::of(shanghai.day(march.start(&shanghai))), march);
        assert_eq!(Month::of(shanghai.day(march.start(&shanghai).plus_us(-1))), march.previous());
        assert_eq!(Month::parse("2017-12").unwrap().next().to_string(), "2018-01");
    }
}
