//! What members see of themselves, and what they say of themselves.

use axum::Json;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zhiyin_engine::clock;
use zhiyin_engine::command::{Act, Whom};
use zhiyin_engine::me::mine::{MyCoupon, MyOffer, MyPoints, reader};
use zhiyin_engine::me::pass;
use zhiyin_engine::members::{ExpiryView, LotView, LotsAsked, NamesView, OrderView, OrdersAsked, TierView};
use zhiyin_engine::sight::{self, Page};
use zhiyin_model::effect::Asset;
use zhiyin_model::mask::Mask;
use zhiyin_model::role::Operation;

use super::member;
use crate::api::commands::CommandDone;
use crate::api::commands::members::{AttributeValue, Attributes, traits};
use crate::api::input::Nothing;
use crate::problem::Problem;
use crate::sign_in::Visit;

/// Attributes that members say of themselves.
const OWN: [&str; 6] = ["name", "nickname", "birthday", "gender", "city", "language"];

/// How many orders and lots are shown at a time.
const SHOWN: usize = 20;
const LOTS_SHOWN: usize = 200;

/// A level that there is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MyLevel")]
pub(super) struct Level {
    /// Its id.
    level: String,
    /// What it is called.
    name: NamesView,
    /// From how much growth on.
    from: i64,
    /// What it gives, one after the other.
    benefits: Vec<NamesView>,
}

/// Points, as a member sees them.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MyAccount")]
pub(super) struct Account {
    /// What may be spent.
    shown: i64,
    /// Earned, and to be spent later.
    pending: i64,
    /// Promised to something that is not paid yet.
    held: i64,
    /// Owed.
    debt: i64,
    /// What ends when, the soonest first.
    expiries: Vec<ExpiryView>,
}

/// A member, as they see themselves.
#[derive(Serialize, JsonSchema)]
pub(super) struct Me {
    /// Their id.
    id: String,
    /// What they are called.
    name: Option<String>,
    /// Their phone, masked: whoever looks over a shoulder sees no more.
    phone: Option<String>,
    /// The number of their card.
    card: Option<String>,
    /// When they became a member.
    joined_at: Option<String>,
    /// What they said of themselves, and may change.
    attributes: std::collections::BTreeMap<String, Value>,
    /// The code of their store.
    store: Option<String>,
    /// What that is called, where a place bears its code.
    store_name: Option<NamesView>,
    /// Their tier.
    tier: Option<TierView>,
    /// All tiers, the lowest first.
    levels: Vec<Level>,
    /// Their points.
    points: Account,
    /// How many coupons they may use now.
    coupons: usize,
    /// How much they may claim now.
    offers: usize,
}

pub(super) async fn me(visit: Visit, _: Nothing) -> Result<Json<Me>, Problem> {
    let at = member(visit).await?;
    let (engine, stored) = (&at.visit.api.engine, &at.at.member);
    let live = engine.live()?;
    let view = engine.member(&reader(), &at.id()).await?;
    let named = |namespace: &str| view.identifiers.iter().find(|one| one.namespace == namespace);
    let phone = named("phone").and_then(|one| Mask::Masked.identifier("phone", &one.value));
    let attributes = view.attributes.iter().filter(|(name, _)| OWN.contains(&name.as_str()));
    let account = stored.member.account(Asset::Points);
    let coupons = engine.my_coupons(stored.member.id).await?.iter().filter(|one| one.usable).count();
    let offers = engine.my_offers(stored.clone()).await?.iter().filter(|one| one.state == "open").count();
    let store_name = match &view.store {
        Some(code) => engine.store_name(code).await?,
        None => None,
    };
    let levels = live.playbook.tiers.levels.iter().map(|level| Level {
        level: level.id.clone(),
        name: NamesView::from(&level.name),
        from: level.from,
        benefits: level.benefits.iter().map(NamesView::from).collect(),
    });
    Ok(Json(Me {
        name: sight::called(Mask::Full, &stored.member),
        phone,
        card: named("card").map(|one| one.value.clone()),
        joined_at: view.enrolled_at.clone(),
        attributes: attributes.map(|(name, value)| (name.clone(), value.clone())).collect(),
        store: view.store.clone(),
        store_name,
        tier: view.tier,
        levels: levels.collect(),
        points: Account {
            shown: account.shown(),
            pending: account.pending,
            held: account.held,
            debt: account.debt,
            expiries: view.expiries,
        },
        coupons,
        offers,
        id: view.id,
    }))
}

/// What a member says of themselves.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MyAttributes")]
pub(super) struct Changing {
    /// New values; `null` takes one away.
    attributes: std::collections::BTreeMap<String, Value>,
}

pub(super) async fn change(visit: Visit, asked: Changing) -> Result<Json<CommandDone>, Problem> {
    let at = member(visit).await?;
    let caller = at.caller("me_change", &json!(asked.attributes)).await?;
    if let Some(before) = caller.before().await? {
        return Ok(Json(before));
    }
    let mut attributes = Attributes::new();
    for (name, value) in asked.attributes {
        let field = format!("attributes.{name}");
        if !OWN.contains(&name.as_str()) {
            return Err(Problem::of("bad_attribute").at(&field).says(format!("one of {}", OWN.join(", "))));
        }
        let value = match value {
            Value::String(text) if text.chars().count() <= 200 => AttributeValue::Text(text),
            Value::Null => AttributeValue::Nothing,
            _ => {
                return Err(Problem::of("bad_attribute")
                    .at(&field)
                    .says("a text of at most 200 characters".to_owned()));
            }
        };
        drop(attributes.insert(name, value));
    }
    let id = at.at.member.member.id;
    let name = caller.engine().name_of(&Whom::Id(id), id, "").await??;
    let mut act = Act::new(Operation::MemberUpdate, "identify", vec![name]);
    act.traits = traits(attributes)?;
    act.noted = json!({"attributes": act.traits.len(), "by": "themselves"});
    Ok(Json(caller.done(&act, Some(id)).await?))
}

/// A pass.
#[derive(Serialize, JsonSchema)]
pub(super) struct PassView {
    /// What the QR code says.
    pass: String,
    /// Until when a till takes it.
    until: String,
}

pub(super) async fn show_pass(visit: Visit, _: Nothing) -> Result<Json<PassView>, Problem> {
    let at = member(visit).await?;
    let key = at.visit.api.engine.home().await?.id_key;
    let (pass, until) = pass::made(&key, at.at.member.member.id, clock::wall());
    Ok(Json(PassView { pass, until: until.rfc3339() }))
}

/// Coupons.
#[derive(Serialize, JsonSchema)]
pub(super) struct MyCoupons {
    /// They.
    items: Vec<MyCoupon>,
}

pub(super) async fn coupons(visit: Visit, _: Nothing) -> Result<Json<MyCoupons>, Problem> {
    let at = member(visit).await?;
    let items = at.visit.api.engine.my_coupons(at.at.member.member.id).await?;
    Ok(Json(MyCoupons { items }))
}

/// A page of something.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MyPage")]
pub(super) struct Paged {
    /// Where the page before ended.
    #[schemars(length(max = 500))]
    cursor: Option<String>,
}

/// How points moved.
#[derive(Serialize, JsonSchema)]
pub(super) struct PointsView {
    /// The latest first. A page may be empty and go on.
    items: Vec<MyPoints>,
    /// Where it goes on.
    next: Option<String>,
    /// What there is, in the order in which it is spent; with the first page only.
    lots: Vec<LotView>,
}

pub(super) async fn points(visit: Visit, asked: Paged) -> Result<Json<PointsView>, Problem> {
    let at = member(visit).await?;
    let engine = &at.visit.api.engine;
    let is_first = asked.cursor.is_none();
    let page = engine.my_points(at.at.member.member.id, asked.cursor).await?;
    let lots = match is_first {
        true => {
            let asked = LotsAsked { limit: LOTS_SHOWN, ..LotsAsked::default() };
            engine.member_lots(&reader(), &at.id(), &asked).await?.items
        }
        false => Vec::new(),
    };
    Ok(Json(PointsView { items: page.items, next: page.next, lots }))
}

pub(super) async fn orders(visit: Visit, asked: Paged) -> Result<Json<Page<OrderView>>, Problem> {
    let at = member(visit).await?;
    let asked = OrdersAsked { limit: SHOWN, cursor: asked.cursor };
    Ok(Json(at.visit.api.engine.member_orders(&reader(), &at.id(), &asked).await?))
}

/// What may be claimed.
#[derive(Serialize, JsonSchema)]
pub(super) struct MyOffers {
    /// What may be had now comes first.
    items: Vec<MyOffer>,
}

pub(super) async fn offers(visit: Visit, _: Nothing) -> Result<Json<MyOffers>, Problem> {
    let at = member(visit).await?;
    let items = at.visit.api.engine.my_offers(at.at.member.clone()).await?;
    Ok(Json(MyOffers { items }))
}
