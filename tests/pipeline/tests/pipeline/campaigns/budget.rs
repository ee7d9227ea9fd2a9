//! A campaign's budget: what its coupons and points cost at most.

use super::*;

#[tokio::test]
async fn a_campaign_gives_no_more_than_its_budget_however_many_give_at_once() {
    let campaign = "  one: { purpose: service, on: event Order Completed, holdout: 0%, budget: 20, steps: [{ coupon: five }] }\n";
    let home = live(&brand("  {}", campaign), 10).await;
    let orders: Vec<Value> =
        (0..10).map(|n| order(&format!("o{n}"), &format!("m{n}"), &n.to_string(), NOW, "50")).collect();
    home.accept_live("till", &orders, at(NOW)).await;
    let second = home.second_engine().await;
    let (one, two) =
        tokio::join!(home.engine().drain(3, Some(at(NOW)), |_| ()), second.drain(4, Some(at(NOW)), |_| ()));
    one.unwrap();
    two.unwrap();
    home.until(at(NOW)).await;
    let view = home.engine().campaign("one").await.unwrap().unwrap();
    assert_eq!((view.counts["coupon"], view.counts["no_coupon"]), (4, 6));
    assert_eq!((view.budget_minor, view.cost_minor), (Some(2_000), Some(2_000)));
    let mut refused = Vec::new();
    for n in 0..10 {
        let moves = moves(&home, &format!("m{n}")).await;
        refused.extend(moves.into_iter().filter(|one| one.kind == "no_coupon").map(|one| one.why));
    }
    assert_eq!(refused, vec!["five: budget_used"; 6]);
    home.healthy().await;
}

#[tokio::test]
async fn points_cost_what_they_are_worth_and_what_still_fits_is_given() {
    // 100 points are worth ¥1.
    let campaign = "  one: { purpose: service, on: event Order Completed, again: per order_id, holdout: 0%, budget: 7, steps: [{ points: 300 }, { points: 250 }, { coupon: five }, { points: 150 }, { points: 1 }] }\n";
    let home = live(&brand("  {}", campaign), 2).await;
    happens(&home, &[order("o1", "m0", "1", NOW, "50")], NOW).await;
    assert_eq!(story(&home, "m0").await, "began points points no_coupon points no_coupon end");
    let last: Vec<String> = moves(&home, "m0").await.into_iter().map(|one| one.why).rev().take(2).collect();
    assert_eq!(last[1], "1 points: budget_used");
    assert_eq!(home.points("m0").await.active, 50 + 700);
    happens(&home, &[order("o2", "m1", "2", NOW, "50")], NOW).await;
    assert_eq!(story(&home, "m1").await, "began no_coupon no_coupon no_coupon no_coupon no_coupon end");
    home.healthy().await;
}

#[tokio::test]
async fn who_is_held_out_uses_up_no_budget() {
    let campaign = "  one: { purpose: service, on: event Order Completed, holdout: 100%, budget: 5, steps: [{ coupon: five }] }\n";
    let home = live(&brand("  {}", campaign), 1).await;
    happens(&home, &[order("o1", "m0", "1", NOW, "50")], NOW).await;
    assert_eq!(story(&home, "m0").await, "began end");
    assert_eq!(home.engine().campaign("one").await.unwrap().unwrap().cost_minor, Some(0));
}
