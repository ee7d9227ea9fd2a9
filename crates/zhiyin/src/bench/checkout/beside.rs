//! The peers of `zhiyin bench checkout`, in the same run: how many carts they price a second, how many times as fast ours is as the
//! better of them, and what customers would have saved by the best combination of the very offers that a peer applied.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use zhiyin_engine::playbooks::read_given;
use zhiyin_offer::{Cart, Customer, Mode, Nobody, Till};

use super::{AT, CartLines, Emitted, Measured, Offer, cart, cents, keys, thousands};
use crate::say::say;

/// How many of the carts peers are shown: they take about a millisecond each.
const PEERS_CARTS: usize = 1_000;
/// Branches for the best combination of the offers that a peer applied, all of which stack: there are many more than in lanes.
const STACKED_STEPS_MAX: u64 = 20_000;
/// How many times as fast as the better peer ours shall be.
const GOAL: u64 = 50;

/// What a peer found of itself.
#[derive(Deserialize)]
struct Peer {
    peer: String,
    version: String,
    offers: usize,
    carts_per_s: u64,
    p50_us: serde_json::Number,
    p99_us: serde_json::Number,
    /// What it takes off each cart, in minor units.
    discounts: Vec<i64>,
    left_out: Vec<LeftOut>,
}

/// An offer that a peer cannot express.
#[derive(Deserialize)]
struct LeftOut {
    offer: String,
}

/// Removes the file of what peers are given, whatever ends the run.
struct Given(PathBuf);

impl Drop for Given {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// Runs the peers with the first `n` offers and carts, where `./run` has made Node and their packages ready.
pub(super) fn beside(
    (offers, lines): (&[Offer], &[CartLines]),
    n: usize,
    seconds: u32,
    greedy: &Measured,
    best: &Measured,
) -> Result<()> {
    let Ok(node) = std::env::var("ZHIYIN_BENCH_NODE") else {
        say!("        (peers are measured by `./run bench checkout`)");
        return Ok(());
    };
    let lines = &lines[..lines.len().min(PEERS_CARTS)];
    let given = Given(std::env::temp_dir().join(format!("zhiyin-checkout-{}.json", std::process::id())));
    let emitted = serde_json::to_string(&Emitted { offers, carts: lines })?;
    std::fs::write(&given.0, emitted).with_context(|| given.0.display().to_string())?;
    let mut better: Option<Peer> = None;
    for name in ["medusa", "vendure"] {
        let found = run(&node, name, &given.0, n, seconds)?;
        ensure!(found.discounts.len() == lines.len(), "{name} priced {} carts", found.discounts.len());
        say!(
            "{n:>6}  {:<8} {:>12} {:>10} {:>10} {:>14}   {}, {} of {n} offers, {} carts",
            found.peer,
            thousands(found.carts_per_s),
            found.p50_us.to_string(),
            found.p99_us.to_string(),
            cents(found.discounts.iter().sum()),
            found.version,
            found.offers,
            lines.len(),
        );
        stacked(&found, &offers[..n], lines)?;
        if better.as_ref().is_none_or(|other| found.carts_per_s > other.carts_per_s) {
            better = Some(found);
        }
    }
    if let Some(peer) = better {
        let times = |ours: &Measured| ours.carts_per_s / peer.carts_per_s.max(1);
        say!(
            "        {} is the better peer: greedy is {} times as fast, best {} times (goal: {GOAL})",
            peer.peer,
            times(greedy),
            times(best)
        );
    }
    Ok(())
}

fn run(node: &str, name: &str, given: &Path, n: usize, seconds: u32) -> Result<Peer> {
    let script = format!("bench/checkout/{name}.mjs");
    let mut command = Command::new(node);
    command.arg(&script).arg(given).args(["--offers", &n.to_string(), "--seconds", &seconds.to_string()]);
    let ran = command.output().with_context(|| script.clone())?;
    let said = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "{script}: {}", said.trim());
    serde_json::from_slice(&ran.stdout).with_context(|| script)
}

/// What the best combination takes off the carts where offers stack as the peer stacks them: a lane for each that it could express, in
/// its order. Its rule is the same, its order is its own: so this is what looking for the best saves.
fn stacked(peer: &Peer, offers: &[Offer], lines: &[CartLines]) -> Result<()> {
    let is_left_out = |offer: &&Offer| !peer.left_out.iter().any(|left_out| left_out.offer == offer.id);
    let mut stacked: Vec<&Offer> = offers.iter().filter(is_left_out).collect();
    let by_list = peer.peer == "medusa";
    if by_list {
        // The greatest bare number first, a per cent or an amount in major units; buy and get before all, as 100 %.
        stacked.sort_by_key(|offer| {
            std::cmp::Reverse(if offer.kind.starts_with("fixed") { offer.value } else { offer.value * 100 })
        });
    } else {
        stacked.sort_by_key(|offer| !offer.is_of_pieces());
    }
    let mut text = "playbook: bench\nextends: demo\nlanes:\n".to_owned();
    for offer in &stacked {
        let per = if offer.is_of_pieces() { "line" } else { "order" };
        text += &format!("  {}: {{ per: {per} }}\n", offer.id);
    }
    text += "offers:\n";
    for offer in &stacked {
        // Medusa compares what is spent with list prices.
        let counts = if by_list && offer.spend.is_some() { ", counts: list price" } else { "" };
        text += &format!("  {}: {{ {}{counts} }}\n", offer.id, keys(offer, &offer.id));
    }
    let (_, rules) =
        read_given(&text).map_err(|problems| anyhow::anyhow!("{}", crate::playbook::listed(&problems)))?;
    let (nobody, uses, left) = (Nobody::default(), BTreeMap::new(), BTreeMap::new());
    let customer = Customer { facts: &nobody, coupons: &[], uses: &uses, left: &left };
    let mut till = Till::default();
    let (mut ours, mut n_exact, mut n_more) = (0, 0, 0);
    for (lines, theirs) in lines.iter().zip(&peer.discounts) {
        let cart: Cart = cart(lines)?;
        let mode = Mode::Best(STACKED_STEPS_MAX);
        let quote = till.quote(&rules.offers, &rules.leaves, &cart, &customer, AT, mode);
        ours += quote.discount.0;
        n_exact += usize::from(quote.exact);
        n_more += usize::from(quote.discount.0 > *theirs);
    }
    let theirs: i64 = peer.discounts.iter().sum();
    let (more, word) = if ours >= theirs { (ours - theirs, "more") } else { (theirs - ours, "less") };
    say!(
        "        stacked as {} stacks them, the best takes {} {word} off the same {} carts: {} a cart; more off {n_more} of them, {n_exact} exact",
        peer.peer,
        cents(more),
        lines.len(),
        cents(more / i64::try_from(lines.len()).unwrap_or(1).max(1)),
    );
    Ok(())
}
