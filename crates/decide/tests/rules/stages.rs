//! U3: the stages of a member's life, to the day.

use super::scenario::{Step, World, cancel, check, identify, order, refund, rules, track, update, wait};

/// Four orders of ¥10, the last on 2025-04-01.
fn four_orders() -> World {
    let mut world = World::new();
    check(
        &mut world,
        &[
            ("2025-01-01 10:00", order("o1").paid("10"), "stage=growth"),
            ("2025-02-01 10:00", order("o2").paid("10"), "stage=growth"),
            ("2025-03-01 10:00", order("o3").paid("10"), "stage=growth"),
            ("2025-04-01 10:00", order("o4").paid("10"), "stage=maturity"),
        ],
    );
    world
}

#[test]
fn u3_who_has_not_bought_is_introduced() {
    check(
        &mut World::new(),
        &[
            ("2025-01-01 10:00", identify("city", "Hefei"), "stage=introduction"),
            ("2026-01-01 10:00", track("App Opened"), "stage=introduction stages=introduction"),
            ("2026-01-02 10:00", order("o1").paid("10"), "stage=growth stages=introduction,growth"),
        ],
    );
}

#[test]
fn u3_one_order_is_growth_for_120_days_then_lost() {
    check(
        &mut World::new(),
        &[
            ("2025-04-01 23:59:59.999999", order("o1").paid("10"), "stage=growth"),
            ("2025-07-30 00:00", wait(), "stage=growth"),
            ("2025-07-30 23:59:59.999999", wait(), "stage=growth"),
            ("2025-07-31 00:00", wait(), "stage=lost stages=growth,lost"),
            ("2027-07-31 00:00", wait(), "stage=lost"),
            ("2027-08-01 00:00", order("o2").paid("10"), "stage=growth stages=growth,lost,growth"),
        ],
    );
}

#[test]
fn u3_maturity_for_60_days_decline_for_120_then_lost() {
    check(
        &mut four_orders(),
        &[
            ("2025-05-31 23:59:59.999999", wait(), "stage=maturity"),
            ("2025-06-01 00:00", wait(), "stage=decline"),
            ("2025-07-30 23:59:59.999999", wait(), "stage=decline"),
            ("2025-07-31 00:00", wait(), "stage=lost stages=growth,maturity,decline,lost"),
        ],
    );
    check(
        &mut four_orders(),
        &[
            ("2025-06-01 00:00", order("o5").paid("10"), "stage=maturity"),
            ("2025-07-31 23:59:59.999999", wait(), "stage=maturity"),
            ("2025-08-01 00:00", wait(), "stage=decline"),
            ("2025-08-02 00:00", order("o6").paid("10"), "stage=maturity"),
        ],
    );
}

#[test]
fn u3_each_move_has_its_date() {
    let mut world = four_orders();
    check(&mut world, &[("2026-12-01 12:00", wait(), "stage=lost")]);
    let moves: Vec<String> = world
        .record
        .stages
        .iter()
        .map(|moved| format!("{} {}", world.rules.zone.day(moved.at), moved.to))
        .collect();
    assert_eq!(moves, ["2025-01-01 growth", "2025-04-01 maturity", "2025-06-01 decline", "2025-07-31 lost"]);
    for moved in &world.record.stages[2..] {
        assert_eq!(
            moved.at,
            world.rules.zone.start(world.rules.zone.day(moved.at)),
            "a silent move is at 00:00"
        );
    }
}

#[test]
fn u3_four_orders_count_for_365_days() {
    for (first, before, after) in [
        ("2025-01-01 00:00", "stage=maturity", "stage=growth"),
        ("2025-01-01 23:59:59", "stage=maturity", "stage=growth"),
        ("2024-12-31 23:59:59", "stage=growth", "stage=growth"),
        ("2025-01-02 00:00", "stage=maturity", "stage=maturity"),
    ] {
        check(
            &mut World::new(),
            &[
                (first, order("o1").paid("10"), "stage=growth"),
                ("2025-08-01 10:00", order("o2").paid("10"), "stage=growth"),
                ("2025-11-01 10:00", order("o3").paid("10"), "stage=growth"),
                ("2026-01-01 10:00", order("o4").paid("10"), before),
                ("2026-01-01 23:59:59.999999", wait(), before),
                ("2026-01-02 00:00", wait(), after),
            ],
        );
    }
}

#[test]
fn s11_cancelled_and_wholly_refunded_orders_do_not_count() {
    let rows: [(&str, Step, &str); 12] = [
        ("first cancelled", cancel("o1"), "stage=growth"),
        ("last cancelled", cancel("o4"), "stage=growth"),
        ("last refunded whole", refund("o4"), "stage=growth"),
        ("last refunded by its sum", refund("o4").paid("10"), "stage=growth"),
        ("all but a cent refunded", refund("o4").paid("9.99"), "stage=maturity"),
        ("nothing refunded", refund("o4").paid("0"), "stage=maturity"),
        ("changed to nothing", update("o4").paid("0"), "stage=maturity"),
        ("changed", update("o4").paid("99"), "stage=maturity"),
        ("another one cancelled before it came", cancel("o5"), "stage=maturity"),
        ("refund of what never was", refund("o5"), "refused=order_unknown stage=maturity"),
        (
            "refund beyond what was paid",
            refund("o4").paid("10.01"),
            "refused=refund_exceeds_paid stage=maturity",
        ),
        ("only heard of", track("Order Paid").with("order_id", "o5"), "stage=maturity"),
    ];
    for (name, step, expected) in rows {
        let mut world = four_orders();
        println!("{name}");
        check(&mut world, &[("2025-04-02 10:00", step, expected)]);
    }
}

#[test]
fn s11_a_zero_paid_order_counts() {
    check(
        &mut World::with(rules("")),
        &[
            ("2025-01-01 10:00", order("o1").paid("0"), "stage=growth points=0"),
            ("2025-02-01 10:00", order("o2").paid("0"), "stage=growth"),
            ("2025-03-01 10:00", order("o3").paid("0"), "stage=growth"),
            ("2025-04-01 10:00", order("o4").paid("0"), "stage=maturity"),
            ("2025-04-02 10:00", cancel("o4"), "stage=growth"),
        ],
    );
}

#[test]
fn s11_without_its_last_order_a_life_is_as_if_it_had_never_been() {
    check(
        &mut World::new(),
        &[
            ("2025-01-01 10:00", order("o1").paid("10"), "stage=growth"),
            ("2025-06-01 10:00", order("o2").paid("10"), "stage=growth stages=growth,lost,growth"),
            ("2025-06-02 10:00", cancel("o2"), "stage=lost"),
            ("2025-06-03 10:00", cancel("o1"), "stage=introduction"),
            ("2025-06-04 10:00", order("o1").paid("10"), "stage=introduction points=0"),
        ],
    );
    // The last order goes back when it is the other way round: the days of the one before it count again.
    check(
        &mut four_orders(),
        &[
            ("2025-04-30 10:00", refund("o4"), "stage=growth"),
            ("2025-05-01 10:00", order("o5").paid("10"), "stage=maturity"),
            ("2025-05-02 10:00", order("o6").paid("10"), "stage=maturity"),
            ("2025-05-03 10:00", refund("o6"), "stage=maturity"),
            ("2025-06-30 23:59:59.999999", wait(), "stage=maturity"),
            ("2025-07-01 00:00", wait(), "stage=decline"),
        ],
    );
}

#[test]
fn s4_a_late_order_moves_a_life_now_and_leaves_the_past() {
    let mut world = World::new();
    check(
        &mut world,
        &[
            ("2025-01-01 10:00", order("o1").paid("10"), "stage=growth"),
            ("2025-06-01 10:00", order("o2").paid("10").dated("2025-04-01 10:00"), "stage=growth"),
            ("2025-06-01 10:01", order("o3").paid("10").dated("2025-04-01 09:00"), "stage=growth"),
            ("2025-06-01 10:02", order("o4").paid("10").dated("2025-01-02 10:00"), "stage=decline"),
            ("2025-07-31 00:00", wait(), "stages=growth,lost,growth,decline,lost"),
        ],
    );
}

#[test]
fn s12_stages_are_the_playbooks_own() {
    let stages = "lifecycle: { sleeper: { phase: win back, when: days_since(last(orders)) > 30, name: { zh: 睡, en: Sleeper } }, maturity: { phase: grow } }";
    check(
        &mut World::under(stages),
        &[
            ("2025-01-01 10:00", order("o1").paid("10"), "stage=growth"),
            ("2025-01-31 23:59:59.999999", wait(), "stage=growth"),
            ("2025-02-01 00:00", wait(), "stage=sleeper"),
        ],
    );
}
