//! Values in JSON, by their paths: `a.b[0].c`. What is not there and what is of another kind are told apart by name, with the path.

use rust_decimal::Decimal;
use serde_json::Value;

use super::news::Fault;

/// The longest path, in bytes, and the most steps of one.
pub const PATH_BYTES_MAX: usize = 200;
const STEPS_MAX: usize = 20;
/// The longest text that is kept of a field, in characters.
const TEXT_CHARS_MAX: usize = 255;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    At(usize),
}

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    steps: Vec<Step>,
    said: String,
}

impl Path {
    /// Of a text such as `data.items[0].id`, with `$.` before it or without; nothing where it is none.
    pub fn parse(said: &str) -> Option<Self> {
        let text = said.strip_prefix("$.").unwrap_or(said);
        if text.is_empty() || text.len() > PATH_BYTES_MAX {
            return None;
        }
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, places) = match part.find('[') {
                Some(at) => part.split_at(at),
                None => (part, ""),
            };
            if name.is_empty() || name.chars().any(|c| c.is_control() || "]$'\"".contains(c)) {
                return None;
            }
            steps.push(Step::Name(name.to_owned()));
            let mut rest = places;
            while !rest.is_empty() {
                let (number, after) = rest.strip_prefix('[')?.split_once(']')?;
                steps.push(Step::At(number.parse().ok()?));
                rest = after;
            }
        }
        (steps.len() <= STEPS_MAX).then(|| Self { steps, said: said.to_owned() })
    }

    /// As it was written.
    pub fn said(&self) -> &str {
        &self.said
    }

    /// What is there; nothing where nothing is, or `null`.
    pub fn of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let found = self.steps.iter().try_fold(value, |value, step| match step {
            Step::Name(name) => value.get(name),
            Step::At(n) => value.get(n),
        });
        found.filter(|value| !value.is_null())
    }
}

/// What lies at a path of names, with dots between; nothing where nothing does.
pub fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let found = path.split('.').try_fold(value, |value, name| value.get(name));
    found.filter(|value| !value.is_null())
}

/// A value as a text: a text, or a number.
pub fn as_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let is_kept = !text.is_empty() && !text.contains('\0');
    is_kept.then(|| text.chars().take(TEXT_CHARS_MAX).collect())
}

/// The text at a path; nothing where there is none.
pub fn text(value: &Value, path: &str) -> Option<String> {
    at(value, path).and_then(as_text)
}

/// The text at a path that has to be there.
pub fn wanted(value: &Value, path: &str) -> Result<String, Fault> {
    text(value, path).ok_or_else(|| Fault::missing(path))
}

/// A value as an amount: a number, or a text that is one.
pub fn as_amount(value: &Value, path: &str) -> Result<Decimal, Fault> {
    let text = as_text(value).ok_or_else(|| Fault::new(path, "no_amount"))?;
    let read = if text.contains(['e', 'E']) { Decimal::from_scientific(&text) } else { text.parse() };
    // What is larger no order may be; sums of what is not stay within what can be counted.
    let limit = Decimal::from(10_000_000_000_000_i64);
    read.ok().filter(|amount: &Decimal| amount.abs() <= limit).ok_or_else(|| Fault::new(path, "no_amount"))
}

/// The amount at a path; nothing where nothing is there.
pub fn amount(value: &Value, path: &str) -> Result<Option<Decimal>, Fault> {
    match at(value, path) {
        None => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(value) => as_amount(value, path).map(Some),
    }
}

/// A list at a path; an empty one where nothing is there.
pub fn list<'v>(value: &'v Value, path: &str) -> Result<&'v [Value], Fault> {
    match at(value, path) {
        None => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(Fault::new(path, "no_list")),
    }
}

/// An instant, as it is written: RFC 3339, in microseconds since 1970 UTC.
pub fn as_instant(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
}

/// The instant at a path; nothing where nothing is there.
pub fn instant(value: &Value, path: &str) -> Result<Option<i64>, Fault> {
    let Some(text) = text(value, path) else { return Ok(None) };
    as_instant(&text).map(Some).ok_or_else(|| Fault::new(path, "no_time"))
}

/// A time of the calendar in a zone, with a space or a `T` within, in microseconds since 1970 UTC.
pub fn local(text: &str, zone: &jiff::tz::TimeZone) -> Option<i64> {
    let read: jiff::civil::DateTime = text.parse().ok()?;
    read.to_zoned(zone.clone()).ok().map(|at| at.timestamp().as_microsecond())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_found_by_its_path_or_the_path_is_named() {
        let value = json!({"a": {"b": [{"c": 7}, [1, "x"]], "n": null}});
        for (path, wanted) in [
            ("a.b[0].c", Some(json!(7))),
            ("$.a.b[1][1]", Some(json!("x"))),
            ("a.b[9].c", None),
            ("a.n", None),
            ("a.b.c", None),
        ] {
            assert_eq!(Path::parse(path).unwrap().of(&value).cloned(), wanted, "{path}");
        }
        for wrong in ["", "a..b", "a[", "a[x]", "a]b", "[0]", ".a", "a.", &"a.".repeat(40)] {
            assert_eq!(Path::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn amounts_are_exact_and_what_is_none_is_named() {
        for (value, wanted) in [
            (json!("12.30"), "12.30"),
            (json!(0.1), "0.1"),
            (json!(7), "7"),
            (json!("1e2"), "100"),
            (json!("-4.00"), "-4.00"),
        ] {
            assert_eq!(as_amount(&value, "x").unwrap(), wanted.parse().unwrap(), "{value}");
        }
        for value in [json!("NaN"), json!(""), json!({}), json!(true), json!("1,5"), json!("1e40")] {
            assert_eq!(as_amount(&value, "x").unwrap_err().to_string(), "no_amount: x", "{value}");
        }
    }
}
