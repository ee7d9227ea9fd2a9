//! One text per playbook: the canonical JSON that names a version, and the source a database keeps.

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::Playbook;
use super::extend::Loaded;
use super::problem::Problem;
use super::yaml::{self, Kind, Node, Value};
use crate::money::Currency;
use crate::time::{Day, Zone};

/// How a playbook was written. Never makes two playbooks differ.
#[derive(Clone, Debug)]
pub(super) struct Source(String);

impl PartialEq for Source {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Source {
    /// The text itself where it stands alone, else the merged tree written anew. `None`, with a problem, if
    /// that would be more than a file may hold, so that what is stored can always be read again.
    pub(super) fn of(loaded: &Loaded, text: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        if !loaded.extended {
            return Some(Self(text.to_owned()));
        }
        let mut written = String::new();
        write_block(&loaded.tree, 0, &mut written);
        if written.len() > yaml::MAX_BYTES || loaded.tree.n_nodes() > yaml::MAX_NODES {
            let message = "with what it extends, the playbook is too large";
            let allowed = format!("at most 1 MiB and {} values", yaml::MAX_NODES);
            problems.push(loaded.tree.problem(message, Some(allowed)));
            return None;
        }
        Some(Self(written))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// Serializes a zone as its name.
pub(super) fn zone<S: Serializer>(zone: &Zone, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}

/// Serializes a currency as its code.
pub(super) fn currency<S: Serializer>(currency: &Currency, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&currency.code)
}

/// Serializes a day as `YYYY-MM-DD`.
pub(super) fn day<S: Serializer>(day: &Option<Day>, serializer: S) -> Result<S::Ok, S::Error> {
    day.map(|day| day.to_string()).serialize(serializer)
}

impl Playbook {
    /// The playbook as JSON with sorted keys and without places, comments or anything that does not change
    /// what it promises. What has its default is left out, so that a key added in a later release does
    /// not rename the versions of earlier ones.
    pub fn canonical_json(&self) -> String {
        let mut json = serde_json::to_value(self).expect("a playbook is maps, lists, texts and numbers");
        drop_nulls(&mut json);
        let mut written = String::new();
        write_sorted(&json, &mut written);
        written
    }

    /// The BLAKE3 hash of the canonical JSON, 64 hexadecimal digits: the name of this version.
    pub fn hash(&self) -> String {
        blake3::hash(self.canonical_json().as_bytes()).to_hex().to_string()
    }
}

fn drop_nulls(json: &mut Json) {
    match json {
        Json::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Json::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn write_sorted(json: &Json, out: &mut String) {
    match json {
        Json::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Json::from(key.as_str()).to_string());
                out.push(':');
                write_sorted(&map[key], out);
            }
            out.push('}');
        }
        Json::Array(list) => {
            out.push('[');
            for (i, value) in list.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_sorted(value, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// Writes a tree as YAML: maps and lists in blocks, texts that could be mistaken in double quotes.
fn write_block(node: &Node, indent: usize, out: &mut String) {
    let margin = "  ".repeat(indent);
    match &node.value {
        Value::Scalar(_) => out.push_str(&inline(node)),
        Value::List(elements) => {
            for element in elements {
                out.push_str(&margin);
                out.push('-');
                write_value(element, indent, out);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                out.push_str(&margin);
                out.push_str(&quoted_if_needed(&entry.key));
                out.push(':');
                write_value(&entry.node, indent, out);
            }
        }
    }
}

fn write_value(node: &Node, indent: usize, out: &mut String) {
    let is_empty = match &node.value {
        Value::Scalar(_) => true,
        Value::List(elements) => elements.is_empty(),
        Value::Map(entries) => entries.is_empty(),
    };
    if is_empty {
        out.push(' ');
        out.push_str(&inline(node));
        out.push('\n');
    } else {
        out.push('\n');
        write_block(node, indent + 1, out);
    }
}

fn inline(node: &Node) -> String {
    match &node.value {
        Value::List(_) => "[]".to_owned(),
        Value::Map(_) => "{}".to_owned(),
        Value::Scalar(scalar) if scalar.kind() != Kind::Text => scalar.text.clone(),
        Value::Scalar(scalar) => quoted_if_needed(&scalar.text),
    }
}

/// A text as it may stand in a file: plain if no reader could mistake it, else as a JSON string, which is a
/// double-quoted scalar.
fn quoted_if_needed(text: &str) -> String {
    let inner = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/');
    let plain = text.chars().next().is_some_and(char::is_alphabetic)
        && text.chars().all(inner)
        && !text.ends_with(' ')
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off"
        );
    if plain { text.to_owned() } else { Json::from(text).to_string() }
}
