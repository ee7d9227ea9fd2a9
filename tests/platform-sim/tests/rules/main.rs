//! The rules of the platform, proven through its HTTP interface on its own time.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test that looks for it")]

mod calls;
mod clock;
mod contacts;
mod events;
mod groups;
mod reach;
mod stage;
