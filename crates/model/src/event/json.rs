//! Reading JSON from outside: bounded in size and depth, without duplicate keys, and written back in one
//! canonical form (sorted keys, no white space), so that equal items have equal bytes.

use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::Refusal;
use crate::money::parse_decimal;
use crate::scalar::Scalar;

/// The deepest nesting an item may have.
pub const DEPTH_MAX: usize = 32;

/// The most characters of a number that is written out; others have an exponent.
const FLOAT_CHARS_MAX: usize = 40;

/// A JSON value. Numbers keep the shortest text that names them, so that amounts stay decimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number of 64 bits, exact.
    Number(String),
    /// Any other number, as the shortest text of its double: good as an amount, never as a name.
    Float(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object with sorted keys.
    Object(BTreeMap<String, Json>),
}

impl Json {
    /// Parses bytes; the refusal names what is wrong and where.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(bytes)
            .map_err(|e| Refusal::new("not_utf8", "", format!("byte {} is not UTF-8", e.valid_up_to())))?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let value = Node { depth: 0 }.deserialize(&mut reader).map_err(named)?;
        reader.end().map_err(named)?;
        Ok(value)
    }

    /// The member of an object.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Self::Object(map) => map.get(key).filter(|value| **value != Self::Null),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text, or a whole number as text: clients send ids as either. A number that is kept as a double is no name: long ones
    /// would be rounded to one another.
    pub fn text_or_number(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }

    /// The value as a scalar, if it is one we keep.
    pub fn scalar(&self) -> Option<Scalar> {
        match self {
            Self::Bool(value) => Some(Scalar::Bool(*value)),
            Self::Number(text) | Self::Float(text) => {
                Some(parse_decimal(text).map_or_else(|_| Scalar::Text(text.clone()), Scalar::Number))
            }
            Self::Text(text) => Some(Scalar::Text(text.clone())),
            Self::List(list) => {
                list.iter().map(|v| v.text().map(str::to_owned)).collect::<Option<_>>().map(Scalar::Texts)
            }
            Self::Null | Self::Object(_) => None,
        }
    }

    /// A number, or a text that is one.
    pub fn decimal(&self) -> Option<Result<Decimal, crate::money::MoneyError>> {
        match self {
            Self::Text(text) | Self::Number(text) | Self::Float(text) => Some(parse_decimal(text)),
            _ => None,
        }
    }

    /// Appends the canonical form.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(text) | Self::Float(text) => out.push_str(text),
            Self::Text(text) => write_text(text, out),
            Self::List(list) => {
                out.push('[');
                for (i, value) in list.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    value.write(out);
                }
                out.push(']');
            }
            Self::Object(map) => {
                out.push('{');
                for (i, (key, value)) in map.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_text(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Appends a JSON text with its quotes.
pub fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    // All that is escaped is ASCII, so a text can be cut there.
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte => out.push_str(&format!("\\u{byte:04x}")),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// Our own refusals travel through serde's error as `code|message`; everything else is bad JSON.
fn named(error: serde_json::Error) -> Refusal {
    let text = error.to_string();
    for code in ["duplicate_key", "too_deep"] {
        if let Some(rest) = text.strip_prefix(code).and_then(|rest| rest.strip_prefix('|')) {
            return Refusal::new(code, "", rest.to_owned());
        }
    }
    Refusal::new("bad_json", "", text)
}

struct Node {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Json;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    /// The shortest text of a double is the decimal that was written, up to 15 significant digits;
    /// [`crate::money::Money::MAX`] keeps amounts below that.
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Json, E> {
        let text = value.to_string();
        // Written out, the largest doubles have 309 digits: nobody's amounts, but a way to make a short item long.
        Ok(Json::Float(if text.len() > FLOAT_CHARS_MAX { format!("{value:e}") } else { text }))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let depth = self.deeper()?;
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(Node { depth })? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let depth = self.deeper()?;
        let mut map = BTreeMap::new();
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(Node { depth })?;
            if map.contains_key(&key) {
                return Err(de::Error::custom(format!("duplicate_key|the key {key:?} stands twice")));
            }
            map.insert(key, value);
        }
        Ok(Json::Object(map))
    }
}

impl Node {
    fn deeper<E: de::Error>(&self) -> Result<usize, E> {
        if self.depth >= DEPTH_MAX {
            return Err(de::Error::custom(format!("too_deep|nested deeper than {DEPTH_MAX} levels")));
        }
        Ok(self.depth + 1)
    }
}
