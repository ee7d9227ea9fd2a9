//! What offers give that take no money off lines: judged by what is left to pay in the end. Which of several that do not go together
//! apply does not depend on the order in which they are written: shipping before all else and the largest of it alone, then
//! offers that take no coupon, then whose coupon expires earlier, then the smaller id.

use std::cmp::Reverse;

use zhiyin_model::money::Money;
use zhiyin_model::playbook::offer::OfferEffect;
use zhiyin_model::time::Ts;

use crate::judge::{Asked, Not, Verdict, budget, budget_pieces};
use crate::quote::{Given, Quote, Till};
use crate::reason::{Missing, Reason};

/// What an offer gives; or why not, and the offer that applies instead.
pub(crate) type Outcome<'a> = Result<Given<'a>, (Not, Option<usize>)>;

/// An offer that would give something.
struct Would<'a> {
    offer: usize,
    /// What it takes off shipping, if that is what it gives.
    shipping: Option<i64>,
    coupon_expires: Option<Ts>,
    id: &'a str,
    gives: Given<'a>,
}

impl Till {
    /// What offers give beside money off lines: an outcome for each that may, in the playbook's order.
    pub(crate) fn given<'a>(
        &self,
        asked: &Asked<'a>,
        amounts: &[i64],
        quote: &mut Quote<'a>,
    ) -> Vec<Outcome<'a>> {
        let mut outcomes: Vec<(usize, Outcome<'a>)> = Vec::new();
        let mut would: Vec<Would<'a>> = Vec::new();
        for (offer, verdict) in self.judging.verdicts.iter().enumerate() {
            let Verdict::Gives(spend, coupon) = *verdict else { continue };
            match self.would(asked, offer, spend, amounts, quote) {
                Ok(gives) => would.push(Would {
                    offer,
                    shipping: if let Given::Shipping(off) = gives { Some(off.0) } else { None },
                    coupon_expires: coupon.map(|coupon| asked.customer.coupons[usize::from(coupon)].expires),
                    id: &asked.offers.offers[offer].terms.id,
                    gives,
                }),
                Err(not) => outcomes.push((offer, Err(not))),
            }
        }
        would.sort_unstable_by_key(|one| {
            let off = one.shipping.unwrap_or(0);
            let coupon = one.coupon_expires;
            (one.shipping.is_none(), Reverse(off), coupon.is_some(), coupon, one.id)
        });
        let (mut applied, mut shipped): (Vec<usize>, Option<usize>) = (Vec::new(), None);
        for one in would {
            let is_access = matches!(one.gives, Given::Access);
            let against =
                applied.iter().copied().find(|other| !is_access && excludes(asked, one.offer, *other));
            let outcome = match (one.gives, shipped, against) {
                (Given::Shipping(_), Some(_), _) => Err((Not::because(Reason::BetterWithout), shipped)),
                (_, _, Some(_)) => Err((Not::because(Reason::Excluded), against)),
                (gives, _, None) => {
                    if let Given::Shipping(off) = gives {
                        (shipped, quote.shipping_discount) = (Some(one.offer), off);
                    }
                    if !is_access {
                        applied.push(one.offer);
                    }
                    Ok(gives)
                }
            };
            outcomes.push((one.offer, outcome));
        }
        outcomes.sort_unstable_by_key(|(offer, _)| *offer);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    /// What an offer would give where no other gave anything.
    fn would<'a>(
        &self,
        asked: &Asked<'a>,
        number: usize,
        spend: Money,
        amounts: &[i64],
        quote: &Quote<'a>,
    ) -> Outcome<'a> {
        let offer = &asked.offers.offers[number];
        let till = asked.till();
        let of = |line: usize| offer.of.as_ref().is_none_or(|of| asked.picks(of, &till, line));
        let lines = quote.lines.iter().enumerate().filter(|(line, _)| of(*line));
        let left: i64 = lines.map(|(_, line)| line.payable.0).sum();
        if left < spend.0 {
            let missing = Some(Missing::Money(Money(spend.0 - left)));
            return Err((Not { reason: Reason::SpendMore, missing, within: None }, None));
        }
        if !matches!(offer.terms.effect, OfferEffect::Access) {
            let of_deals = self.judging.of_deal.iter().zip(amounts).filter(|(_, amount)| **amount > 0);
            let mut others = of_deals.map(|((other, _), _)| usize::from(*other));
            if let Some(other) = others.find(|other| excludes(asked, number, *other)) {
                return Err((Not::because(Reason::Excluded), Some(other)));
            }
        }
        let gives = match &offer.terms.effect {
            OfferEffect::Gift { product, pieces, .. } => Given::Gift(product, *pieces),
            OfferEffect::Shipping { at_most, .. } => {
                let cost = quote.shipping.0;
                let off = at_most.map_or(cost, |most| most.0.min(cost));
                if off <= 0 {
                    return Err((Not::because(Reason::NoEffect), None));
                }
                Given::Shipping(Money(off))
            }
            OfferEffect::Points { times, .. } => Given::Points(*times),
            OfferEffect::Service { what, .. } => Given::Service(what),
            OfferEffect::Give { coupon, .. } => Given::Coupon(coupon),
            _ => Given::Access,
        };
        let is_within = match gives {
            Given::Shipping(off) => budget(asked, offer).is_none_or(|left| off.0 <= left),
            Given::Gift(_, pieces) => {
                budget_pieces(asked, offer).is_none_or(|left| i64::from(pieces) <= left)
            }
            _ => true,
        };
        if is_within { Ok(gives) } else { Err((Not::because(Reason::BudgetUsed), None)) }
    }
}

/// Whether two offers do not go together.
fn excludes(asked: &Asked<'_>, one: usize, other: usize) -> bool {
    let (a, b) = (&asked.offers.offers[one], &asked.offers.offers[other]);
    a.terms.alone || b.terms.alone || a.excludes.contains(&other) || b.excludes.contains(&one)
}
