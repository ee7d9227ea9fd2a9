//! Lines of orders: as history knows them, net of what came back.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use zhiyin_condition::{ItemRow, OrderRow};
use zhiyin_model::effect::Order;
use zhiyin_model::event::{Event, Line, OrderFacts};
use zhiyin_model::money::{Currency, Money};

use crate::outcome::Stop;

/// A line of a refund, matched with a line of its order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Returned {
    /// Which line of the refund.
    pub request: usize,
    /// Which line of the order.
    pub line: usize,
    /// How many pieces.
    pub pieces: Decimal,
}

/// The order as history knows it. Paid is net of refunds, items are net of returned pieces.
pub fn row(currency: &Currency, order: &Order, lines_event: &Event) -> Result<OrderRow, Stop> {
    let lines = lines_event.order.as_ref().map_or(&[][..], |facts| &facts.lines);
    let items = lines
        .iter()
        .enumerate()
        .map(|(i, line)| item(currency, line, i, returned_of(order, i)))
        .collect::<Result<_, _>>()?;
    Ok(OrderRow {
        time: order.time,
        paid: Money(order.paid.0 - order.refunded.0),
        store: order.store.as_deref().map(Into::into),
        channel: order.channel.as_deref().map(Into::into),
        items,
    })
}

/// An order as it stood at an instant: `order` says what was paid and had come back by then, `refunds` what was told of it
/// by then, in the order in which that was decided.
pub fn row_then(
    currency: &Currency,
    order: &Order,
    lines_event: &Event,
    refunds: &[&Event],
) -> Result<OrderRow, Stop> {
    let mut then = order.clone();
    then.terms.returned.clear();
    for facts in refunds.iter().filter_map(|refund| refund.order.as_ref()) {
        // It was taken once; where lines were told anew since, what no longer fits them stays out.
        let _fitted = take_returned(&mut then, lines_event, facts).is_ok();
    }
    row(currency, &then, lines_event)
}

pub(crate) fn returned_of(order: &Order, line: usize) -> Decimal {
    let found = order.terms.returned.iter().find(|(i, _)| *i as usize == line);
    found.map_or(Decimal::ZERO, |(_, thousandths)| Decimal::new(*thousandths, 3))
}

/// Whether every piece of an order came back.
pub(super) fn none_left(order: &Order, lines_event: &Event) -> bool {
    let lines = lines_event.order.as_ref().map_or(&[][..], |facts| &facts.lines);
    lines.iter().enumerate().all(|(i, line)| returned_of(order, i) == line.quantity)
}

fn item(currency: &Currency, line: &Line, i: usize, returned: Decimal) -> Result<ItemRow, Stop> {
    let left = line.quantity - returned;
    let cost = line.amount().unwrap_or(Decimal::ZERO);
    let paid = if returned.is_zero() || line.quantity.is_zero() {
        Some(cost)
    } else {
        cost.checked_mul(left).and_then(|cost| cost.checked_div(line.quantity))
    };
    let paid = paid.and_then(|paid| currency.to_minor(paid).ok()).ok_or_else(|| {
        let field = format!("properties.products[{i}].price");
        Stop::refused("amount_too_large", &field, "larger than an amount may be")
    })?;
    Ok(ItemRow {
        product: line.product.as_str().into(),
        category: line.category.as_deref().map(Into::into),
        department: line.department.as_deref().map(Into::into),
        quantity: left,
        paid,
    })
}

/// Matches a refund's lines with the order's by product, takes note of the pieces, and refuses more than there were.
pub(super) fn take_returned(
    order: &mut Order,
    lines_event: &Event,
    facts: &OrderFacts,
) -> Result<Vec<Returned>, Stop> {
    let lines = lines_event.order.as_ref().map_or(&[][..], |facts| &facts.lines);
    let mut found = Vec::new();
    for (request, asked) in facts.lines.iter().enumerate() {
        let mut left = asked.quantity;
        for (i, line) in lines.iter().enumerate().filter(|(_, line)| line.product == asked.product) {
            let open = line.quantity - returned_of(order, i);
            let pieces = left.min(open);
            if pieces <= Decimal::ZERO {
                continue;
            }
            left -= pieces;
            note(order, i, pieces)?;
            found.push(Returned { request, line: i, pieces });
        }
        let known = lines.iter().any(|line| line.product == asked.product);
        if left > Decimal::ZERO && (known || !lines.is_empty()) {
            let field = format!("properties.products[{request}].quantity");
            let message = "more pieces than the order has left of this product";
            return Err(Stop::refused("return_exceeds_quantity", &field, message));
        }
    }
    Ok(found)
}

fn note(order: &mut Order, line: usize, pieces: Decimal) -> Result<(), Stop> {
    let thousandths = (pieces * Decimal::from(1000)).to_i64().unwrap_or(i64::MAX);
    let line = u32::try_from(line).unwrap_or(u32::MAX);
    match order.terms.returned.iter_mut().find(|(i, _)| *i == line) {
        Some((_, noted)) => *noted = noted.saturating_add(thousandths),
        None => order.terms.returned.push((line, thousandths)),
    }
    Ok(())
}

/// An order's lines are told anew: what came back stays with its product, as far as there still is that much of it.
pub(super) fn carry_returned(order: &mut Order, told_before: &Event, told_now: &Event) -> Result<(), Stop> {
    let lines_of = |event: &'_ Event| event.order.as_ref().map_or_else(Vec::new, |facts| facts.lines.clone());
    let (before, now) = (lines_of(told_before), lines_of(told_now));
    for (i, thousandths) in std::mem::take(&mut order.terms.returned) {
        let Some(was) = before.get(i as usize) else { continue };
        let mut left = Decimal::new(thousandths, 3);
        for (i, line) in now.iter().enumerate().filter(|(_, line)| line.product == was.product) {
            let pieces = left.min(line.quantity - returned_of(order, i));
            if pieces > Decimal::ZERO {
                left -= pieces;
                note(order, i, pieces)?;
            }
        }
    }
    Ok(())
}
