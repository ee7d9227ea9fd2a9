//! What the language means, row by row: the table that `docs/condition.md` explains. Each row is judged by
//! both evaluators, which must agree now and for as long as the answer is said to hold.

mod support;

use support::{Person, event, item, judge, number, order, schema, spoken, ts, zone};
use zhiyin_condition::Scope;
use zhiyin_model::scalar::Scalar;

/// Noon of Wednesday 2024-05-01 in Shanghai.
const NOW: &str = "2024-05-01T04:00:00Z";

fn text(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}

/// A member of a brand in Shanghai.
fn member() -> Person {
    let mut person = Person::stranger();
    let attributes = [
        ("birthday", text("1990-05-02")),
        ("city", text("上海")),
        ("children", Scalar::Number(number("2"))),
        // A text where a number is declared.
        ("spend", text("12")),
        ("vip", Scalar::Bool(true)),
        ("due", text("2024-06-10")),
        ("moved", text("last year")),
        ("brands", Scalar::Texts(vec!["lego".to_owned(), "miffy".to_owned()])),
        ("home-store", text("S1")),
        ("wish", text("gold")),
    ];
    person.attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    person.tags = ["snack_lover", "空巢"].map(str::to_owned).into();
    person.tier = Some("silver".to_owned());
    person.lifecycle = Some("growth".to_owned());
    person.store = Some("S1".to_owned());
    person.points = 120;
    person.enrolled_at = Some(ts("2024-04-01T16:00:00Z"));
    person.orders = vec![
        // The last instant of a day in Shanghai, 366 days ago, and the first of the next.
        order(ts("2023-05-01T15:59:59.999999Z"), 1000, "S1", vec![item("p1", "snacks", "2", 1000)]),
        order(ts("2023-05-01T16:00:00Z"), 2000, "S2", vec![item("p3", "toys", "1", 2000)]),
        order(
            ts("2024-03-01T04:00:00Z"),
            6850,
            "S1",
            vec![item("p1", "snacks", "3", 3000), item("p2", "beauty", "1", 3850)],
        ),
        order(
            ts("2024-04-30T15:00:00Z"),
            525,
            "S1",
            vec![item("p1", "snacks", "0.5", 525), item("p9", "", "0", 0)],
        ),
    ];
    person.events = vec![
        event(
            "Coupon Redeemed",
            ts("2024-04-01T04:00:00Z"),
            &[("amount", Scalar::Number(number("5"))), ("code", text("A-1"))],
        ),
        event(
            "Coupon Redeemed",
            ts("2024-04-30T14:00:00Z"),
            &[("amount", text("five")), ("first use", Scalar::Bool(true))],
        ),
        event("Store Visited", ts("2024-05-01T03:30:00Z"), &[("on", text("2024-04-20"))]),
    ];
    person
}

fn check(table: &[(&str, &str)]) {
    check_for(&member(), Scope::Member, "Asia/Shanghai", NOW, table);
}

fn check_for(person: &Person, scope: Scope, zone_name: &str, now: &str, table: &[(&str, &str)]) {
    let (schema, zone) = (schema(scope), zone(zone_name));
    let mut wrong = Vec::new();
    for (text, expected) in table {
        let found = spoken(judge(text, &schema, person, &zone, ts(now)), &zone);
        if found != *expected {
            wrong.push(format!("{text}\n    expected: {expected}\n       found: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn constants_and_logic() {
    check(&[
        ("true", "yes"),
        ("false", "no"),
        ("!false", "yes"),
        ("!true", "no"),
        ("!!true", "yes"),
        ("true && true", "yes"),
        ("true && false", "no"),
        ("false || true", "yes"),
        ("false || false", "no"),
        ("true || true && false", "yes"),
        ("(true || true) && false", "no"),
        ("true ? false : true", "no"),
        ("false ? false : true", "yes"),
        ("true == true", "yes"),
        ("true != true", "no"),
        ("true && true && true && true && false", "no"),
        ("(points > 1 ? \"a\" : \"b\") == \"a\"", "yes"),
        ("(points > 1 ? null : 5) == null", "yes"),
        ("points > 1 ? tier == \"silver\" : tier == \"gold\"", "yes"),
    ]);
}

#[test]
fn numbers_are_exact() {
    check(&[
        ("1 + 2 == 3", "yes"),
        ("0.1 + 0.2 == 0.3", "yes"),
        ("1.10 == 1.1", "yes"),
        ("0x10 == 16", "yes"),
        ("1e2 == 100", "yes"),
        ("7 / 2 == 3.5", "yes"),
        ("1 / 3 * 3 == 1", "no"),
        ("7 % 3 == 1", "yes"),
        ("-7 % 3 == -1", "yes"),
        ("7.5 % 2 == 1.5", "yes"),
        ("2 + 3 * 4 == 14", "yes"),
        ("(2 + 3) * 4 == 20", "yes"),
        ("10 - 3 - 2 == 5", "yes"),
        ("10 - (3 - 2) == 9", "yes"),
        ("-5 + -(-5) == 0", "yes"),
        ("-points == -120", "yes"),
        ("1000000000000000000 + 1 == 1000000000000000001", "yes"),
        ("1000000000000000000 * 1000000000 > 999999999999999999999999998.5", "yes"),
        // What has no room, or is divided by zero, is unknown; never a panic.
        ("1000000000000000000 * 1000000000000000000 == 0", "no"),
        ("1000000000000000000 * 1000000000000000000 == null", "yes"),
        ("1 / 0 == null", "yes"),
        ("1 % 0 == null", "yes"),
        ("1 / 0 == 1 / 0", "no"),
        ("1 / 0 != 1 / 0", "no"),
        ("1 / 0 > 0 || true", "yes"),
        ("!(1 / 0 > 0)", "yes"),
    ]);
}

#[test]
fn comparisons() {
    check(&[
        ("points == 120", "yes"),
        ("points != 120", "no"),
        ("points < 120", "no"),
        ("points <= 120", "yes"),
        ("points > 119.99", "yes"),
        ("points >= 120.01", "no"),
        ("120 == points", "yes"),
        ("119 < points", "yes"),
        ("store == \"S1\"", "yes"),
        ("store == 'S1'", "yes"),
        ("store == \"s1\"", "no"),
        ("store < \"S2\"", "yes"),
        ("store in [\"S1\", \"S2\"]", "yes"),
        ("store in [\"S3\"]", "no"),
        ("store in []", "no"),
        ("!(store in [\"S3\"])", "yes"),
        ("points in [1, 120.0]", "yes"),
        ("points + 1 in [121]", "yes"),
        ("store.startsWith(\"S\")", "yes"),
        ("store.startsWith(\"\")", "yes"),
        ("store.endsWith(\"1\")", "yes"),
        ("store.contains(\"2\")", "no"),
        ("attr.city.startsWith(\"上\")", "yes"),
        ("attr.city == \"上海\"", "yes"),
        ("attr.city == \"\\u4e0a海\"", "yes"),
        ("attr.`home-store` == store", "yes"),
        ("attr.vip", "yes"),
        ("attr.vip == true", "yes"),
        ("attr.vip != false", "yes"),
    ]);
}

#[test]
fn tiers_compare_in_the_order_of_the_playbook() {
    check(&[
        ("tier == \"silver\"", "yes"),
        ("tier != \"gold\"", "yes"),
        ("tier in [\"silver\", \"gold\"]", "yes"),
        ("tier in [\"gold\"]", "no"),
        ("tier >= \"silver\"", "yes"),
        ("tier > \"silver\"", "no"),
        ("tier < \"gold\"", "yes"),
        ("tier <= \"regular\"", "no"),
        ("\"regular\" < tier", "yes"),
        ("tier == attr.wish", "no"),
        ("tier.startsWith(\"sil\")", "yes"),
        ("lifecycle == \"growth\"", "yes"),
        ("lifecycle in [\"decline\", \"lost\"]", "no"),
    ]);
    let mut person = member();
    person.tier = Some("bronze".to_owned());
    let table = [("tier >= \"regular\"", "no"), ("tier < \"regular\"", "no"), ("tier != \"gold\"", "yes")];
    check_for(&person, Scope::Member, "Asia/Shanghai", NOW, &table);
}

#[test]
fn what_is_unknown_compares_with_nothing() {
    check(&[
        ("attr.job == \"cook\"", "no"),
        ("attr.job != \"cook\"", "no"),
        ("!(attr.job == \"cook\")", "yes"),
        ("attr.job == attr.job", "no"),
        ("attr.job == null", "yes"),
        ("null == attr.job", "yes"),
        ("attr.job != null", "no"),
        ("has(attr.job)", "no"),
        ("has(attr.city)", "yes"),
        ("attr.city != null", "yes"),
        ("attr.job < \"z\" || attr.job >= \"z\"", "no"),
        ("attr.job in [\"cook\"]", "no"),
        ("attr.job.contains(\"\")", "no"),
        ("!attr.job.contains(\"x\")", "yes"),
        ("attr.quiet", "no"),
        ("!attr.quiet", "yes"),
        ("attr.quiet == false", "no"),
        ("attr.quiet || attr.vip", "yes"),
        ("attr.quiet && attr.vip", "no"),
        ("attr.quiet ? false : true", "yes"),
        // A value of another kind than declared is unknown.
        ("attr.spend > 0", "no"),
        ("attr.spend == null", "yes"),
        ("attr.spend + 1 == null", "yes"),
        ("attr.moved == null", "yes"),
        ("days_since(attr.moved) == null", "yes"),
        ("days_since(attr.moved) >= 0 || days_since(attr.moved) < 0", "no"),
        ("(attr.spend == null ? 0 : attr.spend) == 0", "yes"),
        ("null == null", "yes"),
        ("null != null", "no"),
        ("size(attr.toys) == 0", "yes"),
        ("\"lego\" in attr.toys", "no"),
    ]);
    let stranger = Person::stranger();
    check_for(
        &stranger,
        Scope::Member,
        "UTC",
        NOW,
        &[
            ("tier == null && lifecycle == null && store == null && enrolled_at == null", "yes"),
            ("tier != \"gold\"", "no"),
            ("tier < \"gold\"", "no"),
            ("points == 0", "yes"),
            ("age == null && !is_birthday", "yes"),
            ("age < 18", "no"),
            ("days_since(enrolled_at) < 30", "no"),
            ("size(tags) == 0", "yes"),
            ("\"vip\" in tags", "no"),
        ],
    );
}

#[test]
fn the_member() {
    check(&[
        ("\"snack_lover\" in tags", "yes"),
        ("\"空巢\" in tags", "yes"),
        ("\"vip\" in tags", "no"),
        ("!(\"vip\" in tags)", "yes"),
        ("size(tags) == 2", "yes"),
        ("attr.city in tags", "no"),
        ("tags.exists(t, t.startsWith(\"snack\"))", "yes"),
        ("tags.all(t, t != \"vip\")", "yes"),
        ("[\"vip\", \"空巢\"].exists(t, t in tags)", "yes"),
        ("[\"vip\", \"sleeper\"].exists(t, t in tags)", "no"),
        ("\"lego\" in attr.brands", "yes"),
        ("\"duplo\" in attr.brands", "no"),
        ("size(attr.brands) == 2", "yes"),
        ("attr.brands.exists(b, b.endsWith(\"y\"))", "yes"),
        ("size(attr.brands.filter(b, b != \"lego\")) == 1", "yes"),
        ("sum([1, 2.5, points].map(n, n * 2)) == 247", "yes"),
        ("max([1, 3, 2]) == 3 && min([1, 3, 2]) == 1 && avg([1, 2]) == 1.5", "yes"),
        ("attr.children * 60 == points", "yes"),
        // 2024-04-02 in Shanghai.
        ("days_since(enrolled_at) == 29", "yes until 2024-05-02"),
        ("days_since(enrolled_at) <= 30", "yes until 2024-05-03"),
        ("days_since(enrolled_at) > 30", "no until 2024-05-03"),
        ("days_since(enrolled_at) >= 0", "yes"),
        ("days_since(enrolled_at) < 29", "no"),
        ("days_since(enrolled_at) != 29", "no until 2024-05-02"),
        ("days_since(enrolled_at) == 31", "no until 2024-05-03"),
        ("days_since(enrolled_at) == 28", "no"),
        ("days_since(enrolled_at) == 29.5", "no"),
        ("30.5 > days_since(enrolled_at)", "yes until 2024-05-03"),
        ("days_since(enrolled_at) <= attr.children * 15", "yes until 2024-05-03"),
        ("days_since(enrolled_at) < 1000000000000000000", "yes"),
        ("days_since(enrolled_at) > -1000000000000000000", "yes"),
        ("enrolled_at >= \"2024-04-02\"", "yes"),
        ("enrolled_at > \"2024-04-02\"", "no"),
        ("enrolled_at == \"2024-04-02\"", "yes"),
        ("enrolled_at >= \"2024-04-01T16:00:00Z\"", "yes"),
        ("enrolled_at > \"2024-04-02T00:00:00+08:00\"", "no"),
        ("enrolled_at < attr.due", "yes"),
    ]);
}

#[test]
fn dates_and_birthdays() {
    check(&[
        ("attr.due == \"2024-06-10\"", "yes"),
        ("attr.due > \"2024-06-09\"", "yes"),
        ("attr.due in [\"2024-06-10\"]", "yes"),
        ("days_since(attr.due) == -40", "yes until 2024-05-02"),
        ("days_since(attr.due) >= -30", "no until 2024-05-11"),
        ("days_since(attr.due) <= 0", "yes until 2024-06-11"),
        ("days_since(\"2024-04-01\") == 30", "yes until 2024-05-02"),
        ("age == 33", "yes until 2024-05-02"),
        ("age >= 34", "no until 2024-05-02"),
        ("age >= 45", "no until 2035-05-02"),
        ("age < 45", "yes until 2035-05-02"),
        ("age > 45", "no until 2036-05-02"),
        ("age >= 18", "yes"),
        ("age >= 18 && age < 45", "yes until 2035-05-02"),
        ("age + 1 == 34", "yes until 2024-05-02"),
        ("is_birthday", "no until 2024-05-02"),
    ]);
    for (birthday, now, table) in [
        ("1990-05-01", NOW, [("is_birthday", "yes until 2024-05-02"), ("age == 34", "yes until 2025-05-01")]),
        ("05-01", NOW, [("is_birthday", "yes until 2024-05-02"), ("age == null", "yes until 2025-05-01")]),
        ("--04-30", NOW, [("is_birthday", "no until 2025-04-30"), ("age == null", "yes until 2025-04-30")]),
        (
            "2004-02-29",
            "2023-02-28T04:00:00Z",
            [("is_birthday", "yes until 2023-03-01"), ("age == 19", "yes until 2024-02-29")],
        ),
        (
            "2004-02-29",
            "2024-02-28T04:00:00Z",
            [("is_birthday", "no until 2024-02-29"), ("age == 19", "yes until 2024-02-29")],
        ),
        ("yesterday", NOW, [("is_birthday", "no"), ("age == null", "yes")]),
    ] {
        let mut person = member();
        person.attributes.insert("birthday".to_owned(), text(birthday));
        check_for(&person, Scope::Member, "Asia/Shanghai", now, &table);
    }
}

#[test]
fn the_clock() {
    check(&[
        ("weekday == \"wed\"", "yes until 2024-05-02"),
        ("weekday != \"wed\"", "no until 2024-05-02"),
        ("weekday == \"sun\"", "no until 2024-05-05"),
        ("weekday in [\"sat\", \"sun\"]", "no until 2024-05-04"),
        ("weekday in [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]", "yes"),
        ("\"wed\" == weekday", "yes until 2024-05-02"),
        ("weekday.startsWith(\"w\")", "yes until 2024-05-02"),
        ("hour == 12", "yes until 2024-05-01T05:00:00Z"),
        ("hour >= 19", "no until 2024-05-01T11:00:00Z"),
        ("hour < 12", "no until 2024-05-02"),
        ("hour >= 9 && hour < 18", "yes until 2024-05-01T10:00:00Z"),
        ("hour + 1 == 13", "yes until 2024-05-01T05:00:00Z"),
        ("clock >= \"19:30\"", "no until 2024-05-01T11:30:00Z"),
        ("clock < \"12:00\"", "no until 2024-05-02"),
        ("clock <= \"12:00\"", "yes until 2024-05-01T04:01:00Z"),
        ("clock == \"12:00\"", "yes until 2024-05-01T04:01:00Z"),
        ("clock >= \"19:30\" || clock <= \"00:30\"", "no until 2024-05-01T11:30:00Z"),
    ]);
    // New York puts the clock forward at 02:00 on 2024-03-10 and back at 02:00 on 2024-11-03.
    check_for(
        &member(),
        Scope::Member,
        "America/New_York",
        "2024-03-10T06:30:00Z",
        &[
            ("clock == \"01:30\"", "yes until 2024-03-10T06:31:00Z"),
            ("hour == 1", "yes until 2024-03-10T07:00:00Z"),
            ("hour == 2", "no until 2024-03-10T07:00:00Z"),
            ("hour >= 4", "no until 2024-03-10T06:45:00Z"),
        ],
    );
    check_for(
        &member(),
        Scope::Member,
        "America/New_York",
        "2024-11-03T05:50:00Z",
        &[
            ("hour == 1", "yes until 2024-11-03T06:00:00Z"),
            ("hour < 2", "yes until 2024-11-03T06:00:00Z"),
            ("clock == \"01:50\"", "yes until 2024-11-03T05:51:00Z"),
        ],
    );
}

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
fn parts_hold_as_long_as_they_decide() {
    check(&[
        // A false part keeps && false for as long as the longest false part holds; dually for ||.
        ("age >= 45 && false", "no"),
        ("false && age >= 45", "no"),
        ("age >= 45 && weekday == \"sun\"", "no until 2035-05-02"),
        ("weekday == \"sun\" && age >= 45", "no until 2035-05-02"),
        ("weekday == \"wed\" && age >= 45", "no until 2035-05-02"),
        ("weekday == \"wed\" && age >= 18", "yes until 2024-05-02"),
        ("weekday == \"wed\" || age >= 18", "yes"),
        ("weekday == \"wed\" || age < 45", "yes until 2035-05-02"),
        ("weekday == \"sun\" || age >= 45", "no until 2024-05-05"),
        ("!(weekday == \"sun\" || age >= 45)", "yes until 2024-05-05"),
        ("hour == 12 && weekday == \"wed\"", "yes until 2024-05-01T05:00:00Z"),
        ("hour == 13 && weekday == \"sun\"", "no until 2024-05-05"),
        ("weekday == \"wed\" ? age >= 18 : false", "yes until 2024-05-02"),
        ("age >= 18 ? weekday == \"wed\" : false", "yes until 2024-05-02"),
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
fn the_event_and_order_at_hand() {
    let mut person = member();
    let order = person.orders[2].clone();
    person.order = Some(order);
    person.event = Some(event(
        "Order Completed",
        ts("2024-05-01T03:59:00Z"),
        &[
            ("total", Scalar::Number(number("68.5"))),
            ("gift", Scalar::Bool(false)),
            ("method", text("wechat")),
        ],
    ));
    let shanghai = "Asia/Shanghai";
    check_for(
        &person,
        Scope::Event,
        shanghai,
        NOW,
        &[
            ("event.name == \"Order Completed\"", "yes"),
            ("event.store == \"S1\" && event.channel == null", "yes"),
            ("event.properties.total >= 35", "yes"),
            ("event.properties.total == order.paid", "yes"),
            ("event.properties.gift", "no"),
            ("!event.properties.gift", "yes"),
            ("event.properties.method in [\"wechat\", \"alipay\"]", "yes"),
            ("event.properties.method > 3", "no"),
            ("event.properties.method != 3", "no"),
            ("event.properties.nothing == null", "yes"),
            ("has(event.properties.method)", "yes"),
            ("event.properties.total + 1.5 == 70", "yes"),
            ("event.time >= \"2024-05-01\"", "yes"),
            ("event.time >= \"2020-05-23\" && event.time <= \"2020-05-29\"", "no"),
            ("days_since(event) == 0", "yes until 2024-05-02"),
            ("hour(event) == 11 && clock(event) == \"11:59\"", "yes"),
            ("event != null && order != null", "yes"),
            ("order.paid == 68.50", "yes"),
            ("order.store == store && order.channel == \"app\"", "yes"),
            ("order.time < event.time", "yes"),
            ("size(order.items) == 2", "yes"),
            ("sum(order.items.filter(i, i.category == \"snacks\").map(i, i.quantity)) >= 3", "yes"),
            ("order.items.exists(i, i.product == \"p2\" && i.department == \"grocery\")", "yes"),
            ("order.items.all(i, i.paid >= 30)", "yes"),
            ("max(order.items.map(i, i.paid)) == 38.5", "yes"),
            ("avg(order.items.map(i, i.paid)) == 34.25", "yes"),
            ("order.items.exists(i, i.paid * 3 > points && i.store == store)", "no"),
            ("\"snacks\" in order.items.map(i, i.category)", "yes"),
            ("attr.wish in order.items.map(i, i.category)", "no"),
            ("order.paid > avg(orders.map(o, o.paid))", "yes"),
            ("size(orders.filter(o, o.paid >= order.paid)) == 1", "yes"),
            ("is_birthday || weekday == \"wed\"", "yes until 2024-05-02"),
        ],
    );
    person.order = None;
    person.event = None;
    check_for(
        &person,
        Scope::Event,
        shanghai,
        NOW,
        &[
            ("event == null && order == null", "yes"),
            ("order.paid >= 0 || order.paid < 0", "no"),
            ("size(order.items) == 0", "yes"),
            ("order.items.all(i, i.paid > 1)", "yes"),
            ("event.name == null", "yes"),
            ("has(event.properties.method)", "no"),
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
