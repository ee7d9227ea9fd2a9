//! The pipeline: batch → load → decide → flush.
//!
//! A batch is either timers that are due, or the next events in order. Within it, everything happens one after the
//! other and member by member: before an event of a member their own timers up to the event's clock fire, then the
//! event is decided, then what it made due fires. So the state does not depend on where batches begin and end. A
//! batch ends early (is *cut*) before an event of a member to whom it said something, which comes first; or when a
//! decision must look up rows of a member that this batch has changed and not yet written.
//!
//! A home's members fall into shares, and a worker decides for those it holds ([`Worker`]): several workers of one
//! process, or of several, share a home without seeing each other. What they write is refused if a share went to
//! somebody else meanwhile.

mod batch;
mod item;
mod lookup;
mod persons;
mod sweep;
mod timers;
mod worker;

pub(crate) use persons::parting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use zhiyin_decide::naming::FoundBy;
use zhiyin_decide::state::State;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::StoreError;
use zhiyin_store::turn::Turn;

use crate::boxed;
use crate::{Engine, Result, clock};
pub(crate) use worker::Worker;

/// How many members stay in memory between batches.
const CACHE_MEMBERS_MAX: usize = 16_384;
/// How long a batch is gathered once something came in: those who send at the same time are written together.
const GATHER: Duration = Duration::from_millis(2);
/// How long to wait before trying a database again that did not answer.
const OUT_OF_REACH: Duration = Duration::from_millis(500);
/// How long to wait before asking again for what others hold.
pub(crate) const OTHERS_AT_WORK: Duration = Duration::from_millis(20);
/// How long to wait before looking anew for what nobody told of.
const UNTOLD: Duration = Duration::from_millis(250);
/// The longest a worker rests: shares must be renewed, and a hint that something came in may have been lost.
const REST_MAX_US: i64 = 500_000;

/// Members as the last batch left them. Valid only as long as the shares stay with the worker.
#[derive(Default)]
pub struct Cache {
    version: i64,
    /// False while memory is ahead of the record: what ends in the middle of a batch must leave nothing to believe.
    sure: bool,
    /// Each by itself, so that who comes and goes moves nobody else.
    pub(crate) states: BTreeMap<MemberId, Box<State>>,
    /// When each of these members is filed to be woken, as far as they have timers.
    pub(crate) wakes: BTreeMap<MemberId, Ts>,
    /// By what those of these members who are found by anything are found in the index, as far as it is right.
    pub(crate) found_by: BTreeMap<MemberId, FoundBy>,
    pub(crate) broken: Broken,
}

/// What a worker has seen break down.
#[derive(Default)]
pub(crate) struct Broken {
    /// Rows whose decision did: they become dead letters unseen.
    pub(crate) events: BTreeSet<i64>,
    /// Members whose timers did, or a version of the playbook that was to reach them; and which version was live.
    pub(crate) members: BTreeMap<MemberId, i64>,
}

impl Broken {
    /// Whether a member waits for another version than this.
    pub(crate) fn is_stuck(&self, member: MemberId, version: i64) -> bool {
        self.members.get(&member) == Some(&version)
    }
}

impl Cache {
    /// Nothing known of members, as of a version.
    fn forget(&mut self, version: i64) {
        let broken = std::mem::take(&mut self.broken);
        *self = Self { version, broken, ..Self::default() };
    }
}

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

impl Step {
    fn and(&mut self, step: Self) {
        self.events += step.events;
        self.dead += step.dead;
        self.timers += step.timers;
        self.at = self.at.max(step.at);
    }
}

impl Engine {
    /// Decides all that waits, until nothing does in any share, and fires timers up to `until` (business now if none is
    /// given) in the shares that nobody else holds; tells `seen` of each step. Gives up its shares when it is done.
    pub async fn drain(
        &self,
        limit: usize,
        until: Option<Ts>,
        seen: impl FnMut(Step) + Send,
    ) -> Result<Step> {
        let done = self.drain_holding(limit, until, seen).await;
        self.release().await?;
        done
    }

    /// The same, and keeps its shares: there is more to come.
    pub(crate) async fn drain_holding(
        &self,
        limit: usize,
        until: Option<Ts>,
        seen: impl FnMut(Step) + Send,
    ) -> Result<Step> {
        let told = Mutex::new((Step { at: Ts::MIN, ..Step::default() }, seen));
        loop {
            let moved = AtomicBool::new(false);
            // How many of these workers have something to do.
            let (at_work, _) = watch::channel(self.workers.len());
            let all = self.workers.iter().map(async |worker| {
                let mut worker = worker.lock().await;
                let mut others = at_work.subscribe();
                loop {
                    let step = worker.step(self, limit, until).await?;
                    if let Ok(mut told) = told.lock() {
                        told.0.and(step);
                        if !step.idle {
                            (told.1)(step);
                        }
                    }
                    if !step.idle {
                        moved.store(true, Ordering::Relaxed);
                        continue;
                    }
                    at_work.send_modify(|n| *n -= 1);
                    // What this one waits for may be what another of them decides.
                    let (turn, looked) = worker.waits();
                    tokio::select! {
                        _ = others.wait_for(|n| *n == 0) => {}
                        () = self.store().stirred(&turn, looked) => {}
                        () = tokio::time::sleep(UNTOLD) => {}
                    }
                    if !at_work.send_if_modified(|n| {
                        let goes_on = *n > 0;
                        *n += usize::from(goes_on);
                        goes_on
                    }) {
                        return Ok::<_, crate::EngineError>(());
                    }
                }
            });
            futures_util::future::try_join_all(all).await?;
            if !self.store().any_waiting().await? {
                // What held timers back is decided by now, and whoever it held back had looked before that. A share that was
                // given up for another of these workers may be in nobody's hands yet.
                if self.is_held_back().await || self.gains().await? {
                    continue;
                }
                let total = told.into_inner().map(|told| told.0).unwrap_or_default();
                return Ok(Step { idle: true, ..total });
            }
            // What is left waits for what one of these workers has done meanwhile, or is in others' hands.
            if !moved.into_inner() {
                let (turn, looked) = self.waits().await;
                tokio::select! {
                    () = self.store().stirred(&turn, looked) => {}
                    () = tokio::time::sleep(OTHERS_AT_WORK) => {}
                }
            }
        }
    }

    /// Whether any worker's timers waited for what others were yet to decide, when it looked last.
    async fn is_held_back(&self) -> bool {
        for worker in &self.workers {
            if worker.lock().await.is_held_back() {
                return true;
            }
        }
        false
    }

    /// Whether these workers find shares that nobody holds: what is due in them nobody has looked at.
    async fn gains(&self) -> Result<bool> {
        let mut held = 0;
        for worker in &self.workers {
            held += worker.lock().await.n_held();
        }
        if held as i64 >= i64::from(self.home().await?.slots) {
            return Ok(false);
        }
        // What one of them gives up the others find in the round after.
        let mut gained = false;
        for worker in self.workers.iter().chain(&self.workers) {
            gained |= worker.lock().await.gains(self).await?;
        }
        Ok(gained)
    }

    /// What all workers wait for: their shares, and since when the first of them has not looked.
    async fn waits(&self) -> (Turn, u64) {
        let (mut turn, mut since) = (Turn::default(), u64::MAX);
        for worker in &self.workers {
            let (held, looked) = worker.lock().await.waits();
            turn.held.extend(held.held);
            since = since.min(looked);
        }
        (turn, since)
    }

    /// Takes one batch of at most `limit` events or timers, if there is one, and keeps its shares.
    #[boxed]
    pub async fn step(&self, limit: usize, until: Option<Ts>) -> Result<Step> {
        let mut step = Step { idle: true, ..Step::default() };
        for worker in &self.workers {
            step = worker.lock().await.step(self, limit, until).await?;
            if !step.idle {
                break;
            }
        }
        Ok(step)
    }

    /// Gives up all shares, so that others need not wait for them to lapse.
    #[boxed]
    pub async fn release(&self) -> Result<()> {
        for worker in &self.workers {
            worker.lock().await.release(self).await?;
        }
        Ok(())
    }

    /// Works until told to stop: batches as events come in, timers as they fall due, members behind the playbook.
    pub async fn run(&self, limit: usize, stop: impl Future<Output = ()>) -> Result<()> {
        let all = self.workers.iter().map(|worker| async {
            let mut woken = self.woken.subscribe();
            // The version that is known to have reached all of these shares: asking costs a look at every member.
            let mut reached = 0;
            loop {
                // Whatever happens from here on it hears of, should it not find it itself.
                let mut waits = (Turn::default(), self.store().mark());
                let pause = match self.work(worker, limit, &mut reached, &mut waits).await {
                    // What decides goes on as soon as it is back; /readyz says so meanwhile.
                    Err(crate::EngineError::Store(StoreError::Unreachable(why))) => {
                        tracing::warn!(why, "the database cannot be reached; trying again");
                        OUT_OF_REACH
                    }
                    pause => pause?,
                };
                tokio::select! {
                    changed = woken.changed() => {
                        if changed.is_ok() {
                            tokio::time::sleep(GATHER).await;
                        }
                    }
                    () = self.store().stirred(&waits.0, waits.1) => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
        });
        let work = futures_util::future::try_join_all(all);
        let done: Result<()> = tokio::select! {
            done = work => done.map(|_: Vec<()>| ()),
            () = stop => Ok(()),
        };
        self.release().await?;
        done
    }

    /// One worker decides all that there is to decide; how long it may rest then, and what it waits for.
    async fn work(
        &self,
        worker: &tokio::sync::Mutex<Worker>,
        limit: usize,
        reached: &mut i64,
        waits: &mut (Turn, u64),
    ) -> Result<Duration> {
        let mut worker = worker.lock().await;
        while !worker.step(self, limit, None).await?.idle {}
        *waits = worker.waits();
        *reached = worker.catch_up(self, limit, *reached).await?;
        worker.pause(self).await
    }
}

/// Until the next timer, and never longer than a worker may rest.
fn rest(next: Option<Ts>, now: Ts) -> Duration {
    let left_us = next.unwrap_or(Ts::FOREVER).0.saturating_sub(now.0).clamp(1_000, REST_MAX_US);
    Duration::from_micros(left_us.unsigned_abs())
}

/// Business now.
async fn now(engine: &Engine) -> Result<Ts> {
    Ok(clock::now(&engine.home().await?))
}
