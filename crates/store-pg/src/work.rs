//! How the work of a home stands: shares, who holds them, what waits, who follows.

use std::collections::BTreeMap;

use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::read::{Share, Work};

use crate::rows::get;
use crate::survey::Survey;

pub(crate) const SHARES: &str = "SELECT slot, holder, token, batch FROM {home}.slot ORDER BY slot";
/// Items that wait, by share.
pub(crate) const ITEMS: &str = "SELECT e.slot, COUNT(*), MIN(e.clock) FROM {shard}.event e \
    JOIN {home}.slot s ON s.slot = e.slot WHERE e.derived = 0 AND e.seq < 4611686018427387904 \
    AND e.seq > (SELECT MIN(cursor) FROM {home}.slot) AND e.seq > s.cursor GROUP BY e.slot";
pub(crate) const QUEUED: &str = "SELECT (SELECT COUNT(*) FROM {shard}.queue) + (SELECT COUNT(*) FROM {shard}.retry), \
    (SELECT COUNT(*) FROM {shard}.dead_letter)";
pub(crate) const FEED_LAG: &str = "SELECT c.name, (SELECT COUNT(*) FROM {home}.feed f \
    WHERE (f.tx, f.no) > (c.tx::text::xid8, c.no)) FROM {home}.consumer c ORDER BY c.name";
/// Of all servers that follow; what this user may not see of them is left out.
pub(crate) const REPLICAS: &str = "SELECT COALESCE(application_name, ''), \
    pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint FROM pg_stat_replication \
    WHERE replay_lsn IS NOT NULL AND NOT pg_is_in_recovery() ORDER BY 1, 2";

/// How the work stands.
pub(crate) async fn work(survey: &Survey<'_>) -> Result<Work> {
    let mut work = Work::default();
    let mut waiting: BTreeMap<i32, (i64, Option<i64>)> = BTreeMap::new();
    survey
        .each(ITEMS, &[], |row| {
            waiting.insert(get(row, 0)?, (get(row, 1)?, get(row, 2)?));
            Ok(())
        })
        .await?;
    for row in survey.home(SHARES, &[]).await? {
        let slot = get(&row, 0)?;
        let (waiting, oldest) = waiting.get(&slot).copied().unwrap_or_default();
        let oldest = oldest.map(Ts);
        let (holder, token, batch) = (get(&row, 1)?, get(&row, 2)?, get(&row, 3)?);
        work.shares.push(Share { slot, holder, token, batch, waiting, oldest });
    }
    survey
        .each(QUEUED, &[], |row| {
            work.queued += get::<i64>(row, 0)?;
            work.dead_letters += get::<i64>(row, 1)?;
            Ok(())
        })
        .await?;
    for row in survey.home(FEED_LAG, &[]).await? {
        work.feed.push((get(&row, 0)?, get(&row, 1)?));
    }
    for row in survey.home(REPLICAS, &[]).await? {
        work.replicas.push((get(&row, 0)?, get(&row, 1)?));
    }
    Ok(work)
}
