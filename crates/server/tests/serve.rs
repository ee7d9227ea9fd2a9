//! The server over real sockets: what each address answers, and that nobody can tie it up.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zhiyin_server::{Limits, Overview, ReadingError, Readings, serve_within};

const FIXTURE: &str = include_str!("overview.json");

/// Readings that count how often they are asked, and can be made to fail or to hang.
#[derive(Default)]
struct Sample {
    asked: AtomicUsize,
    fails: AtomicBool,
    hangs: AtomicBool,
    starting: AtomicBool,
}

#[async_trait]
impl Readings for Sample {
    async fn overview(&self) -> Result<Overview, ReadingError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
        if self.fails.load(Ordering::SeqCst) {
            return Err(ReadingError::Failed { reason: "disk secret at /var/secret".to_owned() });
        }
        Ok(serde_json::from_str(FIXTURE).unwrap())
    }

    async fn ready(&self) -> Result<(), String> {
        if self.hangs.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
        if self.starting.load(Ordering::SeqCst) { Err("migrating".to_owned()) } else { Ok(()) }
    }

    async fn metrics(&self) -> String {
        "# TYPE up gauge\nup 1\n".to_owned()
    }
}

struct Running {
    address: SocketAddr,
    sample: Arc<Sample>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<()>>,
}

async fn running(limits: Limits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sample = Arc::new(Sample::default());
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(serve_within(limits, listener, sample.clone(), None, stopped));
    Running { address, sample, stop, ended }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(named, _)| named.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Sends bytes and reads until the server closes.
async fn exchange(address: SocketAddr, sent: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut got = Vec::new();
    // A reset after the answer is as good an end as a close.
    let _ = stream.read_to_end(&mut got).await;
    String::from_utf8(got).unwrap()
}

async fn ask(address: SocketAddr, method: &str, path: &str, headers: &[&str]) -> Answer {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let sent = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n");
    let got = exchange(address, &sent).await;
    let (head, body) = got.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

async fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, "GET", path, &[]).await
}

#[tokio::test]
async fn each_address_answers_what_it_says() {
    let home = running(Limits::default()).await;
    let rows = [
        ("GET", "/", 200, "text/html; charset=utf-8"),
        ("HEAD", "/", 200, "text/html; charset=utf-8"),
        ("GET", "/?lang=en&lang=zh", 200, "text/html; charset=utf-8"),
        ("GET", "/v1/overview", 200, "application/json"),
        ("GET", "/healthz", 200, "application/json"),
        ("GET", "/readyz", 200, "application/json"),
        ("GET", "/metrics", 200, "text/plain; version=0.0.4"),
        ("GET", "/v1", 404, "application/problem+json"),
        ("GET", "/%ff/../x", 404, "application/problem+json"),
        ("POST", "/", 405, "application/problem+json"),
        ("DELETE", "/v1/overview", 405, "application/problem+json"),
        ("OPTIONS", "/healthz", 405, "application/problem+json"),
    ];
    for (method, path, status, kind) in rows {
        let answer = ask(home.address, method, path, &[]).await;
        assert_eq!((answer.status, answer.header("content-type")), (status, Some(kind)), "{method} {path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{method} {path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{method} {path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
    }
    let overview = get(home.address, "/v1/overview").await;
    assert_eq!(overview.json(), serde_json::from_str::<Value>(FIXTURE).unwrap());
}

#[tokio::test]
async fn a_problem_has_one_code_and_a_sentence_in_the_readers_language() {
    let home = running(Limits::default()).await;
    let zh = get(home.address, "/nowhere").await;
    let en = ask(home.address, "GET", "/nowhere", &["accept-language: en-GB,en;q=0.9,zh;q=0.1"]).await;
    assert_eq!((zh.header("content-language"), en.header("content-language")), (Some("zh-CN"), Some("en")));
    assert_eq!((&zh.json()["code"], &en.json()["code"]), (&"not_found".into(), &"not_found".into()));
    assert_eq!(en.json()["title"], "Not found");
    assert!(!zh.json()["detail"].as_str().unwrap().is_ascii());
    let refused = ask(home.address, "POST", "/v1/overview", &[]).await;
    assert_eq!(refused.json()["code"], "method_not_allowed");
    assert_eq!(refused.header("allow"), Some("GET,HEAD"));
}

#[tokio::test]
async fn the_page_comes_in_both_languages_and_only_once() {
    let home = running(Limits::default()).await;
    let zh = get(home.address, "/").await;
    let en = get(home.address, "/?lang=en&theme=dark").await;
    assert!(zh.body.contains("<html lang=\"zh-CN\" data-theme=\"\">"));
    assert!(en.body.contains("<html lang=\"en\" data-theme=\"dark\">"));
    assert!(get(home.address, "/?theme=%22%3E%3Cscript%3E").await.body.contains("data-theme=\"\""));
    let tag = zh.header("etag").unwrap();
    assert_ne!(Some(tag), en.header("etag"));
    let again = ask(home.address, "GET", "/", &[&format!("if-none-match: {tag}")]).await;
    assert_eq!((again.status, again.body.as_str(), again.header("etag")), (304, "", Some(tag)));
}

#[tokio::test]
async fn readiness_is_apart_from_life() {
    let home = running(Limits::default()).await;
    home.sample.starting.store(true, Ordering::SeqCst);
    assert_eq!(get(home.address, "/healthz").await.status, 200);
    let waiting = get(home.address, "/readyz").await;
    assert_eq!((waiting.status, waiting.header("retry-after")), (503, Some("1")));
    assert_eq!(waiting.json()["code"], "not_ready");
    assert!(!waiting.body.contains("migrating"));
    home.sample.starting.store(false, Ordering::SeqCst);
    assert_eq!(get(home.address, "/readyz").await.status, 200);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_not_ready() {
    let home = running(Limits { ready: Duration::from_millis(50), ..Limits::default() }).await;
    home.sample.hangs.store(true, Ordering::SeqCst);
    let waiting = get(home.address, "/readyz").await;
    assert_eq!((waiting.status, &waiting.json()["code"]), (503, &"not_ready".into()));
    assert_eq!(get(home.address, "/healthz").await.status, 200);
    home.sample.hangs.store(false, Ordering::SeqCst);
    assert_eq!(get(home.address, "/readyz").await.status, 200);
}

#[tokio::test]
async fn a_reload_storm_costs_one_reading_even_when_it_fails() {
    for fails in [false, true] {
        let home = running(Limits::default()).await;
        home.sample.fails.store(fails, Ordering::SeqCst);
        let storm: Vec<_> =
            (0..50).map(|_| tokio::spawn(async move { get(home.address, "/v1/overview").await })).collect();
        for answer in storm {
            let answer = answer.await.unwrap();
            assert_eq!(answer.status, if fails { 500 } else { 200 });
            assert!(!answer.body.contains("secret"), "an internal reason leaked");
        }
        // The storm may take longer than the second one reading is kept for, but not by much.
        assert!(home.sample.asked.load(Ordering::SeqCst) <= 3);
    }
}

#[tokio::test]
async fn a_head_that_trickles_in_is_cut_off() {
    let home = running(Limits { head: Duration::from_millis(100), ..Limits::default() }).await;
    for sent in ["", "GET / HTTP/1.1\r\nhost: te"] {
        let got = exchange(home.address, sent).await;
        assert!(got.is_empty() || got.starts_with("HTTP/1.1 408"), "{got}");
    }
    // An idle connection, too, is let go after its answer.
    let got = exchange(home.address, "GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert!(got.starts_with("HTTP/1.1 200"), "{got}");
}

#[tokio::test]
async fn slow_connections_up_to_the_bound_do_not_keep_others_out_for_long() {
    let limits = Limits { connections_max: 4, head: Duration::from_millis(100), ..Limits::default() };
    let home = running(limits).await;
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(home.address).await.unwrap();
        stream.write_all(b"GET / HT").await.unwrap();
        slow.push(stream);
    }
    assert_eq!(get(home.address, "/healthz").await.status, 200);
}

#[tokio::test]
async fn no_connection_outlives_its_greatest_age() {
    let short = Duration::from_millis(50);
    let home = running(Limits { connection: short, drain: short, ..Limits::default() }).await;
    home.sample.hangs.store(true, Ordering::SeqCst);
    for path in ["/healthz", "/v1/overview"] {
        let sent = format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n");
        // Both ends come from the age: the bounds on heads and answers are far longer than this test waits.
        let ended = tokio::time::timeout(Duration::from_secs(5), exchange(home.address, &sent)).await;
        assert!(ended.is_ok(), "{path}");
    }
}

#[tokio::test]
async fn what_is_too_large_or_malformed_is_refused() {
    let home = running(Limits::default()).await;
    let large = ask(home.address, "GET", "/healthz", &["content-length: 99999999"]).await;
    assert_eq!((large.status, &large.json()["code"]), (413, &"body_too_large".into()));
    let long = format!("GET /{} HTTP/1.1\r\nhost: test\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(500));
    for sent in [long.as_str(), many.as_str(), "nonsense\r\n\r\n", "\0\0\0\0\r\n\r\n"] {
        let got = exchange(home.address, sent).await;
        assert!(got.starts_with("HTTP/1.1 4"), "{got}");
    }
    assert_eq!(get(home.address, "/healthz").await.status, 200);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let home = running(Limits { request: Duration::from_millis(50), ..Limits::default() }).await;
    home.sample.hangs.store(true, Ordering::SeqCst);
    let answer = get(home.address, "/v1/overview").await;
    assert_eq!((answer.status, &answer.json()["code"]), (503, &"took_too_long".into()));
    home.sample.hangs.store(false, Ordering::SeqCst);
    assert_eq!(get(home.address, "/v1/overview").await.status, 200);
}

#[tokio::test]
async fn stopping_lets_idle_connections_go_at_once_and_busy_ones_within_the_bound() {
    let home = running(Limits { drain: Duration::from_millis(100), ..Limits::default() }).await;
    home.sample.hangs.store(true, Ordering::SeqCst);
    let mut idle = TcpStream::connect(home.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    assert!(idle.read(&mut [0; 1024]).await.unwrap() > 0);
    let address = home.address;
    let busy =
        tokio::spawn(
            async move { exchange(address, "GET /v1/overview HTTP/1.1\r\nhost: test\r\n\r\n").await },
        );
    while home.sample.asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    home.stop.send(()).unwrap();
    home.ended.await.unwrap().unwrap();
    assert_eq!(busy.await.unwrap(), "");
    assert!(TcpStream::connect(address).await.is_err(), "the port is given back");
}

#[tokio::test]
async fn an_answer_under_way_is_finished_before_the_server_ends() {
    let home = running(Limits::default()).await;
    let mut stream = TcpStream::connect(home.address).await.unwrap();
    stream.write_all(b"GET /v1/overview HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    while home.sample.asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    home.stop.send(()).unwrap();
    let mut got = String::new();
    stream.read_to_string(&mut got).await.unwrap();
    assert!(got.starts_with("HTTP/1.1 200") && got.ends_with('}'), "{}", &got[..got.len().min(200)]);
    home.ended.await.unwrap().unwrap();
}
