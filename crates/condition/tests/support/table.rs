//! The member of the tables of meanings, and how a table is checked.

use zhiyin_condition::Scope;
use zhiyin_model::id::MemberId;
use zhiyin_model::scalar::Scalar;

use super::{Person, event, item, judge, number, order, schema, spoken, ts, zone};

/// Noon of Wednesday 2024-05-01 in Shanghai.
pub const NOW: &str = "2024-05-01T04:00:00Z";

pub fn text(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}

/// A member of a brand in Shanghai.
pub fn member() -> Person {
    let mut person = Person::stranger();
    person.id = MemberId::from_bytes(*b"a member's own i");
    person.lists = ["press".to_owned()].into();
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

pub fn check(table: &[(&str, &str)]) {
    check_for(&member(), Scope::Member, "Asia/Shanghai", NOW, table);
}

pub fn check_for(person: &Person, scope: Scope, zone_name: &str, now: &str, table: &[(&str, &str)]) {
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
