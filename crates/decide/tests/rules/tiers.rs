//! R2 and semantics 4 and 10: growth, tiers and their terms, and what a late order finds.

use super::scenario::{World, check, identify, order, refund, rules, wait};

#[test]
fn r2_each_whole_yuan_is_ten_growth() {
    let rules = rules("");
    for (paid, expected) in [
        ("0", "growth=0 tier=regular"),
        ("0.99", "growth=0 tier=regular"),
        ("1", "growth=10 tier=regular"),
        ("1.99", "growth=10 tier=regular"),
        ("299.99", "growth=2990 tier=regular"),
        ("300", "growth=3000 tier=silver"),
        ("599.99", "growth=5990 tier=silver"),
        ("600", "growth=6000 tier=gold"),
        ("10000", "growth=100000 tier=gold"),
    ] {
        let mut world = World::with(rules.clone());
        check(&mut world, &[("2025-03-01 10:00", order("o1").paid(paid), expected)]);
    }
}

#[test]
fn r2_growth_tiers_begin_at_3000_and_6000() {
    let rules = rules("growth: { earn: [1 per 1 paid] }");
    for (paid, expected) in [
        ("2999.99", "growth=2999 tier=regular"),
        ("3000", "growth=3000 tier=silver"),
        ("5999.99", "growth=5999 tier=silver"),
        ("6000", "growth=6000 tier=gold"),
    ] {
        let mut world = World::with(rules.clone());
        check(&mut world, &[("2025-03-01 10:00", order("o1").paid(paid), expected)]);
    }
}

#[test]
fn r2_growth_counts_only_where_the_brand_says() {
    let mut world =
        World::under(r#"growth: { earn: [{ earn: 10 per 1 paid, when: 'order.store in ["1", "2"]' }] }"#);
    check(
        &mut world,
        &[
            ("2025-03-01 10:00", order("o1").paid("100").store("1"), "growth=1000 points=100"),
            ("2025-03-01 11:00", order("o2").paid("100").store("3"), "growth=1000 points=200"),
            ("2025-03-01 12:00", order("o3").paid("100"), "growth=1000 points=300"),
            ("2025-03-01 13:00", order("o4").paid("100").store("2"), "growth=2000 points=400"),
        ],
    );
}

#[test]
fn r2_the_order_that_lifts_does_not_earn_double_itself() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").paid("599"), "points=599 tier=silver"),
            ("2025-03-02 10:00", order("o2").paid("100"), "points=699 tier=gold"),
            ("2025-03-02 10:00", order("o3").paid("100"), "points=899 tier=gold"),
        ],
    );
}

#[test]
fn r2_growth_of_many_orders_lifts_at_once() {
    check(
        &mut World::new(),
        &[
            ("2025-01-01 10:00", order("o1").paid("150"), "tier=regular ends=2026-01-01 terms=regular"),
            ("2025-03-01 10:00", order("o2").paid("149"), "tier=regular growth=2990"),
            ("2025-05-01 10:00", order("o3").paid("1"), "tier=silver ends=2026-05-01 terms=regular,silver"),
            ("2025-07-01 10:00", order("o4").paid("100"), "tier=silver ends=2026-05-01"),
            ("2025-09-01 10:00", order("o5").paid("200"), "tier=gold ends=2026-09-01"),
            // What is reached again does not begin a new term.
            (
                "2025-10-01 10:00",
                order("o6").paid("900"),
                "tier=gold ends=2026-09-01 terms=regular,silver,gold",
            ),
        ],
    );
}

#[test]
fn r2_a_term_is_365_days_and_judged_at_midnight() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").paid("600"), "tier=gold ends=2026-03-01"),
            ("2026-02-28 23:59:59.999999", wait(), "tier=gold growth=6000 ends=2026-03-01"),
            // The day it began on is 365 days ago: it still counts.
            ("2026-03-01 00:00", wait(), "tier=gold growth=6000 ends=2027-03-01"),
            ("2026-03-02 00:00", wait(), "tier=gold growth=0"),
            ("2027-02-28 23:59:59.999999", wait(), "tier=gold"),
            // Two steps down at once; a leap day lies in the next term.
            ("2027-03-01 00:00", wait(), "tier=regular ends=2028-02-29"),
            (
                "2028-02-29 00:00",
                wait(),
                "tier=regular ends=2029-02-28 terms=regular,gold,gold,regular,regular",
            ),
        ],
    );
}

#[test]
fn r2_a_term_ends_at_the_level_of_the_past_365_days() {
    check(
        &mut World::new(),
        &[
            ("2025-01-01 10:00", order("o1").paid("300"), "tier=silver ends=2026-01-01"),
            ("2025-06-01 10:00", order("o2").paid("300"), "tier=gold ends=2026-06-01"),
            // The first order is out of the window since January, but gold runs its term.
            ("2026-01-02 00:00", wait(), "tier=gold growth=3000"),
            ("2026-05-31 23:59:59.999999", order("o3").paid("10"), "tier=gold growth=3100 points=620"),
            (
                "2026-06-01 00:00",
                order("o4").paid("10"),
                "tier=silver ends=2027-06-01 growth=3200 points=630",
            ),
            ("2027-05-31 00:00", wait(), "tier=silver growth=200"),
            ("2027-06-01 00:00", wait(), "tier=regular growth=100 ends=2028-05-31"),
        ],
    );
}

#[test]
fn r2_an_upgrade_in_the_middle_starts_a_new_term() {
    check(
        &mut World::new(),
        &[
            (
                "2025-03-01 10:00",
                identify("city", "Hefei"),
                "tier=regular ends=2026-03-01 enrolled=2025-03-01",
            ),
            ("2026-02-28 10:00", order("o1").paid("300"), "tier=silver ends=2027-02-28"),
            ("2026-03-01 00:00", wait(), "tier=silver ends=2027-02-28"),
            ("2027-02-27 10:00", order("o2").paid("300"), "tier=gold ends=2028-02-27 growth=6000"),
            ("2027-02-28 00:00", wait(), "tier=gold ends=2028-02-27"),
            ("2028-02-27 00:00", wait(), "tier=silver growth=3000 ends=2029-02-26"),
        ],
    );
}

#[test]
fn r2_a_refund_lowers_growth_and_the_tier_waits_for_its_judgement() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").paid("600"), "tier=gold growth=6000"),
            ("2025-04-01 10:00", refund("o1"), "tier=gold growth=0 points=0"),
            ("2025-05-01 10:00", order("o2").paid("10"), "tier=gold points=20"),
            ("2026-03-01 00:00", wait(), "tier=regular growth=100"),
        ],
    );
}

#[test]
fn s10_midnight_is_the_brands() {
    for (zone, last) in
        [("Asia/Shanghai", "2025-12-31 23:59:59.999999"), ("UTC", "2025-12-31 23:59:59.999999")]
    {
        let mut world = World::under(&format!("timezone: {zone}\ntiers: {{ over: 30d }}"));
        check(
            &mut world,
            &[
                ("2025-12-01 23:30", order("o1").paid("300"), "tier=silver ends=2025-12-31"),
                ("2025-12-30 23:59:59.999999", wait(), "tier=silver ends=2025-12-31"),
                ("2025-12-31 00:00", wait(), "tier=silver ends=2026-01-30"),
                (last, wait(), "tier=silver growth=3000"),
                ("2026-01-01 00:00", wait(), "tier=silver growth=0"),
                ("2026-01-30 00:00", wait(), "tier=regular"),
            ],
        );
    }
}

#[test]
fn s4_late_order_uses_the_tier_history() {
    check(
        &mut World::new(),
        &[
            ("2025-02-01 10:00", identify("city", "Hefei"), "tier=regular"),
            ("2025-03-01 10:00", order("o1").paid("600"), "points=600 tier=gold"),
            // Before gold: once. Before we knew them: once. At the very instant of the upgrade and after: twice.
            ("2025-04-01 10:00", order("o2").paid("10").dated("2025-03-01 09:59:59"), "points=610"),
            ("2025-04-01 10:01", order("o3").paid("10").dated("2025-01-15 10:00"), "points=620"),
            ("2025-04-01 10:02", order("o4").paid("10").dated("2025-03-01 10:00"), "points=640"),
            ("2025-04-01 10:03", order("o5").paid("10").dated("2025-03-20 10:00"), "points=660"),
            ("2027-03-02 10:00", wait(), "tier=regular points=0"),
            // Gold ended with February 2027: an order of the gold time earns double, one after it does not.
            ("2027-03-02 10:01", order("o6").paid("10").dated("2027-02-28 23:00"), "points=20 growth=100"),
            ("2027-03-02 10:02", order("o7").paid("10").dated("2027-03-01 00:00"), "points=30 growth=200"),
        ],
    );
}

#[test]
fn s4_growth_of_a_late_order_counts_on_its_own_day() {
    check(
        &mut World::new(),
        &[
            ("2026-03-01 10:00", order("o1").paid("100"), "growth=1000 tier=regular"),
            (
                "2026-03-02 10:00",
                order("o2").paid("250").dated("2025-03-01 23:59:59"),
                "growth=1000 tier=regular",
            ),
            (
                "2026-03-02 10:01",
                order("o3").paid("250").dated("2025-03-02 00:00"),
                "growth=3500 tier=silver",
            ),
            ("2026-03-02 10:02", wait(), "ends=2027-03-02 terms=regular,silver"),
            ("2026-03-03 00:00", wait(), "growth=1000 tier=silver"),
        ],
    );
}
