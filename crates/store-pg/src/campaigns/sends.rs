//! What leaves the home, on its way: each row in the shard of its own hash, beside what it says.

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::id::NoteId;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::campaigns::sends::{Came, SendCount, SendLog, SendRow, SendState, Sends, others_read};

use super::most;
use crate::PgStore;
use crate::connection::{Of, Values};
use crate::rows::{Uuid, damaged, get, id};

/// What is known of one that leaves.
macro_rules! columns {
    () => {
        "s.id, o.member, s.channel, o.campaign, o.message, s.at, s.state, s.attempts, s.due, s.tried_at, s.receipt, s.error, s.others"
    };
}

/// One that leaves, with what the outbox says of it.
macro_rules! leaving {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM {shard}.send s JOIN {shard}.outbox o ON o.id = s.id ", $rest)
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
pub(crate) const SEND_HANDING: &str =
    "UPDATE {shard}.send SET state = 1, due = $3 WHERE id = $1 AND state = 0 AND attempts = $2";
/// What was taken was, though it was given up for lost before.
pub(crate) const SEND_NOTED: &str = "UPDATE {shard}.send SET state = $4, attempts = attempts - $3, due = $5, \
    tried_at = COALESCE($6, tried_at), receipt = $7, error = $8, told = $9 \
    WHERE id = $1 AND attempts = $2 AND (state <= 1 OR (state = 3 AND $4::smallint = 2))";
pub(crate) const SEND_LOST: &str = "UPDATE {shard}.send SET state = $3, due = $2, error = 'lost' WHERE id = ANY (ARRAY( \
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
    attempts = CASE WHEN $3::smallint = 0 THEN 0 ELSE attempts END, due = CASE WHEN $3::smallint = 0 THEN 0 ELSE due END \
    WHERE id = $1 AND state = $2";
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
    WHERE o.channel IN ('email', 'wecom') AND s.id IS NULL LIMIT 5)";

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

    async fn handing(&self, id: NoteId, attempts: i64, until: Ts) -> Result<bool> {
        let session = self.connections.session().await?;
        let shard = session.schemas.shard_of_hash(id.bytes());
        Ok(session.run((SEND_HANDING, shard), &[&Uuid::from(id), &attempts, &until.0]).await? > 0)
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
        Ok(session.run((SEND_NOTED, shard), &given).await? > 0)
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
