//! What an event says of a checkout: its name, the cart, how long it is held, the order that is made of it, what came back.

use super::json::Json;
use super::read::bounded;
use super::{Refusal, names};
use crate::checkout::{CHECKOUT_LINES_MAX, CartFacts, HOLD_SECONDS_BOUNDS};
use crate::id::MemberId;

/// What an event says of a checkout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckoutFacts {
    /// Whose naming it is; empty unless whoever begins it says otherwise.
    pub namespace: String,
    /// Its name within it.
    pub name: String,
    /// The cart; the one that was judged before, where it is not said.
    pub cart: Option<CartFacts>,
    /// Another payment method than the cart says.
    pub payment: Option<String>,
    /// For how many seconds it is held.
    pub hold_seconds: Option<u32>,
    /// What whoever asks takes to be payable of the lines, in minor units.
    pub payable: Option<i64>,
    /// The order that is made of it: namespace and number.
    pub order: Option<(String, String)>,
    /// What comes back: line and pieces; all that is left, where it names none.
    pub lines: Vec<(String, u32)>,
    /// The lease under which a till sold it without a network.
    pub lease: Option<String>,
    /// The member whom the lease names, as it names them.
    pub leased_to: Option<MemberId>,
    /// What the till quoted, as JSON.
    pub quote: Option<String>,
}

/// Whether events of a name are about checkouts.
pub(super) fn speaks_of_one(name: &str) -> bool {
    matches!(
        name,
        names::CHECKOUT_LOCKED
            | names::CHECKOUT_REDEEMED
            | names::CHECKOUT_CANCELLED
            | names::CHECKOUT_RETURNED
    )
}

/// Reads what an item's properties say of a checkout. What names none is somebody else's news.
pub(super) fn read(properties: &Json) -> Result<Option<CheckoutFacts>, Refusal> {
    let text = |key: &str| -> Result<Option<String>, Refusal> {
        let Some(value) = properties.get(key) else { return Ok(None) };
        let field = format!("properties.{key}");
        let text = value.text_or_number().map(str::trim);
        let text = text.ok_or_else(|| Refusal::new("bad_text", field.as_str(), "a text"))?;
        bounded(&field, text)?;
        Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
    };
    let Some(name) = text("checkout")? else { return Ok(None) };
    let whole = |key: &str, least: i64, most: i64| -> Result<Option<i64>, Refusal> {
        let Some(value) = properties.get(key) else { return Ok(None) };
        let number = value.text_or_number().and_then(|text| text.trim().parse::<i64>().ok());
        let bad = || Refusal::new("bad_number", format!("properties.{key}"), format!("{least} to {most}"));
        number.filter(|number| (least..=most).contains(number)).map(Some).ok_or_else(bad)
    };
    let (least, most) = HOLD_SECONDS_BOUNDS;
    let hold_seconds = whole("hold_seconds", i64::from(least), i64::from(most))?;
    Ok(Some(CheckoutFacts {
        namespace: text("checkout_namespace")?.unwrap_or_default(),
        name,
        cart: properties.get("cart").map(cart).transpose()?,
        payment: text("payment")?,
        hold_seconds: hold_seconds.and_then(|seconds| u32::try_from(seconds).ok()),
        payable: whole("payable", 0, i64::MAX)?,
        order: text("order_id")?
            .map(|number| Ok((text("order_namespace")?.unwrap_or_default(), number)))
            .transpose()?,
        lines: lines(properties)?,
        lease: text("lease")?,
        leased_to: text("leased_to")?
            .map(|id| {
                MemberId::from_hex(&id).ok_or_else(|| {
                    Refusal::new(
                        "member_unknown",
                        "properties.leased_to",
                        "the id of a member, as the lease has it",
                    )
                })
            })
            .transpose()?,
        quote: properties.get("quote").map(|quote| {
            let mut text = String::new();
            quote.write(&mut text);
            text
        }),
    }))
}

fn cart(said: &Json) -> Result<CartFacts, Refusal> {
    let field = "properties.cart";
    if let Some(Json::List(lines)) = said.get("lines")
        && lines.len() > CHECKOUT_LINES_MAX
    {
        let message = format!("{} lines; a checkout has at most {CHECKOUT_LINES_MAX}", lines.len());
        return Err(Refusal::new("too_many_lines", format!("{field}.lines"), message));
    }
    let mut text = String::new();
    said.write(&mut text);
    let reader = &mut serde_json::Deserializer::from_str(&text);
    let cart: CartFacts = serde_path_to_error::deserialize(reader).map_err(|error| {
        let path = error.path().to_string();
        let at = if path == "." { field.to_owned() } else { format!("{field}.{path}") };
        Refusal::new("bad_cart", at, error.into_inner().to_string())
    })?;
    let texts = [&cart.store, &cart.region, &cart.channel, &cart.payment, &cart.timezone, &cart.currency];
    let texts = texts.into_iter().flatten().chain(&cart.codes).chain(cart.exchange.keys());
    let of_lines = cart.lines.iter().flat_map(|line| {
        let codes = [&line.id, &line.category, &line.department, &line.brand, &line.zone];
        codes.into_iter().flatten().chain([&line.product])
    });
    texts.chain(of_lines).chain(cart.coupons.iter().flatten()).try_for_each(|text| bounded(field, text))?;
    Ok(cart)
}

fn lines(properties: &Json) -> Result<Vec<(String, u32)>, Refusal> {
    let bad =
        |field: String| Refusal::new("bad_lines", field, "a list of lines, each with its `id` and `pieces`");
    let lines = match properties.get("lines") {
        None => return Ok(Vec::new()),
        Some(Json::List(lines)) if lines.len() <= CHECKOUT_LINES_MAX => lines,
        Some(_) => return Err(bad("properties.lines".to_owned())),
    };
    let line = |(i, line): (usize, &Json)| {
        let at = |key: &str| format!("properties.lines[{i}].{key}");
        let id = line.get("id").and_then(Json::text_or_number).ok_or_else(|| bad(at("id")))?;
        bounded(&at("id"), id)?;
        let pieces = line.get("pieces").and_then(Json::text_or_number).and_then(|text| text.parse().ok());
        Ok((id.to_owned(), pieces.filter(|pieces| *pieces > 0).ok_or_else(|| bad(at("pieces")))?))
    };
    lines.iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(properties: &str) -> Result<Option<CheckoutFacts>, String> {
        let json = Json::parse(properties.as_bytes()).map_err(|refusal| refusal.to_string())?;
        super::read(&json).map_err(|refusal| format!("{} @{}", refusal.code, refusal.field))
    }

    #[test]
    fn what_names_no_checkout_is_somebody_elses_news() {
        assert_eq!(read(r#"{"cart": 7}"#), Ok(None));
        assert_eq!(read(r#"{"checkout": ""}"#), Ok(None));
        let facts = read(
            r#"{"checkout": 7, "hold_seconds": "60", "order_id": "9", "payable": 5,
                "cart": {"lines": [{"product": "p", "price": 100, "quantity": 2, "properties": {"size": 1.5}}]},
                "lines": [{"id": "1", "pieces": 2}]}"#,
        );
        let facts = facts.unwrap().unwrap();
        assert_eq!((facts.name.as_str(), facts.hold_seconds, facts.payable), ("7", Some(60), Some(5)));
        assert_eq!(facts.order, Some((String::new(), "9".to_owned())));
        assert_eq!(facts.lines, [("1".to_owned(), 2)]);
        let cart = facts.cart.unwrap();
        assert_eq!((cart.line_id(0).as_str(), cart.lines[0].quantity), ("1", 2));
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_field() {
        for (properties, expected) in [
            (r#"{"checkout": []}"#, "bad_text @properties.checkout"),
            (r#"{"checkout": "a", "hold_seconds": 9}"#, "bad_number @properties.hold_seconds"),
            (r#"{"checkout": "a", "payable": -1}"#, "bad_number @properties.payable"),
            (r#"{"checkout": "a", "cart": {}}"#, "bad_cart @properties.cart"),
            (r#"{"checkout": "a", "cart": {"lines": [], "linse": []}}"#, "bad_cart @properties.cart.linse"),
            (
                r#"{"checkout": "a", "cart": {"lines": [{"product": "p", "price": 1.5, "quantity": 1}]}}"#,
                "bad_cart @properties.cart.lines[0].price",
            ),
            (r#"{"checkout": "a", "lines": 7}"#, "bad_lines @properties.lines"),
            (
                r#"{"checkout": "a", "lines": [{"id": "1", "pieces": 0}]}"#,
                "bad_lines @properties.lines[0].pieces",
            ),
        ] {
            assert_eq!(read(properties).unwrap_err(), expected, "{properties}");
        }
    }
}
