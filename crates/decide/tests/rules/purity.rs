//! A decision is pure: it depends on what it is given and on nothing else, and one that is not made leaves no trace.
//!
//! The scenarios themselves make every decision twice and compare; here it is said once in plain words.

use std::collections::BTreeMap;

use zhiyin_decide::outcome::{Known, Missing, Stop};
use zhiyin_decide::state::State;
use zhiyin_decide::{Cause, decide};
use zhiyin_model::event::{Event, OrderFacts};
use zhiyin_model::id::{EventId, IdKey};
use zhiyin_model::scalar::Scalar;

use super::scenario::{
    Step, World, adjust, cancel, gift, give_back, hold, order, post, refund, spend, update, wait,
};

/// A busy life: spends, holds, debt, a refund of everything.
fn life() -> Vec<(&'static str, Step)> {
    vec![
        ("2025-03-01 10:00", order("o1").goods("snacks", "12").paid("650")),
        ("2025-06-01 10:00", order("o2").paid("100.50")),
        ("2026-01-02 10:00", order("o3").paid("30")),
        ("2026-01-03 10:00", hold("300").called("h1")),
        ("2026-01-04 10:00", refund("o1").paid("600")),
        ("2026-01-05 10:00", post("h1").called("s1")),
        ("2026-01-06 10:00", adjust("77")),
        ("2026-01-07 10:00", order("o4").paid("40").dated("2025-05-05 10:00")),
        ("2026-01-08 10:00", update("o2").paid("300")),
        ("2026-01-09 10:00", spend("1")),
        ("2026-01-10 10:00", cancel("o3")),
        ("2026-01-11 10:00", gift("2")),
        ("2026-12-31 10:00", order("o5").paid("400")),
        ("2027-02-01 10:00", give_back("s1").with("amount", "120")),
        ("2027-02-02 10:00", spend("100000")),
        ("2027-02-03 10:00", refund("o2")),
        ("2030-01-01 00:00", wait()),
    ]
}

/// Everything a life came to, as text.
fn lived(mut world: World) -> String {
    for (at, step) in life() {
        let answer = world.send(world.time(at), &step);
        assert!(answer.is_ok() || format!("{step:?}").contains("100000"), "{step:?}: {answer:?}");
    }
    world.record.generous = false;
    format!("{:?} {:?}", world.state, world.record)
}

#[test]
fn the_same_life_twice_is_the_same() {
    assert_eq!(lived(World::new()), lived(World::new()));
}

#[test]
fn a_look_up_that_says_more_than_was_asked_changes_nothing() {
    let mut generous = World::new();
    generous.record.generous = true;
    assert_eq!(lived(generous), lived(World::new()));
}

#[test]
fn what_is_missing_is_asked_for_before_anything_changes() {
    let mut world = World::new();
    for (at, step) in life().into_iter().take(3) {
        world.send(world.time(at), &step).unwrap();
    }
    let before = world.state.clone().unwrap();
    let key = IdKey::from_bytes([7; 32]);
    let cause = Cause { id: EventId::from_bytes([1; 16]), name: "test/x", clock: world.clock, replay: false };
    let event = |name: &str, number: &str| Event {
        name: name.to_owned(),
        time: world.clock,
        identifiers: Vec::new(),
        traits: BTreeMap::new(),
        traits_removed: Vec::new(),
        properties: BTreeMap::from([("amount".to_owned(), Scalar::Text("10".to_owned()))]),
        touchpoint: Some("till".to_owned()),
        store: Some("1".to_owned()),
        channel: None,
        preferences: BTreeMap::new(),
        takeover: None,
        checkout: None,
        order: (!number.is_empty())
            .then(|| OrderFacts { number: number.to_owned(), ..OrderFacts::default() }),
    };
    let known_order = Known { order: Some(world.order("o1").clone()), ..Known::default() };
    for (name, number, known) in [
        ("Points Spent", "", Known::default()),
        ("Order Refunded", "o1", known_order.clone()),
        ("Order Cancelled", "o1", known_order),
    ] {
        let mut state = before.clone();
        let answer = decide(&world.rules, &key, &mut state, &known, &event(name, number), cause);
        let missing = match answer {
            Err(Stop::Missing(missing)) => missing,
            other => panic!("{name}: {other:?}"),
        };
        assert!(matches!(missing, Missing::Lots(_) | Missing::OrderLines(_)), "{name}: {missing:?}");
        assert_eq!((&state.member, &state.leaves), (&before.member, &before.leaves), "{name}");
    }
    // A newcomer who is refused was never here.
    let mut nobody = State::new(&world.rules, world.member(), world.clock);
    let fresh = nobody.clone();
    let refused =
        decide(&world.rules, &key, &mut nobody, &Known::default(), &event("Points Spent", ""), cause);
    assert!(matches!(refused, Err(Stop::Refused(refusal)) if refusal.code == "insufficient_points"));
    assert_eq!((nobody.member, nobody.leaves), (fresh.member, fresh.leaves));
}
