//! Past days that were asked for are kept a while, by whoever keeps everybody: the next question of the same day reads only
//! whom the change feed names since.
//!
//! A past is of the end of a day under a version of the playbook. It holds the feed back to where it has read it, so none of
//! what came since is missed. It goes when nobody asks for it any more, when others need its memory, and when everybody is
//! built anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use zhiyin_audience::population::{Budget, Change, Population, Seen};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::feed::Position;

use super::asking::layout;
use super::keep::Alone;
use super::reading::done;
use super::{AudienceProblem, Moment};
use crate::{Engine, Live, Result, clock};

/// So many at most are kept.
const PASTS_MAX: usize = 8;
/// For how long after it was asked for last.
const KEPT_FOR: Duration = Duration::from_secs(900);
/// Entries of the feed that are read at once.
const ENTRIES: usize = 64;
/// Members who changed beyond which a past is built anew rather than read again.
const CHANGED_MAX: usize = 20_000;
/// Members that are read again at once.
const MEMBERS: usize = 500;

/// A past day that is kept.
struct Past {
    at: Ts,
    version: i64,
    /// Which time of building everybody it belongs to.
    era: u64,
    population: Arc<Population>,
    floor: Floor,
    used: Instant,
}

impl Past {
    fn bytes(&self) -> usize {
        self.population.seen().bytes()
    }
}

/// Past days that are kept, and up to where they have read the feed.
#[derive(Default)]
pub(crate) struct Pasts {
    kept: Mutex<Vec<Past>>,
    floors: Arc<Floors>,
}

/// Up to where of the feed each past has all: what comes after it must not be forgotten.
#[derive(Default)]
struct Floors(StdMutex<(u64, BTreeMap<u64, Position>)>);

/// One of them, until it is dropped.
struct Floor {
    floors: Arc<Floors>,
    number: u64,
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.floors.0.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&self.number);
    }
}

impl Floor {
    fn position(&self) -> Position {
        let floors = self.floors.0.lock().unwrap_or_else(PoisonError::into_inner);
        floors.1.get(&self.number).copied().unwrap_or_default()
    }

    fn moves(&self, to: Position) {
        self.floors.0.lock().unwrap_or_else(PoisonError::into_inner).1.insert(self.number, to);
    }
}

impl Pasts {
    /// Up to where of the feed nobody needs it, of what whoever keeps everybody has read.
    pub(crate) fn done_with(&self, position: Position) -> Position {
        let floors = self.floors.0.lock().unwrap_or_else(PoisonError::into_inner);
        floors.1.values().copied().fold(position, Position::min)
    }

    /// A floor where somebody stands who holds the feed: `at` is read while nobody lets go of it.
    fn floor(&self, at: impl FnOnce() -> Option<Position>) -> Option<Floor> {
        let mut floors = self.floors.0.lock().unwrap_or_else(PoisonError::into_inner);
        let position = at()?;
        floors.0 += 1;
        let number = floors.0;
        floors.1.insert(number, position);
        Some(Floor { floors: Arc::clone(&self.floors), number })
    }

    /// Lets go of those that nobody asks for, and of the oldest until the rest takes no more than there is.
    pub(crate) fn let_go(&self, bytes: usize) {
        let Ok(mut kept) = self.kept.try_lock() else { return };
        kept.retain(|past| past.used.elapsed() < KEPT_FOR);
        make_room(&mut kept, bytes);
    }

    /// What is left of a room once so much of it is free, if it can be; pasts that are in the way go.
    async fn left(&self, room: usize, wanted: usize) -> usize {
        let mut kept = self.kept.lock().await;
        make_room(&mut kept, room.saturating_sub(wanted));
        let taken = kept.iter().fold(0usize, |taken, past| taken.saturating_add(past.bytes()));
        room.saturating_sub(taken)
    }

    /// Lets go of all.
    pub(crate) async fn forget(&self) {
        self.kept.lock().await.clear();
    }
}

/// The least lately asked for go until the rest takes no more than there is.
fn make_room(kept: &mut Vec<Past>, bytes: usize) {
    kept.sort_by_key(|past| std::cmp::Reverse(past.used));
    let mut taken = 0usize;
    let mut fit = 0;
    for past in kept.iter().take(PASTS_MAX) {
        taken = taken.saturating_add(past.bytes());
        if taken > bytes {
            break;
        }
        fit += 1;
    }
    kept.truncate(fit);
}

impl Engine {
    /// Everybody at a past moment; alone, where the columns are there for this question only.
    pub(crate) async fn past(&self, live: &Arc<Live>, moment: Moment) -> Result<(Arc<Seen>, Option<Alone>)> {
        if let Some(seen) = self.past_kept(live, moment).await? {
            return Ok((seen, None));
        }
        let alone = self.audiences.building().await;
        // Whoever had the columns built meanwhile may have asked for the same day.
        if let Some(seen) = self.past_kept(live, moment).await? {
            return Ok((seen, None));
        }
        let pasts = &self.audiences.pasts;
        let (era, floor) = (self.audiences.era(), pasts.floor(|| self.audiences.position()));
        // It takes about as much as now: so much is made free, and no more than is left is taken.
        let bytes = pasts.left(self.audiences.room(), self.audiences.taken()).await;
        let budget = Budget { bytes, ..self.audiences.budget() };
        let population = Arc::new(Population::new(layout(live), budget));
        self.fill(&population, live, moment).await?;
        let seen = population.seen();
        let Some(floor) = floor else { return Ok((seen, Some(alone))) };
        let room = self.audiences.room();
        if seen.bytes() > room || era != self.audiences.era() {
            return Ok((seen, Some(alone)));
        }
        let mut kept = pasts.kept.lock().await;
        make_room(&mut kept, room - seen.bytes());
        kept.truncate(PASTS_MAX - 1);
        let (at, version) = (moment.at, live.version.version);
        kept.push(Past { at, version, era, population, floor, used: clock::stopwatch() });
        Ok((seen, None))
    }

    /// The past of a moment, if it is kept: as the record has it now.
    async fn past_kept(&self, live: &Arc<Live>, moment: Moment) -> Result<Option<Arc<Seen>>> {
        let mut kept = self.audiences.pasts.kept.lock().await;
        let era = self.audiences.era();
        kept.retain(|past| past.era == era);
        let is_it = |past: &Past| past.at == moment.at && past.version == live.version.version;
        let Some(place) = kept.iter().position(is_it) else { return Ok(None) };
        // Taken out while it is read again: what breaks off there is not kept half.
        let mut past = kept.swap_remove(place);
        if !self.read_on(&mut past, live, moment).await? {
            return Ok(None);
        }
        past.used = clock::stopwatch();
        let seen = past.population.seen();
        kept.push(past);
        Ok(Some(seen))
    }

    /// Reads again whom the feed names since; false where that are too many.
    async fn read_on(&self, past: &mut Past, live: &Arc<Live>, moment: Moment) -> Result<bool> {
        let mut position = past.floor.position();
        let mut changed: BTreeSet<MemberId> = BTreeSet::new();
        loop {
            let entries = self.store().feed(position, ENTRIES).await?;
            let n_entries = entries.len();
            for entry in entries {
                position = entry.position;
                changed.extend(entry.members);
            }
            if changed.len() > CHANGED_MAX {
                return Ok(false);
            }
            if n_entries < ENTRIES {
                break;
            }
        }
        if !changed.is_empty() {
            let then = Arc::new(self.then(moment).await?);
            let changed: Vec<MemberId> = changed.into_iter().collect();
            for part in changed.chunks(MEMBERS) {
                let mut gone: BTreeSet<MemberId> = part.iter().copied().collect();
                let wholes = self.store().crowd().these(part.to_vec()).await?;
                let mut changes = Vec::with_capacity(part.len());
                for person in self.persons_then(live, &then, wholes).await? {
                    gone.remove(&person.id);
                    changes.push(Change::Put(Box::new(person)));
                }
                changes.extend(gone.into_iter().map(Change::Gone));
                let population = Arc::clone(&past.population);
                let applied = tokio::task::spawn_blocking(move || population.apply(&changes)).await;
                done(applied)?.map_err(AudienceProblem::OverBudget)?;
            }
        }
        past.floor.moves(position);
        Ok(true)
    }
}

/// What pasts may take beside what is kept of now.
pub(crate) fn room(budget: Budget, taken: usize) -> usize {
    budget.bytes.saturating_sub(taken)
}
