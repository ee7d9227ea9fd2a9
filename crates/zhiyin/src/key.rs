//! `zhiyin key new | list | revoke | rotate`.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::{Result, bail};
use zhiyin_engine::keys::{self, Chance, NewKey, Secret};
use zhiyin_engine::{Engine, clock};
use zhiyin_model::role::{Operation, Role};
use zhiyin_model::time::{Day, Ts, Zone};
use zhiyin_store::access::Key;

use crate::arguments::{Format, KeyAction, KeyNew, Place};
use crate::report::print;
use crate::say::say;
use crate::who;

/// Does with keys what was asked.
pub async fn key(place: &Place, action: KeyAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let (store, by) = (engine.store().as_ref(), who::system());
    match action {
        KeyAction::New(new) => {
            let new = wanted(&engine, new)?;
            let (key, secret) = keys::make(store, &by, new, &chance()?).await?;
            tell(&key, &secret);
        }
        KeyAction::List { format } => list(&store.access().keys().await?, format)?,
        KeyAction::Revoke { id } => {
            keys::revoke(store, &by, &id).await?;
            say!("{id} is revoked");
        }
        KeyAction::Rotate { id, keep_old } => {
            let (key, secret) = keys::rotate(store, &by, &id, keep_old, &chance()?).await?;
            match keep_old {
                0 => eprintln!("{id} is revoked"),
                hours => eprintln!("{id} goes on for {hours} hours at most"),
            }
            tell(&key, &secret);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The secret goes alone to standard output, so that it can be piped to where it is kept.
fn tell(key: &Key, secret: &Secret) {
    eprintln!("key {} ({}); its secret is shown this once:", key.id, key.role);
    say!("{}", secret.reveal());
}

fn chance() -> Result<Chance> {
    let mut chance = [0; 40];
    getrandom::fill(&mut chance).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(chance)
}

fn wanted(engine: &Engine, new: KeyNew) -> Result<NewKey> {
    let role = match (&new.role, new.public) {
        (None, true) => Role::Public,
        (Some(role), false) => match Role::named(role) {
            Some(role) => role,
            None => bail!("--role: there is no role {role}; there are {}", names(Role::ALL)),
        },
        _ => bail!("say --role ROLE, or --public"),
    };
    let mut scopes = BTreeSet::new();
    for name in &new.only {
        match Operation::named(name) {
            Some(operation) => scopes.insert(operation),
            None => bail!("--only: there is no operation {name}; there are {}", names(Operation::ALL)),
        };
    }
    Ok(NewKey {
        role,
        place: new.place,
        staff: new.staff,
        name: new.name.unwrap_or_default(),
        scopes: (!scopes.is_empty()).then_some(scopes),
        expires_at: new.expires.as_deref().map(|text| end_of(engine, text)).transpose()?,
    })
}

fn names<T: std::fmt::Display>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The zone that days are meant in: the brand's, or UTC where there is no playbook yet.
pub fn zone(engine: &Engine) -> Zone {
    engine.live().map_or_else(|_| Zone::utc(), |live| live.rules.zone.clone())
}

/// The end of a day, or an instant.
fn end_of(engine: &Engine, text: &str) -> Result<Ts> {
    match (Day::parse(text), Ts::parse(text)) {
        (Some(day), _) => Ok(zone(engine).end(day).plus_us(1)),
        (None, Some(at)) => Ok(at),
        _ => bail!("--expires: {text}: a day is YYYY-MM-DD, an instant RFC 3339"),
    }
}

/// How a key stands.
fn state(key: &Key, now: Ts) -> &'static str {
    match (key.revoked_at, key.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(at)) if at <= now => "expired",
        _ => "good",
    }
}

fn list(all: &[Key], format: Format) -> Result<()> {
    let now = clock::wall();
    let at = |at: Option<Ts>| at.map(Ts::rfc3339).unwrap_or_default();
    let row = |key: &Key| {
        let only: Vec<&str> = key.scopes.iter().flatten().map(|operation| operation.name()).collect();
        vec![
            key.id.clone(),
            state(key, now).to_owned(),
            key.role.name().to_owned(),
            key.place.clone().unwrap_or_default(),
            key.staff.clone().unwrap_or_default(),
            key.name.clone(),
            only.join(" "),
            key.made_at.rfc3339(),
            key.made_by.clone(),
            at(key.expires_at),
            at(key.revoked_at),
        ]
    };
    let columns =
        ["key", "state", "role", "place", "staff", "name", "only", "made", "by", "expires", "revoked"];
    print(&columns.map(str::to_owned), &all.iter().map(row).collect::<Vec<_>>(), format)
}
