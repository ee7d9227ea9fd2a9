//! Every statement prepares, and none of the pipeline's looks through a table that grows.

use std::collections::BTreeSet;

use rusqlite::Connection;
use zhiyin_store_sqlite::statements;

use crate::folder::Folder;

fn home(folder: &Folder) -> Connection {
    drop(folder.open());
    folder.raw()
}

#[test]
fn every_statement_prepares() {
    let folder = Folder::new();
    let connection = home(&folder);
    for (name, sql) in statements() {
        if let Err(error) = connection.prepare(sql) {
            panic!("{name}: {error}");
        }
    }
}

#[test]
fn every_statement_is_listed() {
    let listed: BTreeSet<&str> = statements().iter().map(|(name, _)| *name).collect();
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut n = 0;
    for entry in std::fs::read_dir(sources).unwrap() {
        let path = entry.unwrap().path();
        let Some(room) = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()) else { continue };
        if !path.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            let declared = line.strip_prefix("pub(crate) const ").and_then(|rest| rest.split_once(": &str"));
            let Some((constant, _)) = declared else {
                continue;
            };
            let name = format!("{room}::{constant}");
            assert!(listed.contains(name.as_str()), "{name} is not in statements()");
            n += 1;
        }
    }
    assert!(n > 60, "only {n} statements were found");
}

/// Statements that run for each event, member or timer.
const HOT: [&str; 43] = [
    "load::WAITING_QUEUE",
    "load::WAITING_INBOX",
    "load::DUE",
    "load::NEXT_WAKE",
    "load::BY_IDENTIFIER",
    "load::MEMBER",
    "load::ORDER",
    "load::LOTS_OPEN",
    "load::LOTS_EXPIRING",
    "load::LOTS_ACTIVATING",
    "load::LOTS",
    "load::HOLD",
    "load::TERMS",
    "load::TRANSFER",
    "load::ALLOCATIONS",
    "load::UNDONE",
    "load::ORDER_LINES",
    "load::ORDERS_OF",
    "load::EVENTS_OF",
    "load::HOME",
    "load::PLAYBOOK_LIVE",
    "load::IMPORT",
    "write::EVENT_HASH",
    "write::SOURCE",
    "write::CLOCK_OF",
    "write::BATCH",
    "write::CURSOR_ON",
    "write::QUEUE_GONE",
    "write::RETRY_NEW",
    "write::RETRY_ABOUT",
    "write::RETRY_GONE",
    "write::DEAD_GONE",
    "write::MEMBER_PLACE",
    "write::MEMBER_SET",
    "write::MEMBER_WOKEN",
    "write::WAKE_SET",
    "write::LAST_SET",
    "names::SEEN",
    "names::BEARS",
    "names::GIVEN_UP_OF",
    "report::TIMELINE_OF",
    "report::TRANSFERS_OF",
    "report::LOTS_OF",
];

/// What may be looked through: it holds one row, or only what waits, or one member's timeline.
const SMALL: [&str; 10] =
    ["home", "slot", "queue", "retry", "w", "import", "playbook", "CONSTANT", "LEFT-MOST", "t"];

#[test]
fn no_hot_statement_looks_through_what_grows() {
    let folder = Folder::new();
    let connection = home(&folder);
    let statements = statements();
    for name in HOT {
        let Some((_, sql)) = statements.iter().find(|(listed, _)| *listed == name) else {
            panic!("there is no statement {name}");
        };
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let unbound = plan.parameter_count();
        for i in 1..=unbound {
            plan.raw_bind_parameter(i, rusqlite::types::Null).unwrap();
        }
        let mut rows = plan.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let detail: String = row.get(3).unwrap();
            let scanned = detail.strip_prefix("SCAN ").map(|rest| rest.split(' ').next().unwrap_or_default());
            // An inbox row is found by the cursor; what has no bound is looked through.
            assert!(scanned.is_none_or(|table| SMALL.contains(&table)), "{name}: {detail}");
            assert!(!detail.contains("AUTOMATIC"), "{name} builds an index each time: {detail}");
        }
    }
}
