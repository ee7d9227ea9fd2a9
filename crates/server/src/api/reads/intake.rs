//! What comes in: how taking in stands, what could not be decided, what was given up at the door.

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use zhiyin_engine::ingest::IngestHealth;
use zhiyin_engine::letters::{DeadLetterView, LettersAsked, RETRIED_MAX, Retried, RetriedView};
use zhiyin_engine::readings::queues::NameGivenUp;
use zhiyin_engine::sight::Page;
use zhiyin_model::role::Operation;

use super::{Caller, Endpoint, limit};
use crate::api::input::Nothing;
use crate::problem::Problem;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("ingest_health", "/v1/ingest/health", Operation::DeadLettersRead, health).says(
            "Read how taking in stands",
            "接收状况",
            "What waits and since when, who works on it, what came from which source lately, dead letters by code. Rates are of \
             the process that answers.",
        ),
        Endpoint::get("dead_letters_list", "/v1/dead-letters", Operation::DeadLettersRead, letters)
            .says(
                "List dead letters",
                "死信列表",
                "Events that could not be decided, the newest first: why, and which field is at fault. What was sent is shown \
                 only to who may see people.",
            )
            .refuses(&["bad_cursor"])
            .example(json!({"code": "order_unknown", "limit": 20})),
        Endpoint::change(Method::POST, "dead_letters_retry", "/v1/dead-letters/retry", Operation::DeadLettersRetry, retry)
            .says(
                "Put dead letters back",
                "重试死信",
                "These by `seqs`, or `all` of a code and a source. Done twice it puts back what has become a dead letter again.",
            )
            .example(json!({"all": true, "code": "order_unknown"})),
        Endpoint::get("given_up_list", "/v1/given-up", Operation::DeadLettersRead, given_up)
            .says(
                "List identifiers that were given up",
                "被放弃的身份标识",
                "Identifiers of items that contradict more telling ones, or go beyond a limit; the latest first.",
            )
            .refuses(&["bad_cursor"])
            .example(json!({"limit": 20})),
    ]
}

async fn health(caller: Caller, _: Nothing) -> Result<IngestHealth, Problem> {
    Ok(caller.engine().ingest_health(&caller.grant).await?)
}

/// Which dead letters.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Letters {
    /// Of this code.
    #[schemars(length(min = 1, max = 255))]
    code: Option<String>,
    /// Of this source.
    #[schemars(length(min = 1, max = 255))]
    source: Option<String>,
    /// How many.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    /// `next` of the page before.
    cursor: Option<String>,
}

async fn letters(caller: Caller, asked: Letters) -> Result<Page<DeadLetterView>, Problem> {
    let (limit, cursor) = (limit(asked.limit), asked.cursor);
    let asked = LettersAsked { code: asked.code, source: asked.source, limit, cursor };
    Ok(caller.engine().dead_letters(&caller.grant, &asked).await?)
}

/// Which are put back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Retry {
    /// These, by their places.
    #[schemars(length(min = 1, max = 10_000))]
    seqs: Option<Vec<i64>>,
    /// All; of a code and a source, where these are said.
    #[serde(default)]
    all: bool,
    /// With `all`: of this code.
    #[schemars(length(min = 1, max = 255))]
    code: Option<String>,
    /// With `all`: of this source.
    #[schemars(length(min = 1, max = 255))]
    source: Option<String>,
}

async fn retry(caller: Caller, asked: Retry) -> Result<RetriedView, Problem> {
    let wrong = |field: &str, why: String| Err(Problem::of("bad_body").at(field).says(why));
    let which = match (asked.seqs, asked.all) {
        (Some(_), true) => return wrong("all", "either `seqs` or `all`".to_owned()),
        (None, false) => return wrong("seqs", "say `seqs`, or `all`".to_owned()),
        (Some(_), false) if asked.code.is_some() || asked.source.is_some() => {
            return wrong("seqs", "a code and a source go with `all`".to_owned());
        }
        (Some(seqs), false) if seqs.is_empty() || seqs.len() > RETRIED_MAX => {
            return wrong("seqs", format!("1 to {RETRIED_MAX}"));
        }
        (Some(seqs), false) => Retried::These(seqs),
        (None, true) => Retried::All { code: asked.code, source: asked.source },
    };
    Ok(caller.engine().retry_letters(&caller.grant, &which).await?)
}

/// A page.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Paged {
    /// How many.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    /// `next` of the page before.
    cursor: Option<String>,
}

async fn given_up(caller: Caller, asked: Paged) -> Result<Page<NameGivenUp>, Problem> {
    let page = (limit(asked.limit), asked.cursor.as_deref());
    Ok(caller.engine().names_given_up(&caller.grant, page).await?)
}
