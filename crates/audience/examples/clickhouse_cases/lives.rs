//! Members at random: days at the edges of days, clocks put forward and back, leap days, rows of one instant, numbers of
//! many digits, texts that would break a statement, histories that are empty or longer than is kept.

use rust_decimal::Decimal;
use zhiyin_condition::{EventRow, ItemRow, OrderRow};
use zhiyin_model::consent::{Consents, Word};
use zhiyin_model::dependant::{Dependants, Told};
use zhiyin_model::id::EventId;
use zhiyin_model::money::Money;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Day, Ts, Zone};

use crate::chance::Chance;
use crate::support::{Person, number};

/// Zones: without clock changes, with them, by half an hour, and over midnight.
pub const ZONES: [&str; 7] = [
    "UTC",
    "Asia/Shanghai",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "America/St_Johns",
    "Asia/Beirut",
];
/// 2024-03-01, 2024-03-31, 2024-10-27, 2024-11-03 and 2006-10-29, near which clocks change.
pub const BASES: [i32; 5] = [19_783, 19_813, 20_023, 20_030, 13_450];

/// An instant: days around the base, often at the edges of a day.
pub fn time(chance: &mut Chance, zone: &Zone, base: i32) -> Ts {
    let days = if chance.in_hundred(75) { chance.between(-20, 3) } else { chance.between(-400, 3) };
    let us = match chance.below(8) {
        0 => 0,
        1 => -1,
        2 => 1,
        3 => 7_200_000_000,
        4 => 3_600_000_000 * chance.between(0, 26),
        _ => chance.between(0, 86_399_999_999),
    };
    zone.start(Day(base).plus(i32::try_from(days).unwrap_or(0))).plus_us(us)
}

fn text(chance: &mut Chance) -> String {
    chance
        .one(&[
            "上海",
            "Beijing",
            "O'Neill\\",
            "",
            "a\tb\nc",
            "\u{1f600}",
            "\u{e000}z",
            "Zürich",
            "vip",
            "S1",
            "2024-03-01",
            "`x` \"y\"",
        ])
        .to_owned()
}

fn amount(chance: &mut Chance) -> Decimal {
    let few = ["0", "1", "2", "3", "0.5", "1.25", "15", "-3", "12.5", "0.1", "0.2"];
    let many = [
        "79228162514264337593543950335",
        "-79228162514264337593543950335",
        "7.9228162514264337593543950335",
        "0.0000000000000000000000000001",
        "1000000000000000000",
        "1000000000000000000.5",
        "-1000000000000000001",
        "999999999999999999.9999999995",
        "0.0000000005",
        "-0.0000000015",
        "123456789012345678.901234567",
        "0.3333333333333333333333333333",
        "12345678901234567890.12345678",
    ];
    match chance.below(10) {
        0 => number(chance.one(&many)),
        1 => {
            let digits = i128::from(chance.bits() >> 1) * i128::from(chance.bits() >> (1 + chance.below(60)));
            let digits = digits % 79_228_162_514_264_337_593_543_950_335;
            let scale = u32::try_from(chance.below(29)).unwrap_or(0);
            Decimal::from_i128_with_scale(if chance.in_hundred(30) { -digits } else { digits }, scale)
        }
        2 => Decimal::new(chance.between(-5_000, 50_000), 3),
        _ => number(chance.one(&few)),
    }
}

fn property(chance: &mut Chance) -> Option<Scalar> {
    Some(match chance.below(11) {
        0 => return None,
        1 => Scalar::Text("two".to_owned()),
        2 => Scalar::Text(text(chance)),
        3 => Scalar::Bool(chance.in_hundred(50)),
        4 => Scalar::Texts(vec!["a".to_owned()]),
        5 => Scalar::Text(
            chance
                .one(&[
                    "2024-03-01",
                    "2024-02-29",
                    "2024-02-30",
                    "2024-10-26T23:30:00Z",
                    "12:30",
                    "24:00",
                    "2006-10-28",
                ])
                .to_owned(),
        ),
        _ => Scalar::Number(amount(chance)),
    })
}

fn store(chance: &mut Chance) -> Option<std::sync::Arc<str>> {
    match chance.below(5) {
        0 => None,
        1..=2 => Some("S1".into()),
        3 => Some("S2".into()),
        _ => Some("店".into()),
    }
}

fn item(chance: &mut Chance, fine: bool) -> ItemRow {
    let category = chance.one(&["a", "b", "1", ""]);
    let quantity = match chance.below(12) {
        0 if fine => number(chance.one(&[
            "0.3333333333333333333333333333",
            "0.0000001",
            "1000000000000",
            "2.0000000005",
        ])),
        1 => number("0.000001"),
        _ => number(chance.one(&["0", "0.1", "0.5", "1", "1", "2", "3", "1.50"])),
    };
    ItemRow {
        product: chance.one(&["p1", "pa", "q", "p1b"]).into(),
        category: (!category.is_empty()).then(|| category.into()),
        department: chance.in_hundred(70).then(|| "grocery".into()),
        quantity,
        paid: Money(chance.between(0, 300)),
    }
}

fn order(chance: &mut Chance, time: Ts, fine: bool) -> OrderRow {
    let n_items = chance.below(4);
    OrderRow {
        time,
        paid: Money(if chance.in_hundred(2) { 9_000_000_000_000_000_000 } else { chance.between(0, 400) }),
        store: store(chance),
        channel: chance.in_hundred(50).then(|| "app".into()),
        items: (0..n_items).map(|_| item(chance, fine)).collect(),
    }
}

fn event(chance: &mut Chance, time: Ts) -> EventRow {
    let mut properties = std::collections::BTreeMap::new();
    for name in ["amount", "other", "flag", "day"] {
        let value = match (name, chance.below(3)) {
            ("flag", 0..=1) => Some(Scalar::Bool(chance.in_hundred(50))),
            ("day", 0..=1) => {
                let day = chance.one(&[
                    "2024-03-01",
                    "2024-02-20",
                    "2024-10-27T00:30:00+02:00",
                    "12:30",
                    "2006-10-29",
                    "0001-01-01",
                ]);
                Some(Scalar::Text(day.to_owned()))
            }
            _ => property(chance),
        };
        if let Some(value) = value {
            properties.insert(name.to_owned(), value);
        }
    }
    let name = chance.one(&["E", "E", "F", "G"]).into();
    EventRow {
        name,
        time,
        store: store(chance),
        channel: chance.in_hundred(30).then(|| "app".into()),
        properties,
    }
}

fn birthday(chance: &mut Chance, base: i32) -> String {
    let near = |days: i64| Day(base).plus(i32::try_from(days).unwrap_or(0)).to_string();
    match chance.below(9) {
        0 => "2000-02-29".to_owned(),
        1 => "02-29".to_owned(),
        2 => near(chance.between(-3, 25)).split_off(5),
        3 => format!("--{}", near(chance.between(-3, 25)).split_off(5)),
        4 => "2017-02-29".to_owned(),
        5 => "2012-02-29".to_owned(),
        6 => near(chance.between(-14 * 365 - 10, -14 * 365 + 40)),
        7 => near(chance.between(-30, 30)),
        8 => format!("lunar:{:02}-{:02}", chance.between(1, 12), chance.between(1, 30)),
        // Near today, with its year.
        9 => {
            let codes = zhiyin_model::lunar::kept_on(
                Day(base).plus(i32::try_from(chance.between(-3, 25)).unwrap_or(0)),
            );
            codes.last().map_or_else(
                || "lunar:L04-08".to_owned(),
                |code| {
                    format!(
                        "lunar:{}-{:02}-{:02}",
                        chance.between(1_950, 2_000),
                        code / 32,
                        (code % 32).min(29)
                    )
                },
            )
        }
        _ => near(chance.between(-20_000, -300)),
    }
}

fn consents(chance: &mut Chance, zone: &Zone, base: i32) -> Consents {
    let mut said = Consents::default();
    for n in 0..chance.below(7) {
        let purpose = chance.one(&["marketing", "marketing", "profiling", "service", "all"]);
        let channel = chance.one(&["sms", "email", "wecom", "all"]);
        let at = if chance.in_hundred(20) { zone.start(Day(base)) } else { time(chance, zone, base) };
        let word = Word {
            at,
            source: None,
            guardian: chance.in_hundred(40).then(|| "parent".to_owned()),
            event: EventId::from_bytes([u8::try_from(n).unwrap_or(0); 16]),
        };
        if chance.in_hundred(35) {
            said.withdraw(purpose, channel, Word { guardian: None, ..word });
        } else if purpose != "all" {
            said.give(purpose, channel, chance.one(&["1", "2", "2", ""]), word);
        }
    }
    if chance.in_hundred(15) {
        // What a merge dates.
        let mut other = Consents::default();
        let event = EventId::from_bytes([9; 16]);
        let word = Word { at: time(chance, zone, base), source: None, guardian: None, event };
        other.withdraw("marketing", "sms", word);
        said.join(&crate::support::consent(), None, (&other, None), time(chance, zone, base));
    }
    said
}

fn dependants(chance: &mut Chance, base: i32) -> Dependants {
    let mut told = Dependants::default();
    let day = |chance: &mut Chance, from: i64, to: i64| {
        Day(base).plus(i32::try_from(chance.between(from, to)).unwrap_or(0))
    };
    for key in ["first", "second", "third"].iter().take(chance.below(4)) {
        let one = Told {
            kind: chance.in_hundred(30).then(|| "parent".to_owned()),
            due_on: chance.in_hundred(60).then(|| day(chance, -60, 300)),
            birthday: chance.in_hundred(60).then(|| day(chance, -800, 40)),
            name: None,
            gender: chance.in_hundred(60).then(|| chance.one(&["female", "male"]).to_owned()),
        };
        told.tell(key, Ts(1), one);
    }
    told
}

/// A member. `many` have more rows than a condition keeps.
pub fn member(chance: &mut Chance, zone: &Zone, base: i32, many: bool) -> Person {
    let mut person = Person::stranger();
    let mut put = |name: &str, value: Option<Scalar>| {
        if let Some(value) = value {
            person.attributes.insert(name.to_owned(), value);
        }
    };
    put("birthday", chance.in_hundred(85).then(|| Scalar::Text(birthday(chance, base))));
    for name in ["city", "job", "home-store", "wish"] {
        let of = if chance.in_hundred(85) { Some(Scalar::Text(text(chance))) } else { property(chance) };
        put(name, of.filter(|_| name != "job" || chance.in_hundred(60)));
    }
    for name in ["children", "spend"] {
        let of = if chance.in_hundred(85) { Some(Scalar::Number(amount(chance))) } else { property(chance) };
        put(name, of);
    }
    for name in ["vip", "quiet"] {
        let of =
            if chance.in_hundred(70) { Some(Scalar::Bool(chance.in_hundred(50))) } else { property(chance) };
        put(name, of);
    }
    for name in ["due", "moved"] {
        let day = Day(base).plus(i32::try_from(chance.between(-5, 5)).unwrap_or(0)).to_string();
        put(name, chance.in_hundred(75).then_some(Scalar::Text(day)).or_else(|| property(chance)));
    }
    let brands =
        (0..chance.below(4)).map(|_| chance.one(&["lego", "miffy", "vip", "上海"]).to_owned()).collect();
    put("brands", chance.in_hundred(70).then_some(Scalar::Texts(brands)));
    let tags = ["snack_lover", "vip", "sleeper", "空巢", "S1", "gold"];
    person.tags = tags.iter().filter(|_| chance.in_hundred(30)).map(|tag| (*tag).to_owned()).collect();
    let word = |chance: &mut Chance, of: &[&str]| chance.in_hundred(80).then(|| chance.one(of).to_owned());
    person.tier = word(chance, &["regular", "silver", "gold", "platinum"]);
    person.lifecycle = word(chance, &["introduction", "growth", "lost"]);
    person.store = word(chance, &["S1", "S2", "店"]);
    person.points = if chance.in_hundred(5) { i64::MIN + 1 } else { chance.between(-5, 40) };
    person.enrolled_at = chance.in_hundred(80).then(|| time(chance, zone, base));
    person.personal.consents = consents(chance, zone, base);
    person.personal.dependants = dependants(chance, base);
    let (n_orders, n_events) = if many { (1_100, 1_150) } else { (chance.below(14), chance.below(8)) };
    let fine = chance.in_hundred(30);
    let mut at = time(chance, zone, base);
    for n in (0i32..).take(n_orders) {
        // Some at the instant of the one before; older ones of many further apart, so that it shows which are looked at.
        if many {
            at = zone.start(Day(base).plus(2 - n - 2 * (n - 450).max(0))).plus_us(chance.between(0, 7));
        } else if !chance.in_hundred(20) {
            at = time(chance, zone, base);
        }
        person.orders.push(order(chance, at, fine));
    }
    for _ in 0..n_events {
        if !chance.in_hundred(20) {
            at = time(chance, zone, base);
        }
        person.events.push(event(chance, at));
    }
    person
}

/// Numbers that are hard to reckon with.
pub fn hard(chance: &mut Chance) -> Decimal {
    let hard = [
        "7.9228162514264337593543950335",
        "7.9228162514264337593543950333",
        "0.0000000005",
        "-0.0000000015",
        "0.00000000249999",
        "999999999999999999.9999999995",
        "0.0000000000000000000000000001",
        "0.0000000000000000000000000003",
        "0.5",
        "0.25",
        "1.5",
        "-2.5",
        "0.05",
        "2",
        "-4",
        "20",
        "3",
        "7",
        "39614081257132168796771975167.5",
        "39614081257132168796771975168",
        "79228162514264337593543950335",
        "7922816251426433759354395033.5",
        "0.1",
        "10000000000000000000000000000",
    ];
    if chance.in_hundred(60) { number(chance.one(&hard)) } else { amount(chance) }
}

/// Somebody who comes of age around the instant at which clocks are put back over midnight, and what they said then.
pub fn coming_of_age(chance: &mut Chance, zone: &Zone, base: i32) -> Person {
    let mut person = member(chance, zone, base, false);
    let born = Day(base).date();
    let day = i64::from(born.day()) + chance.between(-1, 1);
    let birthday = format!("{:04}-{:02}-{day:02}", born.year() - 14, born.month());
    person.attributes.insert("birthday".to_owned(), Scalar::Text(birthday));
    let mut said = Consents::default();
    for n in 0..1 + chance.below(2) {
        let word = Word {
            at: around_midnight(chance, zone, base),
            source: None,
            guardian: chance.in_hundred(40).then(|| "parent".to_owned()),
            event: EventId::from_bytes([u8::try_from(n).unwrap_or(0); 16]),
        };
        match chance.below(5) {
            0 => said.withdraw("marketing", "sms", Word { guardian: None, ..word }),
            _ => said.give(
                chance.one(&["marketing", "profiling"]),
                chance.one(&["sms", "all"]),
                chance.one(&["2", "2", ""]),
                word,
            ),
        }
    }
    person.personal.consents = said;
    person
}

/// An instant near the midnight that a day begins with, by half hours.
pub fn around_midnight(chance: &mut Chance, zone: &Zone, base: i32) -> Ts {
    zone.start(Day(base)).plus_us(chance.between(-3, 5) * 1_800_000_000)
}
