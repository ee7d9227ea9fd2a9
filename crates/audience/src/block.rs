//! A block: the columns of up to 65,536 members. It never changes; what changes is in a newer block over it.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhiyin_condition::{EventRow, OrderRow};
use zhiyin_model::consent::Consents;
use zhiyin_model::dependant::Dependants;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;

use crate::bits::{Kept, Mask};
use crate::buf::Buf;
use crate::coded::Coded;
use crate::history::{Events, Orders};
use crate::ints::Ints;
use crate::marks;
use crate::person::Person;

/// Which ordinals its places stand for.
#[derive(Clone, Debug, PartialEq)]
pub enum Ordinals {
    /// From this one on.
    From(u32),
    /// These, ascending.
    These(Buf<u32>),
}

/// Columns of some members.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub(crate) ordinals: Ordinals,
    pub(crate) len: usize,
    /// Ids, 16 bytes each.
    pub(crate) ids: Buf<[u8; 16]>,
    /// Who is a member: others were merged into somebody or erased.
    pub(crate) alive: Kept,
    pub(crate) attributes: BTreeMap<String, Coded>,
    pub(crate) tier: Coded,
    pub(crate) lifecycle: Coded,
    pub(crate) store: Coded,
    pub(crate) points: Ints,
    /// When they enrolled; whoever did not stands at 0 here and is not in `enrolled`.
    pub(crate) enrolled_at: Ints,
    pub(crate) enrolled: Kept,
    pub(crate) tags: BTreeMap<String, Kept>,
    /// What they consent to and whom they care for, packed, where there is anything.
    pub(crate) personal: Heap,
    pub(crate) orders: Orders,
    pub(crate) events: BTreeMap<Arc<str>, Events>,
    /// Bytes of all of that, about.
    pub(crate) weight: usize,
    /// How many are members.
    pub(crate) n_alive: usize,
}

/// Bytes of each member, mostly none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heap {
    pub(crate) who: Kept,
    /// Where those of each of `who` end.
    pub(crate) ends: Buf<u32>,
    pub(crate) bytes: Buf<u8>,
}

impl Heap {
    /// Of who has any, ascending.
    pub(crate) fn of(len: usize, each: &[(u16, Vec<u8>)]) -> Self {
        let (mut ends, mut bytes) = (Vec::new(), Vec::new());
        for (_, said) in each {
            bytes.extend_from_slice(said);
            ends.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        let who: Vec<u16> = each.iter().map(|(who, _)| *who).collect();
        Self { who: Kept::of(&who, len), ends: ends.into(), bytes: bytes.into() }
    }

    /// The bytes of those of a mask, ascending, nothing of whoever has none: each at no more cost than the last.
    pub(crate) fn each<'h>(&'h self, mask: &'h Mask) -> impl Iterator<Item = (usize, Option<&'h [u8]>)> + 'h {
        let who = self.who.places();
        let mut at = 0;
        mask.places().map(move |place| {
            while who.get(at).is_some_and(|known| usize::from(*known) < place) {
                at += 1;
            }
            let has = who.get(at).is_some_and(|known| usize::from(*known) == place);
            let from = if at == 0 { 0 } else { self.ends.get(at - 1).map_or(0, |end| *end as usize) };
            let bytes = self.ends.get(at).and_then(|end| self.bytes.get(from..*end as usize));
            (place, bytes.filter(|_| has))
        })
    }

    pub(crate) fn get(&self, place: usize) -> Option<&[u8]> {
        let at = match &self.who {
            Kept::None => return None,
            Kept::Few(places) => places.binary_search(&u16::try_from(place).ok()?).ok()?,
            Kept::Many(words) => {
                if !self.who.has(place) {
                    return None;
                }
                let before: u32 = words[..place / 64].iter().map(|word| word.count_ones()).sum();
                let below = words[place / 64] & ((1 << (place % 64)) - 1);
                (before + below.count_ones()) as usize
            }
        };
        let from = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        self.bytes.get(from..*self.ends.get(at)? as usize)
    }
}

/// The two parts of what people said of themselves.
pub(crate) type Said = (Consents, Dependants);

impl Block {
    /// How many members it has.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The ordinal of a place.
    pub fn ordinal(&self, place: usize) -> u32 {
        match &self.ordinals {
            Ordinals::From(first) => first + u32::try_from(place).unwrap_or(0),
            Ordinals::These(these) => these.get(place).copied().unwrap_or(u32::MAX),
        }
    }

    /// The place of an ordinal.
    pub fn place(&self, ordinal: u32) -> Option<usize> {
        match &self.ordinals {
            Ordinals::From(first) => {
                let place = ordinal.checked_sub(*first)? as usize;
                (place < self.len).then_some(place)
            }
            Ordinals::These(these) => these.binary_search(&ordinal).ok(),
        }
    }

    /// Who stands at a place.
    pub fn id(&self, place: usize) -> MemberId {
        MemberId::from_bytes(self.ids.get(place).copied().unwrap_or_default())
    }

    pub(crate) fn said(&self, place: usize) -> Said {
        self.personal.get(place).map(crate::said::read).unwrap_or_default()
    }

    /// Events of a name of a member.
    pub(crate) fn events_of(&self, name: &str, place: usize) -> Vec<EventRow> {
        let Some((name, events)) = self.events.get_key_value(name) else { return Vec::new() };
        let (from, to) = events.rows.of(place);
        (from..to).map(|row| events.event(name, row)).collect()
    }

    /// A member whole, as they went in, but for the order of rows.
    pub fn person(&self, place: usize) -> Person {
        let (consents, dependants) = self.said(place);
        let attributes = self.attributes.iter();
        let tags = self.tags.iter().filter(|(_, kept)| kept.has(place)).map(|(tag, _)| tag);
        let [tags, lists, standing] = marks::told(tags);
        Person {
            id: self.id(place),
            attributes: attributes
                .filter_map(|(name, column)| Some((name.clone(), column.scalar(place)?)))
                .collect(),
            tags,
            lists,
            standing,
            tier: self.tier.text(place).map(str::to_owned),
            lifecycle: self.lifecycle.text(place).map(str::to_owned),
            store: self.store.text(place).map(str::to_owned),
            points: self.points.get(place),
            enrolled_at: self.enrolled_at(place),
            consents,
            dependants,
            orders: self.orders_of(place),
            events: self.events.keys().flat_map(|name| self.events_of(name, place)).collect(),
        }
    }

    /// Orders of a member.
    pub(crate) fn orders_of(&self, place: usize) -> Vec<OrderRow> {
        self.orders.orders_of(place)
    }

    /// When a member enrolled.
    pub(crate) fn enrolled_at(&self, place: usize) -> Option<Ts> {
        self.enrolled.has(place).then(|| Ts(self.enrolled_at.get(place)))
    }

    /// Bytes it takes, column by column.
    pub fn bytes_by_column(&self) -> BTreeMap<String, usize> {
        let mut bytes = BTreeMap::from([
            ("id".to_owned(), self.ids.len() * 16),
            ("tier".to_owned(), self.tier.bytes()),
            ("lifecycle".to_owned(), self.lifecycle.bytes()),
            ("store".to_owned(), self.store.bytes()),
            ("points".to_owned(), self.points.bytes()),
            ("enrolled_at".to_owned(), self.enrolled_at.bytes() + self.enrolled.bytes()),
            ("tags".to_owned(), self.tags.values().map(Kept::bytes).sum()),
            ("personal".to_owned(), self.personal.ends.len() * 4 + self.personal.bytes.len()),
            ("orders".to_owned(), self.orders.bytes()),
        ]);
        for (name, column) in &self.attributes {
            bytes.insert(format!("attr.{name}"), column.bytes());
        }
        for (name, events) in &self.events {
            bytes.insert(format!("events.{name}"), events.bytes());
        }
        bytes
    }

    /// Bytes it takes.
    pub const fn bytes(&self) -> usize {
        self.weight
    }

    /// Itself, its columns weighed and its members counted.
    pub(crate) fn weighed(mut self) -> Self {
        self.n_alive = self.alive.count();
        self.weight = self.bytes_by_column().values().sum::<usize>() + size_of::<Self>();
        self
    }
}
