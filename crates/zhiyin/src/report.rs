//! `zhiyin report | dead-letters | doctor | digest`, and how tables are printed.

use std::process::ExitCode;

use anyhow::{Result, bail};
use zhiyin_engine::audit::{Target, detail};
use zhiyin_engine::reports::Report;
use zhiyin_model::role::Operation;
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::read::{GivenUp, Work};

use crate::arguments::{DeadLetterAction, Format, Place, ReportName};
use crate::say::say;
use crate::who;

/// Dead letters listed at once.
const DEAD_LETTERS_MAX: usize = 10_000;

/// Prints a report.
pub async fn report(
    place: &Place,
    report: ReportName,
    format: Format,
    as_of: Option<String>,
    under: Option<&str>,
) -> Result<ExitCode> {
    let day = match as_of {
        None => None,
        Some(text) => match Day::parse(&text) {
            Some(day) => Some(day),
            None => {
                eprintln!("zhiyin: --as-of {text}: a date is YYYY-MM-DD");
                return Ok(ExitCode::from(2));
            }
        },
    };
    let engine = place.open_existing().await?;
    let report = match report {
        ReportName::Tiers => Report::Tiers,
        ReportName::Lifecycle => Report::Lifecycle,
        ReportName::Ledger => Report::Ledger,
        ReportName::Members => Report::Members,
        ReportName::Places => Report::Places,
    };
    let table = engine.report_under(report, day, under).await?;
    print(&table.columns, &table.rows, format)?;
    if format == Format::Table {
        say!("as of {}", table.as_of);
    }
    if let Some(cut) = &table.cut {
        // What programs read stays as it is; people read it beside.
        if format == Format::Table { say!("{cut}") } else { eprintln!("{cut}") }
    }
    if table.past {
        eprintln!("as of {}: attributes and tags, where shown, are those of now", table.as_of);
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a table.
pub fn print(columns: &[String], rows: &[Vec<String>], format: Format) -> Result<()> {
    match format {
        Format::Csv => {
            let mut out = csv::Writer::from_writer(std::io::stdout().lock());
            out.write_record(columns)?;
            for row in rows {
                out.write_record(row)?;
            }
            out.flush()?;
        }
        Format::Json => {
            let objects: Vec<serde_json::Value> = rows
                .iter()
                .map(|row| {
                    let cells = columns.iter().cloned().zip(row.iter().map(|cell| typed(cell)));
                    serde_json::Value::Object(cells.collect())
                })
                .collect();
            say!("{}", serde_json::to_string_pretty(&objects)?);
        }
        Format::Table => print_table(columns, rows),
    }
    Ok(())
}

/// A whole number as such, everything else as text.
fn typed(cell: &str) -> serde_json::Value {
    let number = cell.parse::<i64>().ok().filter(|number| number.to_string() == cell);
    number.map_or_else(|| cell.into(), Into::into)
}

fn print_table(columns: &[String], rows: &[Vec<String>]) {
    let width = |i: usize| {
        let cells = rows.iter().filter_map(|row| row.get(i)).chain(columns.get(i));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let numeric =
        |i: usize| rows.iter().all(|row| row.get(i).is_some_and(|cell| cell.parse::<i64>().is_ok()));
    let right: Vec<bool> = (0..columns.len()).map(numeric).collect();
    let line = |cells: &[String]| {
        let padded: Vec<String> = cells
            .iter()
            .enumerate()
            .map(|(i, cell)| {
                let width = widths[i];
                if right[i] { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            })
            .collect();
        say!("{}", padded.join("  ").trim_end());
    };
    line(columns);
    for row in rows {
        line(row);
    }
}

/// Lists dead letters, or puts them back.
pub async fn dead_letters(place: &Place, action: Option<DeadLetterAction>) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let letters = engine.store().dead_letters(DEAD_LETTERS_MAX).await?;
    match action {
        None => {
            let rows: Vec<Vec<String>> = letters
                .into_iter()
                .map(|letter| {
                    vec![
                        letter.seq.to_string(),
                        letter.code,
                        letter.field,
                        letter.message,
                        letter.name,
                        letter.time.rfc3339(),
                        letter.source,
                        letter.message_id,
                    ]
                })
                .collect();
            let columns = ["seq", "code", "field", "message", "event", "time", "source", "message_id"]
                .map(str::to_owned);
            print(&columns, &rows, Format::Table)?;
        }
        Some(DeadLetterAction::Retry { seqs }) => {
            let known: Vec<i64> = letters.iter().map(|letter| letter.seq).collect();
            let seqs = if seqs.is_empty() { known.clone() } else { seqs };
            if let Some(unknown) = seqs.iter().find(|seq| !known.contains(seq)) {
                bail!("there is no dead letter {unknown}");
            }
            let beside = detail(serde_json::json!({"letters": seqs.len()}));
            let on = (Operation::DeadLettersRetry, &Target::home());
            let n = engine.audited(&who::system(), on, &beside, engine.retry(seqs)).await?;
            let left = engine.store().dead_letters(DEAD_LETTERS_MAX).await?.len();
            say!("{n} put back; {left} dead letters are left");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Lists identifiers that were given up at the door.
pub async fn given_up(place: &Place, limit: usize, format: Format) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let listed = engine.store().given_up(limit).await?;
    let row = |given: GivenUp| {
        vec![
            given.seq.to_string(),
            given.time.rfc3339(),
            given.namespace,
            given.reason.name().to_owned(),
            given.member.map(|member| member.to_string()).unwrap_or_default(),
            given.source,
            given.message_id,
        ]
    };
    let columns = ["seq", "time", "namespace", "why", "member", "source", "message_id"];
    print(&columns.map(str::to_owned), &listed.into_iter().map(row).collect::<Vec<_>>(), format)?;
    Ok(ExitCode::SUCCESS)
}

/// Checks every invariant, and says how the work stands.
pub async fn doctor(place: &Place) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let mut well = true;
    for check in engine.store().doctor().await? {
        say!("{}  {}", if check.broken.is_empty() { "ok  " } else { "FAIL" }, check.invariant);
        for broken in &check.broken {
            say!("        {broken}");
        }
        well &= check.broken.is_empty();
    }
    let sealed = engine.store().personal().is_some_and(|personal| personal.vault().is_sealed());
    let how = if sealed { "is sealed" } else { "is not sealed (`zhiyin keys seal-home` seals it)" };
    say!("      personal data {how}");
    work(&engine.store().work().await?)?;
    if !well {
        eprintln!("zhiyin: the home is not well; restore a backup, and report this with the lines above");
        return Ok(ExitCode::from(1));
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints who works on what, and what waits.
fn work(work: &Work) -> Result<()> {
    let shares: Vec<Vec<String>> = work
        .shares
        .iter()
        .map(|share| {
            let oldest = share.oldest.map(Ts::rfc3339).unwrap_or_default();
            let holder = share.holder.clone().unwrap_or_default();
            vec![share.slot.to_string(), share.waiting.to_string(), oldest, holder]
        })
        .collect();
    say!();
    print(&["share", "waiting", "oldest", "holder"].map(str::to_owned), &shares, Format::Table)?;
    let of = |what: &str, whose: &str, n: i64| vec![what.to_owned(), n.to_string(), whose.to_owned()];
    let mut rows = vec![of("events queued", "", work.queued), of("dead letters", "", work.dead_letters)];
    rows.extend(work.feed.iter().map(|(consumer, n)| of("entries before", consumer, *n)));
    rows.extend(work.replicas.iter().map(|(replica, n)| of("bytes behind", replica, *n)));
    say!();
    print(&["what", "n", "whose"].map(str::to_owned), &rows, Format::Table)
}

/// Prints the digest.
pub async fn digest(place: &Place) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    say!("{}", engine.store().digest().await?);
    Ok(ExitCode::SUCCESS)
}
