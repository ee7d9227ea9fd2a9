//! What is measured: what happened is counted once however it falls into batches, and how the home stands is the record's.

use zhiyin_engine::accept::{latest, prepare};
use zhiyin_engine::measure::ALL;
use zhiyin_engine::webhooks::manage::{self, NewEndpoint};
use zhiyin_model::role::Grant;
use zhiyin_model::time::Ts;

use crate::home::{Home, KEY, TILL, at, source};
use crate::items::{order, refund, spend, track};
use crate::playbooks::TEN_DAYS;

const NOON: &str = "2017-03-01T04:00:00Z";
const LATER: &str = "2017-03-02T04:00:00Z";

/// The value of a series, as it is written.
fn value<'t>(text: &'t str, series: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
}

/// A small life with everything that is counted, decided in batches of so many.
async fn lived(batch: usize) -> Home {
    let home = Home::new(TEN_DAYS).await;
    let first = order("o1", "ann", "1", NOON, "100");
    let items = [
        first.clone(),
        first,
        order("o1", "ann", "1", NOON, "200"),
        track("t1", "ann", "Tier Changed", NOON, serde_json::json!({})),
        spend("s1", "ann", LATER, 101),
        spend("s2", "ann", LATER, 102),
        refund("r1", "ann", "404", LATER, "1"),
        order("o2", "bob", "2", LATER, "50"),
    ];
    home.accept(&items).await;
    // Ten days later what was earned expires.
    home.engine().drain(batch, Some(at("2017-03-20T00:00:00Z")), |_| ()).await.unwrap();
    home
}

async fn one_waits(home: &Home) {
    let (till, now) = (source(TILL, false), at("2017-04-01T00:00:00Z"));
    let item = order("o3", "ann", "3", "2017-03-31T23:00:00Z", "1").to_string();
    let prepared = prepare(&KEY, &till, item.as_bytes(), Some(now), latest(now));
    home.engine().take(&till, vec![prepared], now, None).await.unwrap();
    home.now_is(at("2017-04-01T00:01:40Z")).await;
}

#[tokio::test]
async fn what_happened_is_counted_once_however_it_falls_into_batches() {
    for batch in [1, 2, 64] {
        let home = lived(batch).await;
        let text = home.engine().metrics().await;
        let rows = [
            ("zhiyin_items_total{verdict=\"accepted\"}", "5"),
            ("zhiyin_items_total{verdict=\"duplicate\"}", "1"),
            ("zhiyin_items_total{verdict=\"reused\"}", "1"),
            ("zhiyin_items_total{verdict=\"refused\"}", "1"),
            ("zhiyin_refusals_total{by=\"door\",code=\"message_id_reused\"}", "1"),
            ("zhiyin_refusals_total{by=\"door\",code=\"event_reserved\"}", "1"),
            ("zhiyin_refusals_total{by=\"decision\",code=\"insufficient_points\"}", "2"),
            ("zhiyin_refusals_total{by=\"decision\",code=\"order_unknown\"}", "1"),
            ("zhiyin_events_decided_total", "5"),
            ("zhiyin_batch_events_sum", "5.0"),
            ("zhiyin_append_seconds_count", "1"),
            ("zhiyin_batches_stale_total", "0"),
            ("zhiyin_decisions_broken_total", "0"),
            ("zhiyin_dead_letters", "3"),
            ("zhiyin_shares_held", "0"),
        ];
        for (series, expected) in rows {
            assert_eq!(value(&text, series), Some(expected), "batches of {batch}: {series}\n{text}");
        }
        // Two lots expired, in batches of their own, and both members may have been judged anew since.
        let fired: u64 = value(&text, "zhiyin_timers_fired_total").unwrap().parse().unwrap();
        assert!(fired >= 2, "{fired}");
        assert_ne!(value(&text, "zhiyin_batch_seconds_count{phase=\"wake\"}"), Some("0"));
    }
}

#[tokio::test]
async fn how_the_home_stands_is_what_the_record_says() {
    let home = lived(64).await;
    one_waits(&home).await;
    home.engine().store().feed_position("webhooks").await.unwrap();
    let text = home.engine().metrics().await;
    let shares = home.engine().home().await.unwrap().slots.to_string();
    let rows = [
        ("zhiyin_store_answers", "1"),
        ("zhiyin_inbox_waiting", "1"),
        ("zhiyin_queue_waiting", "0"),
        ("zhiyin_shares_unheld", shares.as_str()),
        ("zhiyin_playbook_version", "1"),
    ];
    for (series, expected) in rows {
        assert_eq!(value(&text, series), Some(expected), "{series}\n{text}");
    }
    // On a server that others use, their transactions may hide the latest entries for a moment.
    assert!(
        value(&text, "zhiyin_feed_lag{consumer=\"webhooks\"}").is_some_and(|lag| lag.parse::<u64>().is_ok())
    );
    let age: i64 = value(&text, "zhiyin_inbox_oldest_seconds").unwrap().parse().unwrap();
    assert!((100..200).contains(&age), "accepted 100 seconds ago, and a test does not take as long: {age}");
    let offset: i64 = value(&text, "zhiyin_business_offset_seconds").unwrap().parse().unwrap();
    assert!(offset < 0, "2017 lies behind: {offset}");
}

#[tokio::test]
async fn every_metric_is_written_with_its_meaning_and_nothing_else_is() {
    let home = lived(64).await;
    let new = NewEndpoint { url: "https://example.com/".to_owned(), ..NewEndpoint::default() };
    let store = home.engine().store().as_ref();
    manage::make(store, &Grant::system("ann"), new, &[1; 24], Ts(0)).await.unwrap();
    // Holds its share and says so.
    home.engine().step(64, Some(Ts::MIN)).await.unwrap();
    let text = home.engine().metrics().await;
    let named = |word: &str| -> Vec<(String, String)> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(word)?.split_once(' '));
        lines.map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect()
    };
    // A file has no copies that follow it, nothing was sent, and no platform told anything.
    let absent = [
        "zhiyin_replica_lag_bytes",
        "zhiyin_sends",
        "zhiyin_sends_total",
        "zhiyin_sends_came_back_total",
        "zhiyin_arrivals",
        "zhiyin_arrivals_total",
        "zhiyin_arrivals_refused_total",
        "zhiyin_arrivals_worked_total",
        "zhiyin_contacts",
        "zhiyin_contacts_fullest_permille",
        "zhiyin_platform_looked_timestamp_seconds",
    ];
    let expected: Vec<_> = ALL.iter().filter(|metric| !absent.contains(&metric.name)).collect();
    let helps: Vec<_> = expected.iter().map(|m| (m.name.to_owned(), format!("{}.", m.meaning))).collect();
    assert_eq!(named("# HELP "), helps);
    let types: Vec<_> = named("# TYPE ").into_iter().map(|(name, _)| name).collect();
    assert_eq!(types, expected.iter().map(|metric| metric.name).collect::<Vec<_>>());
    let shares = home.engine().home().await.unwrap().slots.to_string();
    assert_eq!(value(&text, "zhiyin_shares_held"), Some(shares.as_str()));
    assert!(text.contains("zhiyin_shares_by_holder{holder="), "{text}");
}
