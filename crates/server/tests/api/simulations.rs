//! A changed playbook is tried on the record beside the work of the home, and nothing is written.

use serde_json::{Value, json};
use zhiyin_model::role::Role;

use crate::home::{Answer, Home};
use crate::valid::wrongs;

/// Twice the points for everybody.
const DOUBLE: &str = "playbook: double\nextends: variety-store\npoints:\n  earn:\n    - 2 per 1 paid\n";
/// How often it is asked whether it is done, before it is taken for stuck.
const LOOKS_MAX: usize = 100_000;

/// A home in which a member bought for ¥60.
async fn bought() -> Home {
    let home = Home::with(1_000_000, true).await;
    home.member("13912345678", 0).await;
    let order = json!({"type": "track", "event": "Order Completed", "messageId": "o1",
        "context": {"externalIds": [{"type": "phone", "id": "13912345678"}]},
        "properties": {"order_id": "1001", "total": "60"}});
    let taken = home.as_key(&home.owner, "POST", "/v1/track", &order).await;
    assert_eq!(taken.status, 200, "{}", taken.text());
    // What comes after it is answered once it is decided, so the order is.
    home.member("13912345679", 0).await;
    home
}

async fn begin(home: &Home, key: &str, body: Value) -> Answer {
    home.as_key(key, "POST", "/v1/simulations", &body).await
}

async fn of(home: &Home, method: &str, id: &str) -> Answer {
    home.as_key(&home.owner, method, &format!("/v1/simulations/{id}"), &Value::Null).await
}

/// What came of one, once it is over.
async fn over(home: &Home, id: &str) -> Value {
    for _ in 0..LOOKS_MAX {
        let view = of(home, "GET", id).await;
        assert_eq!(view.status, 200, "{}", view.text());
        if view.json()["state"] != "running" {
            return view.json();
        }
    }
    panic!("it is still running");
}

fn total<'v>(found: &'v Value, name: &str) -> &'v Value {
    found["totals"].as_array().unwrap().iter().find(|one| one["measure"] == name).unwrap()
}

#[tokio::test]
async fn a_changed_playbook_is_tried_and_nothing_is_written() {
    let home = bought().await;
    let document = home.ask("GET", "/openapi.json", &[], b"").await.json();
    let before = home.as_key(&home.owner, "GET", "/v1/digest", &Value::Null).await.json();
    let begun = begin(&home, &home.owner, json!({"source": DOUBLE})).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    let id = begun.json()["id"].as_str().unwrap().to_owned();
    let view = over(&home, &id).await;
    let path = &document["paths"]["/v1/simulations/{simulation}"]["get"];
    let schema = &path["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(wrongs(&document, schema, &view, "simulations_read"), Vec::<String>::new(), "{view:#}");
    assert_eq!((&view["state"], &view["done_thousandths"]), (&json!("done"), &json!(1000)), "{view:#}");
    let found = &view["found"];
    let points = total(found, "points_granted");
    let (live, changed) = (points["live"].as_i64().unwrap(), points["changed"].as_i64().unwrap());
    assert!(live > 0 && changed == 2 * live && points["difference"] == live, "{points}");
    assert_eq!(found["behaviour"], "assumed_unchanged");
    assert_eq!(found["reproduced"]["equal"], found["reproduced"]["compared"]);
    assert!(
        found["changes"]
            .as_array()
            .unwrap()
            .iter()
            .all(|words| words["zh"].is_string() && words["en"].is_string())
    );
    assert_eq!(home.as_key(&home.owner, "GET", "/v1/digest", &Value::Null).await.json(), before);
    // What it found is there until another begins, or it is stopped.
    assert_eq!(of(&home, "GET", &id).await.json(), view);
    assert_eq!(of(&home, "DELETE", &id).await.json()["state"], "done");
    assert_eq!(of(&home, "GET", &id).await.code(), "simulation_unknown");
    // Nobody bought before the home was there.
    let early = json!({"source": DOUBLE, "from": "1999-01-01", "to": "1999-12-31", "sample": "100%"});
    let early = begin(&home, &home.owner, early).await.json();
    let early = over(&home, early["id"].as_str().unwrap()).await;
    assert_eq!(total(&early["found"], "points_granted")["changed"], 0, "{early:#}");
    home.end().await;
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused_by_name() {
    let home = Home::new().await;
    let manager = home.key(Role::StoreManager, Some("330"), Some("ann")).await;
    let cashier = home.key(Role::Cashier, Some("330"), None).await;
    let dollars = format!("{DOUBLE}currency: USD\n");
    let rows = [
        (&home.owner, json!({}), 400, "bad_body", ""),
        (&home.owner, json!({"source": "playbook: ["}), 422, "playbook_problems", "source"),
        (&home.owner, json!({"source": dollars}), 409, "simulation_currency", "source"),
        (&home.owner, json!({"source": DOUBLE, "from": "2025-13-01"}), 400, "bad_body", "from"),
        (&home.owner, json!({"source": DOUBLE, "to": "yesterday"}), 400, "bad_body", "to"),
        (&home.owner, json!({"source": DOUBLE, "sample": "0"}), 400, "bad_body", "sample"),
        (&home.owner, json!({"source": DOUBLE, "sample": "101%"}), 400, "bad_body", "sample"),
        (
            &home.owner,
            json!({"source": DOUBLE, "from": "2025-02-01", "to": "2025-01-01"}),
            400,
            "simulation_backwards",
            "to",
        ),
        (&manager, json!({"source": DOUBLE}), 403, "outside_scope", ""),
        (&cashier, json!({"source": DOUBLE}), 403, "operation_refused", ""),
    ];
    for (key, body, status, code, field) in rows {
        let answer = begin(&home, key, body.clone()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body}: {}", answer.text());
        assert_eq!(answer.json()["field"].as_str().unwrap_or_default(), field, "{body}: {}", answer.text());
    }
    for method in ["GET", "DELETE"] {
        assert_eq!(of(&home, method, "0123456789abcdef").await.code(), "simulation_unknown");
    }
    home.end().await;
}
