//! Says what carts cost by the best combination, for tests that hold it against other solvers: of each line of input, JSON with the
//! `offers` sections of a playbook and the `lines` of a cart, a line with what is left to pay, whether that is exact, and the bound.
#![allow(clippy::unwrap_used, reason = "a test's other half: what it cannot read ends it")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::BufRead;

use serde_json::{Value, json};
use support::{Shop, cart, member};
use zhiyin_offer::{Mode, STEPS_MAX};

fn main() {
    for line in std::io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let shop = Shop::offering(asked["offers"].as_str().unwrap());
        let lines: Vec<&str> =
            asked["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        let told = shop.told_in(Mode::Best(STEPS_MAX), &cart(&lines), &member("gold"), "2020-05-13T04:00:00Z", |quote| {
            json!({ "payable": quote.payable.0, "exact": quote.exact, "bound": quote.bound.0, "steps": quote.steps })
        });
        #[allow(clippy::print_stdout, reason = "the answer")]
        {
            println!("{told}");
        }
    }
}
