//! Rows of history → leaves: what can be worked out as a row comes in, and what must wait.

use super::types::{Chain, Elements, Made, Type};
use super::{Asked, Compiler, Frame};
use crate::bounds::{GAP_DAYS_MAX, KEPT_ROWS_MAX};
use crate::cell::Side;
use crate::problem::Note;
use crate::program::{
    Base, Element, Field, Fold, LeafSpec, LeafUse, List, Measure, Node, RowsFold, Step, View,
};
use crate::tree::{Expr, Kind, Operator};
use crate::value::Value;

/// What is asked of rows of history. Nodes are read of the element, as variable 0.
enum Question {
    Fold(Fold),
    First(Node),
    Last(Node),
    MedianGap,
}

/// The `first(…)` or `last(…)` whose row an expression asks: of `sum(last(orders).items.map(i, i.paid))`
/// the `last(orders)`.
pub(crate) fn row_asked(expr: &Expr) -> Option<&Expr> {
    let mut at = match &expr.kind {
        Kind::Field { of, .. } | Kind::Each { of, .. } => &**of,
        Kind::Call { function, arguments } if FOLDS.contains(&function.as_str()) => arguments.first()?,
        _ => return None,
    };
    loop {
        at = match &at.kind {
            Kind::Field { of, .. } | Kind::Each { of, .. } => of,
            Kind::Call { function, arguments } if matches!(function.as_str(), "first" | "last") => {
                return (arguments.len() == 1).then_some(at);
            }
            _ => return None,
        };
    }
}

const FOLDS: [&str; 5] = ["size", "sum", "min", "max", "avg"];

impl<'e> Compiler<'_, 'e> {
    /// `first(rows)` and `last(rows)` themselves.
    pub(super) fn pick(&mut self, expr: &Expr, function: &str, rows: &'e Expr) -> Option<Made> {
        let chain = self.rows(function, rows)?;
        let elements = chain.elements;
        let node = match elements {
            Elements::Rows(_) => Node::Field(Element::Variable(0), Field::Time),
            Elements::Values(_) => Node::Variable(0),
        };
        let question = if function == "first" { Question::First(node) } else { Question::Last(node) };
        let leaf = self.leaf(expr, chain, question)?;
        Some(match elements {
            Elements::Rows(row) => Made::Picked(row, leaf),
            Elements::Values(of) => Made::Scalar(of, Node::Leaf(leaf)),
        })
    }

    /// An expression that asks the row of a `first(…)` or `last(…)`: worked out as rows come in, so that
    /// of the row only the answer is kept.
    pub(super) fn ask_row(&mut self, expr: &'e Expr, call: &'e Expr) -> Option<Made> {
        let Kind::Call { function, arguments } = &call.kind else {
            return None;
        };
        let chain = self.rows(function, arguments.first()?)?;
        self.frames.push(Frame { name: None, elements: chain.elements });
        let before = self.asked.replace(Asked { call, level: self.frames.len() });
        let made = self.make(expr);
        self.asked = before;
        self.frames.pop();
        let (of, node) = match made? {
            Made::Scalar(of, node) => (of, node),
            other => {
                let message = format!(
                    "{} of a first or last row must be counted, summed or asked at once",
                    other.words()
                );
                return self.problem(expr, message);
            }
        };
        if !node.reads().is_of_row() {
            let message = format!("what is asked of {function}(…) may speak of that row only");
            return self.problem(expr, message);
        }
        let question = if function == "first" { Question::First(node) } else { Question::Last(node) };
        let leaf = self.leaf(expr, chain, question)?;
        Some(Made::Scalar(of, Node::Leaf(leaf)))
    }

    pub(super) fn median_gap(&mut self, expr: &Expr, rows: &'e Expr) -> Option<Made> {
        let chain = self.rows("median_gap", rows)?;
        let leaf = self.leaf(expr, chain, Question::MedianGap)?;
        Some(Made::Scalar(Type::Number, Node::Leaf(leaf)))
    }

    pub(super) fn fold_chain(&mut self, at: &Expr, chain: Chain, fold: Fold) -> Option<Node> {
        let asks = if fold == Fold::Exists { Fold::Count } else { fold };
        let leaf = Node::Leaf(self.leaf(at, chain, Question::Fold(asks))?);
        Some(match fold {
            Fold::Exists => {
                let nothing = Node::Const(Value::Number(0.into()));
                Node::Compare(Operator::Greater, Box::new([leaf, nothing]))
            }
            _ => leaf,
        })
    }

    /// The leaf that answers a question about rows of history.
    fn leaf(&mut self, at: &Expr, chain: Chain, question: Question) -> Option<LeafUse> {
        if chain.steps.iter().any(|step| step.body().reads().variables >> 1 != 0) {
            return self
                .problem(at, "what is asked of history here may not use the element of a macro around it");
        }
        let n_early = chain.steps.iter().take_while(|step| step.body().reads().is_of_row()).count();
        if n_early < chain.steps.len() || chain.window.hours.is_some() {
            return self.kept_rows(at, chain, n_early, question);
        }
        let element = || Node::Variable(0);
        let (measure, view) = match question {
            Question::Fold(Fold::Count | Fold::Exists) => (Measure::Count, View::Plain),
            Question::Fold(Fold::Sum) => (Measure::Sum(element()), View::Plain),
            Question::Fold(Fold::Mean) => (Measure::Sum(element()), View::Mean),
            Question::Fold(Fold::Least) => (Measure::Least(element()), View::Plain),
            Question::Fold(Fold::Greatest) => (Measure::Greatest(element()), View::Plain),
            Question::First(node) => (Measure::First(node), View::Plain),
            Question::Last(node) => (Measure::Last(node), View::Plain),
            Question::MedianGap if chain.window.days.is_some() => (Measure::Count, View::MedianGap),
            Question::MedianGap => {
                self.note(at, format!("looks at the latest {GAP_DAYS_MAX} days with such a row"));
                (Measure::Gaps, View::MedianGap)
            }
        };
        let Chain { source, window, steps, .. } = chain;
        let side = measure.side();
        let leaf = self.leaf_number(LeafSpec { source, steps, measure, window });
        Some(LeafUse { leaf, window, side, view })
    }

    /// A leaf that must keep rows: what each step can be told of the row alone is worked out as it comes
    /// in and kept in a slot; the rest is asked when the condition is.
    fn kept_rows(
        &mut self,
        at: &Expr,
        mut chain: Chain,
        n_early: usize,
        question: Question,
    ) -> Option<LeafUse> {
        let reason = if chain.window.hours.is_some() {
            "a window of hours is counted row by row"
        } else {
            "what is asked of each row depends on more than the row"
        };
        self.note(at, format!("keeps the latest {KEPT_ROWS_MAX} rows of each member: {reason}"));
        let mut late = chain.steps.split_off(n_early);
        let mut slots = Vec::new();
        let mut mapped = false;
        for step in &mut late {
            if !mapped && !lift(step.body_mut(), 0, &mut slots) {
                let message =
                    "what is asked of the items of an order may speak of the item only; use `items`";
                return self.problem(at, message);
            }
            mapped |= matches!(step, Step::Map(_));
        }
        let lifted = |mut node: Node, slots: &mut Vec<Node>| {
            if !mapped {
                lift(&mut node, 0, slots);
            }
            node
        };
        let fold = match question {
            Question::Fold(fold @ (Fold::Count | Fold::Exists)) => RowsFold::Fold(fold),
            Question::Fold(fold) => {
                if !mapped {
                    late.push(Step::Map(lifted(Node::Variable(0), &mut slots)));
                }
                RowsFold::Fold(fold)
            }
            Question::First(node) => RowsFold::First(Box::new(lifted(node, &mut slots))),
            Question::Last(node) => RowsFold::Last(Box::new(lifted(node, &mut slots))),
            Question::MedianGap => RowsFold::MedianGap,
        };
        let Chain { source, window, steps, .. } = chain;
        let leaf = self.leaf_number(LeafSpec { source, steps, measure: Measure::Rows(slots), window });
        Some(LeafUse { leaf, window, side: Side::High, view: View::Rows(late, fold) })
    }

    /// The number of a leaf among the condition's own; the same leaf is one.
    fn leaf_number(&mut self, spec: LeafSpec) -> u16 {
        let known = self.leaves.iter().position(|leaf| *leaf == spec);
        let number = known.unwrap_or_else(|| {
            self.leaves.push(spec);
            self.leaves.len() - 1
        });
        // A condition has at most as many leaves as nodes.
        u16::try_from(number).unwrap_or(u16::MAX)
    }

    fn note(&mut self, at: &Expr, message: String) {
        let note = Note { column: (at.at.0 as usize).max(1), message };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// Replaces what can be told of the row at `depth` alone by slots. A row's time stays: it is always kept.
/// False if something of the row is needed that no slot can hold: its items.
fn lift(node: &mut Node, depth: u8, slots: &mut Vec<Node>) -> bool {
    let reads = node.reads();
    if reads.variables & (1 << depth) == 0 || *node == Node::Field(Element::Variable(depth), Field::Time) {
        return true;
    }
    if !reads.world && reads.variables == 1 << depth {
        let mut slot = node.clone();
        slot.lower(depth, depth);
        let number = slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
            slots.push(slot);
            slots.len() - 1
        });
        *node = Node::Slot(depth, u16::try_from(number).unwrap_or(u16::MAX));
        return true;
    }
    if let Node::Local(List { base, steps }, _) = node {
        let base = match base {
            Base::Items(Element::Variable(at)) => *at != depth,
            Base::Values(values) => values.iter_mut().all(|value| lift(value, depth, slots)),
            _ => true,
        };
        return base && steps.iter_mut().all(|step| lift(step.body_mut(), depth + 1, slots));
    }
    node.parts_mut().iter_mut().all(|part| lift(part, depth, slots))
}
