//! A quote in words for people.

use std::fmt::Write;

use zhiyin_decide::checkout::told::QuoteTold;
use zhiyin_model::money::{Currency, Money};

/// A quote in words, for people at a command line.
pub fn quoted_in_words(quote: &QuoteTold, currency: &Currency) -> String {
    let money = |minor: i64| currency.to_major(Money(minor)).to_string();
    let mut text = String::new();
    let mut line = |words: String| {
        let _ = writeln!(text, "{words}");
    };
    for one in &quote.lines {
        line(format!(
            "{:<12} {:>6} × {:>12} → {:>12}",
            one.id,
            one.quantity,
            money(one.list),
            money(one.payable)
        ));
        for discount in &one.discounts {
            line(format!("    −{:<11} {}", money(discount.amount), discount.offer));
        }
        if !one.not_yet_for.is_empty() {
            line(format!("    may not be bought yet: {}", one.not_yet_for.join(", ")));
        }
    }
    line(format!(
        "list {} {}, off {}, to pay {}",
        currency.code,
        money(quote.list),
        money(quote.discount),
        money(quote.payable)
    ));
    if quote.shipping.list > 0 {
        line(format!("shipping {}, off {}", money(quote.shipping.list), money(quote.shipping.discount)));
    }
    line(match (quote.exact, quote.bound) {
        (true, _) => "no combination leaves less to pay".to_owned(),
        (false, Some(bound)) => {
            format!("a better combination may be: at the least {} is to pay", money(bound))
        }
        (false, None) => "in the playbook's order; the best combination was not looked for".to_owned(),
    });
    if let Some(saves) = quote.membership_saves {
        line(format!("a member would have saved {} more", money(saves)));
    }
    for one in &quote.applied {
        let coupon = one.coupon.as_ref().map_or_else(String::new, |coupon| format!(" (coupon {coupon})"));
        let gives =
            one.gives.as_ref().map_or_else(String::new, |gives| format!(": {}", gives.words(currency)));
        line(format!("applies: {} — {}{coupon}{gives}", one.offer, one.name.en));
    }
    for not in &quote.not_applied {
        let instead =
            not.instead.as_ref().map_or_else(String::new, |instead| format!(" ({instead} applies)"));
        line(format!("not: {} — {}{instead}", not.offer, not.words.en));
    }
    text.truncate(text.trim_end().len());
    text
}
