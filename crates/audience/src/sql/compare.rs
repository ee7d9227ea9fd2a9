//! Comparisons: which kinds have an order, and what a text means beside a day or a time. What has no order satisfies nothing.

use zhiyin_condition::tree::Operator;

use super::NotInSql;
use super::said::{Moment, Said, kind, text_kind, whole};
use super::writing::Writing;

/// An operator as SQL writes it.
fn sign(op: Operator) -> &'static str {
    match op {
        Operator::Equal => "=",
        other => other.word(),
    }
}

fn asked(a: &str, op: Operator, b: &str) -> String {
    format!("ifNull({a} {} {b}, 0)", sign(op))
}

impl Writing<'_> {
    /// Whether two values satisfy an operator, as SQL that is never NULL.
    pub(super) fn compared(&self, op: Operator, a: &Said, b: &Said) -> Result<String, NotInSql> {
        Ok(match (a, b) {
            (Said::Number(a), Said::Number(b)) => {
                let (left, right, _, bits) = a.aligned(b);
                self.needs(bits);
                asked(&left, op, &right)
            }
            (Said::Text { sql: a, .. }, Said::Text { sql: b, .. })
            | (Said::Bool { sql: a, .. }, Said::Bool { sql: b, .. })
            | (Said::Date(a), Said::Date(b))
            | (Said::Clock(a), Said::Clock(b)) => asked(a, op, b),
            (Said::Time(a), Said::Time(b)) => asked(&a.us, op, &b.us),
            (Said::Time(a), Said::Date(b)) => asked(&a.day, op, b),
            (Said::Date(a), Said::Time(b)) => asked(a, op, &b.day),
            (Said::Any { sql: a, .. }, Said::Any { sql: b, .. }) => {
                let text = kind::TEXT;
                let order = sign(op);
                self.named(&[("a", a.clone()), ("b", b.clone())], |names| {
                    let (a, b) = (&names[0], &names[1]);
                    format!(
                        "(tupleElement({a}, 1) != 0 AND least(tupleElement({a}, 1), {text}) = least(tupleElement({b}, 1), {text}) \
                         AND if(tupleElement({a}, 1) < {text}, tupleElement({a}, 2) {order} tupleElement({b}, 2), \
                         tupleElement({a}, 3) {order} tupleElement({b}, 3)))"
                    )
                })
            }
            (Said::Any { sql, read }, other) => self.any_compared(op, (sql, *read), other)?,
            (other, Said::Any { sql, read }) => self.any_compared(op.mirrored(), (sql, *read), other)?,
            (Said::Text { constant, .. }, other @ (Said::Date(_) | Said::Time(_) | Said::Clock(_))) => {
                match read_as(constant.as_deref(), other)? {
                    Some(read) => self.compared(op, &read, other)?,
                    None => "0".to_owned(),
                }
            }
            (other @ (Said::Date(_) | Said::Time(_) | Said::Clock(_)), Said::Text { constant, .. }) => {
                match read_as(constant.as_deref(), other)? {
                    Some(read) => self.compared(op, other, &read)?,
                    None => "0".to_owned(),
                }
            }
            _ => "0".to_owned(),
        })
    }

    fn any_compared(&self, op: Operator, any: (&str, bool), other: &Said) -> Result<String, NotInSql> {
        let (any, read) = any;
        let of = |kind: u8, value: &str| {
            format!(
                "(tupleElement({any}, 1) = {kind} AND {})",
                asked(&format!("tupleElement({any}, 2)"), op, value)
            )
        };
        if !read && matches!(other, Said::Date(_) | Said::Time(_) | Said::Clock(_)) {
            return Err(NotInSql::new(
                "a text or a property",
                "whether it is a day or a time is known of properties only",
            ));
        }
        Ok(match other {
            Said::Number(num) => {
                self.needs(u32::MAX);
                of(kind::NUMBER, &num.widened())
            }
            Said::Bool { sql, .. } => of(kind::BOOL, sql),
            Said::Text { sql, .. } => {
                let text = asked(&format!("tupleElement({any}, 3)"), op, sql);
                format!("(tupleElement({any}, 1) >= {} AND {text})", kind::TEXT)
            }
            Said::Date(day) => of(kind::DAY, day),
            Said::Clock(minute) => of(kind::CLOCK, minute),
            Said::Time(Moment { us, day, .. }) => {
                format!("({} OR {})", of(kind::INSTANT, us), of(kind::DAY, day))
            }
            Said::Unknown | Said::Any { .. } => "0".to_owned(),
        })
    }
}

/// A text that is to be compared with a day or a time, as what it writes; nothing where it writes none.
fn read_as(text: Option<&str>, beside: &Said) -> Result<Option<Said>, NotInSql> {
    let Some(text) = text else {
        return Err(NotInSql::new(
            "a text beside a day or a time",
            "only a text as it is written can be read as one",
        ));
    };
    let (of, value) = text_kind(text);
    Ok(match (of, beside) {
        (kind::DAY, Said::Date(_) | Said::Time(_)) => Some(Said::Date(whole(value))),
        (kind::INSTANT, Said::Time(_)) => {
            let us = whole(value);
            Some(Said::Time(Moment { us, day: "NULL".to_owned(), minute: "NULL".to_owned() }))
        }
        (kind::CLOCK, Said::Clock(_)) => Some(Said::Clock(whole(value))),
        _ => None,
    })
}
