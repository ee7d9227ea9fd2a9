//! The types of the language, the fields of rows, and their names for people.

use crate::program::{Element, Field, LeafUse, List, Node, Source, Step, Window};
use crate::schema::AttributeType;
use crate::stage::Stage;

/// The type of a single value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Null,
    Bool,
    Number,
    Text,
    Date,
    Time,
    Clock,
    Tier,
    Stage,
    Weekday,
    /// A property: of whatever type it comes with.
    Any,
}

/// The kind of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowType {
    Order,
    Item,
    Event,
    Dependant,
    Cart,
    CartItem,
}

/// What the elements of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elements {
    Rows(RowType),
    Values(Type),
}

/// What an expression compiles to.
#[derive(Clone, Debug)]
pub(crate) enum Made {
    /// A single value.
    Scalar(Type, Node),
    /// A row at hand.
    Element(RowType, Element),
    /// The first or last row of history, by the leaf of its time.
    Picked(RowType, LeafUse),
    /// A list at hand.
    List(List, Elements),
    /// Rows of history, or what was made of them.
    Chain(Chain),
}

/// Rows of history on their way to a leaf.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) source: Source,
    pub(crate) window: Window,
    pub(crate) steps: Vec<Step>,
    pub(crate) elements: Elements,
}

impl Type {
    /// For people.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a yes or no",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Date => "a date",
            Self::Time => "a time",
            Self::Clock => "a time of day",
            Self::Tier => "a tier",
            Self::Stage => "a stage of the lifecycle",
            Self::Weekday => "a day of the week",
            Self::Any => "a property",
        }
    }

    pub(crate) const fn of_attribute(declared: AttributeType) -> Option<Self> {
        match declared {
            AttributeType::Bool => Some(Self::Bool),
            AttributeType::Number => Some(Self::Number),
            AttributeType::Text => Some(Self::Text),
            AttributeType::Date => Some(Self::Date),
            AttributeType::Texts => None,
        }
    }

    /// Whether its values are texts.
    pub(crate) const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Tier | Self::Stage | Self::Weekday)
    }

    /// Whether its values are written as texts.
    pub(crate) const fn is_written(self) -> bool {
        self.is_text() || matches!(self, Self::Date | Self::Time | Self::Clock | Self::Any)
    }

    /// Whether two can be equal.
    pub(crate) fn equates(self, other: Self) -> bool {
        let days = |a, b| matches!((a, b), (Self::Date, Self::Time));
        self == other
            || self == Self::Any
            || other == Self::Any
            || days(self, other)
            || days(other, self)
            || (self == Self::Text && other.is_text())
            || (other == Self::Text && self.is_text())
    }

    /// Whether its values have an order.
    pub(crate) const fn is_ordered(self) -> bool {
        matches!(
            self,
            Self::Number | Self::Text | Self::Date | Self::Time | Self::Clock | Self::Tier | Self::Any
        )
    }
}

impl RowType {
    /// For people.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Order => "an order",
            Self::Item => "an item",
            Self::Event => "an event",
            Self::Dependant => "a dependant",
            Self::Cart => "a cart",
            Self::CartItem => "an item of a cart",
        }
    }

    /// Its fields that are single values.
    pub(crate) const fn fields(self) -> &'static [(&'static str, Type, Field)] {
        const TIME: (&str, Type, Field) = ("time", Type::Time, Field::Time);
        const PAID: (&str, Type, Field) = ("paid", Type::Number, Field::Paid);
        const STORE: (&str, Type, Field) = ("store", Type::Text, Field::Store);
        const CHANNEL: (&str, Type, Field) = ("channel", Type::Text, Field::Channel);
        match self {
            Self::Order => &[TIME, PAID, STORE, CHANNEL],
            Self::Item => &[
                ("product", Type::Text, Field::Product),
                ("category", Type::Text, Field::Category),
                ("department", Type::Text, Field::Department),
                ("quantity", Type::Number, Field::Quantity),
                PAID,
                TIME,
                STORE,
                CHANNEL,
            ],
            Self::Event => &[("name", Type::Text, Field::Name), TIME, STORE, CHANNEL],
            Self::Cart => crate::cart::CART,
            Self::CartItem => crate::cart::ITEM,
            Self::Dependant => &[
                ("kind", Type::Text, Field::Kind),
                ("gender", Type::Text, Field::Gender),
                ("birthday", Type::Date, Field::Birthday),
                ("due_on", Type::Date, Field::DueOn),
                ("age_weeks", Type::Number, Field::Stage(Stage::AgeWeeks)),
                ("age_months", Type::Number, Field::Stage(Stage::AgeMonths)),
                ("age_years", Type::Number, Field::Stage(Stage::AgeYears)),
                ("weeks_to_due", Type::Number, Field::Stage(Stage::WeeksToDue)),
                ("pregnancy_week", Type::Number, Field::Stage(Stage::PregnancyWeek)),
            ],
        }
    }

    /// All its fields by name.
    pub(crate) fn field_names(self) -> impl Iterator<Item = &'static str> {
        let more: &[&str] = match self {
            Self::Order | Self::Cart => &["items"],
            Self::Item | Self::Dependant => &[],
            Self::Event | Self::CartItem => &["properties"],
        };
        self.fields().iter().map(|(name, ..)| *name).chain(more.iter().copied())
    }
}

impl Elements {
    /// For people.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Rows(RowType::Order) => "a list of orders".to_owned(),
            Self::Rows(RowType::Item) => "a list of items".to_owned(),
            Self::Rows(RowType::Event) => "a list of events".to_owned(),
            Self::Rows(RowType::Cart) => "a list of carts".to_owned(),
            Self::Rows(RowType::CartItem) => "a list of items of a cart".to_owned(),
            Self::Rows(RowType::Dependant) => "a list of dependants".to_owned(),
            Self::Values(Type::Number) => "a list of numbers".to_owned(),
            Self::Values(Type::Text) => "a list of texts".to_owned(),
            Self::Values(_) => "a list".to_owned(),
        }
    }
}

impl Made {
    /// For people.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Scalar(of, _) => of.words().to_owned(),
            Self::Element(of, _) | Self::Picked(of, _) => of.words().to_owned(),
            Self::List(_, elements) => elements.words(),
            Self::Chain(chain) => chain.elements.words(),
        }
    }
}
