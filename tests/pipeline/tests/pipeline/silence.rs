//! Time is an event too: members who do nothing move through the lifecycle, lose tags and tiers, on the right day of the
//! brand's calendar (U2, U3, semantics 2, 3, 10).

use crate::home::{Home, at};
use crate::items::order;
use crate::playbooks::{NEW_YORK, SHIPPED};

/// Four orders at noon of the zone on these days of 2017, the last of which is `last`.
async fn four_orders(playbook: &str, days: [&str; 4], noon: &str) -> Home {
    let home = Home::new(playbook).await;
    for (i, day) in days.iter().enumerate() {
        let id = format!("e{i}");
        home.live_through(&[order(&id, "ann", &id, &format!("2017-{day}T{noon}"), "10")]).await;
    }
    home.until(at("2019-01-01T00:00:00Z")).await;
    home.healthy().await;
    home
}

#[tokio::test]
async fn u3_a_silent_member_moves_on_the_day_in_shanghai() {
    let home = four_orders(SHIPPED, ["01-01", "01-05", "01-10", "01-15"], "04:00:00Z").await;
    assert_eq!(
        home.moves("ann").await,
        [
            "growth@2017-01-01T04:00:00Z",
            "maturity@2017-01-15T04:00:00Z",
            // Day 61 is 17 March, day 121 is 16 May, each from its 00:00.
            "decline@2017-03-16T16:00:00Z",
            "lost@2017-05-15T16:00:00Z",
        ]
    );
}

#[tokio::test]
async fn u3_a_silent_member_moves_on_the_day_when_summer_time_begins_between() {
    let home = four_orders(NEW_YORK, ["01-01", "01-05", "01-10", "01-15"], "17:00:00Z").await;
    assert_eq!(
        home.moves("ann").await,
        [
            "growth@2017-01-01T17:00:00Z",
            "maturity@2017-01-15T17:00:00Z",
            "decline@2017-03-17T04:00:00Z",
            "lost@2017-05-16T04:00:00Z",
        ]
    );
}

#[tokio::test]
async fn u3_a_silent_member_moves_on_the_day_when_summer_time_ends_between() {
    let home = four_orders(NEW_YORK, ["09-01", "09-05", "09-10", "09-20"], "16:00:00Z").await;
    assert_eq!(
        home.moves("ann").await,
        [
            "growth@2017-09-01T16:00:00Z",
            "maturity@2017-09-20T16:00:00Z",
            "decline@2017-11-20T05:00:00Z",
            "lost@2018-01-19T05:00:00Z",
        ]
    );
}

#[tokio::test]
async fn u3_a_member_who_comes_back_starts_anew() {
    let home = four_orders(SHIPPED, ["01-01", "01-05", "01-10", "01-15"], "04:00:00Z").await;
    home.live_through(&[order("back", "ann", "back", "2019-02-01T04:00:00Z", "10")]).await;
    assert_eq!(home.moves("ann").await.last().unwrap(), "growth@2019-02-01T04:00:00Z");
}

#[tokio::test]
async fn s3_what_is_accepted_while_timers_fire_comes_after_them() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[order("e1", "ann", "1", "2017-03-01T04:00:00Z", "10")]).await;
    let lost = at("2017-06-29T16:00:00Z");
    home.until(lost).await;
    // Its sender asked for the time just before; by the time it is written down the day has begun.
    let late = crate::items::track("v1", "ann", "Visited", "2017-06-29T15:59:59Z", serde_json::json!({}));
    home.accept_live(crate::home::TILL, &[late], lost.plus_us(-1)).await;
    home.until(lost).await;
    assert_eq!(home.moves("ann").await, ["growth@2017-03-01T04:00:00Z", "lost@2017-06-29T16:00:00Z"]);
    home.healthy().await;
}

#[tokio::test]
async fn u2_rule_tags_come_and_go_by_time_alone() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[order("e1", "ann", "1", "2017-03-01T04:00:00Z", "250")]).await;
    // (the last instant before, tags then; the first instant of, tags from then on)
    let none: [&str; 0] = [];
    let days: [(&str, &[&str]); 6] = [
        ("2017-03-01T04:00:00Z", &["big_basket", "new_customer"]),
        ("2017-03-07T16:00:00Z", &["big_basket", "new_customer", "second_order_due"]),
        ("2017-03-15T16:00:00Z", &["big_basket", "second_order_due"]),
        ("2017-03-29T16:00:00Z", &["big_basket"]),
        ("2017-04-30T16:00:00Z", &["big_basket", "silent"]),
        ("2017-05-30T16:00:00Z", &["silent"]),
    ];
    let mut before: &[&str] = &none;
    for (i, (from, tags)) in days.iter().enumerate() {
        if i > 0 {
            home.until(at(from).plus_us(-1)).await;
            assert_eq!(home.tags("ann").await, before, "just before {from}");
        }
        home.until(at(from)).await;
        assert_eq!(home.tags("ann").await, *tags, "from {from}");
        before = tags;
    }
    home.healthy().await;
}

#[tokio::test]
async fn s10_a_term_ends_at_midnight_of_its_start_plus_365_days() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[
        order("e1", "ann", "1", "2017-03-04T20:00:00Z", "10"),
        order("e2", "ann", "2", "2017-03-05T04:00:00Z", "300"),
    ])
    .await;
    home.until(at("2019-12-31T00:00:00Z")).await;
    let terms = home.member("ann").await.terms;
    let terms: Vec<_> = terms.iter().map(|(level, from, ends)| format!("{level} {from} {ends}")).collect();
    assert_eq!(
        terms,
        [
            // Both on 5 March in Shanghai.
            "regular 2017-03-04T20:00:00Z 2018-03-05",
            "silver 2017-03-05T04:00:00Z 2018-03-05",
            // 365 days back is 5 March 2017: its growth still counts. A year later nothing does.
            "silver 2018-03-04T16:00:00Z 2019-03-05",
            "regular 2019-03-04T16:00:00Z 2020-03-04",
        ]
    );
    home.healthy().await;
}

#[tokio::test]
async fn s3_points_are_gone_when_the_day_begins_and_before_the_events_of_its_first_instant() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[order("e1", "ann", "1", "2017-03-01T04:00:00Z", "50")]).await;
    // Earned in 2017, gone when 2018 ends.
    home.until(at("2018-12-31T15:59:59.999999Z")).await;
    assert_eq!(home.points("ann").await.active, 50);
    home.accept(&[crate::items::spend("s1", "ann", "2018-12-31T16:00:00Z", 1)]).await;
    home.settle().await;
    assert_eq!(home.points("ann").await.active, 0);
    assert_eq!(home.refusals().await, ["s1: insufficient_points @properties.amount"]);
}
