//! What was taken over from an old system, by its source. Events and what they booked stay in the shard in which they were
//! accepted; lots go with the member whose they are.

use std::collections::BTreeMap;

use tokio_postgres::types::FromSqlOwned;
use zhiyin_model::effect::{Asset, TransferKind};
use zhiyin_model::event::names::MEMBER_TAKEN_OVER;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::takeover::TakenOver;

use crate::append::{KNOWN, SOURCE};
use crate::connection::Connections;
use crate::rows::{Uuid, get};
use crate::survey::{Given, Survey};

pub(crate) const ROWS: &str = "SELECT 'rows', COUNT(*)::bigint FROM {shard}.event \
    WHERE source = $1 AND name = $2 AND derived < 2";
pub(crate) const BOOKED: &str = "SELECT t.asset, SUM(t.amount)::bigint FROM {shard}.transfer t \
    JOIN {shard}.event e ON e.seq = t.event WHERE t.kind = $3 AND e.source = $1 AND e.name = $2 GROUP BY t.asset";
pub(crate) const EXPIRING: &str = "SELECT l.expires_at, SUM(t.amount)::bigint FROM {shard}.transfer t \
    JOIN {shard}.event e ON e.seq = t.event JOIN {shard}.lot l ON l.id = t.id \
    WHERE t.kind = $3 AND t.asset = 0 AND e.source = $1 AND e.name = $2 GROUP BY l.expires_at";
/// Lots that went with their member to another shard.
pub(crate) const GONE: &str = "SELECT t.id, t.amount FROM {shard}.transfer t JOIN {shard}.event e ON e.seq = t.event \
    WHERE t.kind = $3 AND t.asset = 0 AND e.source = $1 AND e.name = $2 \
    AND NOT EXISTS (SELECT 1 FROM {shard}.lot l WHERE l.id = t.id)";
pub(crate) const ELSEWHERE: &str = "SELECT id, expires_at FROM {shard}.lot WHERE id = ANY($1)";
/// With which tier they came is the first that the event said.
pub(crate) const TIERS: &str = "SELECT level, COUNT(*)::bigint FROM (SELECT DISTINCT ON (t.event) t.level AS level \
    FROM {shard}.term t JOIN {shard}.event e ON e.seq = t.event WHERE e.source = $1 AND e.name = $2 \
    ORDER BY t.event, t.no) f GROUP BY level";
pub(crate) const RAISED: &str = "SELECT 'raised', COUNT(*)::bigint FROM (SELECT f.event FROM {shard}.term f \
    JOIN {shard}.event e ON e.seq = f.event WHERE e.source = $1 AND e.name = $2 GROUP BY f.event HAVING COUNT(*) > 1) r";
pub(crate) const TAGS: &str = "SELECT t.tag, COUNT(*)::bigint FROM {shard}.tag_move t \
    JOIN {shard}.event e ON e.seq = t.event WHERE t.is_on AND e.source = $1 AND e.name = $2 GROUP BY t.tag";
pub(crate) const REFUSED: &str = "SELECT d.code, COUNT(*)::bigint FROM {shard}.dead_letter d \
    JOIN {shard}.event e ON e.seq = d.seq WHERE e.source = $1 AND e.name = $2 GROUP BY d.code";

pub(crate) async fn came(
    connections: &Connections,
    name: &str,
    message_ids: &[String],
) -> Result<Vec<Option<[u8; 16]>>> {
    let session = connections.session().await?;
    let mut found = vec![None; message_ids.len()];
    let Some(source) = session.row((SOURCE, 0), &[&name]).await? else { return Ok(found) };
    let source: i32 = get(&source, 0)?;
    let mut by_shard: BTreeMap<usize, (Vec<i32>, Vec<&str>)> = BTreeMap::new();
    for message_id in message_ids {
        let (sources, ids) =
            by_shard.entry(connections.schemas.shard_of_message(source, message_id)).or_default();
        sources.push(source);
        ids.push(message_id);
    }
    let asks = by_shard.iter().map(|(shard, (sources, ids))| ((KNOWN, *shard), vec![sources as _, ids as _]));
    let mut hashes: BTreeMap<String, [u8; 16]> = BTreeMap::new();
    for row in session.ask(asks.collect()).await?.iter().flatten() {
        hashes.insert(get(row, 1)?, get::<Uuid>(row, 2)?.0);
    }
    for (found, message_id) in found.iter_mut().zip(message_ids) {
        *found = hashes.get(message_id).copied();
    }
    Ok(found)
}

pub(crate) async fn taken_over(survey: &Survey<'_>, name: &str) -> Result<TakenOver> {
    let Some(source) =
        survey.home(SOURCE, &[&name]).await?.first().map(|row| get::<i32>(row, 0)).transpose()?
    else {
        return Ok(TakenOver::default());
    };
    let event = MEMBER_TAKEN_OVER;
    let kind = i16::try_from(TransferKind::TakeOver.code()).unwrap_or(i16::MAX);
    let of: Given<'_> = &[&source, &event];
    let of_kind: Given<'_> = &[&source, &event, &kind];
    let rows: i64 = sums::<String>(survey, ROWS, of).await?.values().sum();
    let refused: BTreeMap<String, i64> = sums(survey, REFUSED, of).await?;
    let booked: BTreeMap<i16, i64> = sums(survey, BOOKED, of_kind).await?;
    let mut expiring: BTreeMap<i64, i64> = sums(survey, EXPIRING, of_kind).await?;
    elsewhere(survey, of_kind, &mut expiring).await?;
    let tiers: BTreeMap<String, i64> = sums(survey, TIERS, of).await?;
    let sum = |asset: Asset| {
        i16::try_from(asset.code()).ok().and_then(|code| booked.get(&code).copied()).unwrap_or(0)
    };
    let members = rows - refused.values().sum::<i64>();
    Ok(TakenOver {
        members,
        rows,
        points: sum(Asset::Points),
        growth: sum(Asset::Growth),
        expiring: expiring.into_iter().map(|(at, points)| (Ts(at), points)).collect(),
        kept_tier: members - tiers.values().sum::<i64>(),
        tiers,
        raised: sums::<String>(survey, RAISED, of).await?.values().sum(),
        tags: sums(survey, TAGS, of).await?,
        refused,
    })
}

/// Adds what lies in lots of other shards: members were merged since.
async fn elsewhere(survey: &Survey<'_>, of: Given<'_>, expiring: &mut BTreeMap<i64, i64>) -> Result<()> {
    let mut gone: BTreeMap<[u8; 16], i64> = BTreeMap::new();
    survey
        .each(GONE, of, |row| {
            gone.insert(get::<Uuid>(row, 0)?.0, get(row, 1)?);
            Ok(())
        })
        .await?;
    if gone.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = gone.keys().map(|id| Uuid(*id)).collect();
    survey
        .each(ELSEWHERE, &[&ids], |row| {
            let points = gone.get(&get::<Uuid>(row, 0)?.0).copied().unwrap_or(0);
            *expiring.entry(get(row, 1)?).or_default() += points;
            Ok(())
        })
        .await
}

/// Sums of all shards by what their first column says.
async fn sums<K: Ord + FromSqlOwned>(
    survey: &Survey<'_>,
    sql: &str,
    given: Given<'_>,
) -> Result<BTreeMap<K, i64>> {
    let mut sums = BTreeMap::new();
    survey
        .each(sql, given, |row| {
            *sums.entry(get::<K>(row, 0)?).or_default() += get::<i64>(row, 1)?;
            Ok(())
        })
        .await?;
    Ok(sums)
}
