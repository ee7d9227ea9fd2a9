//! Connections: one writer thread that commits together what is asked of it at the same time, and readers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, mpsc, oneshot};
use zhiyin_store::{Result, StoreError};

use crate::folding::Folding;
use crate::rows::database;

/// How many jobs one transaction takes at most.
const GROUP_MAX: usize = 256;
/// How many jobs may wait for the writer; callers beyond wait in line, so memory stays bounded.
const QUEUE_MAX: usize = 1024;
/// How many read connections there are.
const READERS: usize = 4;
/// How often, and after what pause, an opening that meets others is tried again: 30 seconds.
const BUSY_TRIES: u32 = 6_000;
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// How sure a commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// On disk when acknowledged.
    Full,
    /// May lose the last commits with the power; never used by a home.
    Relaxed,
}

/// Tells a job's caller how its transaction ended: `None` when it was committed.
type Acknowledge = Box<dyn FnOnce(Option<String>) + Send>;
/// What changes something; without a connection it only gives its acknowledgement.
type Change = Box<dyn FnOnce(Option<(&Connection, Alone)>) -> Changed + Send>;
/// How a change went, and how to tell its caller once its transaction has ended.
struct Changed {
    /// It failed and takes its transaction with it.
    failed: bool,
    acknowledge: Acknowledge,
}
/// What only reads.
type Look = Box<dyn FnOnce(&Connection) + Send>;

/// Whether a job is the first of its transaction, which ends with it if it fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alone {
    Yes,
    No,
}

/// A job for the writer.
enum Job {
    Change(Change),
    Look(Look),
}

/// The connections to one file.
pub(crate) struct Connections {
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    readers: Arc<Readers>,
}

struct Readers {
    path: PathBuf,
    durability: Durability,
    idle: Mutex<Vec<Connection>>,
    places: Semaphore,
}

/// Opens a connection with this home's settings.
pub(crate) fn open(path: &Path, durability: Durability) -> Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(database)?;
    connection.busy_timeout(Duration::from_secs(30)).map_err(database)?;
    connection.set_prepared_statement_cache_capacity(128);
    // A plan depends on its statement only. Else each look at what waits makes it anew, because of its `LIMIT ?`.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(database)?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Relaxed => "OFF",
    };
    connection.execute_batch("PRAGMA page_size = 2048;").map_err(database)?;
    log_ahead(&connection)?;
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = ON; \
             PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536;"
        ))
        .map_err(database)?;
    Ok(connection)
}

/// Writes go to a log first. While others open the same new file SQLite may say at once that it is busy, without waiting as it
/// was told to, because two who wait for each other would wait for ever; so whoever is told asks again.
pub(crate) fn log_ahead(connection: &Connection) -> Result<()> {
    let mut tries = 0;
    loop {
        match connection.execute_batch("PRAGMA journal_mode = WAL;") {
            Err(rusqlite::Error::SqliteFailure(error, _))
                if error.code == rusqlite::ErrorCode::DatabaseBusy && tries < BUSY_TRIES =>
            {
                tries += 1;
                std::thread::sleep(BUSY_PAUSE);
            }
            done => return done.map_err(database),
        }
    }
}

impl Connections {
    /// Starts the writer thread.
    pub(crate) fn start(path: &Path, mut writer: Connection, durability: Durability) -> Result<Self> {
        let folding = Folding::start(path, &mut writer, durability)?;
        let (jobs, inbox) = mpsc::channel(QUEUE_MAX);
        let handle = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || write_loop(writer, folding, inbox))
            .map_err(|error| StoreError::Database(error.to_string()))?;
        let readers = Arc::new(Readers {
            path: path.to_owned(),
            durability,
            idle: Mutex::new(Vec::new()),
            places: Semaphore::new(READERS),
        });
        Ok(Self { jobs: Some(jobs), writer: Some(handle), readers })
    }

    /// Runs a job in the writer's next transaction; returns when that is committed. A job that fails leaves
    /// nothing behind and does not touch the others of its transaction.
    pub(crate) async fn write<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.hand_over(job).await?.await.map_err(|_| StoreError::Stopped)?
    }

    /// The same, and returns once the writer has it in its line; the answer comes when it is committed.
    pub(crate) async fn hand_over<T, F>(&self, job: F) -> Result<oneshot::Receiver<Result<T>>>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let change: Change = Box::new(move |connection| {
            let (result, alone) = match connection {
                None => (Err(StoreError::Stopped), Alone::No),
                Some((connection, Alone::Yes)) => (job(connection), Alone::Yes),
                Some((connection, Alone::No)) => (in_savepoint(connection, job), Alone::No),
            };
            let failed = alone == Alone::Yes && result.is_err();
            let acknowledge = Box::new(move |failure| {
                let result = match failure {
                    // Its own reason says more than that nothing was committed.
                    Some(_) if failed => result,
                    None => result,
                    Some(error) => Err(StoreError::Database(error)),
                };
                // A caller that went away does not want to know.
                drop(answer.send(result));
            });
            Changed { failed, acknowledge }
        });
        self.jobs()?.send(Job::Change(change)).await.map_err(|_| StoreError::Stopped)?;
        Ok(answered)
    }

    /// Runs a query on the writer's own connection, in one snapshot, in line with what changes: the pages that a
    /// batch reads are those it writes, and there they are in memory already.
    pub(crate) async fn read_in_line<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let look: Look = Box::new(move |connection| {
            let result = connection.execute_batch("BEGIN").map_err(database).and_then(|()| {
                let result = job(connection);
                connection.execute_batch("COMMIT").map_err(database)?;
                result
            });
            // A caller that went away does not want to know.
            drop(answer.send(result));
        });
        self.jobs()?.send(Job::Look(look)).await.map_err(|_| StoreError::Stopped)?;
        answered.await.map_err(|_| StoreError::Stopped)?
    }

    fn jobs(&self) -> Result<&mpsc::Sender<Job>> {
        self.jobs.as_ref().ok_or(StoreError::Stopped)
    }

    /// Runs a query on a reader, in one snapshot.
    pub(crate) async fn read<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.in_place(move |pool| pool.read(job)).await
    }

    /// The same where a reader is free, and in line with what changes where all of them read something long.
    pub(crate) async fn read_ahead<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        match self.readers.places.try_acquire() {
            Ok(_place) => placed(Arc::clone(&self.readers), move |pool| pool.read(job)).await,
            Err(_) => self.read_in_line(job).await,
        }
    }
}

impl Connections {
    /// Runs a long query on a connection of its own, in one snapshot: what it kept in memory goes with it.
    pub(crate) async fn survey<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.in_place(move |pool| {
            let connection = pool.fresh()?;
            // Sorting may spill to a file: a long query is not what memory is for.
            connection
                .execute_batch("PRAGMA temp_store = FILE; PRAGMA cache_size = -2048;")
                .map_err(database)?;
            connection.execute_batch("BEGIN").map_err(database)?;
            job(&connection)
        })
        .await
    }
}

impl Connections {
    /// Runs a job on a connection of its own, in no transaction.
    pub(crate) async fn alone<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.in_place(move |pool| job(&open(&pool.path, pool.durability)?)).await
    }
}

impl Connections {
    /// Runs a reading job on a thread that may wait, when one of the places for readers is free.
    async fn in_place<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Readers) -> Result<T> + Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        let _place = self.readers.places.acquire().await.map_err(|_| StoreError::Stopped)?;
        placed(readers, job).await
    }
}

async fn placed<T, F>(readers: Arc<Readers>, job: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&Readers) -> Result<T> + Send + 'static,
{
    tokio::task::spawn_blocking(move || job(&readers))
        .await
        .map_err(|error| StoreError::Database(error.to_string()))?
}

impl Readers {
    /// Looks, in one snapshot.
    fn read<T>(&self, job: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let connection = self.take()?;
        connection.execute_batch("BEGIN").map_err(database)?;
        let result = job(&connection);
        connection.execute_batch("COMMIT").map_err(database)?;
        self.put(connection);
        result
    }

    fn fresh(&self) -> Result<Connection> {
        let connection = open(&self.path, self.durability)?;
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -8192;").map_err(database)?;
        Ok(connection)
    }

    fn take(&self) -> Result<Connection> {
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        match idle {
            Some(connection) => Ok(connection),
            None => self.fresh(),
        }
    }

    fn put(&self, connection: Connection) {
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(connection);
        }
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            drop(writer.join());
        }
    }
}

fn in_savepoint<T>(connection: &Connection, job: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    connection.execute_batch("SAVEPOINT job").map_err(database)?;
    let result = job(connection);
    let end = if result.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    connection.execute_batch(end).map_err(database)?;
    result
}

fn write_loop(connection: Connection, folding: Folding, mut inbox: mpsc::Receiver<Job>) {
    let mut held = None;
    while let Some(job) = held.take().or_else(|| inbox.blocking_recv()) {
        match job {
            Job::Look(look) => look(&connection),
            Job::Change(first) => {
                held = commit_together(&connection, first, &mut inbox);
                folding.finish(&connection);
            }
        }
    }
    // The last connection to close folds what is left.
    drop(folding);
}

/// Runs a change and those that wait behind it in one transaction; a look that came between them is given back.
fn commit_together(connection: &Connection, first: Change, inbox: &mut mpsc::Receiver<Job>) -> Option<Job> {
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    if let Err(error) = begun {
        (first(None).acknowledge)(Some(error.to_string()));
        return None;
    }
    let first = first(Some((connection, Alone::Yes)));
    if first.failed {
        drop(connection.execute_batch("ROLLBACK"));
        (first.acknowledge)(Some("rolled back".to_owned()));
        return None;
    }
    let mut changes = vec![first];
    let mut held = None;
    while changes.len() < GROUP_MAX {
        match inbox.try_recv() {
            Ok(Job::Change(change)) => changes.push(change(Some((connection, Alone::No)))),
            Ok(look) => {
                held = Some(look);
                break;
            }
            Err(_) => break,
        }
    }
    let ended = connection.execute_batch("COMMIT");
    let failure = ended.err().map(|error| error.to_string());
    if failure.is_some() {
        // Where SQLite ended the transaction by itself there is nothing to roll back.
        drop(connection.execute_batch("ROLLBACK"));
    }
    for change in changes {
        (change.acknowledge)(failure.clone());
    }
    held
}
