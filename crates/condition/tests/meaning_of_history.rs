//! What the language means, row by row: history, its windows, and until when answers about it hold. Each row
//! is judged by both evaluators, which must agree now and for as long as the answer is said to hold.

#![allow(clippy::unwrap_used, reason = "a test fails where it is wrong")]

mod support;

use support::table::{NOW, check, check_for};
use support::{Person, order, ts};
use zhiyin_condition::Scope;

#[test]
fn history() {
    check(&[
        ("size(orders) == 4", "yes"),
        ("size(items) == 6", "yes"),
        ("size(events(\"Coupon Redeemed\")) == 2", "yes"),
        ("size(events(\"Nothing\")) == 0", "yes"),
        ("sum(orders.map(o, o.paid)) == 103.75", "yes"),
        ("sum(items.map(i, i.quantity)) == 7.5", "yes"),
        ("min(orders.map(o, o.paid)) == 5.25", "yes"),
        ("max(orders.map(o, o.paid)) == 68.5", "yes"),
        ("avg(orders.map(o, o.paid)) == 25.9375", "yes"),
        ("max(orders.map(o, o.time)) >= \"2024-04-30\"", "yes"),
        ("days_since(min(orders.map(o, o.time))) == 366", "yes until 2024-05-02"),
        ("size(orders.filter(o, o.store == \"S1\")) == 3", "yes"),
        ("size(orders.filter(o, o.store != \"S1\")) == 1", "yes"),
        ("orders.exists(o, o.paid >= 68.5)", "yes"),
        ("orders.exists(o, o.paid > 68.5)", "no"),
        ("orders.all(o, o.paid > 5)", "yes"),
        ("orders.all(o, o.paid > 6)", "no"),
        ("items.exists(i, i.category == \"beauty\" && i.store == \"S1\" && i.channel == \"app\")", "yes"),
        ("sum(items.filter(i, i.category == \"snacks\").map(i, i.quantity)) == 5.5", "yes"),
        ("items.exists(i, i.category == null)", "yes"),
        ("size(items.map(i, i.category)) == 6", "yes"),
        ("size(items.filter(i, i.category != \"snacks\")) == 2", "yes"),
        ("\"beauty\" in items.map(i, i.category)", "yes"),
        ("\"garden\" in items.map(i, i.category)", "no"),
        ("20 in orders.map(o, o.paid)", "yes"),
        ("orders.exists(o, size(o.items) == 2 && o.items.exists(i, i.category == \"beauty\"))", "yes"),
        ("sum(orders.map(o, sum(o.items.map(i, i.paid)))) == 103.75", "yes"),
        ("size(orders.filter(o, o.items.all(i, i.quantity > 1))) == 1", "yes"),
        ("size(orders.map(o, o.paid).filter(p, p > 9).map(p, p * 2).filter(p, p < 100)) == 2", "yes"),
        ("size(orders.filter(o, weekday(o) in [\"fri\"])) == 1", "yes"),
        ("size(orders.filter(o, hour(o) >= 23)) == 2", "yes"),
        ("size(orders.filter(o, clock(o) >= \"23:00\" && clock(o.time) < \"23:59\")) == 1", "yes"),
        ("size(orders.filter(o, o.time >= \"2024-03-01\" && o.time <= \"2024-03-01\")) == 1", "yes"),
        ("last(orders).paid == 5.25", "yes"),
        ("last(orders).store == \"S1\"", "yes"),
        ("first(orders).paid == 10", "yes"),
        ("first(orders.filter(o, o.store == \"S2\")).paid == 20", "yes"),
        ("last(orders.map(o, o.paid)) == 5.25", "yes"),
        ("size(last(orders).items) == 2", "yes"),
        ("sum(last(orders).items.map(i, i.quantity)) == 0.5", "yes"),
        ("last(orders).items.exists(i, i.category == \"snacks\")", "yes"),
        ("last(items).time >= \"2024-04-30\"", "yes"),
        (
            "hour(last(orders)) == 23 && weekday(last(orders)) == \"tue\" && clock(last(orders)) == \"23:00\"",
            "yes",
        ),
        ("days_since(last(orders)) == 1", "yes until 2024-05-02"),
        ("days_since(first(orders)) == 366", "yes until 2024-05-02"),
        ("days_since(last(orders).time) <= 120", "yes until 2024-08-29"),
        ("last(orders) != null && first(orders.filter(o, o.paid > 1000)) == null", "yes"),
        ("days_since(last(orders)) < days_since(first(orders))", "yes until 2024-05-02"),
        // The days with orders are 2023-05-01 and 02, 2024-03-01 and 04-30: gaps of 1, 304, 60.
        ("median_gap(orders) == 60", "yes"),
        ("days_since(last(orders)) > median_gap(orders) * 2", "no until 2024-08-29"),
        ("median_gap(orders.filter(o, o.store == \"S2\")) == null", "yes"),
        ("median_gap(within(orders, \"100d\")) == 60", "yes until 2024-06-10"),
    ]);
}

#[test]
fn events_have_properties_of_any_kind() {
    check(&[
        ("events(\"Coupon Redeemed\").exists(e, e.properties.amount == 5)", "yes"),
        ("events(\"Coupon Redeemed\").exists(e, e.properties.amount == \"five\")", "yes"),
        ("sum(events(\"Coupon Redeemed\").map(e, e.properties.amount)) == 5", "yes"),
        ("avg(events(\"Coupon Redeemed\").map(e, e.properties.amount)) == 5", "yes"),
        ("max(events(\"Coupon Redeemed\").map(e, e.properties.amount)) == 5", "yes"),
        ("size(events(\"Coupon Redeemed\").filter(e, e.properties.amount != 7)) == 1", "yes"),
        ("size(events(\"Coupon Redeemed\").filter(e, has(e.properties.code))) == 1", "yes"),
        ("events(\"Coupon Redeemed\").exists(e, e.properties.`first use`)", "yes"),
        ("size(events(\"Coupon Redeemed\").filter(e, !e.properties.`first use`)) == 1", "yes"),
        ("events(\"Coupon Redeemed\").exists(e, e.properties.code.startsWith(\"A\"))", "yes"),
        ("last(events(\"Coupon Redeemed\")).properties.amount == \"five\"", "yes"),
        ("days_since(last(events(\"Store Visited\")).properties.on) == 11", "yes until 2024-05-02"),
        (
            "events(\"Store Visited\").exists(e, e.name == \"Store Visited\" && e.store == \"S1\" && e.channel == null)",
            "yes",
        ),
        ("size(events(\"Store Visited\").filter(e, e.properties.on < \"2024-04-21\")) == 1", "yes"),
    ]);
}

#[test]
fn windows_of_days() {
    check(&[
        // 366 days ago is outside of 365d, however few hours it is; 365 days ago is inside.
        ("size(within(orders, \"365d\")) == 3", "yes until 2024-05-02"),
        ("size(within(orders, \"366d\")) == 4", "yes until 2024-05-02"),
        ("size(within(orders, \"364d\")) == 2", "yes until 2025-03-01"),
        ("size(within(orders, \"1d\")) == 1", "yes until 2024-05-02"),
        ("size(within(orders, \"0d\")) == 0", "yes"),
        ("size(within(orders, \"365d\")) >= 2", "yes until 2025-03-02"),
        ("size(within(orders, \"365d\")) >= 1", "yes until 2025-05-01"),
        ("size(within(orders, \"365d\")) >= 4", "no"),
        ("size(within(orders, \"365d\")) < 3", "no until 2024-05-02"),
        ("size(within(orders, \"365d\")) == 0", "no until 2025-05-01"),
        ("1 <= size(within(orders, \"365d\"))", "yes until 2025-05-01"),
        ("size(within(orders, \"365d\")) >= attr.children", "yes until 2025-03-02"),
        ("size(within(orders, \"365d\")) * 2 >= 4", "yes until 2024-05-02"),
        ("size(within(items, \"365d\")) == 5", "yes until 2024-05-02"),
        ("sum(within(orders, \"365d\").map(o, o.paid)) >= 70", "yes until 2025-03-02"),
        ("sum(within(orders, \"365d\").map(o, o.paid)) >= 5.25", "yes until 2025-05-01"),
        ("sum(within(orders, \"365d\").map(o, o.paid)) < 10", "no until 2025-03-02"),
        ("sum(within(orders, \"0d\").map(o, o.paid)) == 0", "yes"),
        ("avg(within(orders, \"365d\").map(o, o.paid)) > 31", "yes until 2025-03-02"),
        ("avg(within(orders, \"0d\").map(o, o.paid)) == null", "yes"),
        ("max(within(orders, \"365d\").map(o, o.paid)) >= 30", "yes until 2025-03-02"),
        ("max(within(orders, \"365d\").map(o, o.paid)) >= 5.25", "yes until 2025-05-01"),
        ("max(within(orders, \"365d\").map(o, o.paid)) < 5", "no"),
        ("min(within(orders, \"365d\").map(o, o.paid)) == 5.25", "yes until 2025-05-01"),
        ("min(within(orders, \"365d\").map(o, o.paid)) == null", "no until 2024-05-02"),
        ("within(orders, \"365d\").exists(o, o.store == \"S2\")", "yes until 2024-05-02"),
        ("within(orders, \"365d\").all(o, o.store == \"S1\")", "no until 2024-05-02"),
        ("within(orders, \"365d\").exists(o, o.store == \"S1\")", "yes until 2025-05-01"),
        (
            "within(orders.filter(o, o.store == \"S1\"), \"365d\").exists(o, o.paid > 50)",
            "yes until 2025-03-02",
        ),
        ("size(within(within(orders, \"365d\"), \"60d\")) == 1", "yes until 2024-06-30"),
        ("days_since(last(within(orders, \"60d\"))) <= 30", "yes until 2024-05-31"),
        ("last(within(orders, \"60d\")) == null", "no until 2024-06-30"),
        ("last(within(orders, \"0d\")) == null", "yes"),
        ("first(within(orders, \"365d\")).paid == 20", "yes until 2024-05-02"),
        ("last(within(orders, \"365d\")).paid == 5.25", "yes until 2025-05-01"),
        ("\"S2\" in within(orders, \"365d\").map(o, o.store)", "yes until 2024-05-02"),
        ("size(within(events(\"Coupon Redeemed\"), \"30d\")) == 2", "yes until 2024-05-02"),
        (
            "sum(within(items, \"180d\").filter(i, i.category == \"snacks\").map(i, i.quantity)) >= 3",
            "yes until 2024-08-29",
        ),
    ]);
}

#[test]
fn windows_of_hours_are_elapsed_time() {
    check(&[
        ("size(within(orders, \"13h\")) == 1", "yes until 2024-05-01T04:00:00.000001Z"),
        ("size(within(orders, \"12h\")) == 0", "yes"),
        ("size(within(orders, \"24h\")) == 1", "yes until 2024-05-01T15:00:00.000001Z"),
        (
            "within(events(\"Store Visited\"), \"1h\").exists(e, e.store == \"S1\")",
            "yes until 2024-05-01T04:30:00.000001Z",
        ),
        ("sum(within(orders, \"720h\").map(o, o.paid)) == 5.25", "yes until 2024-05-30T15:00:00.000001Z"),
        ("days_since(last(within(orders, \"24h\"))) == 1", "yes until 2024-05-01T15:00:00.000001Z"),
        ("last(within(orders, \"24h\")).paid == 5.25", "yes until 2024-05-01T15:00:00.000001Z"),
        ("max(within(orders, \"24h\").map(o, o.paid)) == 5.25", "yes until 2024-05-01T15:00:00.000001Z"),
        ("median_gap(within(orders, \"24h\")) == null", "yes until 2024-05-01T15:00:00.000001Z"),
    ]);
}

#[test]
fn what_asks_more_than_the_row_waits() {
    check(&[
        ("size(orders.filter(o, o.store == store)) == 3", "yes"),
        ("size(orders.filter(o, o.time >= enrolled_at)) == 1", "yes"),
        ("size(orders.filter(o, days_since(o) <= 60)) == 1", "yes until 2024-06-30"),
        ("size(orders.filter(o, days_since(o) <= median_gap(orders))) == 1", "yes until 2024-06-30"),
        ("orders.exists(o, o.paid > points / 2)", "yes"),
        ("orders.filter(o, o.store == \"S1\").exists(o, o.paid * 2 > points)", "yes"),
        ("sum(orders.filter(o, o.store == store).map(o, o.paid)) == 83.75", "yes"),
        ("sum(orders.map(o, o.paid * attr.children)) == 207.5", "yes"),
        ("max(orders.map(o, o.paid).filter(p, p < points)) == 68.5", "yes"),
        ("avg(orders.map(o, o.paid).filter(p, p < points)) == 25.9375", "yes"),
        ("last(orders.filter(o, o.store == store)).paid == 5.25", "yes"),
        ("first(orders.filter(o, o.store == store)).paid == 10", "yes"),
        ("first(orders.filter(o, o.store != store)).store == \"S2\"", "yes"),
        ("days_since(first(orders.filter(o, o.store != store))) == 365", "yes until 2024-05-02"),
        ("median_gap(orders.filter(o, o.store == store)) == 60", "yes"),
        ("store in orders.map(o, o.store)", "yes"),
        ("points in orders.map(o, o.paid)", "no"),
        ("orders.exists(o, tags.exists(t, t == o.store))", "no"),
        ("orders.exists(o, o.store in [store, \"S9\"])", "yes"),
        ("orders.exists(o, [store].exists(s, s == o.store && o.paid > 68))", "yes"),
        ("within(orders, \"365d\").exists(o, o.store != store)", "yes until 2024-05-02"),
        ("orders.exists(o, o.items.exists(i, i.category == \"beauty\") && o.store == store)", "yes"),
        ("orders.exists(o, tier >= \"silver\" && o.paid > 68)", "yes"),
    ]);
}

#[test]
fn stages_of_the_lifecycle() {
    // U3 of the shipped playbook.
    check(&[
        ("size(orders) == 0", "no"),
        ("size(within(orders, \"365d\")) >= 4 && days_since(last(orders)) <= 60", "no"),
        ("size(within(orders, \"365d\")) >= 3 && days_since(last(orders)) <= 60", "yes until 2024-05-02"),
        ("size(within(orders, \"365d\")) >= 2 && days_since(last(orders)) <= 60", "yes until 2024-06-30"),
        ("size(orders) >= 1 && days_since(last(orders)) <= 120", "yes until 2024-08-29"),
        ("size(orders) >= 1 && days_since(last(orders)) > 120", "no until 2024-08-29"),
    ]);
}

#[test]
fn days_are_calendar_days_where_the_clock_changes() {
    // 2024-03-10 has 23 hours in New York, 2024-11-03 has 25.
    let mut person = Person::stranger();
    person.orders = vec![
        order(ts("2024-03-10T04:59:59Z"), 100, "S1", vec![]),
        order(ts("2024-03-10T05:00:00Z"), 200, "S1", vec![]),
    ];
    check_for(
        &person,
        Scope::Member,
        "America/New_York",
        "2024-03-11T04:00:00Z",
        &[
            ("size(within(orders, \"1d\")) == 1", "yes until 2024-03-12"),
            ("size(within(orders, \"2d\")) == 2", "yes until 2024-03-12"),
            ("days_since(last(orders)) == 1", "yes until 2024-03-12"),
            ("size(within(orders, \"23h\")) == 1", "yes until 2024-03-11T04:00:00.000001Z"),
            ("median_gap(orders) == 1", "yes"),
        ],
    );
    check_for(
        &person,
        Scope::Member,
        "America/New_York",
        "2024-03-11T03:59:59Z",
        &[
            ("size(within(orders, \"0d\")) == 1", "yes until 2024-03-11"),
            ("days_since(last(orders)) == 0", "yes until 2024-03-11"),
        ],
    );
    person.orders = vec![order(ts("2024-11-03T04:00:00Z"), 100, "S1", vec![])];
    check_for(
        &person,
        Scope::Member,
        "America/New_York",
        "2024-11-04T04:59:59Z",
        &[
            ("size(within(orders, \"0d\")) == 1", "yes until 2024-11-04"),
            ("size(within(orders, \"24h\")) == 1", "no"),
        ],
    );
    // In Beirut 2024-03-31 begins at 01:00.
    person.orders = vec![order(ts("2024-03-30T21:59:59Z"), 100, "S1", vec![])];
    check_for(
        &person,
        Scope::Member,
        "Asia/Beirut",
        "2024-03-30T22:00:00Z",
        &[
            ("days_since(last(orders)) == 1", "yes until 2024-04-01"),
            ("size(within(orders, \"1d\")) >= 1", "yes until 2024-04-01"),
        ],
    );
    // A leap day is a day like others.
    person.orders = vec![order(ts("2024-02-29T12:00:00Z"), 100, "S1", vec![])];
    check_for(
        &person,
        Scope::Member,
        "UTC",
        "2025-02-28T12:00:00Z",
        &[("size(within(orders, \"365d\")) == 1", "yes until 2025-03-01")],
    );
}

#[test]
fn rows_that_are_to_come_are_history_but_in_no_window_yet() {
    let mut person = Person::stranger();
    person.orders = vec![
        order(ts("2024-05-01T10:00:00Z"), 100, "S1", vec![]),
        order(ts("2024-05-02T10:00:00Z"), 300, "S2", vec![]),
    ];
    check_for(
        &person,
        Scope::Member,
        "UTC",
        "2024-05-01T09:00:00Z",
        &[
            ("size(orders) == 2", "yes"),
            ("size(within(orders, \"7d\")) == 1", "yes until 2024-05-02"),
            ("size(within(orders, \"7d\")) == 2", "no until 2024-05-02"),
            ("size(within(orders, \"0d\")) == 1", "yes until 2024-05-03"),
            ("size(within(orders, \"7d\")) >= 1", "yes until 2024-05-10"),
            ("sum(within(orders, \"7d\").map(o, o.paid)) >= 4", "no until 2024-05-02"),
            ("max(within(orders, \"7d\").map(o, o.paid)) >= 3", "no until 2024-05-02"),
            ("days_since(last(orders)) == -1", "yes until 2024-05-02"),
            ("days_since(last(within(orders, \"7d\"))) == 0", "yes until 2024-05-02"),
            ("size(within(orders, \"12h\")) == 0", "yes until 2024-05-01T10:00:00Z"),
            ("last(within(orders, \"7d\")).store == \"S1\"", "yes until 2024-05-02"),
            ("size(within(orders, \"7d\").filter(o, o.store != store || true)) == 1", "yes until 2024-05-02"),
        ],
    );
}

#[test]
fn of_nothing() {
    check_for(
        &Person::stranger(),
        Scope::Member,
        "UTC",
        NOW,
        &[
            ("size(orders) == 0", "yes"),
            ("sum(orders.map(o, o.paid)) == 0", "yes"),
            ("min(orders.map(o, o.paid)) == null", "yes"),
            ("max(orders.map(o, o.paid)) == null", "yes"),
            ("max(orders.map(o, o.paid)) < 5", "no"),
            ("avg(orders.map(o, o.paid)) == null", "yes"),
            ("first(orders) == null && last(orders) == null", "yes"),
            ("last(orders).paid == null", "yes"),
            ("last(orders).store != \"S1\"", "no"),
            ("size(last(orders).items) == null", "yes"),
            ("last(orders).items.exists(i, i.paid > 0)", "no"),
            ("days_since(last(orders)) == null", "yes"),
            ("days_since(last(orders)) <= 60", "no"),
            ("days_since(last(orders)) > 60", "no"),
            ("!(days_since(last(orders)) <= 60)", "yes"),
            ("median_gap(orders) == null", "yes"),
            ("days_since(last(orders)) > median_gap(orders)", "no"),
            ("orders.exists(o, true)", "no"),
            ("orders.all(o, false)", "yes"),
            ("\"a\" in orders.map(o, o.store)", "no"),
            ("size(within(orders, \"365d\")) == 0", "yes"),
            ("max(within(orders, \"365d\").map(o, o.paid)) == null", "yes"),
            ("size(within(orders, \"12h\")) == 0", "yes"),
            ("min([]) == null", "yes"),
        ],
    );
}
