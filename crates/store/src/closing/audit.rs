//! What a home says of its closed months, whatever it lies in: for the digest, and whether they are right.

use std::collections::BTreeMap;

use zhiyin_model::effect::Asset;
use zhiyin_model::id::IdKey;
use zhiyin_model::month::Month;

use super::coupons::{self, CouponLine, CouponsBooked};
use super::{BEGINNING, Closed, Cut, Line, Moves, chained};
use crate::read::Check;

/// A closed month with its lines: of assets, and of coupons.
pub type MonthLines = (Closed, Vec<Line>, Vec<CouponLine>);

/// As which asset, and above which number, kinds of moves of coupons stand among what was late.
const COUPONS: [i64; 2] = [2, 100];

/// What was booked too late for its month: by (from when it counts, asset, kind), how many transfers and what they come to. Moves of
/// coupons are put among them by [`coupon_late`].
pub type Late = BTreeMap<[i64; 3], [i64; 2]>;

/// Puts moves of coupons of a kind that were late among the rest: how many, and the money given.
pub fn coupon_late(late: &mut Late, (period, kind): (i64, i64), (number, given): (i64, i64)) {
    let [asset, above] = COUPONS;
    let sum = late.entry([period, asset, above + kind]).or_default();
    sum[0] += number;
    sum[1] += given;
}

/// What of closed months the digest says (the chain says all that lines say); nothing, where none is closed.
pub fn said(months: &[Closed], late: &Late) -> Vec<String> {
    let closed = |closed: &Closed| {
        let Closed { month, start, until, .. } = closed;
        format!("books|{month}|{}|{}|{}", start.0, until.0, closed.hash_text())
    };
    let late = late.iter().map(|([period, asset, kind], [number, sum])| {
        format!("late|{:?}", [period, asset, kind, number, sum])
    });
    months.iter().map(closed).chain(late).collect()
}

/// What the doctor says of closed months: guards that are missing, and what is wrong with what they say.
pub fn checks(
    guards_missing: Vec<String>,
    key: &IdKey,
    months: &[MonthLines],
    (booked, coupons_booked): (&Booked, &CouponsBooked),
) -> [Check; 3] {
    let coupons: Vec<(&Closed, &[CouponLine])> =
        months.iter().map(|(closed, _, coupons)| (closed, coupons.as_slice())).collect();
    let check = |invariant: &str, broken: Vec<String>| Check { invariant: invariant.to_owned(), broken };
    [
        check("closed months cannot be changed: their guards are in place", guards_missing),
        check("closed months are one chain, and what the ledger says", broken(key, months, booked)),
        check("coupons of closed months are what their moves say", coupons::broken(&coupons, coupons_booked)),
    ]
}

/// What the ledger says of closed months: by month and asset, what transfers of each kind come to.
pub type Booked = BTreeMap<(Month, Asset), Moves>;

/// What is wrong with closed months, if anything: the chain, what follows from what, and whether they are what the ledger says.
fn broken(key: &IdKey, months: &[MonthLines], booked: &Booked) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut before = BEGINNING;
    let mut last: Option<&MonthLines> = None;
    for (place, this) in months.iter().enumerate() {
        let (closed, lines, coupons) = this;
        let month = closed.month;
        let follows = last.is_none_or(|(last, ..)| last.until == closed.start && last.month.next() == month);
        if !follows {
            wrong.push(format!("{month} does not follow the month before"));
        }
        let Some(hash) = closed.hash else {
            // Its lines are not written down yet: there are none, and nothing comes after it.
            if !lines.is_empty() {
                wrong.push(format!("{month} has lines and no hash"));
            }
            if place + 1 < months.len() {
                wrong.push(format!("{month} has no hash, and another month comes after it"));
            }
            continue;
        };
        if chained(key, &before, closed, (lines, coupons)) != hash {
            wrong.push(format!("{month} was changed: its hash does not follow"));
        }
        before = hash;
        wrong.extend(lines.iter().filter(|line| line.opening + line.moves.sum() != line.closing).map(
            |line| {
                format!("{month} {} {} {:?} does not add up", line.asset.name(), line.cut.name(), line.value)
            },
        ));
        for asset in Asset::ALL.into_iter().filter(|asset| asset.is_owed()) {
            let of = |lines: &[Line], cut: Cut| {
                let lines = lines.iter().filter(|line| line.asset == asset && line.cut == cut);
                lines.fold([0; 9], |sum, line| {
                    let said = line.columns();
                    std::array::from_fn(|i| sum[i] + said[i])
                })
            };
            let all = of(lines, Cut::All);
            let name = asset.name();
            if of(lines, Cut::Store) != all || of(lines, Cut::Tier) != all {
                wrong.push(format!("{month} {name}: its cuts do not add up to all"));
            }
            if all[0] != last.map_or(0, |(_, lines, _)| of(lines, Cut::All)[8]) {
                wrong.push(format!("{month} {name}: it does not open with what the month before closed"));
            }
            let ledger = booked.get(&(month, asset)).copied().unwrap_or_default();
            if all[1..8] != ledger.columns() {
                wrong.push(format!(
                    "{month} {name}: the ledger says {:?}, not {:?}",
                    ledger.columns(),
                    &all[1..8]
                ));
            }
        }
        last = Some(this);
    }
    wrong
}
