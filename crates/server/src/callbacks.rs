//! What platforms tell: `GET` and `POST /v1/callbacks/CHANNEL/ACCOUNT`, without a key, since who speaks shows it by signing.
//!
//! `GET` answers whether this address is the account's. `POST` is answered 200, with nothing in it but what the channel asks for, once what was told is on disk, and
//! not before: whoever tells tries again where it is not. Whoever does not sign as agreed learns no more than that it was refused; why is
//! counted, and a line of the log without a word of what came. Which kinds of channel there are nothing here knows.

use std::future::poll_fn;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use zhiyin_engine::Engine;
use zhiyin_engine::arrivals::door::ArrivalDoor;
use zhiyin_engine::arrivals::{Brought, Doors, How, Refused};

use crate::api::Api;

/// Where callbacks come.
pub(crate) const PATH: &str = "/v1/callbacks/{channel}/{account}";
/// How many are taken in a second, of all accounts: platforms speak no faster than a business goes.
const PER_SECOND: NonZeroU32 = match NonZeroU32::new(10_000) {
    Some(n) => n,
    None => NonZeroU32::MIN,
};
/// How many are held at once: each is 64 KiB at most, of shops 256 KiB.
const AT_ONCE: usize = 512;
/// How long a body may take to come in.
const BODY_WITHIN: Duration = Duration::from_secs(3);
/// Platforms wait five seconds for an answer.
const ANSWER_WITHIN: Duration = Duration::from_millis(4_500);
/// So much of a body that is too large is let go by, so that its sender reads the answer.
const PASSED_BYTES_MAX: usize = 1024 * 1024;

/// The door for platforms.
pub(crate) struct Arriving {
    door: ArrivalDoor,
    rate: DefaultDirectRateLimiter,
    places: Semaphore,
}

impl Arriving {
    /// For these doors.
    pub(crate) fn new(engine: Arc<Engine>, doors: Doors) -> Self {
        let rate = RateLimiter::direct(Quota::per_second(PER_SECOND));
        Self { door: ArrivalDoor::new(engine, doors), rate, places: Semaphore::new(AT_ONCE) }
    }
}

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new().route(PATH, get(echo).post(receive))
}

/// The most names of an address, and lines of a head, that are looked at.
const NAMES_MAX: usize = 64;

/// What an address says, decoded. What nobody can read says nothing, which is refused by name.
fn said(query: Option<&str>) -> Vec<(String, String)> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.take(NAMES_MAX).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// What a head says, as far as it is text.
fn heads(headers: &HeaderMap) -> Vec<(String, String)> {
    let texts = headers.iter().filter_map(|(name, value)| Some((name, value.to_str().ok()?)));
    texts.take(NAMES_MAX).map(|(name, value)| (name.as_str().to_owned(), value.to_owned())).collect()
}

/// An answer with nothing in it.
fn empty(status: StatusCode) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")]).into_response()
}

/// An answer with what the channel asks for.
fn with(status: StatusCode, says: &'static str) -> Response {
    if says.is_empty() {
        return empty(status);
    }
    let kind = if says.starts_with('{') { "application/json" } else { "text/plain; charset=utf-8" };
    (status, [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_TYPE, kind)], says).into_response()
}

fn refused(why: Refused, says: &'static str) -> Response {
    let status = match why.how {
        How::Nowhere => StatusCode::NOT_FOUND,
        How::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        How::Forbidden => StatusCode::FORBIDDEN,
    };
    with(status, says)
}

async fn echo(
    State(api): State<Arc<Api>>,
    Path((channel, account)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    if api.arriving.rate.check().is_err() {
        return empty(StatusCode::TOO_MANY_REQUESTS);
    }
    let query = said(query.as_deref());
    let brought = Brought { query: &query, ..Brought::default() };
    match api.arriving.door.echo((&channel, &account), brought) {
        Ok(plain) => {
            let mut response = plain.into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(why) => refused(why, ""),
    }
}

async fn receive(
    State(api): State<Arc<Api>>,
    Path((channel, account)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let arriving = &api.arriving;
    let says = arriving.door.not_well(&channel, &account);
    let place = arriving.places.try_acquire();
    let (Ok(_place), Ok(())) = (place, arriving.rate.check()) else {
        return with(StatusCode::TOO_MANY_REQUESTS, says);
    };
    let bytes_max = arriving.door.body_bytes_max(&channel, &account);
    let body = match timeout(BODY_WITHIN, read(body, bytes_max)).await {
        Ok(Ok(body)) => body,
        Ok(Err(TooLarge)) => return refused(arriving.door.too_large(&channel), says),
        Err(_) => return with(StatusCode::REQUEST_TIMEOUT, says),
    };
    let (query, heads) = (said(query.as_deref()), heads(&headers));
    let brought = Brought { query: &query, heads: &heads, body: &body };
    match timeout(ANSWER_WITHIN, arriving.door.receive((&channel, &account), brought)).await {
        Ok(Ok(Ok(_))) => with(StatusCode::OK, arriving.door.well(&channel, &account)),
        Ok(Ok(Err(why))) => refused(why, says),
        Ok(Err(error)) => {
            tracing::error!(%error, "a callback was not kept: it is not answered well, and comes again");
            with(StatusCode::SERVICE_UNAVAILABLE, says)
        }
        Err(_) => {
            tracing::error!("a callback was not kept in time: it is not answered well, and comes again");
            with(StatusCode::SERVICE_UNAVAILABLE, says)
        }
    }
}

struct TooLarge;

/// Reads a body as far as it may go; what is too large goes by. One that is cut off is read as it is: it is no XML then.
async fn read(mut body: Body, bytes_max: usize) -> Result<Vec<u8>, TooLarge> {
    let (mut held, mut passed) = (Vec::new(), 0_usize);
    while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(bytes) = frame.into_data() else { continue };
        passed = passed.saturating_add(bytes.len());
        if passed > PASSED_BYTES_MAX {
            break;
        }
        if passed <= bytes_max {
            held.extend_from_slice(&bytes);
        }
    }
    if passed > bytes_max { Err(TooLarge) } else { Ok(held) }
}
