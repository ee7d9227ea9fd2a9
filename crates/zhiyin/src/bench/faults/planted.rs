//! The test of the test: stores with a defect each. The fault test must find every one of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_store::flush::Flush;
use zhiyin_store::turn::Turn;
use zhiyin_store::{Result, Store, StoreError, feed};

use super::around::{Around, Wrapped};
use super::chance::Chance;
use super::meddled::locked;

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Now and then a batch is acknowledged and not written.
    LostFlush,
    /// Now and then a batch is written twice, the second time with the turn that the first one left.
    DoubleFlush,
    /// Some members are never woken, and the next of all is said to be woken later than it is.
    SkippedTimer,
    /// Now and then the inbox is marked as decided, and what was decided is not written.
    TornMark,
    /// A batch that was decided in a turn that is over is written with the turn there is now.
    StaleLease,
    /// Now and then whoever follows the change feed does not see one of its entries.
    SkippedEntry,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::LostFlush,
        Self::DoubleFlush,
        Self::SkippedTimer,
        Self::TornMark,
        Self::StaleLease,
        Self::SkippedEntry,
    ];

    /// How it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LostFlush => "a lost flush",
            Self::DoubleFlush => "a double flush",
            Self::SkippedTimer => "a skipped timer",
            Self::TornMark => "a torn mark of the inbox",
            Self::StaleLease => "a stale lease",
            Self::SkippedEntry => "a skipped entry of the feed",
        }
    }
}

/// A defect, and the seed that decides when it shows.
#[derive(Clone, Copy, Debug)]
pub struct Defect {
    /// Which.
    pub kind: Kind,
    /// Decides when.
    pub seed: u64,
}

/// In how many batches such a defect shows once.
const RARE: u64 = 10;

struct Planted {
    inner: Arc<dyn Store>,
    defect: Defect,
    chance: Mutex<Chance>,
    holder: Mutex<String>,
}

/// The store with its defect, if it has one. `n` tells several handles on one home apart.
pub fn around(inner: Arc<dyn Store>, defect: Option<Defect>, n: u32) -> Arc<dyn Store> {
    let Some(defect) = defect else { return inner };
    let chance = Mutex::new(Chance::new(defect.seed.rotate_left(32) ^ u64::from(n)));
    Arc::new(Wrapped(Planted { inner, defect, chance, holder: Mutex::new(String::new()) }))
}

impl Planted {
    fn shows(&self, kind: Kind) -> bool {
        self.defect.kind == kind && locked(&self.chance).one_in(RARE)
    }

    /// Whether a member is among those who are never woken.
    fn forgets(&self, member: MemberId) -> bool {
        u64::from(member.bytes()[0] % 3) == self.defect.seed % 3
    }

    /// Writes with the turn there is now, whoever holds it.
    async fn forced(&self, flush: Flush) -> Result<()> {
        let mut turn = flush.turn.clone();
        for share in self.inner.work().await?.shares {
            if let Some(held) = turn.held.iter_mut().find(|held| held.slot == share.slot) {
                (held.token, held.batch) = (share.token, share.batch);
            }
        }
        self.inner.flush(Flush { turn, ..flush }).await
    }
}

#[async_trait]
impl Around for Planted {
    fn inner(&self) -> &Arc<dyn Store> {
        &self.inner
    }

    async fn lease(&self, holder: &str, ttl: Duration) -> Result<Turn> {
        holder.clone_into(&mut locked(&self.holder));
        self.inner.lease(holder, ttl).await
    }

    async fn due(&self, turn: &Turn, until: Ts, limit: usize) -> Result<Vec<MemberId>> {
        if self.defect.kind != Kind::SkippedTimer {
            return self.inner.due(turn, until, limit).await;
        }
        let mut due = self.inner.due(turn, until, limit + 100).await?;
        due.retain(|member| !self.forgets(*member));
        due.truncate(limit);
        Ok(due)
    }

    async fn next_wake(&self, turn: &Turn) -> Result<Option<Ts>> {
        let wake = self.inner.next_wake(turn).await?;
        let later =
            |wake: Ts| if self.defect.kind == Kind::SkippedTimer { wake.plus_us(DAY_US) } else { wake };
        Ok(wake.map(later))
    }

    async fn feed(&self, after: feed::Position, limit: usize) -> Result<Vec<feed::Entry>> {
        let mut entries = self.inner.feed(after, limit).await?;
        if entries.len() > 1 && self.shows(Kind::SkippedEntry) {
            entries.remove(0);
        }
        Ok(entries)
    }

    async fn flush(&self, flush: Flush) -> Result<()> {
        if self.shows(Kind::LostFlush) {
            return Ok(());
        }
        if self.shows(Kind::TornMark) {
            let Flush { turn, cursor, drained, version, .. } = flush;
            return self.inner.flush(Flush { turn, cursor, drained, version, ..Flush::default() }).await;
        }
        let again =
            (self.shows(Kind::DoubleFlush) || self.defect.kind == Kind::StaleLease).then(|| flush.clone());
        let answer = self.inner.flush(flush).await;
        match (again, &answer) {
            // What the database itself refuses to double it has not doubled.
            (Some(again), Ok(())) if self.defect.kind == Kind::DoubleFlush => {
                let (Ok(()) | Err(_)) = self.forced(again).await;
                answer
            }
            (Some(again), Err(StoreError::Stale)) if self.defect.kind == Kind::StaleLease => {
                // Where the database refuses it the defect has not shown.
                self.forced(again).await.map_err(|_| StoreError::Stale)
            }
            _ => answer,
        }
    }
}
