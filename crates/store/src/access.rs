//! Who may do what in a home, and what they did: API keys, people who sign in ([`people`]), approvals that wait, the
//! audit log.
//!
//! [`Access`] is what a store keeps of it. Whatever changes a key or an approval is written in one transaction with its line
//! of the audit log ([`Note`]), so that neither is there without the other. Times here are the wall clock's: a key expires in
//! the world, not in a business that is replayed.

pub mod people;

use std::collections::BTreeSet;

use async_trait::async_trait;
use zhiyin_model::id::IdKey;
use zhiyin_model::role::{Operation, Role};
use zhiyin_model::time::Ts;

use crate::Result;
use crate::audit::{Entry, Note};

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// By what it is found and named: 16 hexadecimal digits.
    pub id: String,
    /// Keyed hash of the secret.
    pub hash: [u8; 32],
    /// As what it acts.
    pub role: Role,
    /// Where.
    pub place: Option<String>,
    /// For whom of the staff.
    pub staff: Option<String>,
    /// What people call it.
    pub name: String,
    /// To which operations it is narrowed.
    pub scopes: Option<BTreeSet<Operation>>,
    /// When it was made.
    pub made_at: Ts,
    /// By whom.
    pub made_by: String,
    /// From when on it is refused.
    pub expires_at: Option<Ts>,
    /// When it was revoked: it is refused whatever the clock says.
    pub revoked_at: Option<Ts>,
}

/// How a key ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At once; the instant is noted.
    Revoked(Ts),
    /// At an instant, unless it ends before.
    Expires(Ts),
}

/// What changes among the keys: one ends, one begins, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysChange {
    /// Which ends, and how.
    pub ends: Option<(String, End)>,
    /// Which begins.
    pub begins: Option<Key>,
    /// What is written down about it.
    pub note: Note,
}

/// What was asked of a second person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// 1, 2, 3…; also the idempotency key of what is done once it is approved.
    pub no: i64,
    /// What is to be done.
    pub operation: Operation,
    /// With what, as JSON; people only by their id.
    pub request: String,
    /// Who asks.
    pub asked_by: String,
    /// When.
    pub asked_at: Ts,
    /// Until when it can be answered.
    pub answer_by: Ts,
    /// The answer.
    pub answer: Option<Answer>,
}

/// What a second person said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Yes or no.
    pub approved: bool,
    /// Who.
    pub by: String,
    /// When.
    pub at: Ts,
}

/// What a home keeps of who may do what, and of what they did.
#[async_trait]
pub trait Access: Send + Sync {
    /// People who sign in, and their sessions.
    fn people(&self) -> &dyn people::People;

    /// All keys, the oldest first.
    async fn keys(&self) -> Result<Vec<Key>>;
    /// The key of an id, as it is now, and the home's key by which its hash was made.
    async fn key(&self, id: &str) -> Result<Option<(Key, IdKey)>>;
    /// Changes keys. False, and nothing is written, where the one that is to end does not exist or was revoked before.
    async fn change_keys(&self, change: KeysChange) -> Result<bool>;

    /// Keeps a request; its number (what stands in `no` is ignored). The target of the note is the number.
    async fn ask_approval(&self, approval: Approval, note: Note) -> Result<i64>;
    /// The request of a number.
    async fn approval(&self, no: i64) -> Result<Option<Approval>>;
    /// Requests, the newest first, at most `limit`.
    async fn approvals(&self, limit: usize) -> Result<Vec<Approval>>;
    /// Answers a request. False, and nothing is written, unless it is open, can still be answered then, and was asked by
    /// somebody else.
    async fn answer_approval(&self, no: i64, answer: Answer, note: Note) -> Result<bool>;

    /// Adds a line to the audit log: alone, whoever else does so.
    async fn note(&self, note: Note) -> Result<Entry>;
    /// Lines after a number, the oldest first, at most `limit`; of these only what is not before an instant.
    async fn audit(&self, after: i64, since: Option<Ts>, limit: usize) -> Result<Vec<Entry>>;
    /// The latest lines about a target, the latest first, at most `limit`.
    async fn audit_about(&self, target: &str, limit: usize) -> Result<Vec<Entry>>;
    /// The last line.
    async fn audit_last(&self) -> Result<Option<Entry>>;
}

/// Operations as they are stored: a JSON list of names, or nothing.
pub fn scopes_text(scopes: Option<&BTreeSet<Operation>>) -> Option<String> {
    let names: Vec<&str> = scopes?.iter().map(|operation| operation.name()).collect();
    Some(serde_json::Value::from(names).to_string())
}

/// The operations of a stored list. One that this program does not know is left out: it narrows further, never less.
pub fn scopes_of(text: Option<&str>) -> std::result::Result<Option<BTreeSet<Operation>>, String> {
    let Some(text) = text else { return Ok(None) };
    let names: Vec<String> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(Some(names.iter().filter_map(|name| Operation::named(name)).collect()))
}
