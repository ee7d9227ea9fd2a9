//! What things are called at members' own pages: the brand, stores, products, what tiers give, what one agrees to; and a code to one's own
//! phone.

use serde_json::{Value, json};
use zhiyin_engine::playbooks;
use zhiyin_model::role::Role;

use crate::home::Home;
use crate::me::{Browser, PHONE, comes_in, refused, texting};

const PLAYBOOK: &str = "playbook: brand
extends: variety-store
tiers:
  levels:
    gold:
      benefits: [{ zh: 积分双倍, en: Double points }, 专属客服]
consent:
  purposes:
    marketing:
      name: { zh: 营销, en: Marketing }
      text: { zh: 我们会给您发送优惠。, en: We send you offers. }
      channels: [sms, pigeon]
      versions: [\"2025-06\", \"2026-01\"]
    service: { needed: false, channels: [email] }
";

async fn applied(home: &Home) {
    let (playbook, _) = playbooks::read_given(PLAYBOOK).unwrap_or_else(|problems| panic!("{problems:?}"));
    home.engine.apply(&playbook).await.unwrap();
}

async fn tree(home: &Home) {
    let rows = json!({"places": [
        {"code": "b", "kind": "brand", "name_zh": "好物集"},
        {"code": "330", "kind": "store", "parent": "b", "name_zh": "万象城店", "name_en": "Mixc"},
    ]});
    let done = home.as_key(&home.owner, "POST", "/v1/commands/places/put", &rows).await;
    assert_eq!(done.status, 200, "{}", done.text());
}

#[tokio::test]
async fn what_a_tier_gives_and_what_one_agrees_to_is_said_as_the_playbook_has_it() {
    let (home, phones) = texting().await;
    applied(&home).await;
    let (mut ann, _) = comes_in(&home, &phones, PHONE).await;
    let me = ann.reads(&home, "/v1/me").await;
    let gold = me["levels"].as_array().unwrap().iter().find(|one| one["level"] == "gold").unwrap();
    let given = json!([{"zh": "积分双倍", "en": "Double points"}, {"zh": "专属客服", "en": "专属客服"}]);
    assert_eq!(gold["benefits"], given);
    assert_eq!(me["levels"][0]["benefits"], json!([]));
    let consents = ann.reads(&home, "/v1/me/consents").await;
    let marketing = &consents["purposes"][0];
    assert_eq!(marketing["text"], json!({"zh": "我们会给您发送优惠。", "en": "We send you offers."}));
    assert_eq!((&marketing["version"], &consents["purposes"][1]["text"]), (&json!("2026-01"), &Value::Null));
    let called: Vec<&Value> =
        marketing["channels"].as_array().unwrap().iter().map(|one| &one["name"]["zh"]).collect();
    assert_eq!(called, [&json!("pigeon"), &json!("短信")]);
    // Who notes consents at a till reads the same.
    let till = home.key(Role::Cashier, Some("330"), Some("c1")).await;
    let purposes = home.as_key(&till, "GET", "/v1/consents/purposes", &Value::Null).await.json();
    assert_eq!(
        (&purposes["items"][0]["text"], &purposes["items"][0]["version"]),
        (&marketing["text"], &json!("2026-01"))
    );
    let brand = home.as_key(&till, "GET", "/v1/brand", &Value::Null).await.json();
    assert_eq!(
        (&brand["currency"], &brand["exponent"], &brand["timezone"]),
        (&json!("CNY"), &json!(2), &json!("Asia/Shanghai"))
    );
    assert_eq!((&brand["tiers"][2]["benefits"], &brand["name"]), (&given, &Value::Null));
    let public = home.key(Role::Public, None, None).await;
    assert_eq!(home.as_key(&public, "GET", "/v1/brand", &Value::Null).await.code(), "operation_refused");
    home.end().await;
}

#[tokio::test]
async fn orders_name_their_store_and_their_products() {
    let (home, phones) = texting().await;
    tree(&home).await;
    let door = Browser::default().reads(&home, "/v1/me/door").await;
    assert_eq!(door["brand"], json!({"zh": "好物集"}));
    let id = home.member("13912345678", 0).await;
    let item = json!({
        "type": "track", "event": "Order Completed", "messageId": "o-1",
        "context": {"externalIds": [{"id": "13912345678", "type": "phone"}]},
        "properties": {"order_id": "A1", "total": 39.9, "currency": "CNY", "store_id": "330",
            "products": [{"product_id": "p1", "name": " 帆布袋 ", "price": 39.9}, {"product_id": "p2"}]},
    });
    let sent = home.as_key(&home.owner, "POST", "/v1/track", &item).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    // What comes after it is answered once it is decided, so the order is.
    let body = json!({"member": {"id": id}, "amount": 1, "reason": "test"});
    assert_eq!(home.command("points/adjust", "a-1", body).await.status, 200);
    let (mut ann, _) = comes_in(&home, &phones, PHONE).await;
    let orders = ann.reads(&home, "/v1/me/orders").await;
    let order = &orders["items"][0];
    assert_eq!(
        (&order["store"], &order["store_name"]),
        (&json!("330"), &json!({"zh": "万象城店", "en": "Mixc"}))
    );
    assert_eq!(
        (&order["lines"][0]["name"], &order["lines"][1]["name"]),
        (&json!("帆布袋"), &Value::Null),
        "{orders}"
    );
    assert_eq!(ann.reads(&home, "/v1/me").await["store_name"]["en"], "Mixc");
    let staff =
        home.as_key(&home.owner, "GET", &format!("/v1/members/{id}/orders"), &Value::Null).await.json();
    assert_eq!(staff["items"][0]["store_name"]["zh"], "万象城店");
    home.end().await;
}

#[tokio::test]
async fn whoever_is_signed_in_has_a_code_sent_to_their_own_phone_without_typing_it() {
    let (home, phones) = texting().await;
    let stranger = Browser::default().asks(&home, "POST", "/v1/me/code", json!({})).await;
    assert_eq!(refused(&stranger), (401, "not_signed_in".to_owned()));
    let (mut ann, _) = comes_in(&home, &phones, PHONE).await;
    let mut elsewhere = Browser { csrf: "x".repeat(43), ..ann.clone() };
    let forged = elsewhere.asks(&home, "POST", "/v1/me/code", json!({})).await;
    assert_eq!(refused(&forged), (403, "csrf".to_owned()));
    // A minute must have gone by since the code by which they came in: that it is their phone's is told by that.
    let again = ann.asks(&home, "POST", "/v1/me/code", json!({})).await;
    assert_eq!(refused(&again), (429, "too_many_attempts".to_owned()));
    let fresh = ann.asks(&home, "POST", "/v1/me/session", json!({"code": "000000"})).await;
    assert_eq!(
        fresh.code(),
        "code_over",
        "the one that was texted to their phone was used: {}",
        fresh.text()
    );
    home.end().await;
}
