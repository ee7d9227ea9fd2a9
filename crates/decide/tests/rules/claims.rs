//! R12, R17: members claim what there is little of, for points or for nothing; what they do not take in time is there for others.

use std::collections::BTreeMap;

use zhiyin_model::coupon::CouponMoveKind;

use super::scenario::{Step, World, adjust, check, order, track, wait};

const OFFERS: &str = "offers:
  poster:
    name: { zh: 限量海报, en: Poster }
    of: product == \"poster\"
    access: true
    claim: { from: 2025-03-01 10:00, until: 2025-03-06, who: tier >= \"silver\" || size(orders) > 0 }
    coupon: { valid: 15m, gives_back: true }
    limit: 2 per member
    stock: 3
  tote:
    name: { zh: 帆布袋, en: Tote }
    gift: { product: tote }
    claim: { points: 500 }
    coupon: { valid: 30d }
    limit: 3 per member
    stock: 4
  held:
    name: { zh: 限时兑换, en: Held }
    gift: { product: mug }
    claim: { points: 30 }
    coupon: { valid: 2h, gives_back: true }
  given:
    name: { zh: 人工券, en: Given }
    lane: coupon
    off: 5
    coupon: { valid: 7d }
";

fn claim(offer: &str) -> Step {
    track("Coupon Claimed").with("offer", offer)
}

fn won(prize: &str) -> Step {
    track("Draw Won").with("draw", "concert").with("entry", "E-1").with("prize", prize)
}

fn redeem(id: &str) -> Step {
    track("Coupon Redeemed").with("coupon_id", id).with("store_id", "330")
}

fn taken(world: &World, offer: &str) -> i64 {
    let pool = format!("offer/{offer}/stock");
    world.record.coupons.pools.iter().find(|known| known.pool == pool).map_or(0, |known| known.amount)
}

fn moves(world: &World) -> BTreeMap<&'static str, usize> {
    let mut n = BTreeMap::new();
    for moved in &world.record.coupons.moves {
        *n.entry(moved.kind.name()).or_default() += 1;
    }
    n
}

#[test]
fn r12_a_drop_is_claimed_in_its_time_by_whom_it_is_for_and_refused_by_name() {
    let mut world = World::under(OFFERS);
    check(
        &mut world,
        &[
            ("2025-03-01 09:00", track("Visited"), "points=0"),
            ("2025-03-01 09:59:59", claim("poster"), "refused=claim_not_open"),
            ("2025-03-01 10:00", claim("poster"), "refused=not_eligible"),
            ("2025-03-01 10:01", order("o1").paid("10"), "points=10"),
            ("2025-03-01 10:02", claim("nothing"), "refused=offer_unknown"),
            ("2025-03-01 10:02", claim("given"), "refused=not_claimable"),
            ("2025-03-01 10:02", claim("poster").with("count", "21"), "refused=bad_number"),
            ("2025-03-01 10:02", claim("poster"), "points=10"),
            ("2025-03-01 10:03", claim("poster").with("count", "2"), "refused=limit_reached"),
            ("2025-03-01 10:04", claim("poster"), "points=10"),
            ("2025-03-01 10:05", claim("poster"), "refused=limit_reached"),
            ("2025-03-07 00:00", claim("poster"), "refused=claim_over"),
            // What names no offer of ours is another system's news.
            ("2025-03-07 00:01", track("Coupon Claimed"), "points=10"),
        ],
    );
    assert_eq!(world.record.coupons.issued[0].valid_until, world.time("2025-03-01 10:17"));
}

/// The door answers from what it knows of the pool, and of nobody: what is decided must not say otherwise.
#[test]
fn r12_sold_out_is_said_before_whatever_else_stands_in_the_way() {
    let offers = OFFERS.replace("stock: 3", "stock: 2");
    let mut world = World::under(&offers);
    check(
        &mut world,
        &[
            ("2025-03-01 10:01", order("o1").paid("10"), "points=10"),
            ("2025-03-01 10:02", claim("poster").with("count", "2"), "points=10"),
            ("2025-03-01 10:03", claim("poster"), "refused=out_of_stock"),
            ("2025-03-01 10:03", claim("given"), "refused=not_claimable"),
            // Theirs went back when their time was over: now it is about them again.
            ("2025-03-01 10:17", claim("poster").with("count", "2"), "points=10"),
            ("2025-03-07 00:00", claim("poster"), "refused=claim_over"),
        ],
    );
}

#[test]
fn r12_a_hold_that_is_not_used_goes_to_others_and_does_not_count() {
    let mut world = World::under(OFFERS);
    check(
        &mut world,
        &[
            ("2025-03-02 10:00", order("o1").paid("10"), "points=10"),
            ("2025-03-02 10:01", claim("poster").with("count", "2"), "points=10"),
        ],
    );
    assert_eq!(taken(&world, "poster"), 2);
    let first = world.record.coupons.issued[0].id.to_string();
    check(
        &mut world,
        &[
            ("2025-03-02 10:10", redeem(&first), "points=10"),
            ("2025-03-02 10:11", redeem(&first), "refused=coupon_not_active"),
            ("2025-03-02 10:15:59", claim("poster"), "refused=limit_reached"),
            ("2025-03-02 10:16", claim("poster"), "points=10"),
        ],
    );
    // One was bought, one went back when its time was over, and one is held anew.
    assert_eq!(taken(&world, "poster"), 2);
    assert_eq!(moves(&world), BTreeMap::from([("issue", 3), ("lock", 1), ("redeem", 1), ("withdraw", 1)]));
    let second = world.record.coupons.issued[1].id.to_string();
    check(&mut world, &[("2025-03-02 10:17", redeem(&second), "refused=coupon_not_active")]);
    check(&mut world, &[("2025-03-02 11:00", wait(), "points=10")]);
    assert_eq!(taken(&world, "poster"), 1, "what was bought stays bought");
    let member = &world.state.as_ref().unwrap().member;
    assert!(member.holdings.coupons.is_empty());
    // Limits of offers with coupons count what is issued; a use is counted of offers without.
    assert_eq!((member.holdings.issued["poster"].total, member.holdings.used.len()), (1, 0));
}

#[test]
fn r17_a_gift_of_the_points_mall_costs_its_points_in_the_same_decision() {
    let mut world = World::under(OFFERS);
    check(
        &mut world,
        &[
            ("2025-03-01 10:00", order("o1").paid("700"), "points=700 lots=700"),
            ("2025-03-01 10:01", claim("tote").with("count", "2"), "refused=insufficient_points points=700"),
            ("2025-03-01 10:02", claim("tote"), "points=200 lots=200"),
            ("2025-03-01 10:03", claim("tote"), "refused=insufficient_points points=200"),
            ("2025-03-01 10:04", order("o2").paid("1000"), "points=2200"),
            ("2025-03-01 10:05", claim("tote").with("count", "2"), "points=1200"),
            // Who is refused pays nothing.
            ("2025-03-01 10:06", claim("tote"), "refused=limit_reached points=1200"),
        ],
    );
    let picked = world.record.coupons.issued[0].id.to_string();
    check(&mut world, &[("2025-03-09 12:00", redeem(&picked), "points=1200")]);
    let kinds: Vec<CouponMoveKind> =
        world.record.coupons.moves.iter().rev().take(2).map(|one| one.kind).collect();
    assert_eq!(kinds, [CouponMoveKind::Redeem, CouponMoveKind::Lock]);
}

#[test]
fn r17_a_gift_that_is_taken_back_gives_its_points_back_into_the_lots_they_came_from() {
    let mut world = World::under(OFFERS);
    check(
        &mut world,
        &[
            ("2025-03-01 10:00", order("o1").paid("300"), "points=300"),
            ("2025-03-02 10:00", order("o2").paid("900"), "points=1200 lots=300+900"),
            ("2025-03-02 10:01", claim("tote").with("count", "2"), "points=200 lots=200"),
        ],
    );
    let ids: Vec<String> = world.record.coupons.issued.iter().map(|one| one.id.to_string()).collect();
    let take_back = |id: &str| track("Coupon Withdrawn").with("coupon", id);
    check(
        &mut world,
        &[
            ("2025-03-03 10:00", take_back(&ids[0]), "points=700 lots=700"),
            ("2025-03-03 10:01", take_back(&ids[0]), "refused=coupon_not_active points=700"),
            ("2025-03-03 10:02", take_back(&ids[1]), "points=1200 lots=300+900"),
        ],
    );
    assert_eq!(taken(&world, "tote"), 0);
}

#[test]
fn r17_points_come_back_with_a_hold_that_runs_out_also_where_spends_took_of_one_lot() {
    let mut world = World::under(OFFERS);
    check(
        &mut world,
        &[
            ("2025-03-01 10:00", order("o1").paid("100"), "points=100"),
            ("2025-03-01 10:01", claim("held"), "points=70"),
            ("2025-03-01 10:01", claim("held").with("count", "2"), "points=10"),
            ("2025-03-01 10:02", adjust("-5"), "points=5"),
            ("2025-03-01 12:00:59", wait(), "points=5"),
            ("2025-03-01 12:01", wait(), "points=95 lots=95"),
        ],
    );
    assert_eq!(taken(&world, "held"), 0);
}

#[test]
fn what_is_redeemed_elsewhere_is_news_and_nothing_more() {
    let mut world = World::under(OFFERS);
    check(
        &mut world,
        &[
            ("2025-03-01 10:00", track("Coupon Redeemed").with("coupon", "10000085026"), "points=0"),
            ("2025-03-01 10:00", track("Coupon Redeemed").with("coupon_id", "7"), "points=0"),
            ("2025-03-01 10:00", redeem("0123456789abcdef0123456789abcdef"), "refused=coupon_not_active"),
        ],
    );
    assert_eq!(moves(&world), BTreeMap::new());
}

/// The variety store's own (R11, R12, R17).
#[test]
fn the_shipped_playbook_has_a_drop_a_points_mall_and_a_draw() {
    let mut world = World::new();
    check(
        &mut world,
        &[
            ("2020-05-31 10:00", order("o1").paid("900"), "points=900"),
            ("2020-06-01 09:59:59", claim("poster-drop"), "refused=claim_not_open"),
            ("2020-06-01 10:00", claim("poster-drop").with("count", "2"), "points=900"),
            ("2020-06-01 10:01", claim("poster-drop"), "refused=limit_reached"),
            ("2020-06-01 10:02", claim("tote-for-points"), "points=100"),
            ("2020-06-01 10:03", claim("tote-for-points"), "refused=insufficient_points"),
            ("2020-06-01 11:00", order("o2").paid("10"), "points=120"),
            ("2020-06-07 00:00", claim("poster-drop"), "refused=claim_over"),
            ("2020-06-07 00:01", won("concert-ticket"), "points=120"),
        ],
    );
    // What was not used in 15 minutes is there for others.
    assert_eq!((taken(&world, "poster-drop"), taken(&world, "tote-for-points")), (0, 1));
    assert_eq!((taken(&world, "draw:concert"), taken(&world, "concert-ticket")), (1, 1));
}
