//! `zhiyin bench checkout`: carts of ten lines against 5, 10 and 20 offers, on one core, in memory: the playbook's order and the best
//! combination; how many carts a second, how long one takes, and what customers save by exactness.
//!
//! `--emit FILE` writes the offers and carts as JSON, for peers to be measured with the same: of each offer `id`, `kind`
//! (`percent_item`, `fixed_item`, `percent_order`, `fixed_order`, `bxgy`, `nforx`) and `value`: per cent taken off, or minor units
//! (of `nforx` the price of `buy` pieces); with `at_most` and `spend` in minor units, the `category` it is of, `buy` and `get`.
//! Peers are measured in the same run (`beside`). The first 5, 10 and 20 of the offers are what is measured. Lanes: offers of pieces first, then at most one of the order.

mod beside;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use zhiyin_condition::CartItem;
use zhiyin_engine::clock;
use zhiyin_engine::playbooks::read_given;
use zhiyin_model::money::Money;
use zhiyin_model::time::Ts;
use zhiyin_offer::{Cart, Customer, Line, Mode, Nobody, Offers, STEPS_MAX, Till};

use super::print::thousands;
use crate::arguments::CheckoutBench;
use crate::say::say;

/// 2024-01-01.
const AT: Ts = Ts(1_704_067_200_000_000);
const LINES: usize = 10;
const CATEGORIES: [&str; 8] = ["food", "drinks", "home", "beauty", "toys", "books", "pets", "baby"];

/// An offer, as peers read it.
#[derive(Clone, Debug, Serialize)]
struct Offer {
    id: String,
    kind: &'static str,
    value: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spend: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buy: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    get: Option<u32>,
}

/// A line, as peers read it.
#[derive(Clone, Debug, Serialize)]
struct CartLine {
    id: String,
    product: String,
    category: &'static str,
    price: i64,
    quantity: u32,
}

#[derive(Clone, Debug, Serialize)]
struct CartLines {
    lines: Vec<CartLine>,
}

#[derive(Serialize)]
struct Emitted<'a> {
    offers: &'a [Offer],
    carts: &'a [CartLines],
}

impl Offer {
    /// Whether it is off pieces of lines, and not off the order.
    fn is_of_pieces(&self) -> bool {
        !self.kind.ends_with("_order")
    }
}

/// Numbers that look drawn and are always the same.
struct Drawn(u64);

impl Drawn {
    const fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// Twenty offers of the kinds that peers have too: of every five, two or three of pieces.
fn offers() -> Vec<Offer> {
    let mut offers = Vec::new();
    for i in 0..20u32 {
        let category = Some(CATEGORIES[(i as usize * 3) % CATEGORIES.len()]);
        let step = i64::from(i / 5);
        let bare = Offer {
            id: format!("offer-{:02}", i + 1),
            kind: "",
            value: 0,
            at_most: None,
            category: None,
            spend: None,
            buy: None,
            get: None,
        };
        offers.push(match i % 5 {
            0 => Offer { kind: "percent_item", value: 10 + 5 * step, category, ..bare },
            1 => Offer {
                kind: "fixed_order",
                value: 1_000 + 700 * step,
                spend: Some(9_900 + 5_000 * step),
                ..bare
            },
            2 => match step % 2 {
                0 => Offer { kind: "bxgy", value: 100, buy: Some(2), get: Some(1), category, ..bare },
                _ => Offer { kind: "nforx", value: 4_900, buy: Some(3), category, ..bare },
            },
            3 => Offer { kind: "percent_order", value: 6 + 2 * step, at_most: Some(2_000), ..bare },
            _ => Offer { kind: "fixed_item", value: 150 + 50 * step, category, ..bare },
        });
    }
    offers
}

fn carts(n: u32) -> Vec<CartLines> {
    let mut drawn = Drawn(0x9e37_79b9_7f4a_7c15);
    (0..n)
        .map(|_| {
            let lines = (0..LINES).map(|i| {
                let product = drawn.next(400);
                let category = CATEGORIES[usize::try_from(product % CATEGORIES.len() as u64).unwrap_or(0)];
                // A product has one price: 1.90 to 49.90.
                let price = 190 + i64::try_from(product * 37 % 49).unwrap_or(0) * 100;
                let quantity = 1 + u32::try_from(drawn.next(3)).unwrap_or(0);
                CartLine {
                    id: format!("{}", i + 1),
                    product: format!("p{product}"),
                    category,
                    price,
                    quantity,
                }
            });
            CartLines { lines: lines.collect() }
        })
        .collect()
}

/// The offers as a playbook says them.
fn playbook(offers: &[Offer]) -> String {
    let mut text =
        "playbook: bench\nextends: demo\nlanes:\n  piece: { per: line }\n  order: { per: order }\noffers:\n"
            .to_owned();
    for offer in offers {
        let lane = if offer.is_of_pieces() { "piece" } else { "order" };
        let _ = writeln!(text, "  {}: {{ {} }}", offer.id, keys(offer, lane));
    }
    text
}

/// An offer's keys in a playbook, in a lane.
fn keys(offer: &Offer, lane: &str) -> String {
    let money = |minor: i64| format!("{}.{:02}", minor / 100, minor % 100);
    let gives = match offer.kind {
        "percent_item" | "percent_order" => format!("pay: {}%", 100 - offer.value),
        "fixed_item" => format!("per: piece, off: {}", money(offer.value)),
        "fixed_order" => format!("off: {}", money(offer.value)),
        "bxgy" => format!("buy: {}, get: {}", offer.buy.unwrap_or(1), offer.get.unwrap_or(1)),
        _ => format!("pieces: {}, price: {}", offer.buy.unwrap_or(2), money(offer.value)),
    };
    let mut keys = format!("lane: {lane}, {gives}");
    if let Some(category) = offer.category {
        let _ = write!(keys, ", of: 'category == \"{category}\"'");
    }
    for (key, value) in [("spend", offer.spend), ("at_most", offer.at_most)] {
        if let Some(value) = value {
            let _ = write!(keys, ", {key}: {}", money(value));
        }
    }
    keys
}

fn cart(lines: &CartLines) -> Result<Cart> {
    let mut cart = Cart::default();
    for line in &lines.lines {
        cart.row.items.push(CartItem {
            product: line.product.clone(),
            category: Some(line.category.to_owned()),
            price: Money(line.price),
            quantity: line.quantity,
            ..CartItem::default()
        });
        cart.lines.push(Line { id: line.id.clone(), floor: None });
    }
    cart.sum_up().map_err(|problem| anyhow::anyhow!("{}: {}", problem.field, problem.message))?;
    Ok(cart)
}

/// What was measured of one way.
struct Measured {
    carts_per_s: u64,
    p50_ns: u64,
    p99_ns: u64,
    discount: i64,
    n_exact: usize,
}

fn measure(offers: &Offers, leaves: &zhiyin_condition::Leaves, carts: &[Cart], mode: Mode) -> Measured {
    let (nobody, uses, left) = (Nobody::default(), BTreeMap::new(), BTreeMap::new());
    let customer = Customer { facts: &nobody, coupons: &[], uses: &uses, left: &left };
    let mut till = Till::default();
    // Once to warm up, then for figures.
    for cart in carts.iter().take(200) {
        till.quote(offers, leaves, cart, &customer, AT, mode);
    }
    let (mut discount, mut n_exact) = (0, 0);
    let watch = clock::stopwatch();
    for cart in carts {
        let quote = till.quote(offers, leaves, cart, &customer, AT, mode);
        discount += quote.discount.0;
        n_exact += usize::from(quote.exact);
    }
    let took_ns = watch.elapsed().as_nanos().max(1);
    let mut each: Vec<u64> = Vec::with_capacity(carts.len());
    for cart in carts {
        let watch = clock::stopwatch();
        till.quote(offers, leaves, cart, &customer, AT, mode);
        each.push(u64::try_from(watch.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    each.sort_unstable();
    let per_s = carts.len() as u128 * 1_000_000_000 / took_ns;
    Measured {
        carts_per_s: u64::try_from(per_s).unwrap_or(u64::MAX),
        p50_ns: each[each.len() / 2],
        p99_ns: each[each.len() * 99 / 100],
        discount,
        n_exact,
    }
}

/// Measures, and says what was found.
pub fn checkout(asked: &CheckoutBench, without_peers: bool) -> Result<ExitCode> {
    let (offers, lines) = (offers(), carts(asked.carts));
    if let Some(file) = &asked.emit {
        let emitted = serde_json::to_string(&Emitted { offers: &offers, carts: &lines })?;
        std::fs::write(file, emitted).with_context(|| file.display().to_string())?;
        say!("{} offers and {} carts are in {}", offers.len(), lines.len(), file.display());
        return Ok(ExitCode::SUCCESS);
    }
    let carts: Vec<Cart> = lines.iter().map(cart).collect::<Result<_>>()?;
    say!("{} carts of {LINES} lines, one core, in memory", thousands(carts.len() as u64));
    say!(
        "{:>6}  {:<8} {:>12} {:>10} {:>10} {:>14}",
        "offers",
        "",
        "carts/s",
        "p50 µs",
        "p99 µs",
        "taken off"
    );
    for n in [5, 10, 20] {
        let text = playbook(&offers[..n]);
        let (_, rules) = read_given(&text)
            .map_err(|problems| anyhow::anyhow!("{}", crate::playbook::listed(&problems)))?;
        let greedy = measure(&rules.offers, &rules.leaves, &carts, Mode::Greedy);
        let best = measure(&rules.offers, &rules.leaves, &carts, Mode::Best(STEPS_MAX));
        ensure!(
            best.n_exact == carts.len(),
            "{} of {} carts were not exact",
            carts.len() - best.n_exact,
            carts.len()
        );
        ensure!(best.discount >= greedy.discount, "the best combination is dearer than the first that comes");
        for (name, one) in [("greedy", &greedy), ("best", &best)] {
            say!(
                "{n:>6}  {name:<8} {:>12} {:>10} {:>10} {:>14}",
                thousands(one.carts_per_s),
                micros(one.p50_ns),
                micros(one.p99_ns),
                cents(one.discount)
            );
        }
        let more = best.discount - greedy.discount;
        let hundredths = more * 10_000 / greedy.discount.max(1);
        say!(
            "        exactness saves customers {} more: {} a cart, {}.{:02} % of what greedy takes off",
            cents(more),
            cents(more / i64::try_from(carts.len()).unwrap_or(1).max(1)),
            hundredths / 100,
            hundredths % 100
        );
        if !without_peers {
            beside::beside((&offers, &lines), n, asked.peer_seconds, &greedy, &best)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn micros(ns: u64) -> String {
    format!("{}.{:01}", ns / 1_000, ns % 1_000 / 100)
}

fn cents(minor: i64) -> String {
    format!("{}.{:02}", thousands((minor / 100).unsigned_abs()), minor % 100)
}
