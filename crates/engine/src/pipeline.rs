//! The pipeline: batch → load → decide → flush.
//!
//! A batch is either timers that are due, or the next events in order. Within it, everything happens one after the
//! other and member by member: before an event of a member their own timers up to the event's clock fire, then the
//! event is decided, then what it made due fires. So the state does not depend on where batches begin and end. A
//! batch ends early (is *cut*) when an event made derived events for other members, which come before the next
//! event; or when a decision must look up rows of a member that this batch has changed and not yet written.

mod batch;
mod lookup;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use zhiyin_decide::state::State;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::flush::Flush;
use zhiyin_store::seal::LookupHash;
use zhiyin_store::{Home, Store, StoreError};

use crate::{Engine, Live, Result, clock};
use batch::Batch;

/// How many members stay in memory between batches.
const CACHE_MEMBERS_MAX: usize = 16_384;

/// Members as the last batch left them. Valid only as long as nobody else moves the home on.
#[derive(Default)]
pub struct Cache {
    batch: i64,
    version: i64,
    pub(crate) states: BTreeMap<MemberId, State>,
    pub(crate) identifiers: BTreeMap<LookupHash, MemberId>,
    /// When each of these members is filed to be woken, as far as they have timers.
    pub(crate) wakes: BTreeMap<MemberId, Ts>,
    /// Rows whose decision broke down: they become dead letters unseen.
    pub(crate) broken: BTreeSet<i64>,
}

impl Cache {
    /// Nothing known of members, as of a batch and a version.
    fn forget(&mut self, batch: i64, version: i64) {
        let broken = std::mem::take(&mut self.broken);
        *self = Self { batch, version, broken, ..Self::default() };
    }
}

/// How long a batch is gathered once something came in: those who send at the same time are written together.
const GATHER: Duration = Duration::from_millis(2);

/// The number of no batch: a cache that bears it is not believed.
const UNSURE: i64 = -1;

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Events decided, dead letters included.
    pub events: usize,
    /// Of these, dead letters.
    pub dead: usize,
    /// Members woken for their timers.
    pub timers: usize,
    /// Business time it reached.
    pub at: Ts,
    /// True when nothing waited and nothing was due.
    pub idle: bool,
}

/// The flush by which the live playbook reaches members.
pub(crate) async fn reach(
    store: &dyn Store,
    live: &Live,
    home: &Home,
    cache: &mut Cache,
    members: &[MemberId],
) -> Result<Flush> {
    let mut batch = Batch::new(store, live, home, cache, zhiyin_decide::decide);
    batch.reach(members).await?;
    batch.finish()
}

impl Engine {
    /// Takes one batch of at most `limit` events or timers. `until` is business time as far as timers may fire when
    /// no event waits: business now if none is given.
    pub async fn step(&self, limit: usize, until: Option<Ts>) -> Result<Step> {
        let mut cache = self.cache.lock().await;
        loop {
            match self.try_step(&mut cache, limit, until).await {
                Err(crate::EngineError::Store(StoreError::Stale)) => {
                    tracing::info!("another process moved the home on; loading again");
                    cache.forget(UNSURE, 0);
                }
                Err(crate::EngineError::Broken(seq)) => {
                    tracing::error!(seq, "a decision broke down; the event becomes a dead letter");
                    cache.forget(UNSURE, 0);
                    cache.broken.insert(seq);
                }
                done => return done,
            }
        }
    }

    async fn try_step(&self, cache: &mut Cache, limit: usize, until: Option<Ts>) -> Result<Step> {
        let home = self.home().await?;
        if self.live.read().ok().and_then(|live| live.as_ref().map(|live| live.version.version))
            != Some(home.version)
        {
            self.reload().await?;
        }
        let live = self.live()?;
        if (cache.batch, cache.version) != (home.batch, home.version)
            || cache.states.len() > CACHE_MEMBERS_MAX
        {
            cache.forget(home.batch, home.version);
        }
        let now = until.unwrap_or_else(|| clock::now(&home));
        let waiting = self.store().waiting(limit).await?;
        // History that is being replayed may stand in any order of members: everybody's time is their own until it is in.
        let (horizon, sweeps) = waiting.first().map_or((now, true), |row| (row.clock, !row.replay));
        let due = if sweeps { self.store().due(horizon, limit).await? } else { Vec::new() };
        // Until the batch is written, memory is ahead of the record: what ends here in the middle, by an error or because
        // nobody waits for it any more, must leave nothing that the next batch would believe.
        cache.batch = UNSURE;
        let mut batch = Batch::new(self.store().as_ref(), &live, &home, cache, self.decider);
        let mut step = Step { at: horizon, ..Step::default() };
        if !due.is_empty() {
            step.timers = batch.wake(&due, horizon).await?;
        } else if !waiting.is_empty() {
            (step.events, step.dead) = batch.events(&waiting).await?;
            step.at = waiting.get(step.events.saturating_sub(1)).map_or(horizon, |row| row.clock);
        } else {
            cache.batch = home.batch;
            return Ok(Step { idle: true, ..step });
        }
        let flush = batch.finish()?;
        let dead: Vec<i64> = flush.dead.iter().map(|letter| letter.seq).collect();
        self.store().flush(flush).await?;
        cache.batch = home.batch + 1;
        cache.broken.retain(|seq| !dead.contains(seq));
        Ok(step)
    }

    /// Steps until nothing waits and nothing is due; tells `seen` of each step.
    pub async fn drain(&self, limit: usize, until: Option<Ts>, mut seen: impl FnMut(Step)) -> Result<Step> {
        let mut total = Step::default();
        loop {
            let step = self.step(limit, until).await?;
            total.events += step.events;
            total.dead += step.dead;
            total.timers += step.timers;
            total.at = step.at;
            if step.idle {
                return Ok(total);
            }
            seen(step);
        }
    }

    /// Works until told to stop: batches as events come in, timers as they fall due, members behind the playbook.
    pub async fn run(&self, limit: usize, stop: impl Future<Output = ()>) -> Result<()> {
        let work = async {
            // The version that is known to have reached everybody: asking costs a look at every member.
            let mut reached = 0;
            loop {
                self.drain(limit, None, |_| ()).await?;
                let version = self.home().await?.version;
                if version != reached {
                    self.catch_up_playbook(limit).await?;
                    reached = version;
                }
                let pause = self.pause().await?;
                tokio::select! {
                    () = self.woken.notified() => tokio::time::sleep(GATHER).await,
                    () = tokio::time::sleep(pause) => {}
                }
            }
        };
        tokio::select! {
            done = work => done,
            () = stop => Ok(()),
        }
    }

    /// Until the next timer, and never longer than a second: another process may have put something in.
    async fn pause(&self) -> Result<std::time::Duration> {
        let home = self.home().await?;
        let next = self.store().next_wake().await?.unwrap_or(Ts::FOREVER);
        let left_us = next.0.saturating_sub(clock::now(&home).0).clamp(1_000, 1_000_000);
        Ok(std::time::Duration::from_micros(left_us.unsigned_abs()))
    }
}
