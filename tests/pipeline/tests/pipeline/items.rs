//! Items of the wire, as short as a test can read them.

use serde_json::{Value, json};

/// A `track` item about `user:WHO`.
pub fn track(id: &str, who: &str, event: &str, when: &str, properties: Value) -> Value {
    json!({"type": "track", "event": event, "messageId": id, "userId": who, "timestamp": when,
        "properties": properties})
}

/// An order with a total and no lines.
pub fn order(id: &str, who: &str, number: &str, when: &str, total: &str) -> Value {
    track(id, who, "Order Completed", when, json!({"order_id": number, "total": total}))
}

/// An event that speaks of an order and nothing else.
pub fn about(id: &str, who: &str, event: &str, number: &str, when: &str) -> Value {
    track(id, who, event, when, json!({"order_id": number}))
}

/// A refund of an amount.
pub fn refund(id: &str, who: &str, number: &str, when: &str, total: &str) -> Value {
    track(id, who, "Order Refunded", when, json!({"order_id": number, "total": total}))
}

/// Points spent at once.
pub fn spend(id: &str, who: &str, when: &str, amount: i64) -> Value {
    track(id, who, "Points Spent", when, json!({"amount": amount}))
}

/// Points given by a person, or taken.
pub fn adjust(id: &str, who: &str, when: &str, amount: i64) -> Value {
    track(id, who, "Points Adjusted", when, json!({"amount": amount, "reason": "a test says so"}))
}

/// A gift of points to `user:TO`.
pub fn gift(id: &str, who: &str, to: &str, when: &str, amount: i64) -> Value {
    let properties = json!({"amount": amount, "to_namespace": "user", "to_value": to});
    track(id, who, "Points Gifted", when, properties)
}

/// Attributes of a member.
pub fn identify(id: &str, who: &str, when: &str, traits: Value) -> Value {
    json!({"type": "identify", "messageId": id, "userId": who, "timestamp": when, "traits": traits})
}
