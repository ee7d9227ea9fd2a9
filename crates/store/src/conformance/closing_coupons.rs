//! Coupons in the books as stores keep them: sums of their moves, lines that stay, and what comes too late.

use std::sync::Arc;

use zhiyin_model::coupon::{Coupon, CouponAccount, CouponChange, CouponMoveKind, stock_of};
use zhiyin_model::id::IdKey;
use zhiyin_model::month::Month;
use zhiyin_model::time::{Day, Ts};

use super::coupons::{coupon, decide, holds, life, moved, take, well};
use super::life::{Life, append, at};
use super::{Homes, KEY};
use crate::closing::{BEGINNING, Close, Closed, CouponLine, CouponSums, Cut, Line, Moves, chained};
use crate::coupons::CouponFlush;
use crate::{Result, Store};
use zhiyin_model::effect::Asset;

/// Two coupons are issued by the first event, and one is withdrawn by the n-th.
async fn lived(store: &Arc<dyn Store>, n: u8, when: u8) -> Result<(Life, Vec<Coupon>)> {
    let life = life("ann");
    let coupons: Vec<Coupon> = (0..2).map(|n| coupon(&life, n)).collect();
    let moves = (0..).zip(&coupons).map(|(n, one)| moved(&life, one, CouponMoveKind::Issue, 1, n));
    let flush = CouponFlush {
        issued: coupons.clone(),
        moves: moves.collect(),
        pools: vec![take(&stock_of("welcome"), 2, None)],
        ..CouponFlush::default()
    };
    store.append(append(vec![life.item(1)], at(1), false)).await?;
    decide(store, &life, 1, holds(&coupons, 2), flush).await?;
    withdrawn(store, &life, &coupons, (n, when)).await?;
    Ok((life, coupons))
}

async fn withdrawn(
    store: &Arc<dyn Store>,
    life: &Life,
    coupons: &[Coupon],
    (n, when): (u8, u8),
) -> Result<()> {
    if n == 0 {
        return Ok(());
    }
    let mut gone = moved(life, &coupons[0], CouponMoveKind::Withdraw, n, 0);
    gone.at = at(when);
    gone.given = 7;
    let change = CouponChange {
        id: coupons[0].id,
        member: life.member(),
        account: CouponAccount::Withdrawn,
        valid_until: coupons[0].valid_until,
    };
    let flush = CouponFlush {
        changed: vec![change],
        moves: vec![gone],
        pools: vec![take(&stock_of("welcome"), -1, None)],
        ..CouponFlush::default()
    };
    store.append(append(vec![life.item(n)], at(n), false)).await?;
    decide(store, life, n, holds(&coupons[1..], 1), flush).await
}

fn march() -> Month {
    Month::of(Day(60))
}

fn closed(until: Ts) -> Closed {
    Closed {
        month: march(),
        start: at(1),
        until,
        closed_at: until.plus_us(9),
        closed_by: "staff:ann".to_owned(),
        version: 1,
        worth: None,
        hash: None,
        coupons: true,
    }
}

fn lines(columns: [i64; 9]) -> Vec<CouponLine> {
    [(Cut::All, ""), (Cut::Store, ""), (Cut::Tier, "")]
        .map(|(cut, value)| CouponLine::of(("welcome".to_owned(), cut, value.to_owned()), columns, None))
        .to_vec()
}

/// Points of which there are none.
fn no_points() -> Vec<Line> {
    Cut::ALL
        .map(|cut| Line {
            asset: Asset::Points,
            cut,
            value: String::new(),
            opening: 0,
            moves: Moves::default(),
            closing: 0,
            liability_minor: None,
        })
        .to_vec()
}

/// Closes the first month with these lines of coupons.
async fn close(store: &Arc<dyn Store>, until: Ts, coupons: Vec<CouponLine>) -> Result<()> {
    let (books, month) = (store.closing(), closed(until));
    assert_eq!(books.close(month.clone()).await?, Close::Done);
    books.put_coupon_lines(month.month, coupons.clone()).await?;
    books.put_coupon_lines(month.month, vec![]).await?;
    assert_eq!(books.coupon_lines(month.month).await?, coupons);
    let hash = chained(&store.home().await?.id_key, &BEGINNING, &month, (&no_points(), &coupons));
    assert!(books.write_down(month.month, no_points(), hash).await?);
    Ok(())
}

/// Pieces at each bound but the first, and (kind, pieces, money) of each span.
type Said = Vec<(i64, Vec<(CouponMoveKind, i64, i64)>)>;

fn said(sums: &CouponSums) -> Said {
    let span = |(flows, stands): &(Vec<crate::closing::CouponFlow>, Vec<crate::closing::CouponStand>)| {
        let mut kinds: Vec<(CouponMoveKind, i64, i64)> = Vec::new();
        for flow in flows {
            match kinds.iter_mut().find(|(kind, ..)| *kind == flow.kind) {
                Some(known) => (known.1, known.2) = (known.1 + flow.pieces, known.2 + flow.given),
                None => kinds.push((flow.kind, flow.pieces, flow.given)),
            }
        }
        kinds.retain(|(_, pieces, given)| (*pieces, *given) != (0, 0));
        kinds.sort();
        (stands.iter().map(|stand| stand.pieces).sum(), kinds)
    };
    sums.spans.iter().map(span).collect()
}

/// What was held and what moved, between instants of one snapshot.
pub async fn coupons_are_summed_from_their_moves(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert_eq!(store.closing().coupons_begin().await?, None);
    lived(&store, 3, 3).await?;
    assert_eq!(store.closing().coupons_begin().await?, Some(at(1)));
    let sums = store.closing().coupon_sums(vec![at(1), at(2), at(4)], true).await?;
    let (issued, gone) = ((CouponMoveKind::Issue, 2, 0), (CouponMoveKind::Withdraw, 1, 7));
    assert_eq!(said(&sums), [(2, vec![issued]), (1, vec![gone])]);
    assert_eq!(sums.opening, []);
    let later = store.closing().coupon_sums(vec![at(2), at(4)], true).await?;
    assert_eq!(later.opening.iter().map(|stand| stand.pieces).sum::<i64>(), 2);
    assert_eq!(store.closing().coupon_sums(vec![at(2), at(4)], false).await?.opening, []);
    Ok(())
}

/// A move that bears an instant in a closed month counts in the first that was open, and the closed one stays.
pub async fn a_coupon_that_moves_late_counts_where_it_is_open(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let (life, coupons) = lived(&store, 0, 0).await?;
    close(&store, at(4), lines([0, 2, 0, 0, 0, 0, 0, 2, 0])).await?;
    well(&store).await?;
    let digest = store.digest().await?;
    withdrawn(&store, &life, &coupons, (5, 3)).await?;
    let sums = store.closing().coupon_sums(vec![at(1), at(4), at(6)], true).await?;
    let (issued, gone) = ((CouponMoveKind::Issue, 2, 0), (CouponMoveKind::Withdraw, 1, 7));
    assert_eq!(said(&sums), [(2, vec![issued]), (1, vec![gone])]);
    assert_ne!(store.digest().await?, digest);
    well(&store).await
}

/// Whoever wrote other lines than moves say is found out by the doctor.
pub async fn lines_of_coupons_that_moves_do_not_bear_out_are_found(homes: &dyn Homes) -> Result<()> {
    for (columns, said) in [
        ([0, 3, 0, 0, 0, 0, 0, 3, 0], "moves say"),
        ([0, 2, 0, 0, 0, 0, 0, 3, 0], "does not add up"),
        ([0, 2, 0, 0, 0, 0, 0, 2, 9], "moves say"),
    ] {
        let store = homes.fresh(&KEY);
        lived(&store, 0, 0).await?;
        close(&store, at(4), lines(columns)).await?;
        let broken: Vec<String> = store.doctor().await?.into_iter().flat_map(|check| check.broken).collect();
        assert!(broken.iter().any(|broken| broken.contains(said)), "{said}: {broken:?}");
    }
    Ok(())
}

/// A home takes its closed months of coupons along, and what was late for them.
pub async fn closed_coupons_move_with_a_home(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    let (life, coupons) = lived(&old, 0, 0).await?;
    close(&old, at(4), lines([0, 2, 0, 0, 0, 0, 0, 2, 0])).await?;
    withdrawn(&old, &life, &coupons, (5, 3)).await?;
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (hash, taken) = tokio::join!(old.dump(out), new.fill(rows));
    taken?;
    assert_eq!(hash?, new.digest().await?);
    assert_eq!(new.closing().closed().await?, old.closing().closed().await?);
    assert_eq!(new.closing().coupon_lines(march()).await?, old.closing().coupon_lines(march()).await?);
    let bounds = vec![at(1), at(4), at(6)];
    let (here, there) = (
        new.closing().coupon_sums(bounds.clone(), true).await?,
        old.closing().coupon_sums(bounds, true).await?,
    );
    assert_eq!(said(&here), said(&there));
    well(&new).await
}
