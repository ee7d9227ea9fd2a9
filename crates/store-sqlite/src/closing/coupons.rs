//! Coupons in the books: sums of their moves between instants, and lines that are closed.

use rusqlite::{Connection, Row, params};
use zhiyin_model::coupon::CouponMoveKind;
use zhiyin_model::month::Month;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::closing::{CouponFlow, CouponLine, CouponStand, CouponSums, CouponsBooked, Cut};

use crate::rows::{all, damaged, database, id};

/// By how many pieces a move changes what members hold.
macro_rules! held {
    () => {
        "CASE WHEN kind IN (0, 4) THEN n WHEN kind IN (3, 6, 7) THEN -n ELSE 0 END"
    };
}

pub(crate) const COUPON_LINES: &str = "SELECT offer, cut, value, opening, issued, redeemed, expired, withdrawn, given_back, moved, \
    closing, given, liability FROM book_coupon WHERE month = ? ORDER BY offer, cut, value";
pub(crate) const COUPON_LINE_NEW: &str = "INSERT INTO book_coupon (month, offer, cut, value, opening, issued, redeemed, expired, \
    withdrawn, given_back, moved, closing, given, liability) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
pub(crate) const COUPON_BEGINS: &str =
    "SELECT MIN(at) FROM coupon_move WHERE kind = 0 AND offer NOT LIKE 'draw:%'";
/// What is held by an instant, of whoever has it now: what came late for a month counts later than it was booked.
pub(crate) const COUPON_STAND: &str = concat!(
    "WITH booked AS (SELECT coupon, kind, 1 AS n FROM coupon_move WHERE at < ?1 AND offer NOT LIKE 'draw:%' UNION ALL \
     SELECT coupon, kind, -1 FROM coupon_late WHERE at < ?1 AND period >= ?1), \
     open AS (SELECT coupon, SUM(",
    held!(),
    ") AS n FROM booked GROUP BY coupon HAVING SUM(",
    held!(),
    ") <> 0), ",
    met!("?1"),
    " SELECT c.offer, c.terms, m.store, (SELECT t.level FROM term t WHERE t.member = c.member AND t.at < ?1 \
     ORDER BY t.at DESC, t.no DESC LIMIT 1) AS tier, SUM(o.n) FROM open o JOIN coupon c ON c.id = o.coupon \
     LEFT JOIN met m ON m.member = c.member GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
);
/// What moved between two instants.
pub(crate) const COUPON_FLOW: &str = concat!(
    "WITH booked AS (SELECT coupon, kind, 1 AS n, given, at FROM coupon_move WHERE at >= ?1 AND at < ?2 \
     AND offer NOT LIKE 'draw:%' AND kind NOT IN (1, 2) UNION ALL \
     SELECT coupon, kind, -1, -given, at FROM coupon_late WHERE at >= ?1 AND at < ?2 UNION ALL \
     SELECT coupon, kind, 1, given, at FROM coupon_late WHERE period >= ?1 AND period < ?2), ",
    met!("?2"),
    " SELECT c.offer, m.store, (SELECT t.level FROM term t WHERE t.member = c.member AND t.at <= b.at \
     ORDER BY t.at DESC, t.no DESC LIMIT 1) AS tier, b.kind, SUM(b.n), SUM(b.given) \
     FROM booked b JOIN coupon c ON c.id = b.coupon LEFT JOIN met m ON m.member = c.member \
     GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
);
/// What counts for each closed month, for the doctor.
pub(crate) const COUPONS_BOOKED: &str = "SELECT (SELECT c.month FROM book_close c WHERE c.until > b.counts ORDER BY c.until LIMIT 1) \
    AS month, offer, kind, SUM(n), SUM(given) FROM ( \
    SELECT offer, kind, 1 AS n, given, at AS counts FROM coupon_move WHERE kind NOT IN (1, 2) AND offer NOT LIKE 'draw:%' UNION ALL \
    SELECT offer, kind, -1, -given, at FROM coupon_late UNION ALL SELECT offer, kind, 1, given, period FROM coupon_late) b \
    GROUP BY 1, 2, 3";
pub(crate) const COUPONS_LATE: &str =
    "SELECT period, kind, COUNT(*), SUM(given) FROM coupon_late GROUP BY 1, 2";

fn kind(row: &Row<'_>, column: usize) -> rusqlite::Result<CouponMoveKind> {
    CouponMoveKind::from_code(row.get(column)?).ok_or_else(|| damaged(column, "no move of a coupon"))
}

fn line(row: &Row<'_>) -> rusqlite::Result<CouponLine> {
    let mut columns = [0; 9];
    for (i, amount) in columns.iter_mut().enumerate() {
        *amount = row.get(3 + i)?;
    }
    let cut = Cut::from_code(row.get(1)?).ok_or_else(|| damaged(1, "no cut"))?;
    Ok(CouponLine::of((row.get(0)?, cut, row.get(2)?), columns, row.get(12)?))
}

pub(crate) fn lines(c: &Connection, month: Month) -> Result<Vec<CouponLine>> {
    all(c, COUPON_LINES, [month.code()], line)
}

pub(super) fn write_down(c: &Connection, month: Month, lines: &[CouponLine]) -> Result<()> {
    let mut new = c.prepare_cached(COUPON_LINE_NEW).map_err(database)?;
    for line in lines {
        let [opening, issued, redeemed, expired, withdrawn, given_back, moved, closing, given] =
            line.columns();
        let values = params![
            month.code(),
            line.offer,
            line.cut.code(),
            line.value,
            opening,
            issued,
            redeemed,
            expired,
            withdrawn,
            given_back,
            moved,
            closing,
            given,
            line.liability_minor
        ];
        new.execute(values).map_err(database)?;
    }
    Ok(())
}

pub(super) fn begins(c: &Connection) -> Result<Option<Ts>> {
    let first = c.query_row(COUPON_BEGINS, [], |row| row.get::<_, Option<i64>>(0));
    Ok(first.map_err(database)?.map(Ts))
}

pub(super) fn sums(c: &Connection, bounds: &[Ts], at_first: bool) -> Result<CouponSums> {
    let stands = |at: &Ts| {
        all(c, COUPON_STAND, [at.0], |row| {
            Ok(CouponStand {
                offer: row.get(0)?,
                terms: *id::<()>(row, 1)?.bytes(),
                store: row.get(2)?,
                tier: row.get(3)?,
                pieces: row.get(4)?,
            })
        })
    };
    let flows = |from: &Ts, until: &Ts| {
        all(c, COUPON_FLOW, [from.0, until.0], |row| {
            Ok(CouponFlow {
                offer: row.get(0)?,
                store: row.get(1)?,
                tier: row.get(2)?,
                kind: kind(row, 3)?,
                pieces: row.get(4)?,
                given: row.get(5)?,
            })
        })
    };
    let opening = bounds.first().filter(|_| at_first).map(stands).transpose()?.unwrap_or_default();
    let ends = bounds.iter().zip(bounds.iter().skip(1));
    let spans = ends.map(|(from, until)| Ok((flows(from, until)?, stands(until)?)));
    Ok(CouponSums { opening, spans: spans.collect::<Result<_>>()? })
}

/// What counts for each closed month.
pub(super) fn booked(c: &Connection) -> Result<CouponsBooked> {
    let mut booked = CouponsBooked::new();
    let found = all(c, COUPONS_BOOKED, [], |row| {
        let of = row.get::<_, Option<i32>>(0)?.and_then(Month::from_code);
        Ok((of, row.get::<_, String>(1)?, kind(row, 2)?, row.get::<_, i64>(3)?, row.get::<_, i64>(4)?))
    })?;
    for (of, offer, kind, pieces, given) in found {
        if let Some(of) = of {
            let (moves, money) = booked.entry((of, offer)).or_default();
            moves.add(kind, pieces);
            *money += given;
        }
    }
    Ok(booked)
}
