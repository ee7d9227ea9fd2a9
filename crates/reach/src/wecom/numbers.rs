//! Numbers that the platform writes now as numbers, now as texts.

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::Value;

/// A whole number, or a text of one; an empty text is 0.
pub(crate) fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    match Value::deserialize(from)? {
        Value::Number(number) => number.as_i64().ok_or_else(|| D::Error::custom("no whole number")),
        Value::String(text) if text.is_empty() => Ok(0),
        Value::String(text) => text.parse().map_err(D::Error::custom),
        _ => Err(D::Error::custom("no number")),
    }
}
