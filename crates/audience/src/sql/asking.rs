//! What is asked of the members for whom a condition holds: how many, who, by what they differ, how audiences overlap, who
//! has the most of something; of all members, or of those whom somebody may see.

use zhiyin_condition::Condition;
use zhiyin_model::id::MemberId;

use super::parts::Part;
use super::value::ValueSql;
use super::{Asked, NotInSql, Tables, expression, name, number, quoted, tables};

/// The most bytes of a statement; the settings let servers read as many.
const STATEMENT_BYTES_MAX: usize = 2 << 20;
/// The most members that one statement lists.
pub const LISTED_MAX: usize = 20_000;

/// Of whom something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Among<'a> {
    /// Of everybody.
    Everyone,
    /// Of those whose home store is one of these.
    Stores(&'a [String]),
    /// Of these, at most [`LISTED_MAX`].
    Members(&'a [MemberId]),
}

impl Among<'_> {
    fn sql(&self, tables: &Tables) -> Result<String, NotInSql> {
        let listed = |column: &str, texts: Vec<String>| match texts.is_empty() {
            true => " AND 0".to_owned(),
            false => format!(" AND ifNull({column} IN ({}), 0)", texts.join(", ")),
        };
        Ok(match self {
            Self::Everyone => String::new(),
            Self::Stores(stores) => {
                tables.has_part(Part::Store)?;
                listed("store", stores.iter().map(|store| quoted(store)).collect())
            }
            Self::Members(members) => {
                listed("member", members.iter().map(|member| format!("'{member}'")).collect())
            }
        })
    }
}

/// By what members are broken down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split<'a> {
    /// By tags.
    Tags,
    /// By the texts of an attribute of several.
    Texts(&'a str),
    /// By an expression with one value.
    Value(&'a ValueSql),
}

/// What is asked: of which tables, as of when, of whom.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The tables.
    pub tables: &'a Tables,
    /// As of when.
    pub asked: Asked,
    /// Of whom.
    pub among: Among<'a>,
}

impl Asking<'_> {
    /// `FROM … WHERE …` of the members for whom something holds.
    fn rows(&self, holds: &str) -> Result<String, NotInSql> {
        let among = self.among.sql(self.tables)?;
        Ok(format!("FROM {} FINAL WHERE gone = 0{among} AND ({holds})", self.tables.table()))
    }

    fn holds(&self, condition: &Condition) -> Result<String, NotInSql> {
        expression(condition, self.tables, self.asked)
    }

    /// How many there are.
    pub fn count(&self, condition: &Condition) -> Result<String, NotInSql> {
        whole(format!("SELECT count() {}", self.rows(&self.holds(condition)?)?))
    }

    /// Their ids, a line each, in the order of ids; so many after one, where that is said.
    pub fn members(
        &self,
        condition: &Condition,
        page: Option<(Option<MemberId>, usize)>,
    ) -> Result<String, NotInSql> {
        let rows = self.rows(&self.holds(condition)?)?;
        let (after, limit) = match page {
            None => (String::new(), String::new()),
            Some((after, limit)) => (
                after.map_or_else(String::new, |after| format!(" AND member > '{after}'")),
                format!(" LIMIT {limit}"),
            ),
        };
        whole(format!("SELECT member {rows}{after} ORDER BY member{limit}"))
    }

    /// How many there are of each value, a line each: `v` before it, `u` where nothing is known; and one line `a` with how many
    /// members there are. At most `limit` lines.
    pub fn breakdown(&self, condition: &Condition, by: Split<'_>, limit: usize) -> Result<String, NotInSql> {
        let rows = self.rows(&self.holds(condition)?)?;
        let texts = |column: String| {
            format!(
                "arrayConcat(['a'], arrayMap(text -> concat('v', toString(text)), {column}), \
                 if(empty({column}), ['u'], emptyArrayString()))"
            )
        };
        let values = match by {
            Split::Tags => texts("tags".to_owned()),
            Split::Texts(attribute) => {
                let of = zhiyin_condition::AttributeType::Texts;
                if self.tables.attributes.get(attribute) != Some(&of) {
                    let at = format!("attr.{attribute}");
                    return Err(NotInSql::new(at, "the tables have no column of it"));
                }
                texts(name(&tables::attribute_column(attribute, of)))
            }
            Split::Value(value) => {
                format!("['a', ifNull(concat('v', toString({})), 'u')]", value.sql)
            }
        };
        whole(format!(
            "SELECT arrayJoin({values}) AS zhiyin_value, count() AS zhiyin_count {rows} GROUP BY zhiyin_value \
             ORDER BY zhiyin_value LIMIT {limit}"
        ))
    }

    /// How many are in exactly some of up to eight audiences, a line each: a number whose bits say in which.
    pub fn overlap(&self, conditions: &[Condition]) -> Result<String, NotInSql> {
        let each: Result<Vec<String>, NotInSql> = conditions
            .iter()
            .enumerate()
            .map(|(n, condition)| Ok(format!("toUInt16({}) * {}", self.holds(condition)?, 1u32 << n)))
            .collect();
        let (bits, rows) = (each?.join(" + "), self.rows("1")?);
        whole(format!(
            "SELECT {bits} AS zhiyin_bits, count() AS zhiyin_count {rows} GROUP BY zhiyin_bits ORDER BY zhiyin_bits"
        ))
    }

    /// The first of them by a number, the greatest first, then by id: id and number. Who has none is not among them.
    pub fn top(&self, condition: &Condition, by: &ValueSql, n: usize) -> Result<String, NotInSql> {
        let rows = self.rows(&self.holds(condition)?)?;
        let sql = &by.sql;
        whole(format!(
            "SELECT member, {sql} AS zhiyin_value {rows} AND isNotNull({sql}) \
             ORDER BY zhiyin_value DESC, member LIMIT {n}"
        ))
    }

    /// Members who lie there from before a version, the first so many by id: whom nobody wrote again.
    pub fn stale(&self, version: u64, limit: usize) -> String {
        let table = self.tables.table();
        format!(
            "SELECT member FROM {table} FINAL WHERE gone = 0 AND version < {version} ORDER BY member LIMIT {limit} \
             FORMAT TabSeparated"
        )
    }
}

/// A statement with what it needs before it and how it is answered.
fn whole(select: String) -> Result<String, NotInSql> {
    let powers = match select.contains(number::POWERS) {
        true => format!("WITH {} AS {} ", number::powers(), number::POWERS),
        false => String::new(),
    };
    let statement = format!("{powers}{select} FORMAT TabSeparated");
    if statement.len() > STATEMENT_BYTES_MAX {
        return Err(NotInSql::new("the question", "its statement is too long"));
    }
    Ok(statement)
}

/// Cells of a line of tab-separated values; `None` where a cell is NULL.
pub fn cells(line: &str) -> Vec<Option<String>> {
    line.split('\t').map(|cell| (cell != "\\N").then(|| unescaped(cell))).collect()
}

fn unescaped(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len());
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('0') => '\0',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some(other) => other,
            None => '\\',
        });
    }
    out
}

#[cfg(test)]
mod tests;
