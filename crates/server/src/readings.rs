//! What the routes read, as one trait, and the short memory that spares the database a reload storm.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Bytes;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::overview::Overview;

/// How long one reading of the overview answers for.
const OVERVIEW_KEPT: Duration = Duration::from_secs(1);

/// What the server shows. The engine implements it over its store.
#[async_trait]
pub trait Readings: Send + Sync + 'static {
    /// The whole overview, from one snapshot.
    async fn overview(&self) -> Result<Overview, ReadingError>;
    /// Whether work can be taken; the reason why not is logged, not shown. One that takes too long is a no.
    async fn ready(&self) -> Result<(), String>;
    /// What is measured, in the text format of Prometheus, version 0.0.4. It bounds itself: in time, and in what it asks of
    /// the database.
    async fn metrics(&self) -> String;
}

/// Why a reading could not be had. The reason goes to the log, never to the reader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadingError {
    /// It may work shortly: starting, stopping, or busy beyond the limit.
    #[error("cannot be read right now: {reason}")]
    Unavailable {
        /// For the log.
        reason: String,
    },
    /// It failed, and will likely fail again.
    #[error("reading failed: {reason}")]
    Failed {
        /// For the log.
        reason: String,
    },
}

type Kept = Option<(Instant, Result<Bytes, ReadingError>)>;

/// The overview as JSON, read at most once a second. Those who ask meanwhile wait for the one reading;
/// a failure is kept as long as a success, so that a storm does not hammer a database that is down.
pub(crate) struct OverviewMemory {
    readings: Arc<dyn Readings>,
    kept: Mutex<Kept>,
}

impl OverviewMemory {
    pub(crate) fn new(readings: Arc<dyn Readings>) -> Self {
        Self { readings, kept: Mutex::new(None) }
    }

    pub(crate) async fn json(&self) -> Result<Bytes, ReadingError> {
        let mut kept = self.kept.lock().await;
        if let Some((read_at, outcome)) = &*kept
            && read_at.elapsed() < OVERVIEW_KEPT
        {
            return outcome.clone();
        }
        let outcome = self.readings.overview().await.and_then(|overview| encoded(&overview));
        if let Err(error) = &outcome {
            tracing::error!(%error, "overview");
        }
        *kept = Some((Instant::now(), outcome.clone()));
        outcome
    }
}

fn encoded(overview: &Overview) -> Result<Bytes, ReadingError> {
    serde_json::to_vec(overview)
        .map(Bytes::from)
        .map_err(|error| ReadingError::Failed { reason: error.to_string() })
}
