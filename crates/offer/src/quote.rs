//! A quote: what a cart costs, and why.

use zhiyin_condition::Leaves;
use zhiyin_model::money::Money;
use zhiyin_model::playbook::Names;
use zhiyin_model::playbook::Ratio;
use zhiyin_model::playbook::offer::{Counts, OfferEffect, Within};
use zhiyin_model::time::Ts;

use crate::cart::{Cart, Customer};
use crate::compile::Offers;
use crate::deal::{Effect, Scene};
use crate::exact::{Search, Solution};
use crate::judge::{Asked, Judging, Not, OfDeal, Verdict};
use crate::reason::{Missing, Reason};

/// How many branches a search looks at, unless whoever asks says otherwise.
pub const STEPS_MAX: u64 = 400_000;

/// How offers are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The combination that leaves least to pay, looking at no more than so many branches.
    Best(u64),
    /// In the playbook's order, what comes first.
    Greedy,
}

/// What a cart costs. Amounts are in minor units; taxes are in the prices.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote<'a> {
    /// The lines, in the order of the cart.
    pub lines: Vec<QuotedLine<'a>>,
    /// What they cost by list prices.
    pub list: Money,
    /// What is taken off.
    pub discount: Money,
    /// What is left to pay of the lines; shipping apart.
    pub payable: Money,
    /// What shipping costs.
    pub shipping: Money,
    /// What is taken off shipping.
    pub shipping_discount: Money,
    /// Offers that apply, lane by lane, then those that take no money off lines.
    pub applied: Vec<Applied<'a>>,
    /// By how much points are multiplied.
    pub points_times: Ratio,
    /// Points that exchanges cost.
    pub points_spent: i64,
    /// The other offers, in the playbook's order.
    pub not_applied: Vec<NotApplied<'a>>,
    /// Whether no combination leaves less to pay.
    pub exact: bool,
    /// No combination leaves less to pay than this. Only said of the best combination.
    pub bound: Money,
    /// How many branches and lines were looked at.
    pub steps: u64,
}

/// A line of a quote.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotedLine<'a> {
    /// As whoever asks calls it.
    pub id: &'a str,
    /// How many pieces.
    pub pieces: u32,
    /// What it costs by its list price.
    pub list: Money,
    /// What each offer takes off, in the order of lanes.
    pub discounts: Vec<Discount<'a>>,
    /// What is left to pay.
    pub payable: Money,
    /// The offers of early access that are of it, none of which is for this member now: it may not be bought yet.
    pub not_yet_for: Vec<&'a str>,
}

/// What an offer takes off a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discount<'a> {
    /// The offer.
    pub offer: &'a str,
    /// How much.
    pub amount: Money,
}

/// An offer that applies.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied<'a> {
    /// Its id.
    pub offer: &'a str,
    /// What people call it.
    pub name: &'a Names,
    /// What it takes off lines.
    pub amount: Money,
    /// The coupon it takes.
    pub coupon: Option<&'a str>,
    /// What else it gives.
    pub gives: Option<Given<'a>>,
}

/// What an offer gives beside money off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Given<'a> {
    /// A gift line: a product and pieces.
    Gift(&'a str, u32),
    /// So much off shipping.
    Shipping(Money),
    /// Points, so many times.
    Points(Ratio),
    /// A service.
    Service(&'a Names),
    /// A coupon of an offer.
    Coupon(&'a str),
    /// Its items may be bought already.
    Access,
}

/// An offer that does not apply.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NotApplied<'a> {
    /// Its id.
    pub offer: &'a str,
    /// What people call it.
    pub name: &'a Names,
    /// Why not.
    pub reason: Reason,
    /// How much of what is wanting.
    pub missing: Option<Missing>,
    /// The time within which it was used up.
    pub within: Option<Within>,
    /// The offer that applies instead.
    pub instead: Option<&'a str>,
}

/// A till: what is needed to quote, kept from cart to cart so that hardly anything is allocated.
#[derive(Clone, Debug, Default)]
pub struct Till {
    pub(crate) scene: Scene,
    pub(crate) judging: Judging,
    search: Search,
    pub(crate) solution: Solution,
}

impl Till {
    /// What a cart costs at an instant. The cart was summed up ([`Cart::sum_up`]), the offers' conditions collected into the
    /// leaves.
    pub fn quote<'a>(
        &mut self,
        offers: &'a Offers,
        leaves: &'a Leaves,
        cart: &'a Cart,
        customer: &'a Customer<'a>,
        now: Ts,
        mode: Mode,
    ) -> Quote<'a> {
        let asked = Asked { offers, leaves, cart, customer, now };
        self.solve(&asked, mode);
        self.written(offers, leaves, cart, customer, now)
    }

    /// What is left to pay of a cart's lines, and nothing else of it.
    pub fn payable(
        &mut self,
        offers: &Offers,
        leaves: &Leaves,
        cart: &Cart,
        customer: &Customer<'_>,
        now: Ts,
        mode: Mode,
    ) -> Money {
        self.solve(&Asked { offers, leaves, cart, customer, now }, mode);
        Money(self.solution.payable)
    }

    /// What was judged and solved last.
    pub(crate) fn parts(&self) -> (&Scene, &Solution, &[OfDeal]) {
        (&self.scene, &self.solution, &self.judging.of_deal)
    }

    fn solve(&mut self, asked: &Asked<'_>, mode: Mode) {
        self.judging.judge(asked, &mut self.scene, mode != Mode::Greedy);
        match mode {
            Mode::Best(steps_max) => {
                self.search.solve(&self.scene, steps_max, &mut self.solution);
                if self.judging.is_cut {
                    // What was left out might do better: only floors are sure.
                    (self.solution.exact, self.solution.bound) = (false, self.search.floor());
                }
            }
            Mode::Greedy => self.search.greedy(&self.scene, &mut self.solution),
        }
    }

    fn written<'a>(
        &self,
        offers: &'a Offers,
        leaves: &'a Leaves,
        cart: &'a Cart,
        customer: &'a Customer<'a>,
        now: Ts,
    ) -> Quote<'a> {
        let asked = Asked { offers, leaves, cart, customer, now };
        let (scene, solution, judging) = (&self.scene, &self.solution, &self.judging);
        let id =
            |deal: u16| offers.offers[usize::from(judging.of_deal[usize::from(deal)].0)].terms.id.as_str();
        let n = scene.lines.len();
        let last = &solution.levels[solution.levels.len() - n..];
        let mut lines: Vec<QuotedLine<'a>> = Vec::with_capacity(n);
        for (i, line) in cart.lines.iter().enumerate() {
            lines.push(QuotedLine {
                id: &line.id,
                pieces: cart.row.items[i].quantity,
                list: Money(scene.lines[i].list),
                discounts: Vec::new(),
                payable: Money(last[i]),
                not_yet_for: Vec::new(),
            });
        }
        // What each deal takes off in all; `None` where it does not apply.
        let mut amounts: Vec<i64> = vec![0; scene.deals.len()];
        for share in &solution.shares {
            amounts[usize::from(share.deal)] += share.off;
            let discount = Discount { offer: id(share.deal), amount: Money(share.off) };
            lines[usize::from(share.line)].discounts.push(discount);
        }
        let mut applied: Vec<Applied<'a>> = Vec::new();
        let mut order: Vec<u16> =
            (0u16..).take(scene.deals.len()).filter(|deal| amounts[usize::from(*deal)] > 0).collect();
        order.sort_unstable_by_key(|deal| (scene.deals[usize::from(*deal)].lane, id(*deal)));
        for deal in order {
            let (offer, coupon) = judging.of_deal[usize::from(deal)];
            let terms = &offers.offers[usize::from(offer)].terms;
            applied.push(Applied {
                offer: &terms.id,
                name: &terms.name,
                amount: Money(amounts[usize::from(deal)]),
                coupon: coupon.map(|coupon| customer.coupons[usize::from(coupon)].id.as_str()),
                gives: None,
            });
        }
        let mut quote = Quote {
            lines,
            list: cart.row.total,
            discount: Money(cart.row.total.0 - solution.payable),
            payable: Money(solution.payable),
            shipping: cart.row.shipping,
            shipping_discount: Money::ZERO,
            applied,
            points_times: Ratio::ONE,
            points_spent: solution.points_spent,
            not_applied: Vec::new(),
            exact: solution.exact,
            bound: Money(solution.bound),
            steps: solution.steps,
        };
        let mut times: Vec<Ratio> = Vec::new();
        let mut gifts = self.given(&asked, &amounts, &mut quote).into_iter();
        for (number, verdict) in judging.verdicts.iter().enumerate() {
            let offer = &offers.offers[number];
            let (not, instead) = match verdict {
                Verdict::Deal(deal) if amounts[usize::from(*deal)] > 0 => continue,
                Verdict::Deal(deal) => {
                    let not = self.passed_over(*deal, &amounts);
                    let instead = match not.reason {
                        Reason::BetterWithout | Reason::Excluded => self.instead(*deal, &amounts).map(id),
                        _ => None,
                    };
                    (not, instead)
                }
                Verdict::Not(not) => (self.reckoned(&asked, number, *not), None),
                Verdict::Gives(_, coupon) => match gifts.next() {
                    Some(Ok(gives)) => {
                        if let Given::Points(own) = gives {
                            times.push(own);
                        }
                        quote.applied.push(Applied {
                            offer: &offer.terms.id,
                            name: &offer.terms.name,
                            amount: Money::ZERO,
                            coupon: coupon.map(|coupon| customer.coupons[usize::from(coupon)].id.as_str()),
                            gives: Some(gives),
                        });
                        continue;
                    }
                    Some(Err((not, instead))) => {
                        (not, instead.map(|other| offers.offers[other].terms.id.as_str()))
                    }
                    None => continue,
                },
            };
            quote.not_applied.push(NotApplied {
                offer: &offer.terms.id,
                name: &offer.terms.name,
                reason: not.reason,
                missing: not.missing,
                within: not.within,
                instead,
            });
        }
        quote.points_times = offers.combine.of(times);
        self.access(&asked, &mut quote);
        quote
    }

    /// Why an offer does not apply, where money is missing: of what is left to pay before its lane, not of list prices.
    fn reckoned(&self, asked: &Asked<'_>, number: usize, not: Not) -> Not {
        let offer = &asked.offers.offers[number];
        let (Some(lane), Reason::SpendMore, Some(Missing::Money(more))) =
            (offer.lane, not.reason, not.missing)
        else {
            return not;
        };
        match &offer.terms.effect {
            OfferEffect::Steps { counts, .. } | OfferEffect::Every { counts, .. }
                if *counts == Counts::ToPay => {}
            _ => return not,
        }
        let till = asked.till();
        let n = self.scene.lines.len();
        let level = &self.solution.levels[usize::from(lane) * n..][..n];
        let of = |line: &usize| offer.of.as_ref().is_none_or(|of| asked.picks(of, &till, *line));
        let taken: i64 = (0..n).filter(of).map(|line| self.scene.lines[line].list - level[line]).sum();
        Not { missing: Some(Missing::Money(Money(more.0 + taken))), ..not }
    }

    /// Why a deal that might apply does not.
    fn passed_over(&self, deal: u16, amounts: &[i64]) -> Not {
        let own = &self.scene.deals[usize::from(deal)];
        let n = self.scene.lines.len();
        let level = &self.solution.levels[usize::from(own.lane) * n..][..n];
        let places = own.places.of(&self.scene.places);
        let amount: i64 = places.iter().map(|place| level[usize::from(place.line)]).sum();
        let wanted = match own.effect {
            Effect::Steps(steps) => {
                let steps = steps.of(&self.scene.steps).iter();
                steps.map(|step| if step.by_list { 0 } else { step.spend }).min().unwrap_or(0)
            }
            Effect::Every { every, by_list: false, .. } => every,
            _ => 0,
        };
        if (0..amounts.len()).any(|other| amounts[other] > 0 && own.conflicts & (1 << other) != 0) {
            return Not::because(Reason::Excluded);
        }
        let others_of_lane =
            self.scene.deals.iter().zip(amounts).any(|(other, amount)| other.lane == own.lane && *amount > 0);
        if wanted > amount && !others_of_lane {
            let missing = Some(Missing::Money(Money(wanted - amount)));
            return Not { reason: Reason::SpendMore, missing, within: None };
        }
        let left = self.scene.points - self.solution.points_spent;
        if own.points_each > left {
            let missing = Some(Missing::Points(own.points_each - left));
            return Not { reason: Reason::MorePoints, missing, within: None };
        }
        if own.has_budget() && !others_of_lane {
            return Not::because(Reason::BudgetUsed);
        }
        Not::because(if others_of_lane { Reason::BetterWithout } else { Reason::NoEffect })
    }

    /// The deal that applies instead of an offer: one it does not go with, or one of its lane.
    fn instead(&self, deal: u16, amounts: &[i64]) -> Option<u16> {
        let own = &self.scene.deals[usize::from(deal)];
        let applies = (0u16..).zip(&self.scene.deals).filter(|(other, _)| amounts[usize::from(*other)] > 0);
        let excluded = applies.clone().find(|(other, _)| own.conflicts & (1 << other) != 0);
        let of_lane = applies.filter(|(_, other)| other.lane == own.lane);
        excluded
            .or_else(|| {
                of_lane
                    .max_by_key(|(other, deal)| (amounts[usize::from(*other)], std::cmp::Reverse(deal.rank)))
            })
            .map(|(other, _)| other)
    }

    /// Lines that are under early access, and for this member not yet.
    fn access<'a>(&self, asked: &Asked<'a>, quote: &mut Quote<'a>) {
        let till = asked.till();
        for (number, offer) in asked.offers.offers.iter().enumerate() {
            let verdict = self.judging.verdicts[number];
            let over = matches!(verdict, Verdict::Not(Not { reason: Reason::Over, .. }));
            if offer.terms.effect != OfferEffect::Access || over {
                continue;
            }
            let Some(of) = &offer.of else { continue };
            for line in 0..quote.lines.len() {
                if asked.picks(of, &till, line) {
                    quote.lines[line].not_yet_for.push(&offer.terms.id);
                }
            }
        }
        for line in &mut quote.lines {
            let holds = |id: &str| quote.applied.iter().any(|applied| applied.offer == id);
            if line.not_yet_for.iter().any(|id| holds(id)) {
                line.not_yet_for.clear();
            }
        }
    }
}
