//! What the routes read, as one trait, and the short memory that spares the database a reload storm.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Bytes;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::overview::Overview;

/// How long one reading of the overview answers for: so many times as long as it took, so that however many people have pages open, and
/// however large the home is, at most a tenth of a core is spent on it; but within these bounds.
const OVERVIEW_TIMES: u32 = 10;
const OVERVIEW_KEPT_MIN: Duration = Duration::from_secs(1);
const OVERVIEW_KEPT_MAX: Duration = Duration::from_secs(30);

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

/// Until when it is good, and what was read.
type Kept = Option<(Instant, Result<Bytes, ReadingError>)>;

/// The overview as JSON, read at most once a second, and more seldom where that takes long. Those who ask meanwhile wait for the one
/// reading; a failure is kept as well, for a second, so that a storm does not hammer a database that is down.
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
        if let Some((until, outcome)) = &*kept
            && Instant::now() < *until
        {
            return outcome.clone();
        }
        let began = Instant::now();
        let outcome = self.readings.overview().await.and_then(|overview| encoded(&overview));
        if let Err(error) = &outcome {
            tracing::error!(%error, "overview");
        }
        let kept_for = if outcome.is_ok() { kept_for(began.elapsed()) } else { OVERVIEW_KEPT_MIN };
        *kept = Some((Instant::now() + kept_for, outcome.clone()));
        outcome
    }
}

/// How long a reading that took so long answers for.
fn kept_for(took: Duration) -> Duration {
    took.saturating_mul(OVERVIEW_TIMES).clamp(OVERVIEW_KEPT_MIN, OVERVIEW_KEPT_MAX)
}

fn encoded(overview: &Overview) -> Result<Bytes, ReadingError> {
    serde_json::to_vec(overview)
        .map(Bytes::from)
        .map_err(|error| ReadingError::Failed { reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_to_read_is_read_more_seldom() {
        for (took_ms, kept_ms) in [(0, 1_000), (100, 1_000), (450, 4_500), (2_999, 29_990), (60_000, 30_000)]
        {
            assert_eq!(
                kept_for(Duration::from_millis(took_ms)),
                Duration::from_millis(kept_ms),
                "{took_ms} ms"
            );
        }
        assert_eq!(kept_for(Duration::MAX), OVERVIEW_KEPT_MAX);
    }
}
