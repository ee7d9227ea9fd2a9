//! Reports: what was true at an instant, from the journal and the histories, never from what is true now.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use zhiyin_model::effect::TransferKind;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::Result;
use zhiyin_store::read::{AsOf, DeadLetter, LedgerLine, MemberLine, MemberWhole, TransferLine};
use zhiyin_store::seal::vault::Vault;

use crate::load::{self, timeline};
use crate::rows::{self, all, damaged, database, id};
use crate::{names, reading};

/// What a kind of transfer does to a member's balance.
macro_rules! side {
    () => {
        "CASE kind WHEN 0 THEN amount WHEN 1 THEN -amount WHEN 2 THEN -amount WHEN 3 THEN amount \
         WHEN 4 THEN -amount WHEN 5 THEN amount WHEN 6 THEN -amount \
         WHEN 9 THEN -amount WHEN 10 THEN amount WHEN 11 THEN amount ELSE 0 END"
    };
}
pub(crate) use side;

pub(crate) const IDENTIFIERS: &str = "SELECT member, namespace, value FROM identifier";
pub(crate) const NAMESPACES: &str = "SELECT DISTINCT namespace FROM identifier ORDER BY namespace";
pub(crate) const KNOWN: &str = "SELECT id FROM member WHERE known_since <= ?";
/// Orders up to an instant as they stood then, if they changed at all, and whether they counted.
macro_rules! orders_then {
    () => {
        "SELECT o.member AS member, o.time AS time, o.store AS store, COALESCE(c.paid, o.paid) AS paid, \
         COALESCE(c.refunded, o.refunded) AS refunded, \
         COALESCE(c.counts, o.status = 1 AND (o.refunded = 0 OR o.refunded < o.paid)) AS counts \
         FROM orders o LEFT JOIN order_change c ON c.order_id = o.id AND c.at = ( \
         SELECT MAX(at) FROM order_change WHERE order_id = o.id AND at <= ?1) WHERE o.time <= ?1"
    };
}
pub(crate) use orders_then;

/// Orders that counted at an instant.
pub(crate) const ORDERS: &str = concat!(
    "SELECT member, COUNT(*), SUM(paid - refunded) FROM (",
    orders_then!(),
    ") WHERE counts GROUP BY member"
);
/// Transfers under who their members are now: what was booked before a merge stays under whom it was booked for.
macro_rules! transfers_now {
    () => {
        " FROM transfer t LEFT JOIN alias a ON a.member = t.member WHERE "
    };
}
pub(crate) const POINTS: &str = concat!(
    "SELECT COALESCE(a.root, t.member), SUM(",
    side!(),
    ")",
    transfers_now!(),
    "asset = 0 AND at <= ? GROUP BY 1"
);
/// What of the lots that were not active yet was left.
pub(crate) const PENDING: &str = "WITH pending AS MATERIALIZED (SELECT l.id AS id, l.member AS member, \
    l.granted AS granted FROM lot l JOIN transfer e ON e.id = l.id WHERE l.active_at > ?1 AND e.at <= ?1), \
    taken AS (SELECT a.lot AS lot, SUM(a.amount) AS amount FROM allocation a JOIN transfer t ON t.id = a.transfer \
    WHERE a.lot IN (SELECT id FROM pending) AND t.at <= ?1 GROUP BY a.lot) \
    SELECT p.member, SUM(p.granted - COALESCE(k.amount, 0)) FROM pending p LEFT JOIN taken k ON k.lot = p.id \
    GROUP BY p.member";
pub(crate) const HELD: &str = concat!(
    "SELECT COALESCE(a.root, t.member), SUM(t.amount)",
    transfers_now!(),
    "t.kind = 7 AND t.at <= ?1 AND NOT EXISTS (SELECT 1 FROM transfer r WHERE r.reverses = t.id AND r.at <= ?1) GROUP BY 1"
);
pub(crate) const GROWTH: &str = concat!(
    "SELECT COALESCE(a.root, t.member), SUM(",
    side!(),
    ")",
    transfers_now!(),
    "asset = 1 AND at <= ?1 AND day BETWEEN ?2 AND ?3 GROUP BY 1"
);
pub(crate) const TIERS: &str = "SELECT member, level FROM term WHERE at <= ? ORDER BY at, no";
pub(crate) const STAGES: &str = "SELECT member, becomes FROM stage_move WHERE at <= ? ORDER BY at, no";
pub(crate) const LEDGER: &str = "SELECT asset, kind, COUNT(*), SUM(amount) FROM transfer WHERE at <= ? \
    GROUP BY asset, kind ORDER BY asset, kind";
pub(crate) const DEAD: &str = "SELECT d.seq, s.name, COALESCE(e.called, e.message_id), e.name, e.time, d.code, d.field, d.message, d.at \
    FROM dead_letter d JOIN event e ON e.seq = d.seq JOIN source s ON s.no = e.source ORDER BY d.seq DESC LIMIT ?";
pub(crate) const IDENTIFIERS_OF: &str = "SELECT namespace, value FROM identifier WHERE substr(member, 1, 3) = substr(?1, 1, 3) AND member = ?1 ORDER BY namespace, hash";
pub(crate) const ORDERS_SUM_OF: &str = concat!(
    timeline!(),
    "SELECT COUNT(*), COALESCE(SUM(o.paid - o.refunded), 0) FROM t CROSS JOIN orders o ON o.no = t.seq \
     WHERE o.member = ?1 AND o.status = 1 AND (o.refunded = 0 OR o.refunded < o.paid)"
);
pub(crate) const LOTS_OF: &str = "SELECT remaining, granted, active_at, expires_at FROM lot \
    WHERE member = ? AND remaining > 0 ORDER BY expires_at, active_at LIMIT 1000";
pub(crate) const STAGES_OF: &str =
    "SELECT was, becomes, at FROM stage_move WHERE member = ? ORDER BY at, no LIMIT 1000";
pub(crate) const TIMELINE_OF: &str = concat!(
    timeline!(),
    "SELECT e.time, e.name, s.name FROM t CROSS JOIN event e ON e.seq = t.seq CROSS JOIN source s ON s.no = e.source \
     ORDER BY e.time DESC, e.seq DESC LIMIT 20"
);
pub(crate) const TRANSFERS_OF: &str = concat!(
    timeline!(),
    "SELECT x.at, x.asset, x.kind, x.amount, x.id FROM t CROSS JOIN transfer x ON x.event = t.seq \
     CROSS JOIN event e ON e.seq = t.seq WHERE x.member = ?1 ORDER BY e.time DESC, e.seq DESC, x.seq DESC LIMIT ?2"
);

pub(crate) fn member_lines(c: &Connection, vault: &Vault, as_of: AsOf) -> Result<Vec<MemberLine>> {
    let at = as_of.at.0;
    let mut lines: BTreeMap<MemberId, MemberLine> =
        all(c, KNOWN, [at], |row| id(row, 0))?.into_iter().map(|member| (member, empty(member))).collect();
    for (member, orders, paid) in all(c, ORDERS, [at], |row| Ok((id(row, 0)?, row.get(1)?, row.get(2)?)))? {
        if let Some(line) = lines.get_mut(&member) {
            (line.orders, line.paid) = (orders, paid);
        }
    }
    self::lines(c, vault, as_of, lines)
}

/// Fills in all but the orders of these members.
pub(crate) fn lines(
    c: &Connection,
    vault: &Vault,
    as_of: AsOf,
    mut lines: BTreeMap<MemberId, MemberLine>,
) -> Result<Vec<MemberLine>> {
    let _all = vault.hold_all()?;
    let at = as_of.at.0;
    for (member, namespace, value) in all(c, IDENTIFIERS, [], |row| {
        let value = vault.identifier(row.get_ref(2)?.as_blob()?).map_err(rows::unopened)?;
        Ok((id(row, 0)?, row.get::<_, String>(1)?, value))
    })? {
        if let Some(line) = lines.get_mut(&member) {
            line.identifiers.push((namespace, value));
        }
    }
    let mut sums = |sql: &str, take: &mut dyn FnMut(&mut MemberLine, i64)| -> Result<()> {
        for (member, sum) in all(c, sql, [at], |row| Ok((id(row, 0)?, row.get(1)?)))? {
            if let Some(line) = lines.get_mut(&member) {
                take(line, sum);
            }
        }
        Ok(())
    };
    sums(POINTS, &mut |line, sum| line.points = sum)?;
    sums(PENDING, &mut |line, sum| line.points -= sum)?;
    sums(HELD, &mut |line, sum| line.points -= sum)?;
    let since = as_of.day.plus(-as_of.over_days);
    for (member, growth) in
        all(c, GROWTH, params![at, since.0, as_of.day.0], |row| Ok((id(row, 0)?, row.get(1)?)))?
    {
        if let Some(line) = lines.get_mut(&member) {
            line.growth = growth;
        }
    }
    for (member, level) in all(c, TIERS, [at], |row| Ok((id(row, 0)?, row.get(1)?)))? {
        if let Some(line) = lines.get_mut(&member) {
            line.tier = Some(level);
        }
    }
    for (member, stage) in all(c, STAGES, [at], |row| Ok((id(row, 0)?, row.get(1)?)))? {
        if let Some(line) = lines.get_mut(&member) {
            line.stage = Some(stage);
        }
    }
    Ok(lines
        .into_values()
        .map(|mut line| {
            line.points = line.points.max(0);
            line.identifiers.sort();
            line
        })
        .collect())
}

pub(crate) fn empty(member: MemberId) -> MemberLine {
    MemberLine {
        member,
        identifiers: Vec::new(),
        orders: 0,
        paid: 0,
        points: 0,
        growth: 0,
        tier: None,
        stage: None,
    }
}

/// How many of the latest are shown.
pub(crate) const LATEST: i64 = 20;

pub(crate) fn ledger_lines(c: &Connection, as_of: AsOf) -> Result<Vec<LedgerLine>> {
    all(c, LEDGER, [as_of.at.0], ledger_line)
}

pub(crate) fn ledger_line(row: &rusqlite::Row<'_>) -> rusqlite::Result<LedgerLine> {
    let (asset, kind) = (rows::asset(row, 0)?, kind(row, 1)?);
    Ok(LedgerLine { asset, kind, transfers: row.get(2)?, amount: row.get(3)? })
}

pub(crate) fn kind(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<TransferKind> {
    TransferKind::from_code(row.get(column)?).ok_or_else(|| damaged(column, "no kind of transfer"))
}

pub(crate) fn dead_letters(c: &Connection, vault: &Vault, limit: usize) -> Result<Vec<DeadLetter>> {
    all(c, DEAD, [limit as i64], |row| reading::letter(row, vault))
}

/// One member; of what grows with history the latest, at most so many.
pub(crate) fn member_whole(
    c: &Connection,
    vault: &Vault,
    member: MemberId,
    at_most: i64,
) -> Result<Option<MemberWhole>> {
    let Some(stored) = load::member(c, vault, member)? else { return Ok(None) };
    let key = member.bytes().as_slice();
    Ok(Some(MemberWhole {
        member: stored.member,
        identifiers: all(c, IDENTIFIERS_OF, [key], |row| {
            let value = vault.identifier(row.get_ref(1)?.as_blob()?).map_err(rows::unopened)?;
            Ok((row.get(0)?, value))
        })?,
        orders: c.query_row(ORDERS_SUM_OF, [key], |row| Ok((row.get(0)?, row.get(1)?))).map_err(database)?,
        lots: all(c, LOTS_OF, [key], |row| Ok((row.get(0)?, row.get(1)?, Ts(row.get(2)?), Ts(row.get(3)?))))?,
        terms: all(c, load::TERMS, [key], |row| Ok((row.get(0)?, Ts(row.get(1)?), Day(row.get(2)?))))?,
        stages: all(c, STAGES_OF, [key], |row| Ok((row.get(0)?, row.get(1)?, Ts(row.get(2)?))))?,
        timeline: all(c, TIMELINE_OF, [key], |row| Ok((Ts(row.get(0)?), row.get(1)?, row.get(2)?)))?,
        given_up: names::given_up_of(c, key)?,
        transfers: all(c, TRANSFERS_OF, params![key, at_most], |row| {
            Ok(TransferLine {
                id: id(row, 4)?,
                at: Ts(row.get(0)?),
                asset: rows::asset(row, 1)?,
                kind: kind(row, 2)?,
                amount: row.get(3)?,
            })
        })?,
    }))
}
