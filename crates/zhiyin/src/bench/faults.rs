//! `zhiyin bench faults`: a deterministic fault test of the pipeline and the ledger.
//!
//! A seed draws a schedule ([`script`]): items come in, several engines on one home take small batches, and meanwhile stores
//! fail, processes end, commits come late, shares are taken over, disks are torn. What comes of it must be what comes of
//! the same items undisturbed ([`plain`]), and nothing that was acknowledged may be lost or doubled on the way
//! ([`books`]); whoever listens hears all of it, under the same ids ([`told`]). Nothing in it depends on real time, so a seed replays exactly. And the test is tested: stores with a defect
//! ([`planted`]) must be found.

mod around;
mod books;
mod chance;
mod ground;
mod items;
mod meddled;
mod plain;
mod planted;
mod play;
mod promises;
mod script;
mod server;
mod told;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use anyhow::{Context, Result, anyhow};

use crate::arguments::{FaultStore, Faults};
use ground::{Folder, Ground};
use planted::{Defect, Kind};
use play::Breach;
use script::Script;
use server::{Cluster, Server};

/// Names the server, as `./run` sets it.
const SERVER: &str = "ZHIYIN_TEST_POSTGRES";

/// Seeds that are played at the same time.
const THREADS: usize = 2;
/// How many seeds a planted defect has to show itself.
const SEEDS_PLANTED: u64 = 40;
/// In how many seeds the server is restarted, one after the other: nobody else may need it meanwhile.
const SEEDS_RESTARTED: usize = 3;

/// One in so many seeds is played twice.
const AGAIN_EVERY: u64 = 40;

/// How a seed is played.
#[derive(Clone, Debug)]
struct Way {
    seed: u64,
    defect: Option<Defect>,
    /// The server to be restarted where disaster strikes.
    cluster: Option<Cluster>,
    /// The address of the server, where it is not the one that `./run` names.
    url: Option<String>,
    /// Whether members are described where they differ.
    in_words: bool,
}

impl Way {
    fn of(seed: u64) -> Self {
        Self { seed, defect: None, cluster: None, url: None, in_words: false }
    }
}

/// Plays seeds, or looks for planted defects.
pub async fn faults(options: &Faults) -> Result<ExitCode> {
    let watch = zhiyin_engine::clock::stopwatch();
    // Seeds have a runtime of their own, which must not begin within another.
    let ended = std::thread::scope(|scope| {
        let work = || match () {
            () if options.planted => find_planted(options),
            () if options.shrink => shrink(options),
            () => play_seeds(options),
        };
        scope.spawn(work).join()
    });
    let (passed, failed) = ended.map_err(|_| anyhow!("a thread broke down"))??;
    eprintln!("{} s", watch.elapsed().as_secs());
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn play_seeds(options: &Faults) -> Result<(u64, u64)> {
    let seeds = options.seed..options.seed.saturating_add(options.seeds);
    let mut ways: Vec<Way> = seeds.map(Way::of).collect();
    let cluster = cluster(options)?;
    let hurry = |hurry| cluster.as_ref().map_or(Ok(()), |cluster| on_server(cluster.hurry(hurry)));
    let restarted = if options.store == FaultStore::Pg && cluster.is_some() { SEEDS_RESTARTED } else { 0 };
    for (n, way) in ways.iter_mut().enumerate() {
        way.url = cluster.as_ref().map(|cluster| cluster.url().to_owned());
        way.cluster = cluster.clone().filter(|_| n < restarted);
    }
    let (alone, together) = ways.split_at(restarted.min(ways.len()));
    let failed = AtomicU64::new(0);
    let play = |way: &Way| {
        failed.fetch_add(u64::from(!passes(options, way)?), Ordering::Relaxed);
        Ok(())
    };
    hurry(true)?;
    let went = alone.iter().try_for_each(play).and_then(|()| on_threads(together, play));
    hurry(false)?;
    went?;
    if let (true, Some(url)) = (options.store != FaultStore::Sqlite, server()) {
        on_server(Server::leave(&url))?;
    }
    let failed = failed.into_inner();
    Ok((options.seeds - failed, failed))
}

/// Plays one seed and tells what broke.
fn passes(options: &Faults, way: &Way) -> Result<bool> {
    let script = script::script(way.seed, options.steps);
    let breach = match played(options, &script, way)? {
        Ok(trace) => match again(options, &script, way, trace)? {
            None => return Ok(true),
            Some(breach) => breach,
        },
        Err(breach) => breach,
    };
    let act = script.acts.get(breach.act).map(|act| format!("{act:?}")).unwrap_or_default();
    let Faults { steps, store, .. } = options;
    println!("seed {} broke at step {} of {}: {}", way.seed, breach.act, script.acts.len(), breach.what);
    println!("  the step: {act}");
    println!("  again: ./run bench faults --store {store} --seed {} --seeds 1 --steps {steps}", way.seed);
    Ok(false)
}

/// One in so many seeds is played once more, to see that it replays exactly.
fn again(options: &Faults, script: &Script, way: &Way, trace: u64) -> Result<Option<Breach>> {
    if !way.seed.is_multiple_of(AGAIN_EVERY) || way.cluster.is_some() {
        return Ok(None);
    }
    let breach = |what: String| Breach { act: script.acts.len(), what };
    Ok(match played(options, script, way)? {
        Ok(second) if second == trace => None,
        Ok(_) => Some(breach("it does not replay exactly".to_owned())),
        Err(other) => {
            Some(breach(format!("it passed, and then it did not, at step {}: {}", other.act, other.what)))
        }
    })
}

/// The server, as `./run` names it.
fn server() -> Option<String> {
    std::env::var(SERVER).ok()
}

/// The server that may be restarted, and told not to wait for the disk.
fn cluster(options: &Faults) -> Result<Option<Cluster>> {
    if options.store == FaultStore::Sqlite {
        return Ok(None);
    }
    let url =
        server().with_context(|| format!("{SERVER} names no server: `./run bench faults` starts one"))?;
    match on_server(Cluster::behind(&url))? {
        Ok(cluster) => Ok(Some(cluster)),
        Err(why) => {
            println!("{why}: it is not restarted, and commits wait for its disk");
            Ok(None)
        }
    }
}

fn on_server<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Does something with each of a list, a few at a time, on threads that wait for nobody else.
fn on_threads<T: Sync>(list: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    let one_after_the_other = || {
        while let Some(item) = list.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(item)?;
        }
        Ok::<_, anyhow::Error>(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(one_after_the_other)).collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended.into_iter().try_for_each(|ended| ended.map_err(|_| anyhow!("a thread broke down"))?)
    })
}

thread_local! {
    /// Seeds of a thread share it, as they share connections.
    static RUNTIME: std::io::Result<tokio::runtime::Runtime> =
        tokio::runtime::Builder::new_current_thread().enable_all().build();
}

fn on_this_thread<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    RUNTIME.with(|runtime| match runtime {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => Err(anyhow!("no runtime: {error}")),
    })
}

/// Plays a schedule; a hash of all that was asked of the stores, or what broke.
fn played(options: &Faults, script: &Script, way: &Way) -> Result<std::result::Result<u64, Breach>> {
    // What is told of poison and stale turns is what is wanted here.
    let _quiet = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
    on_this_thread(async {
        let marks = plain::play(script, way.in_words).await?;
        let ground = ground(options, way).await?;
        Ok(play::play(script, &marks, ground, way.defect).await)
    })
}

async fn ground(options: &Faults, way: &Way) -> Result<Ground> {
    let shards = match options.store {
        FaultStore::Sqlite => return Ok(Ground::File(Folder::new()?)),
        FaultStore::Pg => 1,
        FaultStore::Pg4 => 4,
    };
    let url = way.url.clone().or_else(server).with_context(|| format!("{SERVER} names no server"))?;
    let home = format!("faults{}x{}", std::process::id(), way.seed);
    Ok(Ground::Server(Box::new(Server::new(&url, &home, shards, way.cluster.clone()).await?)))
}

/// Leaves out of a schedule that breaks whatever it breaks without, and prints what is left.
fn shrink(options: &Faults) -> Result<(u64, u64)> {
    let way = Way::of(options.seed);
    let mut script = script::script(options.seed, options.steps);
    let mut part = script.acts.len();
    while part > 0 {
        let mut from = 0;
        while from < script.acts.len() {
            let without = script.without(from, part);
            let smaller = without.acts.len() < script.acts.len();
            if smaller && played(options, &without, &way)?.is_err() {
                script = without;
                eprintln!("{} steps", script.acts.len());
            } else {
                from += part;
            }
        }
        part /= 2;
    }
    let Err(breach) = played(options, &script, &Way { in_words: true, ..way })? else { return Ok((1, 0)) };
    for (n, act) in script.acts.iter().enumerate() {
        println!("{n} {act:?}");
    }
    println!("step {}: {}", breach.act, breach.what);
    Ok((0, 1))
}

/// Plays seeds on stores with a defect until it is found.
fn find_planted(options: &Faults) -> Result<(u64, u64)> {
    let missed = AtomicU64::new(0);
    on_threads(&Kind::ALL, |kind| {
        for seed in options.seed..options.seed.saturating_add(SEEDS_PLANTED) {
            let way = Way { defect: Some(Defect { kind: *kind, seed }), ..Way::of(seed) };
            if let Err(breach) = played(options, &script::script(seed, options.steps), &way)? {
                let what = breach.what.lines().next().unwrap_or_default();
                println!("{}: found with seed {seed} at step {}: {what}", kind.name(), breach.act);
                return Ok(());
            }
        }
        println!("{}: NOT found with {SEEDS_PLANTED} seeds", kind.name());
        missed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    })?;
    let missed = missed.into_inner();
    Ok((Kind::ALL.len() as u64 - missed, missed))
}
