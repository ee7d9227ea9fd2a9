//! From the tree to the raw types: a serde deserializer over [`Node`]s that goes on after a problem.
//!
//! serde stops at the first error. Here the value at fault is told, taken out of the tree, and reading begins
//! again, so that one run tells all. What depends on something taken out stays silent ([`Node::taken`]).

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Expected, IntoDeserializer, Unexpected, Visitor};
use serde_path_to_error::Segment;

use super::nearest::nearest;
use super::problem::{MAX_PROBLEMS, Problem};
use super::raw::RawPlaybook;
use super::words::SCALAR;
use super::yaml::{self, Kind, Node, Scalar, Taken, Value};

/// Reads the raw playbook and gives it with the tree it stands for.
pub(super) fn read(mut tree: Node, problems: &mut Vec<Problem>) -> Option<(RawPlaybook, Node)> {
    for _ in 0..MAX_PROBLEMS {
        match serde_path_to_error::deserialize::<_, RawPlaybook>(&tree) {
            Ok(raw) => return Some((raw, tree)),
            Err(error) => {
                let segments: Vec<Segment> = error.path().iter().cloned().collect();
                let taken = take_out(&mut tree, &segments, error.inner());
                let Some(problem) = taken else {
                    let ReadError { message, allowed, .. } = error.into_inner();
                    problems.push(tree.problem(message, allowed));
                    return None;
                };
                problems.push(problem);
            }
        }
    }
    None
}

/// Takes the value at fault out of the tree and says what is wrong with it; `None` if it is the whole.
fn take_out(node: &mut Node, segments: &[Segment], error: &ReadError) -> Option<Problem> {
    // Variants and options are steps of serde's, not of the file.
    let steps: Vec<&Segment> =
        segments.iter().filter(|s| matches!(s, Segment::Map { .. } | Segment::Seq { .. })).collect();
    let (last, inner) = steps.split_last()?;
    let mut parent = node;
    for step in inner {
        parent = match (step, &mut parent.value) {
            (Segment::Map { key }, Value::Map(entries)) => {
                &mut entries.iter_mut().find(|entry| entry.key == *key)?.node
            }
            (Segment::Seq { index }, Value::List(elements)) => elements.get_mut(*index)?,
            _ => return None,
        };
    }
    match (last, &mut parent.value) {
        (Segment::Map { key }, Value::Map(entries)) => {
            let position = entries.iter().position(|entry| entry.key == *key)?;
            let entry = entries.remove(position);
            let taken = if error.at_key { Taken::UnknownKey } else { Taken::Key(key.clone()) };
            parent.taken.push(taken);
            let mark = if error.at_key { &entry.key_mark } else { &entry.node.mark };
            Some(mark.problem(&yaml::join(&parent.path, key), &error.message, error.allowed.clone()))
        }
        (Segment::Seq { index }, Value::List(elements)) if *index < elements.len() => {
            let element = elements.remove(*index);
            parent.taken.push(Taken::Element);
            Some(element.problem(&error.message, error.allowed.clone()))
        }
        _ => None,
    }
}

/// Why a value could not be read.
#[derive(Debug)]
pub(super) struct ReadError {
    message: String,
    allowed: Option<String>,
    /// The key is at fault, not its value.
    at_key: bool,
}

impl std::error::Error for ReadError {}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), allowed: None, at_key: false }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("expected {}, found {}", Wanted(expected), Found(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let hint = suggestion(field, expected);
        let message = match field {
            "<<" => "merge keys are not used here; a playbook `extends` another".to_owned(),
            _ => format!("there is no such key here{hint}"),
        };
        Self { message, allowed: Some(expected.join(", ")), at_key: true }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let hint = suggestion(variant, expected);
        Self {
            message: format!("`{}` is not one of the choices{hint}", short(variant)),
            allowed: Some(expected.join(", ")),
            at_key: false,
        }
    }
}

fn suggestion(written: &str, expected: &'static [&'static str]) -> String {
    nearest(written, expected.iter().copied())
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default()
}

/// The beginning of a text, to be shown.
pub(super) fn short(text: &str) -> String {
    let mut shown: String = text.chars().take(40).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// What serde's own visitors expect, in the words of the file.
struct Wanted<'a>(&'a dyn Expected);

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = self.0.to_string();
        f.write_str(match wanted.as_str() {
            "a string" => "a text",
            "a sequence" => "a list",
            "a boolean" => "true or false",
            "i64" | "u64" | "u32" | "u16" => "a whole number",
            other if other.starts_with("enum ") => "one of the choices",
            other => other,
        })
    }
}

struct Found<'a>(Unexpected<'a>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Bool(value) => write!(f, "{value}"),
            Unexpected::Signed(value) => write!(f, "the number {value}"),
            Unexpected::Unsigned(value) => write!(f, "the number {value}"),
            Unexpected::Str(text) => write!(f, "the text {:?}", short(text)),
            Unexpected::Seq => f.write_str("a list"),
            Unexpected::Map => f.write_str("a map of keys"),
            Unexpected::Unit => f.write_str("nothing"),
            Unexpected::Other(what) => f.write_str(what),
            ref other => write!(f, "{other}"),
        }
    }
}

fn mistaken(node: &Node, expected: &dyn Expected) -> ReadError {
    let scalar = match &node.value {
        Value::List(_) => return de::Error::invalid_type(Unexpected::Seq, expected),
        Value::Map(_) => return de::Error::invalid_type(Unexpected::Map, expected),
        Value::Scalar(scalar) => scalar,
    };
    match scalar.kind() {
        Kind::Null => de::Error::invalid_type(Unexpected::Unit, expected),
        Kind::Bool(value) => de::Error::invalid_type(Unexpected::Bool(value), expected),
        Kind::Whole | Kind::Number => {
            let what = format!("the number {}", short(&scalar.text));
            de::Error::invalid_type(Unexpected::Other(&what), expected)
        }
        Kind::Text => de::Error::invalid_type(Unexpected::Str(&scalar.text), expected),
    }
}

impl<'de> de::Deserializer<'de> for &'de Node {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.value {
            Value::List(elements) => visitor.visit_seq(Elements(elements.iter())),
            Value::Map(entries) => visitor.visit_map(Entries { entries: entries.iter(), value: None }),
            Value::Scalar(scalar) => match scalar.kind() {
                Kind::Bool(value) => visitor.visit_bool(value),
                Kind::Text => visitor.visit_str(&scalar.text),
                Kind::Null | Kind::Whole | Kind::Number => Err(mistaken(self, &visitor)),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_some(self)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.scalar() {
            Some(scalar) if scalar.kind() == Kind::Text => visitor.visit_str(&scalar.text),
            Some(scalar) if scalar.kind() != Kind::Null => {
                let mut error = mistaken(self, &visitor);
                error.allowed = Some(format!("{:?}, in quotes", short(&scalar.text)));
                Err(error)
            }
            _ => Err(mistaken(self, &visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.scalar() {
            Some(scalar) if scalar.kind() == Kind::Whole => match scalar.text.parse::<i64>() {
                Ok(value) => visitor.visit_i64(value),
                Err(_) => Err(out_of_range(scalar)),
            },
            _ => Err(mistaken(self, &visitor)),
        }
    }

    /// Scalars that a phrase is read from come as they are written, number or text.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match self.scalar() {
            Some(scalar) if name == SCALAR && scalar.kind() != Kind::Null => visitor.visit_str(&scalar.text),
            None if name == SCALAR => self.deserialize_any(visitor),
            _ if name == SCALAR => Err(mistaken(self, &visitor)),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match self.scalar() {
            Some(scalar) if scalar.kind() != Kind::Null => {
                let text: StrDeserializer<'_, ReadError> = scalar.text.as_str().into_deserializer();
                visitor.visit_enum(text)
            }
            _ => {
                let mut error = mistaken(self, &"one of the choices");
                error.allowed = Some(variants.join(", "));
                Err(error)
            }
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.value {
            Value::List(elements) => visitor.visit_seq(Elements(elements.iter())),
            _ => Err(mistaken(self, &visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.value {
            Value::Map(entries) => visitor.visit_map(Entries { entries: entries.iter(), value: None }),
            _ => Err(mistaken(self, &visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_map(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
        tuple_struct ignored_any
    }
}

fn out_of_range(scalar: &Scalar) -> ReadError {
    ReadError {
        message: format!("the number {} is out of range", short(&scalar.text)),
        allowed: Some(format!("{} to {}", i64::MIN, i64::MAX)),
        at_key: false,
    }
}

struct Elements<'de>(std::slice::Iter<'de, Node>);

impl<'de> de::SeqAccess<'de> for Elements<'de> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        self.0.next().map(|node| seed.deserialize(node)).transpose()
    }
}

struct Entries<'de> {
    entries: std::slice::Iter<'de, yaml::Entry>,
    value: Option<&'de Node>,
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some(entry) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(&entry.node);
        seed.deserialize(StrDeserializer::new(&entry.key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        match self.value.take() {
            Some(node) => seed.deserialize(node),
            None => Err(de::Error::custom("a value was asked for before its key")),
        }
    }
}
