//! What a test of two servers does with them, a step a call: makes the tables on each, sends members through one of them, asks
//! conditions and compares who is found with what the reference says.
//!
//! `clickhouse_wiring tables|load|ask CLUSTER URL…`. Prints what it did; where a server is in trouble, the trouble's name, and
//! leaves with 3.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "it fails where it is wrong, as a test does"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use zhiyin_audience::Person;
use zhiyin_audience::sql::{Asked, Dialect, Tables, Wanted, member_row, settings, statement};
use zhiyin_condition::{
    AttributeType, Condition, Facts, History, ItemRow, LeafStates, OrderRow, Schema, evaluate_history,
};
use zhiyin_model::consent::Consents;
use zhiyin_model::dependant::Dependants;
use zhiyin_model::id::MemberId;
use zhiyin_model::money::Money;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Day, Ts, Zone};
use zhiyin_reach::address::Target;
use zhiyin_reach::clickhouse::{Access, ClickHouse, Limits, Trouble};
use zhiyin_reach::client::Client;

const MEMBERS: u32 = 400;
/// 2024-03-01.
const TODAY: i32 = 19_783;

/// What every server of the old dialect can say.
const CONDITIONS: [&str; 8] = [
    "size(within(orders, \"30d\")) >= 2",
    "days_since(last(orders)) <= 20 && tier == \"gold\"",
    "orders.exists(o, o.store == \"S1\" && o.items.exists(i, i.category == \"snacks\"))",
    "within(items, \"365d\").exists(i, i.category == \"beauty\" && i.paid > 2)",
    "attr.vip || attr.city == \"上海\"",
    "last(orders).store == store",
    "\"sleeper\" in tags && !(points > 10)",
    "max(orders.map(o, o.paid)) >= 3.5",
];

/// A member as the evaluator asks for them.
struct Asker<'p>(&'p Person, LeafStates);

impl Facts for Asker<'_> {
    fn member_id(&self) -> MemberId {
        self.0.id
    }
    fn attribute(&self, name: &str) -> Option<&Scalar> {
        self.0.attributes.get(name)
    }
    fn has_tag(&self, tag: &str) -> bool {
        self.0.tags.iter().any(|known| known == tag)
    }
    fn tags(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.0.tags.iter().map(String::as_str))
    }
    fn tier(&self) -> Option<&str> {
        self.0.tier.as_deref()
    }
    fn lifecycle(&self) -> Option<&str> {
        self.0.lifecycle.as_deref()
    }
    fn store(&self) -> Option<&str> {
        self.0.store.as_deref()
    }
    fn points(&self) -> i64 {
        self.0.points
    }
    fn enrolled_at(&self) -> Option<Ts> {
        self.0.enrolled_at
    }
    fn leaves(&self) -> &LeafStates {
        &self.1
    }
    fn event(&self) -> Option<&zhiyin_condition::EventRow> {
        None
    }
    fn order(&self) -> Option<&OrderRow> {
        None
    }
}

fn schema() -> Schema {
    let attributes = [("vip", AttributeType::Bool), ("city", AttributeType::Text)];
    Schema {
        attributes: attributes.into_iter().map(|(name, of)| (name.to_owned(), of)).collect(),
        tags: BTreeSet::from(["sleeper".to_owned()]),
        tiers: ["silver", "gold"].map(str::to_owned).to_vec(),
        ..Schema::default()
    }
}

fn tables(cluster: &str) -> Tables {
    Tables {
        dialect: Dialect::Old,
        database: "zhiyin".to_owned(),
        cluster: Some(cluster.to_owned()),
        zone: Zone::named("Asia/Shanghai").unwrap(),
        currency_exponent: 2,
        attributes: schema().attributes,
        without: BTreeSet::new(),
    }
}

/// The member of a number: all that there is of them follows from it. `version` 1 is somebody else, who is then replaced.
fn member(number: u32, version: u64, zone: &Zone) -> Person {
    let mut mixed = u64::from(number)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(version.wrapping_mul(0x1234_5678_9abc));
    let mut next = |end: u64| {
        mixed ^= mixed >> 27;
        mixed = mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^= mixed >> 31;
        mixed % end
    };
    let mut id = [0u8; 16];
    id[12..].copy_from_slice(&number.to_be_bytes());
    let mut attributes = BTreeMap::new();
    if next(3) > 0 {
        attributes.insert("vip".to_owned(), Scalar::Bool(next(4) == 0));
    }
    if next(3) > 0 {
        let city = if next(5) == 0 { "上海" } else { "O'Neill\\" };
        attributes.insert("city".to_owned(), Scalar::Text(city.to_owned()));
    }
    let orders = (0..next(6))
        .map(|_| {
            let days = i32::try_from(next(60)).unwrap();
            let items = (0..next(3))
                .map(|_| ItemRow {
                    product: "p".into(),
                    category: [None, Some("snacks"), Some("beauty")][next(3) as usize].map(Into::into),
                    department: None,
                    quantity: 1.into(),
                    paid: Money(next(400).cast_signed()),
                })
                .collect();
            OrderRow {
                time: zone.start(Day(TODAY - days)).plus_us(next(80_000_000_000).cast_signed()),
                paid: Money(next(500).cast_signed()),
                store: [None, Some("S1"), Some("S2")][next(3) as usize].map(Into::into),
                channel: None,
                items,
            }
        })
        .collect();
    Person {
        id: MemberId::from_bytes(id),
        attributes,
        lists: Vec::new(),
        standing: Vec::new(),
        tags: if next(3) == 0 { vec!["sleeper".to_owned()] } else { Vec::new() },
        tier: [None, Some("silver"), Some("gold")][next(3) as usize].map(str::to_owned),
        lifecycle: None,
        store: [None, Some("S1"), Some("S2")][next(3) as usize].map(str::to_owned),
        points: next(30).cast_signed(),
        enrolled_at: None,
        consents: Consents::default(),
        dependants: Dependants::default(),
        orders,
        events: Vec::new(),
    }
}

fn server(url: &str) -> ClickHouse {
    let access = Access { user: "default".to_owned(), password: String::new() };
    let limits = Limits {
        whole: Duration::from_secs(30),
        attempts: 2,
        pause: Duration::from_millis(20),
        ..Limits::default()
    };
    ClickHouse::at(Client::new(), Target::parse(url, true).unwrap(), access, settings(Dialect::Old), limits)
}

async fn make(servers: &[ClickHouse], tables: &Tables) -> Result<(), Trouble> {
    for server in servers {
        let version = server.ask(&tables.version_asked()).await;
        assert!(matches!(version, Err(Trouble::TablesMissing(_))), "a new server has no tables: {version:?}");
        // Twice, as after a restart.
        server.tell(&tables.migrations(None).unwrap()).await?;
        let version = String::from_utf8(server.ask(&tables.version_asked()).await?).unwrap();
        server.tell(&tables.migrations(version.trim().parse().ok()).unwrap()).await?;
    }
    println!("tables made on {} servers", servers.len());
    Ok(())
}

async fn load(first: &ClickHouse, tables: &Tables) -> Result<(), Trouble> {
    for version in [1, 2] {
        let lines = (0..MEMBERS).map(|number| {
            let person = member(number, version, &tables.zone);
            member_row(&person, tables, version)
        });
        let n_sent = first.send(&tables.insertion(), lines).await?;
        println!("{n_sent} members sent, version {version}");
    }
    first.tell(&[tables.position_kept("audience", 2, &tables.fingerprint())]).await?;
    let kept = String::from_utf8(first.ask(&tables.position_asked("audience")).await?).unwrap();
    assert_eq!(kept.trim_end(), format!("2\t{}", tables.fingerprint()));
    Ok(())
}

async fn ask(servers: &[ClickHouse], tables: &Tables) -> Result<(), Trouble> {
    let asked = Asked { now: tables.zone.start(Day(TODAY)).plus_us(3_600_000_000), rows_until: None };
    let members: Vec<Person> = (0..MEMBERS).map(|number| member(number, 2, &tables.zone)).collect();
    let mut n_found = 0;
    for text in CONDITIONS {
        let condition =
            Condition::check(text, &schema()).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
        let expected: String = members
            .iter()
            .filter(|person| {
                let history = History {
                    orders: &person.orders,
                    events: &person.events,
                    zone: &tables.zone,
                    currency_exponent: 2,
                };
                evaluate_history(&condition, &Asker(person, LeafStates::default()), &history, asked.now).value
            })
            .map(|person| format!("{}\n", person.id))
            .collect();
        let said = |wanted| {
            statement(&condition, tables, asked, wanted).unwrap_or_else(|refused| panic!("{refused}"))
        };
        // Whichever server is asked.
        for server in servers {
            let found = String::from_utf8(server.ask(&said(Wanted::Members)).await?).unwrap();
            assert_eq!(found, expected, "{text}");
            let count = String::from_utf8(server.ask(&said(Wanted::Count)).await?).unwrap();
            assert_eq!(count.trim(), expected.lines().count().to_string(), "{text}");
        }
        n_found += expected.lines().count();
    }
    for server in servers {
        let own = format!("SELECT count() FROM {} FINAL FORMAT TabSeparated", tables.own_table());
        let own: u32 = String::from_utf8(server.ask(&own).await?).unwrap().trim().parse().unwrap();
        assert!(own > MEMBERS / 4 && own < MEMBERS * 3 / 4, "each holds a part: {own}");
    }
    println!("{} conditions agree, {n_found} members found", CONDITIONS.len());
    Ok(())
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [step, cluster, urls @ ..] = arguments.as_slice() else {
        panic!("clickhouse_wiring STEP CLUSTER URL…")
    };
    let (tables, servers) = (tables(cluster), urls.iter().map(|url| server(url)).collect::<Vec<_>>());
    let done = match step.as_str() {
        "tables" => make(&servers, &tables).await,
        "load" => load(&servers[0], &tables).await,
        "ask" => ask(&servers, &tables).await,
        other => panic!("there is no step {other}"),
    };
    if let Err(trouble) = done {
        println!("{}: {trouble}", trouble.code());
        std::process::exit(3);
    }
}
