//! The API: typed operations, each declared once, from which come its route, its check against the table of roles, and its
//! place in the OpenAPI document.
//!
//! An operation is an [`Endpoint`]: method, path, what of the [matrix](zhiyin_model::role) it needs, what it takes and gives as
//! Rust types, how it may refuse, an example. Its handler gets a [`Caller`](caller::Caller) whose key was checked and whose
//! filter is worked out, and input that was read strictly. Read on in [`endpoint`], then in one of the files of operations.

mod arrivals;
pub(crate) mod audiences;
pub(crate) mod books;
mod brand;
pub(crate) mod caller;
mod campaigns;
mod changes;
mod channels;
mod checkout;
pub(crate) mod commands;
pub(crate) mod coupons;
pub(crate) mod document;
mod draws;
pub(crate) mod endpoint;
mod inbox;
pub(crate) mod input;
pub(crate) mod keys;
mod links;
mod lists;
mod payouts;
mod people;
mod posts;
pub(crate) mod rate;
pub(crate) mod reads;
pub(crate) mod reference;
mod sends;
mod simulations;
mod tills;
mod views;
mod ways;
pub(crate) mod webhooks;

use std::future::Future;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, get, on};
use zhiyin_engine::Engine;
use zhiyin_engine::apps::Apps;
use zhiyin_engine::arrivals::Doors;
use zhiyin_engine::channels::Channels;
use zhiyin_engine::me::{Me, Texts};
use zhiyin_engine::sign_in::SignIn;
use zhiyin_engine::sign_in::oidc::Oidc;
use zhiyin_model::role::{Bound, Operation};

use crate::app_sign_in::{self, AppDoor};
use crate::callbacks::{self, Arriving};
use crate::follow::{self, Follows};
use crate::language::Language;
use crate::me;
use crate::oidc;
use crate::problem::Problem;
use crate::sign_in::{self, Front, Visit};
use crate::unsubscribe;
use crate::wire::{self, Bounds, Wire};
use caller::Caller;
use endpoint::{Endpoint, Kind, Raw};
use rate::Rates;

/// How many masked fields one key or person is shown a minute.
const UNMASKED_A_MINUTE: NonZeroU32 = match NonZeroU32::new(10) {
    Some(n) => n,
    None => NonZeroU32::MIN,
};

/// What the operations work on.
pub struct Api {
    pub(crate) engine: Arc<Engine>,
    pub(crate) rates: Rates,
    /// The way in for programs.
    pub(crate) wire: Wire,
    /// Short links, for whoever follows one.
    pub(crate) follows: Follows,
    /// What platforms tell.
    pub(crate) arriving: Arriving,
    /// The brand's apps on platforms, for whoever signs in there.
    pub(crate) apps: AppDoor,
    /// The door for people.
    pub(crate) sign_in: SignIn,
    /// The door for members.
    pub(crate) me: Me,
    /// What stands before the server.
    pub(crate) front: Front,
    /// Whether the overview and what is measured are read without a key.
    open: bool,
    /// Held while a second person is asked, so that what comes twice at once asks once.
    pub(crate) asking: tokio::sync::Mutex<()>,
    /// The brand's accounts outside of the home.
    pub(crate) channels: OnceLock<Channels>,
    /// Held while one of them is checked: platforms are asked for nobody's pleasure.
    pub(crate) checking: tokio::sync::Mutex<()>,
    /// Fields that were shown unmasked, by who asked.
    pub(crate) unmasked: Rates,
    /// What is simulated.
    pub(crate) simulations: simulations::Simulations,
}

impl Api {
    /// Over this engine's home; a key is answered so many requests a second.
    pub fn new(engine: Arc<Engine>, requests_per_second: u32) -> Arc<Self> {
        Self::with(engine, requests_per_second, false, Bounds::default())
    }

    /// The same, where the overview and what is measured are read without a key: on a machine of one's own.
    pub fn open(engine: Arc<Engine>, requests_per_second: u32) -> Arc<Self> {
        Self::with(engine, requests_per_second, true, Bounds::default())
    }

    /// The same, where it is said how what programs send is taken.
    pub fn with(engine: Arc<Engine>, requests_per_second: u32, open: bool, bounds: Bounds) -> Arc<Self> {
        Self::receiving(engine, requests_per_second, open, bounds, Doors::new())
    }

    /// The same, where platforms tell accounts of these names what happens there.
    pub fn receiving(
        engine: Arc<Engine>,
        requests_per_second: u32,
        open: bool,
        bounds: Bounds,
        doors: Doors,
    ) -> Arc<Self> {
        Self::behind(Front::default(), engine, (requests_per_second, open), bounds, doors)
    }

    /// The same, where it is said what stands before the server; requests a second of a key, and whether sums are open.
    pub fn behind(
        front: Front,
        engine: Arc<Engine>,
        (requests_per_second, open): (u32, bool),
        bounds: Bounds,
        doors: Doors,
    ) -> Arc<Self> {
        let wire = Wire::new(Arc::clone(&engine), bounds);
        let rates = Rates::new(requests_per_second);
        let follows = Follows::new(Arc::clone(&engine));
        let arriving = Arriving::new(Arc::clone(&engine), doors);
        let sign_in = SignIn::new(Arc::clone(engine.store()), sign_in::fill);
        let me = Me::new(Arc::clone(&engine), sign_in::fill);
        let asking = tokio::sync::Mutex::default();
        let apps = AppDoor::default();
        let (channels, checking) = (OnceLock::new(), tokio::sync::Mutex::default());
        let simulations = simulations::Simulations::default();
        Arc::new(Self {
            engine,
            rates,
            wire,
            follows,
            arriving,
            apps,
            sign_in,
            me,
            front,
            open,
            asking,
            channels,
            checking,
            unmasked: Rates::per_minute(UNMASKED_A_MINUTE),
            simulations,
        })
    }

    /// Says who texts members the codes by which they come in; whoever is named first stays.
    pub fn texts_by(&self, texts: Arc<dyn Texts>) {
        self.me.texts_by(texts);
    }

    /// Lets people sign in by the brand's own provider; whoever is named first stays.
    pub fn signs_in_by(&self, oidc: Oidc) {
        self.sign_in.signs_in_by(oidc);
    }

    /// Lets people sign in to these apps of the brand's on platforms. Said again it changes nothing.
    pub fn knows_apps(&self, apps: Apps) {
        self.apps.opens(apps);
    }

    /// Says which accounts the brand has outside of the home, and may have them checked. Said again it changes nothing.
    pub fn knows_channels(&self, channels: Channels) {
        drop(self.channels.set(channels));
    }

    /// Tells which short links were followed, again and again, until told to stop.
    pub async fn tell_follows<F: Future>(&self, stop: F) {
        self.follows.follower.run(stop).await;
    }

    /// The same once: all that there is to tell.
    pub async fn tell_follows_now(&self) {
        self.follows.follower.tell_all(true).await;
    }

    /// Whether somebody may read the sums of the whole home.
    pub(crate) async fn may_read_sums(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if self.open {
            return Ok(());
        }
        let (_, grant) = caller::granted(self, &Method::GET, headers).await?;
        let filter = self.engine.filter(&grant, Operation::ReportsRead).await?;
        if filter.bound == Bound::Everything { Ok(()) } else { Err(Problem::of("outside_scope")) }
    }
}

/// Every operation there is.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let all = [
        wire::endpoints(),
        commands::endpoints(),
        changes::endpoints(),
        channels::endpoints(),
        simulations::endpoints(),
        reads::endpoints(),
        audiences::endpoints(),
        coupons::endpoints(),
        campaigns::endpoints(),
        sends::endpoints(),
        arrivals::endpoints(),
        ways::endpoints(),
        payouts::endpoints(),
        posts::endpoints(),
        inbox::endpoints(),
        links::endpoints(),
        draws::endpoints(),
        tills::endpoints(),
        checkout::endpoints(),
        books::endpoints(),
        lists::endpoints(),
        webhooks::endpoints(),
        keys::endpoints(),
        people::endpoints(),
        views::endpoints(),
        brand::endpoints(),
        sign_in::endpoints(),
        oidc::endpoints(),
        me::endpoints(),
    ];
    all.into_iter().flatten().collect()
}

/// The routes of all operations, of the document that describes them, and of the page that shows it.
pub(crate) fn routes(api: &Arc<Api>) -> Router {
    let endpoints = endpoints();
    let document = document::bytes(&endpoints);
    let page = Arc::new(reference::Reference::new(&endpoints));
    let mut router: Router<Arc<Api>> = Router::new();
    for endpoint in endpoints.into_iter().filter(|endpoint| endpoint.kind != Kind::Wire) {
        let endpoint = Arc::new(endpoint);
        let Ok(method) = MethodFilter::try_from(endpoint.method.clone()) else { continue };
        let path = endpoint.path;
        let answer = async move |State(api): State<Arc<Api>>, params: RawPathParams, request: Request| {
            let language = Language::accepted(request.headers());
            let answered = answer(api, endpoint, params, request).await;
            answered.unwrap_or_else(|problem| problem.response(language))
        };
        router = router.route(path, on(method, answer));
    }
    let json = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    router
        .merge(wire::routes())
        .merge(unsubscribe::routes())
        .merge(callbacks::routes())
        .merge(app_sign_in::routes())
        .merge(oidc::routes())
        .route("/l/{code}", get(follow::click))
        .route("/q/{code}", get(follow::scan))
        .route("/openapi.json", get(async move || (json, document).into_response()))
        .route("/docs", get(move |request: Request| async move { page.response(&request) }))
        .with_state(Arc::clone(api))
}

/// One request, from its key to its answer.
async fn answer(
    api: Arc<Api>,
    endpoint: Arc<Endpoint>,
    params: RawPathParams,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    if let Some(door) = &endpoint.door {
        let visit = Visit::of(api, &head);
        let mut response = door(visit, Raw::read(&endpoint, &params, &head, body).await?).await?;
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return Ok(response);
    }
    let caller = Caller::checked(api, &endpoint, &head.headers).await?;
    let raw = Raw::read(&endpoint, &params, &head, body).await?;
    let mut response = (endpoint.handler)(caller, raw).await?;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    Ok(response)
}
