//! Following short links: `GET /l/CODE` for whoever clicks one, `GET /q/CODE` for whoever scans its code.
//!
//! Whoever comes needs no key and no cookie and waits for nothing but where the link leads. What only looks where that is does not
//! count: a `HEAD`, a preview that a messenger or a browser fetches by itself, a machine that says it is one. Nothing is cached on the
//! way, so that everybody who follows a link comes by. How many unknown codes are looked up in a second is bounded, since whoever
//! guesses codes sends many.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use zhiyin_engine::Engine;
use zhiyin_engine::links::follow::Follower;
use zhiyin_model::link::{Followed, LinkCode};

use crate::api::Api;

/// How many codes are looked up in a second that nobody followed lately.
const LOOKED_UP_PER_SECOND: NonZeroU32 = match NonZeroU32::new(2_000) {
    Some(n) => n,
    None => NonZeroU32::MIN,
};

/// Words by which what is no person says so, in lower case.
const MACHINES: [&str; 31] = [
    "bot",
    "spider",
    "crawl",
    "slurp",
    "preview",
    "facebookexternalhit",
    "whatsapp/",
    "embedly",
    "quora link",
    "vkshare",
    "skypeuri",
    "feedfetcher",
    "mediapartners",
    "headless",
    "phantomjs",
    "lighthouse",
    "pingdom",
    "uptime",
    "monitor",
    "python",
    "curl/",
    "wget/",
    "go-http-client",
    "java/",
    "okhttp",
    "apache-httpclient",
    "libwww",
    "node-fetch",
    "axios",
    "scrapy",
    "urlcheck",
];

/// Links as they are followed.
pub(crate) struct Follows {
    pub(crate) follower: Follower,
    lookups: DefaultDirectRateLimiter,
}

impl Follows {
    /// Over an engine; the token tells what this process tells from what others do.
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        let mut token = [0; 8];
        if let Err(error) = getrandom::fill(&mut token) {
            // What is followed is still told; two processes without chance would take each other's for their own.
            tracing::error!(%error, "no randomness");
        }
        let lookups = RateLimiter::direct(Quota::per_second(LOOKED_UP_PER_SECOND));
        Self { follower: Follower::new(engine, u64::from_be_bytes(token)), lookups }
    }
}

/// Whether somebody follows a link by themselves: what looks ahead, and what says that it is a machine, is not counted.
fn is_somebody(method: &Method, headers: &HeaderMap) -> bool {
    let said = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_ascii_lowercase).unwrap_or_default()
    };
    let ahead = ["purpose", "sec-purpose", "x-purpose", "x-moz"];
    let looks_ahead = ahead.iter().any(|name| {
        let said = said(name);
        ["prefetch", "prerender", "preview"].iter().any(|word| said.contains(word))
    });
    // A phone is called so, too.
    let agent = said("user-agent").replace("cubot", "");
    let is_machine = agent.is_empty() || MACHINES.iter().any(|word| agent.contains(word));
    method == Method::GET && !looks_ahead && !is_machine
}

/// Somebody clicks.
pub(crate) async fn click(
    State(api): State<Arc<Api>>,
    Path(code): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    follow(&api, &code, Followed::Clicked, is_somebody(&method, &headers)).await
}

/// Somebody scans.
pub(crate) async fn scan(
    State(api): State<Arc<Api>>,
    Path(code): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    follow(&api, &code, Followed::Scanned, is_somebody(&method, &headers)).await
}

async fn follow(api: &Api, code: &str, how: Followed, counts: bool) -> Response {
    let (follower, lookups) = (&api.follows.follower, &api.follows.lookups);
    let Some(code) = LinkCode::read(code) else { return gone(StatusCode::NOT_FOUND) };
    let leads = match follower.known(&code) {
        Some(leads) => leads,
        None if lookups.check().is_err() => return gone(StatusCode::TOO_MANY_REQUESTS),
        None => match follower.leads(&code).await {
            Ok(leads) => leads,
            Err(error) => {
                tracing::error!(%error, "a link was not followed");
                return gone(StatusCode::SERVICE_UNAVAILABLE);
            }
        },
    };
    let to = match leads {
        Ok(to) => to,
        Err(refusal) if refusal.code == "link_ended" => return gone(StatusCode::GONE),
        Err(_) => return gone(StatusCode::NOT_FOUND),
    };
    let Ok(to) = HeaderValue::from_str(&to) else { return gone(StatusCode::GONE) };
    if counts {
        follower.followed(&code, how);
    }
    let mut response = StatusCode::FOUND.into_response();
    response.headers_mut().insert(header::LOCATION, to);
    unkept(response)
}

/// Where a link leads is asked each time, and no search engine lists it.
fn unkept(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    response
}

/// What is said to whoever follows a link that leads nowhere: they are people.
fn gone(status: StatusCode) -> Response {
    let said = match status {
        StatusCode::GONE => "这个链接已经失效。\nThis link has ended.\n",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            "现在打不开，请稍后再试。\nThis does not open right now. Try again shortly.\n"
        }
        _ => "没有这个链接。\nThere is no such link.\n",
    };
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    let mut response = (status, kind, said).into_response();
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    unkept(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_somebody_who_comes_by_counts() {
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.40";
        let rows: [(&[(&'static str, &str)], bool); 13] = [
            (&[("user-agent", phone)], true),
            (&[("user-agent", phone), ("purpose", "Preview")], false),
            (&[("user-agent", phone), ("sec-purpose", "prefetch;prerender")], false),
            (&[("user-agent", phone), ("x-moz", "prefetch")], false),
            (&[("user-agent", phone), ("purpose", "visit")], true),
            (&[("user-agent", "Mozilla/5.0 (Linux; Android 8.1; CUBOT_X18) Chrome/70")], true),
            (&[], false),
            (&[("user-agent", "Mozilla/5.0 (compatible; Baiduspider/2.0)")], false),
            (&[("user-agent", "facebookexternalhit/1.1")], false),
            (&[("user-agent", "WhatsApp/2.23.20 A")], false),
            (&[("user-agent", "Slackbot-LinkExpanding 1.0")], false),
            (&[("user-agent", "curl/8.5.0")], false),
            (&[("user-agent", "Mozilla/5.0 (X11; Linux) HeadlessChrome/120.0")], false),
        ];
        for (said, wanted) in rows {
            let mut headers = HeaderMap::new();
            for (name, value) in said {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(is_somebody(&Method::GET, &headers), wanted, "{said:?}");
            assert!(!is_somebody(&Method::HEAD, &headers), "{said:?}");
        }
    }
}
