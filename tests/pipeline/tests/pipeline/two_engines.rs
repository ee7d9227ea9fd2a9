//! Two processes on one file: whoever comes second finds its batch stale and takes the next one; nothing is doubled.

use serde_json::Value;
use zhiyin_engine::Engine;
use zhiyin_model::time::Ts;

use crate::home::{Home, at};
use crate::items::{gift, order, refund, spend};
use crate::playbooks::{SHIPPED, TEN_DAYS};

fn a_busy_day() -> Vec<Value> {
    let mut items = Vec::new();
    for i in 0..120 {
        let (who, to) = (format!("m{}", i % 7), format!("m{}", (i + 3) % 9));
        let when = format!("2017-03-{:02}T{:02}:00:00Z", 1 + i / 5, i % 5);
        let number = format!("n{}", i / 4);
        items.push(match i % 4 {
            0 => order(&format!("e{i}"), &who, &number, &when, "123.45"),
            1 => spend(&format!("e{i}"), &who, &when, 20),
            2 => gift(&format!("e{i}"), &who, &to, &when, 15),
            _ => refund(&format!("e{i}"), &format!("m{}", (i - 3) % 7), &number, &when, "23.45"),
        });
    }
    items
}

async fn drained(engine: &Engine, batch: usize) {
    engine.drain(batch, Some(Ts::MIN), |_| ()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_engines_on_one_file_double_nothing() {
    let alone = Home::new(SHIPPED).await;
    alone.accept(&a_busy_day()).await;
    drained(alone.engine(), 1).await;
    let expected = alone.digest().await;
    for batch in [1, 3, 16] {
        let home = Home::new(SHIPPED).await;
        let other = home.second_engine().await;
        let items = a_busy_day();
        for part in items.chunks(40) {
            home.accept(part).await;
            tokio::join!(drained(home.engine(), batch), drained(&other, batch));
        }
        assert_eq!(home.digest().await, expected, "batches of {batch}");
        assert_eq!(home.dead().await.len(), alone.dead().await.len());
    }
}

#[tokio::test]
async fn an_engine_sees_what_another_wrote_in_between() {
    let home = Home::new(SHIPPED).await;
    let other = home.second_engine().await;
    let alone = Home::new(SHIPPED).await;
    for (i, item) in a_busy_day().into_iter().enumerate() {
        home.accept(std::slice::from_ref(&item)).await;
        drained(if i % 2 == 0 { home.engine() } else { &other }, 4).await;
        alone.accept(&[item]).await;
    }
    alone.settle().await;
    assert_eq!(home.digest().await, alone.digest().await);
}

#[tokio::test]
async fn engines_of_one_process_read_a_version_once_and_another_version_anew() {
    let home = Home::new(SHIPPED).await;
    let (one, two) = (home.engine().live().unwrap(), home.second_engine().await.live().unwrap());
    assert!(std::ptr::eq(&one.playbook, &two.playbook));
    home.apply(TEN_DAYS, at("2017-01-01T00:00:00Z")).await;
    let three = home.second_engine().await.live().unwrap();
    assert!(!std::ptr::eq(&one.playbook, &three.playbook));
    assert_eq!((two.version.version, three.version.version), (1, 2));
    assert_ne!(one.playbook.hash(), three.playbook.hash());
}
