//! Everybody at a moment, to be asked: the columns that are kept, or columns built of the record for the question.

use std::sync::Arc;

use tokio::sync::Semaphore;
use zhiyin_audience::population::{Layout, Seen};
use zhiyin_audience::{Found, Halt, Mark, MemberSet, Person, Question};
use zhiyin_condition::{AttributeType, Condition, Leaves, Schema, holds};
use zhiyin_model::id::MemberId;
use zhiyin_model::playbook::AttributeKind;
use zhiyin_model::role::{Bound, Filter};
use zhiyin_store::StoreError;

use super::keep::Alone;
use super::one::One;
use super::patience::Waiting;
use super::person;
use super::reading::done;
use super::{AudienceProblem, Moment, checked};
use crate::boxed;
use crate::sight::admits;
use crate::{Engine, Live, Result};

/// Stores that one condition lists.
const STORES_LISTED: usize = 64;

/// Everybody whom somebody may see, at a moment.
#[derive(Clone)]
pub(crate) struct Asking {
    pub(crate) live: Arc<Live>,
    pub(crate) everyone: Arc<Seen>,
    pub(crate) moment: Moment,
    /// Those who may be seen; all, without.
    scope: Option<MemberSet>,
    turns: Arc<Semaphore>,
    /// Whether anybody still waits.
    pub(crate) halt: Arc<Halt>,
    /// While this is held nobody else has columns built.
    _alone: Option<Arc<Alone>>,
}

impl Asking {
    /// For whom a condition holds, of those who may be seen; and what it took.
    pub(crate) fn found(&self, condition: &Condition) -> Found {
        // Nobody else is asked: what a step held of others is nothing to whoever may not see them.
        let question = Question { condition, now: self.moment.at };
        self.everyone.find_until(&question, self.scope.as_ref(), &self.halt)
    }

    /// For whom a condition holds, of those who may be seen.
    pub(crate) fn find(&self, condition: &Condition) -> MemberSet {
        self.found(condition).members
    }

    /// Who bears a mark, of those who may be seen.
    pub(crate) fn marked(&self, mark: Mark<'_>) -> MemberSet {
        let marked = self.everyone.marked(mark);
        self.scope.as_ref().map_or(marked.clone(), |scope| scope.and(&marked))
    }

    /// Ids of a set, ascending.
    pub(crate) fn ids(&self, set: &MemberSet) -> Vec<MemberId> {
        let mut ids: Vec<MemberId> = self.everyone.ids(set).collect();
        ids.sort_unstable();
        ids
    }

    /// Works on everybody where that holds up nobody else, as long as somebody waits for what it comes to.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|error| StoreError::Database(error.to_string()))?;
        // Dropped with this future, at the latest.
        let waiting = Waiting::default();
        let asking = Self { halt: waiting.halt(), ..self.clone() };
        // The turn ends with the work, which ends soon after nobody waits for its answer any more.
        let worked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&asking)
        });
        done(worked.await)?
    }
}

/// What the columns mean under a playbook.
pub(crate) fn layout(live: &Live) -> Layout {
    let attributes = live.playbook.attributes.iter();
    let kind = |kind| match kind {
        AttributeKind::Bool => AttributeType::Bool,
        AttributeKind::Number => AttributeType::Number,
        AttributeKind::Text => AttributeType::Text,
        AttributeKind::Texts => AttributeType::Texts,
        AttributeKind::Date => AttributeType::Date,
    };
    Layout {
        zone: live.rules.zone.clone(),
        currency_exponent: live.rules.currency.exponent,
        attributes: attributes.map(|(name, attribute)| (name.clone(), kind(attribute.kind))).collect(),
    }
}

impl Engine {
    /// Everybody at a moment, as far as a filter lets see.
    pub(crate) async fn asking(&self, mut moment: Moment, filter: &Filter) -> Result<Asking> {
        let live = self.live()?;
        let kept = if moment.past { None } else { self.audiences.kept()? };
        let (everyone, alone) = match kept {
            Some((seen, fresh)) => {
                // What is behind says so: it answers as of when nothing was missing.
                moment.at = super::fresh::told_of(moment.at, fresh);
                (seen, None)
            }
            None => self.past(&live, moment).await?,
        };
        let (turns, halt, alone) = (Arc::clone(&self.audiences.turns), Arc::default(), alone.map(Arc::new));
        let mut asking = Asking { live, everyone, moment, scope: None, turns, halt, _alone: alone };
        let scope = match &filter.bound {
            Bound::Everything => None,
            Bound::Places(places) => {
                let codes: Vec<String> = places.iter().map(|code| format!("{code:?}")).collect();
                let listed = codes.chunks(STORES_LISTED).map(|listed| {
                    Condition::check(&format!("store in [{}]", listed.join(", ")), &Schema::default())
                });
                let listed: std::result::Result<Vec<Condition>, _> = listed.collect();
                let listed = listed.map_err(AudienceProblem::Condition)?;
                let scope = asking.aside(move |asking| {
                    let each = listed.iter().map(|condition| asking.find(condition));
                    Ok(each.fold(MemberSet::default(), |scope, found| scope.or(&found)))
                });
                Some(scope.await?)
            }
            Bound::Advisor(code) => {
                let theirs = self.looked_after_by(code).await?;
                let scope = asking.aside(move |asking| {
                    let all = asking.everyone.everyone();
                    let named = asking.everyone.ids(&all).zip(all.ordinals());
                    Ok(MemberSet::of(named.filter(|(id, _)| theirs.contains(id)).map(|(_, place)| place)))
                });
                Some(scope.await?)
            }
        };
        asking.scope = scope;
        Ok(asking)
    }

    /// For whom a condition holds, asked member by member over the record alone: what every other way must agree with. Slow.
    #[boxed]
    pub async fn audience_of_record(&self, condition: &str, moment: Moment) -> Result<Vec<MemberId>> {
        let live = self.live()?;
        let mut condition = checked(&live, condition)?;
        let (zone, exponent) = (live.rules.zone.clone(), live.rules.currency.exponent);
        let leaves = Leaves::collect([&mut condition], zone, exponent);
        let mut found = Vec::new();
        self.everybody(&live, moment, |person| {
            if holds(&condition, &leaves, &One::of(&person, &leaves), moment.at).0 {
                found.push(person.id);
            }
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// One member at a moment, from the record, if a filter lets see them.
    pub(crate) async fn person_at(
        &self,
        live: &Live,
        moment: Moment,
        member: MemberId,
        filter: &Filter,
    ) -> Result<Option<Person>> {
        let Some(whole) = self.store().crowd().these(vec![member]).await?.pop() else { return Ok(None) };
        if !admits(filter, &whole.member) {
            return Ok(None);
        }
        if !moment.past {
            return Ok(Some(person::now(&live.rules, whole)?));
        }
        self.then(moment).await?.person(&live.rules, whole)
    }
}
