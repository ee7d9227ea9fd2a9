//! Campaigns: what there is, how it goes, why somebody was (not) sent something; what was said to members, and tasks of advisors.

use std::sync::Arc;

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::campaigns::{CampaignView, NoteView, RunsView, WhyView};
use zhiyin_engine::command::{Act, Whom};
use zhiyin_engine::effects::{EffectAsked, EffectView, SEND_COST_MAX};
use zhiyin_model::event::names;
use zhiyin_model::id::MemberId;
use zhiyin_model::playbook::campaign::ADVISOR;
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::commands::{CommandDone, MemberRef};
use super::endpoint::Endpoint;
use super::input::Nothing;
use super::reads::day;
use crate::problem::Problem;

/// What any command about a member may be refused with.
macro_rules! refusals {
    ($($more:literal),*) => {
        &["member_unknown", "bad_identifier", "identifier_blocked", "phone_malformed", "email_malformed", "bad_text",
          "text_too_long", "erased", $($more),*]
    };
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let (needs, campaign) = (Operation::CampaignsManage, json!({"campaign": "win-back"}));
    let id = "0123456789abcdef0123456789abcdef";
    let member = json!({"namespace": "phone", "value": "13912345678"});
    vec![
        Endpoint::get("campaigns_list", "/v1/campaigns", needs, list)
            .says("List campaigns", "营销活动列表", "Those of the playbook, by id, each with what it came to so far.")
            .refuses(&["no_playbook"]),
        Endpoint::get("campaigns_read", "/v1/campaigns/{campaign}", needs, read)
            .says("Read a campaign", "查看营销活动", "How it stands, and how often each thing happened in it.")
            .refuses(&["campaign_unknown", "no_playbook"])
            .example(campaign.clone()),
        Endpoint::get("campaigns_effect", "/v1/campaigns/{campaign}/effect", needs, effect)
            .says(
                "Read what a campaign changed",
                "活动效果",
                "Those held out against the others, and the ways of its splits against each other: shares, revenue, orders and what \
                 coupons cost, each a difference with its interval.",
            )
            .refuses(&["campaign_unknown", "margin_bad", "as_of_future", "bad_query", "no_playbook"])
            .example(json!({"campaign": "win-back", "margin": "30%"})),
        Endpoint::change(Method::POST, "campaigns_pause", "/v1/campaigns/{campaign}/pause", needs, pause)
            .says(
                "Pause a campaign",
                "暂停营销活动",
                "Nobody begins it, and nothing more is sent or given, until it goes on.",
            )
            .refuses(&["campaign_unknown", "campaign_stopped", "no_playbook"])
            .example(campaign.clone()),
        Endpoint::change(Method::POST, "campaigns_resume", "/v1/campaigns/{campaign}/resume", needs, resume)
            .says("Let a campaign go on", "恢复营销活动", "Who waited in it goes on within a day.")
            .refuses(&["campaign_unknown", "campaign_stopped", "no_playbook"])
            .example(campaign.clone()),
        Endpoint::change(Method::POST, "campaigns_stop", "/v1/campaigns/{campaign}/stop", needs, stop)
            .says("Stop a campaign", "终止营销活动", "For good: whoever is in it leaves it with what next happens to them.")
            .refuses(&["campaign_unknown", "no_playbook"])
            .example(campaign),
        Endpoint::command("campaigns_begin", "/v1/commands/campaigns/begin", needs, begin)
            .says(
                "Begin a campaign for a member",
                "触发营销活动",
                "One that is set off by command. `key` says what it is about, where it is about something.",
            )
            .refuses(refusals!(
                "campaign_unknown", "campaign_not_by_command", "campaign_not_running", "campaign_paused", "campaign_stopped",
                "history_sets_nothing_off", "not_again", "not_eligible", "left", "too_many_runs"
            ))
            .example(json!({"member": member, "campaign": "call-back"})),
        Endpoint::get("members_runs", "/v1/members/{id}/runs", Operation::MemberRead, runs)
            .says("Read a member's runs", "会员的营销旅程", "Those that are open, and what happened in all, newest first; at most 200.")
            .refuses(&["member_unknown", "bad_identifier"])
            .example(json!({"id": id})),
        Endpoint::get(
            "members_campaign_why",
            "/v1/members/{id}/campaigns/{campaign}",
            Operation::MemberRead,
            why,
        )
        .says(
            "Read why a member was sent something, or not",
            "查询触达原因",
            "What happened to them in the campaign, and what each guard-rail would say of its messages now, with their texts.",
        )
        .refuses(&["member_unknown", "bad_identifier", "campaign_unknown", "no_playbook"])
        .example(json!({"id": id, "campaign": "win-back"})),
        Endpoint::get("members_inbox", "/v1/members/{id}/inbox", Operation::MemberRead, inbox)
            .says("Read a member's inbox", "会员收件箱", "What was said to them in the app, newest first; at most 200.")
            .refuses(&["member_unknown", "bad_identifier"])
            .example(json!({"id": id})),
        Endpoint::get("members_prompts", "/v1/members/{id}/prompts", Operation::MemberLookup, prompts)
            .says("Read what the till is to say to a member", "收银台提示", "What was not said yet, newest first.")
            .refuses(&["member_unknown", "bad_identifier"])
            .example(json!({"id": id})),
        Endpoint::get("tasks_list", "/v1/tasks", Operation::MemberRead, tasks)
            .says("List tasks of advisors", "导购任务", "Those that are open, oldest first, of members whom the key reaches; at most 200."),
        Endpoint::command("messages_seen", "/v1/commands/messages/seen", Operation::MessagesAnswer, seen)
            .says("Say that a message was seen", "消息已读", "In the inbox, or at the till.")
            .refuses(refusals!("message_unknown"))
            .example(json!({"message": id})),
        Endpoint::command("tasks_done", "/v1/commands/tasks/done", Operation::MessagesAnswer, done)
            .says("Say that a task is done", "任务完成", "By whom, the audit log knows.")
            .refuses(refusals!("message_unknown"))
            .example(json!({"task": id})),
    ]
}

/// Which campaign.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfCampaign {
    /// Its id in the playbook.
    #[schemars(length(min = 1, max = 64))]
    campaign: String,
}

/// Campaigns.
#[derive(Serialize, JsonSchema)]
struct CampaignsListed {
    /// By id.
    items: Vec<CampaignView>,
}

async fn list(caller: Caller, _: Nothing) -> Result<CampaignsListed, Problem> {
    Ok(CampaignsListed { items: caller.engine().campaigns().await? })
}

async fn read(caller: Caller, asked: OfCampaign) -> Result<CampaignView, Problem> {
    Ok(caller.engine().campaign(&asked.campaign).await??)
}

/// Of which campaign, and by what.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfEffect {
    /// Its id in the playbook.
    #[schemars(length(min = 1, max = 64))]
    campaign: String,
    /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
    as_of: Option<String>,
    /// The category that the campaign is after: whether it was bought within 7 days.
    #[schemars(length(min = 1, max = 100))]
    category: Option<String>,
    /// What is earned of what is sold, such as `30%`: costs are then held against margin.
    #[schemars(length(min = 2, max = 10))]
    margin: Option<String>,
    /// What a message costs, in minor units; nothing, where it is left out.
    #[schemars(range(max = 1_000_000))]
    send_cost: Option<u32>,
    /// `whole`, or `week`: the weeks in which members were assigned beside the whole.
    #[serde(default)]
    by: ToldBy,
}

/// By what members of a campaign are told apart.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ToldBy {
    /// By nothing.
    #[default]
    Whole,
    /// By the week of their assignment, from Monday on.
    Week,
}

async fn effect(caller: Caller, asked: OfEffect) -> Result<EffectView, Problem> {
    let margin = asked
        .margin
        .as_deref()
        .map(|text| EffectAsked::margin(text).ok_or_else(|| Problem::of("margin_bad").at("margin")));
    let asks = EffectAsked {
        day: day("as_of", asked.as_of.as_deref())?,
        category: asked.category,
        margin: margin.transpose()?,
        send_cost: asked.send_cost.unwrap_or(0).min(SEND_COST_MAX),
        by_week: matches!(asked.by, ToldBy::Week),
    };
    Ok(caller.engine().effect(&asked.campaign, &asks).await??)
}

async fn pause(caller: Caller, asked: OfCampaign) -> Result<CampaignView, Problem> {
    Ok(caller.engine().halt_campaign(&caller.grant, &asked.campaign, "paused").await??)
}

async fn resume(caller: Caller, asked: OfCampaign) -> Result<CampaignView, Problem> {
    Ok(caller.engine().halt_campaign(&caller.grant, &asked.campaign, "running").await??)
}

async fn stop(caller: Caller, asked: OfCampaign) -> Result<CampaignView, Problem> {
    Ok(caller.engine().halt_campaign(&caller.grant, &asked.campaign, "stopped").await??)
}

/// A campaign for a member.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Begun {
    /// For whom.
    member: MemberRef,
    /// Its id in the playbook.
    #[schemars(length(min = 1, max = 64))]
    campaign: String,
    /// What it is about.
    #[schemars(length(min = 1, max = 100))]
    key: Option<String>,
}

async fn begin(caller: Arc<Caller>, asked: Begun) -> Result<CommandDone, Problem> {
    let (member, name) = caller.named(&asked.member, "member").await?;
    zhiyin_model::event::bounded("campaign", &asked.campaign)?;
    let mut act = Act::new(Operation::CampaignsManage, names::CAMPAIGN_BEGUN, vec![name]);
    act.properties.insert("campaign".to_owned(), asked.campaign.as_str().into());
    if let Some(key) = &asked.key {
        zhiyin_model::event::bounded("key", key)?;
        act.properties.insert("key".to_owned(), key.as_str().into());
    }
    act.noted = json!({"campaign": asked.campaign});
    caller.done(&act, Some(member)).await
}

/// Which member.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfMember {
    /// Their id.
    id: String,
}

fn member(id: &str) -> Result<Whom, Problem> {
    MemberId::from_hex(id).map(Whom::Id).ok_or_else(|| Problem::of("member_unknown").at("id"))
}

async fn runs(caller: Caller, asked: OfMember) -> Result<RunsView, Problem> {
    Ok(caller.engine().runs_of(&caller.filter, &member(&asked.id)?, "id").await??)
}

/// Which member, and which campaign.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfBoth {
    /// The member's id.
    id: String,
    /// The campaign's id in the playbook.
    #[schemars(length(min = 1, max = 64))]
    campaign: String,
}

async fn why(caller: Caller, asked: OfBoth) -> Result<WhyView, Problem> {
    let whom = member(&asked.id)?;
    Ok(caller.engine().why_sent(&caller.filter, (&whom, "id"), &asked.campaign).await??)
}

/// What was said.
#[derive(Serialize, JsonSchema)]
struct NotesListed {
    /// One each.
    items: Vec<NoteView>,
}

async fn inbox(caller: Caller, asked: OfMember) -> Result<NotesListed, Problem> {
    let whom = member(&asked.id)?;
    Ok(NotesListed { items: caller.engine().notes_of(&caller.filter, (&whom, "id"), "inbox", false).await?? })
}

async fn prompts(caller: Caller, asked: OfMember) -> Result<NotesListed, Problem> {
    let whom = member(&asked.id)?;
    Ok(NotesListed { items: caller.engine().notes_of(&caller.filter, (&whom, "id"), "till", true).await?? })
}

async fn tasks(caller: Caller, _: Nothing) -> Result<NotesListed, Problem> {
    Ok(NotesListed { items: caller.engine().tasks(&caller.filter).await? })
}

/// Which message.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SeenMessage {
    /// Its id.
    message: String,
}

async fn seen(caller: Arc<Caller>, asked: SeenMessage) -> Result<CommandDone, Problem> {
    answer(&caller, names::MESSAGE_SEEN, ("message", &asked.message)).await
}

/// Which task.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DoneTask {
    /// Its id.
    task: String,
}

async fn done(caller: Arc<Caller>, asked: DoneTask) -> Result<CommandDone, Problem> {
    answer(&caller, names::TASK_DONE, ("task", &asked.task)).await
}

async fn answer(
    caller: &Arc<Caller>,
    event: &'static str,
    (field, id): (&str, &str),
) -> Result<CommandDone, Problem> {
    let (member, note) = caller.engine().note_of(&caller.filter, id, field).await??;
    if (note.channel == ADVISOR) != (event == names::TASK_DONE) {
        return Err(Problem::of("message_unknown").at(field));
    }
    let name = caller.engine().name_of(&Whom::Id(member), member, field).await??;
    let mut act = Act::new(Operation::MessagesAnswer, event, vec![name]);
    act.properties.insert(field.to_owned(), note.id.as_str().into());
    act.noted = json!({"campaign": note.campaign, "message": note.message});
    caller.done(&act, Some(member)).await
}
