//! `zhiyin webhook add | list | show | change | rotate | remove | pause | resume | replay | log | test | types | schema`: whom the
//! home tells of what happens.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use zhiyin_engine::clock;
use zhiyin_engine::webhooks::manage::{self, Chance, NewEndpoint, Patch};
use zhiyin_engine::webhooks::{Client, Secret};
use zhiyin_model::time::{Day, Ts};
use zhiyin_model::webhook;
use zhiyin_store::Store;
use zhiyin_store::webhooks::{Endpoint, Log, State};

use crate::arguments::{Format, Place};
use crate::key::zone;
use crate::report::print;
use crate::say::say;
use crate::who;

/// What to do with endpoints.
#[derive(Clone, Debug, Subcommand)]
pub enum WebhookAction {
    /// Makes an endpoint and shows its secret, this once.
    Add {
        /// Where messages go: https://HOST/PATH.
        url: String,
        /// What it gets and what it is called.
        #[command(flatten)]
        about: About,
    },
    /// Lists endpoints and how they fare.
    List {
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Shows one endpoint.
    Show {
        /// Which.
        id: String,
    },
    /// Changes an endpoint; what is not said stays. What waits is tried at once.
    Change {
        /// Which.
        id: String,
        /// Where messages go.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// All kinds again, whatever was chosen before.
        #[arg(long, conflicts_with = "types")]
        all_types: bool,
        /// Names are no longer said.
        #[arg(long, conflicts_with = "identifiers")]
        no_identifiers: bool,
        /// It may no longer be at a private address.
        #[arg(long, conflicts_with = "allow_private")]
        no_private: bool,
        /// What it gets and what it is called.
        #[command(flatten)]
        about: About,
    },
    /// Gives an endpoint another secret and shows it, this once; the old one signs beside it for a day.
    Rotate {
        /// Which.
        id: String,
    },
    /// Does away with an endpoint and its messages.
    Remove {
        /// Which.
        id: String,
    },
    /// Sends nothing for now; what happens meanwhile waits.
    Pause {
        /// Which.
        id: String,
    },
    /// Goes on: what waits is sent.
    Resume {
        /// Which.
        id: String,
    },
    /// Sends anew, under the same ids, all that happened since an instant and is kept still (30 days).
    Replay {
        /// Which.
        id: String,
        /// Since when, in business time: a day (YYYY-MM-DD), or an instant (RFC 3339).
        #[arg(long, value_name = "WHEN")]
        from: String,
    },
    /// Lists messages of an endpoint, the newest first.
    Log {
        /// Which.
        id: String,
        /// Only those that are waiting, delivered or failed.
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// Only those with a smaller number.
        #[arg(long, value_name = "NO")]
        before: Option<i64>,
        /// How many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Sends a message that says nothing, now, and shows the answer.
    Test {
        /// Which.
        id: String,
    },
    /// Lists the kinds of messages there are.
    Types {
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Prints the JSON Schema of messages.
    Schema,
}

/// What an endpoint gets, and what it is called.
#[derive(Clone, Debug, Args)]
pub struct About {
    /// A kind of message that it gets; may be said several times. All where none is said.
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// What people call it.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Messages say what members and orders are called: phones, names of users, numbers of orders.
    #[arg(long)]
    identifiers: bool,
    /// It may be at a private address of this network, and without TLS.
    #[arg(long)]
    allow_private: bool,
}

fn chance() -> Result<Chance> {
    let mut chance = [0; 24];
    getrandom::fill(&mut chance).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(chance)
}

/// The secret goes alone to standard output, so that it can be piped to where it is kept.
fn tell(endpoint: &Endpoint, secret: &Secret) {
    eprintln!("endpoint {}; its secret is shown this once:", endpoint.id);
    say!("{}", secret.reveal());
}

/// Does with endpoints what was asked.
pub async fn webhook(place: &Place, action: WebhookAction) -> Result<ExitCode> {
    match &action {
        WebhookAction::Types { format } => return types(*format),
        WebhookAction::Schema => {
            say!("{}", serde_json::to_string_pretty(&webhook::schema())?);
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let engine = place.open_existing().await?;
    let (store, by, now) = (engine.store().as_ref(), who::system(), clock::wall());
    match action {
        WebhookAction::Add { url, about } => {
            let new = NewEndpoint {
                url,
                types: about.types.into_iter().collect(),
                description: about.description.unwrap_or_default(),
                identifiers: about.identifiers,
                allow_private: about.allow_private,
            };
            let (endpoint, secret) = manage::make(store, &by, new, &chance()?, now).await?;
            tell(&endpoint, &secret);
        }
        WebhookAction::List { format } => list(store, format).await?,
        WebhookAction::Show { id } => show(store, &id).await?,
        WebhookAction::Change { id, url, all_types, no_identifiers, no_private, about } => {
            let yes_or_no = |yes: bool, no: bool| (yes || no).then_some(yes);
            let types: BTreeSet<String> = about.types.into_iter().collect();
            let patch = Patch {
                url,
                types: (all_types || !types.is_empty()).then_some(types),
                description: about.description,
                identifiers: yes_or_no(about.identifiers, no_identifiers),
                allow_private: yes_or_no(about.allow_private, no_private),
            };
            manage::patch(store, &by, &id, patch, now).await?;
            say!("{id} is changed");
        }
        WebhookAction::Rotate { id } => {
            let (endpoint, secret) = manage::rotate(store, &by, &id, &chance()?, now).await?;
            eprintln!("the old secret signs beside the new one for {} hours", manage::KEEP_HOURS);
            tell(&endpoint, &secret);
        }
        WebhookAction::Remove { id } => {
            manage::remove(store, &by, &id, now).await?;
            say!("{id} is removed");
        }
        WebhookAction::Pause { id } => {
            manage::pause(store, &by, &id, now).await?;
            say!("{id} is paused: what happens meanwhile waits");
        }
        WebhookAction::Resume { id } => {
            manage::resume(store, &by, &id, now).await?;
            say!("{id} goes on");
        }
        WebhookAction::Replay { id, from } => {
            let from = match (Day::parse(&from), Ts::parse(&from)) {
                (Some(day), _) => zone(&engine).start(day),
                (None, Some(at)) => at,
                _ => bail!("--from: {from}: a day is YYYY-MM-DD, an instant RFC 3339"),
            };
            let n = manage::replay(store, &by, &id, from, now).await?;
            say!("{n} messages are sent anew");
        }
        WebhookAction::Log { id, state, before, limit, format } => {
            let named = |name: String| match State::named(&name) {
                Some(state) => Ok(state),
                None => bail!("--state: {name}: it is waiting, delivered or failed"),
            };
            let state = state.map(named).transpose()?;
            let id = manage::endpoint(store, &id).await?.id;
            log(store, Log { endpoint: id, state, before, limit: limit as usize }, format).await?;
        }
        WebhookAction::Test { id } => {
            let watch = clock::stopwatch();
            let answered = manage::test(store, &by, &Client::new(), &id, now).await?;
            let took = watch.elapsed().as_millis();
            match answered {
                Ok(answer) => {
                    say!("{} after {took} ms", answer.status);
                    if !answer.body.is_empty() {
                        say!("{}", String::from_utf8_lossy(&answer.body).escape_debug());
                    }
                    return Ok(if answer.is_taken() { ExitCode::SUCCESS } else { ExitCode::from(1) });
                }
                Err(failed) => bail!("{}: {failed} (after {took} ms)", failed.code()),
            }
        }
        WebhookAction::Types { .. } | WebhookAction::Schema => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn types(format: Format) -> Result<ExitCode> {
    let row = |kind: &webhook::Kind| {
        let fields: Vec<&str> = kind.fields.iter().map(|field| field.name).collect();
        vec![kind.name.to_owned(), kind.meaning.to_owned(), fields.join(" ")]
    };
    let rows: Vec<_> = webhook::KINDS.iter().map(row).collect();
    print(&["type", "when", "data"].map(str::to_owned), &rows, format)?;
    Ok(ExitCode::SUCCESS)
}

/// How an endpoint stands, in words.
fn stands(endpoint: &Endpoint) -> String {
    match (endpoint.paused, endpoint.failing_since) {
        (Some((at, because)), _) => format!("paused ({}) since {at}", because.name()),
        (None, Some(since)) => format!("failing since {since}"),
        (None, None) => "good".to_owned(),
    }
}

fn chosen(endpoint: &Endpoint) -> String {
    let types: Vec<&str> = endpoint.settings.types.iter().map(String::as_str).collect();
    if types.is_empty() { "all".to_owned() } else { types.join(" ") }
}

async fn list(store: &dyn Store, format: Format) -> Result<()> {
    let endpoints = store.webhooks().endpoints().await?;
    let standing = store.webhooks().standing().await?;
    let row = |endpoint: &Endpoint| {
        let waiting = standing.iter().find(|one| one.endpoint == endpoint.id).map_or(0, |one| one.waiting);
        vec![
            endpoint.id.clone(),
            stands(endpoint),
            endpoint.settings.url.clone(),
            chosen(endpoint),
            waiting.to_string(),
            endpoint.settings.description.clone(),
        ]
    };
    let rows: Vec<_> = endpoints.iter().map(row).collect();
    print(&["endpoint", "state", "url", "types", "waiting", "description"].map(str::to_owned), &rows, format)
}

async fn show(store: &dyn Store, id: &str) -> Result<()> {
    let endpoint = manage::endpoint(store, id).await?;
    let standing = store.webhooks().standing().await?.into_iter().find(|one| one.endpoint == id);
    let standing = standing.unwrap_or_default();
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    let old = endpoint.settings.before.map(|(_, until)| until).filter(|until| clock::wall() < *until);
    say!("endpoint     {id}");
    say!("state        {}", stands(&endpoint));
    say!("url          {}", endpoint.settings.url);
    say!("types        {}", chosen(&endpoint));
    say!("description  {}", endpoint.settings.description);
    say!("identifiers  {}", yes(endpoint.settings.identifiers));
    say!("private      {}", yes(endpoint.settings.allow_private));
    say!("made         {} by {}", endpoint.made_at, endpoint.settings.made_by);
    if let Some(until) = old {
        say!("old secret   signs until {until}");
    }
    if let Some(until) = endpoint.rest_until {
        say!("rests        until {until}, after {} failures", endpoint.failures);
    }
    match standing.oldest {
        Some(oldest) => say!("waiting      {}, the oldest since {oldest}", standing.waiting),
        None => say!("waiting      0"),
    }
    Ok(())
}

async fn log(store: &dyn Store, log: Log, format: Format) -> Result<()> {
    let messages = store.webhooks().messages(log).await?;
    let rows: Vec<Vec<String>> = messages
        .into_iter()
        .map(|kept| {
            let at = |at: Option<Ts>| at.map(Ts::rfc3339).unwrap_or_default();
            let next = (kept.state == State::Waiting).then_some(kept.due);
            vec![
                kept.no.to_string(),
                format!("msg_{}", kept.message.id),
                kept.message.kind,
                kept.message.at.rfc3339(),
                kept.state.name().to_owned(),
                kept.attempts.to_string(),
                kept.status.map(|status| status.to_string()).unwrap_or_default(),
                kept.error.unwrap_or_default(),
                at(kept.tried_at),
                at(next),
            ]
        })
        .collect();
    let columns =
        ["no", "message", "type", "happened", "state", "attempts", "status", "error", "tried", "next"];
    print(&columns.map(str::to_owned), &rows, format)
}
