//! Months of events: which there are, what is in them, and forgetting what is in files.
//!
//! Bodies are forgotten a few thousand at a time, each in a transaction of its own, and then the month's own partitions are
//! written anew without them: nobody who reads or writes another month waits for that.

use std::collections::BTreeMap;

use tokio::sync::mpsc;
use zhiyin_store::archive::{Month, Row};
use zhiyin_store::seal::Sealed;
use zhiyin_store::turn::place;
use zhiyin_store::{Result, StoreError};

use crate::connection::{Connections, Values};
use crate::partition::FACTS;
use crate::rows::{Uuid, database, get};
use crate::survey::Survey;

/// Rows said at once, and forgotten in one transaction.
const AT_ONCE: i64 = 5_000;

/// Months that have partitions, as `2017_03`.
pub(crate) const PARTITIONS: &str = "SELECT substr(c.relname, 7) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
    WHERE i.inhparent = '{shard}.event'::regclass AND c.relname LIKE 'event\\_%' ORDER BY 1";
pub(crate) const MONTH: &str = "SELECT COUNT(*), \
    COUNT(*) FILTER (WHERE e.derived = 0 AND e.seq > s.cursor) > 0 \
    OR EXISTS (SELECT 1 FROM {shard}.queue WHERE seq BETWEEN $1 AND $2) \
    OR EXISTS (SELECT 1 FROM {shard}.retry WHERE seq BETWEEN $1 AND $2) \
    OR EXISTS (SELECT 1 FROM {shard}.dead_letter WHERE seq BETWEEN $1 AND $2) \
    FROM {shard}.event e JOIN {home}.slot s ON s.slot = e.slot WHERE e.seq BETWEEN $1 AND $2";
pub(crate) const ARCHIVED: &str = "SELECT month::bigint, file, hash FROM {home}.archive";
pub(crate) const MONTH_ROWS: &str = "SELECT e.seq, s.name, e.message_id, e.name, e.time, e.clock, e.derived::bigint, \
    e.member, e.body FROM {shard}.event e JOIN {home}.source s ON s.no = e.source WHERE e.seq BETWEEN $1 AND $2 \
    ORDER BY e.seq";
pub(crate) const ARCHIVE_NEW: &str = "INSERT INTO {home}.archive (month, file, events, hash) \
    VALUES ($1::bigint::integer, $2, $3, $4) ON CONFLICT (month) DO NOTHING";
/// Bodies of a stretch of a month.
pub(crate) const FORGET: &str = "UPDATE {shard}.event SET body = ''::bytea \
    WHERE seq BETWEEN $1 AND $2 AND length(body) > 0";
/// What the items of a stretch were called.
pub(crate) const MESSAGES_OF: &str = "SELECT source, message_id FROM {shard}.event \
    WHERE seq BETWEEN $1 AND $2 AND derived < 2";
/// Where a stretch of so many events ends.
pub(crate) const STRETCH: &str = "SELECT MAX(seq) FROM (SELECT seq FROM {shard}.event WHERE seq BETWEEN $1 AND $2 \
    ORDER BY seq LIMIT $3) AS stretch";
pub(crate) const FORGET_MESSAGES: &str = "DELETE FROM {shard}.message m USING unnest($1::integer[], $2::text[]) \
    AS gone (source, message_id) WHERE m.source = gone.source AND m.message_id = gone.message_id";

/// Places of a month: of the inbox, and of what was derived in it.
fn places(month: i64) -> [(i64, i64); 2] {
    let first = month * place::OF_A_MONTH;
    let last = first + place::OF_A_MONTH - 1;
    [(first, last), (FACTS + first, FACTS.saturating_add(last))]
}

pub(crate) async fn months(survey: &Survey<'_>) -> Result<Vec<Month>> {
    let mut archived = BTreeMap::new();
    for row in survey.home(ARCHIVED, &[]).await? {
        archived.insert(get::<i64>(&row, 0)?, (get::<String>(&row, 1)?, get::<String>(&row, 2)?));
    }
    let mut months = Vec::new();
    for row in survey.home(PARTITIONS, &[]).await? {
        let name: String = get(&row, 0)?;
        let Some(month) = place::parse(&name.replace('_', "-")) else { continue };
        let (mut events, mut open) = (0, false);
        for (first, last) in places(month) {
            survey
                .each(MONTH, &[&first, &last], |row| {
                    events += get::<i64>(row, 0)?;
                    open = open || get::<Option<bool>>(row, 1)?.unwrap_or(false);
                    Ok(())
                })
                .await?;
        }
        if events > 0 {
            months.push(Month { month, events, open, file: archived.remove(&month) });
        }
    }
    Ok(months)
}

/// The events of a month, shard after shard.
pub(crate) async fn rows(survey: &Survey<'_>, month: i64, out: &mpsc::Sender<Vec<Row>>) -> Result<()> {
    for shard in 0..survey.schemas.shards() {
        for (first, last) in places(month) {
            let mut from = first;
            loop {
                let mut rows = Vec::new();
                let sql = format!("{MONTH_ROWS} LIMIT {AT_ONCE}");
                survey
                    .shard(shard, &sql, &[&from, &last], |row| {
                        rows.push(Row {
                            seq: get(row, 0)?,
                            source: get(row, 1)?,
                            message_id: get(row, 2)?,
                            name: get(row, 3)?,
                            time: get(row, 4)?,
                            clock: get(row, 5)?,
                            derived: get(row, 6)?,
                            member: get::<Uuid>(row, 7)?.0.to_vec(),
                            body: Sealed(get(row, 8)?),
                        });
                        Ok(())
                    })
                    .await?;
                let Some(end) = rows.last().map(|row| row.seq) else { break };
                from = end + 1;
                out.send(rows).await.map_err(|_| StoreError::Stopped)?;
            }
        }
    }
    Ok(())
}

/// Notes that a month is in a file, and forgets its bodies and the ids of its items.
pub(crate) async fn archived(
    connections: &Connections,
    month: i64,
    file: &str,
    events: i64,
    hash: &str,
) -> Result<()> {
    connections.session().await?.run((ARCHIVE_NEW, 0), &[&month, &file, &events, &hash]).await?;
    for shard in 0..connections.schemas.shards() {
        for (first, last) in places(month) {
            let mut from = first;
            while let Some(end) = forget_stretch(connections, shard, from, last).await? {
                from = end + 1;
            }
        }
    }
    // Only now: the space of what was forgotten goes back to the disk.
    let name = place::name(month).replace('-', "_");
    for shard in 0..connections.schemas.shards() {
        for kind in ["event", "fact"] {
            let sql = connections.schemas.sql(&format!("VACUUM FULL {{shard}}.{kind}_{name}"), shard);
            connections.survey().await?.batch_execute(&sql).await.map_err(database)?;
        }
    }
    Ok(())
}

/// Forgets a stretch of one shard; where it ended.
async fn forget_stretch(
    connections: &Connections,
    shard: usize,
    from: i64,
    last: i64,
) -> Result<Option<i64>> {
    let session = connections.session().await?;
    let row = session.row((STRETCH, shard), &[&from, &last, &AT_ONCE]).await?;
    let Some(end) = row.map(|row| get::<Option<i64>>(&row, 0)).transpose()?.flatten() else {
        return Ok(None);
    };
    // Ids first: what is interrupted between the two is found again by its bodies.
    let schemas = &connections.schemas;
    let mut gone: Vec<(Vec<i32>, Vec<String>)> = vec![Default::default(); schemas.shards()];
    for row in session.rows((MESSAGES_OF, shard), &[&from, &end]).await? {
        let (source, message_id): (i32, String) = (get(&row, 0)?, get(&row, 1)?);
        let of = &mut gone[schemas.shard_of_message(source, &message_id)];
        of.0.push(source);
        of.1.push(message_id);
    }
    for (shard, (sources, message_ids)) in gone.iter().enumerate().filter(|(_, gone)| !gone.0.is_empty()) {
        let given: Values<'_> = vec![sources, message_ids];
        session.run((FORGET_MESSAGES, shard), &given).await?;
    }
    session.run((FORGET, shard), &[&from, &end]).await?;
    Ok(Some(end))
}
