//! §3: a cart is priced for a member and holds what its discounts take, until it is paid, let go of, or runs out; what comes back
//! gives back exactly what was paid.

use serde_json::{Value, json};
use zhiyin_decide::checkout::body::Body;
use zhiyin_model::checkout::{self, CheckoutState};
use zhiyin_model::coupon::CouponAccount;
use zhiyin_model::id::IdKey;

use super::scenario::{Step, World, check, order, track, wait};

const OFFERS: &str = "offers:
  day-8: { name: { zh: 满减, en: Day }, lane: order, spend: 68, off: 8, limit: 1 per member per day, returns: take back }
  welcome: { name: { zh: 新人券, en: Welcome }, lane: coupon, spend: 20, off: 5, coupon: { valid: 7d }, limit: 2 per member }
  towels: { name: { zh: 毛巾, en: Towels }, of: product == \"towel\", lane: piece, off: 3, per: piece, stock: 2 }
  soaps: { name: { zh: 香皂, en: Soaps }, of: product == \"soap\", lane: piece, off: 2, per: piece, budget: 5, limit: 3 per week }
  pieces: { name: { zh: 件, en: Pieces }, of: product == \"cup\", lane: piece, off: 1, per: piece, budget: 5 pieces }
  double: { name: { zh: 双倍, en: Double }, of: product == \"cup\", points_times: 2 }
";

/// A cart of lines: product, price in minor units, pieces.
fn cart(lines: &[(&str, i64, u32)]) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(product, price, quantity)| json!({"product": product, "price": price, "quantity": quantity}))
        .collect();
    json!({ "lines": lines })
}

fn on(event: &'static str, name: &str) -> Step {
    track(event).with("checkout", name)
}

fn lock(name: &str, lines: &[(&str, i64, u32)]) -> Step {
    on("Checkout Locked", name).saying("cart", cart(lines))
}

fn redeem(name: &str) -> Step {
    on("Checkout Redeemed", name)
}

fn cancel(name: &str) -> Step {
    on("Checkout Cancelled", name)
}

fn give_back(name: &str, lines: &[(&str, u32)]) -> Step {
    let lines: Vec<Value> = lines.iter().map(|(id, pieces)| json!({"id": id, "pieces": pieces})).collect();
    let step = on("Checkout Returned", name);
    if lines.is_empty() { step } else { step.saying("lines", json!(lines)) }
}

fn bought() -> World {
    bought_under(OFFERS)
}

/// Somebody who bought once, in a world with these offers.
fn bought_under(offers: &str) -> World {
    let mut world = World::under(offers);
    check(&mut world, &[("2025-03-03 10:00", order("o0").paid("0"), "points=0")]);
    world
}

fn found(world: &World, name: &str) -> (CheckoutState, Body) {
    let id = checkout::id(&IdKey::from_bytes([7; 32]), "", name);
    let known = &world.record.checkouts[&id];
    let body = known.body.as_deref().and_then(Body::read);
    (known.checkout.state, body.expect("a checkout has a body"))
}

fn payable(world: &World, name: &str) -> i64 {
    found(world, name).1.quote.payable
}

/// How often the member used an offer, and what is taken of a pool.
fn used(world: &World, offer: &str) -> u32 {
    let holdings = &world.state.as_ref().expect("somebody is there").member.holdings;
    holdings.used.get(offer).map_or(0, |tally| tally.total)
}

fn coupons(world: &World) -> Vec<CouponAccount> {
    let holdings = &world.state.as_ref().expect("somebody is there").member.holdings;
    holdings.coupons.values().map(|held| held.account).collect()
}

#[test]
fn what_is_locked_is_held_and_comes_back_when_it_is_let_go_of_or_its_time_is_over() {
    let cart = [("bag", 80_00, 1), ("towel", 10_00, 1)];
    for (ends, state) in [
        (("2025-03-03 12:05", cancel("a"), ""), CheckoutState::Cancelled),
        (("2025-03-03 12:15", wait(), ""), CheckoutState::Released),
    ] {
        let mut world = bought();
        check(
            &mut world,
            &[
                ("2025-03-03 11:00", track("Coupon Issued").with("offer", "welcome"), ""),
                ("2025-03-03 12:00", lock("a", &cart), ""),
            ],
        );
        // 90 − 3 for the towel, − 8, − 5.
        assert_eq!(payable(&world, "a"), 74_00);
        assert_eq!((used(&world, "day-8"), world.record.taken("offer/towels/stock")), (1, 1));
        assert_eq!(coupons(&world), [CouponAccount::Locked]);
        check(&mut world, &[ends]);
        assert_eq!(found(&world, "a").0, state);
        assert_eq!((used(&world, "day-8"), world.record.taken("offer/towels/stock")), (0, 0));
        assert_eq!(coupons(&world), [CouponAccount::Held]);
        assert!(world.state.as_ref().unwrap().member.holdings.checkouts.is_empty());
        // Once more changes nothing: peers counted back twice (§3, 5).
        check(&mut world, &[("2025-03-03 13:00", cancel("a"), "")]);
        assert_eq!((used(&world, "day-8"), world.record.taken("offer/towels/stock")), (0, 0));
        // And it can be begun again.
        check(&mut world, &[("2025-03-03 13:00", lock("a", &cart), "")]);
        assert_eq!((payable(&world, "a"), found(&world, "a").0), (74_00, CheckoutState::Locked));
    }
}

#[test]
fn what_is_paid_is_used_once() {
    let mut world = bought();
    check(
        &mut world,
        &[
            ("2025-03-03 11:00", track("Coupon Issued").with("offer", "welcome"), ""),
            ("2025-03-03 12:00", lock("a", &[("bag", 80_00, 1)]), ""),
            ("2025-03-03 12:05", redeem("a").saying("payable", json!(1)), "refused=payable_changed"),
            ("2025-03-03 12:05", redeem("a").saying("payable", json!(67_00)), ""),
            ("2025-03-03 12:06", redeem("a"), ""),
            (
                "2025-03-03 12:06",
                redeem("a").saying("cart", cart(&[("bag", 1, 1)])),
                "refused=checkout_redeemed",
            ),
            ("2025-03-03 12:07", cancel("a"), "refused=checkout_redeemed"),
            ("2025-03-03 12:07", lock("a", &[("bag", 80_00, 1)]), "refused=checkout_redeemed"),
            // The limit of one a day holds now, and no coupon is left.
            ("2025-03-03 13:00", redeem("b").saying("cart", cart(&[("bag", 80_00, 1)])), ""),
            ("2025-03-04 13:00", redeem("c").saying("cart", cart(&[("bag", 80_00, 1)])), ""),
        ],
    );
    assert_eq!((payable(&world, "a"), payable(&world, "b"), payable(&world, "c")), (67_00, 80_00, 72_00));
    assert_eq!((coupons(&world), used(&world, "day-8")), (vec![], 2));
    let kinds: Vec<&str> = world.record.coupons.moves.iter().map(|moved| moved.kind.name()).collect();
    assert_eq!(kinds, ["issue", "lock", "redeem"]);
}

#[test]
fn what_is_not_so_is_refused_by_name() {
    let mut world = bought();
    let line = ("bag", 80_00, 1);
    check(
        &mut world,
        &[
            ("2025-03-03 12:00", on("Checkout Locked", "a"), "refused=cart_missing"),
            ("2025-03-03 12:00", lock("a", &[]), "refused=bad_cart"),
            ("2025-03-03 12:00", lock("a", &[("bag", -1, 1)]), "refused=bad_cart"),
            ("2025-03-03 12:00", redeem("a"), "refused=checkout_unknown"),
            ("2025-03-03 12:00", cancel("a"), "refused=checkout_unknown"),
            ("2025-03-03 12:00", give_back("a", &[]), "refused=checkout_unknown"),
            ("2025-03-03 12:00", lock("a", &[line]).saying("hold_seconds", json!(60)), ""),
            ("2025-03-03 12:00", give_back("a", &[]), "refused=checkout_not_redeemed"),
            ("2025-03-03 12:01", redeem("a"), "refused=checkout_expired"),
            ("2025-03-03 12:02", lock("a", &[line]), ""),
            ("2025-03-03 12:03", cancel("a"), ""),
            ("2025-03-03 12:03", redeem("a"), "refused=checkout_not_locked"),
            ("2025-03-03 12:04", redeem("a").saying("cart", cart(&[line])), ""),
            ("2025-03-03 12:05", give_back("a", &[("9", 1)]), "refused=line_unknown"),
            ("2025-03-03 12:05", give_back("a", &[("1", 2)]), "refused=returned_more_than_bought"),
            ("2025-03-03 12:05", give_back("a", &[("1", 1)]), ""),
            ("2025-03-03 12:05", give_back("a", &[("1", 1)]), "refused=nothing_to_return"),
            ("2025-03-03 12:06", lock("b", &[("summer-cup", 1, 1)]), "refused=not_on_sale_yet"),
        ][..17],
    );
    for n in 0..20 {
        check(&mut world, &[("2025-03-03 13:00", lock(&format!("n{n}"), &[("pen", 1, 1)]), "")]);
    }
    check(&mut world, &[("2025-03-03 13:00", lock("n20", &[("pen", 1, 1)]), "refused=too_many_checkouts")]);
    // One of them again is no more.
    check(&mut world, &[("2025-03-03 13:00", lock("n19", &[("pen", 2, 1)]), "")]);
}

/// What an offer has for all together is never taken twice, however many carts would have it; what it has no room for it does
/// not apply to.
#[test]
fn of_stock_budget_and_uses_no_more_is_taken_than_there_is() {
    let mut world = bought();
    type Lines<'l> = &'l [(&'l str, i64, u32)];
    let rows: [(&str, Lines<'_>, i64, &str, i64); 9] = [
        ("a", &[("towel", 10_00, 5)], 35_00, "offer/towels/stock", 1),
        ("b", &[("towel", 10_00, 5)], 35_00, "offer/towels/stock", 2),
        ("c", &[("towel", 10_00, 5)], 50_00, "offer/towels/stock", 2),
        ("d", &[("soap", 10_00, 2)], 16_00, "offer/soaps/money", 4_00),
        // ¥1 is left: a soap would take ¥2.
        ("e", &[("soap", 10_00, 1)], 10_00, "offer/soaps/money", 4_00),
        ("f", &[("cup", 10_00, 3)], 27_00, "offer/pieces/pieces", 3),
        ("g", &[("cup", 10_00, 3)], 30_00, "offer/pieces/pieces", 3),
        ("h", &[("cup", 10_00, 2)], 18_00, "offer/pieces/pieces", 5),
        ("i", &[("cup", 10_00, 1)], 10_00, "offer/pieces/pieces", 5),
    ];
    for (name, lines, expected, pool, taken) in rows {
        check(&mut world, &[("2025-03-03 12:00", lock(name, lines), "")]);
        assert_eq!((payable(&world, name), world.record.taken(pool)), (expected, taken), "{name}");
    }
    assert_eq!(world.record.taken("offer/soaps/uses/week-2025-03-03"), 1);
    let (_, body) = found(&world, "g");
    let not = body.quote.not_applied.iter().find(|not| not.offer == "pieces").unwrap();
    assert_eq!(not.reason, "budget_used");
}

#[test]
fn judged_again_the_old_lock_is_given_back_and_what_changed_is_said() {
    let mut world = bought();
    check(
        &mut world,
        &[
            ("2025-03-03 12:00", lock("a", &[("towel", 40_00, 2)]), ""),
            // The same checkout with another cart: the towel's piece is given back, the threshold is not met any more.
            ("2025-03-03 12:01", lock("a", &[("bag", 60_00, 1)]), ""),
        ],
    );
    let (_, body) = found(&world, "a");
    let changed = body.changed.unwrap();
    assert_eq!((changed.payable_before, changed.payable_after), (66_00, 60_00));
    assert_eq!((changed.added, changed.removed), (vec![], vec!["towels".to_owned(), "day-8".to_owned()]));
    assert_eq!((used(&world, "day-8"), world.record.taken("offer/towels/stock")), (0, 0));
    // What is refused leaves the old lock as it is.
    check(
        &mut world,
        &[
            (
                "2025-03-03 12:02",
                lock("a", &[("bag", 80_00, 1)]).saying("payable", json!(1)),
                "refused=payable_changed",
            ),
            ("2025-03-03 12:03", redeem("a").saying("payable", json!(60_00)), ""),
        ],
    );
}

#[test]
fn another_payment_method_after_the_lock_is_judged_again() {
    let offers = "offers:\n  wechat: { name: { zh: 微信, en: WeChat }, when: cart.payment == \"wechat\", lane: order, off: 6, \
                  limit: 1 per member }\n";
    let mut world = bought_under(offers);
    let mut wechat = cart(&[("bag", 50_00, 1)]);
    wechat["payment"] = json!("wechat");
    check(
        &mut world,
        &[
            ("2025-03-03 12:00", on("Checkout Locked", "a").saying("cart", wechat), ""),
            ("2025-03-03 12:01", redeem("a").with("payment", "cash"), ""),
        ],
    );
    let (state, body) = found(&world, "a");
    assert_eq!((state, body.quote.payable), (CheckoutState::Redeemed, 50_00));
    let changed = body.changed.unwrap();
    assert_eq!((changed.payable_before, changed.removed), (44_00, vec!["wechat".to_owned()]));
    assert_eq!((used(&world, "wechat"), body.cart.payment.as_deref()), (0, Some("cash")));
}

/// Vendure, e2e/order-promotion.e2e-spec.ts:1691: the first order is cancelled, so the limit of one is free again.
#[test]
fn v19_a_use_that_was_let_go_of_does_not_count() {
    let offers =
        "offers:\n  once: { name: { zh: 一次, en: Once }, lane: order, off: 10, limit: 1 per member }\n";
    let mut world = bought_under(offers);
    let line = [("bag", 50_00, 1)];
    check(
        &mut world,
        &[
            ("2025-03-03 12:00", lock("a", &line), ""),
            ("2025-03-03 12:00", lock("b", &line), ""),
            ("2025-03-03 12:01", cancel("a"), ""),
            ("2025-03-03 12:02", lock("c", &line), ""),
        ],
    );
    assert_eq!([payable(&world, "a"), payable(&world, "b"), payable(&world, "c")], [40_00, 50_00, 40_00]);
}

/// Vendure #5278: what takes nothing off uses no limit up.
#[test]
fn what_takes_nothing_off_uses_nothing_up() {
    let offers = "offers:\n  once: { name: { zh: 一次, en: Once }, lane: order, off: 10, limit: [1 per member, 1 in all] }\n";
    let mut world = bought_under(offers);
    check(&mut world, &[("2025-03-03 12:00", redeem("a").saying("cart", cart(&[("free", 0, 1)])), "")]);
    assert_eq!((used(&world, "once"), world.record.taken("offer/once/uses/ever")), (0, 0));
    check(&mut world, &[("2025-03-03 12:00", redeem("b").saying("cart", cart(&[("bag", 50_00, 1)])), "")]);
    assert_eq!((used(&world, "once"), world.record.taken("offer/once/uses/ever")), (1, 1));
}

/// Vendure #4811: a discount of what came back is not spread over what stays.
#[test]
fn what_comes_back_gives_back_exactly_what_was_paid_in_whatever_order() {
    for returns in [
        &[&[("1", 1)][..], &[("2", 1)], &[("2", 1)]][..],
        &[&[("2", 2)], &[("1", 1)]],
        &[&[("2", 1)], &[]],
        &[&[]],
    ] {
        let mut world = bought();
        let cart = cart(&[("bag", 40_00, 1), ("pan", 20_00, 2)]);
        check(&mut world, &[("2025-03-03 12:00", redeem("a").saying("cart", cart), "")]);
        assert_eq!(payable(&world, "a"), 72_00);
        let mut sum = 0;
        for (n, lines) in returns.iter().enumerate() {
            assert_eq!(used(&world, "day-8"), 1);
            check(&mut world, &[("2025-03-03 13:00", give_back("a", lines), "")]);
            let (_, body) = found(&world, "a");
            assert_eq!(body.returns.len(), n + 1);
            sum += body.returns[n].refund;
        }
        let (state, body) = found(&world, "a");
        assert_eq!((state, sum, body.refunded), (CheckoutState::Returned, 72_00, 72_00), "{returns:?}");
        assert_eq!(used(&world, "day-8"), 0);
    }
}

#[test]
fn a_threshold_that_is_no_longer_met_follows_the_offer() {
    let mut world = bought();
    let cart = cart(&[("bag", 40_00, 1), ("pan", 20_00, 2)]);
    check(
        &mut world,
        &[
            ("2025-03-03 12:00", redeem("a").saying("cart", cart), ""),
            ("2025-03-03 13:00", give_back("a", &[("2", 1)]), ""),
        ],
    );
    // ¥60 stay: the ¥8 was for ¥68, and ¥6 of it lie on what stays.
    let (_, body) = found(&world, "a");
    assert_eq!((body.returns[0].refund, body.returns[0].lines[0].paid), (12_00, 18_00));
    assert_eq!(
        (body.returns[0].taken_back[0].offer.as_str(), body.returns[0].taken_back[0].amount),
        ("day-8", 6_00)
    );
}

#[test]
fn a_coupon_comes_back_with_the_last_piece_unless_its_time_is_over() {
    for (back, account) in
        [("2025-03-05 10:00", CouponAccount::Held), ("2025-03-20 10:00", CouponAccount::Expired)]
    {
        let mut world = bought();
        check(
            &mut world,
            &[
                ("2025-03-03 11:00", track("Coupon Issued").with("offer", "welcome"), ""),
                ("2025-03-03 12:00", redeem("a").saying("cart", cart(&[("pan", 30_00, 2)])), ""),
                (back, give_back("a", &[("1", 1)]), ""),
            ],
        );
        assert_eq!((payable(&world, "a"), coupons(&world)), (55_00, vec![]));
        check(&mut world, &[(back, give_back("a", &[("1", 1)]), "")]);
        let last = world.record.coupons.moves.last().unwrap();
        assert_eq!(last.kind.sides(), (CouponAccount::Redeemed, account));
        assert_eq!(coupons(&world), if account == CouponAccount::Held { vec![account] } else { vec![] });
        check(&mut world, &[("2025-03-30 10:00", wait(), "")]);
        assert_eq!(coupons(&world), []);
    }
}

#[test]
fn a_coupon_that_another_checkout_holds_is_not_there_twice() {
    let mut world = bought();
    check(
        &mut world,
        &[
            ("2025-03-03 11:00", track("Coupon Issued").with("offer", "welcome"), ""),
            ("2025-03-03 12:00", lock("a", &[("pen", 30_00, 1)]), ""),
            ("2025-03-03 12:00", lock("b", &[("pen", 30_00, 1)]), ""),
        ],
    );
    assert_eq!((payable(&world, "a"), payable(&world, "b")), (25_00, 30_00));
    let id = world.record.coupons.issued[0].id.to_string();
    let mut with = cart(&[("pen", 30_00, 1)]);
    with["coupons"] = json!([id]);
    let mut without = with.clone();
    without["coupons"] = json!([]);
    let take_back = track("Coupon Withdrawn").with("coupon", &id);
    check(
        &mut world,
        &[
            ("2025-03-03 12:00", take_back, "refused=coupon_locked"),
            (
                "2025-03-03 12:00",
                on("Checkout Locked", "c").saying("cart", with.clone()),
                "refused=coupon_locked",
            ),
            // Without it the checkout that held it lets go.
            ("2025-03-03 12:01", on("Checkout Locked", "a").saying("cart", without), ""),
            ("2025-03-03 12:02", on("Checkout Locked", "c").saying("cart", with), ""),
        ],
    );
    assert_eq!((payable(&world, "a"), payable(&world, "c")), (30_00, 25_00));
}

/// A coupon whose time is over while a checkout holds it is used where that is paid, and expires where it is let go of.
#[test]
fn a_locked_coupon_outlives_its_day_as_long_as_it_is_locked() {
    for (step, kind) in [(redeem("a"), "redeem"), (cancel("a"), "expire")] {
        let mut world = bought();
        check(
            &mut world,
            &[
                ("2025-03-03 11:00", track("Coupon Issued").with("offer", "welcome"), ""),
                ("2025-03-09 23:55", lock("a", &[("pen", 30_00, 1)]), ""),
                ("2025-03-10 00:05", step, ""),
            ],
        );
        let last = world.record.coupons.moves.last().unwrap();
        assert_eq!((last.kind.name(), coupons(&world)), (kind, vec![]));
    }
}

/// Points of an exchange are promised by the lock, spent when it is paid, and come back piece by piece.
#[test]
fn exchanges_hold_spend_and_give_back_points() {
    let mut world = bought_under("");
    let mut swap = cart(&[("cushion", 90_00, 2), ("pen", 5_00, 1)]);
    swap["exchange"] = json!({"points-pillow": 2});
    let swapping = || on("Checkout Locked", "a").saying("cart", swap.clone());
    check(
        &mut world,
        &[
            ("2025-03-03 11:00", order("o1").paid("1200"), "points=1200"),
            ("2025-03-03 12:00", swapping(), "points=200 held=1000"),
            ("2025-03-03 12:01", cancel("a"), "points=1200 held=0"),
            ("2025-03-03 12:02", swapping(), "points=200 held=1000"),
            ("2025-03-03 12:03", swapping(), "points=200 held=1000"),
            ("2025-03-03 12:04", redeem("a"), "points=200 held=0 active=200"),
            ("2025-03-03 12:05", give_back("a", &[("2", 1)]), "points=200"),
            ("2025-03-03 12:06", give_back("a", &[("1", 1)]), "points=700"),
            ("2025-03-03 12:07", give_back("a", &[]), "points=1200"),
        ],
    );
    let (state, body) = found(&world, "a");
    assert_eq!((state, body.quote.points_spent, body.points_back), (CheckoutState::Returned, 1000, 1000));
    // And at once.
    let at_once = redeem("b").saying("cart", swap);
    check(&mut world, &[("2025-03-03 12:08", at_once, "points=200 held=0")]);
}

/// Points and growth go with what comes back, decided together with it.
#[test]
fn the_order_of_a_checkout_is_refunded_with_it_once() {
    let mut world = bought();
    let cart = cart(&[("cup", 30_00, 2)]);
    let paid = |step: Step| step.line("cup", "2", "30").paid("58");
    check(
        &mut world,
        &[
            ("2025-03-03 12:00", redeem("a").saying("cart", cart).with("order_id", "o1"), "points=0"),
            ("2025-03-03 12:00", give_back("a", &[("1", 1)]), "refused=order_unknown"),
            // `double` gave it twice the points.
            ("2025-03-03 12:01", paid(order("o1")), "points=116 growth=580"),
            ("2025-03-03 12:02", give_back("a", &[("1", 1)]), "points=58 growth=290"),
        ],
    );
    assert_eq!(world.order("o1").refunded.0, 29_00);
    check(&mut world, &[("2025-03-03 12:03", give_back("a", &[]), "points=0 growth=0")]);
    assert_eq!((world.order("o1").refunded.0, found(&world, "a").1.refunded), (58_00, 58_00));
    let again = give_back("a", &[]);
    check(&mut world, &[("2025-03-03 12:04", again, "refused=nothing_to_return points=0")]);
}

/// What was paid for the order may be less than the cart came to, taxes or other payments apart: the same part comes back.
#[test]
fn an_order_that_says_another_sum_gives_back_its_own() {
    let mut world = bought_under("");
    let cart = cart(&[("pen", 30_00, 3)]);
    check(
        &mut world,
        &[
            ("2025-03-03 12:00", redeem("a").saying("cart", cart).with("order_id", "o1"), ""),
            ("2025-03-03 12:01", order("o1").paid("80"), "points=80"),
            ("2025-03-03 12:02", give_back("a", &[("1", 1)]), ""),
        ],
    );
    assert_eq!(world.order("o1").refunded.0, 26_66);
    check(&mut world, &[("2025-03-03 12:03", give_back("a", &[("1", 2)]), "points=0")]);
    assert_eq!(world.order("o1").refunded.0, 80_00);
}
