//! The two CSV files of a tree, places and staff: each with a head that names its columns, in any order. What is wrong is told
//! with its line and field.

use std::fmt;

use csv::StringRecord;
use zhiyin_model::event::Refusal;
use zhiyin_model::place::tree::{PLACES_MAX, STAFF_MAX};
use zhiyin_model::place::{Cells, PLACE_COLUMNS, STAFF_COLUMNS};

use super::Tree;

/// The most bytes of a file.
pub const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// So many faults are told at most.
pub const FAULTS_MAX: usize = 1000;

/// Which of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Places.
    Places,
    /// Staff.
    Staff,
}

impl Which {
    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Places => &PLACE_COLUMNS,
            Self::Staff => &STAFF_COLUMNS,
        }
    }

    /// Without these nobody knows whom a line is about.
    fn needed(self) -> &'static [&'static str] {
        match self {
            Self::Places => &["code"],
            Self::Staff => &["code", "place"],
        }
    }

    fn lines_max(self) -> usize {
        match self {
            Self::Places => PLACES_MAX,
            Self::Staff => STAFF_MAX,
        }
    }
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Of which file.
    pub which: Which,
    /// Which line, from 1; none where it is about what the file does not name.
    pub line: Option<u64>,
    /// What is wrong, with the column at fault.
    pub refusal: Refusal,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        let Refusal { code, field, message } = &self.refusal;
        let field = if field.is_empty() { String::new() } else { format!("{field}: ") };
        write!(f, "{field}{message} ({code})")
    }
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// What it says, by column.
    pub cells: Cells,
}

/// Reads a file: its lines, and what is no line. An empty one says nothing.
pub fn read(which: Which, bytes: &[u8]) -> (Vec<Line>, Vec<Fault>) {
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    // Spreadsheets write a mark of byte order in front.
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let mut head: Option<Vec<&'static str>> = None;
    let mut number = 0;
    for record in reader.records() {
        let fault = |line, code, field: &str, message: String| Fault {
            which,
            line: Some(line),
            refusal: Refusal::new(code, field, message),
        };
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                number = error.position().map_or(number + 1, csv::Position::line);
                let message = match error.kind() {
                    csv::ErrorKind::Utf8 { .. } => "is not UTF-8: save the file as CSV UTF-8".to_owned(),
                    _ => error.to_string(),
                };
                faults.push(fault(number, "bad_row", "", message));
                continue;
            }
        };
        number = record.position().map_or(number + 1, csv::Position::line);
        let Some(columns) = &head else {
            match columns_of(which, &record) {
                Ok(columns) => head = Some(columns),
                Err(refusal) => {
                    faults.push(Fault { which, line: Some(number), refusal });
                    return (lines, faults);
                }
            }
            continue;
        };
        if record.len() != columns.len() {
            let message = format!("{} cells where the head has {}", record.len(), columns.len());
            faults.push(fault(number, "bad_row", "", message));
            continue;
        }
        if lines.len() == which.lines_max() {
            let message = format!("a file has at most {} lines", which.lines_max());
            faults.push(fault(number, "too_many", "", message));
            break;
        }
        let cells = columns.iter().copied().zip(record.iter().map(str::to_owned)).collect();
        lines.push(Line { number, cells });
    }
    (lines, faults)
}

fn columns_of(which: Which, head: &StringRecord) -> Result<Vec<&'static str>, Refusal> {
    let mut columns = Vec::new();
    for name in head {
        let Some(column) = which.columns().iter().find(|column| **column == name) else {
            let message = format!("{name:?} is no column; there are {}", which.columns().join(", "));
            return Err(Refusal::new("bad_head", name, message));
        };
        if columns.contains(column) {
            return Err(Refusal::new("bad_head", name, "the head names it twice"));
        }
        columns.push(*column);
    }
    if let Some(missing) = which.needed().iter().find(|needed| !columns.contains(needed)) {
        let message = "the first line names the columns, and this one is missing";
        return Err(Refusal::new("bad_head", *missing, message));
    }
    Ok(columns)
}

/// A tree as the two files, places in the order of the tree: what [`read`] takes in again.
pub fn write(tree: &Tree) -> Result<(Vec<u8>, Vec<u8>), csv::Error> {
    let places = tree.nodes().iter().map(|node| node.place.cells());
    let staff = tree.nodes().iter().flat_map(|node| tree.staff_of(&node.place.code));
    let staff = staff.map(zhiyin_model::place::Staff::cells);
    Ok((rows(Which::Places, places)?, rows(Which::Staff, staff)?))
}

fn rows(which: Which, rows: impl Iterator<Item = Cells>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(which.columns())?;
    for cells in rows {
        writer.write_record(
            which.columns().iter().map(|column| cells.get(column).map_or("", String::as_str)),
        )?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(which: Which, text: &str) -> (usize, Vec<String>) {
        let (lines, faults) = read(which, text.as_bytes());
        (lines.len(), faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_file_that_is_none_is_told_by_line_and_column() {
        let columns = PLACE_COLUMNS.join(", ");
        for (text, n, expected) in [
            ("", 0, vec![]),
            ("code\n", 0, vec![]),
            ("\u{feff}kind,code\r\nstore,1\r\n\r\nstore,2\r\n", 2, vec![]),
            (
                "kind\nstore",
                0,
                vec![
                    "line 1: code: the first line names the columns, and this one is missing (bad_head)"
                        .to_owned(),
                ],
            ),
            (
                "code,color\n1,red",
                0,
                vec![format!("line 1: color: \"color\" is no column; there are {columns} (bad_head)")],
            ),
            ("code,code\n1,1", 0, vec!["line 1: code: the head names it twice (bad_head)".to_owned()]),
            (
                "code,kind\n1\n2,store\n3,store,x\n",
                1,
                vec![
                    "line 2: 1 cells where the head has 2 (bad_row)".to_owned(),
                    "line 4: 3 cells where the head has 2 (bad_row)".to_owned(),
                ],
            ),
            (
                "code,name_zh\n1,\"a\nb\"\n2,\n3\n",
                2,
                vec!["line 5: 1 cells where the head has 2 (bad_row)".to_owned()],
            ),
        ] {
            assert_eq!(told(Which::Places, text), (n, expected), "{text:?}");
        }
        let (lines, faults) = read(Which::Staff, b"code,place,name\n1,a,\xb9\xfa\n2,a,b\n");
        assert_eq!((lines.len(), faults.len()), (1, 1));
        assert_eq!((faults[0].line, faults[0].refusal.code), (Some(2), "bad_row"));
    }
}
