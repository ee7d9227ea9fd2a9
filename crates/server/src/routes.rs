//! Which address answers what, and what holds for every answer: its bounds, its headers, its line in the log.
//!
//! | address | answers |
//! |---|---|
//! | `/` | the overview page, which asks for a key where one is needed |
//! | `/v1/overview` | its numbers, at most a second old |
//! | `/healthz` | 200 as long as the process serves |
//! | `/readyz` | 200 when work can be taken, else 503; also when the store does not answer in time |
//! | `/metrics` | what is measured, as Prometheus reads it, at most a second old |
//! | `/v1/…` | the API ([`crate::api`]) |
//! | `/l/CODE`, `/q/CODE` | where a short link leads, to whoever clicks it or scans its code ([`crate::follow`]) |
//! | `/v1/apps/…` | signing in to the brand's apps on platforms ([`crate::app_sign_in`]) |
//! | `/v1/callbacks/…` | what platforms tell, who sign it ([`crate::callbacks`]) |
//! | `/console/…`, `/m/…`, `/a/…`, `/pos/…` | the web apps ([`crate::apps`]) |
//! | `/openapi.json`, `/docs` | what the API is, for programs and for people |

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, MatchedPath, Query, Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::time::{Instant, timeout};
use zhiyin_engine::audience::patience::PATIENCE_MAX_SECONDS;

use crate::api::Api;
use crate::language::Language;
use crate::page::{Page, PageQuery};
use crate::problem::Problem;
use crate::readings::{OverviewMemory, ReadingError, Readings};
use crate::serve::Limits;

struct Served {
    api: Option<Arc<Api>>,
    readings: Arc<dyn Readings>,
    overview: OverviewMemory,
    page: Page,
    ready_within: Duration,
}

/// All routes with their bounds, headers and logs; what [`crate::serve_within`] serves.
pub fn router(readings: Arc<dyn Readings>, api: Option<Arc<Api>>, limits: &Limits) -> Router {
    let overview = OverviewMemory::new(readings.clone());
    let served = Arc::new(Served {
        api: api.clone(),
        readings,
        overview,
        page: Page::new(),
        ready_within: limits.ready,
    });
    let operations = api.as_ref().map(crate::api::routes).unwrap_or_default();
    Router::new()
        .route("/", get(page))
        .route("/v1/overview", get(overview_json))
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(served)
        .merge(operations)
        .merge(crate::apps::routes())
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(DefaultBodyLimit::max(limits.body_bytes_max))
        .layer(from_fn_with_state((limits.request, limits.body_bytes_max), bounded))
        .layer(from_fn(guarded))
        .layer(from_fn(logged))
}

impl Served {
    /// Whether somebody may read the sums of the whole home. Where there is no API, there are no keys either.
    async fn may_read_sums(&self, headers: &HeaderMap) -> Result<(), Problem> {
        match &self.api {
            Some(api) => api.may_read_sums(headers).await,
            None => Ok(()),
        }
    }
}

async fn page(
    State(served): State<Arc<Served>>,
    query: Result<Query<PageQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    // An address nobody can read asks for nothing in particular: it gets the page as it comes.
    let query = query.map(|Query(query)| query).unwrap_or_default();
    served.page.response(&query, &headers)
}

async fn overview_json(State(served): State<Arc<Served>>, headers: HeaderMap) -> Response {
    if let Err(problem) = served.may_read_sums(&headers).await {
        return problem.response(Language::accepted(&headers));
    }
    let problem = match served.overview.json().await {
        Ok(json) => {
            let kind = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            return (kind, json).into_response();
        }
        Err(ReadingError::Unavailable { .. }) => Problem::of("reading_unavailable"),
        Err(ReadingError::Failed { .. }) => Problem::of("reading_failed"),
    };
    problem.response(Language::accepted(&headers))
}

async fn alive() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "status": "alive" }))).into_response()
}

async fn ready(State(served): State<Arc<Served>>, headers: HeaderMap) -> Response {
    let waited = timeout(served.ready_within, served.readings.ready()).await;
    match waited.unwrap_or_else(|_| Err("the store does not answer in time".to_owned())) {
        Ok(()) => ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "status": "ready" }))).into_response(),
        Err(reason) => {
            tracing::warn!(reason, "not ready");
            Problem::of("not_ready").response(Language::accepted(&headers))
        }
    }
}

async fn metrics(State(served): State<Arc<Served>>, headers: HeaderMap) -> Response {
    if let Err(problem) = served.may_read_sums(&headers).await {
        return problem.response(Language::accepted(&headers));
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4"), (header::CACHE_CONTROL, "no-store")];
    (kind, served.readings.metrics().await).into_response()
}

async fn not_found(headers: HeaderMap) -> Response {
    Problem::of("not_found").response(Language::accepted(&headers))
}

async fn method_not_allowed(headers: HeaderMap) -> Response {
    Problem::of("method_not_allowed").response(Language::accepted(&headers))
}

/// Refuses a body that says it is too large, and gives up on an answer that takes too long.
async fn bounded(
    State((within, body_bytes_max)): State<(Duration, usize)>,
    request: Request,
    next: Next,
) -> Response {
    let language = Language::accepted(request.headers());
    // Whoever asks of everybody says how long they wait; that is bounded where it is read.
    let path = request.uri().path();
    let within = match path.starts_with("/v1/audiences") || path.ends_with("/why") {
        true => within.max(Duration::from_secs(u64::from(PATIENCE_MAX_SECONDS) + 5)),
        false => within,
    };
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > body_bytes_max as u64) {
        return Problem::of("body_too_large").response(language);
    }
    match timeout(within, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::of("took_too_long").response(language),
    }
}

/// Headers that keep a browser from doing with an answer what it is not for.
async fn guarded(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // The page brings its own policy; everything else is data and may load nothing at all.
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}

/// One line per request. The path is the route's pattern and never the address itself, which may name a person.
async fn logged(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("(none)", MatchedPath::as_str);
    let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    tracing::info!(%method, route, status = response.status().as_u16(), took_us, "request");
    response
}
