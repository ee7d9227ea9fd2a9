//! `zhiyin quote`: what a cart costs by a playbook, and why.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use zhiyin_engine::checkout::{self, CartAsked};
use zhiyin_engine::clock;
use zhiyin_model::time::Ts;
use zhiyin_offer::{Mode, STEPS_MAX};

use crate::playbook::{listed, read};
use crate::say::say;

/// The largest file that is read as a cart.
const CART_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What is quoted.
#[derive(Debug, Args)]
pub struct Quoting {
    /// The playbook: a file, or the name of a shipped one.
    #[arg(long, value_name = "FILE")]
    playbook: String,
    /// The cart, as JSON; see docs/offers.md.
    #[arg(long, value_name = "FILE")]
    cart: PathBuf,
    /// The instant, such as 2020-05-23T19:30:00+08:00. Default: now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// In the playbook's order, without looking for the best combination.
    #[arg(long)]
    greedy: bool,
    /// How many branches are looked at, at most.
    #[arg(long, value_name = "N", default_value_t = STEPS_MAX, conflicts_with = "greedy")]
    steps_max: u64,
    /// How it is printed.
    #[arg(long, value_enum, default_value = "json")]
    format: QuoteFormat,
}

/// How a quote is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum QuoteFormat {
    /// For programs.
    Json,
    /// For people.
    Text,
}

/// Quotes a cart.
pub fn quote(asked: &Quoting) -> Result<ExitCode> {
    let (playbook, rules) = match read(&asked.playbook) {
        Ok(read) => read,
        Err(problems) => bail!("{}", listed(&problems)),
    };
    let file = asked.cart.display().to_string();
    let size = std::fs::metadata(&asked.cart).with_context(|| file.clone())?.len();
    ensure!(size <= CART_BYTES_MAX, "{file}: a cart is at most {CART_BYTES_MAX} bytes");
    let text = std::fs::read_to_string(&asked.cart).with_context(|| file.clone())?;
    let cart: CartAsked = serde_json::from_str(&text).with_context(|| format!("{file}: this is no cart"))?;
    let at = match &asked.at {
        None => clock::wall(),
        Some(text) => Ts::parse(text)
            .with_context(|| format!("--at {text}: a time is written like 2020-05-23T19:30:00+08:00"))?,
    };
    let mode = if asked.greedy { Mode::Greedy } else { Mode::Best(asked.steps_max) };
    let told = match checkout::quote(&playbook, &rules, &cart, at, mode) {
        Ok(told) => told,
        Err(problem) => bail!("{file}: {}: {}", problem.field, problem.message),
    };
    match asked.format {
        QuoteFormat::Json => say!("{}", serde_json::to_string_pretty(&told)?),
        QuoteFormat::Text => say!("{}", checkout::quoted_in_words(&told, &playbook.currency)),
    }
    Ok(ExitCode::SUCCESS)
}
