//! A folder of its own for each test, removed at the end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use zhiyin_model::id::IdKey;
use zhiyin_store::Store;
use zhiyin_store::conformance::{Homes, KEY};
use zhiyin_store_sqlite::{Durability, SqliteStore};

static FOLDERS: AtomicU64 = AtomicU64::new(0);

/// A folder that makes homes.
pub struct Folder {
    path: PathBuf,
    homes: AtomicU64,
}

impl Folder {
    /// A new, empty folder.
    pub fn new() -> Self {
        let n = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("zhiyin-store-sqlite-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self { path, homes: AtomicU64::new(0) }
    }

    /// Where the only home of a test stands.
    pub fn home(&self) -> PathBuf {
        self.path.join("home.db")
    }

    /// Opens the only home of a test, fully durable.
    pub fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.home(), &KEY).unwrap())
    }

    /// A connection of our own to it, as somebody with a database browser would have.
    pub fn raw(&self) -> Connection {
        raw(&self.home())
    }
}

/// A connection to a file.
pub fn raw(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

impl Homes for Folder {
    fn fresh(&self, key: &IdKey) -> Arc<dyn Store> {
        let n = self.homes.fetch_add(1, Ordering::Relaxed);
        let path = self.path.join(format!("{n}.db"));
        Arc::new(SqliteStore::open_with(&path, key, Durability::Relaxed).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        drop(std::fs::remove_dir_all(&self.path));
    }
}
