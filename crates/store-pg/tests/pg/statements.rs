//! Every statement prepares, and none of the pipeline's looks through a table that grows, however small it is when the plan
//! is made.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tokio_postgres::{Client, SimpleQueryMessage};
use zhiyin_store::Store;
use zhiyin_store::conformance::KEY;
use zhiyin_store::conformance::life::{Life, lived};
use zhiyin_store_pg::{PIPELINE, PgKeystore, statements};

use crate::homes::{Homes, name, raw};

/// Where there is one shard, what is looked at in all of them is its table; else a view.
fn sql(template: &str, home: &str, shard: &str, shards: usize) -> String {
    let all = [
        ("events", "event"),
        ("timelines", "timeline"),
        ("transfers", "transfer"),
        ("allocations", "allocation"),
    ];
    let mut sql = template.to_owned();
    for (all, table) in
        [("coupons", "coupon"), ("coupon_moves", "coupon_move"), ("coupon_lates", "coupon_late")]
    {
        let each: Vec<String> = (0..shards)
            .map(|n| if n == 0 { home.to_owned() } else { format!("{home}_{n}") })
            .map(|shard| format!("SELECT * FROM {shard}.{table}"))
            .collect();
        sql = sql.replace(&format!("{{{all}}}"), &format!("({})", each.join(" UNION ALL ")));
    }
    for (view, table) in all {
        let is = if shards == 1 { table } else { view };
        sql = sql.replace(&format!("{{{view}}}"), &format!("{home}.{is}"));
    }
    sql.replace("{home}", home).replace("{shard}", shard)
}

#[tokio::test]
async fn every_statement_prepares() {
    let homes = Homes::new(2);
    let (url, _) = homes.open();
    let home = name(&url);
    drop(PgKeystore::open(&url).unwrap());
    let client = raw().await;
    for shard in [home.clone(), format!("{home}_1")] {
        for (name, template) in statements() {
            if let Err(error) = client.prepare(&sql(template, &home, &shard, 2)).await {
                panic!("{name}: {:?}", error.as_db_error());
            }
        }
    }
}

fn declared(folder: &Path, room: Option<&str>, all: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            // What a room's own rooms declare goes by its name.
            declared(&path, Some(&stem), all);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let constants = text.lines().filter_map(|line| line.strip_prefix("pub(crate) const "));
        let constants = constants.filter_map(|rest| rest.split_once(": &str")).map(|(constant, _)| constant);
        all.extend(constants.map(|constant| format!("{}::{constant}", room.unwrap_or(&stem))));
    }
}

#[test]
fn every_statement_is_listed() {
    let listed: BTreeSet<String> = statements().iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut all = BTreeSet::new();
    declared(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), None, &mut all);
    let missing: Vec<_> = all.difference(&listed).collect();
    assert!(missing.is_empty(), "not in statements(): {missing:?}");
    assert!(all.len() > 150, "only {} statements were found", all.len());
}

/// Rooms whose statements run for each batch, append or lease.
const HOT: [&str; 8] =
    ["append::", "batch::", "home::", "load::", "retry::", "wait::", "write::", "memory::"];
/// Of these, what runs once for a playbook and walks through all members, or is no query.
const WALKS: [&str; 3] = ["wait::BEHIND_FIRST", "home::PLAYBOOK_ALONE", "home::PLAYBOOKS"];
/// What may be looked through: it holds a row for the home, for each share, for each source, or for what waits.
const SMALL: [&str; 8] = ["home", "slot", "source", "playbook", "import", "consumer", "queue", "retry"];

/// Nodes of a plan that look through a table that grows.
fn looks_through(plan: &Value, found: &mut Vec<String>) {
    let text = |key: &str| plan[key].as_str().unwrap_or_default();
    let bound = ["Index Cond", "Recheck Cond"].iter().any(|key| plan.get(*key).is_some());
    let (node, table) = (text("Node Type"), text("Relation Name"));
    let table_scan = node.ends_with("Scan") && !table.is_empty();
    if table_scan && !SMALL.contains(&table) && (node == "Seq Scan" || !bound) {
        found.push(format!("{node} on {table}"));
    }
    // A list of keys is for the index, or each row is compared with all of it. Lists of shares (which bytes of an id say) and
    // of names of events are short, and so is what is asked of one member's lots.
    let filter = text("Filter");
    let short =
        ["slot = ANY", "get_byte", "name = ANY"].iter().any(|list| filter.contains(list)) || table == "lot";
    if filter.contains("= ANY") && !short {
        found.push(format!("{node} on {table} compares with a list"));
    }
    for part in plan["Plans"].as_array().into_iter().flatten() {
        looks_through(part, found);
    }
}

async fn plan(client: &Client, sql: &str) -> Value {
    let values = client.prepare(sql).await.unwrap().params().len();
    let nothing = vec!["NULL"; values].join(", ");
    let nothing = if values == 0 { String::new() } else { format!("({nothing})") };
    client.batch_execute(&format!("PREPARE looked_at AS {sql}")).await.unwrap();
    let explained =
        client.simple_query(&format!("EXPLAIN (FORMAT JSON) EXECUTE looked_at{nothing}")).await.unwrap();
    client.batch_execute("DEALLOCATE looked_at").await.unwrap();
    let lines = explained.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    serde_json::from_str(&lines.collect::<Vec<_>>().join("\n")).unwrap()
}

#[tokio::test]
async fn no_hot_statement_looks_through_what_grows() {
    let homes = Homes::new(1);
    let (url, store) = homes.open();
    let home = name(&url);
    let client = raw().await;
    for (setting, value) in PIPELINE {
        client.batch_execute(&format!("SET {setting} = '{value}'")).await.unwrap();
    }
    let store: Arc<dyn Store> = store;
    for filled in [false, true] {
        if filled {
            for n in 0..12 {
                lived(&store, &Life { key: KEY, name: format!("member{n}") }, 4).await.unwrap();
            }
            client.batch_execute("ANALYZE").await.unwrap();
        }
        for (name, template) in statements() {
            if !HOT.iter().any(|room| name.starts_with(room)) || WALKS.contains(&name) {
                continue;
            }
            let plan = plan(&client, &sql(template, &home, &home, 1)).await;
            let mut found = Vec::new();
            looks_through(&plan[0]["Plan"], &mut found);
            assert!(found.is_empty(), "{name} (filled: {filled}): {found:?}\n{plan:#}");
        }
    }
}
