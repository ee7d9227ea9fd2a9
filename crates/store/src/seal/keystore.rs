//! Where wrapped data keys and the log of erasures lie: outside the home, so that a backup of the home holds neither. Whoever
//! has a home, a backup or an archive without its keystore reads nothing personal; whoever has the keystore without the
//! master key neither.
//!
//! A keystore is asked from threads that may wait. What it was told is on disk when a call returns: a key before anything
//! that is sealed under it.

use serde::{Deserialize, Serialize};

use super::envelope::Subject;
use crate::Result;

/// A secret as it lies in a keystore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped {
    /// The version of the master key that wraps it.
    pub version: i64,
    /// Nonce, ciphertext, tag.
    pub bytes: Vec<u8>,
}

/// What a keystore says of its home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// What the home bears in place of its id key: whose keystore this is.
    pub mark: [u8; 32],
    /// The home's id key, wrapped: what shows whether a master key is the right one.
    pub id_key: Wrapped,
    /// Where the master key is being changed: the id key under the next one.
    pub next: Option<Wrapped>,
    /// Whether the home was unsealed before and is not sealed to its end yet.
    pub sealing: bool,
}

/// What is known of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Its key.
    Key(Wrapped),
    /// Nothing yet.
    Nothing,
    /// It was erased, and its key destroyed.
    Gone,
}

/// An erasure as it was logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// The member.
    pub member: [u8; 16],
    /// Why, as whoever asked for it says.
    pub reason: String,
    /// When, in microseconds of the wall clock.
    pub at: i64,
    /// Whose keys go: nothing is sealed under them any more.
    pub subjects: Vec<Subject>,
    /// Whether it is done, keys destroyed.
    pub done: bool,
}

/// A keystore.
pub trait Keystore: Send + Sync {
    /// Where it is, for people.
    fn place(&self) -> String;
    /// What it says of its home; `None` while there is none.
    fn header(&self) -> Result<Option<Header>>;
    /// Says it.
    fn set_header(&self, header: &Header) -> Result<()>;
    /// What is known of each of these, in their order.
    fn find(&self, subjects: &[Subject]) -> Result<Vec<Found>>;
    /// Adds keys of subjects of which nothing is known; where another process was first, its key stays. Refused when the
    /// master key is not of this version any more.
    fn add(&self, version: i64, keys: &[(Subject, Vec<u8>)]) -> Result<()>;
    /// Keys by subject, from one on.
    fn page(&self, after: Option<Subject>, limit: usize) -> Result<Vec<(Subject, Wrapped)>>;
    /// Puts keys in place of what they were under another master key.
    fn rewrap(&self, keys: &[(Subject, Wrapped)]) -> Result<()>;
    /// The master key was changed: says the header, if no key is left under another version; whether it did.
    fn rotated(&self, header: &Header) -> Result<bool>;
    /// How often something was erased: what was remembered of keys is believed while this stays.
    fn epoch(&self) -> Result<i64>;
    /// Every erasure, oldest first.
    fn erasures(&self) -> Result<Vec<Erasure>>;
    /// Notes an erasure, by member.
    fn log(&self, erasure: &Erasure) -> Result<()>;
    /// Destroys the keys of subjects for good; erasures of these members are done.
    fn destroy(&self, members: &[[u8; 16]], subjects: &[Subject]) -> Result<()>;
    /// Subjects whose keys were destroyed.
    fn gone(&self) -> Result<Vec<Subject>>;
}

/// What a data key is wrapped for.
pub fn purpose(subject: &Subject) -> Vec<u8> {
    [b"zhiyin data key ".as_slice(), subject].concat()
}

/// What the id key is wrapped for.
pub const ID_KEY: &[u8] = b"zhiyin id key";
