//! The same conditions as SQL of ClickHouse: for a house that has outgrown one machine.
//!
//! A member is *one row* of one table, histories as arrays beside each other, sorted by time and content. So a change
//! replaces a member whole by one insert, every shard answers for its own members alone, nothing is joined, and a condition
//! is one expression over one row. What the writer knows exactly (calendar days in the zone, minutes of the day, the order of
//! rows of one instant) it writes beside the instants, so that no rule of time zones is left to SQL.
//!
//! * [`tables`]: the tables, and how older ones become today's;
//! * [`rows`]: a [`Person`](crate::Person) as a line of JSON that goes in;
//! * `writing` and what is below it: the program of a condition as an expression;
//! * [`value`]: an expression with one value as a column;
//! * this module and [`asking`]: the statements.
//!
//! Nothing here speaks to a server: it is all text. What cannot be said is refused by name ([`NotInSql`]).

pub mod asking;
mod compare;
mod folding;
mod frame;
mod leaf;
mod lists;
mod member;
mod number;
pub mod parts;
mod reckoning;
pub mod rows;
mod said;
pub mod tables;
pub mod value;
mod writing;

use zhiyin_condition::Condition;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;

pub use asking::{Among, Asking, Split};
pub use parts::Part;
pub use rows::{gone_row, is_as_said, member_of, member_row};
pub use tables::Tables;

use writing::Writing;

/// The longest expression of a condition, in bytes; what would be longer is refused.
pub const EXPRESSION_BYTES_MAX: usize = 512 << 10;

/// What ClickHouse is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Version 24 and later.
    #[default]
    Current,
    /// Version 18.16, as Debian has it: no numbers beyond 64 bits, no properties of events. For trying how servers are
    /// wired, not for members.
    Old,
}

/// What cannot be said in SQL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at} cannot be asked of ClickHouse: {why}")]
pub struct NotInSql {
    /// What it is.
    pub at: String,
    /// Why not.
    pub why: String,
}

impl NotInSql {
    pub(crate) fn new(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self { at: at.into(), why: why.into() }
    }
}

/// As of when a condition is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The instant.
    pub now: Ts,
    /// Rows of history after this one are not looked at.
    pub rows_until: Option<Ts>,
}

/// What is wanted of the members for whom a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Their ids, a line each, in the order of ids.
    Members,
    /// How many they are.
    Count,
    /// The first so many after one.
    Page {
        /// The last one of the page before.
        after: Option<MemberId>,
        /// How many.
        limit: u32,
    },
}

/// A condition as one expression over a row of the table of members: 1 where it holds, else 0.
pub fn expression(condition: &Condition, tables: &Tables, asked: Asked) -> Result<String, NotInSql> {
    let written = |fine: bool| {
        let writing = Writing::new(condition, tables, asked, fine);
        let truth = writing.truth(condition.root(), None)?;
        writing.is_known_to(tables.dialect)?;
        Ok((truth, writing.has_asked_quantities()))
    };
    let (plain, asks_quantities) = written(false)?;
    // Quantities finer than a millionth lie apart; only members who have one are asked by them.
    let whole = if asks_quantities && tables.dialect == Dialect::Current {
        format!("if(fine, {}, {plain})", written(true)?.0)
    } else {
        plain
    };
    if whole.len() > EXPRESSION_BYTES_MAX {
        return Err(NotInSql::new("the condition", "its statement is too long"));
    }
    Ok(whole)
}

/// One statement that gives the members for whom a condition holds.
pub fn statement(
    condition: &Condition,
    tables: &Tables,
    asked: Asked,
    wanted: Wanted,
) -> Result<String, NotInSql> {
    let holds = expression(condition, tables, asked)?;
    let powers = if holds.contains(number::POWERS) {
        format!("WITH {} AS {} ", number::powers(), number::POWERS)
    } else {
        String::new()
    };
    let table = tables.table();
    let rows = format!("FROM {table} FINAL WHERE gone = 0 AND ({holds})");
    Ok(match wanted {
        Wanted::Count => format!("{powers}SELECT count() {rows} FORMAT TabSeparated"),
        Wanted::Members => format!("{powers}SELECT member {rows} ORDER BY member FORMAT TabSeparated"),
        Wanted::Page { after, limit } => {
            let after = after.map_or_else(String::new, |after| format!(" AND member > '{after}'"));
            format!("{powers}SELECT member {rows}{after} ORDER BY member LIMIT {limit} FORMAT TabSeparated")
        }
    })
}

/// Settings that a statement rests on, whatever a server's profiles say; they go with each request.
pub const fn settings(dialect: Dialect) -> &'static [(&'static str, &'static str)] {
    match dialect {
        Dialect::Current => &[
            ("max_query_size", "2097152"),
            ("max_ast_depth", "10000"),
            ("max_ast_elements", "500000"),
            ("max_expanded_ast_elements", "2000000"),
            ("max_parser_depth", "10000"),
            ("aggregate_functions_null_for_empty", "0"),
            ("cast_keep_nullable", "0"),
            ("prefer_column_name_to_alias", "0"),
            ("skip_unavailable_shards", "0"),
            ("insert_distributed_sync", "1"),
            ("input_format_skip_unknown_fields", "0"),
            // Whoever asked is gone: nobody waits for the answer.
            ("cancel_http_readonly_queries_on_client_close", "1"),
        ],
        Dialect::Old => &[
            ("max_query_size", "2097152"),
            ("max_ast_depth", "10000"),
            ("max_ast_elements", "500000"),
            ("skip_unavailable_shards", "0"),
            ("insert_distributed_sync", "1"),
        ],
    }
}

/// A text as SQL writes it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '\0' => out.push_str("\\0"),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// A name as SQL writes it.
pub(crate) fn name(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('`');
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '`' => out.push_str("\\`"),
            '\0' => out.push_str("\\0"),
            c => out.push(c),
        }
    }
    out.push('`');
    out
}

#[cfg(test)]
mod tests;
