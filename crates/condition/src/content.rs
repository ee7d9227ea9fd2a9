//! A hash of what a row says, to break ties between rows of one instant in the same way whatever the
//! order they came in.

use crate::row::{EventRow, ItemRow, OrderRow};
use zhiyin_model::scalar::Scalar;

/// A 64-bit hash that is the same on any machine and in any version of the toolchain.
struct ContentHash(u64);

/// 2⁶⁴ over the golden ratio: odd, its bits without pattern.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

impl ContentHash {
    const fn new(kind: u64) -> Self {
        Self(kind)
    }

    const fn word(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(MIX);
        self.0 = (mixed ^ (mixed >> 29)).rotate_left(23);
    }

    fn text(&mut self, text: &str) {
        self.word(text.len() as u64);
        for chunk in text.as_bytes().chunks(8) {
            let mut bytes = [0u8; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(bytes));
        }
    }

    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.word(u64::MAX),
        }
    }

    fn number(&mut self, number: rust_decimal::Decimal) {
        let number = number.normalize();
        let mantissa = number.mantissa().to_le_bytes();
        let (low, high) = mantissa.split_at(8);
        for half in [low, high] {
            let mut bytes = [0u8; 8];
            bytes.copy_from_slice(half);
            self.word(u64::from_le_bytes(bytes));
        }
        self.word(u64::from(number.scale()));
    }

    fn scalar(&mut self, scalar: &Scalar) {
        match scalar {
            Scalar::Bool(value) => self.word(1 + u64::from(*value)),
            Scalar::Number(value) => self.number(*value),
            Scalar::Text(value) => self.text(value),
            Scalar::Texts(values) => {
                self.word(values.len() as u64);
                values.iter().for_each(|value| self.text(value));
            }
        }
    }

    fn item(&mut self, item: &ItemRow) {
        self.text(&item.product);
        self.optional(item.category.as_deref());
        self.optional(item.department.as_deref());
        self.number(item.quantity);
        self.word(item.paid.0.cast_unsigned());
    }

    fn order(&mut self, order: &OrderRow) {
        self.word(order.paid.0.cast_unsigned());
        self.optional(order.store.as_deref());
        self.optional(order.channel.as_deref());
    }
}

/// The hash of an order and all its items.
pub fn of_order(order: &OrderRow) -> u64 {
    let mut hash = ContentHash::new(1);
    hash.order(order);
    order.items.iter().for_each(|item| hash.item(item));
    hash.0
}

/// The hash of an item and of what it inherits of its order.
pub fn of_item(order: &OrderRow, item: &ItemRow) -> u64 {
    let mut hash = ContentHash::new(2);
    hash.order(order);
    hash.item(item);
    hash.0
}

/// The hash of an event.
pub fn of_event(event: &EventRow) -> u64 {
    let mut hash = ContentHash::new(3);
    hash.text(&event.name);
    hash.optional(event.store.as_deref());
    hash.optional(event.channel.as_deref());
    for (name, value) in &event.properties {
        hash.text(name);
        hash.scalar(value);
    }
    hash.0
}
