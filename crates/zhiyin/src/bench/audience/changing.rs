//! Members change while somebody asks: batches at a steady pace, and a question every few milliseconds, first with nothing
//! else going on, then beside the changes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use zhiyin_audience::{Change, Population};
use zhiyin_condition::Schema;
use zhiyin_engine::clock;

use super::asked::once;
use super::drawn::{Draw, World};

/// Changes of a batch, and how often one comes: 20,000 a second.
const BATCH: usize = 5_000;
const EVERY: Duration = Duration::from_millis(250);
/// For how long.
const LASTS: Duration = Duration::from_secs(20);
/// How often a question is asked.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// What was found.
pub struct Changing {
    /// Times of questions in microseconds, ascending: with nothing else going on, and beside changes.
    pub quiet: Vec<u64>,
    pub beside: Vec<u64>,
    /// Members that changed, and within how long.
    pub changed: u64,
    pub within: Duration,
    /// The longest that a batch took to be taken in, and from when it was due until it could be seen.
    pub apply_max: Duration,
    pub visible_max: Duration,
    /// Blocks of changes that lay over the base at the end.
    pub blocks: usize,
}

/// Asks, then asks while members change. What they become is drawn before, and is not part of the time.
pub fn measure(
    population: &Population,
    world: &World,
    schema: &Schema,
    members: u64,
    text: &str,
) -> Result<Changing> {
    let n_batches = LASTS.as_millis() / EVERY.as_millis();
    let mut draw = Draw(members);
    let batches: Vec<Vec<Change>> = (1..=n_batches as u64)
        .map(|version| {
            let put = |member| Change::Put(Box::new(world.person(member, version)));
            (0..BATCH).map(|_| put(draw.below(members))).collect()
        })
        .collect();
    let ask = |going_on: &dyn Fn() -> bool| -> Result<Vec<u64>> {
        let mut took = Vec::new();
        let begun = clock::stopwatch();
        let mut due = Duration::ZERO;
        while going_on() {
            took.push(once(&population.seen(), text, schema, world.now())?.1);
            due += ASK_EVERY;
            thread::sleep(due.saturating_sub(begun.elapsed()));
        }
        took.sort_unstable();
        Ok(took)
    };
    let begun = clock::stopwatch();
    let quiet = ask(&|| begun.elapsed() < LASTS)?;
    let over = AtomicBool::new(false);
    let (beside, changes) = thread::scope(|scope| {
        let changing = scope.spawn(|| {
            let done = change(population, batches);
            over.store(true, Ordering::Relaxed);
            done
        });
        let beside = ask(&|| !over.load(Ordering::Relaxed));
        (beside, changing.join())
    });
    let (changed, within, apply_max, visible_max) = changes.map_err(|_| anyhow!("changes broke down"))??;
    let blocks = population.seen().changes();
    Ok(Changing { quiet, beside: beside?, changed, within, apply_max, visible_max, blocks })
}

fn change(population: &Population, batches: Vec<Vec<Change>>) -> Result<(u64, Duration, Duration, Duration)> {
    let (mut changed, mut apply_max, mut visible_max) = (0, Duration::ZERO, Duration::ZERO);
    let begun = clock::stopwatch();
    let mut due = Duration::ZERO;
    for batch in batches {
        thread::sleep(due.saturating_sub(begun.elapsed()));
        let watch = clock::stopwatch();
        population.apply(&batch)?;
        apply_max = apply_max.max(watch.elapsed());
        visible_max = visible_max.max(begun.elapsed().saturating_sub(due));
        changed += batch.len() as u64;
        due += EVERY;
    }
    thread::sleep(due.saturating_sub(begun.elapsed()));
    Ok((changed, begun.elapsed(), apply_max, visible_max))
}

/// A place in times that ascend, in hundredths.
pub fn at(times: &[u64], hundredths: usize) -> u64 {
    times.get(times.len() * hundredths / 100).copied().unwrap_or(0)
}
