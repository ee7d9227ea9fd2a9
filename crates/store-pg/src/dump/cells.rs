//! Values of a dump on their way into columns, and what a row says.

use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use zhiyin_model::id::{MemberId, OrderId};
use zhiyin_store::dump::{Kind, Table, Value};
use zhiyin_store::{Result, StoreError};

/// A row, with a value a column.
pub(super) type Values = Vec<Value>;

/// A value on its way into a column.
#[derive(Debug)]
pub(super) struct Cell<'v>(pub(super) &'v Value);

impl ToSql for Cell<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self.0, ty) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Int(value), &Type::INT8) => out.extend_from_slice(&value.to_be_bytes()),
            (Value::Int(value), &Type::INT4) => out.extend_from_slice(&i32::try_from(*value)?.to_be_bytes()),
            (Value::Int(value), &Type::INT2) => out.extend_from_slice(&i16::try_from(*value)?.to_be_bytes()),
            (Value::Int(value), &Type::BOOL) => out.extend_from_slice(&[u8::from(*value != 0)]),
            (Value::Text(text), &Type::TEXT) => out.extend_from_slice(text.as_bytes()),
            (Value::Bytes(bytes), &Type::BYTEA | &Type::UUID) => out.extend_from_slice(bytes),
            (value, ty) => return Err(format!("{value:?} is no {ty}").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Whether a row is what its table says.
pub(super) fn fits(table: &Table, row: &Values) -> bool {
    row.len() == table.columns.len()
        && table.columns.iter().zip(row).all(|((_, kind), value)| match (kind, value) {
            (_, Value::Null) => true,
            (Kind::Id, Value::Bytes(bytes)) => bytes.len() == 16,
            (Kind::Int | Kind::No | Kind::Flag, Value::Int(_)) => true,
            (Kind::Text, Value::Text(_)) | (Kind::Bytes, Value::Bytes(_)) => true,
            _ => false,
        })
}

pub(super) fn damaged(table: &Table) -> StoreError {
    StoreError::Damaged(format!("a row of {}", table.name))
}

pub(super) fn column<'r>(table: &Table, row: &'r Values, name: &str) -> Result<&'r Value> {
    let place = table.columns.iter().position(|(known, _)| *known == name);
    place.and_then(|place| row.get(place)).ok_or_else(|| damaged(table))
}

pub(super) fn first(row: &Values) -> Result<&Value> {
    row.first().ok_or_else(|| StoreError::Damaged("an empty row".to_owned()))
}

pub(super) fn int(value: &Value) -> Result<i64> {
    match value {
        Value::Int(value) => Ok(*value),
        value => Err(StoreError::Damaged(format!("{value:?} is no number"))),
    }
}

pub(super) fn sixteen(value: &Value) -> Result<[u8; 16]> {
    let bytes = if let Value::Bytes(bytes) = value { bytes.as_slice().try_into().ok() } else { None };
    bytes.ok_or_else(|| StoreError::Damaged(format!("{value:?} is no id")))
}

pub(super) fn id_of(value: &Value) -> Result<MemberId> {
    sixteen(value).map(MemberId::from_bytes)
}

pub(super) fn order_of(value: &Value) -> Result<OrderId> {
    sixteen(value).map(OrderId::from_bytes)
}
