//! Tiers (R2, semantics 10): up at once when growth reaches a level, judged again when the term ends.

use zhiyin_model::effect::{TimerKey, TimerKind};
use zhiyin_model::event::names;
use zhiyin_model::member::{Member, Term};
use zhiyin_model::time::{Day, Ts};

use crate::Scene;
use crate::outcome::{Known, Missing, Outcome, Said, Stop};
use crate::rules::Rules;
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

/// Where another's running term is better, it is this member's from now on: a higher level, or the same one for longer.
pub fn take_better(scene: &Scene<'_>, state: &mut State, other: Option<&Term>, out: &mut Outcome) {
    let key = |term: &Term| (scene.rules.rank(&term.level), term.ends);
    let Some(other) = other else { return };
    let before = state.member.term.clone();
    if before.as_ref().is_some_and(|term| key(term) >= key(other)) {
        return;
    }
    let term = Term { from: scene.at, ..other.clone() };
    out.terms.push(term.clone());
    let level = term.level.clone();
    state.member.term = Some(term);
    set_timer(scene, state);
    if let Some(before) = before.filter(|before| before.level != level) {
        let properties = vec![("from", before.level), ("to", level)];
        out.facts.push(Said { name: names::TIER_CHANGED, properties });
    }
}

/// A member comes with the term that an old system gave them. It runs to its end whatever their growth here is; only for
/// somebody who has a better one already it changes nothing.
pub fn take_over(scene: &Scene<'_>, state: &mut State, term: Term, out: &mut Outcome) {
    if state.member.term.is_some() {
        return take_better(scene, state, Some(&term), out);
    }
    out.terms.push(term.clone());
    state.member.term = Some(term);
    set_timer(scene, state);
}

/// Somebody of whom an old system said no tier stands where their growth holds them, from now on.
pub fn begin_by_growth(scene: &Scene<'_>, state: &mut State, out: &mut Outcome) {
    let today = scene.rules.zone.day(scene.at);
    let growth = state.member.growth_within(today, scene.rules.tiers.over_days);
    let level = scene.rules.level_of(growth).to_owned();
    begin(scene, state, level, scene.at, out);
}

/// From now on this is the running term, if it is not already.
pub fn be(scene: &Scene<'_>, state: &mut State, term: Term, out: &mut Outcome) {
    let before = state.member.term.clone();
    if before.as_ref().is_some_and(|before| before.level == term.level && before.ends == term.ends) {
        return;
    }
    let (from, to) = (before.map(|before| before.level), term.level.clone());
    let term = Term { from: if from.is_some() { scene.at } else { term.from }, ..term };
    out.terms.push(term.clone());
    state.member.term = Some(term);
    set_timer(scene, state);
    if let Some(from) = from.filter(|from| *from != to) {
        out.facts.push(Said { name: names::TIER_CHANGED, properties: vec![("from", from), ("to", to)] });
    }
}

/// The term that a member has at the scene's instant by nothing but their own enrolment and orders, each with its day and
/// time and the growth that is kept of it, by time.
pub fn by_history(scene: &Scene<'_>, enrolled_at: Ts, orders: &[(Ts, i64)]) -> Term {
    let rules = scene.rules;
    let over_days = rules.tiers.over_days;
    let begin = |level: &str, from: Ts| Term {
        level: level.to_owned(),
        from,
        ends: rules.zone.day(from).plus(over_days),
    };
    let mut grown = Member::new(zhiyin_model::id::MemberId::from_bytes([0; 16]), enrolled_at);
    let mut term = begin(rules.level_of(0), enrolled_at);
    let end = [(scene.at, 0)];
    for (time, growth) in orders.iter().chain(&end) {
        while rules.zone.start(term.ends) <= *time {
            let from = rules.zone.start(term.ends);
            term = begin(rules.level_of(grown.growth_within(rules.zone.day(from), over_days)), from);
        }
        let today = rules.zone.day(*time);
        grown.book_growth(today, *growth, today, over_days);
        let level = rules.level_of(grown.growth_within(today, over_days));
        if rules.rank(level) > rules.rank(&term.level) {
            term = begin(level, *time);
        }
    }
    term
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

/// How a member stands between levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// g(today).
    pub growth: i64,
    /// The next level above the one held, from which growth on, and how much is missing: it comes as soon as that is earned
    /// while what counts today still counts.
    pub next: Option<(String, i64, i64)>,
    /// What of today's growth stops counting first: from which day on, and how much.
    pub lapses: Option<(Day, i64)>,
    /// At the end of the running term: how much growth holds its level then, and how much of that is missing if nothing more
    /// is earned.
    pub keep: Option<(i64, i64)>,
}

/// How a member stands between levels on a day.
pub fn outlook(rules: &Rules, member: &Member, today: Day) -> Outlook {
    let over_days = rules.tiers.over_days;
    let growth = member.growth_within(today, over_days);
    let held = member.term.as_ref().map_or(0, |term| rules.rank(&term.level));
    let next = rules.tiers.levels.get(held + 1);
    let next = next.filter(|_| member.term.is_some());
    let counts = |day: &Day| *day <= today && today.0 - day.0 <= over_days;
    let lapses = member.growth_days.iter().find(|(day, amount)| counts(day) && *amount > 0);
    let keep = member.term.as_ref().and_then(|term| {
        let (_, from) = rules.tiers.levels.iter().find(|(id, _)| *id == term.level)?;
        let then: i64 = member
            .growth_days
            .iter()
            .filter(|(day, _)| *day <= today && term.ends.0 - day.0 <= over_days)
            .map(|(_, amount)| amount)
            .sum();
        Some((*from, (from - then).max(0)))
    });
    Outlook {
        growth,
        next: next.map(|(id, from)| (id.clone(), *from, (from - growth).max(0))),
        lapses: lapses.map(|(day, amount)| (day.plus(over_days + 1), *amount)),
        keep,
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
