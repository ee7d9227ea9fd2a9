//! Commands: done once, answered after they are decided, refused by name.

use serde_json::{Value, json};
use zhiyin_model::role::Role;

use crate::home::Home;

const PHONE: &str = "13912345678";

fn ann() -> Value {
    json!({"namespace": "phone", "value": PHONE})
}

#[tokio::test]
async fn a_command_is_done_once_and_answered_as_often_as_it_is_asked() {
    let home = Home::new().await;
    home.member(PHONE, 500).await;
    let spend = json!({"member": ann(), "amount": 120, "reference": "till-7"});
    let first = home.command("points/spend", "s1", spend.clone()).await.json();
    assert_eq!((first["points"]["shown"].as_i64(), first["again"].as_bool()), (Some(380), Some(false)));
    for _ in 0..2 {
        let again = home.command("points/spend", "s1", spend.clone()).await.json();
        assert_eq!(again["transfers"], first["transfers"]);
        assert_eq!((again["points"]["shown"].as_i64(), again["again"].as_bool()), (Some(380), Some(true)));
    }
    // However the same person is written, it is the same request only if it says the same.
    let other = home.command("points/spend", "s1", json!({"member": ann(), "amount": 121})).await;
    assert_eq!((other.status, other.code().as_str()), (409, "idempotency_key_reused"));
    // Another key's words are its own.
    let till = home.key(Role::Cashier, Some("330"), None).await;
    let theirs = home.command_as(&till, "points/spend", "s1", spend).await.json();
    assert_eq!((theirs["points"]["shown"].as_i64(), theirs["again"].as_bool()), (Some(260), Some(false)));
    home.end().await;
}

#[tokio::test]
async fn what_comes_at_once_under_one_key_is_done_once() {
    let home = Home::new().await;
    home.member(PHONE, 500).await;
    let spend = json!({"member": ann(), "amount": 100});
    let all = (0..8).map(|_| home.command("points/spend", "same", spend.clone()));
    let answers = futures_util::future::join_all(all).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{:?}", answers.first());
    let first = answers[0].json()["transfers"].clone();
    assert!(answers.iter().all(|answer| answer.json()["transfers"] == first));
    assert_eq!(answers.iter().filter(|answer| answer.json()["again"] == false).count(), 1);
    let left =
        home.as_key(&home.owner, "POST", "/v1/commands/members/lookup", &json!({"member": ann()})).await;
    assert_eq!(left.json()["points"]["shown"], 400);
    home.end().await;
}

#[tokio::test]
async fn a_refusal_stays_one_and_is_never_tried_again() {
    let home = Home::new().await;
    home.member(PHONE, 100).await;
    let spend = json!({"member": ann(), "amount": 150});
    let refused = home.command("points/spend", "s1", spend.clone()).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "insufficient_points"));
    assert_eq!(refused.json()["field"], "amount");
    let give = json!({"member": ann(), "amount": 100, "reason": "found"});
    assert_eq!(home.command("points/adjust", "a1", give).await.status, 200);
    // The till was told no: that stays so, whoever puts dead letters back.
    let letters = home.engine.store().dead_letters(10).await.unwrap();
    let seqs = letters.iter().map(|letter| letter.seq).collect();
    assert_eq!((letters.len(), home.engine.retry(seqs).await.unwrap()), (1, 0));
    assert_eq!(home.command("points/spend", "s1", spend).await.code(), "insufficient_points");
    home.end().await;
}

#[tokio::test]
async fn points_are_held_posted_voided_returned() {
    let home = Home::new().await;
    home.member(PHONE, 500).await;
    let held = |n: &'static str| {
        home.command("points/spend", n, json!({"member": ann(), "amount": 100, "hold": true}))
    };
    let (one, two) = (held("h1").await.json(), held("h2").await.json());
    assert_eq!(two["points"]["shown"], 300);
    let booked = |done: &Value, kind: &str| {
        let all = done["transfers"].as_array().unwrap();
        all.iter().find(|transfer| transfer["kind"] == kind).unwrap()["id"].clone()
    };
    let hold = |done: &Value| booked(done, "hold");
    let posted = json!({"member": ann(), "hold_id": hold(&one), "amount": 60});
    let posted = home.command("points/post", "p1", posted).await;
    assert_eq!(posted.status, 200, "{}", posted.text());
    let spend = booked(&posted.json(), "spend");
    assert_eq!(posted.json()["points"]["shown"], 340);
    let voided = home.command("points/void", "v1", json!({"member": ann(), "hold_id": hold(&two)})).await;
    assert_eq!(voided.json()["points"]["shown"], 440, "{}", voided.text());
    let again = home.command("points/void", "v2", json!({"member": ann(), "hold_id": hold(&two)})).await;
    assert_eq!(again.code(), "hold_closed");
    let back =
        home.command("points/return", "r1", json!({"member": ann(), "spend_id": spend, "amount": 20})).await;
    assert_eq!(back.json()["points"]["shown"], 460, "{}", back.text());
    let beyond =
        home.command("points/return", "r2", json!({"member": ann(), "spend_id": spend, "amount": 41})).await;
    assert_eq!(beyond.code(), "return_exceeds_spend");
    home.end().await;
}

/// O5: what is worth much is decided by two.
#[tokio::test]
async fn o5_a_large_adjustment_waits_for_a_second_person() {
    let home = Home::new().await;
    home.member(PHONE, 0).await;
    let asks = home.key(Role::StoreManager, Some("330"), Some("ann")).await;
    let answers = home.key(Role::StoreManager, Some("330"), Some("bob")).await;
    let elsewhere = home.key(Role::StoreManager, Some("331"), Some("eve")).await;
    let large = json!({"member": ann(), "amount": 1001, "reason": "a lost card"});
    let asked = home.command_as(&asks, "points/adjust", "a1", large.clone()).await;
    assert_eq!((asked.status, asked.code().as_str()), (202, "approval_asked"));
    let no = asked.json()["approval"].as_i64().unwrap();
    let again = home.command_as(&asks, "points/adjust", "a1", large).await;
    assert_eq!(again.json()["approval"], no, "asked again it is the same request");
    let answer = |key: String, act: &'static str| {
        let home = &home;
        async move { home.as_key(&key, "POST", &format!("/v1/approvals/{no}/{act}"), &Value::Null).await }
    };
    assert_eq!(answer(asks, "approve").await.code(), "approval_own");
    assert_eq!(answer(elsewhere, "approve").await.code(), "member_unknown");
    assert_eq!(answer(home.owner.clone(), "approve").await.code(), "approval_no_person");
    let done = answer(answers.clone(), "approve").await;
    assert_eq!((done.status, done.json()["points"]["shown"].as_i64()), (200, Some(1001)), "{}", done.text());
    let done = answer(answers.clone(), "approve").await.json();
    assert_eq!((done["points"]["shown"].as_i64(), done["again"].as_bool()), (Some(1001), Some(true)));
    assert_eq!(answer(answers, "refuse").await.code(), "approval_answered");
    home.end().await;
}

#[tokio::test]
async fn members_are_enrolled_updated_and_tagged() {
    let home = Home::new().await;
    let id = home.member(PHONE, 0).await;
    let card = json!({"namespace": "card", "value": "6001000234"});
    let update =
        json!({"member": {"id": id}, "attributes": {"city": "上海", "name": null}, "identifiers": [card]});
    let done = home.command("members/update", "u1", update).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let brief = home
        .as_key(&home.owner, "POST", "/v1/commands/members/lookup", &json!({"member": card}))
        .await
        .json();
    assert_eq!((brief["id"].as_str(), brief["name"].as_str()), (Some(id.as_str()), None));
    // Enrolled again by any of their names they are who they were.
    let again = json!({"identifiers": [card]});
    assert_eq!(home.command("members/enrol", "e2", again).await.json()["member"], id.as_str());
    // Names of two people are nobody's to give.
    let other = home.member("13912345679", 0).await;
    assert_ne!(other, id);
    let both = json!({"identifiers": [card, {"namespace": "phone", "value": "13912345679"}]});
    assert_eq!(home.command("members/enrol", "e3", both).await.code(), "several_members");
    let theirs =
        json!({"member": {"id": id}, "identifiers": [{"namespace": "phone", "value": "13912345679"}]});
    assert_eq!(home.command("members/update", "u2", theirs).await.code(), "several_members");
    let rows = [("no-such", true, "tag_unknown"), ("no-such", false, "tag_not_held")];
    for (tag, on, code) in rows {
        let put = json!({"member": ann(), "tag": tag, "on": on});
        assert_eq!(home.command("members/tag", &format!("{tag}-{on}"), put).await.code(), code);
    }
    home.end().await;
}

#[tokio::test]
async fn members_are_merged_and_unmerged() {
    let home = Home::new().await;
    let ann_id = home.member(PHONE, 100).await;
    home.member("13912345679", 50).await;
    let bob = json!({"namespace": "phone", "value": "13912345679"});
    let merge = json!({"members": [{"id": ann_id}, bob], "reason": "one person"});
    let done = home.command("members/merge", "m1", merge.clone()).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(
        (done.json()["member"].as_str(), done.json()["points"]["shown"].as_i64()),
        (Some(ann_id.as_str()), Some(150))
    );
    assert_eq!(home.command("members/merge", "m1", merge.clone()).await.json()["again"], true);
    assert_eq!(home.command("members/merge", "m2", merge).await.code(), "merged_already");
    let parts = json!({"identifiers": [bob], "reason": "two after all"});
    let preview = home
        .as_key(&home.owner, "POST", "/v1/commands/members/unmerge/preview", &json!({"identifiers": [bob]}))
        .await;
    assert_eq!(
        (preview.json()["stays"]["points"].as_i64(), preview.json()["leaves"]["points"].as_i64()),
        (Some(100), Some(50))
    );
    let done = home.command("members/unmerge", "p1", parts.clone()).await;
    assert_eq!(done.json()["points"]["shown"], 100, "{}", done.text());
    assert_eq!(home.command("members/unmerge", "p1", parts).await.json()["again"], true);
    let left =
        home.as_key(&home.owner, "POST", "/v1/commands/members/lookup", &json!({"member": bob})).await.json();
    assert_eq!(left["points"]["shown"], 50);
    home.end().await;
}

/// Durably taken and not decided yet, it says so, and is decided once there is somebody who decides.
#[tokio::test]
async fn what_nobody_decides_yet_is_told_apart_from_what_failed() {
    let home = Home::with(5_000, false).await;
    let body = json!({"identifiers": [ann()]});
    let waits = home.command("members/enrol", "e1", body.clone()).await;
    assert_eq!((waits.status, waits.code().as_str()), (202, "still_deciding"));
    assert_eq!(waits.header("retry-after"), Some("1"));
    home.engine.drain(64, None, |_| ()).await.unwrap();
    let done = home.command("members/enrol", "e1", body).await;
    assert_eq!((done.status, done.json()["again"].as_bool()), (200, Some(true)), "{}", done.text());
    home.end().await;
}

#[tokio::test]
async fn a_key_is_answered_so_often_a_second() {
    let home = Home::with(1, true).await;
    let all = (0..4).map(|_| home.as_key(&home.owner, "GET", "/v1/keys", &Value::Null));
    let answers = futures_util::future::join_all(all).await;
    let limited: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(!limited.is_empty() && limited.len() < 4);
    assert!(limited.iter().all(|answer| answer.header("retry-after").is_some_and(|after| after != "0")));
    home.end().await;
}
