//! Asking a shop: one exchange, and what its status says. Everything that is asked here may be asked twice.

use std::time::Duration;

use hyper::Method;
use hyper::body::Bytes;

use crate::address::Target;
use crate::client::Client;
use crate::platform::{Answer, Trouble, Whose};
use crate::wire::{Heard, Lost, Said, Wire};

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(30);
/// How long an answer may be, in bytes: a page of the largest orders.
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// How long not to ask where nothing says how long.
const REST: Duration = Duration::from_secs(2);
/// The longest that is waited for because a shop says so.
const REST_MAX: Duration = Duration::from_secs(3_600);

/// A shop to ask.
pub(super) struct Asking(Wire);

/// What is asked.
pub(super) struct Ask {
    pub method: Method,
    /// With its query, below the shop's address.
    pub path: String,
    pub heads: Vec<(&'static str, String)>,
    pub body: Option<String>,
}

impl Asking {
    pub(super) fn new(target: &Target) -> Self {
        Self(Wire::new(Client::new(), target.clone()))
    }

    /// Asks, and hears what is no refusal.
    pub(super) async fn ask(&self, ask: Ask) -> Answer<Heard> {
        let said = Said {
            method: ask.method,
            path: format!("{}{}", self.0.base(), ask.path),
            content_type: ask.body.as_ref().map(|_| "application/json".to_owned()),
            heads: ask.heads,
            body: Bytes::from(ask.body.unwrap_or_default()),
        };
        match self.0.exchange(said, WITHIN, ANSWER_BYTES_MAX).await {
            Ok(heard) => answer(heard),
            Err(Lost::NotSaid(failed) | Lost::NoAnswer(failed)) => later(failed.code()),
            Err(Lost::TooLong) => Err(Trouble::Never { why: "answer_too_long", whose: Whose::Ours }),
        }
    }
}

pub(super) fn later<T>(why: &'static str) -> Answer<T> {
    Err(Trouble::Later { why, rest: REST })
}

/// How long a shop asks for rest. One of them says it as `2.0`.
fn rest(heard: &Heard) -> Duration {
    let said = heard.heads.get("retry-after").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let whole = said.trim().split('.').next().and_then(|seconds| seconds.parse().ok());
    whole.map_or(REST, Duration::from_secs).clamp(REST, REST_MAX)
}

fn answer(heard: Heard) -> Answer<Heard> {
    match heard.status {
        200..=299 => Ok(heard),
        401 => Err(Trouble::Never { why: "key_refused", whose: Whose::Settings }),
        402 => Err(Trouble::Never { why: "shop_frozen", whose: Whose::Account }),
        403 => Err(Trouble::Never { why: "scope_missing", whose: Whose::Settings }),
        404 | 410 => Err(Trouble::Never { why: "not_found", whose: Whose::Settings }),
        429 => Err(Trouble::Later { why: "http_busy", rest: rest(&heard) }),
        500..=599 => Err(Trouble::Later { why: "system_error", rest: rest(&heard) }),
        _ => Err(Trouble::Never { why: "http_refused", whose: Whose::Ours }),
    }
}
