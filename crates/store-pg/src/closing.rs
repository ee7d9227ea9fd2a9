//! The books by month: sums of the journal between instants, shard after shard in one snapshot, and months that are closed.
//!
//! Whoever closes a month holds all shares while they say so: no batch is in the midst of its transfers then, and every later
//! one sees what is closed (the trigger `transfer_late`).

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::effect::Asset;
use zhiyin_model::id::IdKey;
use zhiyin_model::month::Month;
use zhiyin_model::time::Ts;
use zhiyin_store::closing::{Booked, Closed, Closing, Cut, Flow, Line, Moves, Stand, Sums, broken};
use zhiyin_store::read::Check;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Result, StoreError};

use crate::PgStore;
use crate::access::AUDIT_KEY;
use crate::connection::{Said, Step, Tx, Values};
use crate::load;
use crate::report::{kind, side};
use crate::rows::{damaged, database, get};
use crate::survey::{Survey, survey};

/// Where members ordered last before an instant.
macro_rules! met {
    ($until:literal) => {
        concat!(
            "met AS MATERIALIZED (SELECT DISTINCT ON (member) member, store FROM {shard}.orders WHERE time < ",
            $until,
            " AND status = 1 AND store IS NOT NULL ORDER BY member, time DESC, store COLLATE \"C\" DESC)"
        )
    };
}

pub(crate) const CLOSED: &str = "SELECT month, start, until, closed_at, closed_by, version, worth_minor, worth_points, hash \
    FROM {home}.book_close ORDER BY month";
pub(crate) const LINES: &str = "SELECT asset, cut, value, opening, earned, spent, expired, reversed, adjusted, taken_over, \
    moved, closing, liability FROM {home}.book_line WHERE month = $1 ORDER BY asset, cut, value";
/// No batch is under way while this is held: each begins with its shares.
pub(crate) const NO_BATCH: &str = "LOCK TABLE {home}.slot IN EXCLUSIVE MODE";
pub(crate) const CLOSE: &str = "INSERT INTO {home}.book_close (month, start, until, closed_at, closed_by, version, worth_minor, \
    worth_points) SELECT $1::integer, $2::bigint, $3::bigint, $4::bigint, $5::text, $6::bigint, $7::bigint, $8::bigint \
    WHERE NOT EXISTS (SELECT 1 FROM {home}.book_close WHERE until > $2 OR month >= $1 OR hash IS NULL)";
pub(crate) const WAITS: &str =
    "SELECT month FROM {home}.book_close WHERE month = $1 AND hash IS NULL FOR UPDATE";
pub(crate) const LINE_NEW: &str = "INSERT INTO {home}.book_line (month, asset, cut, value, opening, earned, spent, expired, \
    reversed, adjusted, taken_over, moved, closing, liability) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
pub(crate) const WRITTEN: &str = "UPDATE {home}.book_close SET hash = $2 WHERE month = $1";
pub(crate) const BEGINS: &str =
    "SELECT MIN(at) FROM {shard}.transfer WHERE asset = $1 AND kind NOT IN (7, 8)";
/// What counts before an instant, by member: what came late for a month counts later than it was booked.
pub(crate) const STAND: &str = concat!(
    "WITH booked AS (SELECT member, kind, amount FROM {shard}.transfer WHERE asset = $1 AND at < $2 UNION ALL \
     SELECT member, kind, -amount FROM {shard}.book_late WHERE asset = $1 AND at < $2 AND period >= $2), \
     balance AS (SELECT member, SUM(",
    side!(),
    ")::bigint AS amount FROM booked GROUP BY member HAVING SUM(",
    side!(),
    ") <> 0), ",
    met!("$2"),
    " SELECT m.store, (SELECT t.level FROM {shard}.term t WHERE t.member = b.member AND t.at < $2 \
     ORDER BY t.at DESC, t.no DESC LIMIT 1) AS tier, SUM(b.amount)::bigint \
     FROM balance b LEFT JOIN met m ON m.member = b.member GROUP BY 1, 2"
);
/// What counts between two instants.
pub(crate) const FLOW: &str = concat!(
    "WITH booked AS (SELECT member, kind, amount, at FROM {shard}.transfer WHERE asset = $1 AND at >= $2 AND at < $3 UNION ALL \
     SELECT member, kind, -amount, at FROM {shard}.book_late WHERE asset = $1 AND at >= $2 AND at < $3 UNION ALL \
     SELECT member, kind, amount, at FROM {shard}.book_late WHERE asset = $1 AND period >= $2 AND period < $3), ",
    met!("$3"),
    " SELECT m.store, (SELECT t.level FROM {shard}.term t WHERE t.member = b.member AND t.at <= b.at \
     ORDER BY t.at DESC, t.no DESC LIMIT 1) AS tier, b.kind, SUM(b.amount)::bigint \
     FROM booked b LEFT JOIN met m ON m.member = b.member WHERE b.kind NOT IN (7, 8) GROUP BY 1, 2, 3"
);
/// What counts for each closed month, for the doctor.
pub(crate) const BOOKED: &str = "SELECT (SELECT c.month FROM {home}.book_close c WHERE c.until > b.counts ORDER BY c.until LIMIT 1) \
    AS month, asset, kind, SUM(amount)::bigint FROM (SELECT asset, kind, amount, at AS counts FROM {shard}.transfer UNION ALL \
    SELECT asset, kind, -amount, at FROM {shard}.book_late UNION ALL \
    SELECT asset, kind, amount, period FROM {shard}.book_late) b \
    WHERE asset <> 1 AND kind NOT IN (7, 8) GROUP BY 1, 2, 3";
pub(crate) const LATE: &str = "SELECT period, asset, kind, COUNT(*)::bigint, SUM(amount)::bigint FROM {shard}.book_late \
    GROUP BY period, asset, kind";
pub(crate) const GUARDS_HOME: &str = "SELECT name || ' is missing' FROM (VALUES ('book_close_stays', 'book_close'), \
    ('book_close_remains', 'book_close'), ('book_line_comes', 'book_line'), ('book_line_stays', 'book_line')) g (name, of) \
    WHERE NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgname = g.name AND t.tgenabled IN ('O', 'A') \
    AND t.tgrelid = to_regclass('{home}.' || g.of))";
pub(crate) const GUARDS: &str = "SELECT name || ' is missing' FROM (VALUES ('transfer_late', 'transfer'), \
    ('book_late_stays', 'book_late')) g (name, of) \
    WHERE NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgname = g.name AND t.tgenabled IN ('O', 'A') \
    AND t.tgrelid = to_regclass('{shard}.' || g.of))";

fn month(code: i32) -> Result<Month> {
    Month::from_code(code).ok_or_else(|| damaged(0, "no month"))
}

fn one_closed(row: &Row) -> Result<Closed> {
    let hash =
        get::<Option<&[u8]>>(row, 8)?.map(|hash| hash.try_into().map_err(|_| damaged(8, "not 32 bytes")));
    Ok(Closed {
        month: month(get(row, 0)?)?,
        start: Ts(get(row, 1)?),
        until: Ts(get(row, 2)?),
        closed_at: Ts(get(row, 3)?),
        closed_by: get(row, 4)?,
        version: get(row, 5)?,
        worth: get::<Option<i64>>(row, 6)?.zip(get(row, 7)?),
        hash: hash.transpose()?,
    })
}

fn line(row: &Row) -> Result<Line> {
    let mut moves = [0; 7];
    for (i, amount) in moves.iter_mut().enumerate() {
        *amount = get(row, 4 + i)?;
    }
    let cut = Cut::from_code(get::<i16>(row, 1)?.into());
    Ok(Line {
        asset: load::asset(row, 0)?,
        cut: cut.ok_or_else(|| damaged(1, "no cut"))?,
        value: get(row, 2)?,
        opening: get(row, 3)?,
        moves: Moves::of(moves),
        closing: get(row, 11)?,
        liability_minor: get(row, 12)?,
    })
}

fn code(asset: Asset) -> i16 {
    i16::try_from(asset.code()).unwrap_or(i16::MAX)
}

async fn close(tx: &Tx<'_>, of: &Closed) -> Result<bool> {
    let (minor, points) = of.worth.unzip();
    let month = of.month.code();
    let values: Values<'_> =
        vec![&month, &of.start.0, &of.until.0, &of.closed_at.0, &of.closed_by, &of.version, &minor, &points];
    let steps = vec![
        Step::Say("BEGIN"),
        Step::Run((NO_BATCH, 0), vec![]),
        Step::Run((CLOSE, 0), values),
        Step::Say("COMMIT"),
    ];
    let said = tx.send(steps).await.map_err(database)?;
    Ok(said.get(2).is_some_and(|said| said.count() == 1))
}

async fn write_down(tx: &Tx<'_>, month: Month, lines: &[Line], hash: &[u8; 32]) -> Result<bool> {
    let (month, hash) = (month.code(), hash.as_slice());
    let ask = vec![Step::Say("BEGIN"), Step::Ask((WAITS, 0), vec![&month])];
    let waits = tx.send(ask).await.map_err(database)?.into_iter().flat_map(Said::rows).next().is_some();
    if !waits {
        tx.send(vec![Step::Say("ROLLBACK")]).await.map_err(database)?;
        return Ok(false);
    }
    let numbers = |line: &Line| -> Result<(i16, i16, [i64; 7])> {
        let cut = i16::try_from(line.cut.code()).map_err(|_| StoreError::Damaged("a cut".to_owned()))?;
        Ok((code(line.asset), cut, line.moves.columns()))
    };
    let numbered = lines.iter().map(numbers).collect::<Result<Vec<_>>>()?;
    for (line, (asset, cut, moves)) in lines.iter().zip(&numbered) {
        let [earned, spent, expired, reversed, adjusted, taken_over, moved] = moves;
        let values: Values<'_> = vec![
            &month,
            asset,
            cut,
            &line.value,
            &line.opening,
            earned,
            spent,
            expired,
            reversed,
            adjusted,
            taken_over,
            moved,
            &line.closing,
            &line.liability_minor,
        ];
        tx.send(vec![Step::Run((LINE_NEW, 0), values)]).await.map_err(database)?;
    }
    let end = vec![Step::Run((WRITTEN, 0), vec![&month, &hash]), Step::Say("COMMIT")];
    tx.send(end).await.map(|_| true).map_err(database)
}

async fn sums(survey: &Survey<'_>, asset: Asset, bounds: &[Ts], at_first: bool) -> Result<Sums> {
    let asset = code(asset);
    let mut sums = Sums::default();
    for (i, bound) in bounds.iter().enumerate() {
        let mut stands = Vec::new();
        if i > 0 || at_first {
            survey
                .each(STAND, &[&asset, &bound.0], |row| {
                    stands.push(Stand { store: get(row, 0)?, tier: get(row, 1)?, amount: get(row, 2)? });
                    Ok(())
                })
                .await?;
        }
        sums.stands.push(stands);
    }
    for (from, until) in bounds.iter().zip(bounds.iter().skip(1)) {
        let mut flows = Vec::new();
        survey
            .each(FLOW, &[&asset, &from.0, &until.0], |row| {
                let kind = kind(get(row, 2)?, 2)?;
                flows.push(Flow { store: get(row, 0)?, tier: get(row, 1)?, kind, amount: get(row, 3)? });
                Ok(())
            })
            .await?;
        sums.flows.push(flows);
    }
    Ok(sums)
}

async fn closed(survey: &Survey<'_>) -> Result<Vec<Closed>> {
    survey.home(CLOSED, &[]).await?.iter().map(one_closed).collect()
}

/// What of closed months the digest says: nothing, where none is closed.
pub(crate) async fn said(survey: &Survey<'_>) -> Result<Vec<String>> {
    let mut said: Vec<String> = closed(survey).await?.iter().map(Closed::said).collect();
    let mut late: BTreeMap<[i64; 3], [i64; 2]> = BTreeMap::new();
    survey
        .each(LATE, &[], |row| {
            let of = [get(row, 0)?, get::<i16>(row, 1)?.into(), get::<i16>(row, 2)?.into()];
            let sum = late.entry(of).or_default();
            sum[0] += get::<i64>(row, 3)?;
            sum[1] += get::<i64>(row, 4)?;
            Ok(())
        })
        .await?;
    let lines = late.into_iter().map(|([period, asset, kind], [n, sum])| [period, asset, kind, n, sum]);
    said.extend(lines.map(|numbers: [i64; 5]| format!("late|{numbers:?}")));
    Ok(said)
}

/// What is wrong with closed months, for the doctor.
pub(crate) async fn doctor(survey: &Survey<'_>, vault: &Vault) -> Result<[Check; 2]> {
    let mut months = Vec::new();
    for closed in closed(survey).await? {
        let lines =
            survey.home(LINES, &[&closed.month.code()]).await?.iter().map(line).collect::<Result<_>>()?;
        months.push((closed, lines));
    }
    let mut booked = Booked::new();
    if !months.is_empty() {
        survey
            .each(BOOKED, &[], |row| {
                if let Some(of) = get::<Option<i32>>(row, 0)? {
                    let moves = booked.entry((month(of)?, load::asset(row, 1)?)).or_default();
                    moves.add(kind(get(row, 2)?, 2)?, get(row, 3)?);
                }
                Ok(())
            })
            .await?;
    }
    let found = survey.home(AUDIT_KEY, &[]).await?;
    let stored = found.first().ok_or_else(|| StoreError::Damaged("there is no home".to_owned()))?;
    let stored = get::<&[u8]>(stored, 0)?.try_into().map_err(|_| damaged(0, "not 32 bytes"))?;
    let key = vault.id_key(IdKey::from_bytes(stored))?;
    let mut guards: Vec<String> =
        survey.home(GUARDS_HOME, &[]).await?.iter().map(|row| get(row, 0)).collect::<Result<_>>()?;
    survey.each(GUARDS, &[], |row| get(row, 0).map(|said| guards.push(said))).await?;
    let check = |invariant: &str, broken: Vec<String>| Check { invariant: invariant.to_owned(), broken };
    Ok([
        check("closed months cannot be changed: their guards are in place", guards),
        check("closed months are one chain, and what the ledger says", broken(&key, &months, &booked)),
    ])
}

#[async_trait]
impl Closing for PgStore {
    async fn closed(&self) -> Result<Vec<Closed>> {
        let session = self.connections.session().await?;
        session.rows((CLOSED, 0), &[]).await?.iter().map(one_closed).collect()
    }

    async fn lines(&self, month: Month) -> Result<Vec<Line>> {
        let session = self.connections.session().await?;
        session.rows((LINES, 0), &[&month.code()]).await?.iter().map(line).collect()
    }

    async fn close(&self, month: Closed) -> Result<bool> {
        let tx = self.connections.session().await?.transaction();
        let closed = close(&tx, &month).await;
        tx.end(closed).await
    }

    async fn write_down(&self, month: Month, lines: Vec<Line>, hash: [u8; 32]) -> Result<bool> {
        let tx = self.connections.session().await?.transaction();
        let written = write_down(&tx, month, &lines, &hash).await;
        tx.end(written).await
    }

    async fn begins(&self, asset: Asset) -> Result<Option<Ts>> {
        let session = self.connections.session().await?;
        let asset = code(asset);
        let asks = (0..self.connections.schemas.shards()).map(|shard| ((BEGINS, shard), vec![&asset as _]));
        let mut first: Option<i64> = None;
        for row in session.ask(asks.collect()).await?.iter().flatten() {
            let here: Option<i64> = get(row, 0)?;
            first = [first, here].into_iter().flatten().min();
        }
        Ok(first.map(Ts))
    }

    async fn sums(&self, asset: Asset, bounds: Vec<Ts>, at_first: bool) -> Result<Sums> {
        survey!(self, survey => sums(&survey, asset, &bounds, at_first))
    }
}
