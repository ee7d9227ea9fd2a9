//! The change feed. Batches are written by several processes at once and do not commit in the order in which they began; so
//! an entry shows only when every transaction that began before its own has ended, and none is skipped.

use tokio_postgres::Row;
use zhiyin_model::id::MemberId;
use zhiyin_store::feed::{Entry, Position};
use zhiyin_store::{Result, StoreError};

use crate::connection::{Connections, Said, Step, Tx};
use crate::rows::{database, get};

pub(crate) const FEED: &str = "SELECT f.tx::text::bigint, f.no, f.members, f.events FROM {home}.feed f \
    WHERE (f.tx, f.no) > ($1::bigint::text::xid8, $2::bigint) AND f.tx < pg_snapshot_xmin(pg_current_snapshot()) \
    ORDER BY f.tx, f.no LIMIT $3";
pub(crate) const CONSUMER: &str = "SELECT tx, no FROM {home}.consumer WHERE name = $1";
/// In the order of bytes, whatever the database's own order is.
pub(crate) const CONSUMERS: &str = "SELECT name, tx, no FROM {home}.consumer ORDER BY name COLLATE \"C\"";
/// After all transactions of before, as [`CONSUMER_NEW`] has it.
pub(crate) const FEED_END: &str = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1";
/// Who comes, goes on or forgets does so alone: nothing is forgotten that somebody who comes just now begins with.
pub(crate) const CONSUMERS_ALONE: &str = "LOCK TABLE {home}.consumer IN SHARE ROW EXCLUSIVE MODE";
/// The end of the feed: after all transactions of before, whether they wrote an entry or not.
pub(crate) const CONSUMER_NEW: &str = "INSERT INTO {home}.consumer (name, tx, no) \
    VALUES ($1, pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, 9223372036854775807) ON CONFLICT DO NOTHING";
pub(crate) const CONSUMER_SET: &str =
    "UPDATE {home}.consumer SET tx = $2, no = $3 WHERE name = $1 AND (tx, no) < ($2, $3)";
/// What all consumers are done with.
pub(crate) const FEED_GONE: &str = "DELETE FROM {home}.feed f WHERE (f.tx, f.no) <= \
    ((SELECT c.tx::text::xid8 FROM {home}.consumer c ORDER BY c.tx, c.no LIMIT 1), \
    (SELECT c.no FROM {home}.consumer c ORDER BY c.tx, c.no LIMIT 1))";
/// What nobody follows. Whoever comes first begins after it, though somebody's transaction may still run that began before.
pub(crate) const FEED_UNREAD: &str =
    "DELETE FROM {home}.feed f WHERE NOT EXISTS (SELECT 1 FROM {home}.consumer)";

/// The feed beyond a position.
pub(crate) async fn feed(connections: &Connections, after: Position, limit: usize) -> Result<Vec<Entry>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = connections.session().await?.rows((FEED, 0), &[&after.tx, &after.no, &limit]).await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &Row) -> Result<Entry> {
    let position = Position { tx: get(row, 0)?, no: get(row, 1)? };
    let (ids, []) = get::<&[u8]>(row, 2)?.as_chunks::<16>() else {
        return Err(StoreError::Damaged(format!("entry {} of the feed", position.no)));
    };
    let (seqs, []) = get::<&[u8]>(row, 3)?.as_chunks::<8>() else {
        return Err(StoreError::Damaged(format!("entry {} of the feed", position.no)));
    };
    Ok(Entry {
        position,
        members: ids.iter().map(|id| MemberId::from_bytes(*id)).collect(),
        events: seqs.iter().map(|seq| i64::from_le_bytes(*seq)).collect(),
    })
}

/// Where a consumer stands; one that is new stands at the end.
pub(crate) async fn position(connections: &Connections, consumer: &str) -> Result<Position> {
    let session = connections.session().await?;
    if let Some(row) = session.row((CONSUMER, 0), &[&consumer]).await? {
        return Ok(Position { tx: get(&row, 0)?, no: get(&row, 1)? });
    }
    let tx = session.transaction();
    let position = begin(&tx, consumer).await;
    tx.end(position).await
}

async fn begin(tx: &Tx<'_>, consumer: &str) -> Result<Position> {
    let steps = vec![
        Step::Say("BEGIN"),
        Step::Run((CONSUMERS_ALONE, 0), vec![]),
        Step::Run((FEED_UNREAD, 0), vec![]),
        Step::Run((CONSUMER_NEW, 0), vec![&consumer]),
        Step::Ask((CONSUMER, 0), vec![&consumer]),
        Step::Say("COMMIT"),
    ];
    let said = tx.send(steps).await.map_err(database)?;
    let rows: Vec<Row> = said.into_iter().flat_map(Said::rows).collect();
    let row =
        rows.first().ok_or_else(|| StoreError::Damaged(format!("consumer {consumer:?} is not there")))?;
    Ok(Position { tx: get(row, 0)?, no: get(row, 1)? })
}

/// A consumer is done up to a position; what all are done with is forgotten.
pub(crate) async fn done(connections: &Connections, consumer: &str, position: Position) -> Result<()> {
    let tx = connections.session().await?.transaction();
    let steps = vec![
        Step::Say("BEGIN"),
        Step::Run((CONSUMERS_ALONE, 0), vec![]),
        Step::Run((CONSUMER_SET, 0), vec![&consumer, &position.tx, &position.no]),
        Step::Run((FEED_GONE, 0), vec![]),
        Step::Say("COMMIT"),
    ];
    let done = tx.send(steps).await.map(drop).map_err(database);
    tx.end(done).await
}

/// Forgets what nobody follows.
pub(crate) async fn forget(connections: &Connections) -> Result<()> {
    let tx = connections.session().await?.transaction();
    let steps = vec![
        Step::Say("BEGIN"),
        Step::Run((CONSUMERS_ALONE, 0), vec![]),
        Step::Run((FEED_UNREAD, 0), vec![]),
        Step::Say("COMMIT"),
    ];
    let forgotten = tx.send(steps).await.map(drop).map_err(database);
    tx.end(forgotten).await
}
