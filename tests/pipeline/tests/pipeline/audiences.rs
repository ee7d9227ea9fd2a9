//! Standing audiences (semantics 21): who enters and leaves them says so in the timeline, whoever merges, parts or is erased, and
//! who is in one can be listed and counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use zhiyin_engine::accept::{Source, Ties, Verdict};
use zhiyin_engine::members::{Kind, TimelineAsked};
use zhiyin_engine::people::Found;
use zhiyin_engine::sealing;
use zhiyin_model::role::Grant;
use zhiyin_store::seal::envelope::Key;
use zhiyin_store::seal::keystore::Keystore;
use zhiyin_store::seal::vault::{Vault, new_mark};
use zhiyin_store_sqlite::FileKeystore;

use crate::home::{Home, KEY, at, source};
use crate::items::{order, refund};
use crate::playbooks;

/// Members may have several accounts; two audiences are kept current, one is asked.
const BRAND: &str = r#"
playbook: brand
extends: variety-store
identity: { namespaces: { user: { limit: 10 } } }
audiences:
  evening: { standing: true }
  beginners: { name: { zh: 新手, en: Beginners }, standing: true, who: size(orders) == 1 }
  regulars: { name: { zh: 常客, en: Regulars }, standing: true, who: size(orders) >= 2 }
"#;
const NOON: &str = "2017-03-01T04:00:00Z";
const LATER: &str = "2017-03-02T04:00:00Z";
const AFTER: &str = "2017-03-03T04:00:00Z";
const LAST: &str = "2017-03-04T04:00:00Z";

fn owner() -> Grant {
    Grant::system("ann")
}

/// What a member's timeline says of audiences, the latest first: `+evening since when (what turned)`.
async fn moves(home: &Home, name: &str) -> Vec<String> {
    let Found::One(member) = home.engine().find(&format!("user:{name}")).await.unwrap() else {
        panic!("{name}")
    };
    let asked = TimelineAsked { kinds: vec![Kind::Audience], limit: 100, cursor: None };
    let page = home.engine().member_timeline(&owner(), &member.to_string(), &asked).await.unwrap();
    let said = |entry: &zhiyin_engine::members::TimelineEntry| {
        let sign = if entry.event == "Audience Entered" { '+' } else { '-' };
        format!("{sign}{} {} ({})", entry.change["audience"], entry.at, entry.change["turned"])
    };
    page.items.iter().map(said).collect()
}

/// Who is in an audience by `user:NAME`, and since when; a few at a time.
async fn within(home: &Home, audience: &str) -> BTreeMap<String, String> {
    let (mut found, mut cursor) = (BTreeMap::new(), None);
    loop {
        let page = home.engine().standing_members(&owner(), audience, 1, cursor).await.unwrap();
        for one in page.items {
            let names: Vec<&str> = one.member.identifiers.iter().map(|name| name.value.as_str()).collect();
            assert!(found.insert(names.join("&"), one.since).is_none());
        }
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

async fn counts(home: &Home) -> BTreeMap<String, u64> {
    home.engine().standing_counts(&owner()).await.unwrap().counts
}

fn counted(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts.iter().map(|(audience, n)| ((*audience).to_owned(), *n)).collect()
}

fn named(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, since)| ((*name).to_owned(), at(since).rfc3339())).collect()
}

fn names(id: &str, event: &str, who: &[&str], when: &str) -> Value {
    let ids: Vec<Value> = who.iter().map(|who| json!({"id": who, "type": "user"})).collect();
    json!({"type": "track", "event": event, "messageId": id, "timestamp": when, "context": {"externalIds": ids}})
}

async fn told(home: &Home, item: Value) {
    let source = Source { ties: Ties::Insist, ..source("desk", true) };
    let verdicts = home.engine().accept(&source, &[item.to_string().into_bytes()], None).await.unwrap();
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "{verdicts:?}");
    home.settle().await;
    assert_eq!(home.refusals().await, Vec::<String>::new());
}

#[tokio::test]
async fn u6_evening_people_enter_and_leave_with_events_and_are_listed() {
    let home = Home::new(BRAND).await;
    // 20:00 in Shanghai.
    let evening =
        |n: u8| order(&format!("o{n}"), "ann", &n.to_string(), &format!("2017-03-0{n}T12:00:00Z"), "10");
    home.live_through(&[evening(1), evening(2), order("b1", "bob", "9", NOON, "10")]).await;
    assert_eq!(counts(&home).await, counted(&[("beginners", 1), ("evening", 0), ("regulars", 1)]));
    home.live_through(&[evening(3)]).await;
    assert_eq!(within(&home, "evening").await, named(&[("ann", "2017-03-03T12:00:00Z")]));
    assert_eq!(within(&home, "beginners").await, named(&[("bob", NOON)]));
    assert_eq!(within(&home, "gone_quiet").await, named(&[]));
    let asks = r#"size(within(orders, "90d").filter(o, clock(o) >= "19:30" || clock(o) < "00:30")) >= 3"#;
    let entered = format!("+evening {} ({asks})", at("2017-03-03T12:00:00Z").rfc3339());
    assert_eq!(moves(&home, "ann").await[0], entered);
    // By days alone, at the midnight on which the first of the three falls out.
    home.until(at("2017-05-30T15:59:59Z")).await;
    assert_eq!(counts(&home).await["evening"], 1);
    home.until(at("2017-05-30T16:00:00Z")).await;
    assert_eq!(counts(&home).await["evening"], 0);
    let left = format!("-evening {} ({asks})", at("2017-05-30T16:00:00Z").rfc3339());
    assert_eq!(moves(&home, "ann").await[..2], [left, entered]);
    let saved = home.engine().saved_audiences().unwrap();
    let saved: Vec<(&str, bool)> = saved.iter().map(|one| (one.id.as_str(), one.standing)).collect();
    assert_eq!(
        saved,
        [
            ("beginners", true),
            ("celebrating", false),
            ("evening", true),
            ("gone_quiet", false),
            ("likely_beauty_tools", false),
            ("regulars", true),
        ]
    );
    home.healthy().await;
}

#[tokio::test]
async fn two_who_are_one_are_in_it_once_and_two_again_when_they_part() {
    let home = Home::new(BRAND).await;
    home.live_through(&[order("o1", "ann", "1", NOON, "10"), order("o2", "bob", "2", LATER, "10")]).await;
    assert_eq!(within(&home, "beginners").await, named(&[("ann", NOON), ("bob", LATER)]));
    told(&home, names("m1", "Members Merge Asked", &["ann", "bob"], AFTER)).await;
    assert_eq!(counts(&home).await, counted(&[("beginners", 0), ("evening", 0), ("regulars", 1)]));
    assert_eq!(within(&home, "regulars").await, named(&[("ann&bob", AFTER)]));
    let since = at(AFTER).rfc3339();
    assert_eq!(
        moves(&home, "ann").await[..2],
        [format!("+regulars {since} (size(orders) >= 2)"), format!("-beginners {since} (size(orders) == 1)")]
    );
    told(&home, names("u1", "Members Unmerged", &["bob"], LAST)).await;
    assert_eq!(counts(&home).await, counted(&[("beginners", 2), ("evening", 0), ("regulars", 0)]));
    assert_eq!(within(&home, "beginners").await, named(&[("ann", LAST), ("bob", LAST)]));
    assert_eq!(
        moves(&home, "bob").await[0],
        format!("+beginners {} (size(orders) == 1)", at(LAST).rfc3339())
    );
    home.healthy().await;
}

#[tokio::test]
async fn another_version_is_entered_and_left_by_the_pass() {
    let home = Home::new(BRAND).await;
    home.live_through(&[
        order("o1", "ann", "1", NOON, "10"),
        order("o2", "ann", "2", NOON, "10"),
        order("o3", "bob", "3", NOON, "10"),
    ])
    .await;
    let before = home.digest().await;
    let stricter =
        BRAND.replace("size(orders) >= 2", "size(orders) >= 3").replace("size(orders) == 1", "true");
    let playbook = playbooks::parse(&stricter);
    let rules = zhiyin_engine::Rules::compile(&playbook).unwrap();
    home.now_is(at(LATER)).await;
    let differences = home.engine().differences(&playbook, &rules).await.unwrap();
    let touched: Vec<(&str, u64)> =
        differences.iter().map(|one| (one.change.id.as_str(), one.members)).collect();
    assert_eq!(touched, [("audiences.beginners", 2), ("audiences.regulars", 1)]);
    home.apply(&stricter, at(LATER)).await;
    assert_eq!(counts(&home).await, counted(&[("beginners", 2), ("evening", 0), ("regulars", 0)]));
    home.apply("playbook: brand\nextends: variety-store\n", at(AFTER)).await;
    assert_eq!(counts(&home).await, counted(&[]));
    let since = at(AFTER).rfc3339();
    assert_eq!(moves(&home, "bob").await[0], format!("-beginners {since} (playbook)"));
    assert_eq!(within(&home, "beginners").await, named(&[]));
    home.apply(BRAND, at(LAST)).await;
    assert_eq!(within(&home, "regulars").await, named(&[("ann", LAST)]));
    assert_ne!(home.digest().await, before, "since when is part of it");
}

#[tokio::test]
async fn whoever_is_erased_is_in_none_and_enters_none() {
    let home = Home::new(BRAND).await;
    let keystore: Arc<dyn Keystore> = Arc::new(FileKeystore::open(&home.keys()).unwrap());
    let vault = Vault::make(keystore, Key::from_bytes([5; 32]), &KEY, new_mark().unwrap(), true).unwrap();
    home.engine().store().personal().unwrap().keep_vault(vault);
    sealing::seal_home(home.engine().store().as_ref(), |_| ()).await.unwrap();
    home.live_through(&[
        order("o1", "ann", "1", NOON, "10"),
        order("o2", "ann", "2", NOON, "10"),
        order("o3", "bob", "3", NOON, "10"),
    ])
    .await;
    assert_eq!(counts(&home).await, counted(&[("beginners", 1), ("evening", 0), ("regulars", 1)]));
    let Found::One(ann) = home.engine().find("user:ann").await.unwrap() else { panic!() };
    home.engine().erase(ann, "asked").await.unwrap();
    assert_eq!(counts(&home).await, counted(&[("beginners", 1), ("evening", 0), ("regulars", 0)]));
    // What falls due for them goes on, and lets them into nothing.
    home.until(at("2018-06-01T00:00:00Z")).await;
    assert_eq!(counts(&home).await, counted(&[("beginners", 1), ("evening", 0), ("regulars", 0)]));
    home.apply(&BRAND.replace("size(orders) >= 2", "size(orders) >= 1"), at("2018-06-01T00:00:00Z")).await;
    assert_eq!(counts(&home).await["regulars"], 1, "bob");
    home.healthy().await;
}

#[tokio::test]
async fn an_order_that_comes_back_takes_its_audience_along() {
    let home = Home::new(BRAND).await;
    home.live_through(&[
        order("o1", "ann", "1", NOON, "10"),
        order("o2", "ann", "2", LATER, "10"),
        refund("r1", "ann", "2", AFTER, "10"),
    ])
    .await;
    assert_eq!(within(&home, "regulars").await, named(&[]));
    assert_eq!(within(&home, "beginners").await, named(&[("ann", AFTER)]));
    let said = moves(&home, "ann").await;
    let order_of = |text: &str| said.iter().filter(|line| line.contains(text)).count();
    assert_eq!((said.len(), order_of("+beginners"), order_of("-regulars")), (5, 2, 1), "{said:?}");
}
