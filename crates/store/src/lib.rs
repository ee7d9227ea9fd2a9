//! Durable state: the inbox, members, identities, the ledger, orders, timers, playbooks; what a home remembers.
//!
//! [`Store`] has a method per use case of the pipeline and of the read side, not per table, so that each database
//! can do it in the way it is best at. `store-sqlite` implements it; every implementation passes one suite.
//! No rule of the business lives here: a store writes what a decision said, all of it or nothing.
//! Read on in [`flush`] (what a batch writes), [`turn`] (who may write it), [`read`] (what people ask), [`feed`] (what others
//! follow) and [`dump`] (how a home moves).

pub mod access;
pub mod archive;
pub mod audit;
pub mod campaigns;
pub mod checkouts;
pub mod closing;
pub mod command;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod coupons;
pub mod crowd;
pub mod draws;
pub mod dump;
mod error;
pub mod feed;
pub mod flush;
pub mod links;
pub mod lists;
pub mod merge;
pub mod packed;
pub mod partner;
pub mod personal;
pub mod places;
pub mod read;
pub mod reading;
pub mod seal;
pub mod settle;
pub mod suggestion;
pub mod takeover;
pub mod tills;
pub mod turn;
pub mod webhooks;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use archive::LetGo;
use async_trait::async_trait;
pub use error::{Result, StoreError};
use tokio::sync::mpsc;
pub use zhiyin_model::effect::PastTransfer;
use zhiyin_model::effect::{Lot, Order};
use zhiyin_model::id::{EventId, IdKey, MemberId, OrderId, TransferId};
use zhiyin_model::member::{Member, Term};
use zhiyin_model::playbook::Identity;
use zhiyin_model::time::Ts;

use flush::{Flush, Hold};
use seal::{LookupHash, Sealed};
use turn::Turn;

/// Name of the source of derived events. Nobody else may bear it: an item that is named like a derived event would be
/// taken for it.
pub const OWN_SOURCE: &str = "zhiyin";

/// What a home is.
#[derive(Clone, Debug)]
pub struct Home {
    /// Keys its derived ids and look-ups.
    pub id_key: IdKey,
    /// Business now − wall clock, in microseconds.
    pub offset_us: i64,
    /// When the home first acted for real; what happened before is history (semantics 13).
    pub live_since: Option<Ts>,
    /// The latest business time at which something was accepted.
    pub clock: Ts,
    /// True while a data set is being replayed into a home whose business has not begun.
    pub replaying: bool,
    /// Into how many shares its members fall ([`turn`]).
    pub slots: i32,
    /// Ids of items that were accepted before this instant may have been forgotten with the months that were archived;
    /// `None` while all are remembered.
    pub remembers_from: Option<Ts>,
    /// The last applied version of the playbook; 0 when there is none.
    pub version: i64,
}

/// A version of the playbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaybookVersion {
    /// 1, 2, 3…
    pub version: i64,
    /// The playbook's id.
    pub id: String,
    /// Hash of its canonical form.
    pub hash: String,
    /// The text it can be parsed from again.
    pub source: String,
    /// When it was applied, in business time.
    pub applied_at: Ts,
}

/// An identifier as an item bears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// How it is found.
    pub hash: LookupHash,
    /// Its namespace.
    pub namespace: String,
    /// Its value.
    pub value: Sealed,
}

/// Somebody else whom the decision on an event may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// By what name.
    pub named: Named,
    /// Who they become if nobody bears that name yet.
    pub member: MemberId,
}

/// An item for the inbox. Whom it is about is settled when it is accepted, in the order of acceptance ([`settle`]): the most
/// telling of its names that is known decides, names that nobody bears are attached to that member as far as limits allow,
/// and one that points to somebody else stays there. So all that concerns a member lies in one share of the inbox, whoever decides it.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Hash of (source, message id).
    pub id: EventId,
    /// Unique within the source; in a sealed home, on its way into the database, a keyed hash of that.
    pub message_id: String,
    /// What the source calls it, sealed, where `message_id` is a hash.
    pub called: Option<Sealed>,
    /// Keyed hash of the body.
    pub body_hash: [u8; 16],
    /// Event name.
    pub name: String,
    /// When it happened.
    pub time: Ts,
    /// The canonical item.
    pub body: Sealed,
    /// Whom it is about, in the order of the item.
    pub names: Vec<Named>,
    /// Who they become if none of the names is known.
    pub member: MemberId,
    /// Whom else its decision may reach.
    pub reach: Option<Reach>,
    /// What it means where its names are several members'.
    pub ties: Ties,
    /// Names that are somebody else's from now on: those of the item's member become those of whom it reaches.
    pub parts: Vec<LookupHash>,
}

/// What it means where the names of an item are several members'.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// Nothing: each stays who they are. So with whoever may send items of any kind.
    #[default]
    Keep,
    /// Nothing either, and whoever sends it may be anybody (a key that lies open in a page): a name that nobody bears is not
    /// believed of who is known by more than a browser or a device.
    Open,
    /// They are one person as far as their names allow ([`settle`]), unless somebody parted them before. The door says so by
    /// an event of its own before the item ([`merge`](crate::merge)).
    Merge,
    /// They are one person: a person says so.
    Insist,
    /// A server says that they are one person's names (an `alias`): those that are nobody's are attached, beyond limits too.
    /// Two who are known stay who they are.
    Link,
    /// The same, and two who are known are one person, unless somebody parted them before.
    LinkMerge,
}

/// A batch of items of one source, accepted whole.
#[derive(Clone, Debug)]
pub struct Append {
    /// Who sends.
    pub source: String,
    /// Namespace of the source's `userId`.
    pub user_namespace: String,
    /// The items, in the source's own order.
    pub events: Vec<NewEvent>,
    /// How far names are believed.
    pub identity: Arc<Identity>,
    /// Business now. Items are placed at it, never before what was accepted already; or (`replay`) at their own time
    /// where that is earlier.
    pub now: Ts,
    /// Whether history is being replayed.
    pub replay: bool,
    /// How far an import has come once these are in: written in the same transaction.
    pub progress: Option<Progress>,
    /// How many erasures were known of when it was sealed: on its way into the database.
    pub erasures: i64,
}

/// How far an import has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The import.
    pub name: String,
    /// Items read so far.
    pub position: i64,
    /// True when its input is at an end.
    pub done: bool,
}

/// What became of an item at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is in the inbox, durably.
    Accepted,
    /// The same; so many of its names were given up.
    AcceptedWithout(u8),
    /// It was there already, with the same body.
    Duplicate,
    /// Its id was there already with another body: refused as `message_id_reused`.
    Reused,
}

/// A row of the inbox that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its place.
    pub seq: i64,
    /// Its id.
    pub id: EventId,
    /// Who sent it; `zhiyin` for derived events.
    pub source: String,
    /// Namespace of the source's `userId`.
    pub user_namespace: String,
    /// Its message id.
    pub message_id: String,
    /// When it happened.
    pub time: Ts,
    /// Business time at which it was accepted.
    pub clock: Ts,
    /// The canonical item.
    pub body: Sealed,
    /// True when it was derived or put back, and waits in the queue, not at the cursor.
    pub derived: bool,
    /// True when it was accepted as history.
    pub replay: bool,
    /// Whom it is about; `None` where an older program accepted it, which left that to the decision.
    pub member: Option<MemberId>,
    /// Whom else its decision may reach.
    pub reaches: Option<MemberId>,
    /// The inbox row that it comes from, at any remove, and after which it is decided: itself, if it was not derived.
    pub root: i64,
}

/// Where time stands for shares in which nothing can be decided yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// The clock of what comes first.
    pub clock: Ts,
    /// True when that is history.
    pub replay: bool,
}

/// A member as stored: the words of the model, and what the condition language keeps of their history.
#[derive(Clone, Debug)]
pub struct StoredMember {
    /// The member.
    pub member: Member,
    /// Aggregates over history, packed; what they are only the condition language knows.
    pub leaves: Vec<u8>,
    /// What the aggregates were built for; another fingerprint means they must be rebuilt.
    pub fingerprint: String,
    /// When to look at their timers: at the first of them or before, so that it need not be moved each time a timer
    /// moves further away. `None` where there is no timer.
    pub wake: Option<Ts>,
}

/// What a batch needs to know before it decides.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Members by identifier.
    pub identifiers: Vec<LookupHash>,
    /// Members by id.
    pub members: Vec<MemberId>,
    /// Orders that events speak of.
    pub orders: Vec<OrderId>,
}

/// What a store knows of it.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Whom identifiers point to.
    pub identifiers: Vec<(LookupHash, MemberId)>,
    /// The members, those found by identifier included, each once.
    pub members: Vec<StoredMember>,
    /// The orders that exist.
    pub orders: Vec<Order>,
}

/// An event of a member's past with its body.
#[derive(Clone, Debug)]
pub struct PastEvent {
    /// Its id.
    pub id: EventId,
    /// Its place.
    pub seq: i64,
    /// Namespace of its source's `userId`.
    pub user_namespace: String,
    /// When it happened.
    pub time: Ts,
    /// Event name.
    pub name: String,
    /// The canonical item.
    pub body: Sealed,
}

/// A member's past.
#[derive(Clone, Debug, Default)]
pub struct PastOf {
    /// Orders, each with the event of its lines.
    pub orders: Vec<(Order, PastEvent)>,
    /// Events of the names asked for.
    pub events: Vec<PastEvent>,
}

/// Which lots of a member a decision must see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LotsWanted<'a> {
    /// Open lots in spending order until they cover this much.
    Covering(i64),
    /// Open lots that expire at this instant.
    ExpiringAt(Ts),
    /// Open lots that become active at this instant.
    ActiveAt(Ts),
    /// These, open or not.
    These(&'a [TransferId]),
}

/// A home's memory.
#[async_trait]
pub trait Store: Send + Sync {
    /// What the home is now.
    async fn home(&self) -> Result<Home>;
    /// Moves business now relative to the wall clock, and says since when the home is live.
    async fn set_clock(&self, offset_us: i64, live_since: Option<Ts>) -> Result<()>;

    /// The live playbook.
    async fn live_playbook(&self) -> Result<Option<PlaybookVersion>>;
    /// All versions, newest first.
    async fn playbooks(&self) -> Result<Vec<PlaybookVersion>>;
    /// Makes a version live (its `version` is ignored) and gives its number. Applying what is live already
    /// changes nothing.
    async fn apply_playbook(&self, playbook: PlaybookVersion) -> Result<i64>;
    /// Members whose last decision was made under an older version, after one of them, at most `limit`: of all shares, in the
    /// order of their ids; or of these shares, in that in which the store finds them soonest.
    async fn members_behind(
        &self,
        of: Option<&Turn>,
        version: i64,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<Vec<MemberId>>;

    /// Renews the shares that a worker holds and takes its fair part of those that nobody holds, or whose holder is gone or
    /// has not renewed them for `ttl`; gives up what exceeds its part. What it holds now, by number of share.
    async fn lease(&self, holder: &str, ttl: Duration) -> Result<Turn>;
    /// Gives up all that a worker holds.
    async fn release(&self, holder: &str) -> Result<()>;
    /// A mark to wait from, taken before one looks: what happens after it, [`Store::stirred`] tells.
    fn mark(&self) -> u64 {
        0
    }
    /// Resolves when since a mark somebody may have put something into these shares, or decided what they waited for. A hint
    /// only: it may come late or never.
    async fn stirred(&self, _turn: &Turn, _since: u64) {
        std::future::pending().await
    }

    /// Accepts items durably: returns only when they are on disk. One receipt an item, in order.
    async fn append(&self, append: Append) -> Result<Vec<Receipt>>;
    /// How far an import has come.
    async fn progress(&self, name: &str) -> Result<Option<Progress>>;
    /// What waits in these shares: what was derived or put back and comes before the next row of the inbox, by (root,
    /// clock, time, id); else the next rows of the inbox, by place. Nothing that comes after an undecided row of another
    /// share whose decision may reach a member of these: what that makes comes first.
    async fn waiting(&self, turn: &Turn, limit: usize) -> Result<Vec<Waiting>>;
    /// What comes first of all that waits in these shares or that others have still to decide and that may reach them. Where
    /// nothing can be decided in these shares, their timers fire no further than its clock.
    async fn ahead(&self, _turn: &Turn) -> Result<Option<Ahead>> {
        // Where one worker holds all, what waits can be decided.
        Ok(None)
    }
    /// Whether anything waits in any share.
    async fn any_waiting(&self) -> Result<bool>;
    /// Members of these shares to be woken at or before an instant, the earliest first, then by id; at most `limit`.
    async fn due(&self, turn: &Turn, until: Ts, limit: usize) -> Result<Vec<MemberId>>;
    /// When the next member of these shares is to be woken.
    async fn next_wake(&self, turn: &Turn) -> Result<Option<Ts>>;

    /// What a batch needs to know.
    async fn load(&self, wanted: Wanted) -> Result<Loaded>;
    /// The same while a batch is being written, of members of whom it says nothing: beside it rather than behind it, where that
    /// can be.
    async fn load_ahead(&self, wanted: Wanted) -> Result<Loaded> {
        self.load(wanted).await
    }
    /// Lots of a member.
    async fn lots(&self, member: MemberId, wanted: LotsWanted<'_>) -> Result<Vec<Lot>>;
    /// Terms of a member, oldest first.
    async fn terms(&self, member: MemberId) -> Result<Vec<Term>>;
    /// A hold of a member.
    async fn hold(&self, member: MemberId, id: TransferId) -> Result<Option<Hold>>;
    /// A past transfer of a member with its allocations.
    async fn past_transfer(&self, member: MemberId, id: TransferId) -> Result<Option<PastTransfer>>;
    /// The event that an order's lines came with.
    async fn order_lines(&self, order: OrderId) -> Result<Option<PastEvent>>;
    /// A member's orders, each with the event of its lines, and events by name, oldest first: what aggregates are
    /// rebuilt from.
    async fn history(&self, member: MemberId, names: Vec<String>) -> Result<PastOf>;

    /// All that was ever decided for a member, as their timeline has it, the first first; what was merged into them comes
    /// where it was merged.
    async fn whole_past(&self, member: MemberId) -> Result<Vec<merge::Past>>;
    /// All that was booked for these events of a member, and what the member has.
    async fn books(&self, member: MemberId) -> Result<merge::Books>;

    /// Writes a batch: all of it or nothing. [`StoreError::Stale`] when a share moved on or was taken over since it was
    /// loaded, or an order is another member's by now.
    async fn flush(&self, flush: Flush) -> Result<()>;
    /// Whether batches are written in the order in which they are asked to be, so that the next may be asked before the last is
    /// written. Where one is not written, those asked for behind it are [`StoreError::Stale`].
    fn is_in_order(&self) -> bool {
        false
    }

    /// The change feed beyond a position, oldest first, at most `limit` batches; never anything that a transaction which
    /// still runs could come before.
    async fn feed(&self, after: feed::Position, limit: usize) -> Result<Vec<feed::Entry>>;
    /// Where a consumer of the feed stands; one that is new stands at its end.
    async fn feed_position(&self, consumer: &str) -> Result<feed::Position>;
    /// A consumer is done up to a position. What all are done with is forgotten.
    async fn feed_done(&self, consumer: &str, position: feed::Position) -> Result<()>;

    /// How the work stands: shares, who holds them, what waits.
    async fn work(&self) -> Result<read::Work>;

    /// Dead letters, newest first.
    async fn dead_letters(&self, limit: usize) -> Result<Vec<read::DeadLetter>>;
    /// Puts dead letters back into the inbox, to be tried again at `now`, or right after the home's clock where that is
    /// later: what is put back by a later call comes later. How many. Those of [commands](command::COMMANDS) stay.
    async fn retry_dead_letters(&self, seqs: Vec<i64>, now: Ts) -> Result<usize>;

    /// One line a member, as of an instant.
    async fn member_lines(&self, as_of: read::AsOf) -> Result<Vec<read::MemberLine>>;
    /// Sums of the ledger, as of an instant.
    async fn ledger_lines(&self, as_of: read::AsOf) -> Result<Vec<read::LedgerLine>>;
    /// Namespaces of the identifiers there are.
    async fn namespaces(&self) -> Result<Vec<String>>;
    /// One member whole.
    async fn member_whole(&self, member: MemberId) -> Result<Option<read::MemberWhole>>;
    /// What the overview page shows of the record.
    async fn overview(&self, ask: read::OverviewAsk) -> Result<read::OverviewRecord>;
    /// What is wrong with the home, if anything; each invariant once.
    async fn doctor(&self) -> Result<Vec<read::Check>>;
    /// The home's state as one hash, 64 hexadecimal digits.
    async fn digest(&self) -> Result<String>;

    /// Where files of archived months lie: whatever finds an event without its body looks there.
    fn keep_archive(&self, folder: PathBuf);
    /// The months of events there are, oldest first.
    async fn months(&self) -> Result<Vec<archive::Month>>;
    /// The events of a month with their bodies, by place.
    async fn month_rows(&self, month: i64, out: mpsc::Sender<Vec<archive::Row>>) -> Result<()>;
    /// A month's events are in a file: notes so, and forgets their bodies and what they were called by their sources.
    /// What is noted already is not noted again, but forgotten to its end.
    async fn month_archived(&self, month: i64, file: &str, events: i64, hash: &str) -> Result<()>;

    /// Everything the home remembers, table by table, in one snapshot; and the digest of that snapshot.
    async fn dump(&self, out: dump::Out) -> Result<String>;
    /// Fills an empty home from a dump, all of it or nothing.
    async fn fill(&self, rows: dump::In) -> Result<()>;

    /// Whose these names are, and when each was seen last.
    async fn borne(&self, hashes: Vec<LookupHash>) -> Result<Vec<(LookupHash, MemberId, Ts)>>;
    /// Names that were given up, newest first; at most `limit`.
    async fn given_up(&self, limit: usize) -> Result<Vec<read::GivenUp>>;
    /// Forgets names that items before a place gave up, at most `limit` of them, the oldest first; how many.
    async fn forget_given_up(&self, before: i64, limit: usize) -> Result<u64>;
    /// Names of these members, as (member, namespace, value), sorted.
    async fn identifiers_of(&self, members: Vec<MemberId>) -> Result<Vec<(MemberId, String, String)>>;
    /// Puts likely doubles into the queue, all or none. A pair that is open already is as it was found now; one that was
    /// decided stays as it is. How many are new.
    async fn put_suggestions(&self, found: Vec<suggestion::NewSuggestion>, at: Ts) -> Result<usize>;
    /// Suggestions in a state, or all: the likeliest first, then by number; at most `limit`.
    async fn suggestions(
        &self,
        state: Option<suggestion::State>,
        limit: usize,
    ) -> Result<Vec<suggestion::Suggestion>>;
    /// A suggestion by its number.
    async fn suggestion(&self, no: i64) -> Result<Option<suggestion::Suggestion>>;
    /// Decides a suggestion that is open; one that was decided stays as it is. How it stands then; `None` if there is none
    /// of this number.
    async fn decide_suggestion(
        &self,
        no: i64,
        state: suggestion::State,
        by: &str,
        at: Ts,
    ) -> Result<Option<suggestion::Suggestion>>;
    /// What it keeps of who may do what, and of what they did.
    fn access(&self) -> &dyn access::Access;
    /// What it keeps of coupons, pools and campaigns.
    fn coupons(&self) -> &dyn coupons::Coupons;
    /// What it keeps of draws.
    fn draws(&self) -> &dyn draws::Draws;
    /// What it keeps of tills that sell without a network.
    fn tills(&self) -> &dyn tills::Tills;
    /// What it keeps of its books by month.
    fn closing(&self) -> &dyn closing::Closing;
    /// What it keeps of whom it tells, and what they were told.
    fn webhooks(&self) -> &dyn webhooks::Webhooks;
    /// The version of the brand's tree: it moves with every change.
    async fn places_version(&self) -> Result<i64>;
    /// The brand's tree whole, in one snapshot.
    async fn places(&self) -> Result<places::Whole>;
    /// The places as they were at an instant.
    async fn places_at(&self, at: Ts) -> Result<Vec<zhiyin_model::place::Place>>;
    /// One place with its history and its staff.
    async fn place(&self, code: &str) -> Result<Option<places::PlaceWhole>>;
    /// Edits the tree: all of it or nothing. Said twice it changes nothing the second time.
    async fn change_places(&self, change: places::Change) -> Result<places::Edited>;
    /// The stores that orders name, by what they call them.
    async fn stores_seen(&self) -> Result<Vec<places::StoreSeen>>;
    /// Sums by store, as of an instant, in the order of their names; what names no store first.
    async fn store_sums(&self, as_of: read::AsOf) -> Result<Vec<places::StoreSums>>;
    /// One line a member who belongs to one of these stores or ordered there, as of an instant.
    async fn member_lines_of(&self, as_of: read::AsOf, stores: Vec<String>) -> Result<Vec<places::CutLine>>;
    /// Sums of the ledger over members who belong to one of these stores, as of an instant.
    async fn ledger_lines_of(&self, as_of: read::AsOf, stores: Vec<String>) -> Result<Vec<read::LedgerLine>>;
    /// What became of an item of a source, by its message id; `None` if it never came, or its id is forgotten.
    async fn fate(&self, source: &str, message_id: &str) -> Result<Option<command::Came>>;
    /// Of each of these message ids of a source the hash of its body, if it came and its id is remembered.
    async fn came(&self, source: &str, message_ids: Vec<String>) -> Result<Vec<Option<[u8; 16]>>>;
    /// Lets go of the bodies of decided events of these names that happened before their instants, among the next `limit`
    /// items after a place, in the order of places. Bodies in files of archived months stay there.
    async fn let_go(&self, before: BTreeMap<String, Ts>, after: i64, limit: usize) -> Result<LetGo>;
    /// What passed with each partner, as of an instant.
    async fn partner_sums(&self, at: Ts) -> Result<BTreeMap<String, partner::PartnerSums>>;
    /// What a source of a take-over came to.
    async fn taken_over(&self, source: &str) -> Result<takeover::TakenOver>;
    /// What people look up, a part at a time.
    fn reading(&self) -> &dyn reading::Reading;
    /// Members with all that happened to them, many at once.
    fn crowd(&self) -> &dyn crowd::Crowd;
    /// Lists of members that were uploaded by hand.
    fn lists(&self) -> &dyn lists::Lists;
    /// What it does about personal data; `None` for what is not a home of its own.
    fn personal(&self) -> Option<&dyn personal::Personal> {
        None
    }
}
