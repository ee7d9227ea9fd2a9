//! The condition language: one typed tree, its text form (a subset of CEL), the check of both against what
//! names mean, and the evaluator for one member.
//!
//! A condition is a yes or no about a member at an instant: of what is known of them, of the event at hand,
//! and of their history. It answers with *until when* the answer holds, so that whoever asks knows when to
//! ask again. History is never read again: each question about it is a [leaf] with a small [state] per
//! member, kept up to date row by row.
//!
//! Nothing here ever does I/O, waits, reads a clock, or knows what a condition is used for.
//!
//! What everything means is in `docs/condition.md`, and as tables in `tests/meaning.rs` and
//! `tests/meaning_of_history.rs`. Read on in
//!
//! * [`schema`] and [`tree`]: what names mean, and what a condition is;
//! * `parse` (text → tree, the only module that knows the `cel` crate), `text` (tree → text), [`bounds`], `inline` (the saved
//!   audiences that a condition names);
//! * `compile` (tree → `program`: names resolved, kinds checked, history cut into leaves);
//! * [`leaf`], [`state`], `cell`, `days`, `kept`: what is kept of history;
//! * [`evaluate`](mod@evaluate): the evaluator; [`history`]: the reference that it must agree with;
//! * [`program`] is open to those who evaluate it in other ways (columns, SQL) and must agree with it too.
//!
//! ```
//! use zhiyin_condition::{Condition, Leaves, Row, Schema};
//! use zhiyin_model::time::{Ts, Zone};
//!
//! let often = r#"size(within(orders, "365d")) >= 4 && days_since(last(orders)) <= 60"#;
//! let mut condition = Condition::check(often, &Schema::default())?;
//! let leaves = Leaves::collect([&mut condition], Zone::utc(), 2);
//! let mut states = leaves.fresh();
//! # let orders: Vec<zhiyin_condition::OrderRow> = Vec::new();
//! for order in &orders {
//!     states.observe(&leaves, Row::Order(order));
//! }
//! // `evaluate(&condition, &leaves, &member, now)`, with the states in `Facts::leaves` of the member.
//! # Ok::<(), Vec<zhiyin_condition::Problem>>(())
//! ```

mod atoms;
mod birthday;
pub mod bounds;
pub mod bucket;
pub mod cart;
mod cell;
mod compile;
pub mod condition;
pub mod content;
mod days;
mod element;
pub mod evaluate;
pub mod facts;
pub mod history;
mod inline;
mod kept;
pub mod leaf;
mod of_playbook;
mod parse;
pub mod problem;
pub mod program;
pub mod row;
pub mod schema;
mod stage;
pub mod state;
mod text;
pub mod tree;
pub mod value;

pub use atoms::{ATOMS_MAX, Atom};
pub use birthday::{Birthday, of_age};
pub use bucket::bucket;
pub use cart::{CartItem, CartRow};
pub use condition::Condition;
pub use evaluate::{Part, evaluate, holds, holds_in};
pub use facts::{Facts, Judged};
pub use history::{History, evaluate_history};
pub use kept::median_gap;
pub use leaf::{Leaves, OneRow};
pub use problem::{Note, Problem};
pub use row::{EventRow, ItemRow, OrderRow, Row};
pub use schema::{AttributeType, Schema, Scope};
pub use stage::Stage;
pub use state::{LeafStates, Retract};
pub use tree::Expr;
