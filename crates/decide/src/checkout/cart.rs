//! A cart as it was sent, ready to be judged.

use std::collections::BTreeMap;

use zhiyin_condition::CartItem;
use zhiyin_model::checkout::CartFacts;
use zhiyin_model::money::{Money, parse_decimal};
use zhiyin_model::playbook::offer::{Offer, OfferEffect};
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Zone;
use zhiyin_offer::{Cart, CartProblem, LINES_MAX, Line};

use crate::rules::Rules;

fn problem<T>(field: impl Into<String>, message: impl Into<String>) -> Result<T, CartProblem> {
    Err(CartProblem { field: field.into(), message: message.into() })
}

/// The beginning of what somebody wrote, to be said back.
fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

/// What there is, to be said where there is not what was written.
pub fn listed<'a>(ids: impl Iterator<Item = &'a String>) -> String {
    let ids: Vec<&str> = ids.map(String::as_str).take(50).collect();
    if ids.is_empty() { String::new() } else { format!(" (there are {})", ids.join(", ")) }
}

/// What is known of something beside its codes: texts, numbers, yes and no, lists of texts.
pub fn scalars(
    field: &str,
    values: &BTreeMap<String, serde_json::Value>,
) -> Result<BTreeMap<String, Scalar>, CartProblem> {
    let scalar = |value: &serde_json::Value| match value {
        serde_json::Value::Bool(value) => Some(Scalar::Bool(*value)),
        serde_json::Value::Number(number) => parse_decimal(&number.to_string()).ok().map(Scalar::Number),
        serde_json::Value::String(text) => Some(Scalar::Text(text.clone())),
        serde_json::Value::Array(texts) => {
            let texts = texts.iter().map(|text| text.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map(Scalar::Texts)
        }
        _ => None,
    };
    let mut read = BTreeMap::new();
    for (name, value) in values {
        match scalar(value) {
            Some(scalar) => drop(read.insert(name.clone(), scalar)),
            None => {
                return problem(
                    format!("{field}.{name}"),
                    "true or false, a number, a text, or a list of texts",
                );
            }
        }
    }
    Ok(read)
}

/// The cart, checked.
pub fn cart(facts: &CartFacts, rules: &Rules) -> Result<Cart, CartProblem> {
    let currency = &rules.currency;
    if facts.currency.as_ref().is_some_and(|code| *code != currency.code) {
        return problem("currency", format!("the brand's currency is {}", currency.code));
    }
    if facts.lines.len() > LINES_MAX {
        return problem("lines", format!("a cart has 1 to {LINES_MAX} lines"));
    }
    let zone = match &facts.timezone {
        None => None,
        Some(name) => match Zone::named(name) {
            Some(zone) => Some(zone),
            None => return problem("timezone", "an IANA name such as Asia/Shanghai"),
        },
    };
    // What is shown or asked for now and is nothing to the playbook is a slip of whoever asks. (Coupons, uses and what is left may
    // well be of offers that there are no more.)
    for (i, code) in facts.codes.iter().enumerate() {
        if !rules.partners.contains(code) {
            let known = listed(rules.partners.iter());
            return problem(format!("codes[{i}]"), format!("there is no partner `{}`{known}", short(code)));
        }
    }
    for id in facts.exchange.keys() {
        let is_one = |offer: &Offer| matches!(offer.effect, OfferEffect::Exchange { .. });
        if !rules.offer_terms.get(id).is_some_and(is_one) {
            let all = rules.offer_terms.values().filter(|offer| is_one(offer));
            let known = listed(all.map(|offer| &offer.id));
            let message = format!("there is no exchange for points `{}`{known}", short(id));
            return problem(format!("exchange.{}", short(id)), message);
        }
    }
    let mut cart =
        Cart { zone, codes: facts.codes.clone(), chosen: facts.exchange.clone(), ..Cart::default() };
    cart.row.store.clone_from(&facts.store);
    cart.row.region.clone_from(&facts.region);
    cart.row.channel.clone_from(&facts.channel);
    cart.row.payment.clone_from(&facts.payment);
    cart.row.shipping = Money(facts.shipping);
    let mut ids = std::collections::BTreeSet::new();
    for (i, line) in facts.lines.iter().enumerate() {
        cart.row.items.push(CartItem {
            product: line.product.clone(),
            category: line.category.clone(),
            department: line.department.clone(),
            brand: line.brand.clone(),
            zone: line.zone.clone(),
            price: Money(line.price),
            quantity: line.quantity,
            properties: scalars(&format!("lines[{i}].properties"), &line.properties)?,
        });
        let id = facts.line_id(i);
        if !ids.insert(id.clone()) {
            return problem(format!("lines[{i}].id"), "two lines have this id");
        }
        cart.lines.push(Line { id, floor: line.floor.map(Money) });
    }
    cart.sum_up()?;
    Ok(cart)
}
