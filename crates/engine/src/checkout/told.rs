//! A quote as programs read it, and in words for people.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_model::money::{Currency, Money};
use zhiyin_model::playbook::{Language, Names};
use zhiyin_offer::{Given, Missing, Mode, Paid, Quote};

/// A quote. Amounts are in minor units.
#[derive(Clone, Debug, Serialize)]
pub struct QuoteTold {
    /// The currency.
    pub currency: String,
    /// The lines, in the order of the cart.
    pub lines: Vec<LineTold>,
    /// What they cost by list prices.
    pub list: i64,
    /// What is taken off them.
    pub discount: i64,
    /// What is left to pay of them.
    pub payable: i64,
    /// Shipping.
    pub shipping: ShippingTold,
    /// What is to be paid in all.
    pub total: i64,
    /// Offers that apply.
    pub applied: Vec<AppliedTold>,
    /// By how much points are multiplied, such as `2` or `1.5`.
    pub points_times: String,
    /// Points that exchanges cost.
    pub points_spent: i64,
    /// The other offers, and why not.
    pub not_applied: Vec<NotAppliedTold>,
    /// `best` or `greedy`.
    pub mode: &'static str,
    /// Whether no combination leaves less to pay. Never said of `greedy`.
    pub exact: bool,
    /// No combination leaves less of the lines to pay than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<i64>,
    /// What somebody who is no member would have saved as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership_saves: Option<Money>,
    /// What returns of the order will need to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid: Option<Paid>,
}

/// A line of a quote.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LineTold {
    /// As the cart calls it.
    pub id: String,
    /// How many pieces.
    pub quantity: u32,
    /// What it costs by its list price.
    pub list: i64,
    /// What each offer takes off it, in the order of lanes.
    pub discounts: Vec<DiscountTold>,
    /// What is left to pay of it.
    pub payable: i64,
    /// It may not be bought yet: the offers of early access that are of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_yet_for: Vec<String>,
}

/// What an offer takes off a line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DiscountTold {
    /// The offer.
    pub offer: String,
    /// How much.
    pub amount: i64,
}

/// Shipping.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ShippingTold {
    /// What it costs.
    pub list: i64,
    /// What is taken off it.
    pub discount: i64,
    /// What is left to pay of it.
    pub payable: i64,
}

/// A text in both languages.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Both {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// An offer that applies.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AppliedTold {
    /// The offer.
    pub offer: String,
    /// What people call it.
    pub name: Both,
    /// What it takes off lines.
    pub amount: i64,
    /// The coupon it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon: Option<String>,
    /// What it gives beside money off lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gives: Option<GivenTold>,
}

/// What an offer gives beside money off lines.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GivenTold {
    /// A gift line.
    Gift {
        /// The product.
        product: String,
        /// How many pieces.
        pieces: u32,
    },
    /// So much off shipping.
    Shipping(i64),
    /// Points, so many times.
    PointsTimes(String),
    /// A service.
    Service(Both),
    /// A coupon of an offer.
    Coupon(String),
    /// Its items may be bought already.
    Access,
}

/// An offer that does not apply.
#[derive(Clone, Debug, Serialize)]
pub struct NotAppliedTold {
    /// The offer.
    pub offer: String,
    /// What people call it.
    pub name: Both,
    /// Why not.
    pub reason: zhiyin_offer::Reason,
    /// How much of what is wanting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// The offer that applies instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// Why not, in words.
    pub words: Both,
}

fn both(id: &str, names: &Names) -> Both {
    Both {
        zh: names.in_language(Language::Zh, id).to_owned(),
        en: names.in_language(Language::En, id).to_owned(),
    }
}

impl QuoteTold {
    /// A quote, told.
    pub fn of(quote: &Quote<'_>, currency: &Currency, mode: Mode) -> Self {
        let lines = quote.lines.iter().map(|line| LineTold {
            id: line.id.to_owned(),
            quantity: line.pieces,
            list: line.list.0,
            discounts: line
                .discounts
                .iter()
                .map(|one| DiscountTold { offer: one.offer.to_owned(), amount: one.amount.0 })
                .collect(),
            payable: line.payable.0,
            not_yet_for: line.not_yet_for.iter().map(|id| (*id).to_owned()).collect(),
        });
        let applied = quote.applied.iter().map(|one| AppliedTold {
            offer: one.offer.to_owned(),
            name: both(one.offer, one.name),
            amount: one.amount.0,
            coupon: one.coupon.map(str::to_owned),
            gives: one.gives.map(|gives| match gives {
                Given::Gift(product, pieces) => GivenTold::Gift { product: product.to_owned(), pieces },
                Given::Shipping(off) => GivenTold::Shipping(off.0),
                Given::Points(times) => GivenTold::PointsTimes(times.to_string()),
                Given::Service(what) => GivenTold::Service(both("service", what)),
                Given::Coupon(offer) => GivenTold::Coupon(offer.to_owned()),
                Given::Access => GivenTold::Access,
            }),
        });
        let not_applied = quote.not_applied.iter().map(|not| {
            let words = |language| not.reason.words(not.missing, not.within, language, currency);
            NotAppliedTold {
                offer: not.offer.to_owned(),
                name: both(not.offer, not.name),
                reason: not.reason,
                missing: not.missing,
                instead: not.instead.map(str::to_owned),
                words: Both { zh: words(Language::Zh), en: words(Language::En) },
            }
        });
        let shipping = quote.shipping.0 - quote.shipping_discount.0;
        Self {
            currency: currency.code.clone(),
            lines: lines.collect(),
            list: quote.list.0,
            discount: quote.discount.0,
            payable: quote.payable.0,
            shipping: ShippingTold {
                list: quote.shipping.0,
                discount: quote.shipping_discount.0,
                payable: shipping,
            },
            total: quote.payable.0 + shipping,
            applied: applied.collect(),
            points_times: quote.points_times.to_string(),
            points_spent: quote.points_spent,
            not_applied: not_applied.collect(),
            mode: if mode == Mode::Greedy { "greedy" } else { "best" },
            exact: quote.exact,
            bound: (mode != Mode::Greedy).then_some(quote.bound.0),
            membership_saves: None,
            paid: None,
        }
    }
}

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
        line(format!("a member would have saved {} more", money(saves.0)));
    }
    for one in &quote.applied {
        let coupon = one.coupon.as_ref().map_or_else(String::new, |coupon| format!(" (coupon {coupon})"));
        let gives = one.gives.as_ref().map_or_else(String::new, |gives| format!(": {gives:?}"));
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
