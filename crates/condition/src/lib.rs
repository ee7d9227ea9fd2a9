//! The condition language: one typed tree, its text form (a subset of CEL), the check against a schema,
//! and the evaluator for one member.
pub mod condition;
pub mod evaluate;
pub mod facts;
pub mod history;
pub mod leaf;
pub mod problem;
pub mod row;
pub mod schema;
pub mod state;
pub mod tree;

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
