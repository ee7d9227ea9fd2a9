//! Shops: people buy in them, pay, get money back; each tells of it by its own webhooks and lists its orders by its own API.
//!
//! Written from the platforms' documentation, never from our client. `act` is what people and the shops' own staff do, `tell` brings it to
//! a home (and what somebody brings who is not the shop), `api` is what is asked; one file a platform says how it writes all of it.

pub mod act;
pub mod api;
mod shopify;
pub mod tell;
mod woocommerce;
mod youzan;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::chance::Chance;
use crate::world::World;

/// As which app's callbacks what shops tell is counted.
pub const AGENT: i64 = -4;

/// Which platform a shop is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    Shopify,
    WooCommerce,
    Youzan,
    /// One of nobody's: its webhooks are in a format of its own.
    Mall,
}

impl On {
    pub fn named(name: &str) -> Option<Self> {
        [Self::Shopify, Self::WooCommerce, Self::Youzan, Self::Mall].into_iter().find(|on| on.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Shopify => "shopify",
            Self::WooCommerce => "woocommerce",
            Self::Youzan => "youzan",
            Self::Mall => "mall",
        }
    }
}

/// A refund, in hundredths.
#[derive(Clone)]
pub struct Refund {
    pub id: u64,
    pub cents: i64,
    pub at_ms: i64,
}

/// An order, in hundredths.
#[derive(Clone)]
pub struct Order {
    pub id: u64,
    pub number: String,
    /// Who bought: their number there, phone and e-mail address, empty where they left none.
    pub customer: u64,
    pub phone: String,
    pub email: String,
    /// What each line cost, with its product and pieces.
    pub lines: Vec<(String, i64, i64)>,
    pub shipping_cents: i64,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub paid_ms: Option<i64>,
    pub cancelled_ms: Option<i64>,
    pub refunds: Vec<Refund>,
}

impl Order {
    pub fn goods_cents(&self) -> i64 {
        self.lines.iter().map(|(_, pieces, cents)| pieces * cents).sum()
    }

    pub fn total_cents(&self) -> i64 {
        self.goods_cents() + self.shipping_cents
    }

    pub fn back_cents(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.cents).sum()
    }
}

/// A shop.
pub struct Shop {
    /// What it is called there: a domain, an address, a number.
    pub name: String,
    pub secret: String,
    /// What its API is asked by.
    pub key: String,
    pub notice_url: String,
    pub orders: BTreeMap<String, Order>,
    /// How many may be asked at once, and when that was last looked at (Shopify's bucket).
    pub level: i64,
    pub level_ms: i64,
    /// Tokens that were given, and until when each is good.
    pub tokens: BTreeMap<String, i64>,
    pub n_asked: u64,
    last: Option<tell::Sent>,
}

/// All of them.
pub struct Shops {
    pub open: BTreeMap<On, Shop>,
    pub chance: Chance,
    n_ids: u64,
}

impl Shops {
    /// None yet, of a seed.
    pub fn new(seed: u64) -> Self {
        Self { open: BTreeMap::new(), chance: Chance::new(seed, "shops"), n_ids: 0 }
    }

    fn id(&mut self) -> u64 {
        self.n_ids += 1;
        5_000_000_000_000 + self.n_ids
    }
}

/// Hundredths as shops write them.
pub fn shown(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}

impl World {
    /// What is so.
    pub fn told_shops(&self) -> Value {
        let of = |shop: &Shop| {
            let order = |order: &Order| {
                json!({
                    "number": order.number, "customer": order.customer, "phone": order.phone,
                    "goods": order.goods_cents(), "total": order.total_cents(), "back": order.back_cents(),
                    "paid": order.paid_ms.is_some(), "cancelled": order.cancelled_ms.is_some(),
                })
            };
            json!({"asked": shop.n_asked, "orders": shop.orders.values().map(order).collect::<Vec<_>>()})
        };
        self.shops.open.iter().map(|(on, shop)| (on.name().to_owned(), of(shop))).collect()
    }
}
