//! What is kept of everybody, now and as of past days, says what the record says; whatever becomes of the feed or the home.

use std::future::Future;

use serde_json::json;
use zhiyin_engine::EngineError;
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::audience::keep::{Keeping, Taken};
use zhiyin_engine::lists::{Line, Others};
use zhiyin_model::role::{Grant, Role};
use zhiyin_model::time::Day;
use zhiyin_store::feed::Position;

use crate::audience::{IDS, keeping, lived, owner};
use crate::home::{Home, at};
use crate::items::{identify, order, refund};
use crate::playbooks::SHIPPED;

/// Who they are by the record alone, asked member by member.
async fn recorded(home: &Home, condition: &str, day: Option<Day>) -> Vec<String> {
    let moment = home.engine().moment(day).await.unwrap();
    let found = home.engine().audience_of_record(condition, moment).await.unwrap();
    let mut ids: Vec<String> = found.iter().map(ToString::to_string).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn a_past_day_that_is_kept_is_what_the_record_says_of_it() {
    let home = lived().await;
    let engine = home.engine();
    let mut keeper = engine.audiences_built(&keeping(usize::MAX)).await.unwrap();
    assert!(engine.audiences_caught_up(&mut keeper).await.unwrap());
    let asked = [r#"attr.city == "Wuhan""#, "sum(orders.map(o, o.paid)) >= 50", "points >= 70", "true"];
    let days = ["2017-03-12", "2017-03-20", "2017-03-31"].map(Day::parse);
    let when = "2017-04-01T00:10:00Z";
    for round in 0..3 {
        for (condition, day) in asked.iter().flat_map(|asked| days.iter().map(move |day| (asked, *day))) {
            let expected = recorded(&home, condition, day).await;
            // On PostgreSQL the feed is held back by whatever transaction runs, be it another test's.
            let mut found = Vec::new();
            for _ in 0..20_000 {
                found = engine.audience_members(&owner(), condition, day, IDS).await.unwrap().members;
                if found == expected {
                    break;
                }
                tokio::task::yield_now().await;
            }
            assert_eq!(found, expected, "{condition} as of {day:?}, round {round}");
        }
        home.now_is(at("2017-04-01T00:20:00Z")).await;
        match round {
            0 => {
                home.live_through(&[
                    identify("p1", "bob", when, json!({"city": "Wuhan"})),
                    refund("p2", "cid", "3", when, "20"),
                    order("p3", "eve", "p3", when, "11"),
                ])
                .await;
            }
            1 => {
                let names = ["ann", "cid"].map(|name| zhiyin_model::event::Identifier {
                    namespace: "user".to_owned(),
                    value: name.to_owned(),
                });
                assert!(engine.merge(&names, "a test says so").await.unwrap() == Verdict::Accepted);
                home.settle().await;
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn what_is_built_for_a_question_takes_no_more_than_is_left() {
    let home = lived().await;
    let engine = home.engine();
    let day = Day::parse("2017-03-31");
    let refused = async |day| {
        let asked = engine.audience_count(&owner(), "true", day).await;
        matches!(asked, Err(EngineError::Audience(problem)) if problem.code() == "audiences_unavailable")
    };
    engine.audience_memory(10);
    assert!(refused(None).await && refused(day).await, "nothing is kept");
    let mut keeper = engine.audiences_built(&keeping(usize::MAX)).await.unwrap();
    assert!(engine.audiences_caught_up(&mut keeper).await.unwrap());
    let measured = engine.metrics().await;
    let bytes = measured.lines().find_map(|line| line.strip_prefix("zhiyin_audience_bytes ")).unwrap();
    let bytes: usize = bytes.parse().unwrap();
    assert!(bytes > 0 && !refused(day).await);
    // A past day that is kept gives way to another one; what is kept of now does not.
    engine.audience_memory(3 * bytes);
    for day in ["2017-03-20", "2017-03-31", "2017-03-19", "2017-03-30"] {
        assert!(!refused(Day::parse(day)).await, "{day}");
    }
    engine.audience_memory(bytes + bytes / 8);
    assert!(refused(Day::parse("2017-03-12")).await);
}

/// Does something that whoever keeps everybody is never told of: a feed that nobody follows is forgotten.
async fn missed(home: &Home, how: &Keeping, done: impl Future<Output = ()>) {
    let crowd = home.engine().store().crowd();
    crowd.unfollow(&how.consumer).await.unwrap();
    done.await;
    crowd.unfollow(&how.consumer).await.unwrap();
    home.engine().store().feed_position(&how.consumer).await.unwrap();
    assert!(home.engine().store().feed(Position::default(), 100).await.unwrap().is_empty());
}

/// Uploads a list anew until so many entries of the feed are to be read.
async fn entries(home: &Home, from: Position, n: usize) {
    let engine = home.engine();
    for round in 0..n {
        let who = if round % 2 == 0 { "ann" } else { "cid" };
        let line = Line { no: 1, namespace: Some("user".to_owned()), value: who.to_owned() };
        let mut upload = engine.list_upload(&owner(), "press").await.unwrap();
        upload.take(vec![line]).await.unwrap();
        upload.end(Others::Leave).await.unwrap();
    }
    // On PostgreSQL the feed is held back by whatever transaction runs, be it another test's.
    while engine.store().feed(from, n).await.unwrap().len() < n {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn whoever_differs_while_much_is_on_its_way_is_healed_too() {
    let home = lived().await;
    let (engine, how) = (home.engine(), keeping(usize::MAX));
    let mut keeper = engine.audiences_built(&how).await.unwrap();
    assert!(engine.audiences_caught_up(&mut keeper).await.unwrap());
    missed(&home, &how, async {
        home.now_is(at("2017-04-01T00:20:00Z")).await;
        home.live_through(&[identify("n1", "bob", "2017-04-01T00:10:00Z", json!({"city": "Wuhan"}))]).await;
    })
    .await;
    entries(&home, Position::default(), 70).await;
    engine.audiences_reconciled(&mut keeper).await.unwrap();
    assert_eq!(engine.audiences_differ(&keeper).await.unwrap(), 0);
}

#[tokio::test]
async fn the_feed_is_taken_in_part_by_part_and_answers_come_of_the_whole() {
    let home = lived().await;
    let (engine, how) = (home.engine(), keeping(usize::MAX));
    let mut keeper = engine.audiences_built(&how).await.unwrap();
    assert!(engine.audiences_caught_up(&mut keeper).await.unwrap());
    let from = engine.store().crowd().followed(&how.consumer).await.unwrap().unwrap();
    entries(&home, from, 70).await;
    assert_eq!(engine.audiences_taken_in(&mut keeper).await.unwrap(), Taken::Part);
    while engine.audiences_taken_in(&mut keeper).await.unwrap() != Taken::All {}
    assert_eq!(engine.audiences_differ(&keeper).await.unwrap(), 0);
}

#[tokio::test]
async fn a_feed_that_somebody_let_go_of_is_noticed_and_its_marks_go_with_it() {
    let home = lived().await;
    let engine = home.engine();
    let folder = std::env::temp_dir().join(format!("zhiyin-audience-left-{}", std::process::id()));
    let how = Keeping { folder: Some(folder.clone()), ..keeping(usize::MAX) };
    let mut keeper = engine.audiences_built(&how).await.unwrap();
    assert!(engine.audiences_caught_up(&mut keeper).await.unwrap());
    engine.audiences_saved(&how, &keeper).await.unwrap();
    assert_eq!(engine.followers().await.unwrap().len(), 2);
    assert!(engine.feed_left(&how.consumer).await.unwrap());
    assert_eq!(engine.followers().await.unwrap(), [""; 0]);
    assert!(!engine.feed_left(&how.consumer).await.unwrap(), "nobody follows as that any more");
    assert_eq!(engine.audiences_taken_in(&mut keeper).await.unwrap(), Taken::Nothing);
    assert!(!engine.audiences_caught_up(&mut keeper).await.unwrap());
    assert!(engine.audiences_opened(&how).await.unwrap().is_err(), "the snapshot is not begun from either");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn who_differs_from_the_record_is_found_and_healed_and_so_is_who_is_in_none() {
    let home = lived().await;
    let (engine, how) = (home.engine(), keeping(usize::MAX));
    let mut keeper = engine.audiences_built(&how).await.unwrap();
    assert!(engine.audiences_caught_up(&mut keeper).await.unwrap());
    missed(&home, &how, async {
        home.now_is(at("2017-04-01T00:20:00Z")).await;
        let when = "2017-04-01T00:10:00Z";
        home.live_through(&[
            order("n1", "eve", "n1", when, "11"),
            identify("n2", "bob", when, json!({"city": "Wuhan"})),
        ])
        .await;
        let names = ["ann", "cid"].map(|name| zhiyin_model::event::Identifier {
            namespace: "user".to_owned(),
            value: name.to_owned(),
        });
        assert!(engine.merge(&names, "a test says so").await.unwrap() == Verdict::Accepted);
        home.settle().await;
    })
    .await;
    assert!(engine.audiences_caught_up(&mut keeper).await.unwrap());
    assert!(engine.audiences_differ(&keeper).await.unwrap() > 0, "the feed alone does not heal it");
    engine.audiences_reconciled(&mut keeper).await.unwrap();
    assert_eq!(engine.audiences_differ(&keeper).await.unwrap(), 0);
    for condition in ["true", "size(orders) >= 1", r#"attr.city == "Wuhan""#] {
        let found = engine.audience_members(&owner(), condition, None, IDS).await.unwrap().members;
        assert_eq!(found, recorded(&home, condition, None).await, "{condition}");
    }
}

#[tokio::test]
async fn a_home_that_was_set_back_does_not_know_a_later_snapshot() {
    let home = lived().await;
    let folder = std::env::temp_dir().join(format!("zhiyin-audience-mark-{}", std::process::id()));
    let how = Keeping { folder: Some(folder.clone()), ..keeping(usize::MAX) };
    let mut keeper = home.engine().audiences_built(&how).await.unwrap();
    assert!(home.engine().audiences_caught_up(&mut keeper).await.unwrap());
    let marks = async || -> Vec<String> {
        let all = home.engine().store().work().await.unwrap().feed.into_iter().map(|(consumer, _)| consumer);
        all.filter(|consumer| consumer.starts_with("audience-test@")).collect()
    };
    home.engine().audiences_saved(&how, &keeper).await.unwrap();
    let first = marks().await;
    home.engine().audiences_saved(&how, &keeper).await.unwrap();
    let second = marks().await;
    assert!(first.len() == 1 && second.len() == 1 && first != second, "{first:?} {second:?}");
    assert!(home.engine().audiences_opened(&how).await.unwrap().is_ok());
    // As the home was before the second was written.
    home.engine().store().crowd().unfollow(&second[0]).await.unwrap();
    home.engine().store().feed_position(&first[0]).await.unwrap();
    let why = home.engine().audiences_opened(&how).await.unwrap().err();
    assert_eq!(why.as_deref(), Some("it is of a time that this home has not come to"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn whoever_is_not_shown_what_says_who_somebody_is_compares_nothing_with_it() {
    let home = lived().await;
    let playbook = format!(
        "{SHIPPED}attributes:\n  phone: {{ type: text, name: {{ en: Phone }} }}\naudiences:\n  known: {{ name: {{ en: Known }}, who: 'attr.phone == \"1\"' }}\n"
    );
    home.apply(&playbook, at("2017-04-01T00:00:00Z")).await;
    let engine = home.engine();
    let grant = |role| Grant { who: "key:0".to_owned(), role, place: None, staff: None, scopes: None };
    for (role, condition, expected) in [
        (Role::Owner, r#"attr.phone == "1""#, true),
        (Role::Analyst, r#"attr.phone == "1""#, false),
        (Role::Analyst, r#"tier == "gold" || size(orders) >= 1 && attr.phone.startsWith("1")"#, false),
        (Role::Analyst, "has(attr.phone)", true),
        (Role::Analyst, "@known", true),
        (Role::Analyst, r#"attr.city == "Wuhan""#, true),
    ] {
        let counted = engine.audience_count(&grant(role), condition, None).await;
        assert_eq!(counted.is_ok(), expected, "{role:?} {condition}");
        let explained = engine.audience_explain(&grant(role), condition, None).await;
        assert_eq!(explained.is_ok(), expected, "{role:?} {condition}");
        let over = engine.audience_overlap(&grant(role), &[condition.to_owned()], None).await;
        assert_eq!(over.is_ok(), expected, "{role:?} {condition}");
        if let Err(error) = counted {
            assert!(matches!(&error, EngineError::Audience(problem) if problem.code() == "bad_condition"));
        }
    }
}
