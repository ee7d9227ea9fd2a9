//! What a shop tells, in words that name none: an order as it stands, money that went back, a customer, or what its customers ask for.
//!
//! What is told is known again by what it says, so what is told twice, or told and found in a list as well, is one thing.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::door::{Kept, NEWS};

/// The longest number of an order, a refund or a customer, in bytes.
pub const NUMBER_BYTES_MAX: usize = 64;
/// The most lines of an order.
pub const LINES_MAX: usize = 1_000;
/// The most refunds of an order.
pub const REFUNDS_MAX: usize = 200;

/// Why something that a shop told cannot be made anything of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{why}: {field}")]
pub struct Fault {
    /// The field at fault.
    pub field: String,
    /// What is wrong with it, by a name that stays.
    pub why: String,
}

impl Fault {
    pub(super) fn new(field: impl Into<String>, why: &str) -> Self {
        Self { field: field.into(), why: why.to_owned() }
    }

    pub(super) fn missing(field: impl Into<String>) -> Self {
        Self::new(field, "missing")
    }
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It was placed, and is not paid.
    Placed,
    /// It is paid, be some of it back.
    Paid,
    /// It is not wanted any more.
    Cancelled,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopLine {
    /// The product, as the brand's other systems know it where the shop says so.
    pub product: String,
    /// What it belongs to.
    pub category: Option<String>,
    /// How many pieces.
    pub quantity: Decimal,
    /// What all of it cost, in major units.
    pub paid: Option<Decimal>,
}

/// Money that went back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopRefund {
    /// The shop's number of it.
    pub id: String,
    /// When, in microseconds since 1970 UTC.
    pub at: i64,
    /// How much, in major units.
    pub total: Decimal,
    /// What of it is for shipping, and for tax; where the shop does not say, nobody knows.
    pub parts: Option<(Decimal, Decimal)>,
}

/// An order as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopOrder {
    /// Its number.
    pub number: String,
    /// Whose numbering it is.
    pub namespace: String,
    /// When the shop changed it last, in microseconds since 1970 UTC: what is older came late.
    pub version: i64,
    /// When it was placed, or paid where the shop says so, likewise.
    pub at: i64,
    /// Where it stands.
    pub stage: Stage,
    /// Whether it counts: from when it is placed or from when it is paid, as the brand says.
    pub counts: bool,
    /// How it was paid.
    pub method: Option<String>,
    /// In which currency.
    pub currency: Option<String>,
    /// What was to be paid in all, in major units.
    pub total: Decimal,
    /// Shipping within it.
    pub shipping: Decimal,
    /// Tax within it.
    pub tax: Decimal,
    /// What was bought.
    pub lines: Vec<ShopLine>,
    /// Through what.
    pub channel: String,
    /// Where.
    pub store: Option<String>,
    /// What went back of it, in the order in which it did.
    pub refunds: Vec<ShopRefund>,
    /// Whether refunds take back what it earned; else they are noted.
    pub refunds_count: bool,
    /// Who bought: namespaces of a home and values.
    pub names: Vec<(String, String)>,
}

/// Money that went back, told by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopRefunded {
    /// The number of its order, where it is told.
    pub order: Option<String>,
    /// What its order's number is known again by, where only its order tells that.
    pub numbered_key: Option<String>,
    /// Whose numbering it is.
    pub namespace: String,
    /// In which currency.
    pub currency: Option<String>,
    /// Whether it takes back what the order earned; else it is noted.
    pub counts: bool,
    /// The refund.
    pub refund: ShopRefund,
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopCustomer {
    /// The shop's number of them.
    pub id: String,
    /// When the shop changed it last, in microseconds since 1970 UTC.
    pub at: i64,
    /// Their names in a home.
    pub names: Vec<(String, String)>,
    /// What else is known of them.
    pub traits: Map<String, Value>,
}

/// What a customer, or a shop that goes, asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// What is known of them.
    Data,
    /// That they are erased.
    Erasure,
    /// That whoever came from a shop is erased.
    ShopErasure,
}

/// Somebody asks for something that people see to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What.
    pub wish: Wish,
    /// Who.
    pub names: Vec<(String, String)>,
}

/// What is kept of something that was told or found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum ShopNews {
    /// An order as it stands.
    Order(Box<ShopOrder>),
    /// Which number an order has.
    Numbered {
        /// Its number.
        number: String,
    },
    /// Money went back.
    Refunded(Box<ShopRefunded>),
    /// A customer.
    Customer(Box<ShopCustomer>),
    /// Somebody asks for something.
    Asked(Asked),
    /// It is the shop's, and nothing can be made of it.
    Unread(Fault),
}

/// Something that came, and what it is known again by within its account.
#[derive(Clone, Debug, PartialEq)]
pub struct Came {
    /// What it is.
    pub news: ShopNews,
    /// What the channel calls what it is about, where only that tells it from others.
    pub known_by: String,
}

impl Came {
    /// Of an order.
    pub fn order(order: ShopOrder) -> Self {
        Self { known_by: order.number.clone(), news: ShopNews::Order(Box::new(order)) }
    }

    /// Of a customer.
    pub fn customer(customer: ShopCustomer) -> Self {
        Self { known_by: customer.id.clone(), news: ShopNews::Customer(Box::new(customer)) }
    }

    /// Of something that is the shop's, and of which nothing can be made.
    pub fn unread(fault: Fault, body: &[u8]) -> Self {
        let hash = Sha256::digest(body);
        let known_by = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { known_by, news: ShopNews::Unread(fault) }
    }

    /// What it is to a home: known again however it was told.
    pub fn kept(&self, account: &str) -> Kept {
        let body = match serde_json::to_value(&self.news) {
            Ok(Value::Object(body)) => body,
            _ => Map::new(),
        };
        let known_by = &self.known_by;
        let (key, about) = match &self.news {
            // As it stands: so what it says is what it is known by.
            ShopNews::Order(order) => (hashed(account, "order", known_by, &body), order.names.first()),
            ShopNews::Customer(who) => (hashed(account, "customer", known_by, &body), who.names.first()),
            ShopNews::Numbered { .. } => (numbered_key(account, known_by).into_bytes(), None),
            ShopNews::Refunded(_) => (format!("{account}/refunded/{known_by}").into_bytes(), None),
            ShopNews::Asked(asked) => {
                let first = asked.names.first();
                (format!("{account}/asked/{:?}/{known_by}", asked.wish).into_bytes(), first)
            }
            ShopNews::Unread(_) => (format!("{account}/unread/{known_by}").into_bytes(), None),
        };
        Kept { key, lane: NEWS, about: about.cloned(), body }
    }
}

fn hashed(account: &str, kind: &str, known_by: &str, body: &Map<String, Value>) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(Value::Object(body.clone()).to_string().as_bytes());
    let mut key = format!("{account}/{kind}/{known_by}/").into_bytes();
    key.extend_from_slice(&hash.finalize());
    key
}

/// What the number of an order is known again by, of which a shop told its own id.
pub fn numbered_key(account: &str, id: &str) -> String {
    format!("{account}/numbered/{id}")
}

/// A number that can be one.
pub(super) fn number(said: String, field: &str) -> Result<String, Fault> {
    if said.is_empty() || said.len() > NUMBER_BYTES_MAX || said.chars().any(char::is_control) {
        return Err(Fault::new(field, "no_number"));
    }
    Ok(said)
}
