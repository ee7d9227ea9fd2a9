//! `zhiyin duplicates`: the queue of likely doubles.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::json;
use zhiyin_engine::Engine;
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::audit::{Detail, Target, detail};
use zhiyin_engine::duplicates::why;
use zhiyin_model::role::Operation;
use zhiyin_store::suggestion::{State, Suggestion};

use crate::arguments::{DuplicatesAction, MemberFormat, Place, QueueState};
use crate::say::say;
use crate::who;

/// Searches, lists, shows or decides.
pub async fn duplicates(place: &Place, action: DuplicatesAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    match action {
        DuplicatesAction::Find { least } => {
            let searched = engine.find_duplicates(least).await?;
            say!(
                "{} members compared; {} pairs are likely one person, {} of them new in the queue",
                searched.members,
                searched.likely,
                searched.new
            );
        }
        DuplicatesAction::List { state, limit, format } => {
            let listed = engine.store().suggestions(state_of(state), limit as usize).await?;
            list(&listed, format)?;
        }
        DuplicatesAction::Show { number, format } => match engine.store().suggestion(number).await? {
            Some(suggestion) => show(&suggestion, format)?,
            None => return Ok(none(number)),
        },
        DuplicatesAction::Merge { number, by } => {
            let on = (Operation::MemberMerge, &Target::code(number));
            return engine.audited(&who::system(), on, &beside(number), merge(&engine, number, &by)).await;
        }
        DuplicatesAction::Different { number, by } => {
            let on = (Operation::DuplicatesReview, &Target::code(number));
            return engine
                .audited(&who::system(), on, &beside(number), different(&engine, number, &by))
                .await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn state_of(state: QueueState) -> Option<State> {
    match state {
        QueueState::Open => Some(State::Open),
        QueueState::Merged => Some(State::Merged),
        QueueState::Different => Some(State::Different),
        QueueState::All => None,
    }
}

fn none(number: i64) -> ExitCode {
    eprintln!("zhiyin: there is no suggestion {number}");
    ExitCode::from(1)
}

fn beside(number: i64) -> Detail {
    detail(json!({"suggestion": number}))
}

async fn merge(engine: &Engine, number: i64, by: &str) -> Result<ExitCode> {
    match engine.merge_duplicate(number, by).await? {
        None => return Ok(none(number)),
        Some(Verdict::Refused(refusal)) => bail!("{refusal}"),
        Some(Verdict::Duplicate) => say!("suggestion {number}: they are one member already"),
        Some(Verdict::Accepted) => say!("suggestion {number}: merged"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn different(engine: &Engine, number: i64, by: &str) -> Result<ExitCode> {
    let Some(suggestion) = engine.decide_duplicate(number, State::Different, by).await? else {
        return Ok(none(number));
    };
    if suggestion.state != State::Different {
        eprintln!("zhiyin: suggestion {number} was decided already: {}", suggestion.state.word());
        return Ok(ExitCode::from(1));
    }
    say!("suggestion {number}: two people; the pair will not be suggested again");
    Ok(ExitCode::SUCCESS)
}

/// A score as people read it: the share in whole thousandths, `0.987`.
fn score(suggestion: &Suggestion) -> String {
    let thousandths = suggestion.pair.score_ppm / 1_000;
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

fn as_json(suggestion: &Suggestion) -> Result<serde_json::Value> {
    Ok(json!({
        "number": suggestion.no,
        "one": suggestion.pair.one.to_string(),
        "other": suggestion.pair.other.to_string(),
        "score_ppm": suggestion.pair.score_ppm,
        "state": suggestion.state.word(),
        "found_at": suggestion.found_at.rfc3339(),
        "decided_by": suggestion.decided.as_ref().map(|(by, _)| by),
        "decided_at": suggestion.decided.as_ref().map(|(_, at)| at.rfc3339()),
        "evidence": why(suggestion)?,
    }))
}

fn list(listed: &[Suggestion], format: MemberFormat) -> Result<()> {
    if format == MemberFormat::Json {
        let all = listed.iter().map(as_json).collect::<Result<Vec<_>>>()?;
        say!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    say!("{:>6}  score  {:<9}  {:<32}  {:<32}  agrees", "number", "state", "one", "other");
    for suggestion in listed {
        let fields = why(suggestion)?.fields;
        let agrees = fields.iter().filter(|says| says.agrees != "different");
        let agrees: Vec<String> = agrees.map(|says| format!("{} {}", says.field, says.agrees)).collect();
        say!(
            "{:>6}  {}  {:<9}  {:<32}  {:<32}  {}",
            suggestion.no,
            score(suggestion),
            suggestion.state.word(),
            suggestion.pair.one.to_string(),
            suggestion.pair.other.to_string(),
            agrees.join(", ")
        );
    }
    Ok(())
}

fn show(suggestion: &Suggestion, format: MemberFormat) -> Result<()> {
    if format == MemberFormat::Json {
        say!("{}", serde_json::to_string_pretty(&as_json(suggestion)?)?);
        return Ok(());
    }
    let why = why(suggestion)?;
    say!("suggestion    {}", suggestion.no);
    say!("one           {}", suggestion.pair.one);
    say!("other         {}", suggestion.pair.other);
    say!("one person    {} against {}s", score(suggestion), why.rival);
    say!("found         {}", suggestion.found_at);
    match &suggestion.decided {
        Some((by, at)) => say!("decided       {} by {by}, {at}", suggestion.state.word()),
        None => say!("decided       not yet"),
    }
    say!("evidence, in bits for (+) or against (-) one person:");
    for says in &why.fields {
        let shared = says.shared_by.map(|n| format!("  {n} members have it")).unwrap_or_default();
        say!("  {:<9} {:<13} {:>+6.1}{shared}", says.field, says.agrees, says.bits);
    }
    Ok(())
}
