//! `zhiyin retain`: what events said is let go once the playbook's time for it is over.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use zhiyin_engine::audit::{Outcome, Target, detail, note};
use zhiyin_engine::retain::GIVEN_UP_DAYS;
use zhiyin_model::role::Operation;

use crate::arguments::Place;
use crate::say::say;
use crate::who;

/// Lets go, and says of what.
pub async fn retain(place: &Place) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    if engine.live()?.playbook.retention.is_empty() {
        say!("The playbook has no `retention`: what events say is kept.");
    }
    let gone = engine.retain().await?;
    for (name, n) in &gone.events {
        say!("{n:>10}  {name}");
    }
    let n: u64 = gone.events.values().sum();
    say!("let go of what was said: {n} in all");
    say!("let go of messages: {} texts, {} rows", gone.texts, gone.messages);
    say!("forgot which identifiers were given up: {} older than {GIVEN_UP_DAYS} days", gone.given_up);
    let more = detail(
        json!({"act": "retain", "events": n, "texts": gone.texts, "messages": gone.messages, "given_up": gone.given_up}),
    );
    let store = engine.store().as_ref();
    note(store, &who::system(), Operation::HomeManage, &Target::home(), Outcome::Done, &more).await?;
    Ok(ExitCode::SUCCESS)
}
