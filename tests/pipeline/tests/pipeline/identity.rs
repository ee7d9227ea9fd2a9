//! What holds of who is whom, whatever comes in which order: merges in any order, in circles, at once from two processes;
//! what names nobody, what is malformed, what is given up; and whose word counts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use zhiyin_engine::accept::{Source, Ties, Verdict};
use zhiyin_engine::people::Found;
use zhiyin_model::effect::Asset;
use zhiyin_model::event::Identifier;
use zhiyin_model::playbook::Identity;
use zhiyin_model::role::{Grant, Operation, Role};
use zhiyin_model::time::{DAY_US, HOUR_US, Ts};
use zhiyin_store::settle::Reason;

use crate::home::{Home, at, source};
use crate::identity_cases::{home, item, people};

const NOON: &str = "2017-03-01T04:00:00Z";

/// Draws that a seed decides.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

fn trusted() -> Source {
    Source { ties: Ties::Merge, ..source("crm", true) }
}

fn bytes(items: &[Value]) -> Vec<Vec<u8>> {
    items.iter().map(|item| item.to_string().into_bytes()).collect()
}

async fn told(home: &Home, source: &Source, items: &[Value]) {
    let verdicts = home.engine().accept(source, &bytes(items), None).await.unwrap();
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "{verdicts:?}");
}

async fn points(home: &Home, name: &str) -> i64 {
    match home.engine().find(name).await.unwrap() {
        Found::One(member) => {
            home.engine().whole(member).await.unwrap().member.account(Asset::Points).balance()
        }
        other => panic!("{name} is {other:?}"),
    }
}

const NAMES: usize = 12;

/// Purchases of so many, each under a name of its own, and which of them are shown to be one: circles included.
struct Town {
    bought: Vec<(String, i64)>,
    pairs: Vec<(usize, usize)>,
}

fn town(chance: &mut Chance) -> Town {
    let bought = (0..NAMES).map(|n| (format!("tmall:t{n}"), 1 + chance.below(500) as i64)).collect();
    let mut pairs: Vec<(usize, usize)> =
        (0..10).map(|_| (chance.below(NAMES), chance.below(NAMES))).collect();
    // One circle at least.
    pairs.extend([(0, 1), (1, 2), (2, 0)]);
    pairs.retain(|(one, other)| one != other);
    Town { bought, pairs }
}

impl Town {
    /// Who is one person: the names of each, and what they bought.
    fn one(&self) -> BTreeMap<String, i64> {
        let mut of: Vec<usize> = (0..NAMES).collect();
        for (one, other) in &self.pairs {
            let (to, from) = (of[*one], of[*other]);
            of.iter_mut().filter(|of| **of == from).for_each(|of| *of = to);
        }
        let mut people: BTreeMap<usize, (BTreeSet<&str>, i64)> = BTreeMap::new();
        for (n, (name, amount)) in self.bought.iter().enumerate() {
            let person = people.entry(of[n]).or_default();
            person.0.insert(name);
            person.1 += amount;
        }
        let text = |(names, amount): (BTreeSet<&str>, i64)| {
            (names.into_iter().collect::<Vec<_>>().join(" "), amount)
        };
        people.into_values().map(text).collect()
    }

    fn items(&self) -> (Vec<Value>, Vec<Value>) {
        let time = |n: usize| at(NOON).plus_us(n as i64 * HOUR_US / 60);
        let order = |(n, (name, amount)): (usize, &(String, i64))| {
            let properties = json!({"order_id": format!("o{n}"), "total": amount.to_string()});
            item(&format!("o{n}"), name, time(n), "Order Completed", properties)
        };
        let pair = |(n, (one, other)): (usize, &(usize, usize))| {
            let names = format!("tmall:t{one} tmall:t{other}");
            item(&format!("p{n}"), &names, time(100 + n), "Scan", json!({}))
        };
        (
            self.bought.iter().enumerate().map(order).collect(),
            self.pairs.iter().enumerate().map(pair).collect(),
        )
    }

    async fn check(&self, home: &Home, what: &str) {
        let said = self.bought.iter().map(|(name, _)| name.clone()).collect();
        let expected = self.one();
        assert_eq!(people(home, &said).await, expected.keys().cloned().collect(), "{what}");
        for (names, amount) in expected {
            for name in names.split(' ') {
                assert_eq!(points(home, name).await, amount, "{what}: {name}");
            }
        }
        home.healthy().await;
    }
}

const MANY: &str = "tmall: { limit: 100 }";

#[tokio::test]
async fn merges_in_any_order_and_in_circles_give_the_same_people_and_balances() {
    for seed in [3, 17, 99] {
        let mut chance = Chance(seed);
        let town = town(&mut chance);
        let (orders, mut pairs) = town.items();
        for at_once in [1, 3, 64] {
            let home = home(MANY).await;
            // Some buy before they are one, some after.
            let (before, after) = orders.split_at(NAMES / 2);
            told(&home, &trusted(), before).await;
            chance.shuffle(&mut pairs);
            for pairs in pairs.chunks(at_once) {
                told(&home, &trusted(), pairs).await;
                home.engine().drain(at_once, Some(Ts::MIN), |_| ()).await.unwrap();
            }
            told(&home, &trusted(), after).await;
            // Who was nobody yet when it was said is who was named with them: said again, it is news.
            let again = pairs.iter().map(|pair| {
                let mut pair = pair.clone();
                pair["messageId"] = json!(format!("{}-again", pair["messageId"].as_str().unwrap()));
                pair
            });
            told(&home, &trusted(), &again.collect::<Vec<_>>()).await;
            home.settle().await;
            assert_eq!(home.refusals().await, Vec::<String>::new());
            town.check(&home, &format!("seed {seed}, {at_once} at once")).await;
        }
    }
}

#[tokio::test]
async fn merges_from_two_processes_at_once_give_the_same_people_and_balances() {
    for seed in [5, 23] {
        let mut chance = Chance(seed);
        let town = town(&mut chance);
        let (orders, pairs) = town.items();
        let home = home(MANY).await;
        told(&home, &trusted(), &orders).await;
        let other = home.second_engine().await;
        let (mine, theirs) = pairs.split_at(pairs.len() / 2);
        let (mine, theirs) = (bytes(mine), bytes(theirs));
        let source = trusted();
        let one_by_one = async |engine: &zhiyin_engine::Engine, items: &[Vec<u8>]| {
            for item in items {
                let verdicts = engine.accept(&source, std::slice::from_ref(item), None).await.unwrap();
                assert_eq!(verdicts, [Verdict::Accepted]);
            }
        };
        tokio::join!(one_by_one(home.engine(), &mine), one_by_one(&other, &theirs));
        home.settle().await;
        assert_eq!(home.refusals().await, Vec::<String>::new());
        town.check(&home, &format!("seed {seed}")).await;
    }
}

#[tokio::test]
async fn who_ended_is_who_they_are_for_tier_tags_and_whatever_comes_late() {
    let home = home("").await;
    let order = |id: &str, name: &str, when: Ts, total: &str| {
        item(id, name, when, "Order Completed", json!({"order_id": id, "total": total}))
    };
    told(
        &home,
        &trusted(),
        &[order("o1", "user:u1", at(NOON), "200"), order("o2", "card:c1", at(NOON), "150")],
    )
    .await;
    let later = at(NOON).plus_us(DAY_US);
    told(&home, &trusted(), &[item("m", "user:u1 card:c1", later, "Scan", json!({}))]).await;
    // It happened before the merge and is heard of after it.
    told(&home, &source("till", true), &[order("o3", "card:c1", at(NOON).plus_us(HOUR_US), "50")]).await;
    home.settle().await;
    assert_eq!(home.refusals().await, Vec::<String>::new());
    assert_eq!((points(&home, "card:c1").await, points(&home, "user:u1").await), (400, 400));
    let Found::One(member) = home.engine().find("card:c1").await.unwrap() else { panic!() };
    let whole = home.engine().whole(member).await.unwrap();
    assert_eq!(whole.orders.0, 3);
    assert_eq!(whole.member.term.unwrap().level, "silver", "judged by what both bought");
    // Only who they are is listed.
    assert_eq!(home.engine().store().overview(overview()).await.unwrap().members.0, 1);
    home.healthy().await;
}

fn overview() -> zhiyin_store::read::OverviewAsk {
    zhiyin_store::read::OverviewAsk { flow_from: Ts(0), now: at("2018-01-01T00:00:00Z"), zone_offset_us: 0 }
}

/// Items of anybody about a few who share much: what comes of them, however they are grouped.
#[tokio::test]
async fn what_is_given_up_does_not_depend_on_how_items_are_grouped() {
    const KINDS: [(&str, usize); 9] = [
        ("user", 6),
        ("card", 6),
        ("unionid", 4),
        ("openid:wxA", 5),
        ("tmall", 9),
        ("email", 9),
        ("device", 3),
        ("anonymous", 9),
        ("pending_id", 4),
    ];
    let said = "email: { limit: 2 weekly }, device: { limit: 2 }, tmall: { limit: 3 monthly }";
    for seed in [1, 8, 64] {
        let mut chance = Chance(seed + 1);
        let mut time = at(NOON);
        let items: Vec<(bool, Value)> = (0..120)
            .map(|n| {
                time = time.plus_us(chance.below(48) as i64 * HOUR_US);
                let mut names: Vec<String> = Vec::new();
                for _ in 0..=chance.below(4) {
                    let (kind, many) = KINDS[chance.below(KINDS.len())];
                    let name = chance.below(many);
                    names.push(match kind {
                        "email" => format!("email:e{name}@example.com"),
                        _ => format!("{kind}:{kind}{name}"),
                    });
                }
                let properties = json!({"order_id": format!("o{n}"), "total": "10"});
                let item = item(
                    &format!("i{n}"),
                    &names.join(" ").replace("wxA:openid:wxA", "wxA:o"),
                    time,
                    "Order Completed",
                    properties,
                );
                (chance.below(3) == 0, item)
            })
            .collect();
        let mut seen = Vec::new();
        for at_once in [1, 4, 120] {
            let home = home(said).await;
            // Each append is of one source, and what is trusted comes of another.
            let mut waiting: Vec<Value> = Vec::new();
            let mut of = false;
            for (n, (is_trusted, item)) in items.iter().enumerate() {
                if (*is_trusted != of || waiting.len() == at_once) && !waiting.is_empty() {
                    told(&home, &if of { trusted() } else { source("till", true) }, &waiting).await;
                    waiting.clear();
                    if n % 7 == 0 {
                        home.settle().await;
                    }
                }
                of = *is_trusted;
                waiting.push(item.clone());
            }
            told(&home, &if of { trusted() } else { source("till", true) }, &waiting).await;
            home.settle().await;
            let given_up = home.engine().store().given_up(1_000).await.unwrap();
            let given_up: Vec<(String, String, Reason)> =
                given_up.into_iter().map(|given| (given.message_id, given.namespace, given.reason)).collect();
            assert!(given_up.len() > 10, "{given_up:?}");
            seen.push((home.digest().await, given_up));
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "seed {seed}: {seen:#?}");
    }
}

#[tokio::test]
async fn what_was_given_up_is_told_without_its_value() {
    let home = home("").await;
    let items = [
        item("i1", "user:u1 email:a@example.com", at(NOON), "Visit", json!({})),
        item("i2", "user:u2 email:a@example.com", at(NOON), "Visit", json!({})),
        item("i3", "card:c1 card:c2 user:u2", at(NOON), "Visit", json!({})),
    ];
    told(&home, &source("till", true), &items).await;
    home.settle().await;
    let given_up = home.engine().store().given_up(10).await.unwrap();
    let of: Vec<_> = given_up
        .iter()
        .map(|given| (given.message_id.as_str(), given.namespace.as_str(), given.reason))
        .collect();
    assert_eq!(of, [("i3", "card", Reason::Limit), ("i2", "email", Reason::SomebodyElse)]);
    let whole = home.member("u2").await;
    let of: Vec<_> = whole.given_up.iter().map(|(_, namespace, why)| (namespace.as_str(), *why)).collect();
    assert_eq!(of, [("card", Reason::Limit), ("email", Reason::SomebodyElse)]);
    assert!(home.member("u1").await.given_up.is_empty());
    assert!(home.engine().metrics().await.contains("zhiyin_identifiers_given_up_total 2\n"));
}

#[tokio::test]
async fn what_is_malformed_or_names_nobody_is_refused_with_its_field() {
    let home = home("user: { blocked: [walkin] }").await;
    let refused = async |item: Value| match home.accept(&[item]).await.pop().unwrap() {
        Verdict::Refused(refusal) => format!("{} @{}", refusal.code, refusal.field),
        verdict => format!("{verdict:?}"),
    };
    let of = |names: &str| item("i", names, at(NOON), "Visit", json!({}));
    let cases = [
        (of("phone:12"), "phone_malformed @context.externalIds[0]"),
        (of("user:u1 email:nobody"), "email_malformed @context.externalIds[1]"),
        (of("phone:13800138000"), "identifier_blocked @context.externalIds[0]"),
        (of("user:walkin"), "identifier_blocked @userId or context.externalIds"),
        (of("user:walkin card:null"), "identifier_blocked @userId or context.externalIds"),
        (of("user:walkin card:c1"), "Accepted"),
    ];
    for (item, expected) in cases {
        assert_eq!(refused(item.clone()).await, expected, "{item}");
    }
    let gift = |to: &str| {
        let properties = json!({"amount": 1, "to_namespace": "user", "to_value": to});
        item("g", "user:u1", at(NOON), "Points Gifted", properties)
    };
    assert_eq!(refused(gift("null")).await, "identifier_blocked @properties.to_value");
    assert_eq!(refused(gift("walkin")).await, "identifier_blocked @properties.to_value");
    // Who looks for somebody is told the same.
    let asked = [Identifier { namespace: "phone".to_owned(), value: "12".to_owned() }];
    for told in [
        home.engine().merge(&asked, "").await.unwrap(),
        home.engine().unmerge(&asked, "").await.unwrap(),
        Verdict::Refused(home.engine().unmerge_preview(&asked).await.unwrap().unwrap_err()),
    ] {
        let Verdict::Refused(refusal) = told else { panic!("{told:?}") };
        assert_eq!((refusal.code, refusal.field.as_str()), ("phone_malformed", "identifiers[0]"));
    }
}

#[tokio::test]
async fn whoever_looks_for_somebody_may_write_the_name_as_they_like() {
    let home = home("").await;
    let items = [
        item("i1", "phone:13900000001 card:c1", at(NOON), "Visit", json!({})),
        item("i2", "openid:wxA:o1", at(NOON), "Visit", json!({})),
        item("i3", "pending_id:p card:c3", at(NOON), "Visit", json!({})),
    ];
    told(&home, &source("till", true), &items).await;
    home.settle().await;
    home.now_is(at(NOON).plus_us(91 * DAY_US)).await;
    let find = async |text: &str| home.engine().find(text).await.unwrap();
    let Found::One(member) = find("card:c1").await else { panic!() };
    for text in ["phone:139 0000 0001", "139-0000-0001", "phone:+8613900000001", "0086 13900000001", " c1 "] {
        assert_eq!(find(text).await, Found::One(member), "{text}");
    }
    assert!(matches!(find("openid:wxA:o1").await, Found::One(_)));
    // What ended by itself names nobody.
    assert_eq!(find("pending_id:p").await, Found::Nobody);
    let spaced = |namespace: &str, value: &str| Identifier {
        namespace: namespace.to_owned(),
        value: value.to_owned(),
    };
    let merge = [spaced("card", "c3 "), spaced("phone", "139 0000 0001")];
    assert_eq!(home.engine().merge(&merge, "one person").await.unwrap(), Verdict::Accepted);
    assert_eq!(find("card:c1").await, find("card:c3").await);
}

fn grant(role: Role, only: Option<Operation>) -> Grant {
    let scopes = only.map(|only| BTreeSet::from([only]));
    Grant { who: "key:1".to_owned(), role, place: Some("s1".to_owned()), staff: None, scopes }
}

#[tokio::test]
async fn c3_two_known_people_are_never_merged_by_a_public_key() {
    let identity = Identity { trusted_sources: BTreeSet::from(["crm".to_owned()]), ..Identity::default() };
    let narrowed = grant(Role::Owner, Some(Operation::IngestPublic));
    let owner = grant(Role::Owner, None);
    let cases = [
        (grant(Role::Public, None), "crm", false),
        (narrowed, "crm", false),
        (grant(Role::Cashier, None), "crm", false),
        (owner.clone(), "shop", false),
        (owner, "crm", true),
    ];
    for (grant, name, one) in cases {
        let home = home("").await;
        let source = Source { replay: true, ..Source::speaking(&grant, name, "user", &identity) };
        let items = [
            item("i1", "user:u1", at(NOON), "Visit", json!({})),
            item("i2", "card:c1", at(NOON), "Visit", json!({})),
            item("i3", "user:u1 card:c1", at(NOON), "Visit", json!({})),
            item("i4", "user:u1 card:c1", at(NOON), "Members Merge Asked", json!({})),
        ];
        told(&home, &source, &items).await;
        home.settle().await;
        let said = BTreeSet::from(["user:u1".to_owned(), "card:c1".to_owned()]);
        let n = people(&home, &said).await.len();
        assert_eq!(n == 1, one, "{grant:?} as {name}");
        // Nor may it part anybody.
        let part = item("u1", "user:u1", at(NOON), "Members Unmerged", json!({}));
        let verdicts = home.engine().accept(&source, &bytes(&[part]), None).await.unwrap();
        assert!(matches!(&verdicts[0], Verdict::Refused(refusal) if refusal.code == "event_reserved"));
    }
}

#[tokio::test]
async fn a_public_key_hangs_nobodys_phone_on_who_is_known() {
    let (mine, hers) = ("phone:+8613900000009", "phone:+8613900000001");
    let server = grant(Role::Owner, None);
    for (grant, one) in [(grant(Role::Public, None), false), (server, true)] {
        let home = home("").await;
        told(
            &home,
            &source("crm", true),
            &[item("i1", &format!("user:u1 {hers}"), at(NOON), "Visit", json!({}))],
        )
        .await;
        let source = Source { replay: true, ..Source::speaking(&grant, "web", "user", &Identity::default()) };
        let items = [
            // Her account, and my phone.
            item("i2", &format!("user:u1 {mine}"), at(NOON), "Visit", json!({})),
            item("i3", "user:u1 anonymous:c1 device:d1", at(NOON), "Visit", json!({})),
            item("i4", mine, at(NOON), "Visit", json!({})),
        ];
        told(&home, &source, &items).await;
        home.settle().await;
        let said = BTreeSet::from(["user:u1", hers, mine, "anonymous:c1", "device:d1"].map(str::to_owned));
        let n = people(&home, &said).await.len();
        assert_eq!(n == 1, one, "{grant:?}");
        let given_up = home.engine().store().given_up(10).await.unwrap();
        let reasons: Vec<Reason> = given_up.iter().map(|given| given.reason).collect();
        assert_eq!(reasons, if one { vec![] } else { vec![Reason::Unproven] });
    }
}

#[tokio::test]
async fn what_may_count_is_what_the_live_playbook_says() {
    let home = home("").await;
    let visit = |id: &str, names: &str| item(id, names, at(NOON), "Visit", json!({}));
    told(&home, &source("till", true), &[visit("i1", "user:u1 card:c1"), visit("i2", "user:u1 card:c2")])
        .await;
    let playbook =
        "playbook: brand\nextends: variety-store\nidentity: { namespaces: { card: { limit: 2 } } }\n";
    home.apply(playbook, at(NOON)).await;
    told(&home, &source("till", true), &[visit("i3", "user:u1 card:c3"), visit("i4", "user:u1 card:c4")])
        .await;
    let said = ["user:u1", "card:c1", "card:c2", "card:c3", "card:c4"].map(str::to_owned).into();
    let expected = ["card:c1 card:c3 user:u1", "- card:c2 card:c4"].map(str::to_owned).into();
    assert_eq!(people(&home, &said).await, expected);
}
