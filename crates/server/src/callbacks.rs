//! What platforms tell: `GET` and `POST /v1/callbacks/wecom/ACCOUNT`, without a key, since who speaks shows it by signing.
//!
//! `GET` answers whether this address is the account's. `POST` is answered 200 with nothing in it once what was told is on disk, and
//! not before: whoever tells tries again where it is not. Whoever does not sign as agreed learns no more than that it was refused; why is
//! counted, and a line of the log without a word of what came.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use zhiyin_engine::Engine;
use zhiyin_engine::arrivals::door::{ArrivalDoor, NotTaken};
use zhiyin_engine::arrivals::{BYTES_MAX, CallbackProblem, Callbacks, Signed};

use crate::api::Api;

/// Where WeCom's callbacks come.
pub(crate) const PATH: &str = "/v1/callbacks/wecom/{account}";
/// How many are taken in a second, of all accounts: WeCom speaks no faster than a corp's staff are added.
const PER_SECOND: NonZeroU32 = match NonZeroU32::new(10_000) {
    Some(n) => n,
    None => NonZeroU32::MIN,
};
/// How many are held at once: each is 64 KiB at most.
const AT_ONCE: usize = 512;
/// How long a body may take to come in.
const BODY_WITHIN: Duration = Duration::from_secs(3);
/// WeCom waits five seconds for an answer.
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
    /// For the accounts of these names.
    pub(crate) fn new(engine: Arc<Engine>, accounts: BTreeMap<String, Callbacks>) -> Self {
        let rate = RateLimiter::direct(Quota::per_second(PER_SECOND));
        Self { door: ArrivalDoor::new(engine, accounts), rate, places: Semaphore::new(AT_ONCE) }
    }
}

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new().route(PATH, get(echo).post(receive))
}

/// What the address says.
#[derive(Debug, Default, Deserialize)]
struct Said {
    msg_signature: Option<String>,
    timestamp: Option<String>,
    nonce: Option<String>,
    echostr: Option<String>,
}

impl Said {
    fn signed(&self) -> Signed<'_> {
        Signed {
            signature: self.msg_signature.as_deref(),
            timestamp: self.timestamp.as_deref(),
            nonce: self.nonce.as_deref(),
        }
    }
}

/// An answer with nothing in it.
fn empty(status: StatusCode) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")]).into_response()
}

fn refused(why: NotTaken) -> Response {
    empty(match why {
        NotTaken::AccountUnknown => StatusCode::NOT_FOUND,
        NotTaken::Problem(CallbackProblem::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
        NotTaken::Problem(_) => StatusCode::FORBIDDEN,
    })
}

fn said(query: Result<Query<Said>, QueryRejection>) -> Said {
    // What nobody can read says nothing, which is refused by name.
    query.map(|Query(said)| said).unwrap_or_default()
}

async fn echo(
    State(api): State<Arc<Api>>,
    Path(account): Path<String>,
    query: Result<Query<Said>, QueryRejection>,
) -> Response {
    if api.arriving.rate.check().is_err() {
        return empty(StatusCode::TOO_MANY_REQUESTS);
    }
    let said = said(query);
    // Base64 has no blanks: where one stands, a plus was not written as addresses are.
    let asked = said.echostr.as_deref().unwrap_or_default().replace(' ', "+");
    match api.arriving.door.echo(&account, said.signed(), &asked) {
        Ok(plain) => {
            let mut response = plain.into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(why) => refused(why),
    }
}

async fn receive(
    State(api): State<Arc<Api>>,
    Path(account): Path<String>,
    query: Result<Query<Said>, QueryRejection>,
    body: Body,
) -> Response {
    let arriving = &api.arriving;
    let place = arriving.places.try_acquire();
    let (Ok(_place), Ok(())) = (place, arriving.rate.check()) else {
        return empty(StatusCode::TOO_MANY_REQUESTS);
    };
    let body = match timeout(BODY_WITHIN, read(body)).await {
        Ok(Ok(body)) => body,
        Ok(Err(TooLarge)) => return refused(arriving.door.turned_away(CallbackProblem::TooLarge)),
        Err(_) => return empty(StatusCode::REQUEST_TIMEOUT),
    };
    let said = said(query);
    match timeout(ANSWER_WITHIN, arriving.door.receive(&account, said.signed(), &body)).await {
        Ok(Ok(Ok(_))) => empty(StatusCode::OK),
        Ok(Ok(Err(why))) => refused(why),
        Ok(Err(error)) => {
            tracing::error!(%error, "a callback was not kept: it is not answered well, and comes again");
            empty(StatusCode::SERVICE_UNAVAILABLE)
        }
        Err(_) => {
            tracing::error!("a callback was not kept in time: it is not answered well, and comes again");
            empty(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

struct TooLarge;

/// Reads a body as far as it may go; what is too large goes by. One that is cut off is read as it is: it is no XML then.
async fn read(mut body: Body) -> Result<Vec<u8>, TooLarge> {
    let (mut held, mut passed) = (Vec::new(), 0_usize);
    while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(bytes) = frame.into_data() else { continue };
        passed = passed.saturating_add(bytes.len());
        if passed > PASSED_BYTES_MAX {
            break;
        }
        if passed <= BYTES_MAX {
            held.extend_from_slice(&bytes);
        }
    }
    if passed > BYTES_MAX { Err(TooLarge) } else { Ok(held) }
}
