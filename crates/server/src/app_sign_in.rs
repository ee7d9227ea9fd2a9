//! Signing in to one of the brand's apps on a platform, and what its pages need, below `/v1/apps/ACCOUNT`: no key, since whoever comes is a
//! person who has none.
//!
//! | | |
//! |---|---|
//! | `GET …/sign-in?to=PAGE` | leads to the platform, to come back; `profile=1` asks the person for more than who they are |
//! | `GET …/signed-in` | where they come back: the home knows them from then on, and they go on to their page |
//! | `POST …/session` | a mini program brings its code, and one of a phone number where it got that |
//! | `GET …/jssdk?url=PAGE` | signs one of the brand's pages for the platform's browser |
//!
//! Whoever begins here gets a word in a cookie, without which nobody comes back ([`zhiyin_engine::apps::sign_in`]). Pages are those of the
//! domains that the app's settings name, and no others. What the platform says of a person goes to nobody but the home.

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde::Deserialize;
use serde_json::json;
use zhiyin_engine::apps::sign_in::{NotSignedIn, STATE_SECONDS, Way};
use zhiyin_engine::apps::{AppAt, Apps};
use zhiyin_engine::clock;

use crate::api::Api;
use crate::language::Language;
use crate::me;
use crate::problem::Problem;

/// How many come in a second, of all apps: each may be a question to the platform.
const PER_SECOND: NonZeroU32 = match NonZeroU32::new(500) {
    Some(n) => n,
    None => NonZeroU32::MIN,
};
/// What the cookie is called.
const COOKIE: &str = "zhiyin-app";
/// What the touchpoint is called through which somebody came, here and in the page they go on to.
const TOUCHPOINT: &str = "t";
/// The longest word that anybody brings here.
const WORD_CHARS_MAX: usize = 4_096;

/// Apps, for whoever signs in.
pub(crate) struct AppDoor {
    apps: OnceLock<Apps>,
    rate: DefaultDirectRateLimiter,
}

impl Default for AppDoor {
    fn default() -> Self {
        Self { apps: OnceLock::new(), rate: RateLimiter::direct(Quota::per_second(PER_SECOND)) }
    }
}

impl AppDoor {
    /// Opens it for these, once.
    pub(crate) fn opens(&self, apps: Apps) {
        drop(self.apps.set(apps));
    }

    /// Where somebody begins who signs in by the first app that leads to a page of ours; nothing, where none does.
    pub(crate) fn way_to(&self, page: &str) -> Option<String> {
        let leads = |at: &&AppAt| at.app.is_own_page(page) && at.app.sign_in_url(page, "s", false).is_some();
        let at = self.apps.get()?.values().find(leads)?;
        let to: String = form_urlencoded::Serializer::new(String::new()).append_pair("to", page).finish();
        Some(format!("/v1/apps/{}/sign-in?{to}", at.account))
    }

    /// The app of an account, where there is room for one more question.
    fn app(&self, account: &str) -> Result<&AppAt, Problem> {
        let app = self.apps.get().and_then(|apps| apps.get(account)).ok_or(Problem::of("not_found"))?;
        self.rate.check().map_err(|_| Problem::of("too_many_requests"))?;
        Ok(app)
    }
}

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/v1/apps/{account}/sign-in", get(begin))
        .route("/v1/apps/{account}/signed-in", get(come_back))
        .route("/v1/apps/{account}/session", post(session))
        .route("/v1/apps/{account}/jssdk", get(sign_page))
}

/// What an address says under a name.
fn said(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs
        .find(|(one, _)| one == name)
        .map(|(_, value)| value.into_owned())
        .filter(|value| value.len() <= WORD_CHARS_MAX)
}

/// A page that says the touchpoint through which somebody came, unless it says one.
fn with_touchpoint(page: &str, code: &str) -> String {
    let (before, fragment) = page.split_once('#').map_or((page, None), |(before, rest)| (before, Some(rest)));
    let query = before.split_once('?').map(|(_, query)| query);
    if code.is_empty() || said(query, TOUCHPOINT).is_some() {
        return page.to_owned();
    }
    let said: String = form_urlencoded::Serializer::new(String::new()).append_pair(TOUCHPOINT, code).finish();
    let joint = if query.is_some() { '&' } else { '?' };
    let rest = fragment.map_or_else(String::new, |fragment| format!("#{fragment}"));
    format!("{before}{joint}{said}{rest}")
}

fn chance() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Problem::of("reading_failed"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn cookie(secure: bool, value: &str, seconds: i64) -> String {
    let secure = if secure { "; Secure" } else { "" };
    // The platform leads back here from another site: only `Lax` comes along then.
    format!("{COOKIE}={value}; Path=/v1/apps; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

/// What the cookie says: the word of the browser, and where it goes on to.
fn kept(headers: &HeaderMap) -> Option<(String, String)> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == COOKIE)?;
    let (browser, to) = value.split_once('.')?;
    let to = URL_SAFE_NO_PAD.decode(to).ok()?;
    Some((browser.to_owned(), String::from_utf8(to).ok()?))
}

fn failed(error: &zhiyin_engine::EngineError) -> Problem {
    tracing::error!(%error, "nobody signs in to an app for now");
    Problem::of("reading_failed")
}

/// What is told to whoever does not sign in: no more than that.
fn not_signed_in(account: &str, why: &NotSignedIn) -> Problem {
    tracing::info!(account, why = why.why(), "somebody did not sign in to an app");
    Problem::of(if why.is_for_now() { "app_unavailable" } else { "app_sign_in_failed" })
}

fn to(url: &str) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, url.to_owned()), (header::CACHE_CONTROL, "no-store".to_owned())])
        .into_response()
}

fn answered(answer: Result<Response, Problem>, headers: &HeaderMap) -> Response {
    answer.unwrap_or_else(|problem| problem.response(Language::accepted(headers)))
}

async fn begin(
    State(api): State<Arc<Api>>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    answered(begun(&api, &account, query.as_deref(), &headers).await, &headers)
}

async fn begun(
    api: &Api,
    account: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let at = api.apps.app(account)?;
    let page =
        said(query, "to").filter(|page| at.app.is_own_page(page)).ok_or(Problem::of("app_page_unknown"))?;
    let page = match said(query, TOUCHPOINT) {
        Some(code) => with_touchpoint(&page, &code),
        None => page,
    };
    let Some(public_url) = api.front.public_url.clone().or_else(|| own_address(headers)) else {
        return Err(Problem::of("not_found"));
    };
    let browser = chance()?;
    let back = format!("{public_url}/v1/apps/{account}/signed-in");
    let way = Way { account, to: &page, browser: &browser };
    let asks = said(query, "profile").as_deref() == Some("1");
    let url = api.engine.app_sign_in_url(at, way, (&back, asks), clock::wall()).await;
    let url = url.map_err(|error| failed(&error))?.ok_or(Problem::of("not_found"))?;
    let mut response = to(&url);
    let value = format!("{browser}.{}", URL_SAFE_NO_PAD.encode(&page));
    let cookie = cookie(public_url.starts_with("https://"), &value, STATE_SECONDS);
    let cookie = cookie.parse().map_err(|_| Problem::of("app_page_unknown"))?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Where a home is reached that says no address of its own: on this machine.
pub(crate) fn own_address(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let is_here = host.starts_with("127.0.0.1") || host.starts_with("localhost");
    is_here.then(|| format!("http://{host}"))
}

async fn come_back(
    State(api): State<Arc<Api>>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    answered(came_back(&api, &account, query.as_deref(), &headers).await, &headers)
}

async fn came_back(
    api: &Api,
    account: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let at = api.apps.app(account)?;
    let state_wrong = || not_signed_in(account, &NotSignedIn::StateWrong);
    let (browser, page) = kept(headers).ok_or_else(state_wrong)?;
    let state = said(query, "state").ok_or_else(state_wrong)?;
    let way = Way { account, to: &page, browser: &browser };
    let is_good = api.engine.is_app_state(way, &state, clock::wall()).await;
    if !is_good.map_err(|error| failed(&error))? || !at.app.is_own_page(&page) {
        return Err(state_wrong());
    }
    let code = said(query, "code").ok_or_else(state_wrong)?;
    let signed_in = api.engine.sign_in_to_app(at, &code, None).await.map_err(|error| failed(&error))?;
    let member = signed_in.map_err(|why| not_signed_in(account, &why))?;
    let mut response = to(&page);
    let secure = page.starts_with("https://");
    let gone = cookie(secure, "", 0);
    let gone = gone.parse().map_err(|_| Problem::of("reading_failed"))?;
    response.headers_mut().append(header::SET_COOKIE, gone);
    // Whoever the platform vouches for is at their own pages from here on.
    let touchpoint = page.split_once('?').and_then(|(_, query)| said(Some(query), TOUCHPOINT));
    match me::cookie_of_app(api, member, touchpoint, (&state, secure)).await {
        Ok(opened) => drop(response.headers_mut().append(header::SET_COOKIE, opened)),
        // The page has a door of its own, for whoever is not in yet.
        Err(problem) => {
            let status = problem.status().as_u16();
            tracing::info!(account, status, "somebody signed in and is not at home yet");
        }
    }
    Ok(response)
}

/// What a mini program brings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Brought {
    code: String,
    phone_code: Option<String>,
}

async fn session(
    State(api): State<Arc<Api>>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answered(begins(&api, &account, &body).await, &headers)
}

async fn begins(api: &Api, account: &str, body: &Bytes) -> Result<Response, Problem> {
    let at = api.apps.app(account)?;
    let Ok(Brought { code, phone_code }) = serde_json::from_slice(body) else {
        return Err(Problem::of("app_sign_in_failed"));
    };
    let signed_in = api.engine.sign_in_to_app(at, &code, phone_code.as_deref()).await;
    let _member = signed_in.map_err(|error| failed(&error))?.map_err(|why| not_signed_in(account, &why))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(json!({"known": true}))).into_response())
}

async fn sign_page(
    State(api): State<Arc<Api>>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    answered(page_signed(&api, &account, query.as_deref()).await, &headers)
}

async fn page_signed(api: &Api, account: &str, query: Option<&str>) -> Result<Response, Problem> {
    let at = api.apps.app(account)?;
    let url =
        said(query, "url").filter(|url| at.app.is_own_page(url)).ok_or(Problem::of("app_page_unknown"))?;
    let signed = at.app.sign_page(&url, &chance()?).await.map_err(|trouble| {
        tracing::warn!(account, why = trouble.why(), "a page was not signed");
        Problem::of("app_unavailable")
    })?;
    let heads = [(header::CACHE_CONTROL, "no-store")];
    Ok((heads, Json(signed)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_the_touchpoint_once() {
        for (page, code, expected) in [
            ("https://m.x/m/", "store-qr/330", "https://m.x/m/?t=store-qr%2F330"),
            ("https://m.x/m/?a=1#/card", "x", "https://m.x/m/?a=1&t=x#/card"),
            ("https://m.x/m/?t=y", "x", "https://m.x/m/?t=y"),
            ("https://m.x/m/", "", "https://m.x/m/"),
        ] {
            assert_eq!(with_touchpoint(page, code), expected);
        }
    }
}
