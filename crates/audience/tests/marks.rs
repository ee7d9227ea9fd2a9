//! Who is on lists and in standing audiences, and how many: reckoned along with every change, whatever becomes of blocks.

#![allow(clippy::unwrap_used, reason = "a test fails where it is wrong")]

use std::collections::BTreeMap;

use zhiyin_audience::snapshot::Stamp;
use zhiyin_audience::{Budget, Change, Layout, Mark, Person, Population};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Zone;

const MARKS: [Mark<'static>; 4] =
    [Mark::List("press"), Mark::Standing("press"), Mark::Standing("evening"), Mark::List("nobody")];

fn layout() -> Layout {
    Layout { zone: Zone::named("UTC").unwrap(), currency_exponent: 2, attributes: BTreeMap::new() }
}

/// Somebody as they are at a time: on the list, in either audience, or not.
fn somebody(n: u32, time: u32) -> Person {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
    let is = |of: u32| (n.wrapping_mul(7).wrapping_add(time.wrapping_mul(13)) / of).is_multiple_of(of);
    let texts = |texts: &[(&str, bool)]| -> Vec<String> {
        texts.iter().filter(|(_, is)| *is).map(|(text, _)| (*text).to_owned()).collect()
    };
    Person {
        tags: texts(&[("press", is(2))]),
        lists: texts(&[("press", is(3))]),
        standing: texts(&[("evening", is(5)), ("press", is(4))]),
        ..Person::gone(MemberId::from_bytes(id))
    }
}

fn agree(population: &Population, people: &BTreeMap<u32, Person>, when: &str) {
    let seen = population.seen();
    for mark in MARKS {
        let bears = |person: &&Person| match mark {
            Mark::List(name) => person.lists.iter().any(|held| held == name),
            Mark::Standing(name) => person.standing.iter().any(|held| held == name),
        };
        let expected = people.values().filter(bears).count() as u64;
        assert_eq!(population.marked(mark), expected, "{mark:?} {when}");
        assert_eq!(seen.marked(mark).len() as u64, expected, "{mark:?} {when}");
    }
    for person in people.values() {
        let known = seen.person(population.ordinal(person.id).unwrap()).unwrap();
        assert_eq!(known, *person, "{when}");
    }
}

#[test]
fn marks_are_counted_as_they_change() {
    let population = Population::new(layout(), Budget::default());
    let mut people = BTreeMap::new();
    let folder = std::env::temp_dir().join(format!("zhiyin-marks-{}", std::process::id()));
    for time in 0..30u32 {
        let changes = (0..400).map(|k| (time * 131 + k * 17) % 2_000).map(|n| {
            if (n + time).is_multiple_of(19) {
                let person = people.remove(&n).unwrap_or_else(|| somebody(n, time));
                return Change::Gone(person.id);
            }
            let person = somebody(n, time);
            people.insert(n, person.clone());
            Change::Put(Box::new(person))
        });
        population.apply(&changes.collect::<Vec<_>>()).unwrap();
        if time % 9 == 8 {
            population.fold();
        }
        agree(&population, &people, &format!("at {time}"));
    }
    population.fold();
    population
        .save(&folder, Stamp { of: "test".to_owned(), position: (0, 0), mark: "m".to_owned() })
        .unwrap();
    let (opened, _) = Population::open(&folder, layout(), Budget::default(), "test").unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    agree(&opened, &people, "opened");
    opened.apply(&[Change::Put(Box::new(somebody(7, 99)))]).unwrap();
    people.insert(7, somebody(7, 99));
    agree(&opened, &people, "opened and changed");
}
