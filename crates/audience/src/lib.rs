//! Who: all members at once, in columns and bitmaps, asked by the condition language.
//!
//! A [`Person`] is what is known of one member; it goes in, and stands there as one ordinal in narrow typed columns with
//! their history beside them, sorted by time. A condition becomes a plan: what is cheap and selective first gives a mask, and
//! only the members in it are looked at more closely. Whatever the columns cannot answer by themselves is asked of the
//! evaluator for one member, so every condition has an answer, and the same one.
//!
//! Nothing here knows of HTTP, of SQL tables of the record, or of how members come to be what they are.

pub mod person;

pub use person::Person;
