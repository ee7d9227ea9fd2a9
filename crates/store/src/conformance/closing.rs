//! The books by month: sums between instants, months that are closed once and stay, and what comes too late for them.

use std::sync::Arc;

use zhiyin_model::effect::{Asset, TransferKind};
use zhiyin_model::id::IdKey;
use zhiyin_model::month::Month;
use zhiyin_model::time::Ts;

use super::life::{ACTIVE, EVENTS, EXPIRES, Life, append, at, lived, turn};
use super::{Homes, KEY};
use crate::closing::{BEGINNING, Close, Closed, Cut, Flow, Line, Moves, Spanned, Stand, Sums, chained};
use crate::flush::Flush;
use crate::{Append, Progress, Result, Store};

const POINTS: Asset = Asset::Points;

fn march() -> Month {
    Month::of(zhiyin_model::time::Day(60))
}

fn closed(month: Month, start: Ts, until: Ts) -> Closed {
    let (closed_at, closed_by) = (until.plus_us(9), "staff:ann".to_owned());
    Closed {
        month,
        start,
        until,
        closed_at,
        closed_by,
        version: 1,
        worth: Some((100, 100)),
        hash: None,
        coupons: false,
    }
}

/// A month before anything happened.
pub fn first_month() -> Closed {
    closed(march(), at(1), at(4))
}

fn line(cut: Cut, value: &str, columns: [i64; 9]) -> Line {
    let [opening, earned, spent, expired, reversed, adjusted, taken_over, moved, closing] = columns;
    let moves = Moves::of([earned, spent, expired, reversed, adjusted, taken_over, moved]);
    let value = value.to_owned();
    Line { asset: POINTS, cut, value, opening, moves, closing, liability_minor: Some(closing) }
}

/// The same in all, in the one store and in the one tier.
fn lines(columns: [i64; 9]) -> Vec<Line> {
    [(Cut::All, ""), (Cut::Store, "s1"), (Cut::Tier, "regular")]
        .map(|(cut, value)| line(cut, value, columns))
        .to_vec()
}

fn stand(amount: i64) -> Vec<Stand> {
    vec![Stand { store: Some("s1".to_owned()), tier: Some("regular".to_owned()), amount }]
}

fn flows(of: &[(TransferKind, i64)]) -> Vec<Flow> {
    let flow = |(kind, amount): &(TransferKind, i64)| Flow {
        store: Some("s1".to_owned()),
        tier: Some("regular".to_owned()),
        kind: *kind,
        amount: *amount,
    };
    of.iter().map(flow).collect()
}

/// Sums over all shards, which may tell their part each.
fn summed(mut sums: Sums) -> Sums {
    let closings = sums.spans.iter_mut().map(|span| &mut span.closing);
    for stands in closings.chain([&mut sums.opening]) {
        stands.sort_by(|a, b| (&a.store, &a.tier).cmp(&(&b.store, &b.tier)));
        stands.dedup_by(|b, a| {
            let same = (&a.store, &a.tier) == (&b.store, &b.tier);
            a.amount += if same { b.amount } else { 0 };
            same
        });
    }
    for flows in sums.spans.iter_mut().map(|span| &mut span.flows) {
        flows.sort_by(|a, b| (&a.store, &a.tier, a.kind).cmp(&(&b.store, &b.tier, b.kind)));
        flows.dedup_by(|b, a| {
            let same = (&a.store, &a.tier, a.kind) == (&b.store, &b.tier, b.kind);
            a.amount += if same { b.amount } else { 0 };
            same
        });
        flows.retain(|flow| flow.amount != 0);
    }
    sums
}

async fn sums(store: &Arc<dyn Store>, bounds: &[Ts], at_first: bool) -> Result<Sums> {
    Ok(summed(store.closing().sums(POINTS, bounds.to_vec(), at_first).await?))
}

/// Ann's events from one to another, each a batch.
async fn lived_on(store: &Arc<dyn Store>, from: u8, to: u8) -> Result<()> {
    let ann = Life::of(&KEY);
    store.append(append((from..=to).map(|n| ann.item(n)).collect(), at(EVENTS), true)).await?;
    for n in from..=to {
        let turn = turn(store).await?;
        let waiting = store.waiting(&turn, 1).await?;
        let part = ann.part(n, waiting[0].seq);
        store.flush(Flush { turn, ..part }).await?;
    }
    Ok(())
}

async fn well(store: &Arc<dyn Store>) -> Result<()> {
    let checks = store.doctor().await?;
    let broken: Vec<_> = checks.iter().filter(|check| !check.broken.is_empty()).collect();
    assert!(broken.is_empty(), "{broken:?}");
    Ok(())
}

/// Closes a month and writes down its lines.
async fn close(
    store: &Arc<dyn Store>,
    month: Closed,
    before: [u8; 32],
    columns: [i64; 9],
) -> Result<[u8; 32]> {
    assert_eq!(store.closing().close(month.clone()).await?, Close::Done);
    let (lines, home) = (lines(columns), store.home().await?);
    let hash = chained(&home.id_key, &before, &month, (&lines, &[]));
    assert!(store.closing().write_down(month.month, lines, hash).await?);
    Ok(hash)
}

/// What was owed and what moved, between instants of one snapshot: by home store and tier.
pub async fn months_are_summed_from_the_journal(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert_eq!(store.closing().begins(POINTS).await?, None);
    let nothing = Sums { opening: vec![], spans: vec![Spanned::default()] };
    assert_eq!(sums(&store, &[at(1), at(9)], true).await?, nothing);
    for name in ["ann", "bob"] {
        lived(&store, &Life { key: KEY, name: name.to_owned() }, 2).await?;
    }
    assert_eq!(store.closing().begins(POINTS).await?, Some(at(1)));
    use TransferKind::{Earn, Return, Spend, TakeBack};
    let spans = vec![
        Spanned { flows: flows(&[(Earn, 200), (Spend, 40)]), closing: stand(160) },
        Spanned { flows: flows(&[(Earn, 80), (TakeBack, 100), (Return, 10)]), closing: stand(150) },
    ];
    let expected = Sums { opening: vec![], spans };
    assert_eq!(sums(&store, &[at(1), at(4), at(7)], true).await?, expected);
    let later = Sums { opening: stand(160), spans: vec![expected.spans[1].clone()] };
    assert_eq!(sums(&store, &[at(4), at(7)], true).await?, later);
    let rest = Sums { opening: vec![], ..later };
    assert_eq!(sums(&store, &[at(4), at(7)], false).await?, rest);
    Ok(())
}

/// Months are closed one after the other, each once; the next only when the lines of the last are written down.
pub async fn a_month_is_closed_once_and_stays(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    lived_on(&store, 1, 3).await?;
    let open = store.digest().await?;
    let books = store.closing();
    let (first, second) = (closed(march(), at(1), at(4)), closed(march().next(), at(4), at(6)));
    assert_eq!(books.closed().await?, []);
    assert_eq!(books.close(first.clone()).await?, Close::Done);
    assert_eq!(books.close(first.clone()).await?, Close::Passed);
    assert_eq!(books.close(second.clone()).await?, Close::Passed);
    assert_eq!(books.closed().await?, std::slice::from_ref(&first));
    well(&store).await?;
    let lines = lines([0, 100, -20, 0, 0, 0, 0, 0, 80]);
    let hash = chained(&store.home().await?.id_key, &BEGINNING, &first, (&lines, &[]));
    assert!(!books.write_down(march().next(), lines.clone(), hash).await?);
    assert!(books.write_down(march(), lines.clone(), hash).await?);
    assert!(!books.write_down(march(), vec![], [0; 32]).await?);
    assert_eq!(books.lines(march()).await?, lines);
    assert_eq!(books.closed().await?, [Closed { hash: Some(hash), ..first }]);
    // One that begins before the end of the last, or has its name, is not the next.
    for month in [closed(march().next(), at(3), at(6)), closed(march(), at(4), at(6))] {
        assert_eq!(books.close(month).await?, Close::Passed);
    }
    well(&store).await?;
    assert_eq!(books.close(second).await?, Close::Done);
    assert_ne!(store.digest().await?, open);
    Ok(())
}

/// Whether a month may be closed is looked at when it is: nothing was booked before the first, and no history is coming in.
pub async fn what_may_still_change_is_not_closed(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert_eq!(store.closing().first_wake().await?, None);
    lived_on(&store, 1, 3).await?;
    assert_eq!(store.closing().first_wake().await?, Some(EXPIRES));
    lived(&store, &Life { key: KEY, name: "bob".to_owned() }, 2).await?;
    assert_eq!(store.closing().first_wake().await?, Some(ACTIVE));
    let (late, first) = (closed(march(), at(2), at(4)), closed(march(), at(1), at(4)));
    assert_eq!(store.closing().close(late.clone()).await?, Close::NotFirst);
    let progress = Progress { name: "orders".to_owned(), position: 1, done: false };
    store.append(Append { progress: Some(progress), ..append(vec![], at(EVENTS), true) }).await?;
    assert_eq!(store.closing().close(first.clone()).await?, Close::Importing);
    assert_eq!(store.closing().closed().await?, []);
    store.set_clock(0, Some(at(EVENTS))).await?;
    assert_eq!(store.closing().close(late).await?, Close::NotFirst);
    assert_eq!(store.closing().close(first).await?, Close::Done);
    Ok(())
}

/// What is booked with an instant in a closed month counts in the first that was open when it was booked.
pub async fn what_comes_late_counts_where_it_is_open(homes: &dyn Homes) -> Result<()> {
    use TransferKind::{Earn, Return, Spend, TakeBack};
    let store = homes.fresh(&KEY);
    lived_on(&store, 1, 3).await?;
    let columns = [0, 100, -20, 0, 0, 0, 0, 0, 80];
    let first = close(&store, closed(march(), at(1), at(6)), BEGINNING, columns).await?;
    // A spend comes back and an order too, both on days that are closed; and an order on a day that is open.
    lived_on(&store, 4, 6).await?;
    let spans = vec![
        Spanned { flows: flows(&[(Earn, 100), (Spend, 20)]), closing: stand(80) },
        Spanned { flows: flows(&[(Earn, 40), (TakeBack, 50), (Return, 5)]), closing: stand(75) },
    ];
    let expected = Sums { opening: vec![], spans };
    assert_eq!(sums(&store, &[at(1), at(6), at(7)], true).await?, expected);
    assert_eq!(store.closing().lines(march()).await?, lines(columns));
    well(&store).await?;
    // Closed in turn, nothing of it moves.
    let columns = [80, 40, 0, 0, -45, 0, 0, 0, 75];
    close(&store, closed(march().next(), at(6), at(7)), first, columns).await?;
    lived(&store, &Life { key: KEY, name: "bob".to_owned() }, 9).await?;
    let sums = sums(&store, &[at(1), at(6), at(7), at(8)], true).await?;
    assert_eq!((&sums.opening, &sums.spans[..2]), (&expected.opening, &expected.spans[..]));
    assert_eq!(sums.spans[2].closing, stand(150));
    // What the ledger says of an instant is what it always said.
    let lines = store.ledger_lines(crate::read::AsOf {
        at: at(EVENTS),
        day: zhiyin_model::time::Day(105),
        over_days: 365,
    });
    let earned = lines.await?.into_iter().find(|line| (line.asset, line.kind) == (POINTS, Earn));
    assert_eq!(earned.map(|line| line.amount), Some(280));
    well(&store).await
}

/// A month is closed while batches are under way: none of them changes it any more once that is said.
pub async fn a_month_is_closed_beside_batches(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let lives = 24;
    let (tell, told) = tokio::sync::oneshot::channel();
    let life = |n: i64| Life { key: KEY, name: format!("m{n}") };
    let writing = async {
        for n in 1..lives {
            lived(&store, &life(n), 1).await?;
        }
        // Whoever was quicker, one comes late.
        told.await.ok();
        lived(&store, &life(lives), 1).await
    };
    let closing = async {
        while store.closing().begins(POINTS).await?.is_none() {}
        assert_eq!(store.closing().close(closed(march(), at(1), at(5))).await?, Close::Done);
        tell.send(()).ok();
        sums(&store, &[at(1), at(5)], true).await
    };
    let (written, said): (Result<()>, Result<Sums>) = tokio::join!(writing, closing);
    written?;
    let said = said?;
    assert_eq!(sums(&store, &[at(1), at(5)], true).await?, said);
    let all = sums(&store, &[at(1), at(5), at(9)], true).await?;
    assert_eq!(all.spans[1].closing, stand(75 * lives));
    assert_ne!(all.spans[0].closing, stand(85 * lives));
    well(&store).await
}

/// Whoever wrote other lines than the ledger has is found out by the doctor.
pub async fn lines_that_the_ledger_does_not_bear_out_are_found(homes: &dyn Homes) -> Result<()> {
    for (columns, said) in [
        ([0, 101, -20, 0, 0, 0, 0, 0, 81], "the ledger says"),
        ([0, 100, -20, 0, 0, 0, 0, 0, 81], "does not add up"),
        ([1, 100, -20, 0, 0, 0, 0, 0, 81], "does not open"),
    ] {
        let store = homes.fresh(&KEY);
        lived_on(&store, 1, 3).await?;
        close(&store, closed(march(), at(1), at(4)), BEGINNING, columns).await?;
        let broken: Vec<String> = store.doctor().await?.into_iter().flat_map(|check| check.broken).collect();
        assert!(broken.iter().any(|broken| broken.contains(said)), "{said}: {broken:?}");
    }
    let store = homes.fresh(&KEY);
    lived_on(&store, 1, 3).await?;
    close(&store, closed(march(), at(1), at(4)), [1; 32], [0, 100, -20, 0, 0, 0, 0, 0, 80]).await?;
    let broken: Vec<String> = store.doctor().await?.into_iter().flat_map(|check| check.broken).collect();
    assert_eq!(broken, ["1970-03 was changed: its hash does not follow"]);
    Ok(())
}

/// A home takes its closed months along, and what was late for them.
pub async fn closed_months_move_with_a_home(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    lived_on(&old, 1, 3).await?;
    let first =
        close(&old, closed(march(), at(1), at(6)), BEGINNING, [0, 100, -20, 0, 0, 0, 0, 0, 80]).await?;
    lived_on(&old, 4, 6).await?;
    let second = closed(march().next(), at(6), at(7));
    assert_eq!(old.closing().close(second).await?, Close::Done);
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    taken?;
    assert_eq!(said?, new.digest().await?);
    assert_eq!(new.closing().closed().await?, old.closing().closed().await?);
    assert_eq!(new.closing().lines(march()).await?, old.closing().lines(march()).await?);
    let bounds = [at(1), at(6), at(7), at(9)];
    assert_eq!(sums(&new, &bounds, true).await?, sums(&old, &bounds, true).await?);
    // It goes on there: lines are written down, and what comes late is late there too.
    let lines = lines([80, 40, 0, 0, -45, 0, 0, 0, 75]);
    let hash = chained(&KEY, &first, &closed(march().next(), at(6), at(7)), (&lines, &[]));
    assert!(new.closing().write_down(march().next(), lines, hash).await?);
    lived(&new, &Life { key: KEY, name: "bob".to_owned() }, 9).await?;
    let sums = sums(&new, &bounds, true).await?;
    let closings: Vec<&Vec<Stand>> = sums.spans.iter().map(|span| &span.closing).collect();
    assert_eq!(closings, [&stand(80), &stand(75), &stand(150)]);
    well(&new).await
}
