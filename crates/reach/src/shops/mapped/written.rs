//! What a brand writes of a webhook, read strictly: which path leads to what, and how it is signed. What cannot work is named by its field.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::super::read::Path;
use super::super::settings::{Account, Customers, Orders};
use super::super::sign::{Algorithm, Encoding};
use super::{CHANNEL, Inner, Mapped};
use crate::secret::Secret;
use crate::settings::{Secrets, SettingsProblem, asked_word, text, wrong};

/// The most names of people, traits of theirs, and words of a kind or a status.
const MANY_MAX: usize = 20;
/// How far from now a signature may be, in seconds, where the file says nothing.
const WITHIN_SECONDS: i64 = 300;
/// The most digits of minor units.
const DIGITS_MAX: u32 = 4;

/// The settings as they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    signature: WrittenSignature,
    kind: Option<WrittenKind>,
    order: Option<WrittenOrder>,
    refund: Option<WrittenRefund>,
    customer: Option<WrittenCustomer>,
    #[serde(default)]
    names: BTreeMap<String, String>,
    #[serde(default)]
    amount_digits: u32,
    #[serde(default)]
    times: Times,
    zone: Option<String>,
    #[serde(default)]
    orders: Orders,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSignature {
    header: String,
    #[serde(default = "sha256")]
    algorithm: Algorithm,
    #[serde(default = "hex")]
    encoding: Encoding,
    #[serde(default)]
    prefix: String,
    secret_env: Option<String>,
    secret_file: Option<String>,
    timestamp_header: Option<String>,
    joint: Option<String>,
    within_seconds: Option<i64>,
}

pub(super) const fn sha256() -> Algorithm {
    Algorithm::HmacSha256
}

pub(super) const fn hex() -> Encoding {
    Encoding::Hex
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenKind {
    path: Option<String>,
    header: Option<String>,
    #[serde(default)]
    orders: BTreeSet<String>,
    #[serde(default)]
    refunds: BTreeSet<String>,
    #[serde(default)]
    customers: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenOrder {
    number: String,
    at: String,
    changed_at: Option<String>,
    total: String,
    shipping: Option<String>,
    tax: Option<String>,
    currency: Option<String>,
    method: Option<String>,
    store: Option<String>,
    status: Option<WrittenStatus>,
    lines: Option<WrittenLines>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenStatus {
    path: String,
    #[serde(default)]
    paid: BTreeSet<String>,
    #[serde(default)]
    cancelled: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenLines {
    list: String,
    product: String,
    quantity: Option<String>,
    price: Option<String>,
    paid: Option<String>,
    category: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRefund {
    order: String,
    number: String,
    at: String,
    total: String,
    currency: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenCustomer {
    number: String,
    at: String,
    #[serde(default)]
    traits: BTreeMap<String, String>,
}

/// How times are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Times {
    /// As RFC 3339 has them.
    #[default]
    Rfc3339,
    /// In seconds since 1970 UTC.
    Seconds,
    /// In milliseconds since 1970 UTC.
    Milliseconds,
    /// By the calendar of a zone.
    Local,
}

pub(super) struct Signature {
    pub(super) header: String,
    pub(super) how: (Algorithm, Encoding),
    pub(super) prefix: String,
    pub(super) secret: Secret,
    /// The line of the head that bears when it was signed, what stands between that and the body, and how far from now it may be.
    pub(super) stamped: Option<(String, String, i64)>,
}

pub(super) enum KindIn {
    Path(Path),
    Header(String),
    /// All of it is orders.
    Nowhere,
}

pub(super) struct Kinds {
    pub(super) told_in: KindIn,
    pub(super) orders: BTreeSet<String>,
    pub(super) refunds: BTreeSet<String>,
    pub(super) customers: BTreeSet<String>,
}

pub(super) struct OrderAt {
    pub(super) number: Path,
    pub(super) at: Path,
    pub(super) changed_at: Option<Path>,
    pub(super) total: Path,
    pub(super) shipping: Option<Path>,
    pub(super) tax: Option<Path>,
    pub(super) currency: Option<Path>,
    pub(super) method: Option<Path>,
    pub(super) store: Option<Path>,
    pub(super) status: Option<(Path, BTreeSet<String>, BTreeSet<String>)>,
    pub(super) lines: Option<LinesAt>,
}

pub(super) struct LinesAt {
    pub(super) list: Path,
    pub(super) product: Path,
    pub(super) quantity: Option<Path>,
    pub(super) price: Option<Path>,
    pub(super) paid: Option<Path>,
    pub(super) category: Option<Path>,
}

fn path(field: &str, said: &str) -> Result<Path, SettingsProblem> {
    match Path::parse(said) {
        Some(path) => Ok(path),
        None => wrong(field, "a path such as data.items[0].id"),
    }
}

fn some_path(field: &str, said: Option<&String>) -> Result<Option<Path>, SettingsProblem> {
    said.map(|said| path(field, said)).transpose()
}

fn header(field: &str, said: &str) -> Result<String, SettingsProblem> {
    let is_head =
        !said.is_empty() && said.len() <= 64 && said.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if is_head { Ok(said.to_ascii_lowercase()) } else { wrong(field, "the name of a line of the head") }
}

fn few(field: &str, n: usize) -> Result<(), SettingsProblem> {
    if n > MANY_MAX { wrong(field, format!("at most {MANY_MAX}")) } else { Ok(()) }
}

fn signature(of: WrittenSignature, secret: impl Secrets) -> Result<Signature, SettingsProblem> {
    let stamped = match of.timestamp_header {
        None if of.joint.is_some() || of.within_seconds.is_some() => {
            return wrong("signature.timestamp_header", "where is it said when it was signed?");
        }
        None => None,
        Some(name) => {
            let within = of.within_seconds.unwrap_or(WITHIN_SECONDS);
            if !(1..=86_400).contains(&within) {
                return wrong("signature.within_seconds", "1 to 86400");
            }
            let joint = of.joint.unwrap_or_else(|| ".".to_owned());
            Some((header("signature.timestamp_header", &name)?, joint, within))
        }
    };
    let what = "where is the secret that webhooks are signed with?";
    let secret = asked_word("signature.secret", of.secret_env, of.secret_file, what, secret)?;
    let how = (of.algorithm, of.encoding);
    Ok(Signature { header: header("signature.header", &of.header)?, how, prefix: of.prefix, secret, stamped })
}

fn kinds(of: Option<WrittenKind>) -> Result<Kinds, SettingsProblem> {
    let Some(of) = of else {
        let none = BTreeSet::new;
        return Ok(Kinds { told_in: KindIn::Nowhere, orders: none(), refunds: none(), customers: none() });
    };
    for (field, words) in [("orders", &of.orders), ("refunds", &of.refunds), ("customers", &of.customers)] {
        few(&format!("kind.{field}"), words.len())?;
    }
    let told_in = match (of.path, of.header) {
        (Some(said), None) => KindIn::Path(path("kind.path", &said)?),
        (None, Some(name)) => KindIn::Header(header("kind.header", &name)?),
        _ => {
            return wrong(
                "kind.path",
                "what a webhook is of is said at one path, or in one line of the head",
            );
        }
    };
    Ok(Kinds { told_in, orders: of.orders, refunds: of.refunds, customers: of.customers })
}

fn order(of: &WrittenOrder) -> Result<OrderAt, SettingsProblem> {
    let status = match &of.status {
        None => None,
        Some(status) => {
            few("order.status.paid", status.paid.len())?;
            few("order.status.cancelled", status.cancelled.len())?;
            Some((path("order.status.path", &status.path)?, status.paid.clone(), status.cancelled.clone()))
        }
    };
    let lines = match &of.lines {
        None => None,
        Some(lines) => Some(LinesAt {
            list: path("order.lines.list", &lines.list)?,
            product: path("order.lines.product", &lines.product)?,
            quantity: some_path("order.lines.quantity", lines.quantity.as_ref())?,
            price: some_path("order.lines.price", lines.price.as_ref())?,
            paid: some_path("order.lines.paid", lines.paid.as_ref())?,
            category: some_path("order.lines.category", lines.category.as_ref())?,
        }),
    };
    Ok(OrderAt {
        number: path("order.number", &of.number)?,
        at: path("order.at", &of.at)?,
        changed_at: some_path("order.changed_at", of.changed_at.as_ref())?,
        total: path("order.total", &of.total)?,
        shipping: some_path("order.shipping", of.shipping.as_ref())?,
        tax: some_path("order.tax", of.tax.as_ref())?,
        currency: some_path("order.currency", of.currency.as_ref())?,
        method: some_path("order.method", of.method.as_ref())?,
        store: some_path("order.store", of.store.as_ref())?,
        status,
        lines,
    })
}

impl Mapped {
    /// What is written of an account, checked.
    pub fn of(name: &str, written: Written, secret: impl Secrets) -> Result<Self, SettingsProblem> {
        let signature = signature(written.signature, secret)?;
        let order = written.order.as_ref().map(order).transpose()?;
        let refund = match &written.refund {
            None => None,
            Some(of) => Some((
                path("refund.order", &of.order)?,
                path("refund.number", &of.number)?,
                path("refund.at", &of.at)?,
                path("refund.total", &of.total)?,
                some_path("refund.currency", of.currency.as_ref())?,
            )),
        };
        let customer = match &written.customer {
            None => None,
            Some(of) => {
                few("customer.traits", of.traits.len())?;
                let traits = of.traits.iter().map(|(called, said)| {
                    text("customer.traits", called)?;
                    Ok((called.clone(), path(&format!("customer.traits.{called}"), said)?))
                });
                let traits = traits.collect::<Result<BTreeMap<_, _>, SettingsProblem>>()?;
                Some((path("customer.number", &of.number)?, path("customer.at", &of.at)?, traits))
            }
        };
        if order.is_none() && refund.is_none() && customer.is_none() {
            return wrong("order", "which paths lead to an order, a refund or a customer?");
        }
        few("names", written.names.len())?;
        let mut names = Vec::with_capacity(written.names.len());
        for (namespace, said) in &written.names {
            let field = format!("names.{namespace}");
            text(&field, namespace)?;
            names.push((namespace.clone(), path(&field, said)?));
        }
        if names.is_empty() && (order.is_some() || customer.is_some()) {
            return wrong("names", "by which names is whoever buys known?");
        }
        if written.amount_digits > DIGITS_MAX {
            return wrong("amount_digits", format!("0 where amounts are in major units, to {DIGITS_MAX}"));
        }
        let zone = match &written.zone {
            None => TimeZone::UTC,
            Some(zone) => match TimeZone::get(zone) {
                Ok(zone) => zone,
                Err(_) => return wrong("zone", "a time zone such as Asia/Shanghai"),
            },
        };
        let account = Account::of(CHANNEL, name, written.orders, Customers::default())?;
        let (kinds, digits, times) = (kinds(written.kind)?, written.amount_digits, written.times);
        Ok(Self(Arc::new(Inner {
            account,
            signature,
            kinds,
            order,
            refund,
            customer,
            names,
            digits,
            times,
            zone,
        })))
    }
}
