//! Official accounts and a mini program end to end: who follows, scans, says and allows becomes known; messages go to whom they may, once each
//! and never without a yes; with calls and callbacks that go wrong it is the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zhiyin_engine::apps;
use zhiyin_engine::platforms::inbox::InboxAsked;
use zhiyin_model::role::Grant;
use zhiyin_reach_sim::Chance;
use zhiyin_reach_sim::wechat::{Brand, MAIN, MINI, MINI_TEMPLATE, SECOND, TEMPLATES};
use zhiyin_store::campaigns::sends::SendState;

const MINUTE_MS: i64 = 60_000;

async fn follows(brand: &Brand, appid: &str, person: &str) -> String {
    let told = brand.act("wechat/follow", json!({"appid": appid, "person": person})).await;
    told["openid"].as_str().unwrap().to_owned()
}

fn of<'t>(truth: &'t Value, list: &str, name: &str, value: &str) -> &'t Value {
    truth[list].as_array().unwrap().iter().find(|one| one[name] == value).unwrap()
}

#[tokio::test]
async fn c1_whoever_follows_by_a_code_came_by_its_touchpoint_and_leaves_as_they_came() {
    let mut brand = Brand::new(1).await;
    brand.works().await;
    let code = brand.engine.app_codes().await.unwrap().pop().unwrap();
    assert_eq!((code.touchpoint.as_str(), code.account.as_str(), code.trouble), ("door", "main", None));
    let truth = brand.truth().await;
    let codes = of(&truth, "apps", "appid", MAIN)["codes"].as_object().unwrap();
    let (ticket, scene) = codes.iter().next().unwrap();
    assert_eq!((codes.len(), scene), (1, &json!("door")));
    assert!(code.picture.unwrap().contains(ticket.as_str()));
    let person = brand.people(1).await.pop().unwrap();
    let scan = json!({"appid": MAIN, "person": person, "ticket": ticket});
    let openid = brand.act("wechat/scan", scan.clone()).await["openid"].as_str().unwrap().to_owned();
    brand.goes_on(1_000).await;
    let member = brand.known(MAIN, &openid).await.unwrap();
    let contacts: Vec<(String, String, Option<String>, bool)> = member
        .personal
        .contacts
        .iter()
        .map(|(channel, account, of)| {
            (channel.to_owned(), account.to_owned(), of.way.clone(), of.ended.is_some())
        })
        .collect();
    assert_eq!(contacts, [("wechat".to_owned(), "main".to_owned(), Some("door".to_owned()), false)]);
    assert_eq!(member.touches.first.as_ref().unwrap().code, "door");
    // Who follows already only scans.
    brand.act("wechat/scan", scan).await;
    brand.act("wechat/leave", json!({"appid": MAIN, "person": person})).await;
    brand.goes_on(1_000).await;
    let member = brand.known(MAIN, &openid).await.unwrap();
    assert!(member.personal.contacts.iter().all(|(.., of)| of.ended.is_some()));
    let codes = brand.engine.app_codes().await.unwrap();
    assert_eq!(codes.len(), 1, "it is made once");
    brand.ends().await;
}

#[tokio::test]
async fn who_is_known_in_several_apps_becomes_one_by_the_name_across_them() {
    let mut brand = Brand::new(2).await;
    let person = brand.people(1).await.pop().unwrap();
    let first = follows(&brand, MAIN, &person).await;
    let second = follows(&brand, SECOND, &person).await;
    brand.goes_on(1_000).await;
    brand.goes_on(1_000).await;
    let code = brand.act("wechat/login-code", json!({"appid": MINI, "person": person})).await;
    let phone = brand.act("wechat/phone-code", json!({"appid": MINI, "person": person})).await;
    let (code, phone) = (code["code"].as_str().unwrap(), phone["code"].as_str().unwrap());
    let signed_in =
        brand.engine.sign_in_to_app(&brand.apps["mini"], code, Some(phone)).await.unwrap().unwrap();
    brand.works().await;
    let truth = brand.truth().await;
    let of_person = of(&truth, "people", "person", &person);
    let unionid = of_person["unionid"].as_str().unwrap();
    let member = brand.member("unionid", unionid).await.unwrap();
    for (appid, openid) in [(MAIN, &first), (SECOND, &second)] {
        assert_eq!(brand.known(appid, openid).await.unwrap().id, member.id, "{appid}");
    }
    let phone = format!("+86{}", of_person["phone"].as_str().unwrap());
    assert_eq!(brand.member("phone", &phone).await.unwrap().id, member.id);
    // Whoever signed in is them, whichever of their records was there first.
    let names = brand.engine.store().identifiers_of(vec![member.id]).await.unwrap();
    assert_eq!(names.len(), 5, "{names:?} {signed_in}");
    let again = brand.engine.sign_in_to_app(&brand.apps["mini"], code, None).await.unwrap().unwrap_err();
    assert_eq!(again.why(), "code_wrong", "a code is good once");
    brand.ends().await;
}

#[tokio::test]
async fn m1_who_followed_or_left_untold_is_put_right_when_they_are_looked_up() {
    let mut brand = Brand::new(10).await;
    let people = brand.people(2).await;
    let is_on = async |brand: &Brand, openid: &str| {
        let member = brand.known(MAIN, openid).await;
        member.is_some_and(|member| member.personal.contacts.iter().any(|(.., of)| of.ended.is_none()))
    };
    let ann = follows(&brand, MAIN, &people[0]).await;
    let untold = |n: usize| json!({"appid": MAIN, "person": people[n], "untold": true});
    let bob = brand.act("wechat/follow", untold(1)).await["openid"].as_str().unwrap().to_owned();
    brand.goes_on(1_000).await;
    brand.act("wechat/leave", untold(0)).await;
    // Of bob nothing is known before he does something.
    brand.act("wechat/press", json!({"appid": MAIN, "person": people[1], "key": "shop"})).await;
    brand.goes_on(1_000).await;
    assert_eq!((is_on(&brand, &ann).await, is_on(&brand, &bob).await), (true, false));
    brand.goes_on(11 * MINUTE_MS).await;
    assert_eq!((is_on(&brand, &ann).await, is_on(&brand, &bob).await), (false, true));
    brand.act("wechat/follow", untold(0)).await;
    brand.goes_on(6 * 24 * 60 * MINUTE_MS).await;
    assert!(!is_on(&brand, &ann).await, "they are looked up once a week");
    brand.goes_on(2 * 24 * 60 * MINUTE_MS).await;
    assert!(is_on(&brand, &ann).await);
    brand.ends().await;
}

#[tokio::test]
async fn t5_messages_go_to_whom_they_may_and_each_yes_is_good_for_one() {
    let mut brand = Brand::new(3).await;
    let [always, once, standing] = TEMPLATES;
    let person = brand.people(1).await.pop().unwrap();
    let openid = follows(&brand, MAIN, &person).await;
    let allow = |template: &str, yes: bool| json!({"appid": MAIN, "person": person, "template": template, "yes": yes});
    brand.act("wechat/allow", allow(once, true)).await;
    brand.act("wechat/allow", allow(once, false)).await;
    brand.act("wechat/allow", allow(standing, true)).await;
    brand.goes_on(1_000).await;
    assert_eq!(brand.left(MAIN, &openid, once).await, 1);
    for event in ["Told Always", "Told Once", "Told Once", "Told Standing", "Told Standing"] {
        brand.happens((MAIN, &openid), event).await;
    }
    brand.goes_on(1_000).await;
    brand.goes_on(MINUTE_MS).await;
    let truth = brand.truth().await;
    let inbox = of(&truth, "people", "person", &person)["inbox"].as_array().unwrap().clone();
    let n = |template: &str| inbox.iter().filter(|one| one["template"] == template).count();
    assert_eq!((n(always), n(once), n(standing)), (1, 1, 2), "{inbox:?}");
    let first = inbox.iter().find(|one| one["template"] == always).unwrap();
    assert_eq!(first["data"]["thing1"]["value"], "您的订单已发货");
    assert_eq!(first["url"], "https://m.shop.example/o");
    assert_eq!(truth["n_not_allowed"], 0, "nothing was tried that nobody allowed");
    assert_eq!(brand.left(MAIN, &openid, once).await, 0);
    let stopped: Vec<_> =
        brand.sends().await.into_iter().filter(|row| row.state == SendState::Stopped).collect();
    assert_eq!(stopped.len(), 1);
    assert_eq!(stopped[0].error.as_deref(), Some("permit: not_allowed"));
    // A no of the settings ends what stands; and who left gets no template message.
    brand.act("wechat/settings", allow(standing, false)).await;
    brand.act("wechat/leave", json!({"appid": MAIN, "person": person})).await;
    brand.goes_on(1_000).await;
    for event in ["Told Always", "Told Standing"] {
        brand.happens((MAIN, &openid), event).await;
    }
    let handed = brand.goes_on(1_000).await;
    assert_eq!((handed.sent, handed.stopped), (0, 2));
    // The mini program's: where it is asked for a yes, too.
    let mini =
        brand.act("wechat/allow", json!({"appid": MINI, "person": person, "template": MINI_TEMPLATE})).await;
    assert_eq!(mini["ok"], true);
    brand.goes_on(1_000).await;
    let truth = brand.truth().await;
    let ties = truth["ties"].as_array().unwrap();
    let in_mini = ties.iter().find(|tie| tie["appid"] == MINI).unwrap()["openid"].as_str().unwrap();
    assert_eq!(brand.left(MINI, in_mini, MINI_TEMPLATE).await, 1);
    brand.happens((MINI, in_mini), "Told Mini").await;
    assert_eq!(brand.goes_on(1_000).await.sent, 1);
    brand.ends().await;
}

#[tokio::test]
async fn where_the_platform_says_that_nobody_allowed_it_the_count_is_put_right() {
    let mut brand = Brand::new(4).await;
    let [_, once, _] = TEMPLATES;
    let person = brand.people(1).await.pop().unwrap();
    let openid = follows(&brand, MAIN, &person).await;
    let allow = json!({"appid": MAIN, "person": person, "template": once});
    brand.act("wechat/allow", allow.clone()).await;
    // Of two within one second the platform does not say that they are two.
    brand.goes_on(1_000).await;
    brand.act("wechat/allow", allow).await;
    brand.goes_on(1_000).await;
    assert_eq!(brand.left(MAIN, &openid, once).await, 2);
    // Somebody else uses both up, of which nobody tells.
    brand
        .act(
            "wechat/settings",
            json!({"appid": MINI, "person": person, "template": MINI_TEMPLATE, "yes": false}),
        )
        .await;
    brand.act("faults", json!({"callback_delayed": 1_000, "delay_ms_max": 86_400_000})).await;
    brand
        .act("wechat/settings", json!({"appid": MAIN, "person": person, "template": once, "yes": false}))
        .await;
    brand.act("faults", json!({"none": true})).await;
    brand.happens((MAIN, &openid), "Told Once").await;
    assert_eq!(brand.goes_on(1_000).await.failed, 1);
    assert_eq!(brand.left(MAIN, &openid, once).await, 0);
    assert_eq!(brand.truth().await["n_not_allowed"], 1);
    brand.happens((MAIN, &openid), "Told Once").await;
    let handed = brand.goes_on(1_000).await;
    assert_eq!((handed.failed, handed.stopped), (0, 1), "it is not tried again");
    assert_eq!(brand.truth().await["n_not_allowed"], 1);
    brand.ends().await;
}

#[tokio::test]
async fn who_says_stop_is_sent_nothing_more_and_who_blocks_is_not_reached() {
    let mut brand = Brand::new(5).await;
    let people = brand.people(2).await;
    let (ann, bob) = (follows(&brand, MAIN, &people[0]).await, follows(&brand, MAIN, &people[1]).await);
    brand.goes_on(1_000).await;
    brand.act("wechat/say", json!({"appid": MAIN, "person": people[0], "text": "退订"})).await;
    brand.act("wechat/press", json!({"appid": MAIN, "person": people[1], "key": "shop", "page": true})).await;
    brand.act("wechat/block", json!({"appid": MAIN, "person": people[1]})).await;
    brand.goes_on(1_000).await;
    for openid in [&ann, &bob] {
        brand.happens((MAIN, openid), "Told Always").await;
    }
    brand.goes_on(1_000).await;
    brand.goes_on(5_000).await;
    let sends = brand.sends().await;
    assert_eq!(sends.len(), 1, "nothing is said to whoever said stop: {sends:?}");
    assert_eq!(sends[0].state, SendState::Bounced);
    assert_eq!(sends[0].error.as_deref(), Some("unreachable: blocked_by_person"));
    // A word within 48 hours may be answered, and later not.
    let app = &brand.apps["main"].app;
    app.reply(&ann, "好的，已为您退订。").await.unwrap();
    brand.act("clock/advance", json!({"ms": 49 * 3_600_000_i64})).await;
    let app = &brand.apps["main"].app;
    assert_eq!(app.reply(&ann, "还在吗？").await.unwrap_err().why(), "said_nothing_lately");
    brand.ends().await;
}

#[tokio::test]
async fn what_is_not_the_platforms_is_refused_by_name_and_keeps_nothing() {
    let brand = Brand::new(6).await;
    let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
    for (appid, what, status, why) in [
        (MAIN, "signature", 403, "signature_wrong"),
        (MAIN, "stale", 403, "stale"),
        (MAIN, "truncated", 403, "xml_truncated"),
        (MAIN, "plain", 403, "envelope_wrong"),
        (MAIN, "entity", 403, "xml_entity"),
        (MAIN, "doctype", 403, "xml_declares"),
        (MAIN, "other_app", 403, "receiver_wrong"),
        (MAIN, "other_account", 403, "of_another_account"),
        (MAIN, "oversized", 413, "too_large"),
        (SECOND, "signature", 403, "signature_wrong"),
        (SECOND, "stale", 403, "stale"),
    ] {
        let answer = brand.act("wechat/tell", json!({"appid": appid, "what": what})).await;
        assert_eq!(answer["status"], status, "{what}: {answer}");
        *wanted.entry(format!("{{channel=\"wechat\",why=\"{why}\"}}")).or_default() += 1;
    }
    let refused = brand.measured("zhiyin_arrivals_refused_total").await;
    let refused = refused.into_iter().map(|(name, n)| (name.replace("zhiyin_arrivals_refused_total", ""), n));
    assert_eq!(refused.collect::<BTreeMap<String, u64>>(), wanted);
    assert!(brand.known(MAIN, "o-nobody").await.is_none());
    brand.ends().await;
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_anew_where_it_is_no_more_and_a_spent_day_waits() {
    let mut brand = Brand::new(7).await;
    let person = brand.people(1).await.pop().unwrap();
    let openid = follows(&brand, MAIN, &person).await;
    brand.goes_on(1_000).await;
    for _ in 0..5 {
        brand.happens((MAIN, &openid), "Told Always").await;
    }
    assert_eq!(brand.goes_on(1_000).await.sent, 5);
    let n_tokens = |truth: &Value| of(truth, "apps", "appid", MAIN)["n_tokens"].as_u64().unwrap();
    assert_eq!(n_tokens(&brand.truth().await), 1);
    brand.act("wechat/expire", json!({"appid": MAIN})).await;
    brand.happens((MAIN, &openid), "Told Always").await;
    assert_eq!(brand.goes_on(1_000).await.sent, 1);
    assert_eq!(n_tokens(&brand.truth().await), 2);
    let path = "/cgi-bin/message/template/send";
    brand.act("wechat/quota", json!({"appid": MAIN, "path": path, "left": 1})).await;
    for _ in 0..3 {
        brand.happens((MAIN, &openid), "Told Always").await;
    }
    let handed = brand.goes_on(1_000).await;
    assert_eq!((handed.sent, handed.failed), (1, 0), "{handed:?}");
    brand.act("wechat/quota", json!({"appid": MAIN, "path": path})).await;
    let mut sent = 0;
    for _ in 0..8 {
        sent += brand.goes_on(20 * MINUTE_MS).await.sent;
    }
    assert_eq!(sent, 2, "what waited goes out");
    let steps = apps::check(&brand.platforms, |name| format!("https://vip.shop.example/{name}")).await;
    assert!(steps.iter().all(|(_, steps)| !steps.iter().any(apps::is_wrong)), "{steps:?}");
    brand.ends().await;
}

/// What is asked of the home over HTTP: the head of its answer, and its body.
async fn get(brand: &Brand, path: &str, cookie: &str) -> (String, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(brand.home).await.unwrap();
    let home = brand.home;
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: {home}\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

fn line<'h>(head: &'h str, name: &str) -> &'h str {
    head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim()
}

#[tokio::test]
async fn who_signs_in_on_a_page_is_known_only_where_their_own_browser_began() {
    let mut brand = Brand::new(8).await;
    let person = brand.people(1).await.pop().unwrap();
    let page = format!("http://{}/shop", brand.home);
    let asked = format!("/v1/apps/main/sign-in?to={page}");
    let (head, _) = get(&brand, &asked, "").await;
    let leads = line(&head, "location:");
    assert!(head.starts_with("http/1.1 302") && leads.starts_with("https://open.weixin.qq.com/"), "{head}");
    let cookie = line(&head, "set-cookie:");
    assert!(cookie.contains("httponly") && cookie.contains("samesite=lax"), "{cookie}");
    // What a browser keeps is not in small letters: it is read from an answer as it came.
    let (cookie, state) = begins(&brand, &asked).await;
    let mut codes = Vec::new();
    for _ in 0..5 {
        codes.push(brand.act("wechat/login-code", json!({"appid": MAIN, "person": person})).await);
    }
    let back = |code: &Value, state: &str| {
        format!("/v1/apps/main/signed-in?code={}&state={state}", code["code"].as_str().unwrap())
    };
    let (stranger, _) = begins(&brand, &asked).await;
    for (cookie, state) in [("", state.as_str()), (&stranger, &state), (&cookie, "0z0")] {
        let (head, body) = get(&brand, &back(&codes.pop().unwrap(), state), cookie).await;
        assert!(head.starts_with("http/1.1 403"), "{head}");
        assert!(body.contains("app_sign_in_failed"), "{body}");
    }
    let (head, _) = get(&brand, &back(&codes.pop().unwrap(), &state), &cookie).await;
    assert!(head.starts_with("http/1.1 302") && line(&head, "location:") == page, "{head}");
    brand.works().await;
    let truth = brand.truth().await;
    let openid = truth["ties"][0]["openid"].as_str().unwrap();
    assert!(brand.known(MAIN, openid).await.is_some());
    // No other page is led to, or signed.
    for path in ["sign-in?to=https://evil.example/", "jssdk?url=https://evil.example/", "jssdk"] {
        let (head, body) = get(&brand, &format!("/v1/apps/main/{path}"), "").await;
        assert!(head.starts_with("http/1.1 400") && body.contains("app_page_unknown"), "{path}: {head}");
    }
    let (head, body) = get(&brand, &format!("/v1/apps/main/jssdk?url={page}"), "").await;
    assert!(head.starts_with("http/1.1 200"), "{head} {body}");
    let signed: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((signed["app"].as_str().unwrap(), signed["signature"].as_str().unwrap().len()), (MAIN, 40));
    brand.act("clock/advance", json!({"ms": 11 * MINUTE_MS})).await;
    let (head, _) = get(&brand, &back(&codes.pop().unwrap(), &state), &cookie).await;
    assert!(head.starts_with("http/1.1 403"), "a state is good for ten minutes");
    brand.ends().await;
}

/// Begins to sign in; the cookie and the state.
async fn begins(brand: &Brand, asked: &str) -> (String, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(brand.home).await.unwrap();
    let head = format!("GET {asked} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", brand.home);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let between =
        |from: &str, to: &str| answer.split_once(from).unwrap().1.split_once(to).unwrap().0.to_owned();
    (between("set-cookie: ", ";"), between("&state=", "#"))
}

#[tokio::test]
async fn in_an_hour_in_which_a_fifth_goes_wrong_everything_is_as_the_platform_has_it() {
    let mut brand = Brand::new(9).await;
    let mut chance = Chance::new(9);
    let [always, once, _] = TEMPLATES;
    brand.works().await;
    brand
        .act(
            "faults",
            json!({
                "callback_lost": 200, "callback_doubled": 200, "callback_delayed": 100, "callback_reordered": 200,
                "call_fails_before": 60, "call_reply_lost": 60, "call_server_error": 40, "call_busy": 40,
                "timeout_real_ms": 1,
            }),
        )
        .await;
    let people = brand.people(24).await;
    let mut n_said = 0;
    // Some have the account blocked: what is sent to them does not arrive, which only receipts tell.
    for person in &people[..4] {
        brand.act("wechat/block", json!({"appid": MAIN, "person": person})).await;
    }
    for minute in 0..60 {
        for _ in 0..6 {
            let person = chance.one(&people).clone();
            let who = json!({"appid": MAIN, "person": person});
            let with = |more: Value| {
                let mut all = who.clone();
                more.as_object().unwrap().iter().for_each(|(name, value)| all[name] = value.clone());
                all
            };
            match chance.below(10) {
                0..=2 => drop(brand.act("wechat/follow", who).await),
                3 => drop(brand.act("wechat/leave", who).await),
                4..=6 => drop(brand.act("wechat/allow", with(json!({"template": once}))).await),
                7 => drop(brand.act("wechat/allow", with(json!({"template": once, "yes": false}))).await),
                8 => {
                    brand.act("wechat/say", with(json!({"text": "在吗"}))).await;
                    n_said += 1;
                }
                _ => drop(brand.act("wechat/press", with(json!({"key": "shop"}))).await),
            }
            // One thing a second: within one the platform does not say which came first.
            brand.act("clock/advance", json!({"ms": 1_000})).await;
        }
        if minute % 3 == 0 {
            let truth = brand.truth().await;
            let ties: Vec<String> = truth["ties"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|tie| Some(tie["openid"].as_str()?.to_owned()))
                .collect();
            for _ in 0..4 {
                let openid = chance.one(&ties).clone();
                brand
                    .happens((MAIN, &openid), if chance.below(2) == 0 { "Told Once" } else { "Told Always" })
                    .await;
            }
        }
        brand.goes_on(54_000).await;
    }
    brand.act("faults", json!({"none": true})).await;
    for _ in 0..40 {
        brand.goes_on(5 * MINUTE_MS).await;
    }
    let truth = brand.truth().await;
    // Of whom nobody knows whether it arrived, the platform does.
    let (mut unknown, mut sent, mut bounced) = (BTreeMap::new(), 0_u64, 0);
    let mut blocked = Vec::new();
    for tie in truth["ties"].as_array().unwrap() {
        if people[..4].iter().any(|person| tie["person"] == person.as_str()) {
            blocked.extend(brand.known(MAIN, tie["openid"].as_str().unwrap()).await.map(|member| member.id));
        }
    }
    for row in brand.sends().await {
        let is_blocked = row.message == "always" && blocked.contains(&row.member);
        match row.state {
            SendState::Bounced => {
                assert!(is_blocked, "{row:?}");
                bounced += 1;
            }
            SendState::Sent if is_blocked => panic!("its receipt says that it did not arrive: {row:?}"),
            SendState::Unknown => *unknown.entry(row.message.clone()).or_insert(0) += 1,
            SendState::Sent => sent += 1,
            SendState::Waiting | SendState::Handed => panic!("{row:?}"),
            _ => {}
        }
    }
    let inboxes = truth["people"].as_array().unwrap().iter().flat_map(|one| one["inbox"].as_array().unwrap());
    let inboxes: Vec<&Value> = inboxes.filter(|one| one["kind"] != "word").collect();
    let arrived = u64::try_from(inboxes.len()).unwrap();
    let n_unknown: u64 = unknown.values().sum();
    println!("{arrived} arrived, {sent} sent, {bounced} did not arrive, {unknown:?} of which nobody knows");
    // What arrived though its answer was lost its receipt told; of what is left the request was lost.
    assert!(arrived > 20, "{arrived}");
    assert_eq!(arrived, sent);
    let keys: Vec<&str> = inboxes.iter().filter_map(|one| one["key"].as_str()).collect();
    let distinct: std::collections::BTreeSet<&str> = keys.iter().copied().collect();
    assert_eq!(keys.len(), distinct.len(), "no template message arrived twice");
    assert!(keys.len() > 5, "{keys:?}");
    assert_eq!(truth["n_not_allowed"], 0, "nothing was sent that nobody allowed");
    let (mut followers, mut n_left, mut n_true) = (0, 0, 0);
    for tie in truth["ties"].as_array().unwrap() {
        let openid = tie["openid"].as_str().unwrap();
        let member = brand.known(MAIN, openid).await.unwrap();
        let is_on = member
            .personal
            .contacts
            .iter()
            .any(|(channel, account, of)| channel == "wechat" && account == "main" && of.ended.is_none());
        assert_eq!(is_on, tie["follows"] == true, "{tie}");
        followers += usize::from(is_on);
        let left = brand.left(MAIN, openid, once).await;
        let there = usize::try_from(tie["allowed"][once].as_i64().unwrap_or(0)).unwrap();
        // One of which nobody knows whether it was sent is gone here, and is there still.
        assert!(left <= there && there - left <= usize::try_from(n_unknown).unwrap(), "{tie} {left}");
        n_left += left;
        n_true += there;
    }
    println!("{followers} follow, {n_left} yeses of {n_true} are left, template {always}");
    let of_once = unknown.get("once").copied().unwrap_or(0);
    assert_eq!(n_true - n_left, usize::try_from(of_once).unwrap());
    // Each word that was said is one of a conversation, once.
    let (owner, asked) = (Grant::system("test"), InboxAsked { limit: 100, ..InboxAsked::default() });
    let mut n_heard = 0;
    for talk in brand.engine.inbox(&owner, &asked).await.unwrap().items {
        let whole = brand.engine.conversation(&owner, &talk.conversation, 200, None).await.unwrap();
        n_heard += whole.messages.items.len();
    }
    assert!(n_said > 10 && n_heard == n_said, "{n_heard} of {n_said}");
    brand.ends().await;
}
