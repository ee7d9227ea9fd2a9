//! One call with an app's token, and what came of it. All of them go this one way.
//!
//! * The token is asked for once however many want it ([`crate::token`]); one that is not taken is renewed once, and the call said once
//!   more. Where the platform gives the same token again it is asked to make another (`force_refresh`).
//! * An answer counts only by its `errcode`; its texts go nowhere, since they may name people.
//! * What is lost after it left is [`Trouble::Unknown`], unless saying it twice is as good as once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use hyper::body::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::apis::{self, Api};
use super::errcodes::{self, Means};
use super::settings::{Kind, Settings};
use super::{CHANNEL, MINI};
use crate::clickhouse::encoded;
use crate::client::Client;
use crate::platform::{Answer, Trouble, Whose};
use crate::settings::Clock;
use crate::token::{Fresh, Token, Tokens};
use crate::wire::{Heard, Lost, Said, Wire};

/// How long an answer may take, from when there is a connection.
pub const WITHIN: Duration = Duration::from_secs(8);
/// How long an answer may be, in bytes.
const ANSWER_BYTES_MAX: usize = 2 << 20;
/// How long not to ask where nothing says how long.
const REST: Duration = Duration::from_secs(2);

struct Inner {
    wire: Wire,
    settings: Settings,
    tokens: Tokens<Trouble>,
    tickets: Tokens<Trouble>,
    clock: Clock,
}

/// One app. Copies share all they have.
#[derive(Clone)]
pub struct Wechat(Arc<Inner>);

impl fmt::Debug for Wechat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wechat({})", self.0.settings.appid)
    }
}

/// What is asked: a call, what its address says beside the token, its body.
pub(super) struct Ask<'a> {
    pub(super) api: &'static Api,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<Value>,
}

impl Wechat {
    /// The app of these settings; nothing is said to anybody yet.
    pub fn new(settings: Settings, client: Client, clock: Clock) -> Self {
        let wire = Wire::new(client, settings.api.clone());
        Self(Arc::new(Inner { wire, settings, tokens: Tokens::default(), tickets: Tokens::default(), clock }))
    }

    /// The app.
    pub fn appid(&self) -> &str {
        &self.0.settings.appid
    }

    /// What its settings say.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Whether it is an official account.
    pub fn is_official(&self) -> bool {
        self.0.settings.kind == Kind::Official
    }

    /// What its channel is called.
    pub fn channel_name(&self) -> &'static str {
        if self.is_official() { CHANNEL } else { MINI }
    }

    /// How people are named in a home whom it knows.
    pub fn openids(&self) -> String {
        format!("openid:{}", self.appid())
    }

    /// Whether it can ask: it has its secret.
    pub fn can_ask(&self) -> bool {
        self.0.settings.secret.is_some()
    }

    pub(super) fn now_ms(&self) -> i64 {
        (self.0.clock)()
    }

    /// Gets a token, if none is held: the first step of checking settings.
    pub async fn sign_in(&self) -> Answer<()> {
        self.token(None).await.map(drop)
    }

    pub(super) fn secret(&self) -> Answer<&str> {
        let secret = self.0.settings.secret.as_ref();
        secret.map(|secret| secret.said()).ok_or(Trouble::Never { why: "no_secret", whose: Whose::Settings })
    }

    /// A call that answers something.
    pub(super) async fn ask<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Answer<T> {
        let api = ask.api;
        let said = self.said(ask).await?;
        serde_json::from_slice(&said).map_err(|_| broken(api))
    }

    /// A call, as its answer came: it is no refusal.
    pub(super) async fn said(&self, ask: Ask<'_>) -> Answer<Vec<u8>> {
        if !ask.api.with_token {
            return self.once(&ask, None).await.map_err(|(_, trouble)| trouble);
        }
        let token = self.token(None).await?;
        let (code, trouble) = match self.once(&ask, Some(&token.text)).await {
            Ok(said) => return Ok(said),
            Err(refused) => refused,
        };
        if errcodes::of(code).is_none_or(|row| row.means != Means::Token) {
            return Err(trouble);
        }
        let token = self.token(Some(&token)).await?;
        self.once(&ask, Some(&token.text)).await.map_err(|(_, trouble)| trouble)
    }

    async fn token(&self, bad: Option<&Token>) -> Answer<Token> {
        let (tokens, now_ms) = (&self.0.tokens, self.now_ms());
        match bad {
            None => tokens.get(now_ms, self.fresh_token(None)).await,
            Some(bad) => tokens.instead(bad, now_ms, self.fresh_token(Some(bad.text.as_str()))).await,
        }
    }

    /// Asks for a token; for another one where the platform gives the bad one again, of which it makes few a day.
    async fn fresh_token(&self, bad: Option<&str>) -> Answer<Fresh> {
        let fresh = self.token_asked(false).await?;
        if bad == Some(fresh.token.as_str()) { self.token_asked(true).await } else { Ok(fresh) }
    }

    async fn token_asked(&self, force: bool) -> Answer<Fresh> {
        let body = json!({
            "grant_type": "client_credential", "appid": self.appid(), "secret": self.secret()?, "force_refresh": force,
        });
        let ask = Ask { api: &apis::STABLE_TOKEN, query: &[], body: Some(body) };
        let said: Value = self.ask_once(&ask).await?;
        fresh(&said, "access_token").ok_or_else(|| broken(ask.api))
    }

    /// The ticket that pages are signed with.
    pub(super) async fn ticket(&self) -> Answer<String> {
        let asked = async {
            let ask = Ask { api: &apis::TICKET, query: &[("type", "jsapi")], body: None };
            let said: Value = self.ask(ask).await?;
            fresh(&said, "ticket").ok_or_else(|| broken(&apis::TICKET))
        };
        Ok(self.0.tickets.get(self.now_ms(), asked).await?.text)
    }

    async fn ask_once<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Answer<T> {
        let said = self.once(ask, None).await.map_err(|(_, trouble)| trouble)?;
        serde_json::from_slice(&said).map_err(|_| broken(ask.api))
    }

    /// Says it once; what was answered, or the platform's number (0 where it gave none) and what that means.
    async fn once(&self, ask: &Ask<'_>, token: Option<&str>) -> Result<Vec<u8>, (i64, Trouble)> {
        let Ask { api, query, body } = ask;
        let token = token.map(|token| ("access_token", token));
        let all: Vec<String> = token
            .iter()
            .chain(query.iter())
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let mut path = format!("{}{}", self.0.wire.base(), api.path);
        if !all.is_empty() {
            path = format!("{path}?{}", all.join("&"));
        }
        let method = if api.is_get { Method::GET } else { Method::POST };
        let content_type = body.as_ref().map(|_| "application/json".to_owned());
        let body = body.as_ref().map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let said = Said { method, path, content_type, heads: Vec::new(), body };
        match self.0.wire.exchange(said, WITHIN, ANSWER_BYTES_MAX).await {
            Ok(heard) => answer(api, heard),
            Err(Lost::NotSaid(failed)) => Err((0, Trouble::Later { why: failed.code(), rest: REST })),
            Err(Lost::NoAnswer(failed)) => Err((0, lost(api, failed.code()))),
            Err(Lost::TooLong) => Err((0, lost(api, "answer_too_long"))),
        }
    }
}

/// A token or a ticket that was given, and for how long.
fn fresh(said: &Value, name: &str) -> Option<Fresh> {
    let token = said.get(name)?.as_str().filter(|token| !token.is_empty())?;
    let expires_in = said.get("expires_in")?.as_i64().filter(|seconds| *seconds > 0)?;
    Some(Fresh { token: token.to_owned(), expires_in })
}

/// What comes of something that was said and of which nothing was heard.
fn lost(api: &Api, why: &'static str) -> Trouble {
    if api.is_safe { Trouble::Later { why, rest: REST } } else { Trouble::Unknown { why } }
}

/// An answer that is none.
pub(super) fn broken(api: &Api) -> Trouble {
    lost(api, "answer_broken")
}

/// What an answer says. What is no JSON object is a file, which only some calls answer.
fn answer(api: &Api, heard: Heard) -> Result<Vec<u8>, (i64, Trouble)> {
    match heard.status {
        200..=299 => {}
        // Whoever answers so has not begun.
        429 | 503 => return Err((0, Trouble::Later { why: "http_busy", rest: REST })),
        500..=599 => return Err((0, lost(api, "http_failed"))),
        // Not the platform: it says no by a number within 200.
        _ => return Err((0, Trouble::Never { why: "http_refused", whose: Whose::Settings })),
    }
    let code = match serde_json::from_slice::<Value>(&heard.body) {
        Ok(said) => said.get("errcode").and_then(Value::as_i64).unwrap_or(0),
        Err(_) => 0,
    };
    if code == 0 { Ok(heard.body) } else { Err((code, errcodes::trouble(code))) }
}
