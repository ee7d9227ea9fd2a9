//! Measured rounds over one home, in a process of its own as in production: a line "ROUND MEMBERS" comes in, what
//! it took goes out. So rounds of several homes can alternate, and each home's memory is its own.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use zhiyin_engine::accept::{Source, Verdict};
use zhiyin_engine::clock;
use zhiyin_model::time::Ts;

use super::brand;
use crate::arguments::Place;

/// How `growth` asks for this.
pub const NAME: &str = "growth-rounds";

/// Runs rounds until its input ends.
pub async fn rounds(place: &Place) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let source = Source { name: "rounds".to_owned(), user_namespace: "user".to_owned(), replay: true };
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (round, members) = line.split_once(' ').context("ROUND MEMBERS")?;
        let items = brand::round(round.parse()?, members.parse()?);
        let watch = clock::stopwatch();
        let verdicts = engine.accept(&source, &items, None).await?;
        let done = engine.drain(place.batch(), Some(Ts::MIN), |_| ()).await?;
        let elapsed_us = watch.elapsed().as_micros();
        if verdicts.iter().any(|verdict| *verdict != Verdict::Accepted) || done.dead > 0 {
            bail!("round {round}: not every order was taken");
        }
        if done.events != items.len() {
            bail!("round {round}: {} of {} orders were decided", done.events, items.len());
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "{elapsed_us} {}", resident_kb_max())?;
        out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The most memory this process has had, as Linux tells it; 0 elsewhere.
fn resident_kb_max() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}
