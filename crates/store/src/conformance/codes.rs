//! Codes of partners are taken in once, and each is one coupon's, whoever hands them out at the same time.

use std::collections::BTreeSet;
use std::sync::Arc;

use zhiyin_model::coupon::codes::{CodeTake, codes_of};
use zhiyin_model::coupon::{Coupon, CouponMoveKind, stock_of};
use zhiyin_model::id::{CouponId, IdKey};
use zhiyin_model::time::Ts;

use super::coupons::{coupon, decide, holds, life, moved, take, well};
use super::life::{Life, append, at, turn};
use super::{Homes, KEY};
use crate::coupons::CouponFlush;
use crate::coupons::codes::{CodeUpload, Double, NewCode, NewUpload};
use crate::flush::Flush;
use crate::turn::Turn;
use crate::{Result, Store, StoreError};

fn asked(name: &str, valid_until: Ts) -> NewUpload {
    NewUpload {
        name: name.to_owned(),
        offer: "welcome".to_owned(),
        partner: "cinema".to_owned(),
        valid_until,
        by: "owner".to_owned(),
        at: at(1),
    }
}

/// Codes by their numbers, a line each.
fn numbered(numbers: impl IntoIterator<Item = u32>) -> Vec<NewCode> {
    let code = |(line, n): (u64, u32)| {
        let text = format!("FILM-{n:04}");
        NewCode { line, hash: KEY.digest("test code", &[text.as_bytes()]), text }
    };
    (1u64..).zip(numbers).map(code).collect()
}

/// An upload of so many codes.
async fn uploaded(store: &Arc<dyn Store>, name: &str, numbers: std::ops::Range<u32>) -> Result<CodeUpload> {
    let coupons = store.coupons();
    let upload = coupons.begin_upload(asked(name, Ts::FOREVER)).await?;
    coupons.put_codes(upload.no, (0, [1; 16]), numbered(numbers)).await?;
    assert!(coupons.end_upload(upload.no, 1).await?);
    Ok(coupons.code_upload(name).await?.unwrap_or(upload))
}

fn takes(upload: &CodeUpload, coupons: &[Coupon]) -> Vec<CodeTake> {
    let (no, pool) = (upload.no, upload.pool());
    coupons.iter().map(|coupon| CodeTake { coupon: coupon.id, upload: no, pool: pool.clone() }).collect()
}

/// Issues so many coupons that bear codes of an upload to a member, by their n-th event.
async fn issue(store: &Arc<dyn Store>, upload: &CodeUpload, name: &str, n: u32) -> Result<Vec<Coupon>> {
    let life: Life = life(name);
    let coupons: Vec<Coupon> = (0..n).map(|n| coupon(&life, n)).collect();
    let moves = (0..).zip(&coupons).map(|(n, one)| moved(&life, one, CouponMoveKind::Issue, 1, n));
    let flush = CouponFlush {
        issued: coupons.clone(),
        moves: moves.collect(),
        pools: vec![
            take(&stock_of("welcome"), i64::from(n), None),
            take(&upload.pool(), i64::from(n), upload.codes),
        ],
        codes: takes(upload, &coupons),
        ..CouponFlush::default()
    };
    store.append(append(vec![life.item(1)], at(1), false)).await?;
    decide(store, &life, 1, holds(&coupons, n), flush).await?;
    Ok(coupons)
}

async fn codes(store: &Arc<dyn Store>, coupons: &[Coupon]) -> Result<Vec<String>> {
    let ids: Vec<CouponId> = coupons.iter().map(|coupon| coupon.id).collect();
    let found = store.coupons().codes_of_coupons(ids.clone()).await?;
    let of = |id: &CouponId| found.iter().find(|(coupon, _)| coupon == id).map(|(_, code)| code.clone());
    Ok(ids.iter().filter_map(of).collect())
}

/// A code comes in once: what stands twice, or came with an earlier upload, is counted and named, and a part that is sent again
/// changes nothing.
pub async fn codes_are_taken_in_once_and_what_came_before_is_named(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let coupons = store.coupons();
    assert_eq!(coupons.code_upload("a").await?, None);
    let a = coupons.begin_upload(asked("a", at(9))).await?;
    assert_eq!((a.codes, a.taken, a.withdrawn, &a.asked), (None, 0, 0, &asked("a", at(9))));
    let again = coupons.begin_upload(NewUpload { offer: "other".to_owned(), ..asked("a", at(3)) }).await?;
    assert_eq!(again, a, "whoever begins it again is told what was begun");
    let b = coupons.begin_upload(asked("b", at(5))).await?;
    let first = coupons.put_codes(a.no, (0, [1; 16]), numbered([1, 2, 1, 3])).await?;
    let first = first.unwrap_or_else(|| panic!("a part of an open upload"));
    assert_eq!((first.codes, first.twice, first.known), (3, 1, 0));
    assert_eq!(first.named, [Double { line: 3, upload: "a".to_owned() }]);
    let other = coupons.put_codes(a.no, (0, [9; 16]), numbered([7, 8])).await?;
    assert_eq!(other.as_ref(), Some(&first), "a part stays what it was");
    let other = coupons.put_codes(b.no, (0, [1; 16]), numbered([3, 4, 2, 4])).await?;
    let other = other.unwrap_or_else(|| panic!("a part of an open upload"));
    assert_eq!((other.codes, other.twice, other.known), (1, 1, 2));
    let named = |line, upload: &str| Double { line, upload: upload.to_owned() };
    assert_eq!(other.named, [named(1, "a"), named(3, "a"), named(4, "b")]);
    assert_eq!(coupons.code_lots("welcome").await?, [], "nothing is handed out before it is whole");
    assert!(!coupons.end_upload(a.no, 2).await?);
    coupons.put_codes(a.no, (2, [2; 16]), numbered([5])).await?;
    assert!(!coupons.end_upload(a.no, 2).await?, "part 1 is missing");
    coupons.put_codes(a.no, (1, [3; 16]), numbered([6, 4])).await?;
    assert!(coupons.end_upload(a.no, 3).await? && coupons.end_upload(a.no, 3).await?);
    assert_eq!(coupons.put_codes(a.no, (3, [4; 16]), numbered([10])).await?, None);
    assert!(coupons.put_codes(a.no, (2, [2; 16]), numbered([5])).await?.is_some(), "it was there before");
    assert!(coupons.end_upload(b.no, 1).await?);
    let parts: Vec<i64> = coupons.code_parts(a.no).await?.iter().map(|part| part.codes).collect();
    assert_eq!(parts, [3, 1, 1]);
    let lots = coupons.code_lots("welcome").await?;
    let lots: Vec<_> = lots.iter().map(|(lot, taken)| (lot.pool.as_str(), lot.codes, *taken)).collect();
    assert_eq!(lots, [("codes/b", 1, 0), ("codes/a", 5, 0)], "what ends first is handed out first");
    assert_eq!(coupons.code_lots("other").await?, []);
    let names = |all: Vec<CodeUpload>| all.into_iter().map(|one| one.asked.name).collect::<Vec<_>>();
    assert_eq!(names(coupons.code_uploads(None, 9).await?), ["b", "a"]);
    assert_eq!(names(coupons.code_uploads(Some("welcome".to_owned()), 1).await?), ["b"]);
    assert_eq!(coupons.code_uploads(Some("other".to_owned()), 9).await?, []);
    // What was withdrawn may come again before it is forgotten; an open one is withdrawn as it is.
    assert_eq!(coupons.withdraw_upload(b.no).await?, 1);
    let c = coupons.begin_upload(asked("c", at(5))).await?;
    let again = coupons.put_codes(c.no, (0, [6; 16]), numbered([4, 1, 20])).await?;
    assert_eq!(again.map(|part| (part.codes, part.known)), Some((2, 1)));
    assert_eq!((coupons.withdraw_upload(c.no).await?, coupons.withdraw_upload(c.no).await?), (2, 2));
    assert_eq!(coupons.put_codes(c.no, (1, [7; 16]), numbered([30])).await?, None, "it ended with that");
    assert_eq!(coupons.forget_codes(c.no, 1).await?, 1);
    assert_eq!((coupons.forget_codes(c.no, 9).await?, coupons.forget_codes(b.no, 9).await?), (1, 0));
    well(&store).await
}

/// The coupons of a batch bear the codes of the next places, in order.
pub async fn codes_are_handed_out_in_their_places(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let upload = uploaded(&store, "a", 0..5).await?;
    let anns = issue(&store, &upload, "ann", 2).await?;
    let bobs = issue(&store, &upload, "bob", 3).await?;
    assert_eq!(codes(&store, &anns).await?, ["FILM-0000", "FILM-0001"]);
    assert_eq!(codes(&store, &bobs).await?, ["FILM-0002", "FILM-0003", "FILM-0004"]);
    let nobodys = CouponId::from_bytes([3; 16]);
    assert_eq!(store.coupons().codes_of_coupons(vec![nobodys]).await?, []);
    assert!(matches!(issue(&store, &upload, "cid", 1).await, Err(StoreError::Short)));
    assert_eq!(store.coupons().code_lots("welcome").await?, []);
    well(&store).await
}

/// Whoever hands out at the same time: each code is one coupon's.
pub async fn many_who_hand_out_at_once_give_each_code_once(homes: &dyn Homes) -> Result<()> {
    const CODES: u32 = 60;
    let store = homes.fresh(&KEY);
    let upload = uploaded(&store, "a", 0..CODES).await?;
    let all = turn(&store).await?;
    let writers = (0u8..).zip(&all.held).map(|(writer, held)| {
        let (store, upload) = (Arc::clone(&store), upload.clone());
        let mut turn = Turn { held: vec![*held] };
        tokio::spawn(async move {
            let mut mine: Vec<CouponId> = Vec::new();
            loop {
                // Two at once, of which no row is written here: it is the codes that are looked at.
                let mut ids = [[writer; 16]; 2];
                for (i, id) in ids.iter_mut().enumerate() {
                    id[..8].copy_from_slice(&((mine.len() + i) as u64).to_be_bytes());
                }
                let take_of = |id: [u8; 16]| CodeTake {
                    coupon: CouponId::from_bytes(id),
                    upload: upload.no,
                    pool: upload.pool(),
                };
                let coupons = CouponFlush {
                    pools: vec![take(&upload.pool(), 2, upload.codes)],
                    codes: ids.map(take_of).to_vec(),
                    ..CouponFlush::default()
                };
                let flush = Flush { turn: turn.clone(), coupons, ..Flush::default() };
                match store.flush(flush).await {
                    Ok(()) => {
                        mine.extend(ids.map(CouponId::from_bytes));
                        turn.moved(None);
                    }
                    Err(StoreError::Short) => return Ok::<_, StoreError>(mine),
                    Err(StoreError::Stale) => {}
                    Err(error) => return Err(error),
                }
            }
        })
    });
    let mut given = BTreeSet::new();
    let mut n = 0;
    for writer in writers.collect::<Vec<_>>() {
        let mine = writer.await.map_err(|error| StoreError::Database(error.to_string()))??;
        for (_, code) in store.coupons().codes_of_coupons(mine).await? {
            n += 1;
            assert!(given.insert(code), "a code was handed out twice");
        }
    }
    assert_eq!((n, given.len()), (CODES, CODES as usize));
    Ok(())
}

/// What was not handed out may be withdrawn, once; those codes may come again, and what is held stays.
pub async fn what_was_not_handed_out_is_withdrawn(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let upload = uploaded(&store, "a", 0..5).await?;
    let anns = issue(&store, &upload, "ann", 2).await?;
    let coupons = store.coupons();
    assert_eq!(
        (coupons.withdraw_upload(upload.no).await?, coupons.withdraw_upload(upload.no).await?),
        (3, 3)
    );
    let now = coupons.code_upload("a").await?;
    assert_eq!(now.map(|now| (now.codes, now.taken, now.withdrawn, now.left())), Some((Some(5), 5, 3, 0)));
    assert!(matches!(issue(&store, &upload, "bob", 1).await, Err(StoreError::Short)));
    well(&store).await?;
    let digest = store.digest().await?;
    assert_eq!(
        (coupons.forget_codes(upload.no, 2).await?, coupons.forget_codes(upload.no, 2).await?),
        (2, 1)
    );
    assert_eq!(coupons.forget_codes(upload.no, 2).await?, 0);
    assert_eq!(store.digest().await?, digest, "what was withdrawn was forgotten at once");
    well(&store).await?;
    assert_eq!(codes(&store, &anns).await?, ["FILM-0000", "FILM-0001"]);
    let again = uploaded(&store, "b", 0..5).await?;
    assert_eq!(again.codes, Some(3), "two of them are members'");
    well(&store).await
}

/// A home takes uploads, codes and who bears them with it.
pub async fn codes_move_with_the_home(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    let upload = uploaded(&old, "a", 0..5).await?;
    let open = old.coupons().begin_upload(asked("b", at(9))).await?;
    old.coupons().put_codes(open.no, (0, [1; 16]), numbered([3, 8])).await?;
    let anns = issue(&old, &upload, "ann", 2).await?;
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    taken?;
    assert_eq!(new.digest().await?, said?);
    assert_eq!(codes(&new, &anns).await?, codes(&old, &anns).await?);
    assert_eq!(new.coupons().code_uploads(None, 9).await?, old.coupons().code_uploads(None, 9).await?);
    assert_eq!(new.coupons().code_parts(open.no).await?, old.coupons().code_parts(open.no).await?);
    let next = new.coupons().begin_upload(asked("c", at(9))).await?;
    assert!(next.no > open.no);
    well(&new).await
}

/// The digest tells uploads and codes apart, and not who got which.
pub async fn the_digest_tells_codes_apart(homes: &dyn Homes) -> Result<()> {
    let digest = async |name: &str, numbers: std::ops::Range<u32>, withdrawn: bool| -> Result<String> {
        let store = homes.fresh(&KEY);
        let upload = uploaded(&store, name, numbers).await?;
        if withdrawn {
            store.coupons().withdraw_upload(upload.no).await?;
        }
        store.digest().await
    };
    let mut digests = BTreeSet::new();
    for (name, numbers, withdrawn) in
        [("a", 0..3, false), ("b", 0..3, false), ("a", 1..4, false), ("a", 0..3, true)]
    {
        assert!(digests.insert(digest(name, numbers, withdrawn).await?), "{name} {withdrawn}");
    }
    assert_eq!(codes_of("a"), "codes/a");
    Ok(())
}
