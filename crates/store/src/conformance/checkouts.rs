//! Checkouts are kept as they stand, hold what coupons and pools say that they hold, and follow whoever they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhiyin_model::checkout::{self, Checkout, CheckoutState, CouponTaken, Takes};
use zhiyin_model::coupon::{
    Coupon, CouponAccount, CouponChange, CouponCode, CouponMove, CouponMoveKind, HeldCoupon, Holdings,
    PoolTake, stock_of,
};
use zhiyin_model::id::{CheckoutId, IdKey};
use zhiyin_model::member::Member;
use zhiyin_model::time::{Day, Ts};

use super::life::{Life, at, turn};
use super::{Homes, KEY};
use crate::checkouts::CheckoutSet;
use crate::coupons::CouponFlush;
use crate::flush::{Flush, Joined, Parted};
use crate::{Result, Store, StoreError, StoredMember, seal};

const POOL: &str = "offer/few/stock";

fn life(name: &str) -> Life {
    Life { key: KEY, name: name.to_owned() }
}

fn coupon(life: &Life) -> Coupon {
    let cause = life.event(1);
    Coupon {
        id: CouponCode::of(&KEY, cause, "welcome", 0).id(&KEY),
        member: life.member(),
        offer: "welcome".to_owned(),
        terms: [0; 16],
        account: CouponAccount::Locked,
        valid_from: at(1),
        valid_until: at(5),
        at: at(1),
        cause,
        ordinal: 0,
    }
}

fn moved(life: &Life, kind: CouponMoveKind, n: u8, ordinal: u32) -> CouponMove {
    let (offer, event) = ("welcome".to_owned(), life.event(n));
    CouponMove {
        coupon: coupon(life).id,
        member: life.member(),
        offer,
        kind,
        at: at(n),
        event,
        ordinal,
        given: 0,
    }
}

fn named(life: &Life) -> CheckoutId {
    checkout::id(&KEY, "", &life.name)
}

/// A checkout that a member's first event locked: one of a pool, and the member's coupon.
fn locked(life: &Life) -> Checkout {
    let coupon = coupon(life);
    let taken = CouponTaken {
        id: coupon.id,
        offer: coupon.offer,
        at: coupon.at,
        valid_from: coupon.valid_from,
        valid_until: coupon.valid_until,
    };
    Checkout {
        id: named(life),
        member: life.member(),
        state: CheckoutState::Locked,
        at: at(1),
        until: at(3),
        cause: life.event(1),
        order: None,
        takes: Takes {
            pools: vec![(POOL.to_owned(), 1)],
            uses: vec![("few".to_owned(), Day(7))],
            coupons: vec![taken],
            ..Takes::default()
        },
    }
}

fn holds(lives: &[&Life]) -> Holdings {
    let held = lives.iter().map(|life| {
        let coupon = coupon(life);
        let held = HeldCoupon {
            offer: coupon.offer,
            at: coupon.at,
            account: CouponAccount::Locked,
            valid_from: coupon.valid_from,
            valid_until: coupon.valid_until,
            locked_until: Some(at(3)),
            remind: vec![],
            gives_back: false,
            paid: None,
            order: None,
        };
        (coupon.id, held)
    });
    let checkouts = lives.iter().map(|life| (named(life), at(3))).collect();
    Holdings { coupons: held.collect(), checkouts, ..Holdings::default() }
}

fn stored(life: &Life, holdings: Holdings) -> StoredMember {
    let mut member = Member::new(life.member(), at(1));
    member.holdings = holdings;
    StoredMember { member, leaves: Vec::new(), fingerprint: String::new(), wake: None }
}

fn take(pool: &str, amount: i64) -> PoolTake {
    PoolTake { pool: pool.to_owned(), amount, size: None }
}

/// Decides the next row that waits as a member's n-th event.
async fn decide(
    store: &Arc<dyn Store>,
    life: &Life,
    n: u8,
    (holdings, coupons): (Holdings, CouponFlush),
    checkouts: Vec<CheckoutSet>,
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
        checkouts,
        ..Flush::default()
    };
    store.flush(flush).await
}

/// A member with a coupon, which a checkout holds.
async fn began(store: &Arc<dyn Store>, name: &str, body: &str) -> Result<Life> {
    let life = life(name);
    let coupons = CouponFlush {
        issued: vec![coupon(&life)],
        moves: vec![moved(&life, CouponMoveKind::Issue, 1, 0), moved(&life, CouponMoveKind::Lock, 1, 1)],
        pools: vec![take(&stock_of("welcome"), 1), take(POOL, 1)],
        ..CouponFlush::default()
    };
    store.append(super::life::append(vec![life.item(1)], at(1), false)).await?;
    let set = CheckoutSet { checkout: locked(&life), body: Some(seal::seal(body)) };
    decide(store, &life, 1, (holds(&[&life]), coupons), vec![set]).await?;
    Ok(life)
}

async fn well(store: &Arc<dyn Store>) -> Result<()> {
    let broken: Vec<_> = store.doctor().await?.into_iter().filter(|check| !check.broken.is_empty()).collect();
    assert_eq!(broken, []);
    Ok(())
}

/// A checkout is found by its name and by its member, and stays whose it is.
pub async fn checkouts_are_kept_as_they_stand(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert_eq!(store.coupons().checkout(CheckoutId::from_bytes([1; 16])).await?, None);
    let ann = began(&store, "ann", "a cart").await?;
    let found = store.coupons().checkout(named(&ann)).await?;
    assert_eq!(found.as_ref().map(|found| &found.checkout), Some(&locked(&ann)));
    assert_eq!(found.map(|found| seal::open(&found.body)).transpose()?.as_deref(), Some("a cart"));
    assert_eq!(store.coupons().checkouts_of(ann.member(), 9).await?.len(), 1);
    assert_eq!(store.coupons().checkouts_of(ann.member(), 0).await?, []);
    well(&store).await?;
    // It is redeemed; its body stays where none is said.
    let takes = Takes { uses: vec![], ..locked(&ann).takes };
    let redeemed = Checkout { state: CheckoutState::Redeemed, at: at(2), takes, ..locked(&ann) };
    let change = CouponChange {
        id: coupon(&ann).id,
        member: ann.member(),
        account: CouponAccount::Redeemed,
        valid_until: at(5),
    };
    let coupons = CouponFlush {
        changed: vec![change],
        moves: vec![moved(&ann, CouponMoveKind::Redeem, 2, 0)],
        ..CouponFlush::default()
    };
    store.append(super::life::append(vec![ann.item(2)], at(2), false)).await?;
    let set = CheckoutSet { checkout: redeemed.clone(), body: None };
    decide(&store, &ann, 2, (Holdings::default(), coupons), vec![set]).await?;
    let found = store.coupons().checkout(named(&ann)).await?;
    assert_eq!(found.as_ref().map(|found| &found.checkout), Some(&redeemed));
    assert_eq!(found.map(|found| seal::open(&found.body)).transpose()?.as_deref(), Some("a cart"));
    well(&store).await?;
    // Nobody else writes it, whether with a body or without.
    let bob = life("bob");
    store.append(super::life::append(vec![bob.item(1)], at(3), false)).await?;
    for body in [None, Some(seal::seal("another cart"))] {
        let set = CheckoutSet { checkout: Checkout { member: bob.member(), ..redeemed.clone() }, body };
        let refused = decide(&store, &bob, 1, Default::default(), vec![set]).await;
        assert!(matches!(refused, Err(StoreError::Stale)), "{refused:?}");
    }
    Ok(())
}

/// A merge moves every checkout; parting gives back those that leave.
pub async fn checkouts_follow_whoever_they_are(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let (ann, bob) = (began(&store, "ann", "hers").await?, began(&store, "bob", "his").await?);
    let flush = Flush {
        turn: turn(&store).await?,
        version: 1,
        members: vec![stored(&ann, holds(&[&ann, &bob]))],
        joined: vec![Joined { winner: ann.member(), loser: bob.member() }],
        ..Flush::default()
    };
    store.flush(flush).await?;
    let of_both = store.coupons().checkouts_of(ann.member(), 9).await?;
    let mut bodies: Vec<String> =
        of_both.iter().map(|found| seal::open(&found.body)).collect::<Result<_>>()?;
    bodies.sort();
    assert_eq!(bodies, ["hers", "his"]);
    assert_eq!(store.books(ann.member()).await?.checkouts.len(), 2);
    well(&store).await?;
    let cid = life("cid");
    let seqs: Vec<i64> = store.whole_past(ann.member()).await?.iter().map(|past| past.event.seq).collect();
    let flush = Flush {
        turn: turn(&store).await?,
        version: 1,
        members: vec![stored(&ann, holds(&[&ann])), stored(&cid, holds(&[&bob]))],
        parted: vec![Parted {
            from: ann.member(),
            to: cid.member(),
            leave: vec![],
            stay: seqs,
            orders: vec![],
            lots: vec![],
            holds: vec![],
            coupons: vec![coupon(&bob).id],
            checkouts: vec![named(&bob)],
        }],
        ..Flush::default()
    };
    store.flush(flush).await?;
    let found = store.coupons().checkout(named(&bob)).await?;
    assert_eq!(found.map(|found| found.checkout.member), Some(cid.member()));
    assert_eq!(store.coupons().checkouts_of(ann.member(), 9).await?.len(), 1);
    well(&store).await
}

/// A home takes its checkouts with it.
pub async fn checkouts_move_with_the_home(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    let ann = began(&old, "ann", "a cart").await?;
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    taken?;
    assert_eq!(new.digest().await?, said?);
    assert_eq!(new.coupons().checkout(named(&ann)).await?, old.coupons().checkout(named(&ann)).await?);
    well(&new).await
}

/// The digest tells where a checkout stands, what it takes and what was bought; nothing of homes that have none.
pub async fn the_digest_tells_checkouts_apart(homes: &dyn Homes) -> Result<()> {
    let digest = async |body: &str, change: fn(&mut Checkout)| -> Result<String> {
        let store = homes.fresh(&KEY);
        let life = life("ann");
        let mut checkout = locked(&life);
        change(&mut checkout);
        store.append(super::life::append(vec![life.item(1)], at(1), false)).await?;
        let set = CheckoutSet { checkout, body: Some(seal::seal(body)) };
        decide(&store, &life, 1, Default::default(), vec![set]).await?;
        store.digest().await
    };
    type Change = fn(&mut Checkout);
    let changes: [(&str, Change); 7] = [
        ("a", |_| ()),
        ("b", |_| ()),
        ("a", |checkout| checkout.state = CheckoutState::Cancelled),
        ("a", |checkout| checkout.until = Ts(7)),
        ("a", |checkout| checkout.takes.pools.clear()),
        ("a", |checkout| checkout.takes.uses.clear()),
        ("a", |checkout| checkout.takes.coupons.clear()),
    ];
    let mut digests = BTreeMap::new();
    for (n, (body, change)) in changes.into_iter().enumerate() {
        assert_eq!(digests.insert(digest(body, change).await?, n), None);
    }
    // Ids come from keys: they are not said.
    let same =
        digest("a", |checkout| checkout.cause = zhiyin_model::id::EventId::from_bytes([3; 16])).await?;
    assert_eq!(digests.get(&same), Some(&0));
    Ok(())
}

/// Of whoever is erased nobody learns what they bought; what their checkout holds stays known.
pub async fn a_checkout_of_whoever_is_erased_says_nothing(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let Some(personal) = store.personal() else { return Ok(()) };
    let (ann, bob) = (began(&store, "ann", "hers").await?, began(&store, "bob", "his").await?);
    personal.erase(ann.member()).await?;
    let Some(found) = store.coupons().checkout(named(&ann)).await? else { panic!("it is gone") };
    assert!(seal::is_erased(&found.body));
    assert_eq!(found.checkout, locked(&ann));
    let Some(found) = store.coupons().checkout(named(&bob)).await? else { panic!("it is gone") };
    assert_eq!(seal::open(&found.body)?, "his");
    Ok(())
}
