//! Functions and methods.

use zhiyin_model::consent::ALL;
use zhiyin_model::playbook::Consent;

use super::Compiler;
use super::types::{Chain, Elements, Made, RowType, Type};
use crate::bounds::{WINDOW_DAYS_MAX, WINDOW_HOURS_MAX};
use crate::program::{ConsentAsked, Field, Fold, Node, Source, TextTest, Window};
use crate::schema::nearest;
use crate::tree::{Each, Expr, Kind};
use crate::value::Value;

/// All functions, and how they are called.
const FUNCTIONS: [(&str, &str); 18] = [
    ("size", "size(list)"),
    ("sum", "sum(list)"),
    ("min", "min(list)"),
    ("max", "max(list)"),
    ("avg", "avg(list)"),
    ("first", "first(rows)"),
    ("last", "last(rows)"),
    ("median_gap", "median_gap(rows)"),
    ("within", "within(rows, \"365d\")"),
    ("events", "events(\"Coupon Redeemed\")"),
    ("days_since", "days_since(time)"),
    ("hour", "hour(time)"),
    ("weekday", "weekday(time)"),
    ("clock", "clock(time)"),
    ("has", "has(attr.city)"),
    ("consent", "consent(\"marketing\", \"sms\")"),
    ("audience", "audience(\"evening\")"),
    ("bucket", "bucket(\"spring test\")"),
];

const METHODS: [(&str, TextTest); 3] = [
    ("startsWith", TextTest::StartsWith),
    ("endsWith", TextTest::EndsWith),
    ("contains", TextTest::Contains),
];

impl<'e> Compiler<'_, 'e> {
    pub(super) fn call(&mut self, expr: &Expr, function: &str, arguments: &'e [Expr]) -> Option<Made> {
        match (function, arguments) {
            ("size", [list]) => self.fold(function, list, Fold::Count),
            ("sum", [list]) => self.fold(function, list, Fold::Sum),
            ("min", [list]) => self.fold(function, list, Fold::Least),
            ("max", [list]) => self.fold(function, list, Fold::Greatest),
            ("avg", [list]) => self.fold(function, list, Fold::Mean),
            ("first" | "last", [rows]) => self.pick(expr, function, rows),
            ("median_gap", [rows]) => self.median_gap(expr, rows),
            ("within", [rows, window]) => self.within(rows, window),
            ("events", [name]) => self.events(name),
            ("days_since", [time]) => {
                let time = self.time(time, true)?;
                Some(Made::Scalar(Type::Number, Node::DaysSince(Box::new(time))))
            }
            ("hour", [time]) => {
                let time = self.time(time, false)?;
                Some(Made::Scalar(Type::Number, Node::Hour(Box::new(time))))
            }
            ("weekday", [time]) => {
                let time = self.time(time, true)?;
                Some(Made::Scalar(Type::Weekday, Node::Weekday(Box::new(time))))
            }
            ("clock", [time]) => {
                let time = self.time(time, false)?;
                Some(Made::Scalar(Type::Clock, Node::Clock(Box::new(time))))
            }
            ("consent", [purpose]) => self.consent(purpose, None),
            ("consent", [purpose, channel]) => self.consent(purpose, Some(channel)),
            ("audience", [name]) => self.audience(expr, name),
            ("bucket", [salt]) => self.bucket(salt),
            _ => match FUNCTIONS.iter().find(|(name, _)| *name == function) {
                Some((_, form)) => self.problem(expr, format!("{function} is called so: {form}")),
                None => {
                    let near = nearest(function, FUNCTIONS.iter().map(|(name, _)| *name));
                    self.suggest(expr, format!("there is no function `{function}`"), near)
                }
            },
        }
    }

    pub(super) fn method(
        &mut self,
        expr: &Expr,
        of: &'e Expr,
        method: &str,
        arguments: &'e [Expr],
    ) -> Option<Made> {
        let Some((_, test)) = METHODS.iter().find(|(name, _)| *name == method) else {
            let macros = [Each::Filter, Each::Map, Each::Exists, Each::All].map(Each::word);
            let names = METHODS.iter().map(|(name, _)| *name).chain(macros);
            let near = nearest(method, names);
            return self.suggest(expr, format!("there is no method `{method}`"), near);
        };
        let [argument] = arguments else {
            return self.problem(expr, format!("{method} is called so: name.{method}(\"a\")"));
        };
        let (of, with) = (self.text(of), self.text(argument));
        Some(Made::Scalar(Type::Bool, Node::TextTest(*test, Box::new([of?, with?]))))
    }

    fn text(&mut self, expr: &'e Expr) -> Option<Node> {
        match self.scalar(expr)? {
            (of, node) if of.is_text() || of == Type::Any => Some(node),
            (other, _) => self.problem(expr, format!("a text is needed here; this is {}", other.words())),
        }
    }

    /// `size(list)` and its like.
    fn fold(&mut self, function: &str, list: &'e Expr, fold: Fold) -> Option<Made> {
        let made = self.make(list)?;
        let elements = match &made {
            Made::List(_, elements) => *elements,
            Made::Chain(chain) => chain.elements,
            other => {
                let does = if fold == Fold::Count { "counts" } else { "needs" };
                return self.problem(list, format!("{function} {does} a list; this is {}", other.words()));
            }
        };
        let of = match (fold, elements) {
            (Fold::Count, _) => Type::Number,
            (_, Elements::Values(Type::Number | Type::Any)) => Type::Number,
            (Fold::Least | Fold::Greatest, Elements::Values(of @ (Type::Date | Type::Time))) => of,
            _ => {
                let message = format!(
                    "{function} needs a list of numbers; this is {}; map it: xs.map(x, x.paid)",
                    elements.words()
                );
                return self.problem(list, message);
            }
        };
        let node = match made {
            Made::Chain(chain) => self.fold_chain(list, chain, fold)?,
            Made::List(list, _) => Node::Local(list, fold),
            _ => return None,
        };
        Some(Made::Scalar(of, node))
    }

    /// Rows of history.
    pub(super) fn rows(&mut self, function: &str, expr: &'e Expr) -> Option<Chain> {
        match self.make(expr)? {
            Made::Chain(chain) => Some(chain),
            other => {
                let message = format!(
                    "{function} needs rows of history (orders, items, events(…)); this is {}",
                    other.words()
                );
                self.problem(expr, message)
            }
        }
    }

    fn within(&mut self, rows: &'e Expr, window: &Expr) -> Option<Made> {
        let chain = self.rows("within", rows);
        let window = self.window(window)?;
        let mut chain = chain?;
        if matches!(chain.elements, Elements::Values(_)) {
            return self.problem(rows, "within needs rows, which have a time; map them after it");
        }
        let least = |a: Option<u32>, b: Option<u32>| a.into_iter().chain(b).min();
        chain.window = Window {
            days: least(chain.window.days, window.days),
            hours: least(chain.window.hours, window.hours),
        };
        Some(Made::Chain(chain))
    }

    fn window(&mut self, expr: &Expr) -> Option<Window> {
        let form = "a window is written \"365d\" or \"12h\"";
        let Kind::Text(text) = &expr.kind else {
            return self.problem(expr, form);
        };
        let (number, unit) = text.split_at(text.len() - usize::from(text.ends_with(['d', 'h'])));
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return self.problem(expr, form);
        }
        // What has more digits than a number holds is larger than any window.
        let n = number.parse::<u32>().unwrap_or(u32::MAX);
        let (most, of) = match unit {
            "d" => (WINDOW_DAYS_MAX, "days"),
            "h" => (WINDOW_HOURS_MAX, "hours"),
            _ => return self.problem(expr, form),
        };
        if n > most {
            return self.problem(expr, format!("a window may have {most} {of}"));
        }
        Some(if unit == "d" {
            Window { days: Some(n), hours: None }
        } else {
            Window { days: None, hours: Some(n) }
        })
    }

    fn events(&mut self, name: &Expr) -> Option<Made> {
        match &name.kind {
            Kind::Text(name) if !name.is_empty() => Some(Made::Chain(Chain {
                source: Source::Events(name.as_str().into()),
                window: Window::default(),
                steps: Vec::new(),
                elements: Elements::Rows(RowType::Event),
            })),
            _ => self.problem(name, "events needs a name as it is written: events(\"Coupon Redeemed\")"),
        }
    }

    /// Whether something may be done; without a channel, on all of them.
    fn consent(&mut self, purpose: &Expr, channel: Option<&Expr>) -> Option<Made> {
        let known = &self.schema.consent;
        let Kind::Text(id) = &purpose.kind else {
            return self.problem(purpose, "a purpose is written as it is: consent(\"marketing\", \"sms\")");
        };
        let Some(terms) = known.purposes.get(id) else {
            let near = nearest(id, known.purposes.keys().map(String::as_str));
            return self.suggest(purpose, format!("the playbook asks no consent for {id:?}"), near);
        };
        let channel = match channel.map(|channel| (channel, &channel.kind)) {
            None => ALL.to_owned(),
            Some((_, Kind::Text(text))) if text == ALL || terms.channels.contains(text) => text.clone(),
            Some((at, Kind::Text(text))) => {
                let near = nearest(text, terms.channels.iter().map(String::as_str));
                return self.suggest(at, format!("{id:?} has no channel {text:?}"), near);
            }
            Some((at, _)) => return self.problem(at, "a channel is written as it is: \"sms\""),
        };
        let purposes = [(id.clone(), terms.clone())].into();
        let terms = Consent { purposes, minors_under: known.minors_under };
        let asked = ConsentAsked { purpose: id.clone(), channel, terms };
        Some(Made::Scalar(Type::Bool, Node::Consent(Box::new(asked))))
    }

    /// A time, or the time of a row; a date too where a day is enough.
    fn time(&mut self, expr: &'e Expr, or_date: bool) -> Option<Node> {
        match self.make(expr)? {
            Made::Scalar(Type::Time, node) => Some(node),
            Made::Scalar(Type::Date | Type::Any, node) if or_date => Some(node),
            Made::Scalar(Type::Text, Node::Const(Value::Text(text))) if or_date => {
                self.literal(expr, &text, Type::Date)
            }
            Made::Element(RowType::Order | RowType::Item | RowType::Event, element) => {
                Some(Node::Field(element, Field::Time))
            }
            Made::Picked(_, time) => Some(Node::Leaf(time)),
            other => self.problem(expr, format!("a time is needed here; this is {}", other.words())),
        }
    }
}
