//! How WooCommerce writes an order, and signs it (woocommerce.github.io/woocommerce-rest-api-docs, "Order properties", "Webhooks").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::tell::sha256;
use super::{Order, shown};
use crate::pay::notices::Heads;
use crate::pay::rfc3339;

/// UTC, without saying so.
pub fn gmt(at_ms: i64) -> String {
    rfc3339(at_ms - 8 * 3_600_000).chars().take(19).collect()
}

/// An order.
pub fn order(of: &Order) -> Value {
    let lines: Vec<Value> = of
        .lines
        .iter()
        .map(|(product, pieces, cents)| {
            json!({"id": 1, "sku": product, "product_id": 7, "variation_id": 0, "quantity": pieces, "total": shown(pieces * cents)})
        })
        .collect();
    let status = match (of.cancelled_ms, of.paid_ms, of.back_cents()) {
        (Some(_), ..) => "cancelled",
        (None, None, _) => "pending",
        (None, Some(_), back) if back > 0 && back >= of.total_cents() => "refunded",
        (None, Some(_), _) => "processing",
    };
    let refunds =
        of.refunds.iter().map(|one| json!({"id": one.id, "reason": "", "total": shown(-one.cents)}));
    json!({
        "id": of.id, "number": of.number, "status": status, "currency": "CNY", "customer_id": of.customer,
        "date_created_gmt": gmt(of.created_ms), "date_modified_gmt": gmt(of.updated_ms),
        "date_paid_gmt": of.paid_ms.map(gmt), "payment_method": "cod",
        "total": shown(of.total_cents()), "shipping_total": shown(of.shipping_cents), "total_tax": "0.00",
        "billing": {"email": of.email, "phone": of.phone}, "line_items": lines,
        "refunds": refunds.collect::<Vec<_>>(),
    })
}

/// What is told of what happened, by topic.
pub fn told(of: &Order, what: &str) -> Vec<(String, String)> {
    let topic = if what == "created" { "order.created" } else { "order.updated" };
    vec![(topic.to_owned(), order(of).to_string())]
}

/// The head.
pub fn heads(secret: &str, topic: &str, body: &str) -> Heads {
    vec![
        ("content-type", "application/json".to_owned()),
        ("x-wc-webhook-topic", topic.to_owned()),
        ("x-wc-webhook-source", "https://shop.example/".to_owned()),
        ("x-wc-webhook-signature", STANDARD.encode(sha256(secret, &[body.as_bytes()]))),
    ]
}
