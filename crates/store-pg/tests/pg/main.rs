//! The PostgreSQL store: the suite of every store on two layouts, its statements and their plans, migrations, and what
//! happens when several processes work on one home.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod conformance;
mod corruption;
mod emptied;
mod homes;
mod migrations;
mod moving;
mod statements;
mod together;
