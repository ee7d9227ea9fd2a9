//! What a migration does to tables in use: indexes that grow, and columns that are filled, while everybody works on.
//!
//! None of it is needed for right answers: programs of before do not know of it, and one that opens a home while another does
//! this goes on without. What was broken off is taken up by the next who opens.

use tokio_postgres::Client;
use zhiyin_store::Result;

use crate::config::Address;
use crate::migrate::connect;
use crate::rows::{database, get};
use crate::schemas::Schemas;

/// Something that is done to a table in use.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Online {
    /// An index of a table that is not partitioned: its name, and "table (columns…)".
    Index { name: &'static str, on: &'static str },
    /// A statement that fills a few rows which still want it, and is run, each time in a transaction of its own, until it
    /// finds none.
    #[cfg_attr(not(test), expect(dead_code, reason = "no migration needs it yet"))]
    Fill { sql: &'static str },
}

/// Whoever does this holds this for as long as their connection lives.
pub(crate) const ONE: &str = "SELECT pg_try_advisory_lock(hashtextextended($1, 1))";
/// Whether an index is whole; no row where there is none.
pub(crate) const WHOLE: &str =
    "SELECT indisvalid AND indisready FROM pg_index WHERE indexrelid = to_regclass('{shard}.' || $1::text)";

/// Does what has not been done yet, unless somebody else is about it.
pub(crate) async fn run(address: &Address, schemas: &Schemas, all: &[Online]) -> Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let client = connect(address).await?;
    let name = format!("zhiyin online {}", schemas.home());
    let row = client.query_one(ONE, &[&name]).await.map_err(database)?;
    if !get::<bool>(&row, 0)? {
        return Ok(());
    }
    for online in all {
        for shard in 0..schemas.shards() {
            match online {
                Online::Index { name, on } => index(&client, schemas, shard, name, on).await?,
                Online::Fill { sql } => {
                    let sql = schemas.sql(sql, shard);
                    while client.execute(&sql, &[]).await.map_err(database)? > 0 {}
                }
            }
        }
    }
    Ok(())
}

async fn index(client: &Client, schemas: &Schemas, shard: usize, name: &str, on: &str) -> Result<()> {
    let whole = client.query_opt(&schemas.sql(WHOLE, shard), &[&name]).await.map_err(database)?;
    let whole = whole.map(|row| get::<bool>(&row, 0)).transpose()?;
    if whole == Some(true) {
        return Ok(());
    }
    if whole == Some(false) {
        // Somebody was broken off in the middle.
        let sql = schemas.sql(&format!("DROP INDEX CONCURRENTLY {{shard}}.{name}"), shard);
        client.batch_execute(&sql).await.map_err(database)?;
    }
    tracing::info!(name, shard, "an index is made while everybody works on");
    let sql = schemas.sql(&format!("CREATE INDEX CONCURRENTLY {name} ON {{shard}}.{on}"), shard);
    client.batch_execute(&sql).await.map_err(database)
}
