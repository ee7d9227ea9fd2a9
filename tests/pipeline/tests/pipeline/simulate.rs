//! M6: what a changed playbook would have cost, as tables: orders as the record has them, and what the change would have come to.

use serde_json::{Value, json};
use zhiyin_engine::simulate::{Grouping, OfferSum, Sample, Simulated, Simulation};
use zhiyin_model::playbook;
use zhiyin_model::time::Day;

use crate::home::Home;
use crate::items::{order, refund, spend, track};
use crate::playbooks;

/// What is live: the variety store's promises without its offers.
const LIVE: &str = "playbook: brand\nextends: variety-store\nlanes: ~\nfloors: ~\noffers: ~\ndraws: ~\n";

fn member_day() -> String {
    let offer = r#"offers:
  member-day:
    name: { zh: 周三会员日, en: Wednesday member day }
    when: weekday == "wed"
    lane: order
    spend: 68
    off: { gold: 10, silver: 8, regular: 6 }
    limit: 1 per member per day
"#;
    only_offers(offer, "order: { per: order, name: { zh: 整单, en: Orders } }")
}

fn snack_festival() -> String {
    let offers = r#"offers:
  snack-festival:
    name: { zh: 零食节, en: Snack festival }
    who: tier >= "regular"
    when: 'sum(cart.items.filter(i, i.category == "food").map(i, i.quantity)) >= 5'
    give: food-15
  food-15:
    name: { zh: 满100减15券, en: 15 off food }
    of: category == "food"
    lane: coupon
    spend: 100
    off: 15
    coupon: { valid: 30d }
"#;
    only_offers(offers, "coupon: { per: order, name: { zh: 优惠券, en: Coupons } }")
}

/// The live playbook with these offers and no others.
fn only_offers(offers: &str, lane: &str) -> String {
    let stands_alone = playbooks::parse(LIVE).source().to_owned();
    format!("{stands_alone}\nlanes: {{ {lane} }}\n{offers}")
}

async fn lived(live: &str, items: &[Value]) -> Home {
    let home = Home::new(live).await;
    home.live_through(items).await;
    home
}

/// To the end of 2017, which lies behind.
fn year() -> Simulation {
    Simulation { from: None, to: Day::parse("2017-12-31"), sample: Sample::All }
}

async fn simulated(home: &Home, changed: &str, asked: Simulation) -> Simulated {
    home.engine().simulate(&playbooks::parse(changed), asked).await.unwrap()
}

fn numbers(found: &Simulated, names: &[&str]) -> Vec<(i64, i64)> {
    let of = |name: &&str| found.total(name).map(|total| (total.live, total.changed));
    names.iter().map(|name| of(name).unwrap_or_else(|| panic!("no total {name}"))).collect()
}

fn offer(found: &Simulated, id: &str) -> OfferSum {
    found.offers.iter().find(|offer| offer.offer == id).map(|offer| offer.changed).unwrap_or_default()
}

fn wednesday(id: &str, hour: u8, total: &str) -> Value {
    order(id, "ann", id, &format!("2017-03-01T{hour:02}:00:00+08:00"), total)
}

fn food(id: &str, who: &str, day: &str, pieces: u32, price: &str) -> Value {
    let products = json!([{"product_id": "p", "category": "food", "quantity": pieces, "price": price}]);
    let properties = json!({"order_id": id, "products": products});
    track(id, who, "Order Completed", &format!("{day}T12:00:00+08:00"), properties)
}

#[tokio::test]
async fn m6_member_day_is_once_a_wednesday_by_tier() {
    let later =
        |id: &str, day: &str, total: &str| order(id, "ann", id, &format!("{day}T10:00:00+08:00"), total);
    /// Of what, orders, uses, taken off in cents, points live and changed.
    type Case = (&'static str, Vec<Value>, i64, i64, (i64, i64));
    let rows: Vec<Case> = vec![
        ("twice on one day", vec![wednesday("a", 10, "70"), wednesday("b", 12, "70")], 1, 600, (140, 134)),
        ("not on other days", vec![later("a", "2017-03-02", "70")], 0, 0, (70, 70)),
        ("below the threshold", vec![wednesday("a", 10, "67.99")], 0, 0, (67, 67)),
        (
            "every Wednesday",
            vec![wednesday("a", 10, "70"), later("b", "2017-03-08", "70")],
            2,
            1200,
            (140, 128),
        ),
        (
            "gold is given ten, and its points are double",
            vec![later("a", "2017-02-28", "600"), wednesday("b", 10, "100")],
            1,
            1000,
            (800, 780),
        ),
        (
            "the day is the brand's: 23:00 UTC on Tuesday is Wednesday",
            vec![order("a", "ann", "a", "2017-02-28T23:00:00Z", "70")],
            1,
            600,
            (70, 64),
        ),
    ];
    for (rule, items, uses, off, points) in rows {
        let home = lived(LIVE, &items).await;
        let found = simulated(&home, &member_day(), year()).await;
        let sum = offer(&found, "member-day");
        assert_eq!((sum.uses, sum.off, sum.members), (uses, off, uses.min(1)), "{rule}");
        let expected = vec![(0, off), points, points];
        assert_eq!(
            numbers(&found, &["offers_cost", "points_granted", "points_outstanding"]),
            expected,
            "{rule}"
        );
        assert_eq!((found.reproduced.compared, found.reproduced.equal), (1, 1), "{rule}");
    }
}

#[tokio::test]
async fn m6_what_comes_back_cost_nothing_in_the_end() {
    let items = [wednesday("a", 10, "100"), refund("r", "ann", "a", "2017-03-02T10:00:00+08:00", "50")];
    let home = lived(LIVE, &items).await;
    let found = simulated(&home, &member_day(), year()).await;
    let sum = offer(&found, "member-day");
    assert_eq!((sum.off, sum.off_back, sum.cost()), (600, 300, 300));
    // Half of 100 is kept, and half of 94.
    assert_eq!(numbers(&found, &["points_outstanding", "items_refused"]), [(50, 47), (0, 0)]);
}

#[tokio::test]
async fn m6_coupons_of_the_snack_festival_are_used_later() {
    let items = [
        food("c1", "carl", "2017-03-01", 5, "10"),
        food("c2", "carl", "2017-03-05", 1, "120"),
        food("c3", "carl", "2017-03-06", 1, "120"),
        // It may be used for thirty days, the day it was given on being the first.
        food("d1", "dora", "2017-03-01", 5, "10"),
        food("d2", "dora", "2017-03-31", 1, "120"),
        food("e1", "eve", "2017-03-01", 4, "10"),
        food("e2", "eve", "2017-03-02", 1, "120"),
        food("f1", "finn", "2017-03-01", 5, "10"),
        food("f2", "finn", "2017-03-30", 1, "120"),
    ];
    let home = lived(LIVE, &items).await;
    let found = simulated(&home, &snack_festival(), year()).await;
    let coupon = offer(&found, "food-15");
    assert_eq!((coupon.uses, coupon.members, coupon.off), (2, 2, 3000));
    assert_eq!((coupon.coupons_given, coupon.coupons_used, coupon.coupons_expired), (3, 2, 1));
    assert_eq!(offer(&found, "snack-festival").uses, 3);
    let all = found.groups.iter().find(|group| group.by == Grouping::All).unwrap();
    assert_eq!((all.sum.members, all.sum.gain, all.sum.lose), (4, 2, 0));
}

#[tokio::test]
async fn m6_double_points_for_gold() {
    let single = LIVE.to_owned() + "points: { earn: [ 1 per 1 paid ] }\n";
    let buys =
        |id: &str, day: &str, total: &str| order(id, "ann", id, &format!("{day}T10:00:00+08:00"), total);
    let items = [buys("a", "2017-01-02", "600"), buys("b", "2017-01-03", "100")];
    let home = lived(&single, &items).await;
    let found = simulated(&home, LIVE, year()).await;
    let names = ["points_granted", "points_outstanding", "points_liability", "offers_cost"];
    // 100 points are worth ¥1.
    assert_eq!(numbers(&found, &names), [(700, 800), (700, 800), (700, 800), (0, 0)]);
    let gold = found.groups.iter().find(|group| group.by == Grouping::Tier && group.group == "gold").unwrap();
    assert_eq!((gold.sum.gain, gold.sum.money_gain, gold.sum.points), (1, 100, 100));
    let moved: Vec<_> =
        found.tiers.iter().map(|tier| (tier.live.as_str(), tier.changed.as_str(), tier.members)).collect();
    assert_eq!(moved, [("gold", "gold", 1)]);
}

#[tokio::test]
async fn m6_higher_thresholds_move_members_down() {
    let higher = LIVE.to_owned() + "tiers: { levels: { silver: { from: 8000 }, gold: { from: 9000 } } }\n";
    let home = lived(LIVE, &[order("a", "ann", "a", "2017-01-02T10:00:00+08:00", "650")]).await;
    let found = simulated(&home, &higher, year()).await;
    let moved: Vec<_> =
        found.tiers.iter().map(|tier| (tier.live.as_str(), tier.changed.as_str(), tier.members)).collect();
    assert_eq!(moved, [("gold", "regular", 1)]);
}

#[tokio::test]
async fn m6_a_change_holds_from_its_first_day() {
    let on = |id: &str, day: &str| order(id, "ann", id, &format!("{day}T10:00:00+08:00"), "70");
    let home = lived(LIVE, &[on("a", "2017-03-01"), on("b", "2017-03-08"), on("c", "2017-03-15")]).await;
    for (from, to, uses, orders) in [
        (None, "2017-12-31", 3, 3),
        (Some("2017-03-08"), "2017-12-31", 2, 2),
        (Some("2017-03-09"), "2017-12-31", 1, 1),
        (Some("2017-03-08"), "2017-03-14", 1, 1),
        (Some("2017-04-01"), "2017-12-31", 0, 0),
    ] {
        let asked = Simulation { from: from.and_then(Day::parse), to: Day::parse(to), sample: Sample::All };
        let found = simulated(&home, &member_day(), asked).await;
        let expected = (uses, orders);
        let orders = numbers(&found, &["orders"])[0];
        assert_eq!((offer(&found, "member-day").uses, orders.1), expected, "{from:?} to {to}");
        assert_eq!(orders.0, orders.1);
        // However far the record goes, it is compared with all of it.
        assert_eq!((found.reproduced.compared, found.reproduced.equal), (1, 1), "{from:?} to {to}");
    }
}

#[tokio::test]
async fn m6_what_points_no_longer_cover_is_counted() {
    let single = LIVE.to_owned() + "points: { earn: [ 1 per 2 paid ] }\n";
    let items = [
        order("a", "ann", "a", "2017-01-02T10:00:00+08:00", "100"),
        spend("s", "ann", "2017-01-03T10:00:00+08:00", 80),
    ];
    let home = lived(LIVE, &items).await;
    let found = simulated(&home, &single, year()).await;
    assert_eq!(
        numbers(&found, &["items_refused", "points_spent", "points_outstanding"]),
        [(0, 1), (80, 0), (20, 50)]
    );
}

#[tokio::test]
async fn m6_only_what_differs_and_what_it_touches_is_charged() {
    let shipped = playbooks::SHIPPED;
    let brows = shipped.to_owned() + "offers: { gold-brows: { limit: 2 per member per month } }\n";
    let day = shipped.to_owned() + "offers: { member-day: { spend: 50 } }\n";
    let home = lived(shipped, &[wednesday("a", 10, "60")]).await;
    let charged = async |changed: &str| simulated(&home, changed, year()).await.charged;
    assert_eq!(charged(shipped).await, [""; 0]);
    assert_eq!(charged(&brows).await, ["gold-brows"]);
    let touched = charged(&day).await;
    assert!(
        touched.contains(&"member-day".to_owned()) && touched.contains(&"two-at-79".to_owned()),
        "{touched:?}"
    );
    assert!(!touched.contains(&"gold-brows".to_owned()) && !touched.contains(&"first-gold".to_owned()));
    let found = simulated(&home, &day, year()).await;
    assert_eq!(numbers(&found, &["offers_cost"]), [(0, 600)]);
}

#[tokio::test]
async fn m6_what_was_discounted_already_is_told_apart() {
    let products = json!([{"product_id": "p", "quantity": 2, "price": "50", "paid": "80"}]);
    let properties = json!({"order_id": "a", "products": products});
    let home =
        lived(LIVE, &[track("a", "ann", "Order Completed", "2017-03-01T10:00:00+08:00", properties)]).await;
    let found = simulated(&home, &member_day(), year()).await;
    assert_eq!((found.discounted_in_the_record, offer(&found, "member-day").off), (2_000, 600));
    assert_eq!(numbers(&found, &["paid", "points_granted"]), [(8_000, 7_400), (80, 74)]);
}

#[tokio::test]
async fn m6_multipliers_of_offers_count_as_points() {
    let offer_text = r#"offers:
  double:
    name: { zh: 双倍积分, en: Double points }
    when: weekday == "wed"
    points_times: 2
    limit: 300 in all
"#;
    let changed = only_offers(offer_text, "order: { per: order, name: { zh: 整单, en: Orders } }");
    let thursday = order("b", "ann", "b", "2017-03-02T10:00:00+08:00", "30");
    let home = lived(LIVE, &[wednesday("a", 10, "70"), thursday]).await;
    let found = simulated(&home, &changed, year()).await;
    let sum = offer(&found, "double");
    assert_eq!((sum.uses, sum.points, sum.cost()), (1, 70, 0));
    assert_eq!(numbers(&found, &["points_granted", "offers_cost"]), [(100, 170), (0, 0)]);
    let said = |note: &zhiyin_model::playbook::Names| {
        note.en.as_ref().is_some_and(|en| en.starts_with("double: its budget"))
    };
    assert!(found.notes.iter().any(said), "{:?}", found.notes);
}

#[tokio::test]
async fn m6_a_sample_says_what_it_stands_for() {
    let items: Vec<Value> = (0..40)
        .map(|n| {
            order(&format!("o{n}"), &format!("m{n}"), &format!("o{n}"), "2017-03-01T10:00:00+08:00", "70")
        })
        .collect();
    let home = lived(LIVE, &items).await;
    for (sample, members) in
        [(Sample::All, 40), (Sample::Members(7), 7), (Sample::Members(90), 40), (Sample::Share(10_000), 40)]
    {
        let found = simulated(&home, &member_day(), Simulation { sample, ..year() }).await;
        assert_eq!(
            (found.members.replayed, offer(&found, "member-day").uses),
            (members, members),
            "{sample:?}"
        );
        assert_eq!(found.members.sample, sample != Sample::All);
    }
    let half = simulated(&home, &member_day(), Simulation { sample: Sample::Share(5_000), ..year() }).await;
    assert!((1..40).contains(&half.members.replayed) && half.members.factor_thousandths == 2_000);
}

#[tokio::test]
async fn m6_what_cannot_be_simulated_is_refused_by_name() {
    let home = lived(LIVE, &[]).await;
    let dollars = LIVE.to_owned() + "currency: USD\n";
    let backwards =
        Simulation { from: Day::parse("2017-02-01"), to: Day::parse("2017-01-01"), sample: Sample::All };
    for (changed, asked, expected) in [
        (dollars.as_str(), year(), "the changed playbook is in USD, what was recorded is in CNY"),
        (LIVE, backwards, "from 2017-02-01 to 2017-01-01: the first day comes after the last"),
    ] {
        let refused = home.engine().simulate(&playbooks::parse(changed), asked).await.unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
}

#[test]
fn m6_the_examples_of_the_docs_are_right() {
    let example = |name: &str| match name {
        "member-day" => Some(include_str!("../../../../docs/simulate/member-day.yaml")),
        "snack-festival" => Some(include_str!("../../../../docs/simulate/snack-festival.yaml")),
        "single-points" => Some(include_str!("../../../../docs/simulate/single-points.yaml")),
        "all-offers" => Some(include_str!("../../../../docs/simulate/all-offers.yaml")),
        _ => None,
    };
    let load = |name: &str, from: &str| match example(name) {
        Some(text) => Ok((format!("{name}.yaml"), text.to_owned())),
        None => playbook::shipped::load(name, from),
    };
    for name in ["member-day", "snack-festival", "single-points", "all-offers"] {
        let text = example(name).unwrap_or_default();
        let read = playbook::parse(name, text, &load).unwrap_or_else(|problems| panic!("{problems:#?}"));
        assert_eq!(read.id, name);
        let rules = zhiyin_decide::rules::Rules::compile(&read);
        assert!(rules.is_ok(), "{name}: {:?}", rules.err());
    }
}
