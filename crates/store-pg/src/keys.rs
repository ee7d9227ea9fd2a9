//! The keystore of a home in PostgreSQL: a schema of its own (`HOME_keys`), so that dumps of the home can be taken without it.
//!
//! It is asked from threads that wait, so it has a connection and a thread of its own.

use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Runtime;
use tokio_postgres::Client;
use zhiyin_store::seal::envelope::Subject;
use zhiyin_store::seal::keystore::{Erasure, Found, Header, Keystore, Wrapped};
use zhiyin_store::{Result, StoreError};

use crate::config::Address;
use crate::migrate;
use crate::rows::{Uuid, database, get};

const SCHEMA: &str = "CREATE SCHEMA IF NOT EXISTS {home}_keys; \
    CREATE TABLE IF NOT EXISTS {home}_keys.header (one smallint PRIMARY KEY CHECK (one = 1), text text NOT NULL, \
    version bigint NOT NULL, epoch bigint NOT NULL DEFAULT 0); \
    CREATE TABLE IF NOT EXISTS {home}_keys.data_key (subject uuid PRIMARY KEY, version bigint NOT NULL, \
    wrapped bytea NOT NULL); \
    CREATE TABLE IF NOT EXISTS {home}_keys.gone (subject uuid PRIMARY KEY); \
    CREATE TABLE IF NOT EXISTS {home}_keys.erasure (no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
    member uuid NOT NULL UNIQUE, reason text NOT NULL, at bigint NOT NULL, subjects uuid[] NOT NULL, done boolean NOT NULL)";
pub(crate) const HAS_KEYS: &str = "SELECT to_regclass($1::text || '_keys.header') IS NOT NULL";
pub(crate) const HEADER: &str = "SELECT text FROM {home}_keys.header";
pub(crate) const HEADER_SET: &str = "INSERT INTO {home}_keys.header (one, text, version) VALUES (1, $1, $2) \
    ON CONFLICT (one) DO UPDATE SET text = EXCLUDED.text, version = EXCLUDED.version";
pub(crate) const KEYS: &str =
    "SELECT subject, version, wrapped FROM {home}_keys.data_key WHERE subject = ANY($1)";
pub(crate) const GONE: &str = "SELECT subject FROM {home}_keys.gone WHERE subject = ANY($1)";
/// The header is held until they are in: so the master key is not changed meanwhile.
pub(crate) const VERSION_HELD: &str = "SELECT version FROM {home}_keys.header FOR SHARE";
pub(crate) const KEYS_NEW: &str = "INSERT INTO {home}_keys.data_key (subject, version, wrapped) \
    SELECT u.subject, $1, u.wrapped FROM unnest($2::uuid[], $3::bytea[]) u (subject, wrapped) \
    WHERE NOT EXISTS (SELECT 1 FROM {home}_keys.gone g WHERE g.subject = u.subject) ON CONFLICT (subject) DO NOTHING";
pub(crate) const KEYS_SET: &str = "UPDATE {home}_keys.data_key k SET version = u.version, wrapped = u.wrapped \
    FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) u (subject, version, wrapped) WHERE k.subject = u.subject";
pub(crate) const PAGE: &str = "SELECT subject, version, wrapped FROM {home}_keys.data_key \
    WHERE $1::uuid IS NULL OR subject > $1 ORDER BY subject LIMIT $2";
pub(crate) const HEADER_ALONE: &str = "SELECT version FROM {home}_keys.header FOR UPDATE";
pub(crate) const OTHERS: &str = "SELECT EXISTS (SELECT 1 FROM {home}_keys.data_key WHERE version <> $1)";
pub(crate) const EPOCH: &str = "SELECT COALESCE(MAX(epoch), 0) FROM {home}_keys.header";
pub(crate) const EPOCH_ON: &str = "UPDATE {home}_keys.header SET epoch = epoch + 1";
pub(crate) const ERASURES: &str =
    "SELECT member, reason, at, subjects, done FROM {home}_keys.erasure ORDER BY no";
pub(crate) const ERASURE_SET: &str = "INSERT INTO {home}_keys.erasure (member, reason, at, subjects, done) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (member) DO UPDATE SET subjects = EXCLUDED.subjects, done = EXCLUDED.done";
pub(crate) const ERASURES_DONE: &str = "UPDATE {home}_keys.erasure SET done = true WHERE member = ANY($1)";
pub(crate) const KEYS_GONE: &str = "DELETE FROM {home}_keys.data_key WHERE subject = ANY($1)";
pub(crate) const GONE_NEW: &str =
    "INSERT INTO {home}_keys.gone (subject) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING";
pub(crate) const ALL_GONE: &str = "SELECT subject FROM {home}_keys.gone ORDER BY subject";

type Job = Box<dyn FnOnce(&Runtime, Result<&mut Client>) + Send>;

/// A keystore in PostgreSQL.
pub struct PgKeystore {
    home: String,
    /// `None` once it is dropped: then the thread ends.
    jobs: Mutex<mpsc::Sender<Job>>,
}

impl PgKeystore {
    /// Whether there is one for the home at an address.
    pub async fn exists(url: &str) -> Result<bool> {
        let address = Address::parse(url)?;
        let client = migrate::connect(&address).await?;
        get(&client.query_one(HAS_KEYS, &[&address.home]).await.map_err(database)?, 0)
    }

    /// Opens the keystore of the home at an address, or makes an empty one.
    pub fn open(url: &str) -> Result<Self> {
        let address = Address::parse(url)?;
        let home = address.home.clone();
        let (jobs, inbox) = mpsc::channel::<Job>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| StoreError::Database(error.to_string()))?;
        std::thread::Builder::new()
            .name("keystore".to_owned())
            .spawn(move || work(&runtime, &address, &inbox))
            .map_err(|error| StoreError::Database(error.to_string()))?;
        let keystore = Self { home, jobs: Mutex::new(jobs) };
        let schema = keystore.sql(SCHEMA);
        keystore.ask(move |runtime, client| {
            runtime.block_on(async {
                // One at a time makes it.
                let tx = client.transaction().await.map_err(database)?;
                tx.query(migrate::ALONE, &[&"zhiyin keys"]).await.map_err(database)?;
                tx.batch_execute(&schema).await.map_err(database)?;
                tx.commit().await.map_err(database)
            })
        })?;
        Ok(keystore)
    }

    fn sql(&self, template: &str) -> String {
        template.replace("{home}", &self.home)
    }

    fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Runtime, &mut Client) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = mpsc::sync_channel(1);
        let job: Job = Box::new(move |runtime, client| {
            // A caller that went away does not want to know.
            drop(answer.send(client.and_then(|client| job(runtime, client))));
        });
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        jobs.send(job).map_err(|_| StoreError::Stopped)?;
        answered.recv().map_err(|_| StoreError::Stopped)?
    }

    fn rows<T: Send + 'static>(
        &self,
        template: &str,
        read: impl Fn(&tokio_postgres::Row) -> Result<T> + Send + 'static,
    ) -> Result<Vec<T>> {
        let sql = self.sql(template);
        self.ask(move |runtime, client| {
            let rows = runtime.block_on(client.query(&sql, &[])).map_err(database)?;
            rows.iter().map(read).collect()
        })
    }
}

/// Does one job after the other, on a connection that is made anew when it broke.
fn work(runtime: &Runtime, address: &Address, inbox: &mpsc::Receiver<Job>) {
    let mut client: Option<Client> = None;
    while let Ok(job) = inbox.recv() {
        if client.as_ref().is_none_or(Client::is_closed) {
            let mut durable = address.clone();
            durable.config = address.with(&[("synchronous_commit", "on")]);
            client = match runtime.block_on(migrate::connect(&durable)) {
                Ok(client) => Some(client),
                Err(error) => {
                    job(runtime, Err(error));
                    continue;
                }
            };
        }
        if let Some(client) = client.as_mut() {
            job(runtime, Ok(client));
        }
    }
}

fn uuids(subjects: &[Subject]) -> Vec<Uuid> {
    subjects.iter().copied().map(Uuid).collect()
}

fn key(row: &tokio_postgres::Row) -> Result<(Subject, Wrapped)> {
    Ok((get::<Uuid>(row, 0)?.0, Wrapped { version: get(row, 1)?, bytes: get(row, 2)? }))
}

fn header_text(header: &Header) -> Result<String> {
    serde_json::to_string(header).map_err(|error| StoreError::Damaged(error.to_string()))
}

impl Keystore for PgKeystore {
    fn place(&self) -> String {
        format!("schema {}_keys", self.home)
    }

    fn header(&self) -> Result<Option<Header>> {
        let found = self.rows(HEADER, |row| {
            serde_json::from_str(get(row, 0)?)
                .map_err(|error| StoreError::Damaged(format!("the keystore: {error}")))
        })?;
        Ok(found.into_iter().next())
    }

    fn set_header(&self, header: &Header) -> Result<()> {
        let (sql, text, version) = (self.sql(HEADER_SET), header_text(header)?, header.id_key.version);
        self.ask(move |runtime, client| {
            runtime.block_on(client.execute(&sql, &[&text, &version])).map(drop).map_err(database)
        })
    }

    fn find(&self, subjects: &[Subject]) -> Result<Vec<Found>> {
        let (keys, gone, asked) = (self.sql(KEYS), self.sql(GONE), uuids(subjects));
        let (found, gone) = self.ask(move |runtime, client| {
            runtime.block_on(async {
                let found = client.query(&keys, &[&asked]).await.map_err(database)?;
                let found = found.iter().map(key).collect::<Result<std::collections::BTreeMap<_, _>>>()?;
                let mut erased = std::collections::BTreeSet::new();
                if found.len() < asked.len() {
                    for row in client.query(&gone, &[&asked]).await.map_err(database)? {
                        erased.insert(get::<Uuid>(&row, 0)?.0);
                    }
                }
                Ok((found, erased))
            })
        })?;
        let known = |subject: &Subject| match found.get(subject) {
            Some(wrapped) => Found::Key(wrapped.clone()),
            None if gone.contains(subject) => Found::Gone,
            None => Found::Nothing,
        };
        Ok(subjects.iter().map(known).collect())
    }

    fn add(&self, version: i64, keys: &[(Subject, Vec<u8>)]) -> Result<()> {
        let (held, new) = (self.sql(VERSION_HELD), self.sql(KEYS_NEW));
        let mut keys = keys.to_vec();
        // In one order, so that two who add the same do not wait for each other in a circle.
        keys.sort_unstable();
        let (subjects, wrapped): (Vec<Subject>, Vec<Vec<u8>>) = keys.into_iter().unzip();
        let subjects = uuids(&subjects);
        self.ask(move |runtime, client| {
            runtime.block_on(async {
                let tx = client.transaction().await.map_err(database)?;
                let now: i64 = get(&tx.query_one(&held, &[]).await.map_err(database)?, 0)?;
                if now != version {
                    let message = "the master key was changed meanwhile: start again with the new one";
                    return Err(StoreError::Keys(message.to_owned()));
                }
                tx.execute(&new, &[&version, &subjects, &wrapped]).await.map_err(database)?;
                tx.commit().await.map_err(database)
            })
        })
    }

    fn page(&self, after: Option<Subject>, limit: usize) -> Result<Vec<(Subject, Wrapped)>> {
        let (sql, after) = (self.sql(PAGE), after.map(Uuid));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.ask(move |runtime, client| {
            let rows = runtime.block_on(client.query(&sql, &[&after, &limit])).map_err(database)?;
            rows.iter().map(key).collect()
        })
    }

    fn rewrap(&self, keys: &[(Subject, Wrapped)]) -> Result<()> {
        let sql = self.sql(KEYS_SET);
        let subjects: Vec<Uuid> = keys.iter().map(|(subject, _)| Uuid(*subject)).collect();
        let versions: Vec<i64> = keys.iter().map(|(_, wrapped)| wrapped.version).collect();
        let wrapped: Vec<Vec<u8>> = keys.iter().map(|(_, wrapped)| wrapped.bytes.clone()).collect();
        self.ask(move |runtime, client| {
            let done = runtime.block_on(client.execute(&sql, &[&subjects, &versions, &wrapped]));
            done.map(drop).map_err(database)
        })
    }

    fn rotated(&self, header: &Header) -> Result<bool> {
        let (alone, others, set) = (self.sql(HEADER_ALONE), self.sql(OTHERS), self.sql(HEADER_SET));
        let (text, version) = (header_text(header)?, header.id_key.version);
        self.ask(move |runtime, client| {
            runtime.block_on(async {
                let tx = client.transaction().await.map_err(database)?;
                tx.query(&alone, &[]).await.map_err(database)?;
                let left: bool = get(&tx.query_one(&others, &[&version]).await.map_err(database)?, 0)?;
                if !left {
                    tx.execute(&set, &[&text, &version]).await.map_err(database)?;
                }
                tx.commit().await.map_err(database)?;
                Ok(!left)
            })
        })
    }

    fn epoch(&self) -> Result<i64> {
        Ok(self.rows(EPOCH, |row| get(row, 0))?.pop().unwrap_or_default())
    }

    fn erasures(&self) -> Result<Vec<Erasure>> {
        self.rows(ERASURES, |row| {
            let subjects: Vec<Uuid> = get(row, 3)?;
            Ok(Erasure {
                member: get::<Uuid>(row, 0)?.0,
                reason: get(row, 1)?,
                at: get(row, 2)?,
                subjects: subjects.into_iter().map(|subject| subject.0).collect(),
                done: get(row, 4)?,
            })
        })
    }

    fn log(&self, erasure: &Erasure) -> Result<()> {
        let (sql, erasure) = (self.sql(ERASURE_SET), erasure.clone());
        self.ask(move |runtime, client| {
            let Erasure { member, reason, at, subjects, done } = erasure;
            let (member, subjects) = (Uuid(member), uuids(&subjects));
            let done = runtime.block_on(client.execute(&sql, &[&member, &reason, &at, &subjects, &done]));
            done.map(drop).map_err(database)
        })
    }

    fn destroy(&self, members: &[[u8; 16]], subjects: &[Subject]) -> Result<()> {
        let sql = [KEYS_GONE, GONE_NEW, ERASURES_DONE, EPOCH_ON].map(|template| self.sql(template));
        // What was deleted must not lie in the table's pages any longer than it must.
        let vacuum = self.sql("VACUUM {home}_keys.data_key");
        let (members, subjects) = (uuids(members), uuids(subjects));
        self.ask(move |runtime, client| {
            runtime.block_on(async {
                let tx = client.transaction().await.map_err(database)?;
                let [gone, noted, done, on] = &sql;
                tx.execute(gone, &[&subjects]).await.map_err(database)?;
                tx.execute(noted, &[&subjects]).await.map_err(database)?;
                tx.execute(done, &[&members]).await.map_err(database)?;
                tx.execute(on, &[]).await.map_err(database)?;
                tx.commit().await.map_err(database)?;
                client.batch_execute(&vacuum).await.map_err(database)
            })
        })
    }

    fn gone(&self) -> Result<Vec<Subject>> {
        self.rows(ALL_GONE, |row| get::<Uuid>(row, 0).map(|subject| subject.0))
    }
}
