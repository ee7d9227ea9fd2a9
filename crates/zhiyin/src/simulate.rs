//! `zhiyin simulate`: what a changed playbook would have cost.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use zhiyin_engine::simulate::{ASSUMED, Sample, Simulated, Simulation};
use zhiyin_model::time::Day;

use crate::arguments::{Format, Place};
use crate::playbook::{listed, read};
use crate::report;
use crate::say::say;

/// What is simulated.
#[derive(Debug, Args)]
pub struct Simulating {
    /// The changed playbook: a file, or the name of a shipped one.
    playbook: String,
    /// The day from which on it holds (YYYY-MM-DD); from the beginning without it.
    #[arg(long, value_name = "DATE", value_parser = day)]
    from: Option<Day>,
    /// The last day (YYYY-MM-DD); now without it.
    #[arg(long, value_name = "DATE", value_parser = day)]
    to: Option<Day>,
    /// Only so many members, such as 10000, or such a part of them, such as 2.5%.
    #[arg(long, value_name = "N|P%", value_parser = sample)]
    sample: Option<Sample>,
    /// How it is printed.
    #[arg(long, value_enum, default_value = "text")]
    format: SimulationFormat,
}

/// How a simulation is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SimulationFormat {
    /// For people.
    Text,
    /// For programs, amounts in minor units.
    Json,
    /// A line each number, amounts in major units.
    Csv,
}

fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "a date is YYYY-MM-DD".to_owned())
}

fn sample(text: &str) -> Result<Sample, String> {
    Sample::parse(text)
        .ok_or_else(|| "a number of members such as 10000, or a share from 0.01% to 100%".to_owned())
}

/// Simulates a playbook.
pub async fn simulate(place: &Place, asked: &Simulating) -> Result<ExitCode> {
    let (playbook, _) = match read(&asked.playbook) {
        Ok(read) => read,
        Err(problems) => bail!("{}", listed(&problems)),
    };
    let engine = place.open_existing().await?;
    let sample = asked.sample.unwrap_or_default();
    let found = engine.simulate(&playbook, Simulation { from: asked.from, to: asked.to, sample }).await?;
    match asked.format {
        SimulationFormat::Json => say!("{}", serde_json::to_string_pretty(&found)?),
        SimulationFormat::Csv => {
            let (columns, rows) = found.lines();
            report::print(&columns, &rows, Format::Csv)?;
        }
        SimulationFormat::Text => in_words(&found)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn in_words(found: &Simulated) -> Result<()> {
    let from = found.from.as_deref().unwrap_or("the beginning");
    say!("{} from {from} to {}: the changed playbook beside the live one", found.currency, found.to);
    for words in &found.changes {
        say!("~ {}", words.en.as_deref().unwrap_or_default());
    }
    let (members, reproduced) = (&found.members, &found.reproduced);
    say!("{} members replayed; nothing was written", members.replayed);
    say!(
        "{} of {} compared members: points, growth, tier and stage of the replay are those of the record",
        reproduced.equal,
        reproduced.compared
    );
    if found.discounted_in_the_record > 0 {
        say!("discounted in the record already, in minor units: {}", found.discounted_in_the_record);
    }
    for note in &found.notes {
        say!("! {}", note.en.as_deref().unwrap_or_default());
        say!("  {}", note.zh.as_deref().unwrap_or_default());
    }
    for table in found.tables().iter().filter(|table| !table.rows.is_empty()) {
        say!("\n{} — {ASSUMED}", table.title);
        report::print(&table.columns, &table.rows, Format::Table)?;
    }
    if let Some(estimate) = found.estimate() {
        say!("\nfor all members, estimated from the sample: {} {estimate} — {ASSUMED}", found.currency);
    }
    Ok(())
}
