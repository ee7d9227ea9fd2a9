//! Reports: what was true at an instant, from the journal and the histories, never from what is true now. Each statement
//! looks at one shard; what the shards say is put together here.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_postgres::Row;
use zhiyin_model::effect::{Asset, TransferKind};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::Result;
use zhiyin_store::read::{AsOf, DeadLetter, LedgerLine, MemberLine, MemberWhole, TransferLine};
use zhiyin_store::seal::LookupHash;
use zhiyin_store::seal::vault::Vault;

use crate::load::{self, member_columns, timeline};
use crate::rows::{Uuid, damaged, database, get, id};
use crate::survey::{Given, Survey};
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

pub(crate) const IDENTIFIERS: &str = "SELECT member, namespace, value FROM {shard}.identifier";
pub(crate) const NAMESPACES: &str = "SELECT DISTINCT namespace FROM {shard}.identifier";
pub(crate) const KNOWN: &str = "SELECT id FROM {shard}.member WHERE known_since <= $1";
/// Orders up to an instant as they stood then, if they changed at all, and whether they counted.
macro_rules! orders_then {
    () => {
        "SELECT o.member AS member, o.time AS time, o.store AS store, COALESCE(c.paid, o.paid) AS paid, \
         COALESCE(c.refunded, o.refunded) AS refunded, \
         COALESCE(c.counts, o.status = 1 AND (o.refunded = 0 OR o.refunded < o.paid)) AS counts \
         FROM {shard}.orders o LEFT JOIN (SELECT DISTINCT ON (order_id) order_id, paid, refunded, counts \
         FROM {shard}.order_change WHERE at <= $1 ORDER BY order_id, at DESC) c ON c.order_id = o.id \
         WHERE o.time <= $1"
    };
}
pub(crate) use orders_then;

/// Orders that counted at an instant.
pub(crate) const ORDERS: &str = concat!(
    "SELECT member, COUNT(*), SUM(paid - refunded)::bigint FROM (",
    orders_then!(),
    ") o WHERE counts GROUP BY member"
);
/// Transfers under who their members are now: what was booked before a merge stays under whom it was booked for.
macro_rules! transfers_now {
    () => {
        "::bigint FROM {shard}.transfer t LEFT JOIN {home}.alias a ON a.member = t.member WHERE "
    };
}
pub(crate) const POINTS: &str = concat!(
    "SELECT COALESCE(a.root, t.member), SUM(",
    side!(),
    ")",
    transfers_now!(),
    "asset = 0 AND at <= $1 GROUP BY 1"
);
/// What of the lots that were not active yet was left.
pub(crate) const PENDING: &str = "WITH pending AS MATERIALIZED (SELECT l.id AS id, l.member AS member, \
    l.granted AS granted FROM {shard}.lot l JOIN {shard}.transfer e ON e.id = l.id \
    WHERE l.active_at > $1 AND e.at <= $1), \
    taken AS (SELECT a.lot AS lot, SUM(a.amount) AS amount FROM {shard}.allocation a \
    JOIN {shard}.transfer t ON t.id = a.transfer \
    WHERE a.lot IN (SELECT id FROM pending) AND t.at <= $1 GROUP BY a.lot) \
    SELECT p.member, SUM(p.granted - COALESCE(k.amount, 0))::bigint FROM pending p \
    LEFT JOIN taken k ON k.lot = p.id GROUP BY p.member";
pub(crate) const HELD: &str = concat!(
    "SELECT COALESCE(a.root, t.member), SUM(t.amount)",
    transfers_now!(),
    "t.kind = 7 AND t.at <= $1 \
     AND NOT EXISTS (SELECT 1 FROM {transfers} r WHERE r.reverses = t.id AND r.at <= $1) GROUP BY 1"
);
pub(crate) const GROWTH: &str = concat!(
    "SELECT COALESCE(a.root, t.member), SUM(",
    side!(),
    ")",
    transfers_now!(),
    "asset = 1 AND at <= $1 AND day BETWEEN $2 AND $3 GROUP BY 1"
);
pub(crate) const TIERS: &str = "SELECT DISTINCT ON (member) member, level FROM {shard}.term WHERE at <= $1 ORDER BY member, at DESC, no DESC";
pub(crate) const STAGES: &str = "SELECT DISTINCT ON (member) member, becomes FROM {shard}.stage_move WHERE at <= $1 \
    ORDER BY member, at DESC, no DESC";
pub(crate) const LEDGER: &str = "SELECT asset, kind, COUNT(*), SUM(amount)::bigint FROM {shard}.transfer \
    WHERE at <= $1 GROUP BY asset, kind";
pub(crate) const DEAD: &str = "SELECT d.seq, s.name, COALESCE('~~' || encode(e.called, 'hex'), e.message_id), \
    e.name, e.time, d.code, d.field, d.message, d.at \
    FROM {shard}.dead_letter d JOIN {events} e ON e.seq = d.seq JOIN {home}.source s ON s.no = e.source \
    ORDER BY d.seq DESC LIMIT $1";
pub(crate) const MEMBER: &str =
    concat!("SELECT ", member_columns!(), " FROM {shard}.member m WHERE m.id = $1");
pub(crate) const IDENTIFIERS_OF: &str =
    "SELECT namespace, hash, value FROM {shard}.identifier WHERE member = $1";
pub(crate) const ORDERS_SUM_OF: &str = concat!(
    timeline!(),
    "SELECT COUNT(*), COALESCE(SUM(o.paid - o.refunded), 0)::bigint FROM t JOIN {shard}.orders o ON o.no = t.seq \
     WHERE o.member = $1 AND o.status = 1 AND (o.refunded = 0 OR o.refunded < o.paid)"
);
pub(crate) const LOTS_OF: &str = "SELECT remaining, granted, active_at, expires_at FROM {shard}.lot \
    WHERE member = $1 AND remaining > 0 ORDER BY expires_at, active_at LIMIT 1000";
pub(crate) const STAGES_OF: &str =
    "SELECT was, becomes, at FROM {shard}.stage_move WHERE member = $1 ORDER BY at, no LIMIT 1000";
pub(crate) const TIMELINE_OF: &str = concat!(
    timeline!(),
    "SELECT e.time, e.name, s.name FROM t JOIN {events} e ON e.seq = t.seq \
     JOIN {home}.source s ON s.no = e.source ORDER BY e.time DESC, e.seq DESC LIMIT 20"
);
pub(crate) const TRANSFERS_OF: &str = concat!(
    timeline!(),
    "SELECT x.at, x.asset, x.kind, x.amount, x.id FROM t JOIN {shard}.transfer x ON x.event = t.seq \
     JOIN {events} e ON e.seq = t.seq WHERE x.member = $1 ORDER BY e.time DESC, e.seq DESC, x.seq DESC LIMIT $2"
);

/// One line a member, by id.
struct Lines<'s> {
    survey: &'s Survey<'s>,
    lines: BTreeMap<MemberId, MemberLine>,
}

impl Lines<'_> {
    /// What each row of a statement says of the member in its first column.
    async fn each(
        &mut self,
        sql: &str,
        given: Given<'_>,
        mut take: impl FnMut(&mut MemberLine, &Row) -> Result<()>,
    ) -> Result<()> {
        let lines = &mut self.lines;
        self.survey
            .each(sql, given, |row| match lines.get_mut(&id(row, 0)?) {
                Some(line) => take(line, row),
                None => Ok(()),
            })
            .await
    }
}

pub(crate) async fn member_lines(
    survey: &Survey<'_>,
    vault: &Arc<Vault>,
    as_of: AsOf,
) -> Result<Vec<MemberLine>> {
    let at: Given<'_> = &[&as_of.at.0];
    let mut known = BTreeMap::new();
    survey
        .each(KNOWN, at, |row| {
            let member = id(row, 0)?;
            known.insert(member, empty(member));
            Ok(())
        })
        .await?;
    let mut known = Lines { survey, lines: known };
    known
        .each(ORDERS, at, |line, row| {
            (line.orders, line.paid) = (get(row, 1)?, get(row, 2)?);
            Ok(())
        })
        .await?;
    lines(survey, vault, as_of, known.lines).await
}

/// Fills in all but the orders of these members.
pub(crate) async fn lines(
    survey: &Survey<'_>,
    vault: &Arc<Vault>,
    as_of: AsOf,
    lines: BTreeMap<MemberId, MemberLine>,
) -> Result<Vec<MemberLine>> {
    let _all = vault.aside(Vault::hold_all).await?;
    let at: Given<'_> = &[&as_of.at.0];
    let mut lines = Lines { survey, lines };
    lines
        .each(IDENTIFIERS, &[], |line, row| {
            line.identifiers.push((get(row, 1)?, opened(vault, row, 2)?));
            Ok(())
        })
        .await?;
    lines.each(POINTS, at, |line, row| get(row, 1).map(|sum: i64| line.points += sum)).await?;
    lines.each(PENDING, at, |line, row| get(row, 1).map(|sum: i64| line.points -= sum)).await?;
    lines.each(HELD, at, |line, row| get(row, 1).map(|sum: i64| line.points -= sum)).await?;
    let since = as_of.day.plus(-as_of.over_days);
    let days: Given<'_> = &[&as_of.at.0, &since.0, &as_of.day.0];
    lines.each(GROWTH, days, |line, row| get(row, 1).map(|sum: i64| line.growth += sum)).await?;
    lines.each(TIERS, at, |line, row| get(row, 1).map(|level| line.tier = Some(level))).await?;
    lines.each(STAGES, at, |line, row| get(row, 1).map(|stage| line.stage = Some(stage))).await?;
    let finished = |mut line: MemberLine| {
        line.points = line.points.max(0);
        line.identifiers.sort();
        line
    };
    Ok(lines.lines.into_values().map(finished).collect())
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

/// A sealed text.
pub(crate) fn opened(vault: &Vault, row: &Row, column: usize) -> Result<String> {
    vault.identifier(get(row, column)?)
}

pub(crate) async fn ledger_lines(survey: &Survey<'_>, as_of: AsOf) -> Result<Vec<LedgerLine>> {
    ledger_sums(survey, LEDGER, &[&as_of.at.0]).await
}

/// Sums of the ledger over all shards.
pub(crate) async fn ledger_sums(survey: &Survey<'_>, sql: &str, given: Given<'_>) -> Result<Vec<LedgerLine>> {
    let mut sums: BTreeMap<(Asset, i16), (i64, i64)> = BTreeMap::new();
    survey
        .each(sql, given, |row| {
            let sum = sums.entry((load::asset(row, 0)?, get(row, 1)?)).or_default();
            *sum = (sum.0 + get::<i64>(row, 2)?, sum.1 + get::<i64>(row, 3)?);
            Ok(())
        })
        .await?;
    sums.into_iter()
        .map(|((asset, code), (transfers, amount))| {
            Ok(LedgerLine { asset, kind: kind(code, 1)?, transfers, amount })
        })
        .collect()
}

/// A kind of transfer by its number.
pub(crate) fn kind(code: i16, column: usize) -> Result<TransferKind> {
    TransferKind::from_code(i64::from(code)).ok_or_else(|| damaged(column, "no kind of transfer"))
}

pub(crate) async fn namespaces(survey: &Survey<'_>) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    survey.each(NAMESPACES, &[], |row| get(row, 0).map(|namespace| found.push(namespace))).await?;
    found.sort();
    found.dedup();
    Ok(found)
}

pub(crate) async fn dead_letters(
    survey: &Survey<'_>,
    vault: &Vault,
    limit: usize,
) -> Result<Vec<DeadLetter>> {
    let mut letters = Vec::new();
    let at_most = i64::try_from(limit).unwrap_or(i64::MAX);
    survey
        .each(DEAD, &[&at_most], |row| {
            letters.push(reading::letter(row, vault)?);
            Ok(())
        })
        .await?;
    letters.sort_by_key(|letter| std::cmp::Reverse(letter.seq));
    letters.truncate(limit);
    Ok(letters)
}

/// All rows of a statement about one member, in their shard.
pub(crate) async fn all<T>(
    survey: &Survey<'_>,
    sql: &str,
    member: MemberId,
    read: impl Fn(&Row) -> Result<T>,
) -> Result<Vec<T>> {
    all_given(survey, sql, (member, &[]), read).await
}

/// The same with what else it is given.
async fn all_given<T>(
    survey: &Survey<'_>,
    sql: &str,
    (member, more): (MemberId, Given<'_>),
    read: impl Fn(&Row) -> Result<T>,
) -> Result<Vec<T>> {
    let sql = survey.schemas.sql(sql, survey.schemas.shard_of(member));
    let id = Uuid::from(member);
    let given: Vec<_> = std::iter::once(&id as _).chain(more.iter().copied()).collect();
    let statement = survey.tx.prepare_cached(&sql).await.map_err(database)?;
    let rows = survey.tx.query(&statement, &given).await.map_err(database)?;
    rows.iter().map(read).collect()
}

/// How many of the latest are shown.
pub(crate) const LATEST: i64 = 20;

/// One member; of what grows with history the latest, at most so many.
pub(crate) async fn member_whole(
    survey: &Survey<'_>,
    vault: &Vault,
    member: MemberId,
    at_most: i64,
) -> Result<Option<MemberWhole>> {
    let stored = |row: &Row| load::stored(row, vault);
    let Some(stored) = all(survey, MEMBER, member, stored).await?.pop() else { return Ok(None) };
    let mut identifiers: Vec<(String, LookupHash, String)> = Vec::new();
    survey
        .each(IDENTIFIERS_OF, &[&Uuid::from(member)], |row| {
            identifiers.push((get(row, 0)?, get::<Uuid>(row, 1)?.0, opened(vault, row, 2)?));
            Ok(())
        })
        .await?;
    identifiers.sort();
    let orders = all(survey, ORDERS_SUM_OF, member, |row| Ok((get(row, 0)?, get(row, 1)?))).await?.pop();
    Ok(Some(MemberWhole {
        member: stored.member,
        identifiers: identifiers.into_iter().map(|(namespace, _, value)| (namespace, value)).collect(),
        orders: orders.unwrap_or_default(),
        lots: all(survey, LOTS_OF, member, |row| {
            Ok((get(row, 0)?, get(row, 1)?, Ts(get(row, 2)?), Ts(get(row, 3)?)))
        })
        .await?,
        terms: all(survey, load::TERMS, member, |row| {
            Ok((get(row, 0)?, Ts(get(row, 1)?), Day(get(row, 2)?)))
        })
        .await?,
        stages: all(survey, STAGES_OF, member, |row| Ok((get(row, 0)?, get(row, 1)?, Ts(get(row, 2)?))))
            .await?,
        timeline: all(survey, TIMELINE_OF, member, |row| Ok((Ts(get(row, 0)?), get(row, 1)?, get(row, 2)?)))
            .await?,
        given_up: all(survey, names::GIVEN_UP_OF, member, names::given_up_of).await?,
        transfers: all_given(survey, TRANSFERS_OF, (member, &[&at_most]), |row| {
            Ok(TransferLine {
                id: id(row, 4)?,
                at: Ts(get(row, 0)?),
                asset: load::asset(row, 1)?,
                kind: kind(get(row, 2)?, 2)?,
                amount: get(row, 3)?,
            })
        })
        .await?,
    }))
}
