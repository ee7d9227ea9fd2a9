//! `zhiyin campaign list | show | why | test | effect | history | hours | pause | resume | stop` (docs/campaigns.md).

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Subcommand, ValueEnum};
use zhiyin_engine::campaigns::{CampaignView, WhyView};
use zhiyin_engine::effects::history::{self, HistoryAsked};
use zhiyin_engine::effects::{COLUMNS, EffectAsked, EffectView};
use zhiyin_engine::sends::{price_text, receipts};
use zhiyin_engine::{Engine, clock};
use zhiyin_model::role::Operation;
use zhiyin_model::time::Day;

use crate::arguments::{Format, Place};
use crate::channel::platforms;
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
        /// The file that names channels: then it is said what a short message would cost.
        #[arg(long, value_name = "FILE")]
        channels: Option<PathBuf>,
    },
    /// Says what a campaign changed: those held out against the others, and the ways of its splits against each other.
    Effect {
        /// Its id in the playbook.
        campaign: String,
        /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
        #[arg(long, value_name = "DATE")]
        as_of: Option<String>,
        /// The category that the campaign is after: whether it was bought within 7 days.
        #[arg(long)]
        category: Option<String>,
        /// What is earned of what is sold, such as 30%: costs are then held against margin.
        #[arg(long)]
        margin: Option<String>,
        /// What a message costs, in minor units.
        #[arg(long, value_name = "MINOR", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
        send_cost: u32,
        /// `week`: the weeks in which members were assigned beside the whole.
        #[arg(long)]
        by: Option<By>,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Says what can be said of campaigns of an old system, whose targets were chosen by people and not by lot.
    History {
        /// For how many days what was paid counts, from the first day of a campaign on.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
        /// How many days before it members are matched by.
        #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=1_000))]
        before: u16,
        /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
        #[arg(long, value_name = "DATE")]
        as_of: Option<String>,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Prints how much of what was sent in which two hours of the day was seen, as the playbook takes it (`sending.hours`).
    Hours {
        /// As how many sends an hour counts at most: the more, the longer until what a member does outweighs it.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=100))]
        weight: i64,
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
        CampaignAction::Test { campaign, member, channels } => {
            let senders = receipts::all(&platforms(channels.as_deref())?);
            let live = engine.live()?;
            let promised = live.playbook.campaigns.get(&campaign).is_some_and(|terms| terms.promised);
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
                if one.channel == receipts::CHANNEL && !senders.is_empty() {
                    match receipts::charge(&senders, &one.text, promised, clock::wall()) {
                        Some(charge) => say!("  {} parts: {}", charge.parts, price_text(charge.cost)),
                        None => say!("  no registered template says this"),
                    }
                }
            }
        }
        CampaignAction::Effect { campaign, as_of, category, margin, send_cost, by, format } => {
            let asked = EffectAsked {
                day: as_of.as_deref().map(day).transpose()?,
                category,
                margin: margin.as_deref().map(rate).transpose()?,
                send_cost,
                by_week: by == Some(By::Week),
            };
            // What waits and is due is decided first, as for reports.
            engine.drain(place.batch(), None, |_| ()).await?;
            effect(&engine.effect(&campaign, &asked).await??, format)?;
        }
        CampaignAction::History { days, before, as_of, format } => {
            let asked =
                HistoryAsked { days, before_days: before, day: as_of.as_deref().map(day).transpose()? };
            engine.drain(place.batch(), None, |_| ()).await?;
            history(&engine, asked, format).await?;
        }
        CampaignAction::Hours { weight } => hours(&engine.campaign_hours().await?, weight),
        CampaignAction::Pause { campaign } => state(&engine.halt_campaign(&by, &campaign, "paused").await??),
        CampaignAction::Resume { campaign } => {
            state(&engine.halt_campaign(&by, &campaign, "running").await??)
        }
        CampaignAction::Stop { campaign } => state(&engine.halt_campaign(&by, &campaign, "stopped").await??),
    }
    Ok(ExitCode::SUCCESS)
}

/// By what members are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// The week of their assignment, from Monday on.
    Week,
}

fn day(text: &str) -> Result<Day> {
    Day::parse(text).with_context(|| format!("--as-of {text}: a date is YYYY-MM-DD"))
}

fn rate(text: &str) -> Result<u32> {
    EffectAsked::margin(text).with_context(|| format!("--margin {text}: a margin is such as 30% or 12.5%"))
}

fn effect(view: &EffectView, format: Format) -> Result<()> {
    if format == Format::Json {
        say!("{}", serde_json::to_string_pretty(view)?);
        return Ok(());
    }
    if format == Format::Table {
        say!("{} ({}), as of {}; money in {}", view.campaign, view.name, view.as_of, view.currency);
        for arm in &view.arms {
            say!("{}: {} members, {} messages, {} points", arm.arm, arm.members, arm.sent, arm.points);
        }
    }
    if format == Format::Table {
        for week in &view.cohorts {
            let arms: Vec<String> =
                week.arms.iter().map(|arm| format!("{} {}", arm.arm, arm.members)).collect();
            say!("week {} to {}: {}", week.from, week.to, arms.join(", "));
        }
    }
    print(&COLUMNS.map(str::to_owned), &view.rows(), format)?;
    if format == Format::Table {
        let of_splits = view.experiments.iter().flat_map(|split| &split.measures);
        for one in view.measures.iter().chain(of_splits) {
            let waiting = match one.waiting {
                0 => String::new(),
                n => format!(" ({n} not counted yet / {n} 人未到期)"),
            };
            say!("{} {}: {}{waiting}\n  {}", one.measure, one.treated.arm, one.says.en, one.says.zh);
        }
        let cost = view.cost.iter().map(|cost| &cost.says);
        cost.chain(&view.notes).for_each(|said| say!("! {}\n  {}", said.en, said.zh));
    }
    Ok(())
}

/// Prints campaigns of an old system, with the warning that belongs to them; whether there are any.
pub async fn history(engine: &Engine, asked: HistoryAsked, format: Format) -> Result<bool> {
    let views = engine.campaign_history(asked).await?;
    if format == Format::Json {
        say!("{}", serde_json::to_string_pretty(&views)?);
        return Ok(!views.is_empty());
    }
    if views.is_empty() && format == Format::Table {
        return Ok(false);
    }
    let currency = engine.live()?.playbook.currency.clone();
    if format == Format::Table {
        say!(
            "campaigns of the old system: what was paid in {} days, in {}, beside who was not targeted, and beside others who had \
             spent alike in the {} days before",
            asked.days,
            currency.code,
            asked.before_days
        );
    }
    print(&history::COLUMNS.map(str::to_owned), &history::rows(&views, currency.exponent), format)?;
    if format == Format::Table {
        say!(
            "! Nobody drew lots: people chose the targets, so a difference may be of how they chose and not of the campaign."
        );
        say!("  名单是人选的，不是随机抽的：差异可能来自选人，而不是活动。");
    }
    Ok(!views.is_empty())
}

/// What was observed, as lines that may be pasted into the playbook: no hour counts as more sends than the weight.
fn hours(observed: &[(i64, i64)], weight: i64) {
    if observed.iter().all(|(_, sent)| *sent == 0) {
        say!("# nothing was sent yet");
        return;
    }
    say!("sending:\n  hours:");
    for (slot, (seen, sent)) in observed.iter().enumerate().filter(|(_, (_, sent))| *sent > 0) {
        let (part, of) = weighed(*seen, *sent, weight);
        say!("    - {:02}:00 {part} of {of}    # {seen} of {sent} were seen", 2 * slot);
    }
}

/// So many of so many, of no more than a weight; a half is rounded up.
fn weighed(seen: i64, sent: i64, weight: i64) -> (i64, i64) {
    let (seen, sent) = (seen.clamp(0, sent.max(1)), sent.max(1));
    if sent <= weight {
        return (seen, sent);
    }
    let part = (i128::from(seen) * i128::from(weight) * 2 + i128::from(sent)) / (i128::from(sent) * 2);
    (i64::try_from(part).unwrap_or(weight), weight)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_observed_is_weighed_and_what_is_little_stays() {
        for (given, weighed_as) in [
            ((3, 10, 20), (3, 10)),
            ((500, 1000, 20), (10, 20)),
            ((25, 1000, 20), (1, 20)),
            ((24, 1000, 20), (0, 20)),
            ((1000, 1000, 100), (100, 100)),
            ((i64::MAX, i64::MAX, 100), (100, 100)),
            ((5, 3, 20), (3, 3)),
        ] {
            assert_eq!(weighed(given.0, given.1, given.2), weighed_as, "{given:?}");
        }
    }
}
