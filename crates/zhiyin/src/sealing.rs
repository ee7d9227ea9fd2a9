//! `zhiyin keys`: the keys under which personal data is sealed.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde_json::json;
use zhiyin_engine::audit::{self, Outcome, Target};
use zhiyin_engine::sealing::{self, Status};
use zhiyin_model::role::Operation;
use zhiyin_store::Store;
use zhiyin_store::seal::keystore::Keystore;

use crate::arguments::{KeysAction, Place};
use crate::master;
use crate::say::say;
use crate::who;

/// Does something with keys.
pub async fn keys(place: &Place, action: KeysAction) -> Result<ExitCode> {
    match action {
        KeysAction::NewMaster { file } => {
            let key = master::make(&file)?;
            say!("{}: a new master key, fingerprint {}", file.display(), key.fingerprint());
            say!("Keep a copy where the home is not: without it, nobody reads what is sealed under it.");
        }
        KeysAction::Rotate { to } => {
            let Some(master) = master::given(place)? else {
                bail!("give the master key of now: --master-key-file")
            };
            let next = master::from_file(&to)?;
            let keystore = keystore(place).await?;
            let (next, n) = aside(move || {
                let n = sealing::rotate(keystore.as_ref(), &master, &next)?;
                Ok((next, n))
            })
            .await?;
            let (store, _) = place.at()?.open(Some(&next)).await?;
            noted(store.as_ref(), json!({"act": "master key changed", "keys": n})).await?;
            say!("{n} data keys were wrapped anew; the home is under the master key in {}", to.display());
        }
        KeysAction::Status => {
            let Some(keystore) = place.at()?.keystore().await? else {
                say!(
                    "unsealed: personal data lies in this home as it came in; `zhiyin keys seal-home` seals it"
                );
                return Ok(ExitCode::SUCCESS);
            };
            let shown = keystore.place();
            match aside(move || Ok(sealing::status(&keystore)?)).await? {
                Some(status) => told(&shown, &status),
                None => say!("unsealed: {shown} is empty"),
            }
        }
        KeysAction::SealHome => seal_home(place).await?,
        KeysAction::Backup { file } => {
            let keystore = keystore(place).await?;
            let path = file.clone();
            let n = aside(move || Ok(sealing::backup(keystore.as_ref(), &path)?)).await?;
            say!("{}: {n} lines, wrapped: it is read with the master key only", file.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn noted(store: &dyn Store, more: serde_json::Value) -> Result<()> {
    let (more, target) = (audit::detail(more), Target::home());
    audit::note(store, &who::system(), Operation::HomeManage, &target, Outcome::Done, &more).await?;
    Ok(())
}

/// Does what waits on a thread where nobody else does.
async fn aside<T: Send + 'static>(job: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(job).await.context("a thread ended")?
}

async fn keystore(place: &Place) -> Result<Arc<dyn Keystore>> {
    let database = place.at()?;
    let keystore = database.keystore().await?;
    keystore.with_context(|| format!("not_sealed: {} has no keystore", database.name()))
}

fn told(place: &str, status: &Status) {
    let Status { version, keys, erasures, rotating, sealing } = status;
    say!("keystore      {place}");
    say!("master key    version {version}");
    say!("data keys     {} ({} under another version)", keys.0, keys.1);
    say!("erasures      {} ({} not carried out yet)", erasures.0, erasures.1);
    if *rotating {
        say!("A change of the master key was begun and not ended: run `zhiyin keys rotate` to its end.");
    }
    if *sealing {
        say!("The home is not sealed to its end yet: run `zhiyin keys seal-home` to its end.");
    }
}

async fn seal_home(place: &Place) -> Result<()> {
    let Some(master) = master::given(place)? else {
        bail!(
            "give the master key to seal under: --master-key-file (`zhiyin keys new-master FILE` makes one)"
        )
    };
    let database = place.at()?;
    let Some(store) = database.open_to_seal(&master).await? else {
        say!("{} is sealed already", database.name());
        return Ok(());
    };
    store.keep_archive(place.archive()?);
    let mut n = 0;
    let done = sealing::seal_home(store.as_ref(), |part| n += part).await;
    store.release(crate::home::SEALER).await?;
    done?;
    place.forget_audiences()?;
    noted(store.as_ref(), json!({"act": "sealed", "rows": n})).await?;
    say!("{} is sealed: {n} rows looked at, files written anew", database.name());
    say!("Backups, copies and logs of the database that were made before are not: do away with them.");
    Ok(())
}
