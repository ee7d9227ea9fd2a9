//! Many at once: what one asks for is not given twice, and what all send is taken once.

use std::sync::Arc;

use zhiyin_engine::Engine;
use zhiyin_engine::accept::{Verdict, latest, prepare};
use zhiyin_model::time::Ts;

use crate::home::{Home, KEY, TILL, at, source};
use crate::items::{order, spend};
use crate::playbooks::SHIPPED;

const NOON: &str = "2017-03-01T04:00:00Z";
const LATER: &str = "2017-03-02T04:00:00Z";

/// Sends one item as a client of its own, while the engine is at work.
async fn send(engine: Arc<Engine>, item: serde_json::Value, now: Ts) -> Verdict {
    let source = source(TILL, false);
    let prepared = prepare(&KEY, &source, item.to_string().as_bytes(), Some(now), latest(now));
    engine.take(&source, vec![prepared], now, None).await.unwrap().remove(0)
}

/// Lets clients send while the engine decides, until all is decided; their verdicts.
async fn crowd(home: &Home, items: Vec<serde_json::Value>) -> Vec<Verdict> {
    let engine = Arc::new(home.second_engine().await);
    let stop = Arc::new(tokio::sync::Notify::new());
    let at_work = tokio::spawn({
        let (engine, stop) = (Arc::clone(&engine), Arc::clone(&stop));
        async move { engine.run(16, stop.notified()).await }
    });
    let clients: Vec<_> =
        items.into_iter().map(|item| tokio::spawn(send(Arc::clone(&engine), item, at(LATER)))).collect();
    let mut verdicts = Vec::new();
    for client in clients {
        verdicts.push(client.await.unwrap());
    }
    // Waits until nothing does any more, whoever decides it.
    home.engine().drain(16, Some(Ts::MIN), |_| ()).await.unwrap();
    stop.notify_one();
    at_work.await.unwrap().unwrap();
    verdicts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_spend_the_last_hundred_points_and_no_more() {
    for each in [3, 10, 100] {
        let home = Home::new(SHIPPED).await;
        home.live_through(&[order("o1", "ann", "1", NOON, "100")]).await;
        home.now_is(at(LATER)).await;
        assert_eq!(home.points("ann").await.active, 100);
        let spends = (0..64).map(|n| spend(&format!("s{n}"), "ann", LATER, each)).collect();
        let verdicts = crowd(&home, spends).await;
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "{verdicts:?}");
        let got = (100 / each) as usize;
        let points = home.points("ann").await;
        assert_eq!((points.active, points.debt), (100 - got as i64 * each, 0), "{each} each");
        let refused = home.refusals().await;
        assert_eq!(refused.len(), 64 - got);
        assert!(refused.iter().all(|told| told.contains("insufficient_points")), "{refused:?}");
        home.healthy().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ten_clients_send_ten_times_is_taken_once() {
    let home = Home::new(SHIPPED).await;
    home.now_is(at(LATER)).await;
    let same = (0..100).map(|_| order("o1", "ann", "1", NOON, "100")).collect();
    let verdicts = crowd(&home, same).await;
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Accepted).count(), 1);
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Duplicate).count(), 99);
    assert_eq!(home.member("ann").await.orders, (1, 10_000));
    assert_eq!(home.points("ann").await.active, 100);
    home.healthy().await;
}
