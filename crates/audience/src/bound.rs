//! A leaf bound to a block: its questions as codes and ranges of that block's columns, and the loops over rows.

use std::ops::ControlFlow;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use zhiyin_condition::OneRow;
use zhiyin_condition::program::{Field, Node};
use zhiyin_condition::tree::Operator;
use zhiyin_condition::value::{Val, Value};
use zhiyin_model::time::{Day, HOUR_US, Zone};

use crate::ask::Instant;
use crate::bits::Mask;
use crate::coded::{Chosen, Coded};
use crate::history::Numbers;
use crate::ints::Ints;
use crate::plan::bounds;
use crate::rows::{Ask, LeafPlan, Made, Measured, Times, chosen};
use crate::table::Table;

/// A row: its place among orders or events, and the item's among items.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) row: usize,
    pub(crate) item: usize,
}

/// A question of a row, in terms of one block.
#[derive(Debug)]
pub(crate) enum Bound<'b> {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Never,
    /// By the code of the row, or of the item.
    Code(&'b Coded, bool, Chosen),
    /// By a whole number of the row, or of the item: within, or (`false`) not.
    Range(&'b Ints, bool, (i64, i64), bool),
    Exact(&'b Numbers, Operator, Decimal),
    Times(&'b Times),
    Row(&'b Node),
}

/// A leaf bound to a block.
#[derive(Debug)]
pub(crate) struct Leaf<'b> {
    pub(crate) table: Table<'b>,
    pub(crate) plan: &'b LeafPlan<'b>,
    pub(crate) passes: Bound<'b>,
    /// What the window goes by: days or, where it is of hours, instants.
    pub(crate) by: &'b Ints,
    /// What of these the window sees, from the first to the last; everything where there is none.
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// No row before this day is in the window.
    pub(crate) first_day: i64,
    /// Every row up to this day is at or before the window's end.
    pub(crate) last_day: i64,
    zone: &'b Zone,
    currency_exponent: u32,
}

impl<'b> Leaf<'b> {
    /// `None` where the block has no such rows, or none that columns could tell of by day.
    pub(crate) fn bind(plan: &'b LeafPlan<'b>, table: Table<'b>, now: &'b Instant) -> Option<Self> {
        if !table.rows().ascend {
            return None;
        }
        let (rows, today) = (table.rows(), i64::from(now.today.0));
        let (by, (first, last), (first_day, last_day)) = match (plan.hours, plan.days) {
            (Some(hours), _) => {
                let since = now.now.plus_us(-i64::from(hours) * HOUR_US);
                // Where clocks are set back over midnight, what is later may be of the day before.
                let days = (i64::from(now.zone.day(since).0) - 1, today - 2);
                (&rows.time, (since.0, now.now.0), days)
            }
            (None, Some(days)) => {
                let days = (today - i64::from(days), today);
                (&rows.day, days, days)
            }
            (None, None) => (&rows.day, (i64::MIN, i64::MAX), (i64::MIN, i64::MAX)),
        };
        let passes = plan.passes.iter().map(|ask| Bound::of(ask, table, plan, now));
        let passes = match plan.passes.len() {
            1 => Bound::of(&plan.passes[0], table, plan, now),
            _ => Bound::All(passes.collect()),
        };
        let (zone, currency_exponent) = (&now.zone, now.currency_exponent);
        Some(Self { table, plan, passes, by, first, last, first_day, last_day, zone, currency_exponent })
    }

    /// Takes out of a mask whoever surely has no row that passes.
    pub(crate) fn narrow(&self, mask: &mut Mask) {
        let rows = self.table.rows();
        if self.first_day > i64::MIN {
            rows.last_day.keep_range(self.first_day, i64::MAX, mask);
        }
        rows.some.keep(mask);
        self.passes.narrow(self.first_day, mask);
    }

    /// Whether columns do not tell of somebody: of more rows than are kept for a window of hours only the evaluator knows which are.
    pub(crate) fn is_crowded(&self, member: usize) -> bool {
        self.plan.hours.is_some() && self.table.is_crowded(member)
    }

    /// Takes those out of a mask of whom columns do not tell; they are given, if there are any.
    pub(crate) fn take_crowded(&self, mask: &mut Mask) -> Option<Mask> {
        self.plan.hours?;
        let mut crowded = Mask::none(mask.len());
        mask.retain(|member| {
            let is_crowded = self.table.is_crowded(member);
            if is_crowded {
                crowded.put(member);
            }
            !is_crowded
        });
        (!crowded.is_none()).then_some(crowded)
    }

    /// How many rows of a member pass, up to a limit, and how many were looked at.
    pub(crate) fn count(&self, member: usize, limit: i64, touched: &mut u64) -> i64 {
        let mut n = 0;
        if let (Bound::All(none), Table::Orders(_) | Table::Events(..)) = (&self.passes, self.table)
            && none.is_empty()
        {
            return self.count_all(member, limit, touched);
        }
        // Whether it broke off is in what it has counted.
        let _ = self.backwards(member, touched, |at| {
            n += i64::from(self.passes.holds(self, at));
            if n >= limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        n
    }

    /// Rows in the window where all pass: the row that would be the last one needed tells.
    pub(crate) fn count_all(&self, member: usize, limit: i64, touched: &mut u64) -> i64 {
        let rows = self.table.rows();
        let (from, mut to) = rows.of(member);
        if i64::from(rows.latest) > self.last_day {
            while to > from && self.by.get(to - 1) > self.last {
                to -= 1;
                *touched += 1;
            }
        }
        let n = i64::try_from(to - from).unwrap_or(i64::MAX);
        if self.first == i64::MIN || n == 0 {
            return n.min(limit);
        }
        let wanted = n.min(limit);
        // `limit` is at least 1.
        let at = to - usize::try_from(wanted).unwrap_or(1).max(1);
        *touched += 1;
        if self.by.get(at) >= self.first {
            return wanted;
        }
        let mut first_in = at + 1;
        while first_in < to && self.by.get(first_in) < self.first {
            first_in += 1;
            *touched += 1;
        }
        i64::try_from(to - first_in).unwrap_or(0)
    }

    /// Goes through the rows of a member in the window, the latest first.
    #[inline]
    pub(crate) fn backwards(
        &self,
        member: usize,
        touched: &mut u64,
        mut each: impl FnMut(At) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let rows = self.table.rows();
        let (from, to) = rows.of(member);
        let (items, each_item) = match self.table {
            Table::Items(orders) => (Some(orders), true),
            // Whoever asks an order itself must know where its items are.
            Table::Orders(orders) if self.plan.asks_rows => (Some(orders), false),
            _ => (None, false),
        };
        let mut end = items.map_or(0, |orders| orders.items_of(member).1);
        for row in (from..to).rev() {
            *touched += 1;
            let when = self.by.get(row);
            if when < self.first {
                break;
            }
            match items {
                Some(orders) => {
                    let begin = end - usize::try_from(orders.n_items.get(row)).unwrap_or(0);
                    if when <= self.last && !each_item {
                        each(At { row, item: begin })?;
                    } else if when <= self.last {
                        for item in (begin..end).rev() {
                            each(At { row, item })?;
                        }
                    }
                    end = begin;
                }
                None if when <= self.last => each(At { row, item: 0 })?,
                None => {}
            }
        }
        ControlFlow::Continue(())
    }

    fn int(&self, field: &Field, at: At) -> i64 {
        match (self.table, field) {
            (Table::Orders(orders), Field::Paid) => orders.paid.get(at.row),
            (Table::Items(orders), Field::Paid) => orders.paid_for(at.row, at.item),
            (Table::Items(orders), Field::Quantity) => match &orders.quantity {
                Numbers::Scaled(ints, _) => ints.get(at.item),
                Numbers::Wide(_) => 0,
            },
            _ => 0,
        }
    }

    /// Decimals of the whole numbers that are summed; `None` where they are not whole numbers of one unit.
    pub(crate) fn scale(&self) -> Option<u32> {
        match (&self.plan.value, self.table) {
            (Measured::Field(Field::Paid), Table::Orders(_) | Table::Items(_)) => {
                Some(self.currency_exponent)
            }
            (Measured::Field(Field::Quantity), Table::Items(orders)) => match &orders.quantity {
                Numbers::Scaled(_, scale) => Some(*scale),
                Numbers::Wide(_) => None,
            },
            _ => None,
        }
    }

    /// Sum of whole numbers of the rows that pass, and of how many.
    pub(crate) fn sum(&self, member: usize, touched: &mut u64) -> (i128, u64) {
        let (mut sum, mut n) = (0i128, 0);
        if let Measured::Field(field) = self.plan.value {
            let _ = self.backwards(member, touched, |at| {
                if self.passes.holds(self, at) {
                    sum += i128::from(self.int(field, at));
                    n += 1;
                }
                ControlFlow::Continue(())
            });
        }
        (sum, n)
    }

    /// What the leaf comes to for a member.
    pub(crate) fn value(&self, member: usize, touched: &mut u64) -> Value {
        match self.plan.made {
            Made::Count => Value::Number(Decimal::from(self.count(member, i64::MAX, touched))),
            Made::Gap { latest } => self.median_gap(member, latest, touched),
            Made::Sum => zhiyin_condition::value::total(self.summed(member, touched).0).to_value(),
            Made::Mean => {
                let (sum, n) = self.summed(member, touched);
                zhiyin_condition::value::mean(sum, n).to_value()
            }
            Made::First | Made::Last => {
                let pick = self.pick(member, touched);
                pick.map_or(Value::Unknown, |pick| self.measured(pick))
            }
            Made::Least | Made::Greatest => {
                let least = self.plan.made == Made::Least;
                let mut so_far = Value::Unknown;
                let _ = self.backwards(member, touched, |at| {
                    if self.passes.holds(self, at) {
                        let value = self.measured(at);
                        so_far = further(std::mem::replace(&mut so_far, Value::Unknown), value, least);
                    }
                    ControlFlow::Continue(())
                });
                so_far
            }
        }
    }

    /// A sum in units of 10⁻⁹, as conditions reckon it.
    fn summed(&self, member: usize, touched: &mut u64) -> (i128, u64) {
        if let Some(scale) = self.scale().filter(|scale| *scale <= 9) {
            let (sum, n) = self.sum(member, touched);
            return (sum * 10i128.pow(9 - scale), n);
        }
        let (mut sum, mut n) = (0, 0);
        let _ = self.backwards(member, touched, |at| {
            if self.passes.holds(self, at)
                && let Value::Number(number) = self.measured(at)
                && let Some(addend) = zhiyin_condition::value::addend(number)
            {
                sum += addend;
                n += 1;
            }
            ControlFlow::Continue(())
        });
        (sum, n)
    }

    /// What is asked of the first or last row. Rows of one instant stand in the order of their content; items of several orders
    /// of one instant do not, so there the content is asked.
    fn pick(&self, member: usize, touched: &mut u64) -> Option<At> {
        let first = self.plan.made == Made::First;
        let time = |at: &At| self.table.rows().time.get(at.row);
        let mut at_once: Vec<At> = Vec::new();
        let _ = self.backwards(member, touched, |at| {
            let another = at_once.first().is_some_and(|known| time(known) != time(&at));
            if another && !first {
                return ControlFlow::Break(());
            }
            if self.passes.holds(self, at) {
                if another {
                    at_once.clear();
                }
                at_once.push(at);
                if !first && !matches!(self.table, Table::Items(_)) {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        let pick = match (self.table, &at_once[..]) {
            (_, []) => return None,
            (_, [only]) => only,
            (Table::Items(orders), several) => {
                let key = |at: &&At| {
                    let order = orders.order(at.row, self.first_item(member, at.row));
                    zhiyin_condition::content::of_item(&order, &orders.item(at.row, at.item))
                };
                let pick =
                    if first { several.iter().min_by_key(key) } else { several.iter().max_by_key(key) };
                pick.unwrap_or(&several[0])
            }
            // The one that is last by content was met first.
            (_, [last, .., begins]) => {
                if first {
                    begins
                } else {
                    last
                }
            }
        };
        Some(*pick)
    }

    /// The column of what is asked of the first or last row, where that is the code of one.
    pub(crate) fn picked_column(&self) -> Option<&'b Coded> {
        Some(self.table.coded(self.plan.value.field()?)?.0)
    }

    /// The code that the first or last row has; 0 where there is no such row.
    pub(crate) fn picked_code(&self, member: usize, touched: &mut u64) -> u32 {
        let column = self.plan.value.field().and_then(|field| self.table.coded(field));
        match (column, self.pick(member, touched)) {
            (Some((column, true)), Some(at)) => column.code(at.item),
            (Some((column, false)), Some(at)) => column.code(at.row),
            _ => 0,
        }
    }

    /// Where the items of an order of a member begin.
    fn first_item(&self, member: usize, order: usize) -> usize {
        let Table::Items(orders) = self.table else { return 0 };
        let (from, _) = orders.rows.of(member);
        let before = (from..order).map(|row| usize::try_from(orders.n_items.get(row)).unwrap_or(0));
        orders.items_of(member).0 + before.sum::<usize>()
    }

    /// The lower median of the days between the latest distinct days with such a row.
    fn median_gap(&self, member: usize, latest: bool, touched: &mut u64) -> Value {
        let rows = self.table.rows();
        let n_days = if latest { zhiyin_condition::bounds::GAP_DAYS_MAX } else { usize::MAX };
        let mut days: Vec<Day> = Vec::new();
        let _ = self.backwards(member, touched, |at| {
            let day = rows.day_of(at.row);
            if days.last() != Some(&day) && self.passes.holds(self, at) {
                if days.len() == n_days {
                    return ControlFlow::Break(());
                }
                days.push(day);
            }
            ControlFlow::Continue(())
        });
        let gap = zhiyin_condition::median_gap(days.into_iter().rev());
        gap.map_or(Value::Unknown, |gap| Value::Number(Decimal::from(gap)))
    }

    /// What is measured of a row.
    fn measured(&self, at: At) -> Value {
        match &self.plan.value {
            Measured::Presence => Value::Unknown,
            Measured::Asked(node) => self.asked(node, at),
            Measured::Field(field) => match (field, self.table) {
                (Field::Time, table) => Value::Time(table.rows().time_of(at.row)),
                (Field::Paid, Table::Orders(_) | Table::Items(_)) => {
                    Value::Number(Decimal::new(self.int(field, at), self.currency_exponent))
                }
                (Field::Quantity, Table::Items(orders)) => {
                    Value::Number(orders.quantity.get(at.item).normalize())
                }
                (Field::Name, Table::Events(name, _)) => Value::Text((&**name).into()),
                (field, table) => match table.coded(field) {
                    Some((column, of_item)) => {
                        let place = if of_item { at.item } else { at.row };
                        let scalar = column.scalar(place);
                        scalar.map_or(Value::Unknown, |scalar| Val::of_scalar(&scalar).to_value())
                    }
                    None => Value::Unknown,
                },
            },
        }
    }

    /// Asks the row itself.
    fn asked(&self, node: &Node, at: At) -> Value {
        let ask = |row: OneRow<'_>| row.asked(node, self.zone, self.currency_exponent).to_value();
        match self.table {
            Table::Orders(orders) => ask(OneRow::Order(&orders.order(at.row, at.item))),
            Table::Items(orders) => {
                // What is asked of an item never looks at its neighbours.
                let mut order = orders.order(at.row, 0);
                order.items.clear();
                ask(OneRow::Item(&order, &orders.item(at.row, at.item)))
            }
            Table::Events(name, events) => ask(OneRow::Event(&events.event(name, at.row))),
        }
    }
}

/// The one of two values that lies further to a side; what has no measure is passed over.
fn further(a: Value, b: Value, least: bool) -> Value {
    use std::cmp::Ordering;
    let order = match (&a, &b) {
        (_, Value::Number(_) | Value::Date(_) | Value::Time(_)) if a == Value::Unknown => return b,
        (Value::Number(a), Value::Number(b)) => b.cmp(a),
        (Value::Date(a), Value::Date(b)) => b.cmp(a),
        (Value::Time(a), Value::Time(b)) => b.cmp(a),
        _ => return a,
    };
    let wanted = if least { Ordering::Less } else { Ordering::Greater };
    if order == wanted { b } else { a }
}

impl<'b> Bound<'b> {
    fn of(ask: &'b Ask<'b>, table: Table<'b>, plan: &'b LeafPlan<'b>, now: &'b Instant) -> Self {
        let inner = |ask: &'b Ask<'b>| Self::of(ask, table, plan, now);
        match ask {
            Ask::All(parts) => Self::All(parts.iter().map(inner).collect()),
            Ask::Any(parts) => Self::Any(parts.iter().map(inner).collect()),
            Ask::Not(of) => Self::Not(Box::new(inner(of))),
            Ask::Coded(field, node) => match table.coded(field) {
                Some((column, of_item)) => {
                    let of = (plan.source, &*column.dict);
                    let chosen = now.chosen(&column.dict, node, || {
                        chosen(field, node, of, &now.zone, now.currency_exponent)
                    });
                    Self::Code(column, of_item, chosen)
                }
                // Nobody in this block ever said such a thing: as for no value.
                None => {
                    let empty = crate::dict::Dict::default();
                    let of = (plan.source, &empty);
                    match chosen(field, node, of, &now.zone, now.currency_exponent) {
                        Chosen::None => Self::Never,
                        _ => Self::All(Vec::new()),
                    }
                }
            },
            Ask::Number(field, op, number) => Self::number(field, *op, *number, table, now),
            Ask::Time(times) => Self::Times(times),
            Ask::When(op, value) => {
                let (column, value) = match value {
                    Value::Date(day) => (&table.rows().day, i64::from(day.0)),
                    Value::Time(time) => (&table.rows().time, time.0),
                    _ => return Self::Never,
                };
                match (op, bounds(*op, Decimal::from(value))) {
                    (_, Some(within)) => Self::Range(column, false, within, true),
                    (Operator::NotEqual, None) => Self::Range(column, false, (value, value), false),
                    _ => Self::Never,
                }
            }
            Ask::Row(node) => Self::Row(node),
        }
    }

    fn number(field: &Field, op: Operator, number: Decimal, table: Table<'b>, now: &Instant) -> Self {
        let (column, of_item, scale) = match (table, field) {
            (Table::Orders(orders), Field::Paid) => (&orders.paid, false, now.currency_exponent),
            (Table::Items(orders), Field::Paid) => match &orders.item_paid {
                Some(paid) => (paid, true, now.currency_exponent),
                None => (&orders.paid, false, now.currency_exponent),
            },
            (Table::Items(orders), Field::Quantity) => match &orders.quantity {
                Numbers::Scaled(ints, scale) => (ints, true, *scale),
                wide @ Numbers::Wide(_) => return Self::Exact(wide, op, number),
            },
            // Such a row has no such number.
            _ => return Self::Never,
        };
        let scaled = 10u64.checked_pow(scale).and_then(|unit| Decimal::from(unit).checked_mul(number));
        // Beyond what a column holds every number lies on the same side of it.
        let fits = |scaled: &Decimal| scaled.floor().to_i64().is_some() && scaled.ceil().to_i64().is_some();
        let Some(scaled) = scaled.filter(fits) else {
            let holds = match op {
                Operator::NotEqual => true,
                Operator::Less | Operator::LessEqual => number.is_sign_positive(),
                Operator::Greater | Operator::GreaterEqual => number.is_sign_negative(),
                _ => false,
            };
            return if holds { Self::All(Vec::new()) } else { Self::Never };
        };
        match (op, bounds(op, scaled)) {
            (_, Some(within)) => Self::Range(column, of_item, within, true),
            (Operator::NotEqual, None) => match bounds(Operator::Equal, scaled) {
                Some(within) => Self::Range(column, of_item, within, false),
                None => Self::All(Vec::new()),
            },
            // A fraction of the unit equals no whole number of it; nothing lies beyond the last number there is.
            _ => Self::Never,
        }
    }

    #[inline]
    fn holds(&self, leaf: &Leaf<'_>, at: At) -> bool {
        let place = |of_item: bool| if of_item { at.item } else { at.row };
        match self {
            Self::Code(column, of_item, chosen) => chosen.has(column.code(place(*of_item))),
            Self::Range(column, of_item, (low, high), within) => {
                (*low..=*high).contains(&column.get(place(*of_item))) == *within
            }
            Self::All(parts) => parts.iter().all(|part| part.holds(leaf, at)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(leaf, at)),
            Self::Not(of) => !of.holds(leaf, at),
            Self::Never => false,
            Self::Exact(numbers, op, with) => {
                zhiyin_condition::value::satisfies(Some(numbers.get(at.item).cmp(with)), *op)
            }
            Self::Times(Times::Minutes(table)) => {
                let time = leaf.table.rows().time_of(at.row);
                let minute = leaf.zone.time_of_day_us(time) / 60_000_000;
                table.get(usize::try_from(minute).unwrap_or(usize::MAX)) == Some(&1)
            }
            Self::Times(Times::Weekdays(table)) => {
                let day = leaf.table.rows().day.get(at.row);
                table[usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0)] == 1
            }
            Self::Row(node) => leaf.asked(node, at) == Value::Bool(true),
        }
    }

    /// Takes out whoever surely has no row with a chosen value on a day or later.
    fn narrow(&self, first: i64, mask: &mut Mask) {
        match self {
            Self::All(parts) => parts.iter().for_each(|part| part.narrow(first, mask)),
            Self::Never => mask.words_mut().fill(0),
            Self::Code(column, _, chosen) if !chosen.has(0) => {
                let Some(owners) = &column.owners else { return };
                let mut any = Mask::none(mask.len());
                for (value, kept) in owners.iter().enumerate() {
                    if !u32::try_from(value + 1).is_ok_and(|code| chosen.has(code)) {
                        continue;
                    }
                    match &column.latest {
                        Some(latest) if first > i64::MIN => latest.put_since(value, kept, first, &mut any),
                        _ => kept.put_into(&mut any),
                    }
                }
                mask.and(&any);
            }
            _ => {}
        }
    }
}
