//! Shopify: webhooks of orders, refunds and customers, and the list of orders of the Admin API.
//!
//! A webhook bears the base64 of HMAC-SHA256 over its very bytes, by the app's secret (shopify.dev/docs/apps/build/webhooks). Shopify says
//! of an order all of it each time, so the latest is what counts. Three topics are mandatory for public apps: a customer asks for their data,
//! a customer is to be erased, a shop is (shopify.dev/docs/apps/build/compliance/privacy-law-compliance).

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use hyper::Method;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use super::BODY_BYTES_MAX;
use super::alike::{self, bounded, called, few, lines, listed, pieces, product, refused, taken};
use super::ask::{Ask, Asking};
use super::checkup::{self, Facts};
use super::listed::{Listed, Page};
use super::news::{
    Asked, Came, Fault, ShopCustomer, ShopLine, ShopNews, ShopOrder, ShopRefund, Stage, Wish, number,
    numbered_key,
};
use super::read::{amount, as_text, instant, list, text, wanted};
use super::settings::{Account, Customers, NumberIs, Orders, Refunds};
use super::sign::{Algorithm, Encoding, is_signed};
use crate::address::Target;
use crate::clickhouse::encoded;
use crate::door::{Brought, Door, Refused, Taken};
use crate::platform::{Answer, Step};
use crate::secret::Secret;
use crate::settings::{Secrets, SettingsProblem, api, asked_word, held_word, wrong};

/// What the channel is called.
pub const CHANNEL: &str = "shopify";
/// The version of the Admin API that is asked, where the file says no other.
const API_VERSION: &str = "2025-10";
/// How many orders a page has: as many as there may be.
const PAGE: usize = 250;

/// The settings as they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    shop: String,
    secret_env: Option<String>,
    secret_file: Option<String>,
    token_env: Option<String>,
    token_file: Option<String>,
    api: Option<String>,
    api_version: Option<String>,
    #[serde(default)]
    orders: Orders,
    #[serde(default)]
    customers: Customers,
}

struct Inner {
    account: Account,
    shop: String,
    secret: Secret,
    token: Option<Secret>,
    version: String,
    api: Target,
    asking: Asking,
}

/// A shop. Copies share all they have.
#[derive(Clone)]
pub struct Shopify(Arc<Inner>);

impl fmt::Debug for Shopify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shopify({})", self.0.shop)
    }
}

impl Shopify {
    /// What is written of an account, checked.
    pub fn of(
        name: &str,
        written: Written,
        allow_private: bool,
        secret: impl Secrets,
    ) -> Result<Self, SettingsProblem> {
        let is_host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let name_of = written.shop.strip_suffix(".myshopify.com").unwrap_or_default();
        if name_of.is_empty() || written.shop.len() > 100 || !name_of.chars().all(is_host) {
            return wrong("shop", "the shop's own domain, NAME.myshopify.com");
        }
        let what = "where is the secret that webhooks are signed with?";
        let key = asked_word("secret", written.secret_env, written.secret_file, what, &secret)?;
        let token = held_word("token", written.token_env, written.token_file, &secret)?;
        let version = written.api_version.unwrap_or_else(|| API_VERSION.to_owned());
        let is_version = |c: char| c.is_ascii_digit() || c == '-';
        if version.len() != 7 || !version.chars().all(is_version) {
            return wrong("api_version", "a version such as 2025-10");
        }
        let api = api(written.api.as_deref(), &format!("https://{}", written.shop), allow_private)?;
        let account = Account::of(CHANNEL, name, written.orders, written.customers)?;
        let asking = Asking::new(&api);
        Ok(Self(Arc::new(Inner { account, shop: written.shop, secret: key, token, version, api, asking })))
    }

    fn account(&self) -> &Account {
        &self.0.account
    }

    /// What a body of a topic means.
    fn came(&self, topic: &str, said: &Value) -> Result<(&'static str, Vec<Came>), Fault> {
        let one = |kind, came| Ok((kind, vec![came]));
        match topic {
            "orders/create"
            | "orders/updated"
            | "orders/paid"
            | "orders/cancelled"
            | "orders/edited"
            | "orders/fulfilled"
            | "orders/partially_fulfilled" => {
                if said.get("test") == Some(&Value::Bool(true)) {
                    return Ok(("test", Vec::new()));
                }
                if topic == "orders/edited" {
                    // It says what was edited; the order itself is told as updated.
                    return Ok(("order", Vec::new()));
                }
                Ok(("order", self.order(said)?))
            }
            "refunds/create" => Ok(("refund", self.refund(said)?.into_iter().collect())),
            "customers/create" | "customers/update" => one("customer", Came::customer(self.customer(said)?)),
            // The account over there is gone; the member is the brand's.
            "customers/delete" => Ok(("customer_gone", Vec::new())),
            "customers/data_request" => one("data_request", self.asks(Wish::Data, said)?),
            "customers/redact" => one("redact", self.asks(Wish::Erasure, said)?),
            "shop/redact" => {
                let asked = Asked { wish: Wish::ShopErasure, names: Vec::new() };
                one(
                    "shop_redact",
                    Came { known_by: wanted(said, "shop_domain")?, news: ShopNews::Asked(asked) },
                )
            }
            _ => Ok(("other", Vec::new())),
        }
    }

    /// An order; beside it, where people know it by another number than refunds do, which that is.
    fn order(&self, said: &Value) -> Result<Vec<Came>, Fault> {
        let account = self.account();
        let id = number(wanted(said, "id")?, "id")?;
        let of_people = account.orders.number == NumberIs::Number;
        let own = if of_people {
            number(wanted(said, "name")?.trim_start_matches('#').to_owned(), "name")?
        } else {
            id.clone()
        };
        let mut refunds = Vec::new();
        for one in list(said, "refunds")? {
            refunds.extend(refund(one)?);
        }
        few(&refunds, "refunds")?;
        refunds.sort_by(|one: &ShopRefund, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        let stage = if text(said, "cancelled_at").is_some() {
            Stage::Cancelled
        } else {
            match text(said, "financial_status").as_deref() {
                Some("paid" | "partially_refunded" | "refunded") => Stage::Paid,
                _ => Stage::Placed,
            }
        };
        let at_till = text(said, "source_name").as_deref() == Some("pos");
        let place = if at_till { text(said, "location_id") } else { None };
        let is_paid = stage == Stage::Paid;
        let order = ShopOrder {
            number: own.clone(),
            namespace: account.orders.namespace.clone(),
            version: instant(said, "updated_at")?.ok_or_else(|| Fault::missing("updated_at"))?,
            at: match instant(said, "processed_at")? {
                Some(at) => at,
                None => instant(said, "created_at")?.ok_or_else(|| Fault::missing("created_at"))?,
            },
            stage,
            counts: account.counts(stage),
            method: list(said, "payment_gateway_names")?.first().and_then(as_text).filter(|_| is_paid),
            currency: text(said, "currency"),
            total: total(said, &refunds)?,
            shipping: shipping(said)?,
            tax: amount(said, "total_tax")?.unwrap_or_default(),
            lines: lines(said, "line_items", line)?,
            channel: if at_till { "store".to_owned() } else { account.orders.channel.clone() },
            store: account.orders.store.clone().or(place),
            refunds,
            refunds_count: account.orders.refunds == Refunds::Count,
            names: self.names(said),
        };
        let mut came = vec![Came::order(order)];
        if of_people {
            came.push(Came { known_by: id, news: ShopNews::Numbered { number: own } });
        }
        Ok(came)
    }

    fn names(&self, said: &Value) -> Vec<(String, String)> {
        let phone = text(said, "customer.phone").or_else(|| text(said, "phone"));
        let email = text(said, "customer.email").or_else(|| text(said, "email"));
        self.account().names(text(said, "customer.id"), phone, email)
    }

    fn refund(&self, said: &Value) -> Result<Option<Came>, Fault> {
        let Some(refund) = refund(said)? else { return Ok(None) };
        let order = number(wanted(said, "order_id")?, "order_id")?;
        let (known_by, account) = (refund.id.clone(), self.account());
        let which = match account.orders.number {
            NumberIs::Id => (Some(order), None),
            NumberIs::Number => (None, Some(numbered_key(&account.name, &order))),
        };
        let currency = list(said, "transactions")?.first().and_then(|one| text(one, "currency"));
        let refunded = account.refunded(which, currency, refund);
        Ok(Some(Came { known_by, news: ShopNews::Refunded(Box::new(refunded)) }))
    }

    fn customer(&self, said: &Value) -> Result<ShopCustomer, Fault> {
        let id = number(wanted(said, "id")?, "id")?;
        let names = self.account().names(Some(id.clone()), text(said, "phone"), text(said, "email"));
        let at = match instant(said, "updated_at")? {
            Some(at) => at,
            None => instant(said, "created_at")?.ok_or_else(|| Fault::missing("updated_at"))?,
        };
        Ok(ShopCustomer { id, at, names, traits: called(said) })
    }

    fn asks(&self, wish: Wish, said: &Value) -> Result<Came, Fault> {
        let id = wanted(said, "customer.id")?;
        let names = [(self.account().customers.clone(), id.clone())];
        Ok(Came { known_by: id, news: ShopNews::Asked(Asked { wish, names: names.into() }) })
    }

    /// A page of the list: its path, where it is the first, and what it says.
    async fn asked(&self, path: String) -> Answer<(Value, Option<String>)> {
        let token = self.0.token.as_ref().map(|token| token.said().to_owned()).unwrap_or_default();
        let heads = vec![("x-shopify-access-token", token)];
        let heard = self.0.asking.ask(Ask { method: Method::GET, path, heads, body: None }).await?;
        let link = heard.heads.get("link").and_then(|value| value.to_str().ok()).and_then(next_page);
        match serde_json::from_slice(&heard.body) {
            Ok(said) => Ok((said, link)),
            Err(_) => super::ask::later("answer_broken"),
        }
    }
}

/// What was to be paid. An edit that takes lines out lowers `current_total_price` and leaves `total_price`; what went back lowers it, too,
/// though it had been paid.
fn total(said: &Value, refunds: &[ShopRefund]) -> Result<Decimal, Fault> {
    let total = amount(said, "total_price")?.ok_or_else(|| Fault::missing("total_price"))?;
    let back: Decimal = refunds.iter().map(|refund| refund.total).sum();
    Ok(amount(said, "current_total_price")?.map_or(total, |current| total.min(current + back)))
}

/// What shipping cost, without the tax that is within it: that is told with the taxes.
fn shipping(said: &Value) -> Result<Decimal, Fault> {
    let with_tax = said.get("taxes_included") == Some(&Value::Bool(true));
    let mut sum = Decimal::ZERO;
    for line in list(said, "shipping_lines")? {
        let cost = match amount(line, "discounted_price")? {
            Some(cost) => cost,
            None => amount(line, "price")?.unwrap_or_default(),
        };
        let mut within = Decimal::ZERO;
        if with_tax {
            for tax in list(line, "tax_lines")? {
                within += amount(tax, "price")?.unwrap_or_default();
            }
        }
        sum += cost - within;
    }
    Ok(sum.max(Decimal::ZERO))
}

fn line(line: &Value) -> Result<ShopLine, Fault> {
    let quantity = pieces(line, "quantity")?;
    let mut paid = amount(line, "price")?.unwrap_or_default() * quantity;
    for discount in list(line, "discount_allocations")? {
        paid -= amount(discount, "amount")?.unwrap_or_default();
    }
    let product = product(line, &["sku", "variant_id", "product_id", "title"], "line_items.sku")?;
    let paid = Some(paid.max(Decimal::ZERO));
    Ok(ShopLine { product, category: text(line, "product_type"), quantity, paid })
}

/// A refund; nothing where no money went back, as with one that only takes lines out.
fn refund(said: &Value) -> Result<Option<ShopRefund>, Fault> {
    let mut total = Decimal::ZERO;
    for one in list(said, "transactions")? {
        let went_back = text(one, "kind").as_deref() == Some("refund")
            && text(one, "status").as_deref() == Some("success");
        if went_back {
            total += amount(one, "amount")?.unwrap_or_default();
        }
    }
    if total <= Decimal::ZERO {
        return Ok(None);
    }
    let (mut shipping, mut tax) = (Decimal::ZERO, Decimal::ZERO);
    for line in list(said, "refund_line_items")? {
        tax += amount(line, "total_tax")?.unwrap_or_default();
    }
    for one in list(said, "order_adjustments")? {
        if text(one, "kind").as_deref() == Some("shipping_refund") {
            shipping += amount(one, "amount")?.unwrap_or_default().abs();
            tax += amount(one, "tax_amount")?.unwrap_or_default().abs();
        }
    }
    let at = match instant(said, "processed_at")? {
        Some(at) => at,
        None => instant(said, "created_at")?.ok_or_else(|| Fault::missing("refunds.created_at"))?,
    };
    let parts = (shipping + tax <= total).then_some((shipping, tax));
    Ok(Some(ShopRefund { id: number(wanted(said, "id")?, "refunds.id")?, at, total, parts }))
}

/// What the next page is asked for by, of a head such as `<https://…?page_info=X&limit=250>; rel="next"`.
fn next_page(link: &str) -> Option<String> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let address = next.split_once('<')?.1.split_once('>')?.0;
    let query = address.split_once('?')?.1;
    let info = query.split('&').find_map(|pair| pair.strip_prefix("page_info="))?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=%.".contains(c);
    (info.len() <= 2_000 && info.chars().all(is_plain)).then(|| info.to_owned())
}

#[async_trait]
impl Door for Shopify {
    fn channel(&self) -> &'static str {
        CHANNEL
    }

    fn whose(&self) -> String {
        self.0.shop.clone()
    }

    fn body_bytes_max(&self) -> usize {
        BODY_BYTES_MAX
    }

    async fn receive(&self, brought: Brought<'_>, _now: i64) -> Result<Taken, Refused> {
        let bytes = bounded(brought)?;
        let (Some(said), Some(topic)) =
            (brought.head("x-shopify-hmac-sha256"), brought.head("x-shopify-topic"))
        else {
            return refused("head_missing");
        };
        let key = self.0.secret.said().as_bytes();
        if !is_signed((Algorithm::HmacSha256, Encoding::Base64), key, &[bytes], said) {
            return refused("signature_wrong");
        }
        // One app may be in several shops, which are signed for by one secret.
        if brought.head("x-shopify-shop-domain") != Some(self.0.shop.as_str()) {
            return refused("shop_other");
        }
        Ok(taken(&self.account().name, bytes, self.came(topic, &alike::said(bytes)?)))
    }
}

#[async_trait]
impl Listed for Shopify {
    fn channel(&self) -> &'static str {
        CHANNEL
    }

    fn whose(&self) -> String {
        self.0.shop.clone()
    }

    fn can_ask(&self) -> bool {
        self.0.token.is_some()
    }

    async fn page(&self, from: i64, _until: i64, next: Option<&str>) -> Answer<Page> {
        let head = format!("/admin/api/{}/orders.json?limit={PAGE}", self.0.version);
        // A page that another named takes nothing else along (shopify.dev/docs/api/admin-rest/usage/pagination).
        let path = match next {
            Some(info) => format!("{head}&page_info={info}"),
            None => {
                let from = encoded(&super::listed_time(from));
                format!("{head}&status=any&order={}&updated_at_min={from}", encoded("updated_at asc"))
            }
        };
        let (said, next) = self.asked(path).await?;
        let orders = list(&said, "orders").unwrap_or_default();
        let came = listed(orders, |order| self.came("orders/updated", order).map(|(_, came)| came));
        Ok(Page { came, next })
    }

    async fn check(&self, home: &str) -> Vec<Step> {
        let asked = match self.can_ask() {
            true => Some(self.page(super::FAR_PAST, 0, None).await.map(|page| page.came.len())),
            false => None,
        };
        checkup::steps(&Facts {
            platform: ("Shopify", "Shopify"),
            api: &self.0.api.authority,
            key: ("token_env", "read_orders"),
            asked,
            home,
            place: (
                "Shopify 后台「设置 → 通知 → Webhooks」新建（格式 JSON），或由应用按主题订阅；签名密钥填入 secret_env",
                "Make webhooks (JSON) to this address under Settings → Notifications → Webhooks, or have the app subscribe; put what signs them into secret_env",
            ),
            document: "docs/connect-shopify.md",
        })
    }

    fn tried(&self, topic: &str, body: &[u8]) -> Vec<Came> {
        super::tried(body, |said| self.came(topic, said).map(|(_, came)| came))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_next_page_is_read_of_a_link_and_of_nothing_else() {
        let link = "<https://a.myshopify.com/admin/api/2025-10/orders.json?page_info=pr%3D1&limit=5>; rel=\"previous\", <https://a.myshopify.com/x?limit=5&page_info=nx_2==>; rel=\"next\"";
        assert_eq!(next_page(link).as_deref(), Some("nx_2=="));
        for none in [
            "",
            "<https://a/x?page_info=1>; rel=\"previous\"",
            "<https://a/x?page_info=a b>; rel=\"next\"",
            "rel=\"next\"",
        ] {
            assert_eq!(next_page(none), None, "{none}");
        }
    }

    #[test]
    fn what_was_to_be_paid_is_neither_lowered_by_refunds_nor_left_by_edits() {
        let back = |total: &str| ShopRefund {
            id: "1".to_owned(),
            at: 0,
            total: total.parse().unwrap(),
            parts: None,
        };
        for (total_price, current, refunds, wanted) in [
            ("100.00", json!("100.00"), vec![], "100"),
            ("100.00", json!("70.00"), vec![back("30")], "100"),
            // A line was taken out before it was paid.
            ("100.00", json!("80.00"), vec![], "80"),
            ("100.00", json!("50.00"), vec![back("30")], "80"),
            // Money went back of good will, and whether the current total follows it is not said.
            ("100.00", json!("100.00"), vec![back("10")], "100"),
            ("100.00", Value::Null, vec![back("10")], "100"),
        ] {
            let said = json!({"total_price": total_price, "current_total_price": current});
            assert_eq!(total(&said, &refunds).unwrap(), wanted.parse().unwrap(), "{said}");
        }
    }

    #[test]
    fn tax_within_shipping_is_taken_once() {
        let line = json!({"price": "11.00", "discounted_price": "5.50", "tax_lines": [{"price": "0.50"}]});
        let said = |included: bool| json!({"taxes_included": included, "shipping_lines": [line]});
        assert_eq!(shipping(&said(true)).unwrap(), "5.00".parse().unwrap());
        assert_eq!(shipping(&said(false)).unwrap(), "5.50".parse().unwrap());
    }
}
