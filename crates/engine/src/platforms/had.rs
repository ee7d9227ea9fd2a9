//! How many messages each customer has had of a platform that allows so many in a day or a month, in windows of its own: whoever has had
//! all of them is not asked for in vain. Of each it is kept which sends count, and when, so that what is told twice counts once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use zhiyin_model::id::NoteId;
use zhiyin_model::time::Ts;
use zhiyin_store::campaigns::mirror::ReflectionId;
use zhiyin_store::campaigns::sends::SendState;

use super::tasks::{Settled, seconds};
use super::{About, At, Kept, Put, Row};
use crate::{Engine, Result};

/// The kind of their rows.
const HAD: &str = "had";
/// What is bounded.
const SUBJECT: &str = "mass_send.per_customer";
/// In which windows it may be.
const WINDOWS: [&str; 2] = ["day", "month"];
/// Why a customer got nothing: the platform says that they have had all.
pub(super) const OVER_LIMIT: &str = "over_limit";
/// How often it is tried again where somebody else wrote the same.
const WRITTEN_MAX: usize = 5;

/// What a customer has had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Had {
    /// Which sends, and when, in seconds since 1970 UTC: when it was asked for, until it is known when it was sent.
    sends: BTreeMap<NoteId, i64>,
    /// When the platform last said that they have had all.
    #[serde(default)]
    full: Option<i64>,
    /// The customer, as the platform calls them.
    customer: String,
}

impl Had {
    /// Why nothing more may be sent at an instant.
    fn full(&self, at: &At, now: i64) -> Option<String> {
        for window in WINDOWS {
            let Some(most) = at.desk.limit(SUBJECT, window, now) else { continue };
            let of = |instant: i64| at.desk.window(window, instant);
            let this = of(now);
            let n = self.sends.values().filter(|sent| of(**sent) == this).count();
            if u64::try_from(n).unwrap_or(u64::MAX) >= most {
                return Some(format!("{n} of {most} in this {window}"));
            }
        }
        // Of which window it is full the platform does not say: tomorrow it is asked again.
        let day = |instant: i64| at.desk.window("day", instant);
        self.full.filter(|told| day(*told) == day(now)).map(|_| "all of today, says the platform".to_owned())
    }

    /// Windows that are over count no more.
    fn let_go(&mut self, at: &At, now: i64) {
        let this = at.desk.window("month", now);
        self.sends.retain(|_, sent| at.desk.window("month", *sent) >= this);
    }
}

impl Kept<'_> {
    /// A customer, as a keyed hash of what the platform calls them.
    pub(crate) fn customer(&self, customer: &str) -> ReflectionId {
        self.id("customer", &[&customer.to_lowercase()])
    }
}

impl Engine {
    /// Counts sends to customers as asked for; of each who has had all, why.
    pub(crate) async fn may_have(
        &self,
        kept: &Kept<'_>,
        at: &At,
        wanted: &[(NoteId, String)],
        wall: Ts,
    ) -> Result<BTreeMap<NoteId, String>> {
        let now = seconds(wall);
        let (mut refused, mut open) = (BTreeMap::new(), wanted.to_vec());
        for _ in 0..WRITTEN_MAX {
            if open.is_empty() {
                return Ok(refused);
            }
            let ids: BTreeSet<ReflectionId> = open.iter().map(|(_, whom)| kept.id(HAD, &[whom])).collect();
            let known: BTreeMap<ReflectionId, Row<Had>> = kept.get(ids.into_iter().collect()).await?;
            let mut changed = Changed::new();
            for (send, customer) in open.drain(..) {
                let id = kept.id(HAD, &[&customer]);
                let (_, had, of) = changed.entry(id).or_insert_with(|| match known.get(&id) {
                    Some(row) => (row.version, row.what.clone(), Vec::new()),
                    None => (0, Had { customer: customer.clone(), ..Had::default() }, Vec::new()),
                });
                had.let_go(at, now);
                if !had.sends.contains_key(&send) {
                    if let Some(why) = had.full(at, now) {
                        refused.insert(send, why);
                        continue;
                    }
                    had.sends.insert(send, now);
                }
                of.push((send, customer));
            }
            changed.retain(|_, (.., of)| !of.is_empty());
            let written = put(kept, &changed).await?;
            for ((_, (.., of)), written) in changed.into_iter().zip(written) {
                if !written {
                    open.extend(of);
                }
            }
        }
        // Others write the same all the time, or they were erased: it is not known to be too much.
        Ok(refused)
    }

    /// What became of sends: what was not sent counts no more, and what was counts when it was.
    pub(super) async fn had_became(&self, kept: &Kept<'_>, at: &At, settled: &[Settled<'_>]) -> Result<()> {
        let sends: Vec<&super::tasks::Sending> = settled.iter().map(|(one, ..)| *one).collect();
        let sends: Vec<super::tasks::Sending> = sends.into_iter().cloned().collect();
        let names = self.customers_of(kept, at, &sends).await?;
        let mut open: Vec<(ReflectionId, &Settled<'_>)> = Vec::with_capacity(settled.len());
        for one in settled {
            let name = names.get(&one.0.whom);
            open.extend(name.map(|name| (kept.id(HAD, &[name]), one)));
        }
        for _ in 0..WRITTEN_MAX {
            if open.is_empty() {
                return Ok(());
            }
            let known: BTreeMap<ReflectionId, Row<Had>> =
                kept.get(open.iter().map(|(id, _)| *id).collect()).await?;
            let mut changed = Changed::new();
            for (id, (one, state, why, sent_at)) in &open {
                let Some(row) = known.get(id) else { continue };
                let (_, had, _) =
                    changed.entry(*id).or_insert_with(|| (row.version, row.what.clone(), Vec::new()));
                match (state, sent_at) {
                    (SendState::Sent, Some(sent)) => drop(had.sends.insert(one.send, *sent)),
                    (SendState::Sent | SendState::Unknown, _) => {}
                    _ => {
                        let asked = had.sends.remove(&one.send);
                        if why == OVER_LIMIT {
                            had.full = had.full.max(asked);
                        }
                    }
                }
            }
            changed.retain(|id, (_, had, _)| known.get(id).is_some_and(|row| row.what != *had));
            let ids: Vec<ReflectionId> = changed.keys().copied().collect();
            let written = put(kept, &changed).await?;
            let lost: BTreeSet<ReflectionId> =
                ids.into_iter().zip(written).filter(|(_, written)| !written).map(|(id, _)| id).collect();
            open.retain(|(id, _)| lost.contains(id));
        }
        Ok(())
    }
}

/// Rows to be written: the version that was read, what they are from then on, and for which sends of which customers.
type Changed = BTreeMap<ReflectionId, (i64, Had, Vec<(NoteId, String)>)>;

async fn put(kept: &Kept<'_>, changed: &Changed) -> Result<Vec<bool>> {
    let part = kept.id(HAD, &[]);
    let puts = changed.iter().map(|(id, (read, had, _))| Put {
        kind: HAD,
        id: *id,
        part,
        read: *read,
        due: None,
        about: About::Customer(&had.customer),
        what: had,
    });
    let puts: Vec<Put<'_, Had>> = puts.collect();
    if puts.is_empty() { Ok(Vec::new()) } else { kept.put(puts).await }
}
