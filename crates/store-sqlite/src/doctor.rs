//! The doctor: every invariant of a home as a query that finds what breaks it.

use rusqlite::Connection;
use zhiyin_store::Result;
use zhiyin_store::read::Check;
use zhiyin_store::seal::vault::Vault;

use crate::report::side;
use crate::rows::{all, database};

/// How many breaches of one invariant are shown.
const SHOWN: &str = " LIMIT 5";

/// (what must be true, a query whose rows are what breaks it, as one text each)
pub(crate) const INVARIANTS: [(&str, &str); 21] = [
    (
        "what leaves the home says something, and what is said outside of it leaves",
        crate::campaigns::SEND_ASTRAY,
    ),
    (
        "each asset sums to zero over members and the brand's accounts",
        "SELECT 'asset ' || asset || ' sums to ' || SUM(balance) FROM ( \
         SELECT asset, active + pending - debt AS balance FROM account UNION ALL \
         SELECT asset, balance FROM house_account) GROUP BY asset HAVING SUM(balance) <> 0",
    ),
    (
        "a member's balance is the sum of their transfers",
        concat!(
            "SELECT 'member ' || hex(member) || ' asset ' || asset || ' is off by ' || SUM(amount) FROM ( \
             SELECT member, asset, active + pending - debt AS amount FROM account UNION ALL \
             SELECT member, asset, -(",
            side!(),
            ") FROM transfer) GROUP BY member, asset HAVING SUM(amount) <> 0"
        ),
    ),
    (
        "points are what their lots have left, active and pending each, less debt",
        "SELECT 'member ' || hex(member) || ' is off by ' || SUM(active) || ' active, ' || SUM(pending) || ' pending' \
         FROM (SELECT member, active, pending FROM account WHERE asset = 0 UNION ALL \
         SELECT member, -remaining * active, -remaining * (1 - active) FROM lot WHERE remaining > 0) \
         GROUP BY member HAVING SUM(active) <> 0 OR SUM(pending) <> 0",
    ),
    (
        "a lot has left what its allocations did not take",
        "SELECT 'lot ' || hex(id) || ' has ' || remaining || ' left, not ' || should FROM ( \
         SELECT l.id AS id, l.remaining AS remaining, l.granted - COALESCE(a.taken, 0) AS should FROM lot l \
         LEFT JOIN (SELECT lot, SUM(amount) AS taken FROM allocation WHERE lot IS NOT NULL GROUP BY lot) a \
         ON a.lot = l.id) WHERE remaining <> should",
    ),
    (
        "debt is what allocations left to it",
        "SELECT 'member ' || hex(member) || ' is off by ' || SUM(debt) FROM ( \
         SELECT member, debt FROM account WHERE asset = 0 UNION ALL SELECT t.member, -a.amount FROM allocation a \
         JOIN (SELECT DISTINCT id, member FROM transfer WHERE asset = 0) t ON t.id = a.transfer WHERE a.lot IS NULL) \
         GROUP BY member HAVING SUM(debt) <> 0",
    ),
    (
        "what is held is what open holds promise",
        "SELECT 'member ' || hex(member) || ' is off by ' || SUM(held) FROM ( \
         SELECT member, held FROM account WHERE asset = 0 UNION ALL \
         SELECT member, -amount FROM hold WHERE open) GROUP BY member HAVING SUM(held) <> 0",
    ),
    (
        "growth is what orders keep of it",
        "SELECT 'member ' || hex(member) || ' is off by ' || SUM(growth) FROM ( \
         SELECT member, active AS growth FROM account WHERE asset = 1 UNION ALL \
         SELECT member, -json_extract(terms, '$.growth_kept') FROM orders) GROUP BY member HAVING SUM(growth) <> 0",
    ),
    (
        "every open lot that expires has its timer",
        "SELECT 'lot ' || hex(l.id) FROM lot l LEFT JOIN member m ON m.id = l.member \
         WHERE l.remaining > 0 AND l.expires_at < 9223372036854775807 \
         AND NOT EXISTS (SELECT 1 FROM json_each(m.timers) t WHERE t.value ->> 0 = 2 AND t.value ->> 1 = l.expires_at)",
    ),
    (
        "every member with a tier has the timer that ends its term",
        "SELECT 'member ' || hex(m.id) FROM member m WHERE m.tier IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM json_each(m.timers) t WHERE t.value ->> 0 = 1)",
    ),
    (
        "every member with timers is woken no later than the first of them",
        "SELECT 'member ' || hex(m.id) FROM member m WHERE COALESCE(m.wake, 9223372036854775807) > \
         (SELECT MIN(t.value ->> 2) FROM json_each(m.timers) t)",
    ),
    (
        "debt, what is held and what is pending are never below zero",
        "SELECT 'member ' || hex(member) || ' asset ' || asset FROM account WHERE MIN(debt, held, pending) < 0",
    ),
    (
        "every timeline leads from its last event through all of a member's events",
        "SELECT 'member ' || member || ' at event ' || seq FROM ( \
         SELECT t.member AS member, t.seq AS seq FROM timeline t LEFT JOIN timeline b ON b.seq = t.before \
         WHERE t.before IS NOT NULL AND b.member IS NOT t.member UNION ALL \
         SELECT t.member, t.seq FROM timeline t WHERE t.before IS NOT NULL GROUP BY t.before HAVING COUNT(*) > 1 UNION ALL \
         SELECT member, MIN(seq) FROM timeline WHERE before IS NULL GROUP BY member HAVING COUNT(*) > 1 UNION ALL \
         SELECT m.no, t.seq FROM timeline t JOIN member m ON m.no = t.member WHERE t.seq NOT IN \
         (SELECT before FROM timeline WHERE before IS NOT NULL) AND t.seq IS NOT m.last_event UNION ALL \
         SELECT m.no, m.last_event FROM member m WHERE m.last_event IS NOT NULL \
         AND m.last_event NOT IN (SELECT seq FROM timeline))",
    ),
    (
        "every event up to the cursor was decided or is a dead letter",
        "SELECT 'event ' || e.seq FROM event e WHERE e.derived = 0 AND e.seq <= (SELECT cursor FROM slot) \
         AND e.seq NOT IN (SELECT seq FROM timeline) AND e.seq NOT IN (SELECT seq FROM dead_letter) \
         AND e.seq NOT IN (SELECT seq FROM retry) AND e.seq NOT IN (SELECT seq FROM queue)",
    ),
    (
        "nothing is in the log twice",
        "SELECT 'event ' || hex(id) FROM event WHERE derived = 2 GROUP BY id HAVING COUNT(*) > 1",
    ),
    (
        "a refund never exceeds what was paid",
        "SELECT 'order ' || hex(id) FROM orders WHERE refunded > paid OR refunded < 0 OR paid < 0",
    ),
    (
        "a coupon is where its moves put it",
        // Moves are not looked up for each coupon: all of both are gone through once, and each coupon takes away what it stands in.
        "SELECT 'coupon ' || hex(id) FROM ( \
         SELECT id, 0 AS takes, account AS gives, 0 AS issued, 1 AS there FROM coupon UNION ALL \
         SELECT coupon, takes, gives, gives = 0, 0 FROM coupon_move) GROUP BY id HAVING SUM(there) = 1 AND ( \
         SUM((takes = 1) - (gives = 1)) <> 0 OR SUM((takes = 2) - (gives = 2)) <> 0 OR SUM((takes = 3) - (gives = 3)) <> 0 \
         OR SUM((takes = 4) - (gives = 4)) <> 0 OR SUM((takes = 5) - (gives = 5)) <> 0 OR SUM(issued) <> 1 OR SUM(there AND gives = 0) <> 0)",
    ),
    (
        "the journal cannot be changed: its guards are in place",
        "SELECT name || ' is missing' FROM (SELECT 'transfer_stays' AS name UNION SELECT 'transfer_remains' \
         UNION SELECT 'allocation_stays' UNION SELECT 'allocation_remains' UNION SELECT 'coupon_move_stays' \
         UNION SELECT 'coupon_move_remains' UNION SELECT 'coupon_code_stays' UNION SELECT 'coupon_code_remains' \
         UNION SELECT 'run_move_stays' UNION SELECT 'run_move_remains') \
         WHERE name NOT IN (SELECT name FROM sqlite_master WHERE type = 'trigger')",
    ),
    (
        "every short link leads somewhere, by a code of its own",
        "SELECT 'link ' || code FROM link WHERE (page = '') = (target = '') OR length(code) <> 12 OR clicks < 0 OR scans < 0",
    ),
    (
        "short links are of members who are there",
        "SELECT 'link ' || code FROM link l WHERE (member NOTNULL AND NOT EXISTS (SELECT 1 FROM member m WHERE m.id = l.member)) \
         OR (sharer NOTNULL AND NOT EXISTS (SELECT 1 FROM member m WHERE m.id = l.sharer))",
    ),
    (
        "the audit log cannot be changed: its guards are in place",
        "SELECT name || ' is missing' FROM (SELECT 'audit_stays' AS name UNION SELECT 'audit_remains') \
         WHERE name NOT IN (SELECT name FROM sqlite_master WHERE type = 'trigger')",
    ),
];

/// What must be true of a sealed home besides. Sealed values begin with 2, erased ones are 3.
pub(crate) const SEALED: [(&str, &str); 10] = [
    (
        "every identifier is sealed",
        "SELECT 'identifier ' || hex(hash) FROM identifier WHERE substr(value, 1, 1) <> x'02'",
    ),
    (
        "the name of every one of the staff is sealed",
        "SELECT 'staff ' || place || '/' || code FROM staff WHERE substr(name, 1, 1) <> x'02'",
    ),
    (
        "every code of a partner is sealed",
        "SELECT 'code ' || place || ' of upload ' || upload FROM partner_code WHERE substr(code, 1, 1) <> x'02'",
    ),
    (
        "what is personal of a member is sealed, or erased",
        "SELECT 'member ' || hex(id) FROM member WHERE touches <> '{}' OR told_at <> '{}' OR personal NOTNULL OR attributes <> x'03' \
         AND (substr(attributes, 1, 1) <> x'02' OR substr(leaves, 1, 1) <> x'02')",
    ),
    (
        "every event's body is sealed, archived or erased, and its id hashed",
        "SELECT 'event ' || seq FROM event WHERE message_id NOT LIKE '~%' OR length(message_id) <> 33 \
         OR (body <> x'03' AND length(body) > 0 AND substr(body, 1, 1) <> x'02') OR substr(called, 1, 1) <> x'02'",
    ),
    (
        "what was bought at a checkout is sealed, or erased",
        "SELECT 'checkout ' || hex(id) FROM checkout WHERE body <> x'03' AND substr(body, 1, 1) <> x'02'",
    ),
    (
        "what was said to members is sealed, or erased",
        "SELECT 'message ' || hex(id) FROM outbox WHERE body <> x'03' AND substr(body, 1, 1) <> x'02'",
    ),
    (
        "what came from platforms is sealed, or erased",
        "SELECT 'arrival ' || hex(id) FROM arrival WHERE body <> x'03' AND substr(body, 1, 1) <> x'02'",
    ),
    (
        "what platforms showed is sealed, or erased",
        "SELECT 'reflection ' || hex(id) FROM reflection WHERE body <> x'03' AND substr(body, 1, 1) <> x'02'",
    ),
    (
        "why an item could not be decided is sealed, or erased",
        "SELECT 'dead letter ' || seq FROM dead_letter WHERE field <> '' OR message NOT LIKE '~%' AND message <> '(erased)'",
    ),
];

pub(crate) fn doctor(c: &Connection, vault: &Vault) -> Result<Vec<Check>> {
    let mut checks = Vec::with_capacity(INVARIANTS.len() + SEALED.len() + 2);
    let of_sealed = SEALED.into_iter().filter(|_| vault.is_sealed());
    for (invariant, sql) in INVARIANTS.into_iter().chain(of_sealed) {
        let broken = all(c, &format!("{sql}{SHOWN}"), [], |row| row.get(0))?;
        checks.push(Check { invariant: invariant.to_owned(), broken });
    }
    checks.extend(crate::closing::doctor(c, vault)?);
    let broken = crate::access::chain(c, vault)?;
    checks.push(Check { invariant: "the audit log is one chain from its first line".to_owned(), broken });
    checks.push(Check {
        invariant: "every place and all staff stand under a place that holds them".to_owned(),
        broken: zhiyin_store::places::broken(&crate::places::whole(c, vault)?),
    });
    checks.push(Check {
        invariant: "members hold the coupons that are theirs and open".to_owned(),
        broken: crate::coupons::holders(c)?,
    });
    checks.push(Check {
        invariant: "what is taken of an offer's pieces is what its moves took".to_owned(),
        broken: crate::coupons::offer_pools(c)?,
    });
    checks.push(Check {
        invariant: "every code of a partner is there and was handed out once".to_owned(),
        broken: crate::coupons::codes::handed_out(c)?,
    });
    let integrity: String =
        c.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(database)?;
    let broken = if integrity == "ok" { Vec::new() } else { vec![integrity] };
    checks.push(Check { invariant: "the file is whole".to_owned(), broken });
    Ok(checks)
}
