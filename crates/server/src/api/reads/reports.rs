//! Reports, by the names, cuts and days of the command line; and the queues that somebody looks through.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use zhiyin_engine::readings::queues::{DuplicateView, state_of};
use zhiyin_engine::readings::{ReportView, Reported};
use zhiyin_engine::sight::Page;
use zhiyin_model::role::Operation;

use super::{Caller, Endpoint, day, limit};
use crate::problem::Problem;

const REFUSALS: &[&str] =
    &["report_unknown", "outside_scope", "place_unknown", "as_of_future", "no_playbook"];

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("reports_read", "/v1/reports/{name}", Operation::ReportsRead, report)
            .says(
                "Read a report",
                "读取报表",
                "tiers, lifecycle, ledger, members, places, partners: the numbers of `zhiyin report`, of what is decided by \
                 now. Members are named by their id. A key that is bound to a place reads what lies under it.",
            )
            .refuses(REFUSALS)
            .example(json!({"name": "tiers", "as_of": "2017-06-30"})),
        Endpoint::get("partners_read", "/v1/partners", Operation::ReportsRead, partners)
            .says(
                "Read what passed with partners",
                "合作方往来",
                "Whom each brought, what those bought since, and whom we sent to them.",
            )
            .refuses(REFUSALS)
            .example(json!({"as_of": "2017-06-30"})),
        Endpoint::get("duplicates_list", "/v1/duplicates", Operation::DuplicatesReview, duplicates)
            .says(
                "List likely doubles",
                "疑似重复会员",
                "Pairs that are likely one person, the likeliest first. `state` is open, merged, different or all. A key that \
                 is bound to places sees the pairs of whom both are theirs.",
            )
            .refuses(&["bad_cursor"])
            .example(json!({"state": "open", "limit": 20})),
        Endpoint::get("duplicates_read", "/v1/duplicates/{number}", Operation::DuplicatesReview, duplicate)
            .says("Read one likely double", "查看一对疑似重复会员", "With what speaks for one person, and what against.")
            .example(json!({"number": 1})),
    ]
}

/// Which report.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// tiers, lifecycle, ledger, members, places, partners.
    name: String,
    /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
    as_of: Option<String>,
    /// Only the stores under this place of the brand's tree.
    under: Option<String>,
}

async fn report(caller: Caller, asked: Asked) -> Result<ReportView, Problem> {
    let named = Reported::named(&asked.name).ok_or(Problem::of("report_unknown"))?;
    let day = day("as_of", asked.as_of.as_deref())?;
    Ok(caller.engine().report_view(&caller.grant, named, day, asked.under.as_deref()).await?)
}

/// As of when.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AsOf {
    /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
    as_of: Option<String>,
}

async fn partners(caller: Caller, asked: AsOf) -> Result<ReportView, Problem> {
    let day = day("as_of", asked.as_of.as_deref())?;
    Ok(caller.engine().report_view(&caller.grant, Reported::Partners, day, None).await?)
}

/// What of the queue.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Queue {
    /// open, merged, different, all; open without it.
    state: Option<String>,
    /// How many.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    /// `next` of the page before.
    cursor: Option<String>,
}

async fn duplicates(caller: Caller, asked: Queue) -> Result<Page<DuplicateView>, Problem> {
    let state = state_of(asked.state.as_deref().unwrap_or("open"));
    let unknown = || Problem::of("bad_query").at("state").says("open, merged, different or all".to_owned());
    let state = state.ok_or_else(unknown)?;
    let page = (limit(asked.limit), asked.cursor.as_deref());
    Ok(caller.engine().duplicates(&caller.grant, state, page).await?)
}

/// Which pair.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Its number.
    number: i64,
}

async fn duplicate(caller: Caller, which: Which) -> Result<DuplicateView, Problem> {
    Ok(caller.engine().duplicate(&caller.grant, which.number).await?)
}
