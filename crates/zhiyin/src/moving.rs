//! `zhiyin migrate`, `backup` and `restore`: a home moves whole, and the digest proves it. `zhiyin archive`: its oldest months
//! move to files.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::json;
use zhiyin_engine::archive;
use zhiyin_engine::audit::{self, Outcome, Target, detail};
use zhiyin_engine::moving::{self, Moved};
use zhiyin_engine::sealing;
use zhiyin_model::role::Operation;
use zhiyin_store::Store;
use zhiyin_store::archive::file_name;
use zhiyin_store::turn::place;
use zhiyin_store::webhooks::{Because, Endpoint};

use crate::arguments::Place;
use crate::home::Database;
use crate::master;
use crate::say::say;
use crate::who;

/// Copies a home into an empty one.
pub async fn migrate(place: &Place, from: &str, to: &str) -> Result<ExitCode> {
    let (from, to) = (Database::parse(from)?, Database::parse(to)?);
    if !from.exists().await? {
        bail!("there is no home at {}", from.name());
    }
    let master = master::given(place)?;
    let (old, _) = from.open(master.as_ref()).await?;
    let keystore = old.personal().and_then(|personal| personal.vault().keystore().cloned());
    let (new, _) = match keystore {
        None => to.open_unsealed().await?,
        Some(keystore) => {
            // What is sealed stays as it is, and opens by the same keys.
            let target = to.new_keystore()?;
            tokio::task::spawn_blocking(move || sealing::copy(keystore.as_ref(), target.as_ref())).await??;
            to.open(master.as_ref()).await?
        }
    };
    // The old home says so before, and so the copy says it too.
    let more = detail(json!({"act": "migrated to another home"}));
    let on = (Operation::HomeManage, Target::home());
    audit::note(old.as_ref(), &who::system(), on.0, &on.1, Outcome::Begun, &more).await?;
    let moved = moving::migrate(old.as_ref(), new.as_ref()).await.with_context(|| to.name())?;
    noted(new.as_ref(), "migrated from another home", &moved).await?;
    told(&format!("{} → {}", from.name(), to.name()), &moved);
    silent(new.as_ref()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the home to a file.
pub async fn backup(place: &Place, file: &Path) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let beside = detail(json!({"act": "backup"}));
    let on = (Operation::HomeManage, &Target::home());
    let deed = moving::backup(engine.store().as_ref(), file);
    let moved = engine.audited(&who::system(), on, &beside, deed).await?;
    told(&file.display().to_string(), &moved);
    Ok(ExitCode::SUCCESS)
}

/// Makes a home from a file.
pub async fn restore(place: &Place, file: &Path, keystore: Option<&Path>) -> Result<ExitCode> {
    // What is no backup is told before a home is made.
    moving::file::verify(file)?;
    let database = place.at()?;
    let (store, _) = if moving::is_sealed(file)? {
        if let Some(keystore) = keystore {
            let (target, keystore) = (database.new_keystore()?, keystore.to_owned());
            tokio::task::spawn_blocking(move || sealing::restore(&keystore, target.as_ref())).await??;
        } else if database.keystore().await?.is_none() {
            bail!("keystore_missing: this backup is of a sealed home; give its keystore: --keystore FILE");
        }
        database.open(master::given(place)?.as_ref()).await?
    } else {
        database.open_unsealed().await?
    };
    let moved = moving::restore(file, store.as_ref()).await.with_context(|| database.name())?;
    noted(store.as_ref(), "restored from a backup", &moved).await?;
    told(&database.name(), &moved);
    silent(store.as_ref()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Moves months to files.
pub async fn archive(place: &Place, before: &str, keep_days: u32) -> Result<ExitCode> {
    let Some(month) = place::parse(before) else { bail!("{before}: a month is YYYY-MM") };
    let engine = place.open_existing().await?;
    let folder = place.archive()?;
    let beside = detail(json!({"act": "archive", "before": before, "keep_days": keep_days}));
    let on = (Operation::HomeManage, &Target::home());
    let deed = engine.archive(&folder, month, keep_days);
    let told = engine.audited(&who::system(), on, &beside, deed).await?;
    if told.is_empty() {
        say!("No events came in before {before}.");
    }
    for (month, outcome) in told {
        let name = place::name(month.month);
        match outcome {
            archive::Outcome::Archived { events } => {
                say!("{name}: {events} events, now in {}", folder.join(file_name(month.month)).display())
            }
            archive::Outcome::Before => say!("{name}: {} events, archived before", month.events),
            archive::Outcome::Open => say!("{name}: stays: some of its events wait or are dead letters"),
            archive::Outcome::Young => say!("{name}: stays: its ids are remembered for {keep_days} days"),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes down what became of a home.
async fn noted(store: &dyn Store, act: &str, moved: &Moved) -> Result<()> {
    let more = detail(json!({"act": act, "rows": moved.rows, "digest": moved.digest}));
    audit::note(store, &who::system(), Operation::HomeManage, &Target::home(), Outcome::Done, &more).await?;
    Ok(())
}

/// Says that a copy tells nobody anything yet.
async fn silent(store: &dyn Store) -> Result<()> {
    let endpoints = store.webhooks().endpoints().await?;
    let copied = |one: &&Endpoint| one.paused.is_some_and(|(_, because)| because == Because::Copied);
    let ids: Vec<&str> = endpoints.iter().filter(copied).map(|one| one.id.as_str()).collect();
    if !ids.is_empty() {
        say!(
            "This home is a copy, so its webhooks are paused: {}. Where it takes the other's place, `zhiyin webhook resume ID` \
             sends what waits.",
            ids.join(", ")
        );
    }
    Ok(())
}

fn told(what: &str, moved: &Moved) {
    say!("{what}: {} rows, digest {} on both sides", moved.rows, moved.digest);
}
