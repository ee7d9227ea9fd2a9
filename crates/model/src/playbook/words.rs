//! What values of a playbook look like before they are checked: phrases, conditions, names, ordered maps.
//!
//! Each says in its errors what it expects, and in the JSON Schema what an editor may complete.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// The name under which a type asks the reader for a scalar as it is written.
pub(super) const SCALAR: &str = "the scalar as written";

struct ScalarVisitor(&'static str);

impl Visitor<'_> for ScalarVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

/// Declares a type of phrase: its expectation, the pattern for editors, examples.
macro_rules! phrases {
    ($($(#[$doc:meta])* $name:ident = $expects:literal, $pattern:literal, [$($example:literal),+];)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub(in crate::playbook) struct $name(pub String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_newtype_struct(SCALAR, ScalarVisitor($expects)).map(Self)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": $expects, "type": "string", "pattern": $pattern, "examples": [$($example),+],
                })
            }
        }
    )+};
}

pub(super) mod campaign;
pub(super) mod offer;

phrases! {
    /// A number of days.
    DaysPhrase = "a number of days such as `7d`", r"^\d+d$", ["7d", "365d"];
    /// What is earned.
    EarnPhrase = "what is earned, such as `1 per 1 paid`", r"^\d+ per \d+ paid$", ["1 per 1 paid", "10 per 1 paid"];
    /// What points are worth.
    WorthPhrase = "what points are worth, such as `1 per 100`", r"^\d+ per \d+( points)?$", ["1 per 100"];
    /// The most that is earned.
    MostPhrase = "the most that is earned, such as `500 per member per day`", r"^\d+ per member per day$", ["500 per member per day"];
    /// How often a value may change.
    ChangesPhrase = "how often it may change, such as `once per 365d`", r"^once per \d+d$", ["once per 365d"];
    /// When points are lost.
    ExpiryPhrase = "when points are lost, such as `end of next calendar year`",
        r"^(never|end of (next )?calendar year|\d+d after earning)$",
        ["end of next calendar year", "end of calendar year", "365d after earning", "never"];
    /// A calendar day.
    DayPhrase = "a day such as `2020-05-23`", r"^\d{4}-\d{2}-\d{2}$", ["2020-05-23"];
    /// How many names a person may have, and within which time.
    LimitPhrase = "a limit such as `3 ever`", r"^\d+( (ever|weekly|monthly|annually))?$", ["3 ever", "5 monthly"];
    /// A value that names nobody.
    Blocked = "a value that names nobody", r"^.{1,255}$", ["+8613800000000"];
    /// A version of a text.
    Version = "a version such as `2026-01`", r"^.{1,64}$", ["2026-01"];
    /// What a level's benefits are for.
    AimPhrase = "aims such as `referral and basket`",
        r"^(frequency|habit|referral|basket|retention)((,| and|, and) (frequency|habit|referral|basket|retention))*$",
        ["frequency", "referral and basket", "retention, frequency and basket"];
}

/// A multiplier, as a number.
#[derive(Clone, Debug)]
pub(super) struct TimesNumber(pub String);

impl<'de> Deserialize<'de> for TimesNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = ScalarVisitor("a multiplier such as `2` or `1.5`");
        deserializer.deserialize_newtype_struct(SCALAR, visitor).map(Self)
    }
}

impl JsonSchema for TimesNumber {
    fn schema_name() -> Cow<'static, str> {
        "TimesNumber".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a multiplier such as `2` or `1.5`, to three decimals",
            "type": "number", "minimum": 0, "maximum": 100, "multipleOf": 0.001, "examples": [2, 1.5],
        })
    }
}

/// A condition's text; `true` and `false` may stand without quotes.
#[derive(Clone, Debug)]
pub(super) struct Condition(pub String);

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ConditionVisitor;
        impl Visitor<'_> for ConditionVisitor {
            type Value = Condition;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a condition such as `size(orders) >= 4`")
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Condition, E> {
                Ok(Condition(value.to_string()))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Condition, E> {
                Ok(Condition(text.to_owned()))
            }
        }
        deserializer.deserialize_any(ConditionVisitor)
    }
}

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a condition in the condition language",
            "type": ["string", "boolean"],
            "examples": ["size(within(orders, \"365d\")) >= 4", "tier == \"gold\"", true],
        })
    }
}

/// A name: one text for every language, or one for each.
#[derive(Clone, Debug, Default)]
pub(super) struct RawNames {
    pub zh: Option<String>,
    pub en: Option<String>,
}

/// A name in each language.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a name in each language")]
struct NameByLanguage {
    /// In Chinese.
    zh: Option<String>,
    /// In English.
    en: Option<String>,
}

impl<'de> Deserialize<'de> for RawNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamesVisitor;
        impl<'de> Visitor<'de> for NamesVisitor {
            type Value = RawNames;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name such as `Gold` or `{ zh: 金卡, en: Gold }`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawNames, E> {
                Ok(RawNames { zh: Some(text.to_owned()), en: Some(text.to_owned()) })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawNames, A::Error> {
                let NameByLanguage { zh, en } = Deserialize::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawNames { zh, en })
            }
        }
        deserializer.deserialize_any(NamesVisitor)
    }
}

impl JsonSchema for RawNames {
    fn schema_name() -> Cow<'static, str> {
        "Names".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let by_language = generator.subschema_for::<NameByLanguage>();
        json_schema!({
            "description": "one text for every language, or one for each",
            "anyOf": [{ "type": "string" }, by_language],
            "examples": [{ "zh": "金卡", "en": "Gold" }],
        })
    }
}

/// A map of ids in the order of the file. In a playbook that extends another, an id without a value removes it.
#[derive(Clone, Debug)]
pub(super) struct ById<T>(pub Vec<(String, T)>);

impl<T> Default for ById<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ById<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByIdVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ByIdVisitor<T> {
            type Value = ById<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of ids")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ById<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(ById(entries))
            }
        }
        deserializer.deserialize_map(ByIdVisitor(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for ById<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("ById_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<Option<T>>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}

/// One way to earn, or a multiplier: a phrase, or a map with conditions.
#[derive(Clone, Debug, Default)]
pub(super) struct RawEarn {
    pub earn: Option<EarnPhrase>,
    pub times: Option<TimesNumber>,
    pub who: Option<Condition>,
    pub when: Option<Condition>,
}

/// One way to earn, or a multiplier of what is earned.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a way to earn")]
struct EarnWithConditions {
    /// What is earned.
    earn: Option<EarnPhrase>,
    /// What is earned, so many times.
    times: Option<TimesNumber>,
    /// Members for whom it is.
    who: Option<Condition>,
    /// Orders and moments for which it is.
    when: Option<Condition>,
}

impl<'de> Deserialize<'de> for RawEarn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EarnVisitor;
        impl<'de> Visitor<'de> for EarnVisitor {
            type Value = RawEarn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`1 per 1 paid` or `{ times: 2, who: … }`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawEarn, E> {
                Ok(RawEarn { earn: Some(EarnPhrase(text.to_owned())), ..RawEarn::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawEarn, A::Error> {
                let EarnWithConditions { earn, times, who, when } =
                    Deserialize::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawEarn { earn, times, who, when })
            }
        }
        deserializer.deserialize_any(EarnVisitor)
    }
}

impl JsonSchema for RawEarn {
    fn schema_name() -> Cow<'static, str> {
        "Earn".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let phrase = generator.subschema_for::<EarnPhrase>();
        let with_conditions = generator.subschema_for::<EarnWithConditions>();
        json_schema!({ "anyOf": [phrase, with_conditions] })
    }
}

/// Aims: a phrase, or a list.
#[derive(Clone, Debug)]
pub(super) enum RawAims {
    Phrase(String),
    List(Vec<AimPhrase>),
}

impl<'de> Deserialize<'de> for RawAims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AimsVisitor;
        impl<'de> Visitor<'de> for AimsVisitor {
            type Value = RawAims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("aims such as `referral and basket`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawAims, E> {
                Ok(RawAims::Phrase(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RawAims, A::Error> {
                let mut aims = Vec::new();
                while let Some(aim) = list.next_element()? {
                    aims.push(aim);
                }
                Ok(RawAims::List(aims))
            }
        }
        deserializer.deserialize_any(AimsVisitor)
    }
}

impl JsonSchema for RawAims {
    fn schema_name() -> Cow<'static, str> {
        "Aims".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let phrase = generator.subschema_for::<AimPhrase>();
        json_schema!({ "anyOf": [phrase, { "type": "array", "items": phrase }] })
    }
}
