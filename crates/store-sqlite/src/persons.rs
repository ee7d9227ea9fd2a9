//! Who is whom: at the door, where names change hands, and in a batch, where rows follow them.

use rusqlite::{Connection, OptionalExtension, params};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::flush::{Joined, Parted};
use zhiyin_store::merge::{Books, Past};
use zhiyin_store::seal::LookupHash;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Result, StoreError};

use crate::load::{self, timeline};
use crate::reading::FOUND_GONE;
use crate::rows::{self, all, database, id};
use crate::write::{LAST_SET, MEMBER_PLACE, prepare, run};
use crate::{campaigns, checkouts, coupons, lists};

pub(crate) const ALIAS_NEW: &str = "INSERT INTO alias (member, root, since) VALUES (?, ?, ?)";
pub(crate) const ALIAS_ON: &str = "UPDATE alias SET root = ?2 WHERE root = ?1";
pub(crate) const NAMES_ON: &str =
    "UPDATE identifier SET member = ?2 WHERE substr(member, 1, 3) = substr(?1, 1, 3) AND member = ?1";
pub(crate) const NAME_ON: &str = "UPDATE identifier SET member = ?3 WHERE hash = ?1 AND member = ?2";
pub(crate) const APART: &str = "SELECT 1 FROM apart WHERE member = ? AND other = ?";
pub(crate) const APART_NEW: &str = "INSERT OR IGNORE INTO apart (member, other) VALUES (?1, ?2), (?2, ?1)";
pub(crate) const APART_ON: &str = "INSERT OR IGNORE INTO apart (member, other) SELECT ?2, other FROM apart \
    WHERE member = ?1 AND other <> ?2 UNION ALL SELECT other, ?2 FROM apart WHERE member = ?1 AND other <> ?2";
pub(crate) const APART_GONE: &str = "DELETE FROM apart WHERE member IN (?1, ?2) AND other IN (?1, ?2)";
/// A member's timeline, the latest first.
pub(crate) const CHAIN: &str = concat!(timeline!(), "SELECT seq FROM t");
pub(crate) const LINK_SET: &str = "UPDATE timeline SET member = ?2, before = ?3 WHERE seq = ?1";
pub(crate) const ORDER_AT: &str = "UPDATE orders SET member = ?3 WHERE no = ?1 AND member = ?2";
pub(crate) const ORDER_TO: &str = "UPDATE orders SET member = ?3 WHERE id = ?1 AND member = ?2";
pub(crate) const LOTS_TO: &str = "UPDATE lot SET member = ?2 WHERE member = ?1";
pub(crate) const LOT_TO: &str = "UPDATE lot SET member = ?3 WHERE member = ?2 AND id = ?1";
pub(crate) const HOLDS_TO: &str = "UPDATE hold SET member = ?2 WHERE member = ?1";
pub(crate) const HOLD_TO: &str = "UPDATE hold SET member = ?3 WHERE member = ?2 AND id = ?1";
pub(crate) const MEMBER_GONE: &str = "DELETE FROM member WHERE no = ?";
pub(crate) const PAST: &str = concat!(
    timeline!(),
    "SELECT e.id, s.user_namespace, e.time, e.name, e.body, e.seq, s.name, COALESCE(e.called, e.message_id) FROM t \
     CROSS JOIN event e ON e.seq = t.seq CROSS JOIN source s ON s.no = e.source"
);
pub(crate) const TRANSFERS_OF: &str = concat!(
    timeline!(),
    "SELECT r.id, r.member, r.asset, r.kind, r.amount, e.id, r.ordinal, r.at, r.day, r.reverses, r.order_id FROM t \
     CROSS JOIN transfer r ON r.event = t.seq CROSS JOIN event e ON e.seq = r.event ORDER BY r.seq"
);
pub(crate) const ALLOCATIONS_OF: &str = concat!(
    timeline!(),
    "SELECT a.transfer, a.lot, a.amount FROM t CROSS JOIN transfer r ON r.event = t.seq \
     CROSS JOIN allocation a ON a.transfer = r.id ORDER BY a.no"
);
pub(crate) const ORDERS_OF: &str = concat!(
    timeline!(),
    "SELECT o.id, o.member, o.time, o.store, o.channel, o.paid, o.refunded, o.status, e.id, o.terms, b.id FROM t \
     CROSS JOIN orders o ON o.no = t.seq CROSS JOIN event e ON e.seq = o.event CROSS JOIN event b ON b.seq = o.no \
     WHERE o.member = ?1 ORDER BY o.time, o.no"
);
pub(crate) const HOLDS_OF: &str = "SELECT id, asset, amount, open FROM hold WHERE member = ?";

/// From now on `loser` is `winner`: their names are, and who was the loser before.
pub(crate) fn merged(c: &Connection, winner: MemberId, loser: MemberId, since: Ts) -> Result<()> {
    let (winner, loser) = (winner.bytes().as_slice(), loser.bytes().as_slice());
    run(&mut prepare(c, APART_GONE)?, [loser, winner])?;
    run(&mut prepare(c, APART_ON)?, [loser, winner])?;
    run(&mut prepare(c, ALIAS_ON)?, [loser, winner])?;
    run(&mut prepare(c, ALIAS_NEW)?, params![loser, winner, since.0])?;
    run(&mut prepare(c, NAMES_ON)?, [loser, winner]).map(drop)
}

/// Those of these names that are one member's are another's from now on, and the two are not taken for one person again.
pub(crate) fn parted(c: &Connection, from: MemberId, to: MemberId, names: &[LookupHash]) -> Result<()> {
    let (from, to) = (from.bytes().as_slice(), to.bytes().as_slice());
    let mut name_on = prepare(c, NAME_ON)?;
    for name in names {
        run(&mut name_on, [name.as_slice(), from, to])?;
        run(&mut prepare(c, lists::PARTED)?, [name.as_slice(), from, to])?;
    }
    run(&mut prepare(c, APART_NEW)?, [from, to]).map(drop)
}

/// Whether somebody parted these two.
pub(crate) fn apart(c: &Connection, one: MemberId, other: MemberId) -> Result<bool> {
    let found = prepare(c, APART)?.exists([one.bytes().as_slice(), other.bytes().as_slice()]);
    found.map_err(database)
}

/// Where a member stands in the file, and where their timeline ends.
fn place(c: &Connection, member: MemberId) -> Result<Option<(i64, Option<i64>)>> {
    prepare(c, MEMBER_PLACE)?
        .query_row([member.bytes().as_slice()], |row| Ok((row.get(0)?, row.get(2)?)))
        .optional()
        .map_err(database)
}

fn must(c: &Connection, member: MemberId) -> Result<(i64, Option<i64>)> {
    place(c, member)?.ok_or_else(|| StoreError::Damaged(format!("no member {member}")))
}

/// The rows of a member who ends are another's. Whoever that is has a row by now.
pub(crate) fn join(c: &Connection, joined: &Joined) -> Result<()> {
    let Some((no, last)) = place(c, joined.loser)? else { return Ok(()) };
    let (winner_no, winner_last) = must(c, joined.winner)?;
    let (winner, loser) = (joined.winner.bytes().as_slice(), joined.loser.bytes().as_slice());
    let chain: Vec<i64> = all(c, CHAIN, [loser], |row| row.get(0))?;
    let mut link = prepare(c, LINK_SET)?;
    let mut order = prepare(c, ORDER_AT)?;
    for (i, seq) in chain.iter().enumerate() {
        run(&mut link, params![seq, winner_no, chain.get(i + 1).copied().or(winner_last)])?;
        run(&mut order, params![seq, loser, winner])?;
    }
    if last.is_some() {
        run(&mut prepare(c, LAST_SET)?, params![winner_no, last])?;
    }
    run(&mut prepare(c, LOTS_TO)?, [loser, winner])?;
    run(&mut prepare(c, HOLDS_TO)?, [loser, winner])?;
    coupons::join(c, joined)?;
    checkouts::join(c, joined)?;
    campaigns::join(c, joined)?;
    campaigns::links::join(c, joined)?;
    run(&mut prepare(c, FOUND_GONE)?, [no])?;
    run(&mut prepare(c, MEMBER_GONE)?, [no]).map(drop)
}

/// Rows leave a member for another, who has a row by now.
pub(crate) fn part(c: &Connection, parted: &Parted) -> Result<()> {
    let (from, to) = (parted.from.bytes().as_slice(), parted.to.bytes().as_slice());
    let mut link = prepare(c, LINK_SET)?;
    let mut last_set = prepare(c, LAST_SET)?;
    for (member, events) in [(parted.from, &parted.stay), (parted.to, &parted.leave)] {
        let (no, _) = must(c, member)?;
        let mut before = None;
        for seq in events {
            run(&mut link, params![seq, no, before])?;
            before = Some(*seq);
        }
        run(&mut last_set, params![no, before])?;
    }
    let ids = parted.orders.iter().map(|id| (ORDER_TO, *id.bytes()));
    let ids = ids.chain(parted.lots.iter().map(|id| (LOT_TO, *id.bytes())));
    let ids = ids.chain(parted.coupons.iter().map(|id| (coupons::COUPON_TO, *id.bytes())));
    let ids = ids.chain(parted.checkouts.iter().map(|id| (checkouts::CHECKOUT_TO, *id.bytes())));
    for (sql, id) in ids.chain(parted.holds.iter().map(|id| (HOLD_TO, *id.bytes()))) {
        if run(&mut prepare(c, sql)?, [id.as_slice(), from, to])? == 0 {
            return Err(StoreError::Stale);
        }
    }
    Ok(())
}

/// All that was decided for a member, the first first.
pub(crate) fn past(c: &Connection, vault: &Vault, member: MemberId) -> Result<Vec<Past>> {
    let mut past = all(c, PAST, [member.bytes().as_slice()], |row| {
        Ok(Past {
            event: load::past_event(row)?,
            source: row.get(6)?,
            message_id: rows::called(row, 7, vault)?,
        })
    })?;
    past.reverse();
    Ok(past)
}

/// What was booked for a member, and what they have.
pub(crate) fn books(c: &Connection, member: MemberId) -> Result<Books> {
    let key = member.bytes().as_slice();
    let allocations = all(c, ALLOCATIONS_OF, [key], |row| {
        let (transfer, lot, amount) = (id(row, 0)?, rows::id_or_none(row, 1)?, row.get(2)?);
        Ok(zhiyin_model::effect::Allocation { transfer, lot, amount })
    })?;
    let holds = all(c, HOLDS_OF, [key], |row| {
        let (id, asset) = (id(row, 0)?, rows::asset(row, 1)?);
        Ok(zhiyin_store::flush::Hold { id, member, asset, amount: row.get(2)?, open: row.get(3)? })
    })?;
    Ok(Books {
        transfers: all(c, TRANSFERS_OF, [key], rows::transfer)?,
        allocations,
        lots: all(c, load::LOTS, [key], rows::lot)?,
        holds,
        orders: all(c, ORDERS_OF, [key], |row| Ok((rows::order(row)?, id(row, 10)?)))?,
        coupons: coupons::of_member(c, member, usize::MAX)?,
        checkouts: checkouts::of_books(c, member)?,
    })
}
