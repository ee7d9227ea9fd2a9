//! Migrations: embedded, numbered, checksummed, run at start, each in a transaction of its own.

use rusqlite::{Connection, OptionalExtension, params};
use zhiyin_store::{Result, StoreError};

/// Every migration, in order. What has been released is never edited.
pub(crate) const MIGRATIONS: [(u32, &str); 1] = [(1, include_str!("migrations/0001_home.sql"))];

/// Brings a database to the newest schema, or says why not.
pub(crate) fn migrate(connection: &mut Connection) -> Result<()> {
    let failed = |number: u32| {
        move |error: rusqlite::Error| StoreError::Migration { number, message: error.to_string() }
    };
    connection
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT;",
        )
        .map_err(failed(0))?;
    let newest: Option<u32> =
        connection.query_row("SELECT MAX(number) FROM migration", [], |row| row.get(0)).map_err(failed(0))?;
    let known = MIGRATIONS.last().map_or(0, |(number, _)| *number);
    if let Some(number) = newest.filter(|number| *number > known) {
        let message = format!("this database was made by a newer program; this one knows {known} migrations");
        return Err(StoreError::Migration { number, message });
    }
    for (number, sql) in MIGRATIONS {
        let checksum = blake3::hash(sql.as_bytes()).to_hex().to_string();
        let tx = connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(failed(number))?;
        let done: Option<String> = tx
            .query_row("SELECT checksum FROM migration WHERE number = ?", [number], |row| row.get(0))
            .optional()
            .map_err(failed(number))?;
        match done {
            Some(done) if done == checksum => continue,
            Some(_) => {
                let message = "the migration that was run here is another than this program's".to_owned();
                return Err(StoreError::Migration { number, message });
            }
            None => {}
        }
        tx.execute_batch(sql).map_err(failed(number))?;
        tx.execute("INSERT INTO migration (number, checksum) VALUES (?, ?)", params![number, checksum])
            .map_err(failed(number))?;
        tx.commit().map_err(failed(number))?;
    }
    Ok(())
}
