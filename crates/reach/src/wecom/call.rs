//! One call: its place among others, its token, its time, and what came of it. All of them go this one way.
//!
//! * Of each call so many go at once as the platform lets (`calls.at_once…` of [`super::limits`]); others wait for their turn.
//! * A token that the platform does not take is renewed once, and the call said once more; that is the only repetition here, but for a
//!   request that certainly never left over a connection that had been closed.
//! * An answer is read to a bound, must be JSON with an `errcode`, and counts only by that number. Texts of the platform go nowhere: they
//!   may name people.
//! * What is lost after it left is [`Trouble::Unknown`], unless saying it twice is as good as once. Whoever drops a call that is under way
//!   knows no more than of a lost answer.
//! * «Busy» (-1) is taken at the platform's word: it asks to be asked again, so nothing was done (path/90313).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use hyper::Method;
use hyper::body::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use super::apis::{self, Api, Repeat, Verb};
use super::errcodes::{self, Means};
use super::limits::{Limits, Window, day_of};
use super::settings::Settings;
use super::trouble::{Fault, Trouble};
use crate::address::Target;
use crate::clickhouse::encoded;
use crate::client::Client;
use crate::settings::Clock;
use crate::token::{Fresh, Token, Tokens};
use crate::wire::{Heard, Lost, Said, Wire};

/// How long an answer may take, from when there is a connection.
pub const WITHIN: Duration = Duration::from_secs(10);
/// The same of a file that is sent.
pub const UPLOAD_WITHIN: Duration = Duration::from_secs(60);
/// How long an answer may be, in bytes: all tags of a business are a few megabytes.
pub const ANSWER_BYTES_MAX: usize = 8 << 20;
/// How much of an answer is read at an address that is not the platform's.
const LOOKED_BYTES_MAX: usize = 64 << 10;
/// How long not to ask where nothing says how long.
const REST: Duration = Duration::from_secs(1);

/// What goes with a call beside its path.
#[derive(Clone, Default)]
pub(crate) struct Body {
    pub(crate) content_type: Option<String>,
    pub(crate) bytes: Bytes,
}

struct Inner {
    wire: Wire,
    client: Client,
    corp_id: String,
    secret: String,
    agent_id: u64,
    tokens: Tokens<Trouble>,
    limits: Limits,
    clock: Clock,
    gates: BTreeMap<&'static str, Semaphore>,
    /// By how much the platform's clock was ahead of ours when it last said what time it is, in seconds; `i64::MIN` where it never did.
    ahead: AtomicI64,
}

/// One app of one business. Copies share all they have.
#[derive(Clone)]
pub struct Wecom(Arc<Inner>);

impl fmt::Debug for Wecom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wecom({}, app {})", self.0.corp_id, self.0.agent_id)
    }
}

impl Wecom {
    /// The app of these settings, where they have a secret; nothing is said to anybody yet. How many of a call go at once is as it is on
    /// the day of this.
    pub fn new(settings: &Settings, client: Client, clock: Clock) -> Option<Self> {
        let (secret, agent_id) = (settings.secret.as_ref()?.said().to_owned(), settings.agent_id?);
        let day = day_of(clock());
        let limits = settings.limits.clone();
        let at_once = |path: &str| {
            let own = limits.number(&format!("calls.at_once.{path}"), Window::AtOnce, day);
            let number = own.or_else(|| limits.number("calls.at_once", Window::AtOnce, day)).unwrap_or(1);
            Semaphore::new(usize::try_from(number).unwrap_or(1).clamp(1, Semaphore::MAX_PERMITS))
        };
        let gates = apis::ALL.iter().map(|api| (api.path, at_once(api.path))).collect();
        Some(Self(Arc::new(Inner {
            wire: Wire::new(client.clone(), settings.api.clone()),
            client,
            corp_id: settings.corp_id.clone(),
            secret,
            agent_id,
            tokens: Tokens::default(),
            limits,
            clock,
            gates,
            ahead: AtomicI64::new(i64::MIN),
        })))
    }

    /// The app's number.
    pub fn agent_id(&self) -> u64 {
        self.0.agent_id
    }

    /// The rules that it keeps.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Gets a token, if none is held: the first step of checking settings.
    pub async fn sign_in(&self) -> Result<(), Trouble> {
        self.token(None).await.map(drop)
    }

    /// By how much the platform's clock is ahead of ours, in seconds, where it said what time it is.
    pub fn ahead_s(&self) -> Option<i64> {
        Some(self.0.ahead.load(Ordering::Relaxed)).filter(|ahead| *ahead != i64::MIN)
    }

    /// Says one thing at another address than the platform's: its status, and what its body begins with.
    pub(crate) async fn look_at(&self, target: Target) -> Result<(u16, Vec<u8>), &'static str> {
        let path = target.path.clone();
        let wire = Wire::new(self.0.client.clone(), target);
        let said =
            Said { method: Method::GET, path, content_type: None, heads: Vec::new(), body: Bytes::new() };
        match wire.exchange(said, WITHIN, LOOKED_BYTES_MAX).await {
            Ok(heard) => Ok((heard.status, heard.body)),
            Err(Lost::NotSaid(failed) | Lost::NoAnswer(failed)) => Err(failed.code()),
            Err(Lost::TooLong) => Err("answer_too_long"),
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        (self.0.clock)()
    }

    /// The most that there may be of something in one call or page, today.
    pub(crate) fn most(&self, subject: &str, window: Window) -> u64 {
        self.0.limits.number(subject, window, day_of(self.now_ms())).unwrap_or(0)
    }

    /// A call without a body.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        api: &'static Api,
        query: &[(&str, &str)],
    ) -> Result<T, Trouble> {
        read(api, self.said(api, query, Body::default(), WITHIN).await?)
    }

    /// A call with a body of JSON.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        api: &'static Api,
        body: &impl Serialize,
    ) -> Result<T, Trouble> {
        read(api, self.said(api, &[], json(body)?, WITHIN).await?)
    }

    /// A call that answers no more than that it was done.
    pub(crate) async fn tell(&self, api: &'static Api, body: &impl Serialize) -> Result<(), Trouble> {
        self.said(api, &[], json(body)?, WITHIN).await.map(drop)
    }

    /// A call with a file.
    pub(crate) async fn upload<T: DeserializeOwned>(
        &self,
        api: &'static Api,
        query: &[(&str, &str)],
        body: Body,
    ) -> Result<T, Trouble> {
        read(api, self.said(api, query, body, UPLOAD_WITHIN).await?)
    }

    async fn said(
        &self,
        api: &'static Api,
        query: &[(&str, &str)],
        body: Body,
        within: Duration,
    ) -> Result<Value, Trouble> {
        let _place = match self.0.gates.get(api.path) {
            Some(gate) => gate.acquire().await.ok(),
            None => None,
        };
        let token = self.token(None).await?;
        let answered = self.once(api, &token.text, query, body.clone(), within).await;
        let Err(Trouble::Refused { code, .. }) = &answered else { return answered };
        if errcodes::of(*code).is_none_or(|row| row.means != Means::Token) {
            return answered;
        }
        let token = self.token(Some(&token)).await?;
        self.once(api, &token.text, query, body, within).await
    }

    async fn token(&self, bad: Option<&Token>) -> Result<Token, Trouble> {
        let (tokens, now_ms) = (&self.0.tokens, self.now_ms());
        match bad {
            None => tokens.get(now_ms, self.fresh_token()).await,
            Some(bad) => tokens.instead(bad, now_ms, self.fresh_token()).await,
        }
    }

    /// Asks for a token (path/91039).
    async fn fresh_token(&self) -> Result<Fresh, Trouble> {
        let api = &apis::GETTOKEN;
        let query = [("corpid", self.0.corp_id.as_str()), ("corpsecret", self.0.secret.as_str())];
        let path = format!("{}/cgi-bin/{}?{}", self.0.wire.base(), api.path, written(&query));
        let answer = self.exchanged(api, path, Body::default(), WITHIN).await?;
        let token = answer.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
        let expires_in = answer.get("expires_in").and_then(Value::as_i64).filter(|seconds| *seconds > 0);
        match (token, expires_in) {
            (Some(token), Some(expires_in)) => Ok(Fresh { token: token.to_owned(), expires_in }),
            _ => Err(broken(api)),
        }
    }

    async fn once(
        &self,
        api: &'static Api,
        token: &str,
        query: &[(&str, &str)],
        body: Body,
        within: Duration,
    ) -> Result<Value, Trouble> {
        let mut path = format!("{}/cgi-bin/{}?access_token={}", self.0.wire.base(), api.path, encoded(token));
        if !query.is_empty() {
            path.push('&');
            path.push_str(&written(query));
        }
        self.exchanged(api, path, body, within).await
    }

    async fn exchanged(
        &self,
        api: &'static Api,
        path: String,
        body: Body,
        within: Duration,
    ) -> Result<Value, Trouble> {
        let method = match api.verb {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
        };
        let said =
            Said { method, path, content_type: body.content_type, heads: Vec::new(), body: body.bytes };
        match self.0.wire.exchange(said, within, ANSWER_BYTES_MAX).await {
            Ok(heard) => {
                let now_ms = self.now_ms();
                if let Some(date) = heard.date {
                    self.0.ahead.store(date - now_ms.div_euclid(1_000), Ordering::Relaxed);
                }
                answer(api, &heard, now_ms)
            }
            Err(Lost::NotSaid(failed)) => Err(Trouble::Later { code: 0, name: failed.code(), rest: REST }),
            Err(Lost::NoAnswer(failed)) => Err(lost(api, failed.code())),
            // Whoever only asks gets the same the next time.
            Err(Lost::TooLong) if api.repeat == Repeat::Safe => {
                Err(Trouble::Refused { code: 0, name: "answer_too_long", fault: Fault::Ours })
            }
            Err(Lost::TooLong) => Err(Trouble::Unknown { name: "answer_too_long" }),
        }
    }
}

/// What comes of something that was said and of which nothing was heard.
fn lost(api: &Api, name: &'static str) -> Trouble {
    match api.repeat {
        Repeat::Safe => Trouble::Later { code: 0, name, rest: REST },
        Repeat::Told | Repeat::Never => Trouble::Unknown { name },
    }
}

/// An answer that is none.
fn broken(api: &Api) -> Trouble {
    lost(api, "answer_broken")
}

/// What an answer says.
fn answer(api: &Api, heard: &Heard, now_ms: i64) -> Result<Value, Trouble> {
    let rest = || heard.retry_after.map_or(REST, |wish| wish.from(now_ms / 1_000)).max(REST);
    match heard.status {
        200..=299 => {}
        // Whoever answers so has not begun.
        429 | 503 => return Err(Trouble::Later { code: 0, name: "http_busy", rest: rest() }),
        // Somebody in between gave up, who cannot tell what became of it.
        500..=599 => {
            return Err(match lost(api, "http_failed") {
                Trouble::Later { code, name, .. } => Trouble::Later { code, name, rest: rest() },
                other => other,
            });
        }
        // Not the platform: it says no by a number within 200.
        status => {
            let (code, name) = (i64::from(status), "http_refused");
            return Err(Trouble::Refused { code, name, fault: Fault::Settings });
        }
    }
    let Ok(Value::Object(mut said)) = serde_json::from_slice(&heard.body) else { return Err(broken(api)) };
    match said.get("errcode").and_then(Value::as_i64) {
        None => Err(broken(api)),
        Some(0) => {
            without_nulls(&mut said);
            Ok(Value::Object(said))
        }
        Some(code) => Err(errcodes::trouble(code)),
    }
}

/// The platform writes nothing as null, or leaves it out: one is as good as the other.
fn without_nulls(said: &mut Map<String, Value>) {
    said.retain(|_, value| !value.is_null());
    for value in said.values_mut() {
        match value {
            Value::Object(inner) => without_nulls(inner),
            Value::Array(items) => items.iter_mut().filter_map(Value::as_object_mut).for_each(without_nulls),
            _ => {}
        }
    }
}

fn read<T: DeserializeOwned>(api: &Api, said: Value) -> Result<T, Trouble> {
    serde_json::from_value(said).map_err(|_| broken(api))
}

fn json(body: &impl Serialize) -> Result<Body, Trouble> {
    let bytes = serde_json::to_vec(body).map_err(|_| Trouble::input("", "cannot be written as JSON"))?;
    Ok(Body { content_type: Some("application/json".to_owned()), bytes: Bytes::from(bytes) })
}

/// A query of an address.
fn written(query: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&")
}
