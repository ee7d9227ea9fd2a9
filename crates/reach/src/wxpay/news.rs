//! What payments, refunds and transfers mean to a home: the same, whether a notice told it or the platform's bill shows it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::settings::{NumberIn, Orders, Refunds};
use super::told::{Refund, Transaction};
use crate::door::{Kept, NEWS};

/// What is kept of something that was told or found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum PayNews {
    /// An order was paid.
    Paid(Payment),
    /// Something was given back.
    Refunded(GivenBack),
    /// A transfer to a person came to its end: how, is asked.
    Transferred(Moved),
    /// A merchant coupon came into somebody's card pack.
    Packed(IntoPack),
}

/// A transfer that came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The merchant's own number of it.
    pub bill: String,
}

/// A merchant coupon that came into somebody's card pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntoPack {
    /// Of which offer.
    pub offer: String,
    /// Of which stock.
    pub stock: String,
    /// Its code there.
    pub code: String,
    /// Whose: the namespace of a home and the openid.
    pub whose: (String, String),
    /// When, in seconds since 1970 UTC.
    pub at: i64,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The order's number.
    pub order: String,
    /// Whose numbering it is.
    pub namespace: String,
    /// What the payment is called among methods.
    pub method: String,
    /// The platform's number of the payment.
    pub transaction: String,
    /// When it was paid, in seconds since 1970 UTC.
    pub at: i64,
    /// What the order came to, in minor units.
    pub total: i64,
    /// Of which currency.
    pub currency: String,
    /// Who paid: the namespace of a home and the openid, where their app is the brand's.
    pub payer: Option<(String, String)>,
    /// Whether whoever paid is taken for whoever bought.
    pub payer_is_buyer: bool,
    /// How: `JSAPI`, `NATIVE`, `MICROPAY`, ….
    pub trade_type: String,
}

/// A refund that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenBack {
    /// The order's number as the payment bears it, where only the payment does.
    pub order: Option<String>,
    /// Whose numbering it is.
    pub namespace: String,
    /// The platform's number of the payment.
    pub transaction: String,
    /// What its payment is known again by, where only that tells the order's number.
    pub payment_key: Option<String>,
    /// The platform's number of the refund.
    pub refund: String,
    /// When it was done, in seconds since 1970 UTC.
    pub at: i64,
    /// How much, in minor units.
    pub amount: i64,
    /// Of which currency.
    pub currency: String,
    /// Whether it takes back what the order earned.
    pub counts: bool,
}

/// Seconds since 1970 UTC of a time as the platform writes it (RFC 3339).
pub fn seconds(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

impl PayNews {
    /// Of a payment; nothing where it does not say when it was.
    pub fn paid(of: &Transaction, orders: &Orders, is_ours: impl Fn(&str) -> bool) -> Option<Self> {
        let payer = of.paid_by(is_ours).map(|(appid, openid)| (format!("openid:{appid}"), openid.to_owned()));
        let currency = if of.amount.currency.is_empty() { "CNY" } else { &of.amount.currency };
        Some(Self::Paid(Payment {
            order: number(orders, &of.out_trade_no, &of.attach).to_owned(),
            namespace: orders.namespace.clone(),
            method: orders.method.clone(),
            transaction: of.transaction_id.clone(),
            at: seconds(&of.success_time)?,
            total: of.amount.total,
            currency: currency.to_owned(),
            payer,
            payer_is_buyer: orders.payer_is_buyer,
            trade_type: of.trade_type.clone(),
        }))
    }

    /// Of a refund that was done; nothing where it does not say when it was. `attach` is what was written along with its payment, where that
    /// is known.
    pub fn refunded(of: &Refund, orders: &Orders, (mchid, attach): (&str, Option<&str>)) -> Option<Self> {
        let order = match (orders.number, attach) {
            (NumberIn::OutTradeNo, _) => Some(of.out_trade_no.clone()),
            (NumberIn::Attach, Some(attach)) => Some(number(orders, &of.out_trade_no, attach).to_owned()),
            // A notice of a refund does not say what was written along with the payment.
            (NumberIn::Attach, None) => None,
        };
        let payment_key = order.is_none().then(|| payment_key(mchid, &of.transaction_id));
        Some(Self::Refunded(GivenBack {
            order,
            payment_key,
            namespace: orders.namespace.clone(),
            transaction: of.transaction_id.clone(),
            refund: of.refund_id.clone(),
            at: seconds(&of.success_time)?,
            amount: of.amount.refund,
            currency: "CNY".to_owned(),
            counts: orders.refunds == Refunds::Count,
        }))
    }

    /// What it is to a merchant's door: known again however it was told.
    pub fn kept(&self, mchid: &str) -> Kept {
        let (known_by, about) = match self {
            Self::Paid(paid) => (payment_key(mchid, &paid.transaction), paid.payer.clone()),
            Self::Refunded(back) => (format!("{mchid}/refunded/{}", back.refund), None),
            Self::Transferred(moved) => (format!("{mchid}/transferred/{}", moved.bill), None),
            Self::Packed(one) => {
                (format!("{mchid}/packed/{}/{}", one.stock, one.code), Some(one.whose.clone()))
            }
        };
        let body = match serde_json::to_value(self) {
            Ok(Value::Object(body)) => body,
            _ => Map::new(),
        };
        Kept { key: known_by.into_bytes(), lane: NEWS, about, body }
    }
}

/// What a payment is known again by.
fn payment_key(mchid: &str, transaction: &str) -> String {
    format!("{mchid}/paid/{transaction}")
}

/// The order's number of a payment.
fn number<'a>(orders: &Orders, out_trade_no: &'a str, attach: &'a str) -> &'a str {
    match orders.number {
        NumberIn::Attach if !attach.trim().is_empty() => attach.trim(),
        NumberIn::Attach | NumberIn::OutTradeNo => out_trade_no,
    }
}
