//! `zhiyin merge` and `zhiyin unmerge`: who is whom.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::json;
use zhiyin_engine::Engine;
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::audit::{Target, detail};
use zhiyin_engine::persons::Half;
use zhiyin_model::event::Identifier;
use zhiyin_model::role::Operation;

use crate::arguments::Place;
use crate::say::say;
use crate::who;

/// The last colon parts them: a namespace may have one of its own.
fn identifiers(texts: &[String]) -> Result<Vec<Identifier>> {
    let read = |text: &String| {
        let (namespace, value) =
            text.rsplit_once(':').with_context(|| format!("{text}: say NAMESPACE:VALUE"))?;
        Ok(Identifier { namespace: namespace.to_owned(), value: value.to_owned() })
    };
    texts.iter().map(read).collect()
}

/// Whom it is about, for the audit log: the first who is known.
async fn said_of(engine: &Engine, texts: &[String]) -> Result<Target> {
    let first = texts.first().map_or("", String::as_str);
    let key = engine.home().await?.id_key;
    Ok(engine.named(first).await?.map_or_else(Target::home, |member| Target::member(&key, member)))
}

/// What was refused was not done.
fn accepted(verdict: Verdict) -> Result<Verdict> {
    match verdict {
        Verdict::Refused(refusal) => bail!("{refusal}"),
        verdict => Ok(verdict),
    }
}

/// Merges members.
pub async fn merge(place: &Place, texts: &[String], reason: &str) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let identifiers = identifiers(texts)?;
    let (on, beside) = (said_of(&engine, texts).await?, detail(json!({"identifiers": identifiers.len()})));
    let deed = async { accepted(engine.merge(&identifiers, reason).await?) };
    engine.audited(&who::system(), (Operation::MemberMerge, &on), &beside, deed).await?;
    say!("merged");
    Ok(ExitCode::SUCCESS)
}

/// Parts a member, or says what that would come to.
pub async fn unmerge(place: &Place, texts: &[String], reason: &str, dry_run: bool) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let identifiers = identifiers(texts)?;
    let halves = match engine.unmerge_preview(&identifiers).await? {
        Ok(halves) => halves,
        Err(refusal) => bail!("{refusal}"),
    };
    for (who, half) in ["stays", "leaves"].into_iter().zip(&halves) {
        let Half { events, orders, points, debt, growth, tier, stage } = half;
        let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
        let (tier, stage) = (word(tier), word(stage));
        say!(
            "{who:<7} {events} events, {orders} orders, {points} points ({debt} owed), {growth} growth, {tier}, {stage}"
        );
    }
    if dry_run {
        say!("nothing was changed");
        return Ok(ExitCode::SUCCESS);
    }
    let (on, beside) = (said_of(&engine, texts).await?, detail(json!({"identifiers": identifiers.len()})));
    let deed = async { accepted(engine.unmerge(&identifiers, reason).await?) };
    engine.audited(&who::system(), (Operation::MemberUnmerge, &on), &beside, deed).await?;
    say!("parted");
    Ok(ExitCode::SUCCESS)
}
