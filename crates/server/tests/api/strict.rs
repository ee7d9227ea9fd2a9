//! What is malformed is refused by name, with the field, and loses nothing.

use serde_json::json;

use crate::home::Home;

const MEMBER: &str = r#"{"namespace":"phone","value":"13912345678"}"#;

#[tokio::test]
async fn malformed_requests_are_refused_by_name() {
    let home = Home::new().await;
    home.member("13912345678", 500).await;
    let spend = |rest: &str| format!(r#"{{"member":{MEMBER},"amount":1{rest}}}"#).into_bytes();
    let deep = format!(r#","reference":{}{}"#, "[".repeat(100), "]".repeat(100));
    let rows: Vec<(Vec<u8>, u16, &str, &str)> = vec![
        (spend(""), 200, "", ""),
        (b"".to_vec(), 400, "bad_body", ""),
        (b"{".to_vec(), 400, "bad_json", ""),
        (b"[]".to_vec(), 400, "bad_body", ""),
        (b"null".to_vec(), 400, "bad_body", ""),
        (b"\xff\xfe".to_vec(), 400, "not_utf8", ""),
        ([b"{\"member\":\"", &[0xc3, 0x28][..], b"\"}"].concat(), 400, "not_utf8", ""),
        (spend(r#","amount":2"#), 400, "duplicate_key", ""),
        (spend(&deep), 422, "too_deep", ""),
        (spend(r#","reference":1e999"#), 400, "bad_json", ""),
        (spend(r#","more":1"#), 400, "bad_body", "more"),
        (spend(r#","reference":"\u0000""#), 422, "bad_text", "reference"),
        (spend(&format!(r#","reference":"{}""#, "x".repeat(256))), 422, "bad_text", "reference"),
        (spend(&format!(r#","reference":"{}""#, "x".repeat(70_000))), 413, "body_too_large", ""),
        (format!(r#"{{"member":{MEMBER},"amount":1.5}}"#).into_bytes(), 400, "bad_body", "amount"),
        (
            format!(r#"{{"member":{MEMBER},"amount":99999999999999999999}}"#).into_bytes(),
            400,
            "bad_body",
            "amount",
        ),
        (format!(r#"{{"member":{MEMBER},"amount":0}}"#).into_bytes(), 422, "bad_amount", "amount"),
        (format!(r#"{{"member":{MEMBER},"amount":-5}}"#).into_bytes(), 422, "bad_amount", "amount"),
        (
            format!(r#"{{"member":{MEMBER},"amount":9000000000000000000}}"#).into_bytes(),
            422,
            "bad_amount",
            "amount",
        ),
        (br#"{"member":{"namespace":"phone"},"amount":1}"#.to_vec(), 422, "bad_identifier", "member"),
        (br#"{"member":{"id":"xyz"},"amount":1}"#.to_vec(), 422, "bad_identifier", "member.id"),
        (
            br#"{"member":{"id":"00000000000000000000000000000000"},"amount":1}"#.to_vec(),
            404,
            "member_unknown",
            "member",
        ),
        (
            br#"{"member":{"namespace":"phone","value":"12"},"amount":1}"#.to_vec(),
            422,
            "phone_malformed",
            "member.value",
        ),
        (
            br#"{"member":{"namespace":"phone","value":"null"},"amount":1}"#.to_vec(),
            422,
            "identifier_blocked",
            "member.value",
        ),
    ];
    for (n, (body, status, code, field)) in rows.into_iter().enumerate() {
        let bearer = format!("Bearer {}", home.owner);
        let key = format!("k{n}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", key.as_str()),
        ];
        let answer = home.ask("POST", "/v1/commands/points/spend", &headers, &body).await;
        let shown = String::from_utf8_lossy(&body).chars().take(120).collect::<String>();
        assert_eq!(answer.status, status, "{shown}: {}", answer.text());
        if status != 200 {
            assert_eq!(answer.code(), code, "{shown}: {}", answer.text());
            assert_eq!(answer.json()["field"].as_str().unwrap_or_default(), field, "{shown}");
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        }
    }
    let left = home
        .as_key(
            &home.owner,
            "POST",
            "/v1/commands/members/lookup",
            &json!({"member": {"namespace": "phone", "value": "13912345678"}}),
        )
        .await;
    assert_eq!(left.json()["points"]["shown"], 499, "only the good one was done");
    home.end().await;
}

#[tokio::test]
async fn heads_and_queries_are_read_as_strictly() {
    let home = Home::new().await;
    let bearer = format!("Bearer {}", home.owner);
    let json = ("content-type", "application/json");
    let key = ("authorization", bearer.as_str());
    let spend = "/v1/commands/points/spend";
    let long = format!("/v1/keys?a={}", "x".repeat(5_000));
    type Row<'r> = (&'r str, &'r str, Vec<(&'r str, &'r str)>, u16, &'r str);
    let rows: Vec<Row<'_>> = vec![
        ("POST", spend, vec![key, json], 400, "idempotency_key_missing"),
        ("POST", spend, vec![key, json, ("idempotency-key", "a b")], 400, "bad_idempotency_key"),
        (
            "POST",
            spend,
            vec![key, ("content-type", "text/plain"), ("idempotency-key", "a")],
            415,
            "content_type_not_json",
        ),
        ("POST", "/v1/keys?x=1", vec![key, json], 400, "bad_query"),
        ("GET", "/v1/keys?x=1", vec![key], 400, "bad_query"),
        ("GET", "/v1/keys?x=1&x=2", vec![key], 400, "duplicate_key"),
        ("GET", &long, vec![key], 400, "bad_query"),
        ("DELETE", "/v1/keys", vec![key], 405, "method_not_allowed"),
        ("GET", "/v1/keys", vec![("authorization", "Basic !!!")], 401, "key_missing"),
    ];
    for (method, path, headers, status, code) in rows {
        let answer = home.ask(method, path, &headers, b"{}").await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{method} {path}: {}",
            answer.text()
        );
    }
    home.end().await;
}
