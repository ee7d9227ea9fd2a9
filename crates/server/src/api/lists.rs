//! Lists of members that somebody uploads: whom conditions name as `audience("press")`.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::audience::patience::{PATIENCE, within};
use zhiyin_engine::lists::{AT_ONCE, Line, ListView, Others, Unmatched, UploadView};
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::endpoint::Endpoint;
use super::input::Nothing;
use crate::problem::Problem;

/// Identifiers that one request brings at most.
const IDENTIFIERS_MAX: usize = 20_000;
/// The largest body, in bytes.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How many that were not matched are told.
const UNMATCHED_MAX: usize = 1_000;
/// The most characters of a value.
const VALUE_CHARS_MAX: usize = 1_000;

const UPLOAD: &[&str] = &[
    "bad_list_name",
    "list_name_taken",
    "list_overtaken",
    "too_many_lists",
    "too_many_identifiers",
    "text_too_long",
    "namespace_missing",
];

/// With which codes counting may refuse: whoever may not count everybody has them counted in columns.
const COUNTED: &[&str] = &["no_playbook", "audiences_unavailable", "audience_took_too_long"];

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let (reads, writes) = (Operation::ReportsRead, Operation::PlaybookApply);
    let example =
        json!({"name": "press", "namespace": "card", "identifiers": [{"value": "1001"}, {"value": "1002"}]});
    vec![
        Endpoint::get("lists_all", "/v1/lists", reads, all).says(
            "List lists of members",
            "会员名单列表",
            "Lists that were uploaded, with how many members are on each of those whom this key may count, and as of when.",
        )
        .refuses(COUNTED),
        Endpoint::get("lists_one", "/v1/lists/{name}", reads, one)
            .says("Read a list of members", "查看会员名单", "How many are on it; who they are says `audience(\"NAME\")`.")
            .refuses(&["list_unknown", "no_playbook", "audiences_unavailable", "audience_took_too_long"])
            .example(json!({"name": "press"})),
        Endpoint::change(Method::PUT, "lists_put", "/v1/lists/{name}", writes, put)
            .says(
                "Upload a list of members",
                "上传会员名单",
                "Whoever is named is on it, and nobody else; it is made if there is none. Identifiers without a namespace are \
                 looked for in all. Which ones name nobody, or several members, is told. Sent again it changes nothing. What is \
                 too large for one request is added to it by more.",
            )
            .refuses(UPLOAD)
            .body_at_most(BODY_BYTES_MAX)
            .example(example.clone()),
        Endpoint::change(Method::POST, "lists_add", "/v1/lists/{name}/members", writes, add)
            .says("Add to a list of members", "向名单添加会员", "Whoever is named is on it from now on; the others stay.")
            .refuses(UPLOAD)
            .body_at_most(BODY_BYTES_MAX)
            .example(example),
        Endpoint::change(Method::DELETE, "lists_remove", "/v1/lists/{name}", writes, remove)
            .says("Remove a list of members", "删除会员名单", "Conditions that name it are refused from then on.")
            .refuses(&["list_unknown", "list_overtaken"])
            .example(json!({"name": "press"})),
    ]
}

/// Lists.
#[derive(Serialize, JsonSchema)]
struct ListsView {
    /// They, by name.
    items: Vec<ListView>,
}

async fn all(caller: Caller, _: Nothing) -> Result<ListsView, Problem> {
    Ok(ListsView { items: within(PATIENCE, caller.engine().lists(&caller.grant)).await? })
}

/// Which list.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct One {
    /// Its name.
    name: String,
}

async fn one(caller: Caller, asked: One) -> Result<ListView, Problem> {
    Ok(within(PATIENCE, caller.engine().list(&caller.grant, &asked.name)).await?)
}

/// What somebody is called.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Called {
    /// Its namespace, where it is another one than the whole upload's; `member` for the id of a member.
    namespace: Option<String>,
    /// Its value.
    value: String,
}

/// Who is on a list.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Given {
    /// Its name: a letter, then letters, digits, `_`, `-`; all lower case.
    name: String,
    /// The namespace of identifiers that say none; without one they are looked for in all.
    namespace: Option<String>,
    /// Who, at most 20,000 at once.
    #[schemars(length(max = 20_000))]
    identifiers: Vec<Called>,
}

/// What an upload came to, and what of it was not matched.
#[derive(Serialize, JsonSchema)]
struct Uploaded {
    /// In numbers.
    upload: UploadView,
    /// By which identifiers nobody was put on the list: at most 1,000, the first first. Their lines are their places in what was
    /// sent, from 1 on.
    unmatched: Vec<Unmatched>,
}

async fn put(caller: Caller, given: Given) -> Result<Uploaded, Problem> {
    upload(caller, given, Others::Leave).await
}

async fn add(caller: Caller, given: Given) -> Result<Uploaded, Problem> {
    upload(caller, given, Others::Stay).await
}

async fn upload(caller: Caller, given: Given, others: Others) -> Result<Uploaded, Problem> {
    let Given { name, namespace, identifiers } = given;
    if identifiers.len() > IDENTIFIERS_MAX {
        let says = format!("at most {IDENTIFIERS_MAX} at once; add the others by more requests");
        return Err(Problem::of("too_many_identifiers").at("identifiers").says(says));
    }
    let is_long = |text: &str| text.chars().count() > VALUE_CHARS_MAX;
    if let Some(n) = identifiers
        .iter()
        .position(|called| is_long(&called.value) || called.namespace.as_deref().is_some_and(is_long))
    {
        return Err(Problem::of("text_too_long").at(&format!("identifiers[{n}]")));
    }
    let mut upload = caller.engine().list_upload(&caller.grant, &name).await?;
    let mut lines = (1u64..).zip(identifiers).map(|(no, called)| Line {
        no,
        namespace: called.namespace.or_else(|| namespace.clone()),
        value: called.value,
    });
    let mut unmatched = Vec::new();
    loop {
        let part: Vec<Line> = lines.by_ref().take(AT_ONCE).collect();
        if part.is_empty() {
            break;
        }
        let room = UNMATCHED_MAX.saturating_sub(unmatched.len());
        unmatched.extend(upload.take(part).await?.into_iter().take(room));
    }
    Ok(Uploaded { upload: upload.end(others).await?, unmatched })
}

/// What was removed.
#[derive(Serialize, JsonSchema)]
struct Removed {
    /// Its name.
    removed: String,
    /// Names that were on it.
    names: u64,
}

async fn remove(caller: Caller, asked: One) -> Result<Removed, Problem> {
    let names = caller.engine().list_removed(&caller.grant, &asked.name).await?;
    Ok(Removed { removed: asked.name, names })
}
