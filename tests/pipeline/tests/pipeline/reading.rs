//! Members are found by how their name begins, follow their name, and are read whole, page by page.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zhiyin_engine::accept::{Source, Ties, Verdict};
use zhiyin_engine::found_by::Indexed;
use zhiyin_engine::members::{Kind, LotsAsked, MemberView, MembersAsked, OrdersAsked, TimelineAsked};
use zhiyin_engine::sight::ReadProblem;
use zhiyin_engine::{Engine, EngineError};
use zhiyin_model::role::Grant;
use zhiyin_store::reading::FoundBy;

use crate::home::{Home, at, source};
use crate::items::{identify, order, refund, spend, track};
use crate::playbooks::SHIPPED;

pub const NOON: &str = "2017-03-01T04:00:00Z";
const LATER: &str = "2017-03-02T04:00:00Z";
const AFTER: &str = "2017-03-03T04:00:00Z";

fn owner() -> Grant {
    Grant::system("ann")
}

fn by_name(name: &str) -> MembersAsked {
    MembersAsked { name: Some(name.to_owned()), limit: 200, ..MembersAsked::default() }
}

/// All that a list has, so many on a page, as the users whom it names.
async fn listed(engine: &Engine, asked: &MembersAsked, limit: usize) -> Vec<String> {
    let (mut found, mut asked) = (Vec::new(), MembersAsked { limit, ..asked.clone() });
    loop {
        let page = engine.members(&owner(), &asked).await.unwrap();
        assert!(page.items.len() <= limit);
        for member in &page.items {
            let user = member.identifiers.iter().find(|name| name.namespace == "user");
            found.push(user.map_or_else(|| member.id.clone(), |user| user.value.clone()));
        }
        if page.next.is_none() {
            return found;
        }
        asked.cursor = page.next;
    }
}

async fn found(home: &Home, name: &str) -> BTreeSet<String> {
    let all = listed(home.engine(), &by_name(name), 200).await;
    let each: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!(each.len(), all.len(), "{name}: somebody is listed twice");
    assert_eq!(listed(home.engine(), &by_name(name), 1).await, all, "{name}: page by page");
    each
}

fn users(users: &[&str]) -> BTreeSet<String> {
    users.iter().map(|user| (*user).to_owned()).collect()
}

async fn told(home: &Home, ties: Ties, event: &str, who: &[&str]) {
    let ids: Vec<Value> = who.iter().map(|who| json!({"id": who, "type": "user"})).collect();
    let item = json!({"type": "track", "event": event, "messageId": format!("{event} {who:?}"), "timestamp": AFTER,
        "context": {"externalIds": ids}});
    let desk = Source { ties, ..source("desk", true) };
    let verdicts = home.engine().accept(&desk, &[item.to_string().into_bytes()], None).await.unwrap();
    assert_eq!(verdicts, [Verdict::Accepted]);
    home.settle().await;
}

#[tokio::test]
async fn u1_members_are_found_by_how_their_name_begins() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[
        identify("1", "wei", NOON, json!({"name": "张伟"})),
        identify("2", "wei2", NOON, json!({"firstName": "伟", "lastName": "张"})),
        identify("3", "latin", NOON, json!({"name": "Zhang Wei"})),
        identify("4", "turned", NOON, json!({"name": "WEI ZHANG"})),
        identify("5", "li", NOON, json!({"name": "李娜"})),
        identify("6", "ouyang", NOON, json!({"name": "欧阳娜娜"})),
        identify("7", "ann", NOON, json!({"name": "Ann Lee"})),
        order("8", "nameless", "1", NOON, "10"),
        identify("9", "number", NOON, json!({"name": "12345"})),
    ])
    .await;
    for (typed, expected) in [
        ("张", users(&["wei", "wei2"])),
        ("张伟", users(&["wei", "wei2"])),
        ("zw", users(&["wei", "wei2"])),
        ("zhangw", users(&["wei", "wei2", "latin", "turned"])),
        ("Zhang Wei", users(&["wei", "wei2", "latin", "turned"])),
        ("z", users(&["wei", "wei2", "latin", "turned"])),
        ("wei", users(&["latin", "turned"])),
        ("an le", users(&["ann"])),
        ("lee", users(&["ann"])),
        ("l", users(&["li", "ann"])),
        ("ouyangnana", users(&["ouyang"])),
        ("oynn", users(&["ouyang"])),
        ("娜", users(&[])),
        ("zhangweiqiang", users(&[])),
    ] {
        assert_eq!(found(&home, typed).await, expected, "{typed}");
    }
    for typed in ["", " ", "123", "%", &"x".repeat(61)] {
        let refused = home.engine().members(&owner(), &by_name(typed)).await;
        assert!(matches!(refused, Err(EngineError::Read(ReadProblem::Name))), "{typed}");
    }
}

#[tokio::test]
async fn c3_who_is_found_follows_names_merges_and_partings() {
    let mut home = Home::new(
        "playbook: brand\nextends: variety-store\nidentity: { namespaces: { user: { limit: 10 } } }\n",
    )
    .await;
    home.live_through(&[
        identify("1", "ann", NOON, json!({"name": "安妮"})),
        identify("2", "bob", NOON, json!({"name": "鲍勃"})),
    ])
    .await;
    assert_eq!(found(&home, "安").await, users(&["ann"]));
    home.live_through(&[
        // Told late: what is newer stays.
        identify("3", "ann", "2017-02-01T04:00:00Z", json!({"name": "旧名"})),
        identify("4", "bob", LATER, json!({"name": "陈鲍勃"})),
        order("5", "bob", "1", LATER, "100"),
    ])
    .await;
    assert_eq!(found(&home, "旧").await, users(&[]));
    assert_eq!(found(&home, "鲍").await, users(&[]));
    assert_eq!(found(&home, "cbb").await, users(&["bob"]));
    // Memory that was lost changes nothing.
    home.reopen().await;
    home.live_through(&[identify("6", "bob", AFTER, json!({"city": "Wuhan"}))]).await;
    assert_eq!(found(&home, "陈").await, users(&["bob"]));
    told(&home, Ties::Merge, "Scan", &["ann", "bob"]).await;
    let one = found(&home, "陈").await;
    assert_eq!(one.len(), 1);
    assert_eq!(found(&home, "安").await, users(&[]), "what was told last counts, and nobody else is there");
    told(&home, Ties::Insist, "Members Unmerged", &["bob"]).await;
    assert_eq!(found(&home, "陈").await, users(&["bob"]));
    assert_eq!(found(&home, "安").await, users(&["ann"]));
    home.healthy().await;
}

#[tokio::test]
async fn the_index_is_built_anew_and_says_the_same() {
    let home = Home::new(SHIPPED).await;
    let items: Vec<Value> = (0..30)
        .map(|n| {
            identify(
                &format!("{n}"),
                &format!("u{n}"),
                NOON,
                json!({"name": format!("张{}", ["伟", "三", "丰"][n % 3])}),
            )
        })
        .collect();
    home.live_through(&items).await;
    home.live_through(&[order("o", "nameless", "1", NOON, "10")]).await;
    let (before, digest) = (found(&home, "zh").await, home.digest().await);
    assert_eq!(before.len(), 30);
    // As in a home of before: nobody is found.
    let store = home.engine().store();
    let mut forgotten = Vec::new();
    for user in &before {
        let member = home.member(user).await.member;
        forgotten.push((FoundBy { member: member.id, keys: Vec::new() }, member.decided_until));
    }
    assert_eq!(store.reading().put_found_by(forgotten).await.unwrap(), 30);
    assert_eq!(found(&home, "zh").await, users(&[]));
    for _ in 0..2 {
        let indexed = home.engine().build_found_by(|_| ()).await.unwrap();
        assert_eq!(indexed, Indexed { members: 31, found: 30, left: 0 });
        assert_eq!(found(&home, "zh").await, before);
    }
    assert_eq!(home.digest().await, digest);
}

#[tokio::test]
async fn lists_are_narrowed_by_what_members_are() {
    let home = Home::new(SHIPPED).await;
    let at_store = |id: &str, who: &str, store: &str, total: &str| {
        track(id, who, "Order Completed", NOON, json!({"order_id": id, "total": total, "store_id": store}))
    };
    home.live_through(&[
        at_store("1", "ann", "s1", "400"),
        at_store("2", "bob", "s1", "10"),
        at_store("3", "cid", "s2", "400"),
        identify("4", "bob", NOON, json!({"name": "鲍勃", "advisor": "a7"})),
        identify("5", "cid", NOON, json!({"name": "赵鲍", "advisor": "a7"})),
        identify("6", "dee", NOON, json!({"name": "鲍迪"})),
    ])
    .await;
    let engine = home.engine();
    let some = |set: fn(&mut MembersAsked)| {
        let mut asked = MembersAsked { limit: 200, ..MembersAsked::default() };
        set(&mut asked);
        asked
    };
    for (asked, expected) in [
        (some(|_| ()), users(&["ann", "bob", "cid", "dee"])),
        (some(|asked| asked.store = Some("s1".to_owned())), users(&["ann", "bob"])),
        (some(|asked| asked.tier = Some("silver".to_owned())), users(&["ann", "cid"])),
        (some(|asked| asked.lifecycle = Some("growth".to_owned())), users(&["ann", "bob", "cid"])),
        (some(|asked| asked.lifecycle = Some("introduction".to_owned())), users(&["dee"])),
        (some(|asked| asked.advisor = Some("a7".to_owned())), users(&["bob", "cid"])),
        (some(|asked| asked.tag = Some("new_customer".to_owned())), users(&["ann", "bob", "cid"])),
        (some(|asked| asked.tag = Some("nobody".to_owned())), users(&[])),
        (
            some(|asked| {
                asked.name = Some("b".to_owned());
                asked.advisor = Some("a7".to_owned());
            }),
            users(&["bob"]),
        ),
    ] {
        let all = listed(engine, &asked, 200).await;
        assert_eq!(all.iter().cloned().collect::<BTreeSet<_>>(), expected, "{asked:?}");
        for limit in [1, 2] {
            assert_eq!(listed(engine, &asked, limit).await, all, "{asked:?}");
        }
    }
    let tags = whole(&home, "ann").await.tags;
    let new = tags.iter().find(|tag| tag.tag == "new_customer").unwrap();
    assert!(new.by_rule && new.name.zh.is_some() && new.since == NOON);
    assert!(new.rule.as_ref().is_some_and(|rule| rule.contains("orders")));
    // A cursor goes on in its own list only, and a page is bounded.
    let first = engine.members(&owner(), &some(|asked| asked.limit = 1)).await.unwrap();
    let other = MembersAsked { cursor: first.next, store: Some("s1".to_owned()), ..some(|_| ()) };
    let refused = engine.members(&owner(), &other).await;
    assert!(matches!(refused, Err(EngineError::Read(ReadProblem::Cursor))));
    for limit in [0, 201, usize::MAX] {
        let refused = engine.members(&owner(), &MembersAsked { limit, ..some(|_| ()) }).await;
        assert!(matches!(refused, Err(EngineError::Read(ReadProblem::Limit))), "{limit}");
    }
    let long = some(|asked| asked.tier = Some("x".repeat(256)));
    assert!(matches!(
        engine.members(&owner(), &long).await,
        Err(EngineError::Read(ReadProblem::Text("tier")))
    ));
}

async fn whole(home: &Home, user: &str) -> MemberView {
    let id = home.member(user).await.member.id.to_string();
    home.engine().member(&owner(), &id).await.unwrap()
}

#[tokio::test]
async fn r2_one_member_whole_says_what_is_missing_to_the_next_tier() {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[
        order("1", "ann", "1", NOON, "100"),
        order("2", "ann", "2", "2017-06-01T04:00:00Z", "130.50"),
        spend("3", "ann", "2017-06-02T04:00:00Z", 40),
        identify("4", "ann", "2017-06-02T04:00:00Z", json!({"name": "安妮", "gender": "female"})),
    ])
    .await;
    home.accept(&[refund("late", "ann", "404", "2017-06-03T04:00:00Z", "1")]).await;
    home.now_is(at("2017-06-05T04:00:00Z")).await;
    home.settle().await;
    let ann = whole(&home, "ann").await;
    assert_eq!(ann.name.as_deref(), Some("安妮"));
    assert_eq!((ann.orders.count, ann.orders.paid_minor), (2, 23_050));
    let points = &ann.accounts[0];
    assert_eq!((points.asset.as_str(), points.shown, points.active), ("points", 190, 190));
    assert_eq!(ann.lots.iter().map(|lot| lot.remaining).sum::<i64>(), 190);
    assert_eq!(
        ann.expiries.iter().map(|one| (one.at.as_str(), one.points)).collect::<Vec<_>>(),
        [("2018-12-31T16:00:00Z", 190)]
    );
    let tier = ann.tier.unwrap();
    assert_eq!((tier.level.as_str(), tier.growth), ("regular", 2_300));
    let next = tier.next.unwrap();
    assert_eq!((next.level.as_str(), next.growth_needed, next.growth_missing), ("silver", 3_000, 700));
    assert_eq!(next.name.zh.as_deref().map(str::is_empty), Some(false));
    // Today's growth counts on the day 365 days after the order, and not on the next.
    let lapses = tier.lapses.unwrap();
    assert_eq!((lapses.day.as_str(), lapses.growth), ("2018-03-02", 1_000));
    assert_eq!(tier.keep.unwrap().growth_missing, 0);
    let lifecycle = ann.lifecycle.unwrap();
    assert_eq!(lifecycle.stage, "growth");
    assert!(lifecycle.rule.unwrap().contains("orders"));
    assert_eq!(ann.refusals.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["order_unknown"]);
    assert_eq!(ann.attributes["gender"], json!("female"));
    assert!(ann.consents.iter().all(|one| !one.why.is_empty()));
    // A level that is lost unless something is earned says so.
    home.live_through(&[order("5", "ann", "3", "2017-06-05T05:00:00Z", "100")]).await;
    let tier = whole(&home, "ann").await.tier.unwrap();
    assert_eq!((tier.level.as_str(), tier.growth), ("silver", 3_300));
    let keep = tier.keep.unwrap();
    // When the term ends what was ordered in March does not count any more; what was on its first day does.
    assert_eq!((keep.growth_needed, keep.growth_missing, keep.by.as_str()), (3_000, 2_000, "2018-06-04"));
}

#[tokio::test]
async fn a_life_is_told_page_by_page_with_what_came_of_it() {
    let home = Home::new(SHIPPED).await;
    let line = |id: &str, quantity: i64| json!({"product_id": id, "category": "snacks", "quantity": quantity, "price": "2.50"});
    home.live_through(&[
        track(
            "1",
            "ann",
            "Order Completed",
            NOON,
            json!({"order_id": "A-1", "store_id": "s1", "products": [line("p1", 4), line("p2", 2)]}),
        ),
        order("2", "ann", "A-2", LATER, "300"),
        spend("3", "ann", AFTER, 10),
        track("4", "ann", "Store Visited", AFTER, json!({"store_id": "s1"})),
    ])
    .await;
    let (engine, id) = (home.engine(), home.member("ann").await.member.id.to_string());
    let asked = TimelineAsked { limit: 200, ..TimelineAsked::default() };
    let all = engine.member_timeline(&owner(), &id, &asked).await.unwrap();
    assert!(all.next.is_none());
    let sent: Vec<&str> =
        all.items.iter().filter(|one| one.source == "till").map(|one| one.event.as_str()).collect();
    assert_eq!(sent, ["Store Visited", "Points Spent", "Order Completed", "Order Completed"]);
    let spent = all.items.iter().find(|one| one.event == "Points Spent").unwrap();
    assert_eq!(
        spent.transfers.iter().map(|one| (one.kind.as_str(), one.moved)).collect::<Vec<_>>(),
        [("spend", -10)]
    );
    let raised = all.items.iter().find(|one| one.kind == Kind::Tier).unwrap();
    assert_eq!((raised.change["from"].as_str(), raised.change["to"].as_str()), ("regular", "silver"));
    for kinds in [vec![], vec![Kind::Order], vec![Kind::Tier, Kind::Lifecycle], vec![Kind::Consent]] {
        let expected: Vec<&str> = all
            .items
            .iter()
            .filter(|one| kinds.is_empty() || kinds.contains(&one.kind))
            .map(|one| one.id.as_str())
            .collect();
        for limit in [1, 2, 3, 50] {
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let asked = TimelineAsked { kinds: kinds.clone(), limit, cursor };
                let page = engine.member_timeline(&owner(), &id, &asked).await.unwrap();
                assert!(page.items.len() <= limit);
                seen.extend(page.items.into_iter().map(|one| one.id));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected, "{kinds:?} {limit}");
        }
    }
    let page = OrdersAsked { limit: 1, cursor: None };
    let latest = engine.member_orders(&owner(), &id, &page).await.unwrap();
    assert_eq!(latest.items[0].number.as_deref(), Some("A-2"));
    let page = OrdersAsked { limit: 1, cursor: latest.next };
    let first = engine.member_orders(&owner(), &id, &page).await.unwrap();
    let order = &first.items[0];
    assert_eq!(
        (order.number.as_deref(), order.store.as_deref(), order.paid_minor),
        (Some("A-1"), Some("s1"), 1_500)
    );
    let lines = order.lines.as_ref().unwrap();
    assert_eq!(
        (lines[0].product.as_str(), lines[0].quantity.as_str(), lines[0].amount.as_deref()),
        ("p1", "4", Some("10.00"))
    );
    let lots = engine.member_lots(&owner(), &id, &LotsAsked { limit: 1, cursor: None }).await.unwrap();
    let rest = engine.member_lots(&owner(), &id, &LotsAsked { limit: 9, cursor: lots.next }).await.unwrap();
    assert_eq!((lots.items.len(), rest.items.len(), rest.next), (1, 1, None));
    assert_eq!(lots.items[0].remaining + rest.items[0].remaining, 305);
}
