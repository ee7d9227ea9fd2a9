//! The condition language: one typed tree, its text form (a subset of CEL), the check against a schema,
//! and the evaluator for one member.
mod birthday;
pub mod bounds;
mod cell;
mod compile;
pub mod condition;
mod content;
mod days;
mod element;
pub mod evaluate;
pub mod facts;
pub mod history;
mod kept;
pub mod leaf;
mod parse;
pub mod problem;
mod program;
pub mod row;
pub mod schema;
pub mod state;
mod text;
pub mod tree;
mod value;

pub use condition::Condition;
pub use evaluate::{evaluate, holds};
pub use facts::{Facts, Judged};
pub use history::{History, evaluate_history};
pub use leaf::Leaves;
pub use problem::{Note, Problem};
pub use row::{EventRow, ItemRow, OrderRow, Row};
pub use schema::{AttributeType, Schema, Scope};
pub use state::{LeafStates, Retract};
pub use tree::Expr;
