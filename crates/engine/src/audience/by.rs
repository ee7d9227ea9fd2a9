//! By what an audience is broken down, and by which number it is put in order.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use zhiyin_audience::{MemberSet, Person, Question};
use zhiyin_condition::program::Node;
use zhiyin_condition::value::Value;
use zhiyin_condition::{Condition, Leaves, Part, Problem};
use zhiyin_model::id::MemberId;
use zhiyin_model::mask::Mask;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

use super::asking::Asking;
use super::one::One;
use super::{AudienceProblem, VALUES_MAX, expression};
use crate::sight::is_personal;
use crate::{Live, Result};

/// The most different numbers that are put into steps.
const STEPPED_MAX: usize = 1_000_000;

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
    /// An expression with one value.
    Value(Box<Condition>),
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
            _ => What::Value(Box::new(expression(live, text)?)),
        };
        Ok(Self { what, step })
    }

    /// Itself, if its values may be shown: what says who somebody is is masked, and a masked value counts nothing.
    pub(crate) fn shown(self, mask: Mask) -> Result<Self> {
        let personal = match &self.what {
            What::Tags => None,
            What::Texts(name) => Some(name).filter(|name| is_personal(name)),
            What::Value(condition) => condition.attributes().keys().find(|name| is_personal(name)),
        };
        let Some(name) = personal.filter(|_| mask != Mask::Full) else { return Ok(self) };
        let message = format!("attr.{name} says who somebody is, which this role is not shown");
        Err(AudienceProblem::By(vec![Problem { column: 1, message, suggestion: None }]).into())
    }

    /// The first `n` of a set by the number that it comes to, the greatest first.
    pub(crate) fn ranked(&self, asking: &Asking, set: &MemberSet, n: usize) -> Vec<(Decimal, MemberId)> {
        match &self.what {
            What::Value(condition) => {
                let question = Question { condition, now: asking.moment.at };
                asking.everyone.ranked(&question, set, (n, &asking.halt))
            }
            What::Tags | What::Texts(_) => Vec::new(),
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

    /// How many of a set there are of each value: of several, where members have several.
    pub(crate) fn counted(&self, asking: &Asking, set: &MemberSet) -> Result<BTreeMap<Shown, u64>> {
        let mut counts: BTreeMap<Shown, u64> = BTreeMap::new();
        match &self.what {
            What::Tags => {
                let (tags, without) = asking.everyone.tally_tags(set);
                counts.extend(tags.into_iter().map(|(tag, n)| (Shown::Text(tag), n)));
                if without > 0 {
                    counts.insert(Shown::Unknown, without);
                }
            }
            What::Texts(name) => {
                for (value, n) in asking.everyone.tally_attribute(name, set) {
                    let texts = match value {
                        Some(Scalar::Texts(texts)) => texts,
                        _ => Vec::new(),
                    };
                    let mut shown: Vec<Shown> = texts.into_iter().map(Shown::Text).collect();
                    if shown.is_empty() {
                        shown.push(Shown::Unknown);
                    }
                    shown.into_iter().for_each(|value| *counts.entry(value).or_default() += n);
                }
            }
            What::Value(condition) => {
                let question = Question { condition, now: asking.moment.at };
                // Steps make fewer of them.
                let most = if self.step.is_some() { STEPPED_MAX } else { VALUES_MAX };
                let told = asking.everyone.tally(&question, set, (most, &asking.halt));
                for (value, n) in told.ok_or(AudienceProblem::Values)? {
                    *counts.entry(self.stepped(Shown::of(value))).or_default() += n;
                }
            }
        }
        if counts.len() > VALUES_MAX {
            return Err(AudienceProblem::Values.into());
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
