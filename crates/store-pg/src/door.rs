//! The door: what becomes of items, in the order in which they are accepted, once it is known what was there before. No
//! statement runs in here.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use zhiyin_model::id::{EventId, MemberId};
use zhiyin_model::time::Ts;
use zhiyin_store::merge::{self, Merge};
use zhiyin_store::seal::LookupHash;
use zhiyin_store::seal::hands::must_be_anew;
use zhiyin_store::settle::{self, Bears, Fate, Register, Settled};
use zhiyin_store::turn::place;
use zhiyin_store::{Append, Named, NewEvent, Receipt};

use crate::batch;
use crate::rows::Uuid;
use crate::schemas::Schemas;

/// What was there before.
#[derive(Clone, Default)]
pub(crate) struct Before {
    /// The latest business time at which something was accepted.
    pub(crate) clock: i64,
    /// The last place.
    pub(crate) last: i64,
    /// Items, with the hashes of their bodies.
    pub(crate) messages: BTreeMap<(i32, String), [u8; 16]>,
    /// Names, and whose they are, since when.
    pub(crate) names: BTreeMap<LookupHash, (MemberId, Ts)>,
    /// When names were seen last that are believed for a time only, and in how many hands they were before.
    pub(crate) seen: BTreeMap<LookupHash, (Ts, u32)>,
    /// How often somebody was erased.
    pub(crate) erasures: i64,
    /// What members bear whose names may count.
    pub(crate) bears: BTreeMap<MemberId, BTreeMap<LookupHash, Bears>>,
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
    /// One that is believed no longer of whoever bore it.
    TakenOver { to: MemberId, named: &'a Named, since: Ts },
}

/// An item that must be sealed anew: which of which append, and by what.
pub(crate) struct Anew {
    pub(crate) append: usize,
    pub(crate) item: usize,
    pub(crate) fates: Vec<Fate>,
    pub(crate) hands: Vec<u32>,
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
    seen: BTreeMap<LookupHash, (Ts, u32)>,
    given_up: batch::GivenUps<'a>,
    /// Items that must be sealed anew, where the home is sealed.
    pub(crate) anew: Vec<Anew>,
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
    /// When names were seen that are believed for a time only.
    pub(crate) seen: batch::Seens,
    /// Names that were given up.
    pub(crate) given_up: batch::GivenUps<'a>,
}

impl<'a> Door<'a> {
    pub(crate) fn new(schemas: &'a Schemas, before: Before) -> Self {
        let rows = (0..schemas.shards()).map(|_| Rows::default()).collect();
        let (clock, last) = (before.clock, before.last);
        let (taken, claims) = (BTreeMap::new(), BTreeMap::new());
        let (merges, hands, months) = (Vec::new(), Vec::new(), BTreeSet::new());
        let (seen, given_up, anew) = (BTreeMap::new(), batch::GivenUps::default(), Vec::new());
        Self {
            schemas,
            before,
            taken,
            claims,
            clock,
            last,
            months,
            rows,
            merges,
            hands,
            seen,
            given_up,
            anew,
        }
    }

    /// Takes the items of the n-th append, in their order.
    pub(crate) fn take(&mut self, n: usize, append: &'a Append, source: i32) -> Vec<Receipt> {
        let items = append.events.iter().enumerate();
        items.map(|(item, event)| self.item((n, item), append, event, source)).collect()
    }

    fn item(
        &mut self,
        (n, item): (usize, usize),
        append: &'a Append,
        event: &'a NewEvent,
        source: i32,
    ) -> Receipt {
        if let Some(known) = self.known(source, &event.message_id) {
            return if known == event.body_hash { Receipt::Duplicate } else { Receipt::Reused };
        }
        self.taken.insert((source, &event.message_id), event.body_hash);
        let at = if append.replay { append.now.min(event.time).0 } else { self.clock.max(append.now.0) };
        self.clock = self.clock.max(at);
        let Ok(settled) = settle::settle(event, &append.identity, self);
        let hands = self.hands(event, &settled.fates);
        if must_be_anew(&settled.fates, &hands) {
            self.anew.push(Anew { append: n, item, fates: settled.fates.clone(), hands });
        }
        self.merge(append, event, at, &settled.people);
        self.step();

        let known = settled.people.first().copied();
        let member = known.unwrap_or(event.member);
        let given_up = self.settled(append, event, member, &settled);
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
        match given_up {
            0 => Receipt::Accepted,
            n => Receipt::AcceptedWithout(n),
        }
    }

    /// Notes what became of an item's names; how many were given up.
    fn settled(&mut self, append: &Append, event: &'a NewEvent, member: MemberId, settled: &Settled) -> u8 {
        let mut given_up = 0;
        for (named, fate) in event.names.iter().zip(&settled.fates) {
            match fate {
                Fate::Borne => {}
                Fate::Attached => drop(self.claim(named, member, event.time)),
                Fate::TakenOver => self.take_over(named, member, event.time),
                Fate::GivenUp(reason) => {
                    let (seq, no) = (self.last, i32::from(given_up));
                    let (namespace, reason) = (named.namespace.as_str(), reason.code());
                    self.given_up.push(batch::GivenUp { seq, no, namespace, reason });
                    given_up += 1;
                    continue;
                }
            }
            if append.identity.rule(&named.namespace).valid_days.is_some() {
                self.saw(&named.hash, event.time, *fate == Fate::TakenOver);
            }
        }
        given_up
    }

    /// In how many hands each of an item's names was before, whom it reaches last.
    fn hands(&self, event: &NewEvent, fates: &[Fate]) -> Vec<u32> {
        let names = event.names.iter().chain(event.reach.as_ref().map(|reach| &reach.named));
        let now = |n: usize| u32::from(fates.get(n) == Some(&Fate::TakenOver));
        names.enumerate().map(|(n, named)| self.hands_of(&named.hash) + now(n)).collect()
    }

    fn hands_of(&self, hash: &LookupHash) -> u32 {
        self.seen.get(hash).or_else(|| self.before.seen.get(hash)).map_or(0, |(_, hands)| *hands)
    }

    fn saw(&mut self, hash: &LookupHash, time: Ts, taken_over: bool) {
        let seen = match Register::seen(self, hash) {
            Ok(seen) => seen.max(time),
        };
        self.seen.insert(*hash, (seen, self.hands_of(hash) + u32::from(taken_over)));
        for bears in self.before.bears.values_mut() {
            if let Some(bears) = bears.get_mut(hash) {
                bears.seen = seen;
            }
        }
    }

    /// A name is somebody's of whose bearer it is believed no longer.
    fn take_over(&mut self, named: &'a Named, to: MemberId, since: Ts) {
        self.hands.push(Hand::TakenOver { to, named, since });
        match self.claims.get_mut(&named.hash) {
            Some((_, member, at)) => (*member, *at) = (to, since),
            None => drop(self.before.names.insert(named.hash, (to, since))),
        }
        for bears in self.before.bears.values_mut() {
            bears.remove(&named.hash);
        }
        self.bears_now(named, to, since);
    }

    fn bears_now(&mut self, named: &Named, member: MemberId, since: Ts) {
        let bears = Bears { namespace: named.namespace.clone(), since, seen: since };
        self.before.bears.entry(member).or_default().insert(named.hash, bears);
    }

    /// The next place.
    fn step(&mut self) {
        self.last = place::next(self.last, Ts(self.clock));
        self.months.insert(place::month_of(self.last));
    }

    /// Says who is one person, where the item shows it.
    fn merge(&mut self, append: &Append, event: &NewEvent, clock: i64, people: &[MemberId]) {
        let Some((winner, losers)) = people.split_first() else { return };
        for (n, loser) in losers.iter().enumerate() {
            self.step();
            let called = self.before.called.get(&event.id).unwrap_or(&event.message_id);
            let merge = merge::merge(event, (&append.source, called), n, *winner, *loser);
            self.merges.push(Said { seq: self.last, time: event.time, clock, replay: append.replay, merge });
            self.hands.push(Hand::Merged { winner: *winner, loser: *loser, since: event.time });
            self.hand_over(|_, member| if member == *loser { *winner } else { member });
            // Who was parted from either is parted from both.
            let apart = std::mem::take(&mut self.before.apart);
            let one = |member| if member == *loser { *winner } else { member };
            let apart = apart.into_iter().map(|(a, b)| (one(a), one(b)));
            self.before.apart = apart.filter(|(a, b)| a != b).collect();
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
        for (hash, (member, _)) in &mut self.before.names {
            *member = whose(hash, *member);
        }
        for (hash, (_, member, _)) in &mut self.claims {
            *member = whose(hash, *member);
        }
        let bears = std::mem::take(&mut self.before.bears);
        for (member, names) in bears {
            for (hash, name) in names {
                self.before.bears.entry(whose(&hash, member)).or_default().insert(hash, name);
            }
        }
    }

    fn known(&self, source: i32, message_id: &'a str) -> Option<[u8; 16]> {
        let taken = self.taken.get(&(source, message_id)).copied();
        // Hardly ever is anything there: then nothing is copied to look for it.
        let before = || self.before.messages.get(&(source, message_id.to_owned())).copied();
        taken.or_else(|| if self.before.messages.is_empty() { None } else { before() })
    }

    fn bearer(&self, hash: &LookupHash) -> Option<(MemberId, Ts)> {
        let before = self.before.names.get(hash).copied();
        before.or_else(|| self.claims.get(hash).map(|(_, member, since)| (*member, *since)))
    }

    /// Whose a name is: who bears it, or this one from now on.
    fn claim(&mut self, named: &'a Named, member: MemberId, since: Ts) -> MemberId {
        if let Some((known, _)) = self.bearer(&named.hash) {
            return known;
        }
        self.claims.insert(named.hash, (named, member, since));
        self.bears_now(named, member, since);
        member
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
        let mut seen = batch::Seens::default();
        for (hash, (at, hands)) in self.seen {
            let hands = i32::try_from(hands).unwrap_or(i32::MAX);
            seen.push(batch::Seen { hash: Uuid(hash), seen: at.0, hands });
        }
        let (merges, hands, given_up) = (self.merges, self.hands, self.given_up);
        Accepted { moved, months: self.months, rows: self.rows, names, merges, hands, seen, given_up }
    }
}

impl Register for Door<'_> {
    type Error = Infallible;

    fn whose(&mut self, hash: &LookupHash) -> Result<Option<MemberId>, Infallible> {
        Ok(self.bearer(hash).map(|(member, _)| member))
    }

    fn seen(&mut self, hash: &LookupHash) -> Result<Ts, Infallible> {
        let since = self.bearer(hash).map_or(Ts::MIN, |(_, since)| since);
        let seen = self.seen.get(hash).or_else(|| self.before.seen.get(hash));
        Ok(seen.map_or(since, |(seen, _)| since.max(*seen)))
    }

    fn bears(&mut self, member: MemberId) -> Result<Vec<Bears>, Infallible> {
        let names = self.before.bears.get(&member);
        Ok(names.map(|names| names.values().cloned().collect()).unwrap_or_default())
    }

    fn apart(&mut self, one: MemberId, other: MemberId) -> Result<bool, Infallible> {
        Ok(self.before.apart.contains(&(one, other)))
    }
}
