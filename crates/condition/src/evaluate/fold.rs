//! Lists at hand: tags, texts of an attribute, items of an order, lists as written; and what rows or
//! elements are folded into.

use std::ops::ControlFlow;

use rust_decimal::Decimal;

use super::{Frame, Held, Instant, Until, eval};
use crate::cell::{Side, Sum, further};
use crate::element::Element;
use crate::program::{Base, Fold, List, Step};
use crate::value::{Val, mean, total};
use zhiyin_model::scalar::Scalar;

/// What the elements so far have been folded into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folding<'a> {
    fold: Fold,
    count: u64,
    sum: Sum,
    extreme: Val<'a>,
}

impl<'a> Folding<'a> {
    pub(super) fn new(fold: Fold) -> Self {
        Self { fold, count: 0, sum: Sum::default(), extreme: Val::Unknown }
    }

    /// Takes an element in; breaks when no further one can make a difference.
    pub(super) fn take(&mut self, element: Element<'a>) -> ControlFlow<()> {
        self.count += 1;
        let Element::Value(val) = element else {
            return if self.fold == Fold::Exists {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            };
        };
        match self.fold {
            Fold::Exists => return ControlFlow::Break(()),
            Fold::Count => {}
            Fold::Sum | Fold::Mean => self.sum.add_value(val),
            Fold::Least => self.extreme = further(self.extreme, val, Side::Low),
            Fold::Greatest => self.extreme = further(self.extreme, val, Side::High),
        }
        ControlFlow::Continue(())
    }

    pub(super) fn result(self) -> Val<'a> {
        match self.fold {
            Fold::Count => Val::Number(Decimal::from(self.count)),
            Fold::Exists => Val::Bool(self.count > 0),
            Fold::Sum => total(self.sum.sum),
            Fold::Mean => mean(self.sum.sum, self.sum.known),
            Fold::Least | Fold::Greatest => self.extreme,
        }
    }
}

impl<'a> Instant<'a> {
    /// What an element becomes after steps (`None` if one leaves it out), and until when that is so.
    pub(super) fn steps(
        &self,
        steps: &'a [Step],
        mut element: Element<'a>,
        outer: Option<&Frame<'_, 'a>>,
    ) -> (Option<Element<'a>>, Until) {
        let mut until = Until::EVER;
        for step in steps {
            let held = eval(self, step.body(), Some(&Frame::within(element, outer)));
            until = self.sooner(until, held.until);
            match step {
                // That it is left out depends on this step alone, whatever the steps before held.
                Step::Filter(_) if !held.val.is_true() => return (None, until),
                Step::Filter(_) => {}
                Step::Map(_) => element = Element::Value(held.val),
            }
        }
        (Some(element), until)
    }

    pub(super) fn local(&self, list: &'a List, fold: Fold, frame: Option<&Frame<'_, 'a>>) -> Held<'a> {
        let mut folding = Folding::new(fold);
        let mut until = Until::EVER;
        // What is written in a list may itself change: `there` is until when it is what it is.
        let mut take = |element: Element<'a>, there: Until| {
            let (element, holds) = self.steps(&list.steps, element, frame);
            let holds = self.sooner(holds, there);
            match element {
                Some(element) => {
                    let flow = folding.take(element);
                    // One element decides `exists`, for as long as it is there.
                    until = if flow.is_break() { holds } else { self.sooner(until, holds) };
                    flow
                }
                None => {
                    until = self.sooner(until, holds);
                    ControlFlow::Continue(())
                }
            }
        };
        // Whether it broke off is in what it has taken.
        let _ = match &list.base {
            Base::Tags => self.facts().map_or(ControlFlow::Continue(()), |facts| {
                facts.tags().try_for_each(|tag| take(Element::Value(Val::Text(tag)), Until::EVER))
            }),
            Base::Dependants => self.facts().map_or(ControlFlow::Continue(()), |facts| {
                facts.dependants().try_for_each(|one| take(Element::Dependant(one), Until::EVER))
            }),
            Base::Texts(name) => match self.facts().and_then(|facts| facts.attribute(name)) {
                Some(Scalar::Texts(texts)) => {
                    texts.iter().try_for_each(|text| take(Element::Value(Val::Text(text)), Until::EVER))
                }
                _ => ControlFlow::Continue(()),
            },
            Base::Items(of) => match self.element(*of, frame) {
                Some(Element::Order(order)) => {
                    order.items.iter().try_for_each(|item| take(Element::Item(order, item), Until::EVER))
                }
                Some(Element::Cart(cart)) => {
                    cart.items.iter().try_for_each(|item| take(Element::CartItem(item), Until::EVER))
                }
                _ => ControlFlow::Continue(()),
            },
            Base::Values(values) => values.iter().try_for_each(|value| {
                let held = eval(self, value, frame);
                take(Element::Value(held.val), held.until)
            }),
        };
        Held { val: folding.result(), until }
    }
}
