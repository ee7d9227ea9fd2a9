//! What a home is: its clock, its playbooks, how far imports have come.

use tokio_postgres::Row;
use zhiyin_model::id::IdKey;
use zhiyin_model::time::Ts;
use zhiyin_store::turn::place;
use zhiyin_store::{Home, PlaybookVersion, Progress, Result, StoreError};

use crate::connection::{Connections, Said, Step, Tx, Values};
use crate::rows::{database, get};

pub(crate) const HOME: &str = "SELECT id_key, offset_us, live_since, clock, slots, \
    (SELECT COALESCE(MAX(version), 0) FROM {home}.playbook), \
    live_since IS NULL AND EXISTS (SELECT 1 FROM {home}.import WHERE name NOT LIKE 'issue/%'), last, \
    (SELECT MAX(month)::bigint FROM {home}.archive) FROM {home}.home WHERE one = 1";
pub(crate) const CLOCK_SET: &str = "UPDATE {home}.home SET offset_us = $1, live_since = $2 WHERE one = 1";
pub(crate) const PLAYBOOK_LIVE: &str =
    "SELECT version, id, hash, source, applied_at FROM {home}.playbook ORDER BY version DESC LIMIT 1";
pub(crate) const PLAYBOOKS: &str =
    "SELECT version, id, hash, source, applied_at FROM {home}.playbook ORDER BY version DESC";
/// Who applies a playbook does so alone.
pub(crate) const PLAYBOOK_ALONE: &str = "LOCK TABLE {home}.playbook IN SHARE ROW EXCLUSIVE MODE";
pub(crate) const PLAYBOOK_NEW: &str =
    "INSERT INTO {home}.playbook (version, id, hash, source, applied_at) VALUES ($1, $2, $3, $4, $5)";
pub(crate) const IMPORT: &str = "SELECT position, done FROM {home}.import WHERE name = $1";

/// The home, and the last place that it gave to an item.
pub(crate) async fn home(connections: &Connections) -> Result<(Home, i64)> {
    let row = connections.session().await?.row((HOME, 0), &[]).await?;
    let row = row.ok_or_else(|| StoreError::Damaged("there is no home".to_owned()))?;
    let key: &[u8] = get(&row, 0)?;
    let key = key.try_into().map_err(|_| StoreError::Damaged("the id key".to_owned()))?;
    let home = Home {
        id_key: IdKey::from_bytes(key),
        offset_us: get(&row, 1)?,
        live_since: get::<Option<i64>>(&row, 2)?.map(Ts),
        clock: Ts(get(&row, 3)?),
        slots: get(&row, 4)?,
        version: get(&row, 5)?,
        replaying: get(&row, 6)?,
        remembers_from: get::<Option<i64>>(&row, 8)?.map(place::remembered_from),
    };
    Ok((home, get(&row, 7)?))
}

pub(crate) async fn set_clock(
    connections: &Connections,
    offset_us: i64,
    live_since: Option<Ts>,
) -> Result<()> {
    let live_since = live_since.map(|ts| ts.0);
    connections.session().await?.run((CLOCK_SET, 0), &[&offset_us, &live_since]).await.map(drop)
}

fn playbook(row: &Row) -> Result<PlaybookVersion> {
    Ok(PlaybookVersion {
        version: get(row, 0)?,
        id: get(row, 1)?,
        hash: get(row, 2)?,
        source: get(row, 3)?,
        applied_at: Ts(get(row, 4)?),
    })
}

pub(crate) async fn live_playbook(connections: &Connections) -> Result<Option<PlaybookVersion>> {
    connections.session().await?.row((PLAYBOOK_LIVE, 0), &[]).await?.as_ref().map(playbook).transpose()
}

pub(crate) async fn playbooks(connections: &Connections) -> Result<Vec<PlaybookVersion>> {
    connections.session().await?.rows((PLAYBOOKS, 0), &[]).await?.iter().map(playbook).collect()
}

/// Makes a version live, unless it is what is live already.
pub(crate) async fn apply_playbook(connections: &Connections, new: &PlaybookVersion) -> Result<i64> {
    let tx = connections.session().await?.transaction();
    let version = apply(&tx, new).await;
    tx.end(version).await
}

async fn apply(tx: &Tx<'_>, new: &PlaybookVersion) -> Result<i64> {
    let begin = vec![
        Step::Say("BEGIN"),
        Step::Run((PLAYBOOK_ALONE, 0), vec![]),
        Step::Ask((PLAYBOOK_LIVE, 0), vec![]),
    ];
    let found: Vec<Row> = tx.send(begin).await.map_err(database)?.into_iter().flat_map(Said::rows).collect();
    let live = found.first().map(playbook).transpose()?;
    let version = live.as_ref().map_or(0, |live| live.version);
    if live.is_some_and(|live| live.hash == new.hash) {
        tx.send(vec![Step::Say("COMMIT")]).await.map_err(database)?;
        return Ok(version);
    }
    let version = version + 1;
    let values: Values<'_> = vec![&version, &new.id, &new.hash, &new.source, &new.applied_at.0];
    tx.send(vec![Step::Run((PLAYBOOK_NEW, 0), values), Step::Say("COMMIT")]).await.map_err(database)?;
    Ok(version)
}

pub(crate) async fn progress(connections: &Connections, name: &str) -> Result<Option<Progress>> {
    let row = connections.session().await?.row((IMPORT, 0), &[&name]).await?;
    row.map(|row| Ok(Progress { name: name.to_owned(), position: get(&row, 0)?, done: get(&row, 1)? }))
        .transpose()
}
