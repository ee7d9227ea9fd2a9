//! Lists of members as files, written piece by piece: CSV with a head, or Parquet; one column of texts, called like its
//! namespace.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use tokio::sync::mpsc;
use zhiyin_model::id::MemberId;
use zhiyin_model::mask::Mask;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::Day;

use super::checked_for;
use crate::{Engine, EngineError, Result};

/// Rows of a row group of Parquet.
const GROUP: usize = 65_536;
/// Members whose names are read at once.
const AT_ONCE: usize = 2_000;
/// Pieces that wait for whoever takes the list.
const PIECES: usize = 4;

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Comma-separated values with a head.
    Csv,
    /// Parquet.
    Parquet,
}

/// What was written and not yet taken.
#[derive(Clone, Default)]
struct Pieces(Arc<Mutex<Vec<u8>>>);

impl Pieces {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

enum Format {
    Csv(csv::Writer<Pieces>),
    Parquet { out: SerializedFileWriter<Pieces>, waiting: Vec<ByteArray> },
}

/// A list on its way into a file.
pub struct ListFile {
    pieces: Pieces,
    format: Format,
}

fn failed(error: impl std::fmt::Display) -> EngineError {
    EngineError::File { file: "the list".to_owned(), message: error.to_string() }
}

fn begun(pieces: &Pieces, column: &str) -> std::result::Result<SerializedFileWriter<Pieces>, ParquetError> {
    let texts = Type::primitive_type_builder(column, Physical::BYTE_ARRAY)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(Some(LogicalType::String))
        .build()?;
    let schema = Type::group_type_builder("audience").with_fields(vec![Arc::new(texts)]).build()?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    SerializedFileWriter::new(pieces.clone(), Arc::new(schema), Arc::new(properties))
}

fn group(
    out: &mut SerializedFileWriter<Pieces>,
    rows: &[ByteArray],
) -> std::result::Result<(), ParquetError> {
    let mut group = out.next_row_group()?;
    while let Some(mut column) = group.next_column()? {
        if let ColumnWriter::ByteArrayColumnWriter(column) = column.untyped() {
            column.write_batch(rows, None, None)?;
        }
        column.close()?;
    }
    group.close().map(drop)
}

impl ListFile {
    /// Begins one, with a column of this name.
    pub fn new(kind: FileKind, column: &str) -> Result<Self> {
        let pieces = Pieces::default();
        let format = match kind {
            FileKind::Csv => {
                let mut out = csv::Writer::from_writer(pieces.clone());
                out.write_record([column]).map_err(failed)?;
                Format::Csv(out)
            }
            FileKind::Parquet => {
                Format::Parquet { out: begun(&pieces, column).map_err(failed)?, waiting: Vec::new() }
            }
        };
        Ok(Self { pieces, format })
    }

    /// Adds names; gives what of the file there is by now and was not given before.
    pub fn put(&mut self, names: impl IntoIterator<Item = String>) -> Result<Vec<u8>> {
        for name in names {
            match &mut self.format {
                Format::Csv(out) => out.write_record([&name]).map_err(failed)?,
                Format::Parquet { out, waiting } => {
                    waiting.push(ByteArray::from(name.into_bytes()));
                    if waiting.len() == GROUP {
                        group(out, &std::mem::take(waiting)).map_err(failed)?;
                    }
                }
            }
        }
        if let Format::Csv(out) = &mut self.format {
            out.flush().map_err(failed)?;
        }
        Ok(self.pieces.take())
    }

    /// Ends it; gives the rest of the file.
    pub fn end(self) -> Result<Vec<u8>> {
        match self.format {
            Format::Csv(mut out) => out.flush().map_err(failed)?,
            Format::Parquet { mut out, waiting } => {
                if !waiting.is_empty() {
                    group(&mut out, &waiting).map_err(failed)?;
                }
                out.close().map(drop).map_err(failed)?;
            }
        }
        Ok(self.pieces.take())
    }
}

impl Engine {
    /// An audience as a file, piece by piece, in the order of members' ids; names as far as a grant may see them, ids where it
    /// may see none. Who has no name in the namespace is not in it.
    pub async fn audience_export(
        self: &Arc<Self>,
        grant: &Grant,
        condition: &str,
        day: Option<Day>,
        (namespace, kind): (Option<&str>, FileKind),
    ) -> Result<mpsc::Receiver<Result<Vec<u8>>>> {
        let filter = self.filter(grant, Operation::MemberExport).await?;
        let ids: Vec<MemberId> = match self.away(grant, Operation::MemberExport, day).await? {
            Some(away) => away.members(condition).await?,
            None => {
                let asking = self.asking(self.moment(day).await?, &filter).await?;
                let condition = checked_for(&asking.live, condition, filter.mask)?;
                asking.aside(move |asking| Ok(asking.ids(&asking.find(&condition)))).await?
            }
        };
        // Refused before anything is sent.
        self.called_in(Vec::new(), namespace, filter.mask).await?;
        let column = namespace.filter(|_| filter.mask != Mask::Hidden).unwrap_or("member");
        let mut file = ListFile::new(kind, column)?;
        let (out, pieces) = mpsc::channel(PIECES);
        let (engine, namespace, mask) = (Arc::clone(self), namespace.map(str::to_owned), filter.mask);
        tokio::spawn(async move {
            for part in ids.chunks(AT_ONCE) {
                let called = engine.called_in(part.to_vec(), namespace.as_deref(), mask).await;
                let piece = called.and_then(|called| file.put(called.into_iter().map(|(_, name)| name)));
                let broken = piece.is_err();
                // Nobody takes it any more, or it cannot go on.
                if out.send(piece).await.is_err() || broken {
                    return;
                }
            }
            let _nobody_left = out.send(file.end()).await.is_err();
        });
        Ok(pieces)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failure here is the test's")]
mod tests {
    use std::io::{Seek, Write};

    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    fn written(kind: FileKind, n: usize, at_once: usize) -> Vec<u8> {
        let names: Vec<String> = (0..n).map(|n| format!("会员 {n}")).collect();
        let mut file = ListFile::new(kind, "wechat:unionid").unwrap();
        let mut whole = Vec::new();
        names.chunks(at_once).for_each(|part| whole.extend(file.put(part.to_vec()).unwrap()));
        whole.extend(file.end().unwrap());
        whole
    }

    #[test]
    fn a_list_is_read_back_as_it_was_written_whatever_its_pieces() {
        for (n, at_once) in [(0, 1), (1, 1), (70_000, 999), (70_000, 70_000)] {
            let path = std::env::temp_dir().join(format!("zhiyin-list-{}-{n}-{at_once}", std::process::id()));
            let options = std::fs::OpenOptions::new().read(true).write(true).create_new(true).open(&path);
            let mut file = options.unwrap();
            std::fs::remove_file(path).unwrap();
            file.write_all(&written(FileKind::Parquet, n, at_once)).unwrap();
            file.rewind().unwrap();
            let reader = SerializedFileReader::new(file).unwrap();
            let mut rows = reader.get_row_iter(None).unwrap();
            let all: Vec<String> = rows.by_ref().map(|row| row.unwrap().to_string()).collect();
            assert_eq!(all.len(), n);
            let last = (n > 0).then(|| format!("{{wechat:unionid: \"会员 {}\"}}", n - 1));
            assert_eq!(all.last().cloned(), last);
        }
        let csv = String::from_utf8(written(FileKind::Csv, 2, 1)).unwrap();
        assert_eq!(csv, "wechat:unionid\n会员 0\n会员 1\n");
    }
}
