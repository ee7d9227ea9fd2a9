//! Who is told of what happens, and what they were told: the endpoints of webhooks, and their messages.
//!
//! [`Webhooks`] is what a store keeps of it. Messages are made from the change feed by whoever pumps ([`Webhooks::put`] writes
//! them and the pump's new place in one transaction, so none is lost or made twice), and delivered by whoever claims them
//! ([`Webhooks::claim`] lends each to one process for a while). The change feed is followed only while there is an
//! endpoint: a home without one writes and reads nothing for it. Times here are the wall clock's, but for `at`.
//!
//! Nothing personal lies here: messages name members and orders by id, and what an endpoint that asks for identifiers gets
//! beside is looked up when a message is sent. Nor does a secret: it is derived from the home's key and a salt.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use zhiyin_model::effect::{Asset, TransferKind};
use zhiyin_model::id::{Id, IdKey, MemberId, OrderId, TransferId};
use zhiyin_model::time::Ts;

use crate::audit::Note;
use crate::feed::{Entry, Position};
use crate::{PastEvent, Result};

/// What the pump is called among those who follow the change feed.
pub const CONSUMER: &str = "webhooks";

/// Marker of [`MessageId`].
pub enum MessageKind {}
/// One message; derived from its cause, so that it is the same whenever and wherever it is made.
pub type MessageId = Id<MessageKind>;

/// 16 bytes of chance from which, and from the home's key, a secret is derived.
pub type Salt = [u8; 16];

/// What an endpoint's owner says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Where messages go.
    pub url: String,
    /// Which kinds it gets; all where none is named.
    #[serde(default)]
    pub types: BTreeSet<String>,
    /// What people call it.
    #[serde(default)]
    pub description: String,
    /// Whether messages say what members and orders are called.
    #[serde(default)]
    pub identifiers: bool,
    /// Whether it may be at a private address, and without TLS.
    #[serde(default)]
    pub allow_private: bool,
    /// Who made it.
    pub made_by: String,
    /// What its secret is derived from.
    pub salt: Salt,
    /// What the secret before was derived from, and until when it signs beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<(Salt, Ts)>,
}

impl Settings {
    /// Whether it gets messages of a kind.
    pub fn wants(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.contains(kind)
    }
}

/// Why an endpoint gets nothing for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// Somebody said so.
    Asked,
    /// It failed for days.
    Failing,
    /// It answered 410: it is gone.
    Gone,
    /// The home is a copy of another one, which may speak still.
    Copied,
}

impl Because {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Asked, Self::Failing, Self::Gone, Self::Copied];

    /// Its stable name, as stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Failing => "failing",
            Self::Gone => "gone",
            Self::Copied => "copied",
        }
    }

    /// The one of a stored name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|because| because.name() == name)
    }
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// 16 hexadecimal digits.
    pub id: String,
    /// Moves with every change of what follows, up to `paused`.
    pub revision: i64,
    /// When it was made.
    pub made_at: Ts,
    /// What its owner says of it.
    pub settings: Settings,
    /// Since when it gets nothing, and why. What happens meanwhile waits.
    pub paused: Option<(Ts, Because)>,
    /// Since when every attempt has failed.
    pub failing_since: Option<Ts>,
    /// How many attempts failed one after the other.
    pub failures: i64,
    /// Until when nothing is sent, since it failed or asked for a rest.
    pub rest_until: Option<Ts>,
}

/// A change of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub id: String,
    /// As of which revision; `None` for one that is not there yet.
    pub revision: Option<i64>,
    /// What it is then (its revision and how it fares are ignored: a changed endpoint fares well until it fails); `None` does
    /// away with it.
    pub becomes: Option<Endpoint>,
    /// What is written down about it.
    pub note: Note,
}

/// What happened, as entries of the change feed name it.
#[derive(Clone, Debug, Default)]
pub struct Happened {
    /// Events that were decided, by place.
    pub events: Vec<Told>,
    /// What was booked for these events.
    pub booked: Vec<Booked>,
    /// First terms that these events began, as (member, level, since, place): who is a member from then on.
    pub enrolled: Vec<(MemberId, String, Ts, i64)>,
}

/// An event that was decided.
#[derive(Clone, Debug)]
pub struct Told {
    /// The event; its body is there for the names that were asked for, else empty.
    pub event: PastEvent,
    /// About whom.
    pub member: MemberId,
    /// Whom else it reached.
    pub reached: Option<MemberId>,
    /// Whether the home says it itself.
    pub own: bool,
    /// Whether it came as history.
    pub replay: bool,
}

/// A transfer, as far as others are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// Its id.
    pub id: TransferId,
    /// Whose account.
    pub member: MemberId,
    /// Of what.
    pub asset: Asset,
    /// Why.
    pub kind: TransferKind,
    /// How much; above zero.
    pub amount: i64,
    /// The place of the event that caused it.
    pub seq: i64,
    /// When, in business time.
    pub at: Ts,
    /// The transfer it undoes, posts or releases.
    pub reverses: Option<TransferId>,
    /// The order it belongs to.
    pub order: Option<OrderId>,
}

/// A message for one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// For which.
    pub endpoint: String,
    /// Its id: the same for every endpoint that gets it.
    pub id: MessageId,
    /// Its kind.
    pub kind: String,
    /// When it happened, in business time.
    pub at: Ts,
    /// Whom it is about.
    pub member: Option<MemberId>,
    /// What it says, as a JSON object.
    pub data: String,
}

/// How far a pump has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// From where it read.
    pub from: Position,
    /// What it is done with.
    pub to: Position,
}

/// How a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is to be sent.
    Waiting,
    /// It was taken.
    Delivered,
    /// It was tried as often as it is ever tried.
    Failed,
}

impl State {
    /// All of them, in the order of their stored numbers.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Failed];

    /// Its stable number, as stored.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// The state of a stored number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The state of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A message as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number: later ones have greater ones.
    pub no: i64,
    /// What it is.
    pub message: NewMessage,
    /// When it was made.
    pub made_at: Ts,
    /// How it stands.
    pub state: State,
    /// How often it was tried, the attempt that runs included.
    pub attempts: i64,
    /// When it is tried next; while an attempt runs, when that is given up for lost.
    pub due: Ts,
    /// When it was tried last.
    pub tried_at: Option<Ts>,
    /// The HTTP status of the last answer.
    pub status: Option<i64>,
    /// What went wrong, by name.
    pub error: Option<String>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    /// Which message.
    pub no: i64,
    /// Which attempt: what was claimed anew meanwhile is not touched, unless it was delivered.
    pub attempts: i64,
    /// How it stands now.
    pub state: State,
    /// When it is tried next, if it waits.
    pub due: Ts,
    /// When it was tried.
    pub tried_at: Ts,
    /// The HTTP status of the answer.
    pub status: Option<i64>,
    /// What went wrong, by name.
    pub error: Option<String>,
}

/// How an endpoint fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fared {
    /// It took some of what it was sent.
    Well,
    /// It did, and asked not to be sent more until an instant.
    Rests(Ts),
    /// It took nothing, as of an instant, and rests until another.
    Badly(Ts, Ts),
}

/// Messages of an endpoint that are sent anew: a part of them, in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Of which.
    pub endpoint: String,
    /// That happened at or after this instant, in business time.
    pub from: Ts,
    /// With a greater number than this.
    pub after: i64,
    /// How many are looked at.
    pub limit: usize,
    /// When it was asked for: what was made since is sent anyway.
    pub now: Ts,
    /// The line of the audit log, with the first part.
    pub note: Option<Note>,
}

/// Which messages of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Of which.
    pub endpoint: String,
    /// In which state; in any.
    pub state: Option<State>,
    /// With a smaller number than this.
    pub before: Option<i64>,
    /// How many at most.
    pub limit: usize,
}

/// How the messages of an endpoint stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Of which.
    pub endpoint: String,
    /// How many wait.
    pub waiting: i64,
    /// When the oldest of them was made.
    pub oldest: Option<Ts>,
}

/// What a home keeps of whom it tells.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// All endpoints, the oldest first.
    async fn endpoints(&self) -> Result<Vec<Endpoint>>;
    /// Changes an endpoint, with its line of the audit log. False, and nothing is written, where it is not as it was. The first
    /// one follows the change feed from its end; with the last one nobody does any more.
    async fn change_endpoint(&self, change: Change) -> Result<bool>;

    /// Where the pump stands; `None` where there is no endpoint.
    async fn pumped(&self) -> Result<Option<Position>>;
    /// What entries of the change feed name, with the bodies of events of these names.
    async fn happened(&self, entries: Vec<Entry>, names: &'static [&'static str]) -> Result<Happened>;
    /// Writes messages that are not there yet, and moves the pump on; how many are new. `None`, and nothing is written, where
    /// it has moved meanwhile.
    async fn put(&self, messages: Vec<NewMessage>, moved: Option<Moved>, now: Ts) -> Result<Option<usize>>;

    /// Takes messages of an endpoint that are due, the longest due first, at most `limit`. Nobody else gets them before `until`.
    /// None, where the endpoint is not of this revision any more, or is paused: whoever sends goes by what holds now.
    async fn claim(&self, endpoint: (&str, i64), now: Ts, until: Ts, limit: usize) -> Result<Vec<Message>>;
    /// Notes what came of attempts, and how the endpoint fared.
    async fn attempted(&self, endpoint: &str, attempts: Vec<Attempted>, fared: Fared) -> Result<()>;

    /// Messages of an endpoint, the newest first.
    async fn messages(&self, log: Log) -> Result<Vec<Message>>;
    /// Sends messages of an endpoint anew that do not wait; how many, and the number up to which was looked at, where there
    /// may be more.
    async fn replay(&self, replay: Replay) -> Result<(usize, Option<i64>)>;
    /// What waits of an endpoint is due as if it had never been tried, in its order; how many messages that changes.
    async fn revive(&self, endpoint: &str, now: Ts) -> Result<usize>;
    /// Forgets messages, the oldest first: those of this endpoint, or those made before an instant; at most `limit`. How many
    /// of them were still waiting, and how many there were.
    async fn forget(&self, what: Forget, limit: usize) -> Result<(usize, usize)>;
    /// How each endpoint's messages stand, by endpoint.
    async fn standing(&self) -> Result<Vec<Standing>>;
}

/// Which messages are forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forget {
    /// Those of an endpoint that is no more.
    Of(String),
    /// Those made before an instant.
    Before(Ts),
}

/// Settings as they are stored.
pub fn settings_text(settings: &Settings) -> Result<String> {
    serde_json::to_string(settings).map_err(|error| crate::StoreError::Damaged(error.to_string()))
}

/// The id of a message of a kind, from what caused it.
pub fn message_id(key: &IdKey, kind: &str, cause: &[u8]) -> MessageId {
    key.derive("webhook message", &[kind.as_bytes(), cause])
}
