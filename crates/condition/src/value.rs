//! Values: borrowed while evaluating, owned in programs and states; how they compare and reckon.
//!
//! Numbers are decimals of at most 28 digits; what overflows, or is divided by zero, is unknown.

use std::cmp::Ordering;
use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Day, Ts, Zone};

use crate::tree::Operator;

/// A value while it is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Val<'a> {
    /// Not known: a missing attribute, the last of nothing.
    Unknown,
    /// A yes or no.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// A text.
    Text(&'a str),
    /// A calendar day.
    Date(Day),
    /// An instant.
    Time(Ts),
    /// A time of day, in minutes since midnight.
    Clock(u16),
}

/// A value that is kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Not known.
    Unknown,
    /// A yes or no.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// A text.
    Text(Box<str>),
    /// A calendar day.
    Date(Day),
    /// An instant.
    Time(Ts),
    /// A time of day, in minutes since midnight.
    Clock(u16),
}

impl Value {
    /// To be looked at.
    pub fn as_val(&self) -> Val<'_> {
        match self {
            Self::Unknown => Val::Unknown,
            Self::Bool(value) => Val::Bool(*value),
            Self::Number(value) => Val::Number(*value),
            Self::Text(value) => Val::Text(value),
            Self::Date(value) => Val::Date(*value),
            Self::Time(value) => Val::Time(*value),
            Self::Clock(value) => Val::Clock(*value),
        }
    }
}

impl<'a> Val<'a> {
    /// Whether it is known.
    pub const fn is_known(self) -> bool {
        !matches!(self, Self::Unknown)
    }

    /// Unknown is not true.
    pub const fn is_true(self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// Kept, in the one form equal values have.
    pub fn to_value(self) -> Value {
        match self {
            Self::Unknown => Value::Unknown,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(value) => Value::Number(value.normalize()),
            Self::Text(value) => Value::Text(value.into()),
            Self::Date(value) => Value::Date(value),
            Self::Time(value) => Value::Time(value),
            Self::Clock(value) => Value::Clock(value),
        }
    }

    /// A scalar as a property has it: its own type, whatever that is. Several texts are no single value.
    pub fn of_scalar(scalar: &'a Scalar) -> Self {
        match scalar {
            Scalar::Bool(value) => Self::Bool(*value),
            Scalar::Number(value) => Self::Number(*value),
            Scalar::Text(value) => Self::Text(value),
            Scalar::Texts(_) => Self::Unknown,
        }
    }

    /// The order of two values, `None` where they cannot be compared (one unknown, or of other kinds).
    /// A day compares with an instant by the instant's day in the zone, and with a text by the day it writes.
    pub fn order(self, other: Self, zone: &Zone) -> Option<Ordering> {
        Some(match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.cmp(&b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(&b),
            (Self::Date(a), Self::Date(b)) => a.cmp(&b),
            (Self::Time(a), Self::Time(b)) => a.cmp(&b),
            (Self::Clock(a), Self::Clock(b)) => a.cmp(&b),
            (Self::Time(a), Self::Date(b)) => zone.day(a).cmp(&b),
            (Self::Date(a), Self::Time(b)) => a.cmp(&zone.day(b)),
            (Self::Date(a), Self::Text(b)) => a.cmp(&day(b)?),
            (Self::Text(a), Self::Date(b)) => day(a)?.cmp(&b),
            (Self::Clock(a), Self::Text(b)) => a.cmp(&clock(b)?),
            (Self::Text(a), Self::Clock(b)) => clock(a)?.cmp(&b),
            (Self::Time(_), Self::Text(b)) => return self.order(instant(b)?, zone),
            (Self::Text(a), Self::Time(_)) => return instant(a)?.order(other, zone),
            _ => return None,
        })
    }
}

/// Whether an order of two values satisfies an operator; none satisfies it where they cannot be compared,
/// `!=` included.
pub fn satisfies(order: Option<Ordering>, op: Operator) -> bool {
    order.is_some_and(|order| match op {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Less => order.is_lt(),
        Operator::LessEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterEqual => order.is_ge(),
        _ => false,
    })
}

/// Reckons with two values; unknown where one is no number, the result has no room, or a divisor is zero.
pub fn reckon<'a>(op: Operator, left: Val<'_>, right: Val<'_>) -> Val<'a> {
    let (Val::Number(a), Val::Number(b)) = (left, right) else {
        return Val::Unknown;
    };
    let result = match op {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide => a.checked_div(b),
        Operator::Remainder => a.checked_rem(b),
        _ => None,
    };
    result.map_or(Val::Unknown, Val::Number)
}

/// The calendar day a text writes as `YYYY-MM-DD`.
pub fn day(text: &str) -> Option<Day> {
    Day::parse(text)
}

/// The day or the instant (RFC 3339) a text writes.
pub fn instant<'a>(text: &str) -> Option<Val<'a>> {
    day(text).map(Val::Date).or_else(|| Ts::parse(text).map(Val::Time))
}

/// The time of day a text writes as `HH:MM`.
pub fn clock(text: &str) -> Option<u16> {
    let digits = |at: std::ops::Range<usize>| -> Option<u16> {
        let part = text.get(at)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    if text.len() != 5 || text.as_bytes()[2] != b':' {
        return None;
    }
    let (hour, minute) = (digits(0..2)?, digits(3..5)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// Decimals of a sum. Each addend is rounded to these, half away from zero, so that a sum is exact in any
/// order and can be taken back.
const SUM_DECIMALS: u32 = 9;
/// The largest addend.
const ADDEND_MAX: i128 = 1_000_000_000_000_000_000;

/// A number as a whole count of 10⁻⁹; `None` beyond ±10¹⁸.
pub fn addend(number: Decimal) -> Option<i128> {
    if number.scale() == 0 {
        let whole = number.mantissa();
        return (whole.abs() <= ADDEND_MAX).then(|| whole * 10i128.pow(SUM_DECIMALS));
    }
    let rounded = if number.scale() > SUM_DECIMALS {
        number.round_dp_with_strategy(SUM_DECIMALS, RoundingStrategy::MidpointAwayFromZero)
    } else {
        number
    };
    let scaled = rounded.mantissa().checked_mul(10i128.pow(SUM_DECIMALS - rounded.scale()))?;
    (scaled.abs() <= ADDEND_MAX * 10i128.pow(SUM_DECIMALS)).then_some(scaled)
}

/// A sum of addends as a number; unknown where it has no room.
pub fn total<'a>(mut sum: i128) -> Val<'a> {
    let mut scale = SUM_DECIMALS;
    loop {
        match Decimal::try_from_i128_with_scale(sum, scale) {
            Ok(number) => return Val::Number(number),
            Err(_) if scale > 0 && sum % 10 == 0 => {
                sum /= 10;
                scale -= 1;
            }
            Err(_) => return Val::Unknown,
        }
    }
}

/// A sum divided by a count.
pub fn mean<'a>(sum: i128, count: u64) -> Val<'a> {
    if count == 0 {
        return Val::Unknown;
    }
    reckon(Operator::Divide, total(sum), Val::Number(Decimal::from(count)))
}

/// What JSON has no form for is written with a tag.
#[derive(Serialize, Deserialize)]
enum Tagged {
    #[serde(rename = "n")]
    Number(Decimal),
    #[serde(rename = "d")]
    Date(Day),
    #[serde(rename = "t")]
    Time(Ts),
    #[serde(rename = "c")]
    Clock(u16),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tagged = match self {
            Self::Unknown => return serializer.serialize_unit(),
            Self::Bool(value) => return serializer.serialize_bool(*value),
            Self::Text(value) => return serializer.serialize_str(value),
            Self::Number(value) => match i64::try_from(*value) {
                Ok(whole) if value.scale() == 0 => return serializer.serialize_i64(whole),
                _ => Tagged::Number(*value),
            },
            Self::Date(value) => Tagged::Date(*value),
            Self::Time(value) => Tagged::Time(*value),
            Self::Clock(value) => Tagged::Clock(*value),
        };
        tagged.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;
        impl<'de> Visitor<'de> for Reading {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a kept value")
            }
            fn visit_unit<E: Error>(self) -> Result<Value, E> {
                Ok(Value::Unknown)
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Number(value.into()))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
                Ok(Value::Number(value.into()))
            }
            fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
                Ok(Value::Text(value.into()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
                Ok(match Tagged::deserialize(MapAccessDeserializer::new(map))? {
                    Tagged::Number(value) => Value::Number(value),
                    Tagged::Date(value) => Value::Date(value),
                    Tagged::Time(value) => Value::Time(value),
                    Tagged::Clock(value) => Value::Clock(value),
                })
            }
        }
        deserializer.deserialize_any(Reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_in_any_order_and_beyond_room_unknown() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(addend(number("0.0000000005")), Some(1));
        assert_eq!(addend(number("-0.0000000005")), Some(-1));
        assert_eq!(addend(number("1000000000000000000")), Some(10i128.pow(27)));
        assert_eq!(addend(number("1000000000000000001")), None);
        assert_eq!(total(10i128.pow(27) + 1), Val::Number(number("1000000000000000000.000000001")));
        assert_eq!(total(10i128.pow(36)), Val::Number(number("1000000000000000000000000000")));
        assert_eq!(total(10i128.pow(36) + 1), Val::Unknown);
    }

    #[test]
    fn a_kept_value_survives_json() {
        for value in [
            Value::Unknown,
            Value::Bool(true),
            Value::Number("1.5".parse().unwrap()),
            Value::Number(Decimal::from(-7)),
            Value::Number(Decimal::MAX),
            Value::Text("7".into()),
            Value::Date(Day(7)),
            Value::Time(Ts(-7)),
            Value::Clock(7),
        ] {
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value, "{json}");
        }
    }

    #[test]
    fn a_time_of_day_is_hours_and_minutes() {
        assert_eq!(clock("19:30"), Some(1170));
        for text in ["24:00", "9:30", "19:60", "19-30", "+9:30", "19:3é"] {
            assert_eq!(clock(text), None, "{text}");
        }
    }
}
