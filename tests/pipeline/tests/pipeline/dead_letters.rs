//! Events that cannot be decided: dead letters with a name and a field. They never stop the batch, and can be retried.

use serde_json::json;

use crate::home::{Home, at};
use crate::items::{about, adjust, gift, order, refund, spend, track};
use crate::playbooks::SHIPPED;

const NOON: &str = "2017-03-01T04:00:00Z";
const LATER: &str = "2017-03-02T04:00:00Z";

#[tokio::test]
async fn poison_never_stops_the_batch() {
    let home = Home::new(SHIPPED).await;
    let properties = |text| serde_json::from_str(text).unwrap();
    let with = |id: &str, event: &str, text| track(id, "ann", event, LATER, properties(text));
    let items = [
        order("good", "ann", "1", NOON, "100"),
        with("dollars", "Order Completed", r#"{"order_id":"2","total":"5","currency":"USD"}"#),
        with("no total", "Order Completed", r#"{"order_id":"2"}"#),
        with("no price", "Order Completed", r#"{"order_id":"2","products":[{"product_id":"a"}]}"#),
        with("below zero", "Order Completed", r#"{"order_id":"2","total":"1","tax":"2"}"#),
        with("huge", "Order Completed", r#"{"order_id":"2","total":1000000000000000000}"#),
        refund("too much", "ann", "1", LATER, "100.01"),
        refund("nobody's", "ann", "404", LATER, "1"),
        order("bob's own", "bob", "3", LATER, "1"),
        refund("bob's", "bob", "1", LATER, "1"),
        about("never was", "ann", "Order Cancelled", "5", LATER),
        refund("of what never was", "ann", "5", LATER, "1"),
        spend("too many", "ann", LATER, 101),
        with("half a point", "Points Spent", r#"{"amount":0.5}"#),
        with("no points", "Points Spent", r#"{"amount":0}"#),
        with("text", "Points Spent", r#"{"amount":"many"}"#),
        with("no reason", "Points Adjusted", r#"{"amount":5}"#),
        adjust("over the edge", "ann", LATER, 2_000_000_000_000_000),
        with("no id", "Points Posted", r#"{"hold_id":"7"}"#),
        with("no hold", "Points Voided", r#"{"hold_id":"00000000000000000000000000000000"}"#),
        with("no spend", "Points Returned", r#"{"spend_id":"00000000000000000000000000000000"}"#),
        gift("to herself", "ann", "ann", LATER, 1),
        with("to nobody", "Points Gifted", r#"{"amount":1,"to_namespace":"user"}"#),
        spend("good too", "ann", LATER, 30),
    ];
    home.accept(&items).await;
    home.settle().await;
    let expected = [
        "dollars: currency_mismatch @properties.currency",
        "no total: total_missing @properties.total",
        "no price: price_missing @properties.products[0].price",
        "below zero: negative_paid @properties.total",
        "huge: amount_too_large @properties.total",
        "too much: refund_exceeds_paid @properties.total",
        "nobody's: order_unknown @properties.order_id",
        "bob's: order_of_another_member @properties.order_id",
        "of what never was: order_cancelled @properties.order_id",
        "too many: insufficient_points @properties.amount",
        "half a point: bad_amount @properties.amount",
        "no points: bad_amount @properties.amount",
        "text: bad_amount @properties.amount",
        "no reason: reason_missing @properties.reason",
        "over the edge: bad_amount @properties.amount",
        "no id: bad_reference @properties.hold_id",
        "no hold: hold_unknown @properties.hold_id",
        "no spend: spend_unknown @properties.spend_id",
        "to herself: gift_to_self @properties.to_value",
        "to nobody: receiver_missing @properties.to_value",
    ];
    assert_eq!(home.refusals().await, expected);
    assert_eq!(home.points("ann").await.active, 70);
    home.healthy().await;
}

#[tokio::test]
async fn who_only_ever_sent_poison_is_not_a_member() {
    let home = Home::new(SHIPPED).await;
    home.accept(&[refund("r1", "ann", "1", NOON, "1")]).await;
    home.settle().await;
    assert!(!home.knows("ann").await);
}

#[tokio::test]
async fn retry_after_the_missing_order_arrives_applies_the_refund() {
    let home = Home::new(SHIPPED).await;
    home.accept(&[refund("r1", "ann", "1", LATER, "40.50")]).await;
    home.settle().await;
    home.now_is(at("2017-03-05T04:00:00Z")).await;
    let letters: Vec<i64> = home.dead().await.iter().map(|letter| letter.seq).collect();
    // Too soon: it stays what it is.
    assert_eq!(home.engine().retry(letters.clone()).await.unwrap(), 1);
    assert_eq!(home.refusals().await, ["r1: order_unknown @properties.order_id"]);
    home.accept(&[order("o1", "ann", "1", NOON, "100")]).await;
    assert_eq!(home.engine().retry(letters.clone()).await.unwrap(), 1);
    assert!(home.refusals().await.is_empty());
    assert_eq!(home.points("ann").await.active, 59);
    assert_eq!(home.member("ann").await.orders, (1, 5950));
    // What is no dead letter any more is not retried.
    assert_eq!(home.engine().retry(letters).await.unwrap(), 0);
    home.healthy().await;
}

#[tokio::test]
async fn what_is_retried_is_decided_after_all_that_came_before() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[order("o1", "ann", "1", NOON, "100")]).await;
    home.accept(&[refund("r1", "ann", "404", LATER, "1")]).await;
    home.settle().await;
    // Accepted, not yet decided: an order that keeps her from being lost.
    home.accept(&[order("o2", "ann", "2", "2017-06-01T04:00:00Z", "100")]).await;
    let seq = home.dead().await[0].seq;
    let now = at("2017-07-15T04:00:00Z");
    assert_eq!(home.engine().store().retry_dead_letters(vec![seq], now).await.unwrap(), 1);
    home.until(now).await;
    assert_eq!(home.moves("ann").await, ["growth@2017-03-01T04:00:00Z"]);
    assert_eq!(home.refusals().await, ["r1: order_unknown @properties.order_id"]);
    home.healthy().await;
}

#[tokio::test]
async fn a_refund_by_line_returns_no_more_pieces_than_there_are() {
    let home = Home::new(SHIPPED).await;
    let lines = json!({"order_id": "1", "products": [
        {"product_id": "cup", "quantity": 2, "price": "10"}, {"product_id": "pan", "quantity": 1, "price": "30.40"}]});
    let back = |id: &str, quantity: u8| {
        let products = json!([{"product_id": "cup", "quantity": quantity}]);
        track(id, "ann", "Order Refunded", LATER, json!({"order_id": "1", "products": products}))
    };
    home.accept(&[track("o1", "ann", "Order Completed", NOON, lines), back("r1", 1), back("r2", 2)]).await;
    home.settle().await;
    assert_eq!(home.refusals().await, ["r2: return_exceeds_quantity @properties.products[0].quantity"]);
    assert_eq!(home.points("ann").await.active, 40);
    assert_eq!(home.member("ann").await.orders, (1, 4040));
}
