//! YAML text → a tree in which every key and value knows its file, line and column.
//!
//! A playbook is one document of maps, lists and scalars. Numbers keep their text, so nothing becomes a float.
//! What a file could do to hurt us is bounded here: its size, its depth, what its aliases multiply.

mod build;

use std::sync::Arc;

pub(super) use build::{MAX_BYTES, MAX_NODES, read};

use super::problem::{Location, Problem, Run};

/// Where a key or a value begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub file: Arc<str>,
    pub line: usize,
    pub column: usize,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub value: Value,
    pub mark: Mark,
    /// The path of keys, set once files are merged.
    pub path: String,
    /// Keys that were taken out because they could not be read.
    pub taken: Vec<Taken>,
}

/// What could not be read and was taken out of a map or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// The value of a known key.
    Key(String),
    /// A key that nobody knows: it may have been meant for any other.
    UnknownKey,
    /// An element of a list.
    Element,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A scalar: its text, and whether it was written without quotes.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub text: String,
    pub plain: bool,
    pub runs: Vec<Run>,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    pub key_mark: Mark,
    pub node: Node,
}

/// What a scalar is by the core schema of YAML 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    /// A whole number, of any length.
    Whole,
    /// Another number, an infinity or NaN.
    Number,
    Text,
}

impl Mark {
    /// A problem here.
    pub(super) fn problem(&self, path: &str, message: impl Into<String>, allowed: Option<String>) -> Problem {
        Problem {
            file: self.file.to_string(),
            line: self.line,
            column: self.column,
            path: path.to_owned(),
            message: message.into(),
            allowed,
        }
    }
}

impl Node {
    /// A value at a place, as it is read.
    pub(super) fn new(value: Value, mark: Mark) -> Self {
        Self { value, mark, path: String::new(), taken: Vec::new() }
    }

    /// Whether a key may be missing only because it could not be read.
    pub(super) fn has_lost(&self, key: &str) -> bool {
        self.taken.iter().any(|taken| match taken {
            Taken::Key(lost) => lost == key,
            Taken::UnknownKey => true,
            Taken::Element => false,
        })
    }

    /// Whether anything was taken out of it.
    pub(super) fn is_broken(&self) -> bool {
        !self.taken.is_empty()
    }

    /// The value of a key, if this is a map that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The entry of a key, if this is a map that has it.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The elements, if this is a list.
    pub(super) fn elements(&self) -> &[Node] {
        match &self.value {
            Value::List(elements) => elements,
            _ => &[],
        }
    }

    /// The scalar, if it is one.
    pub(super) fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Whether it says nothing: `~`, `null` or no value at all.
    pub(super) fn is_null(&self) -> bool {
        self.scalar().is_some_and(|scalar| scalar.kind() == Kind::Null)
    }

    /// Its place, with that of each character of its text.
    pub(super) fn location(&self) -> Location {
        Location {
            file: self.mark.file.to_string(),
            line: self.mark.line,
            column: self.mark.column,
            path: self.path.clone(),
            runs: self.scalar().map(|scalar| scalar.runs.clone()).unwrap_or_default(),
        }
    }

    /// A problem with this value.
    pub(super) fn problem(&self, message: impl Into<String>, allowed: Option<String>) -> Problem {
        self.mark.problem(&self.path, message, allowed)
    }

    /// How many keys and values it is.
    pub(super) fn n_nodes(&self) -> usize {
        1 + match &self.value {
            Value::Scalar(_) => 0,
            Value::List(elements) => elements.iter().map(Node::n_nodes).sum(),
            Value::Map(entries) => entries.iter().map(|entry| 1 + entry.node.n_nodes()).sum(),
        }
    }
}

impl Scalar {
    /// What it is by the core schema of YAML 1.2.
    pub(super) fn kind(&self) -> Kind {
        if !self.plain {
            return Kind::Text;
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
            "true" | "True" | "TRUE" => Kind::Bool(true),
            "false" | "False" | "FALSE" => Kind::Bool(false),
            ".nan" | ".NaN" | ".NAN" => Kind::Number,
            text => number_kind(text),
        }
    }
}

fn number_kind(text: &str) -> Kind {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits(unsigned) {
        return Kind::Whole;
    }
    let radix = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0o"));
    if matches!(unsigned, ".inf" | ".Inf" | ".INF")
        || radix.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        return Kind::Number;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_reads = exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let either = !whole.is_empty() || !fraction.is_empty();
    let mantissa_reads =
        either && (whole.is_empty() || digits(whole)) && (fraction.is_empty() || digits(fraction));
    if exponent_reads && mantissa_reads { Kind::Number } else { Kind::Text }
}

/// Sets the path of every value below this one.
pub(super) fn set_paths(node: &mut Node, path: String) {
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::List(elements) => {
            for (i, element) in elements.iter_mut().enumerate() {
                set_paths(element, format!("{path}[{i}]"));
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                set_paths(&mut entry.node, join(&path, &entry.key));
            }
        }
    }
    node.path = path;
}

/// The path of a key below a path.
pub(super) fn join(path: &str, key: &str) -> String {
    let simple = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    match (path.is_empty(), simple) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        _ => format!("{path}[{:?}]", key.chars().take(40).collect::<String>()),
    }
}
