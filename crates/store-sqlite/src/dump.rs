//! Saying everything and taking everything: the tables of a dump as they lie in the file.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, ToSql};
use zhiyin_store::dump::{In, Kind, Out, ROWS_AT_ONCE, Rows, TABLES, Table, Value};
use zhiyin_store::webhooks::CONSUMER;
use zhiyin_store::{Result, StoreError};

use crate::rows::{damaged, database};

/// How each table is said. Rows of the inbox that were not decided are rows of the queue, each after itself.
fn said(table: &Table) -> String {
    let columns = |of: &str| {
        let names: Vec<String> = table.columns.iter().map(|(name, _)| format!("{of}{name}")).collect();
        names.join(", ")
    };
    match table.name {
        "queue" => "SELECT seq, after FROM queue UNION ALL SELECT seq, seq FROM event \
             WHERE derived = 0 AND seq > (SELECT cursor FROM slot) ORDER BY 1"
            .to_owned(),
        "timeline" => {
            "SELECT t.seq, m.id, t.before FROM timeline t JOIN member m ON m.no = t.member ORDER BY t.seq"
                .to_owned()
        }
        "found_by" => "SELECT f.key, m.id FROM found_by f JOIN member m ON m.no = f.member".to_owned(),
        "allocation" => "SELECT a.no, t.member, a.transfer, a.lot, a.amount FROM allocation a \
             JOIN (SELECT DISTINCT id, member FROM transfer) t ON t.id = a.transfer ORDER BY a.no"
            .to_owned(),
        "feed" => {
            "SELECT no, members, events FROM feed WHERE no > (SELECT no FROM consumer WHERE name = 'webhooks') ORDER BY no"
                .to_owned()
        }
        name => format!("SELECT {} FROM {name}", columns("")),
    }
}

/// Says every table.
pub(crate) fn dump(c: &Connection, out: &Out) -> Result<()> {
    for table in &TABLES {
        let mut statement = c.prepare(&said(table)).map_err(database)?;
        let mut found = statement.query([]).map_err(database)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(database)? {
            rows.push(values(table, row).map_err(database)?);
            if rows.len() == ROWS_AT_ONCE {
                say(out, table, &mut rows)?;
            }
        }
        say(out, table, &mut rows)?;
    }
    Ok(())
}

fn say(out: &Out, table: &'static Table, rows: &mut Vec<Vec<Value>>) -> Result<()> {
    let rows = std::mem::take(rows);
    // Nobody listens any more: whoever asked has given up.
    out.blocking_send(Rows { table, rows }).map_err(|_| StoreError::Stopped)
}

fn values(table: &Table, row: &Row<'_>) -> rusqlite::Result<Vec<Value>> {
    (0..table.columns.len())
        .map(|i| match row.get_ref(i)? {
            ValueRef::Null => Ok(Value::Null),
            ValueRef::Integer(value) => Ok(Value::Int(value)),
            ValueRef::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => Ok(Value::Text(text.to_owned())),
                Err(_) => Err(damaged(i, "not text")),
            },
            ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes.to_vec())),
            ValueRef::Real(_) => Err(damaged(i, "a number with a fraction")),
        })
        .collect()
}

/// A value on its way into a statement.
struct Given<'v>(&'v Value);

impl ToSql for Given<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// How each table is taken.
fn taken(table: &Table) -> String {
    let places = |n: usize| vec!["?"; n].join(", ");
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    match table.name {
        "home" => "UPDATE home SET id_key = ?, offset_us = ?, live_since = ?, clock = ?, last = ?".to_owned(),
        "timeline" => {
            "INSERT INTO timeline (seq, member, before) SELECT ?1, no, ?3 FROM member WHERE id = ?2"
                .to_owned()
        }
        "found_by" => "INSERT INTO found_by (key, member) SELECT ?1, no FROM member WHERE id = ?2".to_owned(),
        "allocation" => {
            "INSERT INTO allocation (no, transfer, lot, amount) SELECT ?1, ?3, ?4, ?5 WHERE ?2 IS NOT NULL"
                .to_owned()
        }
        "source" => {
            format!("INSERT OR REPLACE INTO source ({}) VALUES ({})", names.join(", "), places(names.len()))
        }
        name => format!("INSERT INTO {name} ({}) VALUES ({})", names.join(", "), places(names.len())),
    }
}

/// Takes every table into a home in which nothing has happened yet.
pub(crate) fn fill(c: &Connection, mut given: In) -> Result<()> {
    let used: bool = c
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM playbook) OR EXISTS (SELECT 1 FROM event) OR EXISTS (SELECT 1 FROM member) \
             OR EXISTS (SELECT 1 FROM api_key) OR EXISTS (SELECT 1 FROM approval) OR EXISTS (SELECT 1 FROM audit) \
             OR EXISTS (SELECT 1 FROM place) OR EXISTS (SELECT 1 FROM webhook) OR EXISTS (SELECT 1 FROM pool) \
             OR EXISTS (SELECT 1 FROM issue) OR EXISTS (SELECT 1 FROM draw) OR EXISTS (SELECT 1 FROM code_upload) \
             OR EXISTS (SELECT 1 FROM till_lease) OR EXISTS (SELECT 1 FROM outbox) OR EXISTS (SELECT 1 FROM link) \
             OR EXISTS (SELECT 1 FROM arrival) OR EXISTS (SELECT 1 FROM reflection)",
            [],
            |row| row.get(0),
        )
        .map_err(database)?;
    if used {
        return Err(StoreError::Database("this home is in use: only an empty one is filled".to_owned()));
    }
    c.execute("DELETE FROM source", []).map_err(database)?;
    while let Some(Rows { table, rows }) = given.blocking_recv() {
        let mut statement = c.prepare_cached(&taken(table)).map_err(database)?;
        for row in rows {
            check(table, &row)?;
            let values: Vec<Given<'_>> = row.iter().map(Given).collect();
            let n = statement.execute(rusqlite::params_from_iter(values)).map_err(database)?;
            if n == 0 {
                return Err(StoreError::Damaged(format!("a row of {} names nobody", table.name)));
            }
        }
    }
    c.execute(crate::webhooks::FOLLOWS_ALL, [CONSUMER]).map_err(database)?;
    c.execute(crate::campaigns::SEND_COPIED, []).map_err(database)?;
    // Whoever holds a tree in memory reads it anew.
    c.execute(crate::places::VERSION_ON, []).map_err(database)?;
    c.execute("UPDATE slot SET cursor = (SELECT last FROM home)", []).map(drop).map_err(database)
}

/// Whether a row is what its table says.
fn check(table: &Table, row: &[Value]) -> Result<()> {
    let fits = row.len() == table.columns.len()
        && table.columns.iter().zip(row).all(|((_, kind), value)| match (kind, value) {
            (_, Value::Null) => true,
            (Kind::Id, Value::Bytes(bytes)) => bytes.len() == 16,
            (Kind::Int | Kind::No | Kind::Flag, Value::Int(_)) => true,
            (Kind::Text, Value::Text(_)) | (Kind::Bytes, Value::Bytes(_)) => true,
            _ => false,
        });
    if fits { Ok(()) } else { Err(StoreError::Damaged(format!("a row of {}", table.name))) }
}
