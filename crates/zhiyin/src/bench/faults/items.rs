//! What a shop and its till may send: orders and all that becomes of them, points that are spent and come back, gifts, names;
//! late, early, twice, changed under the same id, about the wrong member, or so that the decision breaks down.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zhiyin_model::id::{EventId, IdKey, TransferId};
use zhiyin_model::time::{HOUR_US, Ts};

use super::chance::Chance;

/// The id key of every home here: nothing in them is secret, and what was derived can be named.
pub const KEY: IdKey = IdKey::from_bytes([7; 32]);
/// The source that spends points: its ids name what comes back.
pub const TILL: &str = "till";
/// The source beside it.
pub const SHOP: &str = "shop";
/// The event whose decision breaks down: the fault test's own decider sees to it.
pub const POISON: &str = "Poison";
/// How many people there are.
const PEOPLE: u64 = 6;
/// How many order numbers there are: few, so that most are spoken of again.
const NUMBERS: u64 = 14;

/// What happens.
#[derive(Clone, Copy)]
enum Kind {
    Order,
    Update,
    RefundAll,
    RefundPart,
    RefundLine,
    Cancel,
    Paid,
    Stranger,
    Spend,
    Hold,
    Post,
    Void,
    Return,
    Adjust,
    Gift,
    Birthday,
    Names,
    Coupon,
    Visit,
    Again,
    Changed,
    Poison,
    Malformed,
}

const KINDS: [(u64, Kind); 23] = [
    (20, Kind::Order),
    (4, Kind::Update),
    (3, Kind::RefundAll),
    (5, Kind::RefundPart),
    (4, Kind::RefundLine),
    (2, Kind::Cancel),
    (2, Kind::Paid),
    (1, Kind::Stranger),
    (9, Kind::Spend),
    (6, Kind::Hold),
    (5, Kind::Post),
    (3, Kind::Void),
    (6, Kind::Return),
    (4, Kind::Adjust),
    (9, Kind::Gift),
    (2, Kind::Birthday),
    (4, Kind::Names),
    (3, Kind::Coupon),
    (3, Kind::Visit),
    (5, Kind::Again),
    (3, Kind::Changed),
    (2, Kind::Poison),
    (1, Kind::Malformed),
];

/// A shop with its till, and what they have said so far, so that later items can speak of it.
#[derive(Default)]
pub struct Shop {
    /// Whether several members may speak of the same order. Where a home has several shares it is then nobody's promise who of
    /// them comes first.
    contested: bool,
    owners: BTreeMap<u64, u64>,
    holds: Vec<(String, u64)>,
    spends: Vec<(String, u64)>,
    said: Vec<(&'static str, Value)>,
    n: u64,
}

impl Shop {
    /// A shop that has said nothing yet.
    pub fn new(contested: bool) -> Self {
        Self { contested, ..Self::default() }
    }

    /// The next item of a source, which happens at `when`, as bytes of the wire.
    pub fn item(&mut self, chance: &mut Chance, source: &'static str, when: Ts) -> Vec<u8> {
        self.n += 1;
        let id = format!("e{}", self.n);
        let when = when.rfc3339();
        let item = match chance.weigh(&KINDS, Kind::Order) {
            Kind::Malformed => return format!("{{\"type\":\"track\",\"messageId\":\"{id}\"").into_bytes(),
            Kind::Again => self.again(chance, source),
            Kind::Changed => self.again(chance, source).map(|item| changed(item, &when)),
            // Spends and holds are named by the till's ids.
            Kind::Spend | Kind::Hold | Kind::Post if source == SHOP => None,
            kind => self
                .of_order(chance, kind, &id, &when)
                .or_else(|| self.of_points(chance, kind, &id, &when))
                .or_else(|| self.of_people(chance, kind, &id, &when)),
        };
        let item = item.unwrap_or_else(|| self.order(chance, &id, &when));
        self.said.push((source, item.clone()));
        item.to_string().into_bytes()
    }

    fn again(&mut self, chance: &mut Chance, source: &str) -> Option<Value> {
        let own: Vec<&Value> =
            self.said.iter().filter(|(by, _)| *by == source).map(|(_, item)| item).collect();
        chance.pick(&own).map(|item| (*item).clone())
    }

    fn order(&mut self, chance: &mut Chance, id: &str, when: &str) -> Value {
        let number = chance.below(NUMBERS);
        let who = self.owner_of(number, chance.below(PEOPLE));
        self.owners.insert(number, who);
        let mut properties = lines(chance, number);
        properties["store_id"] = json!(format!("s{}", number % 3));
        self.order_item(chance, id, who, "Order Completed", when, properties)
    }

    /// Who an order is said to be of.
    fn owner_of(&self, number: u64, otherwise: u64) -> u64 {
        let known = self.owners.get(&number).copied();
        if self.contested { known.unwrap_or(otherwise) } else { number % PEOPLE }
    }

    /// An event about an order, under its owner's names.
    fn order_item(
        &self,
        chance: &mut Chance,
        id: &str,
        who: u64,
        event: &str,
        when: &str,
        properties: Value,
    ) -> Value {
        let mut item = track(chance, id, who, event, when, properties);
        if !self.contested {
            // Other names may be somebody else's.
            item["userId"] = json!(person(who));
        }
        item
    }

    fn of_order(&mut self, chance: &mut Chance, kind: Kind, id: &str, when: &str) -> Option<Value> {
        if matches!(kind, Kind::Order) {
            return Some(self.order(chance, id, when));
        }
        let number = chance.below(NUMBERS);
        let owner = self.owner_of(number, 0);
        let whole = json!({"order_id": format!("n{number}")});
        Some(match kind {
            Kind::Update => {
                let properties = lines(chance, number);
                self.order_item(chance, id, owner, "Order Updated", when, properties)
            }
            Kind::RefundAll => self.order_item(chance, id, owner, "Order Refunded", when, whole),
            Kind::RefundPart => {
                let properties =
                    json!({"order_id": format!("n{number}"), "total": decimal(1 + chance.below(6_000))});
                self.order_item(chance, id, owner, "Order Refunded", when, properties)
            }
            Kind::RefundLine => {
                let products = json!([{"product_id": "crisps", "quantity": 1 + chance.below(2)}]);
                let properties = json!({"order_id": format!("n{number}"), "products": products});
                self.order_item(chance, id, owner, "Order Refunded", when, properties)
            }
            Kind::Cancel => self.order_item(chance, id, owner, "Order Cancelled", when, whole),
            Kind::Paid => {
                let properties = json!({"order_id": format!("n{number}"), "payment_method": "cash"});
                self.order_item(chance, id, owner, "Order Paid", when, properties)
            }
            Kind::Stranger if self.contested => track(chance, id, PEOPLE, "Order Refunded", when, whole),
            _ => return None,
        })
    }

    fn of_points(&mut self, chance: &mut Chance, kind: Kind, id: &str, when: &str) -> Option<Value> {
        let who = chance.below(PEOPLE);
        let part = (!chance.one_in(3)).then(|| 1 + chance.below(40));
        Some(match kind {
            Kind::Spend => {
                self.spends.push((id.to_owned(), who));
                track(chance, id, who, "Points Spent", when, json!({"amount": 1 + who + part.unwrap_or(60)}))
            }
            Kind::Hold => {
                self.holds.push((id.to_owned(), who));
                let properties = json!({"amount": part.unwrap_or(50), "hold": true});
                track(chance, id, who, "Points Spent", when, properties)
            }
            Kind::Post => {
                let (of, who) = chance.pick(&self.holds)?.clone();
                self.spends.push((id.to_owned(), who));
                track(chance, id, who, "Points Posted", when, naming("hold_id", &of, "hold", part))
            }
            Kind::Void => {
                let (of, who) = chance.pick(&self.holds)?.clone();
                track(chance, id, who, "Points Voided", when, naming("hold_id", &of, "hold", None))
            }
            Kind::Return => {
                let (of, who) = chance.pick(&self.spends)?.clone();
                track(chance, id, who, "Points Returned", when, naming("spend_id", &of, "spend", part))
            }
            Kind::Adjust => {
                let properties = json!({"amount": chance.between(-60, 120), "reason": "a test says so"});
                track(chance, id, who, "Points Adjusted", when, properties)
            }
            Kind::Gift => {
                let to = person(chance.below(PEOPLE + 1));
                let amount = 1 + chance.below(50);
                let properties = json!({"amount": amount, "to_namespace": "user", "to_value": to});
                track(chance, id, who, "Points Gifted", when, properties)
            }
            _ => return None,
        })
    }

    fn of_people(&mut self, chance: &mut Chance, kind: Kind, id: &str, when: &str) -> Option<Value> {
        let who = chance.below(PEOPLE);
        Some(match kind {
            Kind::Birthday => {
                let day = (!chance.one_in(4)).then(|| format!("1990-06-{:02}", 1 + chance.below(28)));
                json!({"type": "identify", "messageId": id, "userId": person(who), "timestamp": when,
                    "traits": {"birthday": day}})
            }
            // Names of one, or of two of whom the most telling decides.
            Kind::Names => {
                let phone = if chance.one_in(5) { (who + 1) % PEOPLE } else { who };
                let mut item = json!({"type": "identify", "messageId": id, "timestamp": when, "traits": {},
                    "context": {"externalIds": [{"id": format!("1390000{phone:04}"), "type": "phone"},
                        {"id": format!("w{who}"), "type": "wechat"}]}});
                if !chance.one_in(3) {
                    item["userId"] = json!(person(who));
                }
                if chance.one_in(2) {
                    item["anonymousId"] = json!(format!("a{who}"));
                }
                item
            }
            Kind::Coupon => track(chance, id, who, "Coupon Redeemed", when, json!({"coupon": "c"})),
            Kind::Visit => {
                let mut item = json!({"type": "page", "messageId": id, "timestamp": when,
                    "anonymousId": format!("a{who}"), "properties": {"touchpoint": format!("poster/{id}")}});
                if chance.one_in(2) {
                    item["userId"] = json!(person(who));
                }
                item
            }
            Kind::Poison => track(chance, id, who, POISON, when, json!({})),
            _ => return None,
        })
    }
}

/// How much later or earlier than it is heard of something may have happened: mostly at once, sometimes days ago, sometimes
/// by a clock that is fast, once in a while too fast to be taken.
pub fn lag_us(chance: &mut Chance) -> i64 {
    let hours = match chance.below(40) {
        0 => -30,
        1..=3 => chance.between(-20, -1),
        4..=11 => chance.between(1, 400),
        _ => 0,
    };
    hours * HOUR_US
}

/// The first transfer that an event of the till made: what postings and returns name.
fn naming(key: &str, of: &str, kind: &str, amount: Option<u64>) -> Value {
    let event: EventId = KEY.derive("event", &[TILL.as_bytes(), of.as_bytes()]);
    let parts: [&[u8]; 4] = [event.bytes(), b"points", kind.as_bytes(), &0u32.to_le_bytes()];
    let transfer: TransferId = KEY.derive("transfer", &parts);
    let mut properties = json!({key: transfer.to_string()});
    if let Some(amount) = amount {
        properties["amount"] = json!(amount);
    }
    properties
}

/// The same id with another body.
fn changed(mut item: Value, when: &str) -> Value {
    item["traits"] = json!({"changed": when});
    item
}

/// Everybody but the last is spoken of often.
fn person(who: u64) -> String {
    if who < PEOPLE { format!("m{who}") } else { "stranger".to_owned() }
}

fn decimal(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn lines(chance: &mut Chance, number: u64) -> Value {
    let snacks = chance.below(4);
    let cents = match chance.below(8) {
        0 => 0,
        1 => 9_999,
        _ => 1 + chance.below(20_000),
    };
    json!({"order_id": format!("n{number}"), "total": decimal(cents), "products": [
        {"product_id": "crisps", "category": "snacks", "quantity": snacks, "price": "0.10"},
        {"product_id": "pan", "category": "home", "quantity": 1, "paid": decimal(cents.saturating_sub(snacks * 10))},
    ]})
}

/// An event about somebody, under one or several of their names.
fn track(chance: &mut Chance, id: &str, who: u64, event: &str, when: &str, properties: Value) -> Value {
    let mut item = json!({"type": "track", "event": event, "messageId": id, "timestamp": when, "properties": properties});
    let phone = json!({"externalIds": [{"id": format!("1390000{who:04}"), "type": "phone"}]});
    match chance.below(12) {
        0 => item["context"] = phone,
        1 => {
            item["userId"] = json!(person(who));
            item["context"] = phone;
        }
        2 => {
            item["userId"] = json!(person(who));
            item["anonymousId"] = json!(format!("a{who}"));
        }
        _ => item["userId"] = json!(person(who)),
    }
    item
}
