//! Reading a take-over's file: CSV with a head, or JSON lines, a bounded row at a time.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use zhiyin_model::event::json::Json;
use zhiyin_model::event::{ITEM_BYTES_MAX, Refusal};

use super::Fault;
use super::columns::{Column, column};
use super::row::{self, Cells, Ground, Row};
use crate::import::rows::Rows;
use crate::import::{Given, lines};

/// A row, or all that is wrong with it.
pub(super) type Read = Result<Row, Vec<Fault>>;

/// Hands the rows of a file to `take`, until that says enough; the error is of the file as a whole.
pub(super) fn each(
    path: &Path,
    ground: &Ground<'_>,
    mut take: impl FnMut(u64, Read) -> bool,
) -> Result<(), String> {
    let input = File::open(path).map_err(|error| error.to_string())?;
    let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    if is_csv { csv(input, ground, &mut take) } else { json(input, ground, &mut take) }
}

fn csv(input: File, ground: &Ground<'_>, take: &mut dyn FnMut(u64, Read) -> bool) -> Result<(), String> {
    let mut rows = Rows::new(input);
    let head = rows.next().ok_or("the file is empty: a CSV file begins with the names of its columns")?;
    let head_line = head.line;
    let head = head.record.map_err(|refusal| format!("line {head_line}: {}", refusal.message))?;
    let mut columns = Vec::with_capacity(head.len());
    let mut wrong = Vec::new();
    for name in &head {
        match column(name, ground.playbook) {
            Ok(column) if columns.contains(&column) => {
                wrong.push(Fault::of(head_line, "", Refusal::new("column_twice", name, "is there twice")));
            }
            Ok(column) => columns.push(column),
            Err(refusal) => wrong.push(Fault::of(head_line, "", refusal)),
        }
    }
    if wrong.is_empty() && !columns.iter().any(|column| matches!(column, Column::Identifier(_))) {
        let message = "no column is an identifier: phone, card, unionid, openid:APP, email…";
        wrong.push(Fault::of(head_line, "", Refusal::new("nobody", "", message)));
    }
    if !wrong.is_empty() {
        take(head_line, Err(wrong));
        return Ok(());
    }
    for row in rows {
        let read = row.record.map_err(|refusal| vec![Fault::of(row.line, "", refusal)]).and_then(|record| {
            if record.len() != columns.len() {
                let message = format!("{} cells where the head has {}", record.len(), columns.len());
                return Err(vec![Fault::of(row.line, "", Refusal::new("bad_row", "", message))]);
            }
            let cells: Cells = columns
                .iter()
                .zip(&record)
                .filter(|(_, cell)| !cell.is_empty())
                .map(|(column, cell)| (column.clone(), Json::Text(cell.to_owned())))
                .collect();
            row::read(ground, row.line, &cells)
        });
        if !take(row.line, read) {
            break;
        }
    }
    Ok(())
}

fn json(input: File, ground: &Ground<'_>, take: &mut dyn FnMut(u64, Read) -> bool) -> Result<(), String> {
    // What a field means is looked up once a name, not once a row; so many that nobody can fill memory with them.
    let mut known: BTreeMap<String, Column> = BTreeMap::new();
    for Given { line, item, .. } in lines::items(input) {
        let read =
            item.and_then(|bytes| object(&bytes)).map_err(|refusal| vec![Fault::of(line, "", refusal)]);
        let read = read.and_then(|fields| {
            let mut cells = Cells::new();
            let mut wrong = Vec::new();
            for (name, value) in fields {
                let found = match known.get(&name) {
                    Some(column) => Ok(column.clone()),
                    None => column(&name, ground.playbook),
                };
                match found {
                    Ok(column) => {
                        let shown = name.clone();
                        if known.len() < 1000 {
                            known.entry(name).or_insert_with(|| column.clone());
                        }
                        if let Column::Identifier(_) | Column::Attribute(..) = &column
                            && cells.contains_key(&column)
                        {
                            let refusal = Refusal::new("column_twice", shown, "is there twice");
                            wrong.push(Fault::of(line, "", refusal));
                        }
                        cells.insert(column, value);
                    }
                    Err(refusal) => wrong.push(Fault::of(line, "", refusal)),
                }
            }
            if wrong.is_empty() { row::read(ground, line, &cells) } else { Err(wrong) }
        });
        if !take(line, read) {
            break;
        }
    }
    Ok(())
}

/// The fields of a line: identifiers and attributes may stand in objects of their own.
fn object(bytes: &[u8]) -> Result<Vec<(String, Json)>, Refusal> {
    if bytes.len() > ITEM_BYTES_MAX {
        let message = format!("a row has at most {ITEM_BYTES_MAX} bytes");
        return Err(Refusal::new("row_too_large", "", message));
    }
    let Json::Object(map) = Json::parse(bytes)? else {
        return Err(Refusal::new("bad_row", "", "a row is a JSON object"));
    };
    let mut fields: Vec<(String, Json)> = Vec::new();
    for (name, value) in map {
        match (name.as_str(), value) {
            (_, Json::Null) => {}
            ("identifiers", Json::Object(names)) => {
                fields.extend(names.into_iter().map(|(name, value)| (format!("id.{name}"), value)));
            }
            ("attributes", Json::Object(names)) => {
                fields.extend(names.into_iter().map(|(name, value)| (format!("attr.{name}"), value)));
            }
            (_, value) => fields.push((name, value)),
        }
    }
    fields.retain(|(_, value)| *value != Json::Null);
    Ok(fields)
}
