//! Who is whom, in a batch: rows follow whoever's they are now. Timelines, orders, lots and holds go to the shard of whom they
//! belong to; events and what was booked stay where they are, under whom they were accepted for, and are found through all
//! shards (`{events}`, `{transfers}`).
//!
//! It happens rarely, and one member at a time, so it is plain SQL that is written for the occasion; ids and places are the
//! only values in it.

use zhiyin_model::effect::Allocation;
use zhiyin_model::id::{EventId, MemberId, OrderId};
use zhiyin_store::Result;
use zhiyin_store::flush::{Flush, Hold, Joined, Parted};
use zhiyin_store::merge::{Books, Past};

use crate::connection::{Connections, Session, Values};
use crate::load::{self, timeline};
use crate::rows::{Uuid, get, id, id_or_none};
use crate::schemas::Schemas;
use crate::standing::Standing;
use crate::{campaigns, checkouts, coupons};

/// A member's timeline, the latest first.
pub(crate) const CHAIN: &str = concat!(timeline!(), "SELECT seq FROM t");
pub(crate) const LAST: &str = "SELECT last_event FROM {shard}.member WHERE id = $1";
pub(crate) const ORDERS_AT: &str = "SELECT id FROM {shard}.orders WHERE no = ANY($1) AND member = $2";
pub(crate) const PAST: &str = concat!(
    timeline!(),
    "SELECT e.id, s.user_namespace, e.time, e.name, e.body, e.seq, s.name, \
     COALESCE('~~' || encode(e.called, 'hex'), e.message_id) FROM t \
     JOIN {events} e ON e.seq = t.seq JOIN {home}.source s ON s.no = e.source"
);
pub(crate) const TRANSFERS_OF: &str = concat!(
    timeline!(),
    "SELECT r.id, r.member, r.asset, r.kind, r.amount, e.id, r.ordinal, r.at, r.day, r.reverses, r.order_id FROM t \
     JOIN {transfers} r ON r.event = t.seq JOIN {events} e ON e.seq = r.event ORDER BY r.at, r.event, r.ordinal"
);
pub(crate) const ALLOCATIONS_OF: &str = concat!(
    timeline!(),
    "SELECT a.transfer, a.lot, a.amount FROM t JOIN {transfers} r ON r.event = t.seq \
     JOIN {allocations} a ON a.transfer = r.id ORDER BY a.no"
);
pub(crate) const HOLDS_OF: &str = "SELECT id, asset, amount, open FROM {shard}.hold WHERE member = $1";
pub(crate) const LOTS_OF: &str = "SELECT l.id, l.member, l.asset, l.granted, l.remaining, l.active_at, l.expires_at, \
    l.active FROM {shard}.lot l WHERE l.member = $1";
pub(crate) const BROUGHT: &str = concat!(
    timeline!(),
    "SELECT o.id, e.id FROM t JOIN {shard}.orders o ON o.no = t.seq JOIN {events} e ON e.seq = o.no WHERE o.member = $1"
);

/// What is to be said before a batch is written, and where the timelines of those it touches end then.
#[derive(Default)]
pub(crate) struct Moves {
    pub(crate) sql: String,
    pub(crate) standings: Vec<(MemberId, Standing)>,
}

fn uuid(member: MemberId) -> String {
    format!("'{member}'::uuid")
}

fn uuids<'i>(ids: impl Iterator<Item = &'i [u8; 16]>) -> String {
    let hex = ids.map(|id| MemberId::from_bytes(*id).to_string());
    format!("'{{{}}}'::uuid[]", hex.collect::<Vec<_>>().join(","))
}

fn places(seqs: &[i64]) -> String {
    let places: Vec<String> = seqs.iter().map(i64::to_string).collect();
    format!("'{{{}}}'::bigint[]", places.join(","))
}

/// Columns of the tables whose rows move as they are, `member` first.
const ORDER_COLUMNS: &str = "no, id, time, store, channel, paid, refunded, status, event, terms";
const LOT_COLUMNS: &str = "id, asset, granted, remaining, active_at, expires_at, active";
const HOLD_COLUMNS: &str = "id, asset, amount, open";

/// Writing for one pair of members.
struct Pair<'s> {
    schemas: &'s Schemas,
    from: MemberId,
    to: MemberId,
}

impl Pair<'_> {
    fn shards(&self) -> (String, String) {
        let shard = |member| self.schemas.shard(self.schemas.shard_of(member));
        (shard(self.from), shard(self.to))
    }

    /// Rows of a table that hold a condition are the other's.
    fn moved(&self, sql: &mut String, table: &str, columns: &str, which: &str) {
        let ((a, b), from, to) = (self.shards(), uuid(self.from), uuid(self.to));
        if a == b {
            *sql += &format!("UPDATE {a}.{table} SET member = {to} WHERE member = {from} AND {which};\n");
        } else {
            *sql += &format!(
                "WITH gone AS (DELETE FROM {a}.{table} WHERE member = {from} AND {which} RETURNING {columns}) \
                 INSERT INTO {b}.{table} (member, {columns}) SELECT {to}, {columns} FROM gone;\n"
            );
        }
    }

    /// Orders go with what is known of how they stood, and with the places that say whose they are.
    fn orders(&self, sql: &mut String, orders: &[OrderId]) {
        if orders.is_empty() {
            return;
        }
        let ((a, b), from, to) = (self.shards(), uuid(self.from), uuid(self.to));
        let ids = uuids(orders.iter().map(OrderId::bytes));
        if a != b {
            *sql += &format!(
                "WITH gone AS (DELETE FROM {a}.order_change WHERE order_id = ANY({ids}) RETURNING *) \
                 INSERT INTO {b}.order_change SELECT * FROM gone;\n"
            );
        }
        for shard in 0..self.schemas.shards() {
            let shard = self.schemas.shard(shard);
            *sql += &format!(
                "UPDATE {shard}.order_place SET member = {to} WHERE id = ANY({ids}) AND member = {from};\n"
            );
        }
    }

    /// A row for a member who has none yet; the batch writes what it says.
    fn row(&self, sql: &mut String, member: MemberId) {
        let slot = self.schemas.slot_of(member);
        let shard = self.schemas.shard(self.schemas.shard_of(member));
        *sql += &format!(
            "INSERT INTO {shard}.member (id, slot, known_since, decided_until, version, accounts, timers, tags, touches, \
             told_at, attributes, fingerprint, growth_days, leaves) VALUES ({}, {slot}, 0, 0, 0, '[]', '[]', '{{}}', '{{}}', \
             '{{}}', '', '', '', '') ON CONFLICT (id) DO NOTHING;\n",
            uuid(member)
        );
    }

    /// A timeline is these events, the first decided first; they may lie with the other member until now.
    fn timeline(&self, sql: &mut String, member: MemberId, seqs: &[i64]) {
        let ((a, _), to) = (self.shards(), uuid(member));
        let b = self.schemas.shard(self.schemas.shard_of(member));
        let before: Vec<String> = std::iter::once("NULL".to_owned())
            .chain(seqs.iter().map(i64::to_string))
            .take(seqs.len())
            .collect();
        let before = format!("'{{{}}}'::bigint[]", before.join(","));
        let seq = places(seqs);
        if a == b {
            *sql += &format!(
                "UPDATE {a}.timeline t SET member = {to}, before = u.before FROM unnest({seq}, {before}) u (seq, before) \
                 WHERE t.seq = u.seq;\n"
            );
        } else {
            *sql += &format!(
                "DELETE FROM {a}.timeline WHERE seq = ANY({seq}); INSERT INTO {b}.timeline (seq, member, before) \
                 SELECT u.seq, {to}, u.before FROM unnest({seq}, {before}) u (seq, before);\n"
            );
        }
        let last = seqs.last().map_or("NULL".to_owned(), i64::to_string);
        *sql += &format!("UPDATE {b}.member SET last_event = {last} WHERE id = {to};\n");
    }
}

/// What a batch says of who is whom, in SQL. What is read for it nobody else writes.
pub(crate) async fn moves(connections: &Connections, flush: &Flush) -> Result<Moves> {
    let mut moves = Moves::default();
    if flush.joined.is_empty() && flush.parted.is_empty() {
        return Ok(moves);
    }
    let session = connections.session().await?;
    for joined in &flush.joined {
        join(&session, joined, &mut moves).await?;
    }
    for parted in &flush.parted {
        let schemas = session.schemas;
        let pair = Pair { schemas, from: parted.from, to: parted.to };
        part(&pair, parted, &mut moves);
    }
    Ok(moves)
}

async fn join(session: &Session<'_>, joined: &Joined, moves: &mut Moves) -> Result<()> {
    let schemas = session.schemas;
    let (winner, loser) = (Uuid::from(joined.winner), Uuid::from(joined.loser));
    let shard = schemas.shard_of(joined.loser);
    let asks: Vec<(crate::connection::Of, Values<'_>)> =
        vec![((CHAIN, shard), vec![&loser]), ((LAST, schemas.shard_of(joined.winner)), vec![&winner])];
    let found = session.ask(asks).await?;
    let mut chain: Vec<i64> = found[0].iter().map(|row| get(row, 0)).collect::<Result<_>>()?;
    let last: Option<i64> = found[1].first().map(|row| get(row, 0)).transpose()?.flatten();
    let orders = session.ask(vec![((ORDERS_AT, shard), vec![&chain, &loser])]).await?;
    let orders: Vec<OrderId> = orders.iter().flatten().map(|row| id(row, 0)).collect::<Result<_>>()?;
    chain.reverse();

    let pair = Pair { schemas, from: joined.loser, to: joined.winner };
    let sql = &mut moves.sql;
    pair.row(sql, joined.winner);
    if let Some(newest) = chain.last() {
        let seqs = places(&chain);
        pair.orders(sql, &orders);
        pair.moved(sql, "orders", ORDER_COLUMNS, &format!("no = ANY({seqs})"));
        pair.timeline(sql, joined.winner, &chain);
        let shard = schemas.shard(schemas.shard_of(joined.winner));
        if let (Some(last), Some(oldest)) = (last, chain.first()) {
            *sql += &format!("UPDATE {shard}.timeline SET before = {last} WHERE seq = {oldest};\n");
        }
        moves.standings.push((joined.winner, Standing::There(Some(*newest))));
    } else {
        moves.standings.push((joined.winner, Standing::There(last)));
    }
    pair.moved(sql, "lot", LOT_COLUMNS, "true");
    pair.moved(sql, "hold", HOLD_COLUMNS, "true");
    *sql += &coupons::join(schemas, joined);
    *sql += &checkouts::join(schemas, joined);
    *sql += &campaigns::join(schemas, joined);
    *sql += &crate::links::join(schemas, joined);
    let shard = schemas.shard(shard);
    let loser = uuid(joined.loser);
    *sql += &format!(
        "DELETE FROM {shard}.found_by WHERE member = {loser};\nDELETE FROM {shard}.member WHERE id = {loser};\n"
    );
    Ok(())
}

fn part(pair: &Pair<'_>, parted: &Parted, moves: &mut Moves) {
    let sql = &mut moves.sql;
    pair.row(sql, parted.to);
    pair.orders(sql, &parted.orders);
    if !parted.orders.is_empty() {
        let which = format!(
            "no = ANY({}) AND id = ANY({})",
            places(&parted.leave),
            uuids(parted.orders.iter().map(OrderId::bytes))
        );
        pair.moved(sql, "orders", ORDER_COLUMNS, &which);
    }
    for (table, columns, ids) in [("lot", LOT_COLUMNS, &parted.lots), ("hold", HOLD_COLUMNS, &parted.holds)] {
        if !ids.is_empty() {
            let which = format!("id = ANY({})", uuids(ids.iter().map(|id| id.bytes())));
            pair.moved(sql, table, columns, &which);
        }
    }
    *sql += &coupons::part(pair.schemas, (parted.from, parted.to), &parted.coupons);
    *sql += &checkouts::part(pair.schemas, (parted.from, parted.to), &parted.checkouts);
    pair.timeline(sql, parted.to, &parted.leave);
    pair.timeline(sql, parted.from, &parted.stay);
    moves.standings.push((parted.to, Standing::There(parted.leave.last().copied())));
    moves.standings.push((parted.from, Standing::There(parted.stay.last().copied())));
}

/// All that was decided for a member, the first first.
pub(crate) async fn past(connections: &Connections, member: MemberId) -> Result<Vec<Past>> {
    let session = connections.session().await?;
    let key = Uuid::from(member);
    let rows = session.rows((PAST, session.schemas.shard_of(member)), &[&key]).await?;
    let past = rows.iter().rev().map(|row| {
        Ok(Past { event: load::past_event(row, 0)?, source: get(row, 6)?, message_id: get(row, 7)? })
    });
    past.collect()
}

/// What was booked for a member, and what they have.
pub(crate) async fn books(connections: &Connections, member: MemberId) -> Result<Books> {
    let session = connections.session().await?;
    let (shard, key) = (session.schemas.shard_of(member), Uuid::from(member));
    let statements = [TRANSFERS_OF, ALLOCATIONS_OF, LOTS_OF, HOLDS_OF, load::ORDERS_OF, BROUGHT];
    let asks = statements.iter().map(|statement| ((*statement, shard), vec![&key as _])).collect();
    let found = session.ask(asks).await?;
    let [transfers, allocations, lots, holds, orders, brought] = found.as_slice() else {
        return Ok(Books::default());
    };
    let allocation = |row| {
        let (transfer, lot, amount) = (id(row, 0)?, id_or_none(row, 1)?, get(row, 2)?);
        Ok(Allocation { transfer, lot, amount })
    };
    let hold = |row| {
        let (id, asset) = (id(row, 0)?, load::asset(row, 1)?);
        Ok(Hold { id, member, asset, amount: get(row, 2)?, open: get(row, 3)? })
    };
    let brought: std::collections::BTreeMap<OrderId, EventId> =
        brought.iter().map(|row| Ok((id(row, 0)?, id(row, 1)?))).collect::<Result<_>>()?;
    let order = |row| {
        let order = load::order(row, 0)?;
        let by = brought.get(&order.id).copied().unwrap_or(order.event);
        Ok((order, by))
    };
    Ok(Books {
        transfers: transfers.iter().map(load::transfer).collect::<Result<_>>()?,
        allocations: allocations.iter().map(allocation).collect::<Result<_>>()?,
        lots: lots.iter().map(load::lot).collect::<Result<_>>()?,
        holds: holds.iter().map(hold).collect::<Result<_>>()?,
        orders: orders.iter().map(order).collect::<Result<_>>()?,
        coupons: coupons::of_member(&session, member, usize::MAX).await?,
        checkouts: checkouts::of_books(&session, member).await?,
    })
}
