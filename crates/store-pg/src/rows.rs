//! Values between PostgreSQL and the words of the model: ids travel as `uuid`, damage is named.

use std::error::Error;

use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use zhiyin_model::id::Id;
use zhiyin_store::{Result, StoreError};

/// 16 bytes as PostgreSQL's `uuid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Uuid(pub(crate) [u8; 16]);

impl Uuid {
    /// The id that it is.
    pub(crate) fn id<K>(self) -> Id<K> {
        Id::from_bytes(self.0)
    }
}

impl<K> From<Id<K>> for Uuid {
    fn from(id: Id<K>) -> Self {
        Self(*id.bytes())
    }
}

impl ToSql for Uuid {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::UUID
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Uuid {
    fn from_sql(_: &Type, raw: &'a [u8]) -> std::result::Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::UUID
    }
}

/// PostgreSQL's error as ours.
pub(crate) fn database(error: tokio_postgres::Error) -> StoreError {
    match error.as_db_error() {
        Some(said) => {
            let text = format!("{} ({})", said.message(), said.code().code());
            // Class 08: the connection broke; class 57P: the server is going down, or not up yet.
            let gone = said.code().code().starts_with("08") || said.code().code().starts_with("57P");
            if gone { StoreError::Unreachable(text) } else { StoreError::Database(text) }
        }
        // What the server did not say came from the way there, unless a value was at fault.
        None if error.is_closed() || from_the_way(&error) => StoreError::Unreachable(chain(&error)),
        None => StoreError::Database(chain(&error)),
    }
}

/// Whether an error began with the network.
fn from_the_way(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<std::io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// An error with its causes: the driver's own words alone say little.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// A column, or the damage.
pub(crate) fn get<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Result<T> {
    row.try_get(column).map_err(|error| damaged(column, chain(&error)))
}

/// An id in a column.
pub(crate) fn id<K>(row: &Row, column: usize) -> Result<Id<K>> {
    get::<Uuid>(row, column).map(Uuid::id)
}

/// An id in a column, if there is one.
pub(crate) fn id_or_none<K>(row: &Row, column: usize) -> Result<Option<Id<K>>> {
    get::<Option<Uuid>>(row, column).map(|id| id.map(Uuid::id))
}

/// A JSON document in a text column.
pub(crate) fn json<T: serde::de::DeserializeOwned>(row: &Row, column: usize) -> Result<T> {
    serde_json::from_str(get::<&str>(row, column)?).map_err(|error| damaged(column, error.to_string()))
}

/// A stored value that cannot be read.
pub(crate) fn damaged(column: usize, what: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("column {column}: {what}"))
}
