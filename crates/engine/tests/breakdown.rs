//! A decision that breaks down (a defect of ours) costs its event, not the batch and not the home; a timer that breaks down
//! keeps its member waiting and nobody else.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test that sets it up")]

use std::sync::Arc;

use zhiyin_decide::outcome::{Known, Outcome, Stop};
use zhiyin_decide::rules::Rules;
use zhiyin_decide::state::State;
use zhiyin_decide::{Cause, Scene, decide, fall_due, reach_version};
use zhiyin_engine::accept::Source;
use zhiyin_engine::{Decider, Decisions, Engine, playbooks};
use zhiyin_model::effect::TimerKey;
use zhiyin_model::event::Event;
use zhiyin_model::id::IdKey;
use zhiyin_model::playbook;
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

/// Whether it is the member who is planted to break down.
fn is_planted(state: &State) -> bool {
    format!("{:?}", state.member.attributes).contains("Boom")
}

fn brittle_timer(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    timer: TimerKey,
) -> Result<Outcome, Stop> {
    let outcome = fall_due(scene, state, known, timer)?;
    assert!(!is_planted(state), "planted");
    Ok(outcome)
}

fn brittle_version(scene: &Scene<'_>, state: &mut State) -> Outcome {
    let outcome = reach_version(scene, state);
    assert!(!is_planted(state), "planted");
    outcome
}

/// Goes with its home.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

async fn home(name: &str, decide: Decider, items: &[Vec<u8>], batch: usize) -> (Engine, String, Folder) {
    home_of(name, Decisions { decide, ..Decisions::default() }, items, batch).await
}

async fn reopened(folder: &Folder, decisions: Decisions) -> Engine {
    let store = SqliteStore::open(&folder.0.join("home.db"), &IdKey::from_bytes([1; 32])).unwrap();
    Engine::open_deciding(Arc::new(store), 1, decisions).await.unwrap()
}

async fn home_of(
    name: &str,
    decisions: Decisions,
    items: &[Vec<u8>],
    batch: usize,
) -> (Engine, String, Folder) {
    let folder = std::env::temp_dir().join(format!("zhiyin-breakdown-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let folder = Folder(folder);
    let engine = reopened(&folder, decisions).await;
    let (playbook, _) = playbooks::read_shipped("variety-store").unwrap().unwrap();
    engine.apply_at(&playbook, zhiyin_model::time::Ts::parse("2025-01-01T00:00:00Z")).await.unwrap();
    let source =
        Source { name: "till".into(), user_namespace: "user".into(), replay: true, ties: Default::default() };
    engine.accept(&source, items, None).await.unwrap();
    let until = zhiyin_model::time::Ts::parse("2026-02-01T00:00:00Z");
    engine.drain(batch, until, |_| ()).await.unwrap();
    let digest = engine.store().digest().await.unwrap();
    (engine, digest, folder)
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

/// Items of three, of whom the one in the middle breaks down when a timer of theirs fires.
fn three() -> Vec<Vec<u8>> {
    let of = |name: &str, user: &str, id| {
        let item = String::from_utf8(item("Order Completed", id)).unwrap();
        item.replace("\"userId\":\"7\"", &format!("\"userId\":\"{user}\""))
            .replace("\"city\":\"Order Completed\"", &format!("\"city\":\"{name}\""))
            .into_bytes()
    };
    vec![of("Bath", "6", 1), of("Boom", "7", 2), of("Bath", "8", 3), of("Boom", "7", 4), of("Bath", "6", 5)]
}

async fn broken(engine: &Engine) -> Vec<String> {
    let checks = engine.store().doctor().await.unwrap();
    checks.iter().filter(|check| !check.broken.is_empty()).map(|check| check.invariant.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_breaks_down_keeps_its_member_waiting_and_nobody_else() {
    let later = zhiyin_model::time::Ts::parse("2028-02-01T00:00:00Z");
    let (sound, ..) = {
        let (engine, _, folder) = home("timers-sound", decide, &three(), 64).await;
        engine.drain(64, later, |_| ()).await.unwrap();
        (engine.store().digest().await.unwrap(), folder)
    };
    for batch in [1, 64] {
        let decisions = Decisions { fall_due: brittle_timer, ..Decisions::default() };
        let (engine, _, folder) = home_of(&format!("timers-{batch}"), decisions, &three(), batch).await;
        let step = engine.drain(batch, later, |_| ()).await.unwrap();
        assert!(step.idle);
        assert_eq!(engine.store().dead_letters(10).await.unwrap().len(), 0);
        // It is told once, counted, and found by the doctor; nothing else is wrong.
        let text = engine.metrics().await;
        assert!(text.lines().any(|line| line == "zhiyin_members_stuck_total 1"), "{text}");
        assert_eq!(
            broken(&engine).await,
            ["every member with timers is woken no later than the first of them"]
        );
        drop(engine);
        // A program without the defect goes on a day later, as if nothing had been.
        let engine = reopened(&folder, Decisions::default()).await;
        engine
            .drain(batch, later.map(|later| later.plus_us(zhiyin_model::time::DAY_US)), |_| ())
            .await
            .unwrap();
        assert_eq!(broken(&engine).await, Vec::<String>::new());
        assert_eq!(engine.store().digest().await.unwrap(), sound, "batches of {batch}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_breaks_down_on_one_member_reaches_everybody_else() {
    let decisions = Decisions { reach_version: brittle_version, ..Decisions::default() };
    let (engine, _, _folder) = home_of("version", decisions, &three(), 64).await;
    let source = "playbook: brand\nextends: variety-store\nretention: { Visit: 40d }\n";
    let playbook = playbook::parse("test.yaml", source, &playbook::shipped::load).unwrap();
    let at = zhiyin_model::time::Ts::parse("2026-02-02T00:00:00Z");
    engine.apply_at(&playbook, at).await.unwrap();
    let version = engine.home().await.unwrap().version;
    assert!(engine.store().members_behind(None, version, None, 10).await.unwrap().is_empty());
    let text = engine.metrics().await;
    assert!(text.lines().any(|line| line == "zhiyin_members_stuck_total 1"), "{text}");
    // What comes later is decided.
    let source =
        Source { name: "till".into(), user_namespace: "user".into(), replay: true, ties: Default::default() };
    engine.accept(&source, &[item("Visit", 9)], None).await.unwrap();
    engine.drain(64, at, |_| ()).await.unwrap();
    assert_eq!(engine.store().dead_letters(10).await.unwrap().len(), 0);
}
