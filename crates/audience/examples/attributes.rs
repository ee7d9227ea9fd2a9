//! What questions of attributes alone cost a member, one thread, in processor time: printed, nothing is asserted.
//!
//! `cargo run --release -p zhiyin-audience --example attributes -- [MEMBERS] [CHANGED] [QUESTION]`

#![allow(clippy::unwrap_used, reason = "it ends where it is wrong")]
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::BTreeMap;

use zhiyin_audience::{Budget, Change, Layout, Person, Population, Question};
use zhiyin_condition::{AttributeType, Condition, Schema};
use zhiyin_model::id::MemberId;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Ts, Zone};

const PART: u64 = 65_536;
const QUESTIONS: [&str; 9] = [
    r#"attr.gender == "f" && attr.city == "c012" && attr.years >= 25"#,
    r#"attr.gender == "f" && attr.years >= 40"#,
    r#"attr.gender == "f" && attr.city in ["c001", "c040", "c120", "c299"] && attr.years >= 25"#,
    r#"attr.city != "c012" && points >= 2500"#,
    r#"attr.gender == "m" && points >= 4900"#,
    r#"attr.years in [20, 30, 40, 50] && attr.gender == "f""#,
    r#"attr.city.startsWith("c1") && attr.years >= 25 && points < 1000"#,
    r#"attr.gender == "f" || attr.city == "c012""#,
    r#"attr.city == "c012""#,
];

fn chance(at: u64) -> u64 {
    let mut z = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn somebody(n: u64, version: u64) -> Person {
    let draw = |of: u64, most: u64| chance(chance(n * 8 + of) ^ version) % most;
    let mut id = [0; 16];
    id[..8].copy_from_slice(&chance(n).to_be_bytes());
    let mut person = Person::gone(MemberId::from_bytes(id));
    let gender = if draw(0, 10) >= 3 { "m" } else { "f" };
    let city = draw(1, 300).min(draw(2, 300));
    person.attributes = BTreeMap::from([
        ("gender".to_owned(), Scalar::Text(gender.to_owned())),
        ("city".to_owned(), Scalar::Text(format!("c{city:03}"))),
        ("years".to_owned(), Scalar::Number((18 + draw(3, 60)).into())),
    ]);
    person.points = i64::try_from(draw(4, 5_000)).unwrap();
    person
}

/// Nanoseconds of processor time of this thread.
fn spent() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().unwrap());
    let (members, changed) = (arguments.next().unwrap_or(1_000_000), arguments.next().unwrap_or(0));
    let attributes = BTreeMap::from([
        ("gender".to_owned(), AttributeType::Text),
        ("city".to_owned(), AttributeType::Text),
        ("years".to_owned(), AttributeType::Number),
    ]);
    let layout = Layout { zone: Zone::utc(), currency_exponent: 2, attributes: attributes.clone() };
    let schema = Schema { attributes, ..Schema::default() };
    let population = Population::new(layout, Budget { threads: 1, ..Budget::default() });
    population
        .load(usize::try_from(members.div_ceil(PART)).unwrap(), |part| {
            let from = part as u64 * PART;
            (from..members.min(from + PART)).map(|n| somebody(n, 0)).collect()
        })
        .unwrap();
    for batch in 0..changed.div_ceil(5_000) {
        let these = batch * 5_000..changed.min((batch + 1) * 5_000);
        let put = |k: u64| Change::Put(Box::new(somebody(chance(k) % members, batch + 1)));
        population.apply(&these.map(put).collect::<Vec<_>>()).unwrap();
    }
    let seen = population.seen();
    println!("{members} members, {changed} changes, {} blocks over the base", seen.changes());
    let only = arguments.next();
    for (number, text) in QUESTIONS.iter().enumerate() {
        if only.is_some_and(|only| only != number as u64) {
            continue;
        }
        let (mut least, mut found) = (u64::MAX, 0);
        for _ in 0..5 {
            let times = if only.is_some() { 4_000 } else { 200 };
            let before = spent();
            for _ in 0..times {
                let condition = Condition::check(text, &schema).unwrap();
                found = seen.find(&Question { condition: &condition, now: Ts(0) }).members.len();
            }
            least = least.min((spent() - before) / times);
        }
        println!("{:>8}.{} µs {found:>9} {text}", least / 1_000, least % 1_000 / 100);
    }
}
