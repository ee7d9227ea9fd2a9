//! What a leaf of history asks of rows, over their columns.

use std::sync::Arc;

use rust_decimal::Decimal;
use zhiyin_condition::program::{
    Element, Field, Fold, LeafUse, Measure, Node, RowsFold, Source, Step, View, Window,
};
use zhiyin_condition::tree::Operator;
use zhiyin_condition::value::Value;
use zhiyin_condition::{Condition, EventRow, ItemRow, OneRow, OrderRow};
use zhiyin_model::money::Money;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Ts, Zone};

use crate::coded::Chosen;

/// What a leaf asks, ready for any block.
#[derive(Debug)]
pub(crate) struct LeafPlan<'c> {
    pub(crate) source: &'c Source,
    /// The window's days.
    pub(crate) days: Option<u32>,
    /// The window's hours: it has days or hours.
    pub(crate) hours: Option<u32>,
    /// What is made of the rows.
    pub(crate) made: Made,
    /// What rows must pass.
    pub(crate) passes: Vec<Ask<'c>>,
    /// What is measured of those that do.
    pub(crate) value: Measured<'c>,
    /// Whether rows themselves are asked.
    pub(crate) asks_rows: bool,
}

/// What is made of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    Count,
    Sum,
    Mean,
    Least,
    Greatest,
    First,
    Last,
    /// The median gap; of the latest days alone, where there is no window.
    Gap {
        latest: bool,
    },
}

/// What is measured of a row.
#[derive(Debug, PartialEq)]
pub(crate) enum Measured<'c> {
    /// That it is there.
    Presence,
    /// A field.
    Field(&'c Field),
    /// Something worked out of the row.
    Asked(&'c Node),
}

impl<'c> Measured<'c> {
    /// The field, if it is one.
    pub(crate) const fn field(&self) -> Option<&'c Field> {
        match self {
            Self::Field(field) => Some(field),
            Self::Presence | Self::Asked(_) => None,
        }
    }
}

/// A yes or no of a row.
#[derive(Debug)]
pub(crate) enum Ask<'c> {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// Of one field that is coded.
    Coded(&'c Field, &'c Node),
    /// Of one field that is a number, compared with a constant.
    Number(&'c Field, Operator, Decimal),
    /// Of the time of day or the weekday alone.
    Time(Times),
    /// Of when, compared with an instant, or its day with a day.
    When(Operator, Value),
    /// Of more than that: the row itself is asked.
    Row(&'c Node),
}

/// For which times of day and weekdays something holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Times {
    /// A 1 for each minute of the day for which it holds.
    Minutes(Arc<[u8]>),
    /// A 1 for each weekday, Monday first.
    Weekdays([u8; 7]),
}

impl<'c> LeafPlan<'c> {
    /// `None` where columns cannot tell: what is asked of rows depends on more than each of them.
    pub(crate) fn of(condition: &'c Condition, leaf: &'c LeafUse) -> Option<Self> {
        let spec = &condition.leaves()[usize::from(leaf.leaf)];
        let window = leaf.window;
        let (made, node) = match (&spec.measure, &leaf.view) {
            (Measure::Count, View::Plain) => (Made::Count, None),
            (Measure::Count, View::MedianGap) => (Made::Gap { latest: false }, None),
            (Measure::Gaps, View::MedianGap) => (Made::Gap { latest: true }, None),
            (Measure::Sum(of), View::Plain) => (Made::Sum, Some(of)),
            (Measure::Sum(of), View::Mean) => (Made::Mean, Some(of)),
            (Measure::Least(of), View::Plain) => (Made::Least, Some(of)),
            (Measure::Greatest(of), View::Plain) => (Made::Greatest, Some(of)),
            (Measure::First(of), View::Plain) => (Made::First, Some(of)),
            (Measure::Last(of), View::Plain) => (Made::Last, Some(of)),
            // Rows are kept for a window of hours too, though nothing more than each of them be asked.
            (Measure::Rows(slots), View::Rows(late, fold)) if window.hours.is_some() => {
                made_of_kept(slots, late, fold)?
            }
            _ => return None,
        };
        if window.hours.is_some() && window.days.is_some() {
            return None;
        }
        let n_filters = spec.steps.iter().take_while(|step| matches!(step, Step::Filter(_))).count();
        let (filters, rest) = spec.steps.split_at(n_filters);
        let mapped = match rest {
            [] => None,
            [Step::Map(of)] => Some(of),
            _ => return None,
        };
        let measured = match (node, mapped) {
            (None, _) => Measured::Presence,
            // Of what a row was mapped to, that itself.
            (Some(Node::Variable(0)), Some(of)) => asked(of),
            (Some(_), Some(_)) => return None,
            (Some(of), None) => asked(of),
        };
        let passes: Vec<Ask<'c>> = filters.iter().map(|step| Ask::of(step.body())).collect();
        let asks_rows = matches!(measured, Measured::Asked(_)) || passes.iter().any(Ask::asks_rows);
        let Window { days, hours } = window;
        Some(Self { source: &spec.source, days, hours, made, passes, value: measured, asks_rows })
    }

    /// Whether what it comes to is the code of one row.
    pub(crate) fn picks_a_code(&self) -> bool {
        let coded = matches!(
            self.value,
            Measured::Field(
                Field::Store
                    | Field::Channel
                    | Field::Product
                    | Field::Category
                    | Field::Department
                    | Field::Property(_)
            )
        );
        coded && matches!(self.made, Made::First | Made::Last)
    }

    /// Whether it sums a column of whole numbers.
    pub(crate) fn sums(&self, _currency_exponent: u32) -> bool {
        matches!(self.value, Measured::Field(Field::Paid | Field::Quantity))
            && matches!(self.source, Source::Orders | Source::Items)
    }
}

/// What is made of kept rows, and of what of each, where that is asked of each row alone.
fn made_of_kept<'c>(
    slots: &'c [Node],
    late: &'c [Step],
    fold: &'c RowsFold,
) -> Option<(Made, Option<&'c Node>)> {
    let told = |node: &'c Node| match node {
        Node::Slot(0, slot) => slots.get(usize::from(*slot)),
        Node::Field(Element::Variable(0), Field::Time) => Some(node),
        _ => None,
    };
    Some(match (late, fold) {
        ([], RowsFold::Fold(Fold::Count | Fold::Exists)) => (Made::Count, None),
        ([], RowsFold::MedianGap) => (Made::Gap { latest: false }, None),
        ([], RowsFold::First(of)) => (Made::First, Some(told(of)?)),
        ([], RowsFold::Last(of)) => (Made::Last, Some(told(of)?)),
        ([Step::Map(of)], RowsFold::Fold(fold)) => {
            let made = match fold {
                Fold::Sum => Made::Sum,
                Fold::Mean => Made::Mean,
                Fold::Least => Made::Least,
                Fold::Greatest => Made::Greatest,
                Fold::Count | Fold::Exists => return None,
            };
            (made, Some(told(of)?))
        }
        _ => return None,
    })
}

fn asked(node: &Node) -> Measured<'_> {
    match node {
        Node::Field(Element::Variable(0), field) => Measured::Field(field),
        other => Measured::Asked(other),
    }
}

impl<'c> Ask<'c> {
    fn asks_rows(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::asks_rows),
            Self::Not(of) => of.asks_rows(),
            Self::Row(_) => true,
            Self::Coded(..) | Self::Number(..) | Self::Time(_) | Self::When(..) => false,
        }
    }

    fn of(node: &'c Node) -> Self {
        match node {
            Node::And(parts) => Self::All(parts.iter().map(Self::of).collect()),
            Node::Or(parts) => Self::Any(parts.iter().map(Self::of).collect()),
            Node::Not(of) => Self::Not(Box::new(Self::of(of))),
            _ => Self::single(node).unwrap_or(Self::Row(node)),
        }
    }

    fn single(node: &'c Node) -> Option<Self> {
        let mut fields = Vec::new();
        fields_of(node, &mut fields)?;
        let [first, rest @ ..] = &fields[..] else { return None };
        if rest.iter().any(|field| field != first) {
            return None;
        }
        match first {
            Field::Store
            | Field::Channel
            | Field::Product
            | Field::Category
            | Field::Department
            | Field::Property(_) => Some(Self::Coded(first, node)),
            Field::Paid | Field::Quantity => match node {
                Node::Compare(op, sides) => match &**sides {
                    [Node::Field(..), Node::Const(Value::Number(number))] => {
                        Some(Self::Number(first, *op, *number))
                    }
                    [Node::Const(Value::Number(number)), Node::Field(..)] => {
                        Some(Self::Number(first, op.mirrored(), *number))
                    }
                    _ => None,
                },
                _ => None,
            },
            Field::Time => match node {
                Node::Compare(op, sides) => match &**sides {
                    [Node::Field(..), Node::Const(value @ (Value::Date(_) | Value::Time(_)))] => {
                        Some(Self::When(*op, value.clone()))
                    }
                    [Node::Const(value @ (Value::Date(_) | Value::Time(_))), Node::Field(..)] => {
                        Some(Self::When(op.mirrored(), value.clone()))
                    }
                    _ => Times::of(node).map(Self::Time),
                },
                _ => Times::of(node).map(Self::Time),
            },
            _ => None,
        }
    }
}

/// The fields of the row that a node reads; `None` where it reads anything else.
fn fields_of<'c>(node: &'c Node, fields: &mut Vec<&'c Field>) -> Option<()> {
    match node {
        Node::Field(Element::Variable(0), field) => fields.push(field),
        Node::Const(_)
        | Node::Known(_)
        | Node::Not(_)
        | Node::Negate(_)
        | Node::And(_)
        | Node::Or(_)
        | Node::If(_)
        | Node::Compare(..)
        | Node::Reckon(..)
        | Node::Among(_)
        | Node::TextTest(..)
        | Node::DaysSince(_)
        | Node::Hour(_)
        | Node::Weekday(_)
        | Node::Clock(_) => {}
        _ => return None,
    }
    // Days since something are counted from the instant of asking.
    if matches!(node, Node::DaysSince(_)) {
        return None;
    }
    node.parts().iter().try_for_each(|part| fields_of(part, fields))
}

impl Times {
    /// What holds of times by their time of day alone, or by their weekday alone.
    fn of(node: &Node) -> Option<Self> {
        let (mut clocks, mut weekdays) = (true, true);
        reads_time_by(node, &mut clocks, &mut weekdays);
        let utc = Zone::utc();
        let holds = |time: Ts| {
            let order = dummy_order(time);
            u8::from(OneRow::Order(&order).asked(node, &utc, 0).is_true())
        };
        match (clocks, weekdays) {
            (true, false) => {
                Some(Self::Minutes((0..1440).map(|minute| holds(Ts(minute * 60_000_000))).collect()))
            }
            // 1970-01-05 was a Monday.
            (false, true) => Some(Self::Weekdays(std::array::from_fn(|day| {
                holds(Ts((4 + i64::try_from(day).unwrap_or(0)) * zhiyin_model::time::DAY_US))
            }))),
            _ => None,
        }
    }
}

/// Whether a node reads times by the clock only, or by the weekday only.
fn reads_time_by(node: &Node, clocks: &mut bool, weekdays: &mut bool) {
    match node {
        Node::Hour(of) | Node::Clock(of) if matches!(**of, Node::Field(..)) => *weekdays = false,
        Node::Weekday(of) if matches!(**of, Node::Field(..)) => *clocks = false,
        Node::Field(..) => {
            (*clocks, *weekdays) = (false, false);
        }
        _ => node.parts().iter().for_each(|part| reads_time_by(part, clocks, weekdays)),
    }
}

fn dummy_order(time: Ts) -> OrderRow {
    OrderRow { time, paid: Money::ZERO, store: None, channel: None, items: Vec::new() }
}

/// Which codes of a dictionary pass, asked of a row that has nothing but this field.
pub(crate) fn chosen(
    field: &Field,
    node: &Node,
    (source, dict): (&Source, &crate::dict::Dict),
    zone: &Zone,
    currency_exponent: u32,
) -> Chosen {
    if let Some(chosen) = by_search(node, dict) {
        return chosen;
    }
    let mut table = Vec::with_capacity(dict.len() + 1);
    for place in std::iter::once(None).chain((0..dict.len()).map(Some)) {
        let scalar = place.and_then(|place| dict.scalar(place));
        let text = scalar.as_ref().and_then(Scalar::text).map(Arc::<str>::from);
        let mut order = dummy_order(Ts(0));
        let mut item = ItemRow {
            product: "".into(),
            category: None,
            department: None,
            quantity: Decimal::ZERO,
            paid: Money::ZERO,
        };
        let mut event = EventRow {
            name: "".into(),
            time: Ts(0),
            store: None,
            channel: None,
            properties: Default::default(),
        };
        match field {
            Field::Store => (order.store, event.store) = (text.clone(), text),
            Field::Channel => (order.channel, event.channel) = (text.clone(), text),
            Field::Product => item.product = text.unwrap_or_else(|| "".into()),
            Field::Category => item.category = text,
            Field::Department => item.department = text,
            Field::Property(name) => {
                event.properties.extend(scalar.map(|scalar| (name.to_string(), scalar)));
            }
            _ => {}
        }
        let row = match source {
            Source::Orders => OneRow::Order(&order),
            Source::Items => OneRow::Item(&order, &item),
            Source::Events(_) => OneRow::Event(&event),
        };
        table.push(u8::from(row.asked(node, zone, currency_exponent).is_true()));
    }
    Chosen::of(table)
}

/// `field == "text"` in a dictionary of texts needs no asking.
pub(crate) fn by_search(node: &Node, dict: &crate::dict::Dict) -> Option<Chosen> {
    let code = |value: &Node| match value {
        Node::Const(Value::Text(text)) => Some(dict.code_of_text(text)),
        _ => None,
    };
    let is_read =
        |node: &Node| matches!(node, Node::Field(..) | Node::Attribute(..) | Node::Member(_) | Node::Leaf(_));
    let mut codes: Vec<u32> = match node {
        Node::Compare(Operator::Equal, sides) => match &**sides {
            [of, value] | [value, of] if is_read(of) && code(value).is_some() => {
                code(value).into_iter().flatten().collect()
            }
            _ => return None,
        },
        Node::Among(parts) if parts.first().is_some_and(is_read) => {
            parts[1..].iter().map(code).collect::<Option<Vec<_>>>()?.into_iter().flatten().collect()
        }
        _ => return None,
    };
    codes.sort_unstable();
    codes.dedup();
    Some(match codes[..] {
        [] => Chosen::None,
        [only] => Chosen::Range(only, only),
        [first, .., last] if (last - first) as usize + 1 == codes.len() => Chosen::Range(first, last),
        _ => {
            let mut table = vec![0; dict.len() + 1];
            codes.iter().for_each(|code| table[*code as usize] = 1);
            Chosen::Table(table.into())
        }
    })
}
