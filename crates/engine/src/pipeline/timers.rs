//! Timers of members, and versions of the playbook that reach them: what no event brings.
//!
//! Where one of these breaks down (a defect of this program) there is no event to become a dead letter. Then the member is
//! stuck: everybody else goes on, their events are decided, and their timers wait until another version of the playbook is
//! live or a process is started anew. The doctor finds them woken too late.

use std::panic::{AssertUnwindSafe, catch_unwind};

use zhiyin_decide::outcome::{Known, Stop};
use zhiyin_decide::state::State;
use zhiyin_decide::{Cause, Scene};
use zhiyin_model::effect::TimerKey;
use zhiyin_model::event::names;
use zhiyin_model::id::{EventId, MemberId};
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_store::{Loaded, Wanted};

use super::batch::{Batch, Go, Told};
use super::sweep::Brought;
use crate::{EngineError, Result};

/// How long a member rests whose timers broke down, in business time.
const STUCK_REST_US: i64 = DAY_US;

/// What breaks down may have changed the member in part: the whole batch is forgotten and made again without this, so nothing
/// of it is seen.
fn caught<T>(member: MemberId, decision: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(decision)).map_err(|_| EngineError::Stuck(member))
}

impl Batch<'_> {
    /// Wakes members: what is due for them fires, and they are filed anew for what comes next, though nothing may have
    /// been due yet. How many were reached.
    pub(super) async fn wake(&mut self, members: &[MemberId], horizon: Ts) -> Result<usize> {
        self.pass(members);
        self.load(Wanted { members: members.to_vec(), ..Wanted::default() }).await?;
        self.due(members, horizon).await
    }

    /// Takes members of a sweep, those of them who were not in memory loaded; how many were brought.
    pub(super) async fn take_in(
        &mut self,
        members: &[MemberId],
        loaded: Loaded,
        brought: Brought<'_>,
    ) -> Result<usize> {
        self.pass(members);
        self.hold(loaded).await?;
        match brought {
            Brought::Due(horizon) => self.due(members, horizon).await,
            Brought::Version => self.reach(members).map(|()| members.len()),
            Brought::Items(rows) => self.items(rows).await,
        }
    }

    async fn due(&mut self, members: &[MemberId], horizon: Ts) -> Result<usize> {
        for (i, member) in members.iter().enumerate() {
            if self.settle(*member, horizon).await? == Go::Cut {
                return Ok(i + 1);
            }
            if !self.changed.contains(member) {
                let wake = self.file(*member);
                self.flush.filed.push((*member, wake));
            }
        }
        Ok(members.len())
    }

    /// Members come whom nothing brought but time or a version: who is not in memory is not kept there.
    fn pass(&mut self, members: &[MemberId]) {
        let unknown = members.iter().filter(|member| !self.cache.states.contains_key(member));
        self.passing = unknown.copied().collect();
    }

    /// Fires a member's timers that are due by `clock`, in order.
    pub(super) async fn settle(&mut self, member: MemberId, clock: Ts) -> Result<Go> {
        loop {
            let Some(state) = self.cache.states.get(&member) else { return Ok(Go::On) };
            let due = state.member.timers.iter().filter(|(_, due)| **due <= clock);
            let next = due.map(|(key, due)| (*due, key.kind, key.which)).min();
            // What broke down waits for another version, of the playbook or of this program.
            let next = next.filter(|_| !self.stuck(member));
            let Some((due, kind, which)) = next else {
                let settled = self.settled.entry(member).or_insert(clock);
                *settled = clock.max(*settled);
                return Ok(Go::On);
            };
            let Some(mut state) = self.cache.states.remove(&member) else { return Ok(Go::On) };
            let go = self.fire(&mut state, TimerKey { kind, which }, due, clock).await;
            self.cache.states.insert(member, state);
            if go? == Go::Cut {
                return Ok(Go::Cut);
            }
        }
    }

    async fn fire(&mut self, state: &mut State, timer: TimerKey, due: Ts, clock: Ts) -> Result<Go> {
        let member = state.member.id;
        let key = &self.home.id_key;
        let parts: [&[u8]; 4] =
            [member.bytes(), timer.kind.name().as_bytes(), &timer.which.to_le_bytes(), &due.0.to_le_bytes()];
        let id: EventId = key.derive("timer", &parts);
        let name = format!("timer/{}/{}/{}", timer.kind.name(), timer.which, due.0);
        // A timer may have been set for an instant that lies behind what was decided since.
        let at = due.max(state.member.decided_until);
        // What falls due before the home acts for real is history, too.
        let live_since = self.home.live_since;
        let replay = live_since.is_none_or(|since| at < since);
        let cause = Cause { id, name: &name, clock, replay };
        let scene = Scene { rules: &self.live.rules, key, cause, at };
        let mut known = Known { live_since, ..Known::default() };
        let outcome = loop {
            match caught(member, || (self.decisions.fall_due)(&scene, state, &known, timer))? {
                Ok(outcome) => break outcome,
                Err(Stop::Missing(missing)) => {
                    if self.shared(&mut known, &missing).await? {
                        continue;
                    }
                    if self.changed.contains(&member) {
                        return Ok(Go::Cut);
                    }
                    self.look_up(&mut known, missing, member).await?;
                }
                Err(Stop::Refused(refusal)) => {
                    tracing::error!(%member, name, %refusal, "a timer was refused");
                    return Err(EngineError::Stuck(member));
                }
            }
        };
        // What it knew of pools is the batch's own: while it holds them too, they would be copied.
        drop(known);
        self.changed.insert(member);
        self.fired += 1;
        if !outcome.is_empty() {
            self.state_fact(id, name.clone(), names::TIMER_DUE, member, at, clock);
        }
        self.absorb(outcome, cause, member, Told::NOBODY)?;
        Ok(Go::On)
    }

    /// A new version of the playbook reaches members.
    fn reach(&mut self, members: &[MemberId]) -> Result<()> {
        let version = self.live.version.version;
        for member in members {
            self.changed.insert(*member);
            if self.stuck(*member) {
                // Or everybody would wait for them: what they come to is judged with their next event.
                continue;
            }
            let Some(mut state) = self.cache.states.remove(member) else { continue };
            let key = &self.home.id_key;
            let id = key.derive("playbook", &[member.bytes(), &version.to_le_bytes()]);
            let name = format!("playbook/{version}");
            // Of a home that begins its business: what campaigns come to is armed from then on.
            let live_since = self.home.live_since;
            let clock = self.home.clock.max(self.live.version.applied_at).max(live_since.unwrap_or(Ts::MIN));
            // Never before what was decided already: time does not run backwards for a member.
            let at =
                self.live.version.applied_at.max(state.member.known_since).max(state.member.decided_until);
            let cause = Cause { id, name: &name, clock, replay: live_since.is_none() };
            let scene = Scene { rules: &self.live.rules, key, cause, at };
            let outcome = caught(*member, || (self.decisions.reach_version)(&scene, &mut state))?;
            if !outcome.stages.is_empty() || !outcome.tags.is_empty() {
                self.state_fact(id, name.clone(), names::PLAYBOOK_APPLIED, *member, at, clock);
            }
            self.absorb(outcome, cause, *member, Told::NOBODY)?;
            self.cache.states.insert(*member, state);
        }
        Ok(())
    }

    /// When a member is to be woken, as it is from now on.
    pub(super) fn file(&mut self, id: MemberId) -> Option<Ts> {
        let first = self.cache.states.get(&id).and_then(|state| state.member.timers.values().min().copied());
        let settled = self.settled.get(&id).copied();
        let mut wake = wake(self.cache.wakes.get(&id).copied(), settled, first);
        if self.stuck(id) {
            // Not at once again: others are due as well.
            wake = wake.map(|wake| wake.max(settled.unwrap_or(wake).plus_us(STUCK_REST_US)));
        }
        match wake {
            Some(wake) => drop(self.cache.wakes.insert(id, wake)),
            None => drop(self.cache.wakes.remove(&id)),
        }
        wake
    }

    /// Whether a member's timers, or the live version, broke down.
    fn stuck(&self, member: MemberId) -> bool {
        self.cache.broken.is_stuck(member, self.live.version.version)
    }
}

/// When a member is to be woken: as filed, where that is not after their first timer and did not come yet; else with that
/// timer.
fn wake(filed: Option<Ts>, settled: Option<Ts>, first: Option<Ts>) -> Option<Ts> {
    let first = first?;
    let stands = filed.filter(|filed| *filed <= first && settled.is_none_or(|settled| *filed > settled));
    Some(stands.unwrap_or(first))
}
