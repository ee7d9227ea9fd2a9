//! Typed rows of the mirror, of one account: bodies are JSON, sealed under whom they are about.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use zhiyin_model::event::Identifier;
use zhiyin_model::id::IdKey;
use zhiyin_model::identifier::normalise;
use zhiyin_model::time::Ts;
use zhiyin_store::campaigns::mirror::{PartId, Reflect, Reflection, ReflectionId, reflection_id};
use zhiyin_store::seal::envelope::Subject;
use zhiyin_store::{StoreError, seal};

use super::At;
use crate::{Engine, Result};

/// Whom a row is about: it ends with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About<'a> {
    /// A customer, as the platform calls them.
    Customer(&'a str),
    /// Nobody.
    Nobody,
}

/// A row as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row<T> {
    /// Which.
    pub(crate) id: ReflectionId,
    /// The version that was read.
    pub(crate) version: i64,
    /// What it belongs to.
    pub(crate) part: PartId,
    /// When something is to be done about it.
    pub(crate) due: Option<Ts>,
    /// What it is.
    pub(crate) what: T,
}

/// A row as it is to be from now on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Put<'a, T> {
    /// What kind of thing it is.
    pub(crate) kind: &'a str,
    /// Which.
    pub(crate) id: ReflectionId,
    /// What it belongs to.
    pub(crate) part: PartId,
    /// The version that was read; 0 where there was none.
    pub(crate) read: i64,
    /// When something is to be done about it.
    pub(crate) due: Option<Ts>,
    /// Whom it is about.
    pub(crate) about: About<'a>,
    /// What it is.
    pub(crate) what: &'a T,
}

/// What a home keeps of one account.
pub(crate) struct Kept<'e> {
    pub(super) engine: &'e Engine,
    pub(super) at: &'e At,
    pub(super) key: IdKey,
}

impl Engine {
    /// What is kept of an account.
    pub(crate) async fn kept<'e>(&'e self, at: &'e At) -> Result<Kept<'e>> {
        Ok(Kept { engine: self, at, key: self.home().await?.id_key })
    }
}

impl Kept<'_> {
    /// The id of a thing of this account, or of what things belong to.
    pub(crate) fn id(&self, kind: &str, names: &[&str]) -> ReflectionId {
        reflection_id(&self.key, (self.at.desk.channel(), &self.at.account), kind, names)
    }

    /// A kind as it is stored: of this account.
    fn kind(&self, kind: &str) -> String {
        format!("{}:{}:{kind}", self.at.desk.channel(), self.at.account)
    }

    fn about(&self, about: About<'_>, id: ReflectionId) -> Subject {
        let About::Customer(customer) = about else { return self.key.digest("reflection", &[id.bytes()]) };
        let namespace = self.at.desk.namespace();
        match normalise(namespace, customer) {
            Ok(value) => seal::lookup(&self.key, &Identifier { namespace: namespace.to_owned(), value }),
            // No member can bear such a name.
            Err(_) => self.key.digest("reflection", &[id.bytes()]),
        }
    }

    /// These, as far as they are there. Who was erased is left out: see [`Kept::erased`].
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        ids: Vec<ReflectionId>,
    ) -> Result<BTreeMap<ReflectionId, Row<T>>> {
        let found = self.engine.store().coupons().campaigns().mirror().reflections(ids).await?;
        let mut rows = BTreeMap::new();
        for one in found {
            if let Some(row) = row(one)? {
                drop(rows.insert(row.id, row));
            }
        }
        Ok(rows)
    }

    /// Which of these are of somebody who was erased: nothing is learned of them any more.
    pub(crate) async fn erased(&self, ids: Vec<ReflectionId>) -> Result<BTreeSet<ReflectionId>> {
        let found = self.engine.store().coupons().campaigns().mirror().reflections(ids).await?;
        Ok(found.into_iter().filter(|one| seal::is_erased(&one.body)).map(|one| one.id).collect())
    }

    /// Those of a kind that belong to something, by id, after one; fewer than `limit` may be there though more follow, where some were
    /// erased: the last id of what was looked at is given too, while there may be more.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        kind: &str,
        part: PartId,
        after: Option<ReflectionId>,
        limit: usize,
    ) -> Result<(Vec<Row<T>>, Option<ReflectionId>)> {
        let mirror = self.engine.store().coupons().campaigns().mirror();
        let found = mirror.reflections_of(&self.kind(kind), part, after, limit).await?;
        let last = found.last().map(|one| one.id).filter(|_| found.len() == limit);
        let mut rows = Vec::with_capacity(found.len());
        for one in found {
            rows.extend(row(one)?);
        }
        Ok((rows, last))
    }

    /// Writes rows, each if it still is as it was read; of each whether it was.
    pub(crate) async fn put<T: Serialize>(&self, things: Vec<Put<'_, T>>) -> Result<Vec<bool>> {
        let all: Vec<Reflect> = things.iter().map(|put| self.reflect(put)).collect::<Result<_>>()?;
        Ok(self.engine.store().coupons().campaigns().mirror().reflect(all).await?)
    }

    /// A row as a store takes it.
    pub(crate) fn reflect<T: Serialize>(&self, put: &Put<'_, T>) -> Result<Reflect> {
        let Put { kind, id, part, read, due, about, what } = *put;
        let body = serde_json::to_string(what)
            .map_err(|error| StoreError::Damaged(format!("what a platform showed: {error}")))?;
        let (kind, about) = (self.kind(kind), self.about(about, id));
        Ok(Reflect { id, read, kind, part, due, about, body: seal::seal(&body) })
    }

    /// Takes rows away that still are as they were read.
    pub(crate) async fn forget(&self, read: Vec<(ReflectionId, i64)>) -> Result<usize> {
        Ok(self.engine.store().coupons().campaigns().mirror().forget_reflections(read).await?)
    }

    /// Lends what is due of a kind; nobody else gets it before `until`.
    pub(crate) async fn lend<T: DeserializeOwned>(
        &self,
        kind: &str,
        wall: Ts,
        until: Ts,
        limit: usize,
    ) -> Result<Vec<Row<T>>> {
        let mirror = self.engine.store().coupons().campaigns().mirror();
        let mut rows = Vec::new();
        for one in mirror.lend_reflections(&self.kind(kind), wall, until, limit).await? {
            rows.extend(row(one)?);
        }
        Ok(rows)
    }

    /// When the next of a kind is due.
    pub(crate) async fn next(&self, kind: &str) -> Result<Option<Ts>> {
        Ok(self.engine.store().coupons().campaigns().mirror().next_reflection(&self.kind(kind)).await?)
    }
}

/// A row, opened; nothing where it was erased.
fn row<T: DeserializeOwned>(one: Reflection) -> Result<Option<Row<T>>> {
    let body = match seal::open(&one.body) {
        Err(StoreError::Erased) => return Ok(None),
        body => body?,
    };
    let what = serde_json::from_str(&body)
        .map_err(|error| StoreError::Damaged(format!("what a platform showed: {error}")))?;
    Ok(Some(Row { id: one.id, version: one.version, part: one.part, due: one.due, what }))
}
