//! How a home leaves PostgreSQL and comes in again, in the words of [`zhiyin_store::dump`]: shard after shard, a few
//! thousand rows at a time. What the shards number each for itself is numbered anew, in the same order.

mod cells;
mod fill;

use std::collections::BTreeMap;

use tokio_postgres::Row;
use tokio_postgres::types::Type;
use zhiyin_store::dump::{Out, ROWS_AT_ONCE, Rows, TABLES, Table, Value};
use zhiyin_store::{Result, StoreError};

pub(crate) use fill::*;

use crate::rows::{Uuid, damaged, database, get};
use crate::survey::Survey;

pub(crate) const HOME: &str = "SELECT id_key, offset_us, live_since, clock, last FROM {home}.home";
pub(crate) const PLAYBOOK: &str =
    "SELECT version, id, hash, source, applied_at FROM {home}.playbook ORDER BY version";
pub(crate) const SOURCE: &str = "SELECT no, name, user_namespace FROM {home}.source ORDER BY no";
pub(crate) const IMPORT: &str = "SELECT name, position, done FROM {home}.import ORDER BY name";
pub(crate) const MEMBER: &str = "SELECT id, known_since, enrolled_at, decided_until, version, wake, last_event, tier, \
    term_from, term_ends, stage, stage_since, accounts, timers, tags, touches, told_at, attributes, fingerprint, \
    growth_days, leaves, personal, audiences, holdings, runs FROM {shard}.member ORDER BY id";
pub(crate) const IDENTIFIER: &str =
    "SELECT hash, namespace, value, member, since FROM {shard}.identifier ORDER BY hash";
pub(crate) const NAMES_SEEN: &str = "SELECT hash, seen, hands FROM {home}.identifier_seen ORDER BY hash";
pub(crate) const NAMES_GIVEN_UP: &str =
    "SELECT seq, no, namespace, reason FROM {home}.given_up ORDER BY seq, no";
/// The hash of a body lies with the id of its item, in another shard. An item of which nobody said whom it is about bears
/// its own id there.
pub(crate) const EVENT: &str = "SELECT seq, id, source, message_id, NULL::bytea, name, time, clock, derived, replay, body, \
    NULLIF(member, id), reached, called FROM {shard}.event ORDER BY seq";
pub(crate) const BODY_HASHES: &str = "SELECT m.seq, m.body_hash FROM {shard}.message m \
    JOIN UNNEST($1::integer[], $2::text[]) k (source, message_id) \
    ON m.source = k.source AND m.message_id = k.message_id";
/// Rows of the inbox that were not decided come as rows of the queue, each after itself. They lie beyond the cursor that is
/// furthest behind, and below what is said of members (places from 2^62 on).
pub(crate) const QUEUE: &str = "SELECT seq, after FROM {shard}.queue UNION ALL \
    SELECT e.seq, e.seq FROM {shard}.event e JOIN {home}.slot s ON s.slot = e.slot \
    WHERE e.derived = 0 AND e.seq > s.cursor AND e.seq > (SELECT MIN(cursor) FROM {home}.slot) \
    AND e.seq < 4611686018427387904 ORDER BY 1";
pub(crate) const DEAD_LETTER: &str =
    "SELECT seq, code, field, message, at FROM {shard}.dead_letter ORDER BY seq";
pub(crate) const RETRY: &str = "SELECT seq, clock, after FROM {shard}.retry ORDER BY seq";
pub(crate) const TIMELINE: &str = "SELECT seq, member, before FROM {shard}.timeline ORDER BY seq";
pub(crate) const ORDERS: &str = "SELECT no, id, member, time, store, channel, paid, refunded, status, event, terms \
    FROM {shard}.orders ORDER BY no";
pub(crate) const ORDER_CHANGE: &str =
    "SELECT order_id, at, paid, refunded, counts FROM {shard}.order_change ORDER BY order_id, at";
pub(crate) const TRANSFER: &str = "SELECT seq, id, member, asset, kind, amount, event, ordinal, at, day, reverses, \
    order_id, version FROM {shard}.transfer ORDER BY seq";
pub(crate) const LOT: &str = "SELECT id, member, asset, granted, remaining, active_at, expires_at, active \
    FROM {shard}.lot ORDER BY member, expires_at, active_at, id";
pub(crate) const ALLOCATION: &str =
    "SELECT no, member, transfer, lot, amount FROM {shard}.allocation ORDER BY no";
pub(crate) const HOUSE_ACCOUNT: &str =
    "SELECT asset, house, SUM(balance)::bigint FROM {shard}.house_account GROUP BY asset, house";
pub(crate) const HOLD: &str = "SELECT id, member, asset, amount, open FROM {shard}.hold ORDER BY id";
pub(crate) const TERM: &str =
    "SELECT no, member, level, at, ends, event, version FROM {shard}.term ORDER BY no";
pub(crate) const STAGE_MOVE: &str =
    "SELECT no, member, was, becomes, at, event, version FROM {shard}.stage_move ORDER BY no";
pub(crate) const TAG_MOVE: &str =
    "SELECT no, member, tag, is_on, at, event, version FROM {shard}.tag_move ORDER BY no";
pub(crate) const PARTNER_MOVE: &str =
    "SELECT no, member, partner, deed, at, event, version FROM {shard}.partner_move ORDER BY no";
pub(crate) const COUPON: &str = "SELECT id, member, offer, terms, account, valid_from, valid_until, at, cause, ordinal \
    FROM {shard}.coupon ORDER BY id";
pub(crate) const COUPON_MOVE: &str = "SELECT no, coupon, member, offer, kind, gives, takes, at, event, ordinal, version, given \
    FROM {shard}.coupon_move ORDER BY no";
pub(crate) const COUPON_TERMS: &str = "SELECT hash, offer, terms FROM {home}.coupon_terms ORDER BY hash";
pub(crate) const CHECKOUT: &str =
    "SELECT id, member, state, at, until, cause, order_id, takes, body FROM {shard}.checkout ORDER BY id";
pub(crate) const RUN_MOVE: &str = "SELECT no, member, campaign, run, kind, place, why, at, event, version \
    FROM {shard}.run_move ORDER BY no";
pub(crate) const OUTBOX: &str =
    "SELECT id, member, channel, campaign, message, at, state, cause, body FROM {shard}.outbox ORDER BY id";
pub(crate) const SEND: &str = "SELECT id, channel, at, state, attempts, due, tried_at, receipt, error, others, told, parts, cost, arrived_at \
    FROM {shard}.send ORDER BY id";
pub(crate) const REFLECTION: &str =
    "SELECT id, version, kind, part, due, about, body FROM {shard}.reflection ORDER BY id";
pub(crate) const CONVERSATION: &str =
    "SELECT id, persona, state, assignee, at FROM {shard}.conversation ORDER BY id";
pub(crate) const ARRIVAL: &str =
    "SELECT id, channel, lane, at, about, state, tries, due, why, body FROM {shard}.arrival ORDER BY id";
pub(crate) const LINK: &str = "SELECT id, code, page, target, touchpoint, campaign, message, member, sharer, at, until, clicks, \
    scans FROM {shard}.link ORDER BY id";
pub(crate) const POOL: &str = "SELECT pool, taken FROM {home}.pool ORDER BY pool";
pub(crate) const ISSUE: &str =
    "SELECT no, name, offer, audience, asked_by, at, members, parts FROM {home}.issue ORDER BY no";
pub(crate) const CODE_UPLOADS: &str = "SELECT no, name, offer, partner, valid_until, asked_by, at, codes, withdrawn \
    FROM {home}.code_upload ORDER BY no";
pub(crate) const CODE_PARTS_ALL: &str =
    "SELECT upload, part, hash, codes, twice, known, named FROM {home}.code_part ORDER BY upload, part";
pub(crate) const PARTNER_CODE: &str =
    "SELECT hash, upload, place, code FROM {home}.partner_code ORDER BY upload, place";
pub(crate) const COUPON_CODE: &str =
    "SELECT coupon, upload, place FROM {home}.coupon_code ORDER BY upload, place";
pub(crate) const DRAW: &str = "SELECT name, revision, state FROM {home}.draw ORDER BY name";
pub(crate) const DRAW_PART: &str = "SELECT list, part, entries FROM {home}.draw_part ORDER BY list, part";
pub(crate) const ISSUE_PART: &str = "SELECT issue, part, members FROM {home}.issue_part ORDER BY issue, part";
pub(crate) const TILL_LEASE: &str =
    "SELECT name, revision, due, state, members FROM {home}.till_lease ORDER BY name";
pub(crate) const FOUND_BY: &str = "SELECT key, member FROM {shard}.found_by ORDER BY key, member";
pub(crate) const ALIAS: &str = "SELECT member, root, since FROM {home}.alias ORDER BY member";
pub(crate) const APART: &str = "SELECT member, other FROM {home}.apart ORDER BY member, other";
pub(crate) const ARCHIVE: &str = "SELECT month, file, events, hash FROM {home}.archive ORDER BY month";
pub(crate) const API_KEY: &str = "SELECT id, hash, role, place, staff, name, scopes, made_at, made_by, expires_at, revoked_at \
    FROM {home}.api_key ORDER BY id";
pub(crate) const PERSON: &str = "SELECT id, revision, name, owns, state FROM {home}.person ORDER BY id";
pub(crate) const APPROVAL: &str = "SELECT no, operation, request, asked_by, asked_at, answer_by, approved, answered_by, \
    answered_at FROM {home}.approval ORDER BY no";
pub(crate) const AUDIT: &str =
    "SELECT no, at, who, role, operation, target, outcome, detail, hash FROM {home}.audit ORDER BY no";

pub(crate) const QUEUED_PAIRS: &str = "SELECT no, one, other, score_ppm, evidence, state, found_at, decided_by, decided_at \
    FROM {home}.suggestion ORDER BY no";
pub(crate) const PLACE: &str = "SELECT code, parent, kind, document, since FROM {home}.place ORDER BY code";
pub(crate) const PLACE_HISTORY: &str = "SELECT no, code, at, by, was FROM {home}.place_history ORDER BY no";
pub(crate) const STAFF: &str =
    "SELECT place, code, name, role, since, until FROM {home}.staff ORDER BY place, code";
pub(crate) const WEBHOOK: &str = "SELECT id, revision, made_at, settings, paused_at, paused_because, failing_since, failures, \
    rest_until FROM {home}.webhook ORDER BY id";
pub(crate) const WEBHOOK_MESSAGE: &str = "SELECT no, endpoint, id, kind, at, member, data, made_at, state, attempts, due, \
    tried_at, status, error FROM {home}.webhook_message ORDER BY no";
pub(crate) const BOOK_LATE: &str =
    "SELECT no, period, id, member, asset, kind, amount, at FROM {shard}.book_late ORDER BY no";
pub(crate) const BOOK_LINE: &str = "SELECT month, asset, cut, value, opening, earned, spent, expired, reversed, adjusted, \
    taken_over, moved, closing, liability FROM {home}.book_line ORDER BY month, asset, cut, value";
pub(crate) const BOOK_CLOSE: &str = "SELECT month, start, until, closed_at, closed_by, version, worth_minor, worth_points, hash, coupons \
    FROM {home}.book_close ORDER BY month";
pub(crate) const COUPON_LATE: &str =
    "SELECT no, period, coupon, offer, kind, at, given FROM {shard}.coupon_late ORDER BY no";
pub(crate) const BOOK_COUPON: &str = "SELECT month, offer, cut, value, opening, issued, redeemed, expired, withdrawn, given_back, \
    moved, closing, given, liability FROM {home}.book_coupon ORDER BY month, offer, cut, value";
pub(crate) const LIST: &str =
    "SELECT no, name, made_at, changed_at, changed_by, round FROM {home}.list ORDER BY no";
pub(crate) const LISTED: &str = "SELECT list, named, member, round FROM {home}.listed ORDER BY list, named";
/// Of which no messages were made yet.
pub(crate) const FEED_AHEAD: &str = "SELECT f.no, f.members, f.events FROM {home}.feed f JOIN {home}.consumer c \
    ON c.name = 'webhooks' AND (f.tx, f.no) > (c.tx::text::xid8, c.no) ORDER BY f.tx, f.no";

/// How a table is said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It lies in the home's own schema.
    Once,
    /// It lies in every shard.
    Each,
    /// It lies in every shard, and each numbers its own: the first column is numbered anew.
    Numbered,
    /// Events, to which the hash of their body is added.
    Events,
    /// The brand's accounts, summed over shares and shards.
    Sums,
}

/// How each table is said, by name.
const SAID: [(&str, &str, Way); 67] = [
    ("home", HOME, Way::Once),
    ("playbook", PLAYBOOK, Way::Once),
    ("source", SOURCE, Way::Once),
    ("import", IMPORT, Way::Once),
    ("member", MEMBER, Way::Each),
    ("identifier", IDENTIFIER, Way::Each),
    ("event", EVENT, Way::Events),
    ("identifier_seen", NAMES_SEEN, Way::Once),
    ("given_up", NAMES_GIVEN_UP, Way::Once),
    ("queue", QUEUE, Way::Each),
    ("dead_letter", DEAD_LETTER, Way::Each),
    ("retry", RETRY, Way::Each),
    ("timeline", TIMELINE, Way::Each),
    ("orders", ORDERS, Way::Each),
    ("order_change", ORDER_CHANGE, Way::Each),
    ("transfer", TRANSFER, Way::Numbered),
    ("lot", LOT, Way::Each),
    ("allocation", ALLOCATION, Way::Numbered),
    ("house_account", HOUSE_ACCOUNT, Way::Sums),
    ("hold", HOLD, Way::Each),
    ("term", TERM, Way::Numbered),
    ("stage_move", STAGE_MOVE, Way::Numbered),
    ("tag_move", TAG_MOVE, Way::Numbered),
    ("partner_move", PARTNER_MOVE, Way::Numbered),
    ("coupon", COUPON, Way::Each),
    ("coupon_move", COUPON_MOVE, Way::Numbered),
    ("coupon_terms", COUPON_TERMS, Way::Once),
    ("checkout", CHECKOUT, Way::Each),
    ("run_move", RUN_MOVE, Way::Numbered),
    ("outbox", OUTBOX, Way::Each),
    ("send", SEND, Way::Each),
    ("arrival", ARRIVAL, Way::Each),
    ("reflection", REFLECTION, Way::Each),
    ("conversation", CONVERSATION, Way::Each),
    ("link", LINK, Way::Each),
    ("pool", POOL, Way::Once),
    ("issue", ISSUE, Way::Once),
    ("issue_part", ISSUE_PART, Way::Once),
    ("code_upload", CODE_UPLOADS, Way::Once),
    ("code_part", CODE_PARTS_ALL, Way::Once),
    ("partner_code", PARTNER_CODE, Way::Once),
    ("coupon_code", COUPON_CODE, Way::Once),
    ("draw", DRAW, Way::Once),
    ("draw_part", DRAW_PART, Way::Once),
    ("till_lease", TILL_LEASE, Way::Once),
    ("found_by", FOUND_BY, Way::Each),
    ("alias", ALIAS, Way::Once),
    ("apart", APART, Way::Once),
    ("archive", ARCHIVE, Way::Once),
    ("suggestion", QUEUED_PAIRS, Way::Once),
    ("api_key", API_KEY, Way::Once),
    ("person", PERSON, Way::Once),
    ("approval", APPROVAL, Way::Once),
    ("audit", AUDIT, Way::Once),
    ("place", PLACE, Way::Once),
    ("place_history", PLACE_HISTORY, Way::Once),
    ("staff", STAFF, Way::Once),
    ("webhook", WEBHOOK, Way::Once),
    ("webhook_message", WEBHOOK_MESSAGE, Way::Once),
    ("book_late", BOOK_LATE, Way::Numbered),
    ("book_line", BOOK_LINE, Way::Once),
    ("coupon_late", COUPON_LATE, Way::Numbered),
    ("book_coupon", BOOK_COUPON, Way::Once),
    ("book_close", BOOK_CLOSE, Way::Once),
    ("list", LIST, Way::Once),
    ("listed", LISTED, Way::Once),
    ("feed", FEED_AHEAD, Way::Numbered),
];

/// Says every table, each at least once, though it be empty.
pub(crate) async fn dump(survey: &Survey<'_>, out: &Out) -> Result<()> {
    for table in &TABLES {
        let known = SAID.iter().find(|(name, ..)| *name == table.name);
        let (_, sql, way) = known.ok_or_else(|| StoreError::Damaged(format!("no table {}", table.name)))?;
        if *way == Way::Sums {
            say(out, table, sums(survey, sql).await?).await?;
            continue;
        }
        let shards = if *way == Way::Once || table.name == "feed" { 1 } else { survey.schemas.shards() };
        let mut number = 0;
        for shard in 0..shards {
            each(survey, out, table, (shard, sql), *way, &mut number).await?;
        }
    }
    Ok(())
}

async fn say(out: &Out, table: &'static Table, rows: Vec<Vec<Value>>) -> Result<()> {
    // Nobody listens any more: whoever asked has given up.
    out.send(Rows { table, rows }).await.map_err(|_| StoreError::Stopped)
}

/// Says the rows of one shard, so many at a time that memory holds no more than these.
async fn each(
    survey: &Survey<'_>,
    out: &Out,
    table: &'static Table,
    (shard, sql): (usize, &str),
    way: Way,
    number: &mut i64,
) -> Result<()> {
    let statement = survey.tx.prepare(&survey.schemas.sql(sql, shard)).await.map_err(database)?;
    let portal = survey.tx.bind(&statement, &[]).await.map_err(database)?;
    let at_once = i32::try_from(ROWS_AT_ONCE).unwrap_or(i32::MAX);
    loop {
        let found = survey.tx.query_portal(&portal, at_once).await.map_err(database)?;
        let mut rows: Vec<Vec<Value>> = found.iter().map(values).collect::<Result<_>>()?;
        match way {
            Way::Events => add_body_hashes(survey, &found, &mut rows).await?,
            Way::Numbered => {
                for first in rows.iter_mut().filter_map(|row| row.first_mut()) {
                    *number += 1;
                    *first = Value::Int(*number);
                }
            }
            Way::Once | Way::Each | Way::Sums => {}
        }
        say(out, table, rows).await?;
        if found.len() < ROWS_AT_ONCE {
            return Ok(());
        }
    }
}

/// A row as values of a dump: an id is bytes, a flag is a number.
fn values(row: &Row) -> Result<Vec<Value>> {
    row.columns()
        .iter()
        .enumerate()
        .map(|(i, column)| {
            let value = match *column.type_() {
                Type::INT2 => get::<Option<i16>>(row, i)?.map(|value| Value::Int(value.into())),
                Type::INT4 => get::<Option<i32>>(row, i)?.map(|value| Value::Int(value.into())),
                Type::INT8 => get::<Option<i64>>(row, i)?.map(Value::Int),
                Type::BOOL => get::<Option<bool>>(row, i)?.map(|value| Value::Int(value.into())),
                Type::TEXT => get::<Option<String>>(row, i)?.map(Value::Text),
                Type::BYTEA => get::<Option<Vec<u8>>>(row, i)?.map(Value::Bytes),
                Type::UUID => get::<Option<Uuid>>(row, i)?.map(|value| Value::Bytes(value.0.to_vec())),
                _ => return Err(damaged(i, "no column of a dump")),
            };
            Ok(value.unwrap_or(Value::Null))
        })
        .collect()
}

/// Looks up the hashes of items; what was derived has none.
async fn add_body_hashes(survey: &Survey<'_>, found: &[Row], rows: &mut [Vec<Value>]) -> Result<()> {
    let mut wanted: BTreeMap<usize, (Vec<i32>, Vec<&str>)> = BTreeMap::new();
    for row in found {
        let (source, message_id): (i32, &str) = (get(row, 2)?, get(row, 3)?);
        if get::<i16>(row, 8)? == 0 {
            let shard = wanted.entry(survey.schemas.shard_of_message(source, message_id)).or_default();
            shard.0.push(source);
            shard.1.push(message_id);
        }
    }
    let mut hashes: BTreeMap<i64, Uuid> = BTreeMap::new();
    for (shard, (sources, message_ids)) in wanted {
        let sql = survey.schemas.sql(BODY_HASHES, shard);
        for row in survey.tx.query(&sql, &[&sources, &message_ids]).await.map_err(database)? {
            hashes.insert(get(&row, 0)?, get(&row, 1)?);
        }
    }
    for (row, values) in found.iter().zip(rows) {
        let hash = hashes.get(&get::<i64>(row, 0)?);
        if let Some(place) = values.get_mut(4) {
            *place = Value::Bytes(hash.map(|hash| hash.0.to_vec()).unwrap_or_default());
        }
    }
    Ok(())
}

async fn sums(survey: &Survey<'_>, sql: &str) -> Result<Vec<Vec<Value>>> {
    let mut balances: BTreeMap<(i16, String), i64> = BTreeMap::new();
    survey
        .each(sql, &[], |row| {
            *balances.entry((get(row, 0)?, get(row, 1)?)).or_default() += get::<i64>(row, 2)?;
            Ok(())
        })
        .await?;
    let row = |((asset, house), balance): ((i16, String), i64)| {
        vec![Value::Int(asset.into()), Value::Text(house), Value::Int(balance)]
    };
    Ok(balances.into_iter().map(row).collect())
}
