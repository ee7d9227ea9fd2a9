//! A command that comes again is the same command, whatever became of its people in the meantime; and what a request says is
//! read from where it is said.

use serde_json::{Value, json};
use zhiyin_model::role::Role;

use crate::home::{Answer, Home};

const PHONE: &str = "13912345678";

fn phone(value: &str) -> Value {
    json!({"namespace": "phone", "value": value})
}

fn card(value: &str) -> Value {
    json!({"namespace": "card", "value": value})
}

/// Answered again: as it was answered, and not done again.
fn is_again(first: &Answer, again: &Answer) {
    assert_eq!((first.status, again.status), (200, 200), "{} {}", first.text(), again.text());
    let (first, again) = (first.json(), again.json());
    assert_eq!((again["again"].as_bool(), &again["transfers"]), (Some(true), &first["transfers"]));
    assert_eq!(again["member"], first["member"]);
}

/// By their id somebody is found through a name of theirs, and which one that is changes with what they are called.
#[tokio::test]
async fn a_command_by_id_is_the_same_after_another_name_was_added() {
    let home = Home::new().await;
    let id = home.member(PHONE, 100).await;
    let update = json!({"member": {"id": id}, "identifiers": [card("6001000234")]});
    let spend = json!({"member": {"id": id}, "amount": 10});
    let spent = home.command("points/spend", "s1", spend.clone()).await;
    let first = home.command("members/update", "u1", update.clone()).await;
    is_again(&first, &home.command("members/update", "u1", update).await);
    is_again(&spent, &home.command("points/spend", "s1", spend).await);
    home.end().await;
}

/// Who was merged is who they are by now, in a command that is new and in one that comes again.
#[tokio::test]
async fn a_command_is_answered_again_though_its_people_were_merged_or_parted() {
    let home = Home::new().await;
    let (ann, bob) = (home.member(PHONE, 100).await, home.member("13912345679", 50).await);
    let spend = json!({"member": {"id": bob}, "amount": 10});
    let spent = home.command("points/spend", "s1", spend.clone()).await;
    let merge = json!({"members": [{"id": ann}, {"id": bob}], "reason": "one person"});
    let merged = home.command("members/merge", "m1", merge.clone()).await;
    is_again(&merged, &home.command("members/merge", "m1", merge.clone()).await);
    assert_eq!(home.command("members/merge", "m2", merge).await.code(), "merged_already");
    let again = home.command("points/spend", "s1", spend).await;
    assert_eq!((again.status, &again.json()["transfers"]), (200, &spent.json()["transfers"]));
    let more = home.command("points/spend", "s2", json!({"member": {"id": bob}, "amount": 1})).await;
    assert_eq!((more.status, more.json()["member"].as_str()), (200, Some(ann.as_str())), "{}", more.text());

    let enrol = json!({"identifiers": [phone("13912345670"), card("6001000235")]});
    let first = home.command("members/enrol", "e1", enrol.clone()).await;
    let part = json!({"identifiers": [card("6001000235")], "reason": "a shared card"});
    assert_eq!(home.command("members/unmerge", "p1", part).await.status, 200);
    // What was said of both is the other's by now.
    let again = home.command("members/enrol", "e1", enrol).await;
    assert_eq!(
        (first.status, again.status, again.json()["again"].as_bool()),
        (200, 200, Some(true)),
        "{}",
        again.text()
    );
    home.end().await;
}

/// All of one key at once: whoever comes second finds them merged already, and is told what the first is.
#[tokio::test]
async fn people_who_are_merged_by_two_requests_of_one_key_at_once_are_merged_once() {
    let home = Home::new().await;
    let (ann, bob) = (home.member(PHONE, 100).await, home.member("13912345679", 50).await);
    let merge = json!({"members": [{"id": ann}, {"id": bob}], "reason": "one person"});
    let all = (0..8).map(|_| home.command("members/merge", "m1", merge.clone()));
    for answer in futures_util::future::join_all(all).await {
        assert_eq!(
            (answer.status, answer.json()["member"].as_str()),
            (200, Some(ann.as_str())),
            "{}",
            answer.text()
        );
    }
    home.end().await;
}

/// Other commands of one operation that say the same are others.
#[tokio::test]
async fn one_key_for_two_commands_that_say_the_same_is_refused() {
    let home = Home::new().await;
    home.member(PHONE, 100).await;
    let hold = json!({"member": phone(PHONE), "amount": 10, "hold": true});
    let held = home.command("points/spend", "h1", hold).await.json();
    let holds =
        held["transfers"].as_array().unwrap().iter().find(|transfer| transfer["kind"] == "hold").unwrap();
    let same = json!({"member": phone(PHONE), "hold_id": holds["id"]});
    assert_eq!(home.command("points/void", "v1", same.clone()).await.status, 200);
    assert_eq!(home.command("points/post", "v1", same).await.code(), "idempotency_key_reused");
    home.end().await;
}

/// An approval is carried out once, whoever the member is called by then; and an asker is told of no keys but their own.
#[tokio::test]
async fn o5_an_approval_is_done_once_though_the_member_was_given_another_name() {
    let home = Home::new().await;
    let id = home.member(PHONE, 0).await;
    let asks = home.key(Role::StoreManager, Some("330"), Some("ann")).await;
    let answers = home.key(Role::StoreManager, Some("330"), Some("bob")).await;
    let large = json!({"member": {"id": id}, "amount": 1001, "reason": "a lost card"});
    // All at once it is one request.
    let all = (0..6).map(|_| home.command_as(&asks, "points/adjust", "a1", large.clone()));
    let all = futures_util::future::join_all(all).await;
    let numbers: std::collections::BTreeSet<i64> =
        all.iter().map(|answer| answer.json()["approval"].as_i64().unwrap()).collect();
    assert_eq!(numbers.len(), 1, "{numbers:?}");
    // However many were asked since.
    for n in 0..205 {
        let other = json!({"member": {"id": id}, "amount": 1001 + n, "reason": "another"});
        assert_eq!(home.command_as(&asks, "points/adjust", &format!("o{n}"), other).await.status, 202);
    }
    let no = home.command_as(&asks, "points/adjust", "a1", large).await.json()["approval"].as_i64().unwrap();
    assert!(numbers.contains(&no), "{no} is none of {numbers:?}");
    let listed = home.as_key(&answers, "GET", "/v1/approvals", &Value::Null).await;
    assert!(!listed.text().contains("known") && !listed.text().contains("/o204"), "{}", listed.text());
    let approve =
        async || home.as_key(&answers, "POST", &format!("/v1/approvals/{no}/approve"), &Value::Null).await;
    let first = approve().await;
    let name = json!({"member": {"id": id}, "identifiers": [card("6001000234")]});
    assert_eq!(home.command("members/update", "u1", name).await.status, 200);
    is_again(&first, &approve().await);
    home.end().await;
}

/// At a till nobody takes a member over, nor rewrites what others know of them: what is new is added, no more.
#[tokio::test]
async fn who_may_enrol_only_adds_to_somebody_who_is_here_already() {
    let home = Home::new().await;
    let id = home.member(PHONE, 0).await;
    let advisor = home.key(Role::Advisor, Some("330"), Some("eve")).await;
    let read = async |key: &str| home.as_key(key, "GET", &format!("/v1/members/{id}"), &Value::Null).await;
    let attributes = json!({"name": "李四", "advisor": "eve", "city": "上海"});
    let enrol = json!({"identifiers": [phone(PHONE)], "attributes": attributes});
    let done = home.command_as(&advisor, "members/enrol", "e1", enrol.clone()).await;
    assert_eq!((done.status, done.json()["member"].as_str()), (200, Some(id.as_str())), "{}", done.text());
    assert_eq!(read(&advisor).await.code(), "member_unknown");
    let whole = read(&home.owner).await.json();
    assert_eq!(
        (&whole["attributes"]["name"], &whole["attributes"]["city"]),
        (&json!("张伟"), &json!("上海"))
    );
    assert_eq!(whole["advisor"], Value::Null);
    // Who may change them does.
    assert_eq!(home.command("members/enrol", "e2", enrol).await.status, 200);
    let whole = read(&home.owner).await.json();
    assert_eq!((&whole["attributes"]["name"], &whole["advisor"]), (&json!("李四"), &json!("eve")));
    // A new member is whose they say.
    let new = json!({"identifiers": [phone("13912345671")], "attributes": {"advisor": "eve"}});
    let new = home.command_as(&advisor, "members/enrol", "e3", new).await.json();
    let path = format!("/v1/members/{}", new["member"].as_str().unwrap());
    assert_eq!(home.as_key(&advisor, "GET", &path, &Value::Null).await.status, 200);
    home.end().await;
}

/// Numbers are kept as they were said, or refused: never as another number.
#[tokio::test]
async fn a_number_is_kept_exact_or_refused() {
    let home = Home::new().await;
    let id = home.member(PHONE, 0).await;
    let update = |value: &str| {
        format!(r#"{{"member":{{"id":"{id}"}},"attributes":{{"seat":{value}}}}}"#).parse::<Value>().unwrap()
    };
    for (n, (said, kept)) in [
        ("9007199254740993", "9007199254740993"),
        ("-9007199254740993", "-9007199254740993"),
        ("18446744073709551615", "18446744073709551615"),
        ("12.30", "12.3"),
        ("7", "7"),
    ]
    .into_iter()
    .enumerate()
    {
        let done = home.command("members/update", &format!("n{n}"), update(said)).await;
        assert_eq!(done.status, 200, "{said}: {}", done.text());
        let whole = home.as_key(&home.owner, "GET", &format!("/v1/members/{id}"), &Value::Null).await.json();
        assert_eq!(whole["attributes"]["seat"], kept, "{said}");
    }
    let refused = home.command("members/update", "x", update("184467440737095516150")).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "bad_attribute"), "{}", refused.text());
    assert_eq!(refused.json()["field"], "attributes.seat");
    home.end().await;
}

/// What a body says stands in the body: addresses are written to logs on the way.
#[tokio::test]
async fn a_field_of_a_body_is_not_taken_from_the_address() {
    let home = Home::new().await;
    home.member(PHONE, 100).await;
    let body = json!({"member": phone(PHONE), "amount": 1});
    let answer = home.command("points/spend?store=331", "s1", body).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad_query"), "{}", answer.text());
    home.end().await;
}

/// A tag that somebody put on is a tag on the timeline.
#[tokio::test]
async fn what_is_said_by_hand_is_of_its_kind_on_the_timeline() {
    let home = Home::new().await;
    let id = home.member(PHONE, 0).await;
    let (playbook, _) = zhiyin_engine::playbooks::read_shipped("variety-store").unwrap().unwrap();
    let by_hand =
        playbook.tags.iter().find(|(_, tag)| tag.who.is_none()).map(|(name, _)| name.clone()).unwrap();
    let tag = json!({"member": {"id": id}, "tag": by_hand, "on": true});
    let done = home.command("members/tag", "t1", tag).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let path = format!("/v1/members/{id}/timeline?kinds=tag");
    let timeline = home.as_key(&home.owner, "GET", &path, &Value::Null).await.json();
    let events: Vec<&str> =
        timeline["items"].as_array().unwrap().iter().map(|one| one["event"].as_str().unwrap()).collect();
    assert!(events.contains(&"Tag Put On"), "{events:?}");
    home.end().await;
}

/// A pair that was settled is as far out of reach as one that is open; and an idempotency key may name somebody, so it lies
/// nowhere as it was said.
#[tokio::test]
async fn what_is_settled_or_asked_is_told_to_nobody_else() {
    let home = Home::new().await;
    let mut pair = [home.member(PHONE, 0).await, home.member("13912345679", 0).await];
    pair.sort();
    let [one, other] = pair.each_ref().map(|id| zhiyin_model::id::MemberId::from_hex(id).unwrap());
    let evidence = r#"{"rival":"stranger","fields":[]}"#.to_owned();
    let found = zhiyin_store::suggestion::NewSuggestion { one, other, score_ppm: 990_000, evidence };
    let at = zhiyin_model::time::Ts(1);
    home.engine.store().put_suggestions(vec![found], at).await.unwrap();
    let here = home.key(Role::StoreManager, Some("330"), Some("ann")).await;
    let elsewhere = home.key(Role::StoreManager, Some("331"), Some("eve")).await;
    let settle = async |key: &str, act: &str| {
        home.as_key(key, "POST", &format!("/v1/duplicates/1/{act}"), &Value::Null).await
    };
    assert_eq!(settle(&elsewhere, "merge").await.code(), "suggestion_unknown");
    assert_eq!(settle(&here, "merge").await.status, 200);
    for act in ["merge", "different"] {
        assert_eq!(settle(&elsewhere, act).await.code(), "suggestion_unknown", "{act}");
    }
    assert_eq!(settle(&here, "merge").await.status, 200, "said twice it is done once");
    assert_eq!(settle(&here, "different").await.code(), "suggestion_decided");

    let large = json!({"member": phone(PHONE), "amount": 1001, "reason": "a lost card"});
    let word = format!("large-{PHONE}");
    assert_eq!(home.command_as(&here, "points/adjust", &word, large).await.status, 202);
    let kept = home.engine.store().access().approvals(10).await.unwrap();
    assert!(kept.iter().all(|approval| !approval.request.contains(PHONE)), "{kept:?}");
    home.end().await;
}
