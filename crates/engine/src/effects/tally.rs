//! What is measured of a member, from facts alone, and added up by arms: whole numbers, so nothing is lost and nothing depends on
//! the order.

use std::collections::BTreeMap;

use zhiyin_insight::sums::TooLarge;
use zhiyin_insight::words::Unit;
use zhiyin_insight::{Metric, Sums};
use zhiyin_model::money::Currency;
use zhiyin_model::time::{DAY_US, Ts};

/// Of how many days before the assignment is taken out what they explain (CUPED).
pub const BEFORE_DAYS: i64 = 90;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Whether the goal was reached.
    Goal,
    /// What was paid, less what came back.
    Revenue,
    /// How many orders count.
    Orders,
    /// What the campaign's coupons took off.
    CouponCost,
    /// Margin before what the campaign costs.
    Margin,
    /// Margin after it.
    Net,
    /// Whether anything was bought.
    Back,
    /// Whether the target category was bought.
    Category,
    /// The same, of those who bought anything.
    OfBuyers,
}

/// A measure: what, and within which time of the assignment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    /// Its stable name.
    pub(super) name: &'static str,
    pub(super) what: What,
    pub(super) within_us: i64,
    pub(super) metric: Metric,
}

impl Ask {
    /// What its numbers are counted in.
    pub(super) fn unit(&self, currency: &Currency) -> Unit {
        match self.what {
            What::Goal | What::Back | What::Category | What::OfBuyers => Unit::Share,
            What::Orders => Unit::Count,
            What::Revenue | What::CouponCost | What::Margin | What::Net => {
                Unit::Money(currency.code.clone(), currency.exponent)
            }
        }
    }
}

/// What the brand and whoever asks say of what is measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    /// Within which time revenue, orders and costs count.
    pub(super) within_us: i64,
    /// Whether a target category is asked about.
    pub(super) by_category: bool,
    /// What is earned of what is sold, in hundredths of a percent.
    pub(super) margin: Option<u32>,
    /// What a message costs, in minor units.
    pub(super) send_cost: i64,
    /// So many minor units for so many points.
    pub(super) worth: Option<(i64, i64)>,
}

impl Terms {
    /// What is measured by them.
    pub(super) fn asks(&self) -> Vec<Ask> {
        let ask = |name, what, within_us, metric| Ask { name, what, within_us, metric };
        let (all, week) = (self.within_us, 7 * DAY_US);
        let adjusted = Metric::Mean { adjusted: true };
        let mut asks = vec![
            ask("conversion", What::Goal, all, Metric::Share),
            ask("revenue", What::Revenue, all, adjusted),
            ask("orders", What::Orders, all, adjusted),
            ask("coupon_cost", What::CouponCost, all, Metric::Mean { adjusted: false }),
            ask("back_7d", What::Back, week, Metric::Share),
            ask("back_15d", What::Back, 15 * DAY_US, Metric::Share),
        ];
        if self.by_category {
            asks.push(ask("category_7d", What::Category, week, Metric::Share));
            asks.push(ask("category_of_buyers_7d", What::OfBuyers, week, Metric::Ratio));
        }
        if self.margin.is_some() {
            asks.push(ask("margin", What::Margin, all, adjusted));
            asks.push(ask("net", What::Net, all, adjusted));
        }
        asks
    }

    /// What points are worth, rounded half away from zero; nothing, where the brand does not say.
    pub(super) fn worth_of(&self, points: i64) -> i64 {
        self.worth.map_or(0, |(minor, of)| part(points, minor, of))
    }
}

/// `of × by / whole`, rounded half away from zero.
fn part(of: i64, by: i64, whole: i64) -> i64 {
    let (product, whole) = (i128::from(of) * i128::from(by), i128::from(whole.max(1)));
    let half = if product < 0 { -whole / 2 } else { whole / 2 };
    i64::try_from((product + half) / whole).unwrap_or(if product < 0 { i64::MIN } else { i64::MAX })
}

/// An order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bought {
    pub(super) at: Ts,
    /// What was paid, less what came back.
    pub(super) net: i64,
    /// Whether it counts: it was not cancelled, and did not come back whole.
    pub(super) counts: bool,
    /// Whether something of the target category is in it.
    pub(super) is_target: bool,
}

/// What a member did, and what they were given by the campaign.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) orders: Vec<Bought>,
    /// When the goal was reached, where it is no order.
    pub(super) reached: Vec<Ts>,
    /// Whether the goal is an order.
    pub(super) by_orders: bool,
    /// What the campaign's coupons took off, and when.
    pub(super) given: Vec<(Ts, i64)>,
    /// Points of the campaign.
    pub(super) points: Vec<(Ts, i64)>,
    /// Its messages.
    pub(super) sent: Vec<Ts>,
}

impl Facts {
    /// What a member came to, and what belongs to it ([`Sums`]). What happened at the very instant of the assignment came before.
    pub(super) fn value(&self, ask: &Ask, terms: &Terms, since: Ts) -> (i64, i64) {
        let (until, before) = (since.plus_us(ask.within_us), since.plus_us(-BEFORE_DAYS * DAY_US));
        let is_after = |at: Ts| at > since && at <= until;
        let is_before = |at: Ts| at <= since && at > before;
        let any = |target: bool| {
            let mut bought = self.orders.iter().filter(|order| order.counts && is_after(order.at));
            i64::from(bought.any(|order| order.is_target || !target))
        };
        let sum = |when: &dyn Fn(Ts) -> bool| {
            self.orders.iter().filter(|order| when(order.at)).map(|order| order.net).sum::<i64>()
        };
        let n = |when: &dyn Fn(Ts) -> bool| {
            let counted = self.orders.iter().filter(|order| order.counts && when(order.at));
            i64::try_from(counted.count()).unwrap_or(i64::MAX)
        };
        let off = || self.given.iter().filter(|(at, _)| is_after(*at)).map(|(_, off)| off).sum::<i64>();
        let rate = i64::from(terms.margin.unwrap_or(0));
        let earned = |sold: i64| part(sold, rate, 10_000);
        match ask.what {
            What::Goal if self.by_orders => (any(false), 0),
            What::Goal => (i64::from(self.reached.iter().any(|at| is_after(*at))), 0),
            What::Back => (any(false), 0),
            What::Category => (any(true), 0),
            What::OfBuyers => (any(true), any(false)),
            What::Revenue => (sum(&is_after), sum(&is_before)),
            What::Orders => (n(&is_after), n(&is_before)),
            What::CouponCost => (off(), 0),
            What::Margin => (earned(sum(&is_after) + off()), earned(sum(&is_before))),
            What::Net => {
                let points = self.points.iter().filter(|(at, _)| is_after_or_at(*at, since, until));
                let points = terms.worth_of(points.map(|(_, points)| points).sum());
                let sent = self.sent.iter().filter(|at| is_after_or_at(**at, since, until)).count();
                let sent = i64::try_from(sent).unwrap_or(i64::MAX).saturating_mul(terms.send_cost);
                (earned(sum(&is_after) + off()) - off() - points - sent, earned(sum(&is_before)))
            }
        }
    }
}

/// What the campaign does at the very instant of the assignment is of it.
fn is_after_or_at(at: Ts, since: Ts, until: Ts) -> bool {
    at >= since && at <= until
}

/// An arm's totals, of all its members since they were assigned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) members: u64,
    pub(super) sent: i64,
    pub(super) points: i64,
    pub(super) off: i64,
}

/// Members added up by arms.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// By arm.
    pub(super) arms: Vec<Totals>,
    /// By measure and arm.
    pub(super) sums: Vec<Vec<Sums>>,
    /// By measure: whose time is not over.
    pub(super) waiting: Vec<u64>,
    /// Who was in more than one arm: counted in none.
    pub(super) mixed: u64,
    /// How many were assigned to each arm under which version of the playbook, before any of them turned out to be one person.
    pub(super) drawn: BTreeMap<i64, Vec<u64>>,
}

impl Tally {
    /// Room for so many measures and arms.
    pub(super) fn new(asks: usize, arms: usize) -> Self {
        let mut tally = Self { sums: vec![Vec::new(); asks], waiting: vec![0; asks], ..Self::default() };
        tally.grow(arms);
        tally
    }

    fn grow(&mut self, arms: usize) {
        if self.arms.len() < arms {
            self.arms.resize(arms, Totals::default());
            self.sums.iter_mut().for_each(|sums| sums.resize(arms, Sums::default()));
        }
    }

    /// Somebody was assigned, whoever they turned out to be.
    pub(super) fn drew(&mut self, version: i64, arm: usize) {
        self.grow(arm + 1);
        let found = self.drawn.entry(version).or_default();
        if found.len() <= arm {
            found.resize(arm + 1, 0);
        }
        found[arm] += 1;
    }

    /// A member of an arm since an instant, as of another.
    pub(super) fn add(
        &mut self,
        (arm, since, as_of): (usize, Ts, Ts),
        (asks, terms): (&[Ask], &Terms),
        facts: &Facts,
    ) -> Result<(), TooLarge> {
        self.grow(arm + 1);
        let of = |at: Ts| is_after_or_at(at, since, as_of);
        let totals = &mut self.arms[arm];
        totals.members += 1;
        totals.sent += i64::try_from(facts.sent.iter().filter(|at| of(**at)).count()).unwrap_or(i64::MAX);
        totals.points += facts.points.iter().filter(|(at, _)| of(*at)).map(|(_, points)| points).sum::<i64>();
        totals.off += facts.given.iter().filter(|(at, _)| of(*at)).map(|(_, off)| off).sum::<i64>();
        for (at, ask) in asks.iter().enumerate() {
            if since.plus_us(ask.within_us) > as_of {
                self.waiting[at] += 1;
                continue;
            }
            let (y, x) = facts.value(ask, terms, since);
            self.sums[at][arm].add(y, x)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bought(day: i64, net: i64) -> Bought {
        Bought { at: Ts(day * DAY_US), net, counts: net > 0, is_target: net == 500 }
    }

    fn value(facts: &Facts, terms: &Terms, name: &str) -> (i64, i64) {
        let asks = terms.asks();
        let ask = asks.iter().find(|ask| ask.name == name).unwrap();
        facts.value(ask, terms, Ts(100 * DAY_US))
    }

    #[test]
    fn what_a_member_came_to_counts_after_the_assignment_and_within_the_time() {
        let facts = Facts {
            orders: vec![
                bought(9, 10_000),
                bought(50, 300),
                // What set the campaign off came before it.
                bought(100, 200),
                bought(105, 500),
                bought(110, 0),
                bought(112, 700),
                bought(131, 9_000),
            ],
            by_orders: true,
            given: vec![(Ts(105 * DAY_US), 50), (Ts(90 * DAY_US), 8)],
            points: vec![(Ts(100 * DAY_US), 200)],
            sent: vec![Ts(100 * DAY_US), Ts(101 * DAY_US)],
            ..Facts::default()
        };
        let terms = Terms {
            within_us: 30 * DAY_US,
            by_category: true,
            margin: Some(3_000),
            send_cost: 4,
            worth: Some((100, 100)),
        };
        for (name, expected) in [
            ("conversion", (1, 0)),
            ("revenue", (1_200, 500)),
            ("orders", (2, 2)),
            ("coupon_cost", (50, 0)),
            ("back_7d", (1, 0)),
            ("back_15d", (1, 0)),
            ("category_7d", (1, 0)),
            ("category_of_buyers_7d", (1, 1)),
            // 30 % of 12.50, which is 3.75; less a coupon, points and two messages.
            ("margin", (375, 150)),
            ("net", (375 - 50 - 200 - 8, 150)),
        ] {
            assert_eq!(value(&facts, &terms, name), expected, "{name}");
        }
    }

    #[test]
    fn who_was_assigned_lately_waits_and_arms_grow_as_they_come() {
        let terms = Terms { within_us: 10 * DAY_US, ..Terms::default() };
        let asks = terms.asks();
        let mut tally = Tally::new(asks.len(), 2);
        let facts = Facts { orders: vec![bought(103, 500)], by_orders: true, ..Facts::default() };
        let as_of = Ts(108 * DAY_US);
        tally.add((1, Ts(100 * DAY_US), as_of), (&asks, &terms), &facts).unwrap();
        tally.add((2, Ts(102 * DAY_US), as_of), (&asks, &terms), &facts).unwrap();
        tally.drew(1, 2);
        let of = |name: &str| asks.iter().position(|ask| ask.name == name).unwrap();
        assert_eq!(tally.waiting[of("conversion")], 2);
        assert_eq!((tally.sums[of("back_7d")][1].n, tally.sums[of("back_7d")][1].y), (1, 1));
        assert_eq!((tally.waiting[of("back_7d")], tally.arms.len()), (1, 3));
        assert_eq!(tally.drawn[&1], [0, 0, 1]);
    }

    #[test]
    fn parts_are_rounded_half_away_from_zero() {
        for (of, by, whole, expected) in [(5, 1, 2, 3), (-5, 1, 2, -3), (4, 1, 3, 1), (0, 9, 0, 0)] {
            assert_eq!(part(of, by, whole), expected, "{of} {by} {whole}");
        }
    }
}
