//! What tills sell without a network: only of what was leased to them before, and told afterwards.
//!
//! A lease holds what it has of a member by a checkout of its own, which lets go by itself when the lease's grace is over. A sale
//! is told with the quote that the till made of it: it has happened, so it is not judged anew by what the home knows by now. It must
//! add up, and what it takes must be what the lease has: that moves from the lease to the sale. When what a lease had came back,
//! a sale that is told so late takes of what all share, where that is still there, and is refused by name where it is not.

mod sum;

use zhiyin_model::checkout::{CartFacts, Checkout, CheckoutSet, CheckoutState, CouponTaken, OPEN_MAX, Takes};
use zhiyin_model::coupon::{CouponAccount, CouponMoveKind, PoolTake};
use zhiyin_model::event::{CheckoutFacts, Event, Refusal, names};
use zhiyin_model::id::{CheckoutId, CouponId, MemberId};
use zhiyin_model::playbook::offer::Within;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::till::{
    CLOCK_LAG_US, LEASED_COUPONS_MAX, Lease, LeasedOffer, LeasedPool, PoolOf, holder, pool_of,
};
use zhiyin_model::time::{Day, Ts};

use super::body::Body;
use super::told::{AppliedTold, GivenTold, QuoteTold};
use super::{body_of, ended, give_up, link, lock_coupons, read_thousandths, refused, use_coupons};
use crate::Scene;
use crate::coupon::rule::counted;
use crate::coupon::{moved, set_timer};
use crate::outcome::{Known, KnownCheckout, Missing, Outcome, Said, Stop};
use crate::state::State;
use sum::adds_up;

/// The namespace of the checkouts by which leases hold what they have of members.
const HOLDERS: &str = "lease";

fn said<'e>(event: &'e Event, name: &str) -> Option<&'e str> {
    event.properties.get(name).and_then(Scalar::text)
}

fn lease_of<'k>(known: &'k Known, name: &str) -> Result<&'k Lease, Stop> {
    let found = known.leases.get(name).ok_or_else(|| Stop::Missing(Missing::Lease(name.to_owned())))?;
    let unknown = || Stop::refused("lease_unknown", "properties.lease", "there is no such lease");
    found.as_deref().ok_or_else(unknown)
}

fn looked_up(known: &Known, id: CheckoutId) -> Result<Option<&KnownCheckout>, Stop> {
    known.checkouts.get(&id).map(Option::as_ref).ok_or(Stop::Missing(Missing::Checkout(id)))
}

/// Whom a lease names by an event of its own.
fn holder_of(scene: &Scene<'_>, state: &State, event: &Event, lease: &str) -> Result<CheckoutId, Stop> {
    let named = said(event, "leased_to").and_then(MemberId::from_hex);
    let named =
        named.ok_or_else(|| Stop::refused("member_unknown", "properties.leased_to", "names nobody"))?;
    if state.member.audiences.closed || state.member.decided_until == Ts::MIN {
        return Err(Stop::refused("member_unknown", "properties.leased_to", "nobody is known by this"));
    }
    Ok(holder(scene.key, lease, named))
}

/// What a till may sell of a member's is held for it: coupons that can be used, and a use of each offer that they may use still.
pub fn leased(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    // What names no lease of ours is somebody else's news.
    let Some(name) = said(event, "lease") else { return Ok(()) };
    let lease = lease_of(known, name)?;
    let id = holder_of(scene, state, event, name)?;
    if looked_up(known, id)?.is_some() {
        return Ok(());
    }
    if lease.ended.is_some() || lease.back_at <= scene.at {
        return Err(over("its time is over"));
    }
    if state.member.holdings.checkouts.len() >= OPEN_MAX {
        return refused("too_many_checkouts", "a member has at most 20 open");
    }
    let named: Vec<CouponId> =
        said(event, "coupons").unwrap_or_default().lines().filter_map(CouponId::from_hex).collect();
    let mut trial = state.clone();
    let coupons = usable(&trial, lease, &named, scene.at);
    let takes_uses = lease.offers.iter().filter(|(id, offer)| {
        !offer.coupon && !offer.per_member.is_empty() && may_use(&trial, id, offer, lease.day)
    });
    let uses: Vec<(String, Day)> = takes_uses.map(|(id, _)| (id.clone(), lease.day)).collect();
    lock_coupons(scene, &mut trial, &coupons, lease.back_at, out);
    for (offer, day) in &uses {
        trial.member.holdings.used.entry(offer.clone()).or_default().add(*day, 1);
    }
    trial.member.holdings.checkouts.insert(id, lease.back_at);
    let checkout = Checkout {
        id,
        member: trial.member.id,
        state: CheckoutState::Locked,
        at: scene.at,
        until: lease.back_at,
        cause: scene.cause.id,
        order: None,
        takes: Takes { uses, coupons, ..Takes::default() },
    };
    let body = Body {
        lease: Some(name.to_owned()),
        ..Body::new((HOLDERS, name), CartFacts::default(), QuoteTold::default())
    };
    out.checkouts.push(CheckoutSet { checkout, body: Some(body.text()) });
    set_timer(&mut trial.member);
    *state = trial;
    Ok(())
}

/// Coupons of a member that a till may sell: those that were named, or all; the ones that end first before others.
fn usable(state: &State, lease: &Lease, named: &[CouponId], at: Ts) -> Vec<CouponTaken> {
    let held = state.member.holdings.coupons.iter().filter(|(id, held)| {
        held.account == CouponAccount::Held
            && held.valid_from <= at
            && held.valid_until > at
            && lease.offers.get(&held.offer).is_some_and(|offer| offer.coupon)
            && (named.is_empty() || named.contains(id))
    });
    let mut coupons: Vec<CouponTaken> = held
        .map(|(id, held)| CouponTaken {
            id: *id,
            offer: held.offer.clone(),
            at: held.at,
            valid_from: held.valid_from,
            valid_until: held.valid_until,
        })
        .collect();
    coupons.sort_by_key(|coupon| (coupon.valid_until, coupon.id));
    coupons.truncate(LEASED_COUPONS_MAX);
    coupons
}

/// Whether a member may use an offer once more, counted on a day.
fn may_use(state: &State, id: &str, offer: &LeasedOffer, day: Day) -> bool {
    let tally = state.member.holdings.used.get(id);
    let used = |within: Within| tally.map_or(0, |tally| u64::from(counted(tally, within, day)));
    offer.per_member.iter().all(|(times, within)| used(*within) < *times)
}

/// The till is back: what it did not sell of a member's is theirs again.
pub fn returned_lease(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let Some(name) = said(event, "lease") else { return Ok(()) };
    let id = holder_of(scene, state, event, name)?;
    let open = |found: &&KnownCheckout| {
        found.checkout.state == CheckoutState::Locked && found.checkout.member == state.member.id
    };
    let Some(found) = looked_up(known, id)?.filter(open) else { return Ok(()) };
    let mut trial = state.clone();
    give_up(scene, &mut trial, known, &found.checkout.takes, id, out)?;
    let checkout = Checkout { at: scene.at, ..ended(&found.checkout, CheckoutState::Released) };
    out.checkouts.push(CheckoutSet { checkout, body: None });
    set_timer(&mut trial.member);
    *state = trial;
    Ok(())
}

fn over<T: Into<String>>(message: T) -> Stop {
    Stop::refused("lease_over", "properties.lease", message)
}

fn exhausted(offer: &str) -> Stop {
    let message = format!("the lease has not as much of {offer} left");
    Stop::refused("lease_exhausted", "properties.quote.applied", message)
}

/// A till sold this under its lease, without a network.
pub(super) fn sold(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    (id, found): (CheckoutId, Option<&KnownCheckout>),
    out: &mut Outcome,
) -> Result<(), Stop> {
    let Some(facts) = event.checkout.as_deref() else { return Ok(()) };
    let name = facts.lease.as_deref().unwrap_or_default();
    let cart = facts.cart.as_ref();
    let cart = cart.ok_or_else(|| Stop::refused("cart_missing", "properties.cart", "a sale has a cart"))?;
    if let Some(found) = found {
        return again(scene, state, known, event, (found, name, cart), out);
    }
    let lease = lease_of(known, name)?;
    if event.time > lease.until {
        return Err(over(format!("it was sold after {}, until when the till might", lease.until.rfc3339())));
    }
    if event.time.plus_us(CLOCK_LAG_US) < lease.from {
        return Err(over(format!("it was sold before {}, from when the till might", lease.from.rfc3339())));
    }
    let mut quote = told(facts, cart, &scene.rules.currency.code)?;
    if facts.payable.is_some_and(|payable| payable != quote.payable) {
        let message = format!("{} in minor units is payable of the lines", quote.payable);
        return Err(Stop::refused("payable_changed", "properties.payable", message));
    }
    let mut trial = state.clone();
    let times = read_thousandths(&quote.points_times);
    if !times.is_some_and(|times| times_fit(lease, &quote, times)) {
        return Err(Stop::refused(
            "bad_quote",
            "properties.quote.points_times",
            "no offer that applies gives as many",
        ));
    }
    let (rest, back) = held(scene, state, known, facts, name)?;
    let mut sale = Sale { scene, known, lease, rest, back, takes: Takes::default() };
    sale.take_pools(&quote, out)?;
    for (i, applied) in quote.applied.iter().enumerate() {
        let offer = &lease.offers[&applied.offer];
        if offer.coupon {
            sale.take_coupon(&mut trial, applied, i, out)?;
        } else if !offer.per_member.is_empty() {
            sale.take_use(&mut trial, &applied.offer, offer)?;
        }
    }
    let Sale { rest, takes, .. } = sale;
    if let Some(rest) = rest {
        out.checkouts.push(CheckoutSet { checkout: rest, body: None });
    }
    quote.applied.iter_mut().for_each(|applied| applied.coupon = None);
    let mut body = Body {
        lease: Some(name.to_owned()),
        ..Body::new((&facts.namespace, &facts.name), cart.clone(), quote)
    };
    use_coupons(scene, &mut trial, &takes.coupons, &body, out);
    let mut checkout = Checkout {
        id,
        member: trial.member.id,
        state: CheckoutState::Redeemed,
        at: scene.at,
        until: scene.at,
        cause: scene.cause.id,
        order: None,
        takes,
    };
    link(scene, &trial, known, event, (&mut checkout, &mut body), out)?;
    let said = vec![
        ("checkout", id.to_string()),
        ("payable", body.quote.payable.to_string()),
        ("discount", body.quote.discount.to_string()),
    ];
    out.facts.push(Said { name: names::CHECKOUT_REDEEMED, properties: said });
    out.checkouts.push(CheckoutSet { checkout, body: Some(body.text()) });
    set_timer(&mut trial.member);
    *state = trial;
    Ok(())
}

/// A sale that was told before: nothing is taken twice. Its order may be told later.
fn again(
    scene: &Scene<'_>,
    state: &State,
    known: &Known,
    event: &Event,
    (found, lease, cart): (&KnownCheckout, &str, &CartFacts),
    out: &mut Outcome,
) -> Result<(), Stop> {
    let mut body = body_of(found)?;
    let paid = matches!(found.checkout.state, CheckoutState::Redeemed | CheckoutState::Returned);
    if !paid || body.lease.as_deref() != Some(lease) || body.cart != *cart {
        return refused("checkout_redeemed", "a checkout of this name is another one");
    }
    let mut checkout = found.checkout.clone();
    if checkout.order.is_none() && event.checkout.as_deref().is_some_and(|facts| facts.order.is_some()) {
        link(scene, state, known, event, (&mut checkout, &mut body), out)?;
        out.checkouts.push(CheckoutSet { checkout, body: Some(body.text()) });
    }
    Ok(())
}

/// What the lease still holds of whom it names, or what it held until that was theirs again; if it names the member at hand.
fn held<'k>(
    scene: &Scene<'_>,
    state: &State,
    known: &'k Known,
    facts: &CheckoutFacts,
    lease: &str,
) -> Result<(Option<Checkout>, Option<&'k Checkout>), Stop> {
    let Some(named) = facts.leased_to else { return Ok((None, None)) };
    let found = looked_up(known, holder(scene.key, lease, named))?.map(|found| &found.checkout);
    let theirs = found.filter(|found| found.member == state.member.id);
    Ok(match theirs {
        Some(found) if found.state == CheckoutState::Locked => (Some(found.clone()), None),
        back => (None, back),
    })
}

/// Whether offers that apply may multiply points as often as is told, however they are combined.
fn times_fit(lease: &Lease, quote: &QuoteTold, times: u32) -> bool {
    let offers = quote.applied.iter().filter_map(|applied| lease.offers.get(&applied.offer)?.points_times);
    let (sum, product) = offers.map(u64::from).fold((0u64, 1000u64), |(sum, product), one| {
        (sum.saturating_add(one), product.saturating_mul(one) / 1000)
    });
    u64::from(times) <= sum.max(product)
}

/// A sale that is taken of a lease.
struct Sale<'s> {
    scene: &'s Scene<'s>,
    known: &'s Known,
    lease: &'s Lease,
    /// What the lease holds of the member, less what the sale takes.
    rest: Option<Checkout>,
    /// What it held of them until that was theirs again: a late sale takes of it where it is still there.
    back: Option<&'s Checkout>,
    takes: Takes,
}

impl Sale<'_> {
    fn take_pools(&mut self, quote: &QuoteTold, out: &mut Outcome) -> Result<(), Stop> {
        let wanted = taken_of(self.lease, quote)?;
        let all =
            wanted.iter().flat_map(|(_, pool, _)| [pool_of(&self.lease.name, &pool.pool), pool.pool.clone()]);
        let unknown: Vec<String> = all.filter(|pool| !self.known.pools.contains_key(pool)).collect();
        if !unknown.is_empty() {
            return Err(Stop::Missing(Missing::Pools(unknown)));
        }
        let has = |pool: &str| self.known.pools.get(pool).copied().unwrap_or(0);
        for (offer, pool, amount) in wanted {
            let own = pool_of(&self.lease.name, &pool.pool);
            if has(&own) >= amount {
                out.coupons.take(PoolTake { pool: own, amount: -amount, size: None });
            } else if self.lease.ended.is_none() {
                return Err(exhausted(offer));
            } else if has(&pool.pool).saturating_add(amount) <= pool.size {
                out.coupons.take(PoolTake { pool: pool.pool.clone(), amount, size: Some(pool.size) });
            } else {
                return Err(over(format!("what it had of {offer} came back, and nothing is left of it")));
            }
            self.takes.pools.push((pool.pool.clone(), amount));
        }
        Ok(())
    }

    fn take_coupon(
        &mut self,
        trial: &mut State,
        applied: &AppliedTold,
        i: usize,
        out: &mut Outcome,
    ) -> Result<(), Stop> {
        let field = format!("properties.quote.applied[{i}].coupon");
        let not_leased =
            || Stop::refused("coupon_not_leased", &field, "the lease has no such coupon of the member");
        let id = applied.coupon.as_deref().and_then(CouponId::from_hex).ok_or_else(not_leased)?;
        let of_rest = self.rest.as_mut().and_then(|rest| {
            let coupons = &mut rest.takes.coupons;
            let place = coupons.iter().position(|coupon| coupon.id == id && coupon.offer == applied.offer);
            place.map(|place| coupons.remove(place))
        });
        if let Some(coupon) = of_rest {
            self.takes.coupons.push(coupon);
            return Ok(());
        }
        let was_leased = |back: &Checkout| back.takes.coupons.iter().any(|coupon| coupon.id == id);
        if !self.back.is_some_and(was_leased) {
            return Err(not_leased());
        }
        let held = trial
            .member
            .holdings
            .coupons
            .get(&id)
            .filter(|held| held.account == CouponAccount::Held && held.offer == applied.offer);
        let held = held.ok_or_else(|| over("the coupon was its member's again, and is used or over"))?;
        self.takes.coupons.push(CouponTaken {
            id,
            offer: held.offer.clone(),
            at: held.at,
            valid_from: held.valid_from,
            valid_until: held.valid_until,
        });
        moved(self.scene, trial.member.id, (id, &applied.offer), CouponMoveKind::Lock, out);
        Ok(())
    }

    fn take_use(&mut self, trial: &mut State, id: &str, offer: &LeasedOffer) -> Result<(), Stop> {
        let of_rest = self.rest.as_mut().and_then(|rest| {
            let uses = &mut rest.takes.uses;
            let place = uses.iter().position(|(offer, _)| offer == id);
            place.map(|place| uses.remove(place))
        });
        if let Some(taken) = of_rest {
            self.takes.uses.push(taken);
            return Ok(());
        }
        if self.back.is_none() {
            return Err(exhausted(id));
        }
        if !may_use(trial, id, offer, self.lease.day) {
            return Err(over(format!("the use of {id} was the member's again, and is used")));
        }
        trial.member.holdings.used.entry(id.to_owned()).or_default().add(self.lease.day, 1);
        self.takes.uses.push((id.to_owned(), self.lease.day));
        Ok(())
    }
}

/// What a quote takes of what a lease has: of which offer and pool how much.
pub fn taken_of<'l>(
    lease: &'l Lease,
    quote: &QuoteTold,
) -> Result<Vec<(&'l str, &'l LeasedPool, i64)>, Refusal> {
    let mut taken = Vec::new();
    for (i, applied) in quote.applied.iter().enumerate() {
        let field = format!("properties.quote.applied[{i}].offer");
        let unknown =
            || Refusal::new("offer_not_leased", field.as_str(), "nothing of this offer can be leased");
        let (id, offer) = lease.offers.get_key_value(&applied.offer).ok_or_else(unknown)?;
        for pool in &offer.pools {
            let amount = match pool.of {
                PoolOf::Uses => 1,
                PoolOf::Money => money(applied),
                PoolOf::Pieces => pieces(quote, offer, applied),
            };
            if amount > 0 {
                taken.push((id.as_str(), pool, amount));
            }
        }
    }
    Ok(taken)
}

fn money(applied: &AppliedTold) -> i64 {
    let shipping = if let Some(GivenTold::Shipping(off)) = &applied.gives { *off } else { 0 };
    applied.amount.saturating_add(shipping)
}

fn pieces(quote: &QuoteTold, offer: &LeasedOffer, applied: &AppliedTold) -> i64 {
    if let Some(GivenTold::Gift { pieces, .. }) = &applied.gives {
        return i64::from(*pieces);
    }
    let of = |line: &&super::told::LineTold| {
        line.discounts.iter().any(|one| one.offer == applied.offer && one.amount > 0)
    };
    let pieces: i64 = quote.lines.iter().filter(of).map(|line| i64::from(line.quantity)).sum();
    pieces.min(offer.pieces_most.map_or(i64::MAX, i64::from))
}

/// The quote that a till tells, if it adds up and is of this cart.
fn told(facts: &CheckoutFacts, cart: &CartFacts, currency: &str) -> Result<QuoteTold, Stop> {
    let bad =
        |field: &str, message: &str| Stop::refused("bad_quote", &format!("properties.{field}"), message);
    let text = facts.quote.as_deref().ok_or_else(|| bad("quote", "a sale under a lease has its quote"))?;
    let quote: QuoteTold = serde_json::from_str(text).map_err(|error| bad("quote", &error.to_string()))?;
    if quote.points_spent != 0 {
        let message = "points are spent where the home knows how many there are";
        return Err(Stop::refused("points_not_leased", "properties.quote.points_spent", message));
    }
    match adds_up(&quote, cart, currency) {
        Ok(()) => Ok(quote),
        Err(field) => Err(bad(&field, "it does not add up")),
    }
}
