//! Sweeps: many members whom time brings, or a version of the playbook, or an issue to many, batch after batch. While batches are
//! written ([`GOING_MAX`] at most are under way), the next is decided and the members of the one after are read, so neither the disk
//! nor the decisions wait for each other.
//!
//! It is as if each were written before the next is decided: nobody is in two batches of a sweep, what they share (pools) goes on from
//! one to the next, and a decision that must look something up waits until what was decided before is in the record
//! ([`Batch::look_back`]). Where a batch cannot be written, those after it were never decided.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio::sync::oneshot;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::flush::Flush;
use zhiyin_store::{Home, Loaded, Store, Waiting, Wanted};

use super::batch::{Batch, Carried};
use super::worker::Worker;
use crate::measure::{Done, Took};
use crate::{Engine, Live, Result, clock, coupons};

/// How many batches a sweep has at most: what comes in meanwhile waits for it, if nobody tells of it.
pub(super) const BATCHES_MAX: usize = 32;
/// How many of its batches are under way to the record at most, where that writes them in order: one is written, others wait for it, and those that do are
/// one transaction.
const GOING_MAX: usize = 3;
/// Batches of fewer are asked for by who wants to see each.
const BATCH_LEAST: usize = 64;
/// After how long a sweep takes no more batches: its shares must be renewed.
const AT_MOST: Duration = Duration::from_millis(1_200);

/// What brings the members.
#[derive(Clone, Copy, Debug)]
pub(super) enum Brought<'r> {
    /// They are to be woken; up to when timers fire.
    Due(Ts),
    /// The live version of the playbook reaches them.
    Version,
    /// Items of an issue to many, one a member.
    Items(&'r [Waiting]),
}

impl<'r> Brought<'r> {
    /// What brings so many of the members, from one of them on.
    fn part(self, first: usize, n: usize) -> Self {
        match self {
            Brought::Items(rows) => Brought::Items(rows.get(first..first + n).unwrap_or_default()),
            other => other,
        }
    }
}

/// What a sweep came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Swept {
    /// How many were brought, from the first on.
    pub(super) n: usize,
    /// Of these, items that became dead letters.
    pub(super) dead: usize,
}

/// A batch that was decided and is yet to be written.
struct Decided {
    flush: Flush,
    events: usize,
    timers: u64,
    load: Duration,
    decide: Duration,
}

/// How many rows, from the first on, are items of issues to many, each about somebody else and nobody beside: whatever was decided
/// for one of them says nothing to the others, so they may be swept.
pub(super) fn issued(rows: &[Waiting]) -> usize {
    let mut members = BTreeSet::new();
    let is_one = |row: &&Waiting| {
        let alone = !row.derived && row.reaches.is_none() && row.source.starts_with(coupons::SOURCE);
        alone && row.member.is_some_and(|member| members.insert(member))
    };
    rows.iter().take_while(is_one).count()
}

/// How many members are asked for where a batch has `limit`.
pub(super) fn asked(limit: usize) -> usize {
    if limit < BATCH_LEAST { limit } else { limit.saturating_mul(BATCHES_MAX) }
}

async fn read(store: &dyn Store, members: Vec<MemberId>) -> Result<Loaded> {
    if members.is_empty() {
        return Ok(Loaded::default());
    }
    Ok(store.load_ahead(Wanted { members, ..Wanted::default() }).await?)
}

impl Worker {
    /// Takes members in batches of at most `limit`, all of them unless something comes in meanwhile or a decision needs what is not
    /// written yet; how many of them were brought.
    pub(super) async fn sweep(
        &mut self,
        engine: &Engine,
        (home, live): (&Home, &Live),
        (members, brought): (&[MemberId], Brought<'_>),
        limit: usize,
    ) -> Result<Swept> {
        let (store, since) = (engine.store(), clock::stopwatch());
        let (woken, mut swept) = (engine.woken.subscribe(), Swept::default());
        let (mut turn, mut carried, mut before) = (self.turn.clone(), Carried::default(), None);
        let mut going = FuturesOrdered::new();
        let deep = if store.is_in_order() { GOING_MAX } else { 1 };
        let mut parts = members.chunks(limit.max(1)).peekable();
        let mut loaded = match parts.peek() {
            Some(first) => read(store.as_ref(), self.unknown(first)).await?,
            None => Loaded::default(),
        };
        while let Some(part) = parts.next() {
            let next = parts.peek().map(|next| self.unknown(next)).unwrap_or_default();
            let (written, is_written) = oneshot::channel();
            let parts_of = (&turn, &mut self.cache);
            let mut batch = Batch::new(store.as_ref(), live, home, parts_of, engine.decisions);
            batch.carries(carried, before.is_some().then_some(is_written));
            going.extend(before.take().map(|decided| write(engine, decided, written)));
            let by = brought.part(swept.n, part.len());
            let mut landed = Vec::new();
            let (then, (taken, decide)) = {
                let decide = async {
                    let watch = clock::stopwatch();
                    let taken = batch.take_in(part, loaded, by).await;
                    (taken, watch.elapsed())
                };
                let work = async { tokio::join!(read(store.as_ref(), next), decide) };
                tokio::pin!(work);
                // What was decided before is handed over first, then what comes next is asked for: both are under way when this is
                // decided.
                loop {
                    tokio::select! {
                        biased;
                        Some(done) = going.next(), if !going.is_empty() => {
                            let written: Written = done?;
                            self.turn.moved(written.cursor);
                            landed.push(written.dead);
                        }
                        done = &mut work => break done,
                    }
                }
            };
            // What broke down here must not leave in the dark what became of those before.
            let most = if taken.is_ok() { deep } else { 1 };
            while going.len() >= most {
                let Some(done) = going.next().await else { break };
                let written = done?;
                self.turn.moved(written.cursor);
                landed.push(written.dead);
            }
            for dead in landed {
                batch.cache.broken.events.retain(|seq| !dead.contains(seq));
            }
            let (taken, then) = (taken?, then?);
            swept.n += taken;
            carried = batch.carried();
            let (timers, load) = (batch.fired, batch.loading);
            let flush = batch.finish()?;
            swept.dead += flush.dead.len();
            turn.moved(flush.cursor);
            // What waits in the inbox comes first, unless it is that which is swept; what was cut is taken up when this is written.
            let (more, events) = match by {
                Brought::Items(_) => (false, taken),
                Brought::Due(_) | Brought::Version => (woken.has_changed().unwrap_or(true), 0),
            };
            let ends = more
                || since.elapsed() >= AT_MOST
                || taken < part.len()
                || flush.facts.iter().any(|fact| fact.waits);
            before = Some(Decided { flush, events, timers, load, decide: decide.saturating_sub(load) });
            loaded = then;
            if ends {
                break;
            }
        }
        going.extend(before.map(|decided| write(engine, decided, oneshot::channel().0)));
        while let Some(done) = going.next().await {
            let written = done?;
            self.turn.moved(written.cursor);
            self.cache.broken.events.retain(|seq| !written.dead.contains(seq));
        }
        Ok(swept)
    }

    /// Those of some members who are not in memory.
    fn unknown(&self, members: &[MemberId]) -> Vec<MemberId> {
        members.iter().filter(|member| !self.cache.states.contains_key(member)).copied().collect()
    }
}

/// What is to be known of a batch that was written.
struct Written {
    cursor: Option<i64>,
    /// Rows that became dead letters.
    dead: Vec<i64>,
}

/// Writes what was decided, and tells that it is written.
async fn write(engine: &Engine, decided: Decided, told: oneshot::Sender<()>) -> Result<Written> {
    let Decided { flush, events, timers, load, decide } = decided;
    let watch = clock::stopwatch();
    let (dead, refusals) = flush.dead.iter().map(|letter| (letter.seq, letter.refusal.code)).unzip();
    let written = Written { cursor: flush.cursor, dead };
    engine.store().flush(flush).await?;
    engine.written.send_replace(());
    let took = Took { wait: Duration::ZERO, load, decide, flush: watch.elapsed() };
    engine.measures.batch(&Done { events, timers, refusals, took });
    // Where nobody waits for it, nobody is told.
    let (Ok(()) | Err(())) = told.send(());
    Ok(written)
}
