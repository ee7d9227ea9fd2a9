//! Whose time it is.

use std::sync::Arc;

use serde_json::{Value, json};
use zhiyin_platform_sim::{Options, START_MS, start};

use crate::stage::Stage;

async fn now(stage: &Stage) -> Value {
    stage.get("/sim/clock").await["now_ms"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_steps_time_moves_only_when_told() {
    let stage = Stage::new(1).await;
    assert_eq!(now(&stage).await, START_MS);
    stage.advance(90_000).await;
    assert_eq!(now(&stage).await, START_MS + 90_000);
    let (status, _) = stage.send("POST", "/sim/clock/advance", "{\"ms\": -1}".into()).await.unwrap();
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_its_own_time_jumps_to_what_is_due_once_everybody_waits() {
    let stage = Stage::new(1).await;
    stage.act("idle", json!({"client": "engine", "idle": false})).await;
    stage.act("clock/mode", json!({"mode": "auto", "until_ms": START_MS + 100_000})).await;
    assert_eq!(now(&stage).await, START_MS, "who is at work holds time");
    stage.act("idle", json!({"client": "other"})).await;
    stage.act("idle", json!({"client": "engine", "wake_ms": START_MS + 40_000})).await;
    assert_eq!(now(&stage).await, START_MS + 40_000, "the earliest wake");
    let clock = stage.get("/sim/clock").await;
    assert_eq!(
        (&clock["clients"]["engine"]["idle"], &clock["clients"]["other"]["idle"]),
        (&json!(false), &json!(true))
    );
    stage.act("idle", json!({"client": "engine", "wake_ms": START_MS + 500_000})).await;
    assert_eq!(now(&stage).await, START_MS + 100_000, "not further than it may");
    assert_eq!(stage.get("/sim/clock").await["done"], true);
    stage.act("idle/forget", json!({"client": "engine"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_the_idle_do_not_know_of_holds_time() {
    let stage = Stage::new(1).await;
    let epoch = stage.act("idle", json!({"client": "engine", "idle": false})).await["epoch"].clone();
    stage.act("clock/mode", json!({"mode": "auto"})).await;
    stage.staff("he").await;
    stage.until_came(1).await;
    let stale =
        stage.act("idle", json!({"client": "engine", "wake_ms": START_MS + 1_000, "epoch": epoch})).await;
    assert_eq!(stale["idle"], false);
    assert_eq!(now(&stage).await, START_MS);
    let mut told = stale;
    while now(&stage).await != START_MS + 1_000 {
        let wake_ms = START_MS + 1_000;
        let body =
            json!({"client": "engine", "wake_ms": wake_ms, "epoch": told["epoch"], "wait_real_ms": 30_000});
        told = stage.act("idle", body).await;
    }
}

/// A client as small as one can be that does it right: greets within the code's life and trusts 41051 after a lost reply.
#[tokio::test(flavor = "multi_thread")]
async fn an_hour_of_faults_can_be_lived_through() {
    let stage = Stage::new(9).await;
    stage.staff("he").await;
    let way = json!({"type": 1, "scene": 2, "user": ["he"], "state": "door"});
    let config_id = stage.done("externalcontact/add_contact_way", way).await["config_id"].clone();
    let phones =
        stage.act("customers", json!({"n": 100})).await["external_userids"].as_array().unwrap().clone();
    let faults = json!({
        "callback_lost": 100, "callback_doubled": 100, "callback_reordered": 100, "callback_delayed": 50,
        "call_fails_before": 50, "call_reply_lost": 50, "call_times_out": 20, "call_server_error": 40, "call_busy": 40,
        "timeout_real_ms": 1, "apis": ["externalcontact/send_welcome_msg"],
    });
    stage.act("faults", faults).await;
    let until_ms = START_MS + 3_600_000;
    stage.act("idle", json!({"client": "people", "idle": false})).await;
    stage.act("clock/mode", json!({"mode": "auto", "until_ms": until_ms})).await;
    let mut told = stage.get("/sim/clock").await;
    let mut phones = phones.iter();
    let mut next_ms = START_MS;
    let mut greeted = std::collections::BTreeSet::new();
    while told["done"] != true {
        for xml in stage.events() {
            let code = crate::stage::field(&xml, "WelcomeCode").to_owned();
            if !code.is_empty() && greeted.insert(code.clone()) {
                greet(&stage, &code).await;
            }
        }
        if told["now_ms"].as_i64().unwrap() >= next_ms {
            if let Some(phone) = phones.next() {
                stage.act("scan", json!({"customer": phone, "config_id": config_id})).await;
            }
            next_ms += 35_000;
        }
        let body =
            json!({"client": "people", "wake_ms": next_ms, "epoch": told["epoch"], "wait_real_ms": 30_000});
        told = stage.act("idle", body).await;
    }
    let mut n_sent = 0;
    for row in stage.truth("welcomes").await.as_array().unwrap() {
        let expires_ms = row["expires_ms"].as_i64().unwrap();
        let in_time = row["arrived_ms"].as_i64().is_some_and(|arrived_ms| arrived_ms + 5_000 <= expires_ms);
        assert!(!in_time || row["sent_ms"].is_i64(), "{row}");
        n_sent += usize::from(row["sent_ms"].is_i64());
    }
    assert!((80..=95).contains(&n_sent), "{n_sent}: about a tenth was lost");
    let phones = stage.truth("phones").await;
    assert!(phones.as_array().unwrap().iter().all(|phone| phone["n_received"].as_i64().unwrap() <= 1));
}

/// Once sent, or too late, it is over; anything else is tried again.
async fn greet(stage: &Stage, code: &str) {
    loop {
        let token = stage.token_of("s").await;
        let path = format!("/cgi-bin/externalcontact/send_welcome_msg?access_token={token}");
        let body = json!({"welcome_code": code, "text": {"content": "你好"}}).to_string();
        match stage.send("POST", &path, body.into()).await {
            Some((200, told)) if matches!(told["errcode"].as_i64(), Some(0 | 41050 | 41051)) => return,
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_told_when_to_look_again() {
    let stage = Arc::new(Stage::new(1).await);
    stage.act("clock/mode", json!({"mode": "auto"})).await;
    stage.act("idle", json!({"client": "other", "idle": false})).await;
    let waiting = {
        let stage = Arc::clone(&stage);
        let body = json!({"client": "engine", "wake_ms": START_MS + 7_000, "wait_real_ms": 30_000});
        tokio::spawn(async move { stage.act("idle", body).await })
    };
    while stage.get("/sim/clock").await["clients"]["engine"].is_null() {
        tokio::task::yield_now().await;
    }
    stage.act("idle", json!({"client": "other"})).await;
    let woken = waiting.await.unwrap();
    assert_eq!((&woken["idle"], &woken["now_ms"]), (&json!(false), &json!(START_MS + 7_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn real_time_goes_with_the_wall() {
    let stage = Stage::new(1).await;
    stage.act("clock/mode", json!({"mode": "real", "speed": 10_000})).await;
    while now(&stage).await.as_i64().unwrap() < START_MS + 60_000 {
        tokio::task::yield_now().await;
    }
    let (status, _) = stage.send("POST", "/sim/clock/advance", "{\"ms\": 1}".into()).await.unwrap();
    assert_eq!(status, 400, "nobody advances it");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_lies_in_a_file_of_eight_bytes() {
    let path = std::env::temp_dir().join(format!("platform-sim-clock-{}", std::process::id()));
    let options = Options { clock_file: Some(path.clone()), start_ms: 5_000_000_000, ..Options::default() };
    let running = start(options).await.unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    drop(running);
    assert_eq!(bytes, 5_000_000_000_i64.to_le_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_a_small_world_are_there() {
    let stage = Stage::new(1).await;
    let (status, _) = stage.send("GET", "/", "".into()).await.unwrap();
    assert_eq!(status, 200);
    let demo = stage.act("demo", json!({})).await;
    let phone = &demo["external_userids"][0];
    stage.act("scan", json!({"customer": phone, "config_id": demo["contact_way"]})).await;
    stage.act("scan-group", json!({"customer": phone, "config_id": demo["join_way"]})).await;
    let page = stage.get("/sim/page").await;
    let shown = page["phones"].as_array().unwrap().iter().find(|row| row["id"] == *phone).unwrap();
    assert_eq!((shown["staff"].as_array().unwrap().len(), shown["chats"].as_array().unwrap().len()), (1, 1));
    let all = stage.get("/sim/truth").await;
    assert_eq!(all.as_object().unwrap().len(), 20);
}
