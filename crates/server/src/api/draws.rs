//! Draws: opened, closed, drawn, rolled on and read; and what a member has of them.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::command::Whom;
use zhiyin_engine::draws::{DrawView, MemberDraw};
use zhiyin_model::id::MemberId;
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::endpoint::Endpoint;
use super::input::Nothing;
use crate::problem::Problem;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let example = json!({"draw": "concert"});
    let needs = Operation::DrawsManage;
    vec![
        Endpoint::get("draws_list", "/v1/draws", needs, list)
            .says("List draws", "抽奖列表", "Those of the playbook and those that were, by name."),
        Endpoint::get("draws_read", "/v1/draws/{draw}", needs, read)
            .says("Read a draw", "查看抽奖", "How it stands, what was published of it, and which entries have which prize.")
            .refuses(&["draw_unknown", "no_playbook"])
            .example(example.clone()),
        Endpoint::change(Method::POST, "draws_open", "/v1/draws/{draw}/open", needs, open)
            .says(
                "Open a draw",
                "开启抽奖",
                "Makes the seed and answers its commitment, which is to be published; before anybody has a chance.",
            )
            .refuses(&["draw_unknown", "draw_opened", "draw_begun", "no_playbook"])
            .example(example.clone()),
        Endpoint::change(Method::POST, "draws_close", "/v1/draws/{draw}/close", needs, close)
            .says(
                "Close a draw's list",
                "封存抽奖名单",
                "Writes down who has how many chances, and answers the hash of the list, which is to be published.",
            )
            .refuses(&[
                "draw_unknown", "draw_not_open", "draw_closed", "draw_running", "draw_unsettled", "draw_empty", "draw_too_large", "no_playbook",
            ])
            .example(example.clone()),
        Endpoint::change(Method::POST, "draws_run", "/v1/draws/{draw}/run", needs, run)
            .says(
                "Draw",
                "开奖",
                "Once: winners follow from the seed, the list and the public value, where one is promised. They are issued their \
                 prizes.",
            )
            .refuses(&[
                "draw_unknown", "draw_not_open", "draw_not_closed", "draw_drawn", "no_public_value", "unannounced_public_value",
                "bad_name", "no_playbook",
            ])
            .example(json!({"draw": "concert", "public_value": "05 09 11 20 27 33 + 08"})),
        Endpoint::change(Method::POST, "draws_roll", "/v1/draws/{draw}/roll", needs, roll)
            .says(
                "Give unclaimed prizes to alternates",
                "候补递补",
                "Now, instead of within the minute in which a server does it by itself.",
            )
            .refuses(&["draw_unknown", "draw_not_open", "draw_not_drawn", "no_playbook"])
            .example(example.clone()),
        Endpoint::get("draws_file", "/v1/draws/{draw}/file", needs, file)
            .says(
                "Export a draw",
                "导出抽奖文件",
                "As the file that anybody can check; the seed is in it once it was drawn. It names nobody.",
            )
            .refuses(&["draw_unknown", "draw_not_open", "no_playbook"])
            .example(example),
        Endpoint::get("members_draws", "/v1/members/{id}/draws", Operation::MemberRead, of_member)
            .says("Read a member's draws", "会员的抽奖", "How many chances they have, their entry's code, and what became of it.")
            .refuses(&["member_unknown", "bad_identifier", "no_playbook"])
            .example(json!({"id": "0123456789abcdef0123456789abcdef"})),
    ]
}

/// Which draw.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfDraw {
    /// Its id in the playbook.
    #[schemars(length(min = 1, max = 64))]
    draw: String,
}

/// Draws.
#[derive(Serialize, JsonSchema)]
struct DrawsListed {
    /// By name.
    items: Vec<DrawView>,
}

async fn list(caller: Caller, _: Nothing) -> Result<DrawsListed, Problem> {
    Ok(DrawsListed { items: caller.engine().view_draws().await? })
}

async fn read(caller: Caller, asked: OfDraw) -> Result<DrawView, Problem> {
    Ok(caller.engine().view_draw(&asked.draw).await??)
}

async fn open(caller: Caller, asked: OfDraw) -> Result<DrawView, Problem> {
    let mut chance = [0; 32];
    getrandom::fill(&mut chance).map_err(|error| {
        tracing::error!(%error, "no randomness");
        Problem::of("reading_failed")
    })?;
    Ok(caller.engine().open_draw(&caller.grant, &asked.draw, chance).await??)
}

async fn close(caller: Caller, asked: OfDraw) -> Result<DrawView, Problem> {
    Ok(caller.engine().close_draw(&caller.grant, &asked.draw).await??)
}

/// What is drawn with.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Run {
    /// Its id in the playbook.
    #[schemars(length(min = 1, max = 64))]
    draw: String,
    /// The public value as it was published, letter by letter, where the terms promise one.
    #[schemars(length(min = 1, max = 200))]
    public_value: Option<String>,
}

async fn run(caller: Caller, asked: Run) -> Result<DrawView, Problem> {
    Ok(caller.engine().run_draw(&caller.grant, &asked.draw, asked.public_value.as_deref()).await??)
}

/// What rolled on.
#[derive(Serialize, JsonSchema)]
struct Rolled {
    /// How many prizes went to alternates.
    rolled: usize,
    /// How the draw stands now.
    draw: DrawView,
}

async fn roll(caller: Caller, asked: OfDraw) -> Result<Rolled, Problem> {
    let rolled = caller.engine().roll_draw(&asked.draw).await??;
    Ok(Rolled { rolled, draw: caller.engine().view_draw(&asked.draw).await?? })
}

async fn file(caller: Caller, asked: OfDraw) -> Result<serde_json::Value, Problem> {
    Ok(caller.engine().draw_file(&asked.draw).await??)
}

/// Which member.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfMember {
    /// Their id.
    id: String,
}

/// A member's draws.
#[derive(Serialize, JsonSchema)]
struct MemberDraws {
    /// Those in which they have a chance, or had.
    items: Vec<MemberDraw>,
}

async fn of_member(caller: Caller, asked: OfMember) -> Result<MemberDraws, Problem> {
    let id = MemberId::from_hex(&asked.id).ok_or_else(|| Problem::of("member_unknown").at("id"))?;
    let items = caller.engine().draws_of(&caller.filter, &Whom::Id(id), "id").await??;
    Ok(MemberDraws { items })
}
