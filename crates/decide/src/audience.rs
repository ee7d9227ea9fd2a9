//! Standing audiences: who is in them is judged with everything that happens to a member, after tier, stage and tags, and
//! again when the judgement can no longer be taken for granted. Entering and leaving are events, which say what turned.

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_condition::holds;
use zhiyin_model::effect::{TimerKey, TimerKind};
use zhiyin_model::event::names;
use zhiyin_model::member::Member;
use zhiyin_model::time::Ts;

use crate::Scene;
use crate::outcome::{Outcome, Said};
use crate::rules::AudienceRule;
use crate::state::{State, View};

/// When a standing audience can no longer be taken for granted. It is a timer of tags, the second one: a release that knows
/// of no standing audiences judges tags then, which does no harm.
pub(crate) const TIMER: TimerKey = TimerKey { kind: TimerKind::Tags, which: 1 };

/// How many parts that turned are told.
pub const TURNED_MAX: usize = 4;
/// How long what turned may be, in characters.
pub const TURNED_CHARS_MAX: usize = 400;
/// What is told of those who left because the playbook has the audience no more.
pub const GONE: &str = "playbook";

/// Judges every standing audience at the scene's instant, and says until when that holds.
pub(crate) fn judge(scene: &Scene<'_>, state: &mut State, out: &mut Outcome) -> Ts {
    if state.member.audiences.closed {
        return Ts::FOREVER;
    }
    let mut until = Ts::FOREVER;
    let mut judged = BTreeMap::new();
    for rule in &scene.rules.audiences {
        let (leaves, view) = (&scene.rules.leaves, View::of(state));
        let (is_in, ends) = holds(&rule.who, leaves, &view, scene.at);
        let held = rule.who.atoms_held(leaves, &view, scene.at);
        until = until.min(ends);
        judged.insert(rule.number, held);
        if is_in == state.member.audiences.since.contains_key(&rule.id) {
            continue;
        }
        let before = state.member.audiences.judged.get(&rule.number).copied();
        let turned = turned(rule, is_in, held, before);
        match is_in {
            true => drop(state.member.audiences.since.insert(rule.id.clone(), scene.at)),
            false => drop(state.member.audiences.since.remove(&rule.id)),
        }
        moved(out, &rule.id, is_in, turned);
    }
    let stands = |id: &str| scene.rules.audiences.iter().any(|rule| rule.id == id);
    let gone: Vec<String> = state.member.audiences.since.keys().filter(|id| !stands(id)).cloned().collect();
    for id in gone {
        state.member.audiences.since.remove(&id);
        moved(out, &id, false, GONE.to_owned());
    }
    state.member.audiences.judged = judged;
    until
}

/// What `loser` was in is `winner`'s from now on, since the earlier of the two: being one person is no entering. They are
/// judged right after, and leave what does not hold of them together.
pub(crate) fn join(winner: &mut Member, loser: &Member) {
    for (id, since) in &loser.audiences.since {
        let mine = winner.audiences.since.entry(id.clone()).or_insert(*since);
        *mine = (*mine).min(*since);
    }
    for (number, held) in &loser.audiences.judged {
        winner.audiences.judged.entry(*number).or_insert(*held);
    }
}

fn moved(out: &mut Outcome, id: &str, is_in: bool, turned: String) {
    let name = if is_in { names::AUDIENCE_ENTERED } else { names::AUDIENCE_LEFT };
    out.facts.push(Said { name, properties: vec![("audience", id.to_owned()), ("turned", turned)] });
}

/// The atoms whose value changed since the audience was last judged; where it was not (or its condition was another), those
/// that speak for it of who enters, and those that speak against it of who leaves.
fn turned(rule: &AudienceRule, is_in: bool, held: u64, before: Option<u64>) -> String {
    let changed = before.map(|before| before ^ held).filter(|changed| *changed != 0);
    let atoms = rule.who.atoms();
    let negated = atoms.iter().enumerate().fold(0, |bits, (n, atom)| bits | u64::from(atom.negated) << n);
    let speak_for = held ^ negated;
    let bits = changed.unwrap_or(if is_in { speak_for } else { !speak_for });
    let mut told = BTreeSet::new();
    let mut text = String::new();
    let texts = atoms.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, atom)| atom.text());
    for atom in texts {
        if !told.insert(atom.clone()) {
            continue;
        }
        let separator = if text.is_empty() { "" } else { "; " };
        let fits = text.chars().count() + separator.len() + atom.chars().count() <= TURNED_CHARS_MAX;
        if told.len() > TURNED_MAX || !fits {
            text.push_str(if text.is_empty() { "…" } else { "; …" });
            break;
        }
        text.push_str(separator);
        text.push_str(&atom);
    }
    text
}
