//! Members at their own pages, over HTTP: how they come in, what they see, what they do, and that it is all of themselves.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use zhiyin_engine::me::Texts;
use zhiyin_model::role::Role;

use crate::home::{Answer, Home};

pub const PHONE: &str = "139 1234 5678";

/// Texts codes into a list.
#[derive(Default)]
pub struct Phones(Mutex<Vec<(String, String, bool)>>);

#[async_trait]
impl Texts for Phones {
    async fn code(&self, phone: &str, code: &str, english: bool) -> bool {
        self.0.lock().unwrap().push((phone.to_owned(), code.to_owned(), english));
        true
    }
}

impl Phones {
    pub fn last(&self) -> (String, String, bool) {
        self.0.lock().unwrap().last().unwrap().clone()
    }
}

/// A member's browser.
#[derive(Clone, Default)]
pub struct Browser {
    pub cookie: String,
    pub csrf: String,
    pub keys: usize,
}

impl Browser {
    pub async fn asks(&mut self, home: &Home, method: &str, path: &str, body: Value) -> Answer {
        self.keys += 1;
        let key = format!("k-{}-{}", self.csrf.get(..6).unwrap_or_default(), self.keys);
        self.asks_by(home, method, path, body, &key).await
    }

    async fn asks_by(&mut self, home: &Home, method: &str, path: &str, body: Value, key: &str) -> Answer {
        let csrf = self.csrf.clone();
        let cookie = self.cookie.clone();
        let mut headers = vec![
            ("content-type", "application/json"),
            ("sec-fetch-site", "same-origin"),
            ("idempotency-key", key),
            ("x-zhiyin-csrf", &csrf),
        ];
        if !cookie.is_empty() {
            headers.push(("cookie", &cookie));
        }
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = home.ask(method, path, &headers, &body).await;
        if let Some(set) = answer.header("set-cookie") {
            self.cookie = set.split(';').next().unwrap().to_owned();
        }
        if let Ok(Value::Object(said)) = serde_json::from_slice(&answer.body)
            && let Some(csrf) = said.get("csrf").and_then(Value::as_str)
        {
            self.csrf = csrf.to_owned();
        }
        answer
    }

    pub async fn reads(&mut self, home: &Home, path: &str) -> Value {
        let answer = self.asks(home, "GET", path, Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }
}

pub async fn texting() -> (Home, Arc<Phones>) {
    let home = Home::new().await;
    let phones = Arc::new(Phones::default());
    home.api.texts_by(Arc::<Phones>::clone(&phones));
    (home, phones)
}

pub async fn comes_in(home: &Home, phones: &Phones, phone: &str) -> (Browser, Value) {
    let mut browser = Browser::default();
    let texted = browser.asks(home, "POST", "/v1/me/code", json!({"phone": phone})).await;
    assert_eq!(texted.status, 200, "{}", texted.text());
    let code = phones.last().1;
    let body = json!({"phone": phone, "code": code, "touchpoint": "store-qr/330"});
    let session = browser.asks(home, "POST", "/v1/me/session", body).await;
    assert_eq!(session.status, 200, "{}", session.text());
    let said = session.json();
    (browser, said)
}

pub fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

#[tokio::test]
async fn without_a_channel_nobody_is_texted() {
    let home = Home::new().await;
    let mut browser = Browser::default();
    assert_eq!(browser.reads(&home, "/v1/me/door").await["ways"], json!([]));
    let asked = browser.asks(&home, "POST", "/v1/me/code", json!({"phone": PHONE})).await;
    assert_eq!(refused(&asked), (409, "channel_missing".to_owned()));
    for path in ["/v1/me", "/v1/me/session", "/v1/me/coupons", "/v1/me/seen", "/v1/me/payouts", "/v1/me/pass"]
    {
        let asked = browser.asks(&home, "GET", path, Value::Null).await;
        assert_eq!(refused(&asked), (401, "not_signed_in".to_owned()), "{path}");
    }
    home.end().await;
}

#[tokio::test]
async fn whoever_tells_the_code_is_who_bears_the_phone_or_becomes_a_member() {
    let (home, phones) = texting().await;
    let known = home.member("13912345678", 900).await;
    // Written in another way, it is the same phone.
    let (mut ann, said) = comes_in(&home, &phones, PHONE).await;
    assert_eq!((phones.last().0.as_str(), phones.last().2), ("+8613912345678", true));
    assert_eq!(said["joined"], false);
    let me = ann.reads(&home, "/v1/me").await;
    assert_eq!(
        (&me["id"], &me["name"], &me["points"]["shown"]),
        (&json!(known), &json!("张伟"), &json!(900))
    );
    let phone = me["phone"].as_str().unwrap();
    assert!(phone.contains('*') && phone.ends_with("78"), "{phone}");
    assert!(!me.to_string().contains("12345678"), "no whole phone on a page that somebody looks at");

    let (mut bob, said) = comes_in(&home, &phones, "13800000001").await;
    assert_eq!(said["joined"], true);
    let me = bob.reads(&home, "/v1/me").await;
    assert!(me["joined_at"].is_string() && me["points"]["shown"] == 0, "{me}");
    let id = me["id"].as_str().unwrap().to_owned();
    let seen = home.as_key(&home.owner, "GET", &format!("/v1/members/{id}"), &Value::Null).await.json();
    assert_eq!(seen["touches"]["first"]["touchpoint"], "store-qr/330");
    // Each sees themselves, and a session is nobody else's.
    assert_ne!(ann.reads(&home, "/v1/me").await["id"], bob.reads(&home, "/v1/me").await["id"]);
    home.end().await;
}

#[tokio::test]
async fn a_code_is_good_once_for_a_few_tries_and_is_texted_once_a_minute() {
    let (home, phones) = texting().await;
    let mut browser = Browser::default();
    let text = json!({"phone": PHONE});
    let early =
        browser.asks(&home, "POST", "/v1/me/session", json!({"phone": PHONE, "code": "123456"})).await;
    assert_eq!(refused(&early), (422, "code_over".to_owned()), "none was texted");
    let texted = browser.asks(&home, "POST", "/v1/me/code", text.clone()).await;
    assert_eq!(texted.json(), json!({"again_in": 60, "good_for": 300}));
    let again = browser.asks(&home, "POST", "/v1/me/code", text.clone()).await;
    assert_eq!(refused(&again), (429, "too_many_attempts".to_owned()));
    assert!(again.header("retry-after").unwrap().parse::<u64>().unwrap() <= 60);
    assert_eq!(phones.0.lock().unwrap().len(), 1);
    let code = phones.last().1;
    let other = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
    for _ in 0..4 {
        let wrong =
            browser.asks(&home, "POST", "/v1/me/session", json!({"phone": PHONE, "code": other})).await;
        assert_eq!(refused(&wrong), (401, "code_wrong".to_owned()));
    }
    let right = json!({"phone": PHONE, "code": format!(" {code} ")});
    assert_eq!(browser.asks(&home, "POST", "/v1/me/session", right.clone()).await.status, 200);
    let twice = browser.asks(&home, "POST", "/v1/me/session", right).await;
    assert_eq!(refused(&twice), (422, "code_over".to_owned()));

    // After five tries the right one is none either.
    let phone = json!({"phone": "13800000002"});
    assert_eq!(browser.asks(&home, "POST", "/v1/me/code", phone).await.status, 200);
    let code = phones.last().1;
    let other = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
    for (said, expected) in [(&other, "code_wrong"); 5].into_iter().chain([(&code, "code_over")]) {
        let body = json!({"phone": "13800000002", "code": said});
        assert_eq!(browser.asks(&home, "POST", "/v1/me/session", body).await.code(), expected);
    }
    for phone in ["12", "", "not a phone"] {
        let bad = browser.asks(&home, "POST", "/v1/me/code", json!({"phone": phone})).await;
        assert_eq!((bad.status, bad.json()["field"].clone()), (422, json!("phone")), "{}", bad.text());
    }
    home.end().await;
}

#[tokio::test]
async fn a_session_is_a_members_alone_and_ends() {
    let (home, phones) = texting().await;
    let (mut ann, _) = comes_in(&home, &phones, PHONE).await;
    assert!(ann.cookie.starts_with("zhiyin-me="), "{}", ann.cookie);
    // It opens nothing of staff's, and what is changed needs a word that only a page of ours knows.
    for path in ["/v1/session", "/v1/members", "/v1/overview", "/v1/audit"] {
        assert_eq!(ann.asks(&home, "GET", path, Value::Null).await.status, 401, "{path}");
    }
    let mut elsewhere = Browser { csrf: "x".repeat(43), ..ann.clone() };
    let change = json!({"attributes": {"nickname": "小张"}});
    let forged = elsewhere.asks(&home, "PATCH", "/v1/me", change.clone()).await;
    assert_eq!(refused(&forged), (403, "csrf".to_owned()));
    assert_eq!(ann.asks(&home, "PATCH", "/v1/me", change).await.status, 200);
    assert_eq!(ann.reads(&home, "/v1/me").await["attributes"]["nickname"], "小张");
    // Whoever came in twice is in twice, and may end both.
    let before = ann.clone();
    let ended = ann.asks(&home, "DELETE", "/v1/me/session?all=true", Value::Null).await;
    assert_eq!((ended.status, ended.json()["ended"].clone()), (200, json!(1)), "{}", ended.text());
    for mut browser in [ann, before] {
        assert_eq!(browser.asks(&home, "GET", "/v1/me", Value::Null).await.status, 401);
    }
    home.end().await;
}

#[tokio::test]
async fn a_till_reads_the_pass_off_a_phone() {
    let (home, phones) = texting().await;
    let (mut ann, _) = comes_in(&home, &phones, PHONE).await;
    let me = ann.reads(&home, "/v1/me").await;
    let pass = ann.reads(&home, "/v1/me/pass").await["pass"].as_str().unwrap().to_owned();
    let till = home.key(Role::Cashier, Some("330"), Some("C1")).await;
    let lookup = async |value: &str| {
        let body = json!({"member": {"namespace": "pass", "value": value}});
        home.as_key(&till, "POST", "/v1/commands/members/lookup", &body).await
    };
    let found = lookup(&pass).await;
    assert_eq!((found.status, found.json()["id"].clone()), (200, me["id"].clone()), "{}", found.text());
    // A command finds them by it, too.
    let body = json!({
        "member": {"namespace": "pass", "value": pass}, "given": false, "purpose": "marketing", "store": "330",
    });
    let said = home.command_as(&till, "consents/set", "c-1", body).await;
    assert_ne!(said.code(), "member_unknown", "{}", said.text());
    let mut forged = pass.clone();
    forged.replace_range(10..11, if &pass[10..11] == "0" { "1" } else { "0" });
    for value in [forged.as_str(), "ZYP", "x"] {
        assert_eq!(lookup(value).await.code(), "member_unknown", "{value}");
    }
    home.end().await;
}

#[tokio::test]
async fn members_claim_for_points_once_and_see_what_they_have() {
    let (home, phones) = texting().await;
    home.member("13912345678", 900).await;
    let (mut ann, _) = comes_in(&home, &phones, PHONE).await;
    let offers = ann.reads(&home, "/v1/me/offers").await;
    let tote = offers["items"].as_array().unwrap().iter().find(|one| one["offer"] == "tote-for-points");
    let tote = tote.unwrap_or_else(|| panic!("{offers}")).clone();
    assert_eq!((&tote["state"], &tote["points"]), (&json!("open"), &json!(800)));
    assert_eq!(tote["name"], json!({"zh": "积分兑换帆布袋", "en": "A tote for points"}));
    let claim = json!({"offer": "tote-for-points"});
    let first = ann.asks_by(&home, "POST", "/v1/me/claims", claim.clone(), "claim-1").await;
    assert_eq!((first.status, first.json()["points"].clone()), (200, json!(100)), "{}", first.text());
    let again = ann.asks_by(&home, "POST", "/v1/me/claims", claim.clone(), "claim-1").await;
    assert_eq!(again.json(), first.json(), "what is asked again is answered the same");
    let more = ann.asks(&home, "POST", "/v1/me/claims", claim).await;
    assert_eq!(refused(&more), (409, "insufficient_points".to_owned()), "{}", more.text());
    let coupons = ann.reads(&home, "/v1/me/coupons").await;
    let mine = coupons["items"].as_array().unwrap();
    assert_eq!(mine.len(), 1, "{coupons}");
    assert_eq!((&mine[0]["code"], &mine[0]["usable"]), (&first.json()["codes"][0], &json!(true)));
    let points = ann.reads(&home, "/v1/me/points").await;
    let moved: Vec<i64> =
        points["items"].as_array().unwrap().iter().map(|one| one["points"].as_i64().unwrap()).collect();
    assert_eq!(moved, [-800, 900], "{points}");
    let offers = ann.reads(&home, "/v1/me/offers").await;
    let tote = offers["items"].as_array().unwrap().iter().find(|one| one["offer"] == "tote-for-points");
    assert_eq!((&tote.unwrap()["state"], &tote.unwrap()["missing"]), (&json!("limit_reached"), &Value::Null));
    assert_eq!(ann.reads(&home, "/v1/me/orders").await["items"], json!([]));
    assert_eq!(ann.reads(&home, "/v1/me/draws").await["items"], json!([]));
    assert_eq!(ann.reads(&home, "/v1/me/payouts").await["items"], json!([]));
    home.end().await;
}

#[tokio::test]
async fn members_change_what_is_theirs_and_are_told_who_did_something() {
    let (home, phones) = texting().await;
    let (mut ann, _) = comes_in(&home, &phones, PHONE).await;
    for (attributes, field) in [
        (json!({"advisor": "A7"}), "attributes.advisor"),
        (json!({"name": {"x": 1}}), "attributes.name"),
        (json!({"city": "x".repeat(201)}), "attributes.city"),
    ] {
        let refused_ = ann.asks(&home, "PATCH", "/v1/me", json!({"attributes": attributes})).await;
        assert_eq!(
            (refused_.code(), refused_.json()["field"].clone()),
            ("bad_attribute".to_owned(), json!(field))
        );
    }
    let changed =
        ann.asks(&home, "PATCH", "/v1/me", json!({"attributes": {"name": "安", "city": "上海"}})).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let gone = ann.asks(&home, "PATCH", "/v1/me", json!({"attributes": {"city": null}})).await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    let me = ann.reads(&home, "/v1/me").await;
    assert_eq!(me["attributes"], json!({"name": "安"}));
    // What staff do with them is told, and what they do themselves; who of the staff it was, the brand can say.
    let body = json!({"member": {"id": me["id"]}, "amount": 5, "reason": "late"});
    assert_eq!(home.command("points/adjust", "a-1", body).await.status, 200);
    let seen = ann.reads(&home, "/v1/me/seen").await;
    let did: Vec<(&str, &str)> = seen["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["who"].as_str().unwrap(), one["operation"].as_str().unwrap()))
        .collect();
    assert_eq!(did.first(), Some(&("key", "points_adjust")), "{seen}");
    assert!(did.contains(&("member", "member_update")), "{seen}");
    let roles: Vec<&str> =
        seen["roles"].as_array().unwrap().iter().map(|one| one["role"].as_str().unwrap()).collect();
    assert!(roles.contains(&"owner") && !roles.contains(&"cashier"), "{roles:?}");
    // A home that is not sealed cannot forget anybody for good, and says so.
    let erase = ann.asks(&home, "POST", "/v1/me/erase", json!({"sure": true})).await;
    assert_eq!(erase.code(), "home_not_sealed", "{}", erase.text());
    let unsure = ann.asks(&home, "POST", "/v1/me/erase", json!({"sure": false})).await;
    assert_eq!(unsure.status, 400, "{}", unsure.text());
    assert_eq!(ann.reads(&home, "/v1/me/consents").await["purposes"], json!([]), "this playbook has none");
    home.end().await;
}
