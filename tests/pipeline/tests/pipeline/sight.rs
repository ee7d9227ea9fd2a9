//! Who may see what: a table over roles and readings. What lies outside of a grant's scope is answered like what does not exist,
//! and what is masked is masked.

use serde_json::{Value, json};
use zhiyin_engine::letters::{LettersAsked, Retried};
use zhiyin_engine::members::{LotsAsked, MembersAsked, OrdersAsked, TimelineAsked};
use zhiyin_engine::readings::Reported;
use zhiyin_engine::reports::Report;
use zhiyin_engine::sight::ReadProblem;
use zhiyin_engine::{Engine, EngineError};
use zhiyin_model::id::MemberId;
use zhiyin_model::role::{Grant, Operation, Role};
use zhiyin_model::time::Day;

use crate::home::{Home, at};
use crate::items::{identify, track};
use crate::playbooks::SHIPPED;
use crate::reading::NOON;

const PLACES: &str =
    "code,kind,parent,name_en\nb,brand,,Brand\neast,region,b,East\ns1,store,east,One\ns2,store,b,Two\n";
const PHONES: [&str; 3] = ["+8613812340001", "+8613812340002", "+8613812340003"];

fn grant(role: Role, place: &str, staff: &str) -> Grant {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Grant { who: "key:0".to_owned(), role, place: some(place), staff: some(staff), scopes: None }
}

/// Ann was met in s1 and is looked after by a7, bob in s2 by a8, cid nowhere by nobody.
async fn town() -> Home {
    let home = Home::new(SHIPPED).await;
    let imported = home.engine().import_places(Some(PLACES.as_bytes()), None, "test", false).await.unwrap();
    assert_eq!(imported.faults, []);
    let known = |who: &str, name: &str, phone: &str, more: Value| {
        let mut traits =
            json!({"name": name, "phone": phone, "wechat": format!("wxid_{phone}"), "gender": "female"});
        traits.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut item = identify(&format!("i-{who}"), who, NOON, traits);
        item["context"] = json!({"externalIds": [{"id": phone, "type": "phone"}]});
        item
    };
    let bought = |who: &str, store: &str| {
        track(
            &format!("o-{who}"),
            who,
            "Order Completed",
            NOON,
            json!({"order_id": who, "total": "50", "store_id": store}),
        )
    };
    home.live_through(&[
        known("ann", "张伟", PHONES[0], json!({"advisor": "a7"})),
        known("bob", "张三丰", PHONES[1], json!({"advisor": "a8"})),
        known("cid", "Zhang Wei", PHONES[2], json!({})),
        bought("ann", "s1"),
        bought("bob", "s2"),
    ])
    .await;
    home.accept(&[track(
        "dead",
        "ann",
        "Order Refunded",
        NOON,
        json!({"order_id": "secret-404", "total": "1"}),
    )])
    .await;
    home.settle().await;
    home.now_is(at("2017-03-05T04:00:00Z")).await;
    home
}

async fn id(home: &Home, user: &str) -> String {
    home.member(user).await.member.id.to_string()
}

/// An answer in short: what was found, or the code of the refusal.
fn short<T>(answer: Result<T, EngineError>, shown: impl FnOnce(T) -> String) -> String {
    match answer {
        Ok(answer) => shown(answer),
        Err(EngineError::Read(problem)) => problem.code().to_owned(),
        Err(EngineError::Denied(denied)) => denied.code().to_owned(),
        Err(EngineError::NoPlace(_)) => "place_unknown".to_owned(),
        Err(other) => panic!("{other}"),
    }
}

fn names(of: &[Option<String>]) -> String {
    of.iter().map(|name| name.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(" ")
}

async fn list(engine: &Engine, grant: &Grant, name: Option<&str>) -> String {
    let asked = MembersAsked { name: name.map(str::to_owned), limit: 50, ..MembersAsked::default() };
    short(engine.members(grant, &asked).await, |page| {
        let mut shown: Vec<Option<String>> = page.items.into_iter().map(|one| one.name).collect();
        shown.sort();
        names(&shown)
    })
}

/// Every reading of one member: all give the same refusal, or all show them.
async fn read(engine: &Engine, grant: &Grant, id: &str) -> String {
    let whole = short(engine.member(grant, id).await, |one| names(&[one.name]));
    let timeline = TimelineAsked { limit: 5, ..TimelineAsked::default() };
    let timeline = short(engine.member_timeline(grant, id, &timeline).await, |_| whole.clone());
    let lots = LotsAsked { limit: 5, cursor: None };
    let lots = short(engine.member_lots(grant, id, &lots).await, |_| whole.clone());
    assert_eq!((&timeline, &lots), (&whole, &whole));
    whole
}

async fn orders(engine: &Engine, grant: &Grant, id: &str) -> String {
    let asked = OrdersAsked { limit: 5, cursor: None };
    short(engine.member_orders(grant, id, &asked).await, |page| page.items.len().to_string())
}

const NO: &str = "operation_refused";
const NOBODY: &str = "member_unknown";

#[tokio::test]
async fn members_are_seen_as_far_as_a_role_reaches() {
    let home = town().await;
    let engine = home.engine();
    let (ann, bob) = (id(&home, "ann").await, id(&home, "bob").await);
    let stranger = MemberId::from_bytes([9; 16]).to_string();
    // Listed, found by name, ann read, bob read, ann's orders, bob's orders.
    for (grant, expected) in [
        (grant(Role::Owner, "", ""), ["Zhang Wei 张三丰 张伟", "Zhang Wei 张伟", "张伟", "张三丰", "1", "1"]),
        (grant(Role::Marketer, "", ""), ["Z＊ 张＊ 张＊", "Z＊ 张＊", "张＊", "张＊", "1", "1"]),
        // Who may not look people up may not try names.
        (grant(Role::Analyst, "", ""), ["Z＊ 张＊ 张＊", "name_search_refused", "张＊", "张＊", "1", "1"]),
        (grant(Role::StoreManager, "east", ""), ["张＊", "张＊", "张伟", NOBODY, "1", "0"]),
        (grant(Role::StoreManager, "s2", ""), ["张＊", "", NOBODY, "张三丰", "0", "1"]),
        (grant(Role::StoreManager, "b", ""), ["张＊ 张＊", "张＊", "张伟", "张三丰", "1", "1"]),
        (grant(Role::StoreManager, "nowhere", ""), ["", "", NOBODY, NOBODY, "0", "0"]),
        (grant(Role::Advisor, "s1", "a7"), ["张伟", "张伟", "张伟", NOBODY, NO, NO]),
        (grant(Role::Advisor, "s1", "a8"), ["张三丰", "", NOBODY, "张三丰", NO, NO]),
        (grant(Role::Advisor, "s1", "a9"), ["", "", NOBODY, NOBODY, NO, NO]),
        (grant(Role::Cashier, "s1", ""), [NO, NO, NO, NO, "1", "0"]),
        (grant(Role::Public, "", ""), [NO, NO, NO, NO, NO, NO]),
    ] {
        let seen = [
            list(engine, &grant, None).await,
            list(engine, &grant, Some("zhang wei")).await,
            read(engine, &grant, &ann).await,
            read(engine, &grant, &bob).await,
            orders(engine, &grant, &ann).await,
            orders(engine, &grant, &bob).await,
        ];
        assert_eq!(seen, expected, "{grant:?}");
        // Who does not exist is answered like who may not be seen.
        let nobody = read(engine, &grant, &stranger).await;
        assert!(nobody == NOBODY || nobody == NO, "{grant:?}: {nobody}");
        let none = orders(engine, &grant, &stranger).await;
        let unseen = if expected[4] == NO {
            NO
        } else if grant.place.is_some() {
            "0"
        } else {
            NOBODY
        };
        assert_eq!(none, unseen, "{grant:?}");
    }
    // A key that was narrowed does what it was narrowed to.
    let only = Grant { scopes: Some([Operation::MemberRead].into()), ..grant(Role::Owner, "", "") };
    assert_eq!(list(engine, &only, None).await, "key_narrowed");
    assert_eq!(read(engine, &only, &ann).await, "张伟");
    assert_eq!(list(engine, &grant(Role::StoreManager, "", ""), None).await, "grant_without_place");
    assert_eq!(list(engine, &grant(Role::Advisor, "s1", ""), None).await, "grant_without_staff");
    for wrong in ["", "xyz", "0123", &format!("{ann}0"), "user:ann"] {
        assert_eq!(read(engine, &grant(Role::Owner, "", ""), wrong).await, NOBODY, "{wrong}");
    }
}

#[tokio::test]
async fn what_is_masked_is_masked_wherever_it_stands() {
    let home = town().await;
    let (engine, ann) = (home.engine(), id(&home, "ann").await);
    let hidden = ["张伟", PHONES[0], "13812340001", "wxid_", "secret-404"];
    for role in [Role::Marketer, Role::Analyst] {
        let grant = grant(role, "", "");
        let whole = engine.member(&grant, &ann).await.unwrap();
        let asked = MembersAsked { limit: 50, ..MembersAsked::default() };
        let listed = engine.members(&grant, &asked).await.unwrap();
        let letters = LettersAsked { limit: 50, ..LettersAsked::default() };
        let letters = engine.dead_letters(&grant, &letters).await.unwrap();
        let orders =
            engine.member_orders(&grant, &ann, &OrdersAsked { limit: 5, cursor: None }).await.unwrap();
        let timeline = TimelineAsked { limit: 50, ..TimelineAsked::default() };
        let timeline = engine.member_timeline(&grant, &ann, &timeline).await.unwrap();
        let report = engine.report_view(&grant, Reported::Report(Report::Members), None, None).await.unwrap();
        let all = json!([whole, listed, letters, orders, timeline, report]).to_string();
        for text in hidden {
            assert!(!all.contains(text), "{role}: {text} in {all}");
        }
        assert!(all.contains("+86138****0001") && all.contains("female"), "{all}");
        assert_eq!(letters.items[0].code, "order_unknown");
    }
    // Who may see people sees why.
    let letters = LettersAsked { limit: 50, ..LettersAsked::default() };
    let letters = engine.dead_letters(&grant(Role::Owner, "", ""), &letters).await.unwrap();
    assert_eq!(letters.items[0].message_id.as_deref(), Some("dead"));
    // Reports name nobody, whoever asks.
    let owner = grant(Role::Owner, "", "");
    let report = engine.report_view(&owner, Reported::Report(Report::Members), None, None).await.unwrap();
    let report = json!(report).to_string();
    assert!(report.contains(&ann) && !report.contains("\"ann\""), "{report}");
}

#[tokio::test]
async fn reports_are_cut_by_what_a_role_reaches() {
    let home = town().await;
    let engine = home.engine();
    let sum = |view: &zhiyin_engine::readings::ReportView, column: &str| -> i64 {
        view.rows.iter().filter_map(|row| row[column].as_i64()).sum()
    };
    let tiers = Reported::Report(Report::Tiers);
    for (grant, under, expected) in [
        (grant(Role::Owner, "", ""), None, "3 2"),
        (grant(Role::Owner, "", ""), Some("east"), "1 1"),
        (grant(Role::Owner, "", ""), Some("nowhere"), "place_unknown"),
        (grant(Role::Analyst, "", ""), Some("s2"), "1 1"),
        (grant(Role::StoreManager, "east", ""), None, "1 1"),
        (grant(Role::StoreManager, "b", ""), Some("s2"), "1 1"),
        (grant(Role::StoreManager, "east", ""), Some("s2"), "place_unknown"),
        (grant(Role::StoreManager, "east", ""), Some("nowhere"), "place_unknown"),
        (grant(Role::Advisor, "s1", "a7"), None, "1 1"),
        (grant(Role::Advisor, "s1", "a9"), None, "0 0"),
        (grant(Role::Cashier, "s1", ""), None, NO),
    ] {
        let answer = engine.report_view(&grant, tiers, None, under).await;
        let seen = short(answer, |view| format!("{} {}", sum(&view, "members"), sum(&view, "orders")));
        assert_eq!(seen, expected, "{grant:?} {under:?}");
    }
    // The same numbers as the command line's, by name, cut and day.
    let owner = grant(Role::Owner, "", "");
    for named in Reported::ALL {
        for (day, under) in [(None, None), (Day::parse("2017-03-01"), None), (None, Some("east"))] {
            let Reported::Report(report) = named else { continue };
            let view = engine.report_view(&owner, named, day, under).await.unwrap();
            let table = engine.report_under(report, day, under).await.unwrap();
            // Members are called otherwise there, and stand in the order of that.
            let first = usize::from(report == Report::Members);
            let mut expected: Vec<Vec<String>> = table.rows.iter().map(|row| row[first..].to_vec()).collect();
            let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let columns = &table.columns[first..];
            let shown = view.rows.iter().map(|row| columns.iter().map(|column| cell(&row[column])).collect());
            let mut shown: Vec<Vec<String>> = shown.collect();
            shown.sort();
            expected.sort();
            assert_eq!(shown, expected, "{} {day:?} {under:?}", named.name());
        }
    }
    for (named, role, code) in [
        (Reported::Partners, grant(Role::StoreManager, "east", ""), "outside_scope"),
        (Reported::Report(Report::Ledger), grant(Role::Advisor, "s1", "a7"), "outside_scope"),
    ] {
        assert_eq!(short(engine.report_view(&role, named, None, None).await, |_| "seen".to_owned()), code);
    }
    let future = engine.report_view(&owner, tiers, Day::parse("2999-01-01"), None).await;
    assert!(matches!(future, Err(EngineError::AsOfFuture(..))));
}

/// Every reading of the brand and the home, in the order of [`seen`]'s table.
async fn brand(engine: &Engine, grant: &Grant) -> Vec<String> {
    let seen = |n: usize| n.to_string();
    let page = (50, None);
    let letters = LettersAsked { limit: 50, ..LettersAsked::default() };
    vec![
        short(engine.places_view(grant, None).await, |view| seen(view.places.len())),
        short(engine.place_view(grant, "s1").await, |place| place.path.join("/")),
        short(engine.place_view(grant, "nowhere").await, |_| "seen".to_owned()),
        short(engine.unknown_stores_view(grant).await, |view| seen(view.rows.len())),
        short(engine.playbooks_view(grant).await, |versions| seen(versions.len())),
        short(engine.dead_letters(grant, &letters).await, |page| seen(page.items.len())),
        short(engine.ingest_health(grant).await, |health| seen(health.dead_letters as usize)),
        short(engine.names_given_up(grant, page).await, |page| seen(page.items.len())),
        short(engine.duplicates(grant, None, page).await, |page| seen(page.items.len())),
        short(engine.audit_view(grant, None, page).await, |page| seen(page.items.len())),
        short(engine.doctor_view(grant).await, |doctor| doctor.well.to_string()),
        short(engine.retry_letters(grant, &Retried::These(vec![-1])).await, |done| {
            seen(done.put_back as usize)
        }),
    ]
}

#[tokio::test]
async fn the_brand_and_the_home_are_seen_as_the_table_says() {
    let home = town().await;
    let engine = home.engine();
    let (gone, not_cut) = ("place_unknown", "outside_scope");
    for (grant, expected) in [
        (grant(Role::Marketer, "", ""), ["4", "b/east/s1", gone, "0", "1", "1", "1", "0", "0", NO, NO, NO]),
        (grant(Role::Analyst, "", ""), ["4", "b/east/s1", gone, "0", "1", "1", "1", "0", NO, NO, NO, NO]),
        (
            grant(Role::StoreManager, "east", ""),
            ["2", "b/east/s1", gone, not_cut, "1", NO, NO, NO, "0", NO, NO, NO],
        ),
        (grant(Role::StoreManager, "s2", ""), ["1", gone, gone, not_cut, "1", NO, NO, NO, "0", NO, NO, NO]),
        (
            grant(Role::Advisor, "s1", "a7"),
            ["1", "b/east/s1", gone, not_cut, "1", NO, NO, NO, NO, NO, NO, NO],
        ),
        (grant(Role::Cashier, "s2", ""), ["1", gone, gone, not_cut, NO, NO, NO, NO, NO, NO, NO, NO]),
        (grant(Role::Public, "", ""), [NO; 12]),
        (
            grant(Role::Owner, "", ""),
            ["4", "b/east/s1", gone, "0", "1", "1", "1", "0", "0", "0", "true", "0"],
        ),
    ] {
        assert_eq!(brand(engine, &grant).await, expected, "{grant:?}");
    }
}

#[tokio::test]
async fn likely_doubles_are_seen_where_both_are_in_reach() {
    let home = town().await;
    let engine = home.engine();
    let mut ids = Vec::new();
    for user in ["ann", "bob", "cid"] {
        ids.push(home.member(user).await.member.id);
    }
    let pair = |one: usize, other: usize| {
        let (one, other) = (ids[one].min(ids[other]), ids[one].max(ids[other]));
        let evidence = json!({"rival": "stranger", "fields": []}).to_string();
        zhiyin_store::suggestion::NewSuggestion { one, other, score_ppm: 990_000, evidence }
    };
    let put = engine.store().put_suggestions(vec![pair(0, 1), pair(0, 2)], at(NOON)).await.unwrap();
    assert_eq!(put, 2);
    for (grant, n) in [
        (grant(Role::Owner, "", ""), 2),
        (grant(Role::StoreManager, "b", ""), 1),
        (grant(Role::StoreManager, "east", ""), 0),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = engine.duplicates(&grant, None, (1, cursor.as_deref())).await.unwrap();
            seen.extend(page.items.into_iter().map(|one| one.number));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), n, "{grant:?}");
        for number in 1..=3 {
            let one = engine.duplicate(&grant, number).await;
            assert_eq!(one.is_ok(), seen.contains(&number), "{grant:?} {number}");
            assert!(one.is_ok() || matches!(one, Err(EngineError::Read(ReadProblem::Nothing))));
        }
    }
}

#[tokio::test]
async fn dead_letters_are_put_back_by_what_they_are() {
    let home = town().await;
    let engine = home.engine();
    let owner = grant(Role::Owner, "", "");
    let all = |code: &str| Retried::All { code: Some(code.to_owned()), source: None };
    assert_eq!(engine.retry_letters(&owner, &all("nothing")).await.unwrap().put_back, 0);
    // What it refunds comes in at last.
    home.live_through(&[track(
        "late",
        "ann",
        "Order Completed",
        NOON,
        json!({"order_id": "secret-404", "total": "5"}),
    )])
    .await;
    let done = engine.retry_letters(&owner, &all("order_unknown")).await.unwrap();
    assert_eq!((done.put_back, done.more), (1, false));
    home.settle().await;
    assert_eq!(home.dead().await, []);
    let noted = engine.audit_view(&owner, None, (200, None)).await.unwrap();
    assert!(noted.items.iter().any(|line| line.operation == "dead_letters_retry" && line.outcome == "done"));
    assert!(engine.audit_verdict(&owner).await.unwrap().holds);
}
