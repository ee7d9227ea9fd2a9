//! Homes that tests have done with are emptied for others, and must be as new ones are.

use std::collections::BTreeMap;

use tokio_postgres::Client;
use zhiyin_store::Store;
use zhiyin_store::conformance::KEY;

use crate::homes::{Homes, name, raw};

/// All that is in a home: tables with their rows, and where numbers go on.
async fn content(raw: &Client, home: &str) -> BTreeMap<String, String> {
    let tables = "SELECT nspname || '.' || relname, relkind = 'S' FROM pg_class c \
                  JOIN pg_namespace n ON n.oid = c.relnamespace \
                  WHERE (nspname = $1 OR nspname LIKE $1 || '\\_%') AND relkind IN ('r', 'S')";
    let mut found = BTreeMap::new();
    for row in raw.query(tables, &[&home]).await.unwrap() {
        let (table, is_sequence): (String, bool) = (row.get(0), row.get(1));
        let asked = match is_sequence {
            true => format!("SELECT last_value::text || is_called::text FROM {table}"),
            false => format!("SELECT COALESCE(json_agg(t ORDER BY t::text)::text, '') FROM {table} t"),
        };
        let rows: String = raw.query_one(&asked, &[]).await.unwrap().get(0);
        found.insert(table.replacen(home, "", 1), rows);
    }
    found
}

#[tokio::test]
async fn an_emptied_home_is_as_a_new_one() {
    let homes = Homes::new(4);
    let ((new, _), (used, store)) = (homes.open(), homes.open());
    let raw = raw().await;
    let before = content(&raw, &name(&new)).await;
    assert_eq!(content(&raw, &name(&used)).await, before);
    // Something in most tables, whatever it means.
    store.set_clock(5, None).await.unwrap();
    let used = name(&used);
    let more = format!(
        "INSERT INTO {used}.source (name, user_namespace) VALUES ('till', 'user'); DELETE FROM {used}.place_tree; \
         SELECT nextval('{used}.fact_no'); CREATE SCHEMA {used}_keys"
    );
    raw.batch_execute(&more).await.unwrap();
    assert_ne!(content(&raw, &used).await, before);
    store.empty_home(&KEY).await.unwrap();
    assert_eq!(content(&raw, &used).await, before);
}
