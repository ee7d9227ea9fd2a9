//! The keystore of a home in a file: a file of its own beside it (`PATH-keys`), readable to its owner only, so that copies of
//! the home hold no keys.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use zhiyin_model::id::IdKey;
use zhiyin_store::seal::envelope::Subject;
use zhiyin_store::seal::keystore::{Erasure, Found, Header, Keystore, Wrapped};
use zhiyin_store::{Result, StoreError};

use crate::connection::{self, Durability};
use crate::rows::{all, damaged, database};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS header (one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL, \
    version INTEGER NOT NULL, epoch INTEGER NOT NULL) STRICT; \
    CREATE TABLE IF NOT EXISTS data_key (subject BLOB PRIMARY KEY, version INTEGER NOT NULL, wrapped BLOB NOT NULL) \
    STRICT, WITHOUT ROWID; \
    CREATE TABLE IF NOT EXISTS gone (subject BLOB PRIMARY KEY) STRICT, WITHOUT ROWID; \
    CREATE TABLE IF NOT EXISTS erasure (no INTEGER PRIMARY KEY, member BLOB NOT NULL UNIQUE, reason TEXT NOT NULL, \
    at INTEGER NOT NULL, subjects BLOB NOT NULL, done INTEGER NOT NULL) STRICT;";
const HEADER: &str = "SELECT text FROM header";
const HEADER_SET: &str = "INSERT INTO header (one, text, version, epoch) VALUES (1, ?1, ?2, 0) \
    ON CONFLICT (one) DO UPDATE SET text = excluded.text, version = excluded.version";
const VERSION: &str = "SELECT version FROM header";
const GONE: &str = "SELECT EXISTS (SELECT 1 FROM gone WHERE subject = ?)";
const KEY: &str = "SELECT version, wrapped FROM data_key WHERE subject = ?";
const KEY_NEW: &str = "INSERT INTO data_key (subject, version, wrapped) SELECT ?1, ?2, ?3 \
    WHERE NOT EXISTS (SELECT 1 FROM gone WHERE subject = ?1) ON CONFLICT (subject) DO NOTHING";
const KEY_SET: &str = "UPDATE data_key SET version = ?2, wrapped = ?3 WHERE subject = ?1";
const PAGE: &str =
    "SELECT subject, version, wrapped FROM data_key WHERE subject > ? ORDER BY subject LIMIT ?";
const OTHERS: &str = "SELECT EXISTS (SELECT 1 FROM data_key WHERE version <> ?)";
const EPOCH: &str = "SELECT COALESCE(MAX(epoch), 0) FROM header";
const EPOCH_ON: &str = "UPDATE header SET epoch = epoch + 1";
const ERASURES: &str = "SELECT member, reason, at, subjects, done FROM erasure ORDER BY no";
const ERASURE_SET: &str = "INSERT INTO erasure (member, reason, at, subjects, done) VALUES (?1, ?2, ?3, ?4, ?5) \
    ON CONFLICT (member) DO UPDATE SET subjects = excluded.subjects, done = excluded.done";
const ERASURE_DONE: &str = "UPDATE erasure SET done = 1 WHERE member = ?";
const KEY_GONE: &str = "DELETE FROM data_key WHERE subject = ?";
const GONE_NEW: &str = "INSERT INTO gone (subject) VALUES (?) ON CONFLICT DO NOTHING";
const ALL_GONE: &str = "SELECT subject FROM gone ORDER BY subject";

/// A keystore in a file.
pub struct FileKeystore {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl FileKeystore {
    /// Where the keystore of the home in this file is.
    pub fn beside(home: &Path) -> PathBuf {
        let mut name = home.file_name().unwrap_or_default().to_os_string();
        name.push("-keys");
        home.with_file_name(name)
    }

    /// Opens a keystore, or makes an empty one.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| StoreError::Keys(format!("{}: {error}", path.display()));
        std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(failed)?;
        let connection = Connection::open(path).map_err(database)?;
        connection.busy_timeout(Duration::from_secs(30)).map_err(database)?;
        crate::connection::log_ahead(&connection)?;
        // What is deleted here is overwritten: it is a key.
        connection
            .execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
            .map_err(database)?;
        connection.execute_batch(SCHEMA).map_err(database)?;
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A transaction that was broken off was rolled back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T>(&self, job: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.connection();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(database)?;
        let done = job(&tx)?;
        tx.commit().map_err(database)?;
        Ok(done)
    }
}

fn subject(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Subject> {
    row.get_ref(column)?.as_blob()?.try_into().map_err(|_| damaged(column, "not a subject"))
}

fn header_text(header: &Header) -> Result<String> {
    serde_json::to_string(header).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn set_header(c: &Connection, header: &Header) -> Result<()> {
    let values = params![header_text(header)?, header.id_key.version];
    c.execute(HEADER_SET, values).map(drop).map_err(database)
}

impl Keystore for FileKeystore {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn header(&self) -> Result<Option<Header>> {
        let text: Option<String> =
            self.connection().query_row(HEADER, [], |row| row.get(0)).optional().map_err(database)?;
        let read = |text: String| {
            serde_json::from_str(&text).map_err(|error| StoreError::Damaged(format!("the keystore: {error}")))
        };
        text.map(read).transpose()
    }

    fn set_header(&self, header: &Header) -> Result<()> {
        self.write(|tx| set_header(tx, header))
    }

    fn find(&self, subjects: &[Subject]) -> Result<Vec<Found>> {
        let c = self.connection();
        let mut key = c.prepare_cached(KEY).map_err(database)?;
        let mut gone = c.prepare_cached(GONE).map_err(database)?;
        let find = |subject: &Subject| {
            let found = key
                .query_row([subject.as_slice()], |row| {
                    Ok(Found::Key(Wrapped { version: row.get(0)?, bytes: row.get(1)? }))
                })
                .optional()?;
            match found {
                Some(found) => Ok(found),
                None if gone.query_row([subject.as_slice()], |row| row.get(0))? => Ok(Found::Gone),
                None => Ok(Found::Nothing),
            }
        };
        subjects.iter().map(find).collect::<rusqlite::Result<_>>().map_err(database)
    }

    fn add(&self, version: i64, keys: &[(Subject, Vec<u8>)]) -> Result<()> {
        self.write(|tx| {
            let now: i64 = tx.query_row(VERSION, [], |row| row.get(0)).map_err(database)?;
            if now != version {
                let message = "the master key was changed meanwhile: start again with the new one";
                return Err(StoreError::Keys(message.to_owned()));
            }
            let mut new = tx.prepare_cached(KEY_NEW).map_err(database)?;
            for (subject, wrapped) in keys {
                new.execute(params![subject.as_slice(), version, wrapped]).map_err(database)?;
            }
            Ok(())
        })
    }

    fn page(&self, after: Option<Subject>, limit: usize) -> Result<Vec<(Subject, Wrapped)>> {
        let after = after.map_or_else(Vec::new, |subject| subject.to_vec());
        all(&self.connection(), PAGE, params![after, limit as i64], |row| {
            Ok((subject(row, 0)?, Wrapped { version: row.get(1)?, bytes: row.get(2)? }))
        })
    }

    fn rewrap(&self, keys: &[(Subject, Wrapped)]) -> Result<()> {
        self.write(|tx| {
            let mut set = tx.prepare_cached(KEY_SET).map_err(database)?;
            for (subject, wrapped) in keys {
                set.execute(params![subject.as_slice(), wrapped.version, wrapped.bytes]).map_err(database)?;
            }
            Ok(())
        })
    }

    fn rotated(&self, header: &Header) -> Result<bool> {
        self.write(|tx| {
            let left: bool =
                tx.query_row(OTHERS, [header.id_key.version], |row| row.get(0)).map_err(database)?;
            if !left {
                set_header(tx, header)?;
            }
            Ok(!left)
        })
    }

    fn epoch(&self) -> Result<i64> {
        let c = self.connection();
        let mut statement = c.prepare_cached(EPOCH).map_err(database)?;
        statement.query_row([], |row| row.get(0)).map_err(database)
    }

    fn erasures(&self) -> Result<Vec<Erasure>> {
        all(&self.connection(), ERASURES, [], |row| {
            let subjects: Vec<u8> = row.get(3)?;
            let (subjects, rest) = subjects.as_chunks::<16>();
            if !rest.is_empty() {
                return Err(damaged(3, "not a list of subjects"));
            }
            Ok(Erasure {
                member: subject(row, 0)?,
                reason: row.get(1)?,
                at: row.get(2)?,
                subjects: subjects.to_vec(),
                done: row.get(4)?,
            })
        })
    }

    fn log(&self, erasure: &Erasure) -> Result<()> {
        let values = params![
            erasure.member.as_slice(),
            erasure.reason,
            erasure.at,
            erasure.subjects.concat(),
            erasure.done
        ];
        self.write(|tx| tx.execute(ERASURE_SET, values).map(drop).map_err(database))
    }

    fn destroy(&self, members: &[[u8; 16]], subjects: &[Subject]) -> Result<()> {
        self.write(|tx| {
            for subject in subjects {
                tx.execute(KEY_GONE, [subject.as_slice()]).map_err(database)?;
                tx.execute(GONE_NEW, [subject.as_slice()]).map_err(database)?;
            }
            for member in members {
                tx.execute(ERASURE_DONE, [member.as_slice()]).map_err(database)?;
            }
            tx.execute(EPOCH_ON, []).map(drop).map_err(database)
        })?;
        // Out of the log as well: there the keys stand until it is folded into the file.
        let folded = self.connection().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        folded.map_err(database)
    }

    fn gone(&self) -> Result<Vec<Subject>> {
        all(&self.connection(), ALL_GONE, [], |row| subject(row, 0))
    }
}

/// The id key of the home in a file, without opening it as a store; `None` if there is no home in it.
pub fn id_key_of(path: &Path) -> Result<Option<IdKey>> {
    if !path.exists() {
        return Ok(None);
    }
    let connection = connection::open(path, Durability::Full)?;
    let bytes: Option<Vec<u8>> = connection
        .query_row("SELECT id_key FROM home", [], |row| row.get(0))
        .optional()
        .or_else(|error| if error.to_string().contains("no such table") { Ok(None) } else { Err(error) })
        .map_err(database)?;
    bytes
        .map(|bytes| {
            let key =
                bytes.as_slice().try_into().map_err(|_| StoreError::Damaged("the id key".to_owned()))?;
            Ok(IdKey::from_bytes(key))
        })
        .transpose()
}
