//! The brand's accounts outside of the home: listed without what is secret, checked step by step by owners alone.

use std::sync::Arc;

use serde_json::{Value, json};
use zhiyin_engine::channels::Channels;
use zhiyin_engine::sends::settings::{self, SecretAt};
use zhiyin_model::role::Role;

use crate::home::Home;
use crate::valid::wrongs;

const SECRET: &str = "a-secret-that-nobody-is-told-0123456789";
/// A file of channels as a brand has it.
const FILE: &str = r#"{
    "public_url": "https://vip.shop.example",
    "webhook": {
        "mall": {
            "signature": {"header": "X-Mall-Signature", "algorithm": "hmac-sha256", "encoding": "hex", "secret_env": "MALL_SECRET"},
            "kind": {"path": "event", "orders": ["order.paid"]},
            "order": {"number": "data.no", "at": "data.paid_at", "total": "data.total", "currency": "data.currency"},
            "names": {"phone": "data.phone"},
            "amount_digits": 2,
            "times": "milliseconds"
        }
    }
}"#;

fn secret(_: &SecretAt) -> Result<Vec<u8>, String> {
    Ok(SECRET.as_bytes().to_vec())
}

fn named() -> Channels {
    let platforms = settings::platforms(FILE, secret, &(Arc::new(|| 0_i64) as settings::Clock)).unwrap();
    Channels::of(platforms, ["email"], "https://vip.shop.example")
}

#[tokio::test]
async fn accounts_are_listed_without_what_is_secret() {
    let home = Home::new().await;
    let list = async |key: &str| home.as_key(key, "GET", "/v1/channels", &Value::Null).await;
    assert_eq!(list(&home.owner).await.json(), json!({"items": []}), "no file names any");
    home.api.knows_channels(named());
    let document = home.ask("GET", "/openapi.json", &[], b"").await.json();
    let listed = list(&home.owner).await;
    assert!(!listed.text().contains(SECRET) && !listed.text().contains("MALL_SECRET"), "{}", listed.text());
    let schema = &document["paths"]["/v1/channels"]["get"]["responses"]["200"]["content"]["application/json"];
    assert_eq!(wrongs(&document, &schema["schema"], &listed.json(), "channels"), Vec::<String>::new());
    let items = listed.json()["items"].clone();
    let of = |n: usize| (items[n]["channel"].clone(), items[n]["account"].clone());
    assert_eq!(of(0), (json!("email"), json!("main")));
    assert_eq!(of(1), (json!("webhook"), json!("mall")));
    assert_eq!((&items[0]["sends"], &items[0]["tested"]), (&json!(true), &json!(false)));
    assert_eq!((&items[1]["sends"], &items[1]["tested"]), (&json!(false), &json!(true)));
    assert_eq!(items[1]["callback"], "https://vip.shop.example/v1/callbacks/webhook/mall");
    for role in [Role::Marketer, Role::Analyst, Role::StoreManager] {
        let key = home.key(role, Some("330"), Some("ann")).await;
        assert_eq!(list(&key).await.code(), "operation_refused", "{role}");
    }
    home.end().await;
}

#[tokio::test]
async fn an_account_is_checked_step_by_step_in_both_languages() {
    let home = Home::new().await;
    home.api.knows_channels(named());
    let document = home.ask("GET", "/openapi.json", &[], b"").await.json();
    let check = async |path: &str| {
        home.as_key(&home.owner, "POST", &format!("/v1/channels/{path}/test"), &Value::Null).await
    };
    let checked = check("webhook/mall").await;
    assert_eq!(checked.status, 200, "{}", checked.text());
    assert!(!checked.text().contains(SECRET), "{}", checked.text());
    let at = &document["paths"]["/v1/channels/{channel}/{account}/test"]["post"]["responses"]["200"];
    let schema = &at["content"]["application/json"]["schema"];
    let checked = checked.json();
    assert_eq!(wrongs(&document, schema, &checked, "channels_test"), Vec::<String>::new());
    let steps = checked["steps"].as_array().unwrap();
    assert!(!steps.is_empty());
    for step in steps {
        for text in [&step["title"]["zh"], &step["title"]["en"], &step["found"]["zh"], &step["found"]["en"]] {
            assert!(!text.as_str().unwrap().is_empty(), "{step}");
        }
        assert!(["well", "left", "wrong", "skipped"].contains(&step["health"].as_str().unwrap()), "{step}");
    }
    assert_eq!(checked["well"], json!(steps.iter().all(|step| step["health"] != "wrong")));
    for (path, status, code) in [
        ("webhook/other", 404, "channel_account_unknown"),
        ("wecom/mall", 404, "channel_account_unknown"),
        ("email/main", 409, "channel_untested"),
    ] {
        let answer = check(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}");
    }
    home.end().await;
}
