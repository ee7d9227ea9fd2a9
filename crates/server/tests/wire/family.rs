//! What clients of the family send that nobody named: addresses with a slash at their end, texts that were cut in the middle of
//! a character, batches with much beside their items; and what a key that lies open may not make of somebody.

use serde_json::{Value, json};
use zhiyin_model::role::Role;

use crate::{quiet, said};

#[tokio::test]
async fn an_address_may_end_with_a_slash() {
    let home = quiet().await;
    let page = json!({"type": "page", "userId": "u"});
    for (path, body) in [
        ("/v1/import/", json!({"batch": [page]})),
        ("/v1/batch/", json!({"batch": [page]})),
        ("/v1/track/", json!({"userId": "u", "event": "X"})),
        ("/v1/b/", json!({"batch": [page]})),
        ("/api/public/apps/batch/", json!({"batch": [page]})),
        ("/batch", json!({"batch": [{"event": "X", "distinct_id": "u"}]})),
    ] {
        let answer = home.send(&home.owner, path, &body).await;
        assert_eq!((answer.status, said(&answer)[0].as_str()), (200, "accepted"), "{path}");
    }
    home.end().await;
}

/// Half of a character says nothing, and what stands around it is kept: an order is not lost because a title was cut short.
#[tokio::test]
async fn a_text_that_was_cut_within_a_character_costs_no_item() {
    let home = quiet().await;
    let order = |id: &str, name: &str| {
        format!(
            r#"{{"type":"track","userId":"{id}","messageId":"{id}","event":"Order Completed","properties":{{"order_id":"{id}","total":"12","note":"{name}"}}}}"#
        )
    };
    let rows = [
        order("high", r"gift \ud83c"),
        order("low", r"\udf81 gift"),
        order("twice", r"\ud83c\ud83c\udf81"),
        order("before", r"\ud83cA"),
        order("whole", r"\ud83c\udf81"),
        order("escaped", r"\\ud83c"),
    ];
    let body = format!(r#"{{"batch":[{}]}}"#, rows.join(","));
    let answer = home.send_bytes(&home.owner, "/v1/batch", body.as_bytes(), &[]).await;
    assert_eq!(said(&answer), ["accepted"; 6]);
    let one = rows[0].replace("\"high\"", "\"alone\"");
    let answer = home.send_bytes(&home.owner, "/v1/track", one.as_bytes(), &[]).await;
    assert_eq!(said(&answer), ["accepted"]);
    home.decide().await;
    for id in ["high", "low", "twice", "before", "whole", "escaped", "alone"] {
        assert_eq!(home.whole(&format!("user:{id}")).await.unwrap().orders.0, 1, "{id}");
    }
    home.end().await;
}

/// What stands beside the items is read as far as it is used, and no further: nobody makes a small body large in memory.
#[tokio::test]
async fn what_stands_beside_the_items_is_read_as_far_as_it_is_used() {
    let home = quiet().await;
    let page = json!({"type": "page", "userId": "u"});
    let deep = "[".repeat(20_000) + &"]".repeat(20_000);
    let unused = format!(r#"{{"batch":[{page}],"metrics":{deep},"sentAt":null}}"#);
    let answer = home.send_bytes(&home.owner, "/v1/batch", unused.as_bytes(), &[]).await;
    assert_eq!(said(&answer), ["accepted"]);
    let many = vec![json!({"a": 0}); 5_000];
    for (body, field) in [
        (json!({"batch": [page], "context": {"many": many}}), "context"),
        (json!({"batch": [], "integrations": {"many": many}}), "integrations"),
    ] {
        let answer = home.send(&home.owner, "/v1/batch", &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (413, "item_too_large"), "{}", answer.text());
        assert_eq!(answer.json()["field"], field);
        // A stranger is told nothing of it.
        let answer = home.ask("POST", "/v1/batch", &[], body.to_string().as_bytes()).await;
        assert_eq!(answer.code(), "key_missing");
    }
    home.end().await;
}

/// Whom a member is looked after by decides who sees them: a key that everybody can read says nothing of it.
#[tokio::test]
async fn a_key_that_lies_open_gives_nobody_an_advisor() {
    let home = quiet().await;
    let open = home.key(Role::Public, None, None).await;
    let own = json!({"type": "identify", "userId": "u", "traits": {"advisor": "eve", "city": "上海"}});
    let beside =
        json!({"type": "track", "event": "X", "userId": "u", "context": {"traits": {"advisor": "eve"}}});
    let removed = json!({"type": "identify", "userId": "u", "traits": {"advisor": null}});
    let told = home.batch(&open, json!([own, beside, removed])).await;
    assert_eq!(told, ["event_server_only @traits.advisor"; 3]);
    let shared =
        json!({"batch": [{"type": "page", "userId": "u"}], "context": {"traits": {"advisor": "eve"}}});
    assert_eq!(said(&home.send(&open, "/v1/batch", &shared).await), ["event_server_only @traits.advisor"]);
    let posthog = json!({"batch": [{"event": "$set", "distinct_id": "u", "$set": {"advisor": "eve"}}]});
    assert_eq!(said(&home.send(&open, "/batch/", &posthog).await), ["event_server_only @traits.advisor"]);
    let server: Value = json!([{"type": "identify", "userId": "u", "traits": {"advisor": "ann"}}]);
    assert_eq!(home.batch(&home.owner, server).await, ["accepted"]);
    home.end().await;
}
