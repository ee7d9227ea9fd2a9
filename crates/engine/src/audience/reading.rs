//! Reading everybody of the record: while some are read, those before are made persons and put into columns, beside whatever
//! else the process does.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::JoinHandle;
use zhiyin_audience::population::{Change, Population};
use zhiyin_audience::{OverBudget, Person};
use zhiyin_store::StoreError;
use zhiyin_store::crowd::Whole;

use super::person::{self, Then};
use super::{AT_ONCE, AudienceProblem, Moment};
use crate::{Engine, Live, Result};

/// Members that go into columns at once: a block of them.
const BLOCK: usize = 65_536;
/// Rows of history that wait for columns at most, so that members with long histories do not fill the memory.
const ROWS_WAITING_MAX: usize = 4_000_000;
/// Parts that are made persons while the next are read.
const PARTS_AT_ONCE: usize = 3;

/// What some work came to that was done aside. What breaks down there breaks down here.
pub(crate) fn done<T>(work: std::result::Result<T, tokio::task::JoinError>) -> Result<T> {
    work.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => StoreError::Database(error.to_string()).into(),
    })
}

/// Members as persons, as they are now or were then.
fn persons(part: Vec<Whole>, live: &Live, then: Option<&Then>) -> Result<Vec<Person>> {
    let mut persons = Vec::with_capacity(part.len());
    for whole in part {
        match then {
            None => persons.push(person::now(&live.rules, whole)?),
            Some(then) => persons.extend(then.person(&live.rules, whole)?),
        }
    }
    Ok(persons)
}

impl Engine {
    /// Fills columns with everybody as the record has them at a moment.
    pub(crate) async fn fill(
        &self,
        population: &Arc<Population>,
        live: &Arc<Live>,
        moment: Moment,
    ) -> Result<()> {
        let mut waiting: Vec<Change> = Vec::new();
        let mut rows = 0;
        let mut applying: Option<JoinHandle<std::result::Result<(), OverBudget>>> = None;
        let mut parts = self.parts(live, moment).await?;
        loop {
            let part = parts.next().await?;
            let ended = part.is_none();
            for person in part.into_iter().flatten() {
                rows += person.events.len()
                    + person.orders.iter().map(|order| 1 + order.items.len()).sum::<usize>();
                waiting.push(Change::Put(Box::new(person)));
                if waiting.len() >= BLOCK || rows >= ROWS_WAITING_MAX {
                    rows = 0;
                    put(&mut applying, population, std::mem::take(&mut waiting)).await?;
                }
            }
            if ended {
                put(&mut applying, population, waiting).await?;
                return put(&mut applying, population, Vec::new()).await;
            }
        }
    }

    /// Everybody as the record has them at a moment, one after the other by id.
    pub(crate) async fn everybody(
        &self,
        live: &Arc<Live>,
        moment: Moment,
        take: impl FnMut(Person) -> Result<()>,
    ) -> Result<()> {
        self.first_of_all(live, moment, usize::MAX, take).await
    }

    /// The first so many of them.
    pub(crate) async fn first_of_all(
        &self,
        live: &Arc<Live>,
        moment: Moment,
        n: usize,
        mut take: impl FnMut(Person) -> Result<()>,
    ) -> Result<()> {
        let (mut parts, mut left) = (self.parts(live, moment).await?, n);
        while left > 0
            && let Some(part) = parts.next().await?
        {
            let taken = part.into_iter().take(left);
            left -= taken.len();
            taken.into_iter().try_for_each(&mut take)?;
        }
        Ok(())
    }

    async fn parts(&self, live: &Arc<Live>, moment: Moment) -> Result<Parts<'_>> {
        let then = match moment.past {
            false => None,
            true => Some(Arc::new(self.then(moment).await?)),
        };
        Ok(Parts {
            engine: self,
            live: Arc::clone(live),
            then,
            after: None,
            whole: true,
            made: VecDeque::new(),
        })
    }

    /// What is not in the rows of members, of a moment that has passed.
    pub(crate) async fn then(&self, moment: Moment) -> Result<Then> {
        let home = self.home().await?;
        Then::read(self.store().as_ref(), home.id_key, moment.as_of()).await
    }

    /// These members as persons at a moment that has passed, those who were known by then.
    pub(crate) async fn persons_then(
        &self,
        live: &Arc<Live>,
        then: &Arc<Then>,
        part: Vec<Whole>,
    ) -> Result<Vec<Person>> {
        let (live, then) = (Arc::clone(live), Arc::clone(then));
        done(tokio::task::spawn_blocking(move || persons(part, &live, Some(&then))).await)?
    }
}

/// Puts changes into columns beside what is read next, after those before are in.
async fn put(
    applying: &mut Option<JoinHandle<std::result::Result<(), OverBudget>>>,
    population: &Arc<Population>,
    changes: Vec<Change>,
) -> Result<()> {
    if let Some(before) = applying.take() {
        done(before.await)?.map_err(AudienceProblem::OverBudget)?;
    }
    if !changes.is_empty() {
        let population = Arc::clone(population);
        *applying = Some(tokio::task::spawn_blocking(move || population.apply(&changes)));
    }
    Ok(())
}

/// Everybody, part by part.
struct Parts<'e> {
    engine: &'e Engine,
    live: Arc<Live>,
    then: Option<Arc<Then>>,
    after: Option<zhiyin_model::id::MemberId>,
    /// Whether there may be more.
    whole: bool,
    made: VecDeque<JoinHandle<Result<Vec<Person>>>>,
}

impl Parts<'_> {
    async fn next(&mut self) -> Result<Option<Vec<Person>>> {
        while self.whole && self.made.len() < PARTS_AT_ONCE {
            let part = self.engine.store().crowd().after(self.after, AT_ONCE).await?;
            self.whole = part.len() == AT_ONCE;
            self.after = part.last().map(|whole| whole.member.id);
            let (live, then) = (Arc::clone(&self.live), self.then.clone());
            self.made.push_back(tokio::task::spawn_blocking(move || persons(part, &live, then.as_deref())));
        }
        match self.made.pop_front() {
            None => Ok(None),
            Some(made) => Ok(Some(done(made.await)??)),
        }
    }
}
