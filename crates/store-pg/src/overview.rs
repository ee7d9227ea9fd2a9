//! What the overview page shows, by a handful of grouped queries in one snapshot; sums of the shards are added up.

use std::collections::BTreeMap;

use zhiyin_model::id::MemberId;
use zhiyin_model::time::{DAY_US, Day, Ts};
use zhiyin_store::Result;
use zhiyin_store::read::{OverviewAsk, OverviewRecord};

use crate::report::kind;
use crate::rows::{damaged, get, id};
use crate::survey::Survey;

/// By how many of the latest items it is judged when the last one happened.
const LATEST: usize = 1_000;

pub(crate) const MEMBERS: &str = "SELECT COUNT(*), COUNT(enrolled_at), (SELECT COUNT(DISTINCT member) \
    FROM {shard}.orders WHERE status = 1 AND (refunded = 0 OR refunded < paid)) FROM {shard}.member";
pub(crate) const ACCOUNTS: &str = "SELECT COALESCE(SUM(active + pending), 0)::bigint, \
    COALESCE(SUM(debt), 0)::bigint FROM {shard}.account WHERE asset = 0";
pub(crate) const KINDS: &str =
    "SELECT kind, SUM(amount)::bigint FROM {shard}.transfer WHERE asset = 0 GROUP BY kind";
pub(crate) const PAID_BY_TIER: &str = "SELECT COALESCE(m.tier, ''), COUNT(*), COALESCE(SUM(o.paid), 0)::bigint \
    FROM {shard}.member m LEFT JOIN (SELECT member, SUM(paid - refunded) AS paid FROM {shard}.orders \
    WHERE status = 1 AND (refunded = 0 OR refunded < paid) GROUP BY member) o ON o.member = m.id GROUP BY 1";
pub(crate) const STAGE_NOW: &str = "SELECT id, COALESCE(stage, '') FROM {shard}.member";
pub(crate) const STAGE_THEN: &str = "SELECT DISTINCT ON (member) member, becomes FROM {shard}.stage_move \
    WHERE at <= $1 ORDER BY member, at DESC, no DESC";
pub(crate) const WEEKS: &str = "SELECT (time + $1) / $2 - ((time + $1) / $2 + 3) % 7, COUNT(*), \
    SUM(paid - refunded)::bigint FROM {shard}.orders WHERE status = 1 AND (refunded = 0 OR refunded < paid) GROUP BY 1";
pub(crate) const LIABILITY: &str =
    "SELECT expires_at, SUM(remaining)::bigint FROM {shard}.lot WHERE remaining > 0 GROUP BY expires_at";
pub(crate) const TAGS: &str = "SELECT t.tag, COUNT(*) FROM {shard}.member m \
    CROSS JOIN LATERAL jsonb_object_keys(m.tags::jsonb) t (tag) GROUP BY t.tag";
/// Rows of the inbox that wait. They lie beyond the cursor that is furthest behind and below what is said of members
/// (places from 2^62 on), so that nobody looks through the log for them.
pub(crate) const WAITING: &str = "SELECT COUNT(*), MIN(e.clock) FROM {shard}.event e \
    JOIN {home}.slot s ON s.slot = e.slot WHERE e.derived = 0 AND e.seq > s.cursor \
    AND e.seq > (SELECT MIN(cursor) FROM {home}.slot) AND e.seq < 4611686018427387904";
pub(crate) const LATEST_EVENTS: &str = "SELECT seq, time FROM {shard}.event \
    WHERE derived = 0 AND seq < 4611686018427387904 ORDER BY seq DESC LIMIT $1";
pub(crate) const DEAD_LETTERS: &str = "SELECT COUNT(*) FROM {shard}.dead_letter";
pub(crate) const TIMERS: &str = "SELECT COUNT(*), MIN(due) FROM {shard}.timer";

pub(crate) async fn overview(survey: &Survey<'_>, ask: OverviewAsk) -> Result<OverviewRecord> {
    let mut record = OverviewRecord::default();
    sums(survey, &mut record).await?;
    tables(survey, ask, &mut record).await?;
    stages(survey, ask, &mut record).await?;
    record.orders =
        record.weeks.values().fold((0, 0), |sum: (i64, i64), (n, paid)| (sum.0 + n, sum.1 + paid));
    record.liability = liability(survey, ask).await?;
    record.last_event = last_event(survey).await?;
    Ok(record)
}

/// What is one row a shard.
async fn sums(survey: &Survey<'_>, record: &mut OverviewRecord) -> Result<()> {
    survey
        .each(MEMBERS, &[], |row| {
            let sum = &mut record.members;
            (sum.0, sum.1, sum.2) =
                (sum.0 + get::<i64>(row, 0)?, sum.1 + get::<i64>(row, 1)?, sum.2 + get::<i64>(row, 2)?);
            Ok(())
        })
        .await?;
    survey
        .each(ACCOUNTS, &[], |row| {
            let sum = &mut record.points;
            (sum.0, sum.1) = (sum.0 + get::<i64>(row, 0)?, sum.1 + get::<i64>(row, 1)?);
            Ok(())
        })
        .await?;
    for (sql, sum) in [(WAITING, &mut record.waiting), (TIMERS, &mut record.timers)] {
        survey
            .each(sql, &[], |row| {
                let first = get::<Option<i64>>(row, 1)?.map(Ts);
                *sum = (sum.0 + get::<i64>(row, 0)?, sum.1.into_iter().chain(first).min());
                Ok(())
            })
            .await?;
    }
    survey.each(DEAD_LETTERS, &[], |row| get(row, 0).map(|n: i64| record.dead_letters += n)).await
}

/// What is a row a name or a week.
async fn tables(survey: &Survey<'_>, ask: OverviewAsk, record: &mut OverviewRecord) -> Result<()> {
    survey
        .each(KINDS, &[], |row| {
            *record.points_by_kind.entry(kind(get(row, 0)?, 0)?.name()).or_default() += get::<i64>(row, 1)?;
            Ok(())
        })
        .await?;
    survey
        .each(PAID_BY_TIER, &[], |row| {
            let sum = record.tiers.entry(get(row, 0)?).or_default();
            *sum = (sum.0 + get::<i64>(row, 1)?, sum.1 + get::<i64>(row, 2)?);
            Ok(())
        })
        .await?;
    survey
        .each(WEEKS, &[&ask.zone_offset_us, &DAY_US], |row| {
            let day = i32::try_from(get::<i64>(row, 0)?).map_err(|error| damaged(0, error))?;
            let sum = record.weeks.entry(Day(day)).or_default();
            *sum = (sum.0 + get::<i64>(row, 1)?, sum.1 + get::<i64>(row, 2)?);
            Ok(())
        })
        .await?;
    survey
        .each(TAGS, &[], |row| {
            *record.tags.entry(get(row, 0)?).or_default() += get::<i64>(row, 1)?;
            Ok(())
        })
        .await
}

async fn stages(survey: &Survey<'_>, ask: OverviewAsk, record: &mut OverviewRecord) -> Result<()> {
    let mut then: BTreeMap<MemberId, String> = BTreeMap::new();
    survey
        .each(STAGE_THEN, &[&ask.flow_from.0], |row| {
            then.insert(id(row, 0)?, get(row, 1)?);
            Ok(())
        })
        .await?;
    survey
        .each(STAGE_NOW, &[], |row| {
            let (member, stage): (MemberId, String) = (id(row, 0)?, get(row, 1)?);
            *record.stages.entry(stage.clone()).or_default() += 1;
            let from = then.get(&member).cloned().unwrap_or_default();
            *record.flow.entry((from, stage)).or_default() += 1;
            Ok(())
        })
        .await
}

/// Points left, by the last day on which they can be spent.
async fn liability(survey: &Survey<'_>, ask: OverviewAsk) -> Result<BTreeMap<Option<Day>, i64>> {
    let mut by_day = BTreeMap::new();
    survey
        .each(LIABILITY, &[], |row| {
            let (expires, left): (i64, i64) = (get(row, 0)?, get(row, 1)?);
            let last = (expires != Ts::FOREVER.0).then(|| {
                let local = expires.saturating_add(ask.zone_offset_us).saturating_sub(1);
                Day(i32::try_from(local.div_euclid(DAY_US)).unwrap_or(i32::MAX))
            });
            *by_day.entry(last).or_default() += left;
            Ok(())
        })
        .await?;
    Ok(by_day)
}

/// When the latest of the last items happened.
async fn last_event(survey: &Survey<'_>) -> Result<Option<Ts>> {
    let mut latest: Vec<(i64, i64)> = Vec::new();
    survey
        .each(LATEST_EVENTS, &[&(LATEST as i64)], |row| {
            latest.push((get(row, 0)?, get(row, 1)?));
            Ok(())
        })
        .await?;
    latest.sort_unstable_by_key(|(seq, _)| std::cmp::Reverse(*seq));
    Ok(latest.into_iter().take(LATEST).map(|(_, time)| Ts(time)).max())
}
