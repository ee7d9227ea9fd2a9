//! What spends money waits for a second person (O5): asked, approved or refused, each with its line of the audit log.
//!
//! Whether something needs one is [`zhiyin_model::role::second_person`]. What is then done bears the number of its approval as
//! idempotency key, so that it is done once.

use serde_json::{Value, json};
use zhiyin_model::role::{Grant, Limits, Operation};
use zhiyin_model::time::{HOUR_US, Ts};
use zhiyin_store::Store;
use zhiyin_store::access::{Answer, Approval};

use crate::audit::{Outcome, Target, detail, line};
use crate::boxed;
use crate::{EngineError, Result, clock};

/// The most bytes of a request.
const REQUEST_BYTES_MAX: usize = 16 * 1024;

/// Why an answer does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalProblem {
    /// The request is too large, or no JSON object.
    #[error("request: a JSON object of at most {REQUEST_BYTES_MAX} bytes")]
    Request,
    /// There is none of this number.
    #[error("there is no request {0}")]
    Unknown(i64),
    /// Whoever asks does not answer.
    #[error("request {0} is your own: somebody else must answer it")]
    Own(i64),
    /// Who answers is a program.
    #[error("a second person answers, and this key names nobody of the staff")]
    NoPerson,
    /// It was answered before.
    #[error("request {0} was answered before")]
    Answered(i64),
    /// Its time is over.
    #[error("request {0} could be answered until {1}")]
    Late(i64, Ts),
}

impl ApprovalProblem {
    /// A name that stays, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Request => "approval_request",
            Self::Unknown(_) => "approval_unknown",
            Self::Own(_) => "approval_own",
            Self::NoPerson => "approval_no_person",
            Self::Answered(_) => "approval_answered",
            Self::Late(..) => "approval_late",
        }
    }
}

/// Asks for a second person; the number of the request. The document names people by their ids only.
#[boxed]
pub async fn ask(
    store: &dyn Store,
    by: &Grant,
    operation: Operation,
    request: &Value,
    limits: &Limits,
) -> Result<i64> {
    ask_at(store, by, operation, request, limits, clock::wall()).await
}

/// The same at an instant.
#[boxed]
pub async fn ask_at(
    store: &dyn Store,
    by: &Grant,
    operation: Operation,
    request: &Value,
    limits: &Limits,
    now: Ts,
) -> Result<i64> {
    by.may(operation)?;
    let text = request.to_string();
    if !request.is_object() || text.len() > REQUEST_BYTES_MAX {
        return Err(ApprovalProblem::Request.into());
    }
    let answer_by = now.plus_us(i64::from(limits.answer_hours) * HOUR_US);
    let more = detail(json!({"approval": "asked", "answer_by": answer_by.rfc3339()}));
    // The store says the number.
    let note = line(by, operation, &Target::code(""), Outcome::Begun, &more, now)?;
    let approval = Approval {
        no: 0,
        operation,
        request: text,
        asked_by: by.who.clone(),
        asked_at: now,
        answer_by,
        answer: None,
    };
    Ok(store.access().ask_approval(approval, note).await?)
}

/// Approves a request; what is to be done now.
#[boxed]
pub async fn approve(store: &dyn Store, by: &Grant, no: i64) -> Result<Approval> {
    answer_at(store, by, no, true, clock::wall()).await
}

/// Refuses a request.
#[boxed]
pub async fn refuse(store: &dyn Store, by: &Grant, no: i64) -> Result<Approval> {
    answer_at(store, by, no, false, clock::wall()).await
}

/// Answers a request at an instant: who answers is a person, may do the same themselves, and is not who asked. Whether what is
/// asked lies within their scope is judged by who carries it out, by the filter of its operation.
#[boxed]
pub async fn answer_at(store: &dyn Store, by: &Grant, no: i64, approved: bool, now: Ts) -> Result<Approval> {
    let unknown = || EngineError::Approval(ApprovalProblem::Unknown(no));
    let asked = store.access().approval(no).await?.ok_or_else(unknown)?;
    by.may(asked.operation)?;
    if !by.is_person() {
        return Err(ApprovalProblem::NoPerson.into());
    }
    let outcome = if approved { Outcome::Done } else { Outcome::Refused };
    let word = if approved { "approved" } else { "refused" };
    let more = detail(json!({"approval": word, "asked_by": asked.asked_by}));
    let note = line(by, asked.operation, &Target::code(no), outcome, &more, now)?;
    let answer = Answer { approved, by: by.who.clone(), at: now };
    if store.access().answer_approval(no, answer, note).await? {
        return store.access().approval(no).await?.ok_or_else(unknown);
    }
    // Somebody may have answered since it was read.
    let now_is = store.access().approval(no).await?.ok_or_else(unknown)?;
    Err(why_not(&now_is, by).into())
}

fn why_not(asked: &Approval, by: &Grant) -> ApprovalProblem {
    if asked.answer.is_some() {
        ApprovalProblem::Answered(asked.no)
    } else if asked.asked_by == by.who {
        ApprovalProblem::Own(asked.no)
    } else {
        ApprovalProblem::Late(asked.no, asked.answer_by)
    }
}
