//! Audiences: who a condition holds for, now or as of a past day; how many, which of them, by what they differ, and why
//! somebody is or is not among them.
//!
//! Whoever asks compiles a condition of the condition language over everything a member is ([`Asked`]), and asks
//! [everybody](asking::Asking) at a [`Moment`]. What is read of the record becomes a person by [`person`]. A grant sees whom it
//! may see: the others are not counted.

pub mod affinity;
pub mod answers;
pub(crate) mod asking;
pub mod by;
pub mod clickhouse;
pub mod export;
mod fresh;
pub mod keep;
mod least;
mod leaving;
mod one;
mod pasts;
pub mod patience;
mod person;
pub mod plan;
mod reading;
mod reconcile;
mod snapshots;
pub mod why;

use std::collections::BTreeSet;

use zhiyin_audience::OverBudget;
use zhiyin_audience::sql::NotInSql;
use zhiyin_condition::tree::{Expr, Kind};
use zhiyin_condition::{Condition, Problem};
use zhiyin_decide::rules::Rules;
use zhiyin_model::mask::Mask;
use zhiyin_model::time::{Day, Ts};
use zhiyin_reach::clickhouse::Trouble;
use zhiyin_store::read::AsOf;

use crate::boxed;
use crate::sight::is_personal;
use crate::{Engine, EngineError, Live, Result, clock};

/// Members that are read at once.
const AT_ONCE: usize = 1_000;
/// The most audiences that are laid over each other.
pub const OVERLAP_MAX: usize = 8;
/// The most that are sampled, or the first of by a number.
pub const PICKED_MAX: usize = 100_000;
/// The most different values by which an audience is broken down.
pub const VALUES_MAX: usize = 1_000;

/// Why an audience cannot be asked for like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AudienceProblem {
    /// The condition does not check.
    #[error("{}", said(.0))]
    Condition(Vec<Problem>),
    /// What it is broken down or put in order by does not check.
    #[error("{}", said(.0))]
    By(Vec<Problem>),
    /// There is no saved audience of this name.
    #[error("there is no audience called {0}; `zhiyin audience list` lists them")]
    Unknown(String),
    /// It asks a list that is uploaded by hand, and was not yet.
    #[error("{0} is a list, and nothing was uploaded to it yet: `zhiyin audience import-list {0} FILE`")]
    List(String),
    /// Too few or too many audiences at once.
    #[error("1 to {OVERLAP_MAX} audiences at once")]
    HowMany,
    /// Too few or too many members at once.
    #[error("1 to {PICKED_MAX} members")]
    Picked,
    /// Nobody forecasts for so few or so many days.
    #[error("{} to {} days", affinity::DAYS.start(), affinity::DAYS.end())]
    AffinityDays,
    /// There is too little to learn from.
    #[error("{0}")]
    NoAffinity(zhiyin_insight::affinity::NoModel),
    /// Nothing was bought of it.
    #[error("nothing was bought of {0}, or it is not among the 300 categories of which most was")]
    CategoryUnknown(String),
    /// It has too many different values.
    #[error("more than {VALUES_MAX} different values; give a step for numbers")]
    Values,
    /// A histogram's step that is none.
    #[error("a step is a number above zero")]
    Step,
    /// They are not there yet.
    #[error("{0}; try again shortly")]
    Unavailable(&'static str),
    /// They would take more memory than they may.
    #[error("{0}; give them more memory (--audience-memory), or ask of a smaller home")]
    OverBudget(OverBudget),
    /// Nobody could tell within so many seconds.
    #[error("there was no answer within {0} seconds; give it more time, or ask less at once")]
    TookTooLong(u64),
    /// A question may not be given so long.
    #[error("1 to {} seconds", patience::PATIENCE_MAX_SECONDS)]
    Patience,
    /// ClickHouse does not answer, or says no.
    #[error("{}: {_0}", _0.code())]
    ClickHouse(Trouble),
    /// What is there cannot be spoken to.
    #[error("{0}")]
    ClickHouseUnfit(String),
    /// It cannot be asked of ClickHouse.
    #[error("{0}")]
    NotInSql(NotInSql),
    /// Nobody plans for that many.
    #[error("1 to 4,000,000,000 members, at most 10,000 orders each")]
    Plan,
    /// Nobody is known in this namespace.
    #[error("nobody bears a name of the namespace {0}")]
    Namespace(String),
}

fn said(problems: &[Problem]) -> String {
    let one = |problem: &Problem| {
        let hint = problem.suggestion.as_ref().map(|name| format!("; did you mean {name}?"));
        format!("column {}: {}{}", problem.column, problem.message, hint.unwrap_or_default())
    };
    problems.iter().map(one).collect::<Vec<_>>().join("; ")
}

impl AudienceProblem {
    /// A name that stays, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Condition(_) => "bad_condition",
            Self::By(_) => "bad_expression",
            Self::Unknown(_) => "audience_unknown",
            Self::List(_) => "audience_is_a_list",
            Self::HowMany => "too_many_audiences",
            Self::Picked | Self::Plan => "too_many_members",
            Self::AffinityDays => "bad_days",
            Self::NoAffinity(_) => "too_little_history",
            Self::CategoryUnknown(_) => "category_unknown",
            Self::Values => "too_many_values",
            Self::Step => "bad_step",
            Self::Unavailable(_) | Self::OverBudget(_) | Self::ClickHouse(_) | Self::ClickHouseUnfit(_) => {
                "audiences_unavailable"
            }
            Self::NotInSql(_) => "not_in_clickhouse",
            Self::TookTooLong(_) => "audience_took_too_long",
            Self::Patience => "bad_query",
            Self::Namespace(_) => "namespace_unknown",
        }
    }

    /// The field at fault.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Condition(_) | Self::Unknown(_) | Self::List(_) | Self::NotInSql(_) => "condition",
            Self::By(_) | Self::Values => "by",
            Self::HowMany => "conditions",
            Self::Picked => "n",
            Self::Step => "step",
            Self::AffinityDays => "days",
            Self::NoAffinity(_) => "",
            Self::CategoryUnknown(_) => "category",
            Self::Namespace(_) => "namespace",
            Self::Unavailable(_) | Self::OverBudget(_) | Self::ClickHouse(_) | Self::ClickHouseUnfit(_) => "",
            Self::TookTooLong(_) => "",
            Self::Patience => "timeout_seconds",
            Self::Plan => "members",
        }
    }
}

/// When a question is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The last instant that counts.
    pub at: Ts,
    /// True for the end of a day that was asked for: attributes and tags are then still those of now.
    pub past: bool,
    day: Day,
    over_days: i32,
}

impl Moment {
    pub(crate) const fn as_of(&self) -> AsOf {
        AsOf { at: self.at, day: self.day, over_days: self.over_days }
    }
}

/// A condition, checked as an audience.
pub(crate) fn checked(live: &Live, text: &str) -> Result<Condition> {
    let (text, lists) = (text.trim(), live.lists());
    let saved = match text.strip_prefix('@') {
        None => None,
        Some(name) if live.playbook.audiences.contains_key(name) || lists.contains(name) => {
            Some(format!("audience({name:?})"))
        }
        Some(name) => return Err(AudienceProblem::Unknown(name.to_owned()).into()),
    };
    let text = saved.as_deref().unwrap_or(text);
    let condition = Rules::audience(&live.playbook, &lists, text).map_err(AudienceProblem::Condition)?;
    match list_in(live, &lists, condition.tree(), 0) {
        // Nobody is on it yet, which is not what was asked.
        Some(list) => Err(AudienceProblem::List(list).into()),
        None => Ok(condition),
    }
}

/// The same for somebody who is shown so much of people: what says who somebody is may not be compared by whoever is not
/// shown it, or how many there are of a phone would say whose it is. Whether there is one at all may be asked, and saved
/// audiences may be, which somebody else wrote.
pub(crate) fn checked_for(live: &Live, text: &str, mask: Mask) -> Result<Condition> {
    let condition = checked(live, text)?;
    match personal_in(condition.tree()).filter(|_| mask != Mask::Full) {
        Some((name, column)) => {
            let message = format!("attr.{name} says who somebody is, which this role is not shown");
            Err(AudienceProblem::Condition(vec![Problem { column, message, suggestion: None }]).into())
        }
        None => Ok(condition),
    }
}

/// An attribute that says who somebody is and that an expression reads, and where it stands.
fn personal_in(expr: &Expr) -> Option<(&str, usize)> {
    match &expr.kind {
        Kind::Has(_) => None,
        Kind::Field { of, name } if matches!(&of.kind, Kind::Name(of) if of == "attr") => {
            is_personal(name).then_some((name.as_str(), expr.at.0 as usize))
        }
        _ => expr.parts().into_iter().find_map(personal_in),
    }
}

/// A list of the playbook that nobody uploaded yet and that an expression asks, itself or through the audiences that it names.
fn list_in(live: &Live, lists: &BTreeSet<String>, expr: &Expr, depth: usize) -> Option<String> {
    /// Audiences that name each other in a circle do not check; this is for what is read twice.
    const DEPTH_MAX: usize = 64;
    if let Kind::Call { function, arguments } = &expr.kind
        && let ("audience", Some(Kind::Text(name))) =
            (function.as_str(), arguments.first().map(|one| &one.kind))
    {
        let saved = live.playbook.audiences.get(name)?;
        let Some(who) = &saved.who else { return (!lists.contains(name)).then(|| name.clone()) };
        if depth >= DEPTH_MAX {
            return None;
        }
        let within = Rules::audience(&live.playbook, lists, &who.text).ok()?;
        return list_in(live, lists, within.tree(), depth + 1);
    }
    expr.parts().into_iter().find_map(|part| list_in(live, lists, part, depth))
}

/// An expression with one value, as a condition whose program holds it.
pub(crate) fn expression(live: &Live, text: &str) -> Result<Condition> {
    let known = format!("({}) != null", text.trim());
    let moved = |mut problem: Problem| {
        problem.column = problem.column.saturating_sub(1);
        problem
    };
    let checked = Rules::audience(&live.playbook, &live.lists(), &known);
    Ok(checked.map_err(|problems| AudienceProblem::By(problems.into_iter().map(moved).collect()))?)
}

impl Engine {
    /// The end of a day that was asked for, or now.
    #[boxed]
    pub async fn moment(&self, day: Option<Day>) -> Result<Moment> {
        let live = self.live()?;
        self.lists_known(&live).await?;
        let now = clock::now(&self.home().await?);
        let zone = &live.rules.zone;
        let today = zone.day(now);
        if let Some(day) = day.filter(|day| *day > today) {
            return Err(EngineError::AsOfFuture(day.to_string(), now.rfc3339()));
        }
        let at = day.map_or(now, |day| zone.end(day));
        let over_days = live.rules.tiers.over_days;
        Ok(Moment { at, past: day.is_some(), day: day.unwrap_or(today), over_days })
    }
}
