//! Money that the brand sent to a member, who confirms it in WeChat.

use axum::Json;
use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_engine::pays::payouts::MyPayout;

use super::member;
use crate::api::input::Nothing;
use crate::problem::Problem;
use crate::sign_in::Visit;

/// Money that was sent to a member.
#[derive(Serialize, JsonSchema)]
pub(super) struct MyPayouts {
    /// What waits for them first, then the newest; at most 50.
    items: Vec<MyPayout>,
}

pub(super) async fn payouts(visit: Visit, _: Nothing) -> Result<Json<MyPayouts>, Problem> {
    let at = member(visit).await?;
    let api = &at.visit.api;
    let merchants = api.channels.get().map(zhiyin_engine::channels::Channels::merchants).unwrap_or_default();
    Ok(Json(MyPayouts { items: api.engine.my_payouts(&merchants, at.at.member.member.id).await? }))
}
