//! Sealing what a home held before it was to be sealed: table by table, shard by shard, some rows at a time. An item's id
//! becomes a hash, and is looked up where that hash belongs.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Transaction};
use zhiyin_model::time::Ts;
use zhiyin_store::seal::envelope::{ERASED, subject_of};
use zhiyin_store::seal::personal::{Kept, NowSealed, Unsealed};
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Result, StoreError};

use crate::batch::MESSAGE_NEW;
use crate::checkouts::{BODIES, BODY_SET};
use crate::coupons::{CODES_AFTER, CODES_SET};
use crate::rows::{Uuid, database, get};
use crate::schemas::Schemas;

pub(crate) const MARKED: &str = "UPDATE {home}.home SET id_key = $1 WHERE one = 1";
/// Programs that do not know how homes are sealed are refused from now on.
pub(crate) const SEALERS_ONLY: &str = "UPDATE {home}.migration SET oldest = number WHERE number = 3";
pub(crate) const IDENTIFIERS: &str =
    "SELECT hash, value FROM {shard}.identifier WHERE $1::uuid IS NULL OR hash > $1 ORDER BY hash LIMIT $2";
pub(crate) const IDENTIFIER_SET: &str = "UPDATE {shard}.identifier i SET value = u.value \
    FROM unnest($1::uuid[], $2::bytea[]) u (hash, value) WHERE i.hash = u.hash";
pub(crate) const MEMBERS: &str = "SELECT id, attributes, touches, told_at, leaves, personal FROM {shard}.member \
    WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2";
pub(crate) const MEMBER_SET: &str = "UPDATE {shard}.member m SET attributes = u.attributes, touches = u.touches, \
    told_at = u.told_at, leaves = u.leaves, personal = NULL FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::text[], $5::bytea[]) \
    u (id, attributes, touches, told_at, leaves) WHERE m.id = u.id";
pub(crate) const EVENTS: &str = "SELECT seq, member, time, body, message_id, source, derived FROM {shard}.event \
    WHERE seq > $1 AND called IS NULL ORDER BY seq LIMIT $2";
pub(crate) const EVENT_SET: &str = "UPDATE {shard}.event e SET body = u.body, message_id = u.message_id, \
    called = u.called FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::bytea[]) u (seq, body, message_id, called) \
    WHERE e.seq = u.seq";
pub(crate) const MESSAGES_TAKEN: &str = "DELETE FROM {shard}.message m USING unnest($1::integer[], $2::text[]) \
    u (source, message_id) WHERE m.source = u.source AND m.message_id = u.message_id \
    RETURNING m.source, m.message_id, m.body_hash, m.seq";
pub(crate) const LETTERS: &str = "SELECT d.seq, e.member, d.at, d.field, d.message FROM {shard}.dead_letter d \
    JOIN {shard}.event e ON e.seq = d.seq WHERE d.seq > $1 ORDER BY d.seq LIMIT $2";
pub(crate) const LETTER_SET: &str = "UPDATE {shard}.dead_letter d SET field = '', message = u.message \
    FROM unnest($1::bigint[], $2::text[]) u (seq, message) WHERE d.seq = u.seq";
pub(crate) const STAFF: &str = "SELECT place, code, name FROM {home}.staff WHERE (place, code) > ($1, $2) \
    ORDER BY place, code LIMIT $3";
pub(crate) const STAFF_SET: &str = "UPDATE {home}.staff s SET name = u.name \
    FROM unnest($1::text[], $2::text[], $3::bytea[]) u (place, code, name) WHERE s.place = u.place AND s.code = u.code";

/// How far a home has been sealed that was not: the shard, and after which row.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    Identifiers(usize, Option<Uuid>),
    Members(usize, Option<Uuid>),
    Events(usize, i64),
    Letters(usize, i64),
    Staff(String, String),
    Codes(i64, i64),
    Checkouts(usize, Option<Uuid>),
    Outbox(usize, Option<Uuid>),
    Arrivals(usize, Option<Uuid>),
    Mirror(usize, Option<Uuid>),
    Done,
}

impl Default for Stage {
    fn default() -> Self {
        Self::Identifiers(0, None)
    }
}

/// A part of the work, in one transaction.
pub(crate) struct Sealing<'t> {
    pub(crate) tx: &'t Transaction<'t>,
    pub(crate) schemas: &'t Schemas,
    pub(crate) vault: &'t Arc<Vault>,
    pub(crate) limit: usize,
}

/// A thing that came back as another than it was asked for: a defect of ours.
fn mixed() -> StoreError {
    StoreError::Damaged("a value was sealed as another".to_owned())
}

/// Rows of items' ids, as columns: source, id, hash of the body, place.
type Messages = (Vec<i32>, Vec<String>, Vec<Uuid>, Vec<i64>);
type Found<'v> = &'v (dyn ToSql + Sync);

impl Sealing<'_> {
    /// Seals the next rows of a stage; how many were looked at, and the stage from then on.
    pub(crate) async fn stage(&self, stage: Stage) -> Result<(usize, Stage)> {
        let last = |shard: usize| shard + 1 == self.schemas.shards();
        match stage {
            Stage::Identifiers(shard, after) => {
                let (n, next) = self.identifiers(shard, after).await?;
                Ok(match next {
                    Some(after) => (n, Stage::Identifiers(shard, Some(after))),
                    None if last(shard) => (1, Stage::Members(0, None)),
                    None => (1, Stage::Identifiers(shard + 1, None)),
                })
            }
            Stage::Members(shard, after) => {
                let (n, next) = self.members(shard, after).await?;
                Ok(match next {
                    Some(after) => (n, Stage::Members(shard, Some(after))),
                    None if last(shard) => (1, Stage::Events(0, i64::MIN)),
                    None => (1, Stage::Members(shard + 1, None)),
                })
            }
            Stage::Events(shard, after) => {
                let (n, next) = self.events(shard, after).await?;
                Ok(match next {
                    Some(after) => (n, Stage::Events(shard, after)),
                    None if last(shard) => (1, Stage::Letters(0, i64::MIN)),
                    None => (1, Stage::Events(shard + 1, i64::MIN)),
                })
            }
            Stage::Letters(shard, after) => {
                let (n, next) = self.letters(shard, after).await?;
                Ok(match next {
                    Some(after) => (n, Stage::Letters(shard, after)),
                    None if last(shard) => (1, Stage::Staff(String::new(), String::new())),
                    None => (1, Stage::Letters(shard + 1, i64::MIN)),
                })
            }
            Stage::Staff(place, code) => self.staff(&place, &code).await,
            Stage::Codes(upload, place) => self.codes(upload, place).await,
            Stage::Checkouts(shard, after) => {
                let (n, next) = self.bodies((BODIES, BODY_SET), shard, after).await?;
                Ok(match next {
                    Some(after) => (n, Stage::Checkouts(shard, Some(after))),
                    None if last(shard) => (1, Stage::Outbox(0, None)),
                    None => (1, Stage::Checkouts(shard + 1, None)),
                })
            }
            Stage::Outbox(shard, after) => {
                let of = (crate::campaigns::BODIES, crate::campaigns::BODY_SET);
                let (n, next) = self.bodies(of, shard, after).await?;
                Ok(match next {
                    Some(after) => (n, Stage::Outbox(shard, Some(after))),
                    None if last(shard) => (1, Stage::Arrivals(0, None)),
                    None => (1, Stage::Outbox(shard + 1, None)),
                })
            }
            Stage::Arrivals(shard, after) => {
                let of = (crate::campaigns::ARRIVAL_BODIES, crate::campaigns::ARRIVAL_BODY_SET);
                let (n, next) = self.bodies(of, shard, after).await?;
                Ok(match next {
                    Some(after) => (n, Stage::Arrivals(shard, Some(after))),
                    None if last(shard) => (1, Stage::Mirror(0, None)),
                    None => (1, Stage::Arrivals(shard + 1, None)),
                })
            }
            Stage::Mirror(shard, after) => {
                let of = (crate::campaigns::REFLECTION_BODIES, crate::campaigns::REFLECTION_BODY_SET);
                let (n, next) = self.bodies(of, shard, after).await?;
                Ok(match next {
                    Some(after) => (n, Stage::Mirror(shard, Some(after))),
                    None if last(shard) => (0, Stage::Done),
                    None => (1, Stage::Mirror(shard + 1, None)),
                })
            }
            Stage::Done => Ok((0, Stage::Done)),
        }
    }

    async fn rows(&self, template: &str, shard: usize, after: Found<'_>) -> Result<Vec<Row>> {
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        self.tx.query(&self.schemas.sql(template, shard), &[after, &limit]).await.map_err(database)
    }

    async fn run(&self, template: &str, shard: usize, given: &[Found<'_>]) -> Result<()> {
        self.tx.execute(&self.schemas.sql(template, shard), given).await.map(drop).map_err(database)
    }

    async fn identifiers(&self, shard: usize, after: Option<Uuid>) -> Result<(usize, Option<Uuid>)> {
        let rows = self.rows(IDENTIFIERS, shard, &after).await?;
        let found = rows.iter().map(|row| Ok((get::<Uuid>(row, 0)?, get::<Vec<u8>>(row, 1)?)));
        let found: Vec<_> = found.collect::<Result<_>>()?;
        let next = found.last().map(|(hash, _)| *hash);
        let open: Vec<_> = found.into_iter().filter(|(_, value)| subject_of(value).is_none()).collect();
        let hashes: Vec<Uuid> = open.iter().map(|(hash, _)| *hash).collect();
        let sealed = self.vault.aside(move |vault| {
            let values: Vec<_> =
                open.iter().map(|(hash, value)| Unsealed::Identifier(hash.0, value)).collect();
            vault.seal_unsealed(&values)
        });
        let values = sealed.await?.into_iter().map(|sealed| match sealed {
            NowSealed::Value(value) => Ok(value),
            _ => Err(mixed()),
        });
        let values: Vec<Vec<u8>> = values.collect::<Result<_>>()?;
        self.run(IDENTIFIER_SET, shard, &[&hashes, &values]).await?;
        Ok((rows.len(), next))
    }

    /// Bodies of checkouts, or of what was said.
    async fn bodies(
        &self,
        (read, write): (&str, &str),
        shard: usize,
        after: Option<Uuid>,
    ) -> Result<(usize, Option<Uuid>)> {
        let rows = self.rows(read, shard, &after).await?;
        let mut open = Vec::new();
        for row in &rows {
            let body: Vec<u8> = get(row, 3)?;
            if subject_of(&body).is_none() && body != [ERASED] {
                open.push((get::<Uuid>(row, 0)?, get::<Uuid>(row, 1)?, get::<i64>(row, 2)?, body));
            }
        }
        let next = rows.last().map(|row| get(row, 0)).transpose()?;
        let ids: Vec<Uuid> = open.iter().map(|(id, ..)| *id).collect();
        let sealed = self.vault.aside(move |vault| {
            let values =
                open.iter().map(|(_, member, at, body)| Unsealed::Event(Some(member.0), Ts(*at), body, ""));
            vault.seal_unsealed(&values.collect::<Vec<_>>())
        });
        let bodies = sealed.await?.into_iter().map(|sealed| match sealed {
            NowSealed::Event(body, ..) => Ok(body),
            _ => Err(mixed()),
        });
        let bodies: Vec<Vec<u8>> = bodies.collect::<Result<_>>()?;
        self.run(write, shard, &[&ids, &bodies]).await?;
        Ok((rows.len(), next))
    }

    async fn members(&self, shard: usize, after: Option<Uuid>) -> Result<(usize, Option<Uuid>)> {
        let rows = self.rows(MEMBERS, shard, &after).await?;
        let mut open = Vec::new();
        for row in &rows {
            let kept = Kept {
                attributes: get(row, 1)?,
                touches: get(row, 2)?,
                told_at: get(row, 3)?,
                leaves: get(row, 4)?,
                personal: get(row, 5)?,
            };
            if subject_of(&kept.attributes).is_none() && kept.attributes != [ERASED] {
                open.push((get::<Uuid>(row, 0)?, kept));
            }
        }
        let next = rows.last().map(|row| get(row, 0)).transpose()?;
        let ids: Vec<Uuid> = open.iter().map(|(id, _)| *id).collect();
        let sealed = self.vault.aside(move |vault| {
            let values = open.into_iter().map(|(id, kept)| Unsealed::Member(id.0, kept));
            vault.seal_unsealed(&values.collect::<Vec<_>>())
        });
        let (mut attributes, mut leaves) = (Vec::new(), Vec::new());
        let (mut touches, mut told_at) = (Vec::new(), Vec::new());
        for sealed in sealed.await? {
            let NowSealed::Member(kept) = sealed else { return Err(mixed()) };
            attributes.push(kept.attributes);
            touches.push(kept.touches);
            told_at.push(kept.told_at);
            leaves.push(kept.leaves);
        }
        self.run(MEMBER_SET, shard, &[&ids, &attributes, &touches, &told_at, &leaves]).await?;
        Ok((rows.len(), next))
    }

    async fn events(&self, shard: usize, after: i64) -> Result<(usize, Option<i64>)> {
        let rows = self.rows(EVENTS, shard, &after).await?;
        let mut open = Vec::with_capacity(rows.len());
        let mut taken: BTreeMap<usize, (Vec<i32>, Vec<String>)> = BTreeMap::new();
        let mut becomes: BTreeMap<(i32, String), usize> = BTreeMap::new();
        let mut seqs: Vec<i64> = Vec::with_capacity(rows.len());
        for row in &rows {
            let (message_id, source): (String, i32) = (get(row, 4)?, get(row, 5)?);
            let body: Vec<u8> = get(row, 3)?;
            // What was erased bears the hash already.
            if body == [ERASED] {
                continue;
            }
            if get::<i16>(row, 6)? < 2 {
                let of = taken.entry(self.schemas.shard_of_message(source, &message_id)).or_default();
                of.0.push(source);
                of.1.push(message_id.clone());
                becomes.insert((source, message_id.clone()), open.len());
            }
            seqs.push(get(row, 0)?);
            open.push((get::<Uuid>(row, 1)?, get::<i64>(row, 2)?, body, message_id));
        }
        let next = rows.last().map(|row| get(row, 0)).transpose()?;
        let sealed = self.vault.aside(move |vault| {
            let values = open.iter().map(|(member, time, body, message_id)| {
                Unsealed::Event(Some(member.0), Ts(*time), body, message_id)
            });
            vault.seal_unsealed(&values.collect::<Vec<_>>())
        });
        let (mut bodies, mut hashes, mut called) = (Vec::new(), Vec::new(), Vec::new());
        for sealed in sealed.await? {
            let NowSealed::Event(body, hash, name) = sealed else { return Err(mixed()) };
            bodies.push(body);
            hashes.push(hash);
            called.push(name);
        }
        self.run(EVENT_SET, shard, &[&seqs, &bodies, &hashes, &called]).await?;
        self.messages(taken, &becomes, &hashes).await?;
        Ok((rows.len(), next))
    }

    /// Ids of items move to where their hashes are looked up.
    async fn messages(
        &self,
        taken: BTreeMap<usize, (Vec<i32>, Vec<String>)>,
        becomes: &BTreeMap<(i32, String), usize>,
        hashes: &[String],
    ) -> Result<()> {
        let mut new: BTreeMap<usize, Messages> = BTreeMap::new();
        for (shard, (sources, ids)) in taken {
            let sql = self.schemas.sql(MESSAGES_TAKEN, shard);
            for row in self.tx.query(&sql, &[&sources, &ids]).await.map_err(database)? {
                let (source, message_id): (i32, String) = (get(&row, 0)?, get(&row, 1)?);
                let place = becomes.get(&(source, message_id));
                let hash = place.and_then(|place| hashes.get(*place)).ok_or_else(mixed)?;
                let of = new.entry(self.schemas.shard_of_message(source, hash)).or_default();
                of.0.push(source);
                of.1.push(hash.clone());
                of.2.push(get(&row, 2)?);
                of.3.push(get(&row, 3)?);
            }
        }
        for (shard, (sources, ids, body_hashes, seqs)) in &new {
            self.run(MESSAGE_NEW, *shard, &[sources, ids, body_hashes, seqs]).await?;
        }
        Ok(())
    }

    async fn letters(&self, shard: usize, after: i64) -> Result<(usize, Option<i64>)> {
        let rows = self.rows(LETTERS, shard, &after).await?;
        let (mut open, mut seqs): (Vec<_>, Vec<i64>) = (Vec::new(), Vec::new());
        for row in &rows {
            let (field, message): (String, String) = (get(row, 3)?, get(row, 4)?);
            if !message.starts_with('~') {
                seqs.push(get(row, 0)?);
                open.push((get::<Uuid>(row, 1)?, get::<i64>(row, 2)?, field, message));
            }
        }
        let next = rows.last().map(|row| get(row, 0)).transpose()?;
        let sealed = self.vault.aside(move |vault| {
            let values = open.iter().map(|(member, at, field, message)| {
                Unsealed::Letter(Some(member.0), Ts(*at), field, message)
            });
            vault.seal_unsealed(&values.collect::<Vec<_>>())
        });
        let messages = sealed.await?.into_iter().map(|sealed| match sealed {
            NowSealed::Letter(message) => Ok(message),
            _ => Err(mixed()),
        });
        let messages: Vec<String> = messages.collect::<Result<_>>()?;
        self.run(LETTER_SET, shard, &[&seqs, &messages]).await?;
        Ok((rows.len(), next))
    }

    async fn staff(&self, place: &str, code: &str) -> Result<(usize, Stage)> {
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let sql = self.schemas.sql(STAFF, 0);
        let rows = self.tx.query(&sql, &[&place, &code, &limit]).await.map_err(database)?;
        let mut open: Vec<(String, String, Vec<u8>)> = Vec::new();
        for row in &rows {
            let name: Vec<u8> = get(row, 2)?;
            if subject_of(&name).is_none() {
                open.push((get(row, 0)?, get(row, 1)?, name));
            }
        }
        let Some(last) = rows.last() else { return Ok((1, Stage::Codes(i64::MIN, 0))) };
        let next = Stage::Staff(get(last, 0)?, get(last, 1)?);
        let (places, codes): (Vec<String>, Vec<String>) =
            open.iter().map(|(place, code, _)| (place.clone(), code.clone())).unzip();
        let sealed = self.vault.aside(move |vault| {
            let values: Vec<_> =
                open.iter().map(|(place, code, name)| Unsealed::Staff(place, code, name)).collect();
            vault.seal_unsealed(&values)
        });
        let names = sealed.await?.into_iter().map(|sealed| match sealed {
            NowSealed::Value(name) => Ok(name),
            _ => Err(mixed()),
        });
        let names: Vec<Vec<u8>> = names.collect::<Result<_>>()?;
        self.run(STAFF_SET, 0, &[&places, &codes, &names]).await?;
        Ok((rows.len(), next))
    }

    async fn codes(&self, upload: i64, place: i64) -> Result<(usize, Stage)> {
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let sql = self.schemas.sql(CODES_AFTER, 0);
        let rows = self.tx.query(&sql, &[&upload, &place, &limit]).await.map_err(database)?;
        let Some(last) = rows.last() else { return Ok((1, Stage::Checkouts(0, None))) };
        let next = Stage::Codes(get(last, 0)?, get(last, 1)?);
        let (mut uploads, mut places): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
        let mut open: Vec<(String, Vec<u8>)> = Vec::new();
        for row in &rows {
            let code: Vec<u8> = get(row, 3)?;
            if subject_of(&code).is_none() {
                uploads.push(get(row, 0)?);
                places.push(get(row, 1)?);
                open.push((get(row, 2)?, code));
            }
        }
        let sealed = self.vault.aside(move |vault| {
            let values: Vec<_> = open.iter().map(|(name, code)| Unsealed::Code(name, code)).collect();
            vault.seal_unsealed(&values)
        });
        let codes = sealed.await?.into_iter().map(|sealed| match sealed {
            NowSealed::Value(code) => Ok(code),
            _ => Err(mixed()),
        });
        let codes: Vec<Vec<u8>> = codes.collect::<Result<_>>()?;
        self.run(CODES_SET, 0, &[&uploads, &places, &codes]).await?;
        Ok((rows.len(), next))
    }
}
