//! What parts lose together so that just so much is left to pay as later lanes want; or that nothing does.
//!
//! Of each part all is listed that it may lose and that may matter ([`All`]). Parts do not touch each other, so what all lines lose is a sum
//! of one of each list, and all sums are found at once. What later lanes make of a sum is known to the unit ([`Tail`]): the sums that would
//! leave less to pay than what was found are tried, best first; where there are none and the lists are whole, nothing leaves less.

use crate::deal::{DealSet, Effect, Scene};

use super::aim::{SUM_MAX, WORDS_A_NODE, found, sums};
use super::all::{All, Found, NO_DEAL, Wanted};
use super::machine::UNIT;
use super::relax::{Asked, Part};
use super::tail::Tail;
use super::{Row, Search};

/// So many values of a part are kept at most.
const VALUES_MAX: usize = 30_000;
/// So many branches are looked at for what a part may lose, before more are.
const FIRST_NODES: u64 = 8_000;
/// So many sums are tried.
const TRIES_MAX: usize = 48;
/// So many combinations of parts of which an offer of some lines is partly are looked at.
const MIXED_MAX: usize = 30_000;
/// So many sums that might be tried are remembered.
const TARGETS_MAX: usize = 4_096;

/// A part, and what it loses by what its lines have.
#[derive(Clone, Debug)]
pub(super) struct Decided {
    pub(super) part: Part,
    pub(super) off: i64,
    /// Whether it cannot lose more.
    pub(super) is_most: bool,
}

/// A lane to be decided, and what is left to pay.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach<'a> {
    pub(super) scene: &'a Scene,
    pub(super) k: usize,
    /// Before the lane.
    pub(super) payable: i64,
    /// After it, at least.
    pub(super) low: i64,
    /// After it, by what the lines have.
    pub(super) best: i64,
    pub(super) used: DealSet,
    pub(super) coupons: u32,
}

/// A sum to be tried: what would be left to pay in the end, and for each part the place in its list, if it is not as it is.
#[derive(Clone, Debug)]
struct Target {
    least: i64,
    made: Vec<(usize, usize)>,
}

/// What may become of a part: how much less than now it loses, how much of that its lines that are counted lose, and the deals.
type List = Vec<(i64, i64, Vec<u16>)>;

/// The lists of all parts, by how the offer of some lines is of them.
#[derive(Debug, Default)]
struct Lists {
    of: Vec<List>,
    inside: Vec<usize>,
    outside: Vec<usize>,
    mixed: Vec<usize>,
    /// Of the parts that are mixed: with nothing gained by lines that are counted, and what the others lose at most.
    others: Vec<(Part, i64)>,
    /// What is left to pay of the lines that are counted before the lane.
    amount: i64,
    /// The same after it at most, where of all lines as little is left as may be.
    amount_low: i64,
    /// The same before the lane, less what parts lose that are of these lines alone.
    inside_left: i64,
    is_all: bool,
}

impl Search {
    /// Tries what would leave less to pay than what was found. Whether it is known that nothing does any more.
    pub(super) fn hit(&mut self, reach: &Reach<'_>, row: &mut Row, decided: &[Decided]) -> bool {
        let Reach { scene, k, .. } = *reach;
        let are_orders = scene.deals.iter().all(|deal| {
            usize::from(deal.lane) <= k || matches!(deal.effect, Effect::Steps(_) | Effect::Every { .. })
        });
        if self.floors || !are_orders {
            return false;
        }
        let mut tails = Tail::all(scene, k, reach.used);
        tails.sort_by_key(|tail| {
            (tail.of.is_some(), tail.bounds.after(scene, k + 1, reach.low, reach.payable))
        });
        self.nodes += (tails.len() * scene.deals.len() * scene.lines.len() / 64) as u64;
        let mut is_open = false;
        for tail in &tails {
            is_open |= self.nodes > self.nodes_max || !self.tail(reach, row, decided, tail, is_open);
        }
        !is_open
    }

    fn cutoff(&self) -> i64 {
        self.best_payable.min(self.ceiling)
    }

    /// The same of combinations of order lanes.
    fn tail(
        &mut self,
        reach: &Reach<'_>,
        row: &mut Row,
        decided: &[Decided],
        tail: &Tail,
        is_open: bool,
    ) -> bool {
        let Reach { scene, k, payable, low, .. } = *reach;
        let (cutoff, after) = (self.cutoff(), |low| tail.bounds.after(scene, k + 1, low, payable));
        if after(low) >= cutoff {
            return true;
        }
        // From here on nothing is better than what was found.
        let (mut at, mut end) = (low, payable.min(low + SUM_MAX - 1));
        while at < end {
            let middle = at + (end - at + 1) / 2;
            if after(middle) < cutoff { at = middle } else { end = middle - 1 }
        }
        let is_whole = at == payable || after(at + 1) >= cutoff;
        let lists = self.sorted(reach, row, decided, tail);
        self.narrow(reach, row, decided, tail, (lists, at), is_open) && is_whole
    }

    /// Lists what parts may lose, first for as little work as mostly does, and tries what may leave less to pay; up to `most` may be left
    /// after the lane. Whether nothing leaves less.
    fn narrow(
        &mut self,
        reach: &Reach<'_>,
        row: &mut Row,
        decided: &[Decided],
        tail: &Tail,
        (mut lists, mut most): (Lists, i64),
        is_open: bool,
    ) -> bool {
        let are_most = decided.iter().all(|one| one.is_most);
        for is_first in [true, false] {
            let Some(last) = self.last(reach, tail, &lists, most) else {
                return self.nodes <= self.nodes_max;
            };
            let Ok(window) = usize::try_from(last - reach.best) else { return false };
            let nodes_each = self.nodes_max.saturating_sub(self.nodes) / 4 * 3;
            let nodes_each = if is_first { nodes_each.min(FIRST_NODES) } else { nodes_each };
            self.list(reach, row, decided, (tail, last - reach.best, nodes_each), &mut lists);
            let (mut targets, dropped) = match tail.of {
                None => self.sums_of_all(reach, tail, &lists, window),
                Some(_) => self.sums_of_some(reach, tail, &lists, window),
            };
            targets.sort_by_key(|target| target.least);
            self.try_all(reach, row, decided, &lists, &targets);
            let cutoff = self.cutoff();
            if lists.is_all && are_most {
                return dropped >= cutoff && targets.iter().all(|target| target.least >= cutoff);
            }
            if self.nodes > self.nodes_max || (is_first && is_open) {
                return false;
            }
            most = last;
        }
        // Not all is known: whatever may be left to pay would have to be no better.
        self.last(reach, tail, &lists, most).is_none() && self.nodes <= self.nodes_max
    }

    fn try_all(
        &mut self,
        reach: &Reach<'_>,
        row: &mut Row,
        decided: &[Decided],
        lists: &Lists,
        targets: &[Target],
    ) {
        let now = row.chosen.clone();
        for target in targets.iter().take(TRIES_MAX) {
            if target.least >= self.cutoff() || self.nodes > self.nodes_max {
                break;
            }
            for (part, at) in &target.made {
                let order = &decided[*part].part.order;
                for (own, deal) in order.iter().zip(&lists.of[*part][*at].2) {
                    let (line, from, to) = row.lines[*own];
                    let choices = &row.choices[from as usize..to as usize];
                    let choice = choices.iter().find(|choice| choice.deal == *deal && *deal != NO_DEAL);
                    row.chosen[usize::from(line)] = choice.map(|choice| (choice.deal, choice.place));
                }
            }
            self.try_row(reach.scene, reach.k, row, reach.payable, reach.used, reach.coupons);
            row.chosen.clone_from(&now);
        }
    }

    /// The most that may be left to pay after the lane, up to `most`, so that less than what was found is left in the end, whatever can
    /// be; none where nothing can.
    fn last(&mut self, reach: &Reach<'_>, tail: &Tail, lists: &Lists, most: i64) -> Option<i64> {
        let Reach { scene, k, low, .. } = *reach;
        let (cutoff, mut left) = (self.cutoff(), most);
        let mut looked = 0u64;
        let mut found = None;
        while left >= low && self.nodes + looked / 16 <= self.nodes_max {
            looked += 1;
            if tail.bounds.after(scene, k + 1, left, left) < cutoff {
                looked += 16;
                let amount = lists.amount.min(lists.amount_low.saturating_add(left - low));
                if amount >= tail.wanted(scene, k, left, cutoff)
                    && tail.least(scene, k + 1, left, amount) < cutoff
                {
                    found = Some(left);
                    break;
                }
            }
            left -= 1;
        }
        self.nodes += looked / 16;
        found
    }

    /// The parts by how the offer of some lines is of them, and how much may be left to pay of its lines.
    fn sorted(&mut self, reach: &Reach<'_>, row: &Row, decided: &[Decided], tail: &Tail) -> Lists {
        let mut lists = Lists { is_all: true, ..Lists::default() };
        let is_counted = |line: u16| tail.counted.get(usize::from(line)).is_some_and(|counted| *counted);
        for (number, one) in decided.iter().enumerate() {
            let n = one.part.order.iter().filter(|own| is_counted(row.lines[**own].0)).count();
            match n {
                0 => lists.outside.push(number),
                n if n == one.part.order.len() => lists.inside.push(number),
                _ => lists.mixed.push(number),
            }
        }
        if tail.of.is_none() {
            return lists;
        }
        for part in &lists.mixed {
            let rows: Vec<Asked<'_>> = row.asked().collect();
            let part = decided[*part].part.but(&rows, &tail.counted);
            self.nodes += part.steps / 128;
            let most = (part.to_come(0, 0) + part.slack()).div_euclid(UNIT);
            lists.others.push((part, most));
        }
        let lost = |parts: &[usize]| parts.iter().map(|part| decided[*part].off).sum::<i64>();
        let own = (0u16..).zip(&self.levels[reach.k]).filter(|(line, _)| is_counted(*line));
        lists.amount = own.map(|(_, left)| left).sum();
        // What the other lines of mixed parts lose at most is what these need not lose, of what all parts lose at most.
        let others: i64 = lists.others.iter().map(|(_, most)| most).sum();
        lists.amount_low = match decided.iter().all(|one| one.is_most) {
            true => lists.amount - lost(&lists.inside) - lost(&lists.mixed) + others,
            false => lists.amount,
        };
        lists
    }

    /// Lists what each part may lose, as far as it matters.
    fn list(
        &mut self,
        reach: &Reach<'_>,
        row: &mut Row,
        decided: &[Decided],
        (tail, window, nodes_max): (&Tail, i64, u64),
        lists: &mut Lists,
    ) {
        let Reach { scene, k, .. } = *reach;
        (lists.is_all, lists.of) = (true, Vec::new());
        let level = std::mem::take(&mut self.levels[k]);
        // How much less the other lines of mixed parts may lose, so that enough is left to pay of those that are counted.
        let spare = lists.amount_low.saturating_add(window) - tail.wanted(scene, k, reach.low, self.cutoff());
        for (number, one) in decided.iter().enumerate() {
            let mixed = lists.mixed.iter().position(|part| *part == number).map(|at| &lists.others[at]);
            let wanted = Wanted {
                least: one.off - window,
                counted: &tail.counted,
                others: mixed.map(|(part, most)| (part, most - spare)),
                values_max: VALUES_MAX,
                nodes_max: nodes_max.min(self.nodes_max.saturating_sub(self.nodes)),
            };
            let Found { values, is_all, nodes } = self.all(scene, &one.part, row, &level, wanted, reach.used);
            self.nodes += nodes;
            lists.is_all &= is_all;
            let values = values.into_iter().rev();
            lists.of.push(values.map(|((off, counted), deals)| (one.off - off, counted, deals)).collect());
        }
        self.levels[k] = level;
        let own: i64 = lists.inside.iter().map(|part| decided[*part].off).sum();
        lists.inside_left = lists.amount - own;
    }

    pub(super) fn all(
        &mut self,
        scene: &Scene,
        part: &Part,
        row: &mut Row,
        level: &[i64],
        wanted: Wanted<'_>,
        used: DealSet,
    ) -> Found {
        let is_plain = scene.is_plain();
        let chosen = std::mem::replace(&mut row.chosen, vec![None; scene.lines.len()]);
        let (work, order, purse) = (&mut self.work, &self.order[..], self.purse);
        let conflicts = scene.deals.iter().fold(0, |all, deal| all | deal.conflicts);
        let mixed = part.mixed(&row.lines, wanted.counted);
        let found = All { scene, part, row, work, level, purse, order, wanted, is_plain, mixed, conflicts }
            .find(used);
        row.chosen = chosen;
        found
    }

    /// Sums that leave less to pay in the end than what was found, where only the sum matters; and the least of those left out.
    fn sums_of_all(
        &mut self,
        reach: &Reach<'_>,
        tail: &Tail,
        lists: &Lists,
        window: usize,
    ) -> (Vec<Target>, i64) {
        let Reach { scene, k, best, .. } = *reach;
        let less: Vec<Vec<i64>> = lists.of.iter().map(less_of).collect();
        self.nodes += cost(&less, window);
        self.weigh(window);
        if self.nodes > self.nodes_max {
            return (Vec::new(), i64::MIN);
        }
        let stages = sums(&less, window);
        let Some(last) = stages.last() else { return (Vec::new(), i64::MIN) };
        let cutoff = self.cutoff();
        let mut sums: Vec<(i64, usize)> = Vec::new();
        for sum in bits(last, window) {
            let left = best + i64::try_from(sum).unwrap_or(i64::MAX / 2);
            if tail.bounds.after(scene, k + 1, left, left) >= cutoff {
                continue;
            }
            self.nodes += 1;
            let least = tail.least(scene, k + 1, left, 0);
            if least < cutoff {
                sums.push((least, sum));
            }
        }
        sums.sort_unstable();
        sums.dedup_by_key(|(least, _)| *least);
        let dropped = sums.get(TARGETS_MAX).map_or(i64::MAX, |(least, _)| *least);
        sums.truncate(TARGETS_MAX);
        let target = |(least, sum)| Target { least, made: found(&less, &stages, sum) };
        (sums.into_iter().take(TRIES_MAX + 1).map(target).collect(), dropped)
    }

    /// The same, where what is left to pay of some lines matters too.
    fn sums_of_some(
        &mut self,
        reach: &Reach<'_>,
        tail: &Tail,
        lists: &Lists,
        window: usize,
    ) -> (Vec<Target>, i64) {
        let Reach { scene, k, payable, best, .. } = *reach;
        let of = |parts: &[usize]| -> Vec<Vec<i64>> {
            parts.iter().map(|part| less_of(&lists.of[*part])).collect()
        };
        let (inside, outside) = (of(&lists.inside), of(&lists.outside));
        self.nodes += cost(&inside, window) + cost(&outside, window);
        let Some(mixed) = mixed(lists, i64::try_from(window).unwrap_or(i64::MAX)) else {
            return (Vec::new(), i64::MIN);
        };
        if self.nodes > self.nodes_max {
            return (Vec::new(), i64::MIN);
        }
        let (stages_in, stages_out) = (sums(&inside, window), sums(&outside, window));
        let (Some(last_in), Some(last_out)) = (stages_in.last(), stages_out.last()) else {
            return (Vec::new(), i64::MIN);
        };
        let own = lists.inside_left;
        let (mut targets, mut dropped): (Vec<Target>, i64) = (Vec::new(), i64::MAX);
        let (cutoff, mut looked) = (self.cutoff(), 0u64);
        for (less, counted, made) in &mixed {
            let Ok(room) = usize::try_from(i64::try_from(window).unwrap_or(i64::MAX) - less) else {
                continue;
            };
            for more in bits(last_in, room) {
                looked += 1;
                let inside_less = i64::try_from(more).unwrap_or(i64::MAX / 4);
                let (left, amount) = (best + less + inside_less, own + inside_less - counted);
                if tail.bounds.after(scene, k + 1, left, payable) >= cutoff {
                    break;
                }
                if amount < tail.wanted(scene, k, left, cutoff) {
                    continue;
                }
                for sum in bits(last_out, room - more) {
                    looked += 1;
                    let left = left + i64::try_from(sum).unwrap_or(i64::MAX / 4);
                    if tail.bounds.after(scene, k + 1, left, payable) >= cutoff {
                        break;
                    }
                    if tail.bounds.after(scene, k + 1, left, left) >= cutoff {
                        continue;
                    }
                    looked += 8;
                    let least = tail.least(scene, k + 1, left, amount);
                    if least >= cutoff {
                        continue;
                    }
                    if targets.len() >= TARGETS_MAX {
                        dropped = dropped.min(least);
                        continue;
                    }
                    let own =
                        found(&inside, &stages_in, more).into_iter().map(|(at, i)| (lists.inside[at], i));
                    let rest =
                        found(&outside, &stages_out, sum).into_iter().map(|(at, i)| (lists.outside[at], i));
                    targets
                        .push(Target { least, made: made.iter().copied().chain(own).chain(rest).collect() });
                }
                if self.nodes + looked / 16 > self.nodes_max {
                    self.nodes += looked / 16;
                    return (targets, i64::MIN);
                }
            }
        }
        self.nodes += looked / 16;
        (targets, dropped)
    }
}

fn less_of(list: &List) -> Vec<i64> {
    list.iter().map(|(less, ..)| *less).collect()
}

/// What it costs to find all sums, in branches.
fn cost(lists: &[Vec<i64>], window: usize) -> u64 {
    let n: usize = lists.iter().map(Vec::len).sum();
    ((n + lists.len()) * (window / 64 + 1) / WORDS_A_NODE) as u64
}

/// The sums there are, up to `most`.
fn bits(sums: &[u64], most: usize) -> impl Iterator<Item = usize> {
    let words = sums.iter().enumerate().take(most / 64 + 1);
    let of_word = |(at, word): (usize, &u64)| {
        let word = *word;
        (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit)
    };
    words.filter(|(_, word)| **word != 0).flat_map(of_word).take_while(move |sum| *sum <= most)
}

/// All that parts of which an offer of some lines is partly may become together: how much less they lose, how much of what they lose is of
/// lines that are counted, and which of which list; `None` where that is too many.
type Mixed = Vec<(i64, i64, Vec<(usize, usize)>)>;

fn mixed(lists: &Lists, window: i64) -> Option<Mixed> {
    let mut all: Mixed = vec![(0, 0, Vec::new())];
    for part in &lists.mixed {
        let mut next = Vec::new();
        for (less, counted, made) in &all {
            for (at, (own, own_counted, _)) in lists.of[*part].iter().enumerate() {
                if less + own <= window {
                    let made = made.iter().copied().chain([(*part, at)]).collect();
                    next.push((less + own, counted + own_counted, made));
                }
            }
            if next.len() > MIXED_MAX {
                return None;
            }
        }
        all = next;
    }
    all.sort();
    Some(all)
}
