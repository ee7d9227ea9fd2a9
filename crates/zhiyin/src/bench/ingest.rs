//! `zhiyin bench ingest`: events a second that programs send over HTTP and that are acknowledged durably, on SQLite.
//!
//! A server of its own process, as in production; connections of this process, each sending batches one after the other and
//! waiting for the answer. Once with nothing but the door at work, once with the pipeline deciding beside it, and with ten
//! times as many connections: what is too much is told to come back, and memory does not grow with it. What was acknowledged
//! is counted in the home afterwards, or the figures are not printed.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use zhiyin_engine::accept::Source;
use zhiyin_engine::delivery::Terms;
use zhiyin_engine::keys::{self, NewKey};
use zhiyin_engine::{Engine, clock, playbooks};
use zhiyin_model::id::IdKey;
use zhiyin_model::role::{Grant, Role};
use zhiyin_server::{Api, Bounds, HomeReadings};
use zhiyin_store::Store;
use zhiyin_store_sqlite::SqliteStore;

use super::brand::{self, Shape};
use super::print::thousands;
use crate::arguments::Place;

/// How this asks for a server that takes what is sent and decides nothing.
pub const DOOR: &str = "ingest-door";
/// The home's id key: nothing in it is secret.
const KEY: IdKey = IdKey::from_bytes([7; 32]);
/// Members that are known before.
pub(super) const MEMBERS: u32 = 20_000;
/// Who sends at the same time, and how many events with each request.
const CONNECTIONS: usize = 8;
const EVENTS_A_BATCH: u64 = 100;
/// For how long each part goes on at most, and how many events a connection has at hand.
const WITHIN: Duration = Duration::from_secs(8);
const EVENTS_EACH: u64 = 30_000;
/// The longest that a sender waits who was told to come back.
const PAUSE_MAX: Duration = Duration::from_secs(1);

pub(super) struct Folder(pub(super) PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever clears the temporary folder.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// What came of one part.
#[derive(Default)]
struct Found {
    /// The first event of each batch that was acknowledged.
    batches: Vec<u64>,
    refused: u64,
    took: Duration,
    /// Time of each request that was acknowledged.
    waits: Vec<Duration>,
    /// The most memory the server had, before and after.
    kb: (u64, u64),
}

/// Measures and prints.
pub async fn ingest() -> Result<ExitCode> {
    let folder = Folder(std::env::temp_dir().join(format!("zhiyin-ingest-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).with_context(|| folder.0.display().to_string())?;
    eprintln!("filling: {} members, an order each", thousands(u64::from(MEMBERS)));
    let filled = folder.0.join("filled");
    let key = fill(&filled).await?;
    println!(
        "Events of known members over HTTP (127.0.0.1), batches of {EVENTS_A_BATCH}, each acknowledged when it is on disk; SQLite, WAL,\n\
         synchronous=FULL; sender and server share this machine. at most {} s each. memory: the most that the server had.\n",
        WITHIN.as_secs()
    );
    let columns = ["connections", "events/s", "p50 ms", "p99 ms", "429", "memory MB", "before"];
    println!("{:<22}{}", "", columns.map(|name| format!("{name:>12}")).concat());
    for (name, door) in [("the door alone", true), ("pipeline beside it", false)] {
        let home = folder.0.join(if door { "door" } else { "beside" });
        copy(&filled, &home)?;
        let server = Server::start(&home, door)?;
        let few = server.measure(&key, CONNECTIONS, 0).await?;
        print(name, CONNECTIONS, &few);
        let many = server.measure(&key, CONNECTIONS * 10, 1).await?;
        print(name, CONNECTIONS * 10, &many);
        drop(server);
        for batches in [few.batches, many.batches] {
            are_there(&home, &key, &batches).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::float_arithmetic, reason = "figures for people")]
fn print(name: &str, connections: usize, found: &Found) {
    let mut waits = found.waits.clone();
    waits.sort_unstable();
    let at = |share: usize| waits.get(waits.len() * share / 100).copied().unwrap_or_default();
    let ms = |wait: Duration| format!("{:.1}", wait.as_secs_f64() * 1_000.0);
    let rate = found.batches.len() as u64 * EVENTS_A_BATCH * 1_000
        / u64::try_from(found.took.as_millis()).unwrap_or(1).max(1);
    println!(
        "{name:<22}{connections:>12}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}",
        thousands(rate),
        ms(at(50)),
        ms(at(99)),
        thousands(found.refused),
        found.kb.1 / 1024,
        found.kb.0 / 1024
    );
}

/// A home with members, whose business has begun, and a key of a server.
pub(super) async fn fill(home: &Path) -> Result<String> {
    let shape = Shape { members: MEMBERS, orders: 1, days: 30 };
    std::fs::create_dir_all(home)?;
    let engine = Engine::open(Arc::new(SqliteStore::open(&home.join("zhiyin.db"), &KEY)?)).await?;
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
        name: "bench".to_owned(),
        scopes: None,
        expires_at: None,
    };
    let (_, secret) = keys::make(engine.store().as_ref(), &Grant::system("bench"), new, &chance).await?;
    Ok(secret.reveal().to_owned())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for file in std::fs::read_dir(from)? {
        let file = file?;
        if file.file_type()?.is_file() {
            std::fs::copy(file.path(), to.join(file.file_name()))?;
        }
    }
    Ok(())
}

/// Fails unless each event that was acknowledged is in the home.
async fn are_there(home: &Path, key: &str, batches: &[u64]) -> Result<()> {
    let store = SqliteStore::open(&home.join("zhiyin.db"), &KEY)?;
    let source = format!("key:{}", keys::id_of(key).context("no key")?);
    for batches in batches.chunks(50) {
        let ids = batches.iter().flat_map(|first| *first..first + EVENTS_A_BATCH).map(brand::live_id);
        let came = store.came(&source, ids.collect()).await?;
        ensure!(came.iter().all(Option::is_some), "an event was acknowledged and is not there");
    }
    Ok(())
}

/// Takes what is sent and decides nothing, until its input ends.
pub async fn door(place: &Place) -> Result<ExitCode> {
    let engine = Arc::new(place.open_existing().await?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("Serving at http://{}", listener.local_addr()?);
    let readings = Arc::new(HomeReadings::new(Arc::clone(&engine)));
    // Nothing is decided, so everything waits.
    let terms = Terms { waiting_max: u64::MAX, ..Terms::default() };
    let api = Api::with(engine, u32::MAX, true, Bounds { terms, ..Bounds::default() });
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    zhiyin_server::serve(listener, readings, Some(api), ended).await?;
    Ok(ExitCode::SUCCESS)
}

/// A server in a process of its own.
pub(super) struct Server {
    child: Child,
    pub(super) address: String,
}

impl Server {
    pub(super) fn start(home: &Path, door: bool) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        match door {
            true => command.args(["bench", DOOR]),
            false => command.args(["serve", "--listen", "127.0.0.1:0"]),
        };
        command.arg("--home").arg(home).env("ZHIYIN_LOG", "warn").env_remove("ZHIYIN_DATABASE");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("the server did not start")?;
        let output = child.stdout.take().context("no output")?;
        let mut server = Self { child, address: String::new() };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next());
        address.with_context(|| format!("the server said {line:?}"))?.clone_into(&mut server.address);
        Ok(server)
    }

    /// So many connections send until they have sent all they have, or time is over.
    async fn measure(&self, key: &str, connections: usize, part: u64) -> Result<Found> {
        let each = EVENTS_EACH * CONNECTIONS as u64 / connections as u64;
        let requests: Vec<Vec<(u64, Vec<u8>)>> = (0..connections as u64)
            .map(|n| {
                let first = part * EVENTS_EACH * CONNECTIONS as u64 + n * each;
                let batches = (0..each / EVENTS_A_BATCH).map(|batch| first + batch * EVENTS_A_BATCH);
                batches.map(|first| (first, request(first, key))).collect()
            })
            .collect();
        let before = self.memory_kb();
        let watch = clock::stopwatch();
        let mut sending = JoinSet::new();
        for requests in requests {
            let address = self.address.clone();
            sending.spawn(async move { send(&address, requests).await });
        }
        let mut found = Found::default();
        while let Some(sent) = sending.join_next().await {
            let sent = sent??;
            found.batches.extend(sent.batches);
            found.refused += sent.refused;
            found.waits.extend(sent.waits);
        }
        found.took = watch.elapsed();
        found.kb = (before, self.memory_kb());
        Ok(found)
    }

    /// The most memory that the server had so far; 0 where nobody tells.
    fn memory_kb(&self) -> u64 {
        let id = self.child.id();
        let text = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What was acknowledged is on disk, so there is nothing to wait for.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn request(first: u64, key: &str) -> Vec<u8> {
    let mut body = br#"{"batch":["#.to_vec();
    for n in first..first + EVENTS_A_BATCH {
        if n > first {
            body.push(b',');
        }
        body.extend(brand::live(n, MEMBERS).1);
    }
    body.extend_from_slice(b"]}");
    let head = format!(
        "POST /v1/batch HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}

/// Sends one request after the other over one connection; what is refused for now is sent again.
async fn send(address: &str, requests: Vec<(u64, Vec<u8>)>) -> Result<Found> {
    let mut found = Found::default();
    let until = Instant::now() + WITHIN;
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    for (first, request) in requests {
        while Instant::now() < until {
            let watch = Instant::now();
            stream.write_all(&request).await?;
            match status(&mut stream).await? {
                200 => {
                    found.batches.push(first);
                    found.waits.push(watch.elapsed());
                    break;
                }
                429 => {
                    found.refused += 1;
                    sleep(PAUSE_MAX).await;
                }
                status => bail!("the server answered {status}"),
            }
        }
    }
    Ok(found)
}

/// Reads an answer whole; its status.
pub(super) async fn status(stream: &mut TcpStream) -> Result<u16> {
    let mut got = Vec::with_capacity(1_024);
    loop {
        ensure!(stream.read_buf(&mut got).await? > 0, "the server closed the connection");
        let Some(end) = got.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&got[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.context("an answer without its length")?.parse()?;
        while got.len() < end + 4 + length {
            ensure!(stream.read_buf(&mut got).await? > 0, "the server closed the connection");
        }
        return Ok(head.split(' ').nth(1).context("no status")?.parse()?);
    }
}
