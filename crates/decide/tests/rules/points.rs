//! R1 and R6: what an order earns, by which multiplier, and until when.

use super::scenario::{World, check, identify, order, rules, spend, wait};

/// Points of one order by someone new.
#[track_caller]
fn earned(changes: &str, paid: &str, points: &str) {
    let mut world = World::under(changes);
    check(&mut world, &[("2025-03-05 10:00", order("o1").paid(paid), &format!("points={points}"))]);
}

#[test]
fn r1_points_are_whole_yuan_times_the_multiplier() {
    let rules = rules("");
    for (paid, points) in [
        ("0", "0"),
        ("0.00", "0"),
        ("0.99", "0"),
        ("0.994", "0"),
        ("0.995", "1"),
        ("1.00", "1"),
        ("1.99", "1"),
        ("2", "2"),
        ("68", "68"),
        ("128.50", "128"),
        ("128.999", "129"),
        ("9999999.99", "9999999"),
        ("100000000000", "100000000000"),
    ] {
        let mut world = World::with(rules.clone());
        let expected = format!("points={points} debt=0 pending=0");
        check(&mut world, &[("2025-03-05 10:00", order("o1").paid(paid), &expected)]);
    }
}

#[test]
fn r1_gold_earns_two_for_each_yuan() {
    check(
        &mut World::new(),
        &[
            ("2025-03-05 10:00", order("o1").paid("600"), "points=600 tier=gold"),
            ("2025-03-05 10:00", order("o2").paid("0.99"), "points=600"),
            ("2025-03-05 10:01", order("o3").paid("1"), "points=602"),
            ("2025-03-06 10:00", order("o4").paid("128.50"), "points=858"),
        ],
    );
}

#[test]
fn r1_the_largest_multiplier_wins() {
    let earn = r#"points:
  combine: largest
  earn:
    - 1 per 1 paid
    - { times: 1.5, when: order.paid >= 100 }
    - { times: 3, when: order.store == "7" }
    - { times: 0.5, when: order.store == "8" }"#;
    let mut world = World::under(earn);
    check(
        &mut world,
        &[
            ("2025-03-05 10:00", order("o1").paid("99.99"), "points=99"),
            ("2025-03-05 10:01", order("o2").paid("100"), "points=249"),
            ("2025-03-05 10:02", order("o3").paid("100").store("7"), "points=549"),
            ("2025-03-05 10:03", order("o4").paid("10").store("7"), "points=579"),
            ("2025-03-05 10:04", order("o5").paid("11").store("8"), "points=584"),
            ("2025-03-05 10:05", order("o6").paid("101").store("8"), "points=735"),
        ],
    );
}

#[test]
fn r1_a_playbook_may_multiply() {
    let earn = r#"points:
  combine: multiply
  earn:
    - 1 per 1 paid
    - { times: 1.5, when: order.paid >= 100 }
    - { times: 3, when: order.store == "7" }"#;
    let mut world = World::under(earn);
    check(
        &mut world,
        &[
            ("2025-03-05 10:00", order("o1").paid("100"), "points=150"),
            ("2025-03-05 10:01", order("o2").paid("100").store("7"), "points=600"),
            ("2025-03-05 10:02", order("o3").paid("10").store("7"), "points=630"),
        ],
    );
    let mut world = World::under("points: { combine: multiply }");
    check(
        &mut world,
        &[
            ("2025-03-05 10:00", identify("birthday", "1990-03-06"), "points=0"),
            ("2025-03-05 10:01", order("o1").paid("600"), "points=600 tier=gold"),
            ("2025-03-06 10:00", order("o2").paid("10"), "points=640"),
        ],
    );
}

#[test]
fn r1_base_rules_add_up_in_whole_steps() {
    let changes = "points: { earn: [1 per 10 paid, { earn: 5 per 100 paid }] }";
    for (paid, points) in [("9.99", "0"), ("10", "1"), ("99", "9"), ("100", "15"), ("250.50", "35")] {
        earned(changes, paid, points);
    }
}

#[test]
fn r1_points_expire_at_the_end_of_next_calendar_year() {
    check(
        &mut World::new(),
        &[
            ("2025-01-01 00:00", order("o1").paid("1"), "points=1"),
            ("2025-03-01 10:00", order("o2").paid("128.50"), "points=129"),
            ("2025-12-31 23:59:59.999999", order("o3").paid("10"), "points=139"),
            ("2026-01-01 00:00", order("o4").paid("20"), "points=159 lots=1+128+10+20"),
            ("2026-12-31 23:59:59.999999", wait(), "points=159"),
            ("2027-01-01 00:00", wait(), "points=20 lots=20"),
            ("2027-12-31 23:59:59.999999", wait(), "points=20"),
            ("2028-01-01 00:00", wait(), "points=0 debt=0 lots=none"),
        ],
    );
}

#[test]
fn r1_what_expires_at_midnight_is_gone_for_an_event_at_midnight() {
    check(
        &mut World::new(),
        &[
            ("2025-06-01 10:00", order("o1").paid("100"), "points=100"),
            ("2026-06-01 10:00", order("o2").paid("30"), "points=130"),
            ("2027-01-01 00:00", spend("31"), "refused=insufficient_points points=30"),
            ("2027-01-01 00:00", spend("30"), "points=0"),
        ],
    );
}

#[test]
fn r1_the_earliest_to_expire_is_spent_first() {
    check(
        &mut World::new(),
        &[
            ("2026-06-01 10:00", order("o1").paid("100"), "lots=100"),
            // Earned earlier, heard of later: it expires a year before the other.
            ("2026-06-02 10:00", order("o2").paid("50").dated("2025-06-01 10:00"), "lots=50+100"),
            ("2026-06-03 10:00", spend("60"), "lots=90 points=90"),
            ("2027-01-01 00:00", wait(), "points=90"),
            ("2028-01-01 00:00", wait(), "points=0"),
        ],
    );
}

#[test]
fn r1_points_of_a_year_long_gone_are_gone_as_they_come() {
    check(
        &mut World::new(),
        &[
            (
                "2026-06-01 10:00",
                order("o1").paid("100").dated("2023-06-01 10:00"),
                "points=0 growth=0 lots=none",
            ),
            ("2026-06-01 10:01", order("o2").paid("100").dated("2025-01-01 00:00"), "points=100 growth=0"),
            ("2026-06-01 10:02", order("o3").paid("100").dated("2024-12-31 23:59:59"), "points=100 growth=0"),
        ],
    );
}

#[test]
fn r1_the_playbook_says_when_points_expire() {
    for (expire, last, gone) in [
        ("end of calendar year", "2025-12-31 23:59:59.999999", "2026-01-01 00:00"),
        ("end of next calendar year", "2026-12-31 23:59:59.999999", "2027-01-01 00:00"),
        ("30d after earning", "2025-03-30 23:59:59.999999", "2025-03-31 00:00"),
        ("365d after earning", "2026-02-28 23:59:59.999999", "2026-03-01 00:00"),
    ] {
        check(
            &mut World::under(&format!("points: {{ expire: {expire} }}")),
            &[
                ("2025-03-01 22:00", order("o1").paid("5"), "points=5"),
                (last, wait(), "points=5"),
                (gone, wait(), "points=0"),
            ],
        );
    }
    check(
        &mut World::under("points: { expire: never }"),
        &[("2025-03-01 22:00", order("o1").paid("5"), "points=5"), ("2099-03-01 22:00", wait(), "points=5")],
    );
}

#[test]
fn r6_birthday_doubles() {
    let rules = rules("");
    for (born, at, points) in [
        ("1990-03-06", "2025-03-05 23:59:59.999999", "10"),
        ("1990-03-06", "2025-03-06 00:00", "20"),
        ("1990-03-06", "2025-03-06 23:59:59.999999", "20"),
        ("1990-03-06", "2025-03-07 00:00", "10"),
        ("1990-12-31", "2025-12-31 23:59:59.999999", "20"),
        ("1990-01-01", "2026-01-01 00:00", "20"),
        // 29 February is kept on 28 February in common years.
        ("1992-02-29", "2025-02-27 23:59:59.999999", "10"),
        ("1992-02-29", "2025-02-28 00:00", "20"),
        ("1992-02-29", "2025-02-28 23:59:59.999999", "20"),
        ("1992-02-29", "2025-03-01 00:00", "10"),
        ("1992-02-29", "2024-02-28 12:00", "10"),
        ("1992-02-29", "2024-02-29 00:00", "20"),
        ("1992-02-29", "2024-02-29 23:59:59.999999", "20"),
        ("1992-02-29", "2024-03-01 00:00", "10"),
        ("1992-02-29", "2100-02-28 12:00", "20"),
        ("1993-02-28", "2024-02-28 12:00", "20"),
        ("1993-02-28", "2024-02-29 12:00", "10"),
        ("not a date", "2025-03-06 10:00", "10"),
    ] {
        let mut world = World::with(rules.clone());
        check(
            &mut world,
            &[
                ("2023-01-01 00:00", identify("birthday", born), "points=0"),
                (at, order("o1").paid("10.99"), &format!("points={points}")),
            ],
        );
    }
}

#[test]
fn r6_a_birthday_is_a_day_of_the_brands_zone() {
    // The same instant, 2025-03-05 16:30 UTC, is the 6th in Shanghai already.
    for (zone, at, points) in [
        ("Asia/Shanghai", "2025-03-06 00:30", "20"),
        ("UTC", "2025-03-05 16:30", "10"),
        ("UTC", "2025-03-06 16:30", "20"),
        ("Asia/Shanghai", "2025-03-07 00:30", "10"),
    ] {
        let mut world = World::under(&format!("timezone: {zone}"));
        check(
            &mut world,
            &[
                ("2023-01-01 00:00", identify("birthday", "1990-03-06"), "points=0"),
                (at, order("o1").paid("10"), &format!("points={points}")),
            ],
        );
    }
}

#[test]
fn r6_gold_on_a_birthday_is_double_not_fourfold() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", identify("birthday", "1990-03-06"), "points=0"),
            ("2025-03-05 10:00", order("o1").paid("600"), "points=600 tier=gold"),
            ("2025-03-06 10:00", order("o2").paid("10"), "points=620"),
            ("2025-03-07 10:00", order("o3").paid("10"), "points=640"),
        ],
    );
}

#[test]
fn r6_a_late_order_of_the_day_is_doubled_too() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", identify("birthday", "1990-03-06"), ""),
            ("2025-03-09 10:00", order("o1").paid("10").dated("2025-03-06 10:00"), "points=20"),
            ("2025-03-09 10:01", order("o2").paid("10").dated("2025-03-07 00:00"), "points=30"),
        ],
    );
}

#[test]
fn s7_held_back_points_are_active_after_so_many_days() {
    check(
        &mut World::under("points: { hold: 7d }"),
        &[
            ("2025-03-01 10:00", order("o1").paid("100"), "points=0 pending=100 active=0 growth=1000"),
            ("2025-03-02 10:00", spend("1"), "refused=insufficient_points pending=100"),
            ("2025-03-03 00:00", order("o2").paid("50"), "points=0 pending=150"),
            ("2025-03-07 23:59:59.999999", wait(), "points=0 pending=150"),
            ("2025-03-08 00:00", spend("100"), "points=0 pending=50 active=0"),
            ("2025-03-10 00:00", wait(), "points=50 pending=0 active=50 lots=50"),
            // Heard of so late that its days are over.
            ("2025-03-20 00:00", order("o3").paid("7").dated("2025-03-12 23:00"), "points=57 pending=0"),
            ("2025-03-20 00:01", order("o4").paid("7").dated("2025-03-13 00:00"), "points=64 pending=0"),
            ("2025-03-20 00:02", order("o5").paid("7").dated("2025-03-14 00:00"), "points=64 pending=7"),
        ],
    );
}
