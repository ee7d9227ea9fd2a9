//! Who works on which shares. All workers of a home take their part one after the other, in one round trip each.
//!
//! A worker is gone when it was not seen for the time to live, or at once when the session that holds its lock ended
//! ([`crate::link`]). Taking a share raises its token: whoever had it can write nothing in it any more.

use std::time::Duration;

use tokio_postgres::Row;
use zhiyin_store::Result;
use zhiyin_store::turn::{Held, Turn};

use crate::connection::{Connections, Said, Step, Tx, Values};
use crate::link::Link;
use crate::rows::{database, get};

/// One worker at a time.
pub(crate) const ALONE: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('zhiyin lease ' || $1::text, 0))";
pub(crate) const SEEN: &str = "INSERT INTO {home}.worker (holder, seen) VALUES ($1, clock_timestamp()) \
    ON CONFLICT (holder) DO UPDATE SET seen = EXCLUDED.seen";
/// Workers who were not seen for too long, and those whose lock is free. Their own lock nobody can take here.
pub(crate) const GONE: &str = "DELETE FROM {home}.worker WHERE holder <> $2 \
    AND (seen < clock_timestamp() - $3::double precision * interval '1 microsecond' \
    OR pg_try_advisory_xact_lock(hashtextextended('zhiyin worker ' || $1::text || ' ' || holder, 0)))";
pub(crate) const RENEW: &str = "UPDATE {home}.slot SET until = clock_timestamp() + $2::double precision * interval '1 microsecond' \
    WHERE holder = $1";
/// What exceeds a worker's part, the last shares first: each part is the shares divided by the workers, rounded up.
pub(crate) const GIVE: &str = "UPDATE {home}.slot SET holder = NULL, until = NULL WHERE slot IN (SELECT slot \
    FROM {home}.slot WHERE holder = $1 ORDER BY slot OFFSET \
    (SELECT ceil((SELECT COUNT(*) FROM {home}.slot)::numeric / GREATEST(COUNT(*), 1))::bigint FROM {home}.worker))";
/// Shares that nobody holds, up to a worker's part. One that is being written just now is left for the next time.
pub(crate) const TAKE: &str = "UPDATE {home}.slot s SET holder = $1, token = s.token + 1, \
    until = clock_timestamp() + $2::double precision * interval '1 microsecond' FROM (SELECT f.slot FROM {home}.slot f \
    WHERE f.holder IS NULL OR (f.holder <> $1 AND (f.until < clock_timestamp() \
    OR NOT EXISTS (SELECT 1 FROM {home}.worker w WHERE w.holder = f.holder))) ORDER BY f.slot \
    LIMIT GREATEST((SELECT ceil((SELECT COUNT(*) FROM {home}.slot)::numeric / GREATEST(COUNT(*), 1)) \
    FROM {home}.worker) - (SELECT COUNT(*) FROM {home}.slot WHERE holder = $1), 0) FOR UPDATE SKIP LOCKED) free \
    WHERE s.slot = free.slot";
pub(crate) const HELD: &str =
    "SELECT slot, token, batch, cursor FROM {home}.slot WHERE holder = $1 ORDER BY slot";
pub(crate) const RELEASE: &str = "UPDATE {home}.slot SET holder = NULL, until = NULL WHERE holder = $1";
pub(crate) const LEAVE: &str = "DELETE FROM {home}.worker WHERE holder = $1";

/// Renews what a worker holds, gives up what exceeds its part, and takes what is free up to it.
pub(crate) async fn lease(
    connections: &Connections,
    link: &Link,
    holder: &str,
    ttl: Duration,
) -> Result<Turn> {
    link.live(holder).await?;
    let tx = connections.session().await?.transaction();
    let held = take(&tx, holder, ttl).await;
    tx.end(held).await
}

async fn take(tx: &Tx<'_>, holder: &str, ttl: Duration) -> Result<Turn> {
    let home = tx.session()?.schemas.home().to_owned();
    let ttl = ttl.as_micros().min(1 << 50) as f64;
    let steps = vec![
        Step::Say("BEGIN"),
        Step::Ask((ALONE, 0), vec![&home]),
        Step::Run((SEEN, 0), vec![&holder]),
        Step::Run((GONE, 0), vec![&home, &holder, &ttl]),
        Step::Run((RENEW, 0), vec![&holder, &ttl]),
        Step::Run((GIVE, 0), vec![&holder]),
        Step::Run((TAKE, 0), vec![&holder, &ttl]),
        Step::Ask((HELD, 0), vec![&holder]),
        Step::Say("COMMIT"),
    ];
    let said = tx.send(steps).await.map_err(database)?;
    let rows = said.into_iter().skip(7).flat_map(Said::rows);
    Ok(Turn { held: rows.map(|row| held(&row)).collect::<Result<_>>()? })
}

fn held(row: &Row) -> Result<Held> {
    Ok(Held { slot: get(row, 0)?, token: get(row, 1)?, batch: get(row, 2)?, cursor: get(row, 3)? })
}

/// Gives up all that a worker holds.
pub(crate) async fn release(connections: &Connections, link: &Link, holder: &str) -> Result<()> {
    let tx = connections.session().await?.transaction();
    let values = || -> Values<'_> { vec![&holder] };
    let steps = vec![
        Step::Say("BEGIN"),
        Step::Run((RELEASE, 0), values()),
        Step::Run((LEAVE, 0), values()),
        Step::Say("COMMIT"),
    ];
    let left = tx.send(steps).await.map(drop).map_err(database);
    tx.end(left).await?;
    link.gone(holder).await
}
