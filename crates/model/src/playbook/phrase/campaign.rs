//! Phrases of campaigns.

use super::{Words, Wrong};
use crate::playbook::campaign::{Again, Cap, CapWithin, Goal, PASSED, Passed, SendAt, Trigger, Wait};
use crate::playbook::reader::short;

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// The longest that anything waits, in days.
const DAYS_MAX: u16 = 366;
/// The longest sliding cap: sends are remembered for so long.
const CAP_HOURS_MAX: u32 = 31 * 24;
/// As how many sends a slot's prior counts at most: what a member does must be able to outweigh it.
const HOUR_OF_MAX: i64 = 100;
/// The longest event name.
const EVENT_CHARS_MAX: usize = 255;

const fn index(i: usize) -> u8 {
    i as u8
}

impl<'a> Words<'a> {
    /// `10:00`.
    fn minute(&mut self) -> Result<u16, Wrong> {
        let (column, word) = self.take("a time such as `10:00`")?;
        match minute(word) {
            Some(minute) => Ok(minute),
            None => self.wrong(column, format!("expected a time such as `10:00`, found `{}`", short(word))),
        }
    }

    /// What is left, as it is written.
    fn rest(&mut self) -> Vec<(usize, &'a str)> {
        let rest = self.words[self.next.min(self.words.len())..].to_vec();
        self.next = self.words.len();
        rest
    }

    /// `3d`, `2h`, `15m`, in minutes.
    fn minutes(&mut self) -> Result<u32, Wrong> {
        let (column, word) = self.take("a time such as `3d` or `2h`")?;
        match minutes(word) {
            Some(minutes) if (1..=u32::from(DAYS_MAX) * 1440).contains(&minutes) => Ok(minutes),
            _ => self
                .wrong(column, format!("expected 15m, 2h or 3d, up to {DAYS_MAX}d, found `{}`", short(word))),
        }
    }
}

fn minute(word: &str) -> Option<u16> {
    let part = |text: &str, below: u16| {
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|n: &u16| plain && *n < below)
    };
    let (hour, minute) = word.split_once(':')?;
    Some(part(hour, 24)? * 60 + part(minute, 60)?)
}

fn minutes(word: &str) -> Option<u32> {
    let each = [('d', 1440), ('h', 60), ('m', 1)];
    let (digits, each) = each.iter().find_map(|(unit, n)| Some((word.strip_suffix(*unit)?, *n)))?;
    let plain = !digits.is_empty() && digits.len() <= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse::<u32>().ok().filter(|_| plain)?.checked_mul(each)
}

/// What sets a campaign off.
pub(in crate::playbook) fn trigger(text: &str) -> Result<Trigger, Wrong> {
    let allowed = "event NAME, enters AUDIENCE, leaves AUDIENCE, every wed at 10:00 in AUDIENCE, \
                   3d before ATTRIBUTE at 10:00, on ATTRIBUTE at 10:00, command";
    let mut words = Words::of(text, allowed);
    let first = words.words.first().map_or("", |(_, word)| *word);
    let is_days = first.starts_with(|c: char| c.is_ascii_digit());
    let trigger = if is_days {
        let days = i16::try_from(words.days(1, DAYS_MAX)?).unwrap_or(1);
        let days = if words.choice(&["before", "after"])? == 0 { -days } else { days };
        date(&mut words, days)?
    } else {
        match words.choice(&["event", "enters", "leaves", "every", "on", "command"])? {
            0 => {
                let rest = words.rest();
                let name = event(&words, &rest)?;
                return Ok(Trigger::Event(name));
            }
            1 => Trigger::Enters(words.take("an audience")?.1.to_owned()),
            2 => Trigger::Leaves(words.take("an audience")?.1.to_owned()),
            3 => {
                let choices = ["day", "mon", "tue", "wed", "thu", "fri", "sat", "sun"];
                let weekday = words.choice(&choices)?.checked_sub(1).map(index);
                words.word("at")?;
                let minute = words.minute()?;
                words.word("in")?;
                let audience = words.take("a standing audience")?.1.to_owned();
                Trigger::Every { weekday, minute, audience }
            }
            4 => date(&mut words, 0)?,
            _ => Trigger::Command,
        }
    };
    words.end().map(|()| trigger)
}

fn date(words: &mut Words<'_>, days: i16) -> Result<Trigger, Wrong> {
    let attribute = words.take("an attribute that is a date")?.1.to_owned();
    words.word("at")?;
    Ok(Trigger::Date { attribute, days, minute: words.minute()? })
}

fn event(words: &Words<'_>, rest: &[(usize, &str)]) -> Result<String, Wrong> {
    let name: Vec<&str> = rest.iter().map(|(_, word)| *word).collect();
    let name = name.join(" ");
    if name.is_empty() || name.chars().count() > EVENT_CHARS_MAX {
        let column = rest.first().map_or(words.end, |(column, _)| *column);
        return words.wrong(column, "expected the name of an event here".to_owned());
    }
    Ok(name)
}

/// `Order Completed within 15d`.
pub(in crate::playbook) fn goal(text: &str) -> Result<Goal, Wrong> {
    let mut words = Words::of(text, "an event and a time, such as Order Completed within 15d");
    let n = words.words.len();
    let name = words.words[..n.saturating_sub(2)].to_vec();
    let event = event(&words, &name)?;
    words.next = n.saturating_sub(2);
    words.word("within")?;
    let within_minutes = words.minutes()?;
    words.end().map(|()| Goal { event, within_minutes })
}

/// `once`, `after exit`, `after 30d`, `per order_id`, `at most 3`.
pub(in crate::playbook) fn again(text: &str) -> Result<Again, Wrong> {
    let mut words = Words::of(text, "once, after exit, after 30d, per PROPERTY, at most 3");
    let again = match words.choice(&["once", "after", "per", "at"])? {
        0 => Again::Once,
        1 => match words.words.get(1) {
            Some((_, "exit")) => {
                words.word("exit")?;
                Again::AfterExit
            }
            _ => Again::AfterDays(words.days(1, DAYS_MAX)?),
        },
        2 => Again::Per(words.take("a property of the event")?.1.to_owned()),
        _ => {
            words.word("most")?;
            Again::AtMost(u16::try_from(words.whole("a whole number", 1, 1000)?).unwrap_or(1))
        }
    };
    words.end().map(|()| again)
}

/// `3d`, `2h`, `until 10:00`, `until fri 18:00`.
pub(in crate::playbook) fn wait(text: &str) -> Result<Wait, Wrong> {
    let mut words = Words::of(text, "3d, 2h, 15m, until 10:00, until fri 18:00");
    let wait = match words.words.first() {
        Some((_, "until")) => {
            words.word("until")?;
            let weekday = match words.words.get(1) {
                Some((_, word)) if WEEKDAYS.contains(word) => Some(index(words.choice(&WEEKDAYS)?)),
                _ => None,
            };
            Wait::Until { weekday, minute: words.minute()? }
        }
        Some((_, word)) if word.ends_with('d') => Wait::Days(words.days(1, DAYS_MAX)?),
        _ => Wait::Minutes(words.minutes()?),
    };
    words.end().map(|()| wait)
}

/// `3d`, `2h`, in minutes.
pub(in crate::playbook) fn within(text: &str) -> Result<u32, Wrong> {
    let mut words = Words::of(text, "3d, 2h, 15m");
    let minutes = words.minutes()?;
    words.end().map(|()| minutes)
}

/// `10%`, in hundredths of a percent.
pub(in crate::playbook) fn share(text: &str) -> Result<u32, Wrong> {
    super::offer::percent(text)
        .map(|percent| percent.0)
        .map_err(|wrong| Wrong { allowed: "a share such as 10%, to two decimals", ..wrong })
}

/// `22:00-08:00`.
pub(in crate::playbook) fn quiet(text: &str) -> Result<(u16, u16), Wrong> {
    let words = Words::of(text, "from when to when, such as 22:00-08:00");
    match span(text.trim()) {
        Some(span) => Ok(span),
        _ => words.wrong(1, format!("expected a time such as `22:00-08:00`, found `{}`", short(text))),
    }
}

fn span(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-')?;
    Some((minute(from)?, minute(to)?)).filter(|(from, to)| from != to)
}

/// `best_hour`, `19:30-00:30`, `best_hour within 19:30-00:30`.
pub(in crate::playbook) fn send_at(text: &str) -> Result<SendAt, Wrong> {
    let mut words = Words::of(text, "best_hour, 19:30-00:30, best_hour within 19:30-00:30");
    let best_hour = words.words.first().is_some_and(|(_, word)| *word == "best_hour");
    if best_hour {
        words.word("best_hour")?;
        if words.words.len() == 1 {
            return Ok(SendAt { best_hour, within: None });
        }
        words.word("within")?;
    }
    let (column, word) = words.take("a time of day such as `19:30-00:30`, or `best_hour`")?;
    let Some(within) = span(word) else {
        let message =
            format!("expected `best_hour` or a time such as `19:30-00:30`, found `{}`", short(word));
        return words.wrong(column, message);
    };
    words.end().map(|()| SendAt { best_hour, within: Some(within) })
}

/// `20:00 30 of 100`: (slot, (seen, of so many)).
pub(in crate::playbook) fn hour(text: &str) -> Result<(u8, (u16, u16)), Wrong> {
    let mut words = Words::of(text, "an even hour and SEEN of SENT, such as 20:00 30 of 100, up to 100");
    let (column, at) = words.take("an even hour such as `20:00`")?;
    let slot =
        minute(at).filter(|minute| minute % 120 == 0).and_then(|minute| u8::try_from(minute / 120).ok());
    let Some(slot) = slot else {
        return words.wrong(column, format!("expected an even hour such as `20:00`, found `{}`", short(at)));
    };
    let seen = words.whole("a whole number", 0, HOUR_OF_MAX)?;
    words.word("of")?;
    let of = words.whole("a whole number", 1, HOUR_OF_MAX)?;
    words.end()?;
    if seen > of {
        return words.wrong(column, format!("{seen} of {of} cannot have been seen"));
    }
    let count = |n: i64| u16::try_from(n).unwrap_or(0);
    Ok((slot, (count(seen), count(of))))
}

/// A text, or `{{ tier }}`.
pub(in crate::playbook) fn passed(text: &str) -> Result<Passed, Wrong> {
    let words = Words::of(
        text,
        "a text, or one of {{ tier }}, {{ points }}, {{ store }}, {{ key }}, {{ coupon.offer }}, {{ coupon.until }}",
    );
    let inside = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).map(str::trim);
    match inside {
        Some(name) if PASSED.contains(&name) => Ok(Passed::Of(name.to_owned())),
        Some(name) => {
            words.wrong(1, format!("`{}` is not passed on: only codes and numbers are", short(name)))
        }
        None if text.contains("{{") || text.contains("{%") => {
            words.wrong(1, "a variable stands alone here: what is passed on is no template".to_owned())
        }
        None if text.is_empty() || text.chars().count() > 255 || text.chars().any(char::is_control) => {
            words.wrong(1, "expected 1 to 255 characters on one line".to_owned())
        }
        None => Ok(Passed::Text(text.to_owned())),
    }
}

/// `2 per member per 7d`, `1 inbox per member per day`.
pub(in crate::playbook) fn cap(text: &str) -> Result<Cap, Wrong> {
    let mut words = Words::of(
        text,
        "NUMBER per member per day, week, month or 7d; NUMBER CHANNEL or PURPOSE per member per …",
    );
    let times = u16::try_from(words.whole("a whole number", 1, 100)?).unwrap_or(1);
    let of = match words.words.get(1) {
        Some((_, word)) if *word != "per" => Some(words.take("a channel or a purpose")?.1.to_owned()),
        _ => None,
    };
    for word in ["per", "member", "per"] {
        words.word(word)?;
    }
    let (column, word) = words.take("`day`, `week`, `month` or a time such as `7d`")?;
    let within = match word {
        "day" => CapWithin::Day,
        "week" => CapWithin::Week,
        "month" => CapWithin::Month,
        _ => match minutes(word).map(|minutes| minutes / 60) {
            Some(hours) if (1..=CAP_HOURS_MAX).contains(&hours) && !word.ends_with('m') => {
                CapWithin::Hours(u16::try_from(hours).unwrap_or(1))
            }
            _ => {
                let message = format!("expected day, week, month, or 1h to 31d, found `{}`", short(word));
                return words.wrong(column, message);
            }
        },
    };
    words.end().map(|()| Cap { times, of, within })
}

/// `10000 per day`.
pub(in crate::playbook) fn quota(text: &str) -> Result<u32, Wrong> {
    let mut words = Words::of(text, "NUMBER per day, such as 10000 per day");
    let n = words.whole("a whole number", 1, 1_000_000_000)?;
    words.word("per")?;
    words.word("day")?;
    words.end().map(|()| u32::try_from(n).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sets_a_campaign_off_is_read_as_it_is_said() {
        let date = |days| Trigger::Date { attribute: "birthday".to_owned(), days, minute: 600 };
        let every = |weekday| Trigger::Every { weekday, minute: 600, audience: "members".to_owned() };
        for (text, read) in [
            ("event Order Completed", Trigger::Event("Order Completed".to_owned())),
            ("enters gone_quiet", Trigger::Enters("gone_quiet".to_owned())),
            ("leaves gone_quiet", Trigger::Leaves("gone_quiet".to_owned())),
            ("every wed at 10:00 in members", every(Some(2))),
            ("every day at 10:00 in members", every(None)),
            ("3d before birthday at 10:00", date(-3)),
            ("2d after birthday at 10:00", date(2)),
            ("on birthday at 10:00", date(0)),
            ("command", Trigger::Command),
        ] {
            assert_eq!(trigger(text), Ok(read), "{text}");
        }
        for text in [
            "",
            "event",
            "enters",
            "every wednesday at 10:00 in x",
            "every wed at 25:00 in x",
            "3 before birthday at 10:00",
            "command now",
        ] {
            assert!(trigger(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_goals_caps_and_repetitions_are_read() {
        assert_eq!(wait("3d"), Ok(Wait::Days(3)));
        assert_eq!(wait("2h"), Ok(Wait::Minutes(120)));
        assert_eq!(wait("until 10:00"), Ok(Wait::Until { weekday: None, minute: 600 }));
        assert_eq!(wait("until fri 18:30"), Ok(Wait::Until { weekday: Some(4), minute: 1110 }));
        assert_eq!(
            goal("Order Completed within 15d"),
            Ok(Goal { event: "Order Completed".to_owned(), within_minutes: 21_600 })
        );
        for (text, read) in [
            ("once", Again::Once),
            ("after exit", Again::AfterExit),
            ("after 30d", Again::AfterDays(30)),
            ("per order_id", Again::Per("order_id".to_owned())),
            ("at most 3", Again::AtMost(3)),
        ] {
            assert_eq!(again(text), Ok(read), "{text}");
        }
        assert_eq!(cap("2 per member per 7d"), Ok(Cap { times: 2, of: None, within: CapWithin::Hours(168) }));
        assert_eq!(
            cap("1 inbox per member per day"),
            Ok(Cap { times: 1, of: Some("inbox".to_owned()), within: CapWithin::Day })
        );
        assert_eq!(quiet("22:00-08:00"), Ok((1320, 480)));
        assert_eq!(quota("100 per day"), Ok(100));
        let at = |best_hour, within| Ok(SendAt { best_hour, within });
        assert_eq!(send_at("best_hour"), at(true, None));
        assert_eq!(send_at("19:30-00:30"), at(false, Some((1170, 30))));
        assert_eq!(send_at("best_hour within 19:30-00:30"), at(true, Some((1170, 30))));
        assert_eq!(hour("20:00 30 of 100"), Ok((10, (30, 100))));
        assert_eq!(hour("00:00 0 of 1"), Ok((0, (0, 1))));
        assert_eq!(passed("mug"), Ok(Passed::Text("mug".to_owned())));
        assert_eq!(passed("{{tier}}"), Ok(Passed::Of("tier".to_owned())));
        for wrong in ["", "noon", "best_hour within", "best_hour 10:00-12:00", "10:00-10:00", "10:00-12:00 x"]
        {
            assert!(send_at(wrong).is_err(), "{wrong}");
        }
        for wrong in ["21:00 1 of 2", "20:30 1 of 2", "20:00 3 of 2", "20:00 1 of 101", "20:00 1", "1 of 2"] {
            assert!(hour(wrong).is_err(), "{wrong}");
        }
        for wrong in ["{{ member.name }}", "a {{ tier }}", "{% if tier %}", ""] {
            assert!(passed(wrong).is_err(), "{wrong}");
        }
        assert_eq!(share("2.5%"), Ok(250));
        for wrong in ["1", "2 per member per 40d", "0 per member per day", "1 per member per 5m"] {
            assert!(cap(wrong).is_err(), "{wrong}");
        }
        assert!(
            goal("within 15d").is_err() && goal("Order Completed").is_err() && wait("until noon").is_err()
        );
    }
}
