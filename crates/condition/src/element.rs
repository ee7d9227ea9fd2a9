//! Elements: what the variable of a macro stands for while a list is gone through.

use std::sync::Arc;

use rust_decimal::Decimal;
use zhiyin_model::dependant::Dependant;
use zhiyin_model::money::Money;
use zhiyin_model::time::Ts;

use crate::cart::{CartItem, CartRow};
use crate::content;
use crate::kept::KeptRow;
use crate::program::Field;
use crate::row::{EventRow, ItemRow, OrderRow};
use crate::value::Val;

/// What the variable of a macro stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Element<'a> {
    Order(&'a OrderRow),
    Item(&'a OrderRow, &'a ItemRow),
    Event(&'a EventRow),
    /// A row of which only slots are kept.
    Kept(&'a KeptRow),
    Dependant(Dependant<'a>),
    Cart(&'a CartRow),
    CartItem(&'a CartItem),
    Value(Val<'a>),
}

impl<'a> Element<'a> {
    /// The hash of its content; of a row only.
    pub(crate) fn key(self) -> u64 {
        match self {
            Self::Order(order) => content::of_order(order),
            Self::Item(order, item) => content::of_item(order, item),
            Self::Event(event) => content::of_event(event),
            Self::Kept(_) | Self::Dependant(_) | Self::Value(_) | Self::Cart(_) | Self::CartItem(_) => 0,
        }
    }

    pub(crate) const fn time(self) -> Option<Ts> {
        match self {
            Self::Order(order) | Self::Item(order, _) => Some(order.time),
            Self::Event(event) => Some(event.time),
            Self::Kept(row) => Some(row.time),
            Self::Dependant(_) | Self::Value(_) | Self::Cart(_) | Self::CartItem(_) => None,
        }
    }

    /// A field's value; unknown where it has none. Amounts are in major units.
    pub(crate) fn field(self, field: &Field, currency_exponent: u32) -> Val<'a> {
        let text = |text: &'a Option<Arc<str>>| text.as_deref().map_or(Val::Unknown, Val::Text);
        let money = |money: Money| Val::Number(Decimal::new(money.0, currency_exponent));
        match (self, field) {
            (_, Field::Time) => self.time().map_or(Val::Unknown, Val::Time),
            (Self::Order(order), Field::Paid) => money(order.paid),
            (Self::Item(_, item), Field::Paid) => money(item.paid),
            (Self::Order(order) | Self::Item(order, _), Field::Store) => text(&order.store),
            (Self::Order(order) | Self::Item(order, _), Field::Channel) => text(&order.channel),
            (Self::Item(_, item), Field::Product) => Val::Text(&item.product),
            (Self::Item(_, item), Field::Category) => text(&item.category),
            (Self::Item(_, item), Field::Department) => text(&item.department),
            (Self::Item(_, item), Field::Quantity) => Val::Number(item.quantity),
            (Self::Cart(cart), field) => cart.field(field, money),
            (Self::CartItem(item), field) => item.field(field, money),
            (Self::Dependant(dependant), field) => of_dependant(dependant, field),
            (Self::Event(event), Field::Name) => Val::Text(&event.name),
            (Self::Event(event), Field::Store) => text(&event.store),
            (Self::Event(event), Field::Channel) => text(&event.channel),
            (Self::Event(event), Field::Property(name)) => {
                event.properties.get(&**name).map_or(Val::Unknown, Val::of_scalar)
            }
            _ => Val::Unknown,
        }
    }
}

/// What time does not move of a dependant.
fn of_dependant<'a>(dependant: Dependant<'a>, field: &Field) -> Val<'a> {
    match field {
        Field::Kind => Val::Text(dependant.kind),
        Field::Gender => dependant.gender.map_or(Val::Unknown, Val::Text),
        Field::Birthday => dependant.birthday.map_or(Val::Unknown, Val::Date),
        Field::DueOn => dependant.due_on.map_or(Val::Unknown, Val::Date),
        _ => Val::Unknown,
    }
}
