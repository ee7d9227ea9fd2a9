//! What members tell of themselves: consent and dependants.

use std::sync::Arc;

use zhiyin_model::id::IdKey;
use zhiyin_model::personal::Personal;

use super::life::{EVENTS, Life, at, lived, turn};
use super::{Homes, KEY};
use crate::flush::Flush;
use crate::{Result, Store, StoredMember, Wanted};

async fn member(store: &Arc<dyn Store>, life: &Life) -> Result<StoredMember> {
    let wanted = Wanted { members: vec![life.member()], ..Wanted::default() };
    Ok(store.load(wanted).await?.members.remove(0))
}

/// She lives, and tells this in the end.
async fn lived_and_told(store: &Arc<dyn Store>, life: &Life, told: Personal) -> Result<()> {
    lived(store, life, 2).await?;
    let mut stored = member(store, life).await?;
    assert!(stored.member.personal.is_empty());
    stored.member.personal = told;
    tells(store, stored).await
}

async fn tells(store: &Arc<dyn Store>, stored: StoredMember) -> Result<()> {
    let turn = turn(store).await?;
    store.flush(Flush { turn, members: vec![stored], version: 1, ..Flush::default() }).await
}

/// What a member told is read as it was written; and it is gone when she is written anew without.
pub async fn what_a_member_told_is_kept_whole(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    lived_and_told(&store, &life, life.told(EVENTS)).await?;
    let mut stored = member(&store, &life).await?;
    assert_eq!(stored.member.personal, life.told(EVENTS));
    let whole = store.member_whole(life.member()).await?.map(|whole| whole.member.personal);
    assert_eq!(whole, Some(life.told(EVENTS)));
    stored.member.personal.dependants.remove("first", at(9));
    for personal in [stored.member.personal.clone(), Personal::default()] {
        stored.member.personal.clone_from(&personal);
        tells(&store, stored.clone()).await?;
        assert_eq!(member(&store, &life).await?.member.personal, personal);
    }
    Ok(())
}

/// It moves with the home. The digest depends on what was told, on no key, and not on what was told once and is gone.
pub async fn what_a_member_told_moves_with_the_home(homes: &dyn Homes) -> Result<()> {
    let other = IdKey::from_bytes([9; 32]);
    let mut digests = Vec::new();
    for key in [KEY, other.clone()] {
        let (store, life) = (homes.fresh(&key), Life::of(&key));
        lived_and_told(&store, &life, life.told(EVENTS)).await?;
        digests.push(store.digest().await?);
        if key == KEY {
            let new = homes.fresh(&other);
            let (out, rows) = tokio::sync::mpsc::channel(2);
            let (said, taken) = tokio::join!(store.dump(out), new.fill(rows));
            taken?;
            digests.push(said?);
            digests.push(new.digest().await?);
            assert_eq!(member(&new, &life).await?.member.personal, life.told(EVENTS));
        }
        let mut stored = member(&store, &life).await?;
        stored.member.personal = Personal::default();
        tells(&store, stored).await?;
        let silent = homes.fresh(&key);
        lived_and_told(&silent, &life, Personal::default()).await?;
        assert_eq!(store.digest().await?, silent.digest().await?);
        assert_ne!(store.digest().await?, digests[0]);
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
    Ok(())
}
