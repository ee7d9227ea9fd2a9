//! One field of a member, unmasked for somebody who says why.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zhiyin_model::role::Operation;

use super::{Caller, Endpoint, MemberRef};
use crate::problem::Problem;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let member = json!({"namespace": "phone", "value": "13912345678"});
    vec![
        // Whoever may change a member's attributes and names may see one of them: it is the same trust, and asks for a reason besides.
        Endpoint::change(Method::POST, "members_unmask", "/v1/commands/members/unmask", Operation::MemberUpdate, unmask)
            .says(
                "Show one masked field of a member",
                "显示被隐去的一项资料",
                "For a reason, which the audit log says, with who asked, before it is shown; the reason names nobody, for the log is never \
                 changed. Each key or person is shown ten at once, and then one every six seconds.",
            )
            .refuses(&[
                "member_unknown", "bad_identifier", "identifier_blocked", "identifier_empty", "phone_malformed", "email_malformed",
                "bad_text", "text_too_long", "field_unknown", "reason_bad", "reason_names_somebody", "too_many_unmasked",
            ])
            .example(json!({"member": member, "field": "identifiers.phone", "reason": "顾客来电，核对收货电话"})),
    ]
}

/// What is to be shown.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Unmask {
    /// Whose.
    member: MemberRef,
    /// `name`, `identifiers.NAMESPACE` or `attributes.KEY`, as the member's answer has them.
    #[schemars(length(min = 1, max = 80))]
    field: String,
    /// Why. It stays in the audit log, so it names nobody.
    #[schemars(length(min = 4, max = 200))]
    reason: String,
}

/// What stands there.
#[derive(Serialize, JsonSchema)]
struct Unmasked {
    /// The member's id.
    member: String,
    /// Which field.
    field: String,
    /// What stands in it; of identifiers all of the namespace, in the order of the member's answer.
    values: Vec<Value>,
}

async fn unmask(caller: Caller, asked: Unmask) -> Result<Unmasked, Problem> {
    let Unmask { member, field, reason } = asked;
    caller.api.unmasked.take_named(&caller.key, "too_many_unmasked")?;
    let whom = member.whom("member")?;
    let found = caller.member(&whom, "member").await?.member.id;
    let values = caller.engine().unmask(&caller.grant, found, (&field, &reason)).await??;
    Ok(Unmasked { member: found.to_string(), field, values })
}
