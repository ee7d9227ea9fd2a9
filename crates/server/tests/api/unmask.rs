//! One masked field of a member is shown to whoever may change it, for a reason that the audit log says first.

use serde_json::{Value, json};
use zhiyin_model::role::Role;

use crate::home::{Answer, Home};
use crate::valid::wrongs;

const WHY: &str = "calls back about a parcel";

async fn unmask(home: &Home, key: &str, field: &str, reason: &str) -> Answer {
    let member = json!({"namespace": "phone", "value": "13912345678"});
    let body = json!({"member": member, "field": field, "reason": reason});
    home.as_key(key, "POST", "/v1/commands/members/unmask", &body).await
}

/// Lines of the audit log that say that a field was shown, the latest first or last: their detail and how it went.
async fn told(home: &Home) -> Vec<Value> {
    let log = home.as_key(&home.owner, "GET", "/v1/audit?limit=200", &Value::Null).await.json();
    let lines = log["items"].as_array().unwrap().clone();
    lines.into_iter().filter(|line| line.to_string().contains("unmask")).collect()
}

#[tokio::test]
async fn a_masked_field_is_shown_for_a_reason_that_is_written_down_before() {
    let home = Home::new().await;
    let id = home.member("13912345678", 0).await;
    let document = home.ask("GET", "/openapi.json", &[], b"").await.json();
    let marketer = home.key(Role::Marketer, None, None).await;
    let masked = home.as_key(&marketer, "GET", &format!("/v1/members/{id}"), &Value::Null).await;
    assert!(!masked.text().contains("13912345678") && !masked.text().contains("张伟"), "{}", masked.text());
    let shown = unmask(&home, &marketer, "identifiers.phone", WHY).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    let shown = shown.json();
    let at = &document["paths"]["/v1/commands/members/unmask"]["post"]["responses"]["200"];
    let schema = &at["content"]["application/json"]["schema"];
    assert_eq!(wrongs(&document, schema, &shown, "members_unmask"), Vec::<String>::new());
    assert_eq!((&shown["member"], &shown["field"]), (&json!(id), &json!("identifiers.phone")));
    assert!(shown["values"][0].as_str().unwrap().ends_with("13912345678"), "{shown}");
    assert_eq!(unmask(&home, &marketer, "name", WHY).await.json()["values"], json!(["张伟"]));
    assert_eq!(unmask(&home, &marketer, "attributes.name", WHY).await.json()["values"], json!(["张伟"]));
    let lines = told(&home).await;
    assert_eq!(lines.len(), 6, "each is told before and after: {lines:#?}");
    let text = json!(lines).to_string();
    assert!(text.contains(WHY) && text.contains("begun") && text.contains("identifiers.phone"), "{text}");
    assert!(
        !text.contains("13912345678") && !text.contains("张伟") && !text.contains(&id),
        "it names nobody: {text}"
    );
    home.end().await;
}

#[tokio::test]
async fn what_is_not_shown_is_refused_by_name_and_not_written_down() {
    let home = Home::new().await;
    home.member("13912345678", 0).await;
    let marketer = home.key(Role::Marketer, None, None).await;
    let analyst = home.key(Role::Analyst, None, None).await;
    let cashier = home.key(Role::Cashier, Some("330"), None).await;
    let elsewhere = home.key(Role::StoreManager, Some("331"), Some("bob")).await;
    let rows = [
        (&analyst, "name", WHY, "operation_refused", ""),
        (&cashier, "name", WHY, "operation_refused", ""),
        (&elsewhere, "name", WHY, "member_unknown", "member"),
        (&marketer, "attributes.shoe", WHY, "field_unknown", "field"),
        (&marketer, "identifiers.card", WHY, "field_unknown", "field"),
        (&marketer, "points", WHY, "field_unknown", "field"),
        (&marketer, "name", "?", "reason_bad", "reason"),
        (&marketer, "name", "call 13912345678", "reason_names_somebody", "reason"),
        (&marketer, "name", "给张伟回电话", "reason_names_somebody", "reason"),
    ];
    for (key, field, reason, code, at) in rows {
        let answer = unmask(&home, key, field, reason).await;
        assert_eq!(answer.code(), code, "{field} {reason}: {}", answer.text());
        assert_eq!(
            answer.json()["field"].as_str().unwrap_or_default(),
            at,
            "{field} {reason}: {}",
            answer.text()
        );
    }
    assert_eq!(told(&home).await, Vec::<Value>::new());
    home.end().await;
}

#[tokio::test]
async fn nobody_is_shown_many_at_once() {
    let home = Home::new().await;
    home.member("13912345678", 0).await;
    let marketer = home.key(Role::Marketer, None, None).await;
    let mut codes = Vec::new();
    for _ in 0..12 {
        let answer = unmask(&home, &marketer, "name", WHY).await;
        codes.push(answer.status);
        if answer.status == 429 {
            assert_eq!(answer.code(), "too_many_unmasked");
            assert!(answer.header("retry-after").is_some());
        }
    }
    assert_eq!(codes[..10], [200; 10]);
    assert!(codes.contains(&429), "{codes:?}");
    // Somebody else has a measure of their own.
    assert_eq!(unmask(&home, &home.owner, "name", WHY).await.status, 200);
    home.end().await;
}
