//! Rows of the mirror of one account, where nobody speaks to the platform: for what people ask and say.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zhiyin_model::event::Identifier;
use zhiyin_model::id::IdKey;
use zhiyin_model::identifier::normalise;
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::Network;
use zhiyin_store::campaigns::mirror::{Reflect, Reflection, ReflectionId, reflection_id};
use zhiyin_store::{StoreError, seal};

use super::inbox::INBOX;
use super::{About, Kept, Row};
use crate::{Engine, Result};

/// How many rows are read at a time.
const AT_ONCE: usize = 500;

/// Rows of one account.
pub(crate) struct Shelf<'e> {
    engine: &'e Engine,
    key: IdKey,
    network: &'static Network,
    account: String,
}

impl Engine {
    /// Accounts by what the brand calls them: these, and those of which something is known.
    pub(crate) async fn platform_accounts(&self, named: &[String]) -> Result<BTreeSet<String>> {
        let kinds = self.store().coupons().campaigns().mirror().reflection_kinds().await?;
        let known = kinds.iter().filter_map(|kind| {
            let (channel, rest) = kind.split_once(':')?;
            let (account, _) = rest.split_once(':')?;
            (Network::of(channel).is_some() && account != INBOX).then(|| account.to_owned())
        });
        Ok(known.chain(named.iter().cloned()).collect())
    }

    /// What is kept of an account.
    pub(crate) async fn shelf(&self, account: &str) -> Result<Shelf<'_>> {
        let (key, network) = (self.home().await?.id_key, Network::usual());
        Ok(Shelf { engine: self, key, network, account: account.to_owned() })
    }
}

impl<'e> Kept<'e> {
    /// The same rows, for who only reads them.
    pub(super) fn shelf(&self) -> Shelf<'e> {
        let (key, account) = (self.key.clone(), self.at.account.clone());
        let network = Network::of(self.at.desk.channel()).unwrap_or_else(Network::usual);
        Shelf { engine: self.engine, key, network, account }
    }
}

fn unreadable(error: &serde_json::Error) -> StoreError {
    StoreError::Damaged(format!("what a platform showed: {error}"))
}

fn opened<T: DeserializeOwned>(found: Reflection) -> Result<Option<Row<T>>> {
    let body = match seal::open(&found.body) {
        Err(StoreError::Erased) => return Ok(None),
        body => body?,
    };
    let what = serde_json::from_str(&body).map_err(|error| unreadable(&error))?;
    let Reflection { id, version, part, due, .. } = found;
    Ok(Some(Row { id, version, part, due, what }))
}

impl Shelf<'_> {
    /// The id of a thing, or of what things belong to.
    pub(crate) fn id(&self, kind: &str, names: &[&str]) -> ReflectionId {
        reflection_id(&self.key, (self.network.channel, &self.account), kind, names)
    }

    fn kind(&self, kind: &str) -> String {
        format!("{}:{}:{kind}", self.network.channel, self.account)
    }

    /// On which channel.
    pub(crate) fn channel(&self) -> &'static str {
        self.network.channel
    }

    /// When the next of a kind is due.
    pub(crate) async fn next(&self, kind: &str) -> Result<Option<Ts>> {
        Ok(self.engine.store().coupons().campaigns().mirror().next_reflection(&self.kind(kind)).await?)
    }

    /// One row.
    pub(crate) async fn get<T: DeserializeOwned>(&self, id: ReflectionId) -> Result<Option<Row<T>>> {
        let mirror = self.engine.store().coupons().campaigns().mirror();
        match mirror.reflections(vec![id]).await?.pop() {
            Some(found) => opened(found),
            None => Ok(None),
        }
    }

    /// Rows of a kind that belong to something, so many at most.
    pub(crate) async fn all<T: DeserializeOwned>(
        &self,
        kind: &str,
        part: ReflectionId,
        limit: usize,
    ) -> Result<Vec<Row<T>>> {
        let mirror = self.engine.store().coupons().campaigns().mirror();
        let (kind, mut rows, mut after) = (self.kind(kind), Vec::new(), None);
        loop {
            let found = mirror.reflections_of(&kind, part, after, AT_ONCE).await?;
            after = found.last().map(|one| one.id);
            let is_last = found.len() < AT_ONCE;
            for one in found {
                rows.extend(opened(one)?);
            }
            if is_last || rows.len() >= limit {
                return Ok(rows);
            }
        }
    }

    /// Writes new rows, each with what it belongs to; of each whether it was not there before.
    pub(crate) async fn add<T: Serialize>(
        &self,
        kind: &str,
        rows: &[(ReflectionId, ReflectionId, About<'_>, Option<Ts>, &T)],
    ) -> Result<Vec<bool>> {
        let (namespace, mut all) = (self.network.namespace, Vec::with_capacity(rows.len()));
        for (id, part, about, due, what) in rows {
            let name = match about {
                About::Customer(customer) => normalise(namespace, customer).ok(),
                About::Nobody => None,
            };
            let about = match name {
                Some(value) => {
                    seal::lookup(&self.key, &Identifier { namespace: namespace.to_owned(), value })
                }
                None => self.key.digest("reflection", &[id.bytes()]),
            };
            let body = serde_json::to_string(what).map_err(|error| unreadable(&error))?;
            let (kind, body) = (self.kind(kind), seal::seal(&body));
            all.push(Reflect { id: *id, read: 0, kind, part: *part, due: *due, about, body });
        }
        Ok(self.engine.store().coupons().campaigns().mirror().reflect(all).await?)
    }
}
