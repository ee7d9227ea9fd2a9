//! The client of WeCom against a server in the test that answers as it is told: what is said, what is heard, and what comes of what goes
//! wrong in between.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod calls;
mod fields;
mod outcomes;
mod server;
mod tokens;
