//! What was bought comes back, by line and piece.
//!
//! A piece gives back what was paid for it; the rest is not discounted anew, and what becomes of a threshold that is no longer
//! met the offer says. Whatever comes back in whatever order, all of it together gives back what was paid. With the last piece
//! coupons, uses and what was taken of pools come back as well. Where the checkout was made an order, its refund is decided in the same
//! decision: points and growth go with it.

use rust_decimal::Decimal;
use zhiyin_model::checkout::{Checkout, CheckoutSet, CheckoutState};
use zhiyin_model::coupon::{CouponAccount, CouponMoveKind, HeldCoupon};
use zhiyin_model::effect::{Order, OrderStatus};
use zhiyin_model::event::{Amounts, CheckoutFacts, Event, Line, OrderFacts, names};
use zhiyin_model::money::Money;
use zhiyin_offer::{GiveBack, GiveBackProblem, give_back};

use super::body::{Body, LineBack, ReturnDone};
use super::told::DiscountTold;
use super::{body_of, ended, named, refused, untake};
use crate::coupon::{changed, moved_for, set_timer};
use crate::outcome::{Known, Missing, Outcome, Said, Stop};
use crate::state::State;
use crate::{Scene, ledger, order, points};

/// The most returns of a checkout.
const RETURNS_MAX: usize = 200;

/// Pieces of what was bought come back; all that is left, where the event names none.
pub fn returned(
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
        CheckoutState::Redeemed => {}
        CheckoutState::Returned => return refused("nothing_to_return", "all of it came back already"),
        _ => return refused("checkout_not_redeemed", "this checkout was not paid"),
    }
    let mut body = body_of(found)?;
    if body.returns.len() >= RETURNS_MAX {
        return refused("too_many_returns", "a checkout has at most 200 returns");
    }
    let now = asked(&body, facts)?;
    let back = gives_back(&body, &now)?;
    let mut trial = state.clone();
    let mut checkout = found.checkout.clone();
    let done = note(scene, &mut body, &now, &back);
    let whole = (0..body.cart.lines.len()).all(|line| body.left(line) == 0);
    points_back(scene, &mut trial, known, &checkout, done.points, out)?;
    refund_order(scene, &mut trial, known, event, (&checkout, &mut body), &now, whole, out)?;
    if whole {
        coupons_back(scene, &mut trial, (&checkout, &body), out);
        untake(&mut trial, &checkout.takes, out);
        checkout = ended(&checkout, CheckoutState::Returned);
    }
    let said = vec![
        ("checkout", id.to_string()),
        ("refund", done.refund.to_string()),
        ("points", done.points.to_string()),
    ];
    out.facts.push(Said { name: names::CHECKOUT_RETURNED, properties: said });
    body.returns.push(done);
    out.checkouts.push(CheckoutSet { checkout, body: Some(body.text()) });
    set_timer(&mut trial.member);
    *state = trial;
    Ok(())
}

/// Pieces that come back, line by line.
fn asked(body: &Body, facts: &CheckoutFacts) -> Result<Vec<u32>, Stop> {
    let lines = body.cart.lines.len();
    if facts.lines.is_empty() {
        return Ok((0..lines).map(|line| body.left(line)).collect());
    }
    let mut now = vec![0u32; lines];
    for (i, (id, pieces)) in facts.lines.iter().enumerate() {
        let field = format!("properties.lines[{i}].id");
        let line = (0..lines).find(|line| body.cart.line_id(*line) == *id);
        let line = line.ok_or_else(|| Stop::refused("line_unknown", &field, "the cart has no such line"))?;
        now[line] = now[line].saturating_add(*pieces);
    }
    Ok(now)
}

fn gives_back(body: &Body, now: &[u32]) -> Result<GiveBack, Stop> {
    let paid = body.quote.paid.as_ref();
    let paid = paid.ok_or_else(|| Stop::refused("erased", super::NAMED, "what was bought was erased"))?;
    let before: Vec<u32> = (0..now.len()).map(|line| body.returned.get(line).copied().unwrap_or(0)).collect();
    give_back(paid, &before, body.refunded, now).map_err(|problem| {
        let line = match problem {
            GiveBackProblem::Pieces(line) => line,
            GiveBackProblem::Lines | GiveBackProblem::Refunded => 0,
        };
        let message = format!("{} of line {} are left", body.left(line), body.cart.line_id(line));
        Stop::refused("returned_more_than_bought", "properties.lines", message)
    })
}

/// Writes a return down in the body; what it comes to.
fn note(scene: &Scene<'_>, body: &mut Body, now: &[u32], back: &GiveBack) -> ReturnDone {
    body.returned.resize(now.len(), 0);
    for (returned, now) in body.returned.iter_mut().zip(now) {
        *returned += now;
    }
    body.refunded += back.refund;
    let so_far: i64 = (body.exchanges.iter())
        .map(|(line, points)| {
            let line = usize::try_from(*line).unwrap_or(usize::MAX);
            let pieces = body.cart.lines.get(line).map_or(1, |line| i64::from(line.quantity)).max(1);
            points * i64::from(body.returned.get(line).copied().unwrap_or(0)) / pieces
        })
        .sum();
    let points = so_far - body.points_back;
    body.points_back = so_far;
    let lines = now.iter().enumerate().filter(|(_, pieces)| **pieces > 0);
    ReturnDone {
        cause: scene.cause.name.to_owned(),
        at: scene.at.rfc3339(),
        lines: lines
            .map(|(line, pieces)| LineBack {
                id: body.cart.line_id(line),
                pieces: *pieces,
                paid: back.lines.get(line).copied().unwrap_or(0),
            })
            .collect(),
        refund: back.refund,
        points,
        taken_back: (back.taken_back.iter())
            .map(|(offer, amount)| DiscountTold { offer: offer.clone(), amount: *amount })
            .collect(),
    }
}

/// Points that were exchanged come back, into the lots they came from.
fn points_back(
    scene: &Scene<'_>,
    trial: &mut State,
    known: &Known,
    checkout: &Checkout,
    points: i64,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let Some((spend, _)) = checkout.takes.spend.filter(|_| points > 0) else { return Ok(()) };
    let past = known.past.get(&spend).ok_or(Stop::Missing(Missing::Past(spend)))?;
    match past {
        Some(past) => {
            // Somebody may have given some of it back by hand.
            let left = past.transfer.amount - past.undone;
            if left > 0 {
                ledger::give_back(scene, trial, known, out, past, points.min(left))
            } else {
                Ok(())
            }
        }
        // Where members were parted it stands in the other's books; what was paid for comes back to whoever paid.
        None => {
            points::give(scene, trial, out, points);
            Ok(())
        }
    }
}

/// Coupons of a checkout that came back whole are there again, unless their time is over.
fn coupons_back(
    scene: &Scene<'_>,
    trial: &mut State,
    (checkout, body): (&Checkout, &Body),
    out: &mut Outcome,
) {
    let member = trial.member.id;
    let given = body.given(&checkout.takes.coupons);
    for (coupon, given) in checkout.takes.coupons.iter().zip(given) {
        let held = HeldCoupon {
            offer: coupon.offer.clone(),
            at: coupon.at,
            account: CouponAccount::Held,
            valid_from: coupon.valid_from,
            valid_until: coupon.valid_until,
            locked_until: None,
            remind: Vec::new(),
            // It was used once: it no longer goes back by itself, nor does what was paid for it.
            gives_back: false,
            paid: None,
            order: None,
        };
        let (account, kind) = match coupon.valid_until > scene.at {
            true => (CouponAccount::Held, CouponMoveKind::Return),
            false => (CouponAccount::Expired, CouponMoveKind::Lapse),
        };
        changed(member, coupon.id, &held, account, out);
        moved_for(scene, member, (coupon.id, &coupon.offer), (kind, -given), out);
        if account == CouponAccount::Held {
            trial.member.holdings.coupons.insert(coupon.id, held);
        }
    }
}

/// The refund of the order that the checkout was made: of what was paid for it so much as came back of the checkout.
#[allow(clippy::too_many_arguments, reason = "one place")]
fn refund_order(
    scene: &Scene<'_>,
    trial: &mut State,
    known: &Known,
    event: &Event,
    (checkout, body): (&Checkout, &mut Body),
    now: &[u32],
    whole: bool,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let (Some(id), Some((namespace, number))) = (checkout.order, body.order.clone()) else { return Ok(()) };
    let found = match &known.linked {
        Some((asked, found)) if *asked == id => found.as_ref(),
        _ => return Err(Stop::Missing(Missing::Linked(id))),
    };
    let order = match found {
        Some(order) if order.status == OrderStatus::Placed && order.member != trial.member.id => {
            return Ok(());
        }
        Some(order) if order.status == OrderStatus::Placed => order,
        // It never was, so nothing was earned by it; or members were parted, and it is the other's.
        Some(order) if order.status == OrderStatus::Cancelled => return Ok(()),
        _ => {
            let message = "its order has not come in yet; retry once it has";
            return Err(Stop::refused("order_unknown", super::NAMED, message));
        }
    };
    let refund = share_of_order(order, body, whole);
    let lines_event = known.order_event.as_ref().ok_or(Stop::Missing(Missing::OrderLines(id)))?;
    let lines = lines_back(order, lines_event, body, now);
    if refund == 0 && lines.is_empty() {
        return Ok(());
    }
    body.order_refunded += refund;
    let amounts = Amounts { total: Some(scene.rules.currency.to_major(Money(refund))), ..Amounts::default() };
    let facts = OrderFacts { namespace, number, amounts, lines, ..OrderFacts::default() };
    let told = Event { name: names::ORDER_REFUNDED.to_owned(), order: Some(facts), ..event.clone() };
    let known = Known { order: Some(order.clone()), ..known.clone() };
    order::refunded(scene, trial, &known, &told, out)
}

/// What comes back of the order: all that is left of it with the last piece; before that as large a part of what was paid as came
/// back of the checkout, by all returns together.
fn share_of_order(order: &Order, body: &Body, whole: bool) -> i64 {
    let left = (order.paid.0 - order.refunded.0).max(0);
    if whole {
        return left;
    }
    let payable = i128::from(body.quote.payable.max(1));
    let so_far = i128::from(order.paid.0) * i128::from(body.refunded) / payable;
    (i64::try_from(so_far).unwrap_or(i64::MAX) - body.order_refunded).clamp(0, left)
}

/// Lines of the order that come back, as far as it has them.
fn lines_back(order: &Order, lines_event: &Event, body: &Body, now: &[u32]) -> Vec<Line> {
    let told = lines_event.order.as_ref().map_or(&[][..], |facts| &facts.lines);
    let mut open: Vec<(&str, Decimal)> = told
        .iter()
        .enumerate()
        .map(|(i, line)| (line.product.as_str(), line.quantity - order::returned_of(order, i)))
        .collect();
    let mut lines = Vec::new();
    for (line, pieces) in body.cart.lines.iter().zip(now).filter(|(_, pieces)| **pieces > 0) {
        let mut left = Decimal::from(*pieces);
        let mut quantity = Decimal::ZERO;
        for (_, there) in open.iter_mut().filter(|(product, _)| *product == line.product) {
            let takes = left.min(*there).max(Decimal::ZERO);
            (*there, left, quantity) = (*there - takes, left - takes, quantity + takes);
        }
        if quantity > Decimal::ZERO {
            let product = line.product.clone();
            lines.push(Line { product, category: None, department: None, quantity, price: None, paid: None });
        }
    }
    lines
}
