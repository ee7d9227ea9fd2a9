//! A server that answers as it is told. By itself it gives tokens (`T1`, `T2`, …) and says `ok` to anything else.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use zhiyin_reach::client::Client;
use zhiyin_reach::wecom::Wecom;
use zhiyin_reach::wecom::settings::Settings;

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub verb: String,
    /// Path below `/cgi-bin/`.
    pub path: String,
    /// Its query, but for the token.
    pub query: String,
    pub token: String,
    pub head: String,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// What is done with a request.
pub enum Reply {
    Json(Value),
    /// These bytes; then the connection is closed.
    Raw(Vec<u8>),
    /// The connection is closed.
    Gone,
    /// Nothing, ever.
    Silence,
    /// `ok`, when there is leave.
    When(Arc<Semaphore>),
    /// `ok`; then the connection is closed, without a word of it.
    Last,
}

type Script = Box<dyn Fn(&Asked) -> Option<Reply> + Send + Sync>;

#[derive(Default)]
pub struct Seen {
    pub asked: Mutex<Vec<Asked>>,
    pub connections: AtomicUsize,
    pub peak: AtomicUsize,
    now: AtomicUsize,
}

/// A server, and an app that speaks to it.
pub struct Home {
    pub wecom: Wecom,
    pub seen: Arc<Seen>,
    /// The time, in milliseconds since 1970 UTC.
    pub clock: Arc<AtomicI64>,
    /// A word for each request that came.
    pub arrivals: mpsc::UnboundedReceiver<String>,
}

impl Home {
    pub fn count(&self, path: &str) -> usize {
        self.seen.asked.lock().unwrap().iter().filter(|asked| asked.path == path).count()
    }

    pub fn last(&self) -> Asked {
        self.seen.asked.lock().unwrap().last().unwrap().clone()
    }
}

pub fn ok() -> Value {
    json!({"errcode": 0, "errmsg": "ok"})
}

/// 2026-01-02 in China.
pub const NOW_MS: i64 = 1_767_312_000_000;

pub fn app(port: u16, limits: Value, clock: &Arc<AtomicI64>) -> Wecom {
    let settings = json!({
        "corp_id": "wwcorp", "agent_id": 1_000_002, "secret_env": "SECRET", "limits": limits,
        "api": format!("http://127.0.0.1:{port}/at"),
    });
    let settings = Settings::read(&settings.to_string(), true, |_| Ok(b"s3cret".to_vec())).unwrap();
    let clock = Arc::clone(clock);
    Wecom::new(&settings, Client::new(), Arc::new(move || clock.load(Ordering::SeqCst))).unwrap()
}

pub async fn home(script: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Home {
    home_with(json!([]), script).await
}

pub async fn home_with(
    limits: Value,
    script: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
) -> Home {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (seen, script) = (Arc::new(Seen::default()), Arc::new(Box::new(script) as Script));
    let (tells, arrivals) = mpsc::unbounded_channel();
    let sees = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            sees.connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(converse(stream, Arc::clone(&sees), Arc::clone(&script), tells.clone()));
        }
    });
    let clock = Arc::new(AtomicI64::new(NOW_MS));
    Home { wecom: app(port, limits, &clock), seen, clock, arrivals }
}

/// One request; `None` where the other side has gone.
async fn asked(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(read(head, bytes[end + 4..].to_vec()));
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn read(head: String, body: Vec<u8>) -> Asked {
    let mut words = head.split(' ');
    let (verb, target) = (words.next().unwrap().to_owned(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap();
    let path = path.strip_prefix("/at/cgi-bin/").unwrap().to_owned();
    let mut token = String::new();
    let rest: Vec<&str> = query
        .split('&')
        .filter(|pair| match pair.strip_prefix("access_token=") {
            Some(value) => {
                token = value.to_owned();
                false
            }
            None => true,
        })
        .collect();
    Asked { verb, path, query: rest.join("&"), token, head, body }
}

fn written(body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

async fn converse(
    mut stream: TcpStream,
    seen: Arc<Seen>,
    script: Arc<Script>,
    tells: mpsc::UnboundedSender<String>,
) {
    while let Some(asked) = asked(&mut stream).await {
        let (number, path) = {
            let mut all = seen.asked.lock().unwrap();
            all.push(asked.clone());
            (all.iter().filter(|other| other.path == "gettoken").count(), asked.path.clone())
        };
        let reply = script(&asked).unwrap_or_else(|| {
            Reply::Json(match path.as_str() {
                "gettoken" => {
                    json!({"errcode": 0, "errmsg": "ok", "access_token": format!("T{number}"), "expires_in": 7200})
                }
                _ => ok(),
            })
        });
        let now = seen.now.fetch_add(1, Ordering::SeqCst) + 1;
        seen.peak.fetch_max(now, Ordering::SeqCst);
        // Whoever does not listen does not miss it.
        drop(tells.send(path));
        let (bytes, goes_on) = match reply {
            Reply::Json(body) => (written(&body), true),
            Reply::Raw(bytes) => (bytes, false),
            Reply::Gone => (Vec::new(), false),
            Reply::Last => (written(&ok()), false),
            Reply::Silence => std::future::pending().await,
            Reply::When(leave) => {
                leave.acquire().await.unwrap().forget();
                (written(&ok()), true)
            }
        };
        seen.now.fetch_sub(1, Ordering::SeqCst);
        if stream.write_all(&bytes).await.is_err() || !goes_on {
            return;
        }
    }
}
