//! The best combination, by branch and bound.
//!
//! Lanes are decided in their order, lines of an item lane from the dearest on. A branch is left where even the least that it
//! may come to ([`Bounds`]) is no better than the best found. Best is what leaves least to pay; where that is the same, what
//! takes fewer coupons; then, choice by choice, the offer whose coupon expires earlier, then the smaller id. So there is one
//! best combination, whatever order offers are in.
//!
//! In an item lane an offer of several lines is of every line it names that no other offer of that lane has: that is the rule,
//! and without floors a line that is cheap takes nothing from it.
//!
//! Where that comes to no end soon, the last item lane is decided part by part ([`deep`]), which proves what the least is; then the plain
//! search goes on against it, for the sake of ties.
//!
//! The search ends after so many branches, whatever it has found. What the playbook's order comes to (`greedy`) is what it is held
//! against from [`SEED_AFTER`] on, and the answer where the search has found nothing better by its end.

mod aim;
mod all;
mod deep;
mod hit;
mod machine;
#[cfg(test)]
mod proof;
mod relax;
mod tail;
mod thought;

use crate::bound::Bounds;
use crate::deal::{Deal, DealSet, Effect, LaneKind, Place, Scene};
use crate::greedy::arrange;
use crate::item::{Most, Working};
use crate::order::{Spreading, Way, only_best, ways};
use crate::purse::Purse;
use relax::Asked;

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
    /// Points that exchanges cost.
    pub(crate) points_spent: i64,
    /// How many steps were made.
    pub(crate) steps: u64,
}

/// "No offer", as the last of all choices.
pub(crate) const NONE: u32 = u32::MAX;
/// After so many branches the playbook's order is asked what it comes to. Most searches are over long before; those of the proof are
/// small, and asked soon.
const SEED_AFTER: u64 = if cfg!(test) { 20 } else { 20_000 };
/// The most lines that all lanes together decide one by one: each lies on the stack while the search is below it.
const DEPTH_MAX: usize = 2_000;
/// Where nothing can leave less to pay, so many branches more are looked at for what leaves the same with fewer coupons, or is named first.
const TIES_MAX: u64 = 40_000;

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
pub(crate) struct Row {
    /// Lines that a deal of the lane is of, from the dearest on, and where their choices are.
    lines: Vec<(u16, u32, u32)>,
    choices: Vec<Choice>,
    /// How it is reckoned what each deal of several lines may take.
    mosts: Vec<Most>,
    /// Lines decided so far that each deal has.
    has: Vec<u16>,
    /// Lines that a deal of several lines might have had, and that have none.
    shunned: Vec<u16>,
    /// What each line has.
    chosen: Vec<Option<(u16, Place)>>,
    pub(crate) taken: Vec<Place>,
    pub(crate) offs: Vec<i64>,
}

/// The search. Kept from cart to cart: nothing is allocated once it is large enough.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    pub(crate) work: Working,
    pub(crate) spread: Spreading,
    bounds: Bounds,
    pub(crate) rows: Vec<Row>,
    levels: Vec<Vec<i64>>,
    ways: Vec<Vec<(i64, u16, u16, Way)>>,
    pub(crate) by_price: Vec<u16>,
    /// The deals in the playbook's order, but those that draw on the purse among themselves by their ranks.
    pub(crate) order: Vec<u16>,
    purse: Purse,
    /// Room of the greedy way: lines that have an offer of the lane, and an offer's lines.
    pub(crate) has: Vec<bool>,
    pub(crate) taken: Vec<Place>,
    pub(crate) offs: Vec<i64>,
    path: Vec<u32>,
    pub(crate) best: Vec<u32>,
    best_payable: i64,
    best_coupons: u32,
    /// What the playbook's order comes to, once it was asked.
    seed: Solution,
    ceiling: i64,
    /// From this lane on only sums matter.
    flat_from: usize,
    pub(crate) floors: bool,
    list: i64,
    nodes: u64,
    nodes_max: u64,
    complete: bool,
    /// Whether every way of every deal was tried.
    all_tried: bool,
    /// Whether item lanes are decided part by part.
    is_deep: bool,
    /// The last item lane that has a deal.
    last_item: usize,
}

impl Search {
    /// The best combination, looking at no more than so many branches.
    pub(crate) fn solve(&mut self, scene: &Scene, nodes_max: u64, solution: &mut Solution) {
        self.prepare(scene, nodes_max);
        let bound = self.bounds.after(scene, 0, self.list, self.list);
        let mut proven = false;
        if self.depth(scene) <= DEPTH_MAX {
            self.nodes_max = nodes_max.min(SEED_AFTER);
            self.lane(scene, 0, self.list, 0, 0);
            self.nodes_max = nodes_max;
            if !self.complete && self.nodes < nodes_max {
                proven = self.dive(scene);
            }
        } else {
            self.complete = false;
        }
        if !self.complete {
            self.sow(scene);
        }
        if self.ceiling < self.best_payable {
            solution.clone_from(&self.seed);
        } else {
            solution.payable = self.best_payable;
            self.replay(scene, solution);
        }
        solution.exact = (self.complete || proven) && self.all_tried;
        solution.bound = if solution.exact { solution.payable } else { bound };
        solution.steps = self.nodes + self.work.steps;
    }

    /// Goes on where the plain search came to no end: part by part, then plainly again, against the best that was found. Whether it is
    /// proven that nothing leaves less to pay.
    fn dive(&mut self, scene: &Scene) -> bool {
        self.sow(scene);
        (self.complete, self.is_deep) = (true, true);
        self.lane(scene, 0, self.list, 0, 0);
        let proven = self.complete;
        let more = if proven { TIES_MAX } else { u64::MAX };
        let nodes_max = self.nodes_max;
        self.nodes_max = nodes_max.min(self.nodes.saturating_add(more));
        (self.complete, self.is_deep) = (true, false);
        self.lane(scene, 0, self.list, 0, 0);
        self.nodes_max = nodes_max;
        proven
    }

    /// What the floors of the cart solved last come to.
    pub(crate) const fn floor(&self) -> i64 {
        self.bounds.floor()
    }

    /// How many lines all item lanes decide at most, one after the other.
    fn depth(&self, scene: &Scene) -> usize {
        let of_lane = |k: usize| {
            let deals = scene.deals.iter().filter(|deal| usize::from(deal.lane) == k);
            deals
                .map(|deal| (deal.places.to - deal.places.from) as usize)
                .sum::<usize>()
                .min(scene.lines.len())
        };
        let items = (0..scene.lanes.len()).filter(|k| scene.lanes[*k] == LaneKind::Item);
        items.map(of_lane).sum()
    }

    /// Asks what the playbook's order comes to, and orders near it: the search need not look for worse.
    fn sow(&mut self, scene: &Scene) {
        if self.ceiling == i64::MAX {
            let mut seed = std::mem::take(&mut self.seed);
            self.greedy(scene, &mut seed);
            let nodes_each = 1 + (scene.lines.len() * scene.deals.len() / 64) as u64;
            self.climb(scene, &mut seed, |search| {
                search.nodes += nodes_each;
                search.nodes < search.nodes_max / 2
            });
            self.ceiling = seed.payable;
            self.seed = seed;
        }
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
        (self.best_payable, self.best_coupons, self.ceiling) = (i64::MAX, 0, i64::MAX);
        self.purse = Purse::of(scene);
        self.order.clear();
        self.order.extend((0u16..).take(scene.deals.len()));
        arrange(scene, &mut self.order);
        self.best.clear();
        self.path.clear();
        self.is_deep = false;
        let is_item = |deal: &Deal| scene.lanes[usize::from(deal.lane)] == LaneKind::Item;
        let items = scene.deals.iter().filter(|deal| is_item(deal));
        self.last_item = items.map(|deal| usize::from(deal.lane)).max().unwrap_or(0);
        self.floors = scene.lines.iter().any(|line| line.floor > 0);
        self.list = scene.lines.iter().map(|line| line.list).sum();
        self.levels.resize_with(scene.lanes.len() + 1, Vec::new);
        for level in &mut self.levels {
            level.clear();
            level.extend(scene.lines.iter().map(|line| line.list));
        }
        self.bounds.prepare(scene, &self.levels[0], self.floors);
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
        if !self.floors {
            while self.flat_from > 0 && sums_only(self.flat_from - 1) {
                self.flat_from -= 1;
            }
        }
    }

    /// Whether a branch that comes to at least `least` need not be looked at.
    fn hopeless(&self, least: i64, coupons: u32) -> bool {
        if least != self.best_payable {
            return least > self.best_payable.min(self.ceiling);
        }
        coupons > self.best_coupons
            || (coupons == self.best_coupons
                && self.path[..] > self.best[..self.path.len().min(self.best.len())])
    }

    fn spent(&mut self, scene: &Scene) -> bool {
        self.nodes += 1;
        if self.nodes > SEED_AFTER {
            self.sow(scene);
        }
        if self.nodes > self.nodes_max {
            self.complete = false;
        }
        !self.complete
    }

    /// What it costs to ask the bounds about so many choices, in branches; hardly ever one.
    fn weigh(&mut self, choices: usize) {
        self.nodes += (choices * (16 + self.bounds.cost()) / 1024) as u64;
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
        if self.spent(scene) {
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
        let is_last = k + 1 == scene.lanes.len();
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
            self.all_tried &= ways(scene, deal, amount, list, only_best(deal, is_last, self.floors), |way| {
                found.push((-way.off, deal.rank, number, way));
            });
        }
        found.sort_unstable_by_key(|(off, rank, _, way)| (*off, *rank, way.number));
        self.weigh(found.len());
        for (_, rank, number, way) in &found {
            if !self.complete {
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
        let low = payable - self.ask(scene, k, &mut row, used);
        if self.is_deep && k == self.last_item {
            self.deep_lane(scene, k, &mut row, payable, used, coupons);
            self.rows[k] = row;
            return;
        }
        let (from, to) = self.levels.split_at_mut(k + 1);
        to[0].copy_from_slice(&from[k]);
        self.line(scene, k, &mut row, 0, (low, payable), used, coupons);
        self.rows[k] = row;
    }

    /// Writes down the lines of an item lane with their choices. Gives what they may lose at most, each for itself.
    fn ask(&mut self, scene: &Scene, k: usize, row: &mut Row, used: DealSet) -> i64 {
        row.lines.clear();
        row.choices.clear();
        for counts in [&mut row.has, &mut row.shunned] {
            counts.clear();
            counts.resize(scene.deals.len(), 0);
        }
        row.chosen.clear();
        row.chosen.resize(scene.lines.len(), None);
        row.mosts.clear();
        row.mosts.extend(scene.deals.iter().map(|deal| {
            let is_open = usize::from(deal.lane) == k && deal.conflicts & used == 0;
            match is_open && !deal.effect.is_each() {
                true => Most::of(scene, deal, &self.levels[k], self.floors),
                false => Most::Shares,
            }
        }));
        let mut most_of_all = 0;
        for line in &self.by_price {
            let from = row.choices.len();
            let left = self.levels[k][usize::from(*line)];
            for (number, deal) in (0u16..).zip(&scene.deals) {
                if usize::from(deal.lane) != k || deal.conflicts & used != 0 {
                    continue;
                }
                let places = deal.places.of(&scene.places);
                let Ok(at) = places.binary_search_by_key(line, |place| place.line) else { continue };
                let reckoned = row.mosts[usize::from(number)];
                let most = reckoned.line(scene, deal, places[at], left);
                let each = deal.effect.is_each();
                if most > 0 || (!each && reckoned != Most::Nothing) {
                    row.choices.push(Choice { deal: number, place: places[at], most, each, rank: deal.rank });
                }
            }
            row.choices[from..].sort_unstable_by_key(|choice| (-choice.most, choice.rank));
            let Some(first) = row.choices.get(from) else { continue };
            most_of_all += first.most;
            let index = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
            row.lines.push((*line, index(from), index(row.choices.len())));
        }
        most_of_all
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
        if self.spent(scene) {
            return;
        }
        self.weigh((to - from) as usize);
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
        self.nodes += (scene.lines.len() * scene.deals.len() / 64) as u64;
        let purse = self.purse;
        let mut payable = payable;
        let mut whole = true;
        for at in 0..self.order.len() {
            let number = self.order[at];
            let deal = &scene.deals[usize::from(number)];
            if usize::from(deal.lane) != k || row.has[usize::from(number)] == 0 {
                continue;
            }
            let (off, pieces) = match deal.effect {
                Effect::Each { pieces_max, .. } if deal.has_budget() => {
                    self.of_deal(scene, k, row, number, pieces_max)
                }
                Effect::Each { .. } => continue,
                _ => {
                    row.take(number);
                    let (taken, mut offs) = (std::mem::take(&mut row.taken), std::mem::take(&mut row.offs));
                    let off = self.draw(scene, deal, &taken, k, &mut offs);
                    for (place, off) in taken.iter().zip(&offs) {
                        self.levels[k + 1][usize::from(place.line)] -= off;
                    }
                    (row.taken, row.offs) = (taken, offs);
                    payable -= off;
                    (off, self.work.pieces)
                }
            };
            whole = off > 0 && off <= deal.budget && pieces <= deal.budget_pieces;
            if !whole {
                break;
            }
        }
        if whole {
            self.lane(scene, k + 1, payable, used, coupons);
        }
        self.purse = purse;
        for (line, _, _) in &row.lines {
            let line = usize::from(*line);
            if row.chosen[line].is_some_and(|(deal, _)| !scene.deals[usize::from(deal)].effect.is_each()) {
                self.levels[k + 1][line] = self.levels[k][line];
            }
        }
    }

    /// What a deal of several lines takes off those it has, drawing on the purse.
    fn draw(&mut self, scene: &Scene, deal: &Deal, taken: &[Place], k: usize, offs: &mut Vec<i64>) -> i64 {
        if !matches!(deal.effect, Effect::AddOn { .. }) {
            return self.work.group(scene, deal, taken, &self.levels[k], offs);
        }
        let within = self.purse.within(deal);
        let off = self.work.group(scene, &within, taken, &self.levels[k], offs);
        self.purse.take(deal, self.work.pieces);
        off
    }

    /// What a deal of single lines takes off all of its lines, and of how many pieces.
    fn of_deal(&self, scene: &Scene, k: usize, row: &Row, number: u16, pieces_max: i64) -> (i64, i64) {
        let has = |line: &usize| row.chosen[*line].is_some_and(|(deal, _)| deal == number);
        let lines = (0..row.chosen.len()).filter(has);
        lines.fold((0, 0), |(off, pieces), line| {
            let own = self.levels[k][line] - self.levels[k + 1][line];
            (off + own, pieces + scene.lines[line].pieces.min(pieces_max))
        })
    }
}

impl Row {
    /// The lines that a deal has, in the order of the cart.
    fn take(&mut self, number: u16) {
        self.taken.clear();
        let has = self.chosen.iter().flatten().filter(|(deal, _)| *deal == number);
        self.taken.extend(has.map(|(_, place)| *place));
    }

    /// The lines with their choices.
    fn asked(&self) -> impl Iterator<Item = Asked<'_>> {
        self.lines.iter().map(|(line, from, to)| Asked {
            line: *line,
            from: *from,
            choices: &self.choices[*from as usize..*to as usize],
        })
    }
}
