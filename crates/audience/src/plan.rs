//! A condition's program → a plan over columns: which parts a column answers, which a history, and which only the evaluator
//! for one member.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use zhiyin_condition::program::{
    Base, Element, Field, LeafUse, List, Measure, Member, Node, Source, Step, View,
};
use zhiyin_condition::tree::{Kind as TreeKind, Operator};
use zhiyin_condition::value::Value;
use zhiyin_condition::{Condition, Expr};

use crate::marks::Mark;
use crate::pieces::Breaks;
use crate::rows::{LeafPlan, Made};
use crate::said::SaidAsked;

/// A plan: `&&`, `||` and `!` over tests.
#[derive(Debug)]
pub(crate) enum Plan {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    /// Place of a test among all.
    Test(usize),
    Always(bool),
}

/// A yes or no that is asked of members at once.
#[derive(Debug)]
pub(crate) struct Test<'c> {
    pub(crate) node: &'c Node,
    /// As written.
    pub(crate) text: String,
    pub(crate) kind: Kind<'c>,
    /// The leaves of history that it reads, with the plans of those that columns can tell.
    pub(crate) leaves: Vec<(&'c LeafUse, Option<LeafPlan<'c>>)>,
    /// Of which histories the rows matter that lie within so many days; whoever has none is answered as one without.
    pub(crate) looks_at: Option<Vec<(Source, Option<u32>)>>,
}

/// How a test is answered.
#[derive(Debug)]
pub(crate) enum Kind<'c> {
    /// By the code of one column.
    Coded(Column<'c>),
    /// By points, within these bounds.
    Points(i64, i64),
    /// By a tag, or by being on a list.
    Tag(Cow<'c, str>),
    /// By when they enrolled: asked once for each piece of time.
    Enrolled(Breaks),
    /// By what was said: asked once for each way of having said something.
    Said(SaidAsked),
    /// By how many rows of history pass, compared with a whole number.
    Count(Box<LeafPlan<'c>>, Operator, i64),
    /// By the sum of a whole number of each row, compared with one, in units of the column.
    Sum(Box<LeafPlan<'c>>, Operator, Decimal),
    /// By the days since the last row of all, within these bounds.
    Recency(Source, i64, i64),
    /// By the code that the first or last row of a history has.
    Picked(&'c LeafUse, Box<LeafPlan<'c>>),
    /// By the evaluator for one member, with leaves that columns can tell.
    Slow,
}

/// A column of one coded value a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column<'c> {
    Attribute(&'c str),
    Tier,
    Lifecycle,
    Store,
}

impl Kind<'_> {
    /// What it costs a member, roughly, in nanoseconds: to begin with, before it was measured.
    pub(crate) fn cost(&self) -> f64 {
        match self {
            Self::Coded(_) | Self::Tag(_) => 0.1,
            Self::Points(..) => 0.15,
            Self::Recency(..) => 0.5,
            Self::Enrolled(_) => 1.0,
            Self::Said(_) => 20.0,
            Self::Count(..) => 8.0,
            Self::Sum(..) | Self::Picked(..) => 12.0,
            Self::Slow => 500.0,
        }
    }

    /// In a word, for whoever wants the plan explained.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Coded(_) => "column",
            Self::Points(..) => "number",
            Self::Enrolled(_) => "instant",
            Self::Said(_) => "what was said",
            Self::Tag(_) => "bitmap",
            Self::Recency(..) => "last day",
            Self::Count(..) | Self::Sum(..) | Self::Picked(..) => "history",
            Self::Slow => "member by member",
        }
    }
}

/// What a node reads of a member.
#[derive(Debug, Default)]
struct Reads<'c> {
    columns: BTreeSet<Column<'c>>,
    leaves: Vec<&'c LeafUse>,
    /// When they enrolled.
    enrolled: bool,
    /// What they said of themselves.
    said: bool,
    other: bool,
}

impl<'c> Reads<'c> {
    fn of(node: &'c Node) -> Self {
        let mut reads = Self::default();
        reads.take(node);
        reads
    }

    fn take(&mut self, node: &'c Node) {
        match node {
            Node::Attribute(name, _) => drop(self.columns.insert(Column::Attribute(name))),
            Node::Member(
                Member::Age | Member::IsBirthday | Member::DaysToBirthday | Member::DaysSinceBirthday,
            ) => {
                self.columns.insert(Column::Attribute("birthday"));
            }
            Node::Member(Member::Tier) => drop(self.columns.insert(Column::Tier)),
            Node::Member(Member::Lifecycle) => drop(self.columns.insert(Column::Lifecycle)),
            Node::Member(Member::Store) => drop(self.columns.insert(Column::Store)),
            Node::Member(Member::EnrolledAt) => self.enrolled = true,
            Node::Member(Member::Points) | Node::HasTag(_) => self.other = true,
            Node::Consent(_) => self.said = true,
            Node::Leaf(leaf) => self.leaves.push(leaf),
            Node::Local(list, _) => self.list(list),
            Node::AtHand(_) | Node::Bucket(_) | Node::Listed(_) => self.other = true,
            Node::Field(Element::Event | Element::Order | Element::Cart | Element::CartItem, _) => {
                self.other = true
            }
            _ => {}
        }
        node.parts().iter().for_each(|part| self.take(part));
    }

    fn list(&mut self, list: &'c List) {
        match &list.base {
            Base::Texts(name) => drop(self.columns.insert(Column::Attribute(name))),
            Base::Values(values) => values.iter().for_each(|value| self.take(value)),
            Base::Dependants => self.said = true,
            Base::Tags | Base::Items(_) => self.other = true,
        }
        for Step::Filter(body) | Step::Map(body) in &list.steps {
            self.take(body);
        }
    }
}

/// The column that is all that a node reads of a member, where that is one.
pub(crate) fn column_of(node: &Node) -> Option<Column<'_>> {
    let reads = Reads::of(node);
    let only =
        !reads.other && !reads.enrolled && !reads.said && reads.leaves.is_empty() && reads.columns.len() == 1;
    reads.columns.first().copied().filter(|_| only)
}

/// The leaves of history that a node reads, with the plans of those that columns can tell.
pub(crate) fn leaves_of<'c>(
    condition: &'c Condition,
    node: &'c Node,
) -> Vec<(&'c LeafUse, Option<LeafPlan<'c>>)> {
    let leaves = Reads::of(node).leaves;
    leaves.into_iter().map(|leaf| (leaf, LeafPlan::of(condition, leaf))).collect()
}

/// Gathers the tests of a condition.
#[derive(Debug)]
pub(crate) struct Planner<'c> {
    condition: &'c Condition,
    currency_exponent: u32,
    pub(crate) tests: Vec<Test<'c>>,
}

impl<'c> Planner<'c> {
    /// The plan of a condition, and its tests.
    pub(crate) fn plan(condition: &'c Condition, currency_exponent: u32) -> (Plan, Vec<Test<'c>>) {
        let mut planner = Self { condition, currency_exponent, tests: Vec::new() };
        let plan = planner.make(condition.root(), Some(condition.tree()));
        (plan, planner.tests)
    }

    fn make(&mut self, node: &'c Node, tree: Option<&Expr>) -> Plan {
        // Where the tree has another shape than the program, the words of what is around are as near as can be.
        let parts_of = |parts: &[Node], kind: Option<&'_ TreeKind>| -> Vec<Option<Expr>> {
            match kind {
                Some(TreeKind::And(trees) | TreeKind::Or(trees)) if trees.len() == parts.len() => {
                    trees.iter().cloned().map(Some).collect()
                }
                _ => vec![tree.cloned(); parts.len()],
            }
        };
        match node {
            Node::And(parts) => {
                let trees = parts_of(parts, tree.map(|tree| &tree.kind));
                let made = parts.iter().zip(&trees).map(|(part, tree)| self.make(part, tree.as_ref()));
                Plan::And(made.collect())
            }
            Node::Or(parts) => {
                let trees = parts_of(parts, tree.map(|tree| &tree.kind));
                let made = parts.iter().zip(&trees).map(|(part, tree)| self.make(part, tree.as_ref()));
                Plan::Or(made.collect())
            }
            Node::Not(of) => {
                let inner = match tree.map(|tree| &tree.kind) {
                    Some(TreeKind::Not(inner)) => Some(&**inner),
                    _ => tree,
                };
                Plan::Not(Box::new(self.make(of, inner)))
            }
            Node::Const(value) => Plan::Always(*value == Value::Bool(true)),
            _ => self.test(node, tree),
        }
    }

    fn test(&mut self, node: &'c Node, tree: Option<&Expr>) -> Plan {
        let reads = Reads::of(node);
        let kind = self.kind(node, &reads);
        let beside = reads.other || reads.enrolled || reads.said;
        let only_history = reads.columns.is_empty() && !beside && !reads.leaves.is_empty();
        let looks_at = only_history.then(|| {
            let of = |leaf: &&LeafUse| {
                let spec = &self.condition.leaves()[usize::from(leaf.leaf)];
                // A row within so many hours lies within as many days, rounded up, and a day more.
                let by_hours = leaf.window.hours.map(|hours| hours / 24 + 2);
                let days = match (leaf.window.days, by_hours) {
                    (Some(days), Some(by_hours)) => Some(days.min(by_hours)),
                    (days, by_hours) => days.or(by_hours),
                };
                (spec.source.clone(), days)
            };
            reads.leaves.iter().map(of).collect()
        });
        let text = tree.map_or_else(String::new, Condition::to_text);
        let leaves = reads.leaves.iter().map(|leaf| (*leaf, LeafPlan::of(self.condition, leaf))).collect();
        self.tests.push(Test { node, text, kind, leaves, looks_at });
        Plan::Test(self.tests.len() - 1)
    }

    fn kind(&self, node: &'c Node, reads: &Reads<'c>) -> Kind<'c> {
        let plain = !reads.other && reads.columns.is_empty() && reads.leaves.is_empty();
        if plain
            && reads.said
            && !reads.enrolled
            && let Some(asked) = SaidAsked::of(node)
        {
            return Kind::Said(asked);
        }
        let reads_other = reads.other || reads.said;
        if let (true, false, [], true) =
            (reads.enrolled, reads_other, &reads.leaves[..], reads.columns.is_empty())
            && let Some(breaks) = Breaks::of(node)
        {
            return Kind::Enrolled(breaks);
        }
        if let (false, [], 1) = (reads_other || reads.enrolled, &reads.leaves[..], reads.columns.len())
            && let Some(column) = reads.columns.first()
        {
            return Kind::Coded(*column);
        }
        if let ([leaf], true) =
            (&reads.leaves[..], reads.columns.is_empty() && !reads_other && !reads.enrolled)
            && let Some(plan) = LeafPlan::of(self.condition, leaf)
            && plan.picks_a_code()
        {
            return Kind::Picked(leaf, Box::new(plan));
        }
        match node {
            Node::HasTag(tag) => match &**tag {
                Node::Const(Value::Text(tag)) => Kind::Tag(Cow::Borrowed(tag)),
                _ => Kind::Slow,
            },
            Node::Listed(list) => Kind::Tag(Cow::Owned(Mark::List(list).key())),
            Node::Compare(op, sides) => match &**sides {
                [left, Node::Const(Value::Number(number))] => self.compared(*op, left, *number),
                [Node::Const(Value::Number(number)), right] => self.compared(op.mirrored(), right, *number),
                _ => Kind::Slow,
            },
            _ => Kind::Slow,
        }
    }

    fn compared(&self, op: Operator, node: &'c Node, number: Decimal) -> Kind<'c> {
        match node {
            Node::Member(Member::Points) => match bounds(op, number) {
                Some((low, high)) => Kind::Points(low, high),
                None => Kind::Slow,
            },
            Node::Leaf(leaf) => {
                let Some(plan) = LeafPlan::of(self.condition, leaf) else { return Kind::Slow };
                match plan.made {
                    // What is no whole number is compared as the whole number beyond it.
                    Made::Count => match whole(op, number) {
                        Some((op, whole)) => Kind::Count(Box::new(plan), op, whole),
                        None => Kind::Slow,
                    },
                    Made::Sum if plan.sums(self.currency_exponent) => Kind::Sum(Box::new(plan), op, number),
                    _ => Kind::Slow,
                }
            }
            Node::DaysSince(of) => match (&**of, bounds(op, number)) {
                (Node::Leaf(leaf), Some((low, high))) if leaf.window == Default::default() => {
                    let spec = &self.condition.leaves()[usize::from(leaf.leaf)];
                    let last = Measure::Last(Node::Field(Element::Variable(0), Field::Time));
                    let plain = spec.steps.is_empty() && spec.measure == last && leaf.view == View::Plain;
                    match &spec.source {
                        // An order without items has no last item.
                        Source::Items => Kind::Slow,
                        source if plain => Kind::Recency(source.clone(), low, high),
                        _ => Kind::Slow,
                    }
                }
                _ => Kind::Slow,
            },
            _ => Kind::Slow,
        }
    }
}

/// `x op number` for whole `x`, as a comparison with a whole number; `None` beyond what counts can be.
pub(crate) fn whole(op: Operator, number: Decimal) -> Option<(Operator, i64)> {
    let is_whole = number.fract().is_zero();
    match op {
        Operator::Less | Operator::GreaterEqual => Some((op, number.ceil().to_i64()?)),
        Operator::LessEqual | Operator::Greater => Some((op, number.floor().to_i64()?)),
        Operator::Equal | Operator::NotEqual if is_whole => Some((op, number.to_i64()?)),
        _ => None,
    }
}

/// The whole numbers for which `x op number` holds, where they are one range.
pub(crate) fn bounds(op: Operator, number: Decimal) -> Option<(i64, i64)> {
    let (op, whole) = whole(op, number)?;
    Some(match op {
        Operator::Less => (i64::MIN, whole.checked_sub(1)?),
        Operator::LessEqual => (i64::MIN, whole),
        Operator::Greater => (whole.checked_add(1)?, i64::MAX),
        Operator::GreaterEqual => (whole, i64::MAX),
        Operator::Equal => (whole, whole),
        _ => return None,
    })
}
