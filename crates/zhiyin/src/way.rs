//! `zhiyin way list` and `zhiyin transfer begin | list | show` (docs/ways.md, docs/connect-wecom.md).

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use zhiyin_engine::platforms::{TransferAsked, TransferView, WayView, WaysAsked};

use crate::arguments::{Format, Place};
use crate::report::print;
use crate::say::say;
use crate::who;

/// What to do about codes.
#[derive(Clone, Debug, Subcommand)]
pub enum WayAction {
    /// Lists the codes of the playbook's touchpoints: where each leads now, its picture, how many came by it today.
    List {
        /// Of one touchpoint.
        #[arg(long)]
        touchpoint: Option<String>,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
}

/// What to do about hand-overs.
#[derive(Clone, Debug, Subcommand)]
pub enum TransferAction {
    /// Hands customers of one of the staff over to another: somebody on leave, or who has left.
    Begin(TransferArguments),
    /// Lists hand-overs, the latest first.
    List {
        /// The brand's account on the platform.
        #[arg(long, default_value = "main")]
        account: String,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Shows how far one is.
    Show {
        /// What it is known by.
        transfer: String,
        /// The brand's account on the platform.
        #[arg(long, default_value = "main")]
        account: String,
    },
}

/// A hand-over.
#[derive(Clone, Debug, Args)]
pub struct TransferArguments {
    /// What it is known by: the same again is the same one. FROM-TO where nothing is said.
    #[arg(long)]
    name: Option<String>,
    /// The brand's account on the platform.
    #[arg(long, default_value = "main")]
    account: String,
    /// From whom, as the platform calls them.
    #[arg(long)]
    from: String,
    /// To whom.
    #[arg(long)]
    to: String,
    /// Whoever hands over has left.
    #[arg(long)]
    left: bool,
    /// Which customers, with commas between them; all, where nothing is said.
    #[arg(long, value_delimiter = ',', value_name = "CUSTOMER,…")]
    customers: Vec<String>,
    /// Their groups go too.
    #[arg(long)]
    groups: bool,
    /// What customers are told, where whoever hands over is there.
    #[arg(long, conflicts_with = "left")]
    word: Option<String>,
}

/// Does it.
pub async fn way(place: &Place, action: WayAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let WayAction::List { touchpoint, format } = action;
    let rows: Vec<Vec<String>> =
        engine.ways(&WaysAsked { touchpoint }).await?.into_iter().map(way_row).collect();
    let columns = ["touchpoint", "name", "account", "leads_to", "state", "to", "today", "picture", "why"];
    print(&columns.map(str::to_owned), &rows, format)?;
    Ok(ExitCode::SUCCESS)
}

fn way_row(view: WayView) -> Vec<String> {
    let today: Vec<String> =
        view.today.iter().map(|made| format!("{} {}", made.account, made.adds)).collect();
    vec![
        view.touchpoint,
        view.name,
        view.account,
        view.leads_to,
        view.state,
        view.to.join(" "),
        today.join(" "),
        view.picture.unwrap_or_default(),
        view.why.unwrap_or_default(),
    ]
}

/// Does it.
pub async fn transfer(place: &Place, action: TransferAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    match action {
        TransferAction::Begin(asked) => {
            let TransferArguments { name, account, from, to, left, customers, groups, word } = asked;
            let plain = |text: &str| -> String {
                let lower = text.to_ascii_lowercase();
                lower.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
            };
            let name = name.unwrap_or_else(|| format!("{}-{}", plain(&from), plain(&to)));
            let asked = TransferAsked {
                name,
                account: Some(account),
                from,
                to,
                has_left: left,
                customers,
                groups,
                word,
            };
            let view = engine.begin_transfer(&who::system(), &asked).await??;
            say!("{}", serde_json::to_string_pretty(&view)?);
        }
        TransferAction::List { account, format } => {
            let rows: Vec<Vec<String>> =
                engine.transfers(Some(&account)).await?.into_iter().map(transfer_row).collect();
            let columns = [
                "transfer",
                "from",
                "to",
                "left",
                "state",
                "customers",
                "kept_because",
                "groups",
                "asked_at",
                "why",
            ];
            print(&columns.map(str::to_owned), &rows, format)?;
        }
        TransferAction::Show { transfer, account } => {
            let view = engine.transfer(Some(&account), &transfer).await??;
            say!("{}", serde_json::to_string_pretty(&view)?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn transfer_row(view: TransferView) -> Vec<String> {
    let counted = |of: &std::collections::BTreeMap<String, usize>| {
        of.iter().map(|(what, n)| format!("{what} {n}")).collect::<Vec<_>>().join(" ")
    };
    vec![
        view.transfer,
        view.from,
        view.to,
        view.has_left.to_string(),
        view.state,
        counted(&view.customers),
        counted(&view.kept_because),
        view.groups.to_string(),
        view.asked_at,
        view.why.unwrap_or_default(),
    ]
}
