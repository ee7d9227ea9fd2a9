//! R11: each order of a member gives one chance in a draw while it runs; what comes back whole takes it back.

use serde_json::json;
use zhiyin_model::coupon::CouponAccount;

use super::scenario::{Step, World, cancel, check, order, refund, track};

const DRAWS: &str = "offers:
  ticket: { name: { zh: 门票, en: Ticket }, gift: { product: ticket }, who: tier == \"gold\", coupon: { valid: 7d }, limit: 1 per member, stock: 300 }
draws:
  concert:
    name: { zh: 演唱会门票抽奖, en: Concert }
    from: 2025-03-01
    until: 2025-03-10
    spend: 20
    limit: 3 per member
    prizes: [{ offer: ticket, pieces: 300 }]
    alternates: 100
";

fn chances(world: &World) -> usize {
    let held = world.state.as_ref().map(|state| state.member.holdings.coupons.values());
    held.into_iter().flatten().filter(|held| held.offer == "draw:concert").count()
}

fn won(prize: &str) -> Step {
    track("Draw Won").with("draw", "concert").with("entry", "E-1").with("prize", prize)
}

#[test]
fn r11_an_order_gives_a_chance_in_its_time_for_what_was_paid_and_as_many_as_one_gets() {
    let mut world = World::under(DRAWS);
    for (at, number, paid, expected) in [
        ("2025-02-28 23:59", "o1", "50", 0),
        ("2025-03-01 00:00", "o2", "19.99", 0),
        ("2025-03-01 00:01", "o3", "20", 1),
        ("2025-03-02 10:00", "o4", "30", 2),
        // Reported again it gives nothing again.
        ("2025-03-02 11:00", "o4", "30", 2),
        ("2025-03-10 23:59", "o5", "30", 3),
        ("2025-03-10 23:59", "o6", "30", 3),
        ("2025-03-11 00:00", "o7", "30", 3),
    ] {
        world.send(world.time(at), &order(number).paid(paid)).unwrap();
        assert_eq!(chances(&world), expected, "{at} {number}");
    }
    // The chances are nobody's news, and lie in the books.
    assert!(world.record.coupons.moves.iter().all(|moved| moved.offer == "draw:concert"));
}

#[test]
fn r11_an_order_that_comes_back_whole_takes_its_own_chance_back() {
    let mut world = World::under(DRAWS);
    for (at, step, expected) in [
        ("2025-03-01 10:00", order("o1").paid("50"), 1),
        ("2025-03-01 11:00", order("o2").paid("60"), 2),
        ("2025-03-02 10:00", refund("o1").paid("20"), 2),
        ("2025-03-02 11:00", refund("o1").paid("30"), 1),
        ("2025-03-03 10:00", cancel("o2"), 0),
        ("2025-03-03 11:00", order("o3").paid("60"), 1),
    ] {
        world.send(world.time(at), &step).unwrap();
        assert_eq!(chances(&world), expected, "{at} {step:?}");
    }
    let pool = world.record.coupons.pools.iter().find(|pool| pool.pool == "offer/draw:concert/stock");
    assert_eq!(pool.map(|pool| pool.amount), Some(1));
}

#[test]
fn r11_a_prize_goes_to_whoever_won_it_whomever_its_offer_is_for() {
    let mut world = World::under(DRAWS);
    check(
        &mut world,
        &[
            ("2025-03-01 10:00", order("o1").paid("50"), "points=50"),
            ("2025-03-12 10:00", won("nothing"), "refused=offer_unknown"),
            ("2025-03-12 10:01", won("ticket"), "points=50"),
        ],
    );
    let member = &world.state.as_ref().unwrap().member;
    let held: Vec<_> = member.holdings.coupons.values().filter(|held| held.offer == "ticket").collect();
    assert_eq!(held.len(), 1);
    assert_eq!((held[0].account, held[0].valid_until), (CouponAccount::Held, world.time("2025-03-19")));
    let chance = member.holdings.coupons.iter().find(|(_, held)| held.offer == "draw:concert").unwrap();
    let redeem = track("Coupon Redeemed").with("coupon_id", &chance.0.to_string());
    check(&mut world, &[("2025-03-12 11:00", redeem, "refused=coupon_not_active")]);
}

#[test]
fn r11_an_order_told_of_late_gives_what_it_would_have_given_on_its_day() {
    let mut world = World::under(DRAWS);
    for (told, order, expected) in [
        ("2025-03-12 10:00", order("o1").paid("50").at(world.time("2025-03-10 22:00")), 1),
        ("2025-03-12 10:01", order("o2").paid("50").at(world.time("2025-03-11 00:30")), 1),
        ("2025-03-12 10:02", order("o3").paid("50").at(world.time("2025-02-28 23:00")), 1),
    ] {
        world.send(world.time(told), &order).unwrap();
        assert_eq!(chances(&world), expected, "{told}");
    }
}

#[test]
fn r11_nobody_gives_or_takes_chances_but_orders() {
    let mut world = World::under(DRAWS);
    let by_hand = track("Coupon Issued").with("offer", "draw:concert");
    check(&mut world, &[("2025-03-01 09:00", by_hand, "refused=offer_unknown")]);
    world.send(world.time("2025-03-01 10:00"), &order("o1").paid("50")).unwrap();
    let held = world.state.as_ref().unwrap().member.holdings.coupons.keys().next().unwrap().to_string();
    let away = track("Coupon Withdrawn").with("coupon", &held);
    check(&mut world, &[("2025-03-01 11:00", away, "refused=coupon_not_active")]);
    assert_eq!(chances(&world), 1);
}

#[test]
fn r11_a_member_wins_once_in_a_draw_though_they_were_two_when_its_list_was_closed() {
    let mut world = World::under(DRAWS);
    let again = || won("ticket").with("entry", "E-2");
    check(
        &mut world,
        &[
            ("2025-03-01 10:00", order("o1").paid("50"), "points=50"),
            ("2025-03-12 10:01", won("ticket"), "points=50"),
            ("2025-03-12 10:02", again(), "refused=won_already"),
            ("2025-03-12 10:03", again().with("draw", "another"), "points=50"),
        ],
    );
}

#[test]
fn r11_what_comes_back_whole_at_a_checkout_takes_its_orders_chance_back() {
    let mut world = World::under(DRAWS);
    let on = |event: &'static str| track(event).with("checkout", "a");
    let cart = json!({"lines": [{"id": "1", "product": "towel", "price": 2_500, "quantity": 2}]});
    let pieces = |n: u32| on("Checkout Returned").saying("lines", json!([{"id": "1", "pieces": n}]));
    let bought = order("o1")
        .paid("50")
        .saying("products", json!([{"product_id": "towel", "quantity": 2, "price": 25}]));
    for (at, step, expected) in [
        ("2025-03-01 09:00", order("o0").paid("0"), 0),
        ("2025-03-01 10:00", on("Checkout Redeemed").saying("cart", cart).with("order_id", "o1"), 0),
        ("2025-03-01 10:01", bought, 1),
        ("2025-03-02 10:00", pieces(1), 1),
        ("2025-03-02 10:01", pieces(1), 0),
    ] {
        world.send(world.time(at), &step).unwrap();
        assert_eq!(chances(&world), expected, "{at} {step:?}");
    }
}
