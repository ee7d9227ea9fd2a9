//! What is expected of a member, in words: `points=128 growth=1280 tier=regular stage=growth +new_customer`.
//! Only what is named is compared; a refusal must always be named.

use zhiyin_model::effect::Asset;

use super::World;

/// Compares what is with what is expected.
#[track_caller]
pub fn compare(world: &World, refused: Option<&'static str>, expected: &str, place: &str) {
    let words: Vec<&str> = expected.split_whitespace().collect();
    let told = words.iter().any(|word| word.starts_with("refused="));
    assert!(told || refused.is_none(), "{place}\n  was refused: {refused:?}");
    for word in words {
        let got = match word.split_once('=') {
            Some(("refused", _)) => format!("refused={}", refused.unwrap_or("nothing")),
            Some((key, _)) => format!("{key}={}", value(world, key)),
            None => tag(world, word),
        };
        assert!(got == word, "{place}\n  expected {word}\n  got      {got}\n  of       {expected}");
    }
}

fn tag(world: &World, word: &str) -> String {
    let name = &word[1..];
    assert!(word.starts_with(['+', '-']), "{word:?} is neither key=value nor +tag nor -tag");
    let ruled = world.rules.tags.iter().any(|rule| rule.id == name);
    assert!(ruled || world.rules.hand_tags.contains_key(name), "no tag {name:?}");
    let on = world.state.as_ref().is_some_and(|state| state.member.tags.contains_key(name));
    format!("{}{name}", if on { '+' } else { '-' })
}

fn value(world: &World, key: &str) -> String {
    let Some(state) = &world.state else { return "nobody".to_owned() };
    let member = &state.member;
    let points = member.account(Asset::Points);
    let today = world.rules.zone.day(world.clock);
    let none = || "none".to_owned();
    match key {
        "points" => points.shown().to_string(),
        "active" => points.active.to_string(),
        "pending" => points.pending.to_string(),
        "held" => points.held.to_string(),
        "debt" => points.debt.to_string(),
        "growth" => member.growth_within(today, world.rules.tiers.over_days).to_string(),
        "tier" => member.term.as_ref().map_or_else(none, |term| term.level.clone()),
        "ends" => member.term.as_ref().map_or_else(none, |term| term.ends.to_string()),
        "terms" => {
            let levels: Vec<&str> = world.record.terms.iter().map(|term| term.level.as_str()).collect();
            levels.join(",")
        }
        "stage" => member.stage.as_ref().map_or_else(none, |held| held.stage.clone()),
        "stages" => {
            let moves: Vec<&str> = world.record.stages.iter().map(|moved| moved.to.as_str()).collect();
            moves.join(",")
        }
        "in" => {
            let audiences: Vec<&str> = member.audiences.since.keys().map(String::as_str).collect();
            if audiences.is_empty() { none() } else { audiences.join(",") }
        }
        "first" => member.touches.first.as_ref().map_or_else(none, |touch| touch.code.clone()),
        "last" => member.touches.last.as_ref().map_or_else(none, |touch| touch.code.clone()),
        "lots" => lots(world),
        "enrolled" => member.enrolled_at.map_or_else(none, |at| world.rules.zone.day(at).to_string()),
        "transfers" => world.record.transfers.len().to_string(),
        _ => panic!("nothing is called {key:?} in a picture"),
    }
}

/// What is left in open lots, in spending order.
fn lots(world: &World) -> String {
    let left: Vec<String> = world.record.open_lots().iter().map(|lot| lot.remaining.to_string()).collect();
    if left.is_empty() { "none".to_owned() } else { left.join("+") }
}
