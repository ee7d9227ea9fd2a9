//! Standing audiences: who enters and leaves, when, and what turned (semantics 21).

use zhiyin_decide::outcome::{History, Outcome, Said};
use zhiyin_decide::person;
use zhiyin_decide::rules::Rules;
use zhiyin_decide::state::State;
use zhiyin_decide::{Cause, Scene, reach_version};
use zhiyin_model::event::names;
use zhiyin_model::id::{EventId, IdKey, MemberId};
use zhiyin_model::playbook::{parse, shipped};

use super::scenario::{Step, World, check, identify, order, refund, rules, wait};

/// The audiences of U3 and U6 as they are shipped, kept current; one of a fifth of the latter, and one that asks a tag.
const STANDING: &str = r#"
audiences:
  gone_quiet: { standing: true }
  evening: { standing: true }
  evening_test: { standing: true, who: 'audience("evening") && bucket("spring test") < 100 && !("silent" in tags)' }
  regulars: { who: 'size(orders) >= 2' }
"#;

/// What is said of audiences: `+evening (turned)`.
fn said(outcome: &Outcome) -> Vec<String> {
    outcome.facts.iter().filter_map(spoken).collect()
}

fn spoken(said: &Said) -> Option<String> {
    let sign = match said.name {
        names::AUDIENCE_ENTERED => '+',
        names::AUDIENCE_LEFT => '-',
        _ => return None,
    };
    let of =
        |name: &str| said.properties.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
    Some(format!("{sign}{} ({})", of("audience")?, of("turned")?))
}

#[test]
fn u3_pre_churn_is_entered_and_left_by_days_alone() {
    check(
        &mut World::under(STANDING),
        &[
            ("2025-01-01 10:00", order("o1").paid("10"), "in=none"),
            ("2025-01-02 10:00", order("o2").paid("10"), "in=none"),
            ("2025-01-03 10:00", order("o3").paid("10"), "in=none"),
            ("2025-01-04 10:00", order("o4").paid("10"), "in=none stage=maturity"),
            ("2025-03-05 23:59:59.999999", wait(), "in=none stage=maturity"),
            ("2025-03-06 00:00", wait(), "in=gone_quiet stage=decline"),
            ("2025-05-04 23:59:59.999999", wait(), "in=gone_quiet stage=decline"),
            ("2025-05-05 00:00", wait(), "in=none stage=lost"),
            ("2025-05-06 10:00", order("o5").paid("10"), "in=none stage=maturity"),
            ("2025-07-06 00:00", wait(), "in=gone_quiet"),
            // One order that comes back leaves three within the year: no longer a regular who fell silent.
            ("2025-07-07 10:00", refund("o1").paid("10"), "in=gone_quiet"),
            ("2025-07-07 11:00", refund("o2").paid("10"), "in=none"),
        ],
    );
}

#[test]
fn u6_evening_people_are_in_while_three_evenings_lie_within_ninety_days() {
    check(
        &mut World::under(STANDING),
        &[
            ("2025-03-01 19:29:59", order("o1").paid("10"), "in=none"),
            ("2025-03-02 19:30", order("o2").paid("10"), "in=none"),
            ("2025-03-04 00:29:59", order("o3").paid("10"), "in=none"),
            ("2025-03-05 00:30", order("o4").paid("10"), "in=none"),
            ("2025-03-06 23:00", order("o5").paid("10"), "in=evening,evening_test"),
            // The tag `silent` takes the test away at the same instant.
            ("2025-05-06 00:00", wait(), "in=evening,gone_quiet +silent"),
            ("2025-05-31 23:59:59.999999", wait(), "in=evening,gone_quiet +silent"),
            ("2025-06-01 00:00", wait(), "in=gone_quiet +silent"),
        ],
    );
}

#[test]
fn entering_and_leaving_say_what_turned() {
    let evening = r#"size(within(orders, "90d").filter(o, clock(o) >= "19:30" || clock(o) < "00:30")) >= 3"#;
    let mut world = World::under(
        r#"
audiences:
  evening: { standing: true }
  rich_or_near: { standing: true, who: 'attr.city == "Hefei" || sum(orders.map(o, o.paid)) >= 100 && !("silent" in tags)' }
"#,
    );
    let play: [(&str, Step, Vec<String>); 7] = [
        ("2025-03-01 20:00", order("o1").paid("99"), vec![]),
        (
            "2025-03-02 20:00",
            order("o2").paid("1"),
            vec!["+rich_or_near (sum(orders.map(o, o.paid)) >= 100)".to_owned()],
        ),
        ("2025-03-03 20:00", order("o3").paid("1"), vec![format!("+evening ({evening})")]),
        // It holds for another reason from now on: that is no news.
        ("2025-03-04 20:00", identify("city", "Hefei"), vec![]),
        ("2025-03-05 20:00", refund("o1").paid("99"), vec![format!("-evening ({evening})")]),
        (
            "2025-03-06 20:00",
            identify("city", "Wuhan"),
            vec![r#"-rich_or_near (attr.city == "Hefei")"#.to_owned()],
        ),
        (
            "2025-03-06 21:00",
            identify("city", "Hefei"),
            vec![r#"+rich_or_near (attr.city == "Hefei")"#.to_owned()],
        ),
    ];
    for (at, step, expected) in play {
        let outcome = world.send(world.time(at), &step).unwrap_or_else(|refusal| panic!("{refusal}"));
        assert_eq!(said(&outcome), expected, "{at} {step:?}");
    }
    let state = world.state.as_ref().expect("somebody");
    assert_eq!(state.member.audiences.since.get("rich_or_near"), Some(&world.time("2025-03-06 21:00")));
}

#[test]
fn what_turned_is_told_within_bounds() {
    let many: Vec<String> = (1..=9).map(|n| format!("points >= {n}")).collect();
    let long = format!("store == \"{}\"", "x".repeat(500));
    let text = format!(
        "audiences:\n  many: {{ standing: true, who: '{}' }}\n  long: {{ standing: true, who: 'points > 0 || {long}' }}\n  longer: {{ standing: true, who: '!({long})' }}",
        many.join(" && ")
    );
    let mut world = World::under(&text);
    let outcome =
        world.send(world.time("2025-03-01 10:00"), &identify("city", "Hefei")).expect("it is decided");
    // Never judged before, and what speaks for it is too long to be told.
    assert_eq!(said(&outcome), ["+longer (…)"]);
    let outcome = world.send(world.time("2025-03-01 11:00"), &order("o1").paid("20")).expect("it is decided");
    assert_eq!(
        said(&outcome),
        ["+long (points > 0)", "+many (points >= 1; points >= 2; points >= 3; points >= 4; …)"]
    );
}

/// The rules of a version in which only this stands.
fn version(text: &str) -> std::sync::Arc<Rules> {
    rules(&format!("audiences:\n{text}"))
}

/// A member of a world is reached by another version: what is said of audiences.
fn reached(world: &mut World, rules: std::sync::Arc<Rules>) -> Vec<String> {
    let mut state = world.state.take().expect("somebody");
    let history = world.record.history(&rules);
    state.leaves = zhiyin_decide::order::rebuild(&rules, &history, None);
    let key = IdKey::from_bytes([7; 32]);
    let cause =
        Cause { id: EventId::from_bytes([9; 16]), name: "playbook/2", clock: world.clock, replay: false };
    let outcome = reach_version(&Scene { rules: &rules, key: &key, cause, at: world.clock }, &mut state);
    world.rules = rules;
    world.state = Some(state);
    said(&outcome)
}

#[test]
fn another_version_is_entered_and_left_with_events() {
    let mut world = World::new();
    check(&mut world, &[("2025-03-01 10:00", order("o1").paid("10"), "in=none")]);
    let buyers = "  buyers: { standing: true, who: size(orders) >= 1 }";
    assert_eq!(reached(&mut world, version(buyers)), ["+buyers (size(orders) >= 1)"]);
    // The same again says nothing, and so does another way to say it.
    assert_eq!(reached(&mut world, version(buyers)), [""; 0]);
    assert_eq!(reached(&mut world, version("  buyers: { standing: true, who: size(orders) > 0 }")), [""; 0]);
    // Another condition never was judged: what does not hold of who leaves.
    let twice = "  buyers: { standing: true, who: 'points > 0 && size(orders) >= 2' }";
    assert_eq!(reached(&mut world, version(twice)), ["-buyers (size(orders) >= 2)"]);
    assert_eq!(reached(&mut world, version(buyers)), ["+buyers (size(orders) >= 1)"]);
    // Gone, or standing no more.
    assert_eq!(reached(&mut world, version("  buyers: { who: size(orders) >= 1 }")), ["-buyers (playbook)"]);
    assert_eq!(reached(&mut world, version(buyers)), ["+buyers (size(orders) >= 1)"]);
    assert_eq!(reached(&mut world, version("  others: { who: size(orders) >= 1 }")), ["-buyers (playbook)"]);
    let state = world.state.as_ref().expect("somebody");
    assert!(state.member.audiences.is_empty());
}

#[test]
fn two_who_are_one_are_in_what_holds_of_them_together() {
    let text = r#"
audiences:
  buyers: { standing: true, who: size(orders) >= 1 }
  beginners: { standing: true, who: size(orders) == 1 }
  regulars: { standing: true, who: size(orders) >= 2 }
"#;
    let mut one = World::under(text);
    check(&mut one, &[("2025-03-02 10:00", order("o1").paid("10"), "in=beginners,buyers")]);
    let mut other = World::under(text);
    check(&mut other, &[("2025-03-01 10:00", order("o2").paid("10"), "in=beginners,buyers")]);
    let (mut winner, mut loser) = (one.state.clone().expect("one"), other.state.clone().expect("other"));
    loser.member.id = MemberId::from_bytes([3; 16]);
    let mut history = one.record.history(&one.rules);
    history.orders.extend(other.record.history(&other.rules).orders);
    let key = IdKey::from_bytes([7; 32]);
    let at = one.time("2025-03-03 10:00");
    let cause = Cause { id: EventId::from_bytes([9; 16]), name: "test/merge", clock: at, replay: false };
    let scene = Scene { rules: &one.rules, key: &key, cause, at };
    let join = |winner: &mut State, history: &History| {
        let mut out = Outcome::default();
        person::join(&scene, winner, &loser, (history, &[]), &mut out);
        said(&out)
    };
    assert_eq!(
        join(&mut winner, &history),
        ["-beginners (size(orders) == 1)", "+regulars (size(orders) >= 2)"]
    );
    // In it since the first of them was.
    assert_eq!(winner.member.audiences.since.get("buyers"), Some(&one.time("2025-03-01 10:00")));
    assert_eq!(winner.member.audiences.since.get("regulars"), Some(&at));
    // Who has done nothing yet is in what the other was in; being one person is no entering.
    let mut nobody = State::new(&one.rules, MemberId::from_bytes([4; 16]), at);
    assert_eq!(join(&mut nobody, &other.record.history(&other.rules)), [""; 0]);
    assert_eq!(nobody.member.audiences.since, loser.member.audiences.since);
}

#[test]
fn whoever_was_erased_never_enters_again() {
    let mut world = World::under(STANDING);
    check(&mut world, &[("2025-01-01 20:00", order("o1").paid("10"), "in=none")]);
    let mut state = world.state.take().expect("somebody");
    state.member.audiences.closed = true;
    world.state = Some(state);
    check(
        &mut world,
        &[
            ("2025-01-02 20:00", order("o2").paid("10"), "in=none"),
            ("2025-01-03 20:00", order("o3").paid("10"), "in=none"),
            ("2025-01-04 20:00", order("o4").paid("10"), "in=none"),
            ("2025-03-10 00:00", wait(), "in=none stage=decline"),
        ],
    );
}

#[test]
fn what_the_pipeline_decides_asks_no_list_and_tags_ask_no_tags_through_an_audience() {
    for (changes, message) in [
        (
            "audiences:\n  press: { name: { zh: 媒体, en: Press } }\n  asked: { who: 'audience(\"press\")' }\n",
            None,
        ),
        (
            "audiences:\n  press: { name: { zh: 媒体, en: Press } }\n  asked: { standing: true, who: 'audience(\"press\")' }\n",
            Some("\"press\" is a list that was uploaded by hand"),
        ),
        (
            "tags: { a: { who: 'audience(\"press\")' } }\naudiences: { press: { name: { zh: 媒体, en: Press } } }\n",
            Some("\"press\" is a list that was uploaded by hand"),
        ),
        (
            "tags: { a: { who: 'audience(\"quiet\")' } }\naudiences: { quiet: { who: '\"silent\" in tags' } }\n",
            Some("in the audience \"quiet\", column 1: no tag is called \"silent\""),
        ),
        (
            "tags: { a: { who: 'audience(\"b\")' } }\naudiences: { b: { who: 'audience(\"c\")' }, c: { who: 'audience(\"b\")' } }\n",
            Some("audiences turn in a circle: b → c → b"),
        ),
        ("tags: { a: { who: 'audience(\"evenin\")' } }\n", Some("no audience is called \"evenin\"")),
    ] {
        let text = format!("playbook: test\nextends: variety-store\n{changes}");
        let playbook =
            parse("test.yaml", &text, &shipped::load).unwrap_or_else(|problems| panic!("{problems:?}"));
        let problems = Rules::compile(&playbook).err().unwrap_or_default();
        let found: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        match message {
            Some(message) => {
                assert!(found.iter().any(|found| found.contains(message)), "{changes}: {found:?}")
            }
            None => assert!(found.is_empty(), "{changes}: {found:?}"),
        }
    }
}
