//! The books by month: sums of the journal between instants, and months that are closed.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::effect::Asset;
use zhiyin_model::id::IdKey;
use zhiyin_model::month::Month;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::closing::{Booked, Closed, Closing, Cut, Flow, Line, Moves, Stand, Sums, broken};
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

pub(crate) const CLOSED: &str = "SELECT month, start, until, closed_at, closed_by, version, worth_minor, worth_points, hash \
    FROM book_close ORDER BY month";
pub(crate) const LINES: &str = "SELECT asset, cut, value, opening, earned, spent, expired, reversed, adjusted, taken_over, \
    moved, closing, liability FROM book_line WHERE month = ? ORDER BY asset, cut, value";
pub(crate) const CLOSE: &str = "INSERT INTO book_close (month, start, until, closed_at, closed_by, version, worth_minor, \
    worth_points) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE NOT EXISTS ( \
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
    UNION SELECT 'book_line_remains' UNION SELECT 'book_late_stays' UNION SELECT 'book_late_remains') \
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
    })
}

fn line(row: &Row<'_>) -> rusqlite::Result<Line> {
    let mut moves = [0; 7];
    for (i, amount) in moves.iter_mut().enumerate() {
        *amount = row.get(4 + i)?;
    }
    Ok(Line {
        asset: asset(row, 0)?,
        cut: Cut::from_code(row.get(1)?).ok_or_else(|| damaged(1, "no cut"))?,
        value: row.get(2)?,
        opening: row.get(3)?,
        moves: Moves::of(moves),
        closing: row.get(11)?,
        liability_minor: row.get(12)?,
    })
}

fn closed(c: &Connection) -> Result<Vec<Closed>> {
    all(c, CLOSED, [], one_closed)
}

fn lines(c: &Connection, month: Month) -> Result<Vec<Line>> {
    all(c, LINES, [month.code()], line)
}

fn close(c: &Connection, of: &Closed) -> Result<bool> {
    let (minor, points) = of.worth.unzip();
    let values = params![
        of.month.code(),
        of.start.0,
        of.until.0,
        of.closed_at.0,
        of.closed_by,
        of.version,
        minor,
        points
    ];
    c.execute(CLOSE, values).map(|n| n == 1).map_err(database)
}

fn write_down(c: &Connection, month: Month, lines: &[Line], hash: &[u8; 32]) -> Result<bool> {
    let waits = c.query_row(WAITS, [month.code()], |_| Ok(())).optional().map_err(database)?;
    if waits.is_none() {
        return Ok(false);
    }
    let mut new = c.prepare_cached(LINE_NEW).map_err(database)?;
    for line in lines {
        let [earned, spent, expired, reversed, adjusted, taken_over, moved] = line.moves.columns();
        let values = params![
            month.code(),
            line.asset.code(),
            line.cut.code(),
            line.value,
            line.opening,
            earned,
            spent,
            expired,
            reversed,
            adjusted,
            taken_over,
            moved,
            line.closing,
            line.liability_minor
        ];
        new.execute(values).map_err(database)?;
    }
    c.execute(WRITTEN, params![month.code(), hash]).map(|_| true).map_err(database)
}

fn sums(c: &Connection, asset: Asset, bounds: &[Ts], at_first: bool) -> Result<Sums> {
    let mut sums = Sums::default();
    for (i, bound) in bounds.iter().enumerate() {
        sums.stands.push(if i == 0 && !at_first {
            Vec::new()
        } else {
            all(c, STAND, params![asset.code(), bound.0], |row| {
                Ok(Stand { store: row.get(0)?, tier: row.get(1)?, amount: row.get(2)? })
            })?
        });
    }
    for (from, until) in bounds.iter().zip(bounds.iter().skip(1)) {
        sums.flows.push(all(c, FLOW, params![asset.code(), from.0, until.0], |row| {
            Ok(Flow { store: row.get(0)?, tier: row.get(1)?, kind: kind(row, 2)?, amount: row.get(3)? })
        })?);
    }
    Ok(sums)
}

/// What of closed months the digest says: nothing, where none is closed.
pub(crate) fn said(c: &Connection) -> Result<Vec<String>> {
    let mut said: Vec<String> = closed(c)?.iter().map(Closed::said).collect();
    said.extend(all(c, LATE, [], |row| {
        let numbers: [i64; 5] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
        Ok(format!("late|{numbers:?}"))
    })?);
    Ok(said)
}

/// What is wrong with closed months, for the doctor.
pub(crate) fn doctor(c: &Connection, vault: &Vault) -> Result<[Check; 2]> {
    let mut months = Vec::new();
    for closed in closed(c)? {
        let lines = lines(c, closed.month)?;
        months.push((closed, lines));
    }
    let mut booked = Booked::new();
    if !months.is_empty() {
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
    let check = |invariant: &str, broken: Vec<String>| Check { invariant: invariant.to_owned(), broken };
    let guards = all(c, GUARDS, [], |row| row.get(0))?;
    Ok([
        check("closed months cannot be changed: their guards are in place", guards),
        check("closed months are one chain, and what the ledger says", broken(&key, &months, &booked)),
    ])
}

#[async_trait]
impl Closing for SqliteStore {
    async fn closed(&self) -> Result<Vec<Closed>> {
        self.connections.read(closed).await
    }

    async fn lines(&self, month: Month) -> Result<Vec<Line>> {
        self.connections.read(move |c| lines(c, month)).await
    }

    async fn close(&self, month: Closed) -> Result<bool> {
        self.connections.write(move |c| close(c, &month)).await
    }

    async fn write_down(&self, month: Month, lines: Vec<Line>, hash: [u8; 32]) -> Result<bool> {
        self.connections.write(move |c| write_down(c, month, &lines, &hash)).await
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
}
