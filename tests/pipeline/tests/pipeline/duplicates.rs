//! Likely doubles are searched among all members, queued, decided by people, and never merged by themselves.

use serde_json::{Value, json};
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::duplicates::{Searched, why};
use zhiyin_engine::people::Found;
use zhiyin_store::suggestion::State;

use crate::home::Home;
use crate::playbooks::TEN_DAYS;

fn known(user: &str, traits: &Value) -> Value {
    json!({
        "type": "identify", "messageId": format!("i-{user}"), "userId": user,
        "timestamp": "2017-03-01T04:00:00Z", "traits": traits,
    })
}

async fn town() -> Home {
    let home = Home::new(TEN_DAYS).await;
    home.accept(&[
        known("a", &json!({"name": "欧阳晓明", "phone": "139 1234 5678", "birthday": "1990-05-07", "gender": "男"})),
        known("b", &json!({"firstName": "Xiaoming", "lastName": "Ouyang", "phone": "+86 13912345678", "birthday": "1990-07-05"})),
        // The family's phone, and a phone that everybody tests with.
        known("c", &json!({"name": "欧阳晓光", "phone": "13912345678", "birthday": "1994-01-30"})),
        known("d", &json!({"name": "王伟", "phone": "13800138000"})),
        known("e", &json!({"name": "李芳", "phone": "13800138000"})),
        known("f", &json!({})),
    ])
    .await;
    home.engine().drain(10, None, |_| ()).await.unwrap();
    home
}

#[tokio::test]
async fn likely_doubles_are_queued_once_and_stay_decided() {
    let home = town().await;
    let (engine, digest) = (home.engine(), home.digest().await);
    let searched = engine.find_duplicates(None).await.unwrap();
    assert_eq!(searched, Searched { members: 6, likely: 1, new: 1 });
    assert_eq!(engine.find_duplicates(None).await.unwrap(), Searched { new: 0, ..searched });
    let listed = engine.store().suggestions(Some(State::Open), 10).await.unwrap();
    let [suggestion] = listed.as_slice() else { panic!("{listed:?}") };
    let mut pair = vec![suggestion.pair.one, suggestion.pair.other];
    for user in ["user:a", "user:b"] {
        let Found::One(member) = engine.find(user).await.unwrap() else { panic!("{user}") };
        pair.retain(|other| *other != member);
    }
    assert!(pair.is_empty(), "another pair: {suggestion:?}");
    // The evidence names fields and says how they agree, and holds nothing of the people.
    let said = why(suggestion).unwrap();
    let agrees: Vec<(&str, &str)> =
        said.fields.iter().map(|says| (says.field.as_str(), says.agrees.as_str())).collect();
    assert_eq!(agrees, [("name", "homophone"), ("phone", "exact"), ("birthday", "swapped")]);
    assert_eq!(said.fields[1].shared_by, Some(3));
    for value in ["欧阳", "Ouyang", "139", "1990"] {
        assert!(!suggestion.pair.evidence.contains(value), "{}", suggestion.pair.evidence);
    }
    let decided = engine.decide_duplicate(suggestion.no, State::Different, "ann").await.unwrap().unwrap();
    assert_eq!((decided.state, decided.decided.unwrap().0.as_str()), (State::Different, "ann"));
    assert_eq!(engine.decide_duplicate(404, State::Different, "ann").await.unwrap(), None);
    assert_eq!(engine.find_duplicates(None).await.unwrap().new, 0);
    assert!(engine.store().suggestions(Some(State::Open), 10).await.unwrap().is_empty());
    // Nothing of it is the home's state.
    assert_eq!(home.digest().await, digest);
}

#[tokio::test]
async fn everybody_is_compared_however_many_pages_that_takes() {
    let home = Home::new(TEN_DAYS).await;
    let items: Vec<Value> = (0..2_300)
        .map(|n| {
            known(
                &format!("u{n}"),
                &json!({"phone": format!("139{:08}", n / 2), "email": format!("x{}@example.com", n / 2)}),
            )
        })
        .collect();
    for items in items.chunks(500) {
        home.accept(items).await;
    }
    home.engine().drain(1_000, None, |_| ()).await.unwrap();
    let searched = home.engine().find_duplicates(Some(0.5)).await.unwrap();
    assert_eq!((searched.members, searched.likely, searched.new), (2_300, 1_150, 1_150));
}

#[tokio::test]
async fn the_two_of_a_suggestion_are_merged_by_whoever_says_so_and_only_once() {
    let home = town().await;
    let engine = home.engine();
    engine.find_duplicates(None).await.unwrap();
    let no = engine.store().suggestions(Some(State::Open), 10).await.unwrap()[0].no;
    assert_eq!(engine.merge_duplicate(404, "ann").await.unwrap(), None);
    assert_eq!(engine.merge_duplicate(no, "ann").await.unwrap(), Some(Verdict::Accepted));
    let (one, other) = (engine.find("user:a").await.unwrap(), engine.find("user:b").await.unwrap());
    assert!(one == other && matches!(one, Found::One(_)), "{one:?} {other:?}");
    let closed = engine.store().suggestion(no).await.unwrap().unwrap();
    assert_eq!((closed.state, closed.decided.unwrap().0.as_str()), (State::Merged, "ann"));
    let digest = home.digest().await;
    assert_eq!(engine.merge_duplicate(no, "bob").await.unwrap(), Some(Verdict::Duplicate));
    assert_eq!(home.digest().await, digest);
    assert_eq!(engine.find_duplicates(None).await.unwrap().likely, 0);
}
