//! Points: earned, spent, held, returned, taken back, lost (semantics 8, 9).

use serde_json::{Value, json};
use zhiyin_model::member::Account;

use crate::home::{Home, at, transfer_of};
use crate::items::{about, order, refund, spend, track};
use crate::playbooks::{SHIPPED, TEN_DAYS};

fn hold(id: &str, when: &str, amount: i64) -> Value {
    track(id, "ann", "Points Spent", when, json!({"amount": amount, "hold": true}))
}

fn on_hold(id: &str, event: &str, of: &str, when: &str) -> Value {
    track(id, "ann", event, when, json!({"hold_id": transfer_of(of, "hold").to_string()}))
}

fn back(id: &str, of: &str, when: &str, amount: Option<i64>) -> Value {
    let mut properties = json!({"spend_id": transfer_of(of, "spend").to_string()});
    if let Some(amount) = amount {
        properties["amount"] = json!(amount);
    }
    track(id, "ann", "Points Returned", when, properties)
}

fn account(active: i64, held: i64, debt: i64) -> Account {
    Account { active, pending: 0, held, debt }
}

async fn lots(home: &Home) -> Vec<(i64, String)> {
    let lots = home.member("ann").await.lots;
    lots.iter().map(|(remaining, _, _, expires)| (*remaining, expires.rfc3339())).collect()
}

#[tokio::test]
async fn s9_what_expires_first_is_spent_first_and_the_rest_expires_on_its_day() {
    let home = Home::new(TEN_DAYS).await;
    home.live_through(&[
        order("o1", "ann", "1", "2017-03-01T04:00:00Z", "100"),
        order("o2", "ann", "2", "2017-03-04T04:00:00Z", "50"),
        spend("s1", "ann", "2017-03-05T04:00:00Z", 30),
    ])
    .await;
    let (first, second) = ("2017-03-10T16:00:00Z".to_owned(), "2017-03-13T16:00:00Z".to_owned());
    assert_eq!(lots(&home).await, [(70, first.clone()), (50, second.clone())]);
    home.live_through(&[spend("s2", "ann", "2017-03-05T05:00:00Z", 90)]).await;
    assert_eq!(lots(&home).await, [(30, second.clone())]);
    home.until(at(&second).plus_us(-1)).await;
    assert_eq!(home.points("ann").await, account(30, 0, 0));
    home.until(at(&second)).await;
    assert_eq!(home.points("ann").await, account(0, 0, 0));
    home.healthy().await;
}

#[tokio::test]
async fn s8_a_refund_after_the_points_were_spent_is_debt_that_the_next_earning_pays() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[
        order("o1", "ann", "1", "2017-03-01T04:00:00Z", "100.90"),
        spend("s1", "ann", "2017-03-02T04:00:00Z", 80),
        refund("r1", "ann", "1", "2017-03-03T04:00:00Z", "60.90"),
    ])
    .await;
    // 40 are kept of 100: 60 go, 20 of them from what is left, 40 as debt.
    assert_eq!(home.points("ann").await, account(0, 0, 40));
    home.live_through(&[order("o2", "ann", "2", "2017-03-04T04:00:00Z", "25")]).await;
    assert_eq!(home.points("ann").await, account(0, 0, 15));
    home.live_through(&[order("o3", "ann", "3", "2017-03-05T04:00:00Z", "25")]).await;
    assert_eq!(home.points("ann").await, account(10, 0, 0));
    home.healthy().await;
}

#[tokio::test]
async fn s8_takes_from_the_order_s_own_lot_before_others() {
    let home = Home::new(TEN_DAYS).await;
    home.live_through(&[
        order("o1", "ann", "1", "2017-03-01T04:00:00Z", "100"),
        order("o2", "ann", "2", "2017-03-04T04:00:00Z", "50"),
        about("r2", "ann", "Order Refunded", "2", "2017-03-05T04:00:00Z"),
    ])
    .await;
    assert_eq!(lots(&home).await, [(100, "2017-03-10T16:00:00Z".to_owned())]);
    home.healthy().await;
}

#[tokio::test]
async fn s8_refunds_in_parts_keep_what_the_rest_is_worth() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[order("o1", "ann", "1", "2017-03-01T04:00:00Z", "10.05")]).await;
    // (what comes back, points kept): floor(10.05 − 0.05 − …)
    let parts = [("0.05", 10), ("0.01", 9), ("0.98", 9), ("0.01", 9), ("0.01", 8), ("8.99", 0)];
    for (i, (part, kept)) in parts.iter().enumerate() {
        home.live_through(&[refund(&format!("r{i}"), "ann", "1", "2017-03-02T04:00:00Z", part)]).await;
        assert_eq!(home.points("ann").await.active, *kept, "after {part}");
    }
    home.accept(&[refund("last", "ann", "1", "2017-03-02T04:00:00Z", "0.01")]).await;
    home.settle().await;
    assert_eq!(home.refusals().await, ["last: refund_exceeds_paid @properties.total"]);
    assert_eq!(home.member("ann").await.orders, (0, 0));
    home.healthy().await;
}

#[tokio::test]
async fn s9_a_spend_that_comes_back_into_a_lot_that_has_expired_expires_at_once() {
    let home = Home::new(TEN_DAYS).await;
    home.live_through(&[
        order("o1", "ann", "1", "2017-03-01T04:00:00Z", "100"),
        order("o2", "ann", "2", "2017-03-04T04:00:00Z", "50"),
        spend("s1", "ann", "2017-03-05T04:00:00Z", 120),
        // Part of it while both lots live: into the one that expires last.
        back("b1", "s1", "2017-03-06T04:00:00Z", Some(15)),
    ])
    .await;
    assert_eq!(lots(&home).await, [(45, "2017-03-13T16:00:00Z".to_owned())]);
    // The rest on 12 March: 5 go where they came from, 100 into what is gone since the 11th.
    home.live_through(&[back("b2", "s1", "2017-03-12T04:00:00Z", None)]).await;
    assert_eq!(home.points("ann").await, account(50, 0, 0));
    home.accept(&[back("b3", "s1", "2017-03-12T05:00:00Z", Some(1))]).await;
    home.settle().await;
    assert_eq!(home.refusals().await, ["b3: return_exceeds_spend @properties.amount"]);
    home.healthy().await;
}

#[tokio::test]
async fn a_hold_lowers_what_can_be_spent_until_it_is_posted_or_voided() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[
        order("o1", "ann", "1", "2017-03-01T04:00:00Z", "100"),
        hold("h1", "2017-03-02T04:00:00Z", 60),
        hold("h2", "2017-03-02T04:00:00Z", 30),
    ])
    .await;
    assert_eq!(home.points("ann").await, account(100, 90, 0));
    home.accept(&[spend("s1", "ann", "2017-03-02T05:00:00Z", 11)]).await;
    home.settle().await;
    assert_eq!(home.refusals().await, ["s1: insufficient_points @properties.amount"]);
    home.live_through(&[
        on_hold("p1", "Points Posted", "h1", "2017-03-03T04:00:00Z"),
        on_hold("v1", "Points Voided", "h2", "2017-03-03T04:00:00Z"),
    ])
    .await;
    assert_eq!(home.points("ann").await, account(40, 0, 0));
    home.accept(&[on_hold("p2", "Points Posted", "h1", "2017-03-04T04:00:00Z")]).await;
    home.settle().await;
    assert_eq!(home.refusals().await[1], "p2: hold_closed @properties.hold_id");
    home.healthy().await;
}

#[tokio::test]
async fn what_was_posted_as_debt_and_paid_since_comes_back_in_a_lot_of_its_own() {
    let home = Home::new(TEN_DAYS).await;
    home.live_through(&[
        order("o1", "ann", "1", "2017-03-01T04:00:00Z", "100"),
        hold("h1", "2017-03-02T04:00:00Z", 80),
        about("r1", "ann", "Order Refunded", "1", "2017-03-03T04:00:00Z"),
        // Promised is promised: the hold is posted though nothing is left, as debt.
        on_hold("p1", "Points Posted", "h1", "2017-03-04T04:00:00Z"),
    ])
    .await;
    assert_eq!(home.points("ann").await, account(0, 0, 80));
    home.live_through(&[
        order("o2", "ann", "2", "2017-03-05T04:00:00Z", "50"),
        back("b1", "p1", "2017-03-06T04:00:00Z", None),
    ])
    .await;
    // 30 of the 80 are still owed and need not be; 50 were paid and come back.
    assert_eq!(home.points("ann").await, account(50, 0, 0));
    home.healthy().await;
    assert_eq!(lots(&home).await, [(50, "2017-03-15T16:00:00Z".to_owned())]);
    home.until(at("2017-03-15T16:00:00Z")).await;
    assert_eq!(home.points("ann").await, account(0, 0, 0));
    home.healthy().await;
}

#[tokio::test]
async fn a_cancelled_order_takes_all_back_and_a_report_after_it_earns_nothing() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[
        order("o1", "ann", "1", "2017-03-01T04:00:00Z", "400"),
        about("c1", "ann", "Order Cancelled", "1", "2017-03-02T04:00:00Z"),
        order("o1 again", "ann", "1", "2017-03-03T04:00:00Z", "400"),
        about("c2", "ann", "Order Cancelled", "2", "2017-03-03T04:00:00Z"),
        order("o2", "ann", "2", "2017-03-04T04:00:00Z", "400"),
    ])
    .await;
    assert_eq!(home.points("ann").await, account(0, 0, 0));
    assert_eq!(home.member("ann").await.orders, (0, 0));
    // The tier was earned before it was taken back: its term runs on.
    assert_eq!(home.member("ann").await.terms.last().unwrap().0, "silver");
    home.healthy().await;
}
