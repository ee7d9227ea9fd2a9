//! Windows of hours are told by columns, to the microsecond, whatever clocks do: as the reference evaluator tells them of whole
//! histories, and as the one for one member does.

#![allow(clippy::unwrap_used, reason = "a test fails where it is wrong")]

#[path = "../../condition/tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use support::draw::{life, person};
use support::{condition, schema};
use zhiyin_audience::{Budget, Change, Layout, Person, Population, Question};
use zhiyin_condition::{EventRow, History, Leaves, OrderRow, Scope, evaluate_history, holds};
use zhiyin_model::id::MemberId;
use zhiyin_model::money::Money;
use zhiyin_model::time::{HOUR_US, Ts, Zone};

/// Conditions of a window of hours, each told by columns alone.
const ASKED: [&str; 22] = [
    "size(within(orders, \"Nh\")) >= 1",
    "size(within(orders, \"Nh\")) < 2",
    "size(within(orders, \"Nh\")) == 2",
    "size(within(items, \"Nh\")) > 1",
    "size(within(events(\"E\"), \"Nh\")) <= 1",
    "within(orders, \"Nh\").exists(o, o.store == \"S1\")",
    "within(items, \"Nh\").exists(i, i.category == \"a\" && i.quantity > 0)",
    "size(within(orders.filter(o, o.paid > 1), \"Nh\")) >= 1",
    "size(within(orders, \"Nh\").filter(o, hour(o.time) < 12)) >= 1",
    "sum(within(orders, \"Nh\").map(o, o.paid)) > 1.5",
    "sum(within(items, \"Nh\").filter(i, i.category == \"a\").map(i, i.quantity)) >= 1",
    "sum(within(items, \"Nh\").map(i, i.paid)) <= 2",
    "avg(within(orders, \"Nh\").map(o, o.paid)) >= 1",
    "min(within(orders, \"Nh\").map(o, o.paid)) < 2",
    "max(within(items, \"Nh\").map(i, i.quantity)) == 3",
    "max(within(events(\"E\"), \"Nh\").map(e, e.properties.amount)) >= 3",
    "first(within(orders, \"Nh\")).store == \"S2\"",
    "last(within(items, \"Nh\")).category == \"b\"",
    "last(within(events(\"E\"), \"Nh\")).properties.amount == 3",
    "days_since(last(within(orders, \"Nh\"))) <= 1",
    "median_gap(within(orders, \"Nh\")) >= 1",
    "size(within(orders, \"Nh\")) >= 1 && size(within(orders, \"30d\")) >= 2 && points > 1",
];

fn id(n: usize) -> MemberId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&(n as u64).to_be_bytes());
    MemberId::from_bytes(bytes)
}

fn somebody(n: usize, orders: &[OrderRow], events: &[EventRow]) -> Person {
    Person { points: 15, orders: orders.to_vec(), events: events.to_vec(), ..Person::gone(id(n)) }
}

/// Whoever is found, and whether columns alone told.
fn found(population: &Population, text: &str, now: Ts) -> (Vec<MemberId>, bool) {
    let condition = condition(text, &schema(Scope::Member));
    let seen = population.seen();
    let found = seen.find(&Question { condition: &condition, now });
    let mut ids: Vec<MemberId> = seen.ids(&found.members).collect();
    ids.sort();
    (ids, found.steps.iter().all(|step| step.by != "member by member"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn windows_of_hours_are_told_by_columns_at_any_instant(
        lives in vec(life(), 1..6),
        texts in vec((select(&ASKED[..]), select(&[1i64, 2, 23, 24, 25, 36, 100, 720][..])), 1..6),
        instants in vec((any::<Index>(), any::<bool>(), select(&[-HOUR_US, -1, 0, 1, 1_800_000_000][..])), 1..5),
    ) {
        let zone = lives[0].zone.clone();
        let layout = Layout { zone: zone.clone(), currency_exponent: 2, attributes: schema(Scope::Member).attributes };
        let population = Population::new(layout, Budget::default());
        let puts = lives.iter().enumerate().map(|(n, life)| {
            Change::Put(Box::new(somebody(n, &life.orders, &life.events)))
        });
        population.apply(&puts.collect::<Vec<Change>>()).unwrap();
        population.fold();
        let mut times: Vec<Ts> = lives.iter().flat_map(|life| &life.orders).map(|order| order.time).collect();
        times.extend(lives.iter().flat_map(|life| &life.events).map(|event| event.time));
        times.extend(&lives[0].asked);
        for (text, hours) in texts {
            let text = text.replace("Nh", &format!("{hours}h"));
            let mut conditions = [condition(&text, &schema(Scope::Member))];
            let leaves = Leaves::collect(&mut conditions, zone.clone(), 2);
            let at_once = ["size", "sum", "within", "first", "last"].iter().any(|begin| text.starts_with(begin));
            for (row, leaves_then, off) in &instants {
                // When a row enters or leaves the window, a little before, a little after.
                let row = times[row.index(times.len())];
                let now = row.plus_us(if *leaves_then { hours * HOUR_US } else { 0 }).plus_us(*off);
                let (ids, by_columns) = found(&population, &text, now);
                let holds_for = |n: &usize| {
                    let mut known = person(&lives[*n]);
                    known.attributes.clear();
                    known.states = leaves.fresh();
                    known.clone().rows().for_each(|row| known.states.observe(&leaves, row));
                    let history = History {
                        orders: &lives[*n].orders,
                        events: &lives[*n].events,
                        zone: &zone,
                        currency_exponent: 2,
                    };
                    let reference = evaluate_history(&conditions[0], &known, &history, now).value;
                    assert_eq!(holds(&conditions[0], &leaves, &known, now).0, reference, "{text} at {now}");
                    reference
                };
                let expected: Vec<MemberId> = (0..lives.len()).filter(holds_for).map(id).collect();
                prop_assert_eq!(&ids, &expected, "{} at {} in {}", text, now, zone.name());
                prop_assert!(by_columns || !at_once, "{}", text);
            }
        }
    }
}

/// What is more than is kept of anybody for such a window is told by the evaluator, which knows which rows are.
#[test]
fn of_more_rows_than_are_kept_the_latest_count() {
    let zone = Zone::named("Asia/Shanghai").unwrap();
    let layout = Layout { zone, currency_exponent: 2, attributes: BTreeMap::new() };
    let population = Population::new(layout, Budget::default());
    let begin = Ts::parse("2024-03-10T00:00:00Z").unwrap();
    let order = |n: i64| OrderRow {
        time: begin.plus_us(n * 1_000_000),
        paid: Money(100 + n),
        store: Some("S1".into()),
        channel: None,
        items: Vec::new(),
    };
    let orders = |n: i64| (0..n).map(order).collect::<Vec<OrderRow>>();
    let people =
        [somebody(0, &orders(5), &[]), somebody(1, &orders(1_000), &[]), somebody(2, &orders(1_300), &[])];
    population.apply(&people.map(|person| Change::Put(Box::new(person)))).unwrap();
    let count = |text: &str| {
        let (ids, _) = found(&population, text, begin.plus_us(HOUR_US));
        ids
    };
    assert_eq!(count("size(within(orders, \"2h\")) >= 1000"), [id(1), id(2)]);
    assert!(count("size(within(orders, \"2h\")) > 1000").is_empty());
    // The latest 1,000 of 1,300 begin with the 301st.
    assert_eq!(count("first(within(orders, \"2h\")).paid >= 4"), [id(2)]);
    assert_eq!(count("size(orders) > 1000"), [id(2)]);
    assert_eq!(count("!(size(within(orders, \"2h\")) >= 6)"), [id(0)]);
}
