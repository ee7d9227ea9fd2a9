//! The reference evaluator: walks the tree over the whole history, with no leaves, no states and no
//! program. It says what the language means; the evaluator in [`evaluate`](mod@crate::evaluate) must agree with it. Good
//! for tests and previews, too slow for decisions.

mod lists;
mod scalars;

use rust_decimal::Decimal;
use zhiyin_model::time::{Day, HOUR_US, Ts, Zone};

use crate::condition::Condition;
use crate::element::Element;
use crate::facts::{Facts, Judged};
use crate::row::{EventRow, OrderRow};
use crate::tree::{Expr, Kind};
use crate::value::Val;

/// The whole history of a member.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// Orders that count, in any order.
    pub orders: &'a [OrderRow],
    /// Events, in any order.
    pub events: &'a [EventRow],
    /// The zone of days.
    pub zone: &'a Zone,
    /// Minor digits of the currency.
    pub currency_exponent: u32,
}

/// Evaluates over the whole history. [`Facts::leaves`] is not asked. The *until* is honest but short: the
/// next day, or less where the condition speaks of hours.
pub fn evaluate_history(condition: &Condition, facts: &dyn Facts, history: &History<'_>, now: Ts) -> Judged {
    let today = history.zone.day(now);
    let reading = Reading { condition, facts, history, now, today };
    let value = match reading.eval(condition.tree(), &Scope::Outermost) {
        Thing::Scalar(datum) => datum.val.is_true(),
        _ => false,
    };
    Judged { value, until: reading.until() }
}

/// What is being evaluated, for whom and when.
struct Reading<'a> {
    condition: &'a Condition,
    facts: &'a dyn Facts,
    history: &'a History<'a>,
    now: Ts,
    today: Day,
}

/// A single value, and whether it is a tier: tiers have an order of their own.
#[derive(Clone, Copy, Debug)]
struct Datum<'a> {
    val: Val<'a>,
    is_tier: bool,
}

/// An element of a list, with its row's time and content.
#[derive(Clone, Debug)]
struct Member<'a> {
    place: (Ts, u64),
    thing: Thing<'a>,
}

/// What an expression is.
#[derive(Clone, Debug)]
enum Thing<'a> {
    Scalar(Datum<'a>),
    Row(Element<'a>),
    /// A list, which is gone through where it is needed.
    List,
}

impl<'a> Thing<'a> {
    const UNKNOWN: Self = Self::val(Val::Unknown);

    const fn val(val: Val<'a>) -> Self {
        Self::Scalar(Datum { val, is_tier: false })
    }

    fn number(number: impl Into<Decimal>) -> Self {
        Self::val(Val::Number(number.into()))
    }

    const fn is_true(&self) -> bool {
        matches!(self, Self::Scalar(datum) if datum.val.is_true())
    }
}

/// The variables of the macros around an expression.
enum Scope<'s, 'a> {
    Outermost,
    Macro { name: &'s str, thing: Thing<'a>, around: &'s Scope<'s, 'a> },
}

impl<'a> Scope<'_, 'a> {
    fn find(&self, name: &str) -> Option<&Thing<'a>> {
        match self {
            Self::Outermost => None,
            Self::Macro { name: known, thing, .. } if *known == name => Some(thing),
            Self::Macro { around, .. } => around.find(name),
        }
    }
}

impl Reading<'_> {
    /// An instant before which nothing can change.
    fn until(&self) -> Ts {
        let mut until = self.history.zone.start(self.today.plus(1));
        self.shorten(self.condition.tree(), &mut until);
        until.max(self.now.plus_us(1))
    }

    fn shorten(&self, expr: &Expr, until: &mut Ts) {
        const MINUTE_US: i64 = 60_000_000;
        match &expr.kind {
            Kind::Name(name) if matches!(name.as_str(), "hour" | "clock") => {
                *until = (*until).min(self.now.plus_us(MINUTE_US - self.now.0.rem_euclid(MINUTE_US)));
            }
            Kind::Call { function, arguments } if function == "audience" => {
                if let Some(Kind::Text(name)) = arguments.first().map(|name| &name.kind)
                    && let Some(tree) = self.condition.inlined().get(name)
                {
                    self.shorten(tree, until);
                }
            }
            Kind::Call { function, arguments } if function == "within" => {
                let hours = match arguments.get(1).map(|window| &window.kind) {
                    Some(Kind::Text(text)) => {
                        text.strip_suffix('h').and_then(|hours| hours.parse::<i64>().ok())
                    }
                    _ => None,
                };
                if let Some(hours) = hours {
                    let orders = self.history.orders.iter().map(|order| order.time);
                    let times = orders.chain(self.history.events.iter().map(|event| event.time));
                    let changes = times.flat_map(|time| [time, time.plus_us(hours * HOUR_US + 1)]);
                    *until = changes.filter(|change| *change > self.now).fold(*until, Ts::min);
                }
            }
            _ => {}
        }
        expr.parts().into_iter().for_each(|part| self.shorten(part, until));
    }
}
