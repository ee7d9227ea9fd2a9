//! By what an audience is broken down, and by which number it is put in order.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use zhiyin_audience::Person;
use zhiyin_condition::program::Node;
use zhiyin_condition::value::Value;
use zhiyin_condition::{Condition, Leaves, Part, Problem};
use zhiyin_model::mask::Mask;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

use super::one::One;
use super::{AudienceProblem, VALUES_MAX, expression};
use crate::sight::is_personal;
use crate::{Live, Result};

/// What is asked of each member.
pub(crate) struct By {
    pub(super) what: What,
    /// Width of the steps of a histogram.
    step: Option<Decimal>,
}

/// By what.
pub(crate) enum What {
    /// Tags.
    Tags,
    /// An attribute of several texts.
    Texts(String),
    /// An expression with one value, and the leaves of its history.
    Value(Box<Condition>, Leaves),
}

/// A value of a breakdown, in the order in which they are shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shown {
    /// A number, or the first of a step.
    Number(Decimal),
    /// Anything else.
    Text(String),
    /// Not known.
    Unknown,
}

impl Shown {
    pub(crate) fn of(value: Value) -> Self {
        match value {
            Value::Unknown => Self::Unknown,
            Value::Bool(value) => Self::Text(value.to_string()),
            Value::Number(number) => Self::Number(number),
            Value::Text(text) => Self::Text(text.into()),
            Value::Date(day) => Self::Text(day.to_string()),
            Value::Time(at) => Self::Text(at.rfc3339()),
            Value::Clock(minutes) => Self::Text(format!("{:02}:{:02}", minutes / 60, minutes % 60)),
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Number(number) => number.normalize().to_string(),
            Self::Text(text) => text.clone(),
            Self::Unknown => String::new(),
        }
    }
}

impl By {
    /// `tier`, `lifecycle`, `store`, `tags`, `attr.X`, or any expression of the condition language with one value.
    pub(crate) fn read(live: &Live, text: &str, step: Option<&str>) -> Result<Self> {
        let step = match step {
            None => None,
            Some(step) => {
                let number =
                    step.parse::<Decimal>().ok().filter(|step| step.is_sign_positive() && !step.is_zero());
                Some(number.ok_or(AudienceProblem::Step)?)
            }
        };
        let text = text.trim();
        let attribute = text.strip_prefix("attr.").filter(|name| {
            let kind = live.playbook.attributes.get(*name).map(|attribute| attribute.kind);
            kind == Some(zhiyin_model::playbook::AttributeKind::Texts)
        });
        let what = match (text, attribute) {
            ("tags", _) => What::Tags,
            (_, Some(name)) => What::Texts(name.to_owned()),
            _ => {
                let mut condition = expression(live, text)?;
                let (zone, exponent) = (live.rules.zone.clone(), live.rules.currency.exponent);
                let leaves = Leaves::collect([&mut condition], zone, exponent);
                What::Value(Box::new(condition), leaves)
            }
        };
        Ok(Self { what, step })
    }

    /// Itself, if its values may be shown: what says who somebody is is masked, and a masked value counts nothing.
    pub(crate) fn shown(self, mask: Mask) -> Result<Self> {
        let personal = match &self.what {
            What::Tags => None,
            What::Texts(name) => Some(name).filter(|name| is_personal(name)),
            What::Value(condition, _) => condition.attributes().keys().find(|name| is_personal(name)),
        };
        let Some(name) = personal.filter(|_| mask != Mask::Full) else { return Ok(self) };
        let message = format!("attr.{name} says who somebody is, which this role is not shown");
        Err(AudienceProblem::By(vec![Problem { column: 1, message, suggestion: None }]).into())
    }

    /// What it comes to for somebody at an instant: several values, where it has several.
    pub(crate) fn values(&self, person: &Person, now: Ts) -> Vec<Shown> {
        let texts: Vec<Shown> = match &self.what {
            What::Tags => person.tags.iter().cloned().map(Shown::Text).collect(),
            What::Texts(name) => match person.attributes.get(name) {
                Some(Scalar::Texts(texts)) => texts.iter().cloned().map(Shown::Text).collect(),
                _ => Vec::new(),
            },
            What::Value(condition, leaves) => {
                let value = value_of(condition, leaves, person, now);
                return vec![self.stepped(Shown::of(value))];
            }
        };
        if texts.is_empty() { vec![Shown::Unknown] } else { texts }
    }

    /// The number that it comes to for somebody.
    pub(crate) fn number(&self, person: &Person, now: Ts) -> Option<Decimal> {
        match self.values(person, now).into_iter().next() {
            Some(Shown::Number(number)) => Some(number),
            _ => None,
        }
    }

    /// A number as the first of its step, where there are steps.
    pub(super) fn stepped(&self, shown: Shown) -> Shown {
        match (shown, self.step) {
            (Shown::Number(number), Some(step)) => {
                let steps = number.checked_div(step).map(|steps| steps.floor());
                let first = steps.and_then(|steps| steps.checked_mul(step));
                first.map_or(Shown::Unknown, |first| Shown::Number(first.normalize()))
            }
            (shown, _) => shown,
        }
    }

    /// How many there are of each value.
    pub(crate) fn counted(
        &self,
        persons: impl Iterator<Item = Person>,
        now: Ts,
    ) -> Result<BTreeMap<Shown, u64>> {
        let mut counts: BTreeMap<Shown, u64> = BTreeMap::new();
        for person in persons {
            for value in self.values(&person, now) {
                *counts.entry(value).or_default() += 1;
            }
            if counts.len() > VALUES_MAX {
                return Err(AudienceProblem::Values.into());
            }
        }
        Ok(counts)
    }
}

/// The value of an expression that [`expression`] read, which was collected into these leaves.
pub(crate) fn value_of(condition: &Condition, leaves: &Leaves, person: &Person, now: Ts) -> Value {
    let node = match condition.root() {
        Node::Known(node) => node,
        node => node,
    };
    Part::new(condition, node, leaves, now).value(&One::of(person, leaves))
}
