//! Migrations: run once, never edited, never run backwards, and never twice at the same time.

use zhiyin_model::id::IdKey;
use zhiyin_store::closing::Close;
use zhiyin_store::conformance::KEY;
use zhiyin_store::conformance::closing::first_month;
use zhiyin_store::{Store, StoreError};
use zhiyin_store_pg::{PgStore, id_key_of};

use crate::homes::{Homes, name, raw};

async fn tables(home: &str) -> Vec<String> {
    let sql = "SELECT table_schema || '.' || table_name || '.' || column_name || ' ' || data_type \
        FROM information_schema.columns WHERE table_schema IN ($1::text, $1::text || '_1') ORDER BY 1";
    raw().await.query(sql, &[&home]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn opening_again_changes_nothing() {
    let homes = Homes::new(2);
    let url = homes.url();
    assert!(id_key_of(&url).await.unwrap().is_none());
    homes.try_open(&url, &KEY).unwrap();
    let before = tables(&name(&url)).await;
    assert!(before.len() > 200, "{}", before.len());
    // A home keeps the key and the layout it was made with.
    let other = url.replace("shards=2", "shards=4").replace("slots=16", "slots=8");
    let store = PgStore::open(&other, &IdKey::from_bytes([9; 32])).await.unwrap();
    assert_eq!(store.home().await.unwrap().slots, 16);
    assert_eq!(tables(&name(&url)).await, before);
    assert_eq!(id_key_of(&url).await.unwrap(), Some(KEY));
}

async fn refused(url: &str) -> (u32, String) {
    match PgStore::open(url, &KEY).await {
        Err(StoreError::Migration { number, message }) => (number, message),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[tokio::test]
async fn a_migration_that_was_edited_is_refused() {
    let homes = Homes::new(1);
    let (url, _) = homes.open();
    let sql = format!("UPDATE {}.migration SET checksum = 'another'", name(&url));
    raw().await.execute(&sql, &[]).await.unwrap();
    let (number, message) = refused(&url).await;
    assert_eq!(number, 1);
    assert!(message.contains("another"), "{message}");
}

#[tokio::test]
async fn a_newer_database_is_refused_unless_it_says_that_this_program_may_go_on() {
    let homes = Homes::new(1);
    let (url, _) = homes.open();
    let home = name(&url);
    let newer = format!("INSERT INTO {home}.migration (number, checksum, oldest) VALUES (999, 'x', 1)");
    raw().await.execute(&newer, &[]).await.unwrap();
    PgStore::open(&url, &KEY).await.unwrap().home().await.unwrap();
    raw()
        .await
        .execute(&format!("UPDATE {home}.migration SET oldest = 998 WHERE number = 999"), &[])
        .await
        .unwrap();
    let (number, message) = refused(&url).await;
    assert_eq!(number, 999);
    assert!(message.contains("newer"), "{message}");
}

/// Migrations that a program of before would have to know.
async fn unknown_before(url: &str) -> Vec<i32> {
    let sql = format!("SELECT number FROM {}.migration WHERE number > 14 AND oldest > 14", name(url));
    raw().await.query(&sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_home_with_closed_months_wants_a_program_that_knows_them() {
    let homes = Homes::new(2);
    let ((url, store), (other, copy)) = (homes.open(), homes.open());
    assert!(unknown_before(&url).await.is_empty());
    assert_eq!(store.closing().close(first_month()).await.unwrap(), Close::Done);
    assert_eq!(unknown_before(&url).await, [15]);
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, filled) = tokio::join!(store.dump(out), copy.fill(rows));
    said.unwrap();
    filled.unwrap();
    assert_eq!(unknown_before(&other).await, [15]);
    // This program opens both.
    for url in [url, other] {
        PgStore::open(&url, &KEY).await.unwrap().home().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_open_a_new_home_at_once() {
    let homes = Homes::new(2);
    let url = homes.url();
    let openers = (1..=4u8).map(|n| {
        let url = url.clone();
        tokio::spawn(async move { PgStore::open(&url, &IdKey::from_bytes([n; 32])).await.map(drop) })
    });
    for opener in openers.collect::<Vec<_>>() {
        opener.await.unwrap().unwrap();
    }
    let key = id_key_of(&url).await.unwrap().unwrap();
    assert!((1..=4).contains(&key.bytes()[0]));
    let store = homes.try_open(&url, &KEY).unwrap();
    assert_eq!(store.home().await.unwrap().id_key, key);
}

#[tokio::test]
async fn what_is_no_server_is_said_so() {
    let Err(StoreError::Unreachable(message)) =
        PgStore::open("postgres://nobody@127.0.0.1:1/none", &KEY).await
    else {
        panic!("it was opened");
    };
    assert!(message.contains("connect"), "{message}");
}
