//! `zhiyin import members`: an old system's members are tried, taken over, laid beside the file, signed off.

use std::process::ExitCode;

use anyhow::{Result, bail};
use zhiyin_engine::audit::{self, Outcome, Target, detail};
use zhiyin_engine::takeover::table::Table;
use zhiyin_engine::takeover::{Checked, Request};
use zhiyin_engine::{Engine, EngineError};
use zhiyin_model::role::Operation;
use zhiyin_model::time::{Day, Ts};

use crate::arguments::{Format, Members, Place};
use crate::progress::Progress;
use crate::report::print;
use crate::say::say;
use crate::who;

/// The most characters of who signs off.
const BY_CHARS_MAX: usize = 64;
/// The most bytes of a table in one line of the audit log; of a longer one only the hash is noted.
const TABLE_BYTES_MAX: usize = 3_000;

/// Takes members over, as was asked.
pub async fn members(place: &Place, members: &Members) -> Result<ExitCode> {
    if members.file.is_dir() {
        bail!("{}: a folder, no file", members.file.display());
    }
    let engine = place.open_existing().await?;
    let request = request(&engine, members)?;
    if members.reconcile || members.sign_off {
        let table = compare(&engine, &request).await?;
        show(&table, members.format)?;
        if members.sign_off {
            return sign_off(&engine, &request, &table, members.by.as_deref().unwrap_or_default()).await;
        }
        return Ok(ExitCode::from(u8::from(!table.even)));
    }
    let mut progress = Progress::new(None);
    let checked = engine.takeover_check(&request, &mut progress).await?;
    progress.finish()?;
    if checked.n_faults > 0 {
        return refuse(&checked);
    }
    if members.dry_run {
        foretell(&checked, members.format)?;
        eprintln!("tried only: nothing was written");
        return Ok(ExitCode::SUCCESS);
    }
    let beside = detail(serde_json::json!({
        "act": "takeover",
        "source": request.name,
        "as_of": request.as_of.rfc3339(),
        "rows": checked.totals.members,
    }));
    let on = (Operation::IngestWrite, &Target::home());
    let mut progress = Progress::new(None);
    let deed = engine.takeover_import(&request, place.batch_import(), &mut progress);
    let tally = engine.audited::<_, EngineError>(&who::system(), on, &beside, deed).await?;
    progress.finish()?;
    eprintln!(
        "{}: {} rows, {} taken over, {} were already, {} refused; {} dead letters",
        members.file.display(),
        tally.read,
        tally.accepted,
        tally.duplicates,
        tally.rejected,
        tally.dead
    );
    let table = compare(&engine, &request).await?;
    show(&table, members.format)?;
    Ok(ExitCode::from(u8::from(!table.even)))
}

fn request(engine: &Engine, members: &Members) -> Result<Request> {
    let text = members.as_of.trim();
    let as_of = match (Day::parse(text), Ts::parse(text)) {
        // The books of a day are those at its end.
        (Some(day), _) => engine.zone().start(day.plus(1)),
        (None, Some(at)) => at,
        (None, None) => bail!("--as-of {text}: a date is YYYY-MM-DD, an instant RFC 3339"),
    };
    let name = members.file.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(Request {
        file: members.file.clone(),
        name: members.source.clone().or(name).unwrap_or_default(),
        as_of,
        key: members.key.clone(),
        join: members.join,
    })
}

async fn compare(engine: &Engine, request: &Request) -> Result<Table> {
    let mut progress = Progress::new(None);
    let table = engine.takeover_reconcile(request, &mut progress).await?;
    progress.finish()?;
    Ok(table)
}

/// Tells what is wrong; nothing was written.
fn refuse(checked: &Checked) -> Result<ExitCode> {
    for fault in &checked.faults {
        eprintln!("zhiyin: {fault}");
    }
    let more = checked.n_faults - checked.faults.len() as u64;
    let more = if more > 0 { format!(" ({more} of them not shown)") } else { String::new() };
    eprintln!("zhiyin: {} faults{more}: nothing was written", checked.n_faults);
    Ok(ExitCode::from(1))
}

/// Tells what a file would come to.
fn foretell(checked: &Checked, format: Format) -> Result<()> {
    let totals = &checked.totals;
    let row = |what: &str, n: i64| vec![what.to_owned(), n.to_string()];
    let mut rows = vec![
        row("rows", totals.members),
        row("members new", checked.new),
        row("members joined", checked.joining),
        row("taken over already", checked.taken),
        row("points", totals.points),
        row("growth", totals.growth),
    ];
    for (what, sums) in [("tier", &totals.tiers), ("points until", &totals.expiring), ("tag", &totals.tags)] {
        rows.extend(sums.iter().map(|(key, n)| row(&format!("{what} {key}"), *n)));
    }
    rows.push(row("tier not in the file", totals.without_tier));
    print(&["what", "file"].map(str::to_owned), &rows, format)
}

/// Prints file and record side by side.
fn show(table: &Table, format: Format) -> Result<()> {
    let rows: Vec<Vec<String>> = table
        .lines
        .iter()
        .map(|line| {
            let numbers = [line.file, line.home, line.explained, line.difference()];
            std::iter::once(line.what.clone()).chain(numbers.iter().map(i64::to_string)).collect()
        })
        .collect();
    print(&["what", "file", "home", "explained", "difference"].map(str::to_owned), &rows, format)?;
    for cause in &table.causes {
        // What programs read stays as it is; people read it beside.
        if format == Format::Table { say!("{cause}") } else { eprintln!("{cause}") }
    }
    let verdict = if table.even { "even: no difference is left" } else { "not even: differences are left" };
    if format == Format::Table {
        say!("{verdict}")
    } else {
        eprintln!("{verdict}")
    }
    Ok(())
}

/// Notes in the audit log that somebody answers for the totals.
async fn sign_off(engine: &Engine, request: &Request, table: &Table, by: &str) -> Result<ExitCode> {
    let by = by.trim();
    let is_name = !by.is_empty() && by.chars().count() <= BY_CHARS_MAX && !by.chars().any(char::is_control);
    if !is_name {
        bail!("--by: who signs off, 1 to {BY_CHARS_MAX} characters");
    }
    if !table.even {
        bail!("not signed off: differences are left");
    }
    let lines = table.lines.iter().map(|line| (line.what.clone(), line.home.into()));
    let totals = serde_json::Value::Object(lines.collect());
    let text = totals.to_string();
    // As many months and tags as there are may be more than one line holds; the table can be printed again.
    let hash = audit::fingerprint(&text);
    let totals = if text.len() <= TABLE_BYTES_MAX { totals } else { serde_json::Value::Null };
    let beside = detail(serde_json::json!({
        "act": "takeover_sign_off",
        "by": by,
        "as_of": request.as_of.rfc3339(),
        "lines": table.lines.len(),
        "hash": hash,
        "totals": totals,
    }));
    let target = Target::code(format!("takeover/{}", request.name));
    let store = engine.store().as_ref();
    audit::note(store, &who::system(), Operation::HomeManage, &target, Outcome::Done, &beside).await?;
    say!("signed off by {by}");
    Ok(ExitCode::SUCCESS)
}
