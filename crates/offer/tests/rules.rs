//! The rules of the brand (R4–R17, C5) over its own playbook, a test each. Amounts are in fen.
#![allow(clippy::inconsistent_digit_grouping, reason = "yuan and fen are written apart: 68_00")]

mod support;

use support::{Shop, cart, member, zone};
use zhiyin_model::playbook::offer::Within;
use zhiyin_offer::{Given, Mode, Reason};

/// Wednesday, 13 May 2020, at noon in Shanghai.
const WEDNESDAY: &str = "2020-05-13T04:00:00Z";
const THURSDAY: &str = "2020-05-14T04:00:00Z";

#[test]
fn r5_member_day_is_by_tier_and_once_a_wednesday() {
    let shop = Shop::shipped();
    let basket = cart(&["towel home 2 x 34"]);
    for (tier, payable) in [("gold", 58_00), ("silver", 60_00), ("regular", 62_00), ("", 68_00)] {
        assert_eq!(shop.payable(&basket, &member(tier), WEDNESDAY), payable, "{tier}");
        assert_eq!(shop.payable(&basket, &member(tier), THURSDAY), 68_00, "{tier}");
    }
    assert_eq!(shop.why_not("member-day", &basket, &member("gold"), THURSDAY), "not on this day");
    assert_eq!(shop.why_not("member-day", &basket, &member(""), WEDNESDAY), "not in this tier");
    let used = member("gold").used("member-day", Within::Day, 1);
    assert_eq!(shop.why_not("member-day", &basket, &used, WEDNESDAY), "used as often as it may be today");
    let small = cart(&["towel home 1 x 56"]);
    assert_eq!(shop.why_not("member-day", &small, &member("gold"), WEDNESDAY), "¥12 more and it applies");
}

#[test]
fn r5_wednesday_is_the_stores() {
    let shop = Shop::shipped();
    let mut basket = cart(&["towel home 1 x 100"]);
    // 17:00 on Tuesday in London is 00:00 on Wednesday in Shanghai.
    let at = "2020-05-12T16:00:00Z";
    assert_eq!(shop.payable(&basket, &member("gold"), at), 90_00);
    basket.zone = Some(zone("Europe/London"));
    assert_eq!(shop.payable(&basket, &member("gold"), at), 100_00);
}

#[test]
fn r6_a_birthday_has_double_points_and_a_coupon_for_seven_days() {
    let shop = Shop::shipped();
    let basket = cart(&["soap home 1 x 20"]);
    let of = |born: &str| member("regular").born(born).coupon("c1", "birthday-8", "2020-12-31T00:00:00Z");
    for (at, applies, doubles) in [
        ("2020-05-09T04:00:00Z", false, false),
        ("2020-05-10T04:00:00Z", true, false),
        (WEDNESDAY, true, true),
        ("2020-05-16T04:00:00Z", true, false),
        ("2020-05-17T04:00:00Z", false, false),
    ] {
        let (payable, times) = shop.told(&basket, &of("1990-05-13"), at, |quote| {
            (quote.payable.0, quote.points_times.thousandths())
        });
        assert_eq!(
            (payable, times),
            (if applies { 12_00 } else { 20_00 }, if doubles { 2000 } else { 1000 }),
            "{at}"
        );
    }
    // Never below zero.
    assert_eq!(shop.payable(&cart(&["pin toys 1 x 5"]), &of("1990-05-13"), WEDNESDAY), 0);
}

#[test]
fn r6_the_birthday_of_29_february_is_kept_on_the_28th() {
    let shop = Shop::shipped();
    let basket = cart(&["soap home 1 x 20"]);
    let of = member("regular").born("2000-02-29").coupon("c1", "birthday-8", "2024-12-31T00:00:00Z");
    for (at, payable, times) in [
        ("2019-02-24T04:00:00Z", 20_00, 1000),
        ("2019-02-25T04:00:00Z", 12_00, 1000),
        ("2019-02-28T04:00:00Z", 12_00, 2000),
        ("2019-03-03T04:00:00Z", 12_00, 1000),
        ("2019-03-04T04:00:00Z", 20_00, 1000),
        ("2020-02-28T04:00:00Z", 12_00, 1000),
        ("2020-02-29T04:00:00Z", 12_00, 2000),
    ] {
        let told = shop.told(&basket, &of, at, |quote| (quote.payable.0, quote.points_times.thousandths()));
        assert_eq!(told, (payable, times), "{at}");
    }
}

#[test]
fn r7_paying_35_by_wechat_in_store_in_its_week_gives_a_coupon() {
    let shop = Shop::shipped();
    let paying = |payment: &str, channel: &str, price: &str| {
        let mut basket = cart(&[&format!("soap home 1 x {price}")]);
        basket.row.payment = Some(payment.into());
        basket.row.channel = Some(channel.into());
        basket
    };
    let gives = |basket, member: &support::Member, at: &str| {
        shop.told(&basket, member, at, |quote| {
            quote.applied.iter().any(|applied| applied.gives == Some(Given::Coupon("paid-88")))
        })
    };
    let silver = member("silver");
    let within = "2020-05-25T04:00:00Z";
    assert!(gives(paying("wechat", "store", "35"), &silver, within));
    // From 00:00 on the 23rd to the end of the 29th, in Shanghai.
    for (at, is) in [
        ("2020-05-22T15:59:59Z", false),
        ("2020-05-22T16:00:00Z", true),
        ("2020-05-29T15:59:59Z", true),
        ("2020-05-29T16:00:00Z", false),
    ] {
        assert_eq!(gives(paying("wechat", "store", "35"), &silver, at), is, "{at}");
    }
    assert!(!gives(paying("wechat", "store", "34.99"), &silver, within));
    assert!(!gives(paying("alipay", "store", "35"), &silver, within));
    assert!(!gives(paying("wechat", "mini_program", "35"), &silver, within));
    assert!(!gives(paying("wechat", "store", "35"), &member(""), within));
    let why = |basket| shop.why_not("pay-and-get", &basket, &silver, within);
    assert_eq!(why(paying("wechat", "store", "30")), "¥5 more and it applies");
    assert_eq!(why(paying("alipay", "store", "35")), "not by this payment method");
    assert_eq!(why(paying("wechat", "app", "35")), "not through this channel");
    // The coupon: 12 % off, the payable half rounded up.
    let holds = member("silver").coupon("p1", "paid-88", "2020-06-01T16:00:00Z");
    assert_eq!(shop.payable(&cart(&["soap home 1 x 12.55"]), &holds, within), 11_04);
    assert_eq!(shop.payable(&cart(&["tv home 1 x 1000"]), &holds, within), 950_00);
    assert_eq!(
        shop.why_not("paid-88", &cart(&["soap home 1 x 12.55"]), &holds, "2020-06-01T16:00:00Z"),
        "the coupon has expired"
    );
}

#[test]
fn r8_five_food_items_give_a_coupon_for_food_from_100_on() {
    let shop = Shop::shipped();
    let gives = |lines: &[&str]| {
        shop.told(&cart(lines), &member("regular"), THURSDAY, |quote| {
            quote.applied.iter().any(|applied| applied.gives == Some(Given::Coupon("food-15")))
        })
    };
    assert!(gives(&["crisps food 3 x 8", "nuts food 2 x 15"]));
    assert!(!gives(&["crisps food 4 x 8", "towel home 1 x 15"]));
    let holds = member("regular").coupon("f1", "food-15", "2020-06-13T16:00:00Z");
    let mixed = cart(&["crisps food 10 x 8", "towel home 1 x 50"]);
    assert_eq!(shop.why_not("food-15", &mixed, &holds, THURSDAY), "¥20 more and it applies");
    let enough = cart(&["crisps food 10 x 8", "nuts food 2 x 15", "towel home 1 x 50"]);
    let lines = shop.told(&enough, &holds, THURSDAY, |quote| -> Vec<i64> {
        quote.lines.iter().map(|line| line.payable.0).collect()
    });
    // ¥15 over ¥80 and ¥30; the towel is no food.
    assert_eq!(lines, [80_00 - 10_91, 30_00 - 4_09, 50_00]);
}

#[test]
fn r9_with_any_order_of_a_member_a_mask_is_one_yuan_more_and_one_an_order() {
    let shop = Shop::shipped();
    let masks = cart(&["soap home 1 x 9.9", "face-mask beauty 2 x 15"]);
    assert_eq!(shop.payable(&masks, &member("regular"), THURSDAY), 9_90 + 1_00 + 15_00);
    assert_eq!(shop.payable(&masks, &member(""), THURSDAY), 9_90 + 30_00);
    // A mask alone is no order to add one to.
    let alone = cart(&["face-mask beauty 1 x 15"]);
    assert_eq!(shop.payable(&alone, &member("gold"), THURSDAY), 15_00);
    assert_eq!(shop.why_not("mask-add-on", &alone, &member("gold"), THURSDAY), "1 piece more and it applies");
}

#[test]
fn r10_members_of_a_group_have_two_at_79_a_tasting_price_and_20_off_99() {
    let shop = Shop::shipped();
    let group = member("regular").tag("group_member");
    // The dearest two of three: (30 + 20) × 79 %.
    let zone = cart(&["cup home 1 x 30 79", "bowl home 1 x 20 79", "spoon home 1 x 10 79"]);
    assert_eq!(shop.payable(&zone, &group, THURSDAY), 39_50 + 10_00);
    assert_eq!(shop.payable(&zone, &member("regular"), THURSDAY), 60_00);
    assert_eq!(shop.payable(&cart(&["tea food 2 x 20 new"]), &group, THURSDAY), 10_00 + 20_00);
    let holds = group.coupon("g1", "group-99-20", "2020-05-16T16:00:00Z");
    assert_eq!(shop.payable(&cart(&["towel home 1 x 99"]), &holds, THURSDAY), 79_00);
    assert_eq!(
        shop.why_not("group-99-20", &cart(&["towel home 1 x 98.5"]), &holds, THURSDAY),
        "¥0.5 more and it applies"
    );
}

#[test]
fn r13_a_new_product_is_for_gold_first_then_silver_then_all() {
    let shop = Shop::shipped();
    let cup = cart(&["summer-cup home 1 x 59"]);
    let may = |tier: &str, day: &str| {
        shop.told(&cup, &member(tier), &format!("2020-06-{day}T04:00:00Z"), |quote| {
            quote.lines[0].not_yet_for.is_empty()
        })
    };
    for (day, gold, silver, nobody) in [
        ("01", true, false, false),
        ("02", true, false, false),
        ("03", true, true, false),
        ("04", true, true, false),
        ("05", true, true, true),
    ] {
        assert_eq!((may("gold", day), may("silver", day), may("", day)), (gold, silver, nobody), "{day}");
    }
    assert!(
        !shop.told(&cup, &member("gold"), "2020-05-31T04:00:00Z", |quote| quote.lines[0]
            .not_yet_for
            .is_empty())
    );
}

#[test]
fn r15_a_bundle_is_a_set_at_one_price() {
    let shop = Shop::shipped();
    let set = ["neck-pillow travel 1 x 29.9", "eye-mask travel 1 x 9.9", "travel-bottle travel 5 x 5"];
    // 29.9 + 9.9 + 2 × 5 = 49.8 → 40; three bottles stay at their price.
    assert_eq!(shop.payable(&cart(&set), &member(""), THURSDAY), 40_00 + 15_00);
    let none =
        cart(&["neck-pillow travel 1 x 29.9", "eye-mask travel 1 x 9.9", "travel-bottle travel 1 x 5"]);
    assert_eq!(shop.payable(&none, &member(""), THURSDAY), 44_80);
}

#[test]
fn r16_what_membership_would_have_saved() {
    let shop = Shop::shipped();
    let basket = cart(&["towel home 1 x 70", "face-mask beauty 1 x 15"]);
    let nobody = shop.payable(&basket, &member(""), WEDNESDAY);
    let regular = shop.payable(&basket, &member("regular"), WEDNESDAY);
    // The mask for ¥1, then ¥6 off ¥71.
    assert_eq!((nobody, regular, nobody - regular), (85_00, 65_00, 20_00));
}

#[test]
fn r4_r17_gifts_services_points_shipping_and_partners() {
    let shop = Shop::shipped();
    let basket = cart(&["soap home 6 x 10", "cushion home 2 x 49"]);
    let given = |member: &support::Member, basket: &zhiyin_offer::Cart| {
        shop.told(basket, member, THURSDAY, |quote| -> Vec<String> {
            quote.applied.iter().filter(|one| one.gives.is_some()).map(|one| one.offer.to_owned()).collect()
        })
    };
    assert_eq!(given(&member("gold"), &basket), ["new-member-bag", "gold-brows"]);
    let trimmed = member("gold").used("gold-brows", Within::Month, 1).used("new-member-bag", Within::Ever, 1);
    assert_eq!(given(&trimmed, &basket), Vec::<String>::new());
    // Delivery: free from ¥59 on of what is left to pay.
    let mut away = cart(&["soap home 6 x 10"]);
    away.row.channel = Some("mini_program".into());
    away.row.shipping = support::yuan("8");
    assert_eq!(shop.told(&away, &member(""), THURSDAY, |quote| quote.shipping_discount.0), 8_00);
    // An exchange only where it is asked for, and as far as points go.
    let mut asking = basket.clone();
    let rich = support::Member { points: 1_200, ..member("regular") };
    assert_eq!(shop.why_not("points-pillow", &basket, &rich, THURSDAY), "it can be asked for");
    asking.chosen.insert("points-pillow".into(), 5);
    let told = shop.told(&asking, &rich, THURSDAY, |quote| (quote.payable.0, quote.points_spent));
    assert_eq!(told, (60_00 + 2_00, 1_000));
    let poor = support::Member { points: 499, ..member("regular") };
    assert_eq!(shop.why_not("points-pillow", &asking, &poor, THURSDAY), "1 points more and it applies");
    // C5: the code of the music school.
    let mut guest = cart(&["soap home 6 x 10"]);
    assert_eq!(
        shop.why_not("music-school", &guest, &member(""), THURSDAY),
        "no code of the partner was shown"
    );
    guest.codes.push("music_school".into());
    assert_eq!(shop.payable(&guest, &member(""), THURSDAY), 50_00);
}

#[test]
fn floors_hold_whatever_is_combined() {
    let shop = Shop::shipped();
    let holds = member("regular").born("1990-05-13").coupon("b1", "birthday-8", "2020-12-31T00:00:00Z");
    let lines = |lines: &[&str]| {
        shop.told(&cart(lines), &holds, THURSDAY, |quote| -> Vec<i64> {
            quote.lines.iter().map(|line| line.payable.0).collect()
        })
    };
    // A book of ¥10 is sold for ¥7 at the least; what it has no room for falls to the towel.
    assert_eq!(lines(&["novel books 1 x 10"]), [7_00]);
    assert_eq!(lines(&["novel books 1 x 10", "towel home 1 x 10"]), [7_00, 5_00]);
}

#[test]
fn the_best_is_never_dearer_than_the_first_that_comes() {
    let shop = Shop::shipped();
    let holds = member("gold")
        .tag("group_member")
        .coupon("g1", "group-99-20", "2020-05-16T16:00:00Z")
        .coupon("f1", "food-15", "2020-05-20T16:00:00Z");
    let basket =
        cart(&["crisps food 10 x 9", "nuts food 2 x 15", "cup home 1 x 30 79", "bowl home 1 x 20 79"]);
    let best = shop.payable(&basket, &holds, WEDNESDAY);
    let greedy = shop.told_in(Mode::Greedy, &basket, &holds, WEDNESDAY, |quote| quote.payable.0);
    assert!(best < greedy, "{best} {greedy}");
    let why = shop.told(&basket, &holds, WEDNESDAY, |quote| {
        quote
            .not_applied
            .iter()
            .find(|not| not.offer == "food-15")
            .map(|not| (not.reason, not.instead.map(str::to_owned)))
    });
    assert_eq!(why, Some((Reason::BetterWithout, Some("group-99-20".to_owned()))));
}
