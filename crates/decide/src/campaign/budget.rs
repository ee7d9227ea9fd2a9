//! What a campaign's coupons and points cost at most, held against its budget: a pool like those of coupons.

use std::collections::BTreeMap;

use zhiyin_model::playbook::Playbook;
use zhiyin_model::playbook::campaign::{Campaign, Step, each};
use zhiyin_model::run::cost_of;

use super::rule::Act;

/// A campaign's budget, ready to decide by.
#[derive(Clone, Debug)]
pub struct Budget {
    /// How much there is, in minor units.
    pub size: i64,
    /// What is gone of it: the name of its pool.
    pub pool: String,
    /// What a coupon costs at most, by its offer.
    coupons: BTreeMap<String, i64>,
    /// So much in minor units for so many points.
    worth: (i64, i64),
}

impl Budget {
    /// The budget of a campaign that has one.
    pub(crate) fn of(id: &str, campaign: &Campaign, playbook: &Playbook) -> Option<Self> {
        let size = campaign.budget?.0;
        let mut coupons = BTreeMap::new();
        each(&campaign.steps, &mut |step| {
            let Step::Coupon(id) = step else { return };
            let offer = playbook.offering.offers.iter().find(|offer| offer.id == *id);
            // What has no price is refused when the playbook is read.
            let most = offer.and_then(|offer| offer.effect.most()).map_or(i64::MAX, |most| most.0);
            coupons.insert(id.clone(), most);
        });
        let unit = 10_i64.saturating_pow(playbook.currency.exponent);
        let worth =
            playbook.points.worth.map_or((0, 1), |worth| (worth.major.saturating_mul(unit), worth.points));
        Some(Self { size, pool: cost_of(id), coupons, worth })
    }

    /// What a step costs at most; a part of the smallest unit is one.
    pub(super) fn cost(&self, act: &Act) -> i64 {
        match act {
            Act::Coupon(offer) => self.coupons.get(offer).copied().unwrap_or(i64::MAX),
            Act::Points(points) => {
                let (minor, of) = (i128::from(self.worth.0), i128::from(self.worth.1.max(1)));
                let cost = (i128::from(*points) * minor + of - 1) / of;
                i64::try_from(cost).unwrap_or(i64::MAX)
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_cost_what_they_are_worth_and_never_less() {
        let budget = Budget { size: 0, pool: String::new(), coupons: BTreeMap::new(), worth: (100, 300) };
        for (points, cost) in [(1, 1), (3, 1), (4, 2), (300, 100), (301, 101)] {
            assert_eq!(budget.cost(&Act::Points(points)), cost, "{points}");
        }
        assert_eq!(budget.cost(&Act::Coupon("unknown".to_owned())), i64::MAX);
        assert_eq!(budget.cost(&Act::Exit), 0);
    }
}
