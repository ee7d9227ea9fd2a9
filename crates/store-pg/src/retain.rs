//! Letting go of what events said, in all shards at once, in the order of places.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Row;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::{LetGo, Result, StoreError};

use crate::connection::{Connections, Said, Step, Tx};
use crate::rows::{database, get, id_or_none};
use crate::write::FEED_NEW;

/// Items that were decided and have their bodies, in the order of their places. Derived events lie beyond.
pub(crate) const TOLD: &str = "SELECT e.seq, e.name, e.time, \
    (SELECT l.member FROM {timelines} l WHERE l.seq = e.seq LIMIT 1) FROM {shard}.event e WHERE e.seq > $1 \
    AND e.seq < 4611686018427387904 AND e.derived = 0 AND length(e.body) > 1 \
    AND EXISTS (SELECT 1 FROM {timelines} l WHERE l.seq = e.seq) ORDER BY e.seq LIMIT $2";
pub(crate) const LET_GO: &str =
    "UPDATE {shard}.event SET body = '\\x03'::bytea WHERE seq = ANY($1) AND length(body) > 1";

pub(crate) async fn let_go(
    connections: &Connections,
    before: &BTreeMap<String, Ts>,
    after: i64,
    limit: usize,
) -> Result<LetGo> {
    let tx = connections.session().await?.transaction();
    let done = part(&tx, before, after, limit).await;
    tx.end(done).await
}

async fn part(tx: &Tx<'_>, before: &BTreeMap<String, Ts>, after: i64, limit: usize) -> Result<LetGo> {
    let shards = tx.session()?.schemas.shards();
    let at_most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut steps = vec![Step::Say("BEGIN")];
    for shard in 0..shards {
        steps.push(Step::Ask((TOLD, shard), vec![&after, &at_most]));
    }
    let told: Vec<Vec<Row>> =
        tx.send(steps).await.map_err(database)?.into_iter().skip(1).map(Said::rows).collect();
    if told.len() != shards {
        return Err(StoreError::Damaged("a shard said nothing".to_owned()));
    }
    // Where a shard has more, the others wait for it.
    let mut upto: Option<i64> = None;
    for rows in told.iter().filter(|rows| rows.len() == limit) {
        let last: i64 = rows.last().map(|row| get(row, 0)).transpose()?.unwrap_or(after);
        upto = Some(upto.map_or(last, |upto| upto.min(last)));
    }
    let mut gone: BTreeMap<String, u64> = BTreeMap::new();
    let mut seqs: Vec<Vec<i64>> = vec![Vec::new(); shards];
    let mut touched: BTreeSet<MemberId> = BTreeSet::new();
    for (rows, seqs) in told.iter().zip(&mut seqs) {
        for row in rows {
            let (seq, name, time): (i64, &str, i64) = (get(row, 0)?, get(row, 1)?, get(row, 2)?);
            let is_past = before.get(name).is_some_and(|before| time < before.0);
            if is_past && upto.is_none_or(|upto| seq <= upto) {
                seqs.push(seq);
                *gone.entry(name.to_owned()).or_default() += 1;
                touched.extend(id_or_none(row, 3)?);
            }
        }
    }
    let mut steps: Vec<Step<'_>> = Vec::new();
    for (shard, seqs) in seqs.iter().enumerate().filter(|(_, seqs)| !seqs.is_empty()) {
        steps.push(Step::Run((LET_GO, shard), vec![seqs]));
    }
    // Whoever keeps a picture of them lets go of it too.
    let members: Vec<u8> = touched.iter().flat_map(|member| *member.bytes()).collect();
    let events: Vec<u8> = Vec::new();
    if !members.is_empty() {
        steps.push(Step::Run((FEED_NEW, 0), vec![&members, &events]));
    }
    steps.push(Step::Say("COMMIT"));
    tx.send(steps).await.map_err(database)?;
    Ok(LetGo { gone, after: upto })
}
