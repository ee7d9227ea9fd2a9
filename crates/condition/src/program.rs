//! What a tree compiles to: names resolved, constants read, history cut into leaves. Only the compiler
//! makes programs, so the evaluator need not doubt them.
//!
//! A variable is named by its depth: 0 is the innermost macro's element.

use std::sync::Arc;

use zhiyin_model::playbook::Consent;

use crate::cell::Side;
use crate::schema::AttributeType;
use crate::stage::Stage;
use crate::tree::Operator;
use crate::value::Value;

/// A compiled expression with a single value.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A constant.
    Const(Value),
    /// Something of the member.
    Member(Member),
    /// `attr.NAME`.
    Attribute(Box<str>, AttributeType),
    /// The instant of the evaluation.
    Now,
    /// A field of a row, or of the event or order at hand.
    Field(Element, Field),
    /// A macro's element that is itself a value.
    Variable(u8),
    /// A field that was worked out when the row was kept.
    Slot(u8, u16),
    /// A leaf of history.
    Leaf(LeafUse),
    /// Whether there is a value.
    Known(Box<Node>),
    /// Whether there is an event or order at hand.
    AtHand(Element),
    /// `!x`.
    Not(Box<Node>),
    /// `-x`.
    Negate(Box<Node>),
    /// All hold.
    And(Vec<Node>),
    /// One holds.
    Or(Vec<Node>),
    /// `test ? then : otherwise`.
    If(Box<[Node; 3]>),
    /// Two values compared.
    Compare(Operator, Box<[Node; 2]>),
    /// Two numbers reckoned with.
    Reckon(Operator, Box<[Node; 2]>),
    /// Whether the first is equal to one of the rest.
    Among(Vec<Node>),
    /// Whether the member has a tag.
    HasTag(Box<Node>),
    /// The place of a tier in the playbook's order.
    Rank(Arc<[String]>, Box<Node>),
    /// A text asked for a part.
    TextTest(TextTest, Box<[Node; 2]>),
    /// Days since a date or the day of a time.
    DaysSince(Box<Node>),
    /// The hour of a time, 0 to 23.
    Hour(Box<Node>),
    /// The weekday of a time or date: `mon` … `sun`.
    Weekday(Box<Node>),
    /// The time of day of a time.
    Clock(Box<Node>),
    /// A list at hand, folded.
    Local(List, Fold),
    /// Whether something may be done by what the member said.
    Consent(Box<ConsentAsked>),
    /// The member's bucket under a salt, 0 to 99.99.
    Bucket(Box<str>),
    /// Whether the member is on a list that was uploaded by hand.
    Listed(Box<str>),
}

/// What consent is asked for, and by which terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentAsked {
    /// For what.
    pub purpose: String,
    /// By which channel; empty for all.
    pub channel: String,
    /// The playbook's, of this purpose alone.
    pub terms: Consent,
}

/// Something of the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// Whole years.
    Age,
    /// The tier held.
    Tier,
    /// Points shown.
    Points,
    /// The stage of the lifecycle.
    Lifecycle,
    /// The home store.
    Store,
    /// When they enrolled.
    EnrolledAt,
    /// Whether today is their birthday.
    IsBirthday,
    /// Days until their next birthday; 0 on the day.
    DaysToBirthday,
    /// Days since their last birthday; 0 on the day.
    DaysSinceBirthday,
}

/// A row that has fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// A macro's element.
    Variable(u8),
    /// The event at hand.
    Event,
    /// The order at hand.
    Order,
    /// The cart at hand.
    Cart,
    /// The item of a cart at hand.
    CartItem,
}

/// A field of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// When it happened.
    Time,
    /// What was paid, in major units.
    Paid,
    /// Where.
    Store,
    /// Through which channel.
    Channel,
    /// An event's name.
    Name,
    /// An item's product.
    Product,
    /// An item's category.
    Category,
    /// An item's department.
    Department,
    /// An item's pieces.
    Quantity,
    /// What an event says.
    Property(Box<str>),
    /// A dependant's kind.
    Kind,
    /// A dependant's gender.
    Gender,
    /// A dependant's birthday.
    Birthday,
    /// When a dependant is due.
    DueOn,
    /// What time moves of a dependant.
    Stage(Stage),
    /// A cart's region.
    Region,
    /// How a cart will be paid.
    Payment,
    /// What a cart's items cost by list prices.
    Total,
    /// A cart's pieces.
    Pieces,
    /// A cart's shipping.
    Shipping,
    /// An item's brand.
    Brand,
    /// Where an item is.
    Zone,
    /// What a piece costs.
    Price,
}

/// What a text is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextTest {
    /// `x.startsWith("a")`.
    StartsWith,
    /// `x.endsWith("a")`.
    EndsWith,
    /// `x.contains("a")`.
    Contains,
}

/// A list at hand and what becomes of its elements.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// Its elements.
    pub base: Base,
    /// What is done to each, one after the other.
    pub steps: Vec<Step>,
}

/// Where the elements of a list come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Base {
    /// The member's tags.
    Tags,
    /// Whom the member cares for.
    Dependants,
    /// An attribute of several texts.
    Texts(Box<str>),
    /// The items of an order.
    Items(Element),
    /// As written.
    Values(Vec<Node>),
}

/// What a macro does to each element. The element is variable 0 in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Keeps those for which it holds.
    Filter(Node),
    /// Replaces each by it.
    Map(Node),
}

impl Step {
    /// What is asked of each element.
    pub const fn body(&self) -> &Node {
        match self {
            Self::Filter(body) | Self::Map(body) => body,
        }
    }

    pub(crate) const fn body_mut(&mut self) -> &mut Node {
        match self {
            Self::Filter(body) | Self::Map(body) => body,
        }
    }
}

/// What a list is folded into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// How many.
    Count,
    /// Whether there is one.
    Exists,
    /// Of the numbers among them.
    Sum,
    /// Of the numbers among them.
    Mean,
    /// Of numbers, dates or times.
    Least,
    /// Of numbers, dates or times.
    Greatest,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Orders that count.
    Orders,
    /// Their items.
    Items,
    /// Events of a name.
    Events(Box<str>),
}

/// The part of history that is looked at; no limit where `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Calendar days back, today counted apart.
    pub days: Option<u32>,
    /// Elapsed hours back.
    pub hours: Option<u32>,
}

/// What is kept of history for a leaf: a state per member.
#[derive(Clone, Debug, PartialEq)]
pub struct LeafSpec {
    /// Of which rows.
    pub source: Source,
    /// What is done to each row as it comes in; depends on the row alone.
    pub steps: Vec<Step>,
    /// What is kept of them.
    pub measure: Measure,
    /// What no window reaches may be forgotten.
    pub window: Window,
}

/// What is kept. Nodes are read of the element after the steps, as variable 0.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// How many.
    Count,
    /// Of the numbers among them.
    Sum(Node),
    /// The least number, date or time.
    Least(Node),
    /// The greatest number, date or time.
    Greatest(Node),
    /// What is asked of the first row.
    First(Node),
    /// What is asked of the last row.
    Last(Node),
    /// Rows per day of the latest days, without a window.
    Gaps,
    /// The latest rows, with these values of each.
    Rows(Vec<Node>),
}

impl Measure {
    /// Which end it wants.
    pub(crate) const fn side(&self) -> Side {
        match self {
            Self::Least(_) | Self::First(_) => Side::Low,
            _ => Side::High,
        }
    }

    /// What is measured of each row, if it is one value.
    pub(crate) const fn node(&self) -> Option<&Node> {
        match self {
            Self::Sum(node)
            | Self::Least(node)
            | Self::Greatest(node)
            | Self::First(node)
            | Self::Last(node) => Some(node),
            Self::Count | Self::Gaps | Self::Rows(_) => None,
        }
    }
}

/// How a condition reads a leaf.
#[derive(Clone, Debug, PartialEq)]
pub struct LeafUse {
    /// Among the condition's own leaves.
    pub leaf: u16,
    /// How far back.
    pub window: Window,
    /// Which end the leaf's measure wants.
    pub side: Side,
    /// What is made of it.
    pub view: View,
}

/// What is made of what a leaf keeps.
#[derive(Clone, Debug, PartialEq)]
pub enum View {
    /// What the measure measures.
    Plain,
    /// The mean, of a sum.
    Mean,
    /// The median gap, of counts per day.
    MedianGap,
    /// What the remaining steps and the fold make of kept rows.
    Rows(Vec<Step>, RowsFold),
}

/// What kept rows are folded into.
#[derive(Clone, Debug, PartialEq)]
pub enum RowsFold {
    /// One value of all.
    Fold(Fold),
    /// What is asked of the first.
    First(Box<Node>),
    /// What is asked of the last.
    Last(Box<Node>),
    /// The median of the days between them.
    MedianGap,
}

/// What an expression reads beside constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reads {
    /// The variables it reads: bit *n* for depth *n*.
    pub(crate) variables: u64,
    /// Something that is no variable: the member, the instant, another leaf, the event at hand.
    pub(crate) world: bool,
}

impl Reads {
    const NOTHING: Self = Self { variables: 0, world: false };
    const WORLD: Self = Self { variables: 0, world: true };

    const fn variable(depth: u8) -> Self {
        Self { variables: 1 << depth, world: false }
    }

    const fn and(self, other: Self) -> Self {
        Self { variables: self.variables | other.variables, world: self.world || other.world }
    }

    /// What the body of a macro reads, seen from outside of it.
    const fn outside(self) -> Self {
        Self { variables: self.variables >> 1, world: self.world }
    }

    /// Whether it can be worked out of a row alone, as it comes in.
    pub(crate) const fn is_of_row(self) -> bool {
        !self.world && self.variables >> 1 == 0
    }
}

impl Element {
    const fn reads(self) -> Reads {
        match self {
            Self::Variable(depth) => Reads::variable(depth),
            Self::Event | Self::Order | Self::Cart | Self::CartItem => Reads::WORLD,
        }
    }
}

impl Node {
    /// Its parts.
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::Known(of) | Self::Not(of) | Self::Negate(of) | Self::HasTag(of) | Self::Rank(_, of) => {
                std::slice::from_ref(of)
            }
            Self::DaysSince(of) | Self::Hour(of) | Self::Weekday(of) | Self::Clock(of) => {
                std::slice::from_ref(of)
            }
            Self::And(parts) | Self::Or(parts) | Self::Among(parts) => parts,
            Self::If(parts) => &**parts,
            Self::Compare(_, parts) | Self::Reckon(_, parts) | Self::TextTest(_, parts) => &**parts,
            _ => &[],
        }
    }

    /// Its parts, to be changed.
    pub(crate) fn parts_mut(&mut self) -> &mut [Self] {
        match self {
            Self::Known(of) | Self::Not(of) | Self::Negate(of) | Self::HasTag(of) | Self::Rank(_, of) => {
                std::slice::from_mut(of)
            }
            Self::DaysSince(of) | Self::Hour(of) | Self::Weekday(of) | Self::Clock(of) => {
                std::slice::from_mut(of)
            }
            Self::And(parts) | Self::Or(parts) | Self::Among(parts) => parts,
            Self::If(parts) => &mut **parts,
            Self::Compare(_, parts) | Self::Reckon(_, parts) | Self::TextTest(_, parts) => &mut **parts,
            _ => &mut [],
        }
    }

    /// What it reads. A leaf's own nodes read nothing from around it: that was checked when it was made.
    pub(crate) fn reads(&self) -> Reads {
        let own = match self {
            Self::Variable(depth) | Self::Slot(depth, _) => Reads::variable(*depth),
            Self::Field(element, _) | Self::AtHand(element) => element.reads(),
            Self::Leaf(_) | Self::Now | Self::Member(_) | Self::Attribute(..) => Reads::WORLD,
            Self::HasTag(_) | Self::DaysSince(_) | Self::Consent(_) => Reads::WORLD,
            Self::Bucket(_) | Self::Listed(_) => Reads::WORLD,
            Self::Local(list, _) => list.reads(),
            _ => Reads::NOTHING,
        };
        self.parts().iter().fold(own, |reads, part| reads.and(part.reads()))
    }

    /// Takes it out of `by` macros around it: variables from `from` on move down.
    pub(crate) fn lower(&mut self, from: u8, by: u8) {
        match self {
            Self::Variable(depth) | Self::Slot(depth, _) | Self::Field(Element::Variable(depth), _)
                if *depth >= from =>
            {
                *depth -= by;
            }
            Self::Local(list, _) => {
                match &mut list.base {
                    Base::Items(Element::Variable(depth)) if *depth >= from => *depth -= by,
                    Base::Values(values) => values.iter_mut().for_each(|value| value.lower(from, by)),
                    _ => {}
                }
                list.steps.iter_mut().for_each(|step| step.body_mut().lower(from + 1, by));
            }
            _ => {}
        }
        self.parts_mut().iter_mut().for_each(|part| part.lower(from, by));
    }
}

impl List {
    fn reads(&self) -> Reads {
        let base = match &self.base {
            Base::Items(element) => element.reads(),
            Base::Values(values) => {
                values.iter().fold(Reads::NOTHING, |reads, value| reads.and(value.reads()))
            }
            Base::Tags | Base::Dependants | Base::Texts(_) => Reads::WORLD,
        };
        self.steps.iter().fold(base, |reads, step| reads.and(step.body().reads().outside()))
    }
}
