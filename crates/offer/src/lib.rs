//! Offers.
#![allow(dead_code)]
mod bound;
mod deal;
mod exact;
mod greedy;
mod item;
mod order;
#[cfg(test)]
mod proof;
mod split;

pub use split::split;
