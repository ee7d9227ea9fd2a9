//! Coupons that an order gives, once it was placed and paid (R7, R8).

use rust_decimal::prelude::ToPrimitive;
use zhiyin_condition::{CartItem, CartRow};
use zhiyin_model::coupon::stock_of;
use zhiyin_model::effect::{Order, OrderStatus};
use zhiyin_model::event::{Event, names};
use zhiyin_model::money::Money;
use zhiyin_model::playbook::Offer;
use zhiyin_offer::Cart;

use super::rule::counted;
use super::{Told, codes, issue};
use crate::outcome::{Known, Missing, Outcome, Said, Stop};
use crate::state::{State, View};
use crate::{Scene, takeover};

/// Asks for what is left of coupons that this order may give, before anything is changed.
pub(crate) fn ask(scene: &Scene<'_>, known: &Known) -> Result<(), Stop> {
    if scene.cause.replay {
        return Ok(());
    }
    for coupon in scene.rules.offers.give() {
        let Some(rule) = scene.rules.coupons.get(coupon) else { continue };
        let stock = stock_of(coupon);
        if rule.stock.is_some() && !known.pools.contains_key(&stock) {
            return Err(Stop::Missing(Missing::Pool(stock)));
        }
        codes::ask(rule, known)?;
    }
    Ok(())
}

/// The order that is placed and of which nobody had said how it was paid, where this event says it: until then no offer that asks for that
/// could hold.
fn confirmed<'a>(scene: &Scene<'_>, state: &State, known: &'a Known, event: &Event) -> Option<&'a Order> {
    let is_said = event.order.as_ref().is_some_and(|facts| facts.method.is_some());
    let order = known.order.as_ref().filter(|order| order.status == OrderStatus::Placed)?;
    let is_new = is_said && order.terms.method.is_none() && order.counts();
    let is_theirs = order.member == state.member.id;
    let is_now = !scene.cause.replay && !takeover::is_before(state, event);
    (is_new && is_theirs && is_now && scene.rules.offers.give().next().is_some()).then_some(order)
}

/// Asks for what is left of coupons, and for what was bought, where it is learned just now how an order was paid.
pub(crate) fn ask_confirmed(
    scene: &Scene<'_>,
    state: &State,
    known: &Known,
    event: &Event,
) -> Result<(), Stop> {
    let Some(order) = confirmed(scene, state, known, event) else { return Ok(()) };
    ask(scene, known)?;
    if known.order_event.is_none() {
        return Err(Stop::Missing(Missing::OrderLines(order.id)));
    }
    Ok(())
}

/// What an order gives when it is placed: once, however often it is reported. Where it is said only later how it was paid, what it gives for
/// that alone, once as well, by the time at which it was paid. What cannot be given is said, and stops nothing.
pub(crate) fn after_order(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) {
    let placed = |order: &&Order| order.status == OrderStatus::Placed;
    // What a checkout's return changes of its order places none.
    if event.order.is_none() {
        return;
    }
    let Some(order) = out.order.as_ref().filter(placed) else { return };
    let given: Vec<(&Offer, &str)> = if confirmed(scene, state, known, event).is_some() {
        let lines = event.order.as_ref().is_some_and(|facts| !facts.lines.is_empty());
        let Some(lines) = (if lines { Some(event) } else { known.order_event.as_ref() }) else { return };
        let (with, mut without) = (cart(scene, order, lines), cart(scene, order, lines));
        without.row.payment = None;
        let at = event.time.min(scene.at);
        let view = View::of(state);
        let of = |cart: &Cart| scene.rules.offers.given(&scene.rules.leaves, (cart, order.paid), &view, at);
        let already = of(&without);
        of(&with)
            .into_iter()
            .filter(|(offer, _)| !already.iter().any(|(one, _)| one.id == offer.id))
            .collect()
    } else {
        if scene.cause.replay
            || known.order.as_ref().filter(placed).is_some()
            || takeover::is_before(state, event)
        {
            return;
        }
        let (cart, paid) = (cart(scene, order, event), order.paid);
        scene.rules.offers.given(&scene.rules.leaves, (&cart, paid), &View::of(state), scene.at)
    };
    for (offer, coupon) in given {
        let day = scene.rules.zone.day(scene.at);
        let holdings = &state.member.holdings;
        let over = offer.limits.iter().find(|limit| {
            let used = holdings.used.get(&offer.id).map_or(0, |tally| counted(tally, limit.within, day));
            limit.per_member && u64::from(used) >= limit.times
        });
        let refused = match over {
            Some(_) => Some("limit_reached"),
            None => match issue(scene, state, known, (coupon, 1), Told { field: "", says: true }, out) {
                Ok(()) => None,
                Err(Stop::Refused(refusal)) => Some(refusal.code),
                Err(Stop::Missing(_)) => continue,
            },
        };
        match refused {
            None => state.member.holdings.used.entry(offer.id.clone()).or_default().add(day, 1),
            Some(reason) => {
                let properties = vec![("offer", coupon.to_owned()), ("reason", reason.to_owned())];
                out.facts.push(Said { name: names::COUPON_NOT_ISSUED, properties });
            }
        }
    }
}

/// What was bought, as conditions of carts see it.
fn cart(scene: &Scene<'_>, order: &Order, event: &Event) -> Cart {
    let lines = event.order.as_ref().map_or(&[][..], |facts| &facts.lines);
    let items: Vec<CartItem> = lines
        .iter()
        .filter_map(|line| {
            let quantity = line.quantity.ceil().to_u32().filter(|quantity| *quantity > 0)?;
            let price = line.price.and_then(|price| scene.rules.currency.to_minor(price).ok());
            Some(CartItem {
                product: line.product.clone(),
                category: line.category.clone(),
                department: line.department.clone(),
                price: price.unwrap_or(Money::ZERO),
                quantity,
                ..CartItem::default()
            })
        })
        .collect();
    let row = CartRow {
        store: order.store.clone(),
        channel: order.channel.clone(),
        payment: order.terms.method.clone(),
        total: order.paid,
        pieces: items.iter().map(|item| u64::from(item.quantity)).sum(),
        items,
        ..CartRow::default()
    };
    Cart { row, ..Cart::default() }
}
