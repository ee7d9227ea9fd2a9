//! What can happen in a table, and the item of the wire that it becomes.

use std::fmt;

use serde_json::{Map, Value, json};
use zhiyin_model::id::TransferId;
use zhiyin_model::time::Ts;

use super::record::Record;

/// Something that happens.
#[derive(Clone)]
pub struct Step {
    event: &'static str,
    properties: Map<String, Value>,
    traits: Map<String, Value>,
    date: Option<String>,
    at: Option<Ts>,
    label: Option<&'static str>,
    reference: Option<(&'static str, &'static str)>,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.event, Value::Object(self.properties.clone()))?;
        self.date.as_ref().map_or(Ok(()), |date| write!(f, " dated {date}"))
    }
}

/// Any event.
pub fn track(event: &'static str) -> Step {
    Step {
        event,
        properties: Map::new(),
        traits: Map::new(),
        date: None,
        at: None,
        label: None,
        reference: None,
    }
}

/// Only time passes.
pub fn wait() -> Step {
    track("")
}

/// `Order Completed`.
pub fn order(number: &str) -> Step {
    track("Order Completed").with("order_id", number)
}

/// `Order Updated`.
pub fn update(number: &str) -> Step {
    track("Order Updated").with("order_id", number)
}

/// `Order Paid`.
pub fn notice(number: &str) -> Step {
    track("Order Paid").with("order_id", number)
}

/// `Order Refunded`.
pub fn refund(number: &str) -> Step {
    track("Order Refunded").with("order_id", number)
}

/// `Order Cancelled`.
pub fn cancel(number: &str) -> Step {
    track("Order Cancelled").with("order_id", number)
}

/// Points are spent at once.
pub fn spend(amount: &str) -> Step {
    track("Points Spent").with("amount", amount)
}

/// Points are promised.
pub fn hold(amount: &str) -> Step {
    let mut step = spend(amount);
    step.properties.insert("hold".to_owned(), json!(true));
    step
}

/// A hold becomes a spend.
pub fn post(label: &'static str) -> Step {
    track("Points Posted").of("hold_id", label)
}

/// A hold is released.
pub fn void(label: &'static str) -> Step {
    track("Points Voided").of("hold_id", label)
}

/// A spend comes back.
pub fn give_back(label: &'static str) -> Step {
    track("Points Returned").of("spend_id", label)
}

/// A person gives or takes points.
pub fn adjust(amount: &str) -> Step {
    track("Points Adjusted").with("amount", amount).with("reason", "the till was down")
}

/// Points for another member.
pub fn gift(amount: &str) -> Step {
    track("Points Gifted").with("amount", amount).with("to_namespace", "card").with("to_value", "friend")
}

/// A trait becomes known.
pub fn identify(name: &str, value: &str) -> Step {
    let mut step = track("identify");
    step.traits.insert(name.to_owned(), json!(value));
    step
}

/// A member comes over from an old system, with these properties as JSON.
pub fn taken_over(properties: &str) -> Step {
    let mut step = track("Member Taken Over");
    step.properties =
        serde_json::from_str(properties).unwrap_or_else(|error| panic!("{properties}: {error}"));
    step
}

impl Step {
    /// With a property.
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.properties.insert(key.to_owned(), json!(value));
        self
    }

    /// With a property that is no text.
    pub fn saying(mut self, key: &str, value: Value) -> Self {
        self.properties.insert(key.to_owned(), value);
        self
    }

    /// With a total.
    pub fn paid(self, total: &str) -> Self {
        self.with("total", total)
    }

    /// With one more line, `price` a piece.
    pub fn line(self, product: &str, quantity: &str, price: &str) -> Self {
        self.any_line(json!({ "product_id": product, "quantity": quantity, "price": price }))
    }

    /// With one more line that says only how many pieces.
    pub fn pieces(self, product: &str, quantity: &str) -> Self {
        self.any_line(json!({ "product_id": product, "quantity": quantity }))
    }

    /// With one more line of a category.
    pub fn goods(self, category: &str, quantity: &str) -> Self {
        self.any_line(
            json!({ "product_id": category, "category": category, "quantity": quantity, "price": "1" }),
        )
    }

    fn any_line(mut self, line: Value) -> Self {
        let lines = self.properties.entry("products").or_insert_with(|| json!([]));
        if let Value::Array(lines) = lines {
            lines.push(line);
        }
        self
    }

    /// In a store.
    pub fn store(self, store: &str) -> Self {
        self.with("store_id", store)
    }

    /// It happened then, and is heard of only now.
    pub fn dated(mut self, date: &str) -> Self {
        self.date = Some(date.to_owned());
        self
    }

    /// Its last transfer is called so.
    pub fn called(mut self, label: &'static str) -> Self {
        self.label = Some(label);
        self
    }

    /// Names the transfer that was called so.
    pub fn of(mut self, key: &'static str, label: &'static str) -> Self {
        self.reference = Some((key, label));
        self
    }

    /// Names a transfer by its id.
    pub fn of_id(mut self, key: &str, id: TransferId) -> Self {
        self.reference = None;
        self.properties.insert(key.to_owned(), json!(id.to_string()));
        self
    }

    /// It happened at this instant, and is heard of at another.
    pub fn at(mut self, at: Ts) -> Self {
        self.at = Some(at);
        self
    }

    pub(super) fn instant(&self) -> Option<Ts> {
        self.at
    }

    pub(super) fn waits(&self) -> bool {
        self.event.is_empty()
    }

    pub(super) fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    pub(super) fn label(&self) -> Option<&'static str> {
        self.label
    }

    /// The item that a source would send.
    pub(super) fn item(&self, record: &Record, time: Ts) -> String {
        let mut properties = self.properties.clone();
        if let Some((key, label)) = self.reference {
            let id = record.labels.get(label).map_or_else(|| label.to_owned(), ToString::to_string);
            properties.insert(key.to_owned(), json!(id));
        }
        let mut item = json!({
            "type": "track",
            "event": self.event,
            "userId": "1001",
            "timestamp": time.rfc3339(),
            "properties": properties,
        });
        if self.event == "identify" {
            item = json!({
                "type": "identify",
                "userId": "1001",
                "timestamp": time.rfc3339(),
                "traits": self.traits,
            });
        }
        item.to_string()
    }
}
