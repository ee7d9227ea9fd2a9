//! What a batch looks up before it decides, and how rows of members, orders, lots and transfers become words of the
//! model. All keys of a look-up go in one statement a shard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio_postgres::Row;
use zhiyin_model::effect::{Asset, Lot, Order, OrderStatus, TimerKey, TimerKind, Transfer, TransferKind};
use zhiyin_model::id::{MemberId, OrderId, TransferId};
use zhiyin_model::member::{Account, Member, StageHeld, Term};
use zhiyin_model::money::Money;
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::campaigns::unpack_runs;
use zhiyin_store::coupons::unpack_holdings;
use zhiyin_store::flush::Hold;
use zhiyin_store::seal::Sealed;
use zhiyin_store::seal::personal::{Kept, subjects};
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{
    Loaded, LotsWanted, PastEvent, PastOf, PastTransfer, Result, StoreError, StoredMember, Wanted, packed,
};

use crate::connection::{Connections, Of, Session, Values};
use crate::rows::{Uuid, damaged, get, id, id_or_none, json};
use crate::standing::{Standing, Standings};

/// The columns of a member that [`stored`] reads, of a table called `m`.
macro_rules! member_columns {
    () => {
        "m.id, m.known_since, m.enrolled_at, m.decided_until, m.wake, m.tier, m.term_from, m.term_ends, m.stage, \
         m.stage_since, m.accounts, m.timers, m.tags, m.touches, m.told_at, m.attributes, m.fingerprint, \
         m.growth_days, m.leaves, m.personal, m.audiences, m.holdings, m.runs"
    };
}
/// The columns of an order `o` and its event `e` that [`order`] reads.
macro_rules! order_columns {
    () => {
        "o.id, o.member, o.time, o.store, o.channel, o.paid, o.refunded, o.status, e.id, o.terms"
    };
}
/// The columns of an event `e` and its source `s` that [`past_event`] reads.
macro_rules! event_columns {
    () => {
        "e.id, s.user_namespace, e.time, e.name, e.body, e.seq"
    };
}
/// The columns of a lot `l` that [`lot`] reads.
macro_rules! lot_columns {
    () => {
        "l.id, l.member, l.asset, l.granted, l.remaining, l.active_at, l.expires_at, l.active"
    };
}
/// The columns of a transfer `t` and its event `e` that [`transfer`] reads.
macro_rules! transfer_columns {
    () => {
        "t.id, t.member, t.asset, t.kind, t.amount, e.id, t.ordinal, t.at, t.day, t.reverses, t.order_id"
    };
}
/// The events of a member's timeline, from the latest decided backwards: a common table that the statements below join.
macro_rules! timeline {
    () => {
        "WITH RECURSIVE t (seq, before) AS (SELECT l.seq, l.before FROM {shard}.member m \
         JOIN {shard}.timeline l ON l.seq = m.last_event WHERE m.id = $1 \
         UNION ALL SELECT l.seq, l.before FROM t JOIN {shard}.timeline l ON l.seq = t.before) "
    };
}
pub(crate) use {event_columns, member_columns, order_columns, timeline};

pub(crate) const BY_IDENTIFIER: &str =
    "SELECT i.hash, i.member FROM {shard}.identifier i WHERE i.hash = ANY($1)";
pub(crate) const MEMBERS: &str =
    concat!("SELECT ", member_columns!(), ", m.last_event FROM {shard}.member m WHERE m.id = ANY($1)");
pub(crate) const ORDER_PLACES: &str =
    "SELECT p.id, p.member, p.no FROM {shard}.order_place p WHERE p.id = ANY($1)";
pub(crate) const ORDERS: &str = concat!(
    "SELECT ",
    order_columns!(),
    " FROM {shard}.orders o JOIN {events} e ON e.seq = o.event WHERE o.no = ANY($1)"
);
pub(crate) const ORDERS_OF: &str = concat!(
    timeline!(),
    "SELECT ",
    order_columns!(),
    ", ",
    event_columns!(),
    " FROM t JOIN {shard}.orders o ON o.no = t.seq JOIN {events} e ON e.seq = o.event \
     JOIN {home}.source s ON s.no = e.source WHERE o.member = $1 ORDER BY o.time, o.no"
);
pub(crate) const EVENTS_OF: &str = concat!(
    timeline!(),
    "SELECT ",
    event_columns!(),
    " FROM t JOIN {events} e ON e.seq = t.seq JOIN {home}.source s ON s.no = e.source \
     WHERE e.name = ANY($2) AND e.derived < 2 ORDER BY array_position($2, e.name), e.time, e.seq"
);
/// The event that an order's lines came with.
pub(crate) const ORDER_LINES: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM {shard}.orders o JOIN {events} e ON e.seq = o.event JOIN {home}.source s ON s.no = e.source \
     WHERE o.no = $1 AND o.id = $2"
);
pub(crate) const LOTS_OPEN: &str = concat!(
    "SELECT ",
    lot_columns!(),
    " FROM {shard}.lot l WHERE l.member = $1 AND l.remaining > 0 ORDER BY l.expires_at, l.active_at"
);
pub(crate) const LOTS_EXPIRING: &str = concat!(
    "SELECT ",
    lot_columns!(),
    " FROM {shard}.lot l WHERE l.member = $1 AND l.remaining > 0 AND l.expires_at = $2"
);
pub(crate) const LOTS_ACTIVATING: &str = concat!(
    "SELECT ",
    lot_columns!(),
    " FROM {shard}.lot l WHERE l.member = $1 AND l.remaining > 0 AND l.active_at = $2"
);
pub(crate) const LOTS: &str =
    concat!("SELECT ", lot_columns!(), " FROM {shard}.lot l WHERE l.member = $1 AND l.id = ANY($2)");
pub(crate) const TERMS: &str = "SELECT level, at, ends FROM {shard}.term WHERE member = $1 ORDER BY at, no";
pub(crate) const HOLD: &str = "SELECT asset, amount, open FROM {shard}.hold WHERE id = $1 AND member = $2";
/// A spend (kind 2: only these are indexed by id) with the event that caused it.
pub(crate) const TRANSFER: &str = concat!(
    "SELECT ",
    transfer_columns!(),
    " FROM {transfers} t JOIN {events} e ON e.seq = t.event \
     WHERE t.id = $1 AND t.kind = 2 \
     AND (t.member = $2 OR t.member IN (SELECT member FROM {home}.alias WHERE root = $2))"
);
pub(crate) const ALLOCATIONS: &str = "SELECT lot, amount FROM {allocations} WHERE transfer = $1 ORDER BY no";
pub(crate) const UNDONE: &str =
    "SELECT COALESCE(SUM(amount), 0)::bigint FROM {transfers} WHERE reverses = $1";

/// Reads [`member_columns`].
pub(crate) fn stored(row: &Row, vault: &Vault) -> Result<StoredMember> {
    let mut member = Member::new(id(row, 0)?, Ts(get(row, 1)?));
    member.enrolled_at = get::<Option<i64>>(row, 2)?.map(Ts);
    member.decided_until = Ts(get(row, 3)?);
    let wake = get::<Option<i64>>(row, 4)?.map(Ts);
    if let Some(level) = get::<Option<String>>(row, 5)? {
        member.term = Some(Term { level, from: Ts(get(row, 6)?), ends: Day(get(row, 7)?) });
    }
    if let Some(stage) = get::<Option<String>>(row, 8)? {
        member.stage = Some(StageHeld { stage, since: Ts(get(row, 9)?) });
    }
    for [asset, active, pending, held, debt] in json::<Vec<[i64; 5]>>(row, 10)? {
        let asset = Asset::from_code(asset).ok_or_else(|| damaged(10, "no asset"))?;
        member.accounts.insert(asset, Account { active, pending, held, debt });
    }
    for [kind, which, due] in json::<Vec<[i64; 3]>>(row, 11)? {
        let kind = TimerKind::from_code(kind).ok_or_else(|| damaged(11, "no kind of timer"))?;
        member.timers.insert(TimerKey { kind, which }, Ts(due));
    }
    member.tags = json(row, 12)?;
    member.audiences = packed::unpack_memberships(get(row, 20)?)?;
    member.holdings = unpack_holdings(get(row, 21)?)?;
    member.runs = unpack_runs(get(row, 22)?)?;
    let kept = Kept {
        attributes: get(row, 15)?,
        touches: get(row, 13)?,
        told_at: get(row, 14)?,
        leaves: get(row, 18)?,
        personal: get(row, 19)?,
    };
    let leaves = vault.read_member(kept, &mut member)?;
    member.growth_days = packed::unpack_days(get(row, 17)?)?;
    Ok(StoredMember { member, leaves, fingerprint: get(row, 16)?, wake })
}

/// Reads [`order_columns`], the first of which is this one.
pub(crate) fn order(row: &Row, first: usize) -> Result<Order> {
    let status = i64::from(get::<i16>(row, first + 7)?);
    Ok(Order {
        id: id(row, first)?,
        member: id(row, first + 1)?,
        time: Ts(get(row, first + 2)?),
        store: get(row, first + 3)?,
        channel: get(row, first + 4)?,
        paid: Money(get(row, first + 5)?),
        refunded: Money(get(row, first + 6)?),
        status: OrderStatus::from_code(status).ok_or_else(|| damaged(first + 7, "no order status"))?,
        event: id(row, first + 8)?,
        terms: json(row, first + 9)?,
    })
}

/// Reads [`event_columns`], the first of which is this one.
pub(crate) fn past_event(row: &Row, first: usize) -> Result<PastEvent> {
    Ok(PastEvent {
        id: id(row, first)?,
        user_namespace: get(row, first + 1)?,
        time: Ts(get(row, first + 2)?),
        name: get(row, first + 3)?,
        body: Sealed(get(row, first + 4)?),
        seq: get(row, first + 5)?,
    })
}

/// Reads [`lot_columns`].
pub(crate) fn lot(row: &Row) -> Result<Lot> {
    Ok(Lot {
        id: id(row, 0)?,
        member: id(row, 1)?,
        asset: asset(row, 2)?,
        granted: get(row, 3)?,
        remaining: get(row, 4)?,
        active_at: Ts(get(row, 5)?),
        expires_at: Ts(get(row, 6)?),
        active: get(row, 7)?,
    })
}

/// Reads [`transfer_columns`].
pub(crate) fn transfer(row: &Row) -> Result<Transfer> {
    let kind = i64::from(get::<i16>(row, 3)?);
    let ordinal = get::<i32>(row, 6)?;
    Ok(Transfer {
        id: id(row, 0)?,
        member: id(row, 1)?,
        asset: asset(row, 2)?,
        kind: TransferKind::from_code(kind).ok_or_else(|| damaged(3, "no kind of transfer"))?,
        amount: get(row, 4)?,
        event: id(row, 5)?,
        ordinal: u32::try_from(ordinal).map_err(|_| damaged(6, "below zero"))?,
        at: Ts(get(row, 7)?),
        day: Day(get(row, 8)?),
        reverses: id_or_none(row, 9)?,
        order: id_or_none(row, 10)?,
    })
}

/// An asset by its number, in a `smallint`.
pub(crate) fn asset(row: &Row, column: usize) -> Result<Asset> {
    let code = i64::from(get::<i16>(row, column)?);
    Asset::from_code(code).ok_or_else(|| damaged(column, "no asset"))
}

/// level, at, ends
pub(crate) fn term(row: &Row) -> Result<Term> {
    Ok(Term { level: get(row, 0)?, from: Ts(get(row, 1)?), ends: Day(get(row, 2)?) })
}

/// Keys by the shard in which they are looked up.
fn by_shard<T>(shards: usize, keys: impl Iterator<Item = (usize, T)>) -> Vec<Vec<T>> {
    let mut by_shard: Vec<Vec<T>> = (0..shards).map(|_| Vec::new()).collect();
    for (shard, key) in keys {
        by_shard[shard].push(key);
    }
    by_shard
}

/// What one statement finds by keys that were put apart by shard; it is asked only where there are any.
fn asks<'k, T>(statement: &'static str, keys: &'k [Vec<T>]) -> impl Iterator<Item = (Of, Values<'k>)>
where
    Vec<T>: tokio_postgres::types::ToSql + Sync,
{
    let some = keys.iter().enumerate().filter(|(_, keys)| !keys.is_empty());
    some.map(move |(shard, keys)| ((statement, shard), vec![keys as _]))
}

/// Where an order is.
#[derive(Clone, Copy)]
struct OrderPlace {
    id: OrderId,
    member: MemberId,
    no: i64,
}

fn order_place(row: &Row) -> Result<OrderPlace> {
    Ok(OrderPlace { id: id(row, 0)?, member: id(row, 1)?, no: get(row, 2)? })
}

/// What a batch needs to know. Names and orders are looked up beside the members that are named by their ids; what is found
/// by them is looked up after that.
pub(crate) async fn load(
    connections: &Connections,
    standings: &Standings,
    vault: &Arc<Vault>,
    wanted: &Wanted,
) -> Result<Loaded> {
    let session = connections.session().await?;
    let found = try_load(&session, standings, vault, wanted).await?;
    match found {
        Some(loaded) => Ok(loaded),
        // An order changed hands between two looks.
        None => try_load(&session, standings, vault, wanted)
            .await?
            .ok_or_else(|| StoreError::Damaged("an order is not where it should be".to_owned())),
    }
}

async fn try_load(
    session: &Session<'_>,
    standings: &Standings,
    vault: &Arc<Vault>,
    wanted: &Wanted,
) -> Result<Option<Loaded>> {
    let (schemas, n) = (session.schemas, session.schemas.shards());
    let members: BTreeSet<MemberId> = wanted.members.iter().copied().collect();
    let hashes = wanted.identifiers.iter().map(|hash| (schemas.shard_of_hash(hash), Uuid(*hash)));
    let hashes = by_shard(n, hashes);
    let ids = by_shard(n, members.iter().map(|id| (schemas.shard_of(*id), Uuid::from(*id))));
    let orders = wanted.orders.iter().map(|order| (schemas.shard_of_order(*order), Uuid::from(*order)));
    let orders = by_shard(n, orders);
    let by_name: Vec<_> = asks(BY_IDENTIFIER, &hashes).collect();
    let by_order: Vec<_> = asks(ORDER_PLACES, &orders).collect();
    let (names, places) = (by_name.len(), by_order.len());
    let all = by_name.into_iter().chain(by_order).chain(asks(MEMBERS, &ids)).collect();
    let mut found = session.ask(all).await?.into_iter();

    let mut loaded = Loaded::default();
    let mut known = BTreeMap::new();
    for row in found.by_ref().take(names).flatten() {
        known.insert(get::<Uuid>(&row, 0)?.0, id(&row, 1)?);
    }
    loaded.identifiers =
        wanted.identifiers.iter().filter_map(|hash| Some((*hash, *known.get(hash)?))).collect();
    let places: Vec<OrderPlace> =
        found.by_ref().take(places).flatten().map(|row| order_place(&row)).collect::<Result<_>>()?;
    let mut stand: BTreeMap<MemberId, Standing> =
        members.iter().map(|member| (*member, Standing::Absent)).collect();
    take_members(found, vault, &mut loaded, &mut stand).await?;

    let named: BTreeSet<MemberId> = known.into_values().filter(|member| !members.contains(member)).collect();
    let ids = by_shard(n, named.into_iter().map(|id| (schemas.shard_of(id), Uuid::from(id))));
    let numbers = by_shard(n, places.iter().map(|place| (schemas.shard_of(place.member), place.no)));
    let by_number: Vec<_> = asks(ORDERS, &numbers).collect();
    let n_orders = by_number.len();
    let mut found =
        session.ask(by_number.into_iter().chain(asks(MEMBERS, &ids)).collect()).await?.into_iter();
    let wanted: BTreeSet<OrderId> = places.iter().map(|place| place.id).collect();
    for row in found.by_ref().take(n_orders).flatten() {
        let order = order(&row, 0)?;
        if wanted.contains(&order.id) {
            loaded.orders.push(order);
        }
    }
    take_members(found, vault, &mut loaded, &mut stand).await?;
    standings.learn(stand.into_iter());
    Ok((loaded.orders.len() == places.len()).then_some(loaded))
}

/// Reads members, and notes how they stand.
async fn take_members(
    found: impl Iterator<Item = Vec<Row>>,
    vault: &Arc<Vault>,
    loaded: &mut Loaded,
    stand: &mut BTreeMap<MemberId, Standing>,
) -> Result<()> {
    let rows: Vec<Row> = found.flatten().collect();
    if vault.is_sealed() {
        let attributes = rows.iter().map(|row| get::<&[u8]>(row, 15)).collect::<Result<Vec<_>>>()?;
        let subjects = subjects(attributes.into_iter());
        vault.aside(move |vault| vault.warm(subjects)).await?;
    }
    for row in rows {
        let member = stored(&row, vault)?;
        stand.insert(member.member.id, Standing::There(get(&row, 23)?));
        loaded.members.push(member);
    }
    Ok(())
}

/// Lots of a member.
pub(crate) async fn lots(
    connections: &Connections,
    member: MemberId,
    wanted: LotsWanted<'_>,
) -> Result<Vec<Lot>> {
    let session = connections.session().await?;
    let (shard, id) = (session.schemas.shard_of(member), Uuid::from(member));
    let rows = match wanted {
        LotsWanted::Covering(_) => session.rows((LOTS_OPEN, shard), &[&id]).await?,
        LotsWanted::ExpiringAt(at) => session.rows((LOTS_EXPIRING, shard), &[&id, &at.0]).await?,
        LotsWanted::ActiveAt(at) => session.rows((LOTS_ACTIVATING, shard), &[&id, &at.0]).await?,
        LotsWanted::These(ids) => {
            let ids: Vec<Uuid> = ids.iter().map(|id| Uuid::from(*id)).collect();
            session.rows((LOTS, shard), &[&id, &ids]).await?
        }
    };
    let LotsWanted::Covering(amount) = wanted else { return rows.iter().map(lot).collect() };
    covering(&rows, amount)
}

/// Open lots in spending order until they cover an amount; equal keys are all taken, for the last tie is by id.
fn covering(rows: &[Row], amount: i64) -> Result<Vec<Lot>> {
    let mut lots: Vec<Lot> = Vec::new();
    let mut covered = 0i64;
    for row in rows {
        let lot = lot(row)?;
        let tied = lots
            .last()
            .is_some_and(|last| (last.expires_at, last.active_at) == (lot.expires_at, lot.active_at));
        if covered >= amount && !tied {
            break;
        }
        if lot.active {
            covered = covered.saturating_add(lot.remaining);
        }
        lots.push(lot);
    }
    Ok(lots)
}

/// Terms of a member, oldest first.
pub(crate) async fn terms(connections: &Connections, member: MemberId) -> Result<Vec<Term>> {
    let session = connections.session().await?;
    let of = (TERMS, session.schemas.shard_of(member));
    session.rows(of, &[&Uuid::from(member)]).await?.iter().map(term).collect()
}

/// A hold of a member.
pub(crate) async fn hold(
    connections: &Connections,
    member: MemberId,
    id: TransferId,
) -> Result<Option<Hold>> {
    let session = connections.session().await?;
    let of = (HOLD, session.schemas.shard_of(member));
    let row = session.row(of, &[&Uuid::from(id), &Uuid::from(member)]).await?;
    row.map(|row| Ok(Hold { id, member, asset: asset(&row, 0)?, amount: get(&row, 1)?, open: get(&row, 2)? }))
        .transpose()
}

/// A past transfer of a member with its allocations.
pub(crate) async fn past_transfer(
    connections: &Connections,
    member: MemberId,
    id: TransferId,
) -> Result<Option<PastTransfer>> {
    let session = connections.session().await?;
    let (shard, id, member) = (session.schemas.shard_of(member), Uuid::from(id), Uuid::from(member));
    let asks: Vec<(Of, Values<'_>)> = vec![
        ((TRANSFER, shard), vec![&id, &member]),
        ((ALLOCATIONS, shard), vec![&id]),
        ((UNDONE, shard), vec![&id]),
    ];
    let found = session.ask(asks).await?;
    let [transfers, allocations, undone] = found.as_slice() else { return Ok(None) };
    let (Some(row), Some(undone)) = (transfers.first(), undone.first()) else { return Ok(None) };
    let allocations = allocations.iter().map(|row| Ok((id_or_none(row, 0)?, get(row, 1)?)));
    let allocations = allocations.collect::<Result<_>>()?;
    Ok(Some(PastTransfer { transfer: transfer(row)?, allocations, undone: get(undone, 0)? }))
}

/// The event that an order's lines came with.
pub(crate) async fn order_lines(connections: &Connections, order: OrderId) -> Result<Option<PastEvent>> {
    let session = connections.session().await?;
    let (shard, key) = (session.schemas.shard_of_order(order), Uuid::from(order));
    let Some(row) = session.row((ORDER_PLACES, shard), &[&vec![key]]).await? else { return Ok(None) };
    let place = order_place(&row)?;
    let of = (ORDER_LINES, session.schemas.shard_of(place.member));
    session.row(of, &[&place.no, &key]).await?.map(|row| past_event(&row, 0)).transpose()
}

/// A member's orders, each with the event of its lines, and events by name, oldest first.
pub(crate) async fn history(connections: &Connections, member: MemberId, names: &[String]) -> Result<PastOf> {
    let session = connections.session().await?;
    let (shard, id) = (session.schemas.shard_of(member), Uuid::from(member));
    let mut asks: Vec<(Of, Values<'_>)> = vec![((ORDERS_OF, shard), vec![&id])];
    if !names.is_empty() {
        asks.push(((EVENTS_OF, shard), vec![&id, &names]));
    }
    let mut found = session.ask(asks).await?.into_iter();
    let orders = found.next().unwrap_or_default();
    let orders =
        orders.iter().map(|row| Ok((order(row, 0)?, past_event(row, 10)?))).collect::<Result<_>>()?;
    let events = found.flatten().map(|row| past_event(&row, 0)).collect::<Result<_>>()?;
    Ok(PastOf { orders, events })
}
