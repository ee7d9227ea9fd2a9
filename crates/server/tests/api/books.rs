//! The books of a month are read by who may read the whole, and closed by owners, once.

use serde_json::{Value, json};
use zhiyin_model::role::Role;
use zhiyin_model::time::DAY_US;

use crate::home::Home;
use crate::valid::wrongs;

#[tokio::test]
async fn a_month_is_closed_once_it_has_ended_and_reads_the_same_from_then_on() {
    let home = Home::new().await;
    let document = home.ask("GET", "/openapi.json", &[], b"").await.json();
    home.member("13912345678", 500).await;
    let month = home.engine.last_month().await.unwrap().next().to_string();
    let path = format!("/v1/reports/books?month={month}");
    let read = async |path: &str| home.as_key(&home.owner, "GET", path, &Value::Null).await;
    let close = async |month: &str| {
        home.as_key(&home.owner, "POST", "/v1/books/close", &json!({"month": month})).await
    };
    let running = read(&path).await.json();
    assert_eq!((&running["state"], &running["lines"][0]["closing"]), (&json!("running"), &json!(500)));
    let schema = &document["paths"]["/v1/reports/books"]["get"]["responses"]["200"]["content"];
    let schema = &schema["application/json"]["schema"];
    assert_eq!(wrongs(&document, schema, &running, "books_read"), Vec::<String>::new());
    assert_eq!(close(&month).await.code(), "books_not_ended");
    let since = home.engine.home().await.unwrap().live_since;
    home.engine.store().set_clock(40 * DAY_US, since).await.unwrap();
    let closed = close(&month).await;
    assert_eq!(closed.status, 200, "{}", closed.text());
    let closed = closed.json();
    assert_eq!((&closed["state"], &closed["lines"]), (&json!("closed"), &running["lines"]));
    assert_eq!(closed["hash"].as_str().map(str::len), Some(64));
    assert_eq!(close(&month).await.json(), closed);
    assert_eq!(read(&path).await.json(), closed);
    let by_tier = read(&format!("{path}&by=tier")).await.json();
    let by: Vec<&Value> = by_tier["lines"].as_array().unwrap().iter().map(|line| &line["by"]).collect();
    assert_eq!(by, ["all", "tier"]);
}

#[tokio::test]
async fn who_may_not_and_what_cannot_be_is_refused_by_name() {
    let home = Home::new().await;
    let manager = home.key(Role::StoreManager, Some("330"), None).await;
    let analyst = home.key(Role::Analyst, None, None).await;
    let rows = [
        (&home.owner, "GET", "/v1/reports/books?month=2017-13", Value::Null, "books_month_bad"),
        (&home.owner, "GET", "/v1/reports/books?month=9000-01", Value::Null, "books_not_begun"),
        (&home.owner, "GET", "/v1/reports/books?by=age", Value::Null, "bad_query"),
        (&manager, "GET", "/v1/reports/books", Value::Null, "outside_scope"),
        (&home.owner, "POST", "/v1/books/close", json!({"month": "2017-03"}), "books_empty"),
        (&home.owner, "POST", "/v1/books/close", json!({"month": "March"}), "books_month_bad"),
        (&analyst, "POST", "/v1/books/close", json!({"month": "2017-03"}), "operation_refused"),
        (&manager, "POST", "/v1/books/close", json!({"month": "2017-03"}), "operation_refused"),
    ];
    for (key, method, path, body, code) in rows {
        let answer = home.as_key(key, method, path, &body).await;
        assert_eq!(answer.code(), code, "{method} {path}: {}", answer.text());
    }
}
