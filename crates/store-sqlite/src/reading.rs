//! What people look up and page through, each part by an index and bounded; and the index by which members are found.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::effect::{Hold, Order};
use zhiyin_model::id::MemberId;
use zhiyin_model::member::Member;
use zhiyin_model::time::Ts;
use zhiyin_store::read::{DeadLetter, TransferLine};
use zhiyin_store::reading::{FoundBy, Happened, Letters, Part, Reading, SourceSeen, Spot, Stretch, Which};
use zhiyin_store::seal::Sealed;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{OWN_SOURCE, PastEvent, Result, archive, packed};

use crate::SqliteStore;
use crate::rows::{self, all, database, id};
use crate::write::{MEMBER_PLACE, prepare, run};
use crate::{load, report};

pub(crate) const FOUND_NEW: &str =
    "INSERT INTO found_by (key, member) VALUES (?, ?) ON CONFLICT (key, member) DO NOTHING";
pub(crate) const FOUND_GONE: &str = "DELETE FROM found_by WHERE member = ?";
pub(crate) const FOUND_GONE_OF: &str =
    "DELETE FROM found_by WHERE member = (SELECT no FROM member WHERE id = ?)";
pub(crate) const UNDECIDED_SINCE: &str = "SELECT no FROM member WHERE id = ? AND decided_until = ?";
pub(crate) const LISTED: &str =
    "SELECT no, id, tier, stage, tags, audiences FROM member WHERE no > ?1 ORDER BY no LIMIT ?2";
/// Where nobody has that number any more there is a row all the same, so that the list goes on after it.
pub(crate) const LISTED_BY: &str = "SELECT f.member, m.id, m.tier, m.stage, COALESCE(m.tags, '{}'), m.audiences FROM found_by f \
    LEFT JOIN member m ON m.no = f.member WHERE f.key = ?3 AND f.member > ?1 ORDER BY f.member LIMIT ?2";
pub(crate) const IN_AUDIENCES: &str = "SELECT audiences FROM member WHERE audiences IS NOT NULL";
pub(crate) const ROOT: &str = "SELECT root FROM alias WHERE member = ?";
pub(crate) const ALIASES: &str = "SELECT member, since FROM alias WHERE root = ? ORDER BY member LIMIT ?";
pub(crate) const HOLDS: &str =
    "SELECT id, asset, amount FROM hold WHERE member = ? AND open = 1 ORDER BY id LIMIT ?";
/// A stretch of a member's timeline from a place on.
macro_rules! stretch {
    () => {
        "WITH RECURSIVE t (seq, before, n) AS (SELECT l.seq, l.before, 1 FROM member m \
         CROSS JOIN timeline l ON l.seq = COALESCE(?2, m.last_event) AND l.member = m.no WHERE m.id = ?1 \
         UNION ALL SELECT l.seq, l.before, t.n + 1 FROM t CROSS JOIN timeline l ON l.seq = t.before WHERE t.n < ?3) "
    };
}
pub(crate) const STRETCH: &str = concat!(
    stretch!(),
    "SELECT t.seq, t.before, e.id, e.time, e.name, s.name, CASE WHEN s.name = ?4 THEN e.body END FROM t \
     CROSS JOIN event e ON e.seq = t.seq CROSS JOIN source s ON s.no = e.source ORDER BY t.n"
);
pub(crate) const TRANSFERS_AT: &str =
    "SELECT x.id, x.at, x.asset, x.kind, x.amount FROM transfer x WHERE x.event = ? ORDER BY x.seq";
pub(crate) const ORDERS_STRETCH: &str = concat!(
    stretch!(),
    "SELECT o.id, o.member, o.time, o.store, o.channel, o.paid, o.refunded, o.status, e.id, o.terms, \
     e.id, s.user_namespace, e.time, e.name, e.body, e.seq, t.before FROM t \
     LEFT JOIN orders o ON o.no = t.seq AND o.member = ?1 LEFT JOIN event e ON e.seq = o.event \
     LEFT JOIN source s ON s.no = e.source ORDER BY t.n"
);
macro_rules! letters {
    () => {
        "SELECT d.seq, s.name, COALESCE(e.called, e.message_id), e.name, e.time, d.code, d.field, d.message, d.at FROM "
    };
}
pub(crate) const LETTERS: &str = concat!(
    letters!(),
    "dead_letter d CROSS JOIN event e ON e.seq = d.seq CROSS JOIN source s ON s.no = e.source \
     WHERE d.seq < ?1 AND (?3 IS NULL OR d.code = ?3) AND (?4 IS NULL OR s.name = ?4) ORDER BY d.seq DESC LIMIT ?2"
);
pub(crate) const LETTERS_ABOUT: &str = concat!(
    letters!(),
    "(SELECT * FROM dead_letter ORDER BY seq DESC LIMIT ?2) d CROSS JOIN event e ON e.seq = d.seq \
     CROSS JOIN source s ON s.no = e.source \
     WHERE e.member = ?1 OR e.member IN (SELECT member FROM alias WHERE root = ?1) ORDER BY d.seq DESC"
);
pub(crate) const LETTER_CODES: &str = "SELECT code, COUNT(*) FROM dead_letter GROUP BY code ORDER BY code";
pub(crate) const SOURCES_SEEN: &str = "SELECT s.name, COUNT(e.clock), MAX(e.clock) FROM source s LEFT JOIN \
    (SELECT source, clock, derived FROM event ORDER BY seq DESC LIMIT ?1) e ON e.source = s.no AND e.derived = 0 \
    WHERE s.name <> ?2 GROUP BY s.no ORDER BY s.name";

/// Bytes of the index by which members are found. For measurements.
pub(crate) const FOUND_BYTES: &str = "SELECT COALESCE(SUM(pgsize), 0) FROM dbstat WHERE aggregate = 1 AND name IN ('found_by', 'found_by_member')";

/// Members are found by what a batch says from now on.
pub(crate) fn found(c: &Connection, found: &[FoundBy]) -> Result<()> {
    for one in found {
        let no: Option<i64> = prepare(c, MEMBER_PLACE)?
            .query_row([one.member.bytes().as_slice()], |row| row.get(0))
            .optional()
            .map_err(database)?;
        // Who ended within the batch is found no more.
        if let Some(no) = no {
            put(c, no, &one.keys)?;
        }
    }
    Ok(())
}

fn put(c: &Connection, no: i64, keys: &[i64]) -> Result<()> {
    run(&mut prepare(c, FOUND_GONE)?, [no])?;
    let mut new = prepare(c, FOUND_NEW)?;
    keys.iter().try_for_each(|key| run(&mut new, [*key, no]).map(drop))
}

fn spot(no: i64) -> Spot {
    Spot(no.to_be_bytes().to_vec())
}

fn number(spot: Option<Spot>) -> i64 {
    let bytes = spot.and_then(|spot| spot.0.try_into().ok());
    bytes.map_or(i64::MIN, i64::from_be_bytes)
}

fn list(c: &Connection, which: &Which, after: Option<Spot>, look: usize) -> Result<Part> {
    let (after, most) = (number(after), look as i64);
    let row = |row: &Row<'_>| {
        let member: Option<MemberId> = rows::id_or_none(row, 1)?;
        let (tier, stage) = (row.get_ref(2)?.as_str_or_null()?, row.get_ref(3)?.as_str_or_null()?);
        let audiences = row.get_ref(5)?.as_blob_or_null()?;
        let admitted = which.admits(tier, stage, row.get_ref(4)?.as_str()?, audiences);
        Ok((row.get::<_, i64>(0)?, member.filter(|_| admitted)))
    };
    let seen = match which.key {
        Some(key) => all(c, LISTED_BY, params![after, most, key], row)?,
        None => all(c, LISTED, params![after, most], row)?,
    };
    let next = seen.last().filter(|_| seen.len() >= look).map(|(no, _)| spot(*no));
    let members = seen.into_iter().filter_map(|(no, member)| Some((spot(no), member?)));
    Ok(Part { members: members.collect(), next })
}

fn audience_counts(c: &Connection) -> Result<BTreeMap<String, u64>> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut statement = c.prepare_cached(IN_AUDIENCES).map_err(database)?;
    let mut found = statement.query([]).map_err(database)?;
    while let Some(row) = found.next().map_err(database)? {
        let packed = row.get_ref(0).map_err(database)?.as_blob().ok();
        for audience in packed::unpack_memberships(packed)?.since.into_keys() {
            *counts.entry(audience).or_default() += 1;
        }
    }
    Ok(counts)
}

fn transfer(row: &Row<'_>) -> rusqlite::Result<TransferLine> {
    Ok(TransferLine {
        id: id(row, 0)?,
        at: Ts(row.get(1)?),
        asset: rows::asset(row, 2)?,
        kind: report::kind(row, 3)?,
        amount: row.get(4)?,
    })
}

/// A stretch of a timeline, with bodies of what was derived, and where it goes on.
type Found = Vec<(Happened, Option<PastEvent>, Option<i64>)>;

fn stretch(c: &Connection, member: MemberId, from: Option<i64>, limit: usize) -> Result<Option<Found>> {
    let given = params![member.bytes().as_slice(), from, limit as i64, OWN_SOURCE];
    let mut found = all(c, STRETCH, given, |row| {
        let (seq, event, time, name): (i64, _, _, String) =
            (row.get(0)?, id(row, 2)?, Ts(row.get(3)?), row.get(4)?);
        let body = row.get::<_, Option<Vec<u8>>>(6)?.map(|body| PastEvent {
            id: event,
            seq,
            user_namespace: String::new(),
            time,
            name: name.clone(),
            body: Sealed(body),
        });
        let source = row.get(5)?;
        let happened = Happened { seq, id: event, time, name, source, body: None, transfers: Vec::new() };
        Ok((happened, body, row.get(1)?))
    })?;
    for (happened, ..) in &mut found {
        happened.transfers = all(c, TRANSFERS_AT, [happened.seq], transfer)?;
    }
    Ok((from.is_none() || !found.is_empty()).then_some(found))
}

/// Orders of a stretch; how many events were looked at, and where the stretch ends.
type Orders = (Vec<(Order, PastEvent)>, Option<i64>);

fn orders(
    c: &Connection,
    member: MemberId,
    from: Option<i64>,
    (limit, look): (usize, usize),
) -> Result<Option<Orders>> {
    let mut statement = prepare(c, ORDERS_STRETCH)?;
    let given = params![member.bytes().as_slice(), from, look as i64];
    let mut rows = statement.query(given).map_err(database)?;
    let (mut found, mut next, mut n) = (Vec::new(), None, 0);
    while let Some(row) = rows.next().map_err(database)? {
        n += 1;
        next = row.get(16).map_err(database)?;
        if row.get_ref(0).map_err(database)?.as_blob_or_null().is_ok_and(|id| id.is_some()) {
            let lines = load::past_event_from(row, 10).map_err(database)?;
            found.push((rows::order(row).map_err(database)?, lines));
            if found.len() == limit {
                break;
            }
        }
    }
    Ok((from.is_none() || n > 0).then_some((found, next)))
}

pub(crate) fn letter(row: &Row<'_>, vault: &Vault) -> rusqlite::Result<DeadLetter> {
    let (field, message) = vault.letter(row.get(6)?, row.get(7)?).map_err(rows::unopened)?;
    Ok(DeadLetter {
        seq: row.get(0)?,
        source: row.get(1)?,
        message_id: rows::called(row, 2, vault)?,
        name: row.get(3)?,
        time: Ts(row.get(4)?),
        code: row.get(5)?,
        field,
        message,
        at: Ts(row.get(8)?),
    })
}

#[async_trait]
impl Reading for SqliteStore {
    async fn list(&self, which: Which, after: Option<Spot>, look: usize) -> Result<Part> {
        self.connections.read(move |c| list(c, &which, after, look)).await
    }

    async fn audience_counts(&self) -> Result<BTreeMap<String, u64>> {
        self.connections.read(audience_counts).await
    }

    async fn members(&self, ids: Vec<MemberId>) -> Result<Vec<Member>> {
        let vault = self.vault();
        self.connections
            .read(move |c| {
                let found = ids.iter().filter_map(|id| load::member(c, &vault, *id).transpose());
                found.map(|stored| stored.map(|stored| stored.member)).collect()
            })
            .await
    }

    async fn root(&self, member: MemberId) -> Result<Option<MemberId>> {
        self.connections
            .read(move |c| {
                let mut root = prepare(c, ROOT)?;
                let found = root.query_row([member.bytes().as_slice()], |row| id(row, 0));
                found.optional().map_err(database)
            })
            .await
    }

    async fn aliases(&self, member: MemberId, limit: usize) -> Result<Vec<(MemberId, Ts)>> {
        self.connections
            .read(move |c| {
                let given = params![member.bytes().as_slice(), limit as i64];
                all(c, ALIASES, given, |row| Ok((id(row, 0)?, Ts(row.get(1)?))))
            })
            .await
    }

    async fn open_holds(&self, member: MemberId, limit: usize) -> Result<Vec<Hold>> {
        self.connections
            .read(move |c| {
                let given = params![member.bytes().as_slice(), limit as i64];
                all(c, HOLDS, given, |row| {
                    let (id, asset) = (id(row, 0)?, rows::asset(row, 1)?);
                    Ok(Hold { id, member, asset, amount: row.get(2)?, open: true })
                })
            })
            .await
    }

    async fn timeline_part(
        &self,
        member: MemberId,
        from: Option<i64>,
        limit: usize,
    ) -> Result<Option<Stretch<Happened>>> {
        let found = self.connections.read(move |c| stretch(c, member, from, limit)).await?;
        let Some(mut found) = found else { return Ok(None) };
        archive::fill(&self.archive(), found.iter_mut().filter_map(|(_, body, _)| body.as_mut()))?;
        self.vault().open_past(found.iter_mut().filter_map(|(_, body, _)| body.as_mut()))?;
        let next = found.last().filter(|_| found.len() >= limit).and_then(|(.., before)| *before);
        let rows = found.into_iter().map(|(mut happened, body, _)| {
            happened.body = body.map(|body| body.body);
            happened
        });
        Ok(Some(Stretch { rows: rows.collect(), next }))
    }

    async fn orders_part(
        &self,
        member: MemberId,
        from: Option<i64>,
        bounds: (usize, usize),
    ) -> Result<Option<Stretch<(Order, PastEvent)>>> {
        let found = self.connections.read(move |c| orders(c, member, from, bounds)).await?;
        let Some((mut rows, next)) = found else { return Ok(None) };
        archive::fill(&self.archive(), rows.iter_mut().map(|(_, lines)| lines))?;
        self.vault().open_past(rows.iter_mut().map(|(_, lines)| lines))?;
        Ok(Some(Stretch { rows, next }))
    }

    async fn letters(&self, which: Letters, limit: usize) -> Result<Vec<DeadLetter>> {
        let vault = self.vault();
        self.connections
            .read(move |c| {
                let before = which.before.unwrap_or(i64::MAX);
                let given = params![before, limit as i64, which.code, which.source];
                all(c, LETTERS, given, |row| letter(row, &vault))
            })
            .await
    }

    async fn letters_about(&self, member: MemberId, look: usize) -> Result<Vec<DeadLetter>> {
        let vault = self.vault();
        self.connections
            .read(move |c| {
                let given = params![member.bytes().as_slice(), look as i64];
                all(c, LETTERS_ABOUT, given, |row| letter(row, &vault))
            })
            .await
    }

    async fn letter_codes(&self) -> Result<Vec<(String, i64)>> {
        self.connections.read(|c| all(c, LETTER_CODES, [], |row| Ok((row.get(0)?, row.get(1)?)))).await
    }

    async fn sources_seen(&self, look: usize) -> Result<Vec<SourceSeen>> {
        self.connections
            .read(move |c| {
                all(c, SOURCES_SEEN, params![look as i64, OWN_SOURCE], |row| {
                    let last = row.get::<_, Option<i64>>(2)?.map(Ts);
                    Ok(SourceSeen { source: row.get(0)?, items: row.get(1)?, last })
                })
            })
            .await
    }

    async fn put_found_by(&self, found: Vec<(FoundBy, Ts)>) -> Result<usize> {
        self.connections
            .write(move |c| {
                let mut undecided = prepare(c, UNDECIDED_SINCE)?;
                let mut n = 0;
                for (one, decided_until) in &found {
                    let given = params![one.member.bytes().as_slice(), decided_until.0];
                    let no: Option<i64> =
                        undecided.query_row(given, |row| row.get(0)).optional().map_err(database)?;
                    if let Some(no) = no {
                        put(c, no, &one.keys)?;
                        n += 1;
                    }
                }
                Ok(n)
            })
            .await
    }
}
