//! The SQLite store: the suite of every store, its statements and their plans, migrations, durability, and the doctor on
//! planted corruption.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod conformance;
mod corruption;
mod durability;
mod folder;
mod migrations;
mod statements;
