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
    let fresh = json!({"client": "engine", "wake_ms": START_MS + 1_000, "epoch": stale["epoch"]});
    stage.act("idle", fresh).await;
    while now(&stage).await != START_MS + 1_000 {
        tokio::task::yield_now().await;
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
    assert_eq!(all.as_object().unwrap().len(), 16);
}
