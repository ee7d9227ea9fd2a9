//! The shipped playbooks say what the rules of the brand are.

use super::*;

#[test]
fn the_variety_store_keeps_its_rules() {
    let playbook = shipped_playbook("variety-store");
    assert_eq!((playbook.timezone.name(), playbook.currency.code.as_str()), ("Asia/Shanghai", "CNY"));
    // R1: a point for each whole yuan, two for gold; gone at the end of the next calendar year.
    let points = &playbook.points;
    assert_eq!((points.earn[0].points, points.earn[0].per_major, points.hold_days), (1, 1, 0));
    assert_eq!((points.expire, points.debt), (Expiry::EndOfNextCalendarYear, Debt::Allowed));
    assert_eq!(points.combine, Combine::Largest);
    assert_eq!(points.times[0].who.as_ref().unwrap().text, "tier == \"gold\"");
    // R6: double points on the birthday.
    assert_eq!(points.times[1].when.as_ref().unwrap().text, "is_birthday");
    assert!(points.times.iter().all(|times| times.times == Ratio::from_thousandths(2000)));
    // R2, R3: levels, terms, aims.
    assert_eq!((playbook.growth.earn[0].points, playbook.growth.earn[0].per_major), (10, 1));
    assert_eq!(playbook.tiers.over_days, 365);
    let levels: Vec<(&str, i64)> = playbook.tiers.levels.iter().map(|l| (l.id.as_str(), l.from)).collect();
    assert_eq!(levels, [("regular", 0), ("silver", 3000), ("gold", 6000)]);
    let aims: Vec<&[Aim]> = playbook.tiers.levels.iter().map(|level| level.aim.as_slice()).collect();
    assert_eq!(
        aims,
        [
            &[Aim::Frequency, Aim::Habit][..],
            &[Aim::Referral, Aim::Basket],
            &[Aim::Retention, Aim::Frequency, Aim::Basket]
        ]
    );
    // U3: the stages in their order.
    let stages: Vec<(&str, Phase)> = playbook.lifecycle.iter().map(|s| (s.id.as_str(), s.phase)).collect();
    assert_eq!(
        stages,
        [
            ("introduction", Phase::Win),
            ("maturity", Phase::Grow),
            ("decline", Phase::WinBack),
            ("growth", Phase::Grow),
            ("lost", Phase::WinBack)
        ]
    );
    // U2: rules, and one by hand.
    assert!(playbook.tags.values().filter(|tag| tag.who.is_some()).count() >= 10);
    assert_eq!(playbook.tags["friend_of_the_house"].valid_days, Some(365));
    // C1: every kind of touchpoint.
    for kind in TouchpointKind::ALL {
        assert!(playbook.touchpoints.values().any(|touchpoint| touchpoint.kind == kind), "{kind:?}");
    }
}

#[test]
fn the_demo_differs_where_its_data_does() {
    let (demo, store) = (shipped_playbook("demo"), shipped_playbook("variety-store"));
    assert_eq!((demo.timezone.name(), demo.currency.code.as_str()), ("UTC", "USD"));
    assert_eq!((&demo.points, &demo.growth, &demo.tiers), (&store.points, &store.growth, &store.tiers));
    assert_eq!((&demo.lifecycle, &demo.touchpoints), (&store.lifecycle, &store.touchpoints));
    for name in [
        "age_range",
        "income",
        "home_ownership",
        "marital_status",
        "household_size",
        "household_comp",
        "kids_count",
    ] {
        assert_eq!(demo.attributes[name].kind, AttributeKind::Text, "{name}");
    }
    assert!(demo.tags.contains_key("baby_at_home") && !demo.tags.contains_key("young_gold"));
}

/// What it promises is named by its hash, which is part of the digest that the demo's year is known by.
#[test]
fn the_demo_saves_no_audience() {
    assert!(shipped_playbook("demo").audiences.is_empty());
    let audiences = shipped_playbook("variety-store").audiences;
    assert!(audiences.len() >= 4 && audiences.values().all(|audience| !audience.standing));
}

#[test]
fn every_thing_has_a_name_in_both_languages() {
    for playbook in shipped::NAMES.map(shipped_playbook) {
        let names = (playbook.attributes.values().map(|a| &a.name))
            .chain(playbook.touchpoints.values().map(|t| &t.name))
            .chain(playbook.tiers.levels.iter().map(|l| &l.name))
            .chain(playbook.lifecycle.iter().map(|s| &s.name))
            .chain(playbook.tags.values().map(|t| &t.name))
            .chain(playbook.audiences.values().map(|a| &a.name))
            .chain([&playbook.points.name, &playbook.growth.name]);
        for name in names {
            assert!(name.zh.is_some() && name.en.is_some(), "{name:?}");
        }
    }
}

#[test]
fn points_are_gone_at_the_first_instant_of_a_day() {
    let zone = Zone::named("Asia/Shanghai").unwrap();
    let earned = Day::parse("2025-03-15").unwrap();
    for (expiry, gone) in [
        (Expiry::EndOfCalendarYear, "2025-12-31T16:00:00Z"),
        (Expiry::EndOfNextCalendarYear, "2026-12-31T16:00:00Z"),
        (Expiry::DaysAfterEarning(365), "2026-03-14T16:00:00Z"),
    ] {
        assert_eq!(expiry.at(earned, &zone), Ts::parse(gone).unwrap(), "{expiry:?}");
    }
    assert_eq!(Expiry::Never.at(earned, &zone), Ts::FOREVER);
}

#[test]
fn amounts_are_whole_steps_and_multipliers_exact() {
    let earn = |points, per_major| Earn { points, per_major, who: None, when: None };
    for (earn, paid_minor, points) in [
        (earn(1, 1), 199, 1),
        (earn(10, 1), 199, 10),
        (earn(1, 10), 1999, 1),
        (earn(1, 1), -500, 0),
        (earn(10_000, 1), i64::MAX, i64::MAX),
    ] {
        assert_eq!(earn.points_for(paid_minor, 100), points);
    }
    let ratio = Ratio::from_thousandths;
    assert_eq!((ratio(1500).of(3), ratio(1500).of(-3), ratio(2000).of(i64::MAX)), (4, -5, i64::MAX));
    assert_eq!(Combine::Largest.of([ratio(2000), ratio(1500)]), ratio(2000));
    assert_eq!(Combine::Multiply.of([ratio(2000), ratio(1500)]), ratio(3000));
    assert_eq!(Combine::Largest.of([]), Ratio::ONE);
    assert_eq!(
        (ratio(1500).to_string(), ratio(2000).to_string(), ratio(1025).to_string()),
        ("1.5".into(), "2".into(), "1.025".into())
    );
    let tiers = shipped_playbook("variety-store").tiers;
    for (growth, level) in [(-5, 0), (0, 0), (2999, 0), (3000, 1), (5999, 1), (6000, 2), (i64::MAX, 2)] {
        assert_eq!(tiers.level_of(growth), level, "{growth}");
    }
}

#[test]
fn the_documented_examples_are_sound() {
    let document = include_str!("../../../../../docs/playbook.md");
    let mut n_examples = 0;
    for block in document.split("```yaml\n").skip(1) {
        let example = block.split("```").next().unwrap();
        let sections = example.lines().any(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
        if !sections {
            continue; // A fragment of a list, or a comment for editors.
        }
        let extends = if example.contains("extends:") { "" } else { "extends: variety-store\n" };
        let text = format!("{extends}{example}");
        let read = parse("docs", &text, &shipped::load);
        assert!(read.is_ok(), "{}\n{text}", read.unwrap_err()[0]);
        n_examples += 1;
    }
    assert!(n_examples >= 6, "{n_examples} examples");
}

/// `UPDATE=1` writes the schema anew.
#[test]
fn the_shipped_schema_is_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../playbooks/schema.json");
    let schema = format!("{}\n", serde_json::to_string_pretty(&json_schema()).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let shipped = std::fs::read_to_string(path).unwrap_or_default();
    assert!(shipped == schema, "playbooks/schema.json is stale: run this test with UPDATE=1");
}
