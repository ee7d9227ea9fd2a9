//! How long a question is worked on: until its deadline, or until nobody waits for the answer any more.
//!
//! A question that is dropped (its deadline came, its connection was closed) tells whoever works on it: they stop before the
//! next block of members, and its turn is free for others.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zhiyin_audience::Halt;

use super::AudienceProblem;
use crate::{Result, clock};

/// How long a question may take, unless it is said otherwise.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// The longest that may be asked for, in seconds.
pub const PATIENCE_MAX_SECONDS: u16 = 600;

tokio::task_local! {
    /// When nobody waits any more for what is asked.
    static UNTIL: Instant;
}

/// How long somebody still waits for what is asked just now, for servers that work on it elsewhere; where nobody said how long,
/// the longest that may be asked for.
pub(crate) fn left() -> Duration {
    let left = UNTIL.try_with(|until| until.saturating_duration_since(clock::stopwatch()));
    left.unwrap_or(Duration::from_secs(u64::from(PATIENCE_MAX_SECONDS)))
}

/// An answer, if it comes within so long.
pub async fn within<T>(patience: Duration, answer: impl Future<Output = Result<T>>) -> Result<T> {
    let answer = UNTIL.scope(clock::stopwatch() + patience, answer);
    match tokio::time::timeout(patience, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(AudienceProblem::TookTooLong(patience.as_secs()).into()),
    }
}

/// Somebody who waits for an answer: when they are gone, the work is told.
#[derive(Default)]
pub(crate) struct Waiting(Arc<Halt>);

impl Waiting {
    /// By what the work is told.
    pub(crate) fn halt(&self) -> Arc<Halt> {
        Arc::clone(&self.0)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EngineError;

    #[tokio::test]
    async fn who_works_elsewhere_is_told_how_long_somebody_waits() {
        let most = Duration::from_secs(u64::from(PATIENCE_MAX_SECONDS));
        assert_eq!(left(), most);
        let asked = Duration::from_secs(7);
        let told = within(asked, async { Ok(left()) }).await.unwrap();
        assert!(told > Duration::ZERO && told <= asked, "{told:?}");
    }

    #[tokio::test]
    async fn whoever_is_gone_or_out_of_time_is_worked_for_no_longer() {
        let waiting = Waiting::default();
        let halt = waiting.halt();
        let never = async move {
            let _waiting = waiting;
            std::future::pending::<Result<()>>().await
        };
        let refused = within(Duration::ZERO, never).await.unwrap_err();
        assert!(halt.is_stopped());
        let EngineError::Audience(refused) = refused else { panic!("{refused}") };
        assert_eq!(refused.code(), "audience_took_too_long");
        let waiting = Waiting::default();
        let halt = waiting.halt();
        let asked = async move {
            let _waiting = waiting;
            std::future::pending::<()>().await;
        };
        assert!(!halt.is_stopped());
        drop(asked);
        assert!(halt.is_stopped());
    }
}
