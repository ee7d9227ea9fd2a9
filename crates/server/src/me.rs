//! Members at their own pages (`/m/`): how they come in, what they see of themselves, what they do there (docs/me.md).
//!
//! A member's session is a cookie of its own, so that somebody of the staff who is also a member is both at once. Everything here is of
//! the one member whose session it is: no request names another.

mod acts;
mod payouts;
mod views;

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zhiyin_engine::clock;
use zhiyin_engine::me::mine::reader;
use zhiyin_engine::me::{AtHome, CODE_GOOD_US, CameBy, Maybe, MeProblem, own};
use zhiyin_engine::members::NamesView;
use zhiyin_model::id::MemberId;

use crate::api::Api;
use crate::api::caller::{Caller, idempotency_key};
use crate::api::commands::MemberRef;
use crate::api::endpoint::{Endpoint, Kind};
use crate::api::input::Nothing;
use crate::app_sign_in::own_address;
use crate::language::Language;
use crate::problem::Problem;
use crate::sign_in::{As, CSRF, Visit, front};

use acts::{claim_one, consents, draws, erase, export, seen, set_consent};
use payouts::payouts;
use views::{change, coupons, me, offers, orders, points, show_pass};

/// The cookie's name by https, and elsewhere.
const COOKIE: (&str, &str) = ("__Host-zhiyin-me", "zhiyin-me");

impl From<MeProblem> for Problem {
    fn from(problem: MeProblem) -> Self {
        let said = Self::of(&problem.code).at(&problem.field);
        let said = if problem.message.is_empty() { said } else { said.says(problem.message) };
        match problem.after {
            Some(seconds) => said.after(seconds),
            None => said,
        }
    }
}

fn done<T>(maybe: Maybe<T>) -> Result<T, Problem> {
    maybe.map_err(Problem::from)
}

/// A member at the door, with the visit that they make.
struct At {
    visit: Visit,
    at: AtHome,
}

/// Who brings a member's cookie, and the header beside it where something is to be changed.
async fn member(visit: Visit) -> Result<At, Problem> {
    for token in front::tokens_of(COOKIE, &visit.api.front, &visit.headers) {
        let Some(at) = visit.api.me.who(&token, clock::wall()).await? else { continue };
        let said = visit.headers.get(CSRF).and_then(|said| said.to_str().ok()).unwrap_or_default();
        if visit.method != Method::GET && visit.method != Method::HEAD && !at.token.admits(said) {
            return Err(Problem::of("csrf"));
        }
        visit.api.rates.take(&format!("me-{}", at.member.member.id))?;
        return Ok(At { visit, at });
    }
    Err(Problem::of("not_signed_in"))
}

impl At {
    /// The caller of a command that the member gives: it is about them, whatever else it says.
    async fn caller(&self, id: &str, asked: &Value) -> Result<Arc<Caller>, Problem> {
        Ok(Arc::new(Caller {
            api: Arc::clone(&self.visit.api),
            // One source for all members: what tells one's key from another's is in the key.
            key: "me".to_owned(),
            grant: self.visit.api.me.grant(&self.at).await?,
            filter: own(),
            idempotency_key: format!("{}-{}", self.id(), idempotency_key(&self.visit.headers)?),
            request: format!("{id} {asked}"),
        }))
    }

    fn oneself(&self) -> MemberRef {
        MemberRef::of(self.at.member.member.id)
    }

    fn id(&self) -> String {
        self.at.member.member.id.to_string()
    }
}

/// What is answered at the members' door.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let read = (Kind::Query, Method::GET);
    let command = |method: Method| (Kind::Command, method);
    let body = |method: Method| (Kind::Body, method);
    vec![
        Endpoint::door(read.clone(), ("me_door", "/v1/me/door"), ways_in)
            .says("How members come in", "会员登录方式", "What the brand is called is in its pages; this says which ways there are."),
        Endpoint::door(body(Method::POST), ("me_code", "/v1/me/code"), text)
            .says(
                "Have a code texted",
                "获取短信验证码",
                "To a phone, or without one to the own of whoever is signed in; the answer is the same whether or not \
                 anybody bears it. Once a minute, five times an hour and ten times a \
                 day for each phone.",
            )
            .refuses(&[
                "phone_malformed", "phone_missing", "not_signed_in", "identifier_blocked",
                "identifier_empty", "text_too_long", "bad_text", "too_many_attempts", "channel_missing",
                "code_not_sent", "csrf",
            ])
            .example(json!({"phone": "139 1234 5678"})),
        Endpoint::door(body(Method::POST), ("me_session_begin", "/v1/me/session"), begin)
            .says(
                "Come in as a member",
                "会员登录",
                "With the code that was texted. Whoever bears the phone is who they are; who is nobody yet becomes a member.",
            )
            .refuses(&[
                "phone_malformed", "phone_missing", "not_signed_in", "identifier_blocked",
                "identifier_empty", "text_too_long", "bad_text", "code_wrong", "code_over",
                "too_many_attempts", "csrf", "still_deciding", "no_playbook", "erased",
            ])
            .example(json!({"phone": "139 1234 5678", "code": "123456", "touchpoint": "store-qr/330"})),
        Endpoint::door(read.clone(), ("me_session", "/v1/me/session"), show)
            .says("Whether a member is signed in", "会员登录状态", "What requests that change something say in `X-Zhiyin-CSRF`."),
        Endpoint::door((Kind::Query, Method::DELETE), ("me_session_end", "/v1/me/session"), end)
            .says("Leave", "会员退出", "Here; or everywhere, with `all=true`.")
            .refuses(&["csrf"])
            .example(json!({"all": true})),
        Endpoint::door(read.clone(), ("me_get", "/v1/me"), me)
            .says("Oneself", "我的会员信息", "Name, tier with what is missing, points with what ends, how much there is to use.")
            .refuses(&["no_playbook"]),
        Endpoint::door(command(Method::PATCH), ("me_change", "/v1/me"), change)
            .says("Change what one says of oneself", "修改资料", "`name`, `nickname`, `birthday`, `gender`, `city`, `language`; `null` takes it away.")
            .refuses(&["csrf", "idempotency_key_missing", "bad_idempotency_key", "bad_attribute", "too_many", "erased"])
            .example(json!({"attributes": {"nickname": "小张", "birthday": "1995-03-05"}})),
        Endpoint::door(read.clone(), ("me_pass", "/v1/me/pass"), show_pass).says(
            "A pass for the till",
            "会员码",
            "To be shown as a QR code, anew each minute: a till looks a member up by it (`pass`) for three minutes.",
        ),
        Endpoint::door(read.clone(), ("me_coupons", "/v1/me/coupons"), coupons)
            .says("One's coupons", "我的券", "Those that may be used first, and of these the ones that end soonest.")
            .refuses(&["no_playbook"]),
        Endpoint::door(read.clone(), ("me_points", "/v1/me/points"), points)
            .says("How one's points moved", "我的积分", "And what there is of them, in the order in which it is spent.")
            .refuses(&["bad_cursor", "no_playbook"]),
        Endpoint::door(read.clone(), ("me_orders", "/v1/me/orders"), orders)
            .says("One's orders", "我的订单", "")
            .refuses(&["bad_cursor", "no_playbook"]),
        Endpoint::door(read.clone(), ("me_offers", "/v1/me/offers"), offers)
            .says("What one may claim", "可领取的权益", "Coupons, gifts for points, drops; each with why not, where it may not be had now.")
            .refuses(&["no_playbook"]),
        Endpoint::door(command(Method::POST), ("me_claim", "/v1/me/claims"), claim_one)
            .says("Claim something", "领取", "Once for an `Idempotency-Key`.")
            .refuses(&[
                "csrf", "idempotency_key_missing", "bad_idempotency_key", "idempotency_key_reused", "still_deciding", "offer_unknown",
                "offer_not_running", "not_claimable", "claim_not_open", "claim_over", "not_eligible", "limit_reached", "out_of_stock",
                "insufficient_points", "too_many_coupons", "bad_number", "no_playbook", "erased",
            ])
            .example(json!({"offer": "poster"})),
        Endpoint::door(read.clone(), ("me_draws", "/v1/me/draws"), draws)
            .says("One's draws", "我的抽奖", "")
            .refuses(&["no_playbook"]),
        Endpoint::door(read.clone(), ("me_payouts", "/v1/me/payouts"), payouts).says(
            "Money that was sent to one",
            "我的转账",
            "What waits to be confirmed says by what: `requestMerchantTransfer` of WeChat, in the app that it names.",
        ),
        Endpoint::door(read.clone(), ("me_consents", "/v1/me/consents"), consents)
            .says("What one allows", "我的授权", "Each purpose, on each channel.")
            .refuses(&["no_playbook"]),
        Endpoint::door(command(Method::PUT), ("me_consent", "/v1/me/consents"), set_consent)
            .says("Allow something, or no longer", "授权或撤回", "To the newest version of its text, where that has versions.")
            .refuses(&[
                "csrf", "idempotency_key_missing", "bad_idempotency_key", "idempotency_key_reused", "still_deciding",
                "consent_not_declared", "consent_purpose_unknown", "consent_channel_unknown", "no_playbook", "erased",
            ])
            .example(json!({"purpose": "marketing", "channel": "sms", "given": true})),
        Endpoint::door(read.clone(), ("me_seen", "/v1/me/seen"), seen).says(
            "Who sees one's data",
            "谁能看到我的资料",
            "Which roles, and how much of it; and what was done with it, the latest first.",
        ),
        Endpoint::door(body(Method::POST), ("me_export", "/v1/me/export"), export)
            .says("All that is known of one", "导出我的资料", "As a file. Only in a sealed home.")
            .refuses(&["csrf", "home_not_sealed"]),
        Endpoint::door(body(Method::POST), ("me_erase", "/v1/me/erase"), erase)
            .says(
                "Be forgotten",
                "删除我的资料",
                "For good, in backups too; sums of the ledger stay. Within ten minutes of coming in. Only in a sealed home.",
            )
            .refuses(&["csrf", "not_fresh", "home_not_sealed", "bad_body"])
            .example(json!({"sure": true})),
    ]
}

/// How members come in.
#[derive(Serialize, JsonSchema)]
struct WaysIn {
    /// `phone`, where codes can be texted; `wechat`, where an official account of the brand's leads here.
    ways: Vec<&'static str>,
    /// Where somebody begins who comes in by WeChat. `t` beside what it says is the touchpoint.
    wechat_url: Option<String>,
    /// What the brand is called; nothing, where the tree of places has no brand, or several.
    brand: Option<NamesView>,
    /// The brand's zone, as the time zone database calls it.
    timezone: Option<String>,
    /// ISO 4217.
    currency: Option<String>,
    /// Digits after the point of a price.
    exponent: Option<u32>,
}

async fn ways_in(visit: Visit, _: Nothing) -> Result<Json<WaysIn>, Problem> {
    let here = visit.api.front.public_url.clone().or_else(|| own_address(&visit.headers));
    let wechat_url = here.and_then(|here| visit.api.apps.way_to(&format!("{here}/m/")));
    let mut ways = Vec::new();
    ways.extend(visit.api.me.has_texts().then_some("phone"));
    ways.extend(wechat_url.is_some().then_some("wechat"));
    let live = visit.api.engine.live().ok();
    let currency = live.as_ref().map(|live| live.playbook.currency.clone());
    let timezone = live.map(|live| live.playbook.timezone.name().to_owned());
    let exponent = currency.as_ref().map(|currency| currency.exponent);
    Ok(Json(WaysIn {
        brand: visit.api.engine.brand_name().await?,
        ways,
        wechat_url,
        timezone,
        currency: currency.map(|currency| currency.code),
        exponent,
    }))
}

/// A phone that a code is texted to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Texting {
    /// However it is written; of China, where it does not say. Whoever is signed in may leave it out: it is their own then.
    #[schemars(length(min = 1, max = 255))]
    phone: Option<String>,
    /// In which language: `zh-CN`, `en`; as their browser says where it is not said.
    #[schemars(length(max = 16))]
    language: Option<String>,
}

/// A code that was texted.
#[derive(Serialize, JsonSchema)]
struct TextedView {
    /// After how many seconds another may be asked for.
    again_in: u64,
    /// For how many seconds it is good.
    good_for: i64,
}

/// The phone that is named; without one, that of whoever is signed in.
async fn whose_phone(visit: Visit, named: Option<String>) -> Result<(Visit, String), Problem> {
    if let Some(phone) = named {
        return Ok((visit, phone));
    }
    let at = member(visit).await?;
    let view = at.visit.api.engine.member(&reader(), &at.id()).await?;
    let own = view.identifiers.into_iter().find(|one| one.namespace == "phone").map(|one| one.value);
    let phone = own.ok_or_else(|| Problem::of("phone_missing").at("phone"))?;
    Ok((at.visit, phone))
}

async fn text(visit: Visit, asked: Texting) -> Result<Json<TextedView>, Problem> {
    visit.comes_from_here()?;
    let language = asked.language.unwrap_or_else(|| Language::accepted(&visit.headers).tag().to_owned());
    let english = language.to_ascii_lowercase().starts_with("en");
    let (visit, phone) = whose_phone(visit, asked.phone).await?;
    let again_in = visit.api.me.text(&phone, english, &visit.counted(), clock::wall()).await?;
    Ok(Json(TextedView { again_in: done(again_in)?, good_for: CODE_GOOD_US / 1_000_000 }))
}

/// Somebody who comes in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Coming {
    /// Their phone. Whoever is signed in may leave it out: it is their own then.
    #[schemars(length(min = 1, max = 255))]
    phone: Option<String>,
    /// The code that was texted to it.
    #[schemars(length(min = 1, max = 16))]
    code: String,
    /// The touchpoint through which they came.
    #[schemars(length(max = 255))]
    touchpoint: Option<String>,
}

/// A member's session.
#[derive(Serialize, JsonSchema)]
struct MySession {
    /// What requests that are no GET say in `X-Zhiyin-CSRF`.
    csrf: String,
    /// Whether they became a member just now.
    joined: bool,
    /// Until when they may do what cannot be undone.
    fresh_until: String,
    /// When it ends at the latest.
    expires_at: String,
}

fn opened(visit: &Visit, at: &AtHome, is_new: bool) -> Result<Response, Problem> {
    let mut response = Json(MySession {
        csrf: at.token.csrf(),
        joined: at.joined,
        fresh_until: at.fresh_until.rfc3339(),
        expires_at: at.ends_at.rfc3339(),
    })
    .into_response();
    if is_new {
        let seconds = (at.ends_at.0 - clock::wall().0) / 1_000_000;
        let cookie = front::cookie_of(COOKIE, visit.secure, at.token.reveal(), seconds.max(0));
        let value = HeaderValue::try_from(cookie).map_err(|_| Problem::of("reading_failed"))?;
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// The cookie of a member whom an app vouches for; `once` is by what this visit is known.
pub(crate) async fn cookie_of_app(
    api: &Api,
    member: MemberId,
    touchpoint: Option<String>,
    (once, secure): (&str, bool),
) -> Result<HeaderValue, Problem> {
    let touchpoint = touchpoint.filter(|code| zhiyin_model::event::bounded("touchpoint", code).is_ok());
    let (came, now) = (CameBy { touchpoint }, clock::wall());
    let at = done(api.me.let_in_known(member, &came, once, now).await?)?;
    let seconds = (at.ends_at.0 - now.0) / 1_000_000;
    let cookie = front::cookie_of(COOKIE, secure, at.token.reveal(), seconds.max(0));
    HeaderValue::try_from(cookie).map_err(|_| Problem::of("reading_failed"))
}

async fn begin(visit: Visit, asked: Coming) -> Result<As<MySession>, Problem> {
    visit.comes_from_here()?;
    let touchpoint = asked.touchpoint.map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
    if let Some(code) = &touchpoint {
        zhiyin_model::event::bounded("touchpoint", code)?;
    }
    let (visit, phone) = whose_phone(visit, asked.phone).await?;
    let (came, now) = (CameBy { touchpoint }, clock::wall());
    let at = visit.api.me.enter((&phone, &asked.code), &came, &visit.counted(), now).await?;
    let at = done(at)?;
    for before in front::tokens_of(COOKIE, &visit.api.front, &visit.headers) {
        if let Some(before) = visit.api.me.who(&before, now).await? {
            visit.api.me.leave(&before, false).await?;
        }
    }
    opened(&visit, &at, true).map(As::new)
}

async fn show(visit: Visit, _: Nothing) -> Result<As<MySession>, Problem> {
    let At { visit, at } = member(visit).await?;
    opened(&visit, &at, false).map(As::new)
}

/// Which sessions end.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MyEnding")]
struct Ending {
    /// Whether all of the member's do, on every phone.
    all: Option<bool>,
}

/// Sessions that ended.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MyEnded")]
struct Ended {
    /// How many.
    ended: usize,
}

async fn end(visit: Visit, asked: Ending) -> Result<As<Ended>, Problem> {
    let At { visit, at } = member(visit).await?;
    let ended = visit.api.me.leave(&at, asked.all == Some(true)).await?;
    gone(Json(Ended { ended }).into_response()).map(As::new)
}

/// A response with which the cookie goes.
fn gone(mut response: Response) -> Result<Response, Problem> {
    for secure in [true, false] {
        let value = HeaderValue::try_from(front::cookie_of(COOKIE, secure, "", 0));
        response.headers_mut().append(header::SET_COOKIE, value.map_err(|_| Problem::of("reading_failed"))?);
    }
    Ok(response)
}
