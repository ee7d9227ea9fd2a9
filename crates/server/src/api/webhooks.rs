//! Endpoints of webhooks: made, changed, given another secret, paused, replayed, tested, and what they were sent.

use std::collections::BTreeSet;

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::clock;
use zhiyin_engine::members::NamesView;
use zhiyin_engine::webhooks::manage::{self, Chance, NewEndpoint, Patch};
use zhiyin_engine::webhooks::{Client, Secret};
use zhiyin_model::role::Operation;
use zhiyin_model::time::Ts;
use zhiyin_model::webhook::KINDS;
use zhiyin_store::webhooks::{Endpoint as Hook, Log, Message, State};

use super::caller::Caller;
use super::endpoint::Endpoint;
use super::input::Nothing;
use crate::problem::Problem;

const NEEDS: Operation = Operation::WebhooksManage;
const REFUSALS: &[&str] = &[
    "webhook_url_too_long",
    "webhook_url_unreadable",
    "webhook_url_not_encrypted",
    "webhook_url_credentials",
    "webhook_url_port",
    "webhook_url_private",
    "webhook_type_unknown",
    "webhook_description_bad",
    "webhooks_too_many",
    "webhook_unknown",
    "webhook_moved",
];
const ONE: &[&str] = &["webhook_unknown", "webhook_moved"];
/// An id as examples have it.
const ID: &str = "0123456789abcdef";

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let [all, one] = ["/v1/webhooks", "/v1/webhooks/{id}"];
    let named = || json!({"id": ID});
    vec![
        Endpoint::get("webhooks_list", all, NEEDS, list).says(
            "List webhooks",
            "回调列表",
            "All endpoints and how they fare; never their secrets, which are kept nowhere.",
        ),
        Endpoint::get("webhooks_kinds", "/v1/webhooks/kinds", NEEDS, kinds).says(
            "List what webhooks may be told of",
            "回调事件类型",
            "The kinds that `types` of a webhook may name, in the order in which they are documented.",
        ),
        Endpoint::change(Method::POST, "webhooks_make", all, NEEDS, make)
            .says("Make a webhook", "创建回调", "Its secret is in the answer, this once.")
            .refuses(REFUSALS)
            .example(json!({"url": "https://example.com/hook", "types": ["member.tier_changed"]})),
        Endpoint::get("webhooks_read", one, NEEDS, read)
            .says("Read a webhook", "查看回调", "One endpoint and how it fares.")
            .refuses(&["webhook_unknown"])
            .example(named()),
        Endpoint::change(Method::PATCH, "webhooks_change", one, NEEDS, change)
            .says("Change a webhook", "修改回调", "What is not said stays. What waits is tried at once.")
            .refuses(REFUSALS)
            .example(json!({"id": ID, "description": "warehouse"})),
        Endpoint::change(Method::DELETE, "webhooks_remove", one, NEEDS, remove)
            .says("Remove a webhook", "删除回调", "The endpoint and its messages.")
            .refuses(ONE)
            .example(named()),
        Endpoint::change(Method::POST, "webhooks_rotate", "/v1/webhooks/{id}/rotate", NEEDS, rotate)
            .says(
                "Rotate a webhook's secret",
                "轮换回调密钥",
                "The new one is in the answer, this once; the old one signs beside it for 24 hours.",
            )
            .refuses(ONE)
            .example(named()),
        Endpoint::change(Method::POST, "webhooks_pause", "/v1/webhooks/{id}/pause", NEEDS, pause)
            .says("Pause a webhook", "暂停回调", "Nothing is sent; what happens meanwhile waits.")
            .refuses(ONE)
            .example(named()),
        Endpoint::change(Method::POST, "webhooks_resume", "/v1/webhooks/{id}/resume", NEEDS, resume)
            .says("Resume a webhook", "恢复回调", "What waits is sent.")
            .refuses(ONE)
            .example(named()),
        Endpoint::change(Method::POST, "webhooks_replay", "/v1/webhooks/{id}/replay", NEEDS, replay)
            .says(
                "Replay a webhook",
                "重放回调",
                "Sends anew, under the same ids, all that happened since an instant and is kept still (30 days).",
            )
            .refuses(&["webhook_unknown", "bad_timestamp"])
            .example(json!({"id": ID, "from": "2026-01-01T00:00:00Z"})),
        Endpoint::change(Method::POST, "webhooks_test", "/v1/webhooks/{id}/test", NEEDS, test)
            .says("Test a webhook", "测试回调", "Sends a message that says nothing, now, and tells the answer.")
            .refuses(ONE)
            .example(named()),
        Endpoint::get("webhooks_messages", "/v1/webhooks/{id}/messages", NEEDS, messages)
            .says(
                "List what a webhook was sent",
                "回调消息列表",
                "The newest first, with how each stands; `next` is the `cursor` of the page after.",
            )
            .refuses(&["webhook_unknown", "bad_query", "bad_cursor"])
            .example(json!({"id": ID, "state": "failed", "limit": 20})),
    ]
}

/// An endpoint.
#[derive(Serialize, JsonSchema)]
struct HookView {
    /// By what it is named.
    id: String,
    /// Where messages go.
    url: String,
    /// Which kinds it gets; all where none is named.
    types: Vec<String>,
    /// What people call it.
    description: String,
    /// Whether messages say what members and orders are called.
    identifiers: bool,
    /// Whether it may be at a private address: that is said on the machine itself, never here.
    allow_private: bool,
    /// When it was made.
    made_at: String,
    /// By whom.
    made_by: String,
    /// Since when it is paused.
    paused_at: Option<String>,
    /// Why: `asked`, `failing`, `gone` (it answered 410) or `copied` (this home is a copy of another).
    paused_because: Option<&'static str>,
    /// Since when it has taken nothing.
    failing_since: Option<String>,
    /// Until when it rests.
    rest_until: Option<String>,
    /// How many messages wait.
    waiting: i64,
}

impl HookView {
    fn of(hook: Hook, waiting: i64) -> Self {
        let settings = hook.settings;
        Self {
            id: hook.id,
            url: settings.url,
            types: settings.types.into_iter().collect(),
            description: settings.description,
            identifiers: settings.identifiers,
            allow_private: settings.allow_private,
            made_at: hook.made_at.rfc3339(),
            made_by: settings.made_by,
            paused_at: hook.paused.map(|(at, _)| at.rfc3339()),
            paused_because: hook.paused.map(|(_, because)| because.name()),
            failing_since: hook.failing_since.map(Ts::rfc3339),
            rest_until: hook.rest_until.map(Ts::rfc3339),
            waiting,
        }
    }
}

/// Webhooks.
#[derive(Serialize, JsonSchema)]
struct Hooks {
    /// The oldest first.
    items: Vec<HookView>,
}

async fn waiting(caller: &Caller, id: &str) -> Result<i64, Problem> {
    let standing = caller.engine().store().webhooks().standing().await?;
    Ok(standing.into_iter().find(|one| one.endpoint == id).map_or(0, |one| one.waiting))
}

/// A kind of message.
#[derive(Serialize, JsonSchema)]
struct WebhookKind {
    /// Its name, which does not change.
    kind: &'static str,
    /// When it is sent.
    about: NamesView,
}

/// Kinds of messages.
#[derive(Serialize, JsonSchema)]
struct WebhookKinds {
    /// In the order in which they are documented.
    items: Vec<WebhookKind>,
}

async fn kinds(_: Caller, _: Nothing) -> Result<WebhookKinds, Problem> {
    let about = |zh: &str, en: &str| NamesView { zh: Some(zh.to_owned()), en: Some(en.to_owned()) };
    let all =
        KINDS.iter().map(|one| WebhookKind { kind: one.name, about: about(one.meaning_zh, one.meaning) });
    Ok(WebhookKinds { items: all.collect() })
}

async fn list(caller: Caller, _: Nothing) -> Result<Hooks, Problem> {
    let hooks = caller.engine().store().webhooks();
    let (all, standing) = (hooks.endpoints().await?, hooks.standing().await?);
    let of = |hook: Hook| {
        let waiting = standing.iter().find(|one| one.endpoint == hook.id).map_or(0, |one| one.waiting);
        HookView::of(hook, waiting)
    };
    Ok(Hooks { items: all.into_iter().map(of).collect() })
}

/// A webhook that is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Where messages go: `https`, at a public address.
    #[schemars(length(max = 2048))]
    url: String,
    /// Which kinds it gets; all where none is named.
    #[serde(default)]
    #[schemars(length(max = 50))]
    types: Vec<String>,
    /// What people call it.
    #[serde(default)]
    #[schemars(length(max = 200))]
    description: String,
    /// Whether messages say what members and orders are called.
    #[serde(default)]
    identifiers: bool,
}

/// A webhook and its secret.
#[derive(Serialize, JsonSchema)]
struct WithSecret {
    /// The webhook.
    webhook: HookView,
    /// Its secret, `whsec_…`: shown this once, and kept nowhere.
    secret: String,
}

fn chance() -> Result<Chance, Problem> {
    let mut chance = [0; 24];
    getrandom::fill(&mut chance).map_err(|error| {
        tracing::error!(%error, "no randomness");
        Problem::of("reading_failed")
    })?;
    Ok(chance)
}

async fn make(caller: Caller, asked: Wanted) -> Result<WithSecret, Problem> {
    let new = NewEndpoint {
        url: asked.url,
        types: asked.types.into_iter().collect(),
        description: asked.description,
        identifiers: asked.identifiers,
        allow_private: false,
    };
    let store = caller.engine().store().as_ref();
    let made: (Hook, Secret) = manage::make(store, &caller.grant, new, &chance()?, clock::wall()).await?;
    Ok(WithSecret { webhook: HookView::of(made.0, 0), secret: made.1.reveal() })
}

/// A webhook by its id.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// Its id.
    id: String,
}

async fn read(caller: Caller, asked: Named) -> Result<HookView, Problem> {
    let hook = manage::endpoint(caller.engine().store().as_ref(), &asked.id).await?;
    Ok(HookView::of(hook, waiting(&caller, &asked.id).await?))
}

/// What changes of a webhook.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Changed {
    /// Its id.
    id: String,
    /// Where messages go: `https`, at a public address.
    #[schemars(length(max = 2048))]
    url: Option<String>,
    /// Which kinds it gets; all where none is named.
    #[schemars(length(max = 50))]
    types: Option<Vec<String>>,
    /// What people call it.
    #[schemars(length(max = 200))]
    description: Option<String>,
    /// Whether messages say what members and orders are called.
    identifiers: Option<bool>,
}

async fn change(caller: Caller, asked: Changed) -> Result<HookView, Problem> {
    let types = |types: Vec<String>| types.into_iter().collect::<BTreeSet<_>>();
    let patch = Patch {
        // That an address may be private was said of the one before.
        allow_private: asked.url.is_some().then_some(false),
        url: asked.url,
        types: asked.types.map(types),
        description: asked.description,
        identifiers: asked.identifiers,
    };
    let store = caller.engine().store().as_ref();
    let hook = manage::patch(store, &caller.grant, &asked.id, patch, clock::wall()).await?;
    Ok(HookView::of(hook, waiting(&caller, &asked.id).await?))
}

/// A webhook that is no more.
#[derive(Serialize, JsonSchema)]
struct Removed {
    /// Its id.
    removed: String,
}

async fn remove(caller: Caller, asked: Named) -> Result<Removed, Problem> {
    manage::remove(caller.engine().store().as_ref(), &caller.grant, &asked.id, clock::wall()).await?;
    Ok(Removed { removed: asked.id })
}

async fn rotate(caller: Caller, asked: Named) -> Result<WithSecret, Problem> {
    let store = caller.engine().store().as_ref();
    let (hook, secret) = manage::rotate(store, &caller.grant, &asked.id, &chance()?, clock::wall()).await?;
    let webhook = HookView::of(hook, waiting(&caller, &asked.id).await?);
    Ok(WithSecret { webhook, secret: secret.reveal() })
}

async fn pause(caller: Caller, asked: Named) -> Result<HookView, Problem> {
    let store = caller.engine().store().as_ref();
    let hook = manage::pause(store, &caller.grant, &asked.id, clock::wall()).await?;
    Ok(HookView::of(hook, waiting(&caller, &asked.id).await?))
}

async fn resume(caller: Caller, asked: Named) -> Result<HookView, Problem> {
    let store = caller.engine().store().as_ref();
    let hook = manage::resume(store, &caller.grant, &asked.id, clock::wall()).await?;
    Ok(HookView::of(hook, waiting(&caller, &asked.id).await?))
}

/// Since when messages are sent anew.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Since {
    /// Its id.
    id: String,
    /// Since when, in business time, as RFC 3339.
    from: String,
}

/// What is sent anew.
#[derive(Serialize, JsonSchema)]
struct Replayed {
    /// How many messages.
    messages: usize,
}

async fn replay(caller: Caller, asked: Since) -> Result<Replayed, Problem> {
    let from = Ts::parse(asked.from.trim()).ok_or_else(|| Problem::of("bad_timestamp").at("from"))?;
    let store = caller.engine().store().as_ref();
    let messages = manage::replay(store, &caller.grant, &asked.id, from, clock::wall()).await?;
    Ok(Replayed { messages })
}

/// What came of a test.
#[derive(Serialize, JsonSchema)]
struct Tested {
    /// Whether it was taken: the status is between 200 and 299.
    taken: bool,
    /// The status of the answer.
    status: Option<u16>,
    /// What went wrong, by name.
    error: Option<&'static str>,
}

async fn test(caller: Caller, asked: Named) -> Result<Tested, Problem> {
    let store = caller.engine().store().as_ref();
    // What it answers is for who runs that server; here it could say what lies behind an address.
    match manage::test(store, &caller.grant, &Client::new(), &asked.id, clock::wall()).await? {
        Ok(answer) => Ok(Tested { taken: answer.is_taken(), status: Some(answer.status), error: None }),
        Err(failed) => Ok(Tested { taken: false, status: None, error: Some(failed.code()) }),
    }
}

/// Which messages.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Of which webhook.
    id: String,
    /// `waiting`, `delivered` or `failed`; any where it is not said.
    state: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// How many, 50 where it is not said.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
}

/// A message.
#[derive(Serialize, JsonSchema)]
struct MessageView {
    /// Its id, as in the header `webhook-id`.
    id: String,
    /// Its kind.
    r#type: String,
    /// When it happened, in business time.
    happened_at: String,
    /// When it was made.
    made_at: String,
    /// `waiting`, `delivered` or `failed`.
    state: &'static str,
    /// How often it was tried.
    attempts: i64,
    /// When it was tried last.
    tried_at: Option<String>,
    /// When it is tried next.
    next_at: Option<String>,
    /// The status of the last answer.
    status: Option<i64>,
    /// What went wrong, by name.
    error: Option<String>,
}

impl From<Message> for MessageView {
    fn from(kept: Message) -> Self {
        Self {
            id: format!("msg_{}", kept.message.id),
            r#type: kept.message.kind,
            happened_at: kept.message.at.rfc3339(),
            made_at: kept.made_at.rfc3339(),
            state: kept.state.name(),
            attempts: kept.attempts,
            tried_at: kept.tried_at.map(Ts::rfc3339),
            next_at: (kept.state == State::Waiting).then(|| kept.due.rfc3339()),
            status: kept.status,
            error: kept.error,
        }
    }
}

/// A page of messages.
#[derive(Serialize, JsonSchema)]
struct Messages {
    /// The newest first.
    items: Vec<MessageView>,
    /// The cursor of the page after; null where there is none.
    next: Option<String>,
}

async fn messages(caller: Caller, asked: Which) -> Result<Messages, Problem> {
    let state =
        asked.state.map(|name| State::named(&name).ok_or_else(|| Problem::of("bad_query").at("state")));
    let before = asked.cursor.map(|text| text.parse().map_err(|_| Problem::of("bad_cursor").at("cursor")));
    let limit = asked.limit.unwrap_or(50);
    if !(1..=500).contains(&limit) {
        return Err(Problem::of("bad_query").at("limit"));
    }
    let store = caller.engine().store().as_ref();
    let endpoint = manage::endpoint(store, &asked.id).await?.id;
    let log = Log { endpoint, state: state.transpose()?, before: before.transpose()?, limit: limit as usize };
    let found = store.webhooks().messages(log).await?;
    let next = found.last().filter(|_| found.len() == limit as usize).map(|last| last.no.to_string());
    Ok(Messages { items: found.into_iter().map(MessageView::from).collect(), next })
}
