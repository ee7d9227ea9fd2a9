//! The first combination that comes: lanes in their order, in each the offers in the playbook's. For tills that ask very
//! often, and to compare with what others do; [`crate::exact`] is never dearer. A search that takes long is held against the best
//! of several such orders.

use crate::deal::{Deal, DealSet, Effect, LaneKind, Place, Scene};
use crate::exact::{Search, Share, Solution};
use crate::item::off_line;
use crate::order::{Way, only_best, ways};
use crate::purse::Purse;

impl Search {
    /// Applies what applies, in the playbook's order.
    pub(crate) fn greedy(&mut self, scene: &Scene, solution: &mut Solution) {
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        order.extend((0u16..).take(scene.deals.len()));
        arrange(scene, &mut order);
        self.in_order(scene, &order, &[], solution);
        self.order = order;
    }

    /// Climbs from the playbook's order, already solved in `best`, to what leaves less to pay: with an offer before all others, with one
    /// left out, or with a line kept from an offer of several. `may_go_on` is asked before each try.
    pub(crate) fn climb(
        &mut self,
        scene: &Scene,
        best: &mut Solution,
        mut may_go_on: impl FnMut(&mut Self) -> bool,
    ) {
        let mut order: Vec<u16> = self.order.clone();
        let mut kept: Vec<DealSet> = vec![0; scene.lines.len()];
        let (mut tried, mut found) = (order.clone(), Solution::default());
        loop {
            let before = best.payable;
            for (number, deal) in (0u16..).zip(&scene.deals) {
                for is_first in [true, false] {
                    if !may_go_on(self) {
                        return;
                    }
                    tried.clear();
                    tried.extend(is_first.then_some(number));
                    tried.extend(order.iter().copied().filter(|other| *other != number));
                    arrange(scene, &mut tried);
                    self.in_order(scene, &tried, &kept, &mut found);
                    if found.payable < best.payable {
                        std::mem::swap(best, &mut found);
                        std::mem::swap(&mut order, &mut tried);
                    }
                }
                let places = if deal.effect.is_each() { &[] } else { deal.places.of(&scene.places) };
                for place in places {
                    if !may_go_on(self) {
                        return;
                    }
                    kept[usize::from(place.line)] ^= 1 << number;
                    self.in_order(scene, &order, &kept, &mut found);
                    if found.payable < best.payable {
                        std::mem::swap(best, &mut found);
                    } else {
                        kept[usize::from(place.line)] ^= 1 << number;
                    }
                }
            }
            if best.payable == before {
                return;
            }
        }
    }

    /// Applies what applies of some deals, in this order; `kept` are for each line the deals it is kept from (none, where it is empty). A
    /// deal of several lines is of every line that no other has: where one is kept from it and has no other, nothing is
    /// found, and all there is is to pay.
    fn in_order(&mut self, scene: &Scene, order: &[u16], kept: &[DealSet], solution: &mut Solution) {
        solution.shares.clear();
        solution.levels.clear();
        let n = scene.lines.len();
        let steps_before = self.work.steps;
        solution.levels.extend(scene.lines.iter().map(|line| line.list));
        let floors = scene.lines.iter().any(|line| line.floor > 0);
        let mut used: DealSet = 0;
        let mut is_sound = true;
        let mut purse = Purse::of(scene);
        let mut has = std::mem::take(&mut self.has);
        for (k, kind) in scene.lanes.iter().enumerate() {
            let before = k * n;
            solution.levels.extend_from_within(before..before + n);
            let (from, to) = solution.levels.split_at_mut(before + n);
            let from = &from[before..];
            has.clear();
            has.resize(n, false);
            let used_before = used;
            for number in order.iter().copied() {
                let deal = &scene.deals[usize::from(number)];
                if usize::from(deal.lane) != k || deal.conflicts & used != 0 {
                    continue;
                }
                let places = deal.places.of(&scene.places);
                let is_open = |has: &[bool], place: &Place| {
                    let line = usize::from(place.line);
                    !has[line] && kept.get(line).is_none_or(|kept| kept & 1 << number == 0)
                };
                let first = solution.shares.len();
                match kind {
                    LaneKind::Order => {
                        if !self.take_order(scene, deal, floors, from, to) {
                            continue;
                        }
                        for (place, off) in places.iter().zip(&self.spread.shares) {
                            if *off > 0 {
                                solution.shares.push(Share { deal: number, line: place.line, off: *off });
                            }
                        }
                        used |= 1 << number;
                        break;
                    }
                    LaneKind::Item => {
                        let (mut sum, mut pieces) = (0, 0);
                        let mut drawn = purse;
                        if let Effect::Each { how, pieces_max } = deal.effect {
                            for place in places.iter().filter(|place| is_open(&has, place)) {
                                let line = usize::from(place.line);
                                let off = off_line(how, pieces_max, from[line], &scene.lines[line]);
                                if off > 0 {
                                    sum += off;
                                    pieces += scene.lines[line].pieces.min(pieces_max);
                                    solution.shares.push(Share { deal: number, line: place.line, off });
                                }
                            }
                        } else {
                            let mut taken = std::mem::take(&mut self.taken);
                            let mut offs = std::mem::take(&mut self.offs);
                            taken.clear();
                            taken.extend(places.iter().filter(|place| is_open(&has, place)));
                            sum = self.work.group(scene, &purse.within(deal), &taken, from, &mut offs);
                            pieces = self.work.pieces;
                            drawn.take(deal, pieces);
                            let shares = taken.iter().zip(&offs).filter(|(_, off)| **off > 0);
                            let shares = shares.map(|(place, off)| Share {
                                deal: number,
                                line: place.line,
                                off: *off,
                            });
                            solution.shares.extend(shares);
                            if sum > 0 && sum <= deal.budget && pieces <= deal.budget_pieces {
                                taken.iter().for_each(|place| has[usize::from(place.line)] = true);
                            }
                            (self.taken, self.offs) = (taken, offs);
                        }
                        if sum <= 0 || sum > deal.budget || pieces > deal.budget_pieces {
                            solution.shares.truncate(first);
                            continue;
                        }
                        purse = drawn;
                        for share in &solution.shares[first..] {
                            to[usize::from(share.line)] -= share.off;
                            has[usize::from(share.line)] = true;
                        }
                        used |= 1 << number;
                    }
                }
            }
            let of_lane = used & !used_before;
            is_sound &= kept.iter().zip(&has).all(|(kept, has)| *has || kept & of_lane == 0);
        }
        self.has = has;
        solution.payable = match is_sound {
            true => solution.levels[scene.lanes.len() * n..].iter().sum(),
            false => i64::MAX,
        };
        (solution.exact, solution.bound) = (false, 0);
        solution.points_spent = purse.spent;
        solution.steps = self.work.steps - steps_before;
    }

    /// Applies the way of an order deal that takes most off, floors and budget counted; false where none takes anything.
    fn take_order(&mut self, scene: &Scene, deal: &Deal, floors: bool, from: &[i64], to: &mut [i64]) -> bool {
        let (mut amount, mut list) = (0, 0);
        for place in deal.places.of(&scene.places) {
            amount += from[usize::from(place.line)];
            list += scene.lines[usize::from(place.line)].list;
        }
        let spread = &mut self.spread;
        let (mut best, mut most): (Option<Way>, i64) = (None, 0);
        ways(scene, deal, amount, list, only_best(deal, true, floors), |way| {
            // What it takes off may be less than what it says, by floors alone.
            if way.off <= most {
                return;
            }
            let off = if floors { spread.apply(scene, deal, &way, from, to) } else { way.off };
            if off > most && off <= deal.budget {
                (best, most) = (Some(way), off);
            }
        });
        let Some(way) = best else {
            to.copy_from_slice(from);
            return false;
        };
        spread.apply(scene, deal, &way, from, to);
        true
    }
}

/// Puts the deals that draw on the purse among themselves in the order of their ranks, so that what each gets does not depend on the
/// order of the others.
pub(crate) fn arrange(scene: &Scene, order: &mut [u16]) {
    let draws = |number: u16| matches!(scene.deals[usize::from(number)].effect, Effect::AddOn { .. });
    if order.iter().filter(|number| draws(**number)).count() > 1 {
        let mut drawing: Vec<u16> = order.iter().copied().filter(|number| draws(*number)).collect();
        drawing.sort_unstable_by_key(|number| scene.deals[usize::from(*number)].rank);
        let places = order.iter_mut().filter(|number| draws(**number));
        places.zip(drawing).for_each(|(place, number)| *place = number);
    }
}
