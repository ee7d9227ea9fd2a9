//! Words of campaigns: what sets one off, times, shares, caps.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use super::{SCALAR, ScalarVisitor};

phrases! {
    /// What sets a campaign off.
    TriggerPhrase = "what sets it off, such as `enters gone_quiet`, `event Order Completed`, `every wed at 10:00 in members` or `3d before birthday at 10:00`",
        r"^(command|event .+|(enters|leaves) \S+|every \S+ at \d{2}:\d{2} in \S+|(\d+d (before|after)|on) \S+ at \d{2}:\d{2})$",
        ["event Order Completed", "enters gone_quiet", "leaves gone_quiet", "every wed at 10:00 in members", "3d before birthday at 10:00", "command"];
    /// What a campaign is for.
    GoalPhrase = "an event and a time, such as `Order Completed within 15d`", r"^.+ within \d+[dhm]$", ["Order Completed within 15d"];
    /// How often a member goes through a campaign.
    AgainPhrase = "how often, such as `once`, `after exit`, `after 30d`, `per order_id` or `at most 3`",
        r"^(once|after exit|after \d+d|per \S+|at most \d+)$", ["once", "after exit", "after 30d", "per order_id", "at most 3"];
    /// How time passes.
    WaitPhrase = "a time such as `3d`, `2h`, `until 10:00` or `until fri 18:00`", r"^(\d+[dhm]|until ((mon|tue|wed|thu|fri|sat|sun) )?\d{2}:\d{2})$",
        ["3d", "2h", "until 10:00", "until fri 18:00"];
    /// For how long something is waited for.
    WithinPhrase = "a time such as `3d` or `2h`", r"^\d+[dhm]$", ["3d", "2h"];
    /// A share of members.
    SharePhrase = "a share such as `10%`, to two decimals", r"^\d+(\.\d{1,2})?%$", ["10%", "2.5%"];
    /// A time of day, from and to.
    QuietPhrase = "from when to when, such as `22:00-08:00`", r"^\d{2}:\d{2}-\d{2}:\d{2}$", ["22:00-08:00"];
    /// The most that is sent to a member.
    CapPhrase = "a cap such as `2 per member per 7d` or `1 inbox per member per day`",
        r"^\d+( \S+)? per member per (day|week|month|\d+[dh])$", ["2 per member per 7d", "1 inbox per member per day"];
    /// The most that a channel takes.
    QuotaPhrase = "a quota such as `10000 per day`", r"^\d+ per day$", ["10000 per day"];
    /// At which time of day something is sent.
    SendAtPhrase = "a time such as `best_hour`, `19:30-00:30` or `best_hour within 19:30-00:30`",
        r"^(best_hour( within \d{2}:\d{2}-\d{2}:\d{2})?|\d{2}:\d{2}-\d{2}:\d{2})$",
        ["best_hour", "19:30-00:30", "best_hour within 19:30-00:30"];
    /// How much of what was sent in two hours of the day was seen.
    HourPhrase = "how much was seen of what was sent from an hour on, such as `20:00 30 of 100`", r"^\d{2}:00 \d+ of \d+$", ["20:00 30 of 100"];
    /// What a webhook is told.
    PassedPhrase = "a text, or what a variable stands for, such as `{{ tier }}`", r"^.{1,255}$", ["mug", "{{ tier }}"];
    /// A value of an attribute.
    ValueScalar = "a text, a number, or true or false", r"^.{1,255}$", ["regular", "3"];
}

/// One text, or several.
#[derive(Clone, Debug)]
pub(in crate::playbook) enum RawSeveral {
    One(String),
    Several(Vec<String>),
}

impl<'de> Deserialize<'de> for RawSeveral {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SeveralVisitor;
        impl<'de> Visitor<'de> for SeveralVisitor {
            type Value = RawSeveral;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or several")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawSeveral, E> {
                Ok(RawSeveral::One(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RawSeveral, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(RawSeveral::Several(texts))
            }
        }
        deserializer.deserialize_any(SeveralVisitor)
    }
}

impl JsonSchema for RawSeveral {
    fn schema_name() -> Cow<'static, str> {
        "Several".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
    }
}
