//! Tags that people put on and take off by hand (U2). What a rule gives and takes is none of theirs.

use zhiyin_model::event::{Event, names};
use zhiyin_model::member::TagHeld;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

use crate::Scene;
use crate::judge::moved;
use crate::outcome::{Outcome, Stop};
use crate::rules::Rules;
use crate::state::State;

/// A person puts a tag on, or takes it off.
pub fn by_hand(scene: &Scene<'_>, state: &mut State, event: &Event, out: &mut Outcome) -> Result<(), Stop> {
    let field = "properties.tag";
    let tag = event.properties.get("tag").and_then(Scalar::text).map(str::trim).unwrap_or_default();
    if scene.rules.tags.iter().any(|rule| rule.id == tag) {
        return Err(Stop::refused("tag_by_rule", field, "this tag is given and taken by its rule"));
    }
    let held = state.member.tags.contains_key(tag);
    if event.name == names::TAG_PUT_ON {
        if !scene.rules.hand_tags.contains_key(tag) {
            return Err(Stop::refused("tag_unknown", field, "the playbook has no such tag"));
        }
        // Put on again it lasts anew; that it is there is no news.
        state.member.tags.insert(tag.to_owned(), TagHeld { since: scene.at, by_rule: false });
        if !held {
            moved(scene, state, out, tag, true);
        }
        return Ok(());
    }
    if !held {
        return Err(Stop::refused("tag_not_held", field, "they do not bear this tag"));
    }
    state.member.tags.remove(tag);
    moved(scene, state, out, tag, false);
    Ok(())
}

/// Takes off what was put on by hand for a time that is over; when the next of them is.
pub(crate) fn ended(scene: &Scene<'_>, state: &mut State, out: &mut Outcome) -> Ts {
    let mut until = Ts::FOREVER;
    let held = state.member.tags.iter().filter(|(_, held)| !held.by_rule);
    let ends: Vec<(String, Ts)> =
        held.filter_map(|(tag, held)| Some((tag.clone(), end(scene.rules, tag, held.since)?))).collect();
    for (tag, end) in ends {
        if end > scene.at {
            until = until.min(end);
            continue;
        }
        state.member.tags.remove(&tag);
        moved(scene, state, out, &tag, false);
    }
    until
}

/// When a tag that was put on by hand at an instant ends: at the end of its last day, that day being the first. `None` where it lasts.
fn end(rules: &Rules, tag: &str, since: Ts) -> Option<Ts> {
    let days = (*rules.hand_tags.get(tag)?)?;
    let zone = &rules.zone;
    Some(zone.start(zone.day(since).plus(i32::from(days))))
}
