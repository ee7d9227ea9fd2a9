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
    /// Orders that were there at an instant and changed after it, as they stood then; in any order.
    async fn orders_then(&self, at: Ts) -> Result<Vec<OrderThen>>;
    /// Where a consumer of the feed stands, if there is one of this name.
    async fn followed(&self, consumer: &str) -> Result<Option<Position>>;
    /// How far transactions hold the feed back.
    async fn feed_horizon(&self) -> Result<Horizon>;
    /// A consumer follows the feed no longer: it holds up nobody's forgetting.
    async fn unfollow(&self, consumer: &str) -> Result<()>;
}
