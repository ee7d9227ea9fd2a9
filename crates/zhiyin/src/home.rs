//! Opening a home: its folder, its database, its id key.

use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use zhiyin_engine::Engine;
use zhiyin_model::id::IdKey;
use zhiyin_store_sqlite::{SqliteStore, id_key_of};

use crate::arguments::Place;

/// Gives the id key of a new home as 64 hexadecimal digits: for tests and for homes made twice on purpose.
const KEY_VARIABLE: &str = "ZHIYIN_ID_KEY";
/// Events a batch has when nobody says otherwise.
const BATCH: u32 = 512;
/// The same while history is replayed: larger, for nobody waits for a single event.
const BATCH_IMPORT: u32 = 4096;

impl Place {
    /// Where the database is.
    pub fn path(&self) -> Result<PathBuf> {
        match &self.database {
            None => Ok(self.home.join("zhiyin.db")),
            Some(url) => match url.split_once(':') {
                Some(("sqlite", path)) if !path.is_empty() => {
                    Ok(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
                }
                Some(("postgres" | "postgresql", _)) => {
                    bail!("{url}: PostgreSQL is not supported by this version; use sqlite:PATH")
                }
                _ => bail!("{url}: a database is sqlite:PATH"),
            },
        }
    }

    /// Events a batch has.
    pub fn batch(&self) -> usize {
        self.batch_size.unwrap_or(BATCH) as usize
    }

    /// Events a batch has while history is replayed.
    pub fn batch_import(&self) -> usize {
        self.batch_size.unwrap_or(BATCH_IMPORT) as usize
    }

    /// Opens the home, or makes it.
    pub async fn open(&self) -> Result<Engine> {
        let path = self.path()?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private_folder(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        // A home holds its id key and people's identifiers: nobody else reads it. SQLite gives its log the same rights.
        std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        open_at(&path).await.with_context(|| format!("cannot open {}", path.display()))
    }

    /// Opens the home, which must be there.
    pub async fn open_existing(&self) -> Result<Engine> {
        let path = self.path()?;
        if !path.exists() {
            bail!("there is no home at {} yet; `zhiyin apply FILE` makes one", path.display());
        }
        self.open().await
    }
}

/// Makes a folder that only its owner enters; one that is there stays as it is.
fn private_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

async fn open_at(path: &Path) -> Result<Engine> {
    let key = match id_key_of(path)? {
        Some(key) => key,
        None => new_key()?,
    };
    let store = SqliteStore::open(path, &key)?;
    Ok(Engine::open(Arc::new(store)).await?)
}

fn new_key() -> Result<IdKey> {
    let mut bytes = [0u8; 32];
    match std::env::var(KEY_VARIABLE) {
        Err(_) => getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?,
        Ok(text) => {
            if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                bail!("{KEY_VARIABLE} is 64 hexadecimal digits");
            }
            for (i, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16)?;
            }
        }
    }
    Ok(IdKey::from_bytes(bytes))
}
