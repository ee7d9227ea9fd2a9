//! A new version of the playbook (semantics 12): tags and lifecycle by a pass dated at its applying, tiers at the next
//! event; going back is applying an older one.

use serde_json::json;
use zhiyin_model::time::Ts;

use crate::home::{Home, at};
use crate::items::{order, track};
use crate::playbooks::SHIPPED;

/// A stricter brand: lost after 30 days, silver from 2,000, another basket, and a question nobody asked before.
const STRICT: &str = r#"
playbook: brand
extends: variety-store
tiers: { levels: { silver: { from: 2000 } } }
lifecycle:
  growth: { when: 'size(orders) >= 1 && days_since(last(orders)) <= 30' }
tags:
  big_basket: { who: 'within(orders, "90d").exists(o, o.paid >= 300)' }
  curious: { name: { zh: 好奇, en: Curious }, who: 'size(within(events("Product Viewed"), "90d")) >= 2' }
"#;

const APPLIED: &str = "2017-04-10T04:00:00Z";
const BACK: &str = "2017-04-12T04:00:00Z";

/// Ann: one order on 1 March, two products viewed. Bob: an order of 9 April.
async fn brand() -> Home {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[
        order("o1", "ann", "1", "2017-03-01T04:00:00Z", "250"),
        track("v1", "ann", "Product Viewed", "2017-03-02T04:00:00Z", json!({"product_id": "a"})),
        track("v2", "ann", "Product Viewed", "2017-03-03T04:00:00Z", json!({"product_id": "b"})),
        order("o2", "bob", "2", "2017-04-09T04:00:00Z", "320"),
    ])
    .await;
    home.until(at(APPLIED)).await;
    home.now_is(at(APPLIED)).await;
    home
}

async fn tier(home: &Home, name: &str) -> String {
    home.member(name).await.terms.last().unwrap().0.clone()
}

#[tokio::test]
async fn s12_a_new_playbook_version_reaches_lifecycle_and_tags_at_once_and_tiers_at_the_next_event() {
    let home = brand().await;
    assert_eq!(home.apply(STRICT, at(APPLIED)).await, (2, true));
    let lost = format!("lost@{APPLIED}");
    assert_eq!(home.moves("ann").await, ["growth@2017-03-01T04:00:00Z".to_owned(), lost]);
    assert_eq!(home.moves("bob").await, ["growth@2017-04-09T04:00:00Z"]);
    // Views were in nobody's aggregates before: they were built anew from the record.
    assert_eq!(home.tags("ann").await, ["curious"]);
    assert_eq!(home.tags("bob").await, ["big_basket", "new_customer"]);
    assert_eq!(tier(&home, "ann").await, "regular");
    home.live_through(&[track("v3", "ann", "Product Viewed", "2017-04-11T04:00:00Z", json!({}))]).await;
    assert_eq!(tier(&home, "ann").await, "silver");
    home.healthy().await;
}

#[tokio::test]
async fn s12_going_back_is_applying_an_older_one() {
    let home = brand().await;
    home.apply(STRICT, at(APPLIED)).await;
    assert_eq!(home.apply(STRICT, at(APPLIED)).await, (2, false));
    home.now_is(at(BACK)).await;
    assert_eq!(home.apply(SHIPPED, at(BACK)).await, (3, true));
    assert_eq!(home.moves("ann").await.last().unwrap(), &format!("growth@{BACK}"));
    assert_eq!(home.tags("ann").await, ["big_basket"]);
    let versions = home.engine().store().playbooks().await.unwrap();
    let versions: Vec<_> = versions.iter().map(|version| (version.version, version.applied_at)).collect();
    let history = [(3, at(BACK)), (2, at(APPLIED)), (1, at("2010-01-01T00:00:00Z"))];
    assert_eq!(versions, history);
    home.healthy().await;
    // From then on as if nothing had been.
    home.until(at("2017-08-01T00:00:00Z")).await;
    assert_eq!(home.moves("ann").await.last().unwrap(), "lost@2017-06-29T16:00:00Z");
}

#[tokio::test]
async fn s12_the_pass_is_bounded_and_can_be_interrupted_anywhere() {
    let whole = brand().await;
    whole.apply(STRICT, at(APPLIED)).await;
    let expected = whole.digest().await;
    let mut home = brand().await;
    // The version is live, the pass has not run: as after a crash between the two.
    let live = whole.engine().store().live_playbook().await.unwrap().unwrap();
    home.engine().store().apply_playbook(live).await.unwrap();
    home.reopen().await;
    assert_eq!(home.engine().catch_up_playbook(1).await.unwrap(), 2);
    assert_eq!(home.engine().catch_up_playbook(1).await.unwrap(), 0);
    assert_eq!(home.digest().await, expected);
}

#[tokio::test]
async fn s12_whom_a_timer_that_has_moved_on_wakes_for_nothing_is_still_reached_by_the_version() {
    let mut home = Home::new(SHIPPED).await;
    // Filed for the second order that is due after a week; it comes at once, and what is due next is later.
    home.live_through(&[order("o1", "ann", "1", "2017-03-01T04:00:00Z", "310")]).await;
    home.live_through(&[order("o2", "ann", "2", "2017-03-03T04:00:00Z", "10")]).await;
    let (before, after) = (at("2017-03-06T04:00:00Z"), at("2017-03-09T04:00:00Z"));
    let first = home.member("ann").await.member.timers.values().min().copied().unwrap();
    let filed = home.next_wake().await.unwrap();
    assert!(before < filed && filed < after && after < first, "{filed} {first}");
    let strict = crate::playbooks::parse(STRICT);
    let live = zhiyin_store::PlaybookVersion {
        version: 0,
        id: "brand".to_owned(),
        hash: strict.hash(),
        source: strict.source().to_owned(),
        applied_at: before,
    };
    home.engine().store().apply_playbook(live).await.unwrap();
    home.reopen().await;
    home.until(after).await;
    assert!(home.next_wake().await.unwrap() > after);
    assert_eq!(home.engine().catch_up_playbook(10).await.unwrap(), 1);
    home.healthy().await;
}

#[tokio::test]
async fn s12_two_processes_may_bring_the_same_version() {
    let home = brand().await;
    let other = home.second_engine().await;
    let live = zhiyin_store::PlaybookVersion {
        version: 0,
        id: "brand".to_owned(),
        hash: crate::playbooks::parse(STRICT).hash(),
        source: crate::playbooks::parse(STRICT).source().to_owned(),
        applied_at: at(APPLIED),
    };
    home.engine().store().apply_playbook(live).await.unwrap();
    let (a, b) = tokio::join!(home.engine().catch_up_playbook(1), other.catch_up_playbook(1));
    assert_eq!(a.unwrap() + b.unwrap(), 2);
    assert_eq!(home.tags("ann").await, ["curious"]);
    home.healthy().await;
}

#[tokio::test]
async fn an_order_keeps_the_terms_it_earned_by() {
    let home = brand().await;
    let generous = "playbook: brand\nextends: variety-store\npoints: { earn: [ 5 per 1 paid ] }\n";
    home.apply(generous, at(APPLIED)).await;
    home.live_through(&[
        order("o3", "ann", "3", "2017-04-10T05:00:00Z", "10"),
        crate::items::refund("r1", "ann", "1", "2017-04-10T06:00:00Z", "50"),
    ])
    .await;
    assert_eq!(home.points("ann").await.active, 200 + 50);
    home.until(Ts::MIN).await;
    home.healthy().await;
}
