//! What can go wrong in a store.

use crate::OWN_SOURCE;

/// What can go wrong below the decisions.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no.
    #[error("database: {0}")]
    Database(String),
    /// Nobody answers: the database is starting anew, or cannot be reached. It may answer later.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// Someone else moved the home on, or has the share now: what was loaded is stale, load again.
    #[error("another process moved the home on")]
    Stale,
    /// Others took of a pool what a batch had counted on: nothing was written, decide again by what is there now.
    #[error("a pool has less left than the batch was decided by")]
    Short,
    /// The file is newer than this program, or was changed by hand.
    #[error("migration {number}: {message}")]
    Migration {
        /// The migration at fault.
        number: u32,
        /// What is wrong.
        message: String,
    },
    /// Something stored cannot be read back.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// What was asked for was erased, and its key destroyed.
    #[error("this was erased")]
    Erased,
    /// Something about the keys of a sealed home.
    #[error("keys: {0}")]
    Keys(String),
    /// The source was first seen with another namespace for `userId`.
    #[error("source {source_name:?} names its users by {known:?}, not {given:?}")]
    SourceNamespace {
        /// The source.
        source_name: String,
        /// As it was first seen.
        known: String,
        /// As it is given now.
        given: String,
    },
    /// The source calls itself what a home calls itself.
    #[error("no source may be called {OWN_SOURCE:?}: that is what the home calls itself")]
    SourceReserved,
    /// The store has stopped.
    #[error("the store has stopped")]
    Stopped,
}

/// Short for results of stores.
pub type Result<T> = std::result::Result<T, StoreError>;
