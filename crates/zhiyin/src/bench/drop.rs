//! `zhiyin bench drop`: a thousand pieces, a hundred thousand tries, over HTTP, on SQLite and on PostgreSQL, beside Redis with an
//! atomic script and every write on disk before it is answered (`bench/drop/redis.py`), in one run.
//!
//! A server of its own process, as in production. Members are drawn by chance, one piece each; a try is answered when it is
//! decided and on disk, or at the door when nothing is left. Unless exactly as many were claimed as there were, by as many members,
//! and the books agree, nothing is printed.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;
use zhiyin_engine::accept::Source;
use zhiyin_engine::keys::{self, NewKey};
use zhiyin_engine::{Engine, moving, playbooks};
use zhiyin_model::coupon::stock_of;
use zhiyin_model::id::IdKey;
use zhiyin_model::role::{Grant, Role};
use zhiyin_store::Store;
use zhiyin_store_pg::PgStore;
use zhiyin_store_sqlite::SqliteStore;

use super::brand::{self, Shape};
use super::ingest::Folder;
use super::pipeline::SERVER;
use super::print::thousands;

/// The home's id key: nothing in it is secret.
const KEY: IdKey = IdKey::from_bytes([7; 32]);
const MEMBERS: u32 = 50_000;
const CLIENTS: usize = 64;
const TRIES: u64 = 100_000;
const STOCK: usize = 1_000;
/// Drops one after the other, each of another offer; the best counts, as with Redis.
const RUNS: u64 = 3;

/// What came of one drop.
struct Found {
    took: Duration,
    waits: Vec<Duration>,
    /// Who has one.
    winners: Vec<String>,
    sold_out: u64,
    limited: u64,
}

/// What `bench/drop/redis.py` says.
#[derive(Deserialize)]
struct Redis {
    version: String,
    tries_per_s: u64,
    p50_us: u64,
    p99_us: u64,
    winners: usize,
}

/// Measures and prints.
pub async fn drop_sold() -> Result<ExitCode> {
    let redis = redis()?;
    let folder = Folder(std::env::temp_dir().join(format!("zhiyin-drop-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).with_context(|| folder.0.display().to_string())?;
    eprintln!("filling: {} members, an order each", thousands(u64::from(MEMBERS)));
    let home: PathBuf = folder.0.join("home");
    let key = fill(&home).await?;
    let mut ours = Vec::new();
    let server = std::env::var(SERVER).ok();
    if let Some(server) = &server {
        let joint = if server.contains('?') { '&' } else { '?' };
        let address = format!("{server}{joint}home=drop_{}", std::process::id());
        let store: Arc<dyn Store> = Arc::new(PgStore::open(&address, &KEY).await?);
        moving::migrate(&SqliteStore::open(&home.join("zhiyin.db"), &KEY)?, store.as_ref()).await?;
        let best = measured("PostgreSQL", &home, Some(&address), &key, store.as_ref()).await?;
        ours.push(("zhiyin, PostgreSQL", best));
    } else {
        eprintln!("PostgreSQL: left out, {SERVER} names none");
    }
    {
        let store = SqliteStore::open(&home.join("zhiyin.db"), &KEY)?;
        let best = measured("SQLite", &home, None, &key, &store).await?;
        ours.insert(0, ("zhiyin, SQLite", best));
    }
    println!(
        "A drop over HTTP (127.0.0.1): {} clients, {} tries, {} in stock, one a member of {} drawn by chance; the best of {RUNS}.\n\
         Each try is answered when it is decided and on disk, or at the door when nothing is left; clients and server share this machine.\n",
        CLIENTS,
        thousands(TRIES),
        thousands(STOCK as u64),
        thousands(u64::from(MEMBERS)),
    );
    let columns = ["tries/s", "p50 ms", "p99 ms", "sold", "of Redis"];
    println!("{:<36}{}", "", columns.map(|name| format!("{name:>12}")).concat());
    for (name, found) in &ours {
        print(name, rate(found), wait_us(found, 50), wait_us(found, 99), found.winners.len(), &redis);
    }
    let name = format!("Redis {}, Lua, appendfsync always", redis.version);
    print(&name, redis.tries_per_s, redis.p50_us, redis.p99_us, redis.winners, &redis);
    println!("\nsold: counted in the answers, by distinct members, and in the books; exact in every run.");
    Ok(ExitCode::SUCCESS)
}

/// What the peer does; it counts its own.
fn redis() -> Result<Redis> {
    eprintln!("Redis: measuring");
    let count = |n: u64| n.to_string();
    let asked = [
        ("--clients", count(CLIENTS as u64)),
        ("--tries", count(TRIES)),
        ("--stock", count(STOCK as u64)),
        ("--members", count(u64::from(MEMBERS))),
        ("--runs", count(RUNS)),
    ];
    let mut command = Command::new("python3");
    command.arg("bench/drop/redis.py").args(asked.iter().flat_map(|(name, value)| [*name, value]));
    let ran = command.stderr(Stdio::inherit()).output().context("bench/drop/redis.py did not run")?;
    ensure!(ran.status.success(), "bench/drop/redis.py failed");
    let redis: Redis = serde_json::from_slice(&ran.stdout).context("what bench/drop/redis.py said")?;
    ensure!(redis.winners == STOCK, "Redis sold {} of {STOCK}", redis.winners);
    Ok(redis)
}

fn offer(run: u64) -> String {
    format!("drop-{run}")
}

/// A home with members, a drop for each run, and a key of a shop.
async fn fill(home: &Path) -> Result<String> {
    let shape = Shape { members: MEMBERS, orders: 1, days: 30 };
    std::fs::create_dir_all(home)?;
    let engine = Engine::open(Arc::new(SqliteStore::open(&home.join("zhiyin.db"), &KEY)?)).await?;
    let mut text = "playbook: drop\nextends: variety-store\noffers:\n".to_owned();
    for run in 0..RUNS {
        text += &format!(
            "  {}: {{ gift: {{ product: poster }}, claim: {{}}, coupon: {{ valid: 15m, gives_back: true }}, \
             limit: 1 per member, stock: {STOCK} }}\n",
            offer(run)
        );
    }
    let file = home.join("playbook.yaml");
    std::fs::write(&file, text)?;
    let (playbook, _) = match playbooks::read_file(&file) {
        Ok(read) => read,
        Err(problems) => bail!("the bench's playbook does not read: {problems:?}"),
    };
    engine.apply_at(&playbook, Some(shape.begins())).await?;
    let source = Source {
        name: "history".to_owned(),
        user_namespace: "user".to_owned(),
        replay: true,
        ties: Default::default(),
    };
    let items: Vec<Vec<u8>> = (0..shape.orders_all()).map(|n| shape.order(n)).collect();
    for items in items.chunks(brand::CHUNK_MAX) {
        engine.accept(&source, items, None).await?;
    }
    engine.begin_business().await?;
    let mut chance = [0; 40];
    getrandom::fill(&mut chance).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    let new = NewKey {
        role: Role::Owner,
        place: None,
        staff: None,
        name: "shop".to_owned(),
        scopes: None,
        expires_at: None,
    };
    let (_, secret) = keys::make(engine.store().as_ref(), &Grant::system("bench"), new, &chance).await?;
    Ok(secret.reveal().to_owned())
}

/// A server in a process of its own.
struct Server(Child);

impl Server {
    /// Starts one; where it listens.
    fn start(home: &Path, database: Option<&str>) -> Result<(Self, String)> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--requests-per-second", "4000000000", "--home"]);
        command.arg(home).env("ZHIYIN_LOG", "warn").env_remove("ZHIYIN_DATABASE");
        if let Some(database) = database {
            command.env("ZHIYIN_DATABASE", database);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().context("the server did not start")?;
        let output = child.stdout.take().context("no output")?;
        let server = Self(child);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next());
        let address = address.with_context(|| format!("the server said {line:?}"))?.to_owned();
        Ok((server, address))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What was answered is on disk, so there is nothing to wait for.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The best of the runs; each is counted.
async fn measured(
    name: &str,
    home: &Path,
    database: Option<&str>,
    key: &str,
    store: &dyn Store,
) -> Result<Found> {
    let (server, address) = Server::start(home, database)?;
    let mut best: Option<Found> = None;
    for run in 0..RUNS {
        let found = run_once(&address, key, run).await?;
        eprintln!(
            "{name}: {} tries/s; {} sold, {} times one had one already, {} times nothing was left",
            thousands(rate(&found)),
            found.winners.len(),
            found.limited,
            thousands(found.sold_out)
        );
        let members: BTreeSet<&String> = found.winners.iter().collect();
        ensure!(found.winners.len() == STOCK, "{} of {STOCK} were sold", found.winners.len());
        ensure!(members.len() == STOCK, "somebody got two");
        let taken: i64 = store.coupons().pools(vec![stock_of(&offer(run))]).await?.into_values().sum();
        ensure!(usize::try_from(taken) == Ok(STOCK), "the books say that {taken} of {STOCK} are sold");
        if best.as_ref().is_none_or(|best| found.took < best.took) {
            best = Some(found);
        }
    }
    drop(server);
    for check in store.doctor().await? {
        ensure!(check.broken.is_empty(), "{}: {:?}", check.invariant, check.broken);
    }
    best.context("nothing was measured")
}

async fn run_once(address: &str, key: &str, run: u64) -> Result<Found> {
    let next = Arc::new(AtomicU64::new(0));
    let watch = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (address, key, next) = (address.to_owned(), key.to_owned(), Arc::clone(&next));
        clients.spawn(async move { client(&address, &key, run, &next).await });
    }
    let mut all =
        Found { took: Duration::ZERO, waits: Vec::new(), winners: Vec::new(), sold_out: 0, limited: 0 };
    while let Some(found) = clients.join_next().await {
        let found = found??;
        all.waits.extend(found.waits);
        all.winners.extend(found.winners);
        all.sold_out += found.sold_out;
        all.limited += found.limited;
    }
    all.took = watch.elapsed();
    all.waits.sort_unstable();
    Ok(all)
}

/// Tries one after the other over one connection, until all have been made.
async fn client(address: &str, key: &str, run: u64, next: &AtomicU64) -> Result<Found> {
    let mut found =
        Found { took: Duration::ZERO, waits: Vec::new(), winners: Vec::new(), sold_out: 0, limited: 0 };
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut request, mut got) = (Vec::with_capacity(512), Vec::with_capacity(2_048));
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= TRIES {
            return Ok(found);
        }
        ask(&mut request, key, run, n);
        let watch = Instant::now();
        stream.write_all(&request).await?;
        let (status, body) = answer(&mut stream, &mut got).await?;
        found.waits.push(watch.elapsed());
        match status {
            200 => {
                let said: serde_json::Value = serde_json::from_slice(body)?;
                let member = said["member"].as_str().context("an answer without its member")?;
                ensure!(said["codes"].as_array().is_some_and(|codes| codes.len() == 1), "no code: {said}");
                found.winners.push(member.to_owned());
            }
            409 if holds(body, b"out_of_stock") => found.sold_out += 1,
            409 if holds(body, b"limit_reached") => found.limited += 1,
            status => bail!("a claim was answered {status}: {}", String::from_utf8_lossy(body)),
        }
    }
}

fn holds(body: &[u8], word: &[u8]) -> bool {
    body.windows(word.len()).any(|part| part == word)
}

fn ask(request: &mut Vec<u8>, key: &str, run: u64, n: u64) {
    // Whoever comes next is drawn by chance, the same in each run.
    let chance = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let chance = (chance ^ (chance >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 17;
    let body = format!(
        "{{\"member\":{{\"namespace\":\"user\",\"value\":\"{}\"}},\"offer\":\"{}\"}}",
        brand::member(chance % u64::from(MEMBERS)),
        offer(run)
    );
    request.clear();
    request.extend_from_slice(
        format!(
            "POST /v1/commands/coupons/claim HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\nidempotency-key: drop-{run}-{n}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    );
}

/// Reads an answer whole: its status and its body.
async fn answer<'g>(stream: &mut TcpStream, got: &'g mut Vec<u8>) -> Result<(u16, &'g [u8])> {
    got.clear();
    let (head, length) = loop {
        ensure!(stream.read_buf(got).await? > 0, "the server closed the connection");
        if let Some(end) = got.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = std::str::from_utf8(&got[..end])?;
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            break (end + 4, length.context("an answer without its length")?);
        }
    };
    while got.len() < head + length {
        ensure!(stream.read_buf(got).await? > 0, "the server closed the connection");
    }
    let status = std::str::from_utf8(got.get(9..12).context("no status")?)?.parse()?;
    Ok((status, &got[head..head + length]))
}

fn rate(found: &Found) -> u64 {
    TRIES * 1_000_000 / u64::try_from(found.took.as_micros()).unwrap_or(u64::MAX).max(1)
}

fn wait_us(found: &Found, share: usize) -> u64 {
    let wait = found.waits.get(found.waits.len() * share / 100).copied().unwrap_or_default();
    u64::try_from(wait.as_micros()).unwrap_or(u64::MAX)
}

#[expect(clippy::float_arithmetic, reason = "figures for people")]
fn print(name: &str, rate: u64, p50_us: u64, p99_us: u64, sold: usize, redis: &Redis) {
    let ms = |us: u64| format!("{:.2}", us as f64 / 1_000.0);
    println!(
        "{name:<36}{:>12}{:>12}{:>12}{:>12}{:>12}",
        thousands(rate),
        ms(p50_us),
        ms(p99_us),
        thousands(sold as u64),
        format!("{:.2} ×", rate as f64 / redis.tries_per_s.max(1) as f64)
    );
}
