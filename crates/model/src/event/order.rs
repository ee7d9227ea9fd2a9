//! What an event says of an order: numbers as decimals in major units, exactly as sent.

use rust_decimal::Decimal;

use super::Refusal;
use super::json::Json;
use crate::money::MoneyError;

/// The most lines one order may have.
pub const LINES_MAX: usize = 1_000;

/// Amounts of an order, in major units of its currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// What was paid in all.
    pub total: Option<Decimal>,
    /// Shipping within the total.
    pub shipping: Option<Decimal>,
    /// Tax within the total.
    pub tax: Option<Decimal>,
    /// Discount on the whole order, for when no total is given.
    pub discount: Option<Decimal>,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Product code.
    pub product: String,
    /// Category, as the source names it.
    pub category: Option<String>,
    /// Department, as the source names it.
    pub department: Option<String>,
    /// Pieces; may be 0 and may be a fraction (weighed goods).
    pub quantity: Decimal,
    /// Price of a piece, in major units.
    pub price: Option<Decimal>,
    /// What the whole line cost, in major units; wins over price × quantity.
    pub paid: Option<Decimal>,
}

impl Line {
    /// What the line cost in major units: `paid`, or price × quantity.
    pub fn amount(&self) -> Option<Decimal> {
        self.paid.or_else(|| self.price.and_then(|price| price.checked_mul(self.quantity)))
    }
}

/// What an event says of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFacts {
    /// Whose numbering it is; empty unless the source says otherwise, so that till, payment and shop agree.
    pub namespace: String,
    /// The order's number.
    pub number: String,
    /// ISO 4217 code, when given.
    pub currency: Option<String>,
    /// Its amounts.
    pub amounts: Amounts,
    /// Its lines, or those that came back.
    pub lines: Vec<Line>,
    /// How it was paid.
    pub method: Option<String>,
    /// Which version of the order this is, as its source counts them: what says a lower one than is known came late.
    pub version: Option<i64>,
}

/// Reads the order out of an item's properties.
pub(super) fn read(properties: &Json) -> Result<OrderFacts, Refusal> {
    let number = ["order_id", "orderId"]
        .iter()
        .find_map(|key| properties.get(key))
        .and_then(Json::text_or_number)
        .map(str::trim)
        .filter(|number| !number.is_empty())
        .ok_or_else(|| {
            Refusal::new("order_id_missing", "properties.order_id", "an order event names its order")
        })?;
    super::read::bounded("properties.order_id", number)?;
    let amount = |keys: &[&str]| -> Result<Option<Decimal>, Refusal> {
        for key in keys {
            if let Some(value) = properties.get(key) {
                return decimal(&format!("properties.{key}"), value).map(Some);
            }
        }
        Ok(None)
    };
    let part = |key: &'static str| -> Result<Option<Decimal>, Refusal> {
        let found = amount(&[key])?;
        match found {
            Some(part) if part < Decimal::ZERO => {
                let message = format!("{key} is a part of what was paid: not below zero");
                Err(Refusal::new("negative_amount", format!("properties.{key}"), message))
            }
            found => Ok(found),
        }
    };
    let text = |key: &str| properties.get(key).and_then(Json::text).map(str::to_owned);
    let (shipping, tax) = (part("shipping")?, part("tax")?);
    let total = match amount(&["total"])? {
        Some(total) => Some(total),
        // The spec's `revenue` and `subtotal` are what was paid without these two.
        None => match amount(&["revenue", "subtotal"])? {
            Some(goods) => Some(goods + shipping.unwrap_or_default() + tax.unwrap_or_default()),
            None => amount(&["value"])?,
        },
    };
    Ok(OrderFacts {
        namespace: text("order_namespace").unwrap_or_default(),
        number: number.to_owned(),
        currency: text("currency"),
        amounts: Amounts { total, shipping, tax, discount: part("discount")? },
        lines: lines(properties)?,
        method: text("payment_method"),
        version: version(properties)?,
    })
}

fn version(properties: &Json) -> Result<Option<i64>, Refusal> {
    let field = "order_version";
    let Some(said) = properties.get(field).filter(|said| **said != Json::Null) else { return Ok(None) };
    match said.text_or_number().map(str::parse) {
        Some(Ok(version)) => Ok(Some(version)),
        _ => {
            let message = "a version is a whole number of at most 64 bits that grows";
            Err(Refusal::new("bad_version", format!("properties.{field}"), message))
        }
    }
}

fn lines(properties: &Json) -> Result<Vec<Line>, Refusal> {
    let products = match properties.get("products") {
        None => return Ok(Vec::new()),
        Some(Json::List(products)) => products,
        Some(_) => return Err(Refusal::new("bad_products", "properties.products", "products is a list")),
    };
    if products.len() > LINES_MAX {
        return Err(Refusal::new(
            "too_many_lines",
            "properties.products",
            format!("{} lines; at most {LINES_MAX}", products.len()),
        ));
    }
    products.iter().enumerate().map(|(i, product)| line(i, product)).collect()
}

fn line(i: usize, product: &Json) -> Result<Line, Refusal> {
    let at = |key: &str| format!("properties.products[{i}].{key}");
    if !matches!(product, Json::Object(_)) {
        return Err(Refusal::new(
            "bad_products",
            format!("properties.products[{i}]"),
            "a product is an object",
        ));
    }
    let number = |key: &str| product.get(key).map(|value| decimal(&at(key), value)).transpose();
    let code = ["product_id", "productId", "sku", "id", "name"]
        .iter()
        .find_map(|key| product.get(key))
        .and_then(Json::text_or_number)
        .unwrap_or_default();
    super::read::bounded(&at("product_id"), code)?;
    let quantity = number("quantity")?.unwrap_or(Decimal::ONE);
    if quantity.is_sign_negative() && !quantity.is_zero() {
        return Err(Refusal::new("negative_quantity", at("quantity"), "a quantity is not below zero"));
    }
    if quantity > Decimal::from(1_000_000_000_000i64) {
        return Err(Refusal::new("amount_too_large", at("quantity"), "a quantity is at most 10^12"));
    }
    let text = |key: &str| product.get(key).and_then(Json::text_or_number).map(str::to_owned);
    Ok(Line {
        product: code.to_owned(),
        category: text("category"),
        department: text("department"),
        quantity,
        price: number("price")?,
        paid: number("paid")?,
    })
}

fn decimal(field: &str, value: &Json) -> Result<Decimal, Refusal> {
    match value.decimal() {
        Some(Ok(decimal)) if decimal.abs() <= Decimal::from(10_000_000_000_000_000_000i128) => Ok(decimal),
        Some(Ok(decimal)) => {
            Err(Refusal::new("amount_too_large", field, format!("{decimal} is larger than an amount may be")))
        }
        Some(Err(error @ MoneyError::TooLarge(_))) => {
            Err(Refusal::new("amount_too_large", field, error.to_string()))
        }
        Some(Err(error)) => Err(Refusal::new("bad_amount", field, error.to_string())),
        None => Err(Refusal::new("bad_amount", field, "an amount is a number or a text that is one")),
    }
}
