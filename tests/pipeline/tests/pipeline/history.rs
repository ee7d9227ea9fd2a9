//! Events that come late: touchpoints (C1), tiers and points by the order's own time (semantics 4, 7).

use serde_json::{Value, json};

use crate::home::{Home, at};
use crate::items::{identify, order, spend, track};
use crate::playbooks::SHIPPED;

fn visit(id: &str, when: &str, code: &str) -> Value {
    track(id, "ann", "Visited", when, json!({"touchpoint": code}))
}

async fn touches(home: &Home) -> (String, String) {
    let touches = home.member("ann").await.member.touches;
    (touches.first.unwrap().code, touches.last.unwrap().code)
}

#[tokio::test]
async fn c1_first_and_last_touch_with_late_events() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[visit("e1", "2017-03-02T00:00:00Z", "poster/7")]).await;
    assert_eq!(touches(&home).await, ("poster/7".to_owned(), "poster/7".to_owned()));
    home.live_through(&[visit("e2", "2017-03-05T00:00:00Z", "app")]).await;
    assert_eq!(touches(&home).await, ("poster/7".to_owned(), "app".to_owned()));
    // Late, in the middle: neither.
    home.live_through(&[visit("e3", "2017-03-03T00:00:00Z", "sms")]).await;
    assert_eq!(touches(&home).await, ("poster/7".to_owned(), "app".to_owned()));
    // Late, before all: the first.
    home.live_through(&[visit("e4", "2017-03-01T00:00:00Z", "douyin")]).await;
    assert_eq!(touches(&home).await, ("douyin".to_owned(), "app".to_owned()));
    // An order in a store is a touch of that store.
    let in_store = json!({"order_id": "1", "total": "5", "store_id": "330"});
    home.live_through(&[track("e5", "ann", "Order Completed", "2017-03-06T00:00:00Z", in_store)]).await;
    assert_eq!(touches(&home).await, ("douyin".to_owned(), "store/330".to_owned()));
}

#[tokio::test]
async fn s4_a_late_order_uses_the_tier_held_at_its_own_time() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[
        order("e1", "ann", "1", "2017-03-01T00:00:00Z", "100"),
        order("e2", "ann", "2", "2017-03-10T00:00:00Z", "600"),
        // Gold by now: double. Late, from before she was: single.
        order("e3", "ann", "3", "2017-03-11T00:00:00Z", "10"),
        order("e4", "ann", "4", "2017-03-05T00:00:00Z", "10"),
    ])
    .await;
    assert_eq!(home.points("ann").await.active, 100 + 600 + 20 + 10);
    let terms = home.member("ann").await.terms;
    let levels: Vec<_> = terms.iter().map(|(level, from, _)| (level.as_str(), *from)).collect();
    assert_eq!(levels, [("regular", at("2017-03-01T00:00:00Z")), ("gold", at("2017-03-10T00:00:00Z")),]);
    home.healthy().await;
}

#[tokio::test]
async fn r6_the_birthday_doubles_once_even_for_gold_and_the_29th_is_kept_on_the_28th() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[
        identify("i1", "ann", "2017-01-01T00:00:00Z", json!({"birthday": "1992-02-29"})),
        // 2017-02-28 in Shanghai, from its first second to its last.
        order("e1", "ann", "1", "2017-02-27T15:59:59Z", "10"),
        order("e2", "ann", "2", "2017-02-27T16:00:00Z", "10"),
        order("e3", "ann", "3", "2017-02-28T15:59:59Z", "600"),
        order("e4", "ann", "4", "2017-02-28T15:59:59Z", "10"),
        order("e5", "ann", "5", "2017-02-28T16:00:00Z", "10"),
    ])
    .await;
    // Single; double; double; gold and birthday: double, not fourfold; gold: double.
    assert_eq!(home.points("ann").await.active, 10 + 20 + 1200 + 20 + 20);
}

#[tokio::test]
async fn an_order_that_comes_after_its_points_would_have_expired_leaves_none() {
    let home = Home::new(crate::playbooks::TEN_DAYS).await;
    home.live_through(&[
        order("e1", "ann", "1", "2017-03-20T00:00:00Z", "10"),
        order("e2", "ann", "2", "2017-03-01T00:00:00Z", "100"),
    ])
    .await;
    assert_eq!(home.points("ann").await.active, 10);
    assert_eq!(home.member("ann").await.orders, (2, 11_000));
    home.healthy().await;
}

#[tokio::test]
async fn s4_nobody_is_woken_while_history_comes_in() {
    // In between, what is no history says that it is weeks later already: the points are spent in time all the same.
    for batch in [1, 64] {
        let home = Home::new(crate::playbooks::TEN_DAYS).await;
        home.accept(&[order("e1", "ann", "1", "2017-03-01T00:00:00Z", "100")]).await;
        let bob = order("e2", "bob", "2", "2017-03-20T00:00:00Z", "10");
        home.accept_live(crate::home::TILL, &[bob], at("2017-03-20T00:00:00Z")).await;
        home.accept(&[spend("e3", "ann", "2017-03-05T00:00:00Z", 60)]).await;
        home.engine().drain(batch, Some(zhiyin_model::time::Ts::MIN), |_| ()).await.unwrap();
        assert_eq!(home.refusals().await, [""; 0]);
        assert_eq!(home.points("ann").await.active, 40);
        home.until(at("2017-03-20T00:00:00Z")).await;
        assert_eq!(home.points("ann").await.active, 0);
        home.healthy().await;
    }
}
