//! A worker: the shares it holds, what it remembers of their members, and its steps.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use prometheus_client::metrics::gauge::Gauge;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::turn::Turn;
use zhiyin_store::{StoreError, Waiting};

use super::batch::Batch;
use super::sweep::{self, Brought};
use super::{CACHE_MEMBERS_MAX, Cache, Step, now, rest};
use crate::measure::{Done, Took};
use crate::{Engine, EngineError, Result, clock};

/// After how long without renewal a share may be taken over.
const LEASE: Duration = Duration::from_secs(3);
/// How often shares are renewed, and those of others that lapsed are taken.
const RENEWAL: Duration = Duration::from_millis(600);

/// How far a row wakes whoever is silent, where timers fire up to `now`. History wakes nobody, and while it comes in nothing
/// else does: what somebody's history spends might lie behind a row that is none, and expire before it is read.
fn wakes(row: &Waiting, now: Ts) -> Ts {
    if row.replay || now == Ts::MIN { Ts::MIN } else { row.clock }
}

/// How many of these rows are one batch. Whoever is silent is woken as far as a batch's first row wakes them; so of what waits
/// beside the cursor, a row that wakes them further than the first begins a batch of its own. Else who is woken before the next
/// row of history would depend on where batches end.
fn together(waiting: &[Waiting], now: Ts) -> usize {
    let Some(first) = waiting.first().map(|row| wakes(row, now)) else { return 0 };
    waiting.iter().position(|row| row.derived && wakes(row, now) > first).unwrap_or(waiting.len())
}

/// One who decides for the shares it holds.
pub(crate) struct Worker {
    holder: String,
    pub(super) turn: Turn,
    leased: Option<Instant>,
    /// Whether the store may have given it shares that it has not given up since, whatever it knows of the answer.
    asked: bool,
    pub(super) cache: Cache,
    /// When it looked last: what happened since, it has not seen.
    looked: u64,
    /// Whether, when it looked last, timers of its shares waited for what others were yet to decide.
    held_back: bool,
    /// Shares that all workers of the process hold.
    held: Gauge,
}

impl Worker {
    pub(crate) fn new(holder: String, held: Gauge) -> Self {
        let (turn, cache) = (Turn::default(), Cache::default());
        Self { holder, turn, leased: None, asked: false, cache, looked: 0, held_back: false, held }
    }

    /// From now on it holds these shares.
    fn holds(&mut self, turn: Turn) {
        self.held.inc_by(turn.held.len() as i64 - self.turn.held.len() as i64);
        self.turn = turn;
    }

    /// Renews its shares when it is time to. Whatever came or went with them is read anew.
    async fn lease(&mut self, engine: &Engine) -> Result<()> {
        if self.leased.is_some_and(|at| at.elapsed() < RENEWAL) && !self.turn.is_empty() {
            return Ok(());
        }
        let at = clock::stopwatch();
        self.asked = true;
        let turn = engine.store().lease(&self.holder, LEASE).await?;
        if !turn.continues(&self.turn) {
            self.cache.forget(0);
        }
        self.holds(turn);
        self.leased = Some(at);
        Ok(())
    }

    /// What it waits for when there is nothing to do: its shares, and since when.
    pub(super) fn waits(&self) -> (Turn, u64) {
        (self.turn.clone(), self.looked)
    }

    /// How many shares it holds.
    pub(super) fn n_held(&self) -> usize {
        self.turn.held.len()
    }

    /// Asks for its part now; whether it has a share that it had not.
    pub(super) async fn gains(&mut self, engine: &Engine) -> Result<bool> {
        let had: BTreeSet<i32> = self.turn.slots().collect();
        self.leased = None;
        self.lease(engine).await?;
        Ok(self.turn.slots().any(|slot| !had.contains(&slot)))
    }

    /// Whether timers of its shares waited for what others were yet to decide: it is to look again once they have.
    pub(super) fn is_held_back(&self) -> bool {
        self.held_back
    }

    /// Believes nothing any more: shares and members are read anew.
    fn doubt(&mut self) {
        self.cache.forget(0);
        self.holds(Turn::default());
        self.leased = None;
    }

    /// Gives up its shares, also those that it lost sight of when something failed.
    pub(super) async fn release(&mut self, engine: &Engine) -> Result<()> {
        if self.asked {
            self.doubt();
            engine.store().release(&self.holder).await?;
            self.asked = false;
        }
        Ok(())
    }

    /// Forgets the members that memory holds between batches.
    pub(crate) fn forget(&mut self) {
        self.cache.forget(0);
    }

    /// Takes one batch of at most `limit` events or timers. `until` is business time as far as timers may fire when
    /// no event waits: business now if none is given.
    pub(super) async fn step(&mut self, engine: &Engine, limit: usize, until: Option<Ts>) -> Result<Step> {
        loop {
            self.lease(engine).await?;
            match self.try_step(engine, limit, until).await {
                Err(EngineError::Store(StoreError::Stale)) => {
                    tracing::info!(holder = self.holder, "another process moved the home on; loading again");
                    engine.measures.stale();
                    self.doubt();
                }
                Err(EngineError::Store(StoreError::Short)) => {
                    tracing::debug!(holder = self.holder, "a pool has less left by now; deciding again");
                    self.cache.forget(0);
                }
                Err(EngineError::Store(StoreError::Erased)) => {
                    tracing::info!(holder = self.holder, "somebody was erased meanwhile; loading again");
                    self.doubt();
                }
                Err(EngineError::Broken(seq)) => {
                    tracing::error!(seq, "a decision broke down; the event becomes a dead letter");
                    engine.measures.broken();
                    self.cache.forget(0);
                    self.cache.broken.events.insert(seq);
                }
                Err(EngineError::Stuck(member)) => self.stuck(engine, member)?,
                Err(error) => {
                    // Whether the batch was written is not known: the record says it.
                    self.doubt();
                    return Err(error);
                }
                done => return done,
            }
        }
    }

    /// A member's timers, or the live version that was to reach them, broke down.
    fn stuck(&mut self, engine: &Engine, member: MemberId) -> Result<()> {
        let version = engine.live()?.version.version;
        tracing::error!(%member, version, "what was due for a member broke down; everybody else goes on");
        engine.measures.stuck();
        self.cache.forget(0);
        self.cache.broken.members.insert(member, version);
        Ok(())
    }

    async fn try_step(&mut self, engine: &Engine, limit: usize, until: Option<Ts>) -> Result<Step> {
        let (store, watch) = (engine.store(), clock::stopwatch());
        self.looked = store.mark();
        let (home, waiting) = tokio::join!(store.home(), store.waiting(&self.turn, limit));
        let (home, mut waiting) = (home?, waiting?);
        // While a data set is replayed, timers of those who stay silent wait until it is in.
        let now = until.unwrap_or_else(|| if home.replaying { Ts::MIN } else { clock::now(&home) });
        waiting.truncate(together(&waiting, now));
        let live = engine.live_at(home.version).await?;
        let cache = &mut self.cache;
        if !cache.sure || cache.version != home.version || cache.states.len() > CACHE_MEMBERS_MAX {
            cache.forget(home.version);
        }
        // History that is being replayed may stand in any order of members: everybody's time is their own until it is in.
        let (mut horizon, sweeps) =
            waiting.first().map_or((now, true), |row| (row.clock, wakes(row, now) > Ts::MIN));
        let at_most = sweep::asked(limit);
        let mut due = if sweeps { store.due(&self.turn, horizon, at_most).await? } else { Vec::new() };
        self.held_back = false;
        // Nothing can be decided here, but others may be about to reach these members: their time does not run ahead of that.
        if waiting.is_empty()
            && !due.is_empty()
            && let Some(ahead) = store.ahead(&self.turn).await?
        {
            horizon = horizon.min(ahead.clock);
            self.held_back = true;
            due = if ahead.replay { Vec::new() } else { store.due(&self.turn, horizon, at_most).await? };
        }
        let mut step = Step { at: horizon, ..Step::default() };
        if due.is_empty() && waiting.is_empty() {
            cache.sure = true;
            return Ok(Step { idle: true, ..step });
        }
        // Until the batch is written, memory is ahead of the record: what ends here in the middle, by an error or because
        // nobody waits for it any more, must leave nothing that the next batch would believe.
        cache.sure = false;
        if due.len() > limit {
            step.timers = self.sweep(engine, (&home, &live), (&due, Brought::Due(horizon)), limit).await?.n;
            self.cache.sure = true;
            return Ok(step);
        }
        if due.is_empty() && waiting.len() == limit && at_most > limit && sweep::issued(&waiting) == limit {
            let mut waiting = store.waiting(&self.turn, at_most).await?;
            waiting.truncate(sweep::issued(&waiting));
            let members: Vec<MemberId> = waiting.iter().filter_map(|row| row.member).collect();
            let brought = (members.as_slice(), Brought::Items(&waiting));
            let swept = self.sweep(engine, (&home, &live), brought, limit).await?;
            (step.events, step.dead) = (swept.n, swept.dead);
            step.at = waiting.get(step.events.saturating_sub(1)).map_or(horizon, |row| row.clock);
            self.cache.sure = true;
            return Ok(step);
        }
        let wait = watch.elapsed();
        let mut batch = Batch::new(store.as_ref(), &live, &home, (&self.turn, cache), engine.decisions);
        if due.is_empty() {
            (step.events, step.dead) = batch.events(&waiting).await?;
            step.at = waiting.get(step.events.saturating_sub(1)).map_or(horizon, |row| row.clock);
        } else {
            step.timers = batch.wake(&due, horizon).await?;
        }
        let (timers, load) = (batch.fired, batch.loading);
        let flush = batch.finish()?;
        let (dead, refusals): (Vec<i64>, Vec<_>) =
            flush.dead.iter().map(|letter| (letter.seq, letter.refusal.code)).unzip();
        let (cursor, decided) = (flush.cursor, watch.elapsed());
        store.flush(flush).await?;
        engine.written.send_replace(());
        self.turn.moved(cursor);
        self.cache.sure = true;
        self.cache.broken.events.retain(|seq| !dead.contains(seq));
        let decide = decided.saturating_sub(wait + load);
        let took = Took { wait, load, decide, flush: watch.elapsed().saturating_sub(decided) };
        engine.measures.batch(&Done { events: step.events, timers, refusals, took });
        Ok(step)
    }

    /// Judges members of its shares whom the live version has not reached yet, in batches; the version that has reached all
    /// of them then.
    pub(super) async fn catch_up(&mut self, engine: &Engine, limit: usize, reached: i64) -> Result<i64> {
        let home = engine.home().await;
        if home.is_err() {
            self.doubt();
        }
        let version = home?.version;
        if version == reached {
            return Ok(reached);
        }
        self.reach_all(engine, limit).await?;
        Ok(version)
    }

    /// The same whatever has reached them; how many were.
    pub(crate) async fn reach_all(&mut self, engine: &Engine, limit: usize) -> Result<u64> {
        let done = self.try_reach_all(engine, limit).await;
        if done.is_err() {
            self.doubt();
        }
        done
    }

    async fn try_reach_all(&mut self, engine: &Engine, limit: usize) -> Result<u64> {
        let mut n = 0;
        // Whom it looked behind last, and as of what: whoever lies before was reached, unless a share or a version came meanwhile.
        let (mut after, mut as_of) = (None, None);
        loop {
            self.lease(engine).await?;
            engine.reload().await?;
            let Ok(live) = engine.live() else { return Ok(n) };
            let (store, version) = (engine.store(), live.version.version);
            let held: Vec<(i32, i64)> = self.turn.held.iter().map(|held| (held.slot, held.token)).collect();
            if as_of.as_ref() != Some(&(held.clone(), version)) {
                (after, as_of) = (None, Some((held, version)));
            }
            let members = store.members_behind(Some(&self.turn), version, after, sweep::asked(limit)).await?;
            if members.is_empty() {
                return Ok(n);
            }
            match self.reach(engine, &members, limit).await {
                // Another process decided something meanwhile: whom it has not reached is asked anew.
                Err(EngineError::Store(StoreError::Stale)) => {
                    engine.measures.stale();
                    self.doubt();
                }
                Err(EngineError::Store(StoreError::Erased)) => self.doubt(),
                Err(EngineError::Stuck(member)) => self.stuck(engine, member)?,
                Err(error) => return Err(error),
                Ok(reached) => {
                    n += reached as u64;
                    after = reached.checked_sub(1).and_then(|last| members.get(last).copied()).or(after);
                }
            }
        }
    }

    /// The live playbook reaches members; how many of them.
    async fn reach(&mut self, engine: &Engine, members: &[MemberId], limit: usize) -> Result<usize> {
        let (home, live) = (engine.home().await?, engine.live()?);
        self.cache.forget(home.version);
        let reached = self.sweep(engine, (&home, &live), (members, Brought::Version), limit).await?;
        self.cache.forget(home.version);
        Ok(reached.n)
    }

    /// How long there is nothing to do.
    pub(super) async fn pause(&self, engine: &Engine) -> Result<Duration> {
        let next = engine.store().next_wake(&self.turn).await?;
        Ok(rest(next, now(engine).await?))
    }
}
