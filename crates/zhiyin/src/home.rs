//! Opening a home: its folder, its database, its id key.

use std::fs::{File, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use zhiyin_engine::Engine;
use zhiyin_engine::audience::keep::Keeping;
use zhiyin_model::id::IdKey;
use zhiyin_store::Store;
use zhiyin_store::seal::envelope::Key;
use zhiyin_store::seal::keystore::Keystore;
use zhiyin_store::seal::vault::{Vault, is_mark, new_mark};
use zhiyin_store_pg::{PgKeystore, PgStore};
use zhiyin_store_sqlite::{FileKeystore, SqliteStore, id_key_of};

use crate::arguments::Place;
use crate::master;

/// Gives the id key of a new home as 64 hexadecimal digits: for tests and for homes made twice on purpose.
const KEY_VARIABLE: &str = "ZHIYIN_ID_KEY";
/// Workers of a process on a server: while one waits for it, another decides.
const WORKERS: usize = 3;
/// Events a batch has when nobody says otherwise.
const BATCH: u32 = 512;
/// The same while history is replayed: larger, for nobody waits for a single event.
const BATCH_IMPORT: u32 = 4096;

/// In which file of a folder of snapshots it stands as whom the change feed is followed for them.
const CONSUMER: &str = "consumer";

/// Memory that audiences may take, in MiB, unless it is said otherwise.
pub const AUDIENCE_MIB: u32 = 2_048;

/// Who holds all shares while a home is sealed in place.
pub const SEALER: &str = "zhiyin-keys-seal-home";
const SEALER_TTL: Duration = Duration::from_secs(3_600);

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

    /// Its keystore, if it has one.
    pub async fn keystore(&self) -> Result<Option<Arc<dyn Keystore>>> {
        let there = match self {
            Self::Sqlite(path) => FileKeystore::beside(path).exists(),
            Self::Postgres(url) => PgKeystore::exists(url).await?,
        };
        if !there {
            return Ok(None);
        }
        let keystore = self.new_keystore()?;
        Ok(keystore.header()?.is_some().then_some(keystore))
    }

    /// Its keystore, made where there is none.
    pub fn new_keystore(&self) -> Result<Arc<dyn Keystore>> {
        Ok(match self {
            Self::Sqlite(path) => {
                file_of(path)?;
                Arc::new(FileKeystore::open(&FileKeystore::beside(path))?)
            }
            Self::Postgres(url) => Arc::new(PgKeystore::open(url)?),
        })
    }

    async fn id_key(&self) -> Result<Option<IdKey>> {
        Ok(match self {
            Self::Sqlite(path) => id_key_of(path)?,
            Self::Postgres(url) => zhiyin_store_pg::id_key_of(url).await?,
        })
    }

    /// Opens its store, or makes it; with how many workers it is worked on. A home that is made while a master key is given
    /// is sealed from its first row.
    pub async fn open(&self, master: Option<&Key>) -> Result<(Arc<dyn Store>, usize)> {
        let opened = async {
            let vault = self.vault(master).await?;
            self.store(vault).await
        };
        opened.await.with_context(|| format!("cannot open {}", self.name()))
    }

    /// Opens it, or makes it, as a home that is not sealed.
    pub async fn open_unsealed(&self) -> Result<(Arc<dyn Store>, usize)> {
        if self.keystore().await?.is_some() {
            bail!("{} has a keystore already: what is not sealed does not go there", self.name());
        }
        self.store(None).await.with_context(|| format!("cannot open {}", self.name()))
    }

    async fn store(&self, vault: Option<Arc<Vault>>) -> Result<(Arc<dyn Store>, usize)> {
        let mark = vault.as_ref().and_then(|vault| vault.mark()).map(IdKey::from_bytes);
        let key = match (mark, self.id_key().await?) {
            (Some(mark), _) => mark,
            (None, Some(key)) => key,
            (None, None) => new_key()?,
        };
        let (store, workers): (Arc<dyn Store>, usize) = match self {
            Self::Sqlite(path) => {
                file_of(path)?;
                (Arc::new(SqliteStore::open(path, &key)?), 1)
            }
            Self::Postgres(url) => (Arc::new(PgStore::open(url, &key).await?), WORKERS),
        };
        if let (Some(vault), Some(personal)) = (vault, store.personal()) {
            let mark = vault.mark();
            personal.keep_vault(vault);
            // Whether the keystore is this home's is said here.
            store.home().await?;
            if let Some(mark) = mark {
                personal.mark_sealed(mark).await?;
            }
            let n = zhiyin_engine::erase::resume(store.as_ref()).await?;
            if n > 0 {
                tracing::info!(n, "erasures that were broken off were carried out");
            }
        }
        Ok((store, workers))
    }

    /// The vault of a sealed home; `None` where the home is not sealed.
    async fn vault(&self, master: Option<&Key>) -> Result<Option<Arc<Vault>>> {
        let (keystore, id_key) = (self.keystore().await?, self.id_key().await?);
        match (keystore, id_key, master) {
            (Some(keystore), _, Some(master)) => {
                if keystore.header()?.is_some_and(|header| header.sealing) {
                    bail!("it is not sealed to its end yet: run `zhiyin keys seal-home` to its end");
                }
                Ok(Some(Vault::open(keystore, master.clone())?))
            }
            (Some(_), _, None) => {
                bail!("master_key_missing: this home is sealed; give its master key: --master-key-file FILE")
            }
            (None, Some(key), _) if is_mark(key.bytes()) => {
                bail!("keystore_missing: this home is sealed, and its keystore is not there")
            }
            (None, None, Some(master)) => {
                let keystore = self.new_keystore()?;
                Ok(Some(Vault::make(keystore, master.clone(), &new_key()?, new_mark()?, false)?))
            }
            (None, Some(_), Some(_)) => {
                tracing::info!("this home is not sealed, and stays so; `zhiyin keys seal-home` seals it");
                Ok(None)
            }
            (None, _, None) => Ok(None),
        }
    }

    /// Opens a home that is to be sealed, for nobody else; `None` if it is sealed.
    pub async fn open_to_seal(&self, master: &Key) -> Result<Option<Arc<dyn Store>>> {
        let Some(id_key) = self.id_key().await? else { bail!("there is no home at {}", self.name()) };
        let vault = match self.keystore().await? {
            Some(keystore) => {
                let sealing = keystore.header()?.is_some_and(|header| header.sealing);
                let vault = Vault::open(keystore, master.clone())?;
                if !sealing {
                    return Ok(None);
                }
                vault
            }
            None if is_mark(id_key.bytes()) => {
                bail!("keystore_missing: the keystore of {} is not there", self.name())
            }
            None => {
                let keystore = self.new_keystore()?;
                Vault::make(keystore, master.clone(), &id_key, new_mark()?, true)?
            }
        };
        // As it is: whoever works on it now is seen first.
        let (store, _) = self.store(None).await?;
        let slots = store.work().await?.shares.len();
        let turn = store.lease(SEALER, SEALER_TTL).await?;
        if turn.held.len() < slots {
            store.release(SEALER).await?;
            bail!("somebody works on {}: stop all that does first", self.name());
        }
        if let Some(personal) = store.personal() {
            personal.keep_vault(vault);
        }
        Ok(Some(store))
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

    /// Where what this process keeps of audiences lies: beside the SQLite file, or `audience` in the home folder.
    fn audience_folder(&self) -> Result<PathBuf> {
        match self.at()? {
            Database::Sqlite(path) => {
                let mut beside = path.file_name().unwrap_or_default().to_os_string();
                beside.push("-audience");
                Ok(path.with_file_name(beside))
            }
            Database::Postgres(_) => Ok(self.home.join("audience")),
        }
    }

    /// How a process that serves this home keeps audiences, as long as it holds what comes with it: as whom it follows the
    /// change feed, a name of its own and the same when it comes again. Where another process bears that one, it has another
    /// and no snapshots.
    pub fn audiences(&self, bytes: usize) -> Result<(Keeping, Option<File>)> {
        let folder = self.audience_folder()?;
        private_folder(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut chance = [0u8; 4];
        getrandom::fill(&mut chance).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        let mut consumer = format!("audience-{:08x}", u32::from_le_bytes(chance));
        let Some(held) = hold(&folder)? else {
            return Ok((Keeping { bytes, consumer, folder: None }, None));
        };
        match self.audiences_kept()? {
            Some(kept) => consumer = kept.consumer,
            None => {
                let file = folder.join(CONSUMER);
                std::fs::write(&file, &consumer)
                    .with_context(|| format!("cannot write {}", file.display()))?;
            }
        }
        Ok((Keeping { bytes, consumer, folder: Some(folder) }, Some(held)))
    }

    /// As whom an earlier process kept audiences, if it did and none does now.
    pub fn audiences_left(&self) -> Result<Option<Keeping>> {
        let Some(kept) = self.audiences_kept()? else { return Ok(None) };
        let held = hold(&self.audience_folder()?)?;
        Ok(held.map(|_held| kept))
    }

    /// Does away with snapshots of audiences, which lie in the clear.
    pub fn forget_audiences(&self) -> Result<()> {
        let folder = self.audience_folder()?;
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", folder.display()))
            }
            _ => Ok(()),
        }
    }

    /// The same, if a process kept any.
    pub fn audiences_kept(&self) -> Result<Option<Keeping>> {
        let folder = self.audience_folder()?;
        let named = std::fs::read_to_string(folder.join(CONSUMER)).ok();
        let consumer = named.map(|name| name.trim().to_owned()).filter(|name| (1..=64).contains(&name.len()));
        let bytes = mebibytes(AUDIENCE_MIB);
        Ok(consumer.map(|consumer| Keeping { bytes, consumer, folder: Some(folder) }))
    }

    /// Opens the home, or makes it.
    pub async fn open(&self) -> Result<Engine> {
        let (store, workers) = self.at()?.open(master::given(self)?.as_ref()).await?;
        store.keep_archive(self.archive()?);
        let engine = Engine::open_working(store, workers).await?;
        engine.audience_memory(mebibytes(AUDIENCE_MIB));
        engine.poster_fonts(self.font.clone());
        Ok(engine)
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

/// Holds a folder of snapshots as long as this process keeps what comes back; `None` where another one does.
fn hold(folder: &Path) -> Result<Option<File>> {
    let file = folder.join("held");
    let opened = File::options().create(true).truncate(false).write(true).mode(0o600).open(&file);
    let opened = opened.with_context(|| format!("cannot open {}", file.display()))?;
    match opened.try_lock() {
        Ok(()) => Ok(Some(opened)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot hold {}", file.display()))
        }
    }
}

/// So many MiB in bytes.
pub const fn mebibytes(n: u32) -> usize {
    (n as usize).saturating_mul(1024 * 1024)
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
