//! What became of a task: pulled soon after it was made, then rarer, until staff may not confirm it any more.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use zhiyin_model::time::{DAY_US, HOUR_US, Ts};
use zhiyin_reach::platform::{Answer, Fate, TaskResult, Trouble};
use zhiyin_store::campaigns::mirror::ReflectionId;
use zhiyin_store::campaigns::sends::{Came, SendState};

use super::{Errand, LEFT_OUT, NOTED_AT_ONCE, Reaches, Sending, Stage, WAITING, again, handed};
use crate::platforms::{At, Kept, Row};
use crate::{Engine, Result};

/// The shortest and the longest time between two pulls.
const PULL_LEAST_US: i64 = 2 * 60_000_000;
const PULL_MOST_US: i64 = 4 * HOUR_US;
/// How long after a task was made staff are reminded at the earliest.
const REMIND_AFTER_US: i64 = 4 * HOUR_US;
/// For how long a task that the platform does not stop is tried to be stopped.
const STOP_WITHIN_US: i64 = 2 * DAY_US;
/// The most pages of results.
const PAGES_MAX: usize = 10_000;

/// When a task's results are pulled next.
pub(super) fn next_pull(made: Ts, wall: Ts, ends: Ts) -> Ts {
    let elapsed = wall.0.saturating_sub(made.0);
    let pause = (elapsed / 2).clamp(PULL_LEAST_US, PULL_MOST_US);
    wall.plus_us(pause).min(ends).max(wall.plus_us(1))
}

/// What a send comes to: which, where it stands, why, and when it was sent.
pub(in crate::platforms) type Settled<'s> = (&'s Sending, SendState, String, Option<i64>);

impl Engine {
    /// Pulls what became of a task, and ends it where its time is over.
    pub(super) async fn pull_task(
        &self,
        kept: &Kept<'_>,
        at: &At,
        mut row: Row<Errand>,
        (id, made, found): (&str, Ts, bool),
        wall: Ts,
    ) -> Result<()> {
        let ends = row.what.ends_at(made);
        let is_over = wall >= ends;
        // First it is stopped, then looked at once more: so nobody is counted as waiting who gets it after all.
        if is_over && let Err(trouble) = at.desk.cancel_task(id).await {
            return self.not_stopped(kept, at, row, (&trouble, ends), wall).await;
        }
        let results = match pulled(at, id, &row.what.account).await {
            Ok(results) => results,
            Err(trouble) => {
                tracing::info!(?at, why = trouble.why(), "platforms: results are not known yet");
                row.what.tries += 1;
                let rest = if let Trouble::Later { rest, .. } = trouble { rest } else { Default::default() };
                let due = again(wall, row.what.tries.min(4), row.id, rest);
                if wall >= ends.plus_us(STOP_WITHIN_US) {
                    return self.nobody_knows(kept, at, row, trouble.why(), wall).await;
                }
                return kept.put_errand(&row, Some(due)).await.map(drop);
            }
        };
        row.what.tries = 0;
        // What was found and not answered says here whom the platform left out.
        let is_whole = is_over || (found && wall.0.saturating_sub(made.0) >= PULL_LEAST_US);
        match &mut row.what.to {
            Reaches::Groups(groups) => {
                for result in &results {
                    let Some(fate) = groups.get_mut(&result.whom).filter(|fate| *fate == WAITING) else {
                        continue;
                    };
                    *fate = word(result.fate, is_over).unwrap_or(WAITING).to_owned();
                }
                if is_whole {
                    let told: std::collections::BTreeSet<&str> =
                        results.iter().map(|result| result.whom.as_str()).collect();
                    for (_, fate) in groups
                        .iter_mut()
                        .filter(|(group, fate)| *fate == WAITING && !told.contains(group.as_str()))
                    {
                        *fate = LEFT_OUT.to_owned();
                    }
                }
            }
            Reaches::Members(sends) => {
                let fates: BTreeMap<ReflectionId, Fate> =
                    results.iter().map(|result| (kept.customer(&result.whom), result.fate)).collect();
                let (mut settled, mut stay) = (Vec::new(), Vec::new());
                for one in std::mem::take(sends) {
                    match fates.get(&one.whom) {
                        Some(Fate::Sent(at)) => {
                            settled.push((one, SendState::Sent, id.to_owned(), Some(*at)))
                        }
                        Some(fate) => match word(*fate, is_over) {
                            Some(why) => settled.push((one, SendState::Bounced, why.to_owned(), None)),
                            None => stay.push(one),
                        },
                        None if is_whole => settled.push((one, SendState::Failed, LEFT_OUT.to_owned(), None)),
                        None => stay.push(one),
                    }
                }
                *sends = stay;
                let settled = settled.iter().map(|(one, state, why, at)| (one, *state, why.clone(), *at));
                self.settle_sends(kept, at, settled).await?;
            }
        }
        if row.what.is_empty() || is_over {
            row.what.stage = Stage::Over(None);
            return self.over(kept, row, wall).await;
        }
        if wall.0.saturating_sub(made.0) >= REMIND_AFTER_US.min(row.what.confirm_us / 2) {
            self.remind(kept, at, &row.what.account, wall).await?;
        }
        let due = next_pull(made, wall, ends);
        kept.put_errand(&row, Some(due)).await.map(drop)
    }

    /// The platform did not stop a task whose time is over: again, for a while; after that nobody knows what becomes of it.
    async fn not_stopped(
        &self,
        kept: &Kept<'_>,
        at: &At,
        mut row: Row<Errand>,
        (trouble, ends): (&Trouble, Ts),
        wall: Ts,
    ) -> Result<()> {
        if wall >= ends.plus_us(STOP_WITHIN_US) {
            return self.nobody_knows(kept, at, row, trouble.why(), wall).await;
        }
        row.what.tries += 1;
        let rest = if let Trouble::Later { rest, .. } = trouble { *rest } else { Default::default() };
        let due = again(wall, row.what.tries.min(4), row.id, rest);
        kept.put_errand(&row, Some(due)).await.map(drop)
    }

    async fn nobody_knows(
        &self,
        kept: &Kept<'_>,
        at: &At,
        mut row: Row<Errand>,
        why: &str,
        wall: Ts,
    ) -> Result<()> {
        tracing::error!(?at, why, "platforms: nobody knows what becomes of a task");
        match &mut row.what.to {
            Reaches::Members(sends) => {
                let sends = std::mem::take(sends);
                let all = sends.iter().map(|one| (one, SendState::Unknown, why.to_owned(), None));
                self.settle_sends(kept, at, all).await?;
            }
            Reaches::Groups(groups) => {
                groups
                    .values_mut()
                    .filter(|fate| *fate == WAITING)
                    .for_each(|fate| *fate = "unknown".to_owned());
            }
        }
        row.what.stage = Stage::Over(Some(why.to_owned()));
        self.over(kept, row, wall).await
    }

    /// Notes what came of sends. Said twice it is as good as once.
    pub(super) async fn settle_sends<'s>(
        &self,
        kept: &Kept<'_>,
        at: &At,
        settled: impl Iterator<Item = Settled<'s>>,
    ) -> Result<()> {
        let settled: Vec<Settled<'s>> = settled.collect();
        // First what customers have had: who is killed in between is told the same again, and counts it once.
        self.had_became(kept, at, &settled).await?;
        let store = self.store().coupons().campaigns().sends();
        for part in settled.chunks(NOTED_AT_ONCE) {
            let noted = part.iter().map(|(one, state, word, sent_at)| async move {
                let is_sent = *state == SendState::Sent;
                let came = Came {
                    state: *state,
                    due: Ts(0),
                    tried_at: sent_at.map(|at| Ts(at.saturating_mul(1_000_000))),
                    receipt: is_sent.then(|| word.clone()),
                    error: (!is_sent).then(|| word.clone()),
                    tell: matches!(state, SendState::Failed | SendState::Bounced),
                    ..handed(one, Ts(0), Ts(0))
                };
                if store.note(came).await? || *state != SendState::Bounced {
                    return Ok(());
                }
                // Of a copied home it was given up for lost, and now somebody knows.
                let why = Some(word.clone());
                store.moved(one.send, SendState::Unknown, SendState::Bounced, why, true).await.map(drop)
            });
            let noted: Vec<zhiyin_store::Result<()>> = join_all(noted).await;
            noted.into_iter().collect::<zhiyin_store::Result<()>>()?;
            for (_, state, ..) in part {
                self.measures.sends().came(at.desk.channel(), state.name(), 1);
            }
        }
        Ok(())
    }
}

/// Why somebody did not get it, by a name; `sent` where they did, and nothing while it may yet be.
fn word(fate: Fate, is_over: bool) -> Option<&'static str> {
    match fate {
        Fate::Sent(_) => Some("sent"),
        Fate::NotTheirs => Some("not_theirs"),
        Fate::OverLimit => Some(crate::platforms::had::OVER_LIMIT),
        Fate::Other => Some("not_sent"),
        Fate::Waiting => is_over.then_some("not_confirmed"),
    }
}

/// All results of a task.
async fn pulled(at: &At, id: &str, account: &str) -> Answer<Vec<TaskResult>> {
    let (mut all, mut next) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let part = at.desk.task_results(id, account, next.as_deref()).await?;
        all.extend(part.items);
        next = part.next;
        if next.is_none() {
            break;
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_pulled_soon_then_rarer_and_at_the_end() {
        let (made, ends) = (Ts(0), Ts(DAY_US));
        let (mut wall, mut pulls) = (made, Vec::new());
        while wall < ends {
            wall = next_pull(made, wall, ends);
            pulls.push(wall.0 / 60_000_000);
        }
        assert_eq!(pulls[..4], [2, 4, 6, 9]);
        assert!((12..30).contains(&pulls.len()), "{pulls:?}");
        assert_eq!(pulls.last(), Some(&(24 * 60)));
        assert!(pulls.windows(2).all(|two| two[1] - two[0] <= 240), "{pulls:?}");
    }
}
