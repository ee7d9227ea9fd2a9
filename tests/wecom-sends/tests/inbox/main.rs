//! The inbox against the simulator (T6): what members say to a persona's desks is one conversation, and people answer it. Every test is
//! named after the rule it proves.
//!
//! The time of a home is its process's, so one test is told after the other: each [`stage`] waits for the one before.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

#[path = "../../../pipeline/tests/pipeline/home.rs"]
#[allow(dead_code, reason = "what other tests ask of a home")]
mod home;
#[path = "../../../pipeline/tests/pipeline/items.rs"]
#[allow(dead_code, reason = "what other tests say")]
mod items;
#[path = "../../../pipeline/tests/pipeline/playbooks.rs"]
#[allow(dead_code, reason = "what other tests promise")]
mod playbooks;

mod broken;
mod people;
mod stage;
mod talks;
