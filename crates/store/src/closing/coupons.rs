//! Coupons in the books: of each offer, pieces that members hold at a month's beginning, what moved, what they hold at its end.
//!
//! A move of a coupon belongs to a month as a transfer does, and late ones as late transfers do. A coupon is of whoever has it
//! now: merges and partings move nothing in the books, and what a closed month said of a store or a tier stays. Chances of draws
//! are coupons that nobody owes anything for: they are left out.

use std::collections::BTreeMap;

use zhiyin_model::coupon::CouponMoveKind;
use zhiyin_model::month::Month;

use super::{Closed, Cut};

/// What moved, in pieces; above zero where more are held for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CouponMoves {
    /// Issued.
    pub issued: i64,
    /// Used.
    pub redeemed: i64,
    /// Their time was over.
    pub expired: i64,
    /// Taken back, by a person or because they were not used in their time.
    pub withdrawn: i64,
    /// What they were used for came back.
    pub given_back: i64,
    /// In a cut, what went elsewhere with its member.
    pub moved: i64,
}

impl CouponMoves {
    /// Adds moves of a kind.
    pub fn add(&mut self, kind: CouponMoveKind, pieces: i64) {
        match kind {
            CouponMoveKind::Issue => self.issued += pieces,
            CouponMoveKind::Redeem => self.redeemed -= pieces,
            CouponMoveKind::Return => self.given_back += pieces,
            // It came back, and its time was over at once.
            CouponMoveKind::Lapse => {
                self.given_back += pieces;
                self.expired -= pieces;
            }
            CouponMoveKind::Expire => self.expired -= pieces,
            CouponMoveKind::Withdraw => self.withdrawn -= pieces,
            CouponMoveKind::Lock | CouponMoveKind::Unlock => {}
        }
    }

    /// All columns, in their order.
    pub const fn columns(&self) -> [i64; 6] {
        [self.issued, self.redeemed, self.expired, self.withdrawn, self.given_back, self.moved]
    }

    /// From all columns.
    pub const fn of(columns: [i64; 6]) -> Self {
        let [issued, redeemed, expired, withdrawn, given_back, moved] = columns;
        Self { issued, redeemed, expired, withdrawn, given_back, moved }
    }

    /// What they come to.
    pub fn sum(&self) -> i64 {
        self.columns().iter().sum()
    }
}

/// A line of a month's coupons: `opening` and what moved is `closing`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponLine {
    /// Of which offer.
    pub offer: String,
    /// By what it is told apart.
    pub cut: Cut,
    /// A store or a tier; empty for all, and for members who have none.
    pub value: String,
    /// Held at the beginning.
    pub opening: i64,
    /// What moved.
    pub moves: CouponMoves,
    /// Held at the end.
    pub closing: i64,
    /// What those are worth by their face, in minor units; nothing where none of them has a fixed one.
    pub liability_minor: Option<i64>,
    /// What coupons took off when they were used, less what came back with them, in minor units.
    pub given_minor: i64,
}

impl CouponLine {
    /// The opening, what moved, the closing, the money given.
    pub const fn columns(&self) -> [i64; 9] {
        let [a, b, c, d, e, f] = self.moves.columns();
        [self.opening, a, b, c, d, e, f, self.closing, self.given_minor]
    }

    /// From its columns, what they are of, and what they are worth.
    pub fn of(
        (offer, cut, value): (String, Cut, String),
        columns: [i64; 9],
        liability_minor: Option<i64>,
    ) -> Self {
        let [opening, a, b, c, d, e, f, closing, given_minor] = columns;
        let moves = CouponMoves::of([a, b, c, d, e, f]);
        Self { offer, cut, value, opening, moves, closing, liability_minor, given_minor }
    }
}

/// Coupons that members hold who have a store and a tier in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponStand {
    /// Of which offer.
    pub offer: String,
    /// Under which terms.
    pub terms: [u8; 16],
    /// Where they ordered last by then.
    pub store: Option<String>,
    /// Their tier then.
    pub tier: Option<String>,
    /// How many.
    pub pieces: i64,
}

/// Moves of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponFlow {
    /// Of which offer.
    pub offer: String,
    /// Where the member had ordered last by the end.
    pub store: Option<String>,
    /// Their tier when it moved.
    pub tier: Option<String>,
    /// Of which kind.
    pub kind: CouponMoveKind,
    /// How many.
    pub pieces: i64,
    /// The money that was given with them.
    pub given: i64,
}

/// Coupons over spans of time that follow each other, of one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CouponSums {
    /// What was held at the first bound; nothing where it was not asked.
    pub opening: Vec<CouponStand>,
    /// From each bound to the next: what moved, and what was held at its end.
    pub spans: Vec<(Vec<CouponFlow>, Vec<CouponStand>)>,
}

/// What moves of coupons come to, by the closed month in which they count: pieces by kind, and money given.
pub type CouponsBooked = BTreeMap<(Month, String), (CouponMoves, i64)>;

/// What lines of a month add to the chain; nothing of a month that was closed before coupons were in the books.
pub(super) fn said(closed: &Closed, lines: &[CouponLine]) -> Vec<Vec<u8>> {
    if !closed.coupons {
        return Vec::new();
    }
    let mut parts = vec![b"coupons".to_vec()];
    for line in lines {
        let mut numbers = vec![line.cut.code()];
        numbers.extend(line.columns());
        numbers.extend([i64::from(line.liability_minor.is_some()), line.liability_minor.unwrap_or(0)]);
        parts.push(numbers.iter().flat_map(|n| n.to_le_bytes()).collect());
        parts.extend([line.offer.clone().into_bytes(), line.value.clone().into_bytes()]);
    }
    parts
}

/// The sums of lines by offer, of one cut.
fn sums(lines: &[CouponLine], cut: Cut) -> BTreeMap<&str, [i64; 9]> {
    let mut sums: BTreeMap<&str, [i64; 9]> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.cut == cut) {
        let sum = sums.entry(&line.offer).or_default();
        let said = line.columns();
        *sum = std::array::from_fn(|i| sum[i] + said[i]);
    }
    sums
}

/// What is wrong with the coupons of closed months, if anything: what follows from what, and whether they are what moves say.
pub(super) fn broken(months: &[(&Closed, &[CouponLine])], booked: &CouponsBooked) -> Vec<String> {
    let mut wrong = Vec::new();
    // What is held by offer: of months that were closed before, what moves say.
    let mut held: BTreeMap<&str, i64> = BTreeMap::new();
    for (closed, lines) in months.iter().filter(|(closed, _)| closed.hash.is_some()) {
        let month = closed.month;
        let of_month = booked.iter().filter(|((of, _), _)| *of == month);
        let moved: BTreeMap<&str, (CouponMoves, i64)> =
            of_month.map(|((_, offer), moves)| (offer.as_str(), *moves)).collect();
        if closed.coupons {
            let all = sums(lines, Cut::All);
            for line in lines.iter().filter(|line| line.opening + line.moves.sum() != line.closing) {
                wrong.push(format!(
                    "{month} coupon {} {} {:?} does not add up",
                    line.offer,
                    line.cut.name(),
                    line.value
                ));
            }
            for cut in [Cut::Store, Cut::Tier] {
                let of_cut = sums(lines, cut);
                if all.iter().any(|(offer, sum)| of_cut.get(offer).copied().unwrap_or_default() != *sum) {
                    wrong.push(format!("{month} coupons: lines by {} do not add up to all", cut.name()));
                }
            }
            let offers: std::collections::BTreeSet<&str> =
                all.keys().chain(moved.keys()).chain(held.keys()).copied().collect();
            for offer in offers {
                let said = all.get(offer).copied().unwrap_or_default();
                let (moves, given) = moved.get(offer).copied().unwrap_or_default();
                let opening = held.get(offer).copied().unwrap_or(0);
                let [a, b, c, d, e, f] = moves.columns();
                let should = [opening, a, b, c, d, e, f, opening + moves.sum(), given];
                if said != should {
                    wrong.push(format!("{month} coupon {offer}: moves say {should:?}, not {said:?}"));
                }
            }
        } else if !lines.is_empty() {
            wrong.push(format!("{month} has coupons, and was closed without"));
        }
        for (offer, (moves, _)) in moved {
            *held.entry(offer).or_default() += moves.sum();
        }
        held.retain(|_, pieces| *pieces != 0);
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_changes_what_members_hold_as_its_accounts_say() {
        for kind in CouponMoveKind::ALL {
            let mut moves = CouponMoves::default();
            moves.add(kind, 1);
            let (gives, takes) = kind.sides();
            let held = i64::from(takes.is_open()) - i64::from(gives.is_open());
            assert_eq!(moves.sum(), held, "{kind:?}");
        }
    }
}
