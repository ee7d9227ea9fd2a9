//! Short phrases with units, read into types. An error points at the word.

pub(super) mod campaign;
pub(super) mod offer;

use super::nearest::nearest;
use super::reader::short;
use super::{Aim, Expiry, Ratio, Worth};
use crate::identifier::Window;
use crate::money::parse_decimal;
use crate::time::Day;

/// A word of a phrase that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The column of the word in the phrase, in characters, from 1.
    pub column: usize,
    pub message: String,
    pub allowed: &'static str,
}

/// The words of a phrase with their columns.
struct Words<'a> {
    words: Vec<(usize, &'a str)>,
    next: usize,
    end: usize,
    allowed: &'static str,
}

impl<'a> Words<'a> {
    fn of(text: &'a str, allowed: &'static str) -> Self {
        let mut words = Vec::new();
        let mut begun = None;
        let ended = std::iter::once((text.len(), ' '));
        for (column, (at, c)) in text.char_indices().chain(ended).enumerate() {
            match (c.is_whitespace(), begun) {
                (false, None) => begun = Some((column + 1, at)),
                (true, Some((first, from))) => {
                    words.push((first, &text[from..at]));
                    begun = None;
                }
                _ => {}
            }
        }
        Self { words, next: 0, end: text.trim_end().chars().count() + 1, allowed }
    }

    fn wrong<T>(&self, column: usize, message: String) -> Result<T, Wrong> {
        Err(Wrong { column, message, allowed: self.allowed })
    }

    fn take(&mut self, wanted: &str) -> Result<(usize, &'a str), Wrong> {
        let Some(word) = self.words.get(self.next).copied() else {
            return self.wrong(self.end, format!("expected {wanted} here, found the end"));
        };
        self.next += 1;
        Ok(word)
    }

    /// A word that must stand here.
    fn word(&mut self, wanted: &'static str) -> Result<(), Wrong> {
        self.choice(&[wanted]).map(|_| ())
    }

    /// One of some words; gives its index.
    fn choice(&mut self, wanted: &[&'static str]) -> Result<usize, Wrong> {
        let list = wanted.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
        let (column, word) = self.take(&list)?;
        match wanted.iter().position(|candidate| *candidate == word) {
            Some(index) => Ok(index),
            None => {
                let hint = nearest(word, wanted.iter().copied()).filter(|_| wanted.len() > 1);
                let hint = hint.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                self.wrong(column, format!("expected {list}, found `{}`{hint}", short(word)))
            }
        }
    }

    /// A whole number within bounds.
    fn whole(&mut self, wanted: &str, least: i64, most: i64) -> Result<i64, Wrong> {
        let (column, word) = self.take(wanted)?;
        if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.wrong(column, format!("expected {wanted}, found `{}`", short(word)));
        }
        match word.parse::<i64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => self.wrong(column, format!("{wanted} is {least} to {most}, found {}", short(word))),
        }
    }

    /// A number of days, `7d`.
    fn days(&mut self, least: u16, most: u16) -> Result<u16, Wrong> {
        let (column, word) = self.take("a number of days")?;
        let digits = word.strip_suffix('d').unwrap_or(word);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let shown = short(word);
            return self.wrong(column, format!("expected a number of days such as `7d`, found `{shown}`"));
        }
        if digits.len() == word.len() {
            let shown = short(word);
            return self.wrong(column, format!("{shown} needs its unit: `{shown}d`"));
        }
        match digits.parse::<u16>() {
            Ok(days) if (least..=most).contains(&days) => Ok(days),
            _ => self.wrong(
                column,
                format!("a number of days is {least} to {most} here, found {}", short(digits)),
            ),
        }
    }

    fn is_over(&self) -> bool {
        self.next >= self.words.len()
    }

    fn end(&self) -> Result<(), Wrong> {
        match self.words.get(self.next) {
            None => Ok(()),
            Some((column, word)) => self.wrong(*column, format!("expected the end, found `{}`", short(word))),
        }
    }
}

/// `7d`, from a least to a most number of days.
pub(super) fn days(text: &str, least: u16, most: u16) -> Result<u16, Wrong> {
    let mut words = Words::of(text, "a number of days such as 7d");
    let days = words.days(least, most)?;
    words.end().map(|()| days)
}

/// `1 per 1 paid`: points and the step in major units.
pub(super) fn earn(text: &str) -> Result<(i64, i64), Wrong> {
    let mut words = Words::of(text, "NUMBER per NUMBER paid, such as 1 per 1 paid");
    let points = words.whole("a whole number of points", 1, 10_000)?;
    words.word("per")?;
    let per_major = words.whole("a whole amount", 1, 1_000_000)?;
    words.word("paid")?;
    words.end().map(|()| (points, per_major))
}

/// `1 per 100`, `1 per 100 points`: money and points.
pub(super) fn worth(text: &str) -> Result<Worth, Wrong> {
    let mut words = Words::of(text, "AMOUNT per NUMBER, such as 1 per 100");
    let major = words.whole("a whole amount", 1, 1_000_000)?;
    words.word("per")?;
    let points = words.whole("a whole number of points", 1, 1_000_000)?;
    if !words.is_over() {
        words.word("points")?;
    }
    words.end().map(|()| Worth { major, points })
}

/// `500 per member per day`: the most that is earned.
pub(super) fn most(text: &str) -> Result<i64, Wrong> {
    let mut words = Words::of(text, "NUMBER per member per day, such as 500 per member per day");
    let most = words.whole("a whole number of points", 1, i64::from(u32::MAX))?;
    for word in ["per", "member", "per", "day"] {
        words.word(word)?;
    }
    words.end().map(|()| most)
}

/// `once per 365d`: how often a value may change.
pub(super) fn changes(text: &str) -> Result<u16, Wrong> {
    let mut words = Words::of(text, "once per a number of days, such as once per 365d");
    words.word("once")?;
    words.word("per")?;
    let days = words.days(1, 3660)?;
    words.end().map(|()| days)
}

/// When points are lost.
pub(super) fn expiry(text: &str) -> Result<Expiry, Wrong> {
    let allowed = "never, end of calendar year, end of next calendar year, 365d after earning";
    let mut words = Words::of(text, allowed);
    let expiry = match words.words.first() {
        Some((_, word)) if word.starts_with(|c: char| c.is_ascii_digit()) => {
            let days = words.days(1, 3660)?;
            words.word("after")?;
            words.word("earning")?;
            Expiry::DaysAfterEarning(days)
        }
        _ => match words.choice(&["never", "end"])? {
            0 => Expiry::Never,
            _ => {
                words.word("of")?;
                let next = words.choice(&["next", "calendar"])? == 0;
                if next {
                    words.word("calendar")?;
                }
                words.word("year")?;
                if next { Expiry::EndOfNextCalendarYear } else { Expiry::EndOfCalendarYear }
            }
        },
    };
    words.end().map(|()| expiry)
}

/// `3 ever`, `5 monthly`: how many, and within which window; without one it is ever.
pub(super) fn limit(text: &str) -> Result<(u32, Window), Wrong> {
    let mut words = Words::of(text, "NUMBER ever, weekly, monthly or annually, such as 3 ever");
    let limit = words.whole("a whole number of names", 1, i64::from(super::identity::LIMIT_MAX))?;
    let window = if words.is_over() {
        Window::Ever
    } else {
        Window::ALL[words.choice(&Window::ALL.map(|(word, _)| word))?].1
    };
    words.end().map(|()| (u32::try_from(limit).unwrap_or(1), window))
}

/// A multiplier: a decimal number to three places.
pub(super) fn ratio(text: &str) -> Result<Ratio, Wrong> {
    let words = Words::of(text, "a number from 0 to 100 with at most three decimals, such as 2 or 1.5");
    let column = words.words.first().map_or(1, |(column, _)| *column);
    let Ok(number) = parse_decimal(text) else {
        return words.wrong(column, format!("expected a number, found `{}`", short(text)));
    };
    let thousandths = number.checked_mul(1000.into()).filter(|scaled| scaled.fract().is_zero());
    let Some(thousandths) = thousandths else {
        return words.wrong(column, format!("{} has more than three decimals", short(text)));
    };
    match u32::try_from(thousandths) {
        Ok(thousandths) if thousandths <= 100_000 => Ok(Ratio::from_thousandths(thousandths)),
        _ => words.wrong(column, format!("a multiplier is 0 to 100, found {}", short(text))),
    }
}

/// A calendar day.
pub(super) fn day(text: &str) -> Result<Day, Wrong> {
    let words = Words::of(text, "a day such as 2020-05-23");
    match Day::parse(text) {
        Some(day) => Ok(day),
        None => words.wrong(1, format!("`{}` is not a day of the calendar", short(text))),
    }
}

/// `retention, frequency and basket`.
pub(super) fn aims(text: &str) -> Result<Vec<Aim>, Wrong> {
    let list = "frequency, habit, referral, basket, retention";
    let words = Words::of(text, list);
    let names: Vec<&str> = list.split(", ").collect();
    let mut aims = Vec::new();
    // Aims are parted by a comma, by `and`, or by both.
    let (mut wants_aim, mut may_and) = (true, false);
    for (column, word) in &words.words {
        if *word == "and" && may_and {
            (wants_aim, may_and) = (true, false);
            continue;
        }
        let bare = word.strip_suffix(',').unwrap_or(word);
        let aim = match bare {
            "frequency" => Aim::Frequency,
            "habit" => Aim::Habit,
            "referral" => Aim::Referral,
            "basket" => Aim::Basket,
            "retention" => Aim::Retention,
            _ => {
                let hint =
                    nearest(bare, names.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
                let hint = hint.unwrap_or_default();
                return words.wrong(*column, format!("`{}` is not an aim{hint}", short(bare)));
            }
        };
        if !wants_aim {
            return words.wrong(*column, format!("expected `,` or `and` before `{bare}`"));
        }
        if aims.contains(&aim) {
            return words.wrong(*column, format!("the aim `{bare}` is given twice"));
        }
        aims.push(aim);
        (wants_aim, may_and) = (bare.len() < word.len(), true);
    }
    if aims.is_empty() || wants_aim {
        return words.wrong(words.end, "expected an aim here, found the end".to_owned());
    }
    Ok(aims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_read() {
        assert_eq!(days("365d", 0, 3660), Ok(365));
        assert_eq!(earn("10 per 1 paid"), Ok((10, 1)));
        assert_eq!(earn("  1   per 10 paid "), Ok((1, 10)));
        assert_eq!(worth("1 per 100"), Ok(Worth { major: 1, points: 100 }));
        assert_eq!(worth("2 per 50 points"), Ok(Worth { major: 2, points: 50 }));
        for (text, thousandths) in [("2", 2000), ("1.5", 1500), ("0", 0), ("1.125", 1125), ("1e1", 10_000)] {
            assert_eq!(ratio(text), Ok(Ratio::from_thousandths(thousandths)), "{text}");
        }
        for (text, expiry_read) in [
            ("never", Expiry::Never),
            ("end of calendar year", Expiry::EndOfCalendarYear),
            ("end of next calendar year", Expiry::EndOfNextCalendarYear),
            ("365d after earning", Expiry::DaysAfterEarning(365)),
        ] {
            assert_eq!(expiry(text), Ok(expiry_read), "{text}");
        }
        assert_eq!(limit("3 ever"), Ok((3, Window::Ever)));
        assert_eq!(limit("3"), Ok((3, Window::Ever)));
        assert_eq!(limit("5 monthly"), Ok((5, Window::Monthly)));
        assert_eq!(aims("frequency"), Ok(vec![Aim::Frequency]));
        assert_eq!(
            aims("retention, frequency and basket"),
            Ok(vec![Aim::Retention, Aim::Frequency, Aim::Basket])
        );
        assert_eq!(aims("habit, and basket"), Ok(vec![Aim::Habit, Aim::Basket]));
    }

    #[test]
    fn an_error_points_at_its_word() {
        let column = |result: Result<(), Wrong>| result.map_err(|wrong| (wrong.column, wrong.message));
        let earn = |text| column(earn(text).map(|_| ()));
        let expiry = |text| column(expiry(text).map(|_| ()));
        let aims = |text| column(aims(text).map(|_| ()));
        for (found, at, part) in [
            (earn("1 for 1 paid"), 3, "expected `per`, found `for`"),
            (earn("one per 1 paid"), 1, "expected a whole number of points, found `one`"),
            (earn("1 per 1.5 paid"), 7, "expected a whole amount, found `1.5`"),
            (earn("1 per 1"), 8, "expected `paid` here, found the end"),
            (earn("1 per 1 paid twice"), 14, "expected the end, found `twice`"),
            (earn("0 per 1 paid"), 1, "1 to 10000"),
            (earn(""), 1, "found the end"),
            (expiry("end of nxt calendar year"), 8, "did you mean `next`?"),
            (expiry("365 after earning"), 1, "365 needs its unit: `365d`"),
            (expiry("end of next callendar year"), 13, "expected `calendar`"),
            (aims("referral and baskets"), 14, "did you mean `basket`?"),
            (aims("referral basket"), 10, "expected `,` or `and`"),
            (aims("referral and"), 13, "found the end"),
        ] {
            let (column, message) = found.unwrap_err();
            assert_eq!(column, at, "{message}");
            assert!(message.contains(part), "{message} / {part}");
        }
    }
}
