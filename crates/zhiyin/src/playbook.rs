//! `zhiyin check | diff | apply | playbooks | schema`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use zhiyin_engine::Engine;
use zhiyin_engine::audit::{Target, detail};
use zhiyin_engine::playbooks;
use zhiyin_model::playbook::{ChangeKind, Playbook, Problem, json_schema};
use zhiyin_model::role::Operation;

use crate::arguments::{Format, Place};
use crate::report;
use crate::say::say;
use crate::who;

/// A playbook with its rules, or what is wrong with it.
pub type Read = std::result::Result<(Playbook, zhiyin_engine::Rules), Vec<Problem>>;

/// A file, or a shipped playbook by its name.
pub fn read(file: &str) -> Read {
    let path = Path::new(file);
    if !path.exists()
        && let Some(shipped) = playbooks::read_shipped(file)
    {
        return shipped;
    }
    playbooks::read_file(path)
}

/// Problems, one a line.
pub fn listed(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn refused(problems: &[Problem]) -> ExitCode {
    eprintln!("{}", listed(problems));
    let n = problems.len();
    eprintln!("zhiyin: {n} problem{}", if n == 1 { "" } else { "s" });
    ExitCode::from(1)
}

/// Checks a playbook.
pub fn check(file: &str, format: Format) -> Result<ExitCode> {
    match read(file) {
        Ok((playbook, rules)) => {
            if format == Format::Json {
                say!("{}", serde_json::json!({"problems": [], "id": playbook.id, "hash": playbook.hash()}));
                return Ok(ExitCode::SUCCESS);
            }
            say!("{file}: {} is right (hash {})", playbook.id, &playbook.hash()[..12]);
            for note in rules.notes() {
                say!("note: {note}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) if format == Format::Json => {
            say!("{}", serde_json::json!({"problems": problems}));
            Ok(ExitCode::from(1))
        }
        Err(problems) => Ok(refused(&problems)),
    }
}

/// Prints the JSON Schema.
pub fn schema() -> Result<ExitCode> {
    say!("{}", serde_json::to_string_pretty(&json_schema())?);
    Ok(ExitCode::SUCCESS)
}

/// Says what a playbook would change.
pub async fn diff(place: &Place, file: &str, format: Format) -> Result<ExitCode> {
    let (playbook, rules) = match read(file) {
        Ok(read) => read,
        Err(problems) => return Ok(refused(&problems)),
    };
    let engine = place.open_existing().await?;
    let differences = engine.differences(&playbook, &rules).await?;
    if format == Format::Json {
        say!("{}", serde_json::to_string_pretty(&differences)?);
        return Ok(ExitCode::SUCCESS);
    }
    if differences.is_empty() {
        say!("没有变化。No change: this is what is live.");
    }
    for difference in differences {
        let change = &difference.change;
        let sign = match change.kind {
            ChangeKind::Added => '+',
            ChangeKind::Removed => '-',
            ChangeKind::Changed => '~',
        };
        say!("{sign} {}", change.id);
        say!("    {}（涉及 {} 名会员）", change.zh, difference.members);
        say!("    {} ({} members)", change.en, difference.members);
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes a playbook live.
pub async fn apply(place: &Place, file: &str) -> Result<ExitCode> {
    if let Err(problems) = read(file) {
        return Ok(refused(&problems));
    }
    apply_to(&place.open().await?, file).await
}

/// Makes a playbook live in a home that is open.
pub async fn apply_to(engine: &Engine, file: &str) -> Result<ExitCode> {
    let (playbook, _) = match read(file) {
        Ok(read) => read,
        Err(problems) => return Ok(refused(&problems)),
    };
    if let Ok(live) = engine.live()
        && live.playbook.currency != playbook.currency
        && engine.home().await?.clock > zhiyin_model::time::Ts::MIN
    {
        bail!("{file}: the brand's currency cannot change once orders have come in");
    }
    let hash = playbook.hash();
    let beside = detail(serde_json::json!({"hash": &hash[..12.min(hash.len())]}));
    let target = Target::code(&playbook.id);
    let deed = engine.apply(&playbook);
    let (version, new) =
        engine.audited(&who::system(), (Operation::PlaybookApply, &target), &beside, deed).await?;
    if new {
        say!("{} is live as version {version} (hash {})", playbook.id, &playbook.hash()[..12]);
    } else {
        say!("{} is live already, as version {version}: nothing changed", playbook.id);
    }
    Ok(ExitCode::SUCCESS)
}

/// Lists versions.
pub async fn list(place: &Place) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let rows: Vec<Vec<String>> = engine
        .store()
        .playbooks()
        .await?
        .into_iter()
        .map(|version| {
            vec![
                version.version.to_string(),
                version.id,
                version.hash[..12.min(version.hash.len())].to_owned(),
                version.applied_at.rfc3339(),
            ]
        })
        .collect();
    let columns = ["version", "playbook", "hash", "applied_at"].map(str::to_owned);
    report::print(&columns, &rows, Format::Table)?;
    Ok(ExitCode::SUCCESS)
}
