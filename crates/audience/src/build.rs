//! Members into a block.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use zhiyin_condition::{EventRow, OrderRow, content};
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Ts, Zone};

use crate::bits::Kept;
use crate::block::{Block, Heap, Ordinals};
use crate::coded::{Coded, OWNED_MAX, ScalarsBuilder, TextsBuilder};
use crate::dict::Dicts;
use crate::history::{Events, Numbers, Orders, Rows};
use crate::ints::Ints;
use crate::marks;
use crate::person::Person;
use crate::postings::Latest;

/// Gathers members, one after the other.
#[derive(Debug)]
pub struct Builder<'d> {
    zone: &'d Zone,
    dicts: &'d Dicts,
    len: usize,
    ids: Vec<[u8; 16]>,
    alive: Vec<u16>,
    attributes: BTreeMap<String, ScalarsBuilder>,
    tier: TextsBuilder,
    lifecycle: TextsBuilder,
    store: TextsBuilder,
    points: Vec<i64>,
    enrolled_at: Vec<i64>,
    enrolled: Vec<u16>,
    tags: BTreeMap<String, Vec<u16>>,
    personal: Vec<(u16, Vec<u8>)>,
    orders: OrdersBuilder,
    events: BTreeMap<Arc<str>, EventsBuilder>,
}

impl<'d> Builder<'d> {
    /// An empty one. Days are those of the zone.
    pub fn new(zone: &'d Zone, dicts: &'d Dicts) -> Self {
        Self {
            zone,
            dicts,
            len: 0,
            ids: Vec::new(),
            alive: Vec::new(),
            attributes: BTreeMap::new(),
            tier: TextsBuilder::default(),
            lifecycle: TextsBuilder::default(),
            store: TextsBuilder::default(),
            points: Vec::new(),
            enrolled_at: Vec::new(),
            enrolled: Vec::new(),
            tags: BTreeMap::new(),
            personal: Vec::new(),
            orders: OrdersBuilder::default(),
            events: BTreeMap::new(),
        }
    }

    /// The next member; one who is gone has nothing but an id.
    pub fn push(&mut self, person: &Person, alive: bool) {
        let place = u16::try_from(self.len).unwrap_or(u16::MAX);
        self.len += 1;
        self.ids.push(*person.id.bytes());
        if alive {
            self.alive.push(place);
        }
        for (name, value) in &person.attributes {
            let column = self.attributes.entry(name.clone()).or_default();
            column.fill_to(self.len - 1);
            column.push(Some(value));
        }
        self.tier.push(person.tier.as_deref());
        self.lifecycle.push(person.lifecycle.as_deref());
        self.store.push(person.store.as_deref());
        self.points.push(person.points);
        self.enrolled_at.push(person.enrolled_at.unwrap_or_default().0);
        if person.enrolled_at.is_some() {
            self.enrolled.push(place);
        }
        for tag in person.tags.iter().cloned().chain(marks::of(person)) {
            let places = self.tags.entry(tag).or_default();
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
        let said = (&person.consents, &person.dependants);
        if *said.0 != Default::default() || *said.1 != Default::default() {
            self.personal.push((place, crate::said::written(said.0, said.1)));
        }
        self.orders.push(person, self.zone);
        for (name, events) in by_name(&person.events) {
            self.events.entry(name).or_default().push(self.len, &events, self.zone);
        }
    }

    /// The block, its places standing for these ordinals.
    pub fn build(self, ordinals: Ordinals) -> Block {
        let (len, dicts) = (self.len, self.dicts);
        let member = |column: Coded| with_owners(column, len, |place| place).posted();
        let attributes = self.attributes.into_iter().map(|(name, mut column)| {
            column.fill_to(len);
            (name, member(column.build(dicts)))
        });
        Block {
            ordinals,
            len,
            ids: self.ids.into(),
            alive: Kept::of(&self.alive, len),
            attributes: attributes.collect(),
            tier: member(self.tier.build(dicts)),
            lifecycle: member(self.lifecycle.build(dicts)),
            store: member(self.store.build(dicts)),
            points: Ints::of(&self.points),
            enrolled_at: Ints::of(&self.enrolled_at),
            enrolled: Kept::of(&self.enrolled, len),
            tags: self.tags.into_iter().map(|(tag, places)| (tag, Kept::of(&places, len))).collect(),
            personal: Heap::of(len, &self.personal),
            orders: self.orders.build(len, dicts),
            events: self.events.into_iter().map(|(name, events)| (name, events.build(len, dicts))).collect(),
            weight: 0,
            n_alive: 0,
        }
        .weighed()
    }
}

/// Events by their names, each by time and content.
fn by_name(events: &[EventRow]) -> BTreeMap<Arc<str>, Vec<&EventRow>> {
    let mut named: BTreeMap<Arc<str>, Vec<&EventRow>> = BTreeMap::new();
    for event in events {
        named.entry(event.name.clone()).or_default().push(event);
    }
    for events in named.values_mut() {
        events.sort_by(|a, b| {
            a.time.cmp(&b.time).then_with(|| content::of_event(a).cmp(&content::of_event(b)))
        });
    }
    named
}

/// A column with a set of owners for each value, where values are few. `owner` says whose the value at a place is; owners ascend.
pub(crate) fn with_owners(column: Coded, len: usize, owner: impl Fn(usize) -> usize) -> Coded {
    owned(column, len, owner, None::<fn(usize) -> i64>)
}

/// The same, and about when each of them had it last: `day` says when what is at a place was.
pub(crate) fn with_latest(
    column: Coded,
    len: usize,
    owner: impl Fn(usize) -> usize,
    day: impl Fn(usize) -> i64,
) -> Coded {
    owned(column, len, owner, Some(day))
}

fn owned(
    mut column: Coded,
    len: usize,
    owner: impl Fn(usize) -> usize,
    day: Option<impl Fn(usize) -> i64>,
) -> Coded {
    let n_values = column.dict.len();
    if n_values == 0 || n_values > OWNED_MAX {
        return column;
    }
    let mut owners: Vec<Vec<u16>> = vec![Vec::new(); n_values];
    let mut days: Vec<Vec<i64>> = vec![Vec::new(); n_values];
    for place in 0..column.codes.len() {
        if let Some(value) = (column.code(place) as usize).checked_sub(1) {
            let owner = u16::try_from(owner(place)).unwrap_or(u16::MAX);
            if owners[value].last() != Some(&owner) {
                owners[value].push(owner);
                days[value].push(i64::MIN);
            }
            if let (Some(day), Some(last)) = (&day, days[value].last_mut()) {
                *last = (*last).max(day(place));
            }
        }
    }
    column.owners = Some(owners.iter().map(|places| Kept::of(places, len)).collect());
    column.latest = day.map(|_| Latest::of(&days));
    column
}

#[derive(Debug, Default)]
struct RowsBuilder {
    starts: Vec<u32>,
    day: Vec<i64>,
    time: Vec<i64>,
    store: TextsBuilder,
    channel: TextsBuilder,
}

impl RowsBuilder {
    /// Members up to this many (the next one among them) begin here.
    fn begin(&mut self, members: usize) {
        self.starts.resize(members, u32::try_from(self.time.len()).unwrap_or(u32::MAX));
    }

    fn push(&mut self, time: Ts, (store, channel): (Option<&str>, Option<&str>), zone: &Zone) {
        self.day.push(i64::from(zone.day(time).0));
        self.time.push(time.0);
        self.store.push(store);
        self.channel.push(channel);
    }

    fn build(mut self, len: usize, dicts: &Dicts) -> (Rows, Vec<u16>) {
        self.begin(len + 1);
        let (store, channel) = (self.store.build(dicts), self.channel.build(dicts));
        finish(self.starts, &self.day, &self.time, store, channel)
    }
}

/// Rows with what follows from them, and whose each is.
pub(crate) fn finish(
    starts: Vec<u32>,
    day: &[i64],
    time: &[i64],
    store: Coded,
    channel: Coded,
) -> (Rows, Vec<u16>) {
    let len = starts.len().saturating_sub(1);
    let before_all = day.iter().min().map_or(0, |least| least - 1);
    let mut last_day = vec![before_all; len];
    let mut owner = Vec::with_capacity(day.len());
    let mut some = Vec::new();
    let mut ascend = true;
    for member in 0..len {
        let days = &day[starts[member] as usize..starts[member + 1] as usize];
        let who = u16::try_from(member).unwrap_or(u16::MAX);
        if let Some(last) = days.iter().max() {
            some.push(who);
            last_day[member] = *last;
        }
        ascend &= days.is_sorted();
        owner.resize(owner.len() + days.len(), who);
    }
    let row_owner = |column: Coded| with_latest(column, len, |row| usize::from(owner[row]), |row| day[row]);
    let rows = Rows {
        some: Kept::of(&some, len),
        last_day: Ints::of(&last_day),
        latest: day.iter().max().map_or(i32::MIN, |day| i32::try_from(*day).unwrap_or(i32::MAX)),
        ascend,
        day: Ints::of(day),
        time: Ints::of(time),
        store: row_owner(store),
        channel: row_owner(channel),
        starts: starts.into(),
    };
    (rows, owner)
}

#[derive(Debug, Default)]
struct OrdersBuilder {
    rows: RowsBuilder,
    paid: Vec<i64>,
    n_items: Vec<i64>,
    item_starts: Vec<u32>,
    product: TextsBuilder,
    category: TextsBuilder,
    department: TextsBuilder,
    quantity: Vec<Decimal>,
    item_paid: Vec<i64>,
    members: usize,
}

impl OrdersBuilder {
    fn push(&mut self, person: &Person, zone: &Zone) {
        self.members += 1;
        self.rows.begin(self.members);
        self.item_starts.push(u32::try_from(self.quantity.len()).unwrap_or(u32::MAX));
        let mut orders: Vec<&OrderRow> = person.orders.iter().collect();
        orders.sort_by(|a, b| {
            a.time.cmp(&b.time).then_with(|| content::of_order(a).cmp(&content::of_order(b)))
        });
        for order in orders {
            self.rows.push(order.time, (order.store.as_deref(), order.channel.as_deref()), zone);
            self.paid.push(order.paid.0);
            self.n_items.push(i64::try_from(order.items.len()).unwrap_or(0));
            for item in &order.items {
                self.product.push(Some(&item.product));
                self.category.push(item.category.as_deref());
                self.department.push(item.department.as_deref());
                self.quantity.push(item.quantity);
                self.item_paid.push(item.paid.0);
            }
        }
    }

    fn build(mut self, len: usize, dicts: &Dicts) -> Orders {
        self.item_starts.push(u32::try_from(self.quantity.len()).unwrap_or(u32::MAX));
        let (rows, owner) = self.rows.build(len, dicts);
        let n_items = Ints::of(&self.n_items);
        let items = Items {
            product: self.product.build(dicts),
            category: self.category.build(dicts),
            department: self.department.build(dicts),
            quantity: numbers(&self.quantity, dicts),
        };
        put_together(rows, &owner, &self.paid, n_items, self.item_starts, items, &self.item_paid)
    }
}

/// Columns of items.
pub(crate) struct Items {
    pub(crate) product: Coded,
    pub(crate) category: Coded,
    pub(crate) department: Coded,
    pub(crate) quantity: Numbers,
}

/// Orders of their columns, with what follows from them. `owner` says whose each order is.
pub(crate) fn put_together(
    rows: Rows,
    owner: &[u16],
    paid: &[i64],
    n_items: Ints,
    item_starts: Vec<u32>,
    items: Items,
    item_paid: &[i64],
) -> Orders {
    let len = item_starts.len().saturating_sub(1);
    let mut item_owner: Vec<u16> = Vec::with_capacity(item_paid.len());
    let mut item_day: Vec<i32> = Vec::with_capacity(item_paid.len());
    for (order, owner) in owner.iter().enumerate() {
        let n = usize::try_from(n_items.get(order)).unwrap_or(0);
        item_owner.resize(item_owner.len() + n, *owner);
        item_day.resize(item_day.len() + n, rows.day_of(order).0);
    }
    let owned = |column: Coded| {
        with_latest(column, len, |item| usize::from(item_owner[item]), |item| i64::from(item_day[item]))
    };
    let of_one_item =
        n_items.len() == item_paid.len() && (0..n_items.len()).all(|order| n_items.get(order) == 1);
    let item_paid = (!of_one_item || paid != item_paid).then(|| Ints::of(item_paid));
    Orders {
        rows,
        paid: Ints::of(paid),
        n_items,
        item_starts: item_starts.into(),
        product: owned(items.product),
        category: owned(items.category),
        department: owned(items.department),
        quantity: items.quantity,
        item_paid,
    }
}

/// Numbers as whole multiples where they fit.
pub(crate) fn numbers(numbers: &[Decimal], dicts: &Dicts) -> Numbers {
    let scale = numbers.iter().map(|number| number.normalize().scale()).max().unwrap_or(0);
    let scaled = |number: &Decimal| -> Option<i64> {
        let number = number.normalize();
        let ten = 10i128.checked_pow(scale.checked_sub(number.scale())?)?;
        i64::try_from(number.mantissa().checked_mul(ten)?).ok()
    };
    if scale <= 9
        && let Some(ints) = numbers.iter().map(scaled).collect::<Option<Vec<i64>>>()
    {
        return Numbers::Scaled(Ints::of(&ints), scale);
    }
    let mut wide = ScalarsBuilder::default();
    numbers.iter().for_each(|number| wide.push(Some(&Scalar::Number(*number))));
    Numbers::Wide(wide.build(dicts))
}

#[derive(Debug, Default)]
struct EventsBuilder {
    rows: RowsBuilder,
    properties: BTreeMap<String, ScalarsBuilder>,
}

impl EventsBuilder {
    fn push(&mut self, members: usize, events: &[&EventRow], zone: &Zone) {
        self.rows.begin(members);
        for event in events {
            let row = self.rows.time.len();
            self.rows.push(event.time, (event.store.as_deref(), event.channel.as_deref()), zone);
            for (name, value) in &event.properties {
                let column = self.properties.entry(name.clone()).or_default();
                column.fill_to(row);
                column.push(Some(value));
            }
        }
    }

    fn build(self, len: usize, dicts: &Dicts) -> Events {
        let n_rows = self.rows.time.len();
        let (rows, owner) = self.rows.build(len, dicts);
        let properties = self.properties.into_iter().map(|(name, mut column)| {
            column.fill_to(n_rows);
            let column = column.build(dicts);
            let column = with_latest(column, len, |row| usize::from(owner[row]), |row| rows.day.get(row));
            (name, column)
        });
        let properties = properties.collect();
        Events { rows, properties }
    }
}
