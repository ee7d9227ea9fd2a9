//! Evaluating a program for one member at an instant: the value, and until when it holds.
//!
//! Every value comes with an *until* that is never later than the instant at which time alone could change
//! it. Parts of an expression are combined so that as much of this as is cheap to know is kept: a false
//! part keeps `&&` false for as long as the longest false part holds, and comparisons with what time moves
//! in one direction (days since, ages, windows) are followed to the day on which they turn.

mod fold;
mod history;
mod personal;
mod turn;
mod until;

use rust_decimal::Decimal;
use zhiyin_model::time::{Day, Ts, Zone};

use crate::birthday::Birthday;
use crate::bucket::bucket;
use crate::compile::{WEEKDAYS, attribute_value};
use crate::condition::Condition;
use crate::element::Element;
use crate::facts::{Facts, Judged};
use crate::leaf::Leaves;
use crate::program::{self, Field, Member, Node, TextTest};
use crate::state::LeafState;
use crate::tree::Operator;
use crate::value::{Val, Value, reckon, satisfies};

pub(crate) use until::{Held, Until};

/// Whether a condition holds at an instant, and until when. The condition must be one of those that
/// `leaves` were collected from, and [`Facts::leaves`] must be states of them; history of another shape is
/// unknown.
pub fn evaluate(condition: &Condition, leaves: &Leaves, facts: &dyn Facts, now: Ts) -> Judged {
    let world = World { facts, bound: condition.bound() };
    let instant = Instant::at(leaves, leaves.zone(), now, &world);
    let held = eval(&instant, condition.root(), None);
    Judged { value: held.val.is_true(), until: instant.resolve(held.until) }
}

/// Whether a condition holds at an instant whose days and hours are those of a zone, such as a store's. Windows over history
/// look at the zone's days too, in as far as days of the leaves' own zone are told apart.
pub fn holds_in(condition: &Condition, leaves: &Leaves, zone: &Zone, facts: &dyn Facts, now: Ts) -> bool {
    let world = World { facts, bound: condition.bound() };
    eval(&Instant::at(leaves, zone, now, &world), condition.root(), None).val.is_true()
}

/// [`evaluate`] as a pair.
pub fn holds(condition: &Condition, leaves: &Leaves, facts: &dyn Facts, now: Ts) -> (bool, Ts) {
    let judged = evaluate(condition, leaves, facts, now);
    (judged.value, judged.until)
}

/// A part of a condition's program, to be asked of many members at one instant by whoever evaluates the rest in another
/// way (over columns). The condition must have been collected into the leaves.
#[derive(Clone, Copy, Debug)]
pub struct Part<'p> {
    condition: &'p Condition,
    node: &'p Node,
    leaves: &'p Leaves,
    now: Ts,
    today: Day,
}

impl<'p> Part<'p> {
    /// The part at an instant. `node` is one of the condition's program.
    pub fn new(condition: &'p Condition, node: &'p Node, leaves: &'p Leaves, now: Ts) -> Self {
        Self { condition, node, leaves, now, today: leaves.zone().day(now) }
    }

    /// Its value for a member; unknown is not true.
    pub fn value<'a>(&'a self, facts: &'a dyn Facts) -> Value {
        let world = World { facts, bound: self.condition.bound() };
        let instant = Instant {
            zone: self.leaves.zone(),
            currency_exponent: self.leaves.currency_exponent(),
            now: self.now,
            today: self.today,
            world: Some(&world),
        };
        eval(&instant, self.node, None).val.to_value()
    }
}

/// What there is beside rows, when a condition is evaluated.
pub(crate) struct World<'a> {
    facts: &'a dyn Facts,
    /// The number of each of the condition's leaves among all.
    bound: &'a [usize],
}

/// When and for whom a program is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Instant<'a> {
    zone: &'a Zone,
    currency_exponent: u32,
    now: Ts,
    today: Day,
    world: Option<&'a World<'a>>,
}

impl<'a> Instant<'a> {
    /// An instant, whose day is a zone's.
    fn at(leaves: &Leaves, zone: &'a Zone, now: Ts, world: &'a World<'a>) -> Self {
        let currency_exponent = leaves.currency_exponent();
        Self { zone, currency_exponent, now, today: zone.day(now), world: Some(world) }
    }

    /// No instant: what is read of a row alone needs none.
    pub(crate) const fn of_row(zone: &'a Zone, currency_exponent: u32) -> Self {
        Self { zone, currency_exponent, now: Ts(0), today: Day(0), world: None }
    }

    fn facts(&self) -> Option<&'a dyn Facts> {
        self.world.map(|world| world.facts)
    }

    /// The state of one of the condition's leaves.
    fn state(&self, leaf: u16) -> Option<&'a LeafState> {
        let world = self.world?;
        world.facts.leaves().get(*world.bound.get(usize::from(leaf))?)
    }
}

/// The element of a macro, and the macros around it.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'f, 'a> {
    element: Element<'a>,
    outer: Option<&'f Frame<'f, 'a>>,
}

impl<'f, 'a> Frame<'f, 'a> {
    /// The only frame.
    pub(crate) const fn around(element: Element<'a>) -> Self {
        Self { element, outer: None }
    }

    const fn within(element: Element<'a>, outer: Option<&'f Self>) -> Self {
        Self { element, outer }
    }

    fn at(mut frame: &'f Self, depth: u8) -> Option<Element<'a>> {
        for _ in 0..depth {
            frame = frame.outer?;
        }
        Some(frame.element)
    }
}

/// The value of a node, and until when it holds.
pub(crate) fn eval<'a>(ctx: &Instant<'a>, node: &'a Node, frame: Option<&Frame<'_, 'a>>) -> Held<'a> {
    let inner = |of: &'a Node| eval(ctx, of, frame);
    let variable = |depth: u8| frame.and_then(|frame| Frame::at(frame, depth));
    match node {
        Node::Const(value) => Held::ever(value.as_val()),
        Node::Member(member) => ctx.member(*member),
        Node::Attribute(name, declared) => {
            let scalar = ctx.facts().and_then(|facts| facts.attribute(name));
            Held::ever(scalar.map_or(Val::Unknown, |scalar| attribute_value(scalar, *declared)))
        }
        Node::Now => Held { val: Val::Time(ctx.now), until: Until::At(ctx.now.plus_us(1)) },
        Node::Field(element, Field::Stage(stage)) => ctx.stage(*element, *stage, frame),
        Node::Consent(asked) => ctx.consent(asked),
        Node::Bucket(salt) => {
            Held::ever(ctx.facts().map_or(Val::Unknown, |facts| Val::Number(bucket(salt, facts.member_id()))))
        }
        Node::Listed(list) => Held::ever(Val::Bool(ctx.facts().is_some_and(|facts| facts.is_listed(list)))),
        Node::Field(element, field) => {
            let element = ctx.element(*element, frame);
            Held::ever(element.map_or(Val::Unknown, |element| element.field(field, ctx.currency_exponent)))
        }
        Node::Variable(depth) => Held::ever(match variable(*depth) {
            Some(Element::Value(val)) => val,
            _ => Val::Unknown,
        }),
        Node::Slot(depth, slot) => Held::ever(match variable(*depth) {
            Some(Element::Kept(row)) => {
                row.values.get(usize::from(*slot)).map_or(Val::Unknown, crate::value::Value::as_val)
            }
            _ => Val::Unknown,
        }),
        Node::Leaf(leaf) => ctx.leaf(leaf),
        Node::Known(of) => inner(of).then(|val| Val::Bool(val.is_known())),
        Node::AtHand(element) => Held::ever(Val::Bool(ctx.element(*element, frame).is_some())),
        Node::Not(of) => inner(of).then(|val| Val::Bool(!val.is_true())),
        Node::Negate(of) => inner(of).then(|val| match val {
            Val::Number(number) => Val::Number(-number),
            _ => Val::Unknown,
        }),
        Node::And(parts) => ctx.joined(parts, frame, false),
        Node::Or(parts) => ctx.joined(parts, frame, true),
        Node::If(parts) => {
            let [test, then, otherwise] = &**parts;
            let test = inner(test);
            let chosen = inner(if test.val.is_true() { then } else { otherwise });
            Held { val: chosen.val, until: ctx.sooner(test.until, chosen.until) }
        }
        Node::Compare(op, sides) => ctx.compare(*op, &sides[0], &sides[1], frame),
        Node::Reckon(op, sides) => {
            let (left, right) = (inner(&sides[0]), inner(&sides[1]));
            Held { val: reckon(*op, left.val, right.val), until: ctx.sooner(left.until, right.until) }
        }
        Node::Among(parts) => ctx.among(parts, frame),
        Node::HasTag(of) => inner(of).then(|tag| ctx.has_tag(tag)),
        Node::Rank(tiers, of) => inner(of).then(|tier| rank(tiers, tier)),
        Node::TextTest(test, sides) => {
            let (of, with) = (inner(&sides[0]), inner(&sides[1]));
            Held { val: text_test(*test, of.val, with.val), until: ctx.sooner(of.until, with.until) }
        }
        Node::DaysSince(of) => ctx.days_since(inner(of)),
        Node::Hour(of) => ctx.clock_of(of, frame, |minutes| Val::Number(Decimal::from(minutes / 60)), 60),
        Node::Clock(of) => ctx.clock_of(of, frame, Val::Clock, 1),
        Node::Weekday(of) if **of == Node::Now => {
            Held { val: weekday(ctx.today), until: Until::Day(ctx.today.plus(1)) }
        }
        Node::Weekday(of) => inner(of).then(|val| ctx.day_of(val).map_or(Val::Unknown, weekday)),
        Node::Local(list, fold) => ctx.local(list, *fold, frame),
    }
}

/// The name of a day's weekday. 1970-01-01 was a Thursday.
fn weekday(day: Day) -> Val<'static> {
    let place = (i64::from(day.0) + 3).rem_euclid(7);
    Val::Text(WEEKDAYS[usize::try_from(place).unwrap_or(0)])
}

/// The place of a tier in the playbook's order.
fn rank<'a>(tiers: &[String], tier: Val<'_>) -> Val<'a> {
    let place = match tier {
        Val::Text(tier) => tiers.iter().position(|known| known == tier),
        _ => None,
    };
    place.map_or(Val::Unknown, |place| Val::Number(Decimal::from(place)))
}

fn text_test(test: TextTest, of: Val<'_>, with: Val<'_>) -> Val<'static> {
    let (Val::Text(of), Val::Text(with)) = (of, with) else {
        return Val::Bool(false);
    };
    Val::Bool(match test {
        TextTest::StartsWith => of.starts_with(with),
        TextTest::EndsWith => of.ends_with(with),
        TextTest::Contains => of.contains(with),
    })
}

impl<'a> Instant<'a> {
    fn element(&self, element: program::Element, frame: Option<&Frame<'_, 'a>>) -> Option<Element<'a>> {
        match element {
            program::Element::Variable(depth) => frame.and_then(|frame| Frame::at(frame, depth)),
            program::Element::Event => self.facts()?.event().map(Element::Event),
            program::Element::Order => self.facts()?.order().map(Element::Order),
            program::Element::Cart => self.facts()?.cart().map(Element::Cart),
            program::Element::CartItem => self.facts()?.cart_item().map(Element::CartItem),
        }
    }

    fn member(&self, member: Member) -> Held<'a> {
        let Some(facts) = self.facts() else {
            return Held::ever(Val::Unknown);
        };
        let text = |text: Option<&'a str>| Held::ever(text.map_or(Val::Unknown, Val::Text));
        match member {
            Member::Tier => text(facts.tier()),
            Member::Lifecycle => text(facts.lifecycle()),
            Member::Store => text(facts.store()),
            Member::Points => Held::ever(Val::Number(Decimal::from(facts.points()))),
            Member::EnrolledAt => Held::ever(facts.enrolled_at().map_or(Val::Unknown, Val::Time)),
            Member::Age => {
                let Some(birthday) = self.birthday() else {
                    return Held::ever(Val::Unknown);
                };
                let age = birthday.age(self.today).map(|age| Val::Number(Decimal::from(age)));
                Held {
                    val: age.unwrap_or(Val::Unknown),
                    until: Until::of_day(birthday.older_after(self.today)),
                }
            }
            Member::DaysToBirthday | Member::DaysSinceBirthday => {
                let Some(birthday) = self.birthday() else {
                    return Held::ever(Val::Unknown);
                };
                let days = match member {
                    Member::DaysToBirthday => birthday.days_to(self.today),
                    _ => birthday.days_since(self.today),
                };
                let val = days.map_or(Val::Unknown, |days| Val::Number(Decimal::from(days)));
                Held { val, until: Until::Day(self.today.plus(1)) }
            }
            Member::IsBirthday => {
                let Some(birthday) = self.birthday() else {
                    return Held::ever(Val::Unknown);
                };
                let is_on = birthday.is_on(self.today);
                let until = if is_on { Some(self.today.plus(1)) } else { birthday.next_after(self.today) };
                Held { val: Val::Bool(is_on), until: Until::of_day(until) }
            }
        }
    }

    fn has_tag(&self, tag: Val<'_>) -> Val<'a> {
        Val::Bool(match (tag, self.facts()) {
            (Val::Text(tag), Some(facts)) => facts.has_tag(tag),
            _ => false,
        })
    }

    fn days_since(&self, of: Held<'_>) -> Held<'a> {
        match self.day_of(of.val) {
            Some(day) => {
                let days = i64::from(self.today.0) - i64::from(day.0);
                let until = self.sooner(of.until, Until::Day(self.today.plus(1)));
                Held { val: Val::Number(Decimal::from(days)), until }
            }
            None => Held { val: Val::Unknown, until: of.until },
        }
    }

    fn birthday(&self) -> Option<Birthday> {
        Birthday::parse(self.facts()?.attribute("birthday")?.text()?)
    }

    /// The calendar day of a time, a date, or a text that writes one.
    fn day_of(&self, val: Val<'_>) -> Option<Day> {
        match val {
            Val::Time(time) => Some(self.zone.day(time)),
            Val::Date(day) => Some(day),
            Val::Text(text) => crate::value::day(text),
            _ => None,
        }
    }

    /// `&&` (decided by a false part) and `||` (decided by a true one). What is decided stays so while one
    /// deciding part does; what is not stays so while all parts do.
    fn joined(&self, parts: &'a [Node], frame: Option<&Frame<'_, 'a>>, decided_by: bool) -> Held<'a> {
        let mut decided: Option<Until> = None;
        let mut undecided = Until::EVER;
        for part in parts {
            let held = eval(self, part, frame);
            if held.val.is_true() == decided_by {
                let until = decided.map_or(held.until, |until| self.later(until, held.until));
                if until == Until::EVER {
                    return Held::ever(Val::Bool(decided_by));
                }
                decided = Some(until);
            } else {
                undecided = self.sooner(undecided, held.until);
            }
        }
        match decided {
            Some(until) => Held { val: Val::Bool(decided_by), until },
            None => Held { val: Val::Bool(!decided_by), until: undecided },
        }
    }

    fn among(&self, parts: &'a [Node], frame: Option<&Frame<'_, 'a>>) -> Held<'a> {
        let Some((needle, candidates)) = parts.split_first() else {
            return Held::ever(Val::Bool(false));
        };
        if let Some(held) = self.weekday_turn(needle, candidates) {
            return held;
        }
        let needle = eval(self, needle, frame);
        let mut all = needle.until;
        for candidate in candidates {
            let candidate = eval(self, candidate, frame);
            let until = self.sooner(needle.until, candidate.until);
            if satisfies(needle.val.order(candidate.val, self.zone), Operator::Equal) {
                return Held { val: Val::Bool(true), until };
            }
            all = self.sooner(all, until);
        }
        Held { val: Val::Bool(false), until: all }
    }
}
