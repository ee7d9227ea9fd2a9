//! What is told of audiences: how many, who, by what they differ, how they overlap.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use zhiyin_audience::{MemberSet, Person};
use zhiyin_condition::Condition;
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::mask::Mask;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::Day;
use zhiyin_store::StoreError;

use super::asking::Asking;
use super::by::{By, Shown};
use super::least::least;
use super::reading::done;
use super::why::{WhyView, why};
use super::{AudienceProblem, Moment, OVERLAP_MAX, PICKED_MAX, checked_for};
use crate::boxed;
use crate::reports::by_number_then_text;
use crate::sight::{self, Cursors, Page, ReadProblem};
use crate::{Engine, Result, clock};

/// Members whose names are read at once.
const NAMES_AT_ONCE: usize = 500;

/// How long something took, in milliseconds with three decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "f64")]
pub struct Took(pub(super) Duration);

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = self.0.as_micros();
        write!(f, "{}.{:03}", micros / 1_000, micros % 1_000)
    }
}

impl Serialize for Took {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.to_string().parse::<f64>().map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// How many there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CountView {
    /// Members for whom the condition holds.
    pub count: u64,
    /// The instant it speaks of.
    pub as_of: String,
    /// What the answer took, in milliseconds.
    pub took_ms: Took,
}

/// Members of an audience by what they are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MembersView {
    /// What they are called, in the namespace that was asked for, as far as it may be shown.
    pub members: Vec<String>,
    /// Members of the audience.
    pub count: u64,
    /// Members of the audience who are called nothing there.
    pub nameless: u64,
    /// The instant it speaks of.
    pub as_of: String,
    /// True when a past day was asked for: attributes and tags are those of now.
    pub past: bool,
}

/// A member of an audience, as far as they may be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InAudienceView {
    /// The member's id.
    pub id: String,
    /// What they are called, as far as it may be shown.
    pub name: Option<String>,
    /// The tier held, at the instant that was asked for.
    pub tier: Option<String>,
    /// The stage of the lifecycle, likewise.
    pub lifecycle: Option<String>,
    /// Points shown, likewise.
    pub points: i64,
    /// The store where they were met last.
    pub store: Option<String>,
}

/// What answering took, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExplainView {
    /// Members for whom the condition holds.
    pub count: u64,
    /// The instant it speaks of.
    pub as_of: String,
    /// Steps, in the order in which they were taken.
    pub steps: Vec<StepView>,
    /// What it took, in milliseconds.
    pub took_ms: Took,
}

/// A step of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StepView {
    /// The part of the condition.
    pub text: String,
    /// How it was answered.
    pub by: String,
    /// Of how many members it was asked.
    pub asked: u64,
    /// For how many of them it holds.
    pub held: u64,
    /// Rows of history that were looked at; nothing, where nobody counts them.
    pub rows: Option<u64>,
    /// What it took, in milliseconds.
    pub took_ms: Took,
}

/// An audience broken down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BreakdownView {
    /// By what.
    pub by: String,
    /// Members of the audience.
    pub count: u64,
    /// The instant it speaks of.
    pub as_of: String,
    /// How many of each value. Where a member may have several values, they add up to more.
    pub values: Vec<ValueView>,
}

/// How many of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ValueView {
    /// The value: a number, or the first of its step, exact as text; nothing where it is not known.
    pub value: Option<String>,
    /// Members.
    pub count: u64,
}

/// Audiences laid over each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OverlapView {
    /// The instant it speaks of.
    pub as_of: String,
    /// How many each has.
    pub counts: Vec<u64>,
    /// How many are in exactly these and in none of the others, the most first.
    pub exactly: Vec<ExactlyView>,
}

/// Members who are in exactly these audiences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExactlyView {
    /// Which, by their places in what was asked.
    pub audiences: Vec<usize>,
    /// Members.
    pub count: u64,
}

/// The first of an audience by a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TopView {
    /// The instant it speaks of.
    pub as_of: String,
    /// The greatest number first, then by id. Who has no such number is not among them.
    pub members: Vec<RankedView>,
}

/// One of the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RankedView {
    /// What they are called, or their id.
    pub member: String,
    /// Their number, exact as text.
    pub value: String,
}

/// Of whom and how members are named.
#[derive(Clone, Copy, Debug)]
pub struct Names<'n> {
    /// The namespace; without one, members are named by their ids.
    pub namespace: Option<&'n str>,
    /// True where all that is asked for is somebody who may see it: the export of a list.
    pub export: bool,
}

impl Names<'_> {
    const fn operation(&self) -> Operation {
        if self.export { Operation::MemberExport } else { Operation::MemberList }
    }
}

impl Engine {
    async fn asked(&self, grant: &Grant, operation: Operation, day: Option<Day>) -> Result<(Asking, Mask)> {
        let filter = self.filter(grant, operation).await?;
        let moment = self.moment(day).await?;
        Ok((self.asking(moment, &filter).await?, filter.mask))
    }

    /// How much of people a condition of theirs may compare: as much as they are shown by the answer, and where that shows nobody,
    /// as much as a list would show them.
    pub(crate) async fn compares(&self, grant: &Grant, operation: Operation, mask: Mask) -> Mask {
        match operation {
            Operation::ReportsRead => {
                let listed = self.filter(grant, Operation::MemberList).await;
                listed.map_or(Mask::Hidden, |filter| filter.mask)
            }
            _ => mask,
        }
    }

    /// How many there are, of those whom a grant may see.
    #[boxed]
    pub async fn audience_count(
        &self,
        grant: &Grant,
        condition: &str,
        day: Option<Day>,
    ) -> Result<CountView> {
        if let Some(away) = self.away(grant, Operation::ReportsRead, day).await? {
            return away.count(condition).await;
        }
        let (asking, _) = self.asked(grant, Operation::ReportsRead, day).await?;
        let may = self.compares(grant, Operation::ReportsRead, Mask::Hidden).await;
        let condition = checked_for(&asking.live, condition, may)?;
        let (count, took_ms) = asking
            .aside(move |asking| {
                let watch = clock::stopwatch();
                let count = asking.find(&condition).len() as u64;
                Ok((count, Took(watch.elapsed())))
            })
            .await?;
        Ok(CountView { count, as_of: asking.moment.at.rfc3339(), took_ms })
    }

    /// Who they are, by what they are called: sorted, numbers by their value.
    pub async fn audience_members(
        &self,
        grant: &Grant,
        condition: &str,
        day: Option<Day>,
        names: Names<'_>,
    ) -> Result<MembersView> {
        if let Some(away) = self.away(grant, names.operation(), day).await? {
            let ids = away.members(condition).await?;
            return self.named_view(away.moment, ids, names, away.mask).await;
        }
        let (asking, mask) = self.asked(grant, names.operation(), day).await?;
        let condition = checked_for(&asking.live, condition, mask)?;
        let ids = asking.aside(move |asking| Ok(asking.ids(&asking.find(&condition)))).await?;
        self.named_view(asking.moment, ids, names, mask).await
    }

    /// The members of several audiences, each as they would be listed alone: everybody is read once.
    pub async fn audience_members_each(
        &self,
        grant: &Grant,
        conditions: &[String],
        day: Option<Day>,
        names: Names<'_>,
    ) -> Result<Vec<MembersView>> {
        if let Some(away) = self.away(grant, names.operation(), day).await? {
            conditions.iter().try_for_each(|text| away.checked(text).map(drop))?;
            let mut views = Vec::with_capacity(conditions.len());
            for condition in conditions {
                let ids = away.members(condition).await?;
                views.push(self.named_view(away.moment, ids, names, away.mask).await?);
            }
            return Ok(views);
        }
        let (asking, mask) = self.asked(grant, names.operation(), day).await?;
        let checked = conditions.iter().map(|text| checked_for(&asking.live, text, mask));
        let checked = checked.collect::<Result<Vec<Condition>>>()?;
        let mut views = Vec::with_capacity(checked.len());
        for condition in checked {
            let ids = asking.aside(move |asking| Ok(asking.ids(&asking.find(&condition)))).await?;
            views.push(self.named_view(asking.moment, ids, names, mask).await?);
        }
        Ok(views)
    }

    /// A page of them, by id.
    #[boxed]
    pub async fn audience_page(
        &self,
        grant: &Grant,
        condition: &str,
        day: Option<Day>,
        (limit, cursor): (usize, Option<&str>),
    ) -> Result<Page<InAudienceView>> {
        let limit = sight::limit(limit)?;
        let key = self.home().await?.id_key;
        let list = serde_json::json!({
            "list": "audience", "condition": condition, "day": day.map(|day| day.to_string()),
        });
        let cursors = Cursors::of(&key, list);
        let after = match cursors.spot(cursor)? {
            None => None,
            Some(spot) => Some(MemberId::from_slice(&spot).ok_or(ReadProblem::Cursor)?),
        };
        if let Some(away) = self.away(grant, Operation::MemberList, day).await? {
            let mut ids = away.page(condition, after, limit + 1).await?;
            let more = ids.len() > limit;
            ids.truncate(limit);
            let next = ids.last().filter(|_| more).map(|last| cursors.text(last.bytes()));
            return Ok(Page { items: self.shown_in_audience(ids, away.mask).await?, next });
        }
        let (asking, mask) = self.asked(grant, Operation::MemberList, day).await?;
        let condition = checked_for(&asking.live, condition, mask)?;
        let (persons, more) = asking
            .aside(move |asking| {
                let found = asking.find(&condition);
                let all = asking.everyone.ids(&found).zip(found.ordinals());
                let beyond = all.filter(|(id, _)| after.is_none_or(|after| *id > after));
                let mut beyond = least(limit + 1, beyond);
                let more = beyond.len() > limit;
                beyond.truncate(limit);
                let persons = beyond.iter().filter_map(|(_, ordinal)| asking.everyone.person(*ordinal));
                Ok((persons.collect::<Vec<Person>>(), more))
            })
            .await?;
        let next = persons.last().filter(|_| more).map(|last| cursors.text(last.id.bytes()));
        let ids = persons.iter().map(|person| person.id).collect();
        let members = self.store().reading().members(ids).await?;
        let names: BTreeMap<MemberId, Option<String>> =
            members.iter().map(|member| (member.id, sight::called(mask, member))).collect();
        let items = persons.into_iter().map(|person| InAudienceView {
            id: person.id.to_string(),
            name: names.get(&person.id).cloned().flatten(),
            tier: person.tier,
            lifecycle: person.lifecycle,
            points: person.points,
            store: person.store,
        });
        Ok(Page { items: items.collect(), next })
    }

    /// So many of them, drawn by a seed: the same for the same seed and the same members.
    pub async fn audience_sample(
        &self,
        grant: &Grant,
        condition: &str,
        day: Option<Day>,
        (n, seed): (usize, u64),
        names: Names<'_>,
    ) -> Result<MembersView> {
        if !(1..=PICKED_MAX).contains(&n) {
            return Err(AudienceProblem::Picked.into());
        }
        let key = IdKey::from_bytes([0; 32]);
        if let Some(away) = self.away(grant, names.operation(), day).await? {
            let lot = |id: MemberId| (key.digest("sample", &[&seed.to_le_bytes(), id.bytes()]), id);
            let drawn = least(n, away.members(condition).await?.into_iter().map(lot));
            let ids = drawn.into_iter().map(|(_, id)| id).collect();
            return self.named_view(away.moment, ids, names, away.mask).await;
        }
        let (asking, mask) = self.asked(grant, names.operation(), day).await?;
        let condition = checked_for(&asking.live, condition, mask)?;
        let drawn = asking.aside(move |asking| {
            let found = asking.find(&condition);
            let lot = |id: MemberId| (key.digest("sample", &[&seed.to_le_bytes(), id.bytes()]), id);
            Ok(least(n, asking.everyone.ids(&found).map(lot)))
        });
        let drawn = drawn.await?;
        let ids = drawn.into_iter().map(|(_, id)| id).collect();
        self.named_view(asking.moment, ids, names, mask).await
    }

    async fn named_view(
        &self,
        moment: Moment,
        ids: Vec<MemberId>,
        names: Names<'_>,
        mask: Mask,
    ) -> Result<MembersView> {
        let n = ids.len();
        let called = self.called_in(ids, names.namespace, mask).await?;
        let mut named: std::collections::BTreeSet<MemberId> = std::collections::BTreeSet::new();
        let mut members: Vec<String> = Vec::with_capacity(called.len());
        for (member, name) in called {
            named.insert(member);
            members.push(name);
        }
        members.sort_by(|a, b| by_number_then_text(a, b));
        let (as_of, past) = (moment.at.rfc3339(), moment.past);
        Ok(MembersView { members, count: n as u64, nameless: (n - named.len()) as u64, as_of, past })
    }

    /// What members are called in a namespace, as far as it may be shown; by their ids where no namespace is asked for, or
    /// no name may be shown.
    pub(crate) async fn called_in(
        &self,
        ids: Vec<MemberId>,
        namespace: Option<&str>,
        mask: Mask,
    ) -> Result<Vec<(MemberId, String)>> {
        let Some(namespace) = namespace.filter(|_| mask != Mask::Hidden) else {
            return Ok(ids.into_iter().map(|id| (id, id.to_string())).collect());
        };
        if !self.store().namespaces().await?.iter().any(|known| known == namespace) {
            return Err(AudienceProblem::Namespace(namespace.to_owned()).into());
        }
        let mut called = Vec::with_capacity(ids.len());
        for part in ids.chunks(NAMES_AT_ONCE) {
            for (member, of, value) in self.store().identifiers_of(part.to_vec()).await? {
                if of == namespace
                    && let Some(shown) = mask.identifier(namespace, &value)
                {
                    called.push((member, shown));
                }
            }
        }
        Ok(called)
    }

    /// What answering takes, step by step.
    #[boxed]
    pub async fn audience_explain(
        &self,
        grant: &Grant,
        condition: &str,
        day: Option<Day>,
    ) -> Result<ExplainView> {
        if let Some(away) = self.away(grant, Operation::ReportsRead, day).await? {
            return away.explain(condition).await;
        }
        let (asking, _) = self.asked(grant, Operation::ReportsRead, day).await?;
        let may = self.compares(grant, Operation::ReportsRead, Mask::Hidden).await;
        let whole = checked_for(&asking.live, condition, may)?;
        let (found, took_ms) = asking
            .aside(move |asking| {
                let watch = clock::stopwatch();
                let found = asking.found(&whole);
                Ok((found, Took(watch.elapsed())))
            })
            .await?;
        let count = found.members.len() as u64;
        let steps = found.steps.into_iter().map(|step| StepView {
            text: step.text,
            by: step.by.to_owned(),
            asked: step.asked,
            held: step.held,
            rows: Some(step.rows),
            took_ms: Took(Duration::from_micros(step.took_us)),
        });
        let steps = steps.collect();
        Ok(ExplainView { count, as_of: asking.moment.at.rfc3339(), steps, took_ms })
    }

    /// An audience broken down by `tier`, `lifecycle`, `store`, `tags`, `attr.X` or any expression with one value; numbers in
    /// steps, where a step is given.
    #[boxed]
    pub async fn audience_breakdown(
        &self,
        grant: &Grant,
        condition: &str,
        day: Option<Day>,
        (by, step): (&str, Option<&str>),
    ) -> Result<BreakdownView> {
        if let Some(away) = self.away(grant, Operation::ReportsRead, day).await? {
            return away.breakdown(condition, (by, step)).await;
        }
        let (asking, mask) = self.asked(grant, Operation::ReportsRead, day).await?;
        let may = self.compares(grant, Operation::ReportsRead, Mask::Hidden).await;
        let condition = checked_for(&asking.live, condition, may)?;
        let read = By::read(&asking.live, by, step)?.shown(mask)?;
        let (count, counts) = asking
            .aside(move |asking| {
                let found = asking.find(&condition);
                Ok((found.len() as u64, read.counted(asking, &found)?))
            })
            .await?;
        let values = counts.into_iter().map(|(value, count)| {
            let value = (value != Shown::Unknown).then(|| value.text());
            ValueView { value, count }
        });
        let (by, as_of) = (by.trim().to_owned(), asking.moment.at.rfc3339());
        Ok(BreakdownView { by, count, as_of, values: values.collect() })
    }

    /// Up to eight audiences laid over each other.
    #[boxed]
    pub async fn audience_overlap(
        &self,
        grant: &Grant,
        conditions: &[String],
        day: Option<Day>,
    ) -> Result<OverlapView> {
        if !(1..=OVERLAP_MAX).contains(&conditions.len()) {
            return Err(AudienceProblem::HowMany.into());
        }
        if let Some(away) = self.away(grant, Operation::ReportsRead, day).await? {
            return away.overlap(conditions).await;
        }
        let (asking, _) = self.asked(grant, Operation::ReportsRead, day).await?;
        let may = self.compares(grant, Operation::ReportsRead, Mask::Hidden).await;
        let checked = conditions.iter().map(|text| checked_for(&asking.live, text, may));
        let checked = checked.collect::<Result<Vec<Condition>>>()?;
        let (counts, exactly) = asking
            .aside(move |asking| {
                let sets: Vec<MemberSet> = checked.iter().map(|condition| asking.find(condition)).collect();
                let all = sets.iter().fold(MemberSet::default(), |all, set| all.or(set));
                let mut exactly: BTreeMap<u8, u64> = BTreeMap::new();
                for ordinal in all.ordinals() {
                    let within = sets.iter().enumerate().filter(|(_, set)| set.contains(ordinal));
                    *exactly.entry(within.fold(0, |bits, (n, _)| bits | 1 << n)).or_default() += 1;
                }
                Ok((sets.iter().map(|set| set.len() as u64).collect(), exactly))
            })
            .await?;
        let mut exactly: Vec<ExactlyView> = exactly
            .into_iter()
            .map(|(bits, count)| {
                let audiences = (0..conditions.len()).filter(|n| bits & (1 << n) != 0).collect();
                ExactlyView { audiences, count }
            })
            .collect();
        exactly.sort_by_key(|one| (std::cmp::Reverse(one.count), one.audiences.clone()));
        Ok(OverlapView { as_of: asking.moment.at.rfc3339(), counts, exactly })
    }

    /// The first `n` of an audience by a number.
    pub async fn audience_top(
        &self,
        grant: &Grant,
        condition: &str,
        day: Option<Day>,
        (n, by): (usize, &str),
        names: Names<'_>,
    ) -> Result<TopView> {
        if !(1..=PICKED_MAX).contains(&n) {
            return Err(AudienceProblem::Picked.into());
        }
        if let Some(away) = self.away(grant, names.operation(), day).await? {
            let ranked = away.top(condition, (n, by)).await?;
            return self.ranked_view(away.moment, ranked, names, away.mask).await;
        }
        let (asking, mask) = self.asked(grant, names.operation(), day).await?;
        let condition = checked_for(&asking.live, condition, mask)?;
        let by = By::read(&asking.live, by, None)?.shown(mask)?;
        let ranked = asking.aside(move |asking| {
            let found = asking.find(&condition);
            Ok(by.ranked(asking, &found, n))
        });
        self.ranked_view(asking.moment, ranked.await?, names, mask).await
    }

    async fn ranked_view(
        &self,
        moment: Moment,
        ranked: Vec<(Decimal, MemberId)>,
        names: Names<'_>,
        mask: Mask,
    ) -> Result<TopView> {
        let ids = ranked.iter().map(|(_, id)| *id).collect();
        let mut called: BTreeMap<MemberId, String> = BTreeMap::new();
        for (member, name) in self.called_in(ids, names.namespace, mask).await? {
            called.entry(member).or_insert(name);
        }
        let members = ranked.into_iter().map(|(number, id)| RankedView {
            member: called.remove(&id).unwrap_or_else(|| id.to_string()),
            value: number.normalize().to_string(),
        });
        Ok(TopView { as_of: moment.at.rfc3339(), members: members.collect() })
    }

    /// Why a member is in an audience or not.
    #[boxed]
    pub async fn audience_why(
        &self,
        grant: &Grant,
        member: MemberId,
        condition: &str,
        day: Option<Day>,
    ) -> Result<WhyView> {
        let filter = self.filter(grant, Operation::MemberRead).await?;
        let (live, moment) = (self.live()?, self.moment(day).await?);
        let person = self.person_at(&live, moment, member, &filter).await?.ok_or(ReadProblem::Nobody)?;
        let turn = Arc::clone(&self.audiences.turns).acquire_owned().await;
        let turn = turn.map_err(|error| StoreError::Database(error.to_string()))?;
        let (condition, how) = (condition.to_owned(), (moment.at, filter.mask));
        let told = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            why(&live, &person, &condition, how)
        });
        done(told.await)?
    }
}
