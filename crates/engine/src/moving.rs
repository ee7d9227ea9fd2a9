//! A home moves: to a file and back, or from one database to another, whole and while it is at work. What arrives is
//! proven by the digest: the one of the snapshot that was taken against the one of what was written.

pub mod file;

use std::path::Path;

use tokio::sync::mpsc;
use zhiyin_store::dump::{Rows, TABLES};
use zhiyin_store::{Store, StoreError};

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
pub async fn migrate(from: &dyn Store, to: &dyn Store) -> Result<Moved> {
    let (out, mut chunks) = mpsc::channel::<Rows>(CHUNKS_AHEAD);
    let (pass, into) = mpsc::channel(CHUNKS_AHEAD);
    let count = async {
        let mut rows = 0;
        while let Some(chunk) = chunks.recv().await {
            rows += chunk.rows.len() as u64;
            if pass.send(chunk).await.is_err() {
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
    proven(to, rows, digest).await
}

/// Whether what was written is what was taken.
async fn proven(to: &dyn Store, rows: u64, digest: String) -> Result<Moved> {
    let written = to.digest().await?;
    if written != digest {
        let message = format!("what was written is not what was taken: {written}, not {digest}");
        return Err(StoreError::Damaged(message).into());
    }
    Ok(Moved { rows, digest })
}

/// Writes a home to a file, which appears whole or not at all.
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
pub async fn restore(path: &Path, to: &dyn Store) -> Result<Moved> {
    let end = file::verify(path)?;
    let (out, into) = mpsc::channel::<Rows>(CHUNKS_AHEAD);
    let reader = file::Reader::open(path)?;
    let reading = tokio::task::spawn_blocking(move || {
        for chunk in reader {
            if out.blocking_send(chunk?).is_err() {
                break;
            }
        }
        Ok::<_, EngineError>(())
    });
    let (read, taken) = tokio::join!(reading, to.fill(into));
    taken?;
    read.map_err(|error| StoreError::Database(error.to_string()))??;
    proven(to, end.rows, end.digest).await
}

/// How many tables a dump has, for those who show how it goes.
pub fn tables() -> usize {
    TABLES.len()
}
