//! `zhiyin arrival list | retry | drop` (docs/wecom-callbacks.md).

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use zhiyin_engine::arrivals::log::{ArrivalView, ArrivalsAsked, SHOWN_MAX};

use crate::arguments::{Format, Place};
use crate::report::print;
use crate::say::say;
use crate::who;

/// What to do about what came from platforms.
#[derive(Clone, Debug, Subcommand)]
pub enum ArrivalAction {
    /// Lists what came from platforms, the newest first.
    List {
        /// From one channel.
        #[arg(long)]
        channel: Option<String>,
        /// In one state: waiting, done, failed or dropped.
        #[arg(long)]
        state: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
        limit: u16,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Works on dead letters again, or at once on what waits.
    Retry {
        /// Their ids.
        #[arg(required_unless_present = "all", num_args = 1..)]
        arrivals: Vec<String>,
        /// All dead letters of a channel, up to 200.
        #[arg(long, value_name = "CHANNEL", conflicts_with = "arrivals")]
        all: Option<String>,
    },
    /// Nothing is done about them any more.
    Drop {
        /// Their ids.
        #[arg(required = true, num_args = 1..)]
        arrivals: Vec<String>,
    },
}

/// Does it.
pub async fn arrival(place: &Place, action: ArrivalAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let by = who::system();
    match action {
        ArrivalAction::List { channel, state, limit, format } => {
            let asked = ArrivalsAsked { channel, state, before: None, limit: limit.into() };
            let rows: Vec<Vec<String>> = engine.arrivals(&asked).await??.into_iter().map(row).collect();
            let columns = ["arrival", "at", "channel", "lane", "state", "tries", "next", "why"];
            print(&columns.map(str::to_owned), &rows, format)?;
        }
        ArrivalAction::Retry { arrivals, all } => {
            let arrivals = match all {
                None => arrivals,
                channel => {
                    let state = Some("failed".to_owned());
                    let asked = ArrivalsAsked { channel, state, before: None, limit: SHOWN_MAX };
                    engine.arrivals(&asked).await??.into_iter().map(|one| one.arrival).collect()
                }
            };
            for one in &arrivals {
                say(&engine.retry_arrival(&by, one).await??);
            }
        }
        ArrivalAction::Drop { arrivals } => {
            for one in &arrivals {
                say(&engine.drop_arrival(&by, one).await??);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(view: ArrivalView) -> Vec<String> {
    let tries = view.tries.to_string();
    let (next, why) = (view.next.unwrap_or_default(), view.why.unwrap_or_default());
    vec![view.arrival, view.at, view.channel, view.lane, view.state, tries, next, why]
}

fn say(view: &ArrivalView) {
    say!("{} is {}", view.arrival, view.state);
}
