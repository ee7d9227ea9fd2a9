//! Names, fields and lists as written.

use zhiyin_model::scalar::Scalar;

use super::types::{Chain, Elements, Made, RowType, Type};
use super::{Asked, Compiler};
use crate::cart::ITEM;
use crate::program::{Base, Element, Field, List, Member, Node, Source, Window};
use crate::schema::{AttributeType, Scope, nearest};
use crate::tree::{Expr, Kind};
use crate::value::Value;

/// Names of the member, single values.
const MEMBER: [(&str, Type, Member); 9] = [
    ("age", Type::Number, Member::Age),
    ("tier", Type::Tier, Member::Tier),
    ("points", Type::Number, Member::Points),
    ("lifecycle", Type::Stage, Member::Lifecycle),
    ("store", Type::Text, Member::Store),
    ("enrolled_at", Type::Time, Member::EnrolledAt),
    ("is_birthday", Type::Bool, Member::IsBirthday),
    ("days_to_birthday", Type::Number, Member::DaysToBirthday),
    ("days_since_birthday", Type::Number, Member::DaysSinceBirthday),
];

/// All names that need no brackets.
const NAMES: [&str; 20] = [
    "age",
    "tier",
    "points",
    "lifecycle",
    "store",
    "enrolled_at",
    "is_birthday",
    "days_to_birthday",
    "days_since_birthday",
    "tags",
    "dependants",
    "attr",
    "orders",
    "items",
    "weekday",
    "hour",
    "clock",
    "event",
    "order",
    "cart",
];

impl<'e> Compiler<'_, 'e> {
    pub(super) fn name(&mut self, expr: &Expr, name: &str) -> Option<Made> {
        if let Some((depth, elements)) = self.variable(name) {
            return Some(match elements {
                Elements::Rows(row) => Made::Element(row, Element::Variable(depth)),
                Elements::Values(of) => Made::Scalar(of, Node::Variable(depth)),
            });
        }
        if self.scope == Scope::Item
            && let Some((_, of, field)) = ITEM.iter().find(|(known, ..)| *known == name)
        {
            return Some(Made::Scalar(*of, Node::Field(Element::CartItem, field.clone())));
        }
        if let Some((_, of, member)) = MEMBER.iter().find(|(known, ..)| *known == name) {
            return Some(Made::Scalar(*of, Node::Member(*member)));
        }
        let now = || Box::new(Node::Now);
        let rows = |source, row| {
            let elements = Elements::Rows(row);
            Some(Made::Chain(Chain { source, window: Window::default(), steps: Vec::new(), elements }))
        };
        match name {
            "tags" => {
                Some(Made::List(List { base: Base::Tags, steps: Vec::new() }, Elements::Values(Type::Text)))
            }
            "dependants" => {
                let list = List { base: Base::Dependants, steps: Vec::new() };
                Some(Made::List(list, Elements::Rows(RowType::Dependant)))
            }
            "orders" => rows(Source::Orders, RowType::Order),
            "items" => rows(Source::Items, RowType::Item),
            "weekday" => Some(Made::Scalar(Type::Weekday, Node::Weekday(now()))),
            "hour" => Some(Made::Scalar(Type::Number, Node::Hour(now()))),
            "clock" => Some(Made::Scalar(Type::Clock, Node::Clock(now()))),
            "cart" if self.scope == Scope::Cart => Some(Made::Element(RowType::Cart, Element::Cart)),
            "cart" => self.problem(expr, "`cart` is there only where an offer says for which carts it is"),
            "event" | "order" if self.scope != Scope::Event => {
                let message = format!(
                    "`{name}` is there only where something happens: in triggers, earning and offers"
                );
                self.suggest(expr, message, (name == "order").then_some("orders"))
            }
            "event" => Some(Made::Element(RowType::Event, Element::Event)),
            "order" => Some(Made::Element(RowType::Order, Element::Order)),
            "attr" => self.problem(expr, "attr needs a name: attr.city"),
            "events" => self.problem(expr, "events needs a name: events(\"Coupon Redeemed\")"),
            _ => self.unknown_name(expr, name),
        }
    }

    fn unknown_name<T>(&mut self, expr: &Expr, name: &str) -> Option<T> {
        let variables: Vec<String> = self.frames.iter().filter_map(|frame| frame.name.clone()).collect();
        let attribute = self.schema.attributes.get_key_value(name).map(|(name, _)| format!("attr.{name}"));
        let here = self.scope == Scope::Event;
        let cart = self.scope == Scope::Cart;
        let names = NAMES.into_iter().filter(|name| match *name {
            "event" | "order" => here,
            "cart" => cart,
            _ => true,
        });
        let items = ITEM.iter().filter(|_| self.scope == Scope::Item).map(|(name, ..)| *name);
        let names = names.chain(items);
        let near = nearest(name, variables.iter().map(String::as_str).chain(names)).map(str::to_owned);
        self.suggest(expr, format!("nothing is called `{name}`"), attribute.or(near).as_deref())
    }

    /// The innermost macro whose element has this name.
    fn variable(&self, name: &str) -> Option<(u8, Elements)> {
        let (depth, frame) =
            self.frames.iter().rev().enumerate().find(|(_, frame)| frame.name.as_deref() == Some(name))?;
        Some((u8::try_from(depth).ok()?, frame.elements))
    }

    /// The row of a `first` or `last` that is being asked.
    pub(super) fn asked_row(&mut self, asked: Asked<'e>) -> Option<Made> {
        let depth = u8::try_from(self.frames.len() - asked.level).ok()?;
        match self.frames.get(asked.level - 1)?.elements {
            Elements::Rows(row) => Some(Made::Element(row, Element::Variable(depth))),
            Elements::Values(of) => Some(Made::Scalar(of, Node::Variable(depth))),
        }
    }

    /// `attr.NAME`, `o.paid`, `event.properties.NAME`.
    pub(super) fn field(&mut self, expr: &Expr, of: &'e Expr, name: &str) -> Option<Made> {
        if matches!(&of.kind, Kind::Name(attr) if attr == "attr" && self.variable(attr).is_none()) {
            return self.attribute(expr, name);
        }
        if self.scope == Scope::Item
            && matches!(&of.kind, Kind::Name(properties) if properties == "properties")
            && self.variable("properties").is_none()
        {
            let field = Field::Property(name.into());
            return Some(Made::Scalar(Type::Any, Node::Field(Element::CartItem, field)));
        }
        if let Kind::Field { of: event, name: properties } = &of.kind
            && properties == "properties"
        {
            return match self.make(event)? {
                Made::Element(RowType::Event | RowType::CartItem, element) => {
                    Some(Made::Scalar(Type::Any, Node::Field(element, Field::Property(name.into()))))
                }
                other => self.problem(of, format!("{} has no properties", other.words())),
            };
        }
        match self.make(of)? {
            Made::Element(row, element) => self.row_field(expr, row, element, name),
            other => self.problem(expr, format!("{} has no field `{name}`", other.words())),
        }
    }

    fn row_field(&mut self, expr: &Expr, row: RowType, element: Element, name: &str) -> Option<Made> {
        if let Some((_, of, field)) = row.fields().iter().find(|(known, ..)| *known == name) {
            return Some(Made::Scalar(*of, Node::Field(element, field.clone())));
        }
        match (row, name) {
            (RowType::Order | RowType::Cart, "items") => {
                let list = List { base: Base::Items(element), steps: Vec::new() };
                let of = if row == RowType::Cart { RowType::CartItem } else { RowType::Item };
                Some(Made::List(list, Elements::Rows(of)))
            }
            (RowType::Event | RowType::CartItem, "properties") => {
                self.problem(expr, "properties needs a name: event.properties.amount")
            }
            _ => {
                let near = nearest(name, row.field_names());
                self.suggest(expr, format!("{} has no field `{name}`", row.words()), near)
            }
        }
    }

    fn attribute(&mut self, expr: &Expr, name: &str) -> Option<Made> {
        let Some(declared) = self.schema.attributes.get(name).copied() else {
            let near = nearest(name, self.schema.attributes.keys().map(String::as_str));
            return self.suggest(expr, format!("no attribute is called `{name}`"), near);
        };
        self.attributes.insert(name.to_owned(), declared);
        Some(match Type::of_attribute(declared) {
            Some(of) => Made::Scalar(of, Node::Attribute(name.into(), declared)),
            None => {
                let list = List { base: Base::Texts(name.into()), steps: Vec::new() };
                Made::List(list, Elements::Values(Type::Text))
            }
        })
    }

    /// `["a", "b"]`.
    pub(super) fn list(&mut self, parts: &'e [Expr]) -> Option<Made> {
        let mut values = Vec::with_capacity(parts.len());
        let mut of = None;
        for part in parts {
            let (found, node) = self.scalar(part)?;
            match of {
                Some(first) if first != found => {
                    return self.problem(part, "the elements of a list must be of one kind");
                }
                _ => of = Some(found),
            }
            values.push(node);
        }
        let list = List { base: Base::Values(values), steps: Vec::new() };
        Some(Made::List(list, Elements::Values(of.unwrap_or(Type::Any))))
    }

    /// A text as it is written, as the value it stands for beside another type.
    pub(super) fn literal(&mut self, expr: &Expr, text: &str, beside: Type) -> Option<Node> {
        use crate::value::{Val, clock, day, instant};
        let names: Vec<&str> = match beside {
            Type::Tier => self.schema.tiers.iter().map(String::as_str).collect(),
            Type::Stage => self.schema.stages.iter().map(String::as_str).collect(),
            Type::Weekday => WEEKDAYS.to_vec(),
            Type::Date => {
                return match day(text) {
                    Some(day) => Some(Node::Const(Value::Date(day))),
                    None => self.problem(expr, format!("{text:?} is no date; one is written \"2020-05-23\"")),
                };
            }
            Type::Time => {
                return match instant(text).map(Val::to_value) {
                    Some(value) => Some(Node::Const(value)),
                    None => {
                        let message = format!(
                            "{text:?} is no time; one is written \"2020-05-23\" or \"2020-05-23T19:30:00+08:00\""
                        );
                        self.problem(expr, message)
                    }
                };
            }
            Type::Clock => {
                return match clock(text) {
                    Some(minutes) => Some(Node::Const(Value::Clock(minutes))),
                    None => {
                        self.problem(expr, format!("{text:?} is no time of day; one is written \"19:30\""))
                    }
                };
            }
            _ => return Some(Node::Const(Value::Text(text.into()))),
        };
        if names.contains(&text) {
            return Some(Node::Const(Value::Text(text.into())));
        }
        let near = nearest(text, names.iter().copied()).map(str::to_owned);
        let message = match beside {
            Type::Tier => format!("no tier is called {text:?}"),
            Type::Stage => format!("no stage of the lifecycle is called {text:?}"),
            _ => format!("{text:?} is no day of the week"),
        };
        self.suggest(expr, message, near.as_deref())
    }

    /// A tag's name, which must be declared.
    pub(super) fn tag(&mut self, expr: &Expr, tag: &str) -> Option<()> {
        if self.schema.tags.contains(tag) {
            return Some(());
        }
        let near = nearest(tag, self.schema.tags.iter().map(String::as_str));
        self.suggest(expr, format!("no tag is called {tag:?}"), near)
    }
}

/// Days of the week as they are written, Monday first.
pub(crate) const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// An attribute's value as its declared type has it; of another type it is unknown.
pub(crate) fn attribute_value(scalar: &Scalar, declared: AttributeType) -> crate::value::Val<'_> {
    use crate::value::{Val, day};
    match (declared, scalar) {
        (AttributeType::Bool, Scalar::Bool(value)) => Val::Bool(*value),
        (AttributeType::Number, Scalar::Number(value)) => Val::Number(*value),
        (AttributeType::Text, Scalar::Text(value)) => Val::Text(value),
        (AttributeType::Date, Scalar::Text(value)) => day(value).map_or(Val::Unknown, Val::Date),
        _ => Val::Unknown,
    }
}
