//! `zhiyin bench pipeline`: fully decided, durable orders a second, beside plain SQL that does one transaction an order.
//!
//! On PostgreSQL: the same server runs `bench/plain.sql` by pgbench (2, 8 and 32 connections, prepared statements), then
//! our pipeline. On SQLite: the same orders decided in batches and one by one. Answers are compared before figures are:
//! both databases must end with one digest, and the plain books must balance.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::task::JoinSet;
use zhiyin_engine::accept::{self, Source, Verdict};
use zhiyin_engine::{Engine, clock, moving, playbooks};
use zhiyin_model::id::IdKey;
use zhiyin_model::time::{HOUR_US, Ts};
use zhiyin_store::Store;
use zhiyin_store_pg::PgStore;
use zhiyin_store_sqlite::{Durability, SqliteStore};

use super::brand::{self, Shape};
use super::print::thousands;

/// Names the server, as `./run` sets it.
pub const SERVER: &str = "ZHIYIN_TEST_POSTGRES";
/// Members that both sides have before anything is measured.
const MEMBERS: u32 = 100_000;
/// Orders that are measured.
const ORDERS: u64 = 150_000;
/// Orders that are decided one by one.
const ORDERS_ALONE: u64 = 10_000;
/// Who sends at the same time, and how many orders with each call.
const CLIENTS: usize = 8;
const ORDERS_A_CALL: usize = 200;
/// Events a batch has at most, unless the command line says otherwise.
const BATCH: usize = 2_048;
/// Workers of the process on PostgreSQL.
const WORKERS: usize = 3;
/// Connections of the plain baseline, and how long each runs.
const PLAIN_CONNECTIONS: [u32; 3] = [2, 8, 32];
const PLAIN_SECONDS: u32 = 8;
/// The homes' id key: nothing in them is secret, and every run is alike.
const KEY: IdKey = IdKey::from_bytes([7; 32]);

const PLAIN: &str = include_str!("../../../../bench/plain.sql");
const PLAIN_SCHEMA: &str = include_str!("../../../../bench/plain-schema.sql");

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever clears the temporary folder.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Measures and prints.
pub async fn pipeline(batch: Option<usize>) -> Result<ExitCode> {
    let server = std::env::var(SERVER)
        .with_context(|| format!("{SERVER} names no server: `./run bench pipeline` starts one"))?;
    let batch = batch.unwrap_or(BATCH);
    let folder = Folder(std::env::temp_dir().join(format!("zhiyin-pipeline-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).with_context(|| folder.0.display().to_string())?;
    let filled = folder.0.join("filled.db");
    eprintln!("filling: {} members, an order each", thousands(u64::from(MEMBERS)));
    fill(&filled).await?;

    let plain = plain(&server, &folder.0)?;
    let (pg, pg_digest) = on_postgres(&server, &filled, batch).await?;
    let (sqlite, sqlite_digest) = on_sqlite(&copied(&filled, "batches")?, ORDERS, batch).await?;
    let (alone, alone_digest) = on_sqlite(&copied(&filled, "alone")?, ORDERS_ALONE, 1).await?;
    let (_, same_digest) = on_sqlite(&copied(&filled, "same")?, ORDERS_ALONE, batch).await?;
    if pg_digest != sqlite_digest || alone_digest != same_digest {
        bail!(
            "the answers differ, so figures say nothing: {pg_digest} {sqlite_digest}, {alone_digest} {same_digest}"
        );
    }
    print(&plain, pg, sqlite, alone, batch);
    Ok(ExitCode::SUCCESS)
}

fn copied(filled: &Path, name: &str) -> Result<PathBuf> {
    let copy = filled.with_file_name(format!("{name}.db"));
    std::fs::copy(filled, &copy)?;
    Ok(copy)
}

fn shape() -> Shape {
    Shape { members: MEMBERS, orders: 1, days: 30 }
}

/// A home with members, whose business has begun.
async fn fill(path: &Path) -> Result<()> {
    let store = SqliteStore::open_with(path, &KEY, Durability::Relaxed)?;
    let engine = Engine::open(Arc::new(store)).await?;
    let Some(Ok((playbook, _))) = playbooks::read_shipped("variety-store") else {
        bail!("the shipped playbook variety-store does not read");
    };
    engine.apply_at(&playbook, Some(shape().begins())).await?;
    let source = Source {
        name: "history".to_owned(),
        user_namespace: "user".to_owned(),
        replay: true,
        ties: Default::default(),
    };
    let items: Vec<Vec<u8>> = (0..shape().orders_all()).map(|n| shape().order(n)).collect();
    for items in items.chunks(brand::CHUNK_MAX) {
        engine.accept(&source, items, None).await?;
        engine.drain(brand::CHUNK_MAX, Some(Ts::MIN), |_| ()).await?;
    }
    engine.drain(brand::CHUNK_MAX, Some(brand::ROUNDS_BEGIN), |_| ()).await?;
    // Business now stays behind the orders, however long it takes: timers fire with orders only, so every run decides the same.
    let offset_us = brand::ROUNDS_BEGIN.0 - clock::wall().0 - 8 * HOUR_US;
    engine.store().set_clock(offset_us, Some(brand::ROUNDS_BEGIN)).await?;
    healthy(&engine).await
}

async fn healthy(engine: &Engine) -> Result<()> {
    for check in engine.store().doctor().await? {
        if let Some(broken) = check.broken.first() {
            bail!("{}: {broken}", check.invariant);
        }
    }
    Ok(())
}

/// Orders a second, from the first that is offered to the last that is decided and on disk.
type PerSecond = f64;

/// Live orders through the whole pipeline.
async fn measure(engine: Arc<Engine>, orders: u64, batch: usize) -> Result<PerSecond> {
    // Each client has customers of its own, as tills have: whoever buys twice does so in one order of things.
    let mut tills: Vec<Vec<Vec<u8>>> = vec![Vec::new(); CLIENTS];
    for n in 0..orders {
        let (member, item) = brand::live(n, MEMBERS);
        tills[member as usize % CLIENTS].push(item);
    }
    let stop = Arc::new(tokio::sync::Notify::new());
    let watch = clock::stopwatch();
    let at_work = {
        let (engine, stop) = (Arc::clone(&engine), Arc::clone(&stop));
        tokio::spawn(async move { engine.run(batch, stop.notified()).await })
    };
    let mut clients = JoinSet::new();
    for items in tills {
        let engine = Arc::clone(&engine);
        clients.spawn(async move {
            let source = Source {
                name: "till".to_owned(),
                user_namespace: "user".to_owned(),
                replay: false,
                ties: Default::default(),
            };
            let now = brand::ROUNDS_BEGIN;
            for call in items.chunks(ORDERS_A_CALL) {
                let latest = accept::latest(now);
                let prepared =
                    call.iter().map(|item| accept::prepare(&KEY, &source, item, Some(now), latest)).collect();
                let verdicts = engine.take(&source, prepared, now, None).await?;
                if verdicts.iter().any(|verdict| *verdict != Verdict::Accepted) {
                    bail!("an order was not taken: {verdicts:?}");
                }
            }
            Ok(())
        });
    }
    while let Some(done) = clients.join_next().await {
        done??;
    }
    while engine.store().any_waiting().await? {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let seconds = watch.elapsed().as_secs_f64();
    stop.notify_one();
    at_work.await??;
    if !engine.store().dead_letters(1).await?.is_empty() {
        bail!("an order could not be decided");
    }
    healthy(&engine).await?;
    Ok(per_second(orders, seconds))
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a figure for people")]
fn per_second(orders: u64, seconds: f64) -> PerSecond {
    orders as f64 / seconds
}

async fn on_sqlite(path: &Path, orders: u64, batch: usize) -> Result<(PerSecond, String)> {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(path, &KEY)?);
    let engine = Arc::new(Engine::open(Arc::clone(&store)).await?);
    let figure = measure(engine, orders, batch).await?;
    eprintln!("SQLite, batches of up to {batch}: {} orders/s", rounded(figure));
    Ok((figure, store.digest().await?))
}

async fn on_postgres(server: &str, filled: &Path, batch: usize) -> Result<(PerSecond, String)> {
    let joint = if server.contains('?') { '&' } else { '?' };
    let home = PgStore::open(&format!("{server}{joint}home=bench_{}", std::process::id()), &KEY).await?;
    let store: Arc<dyn Store> = Arc::new(home);
    {
        let filled = SqliteStore::open(filled, &KEY)?;
        moving::migrate(&filled, store.as_ref()).await?;
    }
    psql(server, &["--command", "VACUUM ANALYZE", "--command", "CHECKPOINT"])?;
    let engine = Arc::new(Engine::open_working(Arc::clone(&store), WORKERS).await?);
    eprintln!("PostgreSQL, our pipeline: measuring");
    let figure = measure(engine, ORDERS, batch).await?;
    eprintln!("PostgreSQL, our pipeline: {} orders/s", rounded(figure));
    Ok((figure, store.digest().await?))
}

/// Runs psql; what it prints.
fn psql(server: &str, arguments: &[&str]) -> Result<String> {
    let ran = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"])
        .arg(server)
        .args(arguments)
        .output()
        .context("psql did not run")?;
    if !ran.status.success() {
        bail!("psql: {}", String::from_utf8_lossy(&ran.stderr));
    }
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}

/// How pgbench sends statements: planned once, or anew each time.
const MODES: [&str; 2] = ["prepared", "simple"];

/// What the baseline reached.
struct Plain {
    /// pgbench's own version.
    version: String,
    /// (how statements were sent, connections, orders a second)
    figures: Vec<(&'static str, u32, PerSecond)>,
}

impl Plain {
    fn best(&self, of: &str) -> PerSecond {
        let figures = self.figures.iter().filter(|(mode, ..)| *mode == of);
        figures.map(|(_, _, figure)| *figure).fold(0.0, f64::max)
    }
}

/// The baseline, run by pgbench itself.
fn plain(server: &str, folder: &Path) -> Result<Plain> {
    let (script, schema) = (folder.join("plain.sql"), folder.join("plain-schema.sql"));
    std::fs::write(&script, PLAIN)?;
    std::fs::write(&schema, PLAIN_SCHEMA)?;
    let schema = schema.display().to_string();
    psql(server, &[&format!("--set=members={MEMBERS}"), "--file", &schema])?;
    let version = Command::new("pgbench").arg("--version").output().context("pgbench did not run")?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let mut figures = Vec::new();
    // The first run only warms up: after a checkpoint each page is written to the log whole once.
    pgbench(server, &script, "prepared", 8, PLAIN_SECONDS / 2)?;
    for mode in MODES {
        for connections in PLAIN_CONNECTIONS {
            let tps = pgbench(server, &script, mode, connections, PLAIN_SECONDS)?;
            eprintln!("PostgreSQL, plain SQL ({mode}), {connections} connections: {} orders/s", rounded(tps));
            figures.push((mode, connections, tps));
        }
    }
    // What it wrote must be right too: every order in the journal, and the journal in the balances.
    let wrong = psql(
        server,
        &[
            "--command",
            "SELECT (SELECT COUNT(*) FROM plain.events) * 2 - (SELECT COUNT(*) FROM plain.journal), \
             (SELECT SUM(amount) FROM plain.journal) - (SELECT SUM(balance) FROM plain.balances), \
             (SELECT SUM(orders) FROM plain.members) - (SELECT COUNT(*) FROM plain.events)",
        ],
    )?;
    if wrong.trim() != "0|0|0" {
        bail!("the plain books do not balance: {wrong}");
    }
    psql(server, &["--command", "DROP SCHEMA plain CASCADE"])?;
    Ok(Plain { version, figures })
}

/// Runs the script; orders a second.
fn pgbench(server: &str, script: &Path, mode: &str, connections: u32, seconds: u32) -> Result<PerSecond> {
    let ran = Command::new("pgbench")
        .args(["--no-vacuum", "--jobs=2"])
        .args([format!("--define=members={MEMBERS}"), format!("--client={connections}")])
        .args([format!("--protocol={mode}"), format!("--time={seconds}")])
        .arg(format!("--file={}", script.display()))
        .arg(server)
        .output()
        .context("pgbench did not run")?;
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let tps = said.lines().find_map(|line| line.strip_prefix("tps = "));
    let tps = tps.and_then(|rest| rest.split(' ').next()).and_then(|figure| figure.parse().ok());
    tps.with_context(|| format!("pgbench: {said}{}", String::from_utf8_lossy(&ran.stderr)))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a figure for people")]
fn rounded(figure: PerSecond) -> String {
    thousands(figure.round() as u64)
}

#[expect(clippy::float_arithmetic, reason = "a figure for people")]
fn print(plain: &Plain, pg: PerSecond, sqlite: PerSecond, alone: PerSecond, batch: usize) {
    println!(
        "\nFully decided, durable orders a second ({} members; zhiyin {})",
        thousands(u64::from(MEMBERS)),
        env!("CARGO_PKG_VERSION")
    );
    println!(
        "{CLIENTS} clients send {ORDERS_A_CALL} orders a call; batches of up to {batch}. Both databases end with one digest.\n"
    );
    println!("PostgreSQL ({})", plain.version);
    for (mode, connections, figure) in &plain.figures {
        let figure = rounded(*figure);
        println!(
            "  plain SQL, one transaction an order, {mode:<8}, {connections:>2} connections {figure:>8}"
        );
    }
    println!("  our pipeline                                                 {:>8}", rounded(pg));
    for mode in MODES {
        println!(
            "  ratio to the best of plain SQL, {mode:<8}                     {:>8.2}",
            pg / plain.best(mode)
        );
    }
    println!("SQLite");
    println!("  one transaction an order                                     {:>8}", rounded(alone));
    println!("  our pipeline                                                 {:>8}", rounded(sqlite));
    println!("  ratio                                                        {:>8.2}", sqlite / alone);
}
