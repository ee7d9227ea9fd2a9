//! What people look up and page through, each part by an index and bounded; and the index by which members are found. A
//! member's rows lie in one shard; lists of all of them are put together from what each shard says next.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::effect::{Hold, Order};
use zhiyin_model::id::MemberId;
use zhiyin_model::member::Member;
use zhiyin_model::time::Ts;
use zhiyin_store::read::{DeadLetter, TransferLine};
use zhiyin_store::reading::{FoundBy, Happened, Letters, Part, Reading, SourceSeen, Spot, Stretch, Which};
use zhiyin_store::seal::Sealed;
use zhiyin_store::seal::personal::subjects;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{OWN_SOURCE, PastEvent, Result, archive, packed};

use crate::PgStore;
use crate::connection::{Said, Step, Values};
use crate::load::{self, member_columns};
use crate::report::kind;
use crate::rows::{Uuid, database, get, id, id_or_none};

pub(crate) const FOUND_GONE: &str = "DELETE FROM {shard}.found_by WHERE member = ANY($1)";
pub(crate) const FOUND_NEW: &str = "INSERT INTO {shard}.found_by (key, member) \
    SELECT * FROM unnest($1::bigint[], $2::uuid[]) ON CONFLICT DO NOTHING";
/// Members for whom nothing was decided since: their rows are held until the index says what it should.
pub(crate) const UNDECIDED_SINCE: &str = "SELECT m.id FROM {shard}.member m \
    JOIN unnest($1::uuid[], $2::bigint[]) k (id, decided_until) ON k.id = m.id AND k.decided_until = m.decided_until \
    FOR UPDATE OF m";
pub(crate) const LISTED: &str = "SELECT m.id, m.id, m.tier, m.stage, m.tags, m.audiences FROM {shard}.member m \
    WHERE ($1::uuid IS NULL OR m.id > $1) ORDER BY m.id LIMIT $2";
pub(crate) const LISTED_BY: &str = "SELECT f.member, m.id, m.tier, m.stage, COALESCE(m.tags, '{}'), m.audiences FROM \
    (SELECT member FROM {shard}.found_by WHERE key = $3 AND ($1::uuid IS NULL OR member > $1) ORDER BY member LIMIT $2) f \
    LEFT JOIN {shard}.member m ON m.id = f.member ORDER BY f.member";
pub(crate) const MEMBERS: &str =
    concat!("SELECT ", member_columns!(), " FROM {shard}.member m WHERE m.id = ANY($1)");
pub(crate) const IN_AUDIENCES: &str = "SELECT audiences FROM {shard}.member WHERE audiences IS NOT NULL";
pub(crate) const ROOT: &str = "SELECT root FROM {home}.alias WHERE member = $1";
pub(crate) const ALIASES: &str =
    "SELECT member, since FROM {home}.alias WHERE root = $1 ORDER BY member LIMIT $2";
pub(crate) const HOLDS: &str =
    "SELECT id, asset, amount FROM {shard}.hold WHERE member = $1 AND open ORDER BY id LIMIT $2";
/// A stretch of a member's timeline from a place on.
macro_rules! stretch {
    () => {
        "WITH RECURSIVE t (seq, before, n) AS (SELECT l.seq, l.before, 1 FROM {shard}.member m \
         JOIN {shard}.timeline l ON l.seq = COALESCE($2::bigint, m.last_event) AND l.member = m.id WHERE m.id = $1 \
         UNION ALL SELECT l.seq, l.before, t.n + 1 FROM t JOIN {shard}.timeline l ON l.seq = t.before \
         WHERE t.n < $3::bigint) "
    };
}
pub(crate) const STRETCH: &str = concat!(
    stretch!(),
    "SELECT t.seq, t.before, e.id, e.time, e.name, s.name, CASE WHEN s.name = $4 THEN e.body END FROM t \
     JOIN {events} e ON e.seq = t.seq JOIN {home}.source s ON s.no = e.source ORDER BY t.n"
);
pub(crate) const TRANSFERS_AT: &str = "SELECT x.id, x.at, x.asset, x.kind, x.amount, x.event FROM {transfers} x \
    WHERE x.event = ANY($1) ORDER BY x.event, x.ordinal, x.seq";
pub(crate) const ORDERS_STRETCH: &str = concat!(
    stretch!(),
    "SELECT o.id, o.member, o.time, o.store, o.channel, o.paid, o.refunded, o.status, e.id, o.terms, \
     e.id, s.user_namespace, e.time, e.name, e.body, e.seq, t.before FROM t \
     LEFT JOIN {shard}.orders o ON o.no = t.seq AND o.member = $1 LEFT JOIN {events} e ON e.seq = o.event \
     LEFT JOIN {home}.source s ON s.no = e.source ORDER BY t.n"
);
macro_rules! letters {
    () => {
        "SELECT d.seq, s.name, COALESCE('~~' || encode(e.called, 'hex'), e.message_id), e.name, e.time, d.code, d.field, \
         d.message, d.at FROM "
    };
}
pub(crate) const LETTERS: &str = concat!(
    letters!(),
    "{shard}.dead_letter d JOIN {events} e ON e.seq = d.seq JOIN {home}.source s ON s.no = e.source \
     WHERE d.seq < $1 AND ($3::text IS NULL OR d.code = $3) AND ($4::text IS NULL OR s.name = $4) \
     ORDER BY d.seq DESC LIMIT $2"
);
pub(crate) const LETTERS_ABOUT: &str = concat!(
    letters!(),
    "(SELECT * FROM {shard}.dead_letter ORDER BY seq DESC LIMIT $2) d JOIN {events} e ON e.seq = d.seq \
     JOIN {home}.source s ON s.no = e.source \
     WHERE e.member = $1 OR e.member IN (SELECT member FROM {home}.alias WHERE root = $1) ORDER BY d.seq DESC"
);
pub(crate) const LETTER_CODES: &str = "SELECT code, COUNT(*) FROM {shard}.dead_letter GROUP BY code";
/// Below the places of what is said of members by their own events (2^62).
pub(crate) const LATEST: &str = "SELECT e.source, e.clock, e.seq, e.derived FROM {shard}.event e \
    WHERE e.seq < 4611686018427387904 ORDER BY e.seq DESC LIMIT $1";
pub(crate) const SOURCES: &str = "SELECT no, name FROM {home}.source WHERE name <> $1 ORDER BY name";

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn spot(member: MemberId) -> Spot {
    Spot(member.bytes().to_vec())
}

pub(crate) fn letter(row: &Row, vault: &Vault) -> Result<DeadLetter> {
    let (field, message) = vault.letter(get(row, 6)?, get(row, 7)?)?;
    Ok(DeadLetter {
        seq: get(row, 0)?,
        source: get(row, 1)?,
        message_id: vault.called_text(get(row, 2)?)?,
        name: get(row, 3)?,
        time: Ts(get(row, 4)?),
        code: get(row, 5)?,
        field,
        message,
        at: Ts(get(row, 8)?),
    })
}

fn happened(row: &Row) -> Result<(Happened, Option<PastEvent>, Option<i64>)> {
    let (seq, event, time) = (get(row, 0)?, id(row, 2)?, Ts(get(row, 3)?));
    let (name, source): (String, String) = (get(row, 4)?, get(row, 5)?);
    let body = get::<Option<Vec<u8>>>(row, 6)?.map(|body| PastEvent {
        id: event,
        seq,
        user_namespace: String::new(),
        time,
        name: name.clone(),
        body: Sealed(body),
    });
    let happened = Happened { seq, id: event, time, name, source, body: None, transfers: Vec::new() };
    Ok((happened, body, get(row, 1)?))
}

fn transfer(row: &Row) -> Result<(i64, TransferLine)> {
    let line = TransferLine {
        id: id(row, 0)?,
        at: Ts(get(row, 1)?),
        asset: load::asset(row, 2)?,
        kind: kind(get(row, 3)?, 3)?,
        amount: get(row, 4)?,
    };
    Ok((get(row, 5)?, line))
}

impl PgStore {
    /// What a statement says in each shard, given the same everywhere.
    async fn each_shard(&self, sql: &'static str, given: Values<'_>) -> Result<Vec<Row>> {
        let shards = 0..self.connections.schemas.shards();
        let asks = shards.map(|shard| ((sql, shard), given.clone())).collect();
        Ok(self.connections.session().await?.ask(asks).await?.into_iter().flatten().collect())
    }

    async fn letters_of(&self, sql: &'static str, given: Values<'_>) -> Result<Vec<DeadLetter>> {
        let (rows, vault) = (self.each_shard(sql, given).await?, self.vault());
        let read = move |vault: &Vault| rows.iter().map(|row| letter(row, vault)).collect::<Result<Vec<_>>>();
        let mut letters = vault.aside(read).await?;
        letters.sort_by_key(|letter| std::cmp::Reverse(letter.seq));
        Ok(letters)
    }
}

#[async_trait]
impl Reading for PgStore {
    async fn list(&self, which: Which, after: Option<Spot>, look: usize) -> Result<Part> {
        let after: Option<Uuid> = after.and_then(|spot| spot.0.try_into().ok()).map(Uuid);
        let most = most(look);
        let rows = match which.key {
            Some(key) => self.each_shard(LISTED_BY, vec![&after, &most, &key]).await?,
            None => self.each_shard(LISTED, vec![&after, &most]).await?,
        };
        let mut seen: Vec<(MemberId, bool)> = Vec::with_capacity(rows.len());
        for row in &rows {
            let is_there = id_or_none::<zhiyin_model::id::MemberKind>(row, 1)?.is_some();
            let admitted = is_there && which.admits(get(row, 2)?, get(row, 3)?, get(row, 4)?, get(row, 5)?);
            seen.push((id(row, 0)?, admitted));
        }
        seen.sort_unstable();
        seen.truncate(look);
        let next = seen.last().filter(|_| seen.len() >= look).map(|(member, _)| spot(*member));
        let members = seen.into_iter().filter(|(_, admitted)| *admitted);
        Ok(Part { members: members.map(|(member, _)| (spot(member), member)).collect(), next })
    }

    async fn members(&self, ids: Vec<MemberId>) -> Result<Vec<Member>> {
        let schemas = &self.connections.schemas;
        let mut by_shard: Vec<Vec<Uuid>> = vec![Vec::new(); schemas.shards()];
        for member in ids {
            by_shard[schemas.shard_of(member)].push(member.into());
        }
        let some = by_shard.iter().enumerate().filter(|(_, ids)| !ids.is_empty());
        let asks = some.map(|(shard, ids)| ((MEMBERS, shard), vec![ids as _])).collect();
        let rows: Vec<Row> =
            self.connections.session().await?.ask(asks).await?.into_iter().flatten().collect();
        let read = move |vault: &Vault| {
            let attributes = rows.iter().map(|row| get::<&[u8]>(row, 15)).collect::<Result<Vec<_>>>()?;
            vault.warm(subjects(attributes.into_iter()))?;
            rows.iter().map(|row| Ok(load::stored(row, vault)?.member)).collect::<Result<Vec<_>>>()
        };
        self.vault().aside(read).await
    }

    async fn audience_counts(&self) -> Result<BTreeMap<String, u64>> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for row in self.each_shard(IN_AUDIENCES, vec![]).await? {
            for audience in packed::unpack_memberships(get(&row, 0)?)?.since.into_keys() {
                *counts.entry(audience).or_default() += 1;
            }
        }
        Ok(counts)
    }

    async fn root(&self, member: MemberId) -> Result<Option<MemberId>> {
        let row = self.connections.session().await?.row((ROOT, 0), &[&Uuid::from(member)]).await?;
        row.map(|row| id(&row, 0)).transpose()
    }

    async fn aliases(&self, member: MemberId, limit: usize) -> Result<Vec<(MemberId, Ts)>> {
        let session = self.connections.session().await?;
        let rows = session.rows((ALIASES, 0), &[&Uuid::from(member), &most(limit)]).await?;
        rows.iter().map(|row| Ok((id(row, 0)?, Ts(get(row, 1)?)))).collect()
    }

    async fn open_holds(&self, member: MemberId, limit: usize) -> Result<Vec<Hold>> {
        let session = self.connections.session().await?;
        let of = (HOLDS, session.schemas.shard_of(member));
        let rows = session.rows(of, &[&Uuid::from(member), &most(limit)]).await?;
        let hold = |row| {
            let (id, asset) = (id(row, 0)?, load::asset(row, 1)?);
            Ok(Hold { id, member, asset, amount: get(row, 2)?, open: true })
        };
        rows.iter().map(hold).collect()
    }

    async fn timeline_part(
        &self,
        member: MemberId,
        from: Option<i64>,
        limit: usize,
    ) -> Result<Option<Stretch<Happened>>> {
        let session = self.connections.session().await?;
        let (shard, key) = (session.schemas.shard_of(member), Uuid::from(member));
        let rows = session.rows((STRETCH, shard), &[&key, &from, &most(limit), &OWN_SOURCE]).await?;
        if from.is_some() && rows.is_empty() {
            return Ok(None);
        }
        let mut found = rows.iter().map(happened).collect::<Result<Vec<_>>>()?;
        let seqs: Vec<i64> = found.iter().map(|(happened, ..)| happened.seq).collect();
        for row in session.rows((TRANSFERS_AT, shard), &[&seqs]).await? {
            let (seq, line) = transfer(&row)?;
            if let Some(at) = seqs.iter().position(|of| *of == seq) {
                found[at].0.transfers.push(line);
            }
        }
        drop(session);
        archive::fill(&self.archive(), found.iter_mut().filter_map(|(_, body, _)| body.as_mut()))?;
        let next = found.last().filter(|_| found.len() >= limit).and_then(|(.., before)| *before);
        let read = move |vault: &Vault| {
            vault.open_past(found.iter_mut().filter_map(|(_, body, _)| body.as_mut()))?;
            let rows = found.into_iter().map(|(mut happened, body, _)| {
                happened.body = body.map(|body| body.body);
                happened
            });
            Ok(rows.collect())
        };
        Ok(Some(Stretch { rows: self.vault().aside(read).await?, next }))
    }

    async fn orders_part(
        &self,
        member: MemberId,
        from: Option<i64>,
        (limit, look): (usize, usize),
    ) -> Result<Option<Stretch<(Order, PastEvent)>>> {
        let session = self.connections.session().await?;
        let (shard, key) = (session.schemas.shard_of(member), Uuid::from(member));
        let looked = session.rows((ORDERS_STRETCH, shard), &[&key, &from, &most(look)]).await?;
        drop(session);
        if from.is_some() && looked.is_empty() {
            return Ok(None);
        }
        let (mut rows, mut next) = (Vec::new(), None);
        for row in &looked {
            next = get(row, 16)?;
            if get::<Option<Uuid>>(row, 0)?.is_some() {
                rows.push((load::order(row, 0)?, load::past_event(row, 10)?));
                if rows.len() == limit {
                    break;
                }
            }
        }
        archive::fill(&self.archive(), rows.iter_mut().map(|(_, lines)| lines))?;
        let read = move |vault: &Vault| {
            vault.open_past(rows.iter_mut().map(|(_, lines)| lines))?;
            Ok(rows)
        };
        Ok(Some(Stretch { rows: self.vault().aside(read).await?, next }))
    }

    async fn letters(&self, which: Letters, limit: usize) -> Result<Vec<DeadLetter>> {
        let (before, most) = (which.before.unwrap_or(i64::MAX), most(limit));
        let mut letters = self.letters_of(LETTERS, vec![&before, &most, &which.code, &which.source]).await?;
        letters.truncate(limit);
        Ok(letters)
    }

    async fn letters_about(&self, member: MemberId, look: usize) -> Result<Vec<DeadLetter>> {
        self.letters_of(LETTERS_ABOUT, vec![&Uuid::from(member), &most(look)]).await
    }

    async fn letter_codes(&self) -> Result<Vec<(String, i64)>> {
        let mut codes: std::collections::BTreeMap<String, i64> = std::collections::BTreeMap::new();
        for row in self.each_shard(LETTER_CODES, Vec::new()).await? {
            *codes.entry(get(&row, 0)?).or_default() += get::<i64>(&row, 1)?;
        }
        Ok(codes.into_iter().collect())
    }

    async fn sources_seen(&self, look: usize) -> Result<Vec<SourceSeen>> {
        let mut latest: Vec<(i64, i32, i64, i16)> = Vec::new();
        for row in self.each_shard(LATEST, vec![&most(look)]).await? {
            latest.push((get(&row, 2)?, get(&row, 0)?, get(&row, 1)?, get(&row, 3)?));
        }
        latest.sort_unstable_by(|a, b| b.cmp(a));
        latest.truncate(look);
        latest.retain(|(.., derived)| *derived == 0);
        let sources = self.connections.session().await?.rows((SOURCES, 0), &[&OWN_SOURCE]).await?;
        let seen = sources.iter().map(|row| {
            let no: i32 = get(row, 0)?;
            let of = || latest.iter().filter(|(_, source, ..)| *source == no);
            let last = of().map(|(_, _, clock, _)| Ts(*clock)).max();
            Ok(SourceSeen { source: get(row, 1)?, items: of().count() as i64, last })
        });
        seen.collect()
    }

    async fn put_found_by(&self, found: Vec<(FoundBy, Ts)>) -> Result<usize> {
        let schemas = &self.connections.schemas;
        let mut n = 0;
        for shard in 0..schemas.shards() {
            let here: Vec<&(FoundBy, Ts)> =
                found.iter().filter(|(one, _)| schemas.shard_of(one.member) == shard).collect();
            let ids: Vec<Uuid> = here.iter().map(|(one, _)| one.member.into()).collect();
            let untils: Vec<i64> = here.iter().map(|(_, until)| until.0).collect();
            if ids.is_empty() {
                continue;
            }
            let tx = self.connections.session().await?.transaction();
            let put = async {
                let held = Step::Ask((UNDECIDED_SINCE, shard), vec![&ids, &untils]);
                let said = tx.send(vec![Step::Say("BEGIN"), held]).await.map_err(database)?;
                let held: Vec<Uuid> =
                    said.into_iter().flat_map(Said::rows).map(|row| get(&row, 0)).collect::<Result<_>>()?;
                let new = here.iter().filter(|(one, _)| held.contains(&one.member.into()));
                let rows: Vec<(i64, Uuid)> =
                    new.flat_map(|(one, _)| one.keys.iter().map(|key| (*key, one.member.into()))).collect();
                let (keys, members): (Vec<i64>, Vec<Uuid>) = rows.into_iter().unzip();
                let steps = vec![
                    Step::Run((FOUND_GONE, shard), vec![&held]),
                    Step::Run((FOUND_NEW, shard), vec![&keys, &members]),
                    Step::Say("COMMIT"),
                ];
                tx.send(steps).await.map_err(database)?;
                Ok(held.len())
            }
            .await;
            n += tx.end(put).await?;
        }
        Ok(n)
    }
}
