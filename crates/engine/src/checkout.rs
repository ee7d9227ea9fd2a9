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

#[cfg(test)]
mod tests {
    use super::*;
    use zhiyin_model::playbook::{parse, shipped};
    use zhiyin_offer::STEPS_MAX;

    fn documented() -> CartAsked {
        let document = include_str!("../../../docs/offers.md");
        let cart = document.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        serde_json::from_str(cart).unwrap()
    }

    fn quoted(asked: &CartAsked) -> Result<QuoteTold, CartProblem> {
        let playbook = parse("variety-store", shipped::VARIETY_STORE, &shipped::load).unwrap();
        let rules = Rules::compile(&playbook).unwrap();
        let noon = Ts::parse("2020-05-13T12:00:00+08:00").unwrap();
        quote(&playbook, &rules, asked, noon, Mode::Best(STEPS_MAX))
    }

    #[test]
    fn the_documented_cart_is_quoted() {
        let told = quoted(&documented()).unwrap();
        let off: i64 = told.lines.iter().flat_map(|line| &line.discounts).map(|one| one.amount).sum();
        assert_eq!((told.list, told.list - off, told.discount), (8_300, told.payable, off));
        assert!(told.exact && told.bound == Some(told.payable) && told.membership_saves.is_none());
        let other = told.not_applied.iter().find(|not| not.offer == "paid-88").unwrap();
        assert_eq!(other.instead.as_deref(), Some("music-school"));
        let nobody = quoted(&CartAsked { member: None, ..documented() }).unwrap();
        assert!(nobody.membership_saves.is_some_and(|saves| saves.0 > 0));
    }

    #[test]
    fn what_no_cart_is_is_refused_with_its_field() {
        let field = |change: &dyn Fn(&mut CartAsked)| {
            let mut asked = documented();
            change(&mut asked);
            quoted(&asked).err().map(|problem| problem.field)
        };
        for (found, expected) in [
            (field(&|cart| cart.lines.clear()), "lines"),
            (field(&|cart| cart.lines[1].quantity = 0), "lines[1].quantity"),
            (field(&|cart| cart.lines[0].price = -1), "lines[0].price"),
            (field(&|cart| cart.lines[0].price = i64::MAX), "lines[0].price"),
            (field(&|cart| cart.lines[0].floor = Some(-1)), "lines[0].floor"),
            (field(&|cart| cart.shipping = -1), "shipping"),
            (field(&|cart| cart.currency = Some("USD".into())), "currency"),
            (field(&|cart| cart.timezone = Some("Mars/Base".into())), "timezone"),
        ] {
            assert_eq!(found.as_deref(), Some(expected));
        }
        assert!(serde_json::from_str::<CartAsked>(r#"{"lines": [], "linse": []}"#).is_err());
    }
}
