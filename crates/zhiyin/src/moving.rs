//! `zhiyin migrate`, `backup` and `restore`: a home moves whole, and the digest proves it. `zhiyin archive`: its oldest months
//! move to files.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use zhiyin_engine::archive::Outcome;
use zhiyin_engine::keys;
use zhiyin_engine::moving::{self, Moved};
use zhiyin_store::archive::file_name;
use zhiyin_store::turn::place;

use crate::arguments::Place;
use crate::home::Database;
use crate::master;
use crate::say::say;

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
            tokio::task::spawn_blocking(move || keys::copy(keystore.as_ref(), target.as_ref())).await??;
            to.open(master.as_ref()).await?
        }
    };
    let moved = moving::migrate(old.as_ref(), new.as_ref()).await;
    told(&format!("{} → {}", from.name(), to.name()), &moved.with_context(|| to.name())?);
    Ok(ExitCode::SUCCESS)
}

/// Writes the home to a file.
pub async fn backup(place: &Place, file: &Path) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let moved = moving::backup(engine.store().as_ref(), file).await?;
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
            tokio::task::spawn_blocking(move || keys::restore(&keystore, target.as_ref())).await??;
        } else if database.keystore().await?.is_none() {
            bail!("keystore_missing: this backup is of a sealed home; give its keystore: --keystore FILE");
        }
        database.open(master::given(place)?.as_ref()).await?
    } else {
        database.open_unsealed().await?
    };
    let moved = moving::restore(file, store.as_ref()).await.with_context(|| database.name())?;
    told(&database.name(), &moved);
    Ok(ExitCode::SUCCESS)
}

/// Moves months to files.
pub async fn archive(place: &Place, before: &str, keep_days: u32) -> Result<ExitCode> {
    let Some(month) = place::parse(before) else { bail!("{before}: a month is YYYY-MM") };
    let engine = place.open_existing().await?;
    let folder = place.archive()?;
    let told = engine.archive(&folder, month, keep_days).await?;
    if told.is_empty() {
        say!("No events came in before {before}.");
    }
    for (month, outcome) in told {
        let name = place::name(month.month);
        match outcome {
            Outcome::Archived { events } => {
                say!("{name}: {events} events, now in {}", folder.join(file_name(month.month)).display())
            }
            Outcome::Before => say!("{name}: {} events, archived before", month.events),
            Outcome::Open => say!("{name}: stays: some of its events wait or are dead letters"),
            Outcome::Young => say!("{name}: stays: its ids are remembered for {keep_days} days"),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn told(what: &str, moved: &Moved) {
    say!("{what}: {} rows, digest {} on both sides", moved.rows, moved.digest);
}
