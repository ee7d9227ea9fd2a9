//! What others are told of what happened: messages out of decided events and bookings. Each takes its id from what caused it,
//! so it is the same whenever, wherever and however often it is made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use zhiyin_decide::consent::spoken;
use zhiyin_decide::{order, rules::Rules};
use zhiyin_model::effect::{Asset, Order, OrderStatus, TransferKind};
use zhiyin_model::event::{self, Event, Origin, names};
use zhiyin_model::id::{EventId, IdKey, MemberId, OrderId};
use zhiyin_model::time::Ts;
use zhiyin_store::seal;
use zhiyin_store::webhooks::{Booked, Happened, MessageId, Told, message_id};

/// Events whose bodies say what others are told.
pub(super) const NAMES: &[&str] = &[
    names::ORDER_COMPLETED,
    names::ORDER_UPDATED,
    names::ORDER_PAID,
    names::ORDER_REFUNDED,
    names::ORDER_CANCELLED,
    names::CONSENT_GIVEN,
    names::CONSENT_WITHDRAWN,
    names::CONSENT_PREFERENCES,
    names::TIER_CHANGED,
    names::STAGE_CHANGED,
    names::TAG_ADDED,
    names::TAG_REMOVED,
    names::AUDIENCE_ENTERED,
    names::AUDIENCE_LEFT,
    names::MEMBER_JOINED,
    names::COUPON_ISSUED,
    names::COUPON_USED,
    names::COUPON_EXPIRING,
    names::COUPON_EXPIRED,
    names::CHECKOUT_LOCKED,
    names::CHECKOUT_REDEEMED,
    names::CHECKOUT_CANCELLED,
    names::CHECKOUT_RELEASED,
    names::CHECKOUT_RETURNED,
    names::CAMPAIGN_STEP,
];

/// A message, whoever gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) id: MessageId,
    pub(super) kind: &'static str,
    pub(super) at: Ts,
    pub(super) member: MemberId,
    pub(super) data: Map<String, Value>,
}

/// What happened, as far as others are told: read, and without history.
pub(super) struct News<'h> {
    happened: &'h Happened,
    /// Events that were read, by place.
    read: BTreeMap<i64, Event>,
    /// Places of events that came as history, or lie before the home went live.
    past: BTreeSet<i64>,
    /// Places of events that were decided.
    known: BTreeSet<i64>,
    /// Orders that they speak of.
    pub(super) orders: BTreeSet<OrderId>,
}

impl<'h> News<'h> {
    /// Reads the bodies of events. One that does not read is passed over: others are not held up by it.
    pub(super) fn read(happened: &'h Happened, key: &IdKey, live_since: Option<Ts>) -> Self {
        let mut news = Self {
            happened,
            read: BTreeMap::new(),
            past: BTreeSet::new(),
            known: BTreeSet::new(),
            orders: BTreeSet::new(),
        };
        for told in &happened.events {
            let seq = told.event.seq;
            news.known.insert(seq);
            // What the home says itself of a member bears no mark of history: it is dated in it.
            if told.replay || (told.own && live_since.is_none_or(|since| told.event.time < since)) {
                news.past.insert(seq);
                continue;
            }
            if FACTS.iter().any(|(name, ..)| *name == told.event.name) {
                continue;
            }
            if let Some(event) = opened(told) {
                news.orders.extend(event.order.as_ref().map(|facts| order::id(key, facts)));
                news.read.insert(seq, event);
            }
        }
        news
    }

    /// The messages, in the order in which things happened.
    pub(super) fn said(
        &self,
        key: &IdKey,
        rules: Option<&Rules>,
        live_since: Option<Ts>,
        orders: &BTreeMap<OrderId, Order>,
    ) -> Vec<Said> {
        let mut all: Vec<(Ts, i64, Said)> = Vec::new();
        for (member, tier, since, seq) in &self.happened.enrolled {
            if self.is_news(*seq, *since, live_since) {
                let data = of(*member, [("tier", Value::from(tier.as_str()))]);
                all.push((*since, *seq, said(key, "member.enrolled", member.bytes(), *since, *member, data)));
            }
        }
        for told in &self.happened.events {
            let (seq, at) = (told.event.seq, told.event.time);
            let about = |one: Said| (at, seq, one);
            if told.event.name == names::MEMBERS_UNMERGED && !self.past.contains(&seq) {
                all.extend(parted(key, told).map(about));
            }
            if !self.past.contains(&seq) {
                all.extend(fact(key, told).map(about));
            }
            if let Some(event) = self.read.get(&seq) {
                all.extend(self.event(key, rules, orders, told, event).into_iter().map(about));
            }
        }
        for booked in &self.happened.booked {
            if self.is_news(booked.seq, booked.at, live_since)
                && let Some(one) = moved(key, booked)
            {
                all.push((booked.at, booked.seq, one));
            }
        }
        // What one event caused stays in its order: it was derived in it.
        all.sort_by_key(|(at, seq, _)| (*at, *seq));
        all.into_iter().map(|(.., one)| one).collect()
    }

    fn is_news(&self, seq: i64, at: Ts, live_since: Option<Ts>) -> bool {
        !self.past.contains(&seq)
            && (self.known.contains(&seq) || live_since.is_some_and(|since| at >= since))
    }

    fn event(
        &self,
        key: &IdKey,
        rules: Option<&Rules>,
        orders: &BTreeMap<OrderId, Order>,
        told: &Told,
        event: &Event,
    ) -> Vec<Said> {
        let (id, at, member) = (told.event.id, told.event.time, told.member);
        let cause = id.bytes();
        match (event.name.as_str(), told.own) {
            (names::MEMBER_JOINED, true) => {
                let merged = event.identifiers.first().and_then(|who| MemberId::from_hex(&who.value));
                let data = |merged: MemberId| of(member, [("merged", Value::from(merged.to_string()))]);
                merged
                    .map(|merged| said(key, "member.merged", cause, at, member, data(merged)))
                    .into_iter()
                    .collect()
            }
            (names::CONSENT_GIVEN | names::CONSENT_WITHDRAWN | names::CONSENT_PREFERENCES, _) => {
                consent(key, rules, event, (id, at, member))
            }
            (name, _) => {
                let found = event.order.as_ref().and_then(|facts| orders.get(&order::id(key, facts)));
                let (Some(order), Some(rules)) = (found, rules) else { return Vec::new() };
                // However often a report of an order comes, it was completed once.
                let (kind, cause) = match name {
                    names::ORDER_COMPLETED => ("order.completed", order.id.bytes()),
                    names::ORDER_UPDATED => ("order.updated", cause),
                    names::ORDER_PAID => ("order.paid", cause),
                    names::ORDER_REFUNDED => ("order.refunded", cause),
                    names::ORDER_CANCELLED => ("order.cancelled", cause),
                    _ => return Vec::new(),
                };
                vec![said(key, kind, cause, at, order.member, ordered(order, rules))]
            }
        }
    }
}

fn opened(told: &Told) -> Option<Event> {
    if told.event.body.0.is_empty() {
        return None;
    }
    let origin = Origin { user_namespace: &told.event.user_namespace, default_time: Some(told.event.time) };
    let body = seal::open(&told.event.body).ok()?;
    match event::read(body.as_bytes(), &origin) {
        Ok(event) => Some(event),
        Err(refusal) => {
            tracing::warn!(
                seq = told.event.seq,
                code = refusal.code,
                "webhooks: an event does not read any more"
            );
            None
        }
    }
}

fn said(
    key: &IdKey,
    kind: &'static str,
    cause: &[u8],
    at: Ts,
    member: MemberId,
    data: Map<String, Value>,
) -> Said {
    Said { id: message_id(key, kind, cause), kind, at, member, data }
}

/// What is said of a member.
fn of(member: MemberId, fields: impl IntoIterator<Item = (&'static str, Value)>) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("member".to_owned(), Value::from(member.to_string()));
    data.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
    data
}

/// What is told of a coupon.
const COUPON: &[&str] = &["coupon", "offer", "valid_until"];
/// Properties that are amounts.
const AMOUNTS: [&str; 4] = ["payable", "discount", "refund", "points"];
/// What the home says itself of a member: its event, what it is called here, and which of its properties are told.
const FACTS: [(&str, &str, &[&str]); 16] = [
    (names::TIER_CHANGED, "member.tier_changed", &["from", "to"]),
    (names::STAGE_CHANGED, "member.stage_moved", &["from", "to"]),
    (names::TAG_ADDED, "member.tag_added", &["tag"]),
    (names::TAG_REMOVED, "member.tag_removed", &["tag"]),
    (names::AUDIENCE_ENTERED, "member.audience_entered", &["audience"]),
    (names::AUDIENCE_LEFT, "member.audience_left", &["audience"]),
    (names::COUPON_ISSUED, "coupon.issued", COUPON),
    (names::COUPON_USED, "coupon.redeemed", COUPON),
    (names::COUPON_EXPIRING, "coupon.expiring", COUPON),
    (names::COUPON_EXPIRED, "coupon.expired", COUPON),
    (names::CHECKOUT_LOCKED, "checkout.locked", &["checkout", "payable", "discount", "until"]),
    (names::CHECKOUT_REDEEMED, "checkout.redeemed", &["checkout", "payable", "discount"]),
    (names::CHECKOUT_CANCELLED, "checkout.cancelled", &["checkout"]),
    (names::CHECKOUT_RELEASED, "checkout.released", &["checkout"]),
    (names::CHECKOUT_RETURNED, "checkout.returned", &["checkout", "refund", "points"]),
    (names::CAMPAIGN_STEP, "campaign.step", &["webhook", "campaign", "run", "step", "with"]),
];
/// The property that says things by their names, as JSON.
const WITH: &str = "with";

fn fact(key: &IdKey, told: &Told) -> Option<Said> {
    let (_, kind, fields) = FACTS.into_iter().find(|(name, ..)| told.own && *name == told.event.name)?;
    let body = seal::open(&told.event.body).ok()?;
    let body: Value = serde_json::from_str(&body).ok()?;
    let said_of = |name: &&'static str| {
        let said = body["properties"][*name].as_str()?;
        if *name == WITH {
            return Some((*name, serde_json::from_str(said).ok()?));
        }
        // Amounts are said as texts, and told as numbers.
        let amount = AMOUNTS.contains(name).then(|| said.parse::<i64>().ok()).flatten();
        Some((*name, amount.map_or_else(|| Value::from(said), Value::from)))
    };
    let data = of(told.member, fields.iter().filter_map(said_of));
    // A step of a run is told once, whatever event came to it.
    let step = ["run", "step"].map(|name| data.get(name).and_then(Value::as_str).unwrap_or_default());
    let cause = match kind {
        "campaign.step" => step.join("/").into_bytes(),
        _ => told.event.id.bytes().to_vec(),
    };
    Some(said(key, kind, &cause, told.event.time, told.member, data))
}

fn parted(key: &IdKey, told: &Told) -> Option<Said> {
    let parted = told.reached?;
    let data = of(told.member, [("parted", Value::from(parted.to_string()))]);
    Some(said(key, "member.unmerged", told.event.id.bytes(), told.event.time, told.member, data))
}

fn consent(
    key: &IdKey,
    rules: Option<&Rules>,
    event: &Event,
    (id, at, member): (EventId, Ts, MemberId),
) -> Vec<Said> {
    let Some(rules) = rules else { return Vec::new() };
    let one = |word: zhiyin_decide::consent::Spoken| {
        let kind = if word.given { "consent.given" } else { "consent.withdrawn" };
        let mut data = of(member, [("purposes", json!(word.purposes)), ("channels", json!(word.channels))]);
        if !word.version.is_empty() {
            data.insert("version".to_owned(), Value::from(word.version));
        }
        said(key, kind, id.bytes(), at, member, data)
    };
    spoken(&rules.consent, event, id).into_iter().map(one).collect()
}

fn ordered(order: &Order, rules: &Rules) -> Map<String, Value> {
    let status = match order.status {
        OrderStatus::Announced => "announced",
        OrderStatus::Placed => "placed",
        OrderStatus::Cancelled => "cancelled",
        OrderStatus::TakenOver => "taken_over",
    };
    let mut data = of(
        order.member,
        [
            ("order", Value::from(order.id.to_string())),
            ("status", Value::from(status)),
            ("paid_minor", Value::from(order.paid.0)),
            ("refunded_minor", Value::from(order.refunded.0)),
            ("currency", Value::from(rules.currency.code.as_str())),
            ("ordered_at", Value::from(order.time.rfc3339())),
        ],
    );
    for (name, value) in [("store", &order.store), ("channel", &order.channel)] {
        if let Some(value) = value {
            data.insert(name.to_owned(), Value::from(value.as_str()));
        }
    }
    data
}

/// What a booking is called; moves between members of one person are no news.
fn moved(key: &IdKey, booked: &Booked) -> Option<Said> {
    use TransferKind as Kind;
    let kind = match (booked.asset, booked.kind) {
        (Asset::Points, Kind::Earn) => "points.earned",
        (Asset::Points, Kind::TakeBack) => "points.taken_back",
        (Asset::Points, Kind::Spend) => "points.spent",
        (Asset::Points, Kind::Return) => "points.returned",
        (Asset::Points, Kind::Expire) => "points.expired",
        (Asset::Points, Kind::Give | Kind::Withdraw) => "points.adjusted",
        (Asset::Points, Kind::Hold) => "points.held",
        (Asset::Points, Kind::Release) => "points.released",
        (Asset::Points, Kind::TakeOver) => "points.taken_over",
        (Asset::Growth, Kind::Earn) => "growth.earned",
        (Asset::Growth, Kind::TakeBack) => "growth.taken_back",
        _ => return None,
    };
    let amount = if booked.kind == Kind::Withdraw { -booked.amount } else { booked.amount };
    let fields = [("amount", Value::from(amount)), ("transfer", Value::from(booked.id.to_string()))];
    let mut data = of(booked.member, fields);
    let reverses = booked.reverses.map(|id| id.to_string());
    for (name, value) in [("order", booked.order.map(|id| id.to_string())), ("reverses", reverses)] {
        if let Some(value) = value {
            data.insert(name.to_owned(), Value::from(value));
        }
    }
    Some(said(key, kind, booked.id.bytes(), booked.at, booked.member, data))
}
