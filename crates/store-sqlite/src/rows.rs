//! Reading rows: from SQLite's values to the words of the model, with damage named.

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Params, Row};
use zhiyin_model::effect::{Asset, Lot, Order, OrderStatus, Transfer, TransferKind};
use zhiyin_model::id::Id;
use zhiyin_model::member::Term;
use zhiyin_model::money::Money;
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::seal::Sealed;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{PlaybookVersion, Result, StoreError};

/// SQLite's error as ours.
pub(crate) fn database(error: rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::FromSqlConversionFailure(column, _, error) => match error.downcast::<StoreError>() {
            Ok(unopened) => *unopened,
            Err(error) => StoreError::Damaged(format!("column {column}: {error}")),
        },
        error => StoreError::Database(error.to_string()),
    }
}

/// All rows of a query.
pub(crate) fn all<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql).map_err(database)?;
    let found = statement.query_map(parameters, row).map_err(database)?;
    found.collect::<rusqlite::Result<_>>().map_err(database)
}

/// Something stored that no longer makes sense.
pub(crate) fn damaged(column: usize, what: impl Into<String>) -> rusqlite::Error {
    let what: String = what.into();
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, what.into())
}

/// A sealed value that does not open, or whose key cannot be had.
pub(crate) fn unopened(error: StoreError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, Box::new(error))
}

/// A sealed body, opened.
pub(crate) fn body(row: &Row<'_>, column: usize, vault: &Vault) -> rusqlite::Result<Sealed> {
    vault.body(row.get(column)?).map_err(unopened)
}

/// What a source calls its item, which a sealed home keeps sealed; where it was erased, that it was.
pub(crate) fn called(row: &Row<'_>, column: usize, vault: &Vault) -> rusqlite::Result<String> {
    match row.get_ref(column)? {
        ValueRef::Blob(called) => {
            let called = vault.called(called).map_err(unopened)?;
            Ok(called.unwrap_or_else(|| "(erased)".to_owned()))
        }
        text => Ok(text.as_str()?.to_owned()),
    }
}

/// An id.
pub(crate) fn id<K>(row: &Row<'_>, column: usize) -> rusqlite::Result<Id<K>> {
    Id::from_slice(row.get_ref(column)?.as_blob()?).ok_or_else(|| damaged(column, "not an id"))
}

/// An id that may be missing.
pub(crate) fn id_or_none<K>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Id<K>>> {
    match row.get_ref(column)?.as_blob_or_null()? {
        None => Ok(None),
        Some(blob) => Id::from_slice(blob).map(Some).ok_or_else(|| damaged(column, "not an id")),
    }
}

/// A JSON document.
pub(crate) fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|error| damaged(column, error.to_string()))
}

/// version, id, hash, source, applied_at
pub(crate) fn playbook(row: &Row<'_>) -> rusqlite::Result<PlaybookVersion> {
    Ok(PlaybookVersion {
        version: row.get(0)?,
        id: row.get(1)?,
        hash: row.get(2)?,
        source: row.get(3)?,
        applied_at: Ts(row.get(4)?),
    })
}

/// id, member, asset, granted, remaining, active_at, expires_at, active
pub(crate) fn lot(row: &Row<'_>) -> rusqlite::Result<Lot> {
    Ok(Lot {
        id: id(row, 0)?,
        member: id(row, 1)?,
        asset: asset(row, 2)?,
        granted: row.get(3)?,
        remaining: row.get(4)?,
        active_at: Ts(row.get(5)?),
        expires_at: Ts(row.get(6)?),
        active: row.get(7)?,
    })
}

/// id, member, time, store, channel, paid, refunded, status, event, terms
pub(crate) fn order(row: &Row<'_>) -> rusqlite::Result<Order> {
    Ok(Order {
        id: id(row, 0)?,
        member: id(row, 1)?,
        time: Ts(row.get(2)?),
        store: row.get(3)?,
        channel: row.get(4)?,
        paid: Money(row.get(5)?),
        refunded: Money(row.get(6)?),
        status: OrderStatus::from_code(row.get(7)?).ok_or_else(|| damaged(7, "no order status"))?,
        event: id(row, 8)?,
        terms: json(row, 9)?,
    })
}

/// level, at, ends
pub(crate) fn term(row: &Row<'_>) -> rusqlite::Result<Term> {
    Ok(Term { level: row.get(0)?, from: Ts(row.get(1)?), ends: Day(row.get(2)?) })
}

/// id, member, asset, kind, amount, event id, ordinal, at, day, reverses, order_id
pub(crate) fn transfer(row: &Row<'_>) -> rusqlite::Result<Transfer> {
    Ok(Transfer {
        id: id(row, 0)?,
        member: id(row, 1)?,
        asset: asset(row, 2)?,
        kind: TransferKind::from_code(row.get(3)?).ok_or_else(|| damaged(3, "no kind of transfer"))?,
        amount: row.get(4)?,
        event: id(row, 5)?,
        ordinal: row.get(6)?,
        at: Ts(row.get(7)?),
        day: Day(row.get(8)?),
        reverses: id_or_none(row, 9)?,
        order: id_or_none(row, 10)?,
    })
}

/// An asset by its number.
pub(crate) fn asset(row: &Row<'_>, column: usize) -> rusqlite::Result<Asset> {
    Asset::from_code(row.get(column)?).ok_or_else(|| damaged(column, "no asset"))
}
