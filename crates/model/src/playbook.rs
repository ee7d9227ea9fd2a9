//! The playbook: what a brand promises, as a file that was read, checked and turned into types.
//!
//! [`parse`] reads YAML (following `extends`), collects what is wrong with file, line and column, and gives a
//! [`Playbook`] in which nothing is left to validate but the conditions, which a room above this one checks.
//! [`Playbook::hash`] names a version, [`Playbook::source`] is what a database keeps of it, [`diff`] says in
//! words what another version changes. The grammar is in `docs/playbook.md`.

mod audience;
pub mod campaign;
mod canonical;
mod check;
pub mod claim;
mod consent;
mod diff;
pub mod draw;
mod extend;
mod identity;
pub mod link;
mod names;
mod nearest;
pub mod offer;
mod partner;
mod phrase;
mod problem;
mod raw;
mod reader;
pub mod shipped;
#[cfg(test)]
mod tests;
mod touchpoint;
pub mod way;
mod words;
mod yaml;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use audience::Audience;
pub use campaign::{Campaign, Message, Sending};
pub use consent::{Consent, Purpose};
pub use diff::{Change, ChangeKind, Touches, diff};
pub use draw::{Draw, DrawPrize};
pub use extend::Loader;
pub use identity::{Identity, NamespaceSaid};
pub use link::{Links, Page, Poster};
pub use names::{Language, Names};
pub use offer::{Offer, Offering, UseLimit, Within};
pub use partner::Partner;
pub use problem::{ConditionText, Location, Problem};
pub use raw::json_schema;
pub use touchpoint::{Touchpoint, TouchpointKind};

use crate::money::Currency;
use crate::role::Limits;
use crate::till::TillLimits;
use crate::time::{Day, Ts, Zone};

/// A checked playbook. Two are equal when they promise the same, however they are written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Playbook {
    /// The name of this playbook, as other playbooks extend it.
    pub id: String,
    /// The brand's zone: days, years and birthdays are its.
    #[serde(serialize_with = "canonical::zone")]
    pub timezone: Zone,
    /// The brand's currency; orders in another are refused.
    #[serde(serialize_with = "canonical::currency")]
    pub currency: Currency,
    /// Languages the brand speaks, the first before the others.
    pub languages: Vec<Language>,
    /// Attributes of members that conditions may name as `attr.NAME`.
    pub attributes: BTreeMap<String, AttributeDecl>,
    /// Known touchpoints by code. Events may carry other codes too.
    pub touchpoints: BTreeMap<String, Touchpoint>,
    /// Partners by code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub partners: BTreeMap<String, Partner>,
    /// What of an order counts.
    pub orders: Orders,
    /// The points account.
    pub points: Points,
    /// The growth value that tiers are judged by.
    pub growth: Growth,
    /// The levels and how long one holds.
    pub tiers: Tiers,
    /// The stages in the order of the file: a member is in the first that holds. The last is `true`.
    pub lifecycle: Vec<Stage>,
    /// Tags by id.
    pub tags: BTreeMap<String, Tag>,
    /// Saved audiences by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub audiences: BTreeMap<String, Audience>,
    /// What is offered, and in which order it applies.
    #[serde(skip_serializing_if = "Offering::is_default")]
    pub offering: Offering,
    /// Draws by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub draws: BTreeMap<String, Draw>,
    /// Texts that are sent, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: BTreeMap<String, Message>,
    /// Where short links lead, and from where.
    #[serde(skip_serializing_if = "Links::is_default")]
    pub links: Links,
    /// Posters by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub posters: BTreeMap<String, Poster>,
    /// Campaigns by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub campaigns: BTreeMap<String, Campaign>,
    /// What bounds everything that is sent.
    #[serde(skip_serializing_if = "Sending::is_default")]
    pub sending: Sending,
    /// Which names of people count, and how far.
    #[serde(skip_serializing_if = "Identity::is_default")]
    pub identity: Identity,
    /// What consent is asked for.
    #[serde(skip_serializing_if = "Consent::is_default")]
    pub consent: Consent,
    /// After how many days the bodies of events are let go, by event name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub retention: BTreeMap<String, u16>,
    /// Up to where one person decides alone.
    #[serde(skip_serializing_if = "is_default")]
    pub alone: Limits,
    /// What one lease of a till that sells without a network may have.
    #[serde(skip_serializing_if = "are_usual")]
    pub tills: TillLimits,
    /// How it was written.
    #[serde(skip)]
    source: canonical::Source,
}

fn are_usual(tills: &TillLimits) -> bool {
    *tills == TillLimits::default()
}

fn is_default(alone: &Limits) -> bool {
    *alone == Limits::default()
}

/// An attribute of members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttributeDecl {
    /// What people call it.
    pub name: Names,
    /// The type of its values.
    pub kind: AttributeKind,
    /// For how many days what was told stays: another value within them is not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes_after_days: Option<u16>,
}

/// The type of an attribute's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttributeKind {
    /// True or false.
    Bool,
    /// An exact number.
    Number,
    /// One text.
    Text,
    /// Several texts.
    Texts,
    /// A calendar day, `YYYY-MM-DD`.
    Date,
}

/// What of an order counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Orders {
    /// What "paid" means.
    pub paid: PaidRule,
    /// Whose orders earn neither points nor growth, such as staff and wholesalers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earn_nothing: Option<ConditionText>,
}

/// What "paid" means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PaidRule {
    /// The order's total without its shipping and its tax.
    #[default]
    #[serde(rename = "total less shipping and tax")]
    TotalLessShippingAndTax,
    /// The order's total as it is.
    #[serde(rename = "total")]
    Total,
}

/// The points account.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Points {
    /// What members call them.
    pub name: Names,
    /// When what was earned is lost.
    pub expire: Expiry,
    /// Whether a refund may take back what was spent already.
    pub debt: Debt,
    /// Days until what was earned may be spent; 0 = at once.
    pub hold_days: u16,
    /// What happens when several multipliers hold.
    pub combine: Combine,
    /// What is earned; several that hold add up.
    pub earn: Vec<Earn>,
    /// Multipliers of what is earned.
    pub times: Vec<Times>,
    /// What points are worth in money, where the brand says so.
    pub worth: Option<Worth>,
    /// The most that a member's orders of one day earn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_per_day: Option<i64>,
}

/// The growth value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Growth {
    /// What members call it.
    pub name: Names,
    /// What is earned; several that hold add up.
    pub earn: Vec<Earn>,
}

/// When points are lost, by the day they were earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// Never.
    Never,
    /// When the calendar year in which they were earned ends.
    EndOfCalendarYear,
    /// When the calendar year after that ends.
    EndOfNextCalendarYear,
    /// At 00:00 of the day this many days after the day they were earned.
    DaysAfterEarning(u16),
}

/// Whether an account may be below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Debt {
    /// A refund may take back what was spent already; new earnings pay it first.
    Allowed,
    /// A refund takes back at most what is left.
    Refused,
}

/// What happens when several multipliers hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// The largest wins.
    #[default]
    Largest,
    /// They are multiplied.
    Multiply,
}

/// So many points for so much paid: `points` for each whole `per_major` major units.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Earn {
    /// Points for each step.
    pub points: i64,
    /// The step, in whole major units of the brand's currency.
    pub per_major: i64,
    /// Only members for whom this holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<ConditionText>,
    /// Only orders and moments for which this holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<ConditionText>,
}

/// A multiplier of what is earned. At least one of its conditions is there; both must hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Times {
    /// The multiplier.
    pub times: Ratio,
    /// Members for whom it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<ConditionText>,
    /// Orders and moments for which it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<ConditionText>,
}

/// An exact multiplier in thousandths: 2 is 2000, 1.5 is 1500.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Ratio {
    thousandths: u32,
}

/// What points are worth: `major` major units of money for `points` points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Worth {
    /// Whole major units.
    pub major: i64,
    /// For this many points.
    pub points: i64,
}

/// The levels and how long one holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tiers {
    /// The days over which growth counts, and after which a tier is judged again.
    pub over_days: u16,
    /// From the lowest, which begins at 0, strictly upwards.
    pub levels: Vec<Level>,
}

/// One level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Level {
    /// As conditions name it.
    pub id: String,
    /// The least growth that holds it.
    pub from: i64,
    /// What members call it.
    pub name: Names,
    /// What its benefits are for.
    pub aim: Vec<Aim>,
    /// What it gives, as members read it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub benefits: Vec<Names>,
}

/// What a tier's benefits are for, and its report measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// To come more often.
    Frequency,
    /// To come by themselves.
    Habit,
    /// To bring friends.
    Referral,
    /// To buy more at once.
    Basket,
    /// To stay.
    Retention,
}

/// One stage of a member's life with the brand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// As conditions name it.
    pub id: String,
    /// What people call it.
    pub name: Names,
    /// What the brand does in it.
    pub phase: Phase,
    /// A member is in the first stage for which this holds.
    pub when: ConditionText,
}

/// What the brand does in a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Win a first order.
    #[serde(rename = "win")]
    Win,
    /// Let the relation grow.
    #[serde(rename = "grow")]
    Grow,
    /// Win the member back.
    #[serde(rename = "win back")]
    WinBack,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tag {
    /// What people call it.
    pub name: Names,
    /// The group it is listed in.
    pub group: Option<String>,
    /// The rule that gives and takes it; without one it is given by hand.
    pub who: Option<ConditionText>,
    /// Days a tag given by hand lasts.
    pub valid_days: Option<u16>,
    /// The first day of the tag.
    #[serde(serialize_with = "canonical::day")]
    pub from: Option<Day>,
    /// The last day of the tag.
    #[serde(serialize_with = "canonical::day")]
    pub until: Option<Day>,
    /// The group of tags on platforms in which it is made and kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
}

impl Tag {
    /// What it is called where staff see it: in the brand's first language, else by its id.
    pub fn shown<'a>(&'a self, id: &'a str) -> &'a str {
        self.name.zh.as_deref().or(self.name.en.as_deref()).unwrap_or(id)
    }
}

/// Reads and checks a playbook.
///
/// `file` is how the file is called in problems; `loader` fetches what `extends` names. Gives at most 50
/// problems, in the order of files and lines.
pub fn parse(file: &str, text: &str, loader: &Loader<'_>) -> Result<Playbook, Vec<Problem>> {
    let mut problems = Vec::new();
    let playbook = extend::load(file, text, loader, &mut problems).and_then(|loaded| {
        let source = canonical::Source::of(&loaded, text, &mut problems)?;
        let (raw, tree) = reader::read(loaded.tree, &mut problems)?;
        check::playbook(raw, &tree, source, &mut problems)
    });
    match playbook {
        Some(playbook) if problems.is_empty() => Ok(playbook),
        _ => Err(problem::in_order(problems)),
    }
}

impl Playbook {
    /// The touchpoint of a code, if it is declared.
    pub fn touchpoint(&self, code: &str) -> Option<&Touchpoint> {
        self.touchpoints.get(code)
    }

    /// The stage of an id.
    pub fn stage(&self, id: &str) -> Option<&Stage> {
        self.lifecycle.iter().find(|stage| stage.id == id)
    }

    /// Text from which [`parse`] gives an equal playbook without a loader: the file itself, comments
    /// and all, or, where it extends another, the two merged.
    pub fn source(&self) -> &str {
        self.source.text()
    }
}

impl Tiers {
    /// The index of the level that an amount of growth holds. Below zero it is the first.
    pub fn level_of(&self, growth: i64) -> usize {
        self.levels.iter().rposition(|level| level.from <= growth).unwrap_or(0)
    }

    /// The level of an id.
    pub fn level(&self, id: &str) -> Option<&Level> {
        self.levels.iter().find(|level| level.id == id)
    }
}

impl Expiry {
    /// The instant at which what is earned on a day is gone: always the 00:00 of a day of the zone.
    pub fn at(self, earned: Day, zone: &Zone) -> Ts {
        let new_year = |years: i16| {
            let year = earned.date().year().saturating_add(years);
            jiff::civil::Date::new(year, 1, 1).map_or(Ts::FOREVER, |date| zone.start(Day::from_date(date)))
        };
        match self {
            Self::Never => Ts::FOREVER,
            Self::EndOfCalendarYear => new_year(1),
            Self::EndOfNextCalendarYear => new_year(2),
            Self::DaysAfterEarning(days) => zone.start(earned.plus(i32::from(days))),
        }
    }
}

impl Earn {
    /// Points for an amount, before multipliers: whole steps only, nothing for an amount below zero.
    pub fn points_for(&self, paid_minor: i64, minor_per_major: i64) -> i64 {
        let step_minor = i128::from(self.per_major) * i128::from(minor_per_major);
        let steps = i128::from(paid_minor.max(0)) / step_minor.max(1);
        i64::try_from(steps * i128::from(self.points)).unwrap_or(i64::MAX)
    }
}

impl Ratio {
    /// Once: what holds when no multiplier does.
    pub const ONE: Self = Self { thousandths: 1000 };

    /// The ratio of so many thousandths.
    pub const fn from_thousandths(thousandths: u32) -> Self {
        Self { thousandths }
    }

    /// Its thousandths.
    pub const fn thousandths(self) -> u32 {
        self.thousandths
    }

    /// An amount this many times, rounded down.
    pub fn of(self, amount: i64) -> i64 {
        let product = (i128::from(amount) * i128::from(self.thousandths)).div_euclid(1000);
        i64::try_from(product).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX })
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.thousandths / 1000, self.thousandths % 1000);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        write!(f, "{whole}.{}", format!("{rest:03}").trim_end_matches('0'))
    }
}

impl Combine {
    /// The one multiplier of those that hold; [`Ratio::ONE`] if none does. A product is cut to thousandths
    /// after each step and held below 1,000.
    pub fn of(self, holding: impl IntoIterator<Item = Ratio>) -> Ratio {
        let holding = holding.into_iter();
        match self {
            Self::Largest => holding.max().unwrap_or(Ratio::ONE),
            Self::Multiply => holding.fold(Ratio::ONE, |product, next| {
                let thousandths = u64::from(product.thousandths) * u64::from(next.thousandths) / 1000;
                Ratio::from_thousandths(u32::try_from(thousandths.min(999_999)).unwrap_or(999_999))
            }),
        }
    }
}
