//! A population drawn at random, skewed like a real one, and questions asked of it.
#![allow(
    clippy::disallowed_methods,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use zhiyin_audience::{Budget, Layout, Person, Population, Question};
use zhiyin_condition::{AttributeType, Condition, ItemRow, OrderRow, Schema};
use zhiyin_model::id::MemberId;
use zhiyin_model::money::Money;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Day, Ts, Zone};

struct Draw(u64);
impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }
}

struct Words {
    cities: Vec<Scalar>,
    genders: [Scalar; 2],
    categories: Vec<Arc<str>>,
    products: Vec<Arc<str>>,
    stores: Vec<Arc<str>>,
    channels: Vec<Arc<str>>,
}

const TODAY: i32 = 20_000;

fn person(n: u64, words: &Words) -> Person {
    let mut draw = Draw(n ^ 0x5eed_0000_0000);
    let mut id = [0; 16];
    id[..8].copy_from_slice(&draw.next().to_be_bytes());
    id[8..].copy_from_slice(&n.to_be_bytes());
    let mut person = Person::gone(MemberId::from_bytes(id));
    let gender = &words.genders[usize::from(draw.below(10) < 3)];
    let city = draw.below(300).min(draw.below(300)) as usize;
    person.attributes = BTreeMap::from([
        ("gender".to_owned(), gender.clone()),
        ("city".to_owned(), words.cities[city].clone()),
        ("years".to_owned(), Scalar::Number((18 + draw.below(60)).into())),
    ]);
    person.points = draw.below(5000) as i64;
    person.enrolled_at = Some(Ts((i64::from(TODAY) - 1095) * 86_400_000_000));
    let n_orders = match draw.below(100) {
        0..50 => 3,
        50..80 => 10,
        80..95 => 20,
        _ => 40,
    };
    person.orders = (0..n_orders)
        .map(|_| {
            let day = i64::from(TODAY) - draw.below(1095) as i64;
            let time = Ts(day * 86_400_000_000 + draw.below(86_400) as i64 * 1_000_000);
            let category = draw.below(20).min(draw.below(20)) as usize;
            let paid = Money(500 + draw.below(20_000) as i64);
            let product = category * 100 + draw.below(100) as usize;
            OrderRow {
                time,
                paid,
                store: Some(words.stores[draw.below(2000) as usize].clone()),
                channel: Some(words.channels[draw.below(3) as usize].clone()),
                items: vec![ItemRow {
                    product: words.products[product].clone(),
                    category: Some(words.categories[category].clone()),
                    department: None,
                    quantity: (1 + draw.below(5)).into(),
                    paid,
                }],
            }
        })
        .collect();
    person
}

fn main() {
    let members: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let text = |texts: std::ops::Range<usize>, prefix: &str| -> Vec<Arc<str>> {
        texts.map(|n| format!("{prefix}{n:02}").into()).collect()
    };
    let words = Words {
        cities: (0..300).map(|n| Scalar::Text(format!("c{n:03}"))).collect(),
        genders: [Scalar::Text("f".into()), Scalar::Text("m".into())],
        categories: text(0..20, "k"),
        products: text(0..2000, "p"),
        stores: text(0..2000, "s"),
        channels: text(0..3, "ch"),
    };
    let attributes = BTreeMap::from([
        ("gender".to_owned(), AttributeType::Text),
        ("city".to_owned(), AttributeType::Text),
        ("years".to_owned(), AttributeType::Number),
    ]);
    let schema = Schema { attributes: attributes.clone(), ..Schema::default() };
    let layout = Layout { zone: Zone::named("Asia/Shanghai").unwrap(), currency_exponent: 2, attributes };
    let zone = layout.zone.clone();
    let population = Population::new(layout, Budget::default());
    let begun = Instant::now();
    population
        .load(members.div_ceil(65_536) as usize, |part| {
            let from = part as u64 * 65_536;
            (from..(from + 65_536).min(members)).map(|n| person(n, &words)).collect()
        })
        .unwrap();
    let seen = population.seen();
    println!("loaded {members} in {:.1} s, {} MB", begun.elapsed().as_secs_f64(), seen.bytes() / 1_000_000);
    for (column, bytes) in seen.bytes_by_column() {
        println!("  {column}: {:.1} bytes a member", bytes as f64 / members as f64);
    }
    let now = zone.end(Day(TODAY));
    let questions = [
        r#"attr.gender == "f" && attr.city == "c012" && attr.years >= 25"#,
        r#"attr.gender == "f" && attr.years >= 25 && attr.years < 40"#,
        r#"size(within(orders, "365d")) >= 4 && days_since(last(orders)) <= 120"#,
        r#"sum(within(items, "30d").filter(i, i.category == "k07").map(i, i.quantity)) >= 5"#,
        r#"attr.gender == "f" && size(within(orders, "365d")) >= 3 && sum(within(items, "180d").filter(i, i.category == "k03").map(i, i.paid)) > 100 && !within(items, "90d").exists(i, i.category == "k11") && days_since(last(orders)) <= 60"#,
        r#"size(within(orders, "90d").filter(o, clock(o) >= "19:30" || clock(o) < "00:30")) >= 3"#,
        r#"days_since(last(orders)) > 2 * median_gap(orders)"#,
        r#"last(orders).store == "s100""#,
        r#"sum(orders.map(o, o.paid)) > 3000"#,
    ];
    for text in questions {
        let condition = Condition::check(text, &schema).unwrap();
        let mut best = f64::MAX;
        let mut count = 0;
        let mut steps = Vec::new();
        for _ in 0..3 {
            let begun = Instant::now();
            let found = seen.find(&Question { condition: &condition, now });
            count = found.members.len();
            best = best.min(begun.elapsed().as_secs_f64() * 1000.0);
            steps = found.steps;
        }
        println!("{best:9.2} ms {count:9}  {text}");
        for step in steps {
            println!(
                "      {:>16} asked {:>9} held {:>9} rows {:>10} {:>8} µs  {}",
                step.by, step.asked, step.held, step.rows, step.took_us, step.text
            );
        }
    }
}
