//! Lists of members that were uploaded by hand: whom conditions name as `audience("press")`.
//!
//! What is kept of one is who is on it, and the look-up hash of the name by which each was found: a list keeps no identifiers.
//! Who ended because they are another is counted as that one, without a row being written; when somebody is parted, those go
//! with them who were found by the names that leave. Each change is in the [feed](crate::feed), so whoever keeps everybody in
//! columns reads them again.

use async_trait::async_trait;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;

use crate::Result;
use crate::seal::LookupHash;

/// A list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// What conditions call it.
    pub name: String,
    /// When it was made, in business time.
    pub made_at: Ts,
    /// When somebody was last put on it or taken off, or an upload began.
    pub changed_at: Ts,
    /// By whom, as the audit log calls them.
    pub changed_by: String,
    /// Which upload is the last one: what an earlier one still says is refused.
    pub round: i64,
}

/// Somebody to be put on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Who.
    pub member: MemberId,
    /// By what name they were found.
    pub named: LookupHash,
}

/// Lists of members. What a list is changed by says its round; [`crate::StoreError::Stale`] where another upload began since,
/// or the list is gone.
#[async_trait]
pub trait Lists: Send + Sync {
    /// All lists, by name.
    async fn lists(&self) -> Result<Vec<List>>;
    /// How many members each list has who are members now, by name; nothing of one that has none.
    async fn list_counts(&self) -> Result<Vec<(String, u64)>>;
    /// How many of its members are members now; 0 of a list that there is not.
    async fn list_count(&self, name: &str) -> Result<u64>;
    /// Begins an upload to a list, which is made if there is none of the name; the number of its round.
    async fn list_begin(&self, name: &str, by: &str, at: Ts) -> Result<i64>;
    /// Puts members on a list: of each name whoever bears it by now, and nobody where nobody does. A name that is the member's own
    /// id is theirs. How many of the names were not on it before.
    async fn list_put(&self, name: &str, round: i64, put: Vec<Listed>, at: Ts) -> Result<u64>;
    /// Takes off whom no upload put from this round on, at most `limit` names; how many.
    async fn list_take(&self, name: &str, round: i64, limit: usize, at: Ts) -> Result<u64>;
    /// Does away with a list, nobody being on it any more; whether there was one.
    async fn list_gone(&self, name: &str, round: i64) -> Result<bool>;
}
