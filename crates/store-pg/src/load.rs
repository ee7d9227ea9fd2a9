//! What a batch looks up before it decides, and how rows of members, orders, lots and transfers become words of the
//! model. All keys of a look-up go in one statement a shard.

use tokio_postgres::Row;
use zhiyin_model::effect::{
    Asset, Lot, Order, OrderStatus, TimerKey, TimerKind, Transfer, TransferKind,
};
use zhiyin_model::member::{Account, Member, StageHeld, Term};
use zhiyin_model::money::Money;
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::seal::{self, Sealed};
use zhiyin_store::{PastEvent, Result, StoreError, StoredMember, packed};

use crate::rows::{damaged, get, id, id_or_none, json};

/// The columns of a member that [`stored`] reads, of a table called `m`.
macro_rules! member_columns {
    () => {
        "m.id, m.known_since, m.enrolled_at, m.decided_until, m.wake, m.tier, m.term_from, m.term_ends, m.stage, \
         m.stage_since, m.accounts, m.timers, m.tags, m.touches, m.told_at, m.attributes, m.fingerprint, \
         m.growth_days, m.leaves"
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
        "e.id, s.user_namespace, e.time, e.name, e.body"
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
pub(crate) use {event_columns, lot_columns, member_columns, order_columns, transfer_columns};

/// Reads [`member_columns`].
pub(crate) fn stored(row: &Row) -> Result<StoredMember> {
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
    member.touches = json(row, 13)?;
    member.told_at = json(row, 14)?;
    let attributes = seal::open(&Sealed(get(row, 15)?))?;
    member.attributes = serde_json::from_str(&attributes).map_err(|error| damaged(15, error))?;
    member.growth_days = packed::unpack_days(get(row, 17)?)?;
    Ok(StoredMember { member, leaves: get(row, 18)?, fingerprint: get(row, 16)?, wake })
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
