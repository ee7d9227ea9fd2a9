//! Rows of a CSV input, bounded: a cell may run over several lines, but a quote that never closes costs one line, not
//! the rest of the file and not the memory of the machine.

use std::collections::VecDeque;
use std::io::Read;

use csv::StringRecord;
use zhiyin_model::event::{ITEM_BYTES_MAX, Refusal};

use super::{Given, lines};

/// A row with the line it begins on, and what stood there.
pub(crate) struct Row {
    pub line: u64,
    pub raw: Vec<u8>,
    pub record: Result<StringRecord, Refusal>,
}

/// The rows of an input.
pub(crate) struct Rows {
    lines: Box<dyn Iterator<Item = Given> + Send>,
    /// Lines that were looked at for the end of a cell and are rows of their own after all.
    held: VecDeque<Given>,
}

impl Rows {
    pub(crate) fn new(input: impl Read + Send + 'static) -> Self {
        Self { lines: lines::items(input), held: VecDeque::new() }
    }

    fn line(&mut self) -> Option<Given> {
        self.held.pop_front().or_else(|| self.lines.next())
    }
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let Given { line, item, .. } = self.line()?;
        let first = match item {
            Ok(first) => first,
            Err(refusal) => return Some(Row { line, raw: Vec::new(), record: Err(refusal) }),
        };
        let mut raw = first.clone();
        let mut looked_at = Vec::new();
        while raw.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
            let next = if raw.len() <= ITEM_BYTES_MAX { self.line() } else { None };
            let Some(Given { line: at, item: Ok(more), .. }) = next else {
                for given in looked_at.into_iter().rev() {
                    self.held.push_front(given);
                }
                let message = "a quote opens in this row and does not close";
                return Some(Row { line, raw: first, record: Err(Refusal::new("bad_row", "", message)) });
            };
            raw.push(b'\n');
            raw.extend_from_slice(&more);
            looked_at.push(Given::of(at, more));
        }
        let record = parse(&raw);
        Some(Row { line, raw, record })
    }
}

fn parse(raw: &[u8]) -> Result<StringRecord, Refusal> {
    if raw.len() > ITEM_BYTES_MAX {
        let message = format!("a row has at most {ITEM_BYTES_MAX} bytes");
        return Err(Refusal::new("row_too_large", "", message));
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_reader(raw);
    let record = reader.records().next();
    record.unwrap_or(Ok(StringRecord::new())).map_err(|error| Refusal::new("bad_row", "", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_that_never_closes_costs_one_line() {
        let long = "x".repeat(40_000);
        let text = format!("a,b\n\"two\nlines\",2\n\"open,3\n4,5\n6,{long}\n7,8\n");
        let rows: Vec<_> = Rows::new(std::io::Cursor::new(text.into_bytes()))
            .map(|row| (row.line, row.record.map_or_else(|r| r.code.to_owned(), |r| r[0].to_owned())))
            .collect();
        let expected =
            [(1, "a"), (2, "two\nlines"), (4, "bad_row"), (5, "4"), (6, "row_too_large"), (7, "7")];
        assert_eq!(rows, expected.map(|(line, text)| (line, text.to_owned())));
    }
}
