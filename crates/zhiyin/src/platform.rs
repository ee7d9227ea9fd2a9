//! `zhiyin platform status | look` (docs/wecom-mirror.md).

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use zhiyin_engine::platforms::standing::{PlatformView, StandingAsked};
use zhiyin_engine::{clock, platforms};

use crate::arguments::{Format, Place};
use crate::channel;
use crate::report::print;
use crate::say::say;

/// What to do about what is known of platforms.
#[derive(Clone, Debug, Subcommand)]
pub enum PlatformAction {
    /// Since when everything was looked at, how far the look is that goes on, and how much is known.
    Status {
        /// The file of channels.
        #[arg(long, value_name = "FILE")]
        channels: PathBuf,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Has everything looked at now, by whichever process works on this home.
    Look {
        /// The file of channels.
        #[arg(long, value_name = "FILE")]
        channels: PathBuf,
    },
}

/// Does it.
pub async fn platform(place: &Place, action: PlatformAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    match action {
        PlatformAction::Status { channels, format } => {
            let all = platforms::all(&channel::platforms(Some(&channels))?);
            let named: Vec<String> = all.into_iter().map(|at| at.account).collect();
            let asked = StandingAsked { with_counts: true };
            let views = engine.platforms_standing(&named, asked, clock::wall()).await?;
            let rows: Vec<Vec<String>> = views.into_iter().map(row).collect();
            let columns = [
                "channel",
                "account",
                "looked_from",
                "age_s",
                "stage",
                "failed",
                "why",
                "staff",
                "next",
                "known",
            ];
            print(&columns.map(str::to_owned), &rows, format)?;
        }
        PlatformAction::Look { channels } => {
            let all = platforms::all(&channel::platforms(Some(&channels))?);
            engine.look_at_platforms(&all, clock::wall()).await?;
            for at in &all {
                say!("{} {}: is looked at from now on", at.desk.channel(), at.account);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(view: PlatformView) -> Vec<String> {
    let known: Vec<String> = view.known.iter().map(|one| format!("{} {}", one.n, one.kind)).collect();
    vec![
        view.channel,
        view.account,
        view.looked_from.unwrap_or_default(),
        view.age_seconds.map(|age| age.to_string()).unwrap_or_default(),
        view.stage,
        view.failed.to_string(),
        view.why.unwrap_or_default(),
        view.staff.to_string(),
        view.next_look.unwrap_or_default(),
        known.join(", "),
    ]
}
