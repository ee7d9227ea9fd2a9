//! Opening a home: its folder, its database, its id key.

use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use zhiyin_engine::Engine;
use zhiyin_model::id::IdKey;
use zhiyin_store::Store;
use zhiyin_store_pg::PgStore;
use zhiyin_store_sqlite::{SqliteStore, id_key_of};

use crate::arguments::Place;

/// Gives the id key of a new home as 64 hexadecimal digits: for tests and for homes made twice on purpose.
const KEY_VARIABLE: &str = "ZHIYIN_ID_KEY";
/// Workers of a process on a server: while one waits for it, another decides.
const WORKERS: usize = 3;
/// Events a batch has when nobody says otherwise.
const BATCH: u32 = 512;
/// The same while history is replayed: larger, for nobody waits for a single event.
const BATCH_IMPORT: u32 = 4096;

/// Where a home's database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(String),
}

impl Database {
    /// Reads an address.
    pub fn parse(url: &str) -> Result<Self> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => {
                Ok(Self::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path))))
            }
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(url.to_owned())),
            _ => {
                bail!("{}: a database is sqlite:PATH or postgres://USER@HOST/DATABASE", without_password(url))
            }
        }
    }

    /// How it is called where people read it: never with its password.
    pub fn name(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(url) => without_password(url),
        }
    }

    /// Opens its store, or makes it; with how many workers it is worked on.
    pub async fn open(&self) -> Result<(Arc<dyn Store>, usize)> {
        let opened = async {
            match self {
                Self::Sqlite(path) => {
                    file_of(path)?;
                    let key = id_key_of(path)?.map_or_else(new_key, Ok)?;
                    Ok::<_, anyhow::Error>((Arc::new(SqliteStore::open(path, &key)?) as Arc<dyn Store>, 1))
                }
                Self::Postgres(url) => {
                    let key = zhiyin_store_pg::id_key_of(url).await?.map_or_else(new_key, Ok)?;
                    Ok((Arc::new(PgStore::open(url, &key).await?) as Arc<dyn Store>, WORKERS))
                }
            }
        };
        opened.await.with_context(|| format!("cannot open {}", self.name()))
    }

    /// Whether there is a home in it.
    pub async fn exists(&self) -> Result<bool> {
        match self {
            Self::Sqlite(path) => Ok(path.exists()),
            Self::Postgres(url) => Ok(zhiyin_store_pg::id_key_of(url).await?.is_some()),
        }
    }
}

fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((user, place)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{place}")
}

impl Place {
    /// Where the database is.
    pub fn at(&self) -> Result<Database> {
        match &self.database {
            None => Ok(Database::Sqlite(self.home.join("zhiyin.db"))),
            Some(url) => Database::parse(url),
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

    /// Where archived months lie.
    pub fn archive(&self) -> Result<PathBuf> {
        if let Some(folder) = &self.archive {
            return Ok(folder.clone());
        }
        match self.at()? {
            Database::Sqlite(path) => {
                let mut beside = path.file_name().unwrap_or_default().to_os_string();
                beside.push("-archive");
                Ok(path.with_file_name(beside))
            }
            Database::Postgres(_) => Ok(self.home.join("archive")),
        }
    }

    /// Opens the home, or makes it.
    pub async fn open(&self) -> Result<Engine> {
        let (store, workers) = self.at()?.open().await?;
        store.keep_archive(self.archive()?);
        Ok(Engine::open_working(store, workers).await?)
    }

    /// Opens the home, which must be there.
    pub async fn open_existing(&self) -> Result<Engine> {
        let database = self.at()?;
        if !database.exists().await? {
            bail!("there is no home at {} yet; `zhiyin apply FILE` makes one", database.name());
        }
        self.open().await
    }
}

/// Makes a home's file, and its folder. A home holds its id key and people's identifiers: nobody else reads it. SQLite gives
/// its log the same rights.
fn file_of(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        private_folder(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    Ok(())
}

/// Makes a folder that only its owner enters; one that is there stays as it is.
fn private_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
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
