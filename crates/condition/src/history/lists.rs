//! Lists of the reference evaluator: every list is gone through whole.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Day, HOUR_US, Ts};

use super::{Datum, Member, Reading, Scope, Thing};
use crate::bounds::{GAP_DAYS_MAX, KEPT_ROWS_MAX};
use crate::element::Element;
use crate::inline::{Inlined, named};
use crate::tree::{Each, Expr, Kind, Operator};
use crate::value::{Val, addend, mean, total};

/// A list, as it is made: where its elements come from, what is done to them in turn, and through which
/// windows they are seen.
struct Making<'a> {
    source: &'a Expr,
    steps: Vec<Doing<'a>>,
    days: Option<i64>,
    hours: Option<i64>,
}

/// What is done to each element.
enum Doing<'a> {
    Each(Each, &'a str, &'a Expr),
    /// Left out unless it equals this.
    Equals(&'a Expr),
}

impl<'a> Making<'a> {
    fn of(mut expr: &'a Expr) -> Self {
        let (mut steps, mut days, mut hours) = (Vec::new(), None, None);
        let least = |known: Option<i64>, new: i64| Some(known.map_or(new, |known| known.min(new)));
        loop {
            expr = match &expr.kind {
                Kind::Each { of, step, variable, body } => {
                    steps.push(Doing::Each(*step, variable, body));
                    of
                }
                Kind::Call { function, arguments } if function == "within" && arguments.len() == 2 => {
                    if let Kind::Text(window) = &arguments[1].kind {
                        let n = window[..window.len() - 1].parse().unwrap_or(0);
                        match window.ends_with('d') {
                            true => days = least(days, n),
                            false => hours = least(hours, n),
                        }
                    }
                    &arguments[0]
                }
                _ => break,
            };
        }
        steps.reverse();
        Self { source: expr, steps, days, hours }
    }

    /// How many of the first steps depend on the row alone.
    fn n_early(&self, inlined: &Inlined) -> usize {
        let early = |step: &&Doing<'_>| match step {
            Doing::Each(_, variable, body) => of_row(body, &mut vec![variable], inlined),
            Doing::Equals(needle) => of_row(needle, &mut Vec::new(), inlined),
        };
        self.steps.iter().take_while(early).count()
    }
}

/// Whether an expression speaks of nothing but these variables and constants.
fn of_row<'a>(expr: &'a Expr, variables: &mut Vec<&'a str>, inlined: &'a Inlined) -> bool {
    match &expr.kind {
        Kind::Name(name) => variables.contains(&name.as_str()),
        Kind::Call { function, .. } if function == "audience" => {
            let tree = named(expr).and_then(|name| inlined.get(name));
            tree.is_some_and(|tree| of_row(tree, &mut Vec::new(), inlined))
        }
        Kind::Call { function, .. }
            if matches!(function.as_str(), "days_since" | "events" | "consent" | "bucket") =>
        {
            false
        }
        Kind::Each { of, variable, body, .. } => {
            let outside = of_row(of, variables, inlined);
            variables.push(variable);
            let inside = of_row(body, variables, inlined);
            variables.pop();
            outside && inside
        }
        _ => expr.parts().into_iter().all(|part| of_row(part, variables, inlined)),
    }
}

impl<'a> Reading<'a> {
    /// A list; of `exists` the elements for which it holds, of `all` those for which it does not.
    pub(super) fn list(&'a self, expr: &'a Expr, scope: &Scope<'_, 'a>) -> Vec<Member<'a>> {
        self.made(&Making::of(expr), scope)
    }

    /// Whether an element of a list equals a value.
    pub(super) fn members_equal_to(
        &'a self,
        needle: &'a Expr,
        list: &'a Expr,
        scope: &Scope<'_, 'a>,
    ) -> bool {
        let mut making = Making::of(list);
        making.steps.push(Doing::Equals(needle));
        !self.made(&making, scope).is_empty()
    }

    fn made(&'a self, making: &Making<'a>, scope: &Scope<'_, 'a>) -> Vec<Member<'a>> {
        let Some(rows) = self.history_rows(making.source, scope) else {
            let members = self.at_hand(making.source, scope);
            return self.after(members, &making.steps, scope);
        };
        let n_early = making.n_early(self.condition.inlined());
        let (early, late) = making.steps.split_at(n_early);
        let mut rows = self.after(rows, early, scope);
        rows.sort_by_key(|row| row.place);
        if !late.is_empty() || making.hours.is_some() {
            rows.drain(..rows.len().saturating_sub(KEPT_ROWS_MAX));
        }
        rows.retain(|row| self.sees(making, row.place.0));
        self.after(rows, late, scope)
    }

    fn sees(&self, making: &Making<'_>, time: Ts) -> bool {
        let days_since = i64::from(self.today.0) - i64::from(self.history.zone.day(time).0);
        let by_days = making.days.is_none_or(|days| (0..=days).contains(&days_since));
        let elapsed = self.now.0 - time.0;
        by_days && making.hours.is_none_or(|hours| (0..=hours * HOUR_US).contains(&elapsed))
    }

    /// Rows of history, if that is what a source is.
    fn history_rows(&'a self, source: &'a Expr, scope: &Scope<'_, 'a>) -> Option<Vec<Member<'a>>> {
        let row = |row: Element<'a>| Member {
            place: (row.time().unwrap_or_default(), row.key()),
            thing: Thing::Row(row),
        };
        let orders = self.history.orders;
        match &source.kind {
            Kind::Name(name) if scope.find(name).is_some() => None,
            Kind::Name(name) if name == "orders" => {
                Some(orders.iter().map(Element::Order).map(row).collect())
            }
            Kind::Name(name) if name == "items" => {
                let items = |order: &'a crate::row::OrderRow| {
                    order.items.iter().map(move |item| Element::Item(order, item))
                };
                Some(orders.iter().flat_map(items).map(row).collect())
            }
            Kind::Call { function, arguments } if function == "events" => {
                let Kind::Text(name) = &arguments.first()?.kind else {
                    return None;
                };
                let events = self.history.events.iter().filter(|event| *event.name == **name);
                Some(events.map(Element::Event).map(row).collect())
            }
            _ => None,
        }
    }

    /// A list that is no history.
    fn at_hand(&'a self, source: &'a Expr, scope: &Scope<'_, 'a>) -> Vec<Member<'a>> {
        let member = |thing: Thing<'a>| Member { place: (Ts(0), 0), thing };
        let text = |text: &'a str| member(Thing::val(Val::Text(text)));
        match &source.kind {
            Kind::List(parts) => parts.iter().map(|part| member(self.eval(part, scope))).collect(),
            Kind::Name(name) if name == "tags" && scope.find(name).is_none() => {
                self.facts.tags().map(text).collect()
            }
            Kind::Name(name) if name == "dependants" && scope.find(name).is_none() => {
                let row = |one| member(Thing::Row(Element::Dependant(one)));
                self.facts.dependants().map(row).collect()
            }
            Kind::Field { of, name } if matches!(&of.kind, Kind::Name(attr) if attr == "attr") => {
                match self.facts.attribute(name) {
                    Some(Scalar::Texts(texts)) => texts.iter().map(|it| text(it)).collect(),
                    _ => Vec::new(),
                }
            }
            Kind::Field { of, name } if name == "items" => match self.eval(of, scope) {
                Thing::Row(Element::Cart(cart)) => {
                    let row = |item| member(Thing::Row(Element::CartItem(item)));
                    cart.items.iter().map(row).collect()
                }
                Thing::Row(Element::Order(order)) => {
                    order.items.iter().map(|item| member(Thing::Row(Element::Item(order, item)))).collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn after(
        &'a self,
        members: Vec<Member<'a>>,
        steps: &[Doing<'a>],
        scope: &Scope<'_, 'a>,
    ) -> Vec<Member<'a>> {
        let one = |mut member: Member<'a>| {
            for step in steps {
                let (each, variable, body) = match step {
                    Doing::Each(each, variable, body) => (*each, *variable, *body),
                    Doing::Equals(needle) => {
                        let needle = self.scalar(needle, scope);
                        match &member.thing {
                            Thing::Scalar(datum) if self.equal(*datum, needle) => continue,
                            _ => return None,
                        }
                    }
                };
                let inner = Scope::Macro { name: variable, thing: member.thing.clone(), around: scope };
                let thing = self.eval(body, &inner);
                match each {
                    Each::Map => member.thing = thing,
                    Each::Filter | Each::Exists if !thing.is_true() => return None,
                    Each::All if thing.is_true() => return None,
                    _ => {}
                }
            }
            Some(member)
        };
        members.into_iter().filter_map(one).collect()
    }

    /// `size(list)` and its like.
    pub(super) fn fold(&'a self, function: &str, list: &'a Expr, scope: &Scope<'_, 'a>) -> Thing<'a> {
        let members = self.list(list, scope);
        let val = |member: &Member<'a>| match member.thing {
            Thing::Scalar(Datum { val, .. }) => val,
            _ => Val::Unknown,
        };
        match function {
            "size" => Thing::number(members.len()),
            "sum" | "avg" => {
                let number = |member: &Member<'a>| match val(member) {
                    Val::Number(number) => addend(number),
                    _ => None,
                };
                let addends: Vec<i128> = members.iter().filter_map(number).collect();
                let sum = addends.iter().sum();
                Thing::val(if function == "sum" { total(sum) } else { mean(sum, addends.len() as u64) })
            }
            "min" | "max" => {
                let wanted = if function == "min" { Operator::Less } else { Operator::Greater };
                let measured = |val: &Val<'a>| matches!(val, Val::Number(_) | Val::Date(_) | Val::Time(_));
                let better = |best: Val<'a>, val: Val<'a>| {
                    let wins = crate::value::satisfies(val.order(best, self.history.zone), wanted);
                    if wins { val } else { best }
                };
                Thing::val(members.iter().map(val).filter(measured).reduce(better).unwrap_or(Val::Unknown))
            }
            "first" => {
                members.into_iter().min_by_key(|member| member.place).map_or(Thing::UNKNOWN, |it| it.thing)
            }
            "last" => {
                members.into_iter().max_by_key(|member| member.place).map_or(Thing::UNKNOWN, |it| it.thing)
            }
            "median_gap" => self.median_gap(&members),
            _ => Thing::UNKNOWN,
        }
    }

    fn median_gap(&self, members: &[Member<'_>]) -> Thing<'a> {
        let days: BTreeSet<Day> =
            members.iter().map(|member| self.history.zone.day(member.place.0)).collect();
        let latest: Vec<Day> = days.into_iter().rev().take(GAP_DAYS_MAX).collect();
        let mut gaps: Vec<i32> = latest.windows(2).map(|pair| pair[0].0 - pair[1].0).collect();
        gaps.sort_unstable();
        match gaps.len() {
            0 => Thing::UNKNOWN,
            n => Thing::number(Decimal::from(gaps[(n - 1) / 2])),
        }
    }
}
