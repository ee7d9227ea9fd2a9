//! Ways in: the codes of the playbook's touchpoints; hand-overs from one of the staff to another; how many seats are taken.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::clock;
use zhiyin_engine::platforms::standing::{PlatformView, StandingAsked};
use zhiyin_engine::platforms::{SeatsView, TransferAsked, TransferView, WayView, WaysAsked};
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::endpoint::Endpoint;
use crate::problem::Problem;

const ANSWERS: &[&str] = &[
    "transfer_unknown",
    "transfer_waits_for_nobody",
    "approval_own",
    "approval_no_person",
    "approval_answered",
    "approval_late",
    "approval_unknown",
];

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let hands_over = Operation::ContactsHandOver;
    vec![
        Endpoint::get("ways_list", "/v1/ways", Operation::PlaybookRead, ways)
            .says(
                "List the codes that lead to staff and into groups",
                "活码列表",
                "Of the playbook's touchpoints: where each leads now, where its picture lies, how many came by it today.",
            )
            .example(json!({"touchpoint": "store-poster-001"})),
        Endpoint::get("transfers_list", "/v1/transfers", hands_over, transfers)
            .says("List hand-overs", "客户继承列表", "The latest first.")
            .example(json!({})),
        Endpoint::get("transfers_read", "/v1/transfers/{transfer}", hands_over, transfer)
            .says("Read how far a hand-over is", "查看客户继承", "How many customers are where, and why some stay.")
            .refuses(&["transfer_unknown"])
            .example(json!({"transfer": "lisi-on-leave"})),
        Endpoint::change(Method::POST, "transfers_begin", "/v1/transfers", hands_over, begin)
            .says(
                "Hand customers over to a colleague",
                "客户继承",
                "Of somebody on leave, or who has left: those that are named, or all. The same `transfer` again is the same one. Of more \
                 than one person decides alone it waits for a second one.",
            )
            .refuses(&["bad_transfer", "transfer_reused", "transfer_unknown"])
            .example(json!({"transfer": "lisi-on-leave", "from": "LiSi", "to": "WangWu", "groups": true})),
        Endpoint::change(Method::POST, "transfers_approve", "/v1/transfers/{transfer}/approve", hands_over, approve)
            .says("Approve a hand-over, and have it begun", "批准客户继承", "By a person who is not the one who asked.")
            .refuses(ANSWERS)
            .example(json!({"transfer": "lisi-on-leave", "account": "main"})),
        Endpoint::change(Method::POST, "transfers_refuse", "/v1/transfers/{transfer}/refuse", hands_over, refuse)
            .says("Refuse a hand-over", "驳回客户继承", "Nobody is handed over.")
            .refuses(ANSWERS)
            .example(json!({"transfer": "lisi-on-leave", "account": "main"})),
        Endpoint::get("platforms_list", "/v1/platforms", Operation::ReportsRead, platforms)
            .says(
                "List the accounts on platforms, and how well each is known",
                "平台账号与同步进度",
                "Since when everything there was looked at, how far the look is that goes on, and what holds it up. `counts` also counts \
                 what is known, which takes longer the more that is.",
            )
            .example(json!({"counts": true})),
        Endpoint::get("seats_read", "/v1/seats", Operation::ReportsRead, seats)
            .says(
                "Read how many friends accounts have",
                "企微席位",
                "Measured once a day: friends of each account, what the platform has for nothing, and what is beyond.",
            )
            .example(json!({})),
    ]
}

/// Which codes are asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WaysList {
    /// Of one touchpoint.
    #[schemars(length(min = 1, max = 64))]
    touchpoint: Option<String>,
}

/// Codes.
#[derive(Serialize, JsonSchema)]
struct WaysListed {
    /// By touchpoint.
    items: Vec<WayView>,
}

async fn ways(caller: Caller, asked: WaysList) -> Result<WaysListed, Problem> {
    Ok(WaysListed { items: caller.engine().ways(&WaysAsked { touchpoint: asked.touchpoint }).await? })
}

/// How accounts are listed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlatformsList {
    /// Whether what is known is counted.
    counts: Option<bool>,
}

/// Accounts on platforms.
#[derive(Serialize, JsonSchema)]
struct PlatformsListed {
    /// By account.
    items: Vec<PlatformView>,
}

async fn platforms(caller: Caller, asked: PlatformsList) -> Result<PlatformsListed, Problem> {
    let asked = StandingAsked { with_counts: asked.counts.unwrap_or(false) };
    Ok(PlatformsListed { items: caller.engine().platforms_standing(&[], asked, clock::wall()).await? })
}

/// Of which of the brand's accounts on a platform.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfAccount {
    /// As the file of channels calls it; `main` unless said otherwise.
    #[schemars(length(min = 1, max = 40))]
    account: Option<String>,
}

/// Hand-overs.
#[derive(Serialize, JsonSchema)]
struct TransfersListed {
    /// The latest first.
    items: Vec<TransferView>,
}

async fn transfers(caller: Caller, of: OfAccount) -> Result<TransfersListed, Problem> {
    Ok(TransfersListed { items: caller.engine().transfers(of.account.as_deref()).await? })
}

/// Which hand-over.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfTransfer {
    /// What it is known by.
    transfer: String,
    /// The brand's account on the platform; `main` unless said otherwise.
    #[schemars(length(min = 1, max = 40))]
    account: Option<String>,
}

async fn transfer(caller: Caller, of: OfTransfer) -> Result<TransferView, Problem> {
    Ok(caller.engine().transfer(of.account.as_deref(), &of.transfer).await??)
}

async fn approve(caller: Caller, of: OfTransfer) -> Result<TransferView, Problem> {
    answer(&caller, &of, true).await
}

async fn refuse(caller: Caller, of: OfTransfer) -> Result<TransferView, Problem> {
    answer(&caller, &of, false).await
}

async fn answer(caller: &Caller, of: &OfTransfer, approved: bool) -> Result<TransferView, Problem> {
    let of = (of.account.as_deref(), of.transfer.as_str());
    Ok(caller.engine().answer_transfer(&caller.grant, of, approved).await??)
}

/// A hand-over as it is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TransferBegun {
    /// What it is known by.
    #[schemars(length(min = 1, max = 64))]
    transfer: String,
    /// The brand's account on the platform; `main` unless said otherwise.
    #[schemars(length(min = 1, max = 40))]
    account: Option<String>,
    /// From whom, as the platform calls them.
    #[schemars(length(min = 1, max = 64))]
    from: String,
    /// To whom.
    #[schemars(length(min = 1, max = 64))]
    to: String,
    /// Whether whoever hands over has left.
    #[serde(default)]
    left: bool,
    /// Which customers; all, where none is named.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    customers: Vec<String>,
    /// Whether groups of whoever hands over go too.
    #[serde(default)]
    groups: bool,
    /// What customers are told, where whoever hands over is there.
    #[schemars(length(max = 200))]
    word: Option<String>,
}

async fn begin(caller: Caller, asked: TransferBegun) -> Result<TransferView, Problem> {
    let TransferBegun { transfer: name, account, from, to, left: has_left, customers, groups, word } = asked;
    let asked = TransferAsked { name, account, from, to, has_left, customers, groups, word };
    Ok(caller.engine().begin_transfer(&caller.grant, &asked).await??)
}

async fn seats(caller: Caller, of: OfAccount) -> Result<SeatsView, Problem> {
    Ok(caller.engine().seats(of.account.as_deref().unwrap_or("main")).await?)
}
