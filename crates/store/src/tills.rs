//! Leases of tills as stores keep them: how each stands, in one text, and whom it names beside it.
//!
//! A lease is written together with what it takes of pools, or gives back to them, in one transaction; and changed only by who has
//! read it last: so what is leased is taken once, and what is left comes back once, whoever asks at the same time.

use async_trait::async_trait;
use zhiyin_model::coupon::PoolTake;
use zhiyin_model::till::{Lease, LeasedMember};
use zhiyin_model::time::Ts;

use crate::{Result, StoreError};

/// A lease as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLease {
    /// Its name.
    pub name: String,
    /// How often it was changed, from 1; 0, where it is not there yet.
    pub revision: i64,
    /// When what is left comes back; nothing, once it did.
    pub due: Option<Ts>,
    /// How it stands: a [`Lease`], as JSON.
    pub state: String,
    /// Whom it names, and by what it is told from another one of its name: [`LeasedTo`], as JSON.
    pub members: String,
}

/// Whom a lease names.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeasedTo {
    /// A keyed hash of what was asked.
    pub asked: String,
    /// Members.
    pub members: Vec<LeasedMember>,
}

impl StoredLease {
    /// A lease as it is to be stored.
    pub fn of(lease: &Lease, to: &LeasedTo, revision: i64) -> Result<Self> {
        let text = |error: serde_json::Error| StoreError::Damaged(error.to_string());
        Ok(Self {
            name: lease.name.clone(),
            revision,
            due: lease.ended.is_none().then_some(lease.back_at),
            state: serde_json::to_string(lease).map_err(text)?,
            members: serde_json::to_string(to).map_err(text)?,
        })
    }

    /// How it stands.
    pub fn lease(&self) -> Result<Lease> {
        serde_json::from_str(&self.state).map_err(|error| self.damaged(&error))
    }

    /// Whom it names.
    pub fn to(&self) -> Result<LeasedTo> {
        serde_json::from_str(&self.members).map_err(|error| self.damaged(&error))
    }

    fn damaged(&self, error: &serde_json::Error) -> StoreError {
        StoreError::Damaged(format!("lease {}: {error}", self.name))
    }

    /// What the digest says of it: not whom it names, who are called by what comes from the home's keys.
    pub fn said(&self) -> String {
        format!("lease|{}|{}", self.name, self.state)
    }
}

/// Leases of tills.
#[async_trait]
pub trait Tills: Send + Sync {
    /// A lease by its name.
    async fn lease(&self, name: &str) -> Result<Option<StoredLease>>;
    /// Leases, those that are open first; at most `limit`.
    async fn leases(&self, limit: usize) -> Result<Vec<StoredLease>>;
    /// Open leases of which what is left comes back by an instant, the first first; at most `limit`.
    async fn due(&self, until: Ts, limit: usize) -> Result<Vec<StoredLease>>;
    /// Writes how a lease stands, if its revision is the one that it says (0: it is not there yet), and takes this of pools, each
    /// named once: all of it or nothing. False where somebody was faster; [`StoreError::Short`] where a pool has not as much.
    async fn put(&self, lease: &StoredLease, takes: &[PoolTake]) -> Result<bool>;
}

/// Pools in the order of their names, so that nobody waits for another in a circle.
pub fn in_order(takes: &[PoolTake]) -> Vec<&PoolTake> {
    let mut takes: Vec<&PoolTake> = takes.iter().filter(|take| take.amount != 0).collect();
    takes.sort_by(|a, b| a.pool.cmp(&b.pool));
    takes
}
