//! Which offers may apply to a cart, as numbers for the solver; why the others do not.

use zhiyin_condition::{Leaves, holds_in};
use zhiyin_model::money::Money;
use zhiyin_model::playbook::offer::{Amount, Budget, Counts, OfferEffect, Per, Pricing, StepGain, Within};
use zhiyin_model::time::{Ts, Zone};

use crate::cart::{AtTill, Cart, Customer};
use crate::compile::{Offered, Offers, Picker};
use crate::deal::{BUY, DEALS_MAX, Deal, Effect, GET, Gain, How, LaneKind, LineIn, Place, Scene, Span, Step};
use crate::reason::{Missing, Reason};

/// What is found of an offer before anything is combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may take money off: the deal of this number.
    Deal(u16),
    /// It holds, and gives something else; from this much on, by this coupon.
    Gives(Money, Option<u16>),
    /// It does not apply.
    Not(Not),
}

/// Why it does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Not {
    pub(crate) reason: Reason,
    pub(crate) missing: Option<Missing>,
    pub(crate) within: Option<Within>,
}

impl Not {
    pub(crate) const fn because(reason: Reason) -> Self {
        Self { reason, missing: None, within: None }
    }

    const fn missing(reason: Reason, missing: Missing) -> Self {
        Self { reason, missing: Some(missing), within: None }
    }
}

/// The offer of a deal, and the coupon it takes.
pub(crate) type OfDeal = (u16, Option<u16>);

/// Judging one cart. Kept from cart to cart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judging {
    /// Of each offer, in the playbook's order.
    pub(crate) verdicts: Vec<Verdict>,
    /// Of each deal.
    pub(crate) of_deal: Vec<OfDeal>,
    /// Whether offers were left out, as there are too many.
    pub(crate) is_cut: bool,
    picked: Vec<Place>,
    ranks: Vec<(i64, u16)>,
}

/// What a cart is judged by.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) offers: &'a Offers,
    pub(crate) leaves: &'a Leaves,
    pub(crate) cart: &'a Cart,
    pub(crate) customer: &'a Customer<'a>,
    pub(crate) now: Ts,
}

impl<'a> Asked<'a> {
    pub(crate) fn till(&self) -> AtTill<'a> {
        AtTill { member: self.customer.facts, cart: &self.cart.row, item: None }
    }

    pub(crate) fn zone(&self) -> &'a Zone {
        self.cart.zone.as_ref().unwrap_or(&self.offers.zone)
    }

    pub(crate) fn picks(&self, picker: &Picker, till: &AtTill<'_>, line: usize) -> bool {
        picker.picks(&self.cart.row.items[line], till, self.leaves, self.now)
    }
}

impl Judging {
    /// Sets the scene of a cart.
    pub(crate) fn judge(&mut self, asked: &Asked<'_>, scene: &mut Scene, exact: bool) {
        scene.clear();
        self.verdicts.clear();
        self.of_deal.clear();
        self.is_cut = false;
        let till = asked.till();
        for (line, item) in asked.cart.row.items.iter().enumerate() {
            let pieces = i64::from(item.quantity);
            let mut floor = asked.cart.lines[line].floor.map_or(0, |floor| floor.0);
            for (picker, price, pay) in &asked.offers.floors {
                let least = match (price, pay) {
                    (Some(price), _) => price.0,
                    (None, pay) => crate::split::portion(item.price.0, pay.map_or(0, |pay| pay.0)),
                };
                if least > floor && asked.picks(picker, &till, line) {
                    floor = least;
                }
            }
            let list = item.price.0 * pieces;
            scene.lines.push(LineIn { list, pieces, floor: floor.min(item.price.0) * pieces });
        }
        scene.lanes.extend(asked.offers.lanes.iter().map(|(_, per)| match per {
            Per::Line => LaneKind::Item,
            Per::Order => LaneKind::Order,
        }));
        scene.points = asked.customer.facts.points().max(0);
        for (number, offer) in (0u16..).zip(&asked.offers.offers) {
            let verdict = self.offer(asked, &till, scene, number, offer);
            self.verdicts.push(verdict.unwrap_or_else(Verdict::Not));
        }
        self.exclude(asked, scene);
        // Exchanges and add-ons draw on points and pieces by their ranks.
        if exact || scene.deals.iter().any(|deal| matches!(deal.effect, Effect::AddOn { .. })) {
            self.rank(asked, scene);
        }
    }

    fn offer(
        &mut self,
        asked: &Asked<'_>,
        till: &AtTill<'_>,
        scene: &mut Scene,
        number: u16,
        offer: &Offered,
    ) -> Result<Verdict, Not> {
        let terms = &offer.terms;
        let (cart, customer) = (asked.cart, asked.customer);
        if terms.from.is_some() || terms.until.is_some() {
            let today = asked.zone().day(asked.now);
            if terms.from.is_some_and(|from| today < from) {
                return Err(Not::because(Reason::NotYet));
            }
            if terms.until.is_some_and(|until| today > until) {
                return Err(Not::because(Reason::Over));
            }
        }
        if terms.partner.as_ref().is_some_and(|partner| !cart.codes.contains(partner)) {
            return Err(Not::because(Reason::NoCode));
        }
        if let Some(who) = &offer.who
            && !holds_in(who, asked.leaves, &asked.offers.zone, customer.facts, asked.now)
        {
            return Err(Not::because(Reason::NotForMember));
        }
        let coupon = match terms.coupon {
            Some(_) => Some(coupon(asked, &terms.id)?),
            None => None,
        };
        limits(asked, offer)?;
        for (part, wanting) in &offer.when {
            if !holds_in(part, asked.leaves, asked.zone(), till, asked.now) {
                return Err(Not::because(wanting.reason()));
            }
        }
        self.pick(asked, till, offer);
        if self.picked.is_empty() {
            return Err(Not::because(Reason::NothingOfIt));
        }
        let (mut list, mut pieces) = (0, 0);
        for place in &self.picked {
            list += scene.lines[usize::from(place.line)].list;
            pieces += scene.lines[usize::from(place.line)].pieces;
        }
        if pieces < i64::from(terms.at_least_pieces) {
            let more = i64::from(terms.at_least_pieces) - pieces;
            return Err(Not::missing(Reason::MorePieces, Missing::Pieces(more.unsigned_abs())));
        }
        let before = (scene.steps.len(), scene.parts.len());
        let (effect, points_each) = match effect(asked, scene, offer, &self.picked, (list, pieces)) {
            Ok(Some(effect)) => effect,
            Ok(None) => return Ok(Verdict::Gives(gives_from(&terms.effect), coupon)),
            Err(not) => {
                scene.steps.truncate(before.0);
                scene.parts.truncate(before.1);
                scene.bears.truncate(before.1);
                return Err(not);
            }
        };
        if scene.deals.len() >= DEALS_MAX {
            self.is_cut = true;
            return Err(Not::because(Reason::TooMany));
        }
        let deal = u16::try_from(scene.deals.len()).unwrap_or(u16::MAX);
        let places = span(scene.places.len(), scene.places.len() + self.picked.len());
        scene.places.extend_from_slice(&self.picked);
        scene.deals.push(Deal {
            lane: offer.lane.unwrap_or(0),
            effect,
            places,
            whole: self.picked.len() == scene.lines.len(),
            rank: deal,
            conflicts: 0,
            coupon: coupon.is_some(),
            budget: budget(asked, offer).unwrap_or(i64::MAX),
            budget_pieces: budget_pieces(asked, offer).unwrap_or(i64::MAX),
            points_each,
        });
        self.of_deal.push((number, coupon));
        Ok(Verdict::Deal(deal))
    }

    /// The lines that an offer is of.
    fn pick(&mut self, asked: &Asked<'_>, till: &AtTill<'_>, offer: &Offered) {
        self.picked.clear();
        let of = |line: usize| offer.of.as_ref().is_none_or(|of| asked.picks(of, till, line));
        for line in 0..asked.cart.row.items.len() {
            let part = |part: usize| asked.picks(&offer.parts[part], till, line);
            let role = match &offer.terms.effect {
                OfferEffect::BuyGet { get_of: Some(_), .. } => {
                    (if of(line) { BUY } else { 0 }) | (if part(0) { GET } else { 0 })
                }
                OfferEffect::Bundle { .. } => match (0..offer.parts.len()).find(|number| part(*number)) {
                    Some(number) if of(line) => u8::try_from(number).unwrap_or(u8::MAX),
                    _ => continue,
                },
                _ if of(line) => BUY,
                _ => 0,
            };
            if role != 0 || matches!(offer.terms.effect, OfferEffect::Bundle { .. }) {
                self.picked.push(Place { line: u16::try_from(line).unwrap_or(u16::MAX), role });
            }
        }
    }

    /// Which deals do not go together, both ways.
    fn exclude(&self, asked: &Asked<'_>, scene: &mut Scene) {
        for (a, (offer, ..)) in self.of_deal.iter().enumerate() {
            let offer = &asked.offers.offers[usize::from(*offer)];
            if offer.excludes.is_empty() && !offer.terms.alone {
                continue;
            }
            for (b, (other, ..)) in self.of_deal.iter().enumerate() {
                if a != b && (offer.terms.alone || offer.excludes.contains(&usize::from(*other))) {
                    scene.deals[a].conflicts |= 1 << b;
                    scene.deals[b].conflicts |= 1 << a;
                }
            }
        }
    }

    /// Earlier expiry first, then the smaller id.
    fn rank(&mut self, asked: &Asked<'_>, scene: &mut Scene) {
        let expires = |coupon: &Option<u16>| {
            coupon.map_or(i64::MAX, |coupon| asked.customer.coupons[usize::from(coupon)].expires.0)
        };
        let id = |deal: u16| &asked.offers.offers[usize::from(self.of_deal[usize::from(deal)].0)].terms.id;
        let mut ranks = std::mem::take(&mut self.ranks);
        ranks.clear();
        ranks.extend((0u16..).zip(&self.of_deal).map(|(deal, (_, coupon))| (expires(coupon), deal)));
        ranks.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| id(a.1).cmp(id(b.1))));
        for (rank, (_, deal)) in (0u16..).zip(&ranks) {
            scene.deals[usize::from(*deal)].rank = rank;
        }
        self.ranks = ranks;
    }
}

fn span(from: usize, to: usize) -> Span {
    let index = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
    Span { from: index(from), to: index(to) }
}

/// The coupon of an offer that expires first, among those that have not.
fn coupon(asked: &Asked<'_>, offer: &str) -> Result<u16, Not> {
    let held = asked.customer.coupons.iter().enumerate().filter(|(_, coupon)| coupon.offer == offer);
    let mut best: Option<(Ts, &str, usize)> = None;
    let mut expired = false;
    for (i, coupon) in held {
        if coupon.expires <= asked.now {
            expired = true;
        } else if best.is_none_or(|best| (coupon.expires, coupon.id.as_str()) < (best.0, best.1)) {
            best = Some((coupon.expires, &coupon.id, i));
        }
    }
    let found = best.and_then(|(_, _, i)| u16::try_from(i).ok());
    found.ok_or(Not::because(if expired { Reason::CouponExpired } else { Reason::NoCoupon }))
}

/// Limits, stock and budgets.
fn limits(asked: &Asked<'_>, offer: &Offered) -> Result<(), Not> {
    let terms = &offer.terms;
    if !terms.limits.is_empty()
        && let Some(uses) = asked.customer.uses.get(&terms.id)
    {
        for limit in &terms.limits {
            let used = if limit.per_member { &uses.member } else { &uses.all };
            if used.get(&limit.within).copied().unwrap_or(0) >= limit.times {
                let within = Some(limit.within);
                return Err(Not { reason: Reason::LimitUsed, missing: None, within });
            }
        }
    }
    if terms.stock.is_some() || terms.budget.is_some() {
        let left = asked.customer.left.get(&terms.id).copied().unwrap_or_default();
        if left.stock.or(terms.stock) == Some(0) {
            return Err(Not::because(Reason::SoldOut));
        }
        let spent = match terms.budget {
            Some(Budget::Money(all)) => left.money.unwrap_or(all.0) <= 0,
            Some(Budget::Pieces(all)) => left.pieces.unwrap_or(all) == 0,
            None => false,
        };
        if spent {
            return Err(Not::because(Reason::BudgetUsed));
        }
    }
    Ok(())
}

/// What is left of an offer's budget in money, in minor units; `None` where it has none.
pub(crate) fn budget(asked: &Asked<'_>, offer: &Offered) -> Option<i64> {
    let Some(Budget::Money(all)) = offer.terms.budget else { return None };
    Some(asked.customer.left.get(&offer.terms.id).and_then(|left| left.money).unwrap_or(all.0))
}

/// What is left of an offer's budget in pieces; `None` where it has none.
pub(crate) fn budget_pieces(asked: &Asked<'_>, offer: &Offered) -> Option<i64> {
    let Some(Budget::Pieces(all)) = offer.terms.budget else { return None };
    let left = asked.customer.left.get(&offer.terms.id).and_then(|left| left.pieces).unwrap_or(all);
    Some(i64::try_from(left).unwrap_or(i64::MAX))
}

/// From how much on something is given that is no money off.
fn gives_from(effect: &OfferEffect) -> Money {
    match effect {
        OfferEffect::Gift { spend, .. }
        | OfferEffect::Shipping { spend, .. }
        | OfferEffect::Points { spend, .. }
        | OfferEffect::Service { spend, .. }
        | OfferEffect::Give { spend, .. } => *spend,
        _ => Money::ZERO,
    }
}

/// An amount for the tier held.
fn amount(asked: &Asked<'_>, amount: &Amount) -> Result<i64, Not> {
    match amount {
        Amount::Fixed(money) => Ok(money.0),
        Amount::ByTier(tiers) => {
            let tier = asked.customer.facts.tier();
            let amount = tier.and_then(|tier| tiers.get(tier));
            amount.map(|money| money.0).ok_or(Not::because(Reason::NotInTier))
        }
    }
}

fn how(asked: &Asked<'_>, price: &Pricing) -> Result<How, Not> {
    Ok(match price {
        Pricing::Pay(pay) => How::Pay(pay.0),
        Pricing::OffPiece(off) => How::Off(amount(asked, off)?),
        Pricing::OffLine(off) => How::OffLine(amount(asked, off)?),
        Pricing::Price(price) => How::Price(price.0),
    })
}

/// What an offer does to this cart, whose lines of it come to so much by list prices and to so many pieces, and for how many points
/// a piece; `None` where it takes no money off lines.
fn effect(
    asked: &Asked<'_>,
    scene: &mut Scene,
    offer: &Offered,
    picked: &[Place],
    (list, pieces): (i64, i64),
) -> Result<Option<(Effect, i64)>, Not> {
    let often = |per_order: &Option<u32>| per_order.map_or(i64::MAX, i64::from);
    let more_pieces = |more: i64| Not::missing(Reason::MorePieces, Missing::Pieces(more.unsigned_abs()));
    let spend_more = |spend: i64| match spend - list {
        ..=0 => Ok(()),
        more => Err(Not::missing(Reason::SpendMore, Missing::Money(Money(more)))),
    };
    let effect = match &offer.terms.effect {
        OfferEffect::Steps { steps, counts } => {
            let from = scene.steps.len();
            let by_list = *counts == Counts::ListPrice;
            let mut wanting = None;
            for step in steps {
                let gain = match &step.gain {
                    StepGain::Off(off) => Gain::Off(amount(asked, off)?),
                    StepGain::Pay(pay, cap) => Gain::Pay(pay.0, cap.map_or(i64::MAX, |cap| cap.0)),
                };
                let more = i64::from(step.pieces) - pieces;
                if more > 0 {
                    wanting = wanting.or(Some(more_pieces(more)));
                } else if let Err(not) = spend_more(step.spend.0) {
                    wanting = wanting.or(Some(not));
                } else {
                    let pieces = i64::from(step.pieces);
                    scene.steps.push(Step { spend: step.spend.0, by_list, pieces, gain });
                }
            }
            if scene.steps.len() == from {
                return Err(wanting.unwrap_or(Not::because(Reason::NoEffect)));
            }
            Effect::Steps(span(from, scene.steps.len()))
        }
        OfferEffect::Every { every, off, at_most, counts } => {
            spend_more(every.0)?;
            // The last time gives what is left of the most.
            let off_max = at_most.map_or(i64::MAX, |most| most.0);
            let times_max = at_most.map_or(i64::MAX, |most| (most.0 + off.0 - 1) / off.0.max(1));
            let by_list = *counts == Counts::ListPrice;
            Effect::Every { every: every.0, off: off.0, times_max, off_max, by_list }
        }
        OfferEffect::Each { price, per_line } => {
            Effect::Each { how: how(asked, price)?, pieces_max: often(per_line) }
        }
        OfferEffect::NFor { pieces: n, price, per_order } => {
            let n = i64::from(*n);
            if pieces < n {
                return Err(more_pieces(n - pieces));
            }
            Effect::NFor { n, how: how(asked, price)?, groups_max: often(per_order) }
        }
        OfferEffect::BuyGet { buy, get, get_of, pay, per_order } => {
            let (buy, get, groups_max) = (i64::from(*buy), i64::from(*get), often(per_order));
            match get_of {
                None if pieces < buy + get => return Err(more_pieces(buy + get - pieces)),
                None => Effect::BuyGet { buy, get, pay: pay.0, groups_max },
                Some(_) => scene.buy_other((buy, get, pay.0), groups_max, picked).map_err(more_pieces)?,
            }
        }
        OfferEffect::Bundle { parts, price, per_order } => {
            let parts = parts.iter().map(|part| i64::from(part.pieces));
            scene.bundle(parts, price.0, often(per_order), picked).map_err(more_pieces)?
        }
        OfferEffect::AddOn { price, per_order } => {
            let all: i64 = scene.lines.iter().map(|line| line.pieces).sum();
            let pieces_max = i64::from(*per_order).min(all - 1);
            if pieces_max <= 0 {
                return Err(more_pieces(1));
            }
            Effect::AddOn { price: price.0, pieces_max }
        }
        OfferEffect::Exchange { points: each, price, per_order } => {
            let Some(chosen) = asked.cart.chosen.get(&offer.terms.id).filter(|chosen| **chosen > 0) else {
                return Err(Not::because(Reason::NotAsked));
            };
            // Several exchanges draw on the same points: how many pieces each gets is seen when they are combined.
            let affordable = scene.points / (*each).max(1);
            if affordable == 0 {
                return Err(Not::missing(Reason::MorePoints, Missing::Points(each - scene.points)));
            }
            let pieces_max = i64::from(*chosen).min(i64::from(*per_order)).min(affordable);
            return Ok(Some((Effect::AddOn { price: price.0, pieces_max }, *each)));
        }
        _ => return Ok(None),
    };
    Ok(Some((effect, 0)))
}
