//! Rows that are written many by one statement: where rows are short, to begin and end a statement costs as much as its row.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ToSql, params_from_iter};
use zhiyin_store::Result;

use crate::rows::database;
use crate::write::prepare;

/// How many rows one statement writes, where there are as many.
const TOGETHER: usize = 16;

/// A value of a row, as it is kept elsewhere.
struct Lent<'r>(ValueRef<'r>);

impl ToSql for Lent<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(rusqlite::types::ToSqlOutput::Borrowed(self.0))
    }
}

/// A text of a row.
pub(crate) fn text(value: &str) -> ValueRef<'_> {
    ValueRef::Text(value.as_bytes())
}

/// A number of a row.
pub(crate) fn number<'r>(value: impl Into<i64>) -> ValueRef<'r> {
    ValueRef::Integer(value.into())
}

/// A number of a row that may be none.
pub(crate) fn number_or_none<'r>(value: Option<i64>) -> ValueRef<'r> {
    value.map_or(ValueRef::Null, ValueRef::Integer)
}

/// Bytes of a row that may be none.
pub(crate) fn bytes_or_none(value: Option<&[u8]>) -> ValueRef<'_> {
    value.map_or(ValueRef::Null, ValueRef::Blob)
}

/// A text of a row that may be none.
pub(crate) fn text_or_none(value: Option<&str>) -> ValueRef<'_> {
    value.map_or(ValueRef::Null, text)
}

/// Bytes of a row.
pub(crate) fn bytes(value: &[u8]) -> ValueRef<'_> {
    ValueRef::Blob(value)
}

/// Writes rows in their order by a statement that inserts one of them; how many were. Whoever calls it undoes all of them where
/// one fails, so that a statement need not.
pub(crate) fn together<'r, R, const N: usize>(
    c: &Connection,
    insert: &str,
    rows: &'r [R],
    values: impl Fn(&'r R) -> Result<[ValueRef<'r>; N]>,
) -> Result<usize> {
    let (many, few) = rows.split_at(rows.len() - rows.len() % TOGETHER);
    let mut n = 0;
    if !many.is_empty() {
        let mut statement = prepare(c, &of_many(insert))?;
        for part in many.chunks(TOGETHER) {
            let mut lent = Vec::with_capacity(N * TOGETHER);
            for row in part {
                lent.extend(values(row)?.map(Lent));
            }
            n += statement.execute(params_from_iter(lent)).map_err(database)?;
        }
    }
    if !few.is_empty() {
        let mut statement = prepare(c, insert)?;
        for row in few {
            n += statement.execute(params_from_iter(values(row)?.map(Lent))).map_err(database)?;
        }
    }
    Ok(n)
}

/// The statement that inserts many rows, of one that inserts one: `INSERT INTO t (…) VALUES (?, …) …`.
fn of_many(insert: &str) -> String {
    const VALUES: &str = " VALUES ";
    let begins = insert.find(VALUES).map_or(insert.len(), |at| at + VALUES.len());
    let (head, rest) = insert.split_at(begins);
    let (row, tail) = rest.split_at(rest.find(')').map_or(rest.len(), |at| at + 1));
    let head = head.replacen("INSERT INTO", "INSERT OR FAIL INTO", 1);
    format!("{head}{}{tail}", [row; TOGETHER].join(", "))
}
