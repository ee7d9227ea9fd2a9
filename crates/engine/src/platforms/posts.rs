//! What people publish through the brand's staff: a text into groups, or a moment that all customers of the staff see. Whoever asks for it
//! names it (`batch`), so that asked again it is the same; above what one person may decide alone a second one approves it.
//!
//! Into groups it becomes a task for each owner ([`super::tasks`]). A moment is made by the platform in its own time: that it is asked for
//! is written before it is; where nobody knows, the platform is asked for moments that say the same.

mod asked;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use zhiyin_model::place::Code;
use zhiyin_model::time::{DAY_US, HOUR_US, Ts};
use zhiyin_reach::platform::{Answer, Moment, Trouble};
use zhiyin_store::campaigns::mirror::ReflectionId;

use super::tasks::{Errand, OVER_KEPT_US, Reaches, Stage, TASK, WAITING, Words, again, seconds};
use super::{About, At, Kept, Put, Round, Row, ways};
use crate::boxed;
use crate::{Engine, Result};

pub use asked::{GroupsAsked, MomentAsked, PostAsked, PostView};

/// The kind of their rows.
const POST: &str = "post";
/// The kind of what says of which row a moment is.
const MOMENT: &str = "moment_made";
/// How long whoever has a row may take.
const LENT_US: i64 = 10 * 60_000_000;
/// How many are worked on at a time.
const AT_ONCE: usize = 8;
/// How often it is looked whether a second person answered.
const ANSWER_US: i64 = 5_000_000;
/// How often it is looked whether a moment was made.
const MAKING_US: i64 = 10_000_000;
/// The shortest and the longest time between two looks at who published it.
const PULL_LEAST_US: i64 = 2 * 60_000_000;
const PULL_MOST_US: i64 = 6 * HOUR_US;
/// After how long a moment that is not in the platform's list was not made.
const CAUGHT_UP_US: i64 = 3 * 60_000_000;
/// The most groups of one post.
const GROUPS_MAX: usize = 2_000;
/// For how long a moment that the platform does not stop is tried to be stopped.
const STOP_WITHIN_US: i64 = 2 * DAY_US;

/// What is published where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Where {
    /// Into groups.
    Groups {
        /// These.
        groups: Vec<String>,
        /// Those whose name has this in it.
        named: Option<String>,
        /// Those of these owners.
        owners: Vec<String>,
        /// Those into which the codes of these touchpoints lead, or led.
        #[serde(default)]
        touchpoints: Vec<String>,
        /// Those of whoever works at these stores.
        #[serde(default)]
        stores: Vec<String>,
    },
    /// As a moment.
    Moment {
        /// By these accounts; by all, where none is named.
        accounts: Vec<String>,
        /// For customers with one of these tags, by name; for all, where none is named.
        tags: Vec<String>,
    },
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PostStage {
    /// It waits for a second person, or is about to begin.
    Asked,
    /// Tasks were given to owners of groups.
    Tasks,
    /// The platform was asked for a moment at an instant of the wall clock, or is about to be.
    Calling(Ts),
    /// It makes it.
    Making {
        /// By which that is asked for.
        job: String,
        /// When it was asked.
        since: Ts,
    },
    /// It was made.
    Made {
        /// What the platform calls it.
        moment: String,
        /// When.
        at: Ts,
    },
    /// Nothing is left to do; why, where it came to nothing.
    Over(Option<String>),
}

/// Something that is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Post {
    /// What it is known by.
    pub(crate) batch: String,
    /// What it says.
    pub(crate) words: Words,
    /// Where.
    pub(crate) into: Where,
    /// How far it is.
    pub(crate) stage: PostStage,
    /// How long staff may take, in microseconds.
    pub(crate) confirm_us: i64,
    /// Who asked for it.
    pub(crate) by: String,
    /// When, by the wall clock.
    pub(crate) asked: Ts,
    /// The request for a second person, where it needs one.
    pub(crate) approval: Option<i64>,
    /// Which accounts published a moment.
    #[serde(default)]
    pub(crate) published: BTreeMap<String, bool>,
    /// How often the platform was asked in vain since it last answered.
    #[serde(default)]
    pub(crate) tries: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct OfRow {
    row: ReflectionId,
}

/// A round that works on what people publish.
pub(super) fn round<'a>(engine: &'a Engine, at: &'a At, wall: Ts) -> BoxFuture<'a, Result<Round>> {
    Box::pin(engine.round_of_posts(at, wall))
}

impl Kept<'_> {
    async fn put_post(&self, row: &Row<Post>, due: Ts) -> Result<bool> {
        let put = Put {
            kind: POST,
            id: row.id,
            part: row.part,
            read: row.version,
            due: Some(due),
            about: About::Nobody,
            what: &row.what,
        };
        Ok(self.put(vec![put]).await?.first() == Some(&true))
    }
}

impl Engine {
    /// Works on posts that are due.
    #[boxed]
    pub(crate) async fn round_of_posts(&self, at: &At, wall: Ts) -> Result<Round> {
        let kept = self.kept(at).await?;
        let rows: Vec<Row<Post>> = kept.lend(POST, wall, wall.plus_us(LENT_US), AT_ONCE).await?;
        let done = rows.len();
        for row in rows {
            self.work_post(&kept, at, row, wall).await?;
        }
        let old: Vec<Row<OfRow>> = kept.lend(MOMENT, wall, wall.plus_us(LENT_US), 200).await?;
        kept.forget(old.iter().map(|row| (row.id, row.version)).collect()).await?;
        Ok(Round { done, next: kept.next(POST).await? })
    }

    async fn work_post(&self, kept: &Kept<'_>, at: &At, row: Row<Post>, wall: Ts) -> Result<()> {
        match row.what.stage.clone() {
            PostStage::Asked => self.begin_post(kept, at, row, wall).await,
            PostStage::Tasks | PostStage::Over(_) => kept.forget(vec![(row.id, row.version)]).await.map(drop),
            PostStage::Calling(since) => self.find_moment(kept, at, row, (since, wall)).await,
            PostStage::Making { job, since } => self.moment_made(kept, at, row, (&job, since), wall).await,
            PostStage::Made { moment, at: made } => {
                self.pull_moment(kept, at, row, (&moment, made), wall).await
            }
        }
    }

    async fn begin_post(&self, kept: &Kept<'_>, at: &At, mut row: Row<Post>, wall: Ts) -> Result<()> {
        if let Some(no) = row.what.approval {
            let asked = self.store().access().approval(no).await?;
            match asked.as_ref().map(|asked| (asked.answer.as_ref(), asked.answer_by)) {
                Some((Some(answer), _)) if answer.approved => {}
                Some((None, until)) if wall < until => {
                    return kept.put_post(&row, wall.plus_us(ANSWER_US)).await.map(drop);
                }
                Some((Some(_), _)) => return over(kept, row, "not_approved", wall).await,
                _ => return over(kept, row, "approval_late", wall).await,
            }
        }
        match row.what.into.clone() {
            Where::Groups { mut groups, named, mut owners, touchpoints, stores } => {
                groups.extend(ways::groups_of(kept, &touchpoints).await?);
                let is_listed = !owners.is_empty() || (named.is_some() && stores.is_empty());
                owners.extend(self.staff_at(&stores).await?);
                let listed =
                    (is_listed || !owners.is_empty()).then_some((named.as_deref(), owners.as_slice()));
                let found = match chosen(at, &groups, listed).await {
                    Ok(found) => found,
                    Err(trouble) => return later(kept, row, &trouble, wall).await,
                };
                if found.is_empty() {
                    return over(kept, row, "no_group", wall).await;
                }
                if found.values().map(BTreeSet::len).sum::<usize>() > GROUPS_MAX {
                    return over(kept, row, "too_many_groups", wall).await;
                }
                let part = kept.id(POST, &[&row.what.batch]);
                let errands: Vec<(ReflectionId, Errand)> = found
                    .into_iter()
                    .map(|(owner, groups)| {
                        let id = kept.id(TASK, &[POST, &row.what.batch, &owner]);
                        let groups = groups.into_iter().map(|group| (group, WAITING.to_owned())).collect();
                        let errand = Errand {
                            account: owner,
                            words: row.what.words.clone(),
                            to: Reaches::Groups(groups),
                            stage: Stage::Gathering,
                            opened: wall,
                            confirm_us: row.what.confirm_us,
                            tries: 0,
                            by: Some(row.what.by.clone()),
                        };
                        (id, errand)
                    })
                    .collect();
                // Where one is there already, a process that was killed wrote it.
                let puts = errands.iter().map(|(id, what)| Put {
                    kind: TASK,
                    id: *id,
                    part,
                    read: 0,
                    due: Some(wall),
                    about: About::Nobody,
                    what,
                });
                kept.put(puts.collect::<Vec<_>>()).await?;
                row.what.stage = PostStage::Tasks;
                kept.put_post(&row, wall.plus_us(OVER_KEPT_US)).await.map(drop)
            }
            Where::Moment { .. } => {
                let moment = match self.moment_of(kept, at, &row.what, wall).await? {
                    Ok(moment) => moment,
                    Err(trouble) => return later(kept, row, &trouble, wall).await,
                };
                row.what.stage = PostStage::Calling(wall);
                if !kept.put_post(&row, wall.plus_us(LENT_US)).await? {
                    return Ok(());
                }
                row.version += 1;
                match at.desk.make_moment(&moment).await {
                    Ok(job) => {
                        row.what.stage = PostStage::Making { job, since: wall };
                        row.what.tries = 0;
                        kept.put_post(&row, wall.plus_us(MAKING_US)).await.map(drop)
                    }
                    Err(Trouble::Unknown { why }) => {
                        tracing::warn!(
                            ?at,
                            why,
                            "platforms: nobody knows whether a moment is made; it is looked for"
                        );
                        kept.put_post(&row, wall.plus_us(MAKING_US)).await.map(drop)
                    }
                    Err(trouble) => {
                        row.what.stage = PostStage::Asked;
                        later(kept, row, &trouble, wall).await
                    }
                }
            }
        }
    }

    async fn moment_of(&self, kept: &Kept<'_>, at: &At, post: &Post, wall: Ts) -> Result<Answer<Moment>> {
        let Where::Moment { accounts, tags } = &post.into else { return Ok(Ok(Moment::default())) };
        let mut ids = Vec::new();
        if !tags.is_empty() {
            let known = match at.desk.tags().await {
                Ok(known) => known,
                Err(trouble) => return Ok(Err(trouble)),
            };
            for tag in tags {
                let of: Vec<String> =
                    known.iter().filter(|one| one.name == *tag).map(|one| one.tag.clone()).collect();
                if of.is_empty() {
                    let message = format!("the platform has no tag {tag}");
                    return Ok(Err(Trouble::Wrong { field: "tags".to_owned(), message }));
                }
                ids.extend(of);
            }
        }
        let said = match self.said_of(kept, at, &post.words, wall).await? {
            Ok(said) => said,
            Err(trouble) => return Ok(Err(trouble)),
        };
        Ok(Ok(Moment { said, accounts: accounts.clone(), tags: ids }))
    }

    /// How far the platform is with a moment.
    async fn moment_made(
        &self,
        kept: &Kept<'_>,
        at: &At,
        row: Row<Post>,
        (job, since): (&str, Ts),
        wall: Ts,
    ) -> Result<()> {
        let making = match at.desk.moment_making(job).await {
            Ok(making) => making,
            // A job that is known no more was one: the list shows what came of it.
            Err(Trouble::Never { .. }) => return self.find_moment(kept, at, row, (since, wall)).await,
            Err(trouble) => return later(kept, row, &trouble, wall).await,
        };
        match making.moment {
            None => kept.put_post(&row, wall.plus_us(MAKING_US)).await.map(drop),
            Some(moment) => {
                if !making.unknown_accounts.is_empty() {
                    tracing::warn!(?at, accounts = ?making.unknown_accounts, "platforms: accounts that publish nothing");
                }
                self.moment_is(kept, row, (moment, since), wall).await
            }
        }
    }

    async fn moment_is(
        &self,
        kept: &Kept<'_>,
        mut row: Row<Post>,
        (moment, at): (String, Ts),
        wall: Ts,
    ) -> Result<()> {
        let of_row = OfRow { row: row.id };
        let put = Put {
            kind: MOMENT,
            id: kept.id(MOMENT, &[&moment]),
            part: kept.id(MOMENT, &[]),
            read: 0,
            due: Some(wall.plus_us(OVER_KEPT_US)),
            about: About::Nobody,
            what: &of_row,
        };
        kept.put(vec![put]).await?;
        row.what.stage = PostStage::Made { moment, at };
        row.what.tries = 0;
        kept.put_post(&row, wall.plus_us(PULL_LEAST_US)).await.map(drop)
    }

    /// Nobody knows whether a moment was made.
    async fn find_moment(
        &self,
        kept: &Kept<'_>,
        at: &At,
        mut row: Row<Post>,
        (since, wall): (Ts, Ts),
    ) -> Result<()> {
        let moment = match self.moment_of(kept, at, &row.what, wall).await? {
            Ok(moment) => moment,
            Err(trouble) => return later(kept, row, &trouble, wall).await,
        };
        let found = match at.desk.find_moment(&moment, seconds(since)).await {
            Ok(found) => found,
            Err(trouble) => return later(kept, row, &trouble, wall).await,
        };
        let ids: Vec<ReflectionId> = found.iter().map(|id| kept.id(MOMENT, &[id])).collect();
        let known: BTreeMap<ReflectionId, Row<OfRow>> = kept.get(ids).await?;
        let is_free =
            |id: &&String| known.get(&kept.id(MOMENT, &[id])).is_none_or(|of| of.what.row == row.id);
        let ours: Vec<&String> = found.iter().filter(is_free).collect();
        if let Some((first, others)) = ours.split_first() {
            if !others.is_empty() {
                tracing::error!(?at, first, ?others, "platforms: a moment was made more than once");
            }
            let first = (*first).clone();
            return self.moment_is(kept, row, (first, since), wall).await;
        }
        if wall.0.saturating_sub(since.0) < CAUGHT_UP_US {
            return kept.put_post(&row, wall.plus_us(MAKING_US)).await.map(drop);
        }
        row.what.stage = PostStage::Asked;
        row.what.tries += 1;
        kept.put_post(&row, wall).await.map(drop)
    }

    /// Who published a moment; where their time is over it is stopped.
    async fn pull_moment(
        &self,
        kept: &Kept<'_>,
        at: &At,
        mut row: Row<Post>,
        (moment, made): (&str, Ts),
        wall: Ts,
    ) -> Result<()> {
        let ends = made.plus_us(row.what.confirm_us);
        if wall >= ends
            && let Err(trouble) = at.desk.cancel_moment(moment).await
            && !matches!(trouble, Trouble::Never { .. })
            && wall < ends.plus_us(STOP_WITHIN_US)
        {
            return later(kept, row, &trouble, wall).await;
        }
        match at.desk.moment_results(moment).await {
            Ok(published) => row.what.published = published.into_iter().collect(),
            Err(trouble) => return later(kept, row, &trouble, wall).await,
        }
        row.what.tries = 0;
        let is_done = !row.what.published.is_empty() && row.what.published.values().all(|done| *done);
        if is_done || wall >= ends {
            row.what.stage = PostStage::Over(None);
            return kept.put_post(&row, wall.plus_us(OVER_KEPT_US)).await.map(drop);
        }
        let pause = (wall.0.saturating_sub(made.0) / 2).clamp(PULL_LEAST_US, PULL_MOST_US);
        let next = wall.plus_us(pause).min(ends).max(wall.plus_us(1));
        kept.put_post(&row, next).await.map(drop)
    }
}

async fn over(kept: &Kept<'_>, mut row: Row<Post>, why: &str, wall: Ts) -> Result<()> {
    tracing::warn!(batch = row.what.batch, why, "platforms: nothing is published");
    row.what.stage = PostStage::Over(Some(why.to_owned()));
    kept.put_post(&row, wall.plus_us(OVER_KEPT_US)).await.map(drop)
}

/// The platform did not do it: later, or, where it never will, not any more.
async fn later(kept: &Kept<'_>, mut row: Row<Post>, trouble: &Trouble, wall: Ts) -> Result<()> {
    let rest = match trouble {
        Trouble::Later { rest, .. } => *rest,
        Trouble::Unknown { .. } => Duration::ZERO,
        Trouble::Wrong { .. } | Trouble::Never { .. } => {
            return over(kept, row, &format!("refused: {trouble}"), wall).await;
        }
    };
    row.what.tries += 1;
    let due = again(wall, row.what.tries.min(5), row.id, rest);
    kept.put_post(&row, due).await.map(drop)
}

impl Engine {
    /// Who of the staff works at stores, by their codes, which are accounts where they own groups.
    async fn staff_at(&self, stores: &[String]) -> Result<Vec<String>> {
        if stores.is_empty() {
            return Ok(Vec::new());
        }
        let tree = self.places().await?;
        let codes = stores.iter().filter_map(|store| Code::read("store", store).ok());
        let staff = codes.flat_map(|code| tree.staff_of(&code).iter().map(|one| one.code.to_string()));
        Ok(staff.collect())
    }
}

/// Groups by owner: those named by id, and those of owners or with a name.
async fn chosen(
    at: &At,
    groups: &[String],
    listed: Option<(Option<&str>, &[String])>,
) -> Answer<BTreeMap<String, BTreeSet<String>>> {
    let mut ids: BTreeSet<String> = groups.iter().cloned().collect();
    let named = listed.and_then(|(named, _)| named);
    let mut next = None;
    if let Some((_, owners)) = listed {
        loop {
            let part = at.desk.groups(owners, next.as_deref()).await?;
            ids.extend(part.items);
            next = part.next;
            if next.is_none() || ids.len() > GROUPS_MAX * 10 {
                break;
            }
        }
    }
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for id in ids {
        let Some(group) = at.desk.group(&id).await? else { continue };
        let is_named = groups.contains(&id) || named.is_none_or(|named| group.name.contains(named));
        if is_named {
            found.entry(group.owner).or_default().insert(id);
        }
    }
    Ok(found)
}
