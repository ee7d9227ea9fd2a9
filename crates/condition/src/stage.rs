//! What a dependant is in weeks and months, and the day on which that turns.
//!
//! A month of age is a calendar month: it is full on the day of the month of the birth, or on the last day of a month that
//! has no such day (as a birthday of 29 February is kept on 28 February). A pregnancy is counted in whole weeks from 280
//! days before the due date. What is born is not awaited any more, and what is four weeks overdue was born unheard of.

use jiff::civil::Date;
use zhiyin_model::dependant::Dependant;
use zhiyin_model::time::Day;

/// Days from the first to the due day of a pregnancy, by Naegele's rule.
const PREGNANCY_DAYS: i32 = 280;
/// Days after which an overdue child is awaited no longer.
const OVERDUE_DAYS: i32 = 28;
const WEEK: i32 = 7;

/// What time moves of a dependant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Whole weeks since birth.
    AgeWeeks,
    /// Whole calendar months since birth.
    AgeMonths,
    /// Whole years since birth.
    AgeYears,
    /// Whole weeks until the due date.
    WeeksToDue,
    /// Whole weeks of pregnancy.
    PregnancyWeek,
}

/// The day of a month that is `months` after a day's, or the month's last.
fn months_after(born: Day, months: i64) -> Option<Day> {
    let date = born.date();
    let month = i64::from(date.year()) * 12 + i64::from(date.month()) - 1 + months;
    let year = i16::try_from(month.div_euclid(12)).ok()?;
    let first = Date::new(year, i8::try_from(month.rem_euclid(12) + 1).ok()?, 1).ok()?;
    let day = date.day().min(first.days_in_month());
    Some(Day::from_date(Date::new(year, first.month(), day).ok()?))
}

/// Whole months from a day to another that is not before it.
fn months_between(born: Day, today: Day) -> Option<i64> {
    let month = |day: Day| i64::from(day.date().year()) * 12 + i64::from(day.date().month());
    let months = month(today) - month(born);
    let full = months_after(born, months)? <= today;
    Some(months - i64::from(!full))
}

impl Stage {
    /// Days until the due date, while that is awaited.
    fn days_to_due(dependant: &Dependant<'_>, today: Day) -> Option<i32> {
        let due = dependant.due_on.filter(|_| dependant.birthday.is_none())?;
        let days = due.0.checked_sub(today.0)?;
        (days >= -OVERDUE_DAYS).then_some(days)
    }

    /// Its value on a day.
    pub fn value(self, dependant: &Dependant<'_>, today: Day) -> Option<i64> {
        let born = dependant.birthday.filter(|born| *born <= today);
        match self {
            Self::AgeWeeks => born.map(|born| i64::from((today.0 - born.0) / WEEK)),
            Self::AgeMonths => months_between(born?, today),
            Self::AgeYears => months_between(born?, today).map(|months| months / 12),
            Self::WeeksToDue => {
                Self::days_to_due(dependant, today).map(|days| i64::from(days.div_euclid(WEEK)))
            }
            Self::PregnancyWeek => {
                let days = PREGNANCY_DAYS.checked_sub(Self::days_to_due(dependant, today)?)?;
                (days >= 0).then_some(i64::from(days / WEEK))
            }
        }
    }

    /// Whether it becomes less as time goes by.
    pub(crate) const fn falls(self) -> bool {
        matches!(self, Self::WeeksToDue)
    }

    /// The first day on which it is as far as a value that lies ahead; never later than the day from which it is unknown.
    pub(crate) fn day_of(self, dependant: &Dependant<'_>, value: i64) -> Option<Day> {
        let weeks = |from: Day, weeks: i64| {
            let day = i64::from(from.0).checked_add(weeks.checked_mul(i64::from(WEEK))?)?;
            i32::try_from(day).ok().map(Day)
        };
        match self {
            Self::AgeWeeks => weeks(dependant.birthday?, value),
            Self::AgeMonths => months_after(dependant.birthday?, value),
            Self::AgeYears => months_after(dependant.birthday?, value.checked_mul(12)?),
            // A week begins to be the last but so many six days before the day on which these are full.
            Self::WeeksToDue => weeks(dependant.due_on?.plus(1 - WEEK), value.checked_neg()?),
            Self::PregnancyWeek => weeks(dependant.due_on?.plus(-PREGNANCY_DAYS), value),
        }
    }

    /// The day after `today` from which it is known, or is no longer.
    pub(crate) fn known_changes(self, dependant: &Dependant<'_>, today: Day) -> Option<Day> {
        let changes = match self {
            Self::AgeWeeks | Self::AgeMonths | Self::AgeYears => [dependant.birthday, None],
            Self::WeeksToDue | Self::PregnancyWeek => {
                let due = dependant.due_on.filter(|_| dependant.birthday.is_none());
                let begins = due.filter(|_| self == Self::PregnancyWeek);
                [begins.map(|due| due.plus(-PREGNANCY_DAYS)), due.map(|due| due.plus(OVERDUE_DAYS + 1))]
            }
        };
        changes.into_iter().flatten().filter(|day| *day > today).min()
    }

    /// The next day on which it is another value, or known, or unknown.
    pub(crate) fn next_change(self, dependant: &Dependant<'_>, today: Day) -> Option<Day> {
        let next = self.value(dependant, today).and_then(|value| {
            let next = if self.falls() { value.checked_sub(1)? } else { value.checked_add(1)? };
            self.day_of(dependant, next)
        });
        next.into_iter().chain(self.known_changes(dependant, today)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGES: [Stage; 5] =
        [Stage::AgeWeeks, Stage::AgeMonths, Stage::AgeYears, Stage::WeeksToDue, Stage::PregnancyWeek];

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    fn child<'a>(due_on: Option<&str>, birthday: Option<&str>) -> Dependant<'a> {
        Dependant {
            key: "k",
            kind: "child",
            due_on: due_on.map(day),
            birthday: birthday.map(day),
            name: None,
            gender: None,
        }
    }

    #[test]
    fn u1_a_month_of_age_is_full_on_the_day_of_birth_or_the_last_of_a_shorter_month() {
        for (born, today, months) in [
            ("2024-01-31", "2024-02-28", 0),
            ("2024-01-31", "2024-02-29", 1),
            ("2023-01-31", "2023-02-27", 0),
            ("2023-01-31", "2023-02-28", 1),
            ("2023-01-31", "2023-03-30", 1),
            ("2023-01-31", "2023-03-31", 2),
            ("2024-02-29", "2024-03-28", 0),
            ("2024-02-29", "2024-03-29", 1),
            ("2024-02-29", "2025-02-27", 11),
            ("2024-02-29", "2025-02-28", 12),
            ("2024-02-29", "2028-02-28", 47),
            ("2024-02-29", "2028-02-29", 48),
            ("2023-12-15", "2024-01-14", 0),
            ("2023-12-15", "2024-06-15", 6),
            ("2024-05-01", "2024-05-01", 0),
        ] {
            let child = child(None, Some(born));
            let today = day(today);
            assert_eq!(Stage::AgeMonths.value(&child, today), Some(months), "{born} {today}");
            assert_eq!(Stage::AgeYears.value(&child, today), Some(months / 12), "{born} {today}");
        }
        assert_eq!(Stage::AgeMonths.value(&child(None, Some("2024-05-02")), day("2024-05-01")), None);
    }

    #[test]
    fn u1_a_pregnancy_is_counted_from_280_days_before_its_due_date_until_the_birth_is_told() {
        let awaited = child(Some("2024-10-07"), None);
        for (today, to_due, week) in [
            ("2023-12-31", Some(40), None),
            ("2024-01-01", Some(40), Some(0)),
            ("2024-01-07", Some(39), Some(0)),
            ("2024-01-08", Some(39), Some(1)),
            ("2024-09-30", Some(1), Some(39)),
            ("2024-10-01", Some(0), Some(39)),
            ("2024-10-07", Some(0), Some(40)),
            ("2024-10-08", Some(-1), Some(40)),
            ("2024-11-04", Some(-4), Some(44)),
            ("2024-11-05", None, None),
        ] {
            let today = day(today);
            let found =
                (Stage::WeeksToDue.value(&awaited, today), Stage::PregnancyWeek.value(&awaited, today));
            assert_eq!(found, (to_due, week), "{today}");
        }
        let born = child(Some("2024-10-07"), Some("2024-10-01"));
        assert_eq!(Stage::WeeksToDue.value(&born, day("2024-10-02")), None);
        assert_eq!(Stage::AgeWeeks.value(&born, day("2024-10-08")), Some(1));
    }

    #[test]
    fn u1_a_stage_changes_on_the_day_that_is_said_and_on_none_before() {
        for child in [
            child(Some("2024-10-07"), None),
            child(None, Some("2024-02-29")),
            child(Some("2024-02-01"), Some("2024-01-31")),
            child(None, None),
        ] {
            for stage in STAGES {
                let mut today = day("2023-11-01");
                while today < day("2026-11-01") {
                    let next = stage.next_change(&child, today);
                    let value = stage.value(&child, today);
                    let mut at = today;
                    while at < day("2026-11-01") && next.is_none_or(|next| at < next) {
                        assert_eq!(stage.value(&child, at), value, "{stage:?} {child:?} {at}");
                        at = at.plus(1);
                    }
                    let Some(next) = next else { break };
                    assert_ne!(stage.value(&child, next), value, "{stage:?} {child:?} {next}");
                    today = next;
                }
            }
        }
    }
}
