//! What the platform allows, as dated configuration: each rule has a subject, a number, a window, the day from which it holds and where
//! that is written. Rules change; the file beside this one (`limits.json`) holds what was known, and a brand's settings may say otherwise
//! for the days from which they know better.
//!
//! Days are those of China (UTC+8), as the platform counts them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Deserialize;

/// What was known when this was built.
const KNOWN: &str = include_str!("limits.json");
/// The most rules that settings may add.
pub const RULES_MAX: usize = 200;

/// For what span a number holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// One call.
    Call,
    /// One page of a list.
    Page,
    /// At one time.
    AtOnce,
    /// A minute of the clock.
    Minute,
    /// An hour of the clock.
    Hour,
    /// A day.
    Day,
    /// Ninety days.
    #[serde(rename = "90_days")]
    NinetyDays,
    /// A month.
    Month,
    /// All that there are.
    Total,
    /// Each by itself: the number is a duration, with its unit in the subject.
    Each,
}

impl Window {
    /// The one of a name, as it is written in settings.
    pub fn named(name: &str) -> Option<Self> {
        Self::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(name)).ok()
    }

    /// Which window of its kind an instant (seconds since 1970 UTC) falls into, counted; days and months are those of China. Nothing of
    /// those that follow no clock.
    pub fn nth(self, at: i64) -> Option<i64> {
        let day = || {
            let of = day_of(at.saturating_mul(1_000));
            (i64::from(of.year()), i64::from(of.month()), of)
        };
        match self {
            Self::Minute => Some(at.div_euclid(60)),
            Self::Hour => Some(at.div_euclid(3_600)),
            Self::Day => {
                let (.., of) = day();
                let since = Date::constant(1970, 1, 1).duration_until(of);
                Some(since.as_secs().div_euclid(86_400))
            }
            Self::Month => {
                let (year, month, _) = day();
                Some(year * 12 + month - 1)
            }
            _ => None,
        }
    }
}

/// How many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// So many.
    Fixed(u64),
    /// As a word says.
    Named(Named),
}

/// A number that depends on the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    /// As many as the month has days.
    DaysInMonth,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it is of, as `mass_send.per_customer`.
    pub subject: String,
    /// How many.
    pub number: Number,
    /// In which span.
    pub window: Window,
    /// From which day on; always, where there is none.
    #[serde(default)]
    pub from: Option<Date>,
    /// Where it is written.
    pub source: String,
}

/// The rules that hold, by day.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Of each subject and window, the latest last; of one day what the settings say comes last.
    rules: BTreeMap<(String, Window), Vec<Rule>>,
}

/// Rules of the settings that say nothing about anything known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limits[{index}].{field}: {message}")]
pub struct RuleProblem {
    /// Which of them.
    pub index: usize,
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong, in words.
    pub message: &'static str,
}

/// The day of an instant (milliseconds since 1970 UTC) in China.
pub fn day_of(now_ms: i64) -> Date {
    let at = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    Offset::constant(8).to_datetime(at).date()
}

impl Default for Limits {
    fn default() -> Self {
        Self::known()
    }
}

impl Limits {
    /// What was known when this was built.
    pub fn known() -> Self {
        static READ: OnceLock<Limits> = OnceLock::new();
        let read = || {
            let rules: Vec<Rule> =
                serde_json::from_str(KNOWN).expect("a test reads the file that is built in");
            let mut limits = Self { rules: BTreeMap::new() };
            rules.into_iter().for_each(|rule| limits.add(rule));
            limits
        };
        READ.get_or_init(read).clone()
    }

    /// The same where a brand knows better.
    pub fn with(mut self, own: Vec<Rule>) -> Result<Self, RuleProblem> {
        for (index, rule) in own.into_iter().enumerate() {
            let wrong = |field, message| RuleProblem { index, field, message };
            if index >= RULES_MAX {
                return Err(wrong("subject", "there are too many of them"));
            }
            // A bound of one call may be set for any: `calls.at_once.PATH`.
            let is_known = self.rules.keys().any(|(subject, _)| *subject == rule.subject);
            let is_gate = rule.subject.strip_prefix("calls.at_once.").is_some_and(super::apis::is_path);
            if !is_known && !is_gate {
                return Err(wrong("subject", "no such subject"));
            }
            if is_known && !self.rules.contains_key(&(rule.subject.clone(), rule.window)) {
                return Err(wrong("window", "this subject has no such window"));
            }
            if is_gate && rule.window != Window::AtOnce {
                return Err(wrong("window", "at_once"));
            }
            if rule.number == Number::Fixed(0) {
                return Err(wrong("number", "at least 1"));
            }
            if rule.source.trim().is_empty() {
                return Err(wrong("source", "where is this from?"));
            }
            self.add(rule);
        }
        Ok(self)
    }

    fn add(&mut self, rule: Rule) {
        let rules = self.rules.entry((rule.subject.clone(), rule.window)).or_default();
        let place = rules.partition_point(|other| other.from <= rule.from);
        rules.insert(place, rule);
    }

    /// The rule that holds on a day.
    pub fn rule(&self, subject: &str, window: Window, day: Date) -> Option<&Rule> {
        let rules = self.rules.get(&(subject.to_owned(), window))?;
        rules.iter().rev().find(|rule| rule.from.is_none_or(|from| from <= day))
    }

    /// How many there may be on a day; `None` where nothing is known.
    pub fn number(&self, subject: &str, window: Window, day: Date) -> Option<u64> {
        Some(match self.rule(subject, window, day)?.number {
            Number::Fixed(number) => number,
            Number::Named(Named::DaysInMonth) => u64::from(day.days_in_month().unsigned_abs()),
        })
    }

    /// Every rule, by subject.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_file_reads_and_each_rule_says_where_it_is_from() {
        let limits = Limits::known();
        assert!(limits.rules().count() > 80);
        assert!(limits.rules().all(|rule| !rule.source.is_empty()));
    }

    #[test]
    fn a_rule_holds_from_its_day_on() {
        let limits = Limits::known();
        let sends = |day| limits.number("mass_send.per_customer", Window::Month, day);
        assert_eq!(sends(date(2025, 11, 16)), Some(4));
        assert_eq!(sends(date(2025, 11, 17)), Some(30));
        assert_eq!(sends(date(2026, 2, 1)), Some(28));
        assert_eq!(sends(date(2028, 2, 29)), Some(29));
        assert_eq!(limits.number("contacts.free", Window::Total, date(2025, 8, 31)), None);
        assert_eq!(limits.number("nonsense", Window::Call, date(2026, 1, 1)), None);
        let unionids = [Window::Hour, Window::Day, Window::Month];
        let unionids = unionids.map(|window| limits.number("unionid.converted", window, date(2026, 1, 1)));
        assert_eq!(unionids, [Some(100_000), Some(480_000), Some(7_500_000)]);
    }

    #[test]
    fn settings_know_better_from_the_day_they_say() {
        let rule = |subject: &str, number, window, from| Rule {
            subject: subject.to_owned(),
            number: Number::Fixed(number),
            window,
            from,
            source: "a letter".to_owned(),
        };
        let own = vec![
            rule("ways.chats", 10, Window::Call, Some(date(2027, 1, 1))),
            rule("calls.at_once", 8, Window::AtOnce, None),
            rule("calls.at_once.externalcontact/remark", 2, Window::AtOnce, None),
        ];
        let limits = Limits::known().with(own).unwrap();
        let chats = |day| limits.number("ways.chats", Window::Call, day);
        assert_eq!((chats(date(2026, 12, 31)), chats(date(2027, 1, 1))), (Some(5), Some(10)));
        assert_eq!(limits.number("calls.at_once", Window::AtOnce, date(2020, 1, 1)), Some(8));
        for (wrong, field) in [
            (rule("nonsense", 1, Window::Call, None), "subject"),
            (rule("calls.at_once.nonsense", 1, Window::AtOnce, None), "subject"),
            (rule("ways.chats", 1, Window::Month, None), "window"),
            (rule("calls.at_once.externalcontact/remark", 1, Window::Day, None), "window"),
            (rule("ways.chats", 0, Window::Call, None), "number"),
            (Rule { source: " ".to_owned(), ..rule("ways.chats", 1, Window::Call, None) }, "source"),
        ] {
            assert_eq!(
                Limits::known().with(vec![wrong]).map(drop).map_err(|problem| problem.field),
                Err(field)
            );
        }
    }

    #[test]
    fn windows_follow_the_clock_of_china() {
        let (midnight, month) = (16 * 3_600, 31 * 86_400 - 8 * 3_600);
        for (window, before, after) in [
            (Window::Minute, 59, 60),
            (Window::Hour, 3_599, 3_600),
            (Window::Day, midnight - 1, midnight),
            (Window::Month, month - 1, month),
        ] {
            let (one, next) = (window.nth(before).unwrap(), window.nth(after).unwrap());
            assert_eq!(next - one, 1, "{window:?}");
        }
        assert_eq!(Window::Day.nth(0), Some(0));
        assert_eq!(Window::Call.nth(0), None);
    }

    #[test]
    fn days_are_those_of_china() {
        assert_eq!(day_of(0), date(1970, 1, 1));
        assert_eq!(day_of(16 * 3_600_000 - 1), date(1970, 1, 1));
        assert_eq!(day_of(16 * 3_600_000), date(1970, 1, 2));
    }
}
