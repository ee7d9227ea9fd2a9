//! What platforms last showed: a row for each thing that a home has seen there, or has made there. What is seen again and is another is
//! news; what is to be there and is not is work. Times are the wall clock's.
//!
//! A row is changed by who read it as it is ([`Mirror::reflect`]): of two that read the same row one comes first, and the other reads
//! again. What is due is lent to one process at a time ([`Mirror::lend_reflections`]); what was lent and not reflected since is lent to
//! somebody else later. Bodies are sealed under whom they are about, so they end with who is erased.

use async_trait::async_trait;
use zhiyin_model::id::{Id, IdKey};
use zhiyin_model::time::Ts;

use crate::Result;
use crate::dump::Kind;
use crate::seal::Sealed;
use crate::seal::envelope::Subject;

/// Marker of [`ReflectionId`] and [`PartId`].
pub enum ReflectionKind {}
/// One thing: a keyed hash of its channel, account, kind and names.
pub type ReflectionId = Id<ReflectionKind>;
/// What things belong to, under which they are listed: a keyed hash of its channel, account, kind and names.
pub type PartId = Id<ReflectionKind>;

/// The id of a thing, or of what things belong to. `of` is the channel and the brand's account there.
pub fn reflection_id(key: &IdKey, of: (&str, &str), kind: &str, names: &[&str]) -> ReflectionId {
    let mut parts = vec![of.0.as_bytes(), of.1.as_bytes(), kind.as_bytes()];
    parts.extend(names.iter().map(|name| name.as_bytes()));
    key.derive("reflection", &parts)
}

/// A thing as it is to be kept from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reflect {
    /// Which.
    pub id: ReflectionId,
    /// The version that was read; 0 where there was none. Where it is another by now, nothing is written.
    pub read: i64,
    /// What kind of thing it is: 1 to 40 of a-z, 0-9, `_` and `:`.
    pub kind: String,
    /// What it belongs to.
    pub part: PartId,
    /// When something is to be done about it, if anything.
    pub due: Option<Ts>,
    /// What it is sealed under: the look-up hash of the name of whom it is about, or something of its own where it is about nobody.
    pub about: Subject,
    /// What it is; opaque to a store.
    pub body: Sealed,
}

/// A thing as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reflection {
    /// Which.
    pub id: ReflectionId,
    /// Its version: 1 when it was first seen, one more each time.
    pub version: i64,
    /// What kind of thing it is.
    pub kind: String,
    /// What it belongs to.
    pub part: PartId,
    /// When something is to be done about it.
    pub due: Option<Ts>,
    /// What it is sealed under.
    pub about: Subject,
    /// What it is; where it was erased, that it was.
    pub body: Sealed,
}

/// What platforms last showed.
#[async_trait]
pub trait Mirror: Send + Sync {
    /// These, as far as they are there; in no order.
    async fn reflections(&self, ids: Vec<ReflectionId>) -> Result<Vec<Reflection>>;
    /// Those of a kind that belong to something, by id, after one.
    async fn reflections_of(
        &self,
        kind: &str,
        part: PartId,
        after: Option<ReflectionId>,
        limit: usize,
    ) -> Result<Vec<Reflection>>;
    /// Writes things, each if it still is as it was read; of each whether it was written. Durable when this returns.
    async fn reflect(&self, things: Vec<Reflect>) -> Result<Vec<bool>>;
    /// Takes things away that still are as they were read, as (which, version); how many.
    async fn forget_reflections(&self, read: Vec<(ReflectionId, i64)>) -> Result<usize>;
    /// Lends what is due of a kind, what is due first first, at most `limit`: with another version and due at `until`, so that nobody
    /// else gets it before.
    async fn lend_reflections(&self, kind: &str, now: Ts, until: Ts, limit: usize)
    -> Result<Vec<Reflection>>;
    /// When the next of a kind is due.
    async fn next_reflection(&self, kind: &str) -> Result<Option<Ts>>;
    /// Which kinds there are, in order: as quick as there are few of them, however many things there are.
    async fn reflection_kinds(&self) -> Result<Vec<String>>;
    /// How many there are, by kind: all of them are gone through.
    async fn count_reflections(&self) -> Result<Vec<(String, i64)>>;
}

/// Its columns in a dump.
pub(crate) const COLUMNS: [(&str, Kind); 7] = [
    ("id", Kind::Id),
    ("version", Kind::Int),
    ("kind", Kind::Text),
    ("part", Kind::Id),
    ("due", Kind::Int),
    ("about", Kind::Id),
    ("body", Kind::Bytes),
];
