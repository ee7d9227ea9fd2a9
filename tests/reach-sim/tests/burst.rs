//! Three thousand customers add the brand's staff at one moment: each is welcomed while their code is good.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use serde_json::{Value, json};
use zhiyin_engine::clock;
use zhiyin_reach::platform::Way;
use zhiyin_reach_sim::{On, Setting, Stage, WELCOMES};

const CUSTOMERS: usize = 3_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_thousand_who_come_at_one_moment_are_welcomed_within_20_seconds_each() {
    let mut stage = Stage::new(Setting { seed: 3, real: true, ..Setting::new(On::Sqlite, WELCOMES) }).await;
    let staff: Vec<String> = (0..10).map(|n| format!("staff{n}")).collect();
    for userid in &staff {
        stage.act("staff", json!({"userid": userid})).await;
    }
    let made = stage.act("customers", json!({"n": CUSTOMERS, "name": "客"})).await;
    let way = Way { name: "store".to_owned(), note: String::new(), accounts: staff, asks: false };
    let way = stage.all[0].desk.make_way(&way).await.unwrap();
    stage.serves();
    let watch = clock::stopwatch();
    let outcome =
        stage.act("scan", json!({"config_id": way.id, "customers": made["external_userids"]})).await;
    assert_eq!(outcome["outcomes"]["added"], CUSTOMERS, "{outcome}");
    loop {
        let welcomes = stage.truth("welcomes").await;
        let all = welcomes.as_array().unwrap();
        let took = |one: &Value| Some(one["sent_ms"].as_i64()? - one["issued_ms"].as_i64()?);
        let sent: Vec<i64> = all.iter().filter_map(took).collect();
        if sent.len() < CUSTOMERS && watch.elapsed().as_secs() < 30 {
            // The simulator answers later, or when something happens.
            stage.act("idle", json!({"client": "test", "wait_real_ms": 500})).await;
            continue;
        }
        let worst = sent.iter().max().copied().unwrap_or_default();
        println!(
            "{} of {CUSTOMERS} welcomed; the last after {worst} ms, {:?} by the wall",
            sent.len(),
            watch.elapsed()
        );
        assert_eq!(sent.len(), CUSTOMERS);
        assert!(worst < 20_000, "{worst} ms");
        break;
    }
    let traffic = stage.truth("traffic").await;
    assert_eq!(traffic["n_violations"], 0, "{traffic}");
    stage.ends().await;
}
