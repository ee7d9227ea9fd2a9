//! What platforms last showed: each thing in the shard of its id.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::campaigns::mirror::{Mirror, PartId, Reflect, Reflection, ReflectionId};
use zhiyin_store::seal::vault::Vault;

use super::most;
use crate::PgStore;
use crate::connection::{Of, Said, Step, Values};
use crate::rows::{Uuid, database, get, id};

macro_rules! columns {
    ($before:literal, $rest:literal) => {
        concat!($before, " id, version, kind, part, due, about, body ", $rest)
    };
}

pub(crate) const REFLECTIONS: &str = columns!("SELECT", "FROM {shard}.reflection WHERE id = ANY($1::uuid[])");
pub(crate) const REFLECTIONS_OF: &str = columns!(
    "SELECT",
    "FROM {shard}.reflection WHERE kind = $1 AND part = $2 AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4"
);
/// In the order of their ids: of two that write the same things neither waits for the other while the other waits for it.
pub(crate) const REFLECTION_NEW: &str = "INSERT INTO {shard}.reflection (id, version, kind, part, due, about, body) \
    SELECT u.id, 1, u.kind, u.part, u.due, u.about, u.body \
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::uuid[], $6::bytea[]) u (id, kind, part, due, about, body) \
    ORDER BY u.id ON CONFLICT (id) DO NOTHING RETURNING id";
pub(crate) const REFLECTION_CHANGED: &str = "UPDATE {shard}.reflection r SET version = r.version + 1, kind = u.kind, part = u.part, \
    due = u.due, about = u.about, body = u.body \
    FROM (SELECT l.* FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::uuid[], $6::bytea[], $7::bigint[]) \
      l (id, kind, part, due, about, body, read) JOIN {shard}.reflection h ON h.id = l.id AND h.version = l.read \
      ORDER BY h.id FOR UPDATE OF h) u \
    WHERE r.id = u.id AND r.version = u.read RETURNING r.id";
pub(crate) const REFLECTION_GONE: &str = "DELETE FROM {shard}.reflection r \
    USING unnest($1::uuid[], $2::bigint[]) u (id, version) WHERE r.id = u.id AND r.version = u.version";
pub(crate) const REFLECTIONS_LENT: &str = columns!(
    "UPDATE {shard}.reflection SET version = version + 1, due = $3 WHERE id = ANY (ARRAY(SELECT id FROM {shard}.reflection \
     WHERE kind = $1 AND due <= $2 ORDER BY due, id LIMIT $4 FOR UPDATE SKIP LOCKED)) RETURNING",
    ""
);
pub(crate) const REFLECTION_NEXT: &str =
    "SELECT due FROM {shard}.reflection WHERE kind = $1 AND due IS NOT NULL ORDER BY due LIMIT 1";
pub(crate) const REFLECTION_KINDS: &str = "WITH RECURSIVE k (kind) AS (SELECT MIN(kind) FROM {shard}.reflection \
    UNION ALL SELECT (SELECT MIN(r.kind) FROM {shard}.reflection r WHERE r.kind > k.kind) FROM k WHERE k.kind IS NOT NULL) \
    SELECT kind FROM k WHERE kind IS NOT NULL";
pub(crate) const REFLECTION_COUNTS: &str = "SELECT kind, COUNT(*) FROM {shard}.reflection GROUP BY kind";
/// Who is erased was never seen, and is not looked at any more: whoever had read it writes nothing.
pub(crate) const REFLECTIONS_ERASED: &str = "UPDATE {shard}.reflection SET body = '\\x03'::bytea, version = version + 1, due = NULL \
    WHERE about = ANY($1::uuid[])";
pub(crate) const REFLECTION_BODIES: &str = "SELECT id, about, 0::bigint, body FROM {shard}.reflection \
    WHERE ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2";
pub(crate) const REFLECTION_BODY_SET: &str = "UPDATE {shard}.reflection c SET body = u.body \
    FROM unnest($1::uuid[], $2::bytea[]) u (id, body) WHERE c.id = u.id";
pub(crate) const REFLECTIONS_UNSEALED: &str = "SELECT 'reflection ' || replace(id::text, '-', '') FROM {shard}.reflection \
    WHERE body <> '\\x03'::bytea AND substr(body, 1, 1) <> '\\x02'::bytea LIMIT 5";

fn reflection(row: &Row, vault: &Vault) -> Result<Reflection> {
    Ok(Reflection {
        id: id(row, 0)?,
        version: get(row, 1)?,
        kind: get(row, 2)?,
        part: id(row, 3)?,
        due: get::<Option<i64>>(row, 4)?.map(Ts),
        about: *id::<()>(row, 5)?.bytes(),
        body: vault.body(get(row, 6)?)?,
    })
}

/// Things of one shard, a list a column: those that are new, or those that were read.
#[derive(Default)]
pub(super) struct Columns<'n> {
    ids: Vec<Uuid>,
    kinds: Vec<&'n str>,
    parts: Vec<Uuid>,
    dues: Vec<Option<i64>>,
    abouts: Vec<Uuid>,
    bodies: Vec<&'n [u8]>,
    pub(super) reads: Vec<i64>,
}

impl<'n> Columns<'n> {
    pub(super) fn put(&mut self, one: &'n Reflect) {
        self.ids.push(one.id.into());
        self.kinds.push(&one.kind);
        self.parts.push(one.part.into());
        self.dues.push(one.due.map(|due| due.0));
        self.abouts.push(Uuid(one.about));
        self.bodies.push(&one.body.0);
        self.reads.push(one.read);
    }

    pub(super) fn given(&self) -> Values<'_> {
        vec![&self.ids, &self.kinds, &self.parts, &self.dues, &self.abouts, &self.bodies]
    }
}

#[async_trait]
impl Mirror for PgStore {
    async fn reflections(&self, ids: Vec<ReflectionId>) -> Result<Vec<Reflection>> {
        let (session, vault) = (self.connections.session().await?, self.vault());
        let mut of: BTreeMap<usize, Vec<Uuid>> = BTreeMap::new();
        for id in ids {
            of.entry(session.schemas.shard_of_hash(id.bytes())).or_default().push(id.into());
        }
        let asks: Vec<(Of, Values<'_>)> =
            of.iter().map(|(shard, ids)| ((REFLECTIONS, *shard), vec![ids as _])).collect();
        let rows = session.ask(asks).await?;
        rows.iter().flatten().map(|row| reflection(row, &vault)).collect()
    }

    async fn reflections_of(
        &self,
        kind: &str,
        part: PartId,
        after: Option<ReflectionId>,
        limit: usize,
    ) -> Result<Vec<Reflection>> {
        let (session, vault) = (self.connections.session().await?, self.vault());
        let (part, after, most) = (Uuid::from(part), after.map(Uuid::from), most(limit));
        let asks: Vec<(Of, Values<'_>)> = (0..session.schemas.shards())
            .map(|shard| {
                let given: Values<'_> = vec![&kind, &part, &after, &most];
                ((REFLECTIONS_OF, shard), given)
            })
            .collect();
        let rows = session.ask(asks).await?;
        let mut found: Vec<Reflection> =
            rows.iter().flatten().map(|row| reflection(row, &vault)).collect::<Result<_>>()?;
        found.sort_unstable_by_key(|one| one.id);
        found.truncate(limit);
        Ok(found)
    }

    async fn reflect(&self, things: Vec<Reflect>) -> Result<Vec<bool>> {
        if things.is_empty() {
            return Ok(Vec::new());
        }
        let sealed = self.vault().aside(move |vault| vault.seal_reflections(things)).await?;
        let tx = self.connections.session().await?.transaction();
        let reflected = async {
            let schemas = tx.session()?.schemas;
            let mut of: BTreeMap<(usize, bool), Columns<'_>> = BTreeMap::new();
            for one in &sealed {
                of.entry((schemas.shard_of_hash(one.id.bytes()), one.read > 0)).or_default().put(one);
            }
            let mut steps = vec![Step::Say("BEGIN")];
            for ((shard, was_read), columns) in &of {
                let mut given = columns.given();
                if *was_read {
                    given.push(&columns.reads);
                }
                let sql = if *was_read { REFLECTION_CHANGED } else { REFLECTION_NEW };
                steps.push(Step::Ask((sql, *shard), given));
            }
            steps.push(Step::Say("COMMIT"));
            let said = tx.send(steps).await.map_err(database)?;
            let mut written = BTreeSet::new();
            for row in said.into_iter().flat_map(Said::rows) {
                written.insert(get::<Uuid>(&row, 0)?);
            }
            // Of what is written twice at once only the first counts.
            Ok(sealed.iter().map(|one| written.remove(&Uuid::from(one.id))).collect())
        }
        .await;
        tx.end(reflected).await
    }

    async fn forget_reflections(&self, read: Vec<(ReflectionId, i64)>) -> Result<usize> {
        let session = self.connections.session().await?;
        let mut of: BTreeMap<usize, (Vec<Uuid>, Vec<i64>)> = BTreeMap::new();
        for (id, version) in read {
            let (ids, versions) = of.entry(session.schemas.shard_of_hash(id.bytes())).or_default();
            ids.push(id.into());
            versions.push(version);
        }
        let mut gone = 0;
        for (shard, (ids, versions)) in &of {
            let n = session.run((REFLECTION_GONE, *shard), &[ids, versions]).await?;
            gone += usize::try_from(n).unwrap_or(usize::MAX);
        }
        Ok(gone)
    }

    async fn lend_reflections(
        &self,
        kind: &str,
        now: Ts,
        until: Ts,
        limit: usize,
    ) -> Result<Vec<Reflection>> {
        let (session, vault) = (self.connections.session().await?, self.vault());
        let mut lent = Vec::new();
        for shard in 0..session.schemas.shards() {
            let left = most(limit - lent.len().min(limit));
            if left == 0 {
                break;
            }
            for row in &session.rows((REFLECTIONS_LENT, shard), &[&kind, &now.0, &until.0, &left]).await? {
                lent.push(reflection(row, &vault)?);
            }
        }
        Ok(lent)
    }

    async fn next_reflection(&self, kind: &str) -> Result<Option<Ts>> {
        let session = self.connections.session().await?;
        let asks: Vec<(Of, Values<'_>)> = (0..session.schemas.shards())
            .map(|shard| {
                let given: Values<'_> = vec![&kind];
                ((REFLECTION_NEXT, shard), given)
            })
            .collect();
        let mut next: Option<i64> = None;
        for row in session.ask(asks).await?.iter().flatten() {
            let due: i64 = get(row, 0)?;
            next = Some(next.map_or(due, |next| next.min(due)));
        }
        Ok(next.map(Ts))
    }

    async fn reflection_kinds(&self) -> Result<Vec<String>> {
        let session = self.connections.session().await?;
        let asks: Vec<(Of, Values<'_>)> =
            (0..session.schemas.shards()).map(|shard| ((REFLECTION_KINDS, shard), vec![])).collect();
        let found = session.ask(asks).await?;
        let kinds: Result<BTreeSet<String>> = found.iter().flatten().map(|row| get(row, 0)).collect();
        Ok(kinds?.into_iter().collect())
    }

    async fn count_reflections(&self) -> Result<Vec<(String, i64)>> {
        let session = self.connections.session().await?;
        let asks: Vec<(Of, Values<'_>)> =
            (0..session.schemas.shards()).map(|shard| ((REFLECTION_COUNTS, shard), vec![])).collect();
        let mut counts = BTreeMap::<String, i64>::new();
        for row in session.ask(asks).await?.iter().flatten() {
            *counts.entry(get(row, 0)?).or_insert(0) += get::<i64>(row, 1)?;
        }
        Ok(counts.into_iter().collect())
    }
}
