//! A home that was used, made as it was when it was new: for tests. To make one takes hundreds of tables, to empty one takes the few that
//! have something in them. And connections that outlive their store, for tests that open one home hundreds of times.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Client;
use zhiyin_model::id::IdKey;
use zhiyin_store::{Result, StoreError};

use crate::config::Address;
use crate::connection::Connections;
use crate::rows::database;
use crate::schemas::Schemas;
use crate::{PgStore, migrate};

/// What homes of tests are called: no other is emptied.
const TESTS: [&str; 2] = ["test_", "faults"];
/// Whoever is still there ends first: nobody writes behind our back, and nobody has what we want.
const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE (application_name = $1 OR starts_with(application_name, $1 || '-')) AND pid <> pg_backend_pid() \
                   AND NOT ($2 AND state = 'idle' AND NOT EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = pg_stat_activity.pid))";
/// How often one looks whether they have, and how long one waits in between: the server itself would look ten times a second.
const LOOKS_MAX: u32 = 5_000;
const PAUSE: Duration = Duration::from_millis(2);
/// What many rows came and went through has grown, and every look at it goes through them.
const GROWN: &str = "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = ANY ($1::text[]::regnamespace[]) \
                     AND relkind = 'r' AND pg_relation_size(oid) > 65536";
/// What has never had a row has no pages.
const DELETE: &str = "DO $$ DECLARE t record; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR t IN SELECT oid::regclass AS name FROM pg_class
    WHERE relnamespace = ANY ('{SCHEMAS}'::regnamespace[]) AND relkind = 'r'
      AND pg_relation_size(oid) > 0
  LOOP EXECUTE format('DELETE FROM ONLY %s', t.name); END LOOP;
  PERFORM setval(s.seqrelid::regclass, s.seqstart, false) FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
    WHERE c.relnamespace = ANY ('{SCHEMAS}'::regnamespace[]);
  SET LOCAL session_replication_role = origin;
END $$";
/// What migrations write down once.
const PLACES_NEW: &str = "INSERT INTO {home}.place_tree (one, version) VALUES (1, 0)";

/// Connections of a store that may be gone. Those in which something was going on when it went have ended.
#[doc(hidden)]
pub struct Left(pub(crate) Arc<Connections>);

impl Left {
    /// Whether no store has them, nor anything that it began.
    #[must_use]
    pub fn is_let_go(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl PgStore {
    /// Its connections, for who comes after it; see [`PgStore::open_over`].
    #[doc(hidden)]
    pub fn leaves(&self) -> Left {
        Left(Arc::clone(&self.connections))
    }

    /// Does away with the home and all that is in it: for tests.
    #[doc(hidden)]
    pub async fn drop_home(&self) -> Result<()> {
        self.connections.close();
        migrate::drop_home(&self.address, &self.connections.schemas).await
    }

    /// Takes all that is in the home, which is a new one of this id key then, and ends all sessions whose `application_name` is the home's
    /// name, or begins with it and a dash: for tests.
    #[doc(hidden)]
    pub async fn empty_home(&self, id_key: &IdKey) -> Result<()> {
        self.connections.close();
        empty_home(&self.address, &self.connections.schemas, id_key, false).await
    }

    /// The same, but sessions in which nothing is going on are left alone: where it is known whose they are.
    #[doc(hidden)]
    pub async fn empty_quiet_home(&self, id_key: &IdKey) -> Result<()> {
        self.connections.close();
        empty_home(&self.address, &self.connections.schemas, id_key, true).await
    }
}

/// Takes all that is in a home, and all sessions whose `application_name` is the home's, or begins with it and a dash; what is left is a new
/// home of the same shape. If `quiet`, sessions that do nothing and hold nothing stay.
pub(crate) async fn empty_home(
    address: &Address,
    schemas: &Schemas,
    id_key: &IdKey,
    quiet: bool,
) -> Result<()> {
    if !TESTS.iter().any(|named| schemas.home().starts_with(named)) {
        return Err(StoreError::Database(format!("{} is no home of a test", schemas.home())));
    }
    let mut client = migrate::connect(address).await?;
    end_others(&client, schemas, quiet).await?;
    let names: Vec<String> = (0..schemas.shards()).map(|shard| schemas.shard(shard)).collect();
    let tx = client.transaction().await.map_err(database)?;
    let keys = format!("DROP SCHEMA IF EXISTS {}_keys CASCADE", schemas.home());
    tx.batch_execute(&keys).await.map_err(database)?;
    let delete = DELETE.replace("{SCHEMAS}", &format!("{{{}}}", names.join(",")));
    tx.batch_execute(&delete).await.map_err(database)?;
    migrate::noted(&tx, schemas).await?;
    migrate::make(&tx, schemas, id_key).await?;
    tx.execute(&schemas.sql(PLACES_NEW, 0), &[]).await.map_err(database)?;
    tx.commit().await.map_err(database)?;
    let grown = client.query(GROWN, &[&names]).await.map_err(database)?;
    let grown: Vec<String> =
        grown.iter().map(|row| row.try_get(0)).collect::<std::result::Result<_, _>>().map_err(database)?;
    if grown.is_empty() {
        return Ok(());
    }
    client.batch_execute(&format!("VACUUM {}", grown.join(", "))).await.map_err(database)
}

/// Ends all other sessions of a home, and returns once none is left.
async fn end_others(client: &Client, schemas: &Schemas, quiet: bool) -> Result<()> {
    for _ in 0..LOOKS_MAX {
        if client.query(END, &[&schemas.home(), &quiet]).await.map_err(database)?.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(StoreError::Database(format!("the sessions of {} do not end", schemas.home())))
}
