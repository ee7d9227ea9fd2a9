//! Where nobody knows whether a task was made: the platform is asked what it has, and of that the one is taken that is this row's.

use std::collections::BTreeMap;
use std::time::Duration;

use zhiyin_model::time::Ts;
use zhiyin_reach::platform::{Answer, MadeTask, Trouble};
use zhiyin_store::campaigns::mirror::ReflectionId;

use super::{CAUGHT_UP_US, Errand, LOOK_US, MADE, OfRow, Reaches, Stage, again, seconds};
use crate::platforms::{At, Kept, Row};
use crate::{Engine, Result};

impl Engine {
    /// Nobody knows whether it was made: the platform is asked what it has.
    pub(super) async fn find_task(
        &self,
        kept: &Kept<'_>,
        at: &At,
        mut row: Row<Errand>,
        (since, wall): (Ts, Ts),
    ) -> Result<()> {
        let (task, _) = match self.task_of(kept, at, &row.what, wall).await? {
            Ok(task) => task,
            Err(trouble) => return self.look_later(kept, row, &trouble, wall).await,
        };
        let found = match at.desk.find_task(&task, seconds(since)).await {
            Ok(found) => found,
            Err(trouble) => return self.look_later(kept, row, &trouble, wall).await,
        };
        let ours = match self.ours(kept, at, &row, found).await? {
            Ok(ours) => ours,
            Err(trouble) => return self.look_later(kept, row, &trouble, wall).await,
        };
        if let Some((first, others)) = ours.split_first() {
            if !others.is_empty() {
                tracing::error!(?at, first, ?others, "platforms: a task was made more than once");
            }
            let made = MadeTask { id: first.clone(), left_out: Vec::new() };
            return self.task_made(kept, at, row, (made, true), wall).await;
        }
        if wall.0.saturating_sub(since.0) < CAUGHT_UP_US {
            return kept
                .put_errand(&row, Some(since.plus_us(CAUGHT_UP_US).max(wall.plus_us(LOOK_US / 4))))
                .await
                .map(drop);
        }
        tracing::info!(?at, "platforms: a task was not made; it is asked for anew");
        row.what.stage = Stage::Gathering;
        row.what.tries += 1;
        if matches!(row.what.to, Reaches::Members(_)) {
            return self.give_back(kept, row, (None, "lost"), wall).await;
        }
        kept.put_errand(&row, Some(wall)).await.map(drop)
    }

    async fn look_later(
        &self,
        kept: &Kept<'_>,
        mut row: Row<Errand>,
        trouble: &Trouble,
        wall: Ts,
    ) -> Result<()> {
        tracing::info!(why = trouble.why(), "platforms: what was made is not known yet");
        row.what.tries += 1;
        let rest = if let Trouble::Later { rest, .. } = trouble { *rest } else { Duration::ZERO };
        let due = again(wall, row.what.tries.min(4), row.id, rest);
        kept.put_errand(&row, Some(due)).await.map(drop)
    }

    /// Which of the tasks that say the same are of this row: no other row's, by the same account, to somebody who is in it.
    async fn ours(
        &self,
        kept: &Kept<'_>,
        at: &At,
        row: &Row<Errand>,
        found: Vec<String>,
    ) -> Result<Answer<Vec<String>>> {
        let ids: Vec<ReflectionId> = found.iter().map(|id| kept.id(MADE, &[id])).collect();
        let known: BTreeMap<ReflectionId, Row<OfRow>> = kept.get(ids).await?;
        let mut ours = Vec::new();
        for id in found {
            match known.get(&kept.id(MADE, &[&id])) {
                Some(of) if of.what.row == row.id => ours.push(id),
                Some(_) => {}
                None => match at.desk.task_results(&id, &row.what.account, None).await {
                    Ok(part) => {
                        let is_in = |whom: &str| match &row.what.to {
                            Reaches::Members(sends) => {
                                let whom = kept.customer(whom);
                                sends.iter().any(|one| one.whom == whom)
                            }
                            Reaches::Groups(groups) => groups.contains_key(whom),
                        };
                        if part.items.iter().any(|one| is_in(&one.whom)) {
                            ours.push(id);
                        }
                    }
                    // Another account's: it says nothing of this one.
                    Err(Trouble::Never { .. }) => {}
                    Err(trouble) => return Ok(Err(trouble)),
                },
            }
        }
        Ok(Ok(ours))
    }
}
