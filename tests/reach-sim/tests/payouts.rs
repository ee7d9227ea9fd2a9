//! Money that people of the brand send to members end to end: who may ask, who must say yes, what the member sees and confirms, each once,
//! whatever gets lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use serde_json::{Value, json};
use zhiyin_engine::clock;
use zhiyin_engine::pays::payouts::PayoutWanted;
use zhiyin_model::id::MemberId;
use zhiyin_model::role::{Grant, Role};
use zhiyin_reach_sim::pay::{APPID, By, MCHID, Till};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// A merchant, and somebody whom its app knows; people who ask and answer, and a program.
struct Brand {
    till: Till,
    ann: String,
    bob: String,
    program: String,
    member: String,
}

fn path(of: &Value, act: &str) -> String {
    format!("/v1/payouts/{}{act}", of["payout"].as_str().unwrap())
}

impl Brand {
    async fn new(seed: u64) -> Self {
        Self::of(seed, json!({})).await
    }

    async fn of(seed: u64, more: Value) -> Self {
        let mut till = Till::of(By::Certificates, seed, more).await;
        for (who, openid) in [("eve", Some("o-eve")), ("kim", None)] {
            let openids: Vec<Value> =
                openid.iter().map(|id| json!({"id": id, "type": format!("openid:{APPID}")})).collect();
            let item = json!({
                "event": "Store Visited", "userId": who, "context": {"externalIds": openids}, "properties": {},
            });
            till.takes("till", item).await;
        }
        till.works().await;
        let member = till.member("user", "eve").await.id.to_string();
        let ann = till.key(Role::Marketer, Some("ann")).await;
        let bob = till.key(Role::Owner, Some("bob")).await;
        let program = till.key(Role::Owner, None).await;
        Self { till, ann, bob, program, member }
    }

    fn wanted(&self, amount: i64) -> Value {
        json!({"member": {"id": self.member}, "amount_minor": amount, "remark": "老带新奖励", "reason": "promised"})
    }

    async fn asks(&self, once: &str, body: Value) -> (u16, Value) {
        self.till.asks((&self.ann, once), "POST", "/v1/payouts", body).await
    }

    async fn does(&self, key: &str, of: &Value, act: &str) -> (u16, Value) {
        self.till.asks((key, "once"), "POST", &path(of, act), json!({})).await
    }

    async fn reads(&self, of: &Value) -> Value {
        let (status, told) = self.till.asks((&self.ann, "once"), "GET", &path(of, ""), Value::Null).await;
        assert_eq!(status, 200, "{told}");
        told
    }

    async fn list(&self, query: &str) -> Value {
        self.till.asks((&self.ann, "once"), "GET", &format!("/v1/payouts{query}"), Value::Null).await.1
    }

    /// What the member sees.
    async fn mine(&self) -> Vec<Value> {
        let member = MemberId::from_hex(&self.member).unwrap();
        let mine = self.till.engine.my_payouts(&self.till.merchants, member).await.unwrap();
        mine.iter().map(|one| serde_json::to_value(one).unwrap()).collect()
    }

    async fn made(&self) -> usize {
        self.till.truth().await["transfers"].as_array().unwrap().len()
    }
}

#[tokio::test]
async fn s3_money_for_a_member_is_asked_once_and_theirs_when_they_confirmed_it() {
    let brand = Brand::new(31).await;
    let (status, asked) = brand.asks("k1", brand.wanted(1_000)).await;
    assert_eq!((status, &asked["state"], &asked["approval"]), (200, &json!("intended"), &Value::Null));
    assert_eq!((&asked["asked_by"], &asked["member"]), (&json!("staff:ann"), &json!(brand.member)));
    let (_, again) = brand.asks("k1", brand.wanted(1_000)).await;
    assert_eq!(again["payout"], asked["payout"]);
    let (status, other) = brand.asks("k1", brand.wanted(1_001)).await;
    assert_eq!((status, &other["code"]), (409, &json!("idempotency_key_reused")));
    assert_eq!(brand.mine().await, Vec::<Value>::new(), "there is nothing to see yet");
    brand
        .till
        .act("faults", json!({"call_reply_lost": 400, "call_server_error": 200, "callback_lost": 500}))
        .await;
    for _ in 0..20 {
        brand.till.goes_on(MINUTE_MS).await;
    }
    brand.till.act("faults", json!({"none": true})).await;
    assert_eq!(brand.reads(&asked).await["state"], "waits_for_person");
    let [mine] = &brand.mine().await[..] else { panic!("one waits for them") };
    let number = brand.reads(&asked).await["platform_number"].as_str().unwrap().to_owned();
    let confirm =
        json!({"mchid": MCHID, "sub_mchid": null, "appid": APPID, "package": format!("package-{number}")});
    assert_eq!((&mine["state"], &mine["confirm"]), (&json!("to_confirm"), &confirm));
    assert_eq!((&mine["amount_minor"], &mine["remark"]), (&json!(1_000), &json!("老带新奖励")));
    brand.till.act("pay/confirm", json!({"out_bill_no": asked["payout"]})).await;
    brand.till.goes_on(MINUTE_MS).await;
    brand.till.goes_on(10 * MINUTE_MS).await;
    assert_eq!(brand.reads(&asked).await["state"], "done");
    let [mine] = &brand.mine().await[..] else { panic!("it is theirs") };
    assert_eq!((&mine["state"], &mine["confirm"]), (&json!("received"), &Value::Null));
    assert_eq!(brand.made().await, 1);
    let (status, over) = brand.does(&brand.bob, &asked, "/cancel").await;
    assert_eq!((status, &over["code"]), (409, &json!("payout_over")));
    // Each that did something left a line, which names nobody.
    let lines = brand.till.engine.store().access().audit(i64::MIN, None, 500).await.unwrap();
    let of: Vec<_> = lines.iter().filter(|line| line.note.operation == "payouts_make").collect();
    assert_eq!(of.len(), 1, "{of:?}");
    assert!(of[0].note.target.starts_with("member:") && !of[0].note.target.contains(&brand.member));
    brand.till.ends().await;
}

#[tokio::test]
async fn o5_above_the_limit_a_second_person_says_yes_before_anything_leaves_the_house() {
    let brand = Brand::new(32).await;
    let (_, asked) = brand.asks("k1", brand.wanted(20_001)).await;
    assert_eq!(asked["state"], "waits_for_approval");
    let no = asked["approval"].as_i64().unwrap();
    let (_, again) = brand.asks("k1", brand.wanted(20_001)).await;
    assert_eq!(again["approval"], no, "it asks once");
    brand.till.goes_on(MINUTE_MS).await;
    assert_eq!((brand.made().await, brand.mine().await.len()), (0, 0));
    for (key, code) in [(&brand.ann, "approval_own"), (&brand.program, "approval_no_person")] {
        let (_, refused) = brand.does(key, &asked, "/approve").await;
        assert_eq!(refused["code"], code);
    }
    // It is no request of points.
    let (_, unknown) = brand
        .till
        .asks((&brand.bob, "once"), "POST", &format!("/v1/approvals/{no}/approve"), json!({}))
        .await;
    assert_eq!(unknown["code"], "approval_unknown");
    let (status, approved) = brand.does(&brand.bob, &asked, "/approve").await;
    assert_eq!((status, &approved["state"]), (200, &json!("intended")), "{approved}");
    let (status, again) = brand.does(&brand.bob, &asked, "/approve").await;
    assert_eq!((status, &again["payout"]), (200, &asked["payout"]), "said again it is the same");
    brand.till.goes_on(MINUTE_MS).await;
    assert_eq!((brand.made().await, brand.mine().await.len()), (1, 1));
    let (status, late) = brand.does(&brand.bob, &asked, "/refuse").await;
    assert_eq!((status, &late["code"]), (409, &json!("approval_answered")));
    // One that is refused, one that nobody answers in time, one that is not wanted any more: none of them is made.
    let mut others = Vec::new();
    for key in ["k2", "k3", "k4"] {
        others.push(brand.asks(key, brand.wanted(30_000)).await.1);
    }
    let (_, refused) = brand.does(&brand.bob, &others[0], "/refuse").await;
    assert_eq!((&refused["state"], &refused["why"]), (&json!("refused"), &json!("approval_refused")));
    let (_, cancelled) = brand.does(&brand.ann, &others[2], "/cancel").await;
    assert_eq!(cancelled["state"], "cancelled");
    let (_, over) = brand.does(&brand.bob, &others[2], "/approve").await;
    assert_eq!(over["code"], "payout_over");
    for _ in 0..8 {
        brand.till.goes_on(10 * HOUR_MS).await;
    }
    let late = brand.reads(&others[1]).await;
    assert_eq!((&late["state"], &late["why"]), (&json!("refused"), &json!("approval_late")));
    assert_eq!(brand.made().await, 1);
    let (_, small) = brand.asks("k5", brand.wanted(20_000)).await;
    assert_eq!(small["state"], "intended", "so much one person decides alone");
    let (_, nobody) = brand.does(&brand.bob, &small, "/approve").await;
    assert_eq!(nobody["code"], "payout_waits_for_nobody");
    brand.till.ends().await;
}

#[tokio::test]
async fn o5_the_limit_of_one_person_is_that_of_a_day_however_many_it_is_sent_in_and_whoever_asks() {
    let mut brand = Brand::new(37).await;
    let openids = json!([{"id": "o-kim", "type": format!("openid:{APPID}")}]);
    let item = json!({
        "event": "Store Visited", "userId": "kim", "context": {"externalIds": openids}, "properties": {},
    });
    brand.till.takes("till", item).await;
    brand.till.works().await;
    let kim = brand.till.member("user", "kim").await.id.to_string();
    let carl = brand.till.key(Role::Marketer, Some("carl")).await;
    let of_kim = |amount: i64| {
        let mut wanted = brand.wanted(amount);
        wanted["member"] = json!({"id": kim});
        wanted
    };
    let as_carl = async |once: &str, body: Value| {
        brand.till.asks((&carl, once), "POST", "/v1/payouts", body).await.1["state"].clone()
    };
    let (_, first) = brand.asks("k1", brand.wanted(15_000)).await;
    assert_eq!(first["state"], "intended");
    let (_, more) = brand.asks("k2", brand.wanted(5_001)).await;
    assert_eq!(more["state"], "waits_for_approval", "with the first it is more than one person decides");
    let (_, other) = brand.asks("k3", of_kim(5_000)).await;
    assert_eq!(other["state"], "waits_for_approval", "for somebody else it is the same person who asks");
    assert_eq!(as_carl("c1", brand.wanted(1_000)).await, "waits_for_approval", "eve gets it already");
    assert_eq!(as_carl("c2", of_kim(15_000)).await, "intended");
    // What was not sent after all does not count.
    for over in [&first, &more, &other] {
        assert_eq!(brand.does(&brand.ann, over, "/cancel").await.1["state"], "cancelled");
    }
    let (_, again) = brand.asks("k4", brand.wanted(19_000)).await;
    assert_eq!(again["state"], "intended");
    // Nor what is longer ago than a day.
    brand.till.goes_on(23 * HOUR_MS).await;
    assert_eq!(brand.asks("k5", brand.wanted(2_000)).await.1["state"], "waits_for_approval");
    brand.till.goes_on(25 * HOUR_MS).await;
    assert_eq!(brand.asks("k6", brand.wanted(20_000)).await.1["state"], "intended");
    brand.till.ends().await;
}

/// Two processes that serve one home, who are told the same at once.
#[tokio::test]
async fn o5_of_two_that_ask_at_once_under_one_key_one_approval_counts_and_one_key_is_one_account() {
    let brand = Brand::new(38).await;
    let (till, grant) = (&brand.till, Grant::system("ann"));
    let wanted = PayoutWanted {
        member: MemberId::from_hex(&brand.member).unwrap(),
        amount_minor: 30_000,
        app: None,
        name: None,
        remark: "老带新奖励".to_owned(),
        reason: "promised".to_owned(),
        reports: Vec::new(),
    };
    let (main, mut second) = (&till.merchants[0], till.merchants[0].clone());
    second.account = "second".to_owned();
    let both = [main.clone(), second];
    for n in 0..5 {
        let key = format!("k{n}");
        let ask = async || {
            let by = (("ann", key.as_str()), "main");
            till.engine.ask_payout(&grant, (main, &both), by, &wanted, clock::wall()).await.unwrap().unwrap()
        };
        let (one, other) = tokio::join!(ask(), ask());
        let now = till.engine.payout_view("main", &one.payout).await.unwrap().unwrap();
        assert_eq!((one.approval, other.approval), (now.approval, now.approval), "{key}");
        // The same key and another account is something else.
        let by = (("ann", key.as_str()), "second");
        let reused = till.engine.ask_payout(&grant, (&both[1], &both), by, &wanted, clock::wall()).await;
        assert_eq!(reused.unwrap().unwrap_err().code, "idempotency_key_reused");
    }
    brand.till.ends().await;
}

#[tokio::test]
async fn s3_what_cannot_be_sent_is_refused_by_its_name_and_its_field() {
    let brand = Brand::new(33).await;
    let kim = brand.till.member("user", "kim").await.id.to_string();
    let with = |name: &str, value: Value| {
        let mut whole = brand.wanted(1_000);
        whole[name] = value;
        whole
    };
    for (n, (body, status, code, field)) in [
        (with("amount_minor", json!(9)), 422, "bad_payout", "amount_minor"),
        (with("amount_minor", json!(200_000)), 422, "bad_payout", "name"),
        (with("remark", json!("")), 422, "bad_payout", "remark"),
        (with("remark", json!("长".repeat(33))), 422, "bad_text", "remark"),
        (with("reason", json!(" ")), 422, "reason_missing", "reason"),
        (with("reports", json!({"活动名称": ""})), 422, "bad_payout", "reports"),
        (with("member", json!({"id": kim})), 422, "payout_openid_missing", "member"),
        (with("member", json!({"id": "0".repeat(32)})), 404, "member_unknown", "member"),
        (with("account", json!("other")), 404, "account_unknown", "account"),
        (with("app", json!("wxOther")), 422, "payout_app_unknown", "app"),
    ]
    .into_iter()
    .enumerate()
    {
        let (answered, told) = brand.asks(&format!("k{n}"), body).await;
        assert_eq!(
            (answered, &told["code"], &told["field"]),
            (status, &json!(code), &json!(field)),
            "{told}"
        );
    }
    let nothing = json!({"payout": "0".repeat(32)});
    for act in ["/cancel", "/approve", "/refuse"] {
        assert_eq!(brand.does(&brand.bob, &nothing, act).await.1["code"], "payout_unknown", "{act}");
    }
    for (query, code) in
        [("?month=2026-13", "bad_date"), ("?state=lost", "bad_text"), ("?cursor=x", "bad_cursor")]
    {
        assert_eq!(brand.list(query).await["code"], code, "{query}");
    }
    assert_eq!(brand.list("").await["items"], json!([]));
    brand.till.ends().await;
}

#[tokio::test]
async fn s3_an_account_that_sends_nothing_and_somebody_of_several_apps_are_told_apart() {
    let brand = Brand::of(34, json!({"transfer_scene": null})).await;
    assert_eq!(brand.asks("k1", brand.wanted(1_000)).await.1["code"], "payout_not_set_up");
    brand.till.ends().await;
    let mut brand = Brand::of(35, json!({"appids": [APPID, "wx9"]})).await;
    let ids = json!([{"id": "o-eve-9", "type": "openid:wx9"}]);
    let item = json!({
        "event": "Store Visited", "userId": "eve", "context": {"externalIds": ids}, "properties": {},
    });
    brand.till.takes("till", item).await;
    brand.till.works().await;
    assert_eq!(brand.asks("k1", brand.wanted(1_000)).await.1["code"], "payout_app_ambiguous");
    let mut named = brand.wanted(1_000);
    named["app"] = json!(APPID);
    assert_eq!(brand.asks("k2", named).await.1["state"], "intended");
    brand.till.ends().await;
}

#[tokio::test]
async fn s3_one_that_its_member_did_not_confirm_may_be_cancelled_and_all_are_listed_the_newest_first() {
    let brand = Brand::new(36).await;
    let (_, first) = brand.asks("k1", brand.wanted(1_000)).await;
    brand.till.goes_on(MINUTE_MS).await;
    let (_, second) = brand.asks("k2", brand.wanted(2_000)).await;
    let (_, cancelled) = brand.does(&brand.ann, &second, "/cancel").await;
    assert_eq!(cancelled["state"], "cancelled", "nothing was said to the platform yet");
    let (_, wanted) = brand.does(&brand.ann, &first, "/cancel").await;
    assert_eq!((&wanted["state"], &wanted["cancel"]), (&json!("waits_for_person"), &json!(true)));
    assert_eq!(brand.mine().await, Vec::<Value>::new(), "what is to be cancelled is not confirmed");
    brand.till.goes_on(10 * MINUTE_MS).await;
    brand.till.goes_on(10 * MINUTE_MS).await;
    assert_eq!(brand.reads(&first).await["state"], "cancelled");
    assert_eq!(brand.mine().await[0]["state"], "over");
    let numbers = |listed: &Value| -> Vec<Value> {
        listed["items"].as_array().unwrap().iter().map(|one| one["payout"].clone()).collect()
    };
    assert_eq!(numbers(&brand.list("").await), [second["payout"].clone(), first["payout"].clone()]);
    assert_eq!(numbers(&brand.list("?state=done").await), Vec::<Value>::new());
    let of_member = format!("?member={}&state=cancelled", brand.member);
    assert_eq!(numbers(&brand.list(&of_member).await).len(), 2);
    assert_eq!(numbers(&brand.list("?month=2020-01").await).len(), 0);
    // Pages follow each other, whoever asks meanwhile.
    for n in 0..101 {
        brand.asks(&format!("more-{n}"), brand.wanted(100)).await;
    }
    let page = brand.list("").await;
    let next = brand.list(&format!("?cursor={}", page["next"].as_str().unwrap())).await;
    let mut all: Vec<Value> = numbers(&page).into_iter().chain(numbers(&next)).collect();
    assert_eq!((numbers(&page).len(), all.len(), &next["next"]), (100, 103, &Value::Null));
    all.sort_by_key(ToString::to_string);
    all.dedup();
    assert_eq!(all.len(), 103);
    brand.till.ends().await;
}
