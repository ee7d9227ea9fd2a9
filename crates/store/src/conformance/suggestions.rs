//! The queue of likely doubles.

use zhiyin_model::id::{IdKey, MemberId};

use super::life::{Life, at, lived};
use super::{Homes, KEY};
use crate::Result;
use crate::suggestion::{EVIDENCE_BYTES_MAX, NewSuggestion, State};

fn pair(one: u8, other: u8, score_ppm: i32) -> NewSuggestion {
    let evidence = format!("{{\"fields\":[{one},{other}]}}");
    NewSuggestion {
        one: MemberId::from_bytes([one; 16]),
        other: MemberId::from_bytes([other; 16]),
        score_ppm,
        evidence,
    }
}

/// A pair is in the queue once, as it was found last; the likeliest comes first.
pub async fn a_pair_is_suggested_once(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert_eq!(store.put_suggestions(Vec::new(), at(1)).await?, 0);
    let found = vec![pair(1, 2, 910_000), pair(3, 4, 990_000), pair(1, 3, 910_000)];
    assert_eq!(store.put_suggestions(found.clone(), at(1)).await?, 3);
    assert_eq!(store.put_suggestions(found, at(2)).await?, 0);
    let again = NewSuggestion { evidence: "{}".to_owned(), ..pair(1, 2, 950_000) };
    assert_eq!(store.put_suggestions(vec![again.clone(), pair(5, 6, 900_000)], at(3)).await?, 1);
    let listed = store.suggestions(Some(State::Open), 10).await?;
    let scores: Vec<i32> = listed.iter().map(|suggestion| suggestion.pair.score_ppm).collect();
    assert_eq!(scores, [990_000, 950_000, 910_000, 900_000]);
    assert_eq!((&listed[1].pair, listed[1].found_at), (&again, at(3)));
    assert_eq!((&listed[0].pair, listed[0].found_at), (&pair(3, 4, 990_000), at(2)));
    assert!(listed.iter().all(|suggestion| suggestion.state == State::Open && suggestion.decided.is_none()));
    assert_eq!(store.suggestions(None, 2).await?, listed[..2]);
    assert_eq!(store.suggestion(listed[2].no).await?.as_ref(), Some(&listed[2]));
    assert_eq!(store.suggestion(i64::MAX).await?, None);
    Ok(())
}

/// A pair that somebody decided stays decided, is not listed as open, and is never suggested again.
pub async fn a_decided_pair_is_never_suggested_again(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    store.put_suggestions(vec![pair(1, 2, 910_000), pair(1, 3, 920_000)], at(1)).await?;
    let listed = store.suggestions(Some(State::Open), 10).await?;
    let no = listed[0].no;
    let decided = store.decide_suggestion(no, State::Different, "ann", at(2)).await?;
    let Some(decided) = decided else { panic!("the suggestion is gone") };
    assert_eq!((decided.state, decided.decided.clone()), (State::Different, Some(("ann".to_owned(), at(2)))));
    // The first word stands; saying it again, or another, changes nothing.
    for state in [State::Different, State::Merged] {
        assert_eq!(store.decide_suggestion(no, state, "bob", at(3)).await?.as_ref(), Some(&decided));
    }
    assert_eq!(store.decide_suggestion(i64::MAX, State::Merged, "bob", at(3)).await?, None);
    assert_eq!(store.put_suggestions(vec![pair(1, 3, 990_000), pair(1, 2, 930_000)], at(4)).await?, 0);
    assert_eq!(store.suggestion(no).await?.as_ref(), Some(&decided));
    let open = store.suggestions(Some(State::Open), 10).await?;
    assert_eq!(open.iter().map(|suggestion| &suggestion.pair).collect::<Vec<_>>(), [&pair(1, 2, 930_000)]);
    assert_eq!(store.suggestions(Some(State::Different), 10).await?, [decided]);
    assert!(store.suggestions(Some(State::Merged), 10).await?.is_empty());
    Ok(())
}

/// What is out of bounds is refused whole.
pub async fn what_is_out_of_bounds_is_not_queued(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let long = "x".repeat(EVIDENCE_BYTES_MAX + 1);
    for wrong in [
        pair(2, 1, 1),
        pair(1, 1, 1),
        pair(1, 2, -1),
        pair(1, 2, 1_000_001),
        NewSuggestion { evidence: long, ..pair(1, 2, 1) },
    ] {
        assert!(store.put_suggestions(vec![pair(7, 8, 1), wrong], at(1)).await.is_err());
    }
    assert!(store.suggestions(None, 10).await?.is_empty());
    Ok(())
}

/// The queue is no part of the state, and moves with the home.
pub async fn the_queue_moves_with_the_home(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    lived(&old, &Life::of(&KEY), 3).await?;
    let before = old.digest().await?;
    old.put_suggestions(vec![pair(1, 2, 910_000), pair(1, 3, 920_000)], at(1)).await?;
    let first = old.suggestions(None, 1).await?[0].no;
    old.decide_suggestion(first, State::Merged, "ann", at(2)).await?;
    assert_eq!(old.digest().await?, before);
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    taken?;
    assert_eq!((said?, new.digest().await?), (before.clone(), before));
    let listed = new.suggestions(None, 10).await?;
    assert_eq!(listed, old.suggestions(None, 10).await?);
    // Numbers go on after those that came.
    assert_eq!(new.put_suggestions(vec![pair(4, 5, 1)], at(3)).await?, 1);
    let last = new.suggestions(Some(State::Open), 10).await?.pop();
    assert!(last.is_some_and(|last| listed.iter().all(|suggestion| suggestion.no < last.no)));
    Ok(())
}

/// Names of several members at once, each with its own.
pub async fn names_of_several_members(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let (ann, bob) = (Life { key: KEY, name: "ann".to_owned() }, Life { key: KEY, name: "bob".to_owned() });
    lived(&store, &ann, 3).await?;
    lived(&store, &bob, 3).await?;
    let wanted = vec![bob.member(), ann.member(), MemberId::from_bytes([9; 16])];
    let named = store.identifiers_of(wanted).await?;
    let mut expected = Vec::new();
    for life in [&ann, &bob] {
        let whole = store.member_whole(life.member()).await?;
        let names = whole.map(|whole| whole.identifiers).unwrap_or_default();
        assert!(!names.is_empty());
        expected.extend(names.into_iter().map(|(namespace, value)| (life.member(), namespace, value)));
    }
    expected.sort();
    assert_eq!(named, expected);
    assert!(store.identifiers_of(Vec::new()).await?.is_empty());
    Ok(())
}
