//! The door: what becomes of items, in the order in which they are accepted, once it is known what was there before. No
//! statement runs in here.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use zhiyin_model::id::{EventId, MemberId};
use zhiyin_model::time::Ts;
use zhiyin_store::merge::{self, Merge};
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
    /// Members whom somebody parted, both ways round.
    pub(crate) apart: BTreeSet<(MemberId, MemberId)>,
    /// What sources call items that may show who is whom, where a sealed home has them hashed.
    pub(crate) called: BTreeMap<EventId, String>,
}

/// What the door says of who is whom, before the item that shows it.
pub(crate) struct Said {
    pub(crate) seq: i64,
    pub(crate) time: Ts,
    pub(crate) clock: i64,
    pub(crate) replay: bool,
    pub(crate) merge: Merge,
}

/// Names that change hands.
pub(crate) enum Hand<'a> {
    /// All of a member's, who ends.
    Merged { winner: MemberId, loser: MemberId, since: Ts },
    /// Some of a member's, that are somebody new's.
    Parted { from: MemberId, to: MemberId, names: &'a [LookupHash] },
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
    merges: Vec<Said>,
    hands: Vec<Hand<'a>>,
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
    /// Who is whom.
    pub(crate) merges: Vec<Said>,
    /// Whose names are another's, in the order in which it was said.
    pub(crate) hands: Vec<Hand<'a>>,
}

impl<'a> Door<'a> {
    pub(crate) fn new(schemas: &'a Schemas, before: Before) -> Self {
        let rows = (0..schemas.shards()).map(|_| Rows::default()).collect();
        let (clock, last) = (before.clock, before.last);
        let (taken, claims) = (BTreeMap::new(), BTreeMap::new());
        let (merges, hands) = (Vec::new(), Vec::new());
        Self { schemas, before, taken, claims, clock, last, months: BTreeSet::new(), rows, merges, hands }
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
        self.merge(append, event, at);
        self.step();

        let known = event.names.iter().find_map(|named| self.whose(&named.hash));
        let member = known.unwrap_or(event.member);
        for named in &event.names {
            self.claim(named, member, event.time);
        }
        let parted = known.filter(|_| !event.parts.is_empty()).map(|_| self.part(event, member));
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
            reached: reached.or(parted).map(Uuid::from),
            called: event.called.as_ref().map(|called| called.0.as_slice()),
        });
        Receipt::Accepted
    }

    /// The next place.
    fn step(&mut self) {
        self.last = place::next(self.last, Ts(self.clock));
        self.months.insert(place::month_of(self.last));
    }

    /// Says who is one person, where the item shows it.
    fn merge(&mut self, append: &Append, event: &NewEvent, clock: i64) {
        let whose = |hash: &LookupHash| Ok::<_, Infallible>(self.whose(hash));
        let Ok(people) =
            merge::one_person(event, whose, |one, other| Ok(self.before.apart.contains(&(one, other))));
        let Some((winner, losers)) = people.split_first() else { return };
        for (n, loser) in losers.iter().enumerate() {
            self.step();
            let called = self.before.called.get(&event.id).unwrap_or(&event.message_id);
            let merge = merge::merge(event, (&append.source, called), n, *winner, *loser);
            self.merges.push(Said { seq: self.last, time: event.time, clock, replay: append.replay, merge });
            self.hands.push(Hand::Merged { winner: *winner, loser: *loser, since: event.time });
            self.hand_over(|_, member| if member == *loser { *winner } else { member });
        }
    }

    /// Names leave a member for somebody new.
    fn part(&mut self, event: &'a NewEvent, from: MemberId) -> MemberId {
        let to = event.member;
        self.hands.push(Hand::Parted { from, to, names: &event.parts });
        self.hand_over(|hash, member| if member == from && event.parts.contains(hash) { to } else { member });
        self.before.apart.extend([(from, to), (to, from)]);
        to
    }

    fn hand_over(&mut self, whose: impl Fn(&LookupHash, MemberId) -> MemberId) {
        for (hash, member) in &mut self.before.names {
            *member = whose(hash, *member);
        }
        for (hash, (_, member, _)) in &mut self.claims {
            *member = whose(hash, *member);
        }
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
        let (merges, hands) = (self.merges, self.hands);
        Accepted { moved, months: self.months, rows: self.rows, names, merges, hands }
    }
}
