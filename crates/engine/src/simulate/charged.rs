//! Which offers are charged: those that differ between two playbooks, and all that they interact with.
//!
//! What is the same in both, and touches nothing that differs, was given in the record already and would be given again: it
//! is left out on both sides.

use std::collections::BTreeSet;

use zhiyin_model::playbook::campaign::Step;
use zhiyin_model::playbook::offer::{Offer, OfferEffect, Offering};
use zhiyin_model::playbook::{Names, Playbook};

/// Coupons that campaigns give which differ between two playbooks, or that all of the changed one's do.
pub(super) fn given(live: &Playbook, changed: &Playbook, all: bool) -> BTreeSet<String> {
    let plays =
        changed.campaigns.iter().filter(|(id, campaign)| all || live.campaigns.get(*id) != Some(campaign));
    let mut given = BTreeSet::new();
    plays.for_each(|(_, campaign)| coupons(&campaign.steps, &mut given));
    given.retain(|offer| changed.offering.offer(offer).is_some());
    given
}

fn coupons(steps: &[Step], given: &mut BTreeSet<String>) {
    for step in steps {
        match step {
            Step::Coupon(offer) => drop(given.insert(offer.clone())),
            Step::Await { then, otherwise, .. }
            | Step::Until { then, otherwise, .. }
            | Step::If { then, otherwise, .. } => {
                coupons(then, given);
                coupons(otherwise, given);
            }
            Step::Split(ways) => ways.iter().for_each(|way| coupons(&way.1, given)),
            _ => {}
        }
    }
}

/// The offers that are charged, by id: those that differ, those of which coupons are given, and all that they interact with.
pub(super) fn charged(live: &Playbook, changed: &Playbook, given: &BTreeSet<String>) -> BTreeSet<String> {
    let (old, new) = (&live.offering, &changed.offering);
    let all: Vec<&Offer> = old.offers.iter().chain(&new.offers).collect();
    if given.is_empty() && (old, &live.attributes) == (new, &changed.attributes) {
        return BTreeSet::new();
    }
    let differs = |id: &str| old.offer(id) != new.offer(id);
    let mut found: BTreeSet<String> =
        all.iter().filter(|offer| differs(&offer.id)).map(|offer| offer.id.clone()).collect();
    found.extend(given.iter().cloned());
    if (&old.lanes, &old.floors) != (&new.lanes, &new.floors)
        && !(old.lanes.is_empty() || new.lanes.is_empty())
    {
        // Another order of lanes, or another floor, may change whatever takes money off.
        found.extend(all.iter().filter(|offer| takes_money(offer)).map(|offer| offer.id.clone()));
    }
    loop {
        let before = found.len();
        let more = all
            .iter()
            .filter(|offer| all.iter().any(|other| found.contains(&other.id) && interact(offer, other)));
        let more: Vec<String> = more.map(|offer| offer.id.clone()).collect();
        found.extend(more);
        if found.len() == before {
            return found;
        }
    }
}

fn takes_money(offer: &Offer) -> bool {
    offer.effect.lane().is_some()
}

/// Whether one may change what the other comes to.
fn interact(one: &Offer, other: &Offer) -> bool {
    let gives = |giver: &Offer, taker: &Offer| matches!(&giver.effect, OfferEffect::Give { coupon, .. } if *coupon == taker.id);
    let excludes = |one: &Offer, other: &Offer| one.excludes.contains(&other.id);
    if gives(one, other) || gives(other, one) || excludes(one, other) || excludes(other, one) {
        return true;
    }
    match (takes_money(one), takes_money(other)) {
        // What is left to pay after one is what the other's threshold counts.
        (true, true) => true,
        (true, false) => depends(other) || one.alone || other.alone,
        (false, true) => depends(one) || one.alone || other.alone,
        // Multipliers combine.
        (false, false) => {
            let points = |offer: &Offer| matches!(offer.effect, OfferEffect::Points { .. });
            let shipping = |offer: &Offer| matches!(offer.effect, OfferEffect::Shipping { .. });
            (points(one) && points(other)) || (shipping(one) && shipping(other))
        }
    }
}

/// Whether it depends on what is left to pay.
fn depends(offer: &Offer) -> bool {
    match &offer.effect {
        OfferEffect::Gift { spend, .. }
        | OfferEffect::Shipping { spend, .. }
        | OfferEffect::Points { spend, .. }
        | OfferEffect::Service { spend, .. }
        | OfferEffect::Give { spend, .. } => spend.0 > 0,
        _ => false,
    }
}

/// A playbook with the charged offers alone.
pub(super) fn only(playbook: &Playbook, charged: &BTreeSet<String>) -> Playbook {
    let mut playbook = playbook.clone();
    let offering: &mut Offering = &mut playbook.offering;
    offering.offers.retain(|offer| charged.contains(&offer.id));
    for offer in &mut offering.offers {
        offer.excludes.retain(|id| charged.contains(id));
    }
    playbook
}

/// What is known of an offer whose cost is not all that one member decides.
pub(super) fn notes(offering: &Offering, campaigned: &BTreeSet<String>) -> Vec<Names> {
    let mut notes = Vec::new();
    for offer in &offering.offers {
        let id = &offer.id;
        if offer.budget.is_some()
            || offer.stock.is_some()
            || offer.limits.iter().any(|limit| !limit.per_member)
        {
            notes.push(Names::both(
                &format!("{id}：预算、库存和全体限次未计入，成本为上限"),
                &format!("{id}: its budget, stock and limits for all together are not counted: what it costs is an upper bound"),
            ));
        }
        let given = |other: &Offer| matches!(&other.effect, OfferEffect::Give { coupon, .. } if coupon == id);
        if offer.coupon.is_some() && !offering.offers.iter().any(given) && !campaigned.contains(id) {
            notes.push(Names::both(
                &format!("{id}：没有优惠发放此券，未计入使用"),
                &format!("{id}: no offer gives this coupon, so nobody holds one and it costs nothing here"),
            ));
        }
        if offer.partner.is_some() || matches!(offer.effect, OfferEffect::Exchange { .. }) {
            notes.push(Names::both(
                &format!("{id}：需出示伙伴码或主动兑换，记录中没有，未计入"),
                &format!("{id}: asks for a partner's code or an exchange, which the record does not tell: not counted"),
            ));
        }
    }
    notes
}
