//! Tree → program: gives names their meaning and expressions their types, and cuts history into leaves.
//!
//! Every problem found is recorded with its column, and compiling goes on where it can, so that people
//! see all of them at once. `None` means that a problem was recorded for this expression.

mod audience;
mod compare;
mod functions;
mod history;
mod names;
mod types;

use std::collections::BTreeMap;

use crate::inline::Inlined;
use crate::problem::{Note, Problem};
use crate::program::{LeafSpec, Node, Step};
use crate::schema::{AttributeType, Schema, Scope};
use crate::tree::{Each, Expr, Kind, Operator};
use crate::value::Value;

pub(crate) use history::row_asked;
pub(crate) use names::{WEEKDAYS, attribute_value};
pub(crate) use types::Type;
use types::{Chain, Elements, Made};

/// What a tree compiles to.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    pub(crate) root: Node,
    pub(crate) leaves: Vec<LeafSpec>,
    pub(crate) notes: Vec<Note>,
    /// The attributes it reads, with their types.
    pub(crate) attributes: BTreeMap<String, AttributeType>,
}

/// Compiles a tree, which must be a yes or no.
pub(crate) fn compile(tree: &Expr, schema: &Schema, inlined: &Inlined) -> Result<Compiled, Vec<Problem>> {
    let mut compiler = Compiler::new(schema, inlined);
    let root = compiler.bool(tree);
    compiler.problems.sort_by_key(|problem| problem.column);
    compiler.problems.dedup();
    match root {
        Some(root) if compiler.problems.is_empty() => Ok(Compiled {
            root,
            leaves: compiler.leaves,
            notes: compiler.notes,
            attributes: compiler.attributes,
        }),
        _ => Err(compiler.problems),
    }
}

/// A macro around what is being compiled.
#[derive(Clone, Debug)]
struct Frame {
    /// The name of its element; none where only the compiler knows it.
    name: Option<String>,
    elements: Elements,
}

/// A `first(…)` or `last(…)` whose row is being asked: it stands for the element of a frame.
#[derive(Clone, Copy, Debug)]
struct Asked<'e> {
    call: &'e Expr,
    /// How many frames there are around its own, that included.
    level: usize,
}

struct Compiler<'s, 'e> {
    schema: &'s Schema,
    /// What may be spoken of here: within a saved audience, of the member alone.
    scope: Scope,
    /// The trees of the saved audiences that are named.
    inlined: &'e Inlined,
    frames: Vec<Frame>,
    asked: Option<Asked<'e>>,
    leaves: Vec<LeafSpec>,
    notes: Vec<Note>,
    problems: Vec<Problem>,
    attributes: BTreeMap<String, AttributeType>,
}

impl<'s, 'e> Compiler<'s, 'e> {
    const fn new(schema: &'s Schema, inlined: &'e Inlined) -> Self {
        Self {
            schema,
            scope: schema.scope,
            inlined,
            frames: Vec::new(),
            asked: None,
            leaves: Vec::new(),
            notes: Vec::new(),
            problems: Vec::new(),
            attributes: BTreeMap::new(),
        }
    }

    fn problem<T>(&mut self, at: &Expr, message: impl Into<String>) -> Option<T> {
        self.suggest(at, message, None)
    }

    fn suggest<T>(&mut self, at: &Expr, message: impl Into<String>, suggestion: Option<&str>) -> Option<T> {
        self.problems.push(Problem {
            column: (at.at.0 as usize).max(1),
            message: message.into(),
            suggestion: suggestion.map(str::to_owned),
        });
        None
    }

    /// Any expression.
    fn make(&mut self, expr: &'e Expr) -> Option<Made> {
        if let Some(asked) = self.asked.filter(|asked| std::ptr::eq(asked.call, expr)) {
            return self.asked_row(asked);
        }
        if let Some(call) = row_asked(expr)
            && self.asked.is_none_or(|asked| !std::ptr::eq(asked.call, call))
        {
            return self.ask_row(expr, call);
        }
        match &expr.kind {
            Kind::Null => Some(Made::Scalar(Type::Null, Node::Const(Value::Unknown))),
            Kind::Bool(value) => Some(Made::Scalar(Type::Bool, Node::Const(Value::Bool(*value)))),
            Kind::Number(value) => Some(Made::Scalar(Type::Number, Node::Const(Value::Number(*value)))),
            Kind::Text(value) => {
                Some(Made::Scalar(Type::Text, Node::Const(Value::Text(value.as_str().into()))))
            }
            Kind::List(parts) => self.list(parts),
            Kind::Name(name) => self.name(expr, name),
            Kind::Field { of, name } => self.field(expr, of, name),
            Kind::Has(of) => {
                let (_, node) = self.scalar(of)?;
                Some(Made::Scalar(Type::Bool, Node::Known(Box::new(node))))
            }
            Kind::Not(of) => self.bool(of).map(|of| Made::Scalar(Type::Bool, Node::Not(Box::new(of)))),
            Kind::Negate(of) => self.negate(of),
            Kind::And(parts) => self.bools(parts).map(|parts| Made::Scalar(Type::Bool, Node::And(parts))),
            Kind::Or(parts) => self.bools(parts).map(|parts| Made::Scalar(Type::Bool, Node::Or(parts))),
            Kind::If { test, then, otherwise } => self.choice(expr, test, then, otherwise),
            Kind::Binary { op: Operator::In, left, right } => self.among(left, right),
            Kind::Binary { op, left, right } if op.compares() => self.compare(expr, *op, left, right),
            Kind::Binary { op, left, right } => self.reckon(*op, left, right),
            Kind::Call { function, arguments } => self.call(expr, function, arguments),
            Kind::Method { of, method, arguments } => self.method(expr, of, method, arguments),
            Kind::Each { of, step, variable, body } => self.each(of, *step, variable, body),
        }
    }

    /// An expression that must be a single value.
    fn scalar(&mut self, expr: &'e Expr) -> Option<(Type, Node)> {
        match self.make(expr)? {
            Made::Scalar(of, node) => Some((of, node)),
            other => self.problem(expr, format!("a single value is needed here; this is {}", other.words())),
        }
    }

    /// An expression that must be a yes or no.
    fn bool(&mut self, expr: &'e Expr) -> Option<Node> {
        match self.scalar(expr)? {
            (Type::Bool | Type::Any, node) => Some(node),
            (other, _) => {
                self.problem(expr, format!("a yes or no is needed here; this is {}", other.words()))
            }
        }
    }

    fn bools(&mut self, parts: &'e [Expr]) -> Option<Vec<Node>> {
        let parts: Vec<_> = parts.iter().map(|part| self.bool(part)).collect();
        parts.into_iter().collect()
    }

    /// An expression that must be a number.
    fn number(&mut self, expr: &'e Expr) -> Option<Node> {
        match self.scalar(expr)? {
            (Type::Number | Type::Any, node) => Some(node),
            (other, _) => self.problem(expr, format!("a number is needed here; this is {}", other.words())),
        }
    }

    fn negate(&mut self, of: &'e Expr) -> Option<Made> {
        let node = match self.number(of)? {
            Node::Const(Value::Number(value)) => Node::Const(Value::Number(-value)),
            node => Node::Negate(Box::new(node)),
        };
        Some(Made::Scalar(Type::Number, node))
    }

    fn reckon(&mut self, op: Operator, left: &'e Expr, right: &'e Expr) -> Option<Made> {
        let (left, right) = (self.number(left), self.number(right));
        Some(Made::Scalar(Type::Number, Node::Reckon(op, Box::new([left?, right?]))))
    }

    fn choice(&mut self, expr: &Expr, test: &'e Expr, then: &'e Expr, otherwise: &'e Expr) -> Option<Made> {
        let (test, then, otherwise) = (self.bool(test), self.scalar(then), self.scalar(otherwise));
        let (test, (a, then), (b, otherwise)) = (test?, then?, otherwise?);
        let of = match (a, b) {
            _ if a == b => a,
            (Type::Null, other) | (other, Type::Null) => other,
            (Type::Any, _) | (_, Type::Any) => Type::Any,
            _ if a.is_text() && b.is_text() => Type::Text,
            _ => {
                let message =
                    format!("both answers must be of one kind, not {} and {}", a.words(), b.words());
                return self.problem(expr, message);
            }
        };
        Some(Made::Scalar(of, Node::If(Box::new([test, then, otherwise]))))
    }

    /// `of.filter(variable, body)` and its like.
    fn each(&mut self, of: &'e Expr, step: Each, variable: &str, body: &'e Expr) -> Option<Made> {
        let made = self.make(of)?;
        let elements = match &made {
            Made::List(_, elements) => *elements,
            Made::Chain(chain) => chain.elements,
            other => {
                let message = format!("{} needs a list; this is {}", step.word(), other.words());
                return self.problem(of, message);
            }
        };
        self.frames.push(Frame { name: Some(variable.to_owned()), elements });
        let compiled = match step {
            Each::Map => self.scalar(body),
            _ => self.bool(body).map(|node| (Type::Bool, node)),
        };
        self.frames.pop();
        let (of_body, node) = compiled?;
        if step == Each::Map && of_body == Type::Null {
            return self.problem(body, "map needs a value; null is none");
        }
        let (step, elements) = match step {
            Each::Map => (Step::Map(node), Elements::Values(of_body)),
            Each::Filter => (Step::Filter(node), elements),
            Each::Exists => {
                return self.exists(of, made, Step::Filter(node)).map(|it| Made::Scalar(Type::Bool, it));
            }
            Each::All => {
                let exception = self.exists(of, made, Step::Filter(Node::Not(Box::new(node))))?;
                return Some(Made::Scalar(Type::Bool, Node::Not(Box::new(exception))));
            }
        };
        Some(match made {
            Made::List(mut list, _) => {
                list.steps.push(step);
                Made::List(list, elements)
            }
            Made::Chain(Chain { source, window, mut steps, .. }) => {
                steps.push(step);
                Made::Chain(Chain { source, window, steps, elements })
            }
            other => other,
        })
    }
}
