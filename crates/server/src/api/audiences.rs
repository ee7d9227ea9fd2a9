//! Audiences: who a condition holds for. A condition may be long, so all of these take a body; none of them changes anything.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::EngineError;
use zhiyin_engine::audience::AudienceProblem;
use zhiyin_engine::audience::answers::{
    BreakdownView, CountView, ExplainView, InAudienceView, MembersView, Names, OverlapView, TopView,
};
use zhiyin_engine::audience::export::FileKind;
use zhiyin_engine::audience::keep::held::Reconciled;
use zhiyin_engine::audience::patience::{self, PATIENCE, PATIENCE_MAX_SECONDS};
use zhiyin_engine::audience::why::WhyView;
use zhiyin_engine::audiences::SavedAudience;
use zhiyin_engine::sight::Page;
use zhiyin_model::id::MemberId;
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::endpoint::Endpoint;
use super::input::Nothing;
use super::reads::{day, limit};
use crate::problem::Problem;

/// With which codes any of them may refuse.
const REFUSALS: &[&str] = &[
    "bad_condition",
    "audience_unknown",
    "audience_is_a_list",
    "as_of_future",
    "no_playbook",
    "outside_scope",
    "audiences_unavailable",
    "audience_took_too_long",
    "not_in_clickhouse",
];
const BY: &[&str] = &[
    "bad_condition",
    "audience_unknown",
    "audience_is_a_list",
    "as_of_future",
    "no_playbook",
    "audiences_unavailable",
    "audience_took_too_long",
    "not_in_clickhouse",
    "bad_expression",
    "bad_step",
    "too_many_values",
    "too_many_members",
    "namespace_unknown",
];
const OFTEN: &str = r#"size(within(orders, "365d")) >= 4 && days_since(last(orders)) > 60"#;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let reads = Operation::ReportsRead;
    vec![
        Endpoint::get("audiences_saved", "/v1/audiences", reads, saved)
            .says(
                "List saved audiences",
                "列出已保存的人群",
                "Those of the live playbook, by id: what they are called, for whom they hold, which of them stand, and how many are in \
                 these.",
            )
            .refuses(&["no_playbook", "audiences_unavailable", "audience_took_too_long"]),
        Endpoint::get("audiences_one", "/v1/audiences/{id}", reads, one)
            .says(
                "Read a saved audience",
                "查看已保存的人群",
                "Its condition, and how many members it has now of those whom this key may count.",
            )
            .refuses(&["audience_unknown", "no_playbook", "audiences_unavailable", "not_in_clickhouse", "audience_took_too_long"])
            .example(json!({"id": "evening"})),
        Endpoint::change(Method::POST, "audiences_count", "/v1/audiences/count", reads, count)
            .says(
                "Count an audience",
                "统计人群数量",
                "For how many members a condition of the condition language holds, now or as of the end of a day. A key that is \
                 bound to a place counts the members who belong there.",
            )
            .refuses(REFUSALS)
            .example(json!({"condition": OFTEN, "as_of": "2017-06-30"})),
        Endpoint::change(Method::POST, "audiences_explain", "/v1/audiences/explain", reads, explain)
            .says(
                "Explain an audience",
                "查看人群的计算过程",
                "What answering takes, step by step: of how many members each part was asked, for how many it holds.",
            )
            .refuses(REFUSALS)
            .example(json!({"condition": OFTEN})),
        Endpoint::change(Method::POST, "audiences_breakdown", "/v1/audiences/breakdown", reads, breakdown)
            .says(
                "Break an audience down",
                "拆分人群",
                "By tier, lifecycle, store, tags, an attribute, or any expression with one value; numbers in steps.",
            )
            .refuses(BY)
            .example(json!({"condition": "size(orders) >= 1", "by": "tier"})),
        Endpoint::change(Method::POST, "audiences_overlap", "/v1/audiences/overlap", reads, overlap)
            .says(
                "Lay audiences over each other",
                "人群重叠",
                "Up to eight: how many are in exactly these and in none of the others.",
            )
            .refuses(&["bad_condition", "audience_unknown", "audience_is_a_list", "as_of_future", "no_playbook", "too_many_audiences", "audiences_unavailable", "not_in_clickhouse", "audience_took_too_long"])
            .example(json!({"conditions": ["size(orders) >= 1", r#"tier == "gold""#]})),
        Endpoint::change(Method::POST, "audiences_members", "/v1/audiences/members", Operation::MemberList, members)
            .says(
                "List the members of an audience",
                "列出人群成员",
                "By id, a page at a time, each with what this key may see of them.",
            )
            .refuses(&["bad_condition", "audience_unknown", "audience_is_a_list", "as_of_future", "no_playbook", "bad_cursor", "audiences_unavailable", "not_in_clickhouse", "audience_took_too_long"])
            .example(json!({"condition": OFTEN, "limit": 50})),
        Endpoint::change(Method::POST, "audiences_sample", "/v1/audiences/sample", Operation::MemberList, sample)
            .says(
                "Draw a sample of an audience",
                "人群抽样",
                "Drawn by a seed: the same for the same seed and the same members. Named by their ids, or in a namespace as far \
                 as this key may see.",
            )
            .refuses(BY)
            .example(json!({"condition": OFTEN, "size": 20, "seed": 1})),
        Endpoint::change(Method::POST, "audiences_top", "/v1/audiences/top", Operation::MemberList, top)
            .says(
                "Read the first of an audience by a number",
                "按数值取前若干名",
                "The greatest first: an expression of the condition language says which number.",
            )
            .refuses(BY)
            .example(json!({"n": 100, "by": r#"sum(within(orders, "365d").map(o, o.paid))"#})),
        Endpoint::file("audiences_export", "/v1/audiences/export", Operation::MemberExport, export)
            .says(
                "Export an audience",
                "导出人群",
                "All its members by what they are called in a namespace, by id, as CSV with a head or as Parquet; masked, or by \
                 ids alone, where this key may see no more.",
            )
            .refuses(&["bad_condition", "audience_unknown", "audience_is_a_list", "as_of_future", "no_playbook", "namespace_unknown", "audiences_unavailable", "not_in_clickhouse", "audience_took_too_long"])
            .example(json!({"condition": OFTEN, "namespace": "household", "format": "csv"})),
        Endpoint::change(Method::POST, "members_why", "/v1/members/{id}/why", Operation::MemberRead, why)
            .says(
                "Say why a member is in an audience",
                "会员为何在（或不在）人群中",
                "Each part of the condition with what it comes to for them, and what would turn it.",
            )
            .refuses(&["bad_condition", "audience_unknown", "audience_is_a_list", "as_of_future", "no_playbook", "member_unknown", "audience_took_too_long"])
            .example(json!({"id": "0123456789abcdef0123456789abcdef", "condition": OFTEN})),
    ]
}

/// Saved audiences.
#[derive(Serialize, JsonSchema)]
struct SavedView {
    /// They, by id.
    items: Vec<SavedAudience>,
    /// How many members are in each that stands, by its id, as was decided of those whom this key may count.
    standing: BTreeMap<String, u64>,
    /// The instant that this speaks of.
    standing_as_of: String,
    /// How those were held against their conditions by this process.
    reconciled: Reconciled,
}

async fn saved(caller: Caller, _: Nothing) -> Result<SavedView, Problem> {
    let engine = caller.engine();
    let standing = within(None, engine.standing_counts(&caller.grant)).await?;
    Ok(SavedView {
        items: engine.saved_audiences()?,
        standing: standing.counts,
        standing_as_of: standing.as_of,
        reconciled: engine.standing_reconciled(),
    })
}

/// A saved audience.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct One {
    /// Its id in the playbook.
    id: String,
}

/// A saved audience, and how many it has.
#[derive(Serialize, JsonSchema)]
struct OneView {
    /// What it is.
    audience: SavedAudience,
    /// How many members it has now; nothing of a list that nobody uploaded yet.
    now: Option<CountView>,
    /// Of one that stands: how many are in it, as was decided so far.
    standing: Option<u64>,
    /// The instant that this speaks of.
    standing_as_of: Option<String>,
}

async fn one(caller: Caller, asked: One) -> Result<OneView, Problem> {
    let engine = caller.engine();
    let unknown = || Problem::of("audience_unknown").at("id");
    let audience = engine.saved_audience(&asked.id)?.ok_or_else(unknown)?;
    let is_there = match &audience.who {
        Some(_) => true,
        None => engine.has_list(&asked.id).await?,
    };
    let now = match is_there {
        true => {
            let condition = format!("@{}", asked.id);
            Some(within(None, engine.audience_count(&caller.grant, &condition, None)).await?)
        }
        false => None,
    };
    let standing = match audience.standing {
        true => Some(within(None, engine.standing_counts(&caller.grant)).await?),
        false => None,
    };
    let in_it = standing.as_ref().map(|standing| standing.counts.get(&asked.id).copied().unwrap_or(0));
    Ok(OneView { audience, now, standing: in_it, standing_as_of: standing.map(|standing| standing.as_of) })
}

/// What is asked, and when.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// A condition of the condition language, or `@NAME` for a saved audience.
    condition: String,
    /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it. Attributes and tags are always those of now.
    as_of: Option<String>,
    /// After how many seconds nobody waits any more; 30 without it.
    #[schemars(range(min = 1, max = 600))]
    timeout_seconds: Option<u16>,
}

/// An answer, if it comes within so many seconds; what works on it stops where it does not, or where whoever asked is gone.
async fn within<T>(
    seconds: Option<u16>,
    answer: impl Future<Output = zhiyin_engine::Result<T>>,
) -> Result<T, Problem> {
    let patience = match seconds {
        None => PATIENCE,
        Some(seconds @ 1..=PATIENCE_MAX_SECONDS) => Duration::from_secs(seconds.into()),
        Some(_) => return Err(EngineError::from(AudienceProblem::Patience).into()),
    };
    Ok(patience::within(patience, answer).await?)
}

async fn count(caller: Caller, asked: Asked) -> Result<CountView, Problem> {
    let day = day("as_of", asked.as_of.as_deref())?;
    within(asked.timeout_seconds, caller.engine().audience_count(&caller.grant, &asked.condition, day)).await
}

async fn explain(caller: Caller, asked: Asked) -> Result<ExplainView, Problem> {
    let day = day("as_of", asked.as_of.as_deref())?;
    within(asked.timeout_seconds, caller.engine().audience_explain(&caller.grant, &asked.condition, day))
        .await
}

/// By what.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Breakdown {
    /// A condition of the condition language, or `@NAME` for a saved audience.
    condition: String,
    /// `tier`, `lifecycle`, `store`, `tags`, `attr.NAME`, or any expression with one value.
    by: String,
    /// Numbers in steps of this width, as an exact decimal.
    step: Option<String>,
    /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
    as_of: Option<String>,
    /// After how many seconds nobody waits any more; 30 without it.
    #[schemars(range(min = 1, max = 600))]
    timeout_seconds: Option<u16>,
}

async fn breakdown(caller: Caller, asked: Breakdown) -> Result<BreakdownView, Problem> {
    let day = day("as_of", asked.as_of.as_deref())?;
    let how = (asked.by.as_str(), asked.step.as_deref());
    let broken = caller.engine().audience_breakdown(&caller.grant, &asked.condition, day, how);
    within(asked.timeout_seconds, broken).await
}

/// Which audiences.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Overlap {
    /// One to eight conditions, or `@NAME`s.
    #[schemars(length(min = 1, max = 8))]
    conditions: Vec<String>,
    /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
    as_of: Option<String>,
    /// After how many seconds nobody waits any more; 30 without it.
    #[schemars(range(min = 1, max = 600))]
    timeout_seconds: Option<u16>,
}

async fn overlap(caller: Caller, asked: Overlap) -> Result<OverlapView, Problem> {
    let day = day("as_of", asked.as_of.as_deref())?;
    within(asked.timeout_seconds, caller.engine().audience_overlap(&caller.grant, &asked.conditions, day))
        .await
}

/// Which page.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Members {
    /// A condition of the condition language, or `@NAME` for a saved audience.
    condition: String,
    /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
    as_of: Option<String>,
    /// How many.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// After how many seconds nobody waits any more; 30 without it.
    #[schemars(range(min = 1, max = 600))]
    timeout_seconds: Option<u16>,
}

async fn members(caller: Caller, asked: Members) -> Result<Page<InAudienceView>, Problem> {
    let day = day("as_of", asked.as_of.as_deref())?;
    let page = (limit(asked.limit), asked.cursor.as_deref());
    within(asked.timeout_seconds, caller.engine().audience_page(&caller.grant, &asked.condition, day, page))
        .await
}

/// How they are drawn.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Sample {
    /// A condition of the condition language, or `@NAME` for a saved audience.
    condition: String,
    /// How many.
    #[schemars(range(min = 1, max = 100_000))]
    size: Option<u32>,
    /// Where chance begins.
    seed: Option<u64>,
    /// In which namespace they are named; by their ids without it.
    namespace: Option<String>,
    /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
    as_of: Option<String>,
    /// After how many seconds nobody waits any more; 30 without it.
    #[schemars(range(min = 1, max = 600))]
    timeout_seconds: Option<u16>,
}

/// How many are drawn where nobody says otherwise.
const SAMPLE: u32 = 20;

async fn sample(caller: Caller, asked: Sample) -> Result<MembersView, Problem> {
    let day = day("as_of", asked.as_of.as_deref())?;
    let draw = (asked.size.unwrap_or(SAMPLE) as usize, asked.seed.unwrap_or(1));
    let names = Names { namespace: asked.namespace.as_deref(), export: false };
    let drawn = caller.engine().audience_sample(&caller.grant, &asked.condition, day, draw, names);
    within(asked.timeout_seconds, drawn).await
}

/// By which number.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Top {
    /// How many.
    #[schemars(range(min = 1, max = 100_000))]
    n: u32,
    /// By which number: an expression of the condition language.
    by: String,
    /// Of whom: a condition, or `@NAME`; of everybody without it.
    condition: Option<String>,
    /// In which namespace they are named; by their ids without it.
    namespace: Option<String>,
    /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
    as_of: Option<String>,
    /// After how many seconds nobody waits any more; 30 without it.
    #[schemars(range(min = 1, max = 600))]
    timeout_seconds: Option<u16>,
}

async fn top(caller: Caller, asked: Top) -> Result<TopView, Problem> {
    let day = day("as_of", asked.as_of.as_deref())?;
    let names = Names { namespace: asked.namespace.as_deref(), export: false };
    let condition = asked.condition.as_deref().unwrap_or("true");
    let how = (asked.n as usize, asked.by.as_str());
    let top = caller.engine().audience_top(&caller.grant, condition, day, how, names);
    within(asked.timeout_seconds, top).await
}

/// As what.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Export {
    /// A condition of the condition language, or `@NAME` for a saved audience.
    condition: String,
    /// In which namespace they are named; by their ids without it.
    namespace: Option<String>,
    /// `csv` or `parquet`; `csv` without it.
    format: Option<String>,
    /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
    as_of: Option<String>,
    /// After how many seconds nobody waits any more; 30 without it.
    #[schemars(range(min = 1, max = 600))]
    timeout_seconds: Option<u16>,
}

async fn export(caller: Caller, asked: Export) -> Result<Response, Problem> {
    let day = day("as_of", asked.as_of.as_deref())?;
    let (kind, media, name) = match asked.format.as_deref() {
        None | Some("csv") => (FileKind::Csv, "text/csv; charset=utf-8", "audience.csv"),
        Some("parquet") => (FileKind::Parquet, "application/vnd.apache.parquet", "audience.parquet"),
        Some(_) => return Err(Problem::of("bad_query").at("format").says("csv or parquet".to_owned())),
    };
    let engine = Arc::clone(&caller.api.engine);
    let how = (asked.namespace.as_deref(), kind);
    let pieces =
        within(asked.timeout_seconds, engine.audience_export(&caller.grant, &asked.condition, day, how))
            .await?;
    let stream = futures_util::stream::unfold(pieces, |mut pieces| async move {
        let piece = pieces.recv().await?;
        // A list that breaks off must not look whole.
        let piece = piece.map_err(|error| std::io::Error::other(error.to_string()));
        Some((piece, pieces))
    });
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    let as_file = format!("attachment; filename=\"{name}\"");
    if let Ok(as_file) = HeaderValue::from_str(&as_file) {
        headers.insert(header::CONTENT_DISPOSITION, as_file);
    }
    Ok(response)
}

/// Of whom.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Why {
    /// The member's id.
    id: String,
    /// A condition of the condition language, or `@NAME` for a saved audience.
    condition: String,
    /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
    as_of: Option<String>,
    /// After how many seconds nobody waits any more; 30 without it.
    #[schemars(range(min = 1, max = 600))]
    timeout_seconds: Option<u16>,
}

async fn why(caller: Caller, asked: Why) -> Result<WhyView, Problem> {
    let day = day("as_of", asked.as_of.as_deref())?;
    let member = MemberId::from_hex(&asked.id).ok_or(Problem::of("member_unknown"))?;
    within(asked.timeout_seconds, caller.engine().audience_why(&caller.grant, member, &asked.condition, day))
        .await
}
