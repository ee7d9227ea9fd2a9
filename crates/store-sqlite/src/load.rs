//! What the pipeline reads: the home, what waits, members, lots, history. Point look-ups by statements that are
//! prepared once; a batch costs a few microseconds a member.

use std::collections::BTreeSet;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use zhiyin_model::effect::{Asset, Lot, TimerKey, TimerKind};
use zhiyin_model::id::{IdKey, MemberId, OrderId, TransferId};
use zhiyin_model::member::{Account, Member, StageHeld, Term};
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::campaigns::unpack_runs;
use zhiyin_store::coupons::unpack_holdings;
use zhiyin_store::flush::Hold;
use zhiyin_store::seal::Sealed;
use zhiyin_store::seal::personal::Kept;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::turn::place;
use zhiyin_store::{
    Home, Loaded, PastEvent, PastOf, PastTransfer, Result, StoredMember, Waiting, Wanted, packed,
};

use crate::rows::{self, all, damaged, database, id};

pub(crate) const PLAYBOOK_LIVE: &str =
    "SELECT version, id, hash, source, applied_at FROM playbook ORDER BY version DESC LIMIT 1";
pub(crate) const PLAYBOOKS: &str =
    "SELECT version, id, hash, source, applied_at FROM playbook ORDER BY version DESC";
pub(crate) const IMPORT: &str = "SELECT position, done FROM import WHERE name = ?";
pub(crate) const NEXT_WAKE: &str = "SELECT wake FROM member WHERE wake IS NOT NULL ORDER BY wake LIMIT 1";
pub(crate) const TERMS: &str = "SELECT level, at, ends FROM term WHERE member = ? ORDER BY at, no";
pub(crate) const HOME: &str = "SELECT id_key, offset_us, live_since, clock, \
    (SELECT COALESCE(MAX(version), 0) FROM playbook), \
    live_since IS NULL AND EXISTS (SELECT 1 FROM import WHERE name NOT LIKE 'issue/%'), (SELECT MAX(month) FROM archive) FROM home";
pub(crate) const BEHIND: &str =
    "SELECT id FROM member WHERE id > COALESCE(?2, x'') AND version < ?1 ORDER BY id LIMIT ?3";
/// The same of every version that there could be: the index alone says who they are.
pub(crate) const EVERYBODY: &str = "SELECT id FROM member WHERE id > COALESCE(?1, x'') ORDER BY id LIMIT ?2";
/// The same as they lie in the file: who is next to each other is read and written together.
pub(crate) const BEHIND_IN_LINE: &str = "SELECT id FROM member WHERE version < ?1 \
    AND no > COALESCE((SELECT no FROM member WHERE id = ?2), 0) ORDER BY no LIMIT ?3";
/// Derived events, and dead letters that were put back, these once all that was accepted before is done: so nobody's time
/// runs backwards.
/// CROSS JOIN keeps the order of the look-ups: from the few that wait to their events, never through all events.
pub(crate) const WAITING_QUEUE: &str = "SELECT e.seq, e.id, s.name, s.user_namespace, COALESCE(e.called, e.message_id), e.time, \
    COALESCE(r.clock, e.clock), e.body, e.replay AND r.seq IS NULL, e.member, e.reached, w.after \
    FROM (SELECT seq, after FROM queue UNION ALL SELECT seq, after FROM retry) w \
    CROSS JOIN event e ON e.seq = w.seq CROSS JOIN source s ON s.no = e.source LEFT JOIN retry r ON r.seq = e.seq \
    WHERE w.after < COALESCE((SELECT seq FROM event WHERE seq > (SELECT cursor FROM slot) AND derived = 0 \
    ORDER BY seq LIMIT 1), 9223372036854775807) \
    ORDER BY w.after, 7, e.time, e.id LIMIT ?";
/// Nothing that comes after what waits beside the cursor.
pub(crate) const WAITING_INBOX: &str = "SELECT e.seq, e.id, s.name, s.user_namespace, COALESCE(e.called, e.message_id), e.time, \
    e.clock, e.body, e.replay, e.member, e.reached, e.seq FROM event e CROSS JOIN source s ON s.no = e.source \
    WHERE e.seq > (SELECT cursor FROM slot) AND e.derived = 0 \
    AND e.seq <= COALESCE((SELECT MIN(after) FROM (SELECT after FROM queue UNION ALL SELECT after FROM retry)), \
    9223372036854775807) ORDER BY e.seq LIMIT ?";
pub(crate) const ANY_WAITING: &str = "SELECT EXISTS (SELECT 1 FROM queue) OR EXISTS (SELECT 1 FROM retry) \
    OR EXISTS (SELECT 1 FROM event WHERE seq > (SELECT cursor FROM slot) AND derived = 0)";
pub(crate) const DUE: &str =
    "SELECT id FROM member WHERE wake IS NOT NULL AND wake <= ? ORDER BY wake, id LIMIT ?";
pub(crate) const BY_IDENTIFIER: &str = "SELECT member FROM identifier WHERE hash = ?";
pub(crate) const MEMBER: &str = "SELECT known_since, enrolled_at, decided_until, wake, tier, term_from, term_ends, \
    stage, stage_since, accounts, timers, tags, touches, told_at, attributes, fingerprint, growth_days, leaves, \
    personal, audiences, holdings, runs FROM member WHERE id = ?";
pub(crate) const ORDER: &str = "SELECT o.id, o.member, o.time, o.store, o.channel, o.paid, o.refunded, o.status, e.id, \
    o.terms FROM orders o CROSS JOIN event e ON e.seq = o.event WHERE o.id = ?";
/// The events of a member's timeline, from the latest decided backwards: a common table that the statements below join.
macro_rules! timeline {
    () => {
        "WITH RECURSIVE t (seq, before) AS (SELECT l.seq, l.before FROM member m CROSS JOIN timeline l ON l.seq = m.last_event \
         WHERE m.id = ?1 UNION ALL SELECT l.seq, l.before FROM t CROSS JOIN timeline l ON l.seq = t.before) "
    };
}
pub(crate) use timeline;
pub(crate) const ORDERS_OF: &str = concat!(
    timeline!(),
    "SELECT o.id, o.member, o.time, o.store, o.channel, o.paid, o.refunded, o.status, \
    e.id, o.terms, e.id, s.user_namespace, e.time, e.name, e.body, e.seq FROM t CROSS JOIN orders o ON o.no = t.seq \
    CROSS JOIN event e ON e.seq = o.event CROSS JOIN source s ON s.no = e.source WHERE o.member = ?1 ORDER BY o.time, o.no"
);
pub(crate) const LOTS_OPEN: &str = "SELECT id, member, asset, granted, remaining, active_at, expires_at, active \
    FROM lot WHERE member = ? AND remaining > 0 ORDER BY expires_at, active_at";
pub(crate) const LOTS_EXPIRING: &str = "SELECT id, member, asset, granted, remaining, active_at, expires_at, active \
    FROM lot WHERE member = ? AND remaining > 0 AND expires_at = ?";
pub(crate) const LOTS_ACTIVATING: &str = "SELECT id, member, asset, granted, remaining, active_at, expires_at, active \
    FROM lot WHERE member = ? AND remaining > 0 AND active_at = ?";
pub(crate) const LOTS: &str = "SELECT id, member, asset, granted, remaining, active_at, expires_at, active \
    FROM lot WHERE member = ?";
pub(crate) const HOLD: &str = "SELECT asset, amount, open FROM hold WHERE id = ? AND member = ?";
/// A spend (kind 2: only these are indexed by id) with the event that caused it.
pub(crate) const TRANSFER: &str = "SELECT t.id, t.member, t.asset, t.kind, t.amount, e.id, t.ordinal, t.at, t.day, \
    t.reverses, t.order_id FROM transfer t JOIN event e ON e.seq = t.event \
    WHERE (t.member = ?1 OR t.member IN (SELECT member FROM alias WHERE root = ?1)) AND t.id = ?2 AND t.kind = 2";
pub(crate) const ALLOCATIONS: &str = "SELECT lot, amount FROM allocation WHERE transfer = ? ORDER BY no";
pub(crate) const UNDONE: &str = "SELECT COALESCE(SUM(amount), 0) FROM transfer WHERE reverses = ?";
/// The event that an order's lines came with.
pub(crate) const ORDER_LINES: &str = "SELECT e.id, s.user_namespace, e.time, e.name, e.body, e.seq FROM orders o \
    CROSS JOIN event e ON e.seq = o.event CROSS JOIN source s ON s.no = e.source WHERE o.id = ?";
pub(crate) const EVENTS_OF: &str = concat!(
    timeline!(),
    "SELECT e.id, s.user_namespace, e.time, e.name, e.body, e.seq FROM t \
    CROSS JOIN event e ON e.seq = t.seq CROSS JOIN source s ON s.no = e.source \
    WHERE e.name = ?2 AND e.derived < 2 ORDER BY e.time, e.seq"
);

pub(crate) fn home(c: &Connection) -> Result<Home> {
    c.query_row(HOME, [], |row| {
        let key: Vec<u8> = row.get(0)?;
        let key = key.as_slice().try_into().map_err(|_| damaged(0, "not an id key"))?;
        Ok(Home {
            id_key: IdKey::from_bytes(key),
            offset_us: row.get(1)?,
            live_since: row.get::<_, Option<i64>>(2)?.map(Ts),
            clock: Ts(row.get(3)?),
            slots: 1,
            remembers_from: row.get::<_, Option<i64>>(6)?.map(place::remembered_from),
            version: row.get(4)?,
            replaying: row.get(5)?,
        })
    })
    .map_err(database)
}

pub(crate) fn members_behind(
    c: &Connection,
    in_line: bool,
    version: i64,
    after: Option<MemberId>,
    limit: usize,
) -> Result<Vec<MemberId>> {
    let after = after.map(|id| id.bytes().to_vec());
    if version == i64::MAX && !in_line {
        return all(c, EVERYBODY, params![after, limit as i64], |row| id(row, 0));
    }
    let sql = if in_line { BEHIND_IN_LINE } else { BEHIND };
    all(c, sql, params![version, after, limit as i64], |row| id(row, 0))
}

pub(crate) fn waiting(c: &Connection, vault: &Vault, limit: usize) -> Result<Vec<Waiting>> {
    let queued = waiting_from(c, vault, WAITING_QUEUE, limit)?;
    if queued.is_empty() { waiting_from(c, vault, WAITING_INBOX, limit) } else { Ok(queued) }
}

fn waiting_from(c: &Connection, vault: &Vault, sql: &str, limit: usize) -> Result<Vec<Waiting>> {
    all(c, sql, [limit as i64], |row| {
        Ok(Waiting {
            seq: row.get(0)?,
            id: id(row, 1)?,
            source: row.get(2)?,
            user_namespace: row.get(3)?,
            message_id: rows::called(row, 4, vault)?,
            time: Ts(row.get(5)?),
            clock: Ts(row.get(6)?),
            body: rows::body(row, 7, vault)?,
            derived: sql == WAITING_QUEUE,
            replay: row.get(8)?,
            member: rows::id_or_none(row, 9)?,
            reaches: rows::id_or_none(row, 10)?,
            root: row.get(11)?,
        })
    })
}

pub(crate) fn due(c: &Connection, until: Ts, limit: usize) -> Result<Vec<MemberId>> {
    all(c, DUE, params![until.0, limit as i64], |row| id(row, 0))
}

pub(crate) fn load(c: &Connection, vault: &Vault, wanted: &Wanted) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let mut seen: BTreeSet<MemberId> = BTreeSet::new();
    let mut members = Vec::new();
    let mut by_identifier = c.prepare_cached(BY_IDENTIFIER).map_err(database)?;
    for hash in &wanted.identifiers {
        let found: Option<MemberId> =
            by_identifier.query_row([hash.as_slice()], |row| id(row, 0)).optional().map_err(database)?;
        if let Some(member) = found {
            loaded.identifiers.push((*hash, member));
            if seen.insert(member) {
                members.push(member);
            }
        }
    }
    members.extend(wanted.members.iter().copied().filter(|member| seen.insert(*member)));
    let mut by_id = c.prepare_cached(MEMBER).map_err(database)?;
    loaded.members.reserve(members.len());
    for id in members {
        loaded.members.extend(member_by(&mut by_id, vault, id)?);
    }
    drop(by_id);
    let mut by_id = c.prepare_cached(ORDER).map_err(database)?;
    for id in &wanted.orders {
        let found = by_id.query_row([id.bytes().as_slice()], rows::order).optional().map_err(database)?;
        loaded.orders.extend(found);
    }
    Ok(loaded)
}

pub(crate) fn member(c: &Connection, vault: &Vault, id: MemberId) -> Result<Option<StoredMember>> {
    member_by(&mut c.prepare_cached(MEMBER).map_err(database)?, vault, id)
}

fn member_by(by_id: &mut CachedStatement<'_>, vault: &Vault, id: MemberId) -> Result<Option<StoredMember>> {
    let found = by_id.query_row([id.bytes().as_slice()], |row| stored(id, row, vault));
    found.optional().map_err(database)
}

pub(crate) fn stored(id: MemberId, row: &Row<'_>, vault: &Vault) -> rusqlite::Result<StoredMember> {
    let term = match row.get::<_, Option<String>>(4)? {
        Some(level) => Some(Term { level, from: Ts(row.get(5)?), ends: Day(row.get(6)?) }),
        None => None,
    };
    let stage = match row.get::<_, Option<String>>(7)? {
        Some(stage) => Some(StageHeld { stage, since: Ts(row.get(8)?) }),
        None => None,
    };
    let mut member = Member::new(id, Ts(row.get(0)?));
    member.enrolled_at = row.get::<_, Option<i64>>(1)?.map(Ts);
    member.decided_until = Ts(row.get(2)?);
    (member.term, member.stage) = (term, stage);
    for [asset, active, pending, held, debt] in rows::json::<Vec<[i64; 5]>>(row, 9)? {
        let asset = Asset::from_code(asset).ok_or_else(|| damaged(9, "no asset"))?;
        member.accounts.insert(asset, Account { active, pending, held, debt });
    }
    for [kind, which, due] in rows::json::<Vec<[i64; 3]>>(row, 10)? {
        let kind = TimerKind::from_code(kind).ok_or_else(|| damaged(10, "no kind of timer"))?;
        member.timers.insert(TimerKey { kind, which }, Ts(due));
    }
    member.tags = rows::json(row, 11)?;
    let audiences = packed::unpack_memberships(row.get_ref(19)?.as_blob_or_null()?);
    member.audiences = audiences.map_err(|error| damaged(19, error.to_string()))?;
    let holdings = unpack_holdings(row.get_ref(20)?.as_blob_or_null()?);
    member.holdings = holdings.map_err(|error| damaged(20, error.to_string()))?;
    let runs = unpack_runs(row.get_ref(21)?.as_blob_or_null()?);
    member.runs = runs.map_err(|error| damaged(21, error.to_string()))?;
    let kept = Kept {
        attributes: row.get(14)?,
        touches: row.get(12)?,
        told_at: row.get(13)?,
        leaves: row.get(17)?,
        personal: row.get(18)?,
    };
    let leaves = vault.read_member(kept, &mut member).map_err(rows::unopened)?;
    let days = row.get_ref(16)?.as_blob()?;
    member.growth_days = packed::unpack_days(days).map_err(|error| damaged(16, error.to_string()))?;
    let wake = row.get::<_, Option<i64>>(3)?.map(Ts);
    Ok(StoredMember { member, leaves, fingerprint: row.get(15)?, wake })
}

/// Open lots in spending order until they cover an amount; equal keys are all taken, for the last tie is by id.
pub(crate) fn lots_covering(c: &Connection, member: MemberId, amount: i64) -> Result<Vec<Lot>> {
    let mut statement = c.prepare_cached(LOTS_OPEN).map_err(database)?;
    let mut found = statement.query([member.bytes().as_slice()]).map_err(database)?;
    let mut lots: Vec<Lot> = Vec::new();
    let mut covered = 0i64;
    while let Some(row) = found.next().map_err(database)? {
        let lot = rows::lot(row).map_err(database)?;
        let tied = lots
            .last()
            .is_some_and(|last| (last.expires_at, last.active_at) == (lot.expires_at, lot.active_at));
        if covered >= amount && !tied {
            break;
        }
        if lot.active {
            covered += lot.remaining;
        }
        lots.push(lot);
    }
    Ok(lots)
}

pub(crate) fn lots_at(c: &Connection, sql: &str, member: MemberId, at: Ts) -> Result<Vec<Lot>> {
    all(c, sql, params![member.bytes().as_slice(), at.0], rows::lot)
}

pub(crate) fn lots_these(c: &Connection, member: MemberId, ids: &[TransferId]) -> Result<Vec<Lot>> {
    let mut lots = all(c, LOTS, [member.bytes().as_slice()], rows::lot)?;
    lots.retain(|lot| ids.contains(&lot.id));
    Ok(lots)
}

pub(crate) fn hold(c: &Connection, member: MemberId, id: TransferId) -> Result<Option<Hold>> {
    c.query_row(HOLD, [id.bytes().as_slice(), member.bytes().as_slice()], |row| {
        Ok(Hold { id, member, asset: rows::asset(row, 0)?, amount: row.get(1)?, open: row.get(2)? })
    })
    .optional()
    .map_err(database)
}

pub(crate) fn past_transfer(
    c: &Connection,
    member: MemberId,
    id: TransferId,
) -> Result<Option<PastTransfer>> {
    let key = id.bytes().as_slice();
    let transfer = c
        .query_row(TRANSFER, [member.bytes().as_slice(), key], rows::transfer)
        .optional()
        .map_err(database)?;
    let Some(transfer) = transfer else { return Ok(None) };
    let allocations = all(c, ALLOCATIONS, [key], |row| Ok((rows::id_or_none(row, 0)?, row.get(1)?)))?;
    let undone = c.query_row(UNDONE, [key], |row| row.get(0)).map_err(database)?;
    Ok(Some(PastTransfer { transfer, allocations, undone }))
}

pub(crate) fn past_event(row: &rusqlite::Row<'_>) -> rusqlite::Result<PastEvent> {
    past_event_from(row, 0)
}

pub(crate) fn past_event_from(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<PastEvent> {
    Ok(PastEvent {
        id: id(row, first)?,
        user_namespace: row.get(first + 1)?,
        time: Ts(row.get(first + 2)?),
        name: row.get(first + 3)?,
        body: Sealed(row.get(first + 4)?),
        seq: row.get(first + 5)?,
    })
}

pub(crate) fn order_lines(c: &Connection, order: OrderId) -> Result<Option<PastEvent>> {
    c.query_row(ORDER_LINES, [order.bytes().as_slice()], past_event).optional().map_err(database)
}

pub(crate) fn history(c: &Connection, member: MemberId, names: &[String]) -> Result<PastOf> {
    let key = member.bytes().as_slice();
    let orders = all(c, ORDERS_OF, [key], |row| Ok((rows::order(row)?, past_event_from(row, 10)?)))?;
    let mut events = Vec::new();
    for name in names {
        events.extend(all(c, EVENTS_OF, params![key, name], past_event)?);
    }
    Ok(PastOf { orders, events })
}
