//! CSV with a mapping: which column is what. A mapping is a JSON file:
//!
//! ```json
//! {"event": "Order Completed", "user": "card_no", "message_id": "order_no",
//!  "time": {"column": "paid_at", "format": "%Y-%m-%d %H:%M:%S", "timezone": "Asia/Shanghai"},
//!  "properties": {"order_id": "order_no", "total": "amount", "store_id": "store"},
//!  "traits": {"city": "city"}}
//! ```
//!
//! Without `event` the rows are `identify` items. Without `format` times are RFC 3339.

use std::collections::BTreeMap;
use std::io::Read;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use zhiyin_model::event::Refusal;
use zhiyin_model::event::json::write_text;

use super::Given;

/// Which column is what.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Event name; rows are `identify` items without it.
    #[serde(default)]
    event: Option<String>,
    /// Column of the user's id.
    user: String,
    /// Column of the message id; a hash of the row without it.
    #[serde(default)]
    message_id: Option<String>,
    /// When it happened.
    time: TimeColumn,
    /// Property → column.
    #[serde(default)]
    properties: BTreeMap<String, String>,
    /// Trait → column.
    #[serde(default)]
    traits: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeColumn {
    column: String,
    #[serde(default)]
    format: Option<String>,
    #[serde(default)]
    timezone: Option<String>,
}

impl Mapping {
    /// Reads a mapping; the error says where it is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mapping: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match &mapping.time.timezone {
            Some(name) if TimeZone::get(name).is_err() => {
                Err(format!("time.timezone: {name:?} is no time zone"))
            }
            _ => Ok(mapping),
        }
    }
}

/// Items of a CSV input with a head line. A mapping that names a column the head does not have is refused whole.
pub fn items(
    input: impl Read + Send + 'static,
    mapping: Mapping,
) -> Result<Box<dyn Iterator<Item = Given> + Send>, String> {
    let mut reader = ::csv::ReaderBuilder::new().flexible(false).trim(::csv::Trim::All).from_reader(input);
    let head = reader.headers().map_err(|error| error.to_string())?.clone();
    let columns: BTreeMap<String, usize> = head
        .iter()
        .enumerate()
        .map(|(i, name)| (name.trim_start_matches('\u{feff}').to_owned(), i))
        .collect();
    let named = std::iter::once(&mapping.user)
        .chain(&mapping.message_id)
        .chain(std::iter::once(&mapping.time.column))
        .chain(mapping.properties.values())
        .chain(mapping.traits.values());
    for name in named {
        if !columns.contains_key(name) {
            let known: Vec<&str> = columns.keys().map(String::as_str).collect();
            return Err(format!("the mapping names a column {name:?}; there are {}", known.join(", ")));
        }
    }
    let zone = mapping.time.timezone.as_deref().and_then(|name| TimeZone::get(name).ok());
    Ok(Box::new(reader.into_records().enumerate().map(move |(i, record)| {
        let line = record.as_ref().ok().and_then(|r| r.position()).map_or(i as u64 + 2, |p| p.line());
        let item = record
            .map_err(|error| Refusal::new("bad_row", "", error.to_string()))
            .and_then(|record| item(&record, &columns, &mapping, zone.as_ref()));
        Given { line, item }
    })))
}

fn item(
    record: &::csv::StringRecord,
    columns: &BTreeMap<String, usize>,
    mapping: &Mapping,
    zone: Option<&TimeZone>,
) -> Result<Vec<u8>, Refusal> {
    let cell = |column: &str| columns.get(column).and_then(|i| record.get(*i)).unwrap_or_default();
    let mut out = String::from("{\"type\":");
    match &mapping.event {
        Some(event) => {
            out.push_str("\"track\",\"event\":");
            write_text(event, &mut out);
        }
        None => out.push_str("\"identify\""),
    }
    let mut put = |key: &str, value: &str| {
        out.push_str(",\"");
        out.push_str(key);
        out.push_str("\":");
        write_text(value, &mut out);
    };
    put("userId", cell(&mapping.user));
    if let Some(column) = &mapping.message_id {
        put("messageId", cell(column));
    }
    put("timestamp", &time(cell(&mapping.time.column), &mapping.time, zone)?);
    for (key, map) in [("properties", &mapping.properties), ("traits", &mapping.traits)] {
        out.push_str(&format!(",\"{key}\":{{"));
        let given =
            map.iter().map(|(name, column)| (name, cell(column))).filter(|(_, text)| !text.is_empty());
        for (i, (name, text)) in given.enumerate() {
            if i > 0 {
                out.push(',');
            }
            write_text(name, &mut out);
            out.push(':');
            write_text(text, &mut out);
        }
        out.push('}');
    }
    out.push('}');
    Ok(out.into_bytes())
}

/// The cell as RFC 3339. Without a format it is passed on as it is.
fn time(text: &str, column: &TimeColumn, zone: Option<&TimeZone>) -> Result<String, Refusal> {
    let Some(format) = &column.format else { return Ok(text.to_owned()) };
    let bad = |error: jiff::Error| Refusal::new("bad_timestamp", column.column.clone(), error.to_string());
    let civil = DateTime::strptime(format, text)
        .or_else(|_| jiff::civil::Date::strptime(format, text).map(|date| date.at(0, 0, 0, 0)));
    let zone = zone.cloned().unwrap_or(TimeZone::UTC);
    let zoned = civil.and_then(|civil| civil.to_zoned(zone)).map_err(bad)?;
    Ok(zoned.timestamp().to_string())
}
