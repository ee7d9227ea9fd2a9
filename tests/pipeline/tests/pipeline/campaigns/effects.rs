//! What campaigns change, out of the record (M5, M14, T1 to T3): who was assigned counts as assigned, whatever became of them.

use zhiyin_engine::effects::history::HistoryAsked;
use zhiyin_engine::effects::{EffectAsked, EffectView, MeasureView};
use zhiyin_engine::simulate::{CampaignSum, Sample, Simulation};
use zhiyin_model::time::Day;

use super::*;
use crate::playbooks;

const BACK: &str = "  back:
    purpose: marketing
    on: event Page Viewed
    holdout: 50%
    goal: Order Completed within 7d
    steps:
      - coupon: five
      - { send: hi, by: inbox }
      - wait: 10d
";

fn viewed(n: usize, when: &str) -> Value {
    let (id, who) = (format!("v{n}-{when}"), format!("m{n}"));
    track(&id, &who, "Page Viewed", when, json!({"page": "a"}))
}

async fn all_viewed(home: &Home, members: usize, when: &str) {
    let views: Vec<Value> = (0..members).map(|n| viewed(n, when)).collect();
    happens(home, &views, when).await;
}

/// Who is held out, by number.
async fn held(home: &Home, members: usize) -> (Vec<usize>, Vec<usize>) {
    let (mut held, mut treated) = (Vec::new(), Vec::new());
    for n in 0..members {
        let moves = moves(home, &format!("m{n}")).await;
        let began = moves.iter().find(|one| one.kind == "began").unwrap();
        if began.why == "held out" { held.push(n) } else { treated.push(n) }
    }
    (held, treated)
}

async fn effect(home: &Home, asked: &EffectAsked) -> EffectView {
    home.engine().effect("back", asked).await.unwrap().unwrap()
}

fn measure<'v>(view: &'v EffectView, name: &str) -> &'v MeasureView {
    view.measures.iter().find(|one| one.measure == name).unwrap_or_else(|| panic!("no {name}"))
}

fn sums(view: &EffectView, name: &str) -> [(u64, i64); 2] {
    let one = measure(view, name);
    [(one.control.members, one.control.sum), (one.treated.members, one.treated.sum)]
}

fn names(who: &[usize]) -> Vec<Identifier> {
    who.iter().map(|n| Identifier { namespace: "user".to_owned(), value: format!("m{n}") }).collect()
}

#[tokio::test]
async fn m5_those_held_out_are_compared_with_the_others_by_what_they_did_in_time() {
    let home = live(&brand("  {}", BACK), 40).await;
    all_viewed(&home, 40, NOW).await;
    let (held, treated) = held(&home, 40).await;
    let day = "2024-05-02T04:00:00Z";
    // One of the treated does not come; one of those held out does, and one of the treated uses the coupon.
    let buys = treated[1..].iter().chain(&held[..1]);
    let mut orders: Vec<Value> = buys
        .map(|n| {
            let products = json!([{"product_id": "p", "category": if n % 2 == 0 { "beauty" } else { "snacks" }, "quantity": 1, "price": "50"}]);
            let properties = json!({"order_id": n.to_string(), "products": products});
            track(&format!("o{n}"), &format!("m{n}"), "Order Completed", day, properties)
        })
        .collect();
    let cart = json!({"lines": [{"product": "bag", "price": 80_00, "quantity": 1}]});
    let user = format!("m{}", treated[1]);
    orders.push(track("p1", &user, "Checkout Redeemed", day, json!({"checkout": "c1", "cart": cart})));
    happens(&home, &orders, day).await;
    let now = "2024-05-09T04:00:00Z";
    // What comes after its time is not of it.
    happens(&home, &[order("late", &format!("m{}", held[1]), "late", now, "90")], now).await;
    home.now_is(at(now)).await;

    let asked = EffectAsked {
        category: Some("beauty".to_owned()),
        margin: EffectAsked::margin("40%"),
        send_cost: 5,
        day: None,
        by_week: false,
    };
    let view = effect(&home, &asked).await;
    let (n_held, n) = (held.len() as u64, treated.len() as u64);
    assert_eq!((view.members, view.contaminated), (40, 0));
    let arms: Vec<(&str, u64, i64, i64)> =
        view.arms.iter().map(|arm| (arm.arm.as_str(), arm.members, arm.sent, arm.coupon_cost)).collect();
    assert_eq!(arms, [("holdout", n_held, 0, 0), ("treated", n, n as i64, 500)]);
    assert!(view.sample_ratio > 0.001, "{}", view.sample_ratio);
    let came = n as i64 - 1;
    assert_eq!(sums(&view, "conversion"), [(n_held, 1), (n, came)]);
    assert_eq!(sums(&view, "revenue"), [(n_held, 50_00), (n, came * 50_00)]);
    assert_eq!(sums(&view, "orders"), [(n_held, 1), (n, came)]);
    assert_eq!(sums(&view, "back_7d"), [(n_held, 1), (n, came)]);
    assert_eq!(sums(&view, "coupon_cost"), [(n_held, 0), (n, 500)]);
    let beauty = treated[1..].iter().filter(|n| *n % 2 == 0).count() as i64;
    assert_eq!(sums(&view, "category_7d")[1], (n, beauty));
    // 40 % of what was sold before the coupon, less the coupon and a message each.
    assert_eq!(sums(&view, "margin")[1], (n, came * 20_00 + 200));
    assert_eq!(sums(&view, "net")[1], (n, came * 20_00 + 200 - 500 - 5 * n as i64));
    let conversion = measure(&view, "conversion");
    let (fixed, sequential) = (conversion.fixed.unwrap(), conversion.sequential.unwrap());
    assert!(fixed.low > 0.0 && sequential.low < fixed.low && sequential.high > fixed.high);
    assert!(
        conversion.says.zh.contains("与对照组相比，多") && conversion.says.en.contains("than the holdout")
    );
    // Nobody held out has a coupon of it: no interval, and it says so.
    assert_eq!(
        (measure(&view, "coupon_cost").fixed, measure(&view, "coupon_cost").verdict.as_deref()),
        (None, None)
    );
    // Fifteen days are not over.
    assert_eq!((measure(&view, "back_15d").waiting, sums(&view, "back_15d")), (40, [(0, 0), (0, 0)]));
    let cost = view.cost.unwrap();
    assert_eq!((cost.coupons, cost.sends), (500, 5 * n as i64));

    // As of a day on which the first week was not over, nobody counts yet.
    let asked = EffectAsked { day: Day::parse("2024-05-04"), ..EffectAsked::default() };
    let then = effect(&home, &asked).await;
    assert_eq!((measure(&then, "conversion").waiting, then.members), (40, 40));
    let before = EffectAsked { day: Day::parse("2024-04-20"), ..EffectAsked::default() };
    assert_eq!(effect(&home, &before).await.members, 0);
    let refusal = home.engine().effect("none", &EffectAsked::default()).await.unwrap().unwrap_err();
    assert_eq!(refusal.code, "campaign_unknown");
    home.healthy().await;
}

#[tokio::test]
async fn m5_two_arms_that_met_are_excluded_and_counted_and_what_came_back_is_not_paid() {
    let home = live(&brand("  {}", BACK), 20).await;
    all_viewed(&home, 20, NOW).await;
    let (held, treated) = held(&home, 20).await;
    let day = "2024-05-02T04:00:00Z";
    let buys = [
        order("o1", &format!("m{}", treated[1]), "1", day, "50"),
        order("o2", &format!("m{}", held[1]), "2", day, "50"),
    ];
    happens(&home, &buys, day).await;
    let back = crate::items::refund("r2", &format!("m{}", held[1]), "2", "2024-05-09T04:00:00Z", "50");
    happens(&home, &[back], "2024-05-09T04:00:00Z").await;
    let now = "2024-05-10T04:00:00Z";
    home.now_is(at(now)).await;
    let both = names(&[treated[0], held[0]]);
    assert_eq!(home.engine().merge(&both, "one person").await.unwrap(), Verdict::Accepted);
    home.settle().await;
    let view = effect(&home, &EffectAsked::default()).await;
    assert_eq!((view.members, view.contaminated), (18, 1));
    // They were drawn before they turned out to be one.
    assert!(view.sample_ratio > 0.001);
    assert_eq!(sums(&view, "revenue").map(|(_, paid)| paid), [0, 50_00]);
    assert_eq!(sums(&view, "conversion").map(|(_, came)| came), [0, 1]);
    // As it stood before the goods came back.
    let asked = EffectAsked { day: Day::parse("2024-05-08"), ..EffectAsked::default() };
    assert_eq!(sums(&effect(&home, &asked).await, "revenue")[0].1, 50_00);

    assert_eq!(home.engine().unmerge(&both[1..], "two people").await.unwrap(), Verdict::Accepted);
    home.settle().await;
    let parted = effect(&home, &EffectAsked::default()).await;
    assert_eq!((parted.members, parted.contaminated), (18, 1));
    // Who left is nobody that was assigned; begun anew, they were in both arms all the same.
    let again = "2024-05-11T04:00:00Z";
    happens(&home, &[viewed(held[0], again)], again).await;
    home.now_is(at(again)).await;
    let begun = effect(&home, &EffectAsked::default()).await;
    assert_eq!((begun.members, begun.contaminated), (18, 2));
    home.healthy().await;
}

#[tokio::test]
async fn m5_cohorts_are_the_weeks_of_the_assignment_and_come_to_the_whole() {
    let home = live(&brand("  {}", BACK), 60).await;
    // A Wednesday, the last minute of its week by the brand's clock, and the first of the next.
    let (first, last, next) = (NOW, "2024-05-05T15:59:00Z", "2024-05-05T16:00:00Z");
    for (who, when) in [(0..20, first), (20..40, last), (40..60, next)] {
        let views: Vec<Value> = who.map(|n| viewed(n, when)).collect();
        happens(&home, &views, when).await;
    }
    let (held, treated) = held(&home, 60).await;
    let day = "2024-05-07T04:00:00Z";
    let buys = treated.iter().map(|n| order(&format!("o{n}"), &format!("m{n}"), &n.to_string(), day, "50"));
    happens(&home, &buys.collect::<Vec<_>>(), day).await;
    // The first week's time is over, of the second one's not.
    let now = "2024-05-12T15:59:30Z";
    home.now_is(at(now)).await;
    assert_eq!(effect(&home, &EffectAsked::default()).await.cohorts, []);
    let asked = EffectAsked { by_week: true, ..EffectAsked::default() };
    let view = effect(&home, &asked).await;
    let [one, two] = view.cohorts.as_slice() else { panic!("{:?}", view.cohorts) };
    assert_eq!((one.from.as_str(), one.to.as_str()), ("2024-04-29", "2024-05-05"));
    assert_eq!((two.from.as_str(), two.to.as_str()), ("2024-05-06", "2024-05-12"));
    assert_eq!((one.members, two.members, view.members), (40, 20, 60));
    let in_week =
        |who: &[usize], week: std::ops::Range<usize>| who.iter().filter(|n| week.contains(*n)).count() as u64;
    for (week, who) in [(one, 0..40), (two, 40..60)] {
        let arms: Vec<u64> = week.arms.iter().map(|arm| arm.members).collect();
        assert_eq!(arms, [in_week(&held, who.clone()), in_week(&treated, who)]);
        assert!(week.sample_ratio > 0.001 && week.contaminated == 0);
    }
    let conversion =
        |measures: &[MeasureView]| measures.iter().find(|one| one.measure == "conversion").unwrap().clone();
    let (of_one, of_two, of_all) =
        (conversion(&one.measures), conversion(&two.measures), conversion(&view.measures));
    assert_eq!(
        (of_one.treated.sum as u64, of_one.treated.members),
        (of_one.treated.members, in_week(&treated, 0..40))
    );
    assert_eq!((of_one.control.sum, of_one.waiting), (0, 0));
    assert_eq!((of_two.waiting, of_two.treated.members, of_two.fixed), (20, 0, None));
    assert_eq!((of_all.treated.members, of_all.waiting), (of_one.treated.members, 20));
    assert!(view.notes.iter().any(|note| note.en.contains("Each week stands by itself")));
    let rows = view.rows();
    assert!(rows.iter().any(|row| row[0] == "conversion" && row[2] == "week 2024-04-29: treated"));
    home.healthy().await;
}

#[tokio::test]
async fn m5_a_member_goes_one_way_of_a_split_in_every_run_and_the_ways_are_compared() {
    let campaign = "  back:
    purpose: marketing
    on: event Page Viewed
    again: after exit
    holdout: 0%
    steps:
      - split: [{ share: 50%, steps: [{ points: 3 }] }, { share: 50%, steps: [{ points: 7 }] }]
";
    let home = live(&brand("  {}", campaign), 40).await;
    all_viewed(&home, 40, NOW).await;
    let later = "2024-05-02T04:00:00Z";
    all_viewed(&home, 40, later).await;
    home.now_is(at("2024-06-10T04:00:00Z")).await;
    let view = effect(&home, &EffectAsked::default()).await;
    let [split] = view.experiments.as_slice() else { panic!("{:?}", view.experiments) };
    assert_eq!((split.place.as_str(), split.contaminated), ("1", 0));
    let [one, two] = split.arms.as_slice() else { panic!("{:?}", split.arms) };
    assert_eq!(one.members + two.members, 40);
    assert!(
        one.members > 8 && two.members > 8 && split.sample_ratio > 0.001,
        "{} {}",
        one.members,
        two.members
    );
    assert_eq!((one.points, two.points), (6 * one.members as i64, 14 * two.members as i64));
    // Nobody is held out, and it says so.
    assert!(view.notes.iter().any(|note| note.en.contains("Nobody is held out")));
    let ways: BTreeSet<String> =
        moves(&home, "m0").await.into_iter().filter(|one| one.kind == "arm").map(|one| one.why).collect();
    assert_eq!(ways.len(), 1, "the same way in both runs");
    home.healthy().await;
}

#[tokio::test]
async fn m6_campaigns_are_played_on_history_and_nobody_does_anything_else() {
    let home = Home::new(&brand("  {}", THANKS)).await;
    let bought = |n: &str, when: &str, total: &str| order(&format!("o{n}"), "m0", n, when, total);
    home.live_through(&[
        consent("c0", "m0", "2024-04-01T04:00:00Z", true),
        bought("1", "2024-04-10T04:00:00Z", "50"),
        bought("2", "2024-04-12T04:00:00Z", "80"),
    ])
    .await;
    let asked = Simulation { from: None, to: Day::parse("2024-06-30"), sample: Sample::All };
    let found = home.engine().simulate(&playbooks::parse(&brand("  {}", THANKS)), asked).await.unwrap();
    let [told] = found.campaigns.as_slice() else { panic!("{:?}", found.campaigns) };
    // The home is not live: nothing was done under the live rules.
    assert_eq!((told.campaign.as_str(), told.live), ("thanks", CampaignSum::default()));
    let expected = CampaignSum {
        began: 2,
        sent: 2,
        coupons_issued: 2,
        coupons_used: 1,
        taken_off: 500,
        ..CampaignSum::default()
    };
    assert_eq!(told.changed, expected);
    let said =
        |zh: &str| found.notes.iter().any(|note| note.zh.as_ref().is_some_and(|text| text.contains(zh)));
    assert!(said("没有人因为收到消息而多来或多买"), "{:?}", found.notes);
    assert_eq!((found.reproduced.compared, found.reproduced.equal), (1, 1));
    // Nothing was written.
    assert_eq!(story(&home, "m0").await, "");
}

#[tokio::test]
async fn campaigns_of_an_old_system_are_set_beside_others_who_had_spent_alike_with_the_warning() {
    let home = Home::new(&brand("  {}", THANKS)).await;
    let mut items: Vec<Value> = Vec::new();
    let order_of = |id: &str, n: usize, when: &str, total: String| {
        order(&format!("{id}{n}"), &format!("m{n}"), &format!("{id}{n}"), when, &total)
    };
    for n in 0..30 {
        let spent = if n % 2 == 0 { "10" } else { "100" };
        items.push(order_of("a", n, "2024-03-10T04:00:00Z", spent.to_owned()));
    }
    let start = "2024-04-01T00:00:00Z";
    let of_eight = json!({"campaign_id": "8", "campaign_type": "Type A"});
    for n in 0..10 {
        items.push(track(&format!("t{n}"), &format!("m{n}"), "Campaign Targeted", start, of_eight.clone()));
    }
    for n in 0..30 {
        let spends = if n < 10 { 30 + n } else { 20 + n % 3 };
        items.push(order_of("b", n, "2024-04-05T04:00:00Z", spends.to_string()));
    }
    let used = json!({"campaign_id": "8", "coupon_id": "77"});
    items.push(track("u0", "m0", "Coupon Redeemed", "2024-04-06T00:00:00Z", used));
    // Who came later could not have been chosen.
    items.push(order("c", "late", "c", "2024-04-07T04:00:00Z", "500"));
    home.live_through(&items).await;
    let views = home.engine().campaign_history(HistoryAsked::default()).await.unwrap();
    let [view] = views.as_slice() else { panic!("{views:?}") };
    assert_eq!(
        (view.campaign.as_str(), view.kind.as_deref(), view.from.as_str()),
        ("8", Some("Type A"), start)
    );
    assert_eq!((view.targeted, view.others, view.redeemers, view.redemptions), (10, 20, 1, 1));
    assert_eq!((view.targeted_mean, view.others_mean), (3_450.0, 2_105.0));
    assert_eq!((view.compared, view.alone), (10, 0));
    let (face, matched) = (view.at_face_value.unwrap(), view.matched.unwrap());
    assert!(face.low > 0.0 && matched.low > 0.0 && matched.at > 1_200.0 && matched.at < 1_500.0);
    assert!(view.says.en.contains("nobody drew lots") && view.says.zh.contains("名单不是随机选出的"));
    // What is not over says nothing yet.
    let asked = HistoryAsked { day: Day::parse("2024-04-20"), ..HistoryAsked::default() };
    assert_eq!(home.engine().campaign_history(asked).await.unwrap(), []);
}
