//! What is remembered of an offer of several lines while lines are decided one after the other: a small number. With it the lines to come
//! need to know nothing else of it.

use crate::deal::{Deal, Effect, How, Scene};
use crate::split::{cheapest, dearest};

/// Amounts are counted in ten-thousandths of a minor unit, so that parts are whole.
pub(super) const UNIT: i64 = 10_000;
/// The most pieces or groups that are counted to the end; beyond, only what is left of the last group.
const COUNTED_MAX: i64 = 24;
/// Lines of so many pieces are counted piece by piece.
pub(super) const PIECES_MAX: i64 = 16;
/// The most sets whose parts are counted.
const SETS_MAX: i64 = 96;
/// What cannot be.
pub(super) const NEVER: i64 = i64::MIN / 4;
pub(super) const NOWHERE: u32 = u32::MAX;
/// No price is reckoned higher than this, so that amounts stay numbers; carts that cost more are not looked at here.
pub(super) const PRICE_MAX: i64 = 10_000_000_000_000;

/// What is remembered of an offer of several lines.
#[derive(Clone, Copy, Debug)]
pub(super) enum Machine {
    /// N pieces at a part, or at a price: the pieces since the last whole group, or all of them up to `cap`.
    Groups { n: i64, rate: i64, price: i64, cap: i64 },
    /// The same of buy and get, from the dearest piece on.
    BuyGet { buy: i64, get: i64, rate: i64, cap: i64 },
    /// A set of two parts: how many pieces of the part that comes first are without the other.
    Pair { per: [i64; 2], price_each: i64, max: i64, first: u8 },
}

impl Machine {
    pub(super) fn of(scene: &Scene, deal: &Deal, pieces: i64) -> Option<Self> {
        let units = |price: i64| price.clamp(0, PRICE_MAX) * UNIT;
        let cap_of = |most: i64| if most < pieces { most } else { 0 };
        match deal.effect {
            Effect::NFor { n, how, groups_max } => {
                let cap = cap_of(groups_max.saturating_mul(n));
                let cap = if cap > COUNTED_MAX { 0 } else { cap };
                match how {
                    _ if n > COUNTED_MAX => None,
                    How::Pay(pay) => {
                        Some(Self::Groups { n, rate: (UNIT - i64::from(pay)).max(0), price: 0, cap })
                    }
                    How::Price(price) => Some(Self::Groups { n, rate: UNIT, price: units(price), cap }),
                    _ => None,
                }
            }
            Effect::AddOn { price, pieces_max } if pieces_max <= COUNTED_MAX => {
                let cap = pieces_max.max(1);
                Some(Self::Groups { n: 1, rate: UNIT, price: units(price), cap })
            }
            Effect::BuyGet { buy, get, pay, groups_max } if buy + get <= COUNTED_MAX => {
                let cap = cap_of(groups_max.saturating_mul(buy + get));
                let cap = if cap > COUNTED_MAX { 0 } else { cap };
                Some(Self::BuyGet { buy, get, rate: (UNIT - i64::from(pay)).max(0), cap })
            }
            Effect::Bundle { parts, price, sets_max } => {
                let &[a, b] = parts.of(&scene.parts) else { return None };
                let max = a.saturating_mul(b).saturating_mul(sets_max);
                (max <= SETS_MAX && sets_max > 0).then_some(Self::Pair {
                    per: [a, b],
                    price_each: units(price) / a,
                    max,
                    first: 0,
                })
            }
            _ => None,
        }
    }

    pub(super) const fn size(self) -> usize {
        let size = match self {
            Self::Groups { n, cap: 0, .. } => n,
            Self::BuyGet { buy, get, cap: 0, .. } => buy + get,
            Self::Groups { cap, .. } | Self::BuyGet { cap, .. } => cap + 1,
            Self::Pair { max, .. } => max + 1,
        };
        size as usize
    }

    /// How many numbers may be remembered before the line at a place, of lines with roles and pieces: no more than pieces of the lines before,
    /// of a set no more than those of the other part that are to come.
    pub(super) fn size_at(self, own: &[(usize, u8, i64)], at: usize) -> u32 {
        let pieces = |is_asked: &dyn Fn(usize, u8) -> bool| -> i64 {
            own.iter().filter(|(own, role, _)| is_asked(*own, *role)).map(|(.., pieces)| pieces).sum()
        };
        let most = match self {
            Self::Groups { .. } | Self::BuyGet { .. } => pieces(&|own, _| own < at),
            Self::Pair { per, first, .. } => {
                let of = |role: u8| per[usize::from(role == 0)];
                let before = pieces(&|own, role| own < at && role == first);
                let to_come = pieces(&|own, role| own >= at && role != first);
                before.saturating_mul(of(first)).min(to_come.saturating_mul(of(1 - first.min(1))))
            }
        };
        u32::try_from(most.saturating_add(1)).unwrap_or(u32::MAX).min(u32::try_from(self.size()).unwrap_or(1))
    }

    /// Of what its pieces are worth the part that is taken off at most, in ten-thousandths, where no piece is worth more than so much, by role.
    pub(super) fn rate_max(self, most: [i64; 2]) -> i64 {
        let share = |price: i64, worth: i64| {
            let paid = i128::from(price) / i128::from(worth.max(1));
            UNIT - i64::try_from(paid).unwrap_or(UNIT).clamp(0, UNIT)
        };
        match self {
            Self::Groups { rate, price: 0, .. } | Self::BuyGet { rate, .. } => rate,
            Self::Groups { n, price, .. } => share(price, n.saturating_mul(most[0].max(most[1]))),
            Self::Pair { per, price_each, .. } => {
                let worth = per[0].saturating_mul(most[0]).saturating_add(per[1].saturating_mul(most[1]));
                share(price_each.saturating_mul(per[0]), worth)
            }
        }
    }

    /// Whether all lines may end with this number.
    pub(super) const fn accepts(self, digit: u32) -> bool {
        match self {
            Self::Groups { n, .. } => (digit as i64) % n == 0,
            Self::BuyGet { .. } => true,
            Self::Pair { .. } => digit == 0,
        }
    }

    /// What rounding may add to what is taken off, at most.
    pub(super) const fn slack(self) -> i64 {
        let (Self::Groups { rate, .. } | Self::BuyGet { rate, .. }) = self else { return 0 };
        let (mut a, mut b) = (UNIT, rate);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        // Parts are multiples of `a`; a half is rounded down.
        (UNIT / 2 - 1) / a * a
    }

    /// How many pieces of a line may be thought to be taken.
    pub(super) fn takes(self, pieces: i64) -> Vec<i64> {
        match self {
            Self::Groups { n, price: 0, cap: 0, .. } => ((pieces - n + 1).max(0)..=pieces).collect(),
            Self::Groups { n, cap: 0, .. } if pieces > PIECES_MAX.max(2 * n) => {
                (0..n).chain(pieces - n + 1..=pieces).collect()
            }
            Self::Groups { cap: 0, .. } => (0..=pieces).collect(),
            Self::Groups { cap, .. } => (0..=pieces.min(cap)).collect(),
            Self::BuyGet { .. } => vec![pieces],
            Self::Pair { max, .. } => (0..=pieces.min(max)).collect(),
        }
    }

    /// What becomes of a number where so many pieces of a line are taken, what is gained, and what the pieces are worth that it is of.
    pub(super) fn go(
        self,
        digit: u32,
        role: u8,
        (value, pieces, taken): (i64, i64, i64),
    ) -> Option<(u32, i64, i64)> {
        let at = i64::from(digit);
        let small = |number: i64| u32::try_from(number).ok();
        match self {
            Self::Groups { n, rate, price, cap } => {
                let worth = match price > 0 && pieces > PIECES_MAX.max(2 * n) {
                    true => (value + pieces - 1) / pieces * taken,
                    false => dearest(value, pieces, taken),
                };
                let next = at + taken;
                if cap > 0 && next > cap {
                    return None;
                }
                let paid = price.saturating_mul(next / n - at / n);
                let gain = (rate * worth).saturating_sub(paid).max(NEVER);
                Some((small(if cap > 0 { next } else { next % n })?, gain, worth))
            }
            Self::BuyGet { buy, get, rate, cap } => {
                let m = buy + get;
                let up_to = |t: i64| {
                    let t = if cap > 0 { t.min(cap) } else { t };
                    t / m * get + (t % m - buy).max(0)
                };
                let free = up_to(at + pieces) - up_to(at);
                let next = at + pieces;
                let next = if cap > 0 { next.min(cap) } else { next % m };
                let worth = cheapest(value, pieces, free);
                Some((small(next)?, rate * worth, worth))
            }
            Self::Pair { per, price_each, max, first } => {
                let worth = dearest(value, pieces, taken);
                let other = per[usize::from(role == 0)];
                let paid = if role == 0 { price_each.saturating_mul(taken) } else { 0 };
                let gain = (UNIT * worth).saturating_sub(paid).max(NEVER);
                let next = if role == first { at + taken * other } else { at - taken * other };
                (0..=max).contains(&next).then_some((small(next)?, gain, worth))
            }
        }
    }
}
