//! What the overview page shows, by a handful of grouped queries in one snapshot.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::{DAY_US, Day, Ts};
use zhiyin_store::Result;
use zhiyin_store::read::{OverviewAsk, OverviewRecord};

use crate::rows::{all, damaged, database, id};

pub(crate) const MEMBERS: &str = "SELECT COUNT(*), COUNT(enrolled_at), (SELECT COUNT(DISTINCT member) FROM orders \
    WHERE status = 1 AND (refunded = 0 OR refunded < paid)) FROM member";
pub(crate) const ACCOUNTS: &str =
    "SELECT COALESCE(SUM(active + pending), 0), COALESCE(SUM(debt), 0) FROM account WHERE asset = 0";
pub(crate) const KINDS: &str = "SELECT kind, SUM(amount) FROM transfer WHERE asset = 0 GROUP BY kind";
pub(crate) const PAID_BY_TIER: &str = "SELECT COALESCE(m.tier, ''), COUNT(*), COALESCE(SUM(o.paid), 0) FROM member m \
    LEFT JOIN (SELECT member, SUM(paid - refunded) AS paid FROM orders \
    WHERE status = 1 AND (refunded = 0 OR refunded < paid) GROUP BY member) o ON o.member = m.id GROUP BY 1";
pub(crate) const STAGE_NOW: &str = "SELECT id, COALESCE(stage, '') FROM member";
pub(crate) const STAGE_THEN: &str = "SELECT member, becomes FROM stage_move WHERE at <= ? ORDER BY at, no";
pub(crate) const WEEKS: &str = "SELECT (time + ?1) / ?2 - ((time + ?1) / ?2 + 3) % 7, COUNT(*), SUM(paid - refunded) \
    FROM orders WHERE status = 1 AND (refunded = 0 OR refunded < paid) GROUP BY 1 ORDER BY 1";
pub(crate) const LIABILITY: &str =
    "SELECT expires_at, SUM(remaining) FROM lot WHERE remaining > 0 GROUP BY expires_at";
pub(crate) const TAGS: &str = "SELECT key, COUNT(*) FROM member, json_each(member.tags) GROUP BY key";
pub(crate) const IDENTITY_BYTES: &str = "SELECT SUM(pgsize) FROM dbstat WHERE aggregate = 1 \
    AND name IN ('identifier', 'identifier_of', 'identifier_seen', 'given_up', 'alias', 'alias_root', 'apart')";
pub(crate) const WAITING: &str = "SELECT COUNT(*), MIN(clock) FROM event \
    WHERE derived = 0 AND seq > (SELECT cursor FROM slot)";
pub(crate) const LAST_EVENT: &str = "SELECT MAX(time) FROM (SELECT time FROM event WHERE derived = 0 \
    ORDER BY seq DESC LIMIT 1000)";
pub(crate) const COUNTS: &str = "SELECT (SELECT COUNT(*) FROM dead_letter), COUNT(*), MIN(due) FROM timer";

pub(crate) fn overview(c: &Connection, ask: OverviewAsk) -> Result<OverviewRecord> {
    let one = |sql: &str| -> Result<(i64, i64)> {
        c.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(database)
    };
    let members =
        c.query_row(MEMBERS, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(database)?;
    let weeks: BTreeMap<Day, (i64, i64)> = all(c, WEEKS, params![ask.zone_offset_us, DAY_US], |row| {
        Ok((Day(row.get(0)?), (row.get(1)?, row.get(2)?)))
    })?
    .into_iter()
    .collect();
    let orders = weeks.values().fold((0, 0), |sum: (i64, i64), (n, paid)| (sum.0 + n, sum.1 + paid));
    let tiers = all(c, PAID_BY_TIER, [], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    let waiting = c
        .query_row(WAITING, [], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(Ts))))
        .map_err(database)?;
    let last_event =
        c.query_row(LAST_EVENT, [], |row| row.get::<_, Option<i64>>(0)).map_err(database)?.map(Ts);
    let (dead_letters, timers) = c
        .query_row(COUNTS, [], |row| Ok((row.get(0)?, (row.get(1)?, row.get::<_, Option<i64>>(2)?.map(Ts)))))
        .map_err(database)?;
    let (stages, flow) = stages(c, ask)?;
    Ok(OverviewRecord {
        members,
        orders,
        points: one(ACCOUNTS)?,
        points_by_kind: kinds(c)?,
        tiers: tiers.into_iter().collect(),
        stages,
        flow,
        weeks,
        liability: liability(c, ask)?,
        tags: all(c, TAGS, [], |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect(),
        waiting,
        last_event,
        dead_letters,
        timers,
    })
}

fn kinds(c: &Connection) -> Result<BTreeMap<&'static str, i64>> {
    let found = all(c, KINDS, [], |row| {
        let kind = zhiyin_model::effect::TransferKind::from_code(row.get(0)?)
            .ok_or_else(|| damaged(0, "no kind of transfer"))?;
        Ok((kind.name(), row.get(1)?))
    })?;
    Ok(found.into_iter().collect())
}

type Stages = (BTreeMap<String, i64>, BTreeMap<(String, String), i64>);

fn stages(c: &Connection, ask: OverviewAsk) -> Result<Stages> {
    let then: BTreeMap<MemberId, String> =
        all(c, STAGE_THEN, [ask.flow_from.0], |row| Ok((id(row, 0)?, row.get(1)?)))?.into_iter().collect();
    let mut stages = BTreeMap::new();
    let mut flow = BTreeMap::new();
    for (member, stage) in all(c, STAGE_NOW, [], |row| Ok((id(row, 0)?, row.get::<_, String>(1)?)))? {
        *stages.entry(stage.clone()).or_default() += 1;
        let from = then.get(&member).cloned().unwrap_or_default();
        *flow.entry((from, stage)).or_default() += 1;
    }
    Ok((stages, flow))
}

/// Points left, by the last day on which they can be spent.
fn liability(c: &Connection, ask: OverviewAsk) -> Result<BTreeMap<Option<Day>, i64>> {
    let mut by_day = BTreeMap::new();
    for (expires, left) in all(c, LIABILITY, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))? {
        let last = (expires != Ts::FOREVER.0).then(|| {
            let local = expires.saturating_add(ask.zone_offset_us).saturating_sub(1);
            Day(i32::try_from(local.div_euclid(DAY_US)).unwrap_or(i32::MAX))
        });
        *by_day.entry(last).or_default() += left;
    }
    Ok(by_day)
}
