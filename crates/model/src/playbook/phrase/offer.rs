//! Phrases of offers.

use super::{Words, Wrong};
use crate::money::{Currency, Money};
use crate::playbook::claim::{Moment, Validity};
use crate::playbook::offer::{Budget, Percent, UseLimit, Within};
use crate::playbook::reader::short;
use crate::time::Day;

/// The most that an amount of a playbook is, in minor units.
const MONEY_MAX: i64 = 1_000_000_000_000;

/// An amount in major units, with no more decimals than the currency has.
pub(in crate::playbook) fn money(text: &str, currency: &Currency) -> Result<Money, Wrong> {
    let mut words = Words::of(text, "an amount such as 68 or 9.9");
    let money = words.money(currency)?;
    words.end().map(|()| money)
}

/// `88%`.
pub(in crate::playbook) fn percent(text: &str) -> Result<Percent, Wrong> {
    let mut words = Words::of(text, "what is paid, such as 88%, to two decimals");
    let (column, word) = words.take("a percentage")?;
    let Some(number) = word.strip_suffix('%') else {
        return words.wrong(column, format!("expected a percentage such as `88%`, found `{}`", short(word)));
    };
    let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number = crate::money::parse_decimal(number).ok().filter(|_| plain);
    let hundredths = number.and_then(|number| number.checked_mul(100.into()));
    match hundredths.filter(|n| n.fract().is_zero()).and_then(|n| u32::try_from(n).ok()) {
        Some(hundredths) if hundredths <= 10_000 => words.end().map(|()| Percent(hundredths)),
        _ => words.wrong(column, format!("a percentage is 0% to 100%, found `{}`", short(word))),
    }
}

/// `1 per member per day`, `300 in all`, `100 per day`.
pub(in crate::playbook) fn use_limit(text: &str) -> Result<UseLimit, Wrong> {
    let mut words =
        Words::of(text, "NUMBER per member, per member per day, week, month or campaign, per day, in all");
    let times = words.whole("a whole number", 1, 1_000_000_000)?.unsigned_abs();
    let mut limit = UseLimit { times, per_member: false, within: Within::Ever };
    if words.choice(&["per", "in"])? == 1 {
        words.word("all")?;
        return words.end().map(|()| limit);
    }
    let times = [Within::Day, Within::Week, Within::Month, Within::Campaign];
    match words.choice(&["member", "day", "week", "month", "campaign"])? {
        0 => limit.per_member = true,
        i => limit.within = times[i - 1],
    }
    if limit.per_member && !words.is_over() {
        if words.choice(&["per", "in"])? == 1 {
            words.word("all")?;
        } else {
            limit.within = times[words.choice(&["day", "week", "month", "campaign"])?];
        }
    }
    words.end().map(|()| limit)
}

/// The longest that a coupon is valid in hours or minutes: longer ones are said in days.
const MINUTES_MAX: u32 = 7 * 24 * 60;

/// `7d`, `2h`, `15m`.
pub(in crate::playbook) fn valid(text: &str, days_max: u16) -> Result<Validity, Wrong> {
    let allowed = "a time such as 7d, 2h or 15m";
    let trimmed = text.trim();
    let Some((digits, each)) =
        trimmed.strip_suffix('h').map(|n| (n, 60)).or(trimmed.strip_suffix('m').map(|n| (n, 1)))
    else {
        return super::days(text, 1, days_max)
            .map(Validity::Days)
            .map_err(|wrong| Wrong { allowed, ..wrong });
    };
    let mut words = Words::of(digits, allowed);
    let most = i64::from(MINUTES_MAX / each);
    let n = words.whole("a whole number", 1, most)?;
    words.end().map(|()| Validity::Minutes(u32::try_from(n).unwrap_or(1) * each))
}

/// `2020-06-01`, `2020-06-01 10:00`; whether it says a time.
pub(in crate::playbook) fn moment(text: &str) -> Result<(Moment, bool), Wrong> {
    let mut words = Words::of(text, "a day such as 2020-06-01, or a day and a time such as 2020-06-01 10:00");
    let (column, word) = words.take("a day")?;
    let Some(day) = Day::parse(word) else {
        return words.wrong(column, format!("`{}` is not a day of the calendar", short(word)));
    };
    if words.is_over() {
        return Ok((Moment { day, minute: 0 }, false));
    }
    let (column, word) = words.take("a time")?;
    let part = |text: &str, below: u16| {
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|n: &u16| plain && *n < below)
    };
    let time = word.split_once(':').and_then(|(hour, minute)| Some((part(hour, 24)?, part(minute, 60)?)));
    match time {
        Some((hour, minute)) => words.end().map(|()| (Moment { day, minute: hour * 60 + minute }, true)),
        None => words.wrong(column, format!("expected a time such as `10:00`, found `{}`", short(word))),
    }
}

/// `10000`, `500 pieces`.
pub(in crate::playbook) fn budget(text: &str, currency: &Currency) -> Result<Budget, Wrong> {
    let mut words = Words::of(text, "an amount such as 10000, or a number of pieces such as 500 pieces");
    if text.trim_end().ends_with("pieces") {
        let pieces = words.whole("a whole number", 1, 1_000_000_000)?;
        words.word("pieces")?;
        return words.end().map(|()| Budget::Pieces(pieces.unsigned_abs()));
    }
    let money = words.money(currency)?;
    words.end().map(|()| Budget::Money(money))
}

/// `free`: `None`; `5`: at most so much.
pub(in crate::playbook) fn shipping(text: &str, currency: &Currency) -> Result<Option<Money>, Wrong> {
    match text.trim() {
        "free" => Ok(None),
        _ => money(text, currency).map(Some),
    }
}

impl Words<'_> {
    fn money(&mut self, currency: &Currency) -> Result<Money, Wrong> {
        let (column, word) = self.take("an amount")?;
        let plain = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let amount = crate::money::parse_decimal(word).ok().filter(|_| plain);
        let Some(amount) = amount else {
            return self.wrong(column, format!("expected an amount such as `68`, found `{}`", short(word)));
        };
        if amount.normalize().scale() > currency.exponent {
            let message = format!("{} has more than {} decimals", short(word), currency.exponent);
            return self.wrong(column, message);
        }
        match currency.to_minor(amount) {
            Ok(money) if money.0 <= MONEY_MAX => Ok(money),
            _ => self.wrong(column, format!("{} is too much", short(word))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_of_offers_mean_what_they_say() {
        let cny = Currency::parse("CNY").unwrap();
        assert_eq!(money("9.9", &cny), Ok(Money(990)));
        assert_eq!((percent("88%"), percent("89.5%")), (Ok(Percent(8800)), Ok(Percent(8950))));
        assert_eq!((Percent(8800).to_string(), Percent(8950).to_string()), ("88%".into(), "89.5%".into()));
        assert_eq!(budget("500 pieces", &cny), Ok(Budget::Pieces(500)));
        assert_eq!(budget("10000", &cny), Ok(Budget::Money(Money(1_000_000))));
        assert_eq!((shipping("free", &cny), shipping("5", &cny)), (Ok(None), Ok(Some(Money(500)))));
        let day = Day::parse("2020-06-01").unwrap();
        assert_eq!(valid("7d", 30), Ok(Validity::Days(7)));
        assert_eq!(
            (valid("2h", 30), valid("15m", 30)),
            (Ok(Validity::Minutes(120)), Ok(Validity::Minutes(15)))
        );
        assert_eq!(moment("2020-06-01"), Ok((Moment { day, minute: 0 }, false)));
        assert_eq!(moment("2020-06-01 10:30"), Ok((Moment { day, minute: 630 }, true)));
        for (text, times, per_member, within) in [
            ("1 per member per day", 1, true, Within::Day),
            ("2 per member per campaign", 2, true, Within::Campaign),
            ("3 per member", 3, true, Within::Ever),
            ("3 per member in all", 3, true, Within::Ever),
            ("300 in all", 300, false, Within::Ever),
            ("100 per month", 100, false, Within::Month),
        ] {
            assert_eq!(use_limit(text), Ok(UseLimit { times, per_member, within }), "{text}");
        }
    }

    #[test]
    fn an_error_points_at_its_word() {
        let cny = Currency::parse("CNY").unwrap();
        for (found, column, part) in [
            (money("9.999", &cny).err(), 1, "more than 2 decimals"),
            (money("-1", &cny).err(), 1, "expected an amount"),
            (percent("88").err(), 1, "expected a percentage"),
            (percent("101%").err(), 1, "0% to 100%"),
            (use_limit("1 per membr").err(), 7, "did you mean `member`?"),
            (use_limit("1 per member per year").err(), 18, "expected `day`"),
            (use_limit("one per day").err(), 1, "a whole number"),
            (budget("x pieces", &cny).err(), 1, "a whole number"),
            (valid("7", 30).err(), 1, "needs its unit"),
            (valid("31d", 30).err(), 1, "1 to 30"),
            (valid("0m", 30).err(), 1, "1 to 10080"),
            (valid("1.5h", 30).err(), 1, "a whole number"),
            (moment("2020-02-30").err(), 1, "not a day"),
            (moment("2020-06-01 24:00").err(), 12, "expected a time"),
            (moment("2020-06-01 9:00").err(), 12, "expected a time"),
            (moment("2020-06-01 09:00 sharp").err(), 18, "expected the end"),
        ] {
            let wrong = found.unwrap();
            assert_eq!(wrong.column, column, "{}", wrong.message);
            assert!(wrong.message.contains(part), "{}", wrong.message);
        }
    }
}
