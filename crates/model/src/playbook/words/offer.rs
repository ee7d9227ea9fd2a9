//! Words of offers: money, percentages, limits, budgets.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{ById, SCALAR, ScalarVisitor};

phrases! {
    /// An amount of money.
    MoneyPhrase = "an amount such as `68` or `9.9`", r"^\d+(\.\d+)?$", ["68", "9.9"];
    /// The most that is taken off.
    AtMostPhrase = "an amount such as `20`", r"^\d+(\.\d+)?$", ["20"];
    /// A percentage that is paid.
    PercentPhrase = "what is paid, such as `88%`", r"^\d+(\.\d{1,2})?%$", ["88%", "89.5%"];
    /// How often something may be used.
    UseLimitPhrase = "a limit such as `1 per member per day`",
        r"^\d+ (in all|per member)( (in all|per (day|week|month|campaign)))?$|^\d+ per (day|week|month|campaign)$",
        ["1 per member per day", "1 per member", "300 in all", "100 per day"];
    /// What something may cost in all.
    BudgetPhrase = "a budget such as `10000` or `500 pieces`", r"^\d+(\.\d+)?( pieces)?$", ["10000", "500 pieces"];
    /// For how long something is valid.
    ValidPhrase = "a time such as `7d`, `2h` or `15m`", r"^\d+[dhm]$", ["7d", "2h", "15m"];
    /// A day, or a day and a time of it.
    MomentPhrase = "a day such as `2020-06-01`, or a time such as `2020-06-01 10:00`",
        r"^\d{4}-\d{2}-\d{2}( \d{2}:\d{2})?$", ["2020-06-01", "2020-06-01 10:00"];
    /// What becomes of shipping.
    ShippingPhrase = "`free`, or so much off shipping", r"^(free|\d+(\.\d+)?)$", ["free", "5"];
}

/// Money off: an amount, or one for each tier.
#[derive(Clone, Debug)]
pub(in crate::playbook) enum RawOff {
    Fixed(String),
    ByTier(ById<MoneyPhrase>),
}

impl<'de> Deserialize<'de> for RawOff {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OffVisitor;
        impl<'de> Visitor<'de> for OffVisitor {
            type Value = RawOff;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount such as `8`, or one for each tier")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawOff, E> {
                Ok(RawOff::Fixed(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawOff, A::Error> {
                let mut tiers = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    tiers.push(entry);
                }
                Ok(RawOff::ByTier(ById(tiers)))
            }
        }
        deserializer.deserialize_newtype_struct(SCALAR, OffVisitor)
    }
}

impl JsonSchema for RawOff {
    fn schema_name() -> Cow<'static, str> {
        "Off".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let money = generator.subschema_for::<MoneyPhrase>();
        json_schema!({ "anyOf": [money, { "type": "number" }, { "type": "object", "additionalProperties": money }] })
    }
}

/// One limit, or several.
#[derive(Clone, Debug)]
pub(in crate::playbook) enum RawLimits {
    One(String),
    Several(Vec<UseLimitPhrase>),
}

impl<'de> Deserialize<'de> for RawLimits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LimitsVisitor;
        impl<'de> Visitor<'de> for LimitsVisitor {
            type Value = RawLimits;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a limit such as `1 per member per day`, or several")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawLimits, E> {
                Ok(RawLimits::One(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RawLimits, A::Error> {
                let mut limits = Vec::new();
                while let Some(limit) = list.next_element()? {
                    limits.push(limit);
                }
                Ok(RawLimits::Several(limits))
            }
        }
        deserializer.deserialize_any(LimitsVisitor)
    }
}

impl JsonSchema for RawLimits {
    fn schema_name() -> Cow<'static, str> {
        "Limits".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let phrase = generator.subschema_for::<UseLimitPhrase>();
        json_schema!({ "anyOf": [phrase, { "type": "array", "items": phrase }] })
    }
}
