//! A member to ask, and the two evaluators asked the same.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod draw;
pub mod table;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use zhiyin_condition::{
    AttributeType, Condition, EventRow, Facts, History, ItemRow, Judged, LeafStates, Leaves, OrderRow, Row,
    Schema, Scope, evaluate, evaluate_history,
};
use zhiyin_model::consent::Consents;
use zhiyin_model::dependant::Dependant;
use zhiyin_model::id::MemberId;
use zhiyin_model::money::Money;
use zhiyin_model::personal::Personal;
use zhiyin_model::playbook::{Consent, Purpose};
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Day, Ts, Zone};

/// A member and all that is known of them.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: MemberId,
    pub lists: BTreeSet<String>,
    pub attributes: BTreeMap<String, Scalar>,
    pub tags: BTreeSet<String>,
    pub tier: Option<String>,
    pub lifecycle: Option<String>,
    pub store: Option<String>,
    pub points: i64,
    pub enrolled_at: Option<Ts>,
    pub event: Option<EventRow>,
    pub order: Option<OrderRow>,
    pub orders: Vec<OrderRow>,
    pub events: Vec<EventRow>,
    pub states: LeafStates,
    pub personal: Personal,
}

impl Facts for Person {
    fn member_id(&self) -> MemberId {
        self.id
    }
    fn is_listed(&self, list: &str) -> bool {
        self.lists.contains(list)
    }
    fn attribute(&self, name: &str) -> Option<&Scalar> {
        self.attributes.get(name)
    }
    fn has_tag(&self, tag: &str) -> bool {
        self.tags.contains(tag)
    }
    fn tags(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.tags.iter().map(String::as_str))
    }
    fn tier(&self) -> Option<&str> {
        self.tier.as_deref()
    }
    fn lifecycle(&self) -> Option<&str> {
        self.lifecycle.as_deref()
    }
    fn store(&self) -> Option<&str> {
        self.store.as_deref()
    }
    fn points(&self) -> i64 {
        self.points
    }
    fn enrolled_at(&self) -> Option<Ts> {
        self.enrolled_at
    }
    fn consents(&self) -> Option<&Consents> {
        Some(&self.personal.consents)
    }
    fn dependants(&self) -> Box<dyn Iterator<Item = Dependant<'_>> + '_> {
        Box::new(self.personal.dependants.known())
    }
    fn leaves(&self) -> &LeafStates {
        &self.states
    }
    fn event(&self) -> Option<&EventRow> {
        self.event.as_ref()
    }
    fn order(&self) -> Option<&OrderRow> {
        self.order.as_ref()
    }
}

impl Person {
    pub fn stranger() -> Self {
        Self {
            id: MemberId::from_bytes([0; 16]),
            lists: BTreeSet::new(),
            attributes: BTreeMap::new(),
            tags: BTreeSet::new(),
            tier: None,
            lifecycle: None,
            store: None,
            points: 0,
            enrolled_at: None,
            event: None,
            order: None,
            orders: Vec::new(),
            events: Vec::new(),
            states: LeafStates::default(),
            personal: Personal::default(),
        }
    }

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.orders.iter().map(Row::Order).chain(self.events.iter().map(Row::Event))
    }

    /// Fills the states with the whole history.
    pub fn observe(&mut self, leaves: &Leaves) {
        let mut states = leaves.fresh();
        self.rows().for_each(|row| states.observe(leaves, row));
        self.states = states;
    }
}

pub fn schema(scope: Scope) -> Schema {
    let attributes = [
        ("birthday", AttributeType::Text),
        ("city", AttributeType::Text),
        ("job", AttributeType::Text),
        ("children", AttributeType::Number),
        ("spend", AttributeType::Number),
        ("vip", AttributeType::Bool),
        ("quiet", AttributeType::Bool),
        ("due", AttributeType::Date),
        ("moved", AttributeType::Date),
        ("brands", AttributeType::Texts),
        ("toys", AttributeType::Texts),
        ("home-store", AttributeType::Text),
        ("wish", AttributeType::Text),
    ];
    let audiences = [
        ("locals", "attr.city == \"上海\""),
        ("snackers", "sum(items.filter(i, i.category == \"snacks\").map(i, i.quantity)) >= 5"),
        ("often", "size(within(orders, \"366d\")) >= 3"),
        ("local snackers", "audience(\"locals\") && audience(\"snackers\")"),
        ("shoppers of a store", "orders.exists(o, o.store == store)"),
        ("evening", "hour >= 19"),
    ];
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    Schema {
        attributes: attributes.into_iter().map(|(name, of)| (name.to_owned(), of)).collect(),
        tags: owned(&["snack_lover", "vip", "sleeper", "空巢"]).into_iter().collect(),
        tiers: owned(&["regular", "silver", "gold"]),
        stages: owned(&["introduction", "maturity", "decline", "growth", "lost"]),
        consent: consent(),
        audiences: audiences.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect(),
        lists: owned(&["press", "staff"]).into_iter().collect(),
        decides: false,
        scope,
    }
}

/// Marketing needs consent to the second version of its text on three channels; profiling needs consent; service messages
/// may be refused.
pub fn consent() -> Consent {
    let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let purpose = |channels: &[&str], versions: &[&str], needed| Purpose {
        channels: set(channels),
        versions: set(versions),
        needed,
        ..Purpose::default()
    };
    let purposes = [
        ("marketing", purpose(&["sms", "wecom", "email"], &["2"], true)),
        ("profiling", purpose(&[], &[], true)),
        ("service", purpose(&["sms", "wecom"], &[], false)),
    ];
    let purposes = purposes.into_iter().map(|(id, purpose)| (id.to_owned(), purpose)).collect();
    Consent { purposes, minors_under: 14 }
}

pub fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap()
}

pub fn ts(text: &str) -> Ts {
    Ts::parse(text).unwrap_or_else(|| panic!("{text} is no time"))
}

pub fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn item(product: &str, category: &str, quantity: &str, paid: i64) -> ItemRow {
    ItemRow {
        product: product.into(),
        category: (!category.is_empty()).then(|| category.into()),
        department: Some("grocery".into()),
        quantity: number(quantity),
        paid: Money(paid),
    }
}

/// An order in a store, through the app.
pub fn order(time: Ts, paid: i64, store: &str, items: Vec<ItemRow>) -> OrderRow {
    let store = (!store.is_empty()).then(|| store.into());
    OrderRow { time, paid: Money(paid), store, channel: Some("app".into()), items }
}

pub fn event(name: &str, time: Ts, properties: &[(&str, Scalar)]) -> EventRow {
    EventRow {
        name: name.into(),
        time,
        store: Some("S1".into()),
        channel: None,
        properties: properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    }
}

/// A condition that must be right.
pub fn condition(text: &str, schema: &Schema) -> Condition {
    Condition::check(text, schema).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

/// What both evaluators say. They must agree, at `now` and for as long as either says it holds; the tree
/// must survive its own text, and the states JSON.
pub fn judge(text: &str, schema: &Schema, person: &Person, zone: &Zone, now: Ts) -> Judged {
    let mut condition = condition(text, schema);
    let again = Condition::to_text(condition.tree());
    let tree = Condition::check(&again, schema).unwrap_or_else(|problems| panic!("{again}: {problems:?}"));
    assert_eq!(condition.tree(), tree.tree(), "{text} → {again}");
    let json = serde_json::to_string(condition.tree()).unwrap();
    assert_eq!(condition.tree(), &serde_json::from_str(&json).unwrap(), "{json}");

    let leaves = Leaves::collect([&mut condition], zone.clone(), 2);
    let mut person = person.clone();
    person.observe(&leaves);
    person.states = LeafStates::unpack(&person.states.pack()).unwrap();
    assert!(person.states.fits(&leaves));
    let judged = evaluate(&condition, &leaves, &person, now);
    let history = History { orders: &person.orders, events: &person.events, zone, currency_exponent: 2 };
    let reference = |at: Ts| evaluate_history(&condition, &person, &history, at);
    assert_eq!(judged.value, reference(now).value, "{text}: the evaluators differ at {now}");
    for until in [judged.until, reference(now).until] {
        assert!(until > now, "{text}: {until} is not after {now}");
        for at in instants(zone, now, until) {
            assert_eq!(judged.value, reference(at).value, "{text}: said to hold until {until}, but at {at}");
            assert_eq!(judged.value, evaluate(&condition, &leaves, &person, at).value, "{text}: at {at}");
        }
    }
    judged
}

/// Instants from `now` to just before `until`: its end, midnights, and odd ones between.
pub fn instants(zone: &Zone, now: Ts, until: Ts) -> Vec<Ts> {
    // Ten years say as much as for ever.
    let end = until.min(now.plus_us(10 * 366 * 24 * 3_600_000_000));
    let span = end.0 - now.0;
    let between = (1..8).map(|i| Ts(now.0 + span / 8 * i));
    let midnights = (1..40).map(|i| zone.start(zone.day(now).plus(i)));
    between
        .chain(midnights.clone())
        .chain(midnights.map(|midnight| midnight.plus_us(-1)))
        .chain([end.plus_us(-1)])
        .filter(|at| *at >= now && *at < end)
        .collect()
}

/// `yes`, `no`, and until when: a date (its first instant in the zone), an instant, or nothing for ever.
pub fn spoken(judged: Judged, zone: &Zone) -> String {
    let value = if judged.value { "yes" } else { "no" };
    if judged.until == Ts::FOREVER {
        return value.to_owned();
    }
    let day: Day = zone.day(judged.until);
    if zone.start(day) == judged.until {
        return format!("{value} until {day}");
    }
    format!("{value} until {}", judged.until)
}
