//! Consent and dependants as events: what is taken, what is refused by name, what tags and sends make of it.

use zhiyin_decide::consent::ask;
use zhiyin_model::consent::ALL;
use zhiyin_model::member::Member;

use crate::scenario::{World, identify, track, wait};

const CONSENT: &str = "
attributes:
  birthday: { type: text }
consent:
  purposes:
    marketing: { channels: [sms, wecom, email], versions: ['2025-01'], name: Marketing }
    profiling: { category: Analytics }
    membership: { needed: false }
tags:
  reachable_by_sms: { who: 'consent(\"marketing\", \"sms\")' }
  baby: { who: 'dependants.exists(d, d.age_months < 12)' }
  awaits: { who: 'dependants.exists(d, d.weeks_to_due <= 12)' }
";

fn member(world: &World) -> &Member {
    world.state.as_ref().map(|state| &state.member).expect("something happened to them")
}

fn tags(world: &World) -> Vec<&str> {
    let member = member(world);
    member
        .tags
        .keys()
        .map(String::as_str)
        .filter(|tag| ["reachable_by_sms", "baby", "awaits"].contains(tag))
        .collect()
}

fn answer(world: &World, purpose: &str, channel: &str) -> &'static str {
    match ask(&world.rules, member(world), purpose, channel, world.clock).allowed {
        Ok(ground) => ground.name(),
        Err(refused) => refused.name(),
    }
}

fn given(purpose: &str, channel: &str) -> crate::scenario::Step {
    track("Consent Given").with("purpose", purpose).with("channel", channel).with("version", "2025-01")
}

#[test]
fn consent_follows_what_was_said_last_whatever_arrives_when() {
    let mut world = World::under(CONSENT);
    let general_no = track("Consent Withdrawn").dated("2025-03-05 10:00");
    for (at, step, sms, email, tagged) in [
        ("2025-03-01 10:00", wait_for_someone(), "never_given", "never_given", false),
        ("2025-03-02 10:00", given("marketing", "sms"), "given", "never_given", true),
        (
            "2025-03-03 10:00",
            track("Consent Withdrawn").with("purpose", "marketing").with("channel", "sms"),
            "withdrawn",
            "never_given",
            false,
        ),
        // What was said before the no and arrives after it changes nothing.
        (
            "2025-03-04 10:00",
            given("marketing", "sms").dated("2025-03-03 09:00"),
            "withdrawn",
            "never_given",
            false,
        ),
        ("2025-03-04 11:00", given("marketing", "sms"), "given", "never_given", true),
        ("2025-03-06 10:00", given("marketing", "email"), "given", "given", true),
        // A no to everything covers every channel, from when it was said.
        ("2025-03-07 10:00", general_no, "withdrawn", "given", false),
        // At one instant the no wins.
        (
            "2025-03-07 11:00",
            given("marketing", "sms").dated("2025-03-05 10:00"),
            "withdrawn",
            "given",
            false,
        ),
        ("2025-03-08 10:00", given("marketing", ALL), "given", "given", true),
    ] {
        world.send(world.time(at), &step).unwrap();
        assert_eq!(
            (answer(&world, "marketing", "sms"), answer(&world, "marketing", "email")),
            (sms, email),
            "{at}"
        );
        assert_eq!(tags(&world) == ["reachable_by_sms"], tagged, "{at}");
    }
    assert_eq!(answer(&world, "membership", ALL), "withdrawn");
}

fn wait_for_someone() -> crate::scenario::Step {
    track("Store Visited")
}

#[test]
fn consent_of_a_minor_is_a_guardians_and_is_asked_for_anew_when_they_come_of_age() {
    let mut world = World::under(CONSENT);
    let by_guardian = given("marketing", "sms").with("guardian", "mother, 138 0000 0000");
    for (at, step, sms, tagged) in [
        ("2025-03-01 10:00", given("marketing", "sms"), "given", true),
        // Fourteen on 10 June: what they said themselves counts no more.
        ("2025-03-02 10:00", identify("birthday", "2011-06-10"), "minor", false),
        ("2025-03-03 10:00", by_guardian, "given_by_guardian", true),
        ("2025-06-09 23:59", wait(), "given_by_guardian", true),
        // No event: the timer of the tag falls due on the birthday.
        ("2025-06-10 00:00", wait(), "came_of_age", false),
        ("2025-06-10 09:00", given("marketing", "sms"), "given", true),
    ] {
        world.send(world.time(at), &step).unwrap();
        assert_eq!(answer(&world, "marketing", "sms"), sms, "{at}");
        assert_eq!(tags(&world) == ["reachable_by_sms"], tagged, "{at}");
    }
}

#[test]
fn consent_that_the_playbook_does_not_know_is_refused_by_name() {
    let mut world = World::under(CONSENT);
    let at = world.time("2025-03-01 10:00");
    for (step, code, field) in [
        (track("Consent Given"), "consent_purpose_missing", "properties.purpose"),
        (given("marketting", "sms"), "consent_purpose_unknown", "properties.purpose"),
        (given(ALL, "sms"), "consent_purpose_unknown", "properties.purpose"),
        (given("marketing", "fax"), "consent_channel_unknown", "properties.channel"),
        (
            track("Consent Given").with("purpose", "marketing"),
            "consent_version_missing",
            "properties.version",
        ),
        (given("marketing", "sms").with("version", "1999"), "consent_version_unknown", "properties.version"),
        (track("Consent Withdrawn").with("purpose", "spam"), "consent_purpose_unknown", "properties.purpose"),
        (track("Consent Withdrawn").with("channel", "fax"), "consent_channel_unknown", "properties.channel"),
        (given("marketing", &"x".repeat(300)), "text_too_long", "properties.channel"),
    ] {
        let refusal = world.send(at, &step).unwrap_err();
        assert_eq!((refusal.code, refusal.field.as_str()), (code, field), "{step:?}");
        assert!(world.state.is_none(), "{step:?}");
    }
    // Where the playbook asks for none, nothing that somebody says is lost without a word.
    let refusal = World::new().send(at, &given("marketing", "sms")).unwrap_err();
    assert_eq!(refusal.code, "consent_not_declared");
}

#[test]
fn u1_a_child_is_awaited_born_and_grows_out_of_it() {
    let mut world = World::under(CONSENT);
    let told = || track("Dependant Told").with("key", "first");
    for (at, step, expected) in [
        ("2025-01-10 10:00", told().with("due_on", "2025-06-30"), &[][..]),
        // Twelve weeks are left, and the days of the last of them, on 1 April.
        ("2025-03-31 23:59", wait(), &[]),
        ("2025-04-01 00:00", wait(), &["awaits"]),
        ("2025-06-25 10:00", told().with("birthday", "2025-06-24").with("name", "Bao"), &["baby"]),
        ("2026-06-23 23:59", wait(), &["baby"]),
        ("2026-06-24 00:00", wait(), &[]),
    ] {
        world.send(world.time(at), &step).unwrap();
        assert_eq!(tags(&world), expected, "{at}");
    }
    let member = &world.state.as_ref().unwrap().member;
    assert_eq!(member.personal.dependants.known().count(), 1);
    world.send(world.time("2026-07-01 10:00"), &track("Dependant Removed").with("key", "first")).unwrap();
    assert_eq!(world.state.as_ref().unwrap().member.personal.dependants.known().count(), 0);
}

#[test]
fn u1_a_dependant_told_wrong_is_refused_by_name() {
    let mut world = World::under(CONSENT);
    let at = world.time("2025-03-01 10:00");
    let told = || track("Dependant Told").with("key", "k");
    for (step, code, field) in [
        (track("Dependant Told"), "dependant_key_missing", "properties.key"),
        (track("Dependant Removed"), "dependant_key_missing", "properties.key"),
        (told().with("birthday", "last week"), "bad_dependant", "properties.birthday"),
        (told().with("birthday", "2025-02-29"), "bad_dependant", "properties.birthday"),
        (told().with("birthday", "2025-03-03"), "bad_dependant", "properties.birthday"),
        (told().with("birthday", "1890-01-01"), "bad_dependant", "properties.birthday"),
        (told().with("due_on", "2026-03-01"), "bad_dependant", "properties.due_on"),
        (told().with("name", &"x".repeat(65)), "bad_dependant", "properties.name"),
    ] {
        let refusal = world.send(at, &step).unwrap_err();
        assert_eq!((refusal.code, refusal.field.as_str()), (code, field), "{step:?}");
    }
    for n in 0..10 {
        world.send(at, &track("Dependant Told").with("key", &n.to_string())).unwrap();
    }
    let refusal = world.send(at, &told()).unwrap_err();
    assert_eq!((refusal.code, refusal.field.as_str()), ("too_many_dependants", "properties.key"));
    world.send(at, &track("Dependant Removed").with("key", "3")).unwrap();
    world.send(world.time("2025-03-01 10:01"), &told()).unwrap();
}
