//! What leaves the home, on its way.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::id::NoteId;
use zhiyin_model::playbook::campaign::OUTSIDE;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::campaigns::NoteSet;
use zhiyin_store::campaigns::sends::{
    Came, HEARD_AFTER_US, Receipt, Received, SendCount, SendLog, SendRow, SendState, Sends, Settled,
    others_read, others_text, settled,
};

use super::most;
use crate::SqliteStore;
use crate::rows::{all, damaged, database, id};
use crate::write::{prepare, run};

/// The columns of one that leaves, with what the outbox says of it.
macro_rules! leaving {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, o.member, s.channel, o.campaign, o.message, s.at, s.state, s.attempts, s.due, s.tried_at, s.receipt, \
             s.error, s.others, s.parts, s.cost, s.arrived_at FROM send s JOIN outbox o ON o.id = s.id ",
            $rest
        )
    };
}

pub(crate) const SEND_NEW: &str = "INSERT INTO send (id, channel, at, state, attempts, due, others, told) \
    VALUES (?1, ?2, ?3, 0, 0, 0, ?4, 1) ON CONFLICT (id) DO NOTHING";
pub(crate) const SEND_DUE: &str = "SELECT 1 FROM send WHERE channel = ?1 AND state = 0 AND due <= ?2 LIMIT 1";
pub(crate) const SEND_CLAIM: &str = "UPDATE send SET attempts = attempts + 1, due = ?3 WHERE id IN \
    (SELECT id FROM send WHERE channel = ?1 AND state = 0 AND due <= ?2 ORDER BY due, id LIMIT ?4) RETURNING id";
pub(crate) const SEND_HANDING: &str = "UPDATE send SET state = 1, due = ?3, parts = ?4, cost = ?5 WHERE id = ?1 AND state = 0 AND attempts = ?2";
/// What was taken was, though it was given up for lost before.
pub(crate) const SEND_NOTED: &str = "UPDATE send SET state = ?4, attempts = attempts - ?3, due = ?5, \
    tried_at = COALESCE(?6, tried_at), receipt = ?7, error = ?8, told = ?9 \
    WHERE id = ?1 AND attempts = ?2 AND (state <= 1 OR (state = 3 AND ?4 = 2))";
pub(crate) const SEND_LOST: &str = "UPDATE send SET state = ?3, due = ?2, error = 'lost', \
    tried_at = CASE WHEN parts IS NULL THEN tried_at ELSE COALESCE(tried_at, due) END WHERE id IN \
    (SELECT id FROM send WHERE channel = ?1 AND state = 1 AND due <= ?2 ORDER BY due, id LIMIT ?4) RETURNING id";
pub(crate) const SEND_UNTOLD: &str = leaving!("WHERE s.told = 0 ORDER BY s.id LIMIT ?1");
pub(crate) const SEND_TOLD: &str = "UPDATE send SET told = 1 WHERE id = ?1";
pub(crate) const SEND_SENT: &str = leaving!("WHERE s.id = ?1");
pub(crate) const SEND_LOG: &str = leaving!(
    "WHERE (?1 IS NULL OR s.channel = ?1) AND (?2 IS NULL OR s.state = ?2) AND (?3 IS NULL OR (s.at, s.id) < (?3, ?4)) \
     ORDER BY s.at DESC, s.id DESC LIMIT ?5"
);
pub(crate) const SEND_LOG_OF: &str = leaving!(
    "WHERE o.member = ?6 AND (?1 IS NULL OR s.channel = ?1) AND (?2 IS NULL OR s.state = ?2) \
     AND (?3 IS NULL OR (s.at, s.id) < (?3, ?4)) ORDER BY s.at DESC, s.id DESC LIMIT ?5"
);
pub(crate) const SEND_MOVED: &str = "UPDATE send SET state = ?3, error = ?4, told = ?5, attempts = CASE ?3 WHEN 0 THEN 0 ELSE attempts END, \
    due = CASE ?3 WHEN 0 THEN 0 ELSE due END, arrived_at = CASE ?3 WHEN 0 THEN NULL ELSE arrived_at END \
    WHERE id = ?1 AND state = ?2";
/// What its campaign came to, by so many messages, parts and so much cost.
pub(crate) const SEND_SPENT: &str = "INSERT INTO pool (pool, taken) SELECT 'campaign/' || o.campaign || '/' || s.channel || '/' || w.what, \
    w.n FROM send s JOIN outbox o ON o.id = s.id, (SELECT 'taken' AS what, ?2 AS n UNION ALL SELECT 'parts', ?3 UNION ALL SELECT 'cost', ?4) w \
    WHERE s.id = ?1 AND w.n <> 0 ON CONFLICT (pool) DO UPDATE SET taken = pool.taken + excluded.taken";
pub(crate) const SEND_SETTLED: &str = "UPDATE send SET state = ?2, error = ?3, parts = ?4, cost = ?5, arrived_at = ?6, \
    told = CASE ?2 WHEN 7 THEN 0 ELSE told END WHERE id = ?1";
pub(crate) const SEND_RECEIVED: &str =
    leaving!("WHERE s.receipt = ?2 AND s.channel = ?1 AND s.parts IS NOT NULL LIMIT 1");
pub(crate) const SEND_UNHEARD: &str = "UPDATE send SET due = ?2 + MAX(0, ?2 - COALESCE(tried_at, due)) WHERE id IN \
    (SELECT id FROM send WHERE channel = ?1 AND state IN (2, 3) AND parts IS NOT NULL AND arrived_at IS NULL AND due <= ?3 \
    AND COALESCE(tried_at, due) > ?4 ORDER BY due, id LIMIT ?5) RETURNING id";
pub(crate) const SEND_COUNTS: &str = "SELECT channel, state, COUNT(*) FROM send WHERE state IN (0, 1, 3, 4, 5, 6, 7) GROUP BY channel, state ORDER BY channel, state";
pub(crate) const SEND_PACE: &str = "SELECT at FROM channel_pace WHERE channel = ?1";
pub(crate) const SEND_PACE_NEW: &str =
    "INSERT INTO channel_pace (channel, at) VALUES (?1, ?2) ON CONFLICT (channel) DO NOTHING";
pub(crate) const SEND_PACE_SET: &str = "UPDATE channel_pace SET at = ?3 WHERE channel = ?1 AND at = ?2";
/// What waits for who is erased is sent to nobody.
pub(crate) const SEND_ERASED: &str = "UPDATE send SET state = 6, error = 'erased', told = 1, receipt = NULL \
    WHERE state IN (0, 4) AND id IN (SELECT id FROM outbox WHERE member = ?1)";
/// Of a copy nobody knows what was handed over since it was made.
pub(crate) const SEND_COPIED: &str = "UPDATE send SET state = 3, error = 'copied' WHERE state IN (0, 1)";
/// Something leaves the home of which nothing is said, or nothing leaves of what is said outside of it.
pub(crate) const SEND_ASTRAY: &str = "SELECT 'send ' || hex(s.id) FROM send s LEFT JOIN outbox o ON o.id = s.id \
    WHERE o.id IS NULL OR o.channel <> s.channel UNION ALL SELECT 'message ' || hex(o.id) FROM outbox o \
    LEFT JOIN send s ON s.id = o.id WHERE o.channel IN ('email', 'sms', 'wecom') AND s.id IS NULL";

/// Writes beside what is said outside of the home that it is to be handed over.
pub(super) fn new(c: &Connection, set: &NoteSet) -> Result<()> {
    let note = &set.note;
    if !OUTSIDE.contains(&note.channel.as_str()) {
        return Ok(());
    }
    let given = params![note.id.bytes().as_slice(), note.channel, note.at.0, others_text(&set.others)];
    run(&mut prepare(c, SEND_NEW)?, given).map(drop)
}

fn leaving(row: &Row<'_>) -> rusqlite::Result<SendRow> {
    Ok(SendRow {
        id: id(row, 0)?,
        member: id(row, 1)?,
        channel: row.get(2)?,
        campaign: row.get(3)?,
        message: row.get(4)?,
        at: Ts(row.get(5)?),
        state: SendState::from_code(row.get(6)?).ok_or_else(|| damaged(6, "no state of what leaves"))?,
        attempts: row.get(7)?,
        due: Ts(row.get(8)?),
        tried_at: row.get::<_, Option<i64>>(9)?.map(Ts),
        receipt: row.get(10)?,
        error: row.get(11)?,
        others: others_read(&row.get::<_, String>(12)?),
        parts: row.get(13)?,
        cost: row.get(14)?,
        arrived_at: row.get::<_, Option<i64>>(15)?.map(Ts),
    })
}

fn one(c: &Connection, id: NoteId) -> Result<Option<SendRow>> {
    let found = prepare(c, SEND_SENT)?.query_row([id.bytes().as_slice()], leaving);
    found.optional().map_err(database)
}

fn spend(c: &Connection, id: NoteId, [taken, parts, cost]: [i64; 3]) -> Result<()> {
    if [taken, parts, cost] == [0; 3] {
        return Ok(());
    }
    run(&mut prepare(c, SEND_SPENT)?, params![id.bytes().as_slice(), taken, parts, cost]).map(drop)
}

#[async_trait]
impl Sends for SqliteStore {
    async fn claim(&self, channel: &str, now: Ts, until: Ts, limit: usize) -> Result<Vec<SendRow>> {
        let of = channel.to_owned();
        // Mostly nothing is due, and looking costs no commit.
        let due = self.connections.read(move |c| all(c, SEND_DUE, params![of, now.0], |_| Ok(()))).await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let of = channel.to_owned();
        self.connections
            .write(move |c| {
                let given = params![of, now.0, until.0, most(limit)];
                let ids: Vec<NoteId> = all(c, SEND_CLAIM, given, |row| id(row, 0))?;
                ids.into_iter().filter_map(|id| one(c, id).transpose()).collect()
            })
            .await
    }

    async fn handing(
        &self,
        id: NoteId,
        attempts: i64,
        until: Ts,
        charge: Option<(i64, i64)>,
    ) -> Result<bool> {
        self.connections
            .write(move |c| {
                let (parts, cost) = charge.unzip();
                let given = params![id.bytes().as_slice(), attempts, until.0, parts, cost];
                Ok(run(&mut prepare(c, SEND_HANDING)?, given)? > 0)
            })
            .await
    }

    async fn note(&self, came: Came) -> Result<bool> {
        self.connections
            .write(move |c| {
                let given = params![
                    came.id.bytes().as_slice(),
                    came.attempts,
                    i64::from(!came.counts),
                    came.state.code(),
                    came.due.0,
                    came.tried_at.map(|at| at.0),
                    came.receipt,
                    came.error,
                    i64::from(!came.tell)
                ];
                let is_noted = run(&mut prepare(c, SEND_NOTED)?, given)? > 0;
                if is_noted && came.state == SendState::Sent {
                    let row = one(c, came.id)?;
                    let charge = row.and_then(|row| Some([1, row.parts?, row.cost.unwrap_or(0)]));
                    spend(c, came.id, charge.unwrap_or_default())?;
                }
                Ok(is_noted)
            })
            .await
    }

    async fn lost(&self, channel: &str, now: Ts, again: bool, limit: usize) -> Result<Vec<NoteId>> {
        let of = channel.to_owned();
        let to = if again { SendState::Waiting } else { SendState::Unknown };
        self.connections
            .write(move |c| all(c, SEND_LOST, params![of, now.0, to.code(), most(limit)], |row| id(row, 0)))
            .await
    }

    async fn untold(&self, limit: usize) -> Result<Vec<SendRow>> {
        self.connections.read(move |c| all(c, SEND_UNTOLD, [most(limit)], leaving)).await
    }

    async fn told(&self, ids: Vec<NoteId>) -> Result<()> {
        self.connections
            .write(move |c| {
                let mut told = prepare(c, SEND_TOLD)?;
                ids.iter().try_for_each(|id| run(&mut told, [id.bytes().as_slice()]).map(drop))
            })
            .await
    }

    async fn sent(&self, id: NoteId) -> Result<Option<SendRow>> {
        self.connections.read(move |c| one(c, id)).await
    }

    async fn log(&self, log: SendLog) -> Result<Vec<SendRow>> {
        self.connections
            .read(move |c| {
                let (state, limit) = (log.state.map(SendState::code), most(log.limit));
                let at = log.before.map(|(at, _)| at.0);
                let before = log.before.map(|(_, id)| *id.bytes());
                let before = before.as_ref().map(<[u8; 16]>::as_slice);
                match log.member {
                    None => all(c, SEND_LOG, params![log.channel, state, at, before, limit], leaving),
                    Some(member) => {
                        let member = member.bytes().as_slice();
                        all(c, SEND_LOG_OF, params![log.channel, state, at, before, limit, member], leaving)
                    }
                }
            })
            .await
    }

    async fn moved(
        &self,
        id: NoteId,
        from: SendState,
        to: SendState,
        error: Option<String>,
        tell: bool,
    ) -> Result<bool> {
        self.connections
            .write(move |c| {
                let given = params![id.bytes().as_slice(), from.code(), to.code(), error, i64::from(!tell)];
                Ok(run(&mut prepare(c, SEND_MOVED)?, given)? > 0)
            })
            .await
    }

    async fn receipt(&self, receipt: Receipt) -> Result<Received> {
        self.connections
            .write(move |c| {
                let Some(row) = one(c, receipt.id)? else { return Ok(Received::Known) };
                let settled = match settled(&row, &receipt) {
                    Ok(settled) => settled,
                    Err(received) => return Ok(received),
                };
                let Settled { state, error, parts, cost, arrived_at, spent } = settled;
                let arrived_at = arrived_at.map(|at| at.0);
                let given =
                    params![receipt.id.bytes().as_slice(), state.code(), error, parts, cost, arrived_at];
                run(&mut prepare(c, SEND_SETTLED)?, given)?;
                spend(c, receipt.id, spent)?;
                Ok(Received::Noted)
            })
            .await
    }

    async fn received(&self, channel: &str, receipt: &str) -> Result<Option<SendRow>> {
        let given = [channel.to_owned(), receipt.to_owned()];
        let found = self.connections.read(move |c| all(c, SEND_RECEIVED, given, leaving)).await?;
        Ok(found.into_iter().next())
    }

    async fn unheard(&self, channel: &str, now: Ts, since: Ts, limit: usize) -> Result<Vec<SendRow>> {
        let of = channel.to_owned();
        self.connections
            .write(move |c| {
                let before = now.plus_us(-HEARD_AFTER_US);
                let given = params![of, now.0, before.0, since.0, most(limit)];
                let ids: Vec<NoteId> = all(c, SEND_UNHEARD, given, |row| id(row, 0))?;
                ids.into_iter().filter_map(|id| one(c, id).transpose()).collect()
            })
            .await
    }

    async fn counts(&self) -> Result<Vec<SendCount>> {
        let count = |row: &Row<'_>| {
            let state = SendState::from_code(row.get(1)?);
            let state = state.ok_or_else(|| damaged(1, "no state of what leaves"))?;
            Ok(SendCount { channel: row.get(0)?, state, n: row.get(2)? })
        };
        self.connections.read(move |c| all(c, SEND_COUNTS, [], count)).await
    }

    async fn pace(&self, channel: &str) -> Result<Ts> {
        let of = channel.to_owned();
        let found =
            self.connections.read(move |c| all(c, SEND_PACE, [of], |row| Ok(Ts(row.get(0)?)))).await?;
        Ok(found.first().copied().unwrap_or(Ts::MIN))
    }

    async fn set_pace(&self, channel: &str, from: Ts, to: Ts) -> Result<bool> {
        let of = channel.to_owned();
        self.connections
            .write(move |c| {
                let n = match from == Ts::MIN {
                    true => run(&mut prepare(c, SEND_PACE_NEW)?, params![of, to.0])?,
                    false => run(&mut prepare(c, SEND_PACE_SET)?, params![of, from.0, to.0])?,
                };
                Ok(n > 0)
            })
            .await
    }
}
