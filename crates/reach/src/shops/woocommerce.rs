//! WooCommerce: webhooks of orders and customers, and the list of orders of its REST API.
//!
//! A webhook bears the base64 of HMAC-SHA256 over its very bytes, by the webhook's own secret, and is preceded by a ping, a form that only
//! names the webhook (woocommerce.github.io/woocommerce-rest-api-docs/#webhooks). Refunds stand in their order, as amounts below zero and
//! without a time of their own. Times are told in UTC without saying so (`…_gmt`).

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use super::BODY_BYTES_MAX;
use super::alike::{self, bounded, called, lines, listed, numbered, pieces, product, refused, taken};
use super::ask::{Ask, Asking};
use super::checkup::{self, Facts};
use super::listed::{Listed, Page};
use super::news::{Came, Fault, ShopCustomer, ShopLine, ShopOrder, ShopRefund, Stage, number};
use super::read::{amount, list, local, text, wanted};
use super::settings::{Account, Customers, NumberIs, Orders, Refunds};
use super::sign::{Algorithm, Encoding, is_signed};
use crate::address::Target;
use crate::clickhouse::encoded;
use crate::door::{Brought, Door, Refused, Taken};
use crate::platform::{Answer, Step};
use crate::secret::Secret;
use crate::settings::{Secrets, SettingsProblem, api, asked_word, held_word, wrong};

/// What the channel is called.
pub const CHANNEL: &str = "woocommerce";
/// How many orders a page has: as many as there may be.
const PAGE: usize = 100;

/// The settings as they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    url: String,
    secret_env: Option<String>,
    secret_file: Option<String>,
    consumer_key_env: Option<String>,
    consumer_key_file: Option<String>,
    consumer_secret_env: Option<String>,
    consumer_secret_file: Option<String>,
    #[serde(default)]
    orders: Orders,
    #[serde(default)]
    customers: Customers,
}

struct Inner {
    account: Account,
    url: String,
    secret: Secret,
    consumer: Option<(Secret, Secret)>,
    api: Target,
    asking: Asking,
}

/// A shop. Copies share all they have.
#[derive(Clone)]
pub struct WooCommerce(Arc<Inner>);

impl fmt::Debug for WooCommerce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WooCommerce({})", self.0.url)
    }
}

impl WooCommerce {
    /// What is written of an account, checked.
    pub fn of(
        name: &str,
        written: Written,
        allow_private: bool,
        secret: impl Secrets,
    ) -> Result<Self, SettingsProblem> {
        let url = written.url.trim_end_matches('/').to_owned();
        let api = match api(Some(&url), "", allow_private) {
            Ok(api) => api,
            Err(problem) => return wrong("url", problem.message),
        };
        let what = "where is the secret of the webhook?";
        let key = asked_word("secret", written.secret_env, written.secret_file, what, &secret)?;
        let consumer = (
            held_word("consumer_key", written.consumer_key_env, written.consumer_key_file, &secret)?,
            held_word("consumer_secret", written.consumer_secret_env, written.consumer_secret_file, &secret)?,
        );
        let consumer = match consumer {
            (None, None) => None,
            (Some(key), Some(secret)) => Some((key, secret)),
            (Some(_), None) => return wrong("consumer_secret_env", "where is the secret of this key?"),
            (None, Some(_)) => return wrong("consumer_key_env", "of which key is this secret?"),
        };
        let account = Account::of(CHANNEL, name, written.orders, written.customers)?;
        let asking = Asking::new(&api);
        Ok(Self(Arc::new(Inner { account, url, secret: key, consumer, api, asking })))
    }

    fn account(&self) -> &Account {
        &self.0.account
    }

    /// What a body of a topic means.
    fn came(&self, topic: &str, said: &Value) -> Result<(&'static str, Vec<Came>), Fault> {
        match topic {
            "order.created" | "order.updated" | "order.restored" => {
                Ok(("order", vec![Came::order(self.order(said)?)]))
            }
            "customer.created" | "customer.updated" => {
                Ok(("customer", vec![Came::customer(self.customer(said)?)]))
            }
            // Both say nothing but an id.
            "order.deleted" => Ok(("order_gone", Vec::new())),
            "customer.deleted" => Ok(("customer_gone", Vec::new())),
            _ => Ok(("other", Vec::new())),
        }
    }

    fn order(&self, said: &Value) -> Result<ShopOrder, Fault> {
        let account = self.account();
        let of_people = account.orders.number == NumberIs::Number;
        let field = if of_people && text(said, "number").is_some() { "number" } else { "id" };
        let changed = time(said, "date_modified_gmt")?.ok_or_else(|| Fault::missing("date_modified_gmt"))?;
        let paid_at = time(said, "date_paid_gmt")?;
        // woocommerce.github.io/woocommerce-rest-api-docs/#order-properties, `status`
        let stage = match text(said, "status").as_deref() {
            Some("cancelled" | "trash" | "failed") => Stage::Cancelled,
            Some("processing" | "completed" | "refunded") => Stage::Paid,
            _ if paid_at.is_some() => Stage::Paid,
            _ => Stage::Placed,
        };
        let mut refunds = Vec::new();
        for one in list(said, "refunds")? {
            let total = amount(one, "total")?.unwrap_or_default().abs();
            if total > Decimal::ZERO {
                let id = number(wanted(one, "id")?, "refunds.id")?;
                refunds.push(ShopRefund { id, at: changed, total, parts: None });
            }
        }
        let refunds = numbered(refunds, "refunds")?;
        let placed_at = time(said, "date_created_gmt")?.ok_or_else(|| Fault::missing("date_created_gmt"))?;
        let customer = text(said, "customer_id").filter(|id| id != "0");
        let email = text(said, "billing.email").filter(|email| email.contains('@'));
        Ok(ShopOrder {
            number: number(wanted(said, field)?, field)?,
            namespace: account.orders.namespace.clone(),
            version: changed,
            at: paid_at.unwrap_or(placed_at),
            stage,
            counts: account.counts(stage),
            method: text(said, "payment_method").filter(|_| stage == Stage::Paid),
            currency: text(said, "currency"),
            total: amount(said, "total")?.ok_or_else(|| Fault::missing("total"))?,
            shipping: amount(said, "shipping_total")?.unwrap_or_default(),
            tax: amount(said, "total_tax")?.unwrap_or_default(),
            lines: lines(said, "line_items", line)?,
            channel: account.orders.channel.clone(),
            store: account.orders.store.clone(),
            refunds,
            refunds_count: account.orders.refunds == Refunds::Count,
            names: account.names(customer, text(said, "billing.phone"), email),
        })
    }

    fn customer(&self, said: &Value) -> Result<ShopCustomer, Fault> {
        let id = number(wanted(said, "id")?, "id")?;
        let names = self.account().names(Some(id.clone()), text(said, "billing.phone"), text(said, "email"));
        let at = match time(said, "date_modified_gmt")? {
            Some(at) => at,
            None => time(said, "date_created_gmt")?.ok_or_else(|| Fault::missing("date_modified_gmt"))?,
        };
        Ok(ShopCustomer { id, at, names, traits: called(said) })
    }
}

/// A time in UTC that does not say so.
fn time(said: &Value, field: &str) -> Result<Option<i64>, Fault> {
    let Some(text) = text(said, field) else { return Ok(None) };
    local(&text, &TimeZone::UTC).map(Some).ok_or_else(|| Fault::new(field, "no_time"))
}

fn line(line: &Value) -> Result<ShopLine, Fault> {
    let product = product(line, &["sku", "variation_id", "product_id", "name"], "line_items.sku")?;
    let paid = amount(line, "total")?.map(|paid| paid.max(Decimal::ZERO));
    Ok(ShopLine { product, category: None, quantity: pieces(line, "quantity")?, paid })
}

#[async_trait]
impl Door for WooCommerce {
    fn channel(&self) -> &'static str {
        CHANNEL
    }

    fn whose(&self) -> String {
        self.0.url.clone()
    }

    fn body_bytes_max(&self) -> usize {
        BODY_BYTES_MAX
    }

    async fn receive(&self, brought: Brought<'_>, _now: i64) -> Result<Taken, Refused> {
        let bytes = bounded(brought)?;
        // What comes first, when a webhook is made, is a form that names it and is not signed by older versions; nothing is made of it.
        let is_ping = bytes.starts_with(b"webhook_id=") && bytes.len() < 64;
        if is_ping && bytes.iter().skip(11).all(u8::is_ascii_digit) {
            return Ok(Taken { kind: "ping", kept: Vec::new() });
        }
        let (Some(said), Some(topic)) =
            (brought.head("x-wc-webhook-signature"), brought.head("x-wc-webhook-topic"))
        else {
            return refused("head_missing");
        };
        let key = self.0.secret.said().as_bytes();
        if !is_signed((Algorithm::HmacSha256, Encoding::Base64), key, &[bytes], said) {
            return refused("signature_wrong");
        }
        Ok(taken(&self.account().name, bytes, self.came(topic, &alike::said(bytes)?)))
    }
}

#[async_trait]
impl Listed for WooCommerce {
    fn channel(&self) -> &'static str {
        CHANNEL
    }

    fn whose(&self) -> String {
        self.0.url.clone()
    }

    fn can_ask(&self) -> bool {
        self.0.consumer.is_some()
    }

    /// Pages are not asked for by their number as far as can be, since what changes meanwhile moves what follows it: each goes on from
    /// the last change of the one before. Only where all of a page changed within one second the next number is asked for.
    async fn page(&self, from: i64, _until: i64, next: Option<&str>) -> Answer<Page> {
        let parsed = next.and_then(|next| next.split_once('|'));
        let (from, page) = parsed.map_or((from, 1_u32), |(from_, page)| {
            (from_.parse().unwrap_or(from), page.parse().unwrap_or(1))
        });
        let since = super::listed_time(from - 1);
        let path = format!(
            "/wp-json/wc/v3/orders?per_page={PAGE}&page={page}&orderby=modified&order=asc&dates_are_gmt=true&modified_after={}",
            encoded(since.trim_end_matches('Z')),
        );
        let (key, secret) =
            self.0.consumer.as_ref().map(|(key, secret)| (key.said(), secret.said())).unwrap_or_default();
        let heads = vec![("authorization", format!("Basic {}", STANDARD.encode(format!("{key}:{secret}"))))];
        let heard = self.0.asking.ask(Ask { method: Method::GET, path, heads, body: None }).await?;
        let Ok(orders) = serde_json::from_slice::<Vec<Value>>(&heard.body) else {
            return super::ask::later("answer_broken");
        };
        let mut last = from;
        let came = listed(&orders, |order| {
            let order = self.order(order)?;
            last = last.max(order.version.div_euclid(1_000_000));
            Ok(vec![Came::order(order)])
        });
        let next = (orders.len() >= PAGE).then(|| match last > from {
            true => format!("{last}|1"),
            false => format!("{from}|{}", page.saturating_add(1)),
        });
        Ok(Page { came, next })
    }

    async fn check(&self, home: &str) -> Vec<Step> {
        let asked = match self.can_ask() {
            true => Some(self.page(super::FAR_PAST, 0, None).await.map(|page| page.came.len())),
            false => None,
        };
        checkup::steps(&Facts {
            platform: ("WooCommerce", "WooCommerce"),
            api: &self.0.api.authority,
            key: ("consumer_key_env", "read"),
            asked,
            home,
            place: (
                "WordPress 后台「WooCommerce → 设置 → 高级 → Webhooks」新建：交付 URL 为此地址，密钥与 secret_env 一致",
                "Make webhooks with this delivery URL under WooCommerce → Settings → Advanced → Webhooks, their secret the one of secret_env",
            ),
            document: "docs/connect-woocommerce.md",
        })
    }

    fn tried(&self, topic: &str, body: &[u8]) -> Vec<Came> {
        super::tried(body, |said| self.came(topic, said).map(|(_, came)| came))
    }
}
