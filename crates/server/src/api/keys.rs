//! Keys: made, listed, rotated, revoked.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::keys::{self, Chance, NewKey, Secret};
use zhiyin_model::role::{Operation, Role};
use zhiyin_model::time::Ts;
use zhiyin_store::access::Key;

use super::caller::Caller;
use super::endpoint::Endpoint;
use crate::api::input::Nothing;
use crate::problem::Problem;

const REFUSALS: &[&str] = &[
    "key_without_place",
    "key_without_staff",
    "key_bad_text",
    "key_in_the_past",
    "key_of_nothing",
    "key_beyond",
    "key_ended",
    "key_kept_too_long",
    "bad_role",
    "bad_timestamp",
];

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("keys_list", "/v1/keys", Operation::KeysManage, list).says(
            "List keys",
            "密钥列表",
            "All keys, ended ones too; never their secrets, which are kept nowhere.",
        ),
        Endpoint::change(Method::POST, "keys_make", "/v1/keys", Operation::KeysManage, make)
            .says("Make a key", "创建密钥", "Its secret is in the answer, this once.")
            .refuses(REFUSALS)
            .example(json!({"role": "cashier", "place": "330", "name": "till 7"})),
        Endpoint::change(Method::POST, "keys_rotate", "/v1/keys/{id}/rotate", Operation::KeysManage, rotate)
            .says(
                "Rotate a key",
                "轮换密钥",
                "Makes a key of the same kind and ends the old one, at once or some hours later.",
            )
            .refuses(REFUSALS)
            .example(json!({"id": "0123456789abcdef", "keep_old_hours": 24})),
        Endpoint::change(Method::POST, "keys_revoke", "/v1/keys/{id}/revoke", Operation::KeysManage, revoke)
            .says("Revoke a key", "吊销密钥", "It is refused from now on, in every process.")
            .refuses(REFUSALS)
            .example(json!({"id": "0123456789abcdef"})),
    ]
}

/// A key, without its secret.
#[derive(Serialize, JsonSchema)]
struct KeyView {
    /// By what it is found and named.
    id: String,
    /// As what it acts.
    role: &'static str,
    /// Where.
    place: Option<String>,
    /// For whom of the staff.
    staff: Option<String>,
    /// What people call it.
    name: String,
    /// To which operations it is narrowed; all of the role's where it is null.
    only: Option<Vec<&'static str>>,
    /// When it was made.
    made_at: String,
    /// By whom.
    made_by: String,
    /// From when on it is refused.
    expires_at: Option<String>,
    /// When it was revoked.
    revoked_at: Option<String>,
}

impl From<Key> for KeyView {
    fn from(key: Key) -> Self {
        Self {
            id: key.id,
            role: key.role.name(),
            place: key.place,
            staff: key.staff,
            name: key.name,
            only: key.scopes.map(|scopes| scopes.iter().map(|scope| scope.name()).collect()),
            made_at: key.made_at.rfc3339(),
            made_by: key.made_by,
            expires_at: key.expires_at.map(Ts::rfc3339),
            revoked_at: key.revoked_at.map(Ts::rfc3339),
        }
    }
}

/// Keys.
#[derive(Serialize, JsonSchema)]
struct Keys {
    /// The oldest first.
    items: Vec<KeyView>,
}

async fn list(caller: Caller, _: Nothing) -> Result<Keys, Problem> {
    let keys = caller.engine().store().access().keys().await?;
    Ok(Keys { items: keys.into_iter().map(KeyView::from).collect() })
}

/// A key that is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// `owner`, `marketer`, `analyst`, `store_manager`, `advisor`, `cashier`, or `public` for one that lies open in a page.
    role: String,
    /// The code of the place to which it is bound, where its role is.
    #[schemars(length(max = 100))]
    place: Option<String>,
    /// The code of the person of the staff to whom it is bound, where its role is.
    #[schemars(length(max = 100))]
    staff: Option<String>,
    /// What people call it.
    #[serde(default)]
    #[schemars(length(max = 100))]
    name: String,
    /// To which operations it is narrowed.
    #[schemars(length(min = 1, max = 50))]
    only: Option<Vec<String>>,
    /// From when on it is refused, as RFC 3339.
    expires_at: Option<String>,
}

/// A key and its secret.
#[derive(Serialize, JsonSchema)]
struct Made {
    /// The key.
    key: KeyView,
    /// Its secret: shown this once, and kept nowhere.
    secret: String,
}

impl Made {
    fn of((key, secret): (Key, Secret)) -> Self {
        Self { key: key.into(), secret: secret.reveal().to_owned() }
    }
}

fn chance() -> Result<Chance, Problem> {
    let mut chance = [0; 40];
    getrandom::fill(&mut chance).map_err(|error| {
        tracing::error!(%error, "no randomness");
        Problem::of("reading_failed")
    })?;
    Ok(chance)
}

async fn make(caller: Caller, asked: Wanted) -> Result<Made, Problem> {
    let role = Role::named(&asked.role);
    let role =
        role.ok_or_else(|| Problem::of("bad_role").at("role").says("there is no such role".to_owned()))?;
    let named = |name: &String| {
        let unknown = || Problem::of("key_of_nothing").at("only").says(format!("{name:?} is no operation"));
        Operation::named(name).ok_or_else(unknown)
    };
    let scopes = asked.only.map(|only| only.iter().map(named).collect::<Result<_, _>>()).transpose()?;
    let expires_at = asked
        .expires_at
        .map(|text| Ts::parse(text.trim()).ok_or_else(|| Problem::of("bad_timestamp").at("expires_at")));
    let new = NewKey {
        role,
        place: asked.place,
        staff: asked.staff,
        name: asked.name,
        scopes,
        expires_at: expires_at.transpose()?,
    };
    let store = caller.engine().store();
    Ok(Made::of(keys::make(store.as_ref(), &caller.grant, new, &chance()?).await?))
}

/// A key to rotate.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rotate {
    /// Its id.
    id: String,
    /// For how many hours the old one goes on; 0 ends it at once.
    #[serde(default)]
    #[schemars(range(max = 2160))]
    keep_old_hours: u32,
}

async fn rotate(caller: Caller, asked: Rotate) -> Result<Made, Problem> {
    let store = caller.engine().store();
    let made =
        keys::rotate(store.as_ref(), &caller.grant, &asked.id, asked.keep_old_hours, &chance()?).await?;
    Ok(Made::of(made))
}

/// A key by its id.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// Its id.
    id: String,
}

/// A key that ended.
#[derive(Serialize, JsonSchema)]
struct Revoked {
    /// Its id.
    revoked: String,
}

async fn revoke(caller: Caller, asked: Named) -> Result<Revoked, Problem> {
    keys::revoke(caller.engine().store().as_ref(), &caller.grant, &asked.id).await?;
    Ok(Revoked { revoked: asked.id })
}
