//! A server that gets webhooks: it keeps what it was sent and answers as it is told.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Got {
    head: String,
    pub body: String,
}

impl Got {
    /// What a header says.
    pub fn header(&self, name: &str) -> &str {
        let mut said = self.head.lines().filter_map(|line| line.split_once(": "));
        said.find(|(known, _)| *known == name).map(|(_, value)| value).unwrap()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

struct Inner {
    got: Mutex<Vec<Got>>,
    /// Answers in their order; 200 where there is none left.
    answers: Mutex<VecDeque<String>>,
    arrived: Notify,
    /// How many connections were made.
    connections: AtomicUsize,
}

/// The server.
#[derive(Clone)]
pub struct Receiver {
    inner: Arc<Inner>,
    port: u16,
}

impl Receiver {
    /// A server on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (got, answers) = (Mutex::default(), Mutex::default());
        let inner =
            Arc::new(Inner { got, answers, arrived: Notify::new(), connections: AtomicUsize::new(0) });
        let shared = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(converse(stream, Arc::clone(&shared)));
            }
        });
        Self { inner, port }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// It answers the next requests like this: a status, and lines of the head.
    pub fn answers(&self, all: &[&str]) {
        self.inner.answers.lock().unwrap().extend(all.iter().map(|one| (*one).to_owned()));
    }

    /// It takes everything again, whatever it was told.
    pub fn is_well(&self) {
        self.inner.answers.lock().unwrap().clear();
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::Relaxed)
    }

    /// What came so far, and is taken out here.
    pub fn take(&self) -> Vec<Got> {
        std::mem::take(&mut self.inner.got.lock().unwrap())
    }

    /// Waits until so many requests lie here.
    pub async fn wait_for(&self, n: usize) {
        loop {
            let arrived = self.inner.arrived.notified();
            if self.inner.got.lock().unwrap().len() >= n {
                return;
            }
            arrived.await;
        }
    }
}

async fn converse(mut stream: TcpStream, inner: Arc<Inner>) {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let whole = text.split_once("\r\n\r\n").filter(|(head, body)| {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            body.len() >= length.map_or(0, |length| length.parse().unwrap())
        });
        let Some((head, body)) = whole else {
            match stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => continue,
            }
        };
        inner.got.lock().unwrap().push(Got { head: head.to_owned(), body: body.to_owned() });
        bytes.clear();
        let said = inner.answers.lock().unwrap().pop_front().unwrap_or_else(|| "200 OK".to_owned());
        inner.arrived.notify_waiters();
        if said == "never" {
            std::future::pending::<()>().await;
        }
        if stream.write_all(format!("HTTP/1.1 {said}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.is_err()
        {
            return;
        }
    }
}
