//! Coupons that an order gives, once it was placed and paid (R7, R8).

use rust_decimal::prelude::ToPrimitive;
use zhiyin_condition::{CartItem, CartRow};
use zhiyin_model::coupon::stock_of;
use zhiyin_model::effect::{Order, OrderStatus};
use zhiyin_model::event::{Event, names};
use zhiyin_model::money::Money;
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

/// What an order gives when it is placed: once, however often it is reported. What cannot be given is said, and stops nothing.
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
    if scene.cause.replay
        || known.order.as_ref().filter(placed).is_some()
        || takeover::is_before(state, event)
    {
        return;
    }
    let (cart, paid) = (cart(scene, order, event), order.paid);
    let given = scene.rules.offers.given(&scene.rules.leaves, (&cart, paid), &View::of(state), scene.at);
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
