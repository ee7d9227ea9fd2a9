//! Checkout: a cart as programs send it, and a quote as they read it. What applies is decided by `zhiyin_offer`; nothing here
//! is remembered. Amounts are whole minor units. The fields are documented in docs/offers.md.

mod asked;
mod told;

use zhiyin_condition::{EventRow, Facts, LeafStates, Leaves, OrderRow, Row};
use zhiyin_decide::rules::Rules;
use zhiyin_model::id::MemberId;
use zhiyin_model::money::Money;
use zhiyin_model::playbook::Playbook;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;
use zhiyin_offer::{Cart, CartProblem, Customer, Mode, Offers, Till};

pub use asked::{CartAsked, Shopper};
pub use told::{QuoteTold, quoted_in_words};

/// Quotes a cart by a playbook.
pub fn quote(
    playbook: &Playbook,
    rules: &Rules,
    asked: &CartAsked,
    now: Ts,
    mode: Mode,
) -> Result<QuoteTold, CartProblem> {
    let (cart, shopper) =
        (asked.cart(&playbook.currency)?, asked.shopper(&rules.leaves, &playbook.currency)?);
    let mut till = Till::default();
    let customer = shopper.customer();
    let saves = match &shopper.tier {
        Some(_) => None,
        None => Some(membership_saves(playbook, &rules.offers, &rules.leaves, &cart, &shopper, now, mode)),
    };
    let quote = till.quote(&rules.offers, &rules.leaves, &cart, &customer, now, mode);
    let mut told = QuoteTold::of(&quote, &playbook.currency, mode);
    told.membership_saves = saves;
    told.paid = Some(till.paid(&rules.offers));
    Ok(told)
}

/// What somebody who is no member would have saved as one of the lowest tier (R16).
fn membership_saves(
    playbook: &Playbook,
    offers: &Offers,
    leaves: &Leaves,
    cart: &Cart,
    shopper: &Shopper,
    now: Ts,
    mode: Mode,
) -> Money {
    let lowest = playbook.tiers.levels.first().map(|level| level.id.clone());
    let member = Shopper { tier: lowest, ..shopper.clone() };
    let mut till = Till::default();
    let as_is = till.payable(offers, leaves, cart, &shopper.customer(), now, mode);
    let as_member = till.payable(offers, leaves, cart, &member.customer(), now, mode);
    Money((as_is.0 - as_member.0).max(0))
}

impl Shopper {
    /// The shopper, to be asked.
    pub fn customer(&self) -> Customer<'_> {
        Customer { facts: self, coupons: &self.coupons, uses: &self.uses, left: &self.left }
    }

    /// Takes orders of the past into what conditions look back on.
    fn look_back(&mut self, leaves: &Leaves, orders: &[OrderRow]) {
        self.states = leaves.fresh();
        for order in orders {
            self.states.observe(leaves, Row::Order(order));
        }
    }
}

impl Facts for Shopper {
    fn member_id(&self) -> MemberId {
        self.id
    }
    fn attribute(&self, name: &str) -> Option<&Scalar> {
        self.attributes.get(name)
    }
    fn has_tag(&self, tag: &str) -> bool {
        self.tags.contains(tag)
    }
    fn tags(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.tags.iter().map(String::as_str))
    }
    fn tier(&self) -> Option<&str> {
        self.tier.as_deref()
    }
    fn lifecycle(&self) -> Option<&str> {
        self.lifecycle.as_deref()
    }
    fn store(&self) -> Option<&str> {
        self.store.as_deref()
    }
    fn points(&self) -> i64 {
        self.points
    }
    fn enrolled_at(&self) -> Option<Ts> {
        self.enrolled_at
    }
    fn is_listed(&self, list: &str) -> bool {
        self.lists.contains(list)
    }
    fn leaves(&self) -> &LeafStates {
        &self.states
    }
    fn event(&self) -> Option<&EventRow> {
        None
    }
    fn order(&self) -> Option<&OrderRow> {
        None
    }
}
