//! Audiences over the record: now they say what decisions say; as of a day what was so then; and nobody sees beyond their grant.

use serde_json::{Value, json};
use zhiyin_engine::EngineError;
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::audience::AudienceProblem;
use zhiyin_engine::audience::answers::Names;
use zhiyin_engine::audience::keep::{Keeper, Keeping};
use zhiyin_model::role::{Grant, Role};
use zhiyin_model::time::Day;

use crate::home::{Home, at};
use crate::items::{identify, order, refund, track};
use crate::playbooks::SHIPPED;

pub(crate) const IDS: Names<'static> = Names { namespace: None, export: true };
const USERS: Names<'static> = Names { namespace: Some("user"), export: true };

pub(crate) fn owner() -> Grant {
    Grant::system("test")
}

pub(crate) fn day(text: &str) -> Option<Day> {
    Some(Day::parse(text).unwrap())
}

/// Who they are, by their names.
async fn who(home: &Home, condition: &str, day: Option<Day>) -> Vec<String> {
    home.engine().audience_members(&owner(), condition, day, USERS).await.unwrap().members
}

/// Takes in what the feed shows until a condition finds whom it should: on PostgreSQL an entry shows when no transaction that
/// was begun before it runs any more, be it another test's.
async fn kept(home: &Home, keeper: &mut Keeper, condition: &str, expected: &[&str]) {
    for _ in 0..20_000 {
        assert!(home.engine().audiences_caught_up(keeper).await.unwrap());
        // What was begun from a snapshot does not say as of when it answers before such a transaction is over.
        match home.engine().audience_members(&owner(), condition, None, USERS).await {
            Ok(found) if found.members == expected => return,
            Err(EngineError::Audience(AudienceProblem::Unavailable(why))) => {
                assert_eq!(why, "the change feed is held back");
            }
            found => drop(found.unwrap()),
        }
        tokio::task::yield_now().await;
    }
    panic!("{condition} never found {expected:?}");
}

fn line(product: &str, category: &str, quantity: i64, price: &str) -> Value {
    json!({"product_id": product, "category": category, "quantity": quantity, "price": price})
}

fn basket(id: &str, who: &str, when: &str, lines: &[Value]) -> Value {
    track(id, who, "Order Completed", when, json!({"order_id": id, "products": lines, "store_id": "s1"}))
}

fn returned(id: &str, who: &str, of: &str, when: &str, lines: &[Value]) -> Value {
    track(id, who, "Order Refunded", when, json!({"order_id": of, "products": lines}))
}

/// A life with all that an order can meet.
pub(crate) async fn lived() -> Home {
    let home = Home::new(SHIPPED).await;
    home.live_through(&[
        identify("i1", "ann", "2017-03-01T02:00:00Z", json!({"city": "Wuhan", "birthday": "1990-02-28"})),
        basket(
            "o1",
            "ann",
            "2017-03-01T04:00:00Z",
            &[line("p1", "snacks", 5, "10"), line("p2", "tea", 1, "20")],
        ),
        returned("r1", "ann", "o1", "2017-03-10T04:00:00Z", &[line("p1", "snacks", 2, "10")]),
        returned("r2", "ann", "o1", "2017-03-20T04:00:00Z", &[line("p1", "snacks", 2, "10")]),
        order("o2", "bob", "2", "2017-03-05T04:00:00Z", "400"),
        track("c2", "bob", "Order Cancelled", "2017-03-12T04:00:00Z", json!({"order_id": "2"})),
        order("o3", "cid", "3", "2017-03-06T04:00:00Z", "100"),
        refund("r3", "cid", "3", "2017-03-13T04:00:00Z", "30"),
        order("o4", "dan", "4", "2017-03-25T04:00:00Z", "700"),
        track("v1", "dan", "Store Visited", "2017-03-26T04:00:00Z", json!({"floor": 2})),
    ])
    .await;
    home.until(at("2017-04-01T00:00:00Z")).await;
    home.now_is(at("2017-04-01T00:00:00Z")).await;
    home
}

#[tokio::test]
async fn as_of_a_day_orders_stand_as_they_stood() {
    let home = lived().await;
    let snacks =
        |n: i64| format!(r#"sum(items.filter(i, i.category == "snacks").map(i, i.quantity)) == {n}"#);
    let paid = |n: i64| format!("sum(orders.map(o, o.paid)) == {n} && size(orders) > 0");
    let nobody: [&str; 0] = [];
    for (condition, day, expected) in [
        (snacks(5), day("2017-03-09"), vec!["ann"]),
        (snacks(3), day("2017-03-09"), vec![]),
        (snacks(3), day("2017-03-10"), vec!["ann"]),
        (snacks(3), day("2017-03-19"), vec!["ann"]),
        (snacks(1), day("2017-03-20"), vec!["ann"]),
        (snacks(1), None, vec!["ann"]),
        (paid(70), day("2017-03-09"), vec!["ann"]),
        (paid(50), day("2017-03-10"), vec!["ann"]),
        (paid(30), None, vec!["ann"]),
        (paid(400), day("2017-03-11"), vec!["bob"]),
        (paid(400), day("2017-03-12"), vec![]),
        (paid(100), day("2017-03-12"), vec!["cid"]),
        (paid(70), day("2017-03-13"), vec!["cid"]),
        ("size(orders) == 0".to_owned(), day("2017-03-12"), vec!["bob"]),
        ("true".to_owned(), day("2017-02-28"), vec![]),
        ("true".to_owned(), day("2017-03-05"), vec!["ann", "bob"]),
        ("true".to_owned(), None, vec!["ann", "bob", "cid", "dan"]),
        (r#"size(events("Store Visited")) == 1"#.to_owned(), day("2017-03-25"), vec![]),
        (
            r#"events("Store Visited").exists(e, e.properties.floor > 1)"#.to_owned(),
            day("2017-03-26"),
            vec!["dan"],
        ),
        (r#"tier == "gold""#.to_owned(), day("2017-03-24"), vec![]),
        (r#"tier == "gold""#.to_owned(), day("2017-03-25"), vec!["dan"]),
        (r#"lifecycle == "introduction""#.to_owned(), day("2017-03-12"), vec!["bob"]),
        ("points == 100".to_owned(), day("2017-03-12"), vec!["cid"]),
        ("points == 70".to_owned(), day("2017-03-13"), vec!["cid"]),
        // Attributes are those of now, and say so.
        (r#"attr.city == "Wuhan""#.to_owned(), day("2017-03-01"), vec!["ann"]),
    ] {
        assert_eq!(who(&home, &condition, day).await, expected, "{condition} as of {day:?}");
    }
    let view = home.engine().audience_members(&owner(), "true", day("2017-03-05"), IDS).await.unwrap();
    assert!(view.past && view.as_of == "2017-03-05T15:59:59.999999Z", "{view:?}");
    let ahead = home.engine().audience_count(&owner(), "true", day("2017-05-01")).await;
    assert!(matches!(ahead, Err(EngineError::AsOfFuture(..))), "{ahead:?}");
    assert_eq!(who(&home, "false", None).await, nobody);
}

/// What may be counted, and what each tag of it says: incrementally, and built anew under another playbook.
const COUNTED: [(&str, &str); 5] = [
    ("refunded", r#"size(events("Order Refunded")) >= 2"#),
    ("told_of_orders", r#"size(events("Order Completed")) >= 1"#),
    ("moved", r#"size(events("Lifecycle Stage Changed")) >= 1"#),
    ("risen", r#"size(events("Tier Changed")) >= 1"#),
    ("visitor", r#"size(events("Store Visited")) >= 1"#),
];

#[tokio::test]
async fn what_counts_as_an_event_is_the_same_for_decisions_and_audiences() {
    let home = lived().await;
    let tags = |more: &str| {
        let tags =
            COUNTED.iter().map(|(tag, who)| format!("  {tag}: {{ name: {{ en: {tag} }}, who: '{who}' }}\n"));
        format!("{SHIPPED}tags:\n{}{more}", tags.collect::<String>())
    };
    let expected = [vec!["ann"], vec![], vec![], vec![], vec!["dan"]];
    // Built anew from the record; then with one more of each kind, taken in one by one; then built anew once more.
    for round in 0..3 {
        match round {
            0 => {
                home.apply(&tags(""), at("2017-04-01T00:00:00Z")).await;
            }
            1 => {
                let when = "2017-04-01T01:00:00Z";
                home.live_through(&[
                    returned("r9", "ann", "o1", when, &[line("p2", "tea", 1, "20")]),
                    track("v9", "dan", "Store Visited", when, json!({"floor": 1})),
                    order("o9", "cid", "9", when, "900"),
                ])
                .await;
            }
            _ => {
                let more = "  more: { name: { en: more }, who: 'size(events(\"Other\")) > 0' }\n";
                home.apply(&tags(more), at("2017-04-01T02:00:00Z")).await;
            }
        }
        home.now_is(at("2017-04-01T03:00:00Z")).await;
        home.until(at("2017-04-01T03:00:00Z")).await;
        for ((tag, condition), expected) in COUNTED.iter().zip(&expected) {
            assert_eq!(&who(&home, condition, None).await, expected, "{condition}, round {round}");
            let tagged = who(&home, &format!("\"{tag}\" in tags"), None).await;
            assert_eq!(&tagged, expected, "{tag}, round {round}");
        }
    }
}

#[tokio::test]
async fn audiences_say_what_tags_and_stages_say() {
    let home = lived().await;
    for (condition, decided) in [
        (r#"size(orders) == 0"#, r#"lifecycle == "introduction""#),
        (r#"days_since(first(orders)) <= 14"#, r#""new_customer" in tags"#),
        (r#"within(orders, "90d").exists(o, o.paid >= 200)"#, r#""big_basket" in tags"#),
        (
            "size(orders) == 1 && days_since(last(orders)) >= 7 && days_since(last(orders)) <= 28",
            r#""second_order_due" in tags"#,
        ),
    ] {
        let found = who(&home, condition, None).await;
        assert_eq!(found, who(&home, decided, None).await, "{condition}");
        assert!(!found.is_empty(), "{condition}");
    }
}

#[tokio::test]
async fn audiences_are_broken_down_laid_over_each_other_and_put_in_order() {
    let home = lived().await;
    let (engine, by) = (home.engine(), owner());
    let broken = engine.audience_breakdown(&by, "true", None, ("tier", None)).await.unwrap();
    let values = |of: &zhiyin_engine::audience::answers::BreakdownView| {
        of.values.iter().map(|one| (one.value.clone().unwrap_or_default(), one.count)).collect::<Vec<_>>()
    };
    assert_eq!(
        values(&broken),
        [("gold".to_owned(), 1), ("regular".to_owned(), 2), ("silver".to_owned(), 1)]
    );
    let paid = ("sum(orders.map(o, o.paid))", Some("50"));
    let broken = engine.audience_breakdown(&by, "true", None, paid).await.unwrap();
    assert_eq!(values(&broken), [("0".to_owned(), 2), ("50".to_owned(), 1), ("700".to_owned(), 1)]);
    let city = engine.audience_breakdown(&by, "true", None, ("attr.city", None)).await.unwrap();
    assert_eq!(values(&city), [("Wuhan".to_owned(), 1), (String::new(), 3)]);
    let tags = engine.audience_breakdown(&by, r#"attr.city == "Wuhan""#, None, ("tags", None)).await.unwrap();
    assert_eq!(tags.count, 1);

    let conditions = ["size(orders) > 0", "points > 50", r#"tier == "gold""#].map(str::to_owned);
    let over = engine.audience_overlap(&by, &conditions, None).await.unwrap();
    assert_eq!(over.counts, [3, 2, 1]);
    let exactly: Vec<_> = over.exactly.iter().map(|one| (one.audiences.clone(), one.count)).collect();
    assert_eq!(exactly, [(vec![0], 1), (vec![0, 1], 1), (vec![0, 1, 2], 1)]);
    let many = vec!["true".to_owned(); 9];
    for refused in [Vec::new(), many] {
        let refused = engine.audience_overlap(&by, &refused, None).await.unwrap_err();
        assert!(matches!(&refused, EngineError::Audience(problem) if problem.code() == "too_many_audiences"));
    }

    let top = engine.audience_top(&by, "true", None, (2, "sum(orders.map(o, o.paid))"), USERS).await.unwrap();
    let top: Vec<_> = top.members.iter().map(|one| (one.member.as_str(), one.value.as_str())).collect();
    assert_eq!(top, [("dan", "700"), ("cid", "70")]);

    let one = engine.audience_sample(&by, "true", None, (2, 7), IDS).await.unwrap();
    let again = engine.audience_sample(&by, "true", None, (2, 7), IDS).await.unwrap();
    assert_eq!((one.members.len(), &one.members, one.count), (2, &again.members, again.count));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_named() {
    let home = lived().await;
    let (engine, by) = (home.engine(), owner());
    let code = |error: EngineError| match error {
        EngineError::Audience(problem) => (problem.code(), problem.field(), problem.to_string()),
        other => panic!("{other}"),
    };
    let refused = code(engine.audience_count(&by, "tire == \"gold\"", None).await.unwrap_err());
    assert_eq!((refused.0, refused.1), ("bad_condition", "condition"));
    assert!(refused.2.contains("column 1") && refused.2.contains("tier"), "{}", refused.2);
    let refused = code(engine.audience_count(&by, "@nobody", None).await.unwrap_err());
    assert_eq!((refused.0, refused.1), ("audience_unknown", "condition"));
    for (by_what, step, expected) in [
        ("orders", None, "bad_expression"),
        ("attr.nothing", None, "bad_expression"),
        ("points", Some("0"), "bad_step"),
        ("points", Some("x"), "bad_step"),
    ] {
        let refused = engine.audience_breakdown(&by, "true", None, (by_what, step)).await.unwrap_err();
        assert_eq!(code(refused).0, expected, "{by_what}");
    }
    let nowhere = Names { namespace: Some("nothing"), export: true };
    let refused = engine.audience_members(&by, "true", None, nowhere).await.unwrap_err();
    assert_eq!(code(refused).0, "namespace_unknown");
}

#[tokio::test]
async fn why_says_what_each_part_comes_to_and_what_turns_it() {
    let home = lived().await;
    let member = home.member("cid").await.member.id;
    let condition =
        r#"size(within(orders, "30d")) >= 2 || days_since(last(orders)) <= 40 && !(tier == "gold")"#;
    let why = home.engine().audience_why(&owner(), member, condition, None).await.unwrap();
    assert!(why.holds);
    // The order was on 6 March in Shanghai; it is 41 days old on 16 April.
    assert_eq!(why.turns_at.as_deref(), Some("2017-04-15T16:00:00Z"));
    let parts: Vec<_> = why
        .parts
        .iter()
        .map(|part| (part.depth, part.kind, part.holds, part.value.as_deref(), part.needs.as_deref()))
        .collect();
    assert_eq!(
        parts,
        [
            (0, "or", true, None, None),
            (1, "is", false, Some("1"), Some("more by 1")),
            (1, "and", true, None, None),
            (2, "is", true, Some("26"), Some("more by more than 14")),
            (2, "not", true, None, None),
            (3, "is", false, Some("regular"), None),
        ]
    );
    let past = home.engine().audience_why(&owner(), member, "size(orders) == 1", day("2017-03-05")).await;
    assert!(matches!(past, Err(EngineError::Read(_))), "not known by then");
}

#[tokio::test]
async fn nobody_counts_whom_they_may_not_see() {
    let home = Home::new(SHIPPED).await;
    let places = "code,kind,parent,name_en\nb,brand,,Brand\ns1,store,b,One\ns2,store,b,Two\n";
    home.engine().import_places(Some(places.as_bytes()), None, "test", false).await.unwrap();
    let bought = |who: &str, store: &str| {
        let properties = json!({"order_id": who, "total": "50", "store_id": store});
        track(&format!("o-{who}"), who, "Order Completed", "2017-03-01T04:00:00Z", properties)
    };
    home.live_through(&[
        bought("ann", "s1"),
        bought("bob", "s2"),
        bought("cid", "s2"),
        identify("i", "cid", "2017-03-01T04:00:00Z", json!({"advisor": "a7"})),
    ])
    .await;
    home.now_is(at("2017-03-05T04:00:00Z")).await;
    let grant = |role: Role, place: Option<&str>, staff: Option<&str>| Grant {
        who: "key:0".to_owned(),
        role,
        place: place.map(str::to_owned),
        staff: staff.map(str::to_owned),
        scopes: None,
    };
    let engine = home.engine();
    for (grant, expected) in [
        (grant(Role::Owner, None, None), Some(3)),
        (grant(Role::Analyst, None, None), Some(3)),
        (grant(Role::StoreManager, Some("s2"), None), Some(2)),
        (grant(Role::StoreManager, Some("b"), None), Some(3)),
        (grant(Role::Advisor, Some("s2"), Some("a7")), Some(1)),
        (grant(Role::Cashier, Some("s2"), None), None),
    ] {
        let count =
            engine.audience_count(&grant, "size(orders) == 1", None).await.ok().map(|view| view.count);
        assert_eq!(count, expected, "{:?} {:?}", grant.role, grant.place);
        let over = engine.audience_overlap(&grant, &["true".to_owned()], None).await.ok();
        assert_eq!(over.map(|view| view.counts[0]), expected);
    }
    let masked =
        engine.audience_members(&grant(Role::Marketer, None, None), "true", None, USERS).await.unwrap();
    assert!(masked.members.iter().all(|name| !["ann", "bob", "cid"].contains(&name.as_str())), "{masked:?}");
    let hidden =
        engine.audience_members(&grant(Role::Analyst, None, None), "true", None, USERS).await.unwrap();
    assert!(hidden.members.iter().all(|name| name.len() == 32), "ids: {hidden:?}");
    let refused =
        engine.audience_members(&grant(Role::StoreManager, Some("s2"), None), "true", None, USERS).await;
    assert!(matches!(refused, Err(EngineError::Denied(_))), "managers do not export");
}

pub(crate) fn keeping(bytes: usize) -> Keeping {
    Keeping { bytes, consumer: "audience-test".to_owned(), folder: None }
}

#[tokio::test]
async fn what_is_kept_follows_the_record() {
    let home = lived().await;
    let engine = home.engine();
    let mut keeper = engine.audiences_built(&keeping(usize::MAX)).await.unwrap();
    assert!(engine.audiences_caught_up(&mut keeper).await.unwrap());
    let paid = |n: i64| format!("sum(orders.map(o, o.paid)) == {n}");
    assert_eq!(who(&home, &paid(700), None).await, ["dan"]);
    // Somebody new, somebody who changed, two who are one person, and one of them erased of what was said.
    let when = "2017-04-01T00:10:00Z";
    home.now_is(at("2017-04-01T00:20:00Z")).await;
    home.live_through(&[
        order("n1", "eve", "n1", when, "11"),
        refund("n2", "cid", "3", when, "20"),
        identify("n3", "bob", when, json!({"city": "Wuhan"})),
    ])
    .await;
    assert_eq!(who(&home, &paid(11), None).await, [""; 0], "not before it is caught up");
    kept(&home, &mut keeper, &paid(11), &["eve"]).await;
    for (condition, expected) in
        [(paid(50), vec!["cid"]), (r#"attr.city == "Wuhan""#.to_owned(), vec!["ann", "bob"])]
    {
        assert_eq!(who(&home, &condition, None).await, expected, "{condition}");
    }
    let names = ["dan", "eve"]
        .map(|name| zhiyin_model::event::Identifier { namespace: "user".to_owned(), value: name.to_owned() });
    let merged = engine.merge(&names, "a test says so").await.unwrap();
    assert!(merged == Verdict::Accepted, "{merged:?}");
    home.settle().await;
    // One member with two names.
    kept(&home, &mut keeper, &paid(711), &["dan", "eve"]).await;
    assert_eq!(engine.audience_count(&owner(), "true", None).await.unwrap().count, 4);
    assert_eq!(engine.audiences_differ(&keeper).await.unwrap(), 0);
    // Every way of asking says the same.
    let moment = engine.moment(None).await.unwrap();
    for condition in
        ["size(orders) >= 1", "points > 50", r#"days_since(last(orders)) > 10 || tier == "gold""#]
    {
        let found = engine.audience_of_record(condition, moment).await.unwrap();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(engine.audience_members(&owner(), condition, None, IDS).await.unwrap().members, {
            let mut sorted = found;
            sorted.sort();
            sorted
        });
    }
}

#[tokio::test]
async fn other_attributes_are_other_columns() {
    let home = lived().await;
    let engine = home.engine();
    let mut keeper = engine.audiences_built(&keeping(usize::MAX)).await.unwrap();
    assert!(engine.audiences_caught_up(&mut keeper).await.unwrap());
    let told =
        |name: &str| format!("{SHIPPED}attributes:\n  {name}: {{ type: text, name: {{ en: {name} }} }}\n");
    home.apply(&told("shoe_size"), at("2017-04-01T00:00:00Z")).await;
    assert!(!engine.audiences_caught_up(&mut keeper).await.unwrap(), "built anew");
    let refused = engine.audience_count(&owner(), "true", None).await.unwrap_err();
    assert!(matches!(&refused, EngineError::Audience(problem) if problem.code() == "audiences_unavailable"));
    let mut keeper = engine.audiences_built(&keeping(usize::MAX)).await.unwrap();
    assert!(engine.audiences_caught_up(&mut keeper).await.unwrap());
    assert_eq!(who(&home, "!has(attr.shoe_size)", None).await, ["ann", "bob", "cid", "dan"]);
}

#[tokio::test]
async fn too_little_memory_is_said_so() {
    let home = lived().await;
    let refused = home.engine().audiences_built(&keeping(10)).await.err();
    assert!(
        matches!(&refused, Some(EngineError::Audience(problem)) if problem.code() == "audiences_unavailable")
    );
}

#[tokio::test]
async fn a_snapshot_and_the_feed_after_it_are_what_the_record_says() {
    let mut home = lived().await;
    let folder = std::env::temp_dir().join(format!("zhiyin-audience-{}", std::process::id()));
    let how = Keeping { folder: Some(folder.clone()), ..keeping(usize::MAX) };
    let why = home.engine().audiences_opened(&how).await.unwrap().err();
    assert_eq!(why.as_deref(), Some("there is no snapshot"));
    let mut keeper = home.engine().audiences_built(&how).await.unwrap();
    assert!(home.engine().audiences_caught_up(&mut keeper).await.unwrap());
    home.engine().audiences_saved(&how, &keeper).await.unwrap();
    home.now_is(at("2017-04-01T00:20:00Z")).await;
    home.live_through(&[order("n1", "eve", "n1", "2017-04-01T00:10:00Z", "11")]).await;
    home.reopen().await;
    let mut keeper =
        home.engine().audiences_opened(&how).await.unwrap().map_err(|why| panic!("{why}")).unwrap();
    kept(&home, &mut keeper, "size(orders) >= 1", &["ann", "cid", "dan", "eve"]).await;
    assert_eq!(home.engine().audiences_differ(&keeper).await.unwrap(), 0);
    // What the feed no longer has is not missed in silence.
    home.engine().store().crowd().unfollow(&how.consumer).await.unwrap();
    let why = home.engine().audiences_opened(&how).await.unwrap().err();
    assert_eq!(why.as_deref(), Some("the feed was forgotten beyond it"));
    assert!(!home.engine().audiences_begun(&how).await, "the record is asked instead");
    assert_eq!(who(&home, "size(orders) >= 1", None).await, ["ann", "cid", "dan", "eve"]);
    let small = Keeping { bytes: 10, ..how.clone() };
    assert!(!home.engine().audiences_begun(&small).await, "nor does one that is too large fail");
    // Nor is what is torn.
    let manifest = folder.join("manifest.json");
    std::fs::write(&manifest, &std::fs::read(&manifest).unwrap()[..40]).unwrap();
    let why = home.engine().audiences_opened(&how).await.unwrap().err();
    assert!(why.is_some_and(|why| why.contains("torn")));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_saved_audience_is_asked_by_its_name() {
    let home = lived().await;
    let playbook = format!(
        "{SHIPPED}audiences:\n  shoppers: {{ name: {{ en: Shoppers }}, who: size(orders) >= 1 }}\n  press: {{ name: {{ en: Press }} }}\n"
    );
    home.apply(&playbook, at("2017-04-01T00:00:00Z")).await;
    for condition in ["@shoppers", r#"audience("shoppers")"#, "size(orders) >= 1"] {
        assert_eq!(who(&home, condition, None).await, ["ann", "cid", "dan"], "{condition}");
    }
    for condition in ["@press", r#"size(orders) >= 1 || audience("press")"#] {
        let refused = home.engine().audience_count(&owner(), condition, None).await.unwrap_err();
        assert!(matches!(&refused, EngineError::Audience(problem) if problem.code() == "audience_is_a_list"));
    }
}
