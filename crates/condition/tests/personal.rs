//! What members said of themselves, in conditions: children in weeks and months, and consent, each until the day on which
//! it turns. Each row is judged by both evaluators, which must agree now and for as long as the answer is said to hold.

#![allow(clippy::unwrap_used, reason = "a test fails where it is wrong")]

mod support;

use support::table::{NOW, check_for, text};
use support::{Person, schema, ts};
use zhiyin_condition::{Condition, Scope};
use zhiyin_model::consent::{ALL, Word};
use zhiyin_model::dependant::Told;
use zhiyin_model::id::EventId;
use zhiyin_model::time::{Day, Ts};

fn day(text: &str) -> Option<Day> {
    Some(Day::parse(text).unwrap())
}

/// Today is 2024-05-01: a girl of half a year, a boy of ten, and one to come in October.
fn parent() -> Person {
    let mut person = Person::stranger();
    let told = [
        ("girl", Told { birthday: day("2023-10-31"), gender: Some("female".to_owned()), ..Told::default() }),
        ("boy", Told { birthday: day("2014-02-10"), gender: Some("male".to_owned()), ..Told::default() }),
        ("next", Told { due_on: day("2024-10-07"), ..Told::default() }),
        ("cat", Told { kind: Some("pet".to_owned()), birthday: day("2020-02-29"), ..Told::default() }),
    ];
    for (key, told) in told {
        person.personal.dependants.tell(key, Ts(0), told);
    }
    person
}

#[test]
fn u1_children_are_asked_in_weeks_and_months_until_the_day_they_grow_out_of_it() {
    check_for(
        &parent(),
        Scope::Member,
        "Asia/Shanghai",
        NOW,
        &[
            ("size(dependants) == 4", "yes"),
            // Born on the 31st: six months were full on 30 April, a year will be on 31 October.
            ("dependants.exists(d, d.age_months >= 6 && d.age_months < 12)", "yes until 2024-10-31"),
            ("dependants.exists(d, d.age_months >= 7 && d.age_months < 12)", "no until 2024-05-31"),
            ("dependants.exists(d, d.age_weeks >= 30 && d.gender == \"female\")", "no until 2024-05-28"),
            ("dependants.exists(d, d.age_weeks == 26)", "yes until 2024-05-07"),
            ("dependants.exists(d, d.kind == \"child\" && d.age_years >= 11)", "no until 2025-02-10"),
            (
                "dependants.filter(d, d.gender == \"male\").exists(d, d.age_years >= 11)",
                "no until 2025-02-10",
            ),
            // To come on 7 October: 159 days, so 22 weeks left and the 17th week full.
            ("dependants.exists(d, d.weeks_to_due <= 22)", "yes until 2024-11-05"),
            ("dependants.exists(d, d.weeks_to_due < 22)", "no until 2024-05-07"),
            ("dependants.exists(d, d.weeks_to_due == 22)", "yes until 2024-05-07"),
            ("dependants.exists(d, d.pregnancy_week >= 12 && d.pregnancy_week < 28)", "yes until 2024-07-15"),
            ("dependants.exists(d, d.pregnancy_week >= 28)", "no until 2024-07-15"),
            ("dependants.exists(d, 28 <= d.pregnancy_week)", "no until 2024-07-15"),
            ("dependants.exists(d, d.due_on >= \"2024-10-01\" && d.birthday == null)", "yes"),
            ("dependants.exists(d, days_since(d.birthday) <= 183)", "yes until 2024-05-02"),
            // A birthday of 29 February is kept on the 28th.
            ("dependants.exists(d, d.kind == \"pet\" && d.age_years >= 5)", "no until 2025-02-28"),
            ("dependants.all(d, d.kind == \"child\")", "no"),
            ("min(dependants.map(d, d.age_months)) == 6", "yes until 2024-05-10"),
            ("max(dependants.map(d, d.birthday)) == \"2023-10-31\"", "yes"),
            ("size(dependants.filter(d, d.age_months == null)) == 1", "yes until 2024-05-10"),
        ],
    );
    check_for(
        &Person::stranger(),
        Scope::Member,
        "Asia/Shanghai",
        NOW,
        &[
            ("dependants.exists(d, d.age_months >= 0)", "no"),
            ("dependants.all(d, d.age_months >= 0)", "yes"),
            ("size(dependants) == 0", "yes"),
        ],
    );
}

fn word(at: &str, guardian: Option<&str>) -> Word {
    let event = EventId::from_bytes([1; 16]);
    Word { at: ts(at), source: None, guardian: guardian.map(str::to_owned), event }
}

#[test]
fn consent_is_asked_by_purpose_and_channel() {
    let mut person = Person::stranger();
    let said = &mut person.personal.consents;
    said.give("marketing", ALL, "2", word("2024-01-01T00:00:00Z", None));
    said.withdraw("marketing", "sms", word("2024-02-01T00:00:00Z", None));
    said.withdraw("service", "wecom", word("2024-02-01T00:00:00Z", None));
    check_for(
        &person,
        Scope::Member,
        "Asia/Shanghai",
        NOW,
        &[
            ("consent(\"marketing\", \"email\")", "yes"),
            ("consent(\"marketing\", \"sms\")", "no"),
            ("consent(\"marketing\")", "yes"),
            ("consent(\"marketing\", \"all\")", "yes"),
            ("consent(\"profiling\")", "no"),
            ("consent(\"service\", \"sms\") && !consent(\"service\", \"wecom\")", "yes"),
        ],
    );
}

#[test]
fn consent_of_a_minor_is_a_guardians_until_the_day_they_come_of_age() {
    // Fourteen on 10 June 2024.
    for (guardian, sms, service, profiling) in [
        (None, "no", "no until 2024-06-10", "no"),
        (Some("their mother"), "yes until 2024-06-10", "no until 2024-06-10", "no"),
    ] {
        let mut person = Person::stranger();
        person.attributes.insert("birthday".to_owned(), text("2010-06-10"));
        person.personal.consents.give("marketing", "sms", "2", word("2024-01-01T00:00:00Z", guardian));
        let rows = [
            ("consent(\"marketing\", \"sms\")", sms),
            // What needs no consent of others needs a guardian's.
            ("consent(\"service\", \"sms\")", service),
            ("consent(\"profiling\")", profiling),
        ];
        check_for(&person, Scope::Member, "Asia/Shanghai", NOW, &rows);
        // What was said before holds no more, whoever said it.
        let later = [("consent(\"marketing\", \"sms\")", "no"), ("consent(\"service\", \"sms\")", "yes")];
        check_for(&person, Scope::Member, "Asia/Shanghai", "2024-06-09T16:00:00Z", &later);
        person.personal.consents.give("marketing", "sms", "2", word("2024-06-09T16:00:00Z", None));
        let anew = [("consent(\"marketing\", \"sms\")", "yes")];
        check_for(&person, Scope::Member, "Asia/Shanghai", "2024-06-09T16:00:00Z", &anew);
    }
}

#[test]
fn what_is_written_wrong_of_consent_and_dependants_is_said() {
    let schema = schema(Scope::Member);
    for (wrong, message, suggestion) in [
        ("consent(\"marketting\", \"sms\")", "the playbook asks no consent for", Some("marketing")),
        ("consent(\"marketing\", \"smss\")", "has no channel", Some("sms")),
        ("consent(\"profiling\", \"sms\")", "has no channel", None),
        ("consent(store, \"sms\")", "a purpose is written as it is", None),
        ("consent(\"marketing\", store)", "a channel is written as it is", None),
        ("consent()", "consent is called so: consent(\"marketing\", \"sms\")", None),
        ("dependants", "a single value is needed here; this is a list of dependants", None),
        ("dependants.exists(d, d.age_month > 1)", "a dependant has no field `age_month`", Some("age_months")),
        ("dependants.exists(d, days_since(d) > 1)", "a time is needed here; this is a dependant", None),
        ("size(within(dependants, \"30d\")) > 1", "within needs rows of history", None),
        ("dependents.exists(d, true)", "nothing is called `dependents`", Some("dependants")),
        (
            "dependants.exists(d, size(orders.filter(o, o.paid > d.age_months)) > 0)",
            "may not use the element",
            None,
        ),
    ] {
        let problems = Condition::check(wrong, &schema).unwrap_err();
        assert!(problems[0].message.contains(message), "{wrong}: {problems:?}");
        assert_eq!(problems[0].suggestion.as_deref(), suggestion, "{wrong}: {problems:?}");
    }
}
