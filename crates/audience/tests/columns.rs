//! Columns by themselves: members enough that values have lists and bits, conditions of attributes, tags, tiers and points, each
//! answered as the evaluator for one member does; with changes lying over the base, people gone, values that nobody has or that
//! are not known, sets within which is asked, and a last word that is not full.

#![allow(clippy::unwrap_used, reason = "a test fails where it is wrong")]

#[path = "../../condition/tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use support::Person as Known;
use zhiyin_audience::{Budget, Change, Layout, MemberSet, Person, Population, Question, Seen};
use zhiyin_condition::{AttributeType, Condition, History, Schema, evaluate_history};
use zhiyin_model::id::MemberId;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Ts, Zone};

/// A member's number, and what is known of them: nothing where they are gone.
type People = BTreeMap<u64, Known>;

fn chance(at: u64) -> u64 {
    let mut z = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn id(n: u64) -> MemberId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    MemberId::from_bytes(bytes)
}

/// How many points there are at most: columns of them are as wide as that takes.
const POINTS: [u64; 4] = [200, 5_000, 1 << 30, 1 << 62];

/// Somebody, as of a version of all.
fn somebody(n: u64, version: u64) -> Known {
    let draw = |of: u64, most: u64| chance(chance(n * 16 + of) ^ version) % most;
    let mut known = Known { id: id(n), ..Known::stranger() };
    let mut say = |name: &str, value: Scalar| drop(known.attributes.insert(name.to_owned(), value));
    let text = |text: String| Scalar::Text(text);
    match draw(0, 10) {
        0 => {}
        1..4 => say("flag", text("f".to_owned())),
        _ => say("flag", text("m".to_owned())),
    }
    // Some are far commoner than others, and of some there are few enough for a list.
    if draw(1, 20) > 0 {
        say("city", text(format!("c{:03}", draw(2, 300).min(draw(3, 300)))));
    }
    say("years", Scalar::Number((18 + draw(4, 60)).into()));
    if draw(5, 3) > 0 {
        say("shade", text(format!("s{:02}", draw(6, 30))));
    }
    say("code", Scalar::Number(draw(7, 3_000).into()));
    say("word", text(format!("w{:04}", draw(8, 2_000))));
    if draw(9, 1_000) == 0 {
        say("rare", text("r".to_owned()));
    }
    say("same", Scalar::Bool(true));
    if draw(10, 5) > 0 {
        known.tags.insert("vip".to_owned());
    }
    if draw(11, 70) == 0 {
        known.tags.insert("new".to_owned());
    }
    known.tier = [None, Some("silver"), Some("gold")][draw(12, 3) as usize].map(str::to_owned);
    known.points = draw(13, POINTS[version as usize % POINTS.len()]) as i64 - 3;
    known
}

fn columns(known: &Known) -> Person {
    let mut person = Person::gone(known.id);
    person.attributes.clone_from(&known.attributes);
    person.tags = known.tags.iter().cloned().collect();
    person.tier.clone_from(&known.tier);
    person.points = known.points;
    person
}

fn attributes() -> BTreeMap<String, AttributeType> {
    let text = ["flag", "city", "shade", "word", "rare", "never"].map(|name| (name, AttributeType::Text));
    let number = ["years", "code"].map(|name| (name, AttributeType::Number));
    let all = text.into_iter().chain(number).chain([("same", AttributeType::Bool)]);
    all.map(|(name, of)| (name.to_owned(), of)).collect()
}

const LEAVES: [&str; 44] = [
    r#"attr.flag == "f""#,
    r#"attr.flag == "m""#,
    r#"attr.flag != "f""#,
    r#"attr.flag == null"#,
    r#"attr.flag == "unknown""#,
    r#"attr.flag in ["f", "m"]"#,
    r#"attr.city == "c001""#,
    r#"attr.city == "c012""#,
    r#"attr.city == "c290""#,
    r#"attr.city == "c012""#,
    r#"attr.city != "c012""#,
    r#"attr.city == null"#,
    r#"attr.city != null"#,
    r#"attr.city in ["c001", "c040", "c120", "c299"]"#,
    r#"attr.city in ["c002", "c003", "unknown"]"#,
    r#"attr.city.startsWith("c1")"#,
    r#"attr.years >= 25"#,
    r#"attr.years >= 70"#,
    r#"attr.years in [20, 30, 40, 50]"#,
    r#"attr.years == 33"#,
    r#"attr.years != 33"#,
    r#"attr.years < 1000"#,
    r#"attr.years > 1000"#,
    r#"attr.shade == "s07""#,
    r#"attr.shade != "s07""#,
    r#"attr.shade in ["s01", "s05", "s29"]"#,
    r#"attr.shade == null || attr.shade == "s02""#,
    r#"attr.code >= 1500"#,
    r#"attr.code == 7"#,
    r#"attr.word == "w0012""#,
    r#"attr.word in ["w0001", "w0700", "w1999"]"#,
    r#"attr.rare == "r""#,
    r#"attr.rare != "r""#,
    r#"attr.never == null"#,
    r#"attr.never == "x""#,
    r#"attr.same == true"#,
    r#"points >= 2500"#,
    r#"points < 100"#,
    r#"points == 12"#,
    r#""vip" in tags"#,
    r#""new" in tags"#,
    r#""nobody" in tags"#,
    r#"tier == "gold""#,
    r#"tier == null"#,
];

fn leaf() -> impl Strategy<Value = String> {
    let one = || select(&LEAVES[..]);
    prop_oneof![
        6 => one().prop_map(|leaf| format!("({leaf})")),
        1 => one().prop_map(|leaf| format!("!({leaf})")),
        1 => (one(), one()).prop_map(|(a, b)| format!("({a} || {b})")),
        1 => (one(), one()).prop_map(|(a, b)| format!("!({a} && {b})")),
    ]
}

fn conditions() -> impl Strategy<Value = String> {
    let joined = |all: Vec<String>, any: u8| all.join(if any == 0 { " || " } else { " && " });
    (vec(leaf(), 1..5), 0u8..6).prop_map(move |(all, any)| joined(all, any))
}

struct Home {
    population: Population,
    people: People,
    schema: Schema,
    zone: Zone,
}

impl Home {
    fn of(members: u64, version: u64) -> Self {
        let tiers = ["silver", "gold"].map(str::to_owned).to_vec();
        let tags = ["vip", "new", "nobody"].map(str::to_owned).into();
        let schema = Schema { attributes: attributes(), tags, tiers, ..Schema::default() };
        let zone = Zone::utc();
        let layout = Layout { zone: zone.clone(), currency_exponent: 2, attributes: attributes() };
        let population = Population::new(layout, Budget { threads: 2, ..Budget::default() });
        let people: People = (0..members).map(|n| (n, somebody(n, version))).collect();
        let part = |part: usize| {
            let from = part as u64 * 65_536;
            people.range(from..from + 65_536).map(|(_, known)| columns(known)).collect()
        };
        population.load(usize::try_from(members.div_ceil(65_536)).unwrap(), part).unwrap();
        Self { population, people, schema, zone }
    }

    /// So many others become of somebody, are gone, or are new.
    fn change(&mut self, changes: u64, (members, version): (u64, u64)) {
        let changes: Vec<Change> = (0..changes)
            .map(|k| {
                let n = chance(k ^ version << 32) % (members + members / 50);
                if k % 9 == 4 {
                    self.people.remove(&n);
                    return Change::Gone(id(n));
                }
                let known = somebody(n, version);
                let change = Change::Put(Box::new(columns(&known)));
                self.people.insert(n, known);
                change
            })
            .collect();
        self.population.apply(&changes).unwrap();
    }

    fn expected(&self, condition: &Condition, now: Ts) -> Vec<MemberId> {
        let history = History { orders: &[], events: &[], zone: &self.zone, currency_exponent: 2 };
        let holds = |known: &&Known| evaluate_history(condition, *known, &history, now).value;
        self.people.values().filter(holds).map(|known| known.id).collect()
    }

    fn agrees(&self, texts: &[String]) -> Result<(), TestCaseError> {
        let (seen, now) = (self.population.seen(), Ts(1_700_000_000_000_000));
        let n = self.people.len();
        prop_assert_eq!(seen.everyone().len(), n);
        let part = MemberSet::of(
            (0..seen.ordinals()).filter(|ordinal| chance(u64::from(*ordinal)).is_multiple_of(3)),
        );
        let is_of_part = |id: &MemberId| part.contains(self.population.ordinal(*id).unwrap());
        for text in texts {
            let condition = Condition::check(text, &self.schema).unwrap();
            let question = Question { condition: &condition, now };
            let mut expected = self.expected(&condition, now);
            let found = seen.find(&question);
            prop_assert_eq!(&ids(&seen, &found.members), &expected, "{}", text);
            for step in &found.steps {
                prop_assert!(step.held <= step.asked && step.asked <= n as u64, "{}: {:?}", text, step);
            }
            // A test that is all of a condition is asked of everybody once.
            if let [only] = &found.steps[..] {
                prop_assert_eq!(only.asked, n as u64, "{}", text);
            }
            expected.retain(is_of_part);
            let found = seen.find_within(&question, Some(&part));
            prop_assert_eq!(&ids(&seen, &found.members), &expected, "{} within a set", text);
        }
        self.tallies(&seen)
    }

    /// Breakdowns count whoever is told of by a newer block there and nowhere else.
    fn tallies(&self, seen: &Seen) -> Result<(), TestCaseError> {
        let everyone = seen.everyone();
        for name in ["flag", "city", "years", "rare", "never"] {
            let mut counts: BTreeMap<Option<Scalar>, u64> = BTreeMap::new();
            for known in self.people.values() {
                *counts.entry(known.attributes.get(name).cloned()).or_default() += 1;
            }
            let found: BTreeMap<Option<Scalar>, u64> =
                seen.tally_attribute(name, &everyone).into_iter().collect();
            prop_assert_eq!(found, counts, "{}", name);
        }
        let vip = self.people.values().filter(|known| known.tags.contains("vip")).count() as u64;
        let (tags, _) = seen.tally_tags(&everyone);
        prop_assert!(tags.contains(&("vip".to_owned(), vip)), "{:?}, not {}", tags, vip);
        Ok(())
    }
}

fn ids(seen: &Seen, set: &MemberSet) -> Vec<MemberId> {
    let mut ids: Vec<MemberId> = seen.ids(set).collect();
    ids.sort_unstable();
    ids
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn columns_answer_as_each_member_does(
        members in prop_oneof![4 => 4_200u64..9_000, 2 => 0u64..200, 1 => 65_536u64..66_500],
        versions in (0u64..1_000, 1_000u64..2_000, 2_000u64..3_000),
        texts in vec(conditions(), 6),
        again in vec(conditions(), 6),
    ) {
        let members = members.max(1);
        let mut home = Home::of(members, versions.0);
        home.agrees(&texts)?;
        home.change(members / 10 + 3, (members, versions.1));
        home.agrees(&texts)?;
        // A second block over the first, with people of both.
        home.change(members / 60 + 1, (members, versions.2));
        home.agrees(&again)?;
        home.population.fold();
        home.agrees(&again)?;
    }
}
