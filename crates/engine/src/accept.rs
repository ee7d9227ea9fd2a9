//! The door: items become inbox rows, durably, each once; or are refused by name.

use zhiyin_model::event::{self, Identifier, Item, Origin, Refusal, names};
use zhiyin_model::id::{EventId, IdKey};
use zhiyin_model::time::{DAY_US, Ts};
pub use zhiyin_store::Ties;
use zhiyin_store::seal;
use zhiyin_store::{Append, Home, Named, NewEvent, Progress, Reach, Receipt};

use crate::boxed;
use crate::identity::{self, Blocked};
use crate::{Engine, EngineError, Result, clock};

/// Who sends, and how its items are read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name: message ids are unique within it.
    pub name: String,
    /// Namespace of its `userId`.
    pub user_namespace: String,
    /// Whether it brings history: its items are placed at their own time.
    pub replay: bool,
    /// What it means where the names of one of its items are several members'.
    pub ties: Ties,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// In the inbox, durably.
    Accepted,
    /// It was there already.
    Duplicate,
    /// Not taken.
    Refused(Refusal),
}

/// Events that only decisions state, and draws, leases of tills, short links, the dispatcher of messages and the take-over.
const DERIVED: [&str; 21] = [
    names::CAMPAIGN_STEP,
    names::MESSAGE_FAILED,
    names::LINK_CLICKED,
    names::LINK_SCANNED,
    names::SHARE_CLICKED,
    names::SHARE_SCANNED,
    names::DRAW_WON,
    names::TILL_LEASED,
    names::TILL_RETURNED,
    names::STAGE_CHANGED,
    names::TIER_CHANGED,
    names::TAG_ADDED,
    names::TAG_REMOVED,
    names::AUDIENCE_ENTERED,
    names::AUDIENCE_LEFT,
    names::TIMER_DUE,
    names::PLAYBOOK_APPLIED,
    names::POINTS_RECEIVED,
    names::MEMBERS_MERGED,
    names::MEMBER_JOINED,
    names::MEMBER_TAKEN_OVER,
];

/// When an event may have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Not before: ids of older items may have been forgotten, so nobody could tell whether it came before.
    pub from: Ts,
    /// Not after.
    pub to: Ts,
}

/// Checks one item and seals it.
pub fn prepare(
    key: &IdKey,
    source: &Source,
    bytes: &[u8],
    default_time: Option<Ts>,
    window: Window,
) -> std::result::Result<NewEvent, Refusal> {
    prepare_own(key, source, (bytes, None), default_time, window)
}

/// The same for an event that nobody else may send: which one the caller may.
pub(crate) fn prepare_own(
    key: &IdKey,
    source: &Source,
    (bytes, own): (&[u8], Option<&str>),
    default_time: Option<Ts>,
    window: Window,
) -> std::result::Result<NewEvent, Refusal> {
    let origin = Origin { user_namespace: &source.user_namespace, default_time };
    sealed(key, source, event::accept(bytes, &origin)?, own, window)
}

/// Seals an item that was read and checked already.
pub(crate) fn sealed(
    key: &IdKey,
    source: &Source,
    item: Item,
    own: Option<&str>,
    window: Window,
) -> std::result::Result<NewEvent, Refusal> {
    let parts = item.name == names::MEMBERS_UNMERGED;
    let reserved = DERIVED.contains(&item.name.as_str()) && own != Some(item.name.as_str());
    if reserved || (parts && source.ties != Ties::Insist) {
        let message = format!("{:?} is stated by this home's own decisions only", item.name);
        return Err(Refusal::new("event_reserved", "event", message));
    }
    if item.time < window.from {
        let message =
            format!("{} is before {}: ids of that time are no longer remembered", item.time, window.from);
        return Err(Refusal::new("event_too_old", "timestamp", message));
    }
    if item.time > window.to {
        let message = format!("{} is more than 24 hours ahead of business time", item.time);
        return Err(Refusal::new("event_from_the_future", "timestamp", message));
    }
    let id: EventId = item.id(key, &source.name);
    let named = |identifier: &Identifier| Named {
        hash: seal::lookup(key, identifier),
        namespace: identifier.namespace.clone(),
        value: seal::seal(&identifier.value),
    };
    let reach = item.reaches.as_ref().map(|identifier| Reach {
        named: named(identifier),
        member: key.derive("member", &[id.bytes(), b"reached"]),
    });
    let names: Vec<Named> = item.identifiers.iter().map(named).collect();
    Ok(NewEvent {
        id,
        ties: if parts { Ties::Keep } else { source.ties },
        parts: if parts { names.iter().map(|named| named.hash).collect() } else { Vec::new() },
        body_hash: item.body_hash(key),
        body: seal::seal(&item.body),
        names,
        member: key.derive("member", &[id.bytes()]),
        reach,
        message_id: item.message_id,
        called: None,
        name: item.name,
        time: item.time,
    })
}

/// What events may be accepted at `now`: at most 24 hours ahead.
pub fn latest(now: Ts) -> Window {
    Window { from: Ts::MIN, to: now.plus_us(DAY_US) }
}

/// The same in a home, which may have forgotten the ids of long ago.
pub fn window(home: &Home, now: Ts) -> Window {
    Window { from: home.remembers_from.unwrap_or(Ts::MIN), ..latest(now) }
}

/// Code of the refusal of an id that was there with another body.
pub const REUSED: &str = "message_id_reused";

/// The refusal of an id that was there with another body.
pub fn reused() -> Refusal {
    Refusal::new(REUSED, "messageId", "this id came before with another body")
}

impl Engine {
    /// Takes items into the inbox. When this returns, what was accepted is on disk.
    #[boxed]
    pub async fn accept(
        &self,
        source: &Source,
        items: &[Vec<u8>],
        progress: Option<Progress>,
    ) -> Result<Vec<Verdict>> {
        let home = self.home().await?;
        let now = clock::now(&home);
        let default_time = (!source.replay).then_some(now);
        let prepared: Vec<_> = items
            .iter()
            .map(|bytes| prepare(&home.id_key, source, bytes, default_time, window(&home, now)))
            .collect();
        self.take(source, prepared, now, progress).await
    }

    /// Puts dead letters back and decides them anew; how many.
    #[boxed]
    pub async fn retry(&self, seqs: Vec<i64>) -> Result<usize> {
        let now = clock::now(&self.home().await?);
        let n = self.store().retry_dead_letters(seqs, now).await?;
        self.drain(512, None, |_| ()).await?;
        Ok(n)
    }

    /// Ends a replay: business now is the time of the last event, and from then on it runs. A home whose business has
    /// begun stays as it is.
    #[boxed]
    pub async fn begin_business(&self) -> Result<()> {
        let home = self.home().await?;
        if home.live_since.is_none() && home.clock > Ts::MIN {
            self.drain(4096, Some(home.clock), |_| ()).await?;
            let offset_us = home.clock.0 - clock::wall().0;
            self.begin_at(offset_us, home.clock).await?;
        }
        Ok(())
    }

    /// Says that the home acts for real from now on, unless it does already.
    #[boxed]
    pub async fn go_live(&self) -> Result<()> {
        let home = self.home().await?;
        if home.replaying {
            return Err(EngineError::Replaying);
        }
        if home.live_since.is_none() {
            self.begin_at(home.offset_us, clock::now(&home)).await?;
        }
        Ok(())
    }

    async fn begin_at(&self, offset_us: i64, since: Ts) -> Result<()> {
        // Before, so that whoever is killed right after has it to do still.
        let is_timed = self.reach_anew().await?;
        self.store().set_clock(offset_us, Some(since)).await?;
        if is_timed { self.reach_once(1024).await.map(drop) } else { Ok(()) }
    }

    /// Takes prepared items into the inbox; one verdict an item, in order.
    #[boxed]
    pub async fn take(
        &self,
        source: &Source,
        prepared: Vec<std::result::Result<NewEvent, Refusal>>,
        now: Ts,
        progress: Option<Progress>,
    ) -> Result<Vec<Verdict>> {
        let told = self.take_telling(source, prepared, now, progress).await?;
        Ok(told.into_iter().map(|(verdict, _)| verdict).collect())
    }

    /// The same; and with each verdict how many of the item's names were given up.
    pub(crate) async fn take_telling(
        &self,
        source: &Source,
        prepared: Vec<std::result::Result<NewEvent, Refusal>>,
        now: Ts,
        progress: Option<Progress>,
    ) -> Result<Vec<(Verdict, u8)>> {
        let mut events = Vec::with_capacity(prepared.len());
        let mut verdicts = Vec::with_capacity(prepared.len());
        let home = self.home().await?;
        if home.version > 0 {
            // Another process may have applied another.
            self.live_at(home.version).await?;
        }
        let believed = self.identity();
        let mut blocked = Blocked::new(&home.id_key, &believed);
        for item in prepared {
            let item = match (item, &mut blocked) {
                (Ok(event), Some(blocked)) => blocked.passed_over(event),
                (item, _) => item,
            };
            match item {
                Ok(mut event) => {
                    identity::most_telling_first(&believed, &mut event);
                    events.push(event);
                    verdicts.push(Verdict::Accepted);
                }
                Err(refusal) => verdicts.push(Verdict::Refused(refusal)),
            }
        }
        let append = Append {
            source: source.name.clone(),
            user_namespace: source.user_namespace.clone(),
            events,
            identity: believed,
            now,
            replay: source.replay,
            progress,
            erasures: 0,
        };
        let watch = clock::stopwatch();
        let receipts = self.store().append(append).await?;
        let took = watch.elapsed();
        self.measures.gave_up(&receipts);
        let mut receipts = receipts.into_iter();
        let mut given_up = vec![0; verdicts.len()];
        let taken = verdicts.iter_mut().zip(&mut given_up);
        for (verdict, given_up) in taken.filter(|(verdict, _)| **verdict == Verdict::Accepted) {
            *verdict = match receipts.next() {
                Some(Receipt::Duplicate) => Verdict::Duplicate,
                Some(Receipt::Reused) => Verdict::Refused(reused()),
                Some(Receipt::AcceptedWithout(n)) => {
                    *given_up = n;
                    Verdict::Accepted
                }
                _ => Verdict::Accepted,
            };
        }
        self.measures.taken(&verdicts, took);
        self.wake();
        Ok(verdicts.into_iter().zip(given_up).collect())
    }
}
