//! What a batch writes: everything that its decisions said, in one transaction, or nothing.

use zhiyin_model::effect::{Allocation, Lot, Order, PartnerMove, StageMove, TagMove, Transfer};
pub use zhiyin_model::effect::{Hold, OrderChange};
use zhiyin_model::event::Refusal;
use zhiyin_model::id::{CheckoutId, CouponId, EventId, MemberId, OrderId, TransferId};
use zhiyin_model::member::Term;
use zhiyin_model::time::Ts;

use crate::StoredMember;
use crate::campaigns::RunFlush;
use crate::checkouts::CheckoutSet;
use crate::coupons::CouponFlush;
use crate::reading::FoundBy;
use crate::seal::personal::Kept;
use crate::seal::{LookupHash, Sealed};
use crate::turn::Turn;

/// The effects of one batch.
#[derive(Clone, Debug, Default)]
pub struct Flush {
    /// The shares it was decided in, as they were held; a store refuses the flush when one has moved on or was taken over.
    pub turn: Turn,
    /// The inbox row up to which all of these shares is done now; `None` if none was decided.
    pub cursor: Option<i64>,
    /// Derived events of the queue that are done.
    pub drained: Vec<i64>,
    /// The version of the playbook under which the batch was decided.
    pub version: i64,
    /// Inbox rows that were decided, with their member: the timeline.
    pub decided: Vec<Decided>,
    /// Rows that could not be decided.
    pub dead: Vec<Dead>,
    /// Whom the rows that are done now might have reached: their shares may have waited for it.
    pub released: Vec<MemberId>,
    /// Derived events, timers that fired included.
    pub facts: Vec<Fact>,
    /// Members that are new or changed, whole, with their accounts and timers. Whoever `decided` or `facts` name is among
    /// them or known.
    pub members: Vec<StoredMember>,
    /// How the rows of these members are stored, one each: filled by the store on the way in.
    pub kept: Vec<Kept>,
    /// Members who were woken before anything was due for them, and when to wake them next. Nothing was decided for them,
    /// so they stay as they are otherwise, the version they were last decided under included.
    pub filed: Vec<(MemberId, Option<Ts>)>,
    /// Of members whose names changed: by what they are found from now on ([`crate::reading`]).
    pub found_by: Vec<FoundBy>,
    /// New identifiers.
    pub identifiers: Vec<NewIdentifier>,
    /// Orders that are new or changed, whole.
    pub orders: Vec<OrderSet>,
    /// How orders changed after they were first written.
    pub order_changes: Vec<OrderChange>,
    /// Transfers, in the order they were made.
    pub transfers: Vec<Transfer>,
    /// Lots that are new or changed, whole.
    pub lots: Vec<Lot>,
    /// What transfers took from which lots.
    pub allocations: Vec<Allocation>,
    /// Holds that are new or changed.
    pub holds: Vec<Hold>,
    /// New terms of tiers.
    pub terms: Vec<NewTerm>,
    /// Lifecycle moves.
    pub stages: Vec<StageMove>,
    /// Tags put on and taken off.
    pub tags: Vec<TagMove>,
    /// What passed between the brand and its partners.
    pub partners: Vec<PartnerMove>,
    /// Coupons, and what is taken of pools.
    pub coupons: CouponFlush,
    /// Checkouts that are new or changed, each once.
    pub checkouts: Vec<CheckoutSet>,
    /// What campaigns did, and what is said to members.
    pub runs: RunFlush,
    /// Members who end, and whose rows are another's from now on. Done before all else: what the batch writes comes on top.
    pub joined: Vec<Joined>,
    /// Rows that leave a member for another, who is among `members`. Done before all else, too.
    pub parted: Vec<Parted>,
}

impl Flush {
    /// Whom whoever follows the feed looks at anew: who is new or changed, and who ends.
    pub fn touched(&self) -> impl Iterator<Item = MemberId> + '_ {
        let ended = self.joined.iter().map(|joined| joined.loser);
        self.members.iter().map(|stored| stored.member.id).chain(ended)
    }
}

/// A member who ends because they are another.
#[derive(Clone, Copy, Debug)]
pub struct Joined {
    /// Who they are.
    pub winner: MemberId,
    /// Who ends. Their timeline comes below the winner's next event, above what the winner had.
    pub loser: MemberId,
}

/// Rows that leave a member.
#[derive(Clone, Debug)]
pub struct Parted {
    /// Whose they were.
    pub from: MemberId,
    /// Whose they are from now on.
    pub to: MemberId,
    /// Events that leave, by place, as they follow each other in the timeline, the first decided first.
    pub leave: Vec<i64>,
    /// Events that stay, likewise.
    pub stay: Vec<i64>,
    /// Orders that leave.
    pub orders: Vec<OrderId>,
    /// Lots that leave.
    pub lots: Vec<TransferId>,
    /// Holds that leave.
    pub holds: Vec<TransferId>,
    /// Coupons that leave.
    pub coupons: Vec<CouponId>,
    /// Checkouts that leave.
    pub checkouts: Vec<CheckoutId>,
}

/// An inbox row that was decided.
#[derive(Clone, Copy, Debug)]
pub struct Decided {
    /// Its place.
    pub seq: i64,
    /// Its id.
    pub id: EventId,
    /// Whom it was about.
    pub member: MemberId,
    /// When it happened.
    pub time: Ts,
}

/// An inbox row that could not be decided, and why.
#[derive(Clone, Debug)]
pub struct Dead {
    /// Its place.
    pub seq: i64,
    /// Whom it was about, where that was settled at the door.
    pub member: Option<MemberId>,
    /// Why.
    pub refusal: Refusal,
    /// When, in business time.
    pub at: Ts,
}

/// A derived event.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Hash of (cause, ordinal) or of the timer.
    pub id: EventId,
    /// Names its cause in words that no key and no database changes: what the digest calls it.
    pub message_id: String,
    /// The same sealed, where `message_id` is a hash on its way into the database.
    pub called: Option<Sealed>,
    /// Event name.
    pub name: String,
    /// About whom.
    pub member: MemberId,
    /// When.
    pub time: Ts,
    /// The clock of its cause.
    pub clock: Ts,
    /// Its item.
    pub body: Sealed,
    /// True when it is for someone else and waits in the queue.
    pub waits: bool,
    /// Where it waits: the inbox row that it comes from, at any remove.
    pub root: i64,
    /// Whether that is history.
    pub replay: bool,
}

/// An order to be written.
#[derive(Clone, Debug)]
pub struct OrderSet {
    /// As it is now.
    pub order: Order,
    /// Whose it was when it was loaded; `None` if there was none. A store refuses the flush when that is no longer so.
    pub was: Option<MemberId>,
}

/// An identifier that was not known.
#[derive(Clone, Debug)]
pub struct NewIdentifier {
    /// How it is found.
    pub hash: LookupHash,
    /// Its namespace.
    pub namespace: String,
    /// Its value.
    pub value: Sealed,
    /// Whom it points to.
    pub member: MemberId,
    /// Since when.
    pub since: Ts,
}

/// A term with its cause.
#[derive(Clone, Debug)]
pub struct NewTerm {
    /// Who.
    pub member: MemberId,
    /// Which.
    pub term: Term,
    /// Why.
    pub event: EventId,
}
