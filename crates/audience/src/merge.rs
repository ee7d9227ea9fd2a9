//! Blocks into one: columns are gathered value by value, dictionaries united; nobody is made a person again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rust_decimal::Decimal;
use zhiyin_model::scalar::Scalar;

use crate::bits::Kept;
use crate::block::{Block, Heap, Ordinals};
use crate::build::{Items, finish, numbers, put_together, with_latest, with_owners};
use crate::coded::Coded;
use crate::dict::{Dict, Dicts};
use crate::history::{Events, Numbers, Orders, Rows};
use crate::ints::Ints;

/// For each ordinal of a block of the base who says what is known of them: the newest that has them. Blocks over it that say
/// anything are added to the sources.
pub(crate) fn pick_newest<'b>(
    old: Option<&'b Block>,
    deltas: &'b [Arc<Block>],
    first: usize,
    len: usize,
    sources: &mut Vec<&'b Block>,
) -> Vec<(usize, usize)> {
    let mut picks: Vec<(usize, usize)> = (0..len).map(|place| (0, place)).collect();
    let known = old.map_or(0, Block::len);
    let mut found: Vec<bool> = (0..len).map(|place| place < known).collect();
    for delta in deltas {
        let source = sources.len();
        let mut used = false;
        let mut take = |ordinal: usize, place: usize| {
            if let Some(pick) = ordinal.checked_sub(first).and_then(|at| picks.get_mut(at)) {
                *pick = (source, place);
                found[ordinal - first] = true;
                used = true;
            }
        };
        match &delta.ordinals {
            Ordinals::From(from) => {
                let from = *from as usize;
                let (low, high) = (from.max(first), (from + delta.len()).min(first + len));
                (low..high.max(low)).for_each(|ordinal| take(ordinal, ordinal - from));
            }
            Ordinals::These(these) => {
                let low = these.partition_point(|ordinal| (*ordinal as usize) < first);
                let within = these[low..].iter().take_while(|ordinal| (**ordinal as usize) < first + len);
                within.enumerate().for_each(|(at, ordinal)| take(*ordinal as usize, low + at));
            }
        }
        if used {
            sources.push(delta);
        }
    }
    debug_assert!(found.iter().all(|found| *found), "every ordinal was given with something to say");
    picks
}

/// One block of places of others: for each of its places which source, and which place there.
pub(crate) fn merge(
    sources: &[&Block],
    picks: &[(usize, usize)],
    ordinals: Ordinals,
    dicts: &Dicts,
) -> Block {
    let len = picks.len();
    let member = |of: &dyn Fn(&Block) -> Coded| {
        let columns: Vec<Coded> = sources.iter().map(|block| of(block)).collect();
        with_owners(coded(&columns.iter().collect::<Vec<_>>(), picks.iter().copied(), dicts), len, |place| {
            place
        })
        .posted()
    };
    let names: BTreeSet<&String> = sources.iter().flat_map(|block| block.attributes.keys()).collect();
    let attributes = names.into_iter().map(|name| {
        let column = member(&|block| block.attributes.get(name).cloned().unwrap_or_default());
        (name.clone(), column)
    });
    let kept = |of: &dyn Fn(&Block) -> Option<&Kept>| {
        let of: Vec<Option<&Kept>> = sources.iter().map(|block| of(block)).collect();
        let places: Vec<u16> = (0..len)
            .filter(|place| of[picks[*place].0].is_some_and(|kept| kept.has(picks[*place].1)))
            .map(|place| u16::try_from(place).unwrap_or(u16::MAX))
            .collect();
        Kept::of(&places, len)
    };
    let tags: BTreeSet<&String> = sources.iter().flat_map(|block| block.tags.keys()).collect();
    let tags = tags.into_iter().map(|tag| (tag.clone(), kept(&|block| block.tags.get(tag))));
    let said: Vec<(u16, Vec<u8>)> = picks
        .iter()
        .enumerate()
        .filter_map(|(at, (source, place))| {
            let said = sources[*source].personal.get(*place)?;
            Some((u16::try_from(at).unwrap_or(u16::MAX), said.to_vec()))
        })
        .collect();
    let events: BTreeSet<&Arc<str>> = sources.iter().flat_map(|block| block.events.keys()).collect();
    let events = events.into_iter().map(|name| (name.clone(), of_events(sources, name, picks, dicts)));
    Block {
        ordinals,
        len,
        ids: picks.iter().map(|(source, place)| sources[*source].ids[*place]).collect::<Vec<_>>().into(),
        alive: kept(&|block| Some(&block.alive)),
        attributes: attributes.collect(),
        tier: member(&|block| block.tier.clone()),
        lifecycle: member(&|block| block.lifecycle.clone()),
        store: member(&|block| block.store.clone()),
        points: ints(&sources.iter().map(|block| &block.points).collect::<Vec<_>>(), picks.iter().copied()),
        enrolled_at: ints(
            &sources.iter().map(|block| &block.enrolled_at).collect::<Vec<_>>(),
            picks.iter().copied(),
        ),
        enrolled: kept(&|block| Some(&block.enrolled)),
        tags: tags.filter(|(_, kept)| *kept != Kept::None).collect(),
        personal: Heap::of(len, &said),
        orders: of_orders(sources, picks, dicts),
        events: events.filter(|(_, events)| events.rows.time.len() > 0).collect(),
        weight: 0,
        n_alive: 0,
    }
    .weighed()
}

fn ints(columns: &[&Ints], picks: impl Iterator<Item = (usize, usize)>) -> Ints {
    let all: Vec<i64> = picks.map(|(source, place)| columns[source].get(place)).collect();
    Ints::of(&all)
}

/// Codes of several columns as codes of one, their dictionaries united.
fn coded(columns: &[&Coded], picks: impl Iterator<Item = (usize, usize)>, dicts: &Dicts) -> Coded {
    let first = columns.first().map(|column| column.dict.clone()).unwrap_or_default();
    if columns.iter().all(|column| Arc::ptr_eq(&column.dict, &first)) {
        let codes: Vec<i64> = picks.map(|(source, place)| columns[source].codes.get(place)).collect();
        return Coded { codes: Ints::of(&codes), dict: first, ..Coded::default() };
    }
    let picks: Vec<(usize, usize)> = picks.collect();
    // Only values that are still used.
    let mut used: Vec<Vec<bool>> = columns.iter().map(|column| vec![false; column.dict.len() + 1]).collect();
    picks.iter().for_each(|(source, place)| used[*source][columns[*source].code(*place) as usize] = true);
    let mut values: Vec<(Scalar, usize, usize)> = Vec::new();
    for (source, column) in columns.iter().enumerate() {
        let used = used[source].iter().enumerate().skip(1).filter(|(_, used)| **used);
        values.extend(used.filter_map(|(code, _)| Some((column.dict.scalar(code - 1)?, source, code))));
    }
    values.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let mut codes: Vec<Vec<i64>> = columns.iter().map(|column| vec![0; column.dict.len() + 1]).collect();
    let mut united: Vec<Scalar> = Vec::new();
    for (value, source, code) in values {
        if united.last() != Some(&value) {
            united.push(value);
        }
        codes[source][code] = i64::try_from(united.len()).unwrap_or(0);
    }
    let all: Vec<i64> =
        picks.iter().map(|(source, place)| codes[*source][columns[*source].code(*place) as usize]).collect();
    let heaped = columns.iter().any(|column| matches!(*column.dict, Dict::Texts { .. }));
    let dict = match united.iter().map(Scalar::text).collect::<Option<Vec<&str>>>() {
        Some(texts) if heaped && !texts.is_empty() => Dict::texts(texts.into_iter()),
        _ => Dict::Scalars(united.into()),
    };
    Coded { codes: Ints::of(&all), dict: dicts.one(dict), ..Coded::default() }
}

/// Rows of the picked members of several tables: (source, row), member by member; and where each member's begin.
fn rows_of(tables: &[&Rows], picks: &[(usize, usize)]) -> (Vec<(usize, usize)>, Vec<u32>) {
    let (mut rows, mut starts) = (Vec::new(), Vec::with_capacity(picks.len() + 1));
    for (source, place) in picks {
        starts.push(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        let (from, to) = tables[*source].of(*place);
        rows.extend((from..to).map(|row| (*source, row)));
    }
    starts.push(u32::try_from(rows.len()).unwrap_or(u32::MAX));
    (rows, starts)
}

fn of_rows(tables: &[&Rows], rows: &[(usize, usize)], starts: Vec<u32>, dicts: &Dicts) -> (Rows, Vec<u16>) {
    let each = || rows.iter().copied();
    let day: Vec<i64> = each().map(|(source, row)| tables[source].day.get(row)).collect();
    let time: Vec<i64> = each().map(|(source, row)| tables[source].time.get(row)).collect();
    let store = coded(&tables.iter().map(|table| &table.store).collect::<Vec<_>>(), each(), dicts);
    let channel = coded(&tables.iter().map(|table| &table.channel).collect::<Vec<_>>(), each(), dicts);
    finish(starts, &day, &time, store, channel)
}

fn of_orders(sources: &[&Block], picks: &[(usize, usize)], dicts: &Dicts) -> Orders {
    let orders: Vec<&Orders> = sources.iter().map(|block| &block.orders).collect();
    let tables: Vec<&Rows> = orders.iter().map(|orders| &orders.rows).collect();
    let (rows, starts) = rows_of(&tables, picks);
    let (mut items, mut item_starts, mut item_paid) =
        (Vec::new(), Vec::with_capacity(picks.len() + 1), Vec::new());
    for (source, place) in picks {
        item_starts.push(u32::try_from(items.len()).unwrap_or(u32::MAX));
        let of = orders[*source];
        let (mut item, to) = of.items_of(*place);
        let (from_row, to_row) = of.rows.of(*place);
        items.extend((item..to).map(|item| (*source, item)));
        for row in from_row..to_row {
            for _ in 0..of.n_items.get(row) {
                item_paid.push(of.paid_for(row, item));
                item += 1;
            }
        }
    }
    item_starts.push(u32::try_from(items.len()).unwrap_or(u32::MAX));
    let each = || items.iter().copied();
    let column = |of: &dyn Fn(&Orders) -> &Coded| {
        coded(&orders.iter().map(|orders| of(orders)).collect::<Vec<_>>(), each(), dicts)
    };
    let gathered = Items {
        product: column(&|orders| &orders.product),
        category: column(&|orders| &orders.category),
        department: column(&|orders| &orders.department),
        quantity: of_numbers(
            &orders.iter().map(|orders| &orders.quantity).collect::<Vec<_>>(),
            &items,
            dicts,
        ),
    };
    let paid: Vec<i64> = rows.iter().map(|(source, row)| orders[*source].paid.get(*row)).collect();
    let n_items =
        ints(&orders.iter().map(|orders| &orders.n_items).collect::<Vec<_>>(), rows.iter().copied());
    let (table, owner) = of_rows(&tables, &rows, starts, dicts);
    put_together(table, &owner, &paid, n_items, item_starts, gathered, &item_paid)
}

fn of_numbers(columns: &[&Numbers], picks: &[(usize, usize)], dicts: &Dicts) -> Numbers {
    let scales: Option<Vec<u32>> = columns
        .iter()
        .map(|column| match column {
            Numbers::Scaled(_, scale) => Some(*scale),
            Numbers::Wide(_) => None,
        })
        .collect();
    if let Some(scales) = scales
        && let Some(first) = scales.first()
        && scales.iter().all(|scale| scale == first)
    {
        let all: Vec<i64> = picks
            .iter()
            .map(|(source, place)| match columns[*source] {
                Numbers::Scaled(ints, _) => ints.get(*place),
                Numbers::Wide(_) => 0,
            })
            .collect();
        return Numbers::Scaled(Ints::of(&all), *first);
    }
    let all: Vec<Decimal> = picks.iter().map(|(source, place)| columns[*source].get(*place)).collect();
    numbers(&all, dicts)
}

fn of_events(sources: &[&Block], name: &Arc<str>, picks: &[(usize, usize)], dicts: &Dicts) -> Events {
    let nothing = Events::default();
    let events: Vec<&Events> =
        sources.iter().map(|block| block.events.get(name).unwrap_or(&nothing)).collect();
    let tables: Vec<&Rows> = events.iter().map(|events| &events.rows).collect();
    let (rows, starts) = rows_of(&tables, picks);
    let (table, owner) = of_rows(&tables, &rows, starts, dicts);
    let len = picks.len();
    let names: BTreeSet<&String> = events.iter().flat_map(|events| events.properties.keys()).collect();
    let nothing = Coded::default();
    let properties: BTreeMap<String, Coded> = names
        .into_iter()
        .map(|name| {
            let columns: Vec<&Coded> =
                events.iter().map(|events| events.properties.get(name).unwrap_or(&nothing)).collect();
            let column = coded(&columns, rows.iter().copied(), dicts);
            let column = with_latest(column, len, |row| usize::from(owner[row]), |row| table.day.get(row));
            (name.clone(), column)
        })
        .collect();
    Events { rows: table, properties }
}
