//! Histories of the members of a block: rows side by side by member, sorted by time, in columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use zhiyin_condition::{EventRow, ItemRow, OrderRow};
use zhiyin_model::money::Money;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Day, Ts};

use crate::bits::Kept;
use crate::buf::Buf;
use crate::coded::Coded;
use crate::ints::{Ints, Stored};

/// What rows of every kind have. Rows of one member lie side by side, by time and then by content.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Where the rows of each member begin, and where the last one's end.
    pub(crate) starts: Buf<u32>,
    /// Who has any.
    pub(crate) some: Kept,
    /// The latest day of each member; before the first of all where they have none.
    pub(crate) last_day: Ints,
    /// The latest day of all.
    pub(crate) latest: i32,
    /// Whether days never go back as time goes on: where clocks are set back over midnight they do.
    pub(crate) ascend: bool,
    /// The calendar day of each row.
    pub(crate) day: Ints,
    /// When, in microseconds.
    pub(crate) time: Ints,
    /// Where.
    pub(crate) store: Coded,
    /// Through which channel.
    pub(crate) channel: Coded,
}

impl Rows {
    /// The rows of a member.
    #[inline]
    pub(crate) fn of(&self, member: usize) -> (usize, usize) {
        match (self.starts.get(member), self.starts.get(member + 1)) {
            (Some(from), Some(to)) => (*from as usize, *to as usize),
            _ => (0, 0),
        }
    }

    pub(crate) fn time_of(&self, row: usize) -> Ts {
        Ts(self.time.get(row))
    }

    pub(crate) fn day_of(&self, row: usize) -> Day {
        Day(i32::try_from(self.day.get(row)).unwrap_or(i32::MAX))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.starts.len() * 4
            + self.some.bytes()
            + self.last_day.bytes()
            + self.day.bytes()
            + self.time.bytes()
            + self.store.bytes()
            + self.channel.bytes()
    }
}

/// Exact numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Whole multiples of 10^-scale.
    Scaled(Ints, u32),
    /// What does not fit that.
    Wide(Coded),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::Scaled(Ints::default(), 0)
    }
}

impl Numbers {
    /// The number at a place.
    pub(crate) fn get(&self, place: usize) -> Decimal {
        match self {
            Self::Scaled(ints, scale) => Decimal::new(ints.get(place), *scale),
            Self::Wide(coded) => match coded.scalar(place) {
                Some(Scalar::Number(number)) => number,
                _ => Decimal::ZERO,
            },
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Scaled(ints, _) => ints.bytes(),
            Self::Wide(coded) => coded.bytes(),
        }
    }
}

/// Orders that count, with their items.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Orders {
    pub(crate) rows: Rows,
    /// What was paid, in minor units.
    pub(crate) paid: Ints,
    /// How many items each has.
    pub(crate) n_items: Ints,
    /// Where the items of each member begin, and where the last one's end.
    pub(crate) item_starts: Buf<u32>,
    /// Products of items.
    pub(crate) product: Coded,
    /// Categories of items.
    pub(crate) category: Coded,
    /// Departments of items.
    pub(crate) department: Coded,
    /// Pieces.
    pub(crate) quantity: Numbers,
    /// What was paid for each item, in minor units; `None` where every order has one item that is all of it.
    pub(crate) item_paid: Option<Ints>,
}

impl Orders {
    /// Items of a member.
    #[inline]
    pub(crate) fn items_of(&self, member: usize) -> (usize, usize) {
        match (self.item_starts.get(member), self.item_starts.get(member + 1)) {
            (Some(from), Some(to)) => (*from as usize, *to as usize),
            _ => (0, 0),
        }
    }

    /// Whether every order has one item, so that items stand where their orders do.
    #[inline]
    pub(crate) fn of_one_item(&self) -> bool {
        matches!(self.n_items.stored, Stored::Same) && self.n_items.base == 1
    }

    /// What was paid for an item of an order, in minor units.
    #[inline]
    pub(crate) fn paid_for(&self, order: usize, item: usize) -> i64 {
        self.item_paid.as_ref().map_or_else(|| self.paid.get(order), |paid| paid.get(item))
    }

    pub(crate) fn item(&self, order: usize, item: usize) -> ItemRow {
        let text = |column: &Coded| column.text(item).map(Arc::from);
        ItemRow {
            product: text(&self.product).unwrap_or_else(|| "".into()),
            category: text(&self.category),
            department: text(&self.department),
            quantity: self.quantity.get(item),
            paid: Money(self.paid_for(order, item)),
        }
    }

    /// An order whose items begin at a place.
    pub(crate) fn order(&self, order: usize, items: usize) -> OrderRow {
        let n_items = usize::try_from(self.n_items.get(order)).unwrap_or(0);
        OrderRow {
            time: self.rows.time_of(order),
            paid: Money(self.paid.get(order)),
            store: self.rows.store.text(order).map(Arc::from),
            channel: self.rows.channel.text(order).map(Arc::from),
            items: (items..items + n_items).map(|item| self.item(order, item)).collect(),
        }
    }

    /// The orders of a member.
    pub(crate) fn orders_of(&self, member: usize) -> Vec<OrderRow> {
        let (from, to) = self.rows.of(member);
        let (mut at, _) = self.items_of(member);
        let mut orders = Vec::with_capacity(to - from);
        for row in from..to {
            let order = self.order(row, at);
            at += order.items.len();
            orders.push(order);
        }
        orders
    }

    pub(crate) fn bytes(&self) -> usize {
        self.rows.bytes()
            + self.paid.bytes()
            + self.n_items.bytes()
            + self.item_starts.len() * 4
            + self.product.bytes()
            + self.category.bytes()
            + self.department.bytes()
            + self.quantity.bytes()
            + self.item_paid.as_ref().map_or(0, Ints::bytes)
    }
}

/// Events of one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    pub(crate) rows: Rows,
    /// What they say, by what.
    pub(crate) properties: BTreeMap<String, Coded>,
}

impl Events {
    pub(crate) fn event(&self, name: &Arc<str>, row: usize) -> EventRow {
        let said = |(property, column): (&String, &Coded)| Some((property.clone(), column.scalar(row)?));
        EventRow {
            name: name.clone(),
            time: self.rows.time_of(row),
            store: self.rows.store.text(row).map(Arc::from),
            channel: self.rows.channel.text(row).map(Arc::from),
            properties: self.properties.iter().filter_map(said).collect(),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.rows.bytes() + self.properties.values().map(Coded::bytes).sum::<usize>()
    }
}
