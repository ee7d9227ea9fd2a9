//! Who is whom, as a person at a desk says it: two who are one, one who was two, one who is to be forgotten.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::accept::Ties;
use zhiyin_engine::audit::{Target, detail};
use zhiyin_engine::command::{Act, Whom};
use zhiyin_engine::persons::Half;
use zhiyin_engine::{EngineError, erase};
use zhiyin_model::event::{Identifier, names};
use zhiyin_model::role::Operation;

use super::{Caller, CommandDone, Endpoint, IdentifierRef, MemberRef, REASON_CHARS_MAX, reason};
use crate::problem::Problem;

/// The most members, or identifiers, at once.
const MAX: usize = zhiyin_engine::persons::IDENTIFIERS_MAX;

const REFUSALS: &[&str] = &[
    "member_unknown",
    "bad_identifier",
    "identifier_blocked",
    "phone_malformed",
    "email_malformed",
    "bad_text",
    "reason_missing",
    "too_many_identifiers",
    "merged_already",
    "merged_again",
    "not_one_member",
    "home_not_sealed",
    "erased",
];

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let one = json!({"namespace": "phone", "value": "13912345678"});
    let other = json!({"namespace": "card", "value": "6001000234"});
    vec![
        Endpoint::command("members_merge", "/v1/commands/members/merge", Operation::MemberMerge, merge)
            .says(
                "Merge members",
                "合并会员",
                "They are one person: the first is who they all are. What the others were and had becomes theirs.",
            )
            .refuses(REFUSALS)
            .example(json!({"members": [one, other], "reason": "same person at the desk"})),
        Endpoint::command("members_unmerge", "/v1/commands/members/unmerge", Operation::MemberUnmerge, unmerge)
            .says(
                "Unmerge a member",
                "拆分会员",
                "A member was two people: these identifiers are another's, with their events, orders and points. Preview it first.",
            )
            .refuses(REFUSALS)
            .example(json!({"identifiers": [other], "reason": "a shared card"})),
        Endpoint::change(
            axum::http::Method::POST,
            "members_unmerge_preview",
            "/v1/commands/members/unmerge/preview",
            Operation::MemberUnmerge,
            preview,
        )
        .says("Preview unmerging", "预览拆分", "What would become of both. Nothing is changed.")
        .refuses(REFUSALS)
        .example(json!({"identifiers": [other]})),
        Endpoint::change(
            axum::http::Method::POST,
            "members_erase",
            "/v1/commands/members/erase",
            Operation::MemberErase,
            erase_member,
        )
        .says(
            "Erase a member",
            "删除个人信息",
            "Destroys the keys of what is personal, for good, in backups too; the ledger's sums stay. Only in a sealed home.",
        )
        .refuses(REFUSALS)
        .example(json!({"member": one, "reason": "asked for it"})),
    ]
}

/// Members who are one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Merge {
    /// Two or more; the first is who they all are.
    #[schemars(length(min = 2, max = MAX))]
    members: Vec<MemberRef>,
    /// Why.
    #[schemars(length(min = 1, max = REASON_CHARS_MAX))]
    reason: String,
}

async fn merge(caller: Arc<Caller>, asked: Merge) -> Result<CommandDone, Problem> {
    let reason = reason(&asked.reason)?;
    if asked.members.len() < 2 || asked.members.len() > MAX {
        return Err(Problem::of("too_many_identifiers").at("members").says(format!("2 to {MAX} members")));
    }
    let (mut members, mut named) = (Vec::new(), Vec::new());
    for (n, one) in asked.members.iter().enumerate() {
        let (member, name) = caller.named(one, &format!("members[{n}]")).await?;
        members.push(member);
        named.push(name);
    }
    let mut act = Act::new(Operation::MemberMerge, names::MEMBERS_MERGE_ASKED, named);
    act.ties = Ties::Insist;
    act.properties.insert("reason".to_owned(), reason.into());
    act.noted = json!({"members": members.len()});
    if members.iter().all(|member| *member == members[0]) {
        return Err(Problem::of("merged_already").at("members"));
    }
    caller.done(&act, members.first().copied()).await
}

/// Identifiers that are somebody else's.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Unmerge {
    /// All of one member, who keeps the rest.
    #[schemars(length(min = 1, max = MAX))]
    identifiers: Vec<IdentifierRef>,
    /// Why.
    #[schemars(length(min = 1, max = REASON_CHARS_MAX))]
    reason: String,
}

impl Caller {
    /// These identifiers, each of a member within reach.
    async fn reached(&self, said: &[IdentifierRef]) -> Result<Vec<Identifier>, Problem> {
        if said.is_empty() || said.len() > MAX {
            return Err(Problem::of("too_many_identifiers").at("identifiers").says(format!("1 to {MAX}")));
        }
        let identifiers: Vec<Identifier> = said.iter().map(IdentifierRef::identifier).collect();
        for (n, identifier) in identifiers.iter().enumerate() {
            self.member(&Whom::Named(identifier.clone()), &format!("identifiers[{n}]")).await?;
        }
        Ok(identifiers)
    }
}

async fn unmerge(caller: Arc<Caller>, asked: Unmerge) -> Result<CommandDone, Problem> {
    let reason = reason(&asked.reason)?;
    let identifiers = caller.reached(&asked.identifiers).await?;
    let members = caller.engine().bearers(&identifiers, "identifiers").await??;
    if members.len() != 1 {
        return Err(Problem::of("not_one_member").at("identifiers"));
    }
    let mut act = Act::new(Operation::MemberUnmerge, names::MEMBERS_UNMERGED, identifiers);
    act.ties = Ties::Insist;
    act.properties.insert("reason".to_owned(), reason.into());
    act.noted = json!({"identifiers": act.names.len()});
    caller.done(&act, members.first().copied()).await
}

/// Identifiers that might be somebody else's.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Preview {
    /// All of one member, who would keep the rest.
    #[schemars(length(min = 1, max = MAX))]
    identifiers: Vec<IdentifierRef>,
}

/// What would become of one of two people.
#[derive(Serialize, JsonSchema)]
struct HalfOf {
    /// Events of theirs, derived ones included.
    events: usize,
    /// Their orders.
    orders: usize,
    /// Points that can be spent or will be, less debt.
    points: i64,
    /// What they would owe.
    debt: i64,
    /// Growth.
    growth: i64,
    /// Their tier.
    tier: Option<String>,
    /// Their stage.
    stage: Option<String>,
}

impl From<Half> for HalfOf {
    fn from(half: Half) -> Self {
        Self {
            events: half.events,
            orders: half.orders,
            points: half.points,
            debt: half.debt,
            growth: half.growth,
            tier: half.tier,
            stage: half.stage,
        }
    }
}

/// Both of them.
#[derive(Serialize, JsonSchema)]
struct Halves {
    /// Who keeps the rest.
    stays: HalfOf,
    /// Who leaves with these identifiers.
    leaves: HalfOf,
}

async fn preview(caller: Caller, asked: Preview) -> Result<Halves, Problem> {
    let identifiers = caller.reached(&asked.identifiers).await?;
    let [stays, leaves] = caller.engine().unmerge_preview(&identifiers).await??;
    Ok(Halves { stays: stays.into(), leaves: leaves.into() })
}

/// Whom to forget.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Erase {
    /// Who it is.
    member: MemberRef,
    /// Why; it stays, so it names nobody.
    #[schemars(length(min = 1, max = REASON_CHARS_MAX))]
    reason: String,
}

/// Somebody who was forgotten.
#[derive(Serialize, JsonSchema)]
struct Erased {
    /// Their id, which stays with the sums of the ledger.
    member: String,
}

async fn erase_member(caller: Caller, asked: Erase) -> Result<Erased, Problem> {
    let reason = super::text("reason", &reason(&asked.reason)?, erase::REASON_CHARS_MAX)?;
    let member = caller.member(&asked.member.whom("member")?, "member").await?.member.id;
    let engine = caller.engine();
    let target = Target::member(&engine.home().await?.id_key, member);
    let on = (Operation::MemberErase, &target);
    let deed = engine.erase(member, &reason);
    engine.audited::<(), EngineError>(&caller.grant, on, &detail(json!({})), deed).await?;
    Ok(Erased { member: member.to_string() })
}
