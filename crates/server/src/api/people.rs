//! People who sign in: made, listed, changed, removed.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::clock;
use zhiyin_engine::sign_in::{LANGUAGES, NewPerson, PersonEdit};
use zhiyin_model::role::{Operation, Role};
use zhiyin_store::access::people::Person;

use super::caller::Caller;
use super::endpoint::Endpoint;
use super::input::Nothing;
use crate::problem::Problem;

const REFUSALS: &[&str] = &[
    "bad_person_name",
    "person_name_taken",
    "person_staff_taken",
    "person_without_place",
    "person_without_staff",
    "person_bad_text",
    "person_unknown",
    "person_changed",
    "last_owner",
    "password_length",
    "password_common",
    "bad_language",
    "bad_role",
    "key_beyond",
    "too_many_attempts",
];

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let needs = Operation::KeysManage;
    vec![
        Endpoint::get("people_list", "/v1/people", needs, list).says(
            "List people who sign in",
            "登录人员列表",
            "Everybody who can sign in, or could once they have a password.",
        ),
        Endpoint::change(Method::POST, "people_add", "/v1/people", needs, add)
            .says("Add somebody who signs in", "添加登录人员", "What they may is what a key of their role may.")
            .refuses(REFUSALS)
            .example(json!({"name": "王芳", "role": "store_manager", "place": "330", "password": "kestrel over oak"})),
        Endpoint::change(Method::PATCH, "people_change", "/v1/people/{id}", needs, change)
            .says(
                "Change as what somebody acts",
                "修改人员角色",
                "Role, place and staff, whole. Their sessions end.",
            )
            .refuses(REFUSALS)
            .example(json!({"id": "0123456789abcdef", "role": "analyst"})),
        Endpoint::change(Method::POST, "people_password", "/v1/people/{id}/password", needs, reset)
            .says("Give somebody a password", "重置密码", "Their sessions end.")
            .refuses(REFUSALS)
            .example(json!({"id": "0123456789abcdef", "password": "heron under willow", "without_codes": true})),
        Endpoint::change(Method::DELETE, "people_remove", "/v1/people/{id}", needs, remove)
            .says(
                "Remove somebody",
                "移除人员",
                "Their sessions end, and nobody else gets their name: the audit log knows them by it.",
            )
            .refuses(REFUSALS)
            .example(json!({"id": "0123456789abcdef"})),
    ]
}

/// Somebody who signs in.
#[derive(Serialize, JsonSchema)]
struct PersonView {
    /// 16 hexadecimal digits.
    id: String,
    /// By what they sign in.
    name: String,
    /// As what they act.
    role: &'static str,
    /// The code of the place that they are bound to.
    place: Option<String>,
    /// Their code among the staff.
    staff: Option<String>,
    /// In which language they read.
    language: String,
    /// Whether they have a password: without one they cannot sign in.
    password: bool,
    /// Whether codes are asked of them.
    totp: bool,
    /// Whether they came in by the brand's provider of sign-in.
    oidc: bool,
    /// When they were made.
    made_at: String,
    /// By whom.
    made_by: String,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        let is = person.is;
        Self {
            id: person.id,
            name: is.name,
            role: is.role.name(),
            place: is.place,
            staff: is.staff,
            language: is.language,
            password: is.password.is_some(),
            totp: is.codes.is_some(),
            oidc: is.elsewhere.is_some(),
            made_at: is.made_at.rfc3339(),
            made_by: is.made_by,
        }
    }
}

/// People.
#[derive(Serialize, JsonSchema)]
struct PeopleView {
    /// By name.
    items: Vec<PersonView>,
}

async fn list(caller: Caller, _: Nothing) -> Result<PeopleView, Problem> {
    let all = caller.api.sign_in.everybody().await?;
    Ok(PeopleView { items: all.into_iter().map(PersonView::from).collect() })
}

/// Somebody who is to sign in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewOne {
    /// By what they sign in: an e-mail address, or another name of 254 bytes at most.
    #[schemars(length(min = 1, max = 254))]
    name: String,
    /// `owner`, `marketer`, `analyst`, `store_manager`, `advisor` or `cashier`.
    role: String,
    /// The code of the place to which they are bound, where their role is.
    #[schemars(length(max = 100))]
    place: Option<String>,
    /// Their code among the staff, where their role is bound to one.
    #[schemars(length(max = 100))]
    staff: Option<String>,
    /// In which language they read: `zh-CN` (where it is not said), `en`.
    language: Option<String>,
    /// Their first password; without one they cannot sign in until they are given one.
    #[schemars(length(min = 10, max = 256))]
    password: Option<String>,
}

fn role_of(name: &str) -> Result<Role, Problem> {
    let unknown = || Problem::of("bad_role").at("role").says("there is no such role".to_owned());
    Role::named(name).ok_or_else(unknown)
}

async fn add(caller: Caller, asked: NewOne) -> Result<PersonView, Problem> {
    let NewOne { name, role, place, staff, language, password } = asked;
    let language = language.unwrap_or_else(|| LANGUAGES[0].to_owned());
    let new = NewPerson { name, role: role_of(&role)?, place, staff, language, password };
    Ok(caller.api.sign_in.add(&caller.grant, &new, clock::wall()).await?.into())
}

/// What somebody is from now on.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Edited {
    /// Their id.
    id: String,
    /// As what they act.
    role: String,
    /// The code of the place to which they are bound.
    #[schemars(length(max = 100))]
    place: Option<String>,
    /// Their code among the staff.
    #[schemars(length(max = 100))]
    staff: Option<String>,
    /// Whether who they are at the provider of sign-in is forgotten: whoever bears their name there next is them.
    #[serde(default)]
    unlink: bool,
}

async fn change(caller: Caller, asked: Edited) -> Result<PersonView, Problem> {
    let Edited { id, role, place, staff, unlink } = asked;
    let edit = PersonEdit { role: role_of(&role)?, place, staff, unlink };
    Ok(caller.api.sign_in.edit(&caller.grant, &id, &edit, clock::wall()).await?.into())
}

/// A password for somebody.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Given {
    /// Their id.
    id: String,
    /// Their password from now on.
    #[schemars(length(min = 10, max = 256))]
    password: String,
    /// Whether codes are not asked of them any more: for whoever lost their app.
    #[serde(default)]
    without_codes: bool,
}

async fn reset(caller: Caller, asked: Given) -> Result<PersonView, Problem> {
    let who = (asked.id.as_str(), asked.password.as_str());
    Ok(caller.api.sign_in.reset(&caller.grant, who, asked.without_codes, clock::wall()).await?.into())
}

/// Somebody by their id.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// Their id.
    id: String,
}

async fn remove(caller: Caller, asked: Named) -> Result<PersonView, Problem> {
    let removed = caller.api.sign_in.remove(&caller.grant, &asked.id, clock::wall()).await?;
    caller.engine().forget_views(&format!("person-{}", removed.id)).await?;
    Ok(removed.into())
}
