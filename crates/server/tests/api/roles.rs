//! Every operation of the document, for every role: whoever may is let through, everybody else is refused by name.

use std::collections::BTreeSet;

use serde_json::Value;
use zhiyin_model::role::{Operation, Role};

use crate::home::{Answer, Home};

/// Path and body of an operation, out of its example.
pub fn request(path: &str, operation: &Value) -> (String, Value) {
    let mut path = path.to_owned();
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let example = match &parameter["example"] {
            Value::String(text) => text.clone(),
            Value::Null => "1".to_owned(),
            other => other.to_string(),
        };
        match parameter["in"].as_str().unwrap() {
            "path" => path = path.replace(&format!("{{{name}}}"), &example),
            "query" if parameter["required"] == true => query.push(format!("{name}={example}")),
            _ => {}
        }
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    (path, operation["requestBody"]["content"]["application/json"]["example"].clone())
}

/// All operations: (method, path, operation).
pub fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods
            .iter()
            .map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
    });
    all.collect()
}

fn is_refused(answer: &Answer) -> bool {
    answer.status == 401
        || (answer.status == 403 && answer.code() != "outside_scope" && answer.code() != "approval_no_person")
}

#[tokio::test]
async fn o5_every_operation_lets_through_whom_the_matrix_does() {
    let home = Home::new().await;
    home.member("13912345678", 500).await;
    let document = home.ask("GET", "/openapi.json", &[], b"").await.json();
    let mut keys = Vec::new();
    for role in Role::ALL {
        keys.push((*role, home.key(*role, Some("330"), Some("ann")).await));
    }
    let (mut let_through, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        // At the door, where people sign in, there is nothing to need yet.
        let Some(needs) = operation["x-operation"].as_str() else {
            // Views and the brand are every role's: what of them is whose they look at themselves.
            let room = operation["tags"][0].as_str().unwrap();
            assert!(["setup", "session", "me", "views", "brand"].contains(&room), "{id}");
            continue;
        };
        assert!(Operation::named(needs).is_some(), "{id} needs {needs}, which is not in the matrix");
        let (address, body) = request(&path, &operation);
        let stranger = home.ask(&method, &address, &[("content-type", "application/json")], b"").await;
        assert_eq!((stranger.status, stranger.code().as_str()), (401, "key_missing"), "{id}");
        let roles: Vec<&str> =
            operation["x-roles"].as_array().unwrap().iter().map(|role| role.as_str().unwrap()).collect();
        for (role, key) in &keys {
            let answer = home.as_key(key, &method, &address, &body).await;
            if roles.contains(&role.name()) {
                assert!(!is_refused(&answer), "{id} as {role}: {}", answer.text());
                let_through.insert(id.clone());
            } else {
                assert_eq!(
                    (answer.status, answer.code().as_str()),
                    (403, "operation_refused"),
                    "{id} as {role}"
                );
                refused.insert(id.clone());
            }
        }
    }
    assert!(let_through.len() > 15);
    assert_eq!(let_through, refused, "each has an allowed case and a refused one");
    home.end().await;
}

/// Whoever has no key learns that the server lives, and what the API is, which everybody may read.
#[tokio::test]
async fn a_stranger_learns_that_the_server_lives() {
    let home = Home::new().await;
    home.member("13912345678", 500).await;
    let rows = [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/openapi.json", 200),
        ("/docs", 200),
        ("/docs?lang=en", 200),
        ("/", 200),
        ("/metrics", 401),
        ("/v1/overview", 401),
        ("/v1/keys", 401),
        ("/v1/setup", 200),
        ("/v1/session", 401),
        ("/v1/people", 401),
        ("/v1/no-such", 404),
    ];
    for (path, status) in rows {
        let answer = home.ask("GET", path, &[], b"").await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    // Whoever sees less than the whole home sees no sums of it.
    let manager = home.key(Role::StoreManager, Some("330"), Some("ann")).await;
    let analyst = home.key(Role::Analyst, None, None).await;
    for path in ["/metrics", "/v1/overview"] {
        assert_eq!(home.as_key(&manager, "GET", path, &Value::Null).await.code(), "outside_scope");
        assert_eq!(home.as_key(&analyst, "GET", path, &Value::Null).await.status, 200);
    }
    home.end().await;
}

#[tokio::test]
async fn a_key_that_ended_is_refused_at_once() {
    let home = Home::new().await;
    let made = home
        .as_key(&home.owner, "POST", "/v1/keys", &serde_json::json!({"role": "analyst", "name": "bi"}))
        .await
        .json();
    let (id, secret) = (made["key"]["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let reads = async |key: &str| home.as_key(key, "GET", "/v1/overview", &Value::Null).await;
    assert_eq!(reads(secret).await.status, 200);
    let rotated = home
        .as_key(
            &home.owner,
            "POST",
            &format!("/v1/keys/{id}/rotate"),
            &serde_json::json!({"keep_old_hours": 1}),
        )
        .await;
    let rotated = rotated.json();
    let (new_id, new) = (rotated["key"]["id"].as_str().unwrap(), rotated["secret"].as_str().unwrap());
    assert_eq!((reads(secret).await.status, reads(new).await.status), (200, 200));
    for id in [id, new_id] {
        assert_eq!(
            home.as_key(&home.owner, "POST", &format!("/v1/keys/{id}/revoke"), &Value::Null).await.status,
            200
        );
    }
    assert_eq!(reads(secret).await.code(), "key_revoked");
    assert_eq!(reads(new).await.code(), "key_revoked");
    assert_eq!(reads("zy_0000000000000000_nonsense").await.code(), "key_unknown");
    home.end().await;
}

/// A till acts where it stands, and sees no more than it needs.
#[tokio::test]
async fn a_till_acts_at_its_own_place_only() {
    let home = Home::new().await;
    home.member("13912345678", 500).await;
    let till = home.key(Role::Cashier, Some("330"), None).await;
    let member = serde_json::json!({"namespace": "phone", "value": "13912345678"});
    let spend = |store: Option<&str>| serde_json::json!({"member": member, "amount": 1, "store": store});
    assert_eq!(home.command_as(&till, "points/spend", "1", spend(None)).await.status, 200);
    assert_eq!(home.command_as(&till, "points/spend", "2", spend(Some("330"))).await.status, 200);
    assert_eq!(home.command_as(&till, "points/spend", "3", spend(Some("331"))).await.code(), "outside_scope");
    let brief = home
        .as_key(&till, "POST", "/v1/commands/members/lookup", &serde_json::json!({"member": member}))
        .await;
    assert_eq!(brief.json()["name"], "张＊", "{}", brief.text());
    // An advisor reaches their own members: of others they learn nothing, not even that they are there.
    let advisor = home.key(Role::Advisor, Some("330"), Some("ann")).await;
    let update = |value: &str| serde_json::json!({"member": {"namespace": "phone", "value": value}, "attributes": {"city": "x"}});
    let known = home.command_as(&advisor, "members/update", "1", update("13912345678")).await;
    let unknown = home.command_as(&advisor, "members/update", "2", update("13912345600")).await;
    assert_eq!((known.status, known.body), (unknown.status, unknown.body));
    let own = serde_json::json!({"member": member, "attributes": {"advisor": "ann"}});
    assert_eq!(home.command("members/update", "3", own).await.status, 200);
    assert_eq!(home.command_as(&advisor, "members/update", "4", update("13912345678")).await.status, 200);
    home.end().await;
}
