//! The first combination that comes: lanes in their order, in each the offers in the playbook's. For tills that ask very
//! often, and to compare with what others do; [`crate::exact`] is never dearer.

use crate::deal::{DealSet, Effect, LaneKind, Scene};
use crate::exact::{Search, Share, Solution};
use crate::item::off_line;
use crate::order::ways;

impl Search {
    /// Applies what applies, in the playbook's order.
    pub(crate) fn greedy(&mut self, scene: &Scene, solution: &mut Solution) {
        self.work.steps = 0;
        solution.shares.clear();
        solution.levels.clear();
        let n = scene.lines.len();
        solution.levels.extend(scene.lines.iter().map(|line| line.list));
        let mut used: DealSet = 0;
        let mut has = std::mem::take(&mut self.has);
        for (k, kind) in scene.lanes.iter().enumerate() {
            let before = k * n;
            solution.levels.extend_from_within(before..before + n);
            let (from, to) = solution.levels.split_at_mut(before + n);
            let from = &from[before..];
            has.clear();
            has.resize(n, false);
            for (number, deal) in (0u16..).zip(&scene.deals) {
                if usize::from(deal.lane) != k || deal.conflicts & used != 0 {
                    continue;
                }
                let places = deal.places.of(&scene.places);
                let first = solution.shares.len();
                match kind {
                    LaneKind::Order => {
                        let (mut amount, mut list) = (0, 0);
                        for place in places {
                            amount += from[usize::from(place.line)];
                            list += scene.lines[usize::from(place.line)].list;
                        }
                        let mut best = None;
                        ways(scene, deal, amount, list, true, |way| best = Some(way));
                        let Some(way) = best.filter(|way| way.off <= deal.budget) else { continue };
                        if self.spread.apply(scene, deal, &way, from, to) <= 0 {
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
                        let mut sum = 0;
                        if let Effect::Each { how, pieces_max } = deal.effect {
                            for place in places.iter().filter(|place| !has[usize::from(place.line)]) {
                                let line = usize::from(place.line);
                                let off = off_line(how, pieces_max, from[line], &scene.lines[line]);
                                if off > 0 {
                                    sum += off;
                                    solution.shares.push(Share { deal: number, line: place.line, off });
                                }
                            }
                        } else {
                            let mut taken = std::mem::take(&mut self.taken);
                            let mut offs = std::mem::take(&mut self.offs);
                            taken.clear();
                            taken.extend(places.iter().filter(|place| !has[usize::from(place.line)]));
                            sum = self.work.group(scene, deal, &taken, from, &mut offs);
                            let shares = taken.iter().zip(&offs).filter(|(_, off)| **off > 0);
                            let shares = shares.map(|(place, off)| Share {
                                deal: number,
                                line: place.line,
                                off: *off,
                            });
                            solution.shares.extend(shares);
                            if sum > 0 && sum <= deal.budget {
                                taken.iter().for_each(|place| has[usize::from(place.line)] = true);
                            }
                            (self.taken, self.offs) = (taken, offs);
                        }
                        if sum <= 0 || sum > deal.budget {
                            solution.shares.truncate(first);
                            continue;
                        }
                        for share in &solution.shares[first..] {
                            to[usize::from(share.line)] -= share.off;
                            has[usize::from(share.line)] = true;
                        }
                        used |= 1 << number;
                    }
                }
            }
        }
        self.has = has;
        solution.payable = solution.levels[scene.lanes.len() * n..].iter().sum();
        (solution.exact, solution.bound) = (false, 0);
        solution.steps = self.work.steps;
    }
}
