//! Months of events: which there are, what is in them, and forgetting the bodies of those that are in files.

use rusqlite::{Connection, params};
use tokio::sync::mpsc;
use zhiyin_store::archive::{Month, Row};
use zhiyin_store::seal::Sealed;
use zhiyin_store::turn::place;
use zhiyin_store::{Result, StoreError};

use crate::rows::{all, database};

/// Rows said at once, and forgotten in one transaction: others write in between.
const AT_ONCE: usize = 5_000;

/// Where the next month with events begins, from a place on.
pub(crate) const NEXT_PLACE: &str = "SELECT seq FROM event WHERE seq >= ? ORDER BY seq LIMIT 1";
/// How many events lie between two places, and whether one of them is not settled for good.
pub(crate) const MONTH: &str = "SELECT COUNT(*), EXISTS (SELECT 1 FROM queue WHERE seq BETWEEN ?1 AND ?2) \
    OR EXISTS (SELECT 1 FROM retry WHERE seq BETWEEN ?1 AND ?2) \
    OR EXISTS (SELECT 1 FROM dead_letter WHERE seq BETWEEN ?1 AND ?2) \
    OR EXISTS (SELECT 1 FROM event WHERE derived = 0 AND seq BETWEEN MAX(?1, (SELECT cursor + 1 FROM slot)) AND ?2) \
    FROM event WHERE seq BETWEEN ?1 AND ?2";
pub(crate) const ARCHIVED: &str = "SELECT month, file, hash FROM archive ORDER BY month";
pub(crate) const MONTH_ROWS: &str = "SELECT e.seq, s.name, e.message_id, e.name, e.time, e.clock, e.derived, \
    COALESCE(e.member, x''), e.body FROM event e JOIN source s ON s.no = e.source WHERE e.seq > ? AND e.seq <= ? \
    ORDER BY e.seq LIMIT ?";
pub(crate) const ARCHIVE_NEW: &str =
    "INSERT INTO archive (month, file, events, hash) VALUES (?, ?, ?, ?) ON CONFLICT (month) DO NOTHING";
pub(crate) const FORGET: &str = "UPDATE event SET body = x'' WHERE seq IN \
    (SELECT seq FROM event WHERE seq BETWEEN ? AND ? AND length(body) > 0 LIMIT ?)";

/// Places of a month: of the inbox, and of what another database derived in it.
fn places(month: i64) -> [(i64, i64); 2] {
    let first = month * place::OF_A_MONTH;
    let last = first + place::OF_A_MONTH - 1;
    [(first, last), (place::FACTS + first, place::FACTS + last)]
}

pub(crate) fn months(c: &Connection) -> Result<Vec<Month>> {
    let archived: Vec<(i64, (String, String))> =
        all(c, ARCHIVED, [], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    let mut months: Vec<Month> = Vec::new();
    let mut from = 0;
    // From one month to the next by the first place of each: nothing is looked through twice.
    while let Some(seq) = all(c, NEXT_PLACE, [from], |row| row.get::<_, i64>(0))?.first() {
        if *seq >= place::FACTS {
            break;
        }
        let month = place::month_of(*seq);
        let (mut events, mut open) = (0, false);
        for (first, last) in places(month) {
            let (n, unsettled): (i64, bool) =
                c.query_row(MONTH, [first, last], |row| Ok((row.get(0)?, row.get(1)?))).map_err(database)?;
            (events, open) = (events + n, open || unsettled);
        }
        let file = archived.iter().find(|(known, _)| *known == month).map(|(_, file)| file.clone());
        months.push(Month { month, events, open, file });
        from = (month + 1) * place::OF_A_MONTH;
    }
    Ok(months)
}

pub(crate) fn rows(c: &Connection, month: i64, out: &mpsc::Sender<Vec<Row>>) -> Result<()> {
    for (first, last) in places(month) {
        let mut after = first - 1;
        loop {
            let rows = all(c, MONTH_ROWS, params![after, last, AT_ONCE as i64], |row| {
                Ok(Row {
                    seq: row.get(0)?,
                    source: row.get(1)?,
                    message_id: row.get(2)?,
                    name: row.get(3)?,
                    time: row.get(4)?,
                    clock: row.get(5)?,
                    derived: row.get(6)?,
                    member: row.get(7)?,
                    body: Sealed(row.get(8)?),
                })
            })?;
            let Some(end) = rows.last().map(|row| row.seq) else { break };
            after = end;
            out.blocking_send(rows).map_err(|_| StoreError::Stopped)?;
        }
    }
    Ok(())
}

pub(crate) fn note(c: &Connection, month: i64, file: &str, events: i64, hash: &str) -> Result<()> {
    c.execute(ARCHIVE_NEW, params![month, file, events, hash]).map(drop).map_err(database)
}

/// Forgets some bodies of a month; false when none is left.
pub(crate) fn forget(c: &Connection, month: i64) -> Result<bool> {
    for (first, last) in places(month) {
        if c.execute(FORGET, params![first, last, AT_ONCE as i64]).map_err(database)? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}
