//! `/metrics` of a home at work, read as strictly as the text format of Prometheus is written down.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use zhiyin_engine::accept::Source;
use zhiyin_engine::measure::ALL;
use zhiyin_engine::{Engine, playbooks};
use zhiyin_model::id::IdKey;
use zhiyin_server::{HomeReadings, serve};
use zhiyin_store_sqlite::SqliteStore;

/// Goes with its home.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A home in which three orders came in, one of them twice, and points were spent that were not there.
async fn home(name: &str) -> (Engine, Folder) {
    let folder = std::env::temp_dir().join(format!("zhiyin-metrics-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let store = SqliteStore::open(&folder.join("home.db"), &IdKey::from_bytes([1; 32])).unwrap();
    let engine = Engine::open(Arc::new(store)).await.unwrap();
    let (playbook, _) = playbooks::read_shipped("variety-store").unwrap().unwrap();
    engine.apply(&playbook).await.unwrap();
    let item = |id: &str, event: &str, said: &str| {
        let item = format!(
            r#"{{"type":"track","event":"{event}","userId":"7","messageId":"{id}","timestamp":"2026-01-05T10:00:00Z",
                "properties":{{{said}}}}}"#
        );
        item.into_bytes()
    };
    let order =
        |n: u8| item(&format!("o{n}"), "Order Completed", &format!(r#""order_id":"{n}","total":"10""#));
    let source =
        Source { name: "till".into(), user_namespace: "user".into(), replay: true, ties: Default::default() };
    let items = [order(1), order(2), order(2), order(3), item("s1", "Points Spent", r#""amount":1000000"#)];
    engine.accept(&source, &items, None).await.unwrap();
    engine.drain(64, None, |_| ()).await.unwrap();
    (engine, Folder(folder))
}

/// What a scrape says: the type of each metric, and the value of each series.
struct Said {
    types: BTreeMap<String, String>,
    helps: BTreeSet<String>,
    series: BTreeMap<String, f64>,
}

/// Reads the text format, version 0.0.4: what is not of it fails the test.
fn read(text: &str) -> Said {
    let (mut types, mut helps, mut series) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
    assert!(text.ends_with('\n'), "the last line ends, too");
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, meaning) = help.split_once(' ').unwrap();
            assert!(helps.insert(name.to_owned()) && !meaning.is_empty(), "{line}");
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            let (name, kind) = of.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
        } else {
            assert!(!line.starts_with('#'), "{line}");
            let (name, value) = line.rsplit_once(' ').unwrap();
            let bare = name.split('{').next().unwrap();
            assert!(bare.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{line}");
            let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| bare.strip_suffix(end));
            let histogram = of_histogram.and_then(|of| types.get(of)).is_some_and(|kind| kind == "histogram");
            assert!(histogram || types.contains_key(bare), "a series before its type: {line}");
            let value: f64 = value.parse().unwrap();
            assert!(series.insert(name.to_owned(), value).is_none(), "twice: {line}");
        }
    }
    Said { types, helps, series }
}

async fn scraped(engine: Engine) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let readings = Arc::new(HomeReadings::new(Arc::new(engine)));
    let ended = tokio::spawn(serve(listener, readings, None, stopped));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let asked = b"GET /metrics HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    stream.write_all(asked).await.unwrap();
    let mut got = String::new();
    stream.read_to_string(&mut got).await.unwrap();
    stop.send(()).unwrap();
    ended.await.unwrap().unwrap();
    let (head, body) = got.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4\r\n"), "{head}");
    body.to_owned()
}

#[tokio::test]
async fn a_scrape_reads_as_prometheus_reads_it_and_says_what_happened() {
    let (engine, _folder) = home("scrape").await;
    let text = scraped(engine).await;
    let said = read(&text);
    // Nobody follows the feed of this home, nobody holds its share now, a file has no copies, nothing was sent and nothing came.
    let absent = [
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
        "zhiyin_feed_lag",
        "zhiyin_shares_by_holder",
        "zhiyin_replica_lag_bytes",
        "zhiyin_webhook_waiting",
        "zhiyin_webhook_oldest_seconds",
    ];
    let names: BTreeSet<_> =
        ALL.iter().map(|metric| metric.name).filter(|name| !absent.contains(name)).collect();
    assert_eq!(said.types.keys().map(String::as_str).collect::<BTreeSet<_>>(), names);
    assert_eq!(said.helps.iter().map(String::as_str).collect::<BTreeSet<_>>(), names);
    for (name, kind) in &said.types {
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name} is a {kind}");
    }
    let rows = [
        ("zhiyin_items_total{verdict=\"accepted\"}", 4.0),
        ("zhiyin_items_total{verdict=\"duplicate\"}", 1.0),
        ("zhiyin_events_decided_total", 4.0),
        ("zhiyin_refusals_total{by=\"decision\",code=\"insufficient_points\"}", 1.0),
        ("zhiyin_dead_letters", 1.0),
        ("zhiyin_inbox_waiting", 0.0),
        ("zhiyin_inbox_oldest_seconds", 0.0),
        ("zhiyin_store_answers", 1.0),
        ("zhiyin_playbook_version", 1.0),
        ("zhiyin_shares_unheld", 1.0),
        ("zhiyin_business_offset_seconds", 0.0),
    ];
    for (series, expected) in rows {
        assert_eq!(said.series.get(series), Some(&expected), "{series}\n{text}");
    }
}

/// The labels of a series but one, and the value of that one.
fn labels<'s>(series: &'s str, apart: &str) -> (Vec<&'s str>, Option<&'s str>) {
    let inside = series.split_once('{').map_or("", |(_, rest)| rest.trim_end_matches('}'));
    let (those, rest): (Vec<_>, Vec<_>) =
        inside.split(',').filter(|label| !label.is_empty()).partition(|label| label.starts_with(apart));
    (rest, those.first().and_then(|label| label.split('"').nth(1)))
}

#[tokio::test]
async fn a_histogram_adds_up_from_bucket_to_bucket() {
    let (engine, _folder) = home("histograms").await;
    let said = read(&scraped(engine).await);
    let histograms: Vec<_> = said.types.iter().filter(|(_, kind)| *kind == "histogram").collect();
    assert_eq!(histograms.len(), 3);
    for (name, _) in histograms {
        let of = |end: &str| {
            let begins = format!("{name}{end}");
            said.series.iter().filter(move |(series, _)| series.split('{').next() == Some(&begins))
        };
        for (series, count) in of("_count") {
            let buckets = of("_bucket").map(|(bucket, n)| (labels(bucket, "le="), *n));
            let mut buckets: Vec<(f64, f64)> = buckets
                .filter(|((rest, _), _)| *rest == labels(series, "le=").0)
                .map(|((_, bound), n)| (bound.unwrap().parse().unwrap(), n))
                .collect();
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{series}: {buckets:?}");
            assert_eq!(buckets.last(), Some(&(f64::INFINITY, *count)), "{series}");
        }
        assert_eq!(of("_sum").count(), of("_count").count(), "{name}");
    }
}
