//! The leaves of a playbook: all questions about history that its conditions ask, each once.

use std::collections::BTreeSet;

use zhiyin_model::id::IdKey;
use zhiyin_model::time::Zone;

use crate::cell::Entry;
use crate::condition::Condition;
use crate::element::Element;
use crate::evaluate::{Frame, Instant, eval};
use crate::program::{LeafSpec, Node, Source, Step};
use crate::row::{EventRow, ItemRow, OrderRow, Row};
use crate::state::{LeafStates, PRESENT, Retract};
use crate::value::Val;

/// All history leaves of a playbook, each once. Conditions of which one window holds the other share a leaf.
#[derive(Clone, Debug)]
pub struct Leaves {
    specs: Vec<LeafSpec>,
    zone: Zone,
    currency_exponent: u32,
}

impl Leaves {
    /// Collects the leaves of conditions and binds each condition to them: a condition is evaluated with
    /// the leaves that it was collected into last.
    pub fn collect<'c>(
        conditions: impl IntoIterator<Item = &'c mut Condition>,
        zone: Zone,
        currency_exponent: u32,
    ) -> Self {
        let mut specs: Vec<LeafSpec> = Vec::new();
        for condition in conditions {
            let bound = condition.leaves().iter().map(|spec| place(&mut specs, spec)).collect();
            condition.bind(bound);
        }
        Self { specs, zone, currency_exponent }
    }

    /// The states of a member without history.
    pub fn fresh(&self) -> LeafStates {
        LeafStates::fresh(&self.specs)
    }

    /// Names of the events that conditions count: others need not be shown to [`LeafStates::observe`].
    pub fn events_used(&self) -> BTreeSet<String> {
        let name = |spec: &LeafSpec| match &spec.source {
            Source::Events(name) => Some(name.to_string()),
            Source::Orders | Source::Items => None,
        };
        self.specs.iter().filter_map(name).collect()
    }

    /// Changes when states kept under it must be made again from history: with the leaves, the zone or the
    /// currency. It may also change with a version of this crate.
    pub fn fingerprint(&self) -> [u8; 16] {
        // No secret: the key only keeps this hash apart from others.
        let key = IdKey::from_bytes([0; 32]);
        let exponent = self.currency_exponent.to_string();
        let specs: Vec<String> = self.specs.iter().map(|spec| format!("{spec:?}")).collect();
        let mut parts: Vec<&[u8]> = vec![self.zone.name().as_bytes(), exponent.as_bytes()];
        parts.extend(specs.iter().map(String::as_bytes));
        key.digest("leaves", &parts)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.specs.len()
    }

    /// Whether no condition asks about history.
    pub fn is_empty(&self) -> bool {
        self.specs.is_empty()
    }

    /// The zone of days.
    pub const fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Minor digits of the currency.
    pub const fn currency_exponent(&self) -> u32 {
        self.currency_exponent
    }

    pub(crate) fn specs(&self) -> &[LeafSpec] {
        &self.specs
    }

    /// Goes through all that a row is to the leaves: an order is one row to leaves of orders and one per
    /// item to leaves of items. Stops at the first that answers [`Retract::Rebuild`].
    pub(crate) fn entries<'a>(
        &'a self,
        row: Row<'a>,
        each: &mut dyn FnMut(usize, &'a LeafSpec, &Entry<'a>) -> Retract,
    ) -> Retract {
        let ctx = Instant::of_row(&self.zone, self.currency_exponent);
        let day = self.zone.day(row.time());
        for (number, spec) in self.specs.iter().enumerate() {
            let mut enter = |row: Element<'a>| {
                let Some(element) = after_steps(&ctx, &spec.steps, row) else {
                    return Retract::Done;
                };
                let value = match spec.measure.node() {
                    Some(node) => eval(&ctx, node, Some(&Frame::around(element))).val,
                    None => PRESENT,
                };
                let time = row.time().unwrap_or_default();
                each(number, spec, &Entry { time, day, row, element, value })
            };
            let done = match (&spec.source, row) {
                (Source::Orders, Row::Order(order)) => enter(Element::Order(order)),
                (Source::Items, Row::Order(order)) => {
                    let items = order.items.iter().map(|item| Element::Item(order, item));
                    items.map(enter).find(|done| *done == Retract::Rebuild).unwrap_or(Retract::Done)
                }
                (Source::Events(name), Row::Event(event)) if **name == *event.name => {
                    enter(Element::Event(event))
                }
                _ => Retract::Done,
            };
            if done == Retract::Rebuild {
                return done;
            }
        }
        Retract::Done
    }

    /// What a slot keeps of a row.
    pub(crate) fn slot<'a>(&'a self, slot: &'a Node, entry: &Entry<'a>) -> Val<'a> {
        let ctx = Instant::of_row(&self.zone, self.currency_exponent);
        eval(&ctx, slot, Some(&Frame::around(entry.element))).val
    }
}

/// One row, as leaves of orders, of items or of events look at it.
#[derive(Clone, Copy, Debug)]
pub enum OneRow<'a> {
    /// An order.
    Order(&'a OrderRow),
    /// An item of an order.
    Item(&'a OrderRow, &'a ItemRow),
    /// An event.
    Event(&'a EventRow),
}

impl<'a> OneRow<'a> {
    const fn element(self) -> Element<'a> {
        match self {
            Self::Order(order) => Element::Order(order),
            Self::Item(order, item) => Element::Item(order, item),
            Self::Event(event) => Element::Event(event),
        }
    }

    /// What is asked of the row alone, as variable 0.
    pub fn asked(self, node: &'a Node, zone: &'a Zone, currency_exponent: u32) -> Val<'a> {
        let ctx = Instant::of_row(zone, currency_exponent);
        eval(&ctx, node, Some(&Frame::around(self.element()))).val
    }

    /// What a leaf measures of the row, [`Val::Unknown`] where only its being there counts; `None` where its steps leave
    /// the row out.
    pub fn measured(self, spec: &'a LeafSpec, zone: &'a Zone, currency_exponent: u32) -> Option<Val<'a>> {
        let ctx = Instant::of_row(zone, currency_exponent);
        let element = after_steps(&ctx, &spec.steps, self.element())?;
        let node = spec.measure.node();
        Some(node.map_or(PRESENT, |node| eval(&ctx, node, Some(&Frame::around(element))).val))
    }
}

/// What a row has become after steps that depend on it alone; `None` if one left it out.
fn after_steps<'a>(ctx: &Instant<'a>, steps: &'a [Step], row: Element<'a>) -> Option<Element<'a>> {
    let mut element = row;
    for step in steps {
        let val = eval(ctx, step.body(), Some(&Frame::around(element))).val;
        match step {
            Step::Filter(_) if !val.is_true() => return None,
            Step::Filter(_) => {}
            Step::Map(_) => element = Element::Value(val),
        }
    }
    Some(element)
}

/// The number of a leaf among all; a leaf that differs only by a longer window of days serves both.
fn place(specs: &mut Vec<LeafSpec>, new: &LeafSpec) -> usize {
    let widens = |known: &LeafSpec| {
        known.window.days.is_some() && new.window.days.is_some() && known.window.hours == new.window.hours
    };
    let known = specs.iter().position(|known| {
        known.source == new.source
            && known.steps == new.steps
            && known.measure == new.measure
            && (known.window == new.window || widens(known))
    });
    match known {
        Some(number) => {
            specs[number].window.days = specs[number].window.days.max(new.window.days);
            number
        }
        None => {
            specs.push(new.clone());
            specs.len() - 1
        }
    }
}
