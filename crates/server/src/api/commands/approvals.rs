//! What waits for a second person: asked, listed, approved (and then done), refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zhiyin_engine::EngineError;
use zhiyin_engine::adjustments::Adjustment;
use zhiyin_engine::approvals::{self, ApprovalProblem};
use zhiyin_engine::command::Whom;
use zhiyin_model::id::MemberId;
use zhiyin_model::role::{Limits, Operation};
use zhiyin_store::access::Approval;

use super::{Caller, CommandDone, Endpoint};
use crate::api::input::Nothing;
use crate::problem::Problem;

/// The most that is listed, the newest first.
const LISTED_MAX: usize = 200;
/// How many of the newest are looked at: for those within reach, and for one that was asked before.
const LOOK_MAX: usize = 2_000;
const KNOWN_LOOK_MAX: usize = 20_000;
/// By what a request is known when it is asked again, and what was asked then. Nobody else is told of it.
const KNOWN: &str = "known";
const ASKED: &str = "asked";

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("approvals_list", "/v1/approvals", Operation::PointsAdjust, list).says(
            "Requests for a second person",
            "待审批请求",
            "What was asked for that one person does not decide alone, the newest first.",
        ),
        Endpoint::change(
            axum::http::Method::POST,
            "approvals_approve",
            "/v1/approvals/{no}/approve",
            Operation::PointsAdjust,
            approve,
        )
        .says(
            "Approve a request, and have it done",
            "批准并执行",
            "By a person who is not the one who asked. Sent again it is done once.",
        )
        .refuses(REFUSALS)
        .example(json!({"no": 1})),
        Endpoint::change(
            axum::http::Method::POST,
            "approvals_refuse",
            "/v1/approvals/{no}/refuse",
            Operation::PointsAdjust,
            refuse,
        )
        .says("Refuse a request", "驳回", "")
        .refuses(REFUSALS)
        .example(json!({"no": 1})),
    ]
}

const REFUSALS: &[&str] = &[
    "approval_unknown",
    "approval_own",
    "approval_no_person",
    "approval_answered",
    "approval_late",
    "member_unknown",
    "insufficient_points",
    "amount_too_large",
    "bad_amount",
    "before_takeover",
    "erased",
    "still_deciding",
    "no_playbook",
];

/// A request for a second person.
#[derive(Serialize, JsonSchema)]
struct Request {
    /// Its number.
    no: i64,
    /// What is to be done, of the matrix.
    operation: &'static str,
    /// With what.
    request: Value,
    /// Who asks.
    asked_by: String,
    /// When.
    asked_at: String,
    /// Until when it can be answered.
    answer_by: String,
    /// `open`, `approved` or `refused`.
    state: &'static str,
    /// Who answered.
    answered_by: Option<String>,
    /// When.
    answered_at: Option<String>,
}

/// The document of a request.
fn said(approval: &Approval) -> Value {
    serde_json::from_str(&approval.request).unwrap_or_default()
}

impl From<Approval> for Request {
    fn from(approval: Approval) -> Self {
        let state = match &approval.answer {
            None => "open",
            Some(answer) if answer.approved => "approved",
            Some(_) => "refused",
        };
        let mut request = said(&approval);
        if let Some(request) = request.as_object_mut() {
            request.retain(|key, _| key != KNOWN && key != ASKED);
        }
        Self {
            no: approval.no,
            operation: approval.operation.name(),
            request,
            asked_by: approval.asked_by,
            asked_at: approval.asked_at.rfc3339(),
            answer_by: approval.answer_by.rfc3339(),
            state,
            answered_by: approval.answer.as_ref().map(|answer| answer.by.clone()),
            answered_at: approval.answer.as_ref().map(|answer| answer.at.rfc3339()),
        }
    }
}

/// Requests.
#[derive(Serialize, JsonSchema)]
struct Requests {
    /// The newest first.
    items: Vec<Request>,
}

async fn list(caller: Caller, _: Nothing) -> Result<Requests, Problem> {
    let all = caller.engine().store().access().approvals(LOOK_MAX).await?;
    let mut items = Vec::new();
    // Whom it is about lies within reach.
    for approval in all.into_iter().filter(|approval| Adjustment::asked(approval).is_some()) {
        match member_of(&caller, &approval).await {
            Ok(_) => items.push(approval.into()),
            Err(problem) if problem.is_unknown_member() => {}
            Err(problem) => return Err(problem),
        }
        if items.len() == LISTED_MAX {
            break;
        }
    }
    Ok(Requests { items })
}

/// By what the request of a caller is known, and what it asks; as keyed hashes, since an idempotency key may name somebody.
async fn known(caller: &Caller) -> Result<(String, String), Problem> {
    let home = caller.engine().home().await?;
    let hash = |parts: &[&[u8]]| MemberId::from_bytes(home.id_key.digest("command", parts)).to_string();
    let (key, idempotency_key) = (caller.key.as_bytes(), caller.idempotency_key.as_bytes());
    Ok((hash(&[key, idempotency_key]), hash(&[caller.request.as_bytes()])))
}

/// What the one who asks is told, where they asked before.
pub(super) async fn before(caller: &Caller) -> Result<Option<Problem>, Problem> {
    let (known, asked) = known(caller).await?;
    let all = caller.engine().store().access().approvals(KNOWN_LOOK_MAX).await?;
    let found =
        all.iter().map(|approval| (approval.no, said(approval))).find(|(_, said)| said[KNOWN] == known);
    match found {
        Some((no, said)) if said[ASKED] == asked => Ok(Some(waits(no))),
        Some(_) => Err(Problem::of("idempotency_key_reused")),
        None => Ok(None),
    }
}

/// Asks a second person; what the one who asks is told.
pub(super) async fn ask(
    caller: &Caller,
    adjustment: &Adjustment,
    limits: &Limits,
) -> Result<Problem, Problem> {
    let (known, asked) = known(caller).await?;
    let mut request = adjustment.request();
    request[KNOWN] = known.into();
    request[ASKED] = asked.into();
    // One after the other: of those that come at once under one key the first asks.
    let _turn = caller.api.asking.lock().await;
    if let Some(waits) = before(caller).await? {
        return Ok(waits);
    }
    let store = caller.engine().store();
    let no = approvals::ask(store.as_ref(), &caller.grant, Operation::PointsAdjust, &request, limits).await?;
    Ok(waits(no))
}

fn waits(no: i64) -> Problem {
    Problem::of("approval_asked").approval(no).says(format!("request {no} waits for a second person"))
}

/// A request by its number.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Numbered {
    /// Its number.
    #[schemars(regex(pattern = "^[0-9]{1,18}$"))]
    no: String,
}

impl Numbered {
    fn number(&self) -> Result<i64, Problem> {
        self.no.parse().ok().filter(|no| *no > 0).ok_or_else(|| Problem::of("approval_unknown").at("no"))
    }
}

async fn member_of(caller: &Caller, approval: &Approval) -> Result<MemberId, Problem> {
    let asked = Adjustment::asked(approval).ok_or_else(|| Problem::of("approval_unknown").at("no"))?;
    Ok(caller.member(&Whom::Id(asked.member), "member").await?.member.id)
}

async fn approve(caller: Caller, asked: Numbered) -> Result<CommandDone, Problem> {
    let (no, store) = (asked.number()?, caller.engine().store());
    let unknown = || Problem::of("approval_unknown").at("no");
    let approval = store.access().approval(no).await?.ok_or_else(unknown)?;
    member_of(&caller, &approval).await?;
    let approval = match approvals::approve(store.as_ref(), &caller.grant, no).await {
        Ok(approval) => approval,
        // Whoever approved it may say so again: it may not have been carried out, and is so once.
        Err(EngineError::Approval(ApprovalProblem::Answered(_)))
            if approval
                .answer
                .as_ref()
                .is_some_and(|answer| answer.approved && answer.by == caller.grant.who) =>
        {
            approval
        }
        Err(error) => return Err(error.into()),
    };
    let answer = caller.engine().carry_out((&caller.grant, &caller.filter), &approval).await??;
    caller.answered(answer).await
}

async fn refuse(caller: Caller, asked: Numbered) -> Result<Request, Problem> {
    let (no, store) = (asked.number()?, caller.engine().store());
    let unknown = || Problem::of("approval_unknown").at("no");
    let approval = store.access().approval(no).await?.ok_or_else(unknown)?;
    member_of(&caller, &approval).await?;
    Ok(approvals::refuse(store.as_ref(), &caller.grant, no).await?.into())
}
