//! Conditions, histories and lives drawn at random: of zones whose clocks are put forward and back, around a leap day, with
//! empty histories and unknown values.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use zhiyin_condition::{EventRow, OrderRow};
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Day, Ts, Zone};

use super::{Person, item, number, order, zone};

const ZONES: [&str; 4] = ["UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"];

/// 2024-03-01 and 2024-10-25: leap day, and clocks put forward and back, near by.
const BASES: [i32; 2] = [19_783, 20_021];

fn picked(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    select(texts).prop_map(str::to_owned).boxed()
}

fn comparison() -> BoxedStrategy<String> {
    picked(&["==", "!=", "<", "<=", ">", ">="])
}

/// What may be asked of a row `x` of a kind, yes or no.
fn of_row(kind: &'static str, late: bool) -> BoxedStrategy<String> {
    let early = match kind {
        "order" => picked(&[
            "x.paid > 1.5",
            "x.store == \"S1\"",
            "x.store != \"S2\" && x.paid <= 2",
            "x.items.exists(i, i.category == \"a\")",
            "size(x.items) > 1",
            "sum(x.items.map(i, i.quantity)) >= 2",
            "weekday(x) in [\"sat\", \"sun\", \"mon\"]",
            "clock(x) >= \"12:00\" || hour(x) == 0",
            "x.time >= \"2024-03-01\"",
            "x.channel == null",
        ]),
        "item" => picked(&[
            "x.category == \"a\"",
            "x.category != \"a\"",
            "x.category == null",
            "x.quantity * 2 > 3",
            "x.paid / x.quantity > 1",
            "x.product.startsWith(\"p\") && x.store in [\"S1\"]",
        ]),
        _ => picked(&[
            "x.properties.amount > 1",
            "x.properties.amount != null",
            "x.properties.amount == \"two\"",
            "has(x.properties.amount) || x.store == \"S1\"",
        ]),
    };
    if !late {
        return early;
    }
    let late = picked(&[
        "x.store == store",
        "days_since(x) <= 20",
        "x.time >= enrolled_at",
        "days_since(x) > median_gap(orders)",
        "x.store in [store, \"S9\"] || weekday == \"sun\"",
        "tags.exists(t, t == x.store)",
        "size(orders) > 2",
        "audience(\"often\")",
        "x.store == \"S1\" && audience(\"shoppers of a store\") || bucket(\"x\") < 50",
    ]);
    prop_oneof![3 => early, 1 => late].boxed()
}

/// Rows of history, and their kind.
pub fn rows() -> BoxedStrategy<(String, &'static str)> {
    let source = select(&[("orders", "order"), ("items", "item"), ("events(\"E\")", "event")][..]);
    let window = prop_oneof![
        4 => Just(None),
        5 => select(&["0d", "1d", "7d", "30d", "365d"][..]).prop_map(Some),
        1 => select(&["1h", "24h", "100h"][..]).prop_map(Some),
    ];
    (source, window, any::<bool>())
        .prop_flat_map(|((source, kind), window, filtered)| {
            let filter = of_row(kind, true).prop_map(move |body| if filtered { body } else { String::new() });
            (Just((source, kind, window)), filter, any::<bool>())
        })
        .prop_map(|((source, kind, window), filter, filter_first)| {
            let filtered = |rows: String| match filter.as_str() {
                "" => rows,
                body => format!("{rows}.filter(x, {body})"),
            };
            let windowed = |rows: String| match window {
                Some(window) => format!("within({rows}, \"{window}\")"),
                None => rows,
            };
            let rows = source.to_owned();
            let made = if filter_first { windowed(filtered(rows)) } else { filtered(windowed(rows)) };
            (made, kind)
        })
        .boxed()
}

/// What may be asked of history, yes or no.
pub fn history() -> BoxedStrategy<String> {
    rows()
        .prop_flat_map(|(rows, kind)| {
            let amount = match kind {
                "order" => "x.paid",
                "item" => "x.quantity",
                _ => "x.properties.amount",
            };
            let mapped = format!("{rows}.map(x, {amount})");
            let numbers = vec![
                format!("size({rows})"),
                format!("sum({mapped})"),
                format!("min({mapped})"),
                format!("max({mapped})"),
                format!("avg({mapped})"),
                format!("first({mapped})"),
                format!("sum({mapped}.filter(n, n < 3).map(n, n * 2))"),
                format!("max({mapped}.map(n, n + points))"),
                format!("days_since(first({rows}))"),
                format!("days_since(last({rows}))"),
                format!("median_gap({rows})"),
                format!("hour(last({rows}))"),
                format!("days_since(max({rows}.map(x, x.time)))"),
            ];
            let bound = prop_oneof![
                6 => (-1i32..40).prop_map(|n| n.to_string()),
                2 => select(&["1.5", "0", "2", "365", "null"][..]).prop_map(str::to_owned),
                1 => select(&["points", "age", "median_gap(orders)", "size(orders) * 2"][..]).prop_map(str::to_owned),
            ];
            let compared = (select(numbers), comparison(), bound).prop_map(|(number, op, bound)| {
                let op = if bound == "null" { "==" } else { op.as_str() };
                format!("{number} {op} {bound}")
            });
            let asked = of_row(kind, true).prop_map({
                let rows = rows.clone();
                move |body| format!("{rows}.exists(x, {body})")
            });
            let always = of_row(kind, false).prop_map({
                let rows = rows.clone();
                move |body| format!("{rows}.all(x, {body})")
            });
            let other = select(vec![
                format!("last({rows}).store == \"S1\""),
                format!("first({rows}).store != store"),
                format!("last({rows}) == null"),
                format!("store in {rows}.map(x, x.store)"),
                format!("\"S2\" in {rows}.map(x, x.store)"),
            ]);
            prop_oneof![4 => compared, 1 => asked, 1 => always, 1 => other]
        })
        .boxed()
}

/// A condition.
pub fn conditions() -> BoxedStrategy<String> {
    let plain = picked(&[
        "age >= 34",
        "age < 45",
        "is_birthday",
        "weekday == \"wed\"",
        "weekday in [\"sat\", \"sun\"]",
        "hour >= 9",
        "clock < \"09:30\"",
        "tier >= \"silver\"",
        "attr.vip",
        "attr.job == null",
        "days_since(enrolled_at) > 30",
        "days_since(attr.due) <= 3",
        "points % 7 == 1",
    ]);
    let leaf = prop_oneof![4 => history(), 1 => plain];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" && "))),
            vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" || "))),
            inner.clone().prop_map(|part| format!("!({part})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("(({a}) ? ({b}) : ({c}))")),
        ]
    })
    .boxed()
}

/// An instant: days around the base, often at the edges of a day.
pub fn time(zone: Zone, base: i32) -> impl Strategy<Value = Ts> {
    let within_day = prop_oneof![Just(0i64), Just(-1), Just(1), Just(7_200_000_000), 0i64..86_400_000_000,];
    let days = prop_oneof![3 => -20i32..3, 1 => -400i32..3];
    (days, within_day).prop_map(move |(days, us)| zone.start(Day(base).plus(days)).plus_us(us))
}

/// An order.
pub fn an_order(zone: Zone, base: i32) -> impl Strategy<Value = OrderRow> {
    let items = vec((select(&["a", "b", ""][..]), select(&["0", "0.5", "1", "3"][..]), 0i64..300), 0..4);
    (time(zone, base), 0i64..400, select(&["S1", "S2", ""][..]), any::<bool>(), items).prop_map(
        |(time, paid, store, app, items)| {
            let items =
                items.into_iter().map(|(category, quantity, paid)| item("p1", category, quantity, paid));
            let mut order = order(time, paid, store, items.collect());
            order.channel = order.channel.filter(|_| app);
            order
        },
    )
}

/// An event.
pub fn an_event(zone: Zone, base: i32) -> impl Strategy<Value = EventRow> {
    let amount = select(vec![
        None,
        Some(Scalar::Number(number("1.25"))),
        Some(Scalar::Number(number("3"))),
        Some(Scalar::Number(number("1000000000000000000"))),
        Some(Scalar::Text("two".to_owned())),
    ]);
    (time(zone, base), amount, select(&["E", "F"][..])).prop_map(|(time, amount, name)| {
        let properties: BTreeMap<String, Scalar> =
            amount.into_iter().map(|amount| ("amount".to_owned(), amount)).collect();
        EventRow { name: name.into(), time, store: Some("S1".into()), channel: None, properties }
    })
}

/// A life: a history in the order it comes in, what of it is taken back, when it is pruned, when it is asked.
#[derive(Clone, Debug)]
pub struct Life {
    pub zone: Zone,
    pub orders: Vec<OrderRow>,
    pub events: Vec<EventRow>,
    pub taken_back: Vec<Index>,
    pub pruned_after: Index,
    pub asked: Vec<Ts>,
    pub enrolled_at: Ts,
}

/// A life.
pub fn life() -> BoxedStrategy<Life> {
    (select(&ZONES[..]), select(&BASES[..]))
        .prop_flat_map(|(name, base)| {
            let zone = zone(name);
            (
                vec(an_order(zone.clone(), base), 0..12),
                vec(an_event(zone.clone(), base), 0..6),
                vec(any::<Index>(), 0..3),
                any::<Index>(),
                vec(time(zone.clone(), base + 20), 1..4),
                time(zone.clone(), base),
                Just(zone),
            )
        })
        .prop_map(|(orders, events, taken_back, pruned_after, mut asked, enrolled_at, zone)| {
            asked.sort();
            Life { zone, orders, events, taken_back, pruned_after, asked, enrolled_at }
        })
        .boxed()
}

/// Whose life it is.
pub fn person(life: &Life) -> Person {
    let mut person = Person::stranger();
    person.attributes.insert("birthday".to_owned(), Scalar::Text("1990-02-28".to_owned()));
    person.attributes.insert("vip".to_owned(), Scalar::Bool(true));
    person.attributes.insert("due".to_owned(), Scalar::Text("2024-03-09".to_owned()));
    person.tags = ["S1".to_owned()].into();
    person.tier = Some("silver".to_owned());
    person.store = Some("S1".to_owned());
    person.points = 15;
    person.enrolled_at = Some(life.enrolled_at);
    person.orders.clone_from(&life.orders);
    person.events.clone_from(&life.events);
    person
}
