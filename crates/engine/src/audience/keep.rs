//! Keeping everybody in columns, fresh from the change feed: built of the record once, then whoever changed is read again and
//! replaced whole. What is kept is held against the record a few members at a time; a difference is counted and healed.

mod awaited;
pub mod held;
mod marked;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError, RwLock};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use zhiyin_audience::population::{Budget, Change, Population, Seen};
use zhiyin_audience::snapshot;
use zhiyin_audience::{OverBudget, Person};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::feed::{Horizon, Position};

use super::asking::layout;
use super::fresh::{Freshness, told_of};
use super::pasts::{self, Pasts};
use super::reading::done;
use super::reconcile::Rounds;
use super::{AudienceProblem, person};
use crate::boxed;
use crate::{Engine, EngineError, Live, Result, clock};

/// Entries of the feed that are read at once.
const ENTRIES: usize = 64;
/// Members that are read again at once.
const MEMBERS: usize = 500;
/// How long it rests where nothing came; a batch of this process wakes it earlier.
pub(super) const REST: Duration = Duration::from_millis(250);
/// How long it waits before trying again what failed.
const AGAIN: Duration = Duration::from_secs(1);
/// How long it waits before building again what would take too much memory.
const OVER: Duration = Duration::from_secs(60);
/// How often in a row it fails before it builds anew.
const FAILS_MAX: usize = 600;
/// How often a snapshot is written.
const SAVE_EVERY: Duration = Duration::from_secs(600);
/// Questions that are worked on at once; others wait for their turn.
const QUESTIONS: usize = 8;
/// How often it notes in the home how far it came.
const NOTE_EVERY: Duration = Duration::from_secs(1);
/// How often it looks whether past days are kept for nobody.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How everybody is kept.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// Bytes that the columns may take.
    pub bytes: usize,
    /// As whom it follows the change feed; two processes do not bear one name.
    pub consumer: String,
    /// Where snapshots of the columns lie, to begin from when the process starts again. What is in them is in the clear: of a
    /// sealed home none is made.
    pub folder: Option<PathBuf>,
}

/// What is kept.
pub(crate) struct Kept {
    pub(super) population: Arc<Population>,
    freshness: StdMutex<Freshness>,
    /// Up to where of the feed it has all.
    position: StdMutex<Position>,
}

impl Kept {
    /// What stands at a position of the feed, and when nothing was missing, if that is known.
    pub(super) fn begun(
        population: impl Into<Arc<Population>>,
        fresh: Option<Ts>,
        position: Position,
    ) -> Arc<Self> {
        let (freshness, position) = (StdMutex::new(Freshness::of(fresh)), StdMutex::new(position));
        Arc::new(Self { population: population.into(), freshness, position })
    }

    pub(super) fn position(&self) -> Position {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Business time at which nothing was missing, once that is known.
    pub(super) fn fresh(&self) -> Option<Ts> {
        self.freshness.lock().unwrap_or_else(PoisonError::into_inner).fresh()
    }

    fn read_to_the_end(&self, now: Ts, horizon: Horizon) {
        self.freshness.lock().unwrap_or_else(PoisonError::into_inner).read_to_the_end(now, horizon);
    }
}

/// Somebody who keeps everybody fresh.
pub struct Keeper {
    pub(super) kept: Arc<Kept>,
    pub(super) live: Arc<Live>,
    /// As whom the feed is followed for this.
    pub(super) consumer: String,
}

/// What came of taking in a part of the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was as much as is taken at once: there may be more.
    Part,
    /// That was all there was.
    All,
    /// Nothing: the playbook means other columns by now, or somebody let go of the feed, and what was in it is lost.
    Nothing,
}

pub(super) enum State {
    /// Nothing is: who asks has the columns built for the question.
    Nothing,
    /// It is being built, or cannot be: why.
    NotYet(&'static str),
    /// It would take more memory than it may.
    Over(OverBudget),
    Kept(Arc<Kept>),
}

/// What a process keeps of everybody.
pub(crate) struct Audiences {
    state: RwLock<State>,
    pub(super) budget: RwLock<Budget>,
    building: Arc<Mutex<()>>,
    /// Past days that were asked for.
    pub(super) pasts: Pasts,
    /// How often everybody was begun to be kept.
    era: AtomicU64,
    /// Whether this process follows the feed under a name of its own, so that nothing is forgotten that it has not read.
    pub(super) follows: AtomicBool,
    /// Whether this process keeps everybody all the while.
    keeps: AtomicBool,
    /// How far the feed was read.
    awaited: awaited::Awaited,
    /// How standing audiences stood when they were last held against their conditions.
    reconciled: RwLock<held::Reconciled>,
    /// Turns of questions: each works on all cores, and some hold a list of everybody.
    pub(crate) turns: Arc<Semaphore>,
}

/// Columns built for one question are there alone: others wait until it is answered.
pub(crate) type Alone = OwnedMutexGuard<()>;

impl Default for Audiences {
    fn default() -> Self {
        let budget = RwLock::new(Budget::default());
        let (building, turns) = (Arc::default(), Arc::new(Semaphore::new(QUESTIONS)));
        let (state, pasts) = (RwLock::new(State::Nothing), Pasts::default());
        Self {
            state,
            budget,
            building,
            pasts,
            reconciled: RwLock::default(),
            era: AtomicU64::new(0),
            follows: AtomicBool::new(false),
            keeps: AtomicBool::new(false),
            awaited: awaited::Awaited::default(),
            turns,
        }
    }
}

impl Audiences {
    pub(super) fn becomes(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Everybody, and when nothing was missing; `None` where nothing is kept.
    pub(crate) fn kept(&self) -> Result<Option<(Arc<Seen>, Ts)>> {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Nothing => Ok(None),
            State::NotYet(why) => Err(AudienceProblem::Unavailable(why).into()),
            State::Over(over) => Err(AudienceProblem::OverBudget(*over).into()),
            State::Kept(kept) => {
                // Read before what is seen: whatever comes in between is more, not less.
                let fresh =
                    kept.fresh().ok_or(AudienceProblem::Unavailable("the change feed is held back"))?;
                Ok(Some((kept.population.seen(), fresh)))
            }
        }
    }

    /// What is kept now.
    fn now(&self) -> Option<Arc<Kept>> {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Kept(kept) => Some(Arc::clone(kept)),
            _ => None,
        }
    }

    /// Up to where of the feed what is kept has all.
    pub(super) fn position(&self) -> Option<Position> {
        self.now().filter(|_| self.follows.load(Ordering::SeqCst)).map(|kept| kept.position())
    }

    /// Which time of keeping everybody this is: what belongs to another has lost the feed.
    pub(super) fn era(&self) -> u64 {
        self.era.load(Ordering::SeqCst)
    }

    /// What is kept of now takes so many bytes.
    pub(super) fn taken(&self) -> usize {
        self.now().map_or(0, |kept| kept.population.seen().bytes())
    }

    /// What may be taken beside what is kept of now.
    pub(super) fn room(&self) -> usize {
        pasts::room(self.budget(), self.taken())
    }

    pub(crate) fn budget(&self) -> Budget {
        *self.budget.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn building(&self) -> Alone {
        Arc::clone(&self.building).lock_owned().await
    }
}

/// Whoever keeps everybody, as long as they do.
struct Gone<'a>(&'a Audiences);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.follows.store(false, Ordering::SeqCst);
        self.0.keeps.store(false, Ordering::SeqCst);
        self.0.becomes(State::Nothing);
    }
}

impl Engine {
    /// So many bytes may columns take in this process, whether they are kept or built for a question. Said before anything is
    /// asked: nothing bounds them else.
    pub fn audience_memory(&self, bytes: usize) {
        *self.audiences.budget.write().unwrap_or_else(PoisonError::into_inner) =
            Budget { bytes, ..Budget::default() };
    }

    /// Keeps everybody in columns until it is told to stop. Whatever fails is tried again; the home's work goes on.
    pub async fn keep_audiences(&self, how: &Keeping, stop: impl Future<Output = ()>) {
        self.audiences.becomes(State::NotYet("audiences are being built from the record"));
        // Where a home was sealed elsewhere, what lies here is from before, in the clear.
        if let (None, Some(folder)) = (self.snapshots(how), &how.folder)
            && let Err(error) = snapshot::forget(folder)
        {
            tracing::error!(%error, folder = %folder.display(), "a snapshot in the clear could not be removed");
        }
        // Whatever becomes of this, nobody goes on asking of what nobody keeps.
        let _gone = Gone(&self.audiences);
        self.audiences.keeps.store(true, Ordering::SeqCst);
        tokio::select! {
            never = self.keeping_on(how) => match never {},
            () = stop => {}
        }
        let left = match (self.audiences.now(), self.snapshots(how)) {
            // What comes from here on is in the feed when it is opened again.
            (Some(kept), Some(_)) => self.save(how, &kept).await,
            _ => self.store().crowd().unfollow(&how.consumer).await.map_err(EngineError::from),
        };
        self.audiences.pasts.forget().await;
        self.audiences.becomes(State::Nothing);
        if let Err(error) = left {
            tracing::warn!(%error, consumer = how.consumer, "the change feed is kept for audiences that are gone");
        }
    }

    /// Keeps everybody, and begins again whenever that fails or breaks down.
    async fn keeping_on(&self, how: &Keeping) -> Infallible {
        let mut from_snapshot = true;
        loop {
            // What breaks down is noticed here: what it left behind is not asked any more, and all is built anew.
            let kept = AssertUnwindSafe(self.keeping(how, from_snapshot)).catch_unwind().await;
            from_snapshot = kept.is_ok();
            let rest = match kept {
                Ok(Ok(never)) => match never {},
                Ok(Err(EngineError::Audience(AudienceProblem::OverBudget(over)))) => {
                    tracing::error!(%over, "audiences cannot be kept");
                    self.audiences.becomes(State::Over(over));
                    OVER
                }
                Ok(Err(EngineError::NoPlaybook)) => AGAIN,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "audiences are not fresh for now; trying again");
                    AGAIN
                }
                Err(panic) => {
                    self.audiences.becomes(State::NotYet("audiences broke down and are built anew"));
                    let said = panic.downcast_ref::<&str>().map(ToString::to_string);
                    let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                    tracing::error!(
                        said,
                        "keeping audiences broke down; they are built anew from the record"
                    );
                    self.measures.audiences().broke_down();
                    AGAIN
                }
            };
            tokio::time::sleep(rest).await;
        }
    }

    /// Builds, then follows; builds anew where the playbook means other columns.
    async fn keeping(&self, how: &Keeping, mut from_snapshot: bool) -> Result<Infallible> {
        loop {
            let mut built = false;
            let opened = match std::mem::replace(&mut from_snapshot, true) {
                true => self.audiences_opened(how).await?,
                false => Err("what was kept broke down".to_owned()),
            };
            let keeper = match opened {
                Ok(keeper) => {
                    self.audiences.follows.store(true, Ordering::SeqCst);
                    keeper
                }
                Err(why) => {
                    tracing::info!(
                        why,
                        "no snapshot of audiences is begun from; they are built from the record"
                    );
                    let keeper = self.audiences_built(how).await?;
                    built = true;
                    keeper
                }
            };
            self.follow(how, keeper, built).await?;
        }
    }

    /// Builds everybody of the record, and follows from before that on. They answer once they are caught up.
    #[boxed]
    pub async fn audiences_built(&self, how: &Keeping) -> Result<Keeper> {
        let watch = clock::stopwatch();
        self.audience_memory(how.bytes);
        let home = self.home().await?;
        let live = self.live_at(home.version).await?;
        self.audiences.follows.store(true, Ordering::SeqCst);
        // Past days that are kept have read the feed up to somewhere that is let go of now.
        self.audiences.era.fetch_add(1, Ordering::SeqCst);
        self.forget_marks(how, None).await?;
        // From before anything is read: whoever changes meanwhile is read again.
        self.store().crowd().unfollow(&how.consumer).await?;
        let position = self.store().feed_position(&how.consumer).await?;
        let begun = self.moment(None).await?;
        let population = Arc::new(Population::new(layout(&live), self.audiences.budget()));
        self.fill(&population, &live, begun).await?;
        self.measures.audiences().rebuilt();
        let members = population.seen().everyone().len();
        tracing::info!(members, seconds = watch.elapsed().as_secs(), "audiences were built from the record");
        Ok(Keeper {
            kept: Kept::begun(population, Some(begun.at), position),
            live,
            consumer: how.consumer.clone(),
        })
    }

    /// Follows the feed until the playbook means other columns. What was built just now is saved first.
    async fn follow(&self, how: &Keeping, mut keeper: Keeper, built: bool) -> Result<()> {
        let mut written = self.written.subscribe();
        let (mut noted, mut looked) = (clock::stopwatch(), clock::stopwatch());
        let (mut noted_at, mut rounds) = (keeper.kept.position(), Rounds::default());
        let snapshots = self.snapshots(how).is_some();
        let every = if snapshots { SAVE_EVERY } else { NOTE_EVERY };
        let mut failed = 0;
        let mut saving = if built { self.saving(how, &keeper.kept).await? } else { None };
        loop {
            let taken = self.audiences_taken_in(&mut keeper).await;
            match taken {
                Ok(Taken::Nothing) => {
                    self.audiences.becomes(State::NotYet("audiences are being built from the record"));
                    // Nobody else writes where it is written still.
                    return match saving {
                        Some(saving) => self.saved_or_told(how, saving).await,
                        None => Ok(()),
                    };
                }
                Ok(_) => failed = 0,
                // What was kept stays: it says up to when it is whole.
                Err(error) if failed < FAILS_MAX => {
                    failed += 1;
                    tracing::warn!(%error, "audiences are behind; trying again");
                    if let Ok(home) = self.home().await {
                        self.stands(&keeper.kept, clock::now(&home));
                    }
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
                Err(error) => return Err(error),
            }
            let position = keeper.kept.position();
            if let Some(done) = saving.take_if(|saving| saving.work.is_finished()) {
                self.told(self.saved_or_told(how, done).await);
            }
            if position != noted_at && noted.elapsed() >= every && saving.is_none() {
                match snapshots {
                    // Written beside: who asks meanwhile asks of what is fresh.
                    true => saving = self.told(self.saving(how, &keeper.kept).await).flatten(),
                    false => drop(self.told(self.fed(how, position).await)),
                }
                (noted, noted_at) = (clock::stopwatch(), position);
            }
            if looked.elapsed() >= LOOK_EVERY {
                self.audiences.pasts.let_go(self.audiences.room());
                if let Err(error) = self.standing_looked(&keeper).await {
                    tracing::warn!(%error, "standing audiences could not be looked at; trying again");
                }
                if let Some(home) = self.told(self.home().await) {
                    self.stands(&keeper.kept, clock::now(&home));
                }
                looked = clock::stopwatch();
            }
            // Where changes come faster than they are taken in, all of the above goes on all the same.
            if matches!(taken, Ok(Taken::Part)) {
                continue;
            }
            self.told(self.reconcile(&keeper, &mut rounds).await);
            tokio::select! {
                _ = written.changed() => {}
                () = tokio::time::sleep(REST) => {}
            }
        }
    }

    /// What a piece of work came to beside following the feed, which goes on where it failed.
    fn told<T>(&self, work: Result<T>) -> Option<T> {
        work.map_err(
            |error| tracing::warn!(%error, "work beside keeping audiences failed; it is tried again"),
        )
        .ok()
    }

    fn stands(&self, kept: &Kept, now: Ts) {
        let seconds = kept.fresh().map_or(0, |fresh| now.0.saturating_sub(fresh.0) / 1_000_000);
        let seen = kept.population.seen();
        self.measures.audiences().stands(seen.everyone().len(), seen.bytes(), seconds);
    }

    /// Takes in all that the feed has, and answers from then on; false where everybody is to be kept anew ([`Taken::Nothing`]).
    #[boxed]
    pub async fn audiences_caught_up(&self, keeper: &mut Keeper) -> Result<bool> {
        loop {
            match self.audiences_taken_in(keeper).await? {
                Taken::Part => {}
                Taken::All => return Ok(true),
                Taken::Nothing => {
                    self.audiences.becomes(State::NotYet("audiences are being built from the record"));
                    return Ok(false);
                }
            }
        }
    }

    /// Takes in a part of what the feed has; what is kept answers once that was all.
    #[boxed]
    pub async fn audiences_taken_in(&self, keeper: &mut Keeper) -> Result<Taken> {
        let round = self.audiences.awaited.begins();
        let home = self.home().await?;
        if home.version != keeper.live.version.version {
            keeper.live = self.live_at(home.version).await?;
            if layout(&keeper.live) != *keeper.kept.population.layout() {
                return Ok(Taken::Nothing);
            }
        }
        // Both from before the feed is read: what is not in it came later.
        let now = clock::now(&home);
        let horizon = self.store().crowd().feed_horizon().await?;
        let entries = self.store().feed(keeper.kept.position(), ENTRIES).await?;
        // Looked at once it is read: as long as it is followed, nothing of it is forgotten.
        if self.store().crowd().followed(&keeper.consumer).await?.is_none() {
            tracing::warn!(consumer = keeper.consumer, "somebody let go of the change feed");
            return Ok(Taken::Nothing);
        }
        let (last, n_entries) = (entries.last().map(|entry| entry.position), entries.len());
        let changed: BTreeSet<MemberId> = entries.into_iter().flat_map(|entry| entry.members).collect();
        let changed: Vec<MemberId> = changed.into_iter().collect();
        for part in changed.chunks(MEMBERS) {
            self.read_again(&keeper.kept, &keeper.live, part).await?;
        }
        if let Some(last) = last {
            *keeper.kept.position.lock().unwrap_or_else(PoisonError::into_inner) = last;
        }
        if n_entries == ENTRIES {
            return Ok(Taken::Part);
        }
        // That was all there was at that instant. What came meanwhile is the next round's: where changes never cease, a feed that
        // is found empty may be long in coming.
        keeper.kept.read_to_the_end(now, horizon);
        self.audiences.becomes(State::Kept(Arc::clone(&keeper.kept)));
        self.audiences.awaited.ends(round, horizon);
        self.stands(&keeper.kept, now);
        Ok(Taken::All)
    }

    /// Replaces what is known of members by what the record says of them.
    pub(super) async fn read_again(
        &self,
        kept: &Arc<Kept>,
        live: &Arc<Live>,
        members: &[MemberId],
    ) -> Result<()> {
        let mut gone: BTreeSet<MemberId> = members.iter().copied().collect();
        let wholes = self.store().crowd().these(members.to_vec()).await?;
        self.measures.audiences().changed(members.len());
        // Persons are made of all their history, and blocks of the base may be made anew: nobody else is held up.
        let (kept, live) = (Arc::clone(kept), Arc::clone(live));
        let applied = tokio::task::spawn_blocking(move || -> Result<()> {
            let mut changes = Vec::with_capacity(gone.len());
            for whole in wholes {
                gone.remove(&whole.member.id);
                changes.push(Change::Put(Box::new(person::now(&live.rules, whole)?)));
            }
            changes.extend(gone.into_iter().map(Change::Gone));
            Ok(kept.population.apply(&changes).map_err(AudienceProblem::OverBudget)?)
        });
        done(applied.await)?
    }

    /// Holds everybody against the record; of how many something else is said. The keeper is caught up.
    #[boxed]
    pub async fn audiences_differ(&self, keeper: &Keeper) -> Result<usize> {
        let (population, moment) = (&keeper.kept.population, self.moment(None).await?);
        let seen = population.seen();
        let (mut n, mut differ) = (0, 0);
        self.everybody(&keeper.live, moment, |recorded| {
            n += 1;
            let known = population.ordinal(recorded.id).and_then(|place| seen.person(place));
            differ += usize::from(!known.is_some_and(|known| is_same(known, recorded)));
            Ok(())
        })
        .await?;
        // Who is known and is in the record no more.
        Ok(differ + seen.everyone().len().saturating_sub(n))
    }
}

/// Whether two say the same of somebody: rows have no order.
pub(super) fn is_same(mut a: Person, mut b: Person) -> bool {
    for person in [&mut a, &mut b] {
        person.tags.sort();
        person.orders.sort_by_cached_key(|row| (row.time, format!("{row:?}")));
        person.events.sort_by_cached_key(|row| (row.time, format!("{row:?}")));
    }
    a == b
}
