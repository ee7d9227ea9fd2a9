//! Single values of the reference evaluator.

use rust_decimal::Decimal;

use super::{Datum, Reading, Scope, Thing};
use crate::birthday::{Birthday, of_age};
use crate::bucket::bucket;
use crate::cart::field_named;
use crate::compile::{WEEKDAYS, attribute_value, row_asked};
use crate::element::Element;
use crate::program::Field;
use crate::schema::AttributeType;
use crate::stage::Stage;
use crate::tree::{Each, Expr, Kind, Operator};
use crate::value::{Val, day, reckon, satisfies};
use zhiyin_model::time::Day;

const MINUTE_US: i64 = 60_000_000;

impl<'a> Reading<'a> {
    pub(super) fn eval(&'a self, expr: &'a Expr, scope: &Scope<'_, 'a>) -> Thing<'a> {
        if self.asks_nothing(expr, scope) {
            return Thing::UNKNOWN;
        }
        let truth = |value: bool| Thing::val(Val::Bool(value));
        match &expr.kind {
            Kind::Null => Thing::UNKNOWN,
            Kind::Bool(value) => truth(*value),
            Kind::Number(value) => Thing::number(*value),
            Kind::Text(value) => Thing::val(Val::Text(value)),
            Kind::List(_) => Thing::List,
            Kind::Name(name) => self.name(name, scope),
            Kind::Field { of, name } => self.field(of, name, scope),
            Kind::Has(of) => truth(self.scalar(of, scope).val.is_known()),
            Kind::Not(of) => truth(!self.eval(of, scope).is_true()),
            Kind::Negate(of) => {
                reckoned(Operator::Subtract, Val::Number(Decimal::ZERO), self.scalar(of, scope).val)
            }
            Kind::And(parts) => truth(parts.iter().all(|part| self.eval(part, scope).is_true())),
            Kind::Or(parts) => truth(parts.iter().any(|part| self.eval(part, scope).is_true())),
            Kind::If { test, then, otherwise } => {
                self.eval(if self.eval(test, scope).is_true() { then } else { otherwise }, scope)
            }
            Kind::Binary { op: Operator::In, left, right } => truth(self.among(left, right, scope)),
            Kind::Binary { op, left, right } if op.compares() => truth(self.compare(*op, left, right, scope)),
            Kind::Binary { op, left, right } => {
                reckoned(*op, self.scalar(left, scope).val, self.scalar(right, scope).val)
            }
            Kind::Call { function, arguments } => self.call(function, arguments, scope),
            Kind::Method { of, method, arguments } => {
                let with =
                    arguments.first().map_or(Val::Unknown, |argument| self.scalar(argument, scope).val);
                truth(match (self.scalar(of, scope).val, with, method.as_str()) {
                    (Val::Text(of), Val::Text(with), "startsWith") => of.starts_with(with),
                    (Val::Text(of), Val::Text(with), "endsWith") => of.ends_with(with),
                    (Val::Text(of), Val::Text(with), "contains") => of.contains(with),
                    _ => false,
                })
            }
            Kind::Each { step: Each::Filter | Each::Map, .. } => Thing::List,
            Kind::Each { step: Each::Exists, .. } => truth(!self.list(expr, scope).is_empty()),
            // The list of a universal question is that of its exceptions.
            Kind::Each { step: Each::All, .. } => truth(self.list(expr, scope).is_empty()),
        }
    }

    pub(super) fn scalar(&'a self, expr: &'a Expr, scope: &Scope<'_, 'a>) -> Datum<'a> {
        match self.eval(expr, scope) {
            Thing::Scalar(datum) => datum,
            Thing::Row(row) => Datum { val: row.time().map_or(Val::Unknown, Val::Time), is_tier: false },
            Thing::List => Datum { val: Val::Unknown, is_tier: false },
        }
    }

    /// Whether an expression asks the first or last row of nothing: whatever it asks is then unknown.
    fn asks_nothing(&'a self, expr: &'a Expr, scope: &Scope<'_, 'a>) -> bool {
        match row_asked(expr).map(|call| &call.kind) {
            Some(Kind::Call { arguments, .. }) => {
                arguments.first().is_some_and(|rows| self.list(rows, scope).is_empty())
            }
            _ => false,
        }
    }

    fn name(&'a self, name: &str, scope: &Scope<'_, 'a>) -> Thing<'a> {
        if let Some(thing) = scope.find(name) {
            return thing.clone();
        }
        if let (Some(item), Some(field)) = (self.facts.cart_item(), field_named(name)) {
            let row = Element::CartItem(item);
            return Thing::val(row.field(&field, self.history.currency_exponent));
        }
        let text = |text: Option<&'a str>| text.map_or(Val::Unknown, Val::Text);
        let minutes = || self.history.zone.time_of_day_us(self.now) / MINUTE_US;
        Thing::val(match name {
            "tier" => {
                return Thing::Scalar(Datum { val: text(self.facts.tier()), is_tier: true });
            }
            "lifecycle" => text(self.facts.lifecycle()),
            "store" => text(self.facts.store()),
            "points" => Val::Number(self.facts.points().into()),
            "enrolled_at" => self.facts.enrolled_at().map_or(Val::Unknown, Val::Time),
            "age" => {
                let age = self.birthday().and_then(|birthday| birthday.age(self.today));
                age.map_or(Val::Unknown, |age| Val::Number(age.into()))
            }
            "is_birthday" => {
                self.birthday().map_or(Val::Unknown, |birthday| Val::Bool(birthday.is_on(self.today)))
            }
            "days_to_birthday" | "days_since_birthday" => {
                let days = self.birthday().and_then(|birthday| match name {
                    "days_to_birthday" => birthday.days_to(self.today),
                    _ => birthday.days_since(self.today),
                });
                days.map_or(Val::Unknown, |days| Val::Number(days.into()))
            }
            "cart" => {
                return self.facts.cart().map_or(Thing::UNKNOWN, |cart| Thing::Row(Element::Cart(cart)));
            }
            "properties" => {
                let item = self.facts.cart_item();
                return item.map_or(Thing::UNKNOWN, |item| Thing::Row(Element::CartItem(item)));
            }
            "weekday" => weekday(self.today),
            "hour" => Val::Number((minutes() / 60).into()),
            "clock" => Val::Clock(u16::try_from(minutes()).unwrap_or(0)),
            "event" => {
                return self.facts.event().map_or(Thing::UNKNOWN, |event| Thing::Row(Element::Event(event)));
            }
            "order" => {
                return self.facts.order().map_or(Thing::UNKNOWN, |order| Thing::Row(Element::Order(order)));
            }
            _ => return Thing::List,
        })
    }

    fn birthday(&self) -> Option<Birthday> {
        Birthday::parse(self.facts.attribute("birthday")?.text()?)
    }

    fn field(&'a self, of: &'a Expr, name: &str, scope: &Scope<'_, 'a>) -> Thing<'a> {
        if matches!(&of.kind, Kind::Name(attr) if attr == "attr") && scope.find("attr").is_none() {
            let Some(declared) = self.condition.attributes().get(name) else {
                return Thing::UNKNOWN;
            };
            return match self.facts.attribute(name) {
                Some(zhiyin_model::scalar::Scalar::Texts(_)) if *declared == AttributeType::Texts => {
                    Thing::List
                }
                Some(scalar) => Thing::val(attribute_value(scalar, *declared)),
                None => Thing::UNKNOWN,
            };
        }
        let field = match name {
            "items" => return Thing::List,
            // `e.properties` is the event itself, of which a property is then asked.
            "properties" => return self.eval(of, scope),
            _ if matches!(&of.kind, Kind::Field { name, .. } | Kind::Name(name) if name == "properties") => {
                Field::Property(name.into())
            }
            "time" => Field::Time,
            "paid" => Field::Paid,
            "store" => Field::Store,
            "channel" => Field::Channel,
            "name" => Field::Name,
            "product" => Field::Product,
            "category" => Field::Category,
            "department" => Field::Department,
            "quantity" => Field::Quantity,
            "kind" => Field::Kind,
            "gender" => Field::Gender,
            "birthday" => Field::Birthday,
            "due_on" => Field::DueOn,
            _ if let Some(field) = field_named(name) => field,
            _ if let Some(stage) = stage_named(name) => {
                return match self.eval(of, scope) {
                    Thing::Row(Element::Dependant(one)) => {
                        stage.value(&one, self.today).map_or(Thing::UNKNOWN, Thing::number)
                    }
                    _ => Thing::UNKNOWN,
                };
            }
            _ => return Thing::UNKNOWN,
        };
        match self.eval(of, scope) {
            Thing::Row(row) => Thing::val(row.field(&field, self.history.currency_exponent)),
            _ => Thing::UNKNOWN,
        }
    }

    fn compare(&'a self, op: Operator, left: &'a Expr, right: &'a Expr, scope: &Scope<'_, 'a>) -> bool {
        for (null, other) in [(left, right), (right, left)] {
            if null.kind == Kind::Null {
                let known = match self.eval(other, scope) {
                    Thing::Scalar(datum) => datum.val.is_known(),
                    Thing::Row(_) | Thing::List => true,
                };
                return known == (op == Operator::NotEqual);
            }
        }
        let (left, right) = (self.scalar(left, scope), self.scalar(right, scope));
        let equality = matches!(op, Operator::Equal | Operator::NotEqual);
        if !equality && (left.is_tier || right.is_tier) {
            let rank = |datum: Datum<'_>| match datum.val {
                Val::Text(tier) => self.condition.tiers().iter().position(|known| known == tier),
                _ => None,
            };
            return rank(left).zip(rank(right)).is_some_and(|(a, b)| satisfies(Some(a.cmp(&b)), op));
        }
        satisfies(left.val.order(right.val, self.history.zone), op)
    }

    pub(super) fn equal(&self, left: Datum<'_>, right: Datum<'_>) -> bool {
        satisfies(left.val.order(right.val, self.history.zone), Operator::Equal)
    }

    fn among(&'a self, left: &'a Expr, right: &'a Expr, scope: &Scope<'_, 'a>) -> bool {
        if matches!(&right.kind, Kind::Name(tags) if tags == "tags") && scope.find("tags").is_none() {
            return matches!(self.scalar(left, scope).val, Val::Text(tag) if self.facts.has_tag(tag));
        }
        self.members_equal_to(left, right, scope)
    }

    /// The day of a time, a date, or a text that writes one.
    pub(super) fn day_of(&self, val: Val<'_>) -> Option<Day> {
        match val {
            Val::Time(time) => Some(self.history.zone.day(time)),
            Val::Date(date) => Some(date),
            Val::Text(text) => day(text),
            _ => None,
        }
    }

    /// Whether a saved audience's own condition holds, whatever stands around its call; or they are on the list.
    fn is_in(&'a self, name: &str) -> bool {
        match self.condition.inlined().get(name) {
            Some(tree) => self.eval(tree, &Scope::Outermost).is_true(),
            None => self.facts.is_listed(name),
        }
    }

    fn consents(&self, arguments: &[Expr]) -> bool {
        let text = |n: usize| match arguments.get(n).map(|argument| &argument.kind) {
            Some(Kind::Text(text)) => text.as_str(),
            _ => zhiyin_model::consent::ALL,
        };
        let rules = self.condition.consent();
        let birthday = self.facts.attribute("birthday").and_then(|birthday| birthday.text());
        let of_age = birthday.and_then(|text| of_age(text, rules.minors_under, self.history.zone));
        let said = self.facts.consents().cloned().unwrap_or_default();
        said.ask(rules, text(0), text(1), of_age, self.now).allowed.is_ok()
    }

    fn call(&'a self, function: &str, arguments: &'a [Expr], scope: &Scope<'_, 'a>) -> Thing<'a> {
        let Some(argument) = arguments.first() else {
            return Thing::UNKNOWN;
        };
        let time = || self.scalar(argument, scope).val;
        let minutes = || match time() {
            Val::Time(time) => u16::try_from(self.history.zone.time_of_day_us(time) / MINUTE_US).ok(),
            _ => None,
        };
        match function {
            "within" | "events" => Thing::List,
            "consent" => Thing::val(Val::Bool(self.consents(arguments))),
            "audience" => Thing::val(Val::Bool(self.is_in(text_of(argument)))),
            "bucket" => Thing::number(bucket(text_of(argument), self.facts.member_id())),
            "days_since" => self
                .day_of(time())
                .map_or(Thing::UNKNOWN, |day| Thing::number(i64::from(self.today.0) - i64::from(day.0))),
            "weekday" => self.day_of(time()).map_or(Thing::UNKNOWN, |day| Thing::val(weekday(day))),
            "hour" => minutes().map_or(Thing::UNKNOWN, |minutes| Thing::number(minutes / 60)),
            "clock" => minutes().map_or(Thing::UNKNOWN, |minutes| Thing::val(Val::Clock(minutes))),
            _ => self.fold(function, argument, scope),
        }
    }
}

/// What a text is, as it is written.
fn text_of(expr: &Expr) -> &str {
    match &expr.kind {
        Kind::Text(text) => text,
        _ => "",
    }
}

fn stage_named(name: &str) -> Option<Stage> {
    Some(match name {
        "age_weeks" => Stage::AgeWeeks,
        "age_months" => Stage::AgeMonths,
        "age_years" => Stage::AgeYears,
        "weeks_to_due" => Stage::WeeksToDue,
        "pregnancy_week" => Stage::PregnancyWeek,
        _ => return None,
    })
}

fn reckoned<'a>(op: Operator, left: Val<'_>, right: Val<'_>) -> Thing<'a> {
    Thing::val(reckon(op, left, right))
}

/// The name of a day's weekday: 2024-01-01 was a Monday.
fn weekday<'a>(day: Day) -> Val<'a> {
    const MONDAY: i64 = 19_723;
    let place = (i64::from(day.0) - MONDAY).rem_euclid(7);
    Val::Text(WEEKDAYS[usize::try_from(place).unwrap_or(0)])
}
