//! What people look up and page through: members by what they are found by, one member's timeline and orders, dead letters,
//! what came in. Everything here is bounded: so many rows are looked at for one part, whatever there is.
//!
//! The index by which members are found ([`FoundBy`]) holds keys that are hashes; what they are hashes of only the room of
//! decisions knows.

use std::collections::BTreeMap;

use async_trait::async_trait;
use zhiyin_model::effect::{Hold, Order};
use zhiyin_model::id::{EventId, MemberId};
use zhiyin_model::member::Member;
use zhiyin_model::time::Ts;

use crate::read::{DeadLetter, TransferLine};
use crate::seal::Sealed;
use crate::{PastEvent, Result, packed};

/// What a member is found by from now on; nothing else finds them any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundBy {
    /// Who.
    pub member: MemberId,
    /// Keys of the index.
    pub keys: Vec<i64>,
}

/// Where a list goes on: a store's own, in the order in which that store lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot(pub Vec<u8>);

/// Which members are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// Found by this key of the index; all, without one.
    pub key: Option<i64>,
    /// Of this tier level.
    pub tier: Option<String>,
    /// In this lifecycle stage.
    pub stage: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// In this standing audience.
    pub audience: Option<String>,
}

impl Which {
    /// Whether a member of a tier, a stage, tags (as the row has them: a JSON object by tag) and audiences (as they are packed
    /// in it) is one of them.
    pub fn admits(
        &self,
        tier: Option<&str>,
        stage: Option<&str>,
        tags: &str,
        audiences: Option<&[u8]>,
    ) -> bool {
        let is = |asked: &Option<String>, is: Option<&str>| asked.is_none() || asked.as_deref() == is;
        let has = |tag: &String| {
            let held = serde_json::from_str::<BTreeMap<String, serde::de::IgnoredAny>>(tags);
            held.is_ok_and(|held| held.contains_key(tag))
        };
        let is_in = |audience: &String| {
            let memberships = packed::unpack_memberships(audiences);
            memberships.is_ok_and(|memberships| memberships.since.contains_key(audience))
        };
        is(&self.tier, tier)
            && is(&self.stage, stage)
            && self.tag.as_ref().is_none_or(has)
            && self.audience.as_ref().is_none_or(is_in)
    }
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Those among the rows looked at that are listed, each with where the list goes on after them.
    pub members: Vec<(Spot, MemberId)>,
    /// Where the list goes on after all that was looked at; `None` at its end.
    pub next: Option<Spot>,
}

/// A part of a member's timeline.
#[derive(Clone, Debug, Default)]
pub struct Stretch<T> {
    /// What was found.
    pub rows: Vec<T>,
    /// The place at which it goes on; `None` at the end.
    pub next: Option<i64>,
}

/// An event of a member's timeline with what was booked for it.
#[derive(Clone, Debug)]
pub struct Happened {
    /// Its place.
    pub seq: i64,
    /// Its id.
    pub id: EventId,
    /// When it happened.
    pub time: Ts,
    /// Event name.
    pub name: String,
    /// Who sent it; the home itself for what was derived.
    pub source: String,
    /// Of what was derived, the item; erased, or empty where its month was archived and the file does not have it.
    pub body: Option<Sealed>,
    /// Transfers that it caused, in their order.
    pub transfers: Vec<TransferLine>,
}

/// Which dead letters are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letters {
    /// Of this code.
    pub code: Option<String>,
    /// Of this source.
    pub source: Option<String>,
    /// Below this place.
    pub before: Option<i64>,
}

/// A source, and what came from it lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSeen {
    /// What it is called.
    pub source: String,
    /// Items among those looked at.
    pub items: i64,
    /// When the latest of them was accepted, in business time.
    pub last: Option<Ts>,
}

/// Looking up, a part at a time.
#[async_trait]
pub trait Reading: Send + Sync {
    /// Members after a spot in the store's order, which stays as it is while members come in; at most `look` are looked at.
    async fn list(&self, which: Which, after: Option<Spot>, look: usize) -> Result<Part>;
    /// How many members are in each standing audience; those in which nobody is are not among them. Reads every member's row:
    /// for checks and for homes that keep no columns.
    async fn audience_counts(&self) -> Result<BTreeMap<String, u64>>;
    /// These members, in any order; who does not exist is not among them. Not for decisions.
    async fn members(&self, ids: Vec<MemberId>) -> Result<Vec<Member>>;
    /// Who a member is now, if they ended because they are somebody else.
    async fn root(&self, member: MemberId) -> Result<Option<MemberId>>;
    /// Who ended because they are this member, and since when, by id; at most `limit`.
    async fn aliases(&self, member: MemberId, limit: usize) -> Result<Vec<(MemberId, Ts)>>;
    /// What is promised of a member's accounts and still open, by id; at most `limit`.
    async fn open_holds(&self, member: MemberId, limit: usize) -> Result<Vec<Hold>>;

    /// A member's timeline from a place on (from its end without one), the latest decided first, at most `limit` events;
    /// `None` if that place is not in it.
    async fn timeline_part(
        &self,
        member: MemberId,
        from: Option<i64>,
        limit: usize,
    ) -> Result<Option<Stretch<Happened>>>;
    /// A member's orders with the events of their lines, where the timeline brought them: the latest first, at most `limit`,
    /// among the next `look` events of the timeline. `None` if that place is not in it.
    async fn orders_part(
        &self,
        member: MemberId,
        from: Option<i64>,
        (limit, look): (usize, usize),
    ) -> Result<Option<Stretch<(Order, PastEvent)>>>;

    /// Dead letters, newest first, at most `limit`.
    async fn letters(&self, which: Letters, limit: usize) -> Result<Vec<DeadLetter>>;
    /// Dead letters about a member among the latest `look`, newest first.
    async fn letters_about(&self, member: MemberId, look: usize) -> Result<Vec<DeadLetter>>;
    /// How many dead letters there are by code.
    async fn letter_codes(&self) -> Result<Vec<(String, i64)>>;
    /// All sources but the home itself by name, each with what came from it among the latest `look` events.
    async fn sources_seen(&self, look: usize) -> Result<Vec<SourceSeen>>;

    /// Members are found by this from now on, unless something was decided for them since they were read; how many were
    /// written. Each comes with up to when something was decided for them when they were read.
    async fn put_found_by(&self, found: Vec<(FoundBy, Ts)>) -> Result<usize>;
}
