//! Waiting until the columns of this process have what was just written: whoever changed something and asks next is answered
//! with it.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use zhiyin_store::feed::Horizon;

use crate::{Engine, Result};

/// How long it is waited for. Whatever is further behind than that says so in its answers.
const PATIENCE: Duration = Duration::from_secs(5);

/// How far the feed was read, by the last time that it was read to its end.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    /// Which time of reading it was.
    round: u64,
    /// Transactions that began before this one were over.
    running: i64,
}

/// How far the feed was read, for whoever waits.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    begun: AtomicU64,
    read: watch::Sender<Read>,
}

impl Awaited {
    /// The feed begins to be read; which time that is.
    pub(super) fn begins(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// It was read to its end, being held back like this before.
    pub(super) fn ends(&self, round: u64, horizon: Horizon) {
        self.read.send_replace(Read { round, running: horizon.running });
    }

    /// Waits until all is read that is committed by now, when the feed is held back like this.
    fn all(&self, horizon: Horizon) -> impl Future<Output = ()> + 'static {
        let (begun, mut read) = (self.begun.load(Ordering::SeqCst), self.read.subscribe());
        async move {
            let all = read.wait_for(|read| read.round > begun && read.running >= horizon.next);
            // Whoever tells of it is gone where this fails: nobody keeps anything then.
            drop(all.await);
        }
    }
}

impl Engine {
    /// Waits until columns that this process keeps have all that is committed by now, a few seconds at most.
    pub(crate) async fn columns_have_it(&self) -> Result<()> {
        if !self.audiences.keeps.load(Ordering::SeqCst) || self.audiences.now().is_none() {
            return Ok(());
        }
        let horizon = self.store().crowd().feed_horizon().await?;
        let all = self.audiences.awaited.all(horizon);
        self.written.send_replace(());
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            tracing::warn!("columns are behind what was written; answers say of when they are");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_begun_to_be_read_before_may_lack_it_and_so_may_what_was_held_back() {
        let awaited = Awaited::default();
        let before = awaited.begins();
        let waits = awaited.all(Horizon { running: 3, next: 5 });
        tokio::pin!(waits);
        let mut is_over = async || {
            tokio::select! { biased; () = &mut waits => true, () = std::future::ready(()) => false }
        };
        assert!(!is_over().await);
        for (round, running, expected) in [(before, 9, false), (awaited.begins(), 4, false)] {
            awaited.ends(round, Horizon { running, next: 9 });
            assert_eq!(is_over().await, expected, "round {round}, running {running}");
        }
        awaited.ends(awaited.begins(), Horizon { running: 5, next: 9 });
        assert!(is_over().await);
    }
}
