//! Where less off is better: an offer of a later lane wants so much to be left to pay, and what takes most off falls short of it. Then
//! lines give something up (another offer, or none), so that just that much is left. What lines may give up apart from each other adds
//! up, so that all sums are found at once.

use std::cmp::Reverse;

use crate::deal::{DealSet, Effect, Scene};

use super::deep::Chosen;
use super::{Row, Search};

/// Sums up to this are looked at.
pub(super) const SUM_MAX: i64 = 1 << 18;
/// So many of them are tried.
const TRIES_MAX: usize = 6;
/// Of one offer's lines so many sets are looked at.
const TOGETHER_MAX: usize = 1_500;

/// So many words of sums are written in the time of a branch.
pub(super) const WORDS_A_NODE: usize = 512;
/// So many lines are looked at in the time of a branch.
pub(super) const LINES_A_NODE: u64 = 16;

/// Lines that have something else, and by how much less comes off for it.
#[derive(Clone, Debug)]
struct Move {
    lines: Vec<(u16, Chosen)>,
    less: i64,
}

/// Moves of which one at most may be made; those of different bundles of moves may be made together.
type Moves = Vec<Move>;

impl Search {
    /// Tries what leaves more to pay of a row that is decided, so that the lanes to come take more off; `best` is what is left by it.
    pub(super) fn aim(
        &mut self,
        scene: &Scene,
        k: usize,
        row: &mut Row,
        (payable, best): (i64, i64),
        used: DealSet,
        coupons: u32,
    ) {
        let goal = self.bounds.after(scene, k + 1, best, payable);
        let cutoff = self.best_payable.min(self.ceiling);
        // From here on nothing is better than what was found.
        let (mut at, mut end) = (best, payable.min(best + SUM_MAX - 1));
        while at < end {
            let middle = at + (end - at + 1) / 2;
            let is_better = self.bounds.after(scene, k + 1, middle, payable) < cutoff;
            if is_better { at = middle } else { end = middle - 1 }
        }
        let Ok(most) = usize::try_from(at - best) else { return };
        let bundles = self.moves(scene, k, row, used);
        // What sums cost is what words are written, and to ask the bounds of each.
        let n_moves: usize = bundles.iter().map(Vec::len).sum();
        self.nodes += ((n_moves + bundles.len()) * (most / 64 + 1) / WORDS_A_NODE) as u64;
        self.weigh(most);
        if self.nodes > self.nodes_max {
            return;
        }
        let less: Vec<Vec<i64>> =
            bundles.iter().map(|moves| moves.iter().map(|change| change.less).collect()).collect();
        let stages = sums(&less, most);
        let Some(last) = stages.last() else { return };
        let reached = (0..=most).filter(|sum| last[sum / 64] >> (sum % 64) & 1 == 1);
        let left = |sum: usize| best + i64::try_from(sum).unwrap_or(i64::MAX);
        let mut targets: Vec<(i64, usize)> = reached
            .map(|sum| (self.bounds.after(scene, k + 1, left(sum), left(sum)), sum))
            .filter(|(least, _)| *least < cutoff)
            .collect();
        targets.sort_unstable();
        targets.dedup_by_key(|(least, _)| *least);
        let chosen = row.chosen.clone();
        for (least, sum) in targets.into_iter().take(TRIES_MAX) {
            if least >= self.best_payable.min(self.ceiling) || self.best_payable.min(self.ceiling) <= goal {
                break;
            }
            for (bundle, change) in found(&less, &stages, sum) {
                for (line, has) in &bundles[bundle][change].lines {
                    row.chosen[usize::from(*line)] = *has;
                }
            }
            self.try_row(scene, k, row, payable, used, coupons);
            row.chosen.clone_from(&chosen);
        }
    }

    fn moves(&mut self, scene: &Scene, k: usize, row: &mut Row, used: DealSet) -> Vec<Moves> {
        let mut of_lane: DealSet = 0;
        let mut has = vec![0u16; scene.deals.len()];
        for (deal, _) in row.chosen.iter().flatten() {
            of_lane |= 1 << deal;
            has[usize::from(*deal)] += 1;
        }
        let mut worth = vec![0; scene.deals.len()];
        for (number, deal) in (0u16..).zip(&scene.deals) {
            if has[usize::from(number)] > 0 && !deal.effect.is_each() {
                let off = row.worth(scene, &mut self.work, number, deal, &self.levels[k]);
                worth[usize::from(number)] = off.unwrap_or(0);
            }
        }
        // By the groups they touch; those that touch none by their line.
        let mut bundles: Vec<(DealSet, Option<u16>, Moves)> = Vec::new();
        for i in 0..row.lines.len() {
            let (line, from, to) = row.lines[i];
            let own = row.chosen[usize::from(line)];
            let others: Vec<Option<u32>> = (from..to).map(Some).chain([None]).collect();
            for other in others {
                let next = other.map(|i| row.choices[i as usize]);
                if next.map(|choice| choice.deal) == own.map(|(deal, _)| deal) {
                    continue;
                }
                let is_free = |number: u16| {
                    let deal = &scene.deals[usize::from(number)];
                    !deal.has_budget() && !matches!(deal.effect, Effect::AddOn { .. })
                };
                let may = match next {
                    Some(choice) => {
                        let number = usize::from(choice.deal);
                        is_free(choice.deal)
                            && (choice.each || has[number] > 0)
                            && scene.deals[number].conflicts & (used | of_lane) == 0
                    }
                    // None of several lines may apply that names it; its own only if it was the only line.
                    None => (from..to).all(|i| {
                        let choice = row.choices[i as usize];
                        let own = own.is_some_and(|(deal, _)| deal == choice.deal);
                        choice.each || has[usize::from(choice.deal)] == u16::from(own)
                    }),
                };
                if !may || own.is_some_and(|(deal, _)| !is_free(deal)) {
                    continue;
                }
                let next = next.map(|choice| (choice.deal, choice.place));
                let change = [(line, next)];
                let Some((touched, less)) = self.less(scene, k, row, &worth, &change) else { continue };
                let key = if touched == 0 { Some(line) } else { None };
                let found = bundles.iter_mut().find(|(of, by, _)| *of == touched && *by == key);
                let made = Move { lines: change.to_vec(), less };
                match found {
                    Some((.., moves)) => moves.push(made),
                    None => bundles.push((touched, key, vec![made])),
                }
            }
        }
        // A bundle that touches two groups only where nobody else touches them.
        bundles.sort_by_key(|(of, _, moves)| (of.count_ones(), Reverse(moves.len())));
        let mut touched: DealSet = 0;
        bundles.retain(|(of, ..)| {
            let is_apart = of & touched == 0;
            touched |= if is_apart { *of } else { 0 };
            is_apart
        });
        for (of, _, moves) in &mut bundles {
            if *of != 0 {
                self.together(scene, k, row, &worth, moves);
            }
            // Only what is given up matters: of those that give up the same the first.
            moves.sort_by_key(|change| change.less);
            moves.dedup_by_key(|change| change.less);
        }
        bundles.into_iter().map(|(.., moves)| moves).collect()
    }

    /// Adds moves of several lines of the same groups.
    fn together(&mut self, scene: &Scene, k: usize, row: &mut Row, worth: &[i64], moves: &mut Moves) {
        let single: Vec<(u16, Chosen)> = moves.iter().map(|change| change.lines[0]).collect();
        // Each with the place of the last of its single moves.
        let mut before: Vec<(usize, Vec<(u16, Chosen)>)> =
            single.iter().enumerate().map(|(at, one)| (at, vec![*one])).collect();
        let mut left = TOGETHER_MAX;
        while !before.is_empty() && left > 0 {
            let mut after = Vec::new();
            for (last, lines) in &before {
                for (at, one) in single.iter().enumerate().skip(last + 1) {
                    if left == 0 || lines.iter().any(|(line, _)| *line == one.0) {
                        continue;
                    }
                    left -= 1;
                    let mut change = lines.clone();
                    change.push(*one);
                    if let Some((_, less)) = self.less(scene, k, row, worth, &change) {
                        moves.push(Move { lines: change.clone(), less });
                    }
                    after.push((at, change));
                }
            }
            before = after;
        }
    }

    /// Which groups a change touches, and how much less comes off by it; `None` where it may not be made.
    fn less(
        &mut self,
        scene: &Scene,
        k: usize,
        row: &mut Row,
        worth: &[i64],
        change: &[(u16, Chosen)],
    ) -> Option<(DealSet, i64)> {
        // To work out what groups take looks at all lines.
        self.nodes += 1 + scene.lines.len() as u64 / LINES_A_NODE;
        let level = std::mem::take(&mut self.levels[k]);
        let before: Vec<Chosen> = change.iter().map(|(line, _)| row.chosen[usize::from(*line)]).collect();
        let (mut touched, mut less): (DealSet, i64) = (0, 0);
        for ((line, next), own) in change.iter().zip(&before) {
            for (has, sign) in [(own, 1), (next, -1)] {
                let Some((number, _)) = has else { continue };
                match scene.deals[usize::from(*number)].effect {
                    Effect::Each { how, pieces_max } => {
                        let line = usize::from(*line);
                        let off = crate::item::off_line(how, pieces_max, level[line], &scene.lines[line]);
                        less += sign * off;
                    }
                    _ => touched |= 1 << number,
                }
            }
            row.chosen[usize::from(*line)] = *next;
        }
        // What each move might do alone, not all may together: one leaves a line without an offer, another gives one to the offer it had.
        let mut may = change.iter().all(|(line, next)| next.is_some() || row.may_go_without(*line));
        for (number, deal) in (0u16..).zip(&scene.deals) {
            if touched & 1 << number == 0 {
                continue;
            }
            less += worth[usize::from(number)];
            if row.chosen.iter().flatten().any(|(other, _)| *other == number) {
                match row.worth(scene, &mut self.work, number, deal, &level) {
                    Some(off) => less -= off,
                    None => may = false,
                }
            }
        }
        for ((line, _), own) in change.iter().zip(before) {
            row.chosen[usize::from(*line)] = own;
        }
        self.levels[k] = level;
        (may && less >= 0).then_some((touched, less))
    }
}

impl Row {
    /// Whether no offer of several lines that has lines names a line.
    fn may_go_without(&self, line: u16) -> bool {
        let own = self.lines.iter().find(|(other, ..)| *other == line);
        let choices = own.map_or(&[][..], |(_, from, to)| &self.choices[*from as usize..*to as usize]);
        let has_lines = |deal: u16| self.chosen.iter().flatten().any(|(other, _)| *other == deal);
        choices.iter().all(|choice| choice.each || !has_lines(choice.deal))
    }
}

/// Which sums up to `most` there are of one of each of the first lists or none, bit by bit.
pub(super) fn sums(lists: &[Vec<i64>], most: usize) -> Vec<Vec<u64>> {
    let words = most / 64 + 1;
    let mut stages = vec![vec![0u64; words]];
    stages[0][0] = 1;
    for list in lists {
        let before = stages[stages.len() - 1].clone();
        let mut after = before.clone();
        for less in list {
            let Ok(less) = usize::try_from(*less) else { continue };
            let (by, bits) = (less / 64, less % 64);
            for (to, word) in after.iter_mut().enumerate().skip(by) {
                let from = to - by;
                let carried = if bits > 0 && from > 0 { before[from - 1] >> (64 - bits) } else { 0 };
                *word |= before[from] << bits | carried;
            }
        }
        stages.push(after);
    }
    stages
}

/// Which of which lists make a sum: the list, and the place in it.
pub(super) fn found(lists: &[Vec<i64>], stages: &[Vec<u64>], sum: usize) -> Vec<(usize, usize)> {
    let mut made = Vec::new();
    let mut left = sum;
    for (stage, list) in lists.iter().enumerate().rev() {
        if is_in(&stages[stage], left) {
            continue;
        }
        let fits = list.iter().enumerate().find_map(|(at, less)| {
            let less = usize::try_from(*less).ok()?;
            (less <= left && is_in(&stages[stage], left - less)).then_some((at, less))
        });
        let Some((at, less)) = fits else { continue };
        made.push((stage, at));
        left -= less;
    }
    made
}

/// Whether a sum is among those that there are.
pub(super) fn is_in(sums: &[u64], sum: usize) -> bool {
    sums.get(sum / 64).is_some_and(|word| word >> (sum % 64) & 1 == 1)
}
