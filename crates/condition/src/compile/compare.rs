//! Comparisons and membership: which kinds may meet, and what a text means beside another kind.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::types::{Elements, Made, Type};
use super::{Compiler, Frame};
use crate::program::{Base, Fold, List, Node, Step};
use crate::tree::{Expr, Kind, Operator};
use crate::value::Value;

impl<'e> Compiler<'_, 'e> {
    pub(super) fn compare(
        &mut self,
        expr: &Expr,
        op: Operator,
        left: &'e Expr,
        right: &'e Expr,
    ) -> Option<Made> {
        for (null, other) in [(left, right), (right, left)] {
            if null.kind == Kind::Null {
                return self.compare_null(expr, op, other);
            }
        }
        let (left_made, right_made) = (self.scalar(left), self.scalar(right));
        let (mut a, mut b) = (left_made?, right_made?);
        if let Kind::Text(text) = &left.kind
            && b.0.is_written()
        {
            a = (b.0, self.literal(left, text, b.0)?);
        } else if let Kind::Text(text) = &right.kind
            && a.0.is_written()
        {
            b = (a.0, self.literal(right, text, a.0)?);
        }
        let equality = matches!(op, Operator::Equal | Operator::NotEqual);
        if !a.0.equates(b.0) {
            let message = format!("{} cannot be compared with {}", a.0.words(), b.0.words());
            return self.problem(expr, message);
        }
        if !equality {
            if (a.0 == Type::Tier) != (b.0 == Type::Tier) {
                return self.problem(expr, "a tier has an order only beside a tier as it is written");
            }
            if !a.0.is_ordered() || !b.0.is_ordered() {
                let unordered = if a.0.is_ordered() { b.0 } else { a.0 };
                let message = format!("{} has no order; ask `==` or `in`", unordered.words());
                return self.problem(expr, message);
            }
            if a.0 == Type::Tier {
                return Some(self.compare_tiers(op, a.1, b.1));
            }
        }
        Some(Made::Scalar(Type::Bool, Node::Compare(op, Box::new([a.1, b.1]))))
    }

    /// `x == null`: whether there is a value.
    fn compare_null(&mut self, expr: &Expr, op: Operator, other: &'e Expr) -> Option<Made> {
        let known = match self.make(other)? {
            Made::Scalar(_, node) => Node::Known(Box::new(node)),
            Made::Element(_, element) => Node::AtHand(element),
            Made::Picked(_, time) => Node::Known(Box::new(Node::Leaf(time))),
            list => {
                let message = format!("{} is never null; ask size(…) == 0", list.words());
                return self.problem(expr, message);
            }
        };
        match op {
            Operator::Equal => Some(Made::Scalar(Type::Bool, Node::Not(Box::new(known)))),
            Operator::NotEqual => Some(Made::Scalar(Type::Bool, known)),
            _ => self.problem(expr, "null has no order; ask `== null` or `!= null`"),
        }
    }

    /// Tiers compare by their place in the playbook's order.
    fn compare_tiers(&self, op: Operator, left: Node, right: Node) -> Made {
        let tiers: Arc<[String]> = self.schema.tiers.as_slice().into();
        let rank = |node: Node| match &node {
            Node::Const(Value::Text(tier)) => {
                let place = tiers.iter().position(|known| **known == **tier);
                Node::Const(place.map_or(Value::Unknown, |place| Value::Number(Decimal::from(place))))
            }
            _ => Node::Rank(Arc::clone(&tiers), Box::new(node)),
        };
        let (left, right) = (rank(left), rank(right));
        Made::Scalar(Type::Bool, Node::Compare(op, Box::new([left, right])))
    }

    /// `left in right`.
    pub(super) fn among(&mut self, left: &'e Expr, right: &'e Expr) -> Option<Made> {
        if let Kind::List(parts) = &right.kind {
            return self.among_written(left, parts);
        }
        let made = self.make(right)?;
        let elements = match &made {
            Made::List(_, elements) => *elements,
            Made::Chain(chain) => chain.elements,
            Made::Scalar(of, _) if of.is_text() => {
                return self.suggest(right, "`in` needs a list; this is a text", Some("contains"));
            }
            other => {
                let message = format!("`in` needs a list; this is {}", other.words());
                return self.problem(right, message);
            }
        };
        let Elements::Values(of) = elements else {
            let message = format!("`in` needs a list of values; this is {}; use exists", elements.words());
            return self.problem(right, message);
        };
        let asks_tags = matches!(&made, Made::List(List { base: Base::Tags, steps }, _) if steps.is_empty());
        if asks_tags {
            let (_, needle) = self.needle(left, Type::Text)?;
            if let Kind::Text(tag) = &left.kind {
                self.tag(left, tag)?;
            }
            return Some(Made::Scalar(Type::Bool, Node::HasTag(Box::new(needle))));
        }
        // The left side is read inside of a macro over the list, so it is compiled as if it stood there.
        self.frames.push(Frame { name: None, elements });
        let needle = self.needle(left, of);
        self.frames.pop();
        let (_, needle) = needle?;
        let equal = Node::Compare(Operator::Equal, Box::new([Node::Variable(0), needle]));
        let node = self.exists(right, made, Step::Filter(equal))?;
        Some(Made::Scalar(Type::Bool, node))
    }

    fn among_written(&mut self, left: &'e Expr, parts: &'e [Expr]) -> Option<Made> {
        let (of, needle) = self.scalar(left)?;
        let mut nodes = vec![needle];
        for part in parts {
            nodes.push(self.needle(part, of)?.1);
        }
        Some(Made::Scalar(Type::Bool, Node::Among(nodes)))
    }

    /// A value that is to equal one of a type.
    fn needle(&mut self, expr: &'e Expr, beside: Type) -> Option<(Type, Node)> {
        if let Kind::Text(text) = &expr.kind {
            if !beside.is_written() {
                let message = format!("a text cannot be compared with {}", beside.words());
                return self.problem(expr, message);
            }
            return self.literal(expr, text, beside).map(|node| (beside, node));
        }
        let (of, node) = self.scalar(expr)?;
        if !of.equates(beside) {
            let message = format!("{} cannot be compared with {}", of.words(), beside.words());
            return self.problem(expr, message);
        }
        Some((of, node))
    }

    /// Whether a list has an element after a last step.
    pub(super) fn exists(&mut self, at: &Expr, made: Made, step: Step) -> Option<Node> {
        match made {
            Made::List(mut list, _) => {
                list.steps.push(step);
                Some(Node::Local(list, Fold::Exists))
            }
            Made::Chain(mut chain) => {
                chain.steps.push(step);
                self.fold_chain(at, chain, Fold::Exists)
            }
            other => self.problem(at, format!("a list is needed here; this is {}", other.words())),
        }
    }
}
