//! What leaves the home, on its way: each row in the shard of its own hash, beside what it says.

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::id::NoteId;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::campaigns::sends::{
    Came, HEARD_AFTER_US, Receipt, Received, SendCount, SendLog, SendRow, SendState, Sends, others_read,
    settled,
};

use super::most;
use crate::PgStore;
use crate::connection::{Of, Values};
use crate::rows::{Uuid, damaged, get, id};

/// How often a receipt is written where others write to its row at the same time.
const SETTLED_TRIES: usize = 4;

/// What is known of one that leaves.
macro_rules! columns {
    () => {
        "s.id, o.member, s.channel, o.campaign, o.message, s.at, s.state, s.attempts, s.due, s.tried_at, s.receipt, s.error, s.others, \
         s.parts, s.cost, s.arrived_at"
    };
}

/// One that leaves, with what the outbox says of it.
macro_rules! leaving {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM {shard}.send s JOIN {shard}.outbox o ON o.id = s.id ", $rest)
    };
}

/// Something is written of a row, and with it what its campaign came to: the rows of pools in their order, so that no two wait for each other.
macro_rules! spending {
    ($noted:literal) => {
        concat!(
            "WITH noted AS (",
            $noted,
            "), spent AS (INSERT INTO {home}.pool AS p (pool, taken) \
             SELECT 'campaign/' || o.campaign || '/' || n.channel || '/' || w.what, w.n FROM noted n \
             JOIN {shard}.outbox o ON o.id = n.id \
             CROSS JOIN LATERAL (VALUES ('cost', n.cost), ('parts', n.parts), ('taken', n.taken::bigint)) w (what, n) \
             WHERE w.n <> 0 ORDER BY w.what ON CONFLICT (pool) DO UPDATE SET taken = p.taken + excluded.taken) \
             SELECT id FROM noted"
        )
    };
}

pub(crate) const SEND_NEW: &str = "INSERT INTO {shard}.send (id, channel, at, state, attempts, due, others, told) \
    SELECT u.id, u.channel, u.at, 0, 0, 0, u.others, true \
    FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[]) u (id, channel, at, others) ON CONFLICT (id) DO NOTHING";
pub(crate) const SEND_CLAIM: &str = concat!(
    "UPDATE {shard}.send s SET attempts = s.attempts + 1, due = $3 FROM {shard}.outbox o WHERE o.id = s.id AND s.id = ANY (ARRAY( \
     SELECT id FROM {shard}.send WHERE channel = $1 AND state = 0 AND due <= $2 ORDER BY due, id LIMIT $4 \
     FOR UPDATE SKIP LOCKED)) RETURNING ",
    columns!()
);
pub(crate) const SEND_HANDING: &str = "UPDATE {shard}.send SET state = 1, due = $3, parts = $4, cost = $5 WHERE id = $1 AND state = 0 AND attempts = $2";
/// What was taken was, though it was given up for lost before.
/// What it costs counts in the same statement.
pub(crate) const SEND_NOTED: &str = spending!(
    "UPDATE {shard}.send SET state = $4, attempts = attempts - $3, due = $5, \
     tried_at = COALESCE($6, tried_at), receipt = $7, error = $8, told = $9 \
     WHERE id = $1 AND attempts = $2 AND (state <= 1 OR (state = 3 AND $4::smallint = 2)) RETURNING id, channel, \
     CASE WHEN $4::smallint = 2 AND parts IS NOT NULL THEN 1 ELSE 0 END AS taken, \
     CASE WHEN $4::smallint = 2 THEN COALESCE(parts, 0) ELSE 0 END AS parts, \
     CASE WHEN $4::smallint = 2 THEN COALESCE(cost, 0) ELSE 0 END AS cost"
);
/// By a receipt, of a row that is as it was read.
pub(crate) const SEND_SETTLED: &str = spending!(
    "UPDATE {shard}.send SET state = $3, error = $4, parts = $5, cost = $6, arrived_at = $7, \
     told = CASE WHEN $3::smallint = 7 THEN false ELSE told END \
     WHERE id = $1 AND state = $2 AND parts IS NOT DISTINCT FROM $8 AND cost IS NOT DISTINCT FROM $9 \
     AND arrived_at IS NOT DISTINCT FROM $10 \
     RETURNING id, channel, $11::bigint AS taken, $12::bigint AS parts, $13::bigint AS cost"
);
pub(crate) const SEND_RECEIVED: &str =
    leaving!("WHERE s.receipt = $2 AND s.channel = $1 AND s.parts IS NOT NULL LIMIT 1");
pub(crate) const SEND_UNHEARD: &str = concat!(
    "UPDATE {shard}.send s SET due = $2 + GREATEST(0, $2 - COALESCE(s.tried_at, s.due)) FROM {shard}.outbox o \
     WHERE o.id = s.id AND s.id = ANY (ARRAY(SELECT id FROM {shard}.send WHERE channel = $1 AND state IN (2, 3) \
     AND parts IS NOT NULL AND arrived_at IS NULL AND due <= $3 AND COALESCE(tried_at, due) > $4 \
     ORDER BY due, id LIMIT $5 FOR UPDATE SKIP LOCKED)) RETURNING ",
    columns!()
);
pub(crate) const SEND_LOST: &str = "UPDATE {shard}.send SET state = $3, due = $2, error = 'lost', \
    tried_at = CASE WHEN parts IS NULL THEN tried_at ELSE COALESCE(tried_at, due) END WHERE id = ANY (ARRAY( \
    SELECT id FROM {shard}.send WHERE channel = $1 AND state = 1 AND due <= $2 ORDER BY due, id LIMIT $4 \
    FOR UPDATE SKIP LOCKED)) RETURNING id";
pub(crate) const SEND_UNTOLD: &str = leaving!("WHERE NOT s.told ORDER BY s.id LIMIT $1");
pub(crate) const SEND_TOLD: &str = "UPDATE {shard}.send SET told = true WHERE id = ANY ($1::uuid[])";
pub(crate) const SEND_SENT: &str = leaving!("WHERE s.id = $1");
pub(crate) const SEND_LOG: &str = leaving!(
    "WHERE ($1::text IS NULL OR s.channel = $1) AND ($2::smallint IS NULL OR s.state = $2) \
     AND ($3::bigint IS NULL OR (s.at, s.id) < ($3, $4::uuid)) ORDER BY s.at DESC, s.id DESC LIMIT $5"
);
pub(crate) const SEND_LOG_OF: &str = leaving!(
    "WHERE o.member = $6 AND ($1::text IS NULL OR s.channel = $1) AND ($2::smallint IS NULL OR s.state = $2) \
     AND ($3::bigint IS NULL OR (s.at, s.id) < ($3, $4::uuid)) ORDER BY s.at DESC, s.id DESC LIMIT $5"
);
pub(crate) const SEND_MOVED: &str = "UPDATE {shard}.send SET state = $3, error = $4, told = $5, \
    attempts = CASE WHEN $3::smallint = 0 THEN 0 ELSE attempts END, due = CASE WHEN $3::smallint = 0 THEN 0 ELSE due END, \
    arrived_at = CASE WHEN $3::smallint = 0 THEN NULL ELSE arrived_at END WHERE id = $1 AND state = $2";
pub(crate) const SEND_COUNTS: &str = "SELECT channel, state, COUNT(*) FROM {shard}.send WHERE state IN (0, 1, 3, 4, 5, 6, 7) GROUP BY channel, state";
pub(crate) const SEND_PACE: &str = "SELECT at FROM {home}.channel_pace WHERE channel = $1";
pub(crate) const SEND_PACE_NEW: &str =
    "INSERT INTO {home}.channel_pace (channel, at) VALUES ($1, $2) ON CONFLICT (channel) DO NOTHING";
pub(crate) const SEND_PACE_SET: &str =
    "UPDATE {home}.channel_pace SET at = $3 WHERE channel = $1 AND at = $2";
/// What waits for who is erased is sent to nobody.
pub(crate) const SEND_ERASED: &str = "UPDATE {shard}.send s SET state = 6, error = 'erased', told = true, receipt = NULL \
    FROM {shard}.outbox o WHERE o.id = s.id AND o.member = $1 AND s.state IN (0, 4)";
/// Of a copy nobody knows what was handed over since it was made.
pub(crate) const SEND_COPIED: &str =
    "UPDATE {shard}.send SET state = 3, error = 'copied' WHERE state IN (0, 1)";
/// Something leaves the home of which nothing is said, or nothing leaves of what is said outside of it.
pub(crate) const SEND_ASTRAY: &str = "(SELECT 'send ' || replace(s.id::text, '-', '') FROM {shard}.send s \
    LEFT JOIN {shard}.outbox o ON o.id = s.id WHERE o.id IS NULL OR o.channel <> s.channel LIMIT 5) UNION ALL \
    (SELECT 'message ' || replace(o.id::text, '-', '') FROM {shard}.outbox o LEFT JOIN {shard}.send s ON s.id = o.id \
    WHERE o.channel IN ('email', 'sms', 'wecom') AND s.id IS NULL LIMIT 5)";

fn leaving(row: &Row) -> Result<SendRow> {
    let state = SendState::from_code(get(row, 6)?);
    Ok(SendRow {
        id: id(row, 0)?,
        member: id(row, 1)?,
        channel: get(row, 2)?,
        campaign: get(row, 3)?,
        message: get(row, 4)?,
        at: Ts(get(row, 5)?),
        state: state.ok_or_else(|| damaged(6, "no state of what leaves"))?,
        attempts: get(row, 7)?,
        due: Ts(get(row, 8)?),
        tried_at: get::<Option<i64>>(row, 9)?.map(Ts),
        receipt: get(row, 10)?,
        error: get(row, 11)?,
        others: others_read(get(row, 12)?),
        parts: get(row, 13)?,
        cost: get(row, 14)?,
        arrived_at: get::<Option<i64>>(row, 15)?.map(Ts),
    })
}

#[async_trait]
impl Sends for PgStore {
    async fn claim(&self, channel: &str, now: Ts, until: Ts, limit: usize) -> Result<Vec<SendRow>> {
        let session = self.connections.session().await?;
        let mut claimed = Vec::new();
        for shard in 0..session.schemas.shards() {
            let left = most(limit - claimed.len());
            if left == 0 {
                break;
            }
            let rows = session.rows((SEND_CLAIM, shard), &[&channel, &now.0, &until.0, &left]).await?;
            for row in &rows {
                claimed.push(leaving(row)?);
            }
        }
        Ok(claimed)
    }

    async fn handing(
        &self,
        id: NoteId,
        attempts: i64,
        until: Ts,
        charge: Option<(i64, i64)>,
    ) -> Result<bool> {
        let session = self.connections.session().await?;
        let shard = session.schemas.shard_of_hash(id.bytes());
        let (parts, cost) = charge.unzip();
        let given: Values<'_> = vec![&attempts, &until.0, &parts, &cost];
        let key = Uuid::from(id);
        let given: Values<'_> = [&key as _].into_iter().chain(given).collect();
        Ok(session.run((SEND_HANDING, shard), &given).await? > 0)
    }

    async fn note(&self, came: Came) -> Result<bool> {
        let session = self.connections.session().await?;
        let shard = session.schemas.shard_of_hash(came.id.bytes());
        let (back, told) = (i64::from(!came.counts), !came.tell);
        let (state, tried_at) = (came.state.code(), came.tried_at.map(|at| at.0));
        let given: Values<'_> =
            vec![&came.attempts, &back, &state, &came.due.0, &tried_at, &came.receipt, &came.error, &told];
        let key = Uuid::from(came.id);
        let given: Values<'_> = [&key as _].into_iter().chain(given).collect();
        Ok(!session.rows((SEND_NOTED, shard), &given).await?.is_empty())
    }

    async fn receipt(&self, receipt: Receipt) -> Result<Received> {
        for _ in 0..SETTLED_TRIES {
            let Some(row) = self.sent(receipt.id).await? else { return Ok(Received::Known) };
            let to = match settled(&row, &receipt) {
                Ok(settled) => settled,
                Err(received) => return Ok(received),
            };
            let session = self.connections.session().await?;
            let shard = session.schemas.shard_of_hash(receipt.id.bytes());
            let (key, from, state) = (Uuid::from(receipt.id), row.state.code(), to.state.code());
            let (arrived, arrived_before) = (to.arrived_at.map(|at| at.0), row.arrived_at.map(|at| at.0));
            let [taken, parts, cost] = to.spent;
            let given: Values<'_> = vec![
                &key,
                &from,
                &state,
                &to.error,
                &to.parts,
                &to.cost,
                &arrived,
                &row.parts,
                &row.cost,
                &arrived_before,
                &taken,
                &parts,
                &cost,
            ];
            if !session.rows((SEND_SETTLED, shard), &given).await?.is_empty() {
                return Ok(Received::Noted);
            }
        }
        // Others write to it all the time: whoever has the receipt comes again.
        Ok(Received::Early)
    }

    async fn received(&self, channel: &str, receipt: &str) -> Result<Option<SendRow>> {
        let session = self.connections.session().await?;
        let asks: Vec<(Of, Values<'_>)> = (0..session.schemas.shards())
            .map(|shard| ((SEND_RECEIVED, shard), vec![&channel as _, &receipt as _]))
            .collect();
        let rows = session.ask(asks).await?;
        rows.iter().flatten().next().map(leaving).transpose()
    }

    async fn unheard(&self, channel: &str, now: Ts, since: Ts, limit: usize) -> Result<Vec<SendRow>> {
        let session = self.connections.session().await?;
        let before = now.plus_us(-HEARD_AFTER_US);
        let mut unheard = Vec::new();
        for shard in 0..session.schemas.shards() {
            let left = most(limit - unheard.len());
            if left == 0 {
                break;
            }
            let given: Values<'_> = vec![&channel, &now.0, &before.0, &since.0, &left];
            for row in &session.rows((SEND_UNHEARD, shard), &given).await? {
                unheard.push(leaving(row)?);
            }
        }
        Ok(unheard)
    }

    async fn lost(&self, channel: &str, now: Ts, again: bool, limit: usize) -> Result<Vec<NoteId>> {
        let session = self.connections.session().await?;
        let to = if again { SendState::Waiting } else { SendState::Unknown }.code();
        let mut lost = Vec::new();
        for shard in 0..session.schemas.shards() {
            let limit = most(limit);
            let rows = session.rows((SEND_LOST, shard), &[&channel, &now.0, &to, &limit]).await?;
            for row in &rows {
                lost.push(id(row, 0)?);
            }
        }
        Ok(lost)
    }

    async fn untold(&self, limit: usize) -> Result<Vec<SendRow>> {
        let session = self.connections.session().await?;
        let most = most(limit);
        let asks: Vec<(Of, Values<'_>)> =
            (0..session.schemas.shards()).map(|shard| ((SEND_UNTOLD, shard), vec![&most as _])).collect();
        let rows = session.ask(asks).await?;
        let mut untold: Vec<SendRow> = rows.iter().flatten().map(leaving).collect::<Result<_>>()?;
        untold.truncate(limit);
        Ok(untold)
    }

    async fn told(&self, ids: Vec<NoteId>) -> Result<()> {
        let session = self.connections.session().await?;
        let ids: Vec<Uuid> = ids.into_iter().map(Uuid::from).collect();
        for shard in 0..session.schemas.shards() {
            session.run((SEND_TOLD, shard), &[&ids]).await?;
        }
        Ok(())
    }

    async fn sent(&self, id: NoteId) -> Result<Option<SendRow>> {
        let session = self.connections.session().await?;
        let shard = session.schemas.shard_of_hash(id.bytes());
        let row = session.row((SEND_SENT, shard), &[&Uuid::from(id)]).await?;
        row.as_ref().map(leaving).transpose()
    }

    async fn log(&self, log: SendLog) -> Result<Vec<SendRow>> {
        let (state, most) = (log.state.map(SendState::code), most(log.limit));
        let (at, before) = (log.before.map(|(at, _)| at.0), log.before.map(|(_, id)| Uuid::from(id)));
        let member = log.member.map(Uuid::from);
        let session = self.connections.session().await?;
        let asks: Vec<(Of, Values<'_>)> = (0..session.schemas.shards())
            .map(|shard| {
                let given: Values<'_> = vec![&log.channel, &state, &at, &before, &most];
                match &member {
                    None => ((SEND_LOG, shard), given),
                    Some(member) => ((SEND_LOG_OF, shard), given.into_iter().chain([member as _]).collect()),
                }
            })
            .collect();
        let rows = session.ask(asks).await?;
        let mut read: Vec<SendRow> = rows.iter().flatten().map(leaving).collect::<Result<_>>()?;
        read.sort_by_key(|one| std::cmp::Reverse((one.at, one.id)));
        read.truncate(log.limit);
        Ok(read)
    }

    async fn moved(
        &self,
        id: NoteId,
        from: SendState,
        to: SendState,
        error: Option<String>,
        tell: bool,
    ) -> Result<bool> {
        let session = self.connections.session().await?;
        let shard = session.schemas.shard_of_hash(id.bytes());
        let (from, to, told) = (from.code(), to.code(), !tell);
        let n = session.run((SEND_MOVED, shard), &[&Uuid::from(id), &from, &to, &error, &told]).await?;
        Ok(n > 0)
    }

    async fn counts(&self) -> Result<Vec<SendCount>> {
        let session = self.connections.session().await?;
        let asks: Vec<(Of, Values<'_>)> =
            (0..session.schemas.shards()).map(|shard| ((SEND_COUNTS, shard), vec![])).collect();
        let mut counts = std::collections::BTreeMap::<(String, SendState), i64>::new();
        for row in session.ask(asks).await?.iter().flatten() {
            let state = SendState::from_code(get(row, 1)?);
            let state = state.ok_or_else(|| damaged(1, "no state of what leaves"))?;
            *counts.entry((get(row, 0)?, state)).or_insert(0) += get::<i64>(row, 2)?;
        }
        Ok(counts.into_iter().map(|((channel, state), n)| SendCount { channel, state, n }).collect())
    }

    async fn pace(&self, channel: &str) -> Result<Ts> {
        let row = self.connections.session().await?.row((SEND_PACE, 0), &[&channel]).await?;
        row.as_ref().map_or(Ok(Ts::MIN), |row| Ok(Ts(get(row, 0)?)))
    }

    async fn set_pace(&self, channel: &str, from: Ts, to: Ts) -> Result<bool> {
        let session = self.connections.session().await?;
        let n = match from == Ts::MIN {
            true => session.run((SEND_PACE_NEW, 0), &[&channel, &to.0]).await?,
            false => session.run((SEND_PACE_SET, 0), &[&channel, &from.0, &to.0]).await?,
        };
        Ok(n > 0)
    }
}
