//! Whom the home tells of what happens, and what they were told. What entries of the change feed name is read shard by shard;
//! messages and the pump's new place are one transaction.

use std::collections::BTreeSet;

use async_trait::async_trait;
use tokio_postgres::Row;
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

use crate::connection::{Said, Step, Tx, Values};
use crate::rows::{Uuid, damaged, database, get, id, id_or_none, json};
use crate::{PgStore, access, feed};

pub(crate) const ENDPOINTS: &str = "SELECT id, revision, made_at, settings, paused_at, paused_because, failing_since, \
    failures, rest_until FROM {home}.webhook ORDER BY made_at, id";
pub(crate) const ENDPOINT_NEW: &str = "INSERT INTO {home}.webhook (id, revision, made_at, settings, paused_at, \
    paused_because, failures) VALUES ($1, 1, $2, $3, $4, $5, 0) ON CONFLICT DO NOTHING";
pub(crate) const ENDPOINT_SET: &str = "UPDATE {home}.webhook SET revision = revision + 1, settings = $3, paused_at = $4, \
    paused_because = $5, failing_since = NULL, failures = 0, rest_until = NULL WHERE id = $1 AND revision = $2";
pub(crate) const ENDPOINT_GONE: &str = "DELETE FROM {home}.webhook WHERE id = $1 AND revision = $2";
/// With the last endpoint nobody follows the feed any more.
pub(crate) const FOLLOWED: &str =
    "DELETE FROM {home}.consumer WHERE name = $1 AND NOT EXISTS (SELECT 1 FROM {home}.webhook)";
/// A home that was filled has before it what the one it comes from had.
pub(crate) const FOLLOWS_ALL: &str = "INSERT INTO {home}.consumer (name, tx, no) SELECT $1, 0, 0 \
    WHERE EXISTS (SELECT 1 FROM {home}.webhook) ON CONFLICT DO NOTHING";
pub(crate) const WELL: &str = "UPDATE {home}.webhook SET failing_since = NULL, failures = 0, rest_until = NULL \
    WHERE id = $1 AND failures > 0";
pub(crate) const RESTS: &str =
    "UPDATE {home}.webhook SET failing_since = NULL, failures = 0, rest_until = $2 WHERE id = $1";
pub(crate) const BADLY: &str = "UPDATE {home}.webhook SET failing_since = COALESCE(failing_since, $2), \
    failures = failures + 1, rest_until = $3 WHERE id = $1";
/// An event stays where it was written; its place in a timeline goes with whoever's it is.
pub(crate) const TOLD: &str = "SELECT e.id, e.seq, s.user_namespace, e.time, e.name, \
    CASE WHEN e.name = ANY($2::text[]) THEN e.body END, e.member, e.reached, s.name, e.replay \
    FROM UNNEST($1::bigint[]) k (seq) JOIN {shard}.event e ON e.seq = k.seq \
    JOIN {home}.source s ON s.no = e.source WHERE EXISTS (SELECT 1 FROM {timelines} l WHERE l.seq = k.seq)";
pub(crate) const BOOKED: &str = "SELECT t.id, t.member, t.asset, t.kind, t.amount, t.event, t.at, t.reverses, t.order_id \
    FROM UNNEST($1::bigint[]) k (seq) JOIN {shard}.transfer t ON t.event = k.seq ORDER BY t.event, t.ordinal, t.seq";
pub(crate) const FIRST_TERMS: &str = "SELECT m.member, f.level, f.at, f.event FROM UNNEST($1::uuid[]) m (member) \
    CROSS JOIN LATERAL (SELECT level, at, event FROM {shard}.term WHERE member = m.member ORDER BY at, no LIMIT 1) f";
pub(crate) const MESSAGES_NEW: &str = "INSERT INTO {home}.webhook_message (endpoint, id, kind, at, member, data, made_at, \
    state, attempts, due) SELECT endpoint, id, kind, at, member, data, $7, 0, 0, $7 FROM UNNEST($1::text[], $2::uuid[], \
    $3::text[], $4::bigint[], $5::uuid[], $6::text[]) WITH ORDINALITY n (endpoint, id, kind, at, member, data, ordinal) \
    ORDER BY ordinal ON CONFLICT DO NOTHING";
pub(crate) const CLAIM: &str = "UPDATE {home}.webhook_message SET attempts = attempts + 1, due = $3 WHERE no = ANY (ARRAY( \
    SELECT no FROM {home}.webhook_message WHERE endpoint = $1 AND state = 0 AND due <= $2 AND EXISTS (SELECT 1 FROM \
    {home}.webhook WHERE id = $1 AND revision = $5 AND paused_at IS NULL) ORDER BY due, no LIMIT $4 \
    FOR UPDATE SKIP LOCKED)) \
    RETURNING no, endpoint, id, kind, at, member, data, made_at, state, attempts, due, tried_at, status, error";
/// What was delivered was, whoever tried it since.
pub(crate) const ATTEMPTED: &str = "UPDATE {home}.webhook_message SET state = $4, due = $5, tried_at = $6, status = $7, \
    error = $8 WHERE no = $1 AND endpoint = $2 AND state = 0 AND (attempts = $3 OR $4::smallint = 1)";
pub(crate) const MESSAGES: &str = "SELECT no, endpoint, id, kind, at, member, data, made_at, state, attempts, due, tried_at, \
    status, error FROM {home}.webhook_message WHERE endpoint = $1 AND no < $2 AND ($3::smallint IS NULL OR state = $3) \
    ORDER BY no DESC LIMIT $4";
pub(crate) const REPLAY: &str = "UPDATE {home}.webhook_message SET state = 0, attempts = 0, due = $3, status = NULL, \
    error = NULL WHERE endpoint = $1 AND no > $4 AND no <= $5 AND at >= $2 AND made_at <= $3 AND state > 0";
/// How many of the next numbers there are, and the last of them.
pub(crate) const REPLAY_PART: &str = "SELECT COUNT(*), MAX(no) FROM \
    (SELECT no FROM {home}.webhook_message WHERE endpoint = $1 AND no > $2 ORDER BY no LIMIT $3) p";
/// What was never tried is due already, and in its order.
pub(crate) const REVIVE: &str = "UPDATE {home}.webhook_message SET attempts = 0, due = LEAST(made_at, $2) \
    WHERE endpoint = $1 AND state = 0 AND (attempts > 0 OR due > $2)";
pub(crate) const OLDEST: &str = "DELETE FROM {home}.webhook_message WHERE no = ANY (ARRAY(SELECT no FROM \
    (SELECT no, made_at FROM {home}.webhook_message ORDER BY no LIMIT $2) o WHERE made_at < $1)) RETURNING state";
pub(crate) const GONE: &str = "DELETE FROM {home}.webhook_message WHERE no = ANY (ARRAY( \
    SELECT no FROM {home}.webhook_message WHERE endpoint = $1 ORDER BY no LIMIT $2)) RETURNING state";
/// Of what waits only the index is read, however much it is.
pub(crate) const STANDING: &str = "SELECT w.id, COALESCE(s.n, 0), \
    (SELECT made_at FROM {home}.webhook_message WHERE no = s.first) FROM {home}.webhook w LEFT JOIN (SELECT endpoint, \
    COUNT(*) n, MIN(no) first FROM {home}.webhook_message WHERE state = 0 GROUP BY endpoint) s \
    ON s.endpoint = w.id ORDER BY w.id";

fn endpoint(row: &Row) -> Result<Endpoint> {
    let paused = match (get::<Option<i64>>(row, 4)?, get::<Option<&str>>(row, 5)?) {
        (Some(at), Some(because)) => {
            let because = Because::named(because).ok_or_else(|| damaged(5, "no reason to pause"))?;
            Some((Ts(at), because))
        }
        _ => None,
    };
    Ok(Endpoint {
        id: get(row, 0)?,
        revision: get(row, 1)?,
        made_at: Ts(get(row, 2)?),
        settings: json(row, 3)?,
        paused,
        failing_since: get::<Option<i64>>(row, 6)?.map(Ts),
        failures: get(row, 7)?,
        rest_until: get::<Option<i64>>(row, 8)?.map(Ts),
    })
}

fn message(row: &Row) -> Result<Message> {
    let message = NewMessage {
        endpoint: get(row, 1)?,
        id: id(row, 2)?,
        kind: get(row, 3)?,
        at: Ts(get(row, 4)?),
        member: id_or_none(row, 5)?,
        data: get(row, 6)?,
    };
    Ok(Message {
        no: get(row, 0)?,
        message,
        made_at: Ts(get(row, 7)?),
        state: State::from_code(get(row, 8)?).ok_or_else(|| damaged(8, "no state of a message"))?,
        attempts: get(row, 9)?,
        due: Ts(get(row, 10)?),
        tried_at: get::<Option<i64>>(row, 11)?.map(Ts),
        status: get(row, 12)?,
        error: get(row, 13)?,
    })
}

fn told(row: &Row) -> Result<Told> {
    let event = PastEvent {
        id: id(row, 0)?,
        seq: get(row, 1)?,
        user_namespace: get(row, 2)?,
        time: Ts(get(row, 3)?),
        name: get(row, 4)?,
        body: Sealed(get::<Option<Vec<u8>>>(row, 5)?.unwrap_or_default()),
    };
    let own = get::<&str>(row, 8)? == OWN_SOURCE;
    Ok(Told { event, member: id(row, 6)?, reached: id_or_none(row, 7)?, own, replay: get(row, 9)? })
}

fn booked(row: &Row) -> Result<Booked> {
    Ok(Booked {
        id: id(row, 0)?,
        member: id(row, 1)?,
        asset: Asset::from_code(get::<i16>(row, 2)?.into()).ok_or_else(|| damaged(2, "no asset"))?,
        kind: TransferKind::from_code(get::<i16>(row, 3)?.into())
            .ok_or_else(|| damaged(3, "no kind of transfer"))?,
        amount: get(row, 4)?,
        seq: get(row, 5)?,
        at: Ts(get(row, 6)?),
        reverses: id_or_none(row, 7)?,
        order: id_or_none(row, 8)?,
    })
}

fn position(rows: Vec<Row>) -> Result<Option<Position>> {
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Position { tx: get(row, 0)?, no: get(row, 1)? }))
}

async fn nothing(tx: &Tx<'_>) -> Result<bool> {
    tx.send(vec![Step::Say("ROLLBACK")]).await.map_err(database)?;
    Ok(false)
}

async fn written(tx: &Tx<'_>, step: Step<'_>) -> Result<usize> {
    let said = tx.send(vec![step]).await.map_err(database)?;
    Ok(said.iter().map(Said::count).sum())
}

/// Makes, changes or removes an endpoint, with its line of the audit log.
async fn change(tx: &Tx<'_>, vault: &zhiyin_store::seal::vault::Vault, change: Change) -> Result<bool> {
    // Consumers first: who follows and who forgets takes them in this order.
    let steps = vec![Step::Say("BEGIN"), Step::Run((feed::CONSUMERS_ALONE, 0), vec![])];
    tx.send(steps).await.map_err(database)?;
    let n = match &change.becomes {
        Some(endpoint) => {
            let settings = settings_text(&endpoint.settings)?;
            let at = endpoint.paused.map(|(at, _)| at.0);
            let because = endpoint.paused.map(|(_, because)| because.name());
            match change.revision {
                Some(revision) => {
                    let given: Values<'_> = vec![&change.id, &revision, &settings, &at, &because];
                    written(tx, Step::Run((ENDPOINT_SET, 0), given)).await?
                }
                None => {
                    written(tx, Step::Run((feed::FEED_UNREAD, 0), vec![])).await?;
                    written(tx, Step::Run((feed::CONSUMER_NEW, 0), vec![&CONSUMER])).await?;
                    let given: Values<'_> = vec![&change.id, &endpoint.made_at.0, &settings, &at, &because];
                    written(tx, Step::Run((ENDPOINT_NEW, 0), given)).await?
                }
            }
        }
        None => written(tx, Step::Run((ENDPOINT_GONE, 0), vec![&change.id, &change.revision])).await?,
    };
    if n == 0 {
        return nothing(tx).await;
    }
    written(tx, Step::Run((FOLLOWED, 0), vec![&CONSUMER])).await?;
    access::noted(tx, vault, change.note).await?;
    Ok(true)
}

/// Rows of messages, column by column.
#[derive(Default)]
struct Columns<'m> {
    endpoints: Vec<&'m str>,
    ids: Vec<Uuid>,
    kinds: Vec<&'m str>,
    at: Vec<i64>,
    members: Vec<Option<Uuid>>,
    data: Vec<&'m str>,
}

async fn put(tx: &Tx<'_>, messages: &[NewMessage], moved: Option<Moved>, now: Ts) -> Result<Option<usize>> {
    tx.send(vec![Step::Say("BEGIN")]).await.map_err(database)?;
    if let Some(moved) = moved {
        let steps = vec![
            Step::Run((feed::CONSUMERS_ALONE, 0), vec![]),
            Step::Ask((feed::CONSUMER, 0), vec![&CONSUMER]),
        ];
        let said = tx.send(steps).await.map_err(database)?;
        if position(said.into_iter().flat_map(Said::rows).collect())? != Some(moved.from) {
            nothing(tx).await?;
            return Ok(None);
        }
        let steps = vec![
            Step::Run((feed::CONSUMER_SET, 0), vec![&CONSUMER, &moved.to.tx, &moved.to.no]),
            Step::Run((feed::FEED_GONE, 0), vec![]),
        ];
        tx.send(steps).await.map_err(database)?;
    }
    let mut columns = Columns::default();
    for message in messages {
        columns.endpoints.push(&message.endpoint);
        columns.ids.push(message.id.into());
        columns.kinds.push(&message.kind);
        columns.at.push(message.at.0);
        columns.members.push(message.member.map(Uuid::from));
        columns.data.push(&message.data);
    }
    let given: Values<'_> = vec![
        &columns.endpoints,
        &columns.ids,
        &columns.kinds,
        &columns.at,
        &columns.members,
        &columns.data,
        &now.0,
    ];
    let steps = vec![Step::Run((MESSAGES_NEW, 0), given), Step::Say("COMMIT")];
    let said = tx.send(steps).await.map_err(database)?;
    Ok(Some(said.first().map_or(0, Said::count)))
}

async fn attempted(tx: &Tx<'_>, endpoint: &str, attempts: &[Attempted], fared: Fared) -> Result<()> {
    let codes: Vec<i16> = attempts.iter().map(|tried| tried.state.code()).collect();
    let mut steps = vec![Step::Say("BEGIN")];
    for (tried, code) in attempts.iter().zip(&codes) {
        let given: Values<'_> = vec![
            &tried.no,
            &endpoint,
            &tried.attempts,
            code,
            &tried.due.0,
            &tried.tried_at.0,
            &tried.status,
            &tried.error,
        ];
        steps.push(Step::Run((ATTEMPTED, 0), given));
    }
    match &fared {
        Fared::Well => steps.push(Step::Run((WELL, 0), vec![&endpoint])),
        Fared::Rests(until) => steps.push(Step::Run((RESTS, 0), vec![&endpoint, &until.0])),
        Fared::Badly(at, until) => steps.push(Step::Run((BADLY, 0), vec![&endpoint, &at.0, &until.0])),
    }
    steps.push(Step::Say("COMMIT"));
    tx.send(steps).await.map(drop).map_err(database)
}

async fn replayed(
    tx: &Tx<'_>,
    vault: &zhiyin_store::seal::vault::Vault,
    replay: Replay,
) -> Result<(usize, Option<i64>)> {
    let Replay { endpoint, from, after, limit, now, note } = replay;
    let limit = limited(limit);
    let steps = vec![Step::Say("BEGIN"), Step::Ask((REPLAY_PART, 0), vec![&endpoint, &after, &limit])];
    let said = tx.send(steps).await.map_err(database)?;
    let part = said.into_iter().flat_map(Said::rows).next();
    let part = part.ok_or_else(|| damaged(0, "a count says nothing"))?;
    let (n, last): (i64, Option<i64>) = (get(&part, 0)?, get(&part, 1)?);
    let anew = match last {
        Some(last) => {
            written(tx, Step::Run((REPLAY, 0), vec![&endpoint, &from.0, &now.0, &after, &last])).await?
        }
        None => 0,
    };
    match note {
        Some(note) => access::noted(tx, vault, note).await?,
        None => drop(tx.send(vec![Step::Say("COMMIT")]).await.map_err(database)?),
    }
    Ok((anew, last.filter(|_| n == limit)))
}

fn limited(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[async_trait]
impl Webhooks for PgStore {
    async fn endpoints(&self) -> Result<Vec<Endpoint>> {
        let rows = self.connections.session().await?.rows((ENDPOINTS, 0), &[]).await?;
        rows.iter().map(endpoint).collect()
    }

    async fn change_endpoint(&self, wanted: Change) -> Result<bool> {
        let tx = self.connections.session().await?.transaction();
        let changed = change(&tx, &self.vault(), wanted).await;
        tx.end(changed).await
    }

    async fn pumped(&self) -> Result<Option<Position>> {
        position(self.connections.session().await?.rows((feed::CONSUMER, 0), &[&CONSUMER]).await?)
    }

    async fn happened(&self, entries: Vec<Entry>, names: &'static [&'static str]) -> Result<Happened> {
        let places: BTreeSet<i64> = entries.iter().flat_map(|entry| entry.events.iter().copied()).collect();
        let members: BTreeSet<MemberId> =
            entries.iter().flat_map(|entry| entry.members.iter().copied()).collect();
        let seqs: Vec<i64> = places.iter().copied().collect();
        let members: Vec<Uuid> = members.into_iter().map(Uuid::from).collect();
        let mut happened = Happened::default();
        let session = self.connections.session().await?;
        for shard in 0..session.schemas.shards() {
            let asks = vec![
                ((TOLD, shard), vec![&seqs as _, &names as _]),
                ((BOOKED, shard), vec![&seqs as _]),
                ((FIRST_TERMS, shard), vec![&members as _]),
            ];
            let mut said = session.ask(asks).await?.into_iter();
            let (events, transfers, terms) = (said.next(), said.next(), said.next());
            for row in events.iter().flatten() {
                happened.events.push(told(row)?);
            }
            for row in transfers.iter().flatten() {
                happened.booked.push(booked(row)?);
            }
            for row in terms.iter().flatten() {
                let (member, level, at, seq) = (id(row, 0)?, get(row, 1)?, Ts(get(row, 2)?), get(row, 3)?);
                if places.contains(&seq) {
                    happened.enrolled.push((member, level, at, seq));
                }
            }
        }
        drop(session);
        self.vault()
            .aside(move |vault| {
                let bodies = happened.events.iter_mut().map(|told| &mut told.event);
                vault.open_past(bodies.filter(|event| !event.body.0.is_empty()))?;
                Ok(happened)
            })
            .await
    }

    async fn put(&self, messages: Vec<NewMessage>, moved: Option<Moved>, now: Ts) -> Result<Option<usize>> {
        let tx = self.connections.session().await?.transaction();
        let done = put(&tx, &messages, moved, now).await;
        tx.end(done).await
    }

    async fn claim(
        &self,
        (endpoint, revision): (&str, i64),
        now: Ts,
        until: Ts,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let limit = limited(limit);
        let session = self.connections.session().await?;
        let rows = session.rows((CLAIM, 0), &[&endpoint, &now.0, &until.0, &limit, &revision]).await?;
        let mut claimed: Vec<Message> = rows.iter().map(message).collect::<Result<_>>()?;
        claimed.sort_unstable_by_key(|message| message.no);
        Ok(claimed)
    }

    async fn attempted(&self, endpoint: &str, attempts: Vec<Attempted>, fared: Fared) -> Result<()> {
        let tx = self.connections.session().await?.transaction();
        let done = attempted(&tx, endpoint, &attempts, fared).await;
        tx.end(done).await
    }

    async fn messages(&self, log: Log) -> Result<Vec<Message>> {
        let (before, state) = (log.before.unwrap_or(i64::MAX), log.state.map(State::code));
        let limit = limited(log.limit);
        let session = self.connections.session().await?;
        let rows = session.rows((MESSAGES, 0), &[&log.endpoint, &before, &state, &limit]).await?;
        rows.iter().map(message).collect()
    }

    async fn replay(&self, replay: Replay) -> Result<(usize, Option<i64>)> {
        let tx = self.connections.session().await?.transaction();
        let done = replayed(&tx, &self.vault(), replay).await;
        tx.end(done).await
    }

    async fn revive(&self, endpoint: &str, now: Ts) -> Result<usize> {
        let n = self.connections.session().await?.run((REVIVE, 0), &[&endpoint, &now.0]).await?;
        Ok(usize::try_from(n).unwrap_or(usize::MAX))
    }

    async fn forget(&self, what: Forget, limit: usize) -> Result<(usize, usize)> {
        let limit = limited(limit);
        let session = self.connections.session().await?;
        let gone = match &what {
            Forget::Of(endpoint) => session.rows((GONE, 0), &[endpoint, &limit]).await?,
            Forget::Before(at) => session.rows((OLDEST, 0), &[&at.0, &limit]).await?,
        };
        let states: Vec<i16> = gone.iter().map(|row| get(row, 0)).collect::<Result<_>>()?;
        Ok((states.iter().filter(|state| **state == State::Waiting.code()).count(), states.len()))
    }

    async fn standing(&self) -> Result<Vec<Standing>> {
        let rows = self.connections.session().await?.rows((STANDING, 0), &[]).await?;
        let standing = |row: &Row| {
            let oldest = get::<Option<i64>>(row, 2)?.map(Ts);
            Ok(Standing { endpoint: get(row, 0)?, waiting: get(row, 1)?, oldest })
        };
        rows.iter().map(standing).collect()
    }
}
