//! The doctor: each rule is broken by hand, and it is that rule which says so.

use std::collections::BTreeSet;

use zhiyin_store::Wanted;
use zhiyin_store::conformance::KEY;
use zhiyin_store::conformance::access::noted;
use zhiyin_store::conformance::life::{Life, lived};

use crate::folder::Folder;

/// Without the journal's guards, so that it can be tampered with.
const UNGUARDED: &str = "DROP TRIGGER transfer_stays; DROP TRIGGER transfer_remains; \
    DROP TRIGGER allocation_stays; DROP TRIGGER allocation_remains; \
    DROP TRIGGER audit_stays; DROP TRIGGER audit_remains; DROP TRIGGER book_late_stays;";

const AUDITED: &str = "the audit log is one chain from its first line";
const CLOSED: &str = "closed months are one chain, and what the ledger says";

/// (what somebody did to the file, the rule that it breaks)
const PLANTED: &[(&str, &str)] = &[
    (
        "UPDATE house_account SET balance = balance + 1",
        "each asset sums to zero over members and the brand's accounts",
    ),
    (
        "UPDATE member SET accounts = json_set(accounts, '$[0][1]', json_extract(accounts, '$[0][1]') + 1)",
        "each asset sums to zero over members and the brand's accounts",
    ),
    (
        "UPDATE member SET accounts = json_set(accounts, '$[1][4]', json_extract(accounts, '$[1][4]') + 1)",
        "a member's balance is the sum of their transfers",
    ),
    ("DELETE FROM transfer WHERE kind = 2", "a member's balance is the sum of their transfers"),
    (
        "UPDATE transfer SET amount = amount + 1 WHERE kind = 0",
        "a member's balance is the sum of their transfers",
    ),
    (
        "UPDATE member SET accounts = json_set(accounts, '$[0][1]', json_extract(accounts, '$[0][1]') + 1, \
         '$[0][2]', json_extract(accounts, '$[0][2]') - 1)",
        "points are what their lots have left, active and pending each, less debt",
    ),
    (
        "UPDATE lot SET active = 1 - active",
        "points are what their lots have left, active and pending each, less debt",
    ),
    ("UPDATE lot SET remaining = remaining - 1", "a lot has left what its allocations did not take"),
    ("UPDATE lot SET granted = granted + 1", "a lot has left what its allocations did not take"),
    ("DELETE FROM allocation WHERE no = 1", "a lot has left what its allocations did not take"),
    (
        "UPDATE member SET accounts = json_set(accounts, '$[0][4]', 5, '$[0][1]', json_extract(accounts, '$[0][1]') + 5)",
        "debt is what allocations left to it",
    ),
    ("UPDATE allocation SET lot = NULL WHERE no = 1", "debt is what allocations left to it"),
    ("UPDATE hold SET open = 0", "what is held is what open holds promise"),
    (
        "UPDATE member SET accounts = json_set(accounts, '$[0][3]', 0)",
        "what is held is what open holds promise",
    ),
    ("UPDATE orders SET terms = json_set(terms, '$.growth_kept', 1)", "growth is what orders keep of it"),
    (
        "UPDATE member SET accounts = json_set(accounts, '$[1][1]', json_extract(accounts, '$[1][1]') + 1)",
        "growth is what orders keep of it",
    ),
    ("UPDATE member SET timers = '[[1,0,9]]'", "every open lot that expires has its timer"),
    ("UPDATE member SET timers = '[]'", "every member with a tier has the timer that ends its term"),
    (
        "DELETE FROM timeline WHERE seq = (SELECT MIN(seq) + 1 FROM timeline)",
        "every event up to the cursor was decided or is a dead letter",
    ),
    (
        "UPDATE member SET wake = wake + 1",
        "every member with timers is woken no later than the first of them",
    ),
    ("UPDATE member SET wake = NULL", "every member with timers is woken no later than the first of them"),
    (
        "UPDATE member SET last_event = (SELECT MIN(seq) + 2 FROM timeline)",
        "every timeline leads from its last event through all of a member's events",
    ),
    (
        "UPDATE timeline SET before = NULL WHERE seq = (SELECT MIN(seq) + 2 FROM timeline)",
        "every timeline leads from its last event through all of a member's events",
    ),
    ("DELETE FROM timeline", "every timeline leads from its last event through all of a member's events"),
    (
        "INSERT INTO event SELECT NULL, id, source, message_id, body_hash, name, time, clock, derived, replay, body, member, \
         reached, called FROM event WHERE derived = 2",
        "nothing is in the log twice",
    ),
    ("UPDATE orders SET refunded = paid + 1", "a refund never exceeds what was paid"),
    ("UPDATE orders SET refunded = -1", "a refund never exceeds what was paid"),
    ("UPDATE orders SET paid = -1, refunded = -1", "a refund never exceeds what was paid"),
    ("SELECT 1", "the journal cannot be changed: its guards are in place"),
    ("SELECT 1", "the audit log cannot be changed: its guards are in place"),
    ("UPDATE audit SET who = 'system:nobody' WHERE no = 2", AUDITED),
    ("DELETE FROM audit WHERE no = 2", AUDITED),
    (
        "UPDATE audit SET no = CASE no WHEN 2 THEN -3 ELSE -2 END WHERE no > 1; UPDATE audit SET no = -no WHERE no < 0",
        AUDITED,
    ),
    (
        "INSERT INTO audit SELECT 4, at, who, role, operation, target, outcome, detail, hash FROM audit WHERE no = 3",
        AUDITED,
    ),
    (
        "UPDATE member SET accounts = json_set(accounts, '$[1][4]', -1)",
        "debt, what is held and what is pending are never below zero",
    ),
    (
        "INSERT INTO place VALUES ('a', 'b', 'region', '{\"names\":{}}', 0), ('b', 'a', 'region', '{\"names\":{}}', 0)",
        "every place and all staff stand under a place that holds them",
    ),
    (
        "INSERT INTO staff VALUES ('a', '1', x'00', 'clerk', NULL, NULL)",
        "every place and all staff stand under a place that holds them",
    ),
    (
        "INSERT INTO coupon VALUES (randomblob(16), randomblob(16), 'a', randomblob(16), 4, 0, 1, 0, randomblob(16), 0)",
        "a coupon is where its moves put it",
    ),
    (
        "INSERT INTO coupon VALUES (randomblob(16), randomblob(16), 'a', randomblob(16), 1, 0, 1, 0, randomblob(16), 0)",
        "members hold the coupons that are theirs and open",
    ),
    (
        "INSERT INTO pool VALUES ('offer/a/stock', 1)",
        "what is taken of an offer's pieces is what its moves took",
    ),
    (
        "INSERT INTO send (id, channel, at, state, attempts, due, others, told) VALUES (randomblob(16), 'email', 0, 0, 0, 0, '', 1)",
        "what leaves the home says something, and what is said outside of it leaves",
    ),
    (
        "INSERT INTO link (id, code, page, target, at) VALUES (randomblob(16), '123456789ABC', '', '', 0)",
        "every short link leads somewhere, by a code of its own",
    ),
    (
        "INSERT INTO link (id, code, page, target, at) VALUES (randomblob(16), 'short', 'a', '', 0)",
        "every short link leads somewhere, by a code of its own",
    ),
    (
        "INSERT INTO link (id, code, page, target, member, at) VALUES (randomblob(16), '123456789ABC', 'a', '', randomblob(16), 0)",
        "short links are of members who are there",
    ),
    (
        "INSERT INTO link (id, code, page, target, sharer, at) VALUES (randomblob(16), '123456789ABC', 'a', '', randomblob(16), 0)",
        "short links are of members who are there",
    ),
    ("SELECT 1", "closed months cannot be changed: their guards are in place"),
    (
        "INSERT INTO book_close (month, start, until, closed_at, closed_by, version, hash) VALUES (201703, 0, 1, 2, 'nobody', 1, zeroblob(32))",
        CLOSED,
    ),
    (
        "INSERT INTO book_close (month, start, until, closed_at, closed_by, version) VALUES (201703, 0, 1, 2, 'nobody', 1); \
         INSERT INTO book_line VALUES (201703, 0, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL)",
        CLOSED,
    ),
    (
        "INSERT INTO book_close (month, start, until, closed_at, closed_by, version) VALUES (201703, 0, 1, 2, 'nobody', 1), \
         (201704, 1, 2, 2, 'nobody', 1)",
        CLOSED,
    ),
    (
        "INSERT INTO book_close (month, start, until, closed_at, closed_by, version, hash, coupons) \
         VALUES (201703, 0, 1, 2, 'nobody', 1, NULL, 1); \
         INSERT INTO book_coupon VALUES (201703, 'a', 0, '', 0, 1, 0, 0, 0, 0, 0, 1, 0, NULL); \
         UPDATE book_close SET hash = zeroblob(32)",
        "coupons of closed months are what their moves say",
    ),
    (
        "INSERT INTO code_upload (no, name, offer, partner, valid_until, asked_by, at, codes) VALUES (1, 'u', 'a', 'p', 0, 'x', 0, 3)",
        "every code of a partner is there and was handed out once",
    ),
    ("PRAGMA ignore_check_constraints = ON; UPDATE lot SET remaining = -1", "the file is whole"),
];

#[tokio::test]
async fn the_doctor_finds_each_planted_corruption() {
    let mut rules = BTreeSet::new();
    for (sql, rule) in PLANTED {
        let folder = Folder::new();
        let store = folder.open();
        lived(&store, &Life::of(&KEY), 6).await.unwrap();
        noted(&store, 3).await.unwrap();
        let healthy = store.doctor().await.unwrap();
        assert!(healthy.iter().all(|check| check.broken.is_empty()), "{healthy:#?}");
        rules.extend(healthy.into_iter().map(|check| check.invariant));
        folder.raw().execute_batch(&format!("{UNGUARDED}{sql};")).unwrap();
        let checks = store.doctor().await.unwrap();
        let found = checks.iter().find(|check| check.invariant == *rule);
        let broken = found.is_some_and(|check| !check.broken.is_empty());
        assert!(broken, "after {sql:?} the doctor does not say that {rule:?} is broken: {checks:#?}");
    }
    let planted: BTreeSet<String> = PLANTED.iter().map(|(_, rule)| (*rule).to_owned()).collect();
    assert_eq!(rules, planted, "a rule that nobody breaks is a rule that nobody tests");
}

#[tokio::test]
async fn what_is_closed_is_not_replaced_and_each_guard_of_it_is_missed() {
    let folder = Folder::new();
    let store = folder.open();
    let raw = folder.raw();
    raw.execute_batch(
        "INSERT INTO book_line VALUES (201703, 0, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL); \
         INSERT INTO book_close (month, start, until, closed_at, closed_by, version, hash) \
         VALUES (201703, 0, 9, 2, 'nobody', 1, zeroblob(32)); \
         INSERT INTO book_line VALUES (201704, 0, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL); \
         INSERT INTO book_late (period, id, member, asset, kind, amount, at) VALUES (9, x'01', x'01', 0, 0, 1, 0);",
    )
    .unwrap();
    for sql in [
        "INSERT OR REPLACE INTO book_close (month, start, until, closed_at, closed_by, version) VALUES (201703, 0, 8, 2, 'x', 1)",
        "INSERT OR REPLACE INTO book_close (month, start, until, closed_at, closed_by, version) VALUES (201704, 0, 9, 2, 'x', 1)",
        "REPLACE INTO book_line VALUES (201703, 0, 0, '', 5, 0, 0, 0, 0, 0, 0, 0, 5, NULL)",
        "REPLACE INTO book_line VALUES (201704, 0, 0, '', 5, 0, 0, 0, 0, 0, 0, 0, 5, NULL)",
        "REPLACE INTO book_late VALUES (1, 9, x'01', x'01', 0, 0, 2, 0)",
        "UPDATE OR REPLACE book_close SET month = 201704",
        "UPDATE book_line SET opening = 1",
        "DELETE FROM book_close",
        "DELETE FROM book_line",
        "UPDATE book_late SET amount = 2",
        "DELETE FROM book_late",
    ] {
        let refused = raw.execute_batch(sql).map_err(|error| error.to_string());
        assert!(refused.as_ref().is_err_and(|said| said.contains("never")), "{sql}: {refused:?}");
    }
    let mut found = raw
        .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger' AND (name LIKE 'book%' OR name = 'transfer_late')")
        .unwrap();
    let guards: Vec<String> = found.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(guards.len() > 9, "{guards:?}");
    for guard in guards {
        raw.execute_batch(&format!("DROP TRIGGER {guard}")).unwrap();
        let said = format!("{guard} is missing");
        let checks = store.doctor().await.unwrap();
        assert!(checks.iter().any(|check| check.broken.contains(&said)), "{said}: {checks:#?}");
    }
}

#[tokio::test]
async fn what_is_damaged_is_named_not_guessed() {
    for sql in [
        "UPDATE member SET attributes = x'09'",
        "UPDATE member SET attributes = x'00'",
        "UPDATE member SET touches = 'no json'",
        "UPDATE member SET accounts = json_set(accounts, '$[0][0]', 7)",
        "UPDATE member SET timers = json_set(timers, '$[0][0]', 70)",
        "UPDATE member SET growth_days = x'c1'",
        "UPDATE identifier SET member = x'01'",
    ] {
        let folder = Folder::new();
        let (store, life) = (folder.open(), Life::of(&KEY));
        lived(&store, &life, 6).await.unwrap();
        folder.raw().execute_batch(sql).unwrap();
        let wanted = Wanted { identifiers: vec![life.identifier()], ..Wanted::default() };
        let error = match store.load(wanted).await {
            Err(error) => error.to_string(),
            Ok(loaded) => panic!("after {sql:?} this was loaded: {loaded:?}"),
        };
        assert!(error.contains("damaged"), "{sql}: {error}");
    }
}
