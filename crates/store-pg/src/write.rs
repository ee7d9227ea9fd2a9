//! Writing a batch: everything that its decisions said, in one transaction. All statements are sent at once; when all went
//! well, one more round trip commits them.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::error::SqlState;
use zhiyin_model::id::{MemberId, OrderId};
use zhiyin_store::flush::{Dead, Flush};
use zhiyin_store::{Result, StoreError};

use crate::append::TELL;
use crate::batch::*;
use crate::connection::{Connections, Of, Step, Tx, Values};
use crate::gather::{Batch, OrderPlaces, Rows, Seqs};
use crate::load::ORDER_PLACES;
use crate::memory::Memory;
use crate::reading::{FOUND_GONE, FOUND_NEW};
use crate::rows::{Uuid, database, get, id};
use crate::schemas::Schemas;
use crate::standing::{Standing, Standings};
use crate::{campaigns, checkouts, coupons, persons};

/// The shares move on, if they are still as the batch was decided in.
pub(crate) const FENCE: &str = "UPDATE {home}.slot s SET batch = s.batch + 1, cursor = GREATEST(s.cursor, $4) \
    FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) h (slot, token, batch) \
    WHERE s.slot = h.slot AND s.token = h.token AND s.batch = h.batch";
pub(crate) const QUEUE_GONE: &str = "DELETE FROM {shard}.queue WHERE seq = ANY($1)";
pub(crate) const RETRY_GONE: &str = "DELETE FROM {shard}.retry WHERE seq = ANY($1)";
pub(crate) const CHANGES_OF: &str =
    "SELECT order_id, at, paid, refunded, counts FROM {shard}.order_change WHERE order_id = ANY($1)";
pub(crate) const CHANGES_GONE: &str = "DELETE FROM {shard}.order_change WHERE order_id = ANY($1)";
pub(crate) const FEED_NEW: &str = "INSERT INTO {home}.feed (members, events) VALUES ($1, $2)";

/// Writes a batch.
pub(crate) async fn flush(
    connections: &Connections,
    memory: &Memory,
    standings: &Standings,
    flush: &Flush,
) -> Result<()> {
    if flush.turn.is_empty() {
        return Err(StoreError::Stale);
    }
    let moves = persons::moves(connections, flush).await?;
    let mut stand = standings.of(flush.members.iter().map(|stored| stored.member.id));
    for (stored, stand) in flush.members.iter().zip(&mut stand) {
        let moved = moves.standings.iter().find(|(member, _)| *member == stored.member.id);
        *stand = moved.map(|(_, standing)| *standing).or(*stand);
    }
    let written = write_batch(connections, memory, (&stand, &moves), flush).await;
    match &written {
        // Who ended is not there any more.
        Ok(_) if !moves.sql.is_empty() => standings.forget(),
        Ok(lasts) => standings.learn(after(flush, &stand, lasts)),
        // What was known may be the very reason, or nobody can say whether it was written.
        Err(_) => standings.forget(),
    }
    written.map(drop)
}

/// How members stand after a batch.
fn after<'a>(
    flush: &'a Flush,
    stand: &'a [Option<Standing>],
    lasts: &'a BTreeMap<MemberId, i64>,
) -> impl Iterator<Item = (MemberId, Standing)> + 'a {
    let unmoved = flush.members.iter().zip(stand).filter_map(|(stored, stand)| {
        let last = match (*stand)? {
            Standing::Absent => None,
            Standing::There(last) => last,
        };
        Some((stored.member.id, Standing::There(last)))
    });
    unmoved.chain(lasts.iter().map(|(member, last)| (*member, Standing::There(Some(*last)))))
}

/// Writes a batch; where timelines end after it.
async fn write_batch(
    connections: &Connections,
    memory: &Memory,
    (standings, moves): (&[Option<Standing>], &persons::Moves),
    flush: &Flush,
) -> Result<BTreeMap<MemberId, i64>> {
    let facts = memory.fact_places(connections, flush.facts.len()).await?;
    let seqs = Seqs::of_batch(flush, &facts)?;
    let orders = order_places(connections, flush).await?;
    let schemas = &connections.schemas;
    let batch =
        Batch { flush, schemas, own: memory.own(), facts: &facts, seqs: &seqs, orders: &orders, standings };
    let mut rows = batch.rows()?;
    let moving = moving(connections, flush, &mut rows).await?;
    let dead = dead(&flush.dead);
    let once = coupons::Once::of(&flush.coupons);
    let head = Head::of(flush, &facts, schemas);
    let plan = Plan::of((flush, moves), (&head, &once), &rows, &moving, &dead);
    let tx = connections.session().await?.transaction();
    let written = plan.run(&tx).await;
    tx.end(written).await?;
    Ok(batch.lasts())
}

/// Where the orders stand that were there before.
async fn order_places(connections: &Connections, flush: &Flush) -> Result<OrderPlaces> {
    let changed = flush.orders.iter().filter(|set| set.was.is_some()).map(|set| set.order.id);
    let mut ids: Vec<OrderId> =
        changed.chain(flush.order_changes.iter().map(|change| change.order)).collect();
    if ids.is_empty() {
        return Ok(OrderPlaces::new());
    }
    ids.sort_unstable();
    ids.dedup();
    let schemas = &connections.schemas;
    let mut keys: BTreeMap<usize, Vec<Uuid>> = BTreeMap::new();
    for order in ids {
        keys.entry(schemas.shard_of_order(order)).or_default().push(order.into());
    }
    let asks = keys.iter().map(|(shard, keys)| ((ORDER_PLACES, *shard), vec![keys as _]));
    let found = connections.session().await?.ask(asks.collect()).await?;
    found.iter().flatten().map(|row| Ok((id(row, 0)?, (id(row, 1)?, get(row, 2)?)))).collect()
}

/// How orders stood that move to another shard: it moves with them. What goes from each shard.
async fn moving(
    connections: &Connections,
    flush: &Flush,
    rows: &mut [Rows<'_>],
) -> Result<BTreeMap<usize, Vec<Uuid>>> {
    let schemas = &connections.schemas;
    let mut leaving: BTreeMap<usize, Vec<Uuid>> = BTreeMap::new();
    let mut to: BTreeMap<OrderId, MemberId> = BTreeMap::new();
    for set in &flush.orders {
        let from = set.was.map(|was| schemas.shard_of(was));
        if let Some(from) = from.filter(|from| *from != schemas.shard_of(set.order.member)) {
            leaving.entry(from).or_default().push(set.order.id.into());
            to.insert(set.order.id, set.order.member);
        }
    }
    if leaving.is_empty() {
        return Ok(leaving);
    }
    let asks = leaving.iter().map(|(shard, orders)| ((CHANGES_OF, *shard), vec![orders as _]));
    let found = connections.session().await?.ask(asks.collect()).await?;
    for row in found.iter().flatten() {
        let order = id(row, 0)?;
        let (at, paid, refunded, counts) = (get(row, 1)?, get(row, 2)?, get(row, 3)?, get(row, 4)?);
        if let Some(member) = to.get(&order) {
            let row = OrderChange { order: order.into(), at, paid, refunded, counts };
            rows[schemas.shard_of(*member)].changes_first.push(row);
        }
    }
    Ok(leaving)
}

/// What could not be decided, each once.
fn dead(dead: &[Dead]) -> DeadLetters<'_> {
    let mut letters = DeadLetters::default();
    let last_of_each: BTreeMap<i64, &Dead> = dead.iter().map(|letter| (letter.seq, letter)).collect();
    for (seq, letter) in last_of_each {
        let (code, field, message) = (letter.refusal.code, &letter.refusal.field, &letter.refusal.message);
        letters.push(DeadLetter { seq, code, field, message, at: letter.at.0 });
    }
    letters
}

/// What a batch says of its shares and to those who follow.
struct Head {
    slots: Vec<i32>,
    tokens: Vec<i64>,
    batches: Vec<i64>,
    members: Vec<u8>,
    events: Vec<u8>,
    /// Where to tell, and to which shares of others, for which it leaves something, or which may have waited for it.
    tells: Option<(String, String)>,
}

impl Head {
    fn of(flush: &Flush, facts: &[i64], schemas: &Schemas) -> Self {
        let events = flush.decided.iter().map(|decided| decided.seq).chain(facts.iter().copied());
        Self {
            slots: flush.turn.slots().collect(),
            tokens: flush.turn.held.iter().map(|held| held.token).collect(),
            batches: flush.turn.held.iter().map(|held| held.batch).collect(),
            members: flush.touched().flat_map(|member| *member.bytes()).collect(),
            events: events.flat_map(i64::to_le_bytes).collect(),
            tells: tells(flush, schemas),
        }
    }
}

/// Members of other shares may have waited for this batch, or wait for what it leaves them, and for nothing else.
fn tells(flush: &Flush, schemas: &Schemas) -> Option<(String, String)> {
    let leaves = flush.facts.iter().filter(|fact| fact.waits).map(|fact| fact.member);
    let mut slots: BTreeSet<i32> =
        leaves.chain(flush.released.iter().copied()).map(|member| schemas.slot_of(member)).collect();
    slots.retain(|slot| flush.turn.slots().all(|held| held != *slot));
    (!slots.is_empty()).then(|| (crate::link::channel(schemas.home()), crate::link::words(&slots)))
}

/// What it means when a statement wrote fewer rows than it was given.
#[derive(Clone, Copy)]
enum Fewer {
    /// Somebody else was there.
    Stale,
    /// A member is not there who must be.
    NoMember,
    /// A coupon is not the member's whose it must be.
    NoCoupon,
    /// A pool has less left.
    Short,
}

/// The statements of a batch in their order, and which of them must find all their rows.
struct Plan<'p> {
    steps: Vec<Step<'p>>,
    musts: Vec<(usize, usize, Fewer)>,
}

impl<'p> Plan<'p> {
    fn of(
        (flush, moves): (&'p Flush, &'p persons::Moves),
        (head, once): (&'p Head, &'p coupons::Once<'_>),
        rows: &'p [Rows<'_>],
        moving: &'p BTreeMap<usize, Vec<Uuid>>,
        dead: &'p DeadLetters<'_>,
    ) -> Self {
        let mut plan = Self { steps: vec![Step::Say("BEGIN")], musts: Vec::new() };
        let fence: Values<'_> = vec![&head.slots, &head.tokens, &head.batches, &flush.cursor];
        plan.musts.push((plan.steps.len(), head.slots.len(), Fewer::Stale));
        plan.steps.push(Step::Run((FENCE, 0), fence));
        if !moves.sql.is_empty() {
            plan.steps.push(Step::Say(&moves.sql));
        }
        for (shard, rows) in rows.iter().enumerate() {
            plan.members(shard, rows);
            if let Some(orders) = moving.get(&shard) {
                plan.steps.push(Step::Run((CHANGES_GONE, shard), vec![orders]));
            }
            plan.orders(shard, rows);
            plan.ledger(shard, rows);
            plan.write((DEAD_NEW, shard), dead);
            if !flush.drained.is_empty() {
                plan.steps.push(Step::Run((QUEUE_GONE, shard), vec![&flush.drained]));
                plan.steps.push(Step::Run((RETRY_GONE, shard), vec![&flush.drained]));
            }
        }
        plan.write((coupons::TERMS_NEW, 0), &once.terms);
        if once.taken() > 0 {
            // Last, so that a pool of which many take is held for as short as can be.
            plan.steps.push(Step::Run((coupons::POOL_NEW, 0), vec![&once.pools]));
            plan.must((coupons::POOL_TAKE, 0), &once.takes, Fewer::Short);
            plan.write((coupons::CODES_BORNE, 0), &once.codes);
        }
        if !head.members.is_empty() || !head.events.is_empty() {
            plan.steps.push(Step::Run((FEED_NEW, 0), vec![&head.members, &head.events]));
        }
        if let Some((channel, words)) = &head.tells {
            plan.steps.push(Step::Ask((TELL, 0), vec![channel, words]));
        }
        plan
    }

    fn write(&mut self, of: Of, columns: &'p dyn Columns) {
        self.steps.extend(write(of, columns));
    }

    fn must(&mut self, of: Of, columns: &'p dyn Columns, fewer: Fewer) {
        if columns.len() > 0 {
            self.musts.push((self.steps.len(), columns.len(), fewer));
            self.write(of, columns);
        }
    }

    fn members(&mut self, shard: usize, rows: &'p Rows<'_>) {
        self.write((MESSAGE_NEW, shard), &rows.messages);
        self.write((EVENT_NEW, shard), &rows.events);
        self.write((QUEUE_NEW, shard), &rows.queue);
        self.write((TIMELINE_NEW, shard), &rows.timeline_new);
        self.write((TIMELINE_ON, shard), &rows.timeline_on);
        self.write((MEMBER_NEW, shard), &rows.members_new);
        self.must((MEMBER_MOVE, shard), &rows.members_move, Fewer::Stale);
        self.write((MEMBER_SET, shard), &rows.members_set);
        self.must((LAST_SET, shard), &rows.lasts, Fewer::NoMember);
        self.must((WAKE_SET, shard), &rows.wakes, Fewer::NoMember);
        self.write((IDENTIFIER_NEW, shard), &rows.identifiers);
        if !rows.found_gone.is_empty() {
            self.steps.push(Step::Run((FOUND_GONE, shard), vec![&rows.found_gone]));
        }
        self.write((FOUND_NEW, shard), &rows.found_new);
    }

    fn orders(&mut self, shard: usize, rows: &'p Rows<'_>) {
        self.write((PLACE_NEW, shard), &rows.places);
        self.must((PLACE_SET, shard), &rows.handed, Fewer::Stale);
        self.must((ORDER_GONE, shard), &rows.gone, Fewer::Stale);
        self.write((ORDER_NEW, shard), &rows.orders_new);
        self.must((ORDER_SET, shard), &rows.orders_set, Fewer::Stale);
        self.write((ORDER_CHANGE_FIRST, shard), &rows.changes_first);
        self.write((ORDER_CHANGE_SET, shard), &rows.changes_set);
    }

    fn ledger(&mut self, shard: usize, rows: &'p Rows<'_>) {
        self.write((TRANSFER_NEW, shard), &rows.transfers);
        self.write((LOT_NEW, shard), &rows.lots_new);
        self.write((LOT_SET, shard), &rows.lots_set);
        self.write((ALLOCATION_NEW, shard), &rows.allocations);
        self.write((HOLD_SET, shard), &rows.holds);
        self.write((TERM_NEW, shard), &rows.terms);
        self.write((STAGE_NEW, shard), &rows.stages);
        self.write((TAG_NEW, shard), &rows.tags);
        self.write((PARTNER_NEW, shard), &rows.partners);
        self.write((coupons::COUPON_NEW, shard), &rows.coupons.new);
        self.must((coupons::COUPON_SET, shard), &rows.coupons.set, Fewer::NoCoupon);
        self.write((coupons::MOVE_NEW, shard), &rows.coupons.moves);
        self.must((checkouts::CHECKOUT_NEW, shard), &rows.checkouts.new, Fewer::Stale);
        self.must((checkouts::CHECKOUT_SET, shard), &rows.checkouts.set, Fewer::Stale);
        self.write((campaigns::MOVE_NEW, shard), &rows.campaigns.moves);
        self.write((campaigns::NOTE_NEW, shard), &rows.campaigns.notes);
        self.write((campaigns::SEND_NEW, shard), &rows.campaigns.sends);
        self.write((campaigns::NOTE_ON, shard), &rows.campaigns.changed);
        self.write((crate::links::LINK_NEW, shard), &rows.campaigns.links);
        self.write((HOUSE_ADD, shard), &rows.houses);
    }

    /// Sends all, looks whether all found what they must, and commits.
    async fn run(self, tx: &Tx<'_>) -> Result<()> {
        let (said, failed) = tx.send_all(self.steps).await;
        for (step, n, fewer) in self.musts {
            // Whoever comes too late may stumble over what was written meanwhile: that they come too late is said first.
            if said.get(step).is_some_and(|said| said.count() < n) {
                return Err(match fewer {
                    Fewer::Stale => StoreError::Stale,
                    Fewer::Short => StoreError::Short,
                    Fewer::NoCoupon => {
                        StoreError::Damaged("a coupon is not the member's whose it was".to_owned())
                    }
                    Fewer::NoMember => {
                        StoreError::Damaged("an event is about a member who is not there".to_owned())
                    }
                });
            }
        }
        match failed {
            Some(error) => Err(refused(error)),
            None => tx.send(vec![Step::Say("COMMIT")]).await.map_err(refused).map(drop),
        }
    }
}

/// What the database refused, in the words of a store.
fn refused(error: tokio_postgres::Error) -> StoreError {
    let Some(said) = error.as_db_error() else { return database(error) };
    match (said.code(), said.table()) {
        (&SqlState::UNIQUE_VIOLATION, Some("order_place" | "member")) => StoreError::Stale,
        (&SqlState::UNIQUE_VIOLATION, Some("message")) => {
            let detail = said.detail().unwrap_or_default();
            StoreError::Damaged(format!("something was derived twice: {detail}"))
        }
        // Two batches waited for each other, and this one gave way: nothing of it was written.
        (&SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE, _) => StoreError::Stale,
        _ => database(error),
    }
}
