//! The sections `lanes`, `floors` and `offers`.

mod claim;
mod effect;

use std::collections::BTreeMap;

use super::super::phrase::{self, offer as phrases};
use super::super::problem::Problem;
use super::super::raw::RawPlaybook;
use super::super::raw::offer::{RawFloor, RawLane, RawOffer};
use super::super::words::ById;
use super::super::words::offer::RawLimits;
use super::super::yaml::Node;
use super::{Check, MAX_FEW};
use crate::money::{Currency, Money};
use crate::playbook::nearest::nearest;
use crate::playbook::offer::{Budget, Floor, Lane, Offer, OfferEffect, Offering, Per};
use crate::playbook::{Level, Names};

/// The most offers of a playbook.
const MAX_OFFERS: usize = 512;
/// The most lanes.
const MAX_LANES: usize = 16;

/// What offers may name: tiers and partners of the playbook.
pub(super) struct Around<'a> {
    pub(super) currency: Currency,
    pub(super) levels: &'a [Level],
    pub(super) partners: Vec<&'a str>,
}

/// The sections, taken out of the raw playbook.
pub(super) type Sections = (Option<ById<RawLane>>, Option<ById<RawFloor>>, Option<ById<RawOffer>>);

/// Takes the sections out of the raw playbook.
pub(super) fn sections(raw: &mut RawPlaybook) -> Sections {
    (raw.lanes.take(), raw.floors.take(), raw.offers.take())
}

impl Check<'_> {
    pub(super) fn offering(&mut self, raw: Sections, tree: &Node, around: &Around<'_>) -> Offering {
        let (lanes, floors, offers) = raw;
        let has_lanes = lanes.is_some();
        let lanes = self.by_id(lanes, tree.get("lanes"), false, |check, raw: RawLane, node| {
            let name = check.names(raw.name, node);
            let per = check.required(raw.per, node, "per", "line, order")?;
            Some(Lane { id: String::new(), name, per })
        });
        let mut lanes: Vec<Lane> = lanes.into_iter().map(|(id, lane)| Lane { id, ..lane }).collect();
        if let Some(node) = tree.get("lanes").filter(|_| lanes.len() > MAX_LANES) {
            self.problem(node.problem("too many lanes", Some(format!("at most {MAX_LANES}"))));
        }
        let floors = self.by_id(floors, tree.get("floors"), false, |check, raw, node| {
            check.floor(raw, node, &around.currency)
        });
        if offers.is_some() && !has_lanes {
            lanes = usual_lanes();
        }
        let node = tree.get("offers");
        let offers =
            self.by_id(offers, node, false, |check, raw, node| check.offer(raw, node, around, &lanes));
        let offers: Vec<Offer> = offers.into_iter().map(|(id, offer)| Offer { id, ..offer }).collect();
        if let Some(node) = node {
            if offers.len() > MAX_OFFERS {
                self.problem(node.problem("too many offers", Some(format!("at most {MAX_OFFERS}"))));
            }
            self.offers_agree(&offers, node);
        }
        Offering { lanes, floors: BTreeMap::from_iter(floors), offers }
    }

    fn floor(&mut self, raw: RawFloor, node: &Node, currency: &Currency) -> Option<Floor> {
        let of = self.required(raw.of, node, "of", "a condition over an item")?;
        let of = self.condition(Some(of), node.get("of"))?;
        let price = raw.price.and_then(|text| self.money(&text.0, node.get("price"), currency));
        let pay = raw.pay.and_then(|text| self.phrase(&text.0, node.get("pay"), phrases::percent));
        if price.is_some() == pay.is_some() && !node.is_broken() {
            self.problem(node.problem("a floor is a price or a part of it", Some("price, pay".into())));
        }
        Some(Floor { of, price, pay })
    }

    fn offer(
        &mut self,
        mut raw: RawOffer,
        node: &Node,
        around: &Around<'_>,
        lanes: &[Lane],
    ) -> Option<Offer> {
        let name = self.names(raw.name.take(), node);
        let from = raw.from.take().and_then(|text| self.phrase(&text.0, node.get("from"), phrase::day));
        let until = raw.until.take().and_then(|text| self.phrase(&text.0, node.get("until"), phrase::day));
        if let (Some(from), Some(until), Some(at)) = (from, until, node.get("until"))
            && until < from
        {
            let allowed = Some(format!("{from} or later"));
            self.problem(at.problem(format!("ends before it begins on {from}"), allowed));
        }
        let who = self.condition(raw.who.take(), node.get("who"));
        let when = self.condition(raw.when.take(), node.get("when"));
        let of = self.condition(raw.of.take(), node.get("of"));
        let at_least_pieces = self.count(raw.at_least, node.get("at_least"), 1_000_000).unwrap_or(0);
        let limits = self.limits(raw.limit.take(), node.get("limit"));
        let stock = self.count(raw.stock, node.get("stock"), 1_000_000_000).map(u64::from);
        let budget = raw.budget.take().and_then(|text| {
            self.phrase(&text.0, node.get("budget"), |text| phrases::budget(text, &around.currency))
        });
        let coupon = raw.coupon.take().and_then(|coupon| self.coupon(coupon, node.get("coupon")?, around));
        let claim = raw.claim.take().and_then(|claim| self.claim(claim, node));
        if let (Some(partner), Some(at)) = (&raw.partner, node.get("partner"))
            && !around.partners.contains(&partner.as_str())
        {
            self.problem(unknown(at, "partner", partner, &around.partners));
        }
        let (returns, alone) = (raw.returns.unwrap_or_default(), raw.alone.unwrap_or(false));
        let (partner, excludes, lane) =
            (raw.partner.take(), raw.excludes.take().unwrap_or_default(), raw.lane.take());
        let named = lane.as_ref().and_then(|lane| lanes.iter().find(|known| known.id == *lane));
        if let (Some(lane), None, Some(at)) = (&lane, named, node.get("lane")) {
            let known: Vec<&str> = lanes.iter().map(|lane| lane.id.as_str()).collect();
            self.problem(unknown(at, "lane", lane, &known));
            return None;
        }
        let effect = self.effect(raw, node, around, named.map(|lane| lane.per))?;
        self.lane_fits(&effect, named, node, lanes);
        self.budget_fits(budget, &effect, node);
        let id = String::new();
        Some(Offer {
            id,
            name,
            from,
            until,
            who,
            when,
            of,
            at_least_pieces,
            lane,
            excludes,
            alone,
            limits,
            stock,
            budget,
            coupon,
            claim,
            partner,
            returns,
            effect,
        })
    }

    /// What takes money off says in which lane, and the lane is of its kind.
    fn lane_fits(&mut self, effect: &OfferEffect, lane: Option<&Lane>, node: &Node, lanes: &[Lane]) {
        let fitting = |per: Per| {
            let fits: Vec<&str> =
                lanes.iter().filter(|lane| lane.per == per).map(|lane| lane.id.as_str()).collect();
            if fits.is_empty() { format!("a lane of `per: {}`", per.word()) } else { fits.join(", ") }
        };
        match (effect.lane(), lane) {
            (Some(per), None) => {
                let _: Option<()> = self.required(None, node, "lane", &fitting(per));
            }
            (Some(per), Some(lane)) if per != lane.per => {
                let what = if per == Per::Line { "pieces of lines" } else { "the order" };
                let message = format!("this is off {what}, but the lane is per {}", lane.per.word());
                self.problem(node.get("lane").unwrap_or(node).problem(message, Some(fitting(per))));
            }
            (None, Some(_)) => {
                let message = "only what takes money off lines has a lane";
                self.problem(node.get("lane").unwrap_or(node).problem(message, None));
            }
            _ => {}
        }
    }

    /// A budget is counted in what the offer costs: money where it takes money off, pieces where it is of pieces.
    fn budget_fits(&mut self, budget: Option<Budget>, effect: &OfferEffect, node: &Node) {
        let (Some(budget), Some(at)) = (budget, node.get("budget")) else { return };
        let (in_money, in_pieces) = match effect {
            OfferEffect::Shipping { .. } => (true, false),
            OfferEffect::Gift { .. } => (false, true),
            _ => (effect.lane().is_some(), effect.lane() == Some(Per::Line)),
        };
        let (is_kept, what) = match budget {
            Budget::Money(_) => (in_money, "in money"),
            Budget::Pieces(_) => (in_pieces, "in pieces"),
        };
        if !is_kept {
            let allowed = match (in_money, in_pieces) {
                (true, true) => "an amount, or a number of pieces",
                (true, false) => "an amount such as 10000",
                (false, true) => "a number of pieces such as 500 pieces",
                (false, false) => "stock, or a limit",
            };
            self.problem(at.problem(format!("what this gives is not counted {what}"), Some(allowed.into())));
        }
    }

    /// Ids that offers name are ids of offers, and a coupon that is given is one.
    fn offers_agree(&mut self, offers: &[Offer], node: &Node) {
        let ids: Vec<&str> = offers.iter().map(|offer| offer.id.as_str()).collect();
        let coupons: Vec<&str> =
            offers.iter().filter(|offer| offer.coupon.is_some()).map(|offer| offer.id.as_str()).collect();
        for offer in offers {
            let Some(at) = node.get(&offer.id) else { continue };
            for (i, other) in offer.excludes.iter().enumerate() {
                if (!ids.contains(&other.as_str()) || *other == offer.id)
                    && let Some(at) = at.get("excludes").and_then(|list| list.elements().get(i))
                {
                    self.problem(unknown(at, "other offer", other, &ids));
                }
            }
            if let (OfferEffect::Give { coupon, .. }, Some(at)) = (&offer.effect, at.get("give"))
                && !coupons.contains(&coupon.as_str())
            {
                self.problem(unknown(at, "offer with a coupon", coupon, &coupons));
            }
        }
    }

    pub(super) fn limits(
        &mut self,
        raw: Option<RawLimits>,
        node: Option<&Node>,
    ) -> Vec<crate::playbook::UseLimit> {
        let (Some(raw), Some(node)) = (raw, node) else { return Vec::new() };
        match raw {
            RawLimits::One(text) => self.phrase(&text, Some(node), phrases::use_limit).into_iter().collect(),
            RawLimits::Several(several) => {
                if several.len() > MAX_FEW {
                    self.problem(node.problem("too many limits", Some(format!("at most {MAX_FEW}"))));
                }
                let both = several.iter().zip(node.elements());
                both.filter_map(|(text, node)| self.phrase(&text.0, Some(node), phrases::use_limit)).collect()
            }
        }
    }

    /// A whole number from 1.
    pub(super) fn count(&mut self, raw: Option<i64>, node: Option<&Node>, most: u32) -> Option<u32> {
        let (number, node) = (raw?, node?);
        let read = u32::try_from(number).ok().filter(|number| (1..=most).contains(number));
        if read.is_none() {
            self.problem(node.problem(format!("{number} is out of range"), Some(format!("1 to {most}"))));
        }
        read
    }

    pub(super) fn money(&mut self, text: &str, node: Option<&Node>, currency: &Currency) -> Option<Money> {
        self.phrase(text, node, |text| phrases::money(text, currency))
    }
}

/// The lanes where a playbook names none.
fn usual_lanes() -> Vec<Lane> {
    let lane = |id: &str, zh: &str, en: &str, per| Lane { id: id.to_owned(), name: Names::both(zh, en), per };
    vec![
        lane("piece", "单品优惠", "Piece offers", Per::Line),
        lane("order", "整单优惠", "Order offers", Per::Order),
        lane("coupon", "优惠券", "Coupons", Per::Order),
    ]
}

pub(super) fn unknown(at: &Node, what: &str, written: &str, known: &[&str]) -> Problem {
    let hint = nearest(written, known.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
    let message = format!("there is no {what} `{written}`{}", hint.unwrap_or_default());
    at.problem(message, (!known.is_empty()).then(|| known.join(", ")))
}

impl Per {
    /// As written.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Order => "order",
        }
    }
}
