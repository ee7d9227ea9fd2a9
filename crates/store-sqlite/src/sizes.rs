//! How much of a home's file what takes: for measurements.

use std::path::Path;

use zhiyin_store::Result;

use crate::{Durability, connection, overview, reading, rows};

/// Bytes in a home's file of what says who is whom: identifiers with their indexes, who was merged, who was parted. For
/// measurements.
pub fn identity_bytes(path: &Path) -> Result<i64> {
    let connection = connection::open(path, Durability::Full)?;
    connection.query_row(overview::IDENTITY_BYTES, [], |row| row.get(0)).map_err(rows::database)
}

/// Bytes in a home's file of the index by which members are found by name. For measurements.
pub fn found_by_bytes(path: &Path) -> Result<i64> {
    let connection = connection::open(path, Durability::Full)?;
    connection.query_row(reading::FOUND_BYTES, [], |row| row.get(0)).map_err(rows::database)
}
