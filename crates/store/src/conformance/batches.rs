//! Batches: all of it or nothing, in turn, and timers that fall due in order.

use zhiyin_model::id::{EventId, MemberId};
use zhiyin_model::member::Member;
use zhiyin_model::time::Ts;

use std::time::Duration;

use super::life::{Life, at, lived, turn};
use super::{Homes, KEY};
use crate::flush::Flush;
use crate::turn::{Held, Turn};
use crate::{Result, StoreError, StoredMember, Wanted};

/// A flush that fails anywhere leaves nothing behind.
pub async fn a_batch_is_written_whole_or_not_at_all(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(life.append()).await?;
    let seq = store.waiting(&turn(&store).await?, 1).await?[0].seq;
    let (before, digest) = (turn(&store).await?, store.digest().await?);
    let good = || Flush { turn: before.clone(), facts: vec![life.fact(1, true)], ..life.part(1, seq) };
    let mut nothing_moved = good();
    nothing_moved.transfers[1].amount = 0;
    let mut without_cause = good();
    without_cause.transfers[1].event = EventId::from_bytes([9; 16]);
    let mut derived_twice = good();
    derived_twice.facts.push(life.fact(1, true));
    let mut more_than_granted = good();
    more_than_granted.lots[0].remaining = 101;
    for broken in [nothing_moved, without_cause, derived_twice, more_than_granted] {
        assert!(store.flush(broken).await.is_err());
        assert_eq!(turn(&store).await?, before);
        assert_eq!(store.waiting(&turn(&store).await?, 1).await?[0].seq, seq);
        assert_eq!(store.digest().await?, digest);
        let wanted = Wanted { identifiers: vec![life.identifier()], ..Wanted::default() };
        assert!(store.load(wanted).await?.members.is_empty());
    }
    store.flush(good()).await?;
    assert_ne!(store.digest().await?, digest);
    Ok(())
}

/// A batch that was decided by what is no longer so is refused, and nothing of it is written.
pub async fn a_stale_batch_is_refused(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(life.append()).await?;
    let first = turn(&store).await?;
    let seqs: Vec<i64> = store.waiting(&first, 2).await?.iter().map(|row| row.seq).collect();
    store.flush(Flush { turn: first.clone(), ..life.part(1, seqs[0]) }).await?;
    let digest = store.digest().await?;
    let now = turn(&store).await?;
    let other = |change: fn(&mut Held)| {
        let mut turn = now.clone();
        turn.held.last_mut().map(change);
        turn
    };
    let stale = [
        first,
        other(|held| held.batch += 1),
        other(|held| held.token += 1),
        other(|held| held.token -= 1),
        Turn::default(),
    ];
    for turn in stale {
        let part = Flush { turn: turn.clone(), ..life.part(2, seqs[1]) };
        assert!(matches!(store.flush(part).await, Err(StoreError::Stale)), "{turn:?}");
    }
    assert_eq!(store.digest().await?, digest);
    assert_eq!(turn(&store).await?, now);
    store.flush(Flush { turn: now, ..life.part(2, seqs[1]) }).await
}

/// A batch moves its shares on: their number of batches and their cursor; a batch of timers only the number.
pub async fn a_batch_moves_the_home_on(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(life.append()).await?;
    let before = turn(&store).await?;
    assert!(before.held.iter().map(|held| held.slot).eq(0..store.home().await?.slots));
    let first = store.waiting(&before, 10).await?[0].seq;
    let mut moved = before.clone();
    store.flush(Flush { turn: before, ..life.part(1, first) }).await?;
    moved.moved(Some(first));
    assert_eq!(turn(&store).await?, moved);
    let home = store.home().await?;
    assert_eq!((home.id_key, home.clock), (KEY, at(6)));
    assert_eq!((home.offset_us, home.live_since, home.version), (0, None, 0));
    store.flush(Flush { turn: moved.clone(), ..Flush::default() }).await?;
    moved.moved(None);
    assert_eq!(turn(&store).await?, moved);
    store.set_clock(-5, Some(at(3))).await?;
    let home = store.home().await?;
    assert_eq!((home.offset_us, home.live_since), (-5, Some(at(3))));
    assert_eq!(turn(&store).await?, moved);
    Ok(())
}

/// A share is held by one worker at a time; who gives it up, or loses it, can write nothing in it any more.
pub async fn a_share_has_one_holder(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(life.append()).await?;
    let long = Duration::from_secs(60);
    let mine = store.lease("me", long).await?;
    assert!(!mine.is_empty());
    let first = store.waiting(&mine, 1).await?[0].seq;
    store.release("me").await?;
    let released = store.flush(Flush { turn: mine.clone(), ..Flush::default() }).await;
    // What nobody has taken since may still be written or not; what somebody took may not.
    let theirs = store.lease("them", long).await?;
    assert!(theirs.held.iter().zip(&mine.held).all(|(new, old)| new.token > old.token), "{released:?}");
    let part = Flush { turn: mine, ..life.part(1, first) };
    assert!(matches!(store.flush(part).await, Err(StoreError::Stale)));
    store.flush(Flush { turn: theirs, ..life.part(1, first) }).await?;
    let work = store.work().await?;
    assert!(work.shares.iter().all(|share| share.holder.as_deref() == Some("them")), "{work:?}");
    assert_eq!(work.shares.iter().map(|share| share.waiting).sum::<i64>(), 5);
    assert_eq!(work.shares.iter().filter_map(|share| share.oldest).min(), Some(at(2)));
    assert!(store.any_waiting().await?);
    Ok(())
}

/// An order is refused to whoever decided by what it no longer is: it is one order, whoever reports it.
pub async fn an_order_is_one_order(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let (ann, bob) = (Life::of(&KEY), Life { key: KEY, name: "bob".to_owned() });
    for life in [&ann, &bob] {
        store.append(life.append()).await?;
    }
    let of = async |life: &Life| -> Result<i64> {
        let waiting = store.waiting(&turn(&store).await?, 20).await?;
        let first = waiting.iter().find(|row| row.message_id == format!("{}-1", life.name));
        Ok(first.map_or(0, |row| row.seq))
    };
    let (ann_first, bob_first) = (of(&ann).await?, of(&bob).await?);
    let part = Flush { turn: turn(&store).await?, cursor: None, ..ann.part(1, ann_first) };
    store.flush(part).await?;
    let digest = store.digest().await?;
    let taken = |was| {
        let mut part = bob.part(1, bob_first);
        part.cursor = None;
        part.orders[0].order.id = ann.order(1);
        part.orders[0].was = was;
        part
    };
    for was in [None, Some(bob.member())] {
        let part = Flush { turn: turn(&store).await?, ..taken(was) };
        assert!(matches!(store.flush(part).await, Err(StoreError::Stale)), "{was:?}");
        assert_eq!(store.digest().await?, digest);
    }
    // Where it may change hands, it does so whole.
    store.flush(Flush { turn: turn(&store).await?, ..taken(Some(ann.member())) }).await?;
    let wanted = Wanted { orders: vec![ann.order(1)], ..Wanted::default() };
    assert_eq!(store.load(wanted).await?.orders[0].member, bob.member());
    assert!(store.history(ann.member(), Vec::new()).await?.orders.is_empty());
    assert_eq!(store.history(bob.member(), Vec::new()).await?.orders.len(), 1);
    Ok(())
}

/// Members are woken in turn: by the instant, then by id; who is filed anew is found there and no longer before.
pub async fn members_are_woken_in_turn(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert_eq!(store.next_wake(&turn(&store).await?).await?, None);
    let id = |n: u8| MemberId::from_bytes([n; 16]);
    let filed = |n: u8, wake: Option<Ts>| {
        let member = Member::new(id(n), at(1));
        StoredMember { member, leaves: Vec::new(), fingerprint: String::new(), wake }
    };
    let members = vec![filed(3, Some(at(2))), filed(2, Some(at(2))), filed(1, Some(at(3))), filed(4, None)];
    store.flush(Flush { turn: turn(&store).await?, members, ..Flush::default() }).await?;
    assert_eq!(store.due(&turn(&store).await?, at(1), 100).await?, []);
    assert_eq!(store.due(&turn(&store).await?, at(2), 100).await?, [id(2), id(3)]);
    assert_eq!(store.due(&turn(&store).await?, at(3), 100).await?, [id(2), id(3), id(1)]);
    assert_eq!(store.due(&turn(&store).await?, at(3), 1).await?, [id(2)]);
    assert_eq!(store.next_wake(&turn(&store).await?).await?, Some(at(2)));
    let members = vec![filed(2, Some(at(5))), filed(3, None), filed(4, Some(at(4)))];
    store.flush(Flush { turn: turn(&store).await?, members, ..Flush::default() }).await?;
    assert_eq!(store.due(&turn(&store).await?, at(9), 100).await?, [id(1), id(4), id(2)]);
    assert_eq!(store.next_wake(&turn(&store).await?).await?, Some(at(3)));
    // Who was woken for nothing is only filed anew.
    let filed = vec![(id(1), Some(at(6))), (id(4), None)];
    store.flush(Flush { turn: turn(&store).await?, version: 9, filed, ..Flush::default() }).await?;
    assert_eq!(store.due(&turn(&store).await?, at(9), 100).await?, [id(2), id(1)]);
    assert_eq!(store.members_behind(None, 9, None, 10).await?.len(), 4);
    let stranger = Flush { turn: turn(&store).await?, filed: vec![(id(9), None)], ..Flush::default() };
    assert!(store.flush(stranger).await.is_err());
    let loaded = store.load(Wanted { members: vec![id(2), id(3)], ..Wanted::default() }).await?;
    let wakes: Vec<_> = loaded.members.iter().map(|stored| (stored.member.id, stored.wake)).collect();
    assert_eq!(wakes, [(id(2), Some(at(5))), (id(3), None)]);
    Ok(())
}

/// Every invariant holds for what is consistent, in any batches.
pub async fn a_life_leaves_nothing_for_the_doctor(homes: &dyn Homes) -> Result<()> {
    for per_batch in [1, 6] {
        let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
        lived(&store, &life, per_batch).await?;
        let broken: Vec<_> =
            store.doctor().await?.into_iter().filter(|check| !check.broken.is_empty()).collect();
        assert!(broken.is_empty(), "{broken:#?}");
        assert!(store.waiting(&turn(&store).await?, 10).await?.is_empty());
    }
    Ok(())
}
