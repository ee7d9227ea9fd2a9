//! Files from outside: what is malformed is rejected line by line with a name, and the good lines land.

use std::io::Cursor;

use zhiyin_engine::Result;
use zhiyin_engine::import::{Import, Reject, Tally, Watch, lines};

use crate::home::{Home, source};
use crate::items::order;
use crate::playbooks::SHIPPED;

#[derive(Default)]
struct Seen {
    rejects: Vec<Reject>,
}

impl Watch for Seen {
    fn tally(&mut self, _: &Tally) {}

    fn reject(&mut self, reject: Reject) -> Result<()> {
        self.rejects.push(reject);
        Ok(())
    }
}

fn good(n: u32) -> Vec<u8> {
    order(&format!("good {n}"), "ann", &n.to_string(), "2017-03-01T04:00:00Z", "10").to_string().into_bytes()
}

/// An item with something in place of its properties.
fn with(id: &str, properties: &str) -> Vec<u8> {
    format!(
        r#"{{"type":"track","event":"Order Completed","userId":"ann","messageId":"{id}","timestamp":"2017-03-01T04:00:00Z","properties":{properties}}}"#
    )
    .into_bytes()
}

async fn imported(home: &Home, bytes: Vec<u8>) -> (Tally, Vec<Reject>) {
    let import = Import { source: source("file", true), batch: 16, progress: None, accept_only: false };
    let mut seen = Seen::default();
    let items = move |_| Ok(lines::items(Cursor::new(bytes)));
    let tally = home.engine().import(import, items, &mut seen).await.unwrap();
    (tally, seen.rejects)
}

#[tokio::test]
async fn malformed_lines_are_rejected_by_name_and_the_good_ones_land() {
    let lines: Vec<(Vec<u8>, &str)> = vec![
        (good(1), ""),
        (with("nan", r#"{"order_id":"2","total":NaN}"#), "bad_json @"),
        (with("nan text", r#"{"order_id":"2","total":"NaN"}"#), "bad_amount @properties.total"),
        (with("infinite", r#"{"order_id":"2","total":1e999}"#), "bad_json @"),
        (with("twice", r#"{"order_id":"2","total":1,"total":2}"#), "duplicate_key @"),
        (with("deep", &format!("{}1{}", "[".repeat(64), "]".repeat(64))), "too_deep @"),
        ("[".repeat(30_000).into_bytes(), "too_deep @"),
        (with("long", &format!(r#"{{"order_id":"2","note":"{}"}}"#, "x".repeat(40_000))), "item_too_large @"),
        (with("huge", r#"{"order_id":"2","total":"1e40"}"#), "amount_too_large @properties.total"),
        (
            with("pieces", r#"{"order_id":"2","products":[{"quantity":1e18}]}"#),
            "amount_too_large @properties.products[0].quantity",
        ),
        (with("nul", r#"{"order_id":"5","store_id":"a\u0000b"}"#), "bad_text @properties.store_id"),
        (with("nul", r#"{"order_id":"5","touchpoint":"\u0000"}"#), "bad_text @properties.touchpoint"),
        (with("nul", r#"{"order_id":"5","channel":"\u0000"}"#), "bad_text @properties.channel"),
        (b"{\"type\":\"track\",\"event\":\"\xff\xfe\"}".to_vec(), "not_utf8 @"),
        (b"{\"type\":\"track\"".to_vec(), "bad_json @"),
        (b"42".to_vec(), "bad_item @"),
        (b"null".to_vec(), "bad_item @"),
        (b"{} {}".to_vec(), "bad_json @"),
        (b"   ".to_vec(), ""),
        (b"".to_vec(), ""),
        (good(3), ""),
    ];
    let home = Home::new(SHIPPED).await;
    let bytes = lines.iter().map(|(line, _)| line.clone()).collect::<Vec<_>>().join(&b'\n');
    let (tally, rejects) = imported(&home, bytes).await;
    let got: Vec<_> = rejects.iter().map(|r| (r.line, format!("{} @{}", r.code, r.field))).collect();
    let expected: Vec<_> = (1u64..)
        .zip(&lines)
        .filter(|(_, (_, reason))| !reason.is_empty())
        .map(|(line, (_, reason))| (line, (*reason).to_owned()))
        .collect();
    assert_eq!(got, expected);
    assert!(rejects.iter().all(|reject| reject.item.chars().count() <= 1000));
    assert_eq!((tally.accepted, tally.rejected), (2, 17));
    assert_eq!(home.member("ann").await.orders, (2, 2000));
    home.healthy().await;
}

#[tokio::test]
async fn what_is_odd_but_well_formed_is_a_right_result_or_a_named_dead_letter() {
    let home = Home::new(SHIPPED).await;
    let items = [
        with("🎁", r#"{"order_id":"🎁 1","total":"12.345","store_id":"店"}"#),
        with("numbers", r#"{"order_id":7,"total":1e2}"#),
        with("18 zeros", r#"{"order_id":"8","total":1000000000000000000}"#),
        with("18 zeros of tax", r#"{"order_id":"8","total":"1","tax":"1000000000000000000"}"#),
        with("lots of lots", r#"{"order_id":"8","products":[{"quantity":1e12,"price":"1e12"}]}"#),
        with("13 digits", r#"{"order_id":"8","total":"9999999999999.99"}"#),
        with("10 digits", r#"{"order_id":"9","total":"9999999999.99"}"#),
        with("zero", r#"{"order_id":"10","total":0}"#),
        with("fraction", r#"{"order_id":"11","products":[{"product_id":"fish","quantity":0.333,"price":"3"}]}"#),
        br#"{"type":"identify","userId":"ann","messageId":"old","timestamp":"1969-07-20T20:17:40Z","traits":{"a\"|~":"\u0001","x":[1,{}]}}"#.to_vec(),
    ];
    let (tally, rejects) = imported(&home, items.join(&b'\n')).await;
    assert!(rejects.is_empty(), "{rejects:?}");
    assert_eq!((tally.accepted, tally.decided), (10, 10));
    assert_eq!(
        home.refusals().await,
        [
            "18 zeros: amount_too_large @properties.total",
            "18 zeros of tax: amount_too_large @properties.tax",
            "lots of lots: amount_too_large @properties.products[0].price",
            "13 digits: amount_too_large @properties.total",
        ]
    );
    // ¥12.35 + ¥100 + ¥9,999,999,999.99 + ¥0 + ¥1.00
    assert_eq!(home.member("ann").await.orders, (5, 1235 + 10_000 + 999_999_999_999 + 100));
    home.healthy().await;
}

#[tokio::test]
async fn an_import_that_is_run_again_changes_nothing() {
    let home = Home::new(SHIPPED).await;
    let bytes = || (1..50).map(good).collect::<Vec<_>>().join(&b'\n');
    imported(&home, bytes()).await;
    let before = home.digest().await;
    let (tally, _) = imported(&home, bytes()).await;
    assert_eq!((tally.accepted, tally.duplicates), (0, 49));
    assert_eq!(home.digest().await, before);
}

#[tokio::test]
async fn an_empty_file_is_an_empty_import() {
    let home = Home::new(SHIPPED).await;
    for bytes in [b"".to_vec(), b"\n\n \r\n".to_vec(), b"\xef\xbb\xbf".to_vec()] {
        let (tally, rejects) = imported(&home, bytes).await;
        assert_eq!((tally.read, rejects.len()), (0, 0));
    }
}

#[tokio::test]
async fn nobody_fills_the_books_until_they_overflow() {
    let home = Home::new(SHIPPED).await;
    // The largest amount there is, from so many that a sum of larger ones would not fit.
    for part in 0..10 {
        let given = |i| {
            let (id, who) = (format!("a{part}-{i}"), format!("m{}", i % 5));
            crate::items::adjust(&id, &who, "2017-03-01T04:00:00Z", 1_000_000_000_000)
        };
        home.accept(&(0..1000).map(given).collect::<Vec<_>>()).await;
    }
    home.settle().await;
    assert!(home.refusals().await.is_empty());
    assert_eq!(home.points("m0").await.active, 2_000_000_000_000_000);
    home.healthy().await;
}
