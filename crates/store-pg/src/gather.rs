//! From what the decisions of a batch said to the rows that it writes, put apart by shard.

use std::collections::BTreeMap;

use zhiyin_model::effect::{Asset, House, Lot, OrderChange};
use zhiyin_model::id::{EventId, MemberId, OrderId, TransferId};
use zhiyin_model::member::Member;
use zhiyin_store::campaigns::pack_runs;
use zhiyin_store::coupons::pack_holdings;
use zhiyin_store::flush::{Flush, Hold, OrderSet};
use zhiyin_store::seal::personal::Kept;
use zhiyin_store::{Result, StoreError, StoredMember, packed};

use crate::rows::Uuid;
use crate::schemas::Schemas;
use crate::standing::Standing;
use crate::{batch, campaigns, checkouts, coupons};

/// Places of the events that a batch names as causes.
pub(crate) struct Seqs(Vec<(EventId, i64)>);

impl Seqs {
    /// What was decided, and what was derived at these places.
    pub(crate) fn of_batch(flush: &Flush, facts: &[i64]) -> Result<Self> {
        let derived = flush.facts.iter().zip(facts).map(|(fact, seq)| (fact.id, *seq));
        let decided = flush.decided.iter().map(|decided| (decided.id, decided.seq));
        let mut seqs: Vec<(EventId, i64)> = decided.chain(derived).collect();
        seqs.sort_unstable();
        let twice = seqs.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0);
        match twice {
            Some(id) => Err(StoreError::Damaged(format!("event {id} was derived twice"))),
            None => Ok(Self(seqs)),
        }
    }

    fn get(&self, event: EventId) -> Option<i64> {
        let found = self.0.binary_search_by_key(&event, |(id, _)| *id).ok()?;
        self.0.get(found).map(|(_, seq)| *seq)
    }

    fn of(&self, event: EventId) -> Result<i64> {
        self.get(event).ok_or_else(|| StoreError::Damaged(format!("event {event} is not of this batch")))
    }
}

/// Whose an order is, and at what place it stands.
pub(crate) type OrderPlaces = BTreeMap<OrderId, (MemberId, i64)>;

/// What the rows of a batch are made of.
pub(crate) struct Batch<'f> {
    pub(crate) flush: &'f Flush,
    pub(crate) schemas: &'f Schemas,
    /// The number of the source of derived events.
    pub(crate) own: i32,
    /// Places of its derived events.
    pub(crate) facts: &'f [i64],
    pub(crate) seqs: &'f Seqs,
    /// Orders that were there before.
    pub(crate) orders: &'f OrderPlaces,
    /// How its members stand, as far as that is known.
    pub(crate) standings: &'f [Option<Standing>],
}

/// The rows that go to one shard.
#[derive(Default)]
pub(crate) struct Rows<'f> {
    pub(crate) messages: batch::Messages<'f>,
    pub(crate) events: batch::Events<'f>,
    pub(crate) queue: batch::Queue,
    pub(crate) timeline_new: batch::Timeline,
    pub(crate) timeline_on: batch::Timeline,
    pub(crate) members_new: batch::Members<'f>,
    pub(crate) members_move: batch::Members<'f>,
    pub(crate) members_set: batch::Members<'f>,
    pub(crate) lasts: batch::Lasts,
    pub(crate) wakes: batch::Wakes,
    pub(crate) identifiers: batch::Identifiers<'f>,
    /// Members who are found by something else from now on, and by what.
    pub(crate) found_gone: Vec<Uuid>,
    pub(crate) found_new: batch::Founds,
    pub(crate) places: batch::Places,
    pub(crate) handed: batch::Handed,
    pub(crate) gone: batch::Gone,
    pub(crate) orders_new: batch::Orders<'f>,
    pub(crate) orders_set: batch::Orders<'f>,
    pub(crate) changes_first: batch::OrderChanges,
    pub(crate) changes_set: batch::OrderChanges,
    pub(crate) transfers: batch::Transfers,
    pub(crate) lots_new: batch::Lots,
    pub(crate) lots_set: batch::Lots,
    pub(crate) allocations: batch::Allocations,
    pub(crate) houses: batch::Houses<'f>,
    pub(crate) holds: batch::Holds,
    pub(crate) terms: batch::Terms<'f>,
    pub(crate) stages: batch::Stages<'f>,
    pub(crate) tags: batch::Tags<'f>,
    pub(crate) partners: batch::Partners<'f>,
    pub(crate) coupons: coupons::Rows<'f>,
    pub(crate) checkouts: checkouts::Rows<'f>,
    pub(crate) campaigns: campaigns::Rows<'f>,
}

impl<'f> Batch<'f> {
    /// The rows of each shard.
    pub(crate) fn rows(&self) -> Result<Vec<Rows<'f>>> {
        let mut rows: Vec<Rows<'f>> = (0..self.schemas.shards()).map(|_| Rows::default()).collect();
        self.facts(&mut rows);
        self.members(&mut rows)?;
        self.identifiers(&mut rows);
        self.found_by(&mut rows);
        self.orders(&mut rows)?;
        self.order_changes(&mut rows)?;
        self.transfers(&mut rows)?;
        self.lots(&mut rows);
        self.allocations(&mut rows)?;
        self.moves(&mut rows)?;
        let said = &self.flush.coupons;
        let coupons = coupons::Rows::of(said, self.schemas, self.flush.version, |event| self.seqs.of(event))?;
        for (rows, coupons) in rows.iter_mut().zip(coupons) {
            rows.coupons = coupons;
        }
        let checkouts = checkouts::Rows::of(&self.flush.checkouts, self.schemas)?;
        for (rows, checkouts) in rows.iter_mut().zip(checkouts) {
            rows.checkouts = checkouts;
        }
        let said = &self.flush.runs;
        let runs = campaigns::Rows::of(said, self.schemas, self.flush.version, |event| self.seqs.of(event))?;
        for (rows, runs) in rows.iter_mut().zip(runs) {
            rows.campaigns = runs;
        }
        Ok(rows)
    }

    fn facts(&self, rows: &mut [Rows<'f>]) {
        for (fact, seq) in self.flush.facts.iter().zip(self.facts) {
            let slot = self.schemas.slot_of(fact.member);
            let shard = self.schemas.shard_of_slot(slot);
            rows[shard].events.push(batch::Event {
                seq: *seq,
                id: fact.id.into(),
                slot,
                source: self.own,
                message_id: &fact.message_id,
                name: &fact.name,
                time: fact.time.0,
                clock: fact.clock.0,
                derived: if fact.waits { 1 } else { 2 },
                replay: fact.replay,
                body: &fact.body.0,
                member: fact.member.into(),
                reached: None,
                called: fact.called.as_ref().map(|called| called.0.as_slice()),
            });
            if fact.waits {
                rows[shard].queue.push(batch::Queued { seq: *seq, slot, after: fact.root });
                let shard = self.schemas.shard_of_message(self.own, &fact.message_id);
                let (source, message_id, body_hash) = (self.own, fact.message_id.as_str(), Uuid([0; 16]));
                rows[shard].messages.push(batch::Message { source, message_id, body_hash, seq: *seq });
            }
        }
    }

    /// The events of the batch by place, each with whom it is about.
    fn happened(&self) -> impl Iterator<Item = (MemberId, i64)> + '_ {
        let decided = self.flush.decided.iter().map(|decided| (decided.member, decided.seq));
        let facts = self.flush.facts.iter().zip(self.facts);
        decided.chain(facts.filter(|(fact, _)| !fact.waits).map(|(fact, seq)| (fact.member, *seq)))
    }

    /// Where timelines end after the batch.
    pub(crate) fn lasts(&self) -> BTreeMap<MemberId, i64> {
        self.happened().collect()
    }

    /// Lengthens the timelines of all whom the batch's events are about, and writes members.
    fn members(&self, rows: &mut [Rows<'f>]) -> Result<()> {
        let members = self.flush.members.iter().map(|stored| stored.member.id);
        let known = members.zip(self.standings).filter_map(|(member, standing)| Some((member, (*standing)?)));
        let known: BTreeMap<MemberId, Standing> = known.collect();
        let mut lasts: BTreeMap<MemberId, i64> = BTreeMap::new();
        for (member, seq) in self.happened() {
            let rows = &mut rows[self.schemas.shard_of(member)];
            let id = member.into();
            let row = |before| batch::Happened { seq, member: id, before };
            match (lasts.insert(member, seq), known.get(&member).copied()) {
                (Some(before), _) | (None, Some(Standing::There(Some(before)))) => {
                    rows.timeline_new.push(row(Some(before)));
                }
                (None, Some(Standing::Absent | Standing::There(None))) => rows.timeline_new.push(row(None)),
                (None, None) => rows.timeline_on.push(row(None)),
            }
        }
        let stored = self.flush.members.iter().zip(&self.flush.kept);
        for ((stored, kept), standing) in stored.zip(self.standings) {
            let slot = self.schemas.slot_of(stored.member.id);
            let rows = &mut rows[self.schemas.shard_of_slot(slot)];
            let row = member((stored, kept), slot, self.flush.version, lasts.remove(&stored.member.id))?;
            match standing {
                Some(Standing::Absent) => rows.members_new.push(row),
                Some(Standing::There(was)) => rows.members_move.push(batch::Member { was: *was, ..row }),
                None => rows.members_set.push(row),
            }
        }
        for (member, last_event) in lasts {
            let last = batch::Last { member: member.into(), last_event };
            rows[self.schemas.shard_of(member)].lasts.push(last);
        }
        let filed: BTreeMap<MemberId, Option<i64>> =
            self.flush.filed.iter().map(|(member, wake)| (*member, wake.map(|wake| wake.0))).collect();
        for (member, wake) in filed {
            rows[self.schemas.shard_of(member)].wakes.push(batch::Wake { member: member.into(), wake });
        }
        Ok(())
    }

    fn identifiers(&self, rows: &mut [Rows<'f>]) {
        // In one order, so that two batches that write the same names do not wait for each other in a circle.
        let mut identifiers: Vec<_> = self.flush.identifiers.iter().collect();
        identifiers.sort_by_key(|identifier| identifier.hash);
        for identifier in identifiers {
            rows[self.schemas.shard_of_hash(&identifier.hash)].identifiers.push(batch::Identifier {
                hash: Uuid(identifier.hash),
                namespace: &identifier.namespace,
                value: &identifier.value.0,
                member: identifier.member.into(),
                since: identifier.since.0,
            });
        }
    }

    fn found_by(&self, rows: &mut [Rows<'f>]) {
        for one in &self.flush.found_by {
            let rows = &mut rows[self.schemas.shard_of(one.member)];
            rows.found_gone.push(one.member.into());
            let new = one.keys.iter().map(|key| batch::Found { key: *key, member: one.member.into() });
            new.for_each(|new| rows.found_new.push(new));
        }
    }

    fn orders(&self, rows: &mut [Rows<'f>]) -> Result<()> {
        // In one order, for the same reason.
        let mut sets: Vec<&OrderSet> = self.flush.orders.iter().collect();
        sets.sort_unstable_by_key(|set| set.order.id);
        for OrderSet { order, was } in sets {
            let (id, member) = (Uuid::from(order.id), Uuid::from(order.member));
            let (hash_shard, shard) =
                (self.schemas.shard_of_order(order.id), self.schemas.shard_of(order.member));
            // Lines that came with an earlier batch stay where they are.
            let event = self.seqs.get(order.event);
            let Some(was) = was else {
                let no = self.seqs.of(order.event)?;
                rows[hash_shard].places.push(batch::Place { id, member, no });
                rows[shard].orders_new.push(order_row(order, no, event)?);
                continue;
            };
            let place = self.orders.get(&order.id).filter(|(holder, _)| holder == was);
            let was_no = place.map(|(_, no)| *no).ok_or(StoreError::Stale)?;
            if *was == order.member {
                rows[shard].orders_set.push(order_row(order, was_no, event)?);
                continue;
            }
            // Another member's from now on: in their timeline, not in the one it was in.
            let no = self.seqs.of(order.event)?;
            let was_shard = self.schemas.shard_of(*was);
            let was = Uuid::from(*was);
            rows[hash_shard].handed.push(batch::Hand { id, member, no, was, was_no });
            rows[was_shard].gone.push(batch::Left { no: was_no, id, member: was });
            rows[shard].orders_new.push(order_row(order, no, event)?);
        }
        Ok(())
    }

    /// The last word on an instant counts; how an order stood at first is no word on what is known of it.
    fn order_changes(&self, rows: &mut [Rows<'f>]) -> Result<()> {
        let holders: BTreeMap<OrderId, MemberId> =
            self.flush.orders.iter().map(|set| (set.order.id, set.order.member)).collect();
        let mut changes: BTreeMap<(OrderId, i64), &OrderChange> = BTreeMap::new();
        for change in &self.flush.order_changes {
            let known = changes.entry((change.order, change.at.0)).or_insert(change);
            if !change.first {
                *known = change;
            }
        }
        for ((order, at), change) in changes {
            let held = holders.get(&order).or_else(|| self.orders.get(&order).map(|(member, _)| member));
            let member = held.ok_or_else(|| StoreError::Damaged(format!("no order {order}")))?;
            let rows = &mut rows[self.schemas.shard_of(*member)];
            let (paid, refunded, counts) = (change.paid.0, change.refunded.0, change.counts);
            let row = batch::OrderChange { order: order.into(), at, paid, refunded, counts };
            if change.first { rows.changes_first.push(row) } else { rows.changes_set.push(row) }
        }
        Ok(())
    }

    fn transfers(&self, rows: &mut [Rows<'f>]) -> Result<()> {
        let mut houses: BTreeMap<(Asset, House, i32), i64> = BTreeMap::new();
        for transfer in &self.flush.transfers {
            let slot = self.schemas.slot_of(transfer.member);
            let (house, side) = transfer.kind.sides();
            let sum = houses.entry((transfer.asset, house, slot)).or_default();
            *sum = sum.saturating_sub(transfer.amount.saturating_mul(side));
            rows[self.schemas.shard_of_slot(slot)].transfers.push(batch::Transfer {
                id: transfer.id.into(),
                member: transfer.member.into(),
                asset: transfer.asset as i16,
                kind: transfer.kind as i16,
                amount: transfer.amount,
                event: self.seqs.of(transfer.event)?,
                ordinal: i32::try_from(transfer.ordinal).unwrap_or(i32::MAX),
                at: transfer.at.0,
                day: transfer.day.0,
                reverses: transfer.reverses.map(Uuid::from),
                order: transfer.order.map(Uuid::from),
                version: self.flush.version,
            });
        }
        for ((asset, house, slot), amount) in houses {
            let row = batch::House { asset: asset as i16, house: house.name(), slot, amount };
            rows[self.schemas.shard_of_slot(slot)].houses.push(row);
        }
        Ok(())
    }

    /// Lots and holds, each as it stands after the batch.
    fn lots(&self, rows: &mut [Rows<'f>]) {
        let lots: BTreeMap<(MemberId, i64, i64, TransferId), &Lot> = self
            .flush
            .lots
            .iter()
            .map(|lot| ((lot.member, lot.expires_at.0, lot.active_at.0, lot.id), lot))
            .collect();
        // A lot bears the name of the transfer that opened it.
        let mut made: Vec<TransferId> = self.flush.transfers.iter().map(|transfer| transfer.id).collect();
        made.sort_unstable();
        for ((member, expires_at, active_at, id), lot) in lots {
            let rows = &mut rows[self.schemas.shard_of(member)];
            let new = made.binary_search(&id).is_ok();
            let lots = if new { &mut rows.lots_new } else { &mut rows.lots_set };
            lots.push(batch::Lot {
                id: id.into(),
                member: member.into(),
                asset: lot.asset as i16,
                granted: lot.granted,
                remaining: lot.remaining,
                active_at,
                expires_at,
                active: lot.active,
            });
        }
        let holds: BTreeMap<TransferId, &Hold> =
            self.flush.holds.iter().map(|hold| (hold.id, hold)).collect();
        for (id, hold) in holds {
            let (member, asset) = (hold.member.into(), hold.asset as i16);
            let row = batch::Hold { id: id.into(), member, asset, amount: hold.amount, open: hold.open };
            rows[self.schemas.shard_of(hold.member)].holds.push(row);
        }
    }

    fn allocations(&self, rows: &mut [Rows<'f>]) -> Result<()> {
        if self.flush.allocations.is_empty() {
            return Ok(());
        }
        let members: BTreeMap<TransferId, MemberId> =
            self.flush.transfers.iter().map(|transfer| (transfer.id, transfer.member)).collect();
        for allocation in &self.flush.allocations {
            let transfer = allocation.transfer;
            let known = members.get(&transfer).copied();
            let member = known
                .ok_or_else(|| StoreError::Damaged(format!("transfer {transfer} is not of this batch")))?;
            rows[self.schemas.shard_of(member)].allocations.push(batch::Allocation {
                member: member.into(),
                transfer: transfer.into(),
                lot: allocation.lot.map(Uuid::from),
                amount: allocation.amount,
            });
        }
        Ok(())
    }

    fn moves(&self, rows: &mut [Rows<'f>]) -> Result<()> {
        let version = self.flush.version;
        for new in &self.flush.terms {
            let (member, event) = (new.member.into(), self.seqs.of(new.event)?);
            let (level, at, ends) = (new.term.level.as_str(), new.term.from.0, new.term.ends.0);
            let row = batch::Term { member, level, at, ends, event, version };
            rows[self.schemas.shard_of(new.member)].terms.push(row);
        }
        for moved in &self.flush.stages {
            let (member, event) = (moved.member.into(), self.seqs.of(moved.event)?);
            let (was, becomes, at) = (moved.from.as_deref(), moved.to.as_str(), moved.at.0);
            let row = batch::Stage { member, was, becomes, at, event, version };
            rows[self.schemas.shard_of(moved.member)].stages.push(row);
        }
        for moved in &self.flush.tags {
            let (member, event) = (moved.member.into(), self.seqs.of(moved.event)?);
            let (tag, is_on, at) = (moved.tag.as_str(), moved.on, moved.at.0);
            let row = batch::Tag { member, tag, is_on, at, event, version };
            rows[self.schemas.shard_of(moved.member)].tags.push(row);
        }
        for moved in &self.flush.partners {
            let (member, event) = (moved.member.into(), self.seqs.of(moved.event)?);
            let (partner, deed, at) = (moved.partner.as_str(), moved.deed.code(), moved.at.0);
            let row = batch::Partner { member, partner, deed, at, event, version };
            rows[self.schemas.shard_of(moved.member)].partners.push(row);
        }
        Ok(())
    }
}

fn text<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn order_row(order: &zhiyin_model::effect::Order, no: i64, event: Option<i64>) -> Result<batch::Order<'_>> {
    Ok(batch::Order {
        no,
        id: order.id.into(),
        member: order.member.into(),
        time: order.time.0,
        store: order.store.as_deref(),
        channel: order.channel.as_deref(),
        paid: order.paid.0,
        refunded: order.refunded.0,
        status: order.status as i16,
        event,
        terms: text(&order.terms)?,
    })
}

fn accounts(member: &Member) -> Vec<[i64; 5]> {
    let accounts = member.accounts.iter();
    accounts.map(|(asset, held)| [asset.code(), held.active, held.pending, held.held, held.debt]).collect()
}

fn timers(member: &Member) -> Vec<[i64; 3]> {
    member.timers.iter().map(|(key, due)| [key.kind.code(), key.which, due.0]).collect()
}

fn member<'f>(
    (stored, kept): (&'f StoredMember, &'f Kept),
    slot: i32,
    version: i64,
    last_event: Option<i64>,
) -> Result<batch::Member<'f>> {
    let member = &stored.member;
    let (term, stage) = (member.term.as_ref(), member.stage.as_ref());
    Ok(batch::Member {
        id: member.id.into(),
        slot,
        known_since: member.known_since.0,
        enrolled_at: member.enrolled_at.map(|at| at.0),
        decided_until: member.decided_until.0,
        version,
        wake: stored.wake.map(|wake| wake.0),
        last_event,
        tier: term.map(|term| term.level.as_str()),
        term_from: term.map(|term| term.from.0),
        term_ends: term.map(|term| term.ends.0),
        stage: stage.map(|held| held.stage.as_str()),
        stage_since: stage.map(|held| held.since.0),
        accounts: text(&accounts(member))?,
        timers: text(&timers(member))?,
        tags: text(&member.tags)?,
        touches: &kept.touches,
        told_at: &kept.told_at,
        attributes: &kept.attributes,
        fingerprint: &stored.fingerprint,
        growth_days: packed::pack_days(&member.growth_days)?,
        leaves: &kept.leaves,
        personal: kept.personal.as_deref(),
        audiences: packed::pack_memberships(&member.audiences)?,
        holdings: pack_holdings(&member.holdings)?,
        runs: pack_runs(&member.runs)?,
        was: None,
    })
}
