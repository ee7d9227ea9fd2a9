//! What came from platforms: each in the shard of its id.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::campaigns::arrivals::{
    Arrival, ArrivalCount, ArrivalId, ArrivalLog, ArrivalState, Arrivals, Became, NewArrival,
};
use zhiyin_store::seal::vault::Vault;

use super::most;
use crate::PgStore;
use crate::connection::{Of, Said, Step, Values};
use crate::rows::{Uuid, damaged, database, get, id};

macro_rules! columns {
    ($before:literal, $rest:literal) => {
        concat!($before, " id, channel, lane, at, body, state, tries, due, why ", $rest)
    };
}

/// In the order of their ids: who brings the same at the same time waits for the other, and never the other way round too.
pub(crate) const ARRIVAL_NEW: &str = "INSERT INTO {shard}.arrival (id, channel, lane, at, about, state, tries, due, body) \
    SELECT u.id, u.channel, u.lane, u.at, u.about, 0, 0, u.at, u.body \
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::uuid[], $6::bytea[]) u (id, channel, lane, at, about, body) \
    ORDER BY u.id ON CONFLICT (id) DO NOTHING RETURNING id";
pub(crate) const ARRIVAL_LENT: &str = columns!(
    "UPDATE {shard}.arrival SET tries = tries + 1, due = $4 WHERE id = ANY (ARRAY(SELECT id FROM {shard}.arrival \
     WHERE channel = $1 AND lane = $2 AND state = 0 AND due <= $3 ORDER BY due, id LIMIT $5 FOR UPDATE SKIP LOCKED)) RETURNING",
    ""
);
pub(crate) const ARRIVAL_BECAME: &str = "UPDATE {shard}.arrival a SET state = u.state, due = u.due, why = u.why \
    FROM unnest($1::uuid[], $2::bigint[], $3::smallint[], $4::bigint[], $5::text[]) u (id, tries, state, due, why) \
    WHERE a.id = u.id AND a.tries = u.tries AND a.state = 0";
pub(crate) const ARRIVAL: &str = columns!("SELECT", "FROM {shard}.arrival WHERE id = $1");
pub(crate) const ARRIVALS: &str = columns!(
    "SELECT",
    "FROM {shard}.arrival WHERE ($1::text IS NULL OR channel = $1) AND ($2::bigint IS NULL OR (at, id) < ($2, $3::uuid)) \
     ORDER BY at DESC, id DESC LIMIT $4"
);
pub(crate) const ARRIVALS_IN: &str = columns!(
    "SELECT",
    "FROM {shard}.arrival WHERE state = $5 AND ($1::text IS NULL OR channel = $1) \
     AND ($2::bigint IS NULL OR (at, id) < ($2, $3::uuid)) ORDER BY at DESC, id DESC LIMIT $4"
);
pub(crate) const ARRIVAL_MOVED: &str = "UPDATE {shard}.arrival SET state = $3, why = $4, \
    tries = CASE WHEN $3::smallint = 0 THEN 0 ELSE tries END, due = CASE WHEN $3::smallint = 0 THEN at ELSE due END \
    WHERE id = $1 AND state = $2";
pub(crate) const ARRIVALS_GONE: &str = "DELETE FROM {shard}.arrival WHERE id = ANY (ARRAY(SELECT id FROM {shard}.arrival \
    WHERE state = $1 AND at < $2 ORDER BY at, id LIMIT $3))";
pub(crate) const ARRIVAL_COUNTS: &str = "SELECT channel, lane, state, COUNT(*) FROM {shard}.arrival WHERE state IN (0, 2, 3) \
    GROUP BY channel, lane, state";
/// Nothing is done any more about who is erased.
pub(crate) const ARRIVALS_ERASED: &str = "UPDATE {shard}.arrival SET body = '\\x03'::bytea, why = 'erased', \
    state = CASE WHEN state = 1 THEN 1 ELSE 3 END WHERE about = ANY($1::uuid[])";
/// Under which names anything about a member came.
pub(crate) const ARRIVALS_NAMES: &str = "SELECT hash FROM {shard}.identifier WHERE member = $1";
pub(crate) const ARRIVAL_BODIES: &str = "SELECT id, about, at, body FROM {shard}.arrival \
    WHERE ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2";
pub(crate) const ARRIVAL_BODY_SET: &str = "UPDATE {shard}.arrival c SET body = u.body \
    FROM unnest($1::uuid[], $2::bytea[]) u (id, body) WHERE c.id = u.id";
pub(crate) const ARRIVALS_UNSEALED: &str = "SELECT 'arrival ' || replace(id::text, '-', '') FROM {shard}.arrival \
    WHERE body <> '\\x03'::bytea AND substr(body, 1, 1) <> '\\x02'::bytea LIMIT 5";

fn arrival(row: &Row, vault: &Vault) -> Result<Arrival> {
    let state = ArrivalState::from_code(get(row, 5)?);
    Ok(Arrival {
        id: id(row, 0)?,
        channel: get(row, 1)?,
        lane: get(row, 2)?,
        at: Ts(get(row, 3)?),
        body: vault.body(get(row, 4)?)?,
        state: state.ok_or_else(|| damaged(5, "no state of what came"))?,
        tries: get(row, 6)?,
        due: Ts(get(row, 7)?),
        why: get(row, 8)?,
    })
}

/// What comes, a list a column.
#[derive(Default)]
struct Columns<'n> {
    ids: Vec<Uuid>,
    channels: Vec<&'n str>,
    lanes: Vec<&'n str>,
    ats: Vec<i64>,
    abouts: Vec<Uuid>,
    bodies: Vec<&'n [u8]>,
}

impl<'n> Columns<'n> {
    fn put(&mut self, new: &'n NewArrival) {
        self.ids.push(new.id.into());
        self.channels.push(&new.channel);
        self.lanes.push(&new.lane);
        self.ats.push(new.at.0);
        self.abouts.push(Uuid(new.about));
        self.bodies.push(&new.body.0);
    }

    fn given(&self) -> Values<'_> {
        vec![&self.ids, &self.channels, &self.lanes, &self.ats, &self.abouts, &self.bodies]
    }
}

#[async_trait]
impl Arrivals for PgStore {
    async fn arrive(&self, new: Vec<NewArrival>) -> Result<Vec<bool>> {
        let sealed = self.vault().aside(move |vault| vault.seal_arrivals(new)).await?;
        let tx = self.connections.session().await?.transaction();
        let arrived = async {
            let schemas = tx.session()?.schemas;
            let mut of: BTreeMap<usize, Columns<'_>> = BTreeMap::new();
            for one in &sealed {
                of.entry(schemas.shard_of_hash(one.id.bytes())).or_default().put(one);
            }
            let mut steps = vec![Step::Say("BEGIN")];
            steps.extend(of.iter().map(|(shard, columns)| Step::Ask((ARRIVAL_NEW, *shard), columns.given())));
            steps.push(Step::Say("COMMIT"));
            let said = tx.send(steps).await.map_err(database)?;
            let mut are_new = std::collections::BTreeSet::new();
            for row in said.into_iter().flat_map(Said::rows) {
                are_new.insert(get::<Uuid>(&row, 0)?);
            }
            // Of what is brought twice at once only the first is new.
            Ok(sealed.iter().map(|one| are_new.remove(&Uuid::from(one.id))).collect())
        }
        .await;
        tx.end(arrived).await
    }

    async fn lend_arrivals(
        &self,
        (channel, lane): (&str, &str),
        now: Ts,
        until: Ts,
        limit: usize,
    ) -> Result<Vec<Arrival>> {
        let (session, vault) = (self.connections.session().await?, self.vault());
        let mut lent = Vec::new();
        for shard in 0..session.schemas.shards() {
            let left = most(limit - lent.len().min(limit));
            if left == 0 {
                break;
            }
            let given: Values<'_> = vec![&channel, &lane, &now.0, &until.0, &left];
            for row in &session.rows((ARRIVAL_LENT, shard), &given).await? {
                lent.push(arrival(row, &vault)?);
            }
        }
        lent.sort_unstable_by_key(|one| (one.at, one.id));
        Ok(lent)
    }

    async fn note_arrivals(&self, became: Vec<Became>) -> Result<usize> {
        let session = self.connections.session().await?;
        let mut noted = 0;
        for shard in 0..session.schemas.shards() {
            let of: Vec<&Became> =
                became.iter().filter(|one| session.schemas.shard_of_hash(one.id.bytes()) == shard).collect();
            if of.is_empty() {
                continue;
            }
            let ids: Vec<Uuid> = of.iter().map(|one| one.id.into()).collect();
            let tries: Vec<i64> = of.iter().map(|one| one.tries).collect();
            let states: Vec<i16> = of.iter().map(|one| one.state.code()).collect();
            let dues: Vec<i64> = of.iter().map(|one| one.due.0).collect();
            let whys: Vec<Option<&str>> = of.iter().map(|one| one.why.as_deref()).collect();
            let n = session.run((ARRIVAL_BECAME, shard), &[&ids, &tries, &states, &dues, &whys]).await?;
            noted += usize::try_from(n).unwrap_or(usize::MAX);
        }
        Ok(noted)
    }

    async fn arrival(&self, id: ArrivalId) -> Result<Option<Arrival>> {
        let (session, vault) = (self.connections.session().await?, self.vault());
        let shard = session.schemas.shard_of_hash(id.bytes());
        let row = session.row((ARRIVAL, shard), &[&Uuid::from(id)]).await?;
        row.as_ref().map(|row| arrival(row, &vault)).transpose()
    }

    async fn arrivals(&self, log: ArrivalLog) -> Result<Vec<Arrival>> {
        let (state, most) = (log.state.map(ArrivalState::code), most(log.limit));
        let (at, before) = (log.before.map(|(at, _)| at.0), log.before.map(|(_, id)| Uuid::from(id)));
        let (session, vault) = (self.connections.session().await?, self.vault());
        let asks: Vec<(Of, Values<'_>)> = (0..session.schemas.shards())
            .map(|shard| {
                let given: Values<'_> = vec![&log.channel, &at, &before, &most];
                match &state {
                    None => ((ARRIVALS, shard), given),
                    Some(state) => ((ARRIVALS_IN, shard), given.into_iter().chain([state as _]).collect()),
                }
            })
            .collect();
        let rows = session.ask(asks).await?;
        let mut read: Vec<Arrival> =
            rows.iter().flatten().map(|row| arrival(row, &vault)).collect::<Result<_>>()?;
        read.sort_by_key(|one| std::cmp::Reverse((one.at, one.id)));
        read.truncate(log.limit);
        Ok(read)
    }

    async fn move_arrival(
        &self,
        id: ArrivalId,
        from: ArrivalState,
        to: ArrivalState,
        why: Option<String>,
    ) -> Result<bool> {
        let session = self.connections.session().await?;
        let shard = session.schemas.shard_of_hash(id.bytes());
        let (from, to) = (from.code(), to.code());
        Ok(session.run((ARRIVAL_MOVED, shard), &[&Uuid::from(id), &from, &to, &why]).await? > 0)
    }

    async fn forget_arrivals(&self, before: Ts, limit: usize) -> Result<usize> {
        let session = self.connections.session().await?;
        let mut gone = 0;
        for shard in 0..session.schemas.shards() {
            for state in [ArrivalState::Done.code(), ArrivalState::Dropped.code()] {
                let left = most(limit - gone.min(limit));
                let n = session.run((ARRIVALS_GONE, shard), &[&state, &before.0, &left]).await?;
                gone += usize::try_from(n).unwrap_or(usize::MAX);
            }
        }
        Ok(gone)
    }

    async fn count_arrivals(&self) -> Result<Vec<ArrivalCount>> {
        let session = self.connections.session().await?;
        let asks: Vec<(Of, Values<'_>)> =
            (0..session.schemas.shards()).map(|shard| ((ARRIVAL_COUNTS, shard), vec![])).collect();
        let mut counts = BTreeMap::<(String, String, ArrivalState), i64>::new();
        for row in session.ask(asks).await?.iter().flatten() {
            let state = ArrivalState::from_code(get(row, 2)?);
            let state = state.ok_or_else(|| damaged(2, "no state of what came"))?;
            *counts.entry((get(row, 0)?, get(row, 1)?, state)).or_insert(0) += get::<i64>(row, 3)?;
        }
        let count = |((channel, lane, state), n)| ArrivalCount { channel, lane, state, n };
        Ok(counts.into_iter().map(count).collect())
    }
}
