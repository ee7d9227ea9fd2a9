//! The tests that stand beside the code of the command line. They are compiled with the files they are in and with no others: with
//! the whole program around them they took minutes.

#![allow(dead_code, reason = "of these files only what the tests reach is used here")]

mod arguments;
#[path = "../../src/bench/audience/drawn.rs"]
mod drawn;
#[path = "../../src/elsewhere.rs"]
mod elsewhere;
#[path = "../../src/master.rs"]
mod master;
#[path = "../../src/who.rs"]
mod who;
