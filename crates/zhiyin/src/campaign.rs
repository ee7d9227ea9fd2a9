//! `zhiyin campaign list | show | why | test | pause | resume | stop` (docs/campaigns.md).

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use zhiyin_engine::Engine;
use zhiyin_engine::campaigns::{CampaignView, WhyView};
use zhiyin_model::role::Operation;

use crate::arguments::{Format, Place};
use crate::coupon::whom;
use crate::report::print;
use crate::say::say;
use crate::who;

/// What to do about campaigns of the playbook.
#[derive(Clone, Debug, Subcommand)]
pub enum CampaignAction {
    /// Lists campaigns, each with what it came to so far.
    List {
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Shows a campaign, as JSON.
    Show {
        /// Its id in the playbook.
        campaign: String,
    },
    /// Says why a member was sent something of a campaign, or not.
    Why {
        /// Its id in the playbook.
        campaign: String,
        /// NAMESPACE:VALUE, or the member's id.
        #[arg(long)]
        member: String,
    },
    /// Shows a campaign's messages as they would be said to a member now, and what the guard-rails say; nothing is sent.
    Test {
        /// Its id in the playbook.
        campaign: String,
        /// NAMESPACE:VALUE, or the member's id.
        #[arg(long)]
        member: String,
    },
    /// Pauses a campaign: nobody begins it, and nothing more is sent or given, until it goes on.
    Pause {
        /// Its id in the playbook.
        campaign: String,
    },
    /// Lets a paused campaign go on.
    Resume {
        /// Its id in the playbook.
        campaign: String,
    },
    /// Stops a campaign for good.
    Stop {
        /// Its id in the playbook.
        campaign: String,
    },
}

/// Does it.
pub async fn campaign(place: &Place, action: CampaignAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let by = who::system();
    match action {
        CampaignAction::List { format } => {
            let columns = ["campaign", "state", "on", "began", "sent", "held_out", "not_sent", "goal"];
            let rows: Vec<Vec<String>> = engine.campaigns().await?.into_iter().map(row).collect();
            print(&columns.map(str::to_owned), &rows, format)?;
        }
        CampaignAction::Show { campaign } => {
            say!("{}", serde_json::to_string_pretty(&engine.campaign(&campaign).await??)?);
        }
        CampaignAction::Why { campaign, member } => told(&why(&engine, &campaign, &member).await?),
        CampaignAction::Test { campaign, member } => {
            for one in why(&engine, &campaign, &member).await?.now {
                let rails: Vec<String> =
                    one.rails.iter().map(|(rail, word)| format!("{rail}: {word}")).collect();
                say!(
                    "{} by {}: {}\n  {}\n  {}",
                    one.message,
                    one.channel,
                    one.verdict,
                    rails.join(", "),
                    one.text
                );
            }
        }
        CampaignAction::Pause { campaign } => state(&engine.halt_campaign(&by, &campaign, "paused").await??),
        CampaignAction::Resume { campaign } => {
            state(&engine.halt_campaign(&by, &campaign, "running").await??)
        }
        CampaignAction::Stop { campaign } => state(&engine.halt_campaign(&by, &campaign, "stopped").await??),
    }
    Ok(ExitCode::SUCCESS)
}

async fn why(engine: &Engine, campaign: &str, member: &str) -> Result<WhyView> {
    let filter = engine.filter(&who::system(), Operation::MemberRead).await?;
    Ok(engine.why_sent(&filter, (&whom(member)?, "member"), campaign).await??)
}

fn row(view: CampaignView) -> Vec<String> {
    let count = |name: &str| view.counts.get(name).copied().unwrap_or(0).to_string();
    let counts = ["began", "sent", "held_out", "not_sent", "goal"].map(count);
    [view.campaign.clone(), view.state.clone(), view.on.clone()].into_iter().chain(counts).collect()
}

fn state(view: &CampaignView) {
    say!("{} is {}", view.campaign, view.state);
}

fn told(why: &WhyView) {
    say!("{} is {}", why.campaign, why.state);
    for run in &why.open {
        let due = run.due.as_deref().unwrap_or("something that happens");
        say!("since {} in it, at step {}, until {due}", run.since, run.place);
    }
    for moved in &why.moves {
        let place = if moved.place.is_empty() { String::new() } else { format!(" at step {}", moved.place) };
        say!("{} {}{place}: {}", moved.at, moved.kind, moved.why);
    }
    match &why.cannot_begin {
        Some(code) => say!("could not begin it now: {code}"),
        None => say!("could begin it now{}", if why.held_out { ", held out" } else { "" }),
    }
}
