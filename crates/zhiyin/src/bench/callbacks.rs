//! `zhiyin bench callbacks`: callbacks of WeCom a second that are answered 200, so are on disk, on SQLite over HTTP.
//!
//! A server of its own process, as in production, with the pipeline beside it; connections of this process, each telling one thing after
//! the other, encrypted and signed as WeCom does, and waiting for the answer. What was answered is counted in the home afterwards, or
//! the figures are not printed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;
use zhiyin_engine::clock;
use zhiyin_model::id::IdKey;
use zhiyin_reach::wecom::callback::{CallbackSettings, Callbacks};
use zhiyin_store::Store;
use zhiyin_store::campaigns::arrivals::ArrivalLog;
use zhiyin_store_sqlite::SqliteStore;

use super::ingest::{Folder, fill, status};
use super::print::thousands;

/// The home's id key: nothing in it is secret.
const KEY: IdKey = IdKey::from_bytes([7; 32]);
const TOKEN: &str = "QDG6eK";
const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
const CORP: &str = "wx5823bf96d3bd56c7";
/// For how long each part goes on at most, and how many callbacks there are for it.
const WITHIN: Duration = Duration::from_secs(8);
const CALLBACKS: usize = 40_000;

/// Measures and prints.
pub async fn callbacks() -> Result<ExitCode> {
    let folder = Folder(std::env::temp_dir().join(format!("zhiyin-callbacks-{}", std::process::id())));
    let home = folder.0.join("home");
    std::fs::create_dir_all(&home)?;
    eprintln!("filling");
    fill(&home).await?;
    let channels = folder.0.join("channels.json");
    let callback = serde_json::json!({"token_env": "BENCH_TOKEN", "aes_key_env": "BENCH_AES_KEY"});
    let account = serde_json::json!({"corp_id": CORP, "callback": callback});
    let file = serde_json::json!({"public_url": "https://bench.example", "wecom": {"main": account}});
    std::fs::write(&channels, file.to_string())?;
    println!(
        "Callbacks of WeCom (customers added, each another) over HTTP (127.0.0.1), encrypted and signed, each answered when it is on disk;\n\
         SQLite, WAL, synchronous=FULL; the pipeline works beside it; sender and server share this machine. at most {} s each.\n",
        WITHIN.as_secs()
    );
    let columns = ["callbacks/s", "p50 ms", "p99 ms", "answered"];
    println!("{:>12}{}", "connections", columns.map(|name| format!("{name:>14}")).concat());
    let server = Server::start(&home, &channels)?;
    let mut all = 0;
    for (part, connections) in [16, 64, 256].into_iter().enumerate() {
        let (took, mut waits) = measure(&server.address, part, connections).await?;
        all += waits.len();
        waits.sort_unstable();
        print(connections, took, &waits);
    }
    drop(server);
    let kept = there(&home).await?;
    ensure!(kept >= all, "{all} were answered and {kept} are there");
    Ok(ExitCode::SUCCESS)
}

/// How many are in the home.
async fn there(home: &Path) -> Result<usize> {
    let store = SqliteStore::open(&home.join("zhiyin.db"), &KEY)?;
    let arrivals = store.coupons().campaigns().arrivals();
    let (mut n, mut before) = (0, None);
    loop {
        let found = arrivals.arrivals(ArrivalLog { before, limit: 5_000, ..ArrivalLog::default() }).await?;
        let Some(last) = found.last() else { return Ok(n) };
        before = Some((last.at, last.id));
        n += found.len();
    }
}

#[expect(clippy::float_arithmetic, reason = "figures for people")]
fn print(connections: usize, took: Duration, waits: &[Duration]) {
    let at = |share: usize| waits.get(waits.len() * share / 100).copied().unwrap_or_default();
    let ms = |wait: Duration| format!("{:.1}", wait.as_secs_f64() * 1_000.0);
    let rate = waits.len() as u64 * 1_000 / u64::try_from(took.as_millis()).unwrap_or(1).max(1);
    println!(
        "{connections:>12}{:>14}{:>14}{:>14}{:>14}",
        thousands(rate),
        ms(at(50)),
        ms(at(99)),
        thousands(waits.len() as u64)
    );
}

/// So many connections tell until all is told, or time is over; how long each waited.
async fn measure(address: &str, part: usize, connections: usize) -> Result<(Duration, Vec<Duration>)> {
    let settings = CallbackSettings {
        token: TOKEN.to_owned(),
        aes_key: AES_KEY.to_owned(),
        corp_id: CORP.to_owned(),
        agent_id: None,
    };
    let callbacks = Callbacks::new(&settings).map_err(|problem| anyhow::anyhow!("{problem}"))?;
    let seconds = clock::wall().0 / 1_000_000;
    let each = CALLBACKS / connections;
    let requests: Vec<Vec<Vec<u8>>> = (0..connections)
        .map(|connection| {
            let of =
                |n: usize| request(&callbacks, (part * CALLBACKS + connection * each + n) as u64, seconds);
            (0..each).map(of).collect()
        })
        .collect();
    let watch = clock::stopwatch();
    let mut telling = JoinSet::new();
    for requests in requests {
        let address = address.to_owned();
        telling.spawn(async move { tell(&address, requests).await });
    }
    let mut waits = Vec::new();
    while let Some(told) = telling.join_next().await {
        waits.extend(told??);
    }
    Ok((watch.elapsed(), waits))
}

async fn tell(address: &str, requests: Vec<Vec<u8>>) -> Result<Vec<Duration>> {
    let until = Instant::now() + WITHIN;
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut waits = Vec::new();
    for request in requests {
        if Instant::now() >= until {
            break;
        }
        let watch = Instant::now();
        stream.write_all(&request).await?;
        match status(&mut stream).await? {
            200 => waits.push(watch.elapsed()),
            status => bail!("the server answered {status}"),
        }
    }
    Ok(waits)
}

fn request(callbacks: &Callbacks, n: u64, seconds: i64) -> Vec<u8> {
    let text = format!(
        "<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName><CreateTime>{seconds}</CreateTime>\
         <MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_external_contact]]></Event>\
         <ChangeType><![CDATA[add_external_contact]]></ChangeType><UserID><![CDATA[li]]></UserID>\
         <ExternalUserID><![CDATA[wmBench{n:012}]]></ExternalUserID><State><![CDATA[wecom]]></State></xml>"
    );
    let mut random = [b'0'; 16];
    random.iter_mut().zip(n.to_be_bytes()).for_each(|(to, byte)| *to = byte);
    let (stamp, nonce) = (seconds.to_string(), n.to_string());
    let (body, signature) = callbacks.sealed(&text, random, &stamp, &nonce);
    let head = format!(
        "POST /v1/callbacks/wecom/main?msg_signature={signature}&timestamp={stamp}&nonce={nonce} HTTP/1.1\r\nhost: bench\r\n\
         content-type: text/xml\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

/// A server in a process of its own.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(home: &Path, channels: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--channels"])
            .arg(channels)
            .arg("--home")
            .arg(home);
        command.env("ZHIYIN_LOG", "warn").env("BENCH_TOKEN", TOKEN).env("BENCH_AES_KEY", AES_KEY);
        command.env_remove("ZHIYIN_DATABASE").stdout(Stdio::piped());
        let mut child = command.spawn().context("the server did not start")?;
        let output = child.stdout.take().context("no output")?;
        let mut server = Self { child, address: String::new() };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next());
        address.with_context(|| format!("the server said {line:?}"))?.clone_into(&mut server.address);
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What was answered is on disk, so there is nothing to wait for.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
