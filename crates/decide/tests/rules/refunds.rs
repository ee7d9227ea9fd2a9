//! Semantics 8: what a refund takes back, from where, and what it may not.

use super::scenario::{Step, World, cancel, check, identify, order, refund, rules, spend, update, wait};
use zhiyin_model::effect::TransferKind;

#[test]
fn s8_kept_is_what_the_rest_is_worth() {
    let rules = rules("");
    for (paid, back, kept) in [
        ("128.50", "0", "128"),
        ("128.50", "0.50", "128"),
        ("128.50", "0.51", "127"),
        ("128.50", "28.50", "100"),
        ("128.50", "128.49", "0"),
        ("128.50", "128.50", "0"),
        ("100", "0.01", "99"),
        ("100", "1", "99"),
        ("100", "1.01", "98"),
        ("0.99", "0.99", "0"),
        ("0", "0", "0"),
    ] {
        let mut world = World::with(rules.clone());
        let expected = format!("points={kept} growth={} debt=0", kept.parse::<i64>().unwrap() * 10);
        check(
            &mut world,
            &[
                ("2025-03-01 10:00", order("o1").paid(paid), ""),
                ("2025-03-02 10:00", refund("o1").paid(back), &expected),
            ],
        );
    }
}

#[test]
fn s8_a_refund_without_an_amount_is_all_that_is_left() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").paid("100"), "points=100 stage=growth"),
            ("2025-03-02 10:00", refund("o1").paid("40"), "points=60"),
            ("2025-03-03 10:00", refund("o1"), "points=0 growth=0 stage=introduction"),
            ("2025-03-04 10:00", refund("o1"), "points=0 growth=0 transfers=6"),
            ("2025-03-05 10:00", refund("o1").paid("0.01"), "refused=refund_exceeds_paid"),
        ],
    );
}

#[test]
fn s8_several_refunds_never_take_more_than_was_earned() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").paid("100"), "points=100"),
            ("2025-03-02 10:00", refund("o1").paid("33.33"), "points=66 growth=660"),
            ("2025-03-02 10:01", refund("o1").paid("33.33"), "points=33 growth=330"),
            ("2025-03-02 10:02", refund("o1").paid("33.33"), "points=0 growth=0 stage=growth"),
            ("2025-03-02 10:03", refund("o1").paid("0.02"), "refused=refund_exceeds_paid points=0 debt=0"),
            ("2025-03-02 10:04", refund("o1").paid("0.01"), "points=0 growth=0 debt=0 stage=introduction"),
        ],
    );
    // A hundred refunds of a cent each.
    let mut world = World::new();
    check(&mut world, &[("2025-03-01 10:00", order("o1").paid("3.50"), "points=3")]);
    for n in 1..=350 {
        let kept = format!("points={} debt=0", (350 - n) / 100);
        check(&mut world, &[("2025-03-02 10:00", refund("o1").paid("0.01"), &kept)]);
    }
    check(&mut world, &[("2025-03-02 10:00", refund("o1").paid("0.01"), "refused=refund_exceeds_paid")]);
}

#[test]
fn s8_a_refund_uses_the_orders_own_multiplier() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").paid("600"), "points=600 tier=gold"),
            ("2025-03-02 10:00", order("o2").paid("100"), "points=800"),
            // 99 whole yuan are kept, twice.
            ("2025-03-03 10:00", refund("o2").paid("0.01"), "points=798 growth=6990"),
            ("2025-03-03 10:01", refund("o2").paid("49.99"), "points=700 growth=6500"),
            ("2025-03-03 10:02", refund("o2").paid("50"), "points=600 growth=6000"),
            // The first order earned once, though gold is held now.
            ("2025-03-04 10:00", refund("o1").paid("100"), "points=500 growth=5000 tier=gold"),
            // And does so still when gold is long gone.
            ("2025-03-05 10:00", order("o3").paid("100"), "points=700"),
            ("2027-03-05 10:00", wait(), "points=0 tier=regular"),
            ("2027-03-05 10:01", refund("o3").paid("1"), "points=0 debt=2"),
        ],
    );
}

#[test]
fn s8_what_cannot_be_refunded_is_refused_by_name() {
    let mut world = World::new();
    check(
        &mut world,
        &[
            ("2025-03-01 10:00", order("o1").line("a", "2", "10").line("b", "1", "5"), "points=25"),
            ("2025-03-01 10:01", refund("o1").paid("25.01"), "refused=refund_exceeds_paid points=25"),
            ("2025-03-01 10:02", refund("o1").paid("-1"), "refused=bad_amount points=25"),
            ("2025-03-01 10:03", refund("o2").paid("1"), "refused=order_unknown points=25"),
            ("2025-03-01 10:04", refund("o1").pieces("a", "3"), "refused=return_exceeds_quantity points=25"),
            ("2025-03-01 10:05", refund("o1").pieces("c", "1"), "refused=return_exceeds_quantity points=25"),
            ("2025-03-01 10:06", refund("o1").line("a", "1", "26"), "refused=refund_exceeds_paid points=25"),
            ("2025-03-01 10:07", order("o3").paid("10").pieces("x", "1"), "points=35"),
            ("2025-03-01 10:08", refund("o3").pieces("x", "1"), "refused=price_missing points=35"),
            ("2025-03-01 10:09", cancel("o1"), "points=10"),
            ("2025-03-01 10:10", refund("o1").paid("1"), "refused=order_cancelled points=10"),
            ("2025-03-01 10:11", refund(" "), "refused=order_id_missing points=10"),
        ],
    );
    assert_eq!(world.order("o3").refunded.0, 0);
}

#[test]
fn s8_by_line() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").line("a", "3", "10").line("b", "1", "5.50"), "points=35"),
            ("2025-03-01 10:01", refund("o1").pieces("a", "1"), "points=25"),
            // The refund's own price is what came back.
            ("2025-03-01 10:02", refund("o1").line("a", "1", "8"), "points=17"),
            ("2025-03-01 10:03", refund("o1").pieces("b", "1"), "points=12"),
            ("2025-03-01 10:04", refund("o1").pieces("b", "1"), "refused=return_exceeds_quantity points=12"),
            ("2025-03-01 10:05", refund("o1").pieces("a", "1"), "points=2 stage=growth"),
            ("2025-03-01 10:06", refund("o1"), "points=0 stage=introduction"),
        ],
    );
    // A total beside the lines is what came back; the lines say which pieces.
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").goods("snacks", "10").paid("8"), "points=8 +snack_lover"),
            ("2025-03-01 10:01", refund("o1").pieces("snacks", "1").paid("0.80"), "points=7 -snack_lover"),
            ("2025-03-01 10:02", order("o2").goods("snacks", "1"), "points=8 +snack_lover"),
        ],
    );
    // Of two lines of one product the first is drawn on first; parts of a piece are pieces too.
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").line("a", "1", "10").line("a", "2", "4"), "points=18"),
            ("2025-03-01 10:01", refund("o1").pieces("a", "2"), "points=4"),
            ("2025-03-01 10:02", refund("o1").pieces("a", "0.5"), "points=2"),
            (
                "2025-03-01 10:03",
                refund("o1").pieces("a", "0.501"),
                "refused=return_exceeds_quantity points=2",
            ),
            ("2025-03-01 10:04", refund("o1").pieces("a", "0.5"), "points=0"),
        ],
    );
}

#[test]
fn s8_shipping_and_tax_come_back_beside_what_was_paid() {
    check(
        &mut World::new(),
        &[
            (
                "2025-03-01 10:00",
                order("o1").paid("110").with("shipping", "8").with("tax", "2"),
                "points=100",
            ),
            ("2025-03-01 10:01", refund("o1").paid("52").with("tax", "2"), "points=50"),
            ("2025-03-01 10:02", refund("o1").paid("58").with("shipping", "8"), "points=0 growth=0"),
        ],
    );
    check(
        &mut World::under("orders: { paid: total }"),
        &[
            ("2025-03-01 10:00", order("o1").paid("110").with("shipping", "10"), "points=110"),
            ("2025-03-01 10:01", refund("o1").paid("110").with("shipping", "10"), "points=0"),
        ],
    );
}

/// Two orders, ¥50 and ¥100; the first is spent first.
fn two_orders(changes: &str, rows: &[(&str, Step, &str)]) -> World {
    let mut world = World::under(changes);
    check(
        &mut world,
        &[
            ("2025-03-01 10:00", order("o1").paid("50"), "lots=50"),
            ("2025-03-02 10:00", order("o2").paid("100"), "lots=50+100"),
        ],
    );
    check(&mut world, rows);
    world
}

#[test]
fn s8_from_its_own_lot_then_others_then_as_debt() {
    two_orders(
        "",
        &[
            ("2025-03-03 10:00", refund("o2").paid("30"), "lots=50+70 points=120"),
            ("2025-03-04 10:00", spend("60"), "lots=60 points=60"),
            // Its own lot is spent: the other one pays, then debt is made.
            ("2025-03-05 10:00", refund("o1"), "lots=10 points=10 debt=0"),
            ("2025-03-06 10:00", refund("o2").paid("20"), "points=0 debt=10 active=0 lots=none"),
            ("2025-03-07 10:00", spend("1"), "refused=insufficient_points points=0 debt=10"),
            // New earnings pay debt first.
            ("2025-03-08 10:00", order("o3").paid("4"), "points=0 debt=6 active=0 lots=none"),
            ("2025-03-09 10:00", order("o4").paid("100"), "points=94 debt=0 lots=94"),
            // What paid a debt is gone, but it was that order's: its refund takes the same again.
            ("2025-03-10 10:00", refund("o3"), "points=90 debt=0 lots=90"),
            ("2025-03-11 10:00", refund("o4"), "points=0 debt=10 lots=none growth=500"),
        ],
    );
}

#[test]
fn s8_others_by_spending_order() {
    check(
        &mut World::new(),
        &[
            ("2025-12-30 10:00", order("o1").paid("10"), "lots=10"),
            ("2026-01-02 10:00", order("o2").paid("20"), "lots=10+20"),
            ("2026-01-03 10:00", order("o3").paid("30").dated("2025-12-31 10:00"), "lots=10+30+20"),
            ("2026-01-04 10:00", order("o4").paid("40").dated("2025-12-29 10:00"), "lots=40+10+30+20"),
            ("2026-01-05 10:00", spend("40"), "lots=10+30+20"),
            ("2026-01-06 10:00", refund("o4").paid("15"), "lots=25+20"),
            ("2026-01-07 10:00", refund("o2").paid("5"), "lots=25+15"),
            ("2026-01-08 10:00", refund("o4"), "lots=15"),
        ],
    );
}

#[test]
fn s8_where_debt_is_refused_it_is_written_off_by_a_transfer() {
    let world = two_orders(
        "points: { debt: refused }",
        &[
            ("2025-03-03 10:00", spend("140"), "lots=10"),
            ("2025-03-04 10:00", refund("o1"), "points=0 debt=0 lots=none"),
            ("2025-03-05 10:00", order("o3").paid("7"), "points=7 debt=0"),
            ("2025-03-06 10:00", cancel("o2"), "points=0 debt=0"),
            ("2025-03-07 10:00", update("o3").paid("9"), "points=2 debt=0"),
        ],
    );
    let given: Vec<i64> = world
        .record
        .transfers
        .iter()
        .filter(|transfer| transfer.kind == TransferKind::Give)
        .map(|transfer| transfer.amount)
        .collect();
    assert_eq!(given, [40, 93], "nothing is dropped silently");
}

#[test]
fn s8_debt_outlives_the_year() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").paid("100"), "points=100"),
            ("2025-03-02 10:00", spend("100"), "points=0"),
            ("2025-03-03 10:00", refund("o1").paid("30"), "debt=30"),
            ("2027-03-03 10:00", wait(), "debt=30 points=0"),
            ("2027-03-04 10:00", order("o2").paid("31"), "debt=0 points=1"),
        ],
    );
}

#[test]
fn s8_points_that_expired_are_owed_when_the_order_comes_back() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").paid("100"), "points=100"),
            ("2027-01-01 00:00", wait(), "points=0 debt=0"),
            ("2027-01-02 00:00", refund("o1").paid("100"), "points=0 debt=100 growth=0"),
        ],
    );
}

#[test]
fn s8_pending_points_are_taken_back_as_they_are() {
    check(
        &mut World::under("points: { hold: 7d }"),
        &[
            ("2025-03-01 10:00", order("o1").paid("100"), "pending=100"),
            ("2025-03-02 10:00", order("o2").paid("50"), "pending=150"),
            ("2025-03-03 10:00", refund("o1").paid("40"), "pending=110 lots=60+50 points=0"),
            ("2025-03-08 00:00", wait(), "points=60 pending=50"),
            ("2025-03-08 10:00", spend("60"), "points=0 pending=50"),
            // Its own lot is spent; the other waits still, and pays nevertheless.
            ("2025-03-08 11:00", refund("o1").paid("20"), "points=0 pending=30 debt=0"),
            ("2025-03-08 12:00", refund("o1").paid("40"), "points=0 pending=0 debt=10"),
            // Held-back earnings pay debt at once too.
            ("2025-03-08 13:00", order("o3").paid("25"), "points=0 pending=15 debt=0"),
            ("2025-03-15 00:00", wait(), "points=15 pending=0"),
        ],
    );
}

#[test]
fn s8_an_order_that_comes_back_before_it_is_known_waits_outside() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", refund("o1").paid("10"), "refused=order_unknown"),
            ("2025-03-01 10:01", order("o1").paid("100"), "points=100 enrolled=2025-03-01"),
            ("2025-03-01 10:02", refund("o1").paid("10"), "points=90"),
        ],
    );
}

#[test]
fn s12_an_order_keeps_its_terms_under_a_new_playbook() {
    let mut world = World::new();
    check(&mut world, &[("2025-03-01 10:00", order("o1").paid("100"), "points=100 growth=1000")]);
    world.rules = rules("points: { earn: [3 per 1 paid] }\ngrowth: { earn: [1 per 1 paid] }");
    check(
        &mut world,
        &[
            ("2025-03-02 10:00", refund("o1").paid("50"), "points=50 growth=500"),
            ("2025-03-02 10:01", update("o1").paid("200"), "points=150 growth=1500"),
            ("2025-03-02 10:02", order("o2").paid("10"), "points=180 growth=1510"),
            ("2025-03-02 10:03", cancel("o1"), "points=30 growth=10"),
        ],
    );
}

#[test]
fn s8_pieces_of_a_discounted_order_come_back_at_their_share_of_what_was_paid() {
    let one = |product: &str| refund("o1").pieces(product, "1");
    check(
        &mut World::new(),
        &[
            (
                "2025-03-05 10:00",
                order("o1").paid("79").line("a", "2", "25").line("b", "1", "50"),
                "points=79",
            ),
            ("2025-03-06 10:00", one("a"), "points=59"),
            ("2025-03-06 11:00", one("b"), "points=19"),
            ("2025-03-06 12:00", one("a"), "points=0 debt=0"),
            ("2025-03-06 13:00", one("a"), "refused=return_exceeds_quantity"),
        ],
    );
}

#[test]
fn s8_prices_that_repeat_the_orders_come_back_at_their_share_too() {
    check(
        &mut World::new(),
        &[
            ("2025-03-05 10:00", order("o1").paid("90").line("a", "2", "50"), "points=90"),
            ("2025-03-06 10:00", refund("o1").line("a", "2", "50"), "points=0 stage=introduction"),
        ],
    );
}

#[test]
fn s11_a_zero_paid_order_refunded_whole_counts_no_longer() {
    check(
        &mut World::new(),
        &[
            ("2025-03-05 10:00", order("o1").paid("0"), "stage=growth"),
            ("2025-03-06 10:00", refund("o1"), "stage=introduction"),
        ],
    );
}

#[test]
fn u1_what_arrives_late_does_not_overwrite_what_is_newer() {
    let mut world = World::new();
    check(
        &mut world,
        &[
            ("2025-03-05 10:00", identify("birthday", "1990-03-07"), ""),
            ("2025-03-05 11:00", identify("birthday", "1990-09-09").dated("2025-03-04 09:00"), ""),
            ("2025-03-07 10:00", order("o1").paid("10"), "points=20"),
        ],
    );
}
