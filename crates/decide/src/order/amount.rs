//! Amounts of orders in minor units: what was paid, what comes back, what it is worth in points.

use rust_decimal::Decimal;
use zhiyin_model::effect::Order;
use zhiyin_model::event::{Event, Line, OrderFacts, Refusal};
use zhiyin_model::money::{Currency, Money};
use zhiyin_model::playbook::PaidRule;

use super::lines::Returned;
use crate::Scene;
use crate::outcome::Stop;

/// Another currency than the brand's is refused; none given means the brand's.
pub(super) fn check_currency(scene: &Scene<'_>, facts: &OrderFacts) -> Result<(), Stop> {
    let ours = &scene.rules.currency.code;
    match &facts.currency {
        Some(given) if !given.eq_ignore_ascii_case(ours) => {
            let given: String = given.chars().take(12).collect();
            let message = format!("the order is in {given:?}, the brand in {ours}");
            Err(Stop::refused("currency_mismatch", "properties.currency", message))
        }
        _ => Ok(()),
    }
}

fn minor(currency: &Currency, field: &str, amount: Decimal) -> Result<Money, Stop> {
    currency
        .to_minor(amount)
        .map_err(|error| Stop::Refused(Refusal::new("amount_too_large", field, error.to_string())))
}

/// A part of a total; nothing if it is not said.
fn part(currency: &Currency, field: &str, amount: Option<Decimal>) -> Result<Money, Stop> {
    amount.map_or(Ok(Money::ZERO), |amount| minor(currency, field, amount))
}

/// What of a total is for the goods: by the playbook shipping and tax are not, neither paid nor refunded.
fn goods(scene: &Scene<'_>, facts: &OrderFacts, total: Decimal) -> Result<Money, Stop> {
    let currency = &scene.rules.currency;
    let total = minor(currency, "properties.total", total)?;
    match scene.rules.paid {
        PaidRule::Total => Ok(total),
        PaidRule::TotalLessShippingAndTax => {
            let shipping = part(currency, "properties.shipping", facts.amounts.shipping)?;
            let tax = part(currency, "properties.tax", facts.amounts.tax)?;
            Ok(Money(total.0 - shipping.0 - tax.0))
        }
    }
}

/// What was paid (semantics 5): total − shipping − tax, or the total, or what the lines say less the discount.
pub(super) fn paid(scene: &Scene<'_>, facts: &OrderFacts) -> Result<Money, Stop> {
    check_currency(scene, facts)?;
    let currency = &scene.rules.currency;
    let paid = if let Some(total) = facts.amounts.total {
        goods(scene, facts, total)?.0
    } else {
        if facts.lines.is_empty() {
            let message = "an order says its total, or what its lines cost";
            return Err(Stop::refused("total_missing", "properties.total", message));
        }
        let mut sum = 0i64;
        for (i, line) in facts.lines.iter().enumerate() {
            let field = format!("properties.products[{i}].price");
            let amount = line.amount().ok_or_else(|| {
                Stop::refused("price_missing", &field, "a line has a price, or what was paid")
            })?;
            sum += minor(currency, &field, amount)?.0;
        }
        sum - part(currency, "properties.discount", facts.amounts.discount)?.0
    };
    if paid < 0 {
        let message = format!("{paid} in minor units is below zero");
        return Err(Stop::refused("negative_paid", "properties.total", message));
    }
    if paid > Money::MAX.0 {
        return Err(Stop::refused("amount_too_large", "properties.total", "larger than an order may be"));
    }
    Ok(Money(paid))
}

/// What comes back: the total given, less the shipping and tax in it; or what the returned lines cost; or, with
/// neither, all that is left.
pub(super) fn refund(
    scene: &Scene<'_>,
    order: &Order,
    facts: &OrderFacts,
    lines_event: &Event,
    returned: &[Returned],
) -> Result<Money, Stop> {
    let currency = &scene.rules.currency;
    let money = if let Some(total) = facts.amounts.total {
        goods(scene, facts, total)?
    } else if facts.lines.is_empty() {
        Money(order.paid.0 - order.refunded.0)
    } else {
        let original = lines_event.order.as_ref().map_or(&[][..], |facts| &facts.lines);
        if let Some(share) = share_of_paid(currency, order, original, facts, returned) {
            return Ok(share);
        }
        let mut sum = 0i64;
        for (i, line) in facts.lines.iter().enumerate() {
            let field = format!("properties.products[{i}].price");
            let own = line.amount();
            let from_order = cost_of(original, returned.iter().filter(|r| r.request == i));
            let amount = own.or(from_order).ok_or_else(|| {
                Stop::refused(
                    "price_missing",
                    &field,
                    "neither the refund nor its order says what this line cost",
                )
            })?;
            sum = sum.saturating_add(minor(currency, &field, amount)?.0);
        }
        Money(sum)
    };
    if money.0 < 0 || money > Money::MAX {
        return Err(Stop::refused("bad_amount", "properties.total", "a refund is not below zero"));
    }
    Ok(money)
}

/// What returned pieces are of what was paid: by their share of what all lines cost, so that a discount on the whole
/// order comes back with them, and all pieces together are exactly what was paid. `None` where the refund says of its lines
/// what was paid back (a price that only repeats the order's does not), or the order does not say what its lines cost.
fn share_of_paid(
    currency: &Currency,
    order: &Order,
    original: &[Line],
    facts: &OrderFacts,
    returned: &[Returned],
) -> Option<Money> {
    let own_amount = |line: &Line| {
        let shelf = original.iter().find(|told| told.product == line.product).and_then(|told| told.price);
        line.paid.is_some() || (line.price.is_some() && line.price != shelf)
    };
    if facts.lines.iter().any(own_amount) {
        return None;
    }
    let mut all = Decimal::ZERO;
    let mut before = Decimal::ZERO;
    for (i, line) in original.iter().enumerate() {
        let cost = line.amount()?;
        all = all.checked_add(cost)?;
        let pieces = super::lines::returned_of(order, i);
        if !pieces.is_zero() && !line.quantity.is_zero() {
            before = before.checked_add(cost.checked_mul(pieces)?.checked_div(line.quantity)?)?;
        }
    }
    if all <= Decimal::ZERO {
        return None;
    }
    let after = before.checked_add(cost_of(original, returned.iter())?)?;
    let paid = currency.to_major(order.paid);
    let share = |cost: Decimal| currency.to_minor(paid.checked_mul(cost)?.checked_div(all)?).ok();
    Some(Money(share(after)?.0 - share(before)?.0))
}

/// What returned pieces cost by the order's own lines; `None` if it does not say.
fn cost_of<'a>(original: &[Line], returned: impl Iterator<Item = &'a Returned>) -> Option<Decimal> {
    let mut sum = None;
    for r in returned {
        let line = original.get(r.line)?;
        let cost = line.amount()?;
        let share = if line.quantity.is_zero() {
            cost
        } else {
            cost.checked_mul(r.pieces)?.checked_div(line.quantity)?
        };
        sum = Some(sum.unwrap_or(Decimal::ZERO) + share);
    }
    sum
}

/// What so many whole major units are worth: each rule counts whole steps, the sum is multiplied, the result floored.
pub fn scaled(rules: &[(i64, i64)], major: i64, thousandths: u32) -> Result<i64, Stop> {
    let base: i128 =
        rules.iter().map(|(amount, per)| i128::from(*amount) * i128::from(major / (*per).max(1))).sum();
    let scaled = base * i128::from(thousandths) / 1000;
    i64::try_from(scaled).ok().filter(|scaled| *scaled <= crate::ledger::AMOUNT_MAX).ok_or_else(|| {
        Stop::refused("amount_too_large", "properties.total", "worth more than an account may hold")
    })
}
