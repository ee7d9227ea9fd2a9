//! Endpoints made, changed, given another secret, paused, replayed and removed: by whom, and with a line of the audit log each.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::{HOUR_US, Ts};
use zhiyin_model::webhook;
use zhiyin_reach::address::{self, Target};
use zhiyin_reach::client::{Answer, Client, Failed};
use zhiyin_reach::signature::Secret;
use zhiyin_store::Store;
use zhiyin_store::audit::Note;
use zhiyin_store::webhooks::{Because, Change, Endpoint, Forget, Replay, Salt, Settings};

use super::deliver::{parcel, secret, secrets, send};
use crate::audit::{Outcome, Target as Of, detail, line};
use crate::boxed;
use crate::{Result, clock};

/// How many endpoints a home has at most.
pub const ENDPOINTS_MAX: usize = 50;
/// The most characters of a description.
pub const DESCRIPTION_CHARS_MAX: usize = 200;
/// For how long the secret before signs beside the new one.
pub const KEEP_HOURS: i64 = 24;
/// Messages that are forgotten, or looked at to be sent anew, at once.
const AT_ONCE: usize = 10_000;

/// Chance from the operating system: 8 bytes for the id, 16 for the salt.
pub type Chance = [u8; 24];

/// What is wrong with an endpoint, or with what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookProblem {
    /// Its address.
    #[error("url: {0}")]
    Url(address::Problem),
    /// There is no such kind of message.
    #[error("types: there is no {0}; `zhiyin webhook types` lists them")]
    Type(String),
    /// Its description.
    #[error("description: at most {DESCRIPTION_CHARS_MAX} characters, all of them visible")]
    Description,
    /// There are too many.
    #[error("a home has at most {ENDPOINTS_MAX} endpoints")]
    TooMany,
    /// There is none of this id.
    #[error("there is no endpoint {0}")]
    Unknown(String),
    /// Somebody changed it at the same time.
    #[error("somebody changed it at the same time: look again")]
    Moved,
}

impl WebhookProblem {
    /// A name that stays, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Url(address::Problem::TooLong) => "webhook_url_too_long",
            Self::Url(address::Problem::Unreadable) => "webhook_url_unreadable",
            Self::Url(address::Problem::NotEncrypted) => "webhook_url_not_encrypted",
            Self::Url(address::Problem::Credentials) => "webhook_url_credentials",
            Self::Url(address::Problem::Port(_)) => "webhook_url_port",
            Self::Url(address::Problem::Private(_)) => "webhook_url_private",
            Self::Type(_) => "webhook_type_unknown",
            Self::Description => "webhook_description_bad",
            Self::TooMany => "webhooks_too_many",
            Self::Unknown(_) => "webhook_unknown",
            Self::Moved => "webhook_moved",
        }
    }

    /// The field at fault; empty where the whole is.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Url(_) => "url",
            Self::Type(_) => "types",
            Self::Description => "description",
            Self::TooMany | Self::Unknown(_) | Self::Moved => "",
        }
    }
}

/// What a new endpoint is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewEndpoint {
    /// Where messages go.
    pub url: String,
    /// Which kinds it gets; all where none is named.
    pub types: BTreeSet<String>,
    /// What people call it.
    pub description: String,
    /// Whether messages say what members and orders are called.
    pub identifiers: bool,
    /// Whether it may be at a private address, and without TLS.
    pub allow_private: bool,
}

/// What changes of an endpoint; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// Where messages go.
    pub url: Option<String>,
    /// Which kinds it gets; all where none is named.
    pub types: Option<BTreeSet<String>>,
    /// What people call it.
    pub description: Option<String>,
    /// Whether messages say what members and orders are called.
    pub identifiers: Option<bool>,
    /// Whether it may be at a private address.
    pub allow_private: Option<bool>,
}

fn checked(settings: &Settings) -> std::result::Result<(), WebhookProblem> {
    Target::parse(&settings.url, settings.allow_private).map_err(WebhookProblem::Url)?;
    if let Some(unknown) = settings.types.iter().find(|name| webhook::kind(name).is_none()) {
        return Err(WebhookProblem::Type(unknown.chars().take(100).collect()));
    }
    let description = &settings.description;
    if description.chars().count() > DESCRIPTION_CHARS_MAX || description.chars().any(char::is_control) {
        return Err(WebhookProblem::Description);
    }
    Ok(())
}

/// What is written down of an endpoint: where to, as far as its host, and how much.
fn noted(act: &str, settings: &Settings) -> Value {
    let host =
        Target::parse(&settings.url, settings.allow_private).map(|target| target.host).unwrap_or_default();
    let host: String = host.chars().take(100).collect();
    json!({
        "act": act,
        "host": host,
        "types": settings.types.len(),
        "identifiers": settings.identifiers,
        "allow_private": settings.allow_private,
    })
}

fn note(by: &Grant, id: &str, more: Value, now: Ts) -> Result<Note> {
    line(by, Operation::WebhooksManage, &Of::code(id), Outcome::Done, &detail(more), now)
}

/// The endpoint of an id.
#[boxed]
pub async fn endpoint(store: &dyn Store, id: &str) -> Result<Endpoint> {
    let unknown = || WebhookProblem::Unknown(id.chars().take(32).collect());
    let found = store.webhooks().endpoints().await?.into_iter().find(|endpoint| endpoint.id == id);
    Ok(found.ok_or_else(unknown)?)
}

/// Makes an endpoint; it, and its secret, which is shown this once.
#[boxed]
pub async fn make(
    store: &dyn Store,
    by: &Grant,
    new: NewEndpoint,
    chance: &Chance,
    now: Ts,
) -> Result<(Endpoint, Secret)> {
    by.may(Operation::WebhooksManage)?;
    let (id, salt) = chance.split_at(8);
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let settings = Settings {
        url: new.url,
        types: new.types,
        description: new.description,
        identifiers: new.identifiers,
        allow_private: new.allow_private,
        made_by: by.who.clone(),
        salt: salt_of(salt),
        before: None,
    };
    checked(&settings)?;
    if store.webhooks().endpoints().await?.len() >= ENDPOINTS_MAX {
        return Err(WebhookProblem::TooMany.into());
    }
    let note = note(by, &id, noted("made", &settings), now)?;
    let endpoint = Endpoint {
        id: id.clone(),
        revision: 1,
        made_at: now,
        settings,
        paused: None,
        failing_since: None,
        failures: 0,
        rest_until: None,
    };
    let change = Change { id: id.clone(), revision: None, becomes: Some(endpoint.clone()), note };
    if !store.webhooks().change_endpoint(change).await? {
        return Err(WebhookProblem::Moved.into());
    }
    let key = store.home().await?.id_key;
    Ok((endpoint, secret(&key, &id, salt)))
}

fn salt_of(bytes: &[u8]) -> Salt {
    let mut salt = Salt::default();
    for (to, from) in salt.iter_mut().zip(bytes) {
        *to = *from;
    }
    salt
}

/// Changes an endpoint as it stands, and gives it as it stands then.
async fn changed(
    store: &dyn Store,
    by: &Grant,
    id: &str,
    now: Ts,
    change: impl FnOnce(&mut Endpoint) -> Result<Value>,
) -> Result<Endpoint> {
    by.may(Operation::WebhooksManage)?;
    let before = endpoint(store, id).await?;
    let mut after = before.clone();
    let more = change(&mut after)?;
    after.revision = before.revision + 1;
    (after.failing_since, after.failures, after.rest_until) = (None, 0, None);
    let note = note(by, id, more, now)?;
    let revision = Some(before.revision);
    let change = Change { id: id.to_owned(), revision, becomes: Some(after.clone()), note };
    if store.webhooks().change_endpoint(change).await? {
        Ok(after)
    } else {
        Err(WebhookProblem::Moved.into())
    }
}

/// Changes what an endpoint's owner says of it; what waits is tried at once.
#[boxed]
pub async fn patch(store: &dyn Store, by: &Grant, id: &str, patch: Patch, now: Ts) -> Result<Endpoint> {
    let after = changed(store, by, id, now, |endpoint| {
        let settings = &mut endpoint.settings;
        settings.url = patch.url.unwrap_or_else(|| settings.url.clone());
        settings.types = patch.types.unwrap_or_else(|| settings.types.clone());
        settings.description = patch.description.unwrap_or_else(|| settings.description.clone());
        settings.identifiers = patch.identifiers.unwrap_or(settings.identifiers);
        settings.allow_private = patch.allow_private.unwrap_or(settings.allow_private);
        checked(settings)?;
        Ok(noted("changed", settings))
    })
    .await?;
    store.webhooks().revive(id, now).await?;
    Ok(after)
}

/// Gives an endpoint another secret, which is shown this once; the one before signs beside it for [`KEEP_HOURS`].
#[boxed]
pub async fn rotate(
    store: &dyn Store,
    by: &Grant,
    id: &str,
    chance: &Chance,
    now: Ts,
) -> Result<(Endpoint, Secret)> {
    let until = now.plus_us(KEEP_HOURS * HOUR_US);
    let endpoint = changed(store, by, id, now, |endpoint| {
        let old = std::mem::replace(&mut endpoint.settings.salt, salt_of(&chance[8..]));
        endpoint.settings.before = Some((old, until));
        Ok(json!({"act": "rotated", "keep_hours": KEEP_HOURS}))
    })
    .await?;
    let key = store.home().await?.id_key;
    let secret = secret(&key, id, &endpoint.settings.salt);
    Ok((endpoint, secret))
}

/// Pauses an endpoint: what happens meanwhile waits.
#[boxed]
pub async fn pause(store: &dyn Store, by: &Grant, id: &str, now: Ts) -> Result<Endpoint> {
    pause_because(store, by, id, Because::Asked, now).await
}

pub(super) async fn pause_because(
    store: &dyn Store,
    by: &Grant,
    id: &str,
    because: Because,
    now: Ts,
) -> Result<Endpoint> {
    changed(store, by, id, now, |endpoint| {
        endpoint.paused = endpoint.paused.or(Some((now, because)));
        Ok(json!({"act": "paused", "because": because.name()}))
    })
    .await
}

/// Lets an endpoint go on: it gets what waits, at once.
#[boxed]
pub async fn resume(store: &dyn Store, by: &Grant, id: &str, now: Ts) -> Result<Endpoint> {
    let after = changed(store, by, id, now, |endpoint| {
        endpoint.paused = None;
        Ok(json!({"act": "resumed"}))
    })
    .await?;
    store.webhooks().revive(id, now).await?;
    Ok(after)
}

/// Does away with an endpoint and its messages.
#[boxed]
pub async fn remove(store: &dyn Store, by: &Grant, id: &str, now: Ts) -> Result<()> {
    by.may(Operation::WebhooksManage)?;
    let known = endpoint(store, id).await?;
    let note = note(by, id, noted("removed", &known.settings), now)?;
    let change = Change { id: id.to_owned(), revision: Some(known.revision), becomes: None, note };
    if !store.webhooks().change_endpoint(change).await? {
        return Err(WebhookProblem::Moved.into());
    }
    // Where this breaks off, the rest goes when its time comes.
    while store.webhooks().forget(Forget::Of(id.to_owned()), AT_ONCE).await?.1 > 0 {}
    Ok(())
}

/// Sends an endpoint anew all that happened since an instant and is kept still, part by part, so that nobody else waits for
/// long; how many messages. Broken off, it is asked for again.
#[boxed]
pub async fn replay(store: &dyn Store, by: &Grant, id: &str, from: Ts, now: Ts) -> Result<usize> {
    by.may(Operation::WebhooksManage)?;
    let known = endpoint(store, id).await?;
    let note = note(by, id, json!({"act": "replayed", "from": from.rfc3339()}), now)?;
    let mut part =
        Replay { endpoint: known.id, from, after: i64::MIN, limit: AT_ONCE, now, note: Some(note) };
    let mut all = 0;
    loop {
        let (n, next) = store.webhooks().replay(part.clone()).await?;
        all += n;
        let Some(after) = next else { return Ok(all) };
        part = Replay { after, note: None, ..part };
    }
}

/// Sends a message that says nothing, now, whether the endpoint is paused or not; what came of it.
#[boxed]
pub async fn test(
    store: &dyn Store,
    by: &Grant,
    client: &Client,
    id: &str,
    now: Ts,
) -> Result<std::result::Result<Answer, Failed>> {
    by.may(Operation::WebhooksManage)?;
    let known = endpoint(store, id).await?;
    let note = note(by, id, json!({"act": "tested"}), now)?;
    store.access().note(note).await?;
    let target =
        Target::parse(&known.settings.url, known.settings.allow_private).map_err(WebhookProblem::Url)?;
    let home = store.home().await?;
    let message = zhiyin_store::webhooks::message_id(&home.id_key, "webhook.test", &now.0.to_le_bytes());
    let data = serde_json::Map::from_iter([("endpoint".to_owned(), Value::from(id))]);
    let parcel = parcel(format!("msg_{message}"), "webhook.test", clock::now(&home), data);
    let secrets = secrets(&home.id_key, id, &known.settings, now);
    Ok(send(&mut client.lane(target), &secrets, &parcel, now).await)
}
