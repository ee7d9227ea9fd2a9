//! Standing audiences: who is in them is part of a member's row; it is counted and listed, moves with the home, and ends with
//! an erasure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::member::Member;
use zhiyin_model::membership::Memberships;
use zhiyin_model::time::Ts;

use super::life::turn;
use super::{Homes, KEY};
use crate::flush::Flush;
use crate::reading::{Part, Spot, Which};
use crate::{Result, Store, StoredMember, Wanted};

fn one(n: u8) -> MemberId {
    KEY.derive("standing", &[&[n]])
}

fn memberships(since: &[(&str, i64)], judged: &[(u32, u64)]) -> Memberships {
    let since = since.iter().map(|(audience, at)| ((*audience).to_owned(), Ts(*at))).collect();
    Memberships { since, judged: judged.iter().copied().collect(), closed: false }
}

async fn put(store: &Arc<dyn Store>, members: &[(u8, Memberships)]) -> Result<()> {
    let stored = |(n, audiences): &(u8, Memberships)| {
        let member = Member { audiences: audiences.clone(), ..Member::new(one(*n), Ts(0)) };
        StoredMember { member, leaves: Vec::new(), fingerprint: String::new(), wake: None }
    };
    let members = members.iter().map(stored).collect();
    store.flush(Flush { turn: turn(store).await?, members, ..Flush::default() }).await
}

fn some() -> Vec<(u8, Memberships)> {
    vec![
        (0, memberships(&[("evening", 5)], &[(1, 3)])),
        (
            1,
            memberships(&[("even", -7), ("evening", 6), ("空巢", i64::MAX)], &[(1, u64::MAX), (u32::MAX, 0)]),
        ),
        (2, memberships(&[], &[(1, 0)])),
        (3, Memberships::default()),
        (4, memberships(&[("evening", 0)], &[])),
    ]
}

async fn read(store: &Arc<dyn Store>, n: u8) -> Result<Option<Memberships>> {
    let loaded = store.load(Wanted { members: vec![one(n)], ..Wanted::default() }).await?;
    Ok(loaded.members.into_iter().next().map(|stored| stored.member.audiences))
}

/// All that are listed, so many looked at a time.
async fn listed(store: &Arc<dyn Store>, audience: &str, look: usize) -> Result<Vec<MemberId>> {
    let which = Which { audience: Some(audience.to_owned()), ..Which::default() };
    let (mut found, mut after): (Vec<MemberId>, Option<Spot>) = (Vec::new(), None);
    loop {
        let Part { members, next } = store.reading().list(which.clone(), after, look).await?;
        found.extend(members.iter().map(|(_, member)| *member));
        let Some(next) = next else { return Ok(found) };
        after = Some(next);
    }
}

async fn counts(store: &Arc<dyn Store>) -> Result<BTreeMap<String, u64>> {
    store.reading().audience_counts().await
}

fn counted(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts.iter().map(|(audience, n)| ((*audience).to_owned(), *n)).collect()
}

/// What a member is in is read as it was written, and whoever is in an audience is listed once, in one order, whatever the size
/// of a part.
pub async fn memberships_are_kept_counted_and_listed(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert_eq!(counts(&store).await?, counted(&[]));
    put(&store, &some()).await?;
    for (n, expected) in some() {
        assert_eq!(read(&store, n).await?, Some(expected), "{n}");
    }
    assert_eq!(counts(&store).await?, counted(&[("even", 1), ("evening", 3), ("空巢", 1)]));
    for (audience, expected) in
        [("evening", vec![0, 1, 4]), ("even", vec![1]), ("空巢", vec![1]), ("eve", vec![])]
    {
        let whole = listed(&store, audience, 100).await?;
        let expected: BTreeSet<MemberId> = expected.into_iter().map(one).collect();
        assert_eq!(whole.iter().copied().collect::<BTreeSet<_>>(), expected, "{audience}");
        for look in [1, 2, 5] {
            assert_eq!(listed(&store, audience, look).await?, whole, "{audience} {look}");
        }
    }
    // Who left is in it no more, and who is there for the first time is.
    put(&store, &[(0, memberships(&[], &[(1, 0)])), (3, memberships(&[("even", 9)], &[]))]).await?;
    assert_eq!(counts(&store).await?, counted(&[("even", 2), ("evening", 2), ("空巢", 1)]));
    assert_eq!(read(&store, 3).await?, Some(memberships(&[("even", 9)], &[])));
    Ok(())
}

/// The digest tells who is in which audience and since when, and nothing of homes in which none stands; what was judged last is
/// no state of its own.
pub async fn the_digest_tells_who_is_in(homes: &dyn Homes) -> Result<()> {
    let digest = async |audiences: Memberships| -> Result<String> {
        let store = homes.fresh(&KEY);
        put(&store, &[(0, audiences)]).await?;
        store.digest().await
    };
    let nothing = digest(Memberships::default()).await?;
    assert_eq!(digest(memberships(&[], &[(1, 3)])).await?, nothing);
    let evening = digest(memberships(&[("evening", 5)], &[(1, 3)])).await?;
    assert_eq!(digest(memberships(&[("evening", 5)], &[(2, 9)])).await?, evening);
    let others = [
        nothing,
        evening,
        digest(memberships(&[("evening", 6)], &[(1, 3)])).await?,
        digest(memberships(&[("even", 5)], &[(1, 3)])).await?,
        digest(memberships(&[("evening", 5), ("even", 5)], &[(1, 3)])).await?,
    ];
    assert_eq!(others.iter().collect::<BTreeSet<_>>().len(), others.len());
    Ok(())
}

/// Backups and migrations bring them along.
pub async fn memberships_move_with_the_home(homes: &dyn Homes) -> Result<()> {
    let (store, other) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    put(&store, &some()).await?;
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(store.dump(out), other.fill(rows));
    taken?;
    assert_eq!(other.digest().await?, said?);
    for (n, expected) in some() {
        assert_eq!(read(&other, n).await?, Some(expected), "{n}");
    }
    assert_eq!(counts(&other).await?, counts(&store).await?);
    Ok(())
}

/// An erasure ends all memberships, and says so to whoever judges next.
pub async fn whoever_is_erased_is_in_none(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    put(&store, &some()).await?;
    let Some(personal) = store.personal() else { return Ok(()) };
    personal.erase(one(1)).await?;
    assert_eq!(read(&store, 1).await?, Some(Memberships { closed: true, ..Memberships::default() }));
    assert_eq!(counts(&store).await?, counted(&[("evening", 2)]));
    // It stays so however often they are written.
    put(&store, &[(1, Memberships { closed: true, ..Memberships::default() })]).await?;
    assert_eq!(read(&store, 1).await?, Some(Memberships { closed: true, ..Memberships::default() }));
    Ok(())
}
