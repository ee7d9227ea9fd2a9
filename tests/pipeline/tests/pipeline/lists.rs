//! Lists of members that somebody uploads: identifiers are matched with who bears them, and conditions ask the list.

use serde_json::json;
use zhiyin_engine::EngineError;
use zhiyin_engine::audience::answers::Names;
use zhiyin_engine::audience::keep::{Keeper, Keeping};
use zhiyin_engine::lists::{Line, Others, Unmatched, UploadView};
use zhiyin_engine::people::Found;
use zhiyin_model::event::Identifier;
use zhiyin_model::role::{Grant, Role};
use zhiyin_model::time::Day;

use crate::home::{Home, at};
use crate::items::order;
use crate::playbooks;

const BRAND: &str = r#"
playbook: brand
extends: variety-store
identity: { namespaces: { user: { limit: 10 } } }
audiences:
  press: { name: { zh: 媒体, en: Press } }
  friends: { name: { zh: 朋友, en: Friends }, who: 'audience("press") && size(orders) >= 1' }
"#;
const NOON: &str = "2017-03-01T04:00:00Z";
const USERS: Names<'static> = Names { namespace: Some("user"), export: true };

fn owner() -> Grant {
    Grant::system("ann")
}

/// A home with these people, each of whom ordered once.
async fn home(who: &[&str]) -> Home {
    let home = Home::new(BRAND).await;
    let orders = who.iter().map(|who| order(&format!("o-{who}"), who, who, NOON, "10"));
    home.live_through(&orders.collect::<Vec<_>>()).await;
    home.now_is(at("2017-04-01T00:00:00Z")).await;
    home
}

fn line(no: u64, text: &str) -> Line {
    match text.split_once('=') {
        Some((namespace, value)) => {
            Line { no, namespace: Some(namespace.to_owned()), value: value.to_owned() }
        }
        None => Line { no, namespace: None, value: text.to_owned() },
    }
}

async fn upload(home: &Home, list: &str, lines: &[&str], others: Others) -> (UploadView, Vec<Unmatched>) {
    let mut upload = home.engine().list_upload(&owner(), list).await.unwrap();
    let mut unmatched = Vec::new();
    // A part at a time, as a file is read.
    for (first, part) in (1..).step_by(2).zip(lines.chunks(2)) {
        let part = (first..).zip(part).map(|(no, text)| line(no, text)).collect();
        unmatched.extend(upload.take(part).await.unwrap());
    }
    (upload.end(others).await.unwrap(), unmatched)
}

async fn who(home: &Home, condition: &str) -> Vec<String> {
    home.engine().audience_members(&owner(), condition, None, USERS).await.unwrap().members
}

fn refusal<T>(refused: Result<T, EngineError>) -> &'static str {
    match refused {
        Err(EngineError::Audience(problem)) => problem.code(),
        Err(EngineError::List(problem)) => problem.code(),
        Err(error) => panic!("{error}"),
        Ok(_) => "nothing",
    }
}

async fn count(home: &Home, condition: &str) -> Result<u64, EngineError> {
    Ok(home.engine().audience_count(&owner(), condition, None).await?.count)
}

#[tokio::test]
async fn an_upload_says_whom_it_found_and_conditions_ask_the_list() {
    let home = home(&["ann", "bob", "cid", "7"]).await;
    // Somebody else has the card of that number.
    let card = json!({"type": "track", "event": "Card Shown", "messageId": "c1", "userId": "bob", "timestamp": NOON,
        "context": {"externalIds": [{"id": "7", "type": "card"}, {"id": "8", "type": "crm"}]}, "properties": {}});
    home.live_through(&[card]).await;
    assert_eq!(refusal(count(&home, "@press").await), "audience_is_a_list");
    assert_eq!(refusal(count(&home, "@friends").await), "audience_is_a_list");
    assert_eq!(refusal(count(&home, "@vips").await), "audience_unknown");

    let Found::One(cid) = home.engine().find("user:cid").await.unwrap() else { panic!() };
    let id = cid.to_string();
    let lines = [
        "user=ann",
        " ann ",
        "7",
        "user:bob",
        "crm=8",
        "nobody",
        "user=nobody",
        "phone=12",
        &id,
        "member=12",
        "phone=000",
    ];
    let (view, unmatched) = upload(&home, "press", &lines, Others::Leave).await;
    let told: Vec<(u64, &str, String)> =
        unmatched.iter().map(|one| (one.line, one.why, one.namespaces.join(" "))).collect();
    assert_eq!(
        told,
        [
            (3, "ambiguous", "card user".to_owned()),
            (6, "unknown", String::new()),
            (7, "unknown", String::new()),
            (8, "phone_malformed", String::new()),
            (10, "unknown", String::new()),
            (11, "identifier_blocked", String::new()),
        ]
    );
    let counts =
        (view.lines, view.matched, view.ambiguous, view.unknown, view.added, view.removed, view.members);
    assert_eq!(counts, (11, 5, 1, 5, 4, 0, 3), "bob by two names, ann by one that comes twice");
    for (condition, expected) in [
        ("@press", vec!["ann", "bob", "cid"]),
        (r#"audience("press") && days_since(last(orders)) < 99"#, vec!["ann", "bob", "cid"]),
        (r#"!audience("press")"#, vec!["7"]),
        ("@friends", vec!["ann", "bob", "cid"]),
        (r#"size(tags) > 100 || audience("press") == (points > 1000)"#, vec!["7"]),
    ] {
        assert_eq!(who(&home, condition).await, expected, "{condition}");
        let moment = home.engine().moment(None).await.unwrap();
        assert_eq!(home.engine().audience_of_record(condition, moment).await.unwrap().len(), expected.len());
    }
    let why = home.engine().audience_why(&owner(), cid, "@friends", None).await.unwrap();
    assert!(why.holds);
    // As of a past day the list is that of now.
    let then = home.engine().audience_count(&owner(), "@press", Day::parse("2017-03-02")).await.unwrap();
    assert_eq!(then.count, 3);
    // The same once more changes nothing; what the file does not name leaves, or stays.
    assert_eq!(upload(&home, "press", &lines, Others::Leave).await.0.added, 0);
    let (added, _) = upload(&home, "press", &["user=7"], Others::Stay).await;
    assert_eq!((added.added, added.removed, added.members), (1, 0, 4));
    let (replaced, _) = upload(&home, "press", &["user=7"], Others::Leave).await;
    assert_eq!((replaced.added, replaced.removed, replaced.members), (0, 4, 1));
    assert_eq!(who(&home, "@press").await, ["7"]);
    assert_eq!(home.engine().list_removed(&owner(), "press").await.unwrap(), 1);
    assert_eq!(refusal(count(&home, "@press").await), "audience_is_a_list");
    assert_eq!(refusal(home.engine().list_removed(&owner(), "press").await), "list_unknown");
}

#[tokio::test]
async fn a_name_is_a_list_or_an_audience_and_never_both() {
    let home = home(&["ann"]).await;
    for (name, expected) in [
        ("friends", "list_name_taken"),
        ("Press", "bad_list_name"),
        ("", "bad_list_name"),
        ("1st", "bad_list_name"),
        ("press\n", "bad_list_name"),
        ("press", "nothing"),
    ] {
        assert_eq!(refusal(home.engine().list_upload(&owner(), name).await), expected, "{name:?}");
    }
    // A list that the playbook does not name is asked all the same, until it would mean something else.
    upload(&home, "vips", &["ann"], Others::Leave).await;
    assert_eq!(who(&home, r#"audience("vips") && size(orders) == 1"#).await, ["ann"]);
    let collides = format!("{BRAND}  vips: {{ name: {{ en: Vips }}, who: points > 9 }}\n");
    let refused = home.engine().apply(&playbooks::parse(&collides)).await;
    assert_eq!(refusal(refused), "list_name_taken");
    home.engine().list_removed(&owner(), "vips").await.unwrap();
    home.engine().apply(&playbooks::parse(&collides)).await.unwrap();
    assert_eq!(refusal(home.engine().list_upload(&owner(), "vips").await), "list_name_taken");
    // What is kept current cannot ask a list, and says what to do instead.
    let standing = BRAND.replace("size(orders) >= 1'", "size(orders) >= 1', standing: true");
    let Err(problems) = zhiyin_engine::Rules::compile(&playbooks::parse(&standing)) else { panic!() };
    assert!(problems[0].message.contains("put a tag on its members instead"), "{problems:?}");
    // Others may count, and not upload.
    let grant = Grant { role: Role::Analyst, ..owner() };
    assert!(matches!(home.engine().list_upload(&grant, "press").await, Err(EngineError::Denied(_))));
    assert_eq!(home.engine().list(&grant, "press").await.unwrap().members, 0);
}

#[tokio::test]
async fn an_upload_that_another_one_overtakes_ends() {
    let home = home(&["ann", "bob"]).await;
    let mut first = home.engine().list_upload(&owner(), "press").await.unwrap();
    first.take(vec![line(1, "user=ann")]).await.unwrap();
    upload(&home, "press", &["user=bob"], Others::Leave).await;
    assert_eq!(refusal(first.take(vec![line(2, "user=ann")]).await), "list_overtaken");
    assert_eq!(refusal(first.end(Others::Leave).await), "list_overtaken");
    assert_eq!(who(&home, "@press").await, ["bob"]);
}

/// Takes in what the feed shows until a condition finds whom it should.
async fn kept(home: &Home, keeper: &mut Keeper, condition: &str, expected: &[&str]) {
    for _ in 0..20_000 {
        assert!(home.engine().audiences_caught_up(keeper).await.unwrap());
        if who(home, condition).await == expected {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{condition} never found {expected:?}");
}

fn names(who: &[&str]) -> Vec<Identifier> {
    let name = |who: &&str| Identifier { namespace: "user".to_owned(), value: (*who).to_owned() };
    who.iter().map(name).collect()
}

#[tokio::test]
async fn columns_follow_lists_and_lists_follow_people() {
    let home = home(&["ann", "bob", "cid"]).await;
    let engine = home.engine();
    let how = Keeping { bytes: usize::MAX, consumer: "audience-lists".to_owned(), folder: None };
    let mut keeper = engine.audiences_built(&how).await.unwrap();
    assert!(engine.audiences_caught_up(&mut keeper).await.unwrap());
    upload(&home, "press", &["user=ann", "user=bob"], Others::Leave).await;
    upload(&home, "guests", &["user=bob", "user=cid"], Others::Leave).await;
    // On a server that others use, the feed may show the one before the other.
    kept(&home, &mut keeper, "@press", &["ann", "bob"]).await;
    kept(&home, &mut keeper, "@guests", &["bob", "cid"]).await;
    kept(&home, &mut keeper, r#"audience("press") && audience("guests")"#, &["bob"]).await;
    let counts = async || -> Vec<(String, u64)> {
        let lists = engine.lists(&owner()).await.unwrap();
        lists.into_iter().map(|list| (list.name, list.members)).collect()
    };
    assert_eq!(counts().await, [("guests".to_owned(), 2), ("press".to_owned(), 2)]);
    // Who is one person is on the lists of both; parted again, each on those of their own name.
    engine.merge(&names(&["ann", "cid"]), "a test says so").await.unwrap();
    home.settle().await;
    kept(&home, &mut keeper, r#"audience("press") && audience("guests")"#, &["ann", "bob", "cid"]).await;
    assert_eq!(counts().await, [("guests".to_owned(), 2), ("press".to_owned(), 2)]);
    engine.unmerge(&names(&["cid"]), "a test says so").await.unwrap();
    home.settle().await;
    kept(&home, &mut keeper, r#"audience("press") && audience("guests")"#, &["bob"]).await;
    kept(&home, &mut keeper, "@guests", &["bob", "cid"]).await;
    kept(&home, &mut keeper, "@press", &["ann", "bob"]).await;
    upload(&home, "press", &["user=cid"], Others::Leave).await;
    kept(&home, &mut keeper, "@press", &["cid"]).await;
    assert_eq!(engine.audiences_differ(&keeper).await.unwrap(), 0);
    engine.list_removed(&owner(), "guests").await.unwrap();
    kept(&home, &mut keeper, "@press", &["cid"]).await;
    assert_eq!(counts().await, [("press".to_owned(), 1)]);
    home.healthy().await;
}

#[tokio::test]
async fn whoever_uploads_a_list_and_asks_next_is_answered_with_it() {
    let home = home(&["ann", "bob"]).await;
    let engine = home.engine();
    let how = Keeping { bytes: usize::MAX, consumer: "audience-told".to_owned(), folder: None };
    let asked = async {
        while count(&home, "true").await.ok() != Some(2) {
            tokio::task::yield_now().await;
        }
        for named in [["user=ann"], ["user=bob"], ["user=ann"], ["user=bob"]] {
            let (view, _) = upload(&home, "press", &named, Others::Leave).await;
            assert_eq!(view.members, 1);
            assert_eq!(who(&home, "@press").await, [named[0].trim_start_matches("user=")]);
        }
        let (view, _) = upload(&home, "press", &["user=ann"], Others::Stay).await;
        assert_eq!((view.members, count(&home, "@press").await.unwrap()), (2, 2));
        assert_eq!(engine.list(&owner(), "press").await.unwrap().members, 2);
    };
    tokio::select! {
        () = engine.keep_audiences(&how, std::future::pending()) => panic!("nobody told it to stop"),
        () = asked => {}
    }
}
