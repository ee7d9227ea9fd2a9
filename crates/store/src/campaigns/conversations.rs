//! Conversations with members, as the inbox lists them: which persona's each is, where it stands, who looks after it, when the last word
//! fell. What was said lies in the mirror, sealed under the customer; here is what lists are cut by, and nothing of a person. Times are the
//! wall clock's.
//!
//! What was heard and what is listed of it are written at once or not at all ([`Conversations::converse`]), so that a crash in between
//! loses no word and counts none twice.

use async_trait::async_trait;
use zhiyin_model::time::Ts;

use super::mirror::{Reflect, ReflectionId};
use crate::Result;
use crate::dump::Kind;
use crate::seal::envelope::Subject;

/// A conversation as it is listed; its row in the mirror has the same id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Which.
    pub id: ReflectionId,
    /// Whose: the persona that the member speaks to.
    pub persona: String,
    /// Where it stands, by a number of the engine's.
    pub state: i64,
    /// Who of the staff looks after it.
    pub assignee: Option<String>,
    /// When the last word fell.
    pub at: Ts,
}

/// Which conversations are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationsAsked {
    /// Those that stand so.
    pub state: i64,
    /// Those of a persona.
    pub persona: Option<String>,
    /// Those that somebody looks after.
    pub assignee: Option<String>,
    /// Those whose last word fell before one of them, which is named.
    pub before: Option<(Ts, ReflectionId)>,
    /// So many at most.
    pub limit: usize,
}

/// Conversations.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// Writes things of the mirror, each if it still is as it was read, and how conversations are listed: all of it, or nothing where one
    /// thing is another by now. Durable when this returns.
    async fn converse(&self, things: Vec<Reflect>, listed: Vec<Conversation>) -> Result<bool>;
    /// Conversations that stand so, those with the latest words first.
    async fn conversations(&self, asked: ConversationsAsked) -> Result<Vec<Conversation>>;
    /// Those that are sealed under any of these names, closed ones too, those with the latest words first, at most `limit`.
    async fn conversations_of(&self, abouts: Vec<Subject>, limit: usize) -> Result<Vec<Conversation>>;
    /// How many there are, by where they stand.
    async fn count_conversations(&self) -> Result<Vec<(i64, i64)>>;
}

/// Its columns in a dump.
pub(crate) const COLUMNS: [(&str, Kind); 5] = [
    ("id", Kind::Id),
    ("persona", Kind::Text),
    ("state", Kind::Int),
    ("assignee", Kind::Text),
    ("at", Kind::Int),
];
