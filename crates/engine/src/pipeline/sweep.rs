//! Sweeps: many members whom time brings, or a version of the playbook, batch after batch. While one batch is written, the next is
//! decided and the members of the one after are read, so neither the disk nor the decisions wait for each other.
//!
//! It is as if each were written before the next is decided: nobody is in two batches of a sweep, what they share (pools) goes on from
//! one to the next, and a decision that must look something up waits until what was decided before is in the record
//! ([`Batch::look_back`]). Where a batch cannot be written, the one after it was never decided.

use std::time::Duration;

use tokio::sync::oneshot;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::flush::Flush;
use zhiyin_store::{Home, Loaded, Store, Wanted};

use super::batch::{Batch, Carried};
use super::worker::Worker;
use crate::measure::{Done, Took};
use crate::{Engine, EngineError, Live, Result, clock};

/// How many batches a sweep has at most: what comes in meanwhile waits for it, if nobody tells of it.
pub(super) const BATCHES_MAX: usize = 8;
/// Batches of fewer are asked for by who wants to see each.
const BATCH_LEAST: usize = 64;

/// What brings the members.
#[derive(Clone, Copy, Debug)]
pub(super) enum Brought {
    /// They are to be woken; up to when timers fire.
    Due(Ts),
    /// The live version of the playbook reaches them.
    Version,
}

/// A batch that was decided and is yet to be written.
struct Decided {
    flush: Flush,
    timers: u64,
    load: Duration,
    decide: Duration,
}

/// How many members are asked for where a batch has `limit`.
pub(super) fn asked(limit: usize) -> usize {
    if limit < BATCH_LEAST { limit } else { limit.saturating_mul(BATCHES_MAX) }
}

async fn read(store: &dyn Store, members: Vec<MemberId>) -> Result<Loaded> {
    if members.is_empty() {
        return Ok(Loaded::default());
    }
    Ok(store.load(Wanted { members, ..Wanted::default() }).await?)
}

impl Worker {
    /// Takes members in batches of at most `limit`, all of them unless something comes in meanwhile or a decision needs what is not
    /// written yet; how many of them were brought, from the first on.
    pub(super) async fn sweep(
        &mut self,
        engine: &Engine,
        (home, live): (&Home, &Live),
        (members, brought): (&[MemberId], Brought),
        limit: usize,
    ) -> Result<usize> {
        let store = engine.store();
        let (woken, mut n) = (engine.woken.subscribe(), 0);
        let (mut turn, mut carried, mut before) = (self.turn.clone(), Carried::default(), None);
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
            let write = async {
                let took = write(engine, before.take()).await?;
                // Where nobody waits for it, nobody is told.
                let (Ok(()) | Err(())) = written.send(());
                Ok(took)
            };
            let decide = async {
                let watch = clock::stopwatch();
                let taken = batch.take_in(part, loaded, brought).await;
                // What breaks down here must not leave in the dark what became of the one before.
                Ok::<_, EngineError>((taken, watch.elapsed()))
            };
            // What was decided before is handed over first, then what comes next is asked for: both are under way when this is decided.
            let (is_on, then, (taken, decide)) = tokio::try_join!(write, read(store.as_ref(), next), decide)?;
            if is_on {
                self.turn.moved(None);
            }
            let taken = taken?;
            n += taken;
            carried = batch.carried();
            let (timers, load) = (batch.fired, batch.loading);
            let flush = batch.finish()?;
            turn.moved(None);
            // What waits in the inbox comes first, and what was cut is taken up when this is written.
            let ends = taken < part.len()
                || flush.facts.iter().any(|fact| fact.waits)
                || woken.has_changed().unwrap_or(true);
            before = Some(Decided { flush, timers, load, decide: decide.saturating_sub(load) });
            loaded = then;
            if ends {
                break;
            }
        }
        if write(engine, before).await? {
            self.turn.moved(None);
        }
        Ok(n)
    }

    /// Those of some members who are not in memory.
    fn unknown(&self, members: &[MemberId]) -> Vec<MemberId> {
        members.iter().filter(|member| !self.cache.states.contains_key(member)).copied().collect()
    }
}

/// Writes what was decided, if anything was; whether it was.
async fn write(engine: &Engine, decided: Option<Decided>) -> Result<bool> {
    let Some(Decided { flush, timers, load, decide }) = decided else { return Ok(false) };
    let watch = clock::stopwatch();
    engine.store().flush(flush).await?;
    engine.written.send_replace(());
    let took = Took { wait: Duration::ZERO, load, decide, flush: watch.elapsed() };
    engine.measures.batch(&Done { events: 0, timers, refusals: Vec::new(), took });
    Ok(true)
}
