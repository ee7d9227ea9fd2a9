//! What is read: by name, whole, page by page; every answer is what the document says.

use serde_json::{Value, json};
use zhiyin_model::role::Role;

use crate::home::Home;
use crate::valid::wrongs;

/// The answer of the owner's reading, which must be there and be what the document says.
async fn read(home: &Home, document: &Value, operation: &str, path: &str) -> Value {
    let answer = home.as_key(&home.owner, "GET", path, &Value::Null).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    let of = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .find(|methods| methods["get"]["operationId"] == operation)
        .unwrap_or_else(|| panic!("no operation {operation}"));
    let schema = &of["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    let json = answer.json();
    assert_eq!(wrongs(document, schema, &json, operation), Vec::<String>::new(), "{path}: {json:#}");
    json
}

#[tokio::test]
async fn what_is_read_is_what_the_document_says() {
    let home = Home::new().await;
    let document = home.ask("GET", "/openapi.json", &[], b"").await.json();
    let id = home.member("13912345678", 500).await;
    home.member("13912345679", 5).await;
    let member = json!({"namespace": "phone", "value": "13912345678"});
    let spent = home.command("points/spend", "s", json!({"member": member, "amount": 20})).await;
    assert_eq!(spent.status, 200, "{}", spent.text());
    let list =
        async |query: &str| read(&home, &document, "members_list", &format!("/v1/members{query}")).await;
    for name in ["%E5%BC%A0", "zw", "ZhangWei", "zhang+wei"] {
        let listed = list(&format!("?name={name}")).await;
        assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{name}");
        assert_eq!(listed["items"][0]["name"], "张伟");
    }
    assert_eq!(list("?name=li").await["items"], json!([]));
    let first = list("?limit=1").await;
    let second = list(&format!("?limit=1&cursor={}", first["next"].as_str().unwrap())).await;
    assert_ne!(first["items"], second["items"]);
    assert_eq!(second["next"], Value::Null);

    let of = |rest: &str| format!("/v1/members/{id}{rest}");
    let whole = read(&home, &document, "members_read", &of("")).await;
    assert_eq!((&whole["name"], &whole["accounts"][0]["shown"]), (&json!("张伟"), &json!(480)));
    assert_eq!(whole["tier"]["next"]["level"], "silver");
    let timeline = read(&home, &document, "members_timeline", &of("/timeline?kinds=points")).await;
    assert_eq!(timeline["items"][0]["event"], "Points Spent");
    assert_eq!(timeline["items"][0]["transfers"][0]["moved"], -20);
    read(&home, &document, "members_orders", &of("/orders")).await;
    let lots = read(&home, &document, "members_lots", &of("/lots")).await;
    assert_eq!(lots["items"][0]["remaining"], 480);
    for (operation, path) in [
        ("reports_read", "/v1/reports/tiers"),
        ("reports_read", "/v1/reports/lifecycle"),
        ("reports_read", "/v1/reports/ledger"),
        ("reports_read", "/v1/reports/members"),
        ("reports_read", "/v1/reports/places"),
        ("reports_read", "/v1/reports/partners"),
        ("partners_read", "/v1/partners"),
        ("duplicates_list", "/v1/duplicates?state=all"),
        ("ingest_health", "/v1/ingest/health"),
        ("dead_letters_list", "/v1/dead-letters"),
        ("given_up_list", "/v1/given-up"),
        ("places_list", "/v1/places"),
        ("places_unknown", "/v1/places/unknown"),
        ("playbooks_list", "/v1/playbooks"),
        ("playbooks_read", "/v1/playbooks/live"),
        ("playbooks_read", "/v1/playbooks/1"),
        ("audit_list", "/v1/audit?limit=2"),
        ("audit_verify", "/v1/audit/verify"),
        ("home_doctor", "/v1/doctor"),
        ("home_digest", "/v1/digest"),
    ] {
        read(&home, &document, operation, path).await;
    }
    let health = read(&home, &document, "ingest_health", "/v1/ingest/health").await;
    assert_eq!((&health["waiting"], &health["oldest_seconds"]), (&json!(0), &json!(0)));
    home.end().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_name() {
    let home = Home::new().await;
    let id = home.member("13912345678", 5).await;
    let analyst = home.key(Role::Analyst, None, None).await;
    let manager = home.key(Role::StoreManager, Some("330"), Some("ann")).await;
    let nobody = "00000000000000000000000000000000";
    let rows: Vec<(&str, String, u16, &str, &str)> = vec![
        (&home.owner, format!("/v1/members/{nobody}"), 404, "member_unknown", ""),
        (&home.owner, "/v1/members/xyz".to_owned(), 404, "member_unknown", ""),
        (&home.owner, format!("/v1/members/{nobody}/orders"), 404, "member_unknown", ""),
        (&home.owner, format!("/v1/members/{id}/timeline?kinds=order,dance"), 400, "bad_query", "kinds"),
        (&home.owner, "/v1/members?limit=0".to_owned(), 400, "bad_query", "limit"),
        (&home.owner, "/v1/members?limit=201".to_owned(), 400, "bad_query", "limit"),
        (&home.owner, "/v1/members?limit=many".to_owned(), 400, "bad_query", "limit"),
        (&home.owner, "/v1/members?limit=99999999".to_owned(), 400, "bad_query", "limit"),
        (&home.owner, "/v1/members?cursor=00".to_owned(), 400, "bad_cursor", "cursor"),
        (&home.owner, "/v1/members?name=%21".to_owned(), 400, "bad_query", "name"),
        (&home.owner, "/v1/members?name=".to_owned(), 400, "bad_query", "name"),
        (&home.owner, "/v1/members?tier=".to_owned(), 400, "bad_query", "tier"),
        (&home.owner, "/v1/members?more=1".to_owned(), 400, "bad_query", "more"),
        (&analyst, "/v1/members?name=zhang".to_owned(), 403, "name_search_refused", "name"),
        (&home.owner, "/v1/reports/everything".to_owned(), 404, "report_unknown", ""),
        (&home.owner, "/v1/reports/tiers?as_of=yesterday".to_owned(), 400, "bad_query", "as_of"),
        (&home.owner, "/v1/reports/tiers?as_of=2999-01-01".to_owned(), 400, "as_of_future", ""),
        (&home.owner, "/v1/reports/tiers?under=nowhere".to_owned(), 404, "place_unknown", ""),
        (&home.owner, "/v1/reports/partners?under=330".to_owned(), 400, "bad_query", "under"),
        (&manager, "/v1/partners".to_owned(), 403, "outside_scope", ""),
        (&manager, "/v1/places/331".to_owned(), 404, "place_unknown", ""),
        (&home.owner, "/v1/playbooks/7".to_owned(), 404, "not_found", ""),
        (&home.owner, "/v1/duplicates?state=maybe".to_owned(), 400, "bad_query", "state"),
        (&home.owner, "/v1/duplicates/7".to_owned(), 404, "not_found", ""),
        (&home.owner, "/v1/audit?since=then".to_owned(), 400, "bad_query", "since"),
    ];
    for (key, path, status, code, field) in rows {
        let answer = home.as_key(key, "GET", &path, &Value::Null).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}: {}", answer.text());
        assert_eq!(answer.json()["field"].as_str().unwrap_or_default(), field, "{path}");
    }
    for (body, code) in [
        (json!({}), "bad_body"),
        (json!({"seqs": [], "all": false}), "bad_body"),
        (json!({"seqs": [1], "all": true}), "bad_body"),
        (json!({"seqs": [1], "code": "erased"}), "bad_body"),
        (json!({"seqs": ["1"]}), "bad_body"),
    ] {
        let answer = home.as_key(&home.owner, "POST", "/v1/dead-letters/retry", &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{body}: {}", answer.text());
    }
    let done = home.as_key(&home.owner, "POST", "/v1/dead-letters/retry", &json!({"seqs": [-1]})).await;
    assert_eq!(done.json(), json!({"put_back": 0, "more": false}));
    home.end().await;
}
