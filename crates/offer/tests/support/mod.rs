//! A till at work: a playbook, carts written in a line, members by what is said of them.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "what cannot be read fails the test that reads it")]

pub mod drawn;

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_condition::{CartItem, Facts, LeafStates, Leaves};
use zhiyin_model::id::MemberId;
use zhiyin_model::money::Money;
use zhiyin_model::playbook::offer::Within;
use zhiyin_model::playbook::{parse, shipped};
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Ts, Zone};
use zhiyin_offer::{Cart, Coupon, Customer, Left, Line, Mode, Offers, Quote, STEPS_MAX, Till, Uses};

/// Whoever brings a cart.
#[derive(Clone, Debug, Default)]
pub struct Member {
    pub tier: Option<String>,
    pub tags: BTreeSet<String>,
    pub attributes: BTreeMap<String, Scalar>,
    pub points: i64,
    pub states: LeafStates,
    pub coupons: Vec<Coupon>,
    pub uses: BTreeMap<String, Uses>,
    pub left: BTreeMap<String, Left>,
}

impl Facts for Member {
    fn member_id(&self) -> MemberId {
        MemberId::from_bytes([1; 16])
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
    fn points(&self) -> i64 {
        self.points
    }
    fn leaves(&self) -> &LeafStates {
        &self.states
    }
}

/// Nobody known, or a member of a tier.
pub fn member(tier: &str) -> Member {
    Member { tier: (!tier.is_empty()).then(|| tier.to_owned()), ..Member::default() }
}

impl Member {
    pub fn tag(mut self, tag: &str) -> Self {
        self.tags.insert(tag.to_owned());
        self
    }
    pub fn born(mut self, day: &str) -> Self {
        self.attributes.insert("birthday".into(), Scalar::Text(day.into()));
        self
    }
    pub fn coupon(mut self, id: &str, offer: &str, expires: &str) -> Self {
        let expires = Ts::parse(expires).unwrap();
        self.coupons.push(Coupon { id: id.into(), offer: offer.into(), expires });
        self
    }
    pub fn used(mut self, offer: &str, within: Within, times: u64) -> Self {
        self.uses.entry(offer.into()).or_default().member.insert(within, times);
        self
    }
}

/// A cart from lines such as `face-mask beauty 2 x 19.9`; a fifth word is its zone.
pub fn cart(lines: &[&str]) -> Cart {
    let mut cart = Cart::default();
    for (i, text) in lines.iter().enumerate() {
        let words: Vec<&str> = text.split_whitespace().collect();
        let price = zhiyin_model::money::Currency::parse("CNY").unwrap().parse_minor(words[4]).unwrap();
        cart.row.items.push(CartItem {
            product: words[0].into(),
            category: Some(words[1].into()),
            quantity: words[2].parse().unwrap(),
            price,
            zone: words.get(5).map(|zone| (*zone).to_owned()),
            ..CartItem::default()
        });
        cart.lines.push(Line { id: format!("{}", i + 1), floor: None });
    }
    cart.row.channel = Some("store".into());
    cart.sum_up().unwrap();
    cart
}

/// Offers of a playbook, ready to be asked.
pub struct Shop {
    pub offers: Offers,
    pub leaves: Leaves,
}

impl Shop {
    pub fn shipped() -> Self {
        Self::of("playbook: shop\nextends: variety-store\n")
    }

    /// A playbook that offers this and nothing else.
    pub fn offering(sections: &str) -> Self {
        let base = "playbook: shop\nextends: variety-store\n";
        let bare = shipped::VARIETY_STORE;
        let from = bare.find("# The order in which offers apply").unwrap();
        let to = bare.find("# Where we meet people").unwrap();
        let text = format!("{}{sections}\n{}", &bare[..from], &bare[to..]);
        assert!(base.len() < text.len());
        Self::of(&text)
    }

    fn of(text: &str) -> Self {
        let playbook =
            parse("shop.yaml", text, &shipped::load).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let mut offers = Offers::compile(&playbook).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let leaves = offers.own_leaves();
        Self { offers, leaves }
    }

    pub fn told<T>(&self, cart: &Cart, member: &Member, at: &str, tell: impl FnOnce(&Quote<'_>) -> T) -> T {
        self.told_in(Mode::Best(STEPS_MAX), cart, member, at, tell)
    }

    pub fn told_in<T>(
        &self,
        mode: Mode,
        cart: &Cart,
        member: &Member,
        at: &str,
        tell: impl FnOnce(&Quote<'_>) -> T,
    ) -> T {
        let mut facts = member.clone();
        if facts.states == LeafStates::default() {
            facts.states = self.leaves.fresh();
        }
        let customer =
            Customer { facts: &facts, coupons: &member.coupons, uses: &member.uses, left: &member.left };
        let mut till = Till::default();
        let quote = till.quote(&self.offers, &self.leaves, cart, &customer, Ts::parse(at).unwrap(), mode);
        let lines: i64 = quote.lines.iter().map(|line| line.payable.0).sum();
        assert_eq!(lines, quote.payable.0);
        for line in &quote.lines {
            let off: i64 = line.discounts.iter().map(|discount| discount.amount.0).sum();
            assert_eq!(line.list.0 - off, line.payable.0);
        }
        tell(&quote)
    }

    /// What is left to pay, in minor units.
    pub fn payable(&self, cart: &Cart, member: &Member, at: &str) -> i64 {
        self.told(cart, member, at, |quote| quote.payable.0)
    }

    /// Ids of what applies, and what each takes off.
    pub fn applied(&self, cart: &Cart, member: &Member, at: &str) -> Vec<(String, i64)> {
        self.told(cart, member, at, |quote| {
            quote.applied.iter().map(|one| (one.offer.to_owned(), one.amount.0)).collect()
        })
    }

    /// Why an offer does not apply, in English.
    pub fn why_not(&self, offer: &str, cart: &Cart, member: &Member, at: &str) -> String {
        self.told(cart, member, at, |quote| {
            let not = quote.not_applied.iter().find(|not| not.offer == offer);
            let not = not.unwrap_or_else(|| panic!("{offer} applies: {:?}", quote.applied));
            let language = zhiyin_model::playbook::Language::En;
            not.reason.words(not.missing, not.within, language, self.offers.currency())
        })
    }
}

pub fn yuan(major: &str) -> Money {
    zhiyin_model::money::Currency::parse("CNY").unwrap().parse_minor(major).unwrap()
}

pub fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap()
}
