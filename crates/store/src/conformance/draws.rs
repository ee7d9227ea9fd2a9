//! Draws are changed by one at a time, their closed lists stay as they were written, and chances are counted by member.

use std::sync::Arc;

use zhiyin_model::coupon::{Coupon, CouponAccount, CouponChange, CouponMoveKind, chance_of, stock_of};
use zhiyin_model::id::{IdKey, MemberId};

use super::coupons::{coupon, decide, holds, life, moved, take, well};
use super::life::{append, at};
use super::{Homes, KEY};
use crate::coupons::CouponFlush;
use crate::draws::{PART_ENTRIES_MAX, StoredDraw};
use crate::{Result, Store, StoreError};

fn draw(name: &str, revision: i64, state: &str) -> StoredDraw {
    StoredDraw { name: name.to_owned(), revision, state: state.to_owned() }
}

/// Whoever changes a draw has read how it stood: of two only one does.
pub async fn a_draw_is_changed_by_who_read_it_last(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let draws = store.draws();
    assert_eq!((draws.draw("a").await?, draws.all().await?), (None, vec![]));
    assert!(!draws.set("a", 1, "early").await?, "it is not there yet");
    assert!(draws.set("a", 0, "open").await?);
    assert!(!draws.set("a", 0, "open again").await?);
    assert_eq!(draws.draw("a").await?, Some(draw("a", 1, "open")));
    assert!(draws.set("a", 1, "closed").await?);
    assert!(!draws.set("a", 1, "closed by another").await?);
    assert!(draws.set("B", 0, "open").await?);
    assert_eq!(draws.all().await?, [draw("B", 1, "open"), draw("a", 2, "closed")]);
    let many = (0..8).map(|n| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.draws().set("a", 2, &format!("drawn by {n}")).await })
    });
    let mut won = 0;
    for one in many.collect::<Vec<_>>() {
        won += usize::from(one.await.map_err(|error| StoreError::Database(error.to_string()))??);
    }
    assert_eq!((won, draws.draw("a").await?.map(|draw| draw.revision)), (1, Some(3)));
    Ok(())
}

/// A part of a list that is written stays as it is, and is bounded.
pub async fn a_closed_list_stays_as_it_was_written(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let draws = store.draws();
    let entry = |n: u8, chances: u32| (MemberId::from_bytes([n; 16]), chances);
    let (list, other) = ([1; 32], [2; 32]);
    assert_eq!(draws.entries(list, 0).await?, None);
    draws.put_entries(list, 0, vec![entry(1, 3), entry(2, u32::MAX)]).await?;
    draws.put_entries(list, 0, vec![entry(9, 1)]).await?;
    draws.put_entries(list, 1, vec![]).await?;
    assert_eq!(draws.entries(list, 0).await?, Some(vec![entry(1, 3), entry(2, u32::MAX)]));
    assert_eq!(draws.entries(list, 1).await?, Some(vec![]));
    assert_eq!((draws.entries(list, 2).await?, draws.entries(other, 0).await?), (None, None));
    let many = draws.put_entries(other, 0, vec![entry(1, 1); PART_ENTRIES_MAX + 1]).await;
    assert!(matches!(many, Err(StoreError::Damaged(_))), "{many:?}");
    Ok(())
}

/// Chances of a member: coupons of a draw's own offer, all but those that were taken back, whatever became of them.
async fn chances(store: &Arc<dyn Store>, name: &str, n: u32, back: u32) -> Result<MemberId> {
    let (life, offer) = (life(name), chance_of("tickets"));
    let coupons: Vec<Coupon> = (0..n).map(|n| Coupon { offer: offer.clone(), ..coupon(&life, n) }).collect();
    let moves = (0..).zip(&coupons).map(|(n, one)| moved(&life, one, CouponMoveKind::Issue, 1, n));
    let gone = &coupons[..usize::try_from(back).unwrap_or(0)];
    let backs = (n..).zip(gone).map(|(n, one)| moved(&life, one, CouponMoveKind::Withdraw, 1, n));
    let change = |one: &Coupon| CouponChange {
        id: one.id,
        member: one.member,
        account: CouponAccount::Withdrawn,
        valid_until: one.valid_until,
    };
    let flush = CouponFlush {
        issued: coupons.clone(),
        changed: gone.iter().map(change).collect(),
        moves: moves.chain(backs).collect(),
        pools: vec![take(&stock_of(&offer), i64::from(n - back), None)],
        ..CouponFlush::default()
    };
    store.append(append(vec![life.item(1)], at(1), false)).await?;
    decide(store, &life, 1, holds(&coupons[gone.len()..], n - back), flush).await?;
    Ok(life.member())
}

/// Chances are counted member after member, from one on, without those that were taken back.
pub async fn chances_are_counted_by_member(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let offer = chance_of("tickets");
    assert_eq!(store.draws().chances(&offer, None, 9).await?, []);
    let mut expected = vec![
        (chances(&store, "ann", 3, 1).await?, 2),
        (chances(&store, "bob", 1, 0).await?, 1),
        (chances(&store, "cid", 4, 0).await?, 4),
    ];
    // Who has none any more has none.
    chances(&store, "dan", 1, 1).await?;
    expected.sort_unstable();
    assert_eq!(store.draws().chances(&offer, None, 9).await?, expected);
    assert_eq!(store.draws().chances(&offer, None, 2).await?, expected[..2]);
    assert_eq!(store.draws().chances(&offer, Some(expected[0].0), 9).await?, expected[1..]);
    assert_eq!(store.draws().chances(&chance_of("other"), None, 9).await?, []);
    well(&store).await
}

/// A home takes its draws and their lists along; the digest tells how a draw stands.
pub async fn draws_move_with_the_home(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    let before = old.digest().await?;
    assert!(old.draws().set("a", 0, "open").await?);
    let open = old.digest().await?;
    assert!(old.draws().set("a", 1, "closed").await?);
    let entries = vec![(MemberId::from_bytes([1; 16]), 3)];
    old.draws().put_entries([1; 32], 0, entries.clone()).await?;
    let closed = old.digest().await?;
    assert!(before != open && open != closed);
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    taken?;
    assert_eq!((said?, new.digest().await?), (closed.clone(), closed));
    assert_eq!(new.draws().all().await?, [draw("a", 2, "closed")]);
    assert_eq!(new.draws().entries([1; 32], 0).await?, Some(entries));
    assert!(new.draws().set("a", 2, "drawn").await?);
    Ok(())
}
