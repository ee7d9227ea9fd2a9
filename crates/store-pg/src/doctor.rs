//! The doctor: every invariant of a home as a query that finds what breaks it. What one shard can judge is one statement,
//! run in each; what spans shards is judged in [`across`].

mod across;

use std::sync::Arc;

use zhiyin_store::Result;
use zhiyin_store::read::Check;
use zhiyin_store::seal::vault::Vault;

pub(crate) use across::*;

use crate::access;
use crate::report::side;
use crate::rows::get;
use crate::survey::Survey;

/// How many breaches of one invariant are shown.
const SHOWN: usize = 5;

/// An id as 32 hexadecimal digits.
macro_rules! hex {
    ($column:literal) => {
        concat!("upper(encode(uuid_send(", $column, "), 'hex'))")
    };
}

pub(crate) const BALANCES: &str = concat!(
    "SELECT 'member ' || ",
    hex!("member"),
    " || ' asset ' || asset || ' is off by ' || SUM(amount) FROM ( \
     SELECT member, asset, active + pending - debt AS amount FROM {shard}.account UNION ALL \
     SELECT member, asset, -(",
    side!(),
    ") FROM {shard}.transfer) b GROUP BY member, asset HAVING SUM(amount) <> 0 LIMIT 5"
);
pub(crate) const POINTS: &str = concat!(
    "SELECT 'member ' || ",
    hex!("member"),
    " || ' is off by ' || SUM(active) || ' active, ' || SUM(pending) || ' pending' FROM ( \
     SELECT member, active, pending FROM {shard}.account WHERE asset = 0 UNION ALL \
     SELECT member, CASE WHEN active THEN -remaining ELSE 0 END, CASE WHEN active THEN 0 ELSE -remaining END \
     FROM {shard}.lot WHERE remaining > 0) p GROUP BY member HAVING SUM(active) <> 0 OR SUM(pending) <> 0 LIMIT 5"
);
pub(crate) const LOTS: &str = concat!(
    "SELECT 'lot ' || ",
    hex!("l.id"),
    " || ' has ' || l.remaining || ' left, not ' || l.granted - COALESCE(a.taken, 0) FROM {shard}.lot l \
     LEFT JOIN (SELECT lot, SUM(amount) AS taken FROM {allocations} WHERE lot IS NOT NULL GROUP BY lot) a \
     ON a.lot = l.id WHERE l.remaining <> l.granted - COALESCE(a.taken, 0) LIMIT 5"
);
pub(crate) const DEBT: &str = concat!(
    "SELECT 'member ' || ",
    hex!("member"),
    " || ' is off by ' || SUM(debt) FROM ( \
     SELECT member, debt FROM {shard}.account WHERE asset = 0 UNION ALL SELECT t.member, -a.amount \
     FROM {shard}.allocation a JOIN (SELECT DISTINCT id, member FROM {shard}.transfer WHERE asset = 0) t \
     ON t.id = a.transfer WHERE a.lot IS NULL) d GROUP BY member HAVING SUM(debt) <> 0 LIMIT 5"
);
pub(crate) const HOLDS: &str = concat!(
    "SELECT 'member ' || ",
    hex!("member"),
    " || ' is off by ' || SUM(held) FROM ( \
     SELECT member, held FROM {shard}.account WHERE asset = 0 UNION ALL \
     SELECT member, -amount FROM {shard}.hold WHERE open) h GROUP BY member HAVING SUM(held) <> 0 LIMIT 5"
);
pub(crate) const GROWTH: &str = concat!(
    "SELECT 'member ' || ",
    hex!("member"),
    " || ' is off by ' || SUM(growth) FROM ( \
     SELECT member, active AS growth FROM {shard}.account WHERE asset = 1 UNION ALL \
     SELECT member, -(terms::jsonb ->> 'growth_kept')::bigint FROM {shard}.orders) g \
     GROUP BY member HAVING SUM(growth) <> 0 LIMIT 5"
);
pub(crate) const LOT_TIMERS: &str = concat!(
    "SELECT 'lot ' || ",
    hex!("l.id"),
    " FROM {shard}.lot l WHERE l.remaining > 0 AND l.expires_at < 9223372036854775807 AND NOT EXISTS ( \
     SELECT 1 FROM {shard}.timer t WHERE t.member = l.member AND t.kind = 2 AND t.which = l.expires_at) LIMIT 5"
);
pub(crate) const TIER_TIMERS: &str = concat!(
    "SELECT 'member ' || ",
    hex!("m.id"),
    " FROM {shard}.member m WHERE m.tier IS NOT NULL \
     AND NOT EXISTS (SELECT 1 FROM {shard}.timer t WHERE t.member = m.id AND t.kind = 1) LIMIT 5"
);
pub(crate) const WAKES: &str = concat!(
    "SELECT 'member ' || ",
    hex!("m.id"),
    " FROM {shard}.member m JOIN (SELECT member, MIN(due) AS due FROM {shard}.timer GROUP BY member) t \
     ON t.member = m.id WHERE COALESCE(m.wake, 9223372036854775807) > t.due LIMIT 5"
);
pub(crate) const BELOW_ZERO: &str = concat!(
    "SELECT 'member ' || ",
    hex!("member"),
    " || ' asset ' || asset FROM {shard}.account WHERE LEAST(debt, held, pending) < 0 LIMIT 5"
);
pub(crate) const TIMELINES: &str = concat!(
    "SELECT 'member ' || ",
    hex!("member"),
    " || ' at event ' || seq FROM ( \
     SELECT t.member AS member, t.seq AS seq FROM {shard}.timeline t LEFT JOIN {shard}.timeline b ON b.seq = t.before \
     WHERE t.before IS NOT NULL AND b.member IS DISTINCT FROM t.member UNION ALL \
     SELECT t.member, t.seq FROM {shard}.timeline t JOIN (SELECT before FROM {shard}.timeline \
     WHERE before IS NOT NULL GROUP BY before HAVING COUNT(*) > 1) b ON b.before = t.before UNION ALL \
     SELECT member, MIN(seq) FROM {shard}.timeline WHERE before IS NULL GROUP BY member HAVING COUNT(*) > 1 UNION ALL \
     SELECT t.member, t.seq FROM {shard}.timeline t JOIN {shard}.member m ON m.id = t.member \
     LEFT JOIN {shard}.timeline n ON n.before = t.seq WHERE n.seq IS NULL AND t.seq IS DISTINCT FROM m.last_event \
     UNION ALL SELECT m.id, m.last_event FROM {shard}.member m WHERE m.last_event IS NOT NULL \
     AND NOT EXISTS (SELECT 1 FROM {shard}.timeline t WHERE t.seq = m.last_event)) broken LIMIT 5"
);
/// What was derived has places from 2^62 on, and is no item.
pub(crate) const UNDECIDED: &str = "SELECT 'event ' || e.seq FROM {shard}.event e JOIN {home}.slot s ON s.slot = e.slot \
     WHERE e.derived = 0 AND e.seq <= s.cursor AND e.seq < 4611686018427387904 \
     AND NOT EXISTS (SELECT 1 FROM {timelines} t WHERE t.seq = e.seq) \
     AND NOT EXISTS (SELECT 1 FROM {shard}.dead_letter d WHERE d.seq = e.seq) \
     AND NOT EXISTS (SELECT 1 FROM {shard}.retry r WHERE r.seq = e.seq) \
     AND NOT EXISTS (SELECT 1 FROM {shard}.queue q WHERE q.seq = e.seq) LIMIT 5";
pub(crate) const TWICE: &str = concat!(
    "SELECT 'event ' || ",
    hex!("id"),
    " FROM {shard}.event WHERE derived = 2 GROUP BY id HAVING COUNT(*) > 1 LIMIT 5"
);
pub(crate) const REFUNDS: &str = concat!(
    "SELECT 'order ' || ",
    hex!("id"),
    " FROM {shard}.orders WHERE refunded > paid OR refunded < 0 OR paid < 0 LIMIT 5"
);
/// 58: before a statement that updates, deletes or truncates; O and A: it fires.
pub(crate) const GUARDS: &str = "SELECT g.name || ' is missing in {shard}' \
     FROM (VALUES ('transfer_stays', 'transfer'), ('allocation_stays', 'allocation'), \
     ('coupon_move_stays', 'coupon_move'), ('run_move_stays', 'run_move')) g (name, journal) \
     WHERE NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgname = g.name AND t.tgenabled IN ('O', 'A') \
     AND t.tgtype = 58 AND t.tgrelid = to_regclass('{shard}.' || g.journal))";
/// Rows of a member beside their own.
pub(crate) const STRANGERS: &str = concat!(
    "SELECT what || ' of member ' || ",
    hex!("member"),
    " FROM ( \
     SELECT 'an event' AS what, member FROM {shard}.timeline UNION ALL SELECT 'an order', member FROM {shard}.orders \
     UNION ALL SELECT 'a transfer', member FROM {shard}.transfer UNION ALL SELECT 'a lot', member FROM {shard}.lot \
     UNION ALL SELECT 'an allocation', member FROM {shard}.allocation UNION ALL SELECT 'a hold', member FROM {shard}.hold \
     UNION ALL SELECT 'a term', member FROM {shard}.term UNION ALL SELECT 'a stage', member FROM {shard}.stage_move \
     UNION ALL SELECT 'a tag', member FROM {shard}.tag_move \
     UNION ALL SELECT 'what passed with a partner', member FROM {shard}.partner_move \
     UNION ALL SELECT 'a move of a run', member FROM {shard}.run_move) r \
     WHERE NOT EXISTS (SELECT 1 FROM {shard}.member m WHERE m.id = r.member) \
     AND NOT EXISTS (SELECT 1 FROM {home}.alias a WHERE a.member = r.member) LIMIT 5"
);
/// A member's orders are found through their timeline.
pub(crate) const ORDER_EVENTS: &str = concat!(
    "SELECT 'order ' || ",
    hex!("o.id"),
    " || ' at event ' || o.no FROM {shard}.orders o \
     WHERE NOT EXISTS (SELECT 1 FROM {shard}.timeline t WHERE t.seq = o.no AND t.member = o.member) LIMIT 5"
);
/// What waits beside the inbox bears the share of its event.
pub(crate) const UNLOGGED: &str = "SELECT what || ' names event ' || seq FROM ( \
     SELECT 'a timeline' AS what, t.seq AS seq FROM {shard}.timeline t \
     WHERE NOT EXISTS (SELECT 1 FROM {events} e WHERE e.seq = t.seq) UNION ALL \
     SELECT 'a row of the queue', q.seq FROM {shard}.queue q LEFT JOIN {shard}.event e ON e.seq = q.seq \
     WHERE e.slot IS DISTINCT FROM q.slot UNION ALL \
     SELECT 'a dead letter put back', r.seq FROM {shard}.retry r LEFT JOIN {shard}.event e ON e.seq = r.seq \
     WHERE e.slot IS DISTINCT FROM r.slot UNION ALL \
     SELECT 'a dead letter', d.seq FROM {shard}.dead_letter d \
     WHERE NOT EXISTS (SELECT 1 FROM {shard}.event e WHERE e.seq = d.seq)) u LIMIT 5";
/// The body of an event is never empty, but where its month was moved to a file. The lower 62 bits of a place say the month.
pub(crate) const BODILESS: &str = "SELECT 'event ' || e.seq FROM {shard}.event e WHERE octet_length(e.body) = 0 \
     AND NOT EXISTS (SELECT 1 FROM {home}.archive a WHERE a.month = (e.seq & 4611686018427387903) >> 36) LIMIT 5";

/// A coupon lies with its moves, in the shard of its own hash.
pub(crate) const COUPON_ACCOUNTS: &str = concat!(
    "SELECT 'coupon ' || ",
    hex!("c.id"),
    " FROM {shard}.coupon c LEFT JOIN {shard}.coupon_move m ON m.coupon = c.id GROUP BY c.id, c.account \
     HAVING COALESCE(SUM((m.takes = c.account)::integer - (m.gives = c.account)::integer), 0) <> 1 \
     OR SUM((m.gives = 0)::integer) <> 1 OR SUM((m.takes <> c.account AND m.takes <> 0)::integer) \
     <> SUM((m.gives <> 0 AND m.gives <> c.account)::integer) LIMIT 5"
);

/// (what must be true, a query over one shard whose rows are what breaks it, as one text each)
const INVARIANTS: [(&str, &str); 22] = [
    (
        "what leaves the home says something, and what is said outside of it leaves",
        crate::campaigns::SEND_ASTRAY,
    ),
    ("a member's balance is the sum of their transfers", BALANCES),
    ("points are what their lots have left, active and pending each, less debt", POINTS),
    ("a lot has left what its allocations did not take", LOTS),
    ("debt is what allocations left to it", DEBT),
    ("what is held is what open holds promise", HOLDS),
    ("growth is what orders keep of it", GROWTH),
    ("every open lot that expires has its timer", LOT_TIMERS),
    ("every member with a tier has the timer that ends its term", TIER_TIMERS),
    ("every member with timers is woken no later than the first of them", WAKES),
    ("debt, what is held and what is pending are never below zero", BELOW_ZERO),
    ("every timeline leads from its last event through all of a member's events", TIMELINES),
    ("every event up to the cursor was decided or is a dead letter", UNDECIDED),
    ("nothing is in the log twice", TWICE),
    ("a refund never exceeds what was paid", REFUNDS),
    ("the journal cannot be changed: its guards are in place", GUARDS),
    ("a coupon is where its moves put it", COUPON_ACCOUNTS),
    ("every order stands at an event of its member", ORDER_EVENTS),
    ("whatever is kept of a member is kept where the member is", STRANGERS),
    ("whatever was decided or waits is in the log", UNLOGGED),
    ("every event has its body, in the log or in the archive", BODILESS),
    ("every short link leads somewhere, by a code of its own", crate::links::SENSELESS),
];

/// What must be true of a sealed home besides. Sealed values begin with 2, erased ones are 3.
pub(crate) const UNSEALED_NAMES: &str = concat!(
    "SELECT 'identifier ' || ",
    hex!("hash"),
    " FROM {shard}.identifier WHERE get_byte(value, 0) <> 2 LIMIT 5"
);
pub(crate) const UNSEALED_STAFF: &str =
    "SELECT 'staff ' || place || '/' || code FROM {home}.staff WHERE get_byte(name, 0) <> 2 LIMIT 5";
pub(crate) const UNSEALED_MEMBERS: &str = concat!(
    "SELECT 'member ' || ",
    hex!("id"),
    " FROM {shard}.member WHERE touches <> '{}' OR told_at <> '{}' OR personal IS NOT NULL OR attributes <> '\\x03'::bytea \
     AND (substr(attributes, 1, 1) <> '\\x02'::bytea OR substr(leaves, 1, 1) <> '\\x02'::bytea) LIMIT 5"
);
pub(crate) const UNSEALED_EVENTS: &str = "SELECT 'event ' || seq FROM {shard}.event \
    WHERE message_id NOT LIKE '~%' OR length(message_id) <> 33 OR (length(body) > 0 AND get_byte(body, 0) <> 2 \
    AND body <> '\\x03'::bytea) OR get_byte(called, 0) <> 2 LIMIT 5";
pub(crate) const UNSEALED_LETTERS: &str = "SELECT 'dead letter ' || seq FROM {shard}.dead_letter \
    WHERE field <> '' OR message NOT LIKE '~%' AND message <> '(erased)' LIMIT 5";
const SEALED: [(&str, &str); 8] = [
    ("every identifier is sealed", UNSEALED_NAMES),
    ("what is personal of a member is sealed, or erased", UNSEALED_MEMBERS),
    ("every event's body is sealed, archived or erased, and its id hashed", UNSEALED_EVENTS),
    ("why an item could not be decided is sealed, or erased", UNSEALED_LETTERS),
    ("what was bought at a checkout is sealed, or erased", crate::checkouts::UNSEALED),
    ("what was said to members is sealed, or erased", crate::campaigns::UNSEALED),
    ("what came from platforms is sealed, or erased", crate::campaigns::ARRIVALS_UNSEALED),
    ("what platforms showed is sealed, or erased", crate::campaigns::REFLECTIONS_UNSEALED),
];

/// Breaches of one invariant, as many as are shown.
#[derive(Debug, Default)]
pub(crate) struct Broken(Vec<String>);

impl Broken {
    /// Whether no more would be shown.
    fn enough(&self) -> bool {
        self.0.len() >= SHOWN
    }

    pub(crate) fn say(&mut self, what: impl Into<String>) {
        if !self.enough() {
            self.0.push(what.into());
        }
    }

    pub(crate) fn check(self, invariant: &str) -> Check {
        Check { invariant: invariant.to_owned(), broken: self.0 }
    }
}

pub(crate) async fn doctor(survey: &Survey<'_>, vault: &Arc<Vault>) -> Result<Vec<Check>> {
    let mut checks = vec![zero(survey).await?];
    let of_sealed = SEALED.into_iter().filter(|_| vault.is_sealed());
    for (invariant, sql) in INVARIANTS.into_iter().chain(of_sealed) {
        let mut broken = Broken::default();
        survey.each(sql, &[], |row| get(row, 0).map(|what: String| broken.say(what))).await?;
        checks.push(broken.check(invariant));
    }
    if vault.is_sealed() {
        let mut broken = Broken::default();
        for row in survey.home(UNSEALED_STAFF, &[]).await? {
            broken.say(get::<String>(&row, 0)?);
        }
        checks.push(broken.check("the name of every one of the staff is sealed"));
        let mut broken = Broken::default();
        for row in survey.home(crate::coupons::UNSEALED_CODES, &[]).await? {
            broken.say(get::<String>(&row, 0)?);
        }
        checks.push(broken.check("every code of a partner is sealed"));
    }
    checks.push(shares(survey).await?);
    let (placed, members) = placed(survey).await?;
    checks.push(placed);
    checks.push(identifiers(survey, &members).await?);
    checks.push(crate::links::named(survey, &members).await?);
    checks.push(orders(survey).await?);
    checks.push(messages(survey).await?);
    checks.push(Check {
        invariant: "what is taken of an offer's pieces is what its moves took".to_owned(),
        broken: crate::coupons::stocks(survey).await?,
    });
    checks.push(Check {
        invariant: "members hold the coupons that are theirs and open".to_owned(),
        broken: crate::coupons::holders(survey).await?,
    });
    checks.push(Check {
        invariant: "every code of a partner is there and was handed out once".to_owned(),
        broken: crate::coupons::codes::handed_out(survey).await?,
    });
    checks.extend(crate::closing::doctor(survey, vault).await?);
    checks.extend(audit(survey, vault).await?);
    checks.push(Check {
        invariant: "every place and all staff stand under a place that holds them".to_owned(),
        broken: zhiyin_store::places::broken(&crate::places::whole(survey, vault).await?),
    });
    Ok(checks)
}

async fn audit(survey: &Survey<'_>, vault: &Vault) -> Result<[Check; 2]> {
    let (mut guards, mut broken) = (Broken::default(), Broken::default());
    for row in survey.home(access::AUDIT_GUARD, &[]).await? {
        guards.say(get::<String>(&row, 0)?);
    }
    if let Some(line) = access::chain(survey, vault).await? {
        broken.say(line);
    }
    let guards = guards.check("the audit log cannot be changed: its guards are in place");
    Ok([guards, broken.check("the audit log is one chain from its first line")])
}
