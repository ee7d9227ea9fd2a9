//! Short messages end to end, by both platforms: each is sent once whatever gets lost, receipts told and asked for settle it, who wants no
//! more gets no more, and what all of it cost is what the platform billed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use zhiyin_engine::platforms::Health;
use zhiyin_engine::sends::Handed;
use zhiyin_engine::sends::log::SendView;
use zhiyin_engine::sends::receipts;
use zhiyin_reach_sim::sms::{KEY_ID, PER_PART, SECRET, SIGN, Shop};
use zhiyin_reach_sim::{Chance, On, rows, text};

const MINUTE_MS: i64 = 60_000;
const PLATFORMS: [&str; 2] = ["aliyun", "tencent"];

fn phone(n: usize) -> String {
    format!("+86139{:08}", 10_000_000 + n)
}

fn states(sends: &[SendView]) -> Vec<&str> {
    sends.iter().map(|send| send.state.as_str()).collect()
}

#[tokio::test]
async fn a_message_is_sent_by_its_template_and_costs_what_it_is_billed() {
    for platform in PLATFORMS {
        let mut shop = Shop::new(On::Sqlite, platform, 1, json!({})).await;
        shop.buys(&phone(1), "T1").await;
        shop.takes("Order Delivered", &phone(1), json!({"order_id": "T1"})).await;
        shop.works().await;
        let truth = shop.truth().await;
        let texts: BTreeSet<String> = rows(&truth["messages"]).map(|one| text(&one["text"])).collect();
        assert_eq!(texts.len(), 2, "{truth}");
        let long = texts.iter().find(|one| one.contains("感谢惠顾")).unwrap();
        assert!(long.starts_with(&format!("【{SIGN}】T1号订单")) && long.ends_with("拒收请回复R"), "{long}");
        // Receipts come after some seconds.
        assert_eq!(states(&shop.sends().await), ["sent"; 2]);
        assert!(shop.sends().await.iter().all(|send| send.arrived_at.is_none()));
        shop.goes_on(MINUTE_MS).await;
        assert!(shop.sends().await.iter().all(|send| send.arrived_at.is_some() && send.receipt.is_some()));
        let campaign = shop.engine.campaign("thanks").await.unwrap().unwrap();
        let spent = &campaign.sending["sms"];
        assert_eq!((spent.taken, spent.parts, spent.cost.as_str()), (1, 2, "0.0900"));
        let campaign = shop.engine.campaign("delivered").await.unwrap().unwrap();
        assert_eq!(
            (campaign.sending["sms"].parts, campaign.sending["sms"].cost_ten_thousandths),
            (1, PER_PART)
        );
        shop.ends().await;
    }
}

/// An hour of buying in which a fifth of what is told is lost, another is doubled, and a fifth of the calls fail.
async fn an_hour(on: On, platform: &'static str) {
    const PEOPLE: usize = 60;
    let mut shop = Shop::new(on, platform, 7, json!({})).await;
    let mut chance = Chance::new(11);
    for (n, is) in [(3, "gone"), (7, "off"), (11, "gone"), (13, "off"), (17, "refuses")] {
        shop.act("sms/number", json!({"phone": phone(n), "is": is})).await;
    }
    shop.act(
        "faults",
        json!({
            "callback_lost": 200, "callback_doubled": 200, "callback_reordered": 100, "call_fails_before": 40,
            "call_reply_lost": 80, "call_server_error": 40, "call_busy": 40,
        }),
    )
    .await;
    let mut left = BTreeSet::new();
    let mut n_orders = 0;
    for minute in 0..60 {
        for _ in 0..3 {
            n_orders += 1;
            shop.buys(&phone(chance.below(PEOPLE)), &format!("T{n_orders}")).await;
        }
        if minute % 4 == 3 {
            // Somebody who got something answers.
            let truth = shop.truth().await;
            let got = rows(&truth["messages"]).filter(|one| one["arrived"] == true);
            let got: Vec<String> = got.map(|one| text(&one["phone"])).collect();
            if let Some(who) = got.get(chance.below(got.len().max(1))) {
                let says = *chance.one(&["TD", "谢谢", "退订", "R", "好的", "t"]);
                shop.answers(who, says).await;
                if !matches!(says, "谢谢" | "好的") {
                    left.insert(who.clone());
                }
            }
        }
        shop.goes_on(MINUTE_MS).await;
    }
    // The platform is well again, and what was lost is asked for.
    shop.act("faults", json!({"none": true})).await;
    for _ in 0..24 {
        shop.goes_on(10 * MINUTE_MS).await;
    }
    let truth = shop.truth().await;
    let mut there: BTreeMap<String, &Value> = BTreeMap::new();
    for one in rows(&truth["messages"]) {
        let word = text(&one["context"]);
        assert!(there.insert(word[..32].to_owned(), one).is_none(), "sent twice: {one}");
    }
    let sends = shop.sends().await;
    assert!(there.len() > 100 && sends.len() >= there.len(), "{} of {}", there.len(), sends.len());
    let (mut n_unknown, mut parts) = (0, 0);
    for send in &sends {
        match there.remove(&send.send) {
            Some(one) if one["arrived"] == true => {
                assert_eq!(
                    (send.state.as_str(), send.arrived_at.is_some()),
                    ("sent", true),
                    "{send:?} {one}"
                );
                parts += one["parts"].as_i64().unwrap();
                assert_eq!(send.parts, one["parts"].as_i64());
            }
            Some(one) => {
                assert_eq!(send.state, "bounced", "{send:?} {one}");
                parts += one["parts"].as_i64().unwrap();
                let is_gone = matches!(text(&one["code"]).as_str(), "INVALID_NUMBER" | "MK:0001");
                assert_eq!(send.error.as_ref().unwrap().starts_with("unreachable: "), is_gone, "{send:?}");
                if matches!(text(&one["code"]).as_str(), "USER_REJECT" | "MBBLACK") {
                    left.insert(text(&one["phone"]));
                }
            }
            // What the platform never had is not taken for sent, and is not sent by itself.
            None => {
                assert!(matches!(send.state.as_str(), "unknown" | "stopped"), "{send:?}");
                n_unknown += usize::from(send.state == "unknown");
            }
        }
    }
    assert!(there.is_empty(), "{there:?}");
    assert!(n_unknown > 0, "nothing got lost");
    let campaign = shop.engine.campaign("thanks").await.unwrap().unwrap();
    let spent = &campaign.sending["sms"];
    let n_there = rows(&truth["messages"]).count();
    assert_eq!((spent.taken, spent.parts), (i64::try_from(n_there).unwrap(), parts));
    assert_eq!(spent.cost_ten_thousandths, parts * PER_PART);
    assert!(left.len() > 5, "{left:?}");
    let bought: BTreeSet<String> = rows(&truth["messages"]).map(|one| text(&one["phone"])).collect();
    for who in &bought {
        assert_eq!(shop.may_be_sent(who).await, !left.contains(who), "{who}");
    }
    // Whoever wants no more gets no more advertising, and what is promised still.
    let before = rows(&shop.truth().await["messages"]).count();
    let who = left.iter().find(|who| bought.contains(*who) && !who.ends_with("17")).unwrap().clone();
    shop.buys(&who, "T-after").await;
    shop.takes("Order Delivered", &who, json!({"order_id": "T-after"})).await;
    shop.goes_on(MINUTE_MS).await;
    let truth = shop.truth().await;
    let after: Vec<String> = rows(&truth["messages"]).skip(before).map(|one| text(&one["text"])).collect();
    assert!(after.len() == 1 && after[0].contains("已送达"), "{after:?}");
    let broken: Vec<_> = shop.engine.store().doctor().await.unwrap();
    assert!(broken.iter().all(|check| check.broken.is_empty()), "{broken:?}");
    shop.ends().await;
}

#[tokio::test]
async fn an_hour_of_faults_ends_as_the_platform_has_it() {
    for platform in PLATFORMS {
        an_hour(On::Sqlite, platform).await;
    }
}

#[tokio::test]
async fn an_hour_of_faults_ends_as_the_platform_has_it_on_postgres() {
    if std::env::var("ZHIYIN_TEST_POSTGRES").is_ok() {
        an_hour(On::Postgres, "tencent").await;
    }
}

#[tokio::test]
async fn what_is_not_believed_is_refused_by_name_and_learns_nothing() {
    for platform in PLATFORMS {
        let mut shop = Shop::new(On::Sqlite, platform, 2, json!({})).await;
        shop.buys(&phone(1), "T1").await;
        shop.works().await;
        let reply = match platform {
            "aliyun" => {
                json!([{"phone_number": "13910000001", "content": "T", "send_time": "2026-01-05 09:00:00", "sequence_id": 1}])
            }
            _ => json!({"mobile": "13910000001", "nationcode": "86", "text": "T", "time": 1_767_574_800}),
        };
        let secret = shop.callbacks.split_once('?').unwrap().1.to_owned();
        let many = format!("[{}]", vec!["{}"; 501].join(","));
        for (query, body, status) in [
            ("", reply.to_string(), 403),
            ("secret=", reply.to_string(), 403),
            ("secret=nobody-guesses-this-onf", reply.to_string(), 403),
            (secret.as_str(), "{".to_owned(), 403),
            (secret.as_str(), many, 403),
            (secret.as_str(), " ".repeat(70_000), 413),
        ] {
            assert_eq!(shop.told(query, &body).await.0, status, "{platform} {query}");
        }
        shop.works().await;
        assert!(shop.may_be_sent(&phone(1)).await);
        // Believed, it is taken, answered as the platform wants it, and counts once.
        for _ in 0..2 {
            let (status, said) = shop.told(&secret, &reply.to_string()).await;
            let well = if platform == "aliyun" { &said["code"] } else { &said["result"] };
            assert_eq!((status, well.as_i64()), (200, Some(0)), "{said}");
        }
        shop.works().await;
        assert!(!shop.may_be_sent(&phone(1)).await);
        // A receipt of what nobody here sent changes nothing, and is let go of.
        let stranger = match platform {
            "aliyun" => {
                json!([{"phone_number": "13910000001", "success": false, "err_code": "x", "biz_id": "9^9", "out_id": "0"}])
            }
            _ => {
                json!([{"nationcode": "86", "mobile": "13910000001", "report_status": "FAIL", "errmsg": "x", "sid": "9"}])
            }
        };
        assert_eq!(shop.told(&secret, &stranger.to_string()).await.0, 200);
        shop.goes_on(15 * MINUTE_MS).await;
        assert_eq!(states(&shop.sends().await), ["sent"]);
        shop.ends().await;
    }
}

#[tokio::test]
async fn what_no_template_says_is_not_sent_and_a_lack_of_money_loses_nothing() {
    for platform in PLATFORMS {
        let one = json!([{"id": "1112", "text": "别的内容，拒收请回复R"}]);
        let mut shop = Shop::new(On::Sqlite, platform, 3, json!({"templates": one})).await;
        shop.buys(&phone(1), "T1").await;
        shop.works().await;
        let sends = shop.sends().await;
        assert_eq!(
            (states(&sends), sends[0].error.as_deref()),
            (vec!["failed"], Some("no_template_says_it"))
        );
        shop.ends().await;

        let mut shop = Shop::new(On::Sqlite, platform, 4, json!({})).await;
        shop.act("sms/balance", json!({"platform": platform, "balance": 1})).await;
        shop.buys(&phone(1), "T1").await;
        shop.works().await;
        let sends = shop.sends().await;
        assert_eq!(
            (states(&sends), sends[0].error.as_deref()),
            (vec!["waiting"], Some("balance_insufficient"))
        );
        shop.act("sms/balance", json!({"platform": platform, "balance": 10})).await;
        for _ in 0..5 {
            shop.goes_on(MINUTE_MS).await;
        }
        assert_eq!(states(&shop.sends().await), ["sent"]);
        assert_eq!(rows(&shop.truth().await["messages"]).count(), 1);
        shop.ends().await;
    }
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_told_by_name_and_loses_nothing() {
    for platform in PLATFORMS {
        let mut shop = Shop::new(On::Sqlite, platform, 9, json!({})).await;
        let account = |key_id: &str, secret: &str| {
            json!({
                "platform": platform, "key_id": key_id, "secret": secret, "app_id": "1400006666", "sign": SIGN,
                "url": shop.callbacks,
            })
        };
        let (other_key, other_secret) = (account("LTAIother", "s"), account(KEY_ID, "another"));
        let right = account(KEY_ID, SECRET);
        shop.buys(&phone(1), "T1").await;
        for (there, why) in [(other_key, "key_unknown"), (other_secret, "signature_wrong")] {
            shop.act("sms/account", there).await;
            shop.goes_on(5 * MINUTE_MS).await;
            let sends = shop.sends().await;
            assert_eq!(
                (states(&sends), sends[0].error.as_deref()),
                (vec!["waiting"], Some(why)),
                "{platform}"
            );
            let now = zhiyin_engine::clock::wall().0.div_euclid(1_000_000);
            let steps = receipts::check(&shop.senders[0].account, "https://x.example/", now).await;
            assert!(
                steps.iter().any(|step| step.health == Health::Wrong && step.found.en.contains(why)),
                "{steps:#?}"
            );
        }
        shop.act("sms/account", right).await;
        shop.goes_on(5 * MINUTE_MS).await;
        shop.goes_on(MINUTE_MS).await;
        assert_eq!(states(&shop.sends().await), ["sent"]);
        shop.ends().await;
    }
}

#[tokio::test]
async fn answers_are_asked_for_where_nobody_tells_them() {
    let mut shop = Shop::new(On::Sqlite, "tencent", 5, json!({"ask_replies": true})).await;
    shop.act("faults", json!({"callback_delayed": 1_000, "delay_ms_max": 86_400_000})).await;
    shop.buys(&phone(1), "T1").await;
    shop.buys(&phone(2), "T2").await;
    shop.works().await;
    shop.answers(&phone(1), "退订").await;
    shop.answers(&phone(2), "谢谢").await;
    shop.goes_on(1_000).await;
    assert!(!shop.may_be_sent(&phone(1)).await && shop.may_be_sent(&phone(2)).await);
    shop.ends().await;
}

#[tokio::test]
async fn a_code_is_said_at_once_by_its_template() {
    for platform in PLATFORMS {
        let shop = Shop::new(On::Sqlite, platform, 6, json!({})).await;
        let wall = zhiyin_engine::clock::wall();
        let handed = receipts::say(&shop.senders, "139 1000 0001", "C1号订单已送达。", wall).await;
        assert!(matches!(handed, Handed::Taken { .. }), "{handed:?}");
        let truth = shop.truth().await;
        assert_eq!(text(&truth["messages"][0]["text"]), format!("【{SIGN}】C1号订单已送达。"));
        let refused = receipts::say(&shop.senders, "010-62345678", "C1号订单已送达。", wall).await;
        assert_eq!(refused, Handed::Refused { code: "number_not_mobile".to_owned(), unreachable: false });
        shop.ends().await;
    }
}

#[tokio::test]
async fn what_was_set_up_is_checked_step_by_step() {
    for platform in PLATFORMS {
        let shop = Shop::new(On::Sqlite, platform, 8, json!({})).await;
        let now = zhiyin_engine::clock::wall().0.div_euclid(1_000_000);
        let home = "https://vip.shop.example/v1/callbacks/sms/main";
        let account = &shop.senders[0].account;
        let steps = receipts::check(account, home, now).await;
        assert!(steps.iter().all(|step| step.health == Health::Well), "{steps:#?}");
        let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
        let sign: &[&str] = if platform == "aliyun" { &["sign"] } else { &[] };
        assert_eq!(names, [sign, &["template", "template", "ways_out", "callbacks"]].concat());
        // The text on the platform is another by now, and the other template is looked at anew.
        let ids = if platform == "aliyun" { ["SMS_460000001", "SMS_460000002"] } else { ["1110", "1111"] };
        let other = json!({"platform": platform, "id": ids[0], "text": "别的"});
        shop.act("sms/template", other).await;
        let unapproved = json!({"platform": platform, "id": ids[1], "text": "x", "approved": false});
        shop.act("sms/template", unapproved).await;
        let steps = receipts::check(account, home, now).await;
        let wrong: Vec<&str> =
            steps.iter().filter(|step| step.health == Health::Wrong).map(|step| step.name).collect();
        assert_eq!(wrong, ["template", "template"], "{steps:#?}");
        assert!(steps.iter().all(|step| step.health != Health::Wrong || step.remedy.is_some()));
        shop.ends().await;
    }
}
