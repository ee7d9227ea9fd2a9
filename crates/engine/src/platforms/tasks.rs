//! Things for accounts to send, which their staff confirm by hand: to customers one by one, or into groups.
//!
//! A task is a row of the mirror from its first send on. It is *gathered* ([`crate::sends`]), *closed* (whoever may still get it is
//! looked at once more), *called* (that the platform is asked is written before it is), and *made* once the platform has a name for it;
//! then [`results`] pulls what became of it. Where nobody knows whether the platform made it, the platform is asked for tasks that say the
//! same, and of those the one is taken that is to the same customers by the same account and is no other row's; only where there is none,
//! after its list had time to catch up, it is asked anew. So of one row there is one task, whatever gets lost, and whoever is killed when.

mod find;
mod results;

pub(super) use results::Settled;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use serde::{Deserialize, Serialize};
use zhiyin_model::id::{MemberId, NoteId};
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::{Answer, Attached, MadeTask, Said, Task, Trouble, Whom, Whose};
use zhiyin_reach::retry;
use zhiyin_store::campaigns::mirror::{PartId, ReflectionId};
use zhiyin_store::campaigns::sends::{Came, SendState};

use super::{About, At, Kept, Put, Round, Row};
use crate::boxed;
use crate::{Engine, Result};

/// The kind of their rows.
pub(crate) const TASK: &str = "task";
/// The kind of what says of which row a task of the platform is.
const MADE: &str = "made";
/// How long whoever has a row may take until somebody else gets it: longer than a call may take.
const LENT_US: i64 = 5 * 60_000_000;
/// How many rows are worked on at a time.
const AT_ONCE: usize = 16;
/// How many sends are noted at a time.
const NOTED_AT_ONCE: usize = 64;
/// How many people's names are looked up at a time.
const NAMES_AT_ONCE: usize = 500;
/// After how long a task that is not in the platform's list was not made.
const CAUGHT_UP_US: i64 = 3 * 60_000_000;
/// How long until the platform is asked what it made.
const LOOK_US: i64 = 60_000_000;
/// How long it is kept in mind of which row a task of the platform is: as long as the platform lists it.
const MADE_KEPT_US: i64 = 32 * zhiyin_model::time::DAY_US;
/// How long what is over stays to be looked at.
pub(super) const OVER_KEPT_US: i64 = 31 * zhiyin_model::time::DAY_US;
/// For how long staff may confirm, where nobody says otherwise.
pub(crate) const CONFIRM_USUAL_US: i64 = zhiyin_model::time::DAY_US;
/// How much later than that what was handed over is given up for lost.
const LOST_US: i64 = 9 * zhiyin_model::time::DAY_US;

/// How far a task is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// It may become more.
    Gathering,
    /// The platform was asked for it, at an instant of the wall clock, or is about to be.
    Calling(Ts),
    /// It was made.
    Made {
        /// What the platform calls it.
        id: String,
        /// When.
        at: Ts,
        /// Whether it was found, and not answered: then nobody knows yet who was left out.
        found: bool,
    },
    /// Nothing is left to do; why, by a name, where it was never made.
    Over(Option<String>),
}

/// A send that is in a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sending {
    /// Which, and its idempotency key.
    pub(crate) send: NoteId,
    /// Which attempt.
    pub(crate) attempts: i64,
    /// To whom.
    pub(crate) member: MemberId,
    /// The customer as the platform calls them, as a keyed hash: the row is about many, and names none.
    pub(crate) whom: ReflectionId,
}

/// To whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reaches {
    /// To members; who is done with is taken out.
    Members(Vec<Sending>),
    /// Into groups, with what became of it in each: `waiting`, `sent`, or why not.
    Groups(BTreeMap<String, String>),
}

/// A picture that goes with a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Picture {
    /// What is drawn.
    pub(crate) poster: String,
    /// For whom.
    pub(crate) member: MemberId,
    /// The hash of what was drawn.
    pub(crate) hash: String,
}

/// What a task says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Words {
    /// The text.
    pub(crate) text: String,
    /// A picture.
    #[serde(default)]
    pub(crate) picture: Option<Picture>,
    /// A card: its title, and where it leads.
    #[serde(default)]
    pub(crate) card: Option<(String, String)>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Errand {
    /// Who sends it.
    pub(crate) account: String,
    /// What.
    pub(crate) words: Words,
    /// To whom.
    pub(crate) to: Reaches,
    /// How far it is.
    pub(crate) stage: Stage,
    /// When it began, by the wall clock.
    pub(crate) opened: Ts,
    /// How long staff may confirm it, in microseconds.
    pub(crate) confirm_us: i64,
    /// How often the platform was asked in vain since it last answered.
    #[serde(default)]
    pub(crate) tries: i64,
    /// Who asked for it, where a person did.
    #[serde(default)]
    pub(crate) by: Option<String>,
}

impl Errand {
    /// Until when what is in it counts as being handed over.
    pub(crate) fn lost_at(&self) -> Ts {
        self.opened.plus_us(self.confirm_us.saturating_add(LOST_US))
    }

    /// Until when staff may confirm it.
    fn ends_at(&self, made: Ts) -> Ts {
        made.plus_us(self.confirm_us)
    }

    fn is_empty(&self) -> bool {
        match &self.to {
            Reaches::Members(sends) => sends.is_empty(),
            Reaches::Groups(groups) => groups.values().all(|fate| fate != WAITING),
        }
    }
}

/// What is said of a group into which nothing was sent yet.
pub(crate) const WAITING: &str = "waiting";

/// What says of which row a task of the platform is.
#[derive(Debug, Serialize, Deserialize)]
struct OfRow {
    row: ReflectionId,
}

/// A round that works on tasks.
pub(super) fn round<'a>(engine: &'a Engine, at: &'a At, wall: Ts) -> BoxFuture<'a, Result<Round>> {
    Box::pin(engine.round_of_tasks(at, wall))
}

pub(super) fn seconds(at: Ts) -> i64 {
    at.0.div_euclid(1_000_000)
}

/// When a row is worked on again that the platform did not do now: later each time, and not before the rest it asks for.
pub(super) fn again(wall: Ts, tries: i64, row: ReflectionId, rest: Duration) -> Ts {
    let pause = retry::pause(tries.max(1), row.bytes()).unwrap_or(retry::REST_MAX / 4);
    wall.plus_us(crate::sends::micros(pause.max(rest)))
}

impl Kept<'_> {
    /// Writes a task as it is from now on; false, where somebody else did.
    pub(super) async fn put_errand(&self, row: &Row<Errand>, due: Option<Ts>) -> Result<bool> {
        let put = Put {
            kind: TASK,
            id: row.id,
            part: row.part,
            read: row.version,
            due,
            about: About::Nobody,
            what: &row.what,
        };
        Ok(self.put(vec![put]).await?.first() == Some(&true))
    }
}

impl Engine {
    /// Works on tasks that are due.
    #[boxed]
    pub(crate) async fn round_of_tasks(&self, at: &At, wall: Ts) -> Result<Round> {
        let kept = self.kept(at).await?;
        let rows: Vec<Row<Errand>> = kept.lend(TASK, wall, wall.plus_us(LENT_US), AT_ONCE).await?;
        let mut done = rows.len();
        for row in rows {
            self.work_task(&kept, at, row, wall).await?;
        }
        let old: Vec<Row<OfRow>> = kept.lend(MADE, wall, wall.plus_us(LENT_US), 200).await?;
        done += kept.forget(old.iter().map(|row| (row.id, row.version)).collect()).await?;
        Ok(Round { done, next: kept.next(TASK).await? })
    }

    async fn work_task(&self, kept: &Kept<'_>, at: &At, row: Row<Errand>, wall: Ts) -> Result<()> {
        match row.what.stage.clone() {
            Stage::Gathering => self.close_task(kept, at, row, wall).await,
            Stage::Calling(since) => self.find_task(kept, at, row, (since, wall)).await,
            Stage::Made { id, at: made, found } => {
                self.pull_task(kept, at, row, (&id, made, found), wall).await
            }
            Stage::Over(_) => kept.forget(vec![(row.id, row.version)]).await.map(drop),
        }
    }

    /// Nobody is added any more: who may still get it is looked at once more, and the platform is asked.
    async fn close_task(&self, kept: &Kept<'_>, at: &At, mut row: Row<Errand>, wall: Ts) -> Result<()> {
        if let Reaches::Members(sends) = &mut row.what.to {
            let until = row.what.opened.plus_us(row.what.confirm_us.saturating_add(LOST_US));
            *sends = self.still_handed(std::mem::take(sends), until, wall).await?;
        }
        if row.what.is_empty() {
            return kept.forget(vec![(row.id, row.version)]).await.map(drop);
        }
        let (task, gone) = match self.task_of(kept, at, &row.what, wall).await? {
            Ok(task) => task,
            Err(trouble) => return self.not_made(kept, at, row, &trouble, wall).await,
        };
        // Who bears no name there any more was erased, or is somebody else now: the pipeline knows.
        self.fail_sends(kept, at, &mut row.what, &gone, "address: none").await?;
        if row.what.is_empty() {
            return kept.forget(vec![(row.id, row.version)]).await.map(drop);
        }
        row.what.stage = Stage::Calling(wall);
        if !kept.put_errand(&row, Some(wall.plus_us(LOOK_US.max(LENT_US)))).await? {
            return Ok(());
        }
        row.version += 1;
        match at.desk.make_task(&task).await {
            Ok(made) => self.task_made(kept, at, row, (made, false), wall).await,
            Err(Trouble::Unknown { why }) => {
                tracing::warn!(?at, why, "platforms: nobody knows whether a task was made; it is looked for");
                kept.put_errand(&row, Some(wall.plus_us(LOOK_US))).await.map(drop)
            }
            Err(trouble) => self.not_made(kept, at, row, &trouble, wall).await,
        }
    }

    /// Of these those that are being handed over by this very attempt: all others are somebody else's, or nobody's.
    async fn still_handed(&self, sends: Vec<Sending>, until: Ts, wall: Ts) -> Result<Vec<Sending>> {
        let store = self.store().coupons().campaigns().sends();
        let mut still = Vec::with_capacity(sends.len());
        for part in sends.chunks(NOTED_AT_ONCE) {
            let looked = part.iter().map(|one| async move {
                let Some(found) = store.sent(one.send).await? else { return Ok(false) };
                if found.attempts != one.attempts {
                    return Ok(false);
                }
                match found.state {
                    SendState::Handed => Ok(true),
                    SendState::Waiting => store.note(handed(one, until, wall)).await,
                    _ => Ok(false),
                }
            });
            let looked: Vec<zhiyin_store::Result<bool>> = join_all(looked).await;
            for (one, is_ours) in part.iter().zip(looked) {
                if is_ours? {
                    still.push(one.clone());
                }
            }
        }
        Ok(still)
    }

    /// The customers of sends, as the platform calls them.
    pub(super) async fn customers_of(
        &self,
        kept: &Kept<'_>,
        at: &At,
        sends: &[Sending],
    ) -> Result<BTreeMap<ReflectionId, String>> {
        let mut members: Vec<MemberId> = sends.iter().map(|one| one.member).collect();
        members.sort_unstable();
        members.dedup();
        let mut names = BTreeMap::new();
        for part in members.chunks(NAMES_AT_ONCE) {
            for (_, namespace, value) in self.store().identifiers_of(part.to_vec()).await? {
                if namespace == at.desk.namespace() {
                    drop(names.insert(kept.customer(&value), value));
                }
            }
        }
        Ok(names)
    }

    /// A task as the platform is asked for it, and which of its sends nobody gets.
    async fn task_of(
        &self,
        kept: &Kept<'_>,
        at: &At,
        errand: &Errand,
        wall: Ts,
    ) -> Result<Answer<(Task, BTreeSet<ReflectionId>)>> {
        let said = match self.said_of(kept, at, &errand.words, wall).await? {
            Ok(said) => said,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let (to, gone) = match &errand.to {
            Reaches::Members(sends) => {
                let names = self.customers_of(kept, at, sends).await?;
                let all = sends.iter().map(|one| one.whom);
                let gone = all.filter(|whom| !names.contains_key(whom)).collect();
                let customers: BTreeSet<String> =
                    sends.iter().filter_map(|one| names.get(&one.whom).cloned()).collect();
                (Whom::Customers(customers.into_iter().collect()), gone)
            }
            Reaches::Groups(groups) => {
                let open = groups.iter().filter(|(_, fate)| *fate == WAITING);
                (Whom::Groups(open.map(|(group, _)| group.clone()).collect()), BTreeSet::new())
            }
        };
        Ok(Ok((Task { account: errand.account.clone(), to, said }, gone)))
    }

    /// What is said, with pictures as the platform knows them.
    pub(super) async fn said_of(
        &self,
        kept: &Kept<'_>,
        at: &At,
        words: &Words,
        wall: Ts,
    ) -> Result<Answer<Said>> {
        let mut attached = Vec::new();
        if let Some(picture) = &words.picture {
            match self.media_of(kept, at, picture, wall).await? {
                Ok(media) => attached.push(Attached::Picture { media }),
                Err(trouble) => return Ok(Err(trouble)),
            }
        }
        if let Some((title, url)) = &words.card {
            let (title, url) = (title.clone(), url.clone());
            attached.push(Attached::Link { title, url, description: String::new(), picture: None });
        }
        Ok(Ok(Said { text: words.text.clone(), attached }))
    }

    /// The platform certainly did not make it: later, or never.
    async fn not_made(
        &self,
        kept: &Kept<'_>,
        at: &At,
        mut row: Row<Errand>,
        trouble: &Trouble,
        wall: Ts,
    ) -> Result<()> {
        let why = trouble.why();
        let rest = match trouble {
            Trouble::Later { rest, .. } => Some(*rest),
            Trouble::Unknown { .. } => Some(Duration::ZERO),
            Trouble::Wrong { .. } | Trouble::Never { .. } => None,
        };
        if let Some(rest) = rest {
            tracing::info!(?at, why, "platforms: a task is not made now");
            if matches!(row.what.to, Reaches::Members(_)) {
                // The guard-rails are asked anew by then.
                return self.give_back(kept, row, (Some(rest), why), wall).await;
            }
            row.what.tries += 1;
            let due = again(wall, row.what.tries, row.id, rest);
            if due < row.what.ends_at(row.what.opened) {
                row.what.stage = Stage::Gathering;
                return kept.put_errand(&row, Some(due)).await.map(drop);
            }
        }
        tracing::warn!(?at, %trouble, "platforms: a task is never made");
        let is_customers = matches!(trouble, Trouble::Never { whose: Whose::Customer, .. });
        let word = if is_customers { LEFT_OUT.to_owned() } else { format!("refused: {why}") };
        match &mut row.what.to {
            Reaches::Members(sends) => {
                let all: BTreeSet<ReflectionId> = sends.iter().map(|one| one.whom).collect();
                self.fail_sends(kept, at, &mut row.what, &all, &word).await?;
            }
            Reaches::Groups(groups) => {
                groups.values_mut().filter(|fate| *fate == WAITING).for_each(|fate| fate.clone_from(&word));
            }
        }
        row.what.stage = Stage::Over(Some(why.to_owned()));
        self.over(kept, row, wall).await
    }

    /// What is over stays to be looked at, where a person asked for it.
    pub(super) async fn over(&self, kept: &Kept<'_>, row: Row<Errand>, wall: Ts) -> Result<()> {
        match row.what.to {
            Reaches::Members(_) => kept.forget(vec![(row.id, row.version)]).await.map(drop),
            Reaches::Groups(_) => kept.put_errand(&row, Some(wall.plus_us(OVER_KEPT_US))).await.map(drop),
        }
    }

    /// Its sends wait again: longer each time, and no shorter than the rest that was asked for; or not at all.
    async fn give_back(
        &self,
        kept: &Kept<'_>,
        row: Row<Errand>,
        (rest, why): (Option<Duration>, &str),
        wall: Ts,
    ) -> Result<()> {
        let Reaches::Members(sends) = &row.what.to else { return Ok(()) };
        let store = self.store().coupons().campaigns().sends();
        for part in sends.chunks(NOTED_AT_ONCE) {
            let noted = part.iter().map(|one| {
                let due = rest.map_or(wall, |rest| again(wall, one.attempts, row.id, rest));
                let waits = Came {
                    counts: rest.is_some(),
                    state: SendState::Waiting,
                    due,
                    error: Some(why.to_owned()),
                    ..handed(one, due, wall)
                };
                store.note(waits)
            });
            for noted in join_all(noted).await {
                noted?;
            }
        }
        // Whoever is killed before this closes the row with nobody in it: those sends are another attempt's by then.
        kept.forget(vec![(row.id, row.version)]).await.map(drop)
    }

    /// Some of its sends are not taken, and never will be: they go on to the next of their channels.
    async fn fail_sends(
        &self,
        kept: &Kept<'_>,
        at: &At,
        errand: &mut Errand,
        whom: &BTreeSet<ReflectionId>,
        why: &str,
    ) -> Result<()> {
        let Reaches::Members(sends) = &mut errand.to else { return Ok(()) };
        let (out, stay): (Vec<Sending>, Vec<Sending>) =
            std::mem::take(sends).into_iter().partition(|one| whom.contains(&one.whom));
        *sends = stay;
        self.settle_sends(kept, at, out.iter().map(|one| (one, SendState::Failed, why.to_owned(), None)))
            .await
    }

    /// The platform has a name for it.
    async fn task_made(
        &self,
        kept: &Kept<'_>,
        at: &At,
        mut row: Row<Errand>,
        (made, found): (MadeTask, bool),
        wall: Ts,
    ) -> Result<()> {
        let id = kept.id(MADE, &[&made.id]);
        let of_row = OfRow { row: row.id };
        let put = Put {
            kind: MADE,
            id,
            part: kept.id(MADE, &[]),
            read: 0,
            due: Some(wall.plus_us(MADE_KEPT_US)),
            about: About::Nobody,
            what: &of_row,
        };
        // Where it is there already, a process that was killed wrote it.
        kept.put(vec![put]).await?;
        let left_out: BTreeSet<ReflectionId> = made.left_out.iter().map(|whom| kept.customer(whom)).collect();
        self.fail_sends(kept, at, &mut row.what, &left_out, LEFT_OUT).await?;
        if let Reaches::Groups(groups) = &mut row.what.to {
            for group in &made.left_out {
                if let Some(fate) = groups.get_mut(group) {
                    *fate = LEFT_OUT.to_owned();
                }
            }
        }
        let since = match row.what.stage {
            Stage::Calling(since) => since,
            _ => wall,
        };
        row.what.stage = Stage::Made { id: made.id, at: since, found };
        row.what.tries = 0;
        if row.what.is_empty() {
            return self.over(kept, row, wall).await;
        }
        kept.put_errand(&row, Some(results::next_pull(since, wall, row.what.ends_at(since)))).await.map(drop)
    }
}

/// Why a send is not in a task: the platform left its customer out.
const LEFT_OUT: &str = "left_out";

/// That a send is being handed over.
pub(crate) fn handed(one: &Sending, until: Ts, wall: Ts) -> Came {
    Came {
        id: one.send,
        attempts: one.attempts,
        counts: true,
        state: SendState::Handed,
        due: until,
        tried_at: Some(wall),
        receipt: None,
        error: None,
        tell: false,
    }
}

/// To what tasks of an account that say one thing belong.
pub(crate) fn part_of(kept: &Kept<'_>, account: &str, words: &Words, confirm_us: i64) -> PartId {
    let hash = words.picture.as_ref().map_or("", |picture| picture.hash.as_str());
    let (title, url) = words.card.as_ref().map_or(("", ""), |(title, url)| (title.as_str(), url.as_str()));
    kept.id(TASK, &[&account.to_lowercase(), &words.text, hash, title, url, &confirm_us.to_string()])
}
