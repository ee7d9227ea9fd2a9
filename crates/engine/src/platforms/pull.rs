//! All of a platform is looked at now and then, a part at a time, so that what no callback told is learned (and what it told wrongly).
//!
//! One row says how far that is: accounts, then who is in contact with them, a hundred accounts and a page at a time, then those contacts
//! that were not seen though they are known, then groups, then tags. Whoever is killed in between goes on where the row says.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::Trouble;
use zhiyin_store::campaigns::mirror::ReflectionId;

use super::contacts::{CONTACT, Contact};
use super::groups::{GROUP, Group};
use super::looks::Look;
use super::shelf::Shelf;
use super::{About, At, Kept, Put, Round, Row};
use crate::{Engine, Result};

/// The kind of the row that says how far it is.
const PULL: &str = "pull";
/// How many accounts are asked for at once (WeCom: at most 100; developer page 92994, read on 2026-11-22).
const ACCOUNTS: usize = 100;
/// How many rows are read at a time.
const ROWS: usize = 500;
/// How many steps one round makes.
const STEPS: usize = 20;
/// How long after them it rests, in microseconds: twenty pages a second leave most of the platform's limit to others.
const REST_US: i64 = 1_000_000;
/// How long after the beginning of a whole look the next begins, in microseconds: so many times as long as it took, at least and at most.
const EVERY_TIMES: i64 = 20;
const EVERY_US_MIN: i64 = 900_000_000;
const EVERY_US_MAX: i64 = 6 * 3_600_000_000;
/// Over which time groups are looked at, in microseconds.
const GROUPS_OVER_US: i64 = 3_600_000_000;
/// How many groups a second are looked at, at most, where they are few.
const GROUPS_A_SECOND: i64 = 20;
/// How long one process has the row, in microseconds.
const LENT_US: i64 = 60_000_000;
/// How long to wait after a failure, and at most, in microseconds.
const PAUSE_US: i64 = 2_000_000;
const PAUSE_US_MAX: i64 = 900_000_000;

/// Where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// It has not begun.
    #[default]
    Waits,
    /// Contacts of accounts from this one on, from this page on.
    Contacts { from: usize, page: Option<String> },
    /// Contacts of this account that are known and were not seen, after this row.
    Unseen { account: usize, after: Option<ReflectionId> },
    /// Groups, from this page on; so many were listed before.
    Groups { page: Option<String>, n: i64 },
    /// Groups that are known and were not listed, after this row.
    Unlisted { after: Option<ReflectionId> },
}

impl Stage {
    const fn name(&self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::Contacts { .. } => "contacts",
            Self::Unseen { .. } => "unseen",
            Self::Groups { .. } => "groups",
            Self::Unlisted { .. } => "unlisted",
        }
    }
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pull {
    stage: Stage,
    /// Accounts that may have customers, or had when it was looked last.
    accounts: Vec<String>,
    /// Of them, those that are there.
    #[serde(default)]
    there: Vec<String>,
    /// Groups that were listed, as their rows' ids: what is known beside them is gone.
    #[serde(default)]
    listed: BTreeSet<ReflectionId>,
    /// When it began, in microseconds.
    began: i64,
    /// When the last whole one began and ended.
    last: Option<(i64, i64)>,
    /// How many steps failed, one after the other, and why the last one did.
    failed: u32,
    why: Option<String>,
}

/// What one step came to: the next, or why there is none now.
enum Step {
    On(Stage),
    Whole,
    Held(Trouble),
}

/// How far the looking at an account is, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Far {
    pub(super) stage: &'static str,
    pub(super) began: Option<i64>,
    pub(super) last: Option<(i64, i64)>,
    pub(super) accounts: usize,
    pub(super) failed: u32,
    pub(super) why: Option<String>,
}

impl Shelf<'_> {
    /// How far it is.
    pub(super) async fn pulled(&self) -> Result<Far> {
        let Some(row) = self.get::<Pull>(self.id(PULL, &[])).await? else { return Ok(Far::default()) };
        let Pull { stage, there, began, last, failed, why, .. } = row.what;
        let began = (stage != Stage::Waits).then_some(began);
        Ok(Far { stage: stage.name(), began, last, accounts: there.len(), failed, why })
    }
}

impl Kept<'_> {
    fn pull_id(&self) -> ReflectionId {
        self.id(PULL, &[])
    }

    async fn put_pull(&self, read: i64, due: Ts, what: &Pull) -> Result<bool> {
        let id = self.pull_id();
        let thing = Put { kind: PULL, id, part: id, read, due: Some(due), about: About::Nobody, what };
        Ok(self.put(vec![thing]).await?.into_iter().all(|written| written))
    }

    /// Begins anew at once, where it does not go on already.
    pub(super) async fn pull_at(&self, wall: Ts) -> Result<()> {
        let id = self.pull_id();
        let row = self.get::<Pull>(vec![id]).await?.remove(&id);
        let (read, what) = row.map_or((0, Pull::default()), |row| (row.version, row.what));
        self.put_pull(read, wall, &what).await.map(drop)
    }

    async fn step(&self, pull: &mut Pull, wall: Ts) -> Result<Step> {
        let desk = &self.at.desk;
        Ok(match pull.stage.clone() {
            Stage::Waits => match desk.accounts().await {
                Ok(accounts) => {
                    let known = pull.accounts.iter().cloned().chain(accounts.iter().cloned());
                    pull.accounts = known.collect::<BTreeSet<_>>().into_iter().collect();
                    pull.there = accounts;
                    pull.there.sort_unstable();
                    (pull.began, pull.listed) = (wall.0, BTreeSet::new());
                    // What tags are called is known before who bears them.
                    if let Some(trouble) = self.learn_tags().await? {
                        return Ok(Step::Held(trouble));
                    }
                    Step::On(Stage::Contacts { from: 0, page: None })
                }
                Err(trouble) => Step::Held(trouble),
            },
            Stage::Contacts { from, page } => {
                let of: Vec<String> = pull.there.iter().skip(from).take(ACCOUNTS).cloned().collect();
                if of.is_empty() {
                    return Ok(Step::On(Stage::Unseen { account: 0, after: None }));
                }
                match desk.roster(&of, page.as_deref()).await {
                    Ok(part) => {
                        if let Some(trouble) = self.learn_unknown_tags(&part.items).await? {
                            return Ok(Step::Held(trouble));
                        }
                        self.see_contacts(None, &part.items, wall).await?;
                        let from = if part.next.is_some() { from } else { from + ACCOUNTS };
                        Step::On(Stage::Contacts { from, page: part.next })
                    }
                    Err(trouble) => Step::Held(trouble),
                }
            }
            Stage::Unseen { account, after } => {
                let Some(name) = pull.accounts.get(account) else {
                    return Ok(Step::On(Stage::Groups { page: None, n: 0 }));
                };
                let part = self.id("account", &[name]);
                let (rows, last) = self.list::<Contact>(CONTACT, part, after, ROWS).await?;
                let is_unseen = |row: &&Row<Contact>| {
                    let contact = &row.what;
                    contact.ended.is_none()
                        && contact.seen < pull.began
                        && contact.since.saturating_mul(1_000_000) < pull.began
                };
                let unseen = rows.iter().filter(is_unseen);
                let looks = unseen.map(|row| (Look::Customer(row.what.customer.clone()), wall)).collect();
                self.look_at(looks, false).await?;
                let account = if last.is_some() { account } else { account + 1 };
                Step::On(Stage::Unseen { account, after: last })
            }
            Stage::Groups { page, n } => match desk.groups(&[], page.as_deref()).await {
                Ok(part) => {
                    let mut looks = Vec::with_capacity(part.items.len());
                    let mut n = n;
                    for group in part.items {
                        pull.listed.insert(self.id(GROUP, &[&group]));
                        let after_us = (n * 1_000_000 / GROUPS_A_SECOND).min(n * GROUPS_OVER_US / 10_000);
                        looks.push((Look::Group { group, wanted: None }, wall.plus_us(after_us)));
                        n += 1;
                    }
                    for some in looks.chunks(ROWS) {
                        self.look_at(some.to_vec(), false).await?;
                    }
                    match part.next {
                        Some(page) => Step::On(Stage::Groups { page: Some(page), n }),
                        None => Step::On(Stage::Unlisted { after: None }),
                    }
                }
                Err(trouble) => Step::Held(trouble),
            },
            Stage::Unlisted { after } => {
                let (rows, last) = self.list::<Group>(GROUP, self.id("groups", &[]), after, ROWS).await?;
                let unlisted =
                    rows.iter().filter(|row| row.what.gone.is_none() && !pull.listed.contains(&row.id));
                let look =
                    |row: &Row<Group>| (Look::Group { group: row.what.group.clone(), wanted: None }, wall);
                self.look_at(unlisted.map(look).collect(), false).await?;
                if last.is_some() { Step::On(Stage::Unlisted { after: last }) } else { Step::Whole }
            }
        })
    }
}

impl Engine {
    /// Looks at a part of all there is.
    pub(super) async fn pull_round(&self, at: &At, wall: Ts) -> Result<Round> {
        let kept = self.kept(at).await?;
        let Some(row) = kept.lend::<Pull>(PULL, wall, wall.plus_us(LENT_US), 1).await?.pop() else {
            let next = kept.next(PULL).await?;
            if next.is_none() {
                kept.put_pull(0, wall, &Pull::default()).await?;
            }
            return Ok(Round { done: 0, next: next.or(Some(wall)) });
        };
        let (mut pull, mut done) = (row.what, 0);
        let mut due = wall.plus_us(REST_US);
        for _ in 0..STEPS {
            match kept.step(&mut pull, wall).await? {
                Step::On(stage) => {
                    pull.stage = stage;
                    (pull.failed, pull.why) = (0, None);
                    done += 1;
                }
                Step::Whole => {
                    pull.last = Some((pull.began, wall.0));
                    self.measures.seats().looked(at.desk.channel(), &at.account, Ts(pull.began));
                    pull.accounts.clone_from(&pull.there);
                    (pull.stage, pull.listed) = (Stage::Waits, BTreeSet::new());
                    let took = wall.0.saturating_sub(pull.began);
                    let every = took.saturating_mul(EVERY_TIMES).clamp(EVERY_US_MIN, EVERY_US_MAX);
                    due = Ts(pull.began).plus_us(every).max(wall.plus_us(REST_US));
                    break;
                }
                Step::Held(trouble) => {
                    pull.failed = pull.failed.saturating_add(1);
                    pull.why = Some(trouble.why().to_owned());
                    let pause = PAUSE_US.saturating_mul(1 << (pull.failed - 1).min(10)).min(PAUSE_US_MAX);
                    let rest = match &trouble {
                        Trouble::Later { rest, .. } => {
                            i64::try_from(rest.as_micros()).unwrap_or(PAUSE_US_MAX)
                        }
                        _ => 0,
                    };
                    if matches!(trouble, Trouble::Never { .. } | Trouble::Wrong { .. }) {
                        tracing::warn!(
                            ?at,
                            why = trouble.why(),
                            stage = pull.stage.name(),
                            "platforms: not looked at"
                        );
                        // What lies behind it is looked at all the same, next time from the beginning.
                        pull.stage = skipped(&pull.stage);
                    }
                    due = wall.plus_us(pause.max(rest));
                    break;
                }
            }
        }
        kept.put_pull(row.version, due, &pull).await?;
        Ok(Round { done, next: Some(due) })
    }
}

/// What comes after what the platform refuses.
fn skipped(stage: &Stage) -> Stage {
    match stage {
        Stage::Contacts { .. } => Stage::Groups { page: None, n: 0 },
        Stage::Waits | Stage::Unseen { .. } | Stage::Groups { .. } | Stage::Unlisted { .. } => Stage::Waits,
    }
}
