//! Who: all members at once, in columns and bitmaps, asked by the condition language.
//!
//! A [`Person`] is what is known of one member; it goes in, and stands there as one ordinal in narrow typed columns with
//! their history beside them, sorted by time. A condition becomes a plan: what is cheap and selective first gives a mask, and
//! only the members in it are looked at more closely. Whatever the columns cannot answer by themselves is asked of the
//! evaluator for one member, so every condition has an answer, and the same one.
//!
//! Nothing here knows of HTTP, of SQL tables of the record, or of how members come to be what they are.

pub mod ask;
pub mod bits;
pub mod block;
mod bound;
mod buf;
mod build;
mod coded;
mod dates;
mod dict;
mod facts;
pub mod halt;
mod history;
mod ints;
mod map;
pub mod marks;
mod merge;
mod operand;
mod over;
mod packed;
pub mod person;
mod pieces;
mod plan;
pub mod population;
mod postings;
mod rows;
mod said;
mod scan;
pub mod set;
pub mod snapshot;
pub mod sql;
mod table;
mod tally;
mod whole;
mod wide;

pub use ask::{Found, Question, StepTaken};
pub use halt::Halt;
pub use marks::Mark;
pub use person::Person;
pub use population::{Budget, Change, Layout, OverBudget, Population, Seen};
pub use set::MemberSet;
