//! How many of the hardest carts are exact, and how long each takes: the drawn ones of `tests/hard.rs`, twenty offers of all kinds over six
//! categories. `hardest [CARTS] [LINES]`, 1,000 of 50 unless said; `--each` prints a line for each cart too: seed, what is left to pay,
//! whether that is exact, the bound, steps, milliseconds.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, made to be read")]

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
    let (mut times_ms, mut n_exact) = (Vec::new(), 0);
    for seed in 1..=u64::from(n_carts) {
        let (shop, cart) = ordinary(seed, n_lines);
        let begun = Instant::now();
        let mode = Mode::Best(STEPS_MAX);
        let (payable, exact, bound, steps) =
            shop.told_in(mode, &cart, &member("gold"), "2020-05-13T04:00:00Z", |quote| {
                (quote.payable.0, quote.exact, quote.bound.0, quote.steps)
            });
        let ms = begun.elapsed().as_secs_f64() * 1_000.0;
        if each {
            println!("{seed} {payable} {} {bound} {steps} {ms:.3}", u8::from(exact));
        }
        times_ms.push(ms);
        n_exact += u32::from(exact);
    }
    times_ms.sort_by(f64::total_cmp);
    let at = |share: f64| times_ms[((times_ms.len() - 1) as f64 * share) as usize];
    println!(
        "{n_exact} of {n_carts} carts of {n_lines} lines and 20 offers are exact; p50 {:.1} ms, p90 {:.1}, p99 {:.1}, most {:.1}",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}
