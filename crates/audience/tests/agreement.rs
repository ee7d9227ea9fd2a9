//! Columns answer as the evaluator for one member does: random populations, random conditions, with changes lying over the
//! base, merged, folded, people gone and come back.

#![allow(clippy::unwrap_used, reason = "a test fails where it is wrong")]

#[path = "../../condition/tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use support::draw::{Life, conditions, life, person};
use support::{Person as Known, condition, schema};
use zhiyin_audience::{Budget, Change, Layout, Person, Population, Question};
use zhiyin_condition::{History, Scope, evaluate_history};
use zhiyin_model::id::MemberId;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Ts, Zone};

fn id(n: usize) -> MemberId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&(n as u64).to_be_bytes());
    MemberId::from_bytes(bytes)
}

/// As the columns take somebody in.
fn columns(n: usize, known: &Known) -> Person {
    Person {
        id: id(n),
        attributes: known.attributes.clone(),
        tags: known.tags.iter().cloned().collect(),
        lists: known.lists.iter().cloned().collect(),
        standing: Vec::new(),
        tier: known.tier.clone(),
        lifecycle: known.lifecycle.clone(),
        store: known.store.clone(),
        points: known.points,
        enrolled_at: known.enrolled_at,
        consents: known.personal.consents.clone(),
        dependants: known.personal.dependants.clone(),
        orders: known.orders.clone(),
        events: known.events.clone(),
    }
}

/// Somebody with a life, and more than that about them.
fn somebody(life: &Life, n: usize) -> Known {
    let mut known = person(life);
    let texts = |texts: &[&str]| Scalar::Texts(texts.iter().map(|text| (*text).to_owned()).collect());
    if n.is_multiple_of(3) {
        known.attributes.remove("birthday");
        known.tags.insert("vip".to_owned());
        known.lists.insert("press".to_owned());
        known.tier = Some("gold".to_owned());
        known.attributes.insert("brands".to_owned(), texts(&["x", "y"]));
    }
    // Kept on 29 February and on 9 March 2024.
    match n % 7 {
        2 => {
            drop(known.attributes.insert("birthday".to_owned(), Scalar::Text("lunar:1990-01-20".to_owned())))
        }
        4 => drop(known.attributes.insert("birthday".to_owned(), Scalar::Text("lunar:01-30".to_owned()))),
        _ => {}
    }
    if n % 4 == 1 {
        known.attributes.insert("vip".to_owned(), Scalar::Text("no".to_owned()));
        known.attributes.insert("city".to_owned(), Scalar::Text(format!("city {}", n % 7)));
        known.tier = None;
        known.store = None;
        known.points = i64::try_from(n).unwrap() - 3;
    }
    if n % 5 == 2 {
        known.enrolled_at = None;
    }
    if n.is_multiple_of(5) {
        known.lists.insert("staff".to_owned());
    }
    known.lifecycle = [None, Some("growth"), Some("lost")][n % 3].map(str::to_owned);
    known
}

/// What happens to whom, in which order: somebody is put in with one of the lives, or is gone.
type Step = (Index, Option<Index>);

fn expected(people: &BTreeMap<usize, Known>, text: &str, zone: &Zone, now: Ts) -> Vec<MemberId> {
    let condition = condition(text, &schema(Scope::Member));
    people
        .iter()
        .filter(|(_, known)| {
            let history =
                History { orders: &known.orders, events: &known.events, zone, currency_exponent: 2 };
            evaluate_history(&condition, *known, &history, now).value
        })
        .map(|(n, _)| id(*n))
        .collect()
}

const PLAIN: [&str; 43] = [
    "audience(\"press\") && points > 3 || audience(\"staff\")",
    "!audience(\"staff\") && size(tags) < 2",
    "audience(\"press\") == (tier == \"gold\") || tags.exists(t, t > \"a\")",
    "orders.exists(o, o.paid < 100000000000000000) && size(orders.filter(o, o.paid != 100000000000000000)) >= 1",
    "orders.exists(o, o.paid > 100000000000000000) || items.exists(i, i.paid >= -100000000000000000)",
    "sum(orders.map(o, o.paid)) >= -90000000000000000 && sum(items.map(i, i.paid)) < 90000000000000000",
    "last(within(orders, \"30d\")).store != \"S2\"",
    "first(orders).channel == \"app\" || first(items).category.startsWith(\"b\")",
    "last(events(\"E\")).properties.amount == 3",
    "last(orders).store == null",
    "bucket(\"a\") < 40 || points == 15",
    "!audience(\"often\") && audience(\"snackers\") == false && bucket(\"b\") >= 10.5",
    "attr.city == \"city 1\"",
    "attr.city in [\"city 1\", \"city 5\"] || attr.city == null",
    "attr.city.startsWith(\"city\") && attr.city != \"city 3\"",
    "\"vip\" in tags && tier >= \"silver\"",
    "tags.exists(t, t != \"vip\")",
    "attr.brands.exists(b, b == \"x\")",
    "points > 3 && points <= 20",
    "points == 2 || points != 15",
    "lifecycle == \"lost\" || lifecycle == null",
    "store == null",
    "tier == null || !(tier == \"gold\")",
    "events(\"Never\").exists(e, e.properties.x == 1)",
    "size(events(\"Never\")) < 1",
    "size(within(items, \"30d\").filter(i, i.category == \"a\" && i.store == \"S1\")) >= 2",
    "sum(items.filter(i, i.category != \"b\").map(i, i.paid)) > 2.5",
    "size(orders.filter(o, o.time >= \"2024-03-01\" && o.paid < 3.2)) == 1",
    "last(items).category == \"a\"",
    "median_gap(within(orders, \"365d\")) >= 2",
    "days_since(enrolled_at) >= 30 && days_since(enrolled_at) < 400",
    "enrolled_at >= \"2024-03-01\" || enrolled_at == null",
    "weekday(enrolled_at) in [\"mon\", \"sun\"]",
    "!(days_since(enrolled_at) == 3) && enrolled_at != null",
    "enrolled_at < \"2024-03-09T12:30:00Z\"",
    "hour(enrolled_at) >= 12",
    "age >= 18 && age < 40 || is_birthday",
    "age == null || age != 30",
    "days_to_birthday <= 3 || days_since_birthday in [1, 4]",
    "sum(within(items, \"30d\").filter(i, i.category == \"a\").map(i, i.quantity)) >= 1",
    "within(items, \"0d\").exists(i, i.category == \"a\") || size(within(orders, \"0d\").filter(o, o.channel == \"app\")) >= 1",
    "within(orders, \"1d\").exists(o, o.store == \"S1\") || within(items, \"2d\").exists(i, i.category in [\"a\", \"b\"])",
    "size(within(events(\"E\"), \"7d\").filter(e, e.channel == \"app\")) < 1 && size(within(orders, \"300d\").filter(o, o.store == \"S1\")) >= 1",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn columns_answer_as_each_member_does(
        lives in vec(life(), 1..12),
        steps in vec((any::<Index>(), prop::option::weighted(0.85, any::<Index>())), 1..40),
        cuts in vec(any::<Index>(), 0..6),
        texts in vec(conditions(), 1..4),
        plain in vec(select(&PLAIN[..]), 2),
    ) {
        // All of one zone and one base: the first life's.
        let zone = lives[0].zone.clone();
        let layout = Layout { zone: zone.clone(), currency_exponent: 2, attributes: schema(Scope::Member).attributes };
        let population = Population::new(layout, Budget::default());
        let mut people: BTreeMap<usize, Known> = BTreeMap::new();
        let steps: &[Step] = &steps;
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(steps.len() + 1)).collect();
        cuts.extend([0, steps.len()]);
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            let changes: Vec<Change> = steps[pair[0]..pair[1]]
                .iter()
                .map(|(who, life)| {
                    let n = who.index(9);
                    match life {
                        Some(life) => {
                            let life = life.index(lives.len());
                            let known = Known { id: id(n), ..somebody(&lives[life], n + life) };
                            let change = Change::Put(Box::new(columns(n, &known)));
                            people.insert(n, known);
                            change
                        }
                        None => {
                            people.remove(&n);
                            Change::Gone(id(n))
                        }
                    }
                })
                .collect();
            population.apply(&changes).unwrap();
        }
        population.fold();
        // Once folded, once more with changes over it.
        for round in 0..2 {
            let seen = population.seen();
            for text in texts.iter().map(String::as_str).chain(plain.iter().copied()) {
                for now in &lives[0].asked {
                    let condition = condition(text, &schema(Scope::Member));
                    let found = seen.find(&Question { condition: &condition, now: *now });
                    let mut ids: Vec<MemberId> = seen.ids(&found.members).collect();
                    ids.sort();
                    prop_assert_eq!(&ids, &expected(&people, text, &zone, *now), "{} at {} in {}", text, now, zone.name());
                    prop_assert_eq!(found.members.len(), ids.len());
                }
            }
            for (n, known) in &people {
                let ordinal = population.ordinal(id(*n)).unwrap();
                let mut person = seen.person(ordinal).unwrap();
                let mut wanted = columns(*n, known);
                person.orders.sort_by_key(|order| format!("{order:?}"));
                wanted.orders.sort_by_key(|order| format!("{order:?}"));
                person.events.sort_by_key(|event| format!("{event:?}"));
                wanted.events.sort_by_key(|event| format!("{event:?}"));
                person.tags.sort();
                prop_assert_eq!(&person, &wanted);
            }
            if round == 0 {
                let again: Vec<Change> = (0..4)
                    .map(|n| {
                        let known = Known { id: id(n), ..somebody(&lives[n % lives.len()], n * 5) };
                        let change = Change::Put(Box::new(columns(n, &known)));
                        people.insert(n, known);
                        change
                    })
                    .collect();
                population.apply(&again).unwrap();
            }
        }
    }
}
