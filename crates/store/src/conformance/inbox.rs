//! The inbox: every item once, in order, durably; what waits, and what was given up and is put back.

use zhiyin_model::event::Refusal;

use super::life::{Life, append, at};
use super::{Homes, KEY};
use crate::flush::{Dead, Flush};
use crate::{Append, NewEvent, OWN_SOURCE, Progress, Receipt, Result, StoreError, Waiting};

fn message_ids(waiting: &[Waiting]) -> Vec<&str> {
    waiting.iter().map(|row| row.message_id.as_str()).collect()
}

/// The same id with the same body is a duplicate, with another body it is refused; neither changes anything.
pub async fn an_item_is_taken_once(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    let twice = vec![life.item(1), life.item(2), life.item(1)];
    let receipts = store.append(append(twice, at(2), false)).await?;
    assert_eq!(receipts, [Receipt::Accepted, Receipt::Accepted, Receipt::Duplicate]);
    let other = NewEvent { body_hash: [9; 16], ..life.item(1) };
    let receipts = store.append(append(vec![other, life.item(2), life.item(3)], at(3), false)).await?;
    assert_eq!(receipts, [Receipt::Reused, Receipt::Duplicate, Receipt::Accepted]);
    let waiting = store.waiting(10).await?;
    assert_eq!(message_ids(&waiting), ["ann-1", "ann-2", "ann-3"]);
    assert_eq!(waiting[0].body, life.item(1).body);
    assert_eq!((waiting[0].source.as_str(), waiting[0].user_namespace.as_str()), ("till", "user"));
    assert!(waiting.iter().all(|row| !row.derived));
    assert_eq!(store.waiting(2).await?.len(), 2);
    Ok(())
}

/// Items are placed at business now, never before the row in front of them.
pub async fn the_clock_never_runs_backwards(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    for (n, now) in [(1, at(3)), (2, at(2)), (3, at(5))] {
        store.append(append(vec![life.item(n)], now, false)).await?;
    }
    let clocks: Vec<_> = store.waiting(10).await?.iter().map(|row| row.clock).collect();
    assert_eq!(clocks, [at(3), at(3), at(5)]);
    assert_eq!(store.home().await?.clock, at(5));
    // What was there already moves nothing.
    store.append(append(vec![life.item(1)], at(6), false)).await?;
    assert_eq!(store.home().await?.clock, at(5));
    Ok(())
}

/// Replayed items are placed at their own time, whatever stands in front of them, or at now where that is earlier.
pub async fn history_is_placed_at_its_own_time(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    let items = [2, 1, 3, 5].map(|n| life.item(n)).to_vec();
    store.append(append(items, at(4), true)).await?;
    let waiting = store.waiting(10).await?;
    assert_eq!(waiting.iter().map(|row| row.clock).collect::<Vec<_>>(), [at(2), at(1), at(3), at(4)]);
    assert!(waiting.iter().all(|row| row.replay));
    assert_eq!(store.home().await?.clock, at(4));
    Ok(())
}

/// What happens now is placed no earlier than any history that came before it.
pub async fn what_happens_now_is_placed_after_history(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(append(vec![life.item(5)], at(6), true)).await?;
    store.append(append(vec![life.item(1)], at(3), false)).await?;
    let waiting = store.waiting(10).await?;
    let placed: Vec<_> = waiting.iter().map(|row| (row.clock, row.replay)).collect();
    assert_eq!(placed, [(at(5), true), (at(5), false)]);
    Ok(())
}

/// An import's position stands in the transaction of its items: both or neither.
pub async fn progress_is_written_with_its_items(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    assert_eq!(store.progress("year").await?, None);
    let progress = |position, done| Some(Progress { name: "year".to_owned(), position, done });
    let mut first = append(vec![life.item(1)], at(1), true);
    first.progress = progress(1, false);
    store.append(first).await?;
    assert_eq!(store.progress("year").await?, progress(1, false));
    // Refused whole: the source goes by another namespace now.
    let mut refused = append(vec![life.item(2)], at(2), true);
    (refused.progress, refused.user_namespace) = (progress(2, true), "phone".to_owned());
    assert!(store.append(refused).await.is_err());
    assert_eq!(store.progress("year").await?, progress(1, false));
    assert_eq!(store.waiting(10).await?.len(), 1);
    let mut last = append(Vec::new(), at(2), true);
    last.progress = progress(2, true);
    store.append(last).await?;
    assert_eq!(store.progress("year").await?, progress(2, true));
    assert_eq!(store.progress("other").await?, None);
    Ok(())
}

/// A source is refused under another namespace than it was first seen with.
pub async fn a_source_keeps_its_namespace(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(append(vec![life.item(1)], at(1), true)).await?;
    let mut other = append(vec![life.item(2)], at(2), true);
    other.user_namespace = "phone".to_owned();
    match store.append(other.clone()).await {
        Err(StoreError::SourceNamespace { source_name, known, given }) => {
            assert_eq!([source_name, known, given], ["till", "user", "phone"]);
        }
        other => panic!("{other:?}"),
    }
    other.source = "shop".to_owned();
    assert_eq!(store.append(other.clone()).await?, [Receipt::Accepted]);
    // Nobody passes for the home itself, whatever they call their users: an item could bear a derived event's name.
    for user_namespace in ["", "user"] {
        let home = Append {
            source: OWN_SOURCE.to_owned(),
            user_namespace: user_namespace.to_owned(),
            ..other.clone()
        };
        assert!(matches!(store.append(home).await, Err(StoreError::SourceReserved)), "{user_namespace:?}");
    }
    Ok(())
}

/// What decisions derived for others comes before the next item, by the time it is for, until it is drained.
pub async fn derived_events_wait_before_the_inbox(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(life.append()).await?;
    let first = store.waiting(1).await?[0].seq;
    let (mut later, earlier) = (life.fact(5, true), life.fact(4, true));
    later.clock = earlier.clock;
    let about_herself = life.fact(1, false);
    let facts = vec![later, earlier, about_herself];
    store.flush(Flush { facts, ..life.part(1, first) }).await?;
    let waiting = store.waiting(10).await?;
    assert_eq!(message_ids(&waiting), ["till/ann-4#0", "till/ann-5#0"]);
    assert!(waiting.iter().all(|row| row.derived && row.source != "till"));
    let drained = vec![waiting[0].seq];
    store.flush(Flush { batch: 1, drained, ..Flush::default() }).await?;
    assert_eq!(message_ids(&store.waiting(10).await?), ["till/ann-5#0"]);
    let drained = vec![waiting[1].seq];
    store.flush(Flush { batch: 2, drained, ..Flush::default() }).await?;
    assert_eq!(message_ids(&store.waiting(2).await?), ["ann-2", "ann-3"]);
    Ok(())
}

/// Dead letters have a name and a field; put back, they wait until all that came before is done, and are no dead letters
/// until they fail again.
pub async fn dead_letters_are_listed_and_put_back(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(append(vec![life.item(1), life.item(2), life.item(3)], at(3), true)).await?;
    let seqs: Vec<i64> = store.waiting(10).await?.iter().map(|row| row.seq).collect();
    let dead = |seq, code, at| {
        let refusal = Refusal::new(code, "properties.order_id", "no such order");
        Dead { seq, refusal, at }
    };
    let letters = vec![dead(seqs[0], "order_unknown", at(1)), dead(seqs[1], "too_late", at(2))];
    store.flush(Flush { cursor: Some(seqs[1]), dead: letters, ..Flush::default() }).await?;
    let listed = store.dead_letters(10).await?;
    assert_eq!(listed.iter().map(|letter| letter.seq).collect::<Vec<_>>(), [seqs[1], seqs[0]]);
    let oldest = &listed[1];
    assert_eq!((oldest.code.as_str(), oldest.field.as_str()), ("order_unknown", "properties.order_id"));
    assert_eq!((oldest.source.as_str(), oldest.message_id.as_str()), ("till", "ann-1"));
    assert_eq!((oldest.time, oldest.at), (at(1), at(1)));
    assert_eq!(store.dead_letters(1).await?.len(), 1);

    assert_eq!(store.retry_dead_letters(vec![seqs[0], seqs[2], 999], at(6)).await?, 1);
    assert_eq!(store.home().await?.clock, at(6));
    assert_eq!(message_ids(&store.waiting(10).await?), ["ann-3"]);
    store.flush(Flush { batch: 1, ..life.part(3, seqs[2]) }).await?;
    let waiting = store.waiting(10).await?;
    assert_eq!(message_ids(&waiting), ["ann-1"]);
    assert_eq!((waiting[0].clock, waiting[0].time, waiting[0].derived), (at(6), at(1), true));
    assert_eq!(store.dead_letters(10).await?.len(), 1);
    let again = vec![dead(seqs[0], "order_unknown", at(6))];
    let drained = vec![seqs[0]];
    store.flush(Flush { batch: 2, dead: again, drained, ..Flush::default() }).await?;
    assert!(store.waiting(10).await?.is_empty());
    assert_eq!(store.dead_letters(10).await?[1].at, at(6));
    Ok(())
}
