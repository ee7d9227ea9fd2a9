//! Why somebody is in an audience or not: each part of its condition, what it comes to for them, and what would turn it.

use std::cell::Cell;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_audience::Person;
use zhiyin_condition::tree::{Expr, Kind, Operator};
use zhiyin_condition::value::Value;
use zhiyin_condition::{Condition, Leaves, evaluate};
use zhiyin_model::mask::Mask;
use zhiyin_model::time::{DAY_US, Ts};

use super::by::{Shown, value_of};
use super::one::One;
use super::{checked, checked_for, expression};
use crate::sight::is_personal;
use crate::{Live, Result};

/// How far ahead it is looked for what time alone turns.
const AHEAD_DAYS: i64 = 3_660;
/// How often a part is asked again for that.
const LOOKS_MAX: usize = 4_000;
/// How often all parts together are: the whole comes first.
const LOOKS_ALL_MAX: usize = 20_000;

/// Why somebody is in an audience or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WhyView {
    /// The member's id.
    pub member: String,
    /// Whether the condition holds for them.
    pub holds: bool,
    /// The instant it speaks of.
    pub as_of: String,
    /// When time alone turns it, if nothing else happens; nothing, where it does not within ten years.
    pub turns_at: Option<String>,
    /// Parts of the condition, each before those that it is made of.
    pub parts: Vec<WhyPart>,
}

/// A part of a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WhyPart {
    /// How deep it lies: 0 is the whole.
    pub depth: usize,
    /// `and`, `or`, `not`, `if`; `is` for what is not taken further apart.
    pub kind: &'static str,
    /// As written.
    pub text: String,
    /// Whether it holds.
    pub holds: bool,
    /// What its left side comes to, where it compares; nothing, where that is unknown.
    pub value: Option<String>,
    /// What it is compared with.
    pub against: Option<String>,
    /// What would turn it, in words.
    pub needs: Option<String>,
    /// When time alone turns it.
    pub turns_at: Option<String>,
}

/// Somebody, and the instant they are asked about.
struct About<'a> {
    live: &'a Live,
    person: &'a Person,
    at: Ts,
    /// How much of them is shown.
    mask: Mask,
    /// How often it may be asked again.
    looks: Cell<usize>,
}

impl About<'_> {
    fn holds(&self, text: &str) -> Result<(bool, Option<Ts>)> {
        let mut condition = checked(self.live, text)?;
        let rules = &self.live.rules;
        let leaves = Leaves::collect([&mut condition], rules.zone.clone(), rules.currency.exponent);
        let one = One::of(self.person, &leaves);
        let judged = evaluate(&condition, &leaves, &one, self.at);
        let end = self.at.plus_us(AHEAD_DAYS * DAY_US);
        let mut until = judged.until;
        for _ in 0..LOOKS_MAX {
            if until >= end || self.looks.get() == 0 {
                return Ok((judged.value, None));
            }
            self.looks.set(self.looks.get() - 1);
            let then = evaluate(&condition, &leaves, &one, until);
            if then.value != judged.value {
                return Ok((judged.value, Some(until)));
            }
            until = then.until;
        }
        Ok((judged.value, None))
    }

    /// What a side of a comparison comes to; `None` where it is no single value.
    fn value(&self, side: &Expr) -> Option<Value> {
        let mut condition = expression(self.live, &Condition::to_text(side)).ok()?;
        let rules = &self.live.rules;
        let leaves = Leaves::collect([&mut condition], rules.zone.clone(), rules.currency.exponent);
        Some(value_of(&condition, &leaves, self.person, self.at))
    }

    /// Whether a side of a comparison says who somebody is, to somebody who is not shown that.
    fn is_hidden(&self, side: &Expr) -> bool {
        let reads_personal = |condition: Condition| condition.attributes().keys().any(|key| is_personal(key));
        self.mask != Mask::Full && expression(self.live, &Condition::to_text(side)).is_ok_and(reads_personal)
    }

    fn take_apart(&self, expr: &Expr, depth: usize, parts: &mut Vec<WhyPart>) -> Result<()> {
        let text = Condition::to_text(expr);
        let (holds, turns_at) = self.holds(&text)?;
        let turns_at = turns_at.map(Ts::rfc3339);
        let mut part =
            WhyPart { depth, kind: "is", text, holds, value: None, against: None, needs: None, turns_at };
        let within: Vec<&Expr> = match &expr.kind {
            Kind::And(parts) => {
                part.kind = "and";
                parts.iter().collect()
            }
            Kind::Or(parts) => {
                part.kind = "or";
                parts.iter().collect()
            }
            Kind::Not(of) => {
                part.kind = "not";
                vec![of]
            }
            Kind::If { test, then, otherwise } => {
                part.kind = "if";
                vec![test, then, otherwise]
            }
            Kind::Binary { op, left, right } => {
                self.compare(*op, left, right, &mut part);
                Vec::new()
            }
            _ => Vec::new(),
        };
        parts.push(part);
        within.into_iter().try_for_each(|expr| self.take_apart(expr, depth + 1, parts))
    }

    fn compare(&self, op: Operator, left: &Expr, right: &Expr, part: &mut WhyPart) {
        let shown = |value: Option<Value>| {
            value.filter(|value| *value != Value::Unknown).map(|value| Shown::of(value).text())
        };
        if self.is_hidden(left) || self.is_hidden(right) {
            part.against = Some(Condition::to_text(right));
            return;
        }
        let (is, with) = (self.value(left), self.value(right));
        part.needs = needs(op, part.holds, is.as_ref(), with.as_ref());
        (part.value, part.against) = (shown(is), shown(with));
        if part.against.is_none() {
            part.against = Some(Condition::to_text(right));
        }
    }
}

/// What would turn a comparison, in words.
fn needs(op: Operator, holds: bool, is: Option<&Value>, with: Option<&Value>) -> Option<String> {
    let is = match is {
        None | Some(Value::Unknown) => return (!holds).then(|| "it must be known first".to_owned()),
        Some(is) => is,
    };
    let (Value::Number(is), Some(Value::Number(with))) = (is, with) else { return None };
    let gap = with.checked_sub(*is)?.abs().normalize();
    let (more, beyond) = match op {
        Operator::GreaterEqual => (!holds, holds),
        Operator::Greater => (!holds, !holds),
        Operator::LessEqual => (holds, holds),
        Operator::Less => (holds, !holds),
        Operator::Equal if !holds => return Some(format!("{} by {gap}", word(is < with))),
        _ => return None,
    };
    Some(format!("{} by {}{gap}", word(more), if beyond { "more than " } else { "" }))
}

const fn word(more: bool) -> &'static str {
    if more { "more" } else { "less" }
}

/// Takes a condition apart for somebody.
pub(crate) fn why(live: &Live, person: &Person, text: &str, (at, mask): (Ts, Mask)) -> Result<WhyView> {
    let condition = checked_for(live, text, mask)?;
    let about = About { live, person, at, mask, looks: Cell::new(LOOKS_ALL_MAX) };
    let mut parts = Vec::new();
    about.take_apart(condition.tree(), 0, &mut parts)?;
    let (holds, turns_at) = parts.first().map_or((false, None), |part| (part.holds, part.turns_at.clone()));
    Ok(WhyView { member: person.id.to_string(), holds, as_of: at.rfc3339(), turns_at, parts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_a_comparison_is_said_exactly() {
        let number = |n: i64| Value::Number(n.into());
        for (is, op, with, said) in [
            (3, Operator::GreaterEqual, 4, Some("more by 1")),
            (6, Operator::GreaterEqual, 4, Some("less by more than 2")),
            (3, Operator::Greater, 3, Some("more by more than 0")),
            (5, Operator::Greater, 3, Some("less by 2")),
            (61, Operator::LessEqual, 60, Some("less by 1")),
            (60, Operator::LessEqual, 60, Some("more by more than 0")),
            (2, Operator::Less, 5, Some("more by 3")),
            (5, Operator::Less, 5, Some("less by more than 0")),
            (2, Operator::Equal, 5, Some("more by 3")),
            (5, Operator::Equal, 5, None),
        ] {
            let holds = match op {
                Operator::GreaterEqual => is >= with,
                Operator::Greater => is > with,
                Operator::LessEqual => is <= with,
                Operator::Less => is < with,
                _ => is == with,
            };
            let found = needs(op, holds, Some(&number(is)), Some(&number(with)));
            assert_eq!(found.as_deref(), said, "{is} {} {with}", op.word());
        }
        let unknown = needs(Operator::Less, false, Some(&Value::Unknown), Some(&number(1)));
        assert_eq!(unknown.as_deref(), Some("it must be known first"));
    }
}
