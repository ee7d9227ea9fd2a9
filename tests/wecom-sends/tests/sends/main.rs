//! What a home says through a platform, against the simulator: every test is named after the rule it proves.
//!
//! [`stage`] is a home, a platform that owns the time, and the brand's staff and customers on it. Homes are those of the pipeline's tests.

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
mod confirmed;
mod posts;
mod stage;
