//! Tiers (R2, semantics 10): up at once when growth reaches a level, judged again when the term ends.

use zhiyin_model::effect::{TimerKey, TimerKind};
use zhiyin_model::event::names;
use zhiyin_model::member::Term;
use zhiyin_model::time::{Day, Ts};

use crate::Scene;
use crate::outcome::{Known, Missing, Outcome, Said, Stop};
use crate::state::State;

/// A member's only tier timer.
const TIMER: TimerKey = TimerKey { kind: TimerKind::Tier, which: 0 };

/// Enrols a member: the lowest level, from then on.
pub fn enrol(scene: &Scene<'_>, state: &mut State, at: Ts, out: &mut Outcome) {
    state.member.enrolled_at = Some(at);
    let lowest = scene.rules.level_of(0).to_owned();
    begin(scene, state, lowest, at, out);
}

/// Up at once, with a new term, when growth of the past days reaches a higher level.
pub fn raise(scene: &Scene<'_>, state: &mut State, out: &mut Outcome) {
    let today = scene.rules.zone.day(scene.at);
    let growth = state.member.growth_within(today, scene.rules.tiers.over_days);
    let level = scene.rules.level_of(growth);
    let held = state.member.term.as_ref().map_or("", |term| term.level.as_str());
    if scene.rules.rank(level) > scene.rules.rank(held) {
        begin(scene, state, level.to_owned(), scene.at, out);
    }
}

/// The term has ended: the tier is what growth of the past days holds, and a new term starts.
pub fn judge_term(scene: &Scene<'_>, state: &mut State, out: &mut Outcome) {
    let today = scene.rules.zone.day(scene.at);
    let growth = state.member.growth_within(today, scene.rules.tiers.over_days);
    let level = scene.rules.level_of(growth).to_owned();
    begin(scene, state, level, scene.at, out);
}

/// Sets the timer for the end of the running term.
pub fn set_timer(scene: &Scene<'_>, state: &mut State) {
    if let Some(term) = &state.member.term {
        state.member.timers.insert(TIMER, scene.rules.zone.start(term.ends));
    }
}

fn begin(scene: &Scene<'_>, state: &mut State, level: String, from: Ts, out: &mut Outcome) {
    let ends: Day = scene.rules.zone.day(from).plus(scene.rules.tiers.over_days);
    let before = state.member.term.as_ref().map(|term| term.level.clone());
    let term = Term { level: level.clone(), from, ends };
    out.terms.push(term.clone());
    state.member.term = Some(term);
    set_timer(scene, state);
    if let Some(before) = before.filter(|before| *before != level) {
        out.facts.push(Said { name: names::TIER_CHANGED, properties: vec![("from", before), ("to", level)] });
    }
}

/// The tier held at an instant: now's, or, for a late order, what the history of terms says.
pub fn at(state: &State, known: &Known, at: Ts) -> Result<Option<String>, Stop> {
    match &state.member.term {
        None => Ok(None),
        Some(term) if at >= term.from => Ok(Some(term.level.clone())),
        Some(_) => {
            let terms = known.terms.as_ref().ok_or(Stop::Missing(Missing::Terms))?;
            let held = terms.iter().rev().find(|term| term.from <= at).or(terms.first());
            Ok(held.map(|term| term.level.clone()))
        }
    }
}
