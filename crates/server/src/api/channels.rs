//! The brand's accounts outside of the home: which the server's file of channels names, and whether what was set up works.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::channels::{ChannelView, Channels, StepView};
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::endpoint::Endpoint;
use super::input::Nothing;
use crate::problem::Problem;

/// After how many seconds to come again where another account is being checked.
const AGAIN_SECONDS: u64 = 10;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let needs = Operation::HomeManage;
    vec![
        Endpoint::get("channels_list", "/v1/channels", needs, list)
            .says(
                "List the brand's accounts outside of the home",
                "渠道账号列表",
                "Those that the server's file of channels names, by channel, and how messages on each stand. Nothing secret is told; without \
                 such a file there are none.",
            )
            .example(json!({})),
        Endpoint::change(Method::POST, "channels_test", "/v1/channels/{channel}/{account}/test", needs, check)
            .says(
                "Check step by step whether an account works",
                "测试渠道连接",
                "The steps of `zhiyin channel test`, with what was found and what is to be done about it, in Chinese and English. Nothing is \
                 changed there, and nobody is told anything. One account at a time.",
            )
            .refuses(&["channel_account_unknown", "channel_untested", "channel_check_busy"])
            .example(json!({"channel": "wecom", "account": "main"})),
    ]
}

/// Accounts.
#[derive(Serialize, JsonSchema)]
struct ChannelsListed {
    /// By channel and account.
    items: Vec<ChannelView>,
}

async fn list(caller: Caller, _: Nothing) -> Result<ChannelsListed, Problem> {
    let none = Channels::default();
    let channels = caller.api.channels.get().unwrap_or(&none);
    Ok(ChannelsListed { items: caller.engine().channels(channels).await? })
}

/// Which account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfChannel {
    /// On which channel.
    channel: String,
    /// What the brand calls it.
    account: String,
}

/// What came of a check.
#[derive(Serialize, JsonSchema)]
struct ChannelChecked {
    /// On which channel.
    channel: String,
    /// What the brand calls it.
    account: String,
    /// Whether no step of it is wrong.
    well: bool,
    /// One after the other; what comes after something wrong may be skipped.
    steps: Vec<StepView>,
}

async fn check(caller: Caller, of: OfChannel) -> Result<ChannelChecked, Problem> {
    let OfChannel { channel, account } = of;
    let unknown = || Problem::of("channel_account_unknown").at("account");
    let channels = caller.api.channels.get().ok_or_else(unknown)?;
    if !channels.has(&channel, &account) {
        return Err(unknown());
    }
    let Ok(_one_at_a_time) = caller.api.checking.try_lock() else {
        return Err(Problem::of("channel_check_busy").after(AGAIN_SECONDS));
    };
    let checked = channels.check(&channel, Some(&account)).await.into_iter().next();
    let (_, steps) = checked.ok_or_else(|| Problem::of("channel_untested").at("channel"))?;
    let steps: Vec<StepView> = steps.into_iter().map(StepView::from).collect();
    Ok(ChannelChecked { channel, account, well: steps.iter().all(|step| step.health != "wrong"), steps })
}
