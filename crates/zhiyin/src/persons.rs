//! `zhiyin merge` and `zhiyin unmerge`: who is whom.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::persons::Half;
use zhiyin_model::event::Identifier;

use crate::arguments::Place;
use crate::say::say;

/// The last colon parts them: a namespace may have one of its own.
fn identifiers(texts: &[String]) -> Result<Vec<Identifier>> {
    let read = |text: &String| {
        let (namespace, value) =
            text.rsplit_once(':').with_context(|| format!("{text}: say NAMESPACE:VALUE"))?;
        Ok(Identifier { namespace: namespace.to_owned(), value: value.to_owned() })
    };
    texts.iter().map(read).collect()
}

/// Merges members.
pub async fn merge(place: &Place, texts: &[String], reason: &str) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    match engine.merge(&identifiers(texts)?, reason).await? {
        Verdict::Refused(refusal) => bail!("{refusal}"),
        _ => say!("merged"),
    }
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
    match engine.unmerge(&identifiers, reason).await? {
        Verdict::Refused(refusal) => bail!("{refusal}"),
        _ => say!("parted"),
    }
    Ok(ExitCode::SUCCESS)
}
