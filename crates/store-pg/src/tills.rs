//! Leases of tills, each written with what it takes of pools.

use async_trait::async_trait;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use zhiyin_model::coupon::PoolTake;
use zhiyin_model::time::Ts;
use zhiyin_store::tills::{StoredLease, Tills, in_order};
use zhiyin_store::{Result, StoreError};

use crate::PgStore;
use crate::connection::{Step, Tx};
use crate::coupons::{POOL_NEW, POOL_TAKE};
use crate::rows::{database, get};

pub(crate) const LEASE: &str =
    "SELECT name, revision, due, state, members FROM {home}.till_lease WHERE name = $1";
pub(crate) const LEASES: &str = "SELECT name, revision, due, state, members FROM {home}.till_lease \
    ORDER BY due IS NULL, due, name LIMIT $1";
pub(crate) const DUE: &str = "SELECT name, revision, due, state, members FROM {home}.till_lease \
    WHERE due IS NOT NULL AND due <= $1 ORDER BY due, name LIMIT $2";
pub(crate) const LEASE_NEW: &str = "INSERT INTO {home}.till_lease (name, revision, due, state, members) \
    VALUES ($1, 1, $2, $3, $4) ON CONFLICT (name) DO NOTHING";
pub(crate) const LEASE_SET: &str = "UPDATE {home}.till_lease SET revision = revision + 1, due = $3, state = $4 \
    WHERE name = $1 AND revision = $2";

pub(crate) fn lease(row: &Row) -> Result<StoredLease> {
    Ok(StoredLease {
        name: get(row, 0)?,
        revision: get(row, 1)?,
        due: get::<Option<i64>>(row, 2)?.map(Ts),
        state: get(row, 3)?,
        members: get(row, 4)?,
    })
}

/// A failure as what it means: who waited for others in a circle may come again, as one who found too little.
fn failed(error: tokio_postgres::Error) -> StoreError {
    if error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) { StoreError::Short } else { database(error) }
}

async fn put(tx: &Tx<'_>, lease: &StoredLease, takes: &[PoolTake]) -> Result<bool> {
    let due = lease.due.map(|due| due.0);
    let write = match lease.revision {
        0 => Step::Run((LEASE_NEW, 0), vec![&lease.name, &due, &lease.state, &lease.members]),
        _ => Step::Run((LEASE_SET, 0), vec![&lease.name, &lease.revision, &due, &lease.state]),
    };
    let said = tx.send(vec![Step::Say("BEGIN"), write]).await.map_err(failed)?;
    if said.last().map(crate::connection::Said::count) == Some(0) {
        tx.send(vec![Step::Say("ROLLBACK")]).await.map_err(database)?;
        return Ok(false);
    }
    let takes = in_order(takes);
    if !takes.is_empty() {
        let pools: Vec<&str> = takes.iter().map(|take| take.pool.as_str()).collect();
        let amounts: Vec<i64> = takes.iter().map(|take| take.amount).collect();
        let sizes: Vec<Option<i64>> = takes.iter().map(|take| take.size).collect();
        let steps = vec![
            Step::Run((POOL_NEW, 0), vec![&pools]),
            Step::Run((POOL_TAKE, 0), vec![&pools, &amounts, &sizes]),
        ];
        let said = tx.send(steps).await.map_err(failed)?;
        if said.last().map(crate::connection::Said::count) != Some(takes.len()) {
            return Err(StoreError::Short);
        }
    }
    tx.send(vec![Step::Say("COMMIT")]).await.map_err(failed)?;
    Ok(true)
}

#[async_trait]
impl Tills for PgStore {
    async fn lease(&self, name: &str) -> Result<Option<StoredLease>> {
        let row = self.connections.session().await?.row((LEASE, 0), &[&name]).await?;
        row.as_ref().map(lease).transpose()
    }

    async fn leases(&self, limit: usize) -> Result<Vec<StoredLease>> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.connections.session().await?.rows((LEASES, 0), &[&most]).await?;
        rows.iter().map(lease).collect()
    }

    async fn due(&self, until: Ts, limit: usize) -> Result<Vec<StoredLease>> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.connections.session().await?.rows((DUE, 0), &[&until.0, &most]).await?;
        rows.iter().map(lease).collect()
    }

    async fn put(&self, lease: &StoredLease, takes: &[PoolTake]) -> Result<bool> {
        let tx = self.connections.session().await?.transaction();
        let done = put(&tx, lease, takes).await;
        tx.end(done).await
    }
}
