//! A cart at a till, as conditions of offers see it.

use std::collections::BTreeMap;

use zhiyin_model::money::Money;
use zhiyin_model::scalar::Scalar;

use crate::compile::Type;
use crate::program::Field;
use crate::value::Val;

/// A cart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CartRow {
    /// Where.
    pub store: Option<String>,
    /// In which region.
    pub region: Option<String>,
    /// Through which channel.
    pub channel: Option<String>,
    /// How it will be paid, as far as it is known.
    pub payment: Option<String>,
    /// What its items cost by their list prices, in minor units; shipping apart.
    pub total: Money,
    /// How many pieces they are.
    pub pieces: u64,
    /// What shipping costs, in minor units.
    pub shipping: Money,
    /// Its items.
    pub items: Vec<CartItem>,
}

/// An item of a cart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CartItem {
    /// The product's id.
    pub product: String,
    /// Its category.
    pub category: Option<String>,
    /// Its department.
    pub department: Option<String>,
    /// Its brand.
    pub brand: Option<String>,
    /// Where in the shop, or in which part of an assortment, it is.
    pub zone: Option<String>,
    /// What a piece costs, in minor units.
    pub price: Money,
    /// How many pieces.
    pub quantity: u32,
    /// What else is known of it.
    pub properties: BTreeMap<String, Scalar>,
}

/// Fields of a cart.
pub(crate) const CART: &[(&str, Type, Field)] = &[
    ("store", Type::Text, Field::Store),
    ("region", Type::Text, Field::Region),
    ("channel", Type::Text, Field::Channel),
    ("payment", Type::Text, Field::Payment),
    ("total", Type::Number, Field::Total),
    ("pieces", Type::Number, Field::Pieces),
    ("shipping", Type::Number, Field::Shipping),
];

/// Fields of an item of a cart.
pub(crate) const ITEM: &[(&str, Type, Field)] = &[
    ("product", Type::Text, Field::Product),
    ("category", Type::Text, Field::Category),
    ("department", Type::Text, Field::Department),
    ("brand", Type::Text, Field::Brand),
    ("zone", Type::Text, Field::Zone),
    ("price", Type::Number, Field::Price),
    ("quantity", Type::Number, Field::Quantity),
];

/// The field of a cart or an item of one that has a name.
pub(crate) fn field_named(name: &str) -> Option<Field> {
    CART.iter().chain(ITEM).find(|(known, ..)| *known == name).map(|(_, _, field)| field.clone())
}

impl CartRow {
    pub(crate) fn field<'a>(&'a self, field: &Field, money: impl Fn(Money) -> Val<'a>) -> Val<'a> {
        match field {
            Field::Store => text(self.store.as_deref()),
            Field::Region => text(self.region.as_deref()),
            Field::Channel => text(self.channel.as_deref()),
            Field::Payment => text(self.payment.as_deref()),
            Field::Total => money(self.total),
            Field::Pieces => Val::Number(self.pieces.into()),
            Field::Shipping => money(self.shipping),
            _ => Val::Unknown,
        }
    }
}

impl CartItem {
    /// A field that is a text, as it is; for those who ask many items quickly.
    pub fn text(&self, field: &Field) -> Option<&str> {
        match field {
            Field::Product => Some(&self.product),
            Field::Category => self.category.as_deref(),
            Field::Department => self.department.as_deref(),
            Field::Brand => self.brand.as_deref(),
            Field::Zone => self.zone.as_deref(),
            _ => None,
        }
    }

    pub(crate) fn field<'a>(&'a self, field: &Field, money: impl Fn(Money) -> Val<'a>) -> Val<'a> {
        match field {
            Field::Price => money(self.price),
            Field::Quantity => Val::Number(self.quantity.into()),
            Field::Property(name) => self.properties.get(&**name).map_or(Val::Unknown, Val::of_scalar),
            _ => text(self.text(field)),
        }
    }
}

fn text(text: Option<&str>) -> Val<'_> {
    text.map_or(Val::Unknown, Val::Text)
}
