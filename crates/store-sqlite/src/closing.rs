//! The books by month: sums of the journal between instants, and months that are closed.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::effect::Asset;
use zhiyin_model::id::IdKey;
use zhiyin_model::month::Month;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::closing::{
    Booked, Close, Closed, Closing, CouponLine, CouponSums, CouponsBooked, Cut, Flow, Late, Line, Spanned,
    Stand, Sums, checks, coupon_late,
};
use zhiyin_store::read::Check;
use zhiyin_store::seal::vault::Vault;

use crate::SqliteStore;
use crate::report::{kind, side};
use crate::rows::{all, asset, damaged, database};

/// Where members ordered last before an instant.
macro_rules! met {
    ($until:literal) => {
        concat!(
            "met AS MATERIALIZED (SELECT member, store FROM (SELECT member, store, \
             ROW_NUMBER() OVER (PARTITION BY member ORDER BY time DESC, store DESC) AS nth FROM orders \
             WHERE time < ",
            $until,
            " AND status = 1 AND store IS NOT NULL) WHERE nth = 1)"
        )
    };
}

pub(crate) mod coupons;

pub(crate) use coupons::{
    COUPON_BEGINS, COUPON_FLOW, COUPON_LINE_NEW, COUPON_LINES, COUPON_STAND, COUPONS_BOOKED, COUPONS_LATE,
};

pub(crate) const CLOSED: &str = "SELECT month, start, until, closed_at, closed_by, version, worth_minor, worth_points, hash, coupons \
    FROM book_close ORDER BY month";
pub(crate) const LINES: &str = "SELECT asset, cut, value, opening, earned, spent, expired, reversed, adjusted, taken_over, \
    moved, closing, liability FROM book_line WHERE month = ? ORDER BY asset, cut, value";
/// Whether history is coming in, and whether this would be the first month.
pub(crate) const READY: &str = "SELECT live_since IS NULL AND EXISTS (SELECT 1 FROM import WHERE name NOT LIKE 'issue/%'), \
    NOT EXISTS (SELECT 1 FROM book_close) FROM home";
/// Whether something was booked before an instant.
pub(crate) const EARLIER: &str = "SELECT 1 FROM transfer WHERE at < ?1 AND asset <> 1 AND kind NOT IN (7, 8) UNION ALL \
    SELECT 1 FROM coupon_move WHERE at < ?1 AND offer NOT LIKE 'draw:%' LIMIT 1";
pub(crate) const CLOSE: &str = "INSERT INTO book_close (month, start, until, closed_at, closed_by, version, worth_minor, \
    worth_points, coupons) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE NOT EXISTS ( \
    SELECT 1 FROM book_close WHERE until > ?2 OR month >= ?1 OR hash IS NULL)";
pub(crate) const WAITS: &str = "SELECT 1 FROM book_close WHERE month = ? AND hash IS NULL";
pub(crate) const LINE_NEW: &str = "INSERT INTO book_line (month, asset, cut, value, opening, earned, spent, expired, reversed, \
    adjusted, taken_over, moved, closing, liability) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
pub(crate) const WRITTEN: &str = "UPDATE book_close SET hash = ?2 WHERE month = ?1";
pub(crate) const BEGINS: &str = "SELECT MIN(at) FROM transfer WHERE asset = ? AND kind NOT IN (7, 8)";
/// What counts before an instant, by member: what came late for a month counts later than it was booked.
pub(crate) const STAND: &str = concat!(
    "WITH booked AS (SELECT member, kind, amount FROM transfer WHERE asset = ?1 AND at < ?2 UNION ALL \
     SELECT member, kind, -amount FROM book_late WHERE asset = ?1 AND at < ?2 AND period >= ?2), \
     balance AS (SELECT member, SUM(",
    side!(),
    ") AS amount FROM booked GROUP BY member HAVING SUM(",
    side!(),
    ") <> 0), ",
    met!("?2"),
    " SELECT m.store, (SELECT t.level FROM term t WHERE t.member = b.member AND t.at < ?2 \
     ORDER BY t.at DESC, t.no DESC LIMIT 1) AS tier, SUM(b.amount) \
     FROM balance b LEFT JOIN met m ON m.member = b.member GROUP BY 1, 2 ORDER BY 1, 2"
);
/// What counts between two instants.
pub(crate) const FLOW: &str = concat!(
    "WITH booked AS (SELECT member, kind, amount, at FROM transfer WHERE asset = ?1 AND at >= ?2 AND at < ?3 UNION ALL \
     SELECT member, kind, -amount, at FROM book_late WHERE asset = ?1 AND at >= ?2 AND at < ?3 UNION ALL \
     SELECT member, kind, amount, at FROM book_late WHERE asset = ?1 AND period >= ?2 AND period < ?3), ",
    met!("?3"),
    " SELECT m.store, (SELECT t.level FROM term t WHERE t.member = b.member AND t.at <= b.at \
     ORDER BY t.at DESC, t.no DESC LIMIT 1) AS tier, b.kind, SUM(b.amount) \
     FROM booked b LEFT JOIN met m ON m.member = b.member WHERE b.kind NOT IN (7, 8) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
);
/// What counts for each closed month, for the doctor.
pub(crate) const BOOKED: &str = "SELECT (SELECT c.month FROM book_close c WHERE c.until > b.counts ORDER BY c.until LIMIT 1) AS month, \
    asset, kind, SUM(amount) FROM (SELECT asset, kind, amount, at AS counts FROM transfer UNION ALL \
    SELECT asset, kind, -amount, at FROM book_late UNION ALL SELECT asset, kind, amount, period FROM book_late) b \
    WHERE asset <> 1 AND kind NOT IN (7, 8) GROUP BY 1, 2, 3";
pub(crate) const LATE: &str =
    "SELECT period, asset, kind, COUNT(*), SUM(amount) FROM book_late GROUP BY 1, 2, 3";
pub(crate) const GUARDS: &str = "SELECT name || ' is missing' FROM (SELECT 'transfer_late' AS name UNION SELECT 'book_close_stays' \
    UNION SELECT 'book_close_remains' UNION SELECT 'book_line_comes' UNION SELECT 'book_line_stays' \
    UNION SELECT 'book_line_remains' UNION SELECT 'book_late_stays' UNION SELECT 'book_late_remains' \
    UNION SELECT 'book_close_comes' UNION SELECT 'book_line_once' UNION SELECT 'book_late_once' UNION SELECT 'book_close_known' \
    UNION SELECT 'coupon_move_late' UNION SELECT 'book_coupon_once' UNION SELECT 'book_coupon_comes' UNION SELECT 'book_coupon_stays' \
    UNION SELECT 'book_coupon_remains' UNION SELECT 'coupon_late_once' UNION SELECT 'coupon_late_stays' \
    UNION SELECT 'coupon_late_remains' UNION SELECT 'book_close_coupons') \
    WHERE name NOT IN (SELECT name FROM sqlite_master WHERE type = 'trigger')";

fn month(row: &Row<'_>, column: usize) -> rusqlite::Result<Month> {
    Month::from_code(row.get(column)?).ok_or_else(|| damaged(column, "no month"))
}

fn one_closed(row: &Row<'_>) -> rusqlite::Result<Closed> {
    Ok(Closed {
        month: month(row, 0)?,
        start: Ts(row.get(1)?),
        until: Ts(row.get(2)?),
        closed_at: Ts(row.get(3)?),
        closed_by: row.get(4)?,
        version: row.get(5)?,
        worth: row.get::<_, Option<i64>>(6)?.zip(row.get(7)?),
        hash: row.get(8)?,
        coupons: row.get(9)?,
    })
}

fn line(row: &Row<'_>) -> rusqlite::Result<Line> {
    let mut columns = [0; 9];
    for (i, amount) in columns.iter_mut().enumerate() {
        *amount = row.get(3 + i)?;
    }
    let cut = Cut::from_code(row.get(1)?).ok_or_else(|| damaged(1, "no cut"))?;
    Ok(Line::of((asset(row, 0)?, cut, row.get(2)?), columns, row.get(12)?))
}

fn closed(c: &Connection) -> Result<Vec<Closed>> {
    all(c, CLOSED, [], one_closed)
}

fn lines(c: &Connection, month: Month) -> Result<Vec<Line>> {
    all(c, LINES, [month.code()], line)
}

fn close(c: &Connection, of: &Closed) -> Result<Close> {
    let ready = c.query_row(READY, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (importing, first): (bool, bool) = ready.map_err(database)?;
    if importing {
        return Ok(Close::Importing);
    }
    if first && c.query_row(EARLIER, [of.start.0], |_| Ok(())).optional().map_err(database)?.is_some() {
        return Ok(Close::NotFirst);
    }
    let (minor, points) = of.worth.unzip();
    let values = params![
        of.month.code(),
        of.start.0,
        of.until.0,
        of.closed_at.0,
        of.closed_by,
        of.version,
        minor,
        points,
        of.coupons
    ];
    let said = c.execute(CLOSE, values).map_err(database)?;
    Ok(if said == 1 { Close::Done } else { Close::Passed })
}

fn write_down(c: &Connection, month: Month, lines: &[Line], hash: &[u8; 32]) -> Result<bool> {
    let waits = c.query_row(WAITS, [month.code()], |_| Ok(())).optional().map_err(database)?;
    if waits.is_none() {
        return Ok(false);
    }
    let mut new = c.prepare_cached(LINE_NEW).map_err(database)?;
    for line in lines {
        let [opening, earned, spent, expired, reversed, adjusted, taken_over, moved, closing] =
            line.columns();
        let values = params![
            month.code(),
            line.asset.code(),
            line.cut.code(),
            line.value,
            opening,
            earned,
            spent,
            expired,
            reversed,
            adjusted,
            taken_over,
            moved,
            closing,
            line.liability_minor
        ];
        new.execute(values).map_err(database)?;
    }
    c.execute(WRITTEN, params![month.code(), hash]).map(|_| true).map_err(database)
}

fn sums(c: &Connection, asset: Asset, bounds: &[Ts], at_first: bool) -> Result<Sums> {
    let stands = |at: &Ts| {
        all(c, STAND, params![asset.code(), at.0], |row| {
            Ok(Stand { store: row.get(0)?, tier: row.get(1)?, amount: row.get(2)? })
        })
    };
    let flows = |from: &Ts, until: &Ts| {
        all(c, FLOW, params![asset.code(), from.0, until.0], |row| {
            Ok(Flow { store: row.get(0)?, tier: row.get(1)?, kind: kind(row, 2)?, amount: row.get(3)? })
        })
    };
    let opening = bounds.first().filter(|_| at_first).map(stands).transpose()?.unwrap_or_default();
    let ends = bounds.iter().zip(bounds.iter().skip(1));
    let spans = ends.map(|(from, until)| Ok(Spanned { flows: flows(from, until)?, closing: stands(until)? }));
    Ok(Sums { opening, spans: spans.collect::<Result<_>>()? })
}

/// What of closed months the digest says: nothing, where none is closed.
pub(crate) fn said(c: &Connection) -> Result<Vec<String>> {
    let late =
        all(c, LATE, [], |row| Ok(([row.get(0)?, row.get(1)?, row.get(2)?], [row.get(3)?, row.get(4)?])))?;
    let mut late = Late::from_iter(late);
    for (of, sum) in
        all(c, COUPONS_LATE, [], |row| Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?))))?
    {
        coupon_late(&mut late, of, sum);
    }
    Ok(zhiyin_store::closing::said(&closed(c)?, &late))
}

/// What is wrong with closed months, for the doctor.
pub(crate) fn doctor(c: &Connection, vault: &Vault) -> Result<[Check; 3]> {
    let mut months = Vec::new();
    for closed in closed(c)? {
        let (lines, coupons) = (lines(c, closed.month)?, coupons::lines(c, closed.month)?);
        months.push((closed, lines, coupons));
    }
    let (mut booked, mut coupons_booked) = (Booked::new(), CouponsBooked::new());
    if !months.is_empty() {
        coupons_booked = coupons::booked(c)?;
        let found = all(c, BOOKED, [], |row| {
            let of = row.get::<_, Option<i32>>(0)?.and_then(Month::from_code);
            Ok((of, asset(row, 1)?, kind(row, 2)?, row.get(3)?))
        })?;
        for (of, asset, kind, amount) in found {
            if let Some(of) = of {
                booked.entry((of, asset)).or_default().add(kind, amount);
            }
        }
    }
    let stored = c.query_row(crate::access::AUDIT_KEY, [], |row| row.get(0)).map_err(database)?;
    let key = vault.id_key(IdKey::from_bytes(stored))?;
    Ok(checks(all(c, GUARDS, [], |row| row.get(0))?, &key, &months, (&booked, &coupons_booked)))
}

#[async_trait]
impl Closing for SqliteStore {
    async fn closed(&self) -> Result<Vec<Closed>> {
        self.connections.read(closed).await
    }

    async fn lines(&self, month: Month) -> Result<Vec<Line>> {
        self.connections.read(move |c| lines(c, month)).await
    }

    async fn close(&self, month: Closed) -> Result<Close> {
        self.connections.write(move |c| close(c, &month)).await
    }

    async fn write_down(&self, month: Month, lines: Vec<Line>, hash: [u8; 32]) -> Result<bool> {
        self.connections.write(move |c| write_down(c, month, &lines, &hash)).await
    }

    async fn first_wake(&self) -> Result<Option<Ts>> {
        self.connections
            .read(|c| {
                let wake = c.query_row(crate::load::NEXT_WAKE, [], |row| row.get(0)).optional();
                Ok(wake.map_err(database)?.map(Ts))
            })
            .await
    }

    async fn begins(&self, asset: Asset) -> Result<Option<Ts>> {
        self.connections
            .survey(move |c| {
                let first = c.query_row(BEGINS, [asset.code()], |row| row.get::<_, Option<i64>>(0));
                Ok(first.map_err(database)?.map(Ts))
            })
            .await
    }

    async fn sums(&self, asset: Asset, bounds: Vec<Ts>, at_first: bool) -> Result<Sums> {
        self.connections.survey(move |c| sums(c, asset, &bounds, at_first)).await
    }

    async fn coupon_lines(&self, month: Month) -> Result<Vec<CouponLine>> {
        self.connections.read(move |c| coupons::lines(c, month)).await
    }

    async fn put_coupon_lines(&self, month: Month, lines: Vec<CouponLine>) -> Result<()> {
        self.connections
            .write(move |c| match coupons::lines(c, month)?.is_empty() {
                true => coupons::write_down(c, month, &lines),
                false => Ok(()),
            })
            .await
    }

    async fn coupons_begin(&self) -> Result<Option<Ts>> {
        self.connections.survey(coupons::begins).await
    }

    async fn coupon_sums(&self, bounds: Vec<Ts>, at_first: bool) -> Result<CouponSums> {
        self.connections.survey(move |c| coupons::sums(c, &bounds, at_first)).await
    }
}
