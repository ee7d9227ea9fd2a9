//! Making a home and bringing it to the newest schema, by whoever opens it first while all others wait.
//!
//! A migration has a part for what there is once and one for each shard. Each says the oldest migration that a program must
//! know to go on working beside it: first a schema grows by what the next program needs, and only when no program of before
//! is left does it lose what they needed. What would hold up those who work on a large table is done [online] afterwards.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, GenericClient, NoTls, Transaction};
use zhiyin_model::id::IdKey;
use zhiyin_model::time::Ts;
use zhiyin_store::{OWN_SOURCE, Result, StoreError};

use crate::config::Address;
use crate::online::{self, Online};
use crate::rows::{database, get};
use crate::schemas::Schemas;

/// A migration.
#[derive(Clone, Copy)]
pub(crate) struct Migration {
    number: i32,
    /// The oldest migration that a program must know to work with what this one leaves.
    oldest: i32,
    /// What is done at once, in one transaction: what there is once, then each shard.
    home: &'static str,
    shard: &'static str,
    /// What takes long, and is done while everybody works on.
    online: &'static [Online],
}

/// Every migration, in order. What has been released is never edited.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        oldest: 1,
        home: include_str!("migrations/0001_home.sql"),
        shard: include_str!("migrations/0001_shard.sql"),
        online: &[],
    },
    Migration {
        number: 2,
        oldest: 1,
        home: include_str!("migrations/0002_persons.sql"),
        shard: "",
        online: &[Online::Index { name: "hold_member", on: "hold (member)" }],
    },
    Migration {
        number: 3,
        oldest: 1,
        home: "-- Nothing of what there is once.",
        shard: include_str!("migrations/0003_shard_sealed.sql"),
        online: &[],
    },
    Migration {
        number: 4,
        oldest: 1,
        home: include_str!("migrations/0004_home.sql"),
        shard: include_str!("migrations/0004_shard.sql"),
        online: &[],
    },
    Migration {
        number: 5,
        oldest: 1,
        home: include_str!("migrations/0005_access.sql"),
        shard: "",
        online: &[],
    },
    Migration {
        number: 6,
        oldest: 1,
        home: include_str!("migrations/0006_suggestions.sql"),
        shard: "",
        online: &[],
    },
    Migration {
        number: 7,
        oldest: 1,
        home: include_str!("migrations/0007_home.sql"),
        shard: include_str!("migrations/0007_shard.sql"),
        online: &[],
    },
    Migration {
        number: 8,
        oldest: 1,
        home: "-- Nothing of what there is once.",
        shard: include_str!("migrations/0008_partners.sql"),
        online: &[],
    },
    Migration {
        number: 9,
        oldest: 1,
        home: include_str!("migrations/0009_doors.sql"),
        shard: "",
        online: &[],
    },
    Migration {
        number: 10,
        oldest: 1,
        home: include_str!("migrations/0010_names.sql"),
        shard: "",
        online: &[],
    },
    Migration {
        number: 11,
        oldest: 1,
        home: include_str!("migrations/0011_webhooks.sql"),
        shard: "",
        online: &[],
    },
    Migration {
        number: 12,
        oldest: 1,
        home: "-- Nothing of what there is once.",
        shard: include_str!("migrations/0012_found_by.sql"),
        online: &[],
    },
    Migration {
        number: 13,
        oldest: 1,
        home: "-- Nothing of what there is once.",
        shard: include_str!("migrations/0013_audiences.sql"),
        online: &[],
    },
    Migration {
        number: 14,
        oldest: 1,
        home: include_str!("migrations/0014_lists.sql"),
        shard: "",
        online: &[],
    },
    Migration {
        number: 15,
        oldest: 1,
        home: include_str!("migrations/0015_home.sql"),
        shard: include_str!("migrations/0015_shard.sql"),
        online: &[],
    },
    Migration {
        number: 16,
        oldest: 1,
        home: include_str!("migrations/0016_home.sql"),
        shard: include_str!("migrations/0016_shard.sql"),
        online: &[],
    },
    Migration {
        number: 17,
        oldest: 1,
        home: "-- Nothing of what there is once.",
        shard: include_str!("migrations/0017_shard.sql"),
        online: &[],
    },
    Migration {
        number: 18,
        oldest: 1,
        home: include_str!("migrations/0018_home.sql"),
        shard: "",
        online: &[],
    },
    Migration {
        number: 19,
        oldest: 1,
        home: include_str!("migrations/0019_codes.sql"),
        shard: "",
        online: &[],
    },
    Migration {
        number: 20,
        oldest: 1,
        home: include_str!("migrations/0020_home.sql"),
        shard: include_str!("migrations/0020_shard.sql"),
        online: &[],
    },
    Migration {
        number: 21,
        oldest: 1,
        home: include_str!("migrations/0021_home.sql"),
        shard: "",
        online: &[],
    },
    Migration {
        number: 22,
        oldest: 1,
        home: "-- Nothing of what there is once.",
        shard: include_str!("migrations/0022_shard.sql"),
        online: &[],
    },
    Migration {
        number: 23,
        oldest: 1,
        home: include_str!("migrations/0023_home.sql"),
        shard: include_str!("migrations/0023_shard.sql"),
        online: &[],
    },
    Migration {
        number: 24,
        oldest: 1,
        home: "-- Nothing of what there is once.",
        shard: include_str!("migrations/0024_shard.sql"),
        online: &[],
    },
    Migration {
        number: 25,
        oldest: 1,
        home: "-- Nothing of what there is once.",
        shard: include_str!("migrations/0025_shard.sql"),
        online: &[],
    },
    Migration {
        number: 26,
        oldest: 1,
        home: "-- Nothing of what there is once.",
        shard: include_str!("migrations/0026_shard.sql"),
        online: &[],
    },
    Migration {
        number: 27,
        oldest: 1,
        home: "-- Nothing of what there is once.",
        shard: include_str!("migrations/0027_shard.sql"),
        online: &[],
    },
    Migration {
        number: 28,
        oldest: 1,
        home: "-- Nothing of what there is once.",
        shard: include_str!("migrations/0028_shard.sql"),
        online: &[],
    },
    Migration {
        number: 29,
        oldest: 1,
        home: include_str!("migrations/0029_people.sql"),
        shard: "",
        online: &[],
    },
    Migration {
        number: 30,
        oldest: 1,
        home: "-- Nothing of what there is once.",
        shard: include_str!("migrations/0030_shard.sql"),
        online: &[],
    },
    Migration {
        number: 31,
        oldest: 1,
        home: include_str!("migrations/0031_audit_target.sql"),
        shard: "",
        online: &[],
    },
];

/// What this room needs of PostgreSQL.
const SERVER_OLDEST: i32 = 150_000;

pub(crate) const VERSION: &str =
    "SELECT current_setting('server_version_num')::integer, current_setting('server_version')";
/// Whoever opens a home holds this until it is open.
pub(crate) const ALONE: &str = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
/// What somebody uses is not waited for longer than this: those who come after would have to wait as well.
pub(crate) const PATIENCE: &str = "SET LOCAL lock_timeout = '2s'";
/// Batches begin with their shares, and what comes in begins with the home. A migration has both before it wants any other
/// table, so nobody who has such a table waits for what the migration has.
pub(crate) const STILL: &str = "LOCK TABLE {home}.slot, {home}.home IN EXCLUSIVE MODE";
/// Then only who reads is at work, for a moment. Whoever does wait for the other is not thrown out by PostgreSQL, which looks
/// for that after a second: the migration gives way before.
pub(crate) const HASTE: &str = "SET LOCAL lock_timeout = '500ms'";
const ATTEMPTS_MAX: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);
pub(crate) const EXISTS: &str = "SELECT to_regclass($1) IS NOT NULL";
pub(crate) const HAS_SCHEMA: &str = "SELECT to_regnamespace($1) IS NOT NULL";
pub(crate) const DONE: &str = "SELECT number, checksum, oldest FROM {home}.migration ORDER BY number";
pub(crate) const NOTE: &str = "INSERT INTO {home}.migration (number, checksum, oldest) VALUES ($1, $2, $3)";
pub(crate) const LAYOUT: &str = "SELECT shards, slots, id_key FROM {home}.home";
pub(crate) const HOME_NEW: &str =
    "INSERT INTO {home}.home (one, id_key, clock, slots, shards) VALUES (1, $1, $2, $3, $4)";
pub(crate) const SLOTS_NEW: &str =
    "INSERT INTO {home}.slot (slot) SELECT generate_series(0, $1::integer - 1)";
pub(crate) const OWN_NEW: &str = "INSERT INTO {home}.source (name, user_namespace) VALUES ($1, '')";
pub(crate) const OWN: &str = "SELECT no FROM {home}.source WHERE name = $1";

/// A connection beside the pools, which ends with its client.
pub(crate) async fn connect(address: &Address) -> Result<Client> {
    let (client, connection) = address.with(&[]).connect(NoTls).await.map_err(database)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(%error, "a connection to the database ended");
        }
    });
    Ok(client)
}

/// What is found in a home once it is open.
pub(crate) struct Opened {
    /// Where its tables lie.
    pub(crate) schemas: Schemas,
    /// The number of the source of derived events.
    pub(crate) own: i32,
}

/// Opens a home: makes it with this id key if there is none, and brings its schema up to date, or says why not.
pub(crate) async fn open(address: &Address, id_key: &IdKey) -> Result<Opened> {
    open_with(address, id_key, MIGRATIONS).await
}

async fn open_with(address: &Address, id_key: &IdKey, migrations: &[Migration]) -> Result<Opened> {
    let mut client = connect(address).await?;
    check_server(&client).await?;
    let mut attempt = 0;
    let opened = loop {
        attempt += 1;
        let tx = client.transaction().await.map_err(database)?;
        match opened(&tx, address, id_key, migrations).await {
            Ok(opened) => {
                tx.commit().await.map_err(database)?;
                break opened;
            }
            Err(error) => {
                // Undone before anybody hears of it: whoever does may look at the same tables at once.
                drop(tx.rollback().await);
                if !is_in_use(&error) || attempt == ATTEMPTS_MAX {
                    return Err(error);
                }
                tracing::info!(attempt, "a table is in use; its migration waits");
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    let online: Vec<Online> = migrations.iter().flat_map(|migration| migration.online).copied().collect();
    online::run(address, &opened.schemas, &online).await?;
    Ok(opened)
}

/// Whether a lock was not to be had in time.
fn is_in_use(error: &StoreError) -> bool {
    let message = match error {
        StoreError::Migration { message, .. } | StoreError::Database(message) => message,
        _ => return false,
    };
    [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED]
        .iter()
        .any(|state| message.contains(state.code()))
}

async fn opened(
    tx: &Transaction<'_>,
    address: &Address,
    id_key: &IdKey,
    migrations: &[Migration],
) -> Result<Opened> {
    tx.batch_execute(PATIENCE).await.map_err(database)?;
    tx.query(ALONE, &[&format!("zhiyin open {}", address.home)]).await.map_err(database)?;
    let schemas = match layout(tx, &address.home).await? {
        Some((schemas, _)) => {
            migrate(tx, &schemas, migrations, true).await?;
            schemas
        }
        None => {
            let schemas = Schemas::new(&address.home, address.shards, address.slots)?;
            migrate(tx, &schemas, migrations, false).await?;
            make(tx, &schemas, id_key).await?;
            schemas
        }
    };
    let own = own(tx, &schemas).await?;
    Ok(Opened { schemas, own })
}

/// Notes that every migration was run.
pub(crate) async fn noted(tx: &Transaction<'_>, schemas: &Schemas) -> Result<()> {
    for migration in MIGRATIONS {
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&migration.number, &checksum(migration), &migration.oldest];
        tx.execute(&schemas.sql(NOTE, 0), &values).await.map_err(database)?;
    }
    Ok(())
}

/// The number of the source of derived events.
pub(crate) async fn own(client: &impl GenericClient, schemas: &Schemas) -> Result<i32> {
    let row = client.query_one(&schemas.sql(OWN, 0), &[&OWN_SOURCE]).await.map_err(database)?;
    get(&row, 0)
}

async fn check_server(client: &Client) -> Result<()> {
    let row = client.query_one(VERSION, &[]).await.map_err(database)?;
    let (number, version): (i32, String) = (get(&row, 0)?, get(&row, 1)?);
    if number >= SERVER_OLDEST {
        return Ok(());
    }
    let oldest = SERVER_OLDEST / 10_000;
    Err(StoreError::Database(format!("this is PostgreSQL {version}; a home needs {oldest} or newer")))
}

/// How an existing home is laid out, and its id key.
async fn layout(tx: &Transaction<'_>, home: &str) -> Result<Option<(Schemas, IdKey)>> {
    let once = Schemas::new(home, 1, 1)?;
    let exists = tx.query_one(EXISTS, &[&format!("{home}.home")]).await.map_err(database)?;
    if !get::<bool>(&exists, 0)? {
        return Ok(None);
    }
    let Some(row) = tx.query_opt(&once.sql(LAYOUT, 0), &[]).await.map_err(database)? else { return Ok(None) };
    let key: &[u8] = get(&row, 2)?;
    let key = key.try_into().map_err(|_| StoreError::Damaged("the id key".to_owned()))?;
    Ok(Some((Schemas::new(home, get(&row, 0)?, get(&row, 1)?)?, IdKey::from_bytes(key))))
}

pub(crate) async fn make(tx: &Transaction<'_>, schemas: &Schemas, id_key: &IdKey) -> Result<()> {
    let shards = i32::try_from(schemas.shards()).unwrap_or(i32::MAX);
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&id_key.bytes().as_slice(), &Ts::MIN.0, &schemas.slots(), &shards];
    tx.execute(&schemas.sql(HOME_NEW, 0), &values).await.map_err(database)?;
    tx.execute(&schemas.sql(SLOTS_NEW, 0), &[&schemas.slots()]).await.map_err(database)?;
    tx.execute(&schemas.sql(OWN_NEW, 0), &[&OWN_SOURCE]).await.map_err(database)?;
    Ok(())
}

/// Runs what has not been run yet; others may be at work in a home that is there.
async fn migrate(
    tx: &Transaction<'_>,
    schemas: &Schemas,
    migrations: &[Migration],
    mut at_work: bool,
) -> Result<()> {
    let mut done = done(tx, schemas).await?;
    let known = migrations.last().map_or(0, |migration| migration.number);
    for migration in migrations {
        let number = migration.number;
        let checksum = checksum(migration);
        match done.remove(&number) {
            Some((before, _)) if before == checksum => continue,
            Some(_) => {
                let message = "the migration that was run here is another than this program's";
                return Err(refused(number, message));
            }
            None => {}
        }
        let failed = |error| refused(number, database(error));
        if std::mem::take(&mut at_work) {
            tx.batch_execute(&schemas.sql(STILL, 0)).await.map_err(failed)?;
            tx.batch_execute(HASTE).await.map_err(failed)?;
        }
        tx.batch_execute(&schemas.sql(migration.home, 0)).await.map_err(failed)?;
        for shard in 0..schemas.shards() {
            tx.batch_execute(&schemas.sql(migration.shard, shard)).await.map_err(failed)?;
        }
        tx.batch_execute(&schemas.views()).await.map_err(failed)?;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&number, &checksum, &migration.oldest];
        tx.execute(&schemas.sql(NOTE, 0), &values).await.map_err(failed)?;
    }
    // What is left was run by a newer program. It says whether we may still work beside it.
    match done.into_iter().rev().find(|(number, (_, oldest))| *number > known && *oldest > known) {
        Some((number, _)) => {
            let message =
                format!("this database was made by a newer program; this one knows {known} migrations");
            Err(refused(number, message))
        }
        None => Ok(()),
    }
}

fn refused(number: i32, message: impl ToString) -> StoreError {
    StoreError::Migration { number: u32::try_from(number).unwrap_or(0), message: message.to_string() }
}

fn checksum(migration: &Migration) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(migration.home.as_bytes()).update(&[0]).update(migration.shard.as_bytes());
    hasher.finalize().to_hex().to_string()
}

/// What has been run, with its checksum and the oldest that a program must know.
async fn done(tx: &Transaction<'_>, schemas: &Schemas) -> Result<BTreeMap<i32, (String, i32)>> {
    for shard in 0..schemas.shards() {
        let name = schemas.shard(shard);
        let has = tx.query_one(HAS_SCHEMA, &[&name]).await.map_err(database)?;
        // Asked first: whoever may not make schemas may still open a home that has them.
        if !get::<bool>(&has, 0)? {
            tx.batch_execute(&format!("CREATE SCHEMA {name}")).await.map_err(database)?;
        }
    }
    let table = format!("{}.migration", schemas.home());
    let has = tx.query_one(EXISTS, &[&table]).await.map_err(database)?;
    if !get::<bool>(&has, 0)? {
        let sql = format!(
            "CREATE TABLE {table} (number integer PRIMARY KEY, checksum text NOT NULL, oldest integer NOT NULL)"
        );
        tx.batch_execute(&sql).await.map_err(database)?;
    }
    let rows = tx.query(&schemas.sql(DONE, 0), &[]).await.map_err(database)?;
    rows.iter().map(|row| Ok((get(row, 0)?, (get(row, 1)?, get(row, 2)?)))).collect()
}

/// The id key of the home at an address, without making one; `None` if there is no home.
pub(crate) async fn id_key(address: &Address) -> Result<Option<IdKey>> {
    let mut client = connect(address).await?;
    let tx = client.transaction().await.map_err(database)?;
    let found = layout(&tx, &address.home).await;
    tx.rollback().await.map_err(database)?;
    Ok(found?.map(|(_, key)| key))
}

/// Does away with a home and all that is in it.
pub(crate) async fn drop_home(address: &Address, schemas: &Schemas) -> Result<()> {
    let client = connect(address).await?;
    client
        .batch_execute(&format!("DROP SCHEMA IF EXISTS {}_keys CASCADE", schemas.home()))
        .await
        .map_err(database)?;
    for shard in (0..schemas.shards()).rev() {
        client
            .batch_execute(&format!("DROP SCHEMA IF EXISTS {} CASCADE", schemas.shard(shard)))
            .await
            .map_err(database)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
