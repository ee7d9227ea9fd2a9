//! Coupons that also lie in members' WeChat card packs (商家券): sent, used at the till, given back, over; used and taken in WeChat. Each once,
//! whatever gets lost, and in the end both are the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use serde_json::{Value, json};
use zhiyin_engine::pays::packs::PackStage;
use zhiyin_model::coupon::CouponAccount;
use zhiyin_reach_sim::pay::{APPID, By, Till};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// The stock that goes with the offer `paid-88`.
const STOCK: &str = "1286950000000039";

async fn till(seed: u64, mode: &str) -> Till {
    let till = Till::with(By::Certificates, seed, json!({}), json!({"paid-88": STOCK})).await;
    till.act("pay/coupon/stock", json!({"stock_id": STOCK, "coupon_code_mode": mode})).await;
    till
}

/// Somebody whose openid is known is issued a coupon.
async fn is_issued(till: &mut Till, who: &str) {
    let named = json!({"externalIds": [{"id": format!("o-{who}"), "type": format!("openid:{APPID}")}]});
    let properties = json!({"offer": "paid-88"});
    till.takes(
        "desk",
        json!({"event": "Coupon Issued", "userId": who, "context": named, "properties": properties}),
    )
    .await;
}

/// Somebody whose openid is known is in a store.
async fn visits(till: &mut Till, who: &str) {
    let named = json!({"externalIds": [{"id": format!("o-{who}"), "type": format!("openid:{APPID}")}]});
    till.takes("desk", json!({"event": "Store Visited", "userId": who, "context": named})).await;
    till.works().await;
}

async fn in_packs(till: &Till) -> Vec<Value> {
    till.truth().await["coupons"].as_array().unwrap().clone()
}

/// The one in somebody's card pack.
async fn in_pack(till: &Till, who: &str) -> Value {
    let mut all = in_packs(till).await;
    all.retain(|one| one["openid"] == format!("o-{who}"));
    assert_eq!(all.len(), 1, "{who}: {all:?}");
    all.remove(0)
}

fn times(one: &Value) -> [u64; 4] {
    ["sent", "used", "returned", "ended"].map(|what| one["times"][what].as_u64().unwrap())
}

async fn for_a_while(till: &Till, n: usize) {
    for _ in 0..n {
        till.goes_on(10 * MINUTE_MS).await;
    }
}

#[tokio::test]
async fn a_coupon_in_a_card_pack_is_the_same_as_here_whatever_gets_lost() {
    let mut till = till(21, "MERCHANT_API").await;
    till.act(
        "faults",
        json!({
            "callback_lost": 300, "callback_doubled": 300, "call_fails_before": 70, "call_reply_lost": 70,
            "call_server_error": 60, "timeout_real_ms": 1,
        }),
    )
    .await;
    let who: Vec<String> = (0..20).map(|n| format!("m{n}")).collect();
    for one in &who {
        is_issued(&mut till, one).await;
    }
    // Who has no openid here has no card pack.
    till.takes(
        "desk",
        json!({"event": "Coupon Issued", "userId": "nobody", "properties": {"offer": "paid-88"}}),
    )
    .await;
    for_a_while(&till, 6).await;
    assert_eq!(till.had("nobody").await.0, [CouponAccount::Held]);
    assert_eq!(in_packs(&till).await.len(), who.len());
    for one in &who {
        let there = in_pack(&till, one).await;
        assert_eq!((there["coupon_state"].as_str(), times(&there)), (Some("SENDED"), [1, 0, 0, 0]), "{one}");
        assert_eq!(till.had(one).await.0, [CouponAccount::Held]);
    }
    // Some use it at the till, and some of these give back what they bought; some use it in WeChat; some let it be.
    for (n, one) in who.iter().take(10).enumerate() {
        assert_eq!(till.uses(one, &format!("c{n}")).await, 8_800, "{one}");
    }
    for_a_while(&till, 6).await;
    for (n, one) in who.iter().take(5).enumerate() {
        let properties = json!({"checkout": format!("c{n}")});
        till.takes("till", json!({"event": "Checkout Returned", "userId": one, "properties": properties}))
            .await;
    }
    for one in &who[10..15] {
        let there = in_pack(&till, one).await;
        till.act("pay/coupon/use", json!({"coupon_code": there["coupon_code"]})).await;
    }
    // The first one that was given back is used once more, after that was told.
    for_a_while(&till, 12).await;
    assert_eq!(till.uses("m0", "again").await, 8_800);
    for_a_while(&till, 12).await;
    let ends = [
        (0..1, CouponAccount::Redeemed, "USED", [1, 2, 1, 0]),
        (1..5, CouponAccount::Held, "SENDED", [1, 1, 1, 0]),
        (5..10, CouponAccount::Redeemed, "USED", [1, 1, 0, 0]),
        (10..15, CouponAccount::Redeemed, "USED", [1, 1, 0, 0]),
        (15..20, CouponAccount::Held, "SENDED", [1, 0, 0, 0]),
    ];
    for (some, account, state, n) in ends {
        for one in &who[some] {
            let there = in_pack(&till, one).await;
            assert_eq!((there["coupon_state"].as_str(), times(&there)), (Some(state), n), "{one}");
            assert_eq!(till.had(one).await.0, [account], "{one}");
        }
    }
    // After its week it is over in both.
    for _ in 0..(8 * 24) {
        till.goes_on(HOUR_MS).await;
    }
    for one in &who[1..5] {
        let there = in_pack(&till, one).await;
        assert_eq!((there["coupon_state"].as_str(), times(&there)), (Some("DEACTIVATED"), [1, 1, 1, 1]));
        assert_eq!(till.had(one).await.0, [CouponAccount::Expired], "{one}");
    }
    for one in &who[15..] {
        let there = in_pack(&till, one).await;
        assert_eq!((there["coupon_state"].as_str(), times(&there)), (Some("DEACTIVATED"), [1, 0, 0, 1]));
        let member = till.member("user", one).await.id;
        let coupon = till.engine.store().coupons().coupons_of(member, 9).await.unwrap().remove(0);
        let packed = till.engine.packed("main", coupon.id).await.unwrap().unwrap();
        assert_eq!((packed.stage, packed.why), (PackStage::Ended, None), "{one}");
    }
    till.ends().await;
}

#[tokio::test]
async fn a_coupon_that_was_taken_in_wechat_is_issued_here_once_and_used_in_either() {
    let mut till = till(22, "WECHATPAY_MODE").await;
    till.act("faults", json!({"callback_doubled": 1_000, "call_reply_lost": 100, "call_server_error": 100}))
        .await;
    let mut codes = Vec::new();
    for who in ["ann", "bob"] {
        visits(&mut till, who).await;
        let asked = json!({"stock_id": STOCK, "openid": format!("o-{who}"), "appid": APPID});
        codes.push(till.act("pay/coupon/take", asked).await["coupon_code"].clone());
        till.goes_on(MINUTE_MS).await;
    }
    for_a_while(&till, 2).await;
    assert_eq!(till.had("ann").await.0, [CouponAccount::Held]);
    assert_eq!(till.had("bob").await.0, [CouponAccount::Held]);
    assert_eq!(in_packs(&till).await.len(), 2, "nothing more was sent");
    assert_eq!(till.uses("ann", "c1").await, 8_800);
    till.act("pay/coupon/use", json!({"coupon_code": codes[1]})).await;
    for_a_while(&till, 12).await;
    for who in ["ann", "bob"] {
        let there = in_pack(&till, who).await;
        assert_eq!((there["coupon_state"].as_str(), times(&there)), (Some("USED"), [1, 1, 0, 0]), "{who}");
        assert_eq!(till.had(who).await.0, [CouponAccount::Redeemed], "{who}");
    }
    // Of what eve takes no notice comes: her card pack is looked at when she is here once more, on another day.
    visits(&mut till, "eve").await;
    for _ in 0..25 {
        till.goes_on(HOUR_MS).await;
    }
    till.act("faults", json!({"callback_lost": 1_000})).await;
    let asked = json!({"stock_id": STOCK, "openid": "o-eve", "appid": APPID});
    till.act("pay/coupon/take", asked).await;
    for_a_while(&till, 3).await;
    assert_eq!(till.had("eve").await.0, []);
    visits(&mut till, "eve").await;
    for_a_while(&till, 3).await;
    assert_eq!(till.had("eve").await.0, [CouponAccount::Held]);
    assert_eq!(till.uses("eve", "c9").await, 8_800);
    for_a_while(&till, 3).await;
    let there = in_pack(&till, "eve").await;
    assert_eq!((there["coupon_state"].as_str(), times(&there)), (Some("USED"), [1, 1, 0, 0]));
    till.ends().await;
}

#[tokio::test]
async fn a_stock_that_takes_no_codes_of_ours_refuses_and_the_coupon_stays_good_here() {
    let mut till = till(23, "MERCHANT_UPLOAD").await;
    is_issued(&mut till, "ann").await;
    for_a_while(&till, 2).await;
    let member = till.member("user", "ann").await.id;
    let coupon = till.engine.store().coupons().coupons_of(member, 9).await.unwrap().remove(0);
    let packed = till.engine.packed("main", coupon.id).await.unwrap().unwrap();
    assert_eq!((packed.stage, packed.why.as_deref()), (PackStage::Refused, Some("invalid_request")));
    assert_eq!(till.uses("ann", "c1").await, 8_800);
    assert!(in_packs(&till).await.is_empty());
    till.ends().await;
}
