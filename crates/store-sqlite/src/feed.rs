//! The change feed. One writer at a time gives its rows their numbers, so that they show in order.

use rusqlite::{Connection, OptionalExtension, params};
use zhiyin_model::id::MemberId;
use zhiyin_store::feed::{Entry, Position};
use zhiyin_store::{Result, StoreError};

use crate::rows::{all, database};

pub(crate) const FEED: &str = "SELECT no, members, events FROM feed WHERE no > ? ORDER BY no LIMIT ?";
pub(crate) const CONSUMER: &str = "SELECT no FROM consumer WHERE name = ?";
pub(crate) const CONSUMERS: &str = "SELECT name, no FROM consumer ORDER BY name";
pub(crate) const FEED_END: &str = "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'feed'), 0)";
/// The end of the feed: the last number ever given.
pub(crate) const CONSUMER_NEW: &str = "INSERT INTO consumer (name, no) \
    VALUES (?, COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'feed'), 0)) ON CONFLICT DO NOTHING";
pub(crate) const CONSUMER_SET: &str = "UPDATE consumer SET no = MAX(no, ?2) WHERE name = ?1";
pub(crate) const FEED_GONE: &str = "DELETE FROM feed WHERE no <= (SELECT MIN(no) FROM consumer)";

pub(crate) fn feed(c: &Connection, after: Position, limit: usize) -> Result<Vec<Entry>> {
    let rows = all(c, FEED, params![after.no, limit as i64], |row| {
        Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
    })?;
    rows.into_iter()
        .map(|(no, members, events)| {
            let (ids, []) = members.as_chunks::<16>() else {
                return Err(StoreError::Damaged(format!("entry {no} of the feed")));
            };
            let (seqs, []) = events.as_chunks::<8>() else {
                return Err(StoreError::Damaged(format!("entry {no} of the feed")));
            };
            Ok(Entry {
                position: Position { tx: 0, no },
                members: ids.iter().map(|id| MemberId::from_bytes(*id)).collect(),
                events: seqs.iter().map(|seq| i64::from_le_bytes(*seq)).collect(),
            })
        })
        .collect()
}

pub(crate) fn position(c: &Connection, consumer: &str) -> Result<Position> {
    c.execute(CONSUMER_NEW, [consumer]).map_err(database)?;
    let no = c.query_row(CONSUMER, [consumer], |row| row.get(0)).optional().map_err(database)?;
    Ok(Position { tx: 0, no: no.unwrap_or(0) })
}

pub(crate) fn done(c: &Connection, consumer: &str, position: Position) -> Result<()> {
    c.execute(CONSUMER_SET, params![consumer, position.no]).map_err(database)?;
    c.execute(FEED_GONE, []).map(drop).map_err(database)
}
