//! What a store does about personal data beside sealing it: sealing what a home held before, erasing a person, telling all
//! that is known of one.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;

use crate::Result;
use crate::read::MemberWhole;
use crate::seal::Sealed;
use crate::seal::envelope::Subject;
use crate::seal::vault::Vault;

/// An event of a member's timeline, whole.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its place.
    pub seq: i64,
    /// Who sent it.
    pub source: String,
    /// What its source calls it.
    pub message_id: String,
    /// When it happened.
    pub time: Ts,
    /// Event name.
    pub name: String,
    /// The item; erased, or empty where its month was archived and the file does not have it.
    pub body: Sealed,
}

/// Personal data of a home.
#[async_trait]
pub trait Personal: Send + Sync {
    /// Seals by this vault from now on.
    fn keep_vault(&self, vault: Arc<Vault>);
    /// The vault that it seals by.
    fn vault(&self) -> Arc<Vault>;

    /// The home is a sealed one from now on: it bears the mark in place of its id key, and programs that cannot seal are
    /// refused.
    async fn mark_sealed(&self, mark: [u8; 32]) -> Result<()>;
    /// Seals some of what was not sealed yet, at most so many rows of a table; how many are done, 0 when none is left.
    async fn seal_some(&self, limit: usize) -> Result<usize>;
    /// Writes the home's files anew, so that nothing is left in them of what was there before it was sealed.
    async fn rewrite(&self) -> Result<()>;

    /// Subjects under which something of a member is sealed.
    async fn subjects_of(&self, member: MemberId) -> Result<Vec<Subject>>;
    /// Who bears names that are sealed under one of these subjects, or is among these members and bears any name; with under
    /// what those are.
    async fn named_under(
        &self,
        subjects: Arc<BTreeSet<Subject>>,
        members: Arc<BTreeSet<MemberId>>,
    ) -> Result<Vec<(MemberId, Subject)>>;
    /// Erases what is personal of a member, in one transaction; the ledger and sums of orders stay. Whoever holds the member
    /// in memory must read anew. Erasing again changes nothing.
    async fn erase(&self, member: MemberId) -> Result<()>;

    /// All that happened to a member, oldest first.
    async fn timeline(&self, member: MemberId) -> Result<Vec<Told>>;
    /// One member with all transfers and moves; [`crate::Store::member_whole`] shows the latest.
    async fn member_entire(&self, member: MemberId) -> Result<Option<MemberWhole>>;
}
