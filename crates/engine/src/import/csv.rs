//! CSV with a mapping: which column is what. A mapping is a JSON file:
//!
//! ```json
//! {"event": "Order Completed", "user": "card_no", "message_id": "order_no",
//!  "time": {"column": "paid_at", "format": "%Y-%m-%d %H:%M:%S", "timezone": "Asia/Shanghai"},
//!  "properties": {"order_id": "order_no", "total": "amount", "store_id": "store"},
//!  "traits": {"city": "city", "household": {"column": "people", "type": "number"}}}
//! ```
//!
//! Cells are texts unless the mapping says `number`, `bool` or `texts`.
//! Without `event` the rows are `identify` items. Without `format` times are RFC 3339.

use std::collections::BTreeMap;
use std::io::Read;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use zhiyin_model::event::Refusal;
use zhiyin_model::event::json::write_text;

use super::Given;
use super::rows::Rows;

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
    properties: BTreeMap<String, Column>,
    /// Trait → column.
    #[serde(default)]
    traits: BTreeMap<String, Column>,
}

/// A column by name, or with what its cells are: `"city"` or `{"column": "people", "type": "number"}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Column {
    Text(String),
    Typed(TypedColumn),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedColumn {
    column: String,
    #[serde(rename = "type")]
    kind: CellKind,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CellKind {
    Text,
    /// A decimal number.
    Number,
    /// true, false, yes, no, 1, 0.
    Bool,
    /// Several texts, parted by semicolons.
    Texts,
}

impl Column {
    fn name(&self) -> &String {
        match self {
            Self::Text(name) => name,
            Self::Typed(typed) => &typed.column,
        }
    }

    /// Appends a cell as JSON.
    fn write(&self, cell: &str, out: &mut String) -> Result<(), Refusal> {
        let kind = match self {
            Self::Text(_) => CellKind::Text,
            Self::Typed(typed) => typed.kind,
        };
        let bad =
            |what: &str| Refusal::new("bad_cell", self.name().clone(), format!("{cell:?} is not {what}"));
        match kind {
            CellKind::Text => write_text(cell, out),
            CellKind::Number => {
                let number = zhiyin_model::money::parse_decimal(cell).map_err(|_| bad("a number"))?;
                out.push_str(&number.to_string());
            }
            CellKind::Bool => match cell.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => out.push_str("true"),
                "false" | "no" | "0" => out.push_str("false"),
                _ => return Err(bad("true or false")),
            },
            CellKind::Texts => {
                out.push('[');
                for (i, text) in cell.split(';').map(str::trim).filter(|text| !text.is_empty()).enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_text(text, out);
                }
                out.push(']');
            }
        }
        Ok(())
    }
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
    let mut rows = Rows::new(input);
    let head = rows.next().ok_or("the file is empty: a CSV file begins with the names of its columns")?;
    let head = head.record.map_err(|refusal| format!("line {}: {}", head.line, refusal.message))?;
    let columns: BTreeMap<String, usize> =
        head.iter().enumerate().map(|(i, name)| (name.to_owned(), i)).collect();
    let named = std::iter::once(&mapping.user)
        .chain(&mapping.message_id)
        .chain(std::iter::once(&mapping.time.column))
        .chain(mapping.properties.values().map(Column::name))
        .chain(mapping.traits.values().map(Column::name));
    for name in named {
        if !columns.contains_key(name) {
            let known: Vec<&str> = columns.keys().map(String::as_str).collect();
            return Err(format!("the mapping names a column {name:?}; there are {}", known.join(", ")));
        }
    }
    let zone = mapping.time.timezone.as_deref().and_then(|name| TimeZone::get(name).ok());
    let width = head.len();
    Ok(Box::new(rows.map(move |row| {
        let item = row.record.and_then(|record| {
            if record.len() != width {
                let message = format!("{} cells where the head has {width}", record.len());
                return Err(Refusal::new("bad_row", "", message));
            }
            item(&record, &columns, &mapping, zone.as_ref())
        });
        Given { line: row.line, item, raw: row.raw }
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
        let given = map
            .iter()
            .map(|(name, column)| (name, column, cell(column.name())))
            .filter(|(_, _, text)| !text.is_empty());
        for (i, (name, column, text)) in given.enumerate() {
            if i > 0 {
                out.push(',');
            }
            write_text(name, &mut out);
            out.push(':');
            column.write(text, &mut out)?;
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
