//! What came from platforms.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::campaigns::arrivals::{
    Arrival, ArrivalCount, ArrivalId, ArrivalLog, ArrivalState, Arrivals, Became, NewArrival,
};
use zhiyin_store::seal::vault::Vault;

use super::most;
use crate::SqliteStore;
use crate::rows::{self, all, damaged, database, id};
use crate::write::{prepare, run};

macro_rules! columns {
    ($before:literal, $rest:literal) => {
        concat!($before, " id, channel, lane, at, body, state, tries, due, why ", $rest)
    };
}

pub(crate) const ARRIVAL_NEW: &str = "INSERT INTO arrival (id, channel, lane, at, about, state, tries, due, body) \
    VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?4, ?6) ON CONFLICT (id) DO NOTHING";
pub(crate) const ARRIVAL_DUE: &str =
    "SELECT 1 FROM arrival WHERE channel = ?1 AND lane = ?2 AND state = 0 AND due <= ?3 LIMIT 1";
pub(crate) const ARRIVAL_LENT: &str = columns!(
    "UPDATE arrival SET tries = tries + 1, due = ?4 WHERE id IN (SELECT id FROM arrival WHERE channel = ?1 AND lane = ?2 \
     AND state = 0 AND due <= ?3 ORDER BY due, id LIMIT ?5) RETURNING",
    ""
);
pub(crate) const ARRIVAL_BECAME: &str =
    "UPDATE arrival SET state = ?3, due = ?4, why = ?5 WHERE id = ?1 AND tries = ?2 AND state = 0";
pub(crate) const ARRIVAL: &str = columns!("SELECT", "FROM arrival WHERE id = ?1");
pub(crate) const ARRIVALS: &str = columns!(
    "SELECT",
    "FROM arrival WHERE (?1 IS NULL OR channel = ?1) AND (?2 IS NULL OR (at, id) < (?2, ?3)) ORDER BY at DESC, id DESC LIMIT ?4"
);
pub(crate) const ARRIVALS_IN: &str = columns!(
    "SELECT",
    "FROM arrival WHERE state = ?5 AND (?1 IS NULL OR channel = ?1) AND (?2 IS NULL OR (at, id) < (?2, ?3)) \
     ORDER BY at DESC, id DESC LIMIT ?4"
);
pub(crate) const ARRIVAL_MOVED: &str = "UPDATE arrival SET state = ?3, why = ?4, tries = CASE ?3 WHEN 0 THEN 0 ELSE tries END, \
    due = CASE ?3 WHEN 0 THEN at ELSE due END WHERE id = ?1 AND state = ?2";
pub(crate) const ARRIVALS_GONE: &str = "DELETE FROM arrival WHERE rowid IN (SELECT rowid FROM arrival WHERE state = ?1 AND at < ?2 \
    ORDER BY at, id LIMIT ?3)";
pub(crate) const ARRIVAL_COUNTS: &str = "SELECT channel, lane, state, COUNT(*) FROM arrival WHERE state IN (0, 2, 3) \
    GROUP BY channel, lane, state ORDER BY channel, lane, state";
/// Nothing is done any more about who is erased.
pub(crate) const ARRIVALS_ERASED: &str = "UPDATE arrival SET body = x'03', why = 'erased', state = CASE state WHEN 1 THEN 1 ELSE 3 END \
    WHERE about IN (SELECT hash FROM identifier WHERE substr(member, 1, 3) = substr(?1, 1, 3) AND member = ?1)";
pub(crate) const ARRIVAL_BODIES: &str =
    "SELECT id, about, at, body FROM arrival WHERE id > ?1 ORDER BY id LIMIT ?2";
pub(crate) const ARRIVAL_BODY_SET: &str = "UPDATE arrival SET body = ?2 WHERE id = ?1";

fn arrival(row: &Row<'_>, vault: &Vault) -> rusqlite::Result<Arrival> {
    Ok(Arrival {
        id: id(row, 0)?,
        channel: row.get(1)?,
        lane: row.get(2)?,
        at: Ts(row.get(3)?),
        body: rows::body(row, 4, vault)?,
        state: ArrivalState::from_code(row.get(5)?).ok_or_else(|| damaged(5, "no state of what came"))?,
        tries: row.get(6)?,
        due: Ts(row.get(7)?),
        why: row.get(8)?,
    })
}

fn arrive(c: &Connection, new: &[NewArrival]) -> Result<Vec<bool>> {
    let mut put = prepare(c, ARRIVAL_NEW)?;
    let mut are_new = Vec::with_capacity(new.len());
    for one in new {
        let id = one.id.bytes().as_slice();
        let given = params![id, one.channel, one.lane, one.at.0, one.about.as_slice(), one.body.0];
        are_new.push(run(&mut put, given)? > 0);
    }
    Ok(are_new)
}

#[async_trait]
impl Arrivals for SqliteStore {
    async fn arrive(&self, new: Vec<NewArrival>) -> Result<Vec<bool>> {
        let sealed = self.vault().aside(move |vault| vault.seal_arrivals(new)).await?;
        self.connections.write(move |c| arrive(c, &sealed)).await
    }

    async fn lend_arrivals(
        &self,
        (channel, lane): (&str, &str),
        now: Ts,
        until: Ts,
        limit: usize,
    ) -> Result<Vec<Arrival>> {
        let of = (channel.to_owned(), lane.to_owned());
        let asked = of.clone();
        // Mostly nothing is due, and looking costs no commit.
        let due =
            self.connections.read(move |c| all(c, ARRIVAL_DUE, params![asked.0, asked.1, now.0], |_| Ok(())));
        if due.await?.is_empty() {
            return Ok(Vec::new());
        }
        let vault = self.vault();
        self.connections
            .write(move |c| {
                let given = params![of.0, of.1, now.0, until.0, most(limit)];
                let mut lent = all(c, ARRIVAL_LENT, given, |row| arrival(row, &vault))?;
                lent.sort_unstable_by_key(|one| (one.at, one.id));
                Ok(lent)
            })
            .await
    }

    async fn note_arrivals(&self, became: Vec<Became>) -> Result<usize> {
        self.connections
            .write(move |c| {
                let mut note = prepare(c, ARRIVAL_BECAME)?;
                let mut noted = 0;
                for one in &became {
                    let id = one.id.bytes().as_slice();
                    noted += run(&mut note, params![id, one.tries, one.state.code(), one.due.0, one.why])?;
                }
                Ok(noted)
            })
            .await
    }

    async fn arrival(&self, id: ArrivalId) -> Result<Option<Arrival>> {
        let vault = self.vault();
        self.connections
            .read(move |c| {
                let found =
                    prepare(c, ARRIVAL)?.query_row([id.bytes().as_slice()], |row| arrival(row, &vault));
                found.optional().map_err(database)
            })
            .await
    }

    async fn arrivals(&self, log: ArrivalLog) -> Result<Vec<Arrival>> {
        let vault = self.vault();
        self.connections
            .read(move |c| {
                let at = log.before.map(|(at, _)| at.0);
                let before = log.before.map(|(_, id)| *id.bytes());
                let (before, limit) = (before.as_ref().map(<[u8; 16]>::as_slice), most(log.limit));
                let one = |row: &Row<'_>| arrival(row, &vault);
                match log.state {
                    None => all(c, ARRIVALS, params![log.channel, at, before, limit], one),
                    Some(state) => {
                        all(c, ARRIVALS_IN, params![log.channel, at, before, limit, state.code()], one)
                    }
                }
            })
            .await
    }

    async fn move_arrival(
        &self,
        id: ArrivalId,
        from: ArrivalState,
        to: ArrivalState,
        why: Option<String>,
    ) -> Result<bool> {
        self.connections
            .write(move |c| {
                let given = params![id.bytes().as_slice(), from.code(), to.code(), why];
                Ok(run(&mut prepare(c, ARRIVAL_MOVED)?, given)? > 0)
            })
            .await
    }

    async fn forget_arrivals(&self, before: Ts, limit: usize) -> Result<usize> {
        self.connections
            .write(move |c| {
                let mut gone = prepare(c, ARRIVALS_GONE)?;
                let mut n = 0;
                for state in [ArrivalState::Done, ArrivalState::Dropped] {
                    n += run(&mut gone, params![state.code(), before.0, most(limit - n.min(limit))])?;
                }
                Ok(n)
            })
            .await
    }

    async fn count_arrivals(&self) -> Result<Vec<ArrivalCount>> {
        let count = |row: &Row<'_>| {
            let state = ArrivalState::from_code(row.get(2)?);
            let state = state.ok_or_else(|| damaged(2, "no state of what came"))?;
            Ok(ArrivalCount { channel: row.get(0)?, lane: row.get(1)?, state, n: row.get(3)? })
        };
        self.connections.read(move |c| all(c, ARRIVAL_COUNTS, [], count)).await
    }
}
