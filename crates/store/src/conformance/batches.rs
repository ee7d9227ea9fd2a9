//! Batches: all of it or nothing, in turn, and timers that fall due in order.

use zhiyin_model::id::{EventId, MemberId};
use zhiyin_model::member::Member;
use zhiyin_model::time::Ts;

use super::life::{Life, at, lived};
use super::{Homes, KEY};
use crate::flush::Flush;
use crate::{Result, StoreError, StoredMember, Wanted};

/// A flush that fails anywhere leaves nothing behind.
pub async fn a_batch_is_written_whole_or_not_at_all(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(life.append()).await?;
    let seq = store.waiting(1).await?[0].seq;
    let (home, digest) = (store.home().await?, store.digest().await?);
    let good = || Flush { facts: vec![life.fact(1, true)], ..life.part(1, seq) };
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
        let now = store.home().await?;
        assert_eq!((now.batch, now.cursor), (home.batch, home.cursor));
        assert_eq!(store.waiting(1).await?[0].seq, seq);
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
    let seq = store.waiting(1).await?[0].seq;
    store.flush(life.part(1, seq)).await?;
    let digest = store.digest().await?;
    for batch in [0, 2, -1] {
        let part = Flush { batch, ..life.part(2, seq + 1) };
        assert!(matches!(store.flush(part).await, Err(StoreError::Stale)), "{batch}");
    }
    assert_eq!(store.digest().await?, digest);
    assert_eq!(store.home().await?.batch, 1);
    Ok(())
}

/// A batch moves the cursor and the batch number; a batch of timers only the number.
pub async fn a_batch_moves_the_home_on(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(life.append()).await?;
    let first = store.waiting(10).await?[0].seq;
    store.flush(life.part(1, first)).await?;
    let home = store.home().await?;
    assert_eq!((home.batch, home.cursor, home.clock), (1, first, at(6)));
    assert_eq!(home.id_key, KEY);
    assert_eq!((home.offset_us, home.live_since, home.version), (0, None, 0));
    store.flush(Flush { batch: 1, ..Flush::default() }).await?;
    let home = store.home().await?;
    assert_eq!((home.batch, home.cursor), (2, first));
    store.set_clock(-5, Some(at(3))).await?;
    let home = store.home().await?;
    assert_eq!((home.offset_us, home.live_since, home.batch), (-5, Some(at(3)), 2));
    Ok(())
}

/// Members are woken in turn: by the instant, then by id; who is filed anew is found there and no longer before.
pub async fn members_are_woken_in_turn(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert_eq!(store.next_wake().await?, None);
    let id = |n: u8| MemberId::from_bytes([n; 16]);
    let filed = |n: u8, wake: Option<Ts>| {
        let member = Member::new(id(n), at(1));
        StoredMember { member, leaves: Vec::new(), fingerprint: String::new(), wake }
    };
    let members = vec![filed(3, Some(at(2))), filed(2, Some(at(2))), filed(1, Some(at(3))), filed(4, None)];
    store.flush(Flush { members, ..Flush::default() }).await?;
    assert_eq!(store.due(at(1), 100).await?, []);
    assert_eq!(store.due(at(2), 100).await?, [id(2), id(3)]);
    assert_eq!(store.due(at(3), 100).await?, [id(2), id(3), id(1)]);
    assert_eq!(store.due(at(3), 1).await?, [id(2)]);
    assert_eq!(store.next_wake().await?, Some(at(2)));
    let members = vec![filed(2, Some(at(5))), filed(3, None), filed(4, Some(at(4)))];
    store.flush(Flush { batch: 1, members, ..Flush::default() }).await?;
    assert_eq!(store.due(at(9), 100).await?, [id(1), id(4), id(2)]);
    assert_eq!(store.next_wake().await?, Some(at(3)));
    // Who was woken for nothing is only filed anew.
    let filed = vec![(id(1), Some(at(6))), (id(4), None)];
    store.flush(Flush { batch: 2, version: 9, filed, ..Flush::default() }).await?;
    assert_eq!(store.due(at(9), 100).await?, [id(2), id(1)]);
    assert_eq!(store.members_behind(9, None, 10).await?.len(), 4);
    let stranger = Flush { batch: 3, filed: vec![(id(9), None)], ..Flush::default() };
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
        assert!(store.waiting(10).await?.is_empty());
    }
    Ok(())
}
