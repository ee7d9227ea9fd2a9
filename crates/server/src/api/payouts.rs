//! Money that people of the brand send to members, each of whom confirms it in WeChat.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use zhiyin_engine::channels::Channels;
use zhiyin_engine::clock;
use zhiyin_engine::pays::Merchant;
use zhiyin_engine::pays::payouts::{PayoutView, PayoutWanted, PayoutsAsked, PayoutsPage};
use zhiyin_model::id::MemberId;
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::commands::{MemberRef, reason, text};
use super::endpoint::Endpoint;
use crate::problem::Problem;

/// The account, where nobody says otherwise.
const MAIN: &str = "main";
/// The longest texts, in characters.
const REMARK_CHARS_MAX: usize = 32;
const NAME_CHARS_MAX: usize = 64;
const APP_CHARS_MAX: usize = 64;

/// What any may be refused with that is about one.
const OF_ONE: &[&str] = &["payout_unknown", "account_unknown"];

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let needs = Operation::PayoutsMake;
    let one = json!({"payout": "0123456789abcdef0123456789abcdef", "account": "main"});
    let answers = &[
        "payout_unknown",
        "payout_over",
        "payout_waits_for_nobody",
        "account_unknown",
        "approval_own",
        "approval_no_person",
        "approval_answered",
        "approval_late",
        "approval_unknown",
    ];
    vec![
        Endpoint::own_command("payouts_ask", "/v1/payouts", needs, ask)
            .says(
                "Send money to a member",
                "给会员转账",
                "By WeChat Pay, where the member confirms it within a day. Once for each `Idempotency-Key`: sent again it tells how it \
                 stands. Above the limit of one person, with what they asked for and what the member gets within 24 hours, it waits until a second \
                 one approves it. `GET /v1/me/payouts` shows it to the member.",
            )
            .refuses(&[
                "account_unknown",
                "member_unknown",
                "bad_identifier",
                "identifier_blocked",
                "phone_malformed",
                "email_malformed",
                "bad_text",
                "text_too_long",
                "too_many",
                "reason_missing",
                "bad_payout",
                "payout_currency",
                "payout_not_set_up",
                "payout_app_unknown",
                "payout_app_ambiguous",
                "payout_openid_missing",
                "payout_openid_ambiguous",
                "payout_unknown",
                "idempotency_key_reused",
                "approval_request",
                "no_playbook",
            ])
            .example(json!({
                "member": {"namespace": "phone", "value": "13912345678"}, "amount_minor": 1_000, "remark": "老带新奖励",
                "reason": "promised in October", "reports": {"活动名称": "老带新", "奖励说明": "推荐奖励"},
            })),
        Endpoint::get("payouts_list", "/v1/payouts", needs, list)
            .says(
                "List money that was sent to members",
                "转账列表",
                "The newest first: of this month and the last by the wall clock (UTC), or of the one that is named. Of a month that has more \
                 than 20,000 not all are looked at: each is found by its number.",
            )
            .refuses(&["account_unknown", "bad_date", "bad_text", "bad_cursor", "member_unknown"]),
        Endpoint::get("payouts_read", "/v1/payouts/{payout}", needs, read)
            .says("Read how one stands", "查看转账", "")
            .refuses(OF_ONE)
            .example(one.clone()),
        Endpoint::change(Method::POST, "payouts_cancel", "/v1/payouts/{payout}/cancel", needs, cancel)
            .says(
                "Cancel one",
                "撤销转账",
                "Until its member confirmed it. Where the platform has it already it is asked to, and says later how it ended.",
            )
            .refuses(&["payout_unknown", "account_unknown", "payout_over"])
            .example(one.clone()),
        Endpoint::change(Method::POST, "payouts_approve", "/v1/payouts/{payout}/approve", needs, approve)
            .says("Approve one, and have it sent", "批准转账", "By a person who is not the one who asked.")
            .refuses(answers)
            .example(one.clone()),
        Endpoint::change(Method::POST, "payouts_refuse", "/v1/payouts/{payout}/refuse", needs, refuse)
            .says("Refuse one", "驳回转账", "It is not sent.")
            .refuses(answers)
            .example(one),
    ]
}

/// Money for a member.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PayoutNew {
    /// To whom.
    member: MemberRef,
    /// How much, in minor units (fen): 10 and more.
    #[schemars(range(min = 10, max = 100_000_000))]
    amount_minor: i64,
    /// What the member reads.
    #[schemars(length(min = 1, max = 32))]
    remark: String,
    /// Why; a second person reads it, so it names nobody.
    #[schemars(length(min = 1, max = 200))]
    reason: String,
    /// The member's real name, which the platform holds against who they are there: needed from 200,000 fen on.
    #[schemars(length(max = 64))]
    name: Option<String>,
    /// Through which of the brand's accounts of WeChat Pay; `main`, where it says nothing.
    account: Option<String>,
    /// In which of its apps; the only one in which the member is known, where it says nothing.
    #[schemars(length(max = 64))]
    app: Option<String>,
    /// What the platform is told of what it is for, as its scene asks; what the account says, where it says nothing.
    #[serde(default)]
    reports: BTreeMap<String, String>,
}

/// Which one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfPayout {
    /// Its number.
    #[schemars(regex(pattern = "^[0-9A-Za-z]{1,32}$"))]
    payout: String,
    /// Of which of the brand's accounts; `main`, where it says nothing.
    account: Option<String>,
}

/// Which ones.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PayoutsOf {
    /// Of which of the brand's accounts; `main`, where it says nothing.
    account: Option<String>,
    /// Of a month by the wall clock (UTC): `2026-11`.
    month: Option<String>,
    /// In a state.
    state: Option<String>,
    /// To a member, by the id that they had then.
    member: Option<String>,
    /// Where the last page ended (`next`).
    cursor: Option<String>,
}

impl Caller {
    /// The merchant of an account.
    fn merchant(&self, account: Option<&str>) -> Result<Merchant, Problem> {
        let channels = self.api.channels.get();
        let merchant = channels.and_then(|channels| channels.merchant(account.unwrap_or(MAIN)));
        merchant.ok_or_else(|| Problem::of("account_unknown").at("account"))
    }
}

async fn ask(caller: Arc<Caller>, asked: PayoutNew) -> Result<PayoutView, Problem> {
    let merchant = caller.merchant(asked.account.as_deref())?;
    let request = ((caller.key.as_str(), caller.idempotency_key.as_str()), caller.request.as_str());
    // One after the other: of those that come at once under one key the first asks a second person.
    let _turn = caller.api.asking.lock().await;
    let merchants = caller.api.channels.get().map(Channels::merchants).unwrap_or_default();
    if let Some(before) = caller.engine().payout_before(&caller.grant, &merchants, request).await? {
        return Ok(before?);
    }
    let member = caller.member(&asked.member.whom("member")?, "member").await?.member.id;
    let name = asked.name.as_deref().map(|name| text("name", name, NAME_CHARS_MAX)).transpose()?;
    let app = asked.app.as_deref().map(|app| text("app", app, APP_CHARS_MAX)).transpose()?;
    let wanted = PayoutWanted {
        member,
        amount_minor: asked.amount_minor,
        app: app.filter(|app| !app.is_empty()),
        name: name.filter(|name| !name.is_empty()),
        remark: text("remark", &asked.remark, REMARK_CHARS_MAX)?,
        reason: reason(&asked.reason)?,
        reports: asked.reports.into_iter().collect(),
    };
    let by = (&merchant, merchants.as_slice());
    Ok(caller.engine().ask_payout(&caller.grant, by, request, &wanted, clock::wall()).await??)
}

async fn list(caller: Caller, of: PayoutsOf) -> Result<PayoutsPage, Problem> {
    let account = caller.merchant(of.account.as_deref())?.account;
    let unknown = || Problem::of("member_unknown").at("member");
    let member = of.member.as_deref().map(|id| MemberId::from_hex(id).ok_or_else(unknown)).transpose()?;
    let asked = PayoutsAsked { month: of.month, state: of.state, member, cursor: of.cursor };
    Ok(caller.engine().payouts(&account, &asked, clock::wall()).await??)
}

async fn read(caller: Caller, of: OfPayout) -> Result<PayoutView, Problem> {
    let account = caller.merchant(of.account.as_deref())?.account;
    Ok(caller.engine().payout_view(&account, &of.payout).await??)
}

async fn cancel(caller: Caller, of: OfPayout) -> Result<PayoutView, Problem> {
    let account = caller.merchant(of.account.as_deref())?.account;
    let of = (account.as_str(), of.payout.as_str());
    Ok(caller.engine().call_payout_off(&caller.grant, of, clock::wall()).await??)
}

async fn approve(caller: Caller, of: OfPayout) -> Result<PayoutView, Problem> {
    answer(&caller, &of, true).await
}

async fn refuse(caller: Caller, of: OfPayout) -> Result<PayoutView, Problem> {
    answer(&caller, &of, false).await
}

async fn answer(caller: &Caller, of: &OfPayout, approved: bool) -> Result<PayoutView, Problem> {
    let account = caller.merchant(of.account.as_deref())?.account;
    let of = (account.as_str(), of.payout.as_str());
    Ok(caller.engine().answer_payout(&caller.grant, of, approved, clock::wall()).await??)
}
