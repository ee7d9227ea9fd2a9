//! Random streams of what a shop may send: orders and all that becomes of them, points that are spent and come back, gifts,
//! birthdays; late, early, twice, from two sources, about the wrong member.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use zhiyin_model::time::{HOUR_US, Ts};

use crate::home::{TILL, at, transfer_of};
use crate::items::{about, adjust, gift, identify, refund, spend, track};

/// The source beside the till.
pub const SHOP: &str = "shop";

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum What {
    /// An order: who, its number, cents, pieces of snacks.
    Order(u8, u8, u32, u8),
    /// Another report of an order: its number, cents, pieces of snacks.
    Update(u8, u32, u8),
    /// All of an order comes back.
    RefundAll(u8),
    /// Some cents of an order come back.
    RefundPart(u8, u32),
    /// Pieces of an order come back.
    RefundLine(u8, u8),
    /// An order never was.
    Cancel(u8),
    /// A payment notice.
    Paid(u8),
    /// An order event about somebody whose order it is not.
    Stranger(u8),
    /// Points are spent.
    Spend(u8, u8),
    /// Points are held.
    Hold(u8, u8),
    /// A hold is posted, whole or in part.
    Post(u8, Option<u8>),
    /// A hold is released.
    Void(u8),
    /// A spend or a posted hold comes back, whole or in part.
    Return(u8, Option<u8>),
    /// A person gives or takes points.
    Adjust(u8, i16),
    /// Points go to somebody else.
    Gift(u8, u8, u8),
    /// A birthday becomes known, or is forgotten.
    Birthday(u8, Option<u8>),
    /// A coupon is redeemed.
    Coupon(u8),
    /// A visit without a name, later seen with one.
    Visit(u8, bool),
    /// What came before comes once more, word for word.
    Again(u8),
}

/// What happens, and when it is heard of.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Hours since the moment before.
    pub hours: u16,
    /// Hours between its happening and its being heard of; below zero for clocks that are fast.
    pub late_hours: i16,
    /// Whether the shop says it, not the till.
    pub shop: bool,
    /// What.
    pub what: What,
}

/// An item and what its source and business now are.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Who sends it.
    pub source: &'static str,
    /// The item.
    pub item: Value,
    /// Business now, for items that come in live.
    pub now: Ts,
}

fn what() -> impl Strategy<Value = What> {
    let who = || 0u8..4;
    let number = || 0u8..8;
    let cents = || prop_oneof![Just(0u32), 1u32..20_000, Just(100u32), Just(9_999u32)];
    let part = || proptest::option::of(1u8..40);
    prop_oneof![
        10 => (who(), number(), cents(), 0u8..4).prop_map(|(w, n, c, s)| What::Order(w, n, c, s)),
        3 => (number(), cents(), 0u8..4).prop_map(|(n, c, s)| What::Update(n, c, s)),
        2 => number().prop_map(What::RefundAll),
        3 => (number(), 1u32..6_000).prop_map(|(n, c)| What::RefundPart(n, c)),
        3 => (number(), 1u8..3).prop_map(|(n, q)| What::RefundLine(n, q)),
        2 => number().prop_map(What::Cancel),
        2 => number().prop_map(What::Paid),
        1 => number().prop_map(What::Stranger),
        5 => (who(), 1u8..120).prop_map(|(w, a)| What::Spend(w, a)),
        4 => (who(), 1u8..60).prop_map(|(w, a)| What::Hold(w, a)),
        3 => (any::<u8>(), part()).prop_map(|(p, a)| What::Post(p, a)),
        2 => any::<u8>().prop_map(What::Void),
        4 => (any::<u8>(), part()).prop_map(|(p, a)| What::Return(p, a)),
        2 => (who(), -60i16..120).prop_map(|(w, a)| What::Adjust(w, a)),
        3 => (who(), 0u8..5, 1u8..50).prop_map(|(w, t, a)| What::Gift(w, t, a)),
        1 => (who(), proptest::option::of(0u8..40)).prop_map(|(w, d)| What::Birthday(w, d)),
        2 => who().prop_map(What::Coupon),
        2 => (who(), any::<bool>()).prop_map(|(w, k)| What::Visit(w, k)),
        2 => any::<u8>().prop_map(What::Again),
    ]
}

/// A stream of moments.
pub fn stream() -> impl Strategy<Value = Vec<Moment>> {
    let hours = prop_oneof![3 => Just(0u16), 5 => 0u16..30, 2 => 24u16..200];
    let late = prop_oneof![6 => Just(0i16), 2 => 0i16..400, 1 => -20i16..0];
    let moment = (hours, late, any::<bool>(), what());
    let moment = moment.prop_map(|(hours, late_hours, shop, what)| Moment { hours, late_hours, shop, what });
    proptest::collection::vec(moment, 12..42)
}

/// What has been said so far, so that later items can speak of it.
#[derive(Default)]
struct Told {
    owners: BTreeMap<u8, u8>,
    holds: Vec<(String, u8)>,
    spends: Vec<(String, u8)>,
    sent: Vec<Sent>,
}

fn name(who: u8) -> String {
    format!("m{who}")
}

fn lines(cents: u32, snacks: u8) -> Value {
    let other = cents.saturating_sub(u32::from(snacks) * 10);
    json!([
        {"product_id": "crisps", "category": "snacks", "quantity": snacks, "price": "0.10"},
        {"product_id": "pan", "category": "home", "quantity": 1, "paid": decimal(other)},
    ])
}

fn decimal(cents: u32) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// The items of a stream.
pub fn items(stream: &[Moment]) -> Vec<Sent> {
    let mut told = Told::default();
    let mut now = at("2018-06-01T03:30:00Z");
    for (i, moment) in stream.iter().enumerate() {
        now = now.plus_us(i64::from(moment.hours) * HOUR_US);
        let when = now.plus_us(-i64::from(moment.late_hours) * HOUR_US).rfc3339();
        let id = format!("e{i}");
        if let What::Again(pick) = moment.what {
            if let Some(sent) = told.sent.get(usize::from(pick) % told.sent.len().max(1)).cloned() {
                told.sent.push(Sent { now, ..sent });
            }
            continue;
        }
        let item = order_item(&mut told, &moment.what, &id, &when)
            .or_else(|| points_item(&mut told, &moment.what, &id, &when))
            .or_else(|| profile_item(&moment.what, &id, &when));
        // Spends and holds are named by the till's ids.
        let by_shop =
            moment.shop && !matches!(moment.what, What::Spend(..) | What::Hold(..) | What::Post(..));
        let source = if by_shop { SHOP } else { TILL };
        told.sent.extend(item.map(|item| Sent { source, item, now }));
    }
    told.sent
}

fn order_item(told: &mut Told, what: &What, id: &str, when: &str) -> Option<Value> {
    let owner = |number: &u8| name(told.owners.get(number).copied().unwrap_or(0));
    let text = |number: &u8| format!("n{number}");
    Some(match what {
        What::Order(who, number, cents, snacks) => {
            let who = *told.owners.entry(*number).or_insert(*who);
            let properties = json!({"order_id": text(number), "total": decimal(*cents),
                "products": lines(*cents, *snacks), "store_id": format!("s{}", number % 3)});
            track(id, &name(who), "Order Completed", when, properties)
        }
        What::Update(number, cents, snacks) => {
            let properties = json!({"order_id": text(number), "total": decimal(*cents),
                "products": lines(*cents, *snacks)});
            track(id, &owner(number), "Order Updated", when, properties)
        }
        What::RefundAll(number) => about(id, &owner(number), "Order Refunded", &text(number), when),
        What::RefundPart(number, cents) => refund(id, &owner(number), &text(number), when, &decimal(*cents)),
        What::RefundLine(number, quantity) => {
            let products = json!([{"product_id": "crisps", "quantity": quantity}]);
            let properties = json!({"order_id": text(number), "products": products});
            track(id, &owner(number), "Order Refunded", when, properties)
        }
        What::Cancel(number) => about(id, &owner(number), "Order Cancelled", &text(number), when),
        What::Paid(number) => {
            let properties = json!({"order_id": text(number), "payment_method": "cash"});
            track(id, &owner(number), "Order Paid", when, properties)
        }
        What::Stranger(number) => about(id, "stranger", "Order Refunded", &text(number), when),
        _ => return None,
    })
}

fn points_item(told: &mut Told, what: &What, id: &str, when: &str) -> Option<Value> {
    fn pick(list: &[(String, u8)], pick: u8) -> Option<(String, u8)> {
        list.get(usize::from(pick) % list.len().max(1)).cloned()
    }
    let reference = |key: &str, of: &str, kind: &str, amount: &Option<u8>| {
        let mut properties = json!({key: transfer_of(of, kind).to_string()});
        if let Some(amount) = amount {
            properties["amount"] = json!(amount);
        }
        properties
    };
    Some(match what {
        What::Spend(who, amount) => {
            told.spends.push((id.to_owned(), *who));
            spend(id, &name(*who), when, i64::from(*amount))
        }
        What::Hold(who, amount) => {
            told.holds.push((id.to_owned(), *who));
            track(id, &name(*who), "Points Spent", when, json!({"amount": amount, "hold": true}))
        }
        What::Post(choice, amount) => {
            let (of, who) = pick(&told.holds, *choice)?;
            told.spends.push((id.to_owned(), who));
            track(id, &name(who), "Points Posted", when, reference("hold_id", &of, "hold", amount))
        }
        What::Void(choice) => {
            let (of, who) = pick(&told.holds, *choice)?;
            track(id, &name(who), "Points Voided", when, reference("hold_id", &of, "hold", &None))
        }
        What::Return(choice, amount) => {
            let (of, who) = pick(&told.spends, *choice)?;
            track(id, &name(who), "Points Returned", when, reference("spend_id", &of, "spend", amount))
        }
        What::Adjust(who, amount) => adjust(id, &name(*who), when, i64::from(*amount)),
        What::Gift(who, to, amount) => gift(id, &name(*who), &name(*to), when, i64::from(*amount)),
        _ => return None,
    })
}

fn profile_item(what: &What, id: &str, when: &str) -> Option<Value> {
    Some(match what {
        What::Birthday(who, day) => {
            let day = day.map(|day| format!("1990-06-{:02}", 1 + day % 28));
            identify(id, &name(*who), when, json!({"birthday": day}))
        }
        What::Coupon(who) => track(id, &name(*who), "Coupon Redeemed", when, json!({"coupon": "c"})),
        What::Visit(who, known) => {
            let mut item = json!({"type": "page", "messageId": id, "timestamp": when,
                "anonymousId": format!("a{who}"), "properties": {"touchpoint": format!("poster/{id}")}});
            if *known {
                item["userId"] = json!(name(*who));
            }
            item
        }
        _ => return None,
    })
}
