//! Bounds: what is too large, too many, too deep, too slow or too much at once is refused by name, and nothing of it is taken.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zhiyin_engine::delivery::Terms;
use zhiyin_server::Bounds;

use crate::home::Home;
use crate::{quiet, said, track};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn padded(n: usize) -> Value {
    json!({"type": "page", "userId": "u", "properties": {"pad": "x".repeat(n)}})
}

fn pages(n: usize) -> String {
    let page = |n: usize| json!({"type": "page", "userId": "u", "messageId": format!("p{n}")}).to_string();
    format!("{{\"batch\":[{}]}}", (0..n).map(page).collect::<Vec<_>>().join(","))
}

#[tokio::test]
async fn what_is_too_large_or_does_not_read_is_refused_whole_and_by_name() {
    let home = quiet().await;
    let batch = |items: &[Value]| json!({ "batch": items }).to_string().into_bytes();
    let deep = format!(r#"{{"userId":"u","event":"X","properties":{}1{}}}"#, "[".repeat(40), "]".repeat(40));
    let shared = json!({"batch": vec![json!({"type": "page", "userId": "u"}); 2_000], "context": {"pad": "x".repeat(1_000)}});
    let rows: [(&str, Vec<u8>, &str, u16, &str); 24] = [
        ("/v1/track", padded(32 * 1024).to_string().into_bytes(), "", 413, "item_too_large"),
        ("/v1/batch", batch(&[padded(1), padded(32 * 1024)]), "", 413, "item_too_large"),
        ("/v1/batch", batch(&vec![padded(30 * 1024); 18]), "", 413, "batch_too_large"),
        ("/v1/batch", shared.to_string().into_bytes(), "", 413, "batch_too_large"),
        ("/v1/batch", gzip(&vec![b' '; 50_000_000]), "gzip", 413, "unpacked_too_large"),
        ("/v1/batch", gzip(pages(3).as_bytes())[..40].to_vec(), "gzip", 400, "bad_compression"),
        ("/v1/batch", b"\x28\xb5\x2f\xfd".to_vec(), "zstd", 415, "encoding_unknown"),
        ("/v1/batch", pages(2_501).into_bytes(), "", 400, "too_many_items"),
        ("/v1/batch", b"".to_vec(), "", 400, "bad_json"),
        ("/v1/batch", b"{\"batch\":[".to_vec(), "", 400, "bad_json"),
        ("/v1/batch", b"{\"batch\":[]} x".to_vec(), "", 400, "bad_json"),
        ("/v1/batch", b"\"batch\"".to_vec(), "", 400, "bad_json"),
        ("/v1/batch", b"{\"batch\":[{\"a\":\"\xff\"}]}".to_vec(), "", 400, "not_utf8"),
        ("/v1/batch", b"{\"batch\":[],\"batch\":[]}".to_vec(), "", 400, "duplicate_key"),
        ("/v1/batch", b"{\"batch\":{}}".to_vec(), "", 400, "bad_batch"),
        ("/v1/batch", b"{}".to_vec(), "", 400, "batch_missing"),
        ("/v1/batch", b"{\"batch\":[],\"context\":{\"a\":1,\"a\":2}}".to_vec(), "", 400, "duplicate_key"),
        ("/v1/track", deep.into_bytes(), "", 400, "too_deep"),
        ("/v1/track", "[".repeat(30_000).into_bytes(), "", 400, "bad_json"),
        ("/v1/track", b"{\"userId\":\"u\",\"userId\":\"v\"}".to_vec(), "", 400, "duplicate_key"),
        (
            "/v1/track",
            b"{\"userId\":\"u\",\"event\":\"X\",\"properties\":{\"n\":1e999}}".to_vec(),
            "",
            400,
            "bad_json",
        ),
        ("/v1/track", b"{\"userId\":\"u\",\"n\":NaN}".to_vec(), "", 400, "bad_json"),
        ("/batch/", b"{\"batch\":7}".to_vec(), "", 400, "bad_batch"),
        ("/e/", b"{\"event\":\"X\",\"event\":\"Y\"}".to_vec(), "", 400, "duplicate_key"),
    ];
    for (path, body, encoding, status, code) in rows {
        let headers: &[(&str, &str)] =
            if encoding.is_empty() { &[] } else { &[("content-encoding", encoding)] };
        let answer = home.send_bytes(&home.owner, path, &body, headers).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{path} {shown}: {}",
            answer.text()
        );
        assert_eq!(answer.json()["status"], status);
    }
    assert!(!home.engine.store().any_waiting().await.unwrap(), "nothing of it was taken");
    // Up to the bounds all is well, compressed or not, whatever the type of content is said to be.
    assert_eq!(
        said(&home.send_bytes(&home.owner, "/v1/batch", pages(2_500).as_bytes(), &[]).await).len(),
        2_500
    );
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = home.send_bytes(&home.owner, "/v1/batch", &gzip(pages(3).as_bytes()), &form).await;
    assert_eq!(said(&answer), ["duplicate"; 3]);
    home.end().await;
}

#[tokio::test]
async fn a_bad_item_does_not_keep_the_others_out() {
    let home = quiet().await;
    let good = |id: &str| track("u", id, "X", json!({})).to_string();
    let bad = [
        (r#"{"type":"track","userId":"u"}"#, "event_missing @event"),
        (r#"{"type":"trick","userId":"u"}"#, "type_unknown @type"),
        (r#"{"userId":"u"}"#, "type_missing @type"),
        (r#"{"type":"page"}"#, "nobody @userId"),
        (r#"{"type":"page","userId":null,"anonymousId":null}"#, "nobody @userId"),
        (r#"{"type":"page","userId":"0000"}"#, "identifier_blocked @userId"),
        (r#"{"type":"page","userId":{}}"#, "bad_identifier @userId"),
        (r#"{"type":"page","userId":"u","userId":"v"}"#, "duplicate_key"),
        (r#"{"type":"page","userId":"u","n":1e999}"#, "bad_json"),
        (r#"{"type":"page","userId":"u","timestamp":"yesterday"}"#, "bad_timestamp @timestamp"),
        (
            r#"{"type":"page","userId":"u","timestamp":"2999-01-01T00:00:00Z"}"#,
            "event_from_the_future @timestamp",
        ),
        ("7", "bad_item"),
        ("null", "bad_item"),
        (
            r#"{"type":"track","userId":"u","event":"Order Completed","properties":{"order_id":"1","total":"NaN"}}"#,
            "bad_amount @properties.total",
        ),
        (
            r#"{"type":"track","userId":"u","event":"Order Completed","properties":{"order_id":"1","total":1e30}}"#,
            "amount_too_large @properties.total",
        ),
    ];
    let deep = format!(r#"{{"type":"page","userId":"u","a":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    let mut items = vec![good("g1")];
    items.extend(bad.map(|(item, _)| item.to_owned()));
    items.extend([deep, good("g2"), good("g1"), good("g1").replace("\"X\"", "\"Y\"")]);
    let body = format!("{{\"batch\":[{}]}}", items.join(","));
    let answer = home.send_bytes(&home.owner, "/v1/batch", body.as_bytes(), &[]).await;
    let mut expected = vec!["accepted"];
    expected.extend(bad.map(|(_, code)| code));
    expected.extend(["too_deep", "accepted", "duplicate", "message_id_reused @messageId"]);
    assert_eq!(said(&answer), expected);
    assert_eq!(answer.header("preference-applied"), Some("return=representation"));
    assert_eq!(answer.json()["results"][0]["messageId"], "g1");
    // Who does not ask is told what Segment says.
    let headers = [("authorization", home.owner.as_str())];
    let answer = home.ask("POST", "/v1/batch", &headers, body.as_bytes()).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"success": true, "status": 1})));
    home.end().await;
}

#[tokio::test]
async fn while_the_inbox_is_behind_nobody_is_let_in_but_told_when_to_come_back() {
    let terms = Terms { waiting_max: 20, ..Terms::default() };
    let home = Home::within(5_000, false, Bounds { terms, ..Bounds::default() }).await;
    let batch = |n: usize| {
        let page = |i: usize| json!({"type": "page", "userId": "u", "messageId": format!("{n}-{i}")});
        json!({"batch": (0..10).map(page).collect::<Vec<_>>()})
    };
    let mut taken = 0;
    let refused = loop {
        let answer = home.send(&home.owner, "/v1/batch", &batch(taken)).await;
        if answer.status != 200 {
            break answer;
        }
        taken += 1;
        assert!(taken < 10, "it goes on and on");
    };
    assert_eq!((refused.status, refused.code().as_str()), (429, "inbox_behind"));
    assert_eq!(refused.header("retry-after"), Some("5"));
    assert!(taken >= 2, "{taken}");
    // A body with the key in it learns it, too; a stranger does not.
    let mut body = batch(99);
    body["writeKey"] = home.owner.clone().into();
    assert_eq!(home.ask("POST", "/v1/batch", &[], body.to_string().as_bytes()).await.code(), "inbox_behind");
    assert_eq!(home.ask("POST", "/v1/batch", &[], batch(99).to_string().as_bytes()).await.status, 401);
    home.end().await;
}

#[tokio::test]
async fn what_is_too_much_at_once_is_refused_at_once() {
    let home = Home::within(5_000, false, Bounds { at_work: 0, ..Bounds::default() }).await;
    let answer = home.send(&home.owner, "/v1/batch", &json!({"batch": [padded(1)]})).await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "too_many_deliveries"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    home.end().await;
    let home = Home::within(1, false, Bounds::default()).await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        let answer = home.send(&home.owner, "/v1/batch", &json!({"batch": [padded(1)]})).await;
        codes.push(if answer.status == 200 { String::new() } else { answer.code() });
    }
    assert!(codes.contains(&"too_many_requests".to_owned()), "{codes:?}");
    home.end().await;
}

#[tokio::test]
async fn whoever_sends_slowly_is_cut_off_and_keeps_nobody_out() {
    let bounds = Bounds { at_work: 1, body_within: Duration::from_millis(150), ..Bounds::default() };
    let home = Home::within(5_000, false, bounds).await;
    let mut slow = Vec::new();
    for key in [home.owner.as_str(), "none"] {
        for _ in 0..8 {
            let mut stream = TcpStream::connect(home.address).await.unwrap();
            let head = format!(
                "POST /v1/batch HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {key}\r\ncontent-length: 400000\r\n\r\n{{"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            slow.push((key, stream));
        }
    }
    let answer = home.send(&home.owner, "/v1/batch", &json!({"batch": [padded(1)]})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    for (key, mut stream) in slow {
        let mut got = vec![0; 2_048];
        let n = stream.read(&mut got).await.unwrap();
        let got = String::from_utf8_lossy(&got[..n]).into_owned();
        assert!(got.starts_with("HTTP/1.1 408"), "{key}: {got}");
    }
    home.end().await;
}
