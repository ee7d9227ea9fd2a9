//! Events that say who is whom, in a batch.
//!
//! A merge is two steps, each in the share of whom it is about. `Members Merged` is about the one who ends: when it comes,
//! all that was accepted for them before is decided; it says so to the other by `Member Joined`, which takes over what they
//! were. Parting is one step: nobody else knows who leaves yet.

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_decide::outcome::{History, Known, Outcome, Stop};
use zhiyin_decide::person::{self, Parting, Side};
use zhiyin_decide::state::State;
use zhiyin_decide::{Cause, Scene};
use zhiyin_model::event::{self, Event, Identifier, Origin, Refusal, names};
use zhiyin_model::id::{EventId, MemberId};
use zhiyin_store::flush::{Decided, Joined, Parted};
use zhiyin_store::merge::Past;
use zhiyin_store::{LotsWanted, Store, StoreError, Waiting, Wanted, seal};

use super::batch::{Batch, Go, Told};
use super::item::item;
use crate::{Live, Result, rebuild};

/// In which namespace an event of the home's own names a member by their id.
const MEMBER: &str = "member";

impl Batch<'_> {
    /// Decides an event that says who is whom; `None` for all others.
    pub(super) async fn person(&mut self, row: &Waiting, event: &Event) -> Result<Option<Go>> {
        let own = row.source == zhiyin_store::OWN_SOURCE;
        let Some(member) = row.member else { return Ok(None) };
        let go = match event.name.as_str() {
            names::MEMBERS_MERGED if own => self.ends(row, event, member).await?,
            names::MEMBER_JOINED if own => self.joined(row, event, member).await?,
            names::MEMBERS_UNMERGED => self.unmerged(row, event, member).await?,
            _ => return Ok(None),
        };
        Ok(Some(go))
    }

    /// A member ends: nothing falls due for them any more, and who they are takes over.
    async fn ends(&mut self, row: &Waiting, event: &Event, loser: MemberId) -> Result<Go> {
        let winner = row.reaches.ok_or_else(|| damaged(row, "names nobody"))?;
        if self.settle(loser, row.clock.max(event.time)).await? == Go::Cut {
            return Ok(Go::Cut);
        }
        let rules = &self.live.rules;
        let fresh = || Box::new(State::new(rules, loser, event.time));
        let state = self.cache.states.entry(loser).or_insert_with(fresh);
        state.member.timers.clear();
        self.decided(row, loser, event);
        let name = name(row);
        let cause = Cause { id: row.id, name: &name, clock: row.clock, replay: row.replay };
        let who = Identifier { namespace: MEMBER.to_owned(), value: loser.to_string() };
        let body = item(names::MEMBER_JOINED, event.time, Some(&who), &[]);
        self.fact(cause, 0, names::MEMBER_JOINED, (winner, Some(Told::by(row, None))), event.time, &body);
        self.closed.extend([loser, winner]);
        Ok(Go::On)
    }

    /// What another was and had is this member's from now on.
    async fn joined(&mut self, row: &Waiting, event: &Event, winner: MemberId) -> Result<Go> {
        let loser = event.identifiers.first().and_then(|who| MemberId::from_hex(&who.value));
        let loser = loser.ok_or_else(|| damaged(row, "names nobody"))?;
        if self.settle(winner, row.clock.max(event.time)).await? == Go::Cut
            || self.holds(winner)
            || self.holds(loser)
        {
            // What was decided here is written first: lots, orders and history are read from the record.
            return Ok(Go::Cut);
        }
        // Read anew: they may be of another share, whose worker knows better than this one's memory.
        self.cache.states.remove(&loser);
        self.cache.wakes.remove(&loser);
        self.cache.found_by.remove(&loser);
        self.load(Wanted { members: vec![loser], ..Wanted::default() }).await?;
        let other = self.cache.states.remove(&loser);
        self.cache.found_by.remove(&loser);
        self.cache.wakes.remove(&loser);
        let (live, home) = (self.live, self.home);
        let rules = &live.rules;
        let fresh = || Box::new(State::new(rules, winner, event.time));
        let mut state = self.cache.states.remove(&winner).unwrap_or_else(fresh);
        let name = name(row);
        let cause = Cause { id: row.id, name: &name, clock: row.clock, replay: row.replay };
        let mut outcome = Outcome::default();
        if let Some(other) = other {
            let mut history = rebuild::history(self.store, rules, winner).await?;
            let theirs = rebuild::history(self.store, rules, loser).await?;
            history.orders.extend(theirs.orders);
            history.events.extend(theirs.events);
            let at = row.clock.max(state.member.decided_until).max(other.member.decided_until);
            let scene = Scene { rules, key: &home.id_key, cause, at };
            outcome.at = at;
            let mut known = Known { live_since: home.live_since, ..Known::default() };
            while let Err(Stop::Missing(missing)) = person::ask(&scene, &known) {
                if !self.shared(&mut known, &missing).await? {
                    return Err(damaged(row, "asks for what no campaign shares").into());
                }
            }
            // All of them: each must expire in its time, whoever's it is.
            let lots = self.store.lots(loser, LotsWanted::Covering(i64::MAX)).await?;
            person::join(&scene, &mut state, &other, (&history, &lots), &mut outcome);
            person::sets_off(&scene, &mut state, &known, &mut outcome);
            self.flush.joined.push(Joined { winner, loser });
        }
        self.decided(row, winner, event);
        self.absorb(outcome, cause, winner, Told::by(row, None))?;
        self.cache.states.insert(winner, state);
        self.closed.extend([loser, winner]);
        Ok(Go::On)
    }

    /// A member was two people.
    async fn unmerged(&mut self, row: &Waiting, event: &Event, member: MemberId) -> Result<Go> {
        if self.settle(member, row.clock.max(event.time)).await? == Go::Cut || self.holds(member) {
            return Ok(Go::Cut);
        }
        let (Some(other), true) = (row.reaches, self.cache.states.contains_key(&member)) else {
            let message = "nobody is known by these identifiers";
            self.dead(row, Refusal::new("member_unknown", "context.externalIds", message));
            return Ok(Go::On);
        };
        if other == member {
            // Put back late: who left is the same person again by now.
            let message = "who leaves here was merged with them again";
            self.dead(row, Refusal::new("merged_again", "context.externalIds", message));
            return Ok(Go::On);
        }
        let past = self.store.whole_past(member).await?;
        let leaving: BTreeSet<&Identifier> = event.identifiers.iter().collect();
        let parting = parting(self.store, self.live, member, &past, &leaving).await?;
        let Some(mut state) = self.cache.states.remove(&member) else { return Ok(Go::Cut) };
        let name = name(row);
        let cause = Cause { id: row.id, name: &name, clock: row.clock, replay: row.replay };
        let at = row.clock.max(state.member.decided_until);
        let scene = Scene { rules: &self.live.rules, key: &self.home.id_key, cause, at };
        let mut outcome = Outcome { at, ..Outcome::default() };
        let parted = person::part(&scene, &mut state, other, &parting, &mut outcome);
        let sides = |side: Side| {
            let mine = past
                .iter()
                .filter(|past| parting.sides.get(&past.event.id).copied().unwrap_or(Side::Stays) == side);
            mine.map(|past| past.event.seq).collect()
        };
        self.flush.parted.push(Parted {
            from: member,
            to: other,
            leave: sides(Side::Leaves),
            stay: sides(Side::Stays),
            orders: parted.orders,
            lots: parted.lots,
            holds: parted.holds,
            coupons: parted.coupons,
            checkouts: parted.checkouts,
        });
        self.decided(row, member, event);
        // What is said of either side has a number of its own under this cause.
        let said = outcome.facts.len();
        self.absorb(outcome, cause, member, Told::by(row, None))?;
        self.cache.states.insert(member, state);
        self.changed.insert(other);
        self.absorb_from(said, parted.outcome, cause, other)?;
        self.cache.states.insert(other, Box::new(parted.other));
        self.guests.push(other);
        self.closed.extend([member, other]);
        Ok(Go::On)
    }

    fn decided(&mut self, row: &Waiting, member: MemberId, event: &Event) {
        self.changed.insert(member);
        self.flush.decided.push(Decided { seq: row.seq, id: row.id, member, time: event.time });
    }
}

fn name(row: &Waiting) -> String {
    format!("{}/{}", row.source, row.message_id)
}

fn damaged(row: &Waiting, what: &str) -> StoreError {
    StoreError::Damaged(format!("event {} {what}", row.seq))
}

/// The name under which an event came: the most telling, the first of these; blocked ones are passed over.
fn most_telling<'e>(live: &Live, identifiers: &'e [Identifier]) -> Option<&'e Identifier> {
    let identity = &live.identity;
    let names = identifiers.iter().filter(|name| !identity.is_blocked(&name.namespace, &name.value));
    names.min_by_key(|name| identity.rule(&name.namespace).priority).or(identifiers.first())
}

/// A member's whole past, to be parted: what came under one of the identifiers that leave, leaves; and with it what was
/// derived from it, and the orders it brought.
pub(crate) async fn parting(
    store: &dyn Store,
    live: &Live,
    member: MemberId,
    past: &[Past],
    leaving: &BTreeSet<&Identifier>,
) -> Result<Parting> {
    let mut sides: BTreeMap<EventId, Side> = BTreeMap::new();
    let mut by_name: BTreeMap<String, Side> = BTreeMap::new();
    let mut items: Vec<(i64, EventId, Event)> = Vec::new();
    for past in past {
        let event = &past.event;
        if past.source == zhiyin_store::OWN_SOURCE && event.name != names::POINTS_RECEIVED {
            // What was derived is called by its cause.
            let cause = past.message_id.rsplit_once('#').map_or("", |(cause, _)| cause);
            if let Some(side) = by_name.get(cause) {
                sides.insert(event.id, *side);
            }
            continue;
        }
        // What was erased, a gift to somebody who is forgotten, tells no name any more: it stays.
        if seal::is_erased(&event.body) {
            sides.insert(event.id, Side::Stays);
            continue;
        }
        let body = seal::open(&event.body)?;
        let origin = Origin { user_namespace: &event.user_namespace, default_time: Some(event.time) };
        let Ok(read) = event::read(body.as_bytes(), &origin) else { continue };
        let leaves = most_telling(live, &read.identifiers).is_some_and(|first| leaving.contains(first));
        let side = if leaves { Side::Leaves } else { Side::Stays };
        sides.insert(event.id, side);
        by_name.insert(format!("{}/{}", past.source, past.message_id), side);
        // What is said at a desk about who is whom is nobody's own life.
        if ![names::MEMBERS_MERGE_ASKED, names::MEMBERS_UNMERGED].contains(&read.name.as_str()) {
            items.push((event.seq, event.id, read));
        }
    }
    items.sort_by_key(|(seq, ..)| *seq);
    let books = store.books(member).await?;
    let history = rebuild::history(store, &live.rules, member).await?;
    let of_orders: BTreeMap<_, _> =
        books.orders.iter().map(|(order, brought)| (order.id, *brought)).collect();
    let side = |id: Option<&EventId>| id.and_then(|id| sides.get(id)).copied().unwrap_or(Side::Stays);
    let (mut stays, mut leaves) = (History::default(), History::default());
    for (id, row) in history.orders {
        let half = if side(of_orders.get(&id)) == Side::Leaves { &mut leaves } else { &mut stays };
        half.orders.push((id, row));
    }
    for (id, row) in rebuild::events(store, &live.rules, member).await? {
        let half = if side(Some(&id)) == Side::Leaves { &mut leaves } else { &mut stays };
        half.events.push(row);
    }
    Ok(Parting {
        items: items.into_iter().map(|(_, id, event)| (id, event)).collect(),
        sides,
        transfers: books.transfers,
        allocations: books.allocations,
        lots: books.lots,
        holds: books.holds,
        orders: books.orders,
        coupons: books.coupons,
        checkouts: books.checkouts,
        history_stays: stays,
        history_leaves: leaves,
    })
}
