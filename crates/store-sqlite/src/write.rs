//! What changes: appending to the inbox, flushing a batch, applying a playbook. Every statement is prepared once and
//! run for each row; the rows of a batch share one transaction.

use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, ToSql, params};
use zhiyin_model::effect::Asset;
use zhiyin_model::event::names;
use zhiyin_model::id::{EventId, MemberId};
use zhiyin_model::member::Member;
use zhiyin_model::time::Ts;
use zhiyin_store::campaigns::pack_runs;
use zhiyin_store::coupons::pack_holdings;
use zhiyin_store::flush::{Fact, Flush, OrderSet};
use zhiyin_store::packed;
use zhiyin_store::seal::personal::Kept;
use zhiyin_store::turn::place;
use zhiyin_store::{OWN_SOURCE, PlaybookVersion, Result, StoreError, StoredMember};

use crate::rows::database;
use crate::together::{bytes, bytes_or_none, number, number_or_none, text, text_or_none, together};
use crate::{campaigns, checkouts, coupons, load, persons, reading};

pub(crate) const HOME_NEW: &str =
    "INSERT INTO home (one, id_key, clock) VALUES (1, ?, ?) ON CONFLICT (one) DO NOTHING";
pub(crate) const CLOCK_SET: &str = "UPDATE home SET offset_us = ?, live_since = ? WHERE one = 1";
pub(crate) const SOURCE_NEW: &str =
    "INSERT INTO source (name, user_namespace) VALUES (?, ?) ON CONFLICT (name) DO NOTHING";
pub(crate) const SOURCE: &str = "SELECT no, user_namespace FROM source WHERE name = ?";
pub(crate) const EVENT_NEW: &str = "INSERT INTO event (seq, id, source, message_id, body_hash, name, time, clock, derived, \
    replay, body, member, reached, called) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
    ON CONFLICT (source, message_id) WHERE derived < 2 DO NOTHING";
pub(crate) const EVENT_HASH: &str =
    "SELECT body_hash FROM event WHERE source = ? AND message_id = ? AND derived < 2";
pub(crate) const CLOCK_OF: &str = "SELECT clock, last FROM home";
pub(crate) const CLOCK: &str = "UPDATE home SET clock = ?, last = ? WHERE one = 1";
pub(crate) const IMPORT_SET: &str = "INSERT INTO import (name, position, done) VALUES (?, ?, ?) \
    ON CONFLICT (name) DO UPDATE SET position = excluded.position, done = excluded.done";
pub(crate) const PLAYBOOK_NEW: &str =
    "INSERT INTO playbook (version, id, hash, source, applied_at) VALUES (?, ?, ?, ?, ?)";
pub(crate) const SLOT_NEW: &str = "INSERT INTO slot (slot) VALUES (0) ON CONFLICT DO NOTHING";
pub(crate) const SLOT: &str = "SELECT slot, token, batch, cursor FROM slot";
pub(crate) const SLOT_TAKEN: &str = "UPDATE slot SET holder = ?, token = token + 1";
pub(crate) const SLOT_GIVEN_UP: &str = "UPDATE slot SET holder = NULL WHERE holder = ?";
pub(crate) const BATCH: &str = "UPDATE slot SET batch = batch + 1, cursor = MAX(cursor, COALESCE(?4, cursor)) \
    WHERE slot = ?1 AND token = ?2 AND batch = ?3";
/// Where no inbox row waits, the cursor moves on over what was derived, so that nobody looks through it again.
pub(crate) const CURSOR_ON: &str = "UPDATE slot SET cursor = MAX(cursor, (SELECT last FROM home)) \
    WHERE NOT EXISTS (SELECT 1 FROM event WHERE seq > slot.cursor AND derived = 0)";
pub(crate) const QUEUE_NEW: &str = "INSERT INTO queue (seq, after) VALUES (?, ?)";
/// Only where somebody follows it.
pub(crate) const FEED_NEW: &str =
    "INSERT INTO feed (members, events) SELECT ?, ? WHERE EXISTS (SELECT 1 FROM consumer)";
pub(crate) const QUEUE_GONE: &str = "DELETE FROM queue WHERE seq = ?";
pub(crate) const RETRY_NEW: &str = "INSERT INTO retry (seq, clock, after) SELECT d.seq, ?2, (SELECT last FROM home) \
    FROM dead_letter d JOIN event e ON e.seq = d.seq JOIN source s ON s.no = e.source \
    WHERE d.seq = ?1 AND s.name NOT LIKE 'command:%' ON CONFLICT DO NOTHING";
/// Whoever ended since it was accepted is somebody else now; but how somebody ends is about who ends.
pub(crate) const RETRY_ABOUT: &str = "UPDATE event SET \
    member = CASE WHEN name = ?2 AND source = (SELECT no FROM source WHERE name = ?3) THEN member \
    ELSE COALESCE((SELECT root FROM alias a WHERE a.member = event.member), member) END, \
    reached = COALESCE((SELECT root FROM alias a WHERE a.member = event.reached), reached) \
    WHERE seq = ?1 AND EXISTS (SELECT 1 FROM retry r WHERE r.seq = event.seq)";
pub(crate) const RETRY_GONE: &str = "DELETE FROM retry WHERE seq = ?";
pub(crate) const TIMELINE_NEW: &str = "INSERT INTO timeline (seq, member, before) VALUES (?, ?, ?)";
pub(crate) const DEAD_NEW: &str = "INSERT INTO dead_letter (seq, code, field, message, at) VALUES (?, ?, ?, ?, ?) \
    ON CONFLICT (seq) DO UPDATE SET code = excluded.code, field = excluded.field, message = excluded.message, \
    at = excluded.at";
pub(crate) const DEAD_GONE: &str = "DELETE FROM dead_letter WHERE seq = ?";
pub(crate) const MEMBER_PLACE: &str = "SELECT no, wake, last_event FROM member WHERE id = ?";
pub(crate) const MEMBER_NEW: &str = "INSERT INTO member (id, known_since, enrolled_at, decided_until, version, \
    last_event, tier, term_from, term_ends, stage, stage_since, accounts, timers, tags, touches, told_at, attributes, \
    fingerprint, growth_days, leaves, personal, audiences, holdings, runs, wake) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
    ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)";
macro_rules! member_set {
    ($beside:literal) => {
        concat!(
            "UPDATE member SET known_since = ?2, enrolled_at = ?3, decided_until = ?4, version = ?5, last_event = ?6, tier = ?7, \
             term_from = ?8, term_ends = ?9, stage = ?10, stage_since = ?11, accounts = ?12, timers = ?13, tags = ?14, touches = ?15, \
             told_at = ?16, attributes = ?17, fingerprint = ?18, growth_days = ?19, leaves = ?20, personal = ?21, audiences = ?22, \
             holdings = ?23, runs = ?24",
            $beside,
            " WHERE no = ?26 AND id = ?1"
        )
    };
}
/// Without `wake`: it rarely moves, and naming it would touch its index.
pub(crate) const MEMBER_SET: &str = member_set!("");
/// Where it moves, the row is written once.
pub(crate) const MEMBER_WOKEN: &str = member_set!(", wake = ?25");
pub(crate) const WAKE_SET: &str = "UPDATE member SET wake = ?2 WHERE no = ?1";
pub(crate) const LAST_SET: &str = "UPDATE member SET last_event = ?2 WHERE no = ?1";
pub(crate) const HOUSE_ADD: &str = "INSERT INTO house_account (asset, house, balance) VALUES (?, ?, ?) \
    ON CONFLICT (asset, house) DO UPDATE SET balance = balance + excluded.balance";
pub(crate) const IDENTIFIER_NEW: &str = "INSERT INTO identifier (hash, namespace, value, member, since) \
    VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING";
pub(crate) const ORDER_NEW: &str = "INSERT INTO orders (id, member, time, store, channel, paid, refunded, status, \
    event, terms, no) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
pub(crate) const ORDER_SET: &str = "UPDATE orders SET time = ?3, store = ?4, channel = ?5, paid = ?6, \
    refunded = ?7, status = ?8, event = COALESCE(?9, event), terms = ?10 WHERE id = ?1 AND member = ?2";
pub(crate) const ORDER_GONE: &str = "DELETE FROM orders WHERE id = ? AND member = ?";
/// How an order stood at first is written once; how it stands since an instant may be corrected within it.
pub(crate) const ORDER_CHANGE_SET: &str = "INSERT INTO order_change (order_id, at, paid, refunded, counts) \
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (order_id, at) DO UPDATE SET paid = excluded.paid, \
    refunded = excluded.refunded, counts = excluded.counts WHERE ?6";
pub(crate) const TRANSFER_NEW: &str = "INSERT INTO transfer (id, member, asset, kind, amount, event, ordinal, at, \
    day, reverses, order_id, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
pub(crate) const ALLOCATION_NEW: &str = "INSERT INTO allocation (transfer, lot, amount) VALUES (?, ?, ?)";
pub(crate) const LOT_SET: &str = "INSERT INTO lot (id, member, asset, granted, remaining, active_at, expires_at, \
    active) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (member, expires_at, active_at, id) DO UPDATE SET \
    remaining = excluded.remaining, active = excluded.active";
pub(crate) const HOLD_SET: &str = "INSERT INTO hold (id, member, asset, amount, open) VALUES (?, ?, ?, ?, ?) \
    ON CONFLICT (id) DO UPDATE SET open = excluded.open";
pub(crate) const TERM_NEW: &str =
    "INSERT INTO term (member, level, at, ends, event, version) VALUES (?, ?, ?, ?, ?, ?)";
pub(crate) const STAGE_NEW: &str =
    "INSERT INTO stage_move (member, was, becomes, at, event, version) VALUES (?, ?, ?, ?, ?, ?)";
pub(crate) const PARTNER_NEW: &str =
    "INSERT INTO partner_move (member, partner, deed, at, event, version) VALUES (?, ?, ?, ?, ?, ?)";
pub(crate) const TAG_NEW: &str =
    "INSERT INTO tag_move (member, tag, is_on, at, event, version) VALUES (?, ?, ?, ?, ?, ?)";

pub(crate) fn run(statement: &mut CachedStatement<'_>, parameters: impl Params) -> Result<usize> {
    statement.execute(parameters).map_err(database)
}

pub(crate) fn prepare<'c>(c: &'c Connection, sql: &str) -> Result<CachedStatement<'c>> {
    c.prepare_cached(sql).map_err(database)
}

/// The latest business time at which something was accepted, and the last place given.
pub(crate) fn clock_of(c: &Connection) -> Result<(i64, i64)> {
    prepare(c, CLOCK_OF)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(database)
}

/// Makes a version live, unless it is what is live already.
pub(crate) fn apply_playbook(c: &Connection, playbook: &PlaybookVersion) -> Result<i64> {
    let live = c.query_row(load::PLAYBOOK_LIVE, [], crate::rows::playbook).optional().map_err(database)?;
    if let Some(live) = &live
        && live.hash == playbook.hash
    {
        return Ok(live.version);
    }
    let version = live.map_or(0, |live| live.version) + 1;
    let values = params![version, playbook.id, playbook.hash, playbook.source, playbook.applied_at.0];
    run(&mut prepare(c, PLAYBOOK_NEW)?, values)?;
    Ok(version)
}

/// Puts dead letters back, to be decided once all that was accepted by now is done, for who their members are now.
pub(crate) fn retry_dead_letters(c: &Connection, seqs: &[i64], now: Ts) -> Result<usize> {
    let (before, last) = clock_of(c)?;
    let clock = now.0.max(before.saturating_add(1));
    let mut back = prepare(c, RETRY_NEW)?;
    let mut about = prepare(c, RETRY_ABOUT)?;
    let mut gone = prepare(c, DEAD_GONE)?;
    let mut n = 0;
    for seq in seqs {
        if run(&mut back, params![seq, clock])? > 0 {
            run(&mut about, params![seq, names::MEMBERS_MERGED, OWN_SOURCE])?;
            run(&mut gone, [seq])?;
            n += 1;
        }
    }
    if n > 0 {
        run(&mut prepare(c, CLOCK)?, [clock, last])?;
    }
    Ok(n)
}

/// Writes a batch.
pub(crate) fn flush(c: &Connection, flush: &Flush, packed: &[Packed]) -> Result<()> {
    if flush.turn.is_empty() {
        return Err(StoreError::Stale);
    }
    let mut move_on = prepare(c, BATCH)?;
    for held in &flush.turn.held {
        if run(&mut move_on, params![held.slot, held.token, held.batch, flush.cursor])? == 0 {
            return Err(StoreError::Stale);
        }
    }
    let seqs = Seqs(inbox(c, flush)?);
    run(&mut prepare(c, CURSOR_ON)?, [])?;
    persons(c, flush, packed)?;
    members(c, (flush, packed), &seqs)?;
    reading::found(c, &flush.found_by)?;
    identifiers(c, flush)?;
    orders(c, flush, &seqs)?;
    ledger(c, flush, &seqs)?;
    moves(c, flush, &seqs)?;
    coupons::flush(c, &flush.coupons, flush.version, |moved| seqs.of(moved.event))?;
    checkouts::flush(c, &flush.checkouts)?;
    campaigns::flush(c, &flush.runs, flush.version, |event| seqs.of(event))?;
    feed(c, flush, &seqs)
}

/// Rows follow whoever's they are now, before anything of the batch comes on top.
fn persons(c: &Connection, flush: &Flush, packed: &[Packed]) -> Result<()> {
    let new =
        flush.joined.iter().map(|joined| joined.winner).chain(flush.parted.iter().map(|parted| parted.to));
    for member_id in new {
        let mut rows = flush.members.iter().zip(&flush.kept).zip(packed);
        let row = rows.find(|((stored, _), _)| stored.member.id == member_id);
        if let Some(((stored, kept), packed)) = row
            && place(c, member_id)?.is_none()
        {
            Members::prepare(c)?.write((stored, kept, packed), flush.version, None, None)?;
        }
    }
    flush.joined.iter().try_for_each(|joined| persons::join(c, joined))?;
    flush.parted.iter().try_for_each(|parted| persons::part(c, parted))
}

/// Tells those who follow what changed.
fn feed(c: &Connection, flush: &Flush, seqs: &Seqs) -> Result<()> {
    if flush.members.is_empty() && seqs.0.is_empty() {
        return Ok(());
    }
    let members: Vec<u8> = flush.touched().flat_map(|member| *member.bytes()).collect();
    let events: Vec<u8> = seqs.0.values().flat_map(|seq| seq.to_le_bytes()).collect();
    run(&mut prepare(c, FEED_NEW)?, params![members, events]).map(drop)
}

/// Places of the events that a batch names as causes.
struct Seqs(BTreeMap<EventId, i64>);

impl Seqs {
    fn of(&self, event: EventId) -> Result<i64> {
        let seq = self.0.get(&event).copied();
        seq.ok_or_else(|| StoreError::Damaged(format!("event {event} is not of this batch")))
    }
}

fn inbox(c: &Connection, flush: &Flush) -> Result<BTreeMap<EventId, i64>> {
    let mut seqs: BTreeMap<EventId, i64> = BTreeMap::new();
    seqs.extend(flush.decided.iter().map(|decided| (decided.id, decided.seq)));
    let mut dead = prepare(c, DEAD_NEW)?;
    for letter in &flush.dead {
        let refusal = &letter.refusal;
        let values = params![letter.seq, refusal.code, refusal.field, refusal.message, letter.at.0];
        run(&mut dead, values)?;
    }
    let mut drained = prepare(c, QUEUE_GONE)?;
    let mut retried = prepare(c, RETRY_GONE)?;
    for seq in &flush.drained {
        run(&mut drained, [seq])?;
        run(&mut retried, [seq])?;
    }
    let own: i64 = prepare(c, SOURCE)?.query_row([OWN_SOURCE], |row| row.get(0)).map_err(database)?;
    let (clock, mut last) = clock_of(c)?;
    let mut facts = Vec::with_capacity(flush.facts.len());
    for fact in &flush.facts {
        last = place::next(last, Ts(clock));
        if seqs.insert(fact.id, last).is_some() {
            return Err(StoreError::Damaged(format!("{} was derived twice", fact.message_id)));
        }
        facts.push((fact, last));
    }
    if together(c, EVENT_NEW, &facts, |(fact, seq)| Ok(derived(own, fact, *seq)))? < facts.len() {
        return Err(StoreError::Damaged("an event was derived twice".to_owned()));
    }
    let mut queue = prepare(c, QUEUE_NEW)?;
    for (fact, seq) in facts.iter().filter(|(fact, _)| fact.waits) {
        run(&mut queue, [*seq, fact.root])?;
    }
    if !flush.facts.is_empty() {
        run(&mut prepare(c, CLOCK)?, [clock, last])?;
    }
    Ok(seqs)
}

fn derived(own: i64, fact: &Fact, seq: i64) -> [ValueRef<'_>; 14] {
    [
        number(seq),
        bytes(fact.id.bytes()),
        number(own),
        text(&fact.message_id),
        bytes(&[]),
        text(&fact.name),
        number(fact.time.0),
        number(fact.clock.0),
        number(if fact.waits { 1 } else { 2 }),
        number(fact.replay),
        bytes(&fact.body.0),
        bytes(fact.member.bytes()),
        ValueRef::Null,
        bytes_or_none(fact.called.as_ref().map(|called| called.0.as_slice())),
    ]
}

/// Where a member stands in the file.
struct Place {
    no: i64,
    wake: Option<i64>,
    last_event: Option<i64>,
}

fn place(c: &Connection, member: MemberId) -> Result<Option<Place>> {
    place_by(&mut prepare(c, MEMBER_PLACE)?, member)
}

fn place_by(by_id: &mut CachedStatement<'_>, member: MemberId) -> Result<Option<Place>> {
    by_id
        .query_row([member.bytes().as_slice()], |row| {
            Ok(Place { no: row.get(0)?, wake: row.get(1)?, last_event: row.get(2)? })
        })
        .optional()
        .map_err(database)
}

/// Writes members, and lengthens the timelines of all whom the batch's events are about.
fn members(c: &Connection, (flush, packed): (&Flush, &[Packed]), seqs: &Seqs) -> Result<()> {
    let mut happened: BTreeMap<MemberId, Vec<i64>> = BTreeMap::new();
    for decided in &flush.decided {
        happened.entry(decided.member).or_default().push(decided.seq);
    }
    for fact in flush.facts.iter().filter(|fact| !fact.waits) {
        happened.entry(fact.member).or_default().push(seqs.of(fact.id)?);
    }
    let mut timeline: Vec<(i64, i64, Option<i64>)> = Vec::new();
    let mut lengthen = |no: i64, before: Option<i64>, events: &[i64]| {
        events.iter().fold(before, |before, seq| {
            timeline.push((*seq, no, before));
            Some(*seq)
        })
    };
    let mut last_set = prepare(c, LAST_SET)?;
    let mut wake_set = prepare(c, WAKE_SET)?;
    let mut by_id = prepare(c, MEMBER_PLACE)?;
    let mut rows = Members::prepare(c)?;
    for ((stored, kept), packed) in flush.members.iter().zip(&flush.kept).zip(packed) {
        let known = place_by(&mut by_id, stored.member.id)?;
        let events = happened.remove(&stored.member.id).unwrap_or_default();
        let last = events.last().copied().or(known.as_ref().and_then(|place| place.last_event));
        let no = rows.write((stored, kept, packed), flush.version, last, known.as_ref())?;
        lengthen(no, known.and_then(|place| place.last_event), &events);
    }
    for (member, wake) in &flush.filed {
        let place = place_by(&mut by_id, *member)?
            .ok_or_else(|| StoreError::Damaged(format!("no member {member}")))?;
        run(&mut wake_set, params![place.no, wake.map(|wake| wake.0)])?;
    }
    for (member, events) in happened {
        let known = place_by(&mut by_id, member)?;
        let known = known.ok_or_else(|| StoreError::Damaged(format!("no member {member}")))?;
        let last = lengthen(known.no, known.last_event, &events);
        run(&mut last_set, params![known.no, last])?;
    }
    // As they lie in the file.
    timeline.sort_unstable();
    together(c, TIMELINE_NEW, &timeline, |(seq, no, before)| {
        Ok([number(*seq), number(*no), number_or_none(*before)])
    })
    .map(drop)
}

/// What a member's row holds in the form of its columns, made where nobody waits for the writer.
pub(crate) struct Packed {
    accounts: String,
    timers: String,
    tags: String,
    growth_days: Vec<u8>,
    audiences: Option<Vec<u8>>,
    holdings: Option<Vec<u8>>,
    runs: Option<Vec<u8>>,
}

impl Packed {
    /// Of each member of a batch.
    pub(crate) fn of(flush: &Flush) -> Result<Vec<Self>> {
        flush.members.iter().map(|stored| Self::of_one(&stored.member)).collect()
    }

    fn of_one(member: &Member) -> Result<Self> {
        let accounts = member.accounts.iter();
        let accounts =
            accounts.map(|(asset, held)| [asset.code(), held.active, held.pending, held.held, held.debt]);
        let timers = member.timers.iter().map(|(key, due)| [key.kind.code(), key.which, due.0]);
        Ok(Self {
            accounts: json(&accounts.collect::<Vec<[i64; 5]>>())?,
            timers: json(&timers.collect::<Vec<[i64; 3]>>())?,
            tags: json(&member.tags)?,
            growth_days: packed::pack_days(&member.growth_days)?,
            audiences: packed::pack_memberships(&member.audiences)?,
            holdings: pack_holdings(&member.holdings)?,
            runs: pack_runs(&member.runs)?,
        })
    }
}

/// Statements that write members' rows.
struct Members<'c> {
    connection: &'c Connection,
    new: CachedStatement<'c>,
    set: CachedStatement<'c>,
    woken: CachedStatement<'c>,
}

impl<'c> Members<'c> {
    fn prepare(connection: &'c Connection) -> Result<Self> {
        let prepare = |sql| prepare(connection, sql);
        Ok(Self {
            connection,
            new: prepare(MEMBER_NEW)?,
            set: prepare(MEMBER_SET)?,
            woken: prepare(MEMBER_WOKEN)?,
        })
    }

    /// Writes one member at their place, or at a new one; where that is.
    fn write(
        &mut self,
        (stored, kept, packed): (&StoredMember, &Kept, &Packed),
        version: i64,
        last_event: Option<i64>,
        known: Option<&Place>,
    ) -> Result<i64> {
        let member = &stored.member;
        let (term, stage) = (member.term.as_ref(), member.stage.as_ref());
        let (no, wake) = (known.map(|place| place.no), stored.wake.map(|wake| wake.0));
        let values: [&dyn ToSql; 26] = [
            member.id.bytes(),
            &member.known_since.0,
            &member.enrolled_at.map(|at| at.0),
            &member.decided_until.0,
            &version,
            &last_event,
            &term.map(|term| term.level.as_str()),
            &term.map(|term| term.from.0),
            &term.map(|term| term.ends.0),
            &stage.map(|held| held.stage.as_str()),
            &stage.map(|held| held.since.0),
            &packed.accounts,
            &packed.timers,
            &packed.tags,
            &kept.touches,
            &kept.told_at,
            &kept.attributes,
            &stored.fingerprint,
            &packed.growth_days,
            &kept.leaves,
            &kept.personal,
            &packed.audiences,
            &packed.holdings,
            &packed.runs,
            &wake,
            &no,
        ];
        match known {
            None => {
                run(&mut self.new, &values[..25])?;
                Ok(self.connection.last_insert_rowid())
            }
            Some(place) => {
                let set = if place.wake == wake { &mut self.set } else { &mut self.woken };
                run(set, &values[..])?;
                Ok(place.no)
            }
        }
    }
}

fn identifiers(c: &Connection, flush: &Flush) -> Result<()> {
    let mut new = prepare(c, IDENTIFIER_NEW)?;
    for identifier in &flush.identifiers {
        run(
            &mut new,
            params![
                identifier.hash.as_slice(),
                identifier.namespace,
                identifier.value.0,
                identifier.member.bytes().as_slice(),
                identifier.since.0
            ],
        )?;
    }
    Ok(())
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn orders(c: &Connection, flush: &Flush, seqs: &Seqs) -> Result<()> {
    let mut set = prepare(c, ORDER_SET)?;
    let mut new = prepare(c, ORDER_NEW)?;
    let mut gone = prepare(c, ORDER_GONE)?;
    for OrderSet { order, was } in &flush.orders {
        let terms = json(&order.terms)?;
        // Lines that came with an earlier batch stay where they are.
        let lines = seqs.0.get(&order.event);
        let (id, member) = (order.id.bytes(), order.member.bytes());
        let values: [&dyn ToSql; 10] = [
            id,
            member,
            &order.time.0,
            &order.store,
            &order.channel,
            &order.paid.0,
            &order.refunded.0,
            &order.status.code(),
            &lines,
            &terms,
        ];
        let written = match was {
            Some(was) if *was == order.member => run(&mut set, values.as_slice())?,
            // Another member's from now on: in their timeline, not in the one it was in.
            Some(was) if run(&mut gone, params![id, was.bytes()])? == 0 => 0,
            _ => {
                let no = seqs.of(order.event)?;
                run(&mut new, [values.as_slice(), &[&no]].concat().as_slice())?
            }
        };
        if written == 0 {
            return Err(StoreError::Stale);
        }
    }
    let mut changes = prepare(c, ORDER_CHANGE_SET)?;
    for change in &flush.order_changes {
        let order = change.order.bytes().as_slice();
        let values =
            params![order, change.at.0, change.paid.0, change.refunded.0, change.counts, !change.first];
        run(&mut changes, values)?;
    }
    Ok(())
}

fn ledger(c: &Connection, flush: &Flush, seqs: &Seqs) -> Result<()> {
    let mut houses: BTreeMap<(Asset, &str), i64> = BTreeMap::new();
    for transfer in &flush.transfers {
        let (house, side) = transfer.kind.sides();
        *houses.entry((transfer.asset, house.name())).or_default() -= side * transfer.amount;
    }
    together(c, TRANSFER_NEW, &flush.transfers, |transfer| {
        Ok([
            bytes(transfer.id.bytes()),
            bytes(transfer.member.bytes()),
            number(transfer.asset.code()),
            number(transfer.kind.code()),
            number(transfer.amount),
            number(seqs.of(transfer.event)?),
            number(transfer.ordinal),
            number(transfer.at.0),
            number(transfer.day.0),
            bytes_or_none(transfer.reverses.as_ref().map(|id| id.bytes().as_slice())),
            bytes_or_none(transfer.order.as_ref().map(|id| id.bytes().as_slice())),
            number(flush.version),
        ])
    })?;
    let mut add = prepare(c, HOUSE_ADD)?;
    for ((asset, house), delta) in houses.into_iter().filter(|(_, delta)| *delta != 0) {
        run(&mut add, params![asset.code(), house, delta])?;
    }
    together(c, LOT_SET, &flush.lots, |lot| {
        Ok([
            bytes(lot.id.bytes()),
            bytes(lot.member.bytes()),
            number(lot.asset.code()),
            number(lot.granted),
            number(lot.remaining),
            number(lot.active_at.0),
            number(lot.expires_at.0),
            number(lot.active),
        ])
    })?;
    together(c, ALLOCATION_NEW, &flush.allocations, |allocation| {
        let lot = allocation.lot.as_ref().map(|id| id.bytes().as_slice());
        Ok([bytes(allocation.transfer.bytes()), bytes_or_none(lot), number(allocation.amount)])
    })?;
    let mut hold_set = prepare(c, HOLD_SET)?;
    for hold in &flush.holds {
        let (id, member) = (hold.id.bytes().as_slice(), hold.member.bytes().as_slice());
        run(&mut hold_set, params![id, member, hold.asset.code(), hold.amount, hold.open])?;
    }
    Ok(())
}

fn moves(c: &Connection, flush: &Flush, seqs: &Seqs) -> Result<()> {
    let version = number(flush.version);
    together(c, TERM_NEW, &flush.terms, |new| {
        let (member, term, seq) = (bytes(new.member.bytes()), &new.term, number(seqs.of(new.event)?));
        Ok([member, text(&term.level), number(term.from.0), number(term.ends.0), seq, version])
    })?;
    together(c, STAGE_NEW, &flush.stages, |moved| {
        let (member, seq) = (bytes(moved.member.bytes()), number(seqs.of(moved.event)?));
        Ok([member, text_or_none(moved.from.as_deref()), text(&moved.to), number(moved.at.0), seq, version])
    })?;
    together(c, TAG_NEW, &flush.tags, |moved| {
        let (member, seq) = (bytes(moved.member.bytes()), number(seqs.of(moved.event)?));
        Ok([member, text(&moved.tag), number(moved.on), number(moved.at.0), seq, version])
    })?;
    together(c, PARTNER_NEW, &flush.partners, |moved| {
        let (member, seq) = (bytes(moved.member.bytes()), number(seqs.of(moved.event)?));
        Ok([member, text(&moved.partner), number(moved.deed.code()), number(moved.at.0), seq, version])
    })
    .map(drop)
}
