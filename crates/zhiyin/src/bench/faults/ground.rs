//! Where a home of the fault test lies: opening it as one more process would, and what befalls the machine beneath it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use zhiyin_store::Store;
use zhiyin_store_sqlite::{Durability, SqliteStore};

use super::chance::Chance;
use super::items::KEY;
use super::server::Server;

static FOLDERS: AtomicU64 = AtomicU64::new(0);

/// Where a home lies.
pub enum Ground {
    /// In a file.
    File(Folder),
    /// On a server.
    Server(Box<Server>),
}

/// What a disaster takes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// All processes.
    All,
    /// All connections: the processes live on.
    Connections,
    /// Nothing but what was going on.
    None,
}

/// A folder of its own, with a folder in it for each time the machine lost its power.
pub struct Folder {
    path: PathBuf,
    losses: u32,
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever clears the temporary folder.
        drop(std::fs::remove_dir_all(&self.path));
    }
}

impl Folder {
    /// A new folder.
    pub fn new() -> Result<Self> {
        let n = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("zhiyin-faults-{}-{n}", std::process::id()));
        let folder = Self { path, losses: 0 };
        std::fs::create_dir_all(folder.current()).with_context(|| folder.path.display().to_string())?;
        Ok(folder)
    }

    fn current(&self) -> PathBuf {
        self.path.join(self.losses.to_string())
    }

    fn home(&self) -> PathBuf {
        self.current().join("home.db")
    }

    fn log_bytes(&self) -> u64 {
        std::fs::metadata(log_of(&self.home())).map_or(0, |log| log.len())
    }

    /// The machine loses its power: what is found afterwards is the file and its log as they are now, but of the log only
    /// the first `safe` bytes are sure. The rest is cut off somewhere, or garbage.
    fn lose_power(&mut self, safe: u64, chance: u64) -> Result<()> {
        let before = self.home();
        self.losses += 1;
        let after = self.home();
        std::fs::create_dir_all(self.current())?;
        std::fs::copy(&before, &after)?;
        if let Ok(mut log) = std::fs::read(log_of(&before)) {
            tear(&mut log, usize::try_from(safe)?, &mut Chance::new(chance));
            std::fs::write(log_of(&after), log)?;
        }
        Ok(())
    }
}

fn log_of(home: &Path) -> PathBuf {
    let mut name = home.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// What a log may look like beyond what is sure of it: whole, cut off, with bytes that were never written, or followed by
/// what lay on the disk before.
fn tear(log: &mut Vec<u8>, safe: usize, chance: &mut Chance) {
    let unsure = log.len().saturating_sub(safe) as u64;
    if !chance.one_in(4) {
        log.truncate(safe + usize::try_from(chance.below(unsure + 1)).unwrap_or(0));
    }
    if chance.one_in(3) && log.len() > safe {
        let at = safe + usize::try_from(chance.below((log.len() - safe) as u64)).unwrap_or(0);
        if let Some(byte) = log.get_mut(at) {
            *byte ^= 1 << chance.below(8);
        }
    }
    if chance.one_in(3) {
        log.extend((0..chance.below(9_000)).map(|_| chance.draw().to_le_bytes()[0]));
    }
}

impl Ground {
    /// Opens the home as one more process would, or makes it. `name` tells the process from others.
    pub async fn open(&self, name: &str) -> Result<Arc<dyn Store>> {
        match self {
            Self::File(folder) => {
                Ok(Arc::new(SqliteStore::open_with(&folder.home(), &KEY, Durability::Relaxed)?))
            }
            Self::Server(server) => server.open(name).await,
        }
    }

    /// Whether it is a file.
    pub fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// A process has ended. Returns once all that it had is let go, so that it never matters how soon that is.
    pub async fn ended(&self, name: &str) -> Result<()> {
        match self {
            Self::File(_) => Ok(()),
            Self::Server(server) => server.ended(name).await,
        }
    }

    /// How much of the log is sure now: all that was acknowledged is in it.
    pub fn sure(&self) -> u64 {
        match self {
            Self::File(folder) => folder.log_bytes(),
            Self::Server(_) => 0,
        }
    }

    /// The machine beneath fails, while a write may be under way; what it takes along.
    pub async fn disaster(&mut self, sure: u64, chance: u64) -> Result<Outage> {
        match self {
            Self::File(folder) => folder.lose_power(sure, chance).map(|()| Outage::All),
            Self::Server(server) => server.fail(chance).await,
        }
    }

    /// The home is no longer needed.
    pub async fn clear(self) -> Result<()> {
        match self {
            Self::File(_) => Ok(()),
            Self::Server(server) => server.clear().await,
        }
    }
}
