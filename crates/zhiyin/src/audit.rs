//! `zhiyin audit list | verify | checkpoint`.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use zhiyin_engine::{Engine, audit};
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::audit::{Checkpoint, Entry};

use crate::arguments::{AuditAction, Format, Place};
use crate::report::print;
use crate::say::say;

/// Reads the audit log as was asked.
pub async fn audit(place: &Place, action: AuditAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    match action {
        AuditAction::List { since, format } => list(&engine, since.as_deref(), format).await?,
        AuditAction::Verify { from } => {
            let kept = match from.as_deref().map(|text| (text, Checkpoint::parse(text))) {
                None => None,
                Some((_, Some(kept))) => Some(kept),
                Some((text, None)) => bail!("--from: {text}: a checkpoint is NUMBER:HASH, as it was printed"),
            };
            match audit::verify(engine.store().as_ref(), kept).await? {
                Ok(end) => say!("{} lines, each follows from the one before; the last is {end}", end.no),
                Err(broken) => {
                    eprintln!("zhiyin: the audit log is broken: {broken}");
                    return Ok(ExitCode::from(1));
                }
            }
        }
        AuditAction::Checkpoint => {
            let end = audit::checkpoint(engine.store().as_ref()).await?;
            say!("{}", end.context("no checkpoint of a broken log")?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(engine: &Engine, since: Option<&str>, format: Format) -> Result<()> {
    let since = match since.map(|text| (text, Day::parse(text), Ts::parse(text))) {
        None => None,
        Some((_, Some(day), _)) => Some(crate::key::zone(engine).start(day)),
        Some((_, None, Some(at))) => Some(at),
        Some((text, ..)) => bail!("--since: {text}: a day is YYYY-MM-DD, an instant RFC 3339"),
    };
    let mut rows = Vec::new();
    audit::each(engine.store().as_ref(), since, |entry| rows.push(row(entry))).await?;
    let columns = ["no", "at", "who", "role", "operation", "target", "outcome", "detail"];
    print(&columns.map(str::to_owned), &rows, format)
}

fn row(entry: &Entry) -> Vec<String> {
    let Entry { no, note, .. } = entry;
    let said = [&note.who, &note.role, &note.operation, &note.target, &note.outcome, &note.detail];
    [no.to_string(), note.at.rfc3339()].into_iter().chain(said.into_iter().cloned()).collect()
}
