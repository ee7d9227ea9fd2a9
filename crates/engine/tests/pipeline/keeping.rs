//! What is kept of everybody, now and as of past days, says what the record says; whatever becomes of the feed or the home.

use serde_json::json;
use zhiyin_engine::EngineError;
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::audience::keep::Keeping;
use zhiyin_model::role::{Grant, Role};
use zhiyin_model::time::Day;

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
async fn who_differs_from_the_record_is_found_and_healed_and_so_is_who_is_in_none() {
    let home = lived().await;
    let (engine, how) = (home.engine(), keeping(usize::MAX));
    let mut keeper = engine.audiences_built(&how).await.unwrap();
    assert!(engine.audiences_caught_up(&mut keeper).await.unwrap());
    // A feed that nobody follows tells nothing: what comes now is missed.
    engine.store().crowd().unfollow(&how.consumer).await.unwrap();
    home.now_is(at("2017-04-01T00:20:00Z")).await;
    let when = "2017-04-01T00:10:00Z";
    home.live_through(&[
        order("n1", "eve", "n1", when, "11"),
        identify("n2", "bob", when, json!({"city": "Wuhan"})),
    ])
    .await;
    let names = ["ann", "cid"]
        .map(|name| zhiyin_model::event::Identifier { namespace: "user".to_owned(), value: name.to_owned() });
    assert!(engine.merge(&names, "a test says so").await.unwrap() == Verdict::Accepted);
    home.settle().await;
    // Nothing of the feed is read before: what it had is let go of sooner or later.
    assert!(engine.audiences_differ(&keeper).await.unwrap() > 0);
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
