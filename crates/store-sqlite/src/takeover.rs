//! What was taken over from an old system, by its source.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, ToSql, params};
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::takeover::TakenOver;

use crate::rows::{all, damaged, database};
use crate::write::{EVENT_HASH, SOURCE};

pub(crate) const ROWS: &str = "SELECT COUNT(*) FROM event WHERE source = ?1 AND name = ?2 AND derived < 2";
pub(crate) const BOOKED: &str = "SELECT t.asset, SUM(t.amount) FROM transfer t JOIN event e ON e.seq = t.event \
    WHERE t.kind = ?3 AND e.source = ?1 AND e.name = ?2 GROUP BY t.asset";
pub(crate) const EXPIRING: &str = "SELECT l.expires_at, SUM(t.amount) FROM transfer t JOIN event e ON e.seq = t.event \
    JOIN lot l ON l.id = t.id WHERE t.kind = ?3 AND t.asset = 0 AND e.source = ?1 AND e.name = ?2 GROUP BY l.expires_at";
/// With which tier they came is the first that the event said.
pub(crate) const TIERS: &str = "SELECT t.level, COUNT(*) FROM term t WHERE t.no IN (SELECT MIN(f.no) FROM term f \
    JOIN event e ON e.seq = f.event WHERE e.source = ?1 AND e.name = ?2 GROUP BY f.event) GROUP BY t.level";
pub(crate) const RAISED: &str = "SELECT COUNT(*) FROM (SELECT f.event FROM term f JOIN event e ON e.seq = f.event \
    WHERE e.source = ?1 AND e.name = ?2 GROUP BY f.event HAVING COUNT(*) > 1)";
pub(crate) const TAGS: &str = "SELECT t.tag, COUNT(*) FROM tag_move t JOIN event e ON e.seq = t.event \
    WHERE t.is_on AND e.source = ?1 AND e.name = ?2 GROUP BY t.tag";
pub(crate) const REFUSED: &str = "SELECT d.code, COUNT(*) FROM dead_letter d JOIN event e ON e.seq = d.seq \
    WHERE e.source = ?1 AND e.name = ?2 GROUP BY d.code";

fn source(c: &Connection, name: &str) -> Result<Option<i64>> {
    c.prepare_cached(SOURCE)
        .and_then(|mut found| found.query_row([name], |row| row.get(0)).optional())
        .map_err(database)
}

pub(crate) fn came(c: &Connection, name: &str, message_ids: &[String]) -> Result<Vec<Option<[u8; 16]>>> {
    let Some(source) = source(c, name)? else { return Ok(vec![None; message_ids.len()]) };
    let mut hash = c.prepare_cached(EVENT_HASH).map_err(database)?;
    let mut found = |message_id: &String| {
        let row = hash.query_row(params![source, message_id], |row| {
            let bytes: Vec<u8> = row.get(0)?;
            bytes.try_into().map_err(|_| damaged(0, "no hash of a body"))
        });
        row.optional().map_err(database)
    };
    message_ids.iter().map(&mut found).collect()
}

pub(crate) fn taken_over(c: &Connection, name: &str) -> Result<TakenOver> {
    let Some(source) = source(c, name)? else { return Ok(TakenOver::default()) };
    let event = zhiyin_model::event::names::MEMBER_TAKEN_OVER;
    let kind = zhiyin_model::effect::TransferKind::TakeOver.code();
    let of: [&dyn ToSql; 2] = [&source, &event];
    let of_kind: [&dyn ToSql; 3] = [&source, &event, &kind];
    let rows: i64 = c.query_row(ROWS, &of[..], |row| row.get(0)).map_err(database)?;
    let refused: BTreeMap<String, i64> = pairs(c, REFUSED, &of)?;
    let members = rows - refused.values().sum::<i64>();
    let booked: BTreeMap<i64, i64> = pairs(c, BOOKED, &of_kind)?;
    let expiring: BTreeMap<i64, i64> = pairs(c, EXPIRING, &of_kind)?;
    let tiers: BTreeMap<String, i64> = pairs(c, TIERS, &of)?;
    let sum = |asset: zhiyin_model::effect::Asset| booked.get(&asset.code()).copied().unwrap_or(0);
    Ok(TakenOver {
        members,
        rows,
        points: sum(zhiyin_model::effect::Asset::Points),
        growth: sum(zhiyin_model::effect::Asset::Growth),
        expiring: expiring.into_iter().map(|(at, points)| (Ts(at), points)).collect(),
        kept_tier: members - tiers.values().sum::<i64>(),
        tiers,
        raised: c.query_row(RAISED, &of[..], |row| row.get(0)).map_err(database)?,
        tags: pairs(c, TAGS, &of)?,
        refused,
    })
}

fn pairs<K>(c: &Connection, sql: &str, given: &[&dyn ToSql]) -> Result<BTreeMap<K, i64>>
where
    K: Ord + rusqlite::types::FromSql,
{
    Ok(all(c, sql, given, |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect())
}
