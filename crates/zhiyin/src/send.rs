//! `zhiyin send list | show | retry | drop` (docs/channels.md).

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use zhiyin_engine::Engine;
use zhiyin_engine::sends::log::{SHOWN_MAX, SendView, SendsAsked};
use zhiyin_model::role::Operation;

use crate::arguments::{Format, Place};
use crate::coupon::whom;
use crate::report::print;
use crate::say::say;
use crate::who;

/// What to do about what left the home.
#[derive(Clone, Debug, Subcommand)]
pub enum SendAction {
    /// Lists what left the home on channels outside of it, the newest first.
    List {
        /// To one member: NAMESPACE:VALUE, or their id.
        #[arg(long)]
        member: Option<String>,
        /// On one channel.
        #[arg(long)]
        channel: Option<String>,
        /// In one state: waiting, handed, sent, unknown, failed, stopped, dropped or bounced.
        #[arg(long)]
        state: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
        limit: u16,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Shows one, as JSON.
    Show {
        /// Its id.
        send: String,
    },
    /// Hands dead letters over again.
    Retry {
        /// Their ids.
        #[arg(required_unless_present = "all", num_args = 1..)]
        sends: Vec<String>,
        /// All of a channel: up to 200 of those that failed, or with --sure of those of which nobody knows.
        #[arg(long, value_name = "CHANNEL", conflicts_with = "sends")]
        all: Option<String>,
        /// They did not arrive, though nobody knows: of a copied home, or after a crash.
        #[arg(long)]
        sure: bool,
    },
    /// They are not to be sent any more.
    Drop {
        /// Their ids.
        #[arg(required = true, num_args = 1..)]
        sends: Vec<String>,
    },
}

/// Does it.
pub async fn send(place: &Place, action: SendAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let by = who::system();
    match action {
        SendAction::List { member, channel, state, limit, format } => {
            let asked = SendsAsked { channel, state, before: None, limit: limit.into() };
            let listed = match member {
                None => engine.sends(&asked).await??,
                Some(member) => {
                    let filter = engine.filter(&by, Operation::MemberRead).await?;
                    engine.member_sends(&filter, (&whom(&member)?, "member"), &asked).await??
                }
            };
            let columns =
                ["send", "at", "channel", "state", "attempts", "member", "campaign", "message", "error"];
            let rows: Vec<Vec<String>> = listed.into_iter().map(row).collect();
            print(&columns.map(str::to_owned), &rows, format)?;
        }
        SendAction::Show { send } => {
            say!("{}", serde_json::to_string_pretty(&engine.send(&send).await??)?);
        }
        SendAction::Retry { sends, all, sure } => {
            let sends = match all {
                None => sends,
                Some(channel) => of_channel(&engine, channel, sure).await?,
            };
            for send in &sends {
                say(&engine.retry_send(&by, send, sure).await??);
            }
        }
        SendAction::Drop { sends } => {
            for send in &sends {
                say(&engine.drop_send(&by, send).await??);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Those of a channel that may be handed over again.
async fn of_channel(engine: &Engine, channel: String, sure: bool) -> Result<Vec<String>> {
    let state = if sure { "unknown" } else { "failed" };
    let asked =
        SendsAsked { channel: Some(channel), state: Some(state.to_owned()), before: None, limit: SHOWN_MAX };
    let found = engine.sends(&asked).await??.into_iter();
    // What went on to another channel is over with this one.
    Ok(found.filter(|one| sure || one.others.is_empty()).map(|one| one.send).collect())
}

fn row(view: SendView) -> Vec<String> {
    let error = view.error.unwrap_or_default();
    let attempts = view.attempts.to_string();
    vec![
        view.send,
        view.at,
        view.channel,
        view.state,
        attempts,
        view.member,
        view.campaign,
        view.message,
        error,
    ]
}

fn say(view: &SendView) {
    say!("{} is {}", view.send, view.state);
}
