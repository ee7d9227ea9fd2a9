//! Conversations as the inbox lists them, written with what was heard.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use zhiyin_model::time::Ts;
use zhiyin_store::campaigns::conversations::{Conversation, Conversations, ConversationsAsked};
use zhiyin_store::campaigns::mirror::Reflect;
use zhiyin_store::seal::envelope::Subject;
use zhiyin_store::{Result, StoreError};

use super::most;
use crate::SqliteStore;
use crate::rows::{all, id};
use crate::write::{prepare, run};

pub(crate) const CONVERSATION_SET: &str = "INSERT INTO conversation (id, persona, state, assignee, at) VALUES (?1, ?2, ?3, ?4, ?5) \
    ON CONFLICT (id) DO UPDATE SET persona = ?2, state = ?3, assignee = ?4, at = ?5";
pub(crate) const CONVERSATIONS: &str = "SELECT id, persona, state, assignee, at FROM conversation \
    WHERE state = ?1 AND (at, id) < (?2, ?3) AND (?4 IS NULL OR persona = ?4) ORDER BY at DESC, id DESC LIMIT ?5";
pub(crate) const CONVERSATIONS_WITH: &str = "SELECT id, persona, state, assignee, at FROM conversation \
    WHERE assignee = ?6 AND state = ?1 AND (at, id) < (?2, ?3) AND (?4 IS NULL OR persona = ?4) ORDER BY at DESC, id DESC LIMIT ?5";
/// By one name: whoever has several is asked for by each.
pub(crate) const CONVERSATIONS_OF: &str = "SELECT c.id, c.persona, c.state, c.assignee, c.at \
    FROM reflection r JOIN conversation c ON c.id = r.id WHERE r.about = ?1 LIMIT ?2";
pub(crate) const CONVERSATION_COUNTS: &str =
    "SELECT state, COUNT(*) FROM conversation GROUP BY state ORDER BY state";
/// Whoever is erased is on no list, before their names are gone.
pub(crate) const CONVERSATIONS_ERASED: &str = "DELETE FROM conversation WHERE id IN (SELECT id FROM reflection WHERE about IN \
    (SELECT hash FROM identifier WHERE substr(member, 1, 3) = substr(?1, 1, 3) AND member = ?1))";

/// After every id.
const LAST: [u8; 17] = [0xff; 17];

fn conversation(row: &Row<'_>) -> rusqlite::Result<Conversation> {
    Ok(Conversation {
        id: id(row, 0)?,
        persona: row.get(1)?,
        state: row.get(2)?,
        assignee: row.get(3)?,
        at: Ts(row.get(4)?),
    })
}

/// All of it; where one thing is another by now, whoever asked undoes it.
fn converse(c: &Connection, things: &[Reflect], listed: &[Conversation]) -> Result<bool> {
    let written = super::mirror::reflect(c, things)?;
    if written.contains(&false) {
        return Ok(false);
    }
    let mut set = prepare(c, CONVERSATION_SET)?;
    for one in listed {
        let values = params![one.id.bytes().as_slice(), one.persona, one.state, one.assignee, one.at.0];
        run(&mut set, values)?;
    }
    Ok(true)
}

#[async_trait]
impl Conversations for SqliteStore {
    async fn converse(&self, things: Vec<Reflect>, listed: Vec<Conversation>) -> Result<bool> {
        let sealed = self.vault().aside(move |vault| vault.seal_reflections(things)).await?;
        let done = self.connections.write(move |c| {
            // What fails is undone, so that of what was read by somebody else first nothing stays.
            if converse(c, &sealed, &listed)? { Ok(()) } else { Err(StoreError::Stale) }
        });
        match done.await {
            Ok(()) => Ok(true),
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn conversations(&self, asked: ConversationsAsked) -> Result<Vec<Conversation>> {
        self.connections
            .read(move |c| {
                let ConversationsAsked { state, persona, assignee, before, limit } = asked;
                let at = before.map_or(i64::MAX, |(at, _)| at.0);
                let id = before.map_or_else(|| LAST.to_vec(), |(_, id)| id.bytes().to_vec());
                match assignee {
                    None => all(c, CONVERSATIONS, params![state, at, id, persona, most(limit)], conversation),
                    Some(assignee) => {
                        let given = params![state, at, id, persona, most(limit), assignee];
                        all(c, CONVERSATIONS_WITH, given, conversation)
                    }
                }
            })
            .await
    }

    async fn conversations_of(&self, abouts: Vec<Subject>, limit: usize) -> Result<Vec<Conversation>> {
        self.connections
            .read(move |c| {
                let mut found = Vec::new();
                for about in &abouts {
                    let given = params![about.as_slice(), most(limit)];
                    found.extend(all(c, CONVERSATIONS_OF, given, conversation)?);
                }
                found.sort_unstable_by_key(|one| std::cmp::Reverse((one.at, one.id)));
                found.truncate(limit);
                Ok(found)
            })
            .await
    }

    async fn count_conversations(&self) -> Result<Vec<(i64, i64)>> {
        self.connections.read(|c| all(c, CONVERSATION_COUNTS, [], |row| Ok((row.get(0)?, row.get(1)?)))).await
    }
}
