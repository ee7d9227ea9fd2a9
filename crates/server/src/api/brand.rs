//! The brand, for whoever works with it in whatever role: how money and days are written, what tiers are called, what people are asked to
//! agree to.

use axum::Json;
use axum::http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_engine::me::said;
use zhiyin_engine::members::NamesView;
use zhiyin_model::playbook::Language;
use zhiyin_model::role::{Denied, Operation, Role};

use super::caller::{self, Caller};
use super::endpoint::{Endpoint, Kind};
use super::input::Nothing;
use crate::problem::Problem;
use crate::sign_in::Visit;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::door((Kind::Query, Method::GET), ("brand_get", "/v1/brand"), brand)
            .says(
                "The brand",
                "品牌",
                "Currency, zone, languages, what points and tiers are called: for every role but keys that lie open.",
            )
            .refuses(&["operation_refused", "no_playbook"]),
        Endpoint::get("consents_purposes", "/v1/consents/purposes", Operation::ConsentWrite, purposes)
            .says(
                "List what people are asked to agree to",
                "授权事项",
                "Each purpose with its channels, its text, and the version of it that a yes is to.",
            )
            .refuses(&["no_playbook"]),
    ]
}

/// A tier.
#[derive(Serialize, JsonSchema)]
struct BrandTier {
    /// Its id.
    tier: String,
    /// What it is called.
    name: NamesView,
    /// From how much growth on.
    from: i64,
    /// What it gives, as members read it.
    benefits: Vec<NamesView>,
}

/// The brand.
#[derive(Serialize, JsonSchema)]
struct BrandView {
    /// What it is called; nothing, where the tree of places has no brand, or several.
    name: Option<NamesView>,
    /// ISO 4217.
    currency: String,
    /// Digits after the point of a price.
    exponent: u32,
    /// Its zone, as the time zone database calls it.
    timezone: String,
    /// The languages that it speaks, `zh` or `en`, the first before the others.
    languages: Vec<&'static str>,
    /// What points are called.
    points: NamesView,
    /// Its tiers, the lowest first.
    tiers: Vec<BrandTier>,
}

async fn brand(visit: Visit, _: Nothing) -> Result<Json<BrandView>, Problem> {
    let (_, grant) = caller::granted(&visit.api, &visit.method, &visit.headers).await?;
    if grant.role == Role::Public {
        return Err(Denied::Role { role: grant.role, operation: Operation::PlaybookRead }.into());
    }
    let (engine, live) = (&visit.api.engine, visit.api.engine.live()?);
    let playbook = &live.playbook;
    let language = |language: &Language| match language {
        Language::Zh => "zh",
        Language::En => "en",
    };
    let tiers = playbook.tiers.levels.iter().map(|level| BrandTier {
        tier: level.id.clone(),
        name: NamesView::from(&level.name),
        from: level.from,
        benefits: level.benefits.iter().map(NamesView::from).collect(),
    });
    Ok(Json(BrandView {
        name: engine.brand_name().await?,
        currency: playbook.currency.code.clone(),
        exponent: playbook.currency.exponent,
        timezone: playbook.timezone.name().to_owned(),
        languages: playbook.languages.iter().map(language).collect(),
        points: NamesView::from(&playbook.points.name),
        tiers: tiers.collect(),
    }))
}

/// A channel that something is done on.
#[derive(Serialize, JsonSchema)]
struct PurposeChannel {
    /// Its id.
    channel: String,
    /// What it is called.
    name: NamesView,
}

/// What people are asked to agree to.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConsentPurpose")]
struct PurposeView {
    /// Its id.
    purpose: String,
    /// What it is called.
    name: NamesView,
    /// What one agrees to, in the newest version; nothing, where the playbook does not say it.
    text: Option<NamesView>,
    /// The version of the text that a yes is to, where it has versions.
    version: Option<String>,
    /// On which channels it is done; none, where it has nothing to do with channels.
    channels: Vec<PurposeChannel>,
    /// Whether nothing is done without a yes.
    needed: bool,
}

/// Purposes.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConsentPurposes")]
struct Purposes {
    /// By id.
    items: Vec<PurposeView>,
}

async fn purposes(caller: Caller, _: Nothing) -> Result<Purposes, Problem> {
    let live = caller.engine().live()?;
    let items = live.playbook.consent.purposes.iter().map(|(id, purpose)| PurposeView {
        purpose: id.clone(),
        name: NamesView::from(&purpose.name),
        text: (!purpose.text.is_nothing()).then(|| NamesView::from(&purpose.text)),
        version: purpose.versions.last().cloned(),
        channels: purpose
            .channels
            .iter()
            .map(|channel| PurposeChannel { channel: channel.clone(), name: said::channel(channel) })
            .collect(),
        needed: purpose.needed,
    });
    Ok(Purposes { items: items.collect() })
}
