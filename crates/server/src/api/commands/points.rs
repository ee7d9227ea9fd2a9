//! Points at the till and at the desk: spend, hold, post, void, return, adjust.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use zhiyin_engine::adjustments::Adjustment;
use zhiyin_engine::command::Act;
use zhiyin_model::event::names;
use zhiyin_model::role::{Operation, second_person};

use super::{Caller, CommandDone, Endpoint, MemberRef, REASON_CHARS_MAX, approvals, reason, text};
use crate::problem::Problem;

/// What any may be refused with.
macro_rules! refusals {
    ($($more:literal),*) => {
        &["member_unknown", "bad_identifier", "identifier_blocked", "phone_malformed", "email_malformed", "bad_text",
          "text_too_long", "outside_scope", "bad_amount", "amount_too_large", "before_takeover", "erased", $($more),*]
    };
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let member = json!({"namespace": "phone", "value": "13912345678"});
    let hold = "0123456789abcdef0123456789abcdef";
    vec![
        Endpoint::command("points_spend", "/v1/commands/points/spend", Operation::PointsSpend, spend)
            .says(
                "Spend points",
                "消费积分",
                "Takes points, those first that expire first; or holds them (`hold`), to be posted or voided later.",
            )
            .refuses(refusals!("insufficient_points"))
            .example(json!({"member": member, "amount": 100, "store": "330", "reference": "till-7/000123"})),
        Endpoint::command("points_post", "/v1/commands/points/post", Operation::PointsSpend, post)
            .says("Post a hold", "扣除冻结积分", "A hold becomes a spend, whole or in part; the rest is released.")
            .refuses(refusals!("hold_unknown", "hold_closed", "post_exceeds_hold", "bad_reference", "insufficient_points"))
            .example(json!({"member": member, "hold_id": hold})),
        Endpoint::command("points_void", "/v1/commands/points/void", Operation::PointsSpend, void)
            .says("Void a hold", "释放冻结积分", "A hold is released: nothing is spent.")
            .refuses(refusals!("hold_unknown", "hold_closed", "bad_reference"))
            .example(json!({"member": member, "hold_id": hold})),
        Endpoint::command("points_return", "/v1/commands/points/return", Operation::PointsReturn, give_back)
            .says(
                "Return spent points",
                "退还积分",
                "A spend comes back, whole or in part, into the very lots it came from; what has expired since stays expired.",
            )
            .refuses(refusals!("spend_unknown", "return_exceeds_spend", "bad_reference"))
            .example(json!({"member": member, "spend_id": hold, "amount": 50})),
        Endpoint::command("points_adjust", "/v1/commands/points/adjust", Operation::PointsAdjust, adjust)
            .says(
                "Adjust points",
                "调整积分",
                "Gives (above zero) or takes (below zero) points, with a reason. Above the limit of one person it is answered \
                 `202` with the number of a request for a second person.",
            )
            .refuses(refusals!("insufficient_points", "reason_missing", "approval_asked", "approval_request"))
            .example(json!({"member": member, "amount": -20, "reason": "counted twice"})),
    ]
}

/// A spend.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Spend {
    /// Whose.
    member: MemberRef,
    /// How many points; a whole number above zero.
    #[schemars(range(min = 1))]
    amount: i64,
    /// Holds them instead: a promise that is posted or voided later.
    #[serde(default)]
    hold: bool,
    /// The code of the store where it is done; where the key is, if it says nothing.
    store: Option<String>,
    /// The code of who does it, where the key names nobody.
    staff: Option<String>,
    /// Your own reference, such as the number of a receipt.
    #[schemars(length(max = 255))]
    reference: Option<String>,
}

async fn spend(caller: Arc<Caller>, asked: Spend) -> Result<CommandDone, Problem> {
    let (member, name) = caller.named(&asked.member, "member").await?;
    let mut act = Act::new(Operation::PointsSpend, names::POINTS_SPENT, vec![name]);
    act.properties.insert("amount".to_owned(), asked.amount.into());
    if asked.hold {
        act.properties.insert("hold".to_owned(), true.into());
    }
    at_the_till(&caller, &mut act, (asked.store, asked.staff, asked.reference))?;
    act.noted = json!({"amount": asked.amount, "hold": asked.hold, "store": act.store});
    caller.done(&act, Some(member)).await
}

/// Where and by whom something is done.
pub(crate) fn at_the_till(
    caller: &Caller,
    act: &mut Act,
    (store, staff, reference): (Option<String>, Option<String>, Option<String>),
) -> Result<(), Problem> {
    act.store = caller.store(store.as_deref())?;
    if let Some(staff) = caller.staff(staff.as_deref())? {
        act.properties.insert("staff".to_owned(), staff.into());
    }
    if let Some(reference) = reference {
        act.properties.insert("reference".to_owned(), text("reference", &reference, 255)?.into());
    }
    Ok(())
}

/// What is done with a hold.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Post {
    /// Whose.
    member: MemberRef,
    /// The id that the hold's transfer had.
    #[schemars(regex(pattern = "^[0-9a-f]{32}$"))]
    hold_id: String,
    /// How many of the points; all, if it says nothing.
    #[schemars(range(min = 1))]
    amount: Option<i64>,
    /// The code of the store where it is done.
    store: Option<String>,
    /// The code of who does it, where the key names nobody.
    staff: Option<String>,
}

async fn post(caller: Arc<Caller>, asked: Post) -> Result<CommandDone, Problem> {
    let (member, name) = caller.named(&asked.member, "member").await?;
    let mut act = Act::new(Operation::PointsSpend, names::POINTS_POSTED, vec![name]);
    act.properties.insert("hold_id".to_owned(), asked.hold_id.into());
    if let Some(amount) = asked.amount {
        act.properties.insert("amount".to_owned(), amount.into());
    }
    at_the_till(&caller, &mut act, (asked.store, asked.staff, None))?;
    act.noted = json!({"act": "post", "amount": asked.amount, "store": act.store});
    caller.done(&act, Some(member)).await
}

/// A hold that is released.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Void {
    /// Whose.
    member: MemberRef,
    /// The id that the hold's transfer had.
    #[schemars(regex(pattern = "^[0-9a-f]{32}$"))]
    hold_id: String,
    /// The code of the store where it is done.
    store: Option<String>,
    /// The code of who does it, where the key names nobody.
    staff: Option<String>,
}

async fn void(caller: Arc<Caller>, asked: Void) -> Result<CommandDone, Problem> {
    let (member, name) = caller.named(&asked.member, "member").await?;
    let mut act = Act::new(Operation::PointsSpend, names::POINTS_VOIDED, vec![name]);
    act.properties.insert("hold_id".to_owned(), asked.hold_id.into());
    at_the_till(&caller, &mut act, (asked.store, asked.staff, None))?;
    act.noted = json!({"act": "void", "store": act.store});
    caller.done(&act, Some(member)).await
}

/// A spend that is taken back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Return {
    /// Whose.
    member: MemberRef,
    /// The id that the spend's transfer had.
    #[schemars(regex(pattern = "^[0-9a-f]{32}$"))]
    spend_id: String,
    /// How many of the points; what is left of them, if it says nothing.
    #[schemars(range(min = 1))]
    amount: Option<i64>,
    /// The code of the store where it is done.
    store: Option<String>,
    /// The code of who does it, where the key names nobody.
    staff: Option<String>,
}

async fn give_back(caller: Arc<Caller>, asked: Return) -> Result<CommandDone, Problem> {
    let (member, name) = caller.named(&asked.member, "member").await?;
    let mut act = Act::new(Operation::PointsReturn, names::POINTS_RETURNED, vec![name]);
    act.properties.insert("spend_id".to_owned(), asked.spend_id.into());
    if let Some(amount) = asked.amount {
        act.properties.insert("amount".to_owned(), amount.into());
    }
    at_the_till(&caller, &mut act, (asked.store, asked.staff, None))?;
    act.noted = json!({"amount": asked.amount, "store": act.store});
    caller.done(&act, Some(member)).await
}

/// An adjustment.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Adjust {
    /// Whose.
    member: MemberRef,
    /// How many points are given, or below zero taken.
    amount: i64,
    /// Why; a second person reads it, so it names nobody.
    #[schemars(length(min = 1, max = REASON_CHARS_MAX))]
    reason: String,
    /// The code of who does it, where the key names nobody.
    staff: Option<String>,
}

async fn adjust(caller: Arc<Caller>, asked: Adjust) -> Result<CommandDone, Problem> {
    let reason = reason(&asked.reason)?;
    let staff = caller.staff(asked.staff.as_deref())?;
    let limits = caller.engine().alone();
    let by_two = second_person(Operation::PointsAdjust, asked.amount, &limits);
    if by_two && let Some(waits) = approvals::before(&caller).await? {
        return Err(waits);
    }
    let (member, name) = caller.named(&asked.member, "member").await?;
    let adjustment = Adjustment { member, amount: asked.amount, reason, staff };
    if by_two {
        return Err(approvals::ask(&caller, &adjustment, &limits).await?);
    }
    caller.done(&adjustment.act(name), Some(member)).await
}
