//! `zhiyin till lease | show | list | snapshot | key | sell | upload | return`: tills that sell without a network (docs/tills.md).
//!
//! `sell` needs neither a home nor a network; what else there is is asked of the home.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Subcommand;
use tokio::sync::oneshot;
use zhiyin_engine::Engine;
use zhiyin_engine::tills::{Journal, LeaseAsked, LeaseOf, LeaseView, Offline, TOLD_MAX};
use zhiyin_model::checkout::CartFacts;
use zhiyin_model::event::Identifier;
use zhiyin_model::role::Operation;

use crate::arguments::{Format, Place};
use crate::coupon::whom;
use crate::draw::write_new;
use crate::quote::{QuoteFormat, bounded, instant, print};
use crate::report;
use crate::say::say;
use crate::who;

/// The largest snapshot, the largest journal, and the largest cart, in bytes.
const SNAPSHOT_BYTES_MAX: u64 = 256 * 1024 * 1024;
const JOURNAL_BYTES_MAX: u64 = 1024 * 1024 * 1024;
const CART_BYTES_MAX: u64 = 32 * 1024;

/// What to do about tills.
#[derive(Clone, Debug, Subcommand)]
pub enum TillAction {
    /// Leases stock, quotas, budgets and members' coupons to a till.
    Lease {
        /// What the lease is called: one in the home.
        lease: String,
        /// The code of the till.
        #[arg(long, value_name = "CODE")]
        till: String,
        /// The code of the store where it stands.
        #[arg(long, value_name = "CODE")]
        store: String,
        /// For how many hours; as long as the playbook lets it, without it.
        #[arg(long, value_name = "N")]
        hours: Option<u32>,
        /// What of an offer: `group-99-20:uses=20,money=40000,pieces=10` (money in minor units). Several times.
        #[arg(long = "offer", value_name = "OFFER:AMOUNTS")]
        offers: Vec<String>,
        /// A member whom the till expects, such as `phone:13912345678`: all coupons that they can use. Several times.
        #[arg(long = "member", value_name = "NAMESPACE:VALUE")]
        members: Vec<String>,
    },
    /// Shows how a lease stands, as JSON.
    Show {
        /// What it is called.
        lease: String,
    },
    /// Lists leases, the open ones first.
    List {
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Writes the signed snapshot of a lease.
    Snapshot {
        /// What the lease is called.
        lease: String,
        /// Where it is written; no file may be there yet.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Prints the key that checks snapshots.
    Key,
    /// Sells a cart by a snapshot, of what is leased, and writes the sale to a journal. Needs no home.
    Sell {
        /// What the sale is called: unique in the home, such as `till-2/000123`.
        checkout: String,
        /// The snapshot.
        #[arg(long, value_name = "FILE")]
        snapshot: PathBuf,
        /// The key that it must be signed with, or a file that holds it.
        #[arg(long, value_name = "KEY")]
        key: String,
        /// The journal: made, where there is none.
        #[arg(long, value_name = "FILE")]
        journal: PathBuf,
        /// The cart, as JSON; see docs/checkout.md.
        #[arg(long, value_name = "FILE")]
        cart: PathBuf,
        /// Who buys, such as `card:A0042`.
        #[arg(long, value_name = "NAMESPACE:VALUE")]
        member: String,
        /// The number of the order that is made of it.
        #[arg(long, value_name = "NUMBER")]
        order: Option<String>,
        /// Offers of which nothing is leased any more do not apply, instead of the sale being refused.
        #[arg(long)]
        only_leased: bool,
        /// The instant, such as 2020-05-23T19:30:00+08:00. Default: now.
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// How the quote is printed.
        #[arg(long, value_enum, default_value = "json")]
        format: QuoteFormat,
    },
    /// Tells the home what a journal says; as often as you like.
    Upload {
        /// What the lease is called.
        lease: String,
        /// The journal.
        #[arg(long, value_name = "FILE")]
        journal: PathBuf,
    },
    /// Returns a lease: what was not sold is there for others again.
    Return {
        /// What it is called.
        lease: String,
    },
}

/// Does it.
pub async fn till(place: &Place, action: TillAction) -> Result<ExitCode> {
    if let TillAction::Sell { .. } = &action {
        return sell(action);
    }
    let engine = place.open_existing().await?;
    let by = who::system();
    match action {
        TillAction::Lease { lease, till, store, hours, offers, members } => {
            let mut asked = LeaseAsked { lease, till, store, hours, ..LeaseAsked::default() };
            for offer in &offers {
                let (id, of) = amounts(offer)?;
                asked.offers.insert(id, of);
            }
            let filter = engine.filter(&by, Operation::TillsLease).await?;
            for member in &members {
                let found = engine.reachable(&filter, &whom(member)?, "member").await??;
                asked.members.push((found.member.id, Vec::new()));
            }
            engine.lease_till(&by, &asked).await??;
            engine.drain(place.batch(), None, |_| ()).await?;
            told(&engine.view_lease(&asked.lease).await??)?;
        }
        TillAction::Show { lease } => told(&engine.view_lease(&lease).await??)?,
        TillAction::List { format } => {
            let filter = engine.filter(&by, Operation::TillsLease).await?;
            let columns = ["lease", "till", "store", "state", "until", "back", "members"];
            let rows: Vec<Vec<String>> = engine.view_leases(&filter).await?.into_iter().map(row).collect();
            report::print(&columns.map(str::to_owned), &rows, format)?;
        }
        TillAction::Snapshot { lease, out } => {
            let snapshot = engine.till_snapshot(&lease).await??;
            write_new(&out, &serde_json::to_string(&snapshot)?)?;
            say!("{} until {}", out.display(), engine.view_lease(&lease).await??.until);
        }
        TillAction::Key => say!("{}", engine.till_key().await?),
        TillAction::Upload { lease, journal } => return upload(place, &engine, &lease, &journal).await,
        TillAction::Return { lease } => {
            engine.return_lease(&by, &lease).await??;
            engine.drain(place.batch(), None, |_| ()).await?;
            told(&engine.view_lease(&lease).await??)?;
        }
        TillAction::Sell { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn told(view: &LeaseView) -> Result<()> {
    say!("{}", serde_json::to_string_pretty(view)?);
    Ok(())
}

fn row(view: LeaseView) -> Vec<String> {
    vec![view.lease, view.till, view.store, view.state, view.until, view.back_at, view.members.to_string()]
}

/// What of an offer is asked for: `ID:uses=20,money=40000`.
fn amounts(text: &str) -> Result<(String, LeaseOf)> {
    let bad = || format!("{text}: an offer is OFFER:uses=20,money=40000,pieces=10");
    let (id, rest) = text.split_once(':').with_context(bad)?;
    let mut of = LeaseOf::default();
    for part in rest.split(',') {
        let (what, amount) = part.split_once('=').with_context(bad)?;
        let amount: i64 = amount.parse().with_context(bad)?;
        match what {
            "uses" => of.uses = Some(amount),
            "money" => of.money = Some(amount),
            "pieces" => of.pieces = Some(amount),
            _ => bail!(bad()),
        }
    }
    Ok((id.to_owned(), of))
}

/// Opens a snapshot by a key, or by a file that holds one.
pub(crate) fn opened(snapshot: &Path, key: &str) -> Result<Offline> {
    let is_key = key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    let key = if is_key { key.to_owned() } else { bounded(Path::new(key), 1024)? };
    Ok(Offline::open(&bounded(snapshot, SNAPSHOT_BYTES_MAX)?, &key)?)
}

/// What a journal says; nothing, where none is named.
pub(crate) fn journal(offline: &Offline, file: Option<&Path>) -> Result<Journal> {
    let Some(file) = file else { return Ok(Journal::default()) };
    Ok(offline.journal(&bounded(file, JOURNAL_BYTES_MAX)?)?)
}

/// A cart as checkouts have it.
pub(crate) fn cart(file: &Path) -> Result<CartFacts> {
    let text = bounded(file, CART_BYTES_MAX)?;
    serde_json::from_str(&text).with_context(|| format!("{}: this is no cart", file.display()))
}

/// A name as it was typed.
pub(crate) fn named(text: &str) -> Result<Identifier> {
    let (namespace, value) =
        text.split_once(':').with_context(|| format!("{text}: a member is NAMESPACE:VALUE"))?;
    Ok(Identifier { namespace: namespace.to_owned(), value: value.to_owned() })
}

fn sell(action: TillAction) -> Result<ExitCode> {
    let TillAction::Sell { checkout, snapshot, key, journal, cart, member, order, only_leased, at, format } =
        action
    else {
        return Ok(ExitCode::SUCCESS);
    };
    let offline = opened(&snapshot, &key)?;
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&journal).with_context(|| journal.display().to_string())?;
    // Two that sell at once would both see what is left.
    file.lock().with_context(|| format!("{}: it cannot be locked", journal.display()))?;
    let text = bounded(&journal, JOURNAL_BYTES_MAX)?;
    ensure!(
        text.is_empty() || text.ends_with('\n'),
        "{}: its last line was cut off; that sale was not confirmed: take the line out",
        journal.display()
    );
    let known = offline.journal(&text)?;
    let (cart, member, at) = (self::cart(&cart)?, named(&member)?, instant(at.as_deref())?);
    let sold = offline.sell((&checkout, order.as_deref()), &cart, &member, &known, (at, only_leased))?;
    if let Some(item) = &sold.item {
        // One write, and on disk before anybody is told that it is sold.
        let line = format!("{item}\n");
        file.write_all(line.as_bytes())
            .and_then(|()| file.sync_all())
            .with_context(|| journal.display().to_string())?;
    }
    print(&sold.quote, offline.currency(), format)?;
    Ok(ExitCode::SUCCESS)
}

/// Tells the home what a journal says, and decides it here.
async fn upload(place: &Place, engine: &Engine, lease: &str, journal: &Path) -> Result<ExitCode> {
    let text = bounded(journal, JOURNAL_BYTES_MAX)?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let items: Result<Vec<serde_json::Value>, serde_json::Error> = lines.map(serde_json::from_str).collect();
    let items = items.with_context(|| format!("{}: this is no journal", journal.display()))?;
    let mut refused = 0;
    for part in items.chunks(TOLD_MAX) {
        let (stop, stopped) = oneshot::channel::<()>();
        let asked = async {
            let told = engine.take_sales(&who::system(), lease, part, true).await;
            drop(stop);
            told
        };
        let (told, decided) = tokio::join!(asked, engine.run(place.batch(), async { drop(stopped.await) }));
        decided?;
        for one in told?? {
            let why = one
                .code
                .map_or_else(String::new, |code| format!("  {code}: {}", one.message.unwrap_or_default()));
            refused += usize::from(one.state == "refused");
            say!("{}  {}{why}", one.checkout, one.state);
        }
    }
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
