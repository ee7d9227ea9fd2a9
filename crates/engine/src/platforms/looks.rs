//! What is to be looked at: a customer, a group, the tags. Whoever learns that something changed writes down that it is to be looked at,
//! once however often it is learned; a round looks, and looks again later where the platform does not answer.

use serde::{Deserialize, Serialize};
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::Trouble;
use zhiyin_store::campaigns::mirror::ReflectionId;

use super::contacts::TRIES;
use super::shelf::Shelf;
use super::{About, At, Kept, Put, Round, Row};
use crate::{Engine, Result};

/// The kinds of rows of what is to be looked at.
const LOOKS: [&str; 2] = ["look", "look:later"];
/// How many are looked at in one round.
const AT_ONCE: usize = 100;
/// How many of them at the same time.
const TOGETHER: usize = 8;
/// How long one process has what it took, in microseconds.
const LENT_US: i64 = 60_000_000;
/// How long to wait after the first failure, and at most, in microseconds.
const PAUSE_US: i64 = 1_000_000;
const PAUSE_US_MAX: i64 = 600_000_000;
/// How long a platform may lag behind what it told, in microseconds; after so many looks what is seen is believed.
const LAG_US: i64 = 3_000_000;
const LAGS_MAX: u32 = 6;

/// Something to be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Look {
    /// All relations of a customer.
    Customer(String),
    /// A group.
    Group {
        /// Which.
        group: String,
        /// The state of its members that was announced.
        wanted: Option<String>,
    },
    /// The tags.
    Tags,
}

/// It, and how often it was looked at in vain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Looking {
    look: Look,
    tries: u32,
}

/// What came of a look.
enum Came {
    Done,
    Again(Ts),
    Never(&'static str),
}

impl Kept<'_> {
    fn look_id(&self, look: &Look) -> ReflectionId {
        match look {
            Look::Customer(customer) => self.id("look", &["customer", customer]),
            Look::Group { group, .. } => self.id("look", &["group", group]),
            Look::Tags => self.id("look", &["tags"]),
        }
    }

    /// Writes down that something is to be looked at, at an instant at the latest; `is_urgent` puts it before what merely heals.
    pub(super) async fn look_at(&self, looks: Vec<(Look, Ts)>, is_urgent: bool) -> Result<()> {
        let mut open = looks;
        for _ in 0..TRIES {
            if open.is_empty() {
                break;
            }
            let ids: Vec<ReflectionId> = open.iter().map(|(look, _)| self.look_id(look)).collect();
            let rows = self.get::<Looking>(ids.clone()).await?;
            let part = self.id("looks", &[]);
            let mut things = Vec::new();
            let mut seen = std::collections::BTreeSet::new();
            let whats: Vec<(ReflectionId, Looking, Ts)> = open
                .iter()
                .zip(ids)
                .filter(|(_, id)| seen.insert(*id))
                .map(|((look, due), id)| {
                    let known = rows.get(&id);
                    let due = known.and_then(|row| row.due).map_or(*due, |known| known.min(*due));
                    (id, Looking { look: look.clone(), tries: 0 }, due)
                })
                .collect();
            for (id, what, due) in &whats {
                let about = if let Look::Customer(customer) = &what.look {
                    About::Customer(customer)
                } else {
                    About::Nobody
                };
                let read = rows.get(id).map_or(0, |row| row.version);
                let kind = if is_urgent { "look" } else { "look:later" };
                things.push(Put { kind, id: *id, part, read, due: Some(*due), about, what });
            }
            let written = self.put(things).await?;
            let lost: Vec<ReflectionId> =
                whats.iter().zip(written).filter(|(_, ok)| !ok).map(|((id, ..), _)| *id).collect();
            let erased = if lost.is_empty() { Default::default() } else { self.erased(lost.clone()).await? };
            open.retain(|(look, _)| {
                let id = self.look_id(look);
                lost.contains(&id) && !erased.contains(&id)
            });
        }
        Ok(())
    }

    async fn look(&self, looking: &Looking, wall: Ts) -> Result<Came> {
        let trouble = |trouble: Trouble| match trouble {
            Trouble::Later { rest, .. } => {
                let rest = i64::try_from(rest.as_micros()).unwrap_or(PAUSE_US_MAX);
                Came::Again(wall.plus_us(rest.max(pause(looking.tries))))
            }
            Trouble::Unknown { .. } => Came::Again(wall.plus_us(pause(looking.tries))),
            Trouble::Never { .. } | Trouble::Wrong { .. } => Came::Never(trouble.why()),
        };
        let desk = &self.at.desk;
        match &looking.look {
            Look::Customer(customer) => match desk.relations_of(customer).await {
                Ok(relations) => {
                    if let Some(held) = self.learn_unknown_tags(&relations).await? {
                        return Ok(trouble(held));
                    }
                    self.see_contacts(Some(customer), &relations, wall).await?;
                }
                Err(why) => return Ok(trouble(why)),
            },
            Look::Group { group, wanted } => match desk.group(group).await {
                Ok(shown) => {
                    let lags = self.see_group(group, shown.as_ref(), wall).await?;
                    let is_behind = shown
                        .as_ref()
                        .is_some_and(|shown| wanted.as_ref().is_some_and(|wanted| *wanted != shown.version));
                    if (lags || is_behind) && looking.tries < LAGS_MAX {
                        return Ok(Came::Again(wall.plus_us(LAG_US << looking.tries.min(3))));
                    }
                }
                Err(why) => return Ok(trouble(why)),
            },
            Look::Tags => match desk.tags().await {
                Ok(tags) => self.see_tags(&tags).await?,
                Err(why) => return Ok(trouble(why)),
            },
        }
        Ok(Came::Done)
    }

    async fn looked(&self, kind: &str, row: Row<Looking>, wall: Ts) -> Result<()> {
        match self.look(&row.what, wall).await? {
            // Where it was to be looked at again meanwhile, the row is another by now, and stays.
            Came::Done => {
                let _n = self.forget(vec![(row.id, row.version)]).await?;
            }
            Came::Never(why) => {
                tracing::warn!(at = ?self.at, why, "platforms: something cannot be looked at");
                let _n = self.forget(vec![(row.id, row.version)]).await?;
            }
            Came::Again(due) => {
                let what = Looking { tries: row.what.tries.saturating_add(1), ..row.what };
                let about = if let Look::Customer(customer) = &what.look {
                    About::Customer(customer)
                } else {
                    About::Nobody
                };
                let (id, part, read) = (row.id, row.part, row.version);
                let thing = Put { kind, id, part, read, due: Some(due), about, what: &what };
                drop(self.put(vec![thing]).await?);
            }
        }
        Ok(())
    }
}

impl Shelf<'_> {
    /// When the first that is to be looked at is.
    pub(super) async fn next_look(&self) -> Result<Option<Ts>> {
        let mut next = None;
        for kind in LOOKS {
            next = next.into_iter().chain(self.next(kind).await?).min();
        }
        Ok(next)
    }
}

/// How long to wait after so many failures, in microseconds.
fn pause(tries: u32) -> i64 {
    PAUSE_US.saturating_mul(1 << tries.min(20)).min(PAUSE_US_MAX)
}

impl Engine {
    /// Looks at what is to be looked at.
    pub(super) async fn look_round(&self, at: &At, wall: Ts) -> Result<Round> {
        use futures_util::{StreamExt, stream};
        let kept = self.kept(at).await?;
        let mut done = 0;
        for kind in LOOKS {
            let lent = kept.lend::<Looking>(kind, wall, wall.plus_us(LENT_US), AT_ONCE).await?;
            done += lent.len();
            let kept = &kept;
            let mut looks = Vec::with_capacity(lent.len());
            for row in lent {
                looks.push(kept.looked(kind, row, wall));
            }
            let outcomes: Vec<Result<()>> = stream::iter(looks).buffer_unordered(TOGETHER).collect().await;
            outcomes.into_iter().collect::<Result<()>>()?;
        }
        Ok(Round { done, next: kept.shelf().next_look().await? })
    }
}
