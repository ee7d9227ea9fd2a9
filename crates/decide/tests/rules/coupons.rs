//! §2: coupons are issued within limits and stock, remind their member, expire, and are taken back.

use std::collections::BTreeMap;

use zhiyin_decide::{Cause, Scene, person};
use zhiyin_model::coupon::{CouponAccount, CouponMoveKind};
use zhiyin_model::id::{EventId, IdKey};

use super::scenario::{World, check, notice, order, refund, track, update};

const OFFERS: &str = "offers:\n  welcome:\n    name: { zh: 新人券, en: Welcome }\n    lane: coupon\n    spend: 20\n    off: 5\n    \
    coupon: { valid: 7d, remind: 2d }\n    limit: 1 per member per day\n    stock: 3\n  gold:\n    name: { zh: 金卡券, en: Gold }\n    \
    lane: coupon\n    off: 5\n    who: tier == \"gold\"\n    from: 2025-03-01\n    until: 2025-03-31\n    coupon: { valid: 1d }\n";

fn give(offer: &str) -> super::scenario::Step {
    track("Coupon Issued").with("offer", offer)
}

fn accounts(world: &World) -> BTreeMap<&'static str, i64> {
    let mut sums: BTreeMap<&'static str, i64> = BTreeMap::new();
    for moved in &world.record.coupons.moves {
        let (gives, takes) = moved.kind.sides();
        *sums.entry(gives.name()).or_default() -= 1;
        *sums.entry(takes.name()).or_default() += 1;
    }
    assert_eq!(sums.values().sum::<i64>(), 0, "{sums:?}");
    sums.retain(|_, n| *n != 0);
    sums
}

#[test]
fn a_coupon_is_issued_within_its_limits_and_refused_by_name() {
    let mut world = World::under(OFFERS);
    check(
        &mut world,
        &[
            ("2025-03-05 10:00", order("o1").paid("10"), "points=10"),
            ("2025-03-05 10:00", give("nothing"), "refused=offer_unknown"),
            ("2025-03-05 10:00", give("gold"), "refused=not_eligible"),
            ("2025-03-05 10:00", give("welcome"), "points=10"),
            ("2025-03-05 23:00", give("welcome"), "refused=limit_reached"),
            ("2025-03-06 00:00", give("welcome"), "points=10"),
            ("2025-03-07 00:00", give("welcome").with("count", "2"), "refused=limit_reached"),
            ("2025-03-07 00:00", give("welcome").with("count", "0"), "refused=bad_number"),
            ("2025-03-07 00:00", give("welcome"), "points=10"),
            ("2025-03-08 00:00", give("welcome"), "refused=out_of_stock"),
            ("2025-04-01 00:00", give("gold"), "refused=offer_not_running"),
        ],
    );
    assert_eq!(world.record.coupons.issued.len(), 3);
    let ids: std::collections::BTreeSet<_> = world.record.coupons.issued.iter().map(|one| one.id).collect();
    assert_eq!(ids.len(), 3, "each has an id of its own");
    let first = &world.record.coupons.issued[0];
    assert_eq!(
        first.valid_until,
        world.time("2025-03-12"),
        "seven days, the day it was given on being the first"
    );
}

#[test]
fn a_coupon_reminds_its_member_and_expires_on_its_day() {
    let mut world = World::under(OFFERS);
    check(
        &mut world,
        &[
            ("2025-03-05 10:00", order("o1").paid("10"), "points=10"),
            ("2025-03-05 10:00", give("welcome"), "points=10"),
        ],
    );
    let timers = |world: &World| {
        let timers = &world.state.as_ref().unwrap().member.timers;
        timers.iter().filter(|(key, _)| key.which < 0).map(|(_, due)| *due).collect::<Vec<_>>()
    };
    assert_eq!(timers(&world), [world.time("2025-03-10")]);
    check(&mut world, &[("2025-03-11 23:59", order("o2").paid("10"), "points=20")]);
    assert_eq!(timers(&world), [world.time("2025-03-12")]);
    assert_eq!(accounts(&world), BTreeMap::from([("active", 1), ("stock", -1)]));
    check(&mut world, &[("2025-03-12 00:00", order("o3").paid("10"), "points=30")]);
    assert_eq!(accounts(&world), BTreeMap::from([("expired", 1), ("stock", -1)]));
    assert_eq!(timers(&world), []);
    assert!(world.state.as_ref().unwrap().member.holdings.coupons.is_empty());
    let expired = &world.record.coupons.moves[1];
    assert_eq!((expired.kind, expired.at), (CouponMoveKind::Expire, world.time("2025-03-12")));
}

/// What a peer did twice where it was asked twice (§3, 5): its count went from 10 to 8 for one use.
#[test]
fn a_coupon_is_taken_back_once_and_its_piece_is_there_again() {
    let mut world = World::under(OFFERS);
    check(
        &mut world,
        &[
            ("2025-03-05 10:00", order("o1").paid("10"), "points=10"),
            ("2025-03-05 10:00", give("welcome"), "points=10"),
        ],
    );
    let id = world.record.coupons.issued[0].id.to_string();
    let take_back = || track("Coupon Withdrawn").with("coupon", &id);
    check(
        &mut world,
        &[
            ("2025-03-05 11:00", take_back(), "points=10"),
            ("2025-03-05 11:01", take_back(), "refused=coupon_not_active"),
            // What names no coupon of ours is somebody else's news.
            ("2025-03-05 11:02", track("Coupon Withdrawn").with("coupon", "7"), "points=10"),
            // What was taken back does not count for the limit.
            ("2025-03-05 11:03", give("welcome"), "points=10"),
        ],
    );
    assert_eq!(accounts(&world), BTreeMap::from([("active", 1), ("stock", -2), ("withdrawn", 1)]));
    let stock = world.record.coupons.pools.iter().find(|pool| pool.pool == "offer/welcome/stock").unwrap();
    assert_eq!(stock.amount, 1);
}

#[test]
fn a_batch_counts_whom_it_did_not_reach_instead_of_failing() {
    let mut world = World::under(OFFERS);
    world.source = "issue:7";
    let step = || give("welcome").with("batch", "7");
    check(
        &mut world,
        &[
            ("2025-03-05 10:00", step(), "refused=member_unknown"),
            ("2025-03-05 10:00", order("o1").paid("10"), "points=10"),
            ("2025-03-05 10:00", step(), "points=10"),
            ("2025-03-05 10:01", step(), "points=10"),
            ("2025-03-05 10:02", give("nothing").with("batch", "7"), "points=10"),
        ],
    );
    let counts: BTreeMap<&str, i64> = world
        .record
        .coupons
        .pools
        .iter()
        .filter_map(|pool| Some((pool.pool.strip_prefix("issue/7/")?, pool.amount)))
        .collect();
    assert_eq!(counts, BTreeMap::from([("issued", 1), ("limit_reached", 1), ("offer_unknown", 1)]));
}

#[test]
fn only_an_issue_to_many_counts_for_it() {
    let mut world = World::under(OFFERS);
    let step = |no: &str| give("nothing").with("batch", no);
    check(
        &mut world,
        &[
            ("2025-03-05 10:00", order("o1").paid("10"), "points=10"),
            ("2025-03-05 10:00", step("7"), "refused=offer_unknown"),
            ("2025-03-05 10:00", give("welcome").with("batch", "7"), "points=10"),
        ],
    );
    world.source = "issue:8";
    check(&mut world, &[("2025-03-05 10:00", step("7"), "refused=offer_unknown")]);
    assert!(world.record.coupons.pools.iter().all(|pool| !pool.pool.starts_with("issue/")));
}

#[test]
fn one_person_has_every_coupon_once() {
    let mut worlds = [World::under(OFFERS), World::under(OFFERS)];
    for (n, world) in worlds.iter_mut().enumerate() {
        check(world, &[("2025-03-05 10:00", order("o1").paid("10"), "points=10")]);
        // Another event, so another cause.
        check(world, &vec![("2025-03-05 10:00", track("Visited"), "points=10"); n]);
        check(world, &[("2025-03-05 10:00", give("welcome"), "points=10")]);
    }
    let [one, other] = worlds;
    let mut winner = one.state.unwrap();
    let loser = other.state.unwrap();
    let at = one.record.coupons.issued[0].at.plus_us(86_400_000_000 * 2);
    let cause = Cause { id: EventId::from_bytes([9; 16]), name: "test/merge", clock: at, replay: false };
    let scene = Scene { rules: &one.rules, key: &IdKey::from_bytes([7; 32]), cause, at };
    let mut out = zhiyin_decide::outcome::Outcome::default();
    let history = zhiyin_decide::outcome::History::default();
    person::join(&scene, &mut winner, &loser, (&history, &[]), &mut out);
    let holdings = &winner.member.holdings;
    assert_eq!(holdings.coupons.len(), 2);
    assert!(holdings.coupons.values().all(|held| held.account == CouponAccount::Held));
    assert_eq!(holdings.issued["welcome"].total, 2);
    let due = winner.member.timers.iter().find(|(key, _)| key.which < 0).map(|(_, due)| *due);
    assert_eq!(due, holdings.next_due());
    assert!(out.coupons.is_empty(), "no coupon moves between accounts");
}

const GIVES: &str = "offers:\n  paid:\n    name: { zh: 支付有礼, en: Paid }\n    from: 2025-03-03\n    until: 2025-03-09\n    \
    who: tier >= \"regular\"\n    when: cart.payment == \"wechat\" && cart.channel == \"store\"\n    give: next\n    spend: 35\n    \
    limit: 2 per member\n  next:\n    name: { zh: 券, en: Next }\n    lane: coupon\n    pay: 88%\n    coupon: { valid: 7d }\n    stock: 3\n";

fn paid(number: &'static str, amount: &str, method: &str) -> super::scenario::Step {
    order(number).paid(amount).with("payment_method", method).with("channel", "store")
}

#[test]
fn r7_an_order_gives_a_coupon_for_the_next_in_its_week_only() {
    let mut world = World::under(GIVES);
    check(
        &mut world,
        &[
            ("2025-03-02 23:59", paid("o1", "40", "wechat"), "points=40"),
            ("2025-03-03 00:00", paid("o2", "34.99", "wechat"), "points=74"),
            ("2025-03-04 10:00", paid("o3", "50", "alipay"), "points=124"),
            ("2025-03-04 10:00", paid("o4", "50", "wechat"), "points=174"),
            // Reported again it gives nothing again.
            ("2025-03-04 11:00", paid("o4", "60", "wechat"), "points=184"),
            ("2025-03-09 23:59", paid("o5", "35", "wechat"), "points=219"),
            ("2025-03-09 23:59", paid("o6", "35", "wechat"), "points=254"),
            ("2025-03-10 00:00", paid("o7", "35", "wechat"), "points=289"),
        ],
    );
    let issued: Vec<_> = world.record.coupons.issued.iter().map(|one| (one.offer.as_str(), one.at)).collect();
    let expected = [("next", world.time("2025-03-04 10:00")), ("next", world.time("2025-03-09 23:59"))];
    assert_eq!(issued, expected);
}

#[test]
fn r7_how_an_order_was_paid_gives_its_coupon_once_in_whatever_order_it_is_told() {
    let at = "2025-03-04 10:00";
    let till = order("o1").paid("50").with("channel", "store").line("a", "1", "50").dated(at);
    let shop = update("o1").paid("50").with("payment_method", "wechat").dated(at);
    let paid = notice("o1").with("payment_method", "wechat").dated(at);
    let arrivals = [
        [&till, &paid, &shop],
        [&till, &shop, &paid],
        [&paid, &till, &shop],
        [&till, &paid, &paid],
        [&paid, &paid, &till],
    ];
    for (n, steps) in arrivals.into_iter().enumerate() {
        let mut world = World::under(GIVES);
        for step in steps {
            world.send(world.time("2025-03-04 10:05"), step).unwrap();
        }
        let issued: Vec<_> = world.record.coupons.issued.iter().map(|one| one.offer.as_str()).collect();
        assert_eq!(issued, ["next"], "arrival {n}");
    }
}

#[test]
fn r7_a_notice_found_late_gives_by_when_was_paid_and_nothing_for_what_came_back() {
    let till = |number| order(number).paid("50").with("channel", "store").line("a", "1", "50");
    let paid = |number, at| notice(number).with("payment_method", "wechat").dated(at);
    let mut world = World::under(GIVES);
    check(
        &mut world,
        &[
            ("2025-03-09 23:00", till("o1"), "points=50"),
            ("2025-03-09 23:30", till("o2"), "points=100"),
            ("2025-03-09 23:40", refund("o2"), "points=50"),
            // Paid within the week and told after it; wholly refunded; paid after the week.
            ("2025-03-10 10:00", paid("o1", "2025-03-09 23:00"), "points=50"),
            ("2025-03-10 10:01", paid("o2", "2025-03-09 23:30"), "points=50"),
            ("2025-03-10 10:02", till("o3"), "points=100"),
            ("2025-03-10 10:03", paid("o3", "2025-03-10 10:02"), "points=100"),
        ],
    );
    let issued: Vec<_> = world.record.coupons.issued.iter().map(|one| (one.offer.as_str(), one.at)).collect();
    assert_eq!(issued, [("next", world.time("2025-03-10 10:00"))]);
}
