//! What is left to pay at the least, whatever lanes to come may take off: never more than it turns out to be.
//!
//! A bound goes from lane to lane: of an order lane the offer that leaves least, of an item lane the most that each line may
//! lose. A threshold is taken at its word: where an offer of a later lane needs so much to be left to pay, then so much
//! *is* left to pay.

use crate::deal::{Deal, DealSet, Effect, Gain, LaneKind, Scene};
use crate::item::Most;
use crate::order::ways;

/// What an order deal may take off, as far as a bound can know.
#[derive(Clone, Copy, Debug)]
enum Reach {
    /// Of all lines: a gain, where so much is left to pay.
    Step { spend: i64, gain: Gain },
    /// Of all lines: so much for every so much.
    Every { every: i64, off: i64, times_max: i64, off_max: i64 },
    /// Of some lines: at most so much.
    Some(i64),
}

/// Bounds of one cart's lanes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bounds {
    reaches: Vec<Reach>,
    /// For each lane: what item deals take at most, and where its reaches begin.
    lanes: Vec<(i64, usize)>,
    /// What the floors come to.
    floor: i64,
    shares: Vec<i64>,
}

impl Bounds {
    /// Of a cart whose lines come to `lists`, with floors or without.
    pub(crate) fn prepare(&mut self, scene: &Scene, lists: &[i64], floors: bool) {
        self.prepare_of(scene, lists, floors, DealSet::MAX);
    }

    /// The same, where only some deals may apply.
    pub(crate) fn prepare_of(&mut self, scene: &Scene, lists: &[i64], floors: bool, deals: DealSet) {
        self.reaches.clear();
        self.lanes.clear();
        self.floor = scene.lines.iter().map(|line| line.floor).sum();
        let list: i64 = lists.iter().sum();
        for (k, kind) in scene.lanes.iter().enumerate() {
            let from = self.reaches.len();
            let of_lane = scene.deals.iter().enumerate();
            let of_lane =
                of_lane.filter(|(number, deal)| usize::from(deal.lane) == k && deals >> number & 1 == 1);
            let of_lane = of_lane.map(|(_, deal)| deal);
            let share = match kind {
                LaneKind::Item => {
                    self.shares.clear();
                    self.shares.resize(scene.lines.len(), 0);
                    for deal in of_lane {
                        let most = match deal.effect.is_each() {
                            true => Most::Shares,
                            false => Most::of(scene, deal, lists, floors),
                        };
                        for place in deal.places.of(&scene.places) {
                            let line = usize::from(place.line);
                            let share = most.line(scene, deal, *place, lists[line]);
                            self.shares[line] = self.shares[line].max(share);
                        }
                    }
                    self.shares.iter().sum()
                }
                LaneKind::Order => {
                    of_lane.for_each(|deal| self.reach(scene, deal, list));
                    0
                }
            };
            self.lanes.push((share, from));
        }
        self.lanes.push((0, self.reaches.len()));
    }

    fn reach(&mut self, scene: &Scene, deal: &Deal, list: i64) {
        if !deal.whole {
            let places = deal.places.of(&scene.places);
            let amount = places.iter().map(|place| scene.lines[usize::from(place.line)].list).sum();
            let mut most = 0;
            ways(scene, deal, amount, amount, true, |way| most = way.off);
            return self.reaches.push(Reach::Some(most));
        }
        match deal.effect {
            Effect::Steps(steps) => {
                for step in steps.of(&scene.steps) {
                    match step.by_list {
                        false => self.reaches.push(Reach::Step { spend: step.spend, gain: step.gain }),
                        true if list >= step.spend => {
                            self.reaches.push(Reach::Step { spend: 0, gain: step.gain })
                        }
                        true => {}
                    }
                }
            }
            Effect::Every { every, off, times_max, off_max, by_list: false } if off <= every => {
                self.reaches.push(Reach::Every { every, off, times_max, off_max });
            }
            Effect::Every { every, off, times_max, off_max, .. } => {
                let most = off.saturating_mul((list / every).min(times_max)).min(off_max);
                self.reaches.push(Reach::Some(most));
            }
            _ => {}
        }
    }

    /// How much it costs to ask, in steps of 64.
    pub(crate) const fn cost(&self) -> usize {
        self.reaches.len()
    }

    /// What the floors come to: nothing at all is combined to less.
    pub(crate) const fn floor(&self) -> i64 {
        self.floor
    }

    /// What is left to pay at the least after lanes from `k` on, where before them it is at least `low` and at most `high`.
    pub(crate) fn after(&self, scene: &Scene, k: usize, low: i64, high: i64) -> i64 {
        let mut low = low;
        for lane in k..scene.lanes.len() {
            let (share, from) = self.lanes[lane];
            low = (low - share).max(0);
            let mut least = low;
            for reach in &self.reaches[from..self.lanes[lane + 1].1] {
                let left = match *reach {
                    Reach::Step { spend, .. } if spend > high => continue,
                    Reach::Step { spend, gain } => {
                        let base = low.max(spend);
                        base - gain.of(base)
                    }
                    Reach::Every { every, off, times_max, off_max } => {
                        let times = (low / every).min(times_max);
                        let left = low - (off * times).min(off_max);
                        let more = (times + 1) * every;
                        if times < times_max && more <= high {
                            left.min(more - (off * (times + 1)).min(off_max))
                        } else {
                            left
                        }
                    }
                    Reach::Some(most) => (low - most).max(0),
                };
                least = least.min(left);
            }
            low = least;
        }
        low.max(self.floor)
    }
}
