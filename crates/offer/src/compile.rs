//! The playbook's offers, ready to be asked: conditions checked, names turned into numbers.

use zhiyin_condition::program::{Element, Field, Node};
use zhiyin_condition::tree::{Expr, Kind, Operator};
use zhiyin_condition::value::Value;
use zhiyin_condition::{CartItem, Condition, Leaves, Schema, Scope};
use zhiyin_model::money::{Currency, Money};
use zhiyin_model::playbook::offer::{Offer, OfferEffect, Per, Percent};
use zhiyin_model::playbook::{Combine, ConditionText, Playbook, Problem};
use zhiyin_model::time::{Ts, Zone};

use crate::cart::AtTill;
use crate::reason::Wanting;

/// The offers of a playbook.
#[derive(Clone, Debug)]
pub struct Offers {
    pub(crate) zone: Zone,
    pub(crate) currency: Currency,
    pub(crate) combine: Combine,
    /// Lanes with how many of their offers apply.
    pub(crate) lanes: Vec<(String, Per)>,
    pub(crate) floors: Vec<(Picker, Option<Money>, Option<Percent>)>,
    pub(crate) offers: Vec<Offered>,
}

/// An offer with its conditions.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    pub(crate) terms: Offer,
    pub(crate) lane: Option<u8>,
    pub(crate) who: Option<Condition>,
    /// The parts of `when`, all of which must hold, with what is wanting where one does not.
    pub(crate) when: Vec<(Condition, Wanting)>,
    pub(crate) of: Option<Picker>,
    /// What is got of another selection, or the parts of a bundle.
    pub(crate) parts: Vec<Picker>,
    /// Offers that it does not go with, by their place.
    pub(crate) excludes: Vec<usize>,
}

/// A condition over an item, with a quick way for what is mostly asked.
#[derive(Clone, Debug)]
pub(crate) struct Picker {
    pub(crate) condition: Condition,
    quick: Option<Quick>,
}

/// What can be asked of an item without evaluating.
#[derive(Clone, Debug, PartialEq)]
enum Quick {
    Is(Field, Vec<Box<str>>),
    IsNot(Field, Box<str>),
    All(Vec<Quick>),
    Any(Vec<Quick>),
    Not(Box<Quick>),
}

impl Default for Offers {
    fn default() -> Self {
        let currency = Currency { code: String::new(), exponent: 2 };
        let (zone, combine) = (Zone::utc(), Combine::Largest);
        Self { zone, currency, combine, lanes: Vec::new(), floors: Vec::new(), offers: Vec::new() }
    }
}

impl Offers {
    /// Compiles what a playbook offers; every condition that does not check is a problem. Conditions over history are
    /// answered once they are collected into leaves ([`Offers::conditions_mut`]).
    pub fn compile(playbook: &Playbook) -> Result<Self, Vec<Problem>> {
        let offering = &playbook.offering;
        let mut check = Check::new(playbook);
        let lanes: Vec<(String, Per)> =
            offering.lanes.iter().map(|lane| (lane.id.clone(), lane.per)).collect();
        let mut floors = Vec::new();
        for floor in offering.floors.values() {
            let picker = check.picker(&floor.of);
            floors.extend(picker.map(|picker| (picker, floor.price, floor.pay)));
        }
        let offers: Vec<Offered> =
            offering.offers.iter().map(|offer| check.offer(offer, offering, &lanes)).collect();
        if !check.problems.is_empty() {
            return Err(check.problems);
        }
        Ok(Self {
            zone: playbook.timezone.clone(),
            currency: playbook.currency.clone(),
            combine: playbook.points.combine,
            lanes,
            floors,
            offers,
        })
    }

    /// Whether nothing is offered.
    pub fn is_empty(&self) -> bool {
        self.offers.is_empty()
    }

    /// The brand's currency.
    pub const fn currency(&self) -> &Currency {
        &self.currency
    }

    /// Every condition, with the offer and key it is of.
    pub fn conditions(&self) -> impl Iterator<Item = (String, &Condition)> {
        self.offers.iter().flat_map(|offer| {
            let key = |key: &str| format!("{}.{key}", offer.terms.id);
            let who = offer.who.iter().map(move |who| (key("who"), who));
            let when = offer.when.iter().map(move |(when, _)| (key("when"), when));
            let pickers =
                offer.of.iter().chain(&offer.parts).map(move |picker| (key("of"), &picker.condition));
            who.chain(when).chain(pickers)
        })
    }

    /// The conditions of floors: which items they are of.
    pub fn floors(&self) -> impl Iterator<Item = &Condition> {
        self.floors.iter().map(|(picker, ..)| &picker.condition)
    }

    /// Every condition, to be collected into leaves.
    pub fn conditions_mut(&mut self) -> impl Iterator<Item = &mut Condition> {
        let floors = self.floors.iter_mut().map(|(picker, ..)| &mut picker.condition);
        let offers = self.offers.iter_mut().flat_map(|offer| {
            let when = offer.when.iter_mut().map(|(when, _)| when);
            let pickers = offer.of.iter_mut().chain(&mut offer.parts).map(|picker| &mut picker.condition);
            offer.who.iter_mut().chain(when).chain(pickers)
        });
        offers.chain(floors)
    }

    /// Collects the conditions into leaves of their own, where nothing else is decided by the playbook.
    pub fn own_leaves(&mut self) -> Leaves {
        let (zone, exponent) = (self.zone.clone(), self.currency.exponent);
        Leaves::collect(self.conditions_mut(), zone, exponent)
    }
}

struct Check {
    member: Schema,
    cart: Schema,
    item: Schema,
    problems: Vec<Problem>,
}

impl Check {
    fn new(playbook: &Playbook) -> Self {
        let member = Schema::of(playbook);
        let cart = Schema { scope: Scope::Cart, ..member.clone() };
        let item = Schema { scope: Scope::Item, ..member.clone() };
        Self { member, cart, item, problems: Vec::new() }
    }

    fn offer(
        &mut self,
        terms: &Offer,
        offering: &zhiyin_model::playbook::Offering,
        lanes: &[(String, Per)],
    ) -> Offered {
        let lane = terms.lane.as_ref().and_then(|lane| lanes.iter().position(|(id, _)| id == lane));
        let who = terms.who.as_ref().and_then(|who| self.one(who, |check| &check.member));
        let mut when = Vec::new();
        if let Some(text) = &terms.when
            && let Some(whole) = self.one(text, |check| &check.cart)
        {
            when = parts(&whole, &self.cart);
        }
        let of = terms.of.as_ref().and_then(|of| self.picker(of));
        let parts = match &terms.effect {
            OfferEffect::BuyGet { get_of, .. } => get_of.iter().filter_map(|of| self.picker(of)).collect(),
            OfferEffect::Bundle { parts, .. } => {
                parts.iter().filter_map(|part| self.picker(&part.of)).collect()
            }
            _ => Vec::new(),
        };
        let place = |id: &String| offering.offers.iter().position(|offer| offer.id == *id);
        let excludes = terms.excludes.iter().filter_map(place).collect();
        let lane = lane.and_then(|lane| u8::try_from(lane).ok());
        Offered { terms: terms.clone(), lane, who, when, of, parts, excludes }
    }

    fn picker(&mut self, text: &ConditionText) -> Option<Picker> {
        let condition = self.one(text, |check| &check.item)?;
        let quick = Quick::of(condition.root());
        Some(Picker { condition, quick })
    }

    fn one(&mut self, text: &ConditionText, schema: impl Fn(&Self) -> &Schema) -> Option<Condition> {
        let checked = Condition::check_text(text, schema(self));
        checked.map_err(|problems| self.problems.extend(problems)).ok()
    }
}

/// A condition's parts that must all hold, each with what is wanting where it does not.
fn parts(whole: &Condition, schema: &Schema) -> Vec<(Condition, Wanting)> {
    let trees: Vec<&Expr> = match &whole.tree().kind {
        Kind::And(parts) => parts.iter().collect(),
        _ => vec![whole.tree()],
    };
    let read: Result<Vec<_>, _> = trees
        .iter()
        .map(|tree| Condition::from_tree(tree, schema).map(|condition| (condition, wanting(tree))))
        .collect();
    read.unwrap_or_else(|_| vec![(whole.clone(), Wanting::Cart)])
}

/// What is wanting where a part of `when` does not hold: what it speaks of.
fn wanting(tree: &Expr) -> Wanting {
    fn speaks(tree: &Expr, of: &mut impl FnMut(&str)) {
        match &tree.kind {
            Kind::Name(name) | Kind::Field { name, .. } => of(name),
            Kind::Call { function, .. } => of(function),
            _ => {}
        }
        tree.parts().into_iter().for_each(|part| speaks(part, of));
    }
    let mut names = Vec::new();
    speaks(tree, &mut |name| names.push(name.to_owned()));
    let has = |wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.as_str()));
    match () {
        () if has(&["weekday"]) => Wanting::Day,
        () if has(&["hour", "clock"]) => Wanting::Hour,
        () if has(&["payment"]) => Wanting::Payment,
        () if has(&["channel"]) => Wanting::Channel,
        () if has(&["store", "region"]) && has(&["cart"]) => Wanting::Store,
        () if has(&["cart"]) => Wanting::Cart,
        () => Wanting::Member,
    }
}

impl Picker {
    /// Whether it picks an item.
    pub(crate) fn picks(&self, item: &CartItem, till: &AtTill<'_>, leaves: &Leaves, now: Ts) -> bool {
        if let Some(quick) = &self.quick {
            return quick.holds(item);
        }
        let at_hand = AtTill { member: till.member, cart: till.cart, item: Some(item) };
        zhiyin_condition::evaluate(&self.condition, leaves, &at_hand, now).value
    }
}

impl Quick {
    fn of(node: &Node) -> Option<Self> {
        let is_text = |field: &Field| {
            matches!(field, Field::Product | Field::Category | Field::Department | Field::Brand | Field::Zone)
        };
        let field = |node: &Node| match node {
            Node::Field(Element::CartItem, field) if is_text(field) => Some(field.clone()),
            _ => None,
        };
        let text = |node: &Node| match node {
            Node::Const(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let all = |parts: &[Node]| parts.iter().map(Self::of).collect::<Option<Vec<Self>>>();
        Some(match node {
            Node::Compare(op @ (Operator::Equal | Operator::NotEqual), sides) => {
                let (field, text) = match (field(&sides[0]), field(&sides[1])) {
                    (Some(field), None) => (field, text(&sides[1])?),
                    (None, Some(field)) => (field, text(&sides[0])?),
                    _ => return None,
                };
                match op {
                    Operator::Equal => Self::Is(field, vec![text]),
                    _ => Self::IsNot(field, text),
                }
            }
            Node::Among(parts) => {
                let (needle, rest) = parts.split_first()?;
                Self::Is(field(needle)?, rest.iter().map(text).collect::<Option<_>>()?)
            }
            Node::And(parts) => Self::All(all(parts)?),
            Node::Or(parts) => Self::Any(all(parts)?),
            Node::Not(of) => Self::Not(Box::new(Self::of(of)?)),
            _ => return None,
        })
    }

    fn holds(&self, item: &CartItem) -> bool {
        match self {
            Self::Is(field, texts) => {
                item.text(field).is_some_and(|own| texts.iter().any(|text| **text == *own))
            }
            Self::IsNot(field, text) => item.text(field).is_some_and(|own| **text != *own),
            Self::All(parts) => parts.iter().all(|part| part.holds(item)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(item)),
            Self::Not(part) => !part.holds(item),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_quickly_is_what_is_evaluated() {
        let schema = Schema { scope: Scope::Item, ..Schema::default() };
        let item = |category: Option<&str>, brand: Option<&str>| CartItem {
            product: "p".into(),
            category: category.map(str::to_owned),
            brand: brand.map(str::to_owned),
            ..CartItem::default()
        };
        let items = [
            item(None, None),
            item(Some("food"), None),
            item(Some("toys"), Some("b")),
            item(Some("food"), Some("b")),
        ];
        for (text, is_quick) in [
            ("category == \"food\"", true),
            ("\"food\" == category", true),
            ("category != \"food\"", true),
            ("!(category == \"food\")", true),
            ("category in [\"food\", \"toys\"] && brand == \"b\"", true),
            ("brand == \"b\" || product == \"p\"", true),
            ("price >= 1", false),
            ("properties.size == \"XL\"", false),
        ] {
            let mut condition = Condition::check(text, &schema).unwrap();
            let leaves = Leaves::collect([&mut condition], Zone::utc(), 2);
            let quick = Quick::of(condition.root());
            assert_eq!(quick.is_some(), is_quick, "{text}");
            for item in &items {
                let nobody = crate::nobody::Nobody::default();
                let cart = zhiyin_condition::CartRow::default();
                let till = AtTill { member: &nobody, cart: &cart, item: Some(item) };
                let evaluated = zhiyin_condition::evaluate(&condition, &leaves, &till, Ts(0)).value;
                let asked = Picker { condition: condition.clone(), quick: quick.clone() };
                assert_eq!(asked.picks(item, &till, &leaves, Ts(0)), evaluated, "{text} of {item:?}");
            }
        }
    }
}
