//! A home moves: to a file and back, or from one database to another, whole and while it is at work. What arrives is
//! proven by the digest: the one of the snapshot that was taken against the one of what was written.

pub mod file;

use std::path::Path;

use tokio::sync::mpsc;
use zhiyin_model::time::Ts;
use zhiyin_store::dump::{Kind, Rows, TABLES, Value};
use zhiyin_store::seal::vault::is_mark;
use zhiyin_store::webhooks::Because;
use zhiyin_store::{Store, StoreError};

use crate::boxed;
use crate::{EngineError, Result};

/// How many chunks may wait between who says rows and who takes them.
const CHUNKS_AHEAD: usize = 4;

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Rows of all tables.
    pub rows: u64,
    /// The digest of both sides.
    pub digest: String,
}

/// Copies a home into an empty one.
#[boxed]
pub async fn migrate(from: &dyn Store, to: &dyn Store) -> Result<Moved> {
    let (out, mut chunks) = mpsc::channel::<Rows>(CHUNKS_AHEAD);
    let (pass, into) = mpsc::channel(CHUNKS_AHEAD);
    let at = crate::clock::wall();
    let count = async {
        let mut rows = 0;
        while let Some(chunk) = chunks.recv().await {
            rows += chunk.rows.len() as u64;
            if pass.send(silent(chunk, at)).await.is_err() {
                break;
            }
        }
        // Who takes rows must see their end, and who says them that nobody listens.
        drop((pass, chunks));
        rows
    };
    let (said, rows, taken) = tokio::join!(from.dump(out), count, to.fill(into));
    // Where both failed, the one that takes knows why: the other only lost its listener.
    taken?;
    let digest = said?;
    as_sealed(to).await?;
    let moved = proven(to, rows, digest, None).await?;
    crate::erase::reapply(to).await?;
    Ok(moved)
}

/// Rows as a copy takes them: endpoints that were not paused are, from the moment they are there, whatever becomes of the rest.
/// Two homes must not both speak; whoever goes on says so.
fn silent(mut chunk: Rows, at: Ts) -> Rows {
    if chunk.table.name == "webhook" {
        let place = |name: &str| chunk.table.columns.iter().position(|(column, _)| *column == name);
        if let (Some(paused_at), Some(because)) = (place("paused_at"), place("paused_because")) {
            for row in chunk.rows.iter_mut().filter(|row| row.get(paused_at) == Some(&Value::Null)) {
                row[paused_at] = Value::Int(at.0);
                row[because] = Value::Text(Because::Copied.name().to_owned());
            }
        }
    }
    chunk
}

/// What came in is sealed, if the home it comes from was: it is a home for those only who know how.
async fn as_sealed(to: &dyn Store) -> Result<()> {
    if let Some(personal) = to.personal()
        && let Some(mark) = personal.vault().mark()
    {
        personal.mark_sealed(mark).await?;
    }
    Ok(())
}

/// Whether a backup is of a sealed home.
pub fn is_sealed(path: &Path) -> Result<bool> {
    for chunk in file::Reader::open(path)? {
        let chunk = chunk?;
        if chunk.table.name == "home" {
            let key = chunk.rows.first().and_then(|row| row.first());
            return Ok(matches!(key, Some(Value::Bytes(key)) if is_mark(key)));
        }
    }
    Err(file::error(path, "names no home"))
}

/// A sum over rows that does not depend on their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum([u64; 4]);

impl Sum {
    fn add(&mut self, rows: &Rows) {
        // The home's own row says where places go on, which another database may count otherwise.
        if matches!(rows.table.name, "home" | "source" | "house_account") {
            return;
        }
        for row in &rows.rows {
            let columns = rows.table.columns.iter().zip(row);
            let said: Vec<&Value> =
                columns.filter(|((_, kind), _)| *kind != Kind::No).map(|(_, value)| value).collect();
            let hash = blake3::hash(format!("{}{said:?}", rows.table.name).as_bytes());
            let (parts, _) = hash.as_bytes().as_chunks::<8>();
            for (sum, part) in self.0.iter_mut().zip(parts) {
                *sum = sum.wrapping_add(u64::from_le_bytes(*part));
            }
        }
    }
}

async fn sum_of(store: &dyn Store) -> Result<Sum> {
    let (out, mut chunks) = mpsc::channel::<Rows>(CHUNKS_AHEAD);
    let adding = async {
        let mut sum = Sum::default();
        while let Some(chunk) = chunks.recv().await {
            sum.add(&chunk);
        }
        sum
    };
    let (said, sum) = tokio::join!(store.dump(out), adding);
    said?;
    Ok(sum)
}

/// Whether what was written is what was taken. Where people were erased since a backup was made, their keys are gone, and so
/// the digest cannot be the same: then the rows themselves are compared, as they were said.
async fn proven(to: &dyn Store, rows: u64, digest: String, said: Option<Sum>) -> Result<Moved> {
    let written = to.digest().await?;
    let erased = to.personal().and_then(|personal| personal.vault().keystore().cloned());
    let erased = match erased {
        Some(keystore) => !keystore.gone()?.is_empty(),
        None => false,
    };
    if written != digest
        && erased
        && let Some(said) = said
        && sum_of(to).await? == said
    {
        return Ok(Moved { rows, digest: written });
    }
    if written != digest {
        let message = format!("what was written is not what was taken: {written}, not {digest}");
        return Err(StoreError::Damaged(message).into());
    }
    Ok(Moved { rows, digest })
}

/// Writes a home to a file, which appears whole or not at all.
#[boxed]
pub async fn backup(from: &dyn Store, path: &Path) -> Result<Moved> {
    let (out, mut chunks) = mpsc::channel::<Rows>(CHUNKS_AHEAD);
    let mut writer = file::Writer::new(path)?;
    // Writing waits for the disk: not on a thread that others are waiting for.
    let writing = tokio::task::spawn_blocking(move || {
        while let Some(chunk) = chunks.blocking_recv() {
            writer.rows(&chunk)?;
        }
        Ok::<_, EngineError>(writer)
    });
    let (said, writing) = tokio::join!(from.dump(out), writing);
    let writer = writing.map_err(|error| StoreError::Database(error.to_string()))?;
    // A full disk ends the listening, and that is why nothing more was said.
    let writer = writer?;
    let digest = said?;
    let rows = writer.finish(&digest)?;
    // The file is read once as a whole: a backup that cannot be read is none.
    let told = file::verify(path)?;
    if (told.rows, told.digest.as_str()) != (rows, digest.as_str()) {
        return Err(file::error(path, "what was written cannot be read back"));
    }
    Ok(Moved { rows, digest })
}

/// Fills an empty home from a file.
#[boxed]
pub async fn restore(path: &Path, to: &dyn Store) -> Result<Moved> {
    let end = file::verify(path)?;
    let (out, into) = mpsc::channel::<Rows>(CHUNKS_AHEAD);
    let reader = file::Reader::open(path)?;
    let at = crate::clock::wall();
    let reading = tokio::task::spawn_blocking(move || {
        let mut sum = Sum::default();
        for chunk in reader {
            let chunk = silent(chunk?, at);
            sum.add(&chunk);
            if out.blocking_send(chunk).is_err() {
                break;
            }
        }
        Ok::<_, EngineError>(sum)
    });
    let (read, taken) = tokio::join!(reading, to.fill(into));
    taken?;
    let sum = read.map_err(|error| StoreError::Database(error.to_string()))??;
    as_sealed(to).await?;
    let moved = proven(to, end.rows, end.digest, Some(sum)).await?;
    crate::erase::reapply(to).await?;
    Ok(moved)
}

/// How many tables a dump has, for those who show how it goes.
pub fn tables() -> usize {
    TABLES.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_database_numbers_for_itself_is_no_part_of_a_sum() {
        let sum = |table, row: &[Value]| {
            let mut sum = Sum::default();
            sum.add(&Rows { table, rows: vec![row.to_vec()] });
            sum
        };
        for table in &TABLES {
            let row: Vec<Value> = table.columns.iter().map(|_| Value::Int(7)).collect();
            for (i, (column, kind)) in table.columns.iter().enumerate() {
                let mut other = row.clone();
                other[i] = Value::Int(8);
                let same = sum(table, &row) == sum(table, &other);
                let own = matches!(table.name, "home" | "source" | "house_account") || *kind == Kind::No;
                assert_eq!(same, own, "{} of {}", column, table.name);
            }
        }
        let numbered = TABLES.iter().filter(|table| table.columns.iter().any(|(_, kind)| *kind == Kind::No));
        assert_eq!(numbered.count(), 11);
    }
}
