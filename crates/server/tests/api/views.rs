//! Views that people save: their own, those that are shared, and who may change which.

use serde_json::{Value, json};
use zhiyin_model::role::Role;

use crate::home::{Answer, Home};

async fn saves(home: &Home, key: &str, page: &str, name: &str, query: &str, shared: bool) -> Answer {
    let body = json!({"page": page, "name": name, "query": query, "shared": shared});
    home.as_key(key, "PUT", "/v1/views", &body).await
}

async fn names(home: &Home, key: &str, path: &str) -> Vec<String> {
    let answer = home.as_key(key, "GET", path, &Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    let items = answer["items"].as_array().unwrap();
    items
        .iter()
        .map(|one| format!("{}/{}", one["page"].as_str().unwrap(), one["name"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_view_of_ones_own_is_nobody_elses_and_one_name_is_one_view() {
    let home = Home::new().await;
    let marketer = home.key(Role::Marketer, None, None).await;
    let first = saves(&home, &marketer, "members", "沉默金卡", "tier=gold&sort=-points", false).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let view = first.json();
    assert_eq!(
        (&view["mine"], &view["shared"], &view["may_change"]),
        (&json!(true), &json!(false), &json!(true))
    );
    let again = saves(&home, &marketer, "members", "沉默金卡", "tier=gold", false).await.json();
    assert_eq!((&again["view"], &again["query"]), (&view["view"], &json!("tier=gold")));
    saves(&home, &marketer, "offers", "全部", "", false).await;
    assert_eq!(names(&home, &marketer, "/v1/views").await, ["members/沉默金卡", "offers/全部"]);
    assert_eq!(names(&home, &marketer, "/v1/views?page=members").await, ["members/沉默金卡"]);
    assert_eq!(names(&home, &home.owner, "/v1/views").await, Vec::<String>::new());
    let path = format!("/v1/views/{}", view["view"].as_str().unwrap());
    // To anybody else it is as if there were none.
    let other = home.as_key(&home.owner, "DELETE", &path, &Value::Null).await;
    assert_eq!((other.status, other.json()), (200, json!({"dropped": false})));
    for dropped in [true, false] {
        let answer = home.as_key(&marketer, "DELETE", &path, &Value::Null).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"dropped": dropped})));
    }
    assert_eq!(names(&home, &marketer, "/v1/views").await, ["offers/全部"]);
    home.end().await;
}

#[tokio::test]
async fn what_is_shared_is_seen_by_who_sees_the_page_and_changed_by_its_maker_or_an_owner() {
    let home = Home::new().await;
    let marketer = home.key(Role::Marketer, None, None).await;
    let analyst = home.key(Role::Analyst, None, None).await;
    let manager = home.key(Role::StoreManager, Some("330"), None).await;
    let cashier = home.key(Role::Cashier, Some("330"), Some("c1")).await;
    let shared = saves(&home, &marketer, "campaigns", "进行中", "state=running", true).await;
    assert_eq!(shared.status, 200, "{}", shared.text());
    saves(&home, &marketer, "members", "金卡", "tier=gold", true).await;
    assert_eq!(
        names(&home, &analyst, "/v1/views").await,
        ["members/金卡"],
        "campaigns are no page of theirs"
    );
    assert_eq!(names(&home, &manager, "/v1/views").await, ["members/金卡"]);
    assert_eq!(names(&home, &cashier, "/v1/views").await, ["members/金卡"], "a till looks members up");
    assert_eq!(names(&home, &home.owner, "/v1/views").await.len(), 2);
    // Who is bound to a place says nothing to all; who may not see a page saves nothing of it; nobody takes another's over.
    let refused = async |key: &str, page: &str, shared: bool| {
        let answer = saves(&home, key, page, "金卡", "tier=silver", shared).await;
        (answer.status, answer.code())
    };
    assert_eq!(refused(&manager, "members", true).await, (403, "view_not_to_share".to_owned()));
    assert_eq!(refused(&analyst, "campaigns", false).await, (403, "operation_refused".to_owned()));
    assert_eq!(refused(&analyst, "members", true).await, (403, "view_not_yours".to_owned()));
    assert_eq!(refused(&analyst, "nowhere", false).await, (422, "view_page_unknown".to_owned()));
    let path = format!("/v1/views/{}", shared.json()["view"].as_str().unwrap());
    let taken = home.as_key(&analyst, "DELETE", &path, &Value::Null).await;
    assert_eq!(taken.json(), json!({"dropped": false}), "of a page that they do not see they learn nothing");
    // An owner tidies up, and both are lines of the log, which does not say what the address says.
    let dropped = home.as_key(&home.owner, "DELETE", &path, &Value::Null).await;
    assert_eq!(dropped.json(), json!({"dropped": true}), "{}", dropped.text());
    let log = home.as_key(&home.owner, "GET", "/v1/audit?limit=200", &Value::Null).await.text();
    assert!(log.contains("view_shared") && log.contains("view_dropped"), "{log}");
    assert!(!log.contains("state=running"), "{log}");
    home.end().await;
}

#[tokio::test]
async fn there_are_so_many_views_and_no_more() {
    let home = Home::new().await;
    for n in 0..100 {
        let answer = saves(&home, &home.owner, "members", &format!("v{n}"), "tier=gold", false).await;
        assert_eq!(answer.status, 200, "{n}: {}", answer.text());
    }
    let over = saves(&home, &home.owner, "members", "one more", "tier=gold", false).await;
    assert_eq!((over.status, over.code()), (409, "too_many_views".to_owned()));
    assert_eq!(saves(&home, &home.owner, "members", "v7", "tier=silver", false).await.status, 200);
    let long = saves(&home, &home.owner, "members", "v7", &"x".repeat(2_001), false).await;
    assert_eq!(
        (long.status, long.code(), long.json()["field"].clone()),
        (422, "text_too_long".to_owned(), json!("query"))
    );
    // Who has no key is nobody.
    assert_eq!(home.ask("GET", "/v1/views", &[], b"").await.status, 401);
    let public = home.key(Role::Public, None, None).await;
    assert_eq!(names(&home, &public, "/v1/views").await, Vec::<String>::new());
    assert_eq!(saves(&home, &public, "settings", "x", "", false).await.code(), "operation_refused");
    home.end().await;
}
