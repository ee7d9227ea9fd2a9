//! Signing in by the brand's own provider (OpenID Connect), in a browser: out to the provider, and back with a code (docs/sign-in.md).
//!
//! | | |
//! |---|---|
//! | `GET /sign-in/oidc/start?to=PAGE` | leads to the provider; `to` is a page of one of the apps |
//! | `GET /sign-in/oidc/back` | where it leads back to: to the page with a session, or to the console with the name of why not |
//!
//! Whoever begins gets a cookie without which nobody comes back ([`zhiyin_engine::sign_in::oidc`]). Nobody is led to a page that is not one
//! of ours, whatever an address says.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_engine::clock;
use zhiyin_engine::members::NamesView;
use zhiyin_engine::sign_in::SignInProblem;
use zhiyin_engine::sign_in::oidc::{AWAY_US, OidcProblem};

use crate::api::Api;
use crate::api::endpoint::{Endpoint, Kind};
use crate::api::input::Nothing;
use crate::app_sign_in::own_address;
use crate::problem::Problem;
use crate::sign_in::{Visit, front};

/// Where somebody begins, and where they come back to.
const START: &str = "/sign-in/oidc/start";
const BACK: &str = "/sign-in/oidc/back";
/// Where whoever is not let in reads why.
const REFUSED: &str = "/console/?refused=";
/// The cookie's name by https, and elsewhere.
const COOKIE: (&str, &str) = ("__Host-zhiyin-oidc", "zhiyin-oidc");
/// The longest word that anybody brings here, in bytes.
const WORD_BYTES_MAX: usize = 4_096;

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new().route(START, get(start)).route(BACK, get(back))
}

/// What is answered at the door.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::door((Kind::Query, Method::GET), ("session_ways", "/v1/session/ways"), ways).says(
        "How people sign in",
        "登录方式",
        "By a password, by the brand's provider, or both. Anybody may ask.",
    )]
}

/// The brand's provider of sign-in.
#[derive(Serialize, JsonSchema)]
struct ByProvider {
    /// What it is called.
    name: NamesView,
    /// Where a browser begins; `to` beside it is the page to come back to.
    start: &'static str,
}

/// How people sign in.
#[derive(Serialize, JsonSchema)]
struct SignInWays {
    /// Whether passwords are taken.
    password: bool,
    /// The provider, where there is one.
    oidc: Option<ByProvider>,
}

async fn ways(visit: Visit, _: Nothing) -> Result<Json<SignInWays>, Problem> {
    let sign_in = &visit.api.sign_in;
    let oidc = sign_in.oidc().filter(|_| address(&visit).is_some()).map(|oidc| {
        let name = &oidc.settings().name;
        ByProvider { name: NamesView { zh: Some(name.zh.clone()), en: Some(name.en.clone()) }, start: START }
    });
    Ok(Json(SignInWays { password: sign_in.takes_passwords(), oidc }))
}

/// Where people reach this home: it says so itself, or it is on this machine.
fn address(visit: &Visit) -> Option<String> {
    let said = visit.api.front.public_url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
    said.or_else(|| own_address(&visit.headers))
}

/// What an address says under a name.
fn said(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(one, _)| one == name).map(|(_, value)| value.into_owned());
    found.filter(|value| value.len() <= WORD_BYTES_MAX)
}

fn leads(to: &str, cookies: &[String]) -> Response {
    let heads = [
        (header::LOCATION, to),
        (header::CACHE_CONTROL, "no-store"),
        // What stands in these addresses is nobody's business elsewhere.
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let mut response = StatusCode::FOUND.into_response();
    for (name, value) in heads {
        match HeaderValue::try_from(value) {
            Ok(value) => drop(response.headers_mut().insert(name, value)),
            Err(_) => return Problem::of("reading_failed").response(crate::language::Language::En),
        }
    }
    for cookie in cookies {
        if let Ok(value) = HeaderValue::try_from(cookie.as_str()) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}

/// Away with the cookie, whichever of both there is.
fn gone() -> [String; 2] {
    [true, false].map(|secure| front::cookie_of(COOKIE, secure, "", 0))
}

fn not_in(problem: &Problem) -> Response {
    leads(&format!("{REFUSED}{}", problem.name()), &gone())
}

fn off() -> Problem {
    Problem::from(SignInProblem::Oidc(OidcProblem::Off))
}

async fn start(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let visit = Visit::of(api, &head);
    let to = said(head.uri.query().unwrap_or_default(), "to");
    let Some(here) = address(&visit) else { return not_in(&off()) };
    let (back, from) = (format!("{here}{BACK}"), visit.counted());
    match visit.api.sign_in.oidc_begin((&back, &from), to.as_deref(), clock::wall()).await {
        Ok((url, cookie)) => {
            leads(&url, &[front::cookie_of(COOKIE, visit.secure, &cookie, AWAY_US / 1_000_000)])
        }
        Err(error) => not_in(&error.into()),
    }
}

async fn back(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let visit = Visit::of(api, &head);
    match came_back(&visit, head.uri.query().unwrap_or_default()).await {
        Ok(response) => response,
        Err(problem) => not_in(&problem),
    }
}

async fn came_back(visit: &Visit, query: &str) -> Result<Response, Problem> {
    let here = address(visit).ok_or_else(off)?;
    let state_wrong = || Problem::from(SignInProblem::Oidc(OidcProblem::State));
    let cookie = front::tokens_of(COOKIE, &visit.api.front, &visit.headers).into_iter().next();
    let (Some(cookie), Some(state)) = (cookie, said(query, "state")) else { return Err(state_wrong()) };
    let (code, error) = (said(query, "code"), said(query, "error"));
    let code = match (&code, &error) {
        (Some(code), None) => Ok(code.as_str()),
        (_, Some(error)) => Err(error.as_str()),
        (None, None) => return Err(state_wrong()),
    };
    let (now, back, from) = (clock::wall(), format!("{here}{BACK}"), visit.counted());
    let came = visit.api.sign_in.oidc_end((&cookie, &state), code, (&back, &from), now).await?;
    for before in front::tokens_of(crate::sign_in::COOKIE, &visit.api.front, &visit.headers) {
        visit.api.sign_in.replaced(&before, now).await?;
    }
    let seconds = (came.at.session.ends_at.0 - now.0) / 1_000_000;
    let session =
        front::cookie_of(crate::sign_in::COOKIE, visit.secure, came.at.token.reveal(), seconds.max(0));
    let [one, other] = gone();
    Ok(leads(&came.to, &[session, one, other]))
}
