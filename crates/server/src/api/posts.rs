//! What people publish through the brand's staff: a text into groups, or a moment.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::platforms::posts::{GroupsAsked, MomentAsked, PostAsked, PostView};
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::endpoint::Endpoint;
use crate::problem::Problem;

/// The account, where nobody says otherwise.
const MAIN: &str = "main";

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let needs = Operation::CampaignsManage;
    let one = json!({"batch": "spring-2026", "account": "main"});
    let answers = &[
        "post_unknown",
        "post_waits_for_nobody",
        "bad_text",
        "approval_own",
        "approval_no_person",
        "approval_answered",
        "approval_late",
        "approval_unknown",
    ];
    vec![
        Endpoint::change(Method::POST, "posts_ask", "/v1/posts", needs, ask)
            .says(
                "Publish something through staff",
                "群发到群与朋友圈",
                "Into groups, or as a moment: staff confirm it on their phones. Once for each `batch`: sent again it tells how it stands. \
                 Above the limit of one person it waits until a second one approves it.",
            )
            .refuses(&[
                "account_unknown",
                "bad_text",
                "text_too_long",
                "too_many",
                "group_missing",
                "link_leads_nowhere",
                "bad_number",
                "batch_reused",
                "touchpoint_unknown",
                "place_unknown",
                "post_unknown",
                "no_playbook",
            ])
            .example(json!({"batch": "spring-2026", "text": "今晚八点，会员专场", "groups": {"named": "会员群"}})),
        Endpoint::get("posts_list", "/v1/posts", needs, list)
            .says("List what is published", "群发与朋友圈列表", "The newest first, at most 200; for a month.")
            .refuses(&["bad_text"]),
        Endpoint::get("posts_read", "/v1/posts/{batch}", needs, read)
            .says("Read how one stands", "查看群发进度", "Who of the staff published it, and what became of it in groups.")
            .refuses(&["post_unknown", "bad_text"])
            .example(one.clone()),
        Endpoint::change(Method::POST, "posts_approve", "/v1/posts/{batch}/approve", needs, approve)
            .says("Approve one, and have it published", "批准群发", "By a person who is not the one who asked.")
            .refuses(answers)
            .example(one.clone()),
        Endpoint::change(Method::POST, "posts_refuse", "/v1/posts/{batch}/refuse", needs, refuse)
            .says("Refuse one", "驳回群发", "It is not published.")
            .refuses(answers)
            .example(one),
    ]
}

/// Something to be published.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PostNew {
    /// What it is known by.
    #[schemars(length(min = 1, max = 64))]
    batch: String,
    /// Through which of the brand's accounts in the file of channels; `main`, where it says nothing.
    account: Option<String>,
    /// The text, at most 4,000 bytes.
    #[schemars(length(min = 1, max = 4000))]
    text: String,
    /// A card, in groups.
    card: Option<PostCard>,
    /// Into which groups; else it is a moment.
    groups: Option<PostGroups>,
    /// As a moment.
    moment: Option<PostMoment>,
    /// For how many hours staff may confirm it; 24, or 72 for a moment, where it says nothing.
    #[schemars(range(min = 1, max = 168))]
    confirm_hours: Option<u32>,
}

/// A card that leads somewhere.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PostCard {
    /// Its title, at most 64 bytes.
    title: String,
    /// Where it leads: a host of the playbook's `links`.
    url: String,
}

/// Which groups: those named by id, and those of owners or with a name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PostGroups {
    /// These.
    #[serde(default)]
    groups: Vec<String>,
    /// Those whose name has this in it.
    named: Option<String>,
    /// Those of these owners.
    #[serde(default)]
    owners: Vec<String>,
    /// Those into which the codes of these touchpoints of the playbook lead, or led.
    #[serde(default)]
    touchpoints: Vec<String>,
    /// Those of whoever works at these stores, where the code of the staff is an account of the platform.
    #[serde(default)]
    stores: Vec<String>,
}

/// By whom, and for whom.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PostMoment {
    /// By these accounts; by all, where none is named.
    #[serde(default)]
    accounts: Vec<String>,
    /// For customers with one of these tags; for all, where none is named.
    #[serde(default)]
    tags: Vec<String>,
}

/// Which one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfPost {
    /// What it is known by.
    batch: String,
    /// Of which of the brand's accounts; `main`, where it says nothing.
    account: Option<String>,
}

/// Of which account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PostsOf {
    /// Of which of the brand's accounts; `main`, where it says nothing.
    account: Option<String>,
}

/// What is published.
#[derive(Serialize, JsonSchema)]
struct PostsListed {
    /// The newest first.
    items: Vec<PostView>,
}

async fn ask(caller: Caller, asked: PostNew) -> Result<PostView, Problem> {
    let PostNew { batch, account, text, card, groups, moment, confirm_hours } = asked;
    let asked = PostAsked {
        batch,
        account: account.unwrap_or_else(|| MAIN.to_owned()),
        text,
        card: card.map(|card| (card.title, card.url)),
        groups: groups.map(|of| {
            let PostGroups { groups, named, owners, touchpoints, stores } = of;
            GroupsAsked { groups, named, owners, touchpoints, stores }
        }),
        moment: moment.map(|of| MomentAsked { accounts: of.accounts, tags: of.tags }),
        confirm_hours,
    };
    // One after the other: of those that come at once by one name the first asks a second person.
    let _turn = caller.api.asking.lock().await;
    Ok(caller.engine().ask_post(&caller.grant, &asked).await??)
}

async fn list(caller: Caller, of: PostsOf) -> Result<PostsListed, Problem> {
    let items = caller.engine().posts(of.account.as_deref().unwrap_or(MAIN)).await??;
    Ok(PostsListed { items })
}

async fn read(caller: Caller, of: OfPost) -> Result<PostView, Problem> {
    Ok(caller.engine().post_of(of.account.as_deref().unwrap_or(MAIN), &of.batch).await??)
}

async fn approve(caller: Caller, of: OfPost) -> Result<PostView, Problem> {
    answer(&caller, &of, true).await
}

async fn refuse(caller: Caller, of: OfPost) -> Result<PostView, Problem> {
    answer(&caller, &of, false).await
}

async fn answer(caller: &Caller, of: &OfPost, approved: bool) -> Result<PostView, Problem> {
    let of = (of.account.as_deref().unwrap_or(MAIN), of.batch.as_str());
    Ok(caller.engine().answer_post(&caller.grant, of, approved).await??)
}
