//! Homes that move from one layout to another: what one says the other takes, and it is the same home.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use zhiyin_model::event::Refusal;
use zhiyin_model::id::IdKey;
use zhiyin_store::conformance::life::{self, Life, at, lived};
use zhiyin_store::conformance::{self, KEY};
use zhiyin_store::dump::{Rows, TABLES, Value, table};
use zhiyin_store::flush::{Dead, Flush};
use zhiyin_store::{Store, StoreError};

use crate::homes::Homes;

/// What a home with many lives says of itself, whatever keeps it. A file says the same of the same lives. It is another once the terms of
/// orders say more than they did, as by `version`: what is compared is of one release.
const DIGEST: &str = "d666688f9689c099aec14f64472cf9cd9115ac7fc5d3415e186ff4b6769bab44";

type Said = BTreeMap<&'static str, Vec<Vec<Value>>>;

fn refusal() -> Refusal {
    Refusal { code: "why", field: "where".to_owned(), message: String::new() }
}

/// Lives of which the last still waits, with a dead letter, one that was put back, and something derived for another.
async fn lives(store: &Arc<dyn Store>) {
    for (n, name) in ["ann", "bob", "cid", "dan", "eve"].into_iter().enumerate() {
        let life = Life { key: KEY, name: name.to_owned() };
        lived(store, &life, n + 2).await.unwrap();
    }
    let fay = Life { key: KEY, name: "fay".to_owned() };
    store.append(fay.append()).await.unwrap();
    let turn = life::turn(store).await.unwrap();
    let waiting = store.waiting(&turn, 2).await.unwrap();
    let dead = waiting.iter().map(|row| Dead { seq: row.seq, member: None, refusal: refusal(), at: at(6) });
    let mut fact = fay.fact(1, true);
    fact.root = waiting[0].seq;
    let flush = Flush {
        turn,
        cursor: Some(waiting[1].seq),
        dead: dead.collect(),
        facts: vec![fact],
        ..Flush::default()
    };
    store.flush(flush).await.unwrap();
    assert_eq!(store.retry_dead_letters(vec![waiting[0].seq], at(6)).await.unwrap(), 1);
}

/// All that a home says, and its digest.
async fn said(store: &Arc<dyn Store>) -> (Said, String) {
    let (out, mut rows) = mpsc::channel(2);
    let saying = tokio::spawn({
        let store = Arc::clone(store);
        async move { store.dump(out).await }
    });
    let mut said = Said::new();
    while let Some(Rows { table, rows }) = rows.recv().await {
        said.entry(table.name).or_default().extend(rows);
    }
    (said, saying.await.unwrap().unwrap())
}

/// Tells a home what another said.
async fn told(store: &Arc<dyn Store>, said: &Said) -> zhiyin_store::Result<()> {
    let (out, rows) = mpsc::channel(TABLES.len());
    for table in &TABLES {
        let rows = said.get(table.name).cloned().unwrap_or_default();
        out.send(Rows { table, rows }).await.unwrap();
    }
    drop(out);
    store.fill(rows).await
}

/// Without an order that nobody promised, and without numbers that each layout gives for itself.
fn in_order(said: &Said) -> BTreeMap<&'static str, Vec<String>> {
    let numbered = ["transfer", "allocation", "term", "stage_move", "tag_move", "partner_move"];
    let row = |name: &str, row: &Vec<Value>| format!("{:?}", &row[usize::from(numbered.contains(&name))..]);
    let mut all: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for (name, rows) in said {
        let rows = rows.iter().map(|values| row(name, values));
        all.insert(*name, rows.collect());
        all.entry(*name).or_default().sort();
    }
    all
}

#[tokio::test]
async fn a_home_is_the_same_in_any_layout() {
    let (one, four) = (Homes::new(1), Homes::new(4));
    let first: Arc<dyn Store> = one.open().1;
    lives(&first).await;
    let (all, digest) = said(&first).await;
    assert_eq!(digest, DIGEST, "the digest is the same whatever keeps a home: this one is the file's too");
    assert!(
        TABLES.iter().all(|table| all.contains_key(table.name)),
        "every table is said, though it be empty"
    );
    let mut before = all;
    for homes in [&four, &one, &four] {
        let other = IdKey::from_bytes([9; 32]);
        let next: Arc<dyn Store> = conformance::Homes::fresh(homes, &other);
        told(&next, &before).await.unwrap();
        let checks = next.doctor().await.unwrap();
        assert!(checks.iter().all(|check| check.broken.is_empty()), "{checks:#?}");
        let (after, digest) = said(&next).await;
        assert_eq!((in_order(&after), digest.as_str()), (in_order(&before), DIGEST));
        assert_eq!(next.home().await.unwrap().id_key, KEY, "the key moves with what it made");
        before = after;
        goes_on(&next).await;
    }
}

/// What waited still waits, and is done in its turn; what is accepted now comes after all that was.
async fn goes_on(store: &Arc<dyn Store>) {
    let mut done = 0;
    loop {
        let turn = life::turn(store).await.unwrap();
        let waiting = store.waiting(&turn, 20).await.unwrap();
        if waiting.is_empty() {
            break;
        }
        assert!(
            waiting.iter().all(|row| row.derived),
            "an item of another home's inbox waits beside the cursor"
        );
        done += waiting.len();
        let dead = waiting
            .iter()
            .map(|row| Dead { seq: row.seq, member: None, refusal: refusal(), at: at(6) })
            .collect();
        let drained = waiting.iter().map(|row| row.seq).collect();
        store.flush(Flush { turn, dead, drained, ..Flush::default() }).await.unwrap();
    }
    assert_eq!(done, 6, "one put back, four never looked at, one derived");
    lived(store, &Life { key: KEY, name: "gus".to_owned() }, 3).await.unwrap();
    let checks = store.doctor().await.unwrap();
    assert!(checks.iter().all(|check| check.broken.is_empty()), "{checks:#?}");
}

#[tokio::test]
async fn only_an_empty_home_is_filled_and_by_all_or_nothing() {
    let homes = Homes::new(2);
    let first: Arc<dyn Store> = homes.open().1;
    lives(&first).await;
    let (all, _) = said(&first).await;
    assert!(matches!(told(&first, &all).await, Err(StoreError::Database(_))), "it is in use");

    let second: Arc<dyn Store> = homes.open().1;
    let empty = second.digest().await.unwrap();
    for (name, row) in [
        ("queue", vec![Value::Int(1), Value::Int(1)]),
        ("order_change", [vec![Value::Bytes(vec![7; 16])], vec![Value::Int(1); 4]].concat()),
        ("import", vec![Value::Int(1), Value::Int(1), Value::Int(1)]),
        ("import", vec![Value::Text("short".to_owned())]),
        ("hold", vec![Value::Bytes(vec![1; 15]), Value::Null, Value::Int(0), Value::Int(1), Value::Int(1)]),
        ("hold", [vec![Value::Bytes(vec![1; 16]); 2], vec![Value::Int(70_000); 3]].concat()),
    ] {
        assert!(table(name).is_some(), "{name}");
        let mut damaged = all.clone();
        damaged.entry(table(name).unwrap().name).or_default().push(row);
        assert!(told(&second, &damaged).await.is_err(), "{name}");
        assert_eq!(second.digest().await.unwrap(), empty, "nothing of it was taken");
    }
    told(&second, &all).await.unwrap();
    assert!(second.doctor().await.unwrap().iter().all(|check| check.broken.is_empty()));
}
