//! Rows that lie in ClickHouse held against the record, a few members at a time, round after round: who lies there otherwise than they
//! are recorded, who is recorded and does not lie there, who lies there and is in no record. As with columns a difference counts
//! only where it outlives what was on its way when it was met; it is counted, told and healed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zhiyin_audience::sql::{gone_row, is_as_said, member_of, member_row};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::StoreError;
use zhiyin_store::crowd::Whole;

use super::super::person;
use super::super::reconcile::{ENTRIES, PART, Pace};
use super::Afar;
use super::filling::version;
use super::pump::Sender;
use crate::{Engine, Result, clock};

/// So many rows of those between two members are looked at: more than there should be.
const LYING_MAX: usize = 2 * PART;

/// How far it has come.
#[derive(Default)]
pub(super) struct Rounds {
    cursor: Option<MemberId>,
    /// Whether that was everybody.
    is_through: bool,
    /// Who seemed to differ, and when.
    suspects: Vec<MemberId>,
    suspected_at: Option<Ts>,
    pace: Pace,
}

impl Engine {
    /// Holds the next rows against the record, if it is time to. Asked where all that the feed shows was sent.
    pub(super) async fn rows_held(&self, afar: &Afar, sender: &Sender, rounds: &mut Rounds) -> Result<()> {
        if rounds.pace.is_resting() {
            return Ok(());
        }
        // What was on its way when they were met may still be held back.
        if !rounds.suspects.is_empty() && afar.freshness.lock().await.fresh() < rounds.suspected_at {
            return Ok(());
        }
        let watch = clock::stopwatch();
        let held = match rounds.suspects.is_empty() {
            true => self.suspected(sender, rounds).await,
            false => self.rows_confirmed(sender, rounds).await,
        };
        rounds.pace.worked(watch, held.is_ok() && rounds.is_through && rounds.suspects.is_empty());
        held
    }

    /// Looks at the next part.
    async fn suspected(&self, sender: &Sender, rounds: &mut Rounds) -> Result<()> {
        let part = self.store().crowd().after(rounds.cursor, PART).await?;
        let is_last = part.len() < PART;
        let to = part.last().map(|whole| whole.member.id).filter(|_| !is_last);
        let asked = sender.tables.lying(rounds.cursor, to, LYING_MAX);
        let lying = sender.servers.ask(&asked).await?;
        let n = lying.lines().count();
        let mut differing = self.differing_rows(sender, part, lying).await?;
        // Where there are more than there should be, the next part begins after the last of them.
        let cut = (n == LYING_MAX)
            .then(|| differing.iter().rev().find(|(_, lies)| *lies))
            .flatten()
            .map(|(id, _)| *id);
        if let Some(cut) = cut {
            differing.retain(|(id, _)| *id <= cut);
        }
        rounds.cursor = cut.or(to);
        rounds.suspects = differing.into_iter().map(|(id, _)| id).collect();
        rounds.is_through = is_last && cut.is_none();
        rounds.suspected_at = Some(clock::now(&self.home().await?));
        Ok(())
    }

    /// Looks again at who seemed to differ, now that all was sent that was on its way then.
    async fn rows_confirmed(&self, sender: &Sender, rounds: &mut Rounds) -> Result<()> {
        let suspects: Vec<MemberId> = rounds.suspects.iter().copied().take(PART).collect();
        let recorded = self.store().crowd().these(suspects.clone()).await?;
        let lying = sender.servers.ask(&sender.tables.lying_of(&suspects)).await?;
        let pending = self.store().feed(sender.position, ENTRIES).await?;
        let followed = self.fillings().await?.into_iter().find(|(filling, _)| *filling == sender.filling);
        // Somebody else sends as well, or too much is on its way to tell: they are looked at once more.
        if pending.len() == ENTRIES || followed.is_none_or(|(_, at)| at != sender.position) {
            return Ok(());
        }
        let pending: BTreeSet<MemberId> = pending.into_iter().flat_map(|entry| entry.members).collect();
        let mut wrong = self.differing_rows(sender, recorded, lying).await?;
        wrong.retain(|(id, _)| !pending.contains(id));
        if !wrong.is_empty() {
            tracing::error!(
                members = wrong.len(),
                "rows in ClickHouse differed from the record; they are sent again"
            );
            self.measures.audiences().differed(wrong.len());
            let wrong: Vec<MemberId> = wrong.into_iter().map(|(id, _)| id).collect();
            let version = version(sender.filling.number, sender.position);
            let mut lines = self.rows_of(sender, &wrong, version).await?;
            sender.sent(&mut lines, true).await?;
        }
        rounds.suspects.drain(..suspects.len());
        Ok(())
    }

    /// Members as lines, as they are recorded; who is in no record is gone.
    pub(super) async fn rows_of(
        &self,
        sender: &Sender,
        members: &[MemberId],
        version: u64,
    ) -> Result<Vec<String>> {
        let mut gone: BTreeSet<MemberId> = members.iter().copied().collect();
        let whole = self.store().crowd().these(members.to_vec()).await?;
        gone.retain(|member| !whole.iter().any(|whole| whole.member.id == *member));
        let mut lines = sender.rows(whole, version).await?;
        lines.extend(gone.into_iter().map(|member| gone_row(member, version)));
        Ok(lines)
    }

    /// Who lies there otherwise than recorded, by id, and whether there is a row of them.
    async fn differing_rows(
        &self,
        sender: &Sender,
        recorded: Vec<Whole>,
        lying: String,
    ) -> Result<Vec<(MemberId, bool)>> {
        let (live, tables) = (Arc::clone(&sender.live), Arc::clone(&sender.tables));
        let held = tokio::task::spawn_blocking(move || -> Result<Vec<(MemberId, bool)>> {
            let rows = lying.lines().filter_map(|line| Some((member_of(line)?, line)));
            let mut rows: BTreeMap<MemberId, &str> = rows.collect();
            let mut differing = BTreeMap::new();
            for whole in recorded {
                let id = whole.member.id;
                let sent = member_row(&tables.trimmed(person::now(&live.rules, whole)?), &tables, 0);
                let row = rows.remove(&id);
                if !row.is_some_and(|row| is_as_said(row, &sent)) {
                    differing.insert(id, row.is_some());
                }
            }
            // Of whom nothing is recorded.
            differing.extend(rows.into_keys().map(|id| (id, true)));
            Ok(differing.into_iter().collect())
        });
        held.await.map_err(|error| StoreError::Database(error.to_string()))?
    }
}
