//! What is asked of everybody now, asked of ClickHouse: the same questions, refusals and order as of the columns.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rust_decimal::Decimal;
use tokio::sync::OwnedSemaphorePermit;
use zhiyin_audience::sql::asking::{LISTED_MAX, cells};
use zhiyin_audience::sql::{Among, Asked, Asking, NotInSql, Split, Tables, value};
use zhiyin_condition::Condition;
use zhiyin_condition::tree::Kind;
use zhiyin_model::effect::Asset;
use zhiyin_model::id::MemberId;
use zhiyin_model::mask::Mask;
use zhiyin_model::member::Member;
use zhiyin_model::role::{Bound, Grant, Operation};
use zhiyin_model::time::Day;
use zhiyin_reach::clickhouse::Trouble;
use zhiyin_store::StoreError;

use super::super::answers::{
    BreakdownView, CountView, ExactlyView, ExplainView, InAudienceView, OverlapView, StepView, Took,
    ValueView,
};
use super::super::by::{By, Shown, What};
use super::super::fresh::told_of;
use super::super::least::least;
use super::super::{AudienceProblem, Moment, VALUES_MAX, checked_for};
use super::servers::Servers;
use super::{Afar, State};
use crate::sight;
use crate::{Engine, Live, Result, clock};

/// The most different numbers that are laid into steps.
const NUMBERS_MAX: usize = 1_000_000;
/// Parts of a condition that are told apart by `explain`; what is beyond counts as one.
const PARTS_MAX: usize = 16;

/// Whom somebody may see.
enum Within {
    Everyone,
    Stores(Vec<String>),
    Members(Vec<MemberId>),
}

/// Everybody in ClickHouse at a moment, as far as somebody may see them.
pub(crate) struct Away {
    live: Arc<Live>,
    pub(crate) moment: Moment,
    pub(crate) mask: Mask,
    /// How much of people conditions may compare.
    may: Mask,
    servers: Arc<Servers>,
    tables: Arc<Tables>,
    within: Within,
    /// Its turn among questions.
    _turn: OwnedSemaphorePermit,
}

/// What came is not what was asked for.
fn unreadable() -> crate::EngineError {
    Trouble::Refused(0).into()
}

fn number(cell: Option<&Option<String>>) -> Result<u64> {
    cell.and_then(Option::as_deref).and_then(|text| text.parse().ok()).ok_or_else(unreadable)
}

fn member(cell: Option<&Option<String>>) -> Result<MemberId> {
    cell.and_then(Option::as_deref).and_then(MemberId::from_hex).ok_or_else(unreadable)
}

impl Engine {
    /// ClickHouse, if it is what is asked: everybody now, as far as a grant may see them. A past day is asked of the record.
    pub(crate) async fn away(
        &self,
        grant: &Grant,
        operation: Operation,
        day: Option<Day>,
    ) -> Result<Option<Away>> {
        let Some(afar) = self.clickhouse.get().filter(|_| day.is_none()) else { return Ok(None) };
        let filter = self.filter(grant, operation).await?;
        if !afar.keeps.load(Ordering::Relaxed) {
            self.clickhouse_caught_up(false).await?;
        }
        let (live, mut moment) = (self.live()?, self.moment(None).await?);
        let (tables, fresh) = ready(afar)?;
        // What is behind says so: it answers as of when nothing was missing.
        moment.at = told_of(moment.at, fresh);
        let within = match &filter.bound {
            Bound::Everything => Within::Everyone,
            Bound::Places(places) => Within::Stores(places.iter().cloned().collect()),
            Bound::Advisor(code) => Within::Members(self.looked_after_by(code).await?.into_iter().collect()),
        };
        let turn = Arc::clone(&self.audiences.turns).acquire_owned().await;
        let turn = turn.map_err(|error| StoreError::Database(error.to_string()))?;
        let servers = afar.servers().await?;
        let may = self.compares(grant, operation, filter.mask).await;
        Ok(Some(Away { live, moment, mask: filter.mask, may, servers, tables, within, _turn: turn }))
    }

    /// Members of a page as they are shown: as the record has them.
    pub(crate) async fn shown_in_audience(
        &self,
        ids: Vec<MemberId>,
        mask: Mask,
    ) -> Result<Vec<InAudienceView>> {
        let shown = |member: Member| InAudienceView {
            id: member.id.to_string(),
            name: sight::called(mask, &member),
            store: sight::store(&member).map(str::to_owned),
            points: member.account(Asset::Points).shown(),
            tier: member.term.map(|term| term.level),
            lifecycle: member.stage.map(|held| held.stage),
        };
        let mut members = self.store().reading().members(ids).await?;
        members.sort_unstable_by_key(|member| member.id);
        Ok(members.into_iter().map(shown).collect())
    }
}

fn ready(afar: &Afar) -> Result<(Arc<Tables>, zhiyin_model::time::Ts)> {
    match afar.state() {
        State::Ready { tables, fresh } => Ok((tables, fresh)),
        State::NotYet(why) => Err(AudienceProblem::Unavailable(why).into()),
        State::Trouble(trouble) => Err(trouble.into()),
    }
}

impl Away {
    fn as_of(&self) -> String {
        self.moment.at.rfc3339()
    }

    /// A condition, checked for whoever asks.
    pub(crate) fn checked(&self, text: &str) -> Result<Condition> {
        checked_for(&self.live, text, self.may)
    }

    fn asked(&self) -> Asked {
        Asked { now: self.moment.at, rows_until: None }
    }

    /// Asks of all whom somebody may see, so many of them at a time; lines of what is answered are cells.
    async fn each(
        &self,
        write: impl Fn(&Asking<'_>) -> std::result::Result<String, NotInSql>,
        mut read: impl FnMut(Vec<Option<String>>) -> Result<()>,
    ) -> Result<()> {
        let parts: Vec<Among<'_>> = match &self.within {
            Within::Everyone => vec![Among::Everyone],
            Within::Stores(stores) => vec![Among::Stores(stores)],
            Within::Members(members) => members.chunks(LISTED_MAX).map(Among::Members).collect(),
        };
        for among in parts {
            let asking = Asking { tables: &self.tables, asked: self.asked(), among };
            let answer = self.servers.ask(&write(&asking)?).await?;
            answer.lines().try_for_each(|line| read(cells(line)))?;
        }
        Ok(())
    }

    async fn counted(&self, condition: &Condition) -> Result<u64> {
        let mut count = 0;
        let read = |line: Vec<Option<String>>| {
            count += number(line.first())?;
            Ok(())
        };
        self.each(|asking| asking.count(condition), read).await?;
        Ok(count)
    }

    /// Ids of those for whom a condition holds, ascending; so many after one, where that is said.
    async fn listed(
        &self,
        condition: &Condition,
        page: Option<(Option<MemberId>, usize)>,
    ) -> Result<Vec<MemberId>> {
        let mut ids = Vec::new();
        let read = |line: Vec<Option<String>>| {
            ids.push(member(line.first())?);
            Ok(())
        };
        self.each(|asking| asking.members(condition, page), read).await?;
        Ok(ids)
    }

    /// How many there are.
    pub(crate) async fn count(&self, condition: &str) -> Result<CountView> {
        let condition = self.checked(condition)?;
        let watch = clock::stopwatch();
        let count = self.counted(&condition).await?;
        Ok(CountView { count, as_of: self.as_of(), took_ms: Took(watch.elapsed()) })
    }

    /// Who they are, by id.
    pub(crate) async fn members(&self, condition: &str) -> Result<Vec<MemberId>> {
        self.listed(&self.checked(condition)?, None).await
    }

    /// The first so many of them after one, by id.
    pub(crate) async fn page(
        &self,
        condition: &str,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<Vec<MemberId>> {
        let mut ids = self.listed(&self.checked(condition)?, Some((after, limit))).await?;
        ids.truncate(limit);
        Ok(ids)
    }

    /// What answering takes: the parts of a condition, each asked with those before it.
    pub(crate) async fn explain(&self, condition: &str) -> Result<ExplainView> {
        let whole = self.checked(condition)?;
        let texts: Vec<String> = match &whole.tree().kind {
            Kind::And(parts) => parts.iter().map(Condition::to_text).collect(),
            _ => vec![Condition::to_text(whole.tree())],
        };
        let watch = clock::stopwatch();
        let mut asked = self.counted(&self.checked("true")?).await?;
        let (mut steps, mut before) = (Vec::new(), String::new());
        for (n, text) in texts.iter().enumerate().take(PARTS_MAX) {
            let text = match n + 1 == PARTS_MAX {
                true => texts[n..].join(" && "),
                false => text.clone(),
            };
            let joint = if before.is_empty() { "" } else { " && " };
            before = format!("{before}{joint}({text})");
            let step = clock::stopwatch();
            let held = self.counted(&self.checked(&before)?).await?;
            let took_ms = Took(step.elapsed());
            steps.push(StepView { text, by: "clickhouse".to_owned(), asked, held, rows: None, took_ms });
            asked = held;
        }
        Ok(ExplainView { count: asked, as_of: self.as_of(), steps, took_ms: Took(watch.elapsed()) })
    }

    /// By what they differ.
    pub(crate) async fn breakdown(
        &self,
        condition: &str,
        (text, step): (&str, Option<&str>),
    ) -> Result<BreakdownView> {
        let condition = self.checked(condition)?;
        let by = By::read(&self.live, text, step)?.shown(self.mask)?;
        let known = match &by.what {
            What::Value(expression, ..) => value::value(expression, &self.tables, self.asked())?,
            _ => None,
        };
        let split = match (&by.what, &known) {
            (What::Tags, _) => Some(Split::Tags),
            (What::Texts(name), _) => Some(Split::Texts(name)),
            (What::Value(..), Some(value)) => Some(Split::Value(value)),
            (What::Value(..), None) => None,
        };
        // Beside the values: all of them, and one value too many.
        let limit = if step.is_some() { NUMBERS_MAX } else { VALUES_MAX } + 2;
        let (mut count, mut counts, mut n_lines) = (0, BTreeMap::<Shown, u64>::new(), 0);
        match split {
            None => {
                count = self.counted(&condition).await?;
                counts.extend((count > 0).then_some((Shown::Unknown, count)));
            }
            Some(split) => {
                let read = |line: Vec<Option<String>>| {
                    let (text, n) = (line.first().cloned().flatten(), number(line.get(1))?);
                    let text = text.ok_or_else(unreadable)?;
                    n_lines += 1;
                    let shown = match (text.split_at_checked(1), &known) {
                        (Some(("a", _)), _) => {
                            count += n;
                            return Ok(());
                        }
                        (Some(("v", said)), None) => Shown::Text(said.to_owned()),
                        (Some(("v", said)), Some(value)) => {
                            by.stepped(Shown::of(value.read(said).ok_or_else(unreadable)?))
                        }
                        _ => Shown::Unknown,
                    };
                    *counts.entry(shown).or_default() += n;
                    Ok(())
                };
                self.each(|asking| asking.breakdown(&condition, split, limit), read).await?;
            }
        }
        if counts.len() > VALUES_MAX || n_lines >= limit {
            return Err(AudienceProblem::Values.into());
        }
        let values = counts.into_iter().map(|(value, count)| {
            let value = (value != Shown::Unknown).then(|| value.text());
            ValueView { value, count }
        });
        Ok(BreakdownView { by: text.trim().to_owned(), count, as_of: self.as_of(), values: values.collect() })
    }

    /// How audiences lie over each other.
    pub(crate) async fn overlap(&self, conditions: &[String]) -> Result<OverlapView> {
        let checked = conditions.iter().map(|text| self.checked(text));
        let checked = checked.collect::<Result<Vec<Condition>>>()?;
        let mut exactly: BTreeMap<u64, u64> = BTreeMap::new();
        let read = |line: Vec<Option<String>>| {
            *exactly.entry(number(line.first())?).or_default() += number(line.get(1))?;
            Ok(())
        };
        self.each(|asking| asking.overlap(&checked), read).await?;
        let is_in = |bits: u64, n: usize| bits & (1 << n) != 0;
        let of = |n: usize| exactly.iter().filter(|(bits, _)| is_in(**bits, n)).map(|(_, count)| count).sum();
        let counts = (0..conditions.len()).map(of).collect();
        let some = exactly.iter().filter(|(bits, _)| **bits != 0);
        let mut exactly: Vec<ExactlyView> = some
            .map(|(bits, count)| {
                let audiences = (0..conditions.len()).filter(|n| is_in(*bits, *n)).collect();
                ExactlyView { audiences, count: *count }
            })
            .collect();
        exactly.sort_by_key(|one| (Reverse(one.count), one.audiences.clone()));
        Ok(OverlapView { as_of: self.as_of(), counts, exactly })
    }

    /// The first of them by a number, the greatest first, then by id.
    pub(crate) async fn top(
        &self,
        condition: &str,
        (n, by): (usize, &str),
    ) -> Result<Vec<(Decimal, MemberId)>> {
        let condition = self.checked(condition)?;
        let by = By::read(&self.live, by, None)?.shown(self.mask)?;
        // What is several texts, or none, is no number of anybody's.
        let What::Value(expression, ..) = &by.what else { return Ok(Vec::new()) };
        let Some(value) = value::number(expression, &self.tables, self.asked())? else {
            return Ok(Vec::new());
        };
        let mut ranked = Vec::new();
        let read = |line: Vec<Option<String>>| {
            let said = line.get(1).cloned().flatten().and_then(|said| value.read(&said));
            let Some(zhiyin_condition::value::Value::Number(number)) = said else { return Err(unreadable()) };
            ranked.push((Reverse(number), member(line.first())?));
            Ok(())
        };
        self.each(|asking| asking.top(&condition, &value, n), read).await?;
        Ok(least(n, ranked.into_iter()).into_iter().map(|(number, id)| (number.0, id)).collect())
    }
}
