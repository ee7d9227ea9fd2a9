//! Coupons are kept where their moves put them, and of a pool no more is ever taken than there is.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhiyin_model::coupon::{
    Coupon, CouponAccount, CouponChange, CouponCode, CouponMove, CouponMoveKind, CouponTerms, HeldCoupon,
    Holdings, PoolTake, Tally, stock_of,
};
use zhiyin_model::id::{CouponId, IdKey, MemberId};
use zhiyin_model::member::Member;
use zhiyin_model::time::{Day, Ts};

use super::life::{Life, at, turn};
use super::{Homes, KEY};
use crate::coupons::{CouponFlush, Issue, NewIssue};
use crate::flush::{Flush, Joined, Parted};
use crate::turn::Turn;
use crate::{Result, Store, StoreError, StoredMember, Wanted};

pub(super) fn life(name: &str) -> Life {
    Life { key: KEY, name: name.to_owned() }
}

/// The n-th coupon of a member, issued by their first event.
pub(super) fn coupon(life: &Life, n: u32) -> Coupon {
    let cause = life.event(1);
    Coupon {
        id: CouponCode::of(&KEY, cause, "welcome", n).id(&KEY),
        member: life.member(),
        offer: "welcome".to_owned(),
        terms: [n as u8; 16],
        account: CouponAccount::Held,
        valid_from: at(1),
        valid_until: at(5),
        at: at(1),
        cause,
        ordinal: n,
    }
}

pub(super) fn moved(life: &Life, coupon: &Coupon, kind: CouponMoveKind, n: u8, ordinal: u32) -> CouponMove {
    let (offer, event) = (coupon.offer.clone(), life.event(n));
    CouponMove { coupon: coupon.id, member: life.member(), offer, kind, at: at(n), event, ordinal, given: 0 }
}

pub(super) fn holds(coupons: &[Coupon], issued: u32) -> Holdings {
    let held = coupons.iter().map(|coupon| {
        let held = HeldCoupon {
            offer: coupon.offer.clone(),
            at: coupon.at,
            account: coupon.account,
            valid_from: coupon.valid_from,
            valid_until: coupon.valid_until,
            locked_until: None,
            remind: vec![at(4)],
            gives_back: false,
            paid: None,
            order: None,
        };
        (coupon.id, held)
    });
    let tally = Tally { total: issued, days: vec![(Day(100), issued)] };
    Holdings {
        coupons: held.collect(),
        issued: BTreeMap::from([("welcome".to_owned(), tally)]),
        ..Holdings::default()
    }
}

fn stored(life: &Life, holdings: Holdings) -> StoredMember {
    let mut member = Member::new(life.member(), at(1));
    member.holdings = holdings;
    StoredMember { member, leaves: Vec::new(), fingerprint: String::new(), wake: None }
}

pub(super) fn take(pool: &str, amount: i64, size: Option<i64>) -> PoolTake {
    PoolTake { pool: pool.to_owned(), amount, size }
}

/// Decides the next row that waits as a member's n-th event, with what it says of coupons.
pub(super) async fn decide(
    store: &Arc<dyn Store>,
    life: &Life,
    n: u8,
    holdings: Holdings,
    coupons: CouponFlush,
) -> Result<()> {
    let turn = turn(store).await?;
    let rows = store.waiting(&turn, 10).await?;
    let row = rows.first().ok_or_else(|| StoreError::Damaged("nothing waits".to_owned()))?;
    let part = life.part(n, row.seq);
    let flush = Flush {
        turn,
        cursor: part.cursor,
        version: 1,
        decided: part.decided,
        identifiers: part.identifiers,
        members: vec![stored(life, holdings)],
        coupons,
        ..Flush::default()
    };
    store.flush(flush).await
}

/// A member to whom three coupons were issued.
async fn issued(store: &Arc<dyn Store>, name: &str) -> Result<(Life, Vec<Coupon>)> {
    let life = life(name);
    let coupons: Vec<Coupon> = (0..3).map(|n| coupon(&life, n)).collect();
    let moves =
        (0..).zip(&coupons).map(|(n, coupon)| moved(&life, coupon, CouponMoveKind::Issue, 1, n)).collect();
    let terms =
        |n: u8| CouponTerms { hash: [n; 16], offer: "welcome".to_owned(), text: format!("terms {n}") };
    let flush = CouponFlush {
        issued: coupons.clone(),
        moves,
        terms: (0..3).map(|n| Arc::new(terms(n))).collect(),
        pools: vec![take(&stock_of("welcome"), 3, Some(6))],
        ..CouponFlush::default()
    };
    store.append(super::life::append(vec![life.item(1)], at(1), false)).await?;
    decide(store, &life, 1, holds(&coupons, 3), flush).await?;
    Ok((life, coupons))
}

pub(super) async fn well(store: &Arc<dyn Store>) -> Result<()> {
    let broken: Vec<_> = store.doctor().await?.into_iter().filter(|check| !check.broken.is_empty()).collect();
    assert_eq!(broken, []);
    Ok(())
}

async fn member(store: &Arc<dyn Store>, id: MemberId) -> Result<Option<Member>> {
    let loaded = store.load(Wanted { members: vec![id], ..Wanted::default() }).await?;
    Ok(loaded.members.into_iter().map(|stored| stored.member).next())
}

/// A coupon is found by its code and by its member, with its terms and its moves, and is where these put it.
pub async fn coupons_are_found_and_moved(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let nothing = store.coupons().coupon(CouponId::from_bytes([1; 16])).await?;
    assert_eq!(nothing, None);
    let (life, coupons) = issued(&store, "ann").await?;
    for coupon in &coupons {
        let typed = CouponCode::typed(&coupon.code(&KEY).to_string()).map(|code| code.id(&KEY));
        assert_eq!(typed, Some(coupon.id));
        assert_eq!(store.coupons().coupon(coupon.id).await?.as_ref(), Some(coupon));
        let terms = store.coupons().coupon_terms(coupon.terms).await?;
        assert_eq!(terms, Some(format!("terms {}", coupon.ordinal)));
    }
    let read = member(&store, life.member()).await?.map(|member| member.holdings);
    assert_eq!(read, Some(holds(&coupons, 3)));
    let of = |all: Vec<Coupon>| all.into_iter().map(|coupon| coupon.id).collect::<Vec<_>>();
    let mut ids: Vec<CouponId> = coupons.iter().map(|coupon| coupon.id).collect();
    ids.sort_unstable();
    assert_eq!(of(store.coupons().coupons_of(life.member(), 9).await?), ids);
    assert_eq!(of(store.coupons().coupons_of(life.member(), 2).await?), ids[..2]);
    well(&store).await?;
    // One is taken back, one expires.
    let change = |n: usize, account| CouponChange {
        id: coupons[n].id,
        member: life.member(),
        account,
        valid_until: coupons[n].valid_until,
    };
    let flush = CouponFlush {
        changed: vec![change(0, CouponAccount::Withdrawn), change(1, CouponAccount::Expired)],
        moves: vec![
            moved(&life, &coupons[0], CouponMoveKind::Withdraw, 2, 0),
            moved(&life, &coupons[1], CouponMoveKind::Expire, 2, 1),
        ],
        pools: vec![take(&stock_of("welcome"), -1, None)],
        ..CouponFlush::default()
    };
    store.append(super::life::append(vec![life.item(2)], at(2), false)).await?;
    decide(&store, &life, 2, holds(&coupons[2..], 2), flush).await?;
    let accounts = [CouponAccount::Withdrawn, CouponAccount::Expired, CouponAccount::Held];
    for (coupon, account) in coupons.iter().zip(accounts) {
        let found = store.coupons().coupon(coupon.id).await?.map(|coupon| coupon.account);
        assert_eq!(found, Some(account));
    }
    let moves = store.coupons().coupon_moves(coupons[0].id).await?;
    let moves: Vec<_> = moves.iter().map(|line| (line.kind, line.at, line.version)).collect();
    assert_eq!(moves, [(CouponMoveKind::Issue, at(1), 1), (CouponMoveKind::Withdraw, at(2), 1)]);
    let taken = store.coupons().pools(vec![stock_of("welcome"), stock_of("other")]).await?;
    assert_eq!(taken, BTreeMap::from([(stock_of("welcome"), 2)]));
    well(&store).await
}

/// Where a batch would take more than there may be, or give back more than was taken, nothing of it is written. A peer's count
/// of 99 out of 100 became 149 by one batch of 50; another's went below what was out by giving back twice.
pub async fn no_more_is_taken_of_a_pool_than_there_is(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let takes = async |pools: Vec<PoolTake>| -> Result<()> {
        let coupons = CouponFlush { pools, ..CouponFlush::default() };
        let flush = Flush { turn: turn(&store).await?, coupons, ..Flush::default() };
        store.flush(flush).await
    };
    let taken = async || -> Result<Vec<i64>> {
        let taken = store.coupons().pools(vec!["a".to_owned(), "b".to_owned()]).await?;
        Ok(taken.into_values().collect())
    };
    takes(vec![take("a", 99, Some(100)), take("b", 1, None)]).await?;
    let digest = store.digest().await?;
    for refused in [
        vec![take("a", 50, Some(100))],
        vec![take("a", 2, Some(100))],
        vec![take("a", -100, Some(100))],
        // All or nothing, whichever comes first.
        vec![take("b", 5, None), take("a", 2, Some(100))],
        vec![take("a", 1, Some(100)), take("b", -2, None)],
        vec![take("new", 3, Some(2))],
        vec![take("new", -1, None)],
    ] {
        let said = takes(refused.clone()).await;
        assert!(matches!(said, Err(StoreError::Short)), "{refused:?}: {said:?}");
        assert_eq!(taken().await?, [99, 1], "{refused:?}");
    }
    assert_eq!(store.digest().await?, digest);
    takes(vec![take("a", 1, Some(100))]).await?;
    // There is less in all now than was taken: none is taken, but what comes back comes back.
    assert!(matches!(takes(vec![take("a", 1, Some(10))]).await, Err(StoreError::Short)));
    takes(vec![take("a", -1, Some(10)), take("b", 0, Some(0))]).await?;
    assert_eq!(taken().await?, [99, 1]);
    Ok(())
}

/// Whoever writes at the same time: of a hundred exactly a hundred are taken.
pub async fn many_who_write_at_once_take_exactly_what_there_is(homes: &dyn Homes) -> Result<()> {
    const SIZE: i64 = 100;
    let store = homes.fresh(&KEY);
    let all = turn(&store).await?;
    let writers = all.held.iter().map(|held| {
        let store = Arc::clone(&store);
        let mut turn = Turn { held: vec![*held] };
        tokio::spawn(async move {
            let mut taken = 0;
            loop {
                let coupons = CouponFlush { pools: vec![take("a", 1, Some(SIZE))], ..CouponFlush::default() };
                let flush = Flush { turn: turn.clone(), coupons, ..Flush::default() };
                match store.flush(flush).await {
                    Ok(()) => {
                        taken += 1;
                        turn.moved(None);
                    }
                    Err(StoreError::Short) => return Ok::<i64, StoreError>(taken),
                    // It gave way to another, and nothing was written.
                    Err(StoreError::Stale) => {}
                    Err(error) => return Err(error),
                }
            }
        })
    });
    let mut sum = 0;
    for writer in writers.collect::<Vec<_>>() {
        sum += writer.await.map_err(|error| StoreError::Database(error.to_string()))??;
    }
    assert_eq!(sum, SIZE);
    assert_eq!(store.coupons().pools(vec!["a".to_owned()]).await?.get("a"), Some(&SIZE));
    Ok(())
}

/// A merge moves every coupon once; parting gives back those that leave.
pub async fn coupons_follow_whoever_they_are(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let (ann, mut hers) = issued(&store, "ann").await?;
    let (bob, his) = issued(&store, "bob").await?;
    let both: Vec<Coupon> = hers.iter().chain(&his).cloned().collect();
    let flush = Flush {
        turn: turn(&store).await?,
        version: 1,
        members: vec![stored(&ann, holds(&both, 6))],
        joined: vec![Joined { winner: ann.member(), loser: bob.member() }],
        ..Flush::default()
    };
    store.flush(flush).await?;
    assert_eq!(member(&store, bob.member()).await?, None);
    let mut of_ann: Vec<CouponId> =
        store.coupons().coupons_of(ann.member(), 9).await?.iter().map(|coupon| coupon.id).collect();
    of_ann.sort_unstable();
    let mut all: Vec<CouponId> = both.iter().map(|coupon| coupon.id).collect();
    all.sort_unstable();
    assert_eq!(of_ann, all);
    assert_eq!(store.books(ann.member()).await?.coupons.len(), 6);
    well(&store).await?;
    let cid = life("cid");
    let seqs: Vec<i64> = store.whole_past(ann.member()).await?.iter().map(|past| past.event.seq).collect();
    let flush = Flush {
        turn: turn(&store).await?,
        version: 1,
        members: vec![stored(&ann, holds(&hers, 3)), stored(&cid, holds(&his, 3))],
        parted: vec![Parted {
            from: ann.member(),
            to: cid.member(),
            leave: vec![],
            stay: seqs,
            orders: vec![],
            lots: vec![],
            holds: vec![],
            coupons: his.iter().map(|coupon| coupon.id).collect(),
            checkouts: vec![],
        }],
        ..Flush::default()
    };
    store.flush(flush).await?;
    for coupon in &his {
        assert_eq!(store.coupons().coupon(coupon.id).await?.map(|one| one.member), Some(cid.member()));
    }
    let mut of_ann = store.coupons().coupons_of(ann.member(), 9).await?;
    of_ann.sort_by_key(|coupon| coupon.id);
    hers.sort_by_key(|coupon| coupon.id);
    assert_eq!(of_ann, hers);
    well(&store).await
}

/// An issue is begun once, and its parts are what they were written down as.
pub async fn an_issue_is_written_down_part_by_part(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let coupons = store.coupons();
    let new = |name: &str| NewIssue {
        name: name.to_owned(),
        offer: "welcome".to_owned(),
        audience: "tier == \"gold\"".to_owned(),
        by: "owner".to_owned(),
        at: at(1),
    };
    let first = coupons.begin_issue(new("a")).await?;
    let again = coupons.begin_issue(NewIssue { offer: "other".to_owned(), ..new("a") }).await?;
    assert_eq!(again, first, "whoever asks again is told what was begun");
    let second = coupons.begin_issue(new("b")).await?;
    assert!(second.no > first.no);
    let members = |n: u8| vec![MemberId::from_bytes([n; 16]), MemberId::from_bytes([n + 1; 16])];
    coupons.put_issue_part(first.no, 0, members(1)).await?;
    coupons.put_issue_part(first.no, 0, members(7)).await?;
    coupons.put_issue_part(first.no, 1, members(3)).await?;
    coupons.issue_listed(first.no, 4, 2).await?;
    coupons.issue_listed(first.no, 9, 9).await?;
    assert_eq!(coupons.issue_part(first.no, 0).await?, Some(members(1)));
    assert_eq!(coupons.issue_part(first.no, 1).await?, Some(members(3)));
    assert_eq!(coupons.issue_part(first.no, 2).await?, None);
    let listed = Issue { listed: Some((4, 2)), ..first.clone() };
    assert_eq!(coupons.issue(first.no).await?, Some(listed.clone()));
    assert_eq!(coupons.issue(99).await?, None);
    assert_eq!(coupons.issues(9).await?, [second, listed]);
    assert_eq!(coupons.issues(1).await?.len(), 1);
    Ok(())
}

/// A home takes its coupons, pools and issues with it.
pub async fn coupons_move_with_the_home(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    let (life, coupons) = issued(&old, "ann").await?;
    let asked = NewIssue {
        name: "a".to_owned(),
        offer: "welcome".to_owned(),
        audience: String::new(),
        by: "owner".to_owned(),
        at: at(1),
    };
    let issue = old.coupons().begin_issue(asked.clone()).await?;
    old.coupons().put_issue_part(issue.no, 0, vec![life.member()]).await?;
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    taken?;
    assert_eq!(new.digest().await?, said?);
    for coupon in &coupons {
        assert_eq!(new.coupons().coupon(coupon.id).await?.as_ref(), Some(coupon));
        assert_eq!(new.coupons().coupon_moves(coupon.id).await?.len(), 1);
        assert!(new.coupons().coupon_terms(coupon.terms).await?.is_some());
    }
    assert_eq!(new.coupons().issue(issue.no).await?, Some(issue.clone()));
    assert_eq!(new.coupons().issue_part(issue.no, 0).await?, Some(vec![life.member()]));
    let next = new.coupons().begin_issue(NewIssue { name: "b".to_owned(), ..asked }).await?;
    assert!(next.no > issue.no);
    well(&new).await
}

/// The digest tells where a coupon stands, what is taken, and how often an offer was whose.
pub async fn the_digest_tells_coupons_apart(homes: &dyn Homes) -> Result<()> {
    let digest = async |change: fn(&mut Holdings, &mut CouponFlush)| -> Result<String> {
        let store = homes.fresh(&KEY);
        let life = life("ann");
        let coupon = coupon(&life, 0);
        let mut flush = CouponFlush {
            moves: vec![moved(&life, &coupon, CouponMoveKind::Issue, 1, 0)],
            pools: vec![take("a", 1, None)],
            issued: vec![coupon.clone()],
            ..CouponFlush::default()
        };
        let mut holdings = holds(&[coupon], 1);
        change(&mut holdings, &mut flush);
        store.append(super::life::append(vec![life.item(1)], at(1), false)).await?;
        decide(&store, &life, 1, holdings, flush).await?;
        store.digest().await
    };
    let changes: [fn(&mut Holdings, &mut CouponFlush); 6] = [
        |_, _| (),
        |_, flush| flush.issued[0].account = CouponAccount::Expired,
        |_, flush| flush.issued[0].valid_until = Ts(7),
        |_, flush| flush.moves[0].at = Ts(7),
        |_, flush| flush.pools[0].amount = 2,
        |holdings, _| holdings.issued.clear(),
    ];
    let mut digests = std::collections::BTreeSet::new();
    for change in changes {
        assert!(digests.insert(digest(change).await?));
    }
    Ok(())
}
