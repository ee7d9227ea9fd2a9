//! What shops of several platforms tell alike: bodies that were verified, lists of orders, lines, refunds, customers' names.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::BODY_BYTES_MAX;
use super::news::{Came, Fault, LINES_MAX, REFUNDS_MAX, ShopLine, ShopRefund};
use super::read::{amount, list, text};
use crate::door::{Brought, How, Refused, Taken};

/// What somebody brought is not taken, by a name that stays.
pub(super) fn refused<T>(why: &'static str) -> Result<T, Refused> {
    Err(Refused::new(why, How::Forbidden))
}

/// A body within its bounds.
pub(super) fn bounded(brought: Brought<'_>) -> Result<&[u8], Refused> {
    if brought.body.len() > BODY_BYTES_MAX {
        return Err(Refused::new("too_large", How::TooLarge));
    }
    Ok(brought.body)
}

/// What a body says that was verified.
pub(super) fn said(body: &[u8]) -> Result<Value, Refused> {
    serde_json::from_slice(body).or_else(|_| refused("no_json"))
}

/// What a body came to, as it is kept of an account: what cannot be read is kept with the field that is why.
pub(super) fn taken(account: &str, body: &[u8], came: Result<(&'static str, Vec<Came>), Fault>) -> Taken {
    match came {
        Ok((kind, came)) => Taken { kind, kept: came.iter().map(|came| came.kept(account)).collect() },
        Err(fault) => Taken { kind: "unread", kept: vec![Came::unread(fault, body).kept(account)] },
    }
}

/// What orders of a list came to, each by itself: one that cannot be read keeps no other from being.
pub(super) fn listed<'v>(
    orders: impl IntoIterator<Item = &'v Value>,
    mut read: impl FnMut(&Value) -> Result<Vec<Came>, Fault>,
) -> Vec<Came> {
    let mut came = Vec::new();
    for order in orders {
        match read(order) {
            Ok(some) => came.extend(some),
            Err(fault) => came.push(Came::unread(fault, order.to_string().as_bytes())),
        }
    }
    came
}

/// The lines of an order at a path, as many as there may be.
pub(super) fn lines(
    order: &Value,
    path: &str,
    read: impl Fn(&Value) -> Result<ShopLine, Fault>,
) -> Result<Vec<ShopLine>, Fault> {
    let all = list(order, path)?;
    if all.len() > LINES_MAX {
        return Err(Fault::new(path, "too_many"));
    }
    all.iter().map(read).collect()
}

/// What a line is of: the first of its fields that says something; an id of 0 says nothing.
pub(super) fn product(line: &Value, fields: &[&str], missing: &str) -> Result<String, Fault> {
    let is_none = |field: &str, said: &str| said == "0" && field.ends_with("_id");
    let mut said = fields.iter().filter_map(|field| text(line, field).filter(|said| !is_none(field, said)));
    said.next().ok_or_else(|| Fault::missing(missing))
}

/// How many pieces a line has: one, where it says nothing.
pub(super) fn pieces(line: &Value, field: &str) -> Result<Decimal, Fault> {
    Ok(amount(line, field)?.unwrap_or(Decimal::ONE).max(Decimal::ZERO))
}

/// Refunds that bear no time of their own: in the order of their numbers, as many as there may be.
pub(super) fn numbered(mut refunds: Vec<ShopRefund>, path: &str) -> Result<Vec<ShopRefund>, Fault> {
    few(&refunds, path)?;
    refunds.sort_by(|one, other| (one.id.len(), &one.id).cmp(&(other.id.len(), &other.id)));
    Ok(refunds)
}

/// Whether there are as many refunds as there may be.
pub(super) fn few(refunds: &[ShopRefund], path: &str) -> Result<(), Fault> {
    if refunds.len() > REFUNDS_MAX { Err(Fault::new(path, "too_many")) } else { Ok(()) }
}

/// What a customer is called, as traits of a member.
pub(super) fn called(customer: &Value) -> Map<String, Value> {
    let mut traits = Map::new();
    for (field, called) in [("first_name", "firstName"), ("last_name", "lastName")] {
        if let Some(value) = text(customer, field) {
            drop(traits.insert(called.to_owned(), value.into()));
        }
    }
    traits
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_is_of_the_first_field_that_says_something() {
        let line = json!({"sku": "", "variation_id": 0, "product_id": 7, "name": "Bag"});
        let fields = ["sku", "variation_id", "product_id", "name"];
        assert_eq!(product(&line, &fields, "sku").unwrap(), "7");
        assert_eq!(
            product(&json!({}), &fields, "line_items.sku").unwrap_err().to_string(),
            "missing: line_items.sku"
        );
        for (quantity, wanted) in
            [(json!(2), "2"), (json!("0.5"), "0.5"), (json!(-1), "0"), (Value::Null, "1")]
        {
            assert_eq!(pieces(&json!({"n": quantity}), "n").unwrap(), wanted.parse().unwrap());
        }
    }

    #[test]
    fn lines_and_refunds_are_bounded_and_named_by_their_field() {
        let line = |_: &Value| {
            let (quantity, product) = (Decimal::ONE, String::new());
            Ok(ShopLine { product, category: None, quantity, paid: None })
        };
        let many = json!({"lines": vec![0; LINES_MAX + 1]});
        assert_eq!(lines(&many, "lines", line).unwrap_err().to_string(), "too_many: lines");
        let refund = |id: usize| ShopRefund { id: id.to_string(), at: 0, total: Decimal::ONE, parts: None };
        let ids: Vec<String> =
            numbered(vec![refund(10), refund(9)], "x").unwrap().into_iter().map(|one| one.id).collect();
        assert_eq!(ids, ["9", "10"]);
        let all = (0..=REFUNDS_MAX).map(refund).collect();
        assert_eq!(numbered(all, "refunds").unwrap_err().to_string(), "too_many: refunds");
    }
}
