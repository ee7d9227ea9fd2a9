//! How Shopify writes an order, and signs it (shopify.dev/docs/api/admin-rest/latest/resources/order, …/docs/apps/build/webhooks).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::tell::sha256;
use super::{Order, Refund, Shop, shown};
use crate::pay::notices::Heads;
use crate::pay::rfc3339;

fn refund(order: &Order, refund: &Refund) -> Value {
    json!({
        "id": refund.id, "order_id": order.id, "created_at": rfc3339(refund.at_ms), "processed_at": rfc3339(refund.at_ms),
        "refund_line_items": [], "order_adjustments": [],
        "transactions": [
            {"id": refund.id + 1, "kind": "refund", "status": "success", "amount": shown(refund.cents), "currency": "CNY"},
            {"id": refund.id + 2, "kind": "refund", "status": "failure", "amount": "999.00", "currency": "CNY"},
        ],
    })
}

/// An order.
pub fn order(of: &Order) -> Value {
    let lines: Vec<Value> = of
        .lines
        .iter()
        .enumerate()
        .map(|(n, (product, pieces, cents))| {
            json!({
                "id": of.id * 10 + n as u64, "sku": product, "product_id": 7, "variant_id": 8, "title": "东西",
                "quantity": pieces, "price": shown(*cents), "discount_allocations": [],
            })
        })
        .collect();
    let status = match (of.paid_ms, of.back_cents()) {
        (None, _) => "pending",
        (Some(_), 0) => "paid",
        (Some(_), back) if back >= of.total_cents() => "refunded",
        (Some(_), _) => "partially_refunded",
    };
    let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    let customer = match of.customer {
        0 => Value::Null,
        id => json!({"id": id, "email": text(&of.email), "phone": text(&of.phone), "first_name": "某"}),
    };
    json!({
        "id": of.id, "name": format!("#{}", of.number), "order_number": 1, "test": false, "currency": "CNY",
        "created_at": rfc3339(of.created_ms), "processed_at": rfc3339(of.created_ms),
        "updated_at": rfc3339(of.updated_ms), "cancelled_at": of.cancelled_ms.map(rfc3339),
        "financial_status": status, "source_name": "web", "payment_gateway_names": ["manual"],
        "total_price": shown(of.total_cents()), "current_total_price": shown(of.total_cents() - of.back_cents()),
        "subtotal_price": shown(of.goods_cents()), "total_tax": "0.00", "taxes_included": false,
        "shipping_lines": [{"price": shown(of.shipping_cents), "discounted_price": shown(of.shipping_cents), "tax_lines": []}],
        "email": text(&of.email), "phone": text(&of.phone), "customer": customer, "line_items": lines,
        "refunds": of.refunds.iter().map(|one| refund(of, one)).collect::<Vec<_>>(),
    })
}

/// What is told of what happened, by topic.
pub fn told(of: &Order, what: &str) -> Vec<(String, String)> {
    let whole = order(of).to_string();
    match what {
        "created" => vec![("orders/create".to_owned(), whole)],
        "paid" => vec![("orders/paid".to_owned(), whole)],
        "cancelled" => {
            vec![("orders/cancelled".to_owned(), whole.clone()), ("orders/updated".to_owned(), whole)]
        }
        "refunded" => {
            let back =
                of.refunds.last().map(|one| ("refunds/create".to_owned(), refund(of, one).to_string()));
            back.into_iter().chain([("orders/updated".to_owned(), whole)]).collect()
        }
        _ => vec![("orders/updated".to_owned(), whole)],
    }
}

/// The head.
pub fn heads(shop: &Shop, secret: &str, topic: &str, body: &str) -> Heads {
    vec![
        ("content-type", "application/json".to_owned()),
        ("x-shopify-topic", topic.to_owned()),
        ("x-shopify-shop-domain", shop.name.clone()),
        ("x-shopify-api-version", "2025-10".to_owned()),
        ("x-shopify-hmac-sha256", STANDARD.encode(sha256(secret, &[body.as_bytes()]))),
    ]
}
