//! Holding what is kept against the record, a few members at a time, round after round: who is kept otherwise than they are
//! recorded, who is recorded and not kept, who is kept and not in the record. What differs is counted, told and healed.
//!
//! A round takes a part of one core and no more, whatever the home's size. A difference counts only where it outlives the
//! changes that were on their way when it was met.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zhiyin_audience::{MemberSet, Person};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::crowd::Whole;

use super::keep::{Keeper, Kept, is_same};
use super::person;
use super::reading::done;
use crate::boxed;
use crate::{Engine, Live, Result, clock};

/// Members that are held against the record at once.
pub(super) const PART: usize = 500;
/// It rests so many times as long as it worked: 30 million members are through in about a day.
const RESTS: u32 = 7;
/// It rests for so long at least, and at most.
const REST_MIN: Duration = Duration::from_millis(50);
const REST_MAX: Duration = Duration::from_secs(30);
/// How long it rests once it is through with everybody.
const ROUND_REST: Duration = Duration::from_secs(300);
/// Entries of the feed that may be on their way; where there are more it waits.
pub(super) const ENTRIES: usize = 64;
/// Who is kept and was not met in the record: so many are looked at in a round.
const GHOSTS_MAX: usize = 10_000;

/// How far it has come.
#[derive(Default)]
pub(super) struct Rounds {
    cursor: Option<MemberId>,
    /// Who was kept when the round began.
    kept: Option<MemberSet>,
    /// Who of them was met in the record.
    met: MemberSet,
    /// Who seemed to differ, and when.
    suspects: Vec<MemberId>,
    suspected_at: Option<Ts>,
    pace: Pace,
}

/// How little is done at a time, and how long it is rested after it.
#[derive(Default)]
pub(super) struct Pace {
    /// Since when it rests, and for how long.
    rests: Option<(Instant, Duration)>,
}

impl Pace {
    pub(super) fn is_resting(&self) -> bool {
        self.rests.is_some_and(|(since, rest)| since.elapsed() < rest)
    }

    /// It worked since `watch`, and is through with everybody or not.
    pub(super) fn worked(&mut self, watch: Instant, is_through: bool) {
        let rest = match is_through {
            true => ROUND_REST,
            false => (watch.elapsed() * RESTS).clamp(REST_MIN, REST_MAX),
        };
        self.rests = Some((clock::stopwatch(), rest));
    }
}

impl Engine {
    /// Holds the next members against the record, if it is time to.
    pub(super) async fn reconcile(&self, keeper: &Keeper, rounds: &mut Rounds) -> Result<()> {
        if rounds.pace.is_resting() {
            return Ok(());
        }
        let watch = clock::stopwatch();
        let through = self.reconciled(keeper, rounds).await;
        rounds.pace.worked(watch, matches!(through, Ok(true)));
        through.map(drop)
    }

    /// Holds everybody against the record, once, and heals what differs.
    #[boxed]
    pub async fn audiences_reconciled(&self, keeper: &mut Keeper) -> Result<()> {
        let mut rounds = Rounds::default();
        let mut through = false;
        loop {
            if through && self.confirmed(keeper, &mut rounds).await? {
                return Ok(());
            }
            through = through || self.reconciled(keeper, &mut rounds).await?;
            if !self.audiences_caught_up(keeper).await? {
                return Ok(());
            }
        }
    }

    /// True where it is through with everybody.
    async fn reconciled(&self, keeper: &Keeper, rounds: &mut Rounds) -> Result<bool> {
        let Keeper { kept, live, .. } = keeper;
        // What seemed to differ is looked at before there is more of it.
        if !self.confirmed(keeper, rounds).await? {
            return Ok(false);
        }
        let seen = kept.population.seen();
        if rounds.kept.is_none() {
            (rounds.kept, rounds.met) = (Some(seen.everyone()), MemberSet::default());
        }
        let part = self.store().crowd().after(rounds.cursor, PART).await?;
        let (last, whole) = (part.last().map(|whole| whole.member.id), part.len() == PART);
        let read: Vec<MemberId> = part.iter().map(|whole| whole.member.id).collect();
        // These members come again where too much is on its way to tell.
        let Some(differing) = self.differing(kept, live, &read, part).await? else { return Ok(false) };
        rounds.suspects = differing;
        let met = read.iter().filter_map(|id| kept.population.ordinal(*id));
        met.for_each(|ordinal| rounds.met.put(ordinal));
        if whole {
            rounds.cursor = last;
        } else {
            // Who was kept all the time and never met: unless they came back, there is nobody of whom that is said.
            let then = rounds.kept.take().unwrap_or_default();
            let never_met = then.and(&seen.everyone()).and_not(&rounds.met);
            rounds.suspects.extend(seen.ids(&never_met).take(GHOSTS_MAX));
            rounds.cursor = None;
        }
        rounds.suspected_at = Some(clock::now(&self.home().await?));
        Ok(!whole)
    }

    /// Looks again at who seemed to differ, once all is taken in that was on its way then; false where that is to come.
    async fn confirmed(&self, keeper: &Keeper, rounds: &mut Rounds) -> Result<bool> {
        let Keeper { kept, live, .. } = keeper;
        if !rounds.suspects.is_empty() && kept.fresh() < rounds.suspected_at {
            return Ok(false);
        }
        let mut wrong = Vec::new();
        for part in rounds.suspects.chunks(PART) {
            let wholes = self.store().crowd().these(part.to_vec()).await?;
            let Some(differing) = self.differing(kept, live, part, wholes).await? else { return Ok(false) };
            wrong.extend(differing);
        }
        rounds.suspects.clear();
        if wrong.is_empty() {
            return Ok(true);
        }
        tracing::error!(members = wrong.len(), "audiences differed from the record; they were read again");
        self.measures.audiences().differed(wrong.len());
        for part in wrong.chunks(PART) {
            self.read_again(kept, live, part).await?;
        }
        Ok(true)
    }

    /// Of these members those of whom the record says something else, but for whom the feed names already; `None` where it
    /// names too many to tell.
    async fn differing(
        &self,
        kept: &Arc<Kept>,
        live: &Arc<Live>,
        members: &[MemberId],
        recorded: Vec<Whole>,
    ) -> Result<Option<Vec<MemberId>>> {
        let pending = self.store().feed(kept.position(), ENTRIES).await?;
        if pending.len() == ENTRIES {
            return Ok(None);
        }
        let pending: BTreeSet<MemberId> = pending.into_iter().flat_map(|entry| entry.members).collect();
        let (kept, live, members) = (Arc::clone(kept), Arc::clone(live), members.to_vec());
        let held = tokio::task::spawn_blocking(move || -> Result<Vec<MemberId>> {
            let recorded = recorded.into_iter().map(|whole| person::now(&live.rules, whole));
            let mut recorded = recorded.collect::<Result<Vec<Person>>>()?;
            recorded.sort_unstable_by_key(|person| person.id);
            let seen = kept.population.seen();
            let differs = |id: &MemberId| {
                let known = kept.population.ordinal(*id).and_then(|place| seen.person(place));
                let said = recorded.binary_search_by_key(id, |person| person.id).ok();
                match (known, said) {
                    (None, None) => false,
                    (Some(known), Some(said)) => !is_same(known, recorded[said].clone()),
                    _ => true,
                }
            };
            Ok(members.into_iter().filter(|id| !pending.contains(id) && differs(id)).collect())
        });
        Ok(Some(done(held.await)??))
    }
}
