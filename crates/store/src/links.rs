//! What a home keeps of short links: each once, by what its code hashes to, and how often it was followed.
//!
//! Links of messages are written with the batch that says them ([`RunFlush`](crate::campaigns::RunFlush)); others when they are
//! made. Whom a link names is their id and nothing else of them; whoever is erased is taken out of theirs.

use async_trait::async_trait;
use zhiyin_model::id::LinkId;
use zhiyin_model::link::{Followed, Link, LinkCode};
use zhiyin_model::time::Ts;

use crate::Result;

/// A link, and how often it was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLink {
    /// The link.
    pub link: Link,
    /// How often it was clicked.
    pub clicks: i64,
    /// How often its code was scanned.
    pub scans: i64,
}

/// How often a link was followed, in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Which.
    pub link: LinkId,
    /// How.
    pub how: Followed,
    /// How often.
    pub n: i64,
}

/// Short links.
#[async_trait]
pub trait Links: Send + Sync {
    /// Writes links down. One whose code is there already stays as it is.
    async fn put_links(&self, links: Vec<Link>) -> Result<()>;
    /// The link of a code.
    async fn link(&self, code: &LinkCode) -> Result<Option<StoredLink>>;
    /// Links that were made by hand, newest first, after one of them: to one page of the playbook, or all.
    async fn links(
        &self,
        page: Option<&str>,
        after: Option<(Ts, LinkId)>,
        limit: usize,
    ) -> Result<Vec<StoredLink>>;
    /// Adds to how often links were followed; of one that there is not nothing is kept.
    async fn count_links(&self, counts: Vec<Count>) -> Result<()>;
}

/// What the digest says of a link beside whom it names: nothing that comes from the home's keys, nor from the crowd.
pub fn said(link: &Link) -> String {
    let until = link.until.map(|until| until.0);
    let Link { page, to, touchpoint, campaign, message, at, .. } = link;
    format!("|{page}|{to}|{touchpoint:?}|{campaign:?}|{message:?}|{}|{until:?}", at.0)
}
