//! U2: tags that rules put on and take off.

use super::scenario::{World, cancel, check, identify, order, refund, track, wait};

#[test]
fn u2_tags_come_and_go_with_days() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", identify("city", "Hefei"), "-new_customer -silent -second_order_due"),
            ("2025-03-01 11:00", order("o1").paid("10"), "+new_customer -second_order_due -silent"),
            ("2025-03-07 23:59:59.999999", wait(), "-second_order_due"),
            ("2025-03-08 00:00", wait(), "+second_order_due +new_customer"),
            ("2025-03-15 23:59:59.999999", wait(), "+new_customer"),
            ("2025-03-16 00:00", wait(), "-new_customer +second_order_due"),
            ("2025-03-29 23:59:59.999999", wait(), "+second_order_due"),
            ("2025-03-30 00:00", wait(), "-second_order_due"),
            ("2025-04-30 23:59:59.999999", wait(), "-silent"),
            ("2025-05-01 00:00", wait(), "+silent"),
            ("2025-05-02 10:00", order("o2").paid("10"), "-silent -new_customer -second_order_due"),
        ],
    );
}

#[test]
fn u2_items_count_net_of_what_came_back() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").goods("snacks", "9"), "-snack_lover +new_customer"),
            ("2025-03-02 10:00", order("o2").goods("snacks", "1"), "+snack_lover"),
            ("2025-03-03 10:00", refund("o1").pieces("snacks", "1"), "-snack_lover"),
            ("2025-03-04 10:00", order("o3").goods("snacks", "1"), "+snack_lover"),
            // 180 days after the first order its pieces no longer count.
            ("2025-08-28 23:59:59.999999", wait(), "+snack_lover"),
            ("2025-08-29 00:00", wait(), "-snack_lover"),
        ],
    );
}

#[test]
fn u2_each_shipped_tag_has_its_edge() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").goods("beauty", "2"), "-beauty_lover -stockpiler"),
            ("2025-03-01 11:00", order("o2").goods("beauty", "1"), "+beauty_lover"),
            ("2025-03-01 12:00", cancel("o2"), "-beauty_lover"),
            ("2025-03-03 10:00", order("o3").goods("rice", "6"), "-stockpiler"),
            ("2025-03-03 11:00", order("o4").goods("rice", "5.9"), "-stockpiler"),
            ("2025-03-03 12:00", order("o5").goods("rice", "6"), "+stockpiler -frequent"),
            ("2025-03-04 12:00", order("o6").paid("199.99"), "-big_basket -frequent"),
            ("2025-03-05 12:00", order("o7").paid("200"), "+big_basket +frequent"),
            ("2025-06-03 23:59:59.999999", wait(), "+big_basket"),
            ("2025-06-04 00:00", wait(), "-big_basket -frequent"),
        ],
    );
}

#[test]
fn u2_money_of_a_year() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").paid("999.99"), "-big_spender +big_basket"),
            ("2025-03-02 10:00", order("o2").paid("0.01"), "+big_spender"),
            ("2025-03-03 10:00", refund("o1").paid("0.01"), "-big_spender"),
            ("2025-03-04 10:00", order("o3").paid("0.01"), "+big_spender"),
            ("2026-03-01 23:59:59.999999", wait(), "+big_spender"),
            ("2026-03-02 00:00", wait(), "-big_spender"),
        ],
    );
}

#[test]
fn u2_events_count_too() {
    let redeemed = || track("Coupon Redeemed");
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", redeemed(), "-coupon_user"),
            ("2025-03-01 10:00", redeemed(), "-coupon_user"),
            ("2025-03-01 10:00", track("Coupon Issued"), "-coupon_user"),
            ("2025-04-01 10:00", redeemed().dated("2025-03-02 10:00"), "+coupon_user"),
            ("2025-08-28 23:59:59.999999", wait(), "+coupon_user"),
            ("2025-08-29 00:00", wait(), "-coupon_user"),
        ],
    );
}

#[test]
fn u2_weekends_outweigh_the_week() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("sat").paid("1"), "-weekend_shopper"),
            ("2025-03-02 10:00", order("sun").paid("1"), "-weekend_shopper"),
            ("2025-03-03 10:00", order("mon").paid("1"), "-weekend_shopper"),
            ("2025-03-04 10:00", order("tue").paid("1"), "-weekend_shopper"),
            ("2025-03-08 10:00", order("sat2").paid("1"), "+weekend_shopper"),
            ("2025-03-09 23:59:59", order("sun2").paid("1"), "+weekend_shopper"),
            ("2025-03-10 00:00", order("mon2").paid("1"), "+weekend_shopper"),
            ("2025-03-11 10:00", order("tue2").paid("1"), "-weekend_shopper"),
        ],
    );
}

#[test]
fn u2_age_and_tier_meet() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", order("o1").paid("600"), "-young_gold tier=gold"),
            ("2025-03-02 10:00", identify("birthday", "1995-07-09"), "+young_gold"),
            ("2025-07-08 23:59:59.999999", wait(), "+young_gold"),
            ("2025-07-09 00:00", wait(), "-young_gold"),
            ("2025-07-10 00:00", identify("birthday", "1999-02-01"), "+young_gold"),
            ("2026-03-01 00:00", wait(), "+young_gold tier=gold"),
            ("2027-03-01 00:00", wait(), "-young_gold tier=regular"),
        ],
    );
}

#[test]
fn u2_a_tag_given_by_hand_is_no_rules_business() {
    use zhiyin_model::member::TagHeld;
    let mut world = World::new();
    check(&mut world, &[("2025-03-01 10:00", order("o1").paid("10"), "+new_customer")]);
    let since = world.clock;
    if let Some(state) = &mut world.state {
        state.member.tags.insert("friend_of_the_house".to_owned(), TagHeld { since, by_rule: false });
        state.member.tags.insert("snack_lover".to_owned(), TagHeld { since, by_rule: false });
        state.member.tags.insert("a rule that is gone".to_owned(), TagHeld { since, by_rule: true });
    }
    check(&mut world, &[("2025-03-02 10:00", order("o2").paid("10"), "+snack_lover")]);
    let state = world.state.unwrap();
    let tags: Vec<&str> = state.member.tags.keys().map(String::as_str).collect();
    assert_eq!(tags, ["friend_of_the_house", "new_customer", "snack_lover"]);
}

#[test]
fn u2_a_tag_has_its_days() {
    let spring = "tags: { spring: { name: { zh: 春, en: Spring }, group: season, who: size(orders) >= 1, from: 2025-03-10, until: 2025-03-20 } }";
    check(
        &mut World::under(spring),
        &[
            ("2025-03-01 10:00", order("o1").paid("10"), "-spring"),
            ("2025-03-09 23:59:59.999999", wait(), "-spring"),
            ("2025-03-10 00:00", wait(), "+spring"),
            ("2025-03-20 23:59:59.999999", wait(), "+spring"),
            ("2025-03-21 00:00", wait(), "-spring"),
            ("2025-03-22 00:00", order("o2").paid("10"), "-spring"),
        ],
    );
}

#[test]
fn s3_at_one_instant_tags_are_judged_last() {
    // At midnight fifty points become active and fifty expire: who has a hundred has a hundred all the time.
    let changes = "points: { hold: 30d, expire: 365d after earning }
tags: { rich: { name: { zh: 富, en: Rich }, group: value, who: points >= 60 } }";
    let mut world = World::under(changes);
    check(
        &mut world,
        &[
            ("2025-03-01 10:00", order("o1").paid("50"), "pending=50 -rich"),
            ("2026-01-30 10:00", order("o2").paid("50"), "points=50 pending=50 -rich"),
            ("2026-03-01 00:00", wait(), "points=50 pending=0 -rich"),
        ],
    );
    assert_eq!(world.record.tags.iter().filter(|moved| moved.tag == "rich").count(), 0);
}

#[test]
fn u2_tags_are_put_on_and_taken_off_by_hand() {
    let tags = r#"tags:
  taster: { name: { zh: 品鉴官, en: Taster } }
  guest: { name: { zh: 客人, en: Guest }, valid: 2d }
  buyer: { name: { zh: 买家, en: Buyer }, who: size(orders) >= 1 }"#;
    let put = |tag: &str| track("Tag Put On").with("tag", tag);
    let take = |tag: &str| track("Tag Taken Off").with("tag", tag);
    check(
        &mut World::under(tags),
        &[
            ("2025-03-01 10:00", put("taster"), "+taster -guest -buyer"),
            ("2025-03-01 11:00", put("no-such"), "refused=tag_unknown +taster"),
            ("2025-03-01 11:00", put("buyer"), "refused=tag_by_rule -buyer"),
            ("2025-03-01 12:00", put("guest"), "+guest"),
            // The first of its days is the one on which it was put on.
            ("2025-03-02 23:59:59.999999", wait(), "+guest +taster"),
            ("2025-03-03 00:00", wait(), "-guest +taster"),
            ("2025-03-03 10:00", put("guest"), "+guest"),
            ("2025-03-04 10:00", put("guest"), "+guest"),
            ("2025-03-05 12:00", wait(), "+guest"),
            ("2025-03-06 00:00", wait(), "-guest"),
            ("2025-03-07 10:00", take("taster"), "-taster"),
            ("2025-03-07 11:00", take("taster"), "refused=tag_not_held -taster"),
            ("2025-03-07 12:00", order("o1").paid("10"), "+buyer"),
            ("2025-03-07 13:00", take("buyer"), "refused=tag_by_rule +buyer"),
        ],
    );
}
