//! What is asked of the member by themselves: ages, consents, dependants.
//!
//! Today is known, so what its calendar says is written into the statement; of a birthday its parts are columns.

use zhiyin_condition::Stage;
use zhiyin_condition::program::{ConsentAsked, Field};
use zhiyin_model::consent::ALL;
use zhiyin_model::lunar::kept_on;
use zhiyin_model::time::Day;

use super::number::Num;
use super::rows::begun_day;
use super::said::{Said, whole};
use super::writing::Writing;
use super::{NotInSql, Part, quoted};

/// Days from the first to the due day of a pregnancy, and those after which nobody is awaited any more.
const PREGNANCY_DAYS: i64 = 280;
const OVERDUE_DAYS: i64 = 28;

/// A month and a day of it as one number that orders as they do.
fn in_year(month: i8, day: i8) -> i64 {
    i64::from(month) * 32 + i64::from(day)
}

impl Writing<'_> {
    /// Month and day on which a birthday is kept this year, as one number: 29 February on the 28th of common years.
    fn kept_this_year(&self) -> String {
        let day = match self.today.date().in_leap_year() {
            true => "birth_dom",
            false => "if(birth_month = 2 AND birth_dom = 29, 28, birth_dom)",
        };
        format!("(birth_month * 32 + {day})")
    }

    pub(super) fn age(&self) -> Said {
        let today = self.today.date();
        let not_yet = format!("({} > {})", self.kept_this_year(), in_year(today.month(), today.day()));
        let years = format!("toInt64({} - birth_year - {not_yet})", today.year());
        Said::Number(Num::of(format!("if({years} >= 0, {years}, NULL)"), 0, 16))
    }

    pub(super) fn is_birthday(&self) -> Said {
        let today = self.today.date();
        let common = format!("({} = {})", self.kept_this_year(), in_year(today.month(), today.day()));
        let codes: Vec<String> =
            kept_on(self.today).iter().map(|code| format!("birth_lunar = {code}")).collect();
        let lunar = if codes.is_empty() { "0".to_owned() } else { format!("({})", codes.join(" OR ")) };
        let sql = format!("if(birth_lunar IS NOT NULL, {lunar}, {common})");
        Said::Bool { sql, known: false }
    }

    /// The day on which the member has lived for so many years; NULL where that is not known, or beyond the calendar.
    fn day_of_age(&self, years: u8) -> String {
        let born = [("y", format!("(birth_year + {years})"))];
        self.named(&born, |names| {
            let year = &names[0];
            let is_leap = format!("({year} % 4 = 0 AND ({year} % 100 != 0 OR {year} % 400 = 0))");
            let day = format!("if(birth_month = 2 AND birth_dom = 29 AND NOT {is_leap}, 28, birth_dom)");
            // Years begin in March here, so that the day that not every year has is their last; 400 years more, so that
            // none is below zero.
            let from_march = [
                ("n", format!("({year} + 400 - (birth_month <= 2))")),
                ("m", "(birth_month + if(birth_month > 2, -3, 9))".to_owned()),
            ];
            let days = self.named(&from_march, |parts| {
                let (n, m) = (&parts[0], &parts[1]);
                format!(
                    "(365 * {n} + intDiv({n}, 4) - intDiv({n}, 100) + intDiv({n}, 400) \
                     + intDiv(153 * {m} + 2, 5) + {day} - 1 - 719468 - 146097)"
                )
            });
            format!("if({year} > 9999, NULL, {days})")
        })
    }

    pub(super) fn consent(&self, asked: &ConsentAsked) -> Result<String, NotInSql> {
        let column = self.column("consents")?;
        // Minors are told by their birthday.
        self.tables.has_part(Part::Consents).and_then(|()| self.tables.has_part(Part::Birthday))?;
        let Some(terms) = asked.terms.purposes.get(&asked.purpose) else { return Ok("0".to_owned()) };
        if asked.channel != ALL && !terms.channels.contains(&asked.channel) {
            return Ok("0".to_owned());
        }
        let (purpose, channel, all) = (quoted(&asked.purpose), quoted(&asked.channel), quoted(ALL));
        let word = self.fresh("c");
        let part = |n: u8| format!("tupleElement({word}, {n})");
        let bears = format!("{} IN ({purpose}, {all}) AND {} IN ({channel}, {all})", part(1), part(2));
        let latest = |test: &str| {
            let at = format!(
                "arrayMap({word} -> toNullable({}), arrayFilter({word} -> {test}, {column}))",
                part(5)
            );
            format!("arrayReduce('max', {at})")
        };
        let no = latest(&format!(
            "(({} = 0 AND {bears}) OR ({} = 3 AND {} = {purpose} AND {} = {channel}))",
            part(3),
            part(3),
            part(1),
            part(2)
        ));
        let versions: Vec<String> = terms.versions.iter().map(|version| quoted(version)).collect();
        let is_current = match versions.is_empty() {
            true => format!("{} = ''", part(4)),
            false => format!("{} IN ({})", part(4), versions.join(", ")),
        };
        let today = begun_day(&self.tables.zone, self.asked.now);
        let of_age = [("g", self.day_of_age(asked.terms.minors_under))];
        Ok(self.named(&of_age, |names| {
            let of_age = &names[0];
            let minor = [("m", format!("ifNull({} < {of_age}, 0)", whole(today.0.into())))];
            self.named(&minor, |names| {
                let is_minor = &names[0];
                // What a minor says is no yes; what a guardian said for them holds until they can speak themselves.
                let holds =
                    format!("(ifNull({} < {of_age}, 0) = 0 OR ({} = 2 AND {is_minor}))", part(6), part(3));
                let yes =
                    latest(&format!("({} IN (1, 2) AND {bears} AND {is_current} AND {holds})", part(3)));
                self.named(&[("n", no), ("y", yes)], |names| {
                    let (no, yes) = (&names[0], &names[1]);
                    let needed = u8::from(terms.needed);
                    format!(
                        "if(isNotNull({no}) AND (isNull({yes}) OR ifNull({no} >= {yes}, 0)), 0, \
                         isNotNull({yes}) OR (NOT {is_minor} AND NOT {needed}))"
                    )
                })
            })
        }))
    }

    /// A field of a dependant, given as a tuple.
    pub(super) fn dependant_field(&self, one: &str, field: &Field) -> Said {
        match field {
            Field::Kind => Said::text(format!("tupleElement({one}, 1)")),
            Field::Gender => Said::text(format!("tupleElement({one}, 2)")),
            Field::Birthday => Said::Date(format!("tupleElement({one}, 3)")),
            Field::DueOn => Said::Date(format!("tupleElement({one}, 6)")),
            Field::Stage(stage) => Said::Number(Num::of(stage_of(one, *stage, self.today), 0, 32)),
            _ => Said::Unknown,
        }
    }
}

/// What time moves of a dependant, on a day.
fn stage_of(one: &str, stage: Stage, today: Day) -> String {
    let (date, number) = (today.date(), i64::from(today.0));
    let day = whole(number);
    let (born, born_month, born_day) = (
        format!("tupleElement({one}, 3)"),
        format!("tupleElement({one}, 4)"),
        format!("tupleElement({one}, 5)"),
    );
    let month = i32::from(date.year()) * 12 + i32::from(date.month());
    // A month is full on the day of the birth, or on the last of a shorter month.
    let not_full = format!("(least({born_day}, {}) > {})", date.days_in_month(), date.day());
    let months = format!("({month} - {born_month} - {not_full})");
    let lived = |sql: String| format!("if({born} <= {day}, toInt64({sql}), NULL)");
    let to_due = format!("(tupleElement({one}, 6) - {day})");
    let awaited = format!("isNull({born}) AND {to_due} >= -{OVERDUE_DAYS}");
    match stage {
        Stage::AgeWeeks => lived(format!("intDiv({day} - {born}, 7)")),
        Stage::AgeMonths => lived(months),
        Stage::AgeYears => lived(format!("intDiv({months}, 12)")),
        Stage::WeeksToDue => {
            format!("if({awaited}, toInt64(intDiv({to_due} + {OVERDUE_DAYS}, 7) - 4), NULL)")
        }
        Stage::PregnancyWeek => format!(
            "if({awaited} AND {to_due} <= {PREGNANCY_DAYS}, toInt64(intDiv({PREGNANCY_DAYS} - {to_due}, 7)), NULL)"
        ),
    }
}
