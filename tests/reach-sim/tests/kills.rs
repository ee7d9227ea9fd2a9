//! Whoever is killed anywhere in between, or is not alone, loses nothing and says nothing twice.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::collections::BTreeMap;

use serde_json::json;
use zhiyin_engine::arrivals::WELCOME;
use zhiyin_engine::clock;
use zhiyin_engine::platforms::standing::StandingAsked;
use zhiyin_reach::platform::Way;
use zhiyin_reach_sim::same::{are, record};
use zhiyin_reach_sim::{Cut, On, Setting, Stage, WELCOMES, rows, text};

const STAFF: [&str; 3] = ["he", "lin", "shu"];
const CUSTOMERS: usize = 230;
/// How long whoever was killed still has what they took, in milliseconds.
const LENT_MS: i64 = 61_000;

async fn looked_until(stage: &Stage) -> Option<String> {
    let named = ["main".to_owned()];
    let asked = StandingAsked { with_counts: true };
    let mut views = stage.engine.platforms_standing(&named, asked, clock::wall()).await.unwrap();
    assert_eq!(views.len(), 1, "{views:?}");
    views.pop().unwrap().looked_until
}

/// No callback arrives, so everything is learned by looking; the looking is killed after ever more of it.
async fn a_look_that_is_killed_goes_on(on: On) {
    let stage = Stage::new(Setting::new(on, WELCOMES)).await;
    for userid in STAFF {
        stage.act("staff", json!({"userid": userid, "follower": true})).await;
    }
    stage.act("faults", json!({"callback_lost": 1_000})).await;
    let made = stage.act("customers", json!({"n": CUSTOMERS, "name": "客"})).await;
    let customers: Vec<String> = rows(&made["external_userids"]).map(text).collect();
    for (n, customer) in customers.iter().enumerate() {
        stage.act("add", json!({"userid": STAFF[n % 3], "customer": customer})).await;
        if n % 10 == 0 {
            stage.act("add", json!({"userid": STAFF[(n + 1) % 3], "customer": customer})).await;
        }
    }
    for (n, owner) in STAFF.iter().enumerate() {
        let made = stage.act("chats", json!({"name": format!("茶会 {n}"), "owner": owner})).await;
        for customer in customers.iter().skip(n).step_by(40) {
            stage.act("chats/join", json!({"chat_id": made["chat_id"], "who": customer, "scene": 3})).await;
        }
    }
    let mut killed = 0;
    for left in (1..400).step_by(9) {
        let round = stage.engine.round_of_platforms(&stage.all, clock::wall());
        killed += usize::from(Cut::after(left, round).await.is_none());
        stage.act("clock/advance", json!({"ms": LENT_MS})).await;
        stage.engine.drain(512, None, |_| ()).await.unwrap();
    }
    assert!(killed > 10, "killed {killed} times");
    for _ in 0..60 {
        stage.goes_on(LENT_MS).await;
    }
    assert!(looked_until(&stage).await.is_some());
    let (rosters, seats, _) = are(&stage).await;
    let (known_rosters, known_seats, _) = record(&stage, &customers).await;
    assert_eq!(known_rosters, rosters);
    assert_eq!(known_seats, seats);
    // Each was told once, however often it was looked at.
    let members = stage.members("wecom_external", &customers.iter().cloned().collect()).await;
    for (customer, member) in members {
        let past = stage.engine.store().personal().unwrap().timeline(member.id).await.unwrap();
        let n = past.iter().filter(|told| told.name == "Contact Added").count();
        assert_eq!(n, rosters[&customer].len(), "{customer}");
    }
    assert!(stage.engine.store().dead_letters(10).await.unwrap().is_empty());
    println!("{on:?}: killed {killed} times");
    stage.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_at_everything_that_is_killed_anywhere_goes_on_and_ends_with_what_is_so() {
    a_look_that_is_killed_goes_on(On::Sqlite).await;
    a_look_that_is_killed_goes_on(On::Postgres).await;
}

/// Two processes welcome at the same time, and of a third of what they say the answer is lost.
async fn two_processes_welcome_each_once(on: On) {
    let stage = Stage::new(Setting { seed: 5, ..Setting::new(on, WELCOMES) }).await;
    let staff: Vec<String> = STAFF.map(str::to_owned).to_vec();
    for userid in &staff {
        stage.act("staff", json!({"userid": userid, "follower": true})).await;
    }
    let way = Way { name: "store".to_owned(), note: String::new(), accounts: staff, asks: false };
    let way = stage.all[0].desk.make_way(&way).await.unwrap();
    let (other, _, errands) = stage.another().await;
    let made = stage.act("customers", json!({"n": 120, "name": "客"})).await;
    let lost = json!({"call_reply_lost": 330, "apis": ["externalcontact/send_welcome_msg"]});
    stage.act("faults", lost).await;
    stage.act("scan", json!({"config_id": way.id, "customers": made["external_userids"]})).await;
    for _ in 0..14 {
        stage.act("clock/advance", json!({"ms": 1_000})).await;
        let wall = clock::wall();
        let (first, second) = tokio::join!(
            stage.engine.work_on_lane(Some(stage.errands.as_ref()), WELCOME, wall),
            other.work_on_lane(Some(errands.as_ref()), WELCOME, wall),
        );
        let _both = (first.unwrap(), second.unwrap());
    }
    let mut got = BTreeMap::<String, usize>::new();
    for phone in rows(&stage.truth("phones").await) {
        let n = rows(&phone["inbox"]).filter(|one| one.to_string().contains("您好，欢迎您。")).count();
        got.insert(text(&phone["external_userid"]), n);
    }
    assert_eq!(got.len(), 120);
    assert!(got.values().all(|n| *n == 1), "{got:?}");
    stage.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_welcome_each_once_though_answers_are_lost() {
    two_processes_welcome_each_once(On::Sqlite).await;
    two_processes_welcome_each_once(On::Postgres).await;
}
