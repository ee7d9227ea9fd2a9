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
mod posthog;
mod secret;

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

use crate::language::Language;
use answer::Refused;
use body::Room;
use delivery::{Form, Parts};

/// Segment's types of items.
const KINDS: [&str; 6] = ["identify", "track", "page", "screen", "group", "alias"];

/// The way in by HTTP, of one home.
pub struct Wire {
    delivery: Delivery,
    room: Room,
}

impl Wire {
    /// The way into this engine's home.
    pub fn new(engine: Arc<Engine>, terms: Terms) -> Self {
        Self { delivery: Delivery::new(engine, terms), room: Room::default() }
    }

    /// The same with other bounds: how many deliveries are worked on at once, and how long a body may take to come in.
    pub fn within(self, at_work: usize, body: Duration) -> Self {
        Self { room: Room::with(at_work, body), ..self }
    }

    /// Its addresses.
    pub fn routes(self) -> Router {
        let mut routes = Router::new();
        for (address, form) in addresses() {
            let receive = move |State(wire): State<Arc<Self>>, request: Request| async move {
                wire.receive(form, request).await
            };
            let preflight = |headers: HeaderMap| async move { answer::preflight(&headers) };
            routes = routes.route(&address, post(receive).options(preflight));
        }
        routes.with_state(Arc::new(self))
    }

    async fn receive(&self, form: Form, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let taken = self.take(form, &head, body).await;
        let mut response = taken.unwrap_or_else(|refused| {
            tracing::debug!(code = refused.code(), "a delivery was refused");
            refused.response(Language::accepted(&head.headers))
        });
        answer::cors(&head.headers, response.headers_mut());
        response
    }

    async fn take(&self, form: Form, head: &Head, body: Body) -> Result<Response, Refused> {
        let mut sender = match self.sender(&secret::in_head(head)).await {
            Ok(sender) => sender,
            Err(refused) => {
                self.room.pass_over(body).await;
                return Err(refused);
            }
        };
        if sender.is_some() && self.delivery.is_behind() {
            self.room.pass_over(body).await;
            return Err(Refused::Behind);
        }
        let mut held = self.room.read(body, sender.is_some()).await?;
        // Held until the answer is there.
        let _place = self.room.place()?;
        let encoding = head.headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        let parts = match held.plain(encoding.unwrap_or_default()) {
            Ok(()) => Parts::of(form, &held.bytes),
            Err(refused) => Err(refused),
        };
        // Who has not shown a key is told nothing of what is wrong with a body in which none is found.
        let parts = if sender.is_some() { parts? } else { parts.map_err(|_| Refused::Stranger)? };
        if sender.is_none() {
            sender = self.sender(&secret::in_body(&parts.with_keys())).await?;
            if sender.is_some() && self.delivery.is_behind() {
                return Err(Refused::Behind);
            }
        }
        let Some(sender) = sender else { return Err(Refused::Stranger) };
        let taken = self.delivery.take(&sender, parts.items()).await.map_err(failed)?;
        Ok(match answer::wants_verdicts(&head.headers) {
            true => answer::verdicts(&taken, &parts.ids()),
            false => answer::success(),
        })
    }

    /// Who sends, by the first of these secrets that is good; `None` where there is none at all.
    async fn sender(&self, secrets: &[String]) -> Result<Option<Sender>, Refused> {
        let mut refused = None;
        for secret in secrets {
            match self.delivery.sender(secret).await.map_err(failed)? {
                Ok(sender) => return Ok(Some(sender)),
                Err(unwelcome) => refused = Some(unwelcome),
            }
        }
        match refused {
            None => Ok(None),
            Some(Unwelcome::Refused(zhiyin_engine::keys::Refused::Unknown)) => Err(Refused::Stranger),
            Some(unwelcome) => Err(Refused::Unwelcome(unwelcome)),
        }
    }
}

/// All addresses, each with the form of its bodies.
fn addresses() -> Vec<(String, Form)> {
    let mut all = Vec::new();
    let mut add = |address: String, form| all.push((address, form));
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
        add(format!("{address}/"), Form::PostHog);
    }
    all
}

/// What a sender may know of what went wrong; the rest is for the log.
fn failed(error: EngineError) -> Refused {
    match error {
        EngineError::Store(StoreError::SourceNamespace { .. }) => Refused::NamespaceChanged,
        EngineError::Store(StoreError::Unreachable(why)) => {
            tracing::warn!(why, "a delivery was not taken: the store does not answer");
            Refused::Unavailable
        }
        error => {
            tracing::error!(%error, "a delivery was not taken");
            Refused::Failed
        }
    }
}
