//! `zhiyin import`: files, the real data set, a made-up brand.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use zhiyin_engine::accept::{Source, Ties};
use zhiyin_engine::audit::{Detail, Target, detail};
use zhiyin_engine::import::{self, Tally, completejourney, csv, lines, synthetic};
use zhiyin_engine::{Engine, playbooks};
use zhiyin_model::role::Operation;
use zhiyin_model::time::Ts;

use crate::arguments::{DataSet, Import, Place};
use crate::progress::Progress;
use crate::say::say;
use crate::{takeover, who};

/// Business time at which the demo's playbook is applied: before the first event of the data.
const DEMO_BEGINS: &str = "2016-11-01T00:00:00Z";

/// Brings history in.
pub async fn import(place: &Place, import: Import) -> Result<ExitCode> {
    let engine = match &import.set {
        Some(DataSet::Members(members)) => return takeover::members(place, members).await,
        _ => place.open().await?,
    };
    match import.set {
        Some(DataSet::Completejourney { dir, limit }) => {
            let tally = completejourney(place, &engine, &dir, limit).await?;
            told(&dir.display().to_string(), &tally);
            Ok(ExitCode::SUCCESS)
        }
        Some(DataSet::Synthetic { households, seed }) => {
            let tally = synthetic(place, &engine, synthetic::Size { households, seed }).await?;
            say!("A made-up brand: none of its figures are real.");
            told("synthetic", &tally);
            Ok(ExitCode::SUCCESS)
        }
        None | Some(DataSet::Members(_)) => files(place, &engine, &import).await,
    }
}

/// The real retailer's year. A fresh home gets the demo's playbook.
pub async fn completejourney(
    place: &Place,
    engine: &Engine,
    dir: &Path,
    limit: Option<u64>,
) -> Result<Tally> {
    if !dir.join("transactions.parquet").is_file() {
        bail!("{}: transactions.parquet and its siblings are not there", dir.display());
    }
    let dir = dir.to_owned();
    let items = move |skip| completejourney::items(&dir, skip, limit);
    demo(place, engine, completejourney::SOURCE, items).await
}

/// A made-up brand, under the demo's playbook.
pub async fn synthetic(place: &Place, engine: &Engine, size: synthetic::Size) -> Result<Tally> {
    let items = move |skip| Ok(synthetic::items(size, skip, None));
    demo(place, engine, synthetic::SOURCE, items).await
}

async fn demo<I>(place: &Place, engine: &Engine, source: &str, items: I) -> Result<Tally>
where
    I: FnOnce(u64) -> Result<Box<dyn Iterator<Item = import::Given> + Send>, String> + Send + 'static,
{
    if engine.live().is_err() {
        let (playbook, _) = match playbooks::read_shipped("demo") {
            Some(Ok(read)) => read,
            Some(Err(problems)) => bail!("the shipped playbook: {}", crate::playbook::listed(&problems)),
            None => bail!("the demo's playbook is not in this program"),
        };
        let deed = engine.apply_at(&playbook, Ts::parse(DEMO_BEGINS));
        let on = (Operation::PlaybookApply, &Target::code(&playbook.id));
        engine.audited(&who::system(), on, &Detail::new(), deed).await?;
    }
    let import = import::Import {
        source: Source {
            name: source.to_owned(),
            user_namespace: completejourney::NAMESPACE.to_owned(),
            replay: true,
            ties: Ties::Keep,
        },
        batch: place.batch_import(),
        progress: Some(source.to_owned()),
        accept_only: false,
    };
    let mut progress = Progress::new(None);
    let beside = detail(serde_json::json!({"act": "import", "set": source}));
    let on = (Operation::IngestWrite, &Target::home());
    let deed = engine.import(import, items, &mut progress);
    let tally = engine.audited(&who::system(), on, &beside, deed).await?;
    progress.finish()?;
    engine.clock_audited(&who::system(), engine.begin_business()).await?;
    Ok(tally)
}

async fn files(place: &Place, engine: &Engine, import: &Import) -> Result<ExitCode> {
    if import.files.is_empty() {
        bail!("name a file, or a data set: `zhiyin import --help`");
    }
    engine.live()?;
    let beside = detail(serde_json::json!({"act": "import", "files": import.files.len()}));
    let on = (Operation::IngestWrite, &Target::home());
    engine.audited(&who::system(), on, &beside, all_files(place, engine, import)).await
}

async fn all_files(place: &Place, engine: &Engine, import: &Import) -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for file in &import.files {
        let tally = one_file(place, engine, import, file).await?;
        told(&file.display().to_string(), &tally);
        if tally.rejected > 0 {
            say!("rejects: {}", rejects_of(file).display());
        }
        if tally.accepted + tally.duplicates == 0 {
            eprintln!("zhiyin: {}: nothing could be read", file.display());
            code = ExitCode::from(1);
        }
    }
    if !import.accept_only {
        engine.drain(place.batch(), None, |_| ()).await?;
    }
    Ok(code)
}

async fn one_file(place: &Place, engine: &Engine, import: &Import, file: &Path) -> Result<Tally> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let input = File::open(file).with_context(|| file.display().to_string())?;
    let is_csv = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let mapping = match &import.mapping {
        None if is_csv => bail!("{}: a CSV file needs --mapping FILE", file.display()),
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            let mapping = csv::Mapping::parse(&text);
            Some(mapping.map_err(|message| anyhow::anyhow!("{}: {message}", path.display()))?)
        }
    };
    let name = import.source.clone().unwrap_or(name);
    let trusted = import.trusted || engine.identity().is_trusted(&name);
    let given = import::Import {
        source: Source {
            name,
            user_namespace: import.user_namespace.clone(),
            replay: true,
            ties: match (import.desk, trusted) {
                (true, _) => Ties::Insist,
                (false, true) => Ties::Merge,
                (false, false) => Ties::Keep,
            },
        },
        batch: place.batch_import(),
        progress: None,
        accept_only: import.accept_only,
    };
    let mut progress = Progress::new(Some(rejects_of(file)));
    let items = move |_| match mapping {
        Some(mapping) => csv::items(input, mapping),
        None => Ok(lines::items(input)),
    };
    let tally = engine.import(given, items, &mut progress).await?;
    progress.finish()?;
    Ok(tally)
}

/// Rejects stand beside their input.
fn rejects_of(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".rejects.jsonl");
    file.with_file_name(name)
}

fn told(what: &str, tally: &Tally) {
    say!(
        "{what}: {} read, {} accepted, {} duplicates, {} rejected; {} decided, {} of them dead letters",
        tally.read,
        tally.accepted,
        tally.duplicates,
        tally.rejected,
        tally.decided,
        tally.dead
    );
}
