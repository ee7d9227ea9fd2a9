//! Points that are given or taken by hand: at once, or once a second person approved it.

use serde_json::{Value, json};
use zhiyin_model::event::{Identifier, Refusal, names};
use zhiyin_model::id::MemberId;
use zhiyin_model::role::{Filter, Grant, Operation};
use zhiyin_store::access::Approval;

use crate::boxed;
use crate::command::{Act, Answer, Asker, Whom};
use crate::{Engine, Result};

/// Under which key's name approved commands are known; keys of programs are hexadecimal digits.
const APPROVED: &str = "approval";
/// What a request for a second person calls it.
const ADJUST: &str = "points/adjust";

/// What is asked of a second person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// Whose points.
    pub member: MemberId,
    /// How many are given, or below zero taken.
    pub amount: i64,
    /// Why.
    pub reason: String,
    /// Who of the staff asks.
    pub staff: Option<String>,
}

impl Adjustment {
    /// As the request keeps it.
    pub fn request(&self) -> Value {
        json!({
            "command": ADJUST,
            "member": self.member.to_string(),
            "amount": self.amount,
            "reason": self.reason,
            "staff": self.staff,
        })
    }

    /// What a request asks for; nothing, where it is of something else.
    pub fn asked(approval: &Approval) -> Option<Self> {
        let request: Value = serde_json::from_str(&approval.request).ok()?;
        if request["command"] != ADJUST {
            return None;
        }
        Some(Self {
            member: request["member"].as_str().and_then(MemberId::from_hex)?,
            amount: request["amount"].as_i64()?,
            reason: request["reason"].as_str()?.to_owned(),
            staff: request["staff"].as_str().map(str::to_owned),
        })
    }

    /// What it is to the pipeline; the member bears this name.
    pub fn act(&self, name: Identifier) -> Act {
        let mut act = Act::new(Operation::PointsAdjust, names::POINTS_ADJUSTED, vec![name]);
        act.properties.insert("amount".to_owned(), self.amount.into());
        act.properties.insert("reason".to_owned(), self.reason.as_str().into());
        if let Some(staff) = &self.staff {
            act.properties.insert("staff".to_owned(), staff.as_str().into());
        }
        act.noted = json!({"amount": self.amount});
        act
    }
}

impl Engine {
    /// Does what was approved, once however often it is said, as far as the filter reaches.
    #[boxed]
    pub async fn carry_out(
        &self,
        (by, filter): (&Grant, &Filter),
        approval: &Approval,
    ) -> Result<std::result::Result<Answer, Refusal>> {
        let number = approval.no.to_string();
        let (key, idempotency_key, request) = (APPROVED, number.as_str(), approval.request.as_str());
        let asker = Asker { grant: by, filter, key, idempotency_key, request };
        if let Some(before) = self.command_before(&asker).await? {
            return Ok(Ok(before));
        }
        let field = "member";
        let Some(adjustment) = Adjustment::asked(approval) else {
            return Ok(Err(Refusal::new("approval_request", "no", "this request asks for nothing known")));
        };
        let member = match self.reachable(filter, &Whom::Id(adjustment.member), field).await? {
            Ok(stored) => stored.member.id,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(match self.name_of(&Whom::Id(member), member, field).await? {
            Ok(name) => Ok(self.command(&asker, &adjustment.act(name), Some(member)).await?),
            Err(refusal) => Err(refusal),
        })
    }
}
