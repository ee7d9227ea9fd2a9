//! States of leaves: in any order, taken back, pruned, kept small.

#![allow(clippy::unwrap_used, reason = "a test fails where it is wrong")]

mod support;

use rust_decimal::Decimal;
use support::{Person, condition, event, item, judge, order, schema, spoken, ts, zone};
use zhiyin_condition::bounds::{GAP_DAYS_MAX, KEPT_ROWS_MAX};
use zhiyin_condition::{Condition, LeafStates, Leaves, OrderRow, Retract, Row, Scope, holds};
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{DAY_US, Day, Ts, Zone};

const LIFECYCLE: [&str; 4] = [
    "size(orders) == 0",
    "size(within(orders, \"365d\")) >= 4 && days_since(last(orders)) <= 60",
    "size(within(orders, \"365d\")) >= 4 && days_since(last(orders)) <= 120",
    "size(orders) >= 1 && days_since(last(orders)) <= 120",
];
const SNACKS: &str =
    "sum(within(items, \"180d\").filter(i, i.category == \"snacks\").map(i, i.quantity)) >= 10";

fn leaves_of(texts: &[&str]) -> (Vec<Condition>, Leaves) {
    let mut conditions: Vec<Condition> =
        texts.iter().map(|text| condition(text, &schema(Scope::Member))).collect();
    let leaves = Leaves::collect(&mut conditions, Zone::utc(), 2);
    (conditions, leaves)
}

/// An order at noon of a day.
fn on(day: i32, paid: i64) -> OrderRow {
    order(Ts(i64::from(day) * DAY_US + DAY_US / 2), paid, "S1", vec![item("p", "snacks", "1", paid)])
}

fn json(states: &LeafStates) -> String {
    serde_json::to_string(states).unwrap()
}

fn observed(leaves: &Leaves, orders: &[OrderRow]) -> LeafStates {
    let mut states = leaves.fresh();
    orders.iter().for_each(|order| states.observe(leaves, Row::Order(order)));
    states
}

#[test]
fn the_same_question_is_one_leaf() {
    assert_eq!(leaves_of(&LIFECYCLE).1.len(), 3);
    // Another name for the element is the same question, as is a shorter window.
    let (_, leaves) = leaves_of(&[
        "size(orders.filter(o, o.paid > 5)) > 1",
        "size(orders.filter(order, order.paid > 5.0)) > 2",
        "size(within(orders, \"30d\")) > 1",
        "size(within(orders, \"365d\")) > 1",
        "median_gap(within(orders, \"90d\")) > 1",
    ]);
    assert_eq!(leaves.len(), 2);
}

#[test]
fn the_fingerprint_changes_with_what_states_mean() {
    let texts = ["size(within(orders, \"30d\")) > 1"];
    let print = |texts: &[&str]| leaves_of(texts).1.fingerprint();
    assert_eq!(print(&texts), print(&["size(within(orders, \"30d\")) > 2"]));
    assert_ne!(print(&texts), print(&["size(within(orders, \"31d\")) > 1"]));
    assert_ne!(print(&texts), print(&["size(within(items, \"30d\")) > 1"]));
    let mut conditions = [condition(texts[0], &schema(Scope::Member))];
    let shanghai = Leaves::collect(&mut conditions, zone("Asia/Shanghai"), 2).fingerprint();
    let yen = Leaves::collect(&mut conditions, Zone::utc(), 0).fingerprint();
    assert_ne!(print(&texts), shanghai);
    assert_ne!(print(&texts), yen);
}

#[test]
fn events_that_are_counted_are_named() {
    let (_, leaves) = leaves_of(&[
        "size(events(\"Store Visited\")) > 1",
        "events(\"A\").exists(e, true)",
        "tier == \"gold\"",
    ]);
    assert_eq!(leaves.events_used().into_iter().collect::<Vec<_>>(), ["A", "Store Visited"]);
}

#[test]
fn a_year_of_orders_is_small() {
    let mut texts = LIFECYCLE.to_vec();
    texts.push(SNACKS);
    let (_, leaves) = leaves_of(&texts);
    let orders: Vec<OrderRow> = (0..63).map(|i| on(19_000 + i * 365 / 63, 1234 + i64::from(i))).collect();
    let mut states = observed(&leaves, &orders);
    states.prune(&leaves, orders[62].time);
    assert!(json(&states).len() <= 1_000, "{} bytes: {}", json(&states).len(), json(&states));
}

#[test]
fn the_written_form_is_stable() {
    let (_, leaves) = leaves_of(&[
        "size(orders) > 1",
        "size(within(orders, \"9d\")) > 1",
        "sum(within(orders, \"9d\").map(o, o.paid)) > 1",
        "max(orders.map(o, o.paid)) > 1",
        "last(within(orders, \"9d\")).store == \"S1\"",
        "median_gap(orders) > 1",
        "orders.exists(o, o.store == store)",
    ]);
    assert_eq!(
        json(&leaves.fresh()),
        r#"[{"n":[]},{"N":[]},{"s":[]},{"x":[]},{"P":[]},{"g":{"days":[]}},{"r":{"rows":[]}}]"#
            .replace(r#"{"s":[]}"#, r#"{"S":[]}"#)
    );
    let states = observed(&leaves, &[on(10, 150), on(12, 200), on(12, 100)]);
    let expected = r#"[{"n":[null,3]},{"N":[10,1,2,2]},{"S":[10,1,1,15,2,2,0,3]},{"x":[null,3,2]},"#;
    assert!(json(&states).starts_with(expected), "{}", json(&states));
}

#[test]
fn a_row_taken_back_was_never_there() {
    for text in [
        "size(orders) >= 2",
        "size(within(orders, \"30d\")) >= 2",
        "sum(orders.map(o, o.paid)) >= 2",
        "sum(within(items, \"30d\").map(i, i.quantity)) >= 2",
        "min(orders.map(o, o.paid)) >= 2",
        "max(within(orders, \"30d\").map(o, o.paid)) >= 2",
        "last(orders).paid >= 2",
        "first(within(orders, \"30d\")).paid >= 2",
        "median_gap(orders) >= 2",
        "size(within(orders, \"24h\")) >= 2",
        "orders.exists(o, o.paid > points)",
    ] {
        let (_, leaves) = leaves_of(&[text]);
        let orders: Vec<OrderRow> = (0..5).map(|i| on(100 + i / 2, 100 * i64::from((i * 7) % 5))).collect();
        for out in 0..orders.len() {
            let mut states = observed(&leaves, &orders);
            let rest: Vec<OrderRow> = orders
                .iter()
                .enumerate()
                .filter(|(i, _)| *i != out)
                .map(|(_, order)| order.clone())
                .collect();
            if states.retract(&leaves, Row::Order(&orders[out])) == Retract::Done {
                assert_eq!(json(&states), json(&observed(&leaves, &rest)), "{text} without {out}");
            }
        }
        let mut states = observed(&leaves, &orders[..1]);
        assert_eq!(states.retract(&leaves, Row::Order(&orders[0])), Retract::Done, "{text}: the only row");
        assert_eq!(json(&states), json(&leaves.fresh()), "{text}");
    }
}

#[test]
fn what_only_the_history_knows_is_rebuilt() {
    let orders: Vec<OrderRow> = (0..3).map(|i| on(100 + i, 100 + i64::from(i))).collect();
    for (text, out, expected) in [
        ("last(orders).paid > 1", 2, Retract::Rebuild),
        ("last(orders).paid > 1", 0, Retract::Done),
        ("first(orders).paid > 1", 0, Retract::Rebuild),
        ("last(within(orders, \"9d\")).paid > 1", 2, Retract::Done),
        ("max(orders.map(o, o.paid)) > 1", 2, Retract::Rebuild),
        ("max(orders.map(o, o.paid)) > 1", 1, Retract::Done),
        ("min(orders.map(o, o.paid)) > 1", 0, Retract::Rebuild),
        ("max(within(orders, \"9d\").map(o, o.paid)) > 1", 2, Retract::Done),
        ("size(orders) > 1", 2, Retract::Done),
    ] {
        let (_, leaves) = leaves_of(&[text]);
        let mut states = observed(&leaves, &orders);
        assert_eq!(states.retract(&leaves, Row::Order(&orders[out])), expected, "{text} without {out}");
    }
    let (_, leaves) = leaves_of(&["size(orders) > 1"]);
    assert_eq!(leaves.fresh().retract(&leaves, Row::Order(&orders[0])), Retract::Rebuild);
}

#[test]
fn pruning_forgets_what_no_window_sees() {
    let (_, leaves) = leaves_of(&[
        "size(within(orders, \"2d\")) > 1",
        "size(within(orders, \"24h\")) > 1",
        "size(orders) > 1",
    ]);
    let orders: Vec<OrderRow> = (100..105).map(|day| on(day, 100)).collect();
    let mut states = observed(&leaves, &orders);
    // The start of day 105: day 103 is two days ago; noon of day 104 is 12 hours ago.
    let now = Zone::utc().start(Day(105));
    states.prune(&leaves, now);
    let mut expected = observed(&leaves, &orders[3..]);
    let pruned = json(&states);
    expected.prune(&leaves, now);
    assert_eq!(pruned.replace("[null,5]", "[null,2]"), json(&expected));
    assert!(pruned.contains(r#"{"N":[103,1,1,1]}"#), "{pruned}");
    // A late row within the window counts; one beyond it changes no answer; both can be taken back.
    let (conditions, leaves) = leaves_of(&["size(within(orders, \"2d\")) == 3"]);
    let mut person = Person::stranger();
    person.states = observed(&leaves, &orders);
    person.states.prune(&leaves, now);
    for late in [on(103, 1), on(90, 1)] {
        person.states.observe(&leaves, Row::Order(&late));
        assert!(holds(&conditions[0], &leaves, &person, now).0);
    }
    assert_eq!(person.states.retract(&leaves, Row::Order(&on(101, 100))), Retract::Done);
    assert!(holds(&conditions[0], &leaves, &person, now).0);
}

#[test]
fn kept_rows_are_the_latest_thousand() {
    let most = i64::try_from(KEPT_ROWS_MAX).unwrap();
    let hour = 3_600_000_000;
    let mut person = Person::stranger();
    person.store = Some("S1".to_owned());
    person.orders = (0..most + 5).rev().map(|i| order(Ts(i * hour), 100 + i, "S1", vec![])).collect();
    let ask = |person: &Person, text: &str| {
        spoken(judge(text, &schema(Scope::Member), person, &Zone::utc(), Ts((most + 5) * hour)), &Zone::utc())
    };
    assert_eq!(ask(&person, "size(orders.filter(o, o.store == store)) == 1000"), "yes");
    assert_eq!(ask(&person, "first(orders.filter(o, o.store == store)).paid == 1.05"), "yes");
    // What the row alone tells is asked before rows are counted.
    assert_eq!(ask(&person, "size(orders.filter(o, o.paid < 2).filter(o, o.store == store)) == 100"), "yes");
    assert_eq!(ask(&person, "size(orders) == 1005"), "yes");

    let (conditions, leaves) = leaves_of(&["orders.exists(o, o.store == store)"]);
    assert_eq!(conditions[0].notes().len(), 1);
    let mut forward = leaves.fresh();
    person.orders.iter().rev().for_each(|order| forward.observe(&leaves, Row::Order(order)));
    assert_eq!(json(&forward), json(&observed(&leaves, &person.orders)));
    assert_eq!(forward.retract(&leaves, Row::Order(&person.orders[0])), Retract::Rebuild);
    let oldest = person.orders.last().unwrap().clone();
    assert_eq!(forward.retract(&leaves, Row::Order(&oldest)), Retract::Done);
}

#[test]
fn the_median_gap_looks_at_the_latest_days() {
    let most = i32::try_from(GAP_DAYS_MAX).unwrap();
    let mut person = Person::stranger();
    // Gaps of 10 days, then GAP_DAYS_MAX days in a row.
    person.orders = (0..most).map(|i| on(i * 10, 1)).chain((0..most).map(|i| on(most * 10 + i, 1))).collect();
    let now = Zone::utc().start(Day(most * 11));
    let judged = judge("median_gap(orders) == 1", &schema(Scope::Member), &person, &Zone::utc(), now);
    assert!(judged.value);
    let (_, leaves) = leaves_of(&["median_gap(orders) == 1"]);
    let mut forward = observed(&leaves, &person.orders);
    let backward: Vec<OrderRow> = person.orders.iter().rev().cloned().collect();
    assert_eq!(json(&forward), json(&observed(&leaves, &backward)));
    assert_eq!(forward.retract(&leaves, Row::Order(&backward[0])), Retract::Rebuild);
    let mut forward = observed(&leaves, &person.orders);
    assert_eq!(forward.retract(&leaves, Row::Order(&person.orders[0])), Retract::Done);
}

#[test]
fn ties_are_broken_by_content_whatever_the_order() {
    let at = ts("2024-05-01T00:00:00Z");
    let orders = [
        order(at, 100, "S1", vec![]),
        order(at, 200, "S2", vec![]),
        order(at, 100, "", vec![item("p", "", "1", 1)]),
    ];
    let (_, leaves) = leaves_of(&[
        "last(orders).paid == 1",
        "last(orders).store == \"S1\"",
        "first(orders).paid == 1",
        "orders.exists(o, o.store == store)",
        "last(within(items, \"9d\")).paid == 1",
    ]);
    let expected = json(&observed(&leaves, &orders));
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let orders = order.map(|i: usize| orders[i].clone());
        assert_eq!(json(&observed(&leaves, &orders)), expected, "{order:?}");
    }
}

#[test]
fn notes_say_what_a_condition_costs() {
    let notes = |text: &str| -> Vec<String> {
        let condition = condition(text, &schema(Scope::Member));
        condition.notes().iter().map(|note| format!("{}: {}", note.column, note.message)).collect()
    };
    assert!(notes("size(within(orders, \"365d\")) >= 4").is_empty());
    assert_eq!(
        notes("size(within(orders, \"12h\")) >= 4"),
        ["6: keeps the latest 1000 rows of each member: a window of hours is counted row by row"]
    );
    assert_eq!(
        notes("tier == \"gold\" && orders.exists(o, o.store == store)"),
        [
            "19: keeps the latest 1000 rows of each member: what is asked of each row depends on more than the row"
        ]
    );
    assert_eq!(notes("median_gap(orders) > 7"), ["1: looks at the latest 400 days with such a row"]);
}

#[test]
fn amounts_up_to_a_billion_billions_are_exact() {
    let mut person = Person::stranger();
    let large = Scalar::Number("1000000000000000000".parse().unwrap());
    let larger = Scalar::Number("1000000000000000001".parse().unwrap());
    let most = Scalar::Number(Decimal::MAX);
    person.events = [large.clone(), large, larger, most]
        .into_iter()
        .enumerate()
        .map(|(i, amount)| event("Gift", Ts(i64::try_from(i).unwrap()), &[("amount", amount)]))
        .collect();
    for (text, expected) in [
        // An addend beyond 10^18 is unknown, and left out.
        ("sum(events(\"Gift\").map(e, e.properties.amount)) == 2000000000000000000", true),
        ("avg(events(\"Gift\").map(e, e.properties.amount)) == 1000000000000000000", true),
        ("max(events(\"Gift\").map(e, e.properties.amount)) > 1000000000000000001", true),
        ("events(\"Gift\").exists(e, e.properties.amount + e.properties.amount == null)", true),
    ] {
        let judged = judge(text, &schema(Scope::Member), &person, &Zone::utc(), Ts(0));
        assert_eq!(judged.value, expected, "{text}");
    }
}

#[test]
fn broken_states_are_refused() {
    for text in [
        r#"[{"n":[null]}]"#,
        r#"[{"N":[5,1,0,1]}]"#,
        r#"[{"N":[5,1,-1,1]}]"#,
        r#"[{"N":[99999999999,1]}]"#,
        r#"[{"S":[5,1]}]"#,
        r#"[{"q":[]}]"#,
    ] {
        assert!(serde_json::from_str::<LeafStates>(text).is_err(), "{text}");
    }
    for bytes in [&[][..], &[0xc1], &[0x91, 0x81, 0xa1, b'N', 0x91]] {
        assert!(LeafStates::unpack(bytes).is_err(), "{bytes:?}");
    }
    let (_, leaves) = leaves_of(&["size(orders) > 1"]);
    let other: LeafStates = serde_json::from_str(r#"[{"N":[]}]"#).unwrap();
    assert!(!other.fits(&leaves));
    assert!(leaves.fresh().fits(&leaves));
}

#[test]
fn conditions_and_leaves_are_shared_between_threads() {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Condition>();
    is_shared::<Leaves>();
    is_shared::<LeafStates>();
}
