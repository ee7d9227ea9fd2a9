//! Whether the columns of a block that was read agree with each other: counts, places and codes are held against what they
//! point into, so that a file that was damaged before it was named, or made by something else, is refused and not believed.

use bytemuck::Pod;

use crate::bits::{BLOCK, Kept};
use crate::block::{Block, Heap};
use crate::buf::Buf;
use crate::coded::Coded;
use crate::dict::Dict;
use crate::history::{Events, Numbers, Orders, Rows};
use crate::ints::{Ints, Stored};

impl Block {
    /// Whether all of it is of as many members as it says, and nothing in it points beyond what it points into.
    pub(crate) fn is_whole(&self) -> bool {
        let len = self.len;
        let member = |column: &Coded| coded(column, len, len);
        len <= BLOCK
            && self.ids.len() == len
            && kept(&self.alive, len)
            && self.attributes.values().all(member)
            && [&self.tier, &self.lifecycle, &self.store].into_iter().all(member)
            && [&self.points, &self.enrolled_at].into_iter().all(|column| column.len() == len)
            && kept(&self.enrolled, len)
            && self.tags.values().all(|tag| kept(tag, len))
            && heap(&self.personal, len)
            && orders(&self.orders, len)
            && self.events.values().all(|of| events(of, len))
    }
}

fn ascend<T: Pod + Ord>(numbers: &Buf<T>) -> bool {
    numbers.is_sorted()
}

fn kept(set: &Kept, len: usize) -> bool {
    match set {
        Kept::None => true,
        Kept::Few(places) => {
            places.is_sorted_by(|a, b| a < b) && places.last().is_none_or(|last| usize::from(*last) < len)
        }
        Kept::Many(words) => {
            let rest = len % 64;
            words.len() == len.div_ceil(64)
                && (rest == 0 || words.last().is_none_or(|last| last >> rest == 0))
        }
    }
}

/// The greatest and the least of numbers, where there are any.
fn bounds(ints: &Ints) -> Option<(i64, i64)> {
    let stored = |least: Option<i64>, most: Option<i64>| {
        let of = |x: i64| ints.base.checked_add(ints.unit.checked_mul(x)?);
        Some((of(least?)?, of(most?)?))
    };
    let (least, most) = match &ints.stored {
        Stored::Same => (Some(0), Some(0)),
        Stored::U8(x) => (x.iter().min().map(|x| i64::from(*x)), x.iter().max().map(|x| i64::from(*x))),
        Stored::U16(x) => (x.iter().min().map(|x| i64::from(*x)), x.iter().max().map(|x| i64::from(*x))),
        Stored::U32(x) => (x.iter().min().map(|x| i64::from(*x)), x.iter().max().map(|x| i64::from(*x))),
        Stored::I64(x) => (x.iter().min().copied(), x.iter().max().copied()),
    };
    stored(least, most)
}

/// A column of `rows` values whose owners, if it has any, are among `members`.
fn coded(column: &Coded, rows: usize, members: usize) -> bool {
    // A column that nobody has anything in may be of no length at all.
    let long_enough = column.codes.len() == rows || (column.codes.len() == 0 && column.dict.len() == 0);
    let known = column.dict.len();
    let codes = column.codes.len() == 0
        || bounds(&column.codes)
            .is_some_and(|(least, most)| least >= 0 && usize::try_from(most).is_ok_and(|most| most <= known));
    let owners = column
        .owners
        .as_deref()
        .is_none_or(|owners| owners.len() == known && owners.iter().all(|owner| kept(owner, members)));
    let latest = column.latest.as_ref().is_none_or(|latest| {
        let owners = column.owners.as_deref().unwrap_or_default();
        let n = |value: usize| (latest.starts[value + 1] as usize).checked_sub(latest.starts[value] as usize);
        latest.starts.is_empty() && owners.is_empty()
            || latest.starts.len() == known + 1
                && owners.len() == known
                && ascend(&latest.starts)
                && latest.starts.last().is_some_and(|last| *last as usize == latest.steps.len())
                && owners.iter().enumerate().all(|(value, owner)| n(value) == Some(owner.count()))
    });
    long_enough && codes && owners && latest && dict(&column.dict)
}

fn dict(dict: &Dict) -> bool {
    match dict {
        Dict::Texts { ends, bytes } => {
            ascend(ends)
                && ends.last().map_or(0, |last| *last as usize) == bytes.len()
                && (1..dict.len()).all(|place| dict.text(place - 1) < dict.text(place))
                && (0..dict.len()).all(|place| dict.text(place).is_some())
        }
        Dict::Scalars(values) => values.is_sorted_by(|a, b| a < b),
    }
}

fn heap(heap: &Heap, len: usize) -> bool {
    kept(&heap.who, len)
        && heap.ends.len() == heap.who.count()
        && ascend(&heap.ends)
        && heap.ends.last().map_or(0, |last| *last as usize) == heap.bytes.len()
}

/// Places where the rows of each of `len` members begin, and where the last one's end.
fn starts(starts: &Buf<u32>, len: usize, rows: usize) -> bool {
    starts.len() == len + 1
        && starts.first().is_some_and(|first| *first == 0)
        && ascend(starts)
        && starts.last().is_some_and(|last| *last as usize == rows)
}

fn rows(table: &Rows, len: usize) -> bool {
    let n = table.time.len();
    // Of a name that nobody has events of, or of a block without any order, nothing may lie here.
    if n == 0 && table.starts.is_empty() {
        return table.some == Kept::None;
    }
    let empty = |member: usize| table.of(member).0 == table.of(member).1;
    starts(&table.starts, len, n)
        && kept(&table.some, len)
        && table.last_day.len() == len
        && table.day.len() == n
        && coded(&table.store, n, len)
        && coded(&table.channel, n, len)
        && (0..len).all(|member| table.some.has(member) != empty(member))
}

fn numbers(column: &Numbers, rows: usize) -> bool {
    match column {
        Numbers::Scaled(ints, _) => ints.len() == rows,
        Numbers::Wide(column) => coded(column, rows, usize::MAX),
    }
}

fn orders(orders: &Orders, len: usize) -> bool {
    let n = orders.rows.time.len();
    if !rows(&orders.rows, len) || orders.paid.len() != n || orders.n_items.len() != n {
        return false;
    }
    let Some(n_items) = (0..n)
        .try_fold(0usize, |sum, order| sum.checked_add(usize::try_from(orders.n_items.get(order)).ok()?))
    else {
        return false;
    };
    let of_members = orders.rows.starts.is_empty()
        || (0..len).all(|member| {
            let (from, to) = orders.rows.of(member);
            let items: i64 = (from..to).map(|order| orders.n_items.get(order)).sum();
            let (first, last) = orders.items_of(member);
            i64::try_from(last.wrapping_sub(first)).is_ok_and(|there| there == items)
        });
    (starts(&orders.item_starts, len, n_items) || (n == 0 && orders.item_starts.is_empty()))
        && of_members
        && [&orders.product, &orders.category, &orders.department].into_iter().all(|c| coded(c, n_items, len))
        && numbers(&orders.quantity, n_items)
        && match &orders.item_paid {
            Some(paid) => paid.len() == n_items,
            None => n == n_items,
        }
}

fn events(events: &Events, len: usize) -> bool {
    let n = events.rows.time.len();
    rows(&events.rows, len) && events.properties.values().all(|column| coded(column, n, len))
}
