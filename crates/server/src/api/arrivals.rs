//! What came from platforms: what became of it, and dead letters.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::arrivals::log::{ArrivalView, ArrivalsAsked, SHOWN_MAX};
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::endpoint::Endpoint;
use crate::problem::Problem;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let needs = Operation::CampaignsManage;
    let one = json!({"arrival": "0123456789abcdef0123456789abcdef"});
    vec![
        Endpoint::get("arrivals_list", "/v1/arrivals", needs, list)
            .says(
                "List what came from platforms",
                "平台回调列表",
                "The newest first; `before` is the id of the last one of the page before. What it says is personal and not shown.",
            )
            .refuses(&["bad_state", "arrival_unknown"])
            .example(json!({"state": "failed", "limit": 50})),
        Endpoint::change(Method::POST, "arrivals_retry", "/v1/arrivals/{arrival}/retry", needs, retry)
            .says("Work on one again", "重新处理", "A dead letter; or one that waits, at once.")
            .refuses(&["arrival_unknown", "arrival_settled"])
            .example(one.clone()),
        Endpoint::change(Method::POST, "arrivals_drop", "/v1/arrivals/{arrival}/drop", needs, drop_one)
            .says("Drop one", "放弃处理", "Nothing is done about it any more.")
            .refuses(&["arrival_unknown", "arrival_settled"])
            .example(one),
    ]
}

/// Which are asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ArrivalsList {
    /// From one channel.
    #[schemars(length(min = 1, max = 64))]
    channel: Option<String>,
    /// In one state: `waiting`, `done`, `failed` or `dropped`.
    state: Option<String>,
    /// Older than this one.
    before: Option<String>,
    /// How many at most.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<usize>,
}

/// What came from platforms.
#[derive(Serialize, JsonSchema)]
struct ArrivalsListed {
    /// The newest first.
    items: Vec<ArrivalView>,
}

async fn list(caller: Caller, asked: ArrivalsList) -> Result<ArrivalsListed, Problem> {
    let ArrivalsList { channel, state, before, limit } = asked;
    let asked = ArrivalsAsked { channel, state, before, limit: limit.unwrap_or(SHOWN_MAX) };
    Ok(ArrivalsListed { items: caller.engine().arrivals(&asked).await?? })
}

/// Which one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfArrival {
    /// Its id.
    arrival: String,
}

async fn retry(caller: Caller, of: OfArrival) -> Result<ArrivalView, Problem> {
    Ok(caller.engine().retry_arrival(&caller.grant, &of.arrival).await??)
}

async fn drop_one(caller: Caller, of: OfArrival) -> Result<ArrivalView, Problem> {
    Ok(caller.engine().drop_arrival(&caller.grant, &of.arrival).await??)
}
