//! Measured rounds over one home, in a process of its own as in production: a line "ROUND MEMBERS" comes in, what
//! it took goes out. In odd rounds every member is read from the record first; in even ones memory may hold some. So rounds of several homes can alternate, and each home's memory is its own.

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

/// Whether every member of a round is read from the record.
pub const fn reads_all(round: u32) -> bool {
    round % 2 == 1
}

/// What a round took.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// From the first item offered to the last decision on disk.
    pub wall_us: u64,
    /// Bytes given to the operating system to write; 0 where it does not tell.
    pub written_bytes: u64,
    /// The most memory the process has had so far; 0 where nobody tells.
    pub resident_kb_max: u64,
}

impl Took {
    /// Reads what [`rounds`] printed.
    pub fn parse(line: &str) -> Option<Self> {
        let mut numbers = line.split_whitespace().map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Self { wall_us: next()?, written_bytes: next()?, resident_kb_max: next()? })
    }
}

/// Runs rounds until its input ends.
pub async fn rounds(place: &Place) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let source = Source {
        name: "rounds".to_owned(),
        user_namespace: "user".to_owned(),
        replay: true,
        ties: Default::default(),
    };
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (round, members) = line.split_once(' ').context("ROUND MEMBERS")?;
        let number: u32 = round.parse()?;
        let items = brand::round(number, members.parse()?);
        if reads_all(number) {
            engine.forget().await;
        }
        let written_before = told("io", "wchar:");
        let watch = clock::stopwatch();
        let verdicts = engine.accept(&source, &items, None).await?;
        let done = engine.drain(place.batch(), Some(Ts::MIN), |_| ()).await?;
        let wall_us = watch.elapsed().as_micros();
        let written_bytes = told("io", "wchar:") - written_before;
        if verdicts.iter().any(|verdict| *verdict != Verdict::Accepted) || done.dead > 0 {
            bail!("round {round}: not every order was taken");
        }
        if done.events != items.len() {
            bail!("round {round}: {} of {} orders were decided", done.events, items.len());
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "{wall_us} {written_bytes} {}", told("status", "VmHWM:"))?;
        out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A number that Linux tells of this process; 0 elsewhere.
pub(super) fn told(file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}
