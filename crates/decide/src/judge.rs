//! Lifecycle (U3), rule tags (U2) and, by [`audience`], standing audiences: judged after everything that happens, and again when the judgement can no
//! longer be taken for granted. The evaluator says until when it holds; that instant is the timer.

use zhiyin_condition::holds;
use zhiyin_model::effect::{StageMove, TagMove, TimerKey, TimerKind};
use zhiyin_model::event::names;
use zhiyin_model::member::{StageHeld, TagHeld};
use zhiyin_model::time::Ts;

use crate::outcome::{Outcome, Said};
use crate::rules::TagRule;
use crate::state::{State, View};
use crate::tag;
use crate::{Scene, audience};

/// Judges stage, tags and standing audiences at the scene's instant and sets their timers.
pub fn judge(scene: &Scene<'_>, state: &mut State, out: &mut Outcome) {
    // An event may lie a little ahead; what its judgement may forget, the next one must not miss.
    let passed = scene.at.min(scene.cause.clock.max(state.member.decided_until));
    state.leaves.prune(&scene.rules.leaves, passed);
    let until = judge_stage(scene, state, out);
    set_timer(state, TimerKind::Lifecycle, until);
    let until = judge_tags(scene, state, out);
    set_timer(state, TimerKind::Tags, until);
    let until = audience::judge(scene, state, out);
    set(state, audience::TIMER, until);
}

fn set_timer(state: &mut State, kind: TimerKind, until: Ts) {
    set(state, TimerKey { kind, which: 0 }, until);
}

fn set(state: &mut State, key: TimerKey, until: Ts) {
    if until == Ts::FOREVER {
        state.member.timers.remove(&key);
    } else {
        state.member.timers.insert(key, until);
    }
}

fn judge_stage(scene: &Scene<'_>, state: &mut State, out: &mut Outcome) -> Ts {
    let mut until = Ts::FOREVER;
    let mut found = None;
    for stage in &scene.rules.stages {
        let (value, ends) = holds(&stage.when, &scene.rules.leaves, &View::of(state), scene.at);
        until = until.min(ends);
        if value {
            found = Some(stage.id.as_str());
            break;
        }
    }
    let before = state.member.stage.as_ref().map(|held| held.stage.clone());
    let Some(stage) = found.filter(|stage| before.as_deref() != Some(stage)) else {
        return until;
    };
    out.stages.push(StageMove {
        member: state.member.id,
        from: before.clone(),
        to: stage.to_owned(),
        at: scene.at,
        event: scene.cause.id,
    });
    let mut properties = vec![("to", stage.to_owned())];
    if let Some(before) = before {
        properties.insert(0, ("from", before));
    }
    out.facts.push(Said { name: names::STAGE_CHANGED, properties });
    state.member.stage = Some(StageHeld { stage: stage.to_owned(), since: scene.at });
    until
}

fn judge_tags(scene: &Scene<'_>, state: &mut State, out: &mut Outcome) -> Ts {
    let mut until = Ts::FOREVER;
    for rule in &scene.rules.tags {
        let (on, ends) = tag_holds(scene, state, rule);
        until = until.min(ends);
        match (on, state.member.tags.get(&rule.id).map(|held| held.by_rule)) {
            (true, None) => {
                let held = TagHeld { since: scene.at, by_rule: true };
                state.member.tags.insert(rule.id.clone(), held);
                moved(scene, state, out, &rule.id, true);
            }
            (false, Some(true)) => {
                state.member.tags.remove(&rule.id);
                moved(scene, state, out, &rule.id, false);
            }
            _ => {}
        }
    }
    drop_unruled(scene, state, out);
    until.min(tag::ended(scene, state, out))
}

/// A tag's rule holds between its first and its last day.
fn tag_holds(scene: &Scene<'_>, state: &State, rule: &TagRule) -> (bool, Ts) {
    let zone = &scene.rules.zone;
    let opens = rule.from.map_or(Ts::MIN, |day| zone.start(day));
    let closes = rule.until.map_or(Ts::FOREVER, |day| zone.start(day.plus(1)));
    if scene.at >= closes {
        return (false, Ts::FOREVER);
    }
    if scene.at < opens {
        return (false, opens);
    }
    let (value, ends) = holds(&rule.who, &scene.rules.leaves, &View::of(state), scene.at);
    (value, ends.min(closes))
}

/// Tags that a rule put on and whose rule is gone from the playbook are taken off.
fn drop_unruled(scene: &Scene<'_>, state: &mut State, out: &mut Outcome) {
    let ruled = |tag: &str| scene.rules.tags.iter().any(|rule| rule.id == tag);
    let gone: Vec<String> = state
        .member
        .tags
        .iter()
        .filter(|(tag, held)| held.by_rule && !ruled(tag))
        .map(|(tag, _)| tag.clone())
        .collect();
    for tag in gone {
        state.member.tags.remove(&tag);
        moved(scene, state, out, &tag, false);
    }
}

/// A tag was put on or taken off.
pub(crate) fn moved(scene: &Scene<'_>, state: &State, out: &mut Outcome, tag: &str, on: bool) {
    out.tags.push(TagMove {
        member: state.member.id,
        tag: tag.to_owned(),
        on,
        at: scene.at,
        event: scene.cause.id,
    });
    let name = if on { names::TAG_ADDED } else { names::TAG_REMOVED };
    out.facts.push(Said { name, properties: vec![("tag", tag.to_owned())] });
}
