//! `zhiyin quote`: what a cart costs by a playbook, and why.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use zhiyin_engine::checkout::{self, CartAsked, QuoteTold};
use zhiyin_engine::clock;
use zhiyin_model::money::Currency;
use zhiyin_model::time::Ts;
use zhiyin_offer::{Mode, STEPS_MAX};

use crate::playbook::{listed, read};
use crate::say::say;
use crate::till;

/// The largest file that is read as a cart.
const CART_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What is quoted.
#[derive(Debug, Args)]
pub struct Quoting {
    /// The playbook: a file, or the name of a shipped one.
    #[arg(long, value_name = "FILE", required_unless_present = "snapshot")]
    playbook: Option<String>,
    /// A till's snapshot instead: by it a cart is quoted as the home would.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["playbook", "greedy", "steps_max"], requires = "key")]
    snapshot: Option<PathBuf>,
    /// With a snapshot: the key that it must be signed with, or a file that holds it.
    #[arg(long, value_name = "KEY", requires = "snapshot")]
    key: Option<String>,
    /// With a snapshot: who brings the cart, such as `card:A0042`.
    #[arg(long, value_name = "NAMESPACE:VALUE", requires = "snapshot")]
    member: Option<String>,
    /// With a snapshot: what was sold under it since.
    #[arg(long, value_name = "FILE", requires = "snapshot")]
    journal: Option<PathBuf>,
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
    if let (Some(snapshot), Some(key)) = (&asked.snapshot, &asked.key) {
        return by_snapshot(asked, snapshot, key);
    }
    let (playbook, rules) = match read(asked.playbook.as_deref().unwrap_or_default()) {
        Ok(read) => read,
        Err(problems) => bail!("{}", listed(&problems)),
    };
    let file = asked.cart.display().to_string();
    let text = bounded(&asked.cart, CART_BYTES_MAX)?;
    let cart: CartAsked = serde_json::from_str(&text).with_context(|| format!("{file}: this is no cart"))?;
    let at = instant(asked.at.as_deref())?;
    let mode = if asked.greedy { Mode::Greedy } else { Mode::Best(asked.steps_max) };
    let told = match checkout::quote(&playbook, &rules, &cart, at, mode) {
        Ok(told) => told,
        Err(problem) => bail!("{file}: {}: {}", problem.field, problem.message),
    };
    print(&told, &playbook.currency, asked.format)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a quote.
pub(crate) fn print(told: &QuoteTold, currency: &Currency, format: QuoteFormat) -> Result<()> {
    match format {
        QuoteFormat::Json => say!("{}", serde_json::to_string_pretty(told)?),
        QuoteFormat::Text => say!("{}", checkout::quoted_in_words(told, currency)),
    }
    Ok(())
}

/// Reads a file that may not be larger than this.
pub(crate) fn bounded(file: &Path, bytes_max: u64) -> Result<String> {
    let name = file.display().to_string();
    let size = std::fs::metadata(file).with_context(|| name.clone())?.len();
    ensure!(size <= bytes_max, "{name}: at most {bytes_max} bytes");
    std::fs::read_to_string(file).with_context(|| name)
}

/// An instant that was said, or now.
pub(crate) fn instant(text: Option<&str>) -> Result<Ts> {
    let Some(text) = text else { return Ok(clock::wall()) };
    Ts::parse(text).with_context(|| format!("--at {text}: a time is written like 2020-05-23T19:30:00+08:00"))
}

fn by_snapshot(asked: &Quoting, snapshot: &Path, key: &str) -> Result<ExitCode> {
    let offline = till::opened(snapshot, key)?;
    let journal = till::journal(&offline, asked.journal.as_deref())?;
    let cart = till::cart(&asked.cart)?;
    let member = asked.member.as_deref().map(till::named).transpose()?;
    let told = offline.quote(&cart, member.as_ref(), &journal, instant(asked.at.as_deref())?)?;
    print(&told, offline.currency(), asked.format)?;
    Ok(ExitCode::SUCCESS)
}
