//! Places over HTTP: where they lie, and what stays of them when only some of it is said.

use serde_json::{Value, json};
use zhiyin_model::role::Role;

use crate::home::{Answer, Home};

async fn put(home: &Home, rows: Value) -> Answer {
    home.as_key(&home.owner, "POST", "/v1/commands/places/put", &json!({"places": rows})).await
}

async fn place(home: &Home, code: &str) -> Value {
    let answer = home.as_key(&home.owner, "GET", &format!("/v1/places/{code}"), &Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn tree(home: &Home) {
    let done = put(
        home,
        json!([
            {"code": "b", "kind": "brand", "name_zh": "好物集", "name_en": "Goods"},
            {"code": "330", "kind": "store", "parent": "b", "name_zh": "万象城店", "format": "mall",
             "lat": "31.2353", "lon": "121.4753", "datum": "gcj02"},
            {"code": "331", "kind": "store", "parent": "b", "name_en": "Shibuya", "lat": "35.6595", "lon": "139.7005"},
            {"code": "332", "kind": "store", "parent": "b", "name_en": "Nowhere"},
        ]),
    )
    .await;
    assert_eq!(done.status, 200, "{}", done.text());
}

#[tokio::test]
async fn a_place_tells_where_it_lies_as_satellites_do() {
    let home = Home::new().await;
    tree(&home).await;
    let listed = home.as_key(&home.owner, "GET", "/v1/places", &Value::Null).await.json();
    let found = |code: &str| {
        let all = listed["places"].as_array().unwrap();
        all.iter().find(|one| one["code"] == code).unwrap().clone()
    };
    let shanghai = found("330");
    let (lat, lon) = (shanghai["lat"].as_f64().unwrap(), shanghai["lon"].as_f64().unwrap());
    // GCJ-02 lies some 500 m beside it there; the vectors themselves are tested where the formula is.
    assert!((31.236..31.239).contains(&lat) && (121.470..121.472).contains(&lon), "{shanghai}");
    assert_eq!(shanghai["datum"], "gcj02");
    let tokyo = found("331");
    assert_eq!(
        (&tokyo["lat"], &tokyo["lon"], &tokyo["datum"]),
        (&json!(35.6595), &json!(139.7005), &json!("wgs84"))
    );
    let nowhere = found("332");
    assert_eq!(
        (&nowhere["lat"], &nowhere["lon"], &nowhere["datum"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    home.end().await;
}

#[tokio::test]
async fn a_store_is_moved_on_the_map_and_all_else_of_it_stays() {
    let home = Home::new().await;
    tree(&home).await;
    let moved = put(&home, json!([{"code": "330", "lat": "31.2", "lon": "121.4"}])).await;
    assert_eq!(
        (moved.status, moved.json()["places"]["changed"].clone()),
        (200, json!(1)),
        "{}",
        moved.text()
    );
    let now = place(&home, "330").await;
    assert_eq!((&now["lat"], &now["lon"], &now["datum"]), (&json!(31.2), &json!(121.4), &json!("wgs84")));
    assert_eq!(
        (&now["name"]["zh"], &now["format"], &now["parent"]),
        (&json!("万象城店"), &json!("mall"), &json!("b"))
    );
    let again = put(&home, json!([{"code": "330", "lat": "31.2", "lon": "121.4"}])).await;
    assert_eq!(again.json()["places"]["unchanged"], 1, "said twice it changes nothing");
    let gone = put(&home, json!([{"code": "330", "lat": "", "lon": ""}])).await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    assert_eq!(place(&home, "330").await["lat"], Value::Null);
    for (row, code, field) in [
        (json!({"code": "330", "lat": "91", "lon": "0"}), "bad_coordinate", "places[0].lat"),
        (json!({"code": "330", "lat": "1", "lon": "east"}), "bad_coordinate", "places[0].lon"),
        (json!({"code": "331", "lat": "1"}), "location_incomplete", "places[0].lon"),
        (json!({"code": "331", "lat": "1", "lon": "2", "datum": "mars"}), "bad_datum", "places[0].datum"),
        (json!({"code": "b", "lat": "1", "lon": "2"}), "stores_only", "places[0].lat"),
        (json!({"code": "new", "lat": "1", "lon": "2"}), "bad_kind", "places[0].kind"),
    ] {
        let refused = put(&home, json!([row])).await;
        let said = (refused.status, refused.code(), refused.json()["field"].clone());
        assert_eq!(said, (422, code.to_owned(), json!(field)), "{row}");
    }
    let manager = home.key(Role::StoreManager, Some("330"), None).await;
    let row = json!({"places": [{"code": "330", "lat": "1", "lon": "2"}]});
    assert_eq!(home.as_key(&manager, "POST", "/v1/commands/places/put", &row).await.status, 403);
    home.end().await;
}
