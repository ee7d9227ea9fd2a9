//! What platforms last showed.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::campaigns::mirror::{Mirror, PartId, Reflect, Reflection, ReflectionId};
use zhiyin_store::seal::vault::Vault;

use super::most;
use crate::SqliteStore;
use crate::rows::{self, all, database, id};
use crate::write::{prepare, run};

macro_rules! columns {
    ($before:literal, $rest:literal) => {
        concat!($before, " id, version, kind, part, due, about, body ", $rest)
    };
}

pub(crate) const REFLECTION: &str = columns!("SELECT", "FROM reflection WHERE id = ?");
pub(crate) const REFLECTIONS_OF: &str =
    columns!("SELECT", "FROM reflection WHERE kind = ?1 AND part = ?2 AND id > ?3 ORDER BY id LIMIT ?4");
pub(crate) const REFLECTION_NEW: &str = "INSERT INTO reflection (id, version, kind, part, due, about, body) \
    VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO NOTHING";
pub(crate) const REFLECTION_CHANGED: &str = "UPDATE reflection SET version = version + 1, kind = ?2, part = ?3, due = ?4, about = ?5, \
    body = ?6 WHERE id = ?1 AND version = ?7";
pub(crate) const REFLECTION_GONE: &str = "DELETE FROM reflection WHERE id = ?1 AND version = ?2";
pub(crate) const REFLECTION_DUE: &str = "SELECT 1 FROM reflection WHERE kind = ?1 AND due <= ?2 LIMIT 1";
pub(crate) const REFLECTIONS_LENT: &str = columns!(
    "UPDATE reflection SET version = version + 1, due = ?3 WHERE id IN (SELECT id FROM reflection WHERE kind = ?1 AND due <= ?2 \
     ORDER BY due, id LIMIT ?4) RETURNING",
    ""
);
pub(crate) const REFLECTION_NEXT: &str =
    "SELECT due FROM reflection WHERE kind = ?1 AND due IS NOT NULL ORDER BY due LIMIT 1";
pub(crate) const REFLECTION_KINDS: &str = "WITH RECURSIVE k (kind) AS (SELECT MIN(kind) FROM reflection \
    UNION ALL SELECT (SELECT MIN(r.kind) FROM reflection r WHERE r.kind > k.kind) FROM k WHERE k.kind IS NOT NULL) \
    SELECT kind FROM k WHERE kind IS NOT NULL";
pub(crate) const REFLECTION_COUNTS: &str =
    "SELECT kind, COUNT(*) FROM reflection GROUP BY kind ORDER BY kind";
/// Who is erased was never seen, and is not looked at any more: whoever had read it writes nothing.
pub(crate) const REFLECTIONS_ERASED: &str = "UPDATE reflection SET body = x'03', version = version + 1, due = NULL \
    WHERE about IN (SELECT hash FROM identifier WHERE substr(member, 1, 3) = substr(?1, 1, 3) AND member = ?1)";
pub(crate) const REFLECTION_BODIES: &str =
    "SELECT id, about, 0, body FROM reflection WHERE id > ?1 ORDER BY id LIMIT ?2";
pub(crate) const REFLECTION_BODY_SET: &str = "UPDATE reflection SET body = ?2 WHERE id = ?1";

fn reflection(row: &Row<'_>, vault: &Vault) -> rusqlite::Result<Reflection> {
    Ok(Reflection {
        id: id(row, 0)?,
        version: row.get(1)?,
        kind: row.get(2)?,
        part: id(row, 3)?,
        due: row.get::<_, Option<i64>>(4)?.map(Ts),
        about: row.get(5)?,
        body: rows::body(row, 6, vault)?,
    })
}

pub(super) fn reflect(c: &Connection, things: &[Reflect]) -> Result<Vec<bool>> {
    let (mut new, mut changed) = (prepare(c, REFLECTION_NEW)?, prepare(c, REFLECTION_CHANGED)?);
    let mut written = Vec::with_capacity(things.len());
    for one in things {
        let (id, part, due) =
            (one.id.bytes().as_slice(), one.part.bytes().as_slice(), one.due.map(|due| due.0));
        let about = one.about.as_slice();
        let n = if one.read == 0 {
            run(&mut new, params![id, one.kind, part, due, about, one.body.0])?
        } else {
            run(&mut changed, params![id, one.kind, part, due, about, one.body.0, one.read])?
        };
        written.push(n > 0);
    }
    Ok(written)
}

#[async_trait]
impl Mirror for SqliteStore {
    async fn reflections(&self, ids: Vec<ReflectionId>) -> Result<Vec<Reflection>> {
        let vault = self.vault();
        self.connections
            .read(move |c| {
                let mut one = prepare(c, REFLECTION)?;
                let mut found = Vec::with_capacity(ids.len());
                for id in &ids {
                    let row = one.query_row([id.bytes().as_slice()], |row| reflection(row, &vault));
                    found.extend(row.optional().map_err(database)?);
                }
                Ok(found)
            })
            .await
    }

    async fn reflections_of(
        &self,
        kind: &str,
        part: PartId,
        after: Option<ReflectionId>,
        limit: usize,
    ) -> Result<Vec<Reflection>> {
        let (vault, kind) = (self.vault(), kind.to_owned());
        self.connections
            .read(move |c| {
                let after = after.map(|after| after.bytes().to_vec()).unwrap_or_default();
                let given = params![kind, part.bytes().as_slice(), after, most(limit)];
                all(c, REFLECTIONS_OF, given, |row| reflection(row, &vault))
            })
            .await
    }

    async fn reflect(&self, things: Vec<Reflect>) -> Result<Vec<bool>> {
        if things.is_empty() {
            return Ok(Vec::new());
        }
        let sealed = self.vault().aside(move |vault| vault.seal_reflections(things)).await?;
        self.connections.write(move |c| reflect(c, &sealed)).await
    }

    async fn forget_reflections(&self, read: Vec<(ReflectionId, i64)>) -> Result<usize> {
        if read.is_empty() {
            return Ok(0);
        }
        self.connections
            .write(move |c| {
                let mut gone = prepare(c, REFLECTION_GONE)?;
                let mut n = 0;
                for (id, version) in &read {
                    n += run(&mut gone, params![id.bytes().as_slice(), version])?;
                }
                Ok(n)
            })
            .await
    }

    async fn lend_reflections(
        &self,
        kind: &str,
        now: Ts,
        until: Ts,
        limit: usize,
    ) -> Result<Vec<Reflection>> {
        let (kind, asked) = (kind.to_owned(), kind.to_owned());
        // Mostly nothing is due, and looking costs no commit.
        let due = self.connections.read(move |c| all(c, REFLECTION_DUE, params![asked, now.0], |_| Ok(())));
        if due.await?.is_empty() {
            return Ok(Vec::new());
        }
        let vault = self.vault();
        self.connections
            .write(move |c| {
                let given = params![kind, now.0, until.0, most(limit)];
                all(c, REFLECTIONS_LENT, given, |row| reflection(row, &vault))
            })
            .await
    }

    async fn next_reflection(&self, kind: &str) -> Result<Option<Ts>> {
        let kind = kind.to_owned();
        self.connections
            .read(move |c| Ok(all(c, REFLECTION_NEXT, [kind], |row| row.get(0))?.first().copied().map(Ts)))
            .await
    }

    async fn reflection_kinds(&self) -> Result<Vec<String>> {
        self.connections.read(move |c| all(c, REFLECTION_KINDS, [], |row| row.get(0))).await
    }

    async fn count_reflections(&self) -> Result<Vec<(String, i64)>> {
        let count = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        self.connections.read(move |c| all(c, REFLECTION_COUNTS, [], count)).await
    }
}
