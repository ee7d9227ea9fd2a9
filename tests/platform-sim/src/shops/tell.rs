//! What shops tell: signed, tried again by each platform's own plan; and what somebody tells who is not the shop.

use std::sync::Arc;

use hyper::body::Bytes;
use ring::hmac;
use serde_json::{Value, json};

use super::{AGENT, On, Shop, shopify, woocommerce, youzan};
use crate::Sim;
use crate::pay::notices::Heads;
use crate::queue::Delivery;
use crate::world::World;
use crate::world::types::Due;

/// Eight times within four hours (shopify.dev, "Retries"); how they lie in them is not said.
const SHOPIFY_RETRIES_S: [i64; 8] = [60, 300, 600, 1_200, 1_800, 3_000, 3_600, 3_600];
/// Fewer times, later each time (doc.youzanyun.com, 消息推送).
const YOUZAN_RETRIES_S: [i64; 5] = [10, 30, 60, 300, 600];

/// How long after a try that was not answered well the next one comes, in seconds; what is not named is told once.
pub fn retries_s(label: &str) -> &'static [i64] {
    match label.split('/').next() {
        Some("shopify") => &SHOPIFY_RETRIES_S,
        Some("youzan") => &YOUZAN_RETRIES_S,
        _ => &[],
    }
}

/// Something as it was sent.
#[derive(Clone)]
pub struct Sent {
    pub heads: Heads,
    pub body: String,
}

/// HMAC by SHA-256.
pub fn sha256(key: &str, parts: &[&[u8]]) -> Vec<u8> {
    let whole: Vec<u8> = parts.concat();
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), &whole).as_ref().to_vec()
}

/// Two digits a byte.
pub fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How a platform signs a body of a topic.
fn signed(on: On, shop: &Shop, secret: &str, topic: &str, body: &str, at_s: i64) -> Heads {
    match on {
        On::Shopify => shopify::heads(shop, secret, topic, body),
        On::WooCommerce => woocommerce::heads(secret, topic, body),
        On::Youzan => youzan::heads(shop, secret, topic, body),
        On::Mall => {
            let stamp = at_s.to_string();
            let signature = sha256(secret, &[stamp.as_bytes(), b".", body.as_bytes()]);
            vec![
                ("content-type", "application/json".to_owned()),
                ("x-mall-at", stamp),
                ("x-mall-signature", format!("v1={}", digits(&signature))),
            ]
        }
    }
}

impl World {
    /// Bodies by their topics of what happened to an order.
    fn told_of(&self, on: On, number: &str, what: &str) -> Vec<(String, String)> {
        let Some(shop) = self.shops.open.get(&on) else { return Vec::new() };
        let Some(order) = shop.orders.get(number) else { return Vec::new() };
        match on {
            On::Shopify => shopify::told(order, what),
            On::WooCommerce => woocommerce::told(order, what),
            On::Youzan => youzan::told(shop, order, what),
            On::Mall => {
                let lines: Vec<Value> = order
                    .lines
                    .iter()
                    .map(|(product, pieces, cents)| json!({"sku": product, "qty": pieces, "amount": pieces * cents}))
                    .collect();
                let buyer = json!({"mobile": order.phone, "uid": order.customer});
                let status = match (order.cancelled_ms, order.paid_ms) {
                    (Some(_), _) => "closed",
                    (None, Some(_)) => "paid",
                    (None, None) => "new",
                };
                let mut told = vec![json!({"event": "order", "data": {
                    "no": order.number, "status": status, "created": order.created_ms, "changed": order.updated_ms,
                    "amount": {"total": order.total_cents(), "freight": order.shipping_cents},
                    "items": lines, "buyer": buyer,
                }})];
                if let Some(refund) = order.refunds.last().filter(|_| what == "refunded") {
                    told.push(json!({"event": "refund", "data": {
                        "order_no": order.number, "id": refund.id, "amount": refund.cents, "at": refund.at_ms,
                    }}));
                }
                told.into_iter().map(|body| (String::new(), body.to_string())).collect()
            }
        }
    }

    /// Tells of an order, as far as faults let it.
    pub fn shop_tells(&mut self, on: On, number: &str, what: &str) {
        for (topic, body) in self.told_of(on, number, what) {
            self.shop_says(on, &topic, &body);
        }
    }

    /// A customer asks to be erased.
    pub fn shop_tells_of_customer(&mut self, on: On, customer: u64) {
        let Some(shop) = self.shops.open.get(&on) else { return };
        let body = json!({
            "shop_id": 1, "shop_domain": shop.name, "customer": {"id": customer, "email": "", "phone": ""},
            "orders_to_redact": [],
        });
        self.shop_says(on, "customers/redact", &body.to_string());
    }

    fn shop_says(&mut self, on: On, topic: &str, body: &str) {
        let fate = self.faults.callback_fate();
        let said = json!({"on": on.name(), "topic": topic, "body": body}).to_string();
        let label = format!("{}/{topic}", on.name());
        let delays = self.queue.add(self.now_ms, AGENT, &label, &said, None, &fate);
        for (id, delay_ms) in delays {
            self.at(self.now_ms + delay_ms, Due::Deliver(id));
        }
    }

    /// What is told as it goes out now.
    pub fn shop_request(&mut self, delivery: &Delivery) -> Option<(String, Heads, String)> {
        let said: Value = serde_json::from_str(&delivery.xml).ok()?;
        let (on, topic, body) =
            (On::named(said["on"].as_str()?)?, said["topic"].as_str()?, said["body"].as_str()?.to_owned());
        let at_s = self.now_ms.div_euclid(1_000);
        let shop = self.shops.open.get_mut(&on)?;
        let heads = signed(on, shop, &shop.secret, topic, &body, at_s);
        shop.last = Some(Sent { heads: heads.clone(), body: body.clone() });
        Some((shop.notice_url.clone(), heads, body))
    }

    /// What somebody sends who is not the shop.
    fn wrong_of_shop(&self, on: On, what: &str, number: &str) -> Result<(String, Sent), String> {
        let (topic, body) =
            self.told_of(on, number, "updated").into_iter().next().ok_or("number: nobody ordered it")?;
        let shop = self.shops.open.get(&on).ok_or("on: is not open")?;
        let at_s = self.now_ms.div_euclid(1_000);
        let right = signed(on, shop, &shop.secret, &topic, &body, at_s);
        let again = |body: String| (signed(on, shop, &shop.secret, &topic, &body, at_s), body);
        let (heads, body) = match what {
            "body" => (right, body.replacen(&order_mark(number), "\"X1\"", 1).replacen(number, "9", 1)),
            "truncated" => (right, body.get(..body.len() / 2).unwrap_or_default().to_owned()),
            "key" => (signed(on, shop, "another secret", &topic, &body, at_s), body),
            "headless" => (vec![("content-type", "application/json".to_owned())], body),
            "stale" => (signed(on, shop, &shop.secret, &topic, &body, at_s - 301), body),
            "shop" => {
                let other = right.into_iter().map(|(name, value)| match name {
                    "x-shopify-shop-domain" => (name, "other.myshopify.com".to_owned()),
                    _ => (name, value),
                });
                (other.collect(), body)
            }
            "no_json" => again(format!("{{{body}")),
            "oversized" => again(format!("{body}{}", " ".repeat(300 * 1_024))),
            _ => return Err("what: nothing wrong of this name".to_owned()),
        };
        Ok((shop.notice_url.clone(), Sent { heads, body }))
    }
}

fn order_mark(number: &str) -> String {
    format!("\"{number}\"")
}

/// Sends something that is not as it should be, or what was last sent once more; how it was answered.
///
/// # Errors
/// Says what is wrong with what is asked.
pub async fn sends(sim: &Arc<Sim>, body: &Value) -> Result<Value, String> {
    let of = |field: &str| body[field].as_str().unwrap_or_default();
    let on = On::named(of("on")).ok_or("on: no platform of this name")?;
    let (url, sent) = {
        let world = sim.lock();
        match of("what") {
            "again" => {
                let shop = world.shops.open.get(&on).ok_or("on: is not open")?;
                (shop.notice_url.clone(), shop.last.clone().ok_or("what: nothing was sent yet")?)
            }
            what => world.wrong_of_shop(on, what, of("number"))?,
        }
    };
    let answer = sim.pool.send("POST", &url, &sent.heads, Bytes::from(sent.body)).await;
    Ok(match answer {
        None => json!({"status": 0}),
        Some((status, body)) => json!({"status": status.as_u16(), "body": String::from_utf8_lossy(&body)}),
    })
}
