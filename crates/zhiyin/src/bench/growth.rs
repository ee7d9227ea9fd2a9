//! `zhiyin bench growth`: what an order costs when there are 1, 10, 100 times as many members, or as long a past.
//!
//! Homes are filled by the pipeline itself, in large batches and without waiting for the disk; the doctor must find
//! them well. Then each is opened by a process of its own with full durability, and rounds of the same work
//! alternate between them, so that whatever else the machine does hits all alike.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tokio::task::JoinSet;
use zhiyin_engine::accept::Source;
use zhiyin_engine::{Engine, clock, playbooks};
use zhiyin_model::id::IdKey;
use zhiyin_model::time::Ts;
use zhiyin_store_sqlite::{Durability, SqliteStore};

use super::brand::{self, Shape};
use super::print::{self, Measured, Series};
use super::rounds;
use crate::arguments::Place;

/// Rounds of each home after the first, which only warms up: half of them read every member.
const ROUNDS: u32 = 16;
/// How many homes are filled at a time.
const FILLED_AT_A_TIME: usize = 2;
/// Days between two orders of one member.
const PACE_DAYS: u32 = 10;
/// The homes' id key: nothing in them is secret, and every run is alike.
const KEY: [u8; 32] = [7; 32];

/// The homes: by members, where 2,500 are as many as the demo has; then by length of the past, and by orders within one
/// year.
const SHAPES: [Shape; 8] = [
    Shape { members: 2_500, orders: 5, days: 5 * PACE_DAYS },
    Shape { members: 25_000, orders: 5, days: 5 * PACE_DAYS },
    Shape { members: 250_000, orders: 5, days: 5 * PACE_DAYS },
    Shape { members: 1_000, orders: 5, days: 5 * PACE_DAYS },
    Shape { members: 1_000, orders: 50, days: 50 * PACE_DAYS },
    Shape { members: 1_000, orders: 500, days: 500 * PACE_DAYS },
    Shape { members: 1_000, orders: 50, days: 365 },
    Shape { members: 1_000, orders: 365, days: 365 },
];

/// What is shown together, the first home being what the others are compared with.
const SERIES: [Series; 3] = [
    Series {
        name: "members (1, 10, 100 times the demo's; 5 orders each, one every 10 days)",
        homes: &[0, 1, 2],
    },
    Series {
        name: "histories (1,000 members, an order every 10 days: 50 days, 1.4 years, 14 years)",
        homes: &[3, 4, 5],
    },
    Series {
        name: "busy years (1,000 members; every day within a window is kept, so this ends at 365)",
        homes: &[3, 6, 7],
    },
];

/// A folder that goes when it is no longer needed.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever clears the temporary folder.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Measures and prints.
pub async fn growth(place: &Place) -> Result<ExitCode> {
    let folder = Folder(std::env::temp_dir().join(format!("zhiyin-bench-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).with_context(|| folder.0.display().to_string())?;
    let watch = clock::stopwatch();
    let paths: Vec<PathBuf> = (0..SHAPES.len()).map(|n| folder.0.join(format!("{n}.db"))).collect();
    fill_all(&paths).await?;
    eprintln!("filled in {} s; measuring", watch.elapsed().as_secs());
    let measured = measure(place, &paths)?;
    print::print(&SERIES, &measured, place.batch());
    println!("\nAll of it took {} s.", watch.elapsed().as_secs());
    Ok(ExitCode::SUCCESS)
}

/// Fills every home, the largest first.
async fn fill_all(paths: &[PathBuf]) -> Result<()> {
    let mut homes: Vec<(Shape, PathBuf)> = SHAPES.into_iter().zip(paths.iter().cloned()).collect();
    homes.sort_by_key(|(shape, _)| std::cmp::Reverse(shape.orders_all()));
    let mut filling = JoinSet::new();
    for (shape, path) in homes {
        if filling.len() >= FILLED_AT_A_TIME {
            filling.join_next().await.transpose()?.transpose()?;
        }
        filling.spawn(async move { fill(shape, &path).await });
    }
    while let Some(filled) = filling.join_next().await {
        filled??;
    }
    Ok(())
}

async fn fill(shape: Shape, path: &Path) -> Result<()> {
    let watch = clock::stopwatch();
    let store = SqliteStore::open_with(path, &IdKey::from_bytes(KEY), Durability::Relaxed)?;
    let engine = Engine::open(Arc::new(store)).await?;
    let Some(Ok((playbook, _))) = playbooks::read_shipped("variety-store") else {
        bail!("the shipped playbook variety-store does not read");
    };
    engine.apply_at(&playbook, Some(shape.begins())).await?;
    let source = Source {
        name: "history".to_owned(),
        user_namespace: "user".to_owned(),
        replay: true,
        ties: Default::default(),
    };
    // At most one order a member in a batch: none has to be cut for what it has not written yet.
    let chunk = brand::CHUNK_MAX.min(shape.members as usize);
    let mut n = 0;
    while n < shape.orders_all() {
        let until = shape.orders_all().min(n + chunk as u64);
        let items: Vec<Vec<u8>> = (n..until).map(|n| shape.order(n)).collect();
        engine.accept(&source, &items, None).await?;
        let done = engine.drain(chunk, Some(Ts::MIN), |_| ()).await?;
        if done.dead > 0 || done.events != items.len() {
            bail!("{shape:?}: not every order was decided");
        }
        n = until;
    }
    // What is due before the measured orders must not fall into their time.
    engine.drain(chunk, Some(brand::ROUNDS_BEGIN), |_| ()).await?;
    for check in engine.store().doctor().await? {
        if let Some(broken) = check.broken.first() {
            bail!("{shape:?}: {}: {broken}", check.invariant);
        }
    }
    let Shape { members, orders, days } = shape;
    eprintln!("{members} members × {orders} orders over {days} days: well, {} s", watch.elapsed().as_secs());
    Ok(())
}

/// A process that measures rounds over one home.
struct Bench {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Bench {
    fn start(path: &Path, batch: usize) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["bench", rounds::NAME, "--batch-size", &batch.to_string(), "--database"])
            .arg(format!("sqlite:{}", path.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let to = child.stdin.take().context("a process without input")?;
        let from = BufReader::new(child.stdout.take().context("a process without output")?);
        Ok(Self { child, to, from })
    }

    fn round(&mut self, number: u32, members: u32) -> Result<rounds::Took> {
        writeln!(self.to, "{number} {members}")?;
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        rounds::Took::parse(&line).context("a round ended without an answer")
    }

    fn end(mut self) -> Result<()> {
        drop(self.to);
        self.child.wait()?;
        Ok(())
    }
}

fn measure(place: &Place, paths: &[PathBuf]) -> Result<Vec<Measured>> {
    let mut benches = Vec::with_capacity(paths.len());
    for path in paths {
        benches.push(Bench::start(path, place.batch())?);
    }
    let mut rounds: Vec<Vec<rounds::Took>> = vec![Vec::new(); paths.len()];
    for number in 0..=ROUNDS {
        for ((bench, shape), took) in benches.iter_mut().zip(SHAPES).zip(&mut rounds) {
            took.push(bench.round(number, shape.members)?);
        }
    }
    for bench in benches {
        bench.end()?;
    }
    let mut measured = Vec::with_capacity(paths.len());
    for ((shape, took), path) in SHAPES.into_iter().zip(&rounds).zip(paths) {
        let file_bytes = std::fs::metadata(path)?.len();
        measured.push(Measured::of(shape, took, file_bytes));
    }
    Ok(measured)
}
