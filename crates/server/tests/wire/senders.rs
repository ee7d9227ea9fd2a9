//! Who may send, and what: keys wherever clients put them, servers and keys that lie open, aliases.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zhiyin_engine::keys;
use zhiyin_model::event::{Identifier, names};
use zhiyin_model::role::{Grant, Operation, Role};

use crate::home::Home;
use crate::{quiet, track};

#[tokio::test]
async fn a_key_is_taken_wherever_clients_put_it_and_nothing_is_without_one() {
    let home = quiet().await;
    let key = home.owner.clone();
    let page = json!({"type": "page", "userId": "u"});
    let batch = json!({"batch": [page]});
    let basic = |text: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    };
    let headers = [
        ("authorization", basic(&format!("{key}:"))),
        ("authorization", basic(&key)),
        ("authorization", format!("Bearer {key}")),
        ("authorization", key.clone()),
        ("x-write-key", key.clone()),
        ("x-write-key", format!("jitsu:{key}")),
    ];
    for (name, value) in &headers {
        let answer = home.ask("POST", "/v1/batch", &[(name, value)], batch.to_string().as_bytes()).await;
        assert_eq!((answer.status, answer.json()["success"].as_bool()), (200, Some(true)), "{name}: {value}");
    }
    for (path, body) in [
        ("/v1/batch", json!({"batch": [page], "writeKey": key})),
        ("/v1/track", json!({"userId": "u", "event": "X", "writeKey": key})),
        ("/batch/", json!({"batch": [{"event": "X", "distinct_id": "u"}], "api_key": key})),
        ("/e/", json!([{"event": "X", "properties": {"distinct_id": "u", "token": key}}])),
        ("/capture/", json!({"event": "X", "distinct_id": "u", "api_key": key})),
    ] {
        let answer = home.ask("POST", path, &[], body.to_string().as_bytes()).await;
        assert_eq!(answer.status, 200, "{path} {}", answer.text());
    }
    let query = format!("/beacon/v1/batch?writeKey={key}");
    assert_eq!(home.ask("POST", &query, &[], batch.to_string().as_bytes()).await.status, 200);

    // A stranger is told the same whatever is sent.
    let wrong = format!("{}{}", &key[..key.len() - 1], if key.ends_with('a') { "b" } else { "a" });
    for body in [batch.to_string().as_bytes(), b"{", b"\xff", b"[[[", b"", &[0x1f, 0x8b, 0]] {
        for path in ["/v1/batch", "/v1/track", "/batch/", "/api/s/track"] {
            let answer = home.ask("POST", path, &[], body).await;
            assert_eq!((answer.status, answer.code().as_str()), (401, "key_missing"), "{path} {body:?}");
            let answer = home.ask("POST", path, &[("authorization", &wrong)], body).await;
            assert_eq!((answer.status, answer.code().as_str()), (401, "key_unknown"), "{path} {body:?}");
        }
    }
    let masked = json!({"batch": [page], "writeKey": "zy_0123:***"});
    let answer = home.ask("POST", "/v1/batch", &[], masked.to_string().as_bytes()).await;
    assert_eq!(answer.code(), "key_missing");
    // Clients of the family look for these.
    let answer = home.ask("POST", "/v1/batch", &[], b"{}").await.json();
    assert!(answer["message"].is_string() && answer["detail"].is_string() && answer["code"].is_string());
    home.end().await;
}

#[tokio::test]
async fn a_key_for_something_else_and_one_that_ended_send_nothing() {
    let home = quiet().await;
    let page = json!({"batch": [{"type": "page", "userId": "u"}]});
    for role in [Role::Marketer, Role::Analyst, Role::StoreManager, Role::Advisor, Role::Cashier] {
        let key = home.key(role, Some("330"), Some("ann")).await;
        let answer = home.send(&key, "/v1/batch", &page).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "operation_refused"), "{role}");
    }
    let narrowed = BTreeSet::from([Operation::ReportsRead]);
    let key = home.key_only(Role::Owner, None, None, Some(narrowed)).await;
    assert_eq!(home.send(&key, "/v1/batch", &page).await.code(), "key_narrowed");
    let key = home.key(Role::Public, None, None).await;
    assert_eq!(home.send(&key, "/v1/batch", &page).await.status, 200);
    let by = Grant::system("test");
    keys::revoke(home.engine.store().as_ref(), &by, keys::id_of(&key).unwrap()).await.unwrap();
    let answer = home.send(&key, "/v1/batch", &page).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "key_revoked"));
    home.end().await;
}

#[tokio::test]
async fn a_key_that_lies_open_says_nothing_that_earns_spends_or_binds_others() {
    let home = quiet().await;
    let open = home.key(Role::Public, None, None).await;
    // An owner's key that was narrowed to what pages may send is no more than that.
    let narrowed = BTreeSet::from([Operation::IngestPublic]);
    let narrowed = home.key_only(Role::Owner, None, None, Some(narrowed)).await;
    let order = json!({"order_id": "1", "total": 10});
    for key in [&open, &narrowed] {
        for (n, event) in
            names::SERVER_ONLY.into_iter().chain(["Completed Order", "Refunded Order"]).enumerate()
        {
            // What is said of an order is read before who says it.
            let said = home.batch(key, json!([track("u", &format!("s{n}"), event, order.clone())])).await;
            let expected = match event {
                names::MEMBER_TAKEN_OVER => continue,
                _ => ["event_server_only @event"],
            };
            assert_eq!(said, expected, "{event}");
        }
        let preferences = |whom: &str| {
            json!([{"type": "track", "event": "Segment Consent Preference Updated", whom: "b1",
                "context": {"consent": {"categoryPreferences": {"Advertising": true}}}}])
        };
        assert_eq!(home.batch(key, preferences("userId")).await, ["consent_of_others @userId"]);
        assert_eq!(home.batch(key, preferences("anonymousId")).await.len(), 1);
        for event in ["Product Viewed", "Order Viewed", "Checkout Started"] {
            assert_eq!(home.batch(key, json!([track("u", event, event, json!({}))])).await, ["accepted"]);
        }
    }
    // A server may say all of it, but for what only this home states.
    let said = home.batch(&home.owner, json!([track("u", "o", "Order Completed", order)])).await;
    assert_eq!(said, ["accepted"]);
    for (n, event) in ["Tier Changed", "Members Merged", "Members Unmerged"].into_iter().enumerate() {
        let said = home.batch(&home.owner, json!([track("u", &format!("r{n}"), event, json!({}))])).await;
        assert_eq!(said, ["event_reserved @event"], "{event}");
    }
    home.end().await;
}

fn alias(user: &str, previous: &str) -> Value {
    json!([{"type": "alias", "userId": user, "previousId": previous}])
}

#[tokio::test]
async fn an_alias_of_a_server_links_and_merges_as_far_as_it_is_trusted() {
    let home = quiet().await;
    let only = |operations: &[Operation]| Some(operations.iter().copied().collect::<BTreeSet<_>>());
    let plain = home.key_only(Role::Owner, None, None, only(&[Operation::IngestWrite])).await;
    let open = home.key(Role::Public, None, None).await;
    let view = |whom: &str, name: &str| {
        let id = format!("{whom}-{name}");
        json!([{"type": "track", "event": "Product Viewed", whom: name, "messageId": id}])
    };
    let one = async |a: &str, b: &str| {
        let (a, b) = (home.engine.named(a).await.unwrap(), home.engine.named(b).await.unwrap());
        a.is_some() && a == b
    };
    // What is nobody's yet becomes theirs, by whichever name it will come.
    home.batch(&plain, alias("u1", "p1")).await;
    home.decide().await;
    assert!(one("user:u1", "anonymous:p1").await && one("user:u1", "user:p1").await);
    // Who was nobody in particular is them.
    home.batch(&plain, view("anonymousId", "p2")).await;
    home.batch(&plain, alias("u2", "p2")).await;
    home.decide().await;
    assert!(one("user:u2", "anonymous:p2").await);
    // Two who are known stay two, unless who says so may merge.
    for (whom, key, merged) in [("anonymousId", &plain, false), ("userId", &plain, false)]
        .into_iter()
        .chain([("anonymousId", &home.owner, true), ("userId", &home.owner, true)])
    {
        let (user, previous) = (format!("u-{whom}-{merged}"), format!("p-{whom}-{merged}"));
        home.batch(&plain, view("userId", &user)).await;
        home.batch(&plain, view(whom, &previous)).await;
        home.decide().await;
        home.batch(key, alias(&user, &previous)).await;
        home.decide().await;
        let namespace = if whom == "userId" { "user" } else { "anonymous" };
        let names = (format!("user:{user}"), format!("{namespace}:{previous}"));
        assert_eq!(one(&names.0, &names.1).await, merged, "{names:?}");
    }
    // Whoever was parted by a person stays parted.
    let identifier = |value: &str| Identifier { namespace: "user".to_owned(), value: value.to_owned() };
    home.engine.unmerge(&[identifier("p-userId-true")], "two people").await.unwrap();
    home.batch(&home.owner, alias("u-userId-true", "p-userId-true")).await;
    home.decide().await;
    assert!(!one("user:u-userId-true", "user:p-userId-true").await);
    // A key that lies open has its alias stored, and that is all.
    assert_eq!(home.batch(&open, alias("u9", "p9")).await, ["accepted"]);
    home.decide().await;
    assert!(home.engine.named("user:u9").await.unwrap().is_some());
    for name in ["user:p9", "anonymous:p9"] {
        assert_eq!(home.engine.named(name).await.unwrap(), None, "{name}");
    }
    home.end().await;
}

#[tokio::test]
async fn a_page_of_another_origin_may_ask_and_send() {
    let home = quiet().await;
    let asked = [
        ("origin", "https://shop.test"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type,anonymousid"),
    ];
    for path in ["/v1/t", "/v1/batch", "/batch/", "/api/s/track", "/beacon/v1/batch"] {
        let answer = home.ask("OPTIONS", path, &asked, b"").await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.test"));
        assert_eq!(answer.header("access-control-allow-headers"), Some(asked[2].1));
        assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
    }
    let open = home.key(Role::Public, None, None).await;
    let body = json!({"userId": "u", "event": "X", "writeKey": open}).to_string();
    let headers = [("origin", "https://shop.test"), ("content-type", "text/plain")];
    let answer = home.ask("POST", "/v1/t", &headers, body.as_bytes()).await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, Some("https://shop.test"))
    );
    // What is refused can be read by the page, too.
    let answer = home.ask("POST", "/v1/t", &headers, b"{}").await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (401, Some("https://shop.test"))
    );
    home.end().await;
}

#[tokio::test]
async fn every_address_takes_what_its_clients_send() {
    let home: Home = quiet().await;
    let item = json!({"userId": "u", "event": "X", "previousId": "p", "groupId": "g"});
    let batch = json!({"batch": [{"type": "page", "userId": "u"}]});
    let posthog = json!({"batch": [{"event": "X", "distinct_id": "u"}]});
    let mut addresses: Vec<(String, &Value)> = Vec::new();
    for kind in ["identify", "track", "page", "screen", "group", "alias"] {
        for prefix in ["/v1", "/api/s", "/api/s/s2s", "/api/public/apps"] {
            addresses.push((format!("{prefix}/{kind}"), &item));
        }
        addresses.push((format!("/v1/{}", &kind[..1]), &item));
    }
    for path in
        ["/v1/batch", "/v1/import", "/v1/b", "/beacon/v1/batch", "/api/s/s2s/batch", "/api/public/apps/batch"]
    {
        addresses.push((path.to_owned(), &batch));
    }
    for path in ["/batch/", "/batch", "/capture/", "/e/", "/i/v0/e/"] {
        addresses.push((path.to_owned(), &posthog));
    }
    for (path, body) in addresses {
        let answer = home.send(&home.owner, &path, body).await;
        assert_eq!(crate::said(&answer), ["accepted"], "{path}");
        assert_eq!(home.ask("GET", &path, &[], b"").await.status, 405, "{path}");
    }
    home.end().await;
}

/// The list in docs/clients.md is the one that is asked.
#[test]
fn what_an_open_key_may_not_say_is_written_down() {
    let page = include_str!("../../../../docs/clients.md");
    let listed = page.split("<!-- server only: generated -->").nth(1).unwrap();
    let listed = listed.split("<!--").next().unwrap().trim();
    let expected: Vec<String> = names::SERVER_ONLY.iter().map(|name| format!("`{name}`")).collect();
    assert_eq!(listed, expected.join(", "));
}
