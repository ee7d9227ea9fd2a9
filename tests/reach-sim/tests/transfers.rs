//! Hand-overs, seats, and who somebody is, against the platform simulator.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test that looks for it")]

use serde_json::json;
use zhiyin_engine::clock;
use zhiyin_engine::platforms::TransferAsked;
use zhiyin_model::member::Member;
use zhiyin_model::role::{Grant, Role};
use zhiyin_reach_sim::{On, Setting, Stage, rows};

const PLAYBOOK: &str = "
playbook: brand
extends: variety-store
";

const HOUR_MS: i64 = 3_600_000;

fn asked(name: &str, from: &str, to: &str) -> TransferAsked {
    TransferAsked {
        name: name.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
        ..TransferAsked::default()
    }
}

/// With whom a member is or was in contact, and who ended it.
fn ended(member: &Member) -> Vec<(String, Option<&'static str>)> {
    let contacts = member.personal.contacts.iter();
    contacts
        .map(|(_, account, contact)| (account.to_owned(), contact.ended.map(|(_, by)| by.name())))
        .collect()
}

async fn customers_are_handed_over_and_nobody_is_lost(on: On) {
    let stage = Stage::new(Setting {
        accounts: json!([{"userid": "LiSi", "persona": "小顾问"}]),
        rounds: 3,
        ..Setting::new(on, PLAYBOOK)
    })
    .await;
    for userid in ["LiSi", "WangWu", "SunQi"] {
        stage.act("staff", json!({"userid": userid, "name": userid, "follower": true})).await;
    }
    let mut customers = Vec::new();
    for n in 0..230 {
        let refuses = n == 7;
        let customer = stage.customer(json!({"name": format!("客{n}"), "refuses_transfer": refuses})).await;
        stage.act("add", json!({"userid": "LiSi", "customer": customer})).await;
        customers.push(customer);
    }
    stage.goes_on(5_000).await;

    // Friends are measured, and the fee of those beyond what is free is told.
    let seats = stage.engine.seats("main").await.unwrap();
    let lisi = seats.accounts.iter().find(|one| one.account == "LiSi").unwrap();
    assert_eq!(
        (lisi.friends, lisi.persona.as_deref(), lisi.most),
        (230, Some("小顾问"), Some(5_000)),
        "{seats:?}"
    );
    assert_eq!(
        (seats.contacts, seats.free, seats.fee_a_year, seats.warn),
        (230, Some(2_000), Some(0), false)
    );

    // What cannot be handed over is refused by its field; the same name is the same hand-over.
    let by = Grant::system("test");
    let same = stage.engine.begin_transfer(&by, &asked("x", "LiSi", "lisi")).await.unwrap().unwrap_err();
    assert_eq!((same.code, same.field.as_str()), ("bad_transfer", "to"));
    let begun = stage.engine.begin_transfer(&by, &asked("leave", "LiSi", "WangWu")).await.unwrap().unwrap();
    assert_eq!(begun.state, "listing");
    let nobody = stage.engine.answer_transfer(&by, (None, "leave"), true).await.unwrap().unwrap_err();
    assert_eq!(nobody.code, "transfer_waits_for_nobody");
    let again =
        stage.engine.begin_transfer(&by, &asked("leave", "LiSi", "SunQi")).await.unwrap().unwrap_err();
    assert_eq!(again.code, "transfer_reused");

    // All are asked for in batches, wait a day, and are looked after to the end.
    for _ in 0..4 {
        stage.goes_on(1_000).await;
    }
    let waiting = stage.engine.transfer(None, "leave").await.unwrap().unwrap();
    assert_eq!(
        (waiting.state.as_str(), waiting.customers.get("asked")),
        ("waiting", Some(&230)),
        "{waiting:?}"
    );
    for _ in 0..30 {
        stage.goes_on(HOUR_MS).await;
    }
    let done = stage.engine.transfer(None, "leave").await.unwrap().unwrap();
    assert_eq!(
        (done.state.as_str(), done.customers.get("done"), done.customers.get("kept")),
        ("done", Some(&229), Some(&1)),
        "{done:?}"
    );
    assert_eq!(done.kept_because.get("customer_refused"), Some(&1));
    let member = stage.member("wecom_external", &customers[0]).await.unwrap();
    assert_eq!(ended(&member), [("LiSi".to_owned(), Some("handed_over")), ("WangWu".to_owned(), None)]);
    let kept = stage.member("wecom_external", &customers[7]).await.unwrap();
    assert_eq!(ended(&kept), [("LiSi".to_owned(), None)]);

    // Those of somebody who has left go too, with nobody asked.
    stage.act("staff/leave", json!({"userid": "WangWu"})).await;
    let mut left = asked("left", "WangWu", "SunQi");
    left.has_left = true;
    stage.engine.begin_transfer(&by, &left).await.unwrap().unwrap();
    for _ in 0..30 {
        stage.goes_on(HOUR_MS).await;
    }
    let done = stage.engine.transfer(None, "left").await.unwrap().unwrap();
    assert_eq!((done.state.as_str(), done.customers.get("done")), ("done", Some(&229)), "{done:?}");

    // Who is known elsewhere is asked for once, within the quota, and known again when they come.
    let here = stage.customer(json!({"name": "在", "unionid": "union-a", "openid": "open-a"})).await;
    stage.act("add", json!({"userid": "LiSi", "customer": here})).await;
    let away = stage.customer(json!({"name": "不在", "unionid": "union-b", "openid": "open-b"})).await;
    let wall = clock::wall();
    for _ in 0..3 {
        stage.engine.want_customer("main", ("union-a", "open-a"), wall).await.unwrap();
        stage.engine.want_customer("main", ("union-b", "open-b"), wall).await.unwrap();
        stage.goes_on(2_000).await;
    }
    assert!(stage.member("unionid", "union-a").await.is_some());
    let asked_for = stage.truth("traffic").await.to_string();
    assert!(asked_for.contains("idconvert/unionid_to_external_userid"), "{asked_for}");
    stage.act("add", json!({"userid": "SunQi", "customer": away})).await;
    stage.goes_on(5_000).await;
    let known = stage.member("unionid", "union-b").await.unwrap();
    let came = stage.member("wecom_external", &away).await.unwrap();
    assert_eq!(known.id, came.id);
    stage.ends().await;
}

/// A store manager of the brand's.
fn person(who: &str) -> Grant {
    Grant { who: format!("person:{who}"), role: Role::Owner, place: None, staff: None, scopes: None }
}

/// All of somebody's customers and groups are handed over once a second person says so, and none where they say no.
async fn o5_all_of_them_and_their_groups_go_once_a_second_person_says_so(on: On) {
    let stage = Stage::new(Setting { rounds: 3, ..Setting::new(on, PLAYBOOK) }).await;
    for userid in ["LiSi", "WangWu"] {
        stage.act("staff", json!({"userid": userid, "name": userid, "follower": true})).await;
    }
    let customer = stage.customer(json!({"name": "客"})).await;
    stage.act("add", json!({"userid": "LiSi", "customer": customer})).await;
    for (chat, owner) in [("wrA", "LiSi"), ("wrB", "LiSi"), ("wrC", "WangWu")] {
        stage.act("chats", json!({"name": chat, "owner": owner, "chat_id": chat})).await;
    }
    stage.goes_on(5_000).await;

    let (ann, bob) = (person("ann"), person("bob"));
    let mut all = asked("all", "LiSi", "WangWu");
    all.groups = true;
    let begun = stage.engine.begin_transfer(&ann, &all).await.unwrap().unwrap();
    assert_eq!((begun.state.as_str(), begun.asked_by.as_str()), ("approval", "person:ann"));
    let same = stage.engine.begin_transfer(&ann, &all).await.unwrap().unwrap();
    assert_eq!(same.approval, begun.approval, "the same asked for again is the same request");
    stage.goes_on(HOUR_MS).await;
    assert_eq!(stage.engine.transfer(None, "all").await.unwrap().unwrap().state, "approval");
    let engine = &stage.engine;
    let own = engine.answer_transfer(&ann, (None, "all"), true).await.unwrap_err();
    assert!(own.to_string().contains("your own"), "nobody says yes to what they asked for: {own}");
    let unknown = engine.answer_transfer(&bob, (None, "none"), true).await.unwrap().unwrap_err();
    assert_eq!(unknown.code, "transfer_unknown");
    engine.answer_transfer(&bob, (None, "all"), true).await.unwrap().unwrap();
    assert!(engine.answer_transfer(&bob, (None, "all"), false).await.is_err(), "it is answered once");
    for _ in 0..30 {
        stage.goes_on(HOUR_MS).await;
    }
    let done = stage.engine.transfer(None, "all").await.unwrap().unwrap();
    assert_eq!(
        (done.state.as_str(), done.groups, done.customers.get("done")),
        ("done", 2, Some(&1)),
        "{done:?}"
    );
    assert!(done.groups_kept.is_empty(), "{done:?}");
    for chat in rows(&stage.truth("chats").await) {
        assert_eq!(chat["owner"], "WangWu", "{chat}");
    }

    // Somebody says no, and all stays as it is.
    let begun = stage.engine.begin_transfer(&ann, &asked("back", "WangWu", "LiSi")).await.unwrap().unwrap();
    assert!(begun.approval.is_some());
    stage.engine.answer_transfer(&bob, (None, "back"), false).await.unwrap().unwrap();
    stage.goes_on(HOUR_MS).await;
    let refused = stage.engine.transfer(None, "back").await.unwrap().unwrap();
    assert_eq!((refused.state.as_str(), refused.customers.len()), ("refused", 0), "{refused:?}");
    stage.ends().await;
}

/// Of more who are asked for than an hour has room for, the others wait for the next hours, and none is lost.
async fn who_is_asked_for_beyond_the_quota_waits_for_the_next_window(on: On) {
    let two = json!([{"subject": "unionid.converted", "number": 2, "window": "hour", "from": "2026-01-01", "source": "a test"}]);
    let stage = Stage::new(Setting { limits: two, rounds: 3, ..Setting::new(on, PLAYBOOK) }).await;
    stage.act("staff", json!({"userid": "LiSi", "name": "李四", "follower": true})).await;
    // They are customers, and nothing of it was ever told: only who asks learns who they are.
    stage.act("faults", json!({"callback_lost": 1_000})).await;
    let wall = clock::wall();
    for n in 0..5 {
        let customer =
            json!({"name": format!("客{n}"), "unionid": format!("u{n}"), "openid": format!("o{n}")});
        let customer = stage.customer(customer).await;
        stage.act("add", json!({"userid": "LiSi", "customer": customer})).await;
        stage.engine.want_customer("main", (&format!("u{n}"), &format!("o{n}")), wall).await.unwrap();
    }
    let asked = async || {
        let calls = stage.truth("traffic").await["calls"]["counts"].clone();
        let of = rows(&calls).filter(|one| one["api"] == "idconvert/unionid_to_external_userid");
        of.filter_map(|one| one["n"].as_i64()).sum::<i64>()
    };
    for hour in 1..=3 {
        for _ in 0..11 {
            stage.goes_on(5 * 60_000).await;
        }
        assert_eq!(asked().await, (2 * hour).min(5), "{on:?}, hour {hour}: {}", stage.truth("traffic").await);
        stage.goes_on(5 * 60_000).await;
    }
    stage.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_for_beyond_the_quota_waits_for_the_next_window_on_both_stores() {
    who_is_asked_for_beyond_the_quota_waits_for_the_next_window(On::Sqlite).await;
    who_is_asked_for_beyond_the_quota_waits_for_the_next_window(On::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn o5_all_of_them_and_their_groups_go_once_a_second_person_says_so_on_both_stores() {
    o5_all_of_them_and_their_groups_go_once_a_second_person_says_so(On::Sqlite).await;
    o5_all_of_them_and_their_groups_go_once_a_second_person_says_so(On::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_handed_over_and_nobody_is_lost_on_both_stores() {
    customers_are_handed_over_and_nobody_is_lost(On::Sqlite).await;
    customers_are_handed_over_and_nobody_is_lost(On::Postgres).await;
}
