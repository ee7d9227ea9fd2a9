//! Checkouts: a cart is priced for a member and holds what its discounts take; it is paid, let go of, or runs out; pieces come
//! back.
//!
//! Whatever is bounded (coupons, stock, budgets, uses, points) is taken when a cart is locked and given back when it is let go
//! of, each in the decision that says so, so that nothing is taken twice and nothing is given back twice, whoever asks how
//! often. What is judged is judged by the member's own state, exactly (`judge`). A checkout that is judged again gives back what
//! it held and takes anew in one decision.

mod back;
pub mod body;
mod cart;
mod judge;
mod till;
pub mod told;

pub use back::returned;
pub use cart::{cart, listed, scalars};
pub use judge::{Bound, Brought, Judged, Pools, bounds, judge, pieces_most};
pub use till::{leased, returned_lease, taken_of};

use zhiyin_model::checkout::{
    self, CartFacts, Checkout, CheckoutSet, CheckoutState, CouponTaken, HOLD_SECONDS, OPEN_MAX, Takes,
};
use zhiyin_model::coupon::{CouponAccount, CouponMoveKind, PoolTake};
use zhiyin_model::effect::{OrderStatus, TransferKind};
use zhiyin_model::event::{CheckoutFacts, Event, names};
use zhiyin_model::id::{CheckoutId, IdKey, OrderId};
use zhiyin_model::time::Ts;

use crate::coupon::{changed, moved, moved_for, set_timer};
use crate::outcome::{Known, KnownCheckout, Missing, Outcome, Said, Stop};
use crate::state::State;
use crate::{Scene, ledger, order};
use body::Body;

/// The field that names a checkout.
const NAMED: &str = "properties.checkout";

/// The id of the checkout that an event speaks of.
pub fn id(key: &IdKey, facts: &CheckoutFacts) -> CheckoutId {
    checkout::id(key, &facts.namespace, &facts.name)
}

/// The id of the order that a checkout is made.
fn order_id(key: &IdKey, (namespace, number): &(String, String)) -> OrderId {
    key.derive("order", &[namespace.as_bytes(), number.as_bytes()])
}

fn refused<T>(code: &'static str, message: &str) -> Result<T, Stop> {
    Err(Stop::refused(code, NAMED, message))
}

/// The checkout that an event speaks of, where the member may have it.
fn named<'k>(
    scene: &Scene<'_>,
    state: &State,
    known: &'k Known,
    facts: &CheckoutFacts,
) -> Result<(CheckoutId, Option<&'k KnownCheckout>), Stop> {
    if scene.cause.replay {
        return refused("history_locks_nothing", "what is imported as history locks and redeems nothing");
    }
    if state.member.audiences.closed {
        return refused("member_unknown", "nobody is known by this");
    }
    let id = id(scene.key, facts);
    let found = known.checkouts.get(&id).ok_or(Stop::Missing(Missing::Checkout(id)))?.as_ref();
    if found.is_some_and(|found| found.checkout.member != state.member.id) {
        return refused("checkout_of_another_member", "this checkout is another member's");
    }
    Ok((id, found))
}

fn body_of(found: &KnownCheckout) -> Result<Body, Stop> {
    let body = found.body.as_deref().and_then(Body::read);
    body.ok_or_else(|| Stop::refused("erased", NAMED, "what was bought was erased"))
}

/// A cart is priced, and what its discounts take is held.
pub fn locked(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let Some(facts) = event.checkout.as_deref() else { return Ok(()) };
    let (id, found) = named(scene, state, known, facts)?;
    if found.is_some_and(|found| {
        matches!(found.checkout.state, CheckoutState::Redeemed | CheckoutState::Returned)
    }) {
        return refused("checkout_redeemed", "this checkout was paid already");
    }
    let mut trial = state.clone();
    let (checkout, body) = lock(scene, &mut trial, known, (id, found, facts), Points::Hold, out)?;
    let said = vec![
        ("checkout", id.to_string()),
        ("payable", body.quote.payable.to_string()),
        ("discount", body.quote.discount.to_string()),
        ("until", checkout.until.rfc3339()),
    ];
    out.facts.push(Said { name: names::CHECKOUT_LOCKED, properties: said });
    out.checkouts.push(CheckoutSet { checkout, body: Some(body.text()) });
    set_timer(&mut trial.member);
    *state = trial;
    Ok(())
}

/// What becomes of points that exchanges cost.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Points {
    /// They are promised.
    Hold,
    /// They are spent.
    Spend,
}

/// Gives back what the checkout held before, if it did, judges the cart and takes what it needs.
fn lock(
    scene: &Scene<'_>,
    trial: &mut State,
    known: &Known,
    (id, found, facts): (CheckoutId, Option<&KnownCheckout>, &CheckoutFacts),
    points: Points,
    out: &mut Outcome,
) -> Result<(Checkout, Body), Stop> {
    let held = found.filter(|found| found.checkout.state == CheckoutState::Locked);
    let before = held.and_then(|found| body_of(found).ok());
    let cart = asked(facts, before.as_ref())?;
    if let Some(held) = held {
        give_up(scene, trial, known, &held.checkout.takes, id, out)?;
    }
    // What is paid at once is never open.
    if points == Points::Hold && trial.member.holdings.checkouts.len() >= OPEN_MAX {
        return refused("too_many_checkouts", "a member has at most 20 open");
    }
    let pools = Pools { taken: &known.pools, own: &out.coupons.pools };
    let judged = judge(scene.rules, scene.key, trial, pools, &cart, scene.at)?;
    if let Some(line) = judged.quote.lines.iter().position(|line| !line.not_yet_for.is_empty()) {
        let field = format!("properties.cart.lines[{line}]");
        return Err(Stop::refused("not_on_sale_yet", &field, "it may not be bought yet"));
    }
    if facts.payable.is_some_and(|payable| payable != judged.quote.payable) {
        let message = format!("{} in minor units is payable of the lines", judged.quote.payable);
        return Err(Stop::refused("payable_changed", "properties.payable", message));
    }
    let seconds = facts.hold_seconds.unwrap_or(HOLD_SECONDS);
    let until = scene.at.plus_us(i64::from(seconds) * 1_000_000);
    let takes = take(scene, trial, known, &judged, (until, points), out)?;
    trial.member.holdings.checkouts.insert(id, until);
    let mut quote = judged.quote;
    let change = before.as_ref().map(|before| Body::changed(&before.quote, &quote));
    // Ids of coupons come from the home's key: what the checkout takes names them.
    quote.applied.iter_mut().for_each(|applied| applied.coupon = None);
    let body = Body {
        changed: change,
        exchanges: judged.exchanges,
        ..Body::new((&facts.namespace, &facts.name), cart, quote)
    };
    let cause = found.map_or(scene.cause.id, |found| found.checkout.cause);
    let checkout = Checkout {
        id,
        member: trial.member.id,
        state: CheckoutState::Locked,
        at: scene.at,
        until,
        cause,
        order: None,
        takes,
    };
    Ok((checkout, body))
}

/// The cart that is to be judged: as asked, or as before; with another payment method, where one is said.
fn asked(facts: &CheckoutFacts, before: Option<&Body>) -> Result<CartFacts, Stop> {
    let cart = facts.cart.as_ref().or(before.map(|before| &before.cart));
    let cart =
        cart.ok_or_else(|| Stop::refused("cart_missing", "properties.cart", "a checkout has a cart"))?;
    let mut cart = cart.clone();
    if facts.payment.is_some() {
        cart.payment.clone_from(&facts.payment);
    }
    Ok(cart)
}

/// Takes what a judged cart needs; all of it is there.
fn take(
    scene: &Scene<'_>,
    trial: &mut State,
    known: &Known,
    judged: &Judged,
    (until, points): (Ts, Points),
    out: &mut Outcome,
) -> Result<Takes, Stop> {
    let (hold, spend) = match (judged.points, points) {
        (0, _) => (None, None),
        (n, Points::Hold) => (Some((ledger::hold(scene, trial, out, n)?, n)), None),
        (n, Points::Spend) => {
            let spend = ledger::spend(scene, trial, known, out, TransferKind::Spend, n, None)?;
            (None, Some((spend, n)))
        }
    };
    lock_coupons(scene, trial, &judged.coupons, until, out);
    for (offer, day) in &judged.uses {
        trial.member.holdings.used.entry(offer.clone()).or_default().add(*day, 1);
    }
    let pools = judged.pools.iter().map(|take| (take.pool.clone(), take.amount)).collect();
    judged.pools.iter().for_each(|take| out.coupons.take(take.clone()));
    Ok(Takes { pools, uses: judged.uses.clone(), coupons: judged.coupons.clone(), hold, spend })
}

/// Locks coupons that a member holds.
fn lock_coupons(scene: &Scene<'_>, trial: &mut State, coupons: &[CouponTaken], until: Ts, out: &mut Outcome) {
    let member = trial.member.id;
    for coupon in coupons {
        let Some(held) = trial.member.holdings.coupons.get_mut(&coupon.id) else { continue };
        (held.account, held.locked_until) = (CouponAccount::Locked, Some(until));
        changed(member, coupon.id, held, CouponAccount::Locked, out);
        moved(scene, member, (coupon.id, &coupon.offer), CouponMoveKind::Lock, out);
    }
}

/// Uses up coupons that are locked, for what each takes off.
fn use_coupons(
    scene: &Scene<'_>,
    trial: &mut State,
    coupons: &[CouponTaken],
    body: &Body,
    out: &mut Outcome,
) {
    let member = trial.member.id;
    for (coupon, given) in coupons.iter().zip(body.given(coupons)) {
        let Some(held) = trial.member.holdings.coupons.remove(&coupon.id) else { continue };
        changed(member, coupon.id, &held, CouponAccount::Redeemed, out);
        moved_for(scene, member, (coupon.id, &coupon.offer), (CouponMoveKind::Redeem, given), out);
    }
}

/// Gives back what a locked checkout holds. A decision that may not be refused is not.
fn give_up(
    scene: &Scene<'_>,
    trial: &mut State,
    known: &Known,
    takes: &Takes,
    id: CheckoutId,
    out: &mut Outcome,
) -> Result<(), Stop> {
    if let Some((hold, _)) = takes.hold {
        let hold = known.holds.get(&hold).ok_or(Stop::Missing(Missing::Hold(hold)))?;
        // Where members were parted it may be the other's: then it is let go of with what they do.
        if let Some(hold) = hold.as_ref().filter(|hold| hold.open) {
            ledger::release(scene, trial, out, hold);
        }
    }
    let member = trial.member.id;
    for coupon in &takes.coupons {
        let Some(held) = trial.member.holdings.coupons.get_mut(&coupon.id) else { continue };
        (held.account, held.locked_until) = (CouponAccount::Held, None);
        changed(member, coupon.id, held, CouponAccount::Held, out);
        moved(scene, member, (coupon.id, &coupon.offer), CouponMoveKind::Unlock, out);
    }
    untake(trial, takes, out);
    trial.member.holdings.checkouts.remove(&id);
    Ok(())
}

/// Gives back what is counted: uses of the member, and what was taken of pools.
fn untake(trial: &mut State, takes: &Takes, out: &mut Outcome) {
    let used = &mut trial.member.holdings.used;
    for (offer, day) in &takes.uses {
        if let Some(tally) = used.get_mut(offer) {
            tally.take_back(*day, 1);
        }
    }
    used.retain(|_, tally| tally.total > 0);
    for (pool, amount) in &takes.pools {
        out.coupons.take(PoolTake { pool: pool.clone(), amount: -amount, size: None });
    }
}

/// What a checkout is when it takes nothing any more.
fn ended(checkout: &Checkout, state: CheckoutState) -> Checkout {
    let takes = Takes { coupons: checkout.takes.coupons.clone(), ..Takes::default() };
    Checkout { state, takes, ..checkout.clone() }
}

/// A checkout was paid: coupons are used, points are spent. With a cart it is judged first, whether it was locked or not.
pub fn redeemed(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let Some(facts) = event.checkout.as_deref() else { return Ok(()) };
    let (id, found) = named(scene, state, known, facts)?;
    if facts.lease.is_some() {
        return till::sold(scene, state, known, event, (id, found), out);
    }
    let judged_anew = facts.cart.is_some() || facts.payment.is_some();
    let mut trial = state.clone();
    let (mut checkout, mut body) = match found.map(|found| (found, found.checkout.state)) {
        Some((found, CheckoutState::Redeemed)) => {
            let mut body = body_of(found)?;
            let same = facts.cart.as_ref().is_none_or(|cart| *cart == body.cart);
            if !same
                || facts.payment.as_ref().is_some_and(|payment| body.cart.payment.as_ref() != Some(payment))
            {
                return refused("checkout_redeemed", "this checkout was paid already, with another cart");
            }
            // Paid already: nothing is used twice. The order may be told later.
            let mut checkout = found.checkout.clone();
            if checkout.order.is_none() && facts.order.is_some() {
                link(scene, state, known, event, (&mut checkout, &mut body), out)?;
                out.checkouts.push(CheckoutSet { checkout, body: Some(body.text()) });
            }
            return Ok(());
        }
        Some((_, CheckoutState::Returned)) => {
            return refused("checkout_redeemed", "this checkout was paid already, and came back");
        }
        Some((found, CheckoutState::Locked)) if !judged_anew => {
            let body = body_of(found)?;
            if facts.payable.is_some_and(|payable| payable != body.quote.payable) {
                let message = format!("{} in minor units is payable of the lines", body.quote.payable);
                return Err(Stop::refused("payable_changed", "properties.payable", message));
            }
            (found.checkout.clone(), body)
        }
        None if facts.cart.is_none() => return refused("checkout_unknown", "there is no such checkout"),
        Some((_, CheckoutState::Released)) if facts.cart.is_none() => {
            return refused("checkout_expired", "its time was over; lock it again");
        }
        Some((_, CheckoutState::Cancelled)) if facts.cart.is_none() => {
            return refused("checkout_not_locked", "it was cancelled");
        }
        _ => lock(scene, &mut trial, known, (id, found, facts), Points::Spend, out)?,
    };
    use_up(scene, &mut trial, known, (&mut checkout, &body), out)?;
    trial.member.holdings.checkouts.remove(&id);
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

/// What was locked is used.
fn use_up(
    scene: &Scene<'_>,
    trial: &mut State,
    known: &Known,
    (checkout, body): (&mut Checkout, &Body),
    out: &mut Outcome,
) -> Result<(), Stop> {
    if let Some((id, points)) = checkout.takes.hold.take() {
        let hold = ledger::open_hold(known, id)?.clone();
        let spend = ledger::spend(scene, trial, known, out, TransferKind::Spend, points, Some(&hold))?;
        checkout.takes.spend = Some((spend, points));
    }
    use_coupons(scene, trial, &checkout.takes.coupons, body, out);
    (checkout.state, checkout.at) = (CheckoutState::Redeemed, scene.at);
    Ok(())
}

/// Takes note of the order that a checkout is made. One that has not come in yet is announced, with how many times the points it
/// will give.
fn link(
    scene: &Scene<'_>,
    state: &State,
    known: &Known,
    event: &Event,
    (checkout, body): (&mut Checkout, &mut Body),
    out: &mut Outcome,
) -> Result<(), Stop> {
    let Some(named) = event.checkout.as_deref().and_then(|facts| facts.order.as_ref()) else { return Ok(()) };
    let id = order_id(scene.key, named);
    let found = match &known.linked {
        Some((asked, found)) if *asked == id => found.as_ref(),
        _ => return Err(Stop::Missing(Missing::Linked(id))),
    };
    if found.is_some_and(|order| order.member != state.member.id && order.status == OrderStatus::Placed) {
        return Err(Stop::refused(
            "order_of_another_member",
            "properties.order_id",
            "this order belongs to another member",
        ));
    }
    checkout.order = Some(id);
    body.order = Some(named.clone());
    let times = thousandths(&body.quote.points_times);
    if found.is_none_or(|order| order.status == OrderStatus::Announced) && times != 1000 {
        let mut order = found
            .cloned()
            .unwrap_or_else(|| order::heard_of(scene, state, event, id, OrderStatus::Announced));
        order.terms.times = times;
        out.order = Some(order);
    }
    Ok(())
}

/// A multiplier as it was told, in thousandths.
fn thousandths(told: &str) -> u32 {
    read_thousandths(told).unwrap_or(1000)
}

/// The same; nothing where it is no multiplier.
fn read_thousandths(told: &str) -> Option<u32> {
    use rust_decimal::prelude::ToPrimitive;
    let times = zhiyin_model::money::parse_decimal(told).ok();
    times.and_then(|times| times.checked_mul(rust_decimal::Decimal::from(1000))?.to_u32())
}

/// Whoever began a checkout lets go of it: all that it holds is given back, once.
pub fn cancelled(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let Some(facts) = event.checkout.as_deref() else { return Ok(()) };
    let (id, found) = named(scene, state, known, facts)?;
    let Some(found) = found else { return refused("checkout_unknown", "there is no such checkout") };
    match found.checkout.state {
        CheckoutState::Cancelled | CheckoutState::Released => Ok(()),
        CheckoutState::Redeemed | CheckoutState::Returned => {
            refused("checkout_redeemed", "this checkout was paid: what was bought can come back")
        }
        CheckoutState::Locked => {
            let mut trial = state.clone();
            give_up(scene, &mut trial, known, &found.checkout.takes, id, out)?;
            let checkout = Checkout { at: scene.at, ..ended(&found.checkout, CheckoutState::Cancelled) };
            out.checkouts.push(CheckoutSet { checkout, body: None });
            let said = vec![("checkout", id.to_string())];
            out.facts.push(Said { name: names::CHECKOUT_CANCELLED, properties: said });
            set_timer(&mut trial.member);
            *state = trial;
            Ok(())
        }
    }
}

/// Checkouts whose time is over let go of what they hold.
pub(crate) fn fall_due(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let due = state.member.holdings.checkouts.iter().filter(|(_, until)| **until <= scene.at);
    let due: Vec<CheckoutId> = due.map(|(id, _)| *id).collect();
    if due.is_empty() {
        return Ok(());
    }
    let mut trial = state.clone();
    for id in due {
        let found = known.checkouts.get(&id).ok_or(Stop::Missing(Missing::Checkout(id)))?;
        let Some(found) = found.as_ref().filter(|found| found.checkout.state == CheckoutState::Locked) else {
            trial.member.holdings.checkouts.remove(&id);
            continue;
        };
        give_up(scene, &mut trial, known, &found.checkout.takes, id, out)?;
        let checkout = Checkout { at: scene.at, ..ended(&found.checkout, CheckoutState::Released) };
        out.checkouts.push(CheckoutSet { checkout, body: None });
        // What a lease held of a member was nobody's checkout.
        if !found.body.as_deref().and_then(Body::read).is_some_and(|body| body.is_holder()) {
            let properties = vec![("checkout", id.to_string())];
            out.facts.push(Said { name: names::CHECKOUT_RELEASED, properties });
        }
    }
    *state = trial;
    Ok(())
}
