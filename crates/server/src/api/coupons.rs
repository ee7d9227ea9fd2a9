//! Coupons: claimed and redeemed ([`claims`]), issued to a member or to many, taken back, read by member and by code.

pub(crate) mod claims;
mod codes;

use std::sync::Arc;

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::command::{Act, Whom};
use zhiyin_engine::coupons::{CouponView, CouponWhole, IssueView};
use zhiyin_model::event::names;
use zhiyin_model::id::MemberId;
use zhiyin_model::role::Operation;
use zhiyin_store::coupons::Issue;

use super::caller::Caller;
use super::commands::{CommandDone, MemberRef, reason};
use super::endpoint::Endpoint;
use super::input::Nothing;
use crate::problem::Problem;

/// The most issues that are listed.
const ISSUES_MAX: usize = 100;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let member = json!({"namespace": "phone", "value": "13912345678"});
    let code = "7H3K-0QWE-9RTY-4ZXC";
    let mut all = claims::endpoints();
    all.extend(codes::endpoints());
    all.extend([
        Endpoint::command("coupons_issue", "/v1/commands/coupons/issue", Operation::CouponsIssue, issue)
            .says(
                "Issue coupons to a member",
                "发券",
                "Of an offer of the playbook that has a coupon, within its limits and its stock. Which they are, the member's \
                 coupons say.",
            )
            .refuses(&[
                "member_unknown", "bad_identifier", "identifier_blocked", "phone_malformed", "email_malformed", "bad_text",
                "text_too_long", "reason_missing", "offer_unknown", "offer_not_running", "not_eligible", "limit_reached",
                "out_of_stock", "too_many_coupons", "bad_number", "erased",
            ])
            .example(json!({"member": member, "offer": "welcome", "reason": "a late delivery"})),
        Endpoint::command(
            "coupons_withdraw",
            "/v1/commands/coupons/withdraw",
            Operation::CouponsIssue,
            withdraw,
        )
        .says(
            "Take a coupon back",
            "收回券",
            "One that is active. Its piece is there for others again, and it does not count for the member's limit.",
        )
        .refuses(&["coupon_unknown", "coupon_not_active", "coupon_locked", "reason_missing", "bad_text", "erased", "member_unknown"])
        .example(json!({"coupon": code, "reason": "issued by mistake"})),
        Endpoint::get("members_coupons", "/v1/members/{id}/coupons", Operation::MemberRead, of_member)
            .says("Read a member's coupons", "会员的券", "Newest first, whatever became of them; at most 500.")
            .refuses(&["member_unknown", "bad_identifier"])
            .example(json!({"id": "0123456789abcdef0123456789abcdef"})),
        Endpoint::get("coupons_read", "/v1/coupons/{code}", Operation::MemberLookup, read)
            .says(
                "Read a coupon by its code",
                "按券码查询",
                "However it is typed, or by its id: where it stands, how it moved, and the terms under which it was issued.",
            )
            .refuses(&["coupon_unknown"])
            .example(json!({"code": code})),
        Endpoint::change(
            Method::POST,
            "coupons_issue_many",
            "/v1/coupon-issues",
            Operation::CouponsIssueMany,
            issue_many,
        )
        .says(
            "Issue a coupon to an audience",
            "向人群发券",
            "Once for each `batch`: sent again it tells how it stands. Whom it is for is written down first. Above the limit of \
             one person it waits until a second one approves it.",
        )
        .refuses(&["offer_unknown", "bad_text", "text_too_long", "batch_reused", "no_playbook", "bad_condition"])
        .example(json!({"batch": "spring-2025", "offer": "welcome", "audience": "tier == \"gold\""})),
        Endpoint::get("coupons_issues", "/v1/coupon-issues", Operation::CouponsIssueMany, issues)
            .says("List issues to audiences", "发券批次", "The newest first, at most 100."),
        Endpoint::get(
            "coupons_issue_read",
            "/v1/coupon-issues/{number}",
            Operation::CouponsIssueMany,
            issue_read,
        )
        .says("Read how an issue stands", "发券进度", "How many it reached, and why others were not reached.")
        .refuses(&["issue_unknown"])
        .example(json!({"number": 1})),
        Endpoint::change(
            Method::POST,
            "coupons_issue_approve",
            "/v1/coupon-issues/{number}/approve",
            Operation::CouponsIssueMany,
            approve,
        )
        .says("Approve an issue, and have it done", "批准发券", "By a person who is not the one who asked.")
        .refuses(&["issue_unknown", "approval_own", "approval_no_person", "approval_answered", "approval_late"])
        .example(json!({"number": 1})),
    ]);
    all
}

/// Coupons for a member.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Issued {
    /// For whom.
    member: MemberRef,
    /// Of which offer, by its id in the playbook.
    #[schemars(length(min = 1, max = 64))]
    offer: String,
    /// How many; one, if it says nothing.
    #[schemars(range(min = 1, max = 20))]
    count: Option<u32>,
    /// Why.
    #[schemars(length(min = 1, max = 200))]
    reason: String,
}

async fn issue(caller: Arc<Caller>, asked: Issued) -> Result<CommandDone, Problem> {
    let reason = reason(&asked.reason)?;
    let (member, name) = caller.named(&asked.member, "member").await?;
    let mut act = Act::new(Operation::CouponsIssue, names::COUPON_ISSUED, vec![name]);
    zhiyin_model::event::bounded("offer", &asked.offer)?;
    act.properties.insert("offer".to_owned(), asked.offer.as_str().into());
    let count = asked.count.unwrap_or(1);
    act.properties.insert("count".to_owned(), count.to_string().into());
    act.properties.insert("reason".to_owned(), reason.into());
    act.noted = json!({"offer": asked.offer, "count": count});
    caller.done(&act, Some(member)).await
}

/// A coupon that is taken back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Withdrawn {
    /// Its code or its id.
    #[schemars(length(min = 1, max = 64))]
    coupon: String,
    /// Why.
    #[schemars(length(min = 1, max = 200))]
    reason: String,
}

async fn withdraw(caller: Arc<Caller>, asked: Withdrawn) -> Result<CommandDone, Problem> {
    let reason = reason(&asked.reason)?;
    let found = caller.engine().coupon(&caller.filter, &asked.coupon, "coupon").await??.coupon;
    let unknown = || Problem::of("coupon_unknown").at("coupon");
    let member = MemberId::from_hex(&found.member).ok_or_else(unknown)?;
    let name = caller.engine().name_of(&Whom::Id(member), member, "coupon").await??;
    let mut act = Act::new(Operation::CouponsIssue, names::COUPON_WITHDRAWN, vec![name]);
    act.properties.insert("coupon".to_owned(), found.id.as_str().into());
    act.properties.insert("reason".to_owned(), reason.into());
    act.noted = json!({"coupon": found.id, "offer": found.offer});
    caller.done(&act, Some(member)).await
}

/// Which member.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfMember {
    /// Their id.
    id: String,
}

/// Coupons.
#[derive(Serialize, JsonSchema)]
struct CouponsListed {
    /// The newest first.
    items: Vec<CouponView>,
}

async fn of_member(caller: Caller, asked: OfMember) -> Result<CouponsListed, Problem> {
    let id = MemberId::from_hex(&asked.id).ok_or_else(|| Problem::of("member_unknown").at("id"))?;
    let items = caller.engine().coupons_of(&caller.filter, &Whom::Id(id), "id").await??;
    Ok(CouponsListed { items })
}

/// Which coupon.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfCode {
    /// Its code, however typed, or its id.
    code: String,
}

async fn read(caller: Caller, asked: OfCode) -> Result<CouponWhole, Problem> {
    Ok(caller.engine().coupon(&caller.filter, &asked.code, "code").await??)
}

/// A coupon for many.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IssuedToMany {
    /// What it is known by when it is sent again.
    #[schemars(length(min = 1, max = 255))]
    batch: String,
    /// Of which offer, by its id in the playbook.
    #[schemars(length(min = 1, max = 64))]
    offer: String,
    /// Whom it is for: a saved audience by its id, or a condition.
    #[schemars(length(min = 1, max = 8192))]
    audience: String,
}

async fn issue_many(caller: Caller, asked: IssuedToMany) -> Result<IssueView, Problem> {
    let engine = caller.engine();
    let said = (asked.batch.as_str(), asked.offer.as_str(), asked.audience.as_str());
    let issue = engine.begin_issue(&caller.grant, said).await??;
    if engine.may_take_in(&caller.grant, &issue).await? {
        go_on(&caller, &issue);
    }
    viewed(&caller, issue.no).await
}

/// Takes an issue in after the answer was given; where this process ends, another takes it up when it starts.
fn go_on(caller: &Caller, issue: &Issue) {
    let (engine, issue) = (caller.shared(), issue.clone());
    tokio::spawn(async move {
        if let Err(error) = engine.take_in_issue(&issue, |_| ()).await {
            tracing::error!(%error, issue = issue.no, "an issue stopped; it is taken up when a server starts");
        }
    });
}

async fn viewed(caller: &Caller, no: i64) -> Result<IssueView, Problem> {
    caller.engine().issue_view(no).await?.ok_or_else(|| Problem::of("issue_unknown").at("number"))
}

/// Issues to many.
#[derive(Serialize, JsonSchema)]
struct IssuesListed {
    /// The newest first.
    items: Vec<IssueView>,
}

async fn issues(caller: Caller, _: Nothing) -> Result<IssuesListed, Problem> {
    Ok(IssuesListed { items: caller.engine().issue_views(ISSUES_MAX).await? })
}

/// Which issue.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfNumber {
    /// Its number.
    number: i64,
}

async fn issue_read(caller: Caller, asked: OfNumber) -> Result<IssueView, Problem> {
    viewed(&caller, asked.number).await
}

async fn approve(caller: Caller, asked: OfNumber) -> Result<IssueView, Problem> {
    let issue = caller.engine().approve_issue(&caller.grant, asked.number).await?;
    let issue = issue.ok_or_else(|| Problem::of("issue_unknown").at("number"))?;
    go_on(&caller, &issue);
    viewed(&caller, issue.no).await
}
