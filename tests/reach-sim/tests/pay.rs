//! R7 and what stands around it, end to end: people pay by WeChat in a store, the merchant is told or finds it by itself, the order's member
//! gets the coupon and the word of it, and uses it at the till within its week. Each once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zhiyin_engine::pays;
use zhiyin_engine::pays::payouts::{PayoutAsked, Stage};
use zhiyin_model::coupon::CouponAccount;
use zhiyin_model::effect::{Asset, OrderStatus};
use zhiyin_reach_sim::Chance;
use zhiyin_reach_sim::pay::{APPID, By, Till};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

fn usual() -> Value {
    json!({})
}

#[tokio::test]
async fn r7_who_pays_by_wechat_in_a_store_gets_a_coupon_and_uses_it_within_its_week() {
    for by in [By::Certificates, By::PublicKey] {
        let mut till = Till::new(by, 1, usual()).await;
        till.order("till", "ann", "T1", 50).await;
        till.order("till", "bob", "T2", 34).await;
        till.order("till", "eve", "T3", 50).await;
        till.works().await;
        // Eve paid in cash. Bob paid less than 35.
        till.pays("o-ann", "T1", 50).await;
        till.pays("o-bob", "T2", 34).await;
        till.goes_on(MINUTE_MS).await;
        assert_eq!(till.had("ann").await, (vec![CouponAccount::Held], 1), "{by:?}");
        assert_eq!(till.had("bob").await, (vec![], 0));
        assert_eq!(till.had("eve").await, (vec![], 0));
        assert_eq!(till.placed("T1").await.unwrap().terms.method.as_deref(), Some("wechat"));
        assert_eq!(till.placed("T3").await.unwrap().terms.method, None);
        // Whoever paid is not taken for whoever bought.
        assert_eq!(till.member("user", "ann").await.holdings.coupons.len(), 1);
        till.goes_on(6 * DAY_MS).await;
        assert_eq!(till.uses("ann", "c1").await, 8_800);
        assert_eq!(till.uses("ann", "c2").await, 10_000);
        assert_eq!(till.had("ann").await, (vec![CouponAccount::Redeemed], 1));
        till.ends().await;
    }
}

#[tokio::test]
async fn r7_the_coupon_ends_after_its_week() {
    let mut till = Till::new(By::PublicKey, 2, usual()).await;
    till.order("till", "ann", "T1", 50).await;
    till.works().await;
    till.pays("o-ann", "T1", 50).await;
    till.goes_on(MINUTE_MS).await;
    assert_eq!(till.had("ann").await.0, [CouponAccount::Held]);
    till.goes_on(8 * DAY_MS).await;
    assert_eq!(till.had("ann").await.0, [CouponAccount::Expired]);
    assert_eq!(till.uses("ann", "c1").await, 10_000);
    till.ends().await;
}

#[tokio::test]
async fn r7_notices_lost_doubled_and_late_give_each_once_and_the_bill_finds_what_was_lost() {
    let mut till = Till::new(By::Certificates, 7, usual()).await;
    till.act(
        "faults",
        json!({
            "callback_lost": 300, "callback_doubled": 300, "callback_delayed": 200, "callback_reordered": 200,
            "call_fails_before": 70, "call_reply_lost": 70, "call_server_error": 60, "timeout_real_ms": 1,
        }),
    )
    .await;
    let who: Vec<String> = (0..40).map(|n| format!("m{n}")).collect();
    for (n, one) in who.iter().enumerate() {
        // Some are reported before they are paid, some after.
        if n % 2 == 0 {
            till.order("till", one, &format!("T{n}"), 50).await;
            till.pays(&format!("o{n}"), &format!("T{n}"), 50).await;
        } else {
            till.pays(&format!("o{n}"), &format!("T{n}"), 50).await;
            till.order("till", one, &format!("T{n}"), 50).await;
        }
        till.goes_on(20_000).await;
    }
    till.goes_on(5 * MINUTE_MS).await;
    let mut n_told = 0;
    for one in &who {
        n_told += till.had(one).await.0.len();
    }
    assert!((15..40).contains(&n_told), "{n_told} of 40 were told: some notices are lost for good");
    // The bill of the day is there at ten of the next.
    for _ in 0..30 {
        till.goes_on(HOUR_MS).await;
    }
    for one in &who {
        assert_eq!(till.had(one).await, (vec![CouponAccount::Held], 1), "{one}");
        assert_eq!(till.member("user", one).await.holdings.coupons.len(), 1);
    }
    let found = till.measured("zhiyin_arrivals_total{channel=\"wxpay\",kind=\"found\"").await;
    assert!(found.iter().any(|(_, n)| *n > 0), "{found:?}");
    for (n, one) in who.iter().enumerate() {
        assert_eq!(till.uses(one, &format!("c{n}")).await, 8_800, "{one}");
        assert_eq!(till.had(one).await, (vec![CouponAccount::Redeemed], 1));
    }
    let truth = till.truth().await;
    for paid in truth["payments"].as_array().unwrap() {
        let order = till.placed(paid["out_trade_no"].as_str().unwrap()).await.unwrap();
        assert_eq!(
            (order.paid.0, order.status),
            (paid["amount"]["total"].as_i64().unwrap(), OrderStatus::Placed)
        );
        assert_eq!(order.terms.method.as_deref(), Some("wechat"));
    }
    till.ends().await;
}

#[tokio::test]
async fn s6_an_order_from_till_notice_and_shop_in_any_order_earns_once() {
    let mut till = Till::new(By::PublicKey, 3, usual()).await;
    let arrivals = ["tps", "tsp", "pts", "pst", "stp", "spt"];
    for (n, arrival) in arrivals.into_iter().enumerate() {
        let (who, number) = (format!("m{n}"), format!("T{n}"));
        for step in arrival.chars() {
            match step {
                't' => till.order("till", &who, &number, 50).await,
                's' => till.order("shop", &who, &number, 50).await,
                _ => till.pays(&format!("o{n}"), &number, 50).await,
            }
            // Longer than an order is waited for: so the payment is told before it.
            till.goes_on(2 * MINUTE_MS).await;
        }
        let member = till.member("user", &who).await;
        assert_eq!(member.account(Asset::Points).active, 50, "{arrival}");
        assert_eq!(till.had(&who).await, (vec![CouponAccount::Held], 1), "{arrival}");
        let order = till.placed(&number).await.unwrap();
        assert_eq!((order.member, order.terms.method.as_deref()), (member.id, Some("wechat")), "{arrival}");
    }
    till.ends().await;
}

#[tokio::test]
async fn s6_an_order_that_is_decided_late_is_told_of_its_member_all_the_same() {
    let mut till = Till::new(By::PublicKey, 11, usual()).await;
    // The pipeline is behind: the order was taken in before, and is decided after the payment was told of whoever paid.
    till.order("till", "ann", "T1", 50).await;
    till.pays("o-ann", "T1", 50).await;
    till.act("clock/advance", json!({"ms": 2 * MINUTE_MS})).await;
    let wall = zhiyin_engine::clock::wall();
    till.engine.work_on_arrivals(None, wall).await.unwrap();
    till.works().await;
    till.goes_on(MINUTE_MS).await;
    assert_eq!(till.had("ann").await, (vec![CouponAccount::Held], 1));
    till.ends().await;
}

#[tokio::test]
async fn c4_a_pay_code_is_the_same_member_where_the_brand_says_so() {
    let mut till = Till::new(By::PublicKey, 4, json!({"payer_is_buyer": true})).await;
    till.order("till", "ann", "T1", 50).await;
    till.works().await;
    till.pays("o-ann", "T1", 50).await;
    till.goes_on(MINUTE_MS).await;
    let member = till.member(&format!("openid:{APPID}"), "o-ann").await;
    assert_eq!(member.id, till.member("user", "ann").await.id);
    till.ends().await;
}

#[tokio::test]
async fn r1_a_refund_takes_back_what_its_order_earned_once_however_often_it_is_told() {
    for attach in [false, true] {
        let number = if attach { "attach" } else { "out_trade_no" };
        let mut till = Till::new(By::PublicKey, 5, json!({ "number": number })).await;
        till.order("till", "ann", "N1", 50).await;
        let own = if attach { "P1" } else { "N1" };
        let paid = json!({
            "appid": APPID, "openid": "o-ann", "out_trade_no": own, "total": 5_000, "attach": "N1",
        });
        till.act("pay/pay", paid).await;
        till.goes_on(MINUTE_MS).await;
        till.act("faults", json!({"callback_doubled": 1_000})).await;
        till.act("pay/refund", json!({"out_trade_no": own, "out_refund_no": "R1", "refund": 2_000})).await;
        till.goes_on(MINUTE_MS).await;
        assert_eq!(till.member("user", "ann").await.account(Asset::Points).active, 30, "{number}");
        till.act("faults", json!({"callback_lost": 1_000})).await;
        till.act("pay/refund", json!({"out_trade_no": own, "out_refund_no": "R2", "refund": 3_000})).await;
        till.goes_on(2 * DAY_MS).await;
        till.goes_on(MINUTE_MS).await;
        assert_eq!(
            till.member("user", "ann").await.account(Asset::Points).active,
            0,
            "the bill finds what no notice told"
        );
        till.ends().await;
    }
}

#[tokio::test]
async fn what_is_not_the_platforms_is_refused_by_name_and_keeps_nothing() {
    for by in [By::Certificates, By::PublicKey] {
        let mut till = Till::new(by, 6, usual()).await;
        till.order("till", "ann", "T1", 50).await;
        till.act("faults", json!({"callback_lost": 1_000})).await;
        till.pays("o-ann", "T1", 50).await;
        till.act("faults", json!({"none": true})).await;
        let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
        for (what, status, why) in [
            ("body", 403, "signature_wrong"),
            ("truncated", 403, "signature_wrong"),
            ("signature", 403, "signature_wrong"),
            ("key", 403, "signature_wrong"),
            ("certificate", 403, "key_unknown"),
            ("stale", 403, "not_now"),
            ("probe", 403, "probe"),
            ("headless", 403, "head_missing"),
            ("sealed", 403, "not_sealed"),
            ("other_merchant", 403, "of_another_merchant"),
            ("oversized", 413, "too_large"),
        ] {
            let answer = till.act("pay/tell", json!({"what": what, "out_trade_no": "T1"})).await;
            assert_eq!(answer["status"], status, "{what}: {answer}");
            assert!(answer["body"].as_str().unwrap().contains("\"FAIL\""), "{what}: {answer}");
            *wanted.entry(format!("{{channel=\"wxpay\",why=\"{why}\"}}")).or_default() += 1;
        }
        // What is measured is as old as a second at most, so it is read once.
        let refused = till.measured("zhiyin_arrivals_refused_total").await;
        let refused =
            refused.into_iter().map(|(name, n)| (name.replace("zhiyin_arrivals_refused_total", ""), n));
        assert_eq!(refused.collect::<BTreeMap<String, u64>>(), wanted);
        till.works().await;
        assert_eq!(till.had("ann").await, (vec![], 0));
        // The platform's own notice once more is known, and after a while nobody's.
        till.order("till", "bob", "T2", 50).await;
        till.pays("o-bob", "T2", 50).await;
        till.goes_on(1_000).await;
        let again = till.act("pay/tell", json!({"what": "again"})).await;
        assert_eq!(again["status"], 200, "{again}");
        till.goes_on(6 * MINUTE_MS).await;
        let again = till.act("pay/tell", json!({"what": "again"})).await;
        assert_eq!(again["status"], 403, "{again}");
        assert_eq!(till.had("bob").await, (vec![CouponAccount::Held], 1));
        till.ends().await;
    }
}

#[tokio::test]
async fn a_new_certificate_is_fetched_once_however_many_notices_bear_it() {
    let mut till = Till::new(By::Certificates, 8, usual()).await;
    let asked = till.truth().await["certificates_asked"].as_u64().unwrap();
    till.goes_on(2 * MINUTE_MS).await;
    till.act("pay/certificate", json!({})).await;
    for n in 0..20 {
        till.order("till", &format!("m{n}"), &format!("T{n}"), 50).await;
        till.pays(&format!("o{n}"), &format!("T{n}"), 50).await;
    }
    till.goes_on(3_000).await;
    till.goes_on(3_000).await;
    for n in 0..20 {
        assert_eq!(till.had(&format!("m{n}")).await, (vec![CouponAccount::Held], 1));
    }
    assert_eq!(till.truth().await["certificates_asked"].as_u64().unwrap(), asked + 1);
    till.ends().await;
}

#[tokio::test]
async fn one_payment_is_found_by_its_number() {
    let mut till = Till::new(By::PublicKey, 9, usual()).await;
    till.act("faults", json!({"callback_lost": 1_000})).await;
    till.order("till", "ann", "T1", 50).await;
    till.pays("o-ann", "T1", 50).await;
    till.goes_on(MINUTE_MS).await;
    assert_eq!(till.had("ann").await, (vec![], 0));
    let merchant = &till.merchants[0];
    let find = async |number: &str| {
        till.engine.find_payment(merchant, number, zhiyin_engine::clock::wall()).await.unwrap().unwrap()
    };
    assert_eq!(
        (find("T1").await, find("T1").await, find("T9").await),
        ((true, true), (true, false), (false, false))
    );
    till.works().await;
    assert_eq!(till.had("ann").await, (vec![CouponAccount::Held], 1));
    till.ends().await;
}

#[tokio::test]
async fn what_was_set_up_is_checked_step_by_step() {
    for by in [By::Certificates, By::PublicKey] {
        let till = Till::new(by, 10, usual()).await;
        let steps =
            pays::check(&till.merchants[0].pay, "https://vip.shop.example/v1/callbacks/wxpay/main").await;
        let seen: Vec<_> = steps.iter().map(|step| (step.name, step.health)).collect();
        assert!(
            seen.iter().all(|(_, health)| *health == zhiyin_engine::platforms::Health::Well),
            "{steps:?}"
        );
        assert!(seen.iter().any(|(name, _)| *name == "signature"), "{seen:?}");
        assert_eq!(seen.iter().any(|(name, _)| *name == "certificates"), by == By::Certificates);
        till.ends().await;
    }
}

fn payout(bill: &str, amount: i64) -> PayoutAsked {
    PayoutAsked {
        bill: bill.to_owned(),
        appid: APPID.to_owned(),
        openid: format!("o-{bill}"),
        amount,
        name: None,
        remark: "九月佣金".to_owned(),
        reports: vec![("岗位类型".to_owned(), "推广员".to_owned())],
    }
}

#[tokio::test]
async fn s3_a_transfer_is_made_once_whatever_gets_lost_and_ends_as_its_person_ends_it() {
    let till = Till::new(By::Certificates, 12, usual()).await;
    till.act(
        "faults",
        json!({
            "callback_lost": 500, "callback_doubled": 300, "call_reply_lost": 250, "call_fails_before": 150,
            "call_server_error": 100, "call_busy": 50,
        }),
    )
    .await;
    let wall = zhiyin_engine::clock::wall;
    let bills: Vec<String> = (0..12).map(|n| format!("B{n}")).collect();
    for (n, bill) in bills.iter().enumerate() {
        let asked = payout(bill, 100 + i64::try_from(n).unwrap());
        let begun = till.engine.begin_payout("main", &asked, wall()).await.unwrap().unwrap();
        let again = till.engine.begin_payout("main", &asked, wall()).await.unwrap().unwrap();
        assert_eq!(begun, again);
    }
    for _ in 0..30 {
        till.goes_on(MINUTE_MS).await;
    }
    let stage = async |bill: &str| till.engine.payout("main", bill).await.unwrap().unwrap();
    for bill in &bills {
        let one = stage(bill).await;
        assert_eq!(one.stage, Stage::WaitsForPerson, "{bill}");
        assert!(one.package.is_some(), "{bill}: what its person confirms it by");
    }
    // A third take it, a third are not wanted any more, a third are left to lie.
    for bill in &bills[..4] {
        till.act("pay/confirm", json!({"out_bill_no": bill})).await;
    }
    for bill in &bills[4..8] {
        till.engine.cancel_payout("main", bill, wall()).await.unwrap().unwrap();
    }
    for _ in 0..(26 * 6) {
        till.goes_on(10 * MINUTE_MS).await;
    }
    let wanted =
        [(0, Stage::Done, "SUCCESS"), (4, Stage::Cancelled, "CANCELLED"), (8, Stage::Failed, "FAIL")];
    let truth = till.truth().await;
    let moved = truth["transfers"].as_array().unwrap();
    assert_eq!(moved.len(), bills.len(), "each was made once");
    for (from, ends, state) in wanted {
        for bill in &bills[from..from + 4] {
            let (one, there) =
                (stage(bill).await, moved.iter().find(|one| one["out_bill_no"] == **bill).unwrap());
            assert_eq!((one.stage, there["state"].as_str()), (ends, Some(state)), "{bill}");
            assert_eq!(one.package, None);
            assert_eq!(one.asked.amount, there["transfer_amount"].as_i64().unwrap());
        }
    }
    assert_eq!(stage("B8").await.why.as_deref(), Some("OVERDUE_CLOSE"));
    till.ends().await;
}

#[tokio::test]
async fn s3_a_transfer_that_cannot_be_is_refused_by_its_field_and_one_number_is_one_transfer() {
    let till = Till::new(By::PublicKey, 13, usual()).await;
    let wall = zhiyin_engine::clock::wall;
    let begin = async |asked: &PayoutAsked| till.engine.begin_payout("main", asked, wall()).await.unwrap();
    for (asked, field) in [
        (payout("B-1", 100), "bill"),
        (payout("B1", 9), "amount"),
        (payout("B1", 100_000_001), "amount"),
        (payout("B1", 200_000), "name"),
        (PayoutAsked { openid: String::new(), ..payout("B1", 100) }, "openid"),
        (PayoutAsked { remark: "长".repeat(33), ..payout("B1", 100) }, "remark"),
        (PayoutAsked { reports: Vec::new(), ..payout("B1", 100) }, "reports"),
    ] {
        assert_eq!(begin(&asked).await.unwrap_err().field, field);
    }
    begin(&payout("B1", 100)).await.unwrap();
    assert_eq!(begin(&payout("B1", 101)).await.unwrap_err().code, "payout_reused");
    // One that is not wanted before anything was said never leaves the house.
    begin(&payout("B2", 100)).await.unwrap();
    let cancelled = till.engine.cancel_payout("main", "B2", wall()).await.unwrap().unwrap();
    assert_eq!(cancelled.stage, Stage::Cancelled);
    begin(&PayoutAsked { appid: "wxOther".to_owned(), ..payout("B3", 100) }).await.unwrap();
    till.goes_on(MINUTE_MS).await;
    assert_eq!(till.engine.payout("main", "B3").await.unwrap().unwrap().stage, Stage::Refused);
    assert_eq!(till.truth().await["transfers"].as_array().unwrap().len(), 1);
    till.ends().await;
}

/// One of which nobody knows may be on its way yet when it is not wanted any more.
#[tokio::test]
async fn s3_a_transfer_that_is_cancelled_while_it_is_asked_for_is_over_when_it_was_certainly_never_made() {
    let till = Till::new(By::PublicKey, 15, usual()).await;
    let wall = zhiyin_engine::clock::wall;
    let stands = async || till.engine.payout("main", "B1").await.unwrap().unwrap();
    till.act("faults", json!({"call_fails_before": 1_000, "timeout_real_ms": 1})).await;
    till.engine.begin_payout("main", &payout("B1", 100), wall()).await.unwrap().unwrap();
    till.works().await;
    assert_eq!(stands().await.stage, Stage::Asked);
    till.act("faults", json!({"none": true})).await;
    till.engine.cancel_payout("main", "B1", wall()).await.unwrap().unwrap();
    let before = stands().await;
    till.works().await;
    assert_eq!(stands().await, before, "whoever asks for it has a minute");
    till.goes_on(2 * MINUTE_MS).await;
    let now = stands().await;
    assert_eq!((now.stage, now.why.as_deref()), (Stage::Asked, Some("not_found")), "it may come yet");
    till.goes_on(10 * MINUTE_MS).await;
    assert_eq!(stands().await.stage, Stage::Cancelled);
    assert_eq!(till.truth().await["transfers"], json!([]));
    till.ends().await;
}

#[tokio::test]
async fn s3_a_transfer_of_two_thousand_yuan_bears_its_persons_name_for_the_platform_alone() {
    for by in [By::Certificates, By::PublicKey] {
        let till = Till::new(by, 14, usual()).await;
        till.act("faults", json!({"call_reply_lost": 300, "timeout_real_ms": 1})).await;
        let asked = PayoutAsked { name: Some("张三丰".to_owned()), ..payout("B1", 200_000) };
        let wall = zhiyin_engine::clock::wall;
        till.engine.begin_payout("main", &asked, wall()).await.unwrap().unwrap();
        for _ in 0..10 {
            till.goes_on(MINUTE_MS).await;
        }
        let made = till.engine.payout("main", "B1").await.unwrap().unwrap();
        assert_eq!((made.stage, made.why), (Stage::WaitsForPerson, None), "{by:?}");
        let truth = till.truth().await;
        assert_eq!(truth["transfers"].as_array().unwrap().len(), 1);
        assert!(!truth.to_string().contains("张三丰"));
        till.ends().await;
    }
}

/// Of a brand that is a merchant of a provider's.
#[tokio::test]
async fn r7_a_providers_merchant_is_told_asks_and_sends_by_both_numbers() {
    for by in [By::Certificates, By::PublicKey] {
        let mut till = Till::of(by, 21, json!({"sub_mchid": "1900000109"})).await;
        till.order("till", "ann", "T1", 50).await;
        till.order("till", "bob", "T2", 50).await;
        till.works().await;
        till.pays("o-ann", "T1", 50).await;
        till.goes_on(MINUTE_MS).await;
        assert_eq!(till.had("ann").await, (vec![CouponAccount::Held], 1), "{by:?}");
        // Another merchant of the same provider's is not us.
        let answer = till.act("pay/tell", json!({"what": "other_merchant", "out_trade_no": "T1"})).await;
        assert_eq!(answer["status"], 403, "{answer}");
        // What no notice told is in the bill, and found by its number.
        till.act("faults", json!({"callback_lost": 1_000})).await;
        till.pays("o-bob", "T2", 50).await;
        till.act("pay/refund", json!({"out_trade_no": "T1", "out_refund_no": "R1", "refund": 1_000})).await;
        let wall = zhiyin_engine::clock::wall();
        let found = till.engine.find_payment(&till.merchants[0], "T2", wall).await.unwrap();
        assert_eq!(found, Ok((true, true)));
        till.goes_on(2 * DAY_MS).await;
        assert_eq!(till.had("bob").await.0, [CouponAccount::Held]);
        till.goes_on(MINUTE_MS).await;
        assert_eq!(till.member("user", "ann").await.account(Asset::Points).active, 40, "{by:?}");
        till.act("faults", json!({"none": true})).await;
        // Whoever confirms has it; whoever is not wanted any more has not.
        let wall = zhiyin_engine::clock::wall;
        for bill in ["B1", "B2"] {
            till.engine.begin_payout("main", &payout(bill, 100), wall()).await.unwrap().unwrap();
        }
        till.goes_on(MINUTE_MS).await;
        till.act("pay/confirm", json!({"out_bill_no": "B1"})).await;
        till.engine.cancel_payout("main", "B2", wall()).await.unwrap().unwrap();
        till.goes_on(10 * MINUTE_MS).await;
        till.goes_on(10 * MINUTE_MS).await;
        for (bill, stage) in [("B1", Stage::Done), ("B2", Stage::Cancelled)] {
            assert_eq!(
                till.engine.payout("main", bill).await.unwrap().unwrap().stage,
                stage,
                "{by:?} {bill}"
            );
        }
        till.ends().await;
    }
}

/// What somebody was sent or paid for in the end, as the platform has it.
fn sum(truth: &Value, list: &str, of: impl Fn(&Value) -> bool, amount: &str) -> i64 {
    let all = truth[list].as_array().unwrap().iter();
    all.filter(|one| of(one)).map(|one| one.pointer(amount).unwrap().as_i64().unwrap()).sum()
}

#[tokio::test]
async fn in_an_hour_in_which_a_fifth_goes_wrong_orders_points_and_transfers_are_as_the_platform_has_them() {
    let mut till = Till::new(By::Certificates, 22, usual()).await;
    let mut chance = Chance::new(22);
    let faults = json!({
        "callback_lost": 200, "callback_doubled": 200, "callback_reordered": 200, "callback_delayed": 100,
        "call_fails_before": 60, "call_reply_lost": 60, "call_server_error": 40, "call_busy": 40, "timeout_real_ms": 1,
    });
    till.act("faults", faults).await;
    let wall = zhiyin_engine::clock::wall;
    let (mut paid, mut bills, mut cancelled) = (Vec::new(), Vec::new(), 0);
    for n in 0..180 {
        match chance.below(10) {
            0..=5 => {
                let (who, number, yuan) = (format!("m{n}"), format!("T{n}"), 20 + n % 40);
                till.order("till", &who, &number, yuan).await;
                till.pays(&format!("o{n}"), &number, yuan).await;
                paid.push((who, number, yuan, 0_i64));
            }
            6..=7 if !paid.is_empty() => {
                let at = chance.below(paid.len());
                let (_, number, yuan, back) = &mut paid[at];
                if *back + 10 <= *yuan {
                    let refund =
                        json!({"out_trade_no": number, "out_refund_no": format!("R{n}"), "refund": 1_000});
                    till.act("pay/refund", refund).await;
                    *back += 10;
                }
            }
            8 => {
                let bill = format!("B{n}");
                till.engine.begin_payout("main", &payout(&bill, 100 + n), wall()).await.unwrap().unwrap();
                bills.push(bill);
            }
            _ if !bills.is_empty() => {
                let bill = chance.one(&bills).clone();
                let stands = till.engine.payout("main", &bill).await.unwrap().unwrap();
                if stands.stage == Stage::WaitsForPerson && !stands.cancel {
                    if chance.below(3) == 0 {
                        till.engine.cancel_payout("main", &bill, wall()).await.unwrap().unwrap();
                        cancelled += 1;
                    } else {
                        till.act("pay/confirm", json!({"out_bill_no": bill})).await;
                    }
                }
            }
            _ => {}
        }
        till.goes_on(20_000).await;
    }
    till.act("faults", json!({"none": true})).await;
    // What nobody confirmed comes back after a day; the bill of the day finds what no notice told.
    for _ in 0..31 {
        till.goes_on(HOUR_MS).await;
    }
    let truth = till.truth().await;
    assert!(
        paid.len() > 80 && bills.len() > 8 && cancelled > 0,
        "{} {} {cancelled}",
        paid.len(),
        bills.len()
    );
    for (who, number, yuan, back) in &paid {
        let order = till.placed(number).await.unwrap();
        assert_eq!((order.paid.0, order.refunded.0), (yuan * 100, back * 100), "{number}");
        assert_eq!(
            sum(&truth, "payments", |one| one["out_trade_no"] == **number, "/amount/total"),
            yuan * 100
        );
        assert_eq!(sum(&truth, "refunds", |one| one["out_trade_no"] == **number, "/refund"), back * 100);
        assert_eq!(order.terms.method.as_deref(), Some("wechat"), "{number}");
        assert_eq!(till.member("user", who).await.account(Asset::Points).active, yuan - back, "{number}");
    }
    let mut ended = BTreeMap::new();
    for bill in &bills {
        let here = till.engine.payout("main", bill).await.unwrap().unwrap();
        let there = truth["transfers"].as_array().unwrap().iter().find(|one| one["out_bill_no"] == **bill);
        let state = there.map(|one| one["state"].as_str().unwrap());
        let wanted = match here.stage {
            Stage::Done => Some("SUCCESS"),
            Stage::Failed => Some("FAIL"),
            Stage::Cancelled => Some("CANCELLED"),
            other => panic!("{bill} is {other:?}: {there:?}"),
        };
        assert_eq!(state, wanted, "{bill}");
        *ended.entry(here.stage.name()).or_insert(0) += 1;
    }
    assert_eq!(truth["transfers"].as_array().unwrap().len(), bills.len(), "each was made once");
    assert!(ended.contains_key("done"), "{ended:?}");
    till.ends().await;
}
