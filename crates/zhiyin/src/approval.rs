//! `zhiyin approval list | approve | refuse`: what waits for a second person. Points that are approved are given or taken at once; what whoever
//! serves the home does in rounds of its own (money, posts, hand-overs, issues) is done there.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::sync::oneshot;
use zhiyin_engine::adjustments::Adjustment;
use zhiyin_engine::command::Answer;
use zhiyin_engine::{Engine, approvals, clock};
use zhiyin_model::role::Grant;
use zhiyin_model::time::Ts;
use zhiyin_store::access::Approval;

use crate::arguments::{ApprovalAction, Format, Place};
use crate::report::print;
use crate::say::say;
use crate::who;

/// How many are decided at once while an approval is carried out.
const BATCH: usize = 512;

/// Does with requests what was asked.
pub async fn approval(place: &Place, action: ApprovalAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let (store, by) = (engine.store().as_ref(), who::system());
    match action {
        ApprovalAction::List { limit, format } => {
            list(&store.access().approvals(limit as usize).await?, format)?
        }
        ApprovalAction::Approve { number } => return approve(&engine, &by, number).await,
        ApprovalAction::Refuse { number } => {
            approvals::refuse(store, &by, number).await?;
            say!("request {number} is refused");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What requests are of that are done elsewhere than here, by their commands: what they are called, and when they are done.
const ELSEWHERE: [(&str, &str, &str); 4] = [
    ("payouts", "money for a member", "it is sent by whoever serves this home, in the next round"),
    ("posts", "a post of staff", "it is begun by whoever serves this home, in the next round"),
    ("transfers", "a hand-over of customers", "it is begun by whoever serves this home, in the next round"),
    (
        "coupons/issue",
        "coupons for many",
        "they are issued when their batch is asked for again, or a server of this home starts",
    ),
];

/// What a request says.
fn said(approval: &Approval) -> Value {
    serde_json::from_str(&approval.request).unwrap_or_default()
}

/// Approves a request and has it done. One that was approved before and not carried out is carried out now: it is done once.
async fn approve(engine: &Engine, by: &Grant, number: i64) -> Result<ExitCode> {
    let store = engine.store().as_ref();
    let was = store.access().approval(number).await?;
    // What it is of is looked at before anybody says yes to it.
    if let Some(was) = was.as_ref().filter(|was| Adjustment::asked(was).is_none()) {
        let command = said(was)["command"].as_str().unwrap_or_default().to_owned();
        let Some((_, what, when)) = ELSEWHERE.iter().find(|(name, ..)| *name == command) else {
            bail!("request {number} is not approved: it asks for nothing that is known here ({command:?})")
        };
        if was.answer.as_ref().is_some_and(|answer| answer.approved) {
            say!("request {number} ({what}) was approved before: {when}");
        } else {
            approvals::approve(store, by, number).await?;
            say!("request {number} ({what}) is approved: {when}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let approval = match was.filter(|was| was.answer.as_ref().is_some_and(|answer| answer.approved)) {
        Some(approved) => approved,
        None => approvals::approve(store, by, number).await?,
    };
    let filter = engine.filter(by, approval.operation).await?;
    // Whether or not somebody serves this home, it is decided.
    let (stop, stopped) = oneshot::channel::<()>();
    let carried = async {
        let answer = engine.carry_out((by, &filter), &approval).await;
        drop(stop);
        answer
    };
    let (answer, decided) = tokio::join!(carried, engine.run(BATCH, async { drop(stopped.await) }));
    let answer = answer?;
    decided.context("it is approved, and was not decided")?;
    match answer {
        Ok(Answer::Done(done)) if done.again => say!("request {number} was approved and done before"),
        Ok(Answer::Done(done)) => say!("request {number} is approved and done for member {}", done.member),
        Ok(Answer::StillDeciding) => say!("request {number} is approved and will be done"),
        Ok(Answer::Refused(refused)) => {
            bail!("request {number} is approved, and cannot be done: {}: {}", refused.code, refused.message)
        }
        Err(refusal) => bail!("request {number} is approved, and cannot be done: {refusal}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// How a request stands.
fn state(approval: &Approval, now: Ts) -> &'static str {
    match &approval.answer {
        Some(answer) if answer.approved => "approved",
        Some(_) => "refused",
        None if approval.answer_by < now => "late",
        None => "open",
    }
}

fn list(all: &[Approval], format: Format) -> Result<()> {
    let now = clock::wall();
    let row = |approval: &Approval| {
        let said = said(approval);
        // Points of a member, or money for one in minor units.
        let told = |names: [&str; 2]| match names.map(|name| &said[name]) {
            [Value::String(text), _] | [_, Value::String(text)] => text.clone(),
            [Value::Number(number), _] | [_, Value::Number(number)] => number.to_string(),
            _ => String::new(),
        };
        let (member, amount) = match said["command"].as_str() {
            Some("transfers") => (String::new(), String::new()),
            _ => (told(["member", "to"]), told(["amount", "amount_minor"])),
        };
        vec![
            approval.no.to_string(),
            state(approval, now).to_owned(),
            approval.operation.name().to_owned(),
            member,
            amount,
            told(["reason", "reason"]),
            approval.asked_by.clone(),
            approval.asked_at.rfc3339(),
            approval.answer_by.rfc3339(),
            approval.answer.as_ref().map(|answer| answer.by.clone()).unwrap_or_default(),
        ]
    };
    let columns = [
        "request",
        "state",
        "operation",
        "member",
        "amount",
        "reason",
        "asked_by",
        "asked",
        "answer_by",
        "answered_by",
    ];
    print(&columns.map(str::to_owned), &all.iter().map(row).collect::<Vec<_>>(), format)
}
