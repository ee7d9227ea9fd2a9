//! Migrations: run once, never edited, never run backwards, and never twice at the same time.

use std::path::Path;

use rusqlite::Connection;
use zhiyin_model::id::IdKey;
use zhiyin_store::StoreError;
use zhiyin_store::closing::Close;
use zhiyin_store::conformance::KEY;
use zhiyin_store::conformance::closing::first_month;
use zhiyin_store_sqlite::{SqliteStore, id_key_of};

use crate::folder::{Folder, raw};

fn schema(connection: &Connection) -> Vec<String> {
    let mut statement =
        connection.prepare("SELECT name || COALESCE(sql, '') FROM sqlite_master ORDER BY 1").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn opening_again_changes_nothing() {
    let folder = Folder::new();
    assert!(id_key_of(&folder.home()).unwrap().is_none());
    drop(folder.open());
    let before = schema(&folder.raw());
    // A home keeps the key it was made with.
    drop(SqliteStore::open(&folder.home(), &IdKey::from_bytes([9; 32])).unwrap());
    assert_eq!(schema(&folder.raw()), before);
    assert_eq!(id_key_of(&folder.home()).unwrap(), Some(KEY));
    let n: i64 = folder.raw().query_row("SELECT COUNT(*) FROM home", [], |row| row.get(0)).unwrap();
    assert_eq!(n, 1);
}

fn refused(folder: &Folder) -> (u32, String) {
    match SqliteStore::open(&folder.home(), &KEY) {
        Err(StoreError::Migration { number, message }) => (number, message),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[test]
fn a_migration_that_was_edited_is_refused() {
    let folder = Folder::new();
    drop(folder.open());
    folder.raw().execute("UPDATE migration SET checksum = 'another'", []).unwrap();
    let (number, message) = refused(&folder);
    assert_eq!(number, 1);
    assert!(message.contains("another"), "{message}");
}

#[test]
fn a_newer_database_is_refused() {
    let folder = Folder::new();
    drop(folder.open());
    folder.raw().execute("INSERT INTO migration (number, checksum) VALUES (999, 'x')", []).unwrap();
    let (number, message) = refused(&folder);
    assert_eq!(number, 999);
    assert!(message.contains("newer"), "{message}");
}

/// Migrations that a program of before would have to know.
fn unknown_before(path: &Path) -> Vec<i64> {
    let raw = raw(path);
    let mut found = raw.prepare("SELECT number FROM migration WHERE number > 16 AND oldest > 16").unwrap();
    found.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_home_with_closed_months_wants_a_program_that_knows_them() {
    let (folder, other) = (Folder::new(), Folder::new());
    let store = folder.open();
    assert!(unknown_before(&folder.home()).is_empty());
    assert_eq!(store.closing().close(first_month()).await.unwrap(), Close::Done);
    assert_eq!(unknown_before(&folder.home()), [17]);
    let copy = other.open();
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, filled) = tokio::join!(store.dump(out), copy.fill(rows));
    said.unwrap();
    filled.unwrap();
    assert_eq!(unknown_before(&other.home()), [17]);
    // This program opens both.
    folder.open();
    other.open();
}

#[test]
fn many_may_open_a_new_home_at_once() {
    let folder = Folder::new();
    let path = folder.home();
    std::thread::scope(|scope| {
        let openers: Vec<_> = (1..=8u8)
            .map(|n| {
                scope.spawn({
                    let path = &path;
                    move || SqliteStore::open(path, &IdKey::from_bytes([n; 32])).map(drop)
                })
            })
            .collect();
        for opener in openers {
            opener.join().unwrap().unwrap();
        }
    });
    let key = id_key_of(&path).unwrap().unwrap();
    assert!((1..=8).contains(&key.bytes()[0]));
    let n: i64 = folder.raw().query_row("SELECT COUNT(*) FROM migration", [], |row| row.get(0)).unwrap();
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/migrations")).unwrap().count();
    assert_eq!(usize::try_from(n), Ok(files));
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let folder = Folder::new();
    let text = b"a shopping list, and a rather long one: ".repeat(100);
    std::fs::write(folder.home(), &text).unwrap();
    assert!(SqliteStore::open(&folder.home(), &KEY).is_err());
    assert_eq!(std::fs::read(folder.home()).unwrap(), text);
}
