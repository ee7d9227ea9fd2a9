//! The best combination, by branch and bound.
//!
//! Lanes are decided in their order, lines of an item lane from the dearest on. A branch is left where even the least that it
//! may come to ([`Bounds`]) is no better than the best found. Best is what leaves least to pay; where that is the same, what
//! takes fewer coupons; then, choice by choice, the offer whose coupon expires earlier, then the smaller id. So there is one
//! best combination, whatever order offers are in.
//!
//! In an item lane an offer of several lines is of every line it names that no other offer of that lane has: it cannot be
//! made better by leaving out a line that is cheap.

use crate::bound::Bounds;
use crate::deal::{DealSet, LaneKind, Place, Scene};
use crate::item::{Working, off_line, share_max};
use crate::order::{Spreading, Way, ways};

/// One discount on one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) deal: u16,
    pub(crate) line: u16,
    pub(crate) off: i64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Solution {
    /// What is left to pay of all lines.
    pub(crate) payable: i64,
    /// Discounts, lane by lane.
    pub(crate) shares: Vec<Share>,
    /// What is left to pay of each line before each lane, and after all, lane by lane.
    pub(crate) levels: Vec<i64>,
    /// Whether nothing better can be.
    pub(crate) exact: bool,
    /// What is left to pay is at least this, whatever is combined.
    pub(crate) bound: i64,
    /// How many steps were made.
    pub(crate) steps: u64,
}

/// "No offer", as the last of all choices.
const NONE: u32 = u32::MAX;

/// One way to go on with a line.
#[derive(Clone, Copy, Debug)]
struct Choice {
    deal: u16,
    place: Place,
    /// What it takes off, or at most.
    most: i64,
    each: bool,
    rank: u16,
}

/// An item lane while it is decided.
#[derive(Clone, Debug, Default)]
struct Row {
    /// Lines that a deal of the lane is of, from the dearest on, and where their choices are.
    lines: Vec<(u16, u32, u32)>,
    choices: Vec<Choice>,
    /// Lines decided so far that each deal has.
    has: Vec<u16>,
    /// Lines that a deal of several lines might have had, and that have none.
    shunned: Vec<u16>,
    /// What each line has.
    chosen: Vec<Option<(u16, Place)>>,
    taken: Vec<Place>,
    offs: Vec<i64>,
}

/// The search. Kept from cart to cart: nothing is allocated once it is large enough.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    pub(crate) work: Working,
    pub(crate) spread: Spreading,
    bounds: Bounds,
    rows: Vec<Row>,
    levels: Vec<Vec<i64>>,
    ways: Vec<Vec<(i64, u16, u16, Way)>>,
    by_price: Vec<u16>,
    /// Room of the greedy way: lines that have an offer of the lane, and an offer's lines.
    pub(crate) has: Vec<bool>,
    pub(crate) taken: Vec<Place>,
    pub(crate) offs: Vec<i64>,
    path: Vec<u32>,
    best: Vec<u32>,
    best_payable: i64,
    best_coupons: u32,
    /// From this lane on only sums matter.
    flat_from: usize,
    floors: bool,
    list: i64,
    nodes: u64,
    nodes_max: u64,
    complete: bool,
    /// Whether every way of every deal was tried.
    all_tried: bool,
}

impl Search {
    /// The best combination, looking at no more than so many branches.
    pub(crate) fn solve(&mut self, scene: &Scene, nodes_max: u64, solution: &mut Solution) {
        self.prepare(scene, nodes_max);
        let bound = self.bounds.after(scene, 0, self.list, self.list);
        self.lane(scene, 0, self.list, 0, 0);
        solution.exact = self.complete && self.all_tried;
        solution.bound = if solution.exact { self.best_payable } else { bound };
        solution.payable = self.best_payable;
        solution.steps = self.nodes + self.work.steps;
        self.replay(scene, solution);
    }

    /// The choices made last, for the proof.
    #[cfg(test)]
    pub(crate) fn chosen(&self) -> &[u32] {
        &self.best
    }

    fn prepare(&mut self, scene: &Scene, nodes_max: u64) {
        let n_lines = scene.lines.len();
        (self.nodes, self.nodes_max, self.work.steps) = (0, nodes_max, 0);
        (self.complete, self.all_tried) = (true, true);
        (self.best_payable, self.best_coupons) = (i64::MAX, 0);
        self.best.clear();
        self.path.clear();
        self.bounds.prepare(scene);
        self.list = scene.lines.iter().map(|line| line.list).sum();
        self.levels.resize_with(scene.lanes.len() + 1, Vec::new);
        for level in &mut self.levels {
            level.clear();
            level.extend(scene.lines.iter().map(|line| line.list));
        }
        self.ways.resize_with(scene.lanes.len().max(self.ways.len()), Vec::new);
        self.rows.resize_with(scene.lanes.len().max(self.rows.len()), Row::default);
        self.by_price.clear();
        self.by_price.extend(0..u16::try_from(n_lines).unwrap_or(u16::MAX));
        self.by_price.sort_by_key(|line| std::cmp::Reverse(scene.lines[usize::from(*line)].list));
        let sums_only = |k: usize| {
            let mut of_lane = scene.deals.iter().filter(|deal| usize::from(deal.lane) == k);
            scene.lanes[k] == LaneKind::Order && of_lane.all(|deal| deal.whole)
        };
        self.flat_from = scene.lanes.len();
        self.floors = scene.lines.iter().any(|line| line.floor > 0);
        if !self.floors {
            while self.flat_from > 0 && sums_only(self.flat_from - 1) {
                self.flat_from -= 1;
            }
        }
    }

    /// Whether a branch that comes to at least `least` need not be looked at.
    fn hopeless(&self, least: i64, coupons: u32) -> bool {
        if least != self.best_payable {
            return least > self.best_payable;
        }
        coupons > self.best_coupons
            || (coupons == self.best_coupons
                && self.path[..] > self.best[..self.path.len().min(self.best.len())])
    }

    fn spent(&mut self) -> bool {
        self.nodes += 1;
        if self.nodes > self.nodes_max && self.best_payable != i64::MAX {
            self.complete = false;
        }
        !self.complete
    }

    fn consider(&mut self, payable: i64, coupons: u32) {
        let better = payable
            .cmp(&self.best_payable)
            .then(coupons.cmp(&self.best_coupons))
            .then_with(|| self.path.cmp(&self.best));
        if self.best_payable == i64::MAX || better.is_lt() {
            (self.best_payable, self.best_coupons) = (payable, coupons);
            self.best.clone_from(&self.path);
        }
    }

    fn lane(&mut self, scene: &Scene, k: usize, payable: i64, used: DealSet, coupons: u32) {
        if self.spent() {
            return;
        }
        if k == scene.lanes.len() {
            return self.consider(payable, coupons);
        }
        // To begin a lane costs what it has to look at, so that a large cart is bounded in time too.
        self.nodes += (scene.lines.len() * scene.deals.len() / 64) as u64;
        if self.hopeless(self.bounds.after(scene, k, payable, payable), coupons) {
            return;
        }
        match scene.lanes[k] {
            LaneKind::Item => self.item_lane(scene, k, payable, used, coupons),
            LaneKind::Order => self.order_lane(scene, k, payable, used, coupons),
        }
    }

    fn order_lane(&mut self, scene: &Scene, k: usize, payable: i64, used: DealSet, coupons: u32) {
        let flat = k >= self.flat_from;
        let last = k + 1 == scene.lanes.len();
        let mut found = std::mem::take(&mut self.ways[k]);
        found.clear();
        for (number, deal) in (0u16..).zip(&scene.deals) {
            if usize::from(deal.lane) != k || deal.conflicts & used != 0 {
                continue;
            }
            let (amount, list) = match deal.whole {
                true => (payable, self.list),
                false => {
                    let places = deal.places.of(&scene.places).iter().map(|place| usize::from(place.line));
                    places.fold((0, 0), |(a, l), line| (a + self.levels[k][line], l + scene.lines[line].list))
                }
            };
            self.all_tried &= ways(scene, deal, amount, list, last && deal.budget == i64::MAX, |way| {
                found.push((-way.off, deal.rank, number, way));
            });
        }
        found.sort_unstable_by_key(|(off, rank, _, way)| (*off, *rank, way.number));
        for (_, rank, number, way) in &found {
            if !self.complete && self.best_payable != i64::MAX {
                break;
            }
            let deal = &scene.deals[usize::from(*number)];
            let coupons = coupons + u32::from(deal.coupon);
            let least = payable - way.off;
            // Floors may keep some of it.
            let most = if self.floors { payable } else { least };
            if self.hopeless(self.bounds.after(scene, k + 1, least, most), coupons) {
                continue;
            }
            self.path.push(u32::from(*rank) << 16 | u32::from(way.number));
            let off = match flat {
                true => way.off,
                false => {
                    let (from, to) = self.levels.split_at_mut(k + 1);
                    self.spread.apply(scene, deal, way, &from[k], &mut to[0])
                }
            };
            if off > 0 && off <= deal.budget {
                self.lane(scene, k + 1, payable - off, used | 1 << number, coupons);
            }
            self.path.pop();
        }
        self.ways[k] = found;
        self.path.push(NONE);
        if !flat {
            let (from, to) = self.levels.split_at_mut(k + 1);
            to[0].copy_from_slice(&from[k]);
        }
        self.lane(scene, k + 1, payable, used, coupons);
        self.path.pop();
    }

    fn item_lane(&mut self, scene: &Scene, k: usize, payable: i64, used: DealSet, coupons: u32) {
        let mut row = std::mem::take(&mut self.rows[k]);
        row.lines.clear();
        row.choices.clear();
        for counts in [&mut row.has, &mut row.shunned] {
            counts.clear();
            counts.resize(scene.deals.len(), 0);
        }
        row.chosen.clear();
        row.chosen.resize(scene.lines.len(), None);
        let mut low = payable;
        for line in &self.by_price {
            let from = row.choices.len();
            let left = self.levels[k][usize::from(*line)];
            for (number, deal) in (0u16..).zip(&scene.deals) {
                if usize::from(deal.lane) != k || deal.conflicts & used != 0 {
                    continue;
                }
                let places = deal.places.of(&scene.places);
                let Ok(at) = places.binary_search_by_key(line, |place| place.line) else { continue };
                let most = share_max(scene, deal, places[at], left);
                let each = deal.effect.is_each();
                if most > 0 || !each {
                    row.choices.push(Choice { deal: number, place: places[at], most, each, rank: deal.rank });
                }
            }
            row.choices[from..].sort_unstable_by_key(|choice| (-choice.most, choice.rank));
            let Some(first) = row.choices.get(from) else { continue };
            low -= first.most;
            let index = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
            row.lines.push((*line, index(from), index(row.choices.len())));
        }
        let (from, to) = self.levels.split_at_mut(k + 1);
        to[0].copy_from_slice(&from[k]);
        self.line(scene, k, &mut row, 0, (low, payable), used, coupons);
        self.rows[k] = row;
    }

    /// Decides the line at a place of the row; what is left to pay of all is within `reach`, later lines included.
    #[allow(
        clippy::too_many_arguments,
        reason = "the state of the search, passed down instead of kept and undone"
    )]
    fn line(
        &mut self,
        scene: &Scene,
        k: usize,
        row: &mut Row,
        at: usize,
        reach: (i64, i64),
        used: DealSet,
        coupons: u32,
    ) {
        let Some((line, from, to)) = row.lines.get(at).copied() else {
            return self.close(scene, k, row, reach.1, used, coupons);
        };
        if self.spent() {
            return;
        }
        let (low, high) = reach;
        let most = row.choices[from as usize].most;
        for i in from..to {
            let choice = row.choices[i as usize];
            let (number, deal) = (usize::from(choice.deal), &scene.deals[usize::from(choice.deal)]);
            if deal.conflicts & used != 0 || row.shunned[number] > 0 {
                continue;
            }
            let first = row.has[number] == 0;
            let coupons = coupons + u32::from(deal.coupon && first);
            let high = if choice.each { high - choice.most } else { high };
            let low = low + most - choice.most;
            self.path.push(u32::from(choice.rank) << 16);
            if !self.hopeless(self.bounds.after(scene, k + 1, low, high), coupons) {
                row.has[number] += 1;
                row.chosen[usize::from(line)] = Some((choice.deal, choice.place));
                let off = if choice.each { choice.most } else { 0 };
                self.levels[k + 1][usize::from(line)] -= off;
                self.line(scene, k, row, at + 1, (low, high), used | 1 << number, coupons);
                self.levels[k + 1][usize::from(line)] += off;
                row.chosen[usize::from(line)] = None;
                row.has[number] -= 1;
            }
            self.path.pop();
            if !self.complete {
                return;
            }
        }
        // Without an offer: then none of several lines may apply that names the line.
        let groups = |row: &Row, i: u32| {
            (!row.choices[i as usize].each).then_some(usize::from(row.choices[i as usize].deal))
        };
        if (from..to).any(|i| groups(row, i).is_some_and(|deal| row.has[deal] > 0)) {
            return;
        }
        self.path.push(NONE);
        let low = low + most;
        if !self.hopeless(self.bounds.after(scene, k + 1, low, high), coupons) {
            (from..to).for_each(|i| groups(row, i).into_iter().for_each(|deal| row.shunned[deal] += 1));
            self.line(scene, k, row, at + 1, (low, high), used, coupons);
            (from..to).for_each(|i| groups(row, i).into_iter().for_each(|deal| row.shunned[deal] -= 1));
        }
        self.path.pop();
    }

    /// All lines of an item lane are decided: works out the offers of several lines, and goes on.
    fn close(&mut self, scene: &Scene, k: usize, row: &mut Row, payable: i64, used: DealSet, coupons: u32) {
        let mut payable = payable;
        let mut whole = true;
        for (number, deal) in (0u16..).zip(&scene.deals) {
            if usize::from(deal.lane) != k || row.has[usize::from(number)] == 0 {
                continue;
            }
            if deal.effect.is_each() {
                whole &= deal.budget == i64::MAX || self.of_deal(k, row, number) <= deal.budget;
                continue;
            }
            take(row, number);
            let (taken, mut offs) = (std::mem::take(&mut row.taken), std::mem::take(&mut row.offs));
            let off = self.work.group(scene, deal, &taken, &self.levels[k], &mut offs);
            for (place, off) in taken.iter().zip(&offs) {
                self.levels[k + 1][usize::from(place.line)] -= off;
            }
            (row.taken, row.offs) = (taken, offs);
            payable -= off;
            whole &= off > 0 && off <= deal.budget;
        }
        if whole {
            self.lane(scene, k + 1, payable, used, coupons);
        }
        for (line, _, _) in &row.lines {
            let line = usize::from(*line);
            if row.chosen[line].is_some_and(|(deal, _)| !scene.deals[usize::from(deal)].effect.is_each()) {
                self.levels[k + 1][line] = self.levels[k][line];
            }
        }
    }

    /// What a deal of single lines takes off all of its lines.
    fn of_deal(&self, k: usize, row: &Row, number: u16) -> i64 {
        let has = |line: &usize| row.chosen[*line].is_some_and(|(deal, _)| deal == number);
        let lines = (0..row.chosen.len()).filter(has);
        lines.map(|line| self.levels[k][line] - self.levels[k + 1][line]).sum()
    }

    /// Makes the best choices again, to say what each took off.
    fn replay(&mut self, scene: &Scene, solution: &mut Solution) {
        solution.shares.clear();
        solution.levels.clear();
        let mut level: Vec<i64> = scene.lines.iter().map(|line| line.list).collect();
        solution.levels.extend(&level);
        let numbered =
            |code: u32| (0u16..).zip(&scene.deals).find(|(_, deal)| u32::from(deal.rank) == code >> 16);
        let best = std::mem::take(&mut self.best);
        let mut codes = best.iter().copied();
        let mut next = vec![0; level.len()];
        let mut used: DealSet = 0;
        for (k, kind) in scene.lanes.iter().enumerate() {
            next.copy_from_slice(&level);
            match kind {
                LaneKind::Order => {
                    let Some((number, deal)) = codes.next().filter(|code| *code != NONE).and_then(|code| {
                        let (number, deal) = numbered(code)?;
                        Some(((number, code & 0xffff), deal))
                    }) else {
                        solution.levels.extend(&next);
                        continue;
                    };
                    let lines = deal.places.of(&scene.places).iter().map(|place| usize::from(place.line));
                    let (amount, list) =
                        lines.fold((0, 0), |(a, l), line| (a + level[line], l + scene.lines[line].list));
                    let last = k + 1 == scene.lanes.len();
                    let mut chosen = None;
                    ways(scene, deal, amount, list, last && deal.budget == i64::MAX, |way| {
                        if u32::from(way.number) == number.1 {
                            chosen = Some(way);
                        }
                    });
                    if let Some(way) = chosen {
                        self.spread.apply(scene, deal, &way, &level, &mut next);
                        used |= 1 << number.0;
                    }
                    for (line, (before, after)) in (0u16..).zip(level.iter().zip(&next)) {
                        if before > after {
                            solution.shares.push(Share { deal: number.0, line, off: before - after });
                        }
                    }
                }
                LaneKind::Item => {
                    let mut has: Vec<Option<u16>> = vec![None; level.len()];
                    for line in &self.by_price {
                        let named = scene.deals.iter().any(|deal| {
                            let places = deal.places.of(&scene.places);
                            usize::from(deal.lane) == k
                                && deal.conflicts & used == 0
                                && places.binary_search_by_key(line, |place| place.line).is_ok_and(|at| {
                                    !deal.effect.is_each()
                                        || share_max(scene, deal, places[at], level[usize::from(*line)]) > 0
                                })
                        });
                        let code = if named { codes.next().unwrap_or(NONE) } else { NONE };
                        has[usize::from(*line)] =
                            if code == NONE { None } else { numbered(code).map(|(number, _)| number) };
                    }
                    self.settle(scene, k, &has, &level, &mut next, &mut solution.shares);
                    has.iter().flatten().for_each(|number| used |= 1 << number);
                }
            }
            level.copy_from_slice(&next);
            solution.levels.extend(&level);
        }
        self.best = best;
    }

    /// What an item lane takes off, where each line has one deal or none; pushes the shares.
    pub(crate) fn settle(
        &mut self,
        scene: &Scene,
        k: usize,
        has: &[Option<u16>],
        from: &[i64],
        to: &mut [i64],
        shares: &mut Vec<Share>,
    ) {
        let mut row = std::mem::take(&mut self.rows[k]);
        for (number, deal) in (0u16..).zip(&scene.deals) {
            if usize::from(deal.lane) != k || !has.contains(&Some(number)) {
                continue;
            }
            let places = deal.places.of(&scene.places);
            row.taken.clear();
            row.taken.extend(places.iter().filter(|place| has[usize::from(place.line)] == Some(number)));
            if let crate::deal::Effect::Each { how, pieces_max } = deal.effect {
                row.offs.clear();
                row.offs.extend(row.taken.iter().map(|place| {
                    let line = usize::from(place.line);
                    off_line(how, pieces_max, from[line], &scene.lines[line])
                }));
            } else {
                self.work.group(scene, deal, &row.taken, from, &mut row.offs);
            }
            for (place, off) in row.taken.iter().zip(&row.offs) {
                if *off > 0 {
                    to[usize::from(place.line)] -= off;
                    shares.push(Share { deal: number, line: place.line, off: *off });
                }
            }
        }
        self.rows[k] = row;
    }
}

/// The lines that a deal has, in the order of the cart.
fn take(row: &mut Row, number: u16) {
    row.taken.clear();
    row.taken
        .extend(row.chosen.iter().flatten().filter(|(deal, _)| *deal == number).map(|(_, place)| *place));
}
