//! What a sender is answered: `{"success": true}` as Segment does, on request with what became of each item; or why nothing
//! was taken.

use axum::Json;
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::delivery::Taken;
use zhiyin_model::event::Refusal;

use crate::language::Language;
use crate::problem::{Details, Problem};

/// Why a whole delivery is refused. Nothing of it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    problem: Box<Problem>,
    /// Whether the body as a whole does not read: 400, as clients of this family know it, whatever is wrong with it.
    unreadable: bool,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self { problem: Box::new(problem), unreadable: false }
    }
}

/// A problem, and what some clients of this family look for in it.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    details: Details,
    message: String,
}

impl Refused {
    /// A body that does not read.
    pub(super) fn unreadable(refusal: Refusal) -> Self {
        Self { problem: Box::new(refusal.into()), unreadable: true }
    }

    /// The answer: a problem (RFC 9457).
    pub(super) fn response(self, language: Language) -> Response {
        let mut details = self.problem.details(language);
        let mut response = self.problem.response(language);
        if self.unreadable {
            *response.status_mut() = StatusCode::BAD_REQUEST;
            details.status = StatusCode::BAD_REQUEST.as_u16();
        }
        let message = details.detail.clone().unwrap_or_else(|| details.title.to_owned());
        let (head, _) = response.into_parts();
        let body = Json(Told { details, message }).into_response().into_body();
        let mut response = Response::from_parts(head, body);
        // It is longer by the message now.
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response
    }
}

/// What asks for the verdict on each item (RFC 7240).
const PREFER: HeaderName = HeaderName::from_static("prefer");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const REPRESENTATION: &str = "return=representation";

/// Whether a sender wants to know what became of each item.
pub(super) fn wants_verdicts(headers: &HeaderMap) -> bool {
    let mut said = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    said.any(|value| value.split([',', ';']).any(|one| one.trim().eq_ignore_ascii_case(REPRESENTATION)))
}

/// What a sender is answered whose delivery was taken.
#[derive(Serialize, JsonSchema)]
pub(super) struct Delivered {
    /// Always: what was taken is on disk.
    success: bool,
    /// Always 1: what PostHog's clients look at.
    status: u8,
    /// What became of each item, in their order; only with `Prefer: return=representation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Vec<ItemResult>>,
}

/// What became of an item.
#[derive(Serialize, JsonSchema)]
pub(super) struct ItemResult {
    /// Its place in the delivery, from 0.
    index: usize,
    /// What the sender calls it.
    #[serde(rename = "messageId", skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    /// `accepted`, `duplicate` (it came before) or `refused`.
    verdict: &'static str,
    /// Why it was refused: a stable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// The field at fault, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// How many of its names were given up: they contradict more telling ones, or go beyond a limit.
    #[serde(skip_serializing_if = "is_none")]
    given_up: u8,
}

fn is_none(n: &u8) -> bool {
    *n == 0
}

/// All is well.
pub(super) fn success() -> Response {
    Json(Delivered { success: true, status: 1, results: None }).into_response()
}

/// All is well, and what became of each item; `ids` are what the sender calls them.
pub(super) fn verdicts(taken: Vec<Taken>, ids: Vec<Option<String>>) -> Response {
    let results = taken.into_iter().zip(ids).enumerate().map(|(index, (taken, message_id))| {
        let (verdict, refusal) = match taken.verdict {
            Verdict::Accepted => ("accepted", None),
            Verdict::Duplicate => ("duplicate", None),
            Verdict::Refused(refusal) => ("refused", Some(refusal)),
        };
        ItemResult {
            index,
            message_id,
            verdict,
            code: refusal.as_ref().map(|refusal| refusal.code),
            field: refusal.as_ref().map(|refusal| refusal.field.clone()).filter(|field| !field.is_empty()),
            message: refusal.map(|refusal| refusal.message),
            given_up: taken.given_up,
        }
    });
    let body = Delivered { success: true, status: 1, results: Some(results.collect()) };
    ([(APPLIED, REPRESENTATION)], Json(body)).into_response()
}

/// What lets a browser's page of another origin send, and read the answer. No cookie means anything here, so whoever holds a key
/// may send from anywhere.
pub(super) fn cors(asked: &HeaderMap, answered: &mut HeaderMap) {
    let origin = asked.get(header::ORIGIN);
    let allowed = origin.cloned().unwrap_or(HeaderValue::from_static("*"));
    answered.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if origin.is_some() {
        // A beacon brings the page's credentials along whether it wants to or not.
        answered.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    answered.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    answered.insert(header::VARY, HeaderValue::from_static("origin, accept-language"));
    answered.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// The answer to a browser that asks whether it may send.
pub(super) fn preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    cors(asked, headers);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).filter(|names| names.len() <= 1_024);
    let wanted = wanted.cloned().unwrap_or(HeaderValue::from_static("authorization, content-type"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}
