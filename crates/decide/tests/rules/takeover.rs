//! C7: history comes along. An old system's member, balances, tier and tags are taken over with their dates; what they did
//! before comes into history and earns nothing a second time.

use zhiyin_model::effect::{Asset, OrderStatus, TransferKind};

use super::scenario::{World, adjust, check, gift, order, refund, spend, taken_over, track, wait};

const GOLD: &str = r#"{"enrolled": "2019-05-01T02:00:00Z", "home_store": "330", "growth": 3500,
    "lots": [{"points": 120, "last_day": "2026-12-31"}, {"points": 50}, {"points": 30, "last_day": "2026-06-30"}],
    "tier": {"level": "gold", "from": "2025-06-01", "last_day": "2026-05-31"}}"#;

#[test]
fn c7_what_an_old_system_owed_is_owed_from_the_first_day() {
    let mut world = World::new();
    check(
        &mut world,
        &[
            (
                "2026-01-01 00:00",
                taken_over(GOLD),
                "points=200 lots=30+120+50 growth=3500 tier=gold ends=2026-06-01 enrolled=2019-05-01 transfers=4 terms=gold",
            ),
            // The earliest to expire is spent first, and each is gone after its last day.
            ("2026-02-01 10:00", spend("40"), "points=160 lots=110+50"),
            ("2026-12-31 23:59", wait(), "points=160"),
            ("2027-01-01 00:00", wait(), "points=50 lots=50"),
        ],
    );
    let kinds: Vec<_> =
        world.record.transfers.iter().take(4).map(|transfer| (transfer.kind, transfer.asset)).collect();
    let points = (TransferKind::TakeOver, Asset::Points);
    assert_eq!(kinds, [points, points, points, (TransferKind::TakeOver, Asset::Growth)]);
    let kept: Vec<_> =
        world.record.orders.values().map(|order| (order.status, order.counts(), order.paid.0)).collect();
    assert_eq!(kept, [(OrderStatus::TakenOver, false, 0)]);
    let member = &world.state.as_ref().unwrap().member;
    assert_eq!(member.known_since, world.time("2019-05-01 10:00"));
    assert_eq!(member.touches.store.as_ref().map(|(_, store)| store.as_str()), Some("330"));
    assert_eq!((&member.touches.first, &member.touches.last), (&None, &None));
}

#[test]
fn c7_a_tier_that_was_taken_over_lasts_to_the_end_of_its_term_and_is_then_judged() {
    for (what, expected) in [
        // Growth of the day of the take-over still holds silver when the term ends.
        (GOLD, "tier=silver ends=2027-06-01"),
        // Growth that was earned more than a year before holds nothing by then.
        (
            r#"{"growth": 3500, "growth_day": "2025-05-31", "tier": {"level": "gold", "last_day": "2026-05-31"}}"#,
            "tier=regular ends=2027-06-01",
        ),
        (
            r#"{"growth": 6000, "tier": {"level": "gold", "last_day": "2026-05-31"}}"#,
            "tier=gold ends=2027-06-01",
        ),
        (r#"{"tier": {"level": "silver", "last_day": "2026-05-31"}}"#, "tier=regular ends=2027-06-01"),
    ] {
        let held = if what.contains("gold") { "tier=gold" } else { "tier=silver" };
        let mut world = World::new();
        check(
            &mut world,
            &[
                ("2026-01-01 00:00", taken_over(what), held),
                ("2026-05-31 23:59", wait(), held),
                ("2026-06-01 00:00", wait(), expected),
            ],
        );
    }
}

#[test]
fn c7_a_term_without_its_days_lasts_as_long_as_any() {
    for (what, expected) in [
        (r#"{"tier": {"level": "silver"}}"#, "tier=silver ends=2027-01-01 terms=silver"),
        (
            r#"{"tier": {"level": "silver", "from": "2025-10-01"}}"#,
            "tier=silver ends=2026-10-01 terms=silver",
        ),
        // Where growth holds more than the old system gave, up at once as ever.
        (r#"{"growth": 7000, "tier": {"level": "silver"}}"#, "tier=gold terms=silver,gold"),
        // Where it gave none, growth says which.
        (r#"{"growth": 3000}"#, "tier=silver ends=2027-01-01 terms=silver"),
        ("{}", "tier=regular ends=2027-01-01 terms=regular points=0 transfers=0"),
    ] {
        check(&mut World::new(), &[("2026-01-01 00:00", taken_over(what), expected)]);
    }
}

#[test]
fn c7_orders_from_before_come_into_history_and_earn_nothing() {
    let mut world = World::new();
    let with_orders = r#"{"growth": 500, "lots": [{"points": 100, "last_day": "2026-12-31"}]}"#;
    check(
        &mut world,
        &[
            ("2026-01-01 00:00", taken_over(with_orders), "points=100 growth=500 stage=introduction"),
            (
                "2026-01-02 10:00",
                order("o1").paid("700").store("9").dated("2025-12-20 10:00"),
                "points=100 growth=500 tier=regular stage=growth first=store/9 last=store/9 +big_basket",
            ),
            // A correction, a report that comes again and a refund of it find nothing to book.
            ("2026-01-02 11:00", order("o1").paid("900"), "points=100 growth=500"),
            ("2026-01-03 10:00", refund("o1").paid("100"), "points=100 debt=0 growth=500"),
            // At the instant itself and from then on they earn.
            ("2026-01-03 11:00", order("o2").paid("10").dated("2025-12-31 23:59:59.999999"), "points=100"),
            ("2026-01-03 12:00", order("o3").paid("10").dated("2026-01-01 00:00"), "points=110 growth=600"),
            ("2026-01-04 10:00", order("o4").paid("20"), "points=130 growth=800"),
        ],
    );
    assert_eq!((world.order("o1").terms.points_kept, world.order("o1").paid.0), (0, 90_000));
}

#[test]
fn c7_points_are_not_moved_a_second_time_by_what_happened_before() {
    let opening = r#"{"lots": [{"points": 100, "last_day": "2026-12-31"}]}"#;
    let mut rows = vec![("2026-01-01 00:00", taken_over(opening), "points=100")];
    for step in [spend("10"), adjust("10"), gift("10")] {
        rows.push(("2026-01-05 10:00", step.dated("2025-12-31 10:00"), "refused=before_takeover points=100"));
    }
    rows.push(("2026-01-05 10:00", spend("10"), "points=90"));
    check(&mut World::new(), &rows);
}

#[test]
fn c7_somebody_who_is_here_is_joined_only_where_that_was_said() {
    let plain = r#"{"lots": [{"points": 100}], "tier": {"level": "silver"}}"#;
    let join = r#"{"join": true, "enrolled": "2020-01-01T00:00:00Z", "growth": 100, "lots": [{"points": 100}], "tier": {"level": "silver"}}"#;
    check(
        &mut World::new(),
        &[
            ("2026-01-02 10:00", order("o1").paid("50"), "points=50 growth=500 tier=regular"),
            (
                "2026-01-03 10:00",
                taken_over(plain).dated("2026-01-01 00:00"),
                "refused=member_known points=50",
            ),
            (
                "2026-01-03 10:00",
                taken_over(join).dated("2026-01-01 00:00"),
                "points=150 growth=600 tier=silver enrolled=2020-01-01",
            ),
            // Once is enough, whatever it says.
            (
                "2026-01-03 10:00",
                taken_over(join).dated("2026-01-02 00:00"),
                "refused=taken_over_already points=150",
            ),
        ],
    );
    // A better tier is kept.
    let mut world = World::new();
    check(
        &mut world,
        &[
            ("2026-01-02 10:00", order("o1").paid("700"), "points=700 growth=7000 tier=gold ends=2027-01-02"),
            (
                "2026-01-03 10:00",
                taken_over(join).dated("2026-01-01 00:00"),
                "tier=gold ends=2027-01-02 growth=7100",
            ),
        ],
    );
}

#[test]
fn c7_orders_that_came_before_their_member_would_have_earned_twice() {
    let join = r#"{"join": true, "lots": [{"points": 100}]}"#;
    check(
        &mut World::new(),
        &[
            ("2025-12-01 10:00", order("o1").paid("50"), "points=50"),
            ("2026-01-01 00:00", taken_over(join), "refused=orders_came_first points=50"),
        ],
    );
    // What counts no longer does no harm.
    check(
        &mut World::new(),
        &[
            ("2025-12-01 10:00", order("o1").paid("50"), "points=50"),
            ("2025-12-02 10:00", refund("o1"), "points=0"),
            ("2026-01-01 00:00", taken_over(join), "points=100"),
        ],
    );
}

#[test]
fn c7_a_debt_here_is_paid_by_what_is_brought() {
    let join = r#"{"join": true, "lots": [{"points": 100}]}"#;
    check(
        &mut World::new(),
        &[
            ("2026-01-02 10:00", order("o1").paid("50"), "points=50"),
            ("2026-01-02 11:00", spend("50"), "points=0"),
            ("2026-01-02 12:00", refund("o1"), "points=0 debt=50"),
            ("2026-01-03 10:00", taken_over(join).dated("2026-01-01 00:00"), "points=50 debt=0 lots=50"),
        ],
    );
}

#[test]
fn c7_tags_of_the_old_system_are_given_by_hand() {
    let mut world = World::under("tags: { vip: { name: { zh: 贵宾, en: VIP } } }");
    let rows = [
        ("2026-01-01 00:00", taken_over(r#"{"tags": ["vip"]}"#), "tier=regular"),
        ("2026-03-01 00:00", track("App Opened"), "tier=regular"),
    ];
    check(&mut world, &rows);
    let held = &world.state.as_ref().unwrap().member.tags["vip"];
    assert_eq!((held.by_rule, held.since), (false, world.time("2026-01-01")));
    assert_eq!(
        world.record.tags.iter().map(|moved| (moved.tag.as_str(), moved.on)).collect::<Vec<_>>(),
        [("vip", true)]
    );
}

#[test]
fn c7_what_cannot_be_taken_over_is_refused_by_name_and_leaves_nobody() {
    for (what, code) in [
        (r#"{"lots": [{"points": 1, "last_day": "2025-12-31"}]}"#, "points_expired"),
        (r#"{"lots": [{"points": 0}]}"#, "bad_amount"),
        (r#"{"lots": [{"points": -1}]}"#, "bad_amount"),
        (r#"{"lots": [{"points": 1.5}]}"#, "bad_amount"),
        (r#"{"lots": [{"points": 1000000000001}]}"#, "bad_amount"),
        (r#"{"lots": [{"points": 1, "last_day": "31.12.2026"}]}"#, "bad_date"),
        (r#"{"lots": {}}"#, "bad_lots"),
        (r#"{"growth": -1}"#, "bad_amount"),
        (r#"{"growth": 1, "growth_day": "2026-01-02"}"#, "bad_date"),
        (r#"{"tier": {"level": "platinum"}}"#, "tier_unknown"),
        (r#"{"tier": {"from": "2025-01-01"}}"#, "tier_missing"),
        (r#"{"tier": {"level": "gold", "last_day": "2025-12-31"}}"#, "tier_ended"),
        (r#"{"tier": {"level": "gold", "from": "2024-01-01"}}"#, "tier_ended"),
        (r#"{"tier": {"level": "gold", "from": "2026-01-02"}}"#, "bad_date"),
        (r#"{"tags": ["big_basket"]}"#, "tag_by_rule"),
        (r#"{"tags": [1]}"#, "bad_tags"),
        (r#"{"enrolled": "2019-05-01"}"#, "bad_timestamp"),
    ] {
        let mut world = World::new();
        let expected = format!("refused={code} points=nobody");
        check(&mut world, &[("2026-01-01 00:00", taken_over(what), &expected)]);
    }
    // Points that can be spent on the day itself have not expired.
    let today = r#"{"lots": [{"points": 1, "last_day": "2026-01-01"}]}"#;
    check(&mut World::new(), &[("2026-01-01 00:00", taken_over(today), "points=1")]);
}
