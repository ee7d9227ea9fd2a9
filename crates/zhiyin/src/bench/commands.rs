//! `zhiyin bench commands`: how long a till waits. Spends come in at a steady rate over HTTP, each of another member; an answer
//! counts from the moment at which its request was due, whether or not anybody was free to send it.
//!
//! A server of its own process, as in production. Each spend must be answered as done, or the figures are not printed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::ingest::{Folder, MEMBERS, Server, fill, status};
use super::print::thousands;

/// Connections that are held open: more than are ever busy at once.
const CONNECTIONS: usize = 64;
/// Commands a second, one after the other.
const RATES: [u64; 3] = [200, 1_000, 2_000];
/// For how long each rate is kept up, in seconds.
const SECONDS: u64 = 12;

/// Measures and prints.
pub async fn commands() -> Result<ExitCode> {
    let folder = Folder(std::env::temp_dir().join(format!("zhiyin-commands-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).with_context(|| folder.0.display().to_string())?;
    eprintln!("filling: {} members, an order each", thousands(u64::from(MEMBERS)));
    let home: PathBuf = folder.0.join("home");
    let key = fill(&home).await?;
    println!(
        "POST /v1/commands/points/spend over HTTP (127.0.0.1), each of another member, answered when it is decided and on disk;\n\
         SQLite, WAL, synchronous=FULL; sender and server share this machine. {SECONDS} s each; ms from when a request was due.\n"
    );
    let columns = ["answered/s", "p50 ms", "p95 ms", "p99 ms", "most ms"];
    println!("{:<12}{}", "due/s", columns.map(|name| format!("{name:>12}")).concat());
    let server = Server::start(&home, false)?;
    let mut first = 0;
    for rate in RATES {
        let waits = at_rate(&server.address, &key, rate, first).await?;
        first += rate * SECONDS;
        print(rate, &waits);
    }
    Ok(ExitCode::SUCCESS)
}

/// Sends so many a second; how long each waited.
async fn at_rate(address: &str, key: &str, rate: u64, first: u64) -> Result<(Duration, Vec<Duration>)> {
    let next = Arc::new(AtomicU64::new(0));
    let begins = Instant::now() + Duration::from_millis(100);
    let mut sending = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (address, key, next) = (address.to_owned(), key.to_owned(), Arc::clone(&next));
        sending.spawn(async move {
            let mut stream = TcpStream::connect(&address).await?;
            stream.set_nodelay(true)?;
            let mut waits = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= rate * SECONDS {
                    return Ok::<_, anyhow::Error>(waits);
                }
                let due = begins + Duration::from_micros(n * 1_000_000 / rate);
                sleep_until(due).await;
                stream.write_all(&request(&key, first + n)).await?;
                let status = status(&mut stream).await?;
                ensure!(status == 200, "a spend was answered {status}");
                waits.push(due.elapsed());
            }
        });
    }
    let mut waits = Vec::new();
    while let Some(sent) = sending.join_next().await {
        waits.extend(sent??);
    }
    Ok((begins.elapsed(), waits))
}

/// One point of another member each time.
fn request(key: &str, n: u64) -> Vec<u8> {
    let member = n.wrapping_mul(7_919) % u64::from(MEMBERS);
    let body = format!(
        "{{\"member\":{{\"namespace\":\"user\",\"value\":\"{}\"}},\"amount\":1,\"store\":\"330\"}}",
        super::brand::member(member)
    );
    format!(
        "POST /v1/commands/points/spend HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         idempotency-key: bench-{n}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[expect(clippy::float_arithmetic, reason = "figures for people")]
fn print(rate: u64, (took, waits): &(Duration, Vec<Duration>)) {
    let mut waits = waits.clone();
    waits.sort_unstable();
    let at =
        |share: usize| waits.get(waits.len() * share / 100).or(waits.last()).copied().unwrap_or_default();
    let ms = |wait: Duration| format!("{:.1}", wait.as_secs_f64() * 1_000.0);
    let answered = waits.len() as u64 * 1_000 / u64::try_from(took.as_millis()).unwrap_or(1).max(1);
    println!(
        "{:<12}{:>12}{:>12}{:>12}{:>12}{:>12}",
        thousands(rate),
        thousands(answered),
        ms(at(50)),
        ms(at(95)),
        ms(at(99)),
        ms(at(100))
    );
}
