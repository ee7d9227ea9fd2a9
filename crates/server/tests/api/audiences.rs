//! Audiences over HTTP: every answer is what the document says, what is wrong is named in the reader's language, a list comes as
//! a file, and nobody counts whom they may not see.

use serde_json::{Value, json};
use zhiyin_model::role::Role;

use crate::home::Home;
use crate::valid::wrongs;

/// The answer of the owner's question, which must be there and be what the document says.
async fn asked(home: &Home, document: &Value, what: &str, body: Value) -> Value {
    let path = format!("/v1/audiences/{what}");
    let answer = home.as_key(&home.owner, "POST", &path, &body).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    let of = &document["paths"][path.as_str()]["post"];
    let schema = &of["responses"]["200"]["content"]["application/json"]["schema"];
    let json = answer.json();
    assert_eq!(wrongs(document, schema, &json, what), Vec::<String>::new(), "{path}: {json:#}");
    json
}

#[tokio::test]
async fn what_is_asked_is_answered_as_the_document_says() {
    let home = Home::new().await;
    let document = home.ask("GET", "/openapi.json", &[], b"").await.json();
    let id = home.member("13912345678", 500).await;
    home.member("13912345679", 5).await;
    let rich = "points >= 100";
    let count = asked(&home, &document, "count", json!({"condition": rich})).await;
    assert_eq!((&count["count"], count["took_ms"].is_number()), (&json!(1), true));
    let everybody = asked(&home, &document, "count", json!({"condition": "true"})).await["count"].clone();
    let explained = asked(&home, &document, "explain", json!({"condition": rich})).await;
    assert_eq!(explained["steps"].as_array().unwrap().len(), 1);
    let broken = asked(&home, &document, "breakdown", json!({"condition": "true", "by": "tier"})).await;
    assert_eq!(broken["count"], everybody);
    let over = asked(&home, &document, "overlap", json!({"conditions": ["true", rich]})).await;
    assert_eq!(over["counts"], json!([everybody, 1]));
    let sampled = asked(&home, &document, "sample", json!({"condition": rich, "size": 1})).await;
    assert_eq!(sampled["members"], json!([id]));
    let top = asked(&home, &document, "top", json!({"n": 1, "by": "points"})).await;
    assert_eq!(top["members"][0], json!({"member": id, "value": "500"}));
    let first = asked(&home, &document, "members", json!({"condition": "true", "limit": 1})).await;
    let rest = json!({"condition": "true", "limit": 1, "cursor": first["next"]});
    let second = asked(&home, &document, "members", rest).await;
    assert!(first["items"][0]["id"].as_str() < second["items"][0]["id"].as_str());
    let elsewhere = json!({"condition": rich, "limit": 1, "cursor": first["next"]});
    let answer = home.as_key(&home.owner, "POST", "/v1/audiences/members", &elsewhere).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad_cursor"));
    let why =
        home.as_key(&home.owner, "POST", &format!("/v1/members/{id}/why"), &json!({"condition": rich})).await;
    assert_eq!(why.status, 200, "{}", why.text());
    assert_eq!((&why.json()["holds"], &why.json()["parts"][0]["value"]), (&json!(true), &json!("500")));
}

#[tokio::test]
async fn saved_audiences_are_listed_and_read_with_how_many_they_have() {
    let home = Home::new().await;
    let document = home.ask("GET", "/openapi.json", &[], b"").await.json();
    home.member("13912345678", 500).await;
    let read = async |path: &str, at: &str| {
        let answer = home.as_key(&home.owner, "GET", path, &Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let of = &document["paths"][at]["get"];
        let schema = &of["responses"]["200"]["content"]["application/json"]["schema"];
        let json = answer.json();
        assert_eq!(wrongs(&document, schema, &json, path), Vec::<String>::new(), "{path}: {json:#}");
        json
    };
    let saved = read("/v1/audiences", "/v1/audiences").await;
    for audience in saved["items"].as_array().unwrap() {
        let path = format!("/v1/audiences/{}", audience["id"].as_str().unwrap());
        let one = read(&path, "/v1/audiences/{id}").await;
        assert_eq!(&one["audience"], audience);
        assert_eq!(one["now"]["count"].is_number(), !audience["who"].is_null(), "{path}");
    }
    let answer = home.as_key(&home.owner, "GET", "/v1/audiences/nobody-saved-it", &Value::Null).await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "audience_unknown"));
}

#[tokio::test]
async fn a_list_comes_as_a_file_and_is_masked() {
    let home = Home::new().await;
    home.member("13912345678", 500).await;
    let ask = json!({"condition": "points >= 100", "namespace": "phone"});
    let answer = home.as_key(&home.owner, "POST", "/v1/audiences/export", &ask).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/csv; charset=utf-8")));
    // It comes in chunks.
    let whole = answer.text();
    assert!(whole.contains("phone\n") && whole.contains("+8613912345678\n"), "{whole}");
    let marketer = home.key(Role::Marketer, None, None).await;
    let masked = home.as_key(&marketer, "POST", "/v1/audiences/export", &ask).await;
    assert!(masked.text().contains("+86139****5678\n") && !masked.text().contains("13912345678"));
    let analyst = home.key(Role::Analyst, None, None).await;
    let hidden = home.as_key(&analyst, "POST", "/v1/audiences/export", &ask).await;
    assert!(hidden.text().contains("member\n") && !hidden.text().contains("139"), "{}", hidden.text());
    let parquet = json!({"condition": "points >= 100", "namespace": "phone", "format": "parquet"});
    let answer = home.as_key(&home.owner, "POST", "/v1/audiences/export", &parquet).await;
    assert_eq!(answer.header("content-type"), Some("application/vnd.apache.parquet"));
    assert!(answer.text().contains("PAR1"));
}

#[tokio::test]
async fn what_is_wrong_is_named_in_the_readers_language() {
    let home = Home::new().await;
    home.member("13912345678", 500).await;
    for (what, body, status, code, field) in [
        ("count", json!({"condition": "tire == \"gold\""}), 400, "bad_condition", "condition"),
        ("count", json!({"condition": "@nobody"}), 404, "audience_unknown", "condition"),
        ("count", json!({"condition": "true", "as_of": "2999-01-01"}), 400, "as_of_future", ""),
        ("count", json!({"condition": "true", "as_of": "yesterday"}), 400, "bad_query", "as_of"),
        ("overlap", json!({"conditions": []}), 400, "too_many_audiences", "conditions"),
        ("breakdown", json!({"condition": "true", "by": "orders"}), 400, "bad_expression", "by"),
        ("breakdown", json!({"condition": "true", "by": "points", "step": "-1"}), 400, "bad_step", "step"),
        (
            "export",
            json!({"condition": "true", "namespace": "nothing"}),
            404,
            "namespace_unknown",
            "namespace",
        ),
        ("export", json!({"condition": "true", "format": "xlsx"}), 400, "bad_query", "format"),
        ("top", json!({"n": 0, "by": "points"}), 400, "too_many_members", "n"),
    ] {
        let answer = home.as_key(&home.owner, "POST", &format!("/v1/audiences/{what}"), &body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{what} {body}: {}",
            answer.text()
        );
        let said = answer.json();
        assert_eq!(said["field"].as_str().unwrap_or_default(), field, "{what} {body}");
    }
    let body = json!({"condition": "tire == \"gold\""}).to_string();
    let bearer = format!("Bearer {}", home.owner);
    let head =
        "POST /v1/audiences/count HTTP/1.1\r\nhost: test\r\nconnection: close\r\naccept-language: zh-CN\r\n";
    let more = format!("authorization: {bearer}\r\ncontent-type: application/json\r\n");
    let answer =
        home.raw(format!("{head}{more}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    assert_eq!(answer.json()["title"], "人群条件不合法");
}

#[tokio::test]
async fn lists_are_uploaded_read_and_removed() {
    let home = Home::new().await;
    let document = home.ask("GET", "/openapi.json", &[], b"").await.json();
    for (phone, points) in [("13912345678", 500), ("13912345679", 5)] {
        home.member(phone, points).await;
    }
    let said = async |key: &str, method: &str, path: &str, body: &Value| {
        let answer = home.as_key(key, method, path, body).await;
        let template = match path {
            "/v1/lists/press/members" => "/v1/lists/{name}/members",
            "/v1/lists/press" => "/v1/lists/{name}",
            path => path,
        };
        if answer.status == 200 {
            let of = &document["paths"][template][method.to_ascii_lowercase()];
            let schema = &of["responses"]["200"]["content"]["application/json"]["schema"];
            assert_eq!(
                wrongs(&document, schema, &answer.json(), path),
                Vec::<String>::new(),
                "{}",
                answer.text()
            );
        }
        answer
    };
    let phones = |phones: &[&str]| {
        let values: Vec<Value> = phones.iter().map(|phone| json!({"value": phone})).collect();
        json!({"namespace": "phone", "identifiers": values})
    };
    let put = phones(&["139 1234 5678", "13900001111", "12"]);
    for added in [1, 0] {
        let answer = said(&home.owner, "PUT", "/v1/lists/press", &put).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let upload = &answer.json()["upload"];
        let counts = ["lines", "matched", "ambiguous", "unknown", "added", "removed", "members"]
            .map(|name| upload[name].as_u64().unwrap());
        assert_eq!(counts, [3, 1, 0, 2, added, 0, 1]);
        let whys = answer.json()["unmatched"].as_array().unwrap().clone();
        let whys: Vec<_> =
            whys.iter().map(|one| (one["line"].as_u64().unwrap(), one["why"].as_str().unwrap())).collect();
        assert_eq!(whys, [(2, "unknown"), (3, "phone_malformed")]);
    }
    let count = json!({"condition": r#"audience("press") && points >= 100"#});
    assert_eq!(said(&home.owner, "POST", "/v1/audiences/count", &count).await.json()["count"], json!(1));
    let more = phones(&["13912345679"]);
    let answer = said(&home.owner, "POST", "/v1/lists/press/members", &more).await;
    assert_eq!(answer.json()["upload"]["members"], json!(2));
    let analyst = home.key(Role::Analyst, None, None).await;
    for key in [&home.owner, &analyst] {
        let one = said(key, "GET", "/v1/lists/press", &Value::Null).await.json();
        assert_eq!(
            (&one["name"], &one["members"], one["as_of"].is_string()),
            (&json!("press"), &json!(2), true)
        );
        let all = said(key, "GET", "/v1/lists", &Value::Null).await.json();
        assert_eq!((&all["items"][0]["members"], &all["items"][1]), (&json!(2), &Value::Null));
    }
    let many = phones(&vec!["13912345678"; 20_001]);
    let large = phones(&vec!["13912345678"; 3_000]);
    for (key, method, path, body, status, code) in [
        (&analyst, "PUT", "/v1/lists/press", &put, 403, "operation_refused"),
        (&home.owner, "PUT", "/v1/lists/Press", &put, 400, "bad_list_name"),
        (&home.owner, "PUT", "/v1/lists/press", &many, 422, "too_many_identifiers"),
        (
            &home.owner,
            "PUT",
            "/v1/lists/press",
            &json!({"identifiers": [{"value": "x".repeat(1_001)}]}),
            422,
            "text_too_long",
        ),
        (&home.owner, "PUT", "/v1/lists/press", &json!({}), 400, "bad_body"),
        (&home.owner, "GET", "/v1/lists/nobody", &Value::Null, 404, "list_unknown"),
        (&home.owner, "DELETE", "/v1/lists/nobody", &Value::Null, 404, "list_unknown"),
    ] {
        let answer = said(key, method, path, body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{method} {path} {}",
            answer.text()
        );
    }
    let whole = said(&home.owner, "PUT", "/v1/lists/press", &large).await;
    assert_eq!(whole.json()["upload"]["removed"], json!(1), "{}", whole.text());
    let removed = said(&home.owner, "DELETE", "/v1/lists/press", &Value::Null).await.json();
    assert_eq!(removed, json!({"removed": "press", "names": 1}));
    let gone = said(&home.owner, "POST", "/v1/audiences/count", &count).await;
    assert_eq!((gone.status, gone.code().as_str()), (400, "bad_condition"));
}
