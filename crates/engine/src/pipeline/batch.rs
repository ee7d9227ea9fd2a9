//! One batch: what was loaded, what has been decided so far, and the flush it becomes.

mod alike;
mod shared;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::oneshot;
use zhiyin_decide::naming::FoundBy;
use zhiyin_decide::outcome::{Emitted, Known, KnownCheckout, Missing, Outcome, Stop};
use zhiyin_decide::state::State;
use zhiyin_decide::{Cause, order};
use zhiyin_model::coupon::codes::CodeLot;
use zhiyin_model::coupon::{PoolTake, issue_count};
use zhiyin_model::effect::Order;
use zhiyin_model::event::{self, Event, Identifier, Origin, Refusal};
use zhiyin_model::id::{CheckoutId, EventId, MemberId, OrderId};
use zhiyin_model::till::Lease;
use zhiyin_model::time::Ts;
use zhiyin_store::campaigns::NoteSet;
use zhiyin_store::flush::{Dead, Decided, Fact, Flush, NewIdentifier, NewTerm, OrderSet};
use zhiyin_store::seal::{self, LookupHash};
use zhiyin_store::turn::Turn;
use zhiyin_store::{Home, Loaded, Store, StoreError, StoredMember, Waiting, Wanted, reading};

use super::item::item;
use super::{Cache, lookup};
use crate::{Decisions, EngineError, Live, Result, clock, rebuild};
pub(super) use shared::Carried;

/// One batch in the making.
pub(super) struct Batch<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) live: &'a Live,
    pub(super) home: &'a Home,
    pub(super) cache: &'a mut Cache,
    pub(super) decisions: Decisions,
    orders: BTreeMap<OrderId, Order>,
    /// Whose they were when they were loaded.
    orders_were: BTreeMap<OrderId, MemberId>,
    /// Whom the names of items point to that an older program accepted.
    found: BTreeMap<LookupHash, MemberId>,
    pub(super) changed: BTreeSet<MemberId>,
    /// Up to which instant all that was due for a member has fired in this batch.
    pub(super) settled: BTreeMap<MemberId, Ts>,
    orders_changed: BTreeSet<OrderId>,
    /// What is taken of pools, by this batch too.
    pools: Arc<BTreeMap<String, i64>>,
    /// Uploads of partners' codes, by offer.
    codes: Arc<BTreeMap<String, Vec<CodeLot>>>,
    /// Checkouts that were looked up, as this batch leaves them.
    checkouts: BTreeMap<CheckoutId, Option<KnownCheckout>>,
    /// Leases of tills that were looked up.
    leases: BTreeMap<String, Option<Arc<Lease>>>,
    /// Members who may be of shares of others: written with the batch, and not remembered.
    pub(super) guests: Vec<MemberId>,
    /// Until this is told, what was decided before may not be in the record.
    before: Option<oneshot::Receiver<()>>,
    /// Members who were read for this batch only: written with it, and not remembered. So a sweep through everybody holds a batch
    /// of them, and those whom events brought stay.
    pub(super) passing: BTreeSet<MemberId>,
    /// About whom nothing more is decided here: what was said to them comes first, or their rows move with this batch.
    pub(super) closed: BTreeSet<MemberId>,
    pub(super) flush: Flush,
    /// Timers fired, and time spent on loading: told, never decided by.
    pub(super) fired: u64,
    pub(super) loading: Duration,
}

/// Whether the batch can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Go {
    On,
    Cut,
}

/// An event that was read, or why it cannot be.
struct Read {
    event: std::result::Result<Event, Refusal>,
    /// How its names are found, and that of whom it may reach: only where the door did not settle them.
    hashes: Vec<LookupHash>,
    reach: Option<(LookupHash, Identifier)>,
    order: Option<OrderId>,
}

/// What an event's derived events are told by.
#[derive(Clone, Copy)]
pub(super) struct Told {
    /// Whom it may reach.
    pub(super) reaches: Option<MemberId>,
    /// The inbox row that it comes from.
    pub(super) root: i64,
    /// Whether that is history: then what is told is, too.
    pub(super) replay: bool,
}

impl Told {
    /// By something that comes from no row, and reaches nobody.
    pub(super) const NOBODY: Self = Self { reaches: None, root: 0, replay: false };

    /// By a row.
    pub(super) fn by(row: &Waiting, reaches: Option<MemberId>) -> Self {
        Self { reaches, root: row.root, replay: row.replay }
    }
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        store: &'a dyn Store,
        live: &'a Live,
        home: &'a Home,
        (turn, cache): (&Turn, &'a mut Cache),
        decisions: Decisions,
    ) -> Self {
        let flush = Flush { turn: turn.clone(), version: live.version.version, ..Flush::default() };
        Self {
            store,
            live,
            home,
            cache,
            decisions,
            orders: BTreeMap::new(),
            orders_were: BTreeMap::new(),
            found: BTreeMap::new(),
            changed: BTreeSet::new(),
            settled: BTreeMap::new(),
            orders_changed: BTreeSet::new(),
            pools: Arc::default(),
            codes: Arc::default(),
            checkouts: BTreeMap::new(),
            leases: BTreeMap::new(),
            guests: Vec::new(),
            before: None,
            passing: BTreeSet::new(),
            closed: BTreeSet::new(),
            flush,
            fired: 0,
            loading: Duration::ZERO,
        }
    }

    /// Decides events in order; how many were decided, dead letters counted and told apart.
    pub(super) async fn events(&mut self, rows: &[Waiting]) -> Result<(usize, usize)> {
        let read: Vec<Read> = rows.iter().map(|row| self.read(row)).collect::<Result<_>>()?;
        let identifiers: BTreeSet<LookupHash> = read
            .iter()
            .flat_map(|read| read.hashes.iter().copied().chain(read.reach.as_ref().map(|(hash, _)| *hash)))
            .collect();
        let orders: BTreeSet<OrderId> = read.iter().filter_map(|read| read.order).collect();
        let members: BTreeSet<MemberId> = rows.iter().filter_map(|row| row.member).collect();
        self.load(Wanted {
            identifiers: identifiers.into_iter().collect(),
            members: members.into_iter().collect(),
            orders: orders.into_iter().collect(),
        })
        .await?;
        let done = self.each(rows, read).await?;
        Ok((done, self.flush.dead.len()))
    }

    /// Decides events in order whose members were loaded; how many were decided.
    pub(super) async fn items(&mut self, rows: &[Waiting]) -> Result<usize> {
        let read = self.read_alike(rows)?;
        let orders: Vec<OrderId> = read.iter().filter_map(|read| read.order).collect();
        if !orders.is_empty() {
            self.load(Wanted { orders, ..Wanted::default() }).await?;
        }
        self.each(rows, read).await
    }

    async fn each(&mut self, rows: &[Waiting], read: Vec<Read>) -> Result<usize> {
        let mut done = 0;
        for (row, read) in rows.iter().zip(read) {
            let before = self.flush.decided.len() + self.flush.dead.len();
            // What breaks down may have changed a state in part: the whole batch is forgotten and made again without this
            // event, so nothing of it is seen.
            let one = AssertUnwindSafe(self.one(row, read)).catch_unwind().await;
            let go = one.map_err(|_| EngineError::Broken(row.seq))??;
            let decided = self.flush.decided.len() + self.flush.dead.len() > before;
            if decided {
                done += 1;
                self.flush.released.extend(row.reaches);
                if row.derived {
                    self.flush.drained.push(row.seq);
                } else {
                    self.flush.cursor = Some(row.seq);
                }
            }
            if go == Go::Cut {
                break;
            }
        }
        Ok(done)
    }

    /// Whether something of a member was decided here that is not written yet.
    pub(super) fn holds(&self, member: MemberId) -> bool {
        let theirs = |id: &OrderId| self.orders_were.get(id) == Some(&member);
        self.changed.contains(&member)
            || self.closed.contains(&member)
            || self.orders_changed.iter().any(theirs)
    }

    /// The flush that writes the batch.
    pub(super) fn finish(mut self) -> Result<Flush> {
        self.flush.members.reserve(self.changed.len());
        for id in std::mem::take(&mut self.changed) {
            let Some(state) = self.cache.states.get(&id) else { continue };
            let found_by = FoundBy::of(&state.member);
            let known = self.cache.found_by.get(&id);
            if known.map_or(!found_by.is_nothing(), |known| *known != found_by) {
                let keys = found_by.keys(&self.home.id_key);
                self.flush.found_by.push(reading::FoundBy { member: id, keys });
                self.cache.found_by.insert(id, found_by);
            }
            let leaves = state.leaves.pack();
            let wake = self.file(id);
            let fingerprint = self.live.rules.fingerprint.clone();
            let states = &mut self.cache.states;
            let member = if self.passing.contains(&id) {
                states.remove(&id).map(|state| state.member)
            } else {
                states.get(&id).map(|state| state.member.clone())
            };
            let stored = member.map(|member| StoredMember { member, leaves, fingerprint, wake });
            self.flush.members.extend(stored);
        }
        for guest in std::mem::take(&mut self.guests).into_iter().chain(std::mem::take(&mut self.passing)) {
            self.cache.states.remove(&guest);
            self.cache.wakes.remove(&guest);
            self.cache.found_by.remove(&guest);
        }
        for id in &self.orders_changed {
            let was = self.orders_were.get(id).copied();
            let order = self.orders.get(id).cloned();
            self.flush.orders.extend(order.map(|order| OrderSet { order, was }));
        }
        Ok(self.flush)
    }

    fn read(&self, row: &Waiting) -> Result<Read> {
        let key = &self.home.id_key;
        let refused = |code, message: &str| {
            Ok(Read {
                event: Err(Refusal::new(code, "", message)),
                hashes: Vec::new(),
                reach: None,
                order: None,
            })
        };
        if self.cache.broken.events.contains(&row.seq) {
            let message = "the decision broke down: a defect of this program, please report it";
            return refused("decision_broke", message);
        }
        let body = match seal::open(&row.body) {
            // Whom it was about was erased before it was decided.
            Err(StoreError::Erased) => return refused("erased", "the member was erased"),
            body => body?,
        };
        let origin = Origin { user_namespace: &row.user_namespace, default_time: Some(row.time) };
        let event = catch_unwind(|| event::read(body.as_bytes(), &origin));
        let event = event.map_err(|_| EngineError::Broken(row.seq))?;
        let mut read = Read { event, hashes: Vec::new(), reach: None, order: None };
        if let Ok(event) = &read.event {
            read.order = event.order.as_ref().map(|facts| order::id(key, facts));
            if row.member.is_none() {
                let names = event.identifiers.iter();
                read.hashes = names.map(|identifier| seal::lookup(key, identifier)).collect();
                read.reach = event.reaches().map(|to| (seal::lookup(key, &to), to));
            }
        }
        Ok(read)
    }

    /// Loads what is wanted and not in memory; aggregates built for another playbook are built anew.
    pub(super) async fn load(&mut self, mut wanted: Wanted) -> Result<()> {
        self.look_back().await;
        let watch = clock::stopwatch();
        wanted.members.retain(|member| !self.cache.states.contains_key(member));
        let loaded = self.store.load(wanted).await?;
        self.loading += watch.elapsed();
        self.hold(loaded).await
    }

    /// Takes what was loaded into memory.
    pub(super) async fn hold(&mut self, loaded: Loaded) -> Result<()> {
        let watch = clock::stopwatch();
        self.found.extend(loaded.identifiers);
        for stored in loaded.members {
            // Memory is ahead of the record.
            if self.cache.states.contains_key(&stored.member.id) {
                continue;
            }
            if let Some(wake) = stored.wake {
                self.cache.wakes.insert(stored.member.id, wake);
            }
            let found_by = FoundBy::of(&stored.member);
            if found_by.is_nothing() {
                self.cache.found_by.remove(&stored.member.id);
            } else {
                self.cache.found_by.insert(stored.member.id, found_by);
            }
            let state = rebuild::state(self.store, &self.live.rules, stored).await?;
            self.cache.states.insert(state.member.id, Box::new(state));
        }
        for order in loaded.orders {
            self.orders_were.insert(order.id, order.member);
            self.orders.insert(order.id, order);
        }
        self.loading += watch.elapsed();
        Ok(())
    }

    async fn one(&mut self, row: &Waiting, read: Read) -> Result<Go> {
        let event = match read.event {
            Ok(event) => event,
            Err(refusal) => {
                self.dead(row, refusal);
                return Ok(Go::On);
            }
        };
        let member = row.member.unwrap_or_else(|| {
            let found = read.hashes.iter().find_map(|hash| self.found.get(hash).copied());
            found.unwrap_or_else(|| self.home.id_key.derive("member", &[row.id.bytes()]))
        });
        let holder = read.order.and_then(|id| self.orders_were.get(&id));
        if self.closed.contains(&member) || holder.is_some_and(|holder| self.closed.contains(holder)) {
            return Ok(Go::Cut);
        }
        if let Some(go) = self.person(row, &event).await? {
            return Ok(go);
        }
        let known = self.cache.states.contains_key(&member);
        // An event may lie up to a day ahead of the clock: what falls due before it comes before it all the same.
        let clock = row.clock.max(event.time);
        if known && self.settle(member, clock).await? == Go::Cut {
            return Ok(Go::Cut);
        }
        let mut state = match self.cache.states.remove(&member) {
            Some(state) => state,
            None => Box::new(State::new(&self.live.rules, member, event.time)),
        };
        let dirty = self.changed.contains(&member);
        let name = format!("{}/{}", row.source, row.message_id);
        let cause = Cause { id: row.id, name: &name, clock: row.clock, replay: row.replay };
        let decided = self.decide(&mut state, &event, read.order, cause, dirty).await?;
        match decided {
            Answer::Cut => {
                if known {
                    self.cache.states.insert(member, state);
                }
                Ok(Go::Cut)
            }
            Answer::Refused(refusal) => {
                if known {
                    self.cache.states.insert(member, state);
                }
                self.dead(row, refusal);
                Ok(Go::On)
            }
            Answer::Made(outcome) => {
                self.changed.insert(member);
                self.identify(&event, &read.hashes, member);
                let reaches = row.reaches.or_else(|| self.reached(row, &event, read.reach));
                self.flush.decided.push(Decided { seq: row.seq, id: row.id, member, time: event.time });
                self.absorb(*outcome, cause, member, Told::by(row, reaches))?;
                self.cache.states.insert(member, state);
                self.settle(member, clock).await
            }
        }
    }

    /// Decides, looking up what the decision asks for. What a look-up would miss because this batch has changed it and
    /// not written it yet cuts the batch.
    async fn decide(
        &mut self,
        state: &mut State,
        event: &Event,
        order: Option<OrderId>,
        cause: Cause<'_>,
        dirty: bool,
    ) -> Result<Answer> {
        let order = order.and_then(|id| self.orders.get(&id).cloned());
        let (pools, codes) = (Arc::clone(&self.pools), Arc::clone(&self.codes));
        let live_since = self.home.live_since;
        let mut known = Known { order, pools, codes, live_since, ..Known::default() };
        loop {
            match (self.decisions.decide)(&self.live.rules, &self.home.id_key, state, &known, event, cause) {
                Ok(outcome) => return Ok(Answer::Made(Box::new(outcome))),
                Err(Stop::Refused(refusal)) => return Ok(Answer::Refused(refusal)),
                Err(Stop::Missing(missing)) => {
                    if self.shared(&mut known, &missing).await? {
                        continue;
                    }
                    if dirty || matches!(missing, Missing::Linked(_)) {
                        return Ok(Answer::Cut);
                    }
                    self.look_up(&mut known, missing, state.member.id).await?;
                }
            }
        }
    }

    pub(super) async fn look_up(
        &mut self,
        known: &mut Known,
        missing: Missing,
        member: MemberId,
    ) -> Result<()> {
        self.look_back().await;
        super::lookup::look_up(self.store, &self.live.rules, known, missing, member).await
    }

    /// Attaches names that nobody has yet, where the door did not. One that points to someone else stays with them.
    fn identify(&mut self, event: &Event, hashes: &[LookupHash], member: MemberId) {
        for (identifier, hash) in event.identifiers.iter().zip(hashes) {
            self.attach(identifier, *hash, member, event.time);
        }
    }

    /// Whom an item that an older program accepted may reach.
    fn reached(
        &mut self,
        row: &Waiting,
        event: &Event,
        reach: Option<(LookupHash, Identifier)>,
    ) -> Option<MemberId> {
        let (hash, identifier) = reach?;
        let candidate = self.home.id_key.derive("member", &[row.id.bytes(), b"reached"]);
        self.attach(&identifier, hash, candidate, event.time);
        self.found.get(&hash).copied()
    }

    fn attach(&mut self, identifier: &Identifier, hash: LookupHash, member: MemberId, since: Ts) {
        if self.found.contains_key(&hash) {
            return;
        }
        self.found.insert(hash, member);
        self.flush.identifiers.push(NewIdentifier {
            hash,
            namespace: identifier.namespace.clone(),
            value: seal::seal(&identifier.value),
            member,
            since,
        });
    }

    /// Whom an issue to many was for and could not be issued to, since they are nobody any more, is counted as well.
    fn not_issued(&mut self, row: &Waiting, refusal: &Refusal) {
        let no = row.source.strip_prefix(crate::coupons::SOURCE).and_then(|no| no.parse().ok());
        if let Some(no) = no {
            let pool = issue_count(no, refusal.code);
            self.flush.coupons.take(PoolTake { pool, amount: 1, size: None });
        }
    }

    pub(super) fn dead(&mut self, row: &Waiting, refusal: Refusal) {
        self.not_issued(row, &refusal);
        tracing::debug!(seq = row.seq, code = refusal.code, field = refusal.field, "dead letter");
        self.flush.dead.push(Dead { seq: row.seq, member: row.member, refusal, at: row.clock });
    }

    pub(super) fn state_fact(
        &mut self,
        id: EventId,
        message_id: String,
        name: &str,
        member: MemberId,
        at: Ts,
        clock: Ts,
    ) {
        let body = item(name, at, None, &[]);
        self.flush.facts.push(Fact {
            id,
            message_id,
            called: None,
            name: name.to_owned(),
            member,
            time: at,
            clock,
            body: seal::seal(&body),
            waits: false,
            root: 0,
            replay: false,
        });
    }

    /// Takes what a decision said into the flush.
    pub(super) fn absorb(
        &mut self,
        outcome: Outcome,
        cause: Cause<'_>,
        member: MemberId,
        told: Told,
    ) -> Result<()> {
        let (emitted, said) = (outcome.emitted.clone(), outcome.facts.len());
        let at = outcome.at;
        self.absorb_from(0, outcome, cause, member)?;
        for (i, Emitted { name, to, properties }) in emitted.iter().enumerate() {
            let body = item(name, at, Some(to), properties);
            let whom = told.reaches.ok_or_else(|| {
                StoreError::Damaged(format!("{} reaches somebody nobody foresaw", cause.name))
            })?;
            self.closed.insert(whom);
            self.fact(cause, said + i, name, (whom, Some(told)), at, &body);
        }
        Ok(())
    }

    /// The same for an outcome that says nothing to others; its facts are numbered from here on.
    pub(super) fn absorb_from(
        &mut self,
        first: usize,
        outcome: Outcome,
        cause: Cause<'_>,
        member: MemberId,
    ) -> Result<()> {
        let at = outcome.at;
        let flush = &mut self.flush;
        flush.transfers.extend(outcome.transfers);
        flush.lots.extend(outcome.lots);
        flush.allocations.extend(outcome.allocations);
        flush.holds.extend(outcome.holds);
        flush.order_changes.extend(outcome.order_changes);
        flush.terms.extend(outcome.terms.into_iter().map(|term| NewTerm { member, term, event: cause.id }));
        flush.stages.extend(outcome.stages);
        flush.tags.extend(outcome.tags);
        flush.partners.extend(outcome.partners);
        for take in &outcome.coupons.pools {
            if let Some(taken) = Arc::make_mut(&mut self.pools).get_mut(&take.pool) {
                *taken += take.amount;
            }
        }
        flush.coupons.extend(outcome.coupons);
        let runs = outcome.runs;
        flush.runs.moves.extend(runs.moves);
        flush.runs.changed.extend(runs.changed);
        for mut saying in runs.notes {
            let (said, playbook) = (&self.live.said, &self.live.playbook);
            let links = said.links(playbook, &self.home.id_key, &mut saying);
            if let Some(body) = said.body(playbook, &saying) {
                flush.runs.links.extend(links);
                let (note, others) = (saying.note, saying.others);
                flush.runs.notes.push(NoteSet { note, body: seal::seal(&body), others });
            }
        }
        for set in outcome.checkouts {
            self.checkout(set);
        }
        if let Some(order) = outcome.order {
            self.orders_changed.insert(order.id);
            self.orders.insert(order.id, order);
        }
        for (ordinal, said) in outcome.facts.iter().enumerate() {
            let body = item(said.name, at, None, &said.properties);
            self.fact(cause, first + ordinal, said.name, (member, None), at, &body);
        }
        Ok(())
    }

    pub(super) fn fact(
        &mut self,
        cause: Cause<'_>,
        ordinal: usize,
        name: &str,
        (member, told): (MemberId, Option<Told>),
        at: Ts,
        body: &str,
    ) {
        let id = self.home.id_key.derive("fact", &[cause.id.bytes(), &(ordinal as u64).to_le_bytes()]);
        self.flush.facts.push(Fact {
            id,
            message_id: format!("{}#{ordinal}", cause.name),
            called: None,
            name: name.to_owned(),
            member,
            time: at,
            clock: cause.clock,
            body: seal::seal(body),
            waits: told.is_some(),
            root: told.map_or(0, |told| told.root),
            replay: told.is_some_and(|told| told.replay),
        });
    }
}

/// What became of an event.
enum Answer {
    Made(Box<Outcome>),
    Refused(Refusal),
    Cut,
}
