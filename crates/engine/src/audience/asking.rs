//! Everybody at a moment, to be asked.

use std::collections::BTreeSet;
use std::sync::Arc;

use zhiyin_audience::Person;
use zhiyin_condition::{Condition, Leaves, holds};
use zhiyin_model::id::MemberId;
use zhiyin_model::role::{Bound, Filter};
use zhiyin_model::time::{Ts, Zone};

use super::one::One;
use super::person::{self, Then};
use super::{AT_ONCE, Moment};
use crate::sight::admits;
use crate::{Engine, Live, Result};

/// Whoever can say for whom a condition holds. Members are named by places, which mean nothing elsewhere.
pub(crate) trait Askable: Send + Sync {
    /// Their places, ascending.
    fn find(&self, condition: &Condition, now: Ts) -> Vec<u32>;
    /// What is known of one.
    fn person(&self, place: u32) -> Option<Person>;
    /// The place of one.
    fn place(&self, member: MemberId) -> Option<u32>;
}

/// Asks one after the other.
pub(crate) struct OneByOne {
    /// By id.
    pub(crate) persons: Vec<Person>,
    pub(crate) zone: Zone,
    pub(crate) currency_exponent: u32,
}

impl Askable for OneByOne {
    fn find(&self, condition: &Condition, now: Ts) -> Vec<u32> {
        let mut condition = condition.clone();
        let leaves = Leaves::collect([&mut condition], self.zone.clone(), self.currency_exponent);
        let found = (0u32..).zip(&self.persons).filter(|(_, person)| {
            holds(&condition, &leaves, &One::of(person, &leaves), now).0
        });
        found.map(|(place, _)| place).collect()
    }

    fn person(&self, place: u32) -> Option<Person> {
        self.persons.get(place as usize).cloned()
    }

    fn place(&self, member: MemberId) -> Option<u32> {
        let found = self.persons.binary_search_by_key(&member, |person| person.id).ok();
        found.and_then(|place| u32::try_from(place).ok())
    }
}

/// Everybody whom somebody may see, at a moment.
pub(crate) struct Asking {
    pub(crate) live: Arc<Live>,
    pub(crate) everyone: Arc<dyn Askable>,
    pub(crate) moment: Moment,
    /// Places of those who may be seen; of all, without.
    scope: Option<BTreeSet<u32>>,
}

impl Asking {
    /// For whom a condition holds, of those who may be seen; ascending.
    pub(crate) fn find(&self, condition: &Condition) -> Vec<u32> {
        let mut found = self.everyone.find(condition, self.moment.at);
        if let Some(scope) = &self.scope {
            found.retain(|place| scope.contains(place));
        }
        found
    }

    /// Persons of places.
    pub(crate) fn persons<'s>(&'s self, places: &'s [u32]) -> impl Iterator<Item = Person> + 's {
        places.iter().filter_map(|place| self.everyone.person(*place))
    }
}

impl Engine {
    /// Everybody at a moment, as far as a filter lets see.
    pub(crate) async fn asking(&self, moment: Moment, filter: &Filter) -> Result<Asking> {
        let live = self.live()?;
        let everyone = self.everyone(&live, moment).await?;
        let scope = match &filter.bound {
            Bound::Everything => None,
            Bound::Places(places) => Some(in_places(everyone.as_ref(), places, moment.at)?),
            Bound::Advisor(code) => {
                let theirs = self.looked_after_by(code).await?;
                Some(theirs.into_iter().filter_map(|member| everyone.place(member)).collect())
            }
        };
        Ok(Asking { live, everyone, moment, scope })
    }

    /// Everybody at a moment, from the record.
    async fn everyone(&self, live: &Arc<Live>, moment: Moment) -> Result<Arc<dyn Askable>> {
        let persons = self.persons_at(live, moment).await?;
        let (zone, currency_exponent) = (live.rules.zone.clone(), live.rules.currency.exponent);
        Ok(Arc::new(OneByOne { persons, zone, currency_exponent }))
    }

    /// Everybody as the record has them at a moment, by id.
    pub(crate) async fn persons_at(&self, live: &Live, moment: Moment) -> Result<Vec<Person>> {
        let then = match moment.past {
            false => None,
            true => {
                let home = self.home().await?;
                Some(Then::read(self.store().as_ref(), home.id_key, moment.as_of()).await?)
            }
        };
        let (mut persons, mut after) = (Vec::new(), None);
        loop {
            let part = self.store().crowd().after(after, AT_ONCE).await?;
            let whole = part.len() == AT_ONCE;
            after = part.last().map(|whole| whole.member.id);
            for member in part {
                match &then {
                    None => persons.push(person::now(&live.rules, member)?),
                    Some(then) => persons.extend(then.person(&live.rules, member)?),
                }
            }
            if !whole {
                return Ok(persons);
            }
        }
    }
}

impl Engine {
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
        let home = self.home().await?;
        Then::read(self.store().as_ref(), home.id_key, moment.as_of()).await?.person(&live.rules, whole)
    }
}

/// Who belongs to one of these stores, by the store where they were met last.
fn in_places(everyone: &dyn Askable, places: &BTreeSet<String>, now: Ts) -> Result<BTreeSet<u32>> {
    /// Stores that one condition lists.
    const LISTED: usize = 64;
    let mut found = BTreeSet::new();
    let codes: Vec<String> = places.iter().map(|code| format!("{code:?}")).collect();
    for listed in codes.chunks(LISTED) {
        let text = format!("store in [{}]", listed.join(", "));
        let condition = Condition::check(&text, &zhiyin_condition::Schema::default());
        let condition = condition.map_err(super::AudienceProblem::Condition)?;
        found.extend(everyone.find(&condition, now));
    }
    Ok(found)
}
