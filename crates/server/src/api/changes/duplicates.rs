//! Pairs that may be one person, settled by a person: they are one, or they are two.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::EngineError;
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::audit::{Target, detail};
use zhiyin_engine::command::Whom;
use zhiyin_model::role::Operation;
use zhiyin_store::suggestion::State;

use super::{Caller, Endpoint};
use crate::problem::Problem;

const REFUSALS: &[&str] = &["suggestion_unknown", "suggestion_decided", "member_unknown", "erased"];

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::change(
            Method::POST,
            "duplicates_merge",
            "/v1/duplicates/{number}/merge",
            Operation::DuplicatesReview,
            merge,
        )
        .says(
            "They are one person",
            "确认是同一人并合并",
            "Merges them: who was known first is who they are. Said twice it is done once.",
        )
        .refuses(REFUSALS)
        .example(json!({"number": "1"})),
        Endpoint::change(
            Method::POST,
            "duplicates_different",
            "/v1/duplicates/{number}/different",
            Operation::DuplicatesReview,
            different,
        )
        .says("They are two people", "确认是两个人", "The pair is not suggested again.")
        .refuses(REFUSALS)
        .example(json!({"number": "1"})),
    ]
}

/// A pair.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pair {
    /// The number of the suggestion.
    #[schemars(regex(pattern = "^[0-9]{1,18}$"))]
    number: String,
}

/// How a pair stands.
#[derive(Serialize, JsonSchema)]
struct Settled {
    /// The number of the suggestion.
    number: i64,
    /// `merged` or `different`.
    state: &'static str,
}

/// The number of a pair of whom both lie within reach.
async fn reached(caller: &Caller, pair: &Pair) -> Result<i64, Problem> {
    let unknown = || Problem::of("suggestion_unknown").at("number");
    let number: i64 = pair.number.parse().map_err(|_| unknown())?;
    let suggestion = caller.engine().store().suggestion(number).await?.ok_or_else(unknown)?;
    // One that was settled, too: who was merged is who they are by now.
    for member in [suggestion.pair.one, suggestion.pair.other] {
        let reached = caller.member(&Whom::Id(member), "number").await;
        reached.map_err(|problem| if problem.is_unknown_member() { unknown() } else { problem })?;
    }
    Ok(number)
}

async fn merge(caller: Caller, pair: Pair) -> Result<Settled, Problem> {
    let number = reached(&caller, &pair).await?;
    let (noted, target) = (detail(json!({"suggestion": number})), Target::code(number));
    let engine = caller.engine();
    let deed = engine.merge_duplicate(number, &caller.grant.who);
    let on = (Operation::DuplicatesReview, &target);
    match engine.audited::<_, EngineError>(&caller.grant, on, &noted, deed).await? {
        None => Err(Problem::of("suggestion_unknown").at("number")),
        Some(Verdict::Refused(refusal)) => Err(refusal.into()),
        Some(Verdict::Accepted | Verdict::Duplicate) => Ok(Settled { number, state: "merged" }),
    }
}

async fn different(caller: Caller, pair: Pair) -> Result<Settled, Problem> {
    let number = reached(&caller, &pair).await?;
    let (noted, target) = (detail(json!({"suggestion": number, "act": "different"})), Target::code(number));
    let engine = caller.engine();
    let deed = engine.decide_duplicate(number, State::Different, &caller.grant.who);
    let on = (Operation::DuplicatesReview, &target);
    match engine.audited::<_, EngineError>(&caller.grant, on, &noted, deed).await? {
        None => Err(Problem::of("suggestion_unknown").at("number")),
        Some(settled) if settled.state != State::Different => {
            Err(Problem::of("suggestion_decided").at("number"))
        }
        Some(_) => Ok(Settled { number, state: "different" }),
    }
}
