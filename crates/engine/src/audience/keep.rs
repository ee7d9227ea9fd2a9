//! Keeping everybody in columns, fresh from the change feed: built of the record once, then whoever changed is read again and
//! replaced whole. What is kept is held against the record a few members at a time; a difference is counted and healed.

pub mod held;
mod marked;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use tokio::task::JoinHandle;
use zhiyin_audience::population::{Budget, Change, Layout, Population, Seen};
use zhiyin_audience::snapshot::{self, NoSnapshot, Saved, Stamp};
use zhiyin_audience::{OverBudget, Person};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::StoreError;
use zhiyin_store::feed::Position;

use super::asking::layout;
use super::{AudienceProblem, person};
use crate::{Engine, EngineError, Live, Result, clock};

/// Entries of the feed that are read at once.
const ENTRIES: usize = 64;
/// Members that are read again at once.
const MEMBERS: usize = 500;
/// How long it rests where nothing came; a batch of this process wakes it earlier.
const REST: Duration = Duration::from_millis(250);
/// How long it waits before trying again what failed.
const AGAIN: Duration = Duration::from_secs(1);
/// How long it waits before building again what would take too much memory.
const OVER: Duration = Duration::from_secs(60);
/// How often in a row it fails before it builds anew.
const FAILS_MAX: usize = 600;
/// How far behind it may be before answers say so, in microseconds.
pub(super) const BEHIND_US: i64 = 5_000_000;
/// How often a snapshot is written.
const SAVE_EVERY: Duration = Duration::from_secs(600);
/// Questions that are worked on at once; others wait for their turn.
const QUESTIONS: usize = 8;
/// Changes with how persons are made of the record: what was made otherwise is not begun from.
const MADE: &str = "2";
/// How often it notes in the home how far it came.
const NOTE_EVERY: Duration = Duration::from_secs(1);
/// How often some members are held against the record, and how many.
const RECONCILE_EVERY: Duration = Duration::from_secs(10);
const RECONCILED: usize = 100;

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
    population: Population,
    /// Business time at which nothing was missing.
    fresh: AtomicI64,
    /// Up to where of the feed it has all.
    position: StdMutex<Position>,
}

impl Kept {
    fn position(&self) -> Position {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A snapshot that is being written.
struct Saving {
    work: JoinHandle<std::io::Result<Saved>>,
    /// Up to where of the feed it has all.
    position: Position,
    folder: PathBuf,
}

/// Somebody who keeps everybody fresh.
pub struct Keeper {
    kept: Arc<Kept>,
    live: Arc<Live>,
}

enum State {
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
    budget: RwLock<Budget>,
    building: Arc<Mutex<()>>,
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
        Self { state: RwLock::new(State::Nothing), budget, building, reconciled: RwLock::default(), turns }
    }
}

impl Audiences {
    fn becomes(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Everybody, and up to when, where that lies behind; `None` where nothing is kept.
    pub(crate) fn kept(&self) -> Result<Option<(Arc<Seen>, Option<Ts>)>> {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Nothing => Ok(None),
            State::NotYet(why) => Err(AudienceProblem::Unavailable(why).into()),
            State::Over(over) => Err(AudienceProblem::OverBudget(*over).into()),
            State::Kept(kept) => {
                let fresh = Ts(kept.fresh.load(Ordering::Relaxed));
                Ok(Some((kept.population.seen(), Some(fresh.plus_us(BEHIND_US)))))
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

    pub(crate) fn budget(&self) -> Budget {
        *self.budget.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn building(&self) -> Alone {
        Arc::clone(&self.building).lock_owned().await
    }
}

impl Engine {
    /// Keeps everybody in columns until it is told to stop. Whatever fails is tried again; the home's work goes on.
    pub async fn keep_audiences(&self, how: &Keeping, stop: impl Future<Output = ()>) {
        self.audiences.becomes(State::NotYet("audiences are being built from the record"));
        // Where a home was sealed elsewhere, what lies here is from before, in the clear.
        if let (None, Some(folder)) = (self.snapshots(how), &how.folder)
            && let Err(error) = snapshot::forget(folder)
        {
            tracing::error!(%error, folder = %folder.display(), "a snapshot in the clear could not be removed");
        }
        let keeping = async {
            loop {
                let error = match self.keeping(how).await {
                    Ok(never) => match never {},
                    Err(error) => error,
                };
                let rest = match error {
                    EngineError::Audience(AudienceProblem::OverBudget(over)) => {
                        tracing::error!(%over, "audiences cannot be kept");
                        self.audiences.becomes(State::Over(over));
                        OVER
                    }
                    EngineError::NoPlaybook => AGAIN,
                    error => {
                        tracing::warn!(%error, "audiences are not fresh for now; trying again");
                        AGAIN
                    }
                };
                tokio::time::sleep(rest).await;
            }
        };
        tokio::select! {
            () = keeping => {}
            () = stop => {}
        }
        let left = match (self.audiences.now(), self.snapshots(how)) {
            // What comes from here on is in the feed when it is opened again.
            (Some(kept), Some(_)) => self.save(how, &kept).await,
            _ => self.store().crowd().unfollow(&how.consumer).await.map_err(EngineError::from),
        };
        self.audiences.becomes(State::Nothing);
        if let Err(error) = left {
            tracing::warn!(%error, consumer = how.consumer, "the change feed is kept for audiences that are gone");
        }
    }

    /// Where snapshots go, if any may be made.
    fn snapshots<'h>(&self, how: &'h Keeping) -> Option<&'h PathBuf> {
        let sealed = self.store().personal().is_some_and(|personal| personal.vault().is_sealed());
        how.folder.as_ref().filter(|_| !sealed)
    }

    /// What a snapshot must be of, to be begun from.
    async fn stamp(&self, layout: &Layout) -> Result<String> {
        let home = self.home().await?;
        let Layout { zone, currency_exponent, attributes } = layout;
        let meaning = format!("{} {currency_exponent} {attributes:?}", zone.name());
        let stamp = home.id_key.digest("audience snapshot", &[MADE.as_bytes(), meaning.as_bytes()]);
        Ok(stamp.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Writes a snapshot of what a keeper keeps.
    pub async fn audiences_saved(&self, how: &Keeping, keeper: &Keeper) -> Result<()> {
        self.save(how, &keeper.kept).await
    }

    /// Writes a snapshot, and notes in the home that what is in it need not be told again.
    async fn save(&self, how: &Keeping, kept: &Arc<Kept>) -> Result<()> {
        match self.saving(how, kept).await? {
            Some(saving) => self.saved(how, saving).await,
            None => Ok(()),
        }
    }

    /// Begins to write one, as of what is kept now or later: changes that come meanwhile may or may not be in it, and are told
    /// again to whoever begins from it.
    async fn saving(&self, how: &Keeping, kept: &Arc<Kept>) -> Result<Option<Saving>> {
        let Some(folder) = self.snapshots(how).cloned() else { return Ok(None) };
        let position = kept.position();
        let of = self.stamp(kept.population.layout()).await?;
        let stamp = Stamp { of, position: (position.tx, position.no) };
        let (kept, into) = (Arc::clone(kept), folder.clone());
        let work = tokio::task::spawn_blocking(move || kept.population.save(&into, stamp));
        Ok(Some(Saving { work, position, folder }))
    }

    /// Waits until it is written.
    async fn saved(&self, how: &Keeping, saving: Saving) -> Result<()> {
        let Saving { work, position, folder } = saving;
        let saved = work.await.map_err(|error| StoreError::Database(error.to_string()))?;
        let failed = |error: std::io::Error| EngineError::File {
            file: folder.display().to_string(),
            message: error.to_string(),
        };
        let saved = saved.map_err(failed)?;
        tracing::info!(
            blocks = saved.blocks,
            bytes = saved.bytes_written,
            "a snapshot of audiences was written"
        );
        Ok(self.store().feed_done(&how.consumer, position).await?)
    }

    /// The same, where a disk that takes no snapshot keeps nobody from asking: the feed is then let go of, and what lies there
    /// is not begun from.
    async fn saved_or_told(&self, how: &Keeping, saving: Saving) -> Result<()> {
        let position = saving.position;
        match self.saved(how, saving).await {
            Err(error @ EngineError::File { .. }) => {
                tracing::error!(%error, "no snapshot of audiences could be written");
                Ok(self.store().feed_done(&how.consumer, position).await?)
            }
            saved => saved,
        }
    }

    /// Begins from the snapshot, if it fits the home and the playbook and the feed still has all that came after it; why
    /// not, else.
    pub async fn audiences_opened(&self, how: &Keeping) -> Result<std::result::Result<Keeper, String>> {
        let Some(folder) = self.snapshots(how).cloned() else { return Ok(Err("none is kept".to_owned())) };
        *self.audiences.budget.write().unwrap_or_else(PoisonError::into_inner) =
            Budget { bytes: how.bytes, ..Budget::default() };
        let home = self.home().await?;
        let live = self.live_at(home.version).await?;
        let (layout, budget) = (layout(&live), self.audiences.budget());
        let of = self.stamp(&layout).await?;
        let opened =
            tokio::task::spawn_blocking(move || Population::open(&folder, layout, budget, &of)).await;
        let (population, (tx, no)) = match opened.map_err(|error| StoreError::Database(error.to_string()))? {
            Ok(opened) => opened,
            Err(NoSnapshot::OverBudget(over)) => return Err(AudienceProblem::OverBudget(over).into()),
            Err(why) => return Ok(Err(why.to_string())),
        };
        let position = Position { tx, no };
        // The feed must have all that came after it, and must not have been set back before it.
        let followed = self.store().crowd().followed(&how.consumer).await?;
        if followed.is_none_or(|followed| followed > position) {
            return Ok(Err("the feed was forgotten beyond it".to_owned()));
        }
        let probe = format!("{}-end", how.consumer);
        // One that a killed process left stands where the end was then.
        self.store().crowd().unfollow(&probe).await?;
        let end = self.store().feed_position(&probe).await?;
        self.store().crowd().unfollow(&probe).await?;
        if end < position {
            return Ok(Err("it is of a time that this home has not come to".to_owned()));
        }
        let kept = Kept { population, fresh: AtomicI64::new(Ts::MIN.0), position: StdMutex::new(position) };
        Ok(Ok(Keeper { kept: Arc::new(kept), live }))
    }

    /// Begins from the snapshot that another process keeps, and takes in what came after it; false where that cannot be. Then
    /// whoever asks has the columns built for the question.
    pub async fn audiences_begun(&self, how: &Keeping) -> Result<bool> {
        let Ok(mut keeper) = self.audiences_opened(how).await? else { return Ok(false) };
        let opened_at = keeper.kept.position();
        let caught_up = self.audiences_caught_up(&mut keeper).await?;
        // Whoever keeps the snapshot may have written another one meanwhile, and let go of what this one has not read.
        let followed = self.store().crowd().followed(&how.consumer).await?;
        let whole = caught_up && followed.is_some_and(|followed| followed <= opened_at);
        if !whole {
            self.audiences.becomes(State::Nothing);
        }
        Ok(whole)
    }

    /// Builds, then follows; builds anew where the playbook means other columns.
    async fn keeping(&self, how: &Keeping) -> Result<Infallible> {
        loop {
            let mut built = false;
            let keeper = match self.audiences_opened(how).await? {
                Ok(keeper) => keeper,
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
    pub async fn audiences_built(&self, how: &Keeping) -> Result<Keeper> {
        let watch = clock::stopwatch();
        *self.audiences.budget.write().unwrap_or_else(PoisonError::into_inner) =
            Budget { bytes: how.bytes, ..Budget::default() };
        let home = self.home().await?;
        let live = self.live_at(home.version).await?;
        // From before anything is read: whoever changes meanwhile is read again.
        self.store().crowd().unfollow(&how.consumer).await?;
        let position = self.store().feed_position(&how.consumer).await?;
        let begun = self.moment(None).await?;
        let population = Population::new(layout(&live), self.audiences.budget());
        self.fill(&population, &live, begun).await?;
        self.measures.audiences().rebuilt();
        let members = population.seen().everyone().len();
        tracing::info!(members, seconds = watch.elapsed().as_secs(), "audiences were built from the record");
        let (fresh, position) = (AtomicI64::new(begun.at.0), StdMutex::new(position));
        Ok(Keeper { kept: Arc::new(Kept { population, fresh, position }), live })
    }

    /// Follows the feed until the playbook means other columns. What was built just now is saved first.
    async fn follow(&self, how: &Keeping, mut keeper: Keeper, built: bool) -> Result<()> {
        let mut written = self.written.subscribe();
        let (mut noted, mut reconciled) = (clock::stopwatch(), clock::stopwatch());
        let (mut noted_at, mut cursor) = (keeper.kept.position(), None);
        let snapshots = self.snapshots(how).is_some();
        let every = if snapshots { SAVE_EVERY } else { NOTE_EVERY };
        let mut failed = 0;
        let mut saving = if built { self.saving(how, &keeper.kept).await? } else { None };
        loop {
            match self.audiences_caught_up(&mut keeper).await {
                Ok(false) => {
                    // Nobody else writes where it is written still.
                    return match saving {
                        Some(saving) => self.saved_or_told(how, saving).await,
                        None => Ok(()),
                    };
                }
                Ok(true) => failed = 0,
                // What was kept stays: it says up to when it is whole.
                Err(error) if failed < FAILS_MAX => {
                    failed += 1;
                    tracing::warn!(%error, "audiences are behind; trying again");
                    self.behind(&keeper.kept).await;
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
                Err(error) => return Err(error),
            }
            let position = keeper.kept.position();
            if let Some(done) = saving.take_if(|saving| saving.work.is_finished()) {
                self.saved_or_told(how, done).await?;
            }
            if position != noted_at && noted.elapsed() >= every && saving.is_none() {
                match snapshots {
                    // Written beside: who asks meanwhile asks of what is fresh.
                    true => saving = self.saving(how, &keeper.kept).await?,
                    false => self.store().feed_done(&how.consumer, position).await?,
                }
                (noted, noted_at) = (clock::stopwatch(), position);
            }
            if reconciled.elapsed() >= RECONCILE_EVERY {
                cursor = self.reconcile(&keeper, cursor).await?;
                if let Err(error) = self.standing_looked(&keeper).await {
                    tracing::warn!(%error, "standing audiences could not be looked at; trying again");
                }
                reconciled = clock::stopwatch();
            }
            tokio::select! {
                _ = written.changed() => {}
                () = tokio::time::sleep(REST) => {}
            }
        }
    }

    async fn behind(&self, kept: &Kept) {
        let Ok(home) = self.home().await else { return };
        let seconds = (clock::now(&home).0 - kept.fresh.load(Ordering::Relaxed)) / 1_000_000;
        let seen = kept.population.seen();
        self.measures.audiences().stands(seen.everyone().len(), seen.bytes(), seconds);
    }

    /// Takes in all that the feed has, and answers from then on; false where the playbook means other columns by now.
    pub async fn audiences_caught_up(&self, keeper: &mut Keeper) -> Result<bool> {
        loop {
            let home = self.home().await?;
            if home.version != keeper.live.version.version {
                keeper.live = self.live_at(home.version).await?;
                if layout(&keeper.live) != *keeper.kept.population.layout() {
                    self.audiences.becomes(State::NotYet("audiences are being built from the record"));
                    return Ok(false);
                }
            }
            let now = clock::now(&home);
            let entries = self.store().feed(keeper.kept.position(), ENTRIES).await?;
            let (last, n_entries) = (entries.last().map(|entry| entry.position), entries.len());
            let changed: BTreeSet<MemberId> = entries.into_iter().flat_map(|entry| entry.members).collect();
            let changed: Vec<MemberId> = changed.into_iter().collect();
            for part in changed.chunks(MEMBERS) {
                self.read_again(&keeper.kept, &keeper.live, part).await?;
            }
            if let Some(last) = last {
                *keeper.kept.position.lock().unwrap_or_else(PoisonError::into_inner) = last;
            }
            // That was all there was at that instant. What came meanwhile is the next round's: where changes never cease, a
            // feed that is found empty may be long in coming.
            if n_entries < ENTRIES {
                keeper.kept.fresh.store(now.0, Ordering::Relaxed);
                self.audiences.becomes(State::Kept(Arc::clone(&keeper.kept)));
                let seen = keeper.kept.population.seen();
                self.measures.audiences().stands(seen.everyone().len(), seen.bytes(), 0);
                return Ok(true);
            }
        }
    }

    /// Replaces what is known of members by what the record says of them.
    async fn read_again(&self, kept: &Arc<Kept>, live: &Live, members: &[MemberId]) -> Result<()> {
        let mut gone: BTreeSet<MemberId> = members.iter().copied().collect();
        let mut changes = Vec::with_capacity(members.len());
        for whole in self.store().crowd().these(members.to_vec()).await? {
            gone.remove(&whole.member.id);
            changes.push(Change::Put(Box::new(person::now(&live.rules, whole)?)));
        }
        changes.extend(gone.into_iter().map(Change::Gone));
        self.measures.audiences().changed(changes.len());
        // Blocks of the base may be made anew by this: nobody else is held up.
        let kept = Arc::clone(kept);
        let applied = tokio::task::spawn_blocking(move || kept.population.apply(&changes)).await;
        let applied = applied.map_err(|error| StoreError::Database(error.to_string()))?;
        Ok(applied.map_err(AudienceProblem::OverBudget)?)
    }

    /// Holds some members against the record; where the next ones begin.
    async fn reconcile(&self, keeper: &Keeper, cursor: Option<MemberId>) -> Result<Option<MemberId>> {
        let Keeper { kept, live } = keeper;
        let part = self.store().crowd().after(cursor, RECONCILED).await?;
        let next = part.last().filter(|_| part.len() == RECONCILED).map(|whole| whole.member.id);
        // Whoever changed meanwhile is in the feed.
        let pending = self.store().feed(kept.position(), ENTRIES).await?;
        if !pending.is_empty() {
            return Ok(cursor);
        }
        let seen = kept.population.seen();
        let mut wrong = Vec::new();
        for whole in part {
            let recorded = person::now(&live.rules, whole)?;
            let place = kept.population.ordinal(recorded.id);
            let known = place.and_then(|place| seen.person(place));
            if !known.is_some_and(|known| is_same(known, recorded.clone())) {
                wrong.push(recorded.id);
            }
        }
        if !wrong.is_empty() {
            tracing::error!(
                members = wrong.len(),
                "audiences differed from the record; they were read again"
            );
            self.measures.audiences().differed(wrong.len());
            self.read_again(kept, live, &wrong).await?;
        }
        Ok(next)
    }

    /// Holds everybody against the record; of how many something else is said. The keeper is caught up.
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
fn is_same(mut a: Person, mut b: Person) -> bool {
    for person in [&mut a, &mut b] {
        person.tags.sort();
        person.orders.sort_by_cached_key(|row| (row.time, format!("{row:?}")));
        person.events.sort_by_cached_key(|row| (row.time, format!("{row:?}")));
    }
    a == b
}
