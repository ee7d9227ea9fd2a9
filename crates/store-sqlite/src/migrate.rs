//! Migrations: embedded, numbered, checksummed, run at start, each in a transaction of its own.
//!
//! They expand before they contract, so that two programs may share a home while one takes over from the other: each
//! migration says the oldest one that a program must know to go on working beside it.

use rusqlite::{Connection, OptionalExtension, params};
use zhiyin_store::{Result, StoreError};

/// Every migration, in order, with the oldest that a program must know to work with what it leaves. What has been released is
/// never edited.
pub(crate) const MIGRATIONS: &[(u32, u32, &str)] = &[
    (1, 1, include_str!("migrations/0001_home.sql")),
    (2, 2, include_str!("migrations/0002_shares.sql")),
    (3, 2, include_str!("migrations/0003_persons.sql")),
    (4, 2, include_str!("migrations/0004_sealed.sql")),
    (5, 2, include_str!("migrations/0005_places.sql")),
    (6, 2, include_str!("migrations/0006_access.sql")),
    (7, 2, include_str!("migrations/0007_suggestions.sql")),
    (8, 2, include_str!("migrations/0008_personal.sql")),
    (9, 2, include_str!("migrations/0009_partners.sql")),
    (10, 2, include_str!("migrations/0010_doors.sql")),
    (11, 2, include_str!("migrations/0011_identifier_of.sql")),
    (12, 2, include_str!("migrations/0012_names.sql")),
    (13, 2, include_str!("migrations/0013_webhooks.sql")),
    (14, 2, include_str!("migrations/0014_found_by.sql")),
    (15, 2, include_str!("migrations/0015_audiences.sql")),
    (16, 2, include_str!("migrations/0016_lists.sql")),
    (17, 2, include_str!("migrations/0017_books.sql")),
    (18, 2, include_str!("migrations/0018_coupons.sql")),
    (19, 2, include_str!("migrations/0019_checkout.sql")),
    (20, 2, include_str!("migrations/0020_draws.sql")),
    (21, 2, include_str!("migrations/0021_codes.sql")),
    (22, 2, include_str!("migrations/0022_book_coupons.sql")),
    (23, 2, include_str!("migrations/0023_tills.sql")),
    (24, 2, include_str!("migrations/0024_campaigns.sql")),
    (25, 2, include_str!("migrations/0025_sends.sql")),
    (26, 2, include_str!("migrations/0026_links.sql")),
    (27, 2, include_str!("migrations/0027_effects.sql")),
    (28, 2, include_str!("migrations/0028_arrivals.sql")),
    (29, 2, include_str!("migrations/0029_kept.sql")),
    (30, 2, include_str!("migrations/0030_mirror.sql")),
    (31, 2, include_str!("migrations/0031_people.sql")),
    (32, 2, include_str!("migrations/0032_conversations.sql")),
    (33, 2, include_str!("migrations/0033_coupon_moves.sql")),
    (34, 2, include_str!("migrations/0034_audit_target.sql")),
];

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
    let has_oldest: bool = connection
        .query_row("SELECT COUNT(*) FROM pragma_table_info('migration') WHERE name = 'oldest'", [], |row| {
            row.get(0)
        })
        .map_err(failed(0))?;
    if !has_oldest {
        // Whoever comes second finds it there: that is no failure.
        let added = connection.execute_batch("ALTER TABLE migration ADD COLUMN oldest INTEGER");
        added
            .or_else(|error| if error.to_string().contains("duplicate") { Ok(()) } else { Err(error) })
            .map_err(failed(0))?;
    }
    let known = MIGRATIONS.last().map_or(0, |(number, ..)| *number);
    let too_new: Option<u32> = connection
        .query_row(
            "SELECT MAX(number) FROM migration WHERE number > ?1 AND COALESCE(oldest, number) > ?1",
            [known],
            |row| row.get(0),
        )
        .map_err(failed(0))?;
    if let Some(number) = too_new {
        let message = format!("this database was made by a newer program; this one knows {known} migrations");
        return Err(StoreError::Migration { number, message });
    }
    for &(number, oldest, sql) in MIGRATIONS {
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
        tx.execute(
            "INSERT INTO migration (number, checksum, oldest) VALUES (?, ?, ?)",
            params![number, checksum, oldest],
        )
        .map_err(failed(number))?;
        tx.commit().map_err(failed(number))?;
    }
    Ok(())
}
