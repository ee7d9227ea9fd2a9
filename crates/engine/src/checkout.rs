//! Checkout: a cart as programs send it, and a quote as they read it. What applies is decided by `zhiyin_offer`; nothing here
//! is remembered. Amounts are whole minor units. The fields are documented in docs/offers.md.

mod asked;
mod kept;
mod told;

use zhiyin_condition::{Facts, LeafStates, Leaves, OrderRow, Row};
use zhiyin_decide::rules::Rules;
use zhiyin_model::id::MemberId;
use zhiyin_model::playbook::Playbook;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;
use zhiyin_offer::{CartProblem, Customer, Mode, Till};

pub use asked::{CartAsked, Shopper};
pub use kept::{CheckoutQuoted, CheckoutView};
pub use told::quoted_in_words;
pub use zhiyin_decide::checkout::told::QuoteTold;

/// Quotes a cart by a playbook.
pub fn quote(
    playbook: &Playbook,
    rules: &Rules,
    asked: &CartAsked,
    now: Ts,
    mode: Mode,
) -> Result<QuoteTold, CartProblem> {
    let (cart, shopper) = (asked.cart(rules)?, asked.shopper(playbook, &rules.leaves)?);
    let mut till = Till::default();
    let customer = shopper.customer();
    let quote = till.quote(&rules.offers, &rules.leaves, &cart, &customer, now, mode);
    let mut told = QuoteTold::of(&quote, &playbook.currency, mode);
    told.paid = Some(till.paid(&rules.offers));
    // What somebody who is no member would have saved as one of the lowest tier (R16).
    if shopper.tier.is_none() {
        let lowest = playbook.tiers.levels.first().map(|level| level.id.clone());
        let member = Shopper { tier: lowest, ..shopper.clone() };
        let customer = member.customer();
        let as_member = till.payable(&rules.offers, &rules.leaves, &cart, &customer, now, mode);
        told.membership_saves = Some((told.payable - as_member.0).max(0));
    }
    Ok(told)
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use zhiyin_model::money::Currency;
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
        assert!(nobody.membership_saves.is_some_and(|saves| saves > 0));
    }

    fn member(cart: &mut CartAsked) -> &mut asked::MemberAsked {
        cart.member.as_mut().unwrap()
    }

    #[test]
    fn a_birthday_is_a_day_of_any_year_and_coupons_may_be_of_offers_that_are_no_more() {
        for birthday in ["2000-02-29", "02-29", "--05-13"] {
            let mut asked = documented();
            member(&mut asked).birthday = Some(birthday.to_owned());
            member(&mut asked).coupons[0].offer = "of-last-year".to_owned();
            asked.left.insert("of-last-year".to_owned(), Default::default());
            assert_eq!(quoted(&asked).err(), None, "{birthday}");
        }
    }

    #[test]
    fn the_documented_quote_is_that_of_the_documented_cart() {
        let document = include_str!("../../../docs/offers.md");
        let documented_quote =
            document.split("```json\n").nth(2).and_then(|rest| rest.split("```").next()).unwrap();
        let documented_quote: serde_json::Value = serde_json::from_str(documented_quote).unwrap();
        let mut told = serde_json::to_value(quoted(&documented()).unwrap()).unwrap();
        // The document shows two of the offers that do not apply, and leaves out what returns need to know.
        let shown = |not: &serde_json::Value| ["member-day", "paid-88"].iter().any(|id| not["offer"] == *id);
        told["not_applied"].as_array_mut().unwrap().retain(shown);
        told.as_object_mut().unwrap().remove("paid");
        assert_eq!(told, documented_quote, "{}", serde_json::to_string_pretty(&told).unwrap());
    }

    #[test]
    fn what_is_given_is_said_in_words() {
        let text = |channel: &str| {
            let mut asked = documented();
            (asked.channel, asked.shipping) = (Some(channel.to_owned()), 800);
            asked.lines[0].quantity = 4;
            member(&mut asked).orders.clear();
            quoted_in_words(&quoted(&asked).unwrap(), &Currency::parse("CNY").unwrap())
        };
        let (store, away) = (text("store"), text("mini_program"));
        for (text, words) in [
            (&store, "applies: birthday-points — Double points on the birthday: 2 times the points\n"),
            (&store, "applies: gold-brows — Eyebrow trim for gold: Eyebrow trim\n"),
            (&store, "applies: new-member-bag — A bag for a new member: 1 × shopping-bag\n"),
            (&away, "applies: free-delivery — Free delivery: 8.00 off shipping\n"),
        ] {
            assert!(text.contains(words), "{words} in\n{text}");
        }
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
            (field(&|cart| cart.codes.push("music_shool".into())), "codes[1]"),
            (field(&|cart| cart.exchange = [("birthday-8".into(), 1)].into()), "exchange.birthday-8"),
            (field(&|cart| member(cart).tier = Some("goldd".into())), "member.tier"),
            (field(&|cart| member(cart).birthday = Some("2000-13-45".into())), "member.birthday"),
            (field(&|cart| member(cart).enrolled_at = Some("monday".into())), "member.enrolled_at"),
        ] {
            assert_eq!(found.as_deref(), Some(expected));
        }
        assert!(serde_json::from_str::<CartAsked>(r#"{"lines": [], "linse": []}"#).is_err());
    }
}
