//! Judging a cart by a member's own state: what it costs, and what that takes of what is bounded.

use std::collections::BTreeMap;

use zhiyin_model::checkout::{CartFacts, CouponTaken, money_of, pieces_of, uses_of};
use zhiyin_model::coupon::{CouponAccount, CouponCode, Holdings, PoolTake, stock_of};
use zhiyin_model::event::Refusal;
use zhiyin_model::id::{CouponId, IdKey};
use zhiyin_model::playbook::Offer;
use zhiyin_model::playbook::offer::{Budget, OfferEffect, Within};
use zhiyin_model::till::PoolOf;
use zhiyin_model::time::{Day, Ts};
use zhiyin_offer::{Applied, Cart, Coupon, Customer, Given, Left, Mode, Quote, STEPS_MAX, Till, Uses, split};

use super::cart::cart;
use super::told::QuoteTold;
use crate::coupon::rule::{counted, first_of_month, monday};
use crate::outcome::{Missing, Stop};
use crate::rules::Rules;
use crate::state::{State, View};

/// Why other offers do not apply is kept of so many.
const NOT_APPLIED_KEPT: usize = 64;

/// A cart, judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What it costs, and why.
    pub quote: QuoteTold,
    /// What it takes of pools, each once, and how much there may be.
    pub pools: Vec<PoolTake>,
    /// Offers whose uses count for the member, and on which day.
    pub uses: Vec<(String, Day)>,
    /// Coupons that it takes.
    pub coupons: Vec<CouponTaken>,
    /// Points that exchanges cost.
    pub points: i64,
    /// The same by line.
    pub exchanges: Vec<(u32, i64)>,
    /// By how much points of its order are multiplied, in thousandths.
    pub times: u32,
}

/// What pools have, as far as it is known: what was taken by others, and what this decision has given back.
#[derive(Clone, Copy, Debug)]
pub struct Pools<'p> {
    /// What is taken.
    pub taken: &'p BTreeMap<String, i64>,
    /// What the decision at hand takes, or gives back.
    pub own: &'p [PoolTake],
}

impl Pools<'_> {
    fn taken(&self, pool: &str) -> i64 {
        let own: i64 = self.own.iter().filter(|take| take.pool == *pool).map(|take| take.amount).sum();
        self.taken.get(pool).copied().unwrap_or(0) + own
    }
}

/// What a cart costs somebody at an instant; nobody known where no state is given.
pub fn judge(
    rules: &Rules,
    key: &IdKey,
    state: &State,
    pools: Pools<'_>,
    facts: &CartFacts,
    at: Ts,
) -> Result<Judged, Stop> {
    let cart = cart(facts, rules).map_err(|problem| {
        Refusal::new("bad_cart", format!("properties.cart.{}", problem.field), problem.message)
    })?;
    let day = cart.zone.as_ref().unwrap_or(&rules.zone).day(at);
    let mut brought = Brought::of(rules, &state.member.holdings, pools, day)?;
    brought.coupons = coupons(key, &state.member.holdings, facts, at)?;
    let view = View::of(state);
    let mut till = Till::default();
    loop {
        let Brought { coupons, uses, left } = &brought;
        let customer = Customer { facts: &view, coupons, uses, left };
        let mode = Mode::Best(STEPS_MAX);
        let quote = till.quote(&rules.offers, &rules.leaves, &cart, &customer, at, mode);
        let plan = Plan { rules, quote: &quote, cart: &cart, holdings: &state.member.holdings, day };
        let (mut judged, over) = plan.judged(pools);
        let Some(over) = over else {
            judged.quote = QuoteTold::of(&quote, &rules.currency, mode);
            judged.quote.not_applied.truncate(NOT_APPLIED_KEPT);
            judged.quote.paid = Some(till.paid(&rules.offers));
            return Ok(judged);
        };
        // More would be taken than there is: the offer is used up for this cart. Each round shuts one offer out.
        let left = brought.left.entry(over).or_default();
        let is_budget = left.money != Some(0) && left.pieces != Some(0);
        left.stock = left.stock.filter(|_| is_budget).or((!is_budget).then_some(0));
        (left.money, left.pieces) = (Some(0), Some(0));
    }
}

/// What offers know of whoever brings a cart.
#[derive(Clone, Debug, Default)]
pub struct Brought {
    /// Coupons.
    pub coupons: Vec<Coupon>,
    /// How often offers were used.
    pub uses: BTreeMap<String, Uses>,
    /// What is left of offers.
    pub left: BTreeMap<String, Left>,
}

impl Brought {
    /// What offers count for a member and for all together on a day; which pools are still to be looked up for it.
    pub fn of(rules: &Rules, holdings: &Holdings, pools: Pools<'_>, day: Day) -> Result<Self, Stop> {
        let running = rules.offer_terms.values().filter(|terms| {
            let over =
                terms.from.is_some_and(|from| day < from) || terms.until.is_some_and(|until| day > until);
            !over && !matches!(terms.effect, OfferEffect::Give { .. })
        });
        let mut unknown = Vec::new();
        let mut brought = Self::default();
        for terms in running {
            let wanted = bounds(terms, day).into_iter().map(|bound| bound.pool);
            unknown.extend(wanted.filter(|pool| !pools.taken.contains_key(pool)));
            brought.note(terms, holdings, pools, day);
        }
        if unknown.is_empty() { Ok(brought) } else { Err(Stop::Missing(Missing::Pools(unknown))) }
    }

    fn note(&mut self, terms: &Offer, holdings: &Holdings, pools: Pools<'_>, day: Day) {
        let count = |pool: &str| u64::try_from(pools.taken(pool)).unwrap_or(0);
        let mut uses = Uses::default();
        for limit in &terms.limits {
            let within = limit.within;
            if !limit.per_member {
                uses.all.insert(within, count(&uses_of(&terms.id, &called(within, day))));
            } else if terms.coupon.is_none()
                && let Some(tally) = holdings.used.get(&terms.id)
            {
                uses.member.insert(within, u64::from(counted(tally, within, day)));
            }
        }
        if !uses.member.is_empty() || !uses.all.is_empty() {
            self.uses.insert(terms.id.clone(), uses);
        }
        let mut left = Left::default();
        // What a coupon's offer has is counted when its coupons are issued.
        if let (Some(stock), None) = (terms.stock, &terms.coupon) {
            left.stock = Some(stock.saturating_sub(count(&stock_of(&terms.id))));
        }
        match terms.budget {
            Some(Budget::Money(all)) => left.money = Some((all.0 - pools.taken(&money_of(&terms.id))).max(0)),
            Some(Budget::Pieces(all)) => left.pieces = Some(all.saturating_sub(count(&pieces_of(&terms.id)))),
            None => {}
        }
        if left != Left::default() {
            self.left.insert(terms.id.clone(), left);
        }
    }
}

/// A pool that an offer takes of, and how much there may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Which.
    pub pool: String,
    /// How much there may be in all.
    pub size: i64,
    /// What of a sale it counts.
    pub of: PoolOf,
}

/// What bounds an offer for all together.
pub fn bounds(terms: &Offer, day: Day) -> Vec<Bound> {
    let size = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
    let mut bounds: Vec<Bound> = Vec::new();
    for limit in terms.limits.iter().filter(|limit| !limit.per_member) {
        let pool = uses_of(&terms.id, &called(limit.within, day));
        match bounds.iter_mut().find(|known| known.pool == pool) {
            Some(known) => known.size = known.size.min(size(limit.times)),
            None => bounds.push(Bound { pool, size: size(limit.times), of: PoolOf::Uses }),
        }
    }
    if let (Some(stock), None) = (terms.stock, &terms.coupon) {
        bounds.push(Bound { pool: stock_of(&terms.id), size: size(stock), of: PoolOf::Uses });
    }
    match terms.budget {
        Some(Budget::Money(all)) => {
            bounds.push(Bound { pool: money_of(&terms.id), size: all.0, of: PoolOf::Money });
        }
        Some(Budget::Pieces(all)) => {
            bounds.push(Bound { pool: pieces_of(&terms.id), size: size(all), of: PoolOf::Pieces });
        }
        None => {}
    }
    bounds
}

/// How many pieces an offer gives of an order at most, where it says so.
pub fn pieces_most(terms: &Offer) -> Option<u32> {
    match terms.effect {
        OfferEffect::AddOn { per_order, .. } | OfferEffect::Exchange { per_order, .. } => Some(per_order),
        _ => None,
    }
}

/// What the time is called that a day's uses count in.
fn called(within: Within, day: Day) -> String {
    match within {
        Within::Day => day.to_string(),
        Within::Week => format!("week-{}", monday(day)),
        Within::Month => format!("month-{}", first_of_month(day)),
        Within::Campaign | Within::Ever => "ever".to_owned(),
    }
}

/// Coupons that are considered: those that a cart names, or all that are held and may be used by now.
fn coupons(key: &IdKey, holdings: &Holdings, facts: &CartFacts, at: Ts) -> Result<Vec<Coupon>, Stop> {
    let coupon = |id: CouponId| {
        let held = holdings.coupons.get(&id).filter(|held| held.account == CouponAccount::Held)?;
        let ready = held.valid_from <= at;
        ready.then(|| Coupon { id: id.to_string(), offer: held.offer.clone(), expires: held.valid_until })
    };
    let Some(named) = &facts.coupons else {
        return Ok(holdings.coupons.keys().filter_map(|id| coupon(*id)).collect());
    };
    let mut found = Vec::new();
    for (i, typed) in named.iter().enumerate() {
        let field = format!("properties.cart.coupons[{i}]");
        let id =
            CouponCode::typed(typed).map(|code| code.id(key)).or_else(|| CouponId::from_hex(typed.trim()));
        let id = id.ok_or_else(|| Stop::refused("coupon_unknown", &field, "there is no such coupon"))?;
        match (holdings.coupons.get(&id), coupon(id)) {
            (_, Some(coupon)) => found.push(coupon),
            (Some(held), None) if held.account == CouponAccount::Locked => {
                return Err(Stop::refused("coupon_locked", &field, "another checkout holds the coupon"));
            }
            _ => return Err(Stop::refused("coupon_not_active", &field, "the member holds no such coupon")),
        }
    }
    Ok(found)
}

/// What a quote would take.
struct Plan<'p> {
    rules: &'p Rules,
    quote: &'p Quote<'p>,
    cart: &'p Cart,
    holdings: &'p Holdings,
    day: Day,
}

impl Plan<'_> {
    /// What the quote takes, and the first offer that would take more than there is.
    fn judged(&self, pools: Pools<'_>) -> (Judged, Option<String>) {
        let mut judged = Judged {
            quote: QuoteTold::default(),
            pools: Vec::new(),
            uses: Vec::new(),
            coupons: Vec::new(),
            points: self.quote.points_spent,
            exchanges: self.exchanges(),
            times: self.quote.points_times.thousandths(),
        };
        let mut over = None;
        for applied in &self.quote.applied {
            let Some(terms) = self.rules.offer_terms.get(applied.offer) else { continue };
            // What an order gives is given when it is placed.
            if matches!(terms.effect, OfferEffect::Give { .. }) {
                continue;
            }
            for bound in bounds(terms, self.day) {
                let amount = match bound.of {
                    PoolOf::Uses => 1,
                    PoolOf::Money => self.money(applied),
                    PoolOf::Pieces => self.pieces(terms, applied),
                };
                if amount > 0 && pools.taken(&bound.pool).saturating_add(amount) > bound.size {
                    over = over.or_else(|| Some(terms.id.clone()));
                }
                if amount > 0 {
                    judged.pools.push(PoolTake { pool: bound.pool, amount, size: Some(bound.size) });
                }
            }
            if terms.coupon.is_none() && terms.limits.iter().any(|limit| limit.per_member) {
                judged.uses.push((terms.id.clone(), self.day));
            }
            let id = applied.coupon.and_then(CouponId::from_hex);
            let held = id.and_then(|id| Some((id, self.holdings.coupons.get(&id)?)));
            judged.coupons.extend(held.map(|(id, held)| CouponTaken {
                id,
                offer: held.offer.clone(),
                at: held.at,
                valid_from: held.valid_from,
                valid_until: held.valid_until,
            }));
        }
        (judged, over)
    }

    /// What an offer costs in money.
    fn money(&self, applied: &Applied<'_>) -> i64 {
        let shipping = match applied.gives {
            Some(Given::Shipping(off)) => off.0,
            _ => 0,
        };
        applied.amount.0 + shipping
    }

    /// How many pieces an offer gives: those of a gift, or those that it takes money off.
    fn pieces(&self, terms: &Offer, applied: &Applied<'_>) -> i64 {
        let most = pieces_most(terms).map_or(i64::MAX, i64::from);
        match applied.gives {
            Some(Given::Gift(_, pieces)) => i64::from(pieces),
            _ => self
                .lines_of(applied.offer)
                .map(|line| i64::from(self.quote.lines[line].pieces))
                .sum::<i64>()
                .min(most),
        }
    }

    /// Lines that an offer takes money off.
    fn lines_of<'q>(&'q self, offer: &'q str) -> impl Iterator<Item = usize> + 'q {
        let takes = move |line: &usize| {
            let discounts = &self.quote.lines[*line].discounts;
            discounts.iter().any(|one| one.offer == offer && one.amount.0 > 0)
        };
        (0..self.quote.lines.len()).filter(takes)
    }

    /// Points of exchanges by line, by the pieces of lines; they sum to what all exchanges cost.
    fn exchanges(&self) -> Vec<(u32, i64)> {
        let mut left = self.quote.points_spent;
        if left == 0 {
            return Vec::new();
        }
        let mut by_line: BTreeMap<u32, i64> = BTreeMap::new();
        for applied in &self.quote.applied {
            let terms = self.rules.offer_terms.get(applied.offer);
            let Some(OfferEffect::Exchange { points, per_order, .. }) = terms.map(|terms| &terms.effect)
            else {
                continue;
            };
            let lines: Vec<usize> = self.lines_of(applied.offer).collect();
            let weights: Vec<i64> =
                lines.iter().map(|line| i64::from(self.quote.lines[*line].pieces)).collect();
            let chosen = self.cart.chosen.get(applied.offer).copied().unwrap_or(*per_order);
            let pieces = weights.iter().sum::<i64>().min(i64::from(chosen)).min(i64::from(*per_order));
            let cost = points.saturating_mul(pieces).min(left);
            left -= cost;
            for (line, share) in lines.iter().zip(split(cost, &weights)) {
                *by_line.entry(u32::try_from(*line).unwrap_or(u32::MAX)).or_default() += share;
            }
        }
        if let Some(first) = by_line.values_mut().next() {
            *first += left;
        }
        by_line.into_iter().collect()
    }
}
