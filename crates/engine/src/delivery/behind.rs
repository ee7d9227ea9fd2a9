//! How far the inbox is behind: read now and then in the background, and reckoned on in between.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::{Engine, clock};

/// How long a reading is believed.
const KEPT: Duration = Duration::from_secs(1);

/// What waits, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Behind {
    known: Arc<Known>,
    read_at: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Known {
    /// What waited when it was read last.
    waiting: AtomicU64,
    /// What came in since then.
    came: AtomicU64,
    reading: AtomicBool,
}

impl Behind {
    /// So many came in.
    pub(super) fn came(&self, items: usize) {
        self.known.came.fetch_add(items as u64, Ordering::Relaxed);
    }

    /// How many wait at most: what is decided since the last reading is not taken off. Where that is old, another one begins.
    pub(super) fn waiting(&self, engine: &Arc<Engine>) -> u64 {
        if self.is_old() && !self.known.reading.swap(true, Ordering::AcqRel) {
            let (known, store) = (Arc::clone(&self.known), Arc::clone(engine.store()));
            tokio::spawn(async move {
                // What comes in while it is read may be in it, too.
                let before = known.came.load(Ordering::Relaxed);
                match store.work().await {
                    Ok(work) => {
                        let waiting =
                            work.queued + work.shares.iter().map(|share| share.waiting).sum::<i64>();
                        known.waiting.store(waiting.max(0).unsigned_abs(), Ordering::Relaxed);
                        known.came.fetch_sub(before, Ordering::Relaxed);
                    }
                    // What was known goes on being reckoned with, so a store that does not answer closes the door by and by.
                    Err(error) => tracing::warn!(%error, "the inbox does not say how much waits"),
                }
                known.reading.store(false, Ordering::Release);
            });
        }
        self.known.waiting.load(Ordering::Relaxed).saturating_add(self.known.came.load(Ordering::Relaxed))
    }

    fn is_old(&self) -> bool {
        let Ok(mut read_at) = self.read_at.lock() else { return false };
        let old = read_at.is_none_or(|read_at| read_at.elapsed() >= KEPT);
        if old {
            *read_at = Some(clock::stopwatch());
        }
        old
    }
}
