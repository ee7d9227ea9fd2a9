//! The door for people: first owner, sign-in, their session and what they change of themselves (docs/sign-in.md).
//!
//! A session is a cookie that no script reads and no other site's page brings along (`HttpOnly`, `SameSite=Lax`); whatever is no
//! GET says beside it what only a page of ours was told ([`CSRF`]). Every other operation takes the cookie in place of a key
//! ([`granted`]).

pub(crate) mod front;

use axum::Json;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;
use zhiyin_engine::clock;
use zhiyin_engine::sign_in::{Asked, IDLE_US, NewPerson, SignedIn, permissions};
use zhiyin_model::role::{Grant, Role};

use crate::api::Api;
use crate::api::endpoint::{Endpoint, Kind};
use crate::api::input::Nothing;
use crate::language::Language;
use crate::problem::Problem;
pub use front::Front;
pub(crate) use front::Peer;

/// The cookie's name by https, and elsewhere.
pub(crate) const COOKIE: (&str, &str) = (front::SECURE, front::PLAIN);
/// The header of what a request says beside the cookie.
pub(crate) const CSRF: &str = "x-zhiyin-csrf";

/// Fills bytes with chance from the operating system.
pub(crate) fn fill(bytes: &mut [u8]) -> bool {
    getrandom::fill(bytes).map_err(|error| tracing::error!(%error, "no randomness")).is_ok()
}

/// Who brings a cookie: what may be done with it, and by what its idempotency keys and its requests are counted.
pub(crate) async fn granted(
    api: &Api,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(String, Grant), Problem> {
    if front::tokens(&api.front, headers).is_empty() {
        return Err(Problem::of("key_missing"));
    }
    let at = signed_in(api, method, headers).await?;
    let key = format!("person-{}", at.person.id);
    api.rates.take(&key)?;
    Ok((key, at.grant()))
}

/// Who brings a cookie, and the header beside it where something is to be changed.
async fn signed_in(api: &Api, method: &Method, headers: &HeaderMap) -> Result<SignedIn, Problem> {
    for token in front::tokens(&api.front, headers) {
        let Some(at) = api.sign_in.who(&token, clock::wall()).await? else { continue };
        let said = headers.get(CSRF).and_then(|said| said.to_str().ok()).unwrap_or_default();
        let reads = method == Method::GET || method == Method::HEAD;
        return if reads || at.token.admits(said) { Ok(at) } else { Err(Problem::of("csrf")) };
    }
    Err(Problem::of("not_signed_in"))
}

/// Somebody at the door, signed in or not.
pub(crate) struct Visit {
    pub(crate) api: Arc<Api>,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    /// Who is at the other end of the connection.
    peer: Option<IpAddr>,
    /// Where they come from, as far as that is known.
    address: Option<IpAddr>,
    /// Whether they come by https.
    pub(crate) secure: bool,
}

impl Visit {
    pub(crate) fn of(api: Arc<Api>, head: &Parts) -> Self {
        let peer = head.extensions.get::<Peer>().map(|peer| peer.0);
        let (address, secure) =
            (api.front.address(peer, &head.headers), api.front.secure(peer, &head.headers));
        Self { api, method: head.method.clone(), headers: head.headers.clone(), peer, address, secure }
    }

    async fn at(&self) -> Result<SignedIn, Problem> {
        signed_in(&self.api, &self.method, &self.headers).await
    }

    /// Who comes without a session has no word to say beside it: a page of another site is told by what browsers say of it.
    pub(crate) fn comes_from_here(&self) -> Result<(), Problem> {
        if self.api.front.is_own_page(&self.headers) { Ok(()) } else { Err(Problem::of("csrf")) }
    }

    /// By what wrong passwords of an address are counted: of IPv6 by the network that one customer is given.
    pub(crate) fn counted(&self) -> String {
        match self.address {
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            Some(address) => address.to_string(),
            None => String::new(),
        }
    }

    /// Whom they are, and the cookie where it is a new one.
    fn opened(&self, at: &SignedIn, is_new: bool) -> Result<Response, Problem> {
        let mut response = Json(SessionView::of(at)).into_response();
        if is_new {
            let seconds = (at.session.ends_at.0 - clock::wall().0) / 1_000_000;
            let cookie = front::cookie(self.secure, at.token.reveal(), seconds.max(0));
            let value = HeaderValue::try_from(cookie).map_err(|_| Problem::of("reading_failed"))?;
            response.headers_mut().insert(header::SET_COOKIE, value);
        }
        Ok(response)
    }
}

/// What is answered at the door.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let door = |method: Method| (if method == Method::GET { Kind::Query } else { Kind::Body }, method);
    vec![
        Endpoint::door(door(Method::GET), ("setup_get", "/v1/setup"), needed).says(
            "Whether an owner is needed",
            "是否需要初始化",
            "Whether nobody owns this home yet who can sign in. Anybody may ask.",
        ),
        Endpoint::door(door(Method::POST), ("setup", "/v1/setup"), set_up)
            .says(
                "Make the first owner",
                "创建所有者",
                "Only while one is needed, and only from near by: from the machine itself, or from a private network while the home has \
                 no keys. Signs in.",
            )
            .refuses(&[
                "set_up_already", "setup_elsewhere", "csrf", "bad_person_name", "person_name_taken", "password_length",
                "password_common", "bad_language", "too_many_attempts",
            ])
            .example(json!({"name": "李娜", "password": "kestrel over oak", "language": "zh-CN"})),
        Endpoint::door(door(Method::POST), ("session_begin", "/v1/session"), begin)
            .says(
                "Sign in",
                "登录",
                "Answers with a cookie. Where a code is asked of the person: `code_needed`, then the same with `code`.",
            )
            .refuses(&["sign_in_wrong", "password_off", "code_needed", "code_wrong", "too_many_attempts", "csrf", "person_changed"])
            .example(json!({"name": "李娜", "password": "kestrel over oak"})),
        Endpoint::door(door(Method::GET), ("session_get", "/v1/session"), show).says(
            "Who is signed in",
            "当前登录",
            "The person, what they may do, and what requests that change something say in `X-Zhiyin-CSRF`.",
        ),
        Endpoint::door((Kind::Query, Method::DELETE), ("session_end", "/v1/session"), end)
            .says("Sign out", "退出登录", "Here; or everywhere, with `all=true`.")
            .refuses(&["csrf"])
            .example(json!({"all": true})),
        Endpoint::door(door(Method::PATCH), ("session_change", "/v1/session"), change)
            .says("Change one's language", "修改语言", "")
            .refuses(&["csrf", "bad_language", "person_changed"])
            .example(json!({"language": "en"})),
        Endpoint::door(door(Method::POST), ("session_password", "/v1/session/password"), password)
            .says(
                "Change one's password",
                "修改密码",
                "All sessions of the person end; this one goes on under a new cookie.",
            )
            .refuses(&["csrf", "password_wrong", "password_length", "password_common", "too_many_attempts", "person_changed"])
            .example(json!({"old": "kestrel over oak", "new": "heron under willow"})),
        Endpoint::door(door(Method::POST), ("session_totp_offer", "/v1/session/totp"), offer)
            .says(
                "Be offered codes of an app",
                "设置动态口令",
                "A secret for an authenticator app (RFC 6238), and recovery codes. Codes are asked for once one was confirmed.",
            )
            .refuses(&["csrf", "totp_on", "person_changed"]),
        Endpoint::door(door(Method::POST), ("session_totp_confirm", "/v1/session/totp/confirm"), confirm)
            .says(
                "Have codes asked for",
                "启用动态口令",
                "All other sessions end; this one goes on under a new cookie.",
            )
            .refuses(&["csrf", "totp_on", "totp_off", "code_unconfirmed", "too_many_attempts", "person_changed"])
            .example(json!({"code": "123456"})),
        Endpoint::door(door(Method::DELETE), ("session_totp_end", "/v1/session/totp"), end_codes)
            .says("Have no codes asked for", "停用动态口令", "")
            .refuses(&["csrf", "totp_off", "password_wrong", "too_many_attempts", "person_changed"])
            .example(json!({"password": "kestrel over oak"})),
    ]
}

/// Whether an owner is needed.
#[derive(Serialize, JsonSchema)]
struct Needed {
    /// Whether nobody owns this home yet who can sign in.
    needed: bool,
}

/// A person, as they see themselves.
#[derive(Serialize, JsonSchema)]
struct Oneself {
    /// 16 hexadecimal digits.
    id: String,
    /// By what they sign in.
    name: String,
    /// In which language they read: `zh-CN`, `en`.
    language: String,
    /// The code of the place that they are bound to.
    place: Option<String>,
    /// Their code among the staff.
    staff: Option<String>,
}

/// A session.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Session")]
struct SessionView {
    /// Whose it is.
    person: Oneself,
    /// As what they act.
    roles: Vec<&'static str>,
    /// Operations that they may do, wherever.
    permissions: Vec<&'static str>,
    /// What requests that are no GET say in `X-Zhiyin-CSRF`.
    csrf: String,
    /// Whether codes are asked of them.
    totp: bool,
    /// When it ends at the latest.
    expires_at: String,
    /// After how many seconds without a request it ends before.
    idle_seconds: i64,
}

impl SessionView {
    fn of(at: &SignedIn) -> Self {
        let is = at.person.is.clone();
        let id = at.person.id.clone();
        Self {
            person: Oneself { id, name: is.name, language: is.language, place: is.place, staff: is.staff },
            roles: vec![is.role.name()],
            permissions: permissions(is.role),
            csrf: at.token.csrf(),
            totp: is.codes.is_some(),
            expires_at: at.session.ends_at.rfc3339(),
            idle_seconds: IDLE_US / 1_000_000,
        }
    }
}

async fn needed(visit: Visit, _: Nothing) -> Result<Json<Needed>, Problem> {
    Ok(Json(Needed { needed: visit.api.sign_in.needs_owner().await? }))
}

/// The first owner.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FirstOwner {
    /// By what they sign in.
    #[schemars(length(min = 1, max = 254))]
    name: String,
    /// Their password.
    #[schemars(length(min = 10, max = 256))]
    password: String,
    /// In which language they read: `zh-CN`, `en`; as their browser says where it is not said.
    language: Option<String>,
}

async fn set_up(visit: Visit, asked: FirstOwner) -> Result<As<SessionView>, Problem> {
    visit.comes_from_here()?;
    if !visit.api.sign_in.needs_owner().await? {
        return Err(Problem::of("set_up_already"));
    }
    let is_fresh = visit.api.engine.store().access().keys().await?.is_empty();
    if !visit.api.front.is_near(visit.peer, &visit.headers, is_fresh) {
        return Err(Problem::of("setup_elsewhere"));
    }
    let language = asked.language.unwrap_or_else(|| Language::accepted(&visit.headers).tag().to_owned());
    let (name, password) = (asked.name, Some(asked.password));
    let new = NewPerson { name, role: Role::Owner, place: None, staff: None, language, password };
    let at = visit.api.sign_in.set_up(&new, clock::wall()).await?;
    visit.opened(&at, true).map(As::new)
}

/// Somebody who signs in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Coming {
    /// Their name, in any capitals.
    #[schemars(length(max = 256))]
    name: String,
    /// Their password.
    #[schemars(length(max = 1024))]
    password: String,
    /// What their app shows, or a recovery code.
    #[schemars(length(max = 64))]
    code: Option<String>,
}

async fn begin(visit: Visit, asked: Coming) -> Result<As<SessionView>, Problem> {
    visit.comes_from_here()?;
    let too_long = asked.name.chars().count() > 256 || asked.password.chars().count() > 1024;
    if too_long || asked.code.as_ref().is_some_and(|code| code.chars().count() > 64) {
        return Err(Problem::of("sign_in_wrong"));
    }
    let address = visit.counted();
    let (name, password, code) = (&asked.name, &asked.password, asked.code.as_deref());
    let coming = Asked { name, password, code, address: &address };
    let now = clock::wall();
    let at = visit.api.sign_in.sign_in(&coming, now).await?;
    for before in front::tokens(&visit.api.front, &visit.headers) {
        visit.api.sign_in.replaced(&before, now).await?;
    }
    visit.opened(&at, true).map(As::new)
}

async fn show(visit: Visit, _: Nothing) -> Result<As<SessionView>, Problem> {
    visit.opened(&visit.at().await?, false).map(As::new)
}

/// Which sessions end.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ending {
    /// Whether all of the person's do, on every machine.
    all: Option<bool>,
}

/// Sessions that ended.
#[derive(Serialize, JsonSchema)]
struct Ended {
    /// How many.
    ended: usize,
}

async fn end(visit: Visit, asked: Ending) -> Result<As<Ended>, Problem> {
    let at = visit.at().await?;
    let ended = visit.api.sign_in.sign_out(&at, asked.all == Some(true), clock::wall()).await?;
    let mut response = Json(Ended { ended }).into_response();
    for secure in [true, false] {
        let value = HeaderValue::try_from(front::cookie(secure, "", 0));
        response.headers_mut().append(header::SET_COOKIE, value.map_err(|_| Problem::of("reading_failed"))?);
    }
    Ok(As::new(response))
}

/// What somebody changes of themselves.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Own {
    /// In which language they read: `zh-CN`, `en`.
    language: String,
}

async fn change(visit: Visit, asked: Own) -> Result<As<SessionView>, Problem> {
    let at = visit.at().await?;
    let at = visit.api.sign_in.change_language(&at, &asked.language, clock::wall()).await?;
    visit.opened(&at, false).map(As::new)
}

/// One password for another.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Passwords {
    /// The one that is.
    #[schemars(length(max = 1024))]
    old: String,
    /// The one that is to be.
    #[schemars(length(min = 10, max = 256))]
    new: String,
}

async fn password(visit: Visit, asked: Passwords) -> Result<As<SessionView>, Problem> {
    let at = visit.at().await?;
    let at = visit.api.sign_in.change_password(&at, &asked.old, &asked.new, clock::wall()).await?;
    visit.opened(&at, true).map(As::new)
}

/// Codes that are offered.
#[derive(Serialize, JsonSchema)]
struct Offered {
    /// The secret, as people type it into an app: base 32.
    secret: String,
    /// The same for a QR code: `otpauth://…`.
    uri: String,
    /// Codes for whoever loses the app, each good once; shown this once.
    recovery_codes: Vec<String>,
}

async fn offer(visit: Visit, _: Nothing) -> Result<Json<Offered>, Problem> {
    let at = visit.at().await?;
    let offer = visit.api.sign_in.offer_codes(&at, clock::wall()).await?;
    Ok(Json(Offered { secret: offer.secret, uri: offer.uri, recovery_codes: offer.recovery }))
}

/// What an app shows.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Shown {
    /// Six digits.
    #[schemars(length(max = 64))]
    code: String,
}

async fn confirm(visit: Visit, asked: Shown) -> Result<As<SessionView>, Problem> {
    let at = visit.at().await?;
    let at = visit.api.sign_in.confirm_codes(&at, &asked.code, clock::wall()).await?;
    visit.opened(&at, true).map(As::new)
}

/// A password, said again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Again {
    /// One's own.
    #[schemars(length(max = 1024))]
    password: String,
}

async fn end_codes(visit: Visit, asked: Again) -> Result<As<SessionView>, Problem> {
    let at = visit.at().await?;
    let at = visit.api.sign_in.end_codes(&at, &asked.password, clock::wall()).await?;
    visit.opened(&at, true).map(As::new)
}

/// A response that says a `T`, with headers of its own.
pub(crate) struct As<T> {
    response: Response,
    says: std::marker::PhantomData<fn() -> T>,
}

impl<T> As<T> {
    pub(crate) fn new(response: Response) -> Self {
        Self { response, says: std::marker::PhantomData }
    }
}

/// What an operation at the door answers with.
pub(crate) trait Says {
    /// The type that is said.
    type Said: Serialize + JsonSchema + 'static;
    /// As a response.
    fn said(self) -> Response;
}

impl<T: Serialize + JsonSchema + 'static> Says for As<T> {
    type Said = T;
    fn said(self) -> Response {
        self.response
    }
}

impl<T: Serialize + JsonSchema + 'static> Says for Json<T> {
    type Said = T;
    fn said(self) -> Response {
        self.into_response()
    }
}
