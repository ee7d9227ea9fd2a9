//! The file of a backup: a head, frames of packed rows, an end with the digest and a hash of everything before it.
//!
//! A frame is its length (4 bytes, little endian), then an LZ4 block with its size in front: MessagePack of (table,
//! rows). The last frame is of no table and holds (rows, digest). After it comes the BLAKE3 hash of the file up to there.
//! The id key and people's identifiers are in it: it is readable to its owner only.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use zhiyin_store::dump::{Rows, Value, table};

use crate::{EngineError, Result};

const HEAD: &[u8] = b"zhiyin backup 1\n";
/// The most bytes of a frame, so that a damaged length cannot ask for all memory.
const FRAME_BYTES_MAX: u32 = 256 * 1024 * 1024;

/// What went wrong with a file.
pub fn error(path: &Path, message: impl std::fmt::Display) -> EngineError {
    EngineError::File { file: path.display().to_string(), message: message.to_string() }
}

/// A value as it lies in the file.
struct Packed(Value);

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match &self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => serializer.serialize_bytes(bytes),
        }
    }
}

struct AnyValue;

impl Visitor<'_> for AnyValue {
    type Value = Packed;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nothing, a whole number, text or bytes")
    }

    fn visit_unit<E>(self) -> std::result::Result<Packed, E> {
        Ok(Packed(Value::Null))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Packed, E> {
        Ok(Packed(Value::Int(value)))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> std::result::Result<Packed, E> {
        i64::try_from(value).map(|value| Packed(Value::Int(value))).map_err(E::custom)
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Packed, E> {
        Ok(Packed(Value::Text(text.to_owned())))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> std::result::Result<Packed, E> {
        Ok(Packed(Value::Bytes(bytes.to_vec())))
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

/// What the end of a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Rows of all tables.
    pub rows: u64,
    /// The home's digest.
    pub digest: String,
}

/// Writes a file beside its place and moves it there when it is whole.
pub struct Writer {
    path: PathBuf,
    beside: PathBuf,
    out: BufWriter<File>,
    hasher: blake3::Hasher,
    rows: u64,
}

impl Writer {
    /// A new file; one that is there is not written over.
    pub fn new(path: &Path) -> Result<Self> {
        if path.exists() {
            return Err(error(path, "is there already"));
        }
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".part");
        let beside = path.with_file_name(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside);
        let out = BufWriter::new(file.map_err(|e| error(&beside, e))?);
        let mut writer = Self { path: path.to_owned(), beside, out, hasher: blake3::Hasher::new(), rows: 0 };
        writer.bytes(HEAD)?;
        Ok(writer)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.out.write_all(bytes).map_err(|e| error(&self.beside, e))
    }

    fn frame(&mut self, content: &[u8]) -> Result<()> {
        let packed = lz4_flex::block::compress_prepend_size(content);
        let length = u32::try_from(packed.len()).ok().filter(|length| *length <= FRAME_BYTES_MAX);
        let length = length.ok_or_else(|| error(&self.beside, "a frame is too large"))?;
        self.bytes(&length.to_le_bytes())?;
        self.bytes(&packed)
    }

    /// Writes rows of a table.
    pub fn rows(&mut self, rows: &Rows) -> Result<()> {
        if rows.rows.is_empty() {
            return Ok(());
        }
        self.rows += rows.rows.len() as u64;
        let packed: Vec<Vec<Packed>> =
            rows.rows.iter().map(|row| row.iter().cloned().map(Packed).collect()).collect();
        let content = rmp_serde::to_vec(&(rows.table.name, packed)).map_err(|e| error(&self.beside, e))?;
        self.frame(&content)
    }

    /// Writes the end, waits for the disk and moves the file to its place; how many rows it has.
    pub fn finish(mut self, digest: &str) -> Result<u64> {
        let rows = self.rows;
        let content = rmp_serde::to_vec(&("", rows, digest)).map_err(|e| error(&self.beside, e))?;
        self.frame(&content)?;
        let hash = *self.hasher.finalize().as_bytes();
        self.out.write_all(&hash).and_then(|()| self.out.flush()).map_err(|e| error(&self.beside, e))?;
        self.out.get_ref().sync_all().map_err(|e| error(&self.beside, e))?;
        std::fs::rename(&self.beside, &self.path).map_err(|e| error(&self.path, e))?;
        // The folder's entry is on disk only when the folder is.
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        folder.map_err(|e| error(&self.path, e))?;
        Ok(rows)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Where it was moved to its place there is nothing left.
        drop(std::fs::remove_file(&self.beside));
    }
}

/// Reads a file frame by frame.
pub struct Reader {
    path: PathBuf,
    input: BufReader<File>,
    hasher: blake3::Hasher,
    rows: u64,
    end: Option<End>,
}

impl Reader {
    /// Opens a file and reads its head.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| error(path, e))?;
        let mut reader = Self {
            path: path.to_owned(),
            input: BufReader::new(file),
            hasher: blake3::Hasher::new(),
            rows: 0,
            end: None,
        };
        let mut head = [0; HEAD.len()];
        reader.bytes(&mut head)?;
        if head != HEAD {
            return Err(error(path, "is no backup of a home, or of another version"));
        }
        Ok(reader)
    }

    fn bytes(&mut self, into: &mut [u8]) -> Result<()> {
        self.input.read_exact(into).map_err(|_| error(&self.path, "ends in the middle"))?;
        self.hasher.update(into);
        Ok(())
    }

    fn frame(&mut self) -> Result<Option<Rows>> {
        let mut length = [0; 4];
        self.bytes(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length > FRAME_BYTES_MAX {
            return Err(error(&self.path, "is damaged: a frame states an absurd length"));
        }
        let mut packed = vec![0; length as usize];
        self.bytes(&mut packed)?;
        let damaged = |_| error(&self.path, "is damaged: a frame does not unpack");
        let stated = packed.first_chunk::<4>().map_or(u32::MAX, |size| u32::from_le_bytes(*size));
        if stated > FRAME_BYTES_MAX {
            return Err(error(&self.path, "is damaged: a frame states an absurd size"));
        }
        let content = lz4_flex::block::decompress_size_prepended(&packed).map_err(|_| damaged(()))?;
        if let Ok((name, rows, digest)) = rmp_serde::from_slice::<(String, u64, String)>(&content) {
            if !name.is_empty() || rows != self.rows {
                return Err(error(&self.path, "is damaged: its end does not fit"));
            }
            let hash = *self.hasher.finalize().as_bytes();
            let mut stated = [0; 32];
            let read = self.input.read_exact(&mut stated).and_then(|()| self.input.read(&mut [0]));
            if stated != hash || !matches!(read, Ok(0)) {
                return Err(error(&self.path, "is damaged: its hash is another"));
            }
            self.end = Some(End { rows, digest });
            return Ok(None);
        }
        let (name, rows): (String, Vec<Vec<Packed>>) =
            rmp_serde::from_slice(&content).map_err(|_| damaged(()))?;
        let table =
            table(&name).ok_or_else(|| error(&self.path, format!("has an unknown table {name:?}")))?;
        self.rows += rows.len() as u64;
        let columns = table.columns.len();
        let rows = rows.into_iter().map(|row| {
            let mut row: Vec<Value> = row.into_iter().map(|value| value.0).collect();
            // Tables grow at their end: an older backup has nothing there.
            while row.len() < columns {
                row.push(Value::Null);
            }
            row
        });
        let rows = rows.collect();
        Ok(Some(Rows { table, rows }))
    }
}

impl Iterator for Reader {
    type Item = Result<Rows>;

    fn next(&mut self) -> Option<Result<Rows>> {
        if self.end.is_some() {
            return None;
        }
        self.frame().transpose()
    }
}

/// Reads a file to its end and says what stands there, if it is whole.
pub fn verify(path: &Path) -> Result<End> {
    let mut reader = Reader::open(path)?;
    for rows in reader.by_ref() {
        rows?;
    }
    reader.end.ok_or_else(|| error(path, "has no end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("zhiyin-moving-{}-{name}", std::process::id()))
    }

    #[test]
    fn a_file_is_read_as_it_was_written_and_any_damage_is_noticed() {
        let path = place("whole");
        let table = table("source").unwrap();
        let row = vec![Value::Int(-7), Value::Text("till 🎁".to_owned()), Value::Null];
        let rows = Rows { table, rows: vec![row.clone(), vec![Value::Bytes(vec![0, 255]); 3]] };
        let mut writer = Writer::new(&path).unwrap();
        writer.rows(&rows).unwrap();
        assert!(!path.exists());
        assert_eq!(writer.finish("digest").unwrap(), 2);
        assert_eq!(verify(&path).unwrap(), End { rows: 2, digest: "digest".to_owned() });
        let read: Vec<Rows> = Reader::open(&path).unwrap().map(Result::unwrap).collect();
        assert_eq!((read.len(), read[0].table.name, &read[0].rows), (1, "source", &rows.rows));
        assert!(Writer::new(&path).is_err(), "one that is there is not written over");
        let bytes = std::fs::read(&path).unwrap();
        for i in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[i] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert!(verify(&path).is_err(), "byte {i}");
            std::fs::write(&path, &bytes[..i]).unwrap();
            assert!(verify(&path).is_err(), "cut at {i}");
        }
        std::fs::write(&path, [&bytes[..], b"x"].concat()).unwrap();
        assert!(verify(&path).is_err(), "something after the end");
        std::fs::remove_file(&path).unwrap();
    }
}
