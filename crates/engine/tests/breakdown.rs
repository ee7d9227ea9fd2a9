//! A decision that breaks down (a defect of ours) costs its event, not the batch and not the home.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test that sets it up")]

use std::sync::Arc;

use zhiyin_decide::outcome::{Known, Outcome, Stop};
use zhiyin_decide::rules::Rules;
use zhiyin_decide::state::State;
use zhiyin_decide::{Cause, decide};
use zhiyin_engine::accept::Source;
use zhiyin_engine::{Decider, Engine, playbooks};
use zhiyin_model::event::Event;
use zhiyin_model::id::IdKey;
use zhiyin_store_sqlite::SqliteStore;

/// Decides as always, but breaks down in the middle of an event of this name, with half of it done.
fn brittle(
    rules: &Rules,
    key: &IdKey,
    state: &mut State,
    known: &Known,
    event: &Event,
    cause: Cause<'_>,
) -> Result<Outcome, Stop> {
    let outcome = decide(rules, key, state, known, event, cause)?;
    assert_ne!(event.name, "Boom", "planted");
    Ok(outcome)
}

fn item(name: &str, id: u32) -> Vec<u8> {
    format!(
        r#"{{"type":"track","event":"{name}","userId":"7","messageId":"{name}-{id}","timestamp":"2026-01-0{id}T10:00:00Z",
            "traits":{{"city":"{name}"}},"properties":{{"order_id":"{id}","total":"40.50","store_id":"s{id}"}}}}"#
    )
    .into_bytes()
}

/// Goes with its home.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

async fn home(name: &str, decider: Decider, items: &[Vec<u8>], batch: usize) -> (Engine, String, Folder) {
    let folder = std::env::temp_dir().join(format!("zhiyin-breakdown-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("home.db");
    let store = SqliteStore::open(&path, &IdKey::from_bytes([1; 32])).unwrap();
    let engine = Engine::open_with(Arc::new(store), 1, decider).await.unwrap();
    let (playbook, _) = playbooks::read_shipped("variety-store").unwrap().unwrap();
    engine.apply_at(&playbook, zhiyin_model::time::Ts::parse("2025-01-01T00:00:00Z")).await.unwrap();
    let source =
        Source { name: "till".into(), user_namespace: "user".into(), replay: true, ties: Default::default() };
    engine.accept(&source, items, None).await.unwrap();
    let until = zhiyin_model::time::Ts::parse("2026-02-01T00:00:00Z");
    engine.drain(batch, until, |_| ()).await.unwrap();
    let digest = engine.store().digest().await.unwrap();
    (engine, digest, Folder(folder))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_decision_breaks_down_is_a_dead_letter_and_leaves_no_trace() {
    let order = "Order Completed";
    let with = [item(order, 1), item("Boom", 2), item(order, 3), item("Boom", 4), item(order, 5)];
    let without = [item(order, 1), item(order, 3), item(order, 5)];
    let (_, expected, _folder) = home("without", decide, &without, 64).await;
    for batch in [1, 2, 64] {
        let (engine, digest, _folder) = home(&format!("with-{batch}"), brittle, &with, batch).await;
        assert_eq!(digest, expected, "batches of {batch}");
        let letters = engine.store().dead_letters(10).await.unwrap();
        let codes: Vec<_> =
            letters.iter().map(|letter| (letter.name.as_str(), letter.code.as_str())).collect();
        assert_eq!(codes, [("Boom", "decision_broke"), ("Boom", "decision_broke")]);
        assert!(engine.store().doctor().await.unwrap().iter().all(|check| check.broken.is_empty()));
        let text = engine.metrics().await;
        let counted = [
            "zhiyin_decisions_broken_total 2",
            "zhiyin_refusals_total{by=\"decision\",code=\"decision_broke\"} 2",
            "zhiyin_events_decided_total 5",
        ];
        assert!(counted.iter().all(|line| text.lines().any(|said| said == *line)), "{text}");
    }
}
