//! The typed tree of a condition: what is stored and what the console edits. Macros are kept as written,
//! so that text ↔ tree loses nothing.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An expression, and where it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expr {
    /// What it is.
    pub kind: Kind,
    /// Where it was written; not part of its meaning.
    #[serde(skip)]
    pub at: At,
}

/// A column, counted in characters from 1; 0 for a tree that was never text. Trees are equal wherever
/// they were written.
#[derive(Clone, Copy, Debug, Default)]
pub struct At(pub u32);

impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for At {}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number, exact; never negative (that is [`Kind::Negate`]).
    Number(Decimal),
    /// A text.
    Text(String),
    /// `["a", "b"]`.
    List(Vec<Expr>),
    /// `age`, `tier`, `orders`, or the variable of a macro.
    Name(String),
    /// `of.name`: `attr.city`, `o.paid`.
    Field {
        /// Of what.
        of: Box<Expr>,
        /// Which.
        name: String,
    },
    /// `has(attr.city)`.
    Has(Box<Expr>),
    /// `!x`.
    Not(Box<Expr>),
    /// `-x`.
    Negate(Box<Expr>),
    /// `a && b && …`; never directly within another, at least two parts.
    And(Vec<Expr>),
    /// `a || b || …`; never directly within another, at least two parts.
    Or(Vec<Expr>),
    /// `test ? then : otherwise`.
    If {
        /// Which way.
        test: Box<Expr>,
        /// When it holds.
        then: Box<Expr>,
        /// When it does not.
        otherwise: Box<Expr>,
    },
    /// `left op right`.
    Binary {
        /// The operator.
        op: Operator,
        /// Its left side.
        left: Box<Expr>,
        /// Its right side.
        right: Box<Expr>,
    },
    /// `function(arguments)`.
    Call {
        /// Which.
        function: String,
        /// Of what.
        arguments: Vec<Expr>,
    },
    /// `of.method(arguments)`: `name.startsWith("a")`.
    Method {
        /// On what.
        of: Box<Expr>,
        /// Which.
        method: String,
        /// With what.
        arguments: Vec<Expr>,
    },
    /// `of.filter(variable, body)` and its like.
    Each {
        /// The list.
        of: Box<Expr>,
        /// What is done.
        step: Each,
        /// The name of each element in the body.
        variable: String,
        /// What is asked of each element.
        body: Box<Expr>,
    },
}

/// What a macro does with the elements of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Each {
    /// Keeps those for which the body holds.
    Filter,
    /// Replaces each by the body.
    Map,
    /// Whether the body holds for one.
    Exists,
    /// Whether the body holds for all.
    All,
}

/// Operators between two sides, `&&` and `||` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Operator {
    /// Equal.
    #[serde(rename = "==")]
    Equal,
    /// Not equal.
    #[serde(rename = "!=")]
    NotEqual,
    /// Less.
    #[serde(rename = "<")]
    Less,
    /// Less or equal.
    #[serde(rename = "<=")]
    LessEqual,
    /// Greater.
    #[serde(rename = ">")]
    Greater,
    /// Greater or equal.
    #[serde(rename = ">=")]
    GreaterEqual,
    /// Among the elements of a list.
    #[serde(rename = "in")]
    In,
    /// Sum.
    #[serde(rename = "+")]
    Add,
    /// Difference.
    #[serde(rename = "-")]
    Subtract,
    /// Product.
    #[serde(rename = "*")]
    Multiply,
    /// Quotient.
    #[serde(rename = "/")]
    Divide,
    /// Remainder, with the sign of the left side.
    #[serde(rename = "%")]
    Remainder,
}

impl Each {
    /// As written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Map => "map",
            Self::Exists => "exists",
            Self::All => "all",
        }
    }

    /// The macro of this name.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Filter, Self::Map, Self::Exists, Self::All].into_iter().find(|each| each.word() == word)
    }
}

impl Operator {
    /// As written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    /// Whether it compares two values.
    pub const fn compares(self) -> bool {
        matches!(
            self,
            Self::Equal | Self::NotEqual | Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual
        )
    }

    /// The operator that says the same with its sides swapped.
    pub const fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessEqual => Self::GreaterEqual,
            Self::Greater => Self::Less,
            Self::GreaterEqual => Self::LessEqual,
            other => other,
        }
    }
}

impl Expr {
    /// An expression that was never text.
    pub const fn new(kind: Kind) -> Self {
        Self { kind, at: At(0) }
    }

    /// Its parts, from left to right.
    pub fn parts(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Name(_) => Vec::new(),
            Kind::List(parts) | Kind::And(parts) | Kind::Or(parts) => parts.iter().collect(),
            Kind::Field { of, .. } | Kind::Has(of) | Kind::Not(of) | Kind::Negate(of) => vec![of],
            Kind::If { test, then, otherwise } => vec![test, then, otherwise],
            Kind::Binary { left, right, .. } => vec![left, right],
            Kind::Call { arguments, .. } => arguments.iter().collect(),
            Kind::Method { of, arguments, .. } => std::iter::once(&**of).chain(arguments).collect(),
            Kind::Each { of, body, .. } => vec![of, body],
        }
    }
}
