//! Whether a quote that a till tells is one of its cart: lines, sums, and what returns will need to know.

use zhiyin_model::checkout::CartFacts;
use zhiyin_offer::{DeservedGain, PIECES_MAX, Share, TOTAL_MAX};

use crate::checkout::told::{AppliedTold, GivenTold, LineTold, QuoteTold};

/// The most steps of a discount that returns must know of.
const STEPS_MAX: usize = 64;

/// Whether a quote is one of a cart, in itself; else the field where it is not.
pub(super) fn adds_up(quote: &QuoteTold, cart: &CartFacts, currency: &str) -> Result<(), String> {
    let check = |holds: bool, field: &str| if holds { Ok(()) } else { Err(format!("quote.{field}")) };
    check(quote.currency == currency, "currency")?;
    check(!cart.lines.is_empty() && quote.lines.len() == cart.lines.len(), "lines")?;
    let (mut list, mut discount) = (0i64, 0i64);
    for (i, (line, asked)) in quote.lines.iter().zip(&cart.lines).enumerate() {
        let field = format!("lines[{i}]");
        let known = (1..=PIECES_MAX).contains(&asked.quantity) && (0..=TOTAL_MAX).contains(&asked.price);
        let fits = known && line.id == cart.line_id(i) && line.quantity == asked.quantity;
        check(fits && line.not_yet_for.is_empty(), &field)?;
        check(Some(line.list) == asked.price.checked_mul(asked.quantity.into()), &field)?;
        let mut off = 0i64;
        for one in &line.discounts {
            check((0..=line.list).contains(&one.amount), &field)?;
            check(quote.applied.iter().any(|applied| applied.offer == one.offer), &field)?;
            off = off.saturating_add(one.amount);
        }
        check(off <= line.list && line.payable == line.list - off, &field)?;
        (list, discount) = (list.saturating_add(line.list), discount.saturating_add(off));
        check(list <= TOTAL_MAX, &field)?;
    }
    check((quote.list, quote.discount, quote.payable) == (list, discount, list - discount), "payable")?;
    let shipping = &quote.shipping;
    let fits = shipping.list == cart.shipping && (0..=TOTAL_MAX).contains(&shipping.list);
    check(fits && (0..=shipping.list).contains(&shipping.discount), "shipping")?;
    check(shipping.payable == shipping.list - shipping.discount, "shipping")?;
    let given = |one: &AppliedTold| if let Some(GivenTold::Shipping(off)) = one.gives { off } else { 0 };
    let given = quote.applied.iter().map(given).fold(0i64, i64::saturating_add);
    check(given == shipping.discount, "shipping")?;
    check(quote.total == quote.payable + shipping.payable, "total")?;
    for (i, applied) in quote.applied.iter().enumerate() {
        let before = quote.applied.iter().take(i);
        check(before.clone().all(|one| one.offer != applied.offer), &format!("applied[{i}]"))?;
        let of = quote.lines.iter().flat_map(|line| &line.discounts).filter(|one| one.offer == applied.offer);
        check(applied.amount == of.map(|one| one.amount).sum::<i64>(), &format!("applied[{i}].amount"))?;
        if let Some(GivenTold::Shipping(off)) = &applied.gives {
            check((0..=shipping.discount).contains(off), &format!("applied[{i}].gives"))?;
        }
    }
    paid_adds_up(quote).then_some(()).ok_or_else(|| "quote.paid".to_owned())
}

/// Whether what returns will need to know is of this quote.
fn paid_adds_up(quote: &QuoteTold) -> bool {
    let Some(paid) = &quote.paid else { return false };
    let lines = quote.lines.iter().map(|line| (line.quantity, line.payable));
    let within = |amount: i64| (0..=TOTAL_MAX).contains(&amount);
    paid.lines.iter().copied().eq(lines)
        && paid.conditional.iter().all(|one| {
            let share = |(share, line): (&Option<Share>, &LineTold)| {
                share.is_none_or(|share| {
                    let off: i64 =
                        line.discounts.iter().filter(|d| d.offer == one.offer).map(|d| d.amount).sum();
                    within(share.counted) && (0..=line.list).contains(&share.amount) && share.off == off
                })
            };
            quote.applied.iter().any(|applied| applied.offer == one.offer)
                && one.lines.len() == quote.lines.len()
                && one.lines.iter().zip(&quote.lines).all(share)
                && one.steps.len() <= STEPS_MAX
                && one
                    .steps
                    .iter()
                    .all(|step| within(step.spend) && within(step.pieces) && gain_fits(step.gain))
        })
}

fn gain_fits(gain: DeservedGain) -> bool {
    match gain {
        DeservedGain::Off(off) => off >= 0,
        DeservedGain::Part(pay, most) => pay <= 10_000 && most >= 0,
        DeservedGain::Every(every, off, most) => every >= 0 && off >= 0 && most >= 0,
    }
}
