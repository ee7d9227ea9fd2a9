//! Semantics 5 and 6: what an order is worth, and that it earns once whoever reports it.

use super::scenario::{Step, World, cancel, check, identify, notice, order, refund, rules, update};
use zhiyin_model::effect::OrderStatus;

/// Orders of one brand, each by someone new: what the order is worth in points, or why it is refused.
#[track_caller]
fn check_paid(changes: &str, rows: &[(Step, &str)]) {
    let rules = rules(changes);
    for (step, expected) in rows {
        let mut world = World::with(rules.clone());
        let paid = world.send(world.time("2025-03-01 10:00"), step);
        let got = match paid {
            Ok(_) => world.order("o1").paid.0.to_string(),
            Err(refusal) => format!("{}@{}", refusal.code, refusal.field.trim_start_matches("properties.")),
        };
        assert_eq!(got, *expected, "{step:?}");
    }
}

#[test]
fn s5_paid_is_the_total_less_shipping_and_tax() {
    let o = || order("o1");
    check_paid(
        "",
        &[
            (o().paid("100"), "10000"),
            (o().paid("110").with("shipping", "8.50"), "10150"),
            (o().paid("110").with("shipping", "8.50").with("tax", "1.50"), "10000"),
            (o().paid("110").with("tax", "10"), "10000"),
            // A discount is within the total already.
            (o().paid("100").with("discount", "20"), "10000"),
            // Lines do not matter beside a total.
            (o().paid("100").line("a", "1", "70"), "10000"),
            (o().with("revenue", "12.34"), "1234"),
            (o().with("value", "12.34"), "1234"),
            (o().with("revenue", "1").paid("2"), "200"),
            (o().paid("10").with("shipping", "10"), "0"),
            (o().paid("10").with("shipping", "10.01"), "negative_paid@total"),
            (o().paid("-1"), "negative_paid@total"),
            (o(), "total_missing@total"),
            (o().paid("NaN"), "bad_amount@total"),
            (o().paid("many"), "bad_amount@total"),
            (o().paid("1000000000000000000"), "amount_too_large@total"),
            (o().paid("1e30"), "amount_too_large@total"),
            (o().paid("100000000000"), "10000000000000"),
            (o().paid("10000000000000.01"), "amount_too_large@total"),
        ],
    );
    check_paid(
        "orders: { paid: total }",
        &[(o().paid("110").with("shipping", "8.50").with("tax", "1.50"), "11000")],
    );
}

#[test]
fn s5_without_a_total_the_lines_say_it() {
    let o = || order("o1");
    check_paid(
        "",
        &[
            (o().line("a", "2", "10.50"), "2100"),
            (o().line("a", "2", "10.50").line("b", "1", "3"), "2400"),
            (o().line("a", "2", "10.50").with("discount", "1"), "2000"),
            (o().line("a", "2", "10.50").with("shipping", "5").with("tax", "5"), "2100"),
            (o().line("a", "0.5", "3.01"), "151"),
            (o().line("a", "0", "5"), "0"),
            (o().line("a", "1", "1").pieces("b", "1"), "price_missing@products[1].price"),
            (o().line("a", "1", "1").with("discount", "1.01"), "negative_paid@total"),
            (o().line("a", "-1", "1"), "negative_quantity@products[0].quantity"),
            (o().line("a", "1", "one"), "bad_amount@products[0].price"),
            (o().line("a", "1000000", "10000000000"), "amount_too_large@products[0].price"),
        ],
    );
}

#[test]
fn s5_each_line_is_rounded_half_away_from_zero() {
    let o = || order("o1");
    check_paid(
        "",
        &[
            (o().line("a", "1", "0.494"), "49"),
            (o().line("a", "1", "0.495"), "50"),
            // Two lines of 0.495 are 1.00, not 0.99.
            (o().line("a", "1", "0.495").line("b", "1", "0.495"), "100"),
            (o().line("a", "2", "0.495"), "99"),
            (o().line("a", "1", "1.004").line("b", "1", "1.004").line("c", "1", "1.004"), "300"),
            (o().line("a", "1", "1").with("discount", "0.005"), "99"),
            (o().line("a", "1", "1").with("discount", "0.004"), "100"),
            (o().paid("0.005"), "1"),
            (o().paid("1.115").with("shipping", "0.115"), "100"),
        ],
    );
    check_paid("currency: JPY", &[(o().paid("128.5"), "129"), (o().paid("128.4"), "128")]);
    check_paid("currency: KWD", &[(o().paid("1.0005"), "1001"), (o().line("a", "3", "0.3335"), "1001")]);
}

#[test]
fn s5_another_currency_is_refused() {
    let o = || order("o1").paid("100");
    check_paid(
        "",
        &[
            (o().with("currency", "CNY"), "10000"),
            (o().with("currency", "cny"), "10000"),
            (o().with("currency", "USD"), "currency_mismatch@currency"),
            (o().with("currency", ""), "currency_mismatch@currency"),
        ],
    );
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").paid("100"), "points=100"),
            (
                "2025-03-01 10:01",
                refund("o1").paid("10").with("currency", "HKD"),
                "refused=currency_mismatch points=100",
            ),
            (
                "2025-03-01 10:02",
                notice("o1").with("currency", "HKD"),
                "refused=currency_mismatch points=100",
            ),
            (
                "2025-03-01 10:03",
                update("o1").paid("1").with("currency", "HKD"),
                "refused=currency_mismatch points=100",
            ),
        ],
    );
}

#[test]
fn s5_a_major_unit_is_what_the_currency_says() {
    for (currency, paid, points) in
        [("JPY", "128", "128"), ("CNY", "128.99", "128"), ("KWD", "1.999", "1"), ("KWD", "2.000", "2")]
    {
        let mut world = World::under(&format!("currency: {currency}"));
        check(&mut world, &[("2025-03-01 10:00", order("o1").paid(paid), &format!("points={points}"))]);
    }
}

/// Every order in which these can arrive.
fn permutations(steps: &[Step]) -> Vec<Vec<Step>> {
    if steps.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for i in 0..steps.len() {
        let mut rest = steps.to_vec();
        let first = rest.remove(i);
        for mut tail in permutations(&rest) {
            tail.insert(0, first.clone());
            all.push(tail);
        }
    }
    all
}

#[test]
fn s6_an_order_earns_once() {
    let at = "2025-03-01 10:00";
    let till = order("o1").paid("100").store("330").line("a", "2", "50").dated(at);
    let shop = order("o1").paid("100").store("330").line("a", "2", "50").dated(at);
    let notice = notice("o1").paid("100").with("payment_method", "wechat").dated(at);
    for (n, steps) in permutations(&[till, shop, notice]).into_iter().enumerate() {
        let mut world = World::new();
        for step in &steps {
            world.send(world.time("2025-03-01 10:05"), step).unwrap();
        }
        check(
            &mut world,
            &[(
                "2025-03-01 10:06",
                order("o2").paid("1"),
                "points=101 growth=1010 tier=regular stage=growth lots=100+1 debt=0 +new_customer -second_order_due",
            )],
        );
        let order = world.order("o1");
        assert_eq!(order.terms.method.as_deref(), Some("wechat"), "arrival {n}");
        assert_eq!((order.status, order.paid.0, order.time), (OrderStatus::Placed, 10_000, world.time(at)));
    }
}

#[test]
fn s6_a_cancelled_order_earns_nothing_in_whatever_order_it_is_told() {
    let at = "2025-03-01 10:00";
    let steps = [
        order("o1").paid("700").dated(at),
        update("o1").paid("650").dated(at),
        notice("o1").dated(at),
        cancel("o1").dated(at),
    ];
    let arrivals = permutations(&steps);
    assert_eq!(arrivals.len(), 24);
    for steps in arrivals {
        let mut world = World::new();
        for step in &steps {
            world.send(world.time("2025-03-01 10:05"), step).unwrap();
        }
        check(
            &mut world,
            &[(
                "2025-03-01 10:06",
                identify("city", "Hefei"),
                "points=0 growth=0 debt=0 stage=introduction lots=none",
            )],
        );
        assert_eq!(world.order("o1").status, OrderStatus::Cancelled);
    }
}

#[test]
fn s6_a_notice_alone_never_earns() {
    check(
        &mut World::new(),
        &[
            (
                "2025-03-01 10:00",
                notice("o1").paid("100"),
                "points=0 growth=0 stage=introduction enrolled=2025-03-01",
            ),
            ("2025-03-01 10:01", notice("o1").paid("100"), "points=0"),
            ("2025-03-01 10:02", refund("o1").paid("10"), "refused=order_unknown points=0"),
            ("2025-03-01 10:03", order("o1").paid("100"), "points=100 growth=1000 stage=growth"),
            ("2025-03-01 10:04", notice("o1").paid("999"), "points=100 growth=1000 transfers=2"),
        ],
    );
}

#[test]
fn s6_a_later_report_adjusts_by_difference() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").paid("100"), "points=100 growth=1000 transfers=2"),
            ("2025-03-01 10:01", order("o1").paid("100"), "points=100 transfers=2"),
            ("2025-03-01 10:02", order("o1").paid("100.99"), "points=100 transfers=2"),
            ("2025-03-01 10:03", update("o1").paid("150"), "points=150 growth=1500 lots=100+50"),
            ("2025-03-01 10:04", update("o1").paid("80"), "points=80 growth=800"),
            ("2025-03-01 10:05", update("o1").paid("0"), "points=0 growth=0 stage=growth"),
            ("2025-03-01 10:06", update("o1").paid("700"), "points=700 growth=7000 tier=gold"),
            // By its own multiplier, not by that of the tier it led to.
            ("2025-03-01 10:07", update("o1").paid("800"), "points=800 growth=8000"),
            ("2025-03-01 10:08", order("o2").paid("10"), "points=820"),
            ("2025-03-01 10:09", update("o2").paid("15"), "points=830"),
            ("2025-03-01 10:10", cancel("o1"), "points=30 growth=150 tier=gold"),
            ("2025-03-01 10:11", update("o1").paid("900"), "points=30 growth=150"),
            ("2025-03-01 10:12", cancel("o1"), "points=30 growth=150"),
            ("2025-03-01 10:13", notice("o1"), "points=30"),
        ],
    );
}

#[test]
fn s6_a_version_that_comes_late_changes_nothing() {
    let told = |step: Step, version: i64| step.saying("order_version", serde_json::json!(version));
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", told(order("o1").paid("150"), 20), "points=150 growth=1500"),
            ("2025-03-01 10:01", told(order("o1").paid("100"), 10), "points=150 growth=1500"),
            ("2025-03-01 10:02", told(update("o1").paid("80"), 30), "points=80 growth=800"),
            ("2025-03-01 10:03", told(update("o1").paid("150"), 20), "points=80 growth=800"),
            // Who counts no versions is believed, and leaves what was counted as it is.
            ("2025-03-01 10:04", update("o1").paid("90"), "points=90 growth=900"),
            ("2025-03-01 10:05", told(update("o1").paid("150"), 29), "points=90 growth=900"),
            ("2025-03-01 10:06", told(update("o1").paid("70"), 30), "points=70 growth=700"),
        ],
    );
}

#[test]
fn s6_an_update_may_come_first() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", update("o1").paid("100"), "points=100 growth=1000"),
            ("2025-03-01 10:01", order("o1").paid("100"), "points=100 growth=1000 transfers=2"),
        ],
    );
}

#[test]
fn s6_an_update_below_what_came_back_is_refused() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").paid("100"), "points=100"),
            ("2025-03-01 10:01", refund("o1").paid("30"), "points=70"),
            ("2025-03-01 10:02", update("o1").paid("120"), "points=90 growth=900"),
            (
                "2025-03-01 10:03",
                update("o1").paid("29.99"),
                "refused=refund_exceeds_paid points=90 growth=900",
            ),
            ("2025-03-01 10:04", update("o1").paid("30"), "points=0 growth=0 stage=introduction"),
        ],
    );
}

#[test]
fn s6_what_came_back_stays_with_its_product_when_lines_change() {
    check(
        &mut World::new(),
        &[
            (
                "2025-03-01 10:00",
                order("o1").goods("snacks", "12").goods("beauty", "3"),
                "+snack_lover +beauty_lover points=15",
            ),
            ("2025-03-01 10:01", refund("o1").pieces("snacks", "1"), "+snack_lover +beauty_lover points=14"),
            // The shop tells the same lines in another order.
            (
                "2025-03-01 10:02",
                update("o1").goods("beauty", "3").goods("snacks", "12"),
                "+snack_lover +beauty_lover points=14",
            ),
            ("2025-03-01 10:03", refund("o1").pieces("snacks", "2"), "-snack_lover +beauty_lover points=12"),
            (
                "2025-03-01 10:04",
                refund("o1").pieces("snacks", "10"),
                "refused=return_exceeds_quantity points=12",
            ),
            ("2025-03-01 10:05", refund("o1").pieces("snacks", "9"), "points=3 +beauty_lover"),
        ],
    );
}

#[test]
fn s6_an_order_belongs_to_one_member() {
    let mut world = World::new();
    check(&mut world, &[("2025-03-01 10:00", order("o1").paid("100"), "points=100")]);
    world.give_away("o1");
    for step in [order("o1").paid("100"), update("o1").paid("1"), refund("o1"), cancel("o1")] {
        check(&mut world, &[("2025-03-01 10:01", step, "refused=order_of_another_member points=100")]);
    }
    // Who pays may be known otherwise than who buys: a notice only names the method.
    check(&mut world, &[("2025-03-01 10:02", notice("o1").with("payment_method", "wechat"), "points=100")]);
}

#[test]
fn s6_a_notice_under_another_name_does_not_keep_the_buyer_from_earning() {
    let mut world = World::new();
    check(&mut world, &[("2025-03-01 10:00", notice("o1").with("payment_method", "wechat"), "points=0")]);
    world.give_away("o1");
    check(&mut world, &[("2025-03-01 10:01", order("o1").paid("100"), "points=100")]);
    check(&mut world, &[("2025-03-01 10:02", cancel("o2"), "points=100")]);
    world.give_away("o2");
    check(&mut world, &[("2025-03-01 10:03", order("o2").paid("50"), "points=100")]);
}

#[test]
fn s6_a_report_without_amounts_leaves_them_as_they_are() {
    let mut world = World::new();
    check(
        &mut world,
        &[
            ("2025-03-01 10:00", order("o1").paid("100"), "points=100"),
            ("2025-03-01 10:01", update("o1").with("payment_method", "cash"), "points=100"),
            ("2025-03-01 10:02", update("o9").with("payment_method", "cash"), "refused=total_missing"),
        ],
    );
}

#[test]
fn s6_the_same_number_of_another_namespace_is_another_order() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").paid("100"), "points=100"),
            ("2025-03-01 10:01", order("o1").paid("100").with("order_namespace", "tmall"), "points=200"),
            ("2025-03-01 10:02", order("o1").paid("100").with("order_namespace", "tmall"), "points=200"),
            ("2025-03-01 10:03", cancel("o1"), "points=100"),
        ],
    );
}

#[test]
fn orders_of_a_day_earn_no_more_than_the_playbook_says() {
    let mut world = World::under("points: { most: 100 per member per day }");
    let yesterday_noon = world.time("2025-03-05 12:00");
    check(
        &mut world,
        &[
            ("2025-03-05 10:00", order("o1").paid("70"), "points=70 growth=700"),
            ("2025-03-05 23:59", order("o2").paid("70"), "points=100 growth=1400"),
            ("2025-03-05 23:59", order("o3").paid("70"), "points=100 growth=2100"),
            ("2025-03-06 00:00", order("o4").paid("120"), "points=200 growth=3300"),
            // What comes back makes room, for what is reported after it.
            ("2025-03-06 01:00", refund("o1").paid("40"), "points=160 growth=2900"),
            ("2025-03-06 01:00", update("o3").paid("71"), "points=200 growth=2910"),
            // A refund of what earned nothing takes nothing.
            ("2025-03-06 02:00", refund("o4").paid("20"), "points=200 growth=2710"),
            ("2025-03-06 03:00", refund("o4").paid("10"), "points=190 growth=2610"),
            // One of yesterday that comes in late is of yesterday.
            ("2025-03-06 04:00", order("o5").paid("9").at(yesterday_noon), "points=190 growth=2700"),
            ("2025-03-06 05:00", cancel("o2"), "points=160 growth=2000"),
            // Room that others leave is no reason to earn more by giving something back.
            ("2025-03-06 06:00", refund("o3").paid("10"), "points=160 growth=1900"),
        ],
    );
}

#[test]
fn whose_orders_earn_nothing_has_them_in_history_all_the_same() {
    let mut world = World::under("orders: { earn_nothing: 'attr.city == \"warehouse\"' }");
    check(
        &mut world,
        &[
            ("2025-03-05 10:00", order("o1").paid("70"), "points=70 growth=700 stage=growth"),
            ("2025-03-05 11:00", identify("city", "warehouse"), "points=70 growth=700"),
            ("2025-03-05 12:00", order("o2").paid("70"), "points=70 growth=700"),
            ("2025-03-05 13:00", order("o3").paid("70"), "points=70 growth=700"),
            ("2025-03-05 14:00", order("o4").paid("70"), "points=70 growth=700 stage=maturity"),
            ("2025-03-05 15:00", refund("o2").paid("70"), "points=70 growth=700"),
        ],
    );
}

#[test]
fn a_birthday_changes_once_a_year() {
    let mut world = World::under(
        "attributes: { birthday: { type: date, changes: once per 365d, name: { zh: 生日, en: Birthday } } }",
    );
    let told = |birthday: &str| identify("birthday", birthday);
    for (time, birthday, expected) in [
        ("2025-03-05 10:00", "1990-08-15", "1990-08-15"),
        ("2025-03-06 10:00", "1990-03-06", "1990-08-15"),
        // Told again it says nothing new: the year goes on.
        ("2025-12-24 10:00", "1990-08-15", "1990-08-15"),
        ("2026-03-04 10:00", "1990-03-04", "1990-08-15"),
        ("2026-03-05 00:00", "1990-03-05", "1990-03-05"),
        ("2026-03-06 00:00", "1990-03-06", "1990-03-05"),
    ] {
        world.send(world.time(time), &told(birthday)).unwrap();
        let state = world.state.as_ref().unwrap();
        assert_eq!(state.member.attributes["birthday"].text(), Some(expected), "{time}");
    }
}
