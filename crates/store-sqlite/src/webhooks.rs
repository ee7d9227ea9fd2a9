//! Whom the home tells of what happens, and what they were told. What entries of the change feed name is read place by place;
//! messages and the pump's new place are one transaction.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::effect::{Asset, TransferKind};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::feed::{Entry, Position};
use zhiyin_store::seal::Sealed;
use zhiyin_store::webhooks::{
    Attempted, Because, Booked, CONSUMER, Change, Endpoint, Fared, Forget, Happened, Log, Message, Moved,
    NewMessage, Replay, Standing, State, Told, Webhooks, settings_text,
};
use zhiyin_store::{OWN_SOURCE, PastEvent, Result};

use crate::rows::{all, damaged, database, id, id_or_none, json};
use crate::{SqliteStore, access, feed};

pub(crate) const ENDPOINTS: &str = "SELECT id, revision, made_at, settings, paused_at, paused_because, failing_since, \
    failures, rest_until FROM webhook ORDER BY made_at, id";
pub(crate) const ENDPOINT_NEW: &str = "INSERT INTO webhook (id, revision, made_at, settings, paused_at, paused_because, \
    failures) VALUES (?, 1, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING";
pub(crate) const ENDPOINT_SET: &str = "UPDATE webhook SET revision = revision + 1, settings = ?3, paused_at = ?4, \
    paused_because = ?5, failing_since = NULL, failures = 0, rest_until = NULL WHERE id = ?1 AND revision = ?2";
pub(crate) const ENDPOINT_GONE: &str = "DELETE FROM webhook WHERE id = ? AND revision = ?";
pub(crate) const FOLLOWED: &str =
    "DELETE FROM consumer WHERE name = ? AND NOT EXISTS (SELECT 1 FROM webhook)";
/// A home that was filled has before it what the one it comes from had.
pub(crate) const FOLLOWS_ALL: &str =
    "INSERT INTO consumer (name, no) SELECT ?, 0 WHERE EXISTS (SELECT 1 FROM webhook) ON CONFLICT DO NOTHING";
/// What nobody follows is not kept.
pub(crate) const FEED_UNREAD: &str = "DELETE FROM feed WHERE NOT EXISTS (SELECT 1 FROM consumer)";
pub(crate) const WELL: &str =
    "UPDATE webhook SET failing_since = NULL, failures = 0, rest_until = NULL WHERE id = ?1 AND failures > 0";
pub(crate) const RESTS: &str =
    "UPDATE webhook SET failing_since = NULL, failures = 0, rest_until = ?2 WHERE id = ?1";
pub(crate) const BADLY: &str = "UPDATE webhook SET failing_since = COALESCE(failing_since, ?2), \
    failures = failures + 1, rest_until = ?3 WHERE id = ?1";
pub(crate) const TOLD: &str = "SELECT e.id, e.seq, s.user_namespace, e.time, e.name, \
    CASE WHEN e.name IN (SELECT value FROM json_each(?2)) THEN e.body END, e.member, e.reached, s.name, e.replay \
    FROM event e JOIN source s ON s.no = e.source WHERE e.seq = ?1 AND EXISTS (SELECT 1 FROM timeline t WHERE t.seq = ?1)";
pub(crate) const BOOKED: &str = "SELECT id, member, asset, kind, amount, event, at, reverses, order_id FROM transfer \
    WHERE event = ? ORDER BY ordinal, seq";
pub(crate) const FIRST_TERM: &str =
    "SELECT level, at, event FROM term WHERE member = ? ORDER BY at, no LIMIT 1";
pub(crate) const MESSAGE_NEW: &str = "INSERT INTO webhook_message (endpoint, id, kind, at, member, data, made_at, state, \
    attempts, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, ?7) ON CONFLICT DO NOTHING";
pub(crate) const DUE: &str =
    "SELECT 1 FROM webhook_message WHERE endpoint = ? AND state = 0 AND due <= ? LIMIT 1";
pub(crate) const CLAIM: &str = "UPDATE webhook_message SET attempts = attempts + 1, due = ?3 WHERE no IN \
    (SELECT no FROM webhook_message WHERE endpoint = ?1 AND state = 0 AND due <= ?2 AND EXISTS \
    (SELECT 1 FROM webhook WHERE id = ?1 AND revision = ?5 AND paused_at IS NULL) ORDER BY due, no LIMIT ?4) \
    RETURNING no, endpoint, id, kind, at, member, data, made_at, state, attempts, due, tried_at, status, error";
/// What was delivered was, whoever tried it since.
pub(crate) const ATTEMPTED: &str = "UPDATE webhook_message SET state = ?4, due = ?5, tried_at = ?6, status = ?7, \
    error = ?8 WHERE no = ?1 AND endpoint = ?2 AND state = 0 AND (attempts = ?3 OR ?4 = 1)";
pub(crate) const MESSAGES: &str = "SELECT no, endpoint, id, kind, at, member, data, made_at, state, attempts, due, tried_at, \
    status, error FROM webhook_message WHERE endpoint = ?1 AND no < ?2 AND (?3 IS NULL OR state = ?3) \
    ORDER BY no DESC LIMIT ?4";
pub(crate) const REPLAY: &str = "UPDATE webhook_message SET state = 0, attempts = 0, due = ?3, status = NULL, error = NULL \
    WHERE endpoint = ?1 AND no > ?4 AND no <= ?5 AND at >= ?2 AND made_at <= ?3 AND state > 0";
/// How many of the next numbers there are, and the last of them.
pub(crate) const REPLAY_PART: &str = "SELECT COUNT(*), MAX(no) FROM \
    (SELECT no FROM webhook_message WHERE endpoint = ?1 AND no > ?2 ORDER BY no LIMIT ?3)";
/// What was never tried is due already, and in its order.
pub(crate) const REVIVE: &str = "UPDATE webhook_message SET attempts = 0, due = MIN(made_at, ?2) \
    WHERE endpoint = ?1 AND state = 0 AND (attempts > 0 OR due > ?2)";
pub(crate) const OLDEST: &str = "DELETE FROM webhook_message WHERE no IN (SELECT no FROM (SELECT no, made_at FROM webhook_message ORDER BY no LIMIT ?2) \
    WHERE made_at < ?1) RETURNING state";
pub(crate) const GONE: &str = "DELETE FROM webhook_message WHERE no IN \
    (SELECT no FROM webhook_message WHERE endpoint = ?1 ORDER BY no LIMIT ?2) RETURNING state";
/// Of what waits only the index is read, however much it is.
pub(crate) const STANDING: &str = "SELECT w.id, COALESCE(s.n, 0), \
    (SELECT made_at FROM webhook_message WHERE no = s.first) FROM webhook w LEFT JOIN (SELECT endpoint, COUNT(*) n, \
    MIN(no) first FROM webhook_message INDEXED BY webhook_message_due WHERE state = 0 GROUP BY endpoint) s \
    ON s.endpoint = w.id ORDER BY w.id";

fn endpoint(row: &Row<'_>) -> rusqlite::Result<Endpoint> {
    let paused = match (row.get::<_, Option<i64>>(4)?, row.get::<_, Option<String>>(5)?) {
        (Some(at), Some(because)) => {
            let because = Because::named(&because).ok_or_else(|| damaged(5, "no reason to pause"))?;
            Some((Ts(at), because))
        }
        _ => None,
    };
    Ok(Endpoint {
        id: row.get(0)?,
        revision: row.get(1)?,
        made_at: Ts(row.get(2)?),
        settings: json(row, 3)?,
        paused,
        failing_since: row.get::<_, Option<i64>>(6)?.map(Ts),
        failures: row.get(7)?,
        rest_until: row.get::<_, Option<i64>>(8)?.map(Ts),
    })
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let message = NewMessage {
        endpoint: row.get(1)?,
        id: id(row, 2)?,
        kind: row.get(3)?,
        at: Ts(row.get(4)?),
        member: id_or_none(row, 5)?,
        data: row.get(6)?,
    };
    Ok(Message {
        no: row.get(0)?,
        message,
        made_at: Ts(row.get(7)?),
        state: State::from_code(row.get(8)?).ok_or_else(|| damaged(8, "no state of a message"))?,
        attempts: row.get(9)?,
        due: Ts(row.get(10)?),
        tried_at: row.get::<_, Option<i64>>(11)?.map(Ts),
        status: row.get(12)?,
        error: row.get(13)?,
    })
}

fn told(row: &Row<'_>) -> rusqlite::Result<Told> {
    let event = PastEvent {
        id: id(row, 0)?,
        seq: row.get(1)?,
        user_namespace: row.get(2)?,
        time: Ts(row.get(3)?),
        name: row.get(4)?,
        body: Sealed(row.get::<_, Option<Vec<u8>>>(5)?.unwrap_or_default()),
    };
    let member: Option<MemberId> = id_or_none(row, 6)?;
    Ok(Told {
        event,
        member: member.ok_or_else(|| damaged(6, "an event that was decided about nobody"))?,
        reached: id_or_none(row, 7)?,
        own: row.get::<_, String>(8)? == OWN_SOURCE,
        replay: row.get(9)?,
    })
}

fn booked(row: &Row<'_>) -> rusqlite::Result<Booked> {
    Ok(Booked {
        id: id(row, 0)?,
        member: id(row, 1)?,
        asset: Asset::from_code(row.get(2)?).ok_or_else(|| damaged(2, "no asset"))?,
        kind: TransferKind::from_code(row.get(3)?).ok_or_else(|| damaged(3, "no kind of transfer"))?,
        amount: row.get(4)?,
        seq: row.get(5)?,
        at: Ts(row.get(6)?),
        reverses: id_or_none(row, 7)?,
        order: id_or_none(row, 8)?,
    })
}

fn happened(c: &Connection, entries: &[Entry], names: &str) -> Result<Happened> {
    let mut happened = Happened::default();
    let places: BTreeSet<i64> = entries.iter().flat_map(|entry| entry.events.iter().copied()).collect();
    let members: BTreeSet<MemberId> =
        entries.iter().flat_map(|entry| entry.members.iter().copied()).collect();
    for seq in &places {
        happened.events.extend(all(c, TOLD, params![seq, names], told)?);
        happened.booked.extend(all(c, BOOKED, [seq], booked)?);
    }
    for member in members {
        let first =
            |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        for (level, at, seq) in all(c, FIRST_TERM, [member.bytes().as_slice()], first)? {
            if places.contains(&seq) {
                happened.enrolled.push((member, level, Ts(at), seq));
            }
        }
    }
    Ok(happened)
}

fn put(c: &Connection, messages: &[NewMessage], moved: Option<&Moved>, now: Ts) -> Result<Option<usize>> {
    if let Some(moved) = moved {
        if pumped(c)? != Some(moved.from) {
            return Ok(None);
        }
        feed::done(c, CONSUMER, moved.to)?;
    }
    let mut made = 0;
    let mut new = c.prepare_cached(MESSAGE_NEW).map_err(database)?;
    for message in messages {
        let member = message.member.map(|member| member.bytes().to_vec());
        let id = message.id.bytes().as_slice();
        let values = params![message.endpoint, id, message.kind, message.at.0, member, message.data, now.0];
        made += new.execute(values).map_err(database)?;
    }
    Ok(Some(made))
}

fn pumped(c: &Connection) -> Result<Option<Position>> {
    let no = c
        .prepare_cached(feed::CONSUMER)
        .and_then(|mut statement| statement.query_row([CONSUMER], |row| row.get(0)).optional());
    Ok(no.map_err(database)?.map(|no| Position { tx: 0, no }))
}

/// Makes, changes or removes an endpoint; whether it was as it was thought to be.
fn changed(c: &Connection, change: &Change) -> Result<bool> {
    let written = match (&change.becomes, change.revision) {
        (Some(endpoint), revision) => {
            let settings = settings_text(&endpoint.settings)?;
            let at = endpoint.paused.map(|(at, _)| at.0);
            let because = endpoint.paused.map(|(_, because)| because.name());
            match revision {
                Some(revision) => {
                    c.execute(ENDPOINT_SET, params![change.id, revision, settings, at, because])
                }
                None => {
                    feed::position(c, CONSUMER)?;
                    let made_at = endpoint.made_at.0;
                    c.execute(ENDPOINT_NEW, params![change.id, made_at, settings, at, because])
                }
            }
        }
        (None, revision) => c.execute(ENDPOINT_GONE, params![change.id, revision]),
    };
    if written.map_err(database)? == 0 {
        return Ok(false);
    }
    if c.execute(FOLLOWED, [CONSUMER]).map_err(database)? > 0 {
        c.execute(FEED_UNREAD, []).map_err(database)?;
    }
    Ok(true)
}

fn attempted(c: &Connection, endpoint: &str, attempts: &[Attempted], fared: Fared) -> Result<()> {
    let mut set = c.prepare_cached(ATTEMPTED).map_err(database)?;
    for tried in attempts {
        let values = params![
            tried.no,
            endpoint,
            tried.attempts,
            tried.state.code(),
            tried.due.0,
            tried.tried_at.0,
            tried.status,
            tried.error
        ];
        set.execute(values).map_err(database)?;
    }
    match fared {
        Fared::Well => c.execute(WELL, [endpoint]),
        Fared::Rests(until) => c.execute(RESTS, params![endpoint, until.0]),
        Fared::Badly(at, until) => c.execute(BADLY, params![endpoint, at.0, until.0]),
    }
    .map(drop)
    .map_err(database)
}

fn replayed(
    c: &Connection,
    vault: &zhiyin_store::seal::vault::Vault,
    replay: &Replay,
) -> Result<(usize, Option<i64>)> {
    if let Some(note) = &replay.note {
        access::note(c, vault, note.clone())?;
    }
    let limit = limited(replay.limit);
    let (n, last): (i64, Option<i64>) = c
        .prepare_cached(REPLAY_PART)
        .and_then(|mut statement| {
            let given = params![replay.endpoint, replay.after, limit];
            statement.query_row(given, |row| Ok((row.get(0)?, row.get(1)?)))
        })
        .map_err(database)?;
    let Some(last) = last else { return Ok((0, None)) };
    let given = params![replay.endpoint, replay.from.0, replay.now.0, replay.after, last];
    let anew = c.execute(REPLAY, given).map_err(database)?;
    Ok((anew, (n == limit).then_some(last)))
}

fn limited(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[async_trait]
impl Webhooks for SqliteStore {
    async fn endpoints(&self) -> Result<Vec<Endpoint>> {
        self.connections.read(|c| all(c, ENDPOINTS, [], endpoint)).await
    }

    async fn change_endpoint(&self, change: Change) -> Result<bool> {
        let vault = self.vault();
        self.connections
            .write(move |c| {
                let done = changed(c, &change)?;
                if done {
                    access::note(c, &vault, change.note.clone())?;
                }
                Ok(done)
            })
            .await
    }

    async fn pumped(&self) -> Result<Option<Position>> {
        self.connections.read(pumped).await
    }

    async fn happened(&self, entries: Vec<Entry>, names: &'static [&'static str]) -> Result<Happened> {
        let names = serde_json::Value::from(names).to_string();
        let vault = self.vault();
        self.connections
            .read(move |c| {
                let mut happened = happened(c, &entries, &names)?;
                let bodies = happened.events.iter_mut().map(|told| &mut told.event);
                vault.open_past(bodies.filter(|event| !event.body.0.is_empty()))?;
                Ok(happened)
            })
            .await
    }

    async fn put(&self, messages: Vec<NewMessage>, moved: Option<Moved>, now: Ts) -> Result<Option<usize>> {
        self.connections.write(move |c| put(c, &messages, moved.as_ref(), now)).await
    }

    async fn claim(
        &self,
        (endpoint, revision): (&str, i64),
        now: Ts,
        until: Ts,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let of = endpoint.to_owned();
        // Mostly nothing is due, and looking costs no commit.
        let due = self.connections.read(move |c| all(c, DUE, params![of, now.0], |_| Ok(()))).await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let of = endpoint.to_owned();
        self.connections
            .write(move |c| {
                let given = params![of, now.0, until.0, limited(limit), revision];
                let mut claimed = all(c, CLAIM, given, message)?;
                claimed.sort_unstable_by_key(|message| message.no);
                Ok(claimed)
            })
            .await
    }

    async fn attempted(&self, endpoint: &str, attempts: Vec<Attempted>, fared: Fared) -> Result<()> {
        let of = endpoint.to_owned();
        self.connections.write(move |c| attempted(c, &of, &attempts, fared)).await
    }

    async fn messages(&self, log: Log) -> Result<Vec<Message>> {
        self.connections
            .read(move |c| {
                let before = log.before.unwrap_or(i64::MAX);
                let state = log.state.map(State::code);
                all(c, MESSAGES, params![log.endpoint, before, state, limited(log.limit)], message)
            })
            .await
    }

    async fn replay(&self, replay: Replay) -> Result<(usize, Option<i64>)> {
        let vault = self.vault();
        self.connections.write(move |c| replayed(c, &vault, &replay)).await
    }

    async fn revive(&self, endpoint: &str, now: Ts) -> Result<usize> {
        let of = endpoint.to_owned();
        self.connections.write(move |c| c.execute(REVIVE, params![of, now.0]).map_err(database)).await
    }

    async fn forget(&self, what: Forget, limit: usize) -> Result<(usize, usize)> {
        self.connections
            .write(move |c| {
                let state = |row: &Row<'_>| row.get::<_, i16>(0);
                let gone = match &what {
                    Forget::Of(endpoint) => all(c, GONE, params![endpoint, limited(limit)], state)?,
                    Forget::Before(at) => all(c, OLDEST, params![at.0, limited(limit)], state)?,
                };
                Ok((gone.iter().filter(|state| **state == State::Waiting.code()).count(), gone.len()))
            })
            .await
    }

    async fn standing(&self) -> Result<Vec<Standing>> {
        self.connections
            .read(|c| {
                all(c, STANDING, [], |row| {
                    let oldest = row.get::<_, Option<i64>>(2)?.map(Ts);
                    Ok(Standing { endpoint: row.get(0)?, waiting: row.get(1)?, oldest })
                })
            })
            .await
    }
}
