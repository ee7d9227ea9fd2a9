//! What members said of themselves is answered kind by kind as it is member by member: random words in random orders, of people
//! who come of age before, between, after and at them.

#![allow(clippy::unwrap_used, reason = "a test fails where it is wrong")]

#[path = "../../condition/tests/support/mod.rs"]
mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use support::{Person as Known, condition, schema};
use zhiyin_audience::{Budget, Change, Layout, Person, Population, Question};
use zhiyin_condition::{History, Scope, evaluate_history};
use zhiyin_model::consent::{ALL, Consents, Word};
use zhiyin_model::dependant::{Dependants, Told};
use zhiyin_model::id::{EventId, MemberId};
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{DAY_US, Day, Ts, Zone};

const CONDITIONS: [&str; 10] = [
    r#"consent("marketing", "sms")"#,
    r#"consent("marketing", "email")"#,
    r#"consent("marketing")"#,
    r#"consent("profiling")"#,
    r#"consent("service", "sms") && !consent("service", "wecom")"#,
    r#"(consent("marketing", "sms") ? 1 : 0) + (consent("profiling") ? 1 : 0) == 1"#,
    "dependants.exists(d, d.kind == \"child\")",
    "size(dependants.filter(d, d.gender == \"female\")) >= 1",
    "dependants.exists(d, days_since(d.birthday) < 20)",
    "dependants.exists(d, d.due_on != null) == consent(\"marketing\", \"sms\")",
];

/// The day in which most of it happens.
const TODAY: Day = Day(19_800);

/// Words: of what, by whom, when; the same instants again and again.
type Said = (usize, usize, usize, usize, i64);

fn known(n: usize, words: &[Said], told: &[(usize, i32, usize)], birthday: Option<&str>) -> Known {
    let mut known = Known { id: id(n), ..Known::stranger() };
    let mut consents = Consents::default();
    for (of, channel, how, version, at) in words {
        let purpose = ["marketing", "profiling", "service", ALL][*of];
        let channel = ["sms", "email", "wecom", ALL][*channel];
        let at = Ts(i64::from(TODAY.0) * DAY_US + at * 1_000_000);
        let guardian = (*how == 1).then(|| "g".to_owned());
        let word = Word {
            at,
            source: None,
            guardian,
            event: EventId::from_bytes([u8::try_from(n % 250).unwrap(); 16]),
        };
        match how {
            2 | 3 => consents.withdraw(purpose, channel, word),
            _ => consents.give(purpose, channel, ["", "1", "2"][*version], word),
        }
    }
    let mut dependants = Dependants::default();
    for (key, days, what) in told {
        let day = Some(TODAY.plus(*days));
        let told = match what {
            0 => Told { due_on: day, ..Told::default() },
            1 => Told { birthday: day, gender: Some("female".to_owned()), ..Told::default() },
            _ => Told { kind: Some("parent".to_owned()), birthday: day, ..Told::default() },
        };
        dependants.tell(["a", "b", "c"][*key], Ts(i64::try_from(n).unwrap()), told);
    }
    known.personal.consents = consents;
    known.personal.dependants = dependants;
    if let Some(birthday) = birthday {
        known.attributes.insert("birthday".to_owned(), Scalar::Text(birthday.to_owned()));
    }
    known
}

fn id(n: usize) -> MemberId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&(n as u64).to_be_bytes());
    MemberId::from_bytes(bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_said_is_answered_alike_of_all_who_said_it_alike(
        // Few ways of having said something, at instants of their own: what is told alike must be alike.
        ways in vec(vec((
            select(vec![0, 0, 0, 1, 2, 3]), 0..4usize, 0..4usize, select(vec![0, 1, 2, 2]),
            select(vec![-86_400, -60, 0, 60, 3_600]),
        ), 0..4), 1..4),
        people in vec((
            any::<Index>(),
            select(vec![-86_400, -60, 0, 0, 60, 50_000]),
            vec((0..3usize, -40..10i32, 0..3usize), 0..3),
            // Fourteen years before the day, the days around it, far from it, and no day.
            select(vec![None, Some("2010-03-18"), Some("2010-03-17"), Some("2010-03-19"), Some("1980-01-01"), Some("2020-02-02"), Some("03-18")]),
        ), 1..60),
    ) {
        let zone = Zone::utc();
        let layout = Layout { zone: zone.clone(), currency_exponent: 2, attributes: schema(Scope::Member).attributes };
        let population = Population::new(layout, Budget { threads: 1, ..Budget::default() });
        let people: Vec<Known> = people
            .iter()
            .enumerate()
            .map(|(n, (way, later, told, birthday))| {
                let said = way.get(&ways).iter().map(|(of, channel, how, version, at)| (*of, *channel, *how, *version, at + later));
                known(n, &said.collect::<Vec<Said>>(), told, *birthday)
            })
            .collect();
        let changes = people.iter().map(|known| {
            let mut person = Person::gone(known.id);
            person.attributes.clone_from(&known.attributes);
            person.consents = known.personal.consents.clone();
            person.dependants = known.personal.dependants.clone();
            Change::Put(Box::new(person))
        });
        population.apply(&changes.collect::<Vec<_>>()).unwrap();
        let seen = population.seen();
        for text in CONDITIONS {
            for at in [-1, 0, 1, 70_000] {
                let now = Ts(i64::from(TODAY.0) * DAY_US + at * 1_000_000);
                let condition = condition(text, &schema(Scope::Member));
                let found = seen.find(&Question { condition: &condition, now });
                let ids: Vec<MemberId> = seen.ids(&found.members).collect();
                let history = History { orders: &[], events: &[], zone: &zone, currency_exponent: 2 };
                let expected: Vec<MemberId> = people
                    .iter()
                    .filter(|known| evaluate_history(&condition, *known, &history, now).value)
                    .map(|known| known.id)
                    .collect();
                prop_assert_eq!(ids, expected, "{} at {}", text, at);
            }
        }
    }
}
