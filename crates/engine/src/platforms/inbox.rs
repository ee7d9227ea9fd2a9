//! The inbox (T6): what members say to a persona, by whichever of its desks, is one conversation with one history; people answer it. A desk
//! is one of a platform's customer service, or an app of the brand's to which people write ([`told`] takes in what its callbacks say).
//!
//! [`hear`] pulls what was said, from where it was last: what is new is an event of the member first, then the words, how their
//! conversation stands and where to go on from are written at once or not at all, so that a crash loses no word and counts none twice.
//! [`reply`] says what people answered: that it is going to be said is written before it is, what came of it after, and what nobody knows
//! is not said again. [`asked`] is what people ask, say and settle, [`shown`] what they see of it.
//!
//! Words lie in the mirror, sealed under whom they are about, each under an id that begins with its time; lists are cut by
//! [`zhiyin_store::campaigns::conversations`].

pub mod asked;
mod hear;
mod reply;
mod shown;
mod told;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zhiyin_model::event::Identifier;
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::identifier::normalise;
use zhiyin_model::time::{HOUR_US, Ts};
use zhiyin_reach::platform::Network;
use zhiyin_store::campaigns::conversations::Conversation;
use zhiyin_store::campaigns::mirror::{Reflect, Reflection, ReflectionId, reflection_id};
use zhiyin_store::{StoreError, seal};

use super::Row;
use crate::{Engine, Result};

pub(super) use hear::round as hear_round;
pub(super) use reply::round as reply_round;
pub use shown::{
    AttachedView, ConversationView, ConversationWhole, DeskView, InboxAsked, InboxCounts, InboxPage,
    LastView, WordView,
};
pub(crate) use told::Heard;

/// The kinds of rows: conversations, by which customer each is, by which key a reply; words are those of an account.
const TALK: &str = "talk";
const WHOSE: &str = "whose";
const KEYED: &str = "reply";
const WORD: &str = "word";
/// How namespaces begin in which apps of the brand's know people.
const APP_NAMESPACES: &str = "openid:";
/// Under whose name the first three are kept: a conversation is of no one account.
pub(super) const INBOX: &str = "inbox";
/// How long a reply may take to be said, where the platform does not say, in hours; and how many there may be.
const HOURS_USUAL: u64 = 48;
const REPLIES_USUAL: u64 = 5;
/// The most characters of a word that are kept, and of those in an event and in a list.
const WORD_CHARS_MAX: usize = 4_000;
const EVENT_CHARS_MAX: usize = 255;
const LAST_CHARS_MAX: usize = 80;
/// The most desks of one conversation that are remembered: the latest.
const DESKS_MAX: usize = 64;
/// How often something is read and written again that somebody else wrote.
const TRIES: usize = 8;

/// Where a conversation stands.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TalkState {
    /// The member said something that nobody has read.
    #[default]
    Unread,
    /// It was read, and not answered.
    Open,
    /// The last word is the brand's.
    Answered,
    /// Somebody said that it is over; a word of the member opens it again.
    Closed,
}

impl TalkState {
    /// All of them, as lists have them.
    pub const ALL: [Self; 4] = [Self::Unread, Self::Open, Self::Answered, Self::Closed];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Closed => "closed",
        }
    }

    /// The one of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    const fn number(self) -> i64 {
        match self {
            Self::Unread => 0,
            Self::Open => 1,
            Self::Answered => 2,
            Self::Closed => 3,
        }
    }
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The member.
    Member,
    /// Somebody of the brand's.
    Staff,
}

/// A desk by which the member spoke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Desk {
    /// On which channel.
    #[serde(default = "usual_channel")]
    channel: String,
    /// How members are named there: a namespace of a home.
    #[serde(default = "usual_namespace")]
    namespace: String,
    /// Of which of the brand's accounts.
    account: String,
    /// Its id.
    desk: String,
    /// The member, as the platform calls them.
    customer: String,
    /// When they last spoke there.
    spoke: Ts,
    /// Until when they may be answered.
    closes: Ts,
    /// How often yet.
    left: u64,
    /// Who has them there, by a name.
    session: Option<String>,
}

/// The last word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Last {
    at: Ts,
    by: By,
    words: String,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Talk {
    /// Whose: the persona's.
    persona: String,
    /// Under whose name it is sealed, and in which namespace that is.
    customer: String,
    #[serde(default = "usual_namespace")]
    namespace: String,
    /// What the member calls themselves there.
    name: Option<String>,
    state: TalkState,
    /// How many words nobody has read.
    unread: u64,
    assignee: Option<String>,
    last: Option<Last>,
    /// When the member last said something.
    heard: Option<Ts>,
    /// Since when.
    since: Ts,
    desks: Vec<Desk>,
    /// The tag that says that a complaint is open.
    complaint: Option<String>,
    /// Why the last reply did not arrive.
    trouble: Option<String>,
    /// How many words there are.
    n: u64,
}

impl Talk {
    /// The desk by which they are answered: where they spoke last.
    fn at_desk(&self) -> Option<&Desk> {
        self.desks.iter().max_by_key(|desk| desk.spoke)
    }

    fn desk_mut(&mut self, account: &str, desk: &str) -> Option<&mut Desk> {
        self.desks.iter_mut().find(|one| one.account == account && one.desk == desk)
    }

    fn listed(&self, id: ReflectionId) -> Conversation {
        Conversation {
            id,
            persona: self.persona.clone(),
            state: self.state.number(),
            assignee: self.assignee.clone(),
            at: self.last.as_ref().map_or(self.since, |last| last.at),
        }
    }

    /// Something was said; what is older than the last word is not the last. The word's number.
    fn said(&mut self, at: Ts, by: By, words: &str) -> u64 {
        if self.last.as_ref().is_none_or(|last| at >= last.at) {
            self.last = Some(Last { at, by, words: cut(words, LAST_CHARS_MAX).0 });
        }
        self.n = self.n.saturating_add(1);
        self.n
    }
}

/// What was sent with a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Attached {
    kind: String,
    media: String,
}

/// How far a word is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// It was said there, and heard here.
    Heard,
    /// It is to be said.
    Waiting,
    /// It is being said; who finds it so later knows that nobody knows.
    Handed,
    /// It was said. Whether that is an event of the member yet.
    Delivered { told: bool },
    /// It was not said, and will not be.
    Failed(String),
    /// Nobody knows whether it was.
    Unknown,
}

/// A word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Word {
    /// The conversation.
    talk: ReflectionId,
    persona: String,
    desk: String,
    customer: String,
    #[serde(default = "usual_namespace")]
    namespace: String,
    at: Ts,
    by: By,
    /// Who of the brand's.
    who: Option<String>,
    text: String,
    /// Whether there was more of it.
    cut: bool,
    attached: Option<Attached>,
    /// What the platform calls it.
    id: String,
    /// Its number in the conversation: platforms tell whole seconds.
    n: u64,
    stage: Stage,
    /// Whether whoever said it took it back.
    taken_back: bool,
    tries: i64,
}

/// Of which conversation with a persona a customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Whose {
    talk: ReflectionId,
}

/// Which word a reply of a key is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Keyed {
    word: ReflectionId,
    text: String,
}

/// On which channel desks are, and how members are named there, of which nothing else was written down.
fn usual_channel() -> String {
    Network::usual().channel.to_owned()
}

fn usual_namespace() -> String {
    Network::usual().namespace.to_owned()
}

/// Somebody as they are named: a namespace of a home, and their name there.
type Whom<'w> = (&'w str, &'w str);

/// As much of a text as is kept, and whether there was more.
fn cut(text: &str, chars: usize) -> (String, bool) {
    match text.char_indices().nth(chars) {
        None => (text.to_owned(), false),
        Some((end, _)) => (text.get(..end).unwrap_or_default().to_owned(), true),
    }
}

/// Rows of the inbox.
struct Rows<'e> {
    engine: &'e Engine,
    key: IdKey,
    /// Under whose name conversations are kept, whichever desk they came by.
    network: &'static Network,
}

/// A row as it was found: also where it was erased.
enum Found<T> {
    There(Row<T>),
    Erased(i64),
}

impl Engine {
    async fn inbox_rows(&self) -> Result<Rows<'_>> {
        Ok(Rows { engine: self, key: self.home().await?.id_key, network: Network::usual() })
    }
}

impl Rows<'_> {
    /// Whether names of a namespace are those under which people speak: the network's, or an app's of the brand.
    fn is_of_a_desk(&self, namespace: &str) -> bool {
        namespace == self.network.namespace || namespace.starts_with(APP_NAMESPACES)
    }

    /// The name of a customer, as it is kept; nothing, where no member can bear it.
    fn name_of(&self, (namespace, customer): Whom<'_>) -> Option<Identifier> {
        Some(Identifier { namespace: namespace.to_owned(), value: normalise(namespace, customer).ok()? })
    }

    fn id(&self, kind: &str, names: &[&str]) -> ReflectionId {
        reflection_id(&self.key, (self.network.channel, INBOX), kind, names)
    }

    /// The id of a word: in the order of ids those of one conversation come with the latest first.
    fn word_id(&self, talk: ReflectionId, at: Ts, names: &[&str]) -> ReflectionId {
        let talk_name = talk.to_string();
        let all: Vec<&str> = std::iter::once(talk_name.as_str()).chain(names.iter().copied()).collect();
        let hash = self.id(WORD, &all);
        let mut bytes = *hash.bytes();
        let before_end = i64::MAX.saturating_sub(at.0.max(0)).to_be_bytes();
        // Of one conversation the first byte is the same: it says where its words lie. An instant takes seven bytes until the year 4253.
        let first = talk.bytes().first().copied().unwrap_or_default();
        for (place, byte) in
            bytes.iter_mut().zip(std::iter::once(first).chain(before_end.into_iter().skip(1)))
        {
            *place = byte;
        }
        ReflectionId::from_bytes(bytes)
    }

    fn kind(&self, kind: &str) -> String {
        format!("{}:{INBOX}:{kind}", self.network.channel)
    }

    fn words_of(&self, (channel, account): (&str, &str)) -> String {
        format!("{channel}:{account}:{WORD}")
    }

    /// The id of a row by which it is known of which conversation with a persona a customer is. What distinguishes names of one namespace
    /// from those of another is left out of those that were there first.
    fn whose(&self, persona: &str, (namespace, customer): Whom<'_>) -> ReflectionId {
        if namespace == self.network.namespace {
            return self.id(WHOSE, &[persona, customer]);
        }
        self.id(WHOSE, &[persona, namespace, customer])
    }

    /// Words of an account that are due, lent until an instant.
    async fn lend_words(
        &self,
        of: (&str, &str),
        (wall, until): (Ts, Ts),
        limit: usize,
    ) -> Result<Vec<Row<Word>>> {
        let mirror = self.engine.store().coupons().campaigns().mirror();
        let mut rows = Vec::new();
        for one in mirror.lend_reflections(&self.words_of(of), wall, until, limit).await? {
            rows.extend(opened(one)?);
        }
        Ok(rows)
    }

    async fn found<T: DeserializeOwned>(
        &self,
        ids: Vec<ReflectionId>,
    ) -> Result<BTreeMap<ReflectionId, Found<T>>> {
        let mirror = self.engine.store().coupons().campaigns().mirror();
        let mut found = BTreeMap::new();
        for one in mirror.reflections(ids).await? {
            let (id, version) = (one.id, one.version);
            let row = opened(one)?.map_or(Found::Erased(version), Found::There);
            drop(found.insert(id, row));
        }
        Ok(found)
    }

    async fn get<T: DeserializeOwned>(&self, id: ReflectionId) -> Result<Option<Row<T>>> {
        Ok(match self.found(vec![id]).await?.remove(&id) {
            Some(Found::There(row)) => Some(row),
            Some(Found::Erased(_)) | None => None,
        })
    }

    fn reflect<T: Serialize>(
        &self,
        kind: String,
        (id, part, read): (ReflectionId, ReflectionId, i64),
        due: Option<Ts>,
        whom: Whom<'_>,
        what: &T,
    ) -> Result<Reflect> {
        let body = serde_json::to_string(what).map_err(|error| StoreError::Damaged(error.to_string()))?;
        let about = match self.name_of(whom) {
            Some(name) => seal::lookup(&self.key, &name),
            None => self.key.digest("reflection", &[id.bytes()]),
        };
        Ok(Reflect { id, read, kind, part, due, about, body: seal::seal(&body) })
    }

    fn talk(&self, id: ReflectionId, read: i64, talk: &Talk) -> Result<Reflect> {
        self.reflect(self.kind(TALK), (id, id, read), None, (&talk.namespace, &talk.customer), talk)
    }

    fn word(
        &self,
        of: (&str, &str),
        (id, read): (ReflectionId, i64),
        due: Option<Ts>,
        word: &Word,
    ) -> Result<Reflect> {
        let whom = (word.namespace.as_str(), word.customer.as_str());
        self.reflect(self.words_of(of), (id, word.talk, read), due, whom, word)
    }

    async fn converse(&self, things: Vec<Reflect>, listed: Vec<Conversation>) -> Result<bool> {
        Ok(self.engine.store().coupons().campaigns().conversations().converse(things, listed).await?)
    }

    /// Who customers are, by their places, of those whom a member bears the name of.
    async fn members(&self, customers: &[Whom<'_>]) -> Result<BTreeMap<usize, MemberId>> {
        let names = customers.iter().enumerate().filter_map(|(n, whom)| Some((n, self.name_of(*whom)?)));
        let (places, names): (Vec<usize>, Vec<Identifier>) = names.unzip();
        let borne = self.engine.borne(&names).await?;
        Ok(borne.into_iter().filter_map(|(n, member)| Some((*places.get(n)?, member))).collect())
    }
}

/// A row, opened; nothing where it was erased.
fn opened<T: DeserializeOwned>(found: Reflection) -> Result<Option<Row<T>>> {
    let body = match seal::open(&found.body) {
        Err(StoreError::Erased) => return Ok(None),
        body => body?,
    };
    let what = serde_json::from_str(&body)
        .map_err(|error| StoreError::Damaged(format!("what members said: {error}")))?;
    let Reflection { id, version, part, due, .. } = found;
    Ok(Some(Row { id, version, part, due, what }))
}

/// Until when a word may be answered that was said at an instant, and how often.
fn window(limit: impl Fn(&str) -> Option<u64>, at: Ts) -> (Ts, u64) {
    let hours = i64::try_from(limit("service.reply_hours").unwrap_or(HOURS_USUAL)).unwrap_or(i64::MAX);
    let closes = at.plus_us(hours.saturating_mul(HOUR_US));
    (closes, limit("service.replies").unwrap_or(REPLIES_USUAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("你好吗", 2), ("你好".to_owned(), true));
        assert_eq!(cut("你好", 2), ("你好".to_owned(), false));
        assert_eq!(cut("", 0), (String::new(), false));
    }

    #[test]
    fn the_window_is_the_platforms_of_the_day_or_what_is_usual() {
        let at = Ts(1_000);
        assert_eq!(window(|_| None, at), (Ts(1_000 + 48 * HOUR_US), 5));
        let brands = |subject: &str| Some(if subject == "service.replies" { 3 } else { 24 });
        assert_eq!(window(brands, at), (Ts(1_000 + 24 * HOUR_US), 3));
    }
}
