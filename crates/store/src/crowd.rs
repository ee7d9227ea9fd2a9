//! Members with all that happened to them, many at once: what audiences are built of, and by which they are kept fresh.
//!
//! A part of members costs a few statements, however many there are. What is read of one is not of one instant where the
//! store says so; whoever changed meanwhile stands in the [feed](crate::feed), and is read again.

use async_trait::async_trait;
use zhiyin_model::effect::Order;
use zhiyin_model::event::names;
use zhiyin_model::id::{MemberId, OrderId};
use zhiyin_model::member::Member;
use zhiyin_model::money::Money;
use zhiyin_model::time::Ts;

use crate::feed::{Horizon, Position};
use crate::{PastEvent, Result};

/// Events that come into history as orders, and are not counted as events beside.
pub const AS_ORDERS: [&str; 2] = [names::ORDER_COMPLETED, names::ORDER_UPDATED];

/// A member with all that happened to them.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The member.
    pub member: Member,
    /// All their orders, each with the event of its lines, in any order.
    pub orders: Vec<(Order, PastEvent)>,
    /// Events that were decided for them, but for those of [`AS_ORDERS`] and what was only said of them by other events; in
    /// any order.
    pub events: Vec<PastEvent>,
    /// Lists that were uploaded by hand on which they are, by name.
    pub lists: Vec<String>,
}

impl Whole {
    /// Everything of their past that has a body.
    pub fn past(&self) -> impl Iterator<Item = &PastEvent> {
        self.orders.iter().map(|(_, lines)| lines).chain(&self.events)
    }

    /// The same, to be filled in.
    pub fn past_mut(&mut self) -> impl Iterator<Item = &mut PastEvent> {
        self.orders.iter_mut().map(|(_, lines)| lines).chain(&mut self.events)
    }
}

/// A member with what was decided for them, event by event: what a replay of their life begins with.
#[derive(Clone, Debug)]
pub struct Course {
    /// The member as they are now.
    pub member: Member,
    /// Events that were decided for them, in the order in which they were; not what was only said of them by other events.
    pub steps: Vec<CourseStep>,
}

/// An event as its decision saw it.
#[derive(Clone, Debug)]
pub struct CourseStep {
    /// What it says.
    pub event: PastEvent,
    /// Who sent it.
    pub source: String,
    /// Business time at which it was accepted.
    pub clock: Ts,
}

/// An item of a member's that was refused. What was due for them before it fired all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Whose.
    pub member: MemberId,
    /// Its place: it was looked at before their items at later places.
    pub seq: i64,
    /// What it calls itself.
    pub name: String,
    /// When it says it happened.
    pub time: Ts,
    /// Business time at which it was accepted.
    pub clock: Ts,
}

/// How an order stood at an instant, if it changed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderThen {
    /// Which.
    pub order: OrderId,
    /// What was paid.
    pub paid: Money,
    /// What had come back.
    pub refunded: Money,
    /// Whether it counted.
    pub counts: bool,
}

/// Many members at once.
#[async_trait]
pub trait Crowd: Send + Sync {
    /// Members after one, in the order of ids; at most `limit`. Fewer only at the end.
    async fn after(&self, after: Option<MemberId>, limit: usize) -> Result<Vec<Whole>>;
    /// These members, in the order of ids; who does not exist (any more) is not among them.
    async fn these(&self, members: Vec<MemberId>) -> Result<Vec<Whole>>;
    /// Members after one, in the order of ids, each with what was decided for them; at most `limit`. Fewer only at the end.
    async fn courses(&self, after: Option<MemberId>, limit: usize) -> Result<Vec<Course>>;
    /// Items that were refused and are dead letters still, by place, at most `limit`; but not those that no decision looked at
    /// (whose member was erased before, or that broke it).
    async fn refused(&self, limit: usize) -> Result<Vec<Refused>>;
    /// Orders that were there at an instant and changed after it, as they stood then; in any order.
    async fn orders_then(&self, at: Ts) -> Result<Vec<OrderThen>>;
    /// Where a consumer of the feed stands, if there is one of this name.
    async fn followed(&self, consumer: &str) -> Result<Option<Position>>;
    /// All consumers of the feed and where each stands, by name.
    async fn followers(&self) -> Result<Vec<(String, Position)>>;
    /// The end of the feed: where a consumer would stand who came now.
    async fn feed_end(&self) -> Result<Position>;
    /// How far transactions hold the feed back.
    async fn feed_horizon(&self) -> Result<Horizon>;
    /// A consumer follows the feed no longer: it holds up nobody's forgetting.
    async fn unfollow(&self, consumer: &str) -> Result<()>;
}
