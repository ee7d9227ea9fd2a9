//! Members and conditions at random, with what the reference says of them, for a test that asks ClickHouse the same.
//!
//! `cargo run --release -p zhiyin-audience --example clickhouse_cases -- FOLDER SEED POPULATIONS CONDITIONS` writes a file a
//! population: what makes the tables, what goes in, and for each condition its statement and who it must find.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "it fails where it is wrong, as a test does"
)]

mod chance;
mod conditions;
mod lives;
#[path = "../../../condition/tests/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::Path;

use chance::Chance;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use support::Person;
use zhiyin_audience::sql::{Asked, Dialect, Tables, Wanted, gone_row, member_row, settings, statement};
use zhiyin_condition::value::{self, Val};
use zhiyin_condition::{
    AttributeType, Condition, History, Leaves, Schema, Scope, evaluate, evaluate_history,
};
use zhiyin_model::id::MemberId;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Ts, Zone};

/// Members of a population.
const MEMBERS: usize = 28;

fn known(id: MemberId, person: &Person) -> zhiyin_audience::Person {
    zhiyin_audience::Person {
        id,
        attributes: person.attributes.clone(),
        tags: person.tags.iter().cloned().collect(),
        lists: person.lists.iter().cloned().collect(),
        standing: Vec::new(),
        tier: person.tier.clone(),
        lifecycle: person.lifecycle.clone(),
        store: person.store.clone(),
        points: person.points,
        enrolled_at: person.enrolled_at,
        consents: person.personal.consents.clone(),
        dependants: person.personal.dependants.clone(),
        orders: person.orders.clone(),
        events: person.events.clone(),
    }
}

/// Whether a condition holds, as the reference says; the evaluator for one member must say so too.
fn holds(condition: &mut Condition, person: &Person, zone: &Zone, asked: Asked) -> bool {
    let until = asked.rows_until.unwrap_or(Ts::FOREVER);
    let orders: Vec<_> = person.orders.iter().filter(|order| order.time <= until).cloned().collect();
    let events: Vec<_> = person.events.iter().filter(|event| event.time <= until).cloned().collect();
    let history = History { orders: &orders, events: &events, zone, currency_exponent: 2 };
    let reference = evaluate_history(condition, person, &history, asked.now).value;
    if asked.rows_until.is_none() {
        let leaves = Leaves::collect([&mut *condition], zone.clone(), 2);
        let mut person = person.clone();
        person.observe(&leaves);
        let judged = evaluate(condition, &leaves, &person, asked.now).value;
        assert_eq!(judged, reference, "{} at {} in {}: {person:?}", condition.text(), asked.now, zone.name());
    }
    reference
}

/// Lines that go in: what is known of each, for some an older line before and after it, and some who are gone.
fn lines(chance: &mut Chance, members: &[(MemberId, Person)], tables: &Tables, base: i32) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, person) in members {
        let version = 10 + chance.bits() % 1_000;
        let now = member_row(&known(*id, person), tables, version);
        let other = lives::member(chance, &tables.zone, base, false);
        let older = member_row(&known(*id, &other), tables, version - 5);
        match chance.below(4) {
            0 => lines.extend([older, now]),
            1 => lines.extend([now.clone(), older, now]),
            2 => lines.extend([gone_row(*id, version - 1), now]),
            _ => lines.push(now),
        }
    }
    for n in 0..3u8 {
        let id = MemberId::from_bytes([200 + n; 16]);
        let person = lives::member(chance, &tables.zone, base, false);
        lines.push(member_row(&known(id, &person), tables, 5));
        lines.push(gone_row(id, 6));
    }
    lines
}

fn tables(number: usize, zone: Zone, schema: &Schema) -> Tables {
    Tables {
        dialect: Dialect::Current,
        database: format!("population {number}"),
        cluster: None,
        zone,
        currency_exponent: 2,
        attributes: schema.attributes.clone(),
        without: BTreeSet::new(),
    }
}

/// What a population is for.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Anything,
    Numbers,
    ComingOfAge,
    LongHistories,
}

/// A number that is reckoned of two attributes, compared with what comes out for one of the members.
fn reckoned(chance: &mut Chance, members: &[(MemberId, Person)]) -> String {
    let number = |name: &str, person: &Person| match person.attributes.get(name) {
        Some(Scalar::Number(number)) => *number,
        _ => Decimal::ONE,
    };
    let person = &members[chance.below(members.len())].1;
    let (a, b) = (number("spend", person), number("children", person));
    let compared = chance.one(&["==", "==", "!=", "<=", ">"]);
    if chance.in_hundred(25) {
        // What a sum comes to by the definition: addends of nine decimals, and those that are too large left out.
        let sum: i128 = [a, b].into_iter().filter_map(value::addend).sum();
        return match value::total(sum) {
            Val::Number(sum) => format!("sum([attr.spend, attr.children]) {compared} {}", sum.normalize()),
            _ => "sum([attr.spend, attr.children]) == null".to_owned(),
        };
    }
    let (op, result) = match chance.below(5) {
        0 => ("+", a.checked_add(b)),
        1 => ("-", a.checked_sub(b)),
        2 => ("*", a.checked_mul(b)),
        3 => ("/", a.checked_div(b)),
        _ => ("%", a.checked_rem(b)),
    };
    match result {
        Some(result) => format!("attr.spend {op} attr.children {compared} {}", result.normalize()),
        None => format!("attr.spend {op} attr.children == null"),
    }
}

fn population(
    seed: u64,
    number: usize,
    n_conditions: usize,
    schema: &Schema,
    found: &mut [usize; 3],
) -> Value {
    let mut chance = Chance(seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
    let kind = [
        Kind::Anything,
        Kind::Numbers,
        Kind::Anything,
        Kind::ComingOfAge,
        Kind::Anything,
        Kind::LongHistories,
    ][number % 6];
    let mut zone = support::zone(chance.one(&lives::ZONES));
    let mut base = lives::BASES[chance.below(lives::BASES.len())];
    if kind == Kind::ComingOfAge {
        // Here clocks were put back from 00:01 to 23:01 of the day before.
        (zone, base) = (support::zone("America/St_Johns"), 13_450);
    }
    let n_members = if kind == Kind::LongHistories { 5 } else { MEMBERS };
    let tables = tables(number, zone.clone(), schema);
    let members: Vec<(MemberId, Person)> = (0..n_members)
        .map(|n| {
            let mut id = [0u8; 16];
            id[..8].copy_from_slice(&chance.bits().to_be_bytes());
            let mut person = match kind {
                Kind::ComingOfAge => lives::coming_of_age(&mut chance, &zone, base),
                _ => lives::member(&mut chance, &zone, base, kind == Kind::LongHistories && n > 0),
            };
            if kind == Kind::Numbers {
                for name in ["spend", "children"] {
                    person.attributes.insert(name.to_owned(), Scalar::Number(lives::hard(&mut chance)));
                }
            }
            person.id = MemberId::from_bytes(id);
            (person.id, person)
        })
        .collect();
    let lines = lines(&mut chance, &members, &tables, base);
    let mut cases = Vec::new();
    let mut refused = Vec::new();
    while cases.len() < n_conditions {
        let text = match kind {
            Kind::Anything => conditions::truth(&mut chance, 2),
            Kind::Numbers => reckoned(&mut chance, &members),
            Kind::ComingOfAge => conditions::consent(&mut chance),
            Kind::LongHistories => conditions::of_long_histories(&mut chance),
        };
        let Ok(mut condition) = Condition::check(&text, schema) else {
            found[0] += 1;
            continue;
        };
        let now = match kind {
            Kind::ComingOfAge => lives::around_midnight(&mut chance, &zone, base),
            _ if chance.in_hundred(50) => zone.start(zone.day(Ts(i64::from(base) * 86_400_000_000))),
            _ => lives::time(&mut chance, &zone, base),
        };
        let now = now.plus_us(chance.between(-1, 1) * 3_600_000_000);
        let rows_until = chance.in_hundred(25).then(|| lives::time(&mut chance, &zone, base));
        let asked = Asked { now, rows_until };
        let sql = match statement(&condition, &tables, asked, Wanted::Members) {
            Ok(sql) => sql,
            Err(refusal) => {
                found[1] += 1;
                refused.push(json!({ "condition": text, "refused": refusal.to_string() }));
                continue;
            }
        };
        found[2] += 1;
        let mut ids: Vec<MemberId> = members
            .iter()
            .filter(|(_, person)| holds(&mut condition, person, &zone, asked))
            .map(|(id, _)| *id)
            .collect();
        ids.sort_unstable();
        let expected: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let page = Wanted::Page { after: ids.first().copied(), limit: 3 };
        cases.push(json!({
            "condition": text,
            "zone": zone.name(),
            "now": now.to_string(),
            "rows_until": rows_until.map(|at| at.to_string()),
            "sql": sql,
            "count": statement(&condition, &tables, asked, Wanted::Count).unwrap(),
            "page": statement(&condition, &tables, asked, page).unwrap(),
            "expected": expected,
        }));
    }
    json!({
        "database": tables.database,
        "settings": settings(Dialect::Current),
        "migrations": tables.migrations(None).unwrap(),
        "insertion": tables.insertion(),
        "position": [
                tables.position_kept("audience", 7, &tables.fingerprint()),
                tables.position_kept("audience", 9, &tables.fingerprint()),
                tables.position_asked("audience")
            ],
        "fingerprint": tables.fingerprint(),
        "lines": lines,
        "cases": cases,
        "refused": refused,
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, seed, populations, conditions] = arguments.as_slice() else {
        eprintln!("usage: clickhouse_cases FOLDER SEED POPULATIONS CONDITIONS");
        std::process::exit(2);
    };
    let (seed, populations, conditions) =
        (seed.parse().unwrap(), populations.parse().unwrap(), conditions.parse().unwrap());
    // Attributes are declared, and one of them is called as SQL would not.
    let mut schema = support::schema(Scope::Member);
    schema.attributes.insert("it's `odd`\\".to_owned(), AttributeType::Text);
    let mut found = [0; 3];
    for number in 0..populations {
        let written = population(seed, number, conditions, &schema, &mut found);
        std::fs::write(Path::new(folder).join(format!("{number}.json")), written.to_string()).unwrap();
    }
    let [unchecked, refused, written] = found;
    println!("{written} cases, {refused} refused in SQL, {unchecked} no conditions, seed {seed}");
}
