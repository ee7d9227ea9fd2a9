//! How many of the hardest carts are exact, and how long each takes: the drawn ones of `tests/hard.rs`, twenty offers of all kinds over six
//! categories. `hardest [CARTS] [LINES]`, 1,000 of 50 unless said; `--each` prints a line for each cart too: seed, what is left to pay,
//! whether that is exact, the bound, steps, microseconds.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement of time, made to be read")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;

use support::drawn::ordinary;
use support::member;
use zhiyin_offer::{Mode, STEPS_MAX};

fn main() {
    let each = std::env::args().any(|word| word == "--each");
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse::<u32>().ok());
    let (n_carts, n_lines) = (numbers.next().unwrap_or(1_000), numbers.next().unwrap_or(50));
    let (mut times_us, mut n_exact) = (Vec::new(), 0);
    for seed in 1..=u64::from(n_carts) {
        let (shop, cart) = ordinary(seed, n_lines);
        let begun = Instant::now();
        let mode = Mode::Best(STEPS_MAX);
        let (payable, exact, bound, steps) =
            shop.told_in(mode, &cart, &member("gold"), "2020-05-13T04:00:00Z", |quote| {
                (quote.payable.0, quote.exact, quote.bound.0, quote.steps)
            });
        let us = begun.elapsed().as_micros();
        if each {
            println!("{seed} {payable} {} {bound} {steps} {us}", u8::from(exact));
        }
        times_us.push(us);
        n_exact += u32::from(exact);
    }
    times_us.sort_unstable();
    // So many of a thousand took no longer.
    let at =
        |share: usize| times_us.get(times_us.len().saturating_sub(1) * share / 1_000).copied().unwrap_or(0);
    println!(
        "{n_exact} of {n_carts} carts of {n_lines} lines and 20 offers are exact; p50 {} µs, p90 {}, p99 {}, most {}",
        at(500),
        at(900),
        at(990),
        at(1_000)
    );
}
