//! The door: what becomes of items, in the order in which they are accepted, once it is known what was there before. No
//! statement runs in here.

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::seal::LookupHash;
use zhiyin_store::turn::place;
use zhiyin_store::{Append, Named, NewEvent, Receipt};

use crate::batch;
use crate::rows::Uuid;
use crate::schemas::Schemas;

/// What was there before.
#[derive(Default)]
pub(crate) struct Before {
    /// The latest business time at which something was accepted.
    pub(crate) clock: i64,
    /// The last place.
    pub(crate) last: i64,
    /// Items, with the hashes of their bodies.
    pub(crate) messages: BTreeMap<(i32, String), [u8; 16]>,
    /// Names, and whose they are.
    pub(crate) names: BTreeMap<LookupHash, MemberId>,
}

/// The rows that go to one shard.
#[derive(Default)]
pub(crate) struct Rows<'a> {
    pub(crate) messages: batch::Messages<'a>,
    pub(crate) events: batch::Events<'a>,
}

/// Items being accepted.
pub(crate) struct Door<'a> {
    schemas: &'a Schemas,
    before: Before,
    /// Items of this transaction, with the hashes of their bodies.
    taken: BTreeMap<(i32, &'a str), [u8; 16]>,
    /// Names of this transaction that were nobody's.
    claims: BTreeMap<LookupHash, (&'a Named, MemberId, Ts)>,
    clock: i64,
    last: i64,
    months: BTreeSet<i64>,
    rows: Vec<Rows<'a>>,
}

/// What is to be written.
pub(crate) struct Accepted<'a> {
    /// The latest business time and the last place from now on; `None` if nothing was accepted.
    pub(crate) moved: Option<(i64, i64)>,
    /// The months of the places.
    pub(crate) months: BTreeSet<i64>,
    /// Rows by shard.
    pub(crate) rows: Vec<Rows<'a>>,
    /// New names by shard, in the order of their hashes.
    pub(crate) names: Vec<batch::Identifiers<'a>>,
}

impl<'a> Door<'a> {
    pub(crate) fn new(schemas: &'a Schemas, before: Before) -> Self {
        let rows = (0..schemas.shards()).map(|_| Rows::default()).collect();
        let (clock, last) = (before.clock, before.last);
        let (taken, claims) = (BTreeMap::new(), BTreeMap::new());
        Self { schemas, before, taken, claims, clock, last, months: BTreeSet::new(), rows }
    }

    /// Takes the items of one append, in their order.
    pub(crate) fn take(&mut self, append: &'a Append, source: i32) -> Vec<Receipt> {
        append.events.iter().map(|event| self.item(append, event, source)).collect()
    }

    fn item(&mut self, append: &'a Append, event: &'a NewEvent, source: i32) -> Receipt {
        if let Some(known) = self.known(source, &event.message_id) {
            return if known == event.body_hash { Receipt::Duplicate } else { Receipt::Reused };
        }
        self.taken.insert((source, &event.message_id), event.body_hash);
        let at = if append.replay { append.now.min(event.time).0 } else { self.clock.max(append.now.0) };
        self.clock = self.clock.max(at);
        self.last = place::next(self.last, Ts(self.clock));
        self.months.insert(place::month_of(self.last));

        let known = event.names.iter().find_map(|named| self.whose(&named.hash));
        let member = known.unwrap_or(event.member);
        for named in &event.names {
            self.claim(named, member, event.time);
        }
        let reached = event.reach.as_ref().map(|reach| self.claim(&reach.named, reach.member, event.time));

        let (slot, seq) = (self.schemas.slot_of(member), self.last);
        let shard = self.schemas.shard_of_message(source, &event.message_id);
        let (message_id, body_hash) = (event.message_id.as_str(), Uuid(event.body_hash));
        self.rows[shard].messages.push(batch::Message { source, message_id, body_hash, seq });
        self.rows[self.schemas.shard_of_slot(slot)].events.push(batch::Event {
            seq,
            id: event.id.into(),
            slot,
            source,
            message_id,
            name: &event.name,
            time: event.time.0,
            clock: at,
            derived: 0,
            replay: append.replay,
            body: &event.body.0,
            member: member.into(),
            reached: reached.map(Uuid::from),
            called: event.called.as_ref().map(|called| called.0.as_slice()),
        });
        Receipt::Accepted
    }

    fn known(&self, source: i32, message_id: &'a str) -> Option<[u8; 16]> {
        let taken = self.taken.get(&(source, message_id)).copied();
        // Hardly ever is anything there: then nothing is copied to look for it.
        let before = || self.before.messages.get(&(source, message_id.to_owned())).copied();
        taken.or_else(|| if self.before.messages.is_empty() { None } else { before() })
    }

    fn whose(&self, hash: &LookupHash) -> Option<MemberId> {
        self.before.names.get(hash).copied().or_else(|| self.claims.get(hash).map(|(_, member, _)| *member))
    }

    /// Whose a name is: who bears it, or this one from now on.
    fn claim(&mut self, named: &'a Named, member: MemberId, since: Ts) -> MemberId {
        match self.before.names.get(&named.hash) {
            Some(known) => *known,
            None => self.claims.entry(named.hash).or_insert((named, member, since)).1,
        }
    }

    /// What is to be written.
    pub(crate) fn accepted(self) -> Accepted<'a> {
        let mut names: Vec<batch::Identifiers<'a>> =
            (0..self.schemas.shards()).map(|_| batch::Identifiers::default()).collect();
        for (hash, (named, member, since)) in self.claims {
            names[self.schemas.shard_of_hash(&hash)].push(batch::Identifier {
                hash: Uuid(hash),
                namespace: &named.namespace,
                value: &named.value.0,
                member: member.into(),
                since: since.0,
            });
        }
        let moved = (self.last != self.before.last).then_some((self.clock, self.last));
        Accepted { moved, months: self.months, rows: self.rows, names }
    }
}
