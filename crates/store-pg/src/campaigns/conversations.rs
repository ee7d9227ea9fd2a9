//! Conversations as the inbox lists them, each in the shard of its id, written with what was heard.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::time::Ts;
use zhiyin_store::campaigns::conversations::{Conversation, Conversations, ConversationsAsked};
use zhiyin_store::campaigns::mirror::Reflect;
use zhiyin_store::seal::envelope::Subject;
use zhiyin_store::{Result, StoreError};

use super::mirror::Columns;
use super::{REFLECTION_CHANGED, REFLECTION_NEW, most};
use crate::PgStore;
use crate::connection::{Of, Said, Step, Values};
use crate::rows::{Uuid, database, get, id};

pub(crate) const CONVERSATION_SET: &str = "INSERT INTO {shard}.conversation (id, persona, state, assignee, at) \
    SELECT u.id, u.persona, u.state, u.assignee, u.at \
    FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::bigint[]) u (id, persona, state, assignee, at) ORDER BY u.id \
    ON CONFLICT (id) DO UPDATE SET persona = excluded.persona, state = excluded.state, assignee = excluded.assignee, at = excluded.at";
pub(crate) const CONVERSATIONS: &str = "SELECT id, persona, state, assignee, at FROM {shard}.conversation \
    WHERE state = $1 AND (at < $2 OR at = $2 AND ($3::uuid IS NULL OR id < $3)) AND ($4::text IS NULL OR persona = $4) \
    ORDER BY at DESC, id DESC LIMIT $5";
pub(crate) const CONVERSATIONS_WITH: &str = "SELECT id, persona, state, assignee, at FROM {shard}.conversation \
    WHERE assignee = $6 AND state = $1 AND (at < $2 OR at = $2 AND ($3::uuid IS NULL OR id < $3)) \
    AND ($4::text IS NULL OR persona = $4) ORDER BY at DESC, id DESC LIMIT $5";
pub(crate) const CONVERSATIONS_OF: &str = "SELECT c.id, c.persona, c.state, c.assignee, c.at \
    FROM {shard}.reflection r JOIN {shard}.conversation c ON c.id = r.id WHERE r.about = ANY($1::uuid[]) \
    ORDER BY c.at DESC, c.id DESC LIMIT $2";
pub(crate) const CONVERSATION_COUNTS: &str =
    "SELECT state, COUNT(*) FROM {shard}.conversation GROUP BY state";
/// Whoever is erased is on no list.
pub(crate) const CONVERSATIONS_ERASED: &str = "DELETE FROM {shard}.conversation c USING {shard}.reflection r \
    WHERE r.about = ANY($1::uuid[]) AND c.id = r.id";

fn conversation(row: &Row) -> Result<Conversation> {
    Ok(Conversation {
        id: id(row, 0)?,
        persona: get(row, 1)?,
        state: get(row, 2)?,
        assignee: get(row, 3)?,
        at: Ts(get(row, 4)?),
    })
}

/// Conversations of one shard, a list a column.
#[derive(Default)]
struct Lists<'n> {
    ids: Vec<Uuid>,
    personas: Vec<&'n str>,
    states: Vec<i64>,
    assignees: Vec<Option<&'n str>>,
    ats: Vec<i64>,
}

#[async_trait]
impl Conversations for PgStore {
    async fn converse(&self, things: Vec<Reflect>, listed: Vec<Conversation>) -> Result<bool> {
        let sealed = self.vault().aside(move |vault| vault.seal_reflections(things)).await?;
        let tx = self.connections.session().await?.transaction();
        let written = async {
            let schemas = tx.session()?.schemas;
            let mut of: BTreeMap<(usize, bool), Columns<'_>> = BTreeMap::new();
            for one in &sealed {
                of.entry((schemas.shard_of_hash(one.id.bytes()), one.read > 0)).or_default().put(one);
            }
            let mut lists: BTreeMap<usize, Lists<'_>> = BTreeMap::new();
            for one in &listed {
                let list = lists.entry(schemas.shard_of_hash(one.id.bytes())).or_default();
                list.ids.push(one.id.into());
                list.personas.push(&one.persona);
                list.states.push(one.state);
                list.assignees.push(one.assignee.as_deref());
                list.ats.push(one.at.0);
            }
            let mut steps = vec![Step::Say("BEGIN")];
            for ((shard, was_read), columns) in &of {
                let mut given = columns.given();
                if *was_read {
                    given.push(&columns.reads);
                }
                let sql = if *was_read { REFLECTION_CHANGED } else { REFLECTION_NEW };
                steps.push(Step::Ask((sql, *shard), given));
            }
            let said = tx.send(steps).await.map_err(database)?;
            let mut ids = BTreeSet::new();
            for row in said.into_iter().flat_map(Said::rows) {
                ids.insert(get::<Uuid>(&row, 0)?);
            }
            if sealed.iter().any(|one| !ids.remove(&Uuid::from(one.id))) {
                // Whoever was quicker counts: nothing of this stays.
                return Err(StoreError::Stale);
            }
            let mut steps = Vec::new();
            for (shard, Lists { ids, personas, states, assignees, ats }) in &lists {
                let given: Values<'_> = vec![ids, personas, states, assignees, ats];
                steps.push(Step::Run((CONVERSATION_SET, *shard), given));
            }
            steps.push(Step::Say("COMMIT"));
            tx.send(steps).await.map(drop).map_err(database)
        }
        .await;
        match tx.end(written).await {
            Ok(()) => Ok(true),
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn conversations(&self, asked: ConversationsAsked) -> Result<Vec<Conversation>> {
        let session = self.connections.session().await?;
        let ConversationsAsked { state, persona, assignee, before, limit } = asked;
        let (at, most) = (before.map_or(i64::MAX, |(at, _)| at.0), most(limit));
        let id = before.map(|(_, id)| Uuid::from(id));
        let asks: Vec<(Of, Values<'_>)> = (0..session.schemas.shards())
            .map(|shard| {
                let mut given: Values<'_> = vec![&state, &at, &id, &persona, &most];
                let sql = if assignee.is_some() {
                    given.push(&assignee);
                    CONVERSATIONS_WITH
                } else {
                    CONVERSATIONS
                };
                ((sql, shard), given)
            })
            .collect();
        let rows = session.ask(asks).await?;
        let mut found: Vec<Conversation> = rows.iter().flatten().map(conversation).collect::<Result<_>>()?;
        found.sort_unstable_by_key(|one| std::cmp::Reverse((one.at, one.id)));
        found.truncate(limit);
        Ok(found)
    }

    async fn conversations_of(&self, abouts: Vec<Subject>, limit: usize) -> Result<Vec<Conversation>> {
        let session = self.connections.session().await?;
        let abouts: Vec<Uuid> = abouts.into_iter().map(Uuid).collect();
        let most = most(limit);
        let asks: Vec<(Of, Values<'_>)> = (0..session.schemas.shards())
            .map(|shard| ((CONVERSATIONS_OF, shard), vec![&abouts as _, &most as _]))
            .collect();
        let rows = session.ask(asks).await?;
        let mut found: Vec<Conversation> = rows.iter().flatten().map(conversation).collect::<Result<_>>()?;
        found.sort_unstable_by_key(|one| std::cmp::Reverse((one.at, one.id)));
        found.truncate(limit);
        Ok(found)
    }

    async fn count_conversations(&self) -> Result<Vec<(i64, i64)>> {
        let session = self.connections.session().await?;
        let asks: Vec<(Of, Values<'_>)> =
            (0..session.schemas.shards()).map(|shard| ((CONVERSATION_COUNTS, shard), vec![])).collect();
        let mut counts = BTreeMap::<i64, i64>::new();
        for row in session.ask(asks).await?.iter().flatten() {
            *counts.entry(get(row, 0)?).or_insert(0) += get::<i64>(row, 1)?;
        }
        Ok(counts.into_iter().collect())
    }
}
