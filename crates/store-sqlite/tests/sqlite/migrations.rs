//! Migrations: run once, never edited, never run backwards, and never twice at the same time.

use rusqlite::Connection;
use zhiyin_model::id::IdKey;
use zhiyin_store::StoreError;
use zhiyin_store::conformance::KEY;
use zhiyin_store_sqlite::{SqliteStore, id_key_of};

use crate::folder::Folder;

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
