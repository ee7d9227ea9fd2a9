//! The doctor: each rule is broken by hand, in every shard, and it is that rule which says so.

use std::collections::BTreeSet;
use std::sync::Arc;

use zhiyin_store::conformance::KEY;
use zhiyin_store::conformance::access::noted;
use zhiyin_store::conformance::life::{Life, lived};
use zhiyin_store::{Store, Wanted};

use crate::homes::{Homes, name, raw};

/// Without the journal's guards, so that it can be tampered with.
const UNGUARDED: &str = "DROP TRIGGER transfer_stays ON {shard}.transfer; DROP TRIGGER allocation_stays ON {shard}.allocation; \
    DROP TRIGGER IF EXISTS audit_stays ON {home}.audit; DROP TRIGGER book_late_stays ON {shard}.book_late";

const ZERO: &str = "each asset sums to zero over members and the brand's accounts";
const BALANCES: &str = "a member's balance is the sum of their transfers";
const POINTS: &str = "points are what their lots have left, active and pending each, less debt";
const LOTS: &str = "a lot has left what its allocations did not take";
const DEBT: &str = "debt is what allocations left to it";
const HOLDS: &str = "what is held is what open holds promise";
const GROWTH: &str = "growth is what orders keep of it";
const LOT_TIMERS: &str = "every open lot that expires has its timer";
const TIER_TIMERS: &str = "every member with a tier has the timer that ends its term";
const WAKES: &str = "every member with timers is woken no later than the first of them";
const BELOW_ZERO: &str = "debt, what is held and what is pending are never below zero";
const TIMELINES: &str = "every timeline leads from its last event through all of a member's events";
const DECIDED: &str = "every event up to the cursor was decided or is a dead letter";
const TWICE: &str = "nothing is in the log twice";
const REFUNDS: &str = "a refund never exceeds what was paid";
const GUARDS: &str = "the journal cannot be changed: its guards are in place";
const ORDER_EVENTS: &str = "every order stands at an event of its member";
const TOGETHER: &str = "whatever is kept of a member is kept where the member is";
const LOGGED: &str = "whatever was decided or waits is in the log";
const COUPONS: &str = "a coupon is where its moves put it";
const HOLDERS: &str = "members hold the coupons that are theirs and open";
const STOCKS: &str = "what is taken of an offer's pieces is what its moves took";
const SHARES: &str = "the shares are complete";
const PLACED: &str = "every member and every event lies in the share of its member";
const NAMED: &str = "every identifier is found by its hash and points to somebody";
const ORDER_PLACES: &str = "every order has its place, and every place its order";
const REMEMBERED: &str = "every item in the log is remembered, and whatever is remembered is in the log";
const AUDIT_GUARDS: &str = "the audit log cannot be changed: its guards are in place";
const AUDITED: &str = "the audit log is one chain from its first line";
const PLACES: &str = "every place and all staff stand under a place that holds them";
const CLOSED_GUARDS: &str = "closed months cannot be changed: their guards are in place";
const COUPONS_CLOSED: &str = "coupons of closed months are what their moves say";
const CODES: &str = "every code of a partner is there and was handed out once";
const CLOSED: &str = "closed months are one chain, and what the ledger says";
const BODIES: &str = "every event has its body, in the log or in the archive";

/// (what somebody did to each shard, the rule that it breaks)
const PLANTED: &[(&str, &str)] = &[
    (
        "INSERT INTO {shard}.link (id, code, page, target, at) VALUES (gen_random_uuid(), '123456789ABC', '', '', 0)",
        "every short link leads somewhere, by a code of its own",
    ),
    (
        "INSERT INTO {shard}.link (id, code, page, target, sharer, at) \
         VALUES (gen_random_uuid(), '123456789ABC', 'a', '', gen_random_uuid(), 0)",
        "short links are of members who are there",
    ),
    ("UPDATE {shard}.house_account SET balance = balance + 1", ZERO),
    (
        "UPDATE {shard}.member SET accounts = jsonb_set(accounts::jsonb, '{0,1}', \
      to_jsonb((accounts::jsonb #>> '{0,1}')::bigint + 1))::text",
        ZERO,
    ),
    ("UPDATE {shard}.member SET accounts = jsonb_set(accounts::jsonb, '{1,4}', '1')::text", BALANCES),
    ("DELETE FROM {shard}.transfer WHERE kind = 2", BALANCES),
    ("UPDATE {shard}.transfer SET amount = amount + 1 WHERE kind = 0", BALANCES),
    (
        "UPDATE {shard}.member SET accounts = jsonb_set(jsonb_set(accounts::jsonb, '{0,1}', \
      to_jsonb((accounts::jsonb #>> '{0,1}')::bigint + 1)), '{0,2}', \
      to_jsonb((accounts::jsonb #>> '{0,2}')::bigint - 1))::text",
        POINTS,
    ),
    ("UPDATE {shard}.lot SET active = NOT active", POINTS),
    ("UPDATE {shard}.lot SET remaining = remaining - 1", LOTS),
    ("UPDATE {shard}.lot SET granted = granted + 1", LOTS),
    ("DELETE FROM {shard}.allocation WHERE no = 1", LOTS),
    (
        "UPDATE {shard}.member SET accounts = jsonb_set(jsonb_set(accounts::jsonb, '{0,1}', \
      to_jsonb((accounts::jsonb #>> '{0,1}')::bigint + 5)), '{0,4}', '5')::text",
        DEBT,
    ),
    ("UPDATE {shard}.allocation SET lot = NULL WHERE no = 1", DEBT),
    ("UPDATE {shard}.hold SET open = false", HOLDS),
    ("UPDATE {shard}.member SET accounts = jsonb_set(accounts::jsonb, '{0,3}', '0')::text", HOLDS),
    ("UPDATE {shard}.orders SET terms = jsonb_set(terms::jsonb, '{growth_kept}', '1')::text", GROWTH),
    ("UPDATE {shard}.member SET accounts = jsonb_set(accounts::jsonb, '{1,1}', '1')::text", GROWTH),
    ("UPDATE {shard}.member SET timers = '[[1,0,9]]'", LOT_TIMERS),
    ("UPDATE {shard}.member SET timers = '[]'", TIER_TIMERS),
    ("UPDATE {shard}.member SET wake = wake + 1", WAKES),
    ("UPDATE {shard}.member SET wake = NULL", WAKES),
    ("UPDATE {shard}.member SET accounts = jsonb_set(accounts::jsonb, '{1,4}', '-1')::text", BELOW_ZERO),
    ("DELETE FROM {shard}.timeline WHERE before = (SELECT MIN(seq) FROM {shard}.timeline)", DECIDED),
    ("UPDATE {shard}.member SET last_event = (SELECT MIN(seq) FROM {shard}.timeline)", TIMELINES),
    ("UPDATE {shard}.member SET last_event = 3", TIMELINES),
    (
        "UPDATE {shard}.timeline SET before = NULL WHERE before = (SELECT MIN(seq) FROM {shard}.timeline)",
        TIMELINES,
    ),
    (
        "UPDATE {shard}.timeline SET before = (SELECT MIN(seq) FROM {shard}.timeline) WHERE before IS NOT NULL",
        TIMELINES,
    ),
    ("UPDATE {shard}.timeline SET member = gen_random_uuid() WHERE before IS NULL", TIMELINES),
    ("DELETE FROM {shard}.timeline", TIMELINES),
    (
        "INSERT INTO {shard}.event SELECT seq + 1, id, slot, source, message_id, name, time, clock, derived, replay, \
      body, member, reached, called FROM {shard}.event WHERE derived = 2",
        TWICE,
    ),
    ("UPDATE {shard}.orders SET refunded = paid + 1", REFUNDS),
    ("UPDATE {shard}.orders SET refunded = -1", REFUNDS),
    ("UPDATE {shard}.orders SET paid = -1, refunded = -1", REFUNDS),
    ("SELECT 1", GUARDS),
    (
        "CREATE TRIGGER transfer_stays BEFORE DELETE ON {shard}.transfer \
      FOR EACH STATEMENT EXECUTE FUNCTION {shard}.written_once(); \
      CREATE TRIGGER allocation_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {shard}.allocation \
      FOR EACH STATEMENT EXECUTE FUNCTION {shard}.written_once()",
        GUARDS,
    ),
    (
        "CREATE TRIGGER transfer_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {shard}.transfer \
      FOR EACH STATEMENT EXECUTE FUNCTION {shard}.written_once(); \
      CREATE TRIGGER allocation_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {shard}.allocation \
      FOR EACH STATEMENT EXECUTE FUNCTION {shard}.written_once(); \
      ALTER TABLE {shard}.allocation DISABLE TRIGGER allocation_stays",
        GUARDS,
    ),
    ("SELECT 1", AUDIT_GUARDS),
    ("UPDATE {home}.audit SET who = 'system:nobody' WHERE no = 2", AUDITED),
    ("DELETE FROM {home}.audit WHERE no = 2", AUDITED),
    (
        "INSERT INTO {home}.audit SELECT 4, at, who, role, operation, target, outcome, detail, hash FROM {home}.audit \
      WHERE no = 3 ON CONFLICT DO NOTHING",
        AUDITED,
    ),
    ("UPDATE {shard}.orders SET no = no + 100", ORDER_EVENTS),
    ("UPDATE {shard}.hold SET member = gen_random_uuid()", TOGETHER),
    ("DELETE FROM {shard}.member", TOGETHER),
    ("DELETE FROM {shard}.event WHERE derived = 2", LOGGED),
    ("INSERT INTO {shard}.dead_letter VALUES (1, '', '', '', 1)", LOGGED),
    ("INSERT INTO {shard}.queue VALUES (1, 0, 1)", LOGGED),
    (
        "INSERT INTO {shard}.queue SELECT MIN(seq), MIN(slot) + 1, 1 FROM {shard}.event HAVING COUNT(*) > 0",
        LOGGED,
    ),
    ("INSERT INTO {shard}.retry VALUES (1, 0, 1, 1)", LOGGED),
    ("UPDATE {shard}.event SET body = ''", BODIES),
    (
        "INSERT INTO {shard}.coupon VALUES (gen_random_uuid(), gen_random_uuid(), 'a', gen_random_uuid(), 4, 0, 1, 0, \
         gen_random_uuid(), 0)",
        COUPONS,
    ),
    (
        "INSERT INTO {shard}.coupon VALUES (gen_random_uuid(), gen_random_uuid(), 'a', gen_random_uuid(), 1, 0, 1, 0, \
         gen_random_uuid(), 0)",
        HOLDERS,
    ),
    ("INSERT INTO {home}.pool VALUES ('offer/a/stock', 1) ON CONFLICT DO NOTHING", STOCKS),
    ("DELETE FROM {home}.slot WHERE slot = 2", SHARES),
    ("INSERT INTO {home}.slot (slot) VALUES (-1) ON CONFLICT DO NOTHING", SHARES),
    ("UPDATE {home}.home SET shards = shards + 1", SHARES),
    ("UPDATE {shard}.member SET slot = slot + 2", PLACED),
    ("UPDATE {shard}.event SET slot = slot + 2", PLACED),
    ("UPDATE {shard}.identifier SET member = gen_random_uuid()", NAMED),
    (
        "UPDATE {shard}.identifier SET hash = (lpad(to_hex((get_byte(uuid_send(hash), 0) + 1) % 256), 2, '0') || substr(hash::text, 3))::uuid",
        NAMED,
    ),
    ("DELETE FROM {shard}.order_place", ORDER_PLACES),
    ("UPDATE {shard}.order_place SET member = gen_random_uuid()", ORDER_PLACES),
    ("UPDATE {shard}.order_place SET no = no + 1", ORDER_PLACES),
    ("DELETE FROM {shard}.message", REMEMBERED),
    ("UPDATE {shard}.message SET seq = seq + 100", REMEMBERED),
    ("INSERT INTO {shard}.message VALUES (9, 'x', gen_random_uuid(), 9)", REMEMBERED),
    (
        "INSERT INTO {home}.place VALUES ('a', 'b', 'region', '{\"names\":{}}', 0), ('b', 'a', 'region', '{\"names\":{}}', 0) \
         ON CONFLICT DO NOTHING",
        PLACES,
    ),
    ("INSERT INTO {home}.staff VALUES ('a', '1', '\\x00', 'clerk') ON CONFLICT DO NOTHING", PLACES),
    (
        "INSERT INTO {shard}.send (id, channel, at, state, attempts, due, others, told) \
         VALUES (gen_random_uuid(), 'email', 0, 0, 0, 0, '', true)",
        "what leaves the home says something, and what is said outside of it leaves",
    ),
    ("SELECT 1", CLOSED_GUARDS),
    (
        "INSERT INTO {home}.book_close (month, start, until, closed_at, closed_by, version, hash) \
         VALUES (201703, 0, 1, 2, 'nobody', 1, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING",
        CLOSED,
    ),
    (
        "INSERT INTO {home}.book_close (month, start, until, closed_at, closed_by, version) VALUES (201703, 0, 1, 2, 'nobody', 1) ON CONFLICT DO NOTHING; \
         INSERT INTO {home}.book_line VALUES (201703, 0, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL) ON CONFLICT DO NOTHING",
        CLOSED,
    ),
    (
        "INSERT INTO {home}.book_close (month, start, until, closed_at, closed_by, version) VALUES (201703, 0, 1, 2, 'nobody', 1), \
         (201704, 1, 2, 2, 'nobody', 1) ON CONFLICT DO NOTHING",
        CLOSED,
    ),
    (
        "INSERT INTO {home}.book_close (month, start, until, closed_at, closed_by, version, coupons) \
         VALUES (201703, 0, 1, 2, 'nobody', 1, true) ON CONFLICT DO NOTHING; \
         INSERT INTO {home}.book_coupon SELECT 201703, 'a', 0, '', 0, 1, 0, 0, 0, 0, 0, 1, 0, NULL \
         WHERE NOT EXISTS (SELECT 1 FROM {home}.book_coupon); \
         UPDATE {home}.book_close SET hash = decode(repeat('00', 32), 'hex') WHERE hash IS NULL",
        COUPONS_CLOSED,
    ),
    (
        "INSERT INTO {home}.code_upload (no, name, offer, partner, valid_until, asked_by, at, codes) \
         VALUES (1, 'u', 'a', 'p', 0, 'x', 0, 3) ON CONFLICT DO NOTHING",
        CODES,
    ),
];

/// Does something to each of the two shards of a home.
async fn tamper(url: &str, sql: &str) {
    let (raw, home) = (raw().await, name(url));
    for shard in [home.clone(), format!("{home}_1")] {
        let sql = sql.replace("{home}", &home).replace("{shard}", &shard);
        raw.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

#[tokio::test]
async fn the_doctor_finds_each_planted_corruption() {
    let mut rules = BTreeSet::new();
    for (sql, rule) in PLANTED {
        let homes = Homes::new(2);
        let (url, store) = homes.open();
        let store: Arc<dyn Store> = store;
        lived(&store, &Life::of(&KEY), 6).await.unwrap();
        noted(&store, 3).await.unwrap();
        let healthy = store.doctor().await.unwrap();
        assert!(healthy.iter().all(|check| check.broken.is_empty()), "{healthy:#?}");
        rules.extend(healthy.into_iter().map(|check| check.invariant));
        tamper(&url, UNGUARDED).await;
        tamper(&url, sql).await;
        let checks = store.doctor().await.unwrap();
        assert!(checks.iter().all(|check| check.broken.len() <= 5), "{checks:#?}");
        let found = checks.iter().find(|check| check.invariant == *rule);
        let broken = found.is_some_and(|check| !check.broken.is_empty());
        assert!(broken, "after {sql:?} the doctor does not say that {rule:?} is broken: {checks:#?}");
    }
    let planted: BTreeSet<String> = PLANTED.iter().map(|(_, rule)| (*rule).to_owned()).collect();
    assert_eq!(rules, planted, "a rule that nobody breaks is a rule that nobody tests");
}

#[tokio::test]
async fn what_is_damaged_is_named_not_guessed() {
    for sql in [
        "UPDATE {shard}.member SET attributes = '\\x09'",
        "UPDATE {shard}.member SET attributes = '\\x00'",
        "UPDATE {shard}.member SET touches = 'no json'",
        "UPDATE {shard}.member SET accounts = jsonb_set(accounts::jsonb, '{0,0}', '7')::text",
        "UPDATE {shard}.member SET timers = jsonb_set(timers::jsonb, '{0,0}', '70')::text",
        "UPDATE {shard}.member SET growth_days = '\\xc1'",
    ] {
        let homes = Homes::new(2);
        let ((url, store), life) = (homes.open(), Life::of(&KEY));
        let store: Arc<dyn Store> = store;
        lived(&store, &life, 6).await.unwrap();
        tamper(&url, sql).await;
        let wanted = Wanted { identifiers: vec![life.identifier()], ..Wanted::default() };
        let error = match store.load(wanted).await {
            Err(error) => error.to_string(),
            Ok(loaded) => panic!("after {sql:?} this was loaded: {loaded:?}"),
        };
        assert!(error.contains("damaged"), "{sql}: {error}");
        assert!(store.member_whole(life.member()).await.is_err(), "{sql}");
    }
}
