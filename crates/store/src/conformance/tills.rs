//! A lease is written with what it takes of pools, once, and what is left of it comes back once.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhiyin_model::coupon::PoolTake;
use zhiyin_model::id::IdKey;
use zhiyin_model::till::{Lease, LeasedMember, LeasedOffer, LeasedPool, PoolOf, pool_of};
use zhiyin_model::time::{Day, Ts};

use super::{Homes, KEY};
use crate::tills::{LeasedTo, StoredLease};
use crate::{Result, Store, StoreError};

const SHARED: &str = "offer/a/stock";
const SIZE: i64 = 10;

/// A lease of so many pieces, due at an instant.
fn lease(name: &str, amount: i64, due: i64) -> Lease {
    let pool = LeasedPool { pool: SHARED.to_owned(), of: PoolOf::Uses, size: SIZE, amount };
    let offer = LeasedOffer { pools: vec![pool], ..LeasedOffer::default() };
    Lease {
        name: name.to_owned(),
        till: "till".to_owned(),
        store: "s1".to_owned(),
        zone: "UTC".to_owned(),
        from: Ts(1),
        until: Ts(due - 1),
        back_at: Ts(due),
        day: Day(0),
        version: 1,
        by: "owner".to_owned(),
        offers: BTreeMap::from([("a".to_owned(), offer)]),
        ended: None,
    }
}

fn to() -> LeasedTo {
    let member = LeasedMember { id: "00".repeat(16), coupons: Vec::new() };
    LeasedTo { asked: "7".to_owned(), members: vec![member] }
}

fn take(pool: String, amount: i64, size: Option<i64>) -> PoolTake {
    PoolTake { pool, amount, size }
}

async fn begin(store: &Arc<dyn Store>, name: &str, amount: i64, due: i64) -> Result<bool> {
    let takes = [take(pool_of(name, SHARED), amount, None), take(SHARED.to_owned(), amount, Some(SIZE))];
    store.tills().put(&StoredLease::of(&lease(name, amount, due), &to(), 0)?, &takes).await
}

async fn end(store: &Arc<dyn Store>, stored: &StoredLease, left: i64) -> Result<bool> {
    let mut lease = stored.lease()?;
    lease.ended = Some(Ts(7));
    let takes = [take(pool_of(&lease.name, SHARED), -left, None), take(SHARED.to_owned(), -left, None)];
    store.tills().put(&StoredLease::of(&lease, &LeasedTo::default(), stored.revision)?, &takes).await
}

/// What is taken of the pool that all share, and of the lease's own.
async fn taken(store: &Arc<dyn Store>, name: &str) -> Result<(i64, i64)> {
    let own = pool_of(name, SHARED);
    let taken = store.coupons().pools(vec![SHARED.to_owned(), own.clone()]).await?;
    let of = |pool: &str| taken.get(pool).copied().unwrap_or(0);
    Ok((of(SHARED), of(&own)))
}

/// What a pool has not is leased to nobody, and nothing of that lease is written.
pub async fn a_lease_is_taken_whole_or_not_at_all(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert!(begin(&store, "one", 6, 100).await?);
    assert_eq!(taken(&store, "one").await?, (6, 6));
    assert!(matches!(begin(&store, "two", 5, 100).await, Err(StoreError::Short)));
    assert_eq!(store.tills().lease("two").await?, None);
    assert_eq!(taken(&store, "two").await?, (6, 0));
    assert!(begin(&store, "two", 4, 100).await?);
    assert_eq!(taken(&store, "two").await?, (10, 4));
    let stored = store.tills().lease("one").await?;
    let stored = stored.ok_or(StoreError::Stopped)?;
    assert_eq!((stored.lease()?, stored.to()?, stored.revision), (lease("one", 6, 100), to(), 1));
    Ok(())
}

/// Whoever comes second changes nothing, and takes nothing.
pub async fn a_lease_is_changed_by_who_read_it_last(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert!(begin(&store, "one", 6, 100).await?);
    assert!(!begin(&store, "one", 1, 100).await?);
    assert_eq!(taken(&store, "one").await?, (6, 6));
    let stored = store.tills().lease("one").await?.ok_or(StoreError::Stopped)?;
    assert!(matches!(end(&store, &stored, 7).await, Err(StoreError::Short)));
    assert!(end(&store, &stored, 6).await?);
    assert!(!end(&store, &stored, 6).await?);
    assert_eq!(taken(&store, "one").await?, (0, 0));
    let ended = store.tills().lease("one").await?.ok_or(StoreError::Stopped)?;
    assert_eq!((ended.revision, ended.due, ended.lease()?.ended), (2, None, Some(Ts(7))));
    // Whom it names stays.
    assert_eq!(ended.to()?, to());
    Ok(())
}

/// The first first, and none that ended.
pub async fn leases_are_found_when_they_are_due(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    for (name, due) in [("c", 30), ("a", 10), ("b", 20)] {
        assert!(begin(&store, name, 1, due).await?);
    }
    let names = |leases: Vec<StoredLease>| leases.into_iter().map(|lease| lease.name).collect::<Vec<_>>();
    assert_eq!(names(store.tills().due(Ts(20), 9).await?), ["a", "b"]);
    assert_eq!(names(store.tills().due(Ts(99), 1).await?), ["a"]);
    let first = store.tills().lease("a").await?.ok_or(StoreError::Stopped)?;
    assert!(end(&store, &first, 1).await?);
    assert_eq!(names(store.tills().due(Ts(99), 9).await?), ["b", "c"]);
    assert_eq!(names(store.tills().leases(9).await?), ["b", "c", "a"]);
    Ok(())
}

/// The doctor holds what is taken of a pool against what leases still have of it.
pub async fn what_is_leased_and_what_is_taken_are_one_pool(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let broken = async |store: &Arc<dyn Store>| -> Result<Vec<String>> {
        Ok(store.doctor().await?.into_iter().flat_map(|check| check.broken).collect())
    };
    assert!(begin(&store, "one", 6, 100).await?);
    assert_eq!(broken(&store).await?, Vec::<String>::new());
    // What nobody sold is not the lease's any more.
    let stored = store.tills().lease("one").await?.ok_or(StoreError::Stopped)?;
    let lost = [take(pool_of("one", SHARED), -2, None)];
    assert!(store.tills().put(&stored, &lost).await?);
    assert_eq!(broken(&store).await?, ["offer/a/stock is off by 2"]);
    Ok(())
}

/// A home that is filled has the leases, and what they have.
pub async fn leases_move_with_the_home(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    assert!(begin(&old, "one", 6, 100).await?);
    assert!(begin(&old, "two", 1, 50).await?);
    let second = old.tills().lease("two").await?.ok_or(StoreError::Stopped)?;
    assert!(end(&old, &second, 1).await?);
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, filled) = tokio::join!(old.dump(out), new.fill(rows));
    filled?;
    assert_eq!(new.digest().await?, said?);
    assert_eq!(new.tills().leases(9).await?, old.tills().leases(9).await?);
    assert_eq!(taken(&new, "one").await?, (6, 6));
    let stored = new.tills().lease("one").await?.ok_or(StoreError::Stopped)?;
    assert!(end(&new, &stored, 6).await?);
    Ok(())
}

/// The digest tells what a lease has and whether it ended, and nothing of the home's keys.
pub async fn the_digest_tells_leases_apart(homes: &dyn Homes) -> Result<()> {
    let digest = async |change: fn(&mut Lease, &mut LeasedTo)| -> Result<String> {
        let store = homes.fresh(&KEY);
        let (mut lease, mut to) = (lease("one", 0, 100), to());
        change(&mut lease, &mut to);
        assert!(store.tills().put(&StoredLease::of(&lease, &to, 0)?, &[]).await?);
        store.digest().await
    };
    let usual = digest(|_, _| ()).await?;
    assert_eq!(digest(|_, to| to.members.clear()).await?, usual);
    let changes: [fn(&mut Lease, &mut LeasedTo); 3] = [
        |lease, _| lease.till = "other".to_owned(),
        |lease, _| lease.ended = Some(Ts(7)),
        |lease, _| lease.until = Ts(7),
    ];
    for change in changes {
        assert_ne!(digest(change).await?, usual);
    }
    Ok(())
}
