//! What an order gives for another time, once it was paid: coupons of other offers.

use zhiyin_condition::{Facts, Leaves, holds_in};
use zhiyin_model::money::Money;
use zhiyin_model::playbook::Offer;
use zhiyin_model::playbook::offer::OfferEffect;
use zhiyin_model::time::Ts;

use crate::cart::{AtTill, Cart};
use crate::compile::{Offered, Offers};

impl Offers {
    /// Offers of which orders may give coupons.
    pub fn give(&self) -> impl Iterator<Item = &str> {
        self.offers.iter().filter_map(|offer| match &offer.terms.effect {
            OfferEffect::Give { coupon, .. } => Some(coupon.as_str()),
            _ => None,
        })
    }

    /// Offers that give a coupon for an order for which so much was paid, each with the offer that its coupon is of. How often a
    /// member may have one is not judged here. A cart has what was bought, and where; the member is as they are after it.
    pub fn given<'a>(
        &'a self,
        leaves: &Leaves,
        (cart, paid): (&Cart, Money),
        member: &dyn Facts,
        now: Ts,
    ) -> Vec<(&'a Offer, &'a str)> {
        let gives = self.offers.iter().filter_map(|offer| match &offer.terms.effect {
            OfferEffect::Give { coupon, spend } if paid >= *spend => Some((offer, coupon.as_str())),
            _ => None,
        });
        let for_it = gives.filter(|(offer, _)| self.is_for(offer, leaves, cart, member, now));
        for_it.map(|(offer, coupon)| (&offer.terms, coupon)).collect()
    }

    fn is_for(&self, offer: &Offered, leaves: &Leaves, cart: &Cart, member: &dyn Facts, now: Ts) -> bool {
        let terms = &offer.terms;
        let zone = cart.zone.as_ref().unwrap_or(&self.zone);
        let today = zone.day(now);
        if terms.from.is_some_and(|from| today < from) || terms.until.is_some_and(|until| today > until) {
            return false;
        }
        if terms.partner.as_ref().is_some_and(|partner| !cart.codes.contains(partner)) {
            return false;
        }
        if offer.who.as_ref().is_some_and(|who| !holds_in(who, leaves, &self.zone, member, now)) {
            return false;
        }
        let till = AtTill { member, cart: &cart.row, item: None };
        if !offer.when.iter().all(|(part, _)| holds_in(part, leaves, zone, &till, now)) {
            return false;
        }
        let of = |item| offer.of.as_ref().is_none_or(|of| of.picks(item, &till, leaves, now));
        let pieces: u64 =
            cart.row.items.iter().filter(|item| of(item)).map(|item| u64::from(item.quantity)).sum();
        pieces >= u64::from(terms.at_least_pieces).max(u64::from(offer.of.is_some()))
    }
}
