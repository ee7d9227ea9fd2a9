//! The door: every item once, the first receipt counts, and what is refused is refused by name (semantics 1, 6, 15).

use serde_json::json;
use zhiyin_engine::EngineError;
use zhiyin_engine::accept::Verdict;
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_store::StoreError;

use crate::home::{Home, TILL, at, source};
use crate::items::{order, track};
use crate::playbooks::SHIPPED;

const NOON: &str = "2017-03-01T04:00:00Z";

fn code(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accepted => "accepted".to_owned(),
        Verdict::Duplicate => "duplicate".to_owned(),
        Verdict::Refused(refusal) => format!("{} @{}", refusal.code, refusal.field),
    }
}

#[tokio::test]
async fn s15_same_id_other_body_is_refused() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[order("e1", "ann", "1", NOON, "10")]).await;
    let before = home.digest().await;
    let other = [order("e1", "ann", "1", NOON, "11"), order("e1", "bob", "1", NOON, "10")];
    let verdicts: Vec<_> = home.accept(&other).await.iter().map(code).collect();
    assert_eq!(verdicts, ["message_id_reused @messageId", "message_id_reused @messageId"]);
    home.settle().await;
    assert_eq!(home.digest().await, before);
}

#[tokio::test]
async fn s15_duplicates_change_nothing() {
    let home = Home::new(SHIPPED).await;
    let item = order("e1", "ann", "1", NOON, "10");
    // Twice in one call, once more in another: with a time of sending, which does not count.
    let verdicts: Vec<_> = home.accept(&[item.clone(), item.clone()]).await.iter().map(code).collect();
    assert_eq!(verdicts, ["accepted", "duplicate"]);
    home.settle().await;
    let before = home.digest().await;
    let mut again = item;
    again["sentAt"] = json!("2017-03-02T00:00:00Z");
    assert_eq!(home.accept(&[again]).await, [Verdict::Duplicate]);
    home.settle().await;
    assert_eq!(home.digest().await, before);
    assert_eq!(home.points("ann").await.active, 10);
}

#[tokio::test]
async fn s15_the_first_receipt_fixes_the_time_of_an_item_without_one() {
    let home = Home::new(SHIPPED).await;
    let mut item = order("e1", "ann", "1", NOON, "10");
    item.as_object_mut().unwrap().remove("timestamp");
    let now = at(NOON);
    assert_eq!(home.accept_live(TILL, &[item.clone()], now).await, [Verdict::Accepted]);
    home.until(now).await;
    assert_eq!(home.member("ann").await.terms[0].1, now);
}

#[tokio::test]
async fn s6_an_order_that_three_sources_report_earns_once() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[order("e1", "ann", "1", NOON, "10.90")]).await;
    let paid = track("p1", "ann", "Order Paid", NOON, json!({"order_id": "1", "payment_method": "wechat"}));
    assert_eq!(home.accept_from("wechat-pay", &[paid]).await, [Verdict::Accepted]);
    let shop = order("e1", "ann", "1", "2017-03-01T05:00:00Z", "10.90");
    assert_eq!(home.accept_from("shop", &[shop]).await, [Verdict::Accepted]);
    home.settle().await;
    assert_eq!(home.points("ann").await.active, 10);
    assert_eq!(home.member("ann").await.orders, (1, 1090));
    assert!(home.refusals().await.is_empty());
    home.healthy().await;
}

#[tokio::test]
async fn s1_an_event_from_the_future_is_refused() {
    let home = Home::new(SHIPPED).await;
    let now = at(NOON);
    let visit = |id: &str, when: Ts| track(id, "ann", "Visited", &when.rfc3339(), json!({}));
    let items = [visit("in time", now.plus_us(DAY_US)), visit("too early", now.plus_us(DAY_US + 1))];
    let verdicts: Vec<_> = home.accept_live(TILL, &items, now).await.iter().map(code).collect();
    assert_eq!(verdicts, ["accepted", "event_from_the_future @timestamp"]);
}

#[tokio::test]
async fn what_only_decisions_state_nobody_may_send() {
    let home = Home::new(SHIPPED).await;
    for name in [
        "Lifecycle Stage Changed",
        "Tier Changed",
        "Tag Added",
        "Tag Removed",
        "Timer Due",
        "Playbook Applied",
        "Points Received",
    ] {
        let verdicts = home.accept(&[track("e1", "ann", name, NOON, json!({"amount": 1_000}))]).await;
        assert_eq!(code(&verdicts[0]), "event_reserved @event", "{name}");
    }
    home.settle().await;
    assert!(!home.knows("ann").await);
}

#[tokio::test]
async fn what_was_accepted_is_there_when_the_engine_comes_back() {
    let mut home = Home::new(SHIPPED).await;
    home.accept(&[order("e1", "ann", "1", NOON, "10")]).await;
    home.reopen().await;
    home.settle().await;
    assert_eq!(home.points("ann").await.active, 10);
}

#[tokio::test]
async fn a_source_keeps_the_namespace_it_came_with() {
    let home = Home::new(SHIPPED).await;
    home.accept(&[order("e1", "ann", "1", NOON, "10")]).await;
    let mut other = source(TILL, true);
    other.user_namespace = "phone".to_owned();
    let item = order("e2", "ann", "2", NOON, "10").to_string().into_bytes();
    let refused = home.engine().accept(&other, &[item], None).await.unwrap_err();
    assert!(matches!(refused, EngineError::Store(StoreError::SourceNamespace { .. })), "{refused}");
}
