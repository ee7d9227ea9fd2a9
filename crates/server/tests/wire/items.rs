//! What becomes of items: their time, what they share, the names of the e-commerce spec, amounts, short codes.

use serde_json::{Value, json};
use zhiyin_model::place::{Cells, Place, Staff, tree::Edit};
use zhiyin_model::time::Ts;

use crate::{quiet, track};

#[tokio::test]
async fn a_clock_that_is_wrong_is_set_right_by_when_it_was_sent() {
    let home = quiet().await;
    let now = || Ts(i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_micros()).unwrap());
    let hour = 3_600_000_000;
    let before = now();
    let sent = before.plus_us(5 * hour);
    let happened = sent.plus_us(-2 * hour);
    let item = |id: &str, field: &str| json!({"type": "track", "event": "X", "userId": id, "messageId": id, field: happened.rfc3339()});
    let mut own = item("own", "timestamp");
    own["sentAt"] = happened.rfc3339().into();
    let body = json!({
        "batch": [item("stamp", "timestamp"), item("original", "originalTimestamp"), own,
            {"type": "track", "event": "X", "userId": "late", "messageId": "late"}],
        "sentAt": sent.rfc3339(),
    });
    let answer = home.send(&home.owner, "/v1/batch", &body).await;
    assert_eq!(crate::said(&answer), ["accepted"; 4]);
    // The same again, sent and received later: it is known.
    let mut again = body.clone();
    again["sentAt"] = sent.plus_us(9_000_000).rfc3339().into();
    assert_eq!(crate::said(&home.send(&home.owner, "/v1/batch", &again).await), ["duplicate"; 4]);
    home.decide().await;
    for (user, hours_ago) in [("stamp", 2), ("original", 2), ("own", 0), ("late", 0)] {
        let whole = home.whole(&format!("user:{user}")).await.unwrap();
        let (time, ..) = whole.timeline.iter().find(|(_, name, _)| name == "X").unwrap();
        let away = (time.0 - before.plus_us(-hours_ago * hour).0).abs();
        assert!(away < 60_000_000, "{user}: {time}");
    }
    home.end().await;
}

#[tokio::test]
async fn what_a_batch_shares_is_in_each_item_unless_it_says_otherwise() {
    let home = quiet().await;
    let body = json!({
        "batch": [
            {"type": "track", "event": "X", "userId": "a"},
            {"type": "track", "event": "X", "userId": "b", "context": {"touchpoint": "weibo"}},
            {"type": "track", "event": "X", "userId": "c", "context": null},
        ],
        "context": {"touchpoint": "douyin", "traits": {"city": "上海"}},
        "integrations": {"All": true},
    });
    assert_eq!(crate::said(&home.send(&home.owner, "/v1/batch", &body).await), ["accepted"; 3]);
    home.decide().await;
    for (user, touchpoint) in [("a", "douyin"), ("b", "weibo"), ("c", "douyin")] {
        let member = home.whole(&format!("user:{user}")).await.unwrap().member;
        assert_eq!(member.touches.first.unwrap().code, touchpoint, "{user}");
        assert!(member.attributes.contains_key("city"), "{user}");
    }
    home.end().await;
}

/// Points that an order comes to, whatever its events are called and however amounts are written.
#[tokio::test]
async fn orders_are_understood_by_every_name_and_every_way_to_write_an_amount() {
    let home = quiet().await;
    let lines = json!([{"product_id": "a", "price": "12.30", "quantity": 2}, {"id": "b", "price": 0.4}]);
    let cases: [(&str, Value, i64); 12] = [
        ("Order Completed", json!({"total": "12.30"}), 12),
        ("Completed Order", json!({"total": 12.3}), 12),
        ("Order Completed", json!({"total": 1e2}), 100),
        ("Order Completed", json!({"total": "1e2"}), 100),
        ("Order Completed", json!({"total": 100, "shipping": 10, "tax": "5.5"}), 84),
        // The spec's revenue is without the two already.
        ("Order Completed", json!({"revenue": 100, "shipping": 10, "tax": 5}), 100),
        ("Order Completed", json!({"subtotal": "99.999"}), 100),
        ("Order Completed", json!({"value": 7}), 7),
        ("Order Completed", json!({ "products": lines }), 25),
        ("Order Completed", json!({"products": lines, "discount": 5}), 20),
        ("Order Completed", json!({"total": 0.1, "currency": "CNY"}), 0),
        ("Order Completed", json!({"total": 29.0}), 29),
    ];
    let mut items = Vec::new();
    for (n, (event, properties, _)) in cases.iter().enumerate() {
        let mut properties = properties.clone();
        properties[if n % 2 == 0 { "order_id" } else { "orderId" }] = format!("o{n}").into();
        items.push(track(&format!("u{n}"), &format!("m{n}"), event, properties));
    }
    assert!(home.batch(&home.owner, items.into()).await.iter().all(|said| said == "accepted"));
    home.decide().await;
    for (n, (event, properties, points)) in cases.iter().enumerate() {
        let whole = home.whole(&format!("user:u{n}")).await.unwrap();
        let got: i64 = whole.lots.iter().map(|lot| lot.1).sum();
        assert_eq!(got, *points, "{event} {properties}");
    }
    // What is in another currency is kept, and earns nothing.
    let yen = json!([track(
        "yen",
        "yen",
        "Order Completed",
        json!({"order_id": "y", "total": 500, "currency": "JPY"})
    )]);
    assert_eq!(home.batch(&home.owner, yen).await, ["accepted"]);
    home.decide().await;
    let dead = home.engine.store().dead_letters(9).await.unwrap();
    assert_eq!(dead.iter().map(|letter| letter.code.as_str()).collect::<Vec<_>>(), ["currency_mismatch"]);
    home.end().await;
}

#[tokio::test]
async fn what_is_said_of_a_group_is_not_said_of_its_member() {
    let home = quiet().await;
    let items = json!([
        {"type": "identify", "userId": "u", "traits": {"city": "上海"}},
        {"type": "group", "userId": "u", "groupId": "g", "traits": {"city": "headquarters"}},
    ]);
    assert_eq!(home.batch(&home.owner, items).await, ["accepted"; 2]);
    home.decide().await;
    let member = home.whole("user:u").await.unwrap().member;
    assert_eq!(member.attributes["city"].text(), Some("上海"));
    home.end().await;
}

#[tokio::test]
async fn a_short_code_stands_for_a_touchpoint_a_place_or_somebody_of_the_staff() {
    let home = quiet().await;
    let cells = |all: &[(&'static str, &str)]| -> Cells {
        all.iter().map(|(column, text)| (*column, (*text).to_owned())).collect()
    };
    let brand = Place::read(&cells(&[("code", "brand"), ("kind", "brand"), ("name_en", "Brand")])).unwrap();
    let store =
        Place::read(&cells(&[("code", "0017"), ("kind", "store"), ("parent", "brand"), ("name_en", "One")]))
            .unwrap();
    let ann =
        Staff::read(&cells(&[("code", "A0042"), ("place", "0017"), ("name", "Ann"), ("role", "clerk")]))
            .unwrap();
    home.engine
        .edit_places(Edit::Put { places: vec![brand, store], staff: vec![ann] }, "test")
        .await
        .unwrap()
        .unwrap();
    let scan = |user: &str, context: Value, properties: Value| json!({"type": "track", "event": "Scanned", "userId": user, "context": context, "properties": properties});
    let items = json!([
        scan("a", json!({"campaign": {"source": "douyin", "content": "0017"}}), json!({})),
        scan("b", json!({}), json!({"scene": "s=0017&a=A0042"})),
        scan("c", json!({"campaign": {"source": "douyin"}, "touchpoint": "weibo"}), json!({"store_id": "9"})),
        scan("d", json!({"campaign": {"source": "newsletter"}}), json!({})),
        scan("e", json!({"short_code": "0017"}), json!({})),
    ]);
    assert_eq!(home.batch(&home.owner, items).await, ["accepted"; 5]);
    home.decide().await;
    for (user, touchpoint, store) in [
        ("a", Some("douyin"), Some("0017")),
        ("b", Some("store/0017"), Some("0017")),
        // What the item says itself goes before.
        ("c", Some("weibo"), Some("9")),
        ("d", None, None),
        ("e", Some("store/0017"), Some("0017")),
    ] {
        let touches = home.whole(&format!("user:{user}")).await.unwrap().member.touches;
        assert_eq!(touches.first.as_ref().map(|touch| touch.code.as_str()), touchpoint, "{user}");
        assert_eq!(touches.store.as_ref().map(|(_, code)| code.as_str()), store, "{user}");
    }
    home.end().await;
}
