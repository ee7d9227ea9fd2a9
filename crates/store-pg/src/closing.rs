//! The books by month: sums of the journal between instants, shard after shard in one snapshot, and months that are closed.
//!
//! Whoever closes a month holds all shares while they say so: no batch is in the midst of its transfers then, and every later
//! one sees what is closed (the trigger `transfer_late`). They wait for a moment only, since all who come after wait with them:
//! where somebody stopped in the midst of a batch, they let the others pass and try again.

use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use zhiyin_model::effect::Asset;
use zhiyin_model::id::IdKey;
use zhiyin_model::month::Month;
use zhiyin_model::time::Ts;
use zhiyin_store::closing::{
    Booked, Close, Closed, Closing, CouponLine, CouponSums, CouponsBooked, Cut, Flow, Late, Line, Spanned,
    Stand, Sums, checks, coupon_late,
};
use zhiyin_store::read::Check;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Result, StoreError};

use crate::PgStore;
use crate::access::AUDIT_KEY;
use crate::connection::{Said, Session, Step, Tx, Values};
use crate::load;
use crate::migrate::HASTE;
use crate::report::{kind, side};
use crate::rows::{damaged, database, get};
use crate::survey::{Survey, survey};
use crate::wait::NEXT_WAKE;

/// How often all shares are asked for, each time for as long as a migration waits for a table.
const ATTEMPTS_MAX: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

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

pub(crate) mod coupons;

pub(crate) use coupons::{
    COUPON_BEGINS, COUPON_FLOW, COUPON_LINE_NEW, COUPON_LINES, COUPON_STAND, COUPONS_BOOKED, COUPONS_LATE,
};

pub(crate) const CLOSED: &str = "SELECT month, start, until, closed_at, closed_by, version, worth_minor, worth_points, hash, coupons \
    FROM {home}.book_close ORDER BY month";
pub(crate) const LINES: &str = "SELECT asset, cut, value, opening, earned, spent, expired, reversed, adjusted, taken_over, \
    moved, closing, liability FROM {home}.book_line WHERE month = $1 ORDER BY asset, cut, value";
/// No batch is under way while this is held: each begins with its shares.
pub(crate) const NO_BATCH: &str = "LOCK TABLE {home}.slot IN EXCLUSIVE MODE";
/// Whether history is coming in, and whether this would be the first month.
pub(crate) const READY: &str = "SELECT live_since IS NULL AND EXISTS (SELECT 1 FROM {home}.import WHERE name NOT LIKE 'issue/%'), \
    NOT EXISTS (SELECT 1 FROM {home}.book_close) FROM {home}.home WHERE one = 1";
/// Whether something was booked before an instant.
pub(crate) const EARLIER: &str = "SELECT 1 FROM {shard}.transfer WHERE at < $1 AND asset <> 1 AND kind NOT IN (7, 8) UNION ALL \
    SELECT 1 FROM {shard}.coupon_move WHERE at < $1 AND offer NOT LIKE 'draw:%' LIMIT 1";
pub(crate) const CLOSE: &str = "INSERT INTO {home}.book_close (month, start, until, closed_at, closed_by, version, worth_minor, \
    worth_points, coupons) SELECT $1::integer, $2::bigint, $3::bigint, $4::bigint, $5::text, $6::bigint, $7::bigint, $8::bigint, \
    $9::boolean \
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
    ('book_close_remains', 'book_close'), ('book_close_known', 'book_close'), ('book_line_comes', 'book_line'), ('book_line_stays', 'book_line'), \
    ('book_coupon_comes', 'book_coupon'), ('book_coupon_stays', 'book_coupon'), ('book_close_coupons', 'book_close')) g (name, of) \
    WHERE NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgname = g.name AND t.tgenabled IN ('O', 'A') \
    AND t.tgrelid = to_regclass('{home}.' || g.of))";
pub(crate) const GUARDS: &str = "SELECT name || ' is missing' FROM (VALUES ('transfer_late', 'transfer'), \
    ('book_late_stays', 'book_late'), ('coupon_move_late', 'coupon_move'), ('coupon_late_stays', 'coupon_late')) g (name, of) \
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
        coupons: get(row, 9)?,
    })
}

fn line(row: &Row) -> Result<Line> {
    let mut columns = [0; 9];
    for (i, amount) in columns.iter_mut().enumerate() {
        *amount = get(row, 3 + i)?;
    }
    let cut = Cut::from_code(get::<i16>(row, 1)?.into()).ok_or_else(|| damaged(1, "no cut"))?;
    Ok(Line::of((load::asset(row, 0)?, cut, get(row, 2)?), columns, get(row, 12)?))
}

fn code(asset: Asset) -> i16 {
    i16::try_from(asset.code()).unwrap_or(i16::MAX)
}

async fn close(tx: &Tx<'_>, of: &Closed) -> Result<Close> {
    let begin = vec![
        Step::Say("BEGIN"),
        Step::Say(HASTE),
        Step::Run((NO_BATCH, 0), vec![]),
        Step::Ask((READY, 0), vec![]),
    ];
    let said = match tx.send(begin).await {
        Ok(said) => said,
        Err(error) if is_in_use(&error) => return not_yet(tx, Close::Busy).await,
        Err(error) => return Err(database(error)),
    };
    let ready = said.into_iter().flat_map(Said::rows).next();
    let ready = ready.ok_or_else(|| StoreError::Damaged("there is no home".to_owned()))?;
    if get(&ready, 0)? {
        return not_yet(tx, Close::Importing).await;
    }
    if get(&ready, 1)? {
        let shards = 0..tx.session()?.schemas.shards();
        let asks = shards.map(|shard| Step::Ask((EARLIER, shard), vec![&of.start.0])).collect();
        if tx.send(asks).await.map_err(database)?.iter().any(|said| said.count() > 0) {
            return not_yet(tx, Close::NotFirst).await;
        }
    }
    let (minor, points) = of.worth.unzip();
    let month = of.month.code();
    let values: Values<'_> = vec![
        &month,
        &of.start.0,
        &of.until.0,
        &of.closed_at.0,
        &of.closed_by,
        &of.version,
        &minor,
        &points,
        &of.coupons,
    ];
    let said = tx.send(vec![Step::Run((CLOSE, 0), values), Step::Say("COMMIT")]).await.map_err(database)?;
    Ok(if said.first().is_some_and(|said| said.count() == 1) { Close::Done } else { Close::Passed })
}

/// Whether a lock was not to be had in time.
fn is_in_use(error: &tokio_postgres::Error) -> bool {
    let states = [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED];
    error.code().is_some_and(|code| states.contains(code))
}

async fn not_yet(tx: &Tx<'_>, said: Close) -> Result<Close> {
    tx.send(vec![Step::Say("ROLLBACK")]).await.map(|_| said).map_err(database)
}

async fn write_down(tx: &Tx<'_>, month: Month, lines: &[Line], hash: &[u8; 32]) -> Result<bool> {
    let (month, hash) = (month.code(), hash.as_slice());
    let ask = vec![Step::Say("BEGIN"), Step::Ask((WAITS, 0), vec![&month])];
    let waits = tx.send(ask).await.map_err(database)?.into_iter().flat_map(Said::rows).next().is_some();
    if !waits {
        tx.send(vec![Step::Say("ROLLBACK")]).await.map_err(database)?;
        return Ok(false);
    }
    for line in lines {
        let cut = i16::try_from(line.cut.code()).map_err(|_| StoreError::Damaged("a cut".to_owned()))?;
        let (asset, columns) = (code(line.asset), line.columns());
        let mut values: Values<'_> = vec![&month, &asset, &cut, &line.value];
        values.extend(columns.iter().map(|column| column as &(dyn ToSql + Sync)));
        values.push(&line.liability_minor);
        tx.send(vec![Step::Run((LINE_NEW, 0), values)]).await.map_err(database)?;
    }
    let end = vec![Step::Run((WRITTEN, 0), vec![&month, &hash]), Step::Say("COMMIT")];
    tx.send(end).await.map(|_| true).map_err(database)
}

async fn put_coupon_lines(tx: &Tx<'_>, month: Month, lines: &[CouponLine]) -> Result<()> {
    let month = month.code();
    // Whoever else writes them waits for the month's row.
    let ask = vec![
        Step::Say("BEGIN"),
        Step::Ask((WAITS, 0), vec![&month]),
        Step::Ask((COUPON_LINES, 0), vec![&month]),
    ];
    let said = tx.send(ask).await.map_err(database)?;
    let mut said = said.into_iter().skip(1).map(Said::rows);
    let waits = said.next().is_some_and(|rows| !rows.is_empty());
    if waits && said.next().is_none_or(|rows| rows.is_empty()) {
        coupons::write_down(tx, month, lines).await?;
    }
    tx.send(vec![Step::Say("COMMIT")]).await.map(drop).map_err(database)
}

async fn sums(survey: &Survey<'_>, asset: Asset, bounds: &[Ts], at_first: bool) -> Result<Sums> {
    let asset = code(asset);
    let mut sums = Sums::default();
    if let Some(first) = bounds.first().filter(|_| at_first) {
        sums.opening = stands(survey, asset, *first).await?;
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
        sums.spans.push(Spanned { flows, closing: stands(survey, asset, *until).await? });
    }
    Ok(sums)
}

async fn stands(survey: &Survey<'_>, asset: i16, at: Ts) -> Result<Vec<Stand>> {
    let mut stands = Vec::new();
    survey
        .each(STAND, &[&asset, &at.0], |row| {
            stands.push(Stand { store: get(row, 0)?, tier: get(row, 1)?, amount: get(row, 2)? });
            Ok(())
        })
        .await?;
    Ok(stands)
}

async fn closed(survey: &Survey<'_>) -> Result<Vec<Closed>> {
    survey.home(CLOSED, &[]).await?.iter().map(one_closed).collect()
}

/// What of closed months the digest says: nothing, where none is closed.
pub(crate) async fn said(survey: &Survey<'_>) -> Result<Vec<String>> {
    let mut late = Late::new();
    survey
        .each(LATE, &[], |row| {
            let of = [get(row, 0)?, get::<i16>(row, 1)?.into(), get::<i16>(row, 2)?.into()];
            let sum = late.entry(of).or_default();
            sum[0] += get::<i64>(row, 3)?;
            sum[1] += get::<i64>(row, 4)?;
            Ok(())
        })
        .await?;
    survey
        .each(COUPONS_LATE, &[], |row| {
            let of = (get(row, 0)?, get::<i16>(row, 1)?.into());
            coupon_late(&mut late, of, (get(row, 2)?, get(row, 3)?));
            Ok(())
        })
        .await?;
    Ok(zhiyin_store::closing::said(&closed(survey).await?, &late))
}

/// What is wrong with closed months, for the doctor.
pub(crate) async fn doctor(survey: &Survey<'_>, vault: &Vault) -> Result<[Check; 3]> {
    let mut months = Vec::new();
    for closed in closed(survey).await? {
        let lines =
            survey.home(LINES, &[&closed.month.code()]).await?.iter().map(line).collect::<Result<_>>()?;
        let coupons = coupons::lines(survey, closed.month).await?;
        months.push((closed, lines, coupons));
    }
    let (mut booked, mut coupons_booked) = (Booked::new(), CouponsBooked::new());
    if !months.is_empty() {
        coupons_booked = coupons::booked(survey).await?;
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
    Ok(checks(guards, &key, &months, (&booked, &coupons_booked)))
}

/// The earliest instant that any shard says.
async fn first(session: &Session<'_>, sql: &'static str, of: &(dyn ToSql + Sync)) -> Result<Option<Ts>> {
    let asks = (0..session.schemas.shards()).map(|shard| ((sql, shard), vec![of]));
    let mut first: Option<i64> = None;
    for row in session.ask(asks.collect()).await?.iter().flatten() {
        first = first.into_iter().chain(get::<Option<i64>>(row, 0)?).min();
    }
    Ok(first.map(Ts))
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

    async fn close(&self, month: Closed) -> Result<Close> {
        for attempt in 1..=ATTEMPTS_MAX {
            let tx = self.connections.session().await?.transaction();
            let closed = close(&tx, &month).await;
            match tx.end(closed).await? {
                Close::Busy if attempt < ATTEMPTS_MAX => tokio::time::sleep(PAUSE).await,
                closed => return Ok(closed),
            }
        }
        Ok(Close::Busy)
    }

    async fn write_down(&self, month: Month, lines: Vec<Line>, hash: [u8; 32]) -> Result<bool> {
        let tx = self.connections.session().await?.transaction();
        let written = write_down(&tx, month, &lines, &hash).await;
        tx.end(written).await
    }

    async fn first_wake(&self) -> Result<Option<Ts>> {
        let session = self.connections.session().await?;
        let slots: Vec<i32> = (0..session.schemas.slots()).collect();
        first(&session, NEXT_WAKE, &slots).await
    }

    async fn begins(&self, asset: Asset) -> Result<Option<Ts>> {
        let session = self.connections.session().await?;
        first(&session, BEGINS, &code(asset)).await
    }

    async fn sums(&self, asset: Asset, bounds: Vec<Ts>, at_first: bool) -> Result<Sums> {
        survey!(self, survey => sums(&survey, asset, &bounds, at_first))
    }

    async fn coupon_lines(&self, month: Month) -> Result<Vec<CouponLine>> {
        let session = self.connections.session().await?;
        session.rows((COUPON_LINES, 0), &[&month.code()]).await?.iter().map(coupons::line).collect()
    }

    async fn put_coupon_lines(&self, month: Month, lines: Vec<CouponLine>) -> Result<()> {
        let tx = self.connections.session().await?.transaction();
        let written = put_coupon_lines(&tx, month, &lines).await;
        tx.end(written).await
    }

    async fn coupons_begin(&self) -> Result<Option<Ts>> {
        let session = self.connections.session().await?;
        let asks = (0..session.schemas.shards()).map(|shard| ((COUPON_BEGINS, shard), vec![]));
        let mut first: Option<i64> = None;
        for row in session.ask(asks.collect()).await?.iter().flatten() {
            first = first.into_iter().chain(get::<Option<i64>>(row, 0)?).min();
        }
        Ok(first.map(Ts))
    }

    async fn coupon_sums(&self, bounds: Vec<Ts>, at_first: bool) -> Result<CouponSums> {
        survey!(self, survey => coupons::sums(&survey, &bounds, at_first))
    }
}
