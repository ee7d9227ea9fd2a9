//! What members do: claims, consents, their data.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zhiyin_engine::audit::{Target, detail};
use zhiyin_engine::command::Whom;
use zhiyin_engine::me::mine::{Did, MyDraw, Sees, reader};
use zhiyin_engine::me::{own, said};
use zhiyin_engine::members::NamesView;
use zhiyin_engine::{EngineError, clock};
use zhiyin_model::effect::Asset;
use zhiyin_model::role::Operation;

use super::{gone, member};
use crate::api::commands::CommandDone;
use crate::api::commands::members::{Consent, consent};
use crate::api::coupons::claims::{Claim, claim};
use crate::api::input::Nothing;
use crate::problem::Problem;
use crate::sign_in::{As, Visit};

/// A claim.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MyClaim {
    /// Of which offer.
    #[schemars(length(min = 1, max = 64))]
    offer: String,
    /// How many, all or none; one, if it says nothing.
    #[schemars(range(min = 1, max = 20))]
    count: Option<u32>,
}

/// What came of a claim.
#[derive(Serialize, JsonSchema)]
pub(super) struct MyClaimed {
    /// Codes of the coupons that were claimed.
    codes: Vec<String>,
    /// What is left of points.
    points: i64,
}

pub(super) async fn claim_one(visit: Visit, asked: MyClaim) -> Result<Json<MyClaimed>, Problem> {
    let at = member(visit).await?;
    let caller = at.caller("me_claim", &json!({"offer": asked.offer, "count": asked.count})).await?;
    let claimed = claim(Arc::clone(&caller), Claim::by(at.oneself(), asked.offer, asked.count)).await?;
    let whom = Whom::Id(at.at.member.member.id);
    let stored = caller.engine().reachable(&own(), &whom, "").await??;
    Ok(Json(MyClaimed { codes: claimed.codes, points: stored.member.account(Asset::Points).shown() }))
}

/// Draws.
#[derive(Serialize, JsonSchema)]
pub(super) struct MyDraws {
    /// They.
    items: Vec<MyDraw>,
}

pub(super) async fn draws(visit: Visit, _: Nothing) -> Result<Json<MyDraws>, Problem> {
    let at = member(visit).await?;
    Ok(Json(MyDraws { items: at.visit.api.engine.my_draws(at.at.member.member.id).await? }))
}

/// A channel of a purpose.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MyConsentChannel")]
pub(super) struct ChannelView {
    /// Its id; `all`, where the purpose has none.
    channel: String,
    /// What it is called.
    name: NamesView,
    /// Whether it is allowed.
    allowed: bool,
    /// Since when, where something was said.
    since: Option<String>,
}

/// A purpose.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MyPurpose")]
pub(super) struct PurposeView {
    /// Its id.
    purpose: String,
    /// What it is called.
    name: NamesView,
    /// What one agrees to, in the newest version; nothing, where the playbook does not say it.
    text: Option<NamesView>,
    /// Its channels.
    channels: Vec<ChannelView>,
    /// The version of its text that a yes is to, where it has versions.
    version: Option<String>,
    /// Whether nothing is done without a yes.
    needed: bool,
}

/// What a member allows.
#[derive(Serialize, JsonSchema)]
pub(super) struct MyConsents {
    /// Each purpose.
    purposes: Vec<PurposeView>,
}

pub(super) async fn consents(visit: Visit, _: Nothing) -> Result<Json<MyConsents>, Problem> {
    let at = member(visit).await?;
    let engine = &at.visit.api.engine;
    let live = engine.live()?;
    let view = engine.member(&reader(), &at.id()).await?;
    let purposes = live.playbook.consent.purposes.iter().map(|(id, purpose)| PurposeView {
        purpose: id.clone(),
        name: NamesView::from(&purpose.name),
        text: (!purpose.text.is_nothing()).then(|| NamesView::from(&purpose.text)),
        channels: view
            .consents
            .iter()
            .filter(|one| one.purpose == *id)
            .map(|one| ChannelView {
                channel: one.channel.clone(),
                name: said::channel(&one.channel),
                allowed: one.allowed,
                since: one.since.clone(),
            })
            .collect(),
        version: purpose.versions.last().cloned(),
        needed: purpose.needed,
    });
    Ok(Json(MyConsents { purposes: purposes.collect() }))
}

/// A yes or a no.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MyConsent {
    /// To what.
    #[schemars(length(min = 1, max = 255))]
    purpose: String,
    /// On which channel; all of the purpose's, if it says nothing.
    #[schemars(length(max = 255))]
    channel: Option<String>,
    /// Yes, or no.
    given: bool,
}

pub(super) async fn set_consent(visit: Visit, asked: MyConsent) -> Result<Json<CommandDone>, Problem> {
    let at = member(visit).await?;
    let said = json!({"purpose": asked.purpose, "channel": asked.channel, "given": asked.given});
    let caller = at.caller("me_consent", &said).await?;
    if let Some(before) = caller.before().await? {
        return Ok(Json(before));
    }
    let live = caller.engine().live()?;
    let purpose = live.playbook.consent.purposes.get(&asked.purpose);
    let version = purpose.and_then(|purpose| purpose.versions.last().cloned()).filter(|_| asked.given);
    let word = Consent::by(at.oneself(), asked.given, asked.purpose, asked.channel, version);
    Ok(Json(consent(caller, word).await?))
}

/// Who sees a member's data, and what was done with it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Seen {
    /// Who may see it.
    roles: Vec<Sees>,
    /// What was done, the latest first.
    items: Vec<Did>,
}

pub(super) async fn seen(visit: Visit, _: Nothing) -> Result<Json<Seen>, Problem> {
    let at = member(visit).await?;
    let (roles, items) = at.visit.api.engine.who_sees(at.at.member.member.id).await?;
    Ok(Json(Seen { roles, items }))
}

pub(super) async fn export(visit: Visit, _: Nothing) -> Result<As<Value>, Problem> {
    let at = member(visit).await?;
    let (engine, id) = (&at.visit.api.engine, at.at.member.member.id);
    let target = Target::member(&engine.home().await?.id_key, id);
    let grant = at.visit.api.me.grant(&at.at).await?;
    let on = (Operation::MemberExport, &target);
    let file =
        engine.audited::<Value, EngineError>(&grant, on, &detail(json!({})), engine.export(id)).await?;
    let mut response = Json(file).into_response();
    let name = HeaderValue::from_static("attachment; filename=\"my-data.json\"");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    Ok(As::new(response))
}

/// A wish that cannot be undone.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sure {
    /// `true`.
    sure: bool,
}

/// That somebody was forgotten.
#[derive(Serialize, JsonSchema)]
pub(super) struct Forgotten {
    /// `true`.
    erased: bool,
}

pub(super) async fn erase(visit: Visit, asked: Sure) -> Result<As<Forgotten>, Problem> {
    let at = member(visit).await?;
    if !asked.sure {
        return Err(Problem::of("bad_body").at("sure").says("`true`: this cannot be undone".to_owned()));
    }
    if at.at.fresh_until <= clock::wall() {
        return Err(Problem::of("not_fresh"));
    }
    let (engine, id) = (&at.visit.api.engine, at.at.member.member.id);
    let target = Target::member(&engine.home().await?.id_key, id);
    let grant = at.visit.api.me.grant(&at.at).await?;
    let on = (Operation::MemberErase, &target);
    let deed = engine.erase(id, "asked for it at their own pages");
    engine.audited::<(), EngineError>(&grant, on, &detail(json!({"by": "themselves"})), deed).await?;
    at.visit.api.me.leave(&at.at, true).await?;
    gone(Json(Forgotten { erased: true }).into_response()).map(As::new)
}
