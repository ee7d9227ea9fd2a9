//! Tills without a network over the API: leased, quoted and sold by a snapshot, told, returned.

use serde_json::{Value, json};
use zhiyin_engine::clock;
use zhiyin_engine::tills::{Journal, Offline};
use zhiyin_model::event::Identifier;
use zhiyin_model::playbook::{parse, shipped};
use zhiyin_model::role::Role;

use crate::home::Home;
use crate::valid::wrongs;

const PHONE: &str = "13912345678";
const OFFERS: &str = "  few: { name: { zh: 限量, en: Few }, of: product == \"towel\", lane: piece, off: 3, per: piece, stock: 5 }
  plenty: { name: { zh: 普通券, en: Plenty }, lane: coupon, off: 5, coupon: { valid: 3d } }
";

async fn offering() -> Home {
    let home = Home::new().await;
    let text = format!("playbook: brand\nextends: variety-store\noffers:\n{OFFERS}");
    let playbook =
        parse("brand.yaml", &text, &shipped::load).unwrap_or_else(|problems| panic!("{problems:?}"));
    home.engine.apply(&playbook).await.unwrap();
    home.member(PHONE, 0).await;
    home
}

async fn is_as_documented(home: &Home, answer: &Value, path: &str, method: &str) {
    let document = home.ask("GET", "/openapi.json", &[], b"").await.json();
    let schema =
        &document["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(wrongs(&document, schema, answer, path), Vec::<String>::new(), "{path}: {answer:#}");
}

fn asked(name: &str) -> Value {
    json!({"lease": name, "till": "till-2", "hours": 1, "offers": {"few": {"uses": 2}},
        "members": [{"member": {"namespace": "phone", "value": PHONE}}]})
}

#[tokio::test]
async fn s26_a_till_leases_sells_without_a_network_and_tells_it() {
    let home = offering().await;
    let till = home.key(Role::Cashier, Some("330"), None).await;
    let issued =
        json!({"member": {"namespace": "phone", "value": PHONE}, "offer": "plenty", "reason": "a test"});
    assert_eq!(home.command("coupons/issue", "g", issued).await.status, 200);
    let leased = home.as_key(&till, "POST", "/v1/till-leases", &asked("l/1")).await;
    assert_eq!(leased.status, 200, "{}", leased.text());
    let leased = leased.json();
    is_as_documented(&home, &leased, "/v1/till-leases", "post").await;
    assert_eq!(
        (&leased["store"], &leased["waiting"], &leased["refused"]),
        (&json!("330"), &json!(0), &json!(0))
    );
    assert_eq!(leased["offers"], json!([{"offer": "few", "of": "uses", "leased": 2, "left": 2}]));
    let key = home.as_key(&till, "GET", "/v1/till-key", &Value::Null).await.json();
    let file = home.as_key(&till, "GET", "/v1/till-lease/snapshot?lease=l/1", &Value::Null).await;
    assert_eq!(file.status, 200, "{}", file.text());
    is_as_documented(&home, &file.json(), "/v1/till-lease/snapshot", "get").await;
    let offline = Offline::open(&file.json().to_string(), key["key"].as_str().unwrap()).unwrap();
    let cart = serde_json::from_value(json!({"lines": [{"product": "towel", "price": 2000, "quantity": 1}]}))
        .unwrap();
    let who = Identifier { namespace: "phone".to_owned(), value: "139 1234 5678".to_owned() };
    let sold =
        offline.sell(("t2/1", None), &cart, &who, &Journal::default(), (clock::wall(), false)).unwrap();
    assert_eq!(sold.quote.payable, 20_00 - 3_00 - 5_00);
    let told = json!({"lease": "l/1", "sales": [sold.item.unwrap()]});
    for _ in 0..2 {
        let told = home.as_key(&till, "POST", "/v1/till-lease/sales", &told).await;
        assert_eq!(told.status, 200, "{}", told.text());
        is_as_documented(&home, &told.json(), "/v1/till-lease/sales", "post").await;
        assert_eq!(told.json()["sales"][0]["state"], "sold", "{}", told.text());
    }
    let read = home.as_key(&till, "GET", "/v1/checkout?checkout=t2/1", &Value::Null).await.json();
    assert_eq!((&read["state"], &read["payable"]), (&json!("redeemed"), &json!(12_00)));
    let back = home.as_key(&till, "POST", "/v1/till-lease/return", &json!({"lease": "l/1"})).await;
    assert_eq!((back.status, &back.json()["state"]), (200, &json!("ended")), "{}", back.text());
    assert_eq!(back.json()["offers"][0]["left"], 0);
    let listed = home.as_key(&till, "GET", "/v1/till-leases", &Value::Null).await.json();
    is_as_documented(&home, &listed, "/v1/till-leases", "get").await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    home.end().await;
}

#[tokio::test]
async fn what_cannot_be_leased_is_refused_by_name() {
    let home = offering().await;
    let till = home.key(Role::Cashier, Some("330"), None).await;
    let other = home.key(Role::Cashier, Some("331"), None).await;
    let marketer = home.key(Role::Marketer, None, None).await;
    assert_eq!(home.as_key(&till, "POST", "/v1/till-leases", &asked("a")).await.status, 200);
    let with = |change: fn(&mut Value)| {
        let mut asked = asked("b");
        change(&mut asked);
        asked
    };
    let rows = [
        (&marketer, asked("b"), 403, "operation_refused"),
        (&till, with(|a| a["store"] = json!("331")), 403, "outside_scope"),
        (&till, with(|a| a["lease"] = json!("b|c")), 422, "bad_code"),
        (&till, with(|a| a["offers"]["few"]["uses"] = json!(4)), 409, "not_enough_left"),
        (&till, with(|a| a["offers"]["nope"] = json!({"uses": 1})), 404, "offer_unknown"),
        (&till, with(|a| a["hours"] = json!(13)), 422, "lease_too_large"),
        (&till, with(|a| a["members"][0]["member"]["value"] = json!("13900000000")), 404, "member_unknown"),
        (&till, with(|a| a["members"][0]["coupons"] = json!(["nonsense"])), 404, "coupon_unknown"),
        (&till, with(|a| a["lease"] = json!("a")), 200, ""),
        (&till, with(|a| (a["lease"], a["hours"]) = (json!("a"), json!(2))), 409, "lease_reused"),
    ];
    for (n, (key, asked, status, code)) in rows.into_iter().enumerate() {
        let answer = home.as_key(key, "POST", "/v1/till-leases", &asked).await;
        assert_eq!(answer.status, status, "{n}: {}", answer.text());
        if status != 200 {
            assert_eq!(answer.code(), code, "{n}");
        }
    }
    // Another store's is nobody's.
    for path in ["/v1/till-lease?lease=a", "/v1/till-lease/snapshot?lease=a", "/v1/till-lease?lease=z"] {
        let answer = home.as_key(&other, "GET", path, &Value::Null).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "lease_unknown"), "{path}");
    }
    let returned = home.as_key(&other, "POST", "/v1/till-lease/return", &json!({"lease": "a"})).await;
    assert_eq!(returned.code(), "lease_unknown");
    let sale = json!({"lease": "a", "sales": [{"event": "Order Completed"}]});
    let told = home.as_key(&till, "POST", "/v1/till-lease/sales", &sale).await;
    assert_eq!((told.status, told.code().as_str()), (422, "bad_sale"), "{}", told.text());
    home.end().await;
}
