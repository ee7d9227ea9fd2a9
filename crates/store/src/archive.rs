//! Months of events in files: what was sent long ago leaves the database and stays readable.
//!
//! A month is a Parquet file, its rows by place; each holds the whole event, the body sealed as in the database. There the
//! event's row stays, with an empty body: so timelines, causes and the digest know nothing of it, and whoever needs the
//! body (rebuilding aggregates, undoing a merge, simulating) finds it here by its place. The files belong to the home:
//! they lie in one folder, which moves with it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::reader::get_typed_column_reader;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::seal::Sealed;
use crate::turn::place;
use crate::{PastEvent, Result, StoreError};

/// What came of a part of letting bodies go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetGo {
    /// How many of each name.
    pub gone: std::collections::BTreeMap<String, u64>,
    /// After which place the next part begins; `None` at the end.
    pub after: Option<i64>,
}

/// Rows of a row group: as many as are unpacked to find one.
const GROUP: usize = 2_048;

const SCHEMA: &str = "message event {
  REQUIRED INT64 seq;
  REQUIRED BYTE_ARRAY source (UTF8);
  REQUIRED BYTE_ARRAY message_id (UTF8);
  REQUIRED BYTE_ARRAY name (UTF8);
  REQUIRED INT64 time (TIMESTAMP_MICROS);
  REQUIRED INT64 clock (TIMESTAMP_MICROS);
  REQUIRED INT64 derived;
  REQUIRED BYTE_ARRAY member;
  REQUIRED BYTE_ARRAY body;
}";

/// An event on its way into a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its place.
    pub seq: i64,
    /// Who sent it.
    pub source: String,
    /// Its message id.
    pub message_id: String,
    /// Event name.
    pub name: String,
    /// When it happened.
    pub time: i64,
    /// When it was accepted, in business time.
    pub clock: i64,
    /// 0 an item, 1 derived for someone else, 2 said of a member by their own event.
    pub derived: i64,
    /// About whom; empty where an older program accepted it.
    pub member: Vec<u8>,
    /// The canonical item, sealed.
    pub body: Sealed,
}

/// A month of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Month {
    /// Months since 1970-01 ([`place::month`]).
    pub month: i64,
    /// Events that came in then, and what was derived from them.
    pub events: i64,
    /// Whether some of them wait or are dead letters: such a month stays.
    pub open: bool,
    /// The file that holds it, and the hash of its bytes, if it was archived.
    pub file: Option<(String, String)>,
}

/// The name of a month's file.
pub fn file_name(month: i64) -> String {
    format!("events-{}.parquet", place::name(month))
}

fn failed(path: &Path) -> impl Fn(ParquetError) -> StoreError + '_ {
    move |error| StoreError::Database(format!("{}: {error}", path.display()))
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> StoreError + '_ {
    move |error| StoreError::Database(format!("{}: {error}", path.display()))
}

/// Writes a month's file: rows are given by place.
pub struct Writer {
    path: PathBuf,
    beside: PathBuf,
    out: SerializedFileWriter<File>,
    rows: Vec<Row>,
    events: i64,
}

impl Writer {
    /// Begins a file; it appears when it is finished.
    pub fn new(folder: &Path, month: i64) -> Result<Self> {
        // What people sent is in it: nobody else reads it.
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io(folder))?;
        let path = folder.join(file_name(month));
        let beside = folder.join(format!("{}.part", file_name(month)));
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside);
        let file = file.map_err(io(&beside))?;
        let schema = Arc::new(parse_message_type(SCHEMA).map_err(failed(&beside))?);
        // Bodies are packed already; what is packed here are names, sources and times.
        let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
        let out = SerializedFileWriter::new(file, schema, properties).map_err(failed(&beside))?;
        Ok(Self { path, beside, out, rows: Vec::with_capacity(GROUP), events: 0 })
    }

    /// Adds a row.
    pub fn row(&mut self, row: Row) -> Result<()> {
        self.rows.push(row);
        self.events += 1;
        if self.rows.len() == GROUP { self.group() } else { Ok(()) }
    }

    fn group(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        self.write_group(&rows).map_err(failed(&self.beside))
    }

    fn write_group(&mut self, rows: &[Row]) -> std::result::Result<(), ParquetError> {
        let numbers: [Vec<i64>; 4] = [
            rows.iter().map(|row| row.seq).collect(),
            rows.iter().map(|row| row.time).collect(),
            rows.iter().map(|row| row.clock).collect(),
            rows.iter().map(|row| row.derived).collect(),
        ];
        let texts = |text: fn(&Row) -> &[u8]| -> Vec<ByteArray> {
            rows.iter().map(|row| ByteArray::from(text(row).to_vec())).collect()
        };
        let bytes: [Vec<ByteArray>; 5] = [
            texts(|row| row.source.as_bytes()),
            texts(|row| row.message_id.as_bytes()),
            texts(|row| row.name.as_bytes()),
            texts(|row| &row.member),
            texts(|row| &row.body.0),
        ];
        let (mut numbers, mut bytes) = (numbers.iter(), bytes.iter());
        let mut group = self.out.next_row_group()?;
        while let Some(mut column) = group.next_column()? {
            match column.untyped() {
                ColumnWriter::Int64ColumnWriter(column) => {
                    let values = numbers.next().map_or(&[][..], |values| values);
                    column.write_batch(values, None, None)?;
                }
                ColumnWriter::ByteArrayColumnWriter(column) => {
                    let values = bytes.next().map_or(&[][..], |values| values);
                    column.write_batch(values, None, None)?;
                }
                _ => return Err(ParquetError::General("a column of another type".to_owned())),
            }
            column.close()?;
        }
        group.close().map(drop)
    }

    /// Ends the file, waits for the disk, reads it once as a whole and moves it to its place; how many events it holds, and
    /// the hash of its bytes.
    pub fn finish(mut self) -> Result<(i64, String)> {
        self.group()?;
        let file = self.out.into_inner().map_err(failed(&self.beside))?;
        file.sync_all().map_err(io(&self.beside))?;
        drop(file);
        let found = read(&self.beside, i64::MIN, i64::MAX, |_, _| ())?;
        if found != self.events {
            return Err(StoreError::Damaged(format!(
                "{}: {found} of {} events",
                self.beside.display(),
                self.events
            )));
        }
        let hash = hash(&self.beside)?;
        std::fs::rename(&self.beside, &self.path).map_err(io(&self.path))?;
        // The folder's entry is on disk only when the folder is.
        if let Some(folder) = self.path.parent() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(io(folder))?;
        }
        Ok((self.events, hash))
    }
}

/// The hash of a file's bytes, as 64 hexadecimal digits.
pub fn hash(path: &Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let file = File::open(path).map_err(io(path))?;
    hasher.update_reader(file).map_err(io(path))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Reads places and bodies from one place to another, both included; how many there were.
fn read(path: &Path, from: i64, to: i64, mut take: impl FnMut(i64, &[u8])) -> Result<i64> {
    let file = File::open(path).map_err(io(path))?;
    let reader = SerializedFileReader::new(file).map_err(failed(path))?;
    let metadata = reader.metadata();
    let schema = metadata.file_metadata().schema_descr();
    let column = |name: &str| {
        let found = (0..schema.num_columns()).find(|i| schema.column(*i).name() == name);
        found.ok_or_else(|| StoreError::Damaged(format!("{}: no column {name}", path.display())))
    };
    let (seq, body) = (column("seq")?, column("body")?);
    let mut found = 0;
    for group in 0..metadata.num_row_groups() {
        let reader = reader.get_row_group(group).map_err(failed(path))?;
        let rows = usize::try_from(reader.metadata().num_rows()).unwrap_or(0);
        let mut seqs = Vec::with_capacity(rows);
        let numbers = reader.get_column_reader(seq).map_err(failed(path))?;
        get_typed_column_reader::<Int64Type>(numbers)
            .read_records(rows, None, None, &mut seqs)
            .map_err(failed(path))?;
        if !seqs.iter().any(|seq| (from..=to).contains(seq)) {
            continue;
        }
        let mut bodies = Vec::with_capacity(rows);
        let bytes = reader.get_column_reader(body).map_err(failed(path))?;
        get_typed_column_reader::<ByteArrayType>(bytes)
            .read_records(rows, None, None, &mut bodies)
            .map_err(failed(path))?;
        if seqs.len() != bodies.len() {
            return Err(StoreError::Damaged(format!("{}: columns of different lengths", path.display())));
        }
        for (seq, body) in seqs.iter().zip(&bodies).filter(|(seq, _)| (from..=to).contains(*seq)) {
            found += 1;
            take(*seq, body.data());
        }
    }
    Ok(found)
}

/// Puts the bodies of archived events back into what a store found without them.
pub fn fill<'e>(folder: &Path, events: impl Iterator<Item = &'e mut PastEvent>) -> Result<()> {
    let mut wanted: BTreeMap<i64, Vec<&mut PastEvent>> = BTreeMap::new();
    for event in events.filter(|event| event.body.0.is_empty()) {
        wanted.entry(place::month_of(event.seq)).or_default().push(event);
    }
    for (month, mut events) in wanted {
        let path = folder.join(file_name(month));
        if !path.is_file() {
            let message =
                format!("{}: this month's events were archived there, and it is gone", path.display());
            return Err(StoreError::Damaged(message));
        }
        events.sort_unstable_by_key(|event| event.seq);
        let (Some(first), Some(last)) = (events.first(), events.last()) else { continue };
        let (first, last) = (first.seq, last.seq);
        let mut bodies = BTreeMap::new();
        let places: Vec<i64> = events.iter().map(|event| event.seq).collect();
        read(&path, first, last, |seq, body| {
            if places.binary_search(&seq).is_ok() {
                bodies.insert(seq, body.to_vec());
            }
        })?;
        for event in events {
            let body = bodies
                .get(&event.seq)
                .cloned()
                .ok_or_else(|| StoreError::Damaged(format!("{}: no event {}", path.display(), event.seq)))?;
            event.body = Sealed(body);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::seal;
    use zhiyin_model::id::EventId;
    use zhiyin_model::time::Ts;

    #[test]
    fn a_month_is_read_as_it_was_written() {
        let folder = std::env::temp_dir().join(format!("zhiyin-archive-{}", std::process::id()));
        let month = 566;
        let first = month * place::OF_A_MONTH + 1;
        let body = |n: i64| seal(&format!("{{\"number\":{n},\"text\":\"会员 🎁\"}}"));
        let mut writer = Writer::new(&folder, month).unwrap();
        for n in 0..5_000 {
            let row = Row {
                seq: first + n,
                source: "till".to_owned(),
                message_id: format!("m{n}"),
                name: "Order Completed".to_owned(),
                time: n,
                clock: n,
                derived: 0,
                member: vec![1; 16],
                body: body(n),
            };
            writer.row(row).unwrap();
        }
        let (events, written) = writer.finish().unwrap();
        assert_eq!((events, written), (5_000, hash(&folder.join(file_name(month))).unwrap()));
        let past = |seq| PastEvent {
            id: EventId::from_bytes([0; 16]),
            seq,
            user_namespace: String::new(),
            time: Ts(0),
            name: String::new(),
            body: Sealed(Vec::new()),
        };
        let mut events = vec![past(first + 4_999), past(first), past(first + 2_100)];
        events.push(PastEvent { body: body(7), ..past(1) });
        fill(&folder, events.iter_mut()).unwrap();
        assert!(events.iter().map(|event| &event.body).eq(&[body(4_999), body(0), body(2_100), body(7)]));
        assert!(fill(&folder, [past(first + 5_000)].iter_mut()).is_err(), "what is not there");
        assert!(fill(&folder, [past(1)].iter_mut()).is_err(), "a month that is not there");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
