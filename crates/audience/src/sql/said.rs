//! What a part of a condition is in SQL: its kind is known beforehand, its value is SQL that is NULL where it is unknown.

use rust_decimal::Decimal;
use zhiyin_condition::value::{self, Val, Value};
use zhiyin_model::time::{Ts, Zone};

use super::number::Num;
use super::quoted;

/// An instant: its microseconds, and its day and minute of the day in the zone. Each is asked of the row apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moment {
    pub(super) us: String,
    pub(super) day: String,
    pub(super) minute: String,
}

impl Moment {
    pub(super) fn constant(at: Ts, zone: &Zone) -> Self {
        let minute = zone.time_of_day_us(at) / 60_000_000;
        Self { us: whole(at.0), day: whole(zone.day(at).0.into()), minute: minute.to_string() }
    }
}

/// A whole number as a literal that may stand anywhere.
pub(super) fn whole(number: i64) -> String {
    match number {
        // It has no literal of its own.
        i64::MIN => "toInt64('-9223372036854775808')".to_owned(),
        0.. => number.to_string(),
        _ => format!("({number})"),
    }
}

/// What a part is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// Nothing that could be known.
    Unknown,
    /// A yes or no; `known` where it is never NULL.
    Bool {
        sql: String,
        known: bool,
    },
    Number(Num),
    /// A text, and what it is if it is a constant.
    Text {
        sql: String,
        constant: Option<String>,
    },
    /// A day, as days since 1970-01-01.
    Date(String),
    Time(Moment),
    /// A time of day, in minutes.
    Clock(String),
    /// A property: of a kind that the row tells. `read` where each text that is a day, an instant or a time of day says so.
    Any {
        sql: String,
        read: bool,
    },
}

/// Kinds that a property has: the first part of its tuple.
pub(super) mod kind {
    pub(in super::super) const BOOL: u8 = 1;
    pub(in super::super) const NUMBER: u8 = 2;
    pub(in super::super) const TEXT: u8 = 3;
    pub(in super::super) const DAY: u8 = 4;
    pub(in super::super) const INSTANT: u8 = 5;
    pub(in super::super) const CLOCK: u8 = 6;
}

/// Of which kind a text is beside a day, an instant or a time of day, and what it comes to.
pub(super) fn text_kind(text: &str) -> (u8, i64) {
    match value::instant(text) {
        Some(Val::Date(day)) => (kind::DAY, day.0.into()),
        Some(Val::Time(at)) => (kind::INSTANT, at.0),
        _ => value::clock(text).map_or((kind::TEXT, 0), |clock| (kind::CLOCK, clock.into())),
    }
}

/// A number as a whole count of 10⁻²⁸.
pub(super) fn wide_digits(number: Decimal) -> String {
    let number = number.normalize();
    if number.is_zero() {
        return "0".to_owned();
    }
    format!("{}{}", number.mantissa(), "0".repeat((super::number::WIDE_SCALE - number.scale()) as usize))
}

impl Said {
    pub(super) const fn truth(sql: String) -> Self {
        Self::Bool { sql, known: true }
    }

    pub(super) const fn text(sql: String) -> Self {
        Self::Text { sql, constant: None }
    }

    pub(super) fn constant(value: &Value, zone: &Zone) -> Self {
        match value {
            Value::Unknown => Self::Unknown,
            Value::Bool(value) => Self::truth(u8::from(*value).to_string()),
            Value::Number(number) => Self::Number(Num::constant(*number)),
            Value::Text(text) => Self::Text { sql: quoted(text), constant: Some(text.to_string()) },
            Value::Date(day) => Self::Date(whole(day.0.into())),
            Value::Time(at) => Self::Time(Moment::constant(*at, zone)),
            Value::Clock(minutes) => Self::Clock(minutes.to_string()),
        }
    }

    /// Whether there is a value, as SQL.
    pub(super) fn is_known(&self) -> String {
        match self {
            Self::Unknown => "0".to_owned(),
            Self::Bool { known: true, .. } | Self::Text { constant: Some(_), .. } => "1".to_owned(),
            Self::Bool { sql, .. } | Self::Text { sql, .. } | Self::Date(sql) | Self::Clock(sql) => {
                format!("isNotNull({sql})")
            }
            Self::Number(num) => format!("isNotNull({})", num.sql),
            Self::Time(moment) => format!("isNotNull({})", moment.us),
            Self::Any { sql, .. } => format!("(tupleElement({sql}, 1) != 0)"),
        }
    }

    /// Whether it is true, as SQL that is never NULL.
    pub(super) fn is_true(&self) -> String {
        match self {
            Self::Bool { sql, known: true } => sql.clone(),
            Self::Bool { sql, .. } => format!("ifNull({sql}, 0)"),
            Self::Any { sql, .. } => {
                format!("(tupleElement({sql}, 1) = {} AND tupleElement({sql}, 2) = 1)", kind::BOOL)
            }
            _ => "0".to_owned(),
        }
    }

    /// Its number, if it may be one.
    pub(super) fn number(&self) -> Option<Num> {
        match self {
            Self::Number(num) => Some(num.clone()),
            Self::Any { sql, .. } => {
                let number =
                    format!("if(tupleElement({sql}, 1) = {}, tupleElement({sql}, 2), NULL)", kind::NUMBER);
                Some(Num::wide(number))
            }
            _ => None,
        }
    }

    /// How long its SQL is, in bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Unknown => 0,
            Self::Bool { sql, .. } | Self::Text { sql, .. } | Self::Any { sql, .. } => sql.len(),
            Self::Date(sql) | Self::Clock(sql) => sql.len(),
            Self::Number(num) => num.sql.len(),
            Self::Time(moment) => moment.us.len().max(moment.day.len()),
        }
    }

    /// The SQL of which it consists, each replaced by another.
    pub(super) fn each(&self, mut change: impl FnMut(&str) -> String) -> Self {
        match self {
            Self::Unknown => Self::Unknown,
            Self::Bool { sql, .. } => Self::Bool { sql: change(sql), known: false },
            Self::Number(num) => Self::Number(Num::of(change(&num.sql), num.scale, num.bits)),
            Self::Text { sql, .. } => Self::text(change(sql)),
            Self::Date(sql) => Self::Date(change(sql)),
            Self::Clock(sql) => Self::Clock(change(sql)),
            Self::Time(moment) => Self::Time(Moment {
                us: change(&moment.us),
                day: change(&moment.day),
                minute: change(&moment.minute),
            }),
            Self::Any { sql, read } => Self::Any { sql: change(sql), read: *read },
        }
    }
}
