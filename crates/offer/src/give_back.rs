//! What a return of pieces gives back.
//!
//! A piece gives back what was paid for it: the pieces of a line share what was paid for the line, the first carrying the units
//! that do not divide. Nothing else changes: the rest of the order is not discounted anew. Where a threshold is no longer met by
//! what stays, the offer says what becomes of its discount: what stays keeps it, or it is taken back as far as what stays would
//! not have had it. Whatever comes back in whatever order, all of it together gives back what was paid, to the unit.

use serde::{Deserialize, Serialize};
use zhiyin_model::money::Money;
use zhiyin_model::playbook::offer::Returns;

use crate::compile::Offers;
use crate::deal::{Effect, Gain};
use crate::quote::Till;
use crate::split::{cheapest, dearest};

/// What was paid, as far as returns need it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// Pieces of each line, and what was paid for them, in minor units.
    pub lines: Vec<(u32, i64)>,
    /// Offers whose discount is taken back when their threshold is no longer met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditional: Vec<Conditional>,
}

/// A discount that what stays must still deserve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditional {
    /// The offer.
    pub offer: String,
    /// Of each line, in the order of the cart; `None` where the offer is not of it.
    pub lines: Vec<Option<Share>>,
    /// What would be had, from how much on.
    pub steps: Vec<Deserved>,
}

/// What an offer has to do with a line that it is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// What counts towards the threshold, in minor units: what was left to pay before the offer, or the list price.
    pub counted: i64,
    /// What was left to pay before the offer: what a part is reckoned of.
    pub amount: i64,
    /// What was taken off.
    pub off: i64,
}

/// What is deserved, and from how much on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deserved {
    /// The lines must come to this much.
    pub spend: i64,
    /// They must be so many pieces.
    pub pieces: i64,
    /// What is had then.
    pub gain: DeservedGain,
}

/// What is had where a threshold is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeservedGain {
    /// So much.
    Off(i64),
    /// All but so many ten-thousandths, at most so much.
    Part(u32, i64),
    /// So much for every so much of what counts, at most so much: every, off, at most.
    Every(i64, i64, i64),
}

/// What a return gives back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GiveBack {
    /// What the pieces that come back were paid, line by line.
    pub lines: Vec<i64>,
    /// What is given back in all: less than the lines where discounts are taken back, more where some were taken back before
    /// and what they were taken for comes back too.
    pub refund: i64,
    /// What is taken back of discounts on what stays, by offer: as of now, earlier returns included.
    pub taken_back: Vec<(String, i64)>,
}

/// Why nothing can be given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GiveBackProblem {
    /// There are not as many lines.
    Lines,
    /// More pieces of a line come back than stayed.
    Pieces(usize),
    /// More was given back before than could be.
    Refunded,
}

/// What a return gives back: `before` are the pieces of each line that came back earlier, `refunded` what was given back for them,
/// `now` the pieces that come back.
pub fn give_back(
    paid: &Paid,
    before: &[u32],
    refunded: i64,
    now: &[u32],
) -> Result<GiveBack, GiveBackProblem> {
    if before.len() != paid.lines.len() || now.len() != paid.lines.len() {
        return Err(GiveBackProblem::Lines);
    }
    let mut after = Vec::with_capacity(now.len());
    for (i, (pieces, _)) in paid.lines.iter().enumerate() {
        match before[i].checked_add(now[i]) {
            Some(back) if back <= *pieces => after.push(back),
            _ => return Err(GiveBackProblem::Pieces(i)),
        }
    }
    let all: i64 = paid.lines.iter().map(|(_, payable)| payable).sum();
    if refunded < 0 || refunded > all {
        return Err(GiveBackProblem::Refunded);
    }
    let value = |i: usize, back: u32| {
        let (pieces, payable) = paid.lines[i];
        dearest(payable, i64::from(pieces).max(1), i64::from(back))
    };
    let lines: Vec<i64> = (0..now.len()).map(|i| value(i, after[i]) - value(i, before[i])).collect();
    let back: i64 = (0..now.len()).map(|i| value(i, after[i])).sum();
    let mut taken_back = Vec::new();
    for conditional in &paid.conditional {
        let amount = undeserved(paid, conditional, &after);
        if amount > 0 {
            taken_back.push((conditional.offer.clone(), amount));
        }
    }
    let taken: i64 = taken_back.iter().map(|(_, amount)| amount).sum();
    // What comes back may be worth less than what is taken back: then nothing is given, and later returns make it up.
    Ok(GiveBack { lines, refund: (back - taken - refunded).max(0), taken_back })
}

/// What the lines that stay have of a discount, and no longer deserve.
fn undeserved(paid: &Paid, conditional: &Conditional, after: &[u32]) -> i64 {
    let (mut counted, mut amount, mut off, mut pieces_stay) = (0, 0, 0, 0);
    for (i, (pieces, _)) in paid.lines.iter().enumerate() {
        let Some(Some(line)) = conditional.lines.get(i) else { continue };
        let (pieces, stay) = (i64::from(*pieces).max(1), i64::from(pieces - after[i]));
        counted += cheapest(line.counted, pieces, stay);
        amount += cheapest(line.amount, pieces, stay);
        off += cheapest(line.off, pieces, stay);
        pieces_stay += stay;
    }
    let met = conditional.steps.iter().filter(|step| counted >= step.spend && pieces_stay >= step.pieces);
    let deserved = met.map(|step| match step.gain {
        DeservedGain::Off(off) => off.min(amount),
        DeservedGain::Part(pay, most) => Gain::Pay(pay, most).of(amount),
        DeservedGain::Every(every, off, most) => {
            off.saturating_mul(counted / every.max(1)).min(most).min(amount)
        }
    });
    (off - deserved.max().unwrap_or(0)).max(0)
}

impl Till {
    /// What returns of the order will need to know, of the quote that was made last.
    pub fn paid(&self, offers: &Offers) -> Paid {
        let (scene, solution, of_deal) = self.parts();
        let n = scene.lines.len();
        let last = &solution.levels[solution.levels.len() - n..];
        let pieces = |i: usize| u32::try_from(scene.lines[i].pieces).unwrap_or(u32::MAX);
        let lines = (0..n).map(|i| (pieces(i), last[i])).collect();
        let mut conditional = Vec::new();
        for (number, deal) in (0u16..).zip(&scene.deals) {
            let terms = &offers.offers[usize::from(of_deal[usize::from(number)].0)].terms;
            let at_least = i64::from(terms.at_least_pieces);
            let level = &solution.levels[usize::from(deal.lane) * n..][..n];
            if terms.returns != Returns::TakeBack || solution.shares.iter().all(|share| share.deal != number)
            {
                continue;
            }
            let (by_list, steps) = match deal.effect {
                Effect::Steps(steps) => {
                    let steps = steps.of(&scene.steps);
                    let deserved = steps.iter().map(|step| {
                        let gain = match step.gain {
                            Gain::Off(off) => DeservedGain::Off(off),
                            Gain::Pay(pay, most) => DeservedGain::Part(pay, most),
                        };
                        Deserved { spend: step.spend, pieces: step.pieces.max(at_least), gain }
                    });
                    (steps.first().is_some_and(|step| step.by_list), deserved.collect())
                }
                Effect::Every { every, off, off_max, by_list, .. } => {
                    let gain = DeservedGain::Every(every, off, off_max);
                    (by_list, vec![Deserved { spend: every, pieces: at_least, gain }])
                }
                _ => continue,
            };
            let mut own: Vec<Option<Share>> = vec![None; n];
            for place in deal.places.of(&scene.places) {
                let line = usize::from(place.line);
                let counted = if by_list { scene.lines[line].list } else { level[line] };
                let taken =
                    solution.shares.iter().filter(|share| share.deal == number && share.line == place.line);
                let off = taken.map(|share| share.off).sum();
                own[line] = Some(Share { counted, amount: level[line], off });
            }
            conditional.push(Conditional { offer: terms.id.clone(), lines: own, steps });
        }
        Paid { lines, conditional }
    }
}

impl From<&Paid> for Money {
    /// What was paid in all.
    fn from(paid: &Paid) -> Self {
        Self(paid.lines.iter().map(|(_, payable)| payable).sum())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn member_day() -> Paid {
        // ¥40 and two at ¥20; ¥8 off from ¥68 on.
        let line = Some(Share { counted: 40_00, amount: 40_00, off: 4_00 });
        let steps = vec![Deserved { spend: 68_00, pieces: 0, gain: DeservedGain::Off(8_00) }];
        let conditional = vec![Conditional { offer: "day".into(), lines: vec![line, line], steps }];
        Paid { lines: vec![(1, 36_00), (2, 36_00)], conditional }
    }

    #[test]
    fn the_rest_of_the_order_is_not_discounted_anew() {
        let paid = Paid { conditional: Vec::new(), ..member_day() };
        let back = give_back(&paid, &[0, 0], 0, &[0, 1]).unwrap();
        assert_eq!((back.refund, back.lines), (18_00, vec![0, 18_00]));
        // One cent more than two pieces divide: the first carries it.
        let odd = Paid { lines: vec![(2, 1001)], conditional: Vec::new() };
        assert_eq!(give_back(&odd, &[0], 0, &[1]).unwrap().refund, 501);
        assert_eq!(give_back(&odd, &[1], 501, &[1]).unwrap().refund, 500);
    }

    #[test]
    fn a_threshold_that_is_no_longer_met_is_taken_back_where_the_offer_says_so() {
        let paid = member_day();
        // ¥60 stay: the ¥8 was for ¥68; ¥6 of it lie on what stays.
        let back = give_back(&paid, &[0, 0], 0, &[0, 1]).unwrap();
        assert_eq!((back.refund, back.taken_back), (12_00, vec![("day".to_owned(), 6_00)]));
        // The last of it gives back what was taken.
        let rest = give_back(&paid, &[0, 1], 12_00, &[1, 1]).unwrap();
        assert_eq!((rest.refund, rest.taken_back), (60_00, vec![]));
    }

    #[test]
    fn thresholds_of_pieces_count_what_stays_and_a_part_is_of_what_was_left_to_pay() {
        // Three pieces at ¥10 by list, ¥8 after another offer; 10 % off from two pieces on, or from ¥20 by list prices.
        let of = |spend: i64, pieces: i64, gain: DeservedGain, off: i64| {
            let line = Some(Share { counted: 30_00, amount: 24_00, off });
            let steps = vec![Deserved { spend, pieces, gain }];
            let conditional = vec![Conditional { offer: "a".into(), lines: vec![None, line], steps }];
            Paid { lines: vec![(4, 40_00), (3, 24_00 - off)], conditional }
        };
        let part = DeservedGain::Part(9_000, i64::MAX);
        for (paid, back, expected) in [
            // Two stay: enough. One stays: not enough, and pieces of another line do not count.
            (of(0, 2, part, 2_40), 1, 0),
            (of(0, 2, part, 2_40), 2, 80),
            (of(0, 2, part, 2_40), 3, 0),
            // ¥20 stay by list prices; what is deserved is 10 % of ¥16, not of ¥20.
            (of(20_00, 0, part, 2_40), 1, 0),
            (of(20_00, 0, part, 3_00), 1, 40),
            (of(20_00, 0, part, 2_40), 2, 80),
            // ¥3 for every ¥10 by list prices, at most ¥8.
            (of(10_00, 0, DeservedGain::Every(10_00, 3_00, 8_00), 8_00), 1, 0),
            (of(30_00, 0, DeservedGain::Every(10_00, 3_00, 8_00), 8_00), 1, 5_33),
        ] {
            let found = give_back(&paid, &[0, 0], 0, &[0, back]).unwrap();
            let taken: i64 = found.taken_back.iter().map(|(_, amount)| amount).sum();
            assert_eq!(taken, expected, "{back} of {:?}", paid.conditional);
        }
    }

    #[test]
    fn what_cannot_come_back_is_refused_by_name() {
        let paid = member_day();
        assert_eq!(give_back(&paid, &[0], 0, &[0, 1]), Err(GiveBackProblem::Lines));
        assert_eq!(give_back(&paid, &[0, 1], 0, &[0, 2]), Err(GiveBackProblem::Pieces(1)));
        assert_eq!(give_back(&paid, &[0, 0], 72_01, &[0, 1]), Err(GiveBackProblem::Refunded));
    }

    proptest! {
        #[test]
        fn returning_everything_piece_by_piece_gives_back_what_was_paid(
            lines in prop::collection::vec((1u32..6, 0i64..10_000, 0i64..2_000), 1..5),
            spend in 1i64..30_000,
            off in 1i64..3_000,
            order in prop::collection::vec(0usize..5, 0..40),
        ) {
            let share = |payable: i64, off: i64| Share { counted: payable + 2 * off, amount: payable + off, off };
            let counted = lines.iter().map(|(_, payable, off)| (*off > 0).then(|| share(*payable, *off))).collect();
            let step = |spend, pieces, gain| Deserved { spend, pieces, gain };
            let steps = vec![
                step(spend, 3, DeservedGain::Off(off)),
                step(500, 0, DeservedGain::Every(500, 3, 9)),
                step(spend / 2, 0, DeservedGain::Part(9_000, 400)),
            ];
            let paid = Paid {
                lines: lines.iter().map(|(pieces, payable, _)| (*pieces, *payable)).collect(),
                conditional: vec![Conditional { offer: "a".into(), lines: counted, steps }],
            };
            let mut before = vec![0u32; lines.len()];
            let mut refunded = 0;
            let rest: Vec<usize> = (0..lines.len()).flat_map(|i| vec![i; 6]).collect();
            for i in order.iter().map(|i| i % lines.len()).chain(rest) {
                if before[i] == lines[i].0 {
                    continue;
                }
                let mut now = vec![0; lines.len()];
                now[i] = 1;
                let back = give_back(&paid, &before, refunded, &now).unwrap();
                prop_assert!(back.refund >= 0);
                refunded += back.refund;
                before[i] += 1;
            }
            prop_assert_eq!(refunded, Money::from(&paid).0);
        }
    }
}
