//! The way in by HTTP: Segment's wire, and what speaks something close to it.
//!
//! | address | whose |
//! |---|---|
//! | `/v1/{identify,track,page,screen,group,alias,batch,import}`, `/v1/{i,t,p,s,g,a,b}` | Segment's, RudderStack's, Customer.io's clients |
//! | `/beacon/v1/batch` | RudderStack's, when a page is left |
//! | `/batch/`, `/capture/`, `/e/`, `/i/v0/e/` | PostHog's |
//! | `/api/s/{type}`, `/api/s/s2s/{type}` | Jitsu's |
//! | `/api/public/apps/{type}` | Dittofeed's |
//!
//! All of them are one: a key is found ([`secret`]), a body is read within bounds ([`body`]), taken apart into items
//! ([`delivery`]), and the engine takes those. A sender without a key learns nothing of what it sent.

mod answer;
mod body;
mod delivery;
mod described;
mod posthog;
mod secret;
mod text;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts as Head;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::post;
use zhiyin_engine::delivery::{Delivery, Sender, Terms, Unwelcome};
use zhiyin_engine::{Engine, EngineError};
use zhiyin_store::StoreError;

use crate::api::Api;
use crate::language::Language;
use crate::problem::Problem;
use answer::Refused;
use body::Room;
use delivery::{Form, Parts};
pub(crate) use described::endpoints;

/// Segment's types of items.
const KINDS: [&str; 6] = ["identify", "track", "page", "screen", "group", "alias"];
/// After how many seconds it is worth sending again what came while the inbox was behind.
const BEHIND_SECONDS: u64 = 5;

/// How what programs send is taken, and how much of it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// As the engine takes it.
    pub terms: Terms,
    /// How many deliveries are worked on at once.
    pub at_work: usize,
    /// How long a body may take to come in.
    pub body_within: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { terms: Terms::default(), at_work: 64, body_within: Duration::from_secs(10) }
    }
}

/// The way in by HTTP, of one home.
pub(crate) struct Wire {
    delivery: Delivery,
    room: Room,
}

/// Its addresses.
pub(crate) fn routes() -> Router<Arc<Api>> {
    let mut routes = Router::new();
    for (address, form) in addresses() {
        let receive =
            async move |State(api): State<Arc<Api>>, request: Request| receive(&api, form, request).await;
        let preflight = async move |headers: HeaderMap| answer::preflight(&headers);
        routes = routes.route(&address, post(receive).options(preflight));
    }
    routes
}

async fn receive(api: &Api, form: Form, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let taken = api.wire.take(api, form, &head, body).await;
    let mut response = taken.unwrap_or_else(|refused| refused.response(Language::accepted(&head.headers)));
    answer::cors(&head.headers, response.headers_mut());
    response
}

impl Wire {
    /// The way into this engine's home.
    pub(crate) fn new(engine: Arc<Engine>, bounds: Bounds) -> Self {
        let room = Room::new(bounds.at_work, bounds.body_within);
        Self { delivery: Delivery::new(engine, bounds.terms), room }
    }

    async fn take(&self, api: &Api, form: Form, head: &Head, body: Body) -> Result<Response, Refused> {
        let mut sender = match self.sender(api, &secret::in_head(head)).await {
            Ok(sender) => sender,
            Err(problem) => {
                self.room.pass_over(body).await;
                return Err(problem.into());
            }
        };
        let mut held = self.room.read(body, sender.is_some()).await?;
        // Held until the answer is there.
        let _place = self.room.place()?;
        let encoding = head.headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        let parts = match held.plain(encoding.unwrap_or_default()) {
            Ok(()) => {
                text::whole_characters(&mut held.bytes);
                Parts::of(form, &held.bytes)
            }
            Err(problem) => Err(problem.into()),
        };
        // Who has not shown a key is told nothing of what is wrong with a body in which none is found.
        let parts = match sender {
            Some(_) => parts?,
            None => parts.map_err(|_| Problem::of("key_missing"))?,
        };
        if sender.is_none() {
            sender = self.sender(api, &secret::in_body(&parts.with_keys())).await?;
        }
        let Some(sender) = sender else { return Err(Problem::of("key_missing").into()) };
        let taken = self.delivery.take(&sender, parts.items()).await.map_err(failed)?;
        Ok(match answer::wants_verdicts(&head.headers) {
            true => answer::verdicts(taken, parts.ids()),
            false => answer::success(),
        })
    }

    /// Who sends, by the first of these secrets that is good, if they may send now; `None` where there is none at all.
    async fn sender(&self, api: &Api, secrets: &[String]) -> Result<Option<Sender>, Problem> {
        let mut refused = None;
        for secret in secrets {
            match self.delivery.sender(secret).await? {
                Ok(sender) => {
                    api.rates.take(sender.source())?;
                    if self.delivery.is_behind() {
                        return Err(Problem::of("inbox_behind").after(BEHIND_SECONDS));
                    }
                    return Ok(Some(sender));
                }
                Err(Unwelcome::Refused(why)) => refused = Some(Problem::of(why.code())),
                Err(Unwelcome::Denied(denied)) => refused = Some(denied.into()),
            }
        }
        refused.map_or(Ok(None), Err)
    }
}

/// All addresses, each with the form of its bodies.
fn addresses() -> Vec<(String, Form)> {
    let mut all = Vec::new();
    // Some clients end an address with a slash, and some do not.
    let mut add = |address: String, form| all.extend([(format!("{address}/"), form), (address, form)]);
    for kind in KINDS {
        for prefix in ["/v1", "/api/s", "/api/s/s2s", "/api/public/apps"] {
            add(format!("{prefix}/{kind}"), Form::One(kind));
        }
        // Browsers say only how a type begins.
        add(format!("/v1/{}", &kind[..1]), Form::One(kind));
    }
    for batch in [
        "/v1/batch",
        "/v1/import",
        "/v1/b",
        "/beacon/v1/batch",
        "/api/s/batch",
        "/api/s/s2s/batch",
        "/api/public/apps/batch",
    ] {
        add(batch.to_owned(), Form::Batch);
    }
    for address in ["/batch", "/capture", "/e", "/i/v0/e"] {
        add(address.to_owned(), Form::PostHog);
    }
    all
}

/// What a sender may know of what went wrong; the rest is for the log.
fn failed(error: EngineError) -> Problem {
    match error {
        EngineError::Store(StoreError::SourceNamespace { .. }) => Problem::of("source_namespace"),
        error => error.into(),
    }
}
