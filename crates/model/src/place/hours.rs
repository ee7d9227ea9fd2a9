//! When a store is open: spans of the wall clock by weekday, in a few words of OpenStreetMap's `opening_hours`:
//! `Mo-Fr 09:00-12:00,14:00-22:00; Sa,Su 10:00-02:00`, or `24/7`. A span that ends at or before its begin runs over midnight.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::Refusal;
use crate::time::{Day, Ts, Zone};

/// Minutes of a day.
pub const MINUTES_OF_DAY: u16 = 24 * 60;
/// The most spans of a day.
const SPANS_MAX: usize = 6;
/// The most characters of hours as they are written.
const TEXT_CHARS_MAX: usize = 500;
const MINUTE_US: i64 = 60 * 1_000_000;
const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

/// Minutes from the midnight at which a day begins: open from the first on, until the second; beyond 24:00 it is the next day.
type Span = (u16, u16);

/// Spans of each weekday, Monday first, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    days: [Vec<Span>; 7],
}

/// The day and the minute that the clock on the wall shows.
pub fn wall_clock(zone: &Zone, at: Ts) -> (Day, u16) {
    let minute = zone.time_of_day_us(at).div_euclid(MINUTE_US);
    (zone.day(at), u16::try_from(minute).unwrap_or(0))
}

/// The weekday of a day, Monday 0. (1970-01-01 was a Thursday.)
fn weekday(day: Day) -> usize {
    usize::try_from((i64::from(day.0) + 3).rem_euclid(7)).unwrap_or(0)
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new("bad_hours", "hours", message)
}

fn read_days(text: &str) -> Result<Vec<usize>, Refusal> {
    let one = |text: &str| {
        let found = DAYS.iter().position(|day| *day == text);
        found.ok_or_else(|| bad(format!("{text:?} is no day: Mo, Tu, We, Th, Fr, Sa, Su")))
    };
    let mut days = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            None => days.push(one(part)?),
            Some((first, last)) => {
                let (first, last) = (one(first)?, one(last)?);
                // Sa-Mo goes over the end of the week.
                let n = (last + 7 - first) % 7;
                days.extend((0..=n).map(|i| (first + i) % 7));
            }
        }
    }
    Ok(days)
}

fn read_minute(text: &str) -> Result<u16, Refusal> {
    let wrong = || bad(format!("{text:?} is no time of day: HH:MM, 00:00 to 24:00"));
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse::<u16>().ok() } else { None }
    };
    let (hour, minute) = (two(hour).ok_or_else(wrong)?, two(minute).ok_or_else(wrong)?);
    let of_day = hour * 60 + minute;
    if minute < 60 && of_day <= MINUTES_OF_DAY { Ok(of_day) } else { Err(wrong()) }
}

fn read_span(text: &str) -> Result<Span, Refusal> {
    let (opens, closes) =
        text.split_once('-').ok_or_else(|| bad(format!("{text:?} is no span of time: HH:MM-HH:MM")))?;
    let (opens, closes) = (read_minute(opens)?, read_minute(closes)?);
    if opens == MINUTES_OF_DAY {
        return Err(bad(format!("{text:?} begins at 24:00: that is 00:00 of the next day")));
    }
    Ok((opens, if closes <= opens { closes + MINUTES_OF_DAY } else { closes }))
}

impl Hours {
    /// Reads hours as they are written. A day that is not named is a day off.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        if text.chars().count() > TEXT_CHARS_MAX {
            return Err(bad(format!("hours have at most {TEXT_CHARS_MAX} characters")));
        }
        let mut hours = Self::default();
        if text.trim() == "24/7" {
            hours.days = std::array::from_fn(|_| vec![(0, MINUTES_OF_DAY)]);
            return Ok(hours);
        }
        let mut named = [false; 7];
        for rule in text.split(';').map(str::trim).filter(|rule| !rule.is_empty()) {
            let (days, spans) = rule
                .split_once(' ')
                .ok_or_else(|| bad(format!("{rule:?}: days, a space, then times or off")))?;
            let mut read = Vec::new();
            if spans.trim() != "off" {
                for span in spans.split(',').map(str::trim) {
                    read.push(read_span(span)?);
                }
            }
            if read.len() > SPANS_MAX {
                return Err(bad(format!("a day has at most {SPANS_MAX} spans of time")));
            }
            read.sort_unstable();
            for day in read_days(days)? {
                if std::mem::replace(&mut named[day], true) {
                    return Err(bad(format!("{} is named twice", DAYS[day])));
                }
                hours.days[day].clone_from(&read);
            }
        }
        if named == [false; 7] {
            return Err(bad("no day is named"));
        }
        hours.overlaps().map_or(Ok(hours.clone()), Err)
    }

    /// Two spans at the same time, also where one runs into the next day.
    fn overlaps(&self) -> Option<Refusal> {
        let of_week = 7 * u32::from(MINUTES_OF_DAY);
        let mut spans: Vec<(u32, u32, usize)> = Vec::new();
        for (day, begins) in self.days.iter().zip((0u32..).step_by(usize::from(MINUTES_OF_DAY))) {
            let of_day = usize::try_from(begins / u32::from(MINUTES_OF_DAY)).unwrap_or(0);
            spans.extend(
                day.iter().map(|(from, to)| (begins + u32::from(*from), begins + u32::from(*to), of_day)),
            );
        }
        // Sunday night runs into the first of the week.
        let first = spans.first().copied();
        spans.extend(first.map(|(from, to, day)| (from + of_week, to + of_week, day)));
        let overlap = spans.windows(2).find(|pair| pair[1].0 < pair[0].1)?;
        let message = format!("two spans of {} and {} overlap", DAYS[overlap[0].2], DAYS[overlap[1].2]);
        Some(Refusal::new("hours_overlap", "hours", message))
    }

    /// Whether it is these hours at an instant, on the clock of a zone.
    pub fn hold(&self, zone: &Zone, at: Ts) -> bool {
        let (today, minute) = wall_clock(zone, at);
        self.open(today, minute) || self.open(today.plus(-1), minute + MINUTES_OF_DAY)
    }

    /// Whether a span that began on a day holds so many minutes after its midnight.
    pub(super) fn open(&self, day: Day, minute: u16) -> bool {
        self.days[weekday(day)].iter().any(|(from, to)| (*from..*to).contains(&minute))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days.iter().all(|spans| *spans == [(0, MINUTES_OF_DAY)]) {
            return f.write_str("24/7");
        }
        let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let ends = |to: u16| if to > MINUTES_OF_DAY { time(to - MINUTES_OF_DAY) } else { time(to) };
        let mut rules = Vec::new();
        let mut first = 0;
        while first < 7 {
            let spans = &self.days[first];
            let same = self.days[first..].iter().take_while(|day| *day == spans).count();
            let days = if same == 1 {
                DAYS[first].to_owned()
            } else {
                format!("{}-{}", DAYS[first], DAYS[first + same - 1])
            };
            let spans: Vec<String> =
                spans.iter().map(|(from, to)| format!("{}-{}", time(*from), ends(*to))).collect();
            let off = "off".to_owned();
            rules.push(format!("{days} {}", if spans.is_empty() { off } else { spans.join(",") }));
            first += same;
        }
        f.write_str(&rules.join("; "))
    }
}

impl TryFrom<String> for Hours {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::read(&text).map_err(|refusal| refusal.message)
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_written_in_one_way() {
        for (text, expected) in [
            ("24/7", "24/7"),
            ("Mo-Su 00:00-24:00", "24/7"),
            ("Mo-Fr 09:00-22:00", "Mo-Fr 09:00-22:00; Sa-Su off"),
            (
                "Sa,Su 10:00-23:00;Mo-Fr 14:00-22:00, 09:00-12:00",
                "Mo-Fr 09:00-12:00,14:00-22:00; Sa-Su 10:00-23:00",
            ),
            ("Fr-Mo 18:00-02:00", "Mo 18:00-02:00; Tu-Th off; Fr-Su 18:00-02:00"),
            ("Mo 20:00-24:00; Tu off", "Mo 20:00-24:00; Tu-Su off"),
            ("Mo 06:00-06:00", "Mo 06:00-06:00; Tu-Su off"),
        ] {
            let hours = Hours::read(text).unwrap();
            assert_eq!(hours.to_string(), expected, "{text}");
            assert_eq!(Hours::read(expected).unwrap(), hours, "{expected}");
        }
    }

    #[test]
    fn hours_that_make_no_sense_are_refused_by_name() {
        for (text, code) in [
            ("", "bad_hours"),
            ("Mo-Fr", "bad_hours"),
            ("Xy 09:00-10:00", "bad_hours"),
            ("Mo 9:00-10:00", "bad_hours"),
            ("Mo 09:00-24:01", "bad_hours"),
            ("Mo 09:60-10:00", "bad_hours"),
            ("Mo 24:00-01:00", "bad_hours"),
            ("Mo 09:00", "bad_hours"),
            ("Mo 09:00-10:00; Mo 11:00-12:00", "bad_hours"),
            ("Mo 09:00-12:00,11:00-13:00", "hours_overlap"),
            ("Mo 22:00-03:00; Tu 02:00-04:00", "hours_overlap"),
            ("Su 22:00-03:00; Mo 02:00-04:00", "hours_overlap"),
            (&"Mo 09:00-10:00;".repeat(99), "bad_hours"),
        ] {
            let refusal = Hours::read(text).unwrap_err();
            assert_eq!(
                (refusal.code, refusal.field.as_str()),
                (code, "hours"),
                "{text}: {}",
                refusal.message
            );
        }
    }
}
