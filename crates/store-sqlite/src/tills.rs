//! Leases of tills, each written with what it takes of pools.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::coupon::PoolTake;
use zhiyin_model::time::Ts;
use zhiyin_store::tills::{StoredLease, Tills, in_order};
use zhiyin_store::{Result, StoreError};

use crate::SqliteStore;
use crate::coupons::{POOL_NEW, POOL_TAKE};
use crate::rows::{all, database};
use crate::write::{prepare, run};

pub(crate) const LEASE: &str = "SELECT name, revision, due, state, members FROM till_lease WHERE name = ?";
pub(crate) const LEASES: &str =
    "SELECT name, revision, due, state, members FROM till_lease ORDER BY due IS NULL, due, name LIMIT ?";
pub(crate) const DUE: &str = "SELECT name, revision, due, state, members FROM till_lease \
    WHERE due IS NOT NULL AND due <= ?1 ORDER BY due, name LIMIT ?2";
pub(crate) const LEASE_NEW: &str = "INSERT INTO till_lease (name, revision, due, state, members) VALUES (?, 1, ?, ?, ?) ON CONFLICT (name) DO NOTHING";
pub(crate) const LEASE_SET: &str =
    "UPDATE till_lease SET revision = revision + 1, due = ?3, state = ?4 WHERE name = ?1 AND revision = ?2";

pub(crate) fn lease(row: &Row<'_>) -> rusqlite::Result<StoredLease> {
    Ok(StoredLease {
        name: row.get(0)?,
        revision: row.get(1)?,
        due: row.get::<_, Option<i64>>(2)?.map(Ts),
        state: row.get(3)?,
        members: row.get(4)?,
    })
}

fn put(c: &Connection, lease: &StoredLease, takes: &[PoolTake]) -> Result<bool> {
    let due = lease.due.map(|due| due.0);
    let written = match lease.revision {
        0 => run(&mut prepare(c, LEASE_NEW)?, params![lease.name, due, lease.state, lease.members])?,
        revision => run(&mut prepare(c, LEASE_SET)?, params![lease.name, revision, due, lease.state])?,
    };
    if written == 0 {
        return Ok(false);
    }
    let (mut new, mut take) = (prepare(c, POOL_NEW)?, prepare(c, POOL_TAKE)?);
    for pool in in_order(takes) {
        run(&mut new, [&pool.pool])?;
        if run(&mut take, params![pool.pool, pool.amount, pool.size])? == 0 {
            return Err(StoreError::Short);
        }
    }
    Ok(true)
}

#[async_trait]
impl Tills for SqliteStore {
    async fn lease(&self, name: &str) -> Result<Option<StoredLease>> {
        let name = name.to_owned();
        self.connections
            .read(move |c| prepare(c, LEASE)?.query_row([&name], lease).optional().map_err(database))
            .await
    }

    async fn leases(&self, limit: usize) -> Result<Vec<StoredLease>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.connections.read(move |c| all(c, LEASES, [limit], lease)).await
    }

    async fn due(&self, until: Ts, limit: usize) -> Result<Vec<StoredLease>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.connections.read(move |c| all(c, DUE, [until.0, limit], lease)).await
    }

    async fn put(&self, lease: &StoredLease, takes: &[PoolTake]) -> Result<bool> {
        let (lease, takes) = (lease.clone(), takes.to_vec());
        self.connections.write(move |c| put(c, &lease, &takes)).await
    }
}
