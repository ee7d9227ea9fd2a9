//! The door for people over HTTP: the cookie, what stands beside it, whose pages may use it, and what it opens.

use serde_json::{Value, json};
use zhiyin_engine::clock;
use zhiyin_engine::sign_in::codes;
use zhiyin_model::role::Role;

use crate::home::{Answer, Home};
use crate::roles::{operations, request};

const GOOD: &str = "kestrel over oak";

/// A browser: what it was given, and says again.
#[derive(Clone, Default)]
struct Browser {
    cookie: String,
    csrf: String,
}

impl Browser {
    /// Asks as a page of ours does.
    async fn asks(&mut self, home: &Home, method: &str, path: &str, body: &Value) -> Answer {
        let csrf = self.csrf.clone();
        self.asks_saying(home, method, path, body, &[("x-zhiyin-csrf", &csrf)]).await
    }

    async fn asks_saying(
        &mut self,
        home: &Home,
        method: &str,
        path: &str,
        body: &Value,
        more: &[(&str, &str)],
    ) -> Answer {
        let mut headers = vec![("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
        headers.extend_from_slice(more);
        let cookie = self.cookie.clone();
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
}

/// The first owner, signed in where the server stands.
async fn set_up(home: &Home) -> (Browser, Answer) {
    let body = json!({"name": "Ann", "password": GOOD, "language": "en"}).to_string();
    let head = format!(
        "POST /v1/setup HTTP/1.1\r\nhost: {}\r\nconnection: close\r\naccept-language: en\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        home.address,
        body.len()
    );
    let answer = home.raw(&[head.as_bytes(), body.as_bytes()].concat()).await;
    let cookie = answer.header("set-cookie").unwrap_or_default();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let csrf = answer.json()["csrf"].as_str().unwrap_or_default().to_owned();
    (Browser { cookie, csrf }, answer)
}

fn code_of(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

#[tokio::test]
async fn the_first_owner_is_made_in_a_browser_once_and_is_signed_in() {
    let home = Home::new().await;
    let asks = async |home: &Home| home.ask("GET", "/v1/setup", &[], b"").await.json()["needed"].clone();
    assert_eq!(asks(&home).await, true);
    // From a page elsewhere, or by a name that leads here by somebody else's doing.
    let body = json!({"name": "Eve", "password": GOOD}).to_string();
    let json = ("content-type", "application/json");
    for (headers, code) in [
        (vec![json, ("origin", "https://evil.example")], "csrf"),
        (vec![json, ("sec-fetch-site", "cross-site")], "csrf"),
        (vec![json, ("x-forwarded-for", "127.0.0.1")], "setup_elsewhere"),
    ] {
        let refused = home.ask("POST", "/v1/setup", &headers, body.as_bytes()).await;
        assert_eq!(code_of(&refused), (403, code.to_owned()), "{headers:?}");
    }
    let (mut ann, made) = set_up(&home).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let said = made.json();
    assert_eq!((&said["person"]["name"], &said["person"]["language"]), (&json!("Ann"), &json!("en")));
    assert_eq!((&said["roles"], &said["totp"]), (&json!(["owner"]), &json!(false)));
    let permissions = said["permissions"].as_array().unwrap();
    assert!(permissions.contains(&json!("keys_manage")) && permissions.contains(&json!("member_read")));
    let set = made.header("set-cookie").unwrap();
    assert!(
        set.starts_with("zhiyin=") && set.contains("; Path=/; HttpOnly; SameSite=Lax; Max-Age=4"),
        "{set}"
    );
    assert!(!set.contains("Secure"), "it came without encryption");
    assert_eq!(asks(&home).await, false);
    assert_eq!(code_of(&set_up(&home).await.1), (409, "set_up_already".to_owned()));
    let shown = ann.asks(&home, "GET", "/v1/session", &Value::Null).await;
    assert_eq!((shown.status, shown.json()), (200, said));
    assert_eq!(shown.header("cache-control"), Some("no-store"));
    home.end().await;
}

#[tokio::test]
async fn sign_in_gives_a_new_token_each_time_and_says_one_thing_of_what_is_wrong() {
    let home = Home::new().await;
    let (mut ann, _) = set_up(&home).await;
    let sign_in = json!({"name": "ann", "password": GOOD});
    let before = ann.clone();
    let again = ann.asks(&home, "POST", "/v1/session", &sign_in).await;
    assert_eq!(again.status, 200, "{}", again.text());
    assert!(
        before.cookie != ann.cookie && before.csrf != ann.csrf,
        "nobody's token of before becomes theirs"
    );
    let old = before.clone().asks(&home, "GET", "/v1/session", &Value::Null).await;
    assert_eq!(code_of(&old), (401, "not_signed_in".to_owned()), "the browser's session of before ended");
    // A token that somebody planted is never taken up.
    let mut planted = Browser { cookie: format!("zhiyin={}", "A".repeat(43)), csrf: String::new() };
    planted.asks(&home, "POST", "/v1/session", &sign_in).await;
    assert!(!planted.cookie.contains("AAAA"));
    let wrong_name = home
        .ask(
            "POST",
            "/v1/session",
            &[("content-type", "application/json")],
            br#"{"name":"x","password":"y"}"#,
        )
        .await;
    let wrong_password =
        ann.asks(&home, "POST", "/v1/session", &json!({"name": "ann", "password": "y"})).await;
    assert_eq!(code_of(&wrong_name), (401, "sign_in_wrong".to_owned()));
    assert_eq!((wrong_name.status, &wrong_name.body), (wrong_password.status, &wrong_password.body));
    let long = json!({"name": "ann", "password": "y".repeat(2_000)});
    assert_eq!(
        code_of(&ann.asks(&home, "POST", "/v1/session", &long).await),
        (401, "sign_in_wrong".to_owned())
    );
    let foreign = ann.asks_saying(&home, "POST", "/v1/session", &sign_in, &[("origin", "null")]).await;
    assert_eq!(foreign.status, 200, "a browser that says whose page it is, is believed");
    let mut stranger = Browser::default();
    let cross = [("sec-fetch-site", "cross-site")];
    let bytes = sign_in.to_string();
    let cross = home.ask("POST", "/v1/session", &cross, bytes.as_bytes()).await;
    assert_eq!(code_of(&cross), (403, "csrf".to_owned()));
    let strange = stranger.asks(&home, "GET", "/v1/session", &Value::Null).await;
    assert_eq!(code_of(&strange), (401, "not_signed_in".to_owned()));
    // Ten tries, then a wait.
    let mut last = None;
    for _ in 0..12 {
        last = Some(ann.asks(&home, "POST", "/v1/session", &json!({"name": "zoe", "password": "y"})).await);
    }
    let last = last.unwrap();
    assert_eq!(code_of(&last), (429, "too_many_attempts".to_owned()));
    let after: u64 = last.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&after), "{after}");
    home.end().await;
}

#[tokio::test]
async fn whatever_is_no_get_says_the_word_of_the_session() {
    let home = Home::new().await;
    let (mut ann, _) = set_up(&home).await;
    let (mut bob, _) = (ann.clone(), ());
    bob.asks(&home, "POST", "/v1/session", &json!({"name": "ann", "password": GOOD})).await;
    let (mut ann2, sign_in) = (Browser::default(), json!({"name": "ann", "password": GOOD}));
    ann2.asks(&home, "POST", "/v1/session", &sign_in).await;
    ann.asks(&home, "POST", "/v1/session", &sign_in).await;
    let rows = [
        ("PATCH", "/v1/session", json!({"language": "zh-CN"})),
        ("DELETE", "/v1/session", Value::Null),
        ("POST", "/v1/session/password", json!({"old": GOOD, "new": "heron under willow"})),
        ("POST", "/v1/session/totp", Value::Null),
        ("POST", "/v1/session/totp/confirm", json!({"code": "1"})),
        ("DELETE", "/v1/session/totp", json!({"password": GOOD})),
        ("POST", "/v1/keys", json!({"role": "analyst"})),
        ("POST", "/v1/people", json!({"name": "Eve", "role": "owner"})),
    ];
    let other = ann2.csrf.clone();
    for (method, path, body) in rows {
        for said in ["", "x", other.as_str()] {
            let refused = ann.asks_saying(&home, method, path, &body, &[("x-zhiyin-csrf", said)]).await;
            assert_eq!(code_of(&refused), (403, "csrf".to_owned()), "{method} {path} {said}");
        }
        let refused = ann.asks_saying(&home, method, path, &body, &[]).await;
        assert_eq!(code_of(&refused), (403, "csrf".to_owned()), "{method} {path}");
    }
    // Reading needs none, and who is refused stays in.
    assert_eq!(ann.asks_saying(&home, "GET", "/v1/keys", &Value::Null, &[]).await.status, 200);
    let spoken = ann.asks(&home, "PATCH", "/v1/session", &json!({"language": "zh"})).await;
    assert_eq!((spoken.status, &spoken.json()["person"]["language"]), (200, &json!("zh-CN")));
    let unknown = ann.asks(&home, "PATCH", "/v1/session", &json!({"language": "fr"})).await;
    assert_eq!(code_of(&unknown), (422, "bad_language".to_owned()));
    // A key needs none, cookie or not.
    let bearer = format!("Bearer {}", home.owner);
    let made = ann
        .asks_saying(&home, "POST", "/v1/keys", &json!({"role": "analyst"}), &[("authorization", &bearer)])
        .await;
    assert_eq!(made.status, 200, "{}", made.text());
    // Here, then everywhere.
    let gone = ann.asks(&home, "DELETE", "/v1/session", &Value::Null).await;
    assert_eq!((gone.status, gone.json()), (200, json!({"ended": 1})));
    assert!(gone.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(ann2.asks(&home, "GET", "/v1/session", &Value::Null).await.status, 200);
    let everywhere = ann2.asks(&home, "DELETE", "/v1/session?all=true", &Value::Null).await;
    assert!(everywhere.json()["ended"].as_u64().unwrap() >= 1);
    home.end().await;
}

/// Every operation that takes a key takes the cookie, and the table of roles speaks for both.
#[tokio::test]
async fn the_cookie_opens_what_a_key_of_the_role_would() {
    let home = Home::new().await;
    home.member("13912345678", 500).await;
    let (mut ann, _) = set_up(&home).await;
    let document = home.ask("GET", "/openapi.json", &[], b"").await.json();
    let bob = json!({"name": "Bob", "role": "cashier", "place": "330", "password": GOOD});
    assert_eq!(ann.asks(&home, "POST", "/v1/people", &bob).await.status, 200);
    let mut people = Vec::new();
    for (name, role) in [("Ann", "owner"), ("Bob", "cashier")] {
        let mut browser = Browser::default();
        let came = browser.asks(&home, "POST", "/v1/session", &json!({"name": name, "password": GOOD})).await;
        assert_eq!(came.status, 200, "{}", came.text());
        people.push((role, browser));
    }
    let (mut n_through, mut n_refused, mut n) = (0, 0, 0);
    for (method, path, operation) in operations(&document) {
        // What programs send bears a key; at the door there is nothing to need.
        if operation["x-operation"].is_null() || operation["x-operation"] == "ingest_public" {
            continue;
        }
        let (address, body) = request(&path, &operation);
        let roles = operation["x-roles"].as_array().unwrap();
        for (role, browser) in &mut people {
            n += 1;
            let (csrf, drawn) = (browser.csrf.clone(), format!("n-{n}"));
            let more = [("x-zhiyin-csrf", csrf.as_str()), ("idempotency-key", drawn.as_str())];
            let answer = browser.asks_saying(&home, &method, &address, &body, &more).await;
            let refused =
                answer.status == 401 || (answer.status == 403 && answer.code() == "operation_refused");
            assert_eq!(
                !refused,
                roles.contains(&json!(role)),
                "{method} {path} as {role}: {}",
                answer.text()
            );
            *(if refused { &mut n_refused } else { &mut n_through }) += 1;
        }
    }
    assert!(n_through > 60 && n_refused > 20, "{n_through} {n_refused}");
    // Sums that need no operation of the table: the same.
    assert_eq!(people[0].1.asks(&home, "GET", "/v1/overview", &Value::Null).await.status, 200);
    assert_eq!(people[1].1.asks(&home, "GET", "/v1/overview", &Value::Null).await.status, 403);
    home.end().await;
}

/// What somebody does is theirs: commands are done once for them, the log names them, and they cannot approve their own request.
#[tokio::test]
async fn what_is_done_with_the_cookie_is_done_by_the_person() {
    let home = Home::new().await;
    home.member("13912345678", 500).await;
    let (mut ann, _) = set_up(&home).await;
    let member = json!({"namespace": "phone", "value": "13912345678"});
    let adjust = |amount: i64| json!({"member": member, "amount": amount, "reason": "lost"});
    let csrf = ann.csrf.clone();
    let key = |key: &'static str| [("x-zhiyin-csrf", csrf.clone()), ("idempotency-key", key.to_owned())];
    let send = async |ann: &mut Browser, said: &'static str, amount: i64| {
        let more = key(said);
        let more: Vec<(&str, &str)> = more.iter().map(|(name, value)| (*name, value.as_str())).collect();
        ann.asks_saying(&home, "POST", "/v1/commands/points/adjust", &adjust(amount), &more).await
    };
    let (one, again) = (send(&mut ann, "a-1", 5).await, send(&mut ann, "a-1", 5).await);
    assert_eq!((one.status, again.status), (200, 200), "{}", one.text());
    assert_eq!(one.json()["event"], again.json()["event"]);
    assert_eq!(send(&mut ann, "a-1", 6).await.code(), "idempotency_key_reused");
    let waits = send(&mut ann, "a-2", 5_000).await;
    let no = waits.json()["approval"].as_i64().unwrap_or_else(|| panic!("{}", waits.text()));
    let own = ann.asks(&home, "POST", &format!("/v1/approvals/{no}/approve"), &Value::Null).await;
    assert!(own.status >= 400, "nobody is their own second person: {}", own.text());
    let lines = home.engine.store().access().audit(0, None, 999).await.unwrap();
    let by_ann = |operation: &str| {
        lines.iter().any(|line| line.note.who == "person:Ann" && line.note.operation == operation)
    };
    assert!(by_ann("points_adjust") && by_ann("sign_in"));
    home.end().await;
}

#[tokio::test]
async fn codes_are_set_up_in_a_browser_and_asked_for_from_then_on() {
    let home = Home::new().await;
    let (mut ann, _) = set_up(&home).await;
    let offered = ann.asks(&home, "POST", "/v1/session/totp", &Value::Null).await;
    let offer = offered.json();
    assert_eq!(offer["recovery_codes"].as_array().unwrap().len(), 10, "{}", offered.text());
    assert!(offer["uri"].as_str().unwrap().contains(offer["secret"].as_str().unwrap()));
    let wrong = ann.asks(&home, "POST", "/v1/session/totp/confirm", &json!({"code": "12"})).await;
    assert_eq!(code_of(&wrong), (422, "code_unconfirmed".to_owned()));
    let person = home.api_person("Ann").await;
    let id_key = home.engine.store().home().await.unwrap().id_key;
    let salt = person.is.offered.as_ref().unwrap().salt;
    let code = codes::shown(&id_key, &person.id, &salt, clock::wall());
    let before = ann.clone();
    let on = ann.asks(&home, "POST", "/v1/session/totp/confirm", &json!({"code": code})).await;
    assert_eq!((on.status, &on.json()["totp"]), (200, &json!(true)), "{}", on.text());
    assert_ne!(before.cookie, ann.cookie);
    let sign_in = |code: Option<&str>| json!({"name": "Ann", "password": GOOD, "code": code});
    let mut other = Browser::default();
    for (said, expected) in
        [(None, "code_needed"), (Some("12"), "code_wrong"), (Some(code.as_str()), "code_wrong")]
    {
        let refused = other.asks(&home, "POST", "/v1/session", &sign_in(said)).await;
        assert_eq!(code_of(&refused), (401, expected.to_owned()), "{said:?}");
        assert!(refused.header("set-cookie").is_none());
    }
    let recovery = offer["recovery_codes"][0].as_str().unwrap();
    assert_eq!(other.asks(&home, "POST", "/v1/session", &sign_in(Some(recovery))).await.status, 200);
    let again = ann.asks(&home, "POST", "/v1/session/totp", &Value::Null).await;
    assert_eq!(code_of(&again), (409, "totp_on".to_owned()));
    let wrong = ann.asks(&home, "DELETE", "/v1/session/totp", &json!({"password": "x"})).await;
    assert_eq!(code_of(&wrong), (403, "password_wrong".to_owned()));
    assert_eq!(ann.asks(&home, "DELETE", "/v1/session/totp", &json!({"password": GOOD})).await.status, 200);
    assert_eq!(Browser::default().asks(&home, "POST", "/v1/session", &sign_in(None)).await.status, 200);
    home.end().await;
}

#[tokio::test]
async fn people_are_made_changed_and_removed_and_their_sessions_end_with_it() {
    let home = Home::new().await;
    let (mut ann, _) = set_up(&home).await;
    let made = ann
        .asks(&home, "POST", "/v1/people", &json!({"name": "Bob", "role": "analyst", "password": GOOD}))
        .await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let mut bob = Browser::default();
    let sign_in = json!({"name": "bob", "password": GOOD});
    let comes = async |bob: &mut Browser, password: &str| {
        bob.asks(&home, "POST", "/v1/session", &json!({"name": "bob", "password": password})).await.status
    };
    assert_eq!(bob.asks(&home, "POST", "/v1/session", &sign_in).await.status, 200);
    let changed = ann
        .asks(&home, "PATCH", &format!("/v1/people/{id}"), &json!({"role": "cashier", "place": "330"}))
        .await;
    assert_eq!((changed.status, &changed.json()["role"]), (200, &json!("cashier")), "{}", changed.text());
    assert_eq!(bob.asks(&home, "GET", "/v1/session", &Value::Null).await.code(), "not_signed_in");
    assert_eq!(comes(&mut bob, GOOD).await, 200);
    let given = json!({"password": "heron under willow"});
    assert_eq!(ann.asks(&home, "POST", &format!("/v1/people/{id}/password"), &given).await.status, 200);
    assert_eq!((comes(&mut bob, GOOD).await, comes(&mut bob, "heron under willow").await), (401, 200));
    let new = json!({"old": "heron under willow", "new": "oak over kestrel"});
    let before = bob.clone();
    assert_eq!(bob.asks(&home, "POST", "/v1/session/password", &new).await.status, 200);
    assert_ne!(before.cookie, bob.cookie);
    assert_eq!(before.clone().asks(&home, "GET", "/v1/session", &Value::Null).await.status, 401);
    let short =
        ann.asks(&home, "POST", &format!("/v1/people/{id}/password"), &json!({"password": "x"})).await;
    assert_eq!(
        (code_of(&short), &short.json()["field"]),
        ((422, "password_length".to_owned()), &json!("password"))
    );
    let listed = ann.asks(&home, "GET", "/v1/people", &Value::Null).await;
    let names: Vec<Value> =
        listed.json()["items"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["Ann", "Bob"]);
    assert!(!listed.text().contains("hash") && !listed.text().contains("salt"));
    assert_eq!(ann.asks(&home, "DELETE", &format!("/v1/people/{id}"), &Value::Null).await.status, 200);
    assert_eq!(bob.asks(&home, "GET", "/v1/session", &Value::Null).await.status, 401);
    let own = ann.asks(&home, "GET", "/v1/session", &Value::Null).await.json()["person"]["id"].clone();
    let last =
        ann.asks(&home, "DELETE", &format!("/v1/people/{}", own.as_str().unwrap()), &Value::Null).await;
    assert_eq!(code_of(&last), (409, "last_owner".to_owned()));
    home.end().await;
}

/// Whether the apps were built or not: their pages are there, load nothing from elsewhere and go into no frame.
#[tokio::test]
async fn the_apps_have_their_pages() {
    let home = Home::new().await;
    for app in ["console", "m", "a", "pos"] {
        let enter = home.ask("GET", &format!("/{app}"), &[], b"").await;
        assert_eq!((enter.status, enter.header("location")), (308, Some(format!("/{app}/").as_str())));
        for path in [format!("/{app}/"), format!("/{app}/members/42")] {
            let page = home.ask("GET", &path, &[], b"").await;
            assert!(
                page.status == 200 || page.status == 503 && page.text().contains("npm run build"),
                "{path}"
            );
            assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
            let policy = page.header("content-security-policy").unwrap();
            assert!(
                policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
                "{policy}"
            );
            assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        }
    }
    assert_eq!(home.ask("POST", "/console/", &[], b"").await.status, 405);
    let page = home.ask("GET", "/?lang=en", &[], b"").await.text();
    assert!(page.contains(r#"href="/console/">Console<"#));
    home.end().await;
}

/// The place of a role is the place of the person.
#[tokio::test]
async fn a_person_acts_where_they_are_bound() {
    let home = Home::new().await;
    home.member("13912345678", 500).await;
    let (mut ann, _) = set_up(&home).await;
    let bob = json!({"name": "Bob", "role": Role::Cashier.name(), "place": "330", "password": GOOD});
    ann.asks(&home, "POST", "/v1/people", &bob).await;
    let mut bob = Browser::default();
    let said = bob.asks(&home, "POST", "/v1/session", &json!({"name": "Bob", "password": GOOD})).await.json();
    assert_eq!((&said["person"]["place"], &said["roles"]), (&json!("330"), &json!(["cashier"])));
    let csrf = bob.csrf.clone();
    let member = json!({"namespace": "phone", "value": "13912345678"});
    for (n, store, expected) in [("1", "330", ""), ("2", "331", "outside_scope")] {
        let more = [("x-zhiyin-csrf", csrf.as_str()), ("idempotency-key", n)];
        let body = json!({"member": member, "amount": 1, "store": store});
        let spent = bob.asks_saying(&home, "POST", "/v1/commands/points/spend", &body, &more).await;
        let code = if spent.status == 200 { String::new() } else { spent.code() };
        assert_eq!(code, expected, "{}", spent.text());
    }
    home.end().await;
}
