//! People who sign in, and the sessions that they have open.
//!
//! [`People`] is what a store keeps of it. A person is changed by who read them last: each change says which revision it was
//! made from, so that a code or a recovery code that two requests bring at once is good for one of them. Whatever changes is
//! one transaction with its line of the audit log, with the sessions that it ends and with the one that it begins. Of the token
//! of a session only a hash is kept. Times are the wall clock's. Sessions do not move with a home.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use zhiyin_model::role::Role;
use zhiyin_model::time::Ts;

use crate::audit::Note;
use crate::{Result, StoreError};

/// How many sessions one person has at most; whoever signs in once more ends the one that would end first.
pub const SESSIONS_MAX: usize = 20;

/// A password as it is kept: what came out of Argon2id, and by what it was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password {
    /// Memory that it takes, in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
    /// 16 bytes of chance.
    pub salt: [u8; 16],
    /// What came out.
    pub hash: [u8; 32],
    /// When it was set.
    pub set_at: Ts,
}

/// Codes of an authenticator app. The secret is derived from the home's key and a salt, so it does not lie here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codes {
    /// What the secret is derived from.
    pub salt: [u8; 16],
    /// The last step of 30 seconds whose code was taken: no code of it or of one before is good any more.
    pub last_step: i64,
    /// Keyed hashes of the recovery codes that are left.
    pub recovery: Vec<[u8; 32]>,
}

/// Who somebody is at a provider of sign-in (OpenID Connect): its issuer, and what it calls them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// The issuer.
    pub issuer: String,
    /// The subject: never another person's there.
    pub subject: String,
}

/// What is kept of a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// As they write their name.
    pub name: String,
    /// As what they act.
    pub role: Role,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Their code among the staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<String>,
    /// In which language they read: `zh-CN`, `en`.
    pub language: String,
    /// When they were made.
    pub made_at: Ts,
    /// By whom.
    pub made_by: String,
    /// Their password; who has none cannot sign in yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// Codes that are asked of them beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes: Option<Codes>,
    /// Codes that they were offered and have not confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<Codes>,
    /// Who they are at the brand's own provider of sign-in, once they came by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
    /// When they were removed. Their name is given to nobody else: lines of the audit log bear it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Ts>,
}

impl Standing {
    /// Whether they have anything to sign in with.
    pub fn can_sign_in(&self) -> bool {
        (self.password.is_some() || self.elsewhere.is_some()) && self.removed_at.is_none()
    }

    /// Whether they can sign in and answer for the home.
    pub fn owns(&self) -> bool {
        self.role == Role::Owner && self.can_sign_in()
    }
}

impl std::fmt::Debug for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What passwords and codes are made of is not printed by accident.
        f.debug_struct("Standing").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// Somebody who can sign in, or could.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// 16 hexadecimal digits.
    pub id: String,
    /// Moves with every change.
    pub revision: i64,
    /// What is kept of them.
    pub is: Standing,
}

/// A name as it is compared: nobody is told from somebody else by capitals.
pub fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Hash of its token.
    pub hash: [u8; 32],
    /// Whose it is.
    pub person: String,
    /// When they signed in.
    pub began_at: Ts,
    /// Until when it is good unless something is asked in it meanwhile.
    pub until: Ts,
    /// When it ends whatever is asked.
    pub ends_at: Ts,
}

/// What changes of one person.
#[derive(Clone, Debug)]
pub struct PersonChange {
    /// What they are then; their revision is the one that the change was made from, 0 for who is new.
    pub person: Person,
    /// Only if nobody owns the home.
    pub first: bool,
    /// They owned the home before: only if somebody else does who stays.
    pub gives_up: bool,
    /// Whether all their sessions end.
    pub ends_sessions: bool,
    /// A session that begins. Sessions of anybody that lapsed before it are let go of.
    pub begins: Option<Session>,
    /// What is written down about it.
    pub note: Note,
}

/// What became of a change. Nothing is written but for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It was written.
    Done,
    /// Somebody else changed them meanwhile.
    Moved,
    /// Somebody has the name.
    NameTaken,
    /// Somebody owns the home.
    Owned,
    /// Nobody would own the home any more.
    LastOwner,
}

/// What a home keeps of people who sign in.
#[async_trait]
pub trait People: Send + Sync {
    /// Everybody, removed ones too, by name.
    async fn all(&self) -> Result<Vec<Person>>;
    /// The one of an id.
    async fn person(&self, id: &str) -> Result<Option<Person>>;
    /// The one of a name, [`folded`].
    async fn named(&self, name: &str) -> Result<Option<Person>>;
    /// Whether anybody owns the home and can sign in.
    async fn owned(&self) -> Result<bool>;
    /// Makes or changes a person.
    async fn change(&self, change: PersonChange) -> Result<Changed>;
    /// The session of a hash, and whose it is; lapsed ones too.
    async fn session(&self, hash: &[u8; 32]) -> Result<Option<(Session, Person)>>;
    /// A session is good until then; one that is so for longer stays.
    async fn prolong(&self, hash: &[u8; 32], until: Ts) -> Result<()>;
    /// Ends the session of a hash, or all of a person. How many there were.
    async fn end(&self, which: Which, note: Note) -> Result<usize>;
}

/// Which sessions end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one of a hash.
    Of([u8; 32]),
    /// All of a person.
    All(String),
}

/// What is kept of a person, as it is stored.
pub fn written(is: &Standing) -> Result<String> {
    serde_json::to_string(is).map_err(|error| StoreError::Damaged(format!("a person: {error}")))
}

/// A person out of what is stored.
pub fn read(id: String, revision: i64, state: &str) -> std::result::Result<Person, String> {
    let is = serde_json::from_str(state).map_err(|error| format!("person {id}: {error}"))?;
    Ok(Person { id, revision, is })
}
