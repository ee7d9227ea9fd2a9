//! What the order lanes after the last item lane leave to pay, reckoned to the unit from what is left to pay before them.
//!
//! Offers of all lines ask for nothing but that sum. An offer of some lines alone also asks what is left to pay of these: so the
//! combinations fall into those without any such offer, and those with one, for each of them.

use crate::bound::Bounds;
use crate::deal::{Deal, DealSet, Scene};
use crate::order::{only_best, ways};

/// Combinations of order lanes: without an offer of some lines alone, or with a given one.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail {
    /// The deals that may apply.
    deals: DealSet,
    /// The offer of some lines, as a number.
    pub(super) of: Option<u16>,
    /// Its lines; empty where there is none.
    pub(super) counted: Vec<bool>,
    n_counted: i64,
    pub(super) bounds: Bounds,
}

impl Tail {
    /// All of a cart, where lanes after `k` are order lanes; deals that do not go with those `used` do not apply.
    pub(super) fn all(scene: &Scene, k: usize, used: DealSet) -> Vec<Self> {
        let (mut whole, mut some): (DealSet, Vec<u16>) = (0, Vec::new());
        for (number, deal) in (0u16..).zip(&scene.deals) {
            if usize::from(deal.lane) > k && deal.conflicts & used == 0 {
                match deal.whole {
                    true => whole |= 1 << number,
                    false => some.push(number),
                }
            }
        }
        let mut all = vec![Self::made(scene, whole, None)];
        for number in &some {
            let lane = scene.deals[usize::from(*number)].lane;
            let others = some.iter().filter(|other| scene.deals[usize::from(**other)].lane != lane);
            let with: DealSet = others.fold(1 << number, |with, other| with | 1 << other);
            let of_lane = |deals: DealSet| -> DealSet {
                let kept = (0..scene.deals.len()).filter(|other| scene.deals[*other].lane != lane);
                kept.fold(0, |all, other| all | (deals & 1 << other))
            };
            all.push(Self::made(scene, of_lane(whole) | with, Some(*number)));
        }
        all
    }

    fn made(scene: &Scene, deals: DealSet, of: Option<u16>) -> Self {
        let mut bounds = Bounds::default();
        let lists: Vec<i64> = scene.lines.iter().map(|line| line.list).collect();
        bounds.prepare_of(scene, &lists, false, deals);
        let mut tail = Self { deals, of, bounds, ..Self::default() };
        if let Some(number) = of {
            tail.counted = vec![false; scene.lines.len()];
            for place in scene.deals[usize::from(number)].places.of(&scene.places) {
                tail.counted[usize::from(place.line)] = true;
                tail.n_counted += 1;
            }
        }
        tail
    }

    /// The least that is left to pay after lanes from `lane` on where before them it is `payable`, of which at most `amount` of the lines
    /// that are counted; nothing (`i64::MAX`) where the offer of these cannot apply.
    pub(super) fn least(&self, scene: &Scene, lane: usize, payable: i64, amount: i64) -> i64 {
        if lane >= scene.lanes.len() {
            return payable;
        }
        let own = self.of.filter(|number| usize::from(scene.deals[usize::from(*number)].lane) == lane);
        if let Some(number) = own {
            let deal = &scene.deals[usize::from(number)];
            return self.with(scene, lane, deal, payable, amount);
        }
        let is_last = lane + 1 == scene.lanes.len();
        let mut least = self.least(scene, lane + 1, payable, amount);
        let list = scene.lines.iter().map(|line| line.list).sum();
        for (number, deal) in scene.deals.iter().enumerate() {
            if usize::from(deal.lane) != lane || self.deals & 1 << number == 0 {
                continue;
            }
            if !deal.whole {
                least = least.min(self.with(scene, lane, deal, payable, i64::MAX));
                continue;
            }
            let is_all = ways(scene, deal, payable, list, only_best(deal, is_last, false), |way| {
                if way.off <= deal.budget {
                    // By largest remainder each line bears its share, but for less than a unit.
                    let share = i128::from(way.off) * i128::from(amount) / i128::from(payable.max(1));
                    let share = i64::try_from(share).unwrap_or(0) - self.n_counted;
                    let amount = amount - share.max(0);
                    least = least.min(self.least(scene, lane + 1, payable - way.off, amount));
                }
            });
            if !is_all {
                least = least.min(self.bounds.after(scene, lane, payable, payable));
            }
        }
        least
    }

    /// The same with an offer of some lines, of which at most `amount` is left to pay.
    fn with(&self, scene: &Scene, lane: usize, deal: &Deal, payable: i64, amount: i64) -> i64 {
        let lines = deal.places.of(&scene.places).iter();
        let list: i64 = lines.map(|place| scene.lines[usize::from(place.line)].list).sum();
        let is_last = lane + 1 == scene.lanes.len();
        let mut most = 0;
        ways(scene, deal, amount.min(list).min(payable), list, true, |way| most = way.off);
        match (most, is_last) {
            (0, _) => i64::MAX,
            (most, true) => payable - most.min(deal.budget),
            // Of less than that amount it takes less, which a later lane may want.
            (most, false) => self.bounds.after(scene, lane + 1, (payable - most).max(0), payable),
        }
    }

    /// The least that must be left to pay of the lines that are counted, where of all lines at least `payable` is, so that less than `cutoff`
    /// may be left in the end.
    pub(super) fn wanted(&self, scene: &Scene, k: usize, payable: i64, cutoff: i64) -> i64 {
        let Some(number) = self.of else { return 0 };
        let deal = &scene.deals[usize::from(number)];
        let spend = deal.spend(scene);
        let lane = usize::from(deal.lane);
        let others = scene.deals.iter().enumerate().filter(|(other, deal)| {
            self.deals >> other & 1 == 1 && !deal.whole && usize::from(deal.lane) < lane
        });
        let before = (k + 1..lane).filter(|before| {
            let mut deals = scene.deals.iter().enumerate();
            deals.any(|(other, deal)| self.deals >> other & 1 == 1 && usize::from(deal.lane) == *before)
        });
        let n_lanes = i64::try_from(before.count()).unwrap_or(0);
        if lane + 1 < scene.lanes.len() || n_lanes == 0 || others.count() > 0 {
            return spend;
        }
        // What is left of all before its lane is less than so much; of its lines no more than their part of that, and a unit a line and lane.
        let lines = deal.places.of(&scene.places).iter();
        let list: i64 = lines.map(|place| scene.lines[usize::from(place.line)].list).sum();
        let mut most = 0;
        ways(scene, deal, list, list, true, |way| most = way.off);
        let before = i128::from(cutoff.saturating_add(most).max(1));
        let least = i128::from((spend - n_lanes * self.n_counted).max(0)) * i128::from(payable) / before;
        i64::try_from(least).unwrap_or(spend).max(spend)
    }
}

impl Deal {
    /// So much must at least be left to pay of the lines of an order deal for it to apply.
    fn spend(&self, scene: &Scene) -> i64 {
        match self.effect {
            crate::deal::Effect::Steps(steps) => {
                let steps = steps.of(&scene.steps).iter();
                steps.map(|step| if step.by_list { 1 } else { step.spend }).min().unwrap_or(1)
            }
            crate::deal::Effect::Every { every, by_list: false, .. } => every,
            _ => 1,
        }
    }
}
