//! What an expression comes to for each member, as SQL of one column, and how it is read back.

use rust_decimal::Decimal;
use zhiyin_condition::Condition;
use zhiyin_condition::program::Node;
use zhiyin_condition::value::Value;
use zhiyin_model::time::{Day, Ts};

use super::number::{Num, WIDE_SCALE};
use super::said::{Said, kind};
use super::writing::Writing;
use super::{Asked, Dialect, EXPRESSION_BYTES_MAX, NotInSql, Tables};

/// What stands in the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Bool,
    /// A whole count of this many decimals.
    Number(u32),
    Text,
    /// Days since 1970-01-01.
    Day,
    /// Microseconds since 1970.
    Time,
    /// Minutes of a day.
    Clock,
    /// A property: its kind, what it comes to, and the text, with blanks between.
    Any,
}

/// An expression with one value, as SQL that is NULL where it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueSql {
    pub(super) sql: String,
    shape: Shape,
}

impl ValueSql {
    /// Reads what a server answered for it; `None` where that cannot be.
    pub fn read(&self, text: &str) -> Option<Value> {
        Some(match self.shape {
            Shape::Bool => Value::Bool(text.parse::<u8>().ok()? != 0),
            Shape::Number(scale) => Value::Number(counted(text, scale)?),
            Shape::Text => Value::Text(text.into()),
            Shape::Day => Value::Date(Day(text.parse().ok()?)),
            Shape::Time => Value::Time(Ts(text.parse().ok()?)),
            Shape::Clock => Value::Clock(text.parse().ok()?),
            Shape::Any => {
                let mut parts = text.splitn(3, ' ');
                let (of, count, said) = (parts.next()?, parts.next()?, parts.next()?);
                match of.parse::<u8>().ok()? {
                    kind::BOOL => Value::Bool(count != "0"),
                    kind::NUMBER => Value::Number(counted(count, WIDE_SCALE)?),
                    _ => Value::Text(said.into()),
                }
            }
        })
    }
}

/// A whole count of so many decimals as a number. What stands there was an exact decimal of at most 28 digits.
fn counted(digits: &str, scale: u32) -> Option<Decimal> {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let scale = scale as usize;
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    let written =
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
    Decimal::from_str_exact(&written).ok().map(|number| number.normalize())
}

/// The value of an expression `e` that was checked as the condition `(e) != null`. `None` where nothing can be known of it.
pub fn value(condition: &Condition, tables: &Tables, asked: Asked) -> Result<Option<ValueSql>, NotInSql> {
    said(condition, tables, asked)?.map_or(Ok(None), shaped)
}

/// The number that it comes to, where it may be one.
pub fn number(condition: &Condition, tables: &Tables, asked: Asked) -> Result<Option<ValueSql>, NotInSql> {
    let number = said(condition, tables, asked)?.and_then(|said| said.number());
    number.map_or(Ok(None), |num| shaped(Said::Number(num)))
}

fn said(condition: &Condition, tables: &Tables, asked: Asked) -> Result<Option<Said>, NotInSql> {
    let node = match condition.root() {
        Node::Known(node) => node,
        node => node,
    };
    let written = |fine: bool| {
        let writing = Writing::new(condition, tables, asked, fine);
        let said = writing.said(node, None)?;
        if let Said::Number(num) = &said {
            writing.needs(num.bits);
        }
        writing.is_known_to(tables.dialect)?;
        Ok::<_, NotInSql>((said, writing.has_asked_quantities()))
    };
    let (plain, asks_quantities) = written(false)?;
    Ok(Some(if asks_quantities && tables.dialect == Dialect::Current {
        let writing = Writing::new(condition, tables, asked, true);
        writing.chosen("fine", written(true)?.0, plain)?
    } else {
        plain
    }))
}

fn shaped(said: Said) -> Result<Option<ValueSql>, NotInSql> {
    let (sql, shape) = match said {
        Said::Unknown => return Ok(None),
        Said::Bool { sql, .. } => (format!("toUInt8({sql})"), Shape::Bool),
        Said::Number(Num { sql, scale, .. }) => (sql, Shape::Number(scale)),
        Said::Text { sql, .. } => (format!("toString({sql})"), Shape::Text),
        Said::Date(sql) => (sql, Shape::Day),
        Said::Time(moment) => (moment.us, Shape::Time),
        Said::Clock(sql) => (sql, Shape::Clock),
        Said::Any { sql, .. } => {
            let part = |n: u8| format!("tupleElement({sql}, {n})");
            let whole =
                format!("concat(toString({}), ' ', toString({}), ' ', {})", part(1), part(2), part(3));
            (format!("if({} = 0, NULL, {whole})", part(1)), Shape::Any)
        }
    };
    if sql.len() > EXPRESSION_BYTES_MAX {
        return Err(NotInSql::new("the expression", "its statement is too long"));
    }
    Ok(Some(ValueSql { sql, shape }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_of_decimals_is_read_as_the_number_that_it_is() {
        let wide = format!("125{}", "0".repeat(26));
        for (digits, scale, expected) in [
            ("0", 0, "0"),
            ("1250", 2, "12.5"),
            ("-5", 2, "-0.05"),
            ("7", 0, "7"),
            ("-1200", 2, "-12"),
            (&wide, 28, "1.25"),
            ("1", 28, "0.0000000000000000000000000001"),
            ("79228162514264337593543950335", 0, "79228162514264337593543950335"),
        ] {
            assert_eq!(counted(digits, scale).map(|n| n.to_string()).as_deref(), Some(expected), "{digits}");
        }
        for wrong in ["", "-", "1.5", "1e3", "x"] {
            assert_eq!(counted(wrong, 0), None, "{wrong}");
        }
    }

    #[test]
    fn a_property_is_read_with_its_text_whatever_stands_in_it() {
        let any = ValueSql { sql: String::new(), shape: Shape::Any };
        assert_eq!(any.read("3 0 a b  c"), Some(Value::Text("a b  c".into())));
        assert_eq!(any.read("4 19783 2024-03-01"), Some(Value::Text("2024-03-01".into())));
        assert_eq!(any.read("1 1 "), Some(Value::Bool(true)));
        assert_eq!(any.read(&format!("2 5{} ", "0".repeat(27))), Some(Value::Number(Decimal::new(5, 1))));
    }
}
